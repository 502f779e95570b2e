/* delta_sums.h: sums over the live files of a version, as N.crc holds them. */
#ifndef TN_DELTA_DELTA_SUMS_H
#define TN_DELTA_DELTA_SUMS_H

#include "delta/delta.h"

enum { TN_DELTA_SIZE_BINS = 95, TN_DELTA_DELETED_BINS = 10 };
typedef struct tn_delta_sums {
    int64_t files, bytes;
    int64_t vectors, deleted; /* deletion vectors, rows that they mark */
    int64_t size_counts[TN_DELTA_SIZE_BINS],
        size_bytes[TN_DELTA_SIZE_BINS];            /* by size of the file */
    int64_t deleted_counts[TN_DELTA_DELETED_BINS]; /* files by deleted rows: 0, 1-9, 10-99, ... */
} tn_delta_sums;

/* Lower ends, in bytes; they are the reference's. */
void tn_delta_size_bins(int64_t bins[TN_DELTA_SIZE_BINS]);
/* A file comes (sign 1) or goes (-1). */
void tn_delta_sums_add(tn_delta_sums *s, int64_t size, const tn_delta_dv *dv, int64_t sign);

#endif
