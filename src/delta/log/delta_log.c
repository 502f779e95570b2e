/* delta_log.c: the names in _delta_log, and which of them make up a version.
 *
 *     %020d.json                                commit
 *     %020d.checkpoint.parquet                  checkpoint, classic (also v2 content)
 *     %020d.checkpoint.%010d.%010d.parquet      part k of n of a checkpoint
 *     %020d.checkpoint.<uuid>.{json,parquet}    checkpoint, v2
 *     %020d.%020d.compacted.json                the commits from the first version to the second, reconciled
 *     _last_checkpoint                          a hint where to begin listing; may be stale, corrupt or absent
 * Everything else (temp files, folders, %020d.crc) is skipped here.
 */
#include "delta/log/delta_log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "os/parallel.h"
#include "text/json.h"

#define LOG_DIR "_delta_log/"
#define NOTE "checkpoint" /* tn_store_note_get: the newest checkpoint that was seen */
enum { PAGE = 999 };      /* of a listing: what a store gives in one answer */

typedef struct checkpoint {
    int64_t version;
    int64_t part, parts; /* 0, 0 when it is one file */
    bool json;
    const tn_store_item *item; /* of the listing */
} checkpoint;
typedef tn_vec(checkpoint) checkpoints;

typedef struct listing {
    tn_delta_log_files commits;
    tn_delta_log_files compacted;
    checkpoints checkpoints; /* in key order, so parts of one checkpoint are neighbours */
    bool any, whole;         /* something; everything that was asked for */
} listing;

tn_str tn_delta_bare_etag(tn_str etag)
{
    bool quoted = etag.n >= 2 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"';
    return quoted ? tn_str_sub(etag, 1, etag.n - 1) : etag;
}

tn_str tn_delta_commit_key(tn_arena *a, int64_t version)
{
    return tn_str_printf(a, LOG_DIR "%020lld.json", (long long)version);
}

/* Exactly `digits` decimal digits at the start of s. */
static bool take_number(tn_str *s, size_t digits, int64_t *ret)
{
    if (s->n < digits) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') {
            return false;
        }
    }
    if (!tn_str_to_i64(tn_str_sub(*s, 0, digits), ret)) {
        return false;
    }
    *s = tn_str_sub(*s, digits, s->n);
    return true;
}

static bool take_text(tn_str *s, tn_str text)
{
    if (!tn_str_starts(*s, text)) {
        return false;
    }
    *s = tn_str_sub(*s, text.n, s->n);
    return true;
}

/* What follows "<version>.checkpoint." */
static bool parse_checkpoint(tn_str rest, checkpoint *c)
{
    if (tn_str_is(rest, "parquet")) {
        return true;
    }
    tn_str s = rest;
    if (take_number(&s, 10, &c->part) && take_text(&s, TN_STR(".")) &&
        take_number(&s, 10, &c->parts) && tn_str_is(s, ".parquet")) {
        return c->part >= 1 && c->part <= c->parts && c->parts <= TN_DELTA_PARTS_MAX;
    }
    c->part = c->parts = 0;
    tn_str uuid;
    tn_str ext;
    bool two = tn_str_cut(rest, '.', &uuid, &ext);
    c->json = tn_str_is(ext, "json");
    return two && uuid.n == 36 && (c->json || tn_str_is(ext, "parquet"));
}

static void sort_name(tn_arena *a, const tn_store_item *item, listing *l)
{
    tn_str s = item->key;
    int64_t version;
    if (item->is_prefix || !take_text(&s, TN_STR(LOG_DIR)) || !take_number(&s, 20, &version)) {
        return;
    }
    if (tn_str_is(s, ".json")) {
        tn_delta_log_file f = { .version = version,
            .from = -1,
            .key = item->key,
            .etag = item->etag,
            .size = item->size,
            .mtime_ms = item->mtime_us / 1000 };
        tn_vec_push(&l->commits, a, f);
        return;
    }
    tn_delta_log_file both = {
        .from = version, .key = item->key, .etag = item->etag, .size = item->size
    };
    tn_str rest = s;
    if (take_text(&rest, TN_STR(".")) && take_number(&rest, 20, &both.version) &&
        tn_str_is(rest, ".compacted.json")) {
        if (both.version > both.from) {
            tn_vec_push(&l->compacted, a, both);
        }
        return;
    }
    checkpoint c = { .version = version, .item = item };
    if (take_text(&s, TN_STR(".checkpoint.")) && parse_checkpoint(s, &c)) {
        tn_vec_push(&l->checkpoints, a, c);
    }
}

/* Everything of versions >= from, or the first of it. */
static tn_rc list_some(
    tn_delta_table *t, tn_arena *a, int64_t from, size_t items_max, listing *ret, tn_err *err)
{
    tn_store_list_opts opts = { .prefix = TN_STR(LOG_DIR), .items_max = items_max };
    if (from > 0) {
        /* "<from>" sorts before "<from>.json". */
        opts.start_after = tn_str_printf(a, LOG_DIR "%020lld", (long long)from);
    }
    tn_store_items items = { 0 };
    tn_rc rc = tn_store_list(t->store, a, &opts, &items, err);
    if (rc == TN_E_NOTFOUND) {
        tn_err_clear(err);
        rc = TN_OK;
    }
    TN_TRY(rc);
    listing l = { .any = items.n > 0, .whole = items_max == 0 || items.n < items_max };
    for (size_t i = 0; i < items.n; i++) {
        sort_name(a, &items.v[i], &l);
    }
    *ret = l;
    return TN_OK;
}

static tn_rc list_from(tn_delta_table *t, tn_arena *a, int64_t from, listing *ret, tn_err *err)
{
    return list_some(t, a, from, 0, ret, err);
}

/* The version in _last_checkpoint, or -1: it is a hint, so nothing about it is an error but a store that fails. */
static tn_rc read_hint(tn_delta_table *t, int64_t *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta hint", NULL);
    tn_str text;
    tn_err ignored = TN_ERR_INIT;
    tn_rc rc = tn_store_get(
        t->store, a, TN_STR(LOG_DIR "_last_checkpoint"), TN_DELTA_HINT_BYTES_MAX, &text, &ignored);
    *ret = -1;
    if (rc != TN_OK) {
        bool serious = rc != TN_E_NOTFOUND && rc != TN_E_LIMIT;
        return serious ? tn_fail(err, rc, "%s", ignored.msg) : TN_OK;
    }
    tn_val v;
    if (tn_json_parse(a, text, &v, &ignored) == TN_OK) {
        *ret = tn_val_int_at(v, "version", -1);
    }
    return TN_OK;
}

/* Checkpoint of `version` at place i: all its parts, when they are complete. Moves *at past it. */
static bool complete_at(
    tn_arena *a, const checkpoints *all, size_t i, tn_store_items *ret, bool *json)
{
    const checkpoint *c = &all->v[i];
    *json = c->json;
    ret->n = 0;
    if (c->parts == 0) {
        tn_vec_push(ret, a, *c->item);
        return true;
    }
    for (int64_t part = 1; part <= c->parts; part++) {
        size_t found = SIZE_MAX;
        for (size_t k = 0; k < all->n && found == SIZE_MAX; k++) {
            const checkpoint *o = &all->v[k];
            found =
                o->version == c->version && o->parts == c->parts && o->part == part ? k : SIZE_MAX;
        }
        if (found == SIZE_MAX) {
            return false;
        }
        tn_vec_push(ret, a, *all->v[found].item);
    }
    return true;
}

/* The newest complete checkpoint <= version and < bad. */
static void pick_checkpoint(
    tn_arena *a, const listing *l, int64_t version, int64_t bad, tn_delta_segment *seg)
{
    seg->checkpoint_version = -1;
    for (size_t i = l->checkpoints.n; i-- > 0;) {
        const checkpoint *c = &l->checkpoints.v[i];
        bool fits =
            c->version <= version && c->version < bad && c->version > seg->checkpoint_version;
        if (fits &&
            complete_at(a, &l->checkpoints, i, &seg->checkpoint, &seg->checkpoint_is_json)) {
            seg->checkpoint_version = c->version;
            return;
        }
    }
    seg->checkpoint.n = 0;
}

static int64_t newest(const listing *l)
{
    int64_t v = l->commits.n > 0 ? l->commits.v[l->commits.n - 1].version : -1;
    for (size_t i = 0; i < l->checkpoints.n; i++) {
        v = l->checkpoints.v[i].version > v ? l->checkpoints.v[i].version : v;
    }
    return v;
}

static tn_rc no_such_version(const listing *l, int64_t version, tn_err *err)
{
    int64_t first = l->commits.n > 0 ? l->commits.v[0].version : newest(l);
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND, "the table has no version %lld", (long long)version);
    return tn_hint(
        err, rc, "versions %lld to %lld are in its log", (long long)first, (long long)newest(l));
}

/* The longest compacted file that begins with `from` and ends by `last`. */
static const tn_delta_log_file *longest(const listing *l, int64_t from, int64_t last)
{
    const tn_delta_log_file *best = NULL;
    for (size_t i = 0; i < l->compacted.n; i++) {
        const tn_delta_log_file *f = &l->compacted.v[i];
        bool fits = f->from == from && f->version <= last;
        best = fits && (best == NULL || f->version > best->version) ? f : best;
    }
    return best;
}

static void shorten(tn_arena *a, const listing *l, tn_delta_segment *seg)
{
    bool any = false;
    for (size_t i = 0; i < seg->commits.n;) {
        const tn_delta_log_file *f = longest(l, seg->commits.v[i].version, seg->version);
        if (f != NULL) {
            i += (size_t)(f->version - f->from + 1);
            any = true;
        } else {
            f = &seg->commits.v[i++];
        }
        tn_vec_push(&seg->shorter, a, *f);
    }
    seg->shorter.n = any ? seg->shorter.n : 0;
}

/* Fills the segment from a listing; TN_E_CORRUPT when commits are missing in between. */
static tn_rc make_segment(
    tn_arena *a, const listing *l, int64_t version, int64_t bad, tn_delta_segment *ret, tn_err *err)
{
    int64_t last = newest(l);
    if (version > last) {
        return no_such_version(l, version, err);
    }
    tn_delta_segment seg = { .version = version == TN_DELTA_LATEST ? last : version,
        .version_mtime_ms = TN_DELTA_ABSENT };
    pick_checkpoint(a, l, seg.version, bad, &seg);
    int64_t want = seg.checkpoint_version + 1;
    for (size_t i = 0; i < l->commits.n; i++) {
        const tn_delta_log_file *f = &l->commits.v[i];
        if (f->version == seg.version) {
            seg.version_etag = tn_delta_bare_etag(f->etag);
            seg.version_mtime_ms = f->mtime_ms;
        }
        if (f->version < want || f->version > seg.version) {
            continue;
        }
        if (f->version != want) {
            break;
        }
        tn_vec_push(&seg.commits, a, *f);
        want++;
    }
    if (want != seg.version + 1) {
        /* An old version whose commits were cleaned up is gone; a hole before the newest one is damage. */
        if (version != TN_DELTA_LATEST && seg.commits.n == 0 && seg.checkpoint_version < 0) {
            return no_such_version(l, version, err);
        }
        tn_rc rc = tn_fail(err, TN_E_CORRUPT, "the log has no commit %lld", (long long)want);
        return tn_hint(err, rc, "version %lld needs every commit since the checkpoint before it",
            (long long)seg.version);
    }
    if (l->compacted.n > 0) {
        shorten(a, l, &seg);
    }
    *ret = seg;
    return TN_OK;
}

/* 0: a short log without a checkpoint, which one listing shows whole. */
void tn_delta_segment_note(tn_delta_table *t, const tn_delta_segment *seg)
{
    if (seg->checkpoint_version > 0 || seg->commits.n < PAGE / 2) {
        tn_store_note_put(
            t->store, NOTE, seg->checkpoint_version > 0 ? seg->checkpoint_version : 0);
    }
}

/* From the checkpoint that this machine saw last: one listing, without asking for the hint. */
static tn_rc find_from_note(tn_delta_table *t, tn_arena *a, int64_t version, tn_delta_segment *ret,
    bool *ret_found, tn_err *err)
{
    int64_t note = tn_store_note_get(t->store, NOTE);
    if (note < 0 || (version != TN_DELTA_LATEST && version < note)) {
        return TN_OK;
    }
    listing l;
    tn_delta_segment seg;
    tn_err ignored = TN_ERR_INIT;
    TN_TRY(list_from(t, a, note, &l, err));
    if (newest(&l) < 0 || make_segment(a, &l, version, INT64_MAX, &seg, &ignored) != TN_OK ||
        (note > 0 && seg.checkpoint_version < note)) {
        return TN_OK;
    }
    if (seg.checkpoint_version > note) {
        tn_delta_segment_note(t, &seg);
    }
    *ret = seg;
    *ret_found = true;
    return TN_OK;
}

/* Where nothing is known: the hint and the first page of the listing, on a far store in one round. */
typedef struct first_look {
    tn_delta_table *t;
    tn_arena *a; /* of the listing's thread while both run */
    int64_t hint;
    listing page;
} first_look;

static tn_rc look_at(void *self, size_t i, tn_err *err)
{
    first_look *f = self;
    return i == 0 ? list_some(f->t, f->a, 0, PAGE, &f->page, err) : read_hint(f->t, &f->hint, err);
}

static tn_rc no_table(const tn_delta_table *t, const listing *l, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND, "there is no Delta table at '" TN_STR_FMT "'",
        TN_STR_ARG(t->store->root));
    return tn_hint(
        err, rc, "%s", l->any ? "its _delta_log holds no commit" : "it has no _delta_log folder");
}

/* From the checkpoint that the hint names, when it is really there; else from the beginning. */
static tn_rc find_from_hint(tn_delta_table *t, tn_arena *a, int64_t version, int64_t hint,
    tn_delta_segment *ret, tn_err *err)
{
    listing l;
    if (hint > 0 && (version == TN_DELTA_LATEST || hint <= version)) {
        tn_err ignored = TN_ERR_INIT;
        TN_TRY(list_from(t, a, hint, &l, err));
        if (newest(&l) >= 0 && make_segment(a, &l, version, INT64_MAX, ret, &ignored) == TN_OK &&
            ret->checkpoint_version >= hint) {
            tn_delta_segment_note(t, ret);
            return TN_OK;
        }
    }
    TN_TRY(list_from(t, a, 0, &l, err));
    return newest(&l) < 0 ? no_table(t, &l, err)
                          : make_segment(a, &l, version, INT64_MAX, ret, err);
}

tn_rc tn_delta_segment_find(tn_delta_table *t, tn_arena *a, int64_t version, int64_t bad_checkpoint,
    tn_delta_segment *ret, tn_err *err)
{
    first_look look = { .t = t, .a = a, .hint = -1 };
    bool found = false;
    if (bad_checkpoint != INT64_MAX) {
        TN_TRY(list_from(t, a, 0, &look.page, err));
        return newest(&look.page) < 0
                   ? no_table(t, &look.page, err)
                   : make_segment(a, &look.page, version, bad_checkpoint, ret, err);
    }
    TN_TRY(find_from_note(t, a, version, ret, &found, err));
    if (found) {
        return TN_OK;
    }
    if (!tn_delta_is_far(t)) {
        TN_TRY(read_hint(t, &look.hint, err));
        return find_from_hint(t, a, version, look.hint, ret, err);
    }
    TN_TRY(tn_parallel(2, 2, look_at, &look, err));
    if (!look.page.whole) {
        return find_from_hint(t, a, version, look.hint, ret, err);
    }
    if (newest(&look.page) < 0) {
        return no_table(t, &look.page, err);
    }
    TN_TRY(make_segment(a, &look.page, version, INT64_MAX, ret, err));
    tn_delta_segment_note(t, ret);
    return TN_OK;
}

tn_rc tn_delta_commits_after(
    tn_delta_table *t, tn_arena *a, int64_t from, tn_delta_log_files *ret, tn_err *err)
{
    listing l;
    TN_TRY(list_from(t, a, from + 1, &l, err));
    tn_delta_log_files out = { 0 };
    for (size_t i = 0; i < l.commits.n; i++) {
        if (l.commits.v[i].version == from + 1 + (int64_t)out.n) {
            tn_vec_push(&out, a, l.commits.v[i]);
        }
    }
    *ret = out;
    return TN_OK;
}

tn_rc tn_delta_commits_all(tn_delta_table *t, tn_arena *a, tn_delta_log_files *ret, tn_err *err)
{
    listing l;
    TN_TRY(list_from(t, a, 0, &l, err));
    *ret = l.commits;
    return TN_OK;
}

tn_rc tn_delta_commit_read(
    tn_delta_table *t, tn_arena *a, int64_t version, tn_delta_actions *ret, tn_err *err)
{
    tn_str key = tn_delta_commit_key(a, version);
    tn_str text;
    TN_TRY(tn_store_get(t->store, a, key, TN_DELTA_COMMIT_BYTES_MAX, &text, err));
    tn_delta_actions acts = tn_delta_actions_empty();
    acts.version = version;
    TN_TRY(tn_delta_actions_parse(a, text, tn_str_z(a, key), &acts, err));
    *ret = acts;
    return TN_OK;
}
