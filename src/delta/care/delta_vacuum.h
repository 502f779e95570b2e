/* delta_vacuum.h: the state of one VACUUM, and the two ways to find what may go.
 *
 * Both ways drop at once what the version read at first needs, so memory follows what can be removed (and one top folder or page of the listing per thread),
 * not what is there.
 */
#ifndef TN_DELTA_DELTA_VACUUM_H
#define TN_DELTA_DELTA_VACUUM_H

#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"

enum { TN_DELTA_VACUUM_THREADS = 8 }; /* requests at once */

typedef struct tn_delta_vacuum_run {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;
    const tn_delta_vacuum_opts *opts;
    const tn_delta_snapshot *s;
    int64_t retention_ms, cut_ms;
    tn_map needed;      /* keys below the root */
    tn_map needed_base; /* base names of absolute paths */
    tn_mutex mutex;     /* while several threads work: a, found, tables, withheld, out */
    tn_store_items found, doomed;
    tn_strs tables; /* folders below the root that are tables themselves */
    bool withheld;  /* something stays only because a protected version needs it */
    tn_delta_vacuum_result out;
} tn_delta_vacuum_run;

/* "a//b/./c" and "a/b/c" are one file. */
tn_str tn_delta_vacuum_key(tn_arena *a, tn_str place);
/* A decoded path that is no key below the root. */
bool tn_delta_vacuum_is_outside(tn_str place);
/* Under the lock while several threads work. */
bool tn_delta_vacuum_needs(tn_delta_vacuum_run *v, tn_str key);

/* Both fill v->found, sorted by key: by listing the table's folder; by reading commits. */
tn_rc tn_delta_vacuum_list(tn_delta_vacuum_run *v, tn_err *err) TN_MUSTUSE;
tn_rc tn_delta_vacuum_find_in_log(tn_delta_vacuum_run *v, tn_err *err) TN_MUSTUSE;

/* _delta_log/_last_vacuum_info: {"latestCommitVersionOutsideOfRetentionWindow":N}. All that commits up to N made superfluous is gone, so the next lite vacuum
 * begins after N. */
tn_rc tn_delta_vacuum_note(const tn_delta_vacuum_run *v, tn_err *err) TN_MUSTUSE;

#endif
