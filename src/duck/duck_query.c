/* duck_query.c: running statements.
 *
 * Text goes to duckdb_query as it is, several statements at once, unless it may hold an INSTALL or LOAD: then it is cut
 * into statements and those that mean a bundled extension are served by us. Streams and parameters need a prepared
 * statement. Autocommitted INSERTs into attached Delta tables fail when prepared, which is one more
 * reason for duckdb_query.
 */
#include "duck/duck_impl.h"
#include "os/clock.h"
#include "text/sqltext.h"

/* One text without interception, materialised. *ret holds the result on success. */
static tn_rc run_text(tn_conn *c, tn_str sql, duckdb_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck sql", NULL);
    char *z = NULL;
    TN_TRY(duck_sql_z(a, sql, &z, err));
    duckdb_result res = { 0 };
    if (duckdb_query(c->con, z, &res) != DuckDBSuccess) {
        tn_rc rc = duck_fail(err, duckdb_result_error_type(&res), duckdb_result_error(&res));
        duckdb_destroy_result(&res);
        return rc;
    }
    *ret = res;
    return TN_OK;
}

static tn_rc run_and_drop(tn_conn *c, tn_str sql, tn_err *err)
{
    bool handled;
    TN_TRY(tn_duck_intercept(c, sql, &handled, err));
    if (handled) {
        return TN_OK;
    }
    duckdb_result res = { 0 };
    TN_TRY(run_text(c, sql, &res, err));
    duckdb_destroy_result(&res);
    return TN_OK;
}

/* Runs what comes before the last statement; *ret_last is left to the caller. A handled last statement becomes one
 * without effect, so that every call has a result. */
static tn_rc run_to_last(tn_conn *c, tn_arena *a, tn_str sql, tn_str *ret_last, tn_err *err)
{
    tn_val list;
    TN_TRY(tn_sql_split(a, sql, &list, err));
    size_t n = list.list->n;
    for (size_t i = 0; i + 1 < n; i++) {
        TN_TRY(run_and_drop(c, tn_val_as_str(list.list->v[i]), err));
    }
    tn_str last = n > 0 ? tn_val_as_str(list.list->v[n - 1]) : TN_STR_NONE;
    bool handled = false;
    if (n > 0) {
        TN_TRY(tn_duck_intercept(c, last, &handled, err));
    }
    *ret_last = handled ? TN_STR("SELECT 1 WHERE false") : last;
    return TN_OK;
}

tn_rc tn_conn_query(tn_conn *c, tn_str sql, tn_result **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck query", NULL);
    duck_renew_due(c);
    if (duck_sql_may_install(sql)) {
        TN_TRY(run_to_last(c, a, sql, &sql, err));
    }
    duckdb_result res = { 0 };
    TN_TRY(run_text(c, sql, &res, err));
    return duck_result_new(c, &res, false, ret, err);
}

tn_rc tn_conn_exec(tn_conn *c, tn_str sql, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck exec", NULL);
    duck_renew_due(c);
    if (duck_sql_may_install(sql)) {
        TN_TRY(run_to_last(c, a, sql, &sql, err));
    }
    duckdb_result res = { 0 };
    TN_TRY(run_text(c, sql, &res, err));
    duckdb_destroy_result(&res);
    return TN_OK;
}

tn_rc tn_conn_begin(tn_conn *c, tn_err *err)
{
    return tn_conn_exec(c, TN_STR("BEGIN TRANSACTION"), err);
}

tn_rc tn_conn_commit(tn_conn *c, tn_err *err)
{
    return tn_conn_exec(c, TN_STR("COMMIT"), err);
}

tn_rc tn_conn_rollback(tn_conn *c, tn_err *err)
{
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_conn_exec(c, TN_STR("ROLLBACK"), &why);
    if (rc == TN_OK ||
        tn_str_find(tn_str_of(why.msg), TN_STR("no transaction is active"), 0) != SIZE_MAX) {
        return TN_OK;
    }
    return tn_err_pass(err, rc, &why);
}

/* ---- prepared statements ---- */

static tn_rc prepare_one(tn_conn *c, duckdb_extracted_statements all, uint64_t i,
    duckdb_prepared_statement *ret, tn_err *err)
{
    duckdb_prepared_statement p = NULL;
    if (duckdb_prepare_extracted_statement(c->con, all, i, &p) != DuckDBSuccess) {
        tn_rc rc = duck_fail(err, DUCKDB_ERROR_INVALID, p ? duckdb_prepare_error(p) : NULL);
        duckdb_destroy_prepare(&p);
        return rc;
    }
    *ret = p;
    return TN_OK;
}

static tn_rc execute_prepared(duckdb_prepared_statement p, duckdb_result *ret, tn_err *err)
{
    duckdb_result res = { 0 };
    if (duckdb_execute_prepared(p, &res) != DuckDBSuccess) {
        tn_rc rc = duck_fail(err, duckdb_result_error_type(&res), duckdb_result_error(&res));
        duckdb_destroy_result(&res);
        return rc;
    }
    *ret = res;
    return TN_OK;
}

static void duckdb_extracted_statements_cleanup(duckdb_extracted_statements *e)
{
    duckdb_destroy_extracted(e);
}

static tn_rc extract(
    tn_conn *c, tn_str sql, duckdb_extracted_statements *ret, uint64_t *ret_n, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck sql", NULL);
    char *z = NULL;
    TN_TRY(duck_sql_z(a, sql, &z, err));
    duckdb_extracted_statements all = NULL;
    uint64_t n = duckdb_extract_statements(c->con, z, &all);
    const char *why = n == 0 ? duckdb_extract_statements_error(all) : NULL;
    if (why != NULL) {
        tn_rc rc = duck_fail(err, DUCKDB_ERROR_PARSER, why);
        duckdb_destroy_extracted(&all);
        return rc;
    }
    *ret = all;
    *ret_n = n;
    return TN_OK;
}

static tn_rc start_stream(duckdb_prepared_statement p, duckdb_result *ret, tn_err *err)
{
    duckdb_pending_result pending = NULL;
    if (duckdb_pending_prepared_streaming(p, &pending) != DuckDBSuccess) {
        tn_rc rc = duck_fail(err, DUCKDB_ERROR_INVALID, duckdb_pending_error(pending));
        duckdb_destroy_pending(&pending);
        return rc;
    }
    duckdb_result res = { 0 };
    bool ok = duckdb_execute_pending(pending, &res) == DuckDBSuccess;
    duckdb_destroy_pending(&pending);
    if (!ok) {
        tn_rc rc = duck_fail(err, duckdb_result_error_type(&res), duckdb_result_error(&res));
        duckdb_destroy_result(&res);
        return rc;
    }
    *ret = res;
    return TN_OK;
}

enum { WAIT_MIN_US = 20, WAIT_MAX_US = 500 };

/* DuckDB's own loop asks for a task again and again while other threads have them all, and burns a core with it. */
static tn_rc finish_pending(duckdb_pending_result pending, tn_err *err)
{
    int64_t wait_us = WAIT_MIN_US;
    for (;;) {
        int64_t began = tn_clock_mono_us();
        duckdb_pending_state state = duckdb_pending_execute_task(pending);
        if (state == DUCKDB_PENDING_ERROR) {
            return duck_fail(err, DUCKDB_ERROR_INVALID, duckdb_pending_error(pending));
        }
        if (duckdb_pending_execution_is_finished(state)) {
            return TN_OK;
        }
        bool idle =
            state == DUCKDB_PENDING_NO_TASKS_AVAILABLE || tn_clock_mono_us() - began < WAIT_MIN_US;
        if (idle) {
            tn_clock_sleep_us(wait_us);
        }
        wait_us = !idle ? WAIT_MIN_US : (2 * wait_us < WAIT_MAX_US ? 2 * wait_us : WAIT_MAX_US);
    }
}

tn_rc tn_conn_work(tn_conn *c, tn_str sql, tn_result **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck work", NULL);
    duck_renew_due(c);
    char *z = NULL;
    TN_TRY(duck_sql_z(a, sql, &z, err));
    TN_AUTO(duckdb_prepared_statement) p = NULL;
    if (duckdb_prepare(c->con, z, &p) != DuckDBSuccess) {
        return duck_fail(err, DUCKDB_ERROR_INVALID, duckdb_prepare_error(p));
    }
    duckdb_pending_result pending = NULL;
    duckdb_result res = { 0 };
    tn_rc rc = TN_OK;
    if (duckdb_pending_prepared(p, &pending) != DuckDBSuccess) {
        rc = duck_fail(err, DUCKDB_ERROR_INVALID, duckdb_pending_error(pending));
    }
    rc = rc == TN_OK ? finish_pending(pending, err) : rc;
    if (rc == TN_OK && duckdb_execute_pending(pending, &res) != DuckDBSuccess) {
        rc = duck_fail(err, duckdb_result_error_type(&res), duckdb_result_error(&res));
        duckdb_destroy_result(&res);
    }
    duckdb_destroy_pending(&pending);
    TN_TRY(rc);
    return duck_result_new(c, &res, false, ret, err);
}

tn_rc tn_conn_stream(tn_conn *c, tn_str sql, tn_result **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck stream", NULL);
    duck_renew_due(c);
    if (duck_sql_may_install(sql)) {
        TN_TRY(run_to_last(c, a, sql, &sql, err));
    }
    TN_AUTO(duckdb_extracted_statements) all = NULL;
    uint64_t n = 0;
    TN_TRY(extract(c, sql, &all, &n, err));
    for (uint64_t i = 0; i + 1 < n; i++) {
        TN_AUTO(duckdb_prepared_statement) p = NULL;
        TN_AUTO(duckdb_result) dropped = { 0 };
        TN_TRY(prepare_one(c, all, i, &p, err));
        TN_TRY(execute_prepared(p, &dropped, err));
    }
    if (n == 0) {
        return tn_conn_query(c, TN_STR("SELECT 1 WHERE false"), ret, err);
    }
    TN_AUTO(duckdb_prepared_statement) last = NULL;
    TN_TRY(prepare_one(c, all, n - 1, &last, err));
    duckdb_result res = { 0 };
    if (n == 1 && duckdb_prepared_statement_type(last) != DUCKDB_STATEMENT_TYPE_SELECT) {
        return tn_conn_query(c, sql, ret, err);
    }
    TN_TRY(start_stream(last, &res, err));
    return duck_result_new(c, &res, duckdb_result_is_streaming(res), ret, err);
}

static tn_rc bind_all(
    tn_arena *a, duckdb_prepared_statement p, const tn_val *params, size_t n, tn_err *err)
{
    uint64_t wanted = duckdb_nparams(p);
    if (wanted != n) {
        return tn_fail(err, TN_E_USAGE, "the statement has %llu parameters, %zu values are given",
            (unsigned long long)wanted, n);
    }
    for (size_t i = 0; i < n; i++) {
        TN_AUTO(duckdb_value) v = duck_value_of(a, params[i], err);
        if (v == NULL) {
            return tn_while(err, TN_E_TYPE, "parameter %zu", i + 1);
        }
        if (duckdb_bind_value(p, i + 1, v) != DuckDBSuccess) {
            return tn_fail(err, TN_E_SQL, "DuckDB takes no %s as parameter %zu",
                tn_val_type_name(params[i]), i + 1);
        }
    }
    return TN_OK;
}

tn_rc tn_conn_query_params(
    tn_conn *c, tn_str sql, const tn_val *params, size_t n, tn_result **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck params", NULL);
    duck_renew_due(c);
    char *z = NULL;
    TN_TRY(duck_sql_z(a, sql, &z, err));
    TN_AUTO(duckdb_prepared_statement) p = NULL;
    if (duckdb_prepare(c->con, z, &p) != DuckDBSuccess) {
        return duck_fail(err, DUCKDB_ERROR_INVALID, duckdb_prepare_error(p));
    }
    TN_TRY(bind_all(a, p, params, n, err));
    duckdb_result res = { 0 };
    TN_TRY(execute_prepared(p, &res, err));
    return duck_result_new(c, &res, false, ret, err);
}

/* ---- whole answers ---- */

tn_rc tn_conn_scalar(tn_conn *c, tn_arena *a, tn_str sql, tn_val *ret, tn_err *err)
{
    TN_AUTOPTR(tn_result) r = NULL;
    TN_TRY(tn_conn_query(c, sql, &r, err));
    size_t n;
    TN_TRY(tn_result_next(r, &n, err));
    *ret = n > 0 && tn_result_cols(r) > 0 ? tn_result_cell(r, a, 0, 0) : TN_VAL_UNDEF;
    return TN_OK;
}

static tn_val names_of(const tn_result *r, tn_arena *a)
{
    tn_val names = tn_val_list(a);
    for (size_t i = 0; i < tn_result_cols(r); i++) {
        tn_list_push(names.list, tn_val_str_dup(a, tn_result_name(r, i)));
    }
    return names;
}

static void add_rows(const tn_result *r, tn_arena *a, size_t n, tn_val rows)
{
    size_t cols = tn_result_cols(r);
    TN_AUTO_ARENA scratch = tn_arena_new("duck row", NULL);
    tn_val *row = tn_new_array(scratch, tn_val, cols + 1);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < cols; k++) {
            row[k] = tn_result_cell(r, a, k, i);
        }
        tn_list_push(rows.list, tn_val_tuple(a, row, cols));
    }
}

tn_rc tn_conn_rows(tn_conn *c, tn_arena *a, tn_str sql, size_t rows_max, tn_val *ret_rows,
    tn_val *ret_names, tn_err *err)
{
    TN_AUTOPTR(tn_result) r = NULL;
    TN_TRY(tn_conn_query(c, sql, &r, err));
    tn_val rows = tn_val_list(a);
    size_t n;
    for (;;) {
        TN_TRY(tn_result_next(r, &n, err));
        if (n == 0) {
            break;
        }
        if (rows.list->n + n > rows_max) {
            return tn_fail(err, TN_E_LIMIT, "the query gives more than %zu rows", rows_max);
        }
        add_rows(r, a, n, rows);
    }
    if (ret_names != NULL) {
        *ret_names = names_of(r, a);
    }
    *ret_rows = rows;
    return TN_OK;
}

static tn_rc describe_by_sql(tn_conn *c, tn_arena *a, tn_str sql, tn_val *ret, tn_err *err)
{
    tn_val rows;
    TN_TRY(
        tn_conn_rows(c, a, tn_str_concat(a, TN_STR("DESCRIBE "), sql), SIZE_MAX, &rows, NULL, err));
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < rows.list->n; i++) {
        tn_list_push(list.list, tn_val_tuple(a, rows.list->v[i].list->v, 2));
    }
    *ret = list;
    return TN_OK;
}

tn_rc tn_conn_describe(tn_conn *c, tn_arena *a, tn_str sql, tn_val *ret, tn_err *err)
{
    TN_AUTO(duckdb_extracted_statements) all = NULL;
    uint64_t n = 0;
    TN_TRY(extract(c, sql, &all, &n, err));
    if (n != 1) {
        return describe_by_sql(
            c, a, sql, ret, err); /* DuckDB makes several statements of one PIVOT */
    }
    TN_AUTO(duckdb_prepared_statement) p = NULL;
    TN_TRY(prepare_one(c, all, 0, &p, err));
    tn_val list = tn_val_list(a);
    uint64_t cols = duckdb_prepared_statement_column_count(p);
    for (uint64_t i = 0; i < cols; i++) {
        TN_AUTO(duckdb_logical_type) type = duckdb_prepared_statement_column_logical_type(p, i);
        const char *name = duckdb_prepared_statement_column_name(p, i);
        tn_val pair[2] = { tn_val_str_dup(a, tn_str_of(name)),
            tn_val_str(duck_type_text(a, type)) };
        duckdb_free((void *)(uintptr_t)name);
        tn_list_push(list.list, tn_val_tuple(a, pair, 2));
    }
    *ret = list;
    return TN_OK;
}
