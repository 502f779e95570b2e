/* statement.c: statements of a job, its transaction, and what is said of both. A statement is asked again as `retries:` of the profile says. An error may
 * end DuckDB's transaction: one that has only read so far is begun again, and of another the first error is what the user is told. */
#include <string.h>

#include "os/proc.h"
#include "run/job/job_impl.h"
#include "run/value/node_result.h"
#include "run/value/sql_retry.h"
#include "text/sqltext.h"

static bool begin_again(tn_job *j)
{
    tn_conn *c = j->worker->conn;
    return !j->worker->in_transaction || j->worker->wrote ||
           (tn_conn_exec(c, TN_STR("ROLLBACK"), NULL) == TN_OK &&
               tn_conn_exec(c, TN_STR("BEGIN"), NULL) == TN_OK);
}

tn_rc tn_job_query(tn_job *j, tn_str sql, const tn_exec_opts *opts, tn_result **ret, tn_err *err)
{
    tn_conn *c = j->worker->conn;
    tn_val retries = tn_val_at(tn_profile_credentials(&j->session->project->profile), "retries");
    int64_t attempts = tn_retry_attempts(retries, "query_attempts");
    tn_err first = TN_ERR_INIT;
    for (int64_t i = 1;; i++) {
        tn_err own = TN_ERR_INIT;
        tn_rc rc = opts->binding_count > 0 ? tn_conn_query_params(c, sql, opts->bindings,
                                                 opts->binding_count, ret, &own)
                                           : tn_conn_query(c, sql, ret, &own);
        bool ended = strstr(own.msg, "Current transaction is aborted") != NULL;
        if (rc == TN_OK || i >= attempts || tn_interrupted() ||
            !tn_retry_wanted(retries, own.msg) || !begin_again(j)) {
            if (rc != TN_OK && err != NULL) {
                *err = ended && i > 1 ? first : own;
            }
            return rc;
        }
        first = i == 1 ? own : first;
        tn_retry_pause(i);
    }
}

static bool first_word_is(tn_str sql, const char *word)
{
    tn_str s = tn_sql_skip_blank(sql);
    size_t n = strlen(word);
    return s.n >= n && tn_str_eq_nocase(tn_str_sub(s, 0, n), tn_str_of(word)) &&
           (s.n == n || !((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
                            s.p[n] == '_'));
}

/* The last of several statements in one text counts: "create ...; commit;". */
static tn_str last_statement(tn_str sql)
{
    sql = tn_str_trim(sql);
    while (sql.n > 0 && sql.p[sql.n - 1] == ';') {
        sql = tn_str_trim(tn_str_sub(sql, 0, sql.n - 1));
    }
    for (size_t i = sql.n; i > 0; i--) {
        if (sql.p[i - 1] == ';') {
            return tn_str_sub(sql, i, sql.n);
        }
    }
    return sql;
}

static void follow_transaction(tn_worker *w, tn_str sql)
{
    sql = last_statement(sql);
    if (first_word_is(sql, "begin") || first_word_is(sql, "start")) {
        w->in_transaction = true;
    } else if (first_word_is(sql, "commit") || first_word_is(sql, "rollback") ||
               first_word_is(sql, "end")) {
        w->in_transaction = false;
    }
}

static tn_rc begin(tn_job *j, tn_err *err)
{
    if (j->worker->in_transaction || j->session->disable_transactions) {
        return TN_OK;
    }
    TN_TRY(tn_conn_exec(j->worker->conn, TN_STR("BEGIN"), err));
    j->worker->in_transaction = true;
    j->worker->wrote = false;
    return TN_OK;
}

static tn_val response_of(tn_arena *a, tn_result *r, bool rows)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "_message", tn_val_z("OK"));
    tn_dict_putz(d.dict, "rows_affected",
        r != NULL && !rows ? tn_val_int(tn_result_changed(r)) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "code", TN_VAL_NONE);
    return d;
}

tn_val tn_job_empty_table(tn_arena *a)
{
    return tn_table_new(a, tn_val_list(a), tn_val_list(a));
}

/* A hook may end or begin a transaction by itself; a second COMMIT is no error for dbt's users. */
static bool is_idle_commit(const tn_job *j, tn_str sql)
{
    return !j->worker->in_transaction &&
           (first_word_is(sql, "commit") || first_word_is(sql, "rollback"));
}

/* What a template does is told with its node. */
void tn_job_put_node_info(const tn_job *j, tn_arena *a, tn_val data)
{
    if (j->node != NULL) {
        const tn_node_result r = { .node = j->node };
        bool hook = j->node->kind == TN_NODE_OPERATION;
        tn_dict_putz(data.dict, "node_info", tn_report_node_info(a, &r, hook ? NULL : "compiling"));
    }
}

static void tell_sql(tn_job *j, tn_str sql)
{
    tn_str name = j->node != NULL ? j->node->unique_id : TN_STR("master");
    if (!tn_events_wants(j->session->events, TN_EV_DEBUG)) {
        return;
    }
    TN_AUTO_ARENA a = tn_arena_new("sql event", NULL);
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "conn_name", tn_val_str(name));
    tn_dict_putz(data.dict, "sql", tn_val_str(sql));
    tn_job_put_node_info(j, a, data);
    tn_event(j->session->events, TN_EV_DEBUG, "SQLQuery", "E016", data,
        "On " TN_STR_FMT ": " TN_STR_FMT, TN_STR_ARG(name), TN_STR_ARG(sql));
}

tn_rc tn_job_execute(tn_job *j, tn_str sql, const tn_exec_opts *opts, tn_val *ret_response,
    tn_val *ret_table, tn_err *err)
{
    tn_conn *c = j->worker->conn;
    bool handled = false;
    tn_str text = tn_str_trim(sql);
    *ret_response = response_of(j->arena, NULL, false);
    *ret_table = tn_job_empty_table(j->arena);
    TN_GRAPH_PAUSED(j->session->project);
    if (text.n == 0 || is_idle_commit(j, text)) {
        return TN_OK;
    }
    if (j->session->closed) {
        tn_rc rc = tn_fail(err, TN_E_SQL, "connection never acquired for thread");
        return tn_hint(err, rc, "with --no-introspect templates cannot ask the database");
    }
    if (first_word_is(text, "install") || first_word_is(text, "load")) {
        TN_TRY(tn_duck_intercept(c, text, &handled, err));
        if (handled) {
            return TN_OK;
        }
    }
    TN_TRY(tn_job_read_sql(j, text, &text, err));
    if (opts->auto_begin) {
        TN_TRY(begin(j, err));
    }
    TN_TRY(tn_job_comment(j, text, &text, err));
    tell_sql(j, text);
    TN_AUTOPTR(tn_result) r = NULL;
    TN_TRY(tn_job_query(j, text, opts, &r, err));
    follow_transaction(j->worker, sql);
    bool rows = r != NULL && tn_result_is_rows(r);
    j->worker->wrote = j->worker->wrote || !rows;
    if (opts->fetch && rows) {
        TN_TRY(tn_table_fetch(r, j->arena, ret_table, err));
    }
    *ret_response = response_of(j->arena, r, rows);
    return TN_OK;
}

tn_rc tn_job_commit(tn_job *j, tn_err *err)
{
    if (!j->worker->in_transaction) {
        return TN_OK;
    }
    j->worker->in_transaction = false;
    return tn_conn_exec(j->worker->conn, TN_STR("COMMIT"), err);
}

void tn_job_rollback(tn_job *j)
{
    if (j->worker->in_transaction) {
        (void)!tn_conn_exec(j->worker->conn, TN_STR("ROLLBACK"), NULL);
        j->worker->in_transaction = false;
    }
}

tn_rc tn_job_end(tn_job *j, tn_rc rc, tn_err *err)
{
    rc = rc == TN_OK ? tn_job_commit(j, err) : rc;
    tn_job_rollback(j);
    return rc;
}
