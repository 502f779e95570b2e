/* lake_narrow_constant.c: a subquery that gives one value becomes that value: WHERE at > (SELECT max(at) FROM t), as incremental models are written.
 *
 * The subquery is run once more than the query itself runs it, so only where that is sure to give the same and is worth it: it reads Delta tables alone (their
 * snapshots do not change), has no LIMIT, calls nothing but functions that are known to have one result, and is compared with something. The value goes into the tree that
 * conditions are taken from; the text that is run keeps the subquery.
 */
#include "lake/sql/lake_narrow_impl.h"

static bool is_sure_function(tn_val node)
{
    static const char *const NAMES[] = { "max", "min", "count", "count_star", "-", "+", "*",
        "date_trunc", "datetrunc", "to_years", "to_months", "to_weeks", "to_days", "to_hours",
        "to_minutes", "to_seconds", "date_add", "date_sub", "greatest", "least", "year", "month",
        "day", "hour", "make_date", NULL };
    return narrow_says_any(node, "function_name", NAMES);
}

static bool is_delta_table(const narrow *n, tn_val node)
{
    tn_narrow_found found = { 0 };
    tn_str part[] = { tn_val_str_at(node, "catalog_name", TN_STR_NONE),
        tn_val_str_at(node, "schema_name", TN_STR_NONE),
        tn_val_str_at(node, "table_name", TN_STR_NONE) };
    return part[1].n > 0 && narrow_no(node, "at_clause") && narrow_no(node, "sample") &&
           n->names->find(n->names->self, n->a, part, &found) && found.snap != NULL;
}

/* Nothing below it but Delta tables, columns, constants, operators and functions with one result. */
static bool is_sure(const narrow *n, tn_val node, int depth)
{
    static const char *const BAD[] = { "SUBQUERY", "WINDOW", "PARAMETER", "LAMBDA", "STAR", NULL };
    static const char *const FROMS[] = { "SUBQUERY", "TABLE_FUNCTION", "EXPRESSION_LIST", "PIVOT",
        "SHOW_REF", "COLUMN_DATA", "DELIM_GET", NULL };
    bool table = narrow_says(node, "type", "BASE_TABLE");
    bool bad = depth > NARROW_DEPTH_MAX || (table && !is_delta_table(n, node)) ||
               (narrow_says(node, "class", "FUNCTION") && !is_sure_function(node)) ||
               (narrow_says(node, "type", "SELECT_NODE") &&
                   (!narrow_no(node, "modifiers") || !narrow_no(node, "sample"))) ||
               narrow_says_any(node, "class", BAD) || narrow_says_any(node, "type", FROMS);
    size_t at = 0;
    tn_val child;
    while (!bad && narrow_next(node, &at, &child)) {
        bad = !is_sure(n, child, depth + 1);
    }
    return !bad;
}

/* ---- the value ---- */

static tn_val constant(tn_arena *a, const char *type, tn_val value)
{
    tn_val node = tn_val_dict(a);
    tn_val inner = tn_val_dict(a);
    tn_val id = tn_val_dict(a);
    tn_dict_putz(id.dict, "id", tn_val_z(type));
    tn_dict_putz(inner.dict, "type", id);
    tn_dict_putz(inner.dict, "is_null", TN_VAL_FALSE);
    tn_dict_putz(inner.dict, "value", value);
    tn_dict_putz(node.dict, "class", tn_val_z("CONSTANT"));
    tn_dict_putz(node.dict, "type", tn_val_z("VALUE_CONSTANT"));
    tn_dict_putz(node.dict, "value", inner);
    return node;
}

/* A value of this type, given as text; undefined: no type that conditions on files are good for. A text that is no literal is cast in ways of its own. */
static tn_val constant_of(tn_arena *a, tn_str type, tn_str text)
{
    static const char *const TIMES[] = { "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE" };
    int64_t n;
    if ((tn_str_is(type, "INTEGER") || tn_str_is(type, "BIGINT") || tn_str_is(type, "SMALLINT")) &&
        tn_str_to_i64(text, &n)) {
        return constant(a, "BIGINT", tn_val_int(n));
    }
    for (size_t i = 0; i < TN_COUNTOF(TIMES); i++) {
        if (tn_str_is(type, TIMES[i])) {
            tn_val node = tn_val_dict(a);
            tn_val id = tn_val_dict(a);
            tn_dict_putz(id.dict, "id", tn_val_z(TIMES[i]));
            tn_dict_putz(node.dict, "class", tn_val_z("CAST"));
            tn_dict_putz(node.dict, "type", tn_val_z("OPERATOR_CAST"));
            tn_dict_putz(node.dict, "cast_type", id);
            tn_dict_putz(node.dict, "child", constant(a, "VARCHAR", tn_val_str(text)));
            return node;
        }
    }
    return TN_VAL_UNDEF;
}

/* Runs the subquery: one row, one column. query: the tree's "subquery", {node, ..}. */
static tn_val value_of(const narrow *n, tn_val query)
{
    tn_val statement = tn_val_dict(n->a);
    tn_val list = tn_val_list(n->a);
    tn_val rows;
    tn_list_push(list.list, query);
    tn_dict_putz(statement.dict, "error", TN_VAL_FALSE);
    tn_dict_putz(statement.dict, "statements", list);
    tn_str text = tn_conn_tree_text(n->conn, n->a, statement);
    if (text.n == 0) {
        return TN_VAL_UNDEF;
    }
    tn_str ask = tn_str_printf(n->a,
        "SELECT typeof(v), v::VARCHAR FROM (" TN_STR_FMT "\n) AS q(v) LIMIT 2", TN_STR_ARG(text));
    if (tn_conn_rows(n->conn, n->a, ask, 2, &rows, NULL, NULL) != TN_OK || rows.list->n != 1 ||
        !tn_val_is_str(rows.list->v[0].list->v[1])) {
        return TN_VAL_UNDEF;
    }
    return constant_of(
        n->a, tn_val_as_str(rows.list->v[0].list->v[0]), tn_val_as_str(rows.list->v[0].list->v[1]));
}

static void settle_side(const narrow *n, tn_val comparison, const char *side)
{
    tn_val node = tn_val_at(comparison, side);
    tn_val query = tn_val_at(node, "subquery");
    if (narrow_says(node, "class", "SUBQUERY") && narrow_says(node, "subquery_type", "SCALAR") &&
        is_sure(n, tn_val_at(query, "node"), 0)) {
        tn_val value = value_of(n, query);
        if (value.tag == TN_DICT) {
            tn_dict_putz(comparison.dict, side, value);
        }
    }
}

/* The comparisons of a condition, as far as AND joins them. */
static void settle(const narrow *n, tn_val cond, int depth)
{
    tn_val parts = tn_val_at(cond, "children");
    if (depth > NARROW_DEPTH_MAX) {
        return;
    }
    for (size_t i = 0;
        narrow_says(cond, "class", "CONJUNCTION") && tn_val_is_seq(parts) && i < parts.list->n;
        i++) {
        settle(n, parts.list->v[i], depth + 1);
    }
    if (narrow_says(cond, "class", "COMPARISON")) {
        settle_side(n, cond, "left");
        settle_side(n, cond, "right");
    }
}

void narrow_constants(narrow *n, tn_val node, int depth)
{
    if (depth > NARROW_DEPTH_MAX) {
        return;
    }
    if (narrow_says(node, "type", "SELECT_NODE")) {
        settle(n, tn_val_at(node, "where_clause"), 0);
    }
    size_t at = 0;
    tn_val child;
    while (narrow_next(node, &at, &child)) {
        narrow_constants(n, child, depth + 1);
    }
}
