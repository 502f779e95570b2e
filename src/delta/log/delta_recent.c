/* delta_recent.c: what a handle of a table on a far store knows without asking: where a look for the table has led, and what it has just committed.
 *
 * One statement looks for its table, reads it, writes files and commits; each step would list the log again. A writer may go on from what the statement
 * has seen first: put-if-absent tells it when somebody was quicker, and then it asks. Near stores are asked each time.
 */
#include "base/log.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"

enum { RECENT_US = 5000000, FILES_MAX = 200000, CHAIN_MAX = 20 };

struct tn_delta_found {
    tn_arena *arena;
    int64_t since_us;
    const tn_delta_segment *seg; /* of the latest version; NULL: there is no table */
};

bool tn_delta_is_far(const tn_delta_table *t)
{
    TN_AUTO_ARENA a = tn_arena_new("far", NULL);
    const tn_store_ops *ops = t->store->ops;
    return ops->cache_id != NULL && ops->cache_id(t->store, a, TN_STR("x")).n > 0;
}

static bool is_recent(int64_t since_us)
{
    return since_us != INT64_MIN && tn_clock_mono_us() - since_us < RECENT_US;
}

/* ---- a look for the table ---- */

static void copy_items(tn_arena *a, const tn_store_items *from, tn_store_items *to)
{
    *to = (tn_store_items){ 0 };
    for (size_t i = 0; i < from->n; i++) {
        tn_store_item it = from->v[i];
        it.key = tn_str_dup(a, it.key);
        it.etag = tn_str_dup(a, it.etag);
        tn_vec_push(to, a, it);
    }
}

static void copy_files(tn_arena *a, const tn_delta_log_files *from, tn_delta_log_files *to)
{
    *to = (tn_delta_log_files){ 0 };
    for (size_t i = 0; i < from->n; i++) {
        tn_delta_log_file f = from->v[i];
        f.key = tn_str_dup(a, f.key);
        f.etag = tn_str_dup(a, f.etag);
        tn_vec_push(to, a, f);
    }
}

tn_delta_segment *tn_delta_segment_copy(tn_arena *a, const tn_delta_segment *seg)
{
    tn_delta_segment *to = tn_new(a, tn_delta_segment);
    *to = *seg;
    to->version_etag = tn_str_dup(a, seg->version_etag);
    copy_items(a, &seg->checkpoint, &to->checkpoint);
    copy_files(a, &seg->commits, &to->commits);
    copy_files(a, &seg->shorter, &to->shorter);
    return to;
}

static void found_free(tn_delta_found *f)
{
    if (f != NULL) {
        tn_arena_free(f->arena);
    }
}

void tn_delta_found_put(tn_delta_table *t, const tn_delta_segment *seg, int64_t since_us)
{
    if (!tn_delta_is_far(t)) {
        return;
    }
    tn_arena *a = tn_arena_new("delta found", NULL);
    tn_delta_found *f = tn_new(a, tn_delta_found);
    *f = (tn_delta_found){
        .arena = a, .since_us = since_us, .seg = seg != NULL ? tn_delta_segment_copy(a, seg) : NULL
    };
    tn_delta_found *old;
    {
        TN_LOCKED(&t->mutex);
        old = t->found;
        t->found = f;
    }
    found_free(old);
}

/* Each look serves once: after that there is a snapshot, or a new table. */
static tn_delta_found *take_found(tn_delta_table *t)
{
    TN_LOCKED(&t->mutex);
    tn_delta_found *f = t->found;
    t->found = NULL;
    return f;
}

static tn_delta_snapshot *latest_lately(tn_delta_table *t)
{
    TN_LOCKED(&t->mutex);
    return t->latest != NULL && is_recent(t->latest_us) ? tn_delta_snapshot_ref(t->latest) : NULL;
}

tn_delta_snapshot *tn_delta_recent_version(tn_delta_table *t, int64_t version)
{
    tn_delta_snapshot *s = tn_delta_is_far(t) ? latest_lately(t) : NULL;
    if (s != NULL && s->version != version) {
        tn_delta_snapshot_unref(s);
        return NULL;
    }
    return s;
}

/* A look that is younger than the snapshot has found that very version. An older one tells nothing. */
static bool same_version(tn_delta_table *t, const tn_delta_found *f, const tn_delta_snapshot *s)
{
    TN_LOCKED(&t->mutex);
    return f->since_us < t->latest_us || (f->seg != NULL && f->seg->version == s->version);
}

tn_rc tn_delta_snapshot_recent(
    tn_delta_table *t, tn_conn *conn, tn_delta_snapshot **ret, bool *ret_asked, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta recent", NULL);
    tn_delta_found *f = take_found(t);
    tn_delta_snapshot *s = tn_delta_is_far(t) ? latest_lately(t) : NULL;
    if (s != NULL && f != NULL && !same_version(t, f, s)) { /* the look came later */
        tn_delta_snapshot_unref(s);
        s = NULL;
    }
    bool asked = false;
    tn_rc rc = TN_OK;
    if (s == NULL && f != NULL && is_recent(f->since_us)) {
        tn_err ignored = TN_ERR_INIT;
        asked = f->seg != NULL &&
                tn_delta_snapshot_of_segment(t, conn, a, f->seg, &s, &ignored) != TN_OK;
        if (s != NULL) {
            tn_delta_table_saw(t, s, f->since_us);
        }
    } else {
        asked = s == NULL;
    }
    if (asked) {
        rc = tn_delta_snapshot_if_there(t, conn, &s, err);
    }
    found_free(f);
    TN_TRY(rc);
    *ret = s;
    if (ret_asked != NULL) {
        *ret_asked = asked;
    }
    return TN_OK;
}

/* ---- after a commit ---- */

void tn_delta_table_watch(tn_delta_table *t, tn_delta_watch fn, void *self)
{
    t->watch = fn;
    t->watch_self = self;
}

void tn_delta_recent_commit(tn_delta_table *t, const tn_delta_snapshot *base, int64_t version,
    tn_str text, int64_t since_us)
{
    bool follows = version == (base != NULL ? base->version + 1 : 0);
    bool small = base == NULL || (base->files.n < FILES_MAX && base->chain < CHAIN_MAX);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_err why = TN_ERR_INIT;
    if (!follows || !small || !tn_delta_is_far(t)) {
        return;
    }
    if (tn_delta_snapshot_after(t, base, text, &s, &why) != TN_OK) {
        tn_log(
            TN_LOG_DEBUG, "delta", "version %lld is read again: %s", (long long)version, why.msg);
        return;
    }
    tn_delta_table_saw(t, s, since_us);
    if (s->seg != NULL) {
        tn_delta_memo_put(t, s->seg, s->commit_hash);
        if (base == NULL) {
            tn_delta_segment_note(t, s->seg);
        }
    }
    if (t->watch != NULL) {
        t->watch(t->watch_self, s);
    }
}

/* ---- what only helps ---- */

typedef struct behind {
    tn_arena *arena;
    tn_store *store;
    tn_str key, text;
} behind;

static void put_helper(tn_store *store, tn_str key, tn_str text)
{
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_store_put(store, key, text, TN_PUT_IF_ABSENT, &why);
    if (rc != TN_OK && rc != TN_E_EXISTS) {
        tn_log(
            TN_LOG_WARN, "delta", "'" TN_STR_FMT "' was not written: %s", TN_STR_ARG(key), why.msg);
    }
}

static void put_aside(void *self)
{
    behind *b = self;
    put_helper(b->store, b->key, b->text);
    tn_store_unref(b->store);
    tn_arena_free(b->arena);
}

static void wait_behind(tn_delta_table *t)
{
    tn_thread *running;
    {
        TN_LOCKED(&t->mutex);
        running = t->behind;
        t->behind = NULL;
    }
    if (running != NULL) {
        tn_thread_join(running);
    }
}

void tn_delta_put_behind(tn_delta_table *t, tn_str key, tn_str text)
{
    if (!tn_delta_is_far(t)) {
        put_helper(t->store, key, text);
        return;
    }
    wait_behind(t); /* one at a time */
    tn_arena *a = tn_arena_new("delta behind", NULL);
    behind *b = tn_new(a, behind);
    *b = (behind){ a, tn_store_ref(t->store), tn_str_dup(a, key), tn_str_dup(a, text) };
    tn_thread *running;
    if (tn_thread_start(put_aside, b, "behind", &running, NULL) != TN_OK) {
        put_aside(b);
        return;
    }
    TN_LOCKED(&t->mutex);
    t->behind = running;
}

void tn_delta_recent_free(tn_delta_table *t)
{
    wait_behind(t);
    found_free(take_found(t));
}
