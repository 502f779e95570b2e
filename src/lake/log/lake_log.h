/* lake_log.h: lake commits as documents, below the pins that lake.h speaks of. */
#ifndef TN_LAKE_LAKE_LOG_H
#define TN_LAKE_LAKE_LOG_H

#include "lake/log/lake_file.h"

typedef tn_vec(int64_t) tn_lake_numbers;

/* The JSON object of one commit; NOTFOUND when it never was or was cleaned up. */
tn_rc tn_lake_doc_read(
    tn_lake *l, tn_arena *a, int64_t number, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_doc_pins(tn_arena *a, tn_val doc, tn_pins *ret, tn_err *err) TN_MUSTUSE;
/* -1: the log is empty. */
tn_rc tn_lake_newest_number(tn_lake *l, tn_arena *a, int64_t *ret, tn_err *err) TN_MUSTUSE;
/* Numbers of the commits after one (-1: all) that are there, ascending; cleaning leaves gaps. */
tn_rc tn_lake_numbers_after(
    tn_lake *l, tn_arena *a, int64_t after, tn_lake_numbers *ret, tn_err *err) TN_MUSTUSE;
tn_str tn_lake_commit_key(tn_arena *a, int64_t number);
/* The change that turns `from` into `to`: appends to ret's put and drop. */
void tn_lake_difference(tn_arena *a, const tn_pins *from, const tn_pins *to, tn_lake_change *ret);

#endif
