/* ephemeral_text.c: compiled texts of ephemeral models. Those that something reads are compiled with it; what was selected and nothing has read is
 * compiled when the nodes are done. Each is written once. */
#include "run/report/runner.h"

/* Ephemeral parents are compiled with their children; their own text is kept too. */
void tn_runner_keep_ephemerals(tn_runner *run, tn_job *j)
{
    for (size_t i = 0; i < j->compiled_parents.n; i++) {
        tn_node *n = j->compiled_parents.v[i].node;
        tn_runner_artifact(
            run, j->arena, "compiled", n, TN_STR_NONE, j->compiled_parents.v[i].sql, NULL);
        TN_LOCKED(&run->lock);
        run->kept[n->index] = true;
    }
}

/* Ephemeral models that were selected and that nothing which ran has read: dbt compiles them, and says nothing when it cannot. */
void tn_runner_inlined(tn_runner *run, tn_worker *w)
{
    for (size_t i = 0; i < run->inlined.n; i++) {
        tn_node *n = run->inlined.v[i];
        if (run->kept[n->index]) {
            continue;
        }
        TN_AUTO_ARENA a = tn_arena_new("ephemeral", NULL);
        tn_job j;
        tn_val ctes;
        if (tn_job_init(&j, run->session, w, n, run->selected_resources, a, NULL) == TN_OK) {
            if (tn_job_compile(&j, &ctes, NULL) == TN_OK) {
                tn_runner_artifact(run, a, "compiled", n, TN_STR_NONE, j.sql, NULL);
                tn_runner_keep_ephemerals(run, &j);
            }
            tn_job_rollback(&j);
        }
    }
}
