/* cli_grid.h: private to the row printers: reading rows, and the table for people. */
#ifndef TN_CLI_CLI_GRID_H
#define TN_CLI_CLI_GRID_H

#include "cli/cli_rows.h"

size_t tn_rows_cols(const tn_rows *rows);
tn_str tn_rows_name(const tn_rows *rows, size_t col);
/* Next rows; *at starts at 0; *ret_n = 0 at the end. */
tn_rc tn_rows_chunk(tn_rows *rows, size_t *at, size_t *ret_n, tn_err *err) TN_MUSTUSE;
tn_val tn_rows_cell(const tn_rows *rows, tn_arena *a, size_t col, size_t row);
bool tn_rows_text(
    const tn_rows *rows, tn_arena *a, size_t col, size_t row, tn_str *ret); /* false: NULL */

tn_rc tn_grid_print(tn_rows *rows, const tn_rows_style *style, FILE *out, int64_t *ret_rows,
    tn_err *err) TN_MUSTUSE;
/* Columns on a terminal that a text takes. */
size_t tn_grid_width(tn_str s);

#endif
