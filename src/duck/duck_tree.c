/* duck_tree.c: DuckDB's own parse of a SELECT as a tree of values, and back. */
#include "duck/duck.h"

#include "text/json.h"
#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 256 << 20 };

tn_val tn_conn_tree(tn_conn *c, tn_arena *a, tn_str sql, bool by_bytes)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_str ask;
    tn_val json;
    tn_val tree;
    tn_buf_addf(&b, "SELECT CASE WHEN %s THEN json_serialize_sql(",
        by_bytes ? "current_setting('default_collation') = ''" : "true");
    tn_sql_literal(&b, sql);
    tn_buf_addz(&b, ")::VARCHAR END");
    bool known = tn_buf_finish(&b, "a statement", &ask, NULL) == TN_OK &&
                 tn_conn_scalar(c, a, ask, &json, NULL) == TN_OK && tn_val_is_str(json) &&
                 tn_json_parse(a, tn_val_as_str(json), &tree, NULL) == TN_OK;
    return known ? tree : TN_VAL_UNDEF;
}

tn_val tn_tree_node(tn_val tree)
{
    tn_val statements = tn_val_at(tree, "statements");
    return tn_val_is_seq(statements) && statements.list->n == 1
               ? tn_val_at(statements.list->v[0], "node")
               : TN_VAL_UNDEF;
}

tn_str tn_conn_tree_text(tn_conn *c, tn_arena *a, tn_val tree)
{
    tn_buf json = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_str printed;
    tn_str ask;
    tn_val text;
    tn_json_print(&json, tree, NULL);
    if (tn_buf_finish(&json, "a tree", &printed, NULL) != TN_OK) {
        return TN_STR_NONE;
    }
    tn_buf_addz(&b, "SELECT json_deserialize_sql(");
    tn_sql_literal(&b, printed);
    tn_buf_addc(&b, ')');
    bool known = tn_buf_finish(&b, "a tree", &ask, NULL) == TN_OK &&
                 tn_conn_scalar(c, a, ask, &text, NULL) == TN_OK && tn_val_is_str(text);
    return known ? tn_val_as_str(text) : TN_STR_NONE;
}
