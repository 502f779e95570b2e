/* jinja_methods_num.c: the methods of int, float and Decimal. */
#include <math.h>

#include "base/buf.h"
#include "jinja/lib/jinja_builtin.h"
#include "jinja/value/jinja_num.h"

static tn_rc i_bit_length(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_big x;
    if (!tn_big_of_val(c->arena, self, &x)) {
        return tn_fail(err, TN_E_LIMIT, "an integer of more than %d digits", TN_BIG_DIGITS_MAX);
    }
    int64_t bits = 0;
    while (x.n > 0) {
        bool last = x.n == 1 && x.d[0] < (1u << 16);
        if (last) {
            bits += 32 - __builtin_clz(x.d[0]);
            break;
        }
        tn_big_div_small(&x, 1u << 16);
        bits += 16;
    }
    *ret = tn_val_int(bits);
    return TN_OK;
}

static tn_rc n_conjugate(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = self;
    return TN_OK;
}

static tn_rc f_is_integer(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = tn_val_bool(isfinite(self.f) && floor(self.f) == self.f);
    return TN_OK;
}

static tn_rc i_ratio(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    *ret = tn_jlib_pair(c->arena, self, tn_val_int(1));
    return TN_OK;
}

static tn_rc f_ratio(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    if (!isfinite(self.f)) {
        return tn_fail(err, TN_E_VALUE, "cannot convert Infinity to integer ratio");
    }
    int e = 0;
    double m = frexp(self.f, &e);
    int64_t num = (int64_t)ldexp(m, 53);
    e -= 53;
    while (num != 0 && num % 2 == 0) {
        num /= 2;
        e++;
    }
    tn_big power = tn_big_of_i64(c->arena, 1);
    if (num != 0) {
        TN_TRY(tn_big_pow(
            c->arena, tn_big_of_i64(c->arena, 2), (uint64_t)(e < 0 ? -e : e), &power, err));
    }
    tn_big n = tn_big_of_i64(c->arena, num);
    tn_val top = tn_big_val(c->arena, e > 0 ? tn_big_mul(c->arena, n, power) : n);
    *ret = tn_jlib_pair(
        c->arena, top, e < 0 && num != 0 ? tn_big_val(c->arena, power) : tn_val_int(1));
    return TN_OK;
}

const tn_jlib_method tn_jlib_int_methods[] = {
    { "bit_length", i_bit_length, 0, 0, NULL },
    { "conjugate", n_conjugate, 0, 0, NULL },
    { "as_integer_ratio", i_ratio, 0, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};

const tn_jlib_method tn_jlib_float_methods[] = {
    { "is_integer", f_is_integer, 0, 0, NULL },
    { "conjugate", n_conjugate, 0, 0, NULL },
    { "as_integer_ratio", f_ratio, 0, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};

/* ---- Decimal ---- */
static tn_rc decimal(const tn_call *c, tn_val v, tn_dec *ret, tn_err *err)
{
    if (!tn_dec_of_val(c->arena, v, ret)) {
        return tn_fail(
            err, TN_E_TYPE, "conversion from %s to Decimal is not supported", tn_val_type_name(v));
    }
    return TN_OK;
}

static tn_rc d_quantize(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_dec x, like;
    TN_TRY(decimal(c, self, &x, err));
    TN_TRY(decimal(c, c->args[0], &like, err));
    if (x.kind == TN_DEC_NAN || like.kind == TN_DEC_NAN) {
        *ret = tn_val_decimal(TN_STR("NaN"));
        return TN_OK;
    }
    bool one_inf = (x.kind == TN_DEC_INF) != (like.kind == TN_DEC_INF);
    bool wide = !one_inf && x.kind == TN_DEC_FINITE &&
                (int64_t)tn_big_digits(x.c) + x.e - like.e > 28 && x.c.n > 0;
    if (one_inf || wide || like.e > 1000 || like.e < -1000) {
        return tn_fail(err, TN_E_VALUE, "[<class 'decimal.InvalidOperation'>]");
    }
    *ret = tn_dec_val(c->arena, tn_dec_rescale(c->arena, x, like.e));
    return TN_OK;
}

static tn_rc d_normalize(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_dec x;
    TN_TRY(decimal(c, self, &x, err));
    *ret = tn_dec_val(c->arena, tn_dec_normal(c->arena, tn_dec_round(c->arena, x, 28)));
    return TN_OK;
}

static tn_rc d_to_integral(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_dec x;
    TN_TRY(decimal(c, self, &x, err));
    *ret = tn_dec_val(c->arena, x.e < 0 ? tn_dec_rescale(c->arena, x, 0) : x);
    return TN_OK;
}

static tn_rc d_copy_abs(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_dec x;
    TN_TRY(decimal(c, self, &x, err));
    x.neg = false;
    *ret = tn_dec_val(c->arena, x);
    return TN_OK;
}

static tn_rc d_adjusted(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_dec x;
    TN_TRY(decimal(c, self, &x, err));
    *ret = tn_val_int(x.kind == TN_DEC_FINITE ? x.e + (int64_t)tn_big_digits(x.c) - 1 : 0);
    return TN_OK;
}

/* (sign, digits, exponent) as a tuple. */
static tn_rc d_as_tuple(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_dec x;
    TN_TRY(decimal(c, self, &x, err));
    tn_val digits = tn_val_list(c->arena);
    bool finite = x.kind == TN_DEC_FINITE;
    tn_dec whole = { .kind = TN_DEC_FINITE, .c = x.c };
    tn_str text = finite ? tn_val_as_str(tn_dec_val(c->arena, whole)) : TN_STR("0");
    for (size_t i = 0; i < text.n && x.kind != TN_DEC_NAN; i++) {
        tn_list_push(digits.list, tn_val_int(text.p[i] - '0'));
    }
    tn_val parts[3] = { tn_val_int(x.neg ? 1 : 0),
        tn_val_tuple(c->arena, digits.list->v, digits.list->n),
        finite                 ? tn_val_int(x.e)
        : x.kind == TN_DEC_NAN ? tn_val_z("n")
                               : tn_val_z("F") };
    *ret = tn_val_tuple(c->arena, parts, 3);
    return TN_OK;
}

static tn_rc d_compare(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int cmp = 0;
    TN_TRY(tn_val_cmp(self, c->args[0], &cmp, err));
    *ret = tn_val_decimal(cmp < 0 ? TN_STR("-1") : cmp > 0 ? TN_STR("1") : TN_STR("0"));
    return TN_OK;
}

#define ASK(fn, answer)                                                                            \
    static tn_rc fn(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)                       \
    {                                                                                              \
        tn_dec x;                                                                                  \
        TN_TRY(decimal(c, self, &x, err));                                                         \
        *ret = tn_val_bool(answer);                                                                \
        return TN_OK;                                                                              \
    }
ASK(d_is_nan, x.kind == TN_DEC_NAN)
ASK(d_is_infinite, x.kind == TN_DEC_INF)
ASK(d_is_finite, x.kind == TN_DEC_FINITE)
ASK(d_is_zero, x.kind == TN_DEC_FINITE && x.c.n == 0)
ASK(d_is_signed, x.neg)

const tn_jlib_method tn_jlib_decimal_methods[] = {
    { "quantize", d_quantize, 1, 1, NULL },
    { "normalize", d_normalize, 0, 0, NULL },
    { "to_integral_value", d_to_integral, 0, 0, NULL },
    { "to_integral", d_to_integral, 0, 0, NULL },
    { "copy_abs", d_copy_abs, 0, 0, NULL },
    { "adjusted", d_adjusted, 0, 0, NULL },
    { "as_tuple", d_as_tuple, 0, 0, NULL },
    { "compare", d_compare, 1, 1, NULL },
    { "is_nan", d_is_nan, 0, 0, NULL },
    { "is_infinite", d_is_infinite, 0, 0, NULL },
    { "is_finite", d_is_finite, 0, 0, NULL },
    { "is_zero", d_is_zero, 0, 0, NULL },
    { "is_signed", d_is_signed, 0, 0, NULL },
    { "conjugate", n_conjugate, 0, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};
