/* lake_care.h: what the tables of a lake need, and doing it: packing, clustering, vacuum, cleaning. For a person who looks, and for cron.
 *
 * Several hosts may do this at once: each table is taken by ticket (lake_lease.h), one that a run is building is passed over. Only tables of the
 * environment's own are touched. What changes no rows moves the pin along.
 *
 * Ownership: results live in the arena given. Sizes in bytes, times in milliseconds since 1970 UTC.
 */
#ifndef TN_LAKE_LAKE_CARE_H
#define TN_LAKE_LAKE_CARE_H

#include "lake/lake.h"

typedef struct tn_lake_care {
    tn_str schema, name, location;
    int64_t version,
        newest; /* pinned; the table's own newest: what lies between is published nowhere */
    int64_t files, small_files, bytes, rows; /* rows -1: not known */
    int64_t deleted_rows;                    /* marked by deletion vectors */
    int64_t expired_files; /* that VACUUM would remove: tombstones past the retention */
    int64_t changed_ms;    /* of the newest version */
    bool own;              /* the environment writes it */
    bool pack, vacuum;     /* due */
    tn_str error;          /* why it could not be looked at; empty: it was */
} tn_lake_care;
typedef tn_vec(tn_lake_care) tn_lake_cares;

/* Looks at all tables that the environment pins. */
tn_rc tn_lake_care_read(
    tn_lake *l, tn_conn *conn, tn_arena *a, tn_str env, tn_lake_cares *ret, tn_err *err) TN_MUSTUSE;

typedef struct tn_lake_maintain_opts {
    int64_t
        retention_ms; /* of lake commits and of VACUUM: -1: each table's own, a week for the lake */
    bool dry_run;
    bool all; /* every table of the environment, due or not */
} tn_lake_maintain_opts;

typedef struct tn_lake_done { /* one table, or the lake itself (name empty) */
    tn_str relation;
    tn_str what; /* "optimize", "vacuum", "gc", "skipped" */
    tn_str detail;
    bool failed;
} tn_lake_done;
typedef tn_vec(tn_lake_done) tn_lake_dones;

/* Does what is due. A step that fails does not keep the others from being done; ret has all. */
tn_rc tn_lake_maintain(tn_lake *l, tn_conn *conn, tn_arena *a, tn_str env,
    const tn_lake_maintain_opts *opts, tn_lake_dones *ret, tn_err *err) TN_MUSTUSE;

#endif
