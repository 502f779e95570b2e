/* capi_alter.c: ALTER TABLE of a table that is known by its place: the statement that `tarn sql` would be given. */
#include "capi/capi_impl.h"
#include "lake/lake_sql.h"
#include "text/sqltext.h"

/* "ALTER TABLE delta.\"place\" change", or "COMMENT ON TABLE .. IS text". */
static tn_rc statement_of(
    const tarn_table *t, tn_arena *a, const char *change, tn_str *ret, tn_err *err)
{
    tn_str rest = tn_str_trim(tn_str_of(change));
    bool comment = rest.n > 8 && tn_str_eq_nocase(tn_str_sub(rest, 0, 8), TN_STR("COMMENT "));
    tn_buf b = tn_buf_init(a, CAPI_SQL_BYTES_MAX);
    tn_buf_addz(&b, comment ? "COMMENT ON TABLE delta." : "ALTER TABLE delta.");
    tn_sql_ident(&b, t->url);
    tn_buf_addz(&b, comment ? " IS " : " ");
    tn_buf_add(&b, comment ? tn_str_sub(rest, 8, rest.n) : rest);
    return tn_buf_finish(&b, "a change of a table", ret, err);
}

static tn_rc alter(tarn_table *t, tn_arena *a, const char *change, tn_err *err)
{
    TN_AUTOPTR(tn_lake) here = NULL;
    TN_AUTOPTR(tn_lake_sql) sql = NULL;
    tn_str statement;
    tn_strs parts = { 0 };
    tn_lake_opts lo = { .storage = t->engine->storage };
    tn_lake_sql_opts so = TN_LAKE_SQL_OPTS_INIT;
    tn_lake_sql_result r = { 0 };
    so.places_only = true;
    TN_TRY(statement_of(t, a, change, &statement, err));
    TN_TRY(tn_lake_sql_split(a, statement, &parts, err));
    if (parts.n != 1) {
        return tn_fail(err, TN_E_USAGE, "one change is wanted, not %zu", parts.n);
    }
    TN_TRY(tn_lake_open(TN_STR("."), &lo, &here, err));
    TN_TRY(tn_lake_sql_open(here, t->conn, &so, &sql, err));
    TN_TRY(tn_lake_sql_run(sql, a, parts.v[0], false, &r, err));
    tn_result_free(r.rows);
    return TN_OK;
}

int tarn_alter(tarn_table *t, const char *change, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API alter", NULL);
    tn_err e = TN_ERR_INIT;
    tn_rc rc = alter(t, a, change, &e);
    return rc != TN_OK ? tn_capi_told(rc, &e, err) : tarn_table_load(t, NULL, err);
}
