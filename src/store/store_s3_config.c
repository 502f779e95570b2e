/* store_s3_config.c: what the settings of a bucket mean: from texts under their names to one tn_s3_config. */
#include "store/store_s3_config_impl.h"
#include "text/uri.h"

/* host or host:port; [::1]:9000, too. */
static bool is_host(tn_str e)
{
    static const char *const OTHER = "/@? ";
    bool ok = e.n == 0 || e.p[0] != ':';
    for (const char *c = OTHER; *c != '\0'; c++) {
        ok = ok && tn_str_find_char(e, *c, 0) == SIZE_MAX;
    }
    size_t bracket = tn_str_find_char(e, ']', 0);
    size_t colon = tn_str_find_char(e, ':', bracket == SIZE_MAX ? 0 : bracket);
    int64_t port = 1;
    if (colon != SIZE_MAX) {
        ok = ok && tn_str_to_i64(tn_str_sub(e, colon + 1, e.n), &port);
    }
    return ok && port > 0 && port <= UINT16_MAX;
}

static tn_rc read_endpoint(s3_reader *r, tn_s3_config *c)
{
    tn_str e = r->v[F_ENDPOINT];
    bool allow_http = false, given = r->v[F_USE_SSL].p != NULL, use_ssl = true;
    TN_TRY(s3_flag(r, F_ALLOW_HTTP, "allow_http", &allow_http));
    TN_TRY(s3_flag(r, F_USE_SSL, "use_ssl", &use_ssl));
    bool plain = tn_str_starts(e, TN_STR("http://"));
    bool secure = tn_str_starts(e, TN_STR("https://"));
    if (plain || secure) {
        e = tn_str_sub(e, plain ? 7 : 8, e.n);
    }
    while (e.n > 0 && e.p[e.n - 1] == '/') {
        e.n--;
    }
    if (!is_host(e)) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_VALUE, "'" TN_STR_FMT "' is no endpoint", TN_STR_ARG(e)),
            "an endpoint is https://host[:port]; the bucket is named in s3://bucket/...");
    }
    if (plain && !allow_http && (!given || use_ssl)) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_VALUE,
                "the endpoint '" TN_STR_FMT "' is plain http: keys and data would be readable on "
                "the way",
                TN_STR_ARG(r->v[F_ENDPOINT])),
            "use https, or say allow_http: true (AWS_ALLOW_HTTP=true)");
    }
    c->host = e;
    c->use_ssl = !plain && (secure || use_ssl);
    return TN_OK;
}

static tn_rc read_style(s3_reader *r, tn_s3_config *c)
{
    c->path_style = c->host.n > 0; /* custom endpoints rarely have a name for each bucket */
    bool is_virtual = !c->path_style;
    TN_TRY(s3_flag(r, F_PATH_STYLE, "path_style", &c->path_style));
    if (r->v[F_VIRTUAL].p != NULL) {
        TN_TRY(s3_flag(r, F_VIRTUAL, "virtual_hosted_style_request", &is_virtual));
        c->path_style = !is_virtual;
    }
    tn_str style = r->v[F_URL_STYLE];
    if (style.p == NULL) {
        return TN_OK;
    }
    bool path = tn_str_eq_nocase(style, TN_STR("path"));
    if (tn_str_eq_nocase(style, TN_STR("auto"))) {
        return TN_OK;
    }
    if (!path && !tn_str_eq_nocase(style, TN_STR("vhost")) &&
        !tn_str_eq_nocase(style, TN_STR("virtual"))) {
        return tn_fail(r->err, TN_E_VALUE, "url_style is path or vhost, not '" TN_STR_FMT "'",
            TN_STR_ARG(style));
    }
    c->path_style = path;
    return TN_OK;
}

static tn_rc read_tls(s3_reader *r, tn_s3_config *c)
{
    bool no_verify = false;
    c->verify_tls = true;
    TN_TRY(s3_flag(r, F_VERIFY, "verify_tls", &c->verify_tls));
    TN_TRY(s3_flag(r, F_NO_VERIFY, "allow_invalid_certificates", &no_verify));
    c->verify_tls = c->verify_tls && !no_verify;
    TN_TRY(s3_flag(r, F_UNSIGNED, "unsigned_payload", &c->unsigned_payload));
    c->unsigned_payload = c->unsigned_payload && c->use_ssl; /* else nothing guards the body */
    c->ca_file = r->v[F_CA_FILE];
    c->client_cert = r->v[F_CLIENT_CERT];
    c->client_key = r->v[F_CLIENT_KEY];
    c->proxy = r->v[F_PROXY];
    c->no_proxy = r->v[F_NO_PROXY];
    return TN_OK;
}

/* "30", "30s", "500ms", "2 minutes": *ret in ms; 0: not given. */
static tn_rc read_time(s3_reader *r, s3_field f, const char *name, int64_t *ret)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "", 1000 }, { "s", 1000 }, { "sec", 1000 }, { "secs", 1000 },
        { "second", 1000 }, { "seconds", 1000 }, { "ms", 1 }, { "msec", 1 }, { "millis", 1 },
        { "m", 60000 }, { "min", 60000 }, { "mins", 60000 }, { "minute", 60000 },
        { "minutes", 60000 }, { "h", 3600000 }, { "hour", 3600000 }, { "hours", 3600000 } };
    tn_str v = tn_str_trim(r->v[f]);
    size_t digits = 0;
    int64_t n = 0;
    while (digits < v.n && v.p[digits] >= '0' && v.p[digits] <= '9') {
        digits++;
    }
    tn_str unit = tn_str_trim(tn_str_sub(v, digits, v.n));
    for (size_t i = 0; v.n > 0 && i < TN_COUNTOF(units); i++) {
        if (tn_str_is(unit, units[i].unit) && tn_str_to_i64(tn_str_sub(v, 0, digits), &n) &&
            n > 0 && n <= 86400000) {
            *ret = n * units[i].ms;
            return TN_OK;
        }
    }
    return v.n == 0 ? TN_OK
                    : tn_fail(r->err, TN_E_VALUE,
                          "the storage option '%s' is a time (30s, 2m), not '" TN_STR_FMT "'", name,
                          TN_STR_ARG(v));
}

static tn_rc read_patience(s3_reader *r, tn_s3_config *c)
{
    int64_t n;
    TN_TRY(read_time(r, F_CONNECT_TIMEOUT, "connect_timeout", &c->connect_ms));
    TN_TRY(read_time(r, F_TIMEOUT, "timeout", &c->stall_ms));
    if (r->v[F_RETRIES].p != NULL) {
        if (!tn_str_to_i64(r->v[F_RETRIES], &n) || n < 0 || n > 100) {
            return tn_fail(r->err, TN_E_VALUE, "max_retries is a number from 0 to 100");
        }
        c->retries_max = n == 0 ? -1 : (int)n;
    }
    return TN_OK;
}

static tn_rc read_conditional(s3_reader *r, tn_s3_config *c)
{
    static const char *const words[] = { "", "etag", "lease", "disabled" }; /* tn_s3_conditional */
    tn_str v = r->v[F_CONDITIONAL];
    size_t i = 0;
    while (i < TN_COUNTOF(words) && !tn_str_eq_nocase(v, tn_str_of(words[i]))) {
        i++;
    }
    if (i == TN_COUNTOF(words)) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_VALUE, "conditional_put is not '" TN_STR_FMT "'", TN_STR_ARG(v)),
            "etag: the store honours If-None-Match; lease: a lease object where it does not; "
            "disabled: it does not");
    }
    c->conditional = (tn_s3_conditional)i;
    return s3_flag(r, F_UNSAFE, "allow_unsafe_rename", &c->single_writer);
}

static tn_rc read_place(tn_arena *a, tn_str url, tn_s3_config *c, tn_err *err)
{
    tn_uri uri;
    TN_TRY(tn_uri_parse(a, url, &uri, err));
    tn_str bucket = uri.host, prefix = uri.path;
    bool ok = bucket.n >= 3 && bucket.n <= 63;
    for (size_t i = 0; ok && i < bucket.n; i++) {
        char ch = bucket.p[i];
        ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
             ch == '-' || ch == '.' || ch == '_';
    }
    if (!ok) {
        return tn_hint(err,
            tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' names no bucket", TN_STR_ARG(url)),
            "s3://bucket/prefix; a bucket's name has 3 to 63 letters, digits, '-' and '.'");
    }
    while (prefix.n > 0 && prefix.p[0] == '/') {
        prefix = tn_str_sub(prefix, 1, prefix.n);
    }
    while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/') {
        prefix.n--;
    }
    c->bucket = tn_str_dup(a, bucket);
    c->prefix = tn_str_dup(a, prefix);
    return TN_OK;
}

tn_rc tn_s3_config_read(tn_arena *a, tn_str url, tn_val options, tn_s3_config *ret, tn_err *err)
{
    tn_s3_config c = { .retries_max = 0 };
    s3_reader r = { .a = a, .err = err };
    TN_TRY(read_place(a, url, &c, err));
    TN_TRY(s3_take_dict(&r, options));
    TN_TRY(s3_take_dict(&r, s3_secret_for(tn_val_at(options, "secrets"), url)));
    s3_take_env(&r);
    TN_TRY(s3_find_keys(&r, &c)); /* a profile's files may name region and endpoint too */
    TN_TRY(read_endpoint(&r, &c));
    TN_TRY(read_style(&r, &c));
    TN_TRY(read_tls(&r, &c));
    c.region = r.v[F_REGION].n > 0 ? r.v[F_REGION] : TN_STR("us-east-1");
    TN_TRY(read_patience(&r, &c));
    TN_TRY(read_conditional(&r, &c));
    TN_TRY(s3_settle_keys(&r, &c));
    *ret = c;
    return TN_OK;
}

tn_str tn_s3_endpoint(tn_arena *a, const tn_s3_config *c)
{
    const char *scheme = c->use_ssl ? "https" : "http";
    if (c->host.n > 0) {
        return tn_str_printf(a, "%s://" TN_STR_FMT, scheme, TN_STR_ARG(c->host));
    }
    return tn_str_printf(a, "%s://s3." TN_STR_FMT ".amazonaws.com", scheme, TN_STR_ARG(c->region));
}
