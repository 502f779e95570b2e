/* delta_bound.c: columns, functions of them and constants, as a predicate's tree names them.
 *
 * Care is taken where the two sides may not mean the same: a constant without time zone against instants is widened by a day's worth of zones, maxima of
 * timestamps by the millisecond that writers cut off, decimals and floats get room for rounding.
 */
#include "delta/read/delta_bound.h"

#include <math.h>

#include "delta/action/delta_schema.h"
#include "text/timetext.h"

/* ---- names ---- */

static domain domain_of(const tn_delta_type *t)
{
    if (tn_delta_type_int_rank(t) > 0) {
        return DOM_NUMBER;
    }
    if (t->kind == TN_DT_PRIMITIVE && tn_str_starts(t->name, TN_STR("decimal"))) {
        return DOM_NUMBER;
    }
    if (tn_delta_type_is(t, "float") || tn_delta_type_is(t, "double")) {
        return DOM_FLOAT;
    }
    if (tn_delta_type_is(t, "timestamp") || tn_delta_type_is(t, "timestamp_ntz")) {
        return DOM_TIME;
    }
    if (tn_delta_type_is(t, "boolean")) {
        return DOM_BOOL;
    }
    return tn_delta_type_is(t, "date")     ? DOM_DATE
           : tn_delta_type_is(t, "string") ? DOM_TEXT
                                           : DOM_NONE;
}

/* A COLUMN_REF: name, struct.field..., or alias.name. Names that could be read in two ways are not understood. */
static bool find_plain(const pruner *p, tn_val node, column *ret)
{
    tn_val names = tn_val_at(node, "column_names");
    if (!tn_bound_says(node, "class", "COLUMN_REF") || !tn_val_is_seq(names) ||
        names.list->n == 0) {
        return false;
    }
    size_t at = 0;
    const tn_delta_type *t = p->s->meta.schema;
    const tn_delta_field *f = tn_delta_field_find(t, tn_val_as_str(names.list->v[0]));
    if (names.list->n > 1) {
        tn_str second = tn_val_as_str(names.list->v[1]);
        bool nested = f != NULL && tn_delta_field_find(f->type, second) != NULL;
        bool aliased = tn_delta_field_find(t, second) != NULL;
        if (nested && aliased) {
            return false;
        }
        if (!nested) {
            f = tn_delta_field_find(t, second);
            at = 1;
        }
    }
    column c = { .partition = SIZE_MAX };
    for (; f != NULL; f = tn_delta_field_find(f->type, tn_val_as_str(names.list->v[at]))) {
        tn_vec_push(&c.path, p->arena, tn_delta_physical_name(f, p->mapping));
        tn_vec_push(&c.names, p->arena, f->name);
        c.field = f;
        if (++at == names.list->n) {
            break;
        }
    }
    if (f == NULL) {
        return false;
    }
    c.partition = c.path.n == 1 ? tn_delta_partition_index(&p->s->meta, c.field->name) : SIZE_MAX;
    c.dom = c.stored = domain_of(c.field->type);
    *ret = c;
    return c.dom != DOM_NONE;
}

/* The longest that a unit of date_trunc is; 0: another word. */
static long double unit_us(tn_val node)
{
    static const struct {
        const char *unit;
        int hours;
    } UNITS[] = { { "hour", 1 }, { "day", 25 }, { "week", 7 * 24 + 1 }, { "month", 31 * 24 + 1 },
        { "quarter", 92 * 24 + 1 }, { "year", 366 * 24 + 1 } };
    tn_val v = tn_val_at(tn_val_at(node, "value"), "value");
    for (size_t i = 0; tn_bound_says(node, "class", "CONSTANT") && i < TN_COUNTOF(UNITS); i++) {
        if (tn_str_eq_nocase(tn_val_as_str(v), tn_str_of(UNITS[i].unit))) {
            return (long double)3600e6 * UNITS[i].hours;
        }
    }
    return 0;
}

static bool is_time(const column *c)
{
    return c->dom == DOM_TIME || c->dom == DOM_DATE;
}

/* A column, or a function of one that keeps the order of times. */
bool tn_bound_column(const pruner *p, tn_val node, column *ret)
{
    tn_val args = tn_val_at(node, "children");
    size_t n = tn_val_is_seq(args) ? args.list->n : 0;
    column c;
    if (tn_bound_says(node, "class", "CAST")) {
        tn_val type = tn_val_at(node, "cast_type");
        if (!tn_bound_says(type, "id", "DATE") || tn_val_bool_at(node, "try_cast", false) ||
            !find_plain(p, tn_val_at(node, "child"), &c) || !is_time(&c)) {
            return false;
        }
        c.view = c.dom == DOM_TIME ? VIEW_DATE : VIEW_PLAIN;
        c.dom = DOM_DATE;
    } else if (n == 2 && tn_bound_says(node, "class", "FUNCTION") &&
               (tn_bound_says(node, "function_name", "date_trunc") ||
                   tn_bound_says(node, "function_name", "datetrunc"))) {
        if (!find_plain(p, args.list->v[1], &c) || !is_time(&c)) {
            return false;
        }
        c.view = VIEW_TRUNC;
        c.cut = unit_us(args.list->v[0]);
        c.dom = DOM_TIME;
        if (c.cut == 0) {
            return false;
        }
    } else if (n == 1 && tn_bound_says(node, "class", "FUNCTION") &&
               tn_bound_says(node, "function_name", "year")) {
        if (!find_plain(p, args.list->v[0], &c) || !is_time(&c)) {
            return false;
        }
        c.view = VIEW_YEAR;
        c.dom = DOM_NUMBER;
    } else {
        return find_plain(p, node, ret);
    }
    *ret = c;
    return true;
}

/* ---- values ---- */

static bound number_bound(tn_str s, long double slack)
{
    char text[64];
    char *end = NULL;
    if (s.n == 0 || s.n >= sizeof text || strchr("-.0123456789", s.p[0]) == NULL) {
        return (bound){ .known = false };
    }
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    long double v = strtold(text, &end);
    if (*end != 0 || !isfinite(v)) {
        return (bound){ .known = false };
    }
    long double room = (v < 0 ? -v : v) * slack;
    return (bound){ .known = true, .lo = v - room, .hi = v + room };
}

/* Whole numbers are exact up to 2^63; everything else may be a rounded text. */
static bound number_of(tn_str s)
{
    int64_t i;
    return tn_str_to_i64(s, &i)
               ? (bound){ .known = true, .lo = (long double)i, .hi = (long double)i }
               : number_bound(s, (long double)1e-6);
}

static bound time_of(tn_str s, bool instant, bool cut_to_ms)
{
    int64_t us;
    int64_t days;
    bool zone = false;
    int offset;
    if (tn_parse_date(s, &days)) {
        us = days * TN_DELTA_DAY_US;
    } else if (!tn_parse_timestamp(s, &us, &zone, &offset)) {
        return (bound){ .known = false };
    }
    long double room = zone == instant ? 0 : TN_ZONES_US;
    return (bound){ .known = true,
        .lo = (long double)us - room,
        .hi = (long double)us + room + (cut_to_ms ? 1000 : 0) };
}

bound tn_bound_text(domain dom, tn_str s, bool instant, bool cut_to_ms)
{
    int64_t days;
    switch (dom) {
    case DOM_NUMBER:
    case DOM_FLOAT:
        return number_of(s);
    case DOM_TIME:
        return time_of(s, instant, cut_to_ms);
    case DOM_DATE:
        if (!tn_parse_date(s, &days)) {
            return (bound){ .known = false };
        }
        return (bound){
            .known = true, .lo = (long double)days * TN_DAY_US, .hi = (long double)days * TN_DAY_US
        };
    case DOM_TEXT:
        return (bound){ .known = true, .text = s };
    case DOM_BOOL:
    case DOM_NONE:
        break;
    }
    return (bound){ .known = false };
}

bool tn_bound_is_instant(const column *c)
{
    return tn_delta_type_is(c->field->type, "timestamp");
}

/* DuckDB casts the text to the column's type, where a fraction may be rounded to a neighbour. */
static bound text_constant(const column *c, tn_str s)
{
    int64_t whole;
    bound b = tn_bound_text(c->dom, s, tn_bound_is_instant(c), false);
    if (c->dom == DOM_NUMBER && b.known && !tn_str_to_i64(s, &whole)) {
        b.lo -= (long double)0.5;
        b.hi += (long double)0.5;
    }
    return b;
}

/* What DuckDB keeps in 128 bits comes as {upper, lower}, the latter without sign. */
static bool number_value(tn_arena *a, tn_val v, long double *ret)
{
    tn_val upper = tn_val_at(v, "upper");
    tn_val lower = tn_val_at(v, "lower");
    if (v.tag == TN_INT) {
        *ret = (long double)v.i;
        return true;
    }
    if (upper.tag != TN_INT || (lower.tag != TN_INT && lower.tag != TN_BIGINT)) {
        return false;
    }
    bound low = number_bound(tn_val_to_str(a, lower), 0);
    *ret = (long double)upper.i * (long double)18446744073709551616.0 + low.lo;
    return low.known;
}

static bound number_constant(const pruner *p, tn_str type, tn_val value)
{
    tn_val v = tn_val_at(value, "value");
    long double n;
    bool whole = tn_str_is(type, "INTEGER") || tn_str_is(type, "BIGINT");
    if (whole || tn_str_is(type, "DOUBLE")) {
        return number_of(tn_val_to_str(p->arena, v));
    }
    if ((!tn_str_is(type, "DECIMAL") && !tn_str_is(type, "HUGEINT")) ||
        !number_value(p->arena, v, &n)) {
        return (bound){ .known = false };
    }
    for (int64_t i = tn_val_int_at(tn_val_at(tn_val_at(value, "type"), "type_info"), "scale", 0);
        i > 0; i--) {
        n /= 10;
    }
    long double room = (n < 0 ? -n : n) * (long double)1e-6;
    return (bound){ .known = true, .lo = n - room, .hi = n + room };
}

/* A constant of the predicate as a value of the column's domain. */
bound tn_bound_constant(const pruner *p, const column *c, tn_val node)
{
    bound unknown = { .known = false };
    if (tn_bound_says(node, "class", "CAST")) {
        tn_str type = tn_val_str_at(tn_val_at(node, "cast_type"), "id", TN_STR_NONE);
        bool time = tn_str_is(type, "DATE") || tn_str_is(type, "TIMESTAMP") ||
                    tn_str_is(type, "TIMESTAMP WITH TIME ZONE");
        tn_val value = tn_val_at(tn_val_at(node, "child"), "value");
        tn_val v = tn_val_at(value, "value");
        bool plain =
            tn_bound_says(tn_val_at(node, "child"), "class", "CONSTANT") && tn_val_is_str(v);
        if (!time || !plain || (c->dom != DOM_TIME && c->dom != DOM_DATE)) {
            return unknown;
        }
        return tn_str_is(type, "DATE") ? tn_bound_text(DOM_DATE, tn_val_as_str(v), false, false)
                                       : time_of(tn_val_as_str(v), tn_bound_is_instant(c), false);
    }
    tn_val value = tn_val_at(node, "value");
    tn_str type = tn_val_str_at(tn_val_at(value, "type"), "id", TN_STR_NONE);
    tn_val v = tn_val_at(value, "value");
    if (!tn_bound_says(node, "class", "CONSTANT") || tn_val_bool_at(value, "is_null", true)) {
        return unknown;
    }
    if (tn_str_is(type, "VARCHAR")) {
        return text_constant(c, tn_val_as_str(v));
    }
    bool number = c->dom == DOM_NUMBER || c->dom == DOM_FLOAT;
    return number ? number_constant(p, type, value) : unknown;
}

/* ---- functions ---- */

static long double year_of(long double us)
{
    bool far = us < -(long double)6e16 || us > (long double)2.5e17; /* beyond years 1 and 9999 */
    return far ? (us < 0 ? -(long double)1e9 : (long double)1e9)
               : (long double)tn_civil_of_micros((int64_t)us).year;
}

/* What is made of the column's values. A day of an instant is one of the session's time zone. */
void tn_bound_see_through(const column *c, bound *b)
{
    long double zones = tn_bound_is_instant(c) ? TN_ZONES_US : 0;
    if (!b->known || c->view == VIEW_PLAIN) {
        return;
    }
    switch (c->view) {
    case VIEW_DATE:
        b->lo = floorl((b->lo - zones) / TN_DAY_US) * TN_DAY_US;
        b->hi = floorl((b->hi + zones) / TN_DAY_US) * TN_DAY_US;
        break;
    case VIEW_TRUNC:
        b->lo -= c->cut;
        break;
    case VIEW_YEAR:
        b->lo = year_of(b->lo - zones);
        b->hi = year_of(b->hi + zones);
        break;
    case VIEW_PLAIN:
        break;
    }
}
