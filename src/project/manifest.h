/* manifest.h: manifest.json (schema v12) and the lines of `ls`. */
#ifndef TN_PROJECT_MANIFEST_H
#define TN_PROJECT_MANIFEST_H

#include "project/project.h"

/* The JSON text. compiled: what execution knows about a node and the parse does not (may be NULL). */
typedef struct tn_manifest_compiled {
    tn_str compiled_path;
    tn_str compiled_code;
    bool compiled;         /* false: the node was not compiled in this invocation */
    tn_val extra_ctes;     /* list of {id, sql} or undefined */
    const tn_strs *called; /* ids of macros that running has called, or NULL */
    tn_val
        keyed; /* of a model with foreign keys: {constraints, columns} with their targets; or undefined */
    tn_val overloads; /* of a function, with their compiled bodies; or undefined */
} tn_manifest_compiled;
typedef bool (*tn_manifest_compiled_fn)(void *self, const tn_node *n, tn_manifest_compiled *ret);
tn_rc tn_manifest_write(
    tn_project *p, tn_manifest_compiled_fn fn, void *self, tn_buf *b, tn_err *err) TN_MUSTUSE;
/* semantic_manifest.json: semantic models, metrics, saved queries and time spines in the form that MetricFlow reads. */
void tn_semantic_manifest_write(tn_project *p, tn_buf *b);
/* osi_document.json: semantic models and metrics in the Open Semantic Interchange format, metrics as SQL. ret_issues: what it cannot say, in dbt's
 * words. Fails when a metric has no expression in SQL: then there is no document. */
tn_rc tn_osi_document_write(
    const tn_project *p, tn_arena *a, tn_buf *b, tn_strs *ret_issues, tn_err *err) TN_MUSTUSE;
/* graph_summary.json: nodes by number, with what follows each. test_edges: once more, with the edges by which `build` holds up a model until
 * the tests above it have passed; the fewest that say so, as dbt writes them with DBT_USE_FAST_TEST_EDGES. */
void tn_graph_summary_write(tn_project *p, bool test_edges, tn_buf *b);
/* {"generated_at": ..., "invocation_id": ..., ...}: the metadata block, for other artifacts too. schema: "manifest/v12". */
tn_val tn_manifest_metadata(tn_project *p, tn_arena *a, const char *schema);

/* DBT_ENV_CUSTOM_ENV_<NAME> of the environment as NAME -> value: dbt_metadata_envs of templates, `env` of artifacts, `extra` of events. */
tn_val tn_custom_env(tn_arena *a);

typedef enum tn_ls_form { TN_LS_SELECTOR, TN_LS_NAME, TN_LS_PATH, TN_LS_JSON } tn_ls_form;
bool tn_ls_form_find(tn_str name, tn_ls_form *ret);
/* One line per node, sorted as dbt sorts (by unique_id). keys: --output-keys, empty: dbt's default set. */
tn_rc tn_ls_print(tn_project *p, const tn_nodes *nodes, tn_ls_form form, const tn_strs *keys,
    tn_buf *b, tn_err *err) TN_MUSTUSE;

#endif
