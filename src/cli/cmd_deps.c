/* cmd_deps.c: deps: brings the packages of packages.yml (or dependencies.yml) to the project: local folders are copied, git repositories are
 * cloned by the git program. Packages of the hub are refused with what to write instead. */
#include <stdio.h>

#include "cli/dbt_options.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/uri.h"
#include "text/yaml.h"

enum { PACKAGES_BYTES_MAX = 1 << 20, GIT_OUTPUT_BYTES_MAX = 1 << 20 };

static const tn_opt deps_options[] = { TN_DBT_COMMON };

static tn_rc read_yaml(tn_arena *a, tn_str path, tn_val *ret, tn_err *err)
{
    tn_str text;
    tn_yaml_opts opts = { .file = tn_str_z(a, path) };
    TN_TRY(tn_file_read(a, path, PACKAGES_BYTES_MAX, &text, err));
    return tn_yaml_parse(a, text, &opts, ret, err);
}

static tn_rc copy_tree(tn_arena *a, tn_str from, tn_str to, tn_err *err)
{
    tn_file_infos files = { 0 };
    TN_TRY(tn_dir_list(a, from, true, &files, err));
    TN_TRY(tn_dir_make(to, err));
    for (size_t i = 0; i < files.n; i++) {
        tn_str name = files.v[i].name, target = tn_uri_join(a, to, name);
        bool skip =
            tn_str_starts(name, TN_STR(".git/")) || tn_str_starts(name, TN_STR("target/")) ||
            tn_str_starts(name, TN_STR("logs/")) || tn_str_starts(name, TN_STR("dbt_packages/"));
        if (skip) {
            continue;
        }
        if (files.v[i].kind == TN_FILE_DIR) {
            TN_TRY(tn_dir_make(target, err));
        } else if (files.v[i].kind == TN_FILE_REGULAR) {
            TN_TRY(tn_dir_make(tn_path_dir(target), err));
            TN_TRY(tn_file_copy(tn_uri_join(a, from, name), target, err));
        }
    }
    return TN_OK;
}

/* The name in the package's own dbt_project.yml: the folder that it gets. */
static tn_rc package_name(tn_arena *a, tn_str folder, tn_str *ret, tn_err *err)
{
    tn_val doc;
    tn_rc rc = read_yaml(a, tn_uri_join(a, folder, TN_STR("dbt_project.yml")), &doc, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "the package in '" TN_STR_FMT "'", TN_STR_ARG(folder));
    }
    *ret = tn_val_str_at(doc, "name", TN_STR_NONE);
    bool plain = ret->n > 0 && tn_str_find_char(*ret, '/', 0) == SIZE_MAX && ret->p[0] != '.';
    return plain ? TN_OK
                 : tn_fail(err, TN_E_VALUE, "the package in '" TN_STR_FMT "' has no usable name",
                       TN_STR_ARG(folder));
}

static tn_rc install_from(tn_arena *a, tn_str folder, tn_str packages, tn_err *err)
{
    tn_str name;
    TN_TRY(package_name(a, folder, &name, err));
    tn_str target = tn_uri_join(a, packages, name);
    TN_TRY(tn_file_remove_tree(target, err));
    TN_TRY(copy_tree(a, folder, target, err));
    printf("Installed " TN_STR_FMT " from " TN_STR_FMT "\n", TN_STR_ARG(name), TN_STR_ARG(folder));
    return TN_OK;
}

static tn_rc run_git(tn_arena *a, const char *const *argv, tn_err *err)
{
    int status = 0;
    tn_str out;
    TN_TRY(tn_proc_run(a, argv, TN_STR(""), GIT_OUTPUT_BYTES_MAX, &status, &out, err));
    return status == 0 ? TN_OK
                       : tn_fail(err, TN_E_NET, "git %s failed with status %d: " TN_STR_FMT,
                             argv[1], status, TN_STR_ARG(out));
}

static tn_rc install_git(tn_arena *a, tn_val entry, tn_str packages, tn_err *err)
{
    tn_str url = tn_val_str_at(entry, "git", TN_STR_NONE),
           below = tn_val_str_at(entry, "subdirectory", TN_STR_NONE), folder;
    tn_val revision = tn_val_at(entry, "revision");
    if (tn_str_starts(url, TN_STR("-"))) {
        return tn_fail(
            err, TN_E_VALUE, "'" TN_STR_FMT "' is no address of a git repository", TN_STR_ARG(url));
    }
    TN_TRY(tn_file_temp_dir(a, "package", &folder, err));
    tn_str clone = tn_uri_join(a, folder, TN_STR("clone"));
    const char *get[] = { "git", "clone", "--quiet", "--", tn_str_z(a, url), tn_str_z(a, clone),
        NULL };
    TN_TRY(run_git(a, get, err));
    if (!tn_val_is_undef(revision) && !tn_val_is_none(revision)) {
        tn_str wanted = tn_val_to_str(a, revision);
        if (tn_str_starts(wanted, TN_STR("-"))) {
            return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is no revision", TN_STR_ARG(wanted));
        }
        const char *check_out[] = { "git", "-C", tn_str_z(a, clone), "checkout", "--quiet",
            tn_str_z(a, wanted), "--", NULL };
        TN_TRY(run_git(a, check_out, err));
    }
    return install_from(a, below.n > 0 ? tn_uri_join(a, clone, below) : clone, packages, err);
}

static tn_rc install(tn_arena *a, tn_str root, tn_val entry, tn_str packages, tn_err *err)
{
    tn_str local = tn_val_str_at(entry, "local", TN_STR_NONE),
           hub = tn_val_str_at(entry, "package", TN_STR_NONE);
    if (local.n > 0) {
        return install_from(a, tn_uri_join(a, root, local), packages, err);
    }
    if (tn_val_is_str(tn_val_at(entry, "git"))) {
        return install_git(a, entry, packages, err);
    }
    (void)tn_fail(err, TN_E_UNSUPPORTED, "package '" TN_STR_FMT "' cannot be fetched from the hub",
        TN_STR_ARG(hub));
    return tn_hint(err, TN_E_UNSUPPORTED,
        "name it by `git:` and `revision:`, or by `local:` after you have fetched it");
}

static tn_rc install_all(tn_arena *a, tn_str root, tn_str packages, tn_err *err)
{
    static const char *const files[] = { "packages.yml", "dependencies.yml" };
    size_t found = 0;
    for (size_t f = 0; f < TN_COUNTOF(files); f++) {
        tn_str path = tn_uri_join(a, root, tn_str_of(files[f]));
        tn_val doc;
        if (!tn_file_exists(path)) {
            continue;
        }
        TN_TRY(read_yaml(a, path, &doc, err));
        tn_val list = tn_val_at(doc, "packages");
        for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++, found++) {
            TN_TRY(install(a, root, list.list->v[i], packages, err));
        }
    }
    if (found == 0) {
        printf("No packages were found in packages.yml\n");
    }
    return TN_OK;
}

int tn_cmd_deps(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { 0 };
    tn_val given;
    bool done;
    int status;
    static const tn_cmd_spec spec = { .name = "deps",
        .summary = "brings the packages of packages.yml to the project",
        .usage = "[options]",
        .opts = deps_options,
        .opt_count = TN_COUNTOF(deps_options),
        .examples = "tarn deps\n" };
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (done) {
        return status;
    }
    tn_err err = TN_ERR_INIT;
    tn_val doc = TN_VAL_NONE;
    tn_str root = cli->project_dir.n > 0 ? cli->project_dir : TN_STR(".");
    tn_rc rc =
        read_yaml(cli->arena, tn_uri_join(cli->arena, root, TN_STR("dbt_project.yml")), &doc, &err);
    if (rc == TN_OK) {
        tn_str folder = tn_val_str_at(doc, "packages-install-path", TN_STR("dbt_packages"));
        rc = install_all(cli->arena, root, tn_uri_join(cli->arena, root, folder), &err);
    }
    return rc == TN_OK ? TN_EXIT_OK : tn_cli_error(cli, &err);
}
