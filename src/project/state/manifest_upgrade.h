/* manifest_upgrade.h: artifacts that other versions of dbt wrote: which are read at all, and how an old manifest becomes one of schema v12. */
#ifndef TN_PROJECT_MANIFEST_UPGRADE_H
#define TN_PROJECT_MANIFEST_UPGRADE_H

#include "project/project.h"

/* Fails, in dbt's words, when the artifact says that it is of a version that dbt 1.12 does not read: "run-results", 4, 6. */
tn_rc tn_artifact_check(
    tn_val doc, const char *name, int oldest, int newest, tn_str path, tn_err *err) TN_MUSTUSE;
/* In place, as far as states are compared. The arguments of config() become text, as 1.12 has them, when another dbt wrote it. */
void tn_manifest_upgrade(tn_project *p, tn_val manifest);

#endif
