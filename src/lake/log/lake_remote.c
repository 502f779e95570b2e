/* lake_remote.c: see lake_remote.h.
 *
 * DuckDB has a TLS stack of its own, which knows neither the system's certificates nor ours: it gets one file with all that we trust. The file is
 * named by its content in the user's cache, so that runs share it. ca_cert_file must be set globally: ATTACH ignores the session's. It is set before
 * httpfs is loaded, which most runs never do: by a URL in somebody's SQL or view, by a secret, by another extension.
 */
#include "lake/lake_remote.h"
#include "lake/log/lake_file.h"

#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "store/store_s3.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { SECRET_SQL_BYTES_MAX = 64 << 10 };

/* ---- certificates ---- */

static tn_rc bundle_path(tn_arena *a, tn_str bundle, tn_str *ret, tn_err *err)
{
    tn_str path = tn_store_cache_path(a, "ca", bundle);
    if (path.n == 0) {
        return tn_fail(err, TN_E_IO, "neither XDG_CACHE_HOME nor HOME is set");
    }
    path = tn_str_concat(a, path, TN_STR(".pem"));
    if (!tn_file_exists(path)) {
        TN_TRY(tn_dir_make(tn_path_dir(path), err));
        tn_rc rc = tn_file_write_absent(path, bundle, err);
        if (rc != TN_OK && rc != TN_E_EXISTS) {
            return rc;
        }
    }
    *ret = path;
    return TN_OK;
}

static tn_rc trust(tn_conn *conn, tn_arena *a, tn_str ca_file, tn_err *err)
{
    tn_str bundle, path;
    TN_TRY(tn_s3_ca_bundle(a, ca_file, &bundle, err));
    if (bundle.n == 0) {
        return TN_OK;
    }
    tn_err why = TN_ERR_INIT;
    tn_rc rc = bundle_path(a, bundle, &path, &why);
    if (rc != TN_OK) {
        if (ca_file.n == 0 || tn_file_is_dir(ca_file)) {
            return tn_while(err, tn_err_pass(err, rc, &why), "keeping the certificates for DuckDB");
        }
        path = ca_file; /* without the system's, but it reaches the bucket */
    }
    return tn_conn_set_ahead(conn, "ca_cert_file", path, err);
}

/* ---- secrets ---- */

static void add_text(tn_buf *b, const char *name, tn_str value)
{
    if (value.n > 0) {
        tn_buf_addf(b, ", %s ", name);
        tn_sql_literal(b, value);
    }
}

static tn_rc make_secret(tn_conn *conn, tn_arena *a, const tn_s3_config *c, tn_err *err)
{
    tn_buf b = tn_buf_init(a, SECRET_SQL_BYTES_MAX);
    tn_buf_addz(&b, "CREATE OR REPLACE TEMPORARY SECRET ");
    tn_sql_ident(&b, tn_str_concat(a, TN_STR("tarn_"), c->bucket));
    tn_buf_addz(&b, " (TYPE s3, PROVIDER config");
    add_text(&b, "KEY_ID", c->key_id);
    add_text(&b, "SECRET", c->secret);
    add_text(&b, "SESSION_TOKEN", c->session_token);
    add_text(&b, "REGION", c->region);
    add_text(&b, "ENDPOINT", c->host);
    tn_buf_addf(&b, ", URL_STYLE '%s', USE_SSL %s", c->path_style ? "path" : "vhost",
        c->use_ssl ? "true" : "false");
    if (!c->verify_tls) {
        tn_buf_addz(&b, ", VERIFY_SSL false");
    }
    add_text(&b, "SCOPE", tn_str_printf(a, "s3://" TN_STR_FMT "/", TN_STR_ARG(c->bucket)));
    tn_buf_addc(&b, ')');
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "a secret", &sql, err));
    tn_rc rc = tn_conn_exec(conn, sql, err);
    return rc == TN_OK ? rc : tn_while(err, rc, "giving DuckDB the keys of the bucket");
}

/* ---- the proxy ---- */

/* The option's: DuckDB takes the environment's by itself. It has no setting for hosts that are reached straight, so with no_proxy it gets none. */
static tn_rc go_by_proxy(tn_conn *conn, tn_arena *a, const tn_s3_config *c, tn_err *err)
{
    if (c->proxy.n == 0 || c->no_proxy.n > 0) {
        return TN_OK;
    }
    size_t from = tn_str_find(c->proxy, TN_STR("://"), 0);
    from = from == SIZE_MAX ? 0 : from + 3;
    tn_str rest = tn_str_sub(c->proxy, from, c->proxy.n), user, password = TN_STR_NONE;
    size_t at = tn_str_find_char(rest, '@', 0);
    if (at != SIZE_MAX) {
        user = tn_str_sub(rest, 0, at);
        (void)tn_str_cut(tn_str_sub(rest, 0, at), ':', &user, &password);
        tn_log_secret(password);
        TN_TRY(tn_conn_set(conn, "http_proxy_username", tn_val_str(user), true, err));
        TN_TRY(tn_conn_set(conn, "http_proxy_password", tn_val_str(password), true, err));
        rest = tn_str_sub(rest, at + 1, rest.n);
    }
    tn_str place = tn_str_concat(a, tn_str_sub(c->proxy, 0, from), rest);
    return tn_conn_set(conn, "http_proxy", tn_val_str(place), true, err);
}

/* ---- secrets of lent keys ---- */

typedef struct borrowed {
    tn_str url;
    tn_val storage;
} borrowed;

static tn_rc lend_again(void *self, tn_conn *conn, int64_t *ret_next_us, tn_err *err)
{
    const borrowed *b = self;
    TN_AUTO_ARENA a = tn_arena_new("remote", NULL);
    tn_s3_config c;
    TN_TRY(tn_s3_config_read(a, b->url, b->storage, &c, err));
    TN_TRY(make_secret(conn, a, &c, err));
    *ret_next_us = c.renew_us;
    return TN_OK;
}

/* The database's secret is made anew before a statement when the key is about to run out. */
static void renew_later(tn_conn *conn, tn_str url, tn_val storage, const tn_s3_config *c)
{
    tn_arena *own = tn_arena_new("borrowed key", NULL);
    borrowed *b = tn_new(own, borrowed);
    b->url = tn_str_dup(own, url);
    b->storage = tn_val_dup(own, storage);
    tn_duck_renewal r = { .name = tn_str_concat(own, TN_STR("the key of bucket "), c->bucket),
        .at_us = c->renew_us,
        .fn = lend_again,
        .self = b,
        .arena = own };
    tn_duck_renew(conn, &r);
}

tn_rc tn_lake_remote_prepare(tn_conn *conn, tn_str url, tn_val storage, tn_err *err)
{
    if (!tn_uri_is_remote(url)) {
        return TN_OK;
    }
    TN_AUTO_ARENA a = tn_arena_new("remote", NULL);
    tn_uri uri;
    TN_TRY(tn_uri_parse(a, url, &uri, err));
    bool s3 = tn_str_is(uri.scheme, "s3") || tn_str_is(uri.scheme, "s3a");
    if (!s3 && !tn_str_is(uri.scheme, "https") && !tn_str_is(uri.scheme, "http")) {
        return TN_OK; /* mem://: nothing of DuckDB's */
    }
    TN_TRY(tn_duck_load(conn, TN_STR("httpfs"), err));
    if (!s3) {
        return trust(conn, a, tn_env_get("TARN_CA_FILE"), err);
    }
    tn_s3_config c;
    TN_TRY(tn_s3_config_read(a, url, storage, &c, err));
    if (c.use_ssl && c.verify_tls) {
        TN_TRY(trust(conn, a, c.ca_file, err));
    }
    TN_TRY(go_by_proxy(conn, a, &c, err));
    TN_TRY(make_secret(conn, a, &c, err));
    if (c.renew_us > 0) {
        renew_later(conn, url, storage, &c);
    }
    return TN_OK;
}

tn_rc tn_lake_connect(tn_lake *l, tn_conn *conn, tn_err *err)
{
    return l->remote ? tn_lake_remote_prepare(conn, l->root, l->storage, err) : TN_OK;
}

static tn_str ca_file_of(tn_val storage)
{
    tn_str ca_file = tn_val_str_at(storage, "ca_file", tn_env_get("TARN_CA_FILE"));
    return ca_file.n > 0 ? ca_file : tn_env_get("AWS_CA_BUNDLE");
}

void tn_lake_remote_trust_process(tn_str ca_file)
{
    TN_AUTO_ARENA a = tn_arena_new("trust", NULL);
    tn_str bundle, path;
    ca_file = ca_file.n > 0 ? ca_file : ca_file_of(TN_VAL_UNDEF);
    if (ca_file.n == 0 || tn_s3_ca_bundle(a, ca_file, &bundle, NULL) != TN_OK ||
        bundle_path(a, bundle, &path, NULL) != TN_OK ||
        tn_env_set("SSL_CERT_FILE", path, NULL) != TN_OK) {
        tn_log(TN_LOG_DEBUG, "lake", "SSL_CERT_FILE is left as it is");
    }
}

tn_rc tn_lake_remote_trust(tn_conn *conn, tn_val storage, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("trust", NULL);
    tn_val secrets = tn_val_at(storage, "secrets");
    tn_str ca_file = ca_file_of(storage);
    bool wanted = ca_file.n > 0 || (secrets.tag == TN_LIST && secrets.list->n > 0);
    if (!wanted || !tn_val_bool_at(storage, "verify_tls", true)) {
        return TN_OK;
    }
    tn_lake_remote_trust_process(ca_file);
    return trust(conn, a, ca_file, err);
}

tn_val tn_lake_storage_of(tn_arena *a, tn_val output)
{
    static const char *const names[] = { "secrets", "ca_file", "verify_tls" };
    if (output.tag != TN_DICT || output.dict == NULL) {
        return TN_VAL_UNDEF;
    }
    tn_val storage = tn_val_at(output, "storage"), all = storage;
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        tn_val v = tn_val_at(output, names[i]);
        if (!tn_val_is_given(v) || !tn_val_is_undef(tn_val_at(all, names[i]))) {
            continue;
        }
        if (all.tag != TN_DICT || all.dict == storage.dict) { /* the profile's own is not touched */
            all = storage.tag == TN_DICT ? tn_val_dup(a, storage) : tn_val_dict(a);
        }
        tn_dict_putz(all.dict, names[i], v);
    }
    return all;
}

void tn_lake_remote_init_sql(tn_lake *l, bool install, tn_buf *b)
{
    TN_AUTO_ARENA a = tn_arena_new("init.sql", NULL);
    tn_buf_addz(b, install ? "INSTALL httpfs;\nLOAD httpfs;\n" : "LOAD httpfs;\n");
    tn_s3_config c;
    if (tn_s3_config_read(a, l->root, l->storage, &c, NULL) != TN_OK) {
        return;
    }
    if (c.use_ssl && c.ca_file.n > 0) {
        tn_buf_addz(b, "-- The endpoint's certificate is signed by a private authority: give the "
                       "path of its file as you have it.\nSET GLOBAL ca_cert_file = ");
        tn_sql_literal(b, tn_path_base(c.ca_file));
        tn_buf_addz(b, ";\n");
    }
    tn_buf_addz(b, "-- Put in your own key.\nCREATE OR REPLACE SECRET lake (TYPE s3, KEY_ID '...', "
                   "SECRET '...'");
    add_text(b, "REGION", c.region);
    add_text(b, "ENDPOINT", c.host);
    tn_buf_addf(b, ", URL_STYLE '%s', USE_SSL %s", c.path_style ? "path" : "vhost",
        c.use_ssl ? "true" : "false");
    add_text(b, "SCOPE", tn_str_printf(a, "s3://" TN_STR_FMT "/", TN_STR_ARG(c.bucket)));
    tn_buf_addz(b, ");\n");
}
