/* lake_lease.c: tickets as objects _tarn/leases/%020d.json.
 *
 *   { "format": 1, "ticket": 7, "what": "build", "run": "uuid", "host": "a", "pid": 12, "ttl_ms": 60000, "renewals": 3, "released": false,
 *     "resources": ["relation:prod/silver.prices", ...] }
 *
 * Taking: list, put the next number if absent. Renewing: the holder puts its own object again. Releasing: it is removed, or, when it has the highest number,
 * marked as released, so that the count goes on; a released one goes when a higher number is taken. The resources of a ticket never change: each is
 * read once.
 */
#include "lake/lake_lease.h"
#include "lake/log/lake_file.h"

#include "base/log.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/random.h"
#include "os/thread.h"
#include "text/json.h"

#define LEASES_DIR "_tarn/leases/"

enum { LEASE_FORMAT = 1, LEASE_BYTES_MAX = 64 << 20, POLL_MS_MIN = 20, POLL_MS_MAX = 500 };

struct tn_lake_ticket {
    tn_arena *arena;
    tn_lake *lake;
    int64_t number, ttl_ms;
    tn_lake_ticket_opts opts;
    tn_thread *renewer;
    tn_mutex mutex; /* guards what follows */
    tn_cond wake;
    bool stop, lost;
    int64_t renewals;
    tn_map others; /* key -> other, of tickets read before */
};

typedef struct other { /* somebody else's, as it was read last */
    tn_arena *arena;
    tn_lake_holder holder;
    int64_t mtime_us, size; /* of the object then: another one is read again */
    int64_t ttl_ms;
    bool released;
    tn_map resources;
} other;

static tn_str lease_key(tn_arena *a, int64_t number)
{
    return tn_lake_numbered_key(a, TN_STR(LEASES_DIR), number);
}

static bool number_of(tn_str key, int64_t *ret)
{
    return tn_lake_number_of(TN_STR(LEASES_DIR), key, ret);
}

/* ---- bytes ---- */

static tn_rc print_ticket(
    tn_arena *a, const tn_lake_ticket *t, bool released, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, LEASE_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "format");
    tn_jw_int(&w, LEASE_FORMAT);
    tn_jw_key(&w, "ticket");
    tn_jw_int(&w, t->number);
    tn_jw_key(&w, "what");
    tn_jw_str(&w, t->opts.what);
    tn_jw_key(&w, "run");
    tn_jw_str(&w, t->opts.run);
    tn_jw_key(&w, "host");
    tn_jw_str(&w, tn_host_name(a));
    tn_jw_key(&w, "pid");
    tn_jw_int(&w, tn_pid());
    tn_jw_key(&w, "ttl_ms");
    tn_jw_int(&w, t->ttl_ms);
    tn_jw_key(&w, "renewals");
    tn_jw_int(&w, t->renewals);
    tn_jw_key(&w, "released");
    tn_jw_bool(&w, released);
    tn_jw_key(&w, "resources");
    tn_jw_arr(&w);
    for (size_t i = 0; i < t->opts.resources.n; i++) {
        tn_jw_str(&w, t->opts.resources.v[i]);
    }
    tn_jw_arr_end(&w);
    tn_jw_obj_end(&w);
    tn_buf_addc(&b, '\n');
    return tn_buf_finish(&b, "a ticket", ret, err);
}

static tn_rc parse_other(tn_arena *a, tn_str text, int64_t number, other **ret, tn_err *err)
{
    tn_val v;
    tn_rc rc = tn_json_parse(a, text, &v, err);
    if (rc != TN_OK || v.tag != TN_DICT || tn_val_int_at(v, "format", 0) != LEASE_FORMAT) {
        return tn_fail(err, TN_E_CORRUPT, "ticket %lld cannot be read", (long long)number);
    }
    other *o = tn_new(a, other);
    o->holder = (tn_lake_holder){ .ticket = number,
        .what = tn_val_str_at(v, "what", TN_STR_NONE),
        .run = tn_val_str_at(v, "run", TN_STR_NONE),
        .host = tn_val_str_at(v, "host", TN_STR_NONE),
        .pid = tn_val_int_at(v, "pid", 0) };
    o->ttl_ms = tn_val_int_at(v, "ttl_ms", TN_LEASE_TTL_MS);
    tn_val released = tn_val_at(v, "released");
    o->released = tn_val_truthy(released);
    o->resources = tn_map_init(a);
    tn_val list = tn_val_at(v, "resources");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_map_put(&o->resources, tn_val_as_str(list.list->v[i]), o);
    }
    *ret = o;
    return TN_OK;
}

/* ---- looking around ---- */

static tn_rc list_tickets(tn_lake *l, tn_arena *a, tn_store_items *ret, tn_err *err)
{
    tn_store_list_opts lo = { .prefix = TN_STR(LEASES_DIR), .flat = true };
    tn_store_items items = { 0 };
    tn_rc rc = tn_store_list(l->store, a, &lo, &items, err);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return rc;
    }
    *ret = items;
    return TN_OK;
}

/* The store's clock, as far as tickets show it. */
static int64_t newest_us(const tn_store_items *items)
{
    int64_t us = INT64_MIN;
    for (size_t i = 0; i < items->n; i++) {
        us = items->v[i].mtime_us > us ? items->v[i].mtime_us : us;
    }
    return us;
}

/* Under the mutex. NULL in *ret: it is gone. */
static tn_rc find_other(
    tn_lake_ticket *t, const tn_store_item *item, int64_t number, other **ret, tn_err *err)
{
    other *known = tn_map_find(&t->others, item->key);
    if (known != NULL && known->mtime_us == item->mtime_us && known->size == item->size) {
        *ret = known;
        return TN_OK;
    }
    tn_str text;
    tn_arena *a = tn_arena_new("other ticket", t->arena);
    tn_rc rc = tn_store_get(t->lake->store, a, item->key, LEASE_BYTES_MAX, &text, err);
    if (rc == TN_OK) {
        rc = parse_other(a, text, number, ret, err);
    }
    if (rc != TN_OK) {
        tn_arena_free(a);
        return rc == TN_E_NOTFOUND ? TN_OK : rc;
    }
    (*ret)->arena = a;
    (*ret)->mtime_us = item->mtime_us;
    (*ret)->size = item->size;
    tn_map_put(&t->others, known != NULL ? item->key : tn_str_dup(t->arena, item->key), *ret);
    if (known != NULL) {
        tn_arena_free(known->arena);
    }
    return TN_OK;
}

static void bury(tn_lake_ticket *t, tn_str key, const other *o)
{
    tn_err why = TN_ERR_INIT;
    tn_log(TN_LOG_WARN, "lake",
        "ticket %lld of " TN_STR_FMT ":%lld was given up: its holder is gone",
        (long long)o->holder.ticket, TN_STR_ARG(o->holder.host), (long long)o->holder.pid);
    if (tn_store_remove(t->lake->store, key, &why) != TN_OK) {
        tn_log(TN_LOG_WARN, "lake", "it could not be removed: %s", why.msg);
    }
}

static bool has_one_of(const other *o, const tn_strs *resources)
{
    for (size_t i = 0; i < resources->n; i++) {
        if (tn_map_find(&o->resources, resources->v[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Under the mutex. The oldest living ticket before ours that has one of the resources; NULL: it is our turn. */
static tn_rc find_blocker(
    tn_lake_ticket *t, tn_arena *a, const tn_strs *resources, const other **ret, tn_err *err)
{
    tn_store_items items;
    *ret = NULL;
    TN_TRY(list_tickets(t->lake, a, &items, err));
    int64_t now_us = newest_us(&items);
    for (size_t i = 0; i < items.n; i++) {
        int64_t number;
        other *o = NULL;
        if (!number_of(items.v[i].key, &number) || number >= t->number) {
            continue;
        }
        TN_TRY(find_other(t, &items.v[i], number, &o, err));
        if (o == NULL || o->released || !has_one_of(o, resources)) {
            continue;
        }
        if (now_us - items.v[i].mtime_us > o->ttl_ms * 1000) {
            bury(t, items.v[i].key, o);
            continue;
        }
        *ret = o;
        return TN_OK;
    }
    return TN_OK;
}

tn_rc tn_lake_ticket_blocked(tn_lake_ticket *t, tn_arena *a, tn_str resource, bool *ret,
    tn_lake_holder *ret_holder, tn_err *err)
{
    const other *o = NULL;
    tn_strs one = { .v = &resource, .n = 1 };
    TN_LOCKED(&t->mutex);
    TN_TRY(find_blocker(t, a, &one, &o, err));
    *ret = o != NULL;
    if (o != NULL) {
        *ret_holder = o->holder;
    }
    return TN_OK;
}

tn_rc tn_lake_ticket_has_rivals(tn_lake_ticket *t, bool *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("ticket", NULL);
    const other *o = NULL;
    TN_LOCKED(&t->mutex);
    TN_TRY(find_blocker(t, a, &t->opts.resources, &o, err));
    *ret = o != NULL;
    return TN_OK;
}

tn_rc tn_lake_ticket_wait(tn_lake_ticket *t, tn_str resource, int64_t timeout_ms, tn_err *err)
{
    int64_t began = tn_clock_mono_us();
    int64_t poll_ms = POLL_MS_MIN;
    for (;;) {
        TN_AUTO_ARENA a = tn_arena_new("ticket", NULL);
        tn_lake_holder holder;
        bool blocked;
        TN_TRY(tn_lake_ticket_blocked(t, a, resource, &blocked, &holder, err));
        if (!blocked) {
            return TN_OK;
        }
        if (tn_interrupted()) {
            return tn_fail(err, TN_E_CANCELLED, "interrupted");
        }
        if (timeout_ms >= 0 && (tn_clock_mono_us() - began) / 1000 >= timeout_ms) {
            return tn_fail(err, TN_E_CONFLICT,
                "'" TN_STR_FMT "' is being worked on by " TN_STR_FMT " on host '" TN_STR_FMT
                "', process %lld",
                TN_STR_ARG(resource), TN_STR_ARG(holder.what), TN_STR_ARG(holder.host),
                (long long)holder.pid);
        }
        tn_clock_sleep_us((int64_t)((double)poll_ms * 1000 * (0.5 + tn_random_unit())));
        poll_ms = poll_ms * 3 / 2 < POLL_MS_MAX ? poll_ms * 3 / 2 : POLL_MS_MAX;
    }
}

tn_rc tn_lake_ticket_check(tn_lake_ticket *t, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("ticket", NULL);
    tn_store_item item;
    tn_rc rc = tn_store_head(t->lake->store, a, lease_key(a, t->number), &item, err);
    tn_mutex_lock(&t->mutex);
    bool lost = t->lost;
    tn_mutex_unlock(&t->mutex);
    if (rc == TN_OK && !lost) {
        return TN_OK;
    }
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return rc;
    }
    rc = tn_fail(err, TN_E_CONFLICT,
        "this job was away for longer than %lld s and lost its turn (ticket %lld)",
        (long long)t->ttl_ms / 1000, (long long)t->number);
    return tn_hint(err, rc, "nothing was published; run it again");
}

/* ---- renewing ---- */

static void renew(tn_lake_ticket *t)
{
    TN_AUTO_ARENA a = tn_arena_new("ticket", NULL);
    tn_store_item item;
    tn_str text;
    tn_err why = TN_ERR_INIT;
    tn_str key = lease_key(a, t->number);
    t->renewals++;
    tn_rc rc = tn_store_head(t->lake->store, a, key, &item, &why);
    if (rc == TN_E_NOTFOUND) {
        t->lost = true; /* buried: it must not rise again */
        return;
    }
    if (rc == TN_OK) {
        rc = print_ticket(a, t, false, &text, &why);
    }
    if (rc == TN_OK) {
        rc = tn_store_put(t->lake->store, key, text, TN_PUT_OVERWRITE, &why);
    }
    if (rc != TN_OK) {
        tn_log(
            TN_LOG_WARN, "lake", "ticket %lld was not renewed: %s", (long long)t->number, why.msg);
    }
}

static void renewer_main(void *p)
{
    tn_lake_ticket *t = p;
    tn_mutex_lock(&t->mutex);
    while (!t->stop && !t->lost) {
        if (!tn_cond_wait_ms(&t->wake, &t->mutex, t->ttl_ms / 3) && !t->stop) {
            renew(t);
        }
    }
    tn_mutex_unlock(&t->mutex);
}

/* ---- taking and giving back ---- */

static void remove_released(tn_lake_ticket *t, const tn_store_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        int64_t number;
        other *o = NULL;
        tn_err why = TN_ERR_INIT;
        if (!number_of(items->v[i].key, &number) || number >= t->number ||
            find_other(t, &items->v[i], number, &o, &why) != TN_OK || o == NULL || !o->released) {
            continue;
        }
        if (tn_store_remove(t->lake->store, items->v[i].key, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "lake", "an old ticket is left: %s", why.msg);
        }
    }
}

static tn_rc take_number(tn_lake_ticket *t, tn_err *err)
{
    for (;;) {
        TN_AUTO_ARENA a = tn_arena_new("ticket", NULL);
        tn_store_items items;
        tn_str text;
        int64_t highest = -1;
        TN_TRY(list_tickets(t->lake, a, &items, err));
        for (size_t i = 0; i < items.n; i++) {
            int64_t n;
            highest = number_of(items.v[i].key, &n) && n > highest ? n : highest;
        }
        t->number = highest + 1;
        TN_TRY(print_ticket(a, t, false, &text, err));
        tn_rc rc =
            tn_store_put(t->lake->store, lease_key(a, t->number), text, TN_PUT_IF_ABSENT, err);
        if (rc == TN_OK) {
            remove_released(t, &items);
            return TN_OK;
        }
        if (rc != TN_E_EXISTS && rc != TN_E_AMBIGUOUS) {
            return rc;
        } /* lost the number, or perhaps not: then an orphan of ours dies by itself */
        tn_clock_sleep_us((int64_t)(tn_random_unit() * 20000));
    }
}

tn_rc tn_lake_ticket_take(
    tn_lake *l, const tn_lake_ticket_opts *opts, tn_lake_ticket **ret, tn_err *err)
{
    if (opts->resources.n > TN_LEASE_RESOURCES_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "a ticket names at most %d resources", TN_LEASE_RESOURCES_MAX);
    }
    tn_arena *a = tn_arena_new("ticket", NULL);
    tn_lake_ticket *t = tn_new(a, tn_lake_ticket);
    t->arena = a;
    t->lake = l;
    t->ttl_ms = opts->ttl_ms > 0 ? opts->ttl_ms : TN_LEASE_TTL_MS;
    t->opts.what = tn_str_dup(a, opts->what);
    t->opts.run = tn_str_dup(a, opts->run);
    for (size_t i = 0; i < opts->resources.n; i++) {
        tn_vec_push(&t->opts.resources, a, tn_str_dup(a, opts->resources.v[i]));
    }
    t->others = tn_map_init(a);
    t->mutex = (tn_mutex)TN_MUTEX_INIT;
    t->wake = (tn_cond)TN_COND_INIT;
    tn_rc rc = take_number(t, err);
    if (rc == TN_OK) {
        rc = tn_thread_start(renewer_main, t, "ticket", &t->renewer, err);
        if (rc != TN_OK) {
            tn_lake_ticket_release(t);
            return rc;
        }
        *ret = t;
        return TN_OK;
    }
    tn_arena_free(a);
    return tn_while(err, rc, "taking a ticket in '" TN_STR_FMT "'", TN_STR_ARG(l->root));
}

static void give_back(tn_lake_ticket *t)
{
    TN_AUTO_ARENA a = tn_arena_new("ticket", NULL);
    tn_store_items items;
    tn_err why = TN_ERR_INIT;
    int64_t highest = -1;
    bool there = false;
    tn_rc rc = list_tickets(t->lake, a, &items, &why);
    for (size_t i = 0; rc == TN_OK && i < items.n; i++) {
        int64_t n;
        if (number_of(items.v[i].key, &n)) {
            highest = n > highest ? n : highest;
            there = there || n == t->number;
        }
    }
    tn_str text;
    if (rc == TN_OK && there && highest == t->number) {
        rc = print_ticket(a, t, true, &text, &why);
        rc = rc == TN_OK ? tn_store_put(t->lake->store, lease_key(a, t->number), text,
                               TN_PUT_OVERWRITE, &why)
                         : rc;
    } else if (rc == TN_OK && there) {
        rc = tn_store_remove(t->lake->store, lease_key(a, t->number), &why);
    }
    if (rc != TN_OK) {
        tn_log(TN_LOG_WARN, "lake", "ticket %lld was not given back and ends by itself: %s",
            (long long)t->number, why.msg);
    }
}

void tn_lake_ticket_release(tn_lake_ticket *t)
{
    if (t == NULL) {
        return;
    }
    if (t->renewer != NULL) {
        tn_mutex_lock(&t->mutex);
        t->stop = true;
        tn_cond_broadcast(&t->wake);
        tn_mutex_unlock(&t->mutex);
        tn_thread_join(t->renewer);
    }
    if (!t->lost) {
        give_back(t);
    }
    tn_arena_free(t->arena);
}

int64_t tn_lake_ticket_number(const tn_lake_ticket *t)
{
    return t->number;
}
