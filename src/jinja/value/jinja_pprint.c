/* jinja_pprint.c: Python's pprint.pformat: one line while it fits into the width, else one element a line; dicts sorted. */
#include "base/buf.h"
#include "jinja/value/jinja_lib.h"

enum { DEPTH_MAX = 200 };

typedef struct printer {
    tn_arena *a;
    tn_buf *out;
    int64_t width;
} printer;

/* Keys of a dict or set in order; as they come when they cannot be compared. */
static const tn_list *sorted_keys(tn_arena *a, tn_val v)
{
    const tn_list *l = NULL;
    tn_rc rc = tn_jlib_items(a, v, &l, NULL);
    TN_CHECK(rc == TN_OK);
    tn_val *copy = tn_new_array(a, tn_val, l->n + 1);
    if (l->n > 0) {
        memcpy(copy, l->v, l->n * sizeof *copy);
    }
    tn_val sorted = tn_val_tuple(a, copy, l->n);
    if (tn_jlib_sort(a, copy, NULL, l->n, false, NULL) == TN_OK) {
        sorted = tn_val_tuple(a, copy, l->n);
    }
    return sorted.list;
}

static void add_repr(tn_arena *a, tn_buf *b, tn_val v, int depth)
{
    bool dict = v.tag == TN_DICT, set = v.tag == TN_SET;
    if (depth > DEPTH_MAX || (!dict && !set && v.tag != TN_LIST && v.tag != TN_TUPLE) ||
        (set && v.dict->live == 0)) {
        tn_val_repr_to(b, v);
        return;
    }
    const tn_list *l = dict || set ? sorted_keys(a, v) : v.list;
    tn_buf_addc(b, v.tag == TN_LIST ? '[' : v.tag == TN_TUPLE ? '(' : '{');
    for (size_t i = 0; i < l->n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        add_repr(a, b, l->v[i], depth + 1);
        if (dict) {
            tn_buf_addz(b, ": ");
            add_repr(a, b, *tn_dict_find(v.dict, l->v[i]), depth + 1);
        }
    }
    tn_buf_addz(b, v.tag == TN_TUPLE && l->n == 1 ? "," : "");
    tn_buf_addc(b, v.tag == TN_LIST ? ']' : v.tag == TN_TUPLE ? ')' : '}');
}

static tn_str repr_of(tn_arena *a, tn_val v)
{
    tn_buf b = tn_buf_init(a, TN_JLIB_TEXT_MAX);
    add_repr(a, &b, v, 0);
    return tn_buf_str(&b);
}

static void format(printer *p, tn_val v, int64_t indent, int64_t allowance, int level);

static void new_line(printer *p, int64_t indent)
{
    tn_buf_addc(p->out, '\n');
    tn_buf_add_repeat(p->out, ' ', (size_t)indent);
}

/* "\S*\s*" from at on. */
static size_t part_end(tn_str s, size_t at)
{
    uint32_t cp;
    bool space = false;
    while (at < s.n) {
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        if (space && !tn_uni_is_space(cp)) {
            break;
        }
        space = space || tn_uni_is_space(cp);
        at += n;
    }
    return at;
}

static void cut_line(
    printer *p, tn_str line, bool last_line, int64_t width, int64_t allowance, tn_list *chunks)
{
    size_t start = 0, at = 0;
    while (at < line.n) {
        size_t end = part_end(line, at);
        int64_t room = end == line.n && last_line ? width - allowance : width;
        tn_str candidate = repr_of(p->a, tn_val_str(tn_str_sub(line, start, end)));
        if ((int64_t)tn_utf8_len(candidate) > room) {
            if (at > start) {
                tn_list_push(
                    chunks, tn_val_str(repr_of(p->a, tn_val_str(tn_str_sub(line, start, at)))));
            }
            start = at;
        }
        at = end;
    }
    if (at > start) {
        tn_list_push(chunks, tn_val_str(repr_of(p->a, tn_val_str(tn_str_sub(line, start, at)))));
    }
}

static void format_str(printer *p, tn_val v, int64_t indent, int64_t allowance, int level)
{
    tn_list *lines = tn_jlib_list_new(p->a), *chunks = tn_jlib_list_new(p->a);
    tn_rc rc = tn_jlib_splitlines(p->a, tn_val_as_str(v), true, lines);
    TN_CHECK(rc == TN_OK);
    if (level == 1) {
        indent++;
        allowance++;
    }
    int64_t width = p->width - indent;
    for (size_t i = 0; i < lines->n; i++) {
        bool last = i + 1 == lines->n;
        tn_str rep = repr_of(p->a, lines->v[i]);
        if ((int64_t)tn_utf8_len(rep) <= width - (last ? allowance : 0)) {
            tn_list_push(chunks, tn_val_str(rep));
        } else {
            cut_line(p, tn_val_as_str(lines->v[i]), last, width, allowance, chunks);
        }
    }
    if (chunks->n <= 1) {
        tn_buf_add(p->out, repr_of(p->a, v));
        return;
    }
    tn_buf_addz(p->out, level == 1 ? "(" : "");
    for (size_t i = 0; i < chunks->n; i++) {
        if (i > 0) {
            new_line(p, indent);
        }
        tn_buf_add(p->out, tn_val_as_str(chunks->v[i]));
    }
    tn_buf_addz(p->out, level == 1 ? ")" : "");
}

static void format_items(printer *p, tn_val v, int64_t indent, int64_t allowance, int level)
{
    bool dict = v.tag == TN_DICT;
    const tn_list *l = dict || v.tag == TN_SET ? sorted_keys(p->a, v) : v.list;
    const char *close = v.tag == TN_LIST ? "]" : v.tag == TN_TUPLE ? (l->n == 1 ? ",)" : ")") : "}";
    tn_buf_addc(p->out, v.tag == TN_LIST ? '[' : v.tag == TN_TUPLE ? '(' : '{');
    indent++;
    allowance += (int64_t)strlen(close);
    for (size_t i = 0; i < l->n; i++) {
        bool last = i + 1 == l->n;
        int64_t at = indent;
        if (i > 0) {
            tn_buf_addc(p->out, ',');
            new_line(p, indent);
        }
        if (dict) {
            tn_str key = repr_of(p->a, l->v[i]);
            tn_buf_add(p->out, key);
            tn_buf_addz(p->out, ": ");
            at += (int64_t)tn_utf8_len(key) + 2;
        }
        format(p, dict ? *tn_dict_find(v.dict, l->v[i]) : l->v[i], at, last ? allowance : 1, level);
    }
    tn_buf_addz(p->out, close);
}

static void format(printer *p, tn_val v, int64_t indent, int64_t allowance, int level)
{
    tn_str rep = repr_of(p->a, v);
    bool wide = (int64_t)tn_utf8_len(rep) > p->width - indent - allowance && level < DEPTH_MAX;
    if (wide && v.tag == TN_STR_V && v.n > 0) {
        format_str(p, v, indent, allowance, level + 1);
    } else if (wide && (v.tag == TN_LIST || v.tag == TN_TUPLE || v.tag == TN_DICT ||
                           (v.tag == TN_SET && v.dict->live > 0))) {
        format_items(p, v, indent, allowance, level + 1);
    } else {
        tn_buf_add(p->out, rep);
    }
}

void tn_jlib_pprint(tn_buf *b, tn_val v, int width)
{
    TN_AUTO_ARENA a = tn_arena_new("pprint", NULL);
    printer p = { .a = a, .out = b, .width = width };
    format(&p, v, 0, 0, 0);
}

void tn_jinja_pprint(tn_buf *b, tn_val v, int width)
{
    tn_jlib_pprint(b, v, width);
}
