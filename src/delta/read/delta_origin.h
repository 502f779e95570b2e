/* delta_origin.h: private to src/delta/read: what a file's partition values say of the column that they were generated from.
 *
 * In a table partitioned by `day DATE GENERATED ALWAYS AS (CAST(at AS DATE))` all rows of a file have one day, so `at` lies in it. The writer checks that
 * (`day <=> CAST(at AS DATE)`), so it holds for files without statistics too. Understood are the forms that Spark knows: the column itself, CAST AS DATE,
 * YEAR with MONTH, DAY and HOUR, DATE_FORMAT, DATE_TRUNC, TRUNC, SUBSTRING from the first character.
 *
 * Instants are cut to days in the time zone of the writer's session, which nobody knows: their ranges get room for any zone.
 */
#ifndef TN_DELTA_ORIGIN_H
#define TN_DELTA_ORIGIN_H

#include "delta/action/delta_schema.h"

#define TN_DELTA_DAY_US INT64_C(86400000000)
/* No time zone was ever farther from UTC. */
#define TN_DELTA_ZONES_US (TN_DELTA_DAY_US * 16 / 24)

typedef struct tn_delta_origin { /* a partition column that is generated */
    tn_str partition;            /* its name in partitionValues */
    const tn_delta_type *type;   /* its own */
    tn_strs base;                /* the column that it comes from: names from the top */
    int form;
    tn_str unit; /* "year", "month", ..: how much of the base one value holds */
} tn_delta_origin;
typedef tn_vec(tn_delta_origin) tn_delta_origins;

tn_delta_origins tn_delta_origins_of(tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping);

typedef struct tn_delta_range { /* all values that are not NULL lie in it */
    bool time;                  /* [lo, hi], microseconds */
    long double lo, hi;
    bool text; /* [from, below) */
    tn_str from, below;
    bool same; /* they all are this text, as the log has it */
    tn_str value;
} tn_delta_range;

/* Of the column at `path`, whose type is `base`, in a file with these partition values. */
tn_delta_range tn_delta_origin_range(tn_arena *a, const tn_delta_origins *list,
    tn_val partition_values, const tn_strs *path, const tn_delta_type *base);

#endif
