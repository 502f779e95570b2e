/* cmd_operation.c: run-operation and clean. */
#include "cli/dbt_options.h"
#include "os/file.h"
#include "project/deprecation.h"
#include "text/uri.h"
#include "text/yaml.h"

static const tn_opt operation_options[] = { { "--args", TN_OPT_STR, TN_DBT_AT(args), "YAML",
                                                "arguments: '{name: value}'", NULL },
    { "--sql", TN_OPT_STR, TN_DBT_AT(sql), "SQL", "a statement, with Jinja, in place of a macro",
        NULL },
    TN_DBT_COMMON };
static const tn_opt clean_options[] = { { "--clean-project-files-only", TN_OPT_FLAG,
                                            TN_DBT_AT(project_files_only), NULL,
                                            "--no-clean-project-files-only: folders outside of the "
                                            "project too",
                                            "DBT_CLEAN_PROJECT_FILES_ONLY" },
    TN_DBT_COMMON };

static bool one_operation(const tn_cli *cli, const tn_dbt_options *o, bool macro)
{
    const char *wrong =
        o->sql.n == 0 && !macro ? "Either a macro name or --sql must be passed to run-operation"
        : o->sql.n > 0 && macro ? "Cannot specify both a macro name and --sql for run-operation"
        : o->sql.n > 0 && o->args.n > 0
            ? "--args cannot be used with --sql; pass arguments directly in the SQL"
            : NULL;
    if (wrong != NULL) {
        tn_err err = TN_ERR_INIT;
        (void)tn_fail(&err, TN_E_VALUE, "%s", wrong);
        (void)tn_dbt_error(cli, NULL, &err);
    }
    return wrong == NULL;
}

int tn_cmd_run_operation(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { 0 };
    tn_dbt_start start;
    tn_val given, args = TN_VAL_NONE;
    tn_strs words = { 0 };
    bool done;
    int status;
    static const tn_cmd_spec spec = { .name = "run-operation",
        .summary = "calls a macro",
        .usage = "MACRO [--args YAML] | --sql SQL [options]",
        .opts = operation_options,
        .opt_count = TN_COUNTOF(operation_options),
        .words_max = 1,
        .examples = "tarn run-operation grant_select --args '{role: reporter}'\n"
                    "tarn run-operation --sql \"drop table {{ ref('orders') }}\"\n" };
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, &given, &done, &status);
    if (!done && !one_operation(cli, &o, words.n > 0)) {
        return TN_EXIT_USAGE;
    }
    o.inline_sql = o.sql;
    if (done || !tn_dbt_begin(cli, "run-operation", &o, given, false, &start, &status)) {
        return status;
    }
    tn_err err = TN_ERR_INIT;
    if (o.args.n > 0 && tn_yaml_parse(cli->arena, o.args, NULL, &args, &err) != TN_OK) {
        (void)tn_while(&err, err.rc, "--args");
        return tn_cli_error(cli, &err);
    }
    if (words.n > 0) {
        tn_dict_putz(given.dict, "macro", tn_val_str(words.v[0]));
        tn_dict_putz(given.dict, "args", tn_val_is_none(args) ? tn_val_dict(cli->arena) : args);
    }
    tn_run_opts opts = { .write_json = tn_project_flag(start.project, "WRITE_JSON", true),
        .args = given.dict };
    tn_rc rc = o.sql.n > 0
                   ? tn_run_operation_sql(start.project, cli->arena, &opts, start.events, &err)
                   : tn_run_operation(
                         start.project, cli->arena, &opts, words.v[0], args, start.events, &err);
    if (rc == TN_OK) {
        return TN_EXIT_OK;
    }
    tn_cli_error_details(cli, &err);
    if (rc ==
        TN_E_USAGE) { /* dbt says it twice, and the second time it is an error of compilation */
        err.rc = TN_E_COMPILE;
    }
    bool unfit = rc == TN_E_USAGE || tn_rc_class(rc) == TN_CLASS_ENV;
    return unfit ? tn_dbt_error(cli, start.events, &err) : TN_EXIT_FAILED;
}

/* Only what clean-targets names and what lies below the project is removed. */
static bool may_remove(tn_arena *a, const tn_project *p, tn_str target, tn_str *ret_path)
{
    tn_str root, path;
    if (tn_file_absolute(a, p->root, &root, NULL) != TN_OK ||
        tn_file_absolute(a, tn_uri_join(a, p->root, target), &path, NULL) != TN_OK) {
        return false;
    }
    root = tn_path_norm(a, root);
    *ret_path = tn_path_norm(a, path);
    return ret_path->n > root.n + 1 &&
           tn_str_starts(*ret_path, tn_str_printf(a, TN_STR_FMT "/", TN_STR_ARG(root)));
}

static bool holds_sources(tn_arena *a, const tn_project *p, tn_str path)
{
    const tn_strs *lists[] = { &p->package->model_paths, &p->package->seed_paths,
        &p->package->test_paths, &p->package->macro_paths, &p->package->snapshot_paths,
        &p->package->analysis_paths };
    for (size_t i = 0; i < TN_COUNTOF(lists); i++) {
        for (size_t k = 0; k < lists[i]->n; k++) {
            tn_str own;
            if (may_remove(a, p, lists[i]->v[k], &own) &&
                (tn_str_eq(own, path) || tn_str_starts(own, tn_str_concat(a, path, TN_STR("/"))))) {
                return true;
            }
        }
    }
    return false;
}

/* Before anything is removed: what must stay. */
static tn_rc check_targets(tn_arena *a, const tn_project *p, bool inside_only, tn_err *err)
{
    tn_buf sources = tn_buf_init(a, TN_BUF_NO_LIMIT), outside = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < p->clean_targets.n; i++) {
        tn_str path = p->clean_targets.v[i];
        bool inside = may_remove(a, p, path, &path),
             own = (inside || !inside_only) && holds_sources(a, p, path);
        tn_buf *b = own ? &sources : inside_only && !inside ? &outside : NULL;
        if (b != NULL) {
            tn_buf_addf(b, "%s'" TN_STR_FMT "'", b->n > 0 ? ", " : "", TN_STR_ARG(path));
        }
    }
    if (sources.n > 0) {
        return tn_fail(err, TN_E_VALUE,
            "dbt will not clean the following source paths: [" TN_STR_FMT "]",
            TN_STR_ARG(tn_buf_str(&sources)));
    }
    return outside.n == 0 ? TN_OK
                          : tn_fail(err, TN_E_VALUE,
                                "dbt will not clean the following directories outside the project: "
                                "[" TN_STR_FMT "]",
                                TN_STR_ARG(tn_buf_str(&outside)));
}

/* Packages once lay in dbt_modules. */
static tn_rc note_old_folder(tn_project *p, tn_events *events, tn_err *err)
{
    bool old = false, now = false;
    for (size_t i = 0; i < p->clean_targets.n; i++) {
        old = old || tn_str_is(p->clean_targets.v[i], "dbt_modules");
        now = now || tn_str_eq(p->clean_targets.v[i], p->packages_install_path);
    }
    if (!old || now) {
        return TN_OK;
    }
    size_t before = p->notices.n;
    tn_deprecate(p, "PackageInstallPathDeprecation", TN_STR_NONE,
        "The default package install path has changed from `dbt_modules` to `dbt_packages`. "
        "Please update `clean-targets` in `dbt_project.yml` and check `.gitignore` as well. Or, "
        "set `packages-install-path: dbt_modules` if you'd like to keep the current value.");
    return tn_dbt_tell_notices(p, before, events, err);
}

int tn_cmd_clean(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { 0 };
    tn_dbt_start start;
    tn_val given;
    bool done;
    int status;
    static const tn_cmd_spec spec = { .name = "clean",
        .summary = "removes the folders of clean-targets",
        .usage = "[options]",
        .opts = clean_options,
        .opt_count = TN_COUNTOF(clean_options),
        .examples = "tarn clean\n" };
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (done || !tn_dbt_begin(cli, "clean", &o, given, false, &start, &status)) {
        return status;
    }
    const tn_project *p = start.project;
    tn_err err = TN_ERR_INIT;
    if (check_targets(cli->arena, p, o.project_files_only != TN_FLAG_OFF, &err) != TN_OK ||
        note_old_folder(start.project, start.events, &err) != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    for (size_t i = 0; i < p->clean_targets.n; i++) {
        tn_str path;
        (void)may_remove(cli->arena, p, p->clean_targets.v[i], &path);
        tn_val data = tn_val_dict(cli->arena);
        tn_dict_putz(data.dict, "path", tn_val_str(path));
        tn_event(start.events, TN_EV_INFO, "CheckCleanPath", "Z012", data,
            "Checking " TN_STR_FMT "/*", TN_STR_ARG(path));
        if (tn_file_remove_tree(path, &err) != TN_OK) {
            return tn_dbt_error(cli, start.events, &err);
        }
        tn_event(start.events, TN_EV_INFO, "ConfirmCleanPath", "Z013", data,
            "Cleaned " TN_STR_FMT "/*", TN_STR_ARG(path));
    }
    tn_event(start.events, TN_EV_INFO, "FinishedCleanPaths", "Z015", tn_val_dict(cli->arena),
        "Finished cleaning all paths.");
    return TN_EXIT_OK;
}
