/* val.c: making values and Python's rules for truth, equality, ordering and hashing. Printing is in val_print.c, containers in
 * val_dict.c, calls in val_call.c. */
#include "base/val.h"

#include <math.h>

tn_val tn_val_str(tn_str s)
{
    TN_CHECK(s.n <= UINT32_MAX);
    return (tn_val){ .tag = TN_STR_V, .n = (uint32_t)s.n, .s = s.p != NULL ? s.p : "" };
}

tn_val tn_val_z(const char *z)
{
    return tn_val_str(tn_str_of(z));
}

tn_val tn_val_str_dup(tn_arena *a, tn_str s)
{
    return tn_val_str(tn_str_dup(a, s));
}

tn_val tn_val_undef(tn_str name)
{
    tn_val v = tn_val_str(name);
    v.tag = TN_UNDEF;
    return v;
}

tn_val tn_val_decimal(tn_str digits)
{
    tn_val v = tn_val_str(digits);
    v.tag = TN_DECIMAL;
    return v;
}

const char *tn_val_type_name(tn_val v)
{
    static const char *const names[] = {
        [TN_UNDEF] = "Undefined",
        [TN_NONE] = "NoneType",
        [TN_BOOL] = "bool",
        [TN_INT] = "int",
        [TN_FLOAT] = "float",
        [TN_BIGINT] = "int",
        [TN_DECIMAL] = "Decimal",
        [TN_STR_V] = "str",
        [TN_BYTES] = "bytes",
        [TN_DATE] = "date",
        [TN_DATETIME] = "datetime",
        [TN_TIME] = "time",
        [TN_DELTA] = "timedelta",
        [TN_LIST] = "list",
        [TN_TUPLE] = "tuple",
        [TN_DICT] = "dict",
        [TN_SET] = "set",
    };
    return v.tag == TN_OBJ ? v.obj->type->name : names[v.tag];
}

static bool decimal_is_zero(tn_str s)
{
    for (size_t i = 0; i < s.n && s.p[i] != 'E' && s.p[i] != 'e'; i++) {
        if (s.p[i] != '0' && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '+') {
            return false;
        }
    }
    return true;
}

static bool obj_truthy(tn_obj *o)
{
    if (o->type->truthy != NULL) {
        return o->type->truthy(o);
    }
    size_t n;
    if (o->type->length != NULL && o->type->length(o, &n)) {
        return n > 0;
    }
    return true;
}

bool tn_val_truthy(tn_val v)
{
    switch ((tn_tag)v.tag) {
    case TN_UNDEF:
    case TN_NONE:
        return false;
    case TN_BOOL:
    case TN_INT:
    case TN_DELTA:
        return v.i != 0;
    case TN_FLOAT:
        return v.f < 0 || v.f > 0 || isnan(v.f);
    case TN_DECIMAL:
        return !decimal_is_zero(tn_val_as_str(v));
    case TN_STR_V:
    case TN_BYTES:
        return v.n > 0;
    case TN_BIGINT:
    case TN_DATE:
    case TN_DATETIME:
    case TN_TIME:
        return true;
    case TN_LIST:
    case TN_TUPLE:
        return v.list->n > 0;
    case TN_DICT:
    case TN_SET:
        return v.dict->live > 0;
    case TN_OBJ:
        return obj_truthy(v.obj);
    }
    return false;
}

/* ---- numbers ---- */

static bool is_number(tn_val v)
{
    return v.tag == TN_BOOL || v.tag == TN_INT || v.tag == TN_FLOAT || v.tag == TN_BIGINT ||
           v.tag == TN_DECIMAL;
}

static double as_double(tn_val v)
{
    double f = 0;
    switch ((tn_tag)v.tag) {
    case TN_FLOAT:
        return v.f;
    case TN_BIGINT:
    case TN_DECIMAL:
        (void)tn_str_to_f64(tn_val_as_str(v), &f);
        return f;
    default:
        return (double)v.i;
    }
}

/* A decimal text without exponent, taken apart: sign, digits before and after the point without outer zeros. */
typedef struct digits {
    int sign;
    tn_str whole;
    tn_str frac;
} digits;

static bool digits_of(tn_str s, digits *ret)
{
    digits d = { .sign = 1 };
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        d.sign = s.p[0] == '-' ? -1 : 1;
        s = tn_str_sub(s, 1, s.n);
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9')) {
            return false;
        }
    }
    tn_str_cut(s, '.', &d.whole, &d.frac);
    while (d.whole.n > 0 && d.whole.p[0] == '0') {
        d.whole = tn_str_sub(d.whole, 1, d.whole.n);
    }
    while (d.frac.n > 0 && d.frac.p[d.frac.n - 1] == '0') {
        d.frac.n--;
    }
    if (d.whole.n == 0 && d.frac.n == 0) {
        d.sign = 0;
    }
    *ret = d;
    return true;
}

static int digits_cmp(digits x, digits y)
{
    if (x.sign != y.sign) {
        return x.sign < y.sign ? -1 : 1;
    }
    int c =
        x.whole.n != y.whole.n ? (x.whole.n < y.whole.n ? -1 : 1) : tn_str_cmp(x.whole, y.whole);
    if (c == 0) {
        c = tn_str_cmp(x.frac, y.frac);
    }
    return x.sign < 0 ? -c : c;
}

/* A whole number against a float, exactly: the float is cut to its whole part, which decides unless they are equal. */
static int int_float_cmp(int64_t i, double f)
{
    if (f >= 9223372036854775808.0) {
        return -1;
    }
    if (f < -9223372036854775808.0) {
        return 1;
    }
    int64_t whole = (int64_t)f;
    double rest = f - (double)whole;
    return i != whole ? (i < whole ? -1 : 1) : rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

/* Exact for integers of any size, plain decimals and int against float; a big integer or decimal meets a float as a double.
 * NaN: *ordered = false. */
static int number_cmp(tn_val a, tn_val b, bool *ordered)
{
    *ordered = true;
    bool small_a = a.tag == TN_INT || a.tag == TN_BOOL;
    bool small_b = b.tag == TN_INT || b.tag == TN_BOOL;
    if (small_a && small_b) {
        return a.i == b.i ? 0 : a.i < b.i ? -1 : 1;
    }
    if (a.tag != TN_FLOAT && b.tag != TN_FLOAT) {
        char text_a[24], text_b[24];
        tn_str sa = tn_val_as_str(a);
        tn_str sb = tn_val_as_str(b);
        if (small_a) {
            sa = tn_str_n(text_a, (size_t)snprintf(text_a, sizeof text_a, "%lld", (long long)a.i));
        }
        if (small_b) {
            sb = tn_str_n(text_b, (size_t)snprintf(text_b, sizeof text_b, "%lld", (long long)b.i));
        }
        digits da, db;
        if (digits_of(sa, &da) && digits_of(sb, &db)) {
            return digits_cmp(da, db);
        }
    }
    double x = as_double(a);
    double y = as_double(b);
    if (isnan(x) || isnan(y)) {
        *ordered = false;
        return 0;
    }
    if (small_a && b.tag == TN_FLOAT) {
        return int_float_cmp(a.i, y);
    }
    if (small_b && a.tag == TN_FLOAT) {
        return -int_float_cmp(b.i, x);
    }
    return x < y ? -1 : x > y ? 1 : 0;
}

/* ---- equality ---- */

static bool list_eq(const tn_list *a, const tn_list *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!tn_val_eq(a->v[i], b->v[i])) {
            return false;
        }
    }
    return true;
}

static bool dict_eq(const tn_dict *a, const tn_dict *b, bool values)
{
    if (a->live != b->live) {
        return false;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(a, &at)) != NULL) {
        const tn_val *other = tn_dict_find(b, it->key);
        if (other == NULL || (values && !tn_val_eq(it->value, *other))) {
            return false;
        }
    }
    return true;
}

static bool obj_eq(tn_val a, tn_val b)
{
    if (a.tag == TN_OBJ && a.obj->type->eq != NULL) {
        return a.obj->type->eq(a.obj, b);
    }
    if (b.tag == TN_OBJ && b.obj->type->eq != NULL) {
        return b.obj->type->eq(b.obj, a);
    }
    return a.tag == TN_OBJ && b.tag == TN_OBJ && a.obj == b.obj;
}

static int64_t datetime_instant(tn_val v) /* microseconds UTC of a zoned datetime */
{
    return v.n == TN_ZONE_NAIVE ? v.i : v.i - ((int64_t)v.n - (int64_t)TN_ZONE_UTC) * 1000000;
}

static bool same_tag_eq(tn_val a, tn_val b)
{
    switch ((tn_tag)a.tag) {
    case TN_UNDEF:
    case TN_NONE:
        return true;
    case TN_STR_V:
    case TN_BYTES:
        return tn_str_eq(tn_val_as_str(a), tn_val_as_str(b));
    case TN_DATE:
    case TN_TIME:
    case TN_DELTA:
        return a.i == b.i;
    case TN_DATETIME:
        return (a.n == TN_ZONE_NAIVE) == (b.n == TN_ZONE_NAIVE) &&
               datetime_instant(a) == datetime_instant(b);
    case TN_LIST:
    case TN_TUPLE:
        return a.list == b.list || list_eq(a.list, b.list);
    case TN_DICT:
        return a.dict == b.dict || dict_eq(a.dict, b.dict, true);
    case TN_SET:
        return a.dict == b.dict || dict_eq(a.dict, b.dict, false);
    default:
        return false;
    }
}

bool tn_val_eq(tn_val a, tn_val b)
{
    if (is_number(a) && is_number(b)) {
        bool ordered;
        return number_cmp(a, b, &ordered) == 0 && ordered;
    }
    if (a.tag == TN_OBJ || b.tag == TN_OBJ) {
        return obj_eq(a, b);
    }
    return a.tag == b.tag && same_tag_eq(a, b);
}

/* ---- ordering ---- */

static tn_rc seq_cmp(const tn_list *a, const tn_list *b, int *ret, tn_err *err)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        if (!tn_val_eq(a->v[i], b->v[i])) {
            return tn_val_cmp(a->v[i], b->v[i], ret, err);
        }
    }
    *ret = a->n == b->n ? 0 : a->n < b->n ? -1 : 1;
    return TN_OK;
}

tn_rc tn_val_cmp(tn_val a, tn_val b, int *ret, tn_err *err)
{
    if (is_number(a) && is_number(b)) {
        bool ordered;
        int c = number_cmp(a, b, &ordered);
        *ret = ordered ? c : 2; /* 2: unordered (NaN): neither <, > nor == */
        return TN_OK;
    }
    if (a.tag == b.tag) {
        switch ((tn_tag)a.tag) {
        case TN_STR_V:
        case TN_BYTES:
            *ret = tn_str_cmp(tn_val_as_str(a), tn_val_as_str(b));
            return TN_OK;
        case TN_DATE:
        case TN_TIME:
        case TN_DELTA:
            *ret = a.i == b.i ? 0 : a.i < b.i ? -1 : 1;
            return TN_OK;
        case TN_DATETIME:
            if ((a.n == TN_ZONE_NAIVE) == (b.n == TN_ZONE_NAIVE)) {
                int64_t x = datetime_instant(a);
                int64_t y = datetime_instant(b);
                *ret = x == y ? 0 : x < y ? -1 : 1;
                return TN_OK;
            }
            return tn_fail(err, TN_E_TYPE, "can't compare offset-naive and offset-aware datetimes");
        case TN_LIST:
        case TN_TUPLE:
            return seq_cmp(a.list, b.list, ret, err);
        default:
            break;
        }
    }
    return tn_fail(err, TN_E_TYPE, "'<' not supported between instances of '%s' and '%s'",
        tn_val_type_name(a), tn_val_type_name(b));
}

/* ---- hashing ---- */

bool tn_val_hashable(tn_val v)
{
    if (v.tag == TN_LIST || v.tag == TN_DICT || v.tag == TN_SET) {
        return false;
    }
    if (v.tag == TN_TUPLE) {
        for (size_t i = 0; i < v.list->n; i++) {
            if (!tn_val_hashable(v.list->v[i])) {
                return false;
            }
        }
    }
    return true;
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xFF51AFD7ED558CCDu;
    h ^= h >> 33;
    return h * 0xC4CEB9FE1A85EC53u;
}

static uint64_t hash_double(double f)
{
    if (f >= -9.2e18 && f <= 9.2e18 && f == (double)(int64_t)f) { /* 1.0 hashes as 1 */
        return mix((uint64_t)(int64_t)f);
    }
    uint64_t bits;
    memcpy(&bits, &f, sizeof bits);
    return mix(bits);
}

uint64_t tn_val_hash(tn_val v)
{
    switch ((tn_tag)v.tag) {
    case TN_BOOL:
    case TN_INT:
        /* Whole numbers beyond 2^53 may equal a float only through double: hash what the double says. */
        return v.i > -(1LL << 53) && v.i < (1LL << 53) ? mix((uint64_t)v.i)
                                                       : hash_double((double)v.i);
    case TN_FLOAT:
    case TN_BIGINT:
    case TN_DECIMAL:
        return hash_double(as_double(v));
    case TN_STR_V:
    case TN_BYTES:
        return tn_str_hash(tn_val_as_str(v));
    case TN_DATETIME:
        return mix((uint64_t)datetime_instant(v) + 7);
    case TN_DATE:
    case TN_TIME:
    case TN_DELTA:
        return mix((uint64_t)v.i + v.tag);
    case TN_TUPLE: {
        uint64_t h = 0x345678;
        for (size_t i = 0; i < v.list->n; i++) {
            h = mix(h ^ tn_val_hash(v.list->v[i]));
        }
        return h;
    }
    case TN_OBJ:
        return v.obj->type->hash != NULL ? v.obj->type->hash(v.obj)
                                         : mix((uint64_t)(uintptr_t)v.obj);
    default:
        return v.tag;
    }
}
