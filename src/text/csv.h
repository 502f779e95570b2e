/* csv.h: RFC 4180 records as Python's csv module reads them (quotes doubled, newlines in quotes, any line ending). */
#ifndef TN_TEXT_CSV_H
#define TN_TEXT_CSV_H

#include "base/buf.h"

typedef struct tn_csv {
    tn_str text;
    size_t at;
    int line; /* 1-based line where the next record starts */
    char delimiter;
    char quote;
} tn_csv;

tn_csv tn_csv_init(tn_str text, char delimiter);
/* Next record: fields in the arena; *ret_n = SIZE_MAX at the end. A stray or open quote is TN_E_SYNTAX with its line. */
tn_rc tn_csv_next(
    tn_csv *c, tn_arena *a, tn_str **ret_fields, size_t *ret_n, tn_err *err) TN_MUSTUSE;
void tn_csv_field(tn_buf *b, tn_str s, char delimiter); /* quoted when needed */

#endif
