/* store_cache.c: objects of far stores kept on this machine's disk, and reading several at once.
 *
 *     <cache>/tarn/objects/<sha256 of place, etag and size, 32 hex digits>       the bytes
 *     <cache>/tarn/objects/<the same>.sum                                        their SHA-256, written last
 *     <cache>/tarn/objects/<sha256 of "text", place and name>                    what a layer above remembers, with its .sum
 *     <cache>/tarn/notes/<sha256 of place and name>                              a number, a hint only
 *
 * Only objects that never change go here, under the etag that a listing has just shown, so nothing in the cache can be stale: a table that was
 * deleted and made anew has other etags. Bytes that do not fit their sum are fetched again. Nothing fails for the cache's sake.
 */
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/parallel.h"
#include "os/proc.h"
#include "os/random.h"
#include "os/thread.h"
#include "store/store.h"
#include "text/hash.h"
#include "text/uri.h"

enum { THREADS_MAX = 8, NOTE_BYTES_MAX = 64, SWEEP_ONE_IN = 64 };
#define KEPT_BYTES_MAX ((size_t)64 << 20)     /* of one object */
#define CACHE_BYTES_MAX ((int64_t)512 << 20)  /* of all */
#define RANGED_FROM_BYTES ((int64_t)16 << 20) /* one connection is slower than the way */
#define RANGE_BYTES ((int64_t)8 << 20)

/* ---- where ---- */

static tn_str folder(tn_arena *a, const char *what)
{
    tn_str cache = tn_env_get("XDG_CACHE_HOME"), home = tn_env_get("HOME");
    if (cache.n > 0) {
        return tn_str_printf(a, TN_STR_FMT "/tarn/%s", TN_STR_ARG(cache), what);
    }
    return home.n > 0 ? tn_str_printf(a, TN_STR_FMT "/.cache/tarn/%s", TN_STR_ARG(home), what)
                      : TN_STR_NONE;
}

static tn_str id_of(tn_store *s, tn_arena *a, tn_str key)
{
    return s->ops->cache_id != NULL ? s->ops->cache_id(s, a, key) : TN_STR_NONE;
}

tn_str tn_store_cache_path(tn_arena *a, const char *what, tn_str text)
{
    tn_str dir = folder(a, what);
    return dir.n == 0 ? dir
                      : tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(dir),
                            TN_STR_ARG(tn_str_sub(tn_sha256_hex(a, text), 0, 32)));
}

/* Empty: this object is not kept. */
static tn_str kept_path(tn_store *s, tn_arena *a, const tn_store_item *item)
{
    tn_str id = id_of(s, a, item->key);
    if (id.n == 0 || item->etag.n == 0 || item->size < 0 || (size_t)item->size > KEPT_BYTES_MAX) {
        return TN_STR_NONE;
    }
    return tn_store_cache_path(a, "objects",
        tn_str_printf(a, TN_STR_FMT "\n" TN_STR_FMT "\n%lld", TN_STR_ARG(id),
            TN_STR_ARG(item->etag), (long long)item->size));
}

static tn_str sum_path(tn_arena *a, tn_str path)
{
    return tn_str_concat(a, path, TN_STR(".sum"));
}

/* ---- reading and writing ---- */

static bool read_kept(tn_arena *a, tn_str path, tn_str *ret)
{
    tn_str sum, data;
    if (path.n == 0 || tn_file_read(a, sum_path(a, path), 64, &sum, NULL) != TN_OK ||
        tn_file_read(a, path, KEPT_BYTES_MAX, &data, NULL) != TN_OK) {
        return false;
    }
    if (!tn_str_eq(sum, tn_sha256_hex(a, data))) {
        tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "' is damaged and fetched again",
            TN_STR_ARG(path));
        return false;
    }
    *ret = data;
    return true;
}

/* The oldest go when there is too much. Files of another process that vanish meanwhile are no matter. */
static void sweep(tn_arena *a, tn_str dir)
{
    tn_file_infos all;
    int64_t bytes = 0, oldest = INT64_MAX, newest = 0;
    if (tn_dir_list(a, dir, false, &all, NULL) != TN_OK) {
        return;
    }
    for (size_t i = 0; i < all.n; i++) {
        bytes += all.v[i].size;
        oldest = all.v[i].mtime_us < oldest ? all.v[i].mtime_us : oldest;
        newest = all.v[i].mtime_us > newest ? all.v[i].mtime_us : newest;
    }
    if (bytes <= CACHE_BYTES_MAX) {
        return;
    }
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].mtime_us <= oldest + (newest - oldest) / 2) {
            (void)!tn_file_remove(tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(dir),
                                      TN_STR_ARG(all.v[i].name)),
                NULL);
        }
    }
}

static bool write_kept(tn_arena *a, tn_str path, tn_str data)
{
    tn_str dir = tn_path_dir(path);
    if (tn_dir_make(dir, NULL) != TN_OK || tn_file_write_atomic(path, data, NULL) != TN_OK ||
        tn_file_write_atomic(sum_path(a, path), tn_sha256_hex(a, data), NULL) != TN_OK) {
        return false;
    }
    if (tn_random_u64() % SWEEP_ONE_IN == 0) {
        sweep(a, dir);
    }
    return true;
}

/* ---- large ones, in ranges ---- */

typedef struct ranges {
    tn_store *store;
    const tn_store_item *item;
    char *to;
} ranges;

static tn_rc fetch_range(void *self, size_t i, tn_err *err)
{
    const ranges *r = self;
    TN_AUTO_ARENA a = tn_arena_new("store range", NULL);
    int64_t from = (int64_t)i * RANGE_BYTES, left = r->item->size - from;
    size_t n = (size_t)(left < RANGE_BYTES ? left : RANGE_BYTES);
    tn_str got;
    TN_TRY(r->store->ops->get_part(r->store, a, r->item, from, n, &got, err));
    if (got.n != n) {
        return tn_fail(err, TN_E_CORRUPT, "'" TN_STR_FMT "' is shorter than it was listed",
            TN_STR_ARG(r->item->key));
    }
    memcpy(r->to + from, got.p, n);
    return TN_OK;
}

static tn_rc fetch(
    tn_store *s, tn_arena *a, const tn_store_item *item, size_t bytes_max, tn_str *ret, tn_err *err)
{
    bool ranged = s->ops->get_part != NULL && item->size >= RANGED_FROM_BYTES && item->etag.n > 0 &&
                  (uint64_t)item->size <= bytes_max && id_of(s, a, item->key).n > 0;
    if (!ranged) {
        return tn_store_get(s, a, item->key, bytes_max, ret, err);
    }
    ranges r = { .store = s, .item = item, .to = tn_arena_alloc(a, (size_t)item->size) };
    size_t n = (size_t)((item->size + RANGE_BYTES - 1) / RANGE_BYTES);
    TN_TRY(tn_parallel(n, THREADS_MAX, fetch_range, &r, err));
    *ret = tn_str_n(r.to, (size_t)item->size);
    return TN_OK;
}

tn_rc tn_store_get_kept(
    tn_store *s, tn_arena *a, const tn_store_item *item, size_t bytes_max, tn_str *ret, tn_err *err)
{
    tn_str path = kept_path(s, a, item);
    if (read_kept(a, path, ret)) {
        return TN_OK;
    }
    tn_str data;
    TN_TRY(fetch(s, a, item, bytes_max, &data, err));
    if (path.n > 0 && (int64_t)data.n == item->size && !write_kept(a, path, data)) {
        tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "' cannot be written", TN_STR_ARG(path));
    }
    *ret = data;
    return TN_OK;
}

tn_rc tn_store_keep(
    tn_store *s, tn_arena *a, const tn_store_item *item, tn_str *ret_location, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("store keep", NULL);
    tn_str path = kept_path(s, scratch, item), data;
    bool there = read_kept(scratch, path, &data);
    if (!there && path.n > 0) {
        TN_TRY(fetch(s, scratch, item, KEPT_BYTES_MAX, &data, err));
        there = (int64_t)data.n == item->size && write_kept(scratch, path, data);
    }
    *ret_location = there ? tn_str_dup(a, path) : tn_store_locate(s, a, item->key);
    return TN_OK;
}

/* ---- several at once ---- */

typedef struct batch {
    tn_store *store;
    const tn_store_item *items;
    size_t bytes_max;
    tn_mutex lock;
    tn_arena *arena; /* the caller's; under the lock */
    tn_str *ret;
} batch;

static tn_rc read_one(void *self, size_t i, tn_err *err)
{
    batch *b = self;
    TN_AUTO_ARENA own = tn_arena_new("store reader", NULL);
    tn_str text;
    TN_TRY(tn_store_get_kept(b->store, own, &b->items[i], b->bytes_max, &text, err));
    TN_LOCKED(&b->lock);
    b->ret[i] = tn_str_dup(b->arena, text);
    return TN_OK;
}

tn_rc tn_store_get_kept_many(tn_store *s, tn_arena *a, const tn_store_item *items, size_t n,
    size_t bytes_max, tn_str *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("store batch", NULL);
    bool far = n > 0 && id_of(s, scratch, items[0].key).n > 0;
    batch b = { .store = s, .items = items, .bytes_max = bytes_max, .arena = a, .ret = ret };
    b.lock = (tn_mutex)TN_MUTEX_INIT;
    return tn_parallel(n, far ? THREADS_MAX : 1, read_one, &b, err);
}

void tn_store_prefetch(tn_store *s, const tn_store_item *items, size_t n)
{
    TN_AUTO_ARENA a = tn_arena_new("store prefetch", NULL);
    tn_store_items wanted = { 0 };
    for (size_t i = 0; i < n; i++) {
        tn_str path = kept_path(s, a, &items[i]);
        if (path.n > 0 && !tn_file_exists(path)) {
            tn_vec_push(&wanted, a, items[i]);
        }
    }
    if (wanted.n > 0) {
        tn_str *texts = tn_arena_alloc(a, wanted.n * sizeof *texts);
        (void)!tn_store_get_kept_many(s, a, wanted.v, wanted.n, KEPT_BYTES_MAX, texts, NULL);
    }
}

void tn_store_written(tn_store *s, tn_str key, tn_str etag, tn_str data)
{
    TN_AUTO_ARENA a = tn_arena_new("store written", NULL);
    tn_store_item item = { .key = key, .etag = etag, .size = (int64_t)data.n };
    tn_str path = kept_path(s, a, &item);
    if (path.n > 0) {
        (void)write_kept(a, path, data);
    }
}

/* ---- notes ---- */

static tn_str note_path(tn_store *s, tn_arena *a, const char *name)
{
    tn_str id = id_of(s, a, tn_str_of(name));
    return id.n == 0 ? id : tn_store_cache_path(a, "notes", id);
}

int64_t tn_store_note_get(tn_store *s, const char *name)
{
    TN_AUTO_ARENA a = tn_arena_new("store note", NULL);
    tn_str path = note_path(s, a, name), text;
    int64_t n = -1;
    if (path.n == 0 || tn_file_read(a, path, NOTE_BYTES_MAX, &text, NULL) != TN_OK ||
        !tn_str_to_i64(tn_str_trim(text), &n) || n < 0) {
        return -1;
    }
    return n;
}

void tn_store_note_put(tn_store *s, const char *name, int64_t n)
{
    TN_AUTO_ARENA a = tn_arena_new("store note", NULL);
    tn_str path = note_path(s, a, name);
    if (path.n > 0 && tn_dir_make(tn_path_dir(path), NULL) == TN_OK) {
        (void)!tn_file_write_atomic(path, tn_str_printf(a, "%lld\n", (long long)n), NULL);
    }
}

/* ---- texts ---- */

static tn_str text_path(tn_store *s, tn_arena *a, tn_str name)
{
    tn_str id = id_of(s, a, name);
    return id.n == 0 ? id
                     : tn_store_cache_path(a, "objects", tn_str_concat(a, TN_STR("text\n"), id));
}

bool tn_store_text_get(tn_store *s, tn_arena *a, tn_str name, tn_str *ret)
{
    return read_kept(a, text_path(s, a, name), ret);
}

void tn_store_text_put(tn_store *s, tn_str name, tn_str text)
{
    TN_AUTO_ARENA a = tn_arena_new("store text", NULL);
    tn_str path = text_path(s, a, name);
    if (path.n > 0) {
        (void)write_kept(a, path, text);
    }
}
