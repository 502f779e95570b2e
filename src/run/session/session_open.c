/* session_open.c: opens the database that a profile describes, in dbt-duckdb's order: config_options at open, extensions, secrets,
 * attachments; `settings` on every connection. Nothing secret reaches a message: values are registered for scrubbing first. */
#include "base/log.h"
#include "lake/lake_remote.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "run/session/lake_target.h"
#include "run/session/plugin.h"
#include "run/session/session.h"
#include "run/value/sql_retry.h"
#include "store/store_s3.h"
#include "text/sqltext.h"
#include "text/uri.h"

static void close_duck(void *p)
{
    tn_duck_close(p);
}

/* "memory" in memory; else the file's stem, as DuckDB names it. */
static tn_str database_name(tn_arena *a, tn_str path)
{
    return path.n == 0 ? TN_STR("memory") : tn_str_dup(a, tn_path_base(tn_path_stem(path)));
}

static bool is_word(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                (c >= 'A' && c <= 'Z'))) {
            return false;
        }
    }
    return s.n > 0;
}

static tn_str text_of(tn_arena *a, tn_val v)
{
    if (v.tag == TN_BOOL) {
        return v.i ? TN_STR("true") : TN_STR("false");
    }
    return tn_val_to_str(a, v);
}

/* ---- secrets ---- */

static void secret_list(tn_buf *b, tn_arena *a, tn_val list)
{
    for (size_t i = 0; i < list.list->n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_sql_literal(b, text_of(a, list.list->v[i]));
    }
}

static void secret_map(tn_buf *b, tn_arena *a, const tn_dict *map)
{
    size_t at = 0;
    const tn_dict_item *it;
    tn_buf_addz(b, "map {");
    for (bool first = true; (it = tn_dict_next(map, &at)) != NULL; first = false) {
        tn_buf_addz(b, first ? "" : ", ");
        tn_sql_literal(b, text_of(a, it->key));
        tn_buf_addz(b, ": ");
        tn_sql_literal(b, text_of(a, it->value));
    }
    tn_buf_addc(b, '}');
}

static bool is_secret_key(tn_str key)
{
    static const char *const words[] = { "secret", "token", "password", "key", "connection_string",
        "http_proxy_password" };
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        if (tn_str_find(key, tn_str_of(words[i]), 0) != SIZE_MAX && !tn_str_is(key, "key_id")) {
            return true;
        }
    }
    return false;
}

static tn_rc secret_param(tn_buf *b, tn_arena *a, tn_str key, tn_val value, tn_err *err)
{
    if (!is_word(key)) {
        return tn_fail(
            err, TN_E_VALUE, "'" TN_STR_FMT "' is no parameter of a secret", TN_STR_ARG(key));
    }
    tn_buf_addz(b, ", ");
    tn_buf_add(b, key);
    tn_buf_addc(b, ' ');
    if (value.tag == TN_DICT) {
        secret_map(b, a, value.dict);
    } else if (tn_val_is_seq(value)) {
        tn_buf_addz(b, "array [");
        secret_list(b, a, value);
        tn_buf_addc(b, ']');
    } else if ((tn_str_is(key, "type") || tn_str_is(key, "provider")) &&
               is_word(text_of(a, value))) {
        tn_buf_add(b, text_of(a, value));
    } else {
        tn_sql_literal(b, text_of(a, value));
    }
    return TN_OK;
}

/* A list in one: of several `scope` DuckDB takes the last. */
static void secret_scope(tn_buf *b, tn_arena *a, tn_val scope)
{
    if (tn_val_is_seq(scope) && scope.list->n > 0) {
        tn_buf_addz(b, ", scope array [");
        secret_list(b, a, scope);
        tn_buf_addc(b, ']');
    } else if (tn_val_is_str(scope)) {
        tn_buf_addz(b, ", scope ");
        tn_sql_literal(b, tn_val_as_str(scope));
    }
}

/* DuckDB's credential_chain needs an extension of Amazon's SDK; tarn looks in the same places and gives DuckDB what it has found. */
static tn_rc resolve_chain(tn_arena *a, tn_val *io_secret, int64_t *ret_renew_us, tn_err *err)
{
    if (!tn_str_is(tn_val_str_at(*io_secret, "provider", TN_STR_NONE), "credential_chain") ||
        !tn_str_is(tn_val_str_at(*io_secret, "type", TN_STR_NONE), "s3")) {
        return TN_OK;
    }
    tn_val out = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(io_secret->dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (!tn_str_is(key, "provider") && !tn_str_is(key, "chain") && !tn_str_is(key, "profile")) {
            tn_dict_put(out.dict, it->key, it->value);
        }
    }
    tn_s3_config config;
    TN_TRY(tn_s3_config_read(a, TN_STR("s3://any-bucket"), *io_secret, &config, err));
    *ret_renew_us = config.renew_us;
    tn_dict_putz(out.dict, "region", tn_val_str(config.region));
    if (config.key_source != NULL) {
        tn_dict_putz(out.dict, "key_id", tn_val_str(config.key_id));
        tn_dict_putz(out.dict, "secret", tn_val_str(config.secret));
        if (config.session_token.n > 0) {
            tn_dict_putz(out.dict, "session_token", tn_val_str(config.session_token));
        }
    }
    *io_secret = out;
    return TN_OK;
}

/* *ret_renew_us: when its key is to be read again; 0: never. */
static tn_rc create_secret(
    tn_conn *c, tn_arena *a, tn_val secret, size_t number, int64_t *ret_renew_us, tn_err *err)
{
    *ret_renew_us = 0;
    if (secret.tag != TN_DICT || tn_val_str_at(secret, "type", TN_STR_NONE).n == 0) {
        return tn_fail(err, TN_E_VALUE, "secret %zu of the profile has no type", number);
    }
    TN_TRY(resolve_chain(a, &secret, ret_renew_us, err));
    tn_buf b = tn_buf_init(a, 1 << 20);
    tn_str name = tn_val_str_at(secret, "name", TN_STR_NONE);
    name = name.n > 0 ? name : tn_str_printf(a, "_dbt_secret_%zu", number);
    tn_buf_addz(&b, "CREATE OR REPLACE ");
    tn_buf_addz(&b, tn_val_bool_at(secret, "persistent", false) ? "PERSISTENT SECRET " : "SECRET ");
    tn_sql_ident(&b, name);
    tn_buf_addz(&b, " (type ");
    tn_str type = tn_val_str_at(secret, "type", TN_STR_NONE);
    if (!is_word(type)) {
        return tn_fail(
            err, TN_E_VALUE, "'" TN_STR_FMT "' is no type of a secret", TN_STR_ARG(type));
    }
    tn_buf_add(&b, type);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(secret.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (tn_val_is_none(it->value) || tn_str_is(key, "name") || tn_str_is(key, "persistent") ||
            tn_str_is(key, "type") || tn_str_is(key, "scope")) {
            continue;
        }
        if (is_secret_key(key)) {
            tn_log_secret(text_of(a, it->value));
        }
        TN_TRY(secret_param(&b, a, key, it->value, err));
    }
    secret_scope(&b, a, tn_val_at(secret, "scope"));
    tn_buf_addc(&b, ')');
    tn_rc rc = tn_conn_exec(c, tn_buf_str(&b), err);
    return rc == TN_OK ? TN_OK
                       : tn_while(err, rc, "creating secret '" TN_STR_FMT "' of the profile",
                             TN_STR_ARG(name));
}

typedef struct borrowed_secret {
    tn_val secret;
    size_t number;
} borrowed_secret;

static tn_rc create_again(void *self, tn_conn *c, int64_t *ret_next_us, tn_err *err)
{
    const borrowed_secret *b = self;
    TN_AUTO_ARENA a = tn_arena_new("secret", NULL);
    return create_secret(c, a, b->secret, b->number, ret_next_us, err);
}

static void renew_later(tn_conn *c, tn_val secret, size_t number, int64_t at_us)
{
    tn_arena *own = tn_arena_new("borrowed secret", NULL);
    borrowed_secret *b = tn_new(own, borrowed_secret);
    *b = (borrowed_secret){ .secret = tn_val_dup(own, secret), .number = number };
    tn_duck_renewal r = { .name = tn_str_printf(own, "secret %zu of the profile", number),
        .at_us = at_us,
        .fn = create_again,
        .self = b,
        .arena = own };
    tn_duck_renew(c, &r);
}

static tn_rc create_secrets(tn_conn *c, tn_arena *a, tn_val secrets, tn_err *err)
{
    for (size_t i = 0; tn_val_is_seq(secrets) && i < secrets.list->n; i++) {
        int64_t renew_us;
        TN_TRY(create_secret(c, a, secrets.list->v[i], i + 1, &renew_us, err));
        if (renew_us > 0) {
            renew_later(c, secrets.list->v[i], i + 1, renew_us);
        }
    }
    return TN_OK;
}

/* ---- extensions, attachments, settings ---- */

static tn_rc load_extensions(tn_conn *c, tn_val list, tn_err *err)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val item = list.list->v[i];
        tn_str name =
            item.tag == TN_DICT ? tn_val_str_at(item, "name", TN_STR_NONE) : tn_val_as_str(item);
        tn_rc rc = tn_duck_load(c, name, err);
        if (rc != TN_OK) {
            return tn_while(
                err, rc, "loading extension '" TN_STR_FMT "' of the profile", TN_STR_ARG(name));
        }
    }
    return TN_OK;
}

static void attach_options(tn_buf *b, tn_arena *a, tn_val item)
{
    bool first = true;
    tn_val options = tn_val_at(item, "options");
    static const char *const words[][2] = { { "type", "TYPE " }, { "secret", "SECRET " } };
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        tn_str v =
            tn_val_str_at(item, words[i][0], tn_val_str_at(options, words[i][0], TN_STR_NONE));
        if (v.n > 0 && is_word(v)) {
            tn_buf_addz(b, first ? " (" : ", ");
            tn_buf_addz(b, words[i][1]);
            tn_buf_add(b, v);
            first = false;
        }
    }
    if (tn_val_bool_at(item, "read_only", tn_val_bool_at(options, "read_only", false))) {
        tn_buf_addz(b, first ? " (READ_ONLY" : ", READ_ONLY");
        first = false;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while (options.tag == TN_DICT && (it = tn_dict_next(options.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (tn_str_is(key, "type") || tn_str_is(key, "secret") || tn_str_is(key, "read_only") ||
            !is_word(key)) {
            continue;
        }
        tn_buf_addz(b, first ? " (" : ", ");
        tn_buf_add(b, key);
        tn_buf_addc(b, ' ');
        tn_sql_literal(b, text_of(a, it->value));
        first = false;
    }
    tn_buf_addz(b, first ? "" : ")");
}

static tn_rc attach_all(tn_conn *c, tn_arena *a, tn_val list, tn_err *err)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val item = list.list->v[i];
        tn_str path = tn_val_str_at(item, "path", TN_STR_NONE),
               alias = tn_val_str_at(item, "alias", TN_STR_NONE);
        tn_buf b = tn_buf_init(a, 1 << 16);
        tn_buf_addz(&b, "ATTACH IF NOT EXISTS ");
        tn_sql_literal(&b, path);
        if (alias.n > 0) {
            tn_buf_addz(&b, " AS ");
            tn_sql_ident(&b, alias);
        }
        attach_options(&b, a, item);
        tn_rc rc = tn_conn_exec(c, tn_buf_str(&b), err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "attaching '" TN_STR_FMT "' of the profile", TN_STR_ARG(path));
        }
    }
    return TN_OK;
}

static tn_rc set_settings(tn_conn *c, tn_arena *a, tn_val settings, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (settings.tag == TN_DICT && (it = tn_dict_next(settings.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (!is_word(key)) {
            return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is no name of a DuckDB setting",
                TN_STR_ARG(key));
        }
        if (is_secret_key(key)) {
            tn_log_secret(text_of(a, it->value));
        }
        tn_buf b = tn_buf_init(a, 1 << 16);
        tn_buf_addz(&b, "SET ");
        tn_buf_add(&b, key);
        tn_buf_addz(&b, " = ");
        tn_sql_literal(&b, text_of(a, it->value));
        tn_rc rc = tn_conn_exec(c, tn_buf_str(&b), err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "settings of the profile");
        }
    }
    return TN_OK;
}

/* Keys that configure Python code: what is told where it cannot be left alone. */
static void warn_of_python(const tn_session *s, tn_val creds)
{
    static const struct {
        const char *key, *instead;
    } keys[] = { { "filesystems", "`secrets` and the httpfs extension read buckets" },
        { "module_paths", "there is no Python inside" },
        { "use_credential_provider", "`secrets` with `provider: credential_chain` finds keys" } };
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        if (tn_val_truthy(tn_val_at(creds, keys[i].key))) {
            tn_event(s->events, TN_EV_WARN, "ProfileKeyIgnored", "T002", TN_VAL_UNDEF,
                "[WARNING]: '%s' of the profile has no effect: %s", keys[i].key, keys[i].instead);
        }
    }
}

static tn_rc check_credentials(const tn_session *s, tn_val creds, tn_err *err)
{
    warn_of_python(s, creds);
    if (tn_val_truthy(tn_val_at(creds, "remote"))) {
        tn_rc rc =
            tn_fail(err, TN_E_UNSUPPORTED, "'remote' of the profile names a Buena Vista server");
        return tn_hint(err, rc, "give `path:` of a database file, or attach the server's database");
    }
    tn_val plugins = tn_val_at(creds, "plugins");
    for (size_t i = 0; tn_val_is_seq(plugins) && i < plugins.list->n; i++) {
        tn_str module = tn_val_str_at(plugins.list->v[i], "module", TN_STR_NONE);
        if (!tn_str_is(module, "delta") && !tn_plugin_module_is_native(module)) {
            tn_event(s->events, TN_EV_WARN, "PluginIgnored", "T001", TN_VAL_UNDEF,
                "[WARNING]: plugin '" TN_STR_FMT
                "' of the profile is Python code that does not run here; a "
                "source or model that uses it will fail",
                TN_STR_ARG(module));
        }
    }
    if (tn_str_starts(s->path, TN_STR("md:")) || tn_str_starts(s->path, TN_STR("motherduck:"))) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "a MotherDuck database cannot be opened: '" TN_STR_FMT "'", TN_STR_ARG(s->path));
    }
    return TN_OK;
}

/* retries.connect_attempts of a file that another process holds: an IOException. */
static tn_rc open_with_retries(const tn_duck_opts *opts, tn_val retries, tn_duck **ret, tn_err *err)
{
    int64_t attempts =
        tn_retry_wanted(retries, "IO Error: ") ? tn_retry_attempts(retries, "connect_attempts") : 1;
    for (int64_t i = 1;; i++) {
        tn_err own = TN_ERR_INIT;
        tn_rc rc = tn_duck_open(opts, ret, &own);
        if (rc == TN_OK || i >= attempts || tn_rc_class(rc) != TN_CLASS_ENV || tn_interrupted()) {
            if (rc != TN_OK && err != NULL) {
                *err = own;
            }
            return rc;
        }
        tn_retry_pause(i);
    }
}

static tn_rc open_duck(tn_session *s, tn_str memory_limit, tn_val creds, tn_err *err)
{
    if (s->path.n > 0 && tn_path_dir(s->path).n > 0) {
        TN_TRY(tn_dir_make(tn_path_dir(s->path), err));
    }
    tn_duck_opts opts = {
        .path = s->path, .memory_limit = memory_limit, .config = tn_val_at(creds, "config_options")
    };
    tn_rc rc = open_with_retries(&opts, tn_val_at(creds, "retries"), &s->duck, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "opening '" TN_STR_FMT "'",
            TN_STR_ARG(s->path.n > 0 ? s->path : TN_STR(":memory:")));
    }
    tn_arena_defer(s->arena, close_duck, s->duck);
    return TN_OK;
}

static tn_str path_of(tn_arena *a, const tn_project *p)
{
    tn_str path = p->profile.path;
    if (tn_str_is(p->profile.type, "tarn") || path.n == 0 || tn_str_is(path, ":memory:")) {
        return TN_STR("");
    }
    return tn_str_dup(a, path);
}

tn_rc tn_session_open(tn_project *p, tn_arena *a, tn_events *events, tn_str memory_limit,
    tn_session **ret, tn_err *err)
{
    tn_session *s = tn_new(a, tn_session);
    tn_val creds = tn_profile_credentials(&p->profile);
    tn_arena *known = tn_arena_new("known relations", a);
    *s = (tn_session){ .arena = a,
        .known = known,
        .project = p,
        .events = events,
        .relations = tn_map_init(known),
        .selected = tn_map_init(a),
        .schemas_seen = tn_map_init(known),
        .warned = tn_map_init(known),
        .keys = tn_map_init(a),
        .foreign_key_lock = TN_MUTEX_INIT,
        .lock = TN_MUTEX_INIT,
        .delta_lock = TN_MUTEX_INIT,
        .path = path_of(a, p),
        .is_lake = tn_str_is(p->profile.type, "tarn") };
    s->storage = tn_lake_storage_of(a, creds);
    s->database = p->profile.database.n > 0 ? p->profile.database : database_name(a, s->path);
    s->disable_transactions = tn_val_bool_at(creds, "disable_transactions", false);
    s->external_root = tn_val_str_at(creds, "external_root", TN_STR("."));
    TN_TRY(check_credentials(s, creds, err));
    TN_TRY(open_duck(s, memory_limit, creds, err));
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_TRY(tn_duck_connect(s->duck, &c, err));
    if (s->is_lake && !tn_str_is(s->database, "memory")) {
        tn_buf b = tn_buf_init(a, 4096);
        tn_buf_addz(&b, "ATTACH ':memory:' AS ");
        tn_sql_ident(&b, s->database);
        TN_TRY(tn_conn_exec(c, tn_buf_str(&b), err));
    }
    TN_TRY(load_extensions(c, tn_val_at(creds, "extensions"), err));
    TN_TRY(tn_lake_remote_trust(c, s->storage, err));
    TN_TRY(create_secrets(c, a, tn_val_at(creds, "secrets"), err));
    TN_TRY(attach_all(c, a, tn_val_at(creds, "attach"), err));
    if (s->is_lake) {
        TN_AUTOPTR(tn_conn) worker = NULL;
        TN_TRY(tn_session_connect(s, &worker, err));
        TN_TRY(tn_lake_target_open(s, worker, &s->lake, err));
        TN_TRY(tn_session_cache_fill(s, worker, err));
        tn_lake_target_mark(s->lake);
    } else {
        TN_TRY(tn_session_cache_fill(s, c, err));
        TN_TRY(tn_session_keys_fill(s, c, err));
    }
    *ret = s;
    return TN_OK;
}

tn_rc tn_session_connect(tn_session *s, tn_conn **ret, tn_err *err)
{
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_AUTO_ARENA scratch = tn_arena_new("connect", NULL);
    tn_val creds = tn_profile_credentials(&s->project->profile);
    TN_TRY(tn_duck_connect(s->duck, &c, err));
    if (s->is_lake && !tn_str_is(s->database, "memory")) {
        tn_buf b = tn_buf_init(scratch, 4096);
        tn_buf_addz(&b, "USE ");
        tn_sql_ident(&b, s->database);
        TN_TRY(tn_conn_exec(c, tn_buf_str(&b), err));
    }
    TN_TRY(set_settings(c, scratch, tn_val_at(creds, "settings"), err));
    *ret = TN_TAKE(c);
    return TN_OK;
}
