/* delta_stats.c: what COPY's RETURN_STATS says of a file, as the JSON of add.stats ("Per-file Statistics").
 *
 * DuckDB gives all values as text under quoted dotted paths: "st"."b"."c". Only the first 32 leaf columns are written (or what the
 * table's properties say), no minimum or maximum for booleans, binaries, arrays and maps. Rounding is always outward: a minimum may be
 * too small and a maximum too large, never the other way, since readers skip files by them.
 */
#include <math.h>

#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/timetext.h"

enum { INDEXED_LEAVES_DEFAULT = 32, STRING_PREFIX_UNITS = 32 };

typedef enum part { PART_MIN, PART_MAX, PART_NULLS } part;
static const char *const PART_KEYS[] = {
    [PART_MIN] = "minValues", [PART_MAX] = "maxValues", [PART_NULLS] = "nullCount"
};

typedef struct printer {
    tn_json_writer w;
    tn_arena *arena;
    tn_val statistics;
    const tn_delta_meta *meta;
    tn_delta_mapping mapping;
    part part;
    int64_t leaves_left; /* -1: no limit */
    tn_str only;         /* delta.dataSkippingStatsColumns; empty: by count */
    const tn_strs
        *always; /* dotted names that have statistics whatever the properties say; may be NULL */
} printer;

/* ---- values ---- */

static size_t skip_digits(tn_str s, size_t at)
{
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9') {
        at++;
    }
    return at;
}

/* A number as JSON writes it: -? (0 | [1-9] digits) ('.' digits)? ([eE] [+-]? digits)? */
static bool plain_number(tn_str s)
{
    double f;
    size_t from = s.n > 0 && s.p[0] == '-' ? 1 : 0;
    size_t at = skip_digits(s, from);
    if (at == from || (s.p[from] == '0' && at > from + 1)) {
        return false;
    }
    if (at < s.n && s.p[at] == '.') {
        from = at + 1;
        at = skip_digits(s, from);
        if (at == from) {
            return false;
        }
    }
    if (at < s.n && (s.p[at] | 32) == 'e') {
        from = at + 1;
        from += from < s.n && (s.p[from] == '+' || s.p[from] == '-');
        at = skip_digits(s, from);
        if (at == from) {
            return false;
        }
    }
    return at == s.n && tn_str_to_f64(s, &f) && isfinite(f);
}

/* The first STRING_PREFIX_UNITS UTF-16 units, never half a character; *ret_cut says whether something was left out. */
static size_t prefix_bytes(tn_str s, size_t units_max)
{
    size_t at = 0;
    size_t units = 0;
    while (at < s.n) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        units += cp > 0xffff ? 2 : 1;
        if (units > units_max) {
            break;
        }
        at += n;
    }
    return at;
}

/* A text that sorts after everything with this prefix: a last character that is larger than the first one cut. When that is the largest
 * of all, the prefix grows until it is not; past twice its length there is no maximum. */
static bool string_max(printer *p, tn_str s, tn_str *ret)
{
    size_t n = prefix_bytes(s, STRING_PREFIX_UNITS);
    size_t limit = prefix_bytes(s, 2 * STRING_PREFIX_UNITS);
    if (n == s.n) {
        *ret = s;
        return true;
    }
    while (n < s.n && n <= limit) {
        uint32_t cp;
        size_t bytes = tn_utf8_decode(tn_str_sub(s, n, s.n), &cp);
        if (cp < 0x10ffff) {
            tn_str tie = cp < 0x7f ? TN_STR("\x7f") : TN_STR("\xf4\x8f\xbf\xbf");
            *ret = tn_str_concat(p->arena, tn_str_sub(s, 0, n), tie);
            return true;
        }
        n += bytes;
    }
    *ret = s;
    return n >= s.n;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Milliseconds, as other writers: down for a minimum, up for a maximum. */
static bool timestamp_text(printer *p, tn_str s, bool zone, tn_str *ret)
{
    int64_t micros;
    bool has_zone;
    int offset;
    if (!tn_parse_timestamp(s, &micros, &has_zone, &offset)) {
        return false;
    }
    int64_t ms = p->part == PART_MIN ? floor_div(micros, 1000) : floor_div(micros + 999, 1000);
    tn_buf b = tn_buf_init(p->arena, 64);
    tn_iso_micros(&b, ms * 1000, 3, 'T', zone ? "Z" : "");
    *ret = tn_buf_str(&b);
    return true;
}

/* Writes the value and its key, or nothing when it has no place in the statistics. */
static void put_bound(printer *p, tn_str key, const tn_delta_type *t, tn_str s)
{
    tn_str text = s;
    int64_t days;
    if (tn_delta_type_is(t, "string")) {
        if (p->part == PART_MIN) {
            text = tn_str_sub(s, 0, prefix_bytes(s, STRING_PREFIX_UNITS));
        } else if (!string_max(p, s, &text)) {
            return;
        }
    } else if (tn_delta_type_is(t, "timestamp") || tn_delta_type_is(t, "timestamp_ntz")) {
        if (!timestamp_text(p, s, tn_delta_type_is(t, "timestamp"), &text)) {
            return;
        }
    } else if (tn_delta_type_is(t, "date")) {
        if (!tn_parse_date(s, &days)) {
            return;
        }
    } else if (plain_number(s)) {
        tn_jw_key_s(&p->w, key);
        tn_jw_raw(&p->w, s);
        return;
    } else {
        return;
    }
    tn_jw_key_s(&p->w, key);
    tn_jw_str(&p->w, text);
}

static void put_count(printer *p, tn_str key, tn_str n)
{
    if (plain_number(n)) {
        tn_jw_key_s(&p->w, key);
        tn_jw_raw(&p->w, n);
    }
}

/* ---- walking the schema ---- */

static bool wants_bounds(const tn_delta_type *t)
{
    return t->kind == TN_DT_PRIMITIVE && !tn_delta_type_is(t, "boolean") &&
           !tn_delta_type_is(t, "binary");
}

static void put_leaf(printer *p, tn_str key, tn_str path, const tn_delta_type *t)
{
    const tn_val *stats = tn_dict_finds(p->statistics.dict, path);
    if (stats == NULL || t->kind != TN_DT_PRIMITIVE) {
        return;
    }
    if (p->part == PART_NULLS) {
        put_count(p, key, tn_val_str_at(*stats, "null_count", TN_STR_NONE));
        return;
    }
    const tn_val *v =
        tn_dict_finds(stats->dict, p->part == PART_MIN ? TN_STR("min") : TN_STR("max"));
    bool nan = tn_str_is(tn_val_str_at(*stats, "has_nan", TN_STR("false")), "true");
    if (v != NULL && tn_val_is_str(*v) && !nan && wants_bounds(t)) {
        put_bound(p, key, t, tn_val_as_str(*v));
    }
}

/* In the comma-separated list of columns, where a name also stands for everything below it. */
static bool listed(tn_str list, tn_str dotted)
{
    while (list.n > 0) {
        tn_str one;
        tn_str rest;
        (void)tn_str_cut(list, ',', &one, &rest);
        list = rest;
        one = tn_str_trim(one);
        bool below = tn_str_starts(dotted, one) && (dotted.n == one.n || dotted.p[one.n] == '.');
        if (one.n > 0 && below) {
            return true;
        }
    }
    return false;
}

static bool take_leaf(printer *p, tn_str dotted)
{
    for (size_t i = 0; p->always != NULL && i < p->always->n; i++) {
        if (tn_str_eq_nocase(p->always->v[i], dotted)) {
            return true;
        }
    }
    if (p->only.n > 0) {
        return listed(p->only, dotted);
    }
    if (p->leaves_left == 0) {
        return false;
    }
    p->leaves_left -= p->leaves_left > 0 ? 1 : 0;
    return true;
}

static void put_fields(printer *p, const tn_delta_type *t, tn_str path, tn_str dotted, bool top)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (top && tn_delta_partition_index(p->meta, f->name) != SIZE_MAX) {
            continue;
        }
        tn_str physical = tn_delta_physical_name(f, p->mapping);
        tn_buf b = tn_buf_init(p->arena, TN_DELTA_SQL_BYTES_MAX);
        tn_buf_add(&b, path);
        tn_buf_addz(&b, path.n > 0 ? "." : "");
        tn_sql_ident(&b, physical);
        tn_str name = dotted.n > 0 ? tn_str_printf(p->arena, TN_STR_FMT "." TN_STR_FMT,
                                         TN_STR_ARG(dotted), TN_STR_ARG(f->name))
                                   : f->name;
        if (f->type->kind == TN_DT_STRUCT) {
            tn_jw_key_s(&p->w, physical);
            tn_jw_obj(&p->w);
            put_fields(p, f->type, tn_buf_str(&b), name, false);
            tn_jw_obj_end(&p->w);
        } else if (take_leaf(p, name)) {
            put_leaf(p, physical, tn_buf_str(&b), f->type);
        }
    }
}

void tn_delta_stats_print(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping,
    const tn_strs *always, int64_t rows, tn_val column_statistics)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta stats", NULL);
    printer p = { .arena = scratch,
        .statistics = column_statistics,
        .meta = m,
        .mapping = mapping,
        .always = always };
    int64_t leaves = INDEXED_LEAVES_DEFAULT;
    if (!tn_str_to_i64(tn_delta_property(m, "delta.dataSkippingNumIndexedCols"), &leaves) ||
        leaves < -1) {
        leaves = INDEXED_LEAVES_DEFAULT;
    }
    p.only = tn_delta_property(m, "delta.dataSkippingStatsColumns");
    p.w = tn_json_writer_init(b, 0);
    tn_jw_obj(&p.w);
    tn_jw_key(&p.w, "numRecords");
    tn_jw_int(&p.w, rows);
    for (p.part = PART_MIN; column_statistics.tag == TN_DICT && p.part <= PART_NULLS; p.part++) {
        p.leaves_left = leaves;
        tn_jw_key(&p.w, PART_KEYS[p.part]);
        tn_jw_obj(&p.w);
        put_fields(&p, m->schema, TN_STR(""), TN_STR(""), true);
        tn_jw_obj_end(&p.w);
    }
    tn_jw_obj_end(&p.w);
}

/* ---- from a checkpoint's structs ---- */

static void put_texts(printer *p, const tn_delta_type *t, tn_val from, bool top)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        tn_str key = tn_delta_physical_name(f, p->mapping);
        const tn_val *v = from.tag == TN_DICT ? tn_dict_finds(from.dict, key) : NULL;
        if (v == NULL || (top && tn_delta_partition_index(p->meta, f->name) != SIZE_MAX)) {
            continue;
        }
        if (f->type->kind == TN_DT_STRUCT && v->tag == TN_DICT) {
            tn_jw_key_s(&p->w, key);
            tn_jw_obj(&p->w);
            put_texts(p, f->type, *v, false);
            tn_jw_obj_end(&p->w);
        } else if (tn_val_is_str(*v) && p->part == PART_NULLS) {
            put_count(p, key, tn_val_as_str(*v));
        } else if (tn_val_is_str(*v) && tn_delta_type_is(f->type, "string")) {
            tn_jw_key_s(&p->w, key); /* cut already, if at all */
            tn_jw_str(&p->w, tn_val_as_str(*v));
        } else if (tn_val_is_str(*v) && wants_bounds(f->type)) {
            put_bound(p, key, f->type, tn_val_as_str(*v));
        }
    }
}

tn_str tn_delta_stats_of_texts(
    tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping, tn_val texts)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    TN_AUTO_ARENA scratch = tn_arena_new("delta stats", NULL);
    printer p = { .arena = scratch, .meta = m, .mapping = mapping };
    if (texts.tag != TN_DICT || m->schema == NULL) {
        return TN_STR_NONE;
    }
    p.w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&p.w);
    put_count(&p, TN_STR("numRecords"), tn_val_str_at(texts, "numRecords", TN_STR_NONE));
    for (p.part = PART_MIN; p.part <= PART_NULLS; p.part++) {
        tn_val dict = tn_val_at(texts, PART_KEYS[p.part]);
        if (dict.tag == TN_DICT) {
            tn_jw_key(&p.w, PART_KEYS[p.part]);
            tn_jw_obj(&p.w);
            put_texts(&p, m->schema, dict, true);
            tn_jw_obj_end(&p.w);
        }
    }
    tn_str tight = tn_val_str_at(texts, "tightBounds", TN_STR_NONE);
    if (tight.n > 0) {
        tn_jw_key(&p.w, "tightBounds");
        tn_jw_bool(&p.w, tn_str_is(tight, "true"));
    }
    tn_jw_obj_end(&p.w);
    return tn_buf_str(&b);
}

/* ---- partition values ---- */

tn_val tn_delta_partition_text(tn_arena *a, const tn_delta_type *t, tn_val duck)
{
    if (duck.tag == TN_NONE || duck.tag == TN_UNDEF) {
        return TN_VAL_NONE;
    }
    tn_str s = tn_val_to_str(a, duck);
    if (s.n == 0) {
        return TN_VAL_NONE; /* the empty string means NULL in the log */
    }
    bool zone = tn_delta_type_is(t, "timestamp");
    int64_t micros;
    bool has_zone;
    int offset;
    if ((zone || tn_delta_type_is(t, "timestamp_ntz")) &&
        tn_parse_timestamp(s, &micros, &has_zone, &offset)) {
        tn_buf b = tn_buf_init(a, 64);
        bool whole = micros % 1000000 == 0;
        tn_iso_micros(&b, micros, whole && !zone ? 0 : 6, zone ? 'T' : ' ', zone ? "Z" : "");
        return tn_val_str(tn_buf_str(&b));
    }
    if (tn_delta_type_is(t, "double") || tn_delta_type_is(t, "float")) {
        if (tn_str_is(s, "inf")) {
            return tn_val_z("Infinity");
        }
        if (tn_str_is(s, "-inf")) {
            return tn_val_z("-Infinity");
        }
        if (tn_str_is(s, "nan")) {
            return tn_val_z("NaN");
        }
    }
    return tn_val_str_dup(a, s);
}

tn_val tn_delta_stat_at(tn_val stats, const char *key, const tn_strs *path)
{
    tn_val v = tn_val_at(stats, key);
    for (size_t i = 0; i < path->n; i++) {
        const tn_val *next = v.tag == TN_DICT ? tn_dict_finds(v.dict, path->v[i]) : NULL;
        v = next != NULL ? *next : TN_VAL_UNDEF;
    }
    return v;
}

int64_t tn_delta_stats_rows(const tn_delta_file *f)
{
    TN_AUTO_ARENA a = tn_arena_new("delta stats", NULL);
    tn_val stats = TN_VAL_UNDEF;
    tn_err ignored = TN_ERR_INIT;
    if (f->stats.n > 0 && tn_json_parse(a, f->stats, &stats, &ignored) != TN_OK) {
        return -1;
    }
    return tn_val_int_at(stats, "numRecords", -1);
}
