/* capi_lake.c: a lake's handle: SQL over its relations, landing, binding of rows. What `tarn sql` does through the same lower functions happens
 * here without a terminal. The handle is counted: rows that are still read keep it open.
 */
#include "capi/capi_impl.h"
#include "lake/lake_remote.h"
#include "lake/lake_sql.h"
#include "text/sqltext.h"

struct tarn_lake {
    tn_arena *arena;
    int refs; /* atomic */
    tarn_engine *engine;
    tn_lake *lake;
    tn_conn *conn;
    tn_lake_sql *sql;
};

static tn_rc open_all(tarn_lake *l, const char *url, const char *environment,
    const tarn_engine_options *options, tn_err *e)
{
    TN_TRY(tn_capi_engine_open(options, &l->engine, e));
    tn_lake_opts lo = { .storage = l->engine->storage, .create = url != NULL };
    TN_TRY(tn_lake_open(tn_str_of(url != NULL ? url : "."), &lo, &l->lake, e));
    TN_TRY(tn_duck_connect(l->engine->duck, &l->conn, e));
    TN_TRY(tn_lake_connect(l->lake, l->conn, e));
    tn_lake_sql_opts so = TN_LAKE_SQL_OPTS_INIT;
    so.env = tn_str_dup(l->arena, tn_str_of(environment != NULL ? environment : "prod"));
    so.follow = true;
    so.places_only = url == NULL;
    return tn_lake_sql_open(l->lake, l->conn, &so, &l->sql, e);
}

static void lake_unref(void *p)
{
    tarn_lake *l = p;
    if (__atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        tn_lake_sql_close(l->sql);
        tn_conn_close(l->conn);
        tn_lake_close(l->lake);
        tn_capi_engine_unref(l->engine);
        tn_arena_free(l->arena);
    }
}

int tarn_open_with(const char *url, const char *environment, const tarn_engine_options *options,
    tarn_lake **ret_lake, tarn_error *err)
{
    tn_arena *a = tn_arena_new("C API lake", NULL);
    tarn_lake *l = tn_new(a, tarn_lake);
    *l = (tarn_lake){ .arena = a, .refs = 1 };
    tn_err e = TN_ERR_INIT;
    tn_rc rc = open_all(l, url, environment, options, &e);
    if (rc != TN_OK) {
        lake_unref(l);
        return tn_capi_told(rc, &e, err);
    }
    *ret_lake = l;
    return 0;
}

int tarn_open(const char *url, const char *environment, tarn_lake **ret_lake, tarn_error *err)
{
    return tarn_open_with(url, environment, NULL, ret_lake, err);
}

void tarn_close(tarn_lake *l)
{
    if (l != NULL) {
        lake_unref(l);
    }
}

void tarn_interrupt(tarn_lake *l)
{
    tn_conn_interrupt(l->conn);
}

/* ---- statements ---- */

/* The rows of statements that tarn answers itself (DESCRIBE HISTORY) as a result of DuckDB's. */
static tn_rc list_as_rows(
    tarn_lake *l, tn_arena *a, const tn_lake_sql_result *r, tn_result **ret, tn_err *e)
{
    tn_buf b = tn_buf_init(a, CAPI_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT * FROM (VALUES ");
    for (size_t i = 0; i < r->list.list->n; i++) {
        const tn_list *row = r->list.list->v[i].list;
        for (size_t k = 0; k < row->n; k++) {
            tn_buf_addz(&b, k > 0 ? ", " : i > 0 ? ", (" : "(");
            tn_sql_value(&b, row->v[k]);
        }
        tn_buf_addc(&b, ')');
    }
    tn_buf_addz(&b, ") AS t(");
    for (size_t k = 0; k < r->names.list->n; k++) {
        tn_buf_addz(&b, k > 0 ? ", " : "");
        tn_sql_ident(&b, tn_val_as_str(r->names.list->v[k]));
    }
    tn_buf_addc(&b, ')');
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the rows", &sql, e));
    return tn_conn_query(l->conn, sql, ret, e);
}

/* rows NULL in *ret: the statement gives none. keep: later statements do not end the rows. */
static tn_rc run_one(
    tarn_lake *l, tn_arena *a, const char *sql, bool keep, tn_lake_sql_result *ret, tn_err *e)
{
    tn_strs parts = { 0 };
    TN_TRY(tn_lake_sql_split(a, tn_str_of(sql), &parts, e));
    if (parts.n != 1) {
        return tn_fail(e, TN_E_USAGE, "one statement is wanted, not %zu", parts.n);
    }
    TN_TRY(tn_lake_sql_run(l->sql, a, parts.v[0], !keep, ret, e));
    if (ret->rows == NULL && ret->is_list && ret->list.list->n > 0) {
        return list_as_rows(l, a, ret, &ret->rows, e);
    }
    return TN_OK;
}

static tn_rc rows_out(tarn_lake *l, tn_result *rows, struct ArrowArrayStream *ret_stream, tn_err *e)
{
    __atomic_add_fetch(&l->refs, 1, __ATOMIC_RELAXED);
    return tn_capi_stream(rows, lake_unref, l, ret_stream, e);
}

static tn_rc query(
    tarn_lake *l, tn_arena *a, const char *sql, struct ArrowArrayStream *ret_stream, tn_err *e)
{
    tn_lake_sql_result r = { 0 };
    TN_TRY(run_one(l, a, sql, false, &r, e));
    return r.rows != NULL ? rows_out(l, r.rows, ret_stream, e)
                          : tn_fail(e, TN_E_USAGE, "the statement gives no rows: use tarn_execute");
}

int tarn_query(tarn_lake *l, const char *sql, struct ArrowArrayStream *ret_stream, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API query", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(query(l, a, sql, ret_stream, &e), &e, err);
}

static tn_rc run(tarn_lake *l, tn_arena *a, const char *sql, struct ArrowArrayStream *ret_stream,
    char **ret_note, tn_err *e)
{
    tn_lake_sql_result r = { 0 };
    struct ArrowArrayStream rows = { .release = NULL };
    TN_TRY(run_one(l, a, sql, true, &r, e));
    if (r.rows != NULL && tn_result_is_rows(r.rows)) {
        TN_TRY(rows_out(l, r.rows, &rows, e));
    } else {
        tn_result_free(r.rows);
    }
    if (ret_note != NULL) {
        *ret_note = r.note.n > 0 ? tn_capi_text(r.note) : NULL;
    }
    *ret_stream = rows;
    return TN_OK;
}

int tarn_run(tarn_lake *l, const char *sql, struct ArrowArrayStream *ret_stream, char **ret_note,
    tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API statement", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(run(l, a, sql, ret_stream, ret_note, &e), &e, err);
}

static tn_rc execute(tarn_lake *l, tn_arena *a, const char *sql, tn_err *e)
{
    tn_strs parts = { 0 };
    TN_TRY(tn_lake_sql_split(a, tn_str_of(sql), &parts, e));
    for (size_t i = 0; i < parts.n; i++) {
        tn_lake_sql_result r = { 0 };
        TN_TRY(tn_lake_sql_run(l->sql, a, parts.v[i], false, &r, e));
        tn_result_free(r.rows);
    }
    return TN_OK;
}

int tarn_execute(tarn_lake *l, const char *sql, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API statements", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(execute(l, a, sql, &e), &e, err);
}

/* ---- landing ---- */

static tn_rc statement_for(tn_arena *a, const char *table, const char *mode, tn_str *ret, tn_err *e)
{
    tn_str schema, name;
    if (!tn_str_cut(tn_str_of(table), '.', &schema, &name) || schema.n == 0 || name.n == 0) {
        return tn_fail(e, TN_E_USAGE, "'%s' is no table of a lake: say schema.name", table);
    }
    tn_buf b = tn_buf_init(a, CAPI_SQL_BYTES_MAX);
    if (strcmp(mode, "append") == 0) {
        tn_buf_addz(&b, "INSERT INTO ");
    } else if (strcmp(mode, "overwrite") == 0) {
        tn_buf_addz(&b, "CREATE OR REPLACE TABLE ");
    } else if (strcmp(mode, "create") == 0) {
        tn_buf_addz(&b, "CREATE TABLE ");
    } else {
        return tn_fail(e, TN_E_USAGE, "'%s' is no mode: append, overwrite or create", mode);
    }
    tn_sql_ident(&b, schema);
    tn_buf_addc(&b, '.');
    tn_sql_ident(&b, name);
    tn_buf_addz(&b, strcmp(mode, "append") == 0 ? " BY NAME SELECT * FROM __tarn_landing"
                                                : " AS SELECT * FROM __tarn_landing");
    *ret = tn_buf_str(&b);
    return TN_OK;
}

/* The rows of a stream as a table of the session's own; one of that name is replaced. */
static tn_rc take_table(tarn_lake *l, tn_arena *a, tn_str sql_name, struct ArrowArrayStream *stream,
    int64_t *ret_rows, tn_err *e)
{
    tn_rc rc = tn_conn_exec(
        l->conn, tn_str_printf(a, "DROP TABLE IF EXISTS " TN_STR_FMT, TN_STR_ARG(sql_name)), e);
    if (rc != TN_OK) {
        tn_capi_release(stream);
        return rc;
    }
    return stream == NULL ? TN_OK : tn_conn_arrow_in(l->conn, sql_name, stream, ret_rows, e);
}

static tn_rc table_is_there(tarn_lake *l, tn_arena *a, const char *table, bool *ret, tn_err *e)
{
    tn_pins pins = { 0 };
    size_t pinned;
    TN_TRY(tn_lake_relations(l->lake, a, TN_STR_NONE, &pins, &pinned, e));
    tn_str schema, name;
    (void)tn_str_cut(tn_str_of(table), '.', &schema, &name);
    *ret = tn_pins_find(&pins, schema, name) != NULL;
    return TN_OK;
}

static tn_rc land(tarn_lake *l, tn_arena *a, const char *table, const char *mode,
    struct ArrowArrayStream *stream, int64_t *ret_rows, tn_err *e)
{
    tn_str sql;
    tn_rc rc = statement_for(a, table, mode, &sql, e);
    bool there = true;
    if (rc == TN_OK && strcmp(mode, "append") == 0) {
        rc = table_is_there(l, a, table, &there, e);
        rc = rc == TN_OK && !there ? statement_for(a, table, "create", &sql, e) : rc;
    }
    if (rc != TN_OK) {
        tn_capi_release(stream);
        return rc;
    }
    TN_TRY(take_table(l, a, TN_STR("__tarn_landing"), stream, ret_rows, e));
    tn_lake_sql_result r = { 0 };
    rc = tn_lake_sql_run(l->sql, a, sql, false, &r, e);
    tn_result_free(r.rows);
    tn_rc dropped =
        tn_conn_exec(l->conn, TN_STR("DROP TABLE __tarn_landing"), rc == TN_OK ? e : NULL);
    return rc == TN_OK ? dropped : rc;
}

int tarn_land(tarn_lake *l, const char *table, const char *mode, struct ArrowArrayStream *stream,
    int64_t *ret_rows, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API landing", NULL);
    tn_err e = TN_ERR_INIT;
    int64_t rows = 0;
    tn_rc rc = land(l, a, table, mode, stream, &rows, &e);
    if (rc == TN_OK && ret_rows != NULL) {
        *ret_rows = rows;
    }
    return tn_capi_told(rc, &e, err);
}

int tarn_bind(tarn_lake *l, const char *name, struct ArrowArrayStream *stream, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API bind", NULL);
    tn_err e = TN_ERR_INIT;
    tn_buf b = tn_buf_init(a, CAPI_SQL_BYTES_MAX);
    tn_buf_addz(&b, "temp.main.");
    tn_sql_ident(&b, tn_str_of(name));
    return tn_capi_told(take_table(l, a, tn_buf_str(&b), stream, NULL, &e), &e, err);
}
