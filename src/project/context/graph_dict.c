/* graph_dict.c: the dict `graph` of templates. */
#include "project/context/context_priv.h"

static const char *section_of(tn_node_kind k)
{
    switch (k) {
    case TN_NODE_SOURCE:
        return "sources";
    case TN_NODE_EXPOSURE:
        return "exposures";
    case TN_NODE_METRIC:
        return "metrics";
    case TN_NODE_SEMANTIC_MODEL:
        return "semantic_models";
    case TN_NODE_SAVED_QUERY:
        return "saved_queries";
    case TN_NODE_UNIT_TEST:
        return "unit_tests";
    case TN_NODE_FUNCTION:
        return "functions";
    default:
        return "nodes";
    }
}

tn_val tn_project_graph(tn_project *p, tn_arena *a)
{
    static const char *const sections[] = { "exposures", "functions", "groups", "metrics", "nodes",
        "sources", "semantic_models", "saved_queries", "unit_tests" };
    TN_AUTO_ARENA scratch = tn_arena_new("graph", NULL);
    tn_val g = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(sections); i++) {
        tn_dict_putz(g.dict, sections[i], tn_val_dict(a));
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        /* A copy: macros may change it, and a node's own template its own config. */
        tn_val d = tn_node_dict(scratch, n);
        tn_dict_puts(tn_val_at(g, section_of(n->kind)).dict, n->unique_id, tn_val_dup(a, d));
    }
    for (size_t i = 0; i < p->groups.list->n; i++) {
        tn_val group = p->groups.list->v[i];
        tn_dict_put(
            tn_val_at(g, "groups").dict, tn_val_at(group, "unique_id"), tn_val_dup(a, group));
    }
    return g;
}
