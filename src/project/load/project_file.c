/* project_file.c: dbt_project.yml of the root project and of installed packages, packages.yml, vars, flags. */
#include "base/nearest.h"
#include "base/res.h"
#include "os/file.h"
#include "os/proc.h"
#include "project/deprecation.h"
#include "project/load/load_priv.h"
#include "text/uri.h"

static tn_rc read_yaml(tn_project *p, tn_str file, tn_val *ret, tn_err *err)
{
    tn_str text;
    tn_yaml_opts yo = { .file = tn_str_z(p->arena, file) };
    TN_TRY(tn_file_read(p->arena, file, TN_PROJECT_FILE_BYTES_MAX, &text, err));
    return tn_yaml_parse(p->arena, text, &yo, ret, err);
}

/* ---- dbt_project.yml ---- */

bool tn_project_name_valid(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return s.n > 0;
}

/* A number of a version: 0, or digits without a 0 before them. What follows it. */
static bool past_number(tn_str *s)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') {
        n++;
    }
    bool ok = n == 1 || (n > 1 && s->p[0] != '0');
    *s = tn_str_sub(*s, n, s->n);
    return ok;
}

static bool past_dot(tn_str *s)
{
    bool there = s->n > 0 && s->p[0] == '.';
    *s = tn_str_sub(*s, there, s->n);
    return there;
}

/* version := N.N[.N[-names][+names]], as dbt's schema of the file has it. */
static bool is_version(tn_str s)
{
    if (!past_number(&s) || !past_dot(&s) || !past_number(&s)) {
        return false;
    }
    if (s.n == 0) {
        return true;
    }
    if (!past_dot(&s) || !past_number(&s) || (s.n > 0 && s.p[0] != '-' && s.p[0] != '+')) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' &&
            c != '-' && c != '+') {
            return false;
        }
    }
    return s.n != 1;
}

static tn_rc check_forms(tn_project *p, tn_str file, tn_val doc, tn_err *err)
{
    tn_val version = tn_val_at(doc, "version"), cloud = tn_val_at(doc, "dbt-cloud");
    bool bad_version = tn_val_is_str(version) && !is_version(tn_val_as_str(version)),
         bad_cloud = tn_val_is_given(cloud) && cloud.tag != TN_DICT;
    if (!bad_version && !bad_cloud) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_VALUE,
        "at path ['%s']: " TN_STR_FMT " is not valid under any of the given schemas",
        bad_version ? "version" : "dbt-cloud",
        TN_STR_ARG(tn_val_to_repr(p->arena, bad_version ? version : cloud)));
    tn_err_place(err, tn_str_z(p->arena, file), 1, 1);
    return rc;
}

/* A misspelt section would lose all of its settings in silence. */
static tn_rc check_keys(tn_project *p, tn_str file, const tn_dict *doc, tn_err *err)
{
    static const char *const known[] = { "name", "config-version", "version", "project-root",
        "source-paths", "model-paths", "macro-paths", "data-paths", "seed-paths", "test-paths",
        "analysis-paths", "docs-paths", "asset-paths", "function-paths", "osi-paths", "target-path",
        "snapshot-paths", "clean-targets", "profile", "log-path", "packages-install-path",
        "quoting", "on-run-start", "on-run-end", "require-dbt-version", "dispatch", "models",
        "seeds", "snapshots", "analyses", "sources", "tests", "data_tests", "unit_tests", "metrics",
        "semantic-models", "saved-queries", "exposures", "functions", "vars", "packages",
        "query-comment", "restrict-access", "dbt-cloud", "flags" };
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(doc, &at)) != NULL) {
        tn_str key = tn_val_to_str(p->arena, it->key);
        bool found = false;
        tn_nearest near = tn_nearest_to(key);
        for (size_t i = 0; i < TN_COUNTOF(known) && !found; i++) {
            found = tn_str_is(key, known[i]);
            tn_nearest_try(&near, tn_str_of(known[i]));
        }
        if (!found) {
            tn_rc rc = tn_fail(err, TN_E_VALUE,
                "Additional properties are not allowed ('" TN_STR_FMT "' was unexpected)",
                TN_STR_ARG(key));
            tn_err_place(err, tn_str_z(p->arena, file), 1, 1);
            return tn_nearest_hint(err, rc, near.best);
        }
    }
    return TN_OK;
}

tn_rc tn_read_project_yaml(tn_project *p, tn_str root, tn_package *pkg, tn_err *err)
{
    tn_str file = tn_uri_join(p->arena, root, TN_STR("dbt_project.yml"));
    if (!tn_file_exists(file)) {
        tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
            "No dbt_project.yml found at expected path '" TN_STR_FMT "'", TN_STR_ARG(file));
        return tn_hint(err, rc, "run inside a project, or give --project-dir");
    }
    tn_val doc;
    TN_TRY(read_yaml(p, file, &doc, err));
    if (doc.tag != TN_DICT) {
        tn_rc rc = tn_fail(err, TN_E_VALUE, "dbt_project.yml does not parse to a dictionary");
        tn_err_place(err, tn_str_z(p->arena, file), 1, 1);
        return rc;
    }
    TN_TRY(check_keys(p, file, doc.dict, err));
    TN_TRY(check_forms(p, file, doc, err));
    if (tn_val_truthy(tn_val_at(doc, "tests")) && tn_val_truthy(tn_val_at(doc, "data_tests"))) {
        return tn_fail(err, TN_E_VALUE,
            "Invalid project config: cannot have both 'tests' and 'data_tests' defined");
    }
    const tn_val *tests = tn_dict_finds(doc.dict, TN_STR("tests"));
    if (tests != NULL && tn_dict_finds(doc.dict, TN_STR("data_tests")) == NULL) {
        tn_dict_putz(doc.dict, "data_tests", *tests);
        (void)tn_dict_remove(doc.dict, tn_val_z("tests"));
    }
    pkg->root = root;
    pkg->raw = doc.dict;
    pkg->name = tn_val_str_at(doc, "name", TN_STR_NONE);
    if (!tn_project_name_valid(pkg->name)) {
        tn_rc rc = pkg->name.n == 0
                       ? tn_fail(err, TN_E_VALUE, "Required \"name\" field not present in project")
                       : tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is not a valid project name",
                             TN_STR_ARG(pkg->name));
        tn_err_place(err, tn_str_z(p->arena, file), 1, 1);
        return tn_hint(
            err, rc, "names have letters, digits and underscores, and start with no digit");
    }
    return TN_OK;
}

/* Hooks, vars and the query comment are rendered where they are used, not here. */
static bool rendered_here(const tn_val *path, size_t depth)
{
    static const char *const late[] = { "on-run-start", "on-run-end", "query-comment", "vars" };
    static const char *const hooked[] = { "models", "seeds", "snapshots", "data_tests", "tests" };
    tn_str first = depth > 0 ? tn_val_as_str(path[0]) : TN_STR_NONE;
    for (size_t i = 0; i < TN_COUNTOF(late); i++) {
        if (tn_str_is(first, late[i])) {
            return false;
        }
    }
    bool hooks = false;
    for (size_t i = 0; i < TN_COUNTOF(hooked); i++) {
        hooks = hooks || tn_str_is(first, hooked[i]);
    }
    for (size_t i = 1; hooks && i < depth; i++) {
        tn_str key = tn_val_as_str(path[i]);
        while (key.n > 0 && (key.p[0] == '+' || key.p[0] == ' ')) {
            key = tn_str_sub(key, 1, key.n);
        }
        if (tn_str_is(key, "pre-hook") || tn_str_is(key, "post-hook") ||
            tn_str_is(key, "pre_hook") || tn_str_is(key, "post_hook")) {
            return false;
        }
    }
    return true;
}

typedef struct project_render {
    tn_pctx *ctx;
    const char *file;
    tn_str text;
} project_render;

static tn_rc render_entry(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err)
{
    project_render *r = self;
    if (!rendered_here(path, depth)) {
        *ret = tn_val_str(text);
        return TN_OK;
    }
    tn_err local = TN_ERR_INIT;
    tn_rc rc = tn_pctx_render_native(
        r->ctx, text, (tn_jinja_src){ r->file, tn_text_line(r->text, text) }, ret, &local);
    if (rc != TN_OK && err != NULL) {
        *err = local;
    }
    return rc == TN_OK ? TN_OK
                       : tn_while(err, rc, "Could not render " TN_STR_FMT, TN_STR_ARG(text));
}

static tn_strs paths_at(
    tn_arena *a, tn_val config, const char *key, const char *old, const char *dflt)
{
    tn_val v = tn_val_at(config, key);
    if (tn_val_is_undef(v) && old != NULL) {
        v = tn_val_at(config, old);
    }
    tn_strs out = tn_value_strs(a, v);
    if (!tn_val_is_given(v)) {
        tn_vec_push(&out, a, tn_str_of(dflt));
    }
    for (size_t i = 0; i < out.n; i++) {
        while (out.v[i].n > 1 && out.v[i].p[out.v[i].n - 1] == '/') {
            out.v[i].n--;
        }
        if (tn_str_starts(out.v[i], TN_STR("./"))) {
            out.v[i] = tn_str_sub(out.v[i], 2, out.v[i].n);
        }
    }
    return out;
}

static void set_paths(tn_project *p, tn_package *g)
{
    tn_arena *a = p->arena;
    tn_val c = { .tag = TN_DICT, .dict = g->config };
    g->model_paths = paths_at(a, c, "model-paths", "source-paths", "models");
    g->seed_paths = paths_at(a, c, "seed-paths", "data-paths", "seeds");
    g->test_paths = paths_at(a, c, "test-paths", NULL, "tests");
    g->snapshot_paths = paths_at(a, c, "snapshot-paths", NULL, "snapshots");
    g->macro_paths = paths_at(a, c, "macro-paths", NULL, "macros");
    g->analysis_paths = paths_at(a, c, "analysis-paths", NULL, "analyses");
    g->function_paths = paths_at(a, c, "function-paths", NULL, "functions");
    g->asset_paths = tn_value_strs(a, tn_val_at(c, "asset-paths"));
    tn_strs all = { 0 };
    const tn_strs *const each[] = { &g->model_paths, &g->seed_paths, &g->snapshot_paths,
        &g->analysis_paths, &g->macro_paths, &g->test_paths, &g->function_paths };
    for (size_t i = 0; i < TN_COUNTOF(each); i++) {
        for (size_t k = 0; k < each[i]->n; k++) {
            tn_strs_add_new(&all, a, each[i]->v[k]);
        }
    }
    tn_val docs = tn_val_at(c, "docs-paths");
    g->docs_paths = tn_val_is_given(docs) ? tn_value_strs(a, docs) : all;
}

/* What {{ var() }} sees in dbt_project.yml: vars.yml of the project below --vars. */
static tn_rc file_vars(tn_project *p, const tn_package *pkg, const tn_dict **ret, tn_err *err)
{
    tn_str file = tn_uri_join(p->arena, pkg->root, TN_STR("vars.yml"));
    *ret = p->cli_vars;
    if (pkg != p->package || !tn_file_exists(file)) {
        return TN_OK;
    }
    tn_val doc, all = tn_val_dict(p->arena);
    TN_TRY(read_yaml(p, file, &doc, err));
    tn_value_put_all(all.dict, tn_val_at(doc, "vars"));
    tn_value_put_all(all.dict, (tn_val){ .tag = TN_DICT, .dict = p->cli_vars });
    *ret = all.dict;
    return TN_OK;
}

tn_rc tn_render_package(tn_project *p, tn_package *pkg, tn_err *err)
{
    tn_pctx c;
    TN_TRY(tn_note_project_keys(p, pkg, err));
    TN_TRY(tn_yaml_context(&c, p, NULL, false, p->arena, err));
    TN_TRY(file_vars(p, pkg, &c.state->vars, err));
    c.state->target = p->profile.target;
    tn_str file = tn_uri_join(p->arena, pkg->root, TN_STR("dbt_project.yml"));
    project_render r = { &c, tn_str_z(p->arena, file), TN_STR_NONE };
    TN_TRY(tn_file_read(p->arena, file, TN_PROJECT_FILE_BYTES_MAX, &r.text, err));
    tn_val raw = { .tag = TN_DICT, .dict = pkg->raw }, out;
    TN_TRY(tn_value_render(p->arena, raw, render_entry, &r, &out, err));
    TN_TRY(tn_project_form_check(out.dict, r.file, err));
    pkg->config = out.dict;
    pkg->version = tn_val_to_str(p->arena, tn_val_at(out, "version"));
    pkg->on_run_start = tn_value_listify(p->arena, tn_val_at(out, "on-run-start"));
    pkg->on_run_end = tn_value_listify(p->arena, tn_val_at(out, "on-run-end"));
    set_paths(p, pkg);
    return TN_OK;
}

/* ---- require-dbt-version ---- */

static const int own_version[3] = { 1, 12, 6 };

static void parse_version(tn_str s, int ret[3])
{
    for (int i = 0; i < 3; i++) {
        tn_str head;
        int64_t n = 0;
        tn_str_cut(s, '.', &head, &s);
        size_t digits = 0;
        while (digits < head.n && head.p[digits] >= '0' && head.p[digits] <= '9') {
            digits++;
        }
        ret[i] = tn_str_to_i64(tn_str_sub(head, 0, digits), &n) ? (int)n : 0;
    }
}

static bool version_fits(tn_str spec)
{
    spec = tn_str_trim(spec);
    size_t op = 0;
    while (op < spec.n && strchr("<>=!~^", spec.p[op]) != NULL) {
        op++;
    }
    int want[3], cmp = 0;
    parse_version(tn_str_trim(tn_str_sub(spec, op, spec.n)), want);
    for (int i = 0; i < 3 && cmp == 0; i++) {
        cmp = own_version[i] - want[i];
    }
    tn_str o = tn_str_sub(spec, 0, op);
    if (tn_str_is(o, ">=")) {
        return cmp >= 0;
    }
    if (tn_str_is(o, ">")) {
        return cmp > 0;
    }
    if (tn_str_is(o, "<=")) {
        return cmp <= 0;
    }
    if (tn_str_is(o, "<")) {
        return cmp < 0;
    }
    return cmp == 0;
}

static tn_rc check_version(tn_project *p, const tn_package *pkg, tn_err *err)
{
    tn_val v = tn_val_at((tn_val){ .tag = TN_DICT, .dict = pkg->config }, "require-dbt-version");
    tn_strs all = tn_value_strs(p->arena, v);
    for (size_t i = 0; i < all.n; i++) {
        tn_str rest = all.v[i], one;
        do {
            tn_str_cut(rest, ',', &one, &rest);
            if (one.n > 0 && !version_fits(one)) {
                tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
                    "This version of dbt is not supported with the '" TN_STR_FMT
                    "' package: installed is " TN_PROJECT_DBT_VERSION ", required is " TN_STR_FMT,
                    TN_STR_ARG(pkg->name), TN_STR_ARG(tn_val_to_repr(p->arena, v)));
                return tn_hint(
                    err, rc, "change require-dbt-version, or run with --no-version-check");
            }
        } while (rest.n > 0);
    }
    return TN_OK;
}

/* ---- packages ---- */

static tn_rc add_package(
    tn_project *p, tn_str root, const tn_project_opts *o, tn_package **ret, tn_err *err)
{
    tn_package *g = tn_new(p->arena, tn_package);
    TN_TRY(tn_read_project_yaml(p, root, g, err));
    if (tn_project_package(p, g->name) != NULL) {
        bool installed = ret == NULL;
        return !installed ? TN_OK /* the first one wins: an installed copy over its source */
                          : tn_fail(err, TN_E_COMPILE,
                                "dbt found more than one package with the name \"" TN_STR_FMT
                                "\" included in this project. Package names must be unique in a "
                                "project. Please rename one of these packages.",
                                TN_STR_ARG(g->name));
    }
    TN_TRY(tn_render_package(p, g, err));
    if (!o->no_version_check) {
        TN_TRY(check_version(p, g, err));
    }
    g->macros = tn_map_init(p->arena);
    tn_vec_push(&p->packages, p->arena, g);
    tn_map_put(&p->package_by_name, g->name, g);
    if (ret != NULL) {
        *ret = g;
    }
    return TN_OK;
}

static tn_rc add_installed(tn_project *p, const tn_project_opts *o, size_t *ret_count, tn_err *err)
{
    tn_str dir = tn_uri_join(p->arena, p->root, p->packages_install_path);
    *ret_count = 0;
    if (!tn_file_is_dir(dir)) {
        return TN_OK;
    }
    tn_file_infos infos = { 0 };
    TN_TRY(tn_dir_list(p->arena, dir, false, &infos, err));
    for (size_t i = 0; i < infos.n; i++) {
        tn_str root = tn_uri_join(p->arena, dir, infos.v[i].name);
        if (infos.v[i].name.p[0] == '.' || infos.v[i].kind == TN_FILE_REGULAR ||
            !tn_file_is_dir(root)) {
            continue;
        }
        TN_TRY(add_package(p, root, o, NULL, err));
        ++*ret_count;
    }
    return TN_OK;
}

/* `local:` entries are used from where they are when `deps` has not put them into the install folder. */
static tn_rc add_locals(tn_project *p, tn_str root, const tn_project_opts *o, int depth,
    size_t *io_wanted, size_t *io_locals, tn_err *err)
{
    static const char *const names[] = { "packages.yml", "dependencies.yml" };
    for (size_t f = 0; f < TN_COUNTOF(names); f++) {
        tn_str file = tn_uri_join(p->arena, root, tn_str_of(names[f]));
        if (!tn_file_exists(file)) {
            continue;
        }
        tn_val doc;
        TN_TRY(read_yaml(p, file, &doc, err));
        tn_val list = tn_val_at(doc, "packages");
        for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
            ++*io_wanted;
            tn_str local = tn_val_str_at(list.list->v[i], "local", TN_STR_NONE);
            if (local.n == 0) {
                continue;
            }
            tn_package *g = NULL;
            tn_str dir = tn_uri_join(p->arena, root, local);
            ++*io_locals;
            TN_TRY(add_package(p, dir, o, &g, err));
            size_t wanted = 0;
            if (g != NULL && depth < 20) {
                TN_TRY(add_locals(p, dir, o, depth + 1, &wanted, io_locals, err));
            }
        }
    }
    return TN_OK;
}

static void add_builtin(tn_project *p, const char *name)
{
    tn_package *g = tn_new(p->arena, tn_package);
    *g = (tn_package){ .name = tn_str_of(name),
        .root = TN_STR("res"),
        .builtin = true,
        .macros = tn_map_init(p->arena),
        .on_run_start = tn_val_list(p->arena),
        .on_run_end = tn_val_list(p->arena) };
    g->config = tn_val_dict(p->arena).dict;
    g->raw = g->config;
    tn_vec_push(&p->packages, p->arena, g);
    tn_map_put(&p->package_by_name, g->name, g);
}

/* ---- selectors.yml ---- */

typedef struct selector_render {
    tn_pctx *ctx;
} selector_render;

static tn_rc render_selector(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err)
{
    (void)path, (void)depth;
    return tn_pctx_render_native(
        ((selector_render *)self)->ctx, text, (tn_jinja_src){ "selectors.yml", 0 }, ret, err);
}

/* selectors: [{name, definition, default}] -> name to definition; at most one default. */
tn_rc tn_load_selectors(tn_project *p, tn_err *err)
{
    tn_str file = tn_uri_join(p->arena, p->root, TN_STR("selectors.yml"));
    if (!tn_file_exists(file)) {
        return TN_OK;
    }
    tn_val doc, out;
    tn_pctx c;
    TN_TRY(read_yaml(p, file, &doc, err));
    TN_TRY(tn_yaml_context(&c, p, NULL, false, p->arena, err));
    c.state->target = p->profile.target;
    selector_render r = { &c };
    TN_TRY(tn_value_render(p->arena, doc, render_selector, &r, &out, err));
    tn_val list = tn_val_at(out, "selectors");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_val e = list.list->v[i], def = tn_val_at(e, "definition");
        tn_str name = tn_val_str_at(e, "name", TN_STR_NONE);
        if (name.n == 0 || tn_val_is_undef(def)) {
            tn_rc rc = tn_fail(
                err, TN_E_VALUE, "selectors.yml: each selector needs a name and a definition");
            tn_err_place(err, tn_str_z(p->arena, file), 1, 1);
            return rc;
        }
        tn_dict_puts(p->selectors.dict, name, def);
        if (tn_val_truthy(tn_val_at(e, "default"))) {
            if (p->state->default_selector != NULL) {
                return tn_fail(
                    err, TN_E_VALUE, "selectors.yml: more than one selector is the default");
            }
            tn_val *slot = tn_new(p->arena, tn_val);
            *slot = def;
            p->state->default_selector = slot;
        }
    }
    return TN_OK;
}

/* ---- vars ---- */

static tn_rc vars_section(tn_project *p, const tn_package *g, tn_val *ret, tn_err *err)
{
    *ret = tn_val_at((tn_val){ .tag = TN_DICT, .dict = g->raw }, "vars");
    tn_str file = tn_uri_join(p->arena, g->root, TN_STR("vars.yml"));
    if (g->builtin || !tn_file_exists(file)) {
        return TN_OK;
    }
    tn_val doc;
    TN_TRY(read_yaml(p, file, &doc, err));
    if (ret->tag == TN_DICT && ret->dict->live > 0 && tn_val_truthy(tn_val_at(doc, "vars"))) {
        return tn_fail(
            err, TN_E_VALUE, "Variables cannot be defined in both vars.yml and dbt_project.yml.");
    }
    if (!tn_val_is_undef(tn_val_at(doc, "vars"))) {
        *ret = tn_val_at(doc, "vars");
    }
    return TN_OK;
}

/* own global < own scoped < root's global < root's scoped < --vars */
static tn_rc make_vars(tn_project *p, tn_package *g, tn_err *err)
{
    tn_val own, root;
    TN_TRY(vars_section(p, g, &own, err));
    TN_TRY(vars_section(p, p->package, &root, err));
    g->vars = tn_val_dict(p->arena).dict;
    const tn_val both[2] = { own, root };
    for (int i = g == p->package ? 1 : 0; i < 2; i++) {
        tn_value_put_all(g->vars, both[i]);
        const tn_val *scoped = both[i].tag == TN_DICT ? tn_dict_finds(both[i].dict, g->name) : NULL;
        if (scoped != NULL) {
            tn_value_put_all(g->vars, *scoped);
        }
    }
    tn_value_put_all(g->vars, (tn_val){ .tag = TN_DICT, .dict = p->cli_vars });
    tn_val_freeze((tn_val){ .tag = TN_DICT, .dict = g->vars });
    return TN_OK;
}

tn_rc tn_load_packages(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    size_t installed = 0, wanted = 0, locals = 0;
    if (!o->no_version_check) {
        TN_TRY(check_version(p, p->package, err));
    }
    TN_TRY(add_installed(p, o, &installed, err));
    TN_TRY(add_locals(p, p->root, o, 0, &wanted, &locals, err));
    if (wanted > installed + locals) {
        tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
            "dbt found %zu package(s) specified in packages.yml, but only %zu package(s) installed "
            "in " TN_STR_FMT,
            wanted, installed, TN_STR_ARG(p->packages_install_path));
        return tn_hint(err, rc, "run \"deps\" to install package dependencies");
    }
    if (p->state->chain_n == 3) {
        add_builtin(p, "dbt_tarn");
    }
    add_builtin(p, "dbt_duckdb");
    add_builtin(p, "dbt");
    for (size_t i = 0; i < p->packages.n; i++) {
        TN_TRY(make_vars(p, p->packages.v[i], err));
    }
    return TN_OK;
}
