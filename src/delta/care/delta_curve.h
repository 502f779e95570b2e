/* delta_curve.h: an order of rows in which neighbours are near in several columns at once.
 *
 * Each column's values are cut into ranges of about equal numbers of rows by the quantiles of a sample; a row's range numbers are its point in a cube,
 * and the place of the point on a curve through the cube is what rows are sorted by.
 */
#ifndef TN_DELTA_DELTA_CURVE_H
#define TN_DELTA_DELTA_CURVE_H

#include "delta/delta.h"

enum { TN_CURVE_COLUMNS_MAX = 8 };

typedef struct tn_curve_column {
    tn_str sql;  /* of its value, over the scan: "a" or "s"."b" */
    tn_str type; /* SQL */
} tn_curve_column;
typedef tn_vec(tn_curve_column) tn_curve_columns;

typedef enum tn_curve {
    TN_CURVE_Z,       /* bits interleaved */
    TN_CURVE_HILBERT, /* neighbours on the curve are always neighbours in the cube */
} tn_curve;

/* Appends " ORDER BY ..." for rows of the SELECT `scan`, whose sample is looked at. One column: simply by it. */
tn_rc tn_delta_curve_order(tn_conn *conn, tn_arena *a, tn_curve curve, tn_str scan,
    const tn_curve_columns *columns, tn_buf *b, tn_err *err) TN_MUSTUSE;

/* The place on the Hilbert curve of a point whose coordinates have `bits` bits; n * bits <= 64. */
uint64_t tn_hilbert_index(const uint32_t *point, size_t n, int bits);

#endif
