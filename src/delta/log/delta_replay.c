/* delta_replay.c: actions in the order of versions to the state of a table ("Action Reconciliation").
 *
 * The newest protocol, metaData, txn of an app and domainMetadata of a domain win. A file is identified by its path and
 * its deletion vector's id: an add puts it in, a remove takes it out and leaves a tombstone. Paths are compared
 * decoded and in one spelling, since writers escape differently.
 */
#include "delta/log/delta_replay.h"
#include "delta/action/delta_action.h"

tn_delta_replay tn_delta_replay_init(tn_arena *a)
{
    return (tn_delta_replay){ .arena = a,
        .files = tn_map_init(a),
        .tombstones = tn_map_init(a),
        .txns = tn_map_init(a),
        .domains = tn_map_init(a),
        .in_commit_ms = TN_DELTA_ABSENT };
}

static void *copy(tn_arena *a, const void *p, size_t n)
{
    void *to = tn_arena_alloc(a, n);
    memcpy(to, p, n);
    return to;
}

tn_rc tn_delta_replay_add(tn_delta_replay *r, const tn_delta_file *f, tn_err *err)
{
    tn_str key;
    TN_TRY(tn_delta_file_key(r->arena, f->path, &f->dv, &key, err));
    (void)tn_map_remove(&r->tombstones, key);
    tn_map_put(&r->files, key, copy(r->arena, f, sizeof *f));
    return TN_OK;
}

tn_rc tn_delta_replay_remove(tn_delta_replay *r, const tn_delta_remove *f, tn_err *err)
{
    tn_str key;
    TN_TRY(tn_delta_file_key(r->arena, f->path, &f->dv, &key, err));
    (void)tn_map_remove(&r->files, key);
    tn_map_put(&r->tombstones, key, copy(r->arena, f, sizeof *f));
    return TN_OK;
}

tn_rc tn_delta_replay_apply_range(tn_delta_replay *r, const tn_delta_actions *acts, tn_err *err)
{
    tn_delta_actions others = *acts;
    others.removes = (tn_delta_removes){ 0 };
    TN_TRY(tn_delta_replay_apply(r, &others, err));
    for (size_t i = 0; i < acts->removes.n; i++) {
        TN_TRY(tn_delta_replay_remove(r, &acts->removes.v[i], err));
    }
    return TN_OK;
}

tn_rc tn_delta_replay_apply(tn_delta_replay *r, const tn_delta_actions *acts, tn_err *err)
{
    if (acts->has_protocol) {
        r->protocol = acts->protocol;
        r->has_protocol = true;
    }
    if (acts->has_meta) {
        r->meta = acts->meta;
        r->has_meta = true;
    }
    if (acts->has_info) {
        r->in_commit_ms = acts->in_commit_ms;
    }
    /* Removes first: a commit that replaces a file's vector removes the old key and adds the new one. */
    for (size_t i = 0; i < acts->removes.n; i++) {
        TN_TRY(tn_delta_replay_remove(r, &acts->removes.v[i], err));
    }
    for (size_t i = 0; i < acts->adds.n; i++) {
        TN_TRY(tn_delta_replay_add(r, &acts->adds.v[i], err));
    }
    for (size_t i = 0; i < acts->txns.n; i++) {
        tn_map_put(&r->txns, acts->txns.v[i].app_id,
            copy(r->arena, &acts->txns.v[i], sizeof acts->txns.v[i]));
    }
    for (size_t i = 0; i < acts->domains.n; i++) {
        tn_map_put(&r->domains, acts->domains.v[i].domain,
            copy(r->arena, &acts->domains.v[i], sizeof acts->domains.v[i]));
    }
    return TN_OK;
}
