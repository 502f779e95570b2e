/* lake_gc.h: what of a lake's history is still needed, and removing the rest.
 *
 * Needed are: the newest commit of every environment and the commit that it is based on, what a tag names, and every commit that some reader may have
 * seen within the retention: it is younger than that, or its successor is. What needs a commit needs the table versions that it pins.
 *
 * Cleaning removes the commits that are not needed, tables that only those pinned and that their environment wrote, and tables of environments that
 * are gone. A table that somebody wrote within the retention stays. Files of old versions inside tables are VACUUM's, which asks here what to keep.
 *
 * Ownership: everything lives in the arena given.
 */
#ifndef TN_LAKE_LAKE_GC_H
#define TN_LAKE_LAKE_GC_H

#include "lake/lake.h"

#define TN_LAKE_RETENTION_MS ((int64_t)7 * 24 * 3600 * 1000)

/* What is pinned by the commits that are needed when readers may look back for retention_ms: one pin a version of a table, however many commits pin it. Costs one request a commit of that time. */
tn_rc tn_lake_needs_read(
    tn_lake *l, tn_arena *a, int64_t retention_ms, tn_pins *ret, tn_err *err) TN_MUSTUSE;

typedef struct tn_lake_gc_opts {
    int64_t retention_ms;
    bool dry_run; /* only say what would go */
} tn_lake_gc_opts;

typedef struct tn_lake_gc_result {
    int64_t commits_kept, commits_removed;
    int64_t objects, bytes; /* of tables */
    tn_strs tables;         /* places, relative to the root */
    int64_t failed;         /* objects that could not be removed; the next cleaning tries again */
} tn_lake_gc_result;
/* conn opens tables, to see what shallow clones share. */
tn_rc tn_lake_gc(tn_lake *l, tn_conn *conn, tn_arena *a, const tn_lake_gc_opts *opts,
    tn_lake_gc_result *ret, tn_err *err) TN_MUSTUSE;

#endif
