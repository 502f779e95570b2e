/* delta_prune.c: which files a predicate cannot touch ("Per-file Statistics", data skipping).
 *
 * DuckDB's own parser gives the predicate's tree (json_serialize_sql). The tree is asked of each file "may a row be true?"; AND
 * and OR combine the answers, a comparison of a column with a constant looks at the partition value or at minimum and
 * maximum (and at partition columns that are generated from the column: delta_origin.h), and whatever is not understood answers yes. Of functions, those
 * that keep the order of times are seen through: CAST(at AS DATE), date_trunc, year.
 * So a file is left out only on proof.
 * Care is taken where the two sides may not mean the same: a constant without time zone against instants is widened by a day's
 * worth of zones, maxima of timestamps by the millisecond that writers cut off, NaN (greatest for DuckDB, absent from
 * statistics) forbids conclusions from a maximum, decimals and floats get room for rounding.
 */
#include "delta/read/delta_prune.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/log/delta_log.h"
#include "delta/read/delta_bound.h"
#include "text/json.h"

typedef enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_OTHER } op;

/* ---- what is known of a file ---- */

/* The same told from partition columns that are generated from this one. */
static void meet_origins(const pruner *p, const column *c, bound *min, bound *max)
{
    tn_delta_range r = { .time = false };
    if (p->origins.n > 0) {
        r = tn_delta_origin_range(
            p->arena, &p->origins, p->file->partition_values, &c->names, c->field->type);
    }
    if (r.same) {
        *min = *max = tn_bound_text(c->stored, r.value, tn_bound_is_instant(c), false);
    }
    if (r.time && (!min->known || min->lo < r.lo)) {
        *min = (bound){ .known = true, .lo = r.lo, .hi = r.lo };
    }
    if (r.time && (!max->known || max->hi > r.hi)) {
        *max = (bound){ .known = true, .lo = r.hi, .hi = r.hi };
    }
    if (r.text && (!min->known || tn_str_cmp(min->text, r.from) < 0)) {
        *min = (bound){ .known = true, .text = r.from };
    }
    if (r.text && (!max->known || tn_str_cmp(max->text, r.below) > 0)) {
        *max = (bound){ .known = true, .text = r.below };
    }
}

static bool stored_range(const pruner *p, const column *c, bound *min, bound *max)
{
    *min = *max = (bound){ .known = false };
    if (c->partition != SIZE_MAX) {
        const tn_val *v = p->file->partition_values.tag == TN_DICT
                              ? tn_dict_finds(p->file->partition_values.dict, c->path.v[0])
                              : NULL;
        if (v == NULL || tn_val_as_str(*v).n == 0) {
            return false;
        }
        *min = *max = tn_bound_text(c->stored, tn_val_as_str(*v), tn_bound_is_instant(c), false);
        if (c->stored == DOM_TIME && tn_bound_is_instant(c) && min->known && min->hi > min->lo) {
            *min = *max =
                tn_bound_text(DOM_TIME, tn_str_concat(p->arena, tn_val_as_str(*v), TN_STR("Z")),
                    true, false); /* as the scan takes it */
        }
        return true;
    }
    tn_val rows = tn_val_at(p->stats, "numRecords");
    tn_val nulls = tn_delta_stat_at(p->stats, "nullCount", &c->path);
    if (rows.tag == TN_INT && nulls.tag == TN_INT && rows.i == nulls.i) {
        return false;
    }
    tn_val lo = tn_delta_stat_at(p->stats, "minValues", &c->path);
    tn_val hi = tn_delta_stat_at(p->stats, "maxValues", &c->path);
    if (lo.tag != TN_UNDEF && lo.tag != TN_NONE) {
        *min = tn_bound_text(c->stored, tn_val_to_str(p->arena, lo), tn_bound_is_instant(c), false);
    }
    if (hi.tag != TN_UNDEF && hi.tag != TN_NONE) {
        *max = tn_bound_text(c->stored, tn_val_to_str(p->arena, hi), tn_bound_is_instant(c), true);
    }
    meet_origins(p, c, min, max);
    return true;
}

/* false: all rows have NULL there. */
static bool value_range(const pruner *p, const column *c, bound *min, bound *max)
{
    if (!stored_range(p, c, min, max)) {
        return false;
    }
    tn_bound_see_through(c, min);
    tn_bound_see_through(c, max);
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
        if (tn_bound_says(node, "type", OPS[i].name)) {
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
        !tn_bound_column(p, children.list->v[0], &c)) {
        return true;
    }
    bound min;
    bound max;
    if (tn_bound_says(node, "type", "OPERATOR_IS_NOT_NULL")) {
        return value_range(p, &c, &min, &max);
    }
    if (tn_bound_says(node, "type", "OPERATOR_IS_NULL")) {
        if (c.view != VIEW_PLAIN) { /* year('infinity') is NULL */
            return true;
        }
        if (c.partition != SIZE_MAX) {
            return !value_range(p, &c, &min, &max);
        }
        tn_val nulls = tn_delta_stat_at(p->stats, "nullCount", &c.path);
        return !(nulls.tag == TN_INT && nulls.i == 0 && c.path.n == 1);
    }
    if (!tn_bound_says(node, "type", "COMPARE_IN")) {
        return true;
    }
    for (size_t i = 1; i < children.list->n; i++) {
        bound k = tn_bound_constant(p, &c, children.list->v[i]);
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
    bool swapped = !tn_bound_column(p, left, &c);
    if (swapped && !tn_bound_column(p, right, &c)) {
        return true;
    }
    bound k = tn_bound_constant(p, &c, swapped ? left : right);
    return may_compare(p, &c, op_of(node, swapped), &k);
}

static bool may_between(const pruner *p, tn_val node)
{
    column c;
    if (!tn_bound_column(p, tn_val_at(node, "input"), &c)) {
        return true;
    }
    bound lower = tn_bound_constant(p, &c, tn_val_at(node, "lower"));
    bound upper = tn_bound_constant(p, &c, tn_val_at(node, "upper"));
    return may_compare(p, &c, OP_GE, &lower) && may_compare(p, &c, OP_LE, &upper);
}

/* What a text must begin with; empty: not understood. Of a LIKE pattern all up to the first wildcard. */
static tn_str prefix_of(tn_val node, bool like)
{
    tn_val value = tn_val_at(node, "value");
    tn_val v = tn_val_at(value, "value");
    if (!tn_bound_says(node, "class", "CONSTANT") || tn_val_bool_at(value, "is_null", true) ||
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
    bool like = tn_bound_says(node, "function_name", "~~");
    tn_val children = tn_val_at(node, "children");
    column c;
    bound min;
    bound max;
    if ((!like && !tn_bound_says(node, "function_name", "starts_with") &&
            !tn_bound_says(node, "function_name", "prefix") &&
            !tn_bound_says(node, "function_name", "^@")) ||
        !tn_val_is_seq(children) || children.list->n != 2 ||
        !tn_bound_column(p, children.list->v[0], &c) || c.dom != DOM_TEXT) {
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
    if (tn_bound_says(node, "class", "CONJUNCTION")) {
        bool and_ = tn_bound_says(node, "type", "CONJUNCTION_AND");
        tn_val children = tn_val_at(node, "children");
        for (size_t i = 0; tn_val_is_seq(children) && i < children.list->n; i++) {
            if (may_be_true(p, children.list->v[i]) != and_) {
                return !and_;
            }
        }
        return and_;
    }
    if (tn_bound_says(node, "class", "COMPARISON")) {
        return may_comparison(p, node);
    }
    if (tn_bound_says(node, "class", "BETWEEN") && tn_bound_says(node, "type", "COMPARE_BETWEEN")) {
        return may_between(p, node);
    }
    if (tn_bound_says(node, "class", "FUNCTION")) {
        return may_function(p, node);
    }
    return tn_bound_says(node, "class", "OPERATOR") ? may_operator(p, node) : true;
}

#define WHERE_HEAD "SELECT 1 FROM t WHERE "

static tn_val where_statement(tn_conn *conn, tn_arena *a, tn_str where)
{
    return tn_conn_tree(
        conn, a, tn_str_printf(a, WHERE_HEAD "(" TN_STR_FMT "\n)", TN_STR_ARG(where)), true);
}

/* None when DuckDB does not take the predicate: the query itself will say why. */
tn_val tn_delta_where_tree(tn_conn *conn, tn_arena *a, tn_str where)
{
    return tn_val_at(tn_tree_node(where_statement(conn, a, where)), "where_clause");
}

tn_str tn_delta_where_text(tn_conn *conn, tn_arena *a, tn_val part)
{
    tn_val tree = part.tag == TN_DICT ? where_statement(conn, a, TN_STR("true")) : TN_VAL_UNDEF;
    tn_val node = tn_tree_node(tree);
    if (node.tag != TN_DICT) {
        return TN_STR_NONE;
    }
    tn_dict_putz(node.dict, "where_clause", part);
    tn_str sql = tn_conn_tree_text(conn, a, tree);
    return tn_str_starts(sql, TN_STR(WHERE_HEAD)) ? tn_str_sub(sql, sizeof WHERE_HEAD - 1, sql.n)
                                                  : TN_STR_NONE;
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
    TN_AUTO_ARENA own = tn_arena_new("delta origins", NULL);
    p.origins = tn_delta_origins_of(own, &s->meta, p.mapping);
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
