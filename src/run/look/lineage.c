/* lineage.c: columns of a project's relations and where they come from; see lineage.h for the idea.
 *
 * Two databases: the profile's, in which templates are rendered (they may ask it) and sources are looked up, and one in memory that holds an
 * empty table for every relation met so far.
 */
#include "run/lineage.h"

#include "run/job/job.h"
#include "run/value/relation.h"
#include "text/json.h"
#include "text/sqltext.h"

typedef struct reader {
    tn_project *project;
    tn_arena *arena; /* of the result */
    tn_session *session;
    tn_worker worker;
    tn_duck *duck;
    tn_conn *conn;
    tn_map relations;              /* tn_relation_key -> tn_node */
    tn_map attached;               /* databases that there are in the empty one */
    tn_vec(const tn_node *) files; /* sources that SQL reads at their location */
    tn_lineage *lineage;
} reader;

static void close_reader(void *p)
{
    reader *r = p;
    tn_conn_close(r->worker.conn);
    tn_conn_close(r->conn);
    tn_duck_close(r->duck);
}

/* What DuckDB has built in needs no loading; what only changes where files are read needs none here. */
static bool adds_functions(tn_str extension)
{
    static const char *const others[] = { "httpfs", "parquet", "json", "icu", "delta", "aws" };
    for (size_t i = 0; i < TN_COUNTOF(others); i++) {
        if (tn_str_is(extension, others[i])) {
            return false;
        }
    }
    return extension.n > 0;
}

static tn_rc open_reader(reader *r, tn_events *events, tn_err *err)
{
    tn_arena *a = r->arena;
    TN_TRY(tn_session_open(r->project, a, events, TN_STR_NONE, &r->session, err));
    tn_arena_defer(a, close_reader, r);
    r->worker.keep = a;
    TN_TRY(tn_session_connect(r->session, &r->worker.conn, err));
    tn_duck_opts opts = { .threads = 1 };
    TN_TRY(tn_duck_open(&opts, &r->duck, err));
    TN_TRY(tn_duck_connect(r->duck, &r->conn, err));
    tn_val list = tn_val_at(tn_profile_credentials(&r->project->profile), "extensions");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val v = list.list->v[i];
        tn_str name = tn_val_is_str(v) ? tn_val_as_str(v) : tn_val_str_at(v, "name", TN_STR_NONE);
        if (adds_functions(name)) {
            (void)!tn_duck_load(r->conn, name, NULL); /* SQL that needs it says so when bound */
        }
    }
    return TN_OK;
}

/* ---- the empty database ---- */

static tn_str database_of(const reader *r, const tn_node *n)
{
    return n->database.n > 0 ? n->database : r->session->database;
}

static tn_rc attach(reader *r, tn_str database, tn_err *err)
{
    tn_str key = tn_str_lower(r->arena, database);
    if (tn_str_is(key, "memory") || tn_map_find(&r->attached, key) != NULL) {
        return TN_OK;
    }
    tn_map_put(&r->attached, key, r);
    tn_buf b = tn_buf_init(r->arena, 4096);
    tn_buf_addz(&b, "ATTACH ':memory:' AS ");
    tn_sql_ident(&b, database);
    if (tn_str_eq(database, r->session->database)) {
        tn_buf_addz(&b, "; USE ");
        tn_sql_ident(&b, database);
    }
    return tn_conn_exec(r->conn, tn_buf_str(&b), err);
}

static void add_place(tn_buf *b, tn_str database, tn_str schema, tn_str table)
{
    tn_sql_ident(b, database);
    tn_buf_addc(b, '.');
    tn_sql_ident(b, schema);
    if (table.n > 0) {
        tn_buf_addc(b, '.');
        tn_sql_ident(b, table);
    }
}

/* Ephemeral models are met as the common table expression that ref() names. */
static tn_rc make_table(reader *r, const tn_lineage_node *l, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("table", NULL);
    const tn_node *n = l->node;
    bool ephemeral = tn_node_is_ephemeral(n);
    tn_str database = ephemeral ? r->session->database : database_of(r, n),
           schema = ephemeral ? TN_STR("main") : n->schema,
           table = ephemeral ? tn_str_printf(a, "__dbt__cte__" TN_STR_FMT, TN_STR_ARG(n->name))
                             : n->alias;
    TN_TRY(attach(r, database, err));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "CREATE SCHEMA IF NOT EXISTS ");
    add_place(&b, database, schema, TN_STR_NONE);
    tn_buf_addz(&b, "; CREATE OR REPLACE TABLE ");
    add_place(&b, database, schema, table);
    for (size_t i = 0; i < l->n; i++) {
        tn_buf_addz(&b, i == 0 ? " (" : ", ");
        tn_sql_ident(&b, l->columns[i].name);
        tn_buf_addf(&b, " " TN_STR_FMT, TN_STR_ARG(l->columns[i].type));
    }
    tn_buf_addc(&b, ')');
    tn_map_put(
        &r->relations, tn_relation_key(r->arena, database, schema, table), (void *)(uintptr_t)n);
    return tn_conn_exec(r->conn, tn_buf_str(&b), err);
}

/* ---- columns of what is not SQL ---- */

static void take_columns(reader *r, tn_val described, tn_lineage_node *l)
{
    l->n = described.list->n;
    l->columns = tn_new_array(r->arena, tn_lineage_column, l->n + 1);
    for (size_t i = 0; i < l->n; i++) {
        const tn_val *pair = described.list->v[i].list->v;
        l->columns[i].name = tn_str_dup(r->arena, tn_val_as_str(pair[0]));
        l->columns[i].type = tn_str_dup(r->arena, tn_val_as_str(pair[1]));
    }
}

static bool from_database(reader *r, const tn_node *n, tn_lineage_node *l)
{
    TN_AUTO_ARENA a = tn_arena_new("describe", NULL);
    tn_val described;
    if (n->relation_name.n == 0) {
        return false;
    }
    tn_str sql = tn_str_printf(a, "SELECT * FROM " TN_STR_FMT, TN_STR_ARG(n->relation_name));
    if (tn_conn_describe(r->worker.conn, a, sql, &described, NULL) != TN_OK) {
        return false;
    }
    take_columns(r, described, l);
    return l->n > 0;
}

/* Types that YAML does not say are text: enough to find columns by name. */
static bool from_yaml(reader *r, const tn_node *n, tn_lineage_node *l)
{
    if (n->columns.tag != TN_DICT || n->columns.dict->live == 0) {
        return false;
    }
    l->columns = tn_new_array(r->arena, tn_lineage_column, n->columns.dict->live + 1);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        tn_str type = tn_val_str_at(it->value, "data_type", TN_STR_NONE);
        l->columns[l->n++] = (tn_lineage_column){ .name = tn_val_as_str(it->key),
            .type = type.n > 0 ? type : TN_STR("VARCHAR") };
    }
    return true;
}

static tn_rc new_job(reader *r, tn_node *n, tn_job *j, tn_arena *a, tn_err *err)
{
    return tn_job_init(j, r->session, &r->worker, n, tn_val_list(a), a, err);
}

static bool from_location(reader *r, const tn_node *n, tn_lineage_node *l)
{
    TN_AUTO_ARENA a = tn_arena_new("location", NULL);
    tn_job j;
    tn_str location = TN_STR_NONE, sql;
    tn_val described;
    if (tn_source_location(a, n, &location, NULL) != TN_OK || location.n == 0 ||
        new_job(r, NULL, &j, a, NULL) != TN_OK) {
        return false;
    }
    tn_vec_push(&r->files, r->arena, n);
    sql = tn_str_printf(a, "SELECT * FROM " TN_STR_FMT, TN_STR_ARG(location));
    if (tn_job_serve_delta(&j, sql, &sql, NULL) != TN_OK ||
        tn_conn_describe(r->worker.conn, a, sql, &described, NULL) != TN_OK) {
        return false;
    }
    take_columns(r, described, l);
    return true;
}

static tn_rc seed_columns(reader *r, tn_node *n, tn_lineage_node *l, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("seed", NULL);
    tn_val types = tn_node_config(n, "column_types"), v;
    tn_table *t = NULL;
    tn_str delimiter = tn_node_config_str(n, "delimiter", TN_STR(","));
    TN_TRY(tn_table_read_csv(a, n->file, delimiter.n > 0 ? delimiter.p[0] : ',',
        types.tag == TN_DICT ? types.dict : NULL, &v, err));
    (void)tn_val_is_table(v, &t);
    l->n = t->names.list->n;
    l->columns = tn_new_array(r->arena, tn_lineage_column, l->n + 1);
    for (size_t i = 0; i < l->n; i++) {
        tn_str name = tn_val_as_str(t->names.list->v[i]),
               type = tn_val_str_at(types, tn_str_z(a, name), tn_str_of(tn_table_sql_type(t, i)));
        l->columns[i].name = tn_str_dup(r->arena, name);
        l->columns[i].type = tn_str_dup(r->arena, type);
    }
    return TN_OK;
}

/* A seed that loads what the source reads: then its file tells, also when loading it is switched off. */
static bool from_seed(reader *r, const tn_node *n, tn_lineage_node *l)
{
    const tn_nodes *lists[] = { &r->project->nodes, &r->project->disabled };
    for (size_t k = 0; k < TN_COUNTOF(lists); k++) {
        for (size_t i = 0; i < lists[k]->n; i++) {
            tn_node *seed = lists[k]->v[i];
            if (seed->kind == TN_NODE_SEED && tn_str_eq_nocase(seed->alias, n->alias) &&
                tn_str_eq_nocase(seed->schema, n->schema)) {
                return seed_columns(r, seed, l, NULL) == TN_OK;
            }
        }
    }
    return false;
}

static void source_columns(reader *r, const tn_node *n, tn_lineage_node *l)
{
    if (!from_location(r, n, l) && !from_database(r, n, l) && !from_seed(r, n, l) &&
        !from_yaml(r, n, l)) {
        l->problem = TN_STR("its columns are not known: it is not in the database, and its YAML "
                            "lists none");
    }
}

/* ---- columns of SQL ---- */

/* Sources that are files stand in the SQL as their location; the empty database has them as tables. */
static tn_str name_files(const reader *r, tn_arena *a, tn_str sql)
{
    for (size_t i = 0; i < r->files.n; i++) {
        const tn_node *n = r->files.v[i];
        tn_str location;
        if (tn_source_location(a, n, &location, NULL) == TN_OK) {
            tn_buf b = tn_buf_init(a, 4096);
            add_place(&b, database_of(r, n), n->schema, n->alias);
            sql = tn_str_replace(a, sql, location, tn_buf_str(&b));
        }
    }
    return sql;
}

static tn_rc plan_of(reader *r, tn_arena *a, tn_str sql, tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_val text, doc;
    tn_buf_addz(&b, "SELECT json_serialize_plan(");
    tn_sql_literal(&b, sql);
    tn_buf_addz(&b, ", optimize := false)");
    TN_TRY(tn_conn_scalar(r->conn, a, tn_buf_str(&b), &text, err));
    TN_TRY(tn_json_parse(a, tn_val_as_str(text), &doc, err));
    tn_val plans = tn_val_at(doc, "plans");
    if (tn_val_bool_at(doc, "error", false) || !tn_val_is_seq(plans) || plans.list->n != 1) {
        tn_str why = tn_val_str_at(doc, "error_message", TN_STR("it is not one SELECT"));
        return tn_fail(err, TN_E_UNSUPPORTED, TN_STR_FMT, TN_STR_ARG(why));
    }
    *ret = plans.list->v[0];
    return TN_OK;
}

static tn_origins keep_origins(reader *r, const tn_origins *from)
{
    tn_origins kept = { 0 };
    for (size_t i = 0; i < from->n; i++) {
        tn_origin o = from->v[i];
        o.column = tn_str_dup(r->arena, o.column);
        o.relation = tn_str_dup(r->arena, o.relation);
        tn_vec_push(&kept, r->arena, o);
    }
    return kept;
}

static tn_rc trace(reader *r, tn_arena *a, tn_str sql, tn_lineage_node *l, tn_err *err)
{
    tn_val described, plan;
    tn_plan_columns found;
    tn_origins rows;
    TN_TRY(tn_conn_describe(r->conn, a, sql, &described, err));
    take_columns(r, described, l);
    TN_TRY(plan_of(r, a, sql, &plan, err));
    TN_TRY(tn_plan_lineage(a, plan, &r->relations, &found, &rows, err));
    if (found.n != l->n) {
        return tn_fail(err, TN_E_UNSUPPORTED, "its plan has %zu columns, and the query gives %zu",
            found.n, l->n);
    }
    for (size_t i = 0; i < l->n; i++) {
        l->columns[i].from = keep_origins(r, &found.v[i]);
    }
    l->rows = keep_origins(r, &rows);
    return TN_OK;
}

/* The columns that a snapshot adds: from when to when a row was so. */
static void add_snapshot_columns(reader *r, tn_lineage_node *l)
{
    static const struct {
        const char *name, *type;
        bool from_updated_at;
    } added[] = { { "dbt_scd_id", "VARCHAR", false }, { "dbt_updated_at", "TIMESTAMP", true },
        { "dbt_valid_from", "TIMESTAMP", true }, { "dbt_valid_to", "TIMESTAMP", false },
        { "dbt_is_deleted", "VARCHAR", false } };
    tn_val names = tn_node_config(l->node, "snapshot_meta_column_names");
    tn_str updated_at = tn_node_config_str(l->node, "updated_at", TN_STR_NONE);
    bool marks = tn_str_is(tn_node_config_str(l->node, "hard_deletes", TN_STR_NONE), "new_record");
    tn_lineage_column *all = tn_new_array(r->arena, tn_lineage_column, l->n + TN_COUNTOF(added));
    memcpy(all, l->columns, l->n * sizeof *all);
    size_t n = l->n;
    for (size_t i = 0; i < TN_COUNTOF(added) - !marks; i++) {
        all[n].name = tn_val_str_at(names, added[i].name, tn_str_of(added[i].name));
        all[n].type = tn_str_of(added[i].type);
        for (size_t k = 0; added[i].from_updated_at && k < l->n; k++) {
            if (tn_str_eq_nocase(l->columns[k].name, updated_at)) {
                all[n].from = l->columns[k].from;
            }
        }
        n++;
    }
    l->columns = all;
    l->n = n;
}

static tn_rc sql_columns(reader *r, tn_node *n, tn_lineage_node *l, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("lineage of a model", NULL);
    tn_job j;
    tn_str sql = TN_STR_NONE;
    if (n->refused.n > 0) {
        return tn_fail(err, TN_E_UNSUPPORTED, TN_STR_FMT, TN_STR_ARG(n->refused));
    }
    TN_TRY(new_job(r, n, &j, a, err));
    tn_rc rc = tn_job_render(&j, &sql, err);
    tn_job_rollback(&j);
    if (rc != TN_OK) {
        return rc;
    }
    sql = name_files(r, a, sql);
    TN_TRY(tn_job_serve_delta(&j, sql, &sql, err));
    TN_TRY(trace(r, a, sql, l, err));
    if (n->kind == TN_NODE_SNAPSHOT) {
        add_snapshot_columns(r, l);
    }
    return TN_OK;
}

/* A parent without columns is why a query cannot be bound; DuckDB would only say that there is no such table. One whose columns are those
 * that its YAML lists may lack some. */
static tn_str why_not(const reader *r, const tn_node *n, const tn_err *err)
{
    tn_str first, rest;
    (void)tn_str_cut(tn_str_of(err->msg), '\n', &first, &rest);
    for (size_t i = 0; i < n->parents.n; i++) {
        const tn_lineage_node *p = tn_map_find(&r->lineage->by_id, n->parents.v[i]->unique_id);
        if (p != NULL && p->n == 0) {
            return tn_str_printf(r->arena, "the columns of " TN_STR_FMT " are not known",
                TN_STR_ARG(p->node->unique_id));
        }
        if (p != NULL && p->problem.n > 0) {
            return tn_str_printf(r->arena,
                "the columns of " TN_STR_FMT " are not known for sure: " TN_STR_FMT,
                TN_STR_ARG(p->node->unique_id), TN_STR_ARG(first));
        }
    }
    return tn_str_dup(r->arena, first);
}

static void forget_origins(tn_lineage_node *l)
{
    for (size_t i = 0; i < l->n; i++) {
        l->columns[i].from = (tn_origins){ 0 };
    }
    l->rows = (tn_origins){ 0 };
}

static void read_node(reader *r, tn_node *n, tn_lineage_node *l)
{
    tn_err err = TN_ERR_INIT;
    tn_rc rc = TN_OK;
    l->node = n;
    if (n->kind == TN_NODE_SOURCE) {
        source_columns(r, n, l);
    } else {
        rc = n->kind == TN_NODE_SEED ? seed_columns(r, n, l, &err) : sql_columns(r, n, l, &err);
    }
    if (rc != TN_OK) {
        l->problem = why_not(r, n, &err);
        forget_origins(l);
        (void)(l->n > 0 || from_database(r, n, l) || from_yaml(r, n, l));
    }
    rc = l->n > 0 ? make_table(r, l, &err) : TN_OK;
    if (rc != TN_OK) {
        l->problem = why_not(r, n, &err);
        l->n = 0;
    }
}

static bool has_columns(const tn_node *n)
{
    return tn_node_is_refable(n) || n->kind == TN_NODE_SOURCE;
}

static void mark_up(const tn_node *n, bool *marks)
{
    if (n->index == UINT32_MAX || marks[n->index]) {
        return;
    }
    marks[n->index] = true;
    for (size_t i = 0; i < n->parents.n; i++) {
        mark_up(n->parents.v[i], marks);
    }
}

tn_rc tn_lineage_read(tn_project *p, tn_arena *a, tn_events *events, const tn_nodes *wanted,
    tn_lineage *ret, tn_err *err)
{
    reader *r = tn_new(a, reader);
    *r = (reader){ .project = p,
        .arena = a,
        .relations = tn_map_init(a),
        .attached = tn_map_init(a),
        .lineage = ret };
    *ret = (tn_lineage){ .by_id = tn_map_init(a) };
    bool *marks = tn_new_array(a, bool, p->nodes.n + 1);
    for (size_t i = 0; i < wanted->n; i++) {
        mark_up(wanted->v[i], marks);
    }
    ret->nodes = tn_new_array(a, tn_lineage_node, p->nodes.n + 1);
    TN_TRY(open_reader(r, events, err));
    TN_TRY(attach(r, r->session->database, err));
    for (size_t i = 0; i < p->order.n; i++) {
        tn_node *n = p->order.v[i];
        if (n->index != UINT32_MAX && marks[n->index] && has_columns(n)) {
            tn_lineage_node *l = &ret->nodes[ret->n++];
            read_node(r, n, l);
            tn_map_put(&ret->by_id, n->unique_id, l);
        }
    }
    return TN_OK;
}
