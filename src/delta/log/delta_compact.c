/* delta_compact.c: X.Y.compacted.json: the commits X to Y of a log as one file ("Log Compaction Files").
 *
 * It holds what is left of their actions after reconciliation: the newest protocol, metaData, txn of an app and domainMetadata (removed ones
 * too), the adds that are live and the removes that are not undone; no commitInfo, no cdc. A reader takes it in place of the
 * commits where it fits whole between its checkpoint and its version. It repeats what the log says and is never changed.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_replay.h"

enum { COMPACT_MIN = 2 };

static tn_str key_of(tn_arena *a, int64_t from, int64_t to)
{
    return tn_str_printf(
        a, "_delta_log/%020lld.%020lld.compacted.json", (long long)from, (long long)to);
}

static tn_rc replay_commits(tn_delta_table *t, const tn_delta_log_files *commits, int64_t from,
    int64_t to, tn_delta_replay *r, tn_err *err)
{
    int64_t want = from;
    for (size_t i = 0; i < commits->n; i++) {
        if (commits->v[i].version < from || commits->v[i].version > to) {
            continue;
        }
        if (commits->v[i].version != want) {
            break;
        }
        tn_delta_actions acts;
        TN_TRY(tn_delta_commit_read(t, r->arena, want, &acts, err));
        TN_TRY(tn_delta_replay_apply(r, &acts, err));
        want++;
    }
    if (want != to + 1) {
        return tn_fail(err, TN_E_NOTFOUND, "the log has no commit %lld", (long long)want);
    }
    return TN_OK;
}

static void print_state(tn_buf *b, const tn_delta_replay *r)
{
    if (r->has_protocol) {
        tn_delta_print_protocol(b, &r->protocol);
    }
    if (r->has_meta) {
        tn_delta_print_meta(b, &r->meta);
    }
    for (size_t i = 0; i < r->txns.n; i++) {
        tn_delta_print_txn(b, r->txns.items[i].value);
    }
    for (size_t i = 0; i < r->domains.n; i++) {
        tn_delta_print_domain(b, r->domains.items[i].value);
    }
    for (size_t i = 0; i < r->tombstones.n; i++) {
        if (r->tombstones.items[i].value != NULL) {
            tn_delta_print_remove(b, r->tombstones.items[i].value);
        }
    }
    for (size_t i = 0; i < r->files.n; i++) {
        if (r->files.items[i].value != NULL) {
            tn_delta_print_add(b, r->files.items[i].value);
        }
    }
}

/* The range when none is given: what came after the newest checkpoint. */
static tn_rc find_range(tn_delta_table *t, tn_arena *a, int64_t *from, int64_t *to, tn_err *err)
{
    tn_delta_segment seg;
    TN_TRY(tn_delta_segment_find(t, a, *to < 0 ? TN_DELTA_LATEST : *to, INT64_MAX, &seg, err));
    *to = seg.version;
    if (*from < 0) {
        *from = seg.checkpoint_version + 1;
    }
    return TN_OK;
}

static tn_rc run(
    tn_delta_table *t, int64_t from, int64_t to, tn_delta_compact_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta compact", NULL);
    tn_delta_log_files commits;
    TN_TRY(find_range(t, a, &from, &to, err));
    *ret = (tn_delta_compact_result){ .from = from, .to = to };
    if (to - from + 1 < COMPACT_MIN) {
        return TN_OK;
    }
    TN_TRY(tn_delta_commits_all(t, a, &commits, err));
    tn_delta_replay r = tn_delta_replay_init(a);
    TN_TRY(replay_commits(t, &commits, from, to, &r, err));
    if (r.has_protocol) {
        TN_TRY(tn_delta_check_readable(&r.protocol, err));
    }
    tn_buf b = tn_buf_init(a, TN_DELTA_CHECKPOINT_BYTES_MAX);
    tn_str text;
    print_state(&b, &r);
    TN_TRY(tn_buf_finish(&b, "a compacted log", &text, err));
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_store_put(t->store, key_of(a, from, to), text, TN_PUT_IF_ABSENT, &why);
    if (rc != TN_OK && rc != TN_E_EXISTS) {
        return tn_err_pass(err, rc, &why);
    }
    ret->written = rc == TN_OK;
    ret->bytes = (int64_t)text.n;
    return TN_OK;
}

tn_rc tn_delta_log_compact(
    tn_delta_table *t, int64_t from, int64_t to, tn_delta_compact_result *ret, tn_err *err)
{
    tn_delta_compact_result r;
    tn_rc rc = run(t, from, to, &r, err);
    if (rc != TN_OK) {
        return tn_while(
            err, rc, "compacting the log of '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
    }
    *ret = r;
    return TN_OK;
}
