/* delta_rows.h: row tracking ("Row Tracking"): every row has an id and the version that last changed it.
 *
 * A file's add says both for all its rows: id = baseRowId + place in the file, version = defaultRowCommitVersion. Rows that are copied to
 * another file take theirs along in two columns of the file that are not of the schema; their names are properties of the table. A NULL
 * there means what the add says. Ids are assigned when a commit is written (tn_delta_rows_assign), above the high water mark in
 * the domain delta.rowTracking, and again after a lost race.
 */
#ifndef TN_DELTA_DELTA_ROWS_H
#define TN_DELTA_DELTA_ROWS_H

#include "delta/log/delta_log.h"

#define TN_ROWS_DOMAIN "delta.rowTracking"
#define TN_ROWS_ID_PROPERTY "delta.rowTracking.materializedRowIdColumnName"
#define TN_ROWS_VERSION_PROPERTY "delta.rowTracking.materializedRowCommitVersionColumnName"

/* Ids are assigned: the feature is listed and not suspended. */
bool tn_delta_rows_supported(const tn_delta_protocol *p, const tn_delta_meta *m);
/* Ids survive: delta.enableRowTracking, and the columns have names. Not with column mapping by id: the columns have no field ids, so nobody finds
 * them; commits then say that ids were not preserved. */
bool tn_delta_rows_enabled(const tn_delta_protocol *p, const tn_delta_meta *m);
/* The two columns' names; empty when the table has none. */
tn_str tn_delta_rows_id_column(const tn_delta_meta *m);
tn_str tn_delta_rows_version_column(const tn_delta_meta *m);
/* Sets the columns' names where tracking is switched on and they have none. */
void tn_delta_rows_name_columns(tn_arena *a, tn_delta_meta *m);
/* ", id AS "..", version AS ".."": the two columns for a SELECT that goes to files; their names: tn_delta_rows_extra. Nothing when ids do not survive. id and version:
 * SQL. */
void tn_delta_rows_add_columns(
    tn_buf *b, const tn_delta_snapshot *s, const char *id, const char *version);
void tn_delta_rows_extra(tn_arena *a, const tn_delta_snapshot *s, tn_strs *extra);
/* rowIdHighWaterMark of the domains; -1: none yet. */
int64_t tn_delta_rows_high_water(const tn_map *domains);

#endif
