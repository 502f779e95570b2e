/* store_s3_copy.c: a copy that the server makes by itself, between two places that one key reaches at one endpoint. */
#include "base/log.h"
#include "store/store_s3_impl.h"

enum { ANSWER_BYTES_MAX = 1 << 20 };

static bool lie_together(s3_store *x, s3_store *y)
{
    s3_keys kx = s3_keys_now(x);
    s3_keys ky = s3_keys_now(y);
    return tn_str_eq(x->config.host, y->config.host) && x->config.use_ssl == y->config.use_ssl &&
           tn_str_eq(x->config.region, y->config.region) && tn_str_eq(kx.key_id, ky.key_id);
}

/* What the server will not copy (too large for one request, forbidden, unknown to it) goes through this process, which then meets the reason. */
static tn_rc judge(tn_arena *a, const tn_http_response *r, tn_str key)
{
    s3_error e = r->status >= 500 ? (s3_error){ .code = TN_STR_NONE } : s3_error_of(a, r->body);
    if (r->status == 200 && e.code.n == 0) {
        return TN_OK;
    }
    tn_log(TN_LOG_DEBUG, "store",
        "the server does not copy to '" TN_STR_FMT "' by itself: it answers %d " TN_STR_FMT,
        TN_STR_ARG(key), r->status, TN_STR_ARG(e.code));
    return TN_E_UNSUPPORTED;
}

tn_rc s3_copy(tn_store *store, tn_str key, tn_store *from, tn_str from_key, tn_err *err)
{
    if (!s3_is(from) || !lie_together((s3_store *)store, (s3_store *)from)) {
        return TN_E_UNSUPPORTED;
    }
    s3_store *s = (s3_store *)store;
    s3_store *source = (s3_store *)from;
    TN_AUTO_ARENA a = tn_arena_new("s3 copy", NULL);
    tn_str place = tn_str_printf(a, "/" TN_STR_FMT "/" TN_STR_FMT,
        TN_STR_ARG(source->config.bucket), TN_STR_ARG(s3_full_key(source, a, from_key)));
    s3_call call = {
        .method = "PUT", .key = s3_full_key(s, a, key), .bytes_max = ANSWER_BYTES_MAX
    };
    s3_pair(a, &call.headers, "x-amz-copy-source", tn_sigv4_path(a, place));
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    return judge(a, &r, key);
}
