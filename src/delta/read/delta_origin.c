/* delta_origin.c: generation expressions of partition columns, read backwards. Ranges of time are [first, last] microseconds; a month of
 * DATE_FORMAT counts as it is written, so years before 1 are not thought of (Spark's dates begin with year 1).
 */
#include "delta/read/delta_origin.h"

#include "text/sqltoken.h"
#include "text/timetext.h"

#define DAY_US TN_DELTA_DAY_US

enum form { SAME, START, PART, FORMAT, PREFIX };

/* ---- the expression ---- */

/* A column at *at, and then a comma or the end of the arguments. */
static bool take_column(tn_arena *a, const tn_tokens *t, size_t *at, tn_strs *ret)
{
    tn_strs parts = { 0 };
    if (!tn_token_is_name(t, *at) || !tn_token_dotted(a, t, at, &parts)) {
        return false;
    }
    *ret = parts;
    return true;
}

static tn_str text_at(tn_arena *a, const tn_tokens *t, size_t i)
{
    return i < t->n && t->v[i].kind == TN_TOKEN_STRING
               ? tn_str_lower(a, tn_token_value(a, &t->v[i]))
               : TN_STR_NONE;
}

static bool is_one_of(tn_str s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (tn_str_is(s, *words)) {
            return true;
        }
    }
    return false;
}

/* Names of a unit as Spark takes them; empty: another. */
static tn_str unit_of(tn_str word)
{
    static const struct {
        const char *word, *unit;
    } UNITS[] = { { "year", "year" }, { "yyyy", "year" }, { "yy", "year" },
        { "quarter", "quarter" }, { "month", "month" }, { "mon", "month" }, { "mm", "month" },
        { "week", "week" }, { "day", "day" }, { "dd", "day" }, { "hour", "hour" },
        { "minute", "minute" } };
    for (size_t i = 0; i < TN_COUNTOF(UNITS); i++) {
        if (tn_str_is(word, UNITS[i].word)) {
            return tn_str_of(UNITS[i].unit);
        }
    }
    return TN_STR_NONE;
}

/* name(column) */
static bool read_one_argument(tn_arena *a, const tn_tokens *t, tn_str name, tn_delta_origin *o)
{
    static const char *const PARTS[] = { "year", "month", "day", "hour", NULL };
    size_t at = 2;
    bool date = tn_str_is(name, "date");
    tn_str part = tn_str_is(name, "dayofmonth") ? TN_STR("day") : name;
    if ((!date && !is_one_of(part, PARTS)) || !take_column(a, t, &at, &o->base) ||
        !tn_token_is(t, at, ")") || at + 1 != t->n) {
        return false;
    }
    o->form = date ? START : PART;
    o->unit = date ? TN_STR("day") : part;
    return true;
}

/* DATE_FORMAT(column, 'format'), TRUNC(column, 'unit'), SUBSTRING(column, 1, n) */
static bool read_more_arguments(tn_arena *a, const tn_tokens *t, tn_str name, tn_delta_origin *o)
{
    size_t at = 2;
    int64_t from;
    if (!take_column(a, t, &at, &o->base) || !tn_token_is(t, at, ",")) {
        return false;
    }
    at++;
    bool prefix = tn_str_is(name, "substring") || tn_str_is(name, "substr");
    if (prefix) {
        o->form = PREFIX;
        return at < t->n && tn_str_to_i64(t->v[at].text, &from) && (from == 0 || from == 1) &&
               tn_token_is(t, at + 1, ",") && tn_token_is(t, at + 3, ")") && at + 4 == t->n;
    }
    if (!tn_token_is(t, at + 1, ")") || at + 2 != t->n) {
        return false;
    }
    if (tn_str_is(name, "trunc")) {
        o->form = START;
        o->unit = unit_of(text_at(a, t, at));
        return o->unit.n > 0;
    }
    bool text = t->v[at].kind == TN_TOKEN_STRING;
    tn_str format = text ? tn_token_value(a, &t->v[at]) : TN_STR_NONE;
    o->form = FORMAT; /* up to a year, a month, a day or an hour */
    return tn_str_is(name, "date_format") && format.n >= 4 && format.n % 3 == 1 &&
           tn_str_starts(TN_STR("yyyy-MM-dd-HH"), format);
}

static bool read_expression(tn_arena *a, tn_str text, tn_delta_origin *o)
{
    tn_tokens t;
    size_t at = 0;
    if (tn_sql_tokens(a, text, &t, NULL) != TN_OK || t.n == 0) {
        return false;
    }
    while (t.n > 2 && tn_token_is(&t, 0, "(") && tn_token_close(&t, 0) == t.n - 1) {
        t.v++;
        t.n -= 2;
    }
    if (!tn_token_is(&t, 1, "(")) {
        o->form = SAME;
        return take_column(a, &t, &at, &o->base) && at == t.n;
    }
    tn_str name = tn_str_lower(a, t.v[0].text);
    if (tn_str_is(name, "cast")) {
        at = 2;
        o->form = START;
        o->unit = TN_STR("day");
        return take_column(a, &t, &at, &o->base) && tn_token_are(&t, at, "as date )") &&
               at + 3 == t.n;
    }
    if (tn_str_is(name, "date_trunc")) {
        at = 4;
        o->form = START;
        o->unit = unit_of(text_at(a, &t, 2));
        return o->unit.n > 0 && tn_token_is(&t, 3, ",") && take_column(a, &t, &at, &o->base) &&
               tn_token_is(&t, at, ")") && at + 1 == t.n;
    }
    return read_one_argument(a, &t, name, o) || read_more_arguments(a, &t, name, o);
}

tn_delta_origins tn_delta_origins_of(tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping)
{
    tn_delta_origins out = { 0 };
    for (size_t i = 0; i < m->partition_columns.n; i++) {
        const tn_delta_field *f = tn_delta_field_find(m->schema, m->partition_columns.v[i]);
        tn_str text =
            f ? tn_val_str_at(f->metadata, "delta.generationExpression", TN_STR_NONE) : TN_STR_NONE;
        tn_delta_origin o = { .type = f ? f->type : NULL };
        if (text.n > 0 && read_expression(a, text, &o)) {
            o.partition = tn_delta_physical_name(f, mapping);
            tn_vec_push(&out, a, o);
        }
    }
    return out;
}

/* ---- its values ---- */

typedef struct span {
    bool known;
    int64_t first, next; /* microseconds */
} span;

/* Day 1 of a month that may be beyond 12. */
static int64_t month_start(int64_t year, int64_t month)
{
    return tn_days_from_civil(year + (month - 1) / 12, (int)((month - 1) % 12) + 1, 1) * DAY_US;
}

static span span_of(int64_t us, tn_str unit)
{
    static const struct {
        const char *unit;
        int months;
        int64_t us;
    } LONG[] = { { "year", 12, 0 }, { "quarter", 3, 0 }, { "month", 1, 0 },
        { "week", 0, 7 * DAY_US }, { "day", 0, DAY_US }, { "hour", 0, DAY_US / 24 },
        { "minute", 0, DAY_US / 1440 } };
    for (size_t i = 0; i < TN_COUNTOF(LONG); i++) {
        if (!tn_str_is(unit, LONG[i].unit)) {
            continue;
        }
        if (LONG[i].months == 0) {
            return (span){ true, us, us + LONG[i].us };
        }
        /* The start of an instant's month, cut in another zone, may fall on the day before: one month more is room enough. */
        tn_civil c = tn_civil_of_micros(us);
        return (span){ true, us, month_start(c.year, c.month + LONG[i].months + (c.day > 1)) };
    }
    return (span){ .known = false };
}

static bool number_in(tn_str s, size_t from, size_t to, int64_t *ret)
{
    return s.n >= to && tn_str_to_i64(tn_str_sub(s, from, to), ret) && *ret >= 0;
}

/* yyyy[-MM[-dd[-HH]]] */
static span span_of_format(tn_str value)
{
    int64_t part[4] = { 0, 1, 1, 0 };
    static const char *const UNITS[] = { "year", "month", "day", "hour" };
    size_t n = 1;
    if (!number_in(value, 0, 4, &part[0])) {
        return (span){ .known = false };
    }
    for (size_t at = 4; at + 3 <= value.n && n < 4; at += 3, n++) {
        if (value.p[at] != '-' || !number_in(value, at + 1, at + 3, &part[n])) {
            return (span){ .known = false };
        }
    }
    if (value.n != 4 + 3 * (n - 1) || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31 ||
        part[3] > 23) {
        return (span){ .known = false };
    }
    int64_t us =
        tn_days_from_civil(part[0], (int)part[1], (int)part[2]) * DAY_US + part[3] * (DAY_US / 24);
    return span_of(us, tn_str_of(UNITS[n - 1]));
}

static span span_of_start(tn_str value, tn_str unit)
{
    int64_t days;
    int64_t us;
    bool zone;
    int offset;
    if (tn_parse_date(value, &days)) {
        return span_of(days * DAY_US, unit);
    }
    return tn_parse_timestamp(value, &us, &zone, &offset) ? span_of(us, unit)
                                                          : (span){ .known = false };
}

static tn_str value_in(tn_val values, tn_str name)
{
    const tn_val *v = values.tag == TN_DICT ? tn_dict_finds(values.dict, name) : NULL;
    return v == NULL ? TN_STR_NONE : tn_val_as_str(*v);
}

static bool is_base(const tn_delta_origin *o, const tn_strs *path)
{
    bool same = o->base.n == path->n;
    for (size_t i = 0; same && i < path->n; i++) {
        same = tn_str_eq_nocase(o->base.v[i], path->v[i]);
    }
    return same;
}

/* YEAR, MONTH, DAY and HOUR of one column, as far as they follow each other. */
static span span_of_parts(const tn_delta_origins *list, tn_val values, const tn_strs *path)
{
    static const char *const UNITS[] = { "year", "month", "day", "hour" };
    int64_t part[] = { 0, 1, 1, 0 };
    size_t n = 0;
    for (size_t before = SIZE_MAX; n < 4 && n != before;) {
        before = n;
        for (size_t i = 0; n == before && i < list->n; i++) {
            const tn_delta_origin *o = &list->v[i];
            int64_t v;
            if (o->form == PART && is_base(o, path) && tn_str_is(o->unit, UNITS[n]) &&
                tn_str_to_i64(value_in(values, o->partition), &v) && v >= (n == 1 || n == 2) &&
                v < (n == 0 ? 100000 : 60)) {
                part[n++] = v;
            }
        }
    }
    if (n == 0 || part[1] > 12 || part[2] > 31 || part[3] > 23) {
        return (span){ .known = false };
    }
    int64_t us =
        tn_days_from_civil(part[0], (int)part[1], (int)part[2]) * DAY_US + part[3] * (DAY_US / 24);
    return span_of(us, tn_str_of(UNITS[n - 1]));
}

static void meet(tn_delta_range *r, span s, bool instant)
{
    long double room = instant ? (long double)TN_DELTA_ZONES_US : 0;
    long double lo = (long double)s.first - room;
    long double hi = (long double)s.next - 1 + room;
    if (s.known) {
        r->lo = r->time && r->lo > lo ? r->lo : lo;
        r->hi = r->time && r->hi < hi ? r->hi : hi;
        r->time = true;
    }
}

static void meet_prefix(tn_arena *a, tn_delta_range *r, tn_str value)
{
    char *next = tn_arena_alloc(a, value.n);
    memcpy(next, value.p, value.n);
    next[value.n - 1] = (char)((unsigned char)next[value.n - 1] + 1); /* UTF-8 has no byte 0xff */
    r->text = true;
    r->from = value;
    r->below = tn_str_n(next, value.n);
}

tn_delta_range tn_delta_origin_range(tn_arena *a, const tn_delta_origins *list,
    tn_val partition_values, const tn_strs *path, const tn_delta_type *base)
{
    tn_delta_range r = { .time = false };
    bool instant = tn_delta_type_is(base, "timestamp");
    bool time =
        instant || tn_delta_type_is(base, "timestamp_ntz") || tn_delta_type_is(base, "date");
    bool text = tn_delta_type_is(base, "string");
    for (size_t i = 0; i < list->n; i++) {
        const tn_delta_origin *o = &list->v[i];
        tn_str value = value_in(partition_values, o->partition);
        if (value.n == 0 || !is_base(o, path)) { /* an empty value may be NULL or a text */
            continue;
        }
        if (o->form == SAME && tn_delta_type_eq(o->type, base)) {
            r.same = true;
            r.value = value;
        } else if (o->form == START && time) {
            meet(&r, span_of_start(value, o->unit), instant);
        } else if (o->form == FORMAT && time) {
            meet(&r, span_of_format(value), instant);
        } else if (o->form == PREFIX && text) {
            meet_prefix(a, &r, value);
        }
    }
    if (time) {
        meet(&r, span_of_parts(list, partition_values, path), instant);
    }
    return r;
}
