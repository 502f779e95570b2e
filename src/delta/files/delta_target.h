/* delta_target.h: what a write makes of a table, and its rows as files. Every row that is written anywhere passes both
 * functions, so that column mapping, generated columns, defaults, identity and checks hold on every way.
 */
#ifndef TN_DELTA_DELTA_TARGET_H
#define TN_DELTA_DELTA_TARGET_H

#include "delta/action/delta_action.h"
#include "delta/log/delta_log.h"

typedef struct
    tn_delta_target { /* the table as the write leaves it, and how to get a row of the SELECT into it */
    tn_delta_protocol protocol;
    tn_delta_meta meta;
    bool protocol_is_new, meta_is_new;
    tn_str select; /* SQL: the columns of the schema in order, cast */
    /* All rows belong to one partition, whose values are known: files go to `dir` below the root (decoded, empty: the root)
     * and are cut at the target size. partition_values undefined: COPY finds the partitions. */
    tn_str dir;
    tn_val partition_values;
    tn_vec(size_t) identities; /* columns whose values the SELECT makes, one a row */
    /* Set before tn_delta_target_make: columns of the SELECT that are none of the table's. They are written after the table's columns, by
     * their own names, and have no statistics. */
    tn_strs extra;
    tn_strs clustered;        /* columns that the table is clustered by */
    tn_delta_domains domains; /* to be committed with the write */
    bool unchecked;   /* the rows were in the table before: constraints are not asked again */
    bool filled;      /* generated and identity columns have their values already */
    tn_str file_name; /* what names of the files begin with; empty: "part" */
} tn_delta_target;
tn_rc tn_delta_target_make(tn_arena *a, const tn_delta_snapshot *s, tn_conn *conn,
    tn_str select_sql, const tn_delta_write_opts *opts, tn_delta_target *ret,
    tn_err *err) TN_MUSTUSE;

/* Runs the COPY and gives the files it wrote, with stats and partition values; on failure nothing is left. Then the target's metadata may be new: identities. */
tn_rc tn_delta_files_write(tn_delta_table *t, tn_conn *conn, tn_arena *a, tn_delta_target *target,
    int64_t target_bytes, tn_delta_files *ret, int64_t *ret_rows, tn_err *err) TN_MUSTUSE;
/* Removes data files that no commit names; best effort. */
void tn_delta_files_discard(tn_delta_table *t, const tn_delta_files *files);

#endif
