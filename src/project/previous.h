/* previous.h: the artifacts of another run that --state and --defer-state name: what `state:`, `result:` and `source_status:` compare with.
 *
 * Nodes are compared as the manifest has them, so that a manifest.json of dbt-core serves as well as one of tarn. Comparisons follow dbt's
 * (same_body, same_config, ...): settings are compared as written, so that another target by itself is no change. Two things differ: macros that
 * come with the program are not compared (a new release makes nothing modified), and contracts by their columns, not by a checksum.
 */
#ifndef TN_PROJECT_PREVIOUS_H
#define TN_PROJECT_PREVIOUS_H

#include "project/project.h"

typedef struct tn_previous {
    tn_str folder;
    tn_val manifest; /* undefined: the folder has none */
    tn_map
        results; /* unique_id -> tn_val *, of run_results.json; without an arena: the folder has none */
    tn_map sources;     /* the same of sources.json */
    tn_map sources_now; /* the same of sources.json of the target folder */
    bool macros_made;
    bool macros_gone;      /* there are macros in the manifest that the project has no more */
    tn_map macros_changed; /* unique_id -> its macro; made at the first question */
} tn_previous;

/* Reads what is there of manifest.json, run_results.json and sources.json; folder: below the project's root, or absolute. Kept in p->arena. */
tn_rc tn_previous_read(tn_project *p, tn_str folder, tn_previous **ret, tn_err *err) TN_MUSTUSE;
/* The node of the manifest with this id, or undefined. */
tn_val tn_previous_node(const tn_previous *s, tn_str unique_id);
/* method: state, result or source_status. Fails when the folder or the artifact that it needs is not there. */
tn_rc tn_previous_match(tn_project *p, const tn_node *n, tn_str method, tn_str value, bool *ret,
    tn_err *err) TN_MUSTUSE;

#endif
