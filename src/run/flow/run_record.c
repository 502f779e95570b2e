/* run_record.c: what a run of a lake leaves behind in it, whatever came of it: `tarn lake runs` reads it. */
#include "base/log.h"
#include "lake/lake_lease.h"
#include "lake/lake_runs.h"
#include "os/clock.h"
#include "os/proc.h"
#include "run/report/runner.h"

enum { MESSAGE_BYTES_MAX = 500 };

static tn_val node_record(tn_arena *a, const tn_node_result *r)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "node", tn_val_str(r->node->unique_id));
    tn_dict_putz(d.dict, "status",
        tn_val_z(r->status == TN_ST_NONE ? "skipped" : tn_status_name(r->status)));
    if (r->started_us > 0 && r->finished_us >= r->started_us) {
        tn_dict_putz(d.dict, "ms", tn_val_int((r->finished_us - r->started_us) / 1000));
    }
    static const char *const counts[][2] = { { "rows_affected", "rows" }, { "bytes", "bytes" } };
    for (size_t i = 0; i < TN_COUNTOF(counts) && r->adapter_response.tag == TN_DICT; i++) {
        tn_val v = tn_val_at(r->adapter_response, counts[i][0]);
        if (v.tag == TN_INT) {
            tn_dict_putz(d.dict, counts[i][1], v);
        }
    }
    if (r->failures > 0) {
        tn_dict_putz(d.dict, "failures", tn_val_int(r->failures));
    }
    bool bad = r->status == TN_ST_ERROR || r->status == TN_ST_FAIL || r->status == TN_ST_WARN ||
               r->status == TN_ST_PARTIAL;
    if (bad && r->message.n > 0) {
        tn_str text = tn_str_sub(r->message, 0, tn_min_size(r->message.n, MESSAGE_BYTES_MAX));
        tn_dict_putz(d.dict, "message", tn_val_str(tn_log_scrub(a, text)));
    }
    return d;
}

static const char *outcome(const tn_runner *run, const tn_run_report *report, tn_rc rc)
{
    return run->interrupted   ? "interrupted"
           : rc != TN_OK      ? "not published"
           : report->failed   ? "failed"
           : report->warn > 0 ? "warned"
                              : "passed";
}

static tn_val record(tn_runner *run, const tn_run_report *report, tn_rc rc, const tn_err *why)
{
    tn_arena *a = run->arena;
    tn_val d = tn_val_dict(a), counts = tn_val_dict(a), nodes = tn_val_list(a);
    tn_dict_putz(d.dict, "format", tn_val_int(1));
    tn_dict_putz(d.dict, "run_id", tn_val_str(run->project->invocation_id));
    tn_dict_putz(d.dict, "command", tn_val_at(tn_project_flags(run->project), "WHICH"));
    tn_dict_putz(d.dict, "project", tn_val_str(run->project->name));
    tn_dict_putz(d.dict, "env", tn_val_str(tn_lake_target_env(run->session->lake)));
    tn_dict_putz(d.dict, "target", tn_val_str(run->project->profile.target_name));
    tn_dict_putz(d.dict, "host", tn_val_str(tn_host_name(a)));
    tn_dict_putz(d.dict, "pid", tn_val_int(tn_pid()));
    tn_dict_putz(d.dict, "started", tn_val_int(run->started_us / 1000));
    tn_dict_putz(d.dict, "finished", tn_val_int(tn_clock_now_ms()));
    tn_dict_putz(d.dict, "outcome", tn_val_z(outcome(run, report, rc)));
    if (rc != TN_OK && why != NULL) {
        tn_dict_putz(d.dict, "error", tn_val_str(tn_log_scrub(a, tn_str_of(why->msg))));
    }
    tn_dict_putz(d.dict, "lake_commit",
        report->lake_commit >= 0 ? tn_val_int(report->lake_commit) : TN_VAL_NONE);
    if (run->ticket != NULL) {
        tn_dict_putz(d.dict, "ticket", tn_val_int(tn_lake_ticket_number(run->ticket)));
    }
    tn_dict_putz(counts.dict, "pass", tn_val_int(report->pass));
    tn_dict_putz(counts.dict, "warn", tn_val_int(report->warn));
    tn_dict_putz(counts.dict, "error", tn_val_int(report->error));
    tn_dict_putz(counts.dict, "skip", tn_val_int(report->skip));
    tn_dict_putz(d.dict, "counts", counts);
    for (size_t i = 0; i < run->plan.n; i++) {
        tn_list_push(nodes.list, node_record(a, &run->results[i]));
    }
    tn_dict_putz(d.dict, "nodes", nodes);
    return d;
}

void tn_runner_record(tn_runner *run, const tn_run_report *report, tn_rc rc, const tn_err *why)
{
    tn_err err = TN_ERR_INIT;
    if (!run->session->is_lake ||
        (!tn_runner_changes_tables(run) && run->opts->verb != TN_VERB_TEST)) {
        return;
    }
    if (tn_lake_run_write(tn_lake_target_lake(run->session->lake), run->started_us / 1000,
            run->project->invocation_id, record(run, report, rc, why), &err) != TN_OK) {
        tn_event(run->events, TN_EV_WARN, "RunNotRecorded", "T009", TN_VAL_UNDEF,
            "the run's record was not written: %s", err.msg);
    }
}
