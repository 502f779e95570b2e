/* duck_renew.c: what of a database runs out in time, made anew before a statement needs it. Who comes while that is being done waits for it. */
#include "base/log.h"
#include "duck/duck_impl.h"
#include "os/clock.h"

enum { AGAIN_US = 10000000 }; /* after a failure */

static void set_due(tn_duck *d) /* the lock is held */
{
    int64_t due = 0;
    for (size_t i = 0; i < d->renewals.n; i++) {
        int64_t at = d->renewals.v[i].at_us;
        due = at > 0 && (due == 0 || at < due) ? at : due;
    }
    __atomic_store_n(&d->due_us, due, __ATOMIC_RELEASE);
}

void tn_duck_renew(tn_conn *c, const tn_duck_renewal *r)
{
    tn_duck *d = c->duck;
    tn_duck_renewal own = *r;
    own.name = tn_str_dup(own.arena, r->name);
    TN_LOCKED(&d->renew_lock);
    size_t i = 0;
    while (i < d->renewals.n && !tn_str_eq(d->renewals.v[i].name, own.name)) {
        i++;
    }
    if (i < d->renewals.n) {
        tn_arena_free(d->renewals.v[i].arena);
        d->renewals.v[i] = own;
    } else {
        tn_vec_push(&d->renewals, d->arena, own);
    }
    set_due(d);
}

static bool is_due(const tn_duck *d)
{
    int64_t due = __atomic_load_n(&d->due_us, __ATOMIC_ACQUIRE);
    return due > 0 && tn_clock_now_us() >= due;
}

static void renew(tn_duck *d, tn_duck_renewal *r)
{
    TN_AUTOPTR(tn_conn) own = NULL;
    tn_err why = TN_ERR_INIT;
    int64_t next = 0;
    tn_rc rc = tn_duck_connect(d, &own, &why);
    if (rc == TN_OK) {
        own->renews = true;
        rc = r->fn(r->self, own, &next, &why);
    }
    if (rc != TN_OK) {
        next = tn_clock_now_us() + AGAIN_US;
        tn_log(TN_LOG_WARN, "duck", TN_STR_FMT " is not renewed: %s", TN_STR_ARG(r->name), why.msg);
    }
    r->at_us = next;
}

void duck_renew_due(tn_conn *c)
{
    tn_duck *d = c->duck;
    if (c->renews || !is_due(d)) {
        return;
    }
    TN_LOCKED(&d->renew_lock);
    int64_t now = tn_clock_now_us();
    for (size_t i = 0; i < d->renewals.n && is_due(d); i++) {
        if (d->renewals.v[i].at_us > 0 && d->renewals.v[i].at_us <= now) {
            renew(d, &d->renewals.v[i]);
        }
    }
    set_due(d);
}

void duck_renewals_free(tn_duck *d)
{
    for (size_t i = 0; i < d->renewals.n; i++) {
        tn_arena_free(d->renewals.v[i].arena);
    }
    d->renewals.n = 0;
}
