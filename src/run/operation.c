/* operation.c: run-operation: one macro with arguments, and the artifacts that dbt leaves of it. */
#include "base/nearest.h"
#include "os/clock.h"
#include "run/report_parts.h"

static tn_rc call(tn_runner *run, tn_macro *m, tn_val args, tn_err *err)
{
    tn_arena *arena = run->arena;
    tn_job j;
    TN_TRY(tn_session_open(run->project, arena, run->events, TN_STR_NONE, &run->session, err));
    TN_TRY(tn_runner_open_workers(run, err));
    TN_TRY(tn_job_init(&j, run->session, &run->workers[0], NULL, tn_val_list(arena), arena, err));
    const tn_package *own = tn_project_package(run->project, m->package_name);
    if (own != NULL && !own->builtin) { /* bare names in it are its package's first */
        j.pctx.package = m->package_name;
    }
    size_t n = 0, at = 0;
    const tn_dict_item *it;
    tn_kwarg *kw = tn_new_array(arena, tn_kwarg, args.tag == TN_DICT ? args.dict->live + 1 : 1);
    while (args.tag == TN_DICT && (it = tn_dict_next(args.dict, &at)) != NULL) {
        kw[n++] = (tn_kwarg){ tn_val_as_str(it->key), it->value };
    }
    tn_val ignored;
    tn_rc rc = tn_pctx_call_macro(&j.pctx, m, NULL, 0, kw, n, &ignored, err);
    rc = rc == TN_OK ? tn_job_commit(&j, err) : rc;
    tn_job_rollback(&j);
    return rc;
}

static tn_rc write_result(tn_runner *run, tn_str unique_id, tn_rc outcome, tn_err *err)
{
    tn_arena *a = run->arena;
    int64_t now = tn_clock_now_us();
    double seconds = (double)(now - run->started_us) / 1e6;
    tn_val results = tn_val_list(a), r = tn_val_dict(a), timing = tn_val_list(a);
    tn_list_push(timing.list, tn_report_timing(a, "compile", run->started_us, run->started_us));
    tn_list_push(timing.list, tn_report_timing(a, "execute", run->started_us, now));
    tn_dict_putz(r.dict, "status", tn_val_z(outcome == TN_OK ? "success" : "error"));
    tn_dict_putz(r.dict, "timing", timing);
    tn_dict_putz(r.dict, "thread_id", tn_val_z("MainThread"));
    tn_dict_putz(r.dict, "execution_time", tn_val_float(seconds));
    tn_dict_putz(r.dict, "adapter_response", tn_val_dict(a));
    tn_dict_putz(r.dict, "message", TN_VAL_NONE);
    tn_dict_putz(r.dict, "failures", tn_val_int(outcome == TN_OK ? 0 : 1));
    tn_dict_putz(r.dict, "unique_id", tn_val_str(unique_id));
    static const char *const none[] = { "compiled", "compiled_code", "relation_name",
        "batch_results", "overload_results" };
    for (size_t i = 0; i < TN_COUNTOF(none); i++) {
        tn_dict_putz(r.dict, none[i], TN_VAL_NONE);
    }
    tn_list_push(results.list, r);
    return tn_report_write_results(run, a, results, "RunResultsArtifact", err);
}

tn_rc tn_run_operation_sql(tn_project *p, tn_arena *a, tn_events *events, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("operation", a);
    tn_runner run = { .arena = arena, .project = p, .events = events };
    tn_val response, table;
    tn_job j;
    tn_event(events, TN_EV_INFO, "Note", "Z050", TN_VAL_UNDEF,
        "1 of 1 START executing inline_query ............................................ [RUN]");
    int64_t from = tn_clock_now_us();
    TN_TRY(tn_session_open(p, arena, events, TN_STR_NONE, &run.session, err));
    TN_TRY(tn_runner_open_workers(&run, err));
    TN_TRY(tn_job_init(
        &j, run.session, &run.workers[0], p->inline_query, tn_val_list(arena), arena, err));
    TN_TRY(tn_job_compile(&j, NULL, err));
    tn_exec_opts opts = { .auto_begin = true };
    tn_rc rc = tn_job_execute(&j, j.sql, &opts, &response, &table, err);
    rc = rc == TN_OK ? tn_job_commit(&j, err) : rc;
    tn_job_rollback(&j);
    double took = (double)(tn_clock_now_us() - from) / 1e6;
    tn_event(events, rc == TN_OK ? TN_EV_INFO : TN_EV_ERROR, "Note", "Z050", TN_VAL_UNDEF,
        "1 of 1 %s executing inline_query %s [%s in %.2fs]", rc == TN_OK ? "OK" : "ERROR",
        rc == TN_OK ? "..............................................."
                    : "............................................",
        rc == TN_OK ? "OK" : "ERROR", took);
    return rc;
}

tn_rc tn_run_operation(tn_project *p, tn_arena *a, const tn_run_opts *opts, tn_str macro,
    tn_val args, tn_events *events, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("operation", a);
    tn_runner run = { .arena = arena,
        .project = p,
        .opts = opts,
        .events = events,
        .lock = TN_MUTEX_INIT,
        .started_us = tn_clock_now_us() };
    tn_str package = p->name, name = macro, head, tail;
    if (opts->write_json) {
        TN_TRY(tn_run_write_manifest(p, events, err));
    }
    tn_report_found(&run);
    if (tn_str_cut(macro, '.', &head, &tail)) {
        package = head;
        name = tail;
    }
    tn_macro *m = tn_project_find_macro(p, package, name);
    if (m == NULL) {
        tn_rc missing = tn_fail(err, TN_E_USAGE,
            "dbt could not find a macro with the name '" TN_STR_FMT "' in any package",
            TN_STR_ARG(macro));
        return tn_nearest_hint(err, missing, tn_project_nearest_macro(p, name));
    }
    tn_rc rc = call(&run, m, args, err);
    if (opts->write_json) {
        tn_rc written = write_result(&run, m->unique_id, rc, rc == TN_OK ? err : NULL);
        rc = rc == TN_OK ? written : rc;
    }
    return rc;
}
