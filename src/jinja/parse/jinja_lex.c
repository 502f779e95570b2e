/* jinja_lex.c: Jinja2's lexer by hand. Its regular expressions are the specification:
 *
 *   outside      text up to the first of {% raw %}, {{, {#, {% ; a '-' after the brace strips the text before it
 *   in a tag     white space, float, integer, name, string, operator, in this order; the closing brace counts
 *                only while no bracket is open
 *   after -%}    white space is skipped; +%} is the same as %}; {%+ the same as {%
 *
 * White space is Python's (Unicode). The scan is linear: each byte is looked at a bounded number of times.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "jinja/parse/jinja_lex.h"

typedef struct lexer {
    tn_arena *a;
    tn_arena *scratch;
    tn_jinja_tmpl *t;
    tn_str s;
    size_t at;
    tn_jtoks *out;
    tn_err *err;
    char open[TN_JINJA_NEST_MAX]; /* brackets that wait to be closed: what closes them */
    size_t open_n;
} lexer;

const char *tn_jinja_tok_text(tn_jtok_kind kind)
{
    static const char *const texts[] = {
#define TN_JTOK(name, text) [TN_JTOK_##name] = (text),
        TN_JTOKS(TN_JTOK)
#undef TN_JTOK
    };
    return texts[kind];
}

tn_rc tn_jinja_syntax(const tn_jinja_tmpl *t, uint32_t pos, tn_err *err, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tn_rc rc = tn_fail(err, TN_E_SYNTAX, "%s", text);
    tn_jinja_err_at(t, pos, err);
    return rc;
}

bool tn_jinja_is_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x20) || cp == 0x85 || cp == 0xa0 ||
           cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 ||
           cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

static size_t skip_space(tn_str s, size_t at)
{
    while (at < s.n) {
        uint32_t cp = (unsigned char)s.p[at];
        size_t took = cp < 0x80 ? 1 : tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        if (!tn_jinja_is_space(cp)) {
            break;
        }
        at += took;
    }
    return at;
}

static tn_str strip_right(tn_str s)
{
    while (s.n > 0) {
        size_t from = s.n - 1;
        while (from > 0 && s.n - from < 4 && ((unsigned char)s.p[from] & 0xc0) == 0x80) {
            from--;
        }
        uint32_t cp = 0;
        size_t took = tn_utf8_decode(tn_str_sub(s, from, s.n), &cp);
        if (from + took != s.n || !tn_jinja_is_space(cp)) {
            break;
        }
        s.n = from;
    }
    return s;
}

static char peek(const lexer *l, size_t ahead)
{
    return l->at + ahead < l->s.n ? l->s.p[l->at + ahead] : '\0';
}

static bool at_text(const lexer *l, size_t at, const char *z)
{
    size_t n = strlen(z);
    return at + n <= l->s.n && memcmp(l->s.p + at, z, n) == 0;
}

static void push(lexer *l, tn_jtok_kind kind, size_t pos, tn_val v)
{
    tn_jtok tok = { .kind = (uint8_t)kind, .pos = (uint32_t)pos, .v = v };
    tn_vec_push(l->out, l->scratch, tok);
}

static void push_data(lexer *l, size_t from, size_t to, bool strip)
{
    tn_str text = tn_str_sub(l->s, from, to);
    if (strip) {
        text = strip_right(text);
    }
    if (text.n > 0) {
        push(l, TN_JTOK_DATA, from, tn_val_str(text));
    }
}

/* The end of `{% raw %}` at `at` (its opening brace), or 0 when it is another tag. */
static size_t raw_open(const lexer *l, size_t at)
{
    size_t p = at + 2;
    if (p < l->s.n && (l->s.p[p] == '-' || l->s.p[p] == '+')) {
        p++;
    }
    p = skip_space(l->s, p);
    if (!at_text(l, p, "raw")) {
        return 0;
    }
    p = skip_space(l->s, p + 3);
    if (at_text(l, p, "-%}")) {
        return skip_space(l->s, p + 3);
    }
    return at_text(l, p, "%}") ? p + 2 : 0;
}

/* The end of a closing `%}`, `-%}` or `+%}` (with brace 1 and 2), or 0. */
static size_t close_end(const lexer *l, size_t at, const char *close, bool plus)
{
    if (at_text(l, at, close)) {
        return at + 2;
    }
    if (at < l->s.n && (l->s.p[at] == '-' || (plus && l->s.p[at] == '+')) &&
        at_text(l, at + 1, close)) {
        return l->s.p[at] == '-' ? skip_space(l->s, at + 3) : at + 3;
    }
    return 0;
}

/* raw: data up to {% endraw %}. */
static tn_rc lex_raw(lexer *l, size_t open, size_t from)
{
    l->at = from;
    if (from >= l->s.n) { /* Jinja2 does not mind an opening at the very end, nor of a comment */
        return TN_OK;
    }
    for (size_t p = from; (p = tn_str_find(l->s, TN_STR("{%"), p)) != SIZE_MAX; p += 2) {
        size_t q = p + 2;
        bool strip = q < l->s.n && l->s.p[q] == '-';
        if (strip || (q < l->s.n && l->s.p[q] == '+')) {
            q++;
        }
        q = skip_space(l->s, q);
        if (!at_text(l, q, "endraw")) {
            continue;
        }
        size_t end = close_end(l, skip_space(l->s, q + 6), "%}", true);
        if (end != 0) {
            push_data(l, from, p, strip);
            l->at = end;
            return TN_OK;
        }
    }
    return tn_jinja_syntax(l->t, (uint32_t)open, l->err, "Missing end of raw directive");
}

static tn_rc lex_comment(lexer *l, size_t open)
{
    size_t p = open + 2;
    if (p < l->s.n && (l->s.p[p] == '-' || l->s.p[p] == '+')) {
        p++;
    }
    if (p >= l->s.n) {
        l->at = p;
        return TN_OK;
    }
    size_t end = tn_str_find(l->s, TN_STR("#}"), p);
    if (end == SIZE_MAX) {
        return tn_jinja_syntax(l->t, (uint32_t)open, l->err, "Missing end of comment tag");
    }
    bool strip = end > p && l->s.p[end - 1] == '-';
    l->at = strip ? skip_space(l->s, end + 2) : end + 2;
    return TN_OK;
}

/* ---- numbers ---- */

static bool is_digit(char c, unsigned base)
{
    unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                        : 99u;
    return d < base;
}

/* (\d+_)*\d+ from p: its end, or p when there is none. */
static size_t digits(const lexer *l, size_t p)
{
    size_t end = p;
    while (p < l->s.n && is_digit(l->s.p[p], 10)) {
        end = ++p;
        if (p + 1 < l->s.n && l->s.p[p] == '_' && is_digit(l->s.p[p + 1], 10)) {
            p++;
        }
    }
    return end;
}

static size_t float_end(const lexer *l, size_t from)
{
    if (from > 0 && l->s.p[from - 1] == '.') {
        return 0;
    }
    size_t whole = digits(l, from);
    if (whole == from) {
        return 0;
    }
    size_t end = 0, p = whole;
    if (p < l->s.n && l->s.p[p] == '.') {
        size_t frac = digits(l, p + 1);
        if (frac > p + 1) {
            end = p = frac;
        }
    }
    if (p < l->s.n && (l->s.p[p] == 'e' || l->s.p[p] == 'E')) {
        size_t q = p + 1;
        if (q < l->s.n && (l->s.p[q] == '+' || l->s.p[q] == '-')) {
            q++;
        }
        size_t exponent = digits(l, q);
        if (exponent > q) {
            end = exponent;
        }
    }
    return end;
}

static size_t int_end(const lexer *l, size_t from, unsigned *base)
{
    char c = l->s.p[from], x = from + 1 < l->s.n ? (char)(l->s.p[from + 1] | 0x20) : '\0';
    *base = c != '0' ? 10 : x == 'b' ? 2 : x == 'o' ? 8 : x == 'x' ? 16 : 10;
    size_t p = from + (*base == 10 ? 0 : 2);
    unsigned range = *base == 10 && c == '0' ? 1 : *base; /* 0(_?0)* */
    size_t end = 0;
    for (;;) {
        size_t q = p;
        if (q < l->s.n && l->s.p[q] == '_' && q > from) {
            q++;
        }
        if (q >= l->s.n || !is_digit(l->s.p[q], range)) {
            break;
        }
        end = p = q + 1;
    }
    if (end == 0 && *base != 10) { /* "0x" alone: the zero is a number, the rest a name */
        *base = 10;
        return from + 1;
    }
    return end;
}

static tn_str without_underscores(tn_arena *a, tn_str s)
{
    char *p = tn_arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '_') {
            p[n++] = s.p[i];
        }
    }
    p[n] = '\0';
    return tn_str_n(p, n);
}

/* Digits of any base, as decimal text: long multiplication, for numbers of more than 63 bits. */
static tn_str to_decimal(tn_arena *a, tn_str s, unsigned base)
{
    size_t cap = s.n * 2 + 2;
    unsigned char *dec = tn_arena_zalloc(a, cap); /* least digit first */
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        unsigned carry = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
        for (size_t k = 0; k < n || carry > 0; k++) {
            unsigned v = (k < n ? dec[k] : 0u) * base + carry;
            dec[k] = (unsigned char)(v % 10);
            carry = v / 10;
            n = k + 1 > n ? k + 1 : n;
        }
    }
    while (n > 1 && dec[n - 1] == 0) {
        n--;
    }
    char *p = tn_arena_alloc(a, n + 1);
    for (size_t i = 0; i < n; i++) {
        p[i] = (char)('0' + dec[n - 1 - i]);
    }
    p[n] = '\0';
    return tn_str_n(p, n);
}

enum { NUMBER_DIGITS_MAX = 4300 }; /* Python's own limit for int() of a text */

static tn_rc lex_number(lexer *l)
{
    size_t from = l->at, end = float_end(l, from);
    if (end != 0) {
        double f = 0;
        if (!tn_str_to_f64(without_underscores(l->scratch, tn_str_sub(l->s, from, end)), &f)) {
            f = HUGE_VAL;
        }
        push(l, TN_JTOK_FLOAT, from, tn_val_float(f));
        l->at = end;
        return TN_OK;
    }
    unsigned base = 10;
    end = int_end(l, from, &base);
    tn_str text =
        without_underscores(l->scratch, tn_str_sub(l->s, from + (base == 10 ? 0 : 2), end));
    if (text.n > NUMBER_DIGITS_MAX) {
        return tn_jinja_syntax(
            l->t, (uint32_t)from, l->err, "the number has more than %d digits", NUMBER_DIGITS_MAX);
    }
    tn_str decimal = base == 10 ? text : to_decimal(l->scratch, text, base);
    while (decimal.n > 1 && decimal.p[0] == '0') {
        decimal = tn_str_sub(decimal, 1, decimal.n);
    }
    int64_t i = 0;
    tn_val v = { .tag = TN_INT };
    if (tn_str_to_i64(decimal, &i)) {
        v.i = i;
    } else {
        decimal = tn_str_dup(l->a, decimal);
        v = (tn_val){ .tag = TN_BIGINT, .n = (uint32_t)decimal.n, .s = decimal.p };
    }
    push(l, TN_JTOK_INT, from, v);
    l->at = end;
    return TN_OK;
}

/* ---- strings: Python's "unicode-escape" ---- */

static void add_cp(tn_buf *b, uint32_t cp)
{
    char out[4];
    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
        cp = 0xfffd;
    }
    tn_buf_add_n(b, out, tn_utf8_encode(cp, out));
}

/* Up to `max` digits of the base from *p; how many there were. */
static size_t read_digits(tn_str s, size_t *p, size_t max, unsigned base, uint32_t *ret)
{
    size_t n = 0;
    *ret = 0;
    while (n < max && *p < s.n && is_digit(s.p[*p], base)) {
        char c = s.p[(*p)++];
        *ret = *ret * base + (c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10));
        n++;
    }
    return n;
}

/* What follows a backslash at *p; a message when it is malformed. */
static const char *unescape_one(tn_buf *b, tn_str s, size_t *p)
{
    static const char from[] = "\\'\"abfnrtv";
    static const char to[] = "\\'\"\a\b\f\n\r\t\v";
    char c = s.p[*p];
    const char *known = c != '\0' ? strchr(from, c) : NULL;
    uint32_t cp = 0;
    if (c == '\n') {
        ++*p;
    } else if (known != NULL) {
        tn_buf_addc(b, to[known - from]);
        ++*p;
    } else if (c >= '0' && c <= '7') {
        read_digits(s, p, 3, 8, &cp);
        add_cp(b, cp);
    } else if (c == 'x' || c == 'u' || c == 'U') {
        size_t want = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        ++*p;
        if (read_digits(s, p, want, 16, &cp) != want) {
            return c == 'x'   ? "truncated \\xXX escape"
                   : c == 'u' ? "truncated \\uXXXX escape"
                              : "truncated \\UXXXXXXXX escape";
        }
        if (cp > 0x10ffff) {
            return "illegal Unicode character";
        }
        add_cp(b, cp);
    } else if (c == 'N') {
        return "named Unicode escapes (\\N{...}) are not supported, write \\uXXXX";
    } else if ((unsigned char)c >= 0x80) { /* Python escapes it before it sees the backslash */
        *p += tn_utf8_decode(tn_str_sub(s, *p, s.n), &cp);
        tn_buf_addf(b, cp <= 0xff ? "\\x%02x" : cp <= 0xffff ? "\\u%04x" : "\\U%08x", cp);
    } else {
        tn_buf_addc(b, '\\');
    }
    return NULL;
}

static tn_rc lex_string(lexer *l)
{
    size_t from = l->at, p = from + 1;
    char quote = l->s.p[from];
    bool escaped = false;
    while (p < l->s.n && l->s.p[p] != quote) {
        bool back = l->s.p[p] == '\\';
        escaped |= back;
        p += back ? 2 : 1;
    }
    if (p >= l->s.n) {
        return tn_jinja_syntax(l->t, (uint32_t)from, l->err,
            "unexpected char \"%c\" at %zu: the string is not closed", quote, from);
    }
    tn_str body = tn_str_sub(l->s, from + 1, p);
    if (escaped) {
        tn_buf b = tn_buf_init(l->a, TN_BUF_NO_LIMIT);
        for (size_t i = 0; i < body.n;) {
            if (body.p[i] != '\\') {
                tn_buf_addc(&b, body.p[i++]);
                continue;
            }
            i++;
            const char *wrong = unescape_one(&b, body, &i);
            if (wrong != NULL) {
                return tn_jinja_syntax(l->t, (uint32_t)from, l->err, "%s", wrong);
            }
        }
        body = tn_buf_str(&b);
    }
    push(l, TN_JTOK_STRING, from, tn_val_str(body));
    l->at = p + 1;
    return TN_OK;
}

/* ---- tags ---- */

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static tn_rc lex_operator(lexer *l)
{
    static const struct {
        char text[3];
        uint8_t kind;
    } ops[] = {
        { "//", TN_JTOK_FLOORDIV },
        { "**", TN_JTOK_POW },
        { "==", TN_JTOK_EQ },
        { "!=", TN_JTOK_NE },
        { ">=", TN_JTOK_GE },
        { "<=", TN_JTOK_LE },
        { "+", TN_JTOK_ADD },
        { "-", TN_JTOK_SUB },
        { "/", TN_JTOK_DIV },
        { "*", TN_JTOK_MUL },
        { "%", TN_JTOK_MOD },
        { "~", TN_JTOK_TILDE },
        { "[", TN_JTOK_LBRACKET },
        { "]", TN_JTOK_RBRACKET },
        { "(", TN_JTOK_LPAREN },
        { ")", TN_JTOK_RPAREN },
        { "{", TN_JTOK_LBRACE },
        { "}", TN_JTOK_RBRACE },
        { ">", TN_JTOK_GT },
        { "<", TN_JTOK_LT },
        { "=", TN_JTOK_ASSIGN },
        { ".", TN_JTOK_DOT },
        { ":", TN_JTOK_COLON },
        { "|", TN_JTOK_PIPE },
        { ",", TN_JTOK_COMMA },
        { ";", TN_JTOK_SEMICOLON },
    };
    char c = peek(l, 0);
    for (size_t i = 0; i < TN_COUNTOF(ops); i++) {
        if (!at_text(l, l->at, ops[i].text)) {
            continue;
        }
        if (c == '(' || c == '[' || c == '{') {
            if (l->open_n == TN_JINJA_NEST_MAX) {
                tn_rc rc = tn_fail(
                    l->err, TN_E_LIMIT, "brackets are nested more than %d deep", TN_JINJA_NEST_MAX);
                tn_jinja_err_at(l->t, (uint32_t)l->at, l->err);
                return rc;
            }
            l->open[l->open_n++] = c == '(' ? ')' : c == '[' ? ']' : '}';
        } else if (c == ')' || c == ']' || c == '}') {
            if (l->open_n == 0) {
                return tn_jinja_syntax(l->t, (uint32_t)l->at, l->err, "unexpected '%c'", c);
            }
            char want = l->open[--l->open_n];
            if (want != c) {
                return tn_jinja_syntax(
                    l->t, (uint32_t)l->at, l->err, "unexpected '%c', expected '%c'", c, want);
            }
        }
        push(l, ops[i].kind, l->at, TN_VAL_NONE);
        l->at += strlen(ops[i].text);
        return TN_OK;
    }
    return tn_jinja_syntax(l->t, (uint32_t)l->at, l->err, "unexpected char '%c' at %zu", c, l->at);
}

/* Tokens of a tag up to its closing brace; close NULL: to the end of the text. */
static tn_rc lex_tag(lexer *l, const char *close, tn_jtok_kind end_kind)
{
    l->open_n = 0;
    for (;;) {
        if (close != NULL && l->open_n == 0) {
            size_t end = close_end(l, l->at, close, end_kind == TN_JTOK_BLOCK_END);
            if (end != 0) {
                push(l, end_kind, l->at, TN_VAL_NONE);
                l->at = end;
                return TN_OK;
            }
        }
        l->at = skip_space(l->s, l->at);
        if (l->at >= l->s.n) {
            return TN_OK; /* the parser says what is missing */
        }
        if (close != NULL && l->open_n == 0 &&
            close_end(l, l->at, close, end_kind == TN_JTOK_BLOCK_END) != 0) {
            continue;
        }
        char c = peek(l, 0);
        if (is_digit(c, 10)) {
            TN_TRY(lex_number(l));
        } else if (c == '\'' || c == '"') {
            TN_TRY(lex_string(l));
        } else if (is_name_byte(c)) {
            size_t from = l->at;
            while (l->at < l->s.n && is_name_byte(l->s.p[l->at])) {
                l->at++;
            }
            push(l, TN_JTOK_NAME, from, tn_val_str(tn_str_sub(l->s, from, l->at)));
        } else {
            TN_TRY(lex_operator(l));
        }
    }
}

static tn_rc lex_root(lexer *l)
{
    while (l->at < l->s.n) {
        size_t from = l->at, p = from;
        while ((p = tn_str_find_char(l->s, '{', p)) != SIZE_MAX) {
            char c = p + 1 < l->s.n ? l->s.p[p + 1] : '\0';
            if (c == '{' || c == '%' || c == '#') {
                break;
            }
            p++;
        }
        if (p == SIZE_MAX) {
            push_data(l, from, l->s.n, false);
            return TN_OK;
        }
        char kind = l->s.p[p + 1], sign = p + 2 < l->s.n ? l->s.p[p + 2] : '\0';
        push_data(l, from, p, sign == '-');
        size_t raw = kind == '%' ? raw_open(l, p) : 0;
        l->at = p + 2 + (sign == '-' || sign == '+' ? 1 : 0);
        if (raw != 0) {
            TN_TRY(lex_raw(l, p, raw));
        } else if (kind == '#') {
            TN_TRY(lex_comment(l, p));
        } else if (kind == '%') {
            push(l, TN_JTOK_BLOCK_BEGIN, p, TN_VAL_NONE);
            TN_TRY(lex_tag(l, "%}", TN_JTOK_BLOCK_END));
        } else {
            push(l, TN_JTOK_VAR_BEGIN, p, TN_VAL_NONE);
            TN_TRY(lex_tag(l, "}}", TN_JTOK_VAR_END));
        }
    }
    return TN_OK;
}

tn_rc tn_jinja_lex(
    tn_arena *a, tn_arena *scratch, tn_jinja_tmpl *t, bool expr, tn_jtoks *ret, tn_err *err)
{
    lexer l = { .a = a, .scratch = scratch, .t = t, .s = t->text, .out = ret, .err = err };
    TN_TRY(expr ? lex_tag(&l, NULL, TN_JTOK_EOF) : lex_root(&l));
    push(&l, TN_JTOK_EOF, l.s.n, TN_VAL_NONE);
    return TN_OK;
}
