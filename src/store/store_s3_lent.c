/* store_s3_lent.c: keys that somebody lends for a time: a process of the user's, a role, the container, the instance. What was lent is kept for the
 * process's other stores and databases until a quarter of its time is left, at most five minutes; then it is asked for again. */
#include "base/log.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/thread.h"
#include "store/store_s3_impl.h"
#include "text/timetext.h"

enum { KEPT_MAX = 32, PROCESS_BYTES_MAX = 64 << 10 };
#define MARGIN_MAX_US ((int64_t)300 * 1000000)
#define AGAIN_US ((int64_t)10 * 1000000)

static struct {
    tn_mutex lock;
    tn_arena *arena;
    struct {
        tn_str who;
        s3_lent lent;
    } v[KEPT_MAX];
    size_t n;
} kept = { .lock = TN_MUTEX_INIT };

int64_t s3_lent_expiry(tn_str text)
{
    int64_t us;
    bool zone;
    int offset;
    return text.n > 0 && tn_parse_timestamp(text, &us, &zone, &offset) ? us : 0;
}

/* ---- asking ---- */

static tn_rc by_process(tn_arena *a, tn_str command, s3_lent *ret, tn_err *err)
{
    const char *argv[] = { "sh", "-c", tn_str_z(a, command), NULL };
    int status = 0;
    tn_str out;
    TN_TRY(tn_proc_run(a, argv, TN_STR_NONE, PROCESS_BYTES_MAX, &status, &out, err));
    if (status != 0) {
        return tn_fail(err, TN_E_AUTH, "it ended with status %d", status);
    }
    TN_TRY(s3_lent_document(a, out, ret, err));
    ret->source = "credential_process";
    return TN_OK;
}

static tn_rc by_role(tn_arena *a, const s3_lender *from, s3_lent *ret, tn_err *err)
{
    s3_lender who = *from;
    if (from->token_file.n == 0 && from->key_id.n == 0) { /* the machine takes on the role */
        s3_lent own = { .source = NULL };
        TN_TRY(s3_lent_by_machine(a, from->ask_instance, &own, err));
        if (own.source == NULL) {
            return tn_hint(err,
                tn_fail(err, TN_E_AUTH,
                    "there is no key with which to take on the role '" TN_STR_FMT "'",
                    TN_STR_ARG(from->role)),
                "give a source_profile, a key, or a web_identity_token_file");
        }
        who.key_id = own.key_id;
        who.secret = own.secret;
        who.token = own.token;
    }
    return s3_lent_by_role(a, &who, ret, err);
}

static tn_rc ask(tn_arena *a, const s3_lender *from, s3_lent *ret, tn_err *err)
{
    if (from->process.n > 0) {
        tn_rc rc = by_process(a, from->process, ret, err);
        return rc == TN_OK ? rc : tn_while(err, rc, "asking credential_process for a key");
    }
    if (from->role.n > 0) {
        tn_rc rc = by_role(a, from, ret, err);
        return rc == TN_OK ? rc
                           : tn_while(err, rc, "taking on the role '" TN_STR_FMT "'",
                                 TN_STR_ARG(from->role));
    }
    return s3_lent_by_machine(a, from->ask_instance, ret, err);
}

/* ---- keeping ---- */

/* Everything that makes it another lender. */
static tn_str name_of(tn_arena *a, const s3_lender *l)
{
    const tn_str parts[] = { l->process, l->role, l->session, l->external_id, l->token_file,
        l->key_id, l->sts_endpoint, l->region, l->ask_instance ? TN_STR("1") : TN_STR("0"),
        tn_env_get("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        tn_env_get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        tn_env_get("AWS_EC2_METADATA_SERVICE_ENDPOINT"), tn_env_get("AWS_EC2_METADATA_DISABLED") };
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < TN_COUNTOF(parts); i++) {
        tn_buf_addf(&b, "%zu:" TN_STR_FMT ",", parts[i].n, TN_STR_ARG(parts[i]));
    }
    return tn_buf_str(&b);
}

static int64_t renew_at(int64_t now_us, int64_t expires_us)
{
    int64_t margin = (expires_us - now_us) / 4;
    margin = margin < MARGIN_MAX_US ? margin : MARGIN_MAX_US;
    /* Past already: this machine's clock is wrong. The server will say when it is over. */
    return expires_us <= 0 ? 0 : margin <= 0 ? now_us + 6 * AGAIN_US : expires_us - margin;
}

static s3_lent copy(tn_arena *a, const s3_lent *l)
{
    s3_lent out = *l;
    out.key_id = tn_str_dup(a, l->key_id);
    out.secret = tn_str_dup(a, l->secret);
    out.token = tn_str_dup(a, l->token);
    return out;
}

static size_t find(tn_str who)
{
    size_t i = 0;
    while (i < kept.n && !tn_str_eq(kept.v[i].who, who)) {
        i++;
    }
    return i;
}

static void keep(size_t at, tn_str who, const s3_lent *l)
{
    if (kept.arena == NULL) {
        kept.arena = tn_arena_new("lent keys", NULL);
    }
    if (at == kept.n && kept.n < KEPT_MAX) {
        kept.v[kept.n++].who = tn_str_dup(kept.arena, who);
    }
    if (at < kept.n) {
        kept.v[at].lent = copy(kept.arena, l);
    }
}

tn_rc s3_lent_keys(tn_arena *a, const s3_lender *from, s3_lent *ret, tn_err *err)
{
    tn_str who = name_of(a, from);
    TN_LOCKED(&kept.lock); /* one asks, the others wait */
    size_t at = find(who);
    int64_t now = tn_clock_now_us();
    s3_lent *old = at < kept.n && kept.v[at].lent.key_id.n > 0 ? &kept.v[at].lent : NULL;
    if (old != NULL && (old->renew_us == 0 || now < old->renew_us)) {
        *ret = copy(a, old);
        return TN_OK;
    }
    s3_lent l = { .source = NULL };
    tn_err why = TN_ERR_INIT;
    tn_rc rc = ask(a, from, &l, &why);
    if (rc != TN_OK && old != NULL && now < old->expires_us) {
        tn_log(TN_LOG_WARN, "store", "the lent key is not renewed yet: %s", why.msg);
        old->renew_us = now + AGAIN_US;
        *ret = copy(a, old);
        return TN_OK;
    }
    if (rc != TN_OK) {
        return tn_err_pass(err, rc, &why);
    }
    l.renew_us = renew_at(now, l.expires_us);
    if (l.source != NULL) {
        keep(at, who, &l);
    }
    *ret = l;
    return TN_OK;
}

void s3_lent_forget(tn_str key_id)
{
    TN_LOCKED(&kept.lock);
    for (size_t i = 0; i < kept.n; i++) {
        if (tn_str_eq(kept.v[i].lent.key_id, key_id)) {
            kept.v[i].lent.key_id = TN_STR_NONE;
        }
    }
}
