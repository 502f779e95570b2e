/* capi.c: the public C API over the lake layer: handles, NUL-terminated strings and Arrow streams on the outside, arenas and tn_err inside.
 *
 * It holds no logic of its own: what `tarn sql` and `tarn land` do through the same lower functions happens here without a terminal.
 */
#include "duck/arrow_abi.h"
#include "lake/lake_remote.h"
#include "lake/lake_sql.h"
#include "store/store_s3.h"
#include "tarn/tarn.h"
#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 64 << 20 };

struct tarn_lake {
    tn_arena *arena;
    tn_lake *lake;
    tn_duck *duck;
    tn_conn *conn;
    tn_lake_sql *sql;
};

static int told(tn_rc rc, const tn_err *e, tarn_error *err)
{
    if (rc != TN_OK && err != NULL) {
        err->code = (int)rc;
        snprintf(err->message, sizeof err->message, "%s", e->msg);
        snprintf(err->hint, sizeof err->hint, "%s", e->hint);
    }
    return (int)rc;
}

const char *tarn_version(void)
{
    return TARN_VERSION;
}

static tn_rc open_all(tarn_lake *l, const char *url, const char *environment, tn_err *e)
{
    tn_lake_opts lo = { .storage = TN_VAL_UNDEF, .create = true };
    TN_TRY(tn_lake_open(tn_str_of(url), &lo, &l->lake, e));
    tn_duck_opts o = { .config = TN_VAL_UNDEF };
    TN_TRY(tn_duck_open(&o, &l->duck, e));
    TN_TRY(tn_duck_connect(l->duck, &l->conn, e));
    TN_TRY(tn_lake_connect(l->lake, l->conn, e));
    tn_lake_sql_opts so = TN_LAKE_SQL_OPTS_INIT;
    so.env = tn_str_dup(l->arena, tn_str_of(environment != NULL ? environment : "prod"));
    so.follow = true;
    return tn_lake_sql_open(l->lake, l->conn, &so, &l->sql, e);
}

int tarn_open(const char *url, const char *environment, tarn_lake **ret_lake, tarn_error *err)
{
    tn_store_s3_register();
    tn_arena *a = tn_arena_new("C API", NULL);
    tarn_lake *l = tn_new(a, tarn_lake);
    l->arena = a;
    tn_err e = TN_ERR_INIT;
    tn_rc rc = open_all(l, url, environment, &e);
    if (rc != TN_OK) {
        tarn_close(l);
        return told(rc, &e, err);
    }
    *ret_lake = l;
    return 0;
}

void tarn_close(tarn_lake *l)
{
    if (l != NULL) {
        tn_lake_sql_close(l->sql);
        tn_conn_close(l->conn);
        tn_duck_close(l->duck);
        tn_lake_close(l->lake);
        tn_arena_free(l->arena);
    }
}

/* The rows of statements that tarn answers itself (DESCRIBE HISTORY) as a result of DuckDB's. */
static tn_rc list_as_rows(
    tarn_lake *l, tn_arena *a, const tn_lake_sql_result *r, tn_result **ret, tn_err *e)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
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

static tn_rc query(
    tarn_lake *l, tn_arena *a, const char *sql, struct ArrowArrayStream *ret_stream, tn_err *e)
{
    tn_strs parts = { 0 };
    TN_TRY(tn_lake_sql_split(a, tn_str_of(sql), &parts, e));
    if (parts.n != 1) {
        return tn_fail(e, TN_E_USAGE, "a query is one statement, not %zu", parts.n);
    }
    tn_lake_sql_result r = { 0 };
    TN_TRY(tn_lake_sql_run(l->sql, a, parts.v[0], true, &r, e));
    if (r.rows == NULL && r.is_list && r.list.list->n > 0) {
        TN_TRY(list_as_rows(l, a, &r, &r.rows, e));
    }
    if (r.rows == NULL) {
        return tn_fail(e, TN_E_USAGE, "the statement gives no rows: use tarn_execute");
    }
    return tn_result_arrow_out(r.rows, ret_stream, e);
}

int tarn_query(tarn_lake *l, const char *sql, struct ArrowArrayStream *ret_stream, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API query", NULL);
    tn_err e = TN_ERR_INIT;
    return told(query(l, a, sql, ret_stream, &e), &e, err);
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
    return told(execute(l, a, sql, &e), &e, err);
}

/* ---- landing ---- */

static tn_rc statement_for(tn_arena *a, const char *table, const char *mode, tn_str *ret, tn_err *e)
{
    tn_str schema, name;
    if (!tn_str_cut(tn_str_of(table), '.', &schema, &name) || schema.n == 0 || name.n == 0) {
        return tn_fail(e, TN_E_USAGE, "'%s' is no table of a lake: say schema.name", table);
    }
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
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
        if (stream->release != NULL) {
            stream->release(stream);
        }
        return rc;
    }
    TN_TRY(tn_conn_exec(l->conn, TN_STR("DROP TABLE IF EXISTS __tarn_landing"), e));
    TN_TRY(tn_conn_arrow_in(l->conn, TN_STR("__tarn_landing"), stream, ret_rows, e));
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
    return told(rc, &e, err);
}
