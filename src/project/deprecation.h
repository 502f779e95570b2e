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
/* The same with the event's data, a dict. */
void tn_deprecate_with(tn_project *p, const char *event, tn_val data, const char *fmt, ...)
    TN_PRINTF(4, 5);
/* dbt's code of the event: "D039"; "D000" for an unknown one. */
const char *tn_deprecation_code(const char *event);
/* The warning as it is shown: tag, "Deprecated functionality", text. */
tn_str tn_deprecation_text(tn_arena *a, const tn_project *p, const char *event, tn_str text);
/* "Summary of encountered deprecations: ...", shown; empty when there was none. */
tn_str tn_deprecation_summary(tn_arena *a, const tn_project *p);

/* ---- deprecated_use.c: what a project uses that is deprecated ---- */

/* A model's deprecation_date as properties give it (date, datetime or text); not a TN_DATETIME: none. */
tn_val tn_deprecation_date_of(tn_val given);
bool tn_deprecation_is_past(tn_val date);
tn_str tn_deprecation_date_text(tn_arena *a, tn_val date); /* 2024-01-31T00:00:00+00:00 */
/* Tags between the blocks of a macro or snapshot file. path: as dbt tells it. */
void tn_note_stray_tags(tn_project *p, const tn_jinja_blocks *blocks, tn_str path);
/* Keys of dbt_project.yml that have another name by now; both names at once are an error. */
tn_rc tn_note_project_keys(tn_project *p, const tn_package *pkg, tn_err *err) TN_MUSTUSE;
/* DBT_X for each DBT_ENGINE_X that dbt knows, and the other way round; where both are set the latter counts. At start, before threads. */
tn_rc tn_engine_env_mirror(tn_err *err) TN_MUSTUSE;
/* DBT_ENGINE_ variables that dbt does not know. */
void tn_note_environment(tn_project *p);
/* `config:` of profiles.yml: flags, where dbt_project.yml has none. profiles: the whole file. */
tn_rc tn_take_profile_flags(
    tn_project *p, const tn_project_opts *o, tn_val profiles, tn_err *err) TN_MUSTUSE;
/* Models past their date, and who reads from one that has a date. */
void tn_note_model_dates(tn_project *p);

#endif
