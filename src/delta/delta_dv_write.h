/* delta_dv_write.h: private to src/delta: making deletion vectors.
 *
 *     rowset (rows that are gone) -> tn_delta_dv_append (its bytes, its description) -> tn_delta_dv_put (one file for all of a commit)
 */
#ifndef TN_DELTA_DELTA_DV_WRITE_H
#define TN_DELTA_DELTA_DV_WRITE_H

#include "delta/delta_impl.h"

/* A set of row numbers that grows; lives as long as the arena. */
typedef struct tn_delta_rowset tn_delta_rowset;
tn_delta_rowset *tn_delta_rowset_new(tn_arena *a);
tn_rc tn_delta_rowset_add(tn_delta_rowset *set, uint64_t row, tn_err *err) TN_MUSTUSE;
int64_t tn_delta_rowset_count(const tn_delta_rowset *set);
/* One file of a commit's deletion vectors: append the sets, then put it. Nothing is there before the put. */
typedef struct tn_delta_dv_file {
    tn_arena *arena;
    tn_buf data;
    tn_str key;  /* where it is to lie, under the table's root */
    tn_str name; /* pathOrInlineDv */
} tn_delta_dv_file;
tn_delta_dv_file tn_delta_dv_file_init(tn_arena *a);
tn_rc tn_delta_dv_append(
    tn_delta_dv_file *file, tn_delta_rowset *set, tn_delta_dv *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_delta_dv_put(const tn_delta_dv_file *file, tn_store *store, tn_err *err) TN_MUSTUSE;

/* A file's statistics as they hold with a deletion vector: exact numRecords, tightBounds false. */
tn_rc tn_delta_stats_loosen(
    tn_arena *a, const tn_delta_file *f, int64_t rows, tn_str *ret, tn_err *err) TN_MUSTUSE;
#endif
