/* delta_replay.h: actions in the order of versions make the state of a table. */
#ifndef TN_DELTA_DELTA_REPLAY_H
#define TN_DELTA_DELTA_REPLAY_H

#include "delta/action/delta_action.h"
#include "delta/log/delta_log.h"

typedef struct tn_delta_replay {
    tn_arena *arena;   /* the snapshot's */
    tn_map files;      /* key -> tn_delta_file */
    tn_map tombstones; /* key -> tn_delta_remove */
    tn_map txns;       /* app id -> tn_delta_txn */
    tn_map domains;    /* name -> tn_delta_domain */
    bool has_protocol, has_meta;
    tn_delta_protocol protocol;
    tn_delta_meta meta;
    int64_t in_commit_ms;
    tn_str commit_hash; /* of the last commit, tn_delta_hash_of; empty: not known */
} tn_delta_replay;
tn_delta_replay tn_delta_replay_init(tn_arena *a);
/* In the order of versions, a checkpoint first. Strings of acts must live in the replay's arena. */
tn_rc tn_delta_replay_apply(
    tn_delta_replay *r, const tn_delta_actions *acts, tn_err *err) TN_MUSTUSE;
/* Actions of several versions at once (log compaction). They should be reconciled, but writers have left adds beside the removes that cancel them: here a
 * remove wins. */
tn_rc tn_delta_replay_apply_range(
    tn_delta_replay *r, const tn_delta_actions *acts, tn_err *err) TN_MUSTUSE;
tn_rc tn_delta_replay_add(tn_delta_replay *r, const tn_delta_file *f, tn_err *err) TN_MUSTUSE;
tn_rc tn_delta_replay_remove(tn_delta_replay *r, const tn_delta_remove *f, tn_err *err) TN_MUSTUSE;

tn_rc tn_delta_checkpoint_read(tn_delta_table *t, tn_conn *conn, const tn_delta_segment *seg,
    tn_delta_replay *r, tn_err *err) TN_MUSTUSE;

/* Puts the base names of the sidecars that one checkpoint object names into *named. */
tn_rc tn_delta_checkpoint_sidecars(
    tn_delta_table *t, tn_conn *conn, tn_str key, tn_map *named, tn_err *err) TN_MUSTUSE;

#endif
