/* lake_diff.h: what two states of a lake show differently: relations, columns, rows.
 *
 * Rows are compared file by file first: files that both versions share cannot differ and are not read, so the cost grows with the change.
 * Results are dicts in the arena given, one a relation that differs, in the order of the pins:
 *   schema, name, change ("added", "removed", "changed"), from, to (what is pinned, as text; None on the side that lacks it)
 * and with rows, for Delta tables: columns_added, columns_removed, columns_changed (lists of names), rows_added, rows_removed, rows_changed (with a key;
 *   else a changed row counts as one removed and one added), rows_before, rows_after, bytes_before, bytes_after.
 */
#ifndef TN_LAKE_LAKE_DIFF_H
#define TN_LAKE_LAKE_DIFF_H

#include "lake/lake.h"

typedef struct tn_lake_diff_opts {
    bool rows; /* look into the tables */
    tn_strs
        key; /* columns that tell rows apart; a table that lacks one of them is compared without */
} tn_lake_diff_opts;

/* conn may be NULL when opts->rows is false. */
tn_rc tn_lake_diff(tn_lake *l, tn_conn *conn, tn_arena *a, const tn_pins *from, const tn_pins *to,
    const tn_lake_diff_opts *opts, tn_val *ret_list, tn_err *err) TN_MUSTUSE;

#endif
