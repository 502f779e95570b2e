/* jinja_decimal.c: Python's decimal.Decimal with its default context: 28 significant digits, halves to even.
 *
 * A value is (-1)^neg * c * 10^e. Text goes in and out by the rules of the General Decimal Arithmetic specification
 * (to-scientific-string): plain while e <= 0 and the adjusted exponent is at least -6, else with E. */
#include "base/buf.h"
#include "jinja/value/jinja_num.h"

enum { PRECISION = 28, EXPONENT_MAX = 999999 };

bool tn_dec_parse(tn_arena *a, tn_str s, tn_dec *ret)
{
    s = tn_str_trim(s);
    tn_dec x = { .kind = TN_DEC_FINITE };
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        x.neg = s.p[0] == '-';
        s = tn_str_sub(s, 1, s.n);
    }
    if (tn_str_eq_nocase(s, TN_STR("inf")) || tn_str_eq_nocase(s, TN_STR("infinity"))) {
        x.kind = TN_DEC_INF;
        *ret = x;
        return true;
    }
    if (tn_str_eq_nocase(s, TN_STR("nan")) || tn_str_eq_nocase(s, TN_STR("snan"))) {
        x.kind = TN_DEC_NAN;
        *ret = x;
        return true;
    }
    if (s.n > TN_BIG_DIGITS_MAX) {
        return false;
    }
    char *digits = tn_arena_alloc(a, s.n + 1);
    size_t n = 0, i = 0;
    bool dot = false;
    for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '.' && !dot) {
            dot = true;
        } else if (s.p[i] >= '0' && s.p[i] <= '9') {
            digits[n++] = s.p[i];
            x.e -= dot ? 1 : 0;
        } else if (s.p[i] != '_' || n == 0) {
            return false;
        }
    }
    int64_t e = 0;
    if (i < s.n) {
        tn_str exp = tn_str_sub(s, i + 1, s.n);
        if (exp.n > 1 && exp.p[0] == '+') {
            exp = tn_str_sub(exp, 1, exp.n);
        }
        if (!tn_str_to_i64(exp, &e) || e > EXPONENT_MAX || e < -EXPONENT_MAX) {
            return false;
        }
    }
    x.e += e;
    if (!tn_big_of_text(a, tn_str_n(digits, n), &x.c)) {
        return false;
    }
    *ret = x;
    return true;
}

bool tn_dec_of_val(tn_arena *a, tn_val v, tn_dec *ret)
{
    if (v.tag == TN_DECIMAL) {
        return tn_dec_parse(a, tn_val_as_str(v), ret);
    }
    tn_dec x = { .kind = TN_DEC_FINITE };
    if (!tn_big_of_val(a, v, &x.c)) {
        return false;
    }
    x.neg = x.c.neg;
    x.c.neg = false;
    *ret = x;
    return true;
}

/* f = m * 2^e exactly; a negative power of two is a power of five over one of ten. */
tn_dec tn_dec_of_f64(tn_arena *a, double f)
{
    tn_dec x = { .kind = TN_DEC_FINITE, .neg = __builtin_signbit(f) != 0 };
    if (__builtin_isnan(f) || __builtin_isinf(f)) {
        x.kind = __builtin_isnan(f) ? TN_DEC_NAN : TN_DEC_INF;
        return x;
    }
    int e = 0;
    double m = __builtin_frexp(__builtin_fabs(f), &e);
    int64_t whole = (int64_t)__builtin_ldexp(m, 53);
    e -= 53;
    while (whole != 0 && whole % 2 == 0) {
        whole /= 2;
        e++;
    }
    tn_big power = tn_big_of_i64(a, 1);
    tn_rc rc = whole == 0 ? TN_OK
                          : tn_big_pow(a, tn_big_of_i64(a, e < 0 ? 5 : 2),
                                (uint64_t)(e < 0 ? -e : e), &power, NULL);
    TN_CHECK(rc == TN_OK);
    x.c = tn_big_mul(a, tn_big_of_i64(a, whole), power);
    x.e = e < 0 && whole != 0 ? e : 0;
    return x;
}

tn_val tn_dec_val(tn_arena *a, tn_dec x)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (x.neg) {
        tn_buf_addc(&b, '-');
    }
    if (x.kind != TN_DEC_FINITE) {
        tn_buf_addz(&b, x.kind == TN_DEC_INF ? "Infinity" : "NaN");
        return tn_val_decimal(tn_buf_str(&b));
    }
    tn_str digits = tn_big_text(a, x.c);
    int64_t adjusted = x.e + (int64_t)digits.n - 1;
    if (x.e <= 0 && adjusted >= -6) {
        int64_t point = (int64_t)digits.n + x.e; /* digits before the point */
        if (point <= 0) {
            tn_buf_addz(&b, "0.");
            tn_buf_add_repeat(&b, '0', (size_t)-point);
            tn_buf_add(&b, digits);
        } else {
            tn_buf_add(&b, tn_str_sub(digits, 0, (size_t)point));
            if (x.e < 0) {
                tn_buf_addc(&b, '.');
                tn_buf_add(&b, tn_str_sub(digits, (size_t)point, digits.n));
            }
        }
    } else {
        tn_buf_addc(&b, digits.p[0]);
        if (digits.n > 1) {
            tn_buf_addc(&b, '.');
            tn_buf_add(&b, tn_str_sub(digits, 1, digits.n));
        }
        tn_buf_addf(&b, "E%+lld", (long long)adjusted);
    }
    return tn_val_decimal(tn_buf_str(&b));
}

/* Drops the last n digits of the coefficient, rounding half to even. */
static tn_big drop_digits(tn_arena *a, tn_big c, size_t n)
{
    tn_big q, r;
    tn_big unit = tn_big_pow10(a, n);
    if (n > tn_big_digits(c)) {
        return (tn_big){ 0 };
    }
    tn_big_divrem(a, c, unit, &q, &r);
    int half = tn_big_cmp_abs(tn_big_add(a, r, r), unit);
    bool odd = q.n > 0 && q.d[0] % 2 == 1;
    return half > 0 || (half == 0 && odd) ? tn_big_add(a, q, tn_big_of_i64(a, 1)) : q;
}

tn_dec tn_dec_round(tn_arena *a, tn_dec x, size_t digits)
{
    if (x.kind != TN_DEC_FINITE) {
        return x;
    }
    for (size_t have = tn_big_digits(x.c); have > digits; have = tn_big_digits(x.c)) {
        x.c = drop_digits(
            a, x.c, have - digits); /* 999.5 can carry into one digit more: once again */
        x.e += (int64_t)(have - digits);
    }
    return x;
}

tn_dec tn_dec_rescale(tn_arena *a, tn_dec x, int64_t e)
{
    if (x.kind != TN_DEC_FINITE || x.e == e) {
        return x;
    }
    if (x.e > e) {
        x.c = tn_big_mul(a, x.c, tn_big_pow10(a, (size_t)(x.e - e)));
    } else {
        x.c = drop_digits(a, x.c, (size_t)(e - x.e));
    }
    x.e = e;
    return x;
}

tn_dec tn_dec_normal(tn_arena *a, tn_dec x)
{
    if (x.kind != TN_DEC_FINITE) {
        return x;
    }
    if (x.c.n == 0) {
        x.e = 0;
        return x;
    }
    tn_big ten = tn_big_of_i64(a, 10), q, r;
    for (;;) {
        tn_big_divrem(a, x.c, ten, &q, &r);
        if (r.n > 0) {
            return x;
        }
        x.c = q;
        x.e++;
    }
}

static tn_rc invalid(tn_err *err)
{
    return tn_fail(err, TN_E_VALUE, "[<class 'decimal.InvalidOperation'>]");
}

static tn_rc too_far(tn_err *err)
{
    return tn_fail(err, TN_E_LIMIT, "a decimal with an exponent out of range");
}

static tn_rc add(tn_arena *a, tn_dec x, tn_dec y, tn_dec *ret, tn_err *err)
{
    if (x.e - y.e > TN_BIG_DIGITS_MAX || y.e - x.e > TN_BIG_DIGITS_MAX) {
        return too_far(err);
    }
    int64_t e = x.e < y.e ? x.e : y.e;
    x = tn_dec_rescale(a, x, e);
    y = tn_dec_rescale(a, y, e);
    tn_big cx = x.c, cy = y.c;
    cx.neg = x.neg && cx.n > 0;
    cy.neg = y.neg && cy.n > 0;
    tn_big sum = tn_big_add(a, cx, cy);
    tn_dec r = {
        .kind = TN_DEC_FINITE, .neg = sum.n > 0 ? sum.neg : x.neg && y.neg, .c = sum, .e = e
    };
    r.c.neg = false;
    *ret = tn_dec_round(a, r, PRECISION);
    return TN_OK;
}

static tn_rc divide(tn_arena *a, tn_dec x, tn_dec y, tn_dec *ret, tn_err *err)
{
    if (y.c.n == 0) {
        return tn_fail(err, TN_E_VALUE,
            x.c.n == 0 ? "[<class 'decimal.DivisionUndefined'>]"
                       : "[<class 'decimal.DivisionByZero'>]");
    }
    tn_dec r = { .kind = TN_DEC_FINITE, .neg = x.neg != y.neg, .e = x.e - y.e };
    if (x.c.n == 0) {
        *ret = r;
        return TN_OK;
    }
    int64_t shift = (int64_t)tn_big_digits(y.c) - (int64_t)tn_big_digits(x.c) + PRECISION + 1;
    tn_big num = shift > 0 ? tn_big_mul(a, x.c, tn_big_pow10(a, (size_t)shift)) : x.c;
    tn_big den = shift < 0 ? tn_big_mul(a, y.c, tn_big_pow10(a, (size_t)-shift)) : y.c;
    tn_big rest;
    tn_big_divrem(a, num, den, &r.c, &rest);
    int64_t ideal = r.e;
    r.e -= shift;
    if (rest.n > 0) {
        if (r.c.d[0] % 5 == 0) { /* so that rounding does not see an exact half */
            r.c = tn_big_add(a, r.c, tn_big_of_i64(a, 1));
        }
    } else {
        tn_big q, m, ten = tn_big_of_i64(a, 10);
        while (r.e < ideal) {
            tn_big_divrem(a, r.c, ten, &q, &m);
            if (m.n > 0) {
                break;
            }
            r.c = q;
            r.e++;
        }
    }
    *ret = tn_dec_round(a, r, PRECISION);
    return TN_OK;
}

/* Python's decimals divide towards zero, unlike its integers. */
static tn_rc whole_division(tn_arena *a, bool mod, tn_dec x, tn_dec y, tn_dec *ret, tn_err *err)
{
    if (y.c.n == 0) {
        return tn_fail(err, TN_E_VALUE,
            x.c.n == 0 ? "[<class 'decimal.DivisionUndefined'>]"
            : mod      ? "[<class 'decimal.InvalidOperation'>]"
                       : "[<class 'decimal.DivisionByZero'>]");
    }
    if (x.e - y.e > TN_BIG_DIGITS_MAX || y.e - x.e > TN_BIG_DIGITS_MAX) {
        return too_far(err);
    }
    int64_t e = x.e < y.e ? x.e : y.e;
    tn_big q, r;
    tn_big_divrem(a, tn_dec_rescale(a, x, e).c, tn_dec_rescale(a, y, e).c, &q, &r);
    if (tn_big_digits(q) > PRECISION) {
        return tn_fail(err, TN_E_VALUE, "[<class 'decimal.DivisionImpossible'>]");
    }
    tn_dec d = mod ? (tn_dec){ .kind = TN_DEC_FINITE, .neg = x.neg, .c = r, .e = e }
                   : (tn_dec){ .kind = TN_DEC_FINITE, .neg = x.neg != y.neg, .c = q, .e = 0 };
    *ret = tn_dec_round(a, d, PRECISION);
    return TN_OK;
}

static tn_rc power(tn_arena *a, tn_dec x, tn_dec y, tn_dec *ret, tn_err *err)
{
    tn_dec whole = tn_dec_normal(a, y);
    if (whole.e < 0 || tn_big_digits(whole.c) + (size_t)whole.e > 6) {
        return tn_fail(
            err, TN_E_UNSUPPORTED, "a decimal can only be raised to a small whole power");
    }
    tn_val n = tn_big_val(a, tn_dec_rescale(a, whole, 0).c);
    if (x.c.n == 0 && n.i == 0) {
        return invalid(err);
    }
    if (x.c.n == 0) {
        *ret = (tn_dec){ .kind = whole.neg ? TN_DEC_INF : TN_DEC_FINITE,
            .neg = x.neg && n.i % 2 == 1 };
        return TN_OK;
    }
    /* More digits than asked for while multiplying, as the specification wants. */
    tn_dec r = { .kind = TN_DEC_FINITE, .c = tn_big_of_i64(a, 1) };
    for (int64_t left = n.i; left > 0; left >>= 1) {
        if (left & 1) {
            r.c = tn_big_mul(a, r.c, x.c);
            r.e += x.e;
            r.neg = r.neg != x.neg;
            r = tn_dec_round(a, r, (size_t)PRECISION * 2 + 12);
        }
        x.c = tn_big_mul(a, x.c, x.c);
        x.e *= 2;
        x.neg = false;
        x = tn_dec_round(a, x, (size_t)PRECISION * 2 + 12);
    }
    if (whole.neg && n.i != 0) {
        tn_dec one = { .kind = TN_DEC_FINITE, .c = tn_big_of_i64(a, 1) };
        return divide(a, one, r, ret, err);
    }
    *ret = tn_dec_round(a, r, PRECISION);
    return TN_OK;
}

static tn_rc special(tn_dec_op op, tn_dec x, tn_dec y, tn_dec *ret, tn_err *err)
{
    tn_dec r = { .kind = TN_DEC_INF };
    bool x_inf = x.kind == TN_DEC_INF, y_inf = y.kind == TN_DEC_INF;
    if (x.kind == TN_DEC_NAN || y.kind == TN_DEC_NAN) {
        r.kind = TN_DEC_NAN;
        *ret = r;
        return TN_OK;
    }
    switch (op) {
    case TN_DEC_ADD:
    case TN_DEC_SUB:
        y.neg = op == TN_DEC_SUB ? !y.neg : y.neg;
        if (x_inf && y_inf && x.neg != y.neg) {
            return invalid(err);
        }
        r.neg = x_inf ? x.neg : y.neg;
        break;
    case TN_DEC_MUL:
        if ((!x_inf && x.c.n == 0) || (!y_inf && y.c.n == 0)) {
            return invalid(err);
        }
        r.neg = x.neg != y.neg;
        break;
    case TN_DEC_DIV:
    case TN_DEC_FLOORDIV:
        if (x_inf && y_inf) {
            return invalid(err);
        }
        r.kind = x_inf ? TN_DEC_INF : TN_DEC_FINITE;
        r.neg = x.neg != y.neg;
        break;
    default:
        if (x_inf || op == TN_DEC_POW) {
            return invalid(err);
        }
        r = x;
        break;
    }
    *ret = r;
    return TN_OK;
}

tn_rc tn_dec_arith(tn_arena *a, tn_dec_op op, tn_dec x, tn_dec y, tn_dec *ret, tn_err *err)
{
    if (x.kind != TN_DEC_FINITE || y.kind != TN_DEC_FINITE) {
        return special(op, x, y, ret, err);
    }
    switch (op) {
    case TN_DEC_SUB:
        y.neg = !y.neg;
        return add(a, x, y, ret, err);
    case TN_DEC_ADD:
        return add(a, x, y, ret, err);
    case TN_DEC_MUL: {
        tn_dec r = { .kind = TN_DEC_FINITE,
            .neg = x.neg != y.neg,
            .c = tn_big_mul(a, x.c, y.c),
            .e = x.e + y.e };
        *ret = tn_dec_round(a, r, PRECISION);
        return TN_OK;
    }
    case TN_DEC_DIV:
        return divide(a, x, y, ret, err);
    case TN_DEC_FLOORDIV:
    case TN_DEC_MOD:
        return whole_division(a, op == TN_DEC_MOD, x, y, ret, err);
    default:
        return power(a, x, y, ret, err);
    }
}

tn_big tn_dec_trunc(tn_arena *a, tn_dec x)
{
    tn_big q = x.c, r;
    if (x.e < 0) {
        tn_big_divrem(a, x.c, tn_big_pow10(a, (size_t)-x.e), &q, &r);
    } else {
        q = tn_big_mul(a, x.c, tn_big_pow10(a, (size_t)x.e));
    }
    q.neg = x.neg && q.n > 0;
    return q;
}
