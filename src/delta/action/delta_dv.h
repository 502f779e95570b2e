/* delta_dv.h: deletion vectors, read and made.
 *
 *     rowset (rows that are gone) -> tn_delta_dv_append (its bytes, its description) -> tn_delta_dv_put (one file for all of a commit)
 */
#ifndef TN_DELTA_DELTA_DV_H
#define TN_DELTA_DELTA_DV_H

#include "delta/delta.h"

#define TN_DELTA_DV_BYTES_MAX ((size_t)1 << 30)

/* ---- reading ---- */
/* Row numbers in ascending order. */
tn_rc tn_delta_dv_read(tn_store *store, tn_arena *a, const tn_delta_dv *dv, uint64_t **ret,
    size_t *ret_n, tn_err *err) TN_MUSTUSE;
/* Where its file lies: a key below the root, or an absolute path or URL; empty for one in the log itself. */
tn_rc tn_delta_dv_place(tn_arena *a, const tn_delta_dv *dv, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* uniqueId of the protocol: type, path, "@offset". */
tn_str tn_delta_dv_id(tn_arena *a, const tn_delta_dv *dv);

/* ---- making ---- */
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

#endif
