/* store_s3_options.c: the many names that people have for the same settings: tarn's, deltalake's and object_store's, dbt-duckdb's, Amazon's.
 *
 * Names count in any case and with or without AWS_ and S3_ before them. One that nobody knows is warned about (deltalake passes over it in silence).
 */
#include "base/log.h"
#include "os/proc.h"
#include "store/store_s3_config_impl.h"

/* Names in lower case, after "aws_" and "s3_" have been taken off. */
static const struct {
    const char *name;
    s3_field field;
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
    { "provider", F_PROVIDER },
    { "addressing_style", F_URL_STYLE },
    { "certificate_path", F_CA_FILE },
    { "proxy_excludes", F_NO_PROXY },
    { "no_proxy", F_NO_PROXY },
    { "connect_timeout", F_CONNECT_TIMEOUT },
    { "timeout", F_TIMEOUT },
    { "read_timeout", F_TIMEOUT },
    { "locking_provider", F_LOCKING },
    { "credential_process", F_PROCESS },
    { "role_arn", F_ROLE },
    { "iam_role_arn", F_ROLE },
    { "assume_role_arn", F_ROLE },
    { "role_session_name", F_ROLE_SESSION },
    { "iam_role_session_name", F_ROLE_SESSION },
    { "external_id", F_EXTERNAL_ID },
    { "web_identity_token_file", F_TOKEN_FILE },
    { "endpoint_url_sts", F_STS },
    { "source_profile", F_SOURCE_PROFILE },
    { "credential_source", F_CREDENTIAL_SOURCE },
    { "sso_session", F_SSO },
    { "sso_start_url", F_SSO },
    /* objects would be written otherwise than wished, or not be read at all */
    { "server_side_encryption", F_REFUSED },
    { "sse_kms_key_id", F_REFUSED },
    { "sse_bucket_key_enabled", F_REFUSED },
    { "sse_customer_key_base64", F_REFUSED },
    { "request_payer", F_REFUSED },
    { "requester_pays", F_REFUSED },
    { "kms_key_id", F_REFUSED },
    { "express", F_REFUSED },
    { "disable_system_certificates", F_REFUSED },
    { "proxy_ca_certificate", F_REFUSED },
    /* other programs' settings that mean nothing here */
    { "copy_if_not_exists", F_IGNORED },
    { "type", F_IGNORED },
    { "name", F_IGNORED },
    { "scope", F_IGNORED },
    { "secrets", F_IGNORED },
    { "persistent", F_IGNORED },
    { "secret_kwargs", F_IGNORED },
    { "chain", F_IGNORED },
    { "refresh", F_IGNORED },
    { "validation", F_IGNORED },
    { "url_compatibility_mode", F_IGNORED },
    { "bucket", F_IGNORED },
    { "bucket_name", F_IGNORED },
    { "disable_tagging", F_IGNORED },
    { "disable_bulk_delete", F_IGNORED },
    { "checksum_algorithm", F_IGNORED },
    { "imdsv1_fallback", F_IGNORED },
    { "retry_timeout", F_IGNORED },
    { "init_backoff", F_IGNORED },
    { "max_backoff", F_IGNORED },
    { "base", F_IGNORED },
    { "backoff_config.init_backoff", F_IGNORED },
    { "backoff_config.max_backoff", F_IGNORED },
    { "backoff_config.base", F_IGNORED },
    { "backoff.init_backoff", F_IGNORED },
    { "backoff.max_backoff", F_IGNORED },
    { "backoff.base", F_IGNORED },
    { "concurrency_limit", F_IGNORED },
    { "default_content_type", F_IGNORED },
    { "http1_only", F_IGNORED },
    { "http2_only", F_IGNORED },
    { "http2_keep_alive_interval", F_IGNORED },
    { "http2_keep_alive_timeout", F_IGNORED },
    { "http2_keep_alive_while_idle", F_IGNORED },
    { "http2_max_frame_size", F_IGNORED },
    { "pool_idle_timeout", F_IGNORED },
    { "pool_idle_timeout_seconds", F_IGNORED },
    { "pool_max_idle_per_host", F_IGNORED },
    { "randomize_addresses", F_IGNORED },
    { "user_agent", F_IGNORED },
    { "sts_pool_idle_timeout_seconds", F_IGNORED },
    { "get_internal_server_error_retries", F_IGNORED },
    { "force_credential_load", F_IGNORED },
    { "ec2_metadata_disabled", F_IGNORED },
    { "ec2_metadata_timeout", F_IGNORED },
    { "endpoint_url_dynamodb", F_IGNORED },
    { "region_dynamodb", F_IGNORED },
    { "access_key_id_dynamodb", F_IGNORED },
    { "secret_access_key_dynamodb", F_IGNORED },
    { "session_token_dynamodb", F_IGNORED },
    { "sso_account_id", F_IGNORED },
    { "sso_role_name", F_IGNORED },
    { "sso_region", F_IGNORED },
    { "output", F_IGNORED },
    { "services", F_IGNORED },
    { "duration_seconds", F_IGNORED },
};

s3_field s3_field_of(tn_arena *a, tn_str name)
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
    return S3_FIELDS;
}

static tn_rc refuse(s3_reader *r, tn_str name)
{
    return tn_hint(r->err,
        tn_fail(r->err, TN_E_UNSUPPORTED, "the storage option '" TN_STR_FMT "' is not supported",
            TN_STR_ARG(name)),
        "leave it out; encryption can be the bucket's own setting");
}

tn_rc s3_take_dict(s3_reader *r, tn_val dict)
{
    if (dict.tag != TN_DICT) {
        return TN_OK;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(dict.dict, &at)) != NULL) {
        tn_str name = tn_val_to_str(r->a, it->key), value = TN_STR_NONE;
        s3_field f = s3_field_of(r->a, name);
        bool given = tn_val_is_given(it->value);
        if (f == S3_FIELDS) {
            tn_log(TN_LOG_WARN, "store", "the storage option '" TN_STR_FMT "' is not known",
                TN_STR_ARG(name));
        } else if (given && f != F_IGNORED) {
            value = tn_val_to_str(r->a, it->value);
            if (f == F_REFUSED && value.n > 0 && !tn_str_eq_nocase(value, TN_STR("false"))) {
                return refuse(r, name);
            }
            r->v[f] = value;
        }
    }
    if (tn_str_eq_nocase(r->v[F_LOCKING], TN_STR("dynamodb"))) {
        tn_log(TN_LOG_WARN, "store",
            "locking_provider: dynamodb is not used: tarn commits by conditional put, and programs "
            "that lock in DynamoDB must not write to the same tables");
    }
    return TN_OK;
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

tn_val s3_secret_for(tn_val secrets, tn_str url)
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

/* ---- the environment ---- */

void s3_take_var(s3_reader *r, s3_field f, const char *name)
{
    tn_str v = tn_env_get(name);
    if (r->v[f].p == NULL && v.n > 0) {
        r->v[f] = tn_str_dup(r->a, v);
    }
}

void s3_take_env(s3_reader *r)
{
    static const struct {
        const char *name;
        s3_field field;
    } vars[] = {
        { "AWS_ENDPOINT_URL_S3", F_ENDPOINT },
        { "AWS_ENDPOINT_URL", F_ENDPOINT },
        { "AWS_ENDPOINT", F_ENDPOINT },
        { "AWS_ALLOW_HTTP", F_ALLOW_HTTP },
        { "AWS_VIRTUAL_HOSTED_STYLE_REQUEST", F_VIRTUAL },
        { "AWS_S3_ADDRESSING_STYLE", F_URL_STYLE },
        { "AWS_REGION", F_REGION },
        { "AWS_DEFAULT_REGION", F_REGION },
        { "TARN_CA_FILE", F_CA_FILE },
        { "AWS_CA_BUNDLE", F_CA_FILE },
        { "AWS_CONDITIONAL_PUT", F_CONDITIONAL },
        { "AWS_S3_ALLOW_UNSAFE_RENAME", F_UNSAFE },
        { "AWS_SKIP_SIGNATURE", F_ANONYMOUS },
        { "AWS_UNSIGNED_PAYLOAD", F_UNSIGNED },
        { "AWS_ENDPOINT_URL_STS", F_STS },
    };
    for (size_t i = 0; i < TN_COUNTOF(vars); i++) {
        s3_take_var(r, vars[i].field, vars[i].name);
    }
}

/* ---- flags ---- */

tn_rc s3_flag(s3_reader *r, s3_field f, const char *name, bool *ret)
{
    tn_str v = r->v[f];
    static const char *const yes[] = { "true", "1", "yes", "on", "t", "y" };
    static const char *const no[] = { "false", "0", "no", "off", "f", "n" };
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
