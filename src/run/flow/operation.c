/* operation.c: run-operation: one macro with arguments, and the artifacts that dbt leaves of it. */
#include "base/nearest.h"
#include "os/clock.h"
#include "run/error_text.h"
#include "run/report/report_parts.h"

static tn_runner runner_of(tn_arena *a, tn_project *p, const tn_run_opts *opts, tn_events *events)
{
    return (tn_runner){ .arena = a,
        .project = p,
        .opts = opts,
        .events = events,
        .lock = TN_MUTEX_INIT,
        .started_us = tn_clock_now_us() };
}

static tn_rc begin_job(tn_runner *run, tn_node *node, tn_job *ret, tn_err *err)
{
    tn_arena *a = run->arena;
    TN_TRY(tn_session_open(run->project, a, run->events, TN_STR_NONE, &run->session, err));
    TN_TRY(tn_runner_open_workers(run, err));
    return tn_job_init(ret, run->session, &run->workers[0], node, tn_val_list(a), a, err);
}

static tn_rc call(tn_runner *run, tn_macro *m, tn_val args, tn_err *err)
{
    tn_job j;
    TN_TRY(begin_job(run, NULL, &j, err));
    const tn_package *own = tn_project_package(run->project, m->package_name);
    if (own != NULL && !own->builtin) { /* bare names in it are its package's first */
        j.pctx.package = m->package_name;
    }
    size_t n = 0, at = 0;
    const tn_dict_item *it;
    tn_kwarg *kw =
        tn_new_array(run->arena, tn_kwarg, args.tag == TN_DICT ? args.dict->live + 1 : 1);
    while (args.tag == TN_DICT && (it = tn_dict_next(args.dict, &at)) != NULL) {
        kw[n++] = (tn_kwarg){ tn_val_as_str(it->key), it->value };
    }
    tn_val ignored;
    return tn_job_end(&j, tn_pctx_call_macro(&j.pctx, m, NULL, 0, kw, n, &ignored, err), err);
}

typedef struct outcome {
    tn_rc rc;
    int64_t compiled_us; /* when what it says was ready to be executed */
    int64_t ended_us;
    tn_val response; /* the adapter's; undefined: none */
    tn_str message;  /* of what failed */
} outcome;

static tn_rc write_result(tn_runner *run, tn_str unique_id, const outcome *o, tn_err *err)
{
    tn_arena *a = run->arena;
    double seconds = (double)(o->ended_us - run->started_us) / 1e6;
    tn_val results = tn_val_list(a), r = tn_val_dict(a), timing = tn_val_list(a);
    tn_list_push(timing.list, tn_report_timing(a, "compile", run->started_us, o->compiled_us));
    tn_list_push(timing.list, tn_report_timing(a, "execute", o->compiled_us, o->ended_us));
    tn_dict_putz(r.dict, "status", tn_val_z(o->rc == TN_OK ? "success" : "error"));
    tn_dict_putz(r.dict, "timing", timing);
    tn_dict_putz(r.dict, "thread_id", tn_val_z("MainThread"));
    tn_dict_putz(r.dict, "execution_time", tn_val_float(seconds));
    tn_dict_putz(r.dict, "adapter_response",
        o->response.tag == TN_DICT ? tn_report_response(a, o->response) : tn_val_dict(a));
    tn_dict_putz(r.dict, "message", o->rc == TN_OK ? TN_VAL_NONE : tn_val_str(o->message));
    tn_dict_putz(r.dict, "failures", tn_val_int(o->rc == TN_OK ? 0 : 1));
    tn_dict_putz(r.dict, "unique_id", tn_val_str(unique_id));
    static const char *const none[] = { "compiled", "compiled_code", "relation_name",
        "batch_results", "overload_results" };
    for (size_t i = 0; i < TN_COUNTOF(none); i++) {
        tn_dict_putz(r.dict, none[i], TN_VAL_NONE);
    }
    tn_list_push(results.list, r);
    return tn_report_write_results(run, a, results, "RunResultsArtifact", err);
}

static void tell_caught(tn_runner *run, tn_str exc)
{
    tn_val data = tn_val_dict(run->arena);
    tn_dict_putz(data.dict, "exc", tn_val_str(exc));
    tn_event(run->events, TN_EV_ERROR, "RunningOperationCaughtError", "Q001", data,
        "[ERROR]: Encountered an error while running operation: " TN_STR_FMT, TN_STR_ARG(exc));
}

static void note_failure(tn_runner *run, outcome *o, const tn_err *err)
{
    if (o->rc != TN_OK) {
        o->message = tn_dbt_exception(run->arena, err);
        o->response = TN_VAL_UNDEF;
        tell_caught(run, o->message);
    }
}

/* The artifact of what has happened; what has failed goes on being what is told. */
static tn_rc keep_result(tn_runner *run, tn_str unique_id, outcome *o, tn_err *err)
{
    o->ended_us = tn_clock_now_us();
    if (!run->opts->write_json) {
        return o->rc;
    }
    tn_rc written = write_result(run, unique_id, o, o->rc == TN_OK ? err : NULL);
    return o->rc == TN_OK ? written : o->rc;
}

static tn_rc execute_sql(tn_runner *run, outcome *o, tn_err *err)
{
    tn_val table;
    tn_job j;
    TN_TRY(begin_job(run, run->project->inline_query, &j, err));
    TN_TRY(tn_job_compile(&j, NULL, err));
    tn_event(run->events, TN_EV_INFO, "Note", "Z050", TN_VAL_UNDEF, TN_STR_FMT,
        TN_STR_ARG(tn_report_line(
            run, run->arena, 1, 1, TN_STR("START executing inline_query"), TN_STR("RUN"))));
    o->compiled_us = tn_clock_now_us();
    tn_exec_opts opts = { .auto_begin = true };
    return tn_job_end(&j, tn_job_execute(&j, j.sql, &opts, &o->response, &table, err), err);
}

tn_rc tn_run_operation_sql(
    tn_project *p, tn_arena *a, const tn_run_opts *opts, tn_events *events, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("operation", a);
    tn_runner run = runner_of(arena, p, opts, events);
    outcome o = { .compiled_us = run.started_us, .response = TN_VAL_UNDEF };
    o.rc = execute_sql(&run, &o, err);
    bool ok = o.rc == TN_OK;
    note_failure(&run, &o, err);
    double took = (double)(tn_clock_now_us() - run.started_us) / 1e6;
    tn_str said = ok ? tn_val_str_at(o.response, "_message", TN_STR("OK")) : TN_STR("ERROR");
    tn_str status = tn_str_printf(arena, TN_STR_FMT " in %.2fs", TN_STR_ARG(said), took);
    tn_event(events, ok ? TN_EV_INFO : TN_EV_ERROR, "Note", "Z050", TN_VAL_UNDEF, TN_STR_FMT,
        TN_STR_ARG(tn_report_line(&run, arena, 1, 1,
            ok ? TN_STR("OK executed inline_query") : TN_STR("ERROR executing inline_query"),
            status)));
    return keep_result(&run, p->inline_query->unique_id, &o, err);
}

/* A name without a package is looked for in all of them: the project's own, then those it uses, then what every project has. */
static tn_macro *find_operation(const tn_project *p, tn_str asked)
{
    tn_str package, name;
    if (tn_str_cut(asked, '.', &package, &name)) {
        return tn_project_find_macro_in(p, package, name);
    }
    tn_macro *m = tn_project_find_macro_in(p, p->name, asked);
    for (size_t i = 0; m == NULL && i < p->packages.n; i++) {
        m = p->packages.v[i]->builtin ? NULL
                                      : tn_project_find_macro_in(p, p->packages.v[i]->name, asked);
    }
    return m != NULL ? m : tn_project_find_macro(p, p->name, asked);
}

tn_rc tn_run_operation(tn_project *p, tn_arena *a, const tn_run_opts *opts, tn_str macro,
    tn_val args, tn_events *events, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("operation", a);
    tn_runner run = runner_of(arena, p, opts, events);
    if (opts->write_json) {
        TN_TRY(tn_run_write_manifest(p, events, err));
    }
    tn_report_found(&run);
    tn_macro *m = find_operation(p, macro);
    if (m == NULL) {
        tn_str package, name;
        name = tn_str_cut(macro, '.', &package, &name) ? name : macro;
        tn_rc missing = tn_fail(err, TN_E_USAGE,
            "dbt could not find a macro with the name '" TN_STR_FMT "' in any package",
            TN_STR_ARG(macro));
        tell_caught(&run, tn_dbt_exception(arena, err));
        return tn_nearest_hint(err, missing, tn_project_nearest_macro(p, name));
    }
    outcome o = { .compiled_us = tn_clock_now_us(), .response = TN_VAL_UNDEF };
    o.rc = call(&run, m, args, err);
    note_failure(&run, &o, err);
    return keep_result(&run, m->unique_id, &o, err);
}
