/* table.h: query results and seeds as macros know them: agate's Table, its rows and columns.
 *
 * Immutable; lives in the arena that it was made in. Values are what dbt gives: int, Decimal (floats too), bool, date, datetime, str, None;
 * lists and structs are JSON text.
 */
#ifndef TN_RUN_TABLE_H
#define TN_RUN_TABLE_H

#include "base/val.h"
#include "duck/duck.h"

enum {
    TN_TABLE_ROWS_MAX = 50000000, /* of one fetched result */
    TN_SEED_BYTES_MAX = 1 << 30,
};

typedef enum tn_table_kind {
    TN_COL_TEXT,
    TN_COL_INTEGER,
    TN_COL_NUMBER,
    TN_COL_DATE,
    TN_COL_DATETIME,
    TN_COL_BOOLEAN,
} tn_table_kind;

typedef struct tn_table {
    tn_obj base;
    tn_arena *arena;
    tn_val names;         /* list of str */
    tn_val rows;          /* list of tuples */
    tn_table_kind *kinds; /* one a column */
} tn_table;

extern const tn_obj_type tn_table_type;
static inline size_t tn_table_rows(const tn_table *t)
{
    return t->rows.list->n;
}
static inline size_t tn_table_cols(const tn_table *t)
{
    return t->names.list->n;
}
static inline tn_val tn_table_cell(const tn_table *t, size_t row, size_t col)
{
    return t->rows.list->v[row].list->v[col];
}
tn_val tn_table_new(tn_arena *a, tn_val names, tn_val rows);
bool tn_val_is_table(tn_val v, tn_table **ret);
/* Fetches all of a result. */
tn_rc tn_table_fetch(tn_result *r, tn_arena *a, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* A csv file as agate reads it: columns in text_columns stay text, others are typed by what all of their cells are. */
tn_rc tn_table_read_csv(tn_arena *a, tn_str path, char delimiter, const tn_dict *text_columns,
    tn_val *ret, tn_err *err) TN_MUSTUSE;
/* The SQL type that a seed's column gets: "integer", "float8", "date", ... */
const char *tn_table_sql_type(const tn_table *t, size_t col);
/* agate's print_table: "| a | b |" lines. rows_max 0: all. */
void tn_table_print(tn_buf *b, const tn_table *t, size_t rows_max, size_t cols_max);

#endif
