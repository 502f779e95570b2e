/* jinja_bigint.c: integers of any size in base 10^9 (the values are stored as decimal text, so that reading and printing
 * them is cheap). Multiplication and division are the schoolbook ones; TN_BIG_DIGITS_MAX keeps them short. */
#include <math.h>

#include "base/buf.h"
#include "jinja/value/jinja_num.h"

enum { LIMB_DIGITS = 9 };
static const uint32_t LIMB = 1000000000u;

static tn_big make(tn_arena *a, size_t n)
{
    return (tn_big){ .d = tn_new_array(a, uint32_t, n + 1), .n = n };
}

static tn_big trim(tn_big x)
{
    while (x.n > 0 && x.d[x.n - 1] == 0) {
        x.n--;
    }
    if (x.n == 0) {
        x.neg = false;
    }
    return x;
}

tn_big tn_big_of_i64(tn_arena *a, int64_t v)
{
    tn_big x = make(a, 3);
    uint64_t u = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;
    for (size_t i = 0; i < 3; i++) {
        x.d[i] = (uint32_t)(u % LIMB);
        u /= LIMB;
    }
    x.neg = v < 0;
    return trim(x);
}

bool tn_big_of_text(tn_arena *a, tn_str s, tn_big *ret)
{
    bool neg = false;
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        neg = s.p[0] == '-';
        s = tn_str_sub(s, 1, s.n);
    }
    if (s.n == 0 || s.n > TN_BIG_DIGITS_MAX * (size_t)2) {
        return false;
    }
    tn_big x = make(a, s.n / LIMB_DIGITS + 1);
    static const uint32_t place[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
        100000000 };
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[s.n - 1 - i];
        if (c < '0' || c > '9') {
            return false;
        }
        x.d[i / LIMB_DIGITS] += (uint32_t)(c - '0') * place[i % LIMB_DIGITS];
    }
    x.neg = neg;
    *ret = trim(x);
    return true;
}

bool tn_big_of_val(tn_arena *a, tn_val v, tn_big *ret)
{
    if (v.tag == TN_BIGINT) {
        return tn_big_of_text(a, tn_val_as_str(v), ret);
    }
    if (v.tag == TN_INT || v.tag == TN_BOOL) {
        *ret = tn_big_of_i64(a, v.i);
        return true;
    }
    return false;
}

tn_str tn_big_text(tn_arena *a, tn_big x)
{
    if (x.n == 0) {
        return TN_STR("0");
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addf(&b, "%s%u", x.neg ? "-" : "", x.d[x.n - 1]);
    for (size_t i = x.n - 1; i-- > 0;) {
        tn_buf_addf(&b, "%09u", x.d[i]);
    }
    return tn_buf_str(&b);
}

tn_val tn_big_val(tn_arena *a, tn_big x)
{
    tn_str s = tn_big_text(a, x);
    int64_t i;
    if (s.n <= 20 && tn_str_to_i64(s, &i)) {
        return tn_val_int(i);
    }
    return (tn_val){ .tag = TN_BIGINT, .n = (uint32_t)s.n, .s = s.p };
}

size_t tn_big_digits(tn_big x)
{
    if (x.n == 0) {
        return 1;
    }
    size_t n = (x.n - 1) * LIMB_DIGITS;
    for (uint32_t top = x.d[x.n - 1]; top > 0; top /= 10) {
        n++;
    }
    return n;
}

int tn_big_cmp_abs(tn_big x, tn_big y)
{
    if (x.n != y.n) {
        return x.n < y.n ? -1 : 1;
    }
    for (size_t i = x.n; i-- > 0;) {
        if (x.d[i] != y.d[i]) {
            return x.d[i] < y.d[i] ? -1 : 1;
        }
    }
    return 0;
}

static tn_big add_abs(tn_arena *a, tn_big x, tn_big y)
{
    size_t n = tn_max_size(x.n, y.n);
    tn_big r = make(a, n + 1);
    uint32_t carry = 0;
    for (size_t i = 0; i <= n; i++) {
        uint32_t s = carry + (i < x.n ? x.d[i] : 0) + (i < y.n ? y.d[i] : 0);
        carry = s >= LIMB ? 1 : 0;
        r.d[i] = carry ? s - LIMB : s;
    }
    return trim(r);
}

/* |x| >= |y| */
static tn_big sub_abs(tn_arena *a, tn_big x, tn_big y)
{
    tn_big r = make(a, x.n);
    int64_t borrow = 0;
    for (size_t i = 0; i < x.n; i++) {
        int64_t s = (int64_t)x.d[i] - borrow - (i < y.n ? y.d[i] : 0);
        borrow = s < 0 ? 1 : 0;
        r.d[i] = (uint32_t)(s + (borrow ? LIMB : 0));
    }
    TN_DCHECK(borrow == 0);
    return trim(r);
}

tn_big tn_big_add(tn_arena *a, tn_big x, tn_big y)
{
    tn_big r;
    if (x.neg == y.neg) {
        r = add_abs(a, x, y);
        r.neg = x.neg && r.n > 0;
    } else if (tn_big_cmp_abs(x, y) >= 0) {
        r = sub_abs(a, x, y);
        r.neg = x.neg && r.n > 0;
    } else {
        r = sub_abs(a, y, x);
        r.neg = y.neg && r.n > 0;
    }
    return r;
}

tn_big tn_big_sub(tn_arena *a, tn_big x, tn_big y)
{
    y.neg = !y.neg && y.n > 0;
    return tn_big_add(a, x, y);
}

tn_big tn_big_mul(tn_arena *a, tn_big x, tn_big y)
{
    tn_big r = make(a, x.n + y.n + 1);
    for (size_t i = 0; i < x.n; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < y.n || carry > 0; j++) {
            uint64_t s = r.d[i + j] + carry + (j < y.n ? (uint64_t)x.d[i] * y.d[j] : 0);
            r.d[i + j] = (uint32_t)(s % LIMB);
            carry = s / LIMB;
        }
    }
    r.neg = x.neg != y.neg;
    return trim(r);
}

uint32_t tn_big_div_small(tn_big *x, uint32_t by)
{
    uint64_t rest = 0;
    for (size_t i = x->n; i-- > 0;) {
        uint64_t s = rest * LIMB + x->d[i];
        x->d[i] = (uint32_t)(s / by);
        rest = s % by;
    }
    *x = trim(*x);
    return (uint32_t)rest;
}

static tn_big copy(tn_arena *a, tn_big x, size_t extra)
{
    tn_big r = make(a, x.n + extra);
    if (x.n > 0) {
        memcpy(r.d, x.d, x.n * sizeof *x.d);
    }
    r.neg = x.neg;
    return r;
}

static tn_big mul_small(tn_arena *a, tn_big x, uint32_t by)
{
    tn_big r = copy(a, x, 1);
    uint64_t carry = 0;
    for (size_t i = 0; i < r.n; i++) {
        uint64_t s = (uint64_t)r.d[i] * by + carry;
        r.d[i] = (uint32_t)(s % LIMB);
        carry = s / LIMB;
    }
    return r;
}

/* Takes q * y off the limbs of u from j on; adds y back once when that was too much. Returns the right digit. */
static uint32_t take_off(tn_big u, tn_big y, size_t j, uint64_t q)
{
    int64_t borrow = 0;
    uint64_t carry = 0;
    for (size_t i = 0; i <= y.n; i++) {
        uint64_t p = carry + (i < y.n ? q * y.d[i] : 0);
        carry = p / LIMB;
        int64_t s = (int64_t)u.d[i + j] - (int64_t)(p % LIMB) - borrow;
        borrow = s < 0 ? 1 : 0;
        u.d[i + j] = (uint32_t)(s + (borrow ? LIMB : 0));
    }
    if (borrow == 0) {
        return (uint32_t)q;
    }
    uint32_t add = 0;
    for (size_t i = 0; i <= y.n; i++) {
        uint32_t s = u.d[i + j] + add + (i < y.n ? y.d[i] : 0);
        add = s >= LIMB ? 1 : 0;
        u.d[i + j] = add ? s - LIMB : s;
    }
    return (uint32_t)q - 1;
}

/* Knuth's algorithm D: the divisor is scaled so that its top limb is at least half of the base. */
static void long_division(tn_arena *a, tn_big x, tn_big y, tn_big *ret_q, tn_big *ret_r)
{
    uint32_t scale = LIMB / (y.d[y.n - 1] + 1);
    tn_big u = mul_small(a, x, scale);
    tn_big v = trim(mul_small(a, y, scale));
    TN_DCHECK(u.n == x.n + 1 && v.n == y.n);
    tn_big q = make(a, x.n - y.n + 1);
    for (size_t j = x.n - y.n + 1; j-- > 0;) {
        uint64_t top = (uint64_t)u.d[j + v.n] * LIMB + u.d[j + v.n - 1];
        uint64_t guess = top / v.d[v.n - 1];
        uint64_t rest = top % v.d[v.n - 1];
        while (guess >= LIMB || guess * v.d[v.n - 2] > rest * LIMB + u.d[j + v.n - 2]) {
            guess--;
            rest += v.d[v.n - 1];
            if (rest >= LIMB) {
                break;
            }
        }
        q.d[j] = take_off(u, v, j, guess);
    }
    u = trim(u);
    tn_big_div_small(&u, scale);
    *ret_q = trim(q);
    *ret_r = u;
}

void tn_big_divrem(tn_arena *a, tn_big x, tn_big y, tn_big *ret_q, tn_big *ret_r)
{
    TN_CHECK(y.n > 0);
    tn_big q, r;
    bool x_neg = x.neg, y_neg = y.neg;
    x.neg = y.neg = false;
    if (tn_big_cmp_abs(x, y) < 0) {
        q = (tn_big){ 0 };
        r = copy(a, x, 0);
    } else if (y.n == 1) {
        q = copy(a, x, 0);
        r = tn_big_of_i64(a, tn_big_div_small(&q, y.d[0]));
    } else {
        long_division(a, x, y, &q, &r);
    }
    q.neg = q.n > 0 && x_neg != y_neg;
    r.neg = r.n > 0 && x_neg;
    *ret_q = q;
    *ret_r = r;
}

void tn_big_floordiv(tn_arena *a, tn_big x, tn_big y, tn_big *ret_q, tn_big *ret_r)
{
    tn_big q, r;
    tn_big_divrem(a, x, y, &q, &r);
    if (r.n > 0 && r.neg != y.neg) {
        q = tn_big_sub(a, q, tn_big_of_i64(a, 1));
        r = tn_big_add(a, r, y);
    }
    *ret_q = q;
    *ret_r = r;
}

tn_rc tn_big_pow(tn_arena *a, tn_big x, uint64_t e, tn_big *ret, tn_err *err)
{
    bool trivial = x.n == 0 || (x.n == 1 && x.d[0] == 1);
    if (!trivial &&
        (e > TN_BIG_DIGITS_MAX * (uint64_t)4 ||
            (double)e * ((double)tn_big_digits(x) - (x.n == 1 && x.d[0] < 10 ? 0.69 : 1.0)) >
                (double)TN_BIG_DIGITS_MAX)) {
        return tn_fail(err, TN_E_LIMIT, "an integer of more than %d digits", TN_BIG_DIGITS_MAX);
    }
    tn_big r = tn_big_of_i64(a, 1);
    for (uint64_t left = trivial && e > 2 ? 2 + e % 2 : e; left > 0; left >>= 1) {
        if (left & 1) {
            r = tn_big_mul(a, r, x);
        }
        if (left > 1) {
            x = tn_big_mul(a, x, x);
        }
    }
    *ret = r;
    return TN_OK;
}

tn_big tn_big_pow10(tn_arena *a, size_t e)
{
    tn_big r = make(a, e / LIMB_DIGITS + 1);
    uint32_t top = 1;
    for (size_t i = 0; i < e % LIMB_DIGITS; i++) {
        top *= 10;
    }
    r.d[e / LIMB_DIGITS] = top;
    return r;
}

/* Enough digits of the quotient for a double, and one more digit that says whether something is left. */
double tn_big_ratio(tn_arena *a, tn_big x, tn_big y)
{
    if (x.n == 0) {
        return y.neg ? -0.0 : 0.0;
    }
    int64_t shift = 30 + (int64_t)tn_big_digits(y) - (int64_t)tn_big_digits(x);
    if (shift < 0) {
        shift = 0;
    }
    tn_big q, r;
    tn_big_divrem(a, tn_big_mul(a, x, tn_big_pow10(a, (size_t)shift)), y, &q, &r);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_add(&b, tn_big_text(a, q));
    tn_buf_addf(&b, "%se%lld", r.n > 0 ? "1" : "0", (long long)(-shift - 1));
    double f = 0;
    return tn_str_to_f64(tn_buf_str(&b), &f) ? f : (double)INFINITY;
}
