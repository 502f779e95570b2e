/* delta_head.c: a version without its files, from commit to commit, and the sums over its files. */
#include "delta/log/delta_head.h"
#include "delta/action/delta_action.h"
#include "delta/log/delta_log.h"

/* The reference's bins: powers of 2, then steps that are finer around 128 MiB, 512 MiB and 1 GiB. */
static const struct {
    int64_t to_mib, step_mib;
} STEPS[] = {
    { 40, 4 },
    { 120, 8 },
    { 144, 4 },
    { 576, 16 },
    { 1408, 64 },
    { 2048, 128 },
    { 4096, 256 },
};

void tn_delta_size_bins(int64_t bins[TN_DELTA_SIZE_BINS])
{
    size_t n = 0;
    bins[n++] = 0;
    for (int64_t b = 8 << 10; b <= 4 << 20; b *= 2) {
        bins[n++] = b;
    }
    int64_t mib = 4;
    for (size_t i = 0; i < TN_COUNTOF(STEPS); i++) {
        while (mib < STEPS[i].to_mib) {
            mib += STEPS[i].step_mib;
            bins[n++] = mib << 20;
        }
    }
    for (int64_t b = (int64_t)8 << 30; b <= (int64_t)256 << 30; b *= 2) {
        bins[n++] = b;
    }
    TN_CHECK(n == TN_DELTA_SIZE_BINS);
}

static size_t size_bin(int64_t size)
{
    static int64_t bins[TN_DELTA_SIZE_BINS];
    static bool ready; /* all threads would fill in the same numbers */
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
        int64_t fresh[TN_DELTA_SIZE_BINS];
        tn_delta_size_bins(fresh);
        for (size_t i = 0; i < TN_DELTA_SIZE_BINS; i++) {
            __atomic_store_n(&bins[i], fresh[i], __ATOMIC_RELAXED);
        }
        __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
    }
    size_t low = 0;
    size_t high = TN_DELTA_SIZE_BINS;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (bins[mid] <= size) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

/* 0, 1-9, 10-99, ... and the last from the largest 32-bit number on. */
static size_t deleted_bin(int64_t n)
{
    if (n >= INT32_MAX) {
        return TN_DELTA_DELETED_BINS - 1;
    }
    size_t bin = 0;
    while (n > 0 && bin < TN_DELTA_DELETED_BINS - 2) {
        n /= 10;
        bin++;
    }
    return bin;
}

void tn_delta_sums_add(tn_delta_sums *s, int64_t size, const tn_delta_dv *dv, int64_t sign)
{
    int64_t deleted = dv->storage != 0 && dv->cardinality > 0 ? dv->cardinality : 0;
    size_t bin = size_bin(size);
    s->files += sign;
    s->bytes += sign * size;
    s->vectors += dv->storage != 0 ? sign : 0;
    s->deleted += sign * deleted;
    s->size_counts[bin] += sign;
    s->size_bytes[bin] += sign * size;
    s->deleted_counts[deleted_bin(deleted)] += sign;
}

static tn_map copy_map(tn_arena *a, const tn_map *from)
{
    tn_map to = tn_map_init(a);
    for (size_t i = 0; i < from->n; i++) {
        if (from->items[i].value != NULL) {
            tn_map_put(&to, from->items[i].key, from->items[i].value);
        }
    }
    return to;
}

tn_delta_head tn_delta_head_of(tn_arena *a, const tn_delta_snapshot *s)
{
    tn_delta_head h = { .arena = a,
        .version = -1,
        .txns = tn_map_init(a),
        .domains = tn_map_init(a),
        .in_commit_ms = TN_DELTA_ABSENT,
        .counted = true };
    if (s == NULL) {
        return h;
    }
    h.version = s->version;
    h.protocol = s->protocol;
    h.meta = s->meta;
    h.txns = copy_map(a, &s->txns);
    h.domains = copy_map(a, &s->domains);
    h.in_commit_ms = s->in_commit_ms;
    h.sums = s->sums;
    h.counted = s->sums.files == (int64_t)s->files.n;
    return h;
}

static void *keep(tn_arena *a, const void *p, size_t n)
{
    void *to = tn_arena_alloc(a, n);
    memcpy(to, p, n);
    return to;
}

static void count(tn_delta_head *h, const tn_delta_actions *acts)
{
    bool rearranged = acts->adds.n > 0 && acts->removes.n == 0;
    for (size_t i = 0; i < acts->adds.n; i++) {
        const tn_delta_file *f = &acts->adds.v[i];
        tn_delta_sums_add(&h->sums, f->size, &f->dv, 1);
        rearranged = rearranged && !f->data_change;
    }
    for (size_t i = 0; i < acts->removes.n; i++) {
        const tn_delta_remove *r = &acts->removes.v[i];
        h->counted = h->counted && r->size >= 0;
        tn_delta_sums_add(&h->sums, r->size, &r->dv, -1);
    }
    /* Adds alone that change no data: files that are there already are described anew (statistics, row ids). */
    h->counted = h->counted && !rearranged;
}

void tn_delta_head_apply(tn_delta_head *h, const tn_delta_actions *acts)
{
    h->version = acts->version;
    if (acts->has_protocol) {
        h->protocol = acts->protocol;
    }
    if (acts->has_meta) {
        h->meta = acts->meta;
    }
    h->in_commit_ms = acts->in_commit_ms;
    h->txn_id = acts->txn_id;
    for (size_t i = 0; i < acts->txns.n; i++) {
        tn_map_put(&h->txns, acts->txns.v[i].app_id,
            keep(h->arena, &acts->txns.v[i], sizeof acts->txns.v[i]));
    }
    for (size_t i = 0; i < acts->domains.n; i++) {
        tn_map_put(&h->domains, acts->domains.v[i].domain,
            keep(h->arena, &acts->domains.v[i], sizeof acts->domains.v[i]));
    }
    count(h, acts);
}
