/* lake_seen.c: a bucket's lake commits as this handle has read or written them.
 *
 * Commits never change, so their texts are good for as long as the handle lives; which one is the newest is good for some seconds only, and nobody trusts
 * it but writers, whose put-if-absent tells them when it was wrong.
 */
#include "lake/log/lake_log.h"
#include "os/clock.h"
#include "os/parallel.h"

enum { TEXT_BYTES_MAX = 16 << 20 }; /* a larger document is read again */

static tn_lake_doc *find_doc(tn_lake *l, int64_t number) /* the lock is held */
{
    for (size_t i = 0; i < TN_LAKE_DOCS_KEPT; i++) {
        if (l->docs[i].arena != NULL && l->docs[i].number == number) {
            return &l->docs[i];
        }
    }
    return NULL;
}

void tn_lake_doc_keep(tn_lake *l, int64_t number, tn_str text)
{
    if (!l->far || text.n > TEXT_BYTES_MAX) {
        return;
    }
    TN_LOCKED(&l->lock);
    if (find_doc(l, number) != NULL) {
        return;
    }
    tn_lake_doc *d = &l->docs[l->docs_at++ % TN_LAKE_DOCS_KEPT];
    tn_arena_free(d->arena);
    d->arena = tn_arena_new("lake commit kept", NULL);
    d->number = number;
    d->text = tn_str_dup(d->arena, text);
}

bool tn_lake_doc_kept(tn_lake *l, tn_arena *a, int64_t number, tn_str *ret_text)
{
    TN_LOCKED(&l->lock);
    const tn_lake_doc *d = find_doc(l, number);
    if (d != NULL) {
        *ret_text = tn_str_dup(a, d->text);
    }
    return d != NULL;
}

typedef struct reading {
    tn_lake *l;
    const int64_t *numbers;
} reading;

static tn_rc read_one(void *self, size_t i, tn_err *err)
{
    (void)err;
    const reading *r = self;
    TN_AUTO_ARENA a = tn_arena_new("lake commit ahead", NULL);
    tn_str text;
    int64_t number = r->numbers[i];
    if (!tn_lake_doc_kept(r->l, a, number, &text) &&
        tn_store_get(r->l->store, a, tn_lake_commit_key(a, number), TEXT_BYTES_MAX, &text, NULL) ==
            TN_OK) {
        tn_lake_doc_keep(r->l, number, text);
    }
    return TN_OK;
}

void tn_lake_docs_ahead(tn_lake *l, const int64_t *numbers, size_t n)
{
    reading r = { .l = l, .numbers = numbers };
    if (l->far && n > 1) {
        (void)!tn_parallel(
            tn_min_size(n, TN_LAKE_DOCS_AHEAD), TN_LAKE_DOCS_AHEAD, read_one, &r, NULL);
    }
}

void tn_lake_seen_newest(tn_lake *l, int64_t number, tn_str text, int64_t since_us)
{
    if (!l->far) {
        return;
    }
    if (number >= 0) {
        tn_lake_doc_keep(l, number, text);
    }
    TN_LOCKED(&l->lock);
    if (l->seen_us == INT64_MIN || number >= l->newest) { /* of two threads the later look counts */
        l->newest = number;
        l->seen_us = since_us > l->seen_us ? since_us : l->seen_us;
    }
}

bool tn_lake_newest_recent(tn_lake *l, int64_t *ret)
{
    TN_LOCKED(&l->lock);
    if (l->seen_us == INT64_MIN ||
        tn_clock_mono_us() - l->seen_us > (int64_t)TN_LAKE_RECENT_MS * 1000) {
        return false;
    }
    *ret = l->newest;
    return true;
}

void tn_lake_seen_free(tn_lake *l)
{
    for (size_t i = 0; i < TN_LAKE_DOCS_KEPT; i++) {
        tn_arena_free(l->docs[i].arena);
    }
}

tn_rc tn_lake_spared_from(tn_lake *l, tn_arena *a, int64_t *ret, tn_err *err)
{
    tn_store_list_opts lo = { .prefix = TN_STR(TN_LAKE_LOG_DIR), .flat = true };
    tn_store_items items = { 0 };
    int64_t newest_us = INT64_MIN, from = INT64_MAX, n;
    TN_TRY(tn_store_list(l->store, a, &lo, &items, err));
    for (size_t i = items.n; i-- > 0;) { /* keys are sorted, so numbers are */
        if (!tn_lake_number_of(TN_STR(TN_LAKE_LOG_DIR), items.v[i].key, &n)) {
            continue;
        }
        newest_us = newest_us == INT64_MIN ? items.v[i].mtime_us : newest_us;
        if (items.v[i].mtime_us < newest_us - (int64_t)TN_LAKE_SPARE_MS * 1000) {
            break;
        }
        from = n;
    }
    *ret = from;
    return TN_OK;
}
