/* json.c: JSON text to tn_val and back, and a streaming writer.
 *
 * Reading is yyjson's: strict, and quick. It works in place on a copy of the text in the caller's arena, so strings are not copied a
 * second time; its own tree lives in a scratch arena that dies here. Numbers that do not fit are asked for as raw text, which keeps
 * large integers exact (a Delta log has them) instead of rounding them to doubles.
 */
#include "text/json.h"

#include <yyjson.h>

#include "base/vec.h"
#include "text/timetext.h"

enum { JSON_PAD = YYJSON_PADDING_SIZE };
static const yyjson_read_flag json_flags = YYJSON_READ_INSITU | YYJSON_READ_BIGNUM_AS_RAW;

/* ---- memory of yyjson in an arena ---- */

static void *json_alloc(void *ctx, size_t size)
{
    return tn_arena_alloc(ctx, size);
}

static void *json_realloc(void *ctx, void *old, size_t old_size, size_t size)
{
    return tn_arena_grow(ctx, old, old_size, size);
}

static void json_free(void *ctx, void *p)
{
    (void)ctx, (void)p;
}

/* ---- reading ---- */

/* Where the reader stopped, as line and column of the whole text. */
static tn_rc json_fail(tn_str text, size_t pos, const char *what, tn_err *err)
{
    int line = 1;
    size_t start = 0;
    for (size_t i = 0; i < pos && i < text.n; i++) {
        if (text.p[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    int col = (int)(pos - start) + 1;
    tn_rc rc = tn_fail(err, TN_E_SYNTAX, "bad JSON at line %d, column %d: %s", line, col, what);
    tn_err_place(err, "", line, col);
    return rc;
}

/* A number as text: an integer beyond int64, or a real beyond double. */
static tn_val json_raw_number(tn_arena *a, tn_str raw)
{
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '.' || c == 'e' || c == 'E') {
            double f = 0;
            (void)tn_str_to_f64(raw, &f);
            return tn_val_float(f);
        }
    }
    tn_val v = tn_val_str(tn_str_dup(a, raw));
    v.tag = TN_BIGINT;
    return v;
}

static tn_rc json_value(tn_arena *a, yyjson_val *y, int depth, tn_val *ret, tn_err *err);

static tn_rc json_array(tn_arena *a, yyjson_val *y, int depth, tn_val *ret, tn_err *err)
{
    tn_val list = tn_val_list(a);
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(y, i, max, item)
    {
        tn_val v;
        TN_TRY(json_value(a, item, depth + 1, &v, err));
        tn_list_push(list.list, v);
    }
    *ret = list;
    return TN_OK;
}

static tn_rc json_object(tn_arena *a, yyjson_val *y, int depth, tn_val *ret, tn_err *err)
{
    tn_val dict = tn_val_dict(a);
    size_t i, max;
    yyjson_val *key, *item;
    yyjson_obj_foreach(y, i, max, key, item)
    {
        tn_val v;
        TN_TRY(json_value(a, item, depth + 1, &v, err));
        tn_dict_puts(dict.dict, tn_str_n(yyjson_get_str(key), yyjson_get_len(key)), v);
    }
    *ret = dict;
    return TN_OK;
}

static tn_rc json_value(tn_arena *a, yyjson_val *y, int depth, tn_val *ret, tn_err *err)
{
    if (depth > TN_JSON_DEPTH_MAX) {
        return tn_fail(err, TN_E_LIMIT, "JSON is nested deeper than %d levels", TN_JSON_DEPTH_MAX);
    }
    switch (yyjson_get_type(y)) {
    case YYJSON_TYPE_NULL:
        *ret = TN_VAL_NONE;
        return TN_OK;
    case YYJSON_TYPE_BOOL:
        *ret = tn_val_bool(yyjson_get_bool(y));
        return TN_OK;
    case YYJSON_TYPE_RAW:
        *ret = json_raw_number(a, tn_str_n(yyjson_get_raw(y), yyjson_get_len(y)));
        return TN_OK;
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(y)) {
            *ret = tn_val_float(yyjson_get_real(y));
        } else if (yyjson_is_uint(y) && yyjson_get_uint(y) > (uint64_t)INT64_MAX) {
            *ret = tn_val_str(tn_str_printf(a, "%llu", (unsigned long long)yyjson_get_uint(y)));
            ret->tag = TN_BIGINT;
        } else {
            *ret = tn_val_int(yyjson_get_sint(y));
        }
        return TN_OK;
    case YYJSON_TYPE_STR:
        *ret = tn_val_str(tn_str_n(yyjson_get_str(y), yyjson_get_len(y)));
        return TN_OK;
    case YYJSON_TYPE_ARR:
        return json_array(a, y, depth, ret, err);
    case YYJSON_TYPE_OBJ:
        return json_object(a, y, depth, ret, err);
    default:
        return tn_fail(err, TN_E_BUG, "unknown kind of JSON value");
    }
}

/* Reads one value of `part`, a piece of `text`; *ret_used = bytes taken. *ret_cut: the text ended inside of the value. */
static tn_rc json_read(tn_arena *a, tn_str text, tn_str part, bool stop_when_done, tn_val *ret,
    size_t *ret_used, bool *ret_cut, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("json", NULL);
    yyjson_alc alc = {
        .malloc = json_alloc, .realloc = json_realloc, .free = json_free, .ctx = scratch
    };
    char *copy = tn_arena_alloc(a, tn_size_add(part.n, JSON_PAD));
    if (part.n > 0) {
        memcpy(copy, part.p, part.n);
    }
    memset(copy + part.n, 0, JSON_PAD);
    yyjson_read_err why;
    yyjson_doc *doc = yyjson_read_opts(
        copy, part.n, json_flags | (stop_when_done ? YYJSON_READ_STOP_WHEN_DONE : 0), &alc, &why);
    if (doc == NULL) {
        *ret_cut = why.code == YYJSON_READ_ERROR_UNEXPECTED_END ||
                   why.code == YYJSON_READ_ERROR_EMPTY_CONTENT;
        const char *msg = why.code == YYJSON_READ_ERROR_EMPTY_CONTENT ? "no value" : why.msg;
        return json_fail(text, (size_t)(part.p - text.p) + why.pos, msg, err);
    }
    *ret_used = yyjson_doc_get_read_size(doc);
    return json_value(a, yyjson_doc_get_root(doc), 1, ret, err);
}

tn_rc tn_json_parse(tn_arena *a, tn_str text, tn_val *ret, tn_err *err)
{
    if (text.n == 0) {
        return json_fail(text, 0, "no value", err);
    }
    size_t used;
    bool cut;
    return json_read(a, text, text, false, ret, &used, &cut, err);
}

/* A value normally ends with its line; reading only that far keeps the work linear. One that does not is read from the rest. */
tn_rc tn_json_parse_lines(tn_arena *a, tn_str text, tn_json_each_fn fn, void *self, tn_err *err)
{
    size_t at = 0;
    for (;;) {
        while (at < text.n && strchr(" \t\r\n", text.p[at]) != NULL && text.p[at] != '\0') {
            at++;
        }
        if (at >= text.n) {
            return TN_OK;
        }
        size_t end = tn_min_size(tn_str_find_char(text, '\n', at), text.n);
        tn_val v;
        size_t used = 0;
        bool cut = false;
        tn_err first = TN_ERR_INIT;
        tn_rc rc = json_read(a, text, tn_str_sub(text, at, end), true, &v, &used, &cut, &first);
        if (rc != TN_OK && cut && end < text.n) {
            rc = json_read(a, text, tn_str_sub(text, at, text.n), true, &v, &used, &cut, &first);
        }
        if (rc != TN_OK) {
            return tn_err_pass(err, rc, &first);
        }
        TN_TRY(fn(self, v, tn_str_trim(tn_str_sub(text, at, at + used)), err));
        at += used;
    }
}

/* ---- printing ---- */

static const char json_hex[] = "0123456789abcdef";

static void json_u16(tn_buf *b, uint32_t u)
{
    char s[6] = { '\\', 'u', json_hex[u >> 12 & 15], json_hex[u >> 8 & 15], json_hex[u >> 4 & 15],
        json_hex[u & 15] };
    tn_buf_add_n(b, s, sizeof s);
}

static void json_escape(tn_buf *b, unsigned char c)
{
    static const char shorts[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    const char *at = c == 0 ? NULL : strchr(shorts, c);
    if (at != NULL) {
        tn_buf_addc(b, '\\');
        tn_buf_addc(b, letters[at - shorts]);
    } else {
        json_u16(b, c);
    }
}

static void json_string(tn_buf *b, tn_str s, bool ascii)
{
    tn_buf_addc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || !ascii)) {
            i++;
            continue;
        }
        tn_buf_add_n(b, s.p + from, i - from);
        if (c < 0x80) {
            json_escape(b, c);
            i++;
        } else {
            uint32_t cp;
            i += tn_utf8_decode(tn_str_n(s.p + i, s.n - i), &cp);
            if (cp >= 0x10000) {
                json_u16(b, 0xd800 + ((cp - 0x10000) >> 10));
                json_u16(b, 0xdc00 + ((cp - 0x10000) & 0x3ff));
            } else {
                json_u16(b, cp);
            }
        }
        from = i;
    }
    if (from < s.n) {
        tn_buf_add_n(b, s.p + from, s.n - from);
    }
    tn_buf_addc(b, '"');
}

void tn_json_add_str(tn_buf *b, tn_str s)
{
    json_string(b, s, false);
}

typedef struct json_printer {
    tn_buf *b;
    tn_json_style style;
} json_printer;

static void json_print_value(const json_printer *p, tn_val v, int depth);

static void json_newline(const json_printer *p, int depth)
{
    if (p->style.indent > 0) {
        tn_buf_addc(p->b, '\n');
        tn_buf_add_repeat(p->b, ' ', (size_t)p->style.indent * (size_t)depth);
    }
}

static void json_separator(const json_printer *p, bool first, int depth)
{
    if (!first) {
        tn_buf_addz(p->b, p->style.py_separators && p->style.indent == 0 ? ", " : ",");
    }
    json_newline(p, depth);
}

static void json_float(tn_buf *b, double f, bool allow_nan)
{
    if (f != f) {
        tn_buf_addz(b, allow_nan ? "NaN" : "null");
    } else if (f > 1.7976931348623157e308 || f < -1.7976931348623157e308) {
        tn_buf_addz(b, !allow_nan ? "null" : f > 0 ? "Infinity" : "-Infinity");
    } else {
        tn_float_repr_to(b, f);
    }
}

/* A key as json.dumps spells it: strings as they are, True as "true", None as "null", numbers by their repr. */
static tn_str json_key_text(tn_arena *a, tn_val key)
{
    if (tn_val_is_str(key)) {
        return tn_val_as_str(key);
    }
    if (key.tag == TN_BOOL) {
        return key.i != 0 ? TN_STR("true") : TN_STR("false");
    }
    if (key.tag == TN_NONE) {
        return TN_STR("null");
    }
    return tn_val_to_str(a, key);
}

static void json_print_entry(const json_printer *p, tn_val key, tn_val value, bool first, int depth)
{
    json_separator(p, first, depth + 1);
    if (tn_val_is_str(key)) {
        json_string(p->b, tn_val_as_str(key), p->style.ascii);
    } else {
        TN_AUTO_ARENA scratch = tn_arena_new("json key", NULL);
        json_string(p->b, json_key_text(scratch, key), p->style.ascii);
    }
    tn_buf_addz(p->b, p->style.py_separators || p->style.indent > 0 ? ": " : ":");
    json_print_value(p, value, depth + 1);
}

typedef struct json_pair {
    tn_str text;
    const tn_dict_item *item;
} json_pair;

static int json_pair_cmp(const void *x, const void *y)
{
    return tn_str_cmp(((const json_pair *)x)->text, ((const json_pair *)y)->text);
}

static void json_print_sorted(const json_printer *p, const tn_dict *d, int depth)
{
    TN_AUTO_ARENA scratch = tn_arena_new("json keys", NULL);
    json_pair *pairs = tn_new_array(scratch, json_pair, d->live);
    size_t n = 0, at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(d, &at)) != NULL) {
        pairs[n++] = (json_pair){ json_key_text(scratch, it->key), it };
    }
    qsort(pairs, n, sizeof *pairs, json_pair_cmp);
    for (size_t i = 0; i < n; i++) {
        json_print_entry(p, pairs[i].item->key, pairs[i].item->value, i == 0, depth);
    }
}

static void json_print_dict(const json_printer *p, const tn_dict *d, int depth)
{
    if (d->live == 0) {
        tn_buf_addz(p->b, "{}");
        return;
    }
    tn_buf_addc(p->b, '{');
    if (p->style.sort_keys) {
        json_print_sorted(p, d, depth);
    } else {
        size_t at = 0;
        bool first = true;
        const tn_dict_item *it;
        while ((it = tn_dict_next(d, &at)) != NULL) {
            json_print_entry(p, it->key, it->value, first, depth);
            first = false;
        }
    }
    json_newline(p, depth);
    tn_buf_addc(p->b, '}');
}

static void json_print_list(const json_printer *p, const tn_list *l, int depth)
{
    if (l->n == 0) {
        tn_buf_addz(p->b, "[]");
        return;
    }
    tn_buf_addc(p->b, '[');
    for (size_t i = 0; i < l->n; i++) {
        json_separator(p, i == 0, depth + 1);
        json_print_value(p, l->v[i], depth + 1);
    }
    json_newline(p, depth);
    tn_buf_addc(p->b, ']');
}

static void json_print_set(const json_printer *p, const tn_dict *d, int depth)
{
    TN_AUTO_ARENA scratch = tn_arena_new("json set", NULL);
    tn_val list = tn_val_list(scratch);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(d, &at)) != NULL) {
        tn_list_push(list.list, it->key);
    }
    json_print_list(p, list.list, depth);
}

static void json_quoted_text(const json_printer *p, tn_val v)
{
    TN_AUTO_ARENA scratch = tn_arena_new("json text", NULL);
    tn_buf t = tn_buf_init(scratch, TN_BUF_NO_LIMIT);
    if (v.tag == TN_DATETIME || v.tag == TN_DATE || v.tag == TN_TIME) {
        tn_py_datetime(&t, v, 'T');
    } else {
        tn_val_str_to(&t, v);
    }
    json_string(p->b, tn_buf_str(&t), p->style.ascii);
}

static void json_print_value(const json_printer *p, tn_val v, int depth)
{
    switch ((tn_tag)v.tag) {
    case TN_UNDEF:
    case TN_NONE:
        tn_buf_addz(p->b, "null");
        break;
    case TN_BOOL:
        tn_buf_addz(p->b, v.i != 0 ? "true" : "false");
        break;
    case TN_INT:
        tn_buf_add_i64(p->b, v.i);
        break;
    case TN_FLOAT:
        json_float(p->b, v.f, p->style.allow_nan);
        break;
    case TN_BIGINT:
    case TN_DECIMAL:
        tn_buf_add(p->b, tn_val_as_str(v));
        break;
    case TN_STR_V:
    case TN_BYTES:
        json_string(p->b, tn_val_as_str(v), p->style.ascii);
        break;
    case TN_LIST:
    case TN_TUPLE:
        json_print_list(p, v.list, depth);
        break;
    case TN_DICT:
        json_print_dict(p, v.dict, depth);
        break;
    case TN_SET:
        json_print_set(p, v.dict, depth);
        break;
    case TN_DATE:
    case TN_DATETIME:
    case TN_TIME:
    case TN_DELTA:
    case TN_OBJ:
        json_quoted_text(p, v);
        break;
    }
}

void tn_json_print(tn_buf *b, tn_val v, const tn_json_style *style)
{
    json_printer p = { b, style != NULL ? *style : (tn_json_style){ 0 } };
    json_print_value(&p, v, 0);
}

/* ---- writer ---- */

tn_json_writer tn_json_writer_init(tn_buf *b, int indent)
{
    return (tn_json_writer){ .b = b, .indent = indent };
}

static void jw_break(tn_json_writer *w)
{
    if (w->indent > 0) {
        tn_buf_addc(w->b, '\n');
        tn_buf_add_repeat(w->b, ' ', (size_t)w->indent * (size_t)w->depth);
    }
}

/* Before every value or key: the comma of the last one and the line break; nothing right after a key. */
static void jw_before(tn_json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->need_comma) {
        tn_buf_addc(w->b, ',');
    }
    if (w->depth > 0) {
        jw_break(w);
    }
}

static void jw_open(tn_json_writer *w, char c)
{
    jw_before(w);
    tn_buf_addc(w->b, c);
    w->depth++;
    w->need_comma = false;
}

static void jw_close(tn_json_writer *w, char c)
{
    TN_CHECK(w->depth > 0 && !w->after_key);
    w->depth--;
    if (w->need_comma) {
        jw_break(w);
    }
    tn_buf_addc(w->b, c);
    w->need_comma = true;
}

void tn_jw_obj(tn_json_writer *w)
{
    jw_open(w, '{');
}

void tn_jw_obj_end(tn_json_writer *w)
{
    jw_close(w, '}');
}

void tn_jw_arr(tn_json_writer *w)
{
    jw_open(w, '[');
}

void tn_jw_arr_end(tn_json_writer *w)
{
    jw_close(w, ']');
}

void tn_jw_key_s(tn_json_writer *w, tn_str key)
{
    TN_DCHECK(!w->after_key);
    jw_before(w);
    tn_json_add_str(w->b, key);
    tn_buf_addz(w->b, w->indent > 0 ? ": " : ":");
    w->after_key = true;
    w->need_comma = true;
}

void tn_jw_key(tn_json_writer *w, const char *key)
{
    tn_jw_key_s(w, tn_str_of(key));
}

void tn_jw_str(tn_json_writer *w, tn_str s)
{
    jw_before(w);
    tn_json_add_str(w->b, s);
    w->need_comma = true;
}

void tn_jw_int(tn_json_writer *w, int64_t i)
{
    jw_before(w);
    tn_buf_add_i64(w->b, i);
    w->need_comma = true;
}

void tn_jw_float(tn_json_writer *w, double f)
{
    jw_before(w);
    json_float(w->b, f, false);
    w->need_comma = true;
}

void tn_jw_bool(tn_json_writer *w, bool v)
{
    tn_jw_raw(w, v ? TN_STR("true") : TN_STR("false"));
}

void tn_jw_null(tn_json_writer *w)
{
    tn_jw_raw(w, TN_STR("null"));
}

void tn_jw_raw(tn_json_writer *w, tn_str json)
{
    jw_before(w);
    tn_buf_add(w->b, json);
    w->need_comma = true;
}

void tn_jw_val(tn_json_writer *w, tn_val v)
{
    jw_before(w);
    json_printer p = { w->b, { .indent = w->indent } };
    json_print_value(&p, v, w->depth);
    w->need_comma = true;
}
