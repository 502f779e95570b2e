/* duck_cell.c: values out of DuckDB's vectors. Only plain types come here (duck_types.c says which); the rest was cast.
 *
 * Layouts: fixed-width types are arrays; DECIMAL is an int16, int32, int64 or int128 by its width; a LIST is (offset, length)
 * into its child vector, an ARRAY of n starts at row * n of its child; a MAP is a list of STRUCT(key, value).
 */
#include <inttypes.h>
#include <math.h>

#include "duck/duck_impl.h"
#include "text/timetext.h"

enum { HUGE_TEXT_MAX = 48 };
static const int64_t DAY_US = INT64_C(86400000000);

typedef unsigned __int128 duck_u128;

bool duck_cell_valid(duckdb_vector v, uint64_t row)
{
    uint64_t *valid = duckdb_vector_get_validity(v);
    return valid == NULL || ((valid[row / 64] >> (row % 64)) & 1) != 0;
}

#define AT(type) (((const type *)duckdb_vector_get_data(v))[row])

tn_str duck_string_of(duckdb_vector v, uint64_t row)
{
    duckdb_string_t *s = (duckdb_string_t *)duckdb_vector_get_data(v) + row;
    return tn_str_n(duckdb_string_t_data(s), duckdb_string_t_length(*s));
}

/* ---- 128-bit numbers ---- */

static duck_u128 magnitude(duckdb_hugeint h, bool *ret_negative)
{
    duck_u128 bits = ((duck_u128)(uint64_t)h.upper << 64) | h.lower;
    *ret_negative = h.upper < 0;
    return h.upper < 0 ? (duck_u128)0 - bits : bits;
}

/* Digits of n with a point before the last `scale` of them. */
static tn_str digits_text(tn_arena *a, duck_u128 n, bool negative, unsigned scale)
{
    char out[HUGE_TEXT_MAX];
    size_t at = sizeof out;
    unsigned written = 0;
    do {
        if (written == scale && scale > 0) {
            out[--at] = '.';
        }
        out[--at] = (char)('0' + (int)(n % 10));
        n /= 10;
        written++;
    } while (n > 0 || written <= scale);
    if (negative) {
        out[--at] = '-';
    }
    return tn_str_dup(a, tn_str_n(out + at, sizeof out - at));
}

static tn_val integer_value(tn_arena *a, duck_u128 n, bool negative)
{
    if (!negative && n <= INT64_MAX) {
        return tn_val_int((int64_t)n);
    }
    if (negative && n <= (duck_u128)INT64_MAX + 1) {
        return tn_val_int((int64_t)(0 - (uint64_t)n));
    }
    tn_str s = digits_text(a, n, negative, 0);
    return (tn_val){ .tag = TN_BIGINT, .n = (uint32_t)s.n, .s = s.p };
}

static tn_str decimal_text(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row)
{
    duckdb_hugeint h;
    int64_t small = 0;
    unsigned scale = duckdb_decimal_scale(type);
    switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
        small = AT(int16_t);
        break;
    case DUCKDB_TYPE_INTEGER:
        small = AT(int32_t);
        break;
    case DUCKDB_TYPE_BIGINT:
        small = AT(int64_t);
        break;
    default:
        h = AT(duckdb_hugeint);
        bool negative;
        duck_u128 n = magnitude(h, &negative);
        return digits_text(a, n, negative, scale);
    }
    duck_u128 n = small < 0 ? (duck_u128)0 - (duck_u128)small : (duck_u128)small;
    return digits_text(a, n, small < 0, scale);
}

/* ---- moments ---- */

static tn_val infinite(bool negative)
{
    return tn_val_z(negative ? "-infinity" : "infinity");
}

static tn_val date_value(int32_t days)
{
    if (days == INT32_MAX || days == -INT32_MAX) {
        return infinite(days < 0);
    }
    return (tn_val){ .tag = TN_DATE, .i = days };
}

static int64_t floor_div(int64_t n, int64_t by)
{
    return n / by - (n % by < 0);
}

/* Ticks of any timestamp type to microseconds; the infinite ones are INT64_MAX and its negative in every unit. */
static tn_val timestamp_value(duckdb_type id, int64_t ticks)
{
    if (ticks == INT64_MAX || ticks == -INT64_MAX) {
        return infinite(ticks < 0);
    }
    int64_t micros = ticks;
    if (id == DUCKDB_TYPE_TIMESTAMP_NS) {
        micros = floor_div(ticks, 1000);
    } else if (id == DUCKDB_TYPE_TIMESTAMP_S || id == DUCKDB_TYPE_TIMESTAMP_MS) {
        int64_t by = id == DUCKDB_TYPE_TIMESTAMP_S ? 1000000 : 1000;
        if (__builtin_mul_overflow(ticks, by, &micros)) {
            return infinite(ticks < 0);
        }
    }
    uint32_t zone = id == DUCKDB_TYPE_TIMESTAMP_TZ ? TN_ZONE_UTC : TN_ZONE_NAIVE;
    return (tn_val){ .tag = TN_DATETIME, .n = zone, .i = micros };
}

/* ---- nested ---- */

static tn_val read_run(
    tn_arena *a, duckdb_vector child, duckdb_logical_type type, uint64_t from, uint64_t n)
{
    tn_val list = tn_val_list(a);
    for (uint64_t i = 0; i < n; i++) {
        tn_list_push(list.list, duck_cell_read(a, child, type, from + i));
    }
    return list;
}

static tn_val read_list(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row)
{
    TN_AUTO(duckdb_logical_type) child_type = duckdb_list_type_child_type(type);
    duckdb_list_entry e = AT(duckdb_list_entry);
    return read_run(a, duckdb_list_vector_get_child(v), child_type, e.offset, e.length);
}

static tn_val read_array(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row)
{
    TN_AUTO(duckdb_logical_type) child_type = duckdb_array_type_child_type(type);
    uint64_t n = duckdb_array_type_array_size(type);
    return read_run(a, duckdb_array_vector_get_child(v), child_type, row * n, n);
}

/* row(1, 'a') is a struct without field names. */
static bool is_tuple(duckdb_logical_type type)
{
    char *name =
        duckdb_struct_type_child_count(type) > 0 ? duckdb_struct_type_child_name(type, 0) : NULL;
    bool unnamed = name != NULL && (name[0] == '\0' || name[0] == DUCK_NO_NAME);
    duckdb_free(name);
    return unnamed;
}

static tn_val read_tuple(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row)
{
    tn_val items = tn_val_list(a);
    uint64_t n = duckdb_struct_type_child_count(type);
    for (uint64_t i = 0; i < n; i++) {
        TN_AUTO(duckdb_logical_type) child_type = duckdb_struct_type_child_type(type, i);
        tn_list_push(
            items.list, duck_cell_read(a, duckdb_struct_vector_get_child(v, i), child_type, row));
    }
    return tn_val_tuple(a, items.list->v, items.list->n);
}

static tn_val read_struct(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row)
{
    if (is_tuple(type)) {
        return read_tuple(a, v, type, row);
    }
    tn_val dict = tn_val_dict(a);
    uint64_t n = duckdb_struct_type_child_count(type);
    for (uint64_t i = 0; i < n; i++) {
        TN_AUTO(duckdb_logical_type) child_type = duckdb_struct_type_child_type(type, i);
        char *name = duckdb_struct_type_child_name(type, i);
        tn_val value = duck_cell_read(a, duckdb_struct_vector_get_child(v, i), child_type, row);
        tn_dict_puts(dict.dict, tn_str_dup(a, tn_str_of(name)), value);
        duckdb_free(name);
    }
    return dict;
}

static tn_val read_map(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row)
{
    TN_AUTO(duckdb_logical_type) key_type = duckdb_map_type_key_type(type);
    TN_AUTO(duckdb_logical_type) value_type = duckdb_map_type_value_type(type);
    tn_val dict = tn_val_dict(a);
    duckdb_list_entry e = AT(duckdb_list_entry);
    duckdb_vector entries = duckdb_list_vector_get_child(v);
    duckdb_vector keys = duckdb_struct_vector_get_child(entries, 0);
    duckdb_vector values = duckdb_struct_vector_get_child(entries, 1);
    for (uint64_t i = e.offset; i < e.offset + e.length; i++) {
        tn_val key = duck_cell_read(a, keys, key_type, i);
        if (!tn_val_hashable(key)) {
            key = tn_val_str(tn_val_to_str(a, key));
        }
        tn_dict_put(dict.dict, key, duck_cell_read(a, values, value_type, i));
    }
    return dict;
}

static tn_val string_value(tn_arena *a, duckdb_vector v, uint64_t row, duckdb_type id)
{
    tn_val s = tn_val_str_dup(a, duck_string_of(v, row));
    if (id == DUCKDB_TYPE_BLOB) {
        s.tag = TN_BYTES;
    }
    return s;
}

static tn_val read_number(tn_arena *a, duckdb_vector v, duckdb_type id, uint64_t row)
{
    bool negative;
    duck_u128 n;
    switch (id) {
    case DUCKDB_TYPE_TINYINT:
        return tn_val_int(AT(int8_t));
    case DUCKDB_TYPE_SMALLINT:
        return tn_val_int(AT(int16_t));
    case DUCKDB_TYPE_INTEGER:
        return tn_val_int(AT(int32_t));
    case DUCKDB_TYPE_BIGINT:
        return tn_val_int(AT(int64_t));
    case DUCKDB_TYPE_UTINYINT:
        return tn_val_int(AT(uint8_t));
    case DUCKDB_TYPE_USMALLINT:
        return tn_val_int(AT(uint16_t));
    case DUCKDB_TYPE_UINTEGER:
        return tn_val_int(AT(uint32_t));
    case DUCKDB_TYPE_UBIGINT:
        return integer_value(a, AT(uint64_t), false);
    case DUCKDB_TYPE_HUGEINT:
        n = magnitude(AT(duckdb_hugeint), &negative);
        return integer_value(a, n, negative);
    case DUCKDB_TYPE_UHUGEINT:
        n = ((duck_u128)AT(duckdb_uhugeint).upper << 64) | AT(duckdb_uhugeint).lower;
        return integer_value(a, n, false);
    case DUCKDB_TYPE_FLOAT:
        return tn_val_float((double)AT(float));
    case DUCKDB_TYPE_DOUBLE:
        return tn_val_float(AT(double));
    default:
        return TN_VAL_NONE;
    }
}

tn_val duck_cell_read(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row)
{
    duckdb_type id = duckdb_get_type_id(type);
    if (!duck_cell_valid(v, row)) {
        return TN_VAL_NONE;
    }
    switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
        return tn_val_bool(AT(bool));
    case DUCKDB_TYPE_DECIMAL:
        return tn_val_decimal(decimal_text(a, v, type, row));
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
        return string_value(a, v, row, id);
    case DUCKDB_TYPE_DATE:
        return date_value(AT(int32_t));
    case DUCKDB_TYPE_TIME:
        /* 24:00:00 is a TIME to SQL but none to Python. */
        return AT(int64_t) < DAY_US ? (tn_val){ .tag = TN_TIME, .i = AT(int64_t) }
                                    : tn_val_z("24:00:00");
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return timestamp_value(id, AT(int64_t));
    case DUCKDB_TYPE_LIST:
        return read_list(a, v, type, row);
    case DUCKDB_TYPE_ARRAY:
        return read_array(a, v, type, row);
    case DUCKDB_TYPE_STRUCT:
        return read_struct(a, v, type, row);
    case DUCKDB_TYPE_MAP:
        return read_map(a, v, type, row);
    default:
        return read_number(a, v, id, row);
    }
}

/* ---- texts that need no cast ---- */

/* hh:mm:ss and as many digits of the fraction as it has. */
static void add_clock(tn_buf *b, int64_t micros)
{
    int64_t s = micros / 1000000, fraction = micros % 1000000;
    tn_buf_addf(b, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    if (fraction > 0) {
        int digits = 6;
        for (; fraction % 10 == 0; digits--) {
            fraction /= 10;
        }
        tn_buf_addf(b, ".%0*d", digits, (int)fraction);
    }
}

/* Days whose year has four digits; others (BC, 10000 and later, infinite) are left to DuckDB. */
static bool is_common_day(int64_t days)
{
    return days >= -719162 && days <= 2932896;
}

static bool moment_text(tn_buf *b, duckdb_type id, int64_t ticks)
{
    int64_t micros = ticks;
    if (id == DUCKDB_TYPE_TIMESTAMP_S || id == DUCKDB_TYPE_TIMESTAMP_MS) {
        if (__builtin_mul_overflow(
                ticks, id == DUCKDB_TYPE_TIMESTAMP_S ? 1000000 : 1000, &micros)) {
            return false;
        }
    }
    int64_t days = floor_div(micros, DAY_US);
    if (!is_common_day(days)) {
        return false;
    }
    tn_iso_date(b, days);
    tn_buf_addc(b, ' ');
    add_clock(b, micros - days * DAY_US);
    return true;
}

/* DuckDB leaves out the zero before the point when the type has no place for it: DECIMAL(2,2) prints .05 */
static void add_decimal(tn_buf *b, tn_str digits, duckdb_logical_type type)
{
    size_t zero = digits.p[0] == '-';
    if (duckdb_decimal_width(type) > duckdb_decimal_scale(type)) {
        tn_buf_add(b, digits);
        return;
    }
    tn_buf_add(b, tn_str_sub(digits, 0, zero));
    tn_buf_add(b, tn_str_sub(digits, zero + 1, digits.n));
}

static bool scalar_text(
    tn_buf *b, duckdb_vector v, duckdb_type id, duckdb_logical_type type, uint64_t row)
{
    switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
        tn_buf_addz(b, AT(bool) ? "true" : "false");
        return true;
    case DUCKDB_TYPE_DECIMAL:
        add_decimal(b, decimal_text(b->arena, v, type, row), type);
        return true;
    case DUCKDB_TYPE_DATE:
        if (!is_common_day(AT(int32_t))) {
            return false;
        }
        tn_iso_date(b, AT(int32_t));
        return true;
    case DUCKDB_TYPE_TIME:
        add_clock(b, AT(int64_t));
        return true;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
        return moment_text(b, id, AT(int64_t));
    case DUCKDB_TYPE_DOUBLE:
        if (!isfinite(AT(double))) {
            return false;
        }
        tn_float_repr_to(b, AT(double));
        return true;
    default:
        tn_val_str_to(b, read_number(b->arena, v, id, row));
        return true;
    }
}

static bool is_number(duckdb_type id)
{
    return (id >= DUCKDB_TYPE_TINYINT && id <= DUCKDB_TYPE_UBIGINT) || id == DUCKDB_TYPE_HUGEINT ||
           id == DUCKDB_TYPE_UHUGEINT;
}

bool duck_cell_text(tn_arena *a, duckdb_vector v, duckdb_type id, duckdb_logical_type type,
    uint64_t row, tn_str *ret)
{
    if (id == DUCKDB_TYPE_VARCHAR) {
        *ret = tn_str_dup(a, duck_string_of(v, row));
        return true;
    }
    bool known = is_number(id) || id == DUCKDB_TYPE_BOOLEAN || id == DUCKDB_TYPE_DECIMAL ||
                 id == DUCKDB_TYPE_DATE || id == DUCKDB_TYPE_TIME || id == DUCKDB_TYPE_TIMESTAMP ||
                 id == DUCKDB_TYPE_TIMESTAMP_S || id == DUCKDB_TYPE_TIMESTAMP_MS ||
                 id == DUCKDB_TYPE_DOUBLE;
    if (!known) {
        return false;
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (!scalar_text(&b, v, id, type, row)) {
        return false;
    }
    *ret = tn_buf_str(&b);
    return true;
}
