/* jinja_format.c: format(value, spec) of Python.
 *
 *     spec ::= [[fill]align][sign]["z"]["#"]["0"][width][grouping]["." precision][type]
 *
 * A number is made in pieces (sign, prefix, digits, rest after the digits), so that grouping and padding between sign and
 * digits are the same code for all kinds of numbers. */
#include <math.h>

#include "base/buf.h"
#include "jinja/value/jinja_lib.h"
#include "jinja/value/jinja_num.h"
#include "text/timetext.h"

enum { WIDTH_MAX = 1000000, PRECISION_MAX = 10000 };

typedef struct spec {
    char fill[4];
    size_t fill_n;
    char align; /* 0: none given */
    char sign;
    bool no_minus_zero;
    bool alt;
    char group;
    int64_t width;     /* -1: none */
    int64_t precision; /* -1: none */
    char type;         /* 0: none */
} spec;

static bool is_align(char c)
{
    return c == '<' || c == '>' || c == '=' || c == '^';
}

static bool take_number(tn_str s, size_t *at, int64_t max, int64_t *ret)
{
    if (*at >= s.n || s.p[*at] < '0' || s.p[*at] > '9') {
        return true;
    }
    int64_t v = 0;
    for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++) {
        v = v * 10 + (s.p[*at] - '0');
        if (v > max) {
            return false;
        }
    }
    *ret = v;
    return true;
}

static void take_alignment(tn_str s, size_t *at, spec *f)
{
    uint32_t cp;
    size_t n = s.n > 0 ? tn_utf8_decode(s, &cp) : 0;
    if (n > 0 && n < s.n && is_align(s.p[n])) {
        memcpy(f->fill, s.p, n);
        f->fill_n = n;
        f->align = s.p[n];
        *at = n + 1;
    } else if (s.n > 0 && is_align(s.p[0])) {
        f->align = s.p[0];
        *at = 1;
    }
}

static bool take_char(tn_str s, size_t *at, const char *any, char *ret)
{
    if (*at < s.n && strchr(any, s.p[*at]) != NULL && s.p[*at] != 0) {
        *ret = s.p[(*at)++];
        return true;
    }
    return false;
}

static tn_rc parse_spec(tn_str s, tn_val v, spec *ret, tn_err *err)
{
    spec f = { .width = -1, .precision = -1 };
    size_t at = 0;
    char c = 0;
    take_alignment(s, &at, &f);
    take_char(s, &at, "+- ", &f.sign);
    f.no_minus_zero = take_char(s, &at, "z", &c);
    f.alt = take_char(s, &at, "#", &c);
    if (take_char(s, &at, "0", &c)) {
        if (f.align != 0 && v.tag == TN_DECIMAL) {
            return tn_fail(err, TN_E_VALUE, "invalid format string");
        }
        if (f.fill_n == 0) {
            f.fill[0] = '0';
            f.fill_n = 1;
        }
        f.align = f.align == 0 && v.tag != TN_STR_V ? '=' : f.align;
    }
    if (!take_number(s, &at, WIDTH_MAX, &f.width)) {
        return tn_fail(err, TN_E_LIMIT, "a format width of more than %d", WIDTH_MAX);
    }
    take_char(s, &at, ",_", &f.group);
    if (take_char(s, &at, ".", &c)) {
        if (!take_number(s, &at, PRECISION_MAX, &f.precision)) {
            return tn_fail(err, TN_E_LIMIT, "a format precision of more than %d", PRECISION_MAX);
        }
        if (f.precision < 0) {
            return tn_fail(err, TN_E_VALUE, "Format specifier missing precision");
        }
    }
    if (at < s.n) {
        f.type = s.p[at++];
    }
    if (at != s.n) {
        return tn_fail(err, TN_E_VALUE, "Invalid format specifier");
    }
    if (f.fill_n == 0) {
        f.fill[0] = ' ';
        f.fill_n = 1;
    }
    *ret = f;
    return TN_OK;
}

static void add_fill(tn_buf *b, const spec *f, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        tn_buf_add_n(b, f->fill, f->fill_n);
    }
}

/* head goes before padding of '=' alignment, body after it. */
static void add_padded(tn_buf *b, const spec *f, tn_str head, tn_str body, char default_align)
{
    int64_t pad = f->width - (int64_t)tn_utf8_len(head) - (int64_t)tn_utf8_len(body);
    char align = f->align ? f->align : default_align;
    pad = pad < 0 ? 0 : pad;
    int64_t left = align == '>' ? pad : align == '^' ? pad / 2 : 0;
    add_fill(b, f, left);
    tn_buf_add(b, head);
    add_fill(b, f, align == '=' ? pad : 0);
    tn_buf_add(b, body);
    add_fill(b, f, align == '<' ? pad : align == '^' ? pad - left : 0);
}

/* Digits with a separator every `every`; zeros in front until min_width is reached (separators count). */
void tn_jlib_group_digits(tn_buf *b, tn_str digits, char sep, int every, size_t min_width)
{
    size_t n = digits.n;
    while (sep != 0 && n + (n - 1) / (size_t)every < min_width) {
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        size_t left = n - i;
        if (sep != 0 && i > 0 && left % (size_t)every == 0) {
            tn_buf_addc(b, sep);
        }
        tn_buf_addc(b, left > digits.n ? '0' : digits.p[digits.n - left]);
    }
}

typedef struct number {
    bool neg;
    const char *prefix;
    tn_str digits; /* before the point */
    tn_str rest;   /* the point and all after it */
    int every;     /* digits a group */
} number;

static void add_number(tn_buf *b, const spec *f, number n)
{
    char head[8];
    int head_n = snprintf(head, sizeof head, "%s%s",
        n.neg            ? "-"
        : f->sign == '+' ? "+"
        : f->sign == ' ' ? " "
                         : "",
        n.prefix ? n.prefix : "");
    TN_AUTO_ARENA a = tn_arena_new("format", NULL);
    tn_buf body = tn_buf_init(a, TN_BUF_NO_LIMIT);
    bool zeros = f->group != 0 && f->align == '=' && f->fill_n == 1 && f->fill[0] == '0';
    int64_t room = f->width - head_n - (int64_t)n.rest.n;
    tn_jlib_group_digits(&body, n.digits, f->group, n.every, zeros && room > 0 ? (size_t)room : 0);
    tn_buf_add(&body, n.rest);
    add_padded(b, f, tn_str_n(head, (size_t)head_n), tn_buf_str(&body), '>');
}

/* ---- strings ---- */
static tn_rc unknown_code(const spec *f, tn_val v, tn_err *err)
{
    return tn_fail(err, TN_E_VALUE, "Unknown format code '%c' for object of type '%s'", f->type,
        tn_val_type_name(v));
}

static tn_rc format_str(tn_buf *b, const spec *f, tn_val v, tn_err *err)
{
    tn_str s = tn_val_as_str(v);
    if (f->type != 0 && f->type != 's') {
        return unknown_code(f, v, err);
    }
    if (f->sign != 0) {
        return tn_fail(err, TN_E_VALUE, "Sign not allowed in string format specifier");
    }
    if (f->align == '=') {
        return tn_fail(err, TN_E_VALUE, "'=' alignment not allowed in string format specifier");
    }
    if (f->group != 0) {
        return tn_fail(err, TN_E_VALUE, "Cannot specify '%c' with 's'.", f->group);
    }
    if (f->precision >= 0) {
        s = tn_str_sub(s, 0, tn_utf8_offset(s, (size_t)f->precision));
    }
    add_padded(b, f, TN_STR_NONE, s, '<');
    return TN_OK;
}

/* ---- floats ---- */
/* The digits of a finite value without sign, as C prints them. */
static tn_str float_digits(tn_arena *a, double f, char type, int precision, bool alt)
{
    switch (type) {
    case 'e':
        return alt ? tn_str_printf(a, "%#.*e", precision, f)
                   : tn_str_printf(a, "%.*e", precision, f);
    case 'f':
        return alt ? tn_str_printf(a, "%#.*f", precision, f)
                   : tn_str_printf(a, "%.*f", precision, f);
    default:
        return alt ? tn_str_printf(a, "%#.*g", precision, f)
                   : tn_str_printf(a, "%.*g", precision, f);
    }
}

/* No type: repr's digits, or 'g' that keeps one digit after the point and turns to exponents one digit earlier. */
static tn_str float_plain(tn_arena *a, double f, const spec *s)
{
    if (s->precision < 0) {
        tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
        tn_float_repr_to(&b, f);
        return tn_buf_str(&b);
    }
    int precision = s->precision == 0 ? 1 : (int)s->precision;
    tn_str e = tn_str_printf(a, "%.*e", precision - 1, f);
    size_t at = tn_str_find_char(e, 'e', 0);
    int64_t exponent = 0;
    tn_str exp = tn_str_sub(e, at + 1, e.n);
    tn_str_to_i64(exp.n > 0 && exp.p[0] == '+' ? tn_str_sub(exp, 1, exp.n) : exp, &exponent);
    if (exponent < -4 || exponent >= precision - 1) {
        tn_str mantissa = tn_str_sub(e, 0, at); /* trailing zeros go, as with %g */
        while (tn_str_find_char(mantissa, '.', 0) != SIZE_MAX &&
               (mantissa.p[mantissa.n - 1] == '0' || mantissa.p[mantissa.n - 1] == '.')) {
            mantissa.n--;
        }
        return tn_str_printf(
            a, TN_STR_FMT TN_STR_FMT, TN_STR_ARG(mantissa), TN_STR_ARG(tn_str_sub(e, at, e.n)));
    }
    tn_str g = tn_str_printf(a, "%.*g", precision, f);
    return tn_str_find_char(g, '.', 0) == SIZE_MAX
               ? tn_str_printf(a, TN_STR_FMT ".0", TN_STR_ARG(g))
               : g;
}

static void split_number(tn_str s, number *n)
{
    size_t i = 0;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') {
        i++;
    }
    n->digits = tn_str_sub(s, 0, i);
    n->rest = tn_str_sub(s, i, s.n);
}

static void add_not_finite(
    tn_buf *b, const spec *s, bool neg, bool nan, bool upper, const char *suffix)
{
    number n = { .neg = neg, .every = 3 };
    char text[8];
    int len = snprintf(
        text, sizeof text, "%s%s", nan ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"), suffix);
    spec plain = *s;
    plain.group = 0;
    n.digits = tn_str_n(text, (size_t)len);
    add_number(b, &plain, n);
}

static tn_rc format_float(tn_buf *b, const spec *s, tn_val v, double f, tn_err *err)
{
    char type = s->type >= 'A' && s->type <= 'Z' ? (char)(s->type + 32) : s->type;
    if (type != 0 && (strchr("efgn%", type) == NULL || s->type == 'N')) {
        return unknown_code(s, v, err);
    }
    TN_AUTO_ARENA a = tn_arena_new("format", NULL);
    bool percent = type == '%', upper = s->type != type;
    if (!isfinite(f)) {
        add_not_finite(b, s, signbit(f) && !isnan(f), isnan(f) != 0, upper, percent ? "%" : "");
        return TN_OK;
    }
    f = percent ? f * 100 : f;
    number n = { .neg = signbit(f) != 0, .every = 3 };
    double magnitude = fabs(f);
    int precision = s->precision < 0 ? 6 : (int)s->precision;
    tn_str text = type == 0 ? float_plain(a, magnitude, s)
                            : float_digits(a, magnitude,
                                  percent       ? 'f'
                                  : type == 'n' ? 'g'
                                                : type,
                                  precision, s->alt);
    if (percent) {
        text = tn_str_printf(a, TN_STR_FMT "%%", TN_STR_ARG(text));
    }
    if (upper) {
        text = tn_str_upper(a, text);
    }
    split_number(text, &n);
    if (s->no_minus_zero && n.neg) {
        bool zero = true;
        for (size_t i = 0; i < text.n; i++) {
            zero = zero && !(text.p[i] >= '1' && text.p[i] <= '9');
        }
        n.neg = !zero;
    }
    add_number(b, s, n);
    return TN_OK;
}

/* ---- integers ---- */
static tn_str digits_in_base(tn_arena *a, tn_big x, uint32_t base, bool upper)
{
    const char *const set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t cap = tn_big_digits(x) * 4 + 2, at = cap;
    char *p = tn_arena_alloc(a, cap);
    do {
        p[--at] = set[tn_big_div_small(&x, base)];
    } while (x.n > 0);
    return tn_str_n(p + at, cap - at);
}

static tn_rc format_int(tn_buf *b, const spec *s, tn_val v, tn_err *err)
{
    char type = s->type ? s->type : 'd';
    if (strchr("eEfFgG%", type) != NULL) {
        double f = 0;
        if (!tn_jlib_to_f64(v, &f)) {
            return tn_fail(err, TN_E_VALUE, "int too large to convert to float");
        }
        return format_float(b, s, v, f, err);
    }
    if (s->precision >= 0) {
        return tn_fail(err, TN_E_VALUE, "Precision not allowed in integer format specifier");
    }
    if (strchr("bcdnoxX", type) == NULL) {
        return unknown_code(s, v, err);
    }
    if (s->group == ',' && strchr("bcoxX", type) != NULL) {
        return tn_fail(err, TN_E_VALUE, "Cannot specify ',' with '%c'.", type);
    }
    TN_AUTO_ARENA a = tn_arena_new("format", NULL);
    tn_big x;
    if (!tn_big_of_val(a, v, &x)) {
        return tn_fail(err, TN_E_LIMIT, "an integer of more than %d digits", TN_BIG_DIGITS_MAX);
    }
    if (type == 'c') {
        char out[4];
        if (v.tag == TN_BIGINT || v.i < 0 || v.i > 0x10ffff) {
            return tn_fail(err, TN_E_VALUE, "%%c arg not in range(0x110000)");
        }
        add_padded(b, s, TN_STR_NONE, tn_str_n(out, tn_utf8_encode((uint32_t)v.i, out)), '<');
        return TN_OK;
    }
    number n = { .neg = x.neg, .every = strchr("boxX", type) ? 4 : 3 };
    x.neg = false;
    if (type == 'd' || type == 'n') {
        n.digits = tn_big_text(a, x);
    } else {
        n.digits = digits_in_base(a, x, type == 'b' ? 2 : type == 'o' ? 8 : 16, type == 'X');
        n.prefix = !s->alt       ? NULL
                   : type == 'b' ? "0b"
                   : type == 'o' ? "0o"
                   : type == 'X' ? "0X"
                                 : "0x";
    }
    add_number(b, s, n);
    return TN_OK;
}

/* ---- decimals ---- */
static tn_str decimal_exponent(tn_arena *a, tn_dec x, int64_t precision, char e)
{
    if (precision >= 0 && x.c.n > 0) {
        x = tn_dec_round(a, x, (size_t)precision + 1);
    }
    tn_str d = tn_big_text(a, x.c);
    int64_t adjusted = x.e + (int64_t)d.n - 1;
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addc(&b, d.p[0]);
    if (d.n > 1 || precision > 0) {
        tn_buf_addc(&b, '.');
        tn_buf_add(&b, tn_str_sub(d, 1, d.n));
        for (int64_t have = (int64_t)d.n - 1; have < precision; have++) {
            tn_buf_addc(&b, '0');
        }
    }
    if (x.c.n == 0) {
        adjusted = x.e + (precision > 0 ? precision : 0);
    }
    tn_buf_addf(&b, "%c%+lld", e, (long long)adjusted);
    return tn_buf_str(&b);
}

/* Plain notation, never an exponent. */
static tn_str decimal_plain(tn_arena *a, tn_dec x)
{
    if (x.e > 0) {
        x = tn_dec_rescale(a, x, 0);
    }
    tn_str d = tn_big_text(a, x.c);
    int64_t point = (int64_t)d.n + x.e;
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (x.e == 0) {
        return d;
    }
    if (point <= 0) {
        tn_buf_addz(&b, "0.");
        tn_buf_add_repeat(&b, '0', (size_t)-point);
        tn_buf_add(&b, d);
    } else {
        tn_buf_add(&b, tn_str_sub(d, 0, (size_t)point));
        tn_buf_addc(&b, '.');
        tn_buf_add(&b, tn_str_sub(d, (size_t)point, d.n));
    }
    return tn_buf_str(&b);
}

static tn_rc format_decimal(tn_buf *b, const spec *s, tn_val v, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("format", NULL);
    tn_dec x;
    char type = s->type >= 'A' && s->type <= 'Z' ? (char)(s->type + 32) : s->type;
    if (!tn_dec_of_val(a, v, &x) || (type != 0 && strchr("efgn%", type) == NULL)) {
        return tn_fail(err, TN_E_VALUE, "invalid format string");
    }
    number n = { .neg = x.neg, .every = 3 };
    if (x.kind != TN_DEC_FINITE) {
        spec plain = *s;
        plain.group = 0;
        n.digits = x.kind == TN_DEC_INF ? TN_STR("Infinity") : TN_STR("NaN");
        add_number(b, &plain, n);
        return TN_OK;
    }
    if (x.e > 100000 || x.e < -100000) {
        return tn_fail(err, TN_E_LIMIT, "a decimal with an exponent out of range");
    }
    x.neg = false;
    tn_str text;
    if (type == '%') {
        x.e += 2;
    }
    if (type == 'f' || type == '%') {
        x = s->precision >= 0 ? tn_dec_rescale(a, x, -s->precision) : x;
        text = decimal_plain(a, x);
        text = type == '%' ? tn_str_printf(a, TN_STR_FMT "%%", TN_STR_ARG(text)) : text;
    } else if (type == 'e') {
        text = decimal_exponent(a, x, s->precision, s->type);
    } else {
        x = s->precision >= 0 ? tn_dec_round(a, x, s->precision == 0 ? 1 : (size_t)s->precision)
                              : x;
        int64_t adjusted = x.e + (int64_t)tn_big_digits(x.c) - 1;
        bool plain = x.e <= 0 && adjusted >= -6;
        text = plain ? decimal_plain(a, x)
                     : decimal_exponent(a, x, -1, s->type == 'g' || s->type == 'n' ? 'e' : 'E');
    }
    split_number(text, &n);
    add_number(b, s, n);
    return TN_OK;
}

tn_rc tn_jinja_format_spec(tn_buf *b, tn_val v, tn_str text, tn_err *err)
{
    spec s;
    if (text.n == 0) {
        tn_val_str_to(b, v);
        return TN_OK;
    }
    switch (v.tag) {
    case TN_DATE:
    case TN_DATETIME:
    case TN_TIME:
        return tn_strftime(b, text, v, err);
    case TN_STR_V:
        TN_TRY(parse_spec(text, v, &s, err));
        return format_str(b, &s, v, err);
    case TN_BOOL:
    case TN_INT:
    case TN_BIGINT:
        TN_TRY(parse_spec(text, v, &s, err));
        return format_int(b, &s, v, err);
    case TN_FLOAT:
        TN_TRY(parse_spec(text, v, &s, err));
        return format_float(b, &s, v, v.f, err);
    case TN_DECIMAL:
        TN_TRY(parse_spec(text, v, &s, err));
        return format_decimal(b, &s, v, err);
    default:
        return tn_fail(err, TN_E_TYPE, "unsupported format string passed to %s.__format__",
            tn_val_type_name(v));
    }
}
