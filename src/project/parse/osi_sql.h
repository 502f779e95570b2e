/* osi_sql.h: the shapes of SQL that a metric of an OSI document may have and that a metric of dbt's has a kind for. */
#ifndef TN_PROJECT_PARSE_OSI_SQL_H
#define TN_PROJECT_PARSE_OSI_SQL_H

#include "base/val.h"

typedef enum tn_osi_shape {
    TN_OSI_AGGREGATE, /* agg, column, percentile and inner are set */
    TN_OSI_RATIO,     /* numerator and denominator */
    TN_OSI_OTHER,
} tn_osi_shape;

typedef struct tn_osi_sql {
    const char *agg;   /* "sum", "count_distinct", "sum_boolean", "percentile", ... */
    tn_str column;     /* what is aggregated, not qualified */
    tn_str inner;      /* the same as it stands there; empty with percentiles */
    tn_val percentile; /* 0.9, or none */
    tn_str numerator, denominator;
} tn_osi_sql;

/* Texts in *ret live in `a`, or are parts of sql. */
tn_osi_shape tn_osi_sql_read(tn_arena *a, tn_str sql, tn_osi_sql *ret);

#endif
