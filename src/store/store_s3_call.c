/* store_s3_call.c: one call to a bucket: URL, signature, and what the server may correct (the clock, the region). */
#include <stdlib.h>

#include "base/log.h"
#include "os/clock.h"
#include "store/store_s3_impl.h"
#include "store/store_s3_xml.h"
#include "text/hash.h"

enum { CORRECTIONS_MAX = 2, URL_BYTES_MAX = 64 << 10 };
#define SKEW_TOLERATED_US ((int64_t)300 * 1000000)

typedef struct signer {
    s3_store *store;
    const s3_call *call;
    tn_str host, path, hash;
    tn_str key_id; /* that signed the last attempt */
} signer;

tn_str s3_full_key(s3_store *s, tn_arena *a, tn_str key)
{
    return tn_str_concat(a, s->dir, key);
}

/* ---- where ---- */

static void place_of(s3_store *s, tn_arena *a, tn_str key, signer *out)
{
    const tn_s3_config *c = &s->config;
    tn_str host = c->host;
    if (host.n == 0) {
        TN_LOCKED(&s->lock);
        host = tn_str_printf(a, "s3." TN_STR_FMT ".amazonaws.com", TN_STR_ARG(s->region));
    }
    tn_str port = c->use_ssl ? TN_STR(":443") : TN_STR(":80");
    if (tn_str_ends(host, port)) {
        host.n -= port.n; /* a default port is not part of the Host that is signed */
    }
    /* A bucket with dots has no certificate as a host name. */
    bool path_style =
        c->path_style || (c->use_ssl && tn_str_find_char(c->bucket, '.', 0) != SIZE_MAX);
    tn_str path = path_style ? tn_str_printf(a, "/" TN_STR_FMT "%s" TN_STR_FMT,
                                   TN_STR_ARG(c->bucket), key.p != NULL ? "/" : "", TN_STR_ARG(key))
                             : tn_str_printf(a, "/" TN_STR_FMT, TN_STR_ARG(key));
    out->host = path_style ? host
                           : tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(c->bucket),
                                 TN_STR_ARG(host));
    out->path = tn_sigv4_path(a, path);
}

tn_str s3_origin(s3_store *s, tn_arena *a)
{
    signer at;
    place_of(s, a, TN_STR_NONE, &at);
    return tn_str_printf(
        a, "%s://" TN_STR_FMT, s->config.use_ssl ? "https" : "http", TN_STR_ARG(at.host));
}

/* ---- the signature of one attempt ---- */

static void copy_headers(tn_arena *a, tn_http_headers *to, const tn_sigv4_pairs *from)
{
    for (size_t i = 0; i < from->n; i++) {
        tn_http_header h = { .name = from->v[i].name, .value = from->v[i].value };
        tn_vec_push(to, a, h);
    }
}

static tn_rc sign(
    void *self, const tn_http_request *req, tn_arena *a, tn_http_headers *add, tn_err *err)
{
    (void)req, (void)err;
    signer *g = self;
    s3_store *s = g->store;
    const tn_s3_config *c = &s->config;
    tn_sigv4_request r = {
        .method = g->call->method, .path = g->path, .query = g->call->query, .payload_hash = g->hash
    };
    s3_keys own = s3_keys_now(s);
    g->key_id = own.key_id;
    tn_sigv4_key key = { .key_id = own.key_id, .secret = own.secret, .service = TN_STR("s3") };
    int64_t now;
    {
        TN_LOCKED(&s->lock);
        key.region = s->region;
        now = tn_clock_now_us() + s->skew_us;
    }
    tn_str date = tn_sigv4_date(a, now);
    s3_pair(a, &r.headers, "host", g->host);
    s3_pair(a, &r.headers, "x-amz-content-sha256", g->hash);
    s3_pair(a, &r.headers, "x-amz-date", date);
    if (own.token.n > 0) {
        s3_pair(a, &r.headers, "x-amz-security-token", own.token);
    }
    for (size_t i = 0; i < g->call->headers.n; i++) {
        tn_vec_push(&r.headers, a, g->call->headers.v[i]);
    }
    copy_headers(a, add, &r.headers);
    if (c->key_source != NULL) {
        tn_http_header h = { .name = TN_STR("authorization"),
            .value = tn_sigv4_authorization(a, &key, date, &r) };
        tn_vec_push(add, a, h);
    }
    return TN_OK;
}

/* ---- what the server corrects ---- */

static tn_rc error_leaf(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err)
{
    (void)err;
    s3_error *e = self;
    if (depth == 2 && tn_str_is(path[0], "Error")) {
        if (tn_str_is(path[1], "Code")) {
            e->code = text;
        } else if (tn_str_is(path[1], "Message")) {
            e->message = text;
        } else if (tn_str_is(path[1], "Region")) {
            e->region = text;
        }
    }
    return TN_OK;
}

s3_error s3_error_of(tn_arena *a, tn_str body)
{
    s3_error e = { .code = TN_STR_NONE };
    if (s3_xml_walk(a, body, error_leaf, &e, NULL) != TN_OK) {
        return (s3_error){ .code = TN_STR_NONE };
    }
    return e;
}

/* A key that has run out, or is not known any more. */
static bool is_key_over(s3_store *s, tn_arena *a, const tn_http_response *r)
{
    if (r->body.n == 0) { /* of a HEAD: it does not say; what is lent is worth a question */
        TN_LOCKED(&s->lock);
        return s->renew_us > 0;
    }
    tn_str code = s3_error_of(a, r->body).code;
    return tn_str_is(code, "ExpiredToken") || tn_str_is(code, "ExpiredTokenException") ||
           tn_str_is(code, "InvalidToken") || tn_str_is(code, "InvalidTokenId") ||
           tn_str_is(code, "InvalidAccessKeyId");
}

/* True when the next attempt is worth making: the clock, the region or the key was wrong. */
static bool correct(s3_store *s, tn_arena *a, const tn_http_response *r, tn_str key_id)
{
    bool better = (r->status == 403 || r->status == 400) && key_id.n > 0 && is_key_over(s, a, r) &&
                  s3_keys_replace(s, key_id);
    if (r->status == 403) {
        int64_t theirs = tn_http_time_us(tn_http_header_get(&r->headers, "date"));
        int64_t ours = tn_clock_now_us();
        TN_LOCKED(&s->lock);
        if (theirs >= 0 && llabs(theirs - ours - s->skew_us) > SKEW_TOLERATED_US) {
            s->skew_us = theirs - ours;
            better = true;
            tn_log(TN_LOG_DEBUG, "store", "the clock of this machine is %lld s off; corrected",
                (long long)(s->skew_us / 1000000));
        }
    }
    if (r->status == 301 || r->status == 307 || r->status == 400 || r->status == 403) {
        tn_str region = tn_http_header_get(&r->headers, "x-amz-bucket-region");
        region = region.n > 0 ? region : s3_error_of(a, r->body).region;
        TN_LOCKED(&s->lock);
        if (region.n > 0 && region.n < 64 && !tn_str_eq(region, s->region)) {
            s->region = tn_str_dup(s->arena, region);
            better = true;
        }
    }
    return better;
}

tn_rc s3_send(s3_store *s, tn_arena *a, const s3_call *call, tn_http_response *ret, tn_err *err)
{
    signer g = { .store = s, .call = call };
    tn_str query = tn_sigv4_query(a, &call->query);
    g.hash = s->config.unsigned_payload && call->body.n > 0 ? TN_STR(TN_SIGV4_UNSIGNED)
                                                            : tn_sha256_hex(a, call->body);
    s3_moved moved = { .of = call->transfer };
    bool unknown = false;
    for (int i = 0;; i++) {
        place_of(s, a, call->key, &g);
        tn_http_request req = { .method = call->method,
            .url = tn_str_printf(a, "%s://" TN_STR_FMT TN_STR_FMT "%s" TN_STR_FMT,
                s->config.use_ssl ? "https" : "http", TN_STR_ARG(g.host), TN_STR_ARG(g.path),
                query.n > 0 ? "?" : "", TN_STR_ARG(query)),
            .body = call->body,
            .bytes_max = call->bytes_max,
            .until_us = call->until_us,
            .sign = sign,
            .self = &g,
            .progress = call->transfer != NULL ? s3_moved_tell : NULL,
            .progress_self = &moved };
        if (call->body.n > 0) {
            tn_http_header type = { .name = TN_STR("content-type"),
                .value = TN_STR("application/octet-stream") };
            tn_vec_push(&req.headers, a, type);
        }
        tn_http_response r = { 0 };
        tn_rc rc = tn_http_send(s->http, a, &req, &r, err);
        r.outcome_unknown = r.outcome_unknown || unknown;
        unknown = r.outcome_unknown;
        if (rc == TN_OK && i < CORRECTIONS_MAX && correct(s, a, &r, g.key_id)) {
            continue;
        }
        *ret = r;
        return rc;
    }
}

/* ---- words ---- */

static tn_rc fail_auth(s3_store *s, const s3_error *e, tn_err *err)
{
    const char *from = s->config.key_source;
    tn_fail(err, TN_E_AUTH, "the bucket '" TN_STR_FMT "' refuses access: " TN_STR_FMT,
        TN_STR_ARG(s->config.bucket),
        TN_STR_ARG(e->message.n > 0 ? e->message
                   : e->code.n > 0  ? e->code
                                    : TN_STR("status 403")));
    if (from == NULL) {
        return tn_hint(err, TN_E_AUTH,
            "no access key was found: give key_id and secret, AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a profile of ~/.aws/credentials");
    }
    if (tn_str_is(e->code, "SignatureDoesNotMatch")) {
        return tn_hint(err, TN_E_AUTH, "the secret (from %s) does not belong to the key id", from);
    }
    if (tn_str_is(e->code, "InvalidAccessKeyId")) {
        return tn_hint(err, TN_E_AUTH,
            "the server does not know the key id (from %s): check it, and whether the endpoint is "
            "the right server",
            from);
    }
    if (tn_str_is(e->code, "ExpiredToken") || tn_str_starts(e->code, TN_STR("InvalidToken"))) {
        return tn_hint(err, TN_E_AUTH,
            "the key (from %s) is lent and has run out, or its session token belongs to another",
            from);
    }
    if (tn_str_is(e->code, "AccessDenied")) {
        return tn_hint(err, TN_E_AUTH,
            "the server knows the key (from %s), which may not do this there", from);
    }
    return tn_hint(err, TN_E_AUTH, "the key is from %s", from);
}

tn_rc s3_fail_stranger(s3_store *s, tn_arena *a, int status, tn_err *err)
{
    return tn_hint(err,
        tn_fail(err, TN_E_IO, "what answers at " TN_STR_FMT " is no S3 store (status %d)",
            TN_STR_ARG(tn_s3_endpoint(a, &s->config)), status),
        "is it the port of the store's console, or another web server? The endpoint is the S3 "
        "API's");
}

static bool is_web_page(tn_str body)
{
    tn_str head = tn_str_trim(tn_str_sub(body, 0, tn_min_size(body.n, 256)));
    return tn_str_starts(head, TN_STR("<!")) || tn_str_starts(head, TN_STR("<html")) ||
           tn_str_starts(head, TN_STR("<HTML"));
}

/* The first line of a body that is neither XML nor long: what a server says when it did not come to S3 at all. */
static tn_str plain_words(tn_str body)
{
    tn_str line = body, rest;
    (void)tn_str_cut(body, '\n', &line, &rest);
    line = tn_str_trim(line);
    bool plain = line.n > 0 && line.n < 200 && line.p[0] != '<' && line.p[0] != '{';
    for (size_t i = 0; plain && i < line.n; i++) {
        plain = line.p[i] >= ' ' && line.p[i] < 127;
    }
    return plain ? line : TN_STR_NONE;
}

tn_rc s3_fail(s3_store *s, tn_arena *a, const tn_http_response *r, tn_str key, tn_err *err)
{
    s3_error e = s3_error_of(a, r->body);
    const tn_s3_config *c = &s->config;
    if (r->status < 500 && e.code.n == 0 && is_web_page(r->body)) {
        return s3_fail_stranger(s, a, r->status, err);
    }
    e.message = e.code.n == 0 ? plain_words(r->body) : e.message;
    if (tn_str_is(e.code, "NoSuchBucket") || (r->status == 404 && key.p == NULL)) {
        return tn_hint(err,
            tn_fail(err, TN_E_IO, "the bucket '" TN_STR_FMT "' does not exist at " TN_STR_FMT,
                TN_STR_ARG(c->bucket), TN_STR_ARG(tn_s3_endpoint(a, c))),
            "make the bucket first, or check its name and the endpoint");
    }
    if (r->status == 404) {
        return tn_fail(err, TN_E_NOTFOUND, "'s3://" TN_STR_FMT "/" TN_STR_FMT "' does not exist",
            TN_STR_ARG(c->bucket), TN_STR_ARG(key));
    }
    if (r->status == 401 || r->status == 403) {
        return fail_auth(s, &e, err);
    }
    tn_rc rc = r->status == 501                       ? TN_E_UNSUPPORTED
               : r->status >= 500 || r->status == 429 ? TN_E_NET
                                                      : TN_E_IO;
    tn_fail(err, rc,
        "'s3://" TN_STR_FMT "/" TN_STR_FMT "': the server answers %d%s" TN_STR_FMT "%s" TN_STR_FMT,
        TN_STR_ARG(c->bucket), TN_STR_ARG(key), r->status, e.code.n > 0 ? " " : "",
        TN_STR_ARG(e.code), e.message.n > 0 ? ": " : "", TN_STR_ARG(e.message));
    if (r->status == 301 || r->status == 307) {
        return tn_hint(err, rc, "the bucket is at another endpoint or in another region");
    }
    if (r->status == 400 && e.code.n == 0 && !c->use_ssl) {
        return tn_hint(
            err, rc, "the server seems to expect https: give the endpoint as https://...");
    }
    return rc;
}
