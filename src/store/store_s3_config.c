/* store_s3_config.c: from the many names that people have for the same settings to one tn_s3_config. */
#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "store/store_s3_impl.h"
#include "text/uri.h"

enum { CREDENTIALS_BYTES_MAX = 1 << 20, OPTIONS_MAX = 1000 };

typedef enum field {
    F_ENDPOINT,
    F_REGION,
    F_KEY_ID,
    F_SECRET,
    F_TOKEN,
    F_ALLOW_HTTP,
    F_USE_SSL,
    F_URL_STYLE,
    F_VIRTUAL,
    F_PATH_STYLE,
    F_CA_FILE,
    F_VERIFY,
    F_NO_VERIFY,
    F_CLIENT_CERT,
    F_CLIENT_KEY,
    F_PROXY,
    F_PROFILE,
    F_UNSIGNED,
    F_ANONYMOUS,
    F_RETRIES,
    F_CONDITIONAL,
    F_UNSAFE,
    F_PROVIDER,
    F_IGNORED,
    FIELDS,
} field;

/* Names in lower case, after "aws_" and "s3_" have been taken off. */
static const struct {
    const char *name;
    field field;
} names[] = {
    { "endpoint", F_ENDPOINT },
    { "endpoint_url", F_ENDPOINT },
    { "endpoint_url_s3", F_ENDPOINT },
    { "region", F_REGION },
    { "default_region", F_REGION },
    { "key_id", F_KEY_ID },
    { "access_key_id", F_KEY_ID },
    { "access_key", F_KEY_ID },
    { "secret", F_SECRET },
    { "secret_key", F_SECRET },
    { "secret_access_key", F_SECRET },
    { "token", F_TOKEN },
    { "session_token", F_TOKEN },
    { "allow_http", F_ALLOW_HTTP },
    { "use_ssl", F_USE_SSL },
    { "url_style", F_URL_STYLE },
    { "virtual_hosted_style_request", F_VIRTUAL },
    { "force_path_style", F_PATH_STYLE },
    { "path_style", F_PATH_STYLE },
    { "ca_file", F_CA_FILE },
    { "ca_dir", F_CA_FILE },
    { "ca_bundle", F_CA_FILE },
    { "ca_cert_file", F_CA_FILE },
    { "verify_tls", F_VERIFY },
    { "verify_ssl", F_VERIFY },
    { "allow_invalid_certificates", F_NO_VERIFY },
    { "client_cert", F_CLIENT_CERT },
    { "client_key", F_CLIENT_KEY },
    { "proxy", F_PROXY },
    { "proxy_url", F_PROXY },
    { "profile", F_PROFILE },
    { "chain_profile", F_PROFILE },
    { "unsigned_payload", F_UNSIGNED },
    { "skip_signature", F_ANONYMOUS },
    { "max_retries", F_RETRIES },
    { "retries", F_RETRIES },
    { "conditional_put", F_CONDITIONAL },
    { "allow_unsafe_rename", F_UNSAFE },
    /* other programs' settings that mean nothing here */
    { "copy_if_not_exists", F_IGNORED },
    { "locking_provider", F_IGNORED },
    { "type", F_IGNORED },
    { "provider", F_PROVIDER },
    { "name", F_IGNORED },
    { "scope", F_IGNORED },
    { "secrets", F_IGNORED },
    { "persistent", F_IGNORED },
    { "secret_kwargs", F_IGNORED },
    { "chain", F_IGNORED },
};

typedef struct reader {
    tn_arena *a;
    tn_str v[FIELDS]; /* p NULL: not given */
    tn_err *err;
} reader;

static field field_of(tn_arena *a, tn_str name)
{
    name = tn_str_lower(a, name);
    static const char *const heads[] = { "aws_", "s3_" };
    for (size_t i = 0; i < TN_COUNTOF(heads); i++) {
        if (tn_str_starts(name, tn_str_of(heads[i]))) {
            name = tn_str_sub(name, strlen(heads[i]), name.n);
        }
    }
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(name, names[i].name)) {
            return names[i].field;
        }
    }
    return FIELDS;
}

static void take_dict(reader *r, tn_val dict)
{
    if (dict.tag != TN_DICT) {
        return;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(dict.dict, &at)) != NULL) {
        tn_str name = tn_val_to_str(r->a, it->key);
        field f = field_of(r->a, name);
        if (f == FIELDS) {
            tn_log(TN_LOG_WARN, "store", "the storage option '" TN_STR_FMT "' is not known",
                TN_STR_ARG(name));
        } else if (!tn_val_is_none(it->value) && !tn_val_is_undef(it->value) && f != F_IGNORED) {
            r->v[f] = tn_val_to_str(r->a, it->value);
        }
    }
}

/* ---- several secrets ---- */

static bool scope_fits(tn_val scope, tn_str url, size_t *best)
{
    if (scope.tag == TN_LIST || scope.tag == TN_TUPLE) {
        bool any = false;
        for (size_t i = 0; i < scope.list->n; i++) {
            any = scope_fits(scope.list->v[i], url, best) || any;
        }
        return any;
    }
    tn_str text = tn_val_is_str(scope) ? tn_val_as_str(scope) : TN_STR_NONE;
    if (!tn_str_starts(url, text) || text.n + 1 < *best) {
        return false;
    }
    *best = text.n + 1;
    return true;
}

/* Of dbt-duckdb's `secrets`: those of type s3 whose scope is a prefix of the URL; the longest scope wins. */
static tn_val secret_for(tn_val secrets, tn_str url)
{
    tn_val found = TN_VAL_UNDEF;
    if (secrets.tag != TN_LIST) {
        return found;
    }
    size_t best = 0;
    for (size_t i = 0; i < secrets.list->n; i++) {
        tn_val s = secrets.list->v[i];
        if (tn_str_eq_nocase(tn_val_str_at(s, "type", TN_STR("s3")), TN_STR("s3")) &&
            scope_fits(tn_val_at(s, "scope"), url, &best)) {
            found = s;
        }
    }
    return found;
}

/* ---- the environment and the shared files ---- */

static void take_env(reader *r, field f, const char *name)
{
    tn_str v = tn_env_get(name);
    if (r->v[f].p == NULL && v.n > 0) {
        r->v[f] = tn_str_dup(r->a, v);
    }
}

static tn_str home_file(tn_arena *a, const char *env, const char *below_home)
{
    tn_str path = tn_env_get(env);
    if (path.n > 0) {
        return path;
    }
    tn_str home = tn_env_get("HOME");
    return home.n == 0 ? TN_STR_NONE
                       : tn_str_printf(a, TN_STR_FMT "/%s", TN_STR_ARG(home), below_home);
}

/* key = value lines of [section] in an INI file; only fields that nobody has given yet. */
static void take_ini(reader *r, tn_str path, tn_str section)
{
    tn_str text, line;
    if (path.n == 0 || tn_file_read(r->a, path, CREDENTIALS_BYTES_MAX, &text, NULL) != TN_OK) {
        return;
    }
    bool inside = false;
    while (text.n > 0) {
        tn_str name, value;
        (void)tn_str_cut(text, '\n', &line, &text);
        line = tn_str_trim(line);
        if (line.n > 1 && line.p[0] == '[') {
            tn_str head = tn_str_trim(tn_str_sub(line, 1, line.n - 1));
            if (tn_str_starts(head, TN_STR("profile "))) {
                head = tn_str_trim(tn_str_sub(head, 8, head.n));
            }
            inside = tn_str_eq(head, section);
        } else if (inside && line.n > 0 && line.p[0] != '#' && line.p[0] != ';' &&
                   tn_str_cut(line, '=', &name, &value)) {
            field f = field_of(r->a, tn_str_trim(name));
            if (f < FIELDS && r->v[f].p == NULL) {
                r->v[f] = tn_str_dup(r->a, tn_str_trim(value));
            }
        }
    }
}

/* A key and its secret and token belong together: they come from one source. */
static const char *take_keys(reader *r)
{
    if (r->v[F_KEY_ID].n > 0) {
        return "the options";
    }
    r->v[F_SECRET] = r->v[F_TOKEN] = TN_STR_NONE;
    tn_str profile = r->v[F_PROFILE];
    if (profile.n == 0 && tn_env_get("AWS_ACCESS_KEY_ID").n > 0) {
        r->v[F_KEY_ID] = TN_STR_NONE;
        take_env(r, F_KEY_ID, "AWS_ACCESS_KEY_ID");
        take_env(r, F_SECRET, "AWS_SECRET_ACCESS_KEY");
        take_env(r, F_TOKEN, "AWS_SESSION_TOKEN");
        return "the environment";
    }
    profile = profile.n > 0 ? profile : tn_env_get("AWS_PROFILE");
    profile = profile.n > 0 ? profile : TN_STR("default");
    r->v[F_KEY_ID] = TN_STR_NONE;
    take_ini(r, home_file(r->a, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"), profile);
    take_ini(r, home_file(r->a, "AWS_CONFIG_FILE", ".aws/config"), profile);
    return r->v[F_KEY_ID].n > 0 ? "the shared credentials file" : NULL;
}

/* ---- meanings ---- */

static tn_rc flag(reader *r, field f, const char *name, bool *ret)
{
    tn_str v = r->v[f];
    static const char *const yes[] = { "true", "1", "yes", "on", "t" };
    static const char *const no[] = { "false", "0", "no", "off", "f" };
    for (size_t i = 0; v.p != NULL && i < TN_COUNTOF(yes); i++) {
        if (tn_str_eq_nocase(v, tn_str_of(yes[i])) || tn_str_eq_nocase(v, tn_str_of(no[i]))) {
            *ret = tn_str_eq_nocase(v, tn_str_of(yes[i]));
            return TN_OK;
        }
    }
    if (v.p == NULL) {
        return TN_OK;
    }
    return tn_fail(r->err, TN_E_VALUE,
        "the storage option '%s' is true or false, not '" TN_STR_FMT "'", name, TN_STR_ARG(v));
}

static tn_rc read_endpoint(reader *r, tn_s3_config *c)
{
    tn_str e = r->v[F_ENDPOINT];
    bool allow_http = false, given = r->v[F_USE_SSL].p != NULL, use_ssl = true;
    TN_TRY(flag(r, F_ALLOW_HTTP, "allow_http", &allow_http));
    TN_TRY(flag(r, F_USE_SSL, "use_ssl", &use_ssl));
    bool plain = tn_str_starts(e, TN_STR("http://"));
    bool secure = tn_str_starts(e, TN_STR("https://"));
    if (plain || secure) {
        e = tn_str_sub(e, plain ? 7 : 8, e.n);
    }
    while (e.n > 0 && e.p[e.n - 1] == '/') {
        e.n--;
    }
    if (tn_str_find_char(e, '/', 0) != SIZE_MAX || tn_str_find_char(e, '@', 0) != SIZE_MAX ||
        tn_str_find_char(e, '?', 0) != SIZE_MAX) {
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

static tn_rc read_style(reader *r, tn_s3_config *c)
{
    c->path_style = c->host.n > 0; /* custom endpoints rarely have a name for each bucket */
    bool is_virtual = !c->path_style;
    TN_TRY(flag(r, F_PATH_STYLE, "path_style", &c->path_style));
    if (r->v[F_VIRTUAL].p != NULL) {
        TN_TRY(flag(r, F_VIRTUAL, "virtual_hosted_style_request", &is_virtual));
        c->path_style = !is_virtual;
    }
    tn_str style = r->v[F_URL_STYLE];
    if (style.p == NULL) {
        return TN_OK;
    }
    bool path = tn_str_eq_nocase(style, TN_STR("path"));
    if (!path && !tn_str_eq_nocase(style, TN_STR("vhost"))) {
        return tn_fail(r->err, TN_E_VALUE, "url_style is path or vhost, not '" TN_STR_FMT "'",
            TN_STR_ARG(style));
    }
    c->path_style = path;
    return TN_OK;
}

static tn_rc read_tls(reader *r, tn_s3_config *c)
{
    bool no_verify = false;
    c->verify_tls = true;
    TN_TRY(flag(r, F_VERIFY, "verify_tls", &c->verify_tls));
    TN_TRY(flag(r, F_NO_VERIFY, "allow_invalid_certificates", &no_verify));
    c->verify_tls = c->verify_tls && !no_verify;
    TN_TRY(flag(r, F_UNSIGNED, "unsigned_payload", &c->unsigned_payload));
    c->unsigned_payload = c->unsigned_payload && c->use_ssl; /* else nothing guards the body */
    c->ca_file = r->v[F_CA_FILE];
    c->client_cert = r->v[F_CLIENT_CERT];
    c->client_key = r->v[F_CLIENT_KEY];
    c->proxy = r->v[F_PROXY];
    return TN_OK;
}

static tn_rc read_conditional(reader *r, tn_s3_config *c)
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
    return flag(r, F_UNSAFE, "allow_unsafe_rename", &c->single_writer);
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

static tn_rc read_keys(reader *r, tn_s3_config *c)
{
    bool anonymous = false;
    TN_TRY(flag(r, F_ANONYMOUS, "skip_signature", &anonymous));
    c->key_source = anonymous ? NULL : take_keys(r);
    if (c->key_source == NULL && !anonymous) {
        s3_lent lent = { .source = NULL };
        bool chain = tn_str_eq_nocase(r->v[F_PROVIDER], TN_STR("credential_chain"));
        TN_TRY(s3_lent_keys(r->a, chain, &lent, r->err));
        r->v[F_KEY_ID] = lent.key_id;
        r->v[F_SECRET] = lent.secret;
        r->v[F_TOKEN] = lent.token;
        c->key_source = lent.source;
    }
    if (c->key_source == NULL) {
        return TN_OK;
    }
    c->key_id = r->v[F_KEY_ID];
    c->secret = r->v[F_SECRET];
    c->session_token = r->v[F_TOKEN];
    if (c->secret.n == 0) {
        return tn_fail(
            r->err, TN_E_AUTH, "an access key id without its secret is in %s", c->key_source);
    }
    tn_log_secret(c->secret);
    tn_log_secret(c->session_token);
    return TN_OK;
}

tn_rc tn_s3_config_read(tn_arena *a, tn_str url, tn_val options, tn_s3_config *ret, tn_err *err)
{
    tn_s3_config c = { .retries_max = 0 };
    reader r = { .a = a, .err = err };
    TN_TRY(read_place(a, url, &c, err));
    take_dict(&r, options);
    take_dict(&r, secret_for(tn_val_at(options, "secrets"), url));
    take_env(&r, F_ENDPOINT, "AWS_ENDPOINT_URL_S3");
    take_env(&r, F_ENDPOINT, "AWS_ENDPOINT_URL");
    take_env(&r, F_ENDPOINT, "AWS_ENDPOINT");
    take_env(&r, F_ALLOW_HTTP, "AWS_ALLOW_HTTP");
    take_env(&r, F_CONDITIONAL, "AWS_CONDITIONAL_PUT");
    take_env(&r, F_UNSAFE, "AWS_S3_ALLOW_UNSAFE_RENAME");
    take_env(&r, F_VIRTUAL, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST");
    take_env(&r, F_REGION, "AWS_REGION");
    take_env(&r, F_REGION, "AWS_DEFAULT_REGION");
    take_env(&r, F_CA_FILE, "TARN_CA_FILE");
    take_env(&r, F_CA_FILE, "AWS_CA_BUNDLE");
    TN_TRY(read_keys(&r, &c)); /* a profile's files may name region and endpoint too */
    TN_TRY(read_endpoint(&r, &c));
    TN_TRY(read_style(&r, &c));
    TN_TRY(read_tls(&r, &c));
    c.region = r.v[F_REGION].n > 0 ? r.v[F_REGION] : TN_STR("us-east-1");
    int64_t n;
    if (r.v[F_RETRIES].p != NULL) {
        if (!tn_str_to_i64(r.v[F_RETRIES], &n) || n < 0 || n > 100) {
            return tn_fail(err, TN_E_VALUE, "max_retries is a number from 0 to 100");
        }
        c.retries_max = n == 0 ? -1 : (int)n;
    }
    TN_TRY(read_conditional(&r, &c));
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
