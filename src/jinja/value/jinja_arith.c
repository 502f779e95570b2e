/* jinja_arith.c: Python's arithmetic on every pair of types that Python allows, `in`, slices and unary minus.
 *
 * Small integers stay in int64 until an operation overflows; then the big integers of jinja_bigint.c take over.
 * Decimals mix with integers, not with floats. Dates and timedeltas are at the end. */
#include <math.h>

#include "base/buf.h"
#include "jinja/value/jinja_lib.h"
#include "jinja/value/jinja_num.h"
#include "text/timetext.h"

static const char *const OP_NAMES[] = { "+", "-", "*", "/", "//", "%", "** or pow()" };
static const int64_t DAY = 86400 * (int64_t)1000000;

static tn_rc unsupported(tn_jinja_op op, tn_val a, tn_val b, tn_err *err)
{
    return tn_fail(err, TN_E_TYPE, "unsupported operand type(s) for %s: '%s' and '%s'",
        OP_NAMES[op], tn_val_type_name(a), tn_val_type_name(b));
}

static tn_rc zero_division(tn_err *err, const char *what)
{
    return tn_fail(err, TN_E_VALUE, "%s", what);
}

/* ---- integers ---- */
static tn_rc big_power(tn_arena *ar, tn_big x, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    if (b.tag == TN_BIGINT) {
        if (x.n > 1 || (x.n == 1 && x.d[0] > 1) || b.s[0] == '-') {
            return tn_fail(err, TN_E_LIMIT, "an integer of more than %d digits", TN_BIG_DIGITS_MAX);
        }
        bool odd = (b.s[b.n - 1] - '0') % 2 == 1;
        *ret = tn_val_int(x.n == 0 ? 0 : x.neg && odd ? -1 : 1);
        return TN_OK;
    }
    if (b.i < 0) {
        double fa = 0;
        if (x.n == 0) {
            return zero_division(err, "0.0 cannot be raised to a negative power");
        }
        tn_jlib_to_f64(a, &fa);
        *ret = tn_val_float(pow(fa, (double)b.i));
        return TN_OK;
    }
    tn_big r;
    TN_TRY(tn_big_pow(ar, x, (uint64_t)b.i, &r, err));
    *ret = tn_big_val(ar, r);
    return TN_OK;
}

static tn_rc big_arith(tn_arena *ar, tn_jinja_op op, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    tn_big x, y, q, r;
    if (!tn_big_of_val(ar, a, &x) || !tn_big_of_val(ar, b, &y)) {
        return tn_fail(err, TN_E_LIMIT, "an integer of more than %d digits", TN_BIG_DIGITS_MAX * 2);
    }
    switch (op) {
    case TN_OP_ADD:
        *ret = tn_big_val(ar, tn_big_add(ar, x, y));
        return TN_OK;
    case TN_OP_SUB:
        *ret = tn_big_val(ar, tn_big_sub(ar, x, y));
        return TN_OK;
    case TN_OP_MUL:
        if (tn_big_digits(x) + tn_big_digits(y) > TN_BIG_DIGITS_MAX) {
            return tn_fail(err, TN_E_LIMIT, "an integer of more than %d digits", TN_BIG_DIGITS_MAX);
        }
        *ret = tn_big_val(ar, tn_big_mul(ar, x, y));
        return TN_OK;
    case TN_OP_POW:
        return big_power(ar, x, a, b, ret, err);
    case TN_OP_DIV: {
        if (y.n == 0) {
            return zero_division(err, "division by zero");
        }
        double f = tn_big_ratio(ar, x, y);
        if (isinf(f)) {
            return tn_fail(err, TN_E_VALUE, "integer division result too large for a float");
        }
        *ret = tn_val_float(f);
        return TN_OK;
    }
    default:
        if (y.n == 0) {
            return zero_division(err,
                op == TN_OP_MOD ? "integer modulo by zero" : "integer division or modulo by zero");
        }
        tn_big_floordiv(ar, x, y, &q, &r);
        *ret = tn_big_val(ar, op == TN_OP_MOD ? r : q);
        return TN_OK;
    }
}

/* int64 only; false when the big integers have to do it (also for errors, which they name). */
static bool small_arith(tn_jinja_op op, int64_t a, int64_t b, tn_val *ret)
{
    int64_t r = 0;
    const int64_t exact = (int64_t)1 << 53;
    switch (op) {
    case TN_OP_ADD:
        return __builtin_add_overflow(a, b, &r) ? false : (*ret = tn_val_int(r), true);
    case TN_OP_SUB:
        return __builtin_sub_overflow(a, b, &r) ? false : (*ret = tn_val_int(r), true);
    case TN_OP_MUL:
        return __builtin_mul_overflow(a, b, &r) ? false : (*ret = tn_val_int(r), true);
    case TN_OP_DIV:
        if (b == 0 || a > exact || a < -exact || b > exact || b < -exact) {
            return false;
        }
        *ret = tn_val_float((double)a / (double)b);
        return true;
    case TN_OP_FLOORDIV:
    case TN_OP_MOD: {
        if (b == 0 || b == -1) {
            return false;
        }
        int64_t q = a / b, m = a % b;
        bool down = m != 0 && (m < 0) != (b < 0);
        *ret = tn_val_int(op == TN_OP_MOD ? m + (down ? b : 0) : q - (down ? 1 : 0));
        return true;
    }
    default:
        return false;
    }
}

/* ---- floats ---- */
static double float_mod(double x, double y)
{
    double m = fmod(x, y);
    if (m != 0) {
        return (y < 0) != (m < 0) ? m + y : m;
    }
    return copysign(0.0, y);
}

static double float_floordiv(double x, double y)
{
    double m = fmod(x, y);
    double div = (x - m) / y;
    if (m != 0 && (y < 0) != (m < 0)) {
        div -= 1.0;
    }
    if (div == 0) {
        return copysign(0.0, x / y);
    }
    double f = floor(div);
    return div - f > 0.5 ? f + 1.0 : f;
}

static tn_rc float_power(double x, double y, tn_val *ret, tn_err *err)
{
    if (x == 0 && y < 0) {
        return zero_division(err, "0.0 cannot be raised to a negative power");
    }
    if (x < 0 && y != floor(y) && isfinite(x) && isfinite(y)) {
        return tn_fail(
            err, TN_E_UNSUPPORTED, "a negative number to a broken power is a complex number");
    }
    double r = pow(x, y);
    if (isinf(r) && isfinite(x) && isfinite(y)) {
        return tn_fail(err, TN_E_VALUE, "(34, 'Numerical result out of range')");
    }
    *ret = tn_val_float(r);
    return TN_OK;
}

static tn_rc float_arith(tn_jinja_op op, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    double x = 0, y = 0;
    if (!tn_jlib_to_f64(a, &x) || !tn_jlib_to_f64(b, &y)) {
        return tn_fail(err, TN_E_VALUE, "int too large to convert to float");
    }
    if (y == 0 && (op == TN_OP_DIV || op == TN_OP_FLOORDIV || op == TN_OP_MOD)) {
        return zero_division(err, op == TN_OP_DIV   ? "float division by zero"
                                  : op == TN_OP_MOD ? "float modulo"
                                                    : "float floor division by zero");
    }
    switch (op) {
    case TN_OP_ADD:
        *ret = tn_val_float(x + y);
        return TN_OK;
    case TN_OP_SUB:
        *ret = tn_val_float(x - y);
        return TN_OK;
    case TN_OP_MUL:
        *ret = tn_val_float(x * y);
        return TN_OK;
    case TN_OP_DIV:
        *ret = tn_val_float(x / y);
        return TN_OK;
    case TN_OP_FLOORDIV:
        *ret = tn_val_float(float_floordiv(x, y));
        return TN_OK;
    case TN_OP_MOD:
        *ret = tn_val_float(float_mod(x, y));
        return TN_OK;
    default:
        return float_power(x, y, ret, err);
    }
}

static tn_rc decimal_arith(
    tn_arena *ar, tn_jinja_op op, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    static const tn_dec_op ops[] = { TN_DEC_ADD, TN_DEC_SUB, TN_DEC_MUL, TN_DEC_DIV,
        TN_DEC_FLOORDIV, TN_DEC_MOD, TN_DEC_POW };
    tn_dec x, y, r;
    if (!tn_dec_of_val(ar, a, &x) || !tn_dec_of_val(ar, b, &y)) {
        return unsupported(op, a, b, err);
    }
    TN_TRY(tn_dec_arith(ar, ops[op], x, y, &r, err));
    *ret = tn_dec_val(ar, r);
    return TN_OK;
}

/* ---- sequences ---- */
static tn_rc repeat_text(tn_arena *ar, tn_val v, int64_t times, tn_val *ret, tn_err *err)
{
    times = times < 0 ? 0 : times;
    if (v.n > 0 && (uint64_t)times > TN_JLIB_TEXT_MAX / v.n) {
        return tn_fail(err, TN_E_LIMIT, "a text of more than %zu bytes", TN_JLIB_TEXT_MAX);
    }
    tn_buf b = tn_buf_init(ar, TN_JLIB_TEXT_MAX);
    for (int64_t i = 0; i < times && v.n > 0; i++) {
        tn_buf_add_n(&b, v.s, v.n);
    }
    tn_val r;
    TN_TRY(tn_jlib_finish(&b, &r, err));
    r.tag = v.tag;
    r.flags = v.flags;
    *ret = r;
    return TN_OK;
}

static tn_rc repeat_list(tn_arena *ar, tn_val v, int64_t times, tn_val *ret, tn_err *err)
{
    times = times < 0 ? 0 : times;
    if (v.list->n > 0 && (uint64_t)times > TN_JLIB_ITEMS_MAX / v.list->n) {
        return tn_fail(err, TN_E_LIMIT, "a list of more than %zu elements", TN_JLIB_ITEMS_MAX);
    }
    tn_val r = tn_val_list(ar);
    for (int64_t i = 0; i < times; i++) {
        for (size_t k = 0; k < v.list->n; k++) {
            tn_list_push(r.list, v.list->v[k]);
        }
    }
    *ret = v.tag == TN_TUPLE ? tn_val_tuple(ar, r.list->v, r.list->n) : r;
    return TN_OK;
}

static bool is_sequence(tn_val v)
{
    return v.tag == TN_STR_V || v.tag == TN_BYTES || v.tag == TN_LIST || v.tag == TN_TUPLE;
}

static tn_rc sequence_mul(tn_arena *ar, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    tn_val seq = is_sequence(a) ? a : b, times = is_sequence(a) ? b : a;
    if (times.tag == TN_BIGINT) {
        return tn_fail(err, TN_E_VALUE, "cannot fit 'int' into an index-sized integer");
    }
    if (!tn_jlib_is_int(times)) {
        return tn_fail(err, TN_E_TYPE, "can't multiply sequence by non-int of type '%s'",
            tn_val_type_name(times));
    }
    return seq.tag == TN_LIST || seq.tag == TN_TUPLE ? repeat_list(ar, seq, times.i, ret, err)
                                                     : repeat_text(ar, seq, times.i, ret, err);
}

/* Markup + str escapes what is no Markup. */
static tn_rc text_add(tn_arena *ar, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    bool safe = (a.flags & TN_VF_SAFE) || (b.flags & TN_VF_SAFE);
    tn_buf buf = tn_buf_init(ar, TN_JLIB_TEXT_MAX);
    const tn_val both[] = { a, b };
    for (size_t i = 0; i < 2; i++) {
        if (safe && !(both[i].flags & TN_VF_SAFE)) {
            tn_jlib_escape_to(&buf, tn_val_as_str(both[i]));
        } else {
            tn_buf_add(&buf, tn_val_as_str(both[i]));
        }
    }
    tn_val r;
    TN_TRY(tn_jlib_finish(&buf, &r, err));
    r.tag = a.tag;
    r.flags = safe ? TN_VF_SAFE : 0;
    *ret = r;
    return TN_OK;
}

static tn_rc sequence_add(tn_arena *ar, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    if (a.tag != b.tag) {
        if (!is_sequence(a)) {
            return unsupported(TN_OP_ADD, a, b, err);
        }
        if (a.tag == TN_BYTES) {
            return tn_fail(err, TN_E_TYPE, "can't concat %s to bytes", tn_val_type_name(b));
        }
        return tn_fail(err, TN_E_TYPE, "can only concatenate %s (not \"%s\") to %s",
            tn_val_type_name(a), tn_val_type_name(b), tn_val_type_name(a));
    }
    if (a.tag == TN_STR_V || a.tag == TN_BYTES) {
        return text_add(ar, a, b, ret, err);
    }
    tn_val r = tn_val_list(ar);
    for (size_t i = 0; i < a.list->n; i++) {
        tn_list_push(r.list, a.list->v[i]);
    }
    for (size_t i = 0; i < b.list->n; i++) {
        tn_list_push(r.list, b.list->v[i]);
    }
    *ret = a.tag == TN_TUPLE ? tn_val_tuple(ar, r.list->v, r.list->n) : r;
    return TN_OK;
}

/* ---- dates ---- */
static bool is_time(tn_val v)
{
    return v.tag == TN_DATE || v.tag == TN_DATETIME || v.tag == TN_DELTA;
}

static tn_rc in_range(tn_val v, tn_val *ret, tn_err *err)
{
    int64_t lo = tn_days_from_civil(1, 1, 1), hi = tn_days_from_civil(9999, 12, 31);
    bool good = v.tag == TN_DATE ? v.i >= lo && v.i <= hi : v.i >= lo * DAY && v.i < (hi + 1) * DAY;
    if (!good) {
        return tn_fail(err, TN_E_VALUE, "date value out of range");
    }
    *ret = v;
    return TN_OK;
}

static tn_rc delta(int64_t micros, tn_val *ret)
{
    *ret = (tn_val){ .tag = TN_DELTA, .i = micros };
    return TN_OK;
}

static tn_rc delta_of_f64(double micros, tn_val *ret, tn_err *err)
{
    if (!(fabs(micros) < 9e18)) {
        return tn_fail(err, TN_E_VALUE, "a timedelta out of range");
    }
    return delta((int64_t)nearbyint(micros), ret);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

/* Halves to even, as Python divides timedeltas. */
static int64_t round_div(int64_t a, int64_t b)
{
    int64_t q = floor_div(a, b);
    __int128 rest = ((__int128)a - (__int128)q * b) * 2;
    __int128 abs_b = b < 0 ? -(__int128)b : b;
    rest = rest < 0 ? -rest : rest;
    return rest > abs_b || (rest == abs_b && q % 2 != 0) ? q + 1 : q;
}

static tn_rc delta_by_number(tn_jinja_op op, tn_val d, tn_val n, tn_val *ret, tn_err *err)
{
    double f = 0;
    if (n.tag == TN_FLOAT) {
        f = n.f;
        if (op == TN_OP_MUL) {
            return delta_of_f64((double)d.i * f, ret, err);
        }
        if (op != TN_OP_DIV) {
            return unsupported(op, d, n, err);
        }
        return f == 0 ? zero_division(err, "float division by zero")
                      : delta_of_f64((double)d.i / f, ret, err);
    }
    if (!tn_jlib_is_int(n) || (op != TN_OP_MUL && op != TN_OP_DIV && op != TN_OP_FLOORDIV)) {
        return unsupported(op, d, n, err);
    }
    if (op == TN_OP_MUL) {
        int64_t r;
        if (__builtin_mul_overflow(d.i, n.i, &r)) {
            return tn_fail(err, TN_E_VALUE, "a timedelta out of range");
        }
        return delta(r, ret);
    }
    if (n.i == 0) {
        return zero_division(err, "integer division or modulo by zero");
    }
    return delta(op == TN_OP_DIV ? round_div(d.i, n.i) : floor_div(d.i, n.i), ret);
}

static tn_rc delta_by_delta(tn_jinja_op op, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    int64_t r = 0;
    if (op == TN_OP_ADD || op == TN_OP_SUB) {
        if (op == TN_OP_ADD ? __builtin_add_overflow(a.i, b.i, &r)
                            : __builtin_sub_overflow(a.i, b.i, &r)) {
            return tn_fail(err, TN_E_VALUE, "a timedelta out of range");
        }
        return delta(r, ret);
    }
    if (op == TN_OP_MUL || op == TN_OP_POW) {
        return unsupported(op, a, b, err);
    }
    if (b.i == 0) {
        return zero_division(
            err, op == TN_OP_DIV ? "division by zero" : "integer division or modulo by zero");
    }
    if (op == TN_OP_MOD) {
        return delta(a.i - floor_div(a.i, b.i) * b.i, ret);
    }
    *ret =
        op == TN_OP_DIV ? tn_val_float((double)a.i / (double)b.i) : tn_val_int(floor_div(a.i, b.i));
    return TN_OK;
}

static tn_rc time_minus_time(tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    if (a.tag != b.tag) {
        return unsupported(TN_OP_SUB, a, b, err);
    }
    if (a.tag == TN_DATE) {
        return delta((a.i - b.i) * DAY, ret);
    }
    if ((a.n == TN_ZONE_NAIVE) != (b.n == TN_ZONE_NAIVE)) {
        return tn_fail(err, TN_E_TYPE, "can't subtract offset-naive and offset-aware datetimes");
    }
    int64_t shift = a.n == TN_ZONE_NAIVE ? 0 : (int64_t)a.n - (int64_t)b.n;
    return delta(a.i - b.i - shift * 1000000, ret);
}

static tn_rc time_arith(tn_jinja_op op, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    if (a.tag == TN_DELTA && b.tag == TN_DELTA) {
        return delta_by_delta(op, a, b, ret, err);
    }
    bool add = op == TN_OP_ADD, sub = op == TN_OP_SUB;
    if (add && a.tag == TN_DELTA && (b.tag == TN_DATE || b.tag == TN_DATETIME)) {
        return time_arith(op, b, a, ret, err);
    }
    if ((add || sub) && (a.tag == TN_DATE || a.tag == TN_DATETIME) && b.tag == TN_DELTA) {
        int64_t by = a.tag == TN_DATE ? floor_div(sub ? -b.i : b.i, DAY) : sub ? -b.i : b.i;
        tn_val r = a;
        if (a.tag == TN_DATE && sub) {
            by = -floor_div(b.i, DAY);
        }
        if (__builtin_add_overflow(a.i, by, &r.i)) {
            return tn_fail(err, TN_E_VALUE, "date value out of range");
        }
        return in_range(r, ret, err);
    }
    if (sub && is_time(a) && is_time(b) && b.tag != TN_DELTA && a.tag != TN_DELTA) {
        return time_minus_time(a, b, ret, err);
    }
    if (a.tag == TN_DELTA && tn_jlib_is_number(b)) {
        return delta_by_number(op, a, b, ret, err);
    }
    if (b.tag == TN_DELTA && tn_jlib_is_number(a) && op == TN_OP_MUL) {
        return delta_by_number(op, b, a, ret, err);
    }
    return unsupported(op, a, b, err);
}

static tn_rc set_difference(tn_arena *ar, tn_val a, tn_val b, tn_val *ret)
{
    tn_val r = tn_val_set(ar);
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(a.dict, &at)) != NULL;) {
        if (tn_dict_find(b.dict, it->key) == NULL) {
            tn_dict_put(r.dict, it->key, TN_VAL_NONE);
        }
    }
    *ret = r;
    return TN_OK;
}

static bool is_view(tn_val v)
{
    return v.tag == TN_OBJ && (strcmp(v.obj->type->name, "dict_keys") == 0 ||
                                  strcmp(v.obj->type->name, "dict_items") == 0);
}

/* A set as it is; any other iterable as a set of its own, so that `d.keys() - ['a']` works. */
static bool as_set(tn_arena *ar, tn_val v, tn_val *ret)
{
    if (v.tag == TN_SET) {
        *ret = v;
        return true;
    }
    const tn_list *l;
    if (tn_jlib_items(ar, v, &l, NULL) != TN_OK) {
        return false;
    }
    tn_val r = tn_val_set(ar);
    for (size_t i = 0; i < l->n; i++) {
        if (!tn_val_hashable(l->v[i])) {
            return false;
        }
        tn_dict_put(r.dict, l->v[i], TN_VAL_NONE);
    }
    *ret = r;
    return true;
}

tn_rc tn_jinja_arith(
    tn_jinja_ctx *ctx, tn_jinja_op op, tn_val a, tn_val b, tn_val *ret, tn_err *err)
{
    tn_arena *ar = ctx->arena;
    if (tn_jlib_is_int(a) && tn_jlib_is_int(b) && small_arith(op, a.i, b.i, ret)) {
        return TN_OK;
    }
    if (op == TN_OP_MOD && a.tag == TN_STR_V) {
        return tn_jinja_percent(ctx, tn_val_as_str(a), b, ret, err);
    }
    if (a.tag == TN_UNDEF || b.tag == TN_UNDEF) {
        return tn_jlib_fail_undef(err, a.tag == TN_UNDEF ? a : b);
    }
    if (tn_jlib_is_number(a) && tn_jlib_is_number(b)) {
        bool f = a.tag == TN_FLOAT || b.tag == TN_FLOAT,
             d = a.tag == TN_DECIMAL || b.tag == TN_DECIMAL;
        if (f && d) {
            return unsupported(op, a, b, err);
        }
        return d   ? decimal_arith(ar, op, a, b, ret, err)
               : f ? float_arith(op, a, b, ret, err)
                   : big_arith(ar, op, a, b, ret, err);
    }
    if (is_time(a) || is_time(b)) {
        return time_arith(op, a, b, ret, err);
    }
    if (op == TN_OP_MUL && (is_sequence(a) || is_sequence(b))) {
        return sequence_mul(ar, a, b, ret, err);
    }
    if (op == TN_OP_ADD && is_sequence(a)) {
        return sequence_add(ar, a, b, ret, err);
    }
    tn_val sa, sb;
    bool sets = (a.tag == TN_SET || is_view(a)) && (b.tag == TN_SET || is_view(a) || is_view(b));
    if (op == TN_OP_SUB && sets && as_set(ar, a, &sa) && as_set(ar, b, &sb)) {
        return set_difference(ar, sa, sb, ret);
    }
    return unsupported(op, a, b, err);
}

tn_rc tn_jinja_negate(tn_jinja_ctx *ctx, tn_val v, tn_val *ret, tn_err *err)
{
    if (v.tag == TN_FLOAT) {
        *ret = tn_val_float(-v.f);
        return TN_OK;
    }
    if (v.tag == TN_DELTA) {
        return delta(-v.i, ret);
    }
    if (v.tag == TN_UNDEF) {
        return tn_jlib_fail_undef(err, v);
    }
    if (!tn_jlib_is_number(v)) {
        return tn_fail(err, TN_E_TYPE, "bad operand type for unary -: '%s'", tn_val_type_name(v));
    }
    return tn_jinja_arith(ctx, TN_OP_SUB, tn_val_int(0), v, ret, err);
}

tn_rc tn_jinja_contains(tn_jinja_ctx *ctx, tn_val needle, tn_val hay, bool *ret, tn_err *err)
{
    if (hay.tag == TN_STR_V) {
        if (needle.tag == TN_UNDEF) {
            return tn_fail(
                err, TN_E_TYPE, "'in <string>' requires string as left operand, not Undefined");
        }
        if (needle.tag != TN_STR_V) {
            return tn_fail(err, TN_E_TYPE, "'in <string>' requires string as left operand, not %s",
                tn_val_type_name(needle));
        }
        *ret = tn_str_find(tn_val_as_str(hay), tn_val_as_str(needle), 0) != SIZE_MAX;
        return TN_OK;
    }
    if (hay.tag == TN_DICT || hay.tag == TN_SET) {
        if (!tn_val_hashable(needle)) {
            return tn_fail(err, TN_E_TYPE, "unhashable type: '%s'", tn_val_type_name(needle));
        }
        *ret = tn_dict_find(hay.dict, needle) != NULL;
        return TN_OK;
    }
    if (hay.tag == TN_BYTES && needle.tag == TN_BYTES) {
        *ret = tn_str_find(tn_val_as_str(hay), tn_val_as_str(needle), 0) != SIZE_MAX;
        return TN_OK;
    }
    const tn_list *l;
    if (tn_jlib_items(ctx->arena, hay, &l, NULL) != TN_OK) {
        return tn_fail(
            err, TN_E_TYPE, "argument of type '%s' is not iterable", tn_val_type_name(hay));
    }
    bool found = false;
    for (size_t i = 0; i < l->n && !found; i++) {
        found = tn_val_eq(l->v[i], needle);
    }
    *ret = found;
    return TN_OK;
}

static tn_rc slice_text(
    tn_arena *ar, tn_val v, tn_val start, tn_val stop, tn_val step, tn_val *ret, tn_err *err)
{
    tn_str s = tn_val_as_str(v);
    bool bytes = v.tag == TN_BYTES;
    int64_t from, by, n;
    size_t len = bytes ? s.n : tn_utf8_len(s);
    TN_TRY(tn_jlib_slice_indices(start, stop, step, (int64_t)len, &from, &by, &n, err));
    bool plain = bytes || len == s.n; /* one byte a character */
    tn_val r = v;
    if (by == 1) {
        size_t lo = plain ? (size_t)from : tn_utf8_offset(s, (size_t)from);
        size_t hi = plain ? (size_t)(from + n) : tn_utf8_offset(s, (size_t)(from + n));
        r.s = s.p + (n > 0 ? lo : 0);
        r.n = n > 0 ? (uint32_t)(hi - lo) : 0;
        *ret = r;
        return TN_OK;
    }
    tn_val chars = v;
    chars.tag = TN_STR_V;
    const tn_list *l = NULL;
    tn_buf b = tn_buf_init(ar, TN_JLIB_TEXT_MAX);
    if (!plain) {
        TN_TRY(tn_jlib_items(ar, chars, &l, err));
    }
    for (int64_t i = 0; i < n; i++, from += by) {
        tn_buf_add(
            &b, l ? tn_val_as_str(l->v[from]) : tn_str_sub(s, (size_t)from, (size_t)from + 1));
    }
    TN_TRY(tn_jlib_finish(&b, &r, err));
    r.tag = v.tag;
    r.flags = v.flags;
    *ret = r;
    return TN_OK;
}

tn_rc tn_jinja_slice(
    tn_jinja_ctx *ctx, tn_val v, tn_val start, tn_val stop, tn_val step, tn_val *ret, tn_err *err)
{
    int64_t from, by, n, len = 0;
    if (v.tag == TN_STR_V || v.tag == TN_BYTES) {
        return slice_text(ctx->arena, v, start, stop, step, ret, err);
    }
    if (v.tag == TN_UNDEF) {
        return tn_jlib_fail_undef(err, v);
    }
    bool range = tn_jlib_is_range(v);
    if (!tn_val_is_seq(v) && !range) {
        return tn_fail(err, TN_E_TYPE, "'%s' object is not subscriptable", tn_val_type_name(v));
    }
    TN_TRY(tn_jlib_length(v, &len, err));
    TN_TRY(tn_jlib_slice_indices(start, stop, step, len, &from, &by, &n, err));
    if (range) {
        return tn_jlib_range_slice(ctx->arena, v, from, by, n, ret);
    }
    tn_val r = tn_val_list(ctx->arena);
    for (int64_t i = 0; i < n; i++, from += by) {
        tn_list_push(r.list, v.list->v[from]);
    }
    *ret = v.tag == TN_TUPLE ? tn_val_tuple(ctx->arena, r.list->v, r.list->n) : r;
    return TN_OK;
}
