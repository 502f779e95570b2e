/* artifact.h: files that other programs read: whole or not at all, below the target path, each told by an event of the log. */
#ifndef TN_RUN_EVENT_ARTIFACT_H
#define TN_RUN_EVENT_ARTIFACT_H

#include "project/project.h"
#include "run/events.h"

/* name: "manifest.json"; type: dbt's name of its class, "WritableManifest". events may be NULL. */
tn_rc tn_artifact_write(const tn_project *p, tn_events *events, const char *name, const char *type,
    tn_str text, tn_err *err) TN_MUSTUSE;
/* The same at a path of the caller's. */
tn_rc tn_artifact_write_at(
    tn_events *events, tn_str path, const char *type, tn_str text, tn_err *err) TN_MUSTUSE;

#endif
