/* catalog.c: catalog.json (v1): which columns the relations of nodes and sources have in the database, for documentation sites. */
#include "os/file.h"
#include "project/manifest.h"
#include "run/event/artifact.h"
#include "run/look/catalog_macro.h"
#include "run/run.h"
#include "run/session/session.h"
#include "run/value/relation.h"
#include "text/json.h"

static const char columns_sql[] =
    "select t.database_name, t.schema_name, t.name, t.kind, t.comment, c.column_name, "
    "c.column_index, c.data_type, c.comment from "
    "(select database_name, schema_name, table_name as name, 'BASE TABLE' as kind, comment from "
    "duckdb_tables() where not internal union all select database_name, schema_name, view_name, "
    "'VIEW', comment from duckdb_views() where not internal) t join duckdb_columns() c on "
    "c.database_name = t.database_name and c.schema_name = t.schema_name and c.table_name = t.name "
    "order by 1, 2, 3, 7";

/* What the site shows of a relation: what a macro has measured of it, and whether anything. */
static tn_val stats_of(tn_arena *a, tn_val measured)
{
    tn_val stats = tn_val_dict(a), d = tn_val_dict(a);
    const tn_dict_item *it;
    size_t at = 0;
    while (measured.tag == TN_DICT && (it = tn_dict_next(measured.dict, &at)) != NULL) {
        if (tn_val_truthy(tn_val_at(it->value, "include"))) {
            tn_dict_puts(stats.dict, tn_val_as_str(it->key), it->value);
        }
    }
    bool any = stats.dict->live > 0;
    tn_dict_putz(d.dict, "id", tn_val_z("has_stats"));
    tn_dict_putz(d.dict, "label", tn_val_z("Has Stats?"));
    tn_dict_putz(d.dict, "value", tn_val_bool(any));
    tn_dict_putz(d.dict, "include", TN_VAL_FALSE);
    tn_dict_putz(
        d.dict, "description", tn_val_z("Indicates whether there are statistics for this table"));
    tn_dict_putz(stats.dict, "has_stats", d);
    return stats;
}

static tn_val new_table(tn_session *s, tn_arena *a, const tn_list *columns)
{
    const tn_val *row = columns->v;
    bool by_macro = columns->n == TN_CAT_COUNT;
    tn_val d = tn_val_dict(a), meta = tn_val_dict(a);
    tn_str type, exact;
    /* tables of a lake are views to the database */
    bool table =
        tn_val_is_str(row[TN_CAT_TYPE]) && tn_str_is(tn_val_as_str(row[TN_CAT_TYPE]), "VIEW") &&
        tn_session_cache_find(s, tn_val_as_str(row[TN_CAT_DATABASE]),
            tn_val_as_str(row[TN_CAT_SCHEMA]), tn_val_as_str(row[TN_CAT_TABLE]), &type, &exact) &&
        tn_str_is(type, "table");
    tn_dict_putz(meta.dict, "type", table ? tn_val_z("BASE TABLE") : row[TN_CAT_TYPE]);
    tn_dict_putz(meta.dict, "schema", row[TN_CAT_SCHEMA]);
    tn_dict_putz(meta.dict, "name", row[TN_CAT_TABLE]);
    tn_dict_putz(meta.dict, "database", row[TN_CAT_DATABASE]);
    tn_dict_putz(meta.dict, "comment", row[TN_CAT_NOTE]);
    tn_dict_putz(meta.dict, "owner", by_macro ? row[TN_CAT_OWNER] : TN_VAL_NONE);
    tn_dict_putz(d.dict, "metadata", meta);
    tn_dict_putz(d.dict, "columns", tn_val_dict(a));
    tn_dict_putz(d.dict, "stats", stats_of(a, by_macro ? row[TN_CAT_STATS] : TN_VAL_UNDEF));
    return d;
}

/* place -> what the catalog says of it */
static tn_map tables_of(tn_session *s, tn_arena *a, tn_val rows)
{
    tn_map tables = tn_map_init(a);
    for (size_t i = 0; i < rows.list->n; i++) {
        const tn_val *row = rows.list->v[i].list->v;
        tn_str key = tn_relation_key(a, tn_val_as_str(row[TN_CAT_DATABASE]),
            tn_val_as_str(row[TN_CAT_SCHEMA]), tn_val_as_str(row[TN_CAT_TABLE]));
        tn_val *table = tn_map_find(&tables, key);
        if (table == NULL) {
            table = tn_new(a, tn_val);
            *table = new_table(s, a, rows.list->v[i].list);
            tn_map_put(&tables, key, table);
        }
        tn_val column = tn_val_dict(a);
        tn_dict_putz(column.dict, "type", row[TN_CAT_COLUMN_TYPE]);
        tn_dict_putz(column.dict, "index", row[TN_CAT_INDEX]);
        tn_dict_putz(column.dict, "name", row[TN_CAT_COLUMN]);
        tn_dict_putz(column.dict, "comment", row[TN_CAT_COLUMN_NOTE]);
        tn_dict_puts(tn_val_at(*table, "columns").dict, tn_val_as_str(row[TN_CAT_COLUMN]), column);
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

static tn_rc ask_database(tn_session *s, tn_arena *a, tn_val *ret_rows, tn_err *err)
{
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_TRY(tn_session_connect(s, &c, err));
    TN_TRY(tn_session_cache_fill(s, c, err));
    return tn_conn_rows(c, a, tn_str_of(columns_sql), SIZE_MAX, ret_rows, NULL, err);
}

typedef struct found {
    tn_dict *nodes, *sources;
    tn_val errors; /* none, or a list of texts */
} found;

static tn_rc look(tn_project *p, tn_arena *a, tn_events *events, const tn_catalog_opts *opts,
    found *f, tn_err *err)
{
    tn_session *s = NULL;
    tn_val rows, errors;
    const tn_nodes *nodes = opts->only != NULL ? opts->only : &p->nodes;
    TN_TRY(tn_session_open(p, a, events, TN_STR_NONE, &s, err));
    if (tn_catalog_has_macro(p)) {
        tn_catalog_ask ask = { s, events, nodes, opts->by_relations };
        TN_TRY(tn_catalog_ask_macro(a, &ask, &rows, &errors, err));
        f->errors = errors.list->n > 0 ? errors : TN_VAL_NONE;
    } else {
        TN_TRY(ask_database(s, a, &rows, err));
    }
    tn_map tables = tables_of(s, a, rows);
    put_nodes(nodes, s, a, &tables, false, f->nodes);
    put_nodes(nodes, s, a, &tables, true, f->sources);
    return TN_OK;
}

tn_rc tn_run_write_catalog(tn_project *p, tn_arena *arena, tn_events *events,
    const tn_catalog_opts *opts, tn_catalog_report *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("catalog", arena);
    tn_val doc = tn_val_dict(a), nodes = tn_val_dict(a), sources = tn_val_dict(a);
    found f = { nodes.dict, sources.dict, TN_VAL_NONE };
    if (opts->only == NULL || opts->only->n > 0) {
        TN_TRY(look(p, a, events, opts, &f, err));
    }
    tn_dict_putz(doc.dict, "metadata", tn_manifest_metadata(p, a, "catalog/v1"));
    tn_dict_putz(doc.dict, "nodes", nodes);
    tn_dict_putz(doc.dict, "sources", sources);
    tn_dict_putz(doc.dict, "errors", f.errors);
    static const tn_json_style style = { .py_separators = true };
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_json_print(&b, doc, &style);
    ret->path = tn_str_printf(arena, TN_STR_FMT "/catalog.json", TN_STR_ARG(p->target_path));
    ret->errors = f.errors.tag == TN_LIST ? f.errors.list->n : 0;
    return tn_artifact_write_at(events, ret->path, "CatalogArtifact", tn_buf_str(&b), err);
}
