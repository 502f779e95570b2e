/* node_run.c: one node on one worker: compile, write target/compiled, carry out by its materialization, write target/run.
 *
 * Whatever goes wrong becomes the node's result; the worker's transaction is rolled back and the next node starts clean.
 */
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "run/report/report_parts.h"
#include "run/report/runner.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { PLACE_LINES = 3 }; /* of an error: "at file:line:col", the source line, the caret */

/* batch: of a batch of a microbatch model, models/m/m_2024-01-31.sql; empty: none. */
static tn_str artifact_path(
    tn_runner *run, tn_arena *a, const char *folder, const tn_node *n, tn_str batch)
{
    tn_str below = n->original_file_path;
    if (n->kind == TN_NODE_UNIT_TEST) {
        tn_str beside = tn_path_dir(below);
        below = tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT "/" TN_STR_FMT ".sql", TN_STR_ARG(below),
            TN_STR_ARG(beside), TN_STR_ARG(n->name));
    } else if (n->kind ==
               TN_NODE_SNAPSHOT) { /* one of several in a file: in a folder of the file's name */
        below = tn_str_printf(
            a, TN_STR_FMT "/" TN_STR_FMT ".sql", TN_STR_ARG(below), TN_STR_ARG(n->name));
    } else if (batch.n > 0) {
        tn_str stem = tn_str_sub(below, 0, below.n - (tn_str_ends(below, TN_STR(".sql")) ? 4 : 0));
        below = tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT "_" TN_STR_FMT ".sql", TN_STR_ARG(stem),
            TN_STR_ARG(tn_path_base(stem)), TN_STR_ARG(batch));
    } else if (!tn_str_eq(tn_path_base(n->path), tn_path_base(below))) {
        below = tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(below), TN_STR_ARG(n->path));
    }
    return tn_str_printf(a, TN_STR_FMT "/%s/" TN_STR_FMT "/" TN_STR_FMT,
        TN_STR_ARG(run->project->target_path), folder, TN_STR_ARG(n->package_name),
        TN_STR_ARG(below));
}

/* Artifacts are a help for people: that one cannot be written is told, not fatal. */
void tn_runner_artifact(tn_runner *run, tn_arena *a, const char *folder, const tn_node *n,
    tn_str batch, tn_str text, tn_str *ret_path)
{
    tn_err err = TN_ERR_INIT;
    tn_str path = artifact_path(run, a, folder, n, batch);
    if (text.n == 0) {
        return;
    }
    tn_rc rc = tn_dir_make(tn_path_dir(path), &err);
    rc = rc == TN_OK ? tn_file_write(path, text, &err) : rc;
    if (rc != TN_OK) {
        tn_event(run->events, TN_EV_WARN, "ArtifactNotWritten", "T003", TN_VAL_UNDEF,
            "[WARNING]: %s", err.msg);
    } else if (ret_path != NULL) {
        TN_LOCKED(&run->lock);
        *ret_path = tn_str_dup(run->arena, path);
    }
}

static void write_artifact(tn_runner *run, tn_arena *a, const char *folder, const tn_node *n,
    tn_str text, tn_str *ret_path)
{
    tn_runner_artifact(run, a, folder, n, TN_STR_NONE, text, ret_path);
}

/* What the materialization returned as its relations exists from now on. */
static void cache_relations(tn_job *j, tn_val returned)
{
    tn_val list = tn_val_at(returned, "relations");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_relation *r = NULL;
        if (tn_val_is_relation(list.list->v[i], &r)) {
            tn_session_cache_add(j->session, r->part[0], r->part[1], r->part[2],
                r->type.p != NULL ? r->type : TN_STR("table"));
        }
    }
}

tn_rc tn_runner_materialize(tn_runner *run, tn_job *j, const char *name, tn_err *err)
{
    tn_macro *m =
        tn_project_find_materialization(run->project, j->node->package_name, tn_str_of(name));
    if (m == NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "No materialization '%s' was found for adapter duckdb! (searched types 'default' and "
            "'duckdb')",
            name);
    }
    tn_val returned;
    bool made =
        tn_node_is_refable(j->node) && strcmp(name, "unit") != 0 && strcmp(name, "clone") != 0;
    if (j->node->kind == TN_NODE_MODEL && made) {
        TN_TRY(tn_materialization_takes(run->project, m, TN_STR("sql"), err));
    }
    TN_TRY(tn_pctx_call_macro(&j->pctx, m, NULL, 0, NULL, 0, &returned, err));
    if (made && tn_val_is_str(returned)) {
        return tn_fail(err, TN_E_COMPILE,
            "The materialization (\"%s\") did not explicitly return a list of relations to add to "
            "the cache.",
            name);
    }
    cache_relations(j, returned);
    /* What the materialization left open is its work: dbt commits nothing it was not told to, but neither may it leak into the next node. */
    if (j->worker->in_transaction) {
        TN_TRY(tn_job_commit(j, err));
    }
    return TN_OK;
}

/* ---- the outcome of tests ---- */

static int64_t count_of(tn_val v)
{
    if (v.tag == TN_INT) {
        return v.i;
    }
    int64_t n = 0;
    double f = 0;
    if (v.tag == TN_DECIMAL && tn_str_to_f64(tn_val_as_str(v), &f)) {
        n = (int64_t)f;
    }
    return n;
}

/* should_warn and should_error come as booleans, or as what a custom get_test_sql gave: Python's words for truth, in any case. */
static tn_rc truth_of(tn_val v, bool *ret, tn_err *err)
{
    static const char *const words[] = { "y", "yes", "t", "true", "on", "1", "n", "no", "f",
        "false", "off", "0" };
    enum { TRUE_WORDS = 6 };
    if (!tn_val_is_str(v)) {
        *ret = tn_val_truthy(v);
        return TN_OK;
    }
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        if (tn_str_eq_nocase(tn_val_as_str(v), tn_str_of(words[i]))) {
            *ret = i < TRUE_WORDS;
            return TN_OK;
        }
    }
    return tn_fail(err, TN_E_COMPILE,
        "Macro 'get_test_sql' returns '" TN_STR_FMT
        "'.  It is not type 'bool' and cannot not be converted reliably to a bool.",
        TN_STR_ARG(tn_val_as_str(v)));
}

static tn_rc judge_test(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err)
{
    tn_val *main = tn_dict_finds(j->results, TN_STR("main"));
    tn_val data = main != NULL ? tn_val_at(*main, "data") : TN_VAL_NONE;
    if (!tn_val_is_seq(data) || data.list->n != 1 || data.list->v[0].list->n < 3) {
        return tn_fail(err, TN_E_COMPILE,
            "dbt internally failed to execute " TN_STR_FMT
            ": Returned %zu rows, but expected 1 row",
            TN_STR_ARG(j->node->unique_id), tn_val_is_seq(data) ? data.list->n : 0);
    }
    const tn_val *row = data.list->v[0].list->v;
    int64_t failures = tn_val_is_none(row[0]) ? 0 : count_of(row[0]);
    tn_str severity =
        tn_str_upper(j->arena, tn_node_config_str(j->node, "severity", TN_STR("ERROR")));
    bool warn, error;
    TN_TRY(truth_of(row[1], &warn, err));
    TN_TRY(truth_of(row[2], &error, err));
    const char *plural = failures == 1 ? "" : "s";
    r->failures = failures;
    r->status = TN_ST_PASS;
    if (error && tn_str_is(severity, "ERROR")) {
        r->status = TN_ST_FAIL;
        r->message = tn_str_printf(r->arena, "Got %lld result%s, configured to fail if " TN_STR_FMT,
            (long long)failures, plural,
            TN_STR_ARG(tn_node_config_str(j->node, "error_if", TN_STR("!= 0"))));
    } else if (warn && tn_project_warn_fate(run->project, "LogTestResult") == TN_WARN_ERROR) {
        r->status = TN_ST_FAIL;
        r->message = tn_str_printf(r->arena, "Got %lld result%s, configured to fail if " TN_STR_FMT,
            (long long)failures, plural,
            TN_STR_ARG(tn_node_config_str(j->node, "warn_if", TN_STR("!= 0"))));
    } else if (warn) {
        r->status = TN_ST_WARN;
        r->message = tn_str_printf(r->arena, "Got %lld result%s, configured to warn if " TN_STR_FMT,
            (long long)failures, plural,
            TN_STR_ARG(tn_node_config_str(j->node, "warn_if", TN_STR("!= 0"))));
    } else {
        r->failures = 0; /* as dbt: rows within the limits are none */
    }
    return TN_OK;
}

/* ---- unit tests ---- */

tn_val tn_report_response(tn_arena *a, tn_val response)
{
    tn_val d = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    bool bare = tn_str_is(tn_val_str_at(response, "_message", TN_STR_NONE), "OK") &&
                tn_val_is_undef(tn_val_at(response, "delta_version"));
    while (response.tag == TN_DICT && (it = tn_dict_next(response.dict, &at)) != NULL) {
        bool message = tn_val_is_str(it->key) && tn_str_is(tn_val_as_str(it->key), "_message");
        if (!tn_val_is_none(it->value) && (message || !bare)) {
            tn_dict_put(d.dict, tn_val_dup(a, it->key), tn_val_dup(a, it->value));
        }
    }
    return d;
}

static void show_row(tn_buf *b, tn_arena *a, const char *mark, tn_val row, size_t cols)
{
    tn_buf_addf(b, "%s", mark);
    for (size_t i = 0; i < cols; i++) {
        tn_buf_addf(
            b, "%s" TN_STR_FMT, i > 0 ? "," : "", TN_STR_ARG(tn_val_to_str(a, row.list->v[i])));
    }
    tn_buf_addc(b, '\n');
}

static bool same_row(tn_val x, tn_val y, size_t cols)
{
    for (size_t i = 0; i < cols; i++) {
        if (!tn_val_eq(x.list->v[i], y.list->v[i])) {
            return false;
        }
    }
    return true;
}

/* Rows of one side that the other has not, each row counted once: "+" is only in the model's result, "-" is missing there. */
static size_t compare_rows(tn_buf *b, tn_arena *a, tn_val data, size_t cols)
{
    size_t n = data.list->n, differ = 0;
    bool *paired = tn_new_array(a, bool, n + 1);
    for (size_t i = 0; i < n; i++) {
        bool actual = tn_str_is(tn_val_as_str(data.list->v[i].list->v[cols]), "actual");
        for (size_t k = i + 1; k < n && !paired[i]; k++) {
            bool other = tn_str_is(tn_val_as_str(data.list->v[k].list->v[cols]), "actual");
            if (actual != other && !paired[k] && same_row(data.list->v[i], data.list->v[k], cols)) {
                paired[i] = paired[k] = true;
            }
        }
        if (!paired[i]) {
            show_row(b, a, actual ? "+ " : "- ", data.list->v[i], cols);
            differ++;
        }
    }
    return differ;
}

static tn_rc judge_unit_test(tn_job *j, tn_node_result *r)
{
    tn_val *main = tn_dict_finds(j->results, TN_STR("main"));
    tn_table *t = NULL;
    tn_buf b = tn_buf_init(j->arena, TN_BUF_NO_LIMIT);
    r->status = TN_ST_PASS;
    r->failures = 0;
    if (main == NULL || !tn_val_is_table(tn_val_at(*main, "table"), &t) || t->names.list->n == 0) {
        return TN_OK;
    }
    size_t cols = t->names.list->n - 1;
    tn_buf_addz(&b, "\n\nactual differs from expected:\n\n  ");
    for (size_t i = 0; i < cols; i++) {
        tn_buf_addf(
            &b, "%s" TN_STR_FMT, i > 0 ? "," : "", TN_STR_ARG(tn_val_as_str(t->names.list->v[i])));
    }
    tn_buf_addc(&b, '\n');
    if (compare_rows(&b, j->arena, t->rows, cols) > 0) {
        r->status = TN_ST_FAIL;
        r->failures = 1;
        r->message = tn_str_dup(r->arena, tn_buf_str(&b));
    }
    return TN_OK;
}

static tn_rc run_unit_test(
    tn_runner *run, tn_worker *w, tn_arena *a, tn_node_result *r, tn_err *err)
{
    tn_node *node;
    tn_job j;
    tn_str sql;
    tn_report_stage(run, r, false);
    tn_report_stage(run, r, true); /* dbt compiles it while it executes it */
    TN_TRY(tn_job_compile_unit_test(
        run->session, w, r->node, run->selected_resources, a, &node, &sql, err));
    TN_TRY(tn_job_init(&j, run->session, w, node, run->selected_resources, a, err));
    j.sql = sql;
    write_artifact(run, a, "compiled", r->node, sql, &r->compiled_path);
    r->compile_end_us = r->execute_start_us = tn_clock_now_us();
    TN_TRY(tn_runner_materialize(run, &j, "unit", err));
    write_artifact(run, a, "run", r->node, j.written, NULL);
    TN_LOCKED(&run->lock);
    r->compiled_code = tn_str_dup(r->arena, sql);
    TN_TRY(judge_unit_test(&j, r));
    r->adapter_response = tn_report_response(r->arena, j.response);
    return TN_OK;
}

/* ---- kinds ---- */

static tn_rc run_materialization(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err)
{
    const tn_node *n = j->node;
    tn_str name = tn_node_config_str(n, "materialized", TN_STR("view"));
    const char *kind = n->kind == TN_NODE_SEED       ? "seed"
                       : n->kind == TN_NODE_SNAPSHOT ? "snapshot"
                       : n->kind == TN_NODE_TEST     ? "test"
                                                     : tn_str_z(j->arena, name);
    if (tn_session_keys_one_at_a_time(j->session, n)) {
        TN_LOCKED(&j->session->foreign_key_lock);
        TN_TRY(tn_runner_materialize(run, j, kind, err));
    } else {
        TN_TRY(tn_runner_materialize(run, j, kind, err));
    }
    TN_TRY(tn_runner_version_pointer(run, j, err));
    TN_LOCKED(&run->lock); /* others look at the status while this one runs */
    if (n->kind == TN_NODE_TEST) {
        TN_TRY(judge_test(run, j, r, err));
    } else {
        r->status = TN_ST_SUCCESS;
        r->message = tn_str_dup(r->arena, tn_val_str_at(j->response, "_message", TN_STR("OK")));
    }
    r->adapter_response = tn_report_response(r->arena, j->response);
    return TN_OK;
}

static tn_rc run_show(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err)
{
    tn_str seed =
        tn_str_printf(j->arena, "select * from " TN_STR_FMT, TN_STR_ARG(j->node->relation_name));
    tn_val args[3] = { tn_val_str(j->node->kind == TN_NODE_SEED ? seed : j->sql),
        tn_node_config(j->node, "sql_header"), TN_VAL_NONE },
           sql, response, table;
    args[1] = tn_val_is_undef(args[1]) ? TN_VAL_NONE : args[1];
    if (run->opts->show_limit >= 0) {
        args[2] = tn_val_int(run->opts->show_limit);
    }
    TN_TRY(tn_pctx_call(&j->pctx, TN_STR("get_show_sql"), args, 3, NULL, 0, &sql, err));
    r->compiled_code = tn_str_dup(
        r->arena, tn_val_to_str(j->arena, sql)); /* with the limit: what the rows are of */
    tn_exec_opts opts = { .fetch = true };
    TN_TRY(tn_job_execute(j, tn_val_to_str(j->arena, sql), &opts, &response, &table, err));
    static const char *const unknown[] = { "code", "rows_affected", "query_id" };
    r->adapter_response = tn_val_dict(r->arena);
    tn_dict_putz(r->adapter_response.dict, "_message", tn_val_z("OK"));
    for (size_t i = 0; i < TN_COUNTOF(unknown); i++) {
        tn_dict_putz(r->adapter_response.dict, unknown[i], TN_VAL_NONE);
    }
    tn_table *t = NULL;
    if (tn_val_is_table(table, &t)) { /* the rows outlive the job */
        TN_LOCKED(&run->lock);
        r->table =
            tn_table_new(r->arena, tn_val_dup(r->arena, t->names), tn_val_dup(r->arena, t->rows));
    }
    r->status = TN_ST_SUCCESS;
    return TN_OK;
}

static tn_rc run_compiled(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err)
{
    if (run->opts->verb == TN_VERB_COMPILE) {
        r->status = TN_ST_SUCCESS;
        return TN_OK;
    }
    if (run->opts->verb == TN_VERB_SHOW) {
        return run_show(run, j, r, err);
    }
    if (j->node->kind == TN_NODE_FUNCTION) {
        TN_TRY(tn_function_make(run, j->worker, j, r, err));
        r->adapter_response = tn_report_response(r->arena, j->response);
        return TN_OK;
    }
    return run_materialization(run, j, r, err);
}

/* dbt's result of a clone: what its statement said, or No-op. */
static tn_rc run_clone(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err)
{
    tn_str there = tn_job_state_relation(j);
    if (there.p != NULL) {
        j->sql = tn_str_printf(j->arena, "select * from " TN_STR_FMT, TN_STR_ARG(there));
    }
    TN_TRY(tn_runner_materialize(run, j, "clone", err));
    TN_LOCKED(&run->lock);
    r->status = TN_ST_SUCCESS;
    r->message = tn_str_dup(r->arena, tn_val_str_at(j->response, "_message", TN_STR("No-op")));
    r->adapter_response = tn_report_response(r->arena, j->response);
    return TN_OK;
}

static bool has_sql(const tn_node *n)
{
    return n->kind != TN_NODE_SEED;
}

static void keep_called(tn_runner *run, const tn_job *j, tn_node_result *r)
{
    TN_LOCKED(&run->lock);
    for (size_t i = 0; i < j->called.n; i++) {
        tn_vec_push(&r->called, r->arena, tn_str_dup(r->arena, j->called.v[i]));
    }
}

static tn_rc run_node(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err)
{
    tn_node *n = j->node;
    if (n->refused.n > 0) {
        tn_macro *m = tn_project_find_materialization(
            run->project, n->package_name, tn_node_config_str(n, "materialized", TN_STR("view")));
        if (m != NULL && n->kind == TN_NODE_MODEL) { /* where dbt refuses it, too, in dbt's words */
            TN_TRY(tn_materialization_takes(run->project, m, TN_STR("python"), err));
        }
        return tn_fail(err, TN_E_UNSUPPORTED, TN_STR_FMT, TN_STR_ARG(n->refused));
    }
    tn_report_stage(run, r, false);
    if (run->opts->verb == TN_VERB_CLONE) {
        r->compile_end_us = r->execute_start_us = tn_clock_now_us();
        return run_clone(run, j, r, err);
    }
    if (has_sql(n)) {
        tn_val ctes;
        if (n->kind == TN_NODE_OPERATION) { /* compiled only: nothing has run */
            tn_dict_putz(j->names, "results", tn_val_list(j->arena));
            tn_dict_putz(j->names, "schemas", tn_val_list(j->arena));
            tn_dict_putz(j->names, "database_schemas", tn_val_list(j->arena));
        }
        j->no_ctes = run->opts->no_ctes;
        TN_TRY(tn_job_compile(j, &ctes, err));
        write_artifact(run, j->arena, "compiled", n, j->sql, &r->compiled_path);
        tn_runner_keep_ephemerals(run, j);
        TN_LOCKED(&run->lock);
        r->compiled_code = tn_str_dup(r->arena, j->sql);
        r->extra_ctes = tn_val_dup(r->arena, ctes);
        r->keyed = tn_val_dup(r->arena, j->keyed);
    }
    if (n->kind == TN_NODE_FUNCTION) {
        TN_TRY(tn_function_compile(run, j->worker, j, r, err));
    }
    r->compile_end_us = tn_clock_now_us();
    r->execute_start_us = r->compile_end_us;
    tn_report_stage(run, r, true);
    tn_rc rc = run_compiled(run, j, r, err);
    keep_called(run, j, r);
    return rc;
}

/* What the database said, without the places and frames of built-in macros through which every statement goes. */
static tn_str without_builtin_frames(tn_arena *a, tn_str msg)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_str rest = msg, line;
    int drop = 0;
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '\n', &line, &rest);
        bool place = tn_str_starts(line, TN_STR("  at macros/dbt"));
        bool frame = tn_str_starts(line, TN_STR("> ")) &&
                     tn_str_find(line, TN_STR(" (macros/dbt"), 0) != SIZE_MAX;
        drop = place ? PLACE_LINES : drop;
        if (drop > 0 || frame) {
            drop -= drop > 0;
            continue;
        }
        tn_buf_addf(&b, "%s" TN_STR_FMT, b.n > 0 ? "\n" : "", TN_STR_ARG(line));
    }
    return tn_buf_str(&b);
}

static tn_str with_dbt_hint(const tn_project *p, tn_arena *a, tn_str msg)
{
    static const tn_str tail = { "' is undefined", sizeof "' is undefined" - 1 };
    tn_str first, rest;
    bool more = tn_str_cut(msg, '\n', &first, &rest);
    if (!tn_str_ends(first, tail)) {
        return msg;
    }
    tn_str name = tn_str_sub(first, 1, first.n - tail.n);
    tn_str near = tn_project_nearest_macro(p, name);
    return tn_str_printf(a,
        TN_STR_FMT ". This can happen when calling a macro that does not exist. Check for typos "
                   "and/or install package dependencies with \"dbt deps\".%s" TN_STR_FMT
                   "%s" TN_STR_FMT "%s",
        TN_STR_ARG(first), more ? "\n" : "", TN_STR_ARG(rest),
        near.n > 0 ? "\nhint: did you mean '" : "", TN_STR_ARG(near), near.n > 0 ? "'?" : "");
}

void tn_runner_keep_error(tn_runner *run, tn_job *j, tn_node_result *r, tn_rc rc, const tn_err *err)
{
    TN_LOCKED(&run->lock);
    tn_rc_kind class = tn_rc_class(rc);
    bool from_outside = rc == TN_E_SQL || class == TN_CLASS_ENV || class == TN_CLASS_CONFLICT ||
                        rc == TN_E_DATA || (rc == TN_E_UNSUPPORTED && j->node->refused.n == 0);
    const char *kind = from_outside ? "Runtime Error" : "Compilation Error";
    r->status = TN_ST_ERROR;
    r->error_kind = tn_str_of(kind);
    tn_buf b = tn_buf_init(r->arena, TN_BUF_NO_LIMIT);
    const tn_node *guilty = j->failed_ephemeral != NULL ? j->failed_ephemeral : j->node;
    tn_buf_addf(&b, "%s in " TN_STR_FMT "\n", kind, TN_STR_ARG(tn_node_where(r->arena, guilty)));
    tn_str msg = tn_str_of(err->msg);
    msg = from_outside ? without_builtin_frames(r->arena, msg)
                       : with_dbt_hint(run->project, r->arena, msg);
    tn_str rest = msg, line;
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '\n', &line, &rest);
        tn_buf_addf(&b, "  " TN_STR_FMT "%s", TN_STR_ARG(line), rest.n > 0 ? "\n" : "");
    }
    tn_str place = tn_str_printf(r->arena, "%s:%d:%d", err->file, err->line, err->col);
    if (err->line > 0 && class == TN_CLASS_USER && !from_outside &&
        tn_str_find(msg, place, 0) == SIZE_MAX) {
        tn_buf_addf(&b, "\n  " TN_STR_FMT, TN_STR_ARG(place));
    }
    if (err->hint[0] != '\0') {
        tn_buf_addf(&b, "\n  hint: %s", err->hint);
    }
    r->message = tn_str_dup(r->arena, tn_buf_str(&b));
    if (j->failed_ephemeral != NULL) {
        tn_event(run->events, TN_EV_ERROR, "RunResultError", "Z024", TN_VAL_UNDEF, "  " TN_STR_FMT,
            TN_STR_ARG(r->message));
        r->status = TN_ST_SKIPPED;
        r->message = tn_str_printf(r->arena,
            "Compilation Error in " TN_STR_FMT
            ", caused by compilation error in referenced ephemeral model " TN_STR_FMT,
            TN_STR_ARG(r->node->unique_id), TN_STR_ARG(j->failed_ephemeral->unique_id));
    }
}

/* Exposures and saved queries only take their place in the order. */
static bool is_no_op(const tn_node *n)
{
    return n->kind == TN_NODE_EXPOSURE || n->kind == TN_NODE_SAVED_QUERY;
}

bool tn_runner_empty(const tn_runner *run)
{
    return tn_val_truthy(tn_val_at(tn_project_flags(run->project), "EMPTY"));
}

static bool in_batches(const tn_runner *run, const tn_node *n)
{
    return (run->opts->verb == TN_VERB_RUN || run->opts->verb == TN_VERB_BUILD) &&
           tn_node_is_microbatch(n) && tn_project_runs_batches(run->project);
}

void tn_runner_node(tn_runner *run, tn_worker *w, tn_node_result *r)
{
    TN_AUTO_ARENA a = tn_arena_new("node", NULL);
    tn_err err = TN_ERR_INIT;
    tn_job j;
    r->arena = w->keep;
    r->started_us = tn_clock_now_us();
    r->failures = -1;
    if (is_no_op(r->node)) {
        r->status = TN_ST_NO_OP;
        r->message = TN_STR("NO-OP");
        r->failures = 0;
        r->compile_end_us = r->execute_start_us = r->finished_us = tn_clock_now_us();
        return;
    }
    tn_rc rc = tn_job_init(&j, run->session, w, r->node, run->selected_resources, a, &err);
    if (rc == TN_OK) {
        j.empty = tn_runner_empty(run);
        j.window = run->sample;
        if (r->node->kind == TN_NODE_SOURCE) {
            tn_report_stage(run, r, false);
            tn_report_stage(run, r, true);
        }
        rc = in_batches(run, r->node)             ? tn_microbatch_run(run, w, r, &err)
             : r->node->kind == TN_NODE_UNIT_TEST ? run_unit_test(run, w, a, r, &err)
             : r->node->kind == TN_NODE_SOURCE    ? tn_freshness_run(run, &j, r, &err)
                                                  : run_node(run, &j, r, &err);
    }
    if (rc != TN_OK) {
        tn_lake_target_explain(run->session->lake, &err);
        tn_runner_keep_error(run, &j, r, rc, &err);
    }
    tn_job_rollback(&j);
    if (j.written.n > 0) {
        write_artifact(run, a, "run", r->node, j.written, NULL);
    }
    r->finished_us = tn_clock_now_us();
    r->compile_end_us = r->compile_end_us == 0 ? r->finished_us : r->compile_end_us;
    r->relation_name = r->node->relation_name;
}

void tn_runner_skip(tn_runner *run, tn_node_result *r)
{
    (void)run;
    r->status = TN_ST_SKIPPED;
    r->failures = -1;
    r->started_us = r->finished_us = tn_clock_now_us();
    r->relation_name = r->node->relation_name;
}

/* ---- on-run-start, on-run-end ---- */

static tn_rc compile_hook(tn_job *j, tn_node_result *r, tn_str *ret_sql, tn_err *err)
{
    tn_jinja_src src = { .file = tn_str_z(j->arena, r->node->original_file_path),
        .line = r->node->raw_line };
    return tn_pctx_render(&j->pctx, r->node->raw_code, src, ret_sql, err);
}

static tn_rc run_hook(tn_runner *run, tn_job *j, tn_node_result *r, tn_str sql, tn_err *err)
{
    tn_val response, table;
    r->compile_end_us = r->execute_start_us = tn_clock_now_us();
    r->compiled_code = tn_str_dup(r->arena, sql);
    write_artifact(run, j->arena, "compiled", r->node, sql, &r->compiled_path);
    if (tn_sql_skip_blank(sql).n > 0) {
        tn_exec_opts opts = { .auto_begin = false };
        TN_TRY(tn_job_execute(j, sql, &opts, &response, &table, err));
    }
    TN_TRY(tn_job_commit(j, err));
    r->status = TN_ST_SUCCESS;
    r->failures = 0;
    return TN_OK;
}

/* "f.on-run-start.1 failed, error:" and what was said. */
static void keep_hook_error(tn_runner *run, tn_node_result *r, tn_rc rc, const tn_err *err)
{
    tn_str text = without_builtin_frames(run->arena, tn_str_of(err->msg));
    r->status = TN_ST_ERROR;
    r->error_kind = TN_STR("Runtime Error");
    r->failures = 1;
    r->message = tn_str_printf(run->arena, TN_STR_FMT " failed, error:\n %s" TN_STR_FMT "%s%s",
        TN_STR_ARG(tn_hook_name(run->arena, r->node)),
        tn_rc_class(rc) == TN_CLASS_USER && rc != TN_E_SQL ? "Compilation Error\n  " : "",
        TN_STR_ARG(text), err->hint[0] != '\0' ? "\n  hint: " : "", err->hint);
}

/* results, schemas and database_schemas of on-run-end. */
static void add_end_names(tn_runner *run, tn_job *j)
{
    tn_val results = tn_val_list(j->arena), schemas = tn_val_list(j->arena),
           pairs = tn_val_list(j->arena), seen = tn_val_set(j->arena);
    for (size_t i = 0; i < run->order_count; i++) {
        const tn_node_result *r = &run->results[run->order[i]];
        tn_list_push(results.list, tn_result_object(run, j->arena, r));
    }
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        tn_status s = run->results[i].status;
        if (!tn_runner_places(run, n) || s == TN_ST_SKIPPED || s == TN_ST_NONE ||
            s == TN_ST_ERROR || s == TN_ST_FAIL) {
            continue;
        }
        tn_val pair[2] = { tn_val_str(n->database), tn_val_str(n->schema) },
               tuple = tn_val_tuple(j->arena, pair, 2);
        if (tn_dict_find(seen.dict, tuple) == NULL) {
            tn_dict_put(seen.dict, tuple, TN_VAL_TRUE);
            tn_list_push(pairs.list, tuple);
            tn_list_push(schemas.list, pair[1]);
        }
    }
    tn_dict_putz(j->names, "results", results);
    tn_dict_putz(j->names, "schemas", schemas);
    tn_dict_putz(j->names, "database_schemas", pairs);
}

static bool is_hook(const tn_node *n, bool at_end)
{
    return n->kind == TN_NODE_OPERATION &&
           tn_str_find(n->name, at_end ? TN_STR("on-run-end") : TN_STR("on-run-start"), 0) !=
               SIZE_MAX;
}

static tn_node_result hook_result(tn_runner *run, tn_node *n)
{
    return (tn_node_result){ .node = n,
        .arena = run->arena,
        .started_us = tn_clock_now_us(),
        .thread = TN_STR("main"),
        .failures = -1 };
}

static void keep_hook(tn_runner *run, tn_node_result *r, size_t index, size_t total)
{
    r->finished_us = tn_clock_now_us();
    r->adapter_response = tn_val_dict(run->arena);
    tn_vec_push(&run->hooks, run->arena, *r);
    tn_report_hook(run, &tn_vec_last(&run->hooks), index, total, true);
}

/* Those behind one that failed. */
static void skip_hook(tn_runner *run, tn_node *n, size_t index, size_t total)
{
    tn_node_result r = hook_result(run, n);
    r.status = TN_ST_SKIPPED;
    r.failures = 1;
    r.message =
        tn_str_printf(run->arena, TN_STR_FMT " skipped", TN_STR_ARG(tn_hook_name(run->arena, n)));
    keep_hook(run, &r, index, total);
}

static bool carry_out_hook(
    tn_runner *run, tn_worker *w, tn_node *n, bool at_end, size_t index, size_t total)
{
    TN_AUTO_ARENA a = tn_arena_new("hook", NULL);
    tn_node_result r = hook_result(run, n);
    tn_err inner = TN_ERR_INIT;
    tn_job j;
    tn_rc rc = tn_job_init(&j, run->session, w, n, run->selected_resources, a, &inner);
    if (rc == TN_OK && at_end) {
        add_end_names(run, &j);
    }
    tn_str sql = TN_STR("");
    rc = rc == TN_OK ? compile_hook(&j, &r, &sql, &inner) : rc;
    write_artifact(run, a, "compiled", n, sql, NULL);
    tn_report_hook(run, &r, index, total, false);
    rc = rc == TN_OK ? run_hook(run, &j, &r, sql, &inner) : rc;
    if (rc != TN_OK) {
        keep_hook_error(run, &r, rc, &inner);
    }
    tn_job_rollback(&j);
    keep_hook(run, &r, index, total);
    return rc == TN_OK;
}

tn_rc tn_runner_hooks(tn_runner *run, tn_worker *w, bool at_end, bool *ret_failed, tn_err *err)
{
    (void)err;
    size_t total = 0, index = 0;
    *ret_failed = false;
    for (size_t i = 0; i < run->project->nodes.n; i++) {
        total += is_hook(run->project->nodes.v[i], at_end);
    }
    if (total > 0) {
        tn_event(run->events, TN_EV_INFO, "Formatting", "Z017", TN_VAL_UNDEF, "%s", "");
    }
    for (size_t i = 0; i < run->project->nodes.n; i++) {
        tn_node *n = run->project->nodes.v[i];
        if (!is_hook(n, at_end)) {
            continue;
        }
        index++;
        if (*ret_failed) {
            skip_hook(run, n, index, total);
        } else {
            *ret_failed = !carry_out_hook(run, w, n, at_end, index, total);
        }
    }
    return TN_OK;
}
