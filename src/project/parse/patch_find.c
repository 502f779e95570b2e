/* patch_find.c: which entry of a properties file describes a resource. Its own package's first; an entry of another package describes it when that
 * package has no resource of the name itself, or a disabled one: so the root project describes models of packages, and a root project's seed that
 * takes the place of a package's is described, and configured, by the package. Two that describe the same are an error.
 */
#include "project/parse/parse_priv.h"
#include "text/uri.h"

static const tn_source_files *files_of(const tn_project *p, const char *key, tn_node_kind *ret)
{
    *ret = strcmp(key, "seeds") == 0 ? TN_NODE_SEED : TN_NODE_MODEL;
    return strcmp(key, "seeds") == 0    ? &p->state->seeds
           : strcmp(key, "models") == 0 ? &p->state->sql_models
                                        : NULL;
}

/* By its folder and dbt_project.yml, as dbt asks before it reads properties. Of what is not told by its file, only the root project describes
 * what is in packages. */
static tn_rc has_enabled(
    tn_project *p, const char *key, tn_package *pkg, tn_str name, bool *ret, tn_err *err)
{
    tn_node_kind kind;
    const tn_source_files *files = files_of(p, key, &kind);
    *ret = files == NULL && pkg != p->package;
    for (size_t i = 0; files != NULL && i < files->n && !*ret; i++) {
        const tn_source_file *f = &files->v[i];
        if (f->package == pkg && tn_str_eq(tn_source_stem(p, f->rel), name)) {
            tn_node *n = tn_node_new(p, kind, pkg);
            n->name = n->alias = name;
            n->unique_id = n->original_file_path = f->original;
            n->config_call = tn_val_dict(p->arena).dict;
            tn_fqn_of(p, pkg, f->rel, name, &n->fqn);
            TN_TRY(tn_config_resolve(p, n, NULL, NULL, err));
            *ret = tn_val_truthy(tn_node_config(n, "enabled"));
        }
    }
    return TN_OK;
}

static tn_rc described_twice(
    tn_project *p, const tn_patch *first, const tn_patch *second, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_COMPILE,
        "dbt found two schema.yml entries for the same resource named " TN_STR_FMT
        ". Resources and their associated columns may only be described a single time. To fix "
        "this, remove the resource entry for " TN_STR_FMT " in one of these files:\n - " TN_STR_FMT
        "\n" TN_STR_FMT,
        TN_STR_ARG(first->name), TN_STR_ARG(first->name), TN_STR_ARG(first->file),
        TN_STR_ARG(second->file));
    tn_err_place(err, tn_str_z(p->arena, first->open), first->line, 1);
    return rc;
}

tn_rc tn_patch_find(
    tn_project *p, const char *key, const tn_package *pkg, tn_str name, tn_patch **ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("patch", NULL);
    tn_patches *list = tn_map_find(
        &p->state->patch_index, tn_str_printf(scratch, "%s." TN_STR_FMT, key, TN_STR_ARG(name)));
    *ret = NULL;
    for (size_t i = 0; list != NULL && i < list->n && *ret == NULL; i++) {
        *ret = list->v[i]->package == pkg ? list->v[i] : NULL;
    }
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        tn_patch *e = list->v[i];
        bool elsewhere = e->package == pkg || e->used;
        if (!elsewhere) {
            TN_TRY(has_enabled(p, key, e->package, name, &elsewhere, err));
        }
        if (!elsewhere && *ret != NULL) {
            return described_twice(p, *ret, e, err);
        }
        *ret = elsewhere ? *ret : e;
    }
    return TN_OK;
}
