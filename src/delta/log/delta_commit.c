/* delta_commit.c: the one place where a version of a table becomes visible.
 *
 * A commit is put with put-if-absent. Whoever loses reads the commits that won, asks delta_conflict.c, and tries the next number;
 * no data file is written again. There is no fixed number of tries: each round some writer has won, and those who have
 * waited longer wait less before the next try, so that nobody starves.
 * A put whose answer was lost is settled by reading the object back: commitInfo.txnId says whose it is.
 */
#include "delta/log/delta_commit.h"
#include "delta/action/delta_action.h"
#include "delta/log/delta_log.h"

#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/random.h"

enum { WAIT_WINDOW_US = 30000, UNSURE_TRIES_MAX = 8 };

typedef tn_delta_commit commit;

/* ---- after a put that did not say yes ---- */

typedef enum outcome { OURS, THEIRS, NOBODY, UNKNOWN } outcome;

/* Whose is the commit at c->version? */
static outcome look_back(const commit *c, tn_arena *a)
{
    tn_delta_actions there;
    tn_err ignored = TN_ERR_INIT;
    tn_rc rc = tn_delta_commit_read(c->t, a, c->version, &there, &ignored);
    if (rc == TN_E_NOTFOUND) {
        return NOBODY;
    }
    if (rc != TN_OK) {
        return UNKNOWN;
    }
    return tn_str_eq(there.txn_id, c->txn_id) ? OURS : THEIRS;
}

/* Reads who won from c->version on and moves past them. *ret_ours: one of them was our own, from a put whose answer was lost. */
static tn_rc pass_winners(commit *c, bool *ret_ours, tn_err *err)
{
    tn_delta_log_files commits;
    TN_TRY(tn_delta_commits_after(c->t, c->a, c->version - 1, &commits, err));
    if (commits.n == 0) {
        /* It is there and the listing does not show it: believe the put. */
        tn_delta_log_file one = { .version = c->version, .mtime_ms = TN_DELTA_ABSENT };
        tn_vec_push(&commits, c->a, one);
    }
    for (size_t i = 0; i < commits.n; i++) {
        tn_delta_actions winner;
        TN_TRY(tn_delta_commit_read(c->t, c->a, commits.v[i].version, &winner, err));
        if (tn_str_eq(winner.txn_id, c->txn_id)) {
            *ret_ours = true;
            c->version = winner.version;
            return TN_OK;
        }
        TN_TRY(tn_delta_commit_pass(c, &winner, commits.v[i].mtime_ms, err));
    }
    return TN_OK;
}

void tn_delta_wait_turn(int round)
{
    tn_clock_sleep_us((int64_t)(tn_random_unit() * (double)WAIT_WINDOW_US / (double)round));
}

static tn_rc ask_who(
    commit *c, tn_arena *a, tn_rc rc, const tn_err *why, int *unsure, bool *ret_done, tn_err *err)
{
    switch (look_back(c, a)) {
    case OURS:
        *ret_done = true;
        return TN_OK;
    case THEIRS:
        return pass_winners(c, ret_done, err);
    case NOBODY:
        if (rc == TN_E_AMBIGUOUS && ++*unsure <= UNSURE_TRIES_MAX) {
            return TN_OK; /* the same number again: put-if-absent makes that safe */
        }
        if (rc != TN_E_AMBIGUOUS) {
            return tn_err_pass(err, rc, why);
        }
        break;
    case UNKNOWN:
        break;
    }
    rc = tn_fail(err, TN_E_AMBIGUOUS, "cannot tell whether version %lld was committed: %s",
        (long long)c->version, why->msg);
    return tn_hint(
        err, rc, "look for txnId '" TN_STR_FMT "' in the table's history", TN_STR_ARG(c->txn_id));
}

/* A folder's log that was removed meanwhile would come to be again by the put, with this commit alone in it: nobody could read that. */
static tn_rc check_log_is_there(const commit *c, tn_arena *a, tn_err *err)
{
    tn_str log = tn_store_locate(c->t->store, a, TN_STR("_delta_log"));
    if (c->version == 0 || !tn_str_starts(log, TN_STR("/")) || tn_file_is_dir(log)) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
        "the table's log was removed while version %lld was made: there is no folder '" TN_STR_FMT
        "' any more",
        (long long)c->version, TN_STR_ARG(log));
    return tn_hint(err, rc, "nothing was committed; make the table anew or bring its folder back");
}

/* One put. *ret_done: the commit is there. TN_OK without done: c->version has moved, try again. */
static tn_rc try_once(commit *c, int *unsure, bool *ret_done, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta commit", NULL);
    tn_str text;
    tn_delta_actions acts;
    TN_TRY(tn_delta_commit_render(c, a, &text, &acts, err));
    TN_TRY(check_log_is_there(c, a, err));
    tn_err why = TN_ERR_INIT;
    int64_t since_us = tn_clock_mono_us();
    tn_rc rc =
        tn_store_put(c->t->store, tn_delta_commit_key(a, c->version), text, TN_PUT_IF_ABSENT, &why);
    if (rc == TN_E_EXISTS) {
        return pass_winners(c, ret_done, err);
    }
    if (rc != TN_OK) {
        TN_TRY(ask_who(c, a, rc, &why, unsure, ret_done, err));
    }
    if (rc == TN_OK) {
        *ret_done = true;
        tn_delta_head_apply(&c->head, &acts);
        if (c->head.counted) {
            tn_delta_crc_put(c->t, &c->head);
        }
        if (c->plan->base == NULL || c->plan->base->version == c->plan->read_version) {
            tn_delta_recent_commit(c->t, c->plan->base, c->version, text, since_us);
        }
    }
    return TN_OK;
}

tn_rc tn_delta_commit_write(
    tn_delta_table *t, const tn_delta_txn_plan *plan, int64_t *ret_version, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta commit", NULL);
    commit c = tn_delta_commit_init(a, t, plan);
    bool done = false;
    int unsure = 0;
    for (int round = 1; !done; round++) {
        if (round > 1) {
            tn_delta_wait_turn(round - 1);
        }
        if (unsure == 0 && tn_interrupted()) {
            return tn_fail(err, TN_E_CANCELLED, "interrupted before version %lld was committed",
                (long long)c.version);
        }
        TN_TRY(try_once(&c, &unsure, &done, err));
    }
    tn_log(TN_LOG_DEBUG, "delta", "committed version %lld of '" TN_STR_FMT "'",
        (long long)c.version, TN_STR_ARG(t->store->root));
    *ret_version = c.version;
    return TN_OK;
}
