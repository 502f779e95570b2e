/* duck_value.c: our values as DuckDB's, for parameters.
 *
 * A list takes the type that all its elements share; integers among floats become floats, and a mixture of anything else
 * becomes a list of texts, as DuckDB would make of them. A dict is a struct.
 */
#include "duck/duck_impl.h"

enum { VALUE_DEPTH_MAX = 64, DECIMAL_WIDTH_MAX = 38, HUGE_DIGITS_MAX = 39 };

static duckdb_value value_at(tn_arena *a, tn_val v, int depth, tn_err *err);

typedef struct decimal_parts {
    duckdb_hugeint value;
    unsigned width;
    unsigned scale;
} decimal_parts;

/* "-12.50" -> -1250, width 4, scale 2. False for exponents, words and too many digits. */
static bool parse_decimal(tn_str s, unsigned digits_max, decimal_parts *ret)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    unsigned digits = 0, scale = 0;
    bool point = false;
    unsigned __int128 n = 0;
    for (size_t i = negative; i < s.n; i++) {
        char c = s.p[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || digits == digits_max) {
            return false;
        }
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (unsigned)(c - '0'), &n)) {
            return false;
        }
        digits += digits > 0 || c != '0' || point;
        scale += point;
    }
    if (negative) {
        n = (unsigned __int128)0 - n;
    }
    ret->value = (duckdb_hugeint){ .lower = (uint64_t)n, .upper = (int64_t)(uint64_t)(n >> 64) };
    ret->width = digits > 0 ? digits : 1;
    ret->scale = scale;
    return s.n > negative;
}

static duckdb_value text_value(tn_str s)
{
    return duckdb_create_varchar_length(s.p ? s.p : "", s.n);
}

static duckdb_value number_value(tn_val v)
{
    decimal_parts d;
    tn_str s = tn_val_as_str(v);
    if (v.tag == TN_BIGINT) {
        /* 39 digits may or may not fit into 128 bits; the sign shows whether they did. */
        bool fits = parse_decimal(s, HUGE_DIGITS_MAX, &d) && (d.value.upper < 0) == (s.p[0] == '-');
        return fits ? duckdb_create_hugeint(d.value) : text_value(s);
    }
    if (!parse_decimal(s, DECIMAL_WIDTH_MAX, &d)) {
        return text_value(s); /* DuckDB casts it to what the place needs, or says why not */
    }
    return duckdb_create_decimal(
        (duckdb_decimal){ .width = (uint8_t)d.width, .scale = (uint8_t)d.scale, .value = d.value });
}

static duckdb_value delta_value(int64_t micros)
{
    return duckdb_create_interval((duckdb_interval){ .micros = micros });
}

static bool all_numbers(const tn_list *l, bool *ret_float)
{
    *ret_float = false;
    for (size_t i = 0; i < l->n; i++) {
        uint8_t tag = l->v[i].tag;
        *ret_float = *ret_float || tag == TN_FLOAT;
        if (tag != TN_INT && tag != TN_FLOAT && tag != TN_NONE) {
            return false;
        }
    }
    return true;
}

static bool same_tags(const tn_list *l)
{
    uint8_t tag = TN_NONE;
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].tag == TN_NONE) {
            continue;
        }
        if (tag != TN_NONE && l->v[i].tag != tag) {
            return false;
        }
        tag = l->v[i].tag;
    }
    return true;
}

static void destroy_all(duckdb_value *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        duckdb_destroy_value(&v[i]);
    }
}

static tn_val list_element(tn_arena *a, tn_val v, bool as_float, bool as_text)
{
    if (as_float && v.tag == TN_INT) {
        return tn_val_float((double)v.i);
    }
    return as_text && v.tag != TN_NONE ? tn_val_str(tn_val_to_str(a, v)) : v;
}

static duckdb_value list_value(tn_arena *a, const tn_list *l, int depth, tn_err *err)
{
    bool as_float;
    bool numbers = all_numbers(l, &as_float);
    bool as_text = !numbers && !same_tags(l);
    duckdb_value *items = tn_new_array(a, duckdb_value, l->n + 1);
    duckdb_logical_type type = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    for (size_t i = 0; i < l->n; i++) {
        tn_val element = list_element(a, l->v[i], numbers && as_float, as_text);
        items[i] = value_at(a, element, depth + 1, err);
        if (items[i] == NULL) {
            destroy_all(items, i);
            duckdb_destroy_logical_type(&type);
            return NULL;
        }
        if (element.tag != TN_NONE && duckdb_get_type_id(type) == DUCKDB_TYPE_VARCHAR) {
            /* The type belongs to the value, the list makes a copy of it. */
            duckdb_destroy_logical_type(&type);
            type = duckdb_create_list_type(duckdb_get_value_type(items[i]));
            duckdb_logical_type child = duckdb_list_type_child_type(type);
            duckdb_destroy_logical_type(&type);
            type = child;
        }
    }
    duckdb_value list = duckdb_create_list_value(type, items, l->n);
    destroy_all(items, l->n);
    duckdb_destroy_logical_type(&type);
    if (list == NULL) {
        tn_fail(err, TN_E_TYPE, "DuckDB makes no list of these values");
    }
    return list;
}

static duckdb_value struct_value(tn_arena *a, const tn_dict *d, int depth, tn_err *err)
{
    size_t cap = d->live + 1, n = 0;
    duckdb_value *items = tn_new_array(a, duckdb_value, cap);
    duckdb_logical_type *types = tn_new_array(a, duckdb_logical_type, cap);
    const char **names = tn_new_array(a, const char *, cap);
    size_t at = 0;
    const tn_dict_item *it;
    if (d->live == 0) {
        tn_fail(err, TN_E_TYPE, "an empty dict has no type in SQL");
        return NULL;
    }
    while ((it = tn_dict_next(d, &at)) != NULL) {
        items[n] = value_at(a, it->value, depth + 1, err);
        if (items[n] == NULL) {
            destroy_all(items, n);
            return NULL;
        }
        types[n] = duckdb_get_value_type(items[n]);
        names[n++] = tn_str_z(a, tn_val_to_str(a, it->key));
    }
    duckdb_logical_type type = duckdb_create_struct_type(types, names, n);
    duckdb_value value = type ? duckdb_create_struct_value(type, items) : NULL;
    destroy_all(items, n);
    duckdb_destroy_logical_type(&type);
    if (value == NULL) {
        tn_fail(err, TN_E_TYPE, "DuckDB makes no struct of this dict");
    }
    return value;
}

static duckdb_value value_at(tn_arena *a, tn_val v, int depth, tn_err *err)
{
    if (depth > VALUE_DEPTH_MAX) {
        tn_fail(err, TN_E_LIMIT, "a value is nested deeper than %d", VALUE_DEPTH_MAX);
        return NULL;
    }
    switch ((tn_tag)v.tag) {
    case TN_NONE:
        return duckdb_create_null_value();
    case TN_BOOL:
        return duckdb_create_bool(v.i != 0);
    case TN_INT:
        return duckdb_create_int64(v.i);
    case TN_FLOAT:
        return duckdb_create_double(v.f);
    case TN_BIGINT:
    case TN_DECIMAL:
        return number_value(v);
    case TN_STR_V:
        return text_value(tn_val_as_str(v));
    case TN_BYTES:
        return duckdb_create_blob((const uint8_t *)v.s, v.n);
    case TN_DATE:
        return duckdb_create_date((duckdb_date){ .days = (int32_t)v.i });
    case TN_TIME:
        return duckdb_create_time((duckdb_time){ .micros = v.i });
    case TN_DATETIME:
        if (v.n == TN_ZONE_NAIVE) {
            return duckdb_create_timestamp((duckdb_timestamp){ .micros = v.i });
        }
        return duckdb_create_timestamp_tz(
            (duckdb_timestamp){ .micros = v.i - ((int64_t)v.n - TN_ZONE_UTC) * 1000000 });
    case TN_DELTA:
        return delta_value(v.i);
    case TN_LIST:
    case TN_TUPLE:
        return list_value(a, v.list, depth, err);
    case TN_DICT:
        return struct_value(a, v.dict, depth, err);
    default:
        tn_fail(err, TN_E_TYPE, "a %s has no type in SQL", tn_val_type_name(v));
        return NULL;
    }
}

duckdb_value duck_value_of(tn_arena *a, tn_val v, tn_err *err)
{
    return value_at(a, v, 0, err);
}
