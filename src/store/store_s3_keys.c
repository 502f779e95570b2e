/* store_s3_keys.c: the key that a store signs with. A lent one is asked for again before it runs out; one that the server refuses is looked for anew
 * where it came from, since a shared file may have been written anew. Where that is, is read again whole: options, environment, files, lenders. */
#include "base/log.h"
#include "os/clock.h"
#include "store/store_s3_impl.h"

enum { AGAIN_US = 10000000 }; /* after a failure */

static s3_keys get(s3_store *s, int64_t *ret_renew_us)
{
    TN_LOCKED(&s->lock);
    *ret_renew_us = s->renew_us;
    return s->keys;
}

static void put(s3_store *s, const tn_s3_config *c)
{
    TN_LOCKED(&s->lock);
    s->renew_us = c->renew_us;
    if (!tn_str_eq(s->keys.key_id, c->key_id) || !tn_str_eq(s->keys.token, c->session_token)) {
        s->keys = (s3_keys){ .key_id = tn_str_dup(s->arena, c->key_id),
            .secret = tn_str_dup(s->arena, c->secret),
            .token = tn_str_dup(s->arena, c->session_token) };
    }
}

static void put_off(s3_store *s)
{
    TN_LOCKED(&s->lock);
    s->renew_us = tn_clock_now_us() + AGAIN_US;
}

static tn_rc read_again(s3_store *s, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("s3 keys", NULL);
    tn_s3_config c;
    TN_TRY(tn_s3_config_read(a, s->base.root, s->options, &c, err));
    if (c.key_source != NULL) {
        put(s, &c);
    }
    return TN_OK;
}

s3_keys s3_keys_now(s3_store *s)
{
    int64_t renew_us;
    s3_keys k = get(s, &renew_us);
    if (renew_us == 0 || tn_clock_now_us() < renew_us) {
        return k;
    }
    TN_LOCKED(&s->renewing); /* one asks, the others wait */
    k = get(s, &renew_us);
    if (tn_clock_now_us() < renew_us) {
        return k;
    }
    tn_err why = TN_ERR_INIT;
    if (read_again(s, &why) != TN_OK) {
        tn_log(TN_LOG_WARN, "store", "the key is not renewed: %s", why.msg);
        put_off(s); /* it may be good for a while */
    }
    return get(s, &renew_us);
}

bool s3_keys_replace(s3_store *s, tn_str refused_id)
{
    int64_t renew_us;
    s3_keys before, now;
    TN_LOCKED(&s->renewing);
    before = get(s, &renew_us);
    if (!tn_str_eq(before.key_id, refused_id)) {
        return true; /* another thread has done it */
    }
    s3_lent_forget(refused_id);
    if (read_again(s, NULL) != TN_OK) {
        return false;
    }
    now = get(s, &renew_us);
    return !tn_str_eq(before.key_id, now.key_id) || !tn_str_eq(before.token, now.token);
}
