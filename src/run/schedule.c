/* schedule.c: the plan on worker threads. A node starts when all of its planned ancestors are done, also those that it reaches only through
 * nodes that are not planned. With build, a node's tests stand between it and its children: a failed test stops them, as dbt does.
 *
 * Nodes start in the order in which they became ready; those that became ready together by their depth, then by unique_id. The number that
 * the console shows is given then, as dbt's queue does. Fail-fast and Ctrl-C start nothing more and wait for what runs (on Ctrl-C its statement is
 * interrupted); what was not started is skipped.
 */
#include "os/clock.h"
#include "os/proc.h"
#include "run/runner.h"

enum { INTERRUPT_POLL_MS = 100 };

typedef struct graph {
    tn_runner *run;
    tn_places *children; /* by place */
    uint32_t *stamp;     /* by node->index: visited in this walk */
    uint32_t turn;
    uint32_t *depth; /* by place: the longest way from a node that waits for none */
    tn_places ready; /* first come, first served, from `head` on */
    size_t head;
} graph;

typedef struct worker_arg {
    graph *g;
    tn_worker *worker;
} worker_arg;

static uint32_t place_of(const tn_runner *run, const tn_node *n)
{
    return n->index == UINT32_MAX ? UINT32_MAX : run->place[n->index];
}

/* The same edge twice is counted twice, here and when its parent is done. */
static void add_edge(graph *g, uint32_t from, uint32_t to)
{
    tn_vec_push(&g->children[from], g->run->arena, to);
    g->run->waiting[to]++;
}

/* Edges to `child` from the nearest planned ancestors of n. */
static void link_up(graph *g, const tn_node *n, uint32_t child)
{
    for (size_t i = 0; i < n->parents.n; i++) {
        const tn_node *p = n->parents.v[i];
        if (p->index == UINT32_MAX || g->stamp[p->index] == g->turn) {
            continue;
        }
        g->stamp[p->index] = g->turn;
        uint32_t at = place_of(g->run, p);
        if (at != UINT32_MAX) {
            add_edge(g, at, child);
        } else {
            link_up(g, p, child);
        }
    }
}

/* Ancestors come earlier in the topological order: what is before `wanted` cannot have it above. */
static bool is_ancestor(graph *g, const tn_node *wanted, const tn_node *n)
{
    for (size_t i = 0; i < n->parents.n; i++) {
        const tn_node *p = n->parents.v[i];
        if (p == wanted) {
            return true;
        }
        if (p->rank > wanted->rank && p->index != UINT32_MAX && g->stamp[p->index] != g->turn) {
            g->stamp[p->index] = g->turn;
            if (is_ancestor(g, wanted, p)) {
                return true;
            }
        }
    }
    return false;
}

/* The test must pass before `child` when all that it looks at is above the child. */
static bool gates(graph *g, const tn_node *test, const tn_node *child)
{
    for (size_t i = 0; test->parents.n > 1 && i < test->parents.n; i++) {
        g->turn++;
        if (!is_ancestor(g, test->parents.v[i], child)) {
            return false;
        }
    }
    return true;
}

static bool is_test(const tn_node *n)
{
    return n->kind == TN_NODE_TEST || n->kind == TN_NODE_UNIT_TEST;
}

/* As in dbt, a failed test holds up what is built, not what only looks at it. */
static bool is_gated(const tn_node *n)
{
    return n->kind != TN_NODE_EXPOSURE && n->kind != TN_NODE_SAVED_QUERY &&
           n->kind != TN_NODE_METRIC && n->kind != TN_NODE_SEMANTIC_MODEL;
}

/* Planned descendants of n that are no tests, nearest ones only. */
static void gate_children(graph *g, const tn_node *n, const tn_node *test, uint32_t test_place)
{
    for (size_t i = 0; i < n->children.n; i++) {
        const tn_node *c = n->children.v[i];
        uint32_t at = place_of(g->run, c);
        if (is_test(c) || !is_gated(c)) {
            continue;
        }
        if (at == UINT32_MAX) {
            gate_children(g, c, test, test_place);
        } else if (gates(g, test, c)) {
            add_edge(g, test_place, at);
        }
    }
}

void tn_places_put(tn_places *heap, tn_arena *a, uint32_t place)
{
    tn_vec_push(heap, a, place);
    uint32_t *v = heap->v;
    size_t at = heap->n - 1;
    for (; at > 0 && v[(at - 1) / 2] > place; at = (at - 1) / 2) {
        v[at] = v[(at - 1) / 2];
    }
    v[at] = place;
}

uint32_t tn_places_take(tn_places *heap)
{
    uint32_t *v = heap->v, first = v[0], last = v[--heap->n];
    size_t n = heap->n, at = 0;
    while (2 * at + 1 < n) {
        size_t child = 2 * at + 1;
        child += child + 1 < n && v[child + 1] < v[child];
        if (v[child] >= last) {
            break;
        }
        v[at] = v[child];
        at = child;
    }
    v[at] = last;
    return first;
}

static void make_graph(graph *g)
{
    tn_runner *run = g->run;
    bool ordered = run->opts->verb != TN_VERB_CLONE; /* clones do not read each other */
    for (uint32_t i = 0; ordered && i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        g->turn++;
        /* A unit test needs what its model reads, and the model waits for it. */
        bool unit = n->kind == TN_NODE_UNIT_TEST && n->parents.n > 0;
        link_up(g, unit ? n->parents.v[0] : n, i);
        uint32_t model = unit ? place_of(run, n->parents.v[0]) : UINT32_MAX;
        if (model != UINT32_MAX) {
            add_edge(g, i, model);
        }
    }
    for (uint32_t i = 0; run->opts->verb == TN_VERB_BUILD && i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        for (size_t k = 0; n->kind == TN_NODE_TEST && k < n->parents.n; k++) {
            gate_children(g, n->parents.v[k], n, i);
        }
    }
}

tn_places *tn_runner_edges(tn_runner *run)
{
    graph g = { .run = run,
        .children = tn_new_array(run->arena, tn_places, run->plan.n + 1),
        .stamp = tn_new_array(run->arena, uint32_t, run->project->nodes.n + 1) };
    run->waiting = tn_new_array(run->arena, size_t, run->plan.n + 1);
    make_graph(&g);
    return g.children;
}

static void measure_depths(graph *g)
{
    tn_runner *run = g->run;
    TN_AUTO_ARENA a = tn_arena_new("depths", NULL);
    uint32_t *left = tn_new_array(a, uint32_t, run->plan.n + 1);
    tn_places queue = { 0 };
    for (uint32_t i = 0; i < run->plan.n; i++) {
        left[i] = (uint32_t)run->waiting[i];
        if (left[i] == 0) {
            tn_vec_push(&queue, a, i);
        }
    }
    for (size_t at = 0; at < queue.n; at++) {
        uint32_t from = queue.v[at];
        for (size_t i = 0; i < g->children[from].n; i++) {
            uint32_t c = g->children[from].v[i];
            g->depth[c] = g->depth[from] + 1 > g->depth[c] ? g->depth[from] + 1 : g->depth[c];
            if (--left[c] == 0) {
                tn_vec_push(&queue, a, c);
            }
        }
    }
}

static int compare_ready(const void *x, const void *y, void *self)
{
    const graph *g = self;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    if (g->depth[a] != g->depth[b]) {
        return g->depth[a] < g->depth[b] ? -1 : 1;
    }
    return tn_str_cmp(g->run->plan.v[a]->unique_id, g->run->plan.v[b]->unique_id);
}

/* The last n of the queue became ready together. */
static void number_ready(graph *g, size_t n)
{
    uint32_t *newest = g->ready.v + (g->ready.n - n);
    qsort_r(newest, n, sizeof *newest, compare_ready, g);
    for (size_t i = 0; i < n; i++) {
        g->run->results[newest[i]].index = ++g->run->next_number;
    }
}

static void start_ready(graph *g)
{
    for (uint32_t i = 0; i < g->run->plan.n; i++) {
        if (g->run->waiting[i] == 0) {
            tn_vec_push(&g->ready, g->run->arena, i);
        }
    }
    number_ready(g, g->ready.n);
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
    size_t before = g->ready.n;
    for (size_t i = 0; i < g->children[place].n; i++) {
        uint32_t c = g->children[place].v[i];
        if (bad && run->results[c].status == TN_ST_NONE) {
            run->results[c].status = TN_ST_SKIPPED; /* told when its turn comes */
        }
        if (--run->waiting[c] == 0) {
            tn_vec_push(&g->ready, run->arena, c);
        }
    }
    number_ready(g, g->ready.n - before);
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
        if (g->head == g->ready.n) {
            tn_cond_wait(&run->changed, &run->lock);
            continue;
        }
        run_one(g, arg->worker, g->ready.v[g->head++]);
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
            for (size_t i = 0; i < run->worker_count; i++) {
                tn_conn_interrupt(run->workers[i].conn);
            }
            tn_event(run->events, TN_EV_WARN, "InterruptSeen", "T004", TN_VAL_UNDEF,
                "interrupted: waiting for what runs, starting nothing more");
        }
    }
}

tn_rc tn_runner_schedule(tn_runner *run, tn_err *err)
{
    graph g = { .run = run, .children = tn_runner_edges(run) };
    run->order = tn_new_array(run->arena, uint32_t, run->plan.n + 1);
    g.depth = tn_new_array(run->arena, uint32_t, run->plan.n + 1);
    measure_depths(&g);
    start_ready(&g);
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
