/* lake_default.h: DEFAULT among the values of an INSERT. */
#ifndef TN_LAKE_LAKE_DEFAULT_H
#define TN_LAKE_LAKE_DEFAULT_H

#include "delta/delta.h"

typedef struct tn_sql_default {
    size_t column; /* place in its row */
    size_t at;     /* byte of the query where its value stands, as NULL */
} tn_sql_default;

typedef struct tn_sql_defaults {
    tn_str query; /* with NULL where DEFAULT stood, later with the columns' defaults */
    tn_vec(tn_sql_default) v;
    size_t rows; /* of VALUES */
} tn_sql_defaults;

/* VALUES (1, DEFAULT), ..: finds them and puts NULL there. Other queries stay as they are. */
tn_rc tn_sql_take_defaults(tn_arena *a, tn_str query, tn_sql_defaults *ret, tn_err *err) TN_MUSTUSE;
/* Puts the defaults of the columns there. A generated column must be DEFAULT in all rows or in none. */
tn_rc tn_sql_put_defaults(tn_arena *a, tn_sql_defaults *d, const tn_strs *columns,
    const tn_delta_type *schema, tn_err *err) TN_MUSTUSE;
/* The column is DEFAULT in every row. */
bool tn_sql_all_default(const tn_sql_defaults *d, size_t column);

#endif
