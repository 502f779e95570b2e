/* lake_maint.h: looking after the Delta tables of a lake: the same as delta/delta_maint.h, with the lake's pins in mind.
 *
 * What changes no rows (OPTIMIZE, the log entries of VACUUM) moves the environment's pin along when it stood on the version that the work began with and
 * nobody else wrote in between; else the pin stays, since the newer versions are not published. RESTORE and CLONE are changes of
 * rows and are published like an INSERT. VACUUM keeps the files of every version that the newest lake commit of any environment pins, also those that a
 * pinned shallow clone shares.
 */
#ifndef TN_LAKE_LAKE_MAINT_H
#define TN_LAKE_LAKE_MAINT_H

#include "delta/delta_maint.h"
#include "lake/lake_sql.h"

/* A place belongs to one environment (docs/decisions/005-environments.md): OPTIMIZE and VACUUM of another's are TN_E_ACCESS, RESTORE of a version
 * of another's makes a table of the environment's own. */
typedef struct tn_lake_job { /* what the work is on; everything is borrowed */
    tn_lake *lake;
    tn_conn *conn;
    tn_str env;
    const tn_lake_head *head; /* of env, as it was read; NULL: the root is no lake */
    tn_lake_place at;
    tn_str shown;    /* the table's name for messages */
    bool no_publish; /* leave pins as they are */
} tn_lake_job;

/* ret_pinned: the environment reads the new version now. False also when nothing changed or the table is not pinned. */
tn_rc tn_lake_optimize(const tn_lake_job *j, tn_arena *a, const tn_delta_optimize_opts *opts,
    tn_delta_optimize_result *ret, bool *ret_pinned, tn_err *err) TN_MUSTUSE;
/* ALTER TABLE .. CLUSTER BY; no columns: NONE. */
tn_rc tn_lake_cluster(
    const tn_lake_job *j, const tn_strs *columns, int64_t *ret_version, tn_err *err) TN_MUSTUSE;
/* opts->protect is filled here. */
tn_rc tn_lake_vacuum(const tn_lake_job *j, tn_arena *a, const tn_delta_vacuum_opts *opts,
    tn_delta_vacuum_result *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_restore(const tn_lake_job *j, const tn_delta_restore_opts *opts,
    tn_delta_restore_result *ret, tn_err *err) TN_MUSTUSE;
/* The environment is moved along when it stood on the version that was repaired. */
tn_rc tn_lake_repair(const tn_lake_job *j, tn_arena *a, const tn_delta_repair_opts *opts,
    tn_delta_repair_result *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_check(const tn_lake_job *j, tn_arena *a, const tn_delta_check_opts *opts,
    tn_delta_check_result *ret, tn_err *err) TN_MUSTUSE;
/* A checkpoint of the newest version, whether one is due or not. */
tn_rc tn_lake_checkpoint(const tn_lake_job *j, int64_t *ret_version, tn_err *err) TN_MUSTUSE;
/* The commits since the newest checkpoint as one file. */
tn_rc tn_lake_compact(const tn_lake_job *j, tn_delta_compact_result *ret, tn_err *err) TN_MUSTUSE;
/* j->at is the new table; opts->version -1: the source's pinned one, else its newest. */
tn_rc tn_lake_clone(const tn_lake_job *j, const tn_lake_place *source,
    const tn_delta_clone_opts *opts, tn_delta_clone_result *ret, tn_err *err) TN_MUSTUSE;

#endif
