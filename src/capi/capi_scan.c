/* capi_scan.c: reading a table: each stream runs on a connection of its own, so that it outlives handles and does not disturb changes. */
#include "capi/capi_impl.h"
#include "delta/delta_changes.h"
#include "text/sqltext.h"

/* What a stream stands on. */
typedef struct reader {
    tn_conn *conn;
    tarn_engine *engine;
} reader;

static void reader_drop(void *p)
{
    reader *r = p;
    tarn_engine *engine = r->engine;
    tn_conn_close(r->conn);
    free(r);
    tn_capi_engine_unref(engine);
}

/* Runs the SELECT and hands its rows over. */
static tn_rc stream_of(tarn_table *t, tn_str sql, struct ArrowArrayStream *ret, tn_err *err)
{
    TN_AUTOPTR(tn_conn) conn = NULL;
    tn_result *rows;
    TN_TRY(tn_duck_connect(t->engine->duck, &conn, err));
    TN_TRY(tn_conn_stream(conn, sql, &rows, err));
    reader *r = calloc(1, sizeof *r);
    TN_CHECK(r != NULL);
    *r = (reader){ .conn = TN_TAKE(conn), .engine = t->engine };
    __atomic_add_fetch(&t->engine->refs, 1, __ATOMIC_RELAXED);
    return tn_capi_stream(rows, reader_drop, r, ret, err);
}

static void add_columns(tn_buf *b, const tarn_scan_options *o)
{
    tn_buf_addz(b, o->columns == NULL ? "*" : "");
    for (size_t i = 0; o->columns != NULL && i < o->columns_n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_sql_ident(b, tn_str_of(o->columns[i]));
    }
}

static tn_rc scan(tarn_table *t, tn_arena *a, const tarn_scan_options *o,
    struct ArrowArrayStream *ret, tn_err *err)
{
    tn_delta_snapshot *s;
    tn_str relation, sql;
    if ((o->columns != NULL && o->columns_n == 0) || o->limit < 0) {
        return tn_fail(err, TN_E_USAGE, "a scan needs columns and a limit that is not negative");
    }
    TN_TRY(tn_capi_snapshot(t, &s, err));
    tn_delta_scan_opts so = { .where = tn_str_of(o->where), .conn = t->conn };
    TN_TRY(tn_delta_scan_sql(s, a, &so, &relation, err));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "SELECT ");
    add_columns(&b, o);
    tn_buf_addz(&b, " FROM (\n");
    tn_buf_add(&b, relation);
    tn_buf_addz(&b, "\n) AS target");
    if (so.where.n > 0) {
        tn_buf_addf(&b, " WHERE (" TN_STR_FMT "\n)", TN_STR_ARG(so.where));
    }
    if (o->limit > 0) {
        tn_buf_addf(&b, " LIMIT %lld", (long long)o->limit);
    }
    TN_TRY(tn_buf_finish(&b, "the scan of a table", &sql, err));
    return stream_of(t, sql, ret, err);
}

int tarn_table_scan(tarn_table *t, const tarn_scan_options *options,
    struct ArrowArrayStream *ret_stream, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API scan", NULL);
    tn_err e = TN_ERR_INIT;
    tarn_scan_options o;
    tn_capi_options(&o, sizeof o, options);
    return tn_capi_told(scan(t, a, &o, ret_stream, &e), &e, err);
}

/* The table is a CTE, so that the connection needs no view and the name is this statement's only. */
static tn_rc query(tarn_table *t, tn_arena *a, const char *name, const char *sql,
    struct ArrowArrayStream *ret, tn_err *err)
{
    tn_delta_snapshot *s;
    tn_str relation, text;
    TN_TRY(tn_capi_snapshot(t, &s, err));
    tn_delta_scan_opts so = { 0 };
    TN_TRY(tn_delta_scan_sql(s, a, &so, &relation, err));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "WITH ");
    tn_sql_ident(&b, tn_str_of(name));
    tn_buf_addf(&b, " AS (\n" TN_STR_FMT "\n)\nFROM (\n%s\n)", TN_STR_ARG(relation), sql);
    TN_TRY(tn_buf_finish(&b, "a query", &text, err));
    return stream_of(t, text, ret, err);
}

int tarn_table_query(tarn_table *t, const char *name, const char *sql,
    struct ArrowArrayStream *ret_stream, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API query", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(query(t, a, name, sql, ret_stream, &e), &e, err);
}

static tn_rc changes(tarn_table *t, tn_arena *a, const tarn_at *from, const tarn_at *to,
    struct ArrowArrayStream *ret, tn_err *err)
{
    tn_delta_changes_range r = TN_DELTA_CHANGES_RANGE_INIT;
    bool from_time = from != NULL && from->timestamp_ms != INT64_MIN;
    r.from = from_time ? -1 : from != NULL && from->version >= 0 ? from->version : 0;
    r.from_ms = from_time ? from->timestamp_ms : INT64_MIN;
    r.to = to != NULL ? to->version : -1;
    r.to_ms = to != NULL ? to->timestamp_ms : INT64_MIN;
    tn_str sql;
    TN_TRY(tn_delta_changes_sql(t->table, t->conn, a, &r, &sql, err));
    return stream_of(t, sql, ret, err);
}

int tarn_table_changes(tarn_table *t, const tarn_at *from, const tarn_at *to,
    struct ArrowArrayStream *ret_stream, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API changes", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(changes(t, a, from, to, ret_stream, &e), &e, err);
}
