/* deprecation.h: what dbt 1.12 calls deprecated and runs all the same: one warning for the first use of each kind, and a summary at the end.
 *
 * A deprecation is a notice of the project (project.h) whose event ends in "Deprecation"; its text is wrapped to flags.PRINTER_WIDTH, as dbt's.
 * With flags.SHOW_ALL_DEPRECATIONS every use is told.
 */
#ifndef TN_PROJECT_DEPRECATION_H
#define TN_PROJECT_DEPRECATION_H

#include "project/project.h"

/* Counts it, and notes it when it is the first of its kind or all are wanted. event: a literal, "ExposureNameDeprecation". */
void tn_deprecate(tn_project *p, const char *event, tn_str file, const char *fmt, ...)
    TN_PRINTF(4, 5);
/* dbt's code of the event: "D039"; "D000" for an unknown one. */
const char *tn_deprecation_code(const char *event);
/* The warning as it is shown: tag, "Deprecated functionality", text. */
tn_str tn_deprecation_text(tn_arena *a, const tn_project *p, const char *event, tn_str text);
/* "Summary of encountered deprecations: ...", shown; empty when there was none. */
tn_str tn_deprecation_summary(tn_arena *a, const tn_project *p);

#endif
