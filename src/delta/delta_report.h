/* delta_report.h: what looking after a table has done, as a dict for JSON: the same keys on the command line, in the C API and in Python.
 *
 * Each puts its keys into a dict, which may have others already (the command line names the table first).
 */
#ifndef TN_DELTA_DELTA_REPORT_H
#define TN_DELTA_DELTA_REPORT_H

#include "delta/delta_maint.h"

void tn_delta_report_optimize(tn_val d, const tn_delta_optimize_result *r);
void tn_delta_report_vacuum(
    tn_arena *a, tn_val d, const tn_delta_vacuum_opts *o, const tn_delta_vacuum_result *r);
void tn_delta_report_restore(tn_val d, const tn_delta_restore_result *r);
void tn_delta_report_compact(tn_val d, const tn_delta_compact_result *r);
void tn_delta_report_clone(tn_val d, const tn_delta_clone_opts *o, const tn_delta_clone_result *r);
void tn_delta_report_check(tn_arena *a, tn_val d, const tn_delta_check_result *r);
void tn_delta_report_repair(
    tn_arena *a, tn_val d, const tn_delta_repair_opts *o, const tn_delta_repair_result *r);

#endif
