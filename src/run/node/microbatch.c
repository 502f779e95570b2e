/* microbatch.c: a model with the strategy microbatch is built batch by batch: each is compiled with its inputs cut to the batch's time and
 * carried out by the model's materialization. Batches run in order on the node's worker; the first that fails stops the rest only when
 * it is the very first. What failed is in run_results.json, and `retry` builds that again.
 *
 * In a lake a model of which a batch failed is not published, and what is not published does not stay: `retry` builds all its batches.
 */
#include "os/clock.h"
#include "run/report/runner.h"

typedef struct batched {
    tn_runner *run;
    tn_worker *worker;
    tn_node_result *result; /* of the node */
    tn_batch_size size;
    tn_batches batches;
    bool was_incremental; /* before the first batch */
} batched;

/* ---- which batches ---- */

static void read_config(const tn_node *n, tn_batch_plan *ret)
{
    tn_val lookback = tn_node_config(n, "lookback");
    (void)tn_batch_size_find(tn_node_config_str(n, "batch_size", TN_STR_NONE), &ret->size);
    (void)tn_batch_time_of(tn_node_config(n, "begin"), &ret->begin_us);
    ret->lookback = lookback.tag == TN_INT ? lookback.i : 1;
}

static void add_batches(tn_arena *a, tn_val pairs, tn_batches *ret)
{
    for (size_t i = 0; tn_val_is_seq(pairs) && i < pairs.list->n; i++) {
        tn_batch b;
        tn_val pair = pairs.list->v[i];
        if (tn_val_is_seq(pair) && pair.list->n == 2 &&
            tn_batch_time_of(pair.list->v[0], &b.start_us) &&
            tn_batch_time_of(pair.list->v[1], &b.end_us)) {
            tn_vec_push(ret, a, b);
        }
    }
}

static int by_start(const void *x, const void *y)
{
    const tn_batch *a = x, *b = y;
    return (a->start_us > b->start_us) - (a->start_us < b->start_us);
}

/* The batches of the run before, when this one retries it. */
static tn_val previous_of(const batched *m)
{
    const tn_dict *all = m->run->opts->batches;
    const tn_val *v = all != NULL ? tn_dict_finds(all, m->result->node->unique_id) : NULL;
    return v != NULL ? *v : TN_VAL_UNDEF;
}

static tn_rc was_incremental(batched *m, tn_arena *a, tn_err *err)
{
    tn_job j;
    tn_val v;
    TN_TRY(tn_job_init(
        &j, m->run->session, m->worker, m->result->node, m->run->selected_resources, a, err));
    TN_TRY(tn_pctx_call(&j.pctx, TN_STR("is_incremental"), NULL, 0, NULL, 0, &v, err));
    m->was_incremental = tn_val_truthy(v);
    return tn_job_commit(&j, err);
}

static tn_rc choose(batched *m, tn_arena *a, tn_err *err)
{
    tn_batch_plan plan = { .begin_us = TN_TIME_NONE,
        .is_incremental = m->was_incremental,
        .from_us = m->run->window.start_us,
        .to_us = m->run->window.end_us,
        .now_us = m->run->opts->began_us > 0 ? m->run->opts->began_us : m->run->started_us };
    read_config(m->result->node, &plan);
    m->size = plan.size;
    tn_val before = previous_of(m);
    add_batches(a, tn_val_at(before, "failed"), &m->batches);
    if (m->run->session->is_lake) {
        add_batches(a, tn_val_at(before, "successful"), &m->batches);
    }
    if (m->batches.n > 0) {
        qsort(m->batches.v, m->batches.n, sizeof *m->batches.v, by_start);
        return TN_OK;
    }
    return tn_batches_of(a, &plan, &m->batches, err);
}

/* ---- one batch ---- */

/* Hooks before the model run before its first batch, those after it after its last. */
static void cut_hooks(const batched *m, size_t i, tn_arena *a, tn_node *n)
{
    tn_val config = tn_val_dup(a, (tn_val){ .tag = TN_DICT, .dict = n->config });
    if (i > 0) {
        tn_dict_putz(config.dict, "pre-hook", tn_val_list(a));
    }
    if (i + 1 < m->batches.n) {
        tn_dict_putz(config.dict, "post-hook", tn_val_list(a));
    }
    n->config = config.dict;
}

static tn_rc say_true(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = TN_VAL_TRUE;
    return TN_OK;
}

static tn_rc say_false(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = TN_VAL_FALSE;
    return TN_OK;
}

static tn_rc build(batched *m, size_t i, tn_job *j, tn_node_result *r, tn_err *err)
{
    tn_arena *a = j->arena;
    tn_str label = tn_batch_label(a, m->batches.v[i].start_us, m->size);
    tn_val ctes;
    tn_job_set_batch(j, &m->batches.v[i], m->size);
    if (m->run->sample.start_us != TN_TIME_NONE) {
        const tn_batch *s = &m->run->sample;
        j->window.start_us = s->start_us > j->window.start_us ? s->start_us : j->window.start_us;
        j->window.end_us = s->end_us < j->window.end_us ? s->end_us : j->window.end_us;
    }
    TN_TRY(tn_job_compile(j, &ctes, err));
    tn_runner_artifact(m->run, a, "compiled", j->node, label, j->sql, &r->compiled_path);
    if (i > 0 ||
        m->was_incremental) { /* whatever the flags say: the first batch has made the table */
        tn_dict_putz(j->names, "is_incremental", tn_val_fn(a, "is_incremental", say_true, NULL));
        tn_dict_putz(
            j->names, "should_full_refresh", tn_val_fn(a, "should_full_refresh", say_false, NULL));
    }
    TN_TRY(tn_runner_materialize(
        m->run, j, tn_str_z(a, tn_node_config_str(j->node, "materialized", TN_STR_NONE)), err));
    tn_runner_artifact(m->run, a, "run", j->node, label, j->written, NULL);
    r->message = tn_str_dup(r->arena, tn_val_str_at(j->response, "_message", TN_STR("OK")));
    return TN_OK;
}

static tn_status run_batch(batched *m, size_t i, bool skip)
{
    TN_AUTO_ARENA a = tn_arena_new("batch", NULL);
    tn_err err = TN_ERR_INIT;
    tn_node node = *m->result->node;
    tn_node_result r = { .node = &node, .arena = a, .started_us = tn_clock_now_us() };
    tn_str name = tn_str_printf(a, "batch " TN_STR_FMT " of " TN_STR_FMT "." TN_STR_FMT,
        TN_STR_ARG(tn_batch_label(a, m->batches.v[i].start_us, m->size)), TN_STR_ARG(node.schema),
        TN_STR_ARG(node.alias));
    r.index = i + 1;
    if (skip) {
        r.status = TN_ST_SKIPPED;
        r.finished_us = r.started_us;
        tn_report_batch(m->run, &r, name, m->batches.n, true);
        return r.status;
    }
    tn_report_batch(m->run, &r, name, m->batches.n, false);
    cut_hooks(m, i, a, &node);
    tn_job j;
    tn_rc rc =
        tn_job_init(&j, m->run->session, m->worker, &node, m->run->selected_resources, a, &err);
    j.empty = tn_runner_empty(m->run);
    rc = rc == TN_OK ? build(m, i, &j, &r, &err) : rc;
    r.status = rc == TN_OK ? TN_ST_SUCCESS : TN_ST_ERROR;
    tn_job_rollback(&j);
    r.finished_us = tn_clock_now_us();
    if (rc != TN_OK) {
        tn_runner_keep_error(m->run, &j, &r, rc, &err);
        tn_event(m->run->events, TN_EV_ERROR, "GenericExceptionOnRun", "W004", TN_VAL_UNDEF,
            "[ERROR]: Unhandled error while executing " TN_STR_FMT
            "\nException on worker thread. " TN_STR_FMT,
            TN_STR_ARG(name), TN_STR_ARG(r.message));
    }
    tn_report_batch(m->run, &r, name, m->batches.n, true);
    return r.status;
}

/* ---- the node's result ---- */

static void note(tn_arena *a, tn_val list, const tn_batch *b)
{
    tn_val pair = tn_val_list(a);
    tn_list_push(pair.list, tn_val_str(tn_batch_time(a, b->start_us, 'T')));
    tn_list_push(pair.list, tn_val_str(tn_batch_time(a, b->end_us, 'T')));
    tn_list_push(list.list, pair);
}

static void judge(batched *m, tn_val good, tn_val bad)
{
    tn_node_result *r = m->result;
    size_t failed = bad.list->n, passed = good.list->n;
    tn_val before =
        m->run->session->is_lake ? TN_VAL_UNDEF : tn_val_at(previous_of(m), "successful");
    TN_LOCKED(&m->run->lock);
    r->failures = 0;
    r->status = failed == 0 ? TN_ST_SUCCESS : passed == 0 ? TN_ST_ERROR : TN_ST_PARTIAL;
    r->message = failed == 0   ? TN_STR("SUCCESS")
                 : passed == 0 ? TN_STR("ERROR")
                               : tn_str_printf(r->arena, "PARTIAL SUCCESS (%zu/%zu)", passed,
                                     passed + failed);
    for (size_t i = 0; tn_val_is_seq(before) && i < before.list->n; i++) {
        tn_list_push(good.list, tn_val_dup(r->arena, before.list->v[i]));
    }
    r->batch_results = tn_val_dict(r->arena);
    tn_dict_putz(r->batch_results.dict, "successful", good);
    tn_dict_putz(r->batch_results.dict, "failed", bad);
    r->adapter_response = tn_val_dict(r->arena);
}

tn_rc tn_microbatch_run(tn_runner *run, tn_worker *w, tn_node_result *r, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("batches", NULL);
    batched m = { .run = run, .worker = w, .result = r };
    TN_TRY(was_incremental(&m, a, err));
    TN_TRY(choose(&m, a, err));
    tn_val good = tn_val_list(r->arena), bad = tn_val_list(r->arena);
    bool skip = false;
    for (size_t i = 0; i < m.batches.n; i++) {
        tn_status s = run->interrupted ? TN_ST_SKIPPED : run_batch(&m, i, skip);
        skip = skip || (i == 0 && s != TN_ST_SUCCESS);
        note(r->arena, s == TN_ST_SUCCESS ? good : bad, &m.batches.v[i]);
    }
    judge(&m, good, bad);
    if (r->status == TN_ST_SUCCESS) {
        tn_job j;
        TN_TRY(tn_job_init(&j, run->session, w, r->node, run->selected_resources, a, err));
        TN_TRY(tn_runner_version_pointer(run, &j, err));
    }
    return TN_OK;
}
