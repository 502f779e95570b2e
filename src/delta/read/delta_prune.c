/* delta_prune.c: which files a predicate cannot touch ("Per-file Statistics", data skipping).
 *
 * DuckDB's own parser gives the predicate's tree (json_serialize_sql). The tree is asked of each file "may a row be true?"; AND
 * and OR combine the answers, a comparison of a column with a constant looks at the partition value or at minimum and
 * maximum, and whatever is not understood answers yes. So a file is left out only on proof.
 * Care is taken where the two sides may not mean the same: a constant without time zone against instants is widened by a day's
 * worth of zones, maxima of timestamps by the millisecond that writers cut off, NaN (greatest for DuckDB, absent from
 * statistics) forbids conclusions from a maximum, decimals and floats get room for rounding.
 */
#include <math.h>

#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_log.h"
#include "delta/read/delta_prune.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/timetext.h"

#define DAY_US ((long double)86400e6)
#define ZONES_US (DAY_US * 15 / 24)

typedef enum domain {
    DOM_NONE,
    DOM_NUMBER,
    DOM_FLOAT,
    DOM_TIME,
    DOM_DATE,
    DOM_TEXT,
    DOM_BOOL
} domain;

typedef struct bound {
    bool known;
    long double lo, hi; /* numbers and times (microseconds): the value lies in between */
    tn_str text;
} bound;

typedef struct column {
    const tn_delta_field *field;
    size_t partition; /* SIZE_MAX: data */
    tn_strs path;     /* physical names from the top */
    domain dom;
} column;

typedef struct pruner {
    tn_arena *arena;
    const tn_delta_snapshot *s;
    tn_delta_mapping mapping;
    const tn_delta_file *file;
    tn_val stats; /* of the file */
} pruner;

typedef enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_OTHER } op;

/* ---- names ---- */

static domain domain_of(const tn_delta_type *t)
{
    static const char *const INTS[] = { "byte", "short", "integer", "long" };
    for (size_t i = 0; i < TN_COUNTOF(INTS); i++) {
        if (tn_delta_type_is(t, INTS[i])) {
            return DOM_NUMBER;
        }
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

static bool is(tn_val node, const char *key, const char *value)
{
    return tn_str_is(tn_val_str_at(node, key, TN_STR_NONE), value);
}

/* A COLUMN_REF: name, struct.field..., or alias.name. Names that could be read in two ways are not understood. */
static bool find_column(const pruner *p, tn_val node, column *ret)
{
    tn_val names = tn_val_at(node, "column_names");
    if (!is(node, "class", "COLUMN_REF") || !tn_val_is_seq(names) || names.list->n == 0) {
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
        c.field = f;
        if (++at == names.list->n) {
            break;
        }
    }
    if (f == NULL) {
        return false;
    }
    c.partition = c.path.n == 1 ? tn_delta_partition_index(&p->s->meta, c.field->name) : SIZE_MAX;
    c.dom = domain_of(c.field->type);
    *ret = c;
    return c.dom != DOM_NONE;
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
        us = days * 86400000000;
    } else if (!tn_parse_timestamp(s, &us, &zone, &offset)) {
        return (bound){ .known = false };
    }
    long double room = zone == instant ? 0 : ZONES_US;
    return (bound){ .known = true,
        .lo = (long double)us - room,
        .hi = (long double)us + room + (cut_to_ms ? 1000 : 0) };
}

static bound text_bound(domain dom, tn_str s, bool instant, bool cut_to_ms)
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
            .known = true, .lo = (long double)days * DAY_US, .hi = (long double)days * DAY_US
        };
    case DOM_TEXT:
        return (bound){ .known = true, .text = s };
    case DOM_BOOL:
    case DOM_NONE:
        break;
    }
    return (bound){ .known = false };
}

static bool is_instant(const column *c)
{
    return tn_delta_type_is(c->field->type, "timestamp");
}

/* DuckDB casts the text to the column's type, where a fraction may be rounded to a neighbour. */
static bound text_constant(const column *c, tn_str s)
{
    int64_t whole;
    bound b = text_bound(c->dom, s, is_instant(c), false);
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
static bound constant_of(const pruner *p, const column *c, tn_val node)
{
    bound unknown = { .known = false };
    if (is(node, "class", "CAST")) {
        tn_str type = tn_val_str_at(tn_val_at(node, "cast_type"), "id", TN_STR_NONE);
        bool time = tn_str_is(type, "DATE") || tn_str_is(type, "TIMESTAMP") ||
                    tn_str_is(type, "TIMESTAMP WITH TIME ZONE");
        tn_val value = tn_val_at(tn_val_at(node, "child"), "value");
        tn_val v = tn_val_at(value, "value");
        bool plain = is(tn_val_at(node, "child"), "class", "CONSTANT") && tn_val_is_str(v);
        if (!time || !plain || (c->dom != DOM_TIME && c->dom != DOM_DATE)) {
            return unknown;
        }
        return tn_str_is(type, "DATE") ? text_bound(DOM_DATE, tn_val_as_str(v), false, false)
                                       : time_of(tn_val_as_str(v), is_instant(c), false);
    }
    tn_val value = tn_val_at(node, "value");
    tn_str type = tn_val_str_at(tn_val_at(value, "type"), "id", TN_STR_NONE);
    tn_val v = tn_val_at(value, "value");
    if (!is(node, "class", "CONSTANT") || tn_val_bool_at(value, "is_null", true)) {
        return unknown;
    }
    if (tn_str_is(type, "VARCHAR")) {
        return text_constant(c, tn_val_as_str(v));
    }
    bool number = c->dom == DOM_NUMBER || c->dom == DOM_FLOAT;
    return number ? number_constant(p, type, value) : unknown;
}

/* ---- what is known of a file ---- */

static tn_val stat_at(const pruner *p, const char *part, const column *c)
{
    tn_val v = tn_val_at(p->stats, part);
    for (size_t i = 0; i < c->path.n; i++) {
        const tn_val *next = v.tag == TN_DICT ? tn_dict_finds(v.dict, c->path.v[i]) : NULL;
        v = next ? *next : TN_VAL_UNDEF;
    }
    return v;
}

/* false: all rows have NULL there. */
static bool value_range(const pruner *p, const column *c, bound *min, bound *max)
{
    *min = *max = (bound){ .known = false };
    if (c->partition != SIZE_MAX) {
        const tn_val *v = p->file->partition_values.tag == TN_DICT
                              ? tn_dict_finds(p->file->partition_values.dict, c->path.v[0])
                              : NULL;
        if (v == NULL || tn_val_as_str(*v).n == 0) {
            return false;
        }
        *min = *max = text_bound(c->dom, tn_val_as_str(*v), is_instant(c), false);
        if (c->dom == DOM_TIME && is_instant(c) && min->known && min->hi > min->lo) {
            *min = *max = time_of(tn_str_concat(p->arena, tn_val_as_str(*v), TN_STR("Z")), true,
                false); /* as the scan takes it */
        }
        return true;
    }
    tn_val rows = tn_val_at(p->stats, "numRecords");
    tn_val nulls = stat_at(p, "nullCount", c);
    if (rows.tag == TN_INT && nulls.tag == TN_INT && rows.i == nulls.i) {
        return false;
    }
    tn_val lo = stat_at(p, "minValues", c);
    tn_val hi = stat_at(p, "maxValues", c);
    if (lo.tag != TN_UNDEF && lo.tag != TN_NONE) {
        *min = text_bound(c->dom, tn_val_to_str(p->arena, lo), is_instant(c), false);
    }
    if (hi.tag != TN_UNDEF && hi.tag != TN_NONE) {
        *max = text_bound(c->dom, tn_val_to_str(p->arena, hi), is_instant(c), true);
    }
    return true;
}

static bool surely_below(domain dom, const bound *x, const bound *y)
{
    return dom == DOM_TEXT ? tn_str_cmp(x->text, y->text) < 0 : x->hi < y->lo;
}

static bool surely_not_above(domain dom, const bound *x, const bound *y)
{
    return dom == DOM_TEXT ? tn_str_cmp(x->text, y->text) <= 0 : x->hi <= y->lo;
}

static bool surely_same(domain dom, const bound *x, const bound *y)
{
    return dom == DOM_TEXT ? tn_str_eq(x->text, y->text)
                           : x->lo == x->hi && y->lo == y->hi && x->lo == y->lo;
}

static bool may_compare(const pruner *p, const column *c, op o, const bound *k)
{
    bound min;
    bound max;
    if (!k->known || o == OP_OTHER) { /* NULL IS DISTINCT FROM a constant */
        return true;
    }
    if (!value_range(p, c, &min, &max)) {
        return false; /* a comparison with NULL is not true */
    }
    bool nan_above = c->dom == DOM_FLOAT && c->partition == SIZE_MAX;
    bool below_all = min.known && surely_below(c->dom, k, &min);
    bool above_all = max.known && surely_below(c->dom, &max, k);
    switch (o) {
    case OP_EQ:
        return !below_all && !above_all;
    case OP_NE: /* all rows have just this value */
        return (c->dom != DOM_NUMBER && c->dom != DOM_TEXT) || !min.known || !max.known ||
               !surely_same(c->dom, k, &min) || !surely_same(c->dom, k, &max);
    case OP_LT:
        return !(min.known && surely_not_above(c->dom, k, &min));
    case OP_LE:
        return !below_all;
    case OP_GT:
        return nan_above || !(max.known && surely_not_above(c->dom, &max, k));
    case OP_GE:
        return nan_above || !above_all;
    case OP_OTHER:
        break;
    }
    return true;
}

/* ---- the predicate ---- */

static op op_of(tn_val node, bool swapped)
{
    static const struct {
        const char *name;
        op straight, swapped;
    } OPS[] = { { "COMPARE_EQUAL", OP_EQ, OP_EQ }, { "COMPARE_NOTEQUAL", OP_NE, OP_NE },
        { "COMPARE_LESSTHAN", OP_LT, OP_GT }, { "COMPARE_GREATERTHAN", OP_GT, OP_LT },
        { "COMPARE_LESSTHANOREQUALTO", OP_LE, OP_GE },
        { "COMPARE_GREATERTHANOREQUALTO", OP_GE, OP_LE },
        { "COMPARE_NOT_DISTINCT_FROM", OP_EQ, OP_EQ } }; /* the same for what is no NULL */
    for (size_t i = 0; i < TN_COUNTOF(OPS); i++) {
        if (is(node, "type", OPS[i].name)) {
            return swapped ? OPS[i].swapped : OPS[i].straight;
        }
    }
    return OP_OTHER;
}

static bool may_be_true(const pruner *p, tn_val node);

static bool may_operator(const pruner *p, tn_val node)
{
    tn_val children = tn_val_at(node, "children");
    column c;
    if (!tn_val_is_seq(children) || children.list->n == 0 ||
        !find_column(p, children.list->v[0], &c)) {
        return true;
    }
    bound min;
    bound max;
    if (is(node, "type", "OPERATOR_IS_NOT_NULL")) {
        return value_range(p, &c, &min, &max);
    }
    if (is(node, "type", "OPERATOR_IS_NULL")) {
        if (c.partition != SIZE_MAX) {
            return !value_range(p, &c, &min, &max);
        }
        tn_val nulls = stat_at(p, "nullCount", &c);
        return !(nulls.tag == TN_INT && nulls.i == 0 && c.path.n == 1);
    }
    if (!is(node, "type", "COMPARE_IN")) {
        return true;
    }
    for (size_t i = 1; i < children.list->n; i++) {
        bound k = constant_of(p, &c, children.list->v[i]);
        if (may_compare(p, &c, OP_EQ, &k)) {
            return true;
        }
    }
    return false;
}

static bool may_comparison(const pruner *p, tn_val node)
{
    column c;
    tn_val left = tn_val_at(node, "left");
    tn_val right = tn_val_at(node, "right");
    bool swapped = !find_column(p, left, &c);
    if (swapped && !find_column(p, right, &c)) {
        return true;
    }
    bound k = constant_of(p, &c, swapped ? left : right);
    return may_compare(p, &c, op_of(node, swapped), &k);
}

static bool may_between(const pruner *p, tn_val node)
{
    column c;
    if (!find_column(p, tn_val_at(node, "input"), &c)) {
        return true;
    }
    bound lower = constant_of(p, &c, tn_val_at(node, "lower"));
    bound upper = constant_of(p, &c, tn_val_at(node, "upper"));
    return may_compare(p, &c, OP_GE, &lower) && may_compare(p, &c, OP_LE, &upper);
}

/* What a text must begin with; empty: not understood. Of a LIKE pattern all up to the first wildcard. */
static tn_str prefix_of(tn_val node, bool like)
{
    tn_val value = tn_val_at(node, "value");
    tn_val v = tn_val_at(value, "value");
    if (!is(node, "class", "CONSTANT") || tn_val_bool_at(value, "is_null", true) ||
        !tn_val_is_str(v)) {
        return TN_STR_NONE;
    }
    tn_str s = tn_val_as_str(v);
    for (size_t i = 0; like && i < s.n; i++) {
        if (s.p[i] == '%' || s.p[i] == '_') {
            return tn_str_sub(s, 0, i);
        }
    }
    return s;
}

/* column LIKE 'x%', starts_with(column, 'x') */
static bool may_function(const pruner *p, tn_val node)
{
    bool like = is(node, "function_name", "~~");
    tn_val children = tn_val_at(node, "children");
    column c;
    bound min;
    bound max;
    if ((!like && !is(node, "function_name", "starts_with") &&
            !is(node, "function_name", "prefix") && !is(node, "function_name", "^@")) ||
        !tn_val_is_seq(children) || children.list->n != 2 ||
        !find_column(p, children.list->v[0], &c) || c.dom != DOM_TEXT) {
        return true;
    }
    if (!value_range(p, &c, &min, &max)) {
        return false;
    }
    tn_str prefix = prefix_of(children.list->v[1], like);
    if (prefix.n == 0) {
        return true;
    }
    bool below = max.known && tn_str_cmp(max.text, prefix) < 0;
    bool above = min.known &&
                 tn_str_cmp(tn_str_sub(min.text, 0, tn_min_size(prefix.n, min.text.n)), prefix) > 0;
    return !below && !above;
}

static bool may_be_true(const pruner *p, tn_val node)
{
    if (is(node, "class", "CONJUNCTION")) {
        bool and_ = is(node, "type", "CONJUNCTION_AND");
        tn_val children = tn_val_at(node, "children");
        for (size_t i = 0; tn_val_is_seq(children) && i < children.list->n; i++) {
            if (may_be_true(p, children.list->v[i]) != and_) {
                return !and_;
            }
        }
        return and_;
    }
    if (is(node, "class", "COMPARISON")) {
        return may_comparison(p, node);
    }
    if (is(node, "class", "BETWEEN") && is(node, "type", "COMPARE_BETWEEN")) {
        return may_between(p, node);
    }
    if (is(node, "class", "FUNCTION")) {
        return may_function(p, node);
    }
    return is(node, "class", "OPERATOR") ? may_operator(p, node) : true;
}

/* The predicate's tree; undefined when DuckDB does not take it (the query itself will say why). */
static tn_rc where_statement(tn_conn *conn, tn_arena *a, tn_str where, tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT json_serialize_sql(");
    tn_sql_literal(
        &b, tn_str_printf(a, "SELECT 1 FROM t WHERE (" TN_STR_FMT "\n)", TN_STR_ARG(where)));
    tn_buf_addz(&b, ")::VARCHAR");
    tn_val text;
    TN_TRY(tn_conn_scalar(conn, a, tn_buf_str(&b), &text, err));
    return tn_json_parse(a, tn_val_as_str(text), ret, err);
}

static tn_val node_of(tn_val tree)
{
    tn_val statements = tn_val_at(tree, "statements");
    return tn_val_is_seq(statements) && statements.list->n == 1
               ? tn_val_at(statements.list->v[0], "node")
               : TN_VAL_UNDEF;
}

tn_val tn_delta_where_tree(tn_conn *conn, tn_arena *a, tn_str where)
{
    tn_val tree;
    tn_err ignored = TN_ERR_INIT;
    if (where_statement(conn, a, where, &tree, &ignored) != TN_OK) {
        return TN_VAL_UNDEF;
    }
    return tn_val_at(node_of(tree), "where_clause");
}

tn_str tn_delta_where_text(tn_conn *conn, tn_arena *a, tn_val part)
{
    static const char HEAD[] = "SELECT 1 FROM t WHERE ";
    tn_val tree;
    tn_val text;
    tn_err ignored = TN_ERR_INIT;
    tn_buf json = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    if (part.tag != TN_DICT || where_statement(conn, a, TN_STR("true"), &tree, &ignored) != TN_OK ||
        node_of(tree).tag != TN_DICT) {
        return TN_STR_NONE;
    }
    tn_dict_putz(node_of(tree).dict, "where_clause", part);
    tn_json_print(&json, tree, NULL);
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT json_deserialize_sql(");
    tn_sql_literal(&b, tn_buf_str(&json));
    tn_buf_addc(&b, ')');
    if (tn_conn_scalar(conn, a, tn_buf_str(&b), &text, &ignored) != TN_OK) {
        return TN_STR_NONE;
    }
    tn_str sql = tn_val_as_str(text);
    return tn_str_starts(sql, TN_STR(HEAD)) ? tn_str_sub(sql, sizeof HEAD - 1, sql.n) : TN_STR_NONE;
}

tn_rc tn_delta_prune(
    const tn_delta_snapshot *s, tn_conn *conn, tn_arena *a, tn_str where, bool *keep, tn_err *err)
{
    (void)err;
    if (conn == NULL || tn_str_trim(where).n == 0) {
        return TN_OK;
    }
    tn_val tree = tn_delta_where_tree(conn, a, where);
    if (tree.tag == TN_DICT) {
        tn_delta_prune_tree(s, tree, keep);
    }
    return TN_OK;
}

void tn_delta_prune_tree(const tn_delta_snapshot *s, tn_val tree, bool *keep)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta prune", NULL);
    pruner p = { .arena = scratch, .s = s, .mapping = tn_delta_mapping_of(&s->protocol, &s->meta) };
    for (size_t i = 0; i < s->files.n; i++) {
        tn_arena_reset(scratch);
        tn_err ignored = TN_ERR_INIT;
        p.file = &s->files.v[i];
        p.stats = TN_VAL_UNDEF;
        if (p.file->stats.n > 0 &&
            tn_json_parse(scratch, p.file->stats, &p.stats, &ignored) != TN_OK) {
            p.stats = TN_VAL_UNDEF;
        }
        keep[i] = may_be_true(&p, tree);
    }
}
