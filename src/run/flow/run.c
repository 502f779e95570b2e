/* run.c: one run from the plan to the artifacts: select, open the database, schemas, hooks, workers, publish, report. */
#include "run/run.h"

#include "base/log.h"
#include "base/nearest.h"
#include "os/clock.h"
#include "os/file.h"
#include "project/manifest.h"
#include "run/event/artifact.h"
#include "run/report/build_log.h"
#include "run/report/report_parts.h"
#include "run/session/plugin.h"
#include "run/value/source_text.h"
#include "text/json.h"
#include "text/sqltext.h"

enum { TN_WORKERS_MAX = 256 };

static void say(tn_runner *run, const char *name, const char *code, tn_str text)
{
    tn_event(run->events, TN_EV_INFO, name, code, TN_VAL_UNDEF, TN_STR_FMT, TN_STR_ARG(text));
}

/* ---- the plan ---- */

static uint32_t kinds_of(tn_verb verb)
{
    const uint32_t model = 1u << TN_NODE_MODEL, test = 1u << TN_NODE_TEST,
                   seed = 1u << TN_NODE_SEED, snapshot = 1u << TN_NODE_SNAPSHOT;
    switch (verb) {
    case TN_VERB_RUN:
        return model;
    case TN_VERB_TEST:
        return test | 1u << TN_NODE_UNIT_TEST;
    case TN_VERB_SEED:
        return seed;
    case TN_VERB_SNAPSHOT:
        return snapshot;
    case TN_VERB_CLONE:
        return model | seed | snapshot;
    case TN_VERB_FRESHNESS:
        return 1u << TN_NODE_SOURCE;
    case TN_VERB_COMPILE:
        return model | test | seed | snapshot | 1u << TN_NODE_ANALYSIS | 1u << TN_NODE_FUNCTION;
    case TN_VERB_SHOW:
        return model | seed | snapshot | 1u << TN_NODE_ANALYSIS;
    case TN_VERB_BUILD:
    default:
        return model | test | seed | snapshot | 1u << TN_NODE_UNIT_TEST | 1u << TN_NODE_EXPOSURE |
               1u << TN_NODE_SAVED_QUERY | 1u << TN_NODE_FUNCTION;
    }
}

/* A file without SQL is a node that can be listed, but there is nothing to run. */
static bool is_empty(const tn_node *n)
{
    bool sql = n->kind == TN_NODE_MODEL || n->kind == TN_NODE_SNAPSHOT || n->kind == TN_NODE_TEST ||
               n->kind == TN_NODE_ANALYSIS;
    return sql && tn_str_trim(n->raw_code).n == 0;
}

static bool planned(const tn_runner *run, const tn_node *n)
{
    if (run->opts->verb == TN_VERB_FRESHNESS) {
        return tn_freshness_wanted(n);
    }
    return tn_report_is_look(run) || !tn_node_is_ephemeral(n);
}

tn_rc tn_run_warn_unmatched(tn_project *p, tn_events *events, const tn_strs *unmatched, tn_err *err)
{
    static const char event[] = "NoNodesForSelectionCriteria";
    static const char text[] =
        "The selection criterion '" TN_STR_FMT "' does not match any enabled nodes";
    tn_warn_fate fate = tn_project_warn_fate(p, event);
    for (size_t i = 0; i < unmatched->n && fate != TN_WARN_SILENT; i++) {
        tn_str near = tn_select_nearest(p, unmatched->v[i]);
        if (fate == TN_WARN_ERROR) {
            tn_rc rc = tn_fail(err, TN_E_COMPILE, text, TN_STR_ARG(unmatched->v[i]));
            return tn_nearest_hint(err, rc, near);
        }
        tn_val data = tn_val_dict(p->arena);
        tn_dict_putz(data.dict, "spec_raw", tn_val_str(unmatched->v[i]));
        tn_event(events, TN_EV_WARN, event, "M030", data,
            "[WARNING]: The selection criterion '" TN_STR_FMT
            "' does not match any enabled nodes%s" TN_STR_FMT "%s",
            TN_STR_ARG(unmatched->v[i]), near.n > 0 ? "; did you mean '" : "", TN_STR_ARG(near),
            near.n > 0 ? "'?" : "");
    }
    return TN_OK;
}

static tn_rc select_only(tn_runner *run, tn_nodes *selected, tn_err *err)
{
    const tn_project *p = run->project;
    tn_map wanted = tn_map_init(run->arena);
    for (size_t i = 0; i < run->opts->only->n; i++) {
        tn_map_put(&wanted, run->opts->only->v[i], run);
        if (tn_map_find(&p->node_by_id, run->opts->only->v[i]) == NULL) {
            return tn_fail(err, TN_E_COMPILE,
                "Couldn't find model '" TN_STR_FMT "' -- does it exist or is it disabled?",
                TN_STR_ARG(run->opts->only->v[i]));
        }
    }
    for (size_t i = 0; i < p->order.n; i++) {
        tn_node *n = p->order.v[i];
        bool fits = (kinds_of(run->opts->verb) & 1u << n->kind) != 0;
        if (fits && tn_map_find(&wanted, n->unique_id) != NULL) {
            tn_vec_push(selected, run->arena, n);
        }
    }
    return TN_OK;
}

static tn_rc make_plan(tn_runner *run, tn_run_report *ret, tn_err *err)
{
    tn_project *p = run->project;
    tn_select sel = run->opts->select;
    const uint32_t none = 1u << TN_NODE_KINDS; /* 0 would mean all */
    sel.kinds = none | (kinds_of(run->opts->verb) & (sel.kinds != 0 ? sel.kinds : UINT32_MAX));
    tn_nodes selected = { 0 };
    tn_strs unmatched = { 0 };
    if (p->inline_query != NULL) {
        tn_vec_push(&selected, run->arena, p->inline_query);
    } else if (run->opts->only != NULL) {
        TN_TRY(select_only(run, &selected, err));
    } else {
        TN_TRY(tn_select_run(p, run->arena, &sel, &selected, NULL, &unmatched, err));
    }
    TN_TRY(tn_run_warn_unmatched(p, run->events, &unmatched, err));
    run->place = tn_new_array(run->arena, uint32_t, p->nodes.n + 1);
    memset(run->place, 0xFF, (p->nodes.n + 1) * sizeof *run->place);
    bool everything =
        p->inline_query == NULL && sel.select.n == 0 && sel.exclude.n == 0 && sel.selector.n == 0;
    for (size_t i = 0; run->opts->verb == TN_VERB_COMPILE && everything && i < p->nodes.n; i++) {
        if (p->nodes.v[i]->kind == TN_NODE_OPERATION) {
            tn_vec_push(&selected, run->arena, p->nodes.v[i]);
        }
    }
    run->selected_resources = tn_val_list(run->arena);
    for (size_t i = 0; i < selected.n; i++) {
        if (is_empty(selected.v[i])) {
            continue;
        }
        tn_list_push(run->selected_resources.list, tn_val_str(selected.v[i]->unique_id));
        if (planned(run, selected.v[i])) {
            run->place[selected.v[i]->index] = (uint32_t)run->plan.n;
            tn_vec_push(&run->plan, run->arena, selected.v[i]);
        } else if (tn_node_is_ephemeral(selected.v[i])) {
            tn_vec_push(&run->inlined, run->arena, selected.v[i]);
        }
    }
    tn_val_freeze(run->selected_resources);
    run->kept = tn_new_array(run->arena, bool, p->nodes.n + 1);
    run->results = tn_new_array(run->arena, tn_node_result, run->plan.n + 1);
    for (size_t i = 0; i < run->plan.n; i++) {
        run->results[i].node = run->plan.v[i];
        run->results[i].failures = -1;
    }
    ret->selected = (int64_t)run->plan.n;
    return TN_OK;
}

/* ---- before the nodes ---- */

static void close_workers(void *p)
{
    tn_runner *run = p;
    for (size_t i = 0; i < run->worker_count; i++) {
        tn_conn_close(run->workers[i].conn);
        run->workers[i].conn = NULL;
    }
}

tn_rc tn_runner_open_workers(tn_runner *run, tn_err *err)
{
    int threads = run->project->profile.threads;
    size_t n = threads < 1 ? 1 : threads > TN_WORKERS_MAX ? TN_WORKERS_MAX : (size_t)threads;
    n = tn_max_size(1, tn_min_size(n, run->plan.n));
    run->workers = tn_new_array(run->arena, tn_worker, n);
    tn_arena_defer(run->arena, close_workers, run);
    for (size_t i = 0; i < n; i++) {
        tn_worker *w = &run->workers[i];
        w->number = (int)i + 1;
        w->keep = tn_arena_new("results", run->arena);
        (void)snprintf(w->name, sizeof w->name, "Thread-%d (worker)", w->number);
        TN_TRY(tn_session_connect(run->session, &w->conn, err));
        run->worker_count = i + 1;
    }
    return TN_OK;
}

static tn_rc create_schema(tn_runner *run, const tn_node *n, tn_err *err)
{
    if (n->schema.n == 0 || tn_session_has_schema(run->session, n->database, n->schema)) {
        return TN_OK;
    }
    TN_AUTO_ARENA a = tn_arena_new("schema", NULL);
    tn_job j;
    tn_report_connection(run, &run->workers[0],
        tn_str_printf(a, "create_" TN_STR_FMT "_" TN_STR_FMT, TN_STR_ARG(n->database),
            TN_STR_ARG(n->schema)));
    TN_TRY(tn_job_init(&j, run->session, &run->workers[0], NULL, run->selected_resources, a, err));
    tn_val relation =
               tn_relation_val(tn_relation_new(a, n->database, n->schema, TN_STR_NONE, NULL)),
           ignored;
    tn_rc rc = tn_pctx_call(&j.pctx, TN_STR("create_schema"), &relation, 1, NULL, 0, &ignored, err);
    rc = tn_job_end(&j, rc, err);
    if (rc == TN_OK) {
        tn_session_add_schema(run->session, n->database, n->schema);
    }
    return rc;
}

/* A comment that no statement can carry stops the run before its first node. */
static tn_rc check_query_comment(tn_runner *run, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("query comment", NULL);
    tn_job j;
    tn_str unused;
    TN_TRY(tn_job_init(&j, run->session, &run->workers[0], NULL, run->selected_resources, a, err));
    tn_rc rc = tn_job_comment(&j, TN_STR(""), &unused, err);
    tn_job_rollback(&j);
    return rc;
}

static tn_rc create_schemas(tn_runner *run, tn_err *err)
{
    for (size_t i = 0; i < run->plan.n && !tn_report_is_look(run); i++) {
        const tn_node *n = run->plan.v[i];
        if (tn_runner_places(run, n)) {
            TN_TRY(create_schema(run, n, err));
        }
    }
    return TN_OK;
}

/* Sources of the delta plugin become views of their relation, once, before anything reads them. */
static tn_rc register_source(tn_runner *run, const tn_node *n, tn_err *err)
{
    tn_str plugin = tn_val_as_str(tn_source_value(n, "plugin"));
    if (tn_plugin_is_native(run->session, plugin)) {
        TN_TRY(create_schema(run, n, err));
        return tn_plugin_load_source(run->session, run->workers[0].conn, n, plugin, err);
    }
    if (!tn_str_is(plugin, "delta")) {
        return TN_OK;
    }
    TN_AUTO_ARENA a = tn_arena_new("source", NULL);
    tn_str path = tn_val_as_str(tn_source_value(n, "delta_table_path"));
    if (path.n == 0) {
        return tn_fail(err, TN_E_COMPILE,
            "source '" TN_STR_FMT
            "': 'delta_table_path' is a required argument for the delta table!",
            TN_STR_ARG(n->unique_id));
    }
    tn_val version = tn_source_value(n, "as_of_version");
    tn_str scan;
    tn_conn *c = run->workers[0].conn;
    tn_rc rc = tn_place_scan(
        run->session, c, a, path, version.tag == TN_INT ? version.i : TN_DELTA_LATEST, &scan, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "source '" TN_STR_FMT "'", TN_STR_ARG(n->unique_id));
    }
    TN_TRY(create_schema(run, n, err));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "CREATE OR REPLACE VIEW ");
    tn_buf_add(&b, n->relation_name);
    tn_buf_addz(&b, " AS ");
    tn_buf_add(&b, scan);
    return tn_conn_exec(c, tn_buf_str(&b), err);
}

static tn_rc register_sources(tn_runner *run, tn_err *err)
{
    bool *seen = tn_new_array(run->arena, bool, run->project->nodes.n + 1);
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        if (n->kind == TN_NODE_SOURCE) {
            TN_TRY(register_source(run, n, err));
        }
        for (size_t k = 0; k < n->parents.n; k++) {
            const tn_node *p = n->parents.v[k];
            if (p->kind == TN_NODE_SOURCE && p->index < run->project->nodes.n && !seen[p->index]) {
                seen[p->index] = true;
                TN_TRY(register_source(run, p, err));
            }
        }
    }
    return TN_OK;
}

/* ---- the whole ---- */

static tn_rc announce(tn_runner *run)
{
    tn_str empty = TN_STR("");
    say(run, "Formatting", "Z017", empty);
    tn_val data = tn_val_dict(run->arena);
    tn_dict_putz(data.dict, "num_threads", tn_val_int(run->project->profile.threads));
    tn_dict_putz(data.dict, "target_name", tn_val_str(run->project->profile.target_name));
    size_t count = run->plan.n;
    for (size_t i = 0; run->opts->verb == TN_VERB_BUILD && i < run->plan.n;
        i++) { /* dbt counts unit tests only after it said this */
        count -= run->plan.v[i]->kind == TN_NODE_UNIT_TEST;
    }
    tn_dict_putz(data.dict, "node_count", tn_val_int((int64_t)count));
    tn_event(run->events, TN_EV_INFO, "ConcurrencyLine", "Q027", data,
        "Concurrency: %d threads (target='" TN_STR_FMT "')", run->project->profile.threads,
        TN_STR_ARG(run->project->profile.target_name));
    return TN_OK;
}

static bool hooks_run(const tn_runner *run)
{
    if (run->opts->verb == TN_VERB_FRESHNESS) {
        return tn_project_flag(run->project, "SOURCE_FRESHNESS_RUN_PROJECT_HOOKS", true);
    }
    return !tn_report_is_look(run) && run->opts->verb != TN_VERB_CLONE;
}

static bool builds(tn_verb verb)
{
    return verb <= TN_VERB_SNAPSHOT;
}

static void skip_all(tn_runner *run)
{
    run->order = tn_new_array(run->arena, uint32_t, run->plan.n + 1);
    for (uint32_t i = 0; i < run->plan.n; i++) {
        run->results[i].status = TN_ST_SKIPPED;
        run->results[i].index = i + 1;
        run->order[run->order_count++] = i;
        tn_report_end(run, &run->results[i]);
    }
}

static tn_rc carry_out(tn_runner *run, tn_err *err)
{
    bool failed = false, end_failed = false;
    tn_report_connection(run, &run->workers[0],
        tn_str_printf(run->arena, "list_" TN_STR_FMT, TN_STR_ARG(run->project->profile.database)));
    TN_TRY(create_schemas(run, err));
    TN_TRY(register_sources(run, err));
    if (hooks_run(run)) {
        TN_TRY(tn_runner_hooks(run, &run->workers[0], false, &failed, err));
    }
    say(run, "Formatting", "Z017", TN_STR(""));
    if (failed && tn_project_flag(run->project, "SKIP_NODES_IF_ON_RUN_START_FAILS", true)) {
        skip_all(run);
    } else {
        tn_report_inlined(run);
        TN_TRY(tn_runner_schedule(run, err));
        tn_runner_inlined(run, &run->workers[0]);
    }
    return hooks_run(run) ? tn_runner_hooks(run, &run->workers[0], true, &end_failed, err) : TN_OK;
}

/* show tells the version of a node, compile does not: as dbt. */
static tn_str shown_name(const tn_runner *run, const tn_node *n)
{
    tn_val version = run->opts->verb == TN_VERB_SHOW ? n->version : TN_VAL_NONE;
    return tn_val_truthy(version)
               ? tn_str_printf(run->arena, TN_STR_FMT ".v" TN_STR_FMT, TN_STR_ARG(n->name),
                     TN_STR_ARG(tn_val_to_str(run->arena, version)))
               : n->name;
}

/* "Compiled node 'a' is:" above the SQL, except where only results are wanted. */
static void add_title(tn_runner *run, tn_buf *b, const tn_node *n, const char *what)
{
    bool inline_query = n == run->project->inline_query;
    if (!run->opts->bare && inline_query) {
        tn_buf_addf(b, "%s inline node%s:\n", what, what[0] == 'C' ? " is" : "");
    } else if (!run->opts->bare) {
        tn_buf_addf(b, "%s node '" TN_STR_FMT "'%s:\n", what, TN_STR_ARG(shown_name(run, n)),
            what[0] == 'C' ? " is" : "");
    }
}

/* The data of CompiledNode and ShowNode. */
static tn_val looked_at(const tn_runner *run, const tn_node *n)
{
    tn_val d = tn_val_dict(run->arena);
    tn_dict_putz(d.dict, "node_name", tn_val_str(shown_name(run, n)));
    tn_dict_putz(d.dict, "unique_id", tn_val_str(n->unique_id));
    tn_dict_putz(d.dict, "is_inline", tn_val_bool(n == run->project->inline_query));
    tn_dict_putz(d.dict, "output_format", tn_val_z(run->opts->as_json ? "json" : "text"));
    tn_dict_putz(d.dict, "quiet", tn_val_bool(run->opts->bare));
    return d;
}

/* As with dbt, of what is selected only the nodes whose names the selection spells are shown: not the tests of a model. */
static bool is_named(const tn_runner *run, const tn_node *n)
{
    if (n == run->project->inline_query) {
        return true;
    }
    const tn_strs *words = &run->opts->select.select;
    for (size_t i = 0; i < words->n; i++) {
        if (tn_str_find(words->v[i], n->name, 0) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

/* {"node": its name, "compiled" or "show": ...}; a query of the command line has no name. */
static void add_json(tn_runner *run, tn_buf *b, const tn_node *n, const char *key, tn_val content)
{
    tn_val doc = tn_val_dict(run->arena);
    if (n != run->project->inline_query) {
        tn_dict_putz(doc.dict, "node", tn_val_str(shown_name(run, n)));
    }
    tn_dict_putz(doc.dict, key, content);
    static const tn_json_style style = { .indent = 2, .py_separators = true };
    tn_json_print(b, doc, &style);
}

static void print_compiled(tn_runner *run)
{
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node_result *r = &run->results[i];
        if (r->compiled_code.p == NULL || !is_named(run, r->node)) {
            continue;
        }
        tn_buf b = tn_buf_init(run->arena, TN_BUF_NO_LIMIT);
        if (run->opts->as_json) {
            add_json(run, &b, r->node, "compiled", tn_val_str(r->compiled_code));
        } else {
            add_title(run, &b, r->node, "Compiled");
            tn_buf_add(&b, r->compiled_code);
        }
        tn_val data = looked_at(run, r->node);
        tn_dict_putz(data.dict, "compiled", tn_val_str(r->compiled_code));
        tn_event_result(run->events, "CompiledNode", "Q042", data, tn_buf_str(&b));
    }
}

static tn_val json_rows(tn_runner *run, const tn_table *t)
{
    tn_arena *a = run->arena;
    tn_val rows = tn_val_list(a);
    for (size_t i = 0; i < t->rows.list->n; i++) {
        tn_val row = tn_val_dict(a);
        for (size_t k = 0; k < t->names.list->n; k++) {
            tn_dict_put(row.dict, t->names.list->v[k], t->rows.list->v[i].list->v[k]);
        }
        tn_list_push(rows.list, row);
    }
    return rows;
}

static void print_shown(tn_runner *run)
{
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node_result *r = &run->results[i];
        tn_table *t = NULL;
        if (!tn_val_is_table(r->table, &t)) {
            continue;
        }
        tn_buf b = tn_buf_init(run->arena, TN_BUF_NO_LIMIT);
        size_t from = 0;
        if (run->opts->as_json) {
            add_json(run, &b, r->node, "show", json_rows(run, t));
        } else {
            add_title(run, &b, r->node, "Previewing");
            from = b.n;
            tn_table_print(&b, t, 0, 0);
        }
        tn_val data = looked_at(run, r->node);
        tn_str preview = tn_str_sub(tn_buf_str(&b), from, b.n);
        if (run->opts->as_json) {
            static const tn_json_style style = { .py_separators = true };
            tn_buf rows = tn_buf_init(run->arena, TN_BUF_NO_LIMIT);
            tn_json_print(&rows, json_rows(run, t), &style);
            preview = tn_buf_str(&rows);
        }
        tn_dict_putz(data.dict, "preview", tn_val_str(preview));
        tn_event_result(run->events, "ShowNode", "Q041", data, tn_buf_str(&b));
    }
}

/* compile and show end at the first node that fails, with its error. */
static tn_rc first_failure(const tn_runner *run, tn_err *err)
{
    for (size_t i = 0; tn_report_is_look(run) && i < run->plan.n; i++) {
        const tn_node_result *r = &run->results[i];
        if (r->status == TN_ST_ERROR) {
            return tn_fail(err, TN_E_NODE, "Runtime Error\n  " TN_STR_FMT,
                TN_STR_ARG(tn_str_replace(run->arena, r->message, TN_STR("\n"), TN_STR("\n  "))));
        }
    }
    return TN_OK;
}

tn_rc tn_run_execute(tn_project *p, tn_arena *a, const tn_run_opts *opts, tn_events *events,
    tn_run_report *ret, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("run", NULL);
    tn_runner run = { .arena = arena,
        .project = p,
        .opts = opts,
        .events = events,
        .lock = TN_MUTEX_INIT,
        .changed = TN_COND_INIT,
        .lake_commit = -1,
        .started_us = tn_clock_now_us() };
    *ret = (tn_run_report){ .lake_commit = -1 };
    TN_TRY(tn_runner_windows(&run, err));
    tn_report_found(&run);
    TN_TRY(make_plan(&run, ret, err));
    if (run.plan.n == 0 && run.selected_resources.list->n == 0) {
        tn_event(events, TN_EV_WARN, "NothingToDo", "Q035", tn_val_dict(arena),
            "[WARNING]: Nothing to do. Try checking your model configs and model specification "
            "args");
        run.order = tn_new_array(arena, uint32_t, 1);
        return opts->write_json ? tn_report_write(&run, err) : TN_OK;
    }
    TN_TRY(announce(&run));
    TN_TRY(tn_runner_publish_mode(&run, err));
    TN_TRY(tn_session_open(p, arena, events, opts->memory_limit, &run.session, err));
    run.session->closed = opts->verb == TN_VERB_COMPILE && !opts->introspect;
    tn_session_keys_plan(run.session, &p->nodes);
    for (size_t i = 0; p->favor_state && i < run.plan.n; i++) {
        tn_map_put(&run.session->selected, run.plan.v[i]->unique_id, run.plan.v[i]);
    }
    TN_TRY(tn_runner_open_workers(&run, err));
    TN_TRY(check_query_comment(&run, err));
    TN_TRY(tn_runner_take_turn(&run, err));
    TN_TRY(carry_out(&run, err));
    TN_TRY(first_failure(&run, err));
    if (opts->verb == TN_VERB_COMPILE && !opts->unprinted) {
        print_compiled(&run);
    } else if (opts->verb == TN_VERB_SHOW) {
        print_shown(&run);
    }
    if (opts->show_seeds) {
        tn_report_seeds(&run);
    }
    tn_report_summary(&run, ret);
    ret->interrupted = run.interrupted;
    tn_rc rc = tn_runner_publish(&run, ret, err);
    tn_runner_record(&run, ret, rc, err);
    ret->published = tn_str_dup(a, ret->published);
    if (opts->write_json) {
        tn_rc written = opts->verb == TN_VERB_FRESHNESS
                            ? tn_freshness_write(&run, rc == TN_OK ? err : NULL)
                            : tn_report_write(&run, rc == TN_OK ? err : NULL);
        rc = rc == TN_OK ? written : rc;
    }
    if (opts->write_json && builds(opts->verb)) {
        tn_rc noted = tn_builds_write(&run, rc == TN_OK ? err : NULL);
        rc = rc == TN_OK ? noted : rc;
    }
    return rc;
}

tn_rc tn_run_plan(
    tn_project *p, const tn_run_opts *opts, tn_events *events, bool json, tn_buf *ret, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("plan", NULL);
    tn_runner run = { .arena = arena, .project = p, .opts = opts, .events = events };
    tn_run_report report = { 0 };
    TN_TRY(make_plan(&run, &report, err));
    return tn_plan_report(&run, json, ret, err);
}

tn_rc tn_run_ping(tn_project *p, tn_arena *a, tn_err *err)
{
    tn_session *s = NULL;
    tn_events_opts opts = { .console = false };
    TN_AUTO_ARENA arena = tn_arena_new("ping", a);
    TN_TRY(tn_session_open(p, arena, tn_events_new(arena, &opts), TN_STR_NONE, &s, err));
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_TRY(tn_session_connect(s, &c, err));
    return tn_conn_exec(c, TN_STR("select 1"), err);
}
