/* doctor.c: the checks that folders and buckets share, over the store's own interface. What only buckets have is in doctor_s3.c. */
#include "store/doctor.h"

#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"
#include "store/doctor_impl.h"
#include "text/uri.h"

enum { RACERS = 8, LATENCY_ROUNDS = 11, SMALL_BYTES_MAX = 4096, SLOW_US = 200000 };

const char *tn_probe_state_name(tn_probe_state s)
{
    static const char *const names[] = { "ok", "warning", "failed", "skipped" };
    return names[s];
}

void tn_probe_add(tn_probes *to, tn_arena *a, tn_probe p)
{
    tn_vec_push(to, a, p);
}

void tn_probe_fail(tn_probes *to, tn_arena *a, const char *name, int64_t us, const tn_err *why)
{
    tn_probe p = { .name = name, .state = TN_PROBE_FAILED, .us = us };
    p.says = tn_str_dup(a, tn_str_of(why->msg));
    p.remedy = tn_str_dup(a, tn_str_of(why->hint));
    tn_vec_push(to, a, p);
}

static void good(doctor *d, const char *name, int64_t us, tn_str says)
{
    tn_probe_add(d->out, d->a, (tn_probe){ .name = name, .says = says, .us = us });
}

void doctor_skip(doctor *d, const char *name, const char *why)
{
    tn_probe_add(d->out, d->a,
        (tn_probe){ .name = name, .state = TN_PROBE_SKIPPED, .says = tn_str_of(why), .us = -1 });
}

/* The outcome of one call that has nothing to tell but that it worked. */
static bool outcome(
    doctor *d, const char *name, int64_t began_us, tn_rc rc, const tn_err *why, tn_str says)
{
    int64_t us = tn_clock_mono_us() - began_us;
    if (rc != TN_OK) {
        tn_probe_fail(d->out, d->a, name, us, why);
        return false;
    }
    good(d, name, us, says);
    return true;
}

tn_str doctor_key(doctor *d, const char *what)
{
    return tn_str_printf(d->a, "_tarn_doctor-" TN_STR_FMT "-%s", TN_STR_ARG(d->token), what);
}

/* ---- list, put, get ---- */

static bool check_list(doctor *d)
{
    tn_err why = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us();
    tn_store_items items = { 0 };
    tn_store_list_opts opts = { .items_max = 1000 };
    tn_rc rc = tn_store_list(d->store, d->a, &opts, &items, &why);
    rc = rc == TN_E_NOTFOUND ? TN_OK : rc;
    return outcome(d, "list", began, rc, &why,
        items.n == 0 ? TN_STR("nothing is there yet")
                     : tn_str_printf(d->a, "%zu%s names at the top", items.n,
                           items.n == opts.items_max ? " or more" : ""));
}

static bool check_put(doctor *d)
{
    tn_err why = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us();
    tn_rc rc = tn_store_put(
        d->store, doctor_key(d, "small"), TN_STR("0123456789"), TN_PUT_OVERWRITE, &why);
    if (rc == TN_E_AUTH) {
        (void)tn_hint(&why, rc, "the key may read but not write here: it needs s3:PutObject");
    }
    return outcome(d, "put", began, rc, &why, TN_STR("an object was written"));
}

static tn_rc read_back(doctor *d, tn_err *err)
{
    tn_str all = TN_STR_NONE, some = TN_STR_NONE, key = doctor_key(d, "small");
    tn_store_item item;
    TN_TRY(tn_store_get(d->store, d->a, key, SMALL_BYTES_MAX, &all, err));
    TN_TRY(tn_store_get_range(d->store, d->a, key, 3, 4, &some, err));
    TN_TRY(tn_store_head(d->store, d->a, key, &item, err));
    if (!tn_str_is(all, "0123456789") || !tn_str_is(some, "3456") || item.size != 10) {
        return tn_hint(err,
            tn_fail(err, TN_E_CORRUPT, "what was read is not what had been written"),
            "something between here and the store changes the data: a proxy or a cache");
    }
    return TN_OK;
}

static bool check_get(doctor *d)
{
    tn_err why = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us();
    tn_rc rc = read_back(d, &why);
    if (rc == TN_E_AUTH) {
        (void)tn_hint(&why, rc, "the key may write but not read here: it needs s3:GetObject");
    }
    return outcome(d, "get", began, rc, &why, TN_STR("whole, a range of it, and its size"));
}

/* ---- put-if-absent: a race that exactly one may win ---- */

typedef struct racer {
    doctor *d;
    int number;
    tn_rc rc;
    tn_err why;
    tn_thread *thread;
} racer;

static tn_str racer_text(tn_arena *a, int number)
{
    return tn_str_printf(a, "racer %d", number);
}

static void race(void *self)
{
    racer *r = self;
    TN_AUTO_ARENA a = tn_arena_new("race", NULL);
    r->rc = tn_store_put(
        r->d->store, r->d->race_key, racer_text(a, r->number), TN_PUT_IF_ABSENT, &r->why);
}

static tn_rc run_race(doctor *d, racer *racers, int n, tn_err *err)
{
    tn_rc rc = TN_OK;
    int started = 0;
    for (; started < n && rc == TN_OK; started++) {
        racers[started] = (racer){ .d = d, .number = started };
        rc = tn_thread_start(race, &racers[started], "racer", &racers[started].thread, err);
        started -= rc == TN_OK ? 0 : 1;
    }
    for (int i = 0; i < started; i++) {
        tn_thread_join(racers[i].thread);
    }
    return rc;
}

static tn_rc judge_race(doctor *d, const racer *racers, int n, tn_err *err)
{
    int winner = -1;
    for (int i = 0; i < n; i++) {
        const racer *r = &racers[i];
        if (r->rc == TN_OK && winner >= 0) {
            return tn_hint(err,
                tn_fail(err, TN_E_UNSUPPORTED,
                    "two of %d writers of one name were both told that they were first", n),
                "commits of several writers would overwrite each other here: use a store with "
                "conditional puts (S3, MinIO), or let one machine write");
        }
        winner = r->rc == TN_OK ? i : winner;
        if (r->rc != TN_OK && r->rc != TN_E_EXISTS && r->rc != TN_E_AMBIGUOUS) {
            *err = r->why;
            return r->rc;
        }
    }
    tn_str text;
    TN_TRY(tn_store_get(d->store, d->a, d->race_key, SMALL_BYTES_MAX, &text, err));
    if (winner >= 0 && !tn_str_eq(text, racer_text(d->a, winner))) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the object has the bytes of another writer than the one who was told to have won");
    }
    return TN_OK;
}

static void check_race(doctor *d)
{
    int n = RACERS;
    const char *stand_in = d->is_s3 ? doctor_stand_in(d, &n) : NULL;
    tn_err why = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us();
    racer *racers = tn_arena_alloc(d->a, RACERS * sizeof *racers);
    d->race_key = doctor_key(d, "race");
    tn_rc rc = n > 0 ? run_race(d, racers, n, &why) : TN_OK;
    rc = rc == TN_OK && n > 0 ? judge_race(d, racers, n, &why) : rc;
    if (rc == TN_OK && stand_in != NULL) {
        tn_probe_add(d->out, d->a,
            (tn_probe){ .name = "put-if-absent",
                .state = TN_PROBE_WARN,
                .us = tn_clock_mono_us() - began,
                .says = tn_str_of(stand_in),
                .remedy = TN_STR("use a store with conditional puts (S3, MinIO)") });
        return;
    }
    (void)outcome(d, "put-if-absent", began, rc, &why,
        tn_str_printf(d->a, "of %d writers of one name exactly one won: commits are safe", n));
}

/* ---- delete ---- */

static tn_rc remove_all(doctor *d, tn_err *err)
{
    tn_store_items left = { 0 };
    tn_store_list_opts opts = { .prefix = doctor_key(d, "") };
    tn_strs keys = { 0 };
    TN_TRY(tn_store_list(d->store, d->a, &opts, &left, err));
    for (size_t i = 0; i < left.n; i++) {
        tn_vec_push(&keys, d->a, left.v[i].key);
    }
    TN_TRY(tn_store_remove_many(d->store, keys.v, keys.n, err));
    TN_TRY(tn_store_list(d->store, d->a, &opts, &left, err));
    return left.n == 0
               ? TN_OK
               : tn_fail(err, TN_E_IO, "'" TN_STR_FMT "' is still listed after it was deleted",
                     TN_STR_ARG(left.v[0].key));
}

static void check_delete(doctor *d)
{
    tn_err why = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us();
    tn_rc rc = remove_all(d, &why);
    if (rc == TN_E_AUTH) {
        (void)tn_hint(&why, rc,
            "the key needs s3:DeleteObject (vacuum, gc); remove '" TN_STR_FMT "*' by other means",
            TN_STR_ARG(doctor_key(d, "")));
    }
    (void)outcome(d, "delete", began, rc, &why, TN_STR("the test objects are gone"));
}

/* ---- latency ---- */

static int by_time(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void check_latency(doctor *d)
{
    int64_t took[LATENCY_ROUNDS];
    tn_err why = TN_ERR_INIT;
    for (int i = 0; i < LATENCY_ROUNDS; i++) {
        tn_str text;
        int64_t began = tn_clock_mono_us();
        tn_rc rc =
            tn_store_get(d->store, d->a, doctor_key(d, "small"), SMALL_BYTES_MAX, &text, &why);
        took[i] = tn_clock_mono_us() - began;
        if (rc != TN_OK) {
            tn_probe_fail(d->out, d->a, "latency", took[i], &why);
            return;
        }
    }
    qsort(took, LATENCY_ROUNDS, sizeof *took, by_time);
    int64_t middle = took[LATENCY_ROUNDS / 2];
    tn_probe p = { .name = "latency",
        .us = middle,
        .says =
            tn_str_printf(d->a, "a small read takes %.1f ms (of %d the fastest %.1f, slowest %.1f)",
                (double)middle / 1000, LATENCY_ROUNDS, (double)took[0] / 1000,
                (double)took[LATENCY_ROUNDS - 1] / 1000) };
    if (middle > SLOW_US) {
        p.state = TN_PROBE_WARN;
        p.remedy = TN_STR("every commit takes several of these: run nearer to the store");
    }
    tn_probe_add(d->out, d->a, p);
}

/* ---- all of them ---- */

static void check_store(doctor *d)
{
    static const char *const later[] = { "put", "get", "put-if-absent", "parts", "latency",
        "delete" };
    size_t done = 0;
    if (check_list(d) && (done++, check_put(d)) && (done++, check_get(d))) {
        done = TN_COUNTOF(later);
        check_race(d);
        if (d->is_s3) {
            doctor_check_parts(d);
        }
        check_latency(d);
        check_delete(d);
    } else if (done > 0) {
        tn_err ignored = TN_ERR_INIT;
        (void)!remove_all(d, &ignored);
    }
    for (size_t i = done; i < TN_COUNTOF(later); i++) {
        if (d->is_s3 || strcmp(later[i], "parts") != 0) {
            doctor_skip(d, later[i], "not looked at: the checks before failed");
        }
    }
}

tn_rc tn_store_doctor(
    tn_arena *a, tn_str url, const tn_store_opts *opts, tn_probes *ret, tn_err *err)
{
    tn_probes out = { 0 };
    doctor d = { .a = a, .out = &out, .url = url, .options = opts->options };
    d.token = tn_str_printf(a, "%016llx", (unsigned long long)tn_random_u64());
    tn_uri uri;
    TN_TRY(tn_uri_parse(a, url, &uri, err));
    d.is_s3 = tn_str_is(uri.scheme, "s3") || tn_str_is(uri.scheme, "s3a");
    TN_AUTOPTR(tn_store) store = NULL;
    if (d.is_s3) {
        if (!doctor_reach_s3(&d, &store)) {
            *ret = out;
            return TN_OK;
        }
    } else {
        TN_TRY(tn_store_open(url, opts, &store, err));
    }
    d.store = store;
    check_store(&d);
    *ret = out;
    return TN_OK;
}
