/* cmd_init.c: init: a new project from res/init, and its entry in profiles.yml: a DuckDB file, a lake in a folder, or a lake in a bucket.
 *
 * Questions are asked on standard output and answered line by line on standard input; an answer that is empty, or an input that has ended, takes the
 * default in brackets. Nothing that is there is overwritten.
 */
#include <stdio.h>

#include "base/res.h"
#include "cli/dbt_options.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/uri.h"
#include "text/yaml.h"

enum { PROFILES_BYTES_MAX = 16 << 20, ANSWER_BYTES_MAX = 4096 };

typedef struct init_options {
    tn_dbt_options common;
    tn_flag skip_profile, skip_debug;
} init_options;

static const tn_opt init_opts[] = { { "--skip-profile-setup -s", TN_OPT_FLAG,
                                        offsetof(init_options, skip_profile), NULL,
                                        "ask nothing, write no profile", NULL },
    { "--skip-debug", TN_OPT_FLAG, offsetof(init_options, skip_debug), NULL,
        "do not try the connection at the end", NULL },
    TN_DBT_COMMON };

static const tn_cmd_spec spec = { .name = "init",
    .summary = "makes a new project and its profile; in a project: the profile",
    .usage = "[NAME] [options]",
    .opts = init_opts,
    .opt_count = TN_COUNTOF(init_opts),
    .words_max = 1,
    .examples = "tarn init shop                        asks where tables go\n"
                "tarn init shop --skip-profile-setup   only the folder\n"
                "tarn init shop --profile mine         with an entry that profiles.yml has\n" };

typedef struct init_run {
    const tn_cli *cli;
    tn_arena *arena;
    tn_events *events;
    tn_str profiles; /* profiles.yml */
} init_run;

static void say(init_run *r, const char *event, const char *code, tn_str text)
{
    tn_event(r->events, TN_EV_INFO, event, code, TN_VAL_UNDEF, TN_STR_FMT, TN_STR_ARG(text));
}

static tn_str ask(init_run *r, const char *question, const char *dflt)
{
    char line[ANSWER_BYTES_MAX];
    printf("%s%s%s%s: ", question, dflt[0] != '\0' ? " [" : "", dflt, dflt[0] != '\0' ? "]" : "");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
        printf("\n");
        return tn_str_of(dflt);
    }
    tn_str answer = tn_str_trim(tn_str_of(line));
    return answer.n > 0 ? tn_str_dup(r->arena, answer) : tn_str_of(dflt);
}

/* The built-in packages have names of their own. */
static bool is_free_name(tn_str s)
{
    return tn_project_name_valid(s) && !tn_str_is(s, "dbt") && !tn_str_is(s, "dbt_duckdb");
}

static tn_rc project_name(init_run *r, const tn_strs *words, tn_str *ret, tn_err *err)
{
    *ret = words->n > 0 ? words->v[0] : TN_STR_NONE;
    for (int tries = 0; !is_free_name(*ret); tries++) {
        if (ret->n > 0) {
            printf(TN_STR_FMT " is not a valid project name.\n", TN_STR_ARG(*ret));
        }
        if (tries > 0 && (feof(stdin) || ret->n == 0)) {
            return tn_fail(err, TN_E_USAGE, "a project needs a name: letters, digits, underscore");
        }
        *ret = ask(r, "Enter a name for your project (letters, digits, underscore)", "");
    }
    return TN_OK;
}

/* ---- the skeleton ---- */

static tn_rc write_file(init_run *r, tn_str folder, const char *name, tn_str text, tn_err *err)
{
    tn_str path = tn_uri_join(r->arena, folder, tn_str_of(name));
    TN_TRY(tn_dir_make(tn_path_dir(path), err));
    return tn_file_write(path, text, err);
}

static tn_rc write_skeleton(init_run *r, tn_str name, tn_str profile, tn_err *err)
{
    static const struct {
        const char *res, *path;
    } files[] = { { "init/dbt_project.yml", "dbt_project.yml" }, { "init/README.md", "README.md" },
        { "init/gitignore", ".gitignore" },
        { "init/models/my_first_dbt_model.sql", "models/example/my_first_dbt_model.sql" },
        { "init/models/my_second_dbt_model.sql", "models/example/my_second_dbt_model.sql" },
        { "init/models/schema.yml", "models/example/schema.yml" } };
    static const char *const folders[] = { "analyses", "macros", "seeds", "snapshots", "tests" };
    for (size_t i = 0; i < TN_COUNTOF(files); i++) {
        tn_str text = tn_res_find(tn_str_of(files[i].res));
        text = tn_str_replace(r->arena, text, TN_STR("@NAME@"), name);
        text = tn_str_replace(r->arena, text, TN_STR("@PROFILE@"), profile);
        TN_TRY(write_file(r, name, files[i].path, text, err));
    }
    for (size_t i = 0; i < TN_COUNTOF(folders); i++) {
        tn_str keep = tn_str_printf(r->arena, "%s/.gitkeep", folders[i]);
        TN_TRY(write_file(r, name, tn_str_z(r->arena, keep), TN_STR(""), err));
    }
    return TN_OK;
}

/* ---- the profile ---- */

static tn_rc read_profiles(init_run *r, tn_str *ret_text, tn_val *ret, tn_err *err)
{
    tn_yaml_opts yo = { .file = tn_str_z(r->arena, r->profiles) };
    *ret_text = TN_STR("");
    *ret = TN_VAL_UNDEF;
    if (!tn_file_exists(r->profiles)) {
        return TN_OK;
    }
    TN_TRY(tn_file_read(r->arena, r->profiles, PROFILES_BYTES_MAX, ret_text, err));
    return tn_yaml_parse(r->arena, *ret_text, &yo, ret, err);
}

static void put(tn_val d, const char *key, tn_str value)
{
    tn_dict_putz(d.dict, key, tn_val_str(value));
}

/* The output `dev` as the answers make it. */
static tn_val ask_output(init_run *r, tn_str name)
{
    tn_val out = tn_val_dict(r->arena), storage = tn_val_dict(r->arena);
    printf("Where shall tables go?\n[1] duckdb: a DuckDB file\n[2] tarn: a lake of Delta tables in "
           "a folder\n[3] tarn: a lake of Delta tables in a bucket\n\n");
    tn_str choice = ask(r, "Enter a number", "1");
    if (tn_str_is(choice, "2")) {
        put(out, "type", TN_STR("tarn"));
        put(out, "lake", ask(r, "folder of the lake", "lake"));
    } else if (tn_str_is(choice, "3")) {
        put(out, "type", TN_STR("tarn"));
        put(out, "lake", ask(r, "place of the lake, s3://bucket/prefix", "s3://lake"));
        tn_str endpoint = ask(r, "endpoint, https://host:port (empty: AWS)", "");
        put(storage, "region", ask(r, "region", "us-east-1"));
        if (endpoint.n > 0) {
            put(storage, "endpoint", endpoint);
        }
        put(storage, "key_id", TN_STR("{{ env_var('AWS_ACCESS_KEY_ID') }}"));
        put(storage, "secret", TN_STR("{{ env_var('AWS_SECRET_ACCESS_KEY') }}"));
        tn_dict_putz(out.dict, "storage", storage);
    } else {
        tn_str path = tn_str_printf(r->arena, TN_STR_FMT ".duckdb", TN_STR_ARG(name));
        put(out, "type", TN_STR("duckdb"));
        put(out, "path", ask(r, "path of the database file", tn_str_z(r->arena, path)));
    }
    put(out, "schema", ask(r, "schema", "main"));
    tn_str threads = ask(r, "threads", "4");
    int64_t n;
    tn_dict_putz(out.dict, "threads", tn_val_int(tn_str_to_i64(threads, &n) && n > 0 ? n : 4));
    return out;
}

static tn_rc set_up_profile(init_run *r, tn_str name, tn_err *err)
{
    tn_str text;
    tn_val old, doc = tn_val_dict(r->arena), entry = tn_val_dict(r->arena),
                outputs = tn_val_dict(r->arena);
    say(r, "SettingUpProfile", "A018", TN_STR("Setting up your profile."));
    TN_TRY(read_profiles(r, &text, &old, err));
    if (old.tag == TN_DICT && tn_dict_finds(old.dict, name) != NULL) {
        say(r, "ProfileKept", "A019",
            tn_str_printf(r->arena,
                "The profile " TN_STR_FMT " already exists in " TN_STR_FMT ". It is kept.",
                TN_STR_ARG(name), TN_STR_ARG(r->profiles)));
        return TN_OK;
    }
    put(entry, "target", TN_STR("dev"));
    tn_dict_putz(outputs.dict, "dev", ask_output(r, name));
    tn_dict_putz(entry.dict, "outputs", outputs);
    tn_dict_puts(doc.dict, name, entry);
    tn_buf b = tn_buf_init(r->arena, TN_BUF_NO_LIMIT);
    tn_buf_add(&b, text);
    tn_buf_addz(&b, text.n > 0 && text.p[text.n - 1] != '\n' ? "\n" : "");
    tn_yaml_print(&b, doc, false);
    TN_TRY(tn_dir_make(tn_path_dir(r->profiles), err));
    TN_TRY(tn_file_write_atomic(r->profiles, tn_buf_str(&b), err));
    say(r, "ProfileWrittenWithSample", "A020",
        tn_str_printf(r->arena,
            "Profile " TN_STR_FMT " written to " TN_STR_FMT
            ". Once it is as you want it, you'll be able to start developing.",
            TN_STR_ARG(name), TN_STR_ARG(r->profiles)));
    return TN_OK;
}

static int run_debug(init_run *r, tn_str folder)
{
    tn_cli there = *r->cli;
    char name[] = "debug";
    char *argv[] = { name, NULL };
    there.project_dir = folder;
    say(r, "Note", "Z050", TN_STR("Running dbt debug to validate the project..."));
    return tn_cmd_debug(&there, 1, argv);
}

/* ---- the two ways ---- */

static int fail(init_run *r, const tn_err *err)
{
    return tn_dbt_error(r->cli, r->events, err);
}

static int in_project(init_run *r, const init_options *o, tn_str root)
{
    tn_err err = TN_ERR_INIT;
    tn_val doc;
    tn_str text, path = tn_uri_join(r->arena, root, TN_STR("dbt_project.yml"));
    tn_yaml_opts yo = { .file = tn_str_z(r->arena, path) };
    if (r->cli->profile.n > 0) {
        (void)tn_fail(&err, TN_E_USAGE,
            "Can not init existing project with specified profile, edit dbt_project.yml instead");
        return fail(r, &err);
    }
    if (o->skip_profile == TN_FLAG_ON) {
        return TN_EXIT_OK;
    }
    if (tn_file_read(r->arena, path, PROFILES_BYTES_MAX, &text, &err) != TN_OK ||
        tn_yaml_parse(r->arena, text, &yo, &doc, &err) != TN_OK) {
        return fail(r, &err);
    }
    tn_str name = tn_val_str_at(doc, "profile", tn_val_str_at(doc, "name", TN_STR("default")));
    if (set_up_profile(r, name, &err) != TN_OK) {
        return fail(r, &err);
    }
    return o->skip_debug == TN_FLAG_ON ? TN_EXIT_OK : run_debug(r, root);
}

static tn_rc profile_exists(init_run *r, tn_str name, tn_err *err)
{
    tn_str text;
    tn_val doc;
    TN_TRY(read_profiles(r, &text, &doc, err));
    return doc.tag == TN_DICT && tn_dict_finds(doc.dict, name) != NULL
               ? TN_OK
               : tn_fail(err, TN_E_NOTFOUND, "Could not find profile named '" TN_STR_FMT "'",
                     TN_STR_ARG(name));
}

static int new_project(init_run *r, const init_options *o, const tn_strs *words)
{
    tn_err err = TN_ERR_INIT;
    tn_str name, profile = r->cli->profile;
    bool with_profile = profile.n == 0 && o->skip_profile != TN_FLAG_ON;
    if (project_name(r, words, &name, &err) != TN_OK) {
        return fail(r, &err);
    }
    if (tn_file_exists(name)) {
        say(r, "ProjectNameAlreadyExists", "A027",
            tn_str_printf(r->arena, "A project called " TN_STR_FMT " already exists here.",
                TN_STR_ARG(name)));
        return TN_EXIT_OK;
    }
    if ((profile.n > 0 && profile_exists(r, profile, &err) != TN_OK) ||
        write_skeleton(r, name, profile.n > 0 ? profile : name, &err) != TN_OK ||
        (with_profile && set_up_profile(r, name, &err) != TN_OK)) {
        return fail(r, &err);
    }
    bool check = o->skip_debug != TN_FLAG_ON && (with_profile || profile.n > 0);
    int status = check ? run_debug(r, name) : TN_EXIT_OK;
    say(r, "ProjectCreated", "A026",
        tn_str_printf(r->arena,
            "\nYour new dbt project \"" TN_STR_FMT "\" was created!\n\nNext: cd " TN_STR_FMT
            " && %s build\n",
            TN_STR_ARG(name), TN_STR_ARG(name), r->cli->program));
    if (status != TN_EXIT_OK) {
        say(r, "Note", "Z050",
            TN_STR("Your profile may need adjustments. You can find the logs of `dbt debug` "
                   "above"));
    }
    return TN_EXIT_OK;
}

int tn_cmd_init(const tn_cli *cli, int argc, char **argv)
{
    init_options o = { 0 };
    tn_strs words = { 0 };
    tn_val given;
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, &given, &done, &status);
    if (done) {
        return status;
    }
    init_run r = { .cli = cli, .arena = cli->arena, .events = tn_dbt_events(cli, NULL, false) };
    tn_str dir = tn_project_profiles_dir(cli->arena, cli->profiles_dir);
    r.profiles = tn_uri_join(cli->arena, dir, TN_STR("profiles.yml"));
    tn_dbt_tell_version(r.events, cli->arena);
    tn_str root = cli->project_dir.n > 0 ? cli->project_dir : TN_STR(".");
    bool inside = tn_file_exists(tn_uri_join(cli->arena, root, TN_STR("dbt_project.yml")));
    return inside ? in_project(&r, &o, root) : new_project(&r, &o, &words);
}
