/* report_parts.h: what the reports of nodes, of the whole run and of its results share (private to src/run). */
#ifndef TN_RUN_REPORT_REPORT_PARTS_H
#define TN_RUN_REPORT_REPORT_PARTS_H

#include "run/report/runner.h"

/* What events call run_result: tn_node_result_val's times, message and response under other names. */
tn_val tn_report_run_result(tn_runner *run, tn_arena *a, const tn_node_result *r);
/* compile and show say less: their output is what was asked for. */
bool tn_report_is_look(const tn_runner *run);
/* A step of a result: when it began and ended; to 0: it is not over. */
tn_val tn_report_timing(tn_arena *a, const char *name, int64_t from, int64_t to);
/* run_results.json around its entries. type: what the event calls the artifact. */
tn_rc tn_report_write_results(
    tn_runner *run, tn_arena *a, tn_val results, const char *type, tn_err *err) TN_MUSTUSE;
/* "1 of 28 OK created ... ........ [OK in 0.03s]" */
tn_str tn_report_line(
    const tn_runner *run, tn_arena *a, size_t index, size_t total, tn_str text, tn_str status);
/* Puts the group of the result's node, with its owner, into what an event says. */
void tn_report_put_group(const tn_runner *run, tn_arena *a, tn_val data, const tn_node *n);
/* adapter_response as artifacts have it, out of the adapter's. */
tn_val tn_report_response(tn_arena *a, tn_val response);

#endif
