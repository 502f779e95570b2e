/* lake_gc.c: which lake commits and tables are still needed; removing the others.
 *
 *     heads, their bases, tags, commits of the retention and their parents -> keep -> needs (location, version)
 *     all other commits -> expire;  tables that they pin and no kept one does -> dead;  _tarn/tables/<env of nobody>/.. -> dead
 *     dead tables first, then the commits, oldest first: a cleaning that was cut short finds the same again
 */
#include "lake/lake_gc.h"
#include "delta/delta_maint.h"
#include "lake/lake_env.h"
#include "lake/log/lake_log.h"

#include "base/log.h"
#include "os/clock.h"
#include "os/parallel.h"
#include "text/uri.h"

/* Clocks of writers may differ by this much. */
#define SKEW_MS ((int64_t)24 * 3600 * 1000)

typedef struct sweep {
    tn_lake *l;
    tn_arena *a;
    int64_t cutoff_ms;
    tn_lake_numbers all;
    tn_map keep; /* number as text */
    tn_map seen; /* "location@version" of needs */
    tn_pins needs;
    tn_map envs; /* that live */
} sweep;

static tn_str number_text(tn_arena *a, int64_t n)
{
    return tn_str_printf(a, "%lld", (long long)n);
}

static bool is_kept(const sweep *w, int64_t number)
{
    TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
    return tn_map_find(&w->keep, number_text(scratch, number)) != NULL;
}

static void add_need(sweep *w, const tn_pin *p)
{
    tn_str key =
        tn_str_printf(w->a, TN_STR_FMT "@%lld", TN_STR_ARG(p->location), (long long)p->version);
    if (p->kind == TN_PIN_DELTA && tn_map_find(&w->seen, key) == NULL) {
        tn_pin n = { .kind = TN_PIN_DELTA,
            .schema = tn_str_dup(w->a, p->schema),
            .name = tn_str_dup(w->a, p->name),
            .location = tn_str_dup(w->a, p->location),
            .version = p->version,
            .commit_hash = tn_str_dup(w->a, p->commit_hash) };
        tn_map_put(&w->seen, key, w);
        tn_vec_push(&w->needs, w->a, n);
    }
}

/* Keeps a commit; one that was cleaned away before is no error. doc: what was read of it. */
static tn_rc keep(sweep *w, int64_t number, tn_val doc, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
    tn_pins pins;
    if (number < 0 || is_kept(w, number)) {
        return TN_OK;
    }
    if (tn_val_is_undef(doc)) {
        tn_rc rc = tn_lake_doc_read(w->l, scratch, number, &doc, err);
        if (rc == TN_E_NOTFOUND) {
            return TN_OK;
        }
        TN_TRY(rc);
    }
    TN_TRY(tn_lake_doc_pins(scratch, doc, &pins, err));
    for (size_t i = 0; i < pins.n; i++) {
        add_need(w, &pins.v[i]);
    }
    tn_map_put(&w->keep, number_text(w->a, number), w);
    return TN_OK;
}

static tn_rc keep_heads(sweep *w, tn_err *err)
{
    tn_val envs;
    TN_TRY(tn_lake_envs(w->l, w->a, &envs, err));
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(envs.dict, &at)) != NULL) {
        TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
        tn_val doc;
        if (it->value.tag != TN_INT) {
            continue;
        }
        TN_TRY(tn_lake_doc_read(w->l, scratch, it->value.i, &doc, err));
        TN_TRY(keep(w, it->value.i, doc, err));
        TN_TRY(keep(w, tn_val_int_at(tn_val_at(doc, "base"), "commit", -1), TN_VAL_UNDEF, err));
        tn_map_put(&w->envs, tn_val_as_str(it->key), w);
    }
    return TN_OK;
}

static tn_rc keep_tags(sweep *w, tn_err *err)
{
    tn_lake_tags tags;
    TN_TRY(tn_lake_tags_read(w->l, w->a, &tags, err));
    for (size_t i = 0; i < tags.n; i++) {
        TN_TRY(keep(w, tags.v[i].commit, TN_VAL_UNDEF, err));
    }
    return TN_OK;
}

/* Commits are read from the newest back: those before all.v[i] come with it. */
static void read_back(const sweep *w, size_t i)
{
    size_t n = tn_min_size(TN_LAKE_DOCS_AHEAD, i + 1);
    if ((w->all.n - 1 - i) % TN_LAKE_DOCS_AHEAD == 0) {
        tn_lake_docs_ahead(w->l, w->all.v + i + 1 - n, n);
    }
}

/* From the newest back, until all are older than the retention, whatever the writers' clocks. A commit's parent was in force until the commit came. */
static tn_rc keep_recent(sweep *w, tn_err *err)
{
    for (size_t i = w->all.n; i-- > 0;) {
        TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
        tn_val doc;
        read_back(w, i);
        tn_rc rc = tn_lake_doc_read(w->l, scratch, w->all.v[i], &doc, err);
        if (rc == TN_E_NOTFOUND) {
            continue;
        }
        TN_TRY(rc);
        int64_t ms = tn_val_int_at(doc, "timestamp", 0);
        if (ms >= w->cutoff_ms) {
            TN_TRY(keep(w, tn_val_int_at(doc, "parent", -1), TN_VAL_UNDEF, err));
        }
        if (ms >= w->cutoff_ms || i + 1 == w->all.n) { /* the newest carries the count on */
            TN_TRY(keep(w, w->all.v[i], doc, err));
        }
        if (ms < w->cutoff_ms - SKEW_MS) {
            break;
        }
    }
    return TN_OK;
}

/* Writers on a bucket may go on from a head that they saw a moment ago: numbers given since then must not become free. */
static tn_rc keep_young(sweep *w, tn_err *err)
{
    int64_t from = INT64_MAX;
    if (w->l->far) {
        TN_TRY(tn_lake_spared_from(w->l, w->a, &from, err));
    }
    for (size_t i = w->all.n; i-- > 0 && w->all.v[i] >= from;) {
        read_back(w, i);
        TN_TRY(keep(w, w->all.v[i], TN_VAL_UNDEF, err));
    }
    return TN_OK;
}

static tn_rc find_needs(sweep *w, tn_err *err)
{
    w->keep = tn_map_init(w->a);
    w->seen = tn_map_init(w->a);
    w->envs = tn_map_init(w->a);
    TN_TRY(tn_lake_numbers_after(w->l, w->a, -1, &w->all, err));
    TN_TRY(keep_heads(w, err));
    TN_TRY(keep_tags(w, err));
    TN_TRY(keep_young(w, err));
    return keep_recent(w, err);
}

tn_rc tn_lake_needs_read(tn_lake *l, tn_arena *a, int64_t retention_ms, tn_pins *ret, tn_err *err)
{
    sweep w = { .l = l, .a = a, .cutoff_ms = tn_clock_now_ms() - retention_ms };
    TN_TRY(find_needs(&w, err));
    *ret = w.needs;
    return TN_OK;
}

/* ---- tables that nobody pins ---- */

typedef struct dead { /* candidates: places below the root, relative, without a slash at the end */
    tn_map places;
    tn_map shared; /* folders of tables whose files a needed clone names: absolute */
} dead;

static tn_str relative(const tn_lake *l, tn_str location)
{
    if (tn_str_starts(location, l->root) && location.n > l->root.n &&
        location.p[l->root.n] == '/') {
        return tn_str_sub(location, l->root.n + 1, location.n);
    }
    return location.n > 0 && location.p[0] != '/' && !tn_uri_is_remote(location) ? location
                                                                                 : TN_STR_NONE;
}

/* Places that expired commits pin and that their environment wrote. */
static tn_rc expired_places(sweep *w, dead *d, tn_err *err)
{
    tn_lake_numbers expired = { 0 };
    for (size_t i = 0; i < w->all.n; i++) {
        if (!is_kept(w, w->all.v[i])) {
            tn_vec_push(&expired, w->a, w->all.v[i]);
        }
    }
    for (size_t i = 0; i < expired.n; i++) {
        TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
        tn_val doc;
        tn_pins pins;
        if (i % TN_LAKE_DOCS_AHEAD == 0) {
            tn_lake_docs_ahead(w->l, expired.v + i, expired.n - i);
        }
        tn_rc rc = tn_lake_doc_read(w->l, scratch, expired.v[i], &doc, err);
        if (rc == TN_E_NOTFOUND) {
            continue;
        }
        TN_TRY(rc);
        TN_TRY(tn_lake_doc_pins(scratch, doc, &pins, err));
        for (size_t k = 0; k < pins.n; k++) {
            tn_str place = relative(w->l, pins.v[k].location);
            bool own = tn_str_eq(pins.v[k].owner, tn_val_str_at(doc, "env", TN_STR_NONE));
            if (pins.v[k].kind == TN_PIN_DELTA && own && place.n > 0) {
                tn_map_put(&d->places, tn_str_dup(w->a, place), d);
            }
        }
    }
    return TN_OK;
}

/* Adds the folders right below a prefix: their objects, of which there may be many, are not listed. */
static tn_rc folders_of(sweep *w, tn_str prefix, tn_store_items *add, tn_err *err)
{
    tn_store_list_opts lo = { .prefix = prefix };
    tn_store_items items = { 0 };
    tn_rc rc = tn_store_list(w->l->store, w->a, &lo, &items, err);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return rc;
    }
    for (size_t i = 0; i < items.n; i++) {
        if (items.v[i].is_prefix) {
            tn_vec_push(add, w->a, items.v[i]);
        }
    }
    return TN_OK;
}

/* Folders below _tarn/tables/<env>/<schema>/ of environments that are gone. */
static tn_rc orphaned_places(sweep *w, dead *d, tn_err *err)
{
    tn_store_items envs = { 0 }, all = { 0 };
    TN_TRY(folders_of(w, TN_STR(TN_LAKE_TABLES_DIR "/"), &envs, err));
    for (size_t i = 0; i < envs.n; i++) {
        tn_str path = envs.v[i].key, schemas_of = tn_str_sub(path, 0, path.n - 1);
        tn_store_items schemas = { 0 };
        if (tn_map_find(&w->envs, tn_path_base(schemas_of)) == NULL) {
            TN_TRY(folders_of(w, path, &schemas, err));
        }
        for (size_t k = 0; k < schemas.n; k++) {
            TN_TRY(folders_of(w, schemas.v[k].key, &all, err));
        }
    }
    for (size_t i = 0; i < all.n; i++) {
        tn_map_put(&d->places, tn_str_sub(all.v[i].key, 0, all.v[i].key.n - 1), d);
    }
    return TN_OK;
}

/* What is pinned stays, and so does a table whose files a needed clone reads. */
static tn_rc spare_needed(sweep *w, tn_conn *conn, dead *d, tn_err *err)
{
    tn_lake_warm(w->l, &w->needs);
    for (size_t i = 0; i < w->needs.n; i++) {
        TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
        TN_AUTOPTR(tn_delta_snapshot) s = NULL;
        tn_strs outside = { 0 };
        tn_err why = TN_ERR_INIT;
        const tn_pin *n = &w->needs.v[i];
        (void)!tn_map_remove(&d->places, relative(w->l, n->location));
        tn_rc rc = tn_lake_pin_open(w->l, conn, n, &s, &why);
        if (rc == TN_E_NOTFOUND || rc == TN_E_UNSUPPORTED) {
            continue;
        }
        if (rc != TN_OK) {
            return tn_fail(err, rc, "looking whether '" TN_STR_FMT "' shares files: %s",
                TN_STR_ARG(n->location), why.msg);
        }
        TN_TRY(tn_delta_outside_places(s, scratch, &outside, err));
        for (size_t k = 0; k < outside.n; k++) {
            tn_map_put(&d->shared, tn_str_dup(w->a, tn_path_dir(outside.v[k])), d);
        }
    }
    return TN_OK;
}

static bool is_shared(const sweep *w, const dead *d, tn_str place)
{
    TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
    tn_str whole = tn_str_printf(
        scratch, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(w->l->root), TN_STR_ARG(place));
    for (size_t i = 0; i < d->shared.n; i++) {
        tn_str dir = d->shared.items[i].key;
        if (tn_str_starts(dir, whole) && (dir.n == whole.n || dir.p[whole.n] == '/')) {
            return true;
        }
    }
    for (size_t i = 0; i < w->needs.n; i++) { /* a needed table inside of the place */
        tn_str other = relative(w->l, w->needs.v[i].location);
        if (tn_str_starts(other, place) && other.n > place.n && other.p[place.n] == '/') {
            return true;
        }
    }
    return false;
}

enum {
    BATCH = 1000,
    THREADS = 8
}; /* objects of one request, where the store can; tables at once */

/* What one call has removed, or would. */
typedef struct removal {
    tn_str place;  /* of a table */
    bool is_young; /* written within the retention: it stays */
    int64_t objects, bytes, failed;
} removal;

typedef struct removing {
    sweep *w;
    removal *v;
    bool dry_run;
} removing;

/* What cannot be removed is told and counted. */
static void remove_objects(tn_store *store, const tn_store_items *items, bool dry_run, removal *out)
{
    for (size_t from = 0; from < items->n; from += BATCH) {
        TN_AUTO_ARENA scratch = tn_arena_new("lake gc batch", NULL);
        size_t n = tn_min_size(BATCH, items->n - from);
        tn_str *keys = tn_arena_alloc(scratch, n * sizeof *keys);
        tn_err why = TN_ERR_INIT;
        for (size_t i = 0; i < n; i++) {
            keys[i] = items->v[from + i].key;
        }
        bool all = dry_run || tn_store_remove_many(store, keys, n, &why) == TN_OK;
        for (size_t i = 0; i < n; i++) {
            if (!all && tn_store_remove(store, keys[i], &why) != TN_OK) {
                tn_log(TN_LOG_WARN, "lake", "'" TN_STR_FMT "' could not be removed: %s",
                    TN_STR_ARG(keys[i]), why.msg);
                out->failed++;
            } else {
                out->objects++;
                out->bytes += items->v[from + i].size;
            }
        }
    }
}

/* All objects of a dead table, unless one was written within the retention. */
static tn_rc remove_table(void *self, size_t at, tn_err *err)
{
    const removing *x = self;
    removal *out = &x->v[at];
    TN_AUTO_ARENA scratch = tn_arena_new("lake gc", NULL);
    tn_store_items items = { 0 };
    tn_store_list_opts lo = {
        .prefix = tn_str_printf(scratch, TN_STR_FMT "/", TN_STR_ARG(out->place)), .flat = true
    };
    tn_rc rc = tn_store_list(x->w->l->store, scratch, &lo, &items, err);
    if (rc != TN_OK) {
        return rc == TN_E_NOTFOUND ? TN_OK : rc;
    }
    for (size_t i = 0; i < items.n && !out->is_young; i++) {
        out->is_young = items.v[i].mtime_us / 1000 >= x->w->cutoff_ms;
    }
    if (!out->is_young) {
        remove_objects(x->w->l->store, &items, x->dry_run, out);
    }
    return TN_OK;
}

static void add_up(sweep *w, const removal *m, tn_lake_gc_result *r)
{
    r->objects += m->objects;
    r->bytes += m->bytes;
    r->failed += m->failed;
    if (m->objects > 0 || m->failed > 0) {
        tn_vec_push(&r->tables, w->a, tn_str_dup(w->a, m->place));
    }
}

static tn_rc remove_tables(sweep *w, tn_conn *conn, bool dry_run, tn_lake_gc_result *r, tn_err *err)
{
    dead d = { .places = tn_map_init(w->a), .shared = tn_map_init(w->a) };
    TN_TRY(expired_places(w, &d, err));
    TN_TRY(orphaned_places(w, &d, err));
    if (d.places.live == 0) {
        return TN_OK;
    }
    TN_TRY(spare_needed(w, conn, &d, err));
    removing x = { .w = w, .dry_run = dry_run };
    x.v = tn_arena_alloc(w->a, d.places.n * sizeof *x.v);
    size_t n = 0;
    for (size_t i = 0; i < d.places.n; i++) {
        tn_str place = d.places.items[i].key;
        if (d.places.items[i].value != NULL && !is_shared(w, &d, place)) {
            x.v[n++] = (removal){ .place = place };
        }
    }
    tn_rc rc = tn_parallel(n, THREADS, remove_table, &x, err);
    for (size_t i = 0; i < n; i++) {
        add_up(w, &x.v[i], r);
    }
    return rc;
}

tn_rc tn_lake_gc(tn_lake *l, tn_conn *conn, tn_arena *a, const tn_lake_gc_opts *opts,
    tn_lake_gc_result *ret, tn_err *err)
{
    sweep w = { .l = l, .a = a, .cutoff_ms = tn_clock_now_ms() - opts->retention_ms };
    tn_lake_gc_result r = { 0 };
    TN_TRY(find_needs(&w, err));
    TN_TRY(remove_tables(&w, conn, opts->dry_run, &r, err));
    tn_store_items commits = { 0 };
    removal gone = { 0 };
    for (size_t i = 0; i < w.all.n; i++) {
        if (is_kept(&w, w.all.v[i])) {
            r.commits_kept++;
        } else {
            tn_store_item item = { .key = tn_lake_commit_key(a, w.all.v[i]) };
            tn_vec_push(&commits, a, item);
        }
    }
    remove_objects(l->store, &commits, opts->dry_run, &gone);
    r.commits_removed = gone.objects;
    r.failed += gone.failed;
    *ret = r;
    return TN_OK;
}
