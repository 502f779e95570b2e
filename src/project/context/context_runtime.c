/* context_runtime.c: ref.config: what dbt's ref, source, metric and function hold of the run's configuration (its RuntimeConfig), and packages
 * read: the project's name, version, vars and paths, the profile's names, and the same of every package. Made when it is asked for.
 */
#include "os/file.h"
#include "project/context/context_priv.h"

static tn_rc vars_to_dict(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    TN_TRY(tn_call_check(call, "to_dict", 0, 0, NULL, err));
    *ret = tn_val_dup(call->arena, (tn_val){ .tag = TN_DICT, .dict = self });
    return TN_OK;
}

/* dbt's VarProvider over `vars` of dbt_project.yml. */
static tn_val vars_of(tn_arena *a, const tn_package *g)
{
    tn_val written = tn_val_at((tn_val){ .tag = TN_DICT, .dict = g->config }, "vars");
    tn_val members = tn_val_dict(a);
    written = tn_value_or_dict(a, written);
    tn_dict_putz(members.dict, "vars", written);
    tn_dict_putz(members.dict, "to_dict", tn_val_fn(a, "to_dict", vars_to_dict, written.dict));
    return tn_val_module(a, "VarProvider", members.dict);
}

static void put_paths(tn_arena *a, tn_dict *d, const tn_package *g)
{
    const struct {
        const char *name;
        const tn_strs *paths;
    } each[] = { { "model_paths", &g->model_paths }, { "seed_paths", &g->seed_paths },
        { "test_paths", &g->test_paths }, { "snapshot_paths", &g->snapshot_paths },
        { "macro_paths", &g->macro_paths }, { "analysis_paths", &g->analysis_paths },
        { "docs_paths", &g->docs_paths }, { "asset_paths", &g->asset_paths },
        { "function_paths", &g->function_paths } };
    for (size_t i = 0; i < TN_COUNTOF(each); i++) {
        tn_dict_putz(d, each[i].name, tn_strs_list(a, each[i].paths));
    }
}

/* The configs of resources as dbt_project.yml has them. */
static void put_sections(tn_arena *a, tn_dict *d, const tn_package *g)
{
    static const char *const each[][2] = { { "models", "models" }, { "seeds", "seeds" },
        { "snapshots", "snapshots" }, { "sources", "sources" }, { "data_tests", "data_tests" },
        { "unit_tests", "unit_tests" }, { "metrics", "metrics" },
        { "semantic_models", "semantic-models" }, { "saved_queries", "saved-queries" },
        { "exposures", "exposures" }, { "functions", "functions" } };
    tn_val config = { .tag = TN_DICT, .dict = g->config };
    for (size_t i = 0; i < TN_COUNTOF(each); i++) {
        tn_val v = tn_val_at(config, each[i][1]);
        tn_dict_putz(d, each[i][0], tn_value_or_dict(a, v));
    }
}

static tn_dict *config_of(tn_arena *a, const tn_project *p, const tn_package *g)
{
    tn_val config = { .tag = TN_DICT, .dict = g->config }, d = tn_val_dict(a);
    tn_val version = tn_val_at(config, "version");
    tn_str root;
    if (tn_file_absolute(a, g->root, &root, NULL) != TN_OK) {
        root = g->root;
    }
    tn_dict_putz(d.dict, "project_name", tn_val_str(g->name));
    tn_dict_putz(d.dict, "version", tn_val_is_undef(version) ? TN_VAL_NONE : version);
    tn_dict_putz(d.dict, "config_version", tn_val_int(2));
    tn_dict_putz(d.dict, "project_root", tn_val_str(root));
    tn_dict_putz(d.dict, "profile_name", tn_val_str(p->profile.name));
    tn_dict_putz(d.dict, "target_name", tn_val_str(p->profile.target_name));
    tn_dict_putz(d.dict, "threads", tn_val_int(p->profile.threads));
    tn_dict_putz(d.dict, "credentials", p->profile.target);
    tn_dict_putz(d.dict, "vars", vars_of(a, g));
    tn_dict_putz(d.dict, "cli_vars",
        p->cli_vars != NULL ? (tn_val){ .tag = TN_DICT, .dict = p->cli_vars } : tn_val_dict(a));
    tn_dict_putz(
        d.dict, "args", tn_val_is_undef(p->invocation_args) ? tn_val_dict(a) : p->invocation_args);
    tn_dict_putz(d.dict, "dependencies", TN_VAL_NONE);
    tn_dict_putz(d.dict, "on_run_start", g->on_run_start);
    tn_dict_putz(d.dict, "on_run_end", g->on_run_end);
    put_paths(a, d.dict, g);
    put_sections(a, d.dict, g);
    return d.dict;
}

tn_val tn_context_runtime_config(tn_arena *a, const tn_project *p)
{
    tn_val packages = tn_val_dict(a);
    for (size_t i = 0; i < p->packages.n; i++) {
        const tn_package *g = p->packages.v[i];
        tn_dict_puts(packages.dict, g->name, tn_val_module(a, "RuntimeConfig", config_of(a, p, g)));
    }
    tn_dict *d = config_of(a, p, p->package);
    tn_dict_putz(d, "dependencies", packages);
    tn_dict_putz(d, "quoting", p->quoting);
    tn_dict_putz(d, "dispatch", p->dispatch);
    tn_dict_putz(d, "target_path", tn_val_str(p->target_path));
    tn_dict_putz(d, "log_path", tn_val_str(p->log_path));
    tn_dict_putz(d, "packages_install_path", tn_val_str(p->packages_install_path));
    return tn_val_module(a, "RuntimeConfig", d);
}
