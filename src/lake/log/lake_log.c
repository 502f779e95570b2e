/* lake_log.c: the lake's log: one JSON object a commit, numbered without gaps, made with put-if-absent.
 *
 *   { "version": 42, "format": 1, "env": "prod", "parent": 40, "timestamp": 1700000000000, "txnId": "uuid",
 *     "message": "...", "writer": {"engine", "host", "pid"}, "heads": {"prod": 42, "dev": 41},
 *     "changed": ["silver.prices"], "dropped": [], "info": {...},
 *     "pins": [ {"schema", "name", "kind": "delta", "location", "version"} | {..., "kind": "view", "sql"} | {..., "kind": "external", "sql"} ] }
 *
 * A writer reads the newest commit N, merges its change with the environment's newest pins and puts N+1. If N+1 is there already it starts
 * again from the new newest, with a little random wait, as often as it takes: every round some writer has succeeded. A put whose answer was
 * lost is settled by reading N+1 back and comparing txnId. The first try may go on from a head that this handle has seen some seconds ago
 * (lake_seen.c). `_tarn/log/_last` is a hint for listings, never trusted.
 */
#include "lake/log/lake_log.h"
#include "os/clock.h"
#include "os/parallel.h"
#include "os/proc.h"
#include "os/random.h"
#include "text/json.h"

#define HINT_KEY TN_LAKE_LOG_DIR "_last"
#define NOTE "lake" /* tn_store_note_get: the newest commit that was seen */

enum { HINT_ONE_IN = 16, PAGE = 999 };

typedef struct commit_doc {
    int64_t number; /* -1: the log is empty */
    tn_val doc;
} commit_doc;

tn_str tn_lake_commit_key(tn_arena *a, int64_t number)
{
    return tn_lake_numbered_key(a, TN_STR(TN_LAKE_LOG_DIR), number);
}

static bool number_of(tn_str key, int64_t *ret)
{
    return tn_lake_number_of(TN_STR(TN_LAKE_LOG_DIR), key, ret);
}

/* ---- reading ---- */

static tn_rc parse_doc(
    tn_lake *l, tn_arena *a, int64_t number, tn_str text, tn_val *ret, tn_err *err)
{
    tn_val doc;
    tn_rc rc = tn_json_parse(a, text, &doc, err);
    if (rc != TN_OK || doc.tag != TN_DICT) {
        return tn_fail(err, TN_E_CORRUPT,
            "lake commit %lld of '" TN_STR_FMT "' is not a JSON object", (long long)number,
            TN_STR_ARG(l->root));
    }
    int64_t format = tn_val_int_at(doc, "format", 0);
    if (format != TN_LAKE_LOG_FORMAT) {
        rc = tn_fail(err, TN_E_UNSUPPORTED, "lake commit %lld of '" TN_STR_FMT "' has format %lld",
            (long long)number, TN_STR_ARG(l->root), (long long)format);
        return tn_hint(err, rc, "a newer tarn wrote it: use that version here too");
    }
    *ret = doc;
    return TN_OK;
}

tn_rc tn_lake_doc_read(tn_lake *l, tn_arena *a, int64_t number, tn_val *ret, tn_err *err)
{
    tn_str text;
    if (tn_lake_doc_kept(l, a, number, &text)) {
        return parse_doc(l, a, number, text, ret, err);
    }
    TN_TRY(tn_store_get(
        l->store, a, tn_lake_commit_key(a, number), TN_LAKE_COMMIT_BYTES_MAX, &text, err));
    TN_TRY(parse_doc(l, a, number, text, ret, err));
    tn_lake_doc_keep(l, number, text);
    return TN_OK;
}

tn_rc tn_lake_numbers_after(
    tn_lake *l, tn_arena *a, int64_t after, tn_lake_numbers *ret, tn_err *err)
{
    tn_store_list_opts lo = { .prefix = TN_STR(TN_LAKE_LOG_DIR), .flat = true };
    if (after >= 0) {
        lo.start_after = tn_lake_commit_key(a, after);
    }
    tn_store_items items = { 0 };
    tn_rc rc = tn_store_list(l->store, a, &lo, &items, err);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return rc;
    }
    tn_lake_numbers out = { 0 };
    for (size_t i = 0; i < items.n; i++) {
        int64_t n;
        if (number_of(items.v[i].key, &n) && n > after) {
            tn_vec_push(&out, a, n); /* keys are sorted, so numbers are */
        }
    }
    *ret = out;
    return TN_OK;
}

/* The newest commit >= from as a listing shows it; *ret_number -1: none. */
static tn_rc newest_listed(tn_lake *l, tn_arena *a, tn_store_list_opts lo, tn_store_item *ret_item,
    int64_t *ret_number, bool *ret_whole, tn_err *err)
{
    tn_store_items items = { 0 };
    tn_rc rc = tn_store_list(l->store, a, &lo, &items, err);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return rc;
    }
    int64_t number = -1;
    for (size_t i = 0; i < items.n; i++) { /* keys are sorted, so numbers are */
        int64_t n;
        if (number_of(items.v[i].key, &n)) {
            number = n;
            *ret_item = items.v[i];
        }
    }
    *ret_number = number;
    *ret_whole = lo.items_max == 0 || items.n < lo.items_max;
    return TN_OK;
}

static tn_rc newest_from(tn_lake *l, tn_arena *a, int64_t from, tn_store_item *ret_item,
    int64_t *ret_number, tn_err *err)
{
    bool whole;
    tn_store_list_opts lo = { .prefix = TN_STR(TN_LAKE_LOG_DIR), .flat = true };
    if (from > 0) { /* "<from>" sorts before "<from>.json" */
        lo.start_after = tn_str_printf(a, TN_LAKE_LOG_DIR "%020lld", (long long)from);
    }
    return newest_listed(l, a, lo, ret_item, ret_number, &whole, err);
}

static int64_t read_hint(tn_lake *l, tn_arena *a)
{
    tn_str text;
    int64_t hint = -1;
    return tn_store_get(l->store, a, TN_STR(HINT_KEY), 64, &text, NULL) == TN_OK &&
                   tn_str_to_i64(tn_str_trim(text), &hint)
               ? hint
               : -1;
}

/* Where nothing is known of a far lake: the hint and the first page of the listing in one round. */
typedef struct first_look {
    tn_lake *l;
    tn_arena *a; /* the listing's while both run */
    tn_arena *hint_arena;
    int64_t hint, number;
    tn_store_item item;
    bool whole; /* the page is all there is */
} first_look;

static tn_rc look_at(void *self, size_t i, tn_err *err)
{
    first_look *f = self;
    if (i > 0) {
        f->hint = read_hint(f->l, f->hint_arena);
        return TN_OK;
    }
    tn_store_list_opts lo = { .prefix = TN_STR(TN_LAKE_LOG_DIR), .flat = true, .items_max = PAGE };
    return newest_listed(f->l, f->a, lo, &f->item, &f->number, &f->whole, err);
}

/* Begins at what this machine saw last, then at the hint of the lake; a stale or wrong one only costs another listing. */
static tn_rc newest_item(
    tn_lake *l, tn_arena *a, tn_store_item *ret_item, int64_t *ret_number, tn_err *err)
{
    int64_t note = tn_store_note_get(l->store, NOTE), number = -1;
    if (note >= 0) {
        TN_TRY(newest_from(l, a, note, ret_item, &number, err));
    }
    first_look f = { .l = l, .a = a, .hint_arena = a, .hint = -1, .number = -1 };
    if (number < 0 && l->far) {
        TN_AUTO_ARENA scratch = tn_arena_new("lake hint", NULL);
        f.hint_arena = scratch;
        TN_TRY(tn_parallel(2, 2, look_at, &f, err));
        number = f.whole ? f.number : -1;
        *ret_item = f.item;
    }
    int64_t hint = number >= 0 || f.whole ? -1 : l->far ? f.hint : read_hint(l, a);
    if (hint > 0) {
        TN_TRY(newest_from(l, a, hint, ret_item, &number, err));
    }
    if (number < 0 && note != 0 && !f.whole) {
        TN_TRY(newest_from(l, a, 0, ret_item, &number, err));
    }
    if (number >= 0 && number != note) {
        tn_store_note_put(l->store, NOTE, number);
    }
    *ret_number = number;
    return TN_OK;
}

tn_rc tn_lake_newest_number(tn_lake *l, tn_arena *a, int64_t *ret, tn_err *err)
{
    tn_store_item ignored;
    return newest_item(l, a, &ignored, ret, err);
}

static tn_rc newest_commit(tn_lake *l, tn_arena *a, commit_doc *ret, tn_err *err)
{
    commit_doc c = { .number = -1, .doc = TN_VAL_UNDEF };
    tn_store_item item;
    tn_str text = TN_STR_NONE;
    int64_t since_us = tn_clock_mono_us();
    TN_TRY(newest_item(l, a, &item, &c.number, err));
    if (c.number >= 0) {
        TN_TRY(tn_store_get_kept(l->store, a, &item, TN_LAKE_COMMIT_BYTES_MAX, &text, err));
        TN_TRY(parse_doc(l, a, c.number, text, &c.doc, err));
    }
    tn_lake_seen_newest(l, c.number, text, since_us);
    *ret = c;
    return TN_OK;
}

/* The same without asking, when this handle has looked lately. */
static tn_rc recent_commit(tn_lake *l, tn_arena *a, commit_doc *ret, tn_err *err)
{
    commit_doc c = { .doc = TN_VAL_UNDEF };
    if (!tn_lake_newest_recent(l, &c.number)) {
        return newest_commit(l, a, ret, err);
    }
    if (c.number >= 0 && tn_lake_doc_read(l, a, c.number, &c.doc, NULL) != TN_OK) {
        return newest_commit(l, a, ret, err);
    }
    *ret = c;
    return TN_OK;
}

static tn_rc head_of(
    tn_lake *l, tn_arena *a, const commit_doc *newest, tn_str env, tn_lake_head *ret, tn_err *err)
{
    tn_lake_head head = { .commit = -1, .parent = -1 };
    if (newest->number >= 0) {
        const tn_val heads = tn_val_at(newest->doc, "heads");
        const tn_val *at = heads.tag == TN_DICT ? tn_dict_finds(heads.dict, env) : NULL;
        head.commit = at != NULL && at->tag == TN_INT ? at->i : -1;
    }
    if (head.commit >= 0) {
        tn_val doc = newest->doc;
        if (head.commit != newest->number) {
            TN_TRY(tn_lake_doc_read(l, a, head.commit, &doc, err));
        }
        TN_TRY(tn_lake_doc_pins(a, doc, &head.pins, err));
        head.parent = tn_val_int_at(doc, "parent", -1);
        tn_val base = tn_val_at(doc, "base");
        head.base.env = tn_val_str_at(base, "env", TN_STR_NONE);
        head.base.commit = tn_val_int_at(base, "commit", -1);
        head.views = tn_str_is(tn_val_str_at(doc, "catalog", TN_STR_NONE), "latest")
                         ? TN_VIEWS_LATEST
                         : TN_VIEWS_PINNED;
    }
    *ret = head;
    return TN_OK;
}

tn_rc tn_lake_head_read(tn_lake *l, tn_arena *a, tn_str env, tn_lake_head *ret, tn_err *err)
{
    commit_doc newest;
    TN_TRY(newest_commit(l, a, &newest, err));
    return head_of(l, a, &newest, env, ret, err);
}

tn_rc tn_lake_head_recent(tn_lake *l, tn_arena *a, tn_str env, tn_lake_head *ret, tn_err *err)
{
    commit_doc newest;
    TN_TRY(recent_commit(l, a, &newest, err));
    return head_of(l, a, &newest, env, ret, err);
}

/* ---- pins ---- */

const tn_pin *tn_pins_find(const tn_pins *pins, tn_str schema, tn_str name)
{
    for (size_t i = 0; i < pins->n; i++) {
        if (tn_str_eq_nocase(pins->v[i].name, name) &&
            tn_str_eq_nocase(pins->v[i].schema, schema)) {
            return &pins->v[i];
        }
    }
    return NULL;
}

/* No comments at all may be an empty dict or none. */
static bool same_columns(tn_val a, tn_val b)
{
    size_t n = a.tag == TN_DICT ? a.dict->live : 0;
    size_t m = b.tag == TN_DICT ? b.dict->live : 0;
    return n == m && (n == 0 || tn_val_eq(a, b));
}

bool tn_pins_same(const tn_pin *a, const tn_pin *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    bool same_commit =
        a->commit_hash.n == 0 || b->commit_hash.n == 0 || tn_str_eq(a->commit_hash, b->commit_hash);
    bool same_version = a->kind != TN_PIN_DELTA || (a->version == b->version && same_commit);
    return a->kind == b->kind && same_version && tn_str_eq(a->location, b->location) &&
           tn_str_eq(a->sql, b->sql) && tn_str_eq(a->comment, b->comment) &&
           same_columns(a->columns, b->columns);
}

tn_str tn_pin_full_name(tn_arena *a, const tn_pin *p)
{
    return tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(p->schema), TN_STR_ARG(p->name));
}

static void drop_pin(tn_pins *pins, tn_str full)
{
    tn_str schema, name;
    if (!tn_str_cut(full, '.', &schema, &name)) {
        return;
    }
    const tn_pin *p = tn_pins_find(pins, schema, name);
    if (p != NULL) {
        size_t at = (size_t)(p - pins->v);
        memmove(pins->v + at, pins->v + at + 1, (pins->n - at - 1) * sizeof *pins->v);
        pins->n--;
    }
}

static tn_rc conflict(tn_err *err, tn_str env, const tn_pin *ours, int64_t winner)
{
    tn_rc rc = tn_fail(err, TN_E_CONFLICT,
        "'" TN_STR_FMT "." TN_STR_FMT "' was published in environment '" TN_STR_FMT
        "' by lake commit %lld while this one ran",
        TN_STR_ARG(ours->schema), TN_STR_ARG(ours->name), TN_STR_ARG(env), (long long)winner);
    return tn_hint(err, rc, "nothing was published; run again on top of the newer state");
}

/* The environment's newest pins with our change on top; *ret_changed false when a reader would see no difference. */
static tn_rc merge_pins(tn_arena *a, tn_str env, const tn_lake_head *now, const tn_lake_head *base,
    const tn_lake_change *change, tn_pins *ret, bool *ret_changed, tn_err *err)
{
    tn_pins out = { 0 };
    bool changed = false;
    for (size_t i = 0; i < now->pins.n; i++) {
        tn_vec_push(&out, a, now->pins.v[i]);
    }
    for (size_t i = 0; i < change->drop.n; i++) {
        size_t before = out.n;
        drop_pin(&out, change->drop.v[i]);
        changed = changed || out.n != before;
    }
    for (size_t i = 0; i < change->put.n; i++) {
        const tn_pin *ours = &change->put.v[i];
        tn_pin *theirs = (tn_pin *)(uintptr_t)tn_pins_find(&out, ours->schema, ours->name);
        const tn_pin *before = tn_pins_find(&base->pins, ours->schema, ours->name);
        bool moved = now->commit != base->commit && !tn_pins_same(theirs, before) &&
                     !tn_pins_same(theirs, ours);
        if (moved) {
            bool appends = change->newest_wins && theirs != NULL && theirs->kind == TN_PIN_DELTA &&
                           ours->kind == TN_PIN_DELTA &&
                           tn_str_eq(theirs->location, ours->location);
            if (!appends) {
                return conflict(err, env, ours, now->commit);
            }
            if (theirs->version >= ours->version) {
                continue;
            }
        }
        changed = changed || theirs == NULL || !tn_pins_same(theirs, ours);
        if (theirs != NULL) {
            *theirs = *ours;
        } else {
            tn_vec_push(&out, a, *ours);
        }
    }
    if (out.n > TN_LAKE_PINS_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "an environment cannot pin more than %d relations", TN_LAKE_PINS_MAX);
    }
    *ret = out;
    *ret_changed = changed;
    return TN_OK;
}

/* ---- writing ---- */

/* TN_OK: ours is there. TN_E_EXISTS: another writer has the number. */
static tn_rc put_commit(tn_lake *l, tn_arena *a, const tn_lake_draft *d, tn_str text, tn_err *err)
{
    tn_err put_err = TN_ERR_INIT;
    tn_rc rc =
        tn_store_put(l->store, tn_lake_commit_key(a, d->number), text, TN_PUT_IF_ABSENT, &put_err);
    if (rc == TN_OK || rc == TN_E_EXISTS) {
        return rc;
    }
    tn_val there; /* the answer may have been lost on the way: what does the store hold? */
    tn_rc seen = tn_lake_doc_read(l, a, d->number, &there, NULL);
    if (seen == TN_OK) {
        return tn_str_eq(tn_val_str_at(there, "txnId", TN_STR_NONE), d->txn_id) ? TN_OK
                                                                                : TN_E_EXISTS;
    }
    if (seen != TN_E_NOTFOUND) {
        rc = tn_fail(err, TN_E_AMBIGUOUS,
            "the answer to lake commit %lld was lost and cannot be looked up: %s",
            (long long)d->number, put_err.msg);
        return tn_hint(err, rc, "'tarn lake log' shows whether it is there");
    }
    if (err != NULL) {
        *err = put_err;
    }
    return rc;
}

/* Some changes count only on exactly the head that they were made for. */
static tn_rc check_expected(tn_str env, const tn_lake_head *base, const tn_lake_change *change,
    const tn_lake_head *now, tn_err *err)
{
    if (!change->exactly || now->commit == base->commit) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_CONFLICT,
        "environment '" TN_STR_FMT "' moved on to lake commit %lld meanwhile", TN_STR_ARG(env),
        (long long)now->commit);
    return tn_hint(err, rc, "nothing was published; look at it and try again");
}

typedef struct wanted { /* what a commit is to say */
    tn_str env;
    const tn_lake_head *base;
    const tn_lake_change *change;
    bool lost; /* a race, so the log is looked at again */
} wanted;

/* On a bucket the newest number is an optimization for the next listing: every 16th commit tells it. */
static void put_hint(tn_lake *l, tn_arena *a, int64_t number)
{
    if (!l->far || number % HINT_ONE_IN == 0) {
        (void)!tn_store_put(l->store, TN_STR(HINT_KEY),
            tn_str_printf(a, "%lld\n", (long long)number), TN_PUT_OVERWRITE,
            NULL); /* losing it costs a listing */
    }
}

static tn_rc try_commit(tn_lake *l, tn_arena *a, const wanted *w, int64_t *ret_commit, tn_err *err)
{
    commit_doc newest;
    const tn_str env = w->env;
    const tn_lake_head *base = w->base;
    const tn_lake_change *change = w->change;
    TN_TRY(w->lost ? newest_commit(l, a, &newest, err) : recent_commit(l, a, &newest, err));
    tn_lake_head now;
    TN_TRY(head_of(l, a, &newest, env, &now, err));
    TN_TRY(check_expected(env, base, change, &now, err));
    tn_lake_draft d = {
        .number = newest.number + 1,
        .env = env,
        .parent = now.commit,
        .txn_id = tn_uuid4(a),
        .change = change,
        .heads = tn_val_at(newest.doc, "heads"),
        .base = change->base.env.n > 0 ? change->base : now.base,
        .views = change->set_views ? change->views : now.views,
    };
    bool changed = false;
    TN_TRY(merge_pins(a, env, &now, base, change, &d.pins, &changed, err));
    changed =
        changed || change->drop_env || d.base.commit != now.base.commit || d.views != now.views;
    if (!changed && now.commit >= 0) {
        *ret_commit = now.commit;
        return TN_OK;
    }
    tn_str text;
    TN_TRY(tn_lake_draft_print(a, &d, &text, err));
    int64_t since_us = tn_clock_mono_us();
    TN_TRY(put_commit(l, a, &d, text, err));
    tn_lake_seen_newest(l, d.number, text, since_us);
    tn_store_note_put(l->store, NOTE, d.number);
    put_hint(l, a, d.number);
    *ret_commit = d.number;
    return TN_OK;
}

/* With what is known of the versions that the changed pins show: readers of the log see when a schema changed. */
static void fill_pins(tn_lake *l, tn_arena *a, const tn_lake_change *from, tn_lake_change *to)
{
    *to = *from;
    to->put = (tn_pins){ 0 };
    for (size_t i = 0; i < from->put.n; i++) {
        tn_vec_push(&to->put, a, from->put.v[i]);
    }
    tn_lake_describe_pins(l, a, &to->put);
}

tn_rc tn_lake_commit_write(tn_lake *l, tn_str env, const tn_lake_head *base,
    const tn_lake_change *given, int64_t *ret_commit, tn_err *err)
{
    TN_AUTO_ARENA own = tn_arena_new("lake commit", NULL);
    tn_lake_change filled;
    if (env.n == 0 || env.n > 100 || tn_str_find_char(env, '/', 0) != SIZE_MAX || env.p[0] == '.') {
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' cannot be the name of an environment",
            TN_STR_ARG(env));
    }
    fill_pins(l, own, given, &filled);
    wanted w = { .env = env, .base = base, .change = &filled };
    for (int64_t wait_us = 1000;; wait_us = wait_us < 200000 ? wait_us * 2 : wait_us) {
        TN_AUTO_ARENA a = tn_arena_new("lake commit", NULL);
        tn_rc rc = try_commit(l, a, &w, ret_commit, err);
        if (rc != TN_E_EXISTS) {
            return rc == TN_OK ? rc
                               : tn_while(err, rc, "publishing environment '" TN_STR_FMT "'",
                                     TN_STR_ARG(env));
        }
        if (tn_interrupted()) {
            return tn_fail(err, TN_E_CANCELLED, "interrupted; nothing was published");
        }
        w.lost = true;
        tn_clock_sleep_us((int64_t)((double)wait_us * (0.5 + tn_random_unit())));
    }
}

/* ---- looking back ---- */

static tn_val log_entry(tn_arena *a, tn_val doc)
{
    tn_val e = tn_val_dict(a);
    static const char *const keys[] = { "version", "env", "parent", "timestamp", "message", "base",
        "writer", "changed", "dropped", "info" };
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_val_at(doc, keys[i]);
        if (!tn_val_is_undef(v)) {
            tn_dict_putz(e.dict, i == 0 ? "commit" : keys[i], v);
        }
    }
    tn_val pins = tn_val_at(doc, "pins");
    tn_dict_putz(e.dict, "pins", tn_val_int(pins.tag == TN_LIST ? (int64_t)pins.list->n : 0));
    return e;
}

tn_rc tn_lake_log_entry(tn_lake *l, tn_arena *a, int64_t commit, tn_val *ret_dict, tn_err *err)
{
    tn_val doc;
    TN_TRY(tn_lake_doc_read(l, a, commit, &doc, err));
    *ret_dict = log_entry(a, doc);
    return TN_OK;
}

/* The number before n that is there; cleaning leaves gaps. -1: none. */
static tn_rc number_before(
    tn_lake *l, tn_arena *a, int64_t n, tn_lake_numbers *all, int64_t *ret, tn_err *err)
{
    if (all->n == 0) {
        TN_TRY(tn_lake_numbers_after(l, a, -1, all, err));
    }
    int64_t before = -1;
    for (size_t i = 0; i < all->n && all->v[i] < n; i++) {
        before = all->v[i];
    }
    *ret = before;
    return TN_OK;
}

static void read_back_from(tn_lake *l, int64_t n, size_t most)
{
    int64_t numbers[TN_LAKE_DOCS_AHEAD];
    size_t count = 0;
    for (; count < tn_min_size(most, TN_LAKE_DOCS_AHEAD) && n >= 0; count++) {
        numbers[count] = n--;
    }
    tn_lake_docs_ahead(l, numbers, count);
}

tn_rc tn_lake_log(tn_lake *l, tn_arena *a, tn_str env, size_t limit, tn_val *ret_list, tn_err *err)
{
    tn_val out = tn_val_list(a);
    tn_lake_numbers all = { 0 };
    int64_t n;
    TN_TRY(tn_lake_newest_number(l, a, &n, err));
    for (size_t seen = 0; n >= 0 && (limit == 0 || out.list->n < limit); seen++) {
        tn_val doc;
        if (seen % TN_LAKE_DOCS_AHEAD == 0) {
            read_back_from(l, n, limit == 0 ? SIZE_MAX : limit - out.list->n);
        }
        tn_rc rc = tn_lake_doc_read(l, a, n, &doc, err);
        if (rc == TN_E_NOTFOUND) {
            TN_TRY(number_before(l, a, n, &all, &n, err));
            continue;
        }
        TN_TRY(rc);
        if (env.n == 0 || tn_str_eq(tn_val_str_at(doc, "env", TN_STR_NONE), env)) {
            tn_list_push(out.list, log_entry(a, doc));
        }
        n--;
    }
    *ret_list = out;
    return TN_OK;
}

tn_rc tn_lake_envs(tn_lake *l, tn_arena *a, tn_val *ret_dict, tn_err *err)
{
    commit_doc newest;
    TN_TRY(newest_commit(l, a, &newest, err));
    tn_val heads = tn_val_at(newest.doc, "heads");
    *ret_dict = heads.tag == TN_DICT ? heads : tn_val_dict(a);
    return TN_OK;
}

tn_rc tn_lake_envs_recent(tn_lake *l, tn_arena *a, tn_val *ret_dict, tn_err *err)
{
    commit_doc newest;
    TN_TRY(recent_commit(l, a, &newest, err));
    tn_val heads = tn_val_at(newest.doc, "heads");
    *ret_dict = heads.tag == TN_DICT ? heads : tn_val_dict(a);
    return TN_OK;
}

tn_rc tn_lake_commit_pins(tn_lake *l, tn_arena *a, int64_t commit, tn_pins *ret, tn_err *err)
{
    tn_val doc;
    tn_rc rc = tn_lake_doc_read(l, a, commit, &doc, err);
    if (rc == TN_E_NOTFOUND) {
        return tn_fail(err, rc, "there is no lake commit %lld in '" TN_STR_FMT "'",
            (long long)commit, TN_STR_ARG(l->root));
    }
    TN_TRY(rc);
    return tn_lake_doc_pins(a, doc, ret, err);
}

tn_rc tn_lake_views_set(tn_lake *l, tn_str env, tn_lake_views views, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("lake views", NULL);
    tn_lake_head head;
    int64_t commit;
    TN_TRY(tn_lake_head_read(l, a, env, &head, err));
    tn_lake_change change = { .info = TN_VAL_UNDEF,
        .set_views = true,
        .views = views,
        .message =
            views == TN_VIEWS_LATEST ? TN_STR("catalog: latest") : TN_STR("catalog: pinned") };
    return tn_lake_commit_write(l, env, &head, &change, &commit, err);
}

void tn_lake_difference(tn_arena *a, const tn_pins *from, const tn_pins *to, tn_lake_change *ret)
{
    for (size_t i = 0; i < to->n; i++) {
        const tn_pin *old = tn_pins_find(from, to->v[i].schema, to->v[i].name);
        if (!tn_pins_same(old, &to->v[i])) {
            tn_vec_push(&ret->put, a, to->v[i]);
        }
    }
    for (size_t i = 0; i < from->n; i++) {
        if (tn_pins_find(to, from->v[i].schema, from->v[i].name) == NULL) {
            tn_vec_push(&ret->drop, a, tn_pin_full_name(a, &from->v[i]));
        }
    }
}

tn_rc tn_lake_rollback(tn_lake *l, tn_str env, int64_t commit, int64_t *ret_commit, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("rollback", NULL);
    tn_lake_head now;
    TN_TRY(tn_lake_head_read(l, a, env, &now, err));
    if (now.commit < 0) {
        return tn_fail(
            err, TN_E_NOTFOUND, "environment '" TN_STR_FMT "' has no lake commit", TN_STR_ARG(env));
    }
    if (commit < 0) {
        tn_val doc;
        TN_TRY(tn_lake_doc_read(l, a, now.commit, &doc, err));
        commit = tn_val_int_at(doc, "parent", -1);
        if (commit < 0) {
            return tn_fail(err, TN_E_NOTFOUND,
                "lake commit %lld is the first of environment '" TN_STR_FMT "'",
                (long long)now.commit, TN_STR_ARG(env));
        }
    }
    tn_val old;
    TN_TRY(tn_lake_doc_read(l, a, commit, &old, err));
    if (!tn_str_eq(tn_val_str_at(old, "env", TN_STR_NONE), env)) {
        return tn_fail(err, TN_E_VALUE,
            "lake commit %lld belongs to environment '" TN_STR_FMT "', not '" TN_STR_FMT "'",
            (long long)commit, TN_STR_ARG(tn_val_str_at(old, "env", TN_STR_NONE)), TN_STR_ARG(env));
    }
    tn_pins pins;
    TN_TRY(tn_lake_doc_pins(a, old, &pins, err));
    tn_lake_change change = { .info = TN_VAL_UNDEF,
        .message = tn_str_printf(a, "rollback to lake commit %lld", (long long)commit) };
    tn_lake_difference(a, &now.pins, &pins, &change);
    return tn_lake_commit_write(l, env, &now, &change, ret_commit, err);
}
