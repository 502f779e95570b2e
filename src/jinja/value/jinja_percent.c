/* jinja_percent.c: '...' % values, Python's printf-style formatting.
 *
 *     % [(name)] [#0- +]* [width | *] [. (precision | *)] [hlL] type */
#include <math.h>

#include "base/buf.h"
#include "jinja/value/jinja_lib.h"
#include "jinja/value/jinja_num.h"

enum { WIDTH_MAX = 1000000, PRECISION_MAX = 10000 };

typedef struct percent {
    tn_jinja_ctx *ctx;
    tn_err *err;
    tn_str fmt;
    size_t at;
    tn_val args;
    size_t next; /* of a tuple */
    bool used;   /* a value that is no tuple has been taken */
    bool by_name;
} percent;

typedef struct conversion {
    bool left, zero, plus, blank, alt;
    int64_t width, precision; /* -1: none */
    char type;
    tn_val named; /* value of a (name), else undefined */
    bool has_name;
} conversion;

static bool is_mapping(tn_val v)
{
    return v.tag == TN_DICT || v.tag == TN_LIST;
}

static tn_rc next_value(percent *p, tn_val *ret)
{
    if (p->args.tag == TN_TUPLE) {
        if (p->next < p->args.list->n) {
            *ret = p->args.list->v[p->next++];
            return TN_OK;
        }
    } else if (!p->used) {
        p->used = true;
        *ret = p->args;
        return TN_OK;
    }
    return tn_fail(p->err, TN_E_TYPE, "not enough arguments for format string");
}

static tn_rc read_name(percent *p, conversion *c)
{
    size_t start = ++p->at;
    int open = 1;
    for (; p->at < p->fmt.n; p->at++) {
        open += p->fmt.p[p->at] == '(' ? 1 : p->fmt.p[p->at] == ')' ? -1 : 0;
        if (open == 0) {
            break;
        }
    }
    if (p->at >= p->fmt.n) {
        return tn_fail(p->err, TN_E_VALUE, "incomplete format key");
    }
    tn_str name = tn_str_sub(p->fmt, start, p->at++);
    if (p->args.tag != TN_DICT) {
        return tn_fail(p->err, TN_E_TYPE, "format requires a mapping");
    }
    const tn_val *v = tn_dict_finds(p->args.dict, name);
    if (v == NULL) {
        return tn_fail(p->err, TN_E_VALUE, "KeyError: '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    c->named = *v;
    c->has_name = p->by_name = true;
    return TN_OK;
}

static tn_rc read_count(percent *p, int64_t max, bool is_width, conversion *c)
{
    int64_t v = 0;
    if (p->at < p->fmt.n && p->fmt.p[p->at] == '*') {
        tn_val star;
        p->at++;
        TN_TRY(next_value(p, &star));
        if (!tn_jlib_is_int(star)) {
            return tn_fail(p->err, TN_E_TYPE, "* wants int");
        }
        v = star.i;
        if (v < 0 && is_width) {
            c->left = true;
            v = v < -max ? max + 1 : -v;
        }
        v = v < 0 ? 0 : v;
    } else {
        if (is_width && (p->at >= p->fmt.n || p->fmt.p[p->at] < '0' || p->fmt.p[p->at] > '9')) {
            return TN_OK;
        }
        for (; p->at < p->fmt.n && p->fmt.p[p->at] >= '0' && p->fmt.p[p->at] <= '9' && v <= max;
            p->at++) {
            v = v * 10 + (p->fmt.p[p->at] - '0');
        }
    }
    if (v > max) {
        return tn_fail(
            p->err, TN_E_LIMIT, "a format width or precision of more than %lld", (long long)max);
    }
    *(is_width ? &c->width : &c->precision) = v;
    return TN_OK;
}

static tn_rc read_conversion(percent *p, conversion *c)
{
    *c = (conversion){ .width = -1, .precision = -1, .named = TN_VAL_UNDEF };
    if (p->at < p->fmt.n && p->fmt.p[p->at] == '(') {
        TN_TRY(read_name(p, c));
    }
    for (; p->at < p->fmt.n; p->at++) {
        char f = p->fmt.p[p->at];
        bool *flag = f == '-'   ? &c->left
                     : f == '+' ? &c->plus
                     : f == ' ' ? &c->blank
                     : f == '#' ? &c->alt
                     : f == '0' ? &c->zero
                                : NULL;
        if (flag == NULL) {
            break;
        }
        *flag = true;
    }
    TN_TRY(read_count(p, WIDTH_MAX, true, c));
    if (p->at < p->fmt.n && p->fmt.p[p->at] == '.') {
        p->at++;
        TN_TRY(read_count(p, PRECISION_MAX, false, c));
    }
    while (p->at < p->fmt.n &&
           (p->fmt.p[p->at] == 'h' || p->fmt.p[p->at] == 'l' || p->fmt.p[p->at] == 'L')) {
        p->at++;
    }
    if (p->at >= p->fmt.n) {
        return tn_fail(p->err, TN_E_VALUE, "incomplete format");
    }
    c->type = p->fmt.p[p->at++];
    return TN_OK;
}

static void add_padded(tn_buf *b, const conversion *c, tn_str head, tn_str body, bool number)
{
    int64_t pad = c->width - (int64_t)head.n - (int64_t)tn_utf8_len(body);
    pad = pad < 0 ? 0 : pad;
    bool zero = number && c->zero && !c->left;
    tn_buf_add_repeat(b, ' ', c->left || zero ? 0 : (size_t)pad);
    tn_buf_add(b, head);
    tn_buf_add_repeat(b, '0', zero ? (size_t)pad : 0);
    tn_buf_add(b, body);
    tn_buf_add_repeat(b, ' ', c->left ? (size_t)pad : 0);
}

static const char *sign_of(const conversion *c, bool neg)
{
    return neg ? "-" : c->plus ? "+" : c->blank ? " " : "";
}

static tn_rc add_float(percent *p, tn_buf *b, const conversion *c, tn_val v)
{
    double f = 0;
    if (!tn_jlib_is_number(v) || !tn_jlib_to_f64(v, &f)) {
        return v.tag == TN_UNDEF
                   ? tn_jlib_fail_undef(p->err, v)
                   : tn_fail(p->err, TN_E_TYPE, "must be real number, not %s", tn_val_type_name(v));
    }
    tn_arena *a = p->ctx->arena;
    bool upper = c->type >= 'A' && c->type <= 'Z';
    double m = fabs(f);
    int precision = c->precision < 0 ? 6 : (int)c->precision;
    tn_str body;
    switch (upper ? c->type + 32 : c->type) {
    case 'e':
        body = c->alt ? tn_str_printf(a, "%#.*e", precision, m)
                      : tn_str_printf(a, "%.*e", precision, m);
        break;
    case 'f':
        body = c->alt ? tn_str_printf(a, "%#.*f", precision, m)
                      : tn_str_printf(a, "%.*f", precision, m);
        break;
    default:
        body = c->alt ? tn_str_printf(a, "%#.*g", precision, m)
                      : tn_str_printf(a, "%.*g", precision, m);
        break;
    }
    conversion plain = *c;
    plain.zero = c->zero && isfinite(f);
    add_padded(b, &plain, tn_str_of(sign_of(c, signbit(f) && !isnan(f))),
        upper ? tn_str_upper(a, body) : body, true);
    return TN_OK;
}

static tn_rc add_int(percent *p, tn_buf *b, const conversion *c, tn_val v)
{
    tn_arena *a = p->ctx->arena;
    bool decimal = c->type == 'd' || c->type == 'i' || c->type == 'u';
    if (decimal && v.tag == TN_FLOAT && isfinite(v.f)) {
        v = tn_jlib_int_of_f64(a, v.f);
    } else if (decimal && v.tag == TN_DECIMAL) {
        tn_dec d;
        if (tn_dec_of_val(a, v, &d) && d.kind == TN_DEC_FINITE && d.e < 1000 && d.e > -100000) {
            v = tn_big_val(a, tn_dec_trunc(a, d));
        }
    }
    tn_big x;
    if (!tn_big_of_val(a, v, &x)) {
        if (v.tag == TN_UNDEF) {
            return tn_jlib_fail_undef(p->err, v);
        }
        return tn_fail(p->err, TN_E_TYPE, "%%%c format: %s is required, not %s", c->type,
            decimal ? "a real number" : "an integer", tn_val_type_name(v));
    }
    bool neg = x.neg;
    x.neg = false;
    tn_buf digits = tn_buf_init(a, TN_JLIB_TEXT_MAX);
    const char spec[2] = { decimal ? 'd' : c->type, 0 };
    TN_TRY(tn_jinja_format_spec(&digits, tn_big_val(a, x), tn_str_of(spec), p->err));
    const char *prefix = !c->alt || decimal ? ""
                         : c->type == 'o'   ? "0o"
                         : c->type == 'x'   ? "0x"
                                            : "0X";
    tn_buf body = tn_buf_init(a, TN_JLIB_TEXT_MAX);
    tn_buf_add_repeat(
        &body, '0', c->precision > (int64_t)digits.n ? (size_t)c->precision - digits.n : 0);
    tn_buf_add(&body, tn_buf_str(&digits));
    add_padded(b, c, tn_str_printf(a, "%s%s", sign_of(c, neg), prefix), tn_buf_str(&body), true);
    return TN_OK;
}

static tn_rc add_char(percent *p, tn_buf *b, const conversion *c, tn_val v)
{
    char out[4];
    if (v.tag == TN_STR_V && tn_utf8_len(tn_val_as_str(v)) == 1) {
        add_padded(b, c, TN_STR_NONE, tn_val_as_str(v), false);
        return TN_OK;
    }
    if (!tn_jlib_is_int(v) || v.i < 0 || v.i > 0x10ffff) {
        return tn_fail(p->err, TN_E_TYPE, "%%c requires int or char");
    }
    add_padded(b, c, TN_STR_NONE, tn_str_n(out, tn_utf8_encode((uint32_t)v.i, out)), false);
    return TN_OK;
}

static tn_rc add_conversion(percent *p, tn_buf *b, const conversion *c)
{
    if (c->type == '%') {
        tn_buf_addc(b, '%');
        return TN_OK;
    }
    tn_val v = c->named;
    if (!c->has_name) {
        TN_TRY(next_value(p, &v));
    }
    switch (c->type) {
    case 's':
    case 'r':
    case 'a': {
        tn_str s =
            c->type == 's' ? tn_jlib_text(p->ctx->arena, v) : tn_val_to_repr(p->ctx->arena, v);
        if (c->precision >= 0) {
            s = tn_str_sub(s, 0, tn_utf8_offset(s, (size_t)c->precision));
        }
        add_padded(b, c, TN_STR_NONE, s, false);
        return TN_OK;
    }
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        return add_int(p, b, c, v);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        return add_float(p, b, c, v);
    case 'c':
        return add_char(p, b, c, v);
    default:
        return tn_fail(p->err, TN_E_VALUE, "unsupported format character '%c' (0x%x) at index %zu",
            c->type, (unsigned char)c->type, p->at - 1);
    }
}

tn_rc tn_jinja_percent(tn_jinja_ctx *ctx, tn_str fmt, tn_val arg, tn_val *ret, tn_err *err)
{
    percent p = { .ctx = ctx, .err = err, .fmt = fmt, .args = arg };
    tn_buf b = tn_buf_init(ctx->arena, TN_JLIB_TEXT_MAX);
    while (p.at < fmt.n) {
        char ch = fmt.p[p.at++];
        if (ch != '%') {
            tn_buf_addc(&b, ch);
            continue;
        }
        conversion c;
        TN_TRY(read_conversion(&p, &c));
        TN_TRY(add_conversion(&p, &b, &c));
    }
    bool left = arg.tag == TN_TUPLE ? p.next < arg.list->n : !p.used && !is_mapping(arg);
    if (left && !p.by_name) {
        return tn_fail(err, TN_E_TYPE, "not all arguments converted during string formatting");
    }
    return tn_jlib_finish(&b, ret, err);
}
