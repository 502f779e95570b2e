/* graph_share.c: `graph` as macros have it: one dict of the run that every node's macros read and change, as in dbt, where packages keep their
 * state in it from the hooks at the start, over the nodes, to the hooks at the end.
 *
 * Values have no locks of their own. A thread holds the whole graph from the first time that one of its templates names `graph` until the
 * outermost template or macro of that context is done, and lets it go while it waits for SQL: what dbt's interpreter lock does for
 * everything, here for the contexts that use `graph` alone. What is put into it is copied into its arena.
 */
#include "project/context/context_priv.h"

struct tn_graph_share {
    tn_mutex lock; /* guards the three below */
    tn_cond freed;
    pthread_t owner;
    unsigned
        held; /* how often the owner took it: contexts may nest in a thread; 0: nobody has it */
    tn_arena *arena; /* of the owner, as long as it holds the graph */
    tn_val graph;    /* undefined: not made yet */
};

tn_graph_share *tn_graph_share_new(tn_arena *a)
{
    tn_graph_share *g = tn_new(a, tn_graph_share);
    *g = (tn_graph_share){ .lock = TN_MUTEX_INIT,
        .freed = TN_COND_INIT,
        .arena = tn_arena_new("graph", a),
        .graph = TN_VAL_UNDEF };
    return g;
}

static bool is_mine(const tn_graph_share *g)
{
    return g->held > 0 && pthread_equal(g->owner, pthread_self());
}

static void take(tn_graph_share *g, unsigned times)
{
    TN_LOCKED(&g->lock);
    while (g->held > 0 && !is_mine(g)) {
        tn_cond_wait(&g->freed, &g->lock);
    }
    g->owner = pthread_self();
    g->held += times;
}

static void let_go(tn_graph_share *g)
{
    TN_LOCKED(&g->lock);
    if (--g->held == 0) {
        tn_cond_signal(&g->freed);
    }
}

void tn_pctx_enter(tn_pctx *c)
{
    c->state->depth++;
}

void tn_pctx_leave(tn_pctx *c, tn_val *ret)
{
    if (--c->state->depth > 0 || !c->state->has_graph) {
        return;
    }
    if (ret != NULL) {
        *ret = tn_val_dup(c->arena, *ret); /* C looks at it when others may change the graph */
    }
    c->state->has_graph = false;
    let_go(c->project->state->graph);
}

tn_val tn_pctx_graph(tn_pctx *c)
{
    tn_graph_share *g = c->project->state->graph;
    bool inside = c->state->depth > 0; /* else C asks, and gets a copy */
    if (!c->state->has_graph) {
        take(g, 1);
        c->state->has_graph = inside;
    }
    if (tn_val_is_undef(g->graph)) {
        g->graph = tn_project_graph(c->project, g->arena);
    }
    if (inside) {
        return g->graph;
    }
    tn_val copy = tn_val_dup(c->arena, g->graph);
    let_go(g);
    return copy;
}

tn_graph_pause tn_graph_pause_begin(tn_project *p)
{
    tn_graph_share *g = p->state->graph;
    TN_LOCKED(&g->lock);
    tn_graph_pause pause = { g, is_mine(g) ? g->held : 0 };
    if (pause.held > 0) {
        g->held = 0;
        tn_cond_signal(&g->freed);
    }
    return pause;
}

void tn_graph_pause_end(tn_graph_pause *pause)
{
    if (pause->held > 0) {
        take(pause->share, pause->held);
    }
}
