/* store_s3_sts.c: keys of a role, from the token service: AssumeRole, signed with another key, or AssumeRoleWithWebIdentity, with the token that a
 * file holds (Kubernetes writes it anew before it runs out). One POST of a form; the answer is XML. */
#include "base/log.h"
#include "http/client.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/store_s3_impl.h"
#include "store/store_s3_xml.h"
#include "text/hash.h"
#include "text/uri.h"

enum { TOKEN_BYTES_MAX = 64 << 10, ANSWER_BYTES_MAX = 1 << 20, FORM_BYTES_MAX = 256 << 10 };
enum { LIFE_S = 3600 };
#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"

static void field(tn_buf *b, const char *name, tn_str value)
{
    if (value.n > 0) {
        tn_buf_addf(b, "&%s=", name);
        tn_percent_encode(b, value, "", false);
    }
}

static tn_rc form_of(tn_arena *a, const s3_lender *l, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, FORM_BYTES_MAX);
    tn_buf_addf(&b, "Action=AssumeRole%s&Version=2011-06-15&DurationSeconds=%d",
        l->token_file.n > 0 ? "WithWebIdentity" : "", LIFE_S);
    field(&b, "RoleArn", l->role);
    field(&b, "RoleSessionName",
        l->session.n > 0 ? l->session
                         : tn_str_printf(a, "tarn-%lld", (long long)tn_clock_now_ms()));
    if (l->token_file.n > 0) {
        tn_str token;
        TN_TRY(tn_file_read(a, l->token_file, TOKEN_BYTES_MAX, &token, err));
        tn_log_secret(tn_str_trim(token));
        field(&b, "WebIdentityToken", tn_str_trim(token));
    } else {
        field(&b, "ExternalId", l->external_id);
    }
    return tn_buf_finish(&b, "a request for a role's key", ret, err);
}

static tn_str endpoint_of(tn_arena *a, const s3_lender *l)
{
    tn_str e = l->sts_endpoint;
    while (e.n > 0 && e.p[e.n - 1] == '/') {
        e.n--;
    }
    return e.n > 0 ? e
                   : tn_str_printf(
                         a, "https://sts." TN_STR_FMT ".amazonaws.com", TN_STR_ARG(l->region));
}

typedef struct asking {
    const s3_lender *lender;
    tn_str host, body;
} asking;

static tn_rc sign(
    void *self, const tn_http_request *req, tn_arena *a, tn_http_headers *add, tn_err *err)
{
    (void)req, (void)err;
    const asking *q = self;
    const s3_lender *l = q->lender;
    tn_str date = tn_sigv4_date(a, tn_clock_now_us());
    tn_sigv4_key key = {
        .key_id = l->key_id, .secret = l->secret, .region = l->region, .service = TN_STR("sts")
    };
    tn_sigv4_request r = { .method = "POST", .path = TN_STR("/") };
    r.payload_hash = tn_sha256_hex(a, q->body);
    s3_pair(a, &r.headers, "content-type", TN_STR(FORM_TYPE));
    s3_pair(a, &r.headers, "host", q->host);
    s3_pair(a, &r.headers, "x-amz-date", date);
    if (l->token.n > 0) {
        s3_pair(a, &r.headers, "x-amz-security-token", l->token);
    }
    for (size_t i = 0; i < r.headers.n; i++) {
        tn_http_header h = { .name = r.headers.v[i].name, .value = r.headers.v[i].value };
        tn_vec_push(add, a, h);
    }
    tn_http_header h = { .name = TN_STR("authorization"),
        .value = tn_sigv4_authorization(a, &key, date, &r) };
    tn_vec_push(add, a, h);
    return TN_OK;
}

typedef struct answer {
    s3_lent lent;
    tn_str code, message;
} answer;

static tn_rc on_leaf(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err)
{
    (void)err;
    answer *r = self;
    tn_str name = path[depth - 1];
    tn_str *to = tn_str_is(name, "AccessKeyId")       ? &r->lent.key_id
                 : tn_str_is(name, "SecretAccessKey") ? &r->lent.secret
                 : tn_str_is(name, "SessionToken")    ? &r->lent.token
                 : tn_str_is(name, "Code")            ? &r->code
                 : tn_str_is(name, "Message")         ? &r->message
                                                      : NULL;
    if (to != NULL) {
        *to = text;
    } else if (tn_str_is(name, "Expiration")) {
        r->lent.expires_us = s3_lent_expiry(text);
    }
    return TN_OK;
}

static tn_rc read_answer(
    tn_arena *a, const tn_http_response *r, tn_str url, s3_lent *ret, tn_err *err)
{
    answer got = { .code = TN_STR_NONE };
    tn_rc rc = s3_xml_walk(a, r->body, on_leaf, &got, NULL);
    if (r->status != 200 || rc != TN_OK || got.lent.key_id.n == 0 || got.lent.secret.n == 0) {
        return tn_fail(err, TN_E_AUTH,
            "'" TN_STR_FMT "' lends no key: status %d" TN_STR_FMT TN_STR_FMT, TN_STR_ARG(url),
            r->status,
            TN_STR_ARG(tn_str_concat(a, got.code.n > 0 ? TN_STR(" ") : TN_STR(""), got.code)),
            TN_STR_ARG(
                tn_str_concat(a, got.message.n > 0 ? TN_STR(": ") : TN_STR(""), got.message)));
    }
    *ret = got.lent;
    return TN_OK;
}

tn_rc s3_lent_by_role(tn_arena *a, const s3_lender *l, s3_lent *ret, tn_err *err)
{
    tn_uri uri;
    asking q = { .lender = l };
    tn_str url = endpoint_of(a, l);
    TN_TRY(form_of(a, l, &q.body, err));
    TN_TRY(tn_uri_parse(a, url, &uri, err));
    if (!tn_str_is(uri.scheme, "https") && l->sts_endpoint.n == 0) {
        return tn_fail(err, TN_E_AUTH, "the token service is asked by https only");
    }
    q.host = tn_str_sub(url, uri.scheme.n + 3, url.n);
    TN_AUTOPTR(tn_http) http = NULL;
    tn_http_opts ho = {
        .ca_file = l->ca_file, .proxy = l->proxy, .direct = l->no_proxy, .no_verify = l->no_verify
    };
    TN_TRY(tn_http_open(&ho, &http, err));
    tn_http_request req = { .method = "POST",
        .url = tn_str_concat(a, url, TN_STR("/")),
        .body = q.body,
        .bytes_max = ANSWER_BYTES_MAX,
        .sign = l->token_file.n > 0 ? NULL : sign,
        .self = &q };
    if (l->token_file.n > 0) {
        tn_http_header type = { .name = TN_STR("content-type"), .value = TN_STR(FORM_TYPE) };
        tn_vec_push(&req.headers, a, type);
    }
    tn_http_response r = { 0 };
    TN_TRY(tn_http_send(http, a, &req, &r, err));
    TN_TRY(read_answer(a, &r, url, ret, err));
    ret->source = l->token_file.n > 0 ? "the role of a web identity" : "the role";
    return TN_OK;
}
