/* run_kind.c: what a run does with nodes: which of them leave something in the database, whether tables change at all. */
#include "run/report/runner.h"

bool tn_runner_stores_failures(const tn_runner *run, const tn_node *n)
{
    tn_val v = tn_node_config(n, "store_failures");
    if (!tn_val_is_given(v)) {
        v = tn_val_at(tn_project_flags(run->project), "STORE_FAILURES");
    }
    return tn_val_truthy(v);
}

bool tn_runner_places(const tn_runner *run, const tn_node *n)
{
    return tn_node_is_refable(n) || n->kind == TN_NODE_FUNCTION ||
           (n->kind == TN_NODE_TEST && tn_runner_stores_failures(run, n));
}

bool tn_runner_changes_tables(const tn_runner *run)
{
    tn_verb v = run->opts->verb;
    return v != TN_VERB_COMPILE && v != TN_VERB_SHOW && v != TN_VERB_TEST && v != TN_VERB_FRESHNESS;
}
