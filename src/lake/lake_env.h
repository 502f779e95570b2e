/* lake_env.h: environments as branches of a lake, and names for points in its history.
 *
 * An environment is a line of lake commits. One that is made from another begins with its pins (its `base`); no data is copied. It comes back by
 * promotion: what it changed since its base becomes a lake commit of the other, and only if that one did not move meanwhile. When it did, rebase first:
 * the environment takes over what the other changed and it did not.
 *
 * A tag is a name for one lake commit: an object _tarn/tags/<name>.json, made with put-if-absent, never changed. Cleaning (lake_gc.h) keeps what tags name.
 *
 * Ownership: results live in the arena given. Errors: NOTFOUND (no such environment, commit, tag), EXISTS, CONFLICT (the other one moved; names what),
 * VALUE (a name that cannot be).
 */
#ifndef TN_LAKE_LAKE_ENV_H
#define TN_LAKE_LAKE_ENV_H

#include "lake/lake.h"

/* ---- points in history ---- */
typedef struct tn_lake_ref {
    int64_t commit;
    tn_str env; /* that the commit belongs to */
    tn_pins pins;
} tn_lake_ref;
/* word: the number of a lake commit, the name of an environment (its newest commit), a tag, or an instant ("2026-01-31 12:00": what env's readers saw
 * then; UTC when no zone is given). */
tn_rc tn_lake_ref_read(
    tn_lake *l, tn_arena *a, tn_str env, tn_str word, tn_lake_ref *ret, tn_err *err) TN_MUSTUSE;
/* For a second look within one command: as tn_lake_head_recent. */
tn_rc tn_lake_ref_recent(
    tn_lake *l, tn_arena *a, tn_str env, tn_str word, tn_lake_ref *ret, tn_err *err) TN_MUSTUSE;
/* The environment's newest commit at an instant; NOTFOUND when it began later. */
tn_rc tn_lake_commit_at(
    tn_lake *l, tn_str env, int64_t timestamp_ms, int64_t *ret_commit, tn_err *err) TN_MUSTUSE;

typedef struct tn_lake_tag {
    tn_str name, env;
    int64_t commit, timestamp_ms;
    tn_str message;
} tn_lake_tag;
typedef tn_vec(tn_lake_tag) tn_lake_tags;
tn_rc tn_lake_tag_create(
    tn_lake *l, tn_str name, int64_t commit, tn_str message, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_tag_remove(tn_lake *l, tn_str name, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_tags_read(
    tn_lake *l, tn_arena *a, tn_lake_tags *ret, tn_err *err) TN_MUSTUSE; /* by name */

/* ---- branches ---- */
/* from: as tn_lake_ref_read takes it. */
tn_rc tn_lake_env_create(
    tn_lake *l, tn_str env, tn_str from, int64_t *ret_commit, tn_err *err) TN_MUSTUSE;

typedef struct tn_lake_moves { /* what a promotion or a rebase did, or would do */
    int64_t
        commit; /* of the environment that was changed; its old one when nothing was to be done */
    tn_strs changed, dropped; /* "schema.name" */
    tn_strs both;             /* changed on both sides, to different things */
} tn_lake_moves;
/* Publishes in `to` what env changed since its base. dry_run: only say what. */
tn_rc tn_lake_env_promote(tn_lake *l, tn_arena *a, tn_str env, tn_str to, bool dry_run,
    tn_lake_moves *ret, tn_err *err) TN_MUSTUSE;

typedef enum tn_lake_both { TN_BOTH_REFUSE, TN_BOTH_OURS, TN_BOTH_THEIRS } tn_lake_both;
/* Takes over into env what its base's environment changed since. both: what counts when both changed a relation. */
tn_rc tn_lake_env_rebase(tn_lake *l, tn_arena *a, tn_str env, tn_lake_both both, tn_lake_moves *ret,
    tn_err *err) TN_MUSTUSE;

/* Ends an environment: its pins and its catalog are gone; its tables' files go with the next cleaning. 'prod', and an environment that others were made
 * from, only when `force` says so (else TN_E_ACCESS). */
tn_rc tn_lake_env_drop(
    tn_lake *l, tn_str env, bool force, int64_t *ret_commit, tn_err *err) TN_MUSTUSE;

#endif
