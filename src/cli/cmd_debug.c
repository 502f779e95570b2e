/* cmd_debug.c: debug: is there a profile, a project, git, a connection: one line each as dbt has them, and what is wrong at the end. */
#include <stdio.h>

#include "cli/dbt_options.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/uri.h"

typedef struct debug_options {
    tn_dbt_options common;
    tn_flag connection, config_dir;
} debug_options;

/* TN_DBT_COMMON's offsets are those of a tn_dbt_options at the start. */
static const tn_opt debug_opts[] = { { "--connection", TN_OPT_FLAG,
                                         offsetof(debug_options, connection), NULL,
                                         "only the connection", NULL },
    { "--config-dir", TN_OPT_FLAG, offsetof(debug_options, config_dir), NULL,
        "how to open the folder of profiles.yml", NULL },
    TN_DBT_COMMON };

static const tn_cmd_spec spec = { .name = "debug",
    .summary = "checks the profile, the project and the connection",
    .usage = "[options]",
    .opts = debug_opts,
    .opt_count = TN_COUNTOF(debug_opts),
    .examples = "tarn debug\ntarn debug -t prod --connection\n" };

typedef struct debug_run {
    const tn_cli *cli;
    tn_arena *arena;
    tn_events *events;
    tn_strs failures;
} debug_run;

static void say(debug_run *d, const char *fmt, ...) TN_PRINTF(2, 3);
static void say(debug_run *d, const char *fmt, ...)
{
    tn_buf b = tn_buf_init(d->arena, TN_BUF_NO_LIMIT);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    tn_event(d->events, TN_EV_INFO, "DebugCmdOut", "Z047", TN_VAL_UNDEF, TN_STR_FMT,
        TN_STR_ARG(tn_buf_str(&b)));
}

static tn_str painted(debug_run *d, bool good, const char *text)
{
    return tn_events_paint(
        d->events, d->arena, good ? TN_EV_INFO : TN_EV_ERROR, good, tn_str_of(text));
}

static void fail_with(debug_run *d, const char *lead, const tn_err *err)
{
    tn_str why = tn_str_printf(
        d->arena, "%s\n%s%s%s", lead, err->msg, err->hint[0] != '\0' ? "\n" : "", err->hint);
    tn_vec_push(&d->failures, d->arena, why);
}

static tn_str absolute(debug_run *d, tn_str path)
{
    tn_str out;
    return tn_file_absolute(d->arena, path, &out, NULL) == TN_OK ? tn_path_norm(d->arena, out)
                                                                 : path;
}

static tn_str profiles_dir(debug_run *d, const tn_project *p)
{
    tn_str dir = p != NULL && p->profile.file.n > 0
                     ? tn_path_dir(p->profile.file)
                     : tn_project_profiles_dir(d->arena, d->cli->profiles_dir);
    bool given = d->cli->profiles_dir.n > 0 || tn_env_get("DBT_PROFILES_DIR").n > 0;
    return given ? dir : absolute(d, dir.n > 0 ? dir : TN_STR("."));
}

static bool is_secret(tn_str key)
{
    static const char *const secrets[] = { "secrets", "motherduck_token", "token", "password" };
    for (size_t i = 0; i < TN_COUNTOF(secrets); i++) {
        if (tn_str_is(key, secrets[i])) {
            return true;
        }
    }
    return false;
}

/* What dbt-duckdb's connection_info tells, in its order; of a lake, all that is no secret. */
static void tell_connection(debug_run *d, const tn_profile *f)
{
    static const char *const keys[] = { "config_options", "extensions", "settings", "external_root",
        "use_credential_provider", "attach", "filesystems", "remote", "plugins",
        "disable_transactions" };
    tn_val all = { .tag = TN_DICT, .dict = f->credentials };
    say(d, "Connection:");
    say(d, "  database: " TN_STR_FMT, TN_STR_ARG(f->database));
    say(d, "  schema: " TN_STR_FMT, TN_STR_ARG(f->schema));
    say(d, "  path: " TN_STR_FMT, TN_STR_ARG(f->path));
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_val_at(all, keys[i]);
        bool none = tn_val_is_undef(v);
        const char *dflt = strcmp(keys[i], "settings") == 0               ? "{}"
                           : strcmp(keys[i], "external_root") == 0        ? "."
                           : strcmp(keys[i], "disable_transactions") == 0 ? "False"
                                                                          : "None";
        say(d, "  %s: " TN_STR_FMT, keys[i],
            TN_STR_ARG(none ? tn_str_of(dflt) : tn_val_to_str(d->arena, v)));
    }
    size_t at = 0;
    const tn_dict_item *it;
    bool lake = tn_str_is(f->type, "tarn");
    while (lake && f->credentials != NULL && (it = tn_dict_next(f->credentials, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        bool told = tn_str_is(key, "path") || tn_str_is(key, "schema") ||
                    tn_str_is(key, "database") || is_secret(key);
        for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
            told = told || tn_str_is(key, keys[i]);
        }
        if (!told) {
            say(d, "  " TN_STR_FMT ": " TN_STR_FMT, TN_STR_ARG(key),
                TN_STR_ARG(tn_val_to_str(d->arena, it->value)));
        }
    }
}

static void check_git(debug_run *d)
{
    const char *argv[] = { "git", "--help", NULL };
    int status = 1;
    tn_str out;
    tn_err err = TN_ERR_INIT;
    tn_rc rc = tn_proc_run(d->arena, argv, TN_STR(""), 1 << 20, &status, &out, &err);
    bool good = rc == TN_OK && status == 0;
    say(d, "Required dependencies:");
    say(d, " - git [" TN_STR_FMT "]\n", TN_STR_ARG(painted(d, good, good ? "OK found" : "ERROR")));
    if (!good) {
        tn_vec_push(
            &d->failures, d->arena, tn_str_printf(d->arena, "Error from git --help: %s", err.msg));
    }
}

static void check_connection(debug_run *d, tn_project *p)
{
    tn_err err = TN_ERR_INIT;
    tell_connection(d, &p->profile);
    tn_dbt_tell_adapter(d->events, d->arena);
    bool good = tn_run_ping(p, d->arena, &err) == TN_OK;
    say(d, "  Connection test: [" TN_STR_FMT "]\n",
        TN_STR_ARG(painted(d, good, good ? "OK connection ok" : "ERROR")));
    if (!good) {
        tn_vec_push(&d->failures, d->arena,
            tn_str_printf(d->arena,
                "\ndbt was unable to connect to the specified database.\nThe database returned the "
                "following error:\n\n  >%s%s%s\n\nCheck your database credentials and try again.",
                err.msg, err.hint[0] != '\0' ? "\n  " : "", err.hint));
    }
}

static void no_profiles(debug_run *d, tn_str profiles)
{
    tn_vec_push(&d->failures, d->arena,
        tn_str_printf(d->arena,
            "\ndbt looked for a profiles.yml file in " TN_STR_FMT
            ", but did\nnot find one. `tarn init` writes one.\n",
            TN_STR_ARG(profiles)));
}

/* How far the load came says which of the two files is wrong. */
static void tell_files(debug_run *d, const tn_load_reached *reached, tn_str profiles,
    tn_str project, const tn_err *err)
{
    bool has_profiles = tn_file_exists(profiles), has_project = tn_file_exists(project);
    bool project_bad = !reached->project;
    bool named_bad = reached->profile_err.msg[0] != '\0';
    bool profile_bad = !has_profiles || named_bad || (reached->project_file && !reached->profile);
    const char *profile_word = !has_profiles ? "ERROR not found"
                               : profile_bad ? "ERROR invalid"
                                             : "OK found and valid";
    const char *project_word = !has_project                            ? "ERROR not found"
                               : project_bad && !profile_bad           ? "ERROR invalid"
                               : project_bad && !reached->project_file ? "ERROR invalid"
                                                                       : "OK found and valid";
    say(d, "Configuration:");
    say(d, "  profiles.yml file [" TN_STR_FMT "]",
        TN_STR_ARG(painted(d, !profile_bad, profile_word)));
    say(d, "  dbt_project.yml file [" TN_STR_FMT "]",
        TN_STR_ARG(painted(d, project_word[0] == 'O', project_word)));
    if (!has_profiles) {
        no_profiles(d, profiles);
    } else if (profile_bad) {
        fail_with(d, "Profile loading failed for the following reason:",
            named_bad ? &reached->profile_err : err);
    }
    if (!has_project) {
        tn_vec_push(&d->failures, d->arena,
            tn_str_printf(d->arena,
                "Project loading failed for the following reason:\n project path <" TN_STR_FMT
                "> not found",
                TN_STR_ARG(project)));
    } else if (project_word[0] != 'O') {
        fail_with(d, "Project loading failed for the following reason:", err);
    }
}

static int summary(debug_run *d)
{
    if (d->failures.n == 0) {
        tn_event(d->events, TN_EV_INFO, "DebugCmdResult", "Z048", TN_VAL_UNDEF, TN_STR_FMT,
            TN_STR_ARG(painted(d, true, "All checks passed!")));
        return TN_EXIT_OK;
    }
    tn_str head =
        tn_str_printf(d->arena, "%zu check%s failed:", d->failures.n, d->failures.n > 1 ? "s" : "");
    tn_event(d->events, TN_EV_INFO, "DebugCmdResult", "Z048", TN_VAL_UNDEF, TN_STR_FMT,
        TN_STR_ARG(painted(d, false, tn_str_z(d->arena, head))));
    for (size_t i = 0; i < d->failures.n; i++) {
        tn_event(d->events, TN_EV_INFO, "DebugCmdResult", "Z048", TN_VAL_UNDEF, TN_STR_FMT "\n",
            TN_STR_ARG(d->failures.v[i]));
    }
    return TN_EXIT_FAILED;
}

static void tell_program(debug_run *d)
{
    tn_str exe;
    if (tn_exe_path(d->arena, &exe, NULL) != TN_OK) {
        exe = TN_STR("?");
    }
    say(d, "dbt version: " TN_DBT_VERSION);
    say(d, "tarn version: " TN_VERSION);
    say(d, "tarn path: " TN_STR_FMT, TN_STR_ARG(exe));
    say(d, "os info: " TN_STR_FMT, TN_STR_ARG(tn_os_name(d->arena)));
}

static bool is_compile_error(const tn_err *err)
{
    return err->rc == TN_E_COMPILE || err->rc == TN_E_NAME || err->rc == TN_E_TYPE ||
           err->rc == TN_E_SYNTAX;
}

static int check_all(debug_run *d, const debug_options *o, tn_project *p,
    const tn_load_reached *reached, const tn_err *err)
{
    tn_str dir = profiles_dir(d, p), root = d->cli->project_dir;
    root = absolute(d, p != NULL ? p->root : root.n > 0 ? root : TN_STR("."));
    tn_str profiles = tn_uri_join(d->arena, dir, TN_STR("profiles.yml")),
           project = tn_uri_join(d->arena, root, TN_STR("dbt_project.yml"));
    if (o->config_dir == TN_FLAG_ON) {
        tn_event(d->events, TN_EV_INFO, "OpenCommand", "Z025", TN_VAL_UNDEF,
            "To view your profiles.yml file, run:\n\nxdg-open " TN_STR_FMT, TN_STR_ARG(dir));
        return TN_EXIT_OK;
    }
    tell_program(d);
    say(d, "Using profiles dir at " TN_STR_FMT, TN_STR_ARG(dir));
    say(d, "Using profiles.yml file at " TN_STR_FMT, TN_STR_ARG(profiles));
    say(d, "Using dbt_project.yml file at " TN_STR_FMT, TN_STR_ARG(project));
    if (reached->profile && p != NULL) {
        say(d, "adapter type: " TN_STR_FMT, TN_STR_ARG(p->profile.type));
        say(d, "adapter version: %s",
            tn_str_is(p->profile.type, "tarn") ? TN_VERSION : TN_DBT_DUCKDB_VERSION);
    }
    if (reached->profile && !reached->project && is_compile_error(err)) { /* as dbt: no check */
        return tn_dbt_error(d->cli, d->events, err);
    }
    if (o->connection == TN_FLAG_ON) {
        say(d, "Skipping steps before connection verification");
    } else {
        tell_files(d, reached, profiles, project, err);
        check_git(d);
    }
    if (p != NULL) {
        check_connection(d, p);
    } else {
        say(d, "Connection test skipped since no profile was found");
        if (!tn_file_exists(profiles)) {
            no_profiles(d, profiles);
        } else if (d->failures.n == 0) {
            fail_with(d, "Profile loading failed for the following reason:",
                reached->profile_err.msg[0] != '\0' ? &reached->profile_err : err);
        }
    }
    return summary(d);
}

int tn_cmd_debug(const tn_cli *cli, int argc, char **argv)
{
    debug_options o = { 0 };
    tn_val given;
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (done) {
        return status;
    }
    tn_err err = TN_ERR_INIT;
    tn_load_reached reached = { 0 };
    tn_project *p = NULL;
    tn_project_opts opts = tn_dbt_project_opts(cli, "debug", &o.common, given);
    opts.profile_only = true;
    opts.reached = &reached;
    if (tn_project_load(cli->arena, &opts, &p, &err) != TN_OK) {
        p = NULL;
    }
    debug_run d = { .cli = cli, .arena = cli->arena, .events = tn_dbt_events(cli, p, false) };
    tn_dbt_tell_version(d.events, cli->arena);
    tn_err warned = TN_ERR_INIT;
    if (p != NULL && tn_dbt_tell_notices(p, 0, d.events, &warned) != TN_OK) {
        return tn_dbt_error(cli, d.events, &warned);
    }
    return check_all(&d, &o, p, &reached, &err);
}
