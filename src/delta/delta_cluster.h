/* delta_cluster.h: liquid clustering: which columns a table is clustered by.
 *
 * The columns stand in the metadata domain delta.clustering, as paths of physical names. A clustered table has no partitions; writers only see to it that
 * the columns have statistics in every file. OPTIMIZE (delta_maint.h) orders rows along a Hilbert curve, in cubes: sets of files that were ordered together.
 *
 * Columns are named as people name them, "a" or "s.b" for a field of a struct, whatever the case. Errors: NAME (no such column), TYPE (statistics cannot order it),
 * LIMIT (more than TN_CLUSTER_COLUMNS_MAX), USAGE (a partitioned table).
 */
#ifndef TN_DELTA_DELTA_CLUSTER_H
#define TN_DELTA_DELTA_CLUSTER_H

#include "delta/delta.h"
#include "delta/log/delta_log.h"

enum { TN_CLUSTER_COLUMNS_MAX = 4 };

/* The clustering columns of a table; n 0: it is not clustered, or by no column (any more). Columns that are gone are left out. */
tn_rc tn_delta_cluster_columns(
    const tn_delta_snapshot *s, tn_arena *a, tn_strs *ret, tn_err *err) TN_MUSTUSE;

/* ALTER TABLE .. CLUSTER BY (columns); no columns: CLUSTER BY NONE. Rewrites nothing; the next OPTIMIZE orders new files, OPTIMIZE FULL all. */
tn_rc tn_delta_cluster_by(tn_delta_table *t, tn_conn *conn, const tn_strs *columns,
    int64_t *ret_version, tn_err *err) TN_MUSTUSE;

#endif
