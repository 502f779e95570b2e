/* build_log.h: target/builds.json: what each node was when it was last built, and how long that took. It tells `--plan` what has changed since, and
 * a run how long it may last. run_results.json cannot: it knows the last command only.
 *
 * The file: {"tarn_builds": 1, "targets": {"<target>": {"<unique_id>": {"status", "finished_at", "seconds", "relation", "body", "config",
 * "macros", "inputs"}}}}. The last five say what the node was at its last success: hashes, and the relation's name. A file that is damaged
 * or of another version counts as none; nothing but `--plan` and estimates depends on it.
 */
#ifndef TN_RUN_REPORT_BUILD_LOG_H
#define TN_RUN_REPORT_BUILD_LOG_H

#include "run/report/runner.h"

/* Hashes of what makes a node what it is, as texts. */
typedef struct tn_print {
    tn_str body;   /* the file; of generic tests their arguments */
    tn_str config; /* resolved */
    tn_str macros; /* those of the project and its packages that it calls, and what they call */
    tn_str inputs; /* values of var() and env_var(), when its text asks for any */
} tn_print;
tn_rc tn_print_of(
    tn_project *p, tn_arena *a, const tn_node *n, tn_print *ret, tn_err *err) TN_MUSTUSE;

/* The entries of the profile's target: a dict unique_id -> entry, empty when there is no file. */
tn_val tn_builds_read(const tn_project *p, tn_arena *a);
double tn_builds_seconds(tn_val builds, const tn_node *n); /* -1: never run */
/* Enters the results of a run into the file. */
tn_rc tn_builds_write(tn_runner *run, tn_err *err) TN_MUSTUSE;

/* plan_report.c: what a run would do and why; the run is planned and not begun. */
tn_rc tn_plan_report(tn_runner *run, bool json, tn_buf *b, tn_err *err) TN_MUSTUSE;

#endif
