/* cmd_deps.c: deps: brings the packages of packages.yml (or dependencies.yml) to the project (packages/deps.h). */
#include "cli/dbt_options.h"
#include "os/proc.h"
#include "packages/deps.h"
#include "text/uri.h"

typedef struct deps_options {
    tn_dbt_options common;
    tn_flag lock, upgrade;
    tn_str source, add_package;
} deps_options;

/* TN_DBT_COMMON's offsets are those of a tn_dbt_options at the start. */
static const tn_opt deps_opts[] = {
    { "--upgrade", TN_OPT_FLAG, offsetof(deps_options, upgrade), NULL,
        "resolve anew: the newest versions that packages.yml allows", NULL },
    { "--lock", TN_OPT_FLAG, offsetof(deps_options, lock), NULL,
        "write package-lock.yml, install nothing", NULL },
    { "--add-package", TN_OPT_STR, offsetof(deps_options, add_package), "NAME[@VERSION]",
        "put it into packages.yml first", NULL },
    { "--source", TN_OPT_STR, offsetof(deps_options, source), "KIND",
        "of --add-package: hub (default), git, local or tarball", NULL },
    TN_DBT_COMMON
};

static const tn_cmd_spec spec = { .name = "deps",
    .summary = "brings the packages of packages.yml to the project",
    .usage = "[options]",
    .opts = deps_opts,
    .opt_count = TN_COUNTOF(deps_opts),
    .examples = "tarn deps                 what package-lock.yml says; writes it when it is stale\n"
                "tarn deps --upgrade\n"
                "tarn deps --add-package dbt-labs/dbt_utils@1.3.0\n"
                "tarn deps --add-package https://git.example.org/p.git@v1 --source git\n" };

typedef struct deps_run {
    tn_project *project;
    tn_events *events;
} deps_run;

static tn_rc read_file(void *self, tn_str path, tn_val *ret_rendered, tn_val *ret_raw, tn_err *err)
{
    const deps_run *r = self;
    return tn_project_read_packages(r->project, path, ret_rendered, ret_raw, err);
}

static void tell(void *self, bool warn, const char *event, const char *code, tn_str msg)
{
    const deps_run *r = self;
    tn_warn_fate fate = warn ? tn_project_warn_fate(r->project, event) : TN_WARN_SHOWN;
    if (fate != TN_WARN_SILENT) {
        tn_event(r->events,
            !warn                   ? TN_EV_INFO
            : fate == TN_WARN_ERROR ? TN_EV_ERROR
                                    : TN_EV_WARN,
            event, code, TN_VAL_UNDEF, "%s" TN_STR_FMT, warn ? "[WARNING]: " : "", TN_STR_ARG(msg));
    }
}

static tn_str hub_address(void)
{
    tn_str own = tn_env_get("DBT_PACKAGE_HUB_URL");
    return own.n > 0 ? own : TN_STR("https://hub.getdbt.com/");
}

static tn_rc run(const tn_cli *cli, const deps_options *o, deps_run *r, tn_err *err)
{
    tn_project *p = r->project;
    tn_str source = o->source.n > 0 ? o->source : TN_STR("hub");
    static const char *const sources[] = { "hub", "git", "local", "tarball" };
    bool known = false;
    tn_deps d = { .arena = cli->arena,
        .root = p->root,
        .project_name = p->name,
        .install_path = tn_uri_join(cli->arena, p->root, p->packages_install_path),
        .hub = hub_address(),
        .ca_file = tn_env_get("TARN_CA_FILE"),
        .upgrade = o->upgrade == TN_FLAG_ON,
        .lock_only = o->lock == TN_FLAG_ON,
        .any_version = !tn_project_flag(p, "VERSION_CHECK", true),
        .read = read_file,
        .say = tell,
        .self = r };
    for (size_t i = 0; i < TN_COUNTOF(sources); i++) {
        known = known || tn_str_is(source, sources[i]);
    }
    if (!known) {
        return tn_fail(err, TN_E_USAGE,
            "'" TN_STR_FMT "' is no --source: hub, git, local or tarball", TN_STR_ARG(source));
    }
    if (o->add_package.n > 0) {
        bool needs = !tn_str_is(source, "local") && !tn_str_is(source, "tarball") &&
                     tn_str_rfind_char(o->add_package, '@') == SIZE_MAX;
        if (needs) {
            return tn_fail(err, TN_E_USAGE,
                "'" TN_STR_FMT "' has no version: --add-package NAME@VERSION",
                TN_STR_ARG(o->add_package));
        }
        TN_TRY(tn_deps_add(&d, o->add_package, source, err));
    }
    return tn_deps_run(&d, err);
}

int tn_cmd_deps(const tn_cli *cli, int argc, char **argv)
{
    deps_options o = { 0 };
    tn_val given;
    bool done;
    int status;
    tn_err err = TN_ERR_INIT;
    deps_run r;
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (done) {
        return status;
    }
    tn_dbt_start start;
    if (!tn_dbt_begin(cli, "deps", &o.common, given, false, &start, &status)) {
        return status;
    }
    r = (deps_run){ start.project, start.events };
    if (run(cli, &o, &r, &err) != TN_OK) {
        return tn_dbt_error(cli, r.events, &err);
    }
    return TN_EXIT_OK;
}
