/* delta_clone.h: private to delta_clone*.c: a clone that is being made. */
#ifndef TN_DELTA_CLONE_H
#define TN_DELTA_CLONE_H

#include "delta/log/delta_log.h"

typedef struct tn_delta_clone_copy {
    tn_str place; /* relative to the source's root, or absolute */
    tn_str key;
} tn_delta_clone_copy;

typedef struct tn_delta_cloning {
    tn_delta_table *from, *to;
    tn_arena *a;
    const tn_delta_snapshot *s;    /* of from */
    const tn_delta_snapshot *over; /* of to, which is replaced; NULL: a new table */
    bool shallow;
    tn_delta_files adds;
    tn_vec(tn_delta_clone_copy) copies;
    tn_map copied; /* their keys: they are there, or may be */
    tn_map live;   /* keys of all that it has -> tn_delta_file */
    tn_map paths;  /* their decoded paths -> tn_delta_file */
    tn_map shared; /* keys (tn_delta_file_key) of files that the table has already */
    int64_t bytes;
} tn_delta_cloning;

/* The file without row ids and version, which the commit then gives it: the source's are numbers of another table. */
tn_delta_file tn_delta_clone_unnumbered(tn_delta_file f);
/* The table that is replaced may be. */
tn_rc tn_delta_clone_may_replace(const tn_delta_cloning *c, tn_err *err) TN_MUSTUSE;
/* Whether that table has just this file (f: as the clone would name it), so that it stays. */
bool tn_delta_clone_shares(tn_delta_cloning *c, const tn_delta_file *f);
/* Whether it has the file's data under the same place, from an earlier clone; other rows may be marked as deleted. */
bool tn_delta_clone_has_data(const tn_delta_cloning *c, tn_str place, const tn_delta_file *f);
/* The version after c->over: protocol and metadata are the caller's to keep. */
tn_rc tn_delta_clone_plan_over(tn_delta_cloning *c, tn_delta_meta *meta,
    tn_delta_protocol *protocol, tn_delta_txn_plan *p, tn_err *err) TN_MUSTUSE;

#endif
