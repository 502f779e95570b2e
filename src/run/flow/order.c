/* order.c: which node of the plan may start when, for the run itself and for --plan. A node is ready when all of its planned ancestors are done, also
 * those that it reaches only through nodes that are not planned. With build, a node's tests stand between it and its children: a failed test
 * stops them, as dbt does.
 */
#include "run/report/runner.h"

typedef struct graph {
    tn_runner *run;
    tn_places *children; /* by place */
    uint32_t *stamp;     /* by node->index: visited in this walk */
    uint32_t turn;
} graph;

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

/* With build, the unit tests of a model run one after the other, and none after one that did not pass: as dbt does it. */
static void stand_in_line(graph *g, uint32_t *last, const tn_node *model, uint32_t test)
{
    if (g->run->opts->verb == TN_VERB_BUILD) {
        if (last[model->index] > 0) {
            add_edge(g, last[model->index] - 1, test);
        }
        last[model->index] = test + 1;
    }
}

static void make_graph(graph *g)
{
    tn_runner *run = g->run;
    TN_AUTO_ARENA a = tn_arena_new("lines", NULL);
    uint32_t *last = tn_new_array(a, uint32_t, run->project->nodes.n + 1); /* by node: place + 1 */
    bool ordered = run->opts->verb != TN_VERB_CLONE; /* clones do not read each other */
    for (uint32_t i = 0; ordered && i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        g->turn++;
        /* A unit test needs what its model reads, and the model waits for it; as with dbt, not when retried: then it comes after its model. */
        bool unit = n->kind == TN_NODE_UNIT_TEST && n->parents.n > 0 && run->opts->only == NULL;
        link_up(g, unit ? n->parents.v[0] : n, i);
        uint32_t model = unit ? place_of(run, n->parents.v[0]) : UINT32_MAX;
        if (model != UINT32_MAX) {
            add_edge(g, i, model);
            stand_in_line(g, last, n->parents.v[0], i);
        }
    }
    for (uint32_t i = 0; run->opts->verb == TN_VERB_BUILD && i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        for (size_t k = 0; n->kind == TN_NODE_TEST && k < n->parents.n; k++) {
            gate_children(g, n->parents.v[k], n, i);
        }
    }
}

static void measure_depths(tn_order *g)
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
    const tn_order *g = self;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    if (g->depth[a] != g->depth[b]) {
        return g->depth[a] < g->depth[b] ? -1 : 1;
    }
    return tn_str_cmp(g->run->plan.v[a]->unique_id, g->run->plan.v[b]->unique_id);
}

/* The last n of the queue became ready together. */
static void sort_newest(tn_order *o, size_t n)
{
    qsort_r(o->ready.v + (o->ready.n - n), n, sizeof *o->ready.v, compare_ready, o);
}

tn_order tn_order_begin(tn_runner *run)
{
    graph g = { .run = run,
        .children = tn_new_array(run->arena, tn_places, run->plan.n + 1),
        .stamp = tn_new_array(run->arena, uint32_t, run->project->nodes.n + 1) };
    run->waiting = tn_new_array(run->arena, size_t, run->plan.n + 1);
    make_graph(&g);
    tn_order o = { .run = run,
        .children = g.children,
        .depth = tn_new_array(run->arena, uint32_t, run->plan.n + 1) };
    measure_depths(&o);
    for (uint32_t i = 0; i < run->plan.n; i++) {
        if (run->waiting[i] == 0) {
            tn_vec_push(&o.ready, run->arena, i);
        }
    }
    if (o.ready.n > 0) {
        sort_newest(&o, o.ready.n);
    }
    return o;
}

void tn_order_done(tn_order *o, uint32_t place)
{
    size_t before = o->ready.n;
    for (size_t i = 0; i < o->children[place].n; i++) {
        uint32_t c = o->children[place].v[i];
        if (--o->run->waiting[c] == 0) {
            tn_vec_push(&o->ready, o->run->arena, c);
        }
    }
    if (o->ready.n > before) {
        sort_newest(o, o->ready.n - before);
    }
}
