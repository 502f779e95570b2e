/* lake_sql_prune.c: a query opens only the files that its WHERE may be true for ("data skipping").
 *
 * A view over a table names all of its files, and DuckDB opens each to see in its footer whether it matters. The log knows that already. So DuckDB's tree of
 * the query is searched for SELECTs whose FROM has Delta tables; the parts of the WHERE that speak of one table alone are asked of its files, and where some
 * fall out the table's name in the text becomes a scan of those that are left.
 *
 * Only proof counts. A table on the side of an outer join that may be filled with NULLs is left alone, and so is one that is sampled. Columns without a
 * table's name are the innermost SELECT's, as in SQL.
 */
#include "lake/sql/lake_session.h"
#include "text/json.h"
#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 256 << 20, DEPTH_MAX = 200, FILES_MIN = 2 };

typedef struct ref { /* a table in a FROM */
    tn_val node;
    tn_str alias; /* as columns name it */
    const tn_delta_snapshot *snap;
} ref;
typedef tn_vec(ref) refs;

typedef struct change { /* of the text: [from, to) becomes sql */
    size_t from, to;
    tn_str sql;
} change;
typedef tn_vec(change) changes;

typedef struct narrow {
    tn_lake_sql *s;
    tn_arena *a;
    tn_str sql;
    tn_tokens tokens; /* of sql */
    tn_map aliases;   /* all that the query has, lower case */
    changes changes;
} narrow;

static bool says(tn_val node, const char *key, const char *value)
{
    return tn_str_is(tn_val_str_at(node, key, TN_STR_NONE), value);
}

static bool is_null(tn_val node, const char *key)
{
    tn_val v = tn_val_at(node, key);
    return v.tag == TN_UNDEF || v.tag == TN_NONE;
}

static tn_str alias_of(tn_val table)
{
    tn_str alias = tn_val_str_at(table, "alias", TN_STR_NONE);
    return alias.n > 0 ? alias : tn_val_str_at(table, "table_name", TN_STR_NONE);
}

/* ---- tables ---- */

/* The snapshot behind schema.table; NULL: it is no Delta table of ours. A name without a schema may be a CTE or a temporary table, so it is left alone. */
static const tn_delta_snapshot *snapshot_of(const narrow *n, tn_val table)
{
    tn_str schema = tn_val_str_at(table, "schema_name", TN_STR_NONE);
    tn_str catalog = tn_val_str_at(table, "catalog_name", TN_STR_NONE);
    tn_buf b = tn_buf_init(n->a, 1 << 16);
    if (schema.n == 0 || (catalog.n > 0 && !tn_str_is(catalog, "memory"))) {
        return NULL;
    }
    tn_buf_addz(&b, "memory.");
    tn_sql_ident(&b, schema);
    tn_buf_addc(&b, '.');
    tn_sql_ident(&b, tn_val_str_at(table, "table_name", TN_STR_NONE));
    return tn_map_find(&n->s->snapshots, tn_str_lower(n->a, tn_buf_str(&b)));
}

static void take_tables(const narrow *n, tn_val from, int depth, refs *ret)
{
    if (depth > DEPTH_MAX || !is_null(from, "sample")) {
        return;
    }
    if (says(from, "type", "JOIN")) {
        bool plain = says(from, "ref_type", "REGULAR") || says(from, "ref_type", "CROSS");
        bool inner = says(from, "join_type", "INNER");
        if (plain && (inner || says(from, "join_type", "LEFT"))) {
            take_tables(n, tn_val_at(from, "left"), depth + 1, ret);
        }
        if (plain && inner) {
            take_tables(n, tn_val_at(from, "right"), depth + 1, ret);
        }
        return;
    }
    tn_val renamed = tn_val_at(from, "column_name_alias");
    if (!says(from, "type", "BASE_TABLE") || !is_null(from, "at_clause") ||
        (tn_val_is_seq(renamed) && renamed.list->n > 0)) {
        return;
    }
    ref r = { .node = from, .alias = alias_of(from), .snap = snapshot_of(n, from) };
    if (r.snap != NULL && tn_delta_snapshot_file_count(r.snap) >= FILES_MIN) {
        tn_vec_push(ret, n->a, r);
    }
}

static void take_aliases(narrow *n, tn_val node, int depth)
{
    if (depth > DEPTH_MAX) {
        return;
    }
    if (tn_val_is_seq(node)) {
        for (size_t i = 0; i < node.list->n; i++) {
            take_aliases(n, node.list->v[i], depth + 1);
        }
    } else if (node.tag == TN_DICT) {
        if (alias_of(node).n >
            0) { /* of columns too: then a column counts as a table, and proves less */
            tn_map_put(&n->aliases, tn_str_lower(n->a, alias_of(node)), n);
        }
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(node.dict, &at)) != NULL) {
            take_aliases(n, it->value, depth + 1);
        }
    }
}

/* ---- predicates ---- */

static bool has_field(const tn_delta_snapshot *s, tn_str name)
{
    const tn_delta_fields *f = &tn_delta_snapshot_meta(s)->schema->fields;
    for (size_t i = 0; i < f->n; i++) {
        if (tn_str_eq_nocase(f->v[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* column, alias.column.., or column.field.. where no table is called like the column. */
static bool is_column_of(const narrow *n, const ref *r, tn_val names)
{
    if (!tn_val_is_seq(names) || names.list->n == 0) {
        return false;
    }
    tn_str first = tn_val_as_str(names.list->v[0]);
    bool table = tn_map_find(&n->aliases, tn_str_lower(n->a, first)) != NULL;
    if (names.list->n == 1 || !table) {
        return has_field(r->snap, first);
    }
    return tn_str_eq_nocase(first, r->alias) &&
           has_field(r->snap, tn_val_as_str(names.list->v[1])) && !has_field(r->snap, first);
}

/* Every column in the predicate is the table's, and no query is inside. */
static bool speaks_of(const narrow *n, const ref *r, tn_val node, int depth)
{
    if (depth > DEPTH_MAX || says(node, "class", "SUBQUERY")) {
        return false;
    }
    if (says(node, "class", "COLUMN_REF")) {
        return is_column_of(n, r, tn_val_at(node, "column_names"));
    }
    if (tn_val_is_seq(node)) {
        for (size_t i = 0; i < node.list->n; i++) {
            if (!speaks_of(n, r, node.list->v[i], depth + 1)) {
                return false;
            }
        }
    } else if (node.tag == TN_DICT) {
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(node.dict, &at)) != NULL) {
            if (!speaks_of(n, r, it->value, depth + 1)) {
                return false;
            }
        }
    }
    return true;
}

static void keep_by(const narrow *n, const ref *r, tn_val where, bool *keep)
{
    if (says(where, "type", "CONJUNCTION_AND")) {
        tn_val parts = tn_val_at(where, "children");
        for (size_t i = 0; tn_val_is_seq(parts) && i < parts.list->n; i++) {
            keep_by(n, r, parts.list->v[i], keep);
        }
    } else if (speaks_of(n, r, where, 0)) {
        size_t files = tn_delta_snapshot_file_count(r->snap);
        bool *now = tn_arena_alloc(n->a, files);
        memset(now, 1, files);
        tn_delta_prune_tree(r->snap, where, now);
        for (size_t i = 0; i < files; i++) {
            keep[i] = keep[i] && now[i];
        }
    }
}

/* ---- the text ---- */

/* The name that the tree says is at `location`; false when the text has another there. */
static bool find_name(const narrow *n, tn_val table, size_t *ret_from, size_t *ret_to)
{
    int64_t location = tn_val_int_at(table, "query_location", -1);
    for (size_t i = 0; i < n->tokens.n; i++) {
        size_t at = i;
        tn_strs parts = { 0 };
        if (n->tokens.v[i].text.p - n->sql.p != location) {
            continue;
        }
        if (!tn_token_dotted(n->a, &n->tokens, &at, &parts) ||
            !tn_str_eq_nocase(
                tn_vec_last(&parts), tn_val_str_at(table, "table_name", TN_STR_NONE))) {
            return false;
        }
        tn_str last = n->tokens.v[at - 1].text;
        *ret_from = (size_t)location;
        *ret_to = (size_t)(last.p + last.n - n->sql.p);
        return true;
    }
    return false;
}

static void narrow_table(narrow *n, const ref *r, tn_val where)
{
    size_t files = tn_delta_snapshot_file_count(r->snap);
    size_t kept = 0;
    bool *keep = tn_arena_alloc(n->a, files);
    change c;
    memset(keep, 1, files);
    keep_by(n, r, where, keep);
    for (size_t i = 0; i < files; i++) {
        kept += keep[i];
    }
    if (kept == files || !find_name(n, r->node, &c.from, &c.to)) {
        return;
    }
    tn_str scan;
    tn_buf b = tn_buf_init(n->a, SQL_BYTES_MAX);
    tn_delta_scan_opts so = { .conn = n->s->conn, .only = keep };
    if (tn_delta_scan_sql(r->snap, n->a, &so, &scan, NULL) != TN_OK) {
        return;
    }
    tn_buf_addc(&b, '(');
    tn_buf_add(&b, scan);
    tn_buf_addc(&b, ')');
    if (tn_val_str_at(r->node, "alias", TN_STR_NONE).n == 0) {
        tn_buf_addz(&b, " AS ");
        tn_sql_ident(&b, r->alias);
    }
    if (tn_buf_finish(&b, "a scan", &c.sql, NULL) == TN_OK) {
        tn_vec_push(&n->changes, n->a, c);
    }
}

static void narrow_select(narrow *n, tn_val node)
{
    tn_val where = tn_val_at(node, "where_clause");
    refs tables = { 0 };
    if (where.tag != TN_DICT || !is_null(node, "sample")) {
        return;
    }
    take_tables(n, tn_val_at(node, "from_table"), 0, &tables);
    for (size_t i = 0; i < tables.n; i++) {
        narrow_table(n, &tables.v[i], where);
    }
}

static void walk(narrow *n, tn_val node, int depth)
{
    if (depth > DEPTH_MAX) {
        return;
    }
    if (tn_val_is_seq(node)) {
        for (size_t i = 0; i < node.list->n; i++) {
            walk(n, node.list->v[i], depth + 1);
        }
    } else if (node.tag == TN_DICT) {
        if (says(node, "type", "SELECT_NODE")) {
            narrow_select(n, node);
        }
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(node.dict, &at)) != NULL) {
            walk(n, it->value, depth + 1);
        }
    }
}

static int by_place(const void *x, const void *y)
{
    const change *a = x;
    const change *b = y;
    return a->from < b->from ? -1 : a->from > b->from;
}

static bool apply(narrow *n, tn_str before, tn_str *ret)
{
    tn_buf b = tn_buf_init(n->a, SQL_BYTES_MAX);
    size_t at = 0;
    qsort(n->changes.v, n->changes.n, sizeof n->changes.v[0], by_place);
    tn_buf_add(&b, before);
    for (size_t i = 0; i < n->changes.n; i++) {
        if (n->changes.v[i].from < at) {
            return false; /* the tree shows one place twice */
        }
        tn_buf_add(&b, tn_str_sub(n->sql, at, n->changes.v[i].from));
        tn_buf_add(&b, n->changes.v[i].sql);
        at = n->changes.v[i].to;
    }
    tn_buf_add(&b, tn_str_sub(n->sql, at, n->sql.n));
    return tn_buf_finish(&b, "a query", ret, NULL) == TN_OK;
}

static bool has_where(const tn_tokens *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (tn_token_is(t, i, "where")) {
            return true;
        }
    }
    return false;
}

bool tn_sql_prune(tn_lake_sql *s, tn_arena *a, tn_str sql, tn_str *ret)
{
    narrow n = { .s = s, .a = a, .sql = sql, .aliases = tn_map_init(a) };
    if (s->snapshots.n == 0 || tn_sql_tokens(a, sql, &n.tokens, NULL) != TN_OK ||
        !has_where(&n.tokens)) {
        return false;
    }
    size_t skip = tn_token_is(&n.tokens, 0, "explain") ? 1 : 0;
    skip += skip > 0 && tn_token_is(&n.tokens, 1, "analyze");
    size_t begins = skip < n.tokens.n ? (size_t)(n.tokens.v[skip].text.p - sql.p) : 0;
    n.sql = tn_str_sub(sql, begins, sql.n);
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_val text;
    tn_val tree;
    tn_buf_addz(&b, "SELECT json_serialize_sql(");
    tn_sql_literal(&b, n.sql);
    tn_buf_addz(&b, ")::VARCHAR");
    if (tn_conn_scalar(s->conn, a, tn_buf_str(&b), &text, NULL) != TN_OK || !tn_val_is_str(text) ||
        tn_json_parse(a, tn_val_as_str(text), &tree, NULL) != TN_OK) {
        return false;
    }
    take_aliases(&n, tree, 0);
    walk(&n, tree, 0);
    return n.changes.n > 0 && apply(&n, tn_str_sub(sql, 0, begins), ret);
}
