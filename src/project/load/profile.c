/* profile.c: profiles.yml: which one is read, which target of it is chosen, and what templates see as `target`.
 *
 * Only the chosen output is rendered, so that missing variables of others do not matter. Rendered credentials are kept verbatim for `run`
 * and never printed; the `target` dict has only the keys that dbt-duckdb shows.
 */
#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "project/deprecation.h"
#include "project/load/load_priv.h"
#include "text/uri.h"

/* ---- which file ---- */

static bool has_profiles(tn_arena *a, tn_str dir, tn_str *ret)
{
    tn_str file = tn_uri_join(a, dir, TN_STR("profiles.yml"));
    if (!tn_file_exists(file)) {
        return false;
    }
    *ret = file;
    return true;
}

tn_str tn_project_profiles_dir(tn_arena *a, tn_str given)
{
    tn_str file, home = tn_env_get("HOME");
    tn_str dir = given.n > 0 ? given : tn_env_get("DBT_PROFILES_DIR");
    if (dir.n > 0 || has_profiles(a, TN_STR("."), &file) || home.n == 0) {
        return dir.n > 0 ? dir : TN_STR(".");
    }
    return tn_uri_join(a, home, TN_STR(".dbt"));
}

static tn_rc find_profiles(tn_project *p, const tn_project_opts *o, tn_str *ret, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_str dir = o->profiles_dir.n > 0 ? o->profiles_dir : tn_env_get("DBT_PROFILES_DIR");
    if (dir.n > 0) {
        if (has_profiles(a, dir, ret)) {
            return TN_OK;
        }
        tn_rc rc = tn_fail(
            err, TN_E_NOTFOUND, "there is no profiles.yml in '" TN_STR_FMT "'", TN_STR_ARG(dir));
        return tn_hint(
            err, rc, "--profiles-dir or DBT_PROFILES_DIR names the folder that holds it");
    }
    tn_str home = tn_env_get("HOME");
    if (has_profiles(a, TN_STR("."), ret) || has_profiles(a, p->root, ret) ||
        (home.n > 0 && has_profiles(a, tn_uri_join(a, home, TN_STR(".dbt")), ret))) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
        "Could not find profile named '" TN_STR_FMT "': there is no profiles.yml",
        TN_STR_ARG(p->profile.name));
    return tn_hint(err, rc,
        "looked in the current folder, in the project and in ~/.dbt; --profiles-dir names another "
        "place");
}

/* ---- rendering ---- */

typedef struct profile_render {
    tn_pctx *ctx;
    const char *file;
    tn_str text;
} profile_render;

static tn_rc render_entry(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err)
{
    profile_render *r = self;
    tn_err local = TN_ERR_INIT;
    tn_rc rc = tn_pctx_render_native(
        r->ctx, text, (tn_jinja_src){ r->file, tn_text_line(r->text, text) }, ret, &local);
    if (rc != TN_OK) {
        for (size_t i = 0; i < depth; i++) {
            if (tn_str_is(tn_val_as_str(path[i]), "password")) {
                *ret = tn_val_str(text); /* a password may look like Jinja */
                return TN_OK;
            }
        }
        if (err != NULL) {
            *err = local;
        }
        return tn_while(err, rc, "rendering '" TN_STR_FMT "' of profiles.yml",
            TN_STR_ARG(tn_val_to_str(r->ctx->arena, path[depth > 0 ? depth - 1 : 0])));
    }
    if (tn_val_is_str(*ret)) {
        *ret = tn_val_str(tn_secret_restore(r->ctx->arena, tn_val_as_str(*ret)));
    }
    return TN_OK;
}

/* Values that must never appear in a message: what the keys below hold, at any depth. */
static void register_secrets(tn_val v, bool secret)
{
    static const char *const keys[] = { "secret", "password", "pass", "token", "motherduck_token",
        "connection_url", "s3_secret_access_key", "session_token", "secret_access_key",
        "secret_key", "access_key", "connection_string", "account_key" };
    if (secret && tn_val_is_str(v)) {
        tn_log_secret(tn_val_as_str(v));
    }
    if (tn_val_is_seq(v)) {
        for (size_t i = 0; i < v.list->n; i++) {
            register_secrets(v.list->v[i], secret);
        }
    }
    size_t at = 0;
    const tn_dict_item *it;
    while (v.tag == TN_DICT && (it = tn_dict_next(v.dict, &at)) != NULL) {
        bool here = false;
        for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
            here = here || tn_str_is(tn_val_as_str(it->key), keys[i]);
        }
        register_secrets(it->value, here && it->value.tag != TN_LIST);
    }
}

/* ---- what follows from the credentials ---- */

static tn_rc duckdb_database(tn_project *p, tn_err *err)
{
    tn_profile *f = &p->profile;
    tn_val creds = { .tag = TN_DICT, .dict = f->credentials };
    f->path = tn_val_str_at(creds, "path", TN_STR(":memory:"));
    tn_str derived = TN_STR("memory");
    if (!tn_str_is(f->path, ":memory:") && f->path.n > 0) {
        tn_str base = tn_path_base(f->path);
        tn_str cut, query;
        derived = tn_str_starts(f->path, TN_STR("md:")) ? tn_str_sub(f->path, 3, f->path.n)
                                                        : tn_path_stem(base);
        if (tn_str_cut(derived, '?', &cut, &query)) {
            derived = cut;
        }
    }
    tn_str given = tn_val_str_at(creds, "database", TN_STR_NONE);
    if (given.n == 0) {
        f->database = derived;
        return TN_OK;
    }
    bool attached = false;
    tn_val attach = tn_val_at(creds, "attach");
    for (size_t i = 0; attach.tag == TN_LIST && i < attach.list->n; i++) {
        attached =
            attached || tn_str_eq(tn_val_str_at(attach.list->v[i], "alias", TN_STR_NONE), given);
    }
    if (!tn_str_eq(given, derived) && !attached) {
        return tn_fail(err, TN_E_VALUE,
            "Inconsistency detected between 'path' and 'database' fields in profile; the "
            "'database' property must be set to '" TN_STR_FMT "' to match the 'path'",
            TN_STR_ARG(derived));
    }
    f->database = given;
    return TN_OK;
}

static tn_rc tarn_database(tn_project *p, tn_err *err)
{
    tn_profile *f = &p->profile;
    tn_val creds = { .tag = TN_DICT, .dict = f->credentials };
    f->path = tn_val_str_at(creds, "lake", tn_env_get("TARN_LAKE"));
    f->database = tn_val_str_at(creds, "database", TN_STR("lake"));
    if (f->path.n == 0) {
        tn_rc rc = tn_fail(err, TN_E_VALUE,
            "profile '" TN_STR_FMT "', target '" TN_STR_FMT "': type tarn needs 'lake'",
            TN_STR_ARG(f->name), TN_STR_ARG(f->target_name));
        return tn_hint(err, rc, "lake: /path/of/the/lake or s3://bucket/prefix");
    }
    return TN_OK;
}

static tn_rc take_threads(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    tn_val threads = tn_val_at(tn_profile_credentials(&p->profile), "threads");
    int64_t n = 1;
    if (threads.tag == TN_INT) {
        n = threads.i;
    } else if (tn_val_is_str(threads) && !tn_str_to_i64(tn_str_trim(tn_val_as_str(threads)), &n)) {
        return tn_fail(err, TN_E_VALUE, "'threads' of target '" TN_STR_FMT "' is no number",
            TN_STR_ARG(p->profile.target_name));
    }
    n = o->threads > 0 ? o->threads : n;
    if (n < 1 || n > 1024) {
        return tn_fail(
            err, TN_E_VALUE, "'threads' must be between 1 and 1024, not %lld", (long long)n);
    }
    p->profile.threads = (int)n;
    return TN_OK;
}

/* Every key but those that hold secrets, then what dbt adds. */
static void make_target(tn_project *p)
{
    static const char *const hidden[] = { "secrets", "storage", "motherduck_token", "password",
        "pass", "token", "secret" };
    static const char *const defaults[] = { "config_options", "extensions", "settings",
        "external_root", "use_credential_provider", "attach", "filesystems", "remote", "plugins",
        "disable_transactions" };
    tn_profile *f = &p->profile;
    tn_val t = tn_val_dict(p->arena);
    tn_dict_putz(t.dict, "database", tn_val_str(f->database));
    tn_dict_putz(t.dict, "schema", tn_val_str(f->schema));
    tn_dict_putz(t.dict, "path", tn_val_str(f->path));
    for (size_t i = 0; i < TN_COUNTOF(defaults); i++) {
        tn_dict_putz(t.dict, defaults[i], TN_VAL_NONE);
    }
    tn_dict_putz(t.dict, "external_root", tn_val_z("."));
    tn_dict_putz(t.dict, "disable_transactions", TN_VAL_FALSE);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(f->credentials, &at)) != NULL) {
        bool hide = false;
        for (size_t i = 0; i < TN_COUNTOF(hidden); i++) {
            hide = hide || tn_str_is(tn_val_as_str(it->key), hidden[i]);
        }
        if (!hide) {
            tn_dict_put(t.dict, it->key, it->value);
        }
    }
    tn_dict_putz(t.dict, "database", tn_val_str(f->database));
    tn_dict_putz(t.dict, "schema", tn_val_str(f->schema));
    tn_dict_putz(t.dict, "type", tn_val_str(f->type));
    tn_dict_putz(t.dict, "threads", tn_val_int(f->threads));
    tn_dict_putz(t.dict, "name", tn_val_str(f->target_name));
    tn_dict_putz(t.dict, "target_name", tn_val_str(f->target_name));
    tn_dict_putz(t.dict, "profile_name", tn_val_str(f->name));
    tn_val_freeze(t);
    f->target = t;
}

static tn_rc use_output(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    tn_profile *f = &p->profile;
    tn_val creds = { .tag = TN_DICT, .dict = f->credentials };
    f->type = tn_val_str_at(creds, "type", TN_STR_NONE);
    if (tn_str_is(f->type, "duckdb")) {
        TN_TRY(duckdb_database(p, err));
        p->state->chain[0] = "duckdb";
        p->state->chain[1] = "default";
        p->state->chain_n = 2;
    } else if (tn_str_is(f->type, "tarn")) {
        TN_TRY(tarn_database(p, err));
        p->state->chain[0] = "tarn";
        p->state->chain[1] = "duckdb";
        p->state->chain[2] = "default";
        p->state->chain_n = 3;
    } else {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "profile '" TN_STR_FMT "', target '" TN_STR_FMT "': type '" TN_STR_FMT
            "' is not supported",
            TN_STR_ARG(f->name), TN_STR_ARG(f->target_name), TN_STR_ARG(f->type));
        return tn_hint(err, rc, "use type: duckdb or type: tarn");
    }
    f->schema = tn_val_str_at(creds, "schema", TN_STR("main"));
    TN_TRY(take_threads(p, o, err));
    make_target(p);
    return TN_OK;
}

/* ---- choice of profile and target ---- */

static tn_rc no_target(const tn_profile *f, tn_val outputs, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("targets", NULL);
    tn_buf b = tn_buf_init(scratch, 2048);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(outputs.dict, &at)) != NULL) {
        tn_buf_addf(&b, "\n - " TN_STR_FMT, TN_STR_ARG(tn_val_to_str(scratch, it->key)));
    }
    return tn_fail(err, TN_E_VALUE,
        "The profile '" TN_STR_FMT "' does not have a target named '" TN_STR_FMT
        "'. The valid target names for this profile are:" TN_STR_FMT,
        TN_STR_ARG(f->name), TN_STR_ARG(f->target_name), TN_STR_ARG(tn_buf_str(&b)));
}

static tn_rc choose_target(
    tn_project *p, const tn_project_opts *o, tn_pctx *c, tn_val profile, tn_val *ret, tn_err *err)
{
    tn_profile *f = &p->profile;
    tn_val outputs = tn_val_at(profile, "outputs"), target = tn_val_at(profile, "target");
    if (outputs.tag != TN_DICT) {
        return tn_fail(err, TN_E_VALUE, "outputs not specified in profile '" TN_STR_FMT "'",
            TN_STR_ARG(f->name));
    }
    f->target_name = o->target.n > 0 ? o->target : tn_env_get("DBT_TARGET");
    if (f->target_name.n == 0 || (o->target.n == 0 && tn_val_is_str(target))) {
        /* The profile's own `target` may itself ask for DBT_TARGET; then both ways agree. */
        tn_str given = o->target.n > 0 ? o->target : tn_env_get("DBT_TARGET");
        if (given.n == 0 && tn_val_is_str(target)) {
            TN_TRY(tn_pctx_render_native(
                c, tn_val_as_str(target), (tn_jinja_src){ "profiles.yml", 0 }, &target, err));
        }
        f->target_name = given.n > 0             ? given
                         : tn_val_is_str(target) ? tn_val_as_str(target)
                                                 : TN_STR("default");
    }
    const tn_val *output = tn_dict_finds(outputs.dict, f->target_name);
    if (output == NULL) {
        return no_target(f, outputs, err);
    }
    if (output->tag != TN_DICT) {
        return tn_fail(err, TN_E_VALUE,
            "output '" TN_STR_FMT "' of profile '" TN_STR_FMT "' is misconfigured in profiles.yml",
            TN_STR_ARG(f->target_name), TN_STR_ARG(f->name));
    }
    *ret = *output;
    return TN_OK;
}

tn_rc tn_load_profile(tn_project *p, const tn_project_opts *o, tn_str profile_name, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_profile *f = &p->profile;
    f->name = profile_name;
    if (f->name.n == 0) {
        tn_rc rc = tn_fail(err, TN_E_VALUE, "no profile was specified for this project");
        return tn_hint(err, rc, "add a line 'profile: NAME' to dbt_project.yml, or give --profile");
    }
    TN_TRY(find_profiles(p, o, &f->file, err));
    tn_str text;
    TN_TRY(tn_file_read(a, f->file, TN_PROJECT_FILE_BYTES_MAX, &text, err));
    tn_val doc, output;
    tn_yaml_opts yo = { .file = tn_str_z(a, f->file) };
    TN_TRY(tn_yaml_parse(a, text, &yo, &doc, err));
    TN_TRY(tn_take_profile_flags(p, o, doc, err));
    const tn_val *profile = doc.tag == TN_DICT ? tn_dict_finds(doc.dict, f->name) : NULL;
    if (profile == NULL || profile->tag != TN_DICT) {
        tn_rc rc = tn_fail(err, TN_E_VALUE,
            "Could not find profile named '" TN_STR_FMT "' in '" TN_STR_FMT "'",
            TN_STR_ARG(f->name), TN_STR_ARG(f->file));
        return tn_hint(
            err, rc, "'profile:' of dbt_project.yml must name a top-level key of profiles.yml");
    }
    tn_pctx c;
    TN_TRY(tn_yaml_context(&c, p, NULL, true, a, err));
    TN_TRY(choose_target(p, o, &c, *profile, &output, err));
    profile_render r = { &c, tn_str_z(a, f->file), text };
    tn_val rendered;
    TN_TRY(tn_value_render(a, output, render_entry, &r, &rendered, err));
    f->credentials = rendered.dict;
    register_secrets(rendered, false);
    return use_output(p, o, err);
}
