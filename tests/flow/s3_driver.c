// layers: base os text http store
/* s3_driver.c: the store on a bucket, for scripted tests: s3_driver s3://bucket/prefix. Puts more than one request may hold, reads it back whole and in
 * part, loses a put-if-absent in parts, lists more than one page, removes. Prints "ok" or what went wrong. */
#include <stdio.h>

#include "base/log.h"
#include "os/file.h"
#include "os/thread.h"
#include "store/store_s3.h"

enum { BIG_BYTES = 70 << 20, FILE_BYTES = (33 << 20) + 7, SMALL_FILES = 1100, THREADS = 8 };

typedef struct filler {
    tn_store *store;
    int from;
    tn_rc rc;
} filler;

static void fill(void *p)
{
    filler *f = p;
    char key[64];
    for (int i = f->from; i < SMALL_FILES && f->rc == TN_OK; i += THREADS) {
        (void)snprintf(key, sizeof key, "many/%05d+ \xc3\xa9", i);
        f->rc = tn_store_put(f->store, tn_str_of(key), TN_STR("x"), TN_PUT_OVERWRITE, NULL);
    }
}

static tn_rc check(bool ok, const char *what, tn_err *err)
{
    return ok ? TN_OK : tn_fail(err, TN_E_BUG, "not true: %s", what);
}

/* What was told of long transfers: how far each way had come when it ended, and whether it was told before. */
static struct {
    int64_t up, down;
    bool before;
} told;

static void on_transfer(void *self, const tn_log_transfer *t)
{
    (void)self;
    told.before = told.before || (!t->ended && t->done > 0 && t->done < t->total);
    if (t->ended && t->done == t->total) {
        *(tn_str_is(tn_str_of(t->verb), "uploading") ? &told.up : &told.down) = t->total;
    }
}

static tn_rc check_big(tn_store *s, tn_arena *a, tn_err *err)
{
    char *p = tn_arena_alloc(a, BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++) {
        p[i] = (char)((i * 2654435761u) >> 13);
    }
    tn_str big = tn_str_n(p, BIG_BYTES), got;
    TN_TRY(tn_store_put(s, TN_STR("big"), big, TN_PUT_IF_ABSENT, err));
    TN_TRY(tn_store_get(s, a, TN_STR("big"), BIG_BYTES, &got, err));
    TN_TRY(check(tn_str_eq(got, big), "the big object comes back", err));
    TN_TRY(check(
        told.up == BIG_BYTES && told.down == BIG_BYTES && told.before, "both ways were told", err));
    TN_TRY(tn_store_get_range(s, a, TN_STR("big"), 40 << 20, 1000, &got, err));
    TN_TRY(check(tn_str_eq(got, tn_str_sub(big, 40 << 20, (40 << 20) + 1000)), "a range", err));
    TN_TRY(tn_store_get_range(s, a, TN_STR("big"), BIG_BYTES - 5, 1000, &got, err));
    TN_TRY(check(got.n == 5, "a range over the end", err));
    TN_TRY(tn_store_get_range(s, a, TN_STR("big"), BIG_BYTES + 5, 1000, &got, err));
    TN_TRY(check(got.n == 0, "a range behind the end", err));
    tn_store_item listed;
    TN_TRY(tn_store_head(s, a, TN_STR("big"), &listed, err));
    TN_TRY(tn_store_get_kept(s, a, &listed, BIG_BYTES, &got, err));
    TN_TRY(check(tn_str_eq(got, big), "its ranges make the whole", err));
    listed.etag = TN_STR("\"another\"");
    tn_rc rc = tn_store_get_kept(s, a, &listed, BIG_BYTES, &got, NULL);
    TN_TRY(check(rc == TN_E_CORRUPT, "ranges of another object are told", err));
    rc = tn_store_put(s, TN_STR("big"), big, TN_PUT_IF_ABSENT, NULL);
    TN_TRY(check(rc == TN_E_EXISTS, "put-if-absent in parts loses", err));
    TN_TRY(check(tn_store_get(s, a, TN_STR("big"), 10, &got, NULL) == TN_E_LIMIT, "a limit", err));
    tn_store_item item;
    TN_TRY(tn_store_head(s, a, TN_STR("big"), &item, err));
    TN_TRY(check(item.size == BIG_BYTES && item.mtime_us > 0, "head", err));
    TN_TRY(tn_store_remove(s, TN_STR("big"), err));
    TN_TRY(tn_store_remove(s, TN_STR("big"), err));
    rc = tn_store_head(s, a, TN_STR("big"), &item, NULL);
    return check(rc == TN_E_NOTFOUND, "removed", err);
}

/* A file of more than one part goes up piece by piece and comes back the same. */
static tn_rc check_file(tn_store *s, tn_arena *a, tn_err *err)
{
    char *p = tn_arena_alloc(a, FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++) {
        p[i] = (char)((i * 2246822519u) >> 11);
    }
    tn_str data = tn_str_n(p, FILE_BYTES), dir, got;
    TN_TRY(tn_file_temp_dir(a, "s3-driver", &dir, err));
    tn_str path = tn_str_concat(a, dir, TN_STR("/file"));
    TN_TRY(tn_file_write(path, data, err));
    TN_TRY(tn_store_put_file(s, TN_STR("file"), path, TN_PUT_IF_ABSENT, err));
    TN_TRY(tn_store_get(s, a, TN_STR("file"), FILE_BYTES, &got, err));
    TN_TRY(check(tn_str_eq(got, data), "a file comes back", err));
    tn_rc rc = tn_store_put_file(s, TN_STR("file"), path, TN_PUT_IF_ABSENT, NULL);
    TN_TRY(check(rc == TN_E_EXISTS, "a file that is there already", err));
    TN_AUTOPTR(tn_store) disk = NULL;
    TN_TRY(tn_store_open(dir, &(tn_store_opts){ .create = true }, &disk, err));
    TN_TRY(tn_store_copy(s, TN_STR("its copy"), s, TN_STR("file"), err)); /* by the server */
    TN_TRY(tn_store_copy(disk, TN_STR("down"), s, TN_STR("its copy"), err));
    TN_TRY(tn_store_copy(s, TN_STR("up"), disk, TN_STR("down"), err));
    TN_TRY(tn_store_get(s, a, TN_STR("up"), FILE_BYTES, &got, err));
    TN_TRY(check(tn_str_eq(got, data), "a file comes back by way of copies", err));
    rc = tn_store_copy(s, TN_STR("up"), s, TN_STR("nothing"), NULL);
    TN_TRY(check(rc == TN_E_NOTFOUND, "a copy of nothing", err));
    static const char *const made[] = { "file", "its copy", "up" };
    for (size_t i = 0; i < TN_COUNTOF(made); i++) {
        TN_TRY(tn_store_remove(s, tn_str_of(made[i]), err));
    }
    return tn_file_remove_tree(dir, err);
}

static tn_rc remove_listed(tn_store *s, tn_arena *a, tn_err *err)
{
    tn_store_list_opts lo = { .prefix = TN_STR("many/"), .flat = true };
    tn_store_items items;
    tn_strs keys = { 0 };
    TN_TRY(tn_store_list(s, a, &lo, &items, err));
    for (size_t i = 0; i < items.n; i++) {
        tn_vec_push(&keys, a, items.v[i].key);
    }
    TN_TRY(tn_store_remove_many(s, keys.v, keys.n, err));
    TN_TRY(tn_store_remove_many(s, keys.v, 3, err)); /* absent: ok */
    TN_TRY(tn_store_list(s, a, &lo, &items, err));
    return check(items.n == 0, "batches remove all", err);
}

static tn_rc check_many(tn_store *s, tn_arena *a, tn_err *err)
{
    filler f[THREADS];
    tn_thread *t[THREADS];
    for (int i = 0; i < THREADS; i++) {
        f[i] = (filler){ .store = s, .from = i };
        TN_TRY(tn_thread_start(fill, &f[i], "fill", &t[i], err));
    }
    for (int i = 0; i < THREADS; i++) {
        tn_thread_join(t[i]);
        TN_TRY(check(f[i].rc == TN_OK, "small puts", err));
    }
    tn_store_list_opts lo = { .prefix = TN_STR("many/"), .flat = true };
    tn_store_items items;
    TN_TRY(tn_store_list(s, a, &lo, &items, err));
    TN_TRY(check(items.n == SMALL_FILES, "more than one page", err));
    for (size_t i = 1; i < items.n; i++) {
        TN_TRY(check(tn_str_cmp(items.v[i - 1].key, items.v[i].key) < 0, "sorted", err));
    }
    lo.start_after = items.v[999].key;
    lo.items_max = 7;
    tn_str next = items.v[1000].key;
    TN_TRY(tn_store_list(s, a, &lo, &items, err));
    TN_TRY(check(items.n == 7 && tn_str_eq(items.v[0].key, next), "start_after", err));
    lo = (tn_store_list_opts){ .prefix = TN_STR_NONE };
    TN_TRY(tn_store_list(s, a, &lo, &items, err));
    TN_TRY(check(items.n == 1 && items.v[0].is_prefix && tn_str_is(items.v[0].key, "many/"),
        "folders", err));
    return remove_listed(s, a, err);
}

int main(int argc, char **argv)
{
    tn_log_transfer_set(on_transfer, NULL);
    TN_AUTO_ARENA a = tn_arena_new("driver", NULL);
    TN_AUTOPTR(tn_store) s = NULL;
    tn_err err = TN_ERR_INIT;
    tn_store_s3_register();
    tn_rc rc = tn_store_open(tn_str_of(argc > 1 ? argv[1] : ""), NULL, &s, &err);
    rc = rc == TN_OK ? check_big(s, a, &err) : rc;
    rc = rc == TN_OK ? check_file(s, a, &err) : rc;
    rc = rc == TN_OK ? check_many(s, a, &err) : rc;
    puts(rc == TN_OK ? "ok" : err.msg);
    return rc == TN_OK ? 0 : 1;
}
