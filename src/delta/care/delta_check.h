/* delta_check.h: the state of one check of a table, and the parts that go through its live files.
 *
 * A part adds findings and goes on; it fails only when nothing can be said of the table at all.
 */
#ifndef TN_DELTA_DELTA_CHECK_H
#define TN_DELTA_DELTA_CHECK_H

#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"

typedef struct tn_delta_checking {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;   /* of the findings */
    tn_arena *tmp; /* of the work */
    const tn_delta_check_opts *opts;
    tn_delta_snapshot *s;
    bool *there; /* of each file: its footer may be read */
    bool *
        readable; /* of each file: its rows may be read: it is there, and so is its deletion vector */
    tn_delta_check_result out;
} tn_delta_checking;

/* One finding; an error unless it is a hint. */
void tn_delta_tell(tn_delta_checking *c, bool error, const char *what, tn_str path, const char *fmt,
    ...) TN_PRINTF(5, 6);

/* Rows of the files [from, to) against the log's statistics: bounds and counts of NULL, in structs too. Files whose rows cannot be read are told of. */
void tn_delta_check_values(tn_delta_checking *c, size_t from, size_t to);
/* Row tracking: each file has ids, no two files the same ones, and none is above the table's mark. */
void tn_delta_check_row_ids(tn_delta_checking *c);

#endif
