/* function.c: functions of the database: the function of the node's own file, then each of its overloads by the same materialization, with the
 * overload's arguments, return type and body in place of its own. All are tried; some failed makes the node a partial success, as with dbt.
 */
#include "os/clock.h"
#include "run/report/runner.h"

/* The node as one of its overloads. */
static tn_node as_overload(tn_arena *a, const tn_node *n, tn_val overload)
{
    tn_node copy = *n;
    tn_val returns = tn_val_at(overload, "returns");
    copy.raw_code = tn_val_str_at(overload, "raw_body", TN_STR(""));
    copy.extra = tn_val_dict(a);
    tn_dict_putz(copy.extra.dict, "returns",
        returns.tag == TN_DICT ? returns : tn_val_at(n->extra, "returns"));
    tn_dict_putz(copy.extra.dict, "arguments", tn_val_at(overload, "arguments"));
    tn_dict_putz(copy.extra.dict, "overloads", tn_val_at(n->extra, "overloads"));
    return copy;
}

static tn_rc begin_job(
    tn_runner *run, tn_worker *w, tn_node *n, tn_arena *a, tn_job *ret, tn_err *err)
{
    TN_TRY(tn_job_init(ret, run->session, w, n, run->selected_resources, a, err));
    return tn_job_compile(ret, NULL, err);
}

tn_rc tn_function_compile(tn_runner *run, tn_worker *w, tn_job *j, tn_node_result *r, tn_err *err)
{
    tn_val list = tn_val_at(j->node->extra, "overloads"), out = tn_val_list(r->arena);
    for (size_t i = 0; i < list.list->n; i++) {
        TN_AUTO_ARENA a = tn_arena_new("overload", NULL);
        tn_node copy = as_overload(a, j->node, list.list->v[i]);
        tn_job o;
        TN_TRY(begin_job(run, w, &copy, a, &o, err));
        tn_val done = tn_val_dup(r->arena, list.list->v[i]);
        tn_dict_putz(done.dict, "compiled_body", tn_val_str_dup(r->arena, o.sql));
        tn_list_push(out.list, done);
    }
    TN_LOCKED(&run->lock);
    r->overloads = out;
    return TN_OK;
}

/* ---- making ---- */

typedef struct making {
    tn_runner *run;
    tn_worker *worker;
    tn_node_result *result;
    tn_arena *arena;
    tn_val
        signatures; /* what the database has so far: list of {arguments, returns, compiled_code} */
    tn_val before;  /* retry: overload_results of the run before, or undefined */
} making;

/* DuckDB knows all signatures of a macro by one statement: the ones that are there are named again (`made_signatures`), and those of a run before
 * a retry are made once more with them. */
static tn_rc make_signature(making *m, tn_job *j, tn_err *err)
{
    tn_dict_putz(j->names, "made_signatures", m->signatures);
    TN_TRY(tn_runner_materialize(m->run, j,
        tn_str_z(j->arena, tn_node_config_str(j->node, "materialized", TN_STR("function"))), err));
    tn_val s = tn_val_dict(m->arena);
    tn_dict_putz(s.dict, "arguments", tn_val_at(j->node->extra, "arguments"));
    tn_dict_putz(s.dict, "returns", tn_val_at(j->node->extra, "returns"));
    tn_dict_putz(s.dict, "compiled_code", tn_val_str_dup(m->arena, j->sql));
    tn_list_push(m->signatures.list, s);
    return TN_OK;
}

static bool made_before(const making *m, tn_val name)
{
    tn_val good = tn_val_at(m->before, "successful");
    for (size_t i = 0; tn_val_is_seq(good) && i < good.list->n; i++) {
        if (tn_val_eq(good.list->v[i], name)) {
            return true;
        }
    }
    return false;
}

static tn_status run_overload(making *m, size_t i, tn_val overload, size_t total)
{
    TN_AUTO_ARENA a = tn_arena_new("overload", NULL);
    tn_err err = TN_ERR_INIT;
    tn_node copy = as_overload(a, m->result->node, overload);
    tn_val name = tn_val_at(overload, "defined_in");
    tn_node_result r = {
        .node = &copy, .arena = a, .index = i + 1, .started_us = tn_clock_now_us(), .failures = -1
    };
    tn_str what = tn_str_printf(a, "function " TN_STR_FMT " overload " TN_STR_FMT,
        TN_STR_ARG(copy.name), TN_STR_ARG(tn_val_as_str(name)));
    bool again = made_before(m, name);
    tn_job j = { 0 };
    if (!again) {
        tn_report_overload(m->run, &r, what, total, false);
    }
    tn_rc rc = begin_job(m->run, m->worker, &copy, a, &j, &err);
    rc = rc == TN_OK ? make_signature(m, &j, &err) : rc;
    r.status = rc != TN_OK ? TN_ST_ERROR : again ? TN_ST_SKIPPED : TN_ST_SUCCESS;
    r.finished_us = tn_clock_now_us();
    if (rc != TN_OK) {
        tn_job_rollback(&j);
        what = tn_str_printf(a, TN_STR_FMT ": %s", TN_STR_ARG(what), err.msg);
    }
    tn_report_overload(m->run, &r, what, total, true);
    return r.status;
}

tn_rc tn_function_make(tn_runner *run, tn_worker *w, tn_job *j, tn_node_result *r, tn_err *err)
{
    const tn_dict *known = run->opts->overloads;
    const tn_val *before = known != NULL ? tn_dict_finds(known, j->node->unique_id) : NULL;
    making m = { .run = run,
        .worker = w,
        .result = r,
        .arena = j->arena,
        .signatures = tn_val_list(j->arena),
        .before = before != NULL ? *before : TN_VAL_UNDEF };
    tn_val list = tn_val_at(j->node->extra, "overloads"), good = tn_val_list(r->arena),
           bad = tn_val_list(r->arena);
    TN_TRY(make_signature(&m, j, err));
    for (size_t i = 0; i < list.list->n; i++) {
        tn_status s = run_overload(&m, i, list.list->v[i], list.list->n);
        tn_list_push(s == TN_ST_ERROR ? bad.list : good.list,
            tn_val_dup(r->arena, tn_val_at(list.list->v[i], "defined_in")));
    }
    TN_LOCKED(&run->lock);
    r->overload_results = tn_val_dict(r->arena);
    tn_dict_putz(r->overload_results.dict, "successful", good);
    tn_dict_putz(r->overload_results.dict, "failed", bad);
    r->status = bad.list->n > 0 ? TN_ST_PARTIAL : TN_ST_SUCCESS;
    r->message =
        bad.list->n > 0
            ? tn_str_printf(r->arena, "PARTIAL SUCCESS " TN_STR_FMT, TN_STR_ARG(j->node->name))
            : tn_str_dup(r->arena, tn_val_str_at(j->response, "_message", TN_STR("OK")));
    return TN_OK;
}
