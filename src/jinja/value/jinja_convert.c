/* jinja_convert.c: int(), float() and round() of Python. */
#include <math.h>

#include "base/buf.h"
#include "jinja/value/jinja_lib.h"
#include "jinja/value/jinja_num.h"

bool tn_jlib_to_f64(tn_val v, double *ret)
{
    switch (v.tag) {
    case TN_BOOL:
    case TN_INT:
        *ret = (double)v.i;
        return true;
    case TN_FLOAT:
        *ret = v.f;
        return true;
    case TN_BIGINT:
        return tn_str_to_f64(tn_val_as_str(v), ret) && isfinite(*ret);
    case TN_DECIMAL:
        return tn_jlib_float_of_text(tn_val_as_str(v), ret);
    default:
        return false;
    }
}

tn_val tn_jlib_int_of_f64(tn_arena *a, double f)
{
    if (f > -9.2e18 && f < 9.2e18) {
        return tn_val_int((int64_t)f);
    }
    tn_big x = { 0 };
    bool good = tn_big_of_text(a, tn_str_printf(a, "%.0f", f), &x);
    TN_CHECK(good);
    return tn_big_val(a, x);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char l = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    return l >= 'a' && l <= 'z' ? l - 'a' + 10 : 99;
}

/* "0x" and its like: the base that the prefix says, or 0. */
static int prefix_base(tn_str s)
{
    if (s.n < 2 || s.p[0] != '0') {
        return 0;
    }
    switch (s.p[1]) {
    case 'x':
    case 'X':
        return 16;
    case 'o':
    case 'O':
        return 8;
    case 'b':
    case 'B':
        return 2;
    default:
        return 0;
    }
}

/* digits with single underscores between them */
static bool digits_of(tn_arena *a, tn_str s, int base, tn_val *ret)
{
    tn_buf plain = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_big x = { 0 }, by = tn_big_of_i64(a, base);
    bool small = true;
    uint64_t value = 0;
    if (s.n == 0 || s.n > 20000 || s.p[0] == '_' || s.p[s.n - 1] == '_') {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '_') {
            if (s.p[i - 1] == '_') {
                return false;
            }
            continue;
        }
        int d = digit_of(s.p[i]);
        if (d >= base) {
            return false;
        }
        tn_buf_addc(&plain, s.p[i]);
        if (small && value < (UINT64_MAX >> 8) / 64) {
            value = value * (uint64_t)base + (uint64_t)d;
            continue;
        }
        if (base == 10) {
            small = false; /* read at once below */
            continue;
        }
        if (small) {
            small = false;
            x = tn_big_of_i64(a, (int64_t)value);
        }
        x = tn_big_add(a, tn_big_mul(a, x, by), tn_big_of_i64(a, d));
    }
    if (small) {
        *ret = tn_val_int((int64_t)value);
        return true;
    }
    if (base == 10 && !tn_big_of_text(a, tn_buf_str(&plain), &x)) {
        return false;
    }
    *ret = tn_big_val(a, x);
    return true;
}

bool tn_jlib_int_of_text(tn_arena *a, tn_str s, int base, tn_val *ret)
{
    s = tn_jlib_strip(s, 3);
    bool neg = false;
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        neg = s.p[0] == '-';
        s = tn_str_sub(s, 1, s.n);
    }
    int prefix = prefix_base(s);
    bool auto_base = base == 0;
    if (auto_base) {
        base = prefix != 0 ? prefix : 10;
    }
    if (prefix != 0 && prefix == base) {
        s = tn_str_sub(s, 2, s.n);
        if (s.n > 0 && s.p[0] == '_') {
            s = tn_str_sub(s, 1, s.n);
        }
    } else if (auto_base && s.n > 1 && s.p[0] == '0') {
        for (size_t i = 0; i < s.n; i++) {
            if (s.p[i] != '0' && s.p[i] != '_') {
                return false; /* 010 is no literal in Python 3 */
            }
        }
    }
    tn_val v;
    if (!digits_of(a, s, base, &v)) {
        return false;
    }
    if (neg && v.tag == TN_INT) {
        v.i = -v.i;
    } else if (neg) {
        tn_big x = { 0 };
        bool good = tn_big_of_val(a, v, &x);
        TN_CHECK(good);
        x.neg = true;
        v = tn_big_val(a, x);
    }
    *ret = v;
    return true;
}

bool tn_jlib_float_of_text(tn_str s, double *ret)
{
    char plain[512];
    size_t n = 0;
    s = tn_jlib_strip(s, 3);
    tn_str bare = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? tn_str_sub(s, 1, s.n) : s;
    bool neg = s.n > 0 && s.p[0] == '-';
    if (tn_str_eq_nocase(bare, TN_STR("inf")) || tn_str_eq_nocase(bare, TN_STR("infinity"))) {
        *ret = neg ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (tn_str_eq_nocase(bare, TN_STR("nan"))) {
        *ret = (double)NAN;
        return true;
    }
    for (size_t i = 0; i < bare.n; i++) {
        char c = bare.p[i];
        bool digit = c >= '0' && c <= '9';
        if (c == '_') {
            bool between = i > 0 && i + 1 < bare.n && digit_of(bare.p[i - 1]) < 10 &&
                           digit_of(bare.p[i + 1]) < 10;
            if (!between) {
                return false;
            }
            continue;
        }
        if (!digit && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-') {
            return false;
        }
        if (n + 1 >= sizeof plain) {
            return false;
        }
        plain[n++] = c;
    }
    if (n == 0 || plain[0] == '+' || plain[0] == '-') {
        return false;
    }
    double f = 0;
    if (!tn_str_to_f64(tn_str_n(plain, n), &f)) {
        plain[n] = 0;
        char *end = NULL;
        f = strtod(plain, &end); /* forms such as "1." and ".5", and what is out of range */
        if (end != plain + n) {
            return false;
        }
    }
    *ret = neg ? -f : f;
    return true;
}

/* ---- round ---- */
static tn_rc round_int(tn_arena *a, tn_val v, int64_t digits, tn_val *ret, tn_err *err)
{
    if (digits >= 0) {
        *ret = v.tag == TN_BOOL ? tn_val_int(v.i) : v;
        return TN_OK;
    }
    if (digits < -TN_BIG_DIGITS_MAX) {
        *ret = tn_val_int(0);
        return TN_OK;
    }
    tn_dec x;
    if (!tn_dec_of_val(a, v, &x)) {
        return tn_fail(err, TN_E_LIMIT, "an integer of more than %d digits", TN_BIG_DIGITS_MAX);
    }
    x = tn_dec_rescale(a, tn_dec_rescale(a, x, -digits), 0);
    x.c.neg = x.neg && x.c.n > 0;
    *ret = tn_big_val(a, x.c);
    return TN_OK;
}

static tn_rc not_finite(double f, tn_err *err)
{
    return tn_fail(err, TN_E_VALUE,
        isnan(f) ? "cannot convert float NaN to integer"
                 : "cannot convert float infinity to integer");
}

static tn_rc round_float(
    tn_arena *a, double f, bool has_digits, int64_t digits, tn_val *ret, tn_err *err)
{
    if (!has_digits) {
        if (!isfinite(f)) {
            return not_finite(f, err);
        }
        *ret = tn_jlib_int_of_f64(a, nearbyint(f));
        return TN_OK;
    }
    if (!isfinite(f) || digits > 340) {
        *ret = tn_val_float(f);
        return TN_OK;
    }
    if (digits < -310) {
        *ret = tn_val_float(copysign(0.0, f));
        return TN_OK;
    }
    double r = 0;
    tn_dec x = tn_dec_rescale(a, tn_dec_of_f64(a, f), -digits);
    if (x.c.n > 0 && !tn_str_to_f64(tn_str_printf(a, TN_STR_FMT "e%lld",
                                        TN_STR_ARG(tn_big_text(a, x.c)), (long long)-digits),
                         &r)) {
        r = f;
    }
    *ret = tn_val_float(copysign(r, f));
    return TN_OK;
}

tn_rc tn_jlib_round(
    tn_arena *a, tn_val v, bool has_digits, int64_t digits, tn_val *ret, tn_err *err)
{
    if (v.tag == TN_FLOAT) {
        return round_float(a, v.f, has_digits, digits, ret, err);
    }
    if (v.tag == TN_INT || v.tag == TN_BOOL || v.tag == TN_BIGINT) {
        return round_int(a, v, digits, ret, err);
    }
    tn_dec x;
    if (v.tag == TN_DECIMAL && tn_dec_of_val(a, v, &x)) {
        if (x.kind != TN_DEC_FINITE || digits > 1000 || digits < -1000) {
            return tn_fail(err, TN_E_VALUE, "[<class 'decimal.InvalidOperation'>]");
        }
        x = tn_dec_rescale(a, x, has_digits ? -digits : 0);
        x.c.neg = !has_digits && x.neg && x.c.n > 0;
        *ret = has_digits ? tn_dec_val(a, x) : tn_big_val(a, x.c);
        return TN_OK;
    }
    if (v.tag == TN_UNDEF) {
        return tn_jlib_fail_undef(err, v);
    }
    return tn_fail(err, TN_E_TYPE, "type %s doesn't define __round__ method", tn_val_type_name(v));
}
