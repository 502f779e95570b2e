/* delta_snapshot.c: tables and the state of one version.
 *
 * A snapshot is immutable and shared; the table keeps a reference to the newest one that it has seen, so that opening the
 * latest version again costs one listing and the commits since. A checkpoint that cannot be read is passed over: an older one,
 * or the commits alone, say the same.
 */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_replay.h"
#include "os/clock.h"
#include "text/hash.h"
#include "text/timetext.h"

enum { HASH_DIGITS = 16 };

tn_rc tn_delta_table_open(tn_store *store, tn_delta_table **ret, tn_err *err)
{
    (void)err;
    tn_delta_table *t = calloc(1, sizeof *t);
    TN_CHECK(t != NULL);
    t->store = tn_store_ref(store);
    t->mutex = (tn_mutex)TN_MUTEX_INIT;
    t->latest_us = INT64_MIN;
    *ret = t;
    return TN_OK;
}

void tn_delta_table_close(tn_delta_table *t)
{
    if (t == NULL) {
        return;
    }
    tn_delta_recent_free(t);
    tn_delta_snapshot_unref(t->latest);
    tn_store_unref(t->store);
    free(t);
}

tn_rc tn_delta_table_exists(tn_delta_table *t, bool *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta exists", NULL);
    tn_delta_segment seg;
    tn_err why = TN_ERR_INIT;
    int64_t since_us = tn_clock_mono_us();
    tn_rc rc = tn_delta_segment_find(t, a, TN_DELTA_LATEST, INT64_MAX, &seg, &why);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return tn_err_pass(err, rc, &why);
    }
    tn_delta_found_put(t, rc == TN_OK ? &seg : NULL, since_us);
    *ret = rc == TN_OK;
    return TN_OK;
}

tn_delta_snapshot *tn_delta_snapshot_ref(tn_delta_snapshot *s)
{
    (void)__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void tn_delta_snapshot_unref(tn_delta_snapshot *s)
{
    if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    tn_store_unref(s->store);
    tn_arena_free(s->arena);
}

/* ---- building ---- */

enum { COMMITS_AT_ONCE = 64 }; /* texts in memory */

static tn_rc apply_some(
    tn_delta_table *t, const tn_delta_log_file *files, size_t n, tn_delta_replay *r, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta commit", NULL);
    tn_store_item items[COMMITS_AT_ONCE];
    tn_str texts[COMMITS_AT_ONCE];
    for (size_t i = 0; i < n; i++) {
        items[i] =
            (tn_store_item){ .key = files[i].key, .etag = files[i].etag, .size = files[i].size };
    }
    TN_TRY(
        tn_store_get_kept_many(t->store, scratch, items, n, TN_DELTA_COMMIT_BYTES_MAX, texts, err));
    for (size_t i = 0; i < n; i++) {
        tn_delta_actions acts = tn_delta_actions_empty();
        acts.version = files[i].version;
        TN_TRY(tn_delta_actions_parse(
            r->arena, texts[i], tn_str_z(scratch, files[i].key), &acts, err));
        if (files[i].from >= 0) { /* it has no commitInfo; that of an older commit must not stay */
            TN_TRY(tn_delta_replay_apply_range(r, &acts, err));
            r->in_commit_ms = TN_DELTA_ABSENT;
            r->commit_hash = TN_STR_NONE;
            continue;
        }
        TN_TRY(tn_delta_replay_apply(r, &acts, err));
        r->commit_hash = i + 1 == n ? tn_delta_hash_of(r->arena, texts[i]) : r->commit_hash;
    }
    return TN_OK;
}

static tn_rc apply_commits(
    tn_delta_table *t, const tn_delta_log_files *commits, tn_delta_replay *r, tn_err *err)
{
    size_t at_once = t->store->ops->cache_id != NULL ? COMMITS_AT_ONCE : 1;
    for (size_t i = 0; i < commits->n; i += at_once) {
        size_t n = tn_min_size(at_once, commits->n - i);
        TN_TRY(apply_some(t, commits->v + i, n, r, err));
    }
    return TN_OK;
}

static tn_rc check_state(const tn_delta_replay *r, tn_err *err)
{
    if (!r->has_protocol) {
        return tn_fail(err, TN_E_CORRUPT, "the log has no protocol action");
    }
    /* First: a reader that does not know the protocol must not judge the rest. */
    TN_TRY(tn_delta_check_readable(&r->protocol, err));
    if (!r->has_meta) {
        return tn_fail(err, TN_E_CORRUPT, "the log has no metaData action");
    }
    if (r->meta.format_provider.n > 0 && !tn_str_is(r->meta.format_provider, "parquet")) {
        return tn_fail(err, TN_E_UNSUPPORTED, "the table's files are '" TN_STR_FMT "', not parquet",
            TN_STR_ARG(r->meta.format_provider));
    }
    for (size_t i = 0; i < r->meta.partition_columns.n; i++) {
        if (tn_delta_field_find(r->meta.schema, r->meta.partition_columns.v[i]) == NULL) {
            return tn_fail(err, TN_E_CORRUPT,
                "the partition column '" TN_STR_FMT "' is not in the schema",
                TN_STR_ARG(r->meta.partition_columns.v[i]));
        }
    }
    return TN_OK;
}

static void collect(tn_delta_snapshot *s, tn_delta_replay *r)
{
    tn_vec_reserve(&s->files, s->arena, tn_max_size(r->files.live, 1));
    for (size_t i = 0; i < r->files.n; i++) {
        if (r->files.items[i].value != NULL) {
            const tn_delta_file *f = r->files.items[i].value;
            tn_vec_push(&s->files, s->arena, *f);
            s->bytes += f->size;
            tn_delta_sums_add(&s->sums, f->size, &f->dv, 1);
        }
    }
    for (size_t i = 0; i < r->tombstones.n; i++) {
        if (r->tombstones.items[i].value != NULL) {
            tn_vec_push(
                &s->tombstones, s->arena, *(const tn_delta_remove *)r->tombstones.items[i].value);
        }
    }
}

/* A checkpoint does not say when its version was committed: the commit itself does, as long as it is there. */
static tn_rc find_time(tn_delta_table *t, tn_delta_replay *r, int64_t version, tn_err *err)
{
    if (r->in_commit_ms != TN_DELTA_ABSENT || !r->has_meta ||
        !tn_delta_property_is(&r->meta, "delta.enableInCommitTimestamps", "true")) {
        return TN_OK;
    }
    TN_AUTO_ARENA a = tn_arena_new("delta time", NULL);
    tn_delta_actions acts;
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_delta_commit_read(t, a, version, &acts, &why);
    if (rc == TN_OK) {
        r->in_commit_ms = acts.in_commit_ms;
    }
    return rc == TN_OK || rc == TN_E_NOTFOUND ? TN_OK : tn_err_pass(err, rc, &why);
}

/* Takes the arena over, also on failure. */
static tn_rc finish(tn_delta_table *t, tn_arena *arena, tn_delta_replay *r,
    const tn_delta_segment *seg, tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA a = arena;
    TN_TRY(check_state(r, err));
    tn_delta_snapshot *s = tn_new(a, tn_delta_snapshot);
    s->arena = a;
    s->refs = 1;
    s->store = tn_store_ref(t->store);
    s->version = seg->version;
    s->protocol = r->protocol;
    s->meta = r->meta;
    s->txns = r->txns;
    s->domains = r->domains;
    s->in_commit_ms = r->in_commit_ms;
    s->checkpoint_version = seg->checkpoint_version;
    s->commit_mtime_ms = seg->version_mtime_ms;
    s->commit_etag = tn_str_dup(a, seg->version_etag);
    s->seg = seg->commits.n > 0 && tn_delta_is_far(t) ? tn_delta_segment_copy(a, seg) : NULL;
    s->commit_hash = r->commit_hash;
    s->timestamp_ms = r->in_commit_ms != TN_DELTA_ABSENT ? r->in_commit_ms : seg->version_mtime_ms;
    collect(s, r);
    TN_TAKE(a);
    *ret = s;
    return TN_OK;
}

/* Checkpoint and commits in one round of requests; what could not be fetched is read, and told of, later. */
void tn_delta_segment_fetch(tn_delta_table *t, const tn_delta_segment *seg)
{
    TN_AUTO_ARENA a = tn_arena_new("delta prefetch", NULL);
    const tn_delta_log_files *commits = seg->shorter.n > 0 ? &seg->shorter : &seg->commits;
    tn_store_items items = { 0 };
    for (size_t i = 0; i < seg->checkpoint.n; i++) {
        tn_vec_push(&items, a, seg->checkpoint.v[i]);
    }
    for (size_t i = 0; i < commits->n && i < COMMITS_AT_ONCE; i++) {
        tn_store_item item = {
            .key = commits->v[i].key, .etag = commits->v[i].etag, .size = commits->v[i].size
        };
        tn_vec_push(&items, a, item);
    }
    tn_store_prefetch(t->store, items.v, items.n);
}

static tn_rc build_from(tn_delta_table *t, tn_conn *conn, const tn_delta_segment *seg,
    const tn_delta_log_files *commits, tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("delta snapshot", NULL);
    tn_delta_replay r = tn_delta_replay_init(arena);
    if (seg->checkpoint_version >= 0) {
        tn_delta_segment_fetch(t, seg);
        tn_rc rc = tn_delta_checkpoint_read(t, conn, seg, &r, err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "reading the checkpoint of version %lld",
                (long long)seg->checkpoint_version);
        }
    }
    TN_TRY(apply_commits(t, commits, &r, err));
    TN_TRY(find_time(t, &r, seg->version, err));
    return finish(t, TN_TAKE(arena), &r, seg, ret, err);
}

/* Compacted files are passed over when they cannot be read: the commits say the same. */
static tn_rc build(tn_delta_table *t, tn_conn *conn, const tn_delta_segment *seg,
    tn_delta_snapshot **ret, tn_err *err)
{
    tn_err why = TN_ERR_INIT;
    if (seg->shorter.n > 0) {
        tn_rc rc = build_from(t, conn, seg, &seg->shorter, ret, &why);
        if (rc != TN_E_CORRUPT && rc != TN_E_NOTFOUND) {
            return rc == TN_OK ? rc : tn_err_pass(err, rc, &why);
        }
        tn_log(TN_LOG_WARN, "delta", "a compacted log is passed over: %s", why.msg);
    }
    return build_from(t, conn, seg, &seg->commits, ret, err);
}

/* The state of a snapshot that is already there, for the commits after it. The arena is the replay's. */
static tn_rc start_from(tn_delta_snapshot *base, tn_delta_replay *r, tn_err *err)
{
    /* The new snapshot's strings may point into the old one, so the old one lives as long. */
    tn_arena_defer(r->arena, (tn_defer_fn)tn_delta_snapshot_unref, tn_delta_snapshot_ref(base));
    r->protocol = base->protocol;
    r->meta = base->meta;
    r->has_protocol = r->has_meta = true;
    for (size_t i = 0; i < base->files.n; i++) {
        TN_TRY(tn_delta_replay_add(r, &base->files.v[i], err));
    }
    for (size_t i = 0; i < base->tombstones.n; i++) {
        TN_TRY(tn_delta_replay_remove(r, &base->tombstones.v[i], err));
    }
    for (size_t i = 0; i < base->txns.n; i++) {
        tn_map_put(&r->txns, base->txns.items[i].key, base->txns.items[i].value);
    }
    for (size_t i = 0; i < base->domains.n; i++) {
        tn_map_put(&r->domains, base->domains.items[i].key, base->domains.items[i].value);
    }
    return TN_OK;
}

/* What the next versions are made up of: the same and their commits. Not known of the base: not known. base NULL: version 0. */
static void grow_segment(tn_arena *a, const tn_delta_snapshot *base,
    const tn_delta_log_files *commits, tn_delta_segment *seg)
{
    if (base != NULL && base->seg == NULL) {
        return;
    }
    if (base != NULL) {
        seg->checkpoint = base->seg->checkpoint;
        seg->checkpoint_is_json = base->seg->checkpoint_is_json;
        for (size_t i = 0; i < base->seg->commits.n; i++) {
            tn_vec_push(&seg->commits, a, base->seg->commits.v[i]);
        }
    }
    for (size_t i = 0; i < commits->n; i++) {
        tn_vec_push(&seg->commits, a, commits->v[i]);
    }
}

static tn_rc build_on(tn_delta_table *t, tn_delta_snapshot *base, const tn_delta_log_files *commits,
    tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("delta snapshot", NULL);
    tn_delta_replay r = tn_delta_replay_init(arena);
    TN_TRY(start_from(base, &r, err));
    TN_TRY(apply_commits(t, commits, &r, err));
    const tn_delta_log_file *last = &tn_vec_last(commits);
    tn_delta_segment seg = { .version = last->version,
        .checkpoint_version = base->checkpoint_version,
        .version_mtime_ms = last->mtime_ms,
        .version_etag = tn_delta_bare_etag(last->etag) };
    grow_segment(arena, base, commits, &seg);
    tn_delta_snapshot *s = NULL;
    TN_TRY(finish(t, TN_TAKE(arena), &r, &seg, &s, err));
    s->chain = base->chain + 1;
    *ret = s;
    return TN_OK;
}

tn_str tn_delta_hash_of(tn_arena *a, tn_str commit_text)
{
    return tn_str_sub(tn_sha256_hex(a, commit_text), 0, HASH_DIGITS);
}

tn_rc tn_delta_snapshot_after(tn_delta_table *t, const tn_delta_snapshot *base, tn_str text,
    tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA arena = tn_arena_new("delta snapshot", NULL);
    tn_delta_replay r = tn_delta_replay_init(arena);
    if (base != NULL) {
        TN_TRY(start_from((tn_delta_snapshot *)(uintptr_t)base, &r, err));
    }
    tn_delta_segment seg = { .version = base != NULL ? base->version + 1 : 0,
        .checkpoint_version = base != NULL ? base->checkpoint_version : -1,
        .version_mtime_ms = TN_DELTA_ABSENT,
        .version_etag = tn_md5_hex(arena, text) }; /* as a store gives it to a whole object */
    tn_delta_log_file own = { .version = seg.version,
        .from = -1,
        .key = tn_delta_commit_key(arena, seg.version),
        .etag = tn_str_printf(arena, "\"" TN_STR_FMT "\"", TN_STR_ARG(seg.version_etag)),
        .size = (int64_t)text.n,
        .mtime_ms = TN_DELTA_ABSENT };
    grow_segment(arena, base, &(tn_delta_log_files){ .v = &own, .n = 1 }, &seg);
    tn_delta_actions acts = tn_delta_actions_empty();
    acts.version = seg.version;
    TN_TRY(tn_delta_actions_parse(arena, text, "commit", &acts, err));
    TN_TRY(tn_delta_replay_apply(&r, &acts, err));
    r.commit_hash = tn_delta_hash_of(arena, text);
    tn_delta_snapshot *s = NULL;
    TN_TRY(finish(t, TN_TAKE(arena), &r, &seg, &s, err));
    s->chain = base != NULL ? base->chain + 1 : 0;
    s->timestamp_ms = s->timestamp_ms == TN_DELTA_ABSENT ? tn_clock_now_ms() : s->timestamp_ms;
    *ret = s;
    return TN_OK;
}

/* ---- opening ---- */

static tn_delta_snapshot *cached(tn_delta_table *t)
{
    TN_LOCKED(&t->mutex);
    return t->latest ? tn_delta_snapshot_ref(t->latest) : NULL;
}

void tn_delta_table_saw(tn_delta_table *t, tn_delta_snapshot *s, int64_t since_us)
{
    tn_delta_snapshot *old = NULL;
    {
        TN_LOCKED(&t->mutex);
        if (t->latest == NULL || t->latest->version < s->version) {
            old = t->latest;
            t->latest = tn_delta_snapshot_ref(s);
        }
        if (t->latest->version == s->version && since_us > t->latest_us) {
            t->latest_us = since_us;
        }
    }
    tn_delta_snapshot_unref(old);
}

/* The file is the commit that the snapshot was read from. */
static bool is_commit_of(const tn_delta_snapshot *s, const tn_delta_log_file *f)
{
    if (s->commit_etag.n > 0 && f->etag.n > 0) {
        return tn_str_eq(s->commit_etag, tn_delta_bare_etag(f->etag));
    }
    return s->commit_mtime_ms == f->mtime_ms;
}

/* Snapshots that lean on each other keep all their files in memory: such chains stay short, and shorter for big tables. */
enum { COMMITS_ON_CACHE_MAX = 50, CHAIN_MAX = 20, CHAIN_FILES_MAX = 200000 };

static bool chain_full(const tn_delta_snapshot *s)
{
    return s->chain >= CHAIN_MAX ||
           (s->chain > 0 && s->files.n * (size_t)s->chain > CHAIN_FILES_MAX);
}

/* The latest version from the cached one; *ret NULL when the cache does not serve. */
static tn_rc open_from_cache(tn_delta_table *t, tn_arena *a, tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) base = cached(t);
    if (base == NULL) {
        return TN_OK;
    }
    /* From the base's own commit on: one request shows whether it is still the same table and what came after. */
    tn_delta_log_files commits;
    TN_TRY(tn_delta_commits_after(t, a, base->version - 1, &commits, err));
    if (commits.n == 0 || !is_commit_of(base, &commits.v[0])) {
        return TN_OK; /* cleaned up, or deleted and made anew */
    }
    if (commits.n == 1) {
        *ret = TN_TAKE(base);
        return TN_OK;
    }
    commits.v++;
    commits.n--;
    if (commits.n > COMMITS_ON_CACHE_MAX || chain_full(base)) {
        return TN_OK;
    }
    return build_on(t, base, &commits, ret, err);
}

static bool checkpoint_may_be_bad(tn_rc rc)
{
    return rc == TN_E_SQL || rc == TN_E_CORRUPT || rc == TN_E_NOTFOUND || rc == TN_E_IO ||
           rc == TN_E_LIMIT;
}

tn_rc tn_delta_snapshot_of_segment(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_segment *first, tn_delta_snapshot **ret, tn_err *err)
{
    tn_delta_segment seg = *first;
    tn_rc rc = build(t, conn, &seg, ret, err);
    while (rc != TN_OK && seg.checkpoint_version >= 0 && checkpoint_may_be_bad(rc)) {
        int64_t bad = seg.checkpoint_version;
        tn_delta_segment older;
        tn_err ignored = TN_ERR_INIT;
        if (tn_delta_segment_find(t, a, seg.version, bad, &older, &ignored) != TN_OK) {
            return rc; /* the first error says what is wrong */
        }
        tn_log(TN_LOG_WARN, "delta", "the checkpoint of version %lld is passed over: %s",
            (long long)bad, err ? err->msg : "");
        seg = older;
        tn_delta_snapshot *s = NULL;
        tn_rc again = build(t, conn, &seg, &s, &ignored);
        if (again == TN_OK) {
            tn_err_clear(err);
            *ret = s;
            return TN_OK;
        }
        rc = seg.checkpoint_version >= 0 ? again : rc;
    }
    return rc;
}

static tn_rc open_from_log(tn_delta_table *t, tn_conn *conn, tn_arena *a, int64_t version,
    tn_delta_snapshot **ret, tn_err *err)
{
    tn_delta_segment seg;
    TN_TRY(tn_delta_segment_find(t, a, version, INT64_MAX, &seg, err));
    return tn_delta_snapshot_of_segment(t, conn, a, &seg, ret, err);
}

tn_rc tn_delta_snapshot_if_there(
    tn_delta_table *t, tn_conn *conn, tn_delta_snapshot **ret, tn_err *err)
{
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, ret, &why);
    if (rc == TN_E_NOTFOUND) {
        *ret = NULL;
        return TN_OK;
    }
    return rc == TN_OK ? rc : tn_err_pass(err, rc, &why);
}

tn_rc tn_delta_snapshot_before(tn_delta_table *t, tn_conn *conn, int64_t version, int64_t bad,
    tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta open", NULL);
    tn_delta_segment seg;
    TN_TRY(tn_delta_segment_find(t, a, version, bad, &seg, err));
    return build(t, conn, &seg, ret, err);
}

tn_rc tn_delta_snapshot_open(
    tn_delta_table *t, tn_conn *conn, int64_t version, tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta open", NULL);
    tn_delta_snapshot *s = NULL;
    int64_t since_us = tn_clock_mono_us();
    if (version == TN_DELTA_LATEST) {
        tn_rc rc = open_from_cache(t, a, &s, err);
        if (rc != TN_OK) {
            return tn_while(
                err, rc, "reading the table '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
        }
    }
    if (s == NULL) {
        tn_rc rc = open_from_log(t, conn, a, version, &s, err);
        if (rc != TN_OK) {
            return tn_while(
                err, rc, "reading the table '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
        }
    }
    if (version == TN_DELTA_LATEST) {
        tn_delta_table_saw(t, s, since_us);
    }
    *ret = s;
    return TN_OK;
}

static tn_rc commit_time(
    tn_delta_table *t, const tn_delta_log_file *f, int64_t *ret_ms, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta time", NULL);
    tn_delta_actions acts;
    TN_TRY(tn_delta_commit_read(t, a, f->version, &acts, err));
    *ret_ms = acts.in_commit_ms != TN_DELTA_ABSENT ? acts.in_commit_ms : f->mtime_ms;
    return TN_OK;
}

/* The last of commits[from..to) that is not younger, by inCommitTimestamps, which only grow: few commits are read. -1: none is. */
static tn_rc by_commit_time(tn_delta_table *t, const tn_delta_log_files *commits, size_t from,
    int64_t timestamp_ms, int64_t *ret, tn_err *err)
{
    size_t low = from;
    size_t high = commits->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int64_t ms;
        TN_TRY(commit_time(t, &commits->v[mid], &ms, err));
        if (ms <= timestamp_ms) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    *ret = low > from ? commits->v[low - 1].version : -1;
    return TN_OK;
}

/* The same by the files' times, which are made to grow with the version. */
static int64_t by_file_time(const tn_delta_log_files *commits, size_t to, int64_t timestamp_ms)
{
    int64_t found = -1;
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < to; i++) {
        int64_t ms = commits->v[i].mtime_ms;
        ms = ms <= last_ms ? last_ms + 1 : ms;
        last_ms = ms;
        if (ms > timestamp_ms) {
            break;
        }
        found = commits->v[i].version;
    }
    return found;
}

/* From which commit on the table keeps inCommitTimestamps: its number among `commits`, or their number. */
static size_t first_with_times(const tn_delta_snapshot *latest, const tn_delta_log_files *commits)
{
    int64_t since = 0;
    if (!tn_delta_property_is(&latest->meta, "delta.enableInCommitTimestamps", "true")) {
        return commits->n;
    }
    (void)tn_str_to_i64(
        tn_delta_property(&latest->meta, "delta.inCommitTimestampEnablementVersion"), &since);
    size_t i = 0;
    while (i < commits->n && commits->v[i].version < since) {
        i++;
    }
    return i;
}

static tn_rc version_at(tn_delta_table *t, tn_arena *a, const tn_delta_snapshot *latest,
    int64_t timestamp_ms, int64_t *ret, tn_err *err)
{
    tn_delta_log_files commits;
    TN_TRY(tn_delta_commits_all(t, a, &commits, err));
    size_t timed = first_with_times(latest, &commits);
    int64_t found = -1;
    TN_TRY(by_commit_time(t, &commits, timed, timestamp_ms, &found, err));
    if (found < 0) {
        found = by_file_time(&commits, timed, timestamp_ms);
    }
    if (found < 0) {
        tn_buf b = tn_buf_init(a, 64);
        tn_iso_micros(&b, timestamp_ms * 1000, 3, ' ', "+00");
        tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
            "the table '" TN_STR_FMT "' has no version as old as " TN_STR_FMT,
            TN_STR_ARG(t->store->root), TN_STR_ARG(tn_buf_str(&b)));
        return tn_hint(err, rc, "'tarn table history' has the time of each version");
    }
    *ret = found;
    return TN_OK;
}

tn_rc tn_delta_snapshot_at_time(
    tn_delta_table *t, tn_conn *conn, int64_t timestamp_ms, tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta time travel", NULL);
    TN_AUTOPTR(tn_delta_snapshot) latest = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &latest, err));
    int64_t version;
    TN_TRY(version_at(t, a, latest, timestamp_ms, &version, err));
    return tn_delta_snapshot_open(t, conn, version, ret, err);
}

/* ---- asking ---- */

tn_str tn_delta_snapshot_root(const tn_delta_snapshot *s)
{
    return s->store->root;
}

tn_str tn_delta_snapshot_hash(const tn_delta_snapshot *s)
{
    return s->commit_hash;
}

int64_t tn_delta_snapshot_version(const tn_delta_snapshot *s)
{
    return s->version;
}

const tn_delta_protocol *tn_delta_snapshot_protocol(const tn_delta_snapshot *s)
{
    return &s->protocol;
}

const tn_delta_meta *tn_delta_snapshot_meta(const tn_delta_snapshot *s)
{
    return &s->meta;
}

size_t tn_delta_snapshot_file_count(const tn_delta_snapshot *s)
{
    return s->files.n;
}

const tn_delta_file *tn_delta_snapshot_file(const tn_delta_snapshot *s, size_t i)
{
    TN_CHECK(i < s->files.n);
    return &s->files.v[i];
}

const tn_delta_removes *tn_delta_snapshot_tombstones(const tn_delta_snapshot *s)
{
    return &s->tombstones;
}

int64_t tn_delta_snapshot_txn(const tn_delta_snapshot *s, tn_str app_id)
{
    const tn_delta_txn *t = tn_map_find(&s->txns, app_id);
    return t == NULL ? -1 : t->version;
}

int64_t tn_delta_snapshot_bytes(const tn_delta_snapshot *s)
{
    return s->bytes;
}

int64_t tn_delta_snapshot_timestamp_ms(const tn_delta_snapshot *s)
{
    return s->timestamp_ms;
}

/* The number after "numRecords": of the top level. Stats are small documents where the key comes once. */
static int64_t num_records(tn_str stats)
{
    size_t at = tn_str_find(stats, TN_STR("\"numRecords\""), 0);
    if (at == SIZE_MAX) {
        return -1;
    }
    size_t from = at + 12;
    while (from < stats.n && (stats.p[from] == ':' || stats.p[from] == ' ')) {
        from++;
    }
    size_t to = from;
    while (to < stats.n && stats.p[to] >= '0' && stats.p[to] <= '9') {
        to++;
    }
    int64_t n;
    return tn_str_to_i64(tn_str_sub(stats, from, to), &n) ? n : -1;
}

int64_t tn_delta_snapshot_rows(const tn_delta_snapshot *s)
{
    int64_t rows = 0;
    for (size_t i = 0; i < s->files.n; i++) {
        const tn_delta_file *f = &s->files.v[i];
        int64_t n = num_records(f->stats);
        if (n < 0 || (f->dv.storage != 0 && f->dv.cardinality < 0)) {
            return -1;
        }
        rows += n - (f->dv.storage != 0 ? f->dv.cardinality : 0);
    }
    return rows;
}
