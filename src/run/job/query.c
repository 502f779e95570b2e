/* query.c: one statement of a job, asked again as `retries:` of the profile says. An error may end DuckDB's transaction: one that has only read so far
 * is begun again, and of another the first error is what the user is told. */
#include <string.h>

#include "os/proc.h"
#include "run/job/job.h"
#include "run/value/sql_retry.h"

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
