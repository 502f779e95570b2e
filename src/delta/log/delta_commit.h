/* delta_commit.h: one commit on its way to its version. */
#ifndef TN_DELTA_DELTA_COMMIT_H
#define TN_DELTA_DELTA_COMMIT_H

#include "delta/action/delta_action.h"
#include "delta/log/delta_head.h"
#include "delta/log/delta_log.h"

typedef struct tn_delta_commit {
    tn_delta_table *t;
    tn_arena *a;
    const tn_delta_txn_plan *plan;
    tn_str txn_id;
    int64_t version;    /* the next try */
    tn_delta_head head; /* of version - 1 */
    int64_t
        floor_ms; /* what an inCommitTimestamp must be above; ABSENT: the table will keep none */
    tn_delta_files adds; /* the plan's, as far as winners have not changed them */
} tn_delta_commit;

tn_delta_commit tn_delta_commit_init(tn_arena *a, tn_delta_table *t, const tn_delta_txn_plan *plan);
/* Moves past a winner that does not collide. mtime_ms: of its file, ABSENT: unknown. */
tn_rc tn_delta_commit_pass(
    tn_delta_commit *c, const tn_delta_actions *winner, int64_t mtime_ms, tn_err *err) TN_MUSTUSE;
/* The commit's text for c->version, and what it amounts to (texts borrowed). */
tn_rc tn_delta_commit_render(tn_delta_commit *c, tn_arena *a, tn_str *ret_text,
    tn_delta_actions *ret_acts, tn_err *err) TN_MUSTUSE;

/* Waits before the next try after `round` lost ones: at random, and less the longer one has waited, so that nobody starves. */
void tn_delta_wait_turn(int round);

/* ---- rules (delta_conflict.c) ---- */
/* What the rules of the protocol's reference say of one commit that won: TN_OK, or TN_E_CONFLICT with the rule's name. Pure. */
tn_rc tn_delta_conflict_check(const tn_delta_txn_plan *ours, const tn_delta_actions *winner,
    tn_arena *a, tn_err *err) TN_MUSTUSE;
/* "Serializable", "WriteSerializable" or "SnapshotIsolation". */
tn_str tn_delta_isolation_of(const tn_delta_txn_plan *plan);

/* ---- row ids (delta_rows.c) ---- */
/* Gives acts->adds what they lack and appends the domain with the new high water mark. Nothing when the table does not track rows. */
tn_rc tn_delta_rows_assign(
    tn_delta_commit *c, tn_arena *a, tn_delta_actions *acts, tn_err *err) TN_MUSTUSE;
/* After a winner: takes over what a backfill has assigned to files of ours. */
tn_rc tn_delta_rows_pass(
    tn_delta_commit *c, const tn_delta_actions *winner, tn_err *err) TN_MUSTUSE;

#endif
