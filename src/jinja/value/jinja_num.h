/* jinja_num.h: integers of any size and decimals with Python's default context; private to src/jinja.
 *
 * tn_big is a magnitude in limbs of 9 decimal digits, little end first, without leading zero limbs; zero has no limbs and no
 * sign. Values are immutable; results live in the arena given. More than TN_BIG_DIGITS_MAX digits are TN_E_LIMIT.
 */
#ifndef TN_JINJA_VALUE_JINJA_NUM_H
#define TN_JINJA_VALUE_JINJA_NUM_H

#include "base/val.h"

enum { TN_BIG_DIGITS_MAX = 100000 };

typedef struct tn_big {
    uint32_t *d;
    size_t n;
    bool neg;
} tn_big;

tn_big tn_big_of_i64(tn_arena *a, int64_t v);
bool tn_big_of_text(tn_arena *a, tn_str digits, tn_big *ret); /* [+-]digits */
bool tn_big_of_val(tn_arena *a, tn_val v, tn_big *ret);       /* bool, int, big int */
tn_val tn_big_val(tn_arena *a, tn_big x);                     /* an int when it fits */
tn_str tn_big_text(tn_arena *a, tn_big x);
int tn_big_cmp_abs(tn_big x, tn_big y);
tn_big tn_big_add(tn_arena *a, tn_big x, tn_big y);
tn_big tn_big_sub(tn_arena *a, tn_big x, tn_big y);
tn_big tn_big_mul(tn_arena *a, tn_big x, tn_big y);
/* Quotient towards zero, remainder with the sign of x; y is not zero. */
void tn_big_divrem(tn_arena *a, tn_big x, tn_big y, tn_big *ret_q, tn_big *ret_r);
void tn_big_floordiv(tn_arena *a, tn_big x, tn_big y, tn_big *ret_q, tn_big *ret_r);
tn_rc tn_big_pow(tn_arena *a, tn_big x, uint64_t e, tn_big *ret, tn_err *err) TN_MUSTUSE;
tn_big tn_big_pow10(tn_arena *a, size_t e);
double tn_big_ratio(tn_arena *a, tn_big x, tn_big y); /* x / y, correctly rounded; y is not zero */
uint32_t tn_big_div_small(tn_big *x, uint32_t by);    /* in place on its own limbs; the remainder */
size_t tn_big_digits(tn_big x);

typedef enum tn_dec_kind { TN_DEC_FINITE, TN_DEC_INF, TN_DEC_NAN } tn_dec_kind;
typedef struct tn_dec {
    tn_dec_kind kind;
    bool neg; /* also of zero */
    tn_big c; /* coefficient, not negative */
    int64_t e;
} tn_dec;

bool tn_dec_parse(tn_arena *a, tn_str s, tn_dec *ret);
bool tn_dec_of_val(tn_arena *a, tn_val v, tn_dec *ret); /* decimals and integers */
tn_val tn_dec_val(tn_arena *a, tn_dec x);
tn_dec tn_dec_round(tn_arena *a, tn_dec x, size_t digits); /* to significant digits, half to even */
tn_dec tn_dec_rescale(tn_arena *a, tn_dec x, int64_t e);   /* to an exponent, half to even */
/* The integer part of a finite one. The caller bounds its exponent: that is how many digits there are. */
tn_big tn_dec_trunc(tn_arena *a, tn_dec x);
tn_dec tn_dec_of_f64(tn_arena *a, double f); /* exact */
tn_dec tn_dec_normal(tn_arena *a, tn_dec x); /* without trailing zeros */
typedef enum tn_dec_op {
    TN_DEC_ADD,
    TN_DEC_SUB,
    TN_DEC_MUL,
    TN_DEC_DIV,
    TN_DEC_FLOORDIV,
    TN_DEC_MOD,
    TN_DEC_POW
} tn_dec_op;
tn_rc tn_dec_arith(
    tn_arena *a, tn_dec_op op, tn_dec x, tn_dec y, tn_dec *ret, tn_err *err) TN_MUSTUSE;

#endif
