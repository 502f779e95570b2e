/* run_results.c: the result of a node as templates, events and run_results.json have it, and the artifacts of a run. */
#include "base/log.h"
#include "os/clock.h"
#include "project/manifest.h"
#include "run/event/artifact.h"
#include "run/report/report_parts.h"
#include "text/json.h"

tn_val tn_report_timing(tn_arena *a, const char *name, int64_t from, int64_t to)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "name", tn_val_z(name));
    tn_dict_putz(d.dict, "started_at", tn_val_str(tn_report_time(a, from, "Z")));
    tn_dict_putz(d.dict, "completed_at", tn_val_str(tn_report_time(a, to > 0 ? to : from, "Z")));
    return d;
}

static tn_val str_or_none(tn_str s)
{
    return s.p != NULL && s.n > 0 ? tn_val_str(s) : TN_VAL_NONE;
}

tn_val tn_node_result_val(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    tn_val d = tn_val_dict(a), times = tn_val_list(a);
    bool compiled = r->compiled_code.p != NULL;
    tn_str message = r->message;
    if (r->node->kind == TN_NODE_OPERATION && r->status == TN_ST_SUCCESS &&
        !tn_report_is_look(run)) {
        message = tn_str_printf(a, TN_STR_FMT " passed", TN_STR_ARG(tn_hook_name(a, r->node)));
    }
    if (r->started_us > 0 && r->status != TN_ST_SKIPPED && r->status != TN_ST_NONE) {
        tn_list_push(times.list, tn_report_timing(a, "compile", r->started_us, r->compile_end_us));
        if (r->execute_start_us > 0) {
            tn_list_push(
                times.list, tn_report_timing(a, "execute", r->execute_start_us, r->finished_us));
        }
    }
    tn_dict_putz(d.dict, "status",
        tn_val_z(r->status == TN_ST_NONE ? "skipped" : tn_status_name(r->status)));
    tn_dict_putz(d.dict, "timing", times);
    tn_dict_putz(d.dict, "thread_id", tn_val_str(r->thread.n > 0 ? r->thread : TN_STR("main")));
    tn_dict_putz(d.dict, "execution_time", tn_val_float(tn_report_seconds(r)));
    tn_dict_putz(d.dict, "adapter_response",
        r->adapter_response.tag == TN_DICT ? r->adapter_response : tn_val_dict(a));
    tn_dict_putz(d.dict, "message", str_or_none(message));
    tn_dict_putz(d.dict, "failures", r->failures >= 0 ? tn_val_int(r->failures) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "unique_id", tn_val_str(r->node->unique_id));
    bool no_sql = r->node->kind == TN_NODE_SEED || r->node->kind == TN_NODE_EXPOSURE ||
                  r->node->kind == TN_NODE_SAVED_QUERY;
    tn_dict_putz(d.dict, "compiled", no_sql ? TN_VAL_NONE : tn_val_bool(compiled));
    tn_dict_putz(d.dict, "compiled_code",
        r->node->kind == TN_NODE_SEED || !compiled ? TN_VAL_NONE : tn_val_str(r->compiled_code));
    tn_dict_putz(d.dict, "relation_name",
        no_sql ? TN_VAL_NONE : str_or_none(r->node->relation_name)); /* a seed has no SQL */
    tn_dict_putz(
        d.dict, "batch_results", r->batch_results.tag == TN_DICT ? r->batch_results : TN_VAL_NONE);
    tn_dict_putz(d.dict, "overload_results",
        r->overload_results.tag == TN_DICT ? r->overload_results : TN_VAL_NONE);
    return d;
}

tn_val tn_report_run_result(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    tn_val d = tn_val_dict(a), all = tn_node_result_val(run, a, r);
    static const char *const pairs[][2] = { { "adapter_response", "adapter_response" },
        { "execution_time", "execution_time" }, { "timing_info", "timing" },
        { "thread", "thread_id" } };
    for (size_t i = 0; i < TN_COUNTOF(pairs); i++) {
        tn_dict_putz(d.dict, pairs[i][0], tn_val_at(all, pairs[i][1]));
    }
    tn_val message = tn_val_at(all, "message"), failures = tn_val_at(all, "failures");
    tn_dict_putz(d.dict, "message", tn_val_is_none(message) ? tn_val_z("") : message);
    tn_dict_putz(d.dict, "num_failures", tn_val_is_none(failures) ? tn_val_int(0) : failures);
    tn_dict_putz(d.dict, "status", tn_val_z(tn_report_status(r)));
    return d;
}

static bool compiled_of(void *self, const tn_node *n, tn_manifest_compiled *ret)
{
    const tn_runner *run = self;
    uint32_t at = n->index < run->project->nodes.n ? run->place[n->index] : UINT32_MAX;
    if (at == UINT32_MAX || run->results[at].compiled_code.p == NULL) {
        return false;
    }
    const tn_node_result *r = &run->results[at];
    *ret = (tn_manifest_compiled){ .compiled = true,
        .compiled_code = r->compiled_code,
        .compiled_path = r->compiled_path,
        .extra_ctes = r->extra_ctes,
        .called = &r->called,
        .overloads = r->overloads,
        .keyed = r->keyed };
    return true;
}

static void add_result(tn_runner *run, tn_arena *a, tn_val list, const tn_node_result *r)
{
    /* Compiled, but no result of its own, unless that is what was asked for. */
    bool asked = run->opts->verb == TN_VERB_COMPILE && !run->opts->unprinted &&
                 run->opts->select.select.n > 0;
    if (tn_node_is_ephemeral(r->node) && !asked) {
        return;
    }
    tn_list_push(list.list, tn_node_result_val(run, a, r));
}

/* A text with a secret in it is another one; any other value that has one is told as text. */
static tn_val hidden(tn_arena *a, const tn_dict *vars, tn_val v)
{
    tn_str text = tn_val_is_str(v) ? tn_val_as_str(v) : tn_val_to_str(a, v);
    tn_str told = tn_log_scrub(a, tn_vars_hide(a, vars, text));
    return tn_str_eq(told, text) ? v : tn_val_str(told);
}

static tn_val told_args(tn_arena *a, tn_dict *args)
{
    tn_val out = tn_val_dict(a), all = { .tag = TN_DICT, .dict = args };
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(args, &at)) != NULL) {
        tn_dict_put(out.dict, it->key, it->value);
    }
    tn_val vars = tn_val_at(all, "vars"), told = tn_val_dict(a);
    for (at = 0; vars.tag == TN_DICT && (it = tn_dict_next(vars.dict, &at)) != NULL;) {
        tn_dict_put(told.dict, it->key, hidden(a, vars.dict, it->value));
    }
    tn_dict_putz(out.dict, "vars", told);
    tn_dict_putz(out.dict, "invocation_command",
        hidden(a, vars.tag == TN_DICT ? vars.dict : NULL, tn_val_at(all, "invocation_command")));
    return out;
}

tn_rc tn_report_write_results(
    tn_runner *run, tn_arena *a, tn_val results, const char *type, tn_err *err)
{
    tn_val doc = tn_val_dict(a);
    tn_dict_putz(doc.dict, "metadata", tn_manifest_metadata(run->project, a, "run-results/v6"));
    tn_dict_putz(doc.dict, "results", results);
    tn_dict_putz(doc.dict, "elapsed_time",
        tn_val_float((double)(tn_clock_now_us() - run->started_us) / 1e6));
    tn_dict_putz(
        doc.dict, "args", run->opts->args != NULL ? told_args(a, run->opts->args) : tn_val_dict(a));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    static const tn_json_style style = { .py_separators = true };
    tn_json_print(&b, doc, &style);
    return tn_artifact_write(
        run->project, run->events, "run_results.json", type, tn_buf_str(&b), err);
}

static tn_rc write_results(tn_runner *run, tn_arena *a, tn_err *err)
{
    tn_val results = tn_val_list(a);
    for (int end = 0; end < 2;
        end++) { /* start hooks, nodes in the order of finishing, end hooks */
        for (size_t i = 0; i < run->hooks.n; i++) {
            bool at_end =
                tn_str_find(run->hooks.v[i].node->name, TN_STR("on-run-end"), 0) != SIZE_MAX;
            if (at_end == (end == 1)) {
                add_result(run, a, results, &run->hooks.v[i]);
            }
        }
        for (size_t i = 0; end == 0 && i < run->order_count; i++) {
            add_result(run, a, results, &run->results[run->order[i]]);
        }
    }
    return tn_report_write_results(run, a, results, "RunExecutionResult", err);
}

tn_rc tn_report_write(tn_runner *run, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("artifacts", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    TN_TRY(tn_manifest_write(run->project, compiled_of, run, &b, err));
    TN_TRY(tn_artifact_write(
        run->project, run->events, "manifest.json", "WritableManifest", tn_buf_str(&b), err));
    TN_TRY(tn_run_write_semantics(run->project, run->events, err));
    TN_TRY(tn_run_write_graph(run->project, run->opts->verb == TN_VERB_BUILD, err));
    return write_results(run, a, err);
}
