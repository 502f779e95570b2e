/* lake_create.c: CREATE [OR REPLACE] TABLE [IF NOT EXISTS] t, with columns or AS a query; one Delta commit, then it is pinned.
 *
 *   [(columns, CONSTRAINT name CHECK (..))] [USING DELTA] [PARTITIONED BY (..)] [CLUSTER BY (..)] [LOCATION '..'] [COMMENT '..'] [TBLPROPERTIES (..)] [AS query]
 * A table of columns alone begins without files. With a query, the list gives names only.
 */
#include "lake/sql/lake_change.h"
#include "lake/sql/lake_ddl.h"

#include "base/log.h"
#include "text/json.h"

enum { SQL_BYTES_MAX = 256 << 20 };

typedef struct create {
    bool replace, if_not_exists;
    tn_str names;          /* of the query's columns, in parentheses; empty: its own */
    tn_delta_type *schema; /* without a query */
    tn_strs partition_by, cluster_by;
    tn_str location, comment;
    tn_val properties;
    bool has_query;
} create;

/* ---- reading ---- */

static tn_ddl ddl_of(const tn_sql_change *c)
{
    return (tn_ddl){ .a = c->a, .conn = c->s->conn, .t = c->t, .at = c->at };
}

static tn_rc take_string(tn_sql_change *c, tn_str *ret, tn_err *err)
{
    tn_ddl d = ddl_of(c);
    TN_TRY(tn_ddl_string(&d, ret, err));
    c->at = d.at;
    return TN_OK;
}

static tn_rc take_properties(tn_sql_change *c, create *k, tn_err *err)
{
    tn_val more;
    tn_ddl d = ddl_of(c);
    TN_TRY(tn_ddl_properties(&d, &more, err));
    c->at = d.at;
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(more.dict, &at)) != NULL) {
        tn_dict_put(k->properties.dict, it->key, it->value);
    }
    return TN_OK;
}

static tn_rc take_clause(tn_sql_change *c, create *k, bool *ret_any, tn_err *err)
{
    const tn_tokens *t = c->t;
    *ret_any = true;
    if (tn_token_are(t, c->at, "using")) {
        if (!tn_token_is(t, c->at + 1, "delta")) {
            return tn_fail(err, TN_E_UNSUPPORTED, "only USING DELTA is possible");
        }
        c->at += 2;
        return TN_OK;
    }
    if (tn_token_are(t, c->at, "partitioned by") || tn_token_are(t, c->at, "partition by")) {
        c->at += 2;
        return tn_sql_take_names(c, &k->partition_by, err);
    }
    if (tn_token_are(t, c->at, "cluster by")) {
        c->at += 2;
        return tn_sql_take_paths(c->a, t, &c->at, &k->cluster_by, err);
    }
    if (tn_token_is(t, c->at, "location")) {
        c->at++;
        return take_string(c, &k->location, err);
    }
    if (tn_token_is(t, c->at, "comment")) {
        c->at += tn_token_is(t, c->at + 1, "=") ? 2 : 1;
        return take_string(c, &k->comment, err);
    }
    if (tn_token_is(t, c->at, "tblproperties")) {
        c->at++;
        return take_properties(c, k, err);
    }
    *ret_any = false;
    return TN_OK;
}

/* The list in parentheses: columns when nothing else says what the table holds, else names. */
static tn_rc read_list(tn_sql_change *c, create *k, size_t open, size_t close, tn_err *err)
{
    if (k->has_query) {
        const char *from = c->t->v[open].text.p;
        k->names = tn_str_n(from, (size_t)(c->t->v[close].text.p + 1 - from));
        return TN_OK;
    }
    tn_ddl d = ddl_of(c);
    d.at = open;
    k->schema = tn_new(c->a, tn_delta_type);
    k->schema->kind = TN_DT_STRUCT;
    TN_TRY(tn_ddl_columns(&d, k->schema, k->properties, err));
    return d.at == close + 1 ? TN_OK : tn_ddl_unexpected(&d, "a closing parenthesis", err);
}

static tn_rc parse_create(tn_sql_change *c, create *k, tn_err *err)
{
    size_t open = c->at;
    size_t close = tn_token_is(c->t, open, "(") ? tn_token_close(c->t, open) : open;
    bool any = true;
    if (close == SIZE_MAX) {
        return tn_fail(err, TN_E_SYNTAX, "a parenthesis is not closed");
    }
    c->at = close > open ? close + 1 : open;
    while (any) {
        TN_TRY(take_clause(c, k, &any, err));
    }
    if (tn_token_is(c->t, c->at, "as")) {
        k->has_query = true;
        c->at++;
    } else if (c->at < c->t->n) {
        tn_rc rc = tn_fail(err, TN_E_SYNTAX, "'" TN_STR_FMT "' is not expected here",
            TN_STR_ARG(c->t->v[c->at].text));
        return tn_hint(err, rc,
            "after the name: PARTITIONED BY (..), CLUSTER BY (..), LOCATION '..', COMMENT '..', "
            "TBLPROPERTIES (..), "
            "then AS and a query");
    }
    if (close > open) {
        return read_list(c, k, open, close, err);
    }
    return k->has_query ? TN_OK
                        : tn_fail(err, TN_E_SYNTAX,
                              "CREATE TABLE needs columns in parentheses or AS and a query");
}

/* ---- making ---- */

static tn_rc create_query(tn_sql_change *c, const create *k, tn_str *ret, tn_err *err)
{
    if (!k->has_query) {
        *ret = tn_delta_no_rows_sql(c->a, k->schema);
        return ret->n > 0 ? TN_OK
                          : tn_fail(err, TN_E_VALUE,
                                "a table needs a column that is not made by the table itself");
    }
    tn_str query;
    TN_TRY(tn_sql_rest(c->s, c->a, c->statement, c->t, c->at, &query, err));
    query = tn_sql_pruned(c->s, c->a, query, TN_STR_NONE);
    *ret = k->names.n == 0 ? query
                           : tn_str_printf(c->a, "SELECT * FROM (" TN_STR_FMT "\n) AS q" TN_STR_FMT,
                                 TN_STR_ARG(query), TN_STR_ARG(k->names));
    return TN_OK;
}

/* operationParameters as the reference writes them. */
static tn_val parameters(tn_sql_change *c, const create *k)
{
    tn_val p = tn_val_dict(c->a);
    tn_buf by = tn_buf_init(c->a, SQL_BYTES_MAX);
    tn_buf props = tn_buf_init(c->a, SQL_BYTES_MAX);
    tn_buf_addc(&by, '[');
    for (size_t i = 0; i < k->partition_by.n; i++) {
        tn_buf_addz(&by, i > 0 ? "," : "");
        tn_json_add_str(&by, k->partition_by.v[i]);
    }
    tn_buf_addc(&by, ']');
    tn_json_print(&props, k->properties, &(tn_json_style){ .indent = 0 });
    tn_dict_putz(p.dict, "partitionBy", tn_val_str(tn_buf_str(&by)));
    tn_dict_putz(p.dict, "description", k->comment.n > 0 ? tn_val_str(k->comment) : TN_VAL_NONE);
    tn_dict_putz(p.dict, "isManaged", tn_val_z("false"));
    tn_dict_putz(p.dict, "properties", tn_val_str(tn_buf_str(&props)));
    return p;
}

/* Columns of the query that are nothing but NULL: DuckDB gives them the type INTEGER, which the user may not have meant. */
static tn_str untyped_columns(const tn_sql_change *c, tn_str query)
{
    tn_buf names = tn_buf_init(c->a, SQL_BYTES_MAX);
    if (tn_str_find(tn_str_lower(c->a, query), TN_STR("null"), 0) == SIZE_MAX) {
        return TN_STR_NONE;
    }
    tn_val tree = tn_conn_tree(c->s->conn, c->a, query, false);
    tn_val list = tn_val_at(tn_tree_node(tree), "select_list");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val e = list.list->v[i];
        tn_str alias = tn_val_str_at(e, "alias", TN_STR_NONE);
        if (tn_str_is(tn_val_str_at(e, "class", TN_STR_NONE), "CONSTANT") && alias.n > 0 &&
            tn_val_bool_at(tn_val_at(e, "value"), "is_null", false)) {
            tn_buf_addz(&names, names.n > 0 ? ", " : "");
            tn_buf_add(&names, alias);
        }
    }
    return tn_buf_str(&names);
}

static tn_rc make_table(
    tn_sql_change *c, const create *k, tn_delta_table *table, bool there, tn_err *err)
{
    static const char *const OPERATIONS[] = { "CREATE TABLE", "CREATE OR REPLACE TABLE",
        "CREATE TABLE AS SELECT", "CREATE OR REPLACE TABLE AS SELECT" };
    tn_str query;
    TN_TRY(create_query(c, k, &query, err));
    tn_delta_write_opts wo = {
        .mode = there ? TN_DELTA_OVERWRITE : TN_DELTA_CREATE,
        .schema_mode = there ? TN_SCHEMA_OVERWRITE : TN_SCHEMA_STRICT,
        .partition_by = k->partition_by,
        .cluster_by = k->cluster_by,
        .properties = k->properties,
        .name = c->target.at.name,
        .description = k->comment,
        .replace_table = there,
        .schema = k->schema,
        .operation = tn_str_of(OPERATIONS[(k->has_query ? 2 : 0) + (k->replace ? 1 : 0)]),
        .operation_parameters = parameters(c, k),
        .looked = true,
    };
    tn_delta_write_result wr;
    TN_TRY(tn_delta_write(table, c->s->conn, query, &wo, &wr, err));
    c->ret->note = tn_str_printf(c->a, "%s " TN_STR_FMT ": %lld row%s, version %lld",
        there ? "replaced" : "created", TN_STR_ARG(c->target.shown), (long long)wr.rows,
        wr.rows == 1 ? "" : "s", (long long)wr.version);
    tn_str untyped = k->has_query ? untyped_columns(c, query) : TN_STR_NONE;
    if (untyped.n > 0) {
        tn_log(TN_LOG_WARN, "sql",
            TN_STR_FMT ": NULL has no type, so INTEGER was taken for: " TN_STR_FMT
                       " (say which: NULL::VARCHAR)",
            TN_STR_ARG(c->target.shown), TN_STR_ARG(untyped));
    }
    return tn_sql_publish(c->s, c->a, &c->target, wr.version, there ? "replace" : "create", err);
}

tn_rc tn_sql_create_table(tn_sql_change *c, bool replace, bool if_not_exists, tn_err *err)
{
    create k = {
        .replace = replace, .if_not_exists = if_not_exists, .properties = tn_val_dict(c->a)
    };
    TN_TRY(parse_create(c, &k, err));
    if (k.location.n == 0 || c->target.at.schema.n > 0) {
        TN_TRY(tn_sql_need_lake_name(c, "table", err));
    }
    if (k.location.n > 0) {
        tn_sql_target there;
        TN_TRY(tn_sql_place_target(c->s, c->a, k.location, &there, err));
        c->target.at.location = there.at.location;
    }
    TN_AUTOPTR(tn_delta_table) table = NULL;
    bool there = false;
    TN_TRY(tn_sql_table_of(c, &table, &there, err));
    if (there && if_not_exists) {
        c->ret->note =
            tn_str_printf(c->a, TN_STR_FMT " is there already", TN_STR_ARG(c->target.shown));
        return TN_OK;
    }
    if (there && !replace) {
        tn_rc rc = tn_fail(err, TN_E_EXISTS, "table '" TN_STR_FMT "' is there already",
            TN_STR_ARG(c->target.shown));
        return tn_hint(err, rc, "use CREATE OR REPLACE TABLE, or INSERT INTO");
    }
    return make_table(c, &k, table, there, err);
}
