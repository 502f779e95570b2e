/* project_files.c: the artifacts that say what a project is: manifest.json, semantic_manifest.json, graph_summary.json. */
#include "project/manifest.h"
#include "run/event/artifact.h"
#include "run/run.h"

tn_rc tn_run_write_manifest(tn_project *p, tn_events *events, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("manifest", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    TN_TRY(tn_manifest_write(p, NULL, NULL, &b, err));
    TN_TRY(tn_artifact_write(p, events, "manifest.json", "WritableManifest", tn_buf_str(&b), err));
    return tn_run_write_semantics(p, events, err);
}

/* A metric that cannot be SQL leaves the project without this document, and no more. */
static tn_rc write_osi(tn_project *p, tn_events *events, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("osi document", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_strs issues = { 0 };
    tn_err why = TN_ERR_INIT;
    if (tn_osi_document_write(p, a, &b, &issues, &why) != TN_OK) {
        tn_event(events, TN_EV_WARN, "SemanticValidationFailure", "I070", TN_VAL_UNDEF,
            "[WARNING]: OSI document could not be generated: %s. The semantic manifest may contain "
            "metric types not yet supported by the MSI\u2192OSI converter.",
            why.msg);
        return TN_OK;
    }
    for (size_t i = 0; i < issues.n; i++) {
        tn_event(events, TN_EV_WARN, "MFConverterIssue", "I078", TN_VAL_UNDEF,
            "[WARNING]: " TN_STR_FMT, TN_STR_ARG(issues.v[i]));
    }
    return tn_artifact_write(p, events, "osi_document.json", "OsiDocument", tn_buf_str(&b), err);
}

tn_rc tn_run_write_semantics(tn_project *p, tn_events *events, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("semantic manifest", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_semantic_manifest_write(p, &b);
    TN_TRY(tn_artifact_write(
        p, events, "semantic_manifest.json", "SemanticManifest", tn_buf_str(&b), err));
    return write_osi(p, events, err);
}

tn_rc tn_run_write_graph(tn_project *p, bool test_edges, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("graph summary", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_graph_summary_write(p, test_edges, &b);
    return tn_artifact_write(p, NULL, "graph_summary.json", "", tn_buf_str(&b), err);
}
