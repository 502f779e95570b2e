/* catalog.c: catalog.json (v1): which columns the relations of nodes and sources have in the database, for documentation sites. */
#include "os/file.h"
#include "project/manifest.h"
#include "run/event/artifact.h"
#include "run/run.h"
#include "run/session/session.h"
#include "run/value/relation.h"
#include "text/json.h"

enum {
    COL_DATABASE,
    COL_SCHEMA,
    COL_TABLE,
    COL_TYPE,
    COL_NOTE,
    COL_COLUMN,
    COL_INDEX,
    COL_OF_TYPE,
    COL_COLUMN_NOTE
};

static const char columns_sql[] =
    "select t.database_name, t.schema_name, t.name, t.kind, t.comment, c.column_name, "
    "c.column_index, c.data_type, c.comment from "
    "(select database_name, schema_name, table_name as name, 'BASE TABLE' as kind, comment from "
    "duckdb_tables() where not internal union all select database_name, schema_name, view_name, "
    "'VIEW', comment from duckdb_views() where not internal) t join duckdb_columns() c on "
    "c.database_name = t.database_name and c.schema_name = t.schema_name and c.table_name = t.name "
    "order by 1, 2, 3, 7";

/* What the site shows of a relation whose size nobody has measured. */
static tn_val no_stats(tn_arena *a)
{
    tn_val stats = tn_val_dict(a), d = tn_val_dict(a);
    tn_dict_putz(d.dict, "id", tn_val_z("has_stats"));
    tn_dict_putz(d.dict, "label", tn_val_z("Has Stats?"));
    tn_dict_putz(d.dict, "value", TN_VAL_FALSE);
    tn_dict_putz(d.dict, "include", TN_VAL_FALSE);
    tn_dict_putz(
        d.dict, "description", tn_val_z("Indicates whether there are statistics for this table"));
    tn_dict_putz(stats.dict, "has_stats", d);
    return stats;
}

static tn_val new_table(tn_session *s, tn_arena *a, const tn_val *row)
{
    tn_val d = tn_val_dict(a), meta = tn_val_dict(a);
    tn_str type, exact;
    /* tables of a lake are views to the database */
    bool table =
        tn_session_cache_find(s, tn_val_as_str(row[COL_DATABASE]), tn_val_as_str(row[COL_SCHEMA]),
            tn_val_as_str(row[COL_TABLE]), &type, &exact) &&
        tn_str_is(type, "table");
    tn_dict_putz(meta.dict, "type", table ? tn_val_z("BASE TABLE") : row[COL_TYPE]);
    tn_dict_putz(meta.dict, "schema", row[COL_SCHEMA]);
    tn_dict_putz(meta.dict, "name", row[COL_TABLE]);
    tn_dict_putz(meta.dict, "database", row[COL_DATABASE]);
    tn_dict_putz(meta.dict, "comment", row[COL_NOTE]);
    tn_dict_putz(meta.dict, "owner", TN_VAL_NONE);
    tn_dict_putz(d.dict, "metadata", meta);
    tn_dict_putz(d.dict, "columns", tn_val_dict(a));
    tn_dict_putz(d.dict, "stats", no_stats(a));
    return d;
}

/* place -> what the catalog says of it */
static tn_map tables_of(tn_session *s, tn_arena *a, tn_val rows)
{
    tn_map tables = tn_map_init(a);
    for (size_t i = 0; i < rows.list->n; i++) {
        const tn_val *row = rows.list->v[i].list->v;
        tn_str key = tn_relation_key(a, tn_val_as_str(row[COL_DATABASE]),
            tn_val_as_str(row[COL_SCHEMA]), tn_val_as_str(row[COL_TABLE]));
        tn_val *table = tn_map_find(&tables, key);
        if (table == NULL) {
            table = tn_new(a, tn_val);
            *table = new_table(s, a, row);
            tn_map_put(&tables, key, table);
        }
        tn_val column = tn_val_dict(a);
        tn_dict_putz(column.dict, "type", row[COL_OF_TYPE]);
        tn_dict_putz(column.dict, "index", row[COL_INDEX]);
        tn_dict_putz(column.dict, "name", row[COL_COLUMN]);
        tn_dict_putz(column.dict, "comment", row[COL_COLUMN_NOTE]);
        tn_dict_puts(tn_val_at(*table, "columns").dict, tn_val_as_str(row[COL_COLUMN]), column);
    }
    return tables;
}

static void put_nodes(const tn_nodes *list, tn_session *s, tn_arena *a, const tn_map *tables,
    bool sources, tn_dict *into)
{
    for (size_t i = 0; i < list->n; i++) {
        const tn_node *n = list->v[i];
        bool wanted = sources == (n->kind == TN_NODE_SOURCE) &&
                      (sources || n->kind == TN_NODE_TEST ||
                          (tn_node_is_refable(n) && !tn_node_is_ephemeral(n)));
        tn_str database = n->database.n > 0 ? n->database : s->database;
        const tn_val *table =
            wanted ? tn_map_find(tables, tn_relation_key(a, database, n->schema, n->alias)) : NULL;
        if (table != NULL) {
            tn_val d = tn_val_dict(a);
            static const char *const keys[] = { "metadata", "columns", "stats" };
            for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
                tn_dict_putz(d.dict, keys[k], tn_val_at(*table, keys[k]));
            }
            tn_dict_putz(d.dict, "unique_id", tn_val_str(n->unique_id));
            tn_dict_puts(into, n->unique_id, d);
        }
    }
}

static tn_rc ask_database(tn_project *p, tn_arena *a, tn_events *events, const tn_nodes *only,
    tn_dict *nodes, tn_dict *sources, tn_err *err)
{
    tn_session *s = NULL;
    tn_val rows;
    TN_TRY(tn_session_open(p, a, events, TN_STR_NONE, &s, err));
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_TRY(tn_session_connect(s, &c, err));
    TN_TRY(tn_session_cache_fill(s, c, err));
    TN_TRY(tn_conn_rows(c, a, tn_str_of(columns_sql), SIZE_MAX, &rows, NULL, err));
    tn_map tables = tables_of(s, a, rows);
    put_nodes(only != NULL ? only : &p->nodes, s, a, &tables, false, nodes);
    put_nodes(only != NULL ? only : &p->nodes, s, a, &tables, true, sources);
    return TN_OK;
}

tn_rc tn_run_write_catalog(tn_project *p, tn_arena *arena, tn_events *events, const tn_nodes *only,
    tn_str *ret_path, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("catalog", arena);
    tn_val doc = tn_val_dict(a), nodes = tn_val_dict(a), sources = tn_val_dict(a);
    if (only == NULL || only->n > 0) {
        TN_TRY(ask_database(p, a, events, only, nodes.dict, sources.dict, err));
    }
    tn_dict_putz(doc.dict, "metadata", tn_manifest_metadata(p, a, "catalog/v1"));
    tn_dict_putz(doc.dict, "nodes", nodes);
    tn_dict_putz(doc.dict, "sources", sources);
    tn_dict_putz(doc.dict, "errors", TN_VAL_NONE);
    static const tn_json_style style = { .py_separators = true };
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_json_print(&b, doc, &style);
    *ret_path = tn_str_printf(arena, TN_STR_FMT "/catalog.json", TN_STR_ARG(p->target_path));
    return tn_artifact_write_at(events, *ret_path, "CatalogArtifact", tn_buf_str(&b), err);
}
