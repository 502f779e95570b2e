/* cli_rows.h: rows of a result as a table for people, csv, json, ndjson, parquet or an Arrow stream.
 *
 * All but the table go out chunk by chunk: memory stays bounded whatever the result's size. A file is written aside and renamed when it is whole.
 */
#ifndef TN_CLI_CLI_ROWS_H
#define TN_CLI_CLI_ROWS_H

#include <stdio.h>

#include "cli/cli.h"
#include "duck/duck.h"

typedef enum tn_rows_format {
    TN_ROWS_TABLE,
    TN_ROWS_CSV,
    TN_ROWS_JSON,
    TN_ROWS_NDJSON,
    TN_ROWS_PARQUET,
    TN_ROWS_ARROW
} tn_rows_format;

/* What is printed: a result, or a list of tuples with their names. */
typedef struct tn_rows {
    tn_result *result; /* NULL: the list */
    tn_val names, list;
} tn_rows;

typedef struct tn_rows_style {
    tn_rows_format format;
    int64_t rows_max; /* table: rows shown; 0: all */
    bool header;      /* csv */
    int width;        /* table: columns of the terminal; 0: no limit */
    bool color;
    int64_t took_us; /* table: told in the last line; 0: not */
} tn_rows_style;

bool tn_rows_format_of(tn_str word, tn_rows_format *ret);
/* Table, csv, json and ndjson to a stream. *ret_rows may be NULL. */
tn_rc tn_rows_print(tn_rows *rows, const tn_rows_style *style, FILE *out, int64_t *ret_rows,
    tn_err *err) TN_MUSTUSE;

#endif
