/* store_s3_metadata.c: keys that a machine is lent: from the container's agent, or from the instance's metadata service (version 2).
 *
 * Container: the URL is in the environment and answers {"AccessKeyId", "SecretAccessKey", "Token"}. Instance: a token first, then the name of the
 * role, then the same document. Both say when it expires. Only addresses that lead no further than the machine may be plain http, since the answer is a key.
 */
#include "base/log.h"
#include "http/client.h"
#include "os/file.h"
#include "os/proc.h"
#include "store/store_s3_impl.h"
#include "text/json.h"
#include "text/uri.h"

enum { ANSWER_BYTES_MAX = 64 << 10, CONNECT_MS = 1000, STALL_MS = 2000 };

typedef struct asking {
    tn_http *http;
    tn_arena *a;
} asking;

static tn_rc ask(asking *q, const char *method, tn_str url, const char *name, tn_str value,
    tn_str *ret, tn_err *err)
{
    tn_http_request req = { .method = method, .url = url, .bytes_max = ANSWER_BYTES_MAX };
    if (value.n > 0) {
        tn_http_header h = { .name = tn_str_of(name), .value = value };
        tn_vec_push(&req.headers, q->a, h);
    }
    tn_http_response r = { 0 };
    TN_TRY(tn_http_send(q->http, q->a, &req, &r, err));
    if (r.status != 200) {
        return tn_fail(err, TN_E_AUTH, "'" TN_STR_FMT "' answers %d", TN_STR_ARG(url), r.status);
    }
    *ret = tn_str_trim(r.body);
    return TN_OK;
}

tn_rc s3_lent_document(tn_arena *a, tn_str text, s3_lent *ret, tn_err *err)
{
    tn_val doc;
    TN_TRY(tn_json_parse(a, text, &doc, err));
    tn_str token = tn_val_str_at(doc, "SessionToken", TN_STR_NONE); /* of a process */
    s3_lent k = { .key_id = tn_val_str_at(doc, "AccessKeyId", TN_STR_NONE),
        .secret = tn_val_str_at(doc, "SecretAccessKey", TN_STR_NONE),
        .token = tn_val_str_at(doc, "Token", token) };
    if (k.key_id.n == 0 || k.secret.n == 0) {
        return tn_fail(err, TN_E_AUTH, "the answer holds no key");
    }
    k.expires_us = s3_lent_expiry(tn_val_str_at(doc, "Expiration", TN_STR_NONE));
    *ret = k;
    return TN_OK;
}

/* ---- container ---- */

static bool stays_here(tn_str url)
{
    static const char *const hosts[] = { "https://", "http://169.254.170.2/",
        "http://169.254.170.23/", "http://127.0.0.1/", "http://127.0.0.1:", "http://localhost/",
        "http://localhost:", "http://[::1]" };
    for (size_t i = 0; i < TN_COUNTOF(hosts); i++) {
        if (tn_str_starts(url, tn_str_of(hosts[i]))) {
            return true;
        }
    }
    return false;
}

static tn_rc from_container(asking *q, tn_str url, s3_lent *ret, tn_err *err)
{
    tn_str token = tn_env_get("AWS_CONTAINER_AUTHORIZATION_TOKEN"), text;
    tn_str file = tn_env_get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!stays_here(url)) {
        return tn_fail(err, TN_E_AUTH,
            "'" TN_STR_FMT "' is plain http to another machine: no key is taken from there",
            TN_STR_ARG(url));
    }
    if (file.n > 0) {
        TN_TRY(tn_file_read(q->a, file, ANSWER_BYTES_MAX, &token, err));
        token = tn_str_trim(token);
    }
    tn_log_secret(token);
    TN_TRY(ask(q, "GET", url, "authorization", token, &text, err));
    TN_TRY(s3_lent_document(q->a, text, ret, err));
    ret->source = "the container's credentials service";
    return TN_OK;
}

/* ---- instance ---- */

static tn_rc from_instance(asking *q, tn_str base, s3_lent *ret, tn_err *err)
{
    static const char path[] = "/latest/meta-data/iam/security-credentials/";
    static const char header[] = "x-aws-ec2-metadata-token";
    tn_str token, role, text;
    TN_TRY(ask(q, "PUT", tn_str_concat(q->a, base, TN_STR("/latest/api/token")),
        "x-aws-ec2-metadata-token-ttl-seconds", TN_STR("300"), &token, err));
    TN_TRY(ask(q, "GET", tn_str_concat(q->a, base, tn_str_of(path)), header, token, &role, err));
    TN_TRY(ask(q, "GET",
        tn_str_printf(q->a, TN_STR_FMT "%s" TN_STR_FMT, TN_STR_ARG(base), path, TN_STR_ARG(role)),
        header, token, &text, err));
    TN_TRY(s3_lent_document(q->a, text, ret, err));
    ret->source = "the instance's metadata service";
    return TN_OK;
}

tn_rc s3_lent_by_machine(tn_arena *a, bool ask_instance, s3_lent *ret, tn_err *err)
{
    tn_str full = tn_env_get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    tn_str relative = tn_env_get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    tn_str base = tn_env_get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    bool off = tn_str_eq_nocase(tn_env_get("AWS_EC2_METADATA_DISABLED"), TN_STR("true"));
    bool container = full.n > 0 || relative.n > 0, instance = !off && (ask_instance || base.n > 0);
    if (!container && !instance) {
        return TN_OK;
    }
    TN_AUTOPTR(tn_http) http = NULL;
    tn_http_opts ho = {
        .no_proxy = true, .connect_ms = CONNECT_MS, .stall_ms = STALL_MS, .retries_max = -1
    };
    TN_TRY(tn_http_open(&ho, &http, err));
    asking q = { .http = http, .a = a };
    tn_str url = relative.n > 0 ? tn_str_concat(a, TN_STR("http://169.254.170.2"), relative) : full;
    tn_rc rc = container ? from_container(&q, url, ret, err)
                         : from_instance(&q,
                               base.n > 0 ? tn_str_dup(a, base) : TN_STR("http://169.254.169.254"),
                               ret, err);
    return rc == TN_OK ? rc
                       : tn_while(err, rc, "asking %s for a key",
                             container ? "the container's credentials service"
                                       : "the instance's metadata service");
}
