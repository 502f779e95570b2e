/* jinja_literal.c: ast.literal_eval of Python: text that is one literal becomes its value.
 *
 *     top     := tuple | item ;  tuple := item ("," item)* [","]
 *     item    := ["+" | "-"] number | string+ | "None" | "True" | "False" | "set" "(" ")"
 *              | "[" items "]" | "(" tuple? ")" | "{" (item ":" item, ...)? "}" | "{" items "}"
 *
 * Complex numbers and ... are refused, although Python knows them: no template means them. */
#include "base/buf.h"
#include "jinja/value/jinja_lib.h"

enum { DEPTH_MAX = 100 };

typedef struct reader {
    tn_arena *a;
    tn_str s;
    size_t at;
    int depth; /* nested values */
    int open;  /* brackets: inside of them, line ends are blanks */
} reader;

static bool item(reader *r, tn_val *ret);

static char peek(const reader *r)
{
    return r->at < r->s.n ? r->s.p[r->at] : 0;
}

static void skip_blank(reader *r)
{
    while (r->at < r->s.n) {
        char c = r->s.p[r->at];
        if (c == '#') {
            while (r->at < r->s.n && r->s.p[r->at] != '\n') {
                r->at++;
            }
        } else if (c == ' ' || c == '\t' || c == '\f' ||
                   (r->open > 0 && (c == '\n' || c == '\r'))) {
            r->at++;
        } else if (c == '\\' && r->at + 1 < r->s.n && r->s.p[r->at + 1] == '\n') {
            r->at += 2;
        } else {
            return;
        }
    }
}

static bool take(reader *r, char c)
{
    skip_blank(r);
    if (peek(r) != c || r->at >= r->s.n) {
        return false;
    }
    r->at++;
    return true;
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* ---- numbers ---- */
static bool number(reader *r, tn_val *ret)
{
    size_t start = r->at;
    bool radix =
        peek(r) == '0' && r->at + 1 < r->s.n && strchr("xXoObB", r->s.p[r->at + 1]) != NULL;
    bool floating = false;
    while (r->at < r->s.n) {
        char c = r->s.p[r->at];
        bool exponent_sign = !radix && (c == '+' || c == '-') && r->at > start &&
                             (r->s.p[r->at - 1] == 'e' || r->s.p[r->at - 1] == 'E');
        if (!name_char(c) && c != '.' && !exponent_sign) {
            break;
        }
        floating = floating || (!radix && (c == '.' || c == 'e' || c == 'E'));
        r->at++;
    }
    tn_str s = tn_str_sub(r->s, start, r->at);
    double f = 0;
    if (floating) {
        if (s.n > 0 && (name_char(s.p[0]) || s.p[0] == '.') && !(s.p[0] >= 'a' && s.p[0] <= 'z') &&
            tn_jlib_float_of_text(s, &f)) {
            *ret = tn_val_float(f);
            return true;
        }
        return false;
    }
    return s.n <= 4300 && tn_jlib_int_of_text(r->a, s, 0, ret);
}

static bool signed_number(reader *r, bool neg, tn_val *ret)
{
    tn_val v;
    skip_blank(r);
    if (take(r, '(')) {
        r->open++;
        bool good = ++r->depth < DEPTH_MAX && signed_number(r, neg, ret) && take(r, ')');
        r->open--;
        r->depth--;
        return good;
    }
    char c = peek(r);
    if (!(c >= '0' && c <= '9') && c != '.') {
        return false;
    }
    if (!number(r, &v)) {
        return false;
    }
    tn_jinja_ctx ctx = { .arena = r->a };
    return neg ? tn_jinja_negate(&ctx, v, ret, NULL) == TN_OK : (*ret = v, true);
}

/* ---- strings ---- */
typedef struct prefix {
    bool raw, bytes;
    size_t n; /* of characters */
} prefix;

/* r, b, u, rb, ... right before a quote. */
static bool string_prefix(const reader *r, prefix *ret)
{
    prefix p = { 0 };
    bool unicode = false;
    for (size_t at = r->at; at < r->s.n && p.n < 3; at++, p.n++) {
        char c = r->s.p[at];
        if (c == '\'' || c == '"') {
            *ret = p;
            return true;
        }
        if ((c == 'r' || c == 'R') && !p.raw && !unicode) {
            p.raw = true;
        } else if ((c == 'b' || c == 'B') && !p.bytes && !unicode) {
            p.bytes = true;
        } else if ((c == 'u' || c == 'U') && p.n == 0) {
            unicode = true;
        } else {
            return false;
        }
    }
    return false;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool hex_digits(reader *r, size_t n, uint32_t *ret)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++, r->at++) {
        int d = hex(peek(r));
        if (d < 0) {
            return false;
        }
        v = v * 16 + (uint32_t)d;
    }
    *ret = v;
    return true;
}

static void add_code(tn_buf *b, uint32_t cp, bool bytes)
{
    char out[4];
    if (bytes) {
        tn_buf_addc(b, (char)(unsigned char)cp);
    } else {
        tn_buf_add_n(b, out, tn_utf8_encode(cp, out));
    }
}

/* After the backslash. */
static bool escape(reader *r, tn_buf *b, bool bytes)
{
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    char c = peek(r);
    const char *simple = c != 0 ? strchr(from, c) : NULL;
    uint32_t cp = 0;
    if (r->at >= r->s.n) {
        return false;
    }
    r->at++;
    if (simple != NULL) {
        tn_buf_addc(b, to[simple - from]);
        return true;
    }
    if (c == '\n') {
        return true;
    }
    if (c >= '0' && c <= '7') {
        cp = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && peek(r) >= '0' && peek(r) <= '7'; i++) {
            cp = cp * 8 + (uint32_t)(r->s.p[r->at++] - '0');
        }
        add_code(b, cp, bytes);
        return true;
    }
    if (c == 'x' || (!bytes && (c == 'u' || c == 'U'))) {
        if (!hex_digits(r, c == 'x' ? 2 : c == 'u' ? 4 : 8, &cp) || cp > 0x10ffff) {
            return false;
        }
        add_code(b, cp, bytes);
        return true;
    }
    if (c == 'N' && !bytes) {
        return false; /* names of characters are not known here */
    }
    tn_buf_addc(b, '\\');
    tn_buf_addc(b, c);
    return true;
}

static bool one_string(reader *r, prefix p, tn_buf *b)
{
    r->at += p.n;
    char quote = r->s.p[r->at++];
    bool triple = r->at + 1 < r->s.n && r->s.p[r->at] == quote && r->s.p[r->at + 1] == quote;
    r->at += triple ? 2 : 0;
    while (r->at < r->s.n) {
        char c = r->s.p[r->at];
        if (c == quote && !triple) {
            r->at++;
            return true;
        }
        if (c == quote && r->at + 2 < r->s.n && r->s.p[r->at + 1] == quote &&
            r->s.p[r->at + 2] == quote) {
            r->at += 3;
            return true;
        }
        if ((c == '\n' && !triple) || c == 0 || (p.bytes && (unsigned char)c >= 0x80)) {
            return false;
        }
        r->at++;
        if (c != '\\') {
            tn_buf_addc(b, c);
        } else if (p.raw) {
            tn_buf_addc(b, c);
            if (r->at < r->s.n) {
                tn_buf_addc(b, r->s.p[r->at++]);
            }
        } else if (!escape(r, b, p.bytes)) {
            return false;
        }
    }
    return false;
}

/* One after another: 'a' "b" is 'ab'. */
static bool strings(reader *r, prefix p, tn_val *ret)
{
    tn_buf b = tn_buf_init(r->a, TN_JLIB_TEXT_MAX);
    prefix next = p;
    do {
        if (next.bytes != p.bytes || !one_string(r, next, &b)) {
            return false;
        }
        skip_blank(r);
    } while (string_prefix(r, &next));
    tn_str s;
    if (tn_buf_finish(&b, "a literal", &s, NULL) != TN_OK) {
        return false;
    }
    *ret = tn_val_str(s);
    ret->tag = p.bytes ? TN_BYTES : TN_STR_V;
    return true;
}

/* ---- containers ---- */
/* Items up to the closing bracket; *ret_comma: there was at least one comma. */
static bool items(reader *r, tn_list *l, char close, bool *ret_comma)
{
    *ret_comma = false;
    while (!take(r, close)) {
        tn_val v;
        if ((l->n > 0 && !*ret_comma) || !item(r, &v)) {
            return false;
        }
        tn_list_push(l, v);
        if (take(r, ',')) {
            *ret_comma = true;
        } else {
            return take(r, close);
        }
    }
    return true;
}

static bool dict_or_set(reader *r, tn_val *ret)
{
    tn_val key, value, d = tn_val_dict(r->a), set = tn_val_set(r->a);
    bool is_set = false;
    for (bool first = true; !take(r, '}'); first = false) {
        if (!item(r, &key) || !tn_val_hashable(key)) {
            return false;
        }
        bool colon = take(r, ':');
        if (first) {
            is_set = !colon;
        }
        if (colon == is_set) {
            return false;
        }
        if (is_set) {
            tn_dict_put(set.dict, key, TN_VAL_NONE);
        } else if (item(r, &value)) {
            tn_dict_put(d.dict, key, value);
        } else {
            return false;
        }
        if (!take(r, ',')) {
            if (!take(r, '}')) {
                return false;
            }
            break;
        }
    }
    *ret = is_set ? set : d;
    return true;
}

static bool container(reader *r, char open, tn_val *ret)
{
    tn_val l = tn_val_list(r->a);
    bool comma;
    if (open == '{') {
        return dict_or_set(r, ret);
    }
    if (!items(r, l.list, open == '[' ? ']' : ')', &comma)) {
        return false;
    }
    *ret = open == '['                ? l
           : l.list->n == 1 && !comma ? l.list->v[0]
                                      : tn_val_tuple(r->a, l.list->v, l.list->n);
    return true;
}

static bool name(reader *r, tn_val *ret)
{
    size_t start = r->at;
    while (r->at < r->s.n && name_char(r->s.p[r->at])) {
        r->at++;
    }
    tn_str s = tn_str_sub(r->s, start, r->at);
    if (tn_str_is(s, "None")) {
        *ret = TN_VAL_NONE;
    } else if (tn_str_is(s, "True") || tn_str_is(s, "False")) {
        *ret = tn_val_bool(s.n == 4);
    } else if (tn_str_is(s, "set") && take(r, '(') && take(r, ')')) {
        *ret = tn_val_set(r->a);
    } else {
        return false;
    }
    return true;
}

static bool item(reader *r, tn_val *ret)
{
    prefix p;
    skip_blank(r);
    char c = peek(r);
    if (c == '+' || c == '-') {
        r->at++;
        return signed_number(r, c == '-', ret);
    }
    if ((c >= '0' && c <= '9') || c == '.') {
        return number(r, ret);
    }
    if (string_prefix(r, &p)) {
        return strings(r, p, ret);
    }
    if (c == '[' || c == '(' || c == '{') {
        if (r->depth >= DEPTH_MAX) {
            return false;
        }
        r->at++;
        r->depth++;
        r->open++;
        bool good = container(r, c, ret);
        r->depth--;
        r->open--;
        return good;
    }
    return name(r, ret);
}

bool tn_jinja_literal_eval(tn_arena *a, tn_str text, tn_val *ret)
{
    reader r = { .a = a, .s = text };
    tn_val v;
    if (!item(&r, &v)) {
        return false;
    }
    if (take(&r, ',')) {
        tn_val l = tn_val_list(a);
        tn_list_push(l.list, v);
        for (;;) {
            skip_blank(&r);
            if (r.at >= r.s.n || peek(&r) == '\n' || !item(&r, &v)) {
                break;
            }
            tn_list_push(l.list, v);
            if (!take(&r, ',')) {
                break;
            }
        }
        v = tn_val_tuple(a, l.list->v, l.list->n);
    }
    r.open = 1; /* line ends may follow */
    skip_blank(&r);
    if (r.at != r.s.n) {
        return false;
    }
    *ret = v;
    return true;
}
