/* land_columns.h: the columns of one landing, shared by land_read.c and land_csv.c. */
#ifndef TN_LAKE_LAND_COLUMNS_H
#define TN_LAKE_LAND_COLUMNS_H

#include "lake/land/land_read.h"

typedef struct tn_land_columns {
    tn_strs names; /* as the reader gives them, without the file column */
    tn_strs shown; /* as the table has them */
    tn_val *types; /* wanted type as text, or undefined */
    tn_strs given; /* type the reader gives */
} tn_land_columns;

void tn_land_add_paths(tn_buf *b, tn_arena *a, const tn_strs *paths);
tn_strs tn_land_paths(const tn_land_read *r, tn_arena *a);
/* Names and types of a reader's columns, without the file's name. */
tn_rc tn_land_describe(tn_conn *conn, tn_arena *a, tn_str reader, tn_strs *ret_names,
    tn_strs *ret_types, tn_err *err) TN_MUSTUSE;
/* shown and types from names and given. */
void tn_land_settle_types(const tn_land_read *r, tn_arena *a, tn_land_columns *c);
void tn_land_add_select(tn_buf *b, const tn_land_read *r, const tn_land_columns *c, tn_str reader);

/* The SELECT over csv files; *all gets the columns of all of them. */
tn_rc tn_land_csv_sql(const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_land_columns *all,
    tn_buf *b, tn_err *err) TN_MUSTUSE;

#endif
