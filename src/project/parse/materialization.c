/* materialization.c: which macro materializes a node, by dbt's priority.
 *
 * The adapter's own name comes before "default"; of one name the project's comes before those of packages, and these before the built-in
 * ones. But a package replaces a built-in materialization only with require_explicit_package_overrides_for_builtin_materializations off,
 * and then with a deprecation. */
#include "project/deprecation.h"
#include "project/parse/parse_priv.h"

enum { OF_PROJECT, OF_PACKAGES, OF_TARN, PLACES };

static tn_macro *find_at(const tn_project *p, int place, tn_str full)
{
    tn_macro *m = NULL;
    for (size_t i = 0; i < p->packages.n && m == NULL; i++) {
        const tn_package *pkg = p->packages.v[i];
        int here = pkg == p->package ? OF_PROJECT : pkg->builtin ? OF_TARN : OF_PACKAGES;
        m = here == place ? tn_map_find(&pkg->macros, full) : NULL;
    }
    return m;
}

/* The first of these places, by name and place. */
static tn_macro *find_in(const tn_project *p, tn_str name, const int *places, size_t n)
{
    TN_AUTO_ARENA scratch = tn_arena_new("materialization", NULL);
    tn_macro *m = NULL;
    for (size_t k = 0; k < p->state->chain_n && m == NULL; k++) {
        tn_str full = tn_str_printf(
            scratch, "materialization_" TN_STR_FMT "_%s", TN_STR_ARG(name), p->state->chain[k]);
        for (size_t i = 0; i < n && m == NULL; i++) {
            m = find_at(p, places[i], full);
        }
    }
    return m;
}

static bool packages_may_replace(const tn_project *p)
{
    return !tn_project_flag(
        p, "REQUIRE_EXPLICIT_PACKAGE_OVERRIDES_FOR_BUILTIN_MATERIALIZATIONS", true);
}

/* Whether a package's stands where the built-in one would. */
static bool replaces(const tn_project *p, const tn_macro *m, tn_str name)
{
    const tn_package *of = m != NULL ? tn_project_package(p, m->package_name) : NULL;
    static const int builtin[] = { OF_TARN };
    return of != NULL && of != p->package && !of->builtin &&
           find_in(p, name, builtin, TN_COUNTOF(builtin)) != NULL;
}

tn_macro *tn_project_find_materialization(const tn_project *p, tn_str package, tn_str name)
{
    (void)package;
    static const int all[] = { OF_PROJECT, OF_PACKAGES, OF_TARN };
    static const int trusted[] = { OF_PROJECT, OF_TARN };
    tn_macro *m = find_in(p, name, all, TN_COUNTOF(all));
    return replaces(p, m, name) && !packages_may_replace(p)
               ? find_in(p, name, trusted, TN_COUNTOF(trusted))
               : m;
}

void tn_note_replaced_materializations(tn_project *p)
{
    if (!packages_may_replace(p)) {
        return;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("replaced", NULL);
    tn_map seen = tn_map_init(scratch);
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        tn_str name = tn_node_config_str(n, "materialized", TN_STR_NONE);
        if (!tn_node_is_refable(n) || name.n == 0 || tn_map_find(&seen, name) != NULL) {
            continue;
        }
        tn_map_put(&seen, name, p);
        const tn_macro *m = tn_project_find_materialization(p, n->package_name, name);
        if (replaces(p, m, name)) {
            tn_deprecate(p, "PackageMaterializationOverrideDeprecation", n->original_file_path,
                "Installed package '" TN_STR_FMT
                "' is overriding the built-in materialization '" TN_STR_FMT
                "'. Overrides of built-in materializations from installed packages will be "
                "deprecated in future versions of dbt. For more information: "
                "https://docs.getdbt.com/reference/global-configs/legacy-behaviors",
                TN_STR_ARG(m->package_name), TN_STR_ARG(name));
        }
    }
}

tn_rc tn_materialization_takes(tn_project *p, tn_macro *m, tn_str language, tn_err *err)
{
    const tn_jinja_macro_def *def;
    TN_AUTO_ARENA a = tn_arena_new("languages", NULL);
    TN_TRY(tn_macro_def(p, m, &def, err));
    tn_val known = tn_jinja_macro_list(def, a, TN_STR("supported_languages"));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < known.list->n; i++) {
        tn_str one = tn_val_as_str(known.list->v[i]);
        if (tn_str_eq(one, language)) {
            return TN_OK;
        }
        tn_buf_addf(&b, "%s'" TN_STR_FMT "'", i > 0 ? ", " : "", TN_STR_ARG(one));
    }
    return tn_fail(err, TN_E_COMPILE,
        "Materialization \"" TN_STR_FMT "\" only supports languages [" TN_STR_FMT
        "]; got \"" TN_STR_FMT "\"",
        TN_STR_ARG(m->name), TN_STR_ARG(tn_buf_str(&b)), TN_STR_ARG(language));
}
