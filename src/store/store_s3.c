/* store_s3.c: a bucket as a store: reading, opening. Writing is in store_s3_put.c, removing in _remove.c, listing in _list.c. */
#include "store/store_s3.h"

#include "base/log.h"
#include "store/store_s3_impl.h"
#include "text/uri.h"

static s3_store *of(tn_store *s)
{
    return (s3_store *)s;
}

static tn_rc s3_get(
    tn_store *store, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err)
{
    s3_store *s = of(store);
    s3_transfer way = { .verb = "downloading", .name = key };
    s3_call call = {
        .method = "GET", .key = s3_full_key(s, a, key), .bytes_max = bytes_max, .transfer = &way
    };
    tn_http_response r;
    tn_rc rc = s3_send(s, a, &call, &r, err);
    s3_transfer_end(&way);
    if (rc != TN_OK) {
        return tn_while(err, rc, "reading 's3://" TN_STR_FMT "/" TN_STR_FMT "'",
            TN_STR_ARG(s->config.bucket), TN_STR_ARG(call.key));
    }
    if (r.status != 200) {
        return s3_fail(s, a, &r, call.key, err);
    }
    *ret = r.body;
    return TN_OK;
}

static tn_rc get_bytes(s3_store *s, tn_arena *a, tn_str key, tn_str etag, int64_t from, size_t n,
    tn_str *ret, tn_err *err)
{
    s3_call call = { .method = "GET", .key = s3_full_key(s, a, key), .bytes_max = n };
    n = tn_min_size(n, (size_t)(INT64_MAX - from));
    if (n == 0) {
        *ret = TN_STR_NONE;
        return TN_OK;
    }
    s3_pair(a, &call.headers, "range",
        tn_str_printf(a, "bytes=%lld-%lld", (long long)from, (long long)(from + (int64_t)n - 1)));
    if (etag.n > 0) {
        s3_pair(a, &call.headers, "if-match", etag);
    }
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    if (r.status == 412) {
        return tn_fail(err, TN_E_CORRUPT,
            "'s3://" TN_STR_FMT "/" TN_STR_FMT "' was replaced while it was read",
            TN_STR_ARG(s->config.bucket), TN_STR_ARG(call.key));
    }
    if (r.status == 416) {
        *ret = TN_STR_NONE; /* past the end, as with a file */
        return TN_OK;
    }
    if (r.status == 200) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "'s3://" TN_STR_FMT "/" TN_STR_FMT "': the server does not answer ranges",
            TN_STR_ARG(s->config.bucket), TN_STR_ARG(call.key));
    }
    if (r.status != 206) {
        return s3_fail(s, a, &r, call.key, err);
    }
    *ret = r.body;
    return TN_OK;
}

static tn_rc s3_get_range(
    tn_store *store, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    return get_bytes(of(store), a, key, TN_STR_NONE, from, n, ret, err);
}

static tn_rc s3_get_part(tn_store *store, tn_arena *a, const tn_store_item *item, int64_t from,
    size_t n, tn_str *ret, tn_err *err)
{
    return get_bytes(of(store), a, item->key, item->etag, from, n, ret, err);
}

static tn_rc s3_head(tn_store *store, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err)
{
    s3_store *s = of(store);
    s3_call call = { .method = "HEAD", .key = s3_full_key(s, a, key) };
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    if (r.status != 200) {
        return s3_fail(s, a, &r, call.key, err);
    }
    tn_store_item item = { .key = tn_str_dup(a, key) };
    if (!tn_str_to_i64(tn_http_header_get(&r.headers, "content-length"), &item.size)) {
        return tn_fail(err, TN_E_CORRUPT, "the server does not say how long '" TN_STR_FMT "' is",
            TN_STR_ARG(call.key));
    }
    item.mtime_us = tn_http_time_us(tn_http_header_get(&r.headers, "last-modified"));
    item.etag = tn_http_header_get(&r.headers, "etag");
    *ret = item;
    return TN_OK;
}

static tn_str s3_locate(tn_store *store, tn_arena *a, tn_str key)
{
    s3_store *s = of(store);
    if (key.n == 0) {
        return tn_str_dup(a, s->base.root);
    }
    return tn_str_printf(a, "s3://" TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(s->config.bucket),
        TN_STR_ARG(s3_full_key(s, a, key)));
}

static tn_rc s3_prepare(tn_store *store, tn_str key, tn_err *err)
{
    (void)store, (void)key, (void)err;
    return TN_OK;
}

static void s3_close(tn_store *store)
{
    s3_store *s = of(store);
    tn_http_close(s->http);
    tn_arena_free(s->arena);
}

static tn_str s3_cache_id(tn_store *store, tn_arena *a, tn_str key)
{
    s3_store *s = of(store);
    return tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT "/" TN_STR_FMT,
        TN_STR_ARG(tn_s3_endpoint(a, &s->config)), TN_STR_ARG(s->config.bucket),
        TN_STR_ARG(s3_full_key(s, a, key)));
}

static tn_val s3_options(tn_store *store)
{
    return of(store)->options;
}

static const tn_store_ops s3_ops = {
    .name = "s3",
    .get = s3_get,
    .get_range = s3_get_range,
    .get_part = s3_get_part,
    .put = s3_put,
    .list = s3_list,
    .head = s3_head,
    .remove = s3_remove,
    .remove_many = s3_remove_many,
    .put_parts = s3_put_parts,
    .copy = s3_copy,
    .locate = s3_locate,
    .prepare = s3_prepare,
    .close = s3_close,
    .cache_id = s3_cache_id,
    .options = s3_options,
};

bool s3_is(const tn_store *s)
{
    return s->ops == &s3_ops;
}

tn_rc tn_store_open_s3(tn_str url, const tn_store_opts *opts, tn_store **ret, tn_err *err)
{
    tn_arena *a = tn_arena_new("s3", NULL);
    s3_store *s = tn_new(a, s3_store);
    s->arena = a;
    s->options = tn_val_dup(a, opts->options);
    tn_rc rc = tn_s3_config_read(a, url, s->options, &s->config, err);
    if (rc == TN_OK) {
        const tn_s3_config *c = &s->config;
        tn_http_opts ho = { .ca_file = c->ca_file,
            .client_cert = c->client_cert,
            .client_key = c->client_key,
            .proxy = c->proxy,
            .direct = c->no_proxy,
            .connect_ms = c->connect_ms,
            .stall_ms = c->stall_ms,
            .no_verify = !c->verify_tls,
            .retries_max = c->retries_max };
        rc = tn_http_open(&ho, &s->http, err);
    }
    if (rc != TN_OK) {
        tn_arena_free(a);
        return rc;
    }
    if (s->config.use_ssl && !s->config.verify_tls) {
        tn_log(TN_LOG_WARN, "store",
            "certificates of " TN_STR_FMT
            " are NOT checked (verify_tls: false): anyone on the way can read and change the data",
            TN_STR_ARG(tn_s3_endpoint(a, &s->config)));
    }
    s->region = s->config.region;
    s->keys = (s3_keys){
        .key_id = s->config.key_id, .secret = s->config.secret, .token = s->config.session_token
    };
    s->renew_us = s->config.renew_us;
    s->lock = s->renewing = (tn_mutex)TN_MUTEX_INIT;
    s->dir = s->config.prefix.n > 0 ? tn_str_concat(a, s->config.prefix, TN_STR("/")) : TN_STR_NONE;
    s->base.ops = &s3_ops;
    s->base.refs = 1;
    s->base.root =
        tn_str_printf(a, "s3://" TN_STR_FMT "%s" TN_STR_FMT, TN_STR_ARG(s->config.bucket),
            s->config.prefix.n > 0 ? "/" : "", TN_STR_ARG(s->config.prefix));
    *ret = &s->base;
    return TN_OK;
}

tn_rc tn_s3_ca_bundle(tn_arena *a, tn_str ca_file, tn_str *ret, tn_err *err)
{
    return tn_http_ca_bundle(a, ca_file, ret, err);
}

void tn_store_s3_register(void)
{
    tn_store_register("s3", tn_store_open_s3);
    tn_store_register("s3a", tn_store_open_s3);
}
