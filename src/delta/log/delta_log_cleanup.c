/* delta_log_cleanup.c: the part of the log that is older than delta.logRetentionDuration goes when a checkpoint stands in for it; then sidecars that no checkpoint
 * names any more. */
#include "base/log.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_replay.h"
#include "os/clock.h"
#include "text/uri.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define LOG_DIR "_delta_log/"

/* "<20 digits>" at the start of a name in the log, or -1. */
static int64_t version_of(tn_str name)
{
    int64_t version;
    if (name.n <= 20 || name.p[20] != '.' || !tn_str_to_i64(tn_str_sub(name, 0, 20), &version)) {
        return -1;
    }
    return version;
}

/* The newest version whose commit is not younger than the cut, and not above a protected one. */
static int64_t newest_expired(
    const tn_store_items *items, int64_t cut_ms, const int64_t *protect, size_t protect_n)
{
    int64_t limit = -1;
    for (size_t i = 0; i < items->n; i++) {
        tn_str name = tn_path_base(items->v[i].key);
        int64_t version = version_of(name);
        if (version < 0 || name.n != 25 || !tn_str_ends(name, TN_STR(".json"))) {
            continue;
        }
        if (items->v[i].mtime_us / 1000 > cut_ms) {
            break; /* keys are in the order of versions */
        }
        limit = version;
    }
    for (size_t i = 0; i < protect_n; i++) {
        limit = protect[i] < limit ? protect[i] : limit;
    }
    return limit;
}

/* The newest checkpoint up to `limit` that can really be read; -1: none. */
static int64_t checkpoint_below(
    tn_delta_table *t, tn_conn *conn, const tn_store_items *items, int64_t limit)
{
    int64_t last = -1;
    for (size_t i = items->n; i-- > 0;) {
        tn_str name = tn_path_base(items->v[i].key);
        int64_t version = version_of(name);
        if (version < 0 || version > limit || version == last ||
            tn_str_find(name, TN_STR(".checkpoint."), 0) == SIZE_MAX) {
            continue;
        }
        last = version;
        TN_AUTOPTR(tn_delta_snapshot) s = NULL;
        tn_err ignored = TN_ERR_INIT;
        if (tn_delta_snapshot_open(t, conn, version, &s, &ignored) == TN_OK &&
            s->checkpoint_version == version) {
            return version;
        }
    }
    return -1;
}

static bool goes(tn_str name, int64_t keep)
{
    int64_t version = version_of(name);
    if (version < 0) {
        return false;
    }
    if (tn_str_ends(name,
            TN_STR(".compacted.json"))) { /* of no use to readers that begin at the checkpoint */
        return version <= keep;
    }
    if (version >= keep) {
        return false;
    }
    return tn_str_ends(name, TN_STR(".json")) || tn_str_ends(name, TN_STR(".crc")) ||
           tn_str_ends(name, TN_STR(".parquet"));
}

/* Removes sidecars older than a day that no checkpoint from `keep` on names. One that cannot be read may name any: then all stay. */
static tn_rc clean_sidecars(tn_delta_table *t, tn_conn *conn, const tn_store_items *log,
    int64_t keep, int64_t *removed, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta sidecars", NULL);
    tn_store_list_opts opts = { .prefix = TN_STR(LOG_DIR "_sidecars/") };
    tn_store_items sidecars = { 0 };
    tn_map named = tn_map_init(a);
    tn_rc rc = tn_store_list(t->store, a, &opts, &sidecars, err);
    if (rc == TN_E_NOTFOUND || (rc == TN_OK && sidecars.n == 0)) {
        tn_err_clear(err);
        return TN_OK;
    }
    TN_TRY(rc);
    for (size_t i = 0; i < log->n; i++) {
        tn_str name = tn_path_base(log->v[i].key);
        tn_err why = TN_ERR_INIT;
        if (log->v[i].is_prefix || version_of(name) < (keep > 0 ? keep : 0) ||
            tn_str_find(name, TN_STR(".checkpoint."), 0) == SIZE_MAX) {
            continue;
        }
        if (tn_delta_checkpoint_sidecars(t, conn, log->v[i].key, &named, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "delta", "sidecars stay: %s", why.msg);
            return TN_OK;
        }
    }
    int64_t cut_us = tn_clock_now_us() - DAY_MS * 1000;
    for (size_t i = 0; i < sidecars.n; i++) {
        const tn_store_item *item = &sidecars.v[i];
        if (!item->is_prefix && item->mtime_us < cut_us &&
            tn_map_find(&named, tn_path_base(item->key)) == NULL) {
            TN_TRY(tn_store_remove(t->store, item->key, err));
            (*removed)++;
        }
    }
    return TN_OK;
}

/* Checkpoints before this version may only go all at once ("Checkpoint Protection"). */
static int64_t protected_before(const tn_delta_snapshot *s)
{
    int64_t version = 0;
    bool said = tn_str_to_i64(
        tn_delta_property(&s->meta, "delta.requireCheckpointProtectionBeforeVersion"), &version);
    return !tn_delta_has_feature(&s->protocol, "checkpointProtection") ? 0
           : said                                                      ? version
                                                                       : INT64_MAX;
}

tn_rc tn_delta_log_cleanup(tn_delta_table *t, tn_conn *conn, const int64_t *protect,
    size_t protect_n, int64_t *ret_removed, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta log cleanup", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    *ret_removed = 0;
    if (tn_delta_property_is(&s->meta, "delta.enableExpiredLogCleanup", "false")) {
        return TN_OK;
    }
    int64_t keep_ms = tn_delta_interval_ms(&s->meta, "delta.logRetentionDuration", 30 * DAY_MS);
    int64_t cut_ms = tn_clock_now_ms() - keep_ms;
    cut_ms -= keep_ms >= DAY_MS ? cut_ms % DAY_MS : 0; /* midnight UTC, as the reference has it */
    tn_store_items items = { 0 };
    tn_store_list_opts opts = { .prefix = TN_STR(LOG_DIR) };
    TN_TRY(tn_store_list(t->store, a, &opts, &items, err));
    int64_t limit = newest_expired(&items, cut_ms, protect, protect_n);
    int64_t keep = checkpoint_below(t, conn, &items, limit);
    if (protected_before(s) > 0 && keep < protected_before(s)) {
        return TN_OK;
    }
    for (size_t i = 0; keep > 0 && i < items.n; i++) {
        if (!items.v[i].is_prefix && goes(tn_path_base(items.v[i].key), keep)) {
            TN_TRY(tn_store_remove(t->store, items.v[i].key, err));
            (*ret_removed)++;
        }
    }
    return clean_sidecars(t, conn, &items, keep, ret_removed, err);
}
