/* schedule.c: the plan on worker threads, in the order of order.c.
 *
 * Nodes start in the order in which they became ready; those that became ready together by their depth, then by unique_id. The number that
 * the console shows is given then, as dbt's queue does. Fail-fast and Ctrl-C start nothing more and wait for what runs (on Ctrl-C its statement is
 * interrupted); what was not started is skipped.
 */
#include "os/clock.h"
#include "os/proc.h"
#include "run/report/runner.h"

enum { INTERRUPT_POLL_MS = 100 };

typedef struct graph {
    tn_runner *run;
    tn_order order;
} graph;

typedef struct worker_arg {
    graph *g;
    tn_worker *worker;
} worker_arg;

/* What became ready since `from` gets its numbers. */
static void number_ready(graph *g, size_t from)
{
    for (size_t i = from; i < g->order.ready.n; i++) {
        g->run->results[g->order.ready.v[i]].index = ++g->run->next_number;
    }
}

static bool blocks(const tn_node_result *r)
{
    return r->status == TN_ST_ERROR || r->status == TN_ST_FAIL || r->status == TN_ST_SKIPPED ||
           r->status == TN_ST_PARTIAL;
}

/* Under the lock: the node is done; its children may become ready, or skipped. */
static void finish(graph *g, uint32_t place)
{
    tn_runner *run = g->run;
    run->order[run->order_count++] = place;
    run->done++;
    bool bad = blocks(&run->results[place]);
    size_t before = g->order.ready.n;
    const tn_places *children = &g->order.children[place];
    for (size_t i = 0; i < children->n; i++) {
        uint32_t c = children->v[i];
        if (bad && run->results[c].status == TN_ST_NONE) {
            run->results[c].status = TN_ST_SKIPPED; /* told when its turn comes */
            run->results[c].yielded = run->results[place].yielded;
        }
    }
    tn_order_done(&g->order, place);
    number_ready(g, before);
    tn_cond_broadcast(&run->changed);
}

static bool failed(const tn_node_result *r)
{
    return r->status == TN_ST_ERROR || r->status == TN_ST_FAIL || r->status == TN_ST_PARTIAL;
}

static void run_one(graph *g, tn_worker *w, uint32_t place)
{
    tn_runner *run = g->run;
    tn_node_result *r = &run->results[place];
    r->thread = tn_str_printf(run->arena, "Thread-%d (worker)", w->number);
    bool skip = r->status == TN_ST_SKIPPED || run->stop,
         cut_off = skip && r->status != TN_ST_SKIPPED && !run->interrupted;
    run->running++;
    tn_live_starts(run, w, place);
    tn_mutex_unlock(&run->lock);
    if (skip) {
        tn_runner_skip(run, r);
        r->message = cut_off ? TN_STR("Skipping due to fail_fast") : r->message;
        if (!cut_off) {
            tn_report_start(run, r);
        }
    } else {
        tn_report_start(run, r);
        tn_report_connection(run, w, r->node->unique_id);
        if (tn_runner_await_turn(run, w, r)) {
            tn_runner_node(run, w, r);
        }
    }
    if (!cut_off) { /* dbt does not tell of them one by one */
        tn_report_end(run, r);
    }
    tn_mutex_lock(&run->lock);
    r->finished = true;
    tn_mutex_unlock(&run->lock);
    tn_runner_publish_now(run, r);
    tn_mutex_lock(&run->lock);
    run->running--;
    tn_live_ends(run, w, place);
    bool at_first = run->opts->fail_fast || run->opts->verb == TN_VERB_COMPILE ||
                    run->opts->verb == TN_VERB_SHOW;
    run->stop = run->stop || (at_first && failed(r));
    finish(g, place);
}

static void work(void *p)
{
    worker_arg *arg = p;
    graph *g = arg->g;
    tn_runner *run = g->run;
    tn_events_set_thread(arg->worker->name);
    tn_mutex_lock(&run->lock);
    while (run->done < run->plan.n) {
        if (g->order.head == g->order.ready.n) {
            tn_cond_wait(&run->changed, &run->lock);
            continue;
        }
        run_one(g, arg->worker, g->order.ready.v[g->order.head++]);
    }
    tn_mutex_unlock(&run->lock);
}

/* The main thread looks for Ctrl-C while the workers work. */
static void watch(tn_runner *run)
{
    TN_LOCKED(&run->lock);
    while (run->done < run->plan.n) {
        (void)tn_cond_wait_ms(&run->changed, &run->lock, INTERRUPT_POLL_MS);
        tn_live_show(run);
        if (tn_interrupted() && !run->interrupted) {
            run->interrupted = run->stop = true;
            tn_event(run->events, TN_EV_WARN, "InterruptSeen", "T004", TN_VAL_UNDEF,
                "interrupted: waiting for what runs, starting nothing more");
        }
        /* Again and again: a node that was between two statements has begun the next one since. */
        for (size_t i = 0; run->interrupted && i < run->worker_count; i++) {
            tn_conn_interrupt(run->workers[i].conn);
        }
    }
}

tn_rc tn_runner_schedule(tn_runner *run, tn_err *err)
{
    graph g = { .run = run, .order = tn_order_begin(run) };
    run->order = tn_new_array(run->arena, uint32_t, run->plan.n + 1);
    number_ready(&g, 0);
    worker_arg *args = tn_new_array(run->arena, worker_arg, run->worker_count);
    tn_thread **threads = tn_new_array(run->arena, tn_thread *, run->worker_count);
    size_t started = 0;
    tn_rc rc = TN_OK;
    tn_live_begin(run);
    for (; started < run->worker_count && rc == TN_OK; started++) {
        args[started] = (worker_arg){ &g, &run->workers[started] };
        rc = tn_thread_start(
            work, &args[started], run->workers[started].name, &threads[started], err);
    }
    if (rc != TN_OK) {
        started--;
        TN_LOCKED(&run->lock);
        run->stop = true; /* those that did start skip the rest; with none, nothing was begun */
    }
    if (started > 0) {
        watch(run);
    }
    for (size_t i = 0; i < started; i++) {
        tn_thread_join(threads[i]);
    }
    tn_live_end(run);
    return rc;
}
