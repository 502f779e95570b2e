/* sql_retry.c: `retries:` of the profile, as dbt-duckdb has it: how often a statement is asked again, and after which of DuckDB's errors. They are
 * named as Python's DuckDB names its exceptions; the pauses double from a second on. An error may end DuckDB's transaction: one that has only read
 * so far is begun again, and of another the first error is what the user is told. */
#include <string.h>

#include "os/clock.h"
#include "os/proc.h"
#include "run/job.h"

enum { ATTEMPTS_MAX = 10, SECOND_US = 1000000 };

/* "IO Error: ..." of a message is IOException. */
static tn_str exception_of(tn_arena *a, tn_str msg)
{
    static const char *const others[][2] = { { "TransactionContext", "TransactionException" },
        { "Mismatch Type", "TypeMismatchException" }, { "FATAL", "FatalException" },
        { "INTERRUPT", "InterruptException" }, { "Not implemented", "NotImplementedException" },
        { "Out of Memory", "OutOfMemoryException" } };
    size_t end = tn_str_find(msg, TN_STR(" Error: "), 0);
    tn_str kind = tn_str_sub(msg, 0, end == SIZE_MAX ? 0 : end);
    for (size_t i = 0; i < TN_COUNTOF(others); i++) {
        if (tn_str_is(kind, others[i][0])) {
            return tn_str_of(others[i][1]);
        }
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < kind.n; i++) {
        if (kind.p[i] != ' ') {
            tn_buf_add(&b, tn_str_sub(kind, i, i + 1));
        }
    }
    tn_buf_addz(&b, "Exception");
    return tn_buf_str(&b);
}

bool tn_retry_wanted(tn_val retries, const char *message)
{
    TN_AUTO_ARENA a = tn_arena_new("retry", NULL);
    tn_val list = tn_val_at(retries, "retryable_exceptions");
    tn_str name = exception_of(a, tn_str_of(message));
    bool wanted = list.tag != TN_LIST && tn_str_is(name, "IOException");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        wanted = wanted || tn_str_eq(tn_val_as_str(list.list->v[i]), name);
    }
    return wanted;
}

int64_t tn_retry_attempts(tn_val retries, const char *key)
{
    tn_val v = tn_val_at(retries, key);
    return v.tag != TN_INT || v.i < 1 ? 1 : v.i < ATTEMPTS_MAX ? v.i : ATTEMPTS_MAX;
}

void tn_retry_pause(int64_t attempt)
{
    tn_clock_sleep_us((int64_t)SECOND_US << (attempt - 1));
}

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
