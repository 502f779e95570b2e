/* delta_changes.h: the change data feed of a table: which rows were inserted, updated and deleted by a range of versions.
 *
 * Columns: the table's, as they are in the last version of the range, then _change_type (insert, update_preimage, update_postimage, delete),
 * _commit_version (BIGINT) and _commit_timestamp (TIMESTAMPTZ; the in-commit timestamp where the table keeps them, else the time of
 * the commit's file). A commit with change data files is told by them alone; else its added files are inserts and its removed ones deletes, and
 * of a file whose deletion vector changed the difference of the two counts. Rearranged files (dataChange=false) are no change.
 *
 * TN_E_DATA: the feed (delta.enableChangeDataFeed) was off somewhere in the range. TN_E_NOTFOUND: a commit of the range is gone, or the range
 * begins after the newest version. TN_E_UNSUPPORTED: a column was dropped, renamed or got another type within the range (added ones are
 * fine). TN_E_USAGE: the range ends before it begins.
 * Source: PROTOCOL.md, "Change Data Files", "Reader Requirements for Change Data Feed".
 */
#ifndef TN_DELTA_DELTA_CHANGES_H
#define TN_DELTA_DELTA_CHANGES_H

#include "delta/delta.h"
#include "delta/log/delta_log.h"

typedef struct tn_delta_changes_range {
    int64_t from,
        to; /* versions, both included; from -1: by time; to -1: by time, else the newest (as when it is beyond it) */
    int64_t from_ms,
        to_ms; /* the first version not before, the last not after; INT64_MIN: not given */
} tn_delta_changes_range;
#define TN_DELTA_CHANGES_RANGE_INIT                                                                \
    ((tn_delta_changes_range){ .from = -1, .to = -1, .from_ms = INT64_MIN, .to_ms = INT64_MIN })

/* SQL of a SELECT that plain DuckDB runs. conn opens snapshots and looks into footers. */
tn_rc tn_delta_changes_sql(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_changes_range *range, tn_str *ret_sql, tn_err *err) TN_MUSTUSE;

#endif
