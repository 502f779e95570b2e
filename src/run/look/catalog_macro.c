/* catalog_macro.c: asks macros for the catalog and reads the tables that they give, by the names of their columns, as dbt's adapters do. */
#include "run/look/catalog_macro.h"

#include "run/error_text.h"
#include "run/job/job.h"

enum {
    RELATIONS_MAX = 100
}; /* of one get_catalog_relations: dbt's MAX_SCHEMA_METADATA_RELATIONS */

static const char *const columns[] = { "table_database", "table_schema", "table_name", "table_type",
    "table_comment", "column_name", "column_index", "column_type", "column_comment",
    "table_owner" };

bool tn_catalog_has_macro(const tn_project *p)
{
    static const char *const parts[] = { "", "_relations", "_tables_sql", "_columns_sql",
        "_results_sql", "_schemas_where_clause_sql", "_relations_where_clause_sql" };
    static const char *const whose[] = { "", "duckdb__", "tarn__", "default__" };
    char name[64];
    for (size_t i = 0; i < p->packages.n; i++) {
        const tn_package *package = p->packages.v[i];
        for (size_t k = 0; !package->builtin && k < TN_COUNTOF(parts) * TN_COUNTOF(whose); k++) {
            (void)snprintf(name, sizeof name, "%sget_catalog%s", whose[k % TN_COUNTOF(whose)],
                parts[k / TN_COUNTOF(whose)]);
            if (tn_map_find(&package->macros, tn_str_of(name)) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* ---- whose relations are asked for ---- */

typedef struct part { /* of one database */
    tn_str database;
    tn_val info;      /* its information_schema */
    tn_val relations; /* list */
    tn_val schemas;   /* lower case, each once */
    tn_dict *seen;    /* keys of relations and schemas */
} part;
typedef tn_vec(part) parts;

static bool wanted(const tn_node *n)
{
    return n->kind == TN_NODE_SOURCE || (tn_node_is_refable(n) && !tn_node_is_ephemeral(n));
}

static part *part_of(parts *list, tn_arena *a, const tn_relation *r)
{
    for (size_t i = 0; i < list->n; i++) {
        if (tn_str_eq_nocase(list->v[i].database, r->part[0])) {
            return &list->v[i];
        }
    }
    part new = { .database = r->part[0],
        .info = tn_relation_info_schema(a, r, TN_VAL_NONE),
        .relations = tn_val_list(a),
        .schemas = tn_val_list(a),
        .seen = tn_val_dict(a).dict };
    tn_vec_push(list, a, new);
    return &list->v[list->n - 1];
}

static size_t parts_of(const tn_catalog_ask *ask, tn_arena *a, parts *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < ask->nodes->n; i++) {
        const tn_node *n = ask->nodes->v[i];
        if (!wanted(n)) {
            continue;
        }
        tn_str database = n->database.n > 0 ? n->database : ask->session->database;
        tn_relation *r = tn_relation_new(a, database, n->schema, n->alias, NULL);
        part *of = part_of(ret, a, r);
        tn_str key = tn_relation_key(a, database, n->schema, n->alias);
        if (tn_dict_finds(of->seen, key) != NULL) {
            continue;
        }
        tn_dict_puts(of->seen, key, TN_VAL_TRUE);
        tn_str schema = tn_str_lower(a, n->schema);
        tn_list_push(of->relations.list, tn_relation_val(r));
        if (tn_dict_finds(of->seen, schema) == NULL) {
            tn_dict_puts(of->seen, schema, TN_VAL_TRUE);
            tn_list_push(of->schemas.list, tn_val_str(schema));
        }
        count++;
    }
    return count;
}

/* ---- what the macro gives ---- */

/* 'stats:size:label' and the like of one row, as the site shows them. */
static tn_val stats_of(tn_arena *a, const tn_table *t, const tn_val *row)
{
    tn_val stats = tn_val_dict(a);
    for (size_t i = 0; i < t->names.list->n; i++) {
        tn_str name = tn_val_as_str(t->names.list->v[i]), kind, id, key;
        if (!tn_str_cut(name, ':', &kind, &key) || !tn_str_is(kind, "stats") ||
            !tn_str_cut(key, ':', &id, &key)) {
            continue;
        }
        tn_val *one = tn_dict_finds(stats.dict, id), new;
        if (one == NULL) {
            new = tn_val_dict(a);
            tn_dict_putz(new.dict, "id", tn_val_str(id));
            tn_dict_puts(stats.dict, id, new);
            one = &new;
        }
        tn_dict_puts(one->dict, key, row[i]);
    }
    return stats;
}

static tn_rc rows_of(tn_arena *a, const tn_table *t, tn_list *into, tn_err *err)
{
    size_t place[TN_COUNTOF(columns)];
    for (size_t k = 0; k < TN_COUNTOF(columns); k++) {
        place[k] = SIZE_MAX;
        for (size_t i = 0; i < t->names.list->n; i++) {
            place[k] = tn_str_is(tn_val_as_str(t->names.list->v[i]), columns[k]) ? i : place[k];
        }
        bool optional = k == TN_CAT_NOTE || k == TN_CAT_COLUMN_NOTE || k == TN_CAT_OWNER;
        if (place[k] == SIZE_MAX && !optional && t->rows.list->n > 0) {
            return tn_fail(err, TN_E_COMPILE,
                "Got a row without \"%s\" column, columns: " TN_STR_FMT, columns[k],
                TN_STR_ARG(tn_val_to_str(a, t->names)));
        }
    }
    for (size_t r = 0; r < t->rows.list->n; r++) {
        const tn_val *from = t->rows.list->v[r].list->v;
        tn_val row = tn_val_list(a);
        for (size_t k = 0; k < TN_COUNTOF(columns); k++) {
            tn_list_push(row.list, place[k] != SIZE_MAX ? from[place[k]] : TN_VAL_NONE);
        }
        tn_list_push(row.list, stats_of(a, t, from));
        tn_list_push(into, row);
    }
    return TN_OK;
}

static tn_rc ask_part(const tn_catalog_ask *ask, tn_worker *w, tn_arena *a, const part *of,
    tn_list *into, tn_err *err)
{
    tn_job j;
    tn_table *table;
    tn_val given;
    TN_TRY(tn_job_init(&j, ask->session, w, NULL, tn_val_list(a), a, err));
    tn_kwarg kw[] = { { TN_STR("information_schema"), of->info },
        { ask->by_relations ? TN_STR("relations") : TN_STR("schemas"),
            ask->by_relations ? of->relations : of->schemas } };
    tn_str name = ask->by_relations ? TN_STR("get_catalog_relations") : TN_STR("get_catalog");
    TN_TRY(
        tn_job_end(&j, tn_pctx_call(&j.pctx, name, NULL, 0, kw, TN_COUNTOF(kw), &given, err), err));
    return tn_val_is_table(given, &table)
               ? rows_of(a, table, into, err)
               : tn_fail(err, TN_E_COMPILE,
                     "the macro '" TN_STR_FMT "' gave %s, a table is needed: return(run_query(..))",
                     TN_STR_ARG(name), tn_val_type_name(given));
}

static tn_rc tell(
    const tn_catalog_ask *ask, tn_arena *a, const tn_err *failed, tn_list *errors, tn_err *err)
{
    static const char event[] = "CatalogGenerationError";
    tn_val data = tn_val_dict(a);
    tn_str text = tn_dbt_exception(a, failed);
    tn_warn_fate fate = tn_project_warn_fate(ask->session->project, event);
    if (fate == TN_WARN_ERROR) {
        return tn_fail(err, TN_E_COMPILE,
            "Encountered an error while generating catalog: " TN_STR_FMT, TN_STR_ARG(text));
    }
    tn_list_push(errors, tn_val_str(text));
    tn_dict_putz(data.dict, "exc", tn_val_str(text));
    if (fate == TN_WARN_SHOWN) {
        tn_event(ask->events, TN_EV_WARN, event, "E040", data,
            "Encountered an error while generating catalog: " TN_STR_FMT, TN_STR_ARG(text));
    }
    return TN_OK;
}

tn_rc tn_catalog_ask_macro(
    tn_arena *a, const tn_catalog_ask *given, tn_val *ret_rows, tn_val *ret_errors, tn_err *err)
{
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_TRY(tn_session_connect(given->session, &c, err));
    tn_worker w = { .conn = c, .keep = a, .number = 1, .name = "MainThread" };
    parts list = { 0 };
    tn_catalog_ask ask = *given;
    ask.by_relations = parts_of(given, a, &list) <= RELATIONS_MAX && given->by_relations;
    *ret_rows = tn_val_list(a);
    *ret_errors = tn_val_list(a);
    for (size_t i = 0; i < list.n; i++) {
        tn_err failed = TN_ERR_INIT;
        if (ask_part(&ask, &w, a, &list.v[i], ret_rows->list, &failed) != TN_OK) {
            TN_TRY(tell(&ask, a, &failed, ret_errors->list, err));
        }
    }
    return TN_OK;
}
