/* yaml_scalar.c: PyYAML's implicit resolvers and the constructors of its SafeLoader for scalars.
 *
 * The rules are YAML 1.1's as PyYAML has them, surprises included: yes/no/on/off are booleans, 010 is eight, 1:30 is ninety, 1e3
 * is a text (a float needs a point, and a signed exponent), 2024-01-31 is a date. Each matcher below is one of its regular expressions,
 * written out; the comment above it is the expression.
 */
#include "text/yaml_scalar.h"

#include "text/timetext.h"

/* ---- a cursor over the scalar ---- */

typedef struct scan {
    tn_str s;
    size_t at;
} scan;

static bool digit_in(char c, const char *extra, int base)
{
    if (c >= '0' && c <= '9') {
        return c - '0' < base;
    }
    if (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
        return true;
    }
    return c != '\0' && strchr(extra, c) != NULL;
}

static char peek(const scan *c)
{
    return c->at < c->s.n ? c->s.p[c->at] : '\0';
}

static bool done(const scan *c)
{
    return c->at == c->s.n;
}

static bool take(scan *c, char ch)
{
    if (!done(c) && c->s.p[c->at] == ch) {
        c->at++;
        return true;
    }
    return false;
}

static bool take_sign(scan *c)
{
    return take(c, '-') || take(c, '+');
}

static size_t take_digits(scan *c, const char *extra, int base)
{
    size_t from = c->at;
    while (!done(c) && digit_in(c->s.p[c->at], extra, base)) {
        c->at++;
    }
    return c->at - from;
}

static bool one_of(tn_str s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (tn_str_is(s, *words)) {
            return true;
        }
    }
    return false;
}

static bool is_bool(tn_str s)
{
    static const char *const words[] = { "yes", "Yes", "YES", "no", "No", "NO", "true", "True",
        "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF", NULL };
    return one_of(s, words);
}

static bool is_null(tn_str s)
{
    static const char *const words[] = { "~", "null", "Null", "NULL", "", NULL };
    return one_of(s, words);
}

/* (:[0-5]?[0-9])+ */
static bool take_sixties(scan *c)
{
    size_t groups = 0;
    while (peek(c) == ':') {
        c->at++;
        size_t n = take_digits(c, "", 10);
        if (n == 0 || n > 2 || (n == 2 && c->s.p[c->at - 2] > '5')) {
            return false;
        }
        groups++;
    }
    return groups > 0;
}

/* [-+]?0b[0-1_]+ | [-+]?0[0-7_]+ | [-+]?(0|[1-9][0-9_]*) | [-+]?0x[0-9a-fA-F_]+ | [-+]?[1-9][0-9_]*(:[0-5]?[0-9])+ */
static bool is_int(tn_str s)
{
    scan c = { s, 0 };
    take_sign(&c);
    if (take(&c, '0')) {
        if (done(&c)) {
            return true;
        }
        if (take(&c, 'b')) {
            return take_digits(&c, "_", 2) > 0 && done(&c);
        }
        if (take(&c, 'x')) {
            return take_digits(&c, "_", 16) > 0 && done(&c);
        }
        return take_digits(&c, "_", 8) > 0 && done(&c);
    }
    if (done(&c) || peek(&c) == '_' || take_digits(&c, "_", 10) == 0) {
        return false;
    }
    return done(&c) || (take_sixties(&c) && done(&c));
}

/* ([eE][-+][0-9]+)? at the end */
static bool exponent_or_end(scan *c)
{
    if (done(c)) {
        return true;
    }
    if (!take(c, 'e') && !take(c, 'E')) {
        return false;
    }
    return take_sign(c) && take_digits(c, "", 10) > 0 && done(c);
}

static bool is_special_float(scan c)
{
    static const char *const infs[] = { ".inf", ".Inf", ".INF", NULL };
    static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };
    if (one_of(c.s, nans)) {
        return true;
    }
    take_sign(&c);
    return one_of(tn_str_sub(c.s, c.at, c.s.n), infs);
}

/* [-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)? | \.[0-9][0-9_]*([eE][-+][0-9]+)? | [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*
 * | [-+]?\.(inf|Inf|INF) | \.(nan|NaN|NAN) */
static bool is_float(tn_str s)
{
    scan c = { s, 0 };
    if (is_special_float(c)) {
        return true;
    }
    if (take(&c, '.')) {
        return peek(&c) != '_' && take_digits(&c, "_", 10) > 0 && exponent_or_end(&c);
    }
    take_sign(&c);
    if (peek(&c) == '_' || take_digits(&c, "_", 10) == 0) {
        return false;
    }
    bool sixties = peek(&c) == ':';
    if (sixties && !take_sixties(&c)) {
        return false;
    }
    if (!take(&c, '.')) {
        return false;
    }
    take_digits(&c, "_", 10);
    return sixties ? done(&c) : exponent_or_end(&c);
}

/* ---- timestamps ---- */

typedef struct stamp {
    tn_civil c;
    bool date_only;
    bool zoned;
    int offset_s;
} stamp;

static bool take_number(scan *c, size_t min, size_t max, int *ret)
{
    int v = 0;
    size_t n = 0;
    while (n < max && peek(c) >= '0' && peek(c) <= '9') {
        v = v * 10 + (peek(c) - '0');
        c->at++;
        n++;
    }
    *ret = v;
    return n >= min;
}

static size_t take_blanks(scan *c)
{
    size_t n = 0;
    while (peek(c) == ' ' || peek(c) == '\t') {
        c->at++;
        n++;
    }
    return n;
}

/* ([ \t]*(Z|[-+][0-9][0-9]?(:[0-9][0-9])?))? at the end */
static bool take_zone(scan *c, stamp *t)
{
    if (done(c)) {
        return true;
    }
    take_blanks(c);
    t->zoned = true;
    if (take(c, 'Z')) {
        return done(c);
    }
    bool minus = peek(c) == '-';
    int hours, minutes = 0;
    if (!take_sign(c) || !take_number(c, 1, 2, &hours)) {
        return false;
    }
    if (take(c, ':') && !take_number(c, 2, 2, &minutes)) {
        return false;
    }
    t->offset_s = (minus ? -1 : 1) * (hours * 3600 + minutes * 60);
    return done(c);
}

/* (\.[0-9]*)?: the first six digits count */
static void take_fraction(scan *c, int *ret_micro)
{
    int micro = 0, scale = 100000;
    while (peek(c) >= '0' && peek(c) <= '9') {
        micro += (peek(c) - '0') * scale;
        scale /= 10;
        c->at++;
    }
    *ret_micro = micro;
}

/* dddd-dd-dd | dddd-d?d-d?d ([Tt] | [ \t]+) d?d:dd:dd (\.d*)? zone? */
static bool read_stamp(tn_str s, stamp *t)
{
    *t = (stamp){ 0 };
    scan c = { s, 0 };
    if (!take_number(&c, 4, 4, &t->c.year) || !take(&c, '-') ||
        !take_number(&c, 1, 2, &t->c.month) || !take(&c, '-') ||
        !take_number(&c, 1, 2, &t->c.day)) {
        return false;
    }
    if (done(&c)) {
        t->date_only = true;
        return s.n == 10;
    }
    if (!take(&c, 'T') && !take(&c, 't') && take_blanks(&c) == 0) {
        return false;
    }
    if (!take_number(&c, 1, 2, &t->c.hour) || !take(&c, ':') ||
        !take_number(&c, 2, 2, &t->c.minute) || !take(&c, ':') ||
        !take_number(&c, 2, 2, &t->c.second)) {
        return false;
    }
    if (take(&c, '.')) {
        take_fraction(&c, &t->c.micro);
    }
    return take_zone(&c, t);
}

tn_yaml_type tn_yaml_resolve(tn_str s)
{
    if (is_null(s)) {
        return TN_YAML_NULL;
    }
    char c = s.p[0];
    if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') {
        stamp t;
        if (is_int(s)) {
            return TN_YAML_INT;
        }
        if (is_float(s)) {
            return TN_YAML_FLOAT;
        }
        return read_stamp(s, &t) ? TN_YAML_TIMESTAMP : TN_YAML_STR;
    }
    if (is_bool(s)) {
        return TN_YAML_BOOL;
    }
    if (tn_str_is(s, "<<")) {
        return TN_YAML_MERGE;
    }
    return tn_str_is(s, "=") ? TN_YAML_VALUE : TN_YAML_STR;
}

/* ---- values ---- */

/* Decimal digits of a number in any base, without a bound: little-endian digits, multiply and add. */
static tn_val big_from_base(tn_arena *a, tn_str digits, int base, bool minus)
{
    char *dec = tn_arena_alloc(a, digits.n * 2 + 4);
    size_t n = 1;
    dec[0] = 0;
    for (size_t i = 0; i < digits.n; i++) {
        char ch = digits.p[i];
        int carry = ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10;
        for (size_t k = 0; k < n; k++) {
            int v = dec[k] * base + carry;
            dec[k] = (char)(v % 10);
            carry = v / 10;
        }
        while (carry > 0) {
            dec[n++] = (char)(carry % 10);
            carry /= 10;
        }
    }
    char *text = tn_arena_alloc(a, n + 2);
    size_t at = 0;
    if (minus) {
        text[at++] = '-';
    }
    for (size_t k = n; k-- > 0;) {
        text[at++] = (char)('0' + dec[k]);
    }
    text[at] = '\0';
    int64_t small;
    if (tn_str_to_i64(tn_str_n(text, at), &small)) {
        return tn_val_int(small);
    }
    tn_val v = tn_val_str(tn_str_n(text, at));
    v.tag = TN_BIGINT;
    return v;
}

static tn_str without_underscores(tn_arena *a, tn_str s)
{
    return tn_str_find_char(s, '_', 0) == SIZE_MAX ? s
                                                   : tn_str_replace(a, s, TN_STR("_"), TN_STR(""));
}

static tn_rc make_sixties(tn_str s, bool minus, bool real, tn_val *ret, tn_err *err)
{
    double f = 0;
    int64_t i = 0;
    tn_str head, rest = s;
    do {
        tn_str_cut(rest, ':', &head, &rest);
        double part = 0;
        int64_t whole = 0;
        if (real ? !tn_str_to_f64(head, &part) : !tn_str_to_i64(head, &whole)) {
            return tn_fail(err, TN_E_VALUE, "bad number '" TN_STR_FMT "'", TN_STR_ARG(s));
        }
        if (real) {
            f = f * 60 + part;
        } else if (__builtin_mul_overflow(i, 60, &i) || __builtin_add_overflow(i, whole, &i)) {
            return tn_fail(err, TN_E_LIMIT, "number '" TN_STR_FMT "' is too large", TN_STR_ARG(s));
        }
    } while (rest.n > 0);
    *ret = real ? tn_val_float(minus ? -f : f) : tn_val_int(minus ? -i : i);
    return TN_OK;
}

static tn_str cut_sign(tn_str s, bool *ret_minus)
{
    *ret_minus = s.n > 0 && s.p[0] == '-';
    return s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? tn_str_sub(s, 1, s.n) : s;
}

static tn_rc make_int(tn_arena *a, tn_str text, tn_val *ret, tn_err *err)
{
    if (!is_int(text)) {
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is not an integer", TN_STR_ARG(text));
    }
    bool minus;
    tn_str s = cut_sign(without_underscores(a, text), &minus);
    if (tn_str_find_char(s, ':', 0) != SIZE_MAX) {
        return make_sixties(s, minus, false, ret, err);
    }
    int base = 10;
    if (s.n > 1 && s.p[0] == '0') {
        base = s.p[1] == 'x' ? 16 : s.p[1] == 'b' ? 2 : 8;
        s = tn_str_sub(s, base == 8 ? 1 : 2, s.n);
    }
    if (s.n == 0) {
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' has no digits", TN_STR_ARG(text));
    }
    *ret = big_from_base(a, s, base, minus);
    return TN_OK;
}

static tn_rc make_float(tn_arena *a, tn_str text, tn_val *ret, tn_err *err)
{
    bool minus;
    tn_str s = cut_sign(tn_str_lower(a, without_underscores(a, text)), &minus);
    double f;
    if (tn_str_is(s, ".inf")) {
        *ret = tn_val_float(minus ? -__builtin_inf() : __builtin_inf());
        return TN_OK;
    }
    if (tn_str_is(s, ".nan")) {
        *ret = tn_val_float(__builtin_nan(""));
        return TN_OK;
    }
    if (tn_str_find_char(s, ':', 0) != SIZE_MAX) {
        return make_sixties(s, minus, true, ret, err);
    }
    if (!tn_str_to_f64(s, &f)) {
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is not a number", TN_STR_ARG(text));
    }
    *ret = tn_val_float(minus ? -f : f);
    return TN_OK;
}

static tn_rc make_stamp(tn_str text, tn_val *ret, tn_err *err)
{
    stamp t;
    if (!read_stamp(text, &t) || !tn_civil_valid(&t.c)) {
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is not a date or time", TN_STR_ARG(text));
    }
    if (t.date_only) {
        *ret = (tn_val){ .tag = TN_DATE, .i = tn_days_from_civil(t.c.year, t.c.month, t.c.day) };
        return TN_OK;
    }
    uint32_t zone = t.zoned ? TN_ZONE_UTC + (uint32_t)t.offset_s : TN_ZONE_NAIVE;
    *ret = (tn_val){ .tag = TN_DATETIME, .n = zone, .i = tn_micros_of_civil(&t.c) };
    return TN_OK;
}

tn_rc tn_yaml_scalar(tn_arena *a, tn_yaml_type type, tn_str s, tn_val *ret, tn_err *err)
{
    switch (type) {
    case TN_YAML_NULL:
        *ret = TN_VAL_NONE;
        return TN_OK;
    case TN_YAML_BOOL: {
        static const char *const yes[] = { "yes", "true", "on", NULL };
        if (!is_bool(s)) {
            return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is not a boolean", TN_STR_ARG(s));
        }
        *ret = tn_val_bool(one_of(tn_str_lower(a, s), yes));
        return TN_OK;
    }
    case TN_YAML_INT:
        return make_int(a, s, ret, err);
    case TN_YAML_FLOAT:
        return make_float(a, s, ret, err);
    case TN_YAML_TIMESTAMP:
        return make_stamp(s, ret, err);
    case TN_YAML_MERGE:
    case TN_YAML_VALUE:
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is only a key; quote it to mean the text",
            TN_STR_ARG(s));
    case TN_YAML_STR:
        break;
    }
    *ret = tn_val_str(s);
    return TN_OK;
}
