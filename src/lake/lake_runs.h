/* lake_runs.h: records of runs, kept in the lake: who ran what, when, with what outcome, also when nothing was published.
 *
 * One object a run, _tarn/runs/<milliseconds, 13 digits>-<run id>.json (docs/formats/lake.md); names sort by time. The record is a dict that the caller makes.
 */
#ifndef TN_LAKE_LAKE_RUNS_H
#define TN_LAKE_LAKE_RUNS_H

#include "lake/lake.h"

tn_rc tn_lake_run_write(
    tn_lake *l, int64_t started_ms, tn_str run_id, tn_val record, tn_err *err) TN_MUSTUSE;
/* Newest first; env empty: all; limit 0: all. One that cannot be read is left out with a warning. */
tn_rc tn_lake_runs_read(
    tn_lake *l, tn_arena *a, tn_str env, size_t limit, tn_val *ret_list, tn_err *err) TN_MUSTUSE;
/* Removes records that began before the instant. */
tn_rc tn_lake_runs_clean(
    tn_lake *l, int64_t before_ms, bool dry_run, int64_t *ret_removed, tn_err *err) TN_MUSTUSE;

#endif
