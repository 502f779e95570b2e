/* store_s3_lease.c: turns on stores without conditional puts, as an explicit choice (conditional_put: lease). docs/decisions has what it can promise.
 *
 *     <folder>.lease      the token of who has the turn to put if absent into <folder>: 32 hex digits. Nothing there: free
 *
 * Such a store has a register that the last writer wins, and nothing else; this is Fischer's protocol on it. Who sees it free writes his token,
 * waits until every other who saw it free has written or given up (SETTLE), and looks again: the last one to write has the turn. A write that took
 * longer than SETTLE does not count, whatever the register shows afterwards. A token that stands unchanged for LEASE is of one who died.
 * Everybody measures with his own clock, and only durations. What is done in a turn ends GRACE before the others may take it over, so that a request
 * whose sender has given up on it has that long to reach the store or be lost.
 */
#include "base/log.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/random.h"
#include "store/store_s3_impl.h"

enum { TOKEN_BYTES_MAX = 256, ANSWER_BYTES_MAX = 1 << 20 };
#define SETTLE_US ((int64_t)2000000)
#define LEASE_US ((int64_t)30000000)
#define GRACE_US ((int64_t)5000000)
#define POLL_US ((int64_t)300000)
#define WAIT_MAX_US ((int64_t)300000000)

static tn_str lease_key(tn_arena *a, tn_str key)
{
    size_t slash = key.n;
    while (slash > 0 && key.p[slash - 1] != '/') {
        slash--;
    }
    return slash < 2 ? TN_STR("_tarn.lease")
                     : tn_str_concat(a, tn_str_sub(key, 0, slash - 1), TN_STR(".lease"));
}

/* *ret: empty when it is free. */
static tn_rc look(s3_store *s, tn_arena *a, tn_str key, tn_str *ret, tn_err *err)
{
    s3_call call = { .method = "GET", .key = key, .bytes_max = TOKEN_BYTES_MAX };
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    if (r.status == 200) {
        *ret = r.body;
        return TN_OK;
    }
    tn_err why = TN_ERR_INIT;
    tn_rc rc = s3_fail(s, a, &r, key, &why);
    if (rc == TN_E_NOTFOUND) {
        *ret = TN_STR_NONE;
        return TN_OK;
    }
    return tn_while(err, tn_err_pass(err, rc, &why), "reading a lease");
}

static tn_rc claim(
    s3_store *s, tn_arena *a, tn_str key, tn_str token, int64_t until_us, tn_err *err)
{
    s3_call call = { .method = "PUT",
        .key = key,
        .body = token,
        .bytes_max = ANSWER_BYTES_MAX,
        .until_us = until_us };
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    return r.status < 300 ? TN_OK : s3_fail(s, a, &r, key, err);
}

/* Whether somebody has the turn: the token is another than the one that has stood there for LEASE. */
typedef struct watch {
    tn_str token;
    int64_t since_us;
} watch;

static bool is_taken(watch *w, tn_str seen, int64_t seen_us)
{
    if (seen.n == 0) {
        return false;
    }
    if (!tn_str_eq(seen, w->token)) {
        *w = (watch){ .token = seen, .since_us = seen_us };
    }
    return seen_us - w->since_us < LEASE_US;
}

/* One attempt on a lease that was seen free. *ret_mine is false when another one was later, or this one too slow. */
static tn_rc try_once(s3_store *s, tn_arena *a, tn_str key, int64_t asked_us, s3_lease *ret,
    bool *ret_mine, tn_err *err)
{
    tn_str token = tn_str_printf(a, "%016llx%016llx", (unsigned long long)tn_random_u64(),
        (unsigned long long)tn_random_u64());
    int64_t sent = tn_clock_mono_us();
    tn_rc rc = claim(s, a, key, token, asked_us + SETTLE_US, err);
    *ret_mine = false;
    if (rc != TN_OK && rc != TN_E_TIMEOUT && rc != TN_E_NET) {
        return rc;
    }
    if (rc != TN_OK || tn_clock_mono_us() - asked_us > SETTLE_US) {
        return TN_OK; /* it may stand there now: it is waited out like a stranger's */
    }
    tn_clock_sleep_us(SETTLE_US + SETTLE_US / 20); /* clocks do not run alike */
    tn_str seen;
    TN_TRY(look(s, a, key, &seen, err));
    *ret_mine = tn_str_eq(seen, token);
    *ret = (s3_lease){ .key = key, .token = token, .until_us = sent + LEASE_US - GRACE_US };
    return TN_OK;
}

tn_rc s3_lease_take(s3_store *s, tn_arena *a, tn_str key, s3_lease *ret, tn_err *err)
{
    tn_str place = lease_key(a, key);
    watch w = { .token = TN_STR_NONE };
    int64_t began = tn_clock_mono_us();
    for (;;) {
        int64_t asked = tn_clock_mono_us();
        tn_str seen;
        TN_TRY(look(s, a, place, &seen, err));
        if (tn_interrupted()) {
            return tn_fail(err, TN_E_CANCELLED, "interrupted while waiting for a lease");
        }
        if (!is_taken(&w, seen, tn_clock_mono_us())) {
            bool mine;
            TN_TRY(try_once(s, a, place, asked, ret, &mine, err));
            if (mine) {
                return TN_OK;
            }
        } else if (asked - began > WAIT_MAX_US) {
            return tn_hint(err,
                tn_fail(err, TN_E_BUSY,
                    "others have had the lease 's3://" TN_STR_FMT "/" TN_STR_FMT "' for minutes",
                    TN_STR_ARG(s->config.bucket), TN_STR_ARG(place)),
                "fewer writers at once, or a store with conditional puts");
        }
        tn_clock_sleep_us((int64_t)((double)POLL_US * (0.5 + tn_random_unit())));
    }
}

void s3_lease_drop(s3_store *s, tn_arena *a, const s3_lease *l)
{
    tn_str seen;
    s3_call gone = {
        .method = "DELETE", .key = l->key, .bytes_max = ANSWER_BYTES_MAX, .until_us = l->until_us
    };
    tn_http_response r = { 0 };
    /* Only in its time: later it may be another's already. It runs out by itself. */
    if (tn_clock_mono_us() >= l->until_us || look(s, a, l->key, &seen, NULL) != TN_OK ||
        !tn_str_eq(seen, l->token) || s3_send(s, a, &gone, &r, NULL) != TN_OK || r.status >= 300) {
        tn_log(TN_LOG_DEBUG, "store", "the lease '" TN_STR_FMT "' is left to run out",
            TN_STR_ARG(l->key));
    }
}
