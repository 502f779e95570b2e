/* select_method.c: the selection methods, one function each, in one table. */
#include "project/select/select_method.h"

#include "project/node/project_priv.h"
#include "project/previous.h"
#include "text/glob.h"
#include "text/uri.h"

typedef bool (*match_fn)(const tn_project *p, const tn_node *n, tn_str args, tn_str value);

/* ---- fqn ---- */

static size_t parts_of(tn_str s)
{
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++) {
        n += s.p[i] == '.';
    }
    return n;
}

/* Components of the value against the front of the fqn. From the first one with a wildcard on, the rest of the value is a glob for the
 * whole joined rest of the fqn; a value of one component may also be a glob for the last name. Dots in names part components. */
static bool prefix_selected(const tn_strs *fqn, bool versioned, tn_str value)
{
    TN_AUTO_ARENA scratch = tn_arena_new("fqn", NULL);
    tn_str flat = tn_strs_join(scratch, fqn, "."), rest = value, part, own;
    if (parts_of(flat) < parts_of(value)) {
        return false;
    }
    while (rest.n > 0) {
        tn_str here = rest, flat_here = flat;
        (void)tn_str_cut(rest, '.', &part, &rest);
        (void)tn_str_cut(flat, '.', &own, &flat);
        if (tn_glob_has_magic(part) || tn_str_find_char(part, ']', 0) != SIZE_MAX) {
            const tn_str leaf = fqn->v[fqn->n - (versioned && fqn->n > 1 ? 2 : 1)];
            return tn_fnmatch(here, flat_here) || (parts_of(value) == 1 && tn_fnmatch(value, leaf));
        }
        if (!tn_str_eq(part, own)) {
            return false;
        }
    }
    return true;
}

/* A name by itself, a version's name, or a path of the fqn. */
static bool fqn_selected(const tn_strs *fqn, bool versioned, tn_str value)
{
    if (fqn->n == 0) {
        return false;
    }
    if (!versioned && tn_str_eq(value, fqn->v[fqn->n - 1])) {
        return true;
    }
    if (versioned && fqn->n > 1) {
        /* model, model.v2 and model_v2 all name a version */
        tn_str model = fqn->v[fqn->n - 2], v = fqn->v[fqn->n - 1];
        bool whole = value.n == model.n + 1 + v.n && tn_str_starts(value, model) &&
                     tn_str_ends(value, v) && (value.p[model.n] == '.' || value.p[model.n] == '_');
        if (tn_str_eq(value, model) || whole) {
            return true;
        }
    }
    return prefix_selected(fqn, versioned, value);
}

static bool match_fqn(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    if (n->kind == TN_NODE_SOURCE) {
        return false; /* sources are only meant by source: */
    }
    bool versioned = n->kind == TN_NODE_MODEL && !tn_val_is_none(n->version);
    if (fqn_selected(&n->fqn, versioned, value)) {
        return true;
    }
    /* The package may be left out. */
    tn_strs bare = { .v = n->fqn.v + 1, .n = n->fqn.n > 0 ? n->fqn.n - 1 : 0 };
    return fqn_selected(&bare, versioned, value);
}

/* ---- simple ones ---- */

static bool any_matches(const tn_strs *l, tn_str value)
{
    for (size_t i = 0; i < l->n; i++) {
        if (tn_fnmatch(value, l->v[i])) {
            return true;
        }
    }
    return false;
}

static bool match_tag(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return any_matches(&n->tags, value);
}

static bool match_group(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return n->group.n > 0 && tn_fnmatch(value, n->group);
}

static bool match_access(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return n->kind == TN_NODE_MODEL && tn_str_eq(n->access, value);
}

static bool match_package(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)args;
    return tn_fnmatch(tn_str_is(value, "this") ? p->name : value, n->package_name);
}

/* A file, a folder (and all below), or a glob over paths of the project. */
static bool match_path(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    while (tn_str_starts(value, TN_STR("./"))) {
        value = tn_str_sub(value, 2, value.n);
    }
    while (value.n > 1 && value.p[value.n - 1] == '/') {
        value.n--;
    }
    const tn_str paths[2] = { n->original_file_path,
        n->patch_path.n > 0 && tn_str_find(n->patch_path, TN_STR("://"), 0) != SIZE_MAX
            ? tn_str_sub(
                  n->patch_path, tn_str_find(n->patch_path, TN_STR("://"), 0) + 3, n->patch_path.n)
            : TN_STR_NONE };
    for (int i = 0; i < 2; i++) {
        for (tn_str at = paths[i]; at.n > 0; at = tn_path_dir(at)) {
            if (tn_str_eq(at, value) || (tn_glob_has_magic(value) && tn_pathmatch(value, at))) {
                return true;
            }
        }
    }
    return false;
}

static bool match_file(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    tn_str base = tn_path_base(n->original_file_path);
    return tn_fnmatch(value, base) || tn_fnmatch(value, tn_path_stem(base));
}

static bool match_source(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)args;
    if (n->kind != TN_NODE_SOURCE) {
        return false;
    }
    tn_str parts[3] = { TN_STR("*"), TN_STR("*"), TN_STR("*") }, rest = value, part;
    size_t n_parts = 0;
    do {
        if (n_parts == 3) {
            return false;
        }
        tn_str_cut(rest, '.', &part, &rest);
        parts[n_parts++] = part;
    } while (rest.n > 0);
    tn_str pkg = n_parts == 3 ? parts[0] : TN_STR("*");
    tn_str source = n_parts == 3 ? parts[1] : parts[0], table = n_parts == 3   ? parts[2]
                                                                : n_parts == 2 ? parts[1]
                                                                               : TN_STR("*");
    pkg = tn_str_is(pkg, "this") ? p->name : pkg;
    return tn_fnmatch(pkg, n->package_name) && tn_fnmatch(source, n->source->source_name) &&
           tn_fnmatch(table, n->name);
}

/* name or package.name */
static bool named(const tn_node *n, tn_node_kind kind, tn_str value)
{
    tn_str pkg = TN_STR("*"), name = value, a, b;
    if (n->kind != kind) {
        return false;
    }
    if (tn_str_cut(value, '.', &a, &b)) {
        pkg = a;
        name = b;
    }
    return tn_fnmatch(pkg, n->package_name) && tn_fnmatch(name, n->name);
}

static bool match_exposure(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return named(n, TN_NODE_EXPOSURE, value);
}

static bool match_metric(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return named(n, TN_NODE_METRIC, value);
}

static bool match_semantic(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return named(n, TN_NODE_SEMANTIC_MODEL, value);
}

static bool match_saved(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return named(n, TN_NODE_SAVED_QUERY, value);
}

static bool match_unit(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return named(n, TN_NODE_UNIT_TEST, value);
}

static bool match_test_name(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return n->kind == TN_NODE_UNIT_TEST ? tn_fnmatch(value, n->name)
                                        : n->test != NULL && tn_fnmatch(value, n->test->name);
}

static bool match_test_type(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    if (tn_str_is(value, "unit")) {
        return n->kind == TN_NODE_UNIT_TEST;
    }
    if (n->kind != TN_NODE_TEST) {
        return false;
    }
    bool generic = tn_str_is(value, "generic") || tn_str_is(value, "schema");
    bool singular = tn_str_is(value, "singular") || tn_str_is(value, "data");
    return tn_str_is(value, "data") ? true
                                    : (generic && n->test != NULL) || (singular && n->test == NULL);
}

static bool match_type(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    return tn_str_is(value, tn_node_kind_name(n->kind));
}

static bool match_version(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p, (void)args;
    if (n->kind != TN_NODE_MODEL) {
        return false;
    }
    if (tn_str_is(value, "none")) {
        return tn_val_is_none(n->version);
    }
    if (tn_val_is_none(n->version)) {
        return false;
    }
    if (tn_str_is(value, "latest")) {
        return tn_val_eq(n->version, n->latest_version);
    }
    int cmp = tn_model_version_cmp(n->version, n->latest_version);
    return (tn_str_is(value, "prerelease") && cmp > 0) || (tn_str_is(value, "old") && cmp < 0);
}

/* ---- config ---- */

static bool same_text(tn_val v, tn_str value)
{
    TN_AUTO_ARENA scratch = tn_arena_new("config", NULL);
    if (v.tag == TN_BOOL) {
        return tn_str_eq_nocase(value, v.i != 0 ? TN_STR("true") : TN_STR("false"));
    }
    return tn_fnmatch(value, tn_val_to_str(scratch, v));
}

static bool match_config(const tn_project *p, const tn_node *n, tn_str args, tn_str value)
{
    (void)p;
    tn_val v = n->config != NULL ? (tn_val){ .tag = TN_DICT, .dict = n->config } : TN_VAL_UNDEF;
    tn_str rest = args, part;
    bool any_case = tn_str_is(args, "severity");
    while (rest.n > 0) {
        tn_str_cut(rest, '.', &part, &rest);
        const tn_val *next = v.tag == TN_DICT ? tn_dict_finds(v.dict, part) : NULL;
        if (next == NULL && tn_str_is(part, "pre_hook")) {
            next = v.tag == TN_DICT ? tn_dict_finds(v.dict, TN_STR("pre-hook")) : NULL;
        }
        if (next == NULL) {
            return false;
        }
        v = *next;
    }
    if (v.tag == TN_LIST) {
        for (size_t i = 0; i < v.list->n; i++) {
            if (same_text(v.list->v[i], value)) {
                return true;
            }
        }
        return false;
    }
    if (v.tag == TN_DICT) {
        return tn_dict_finds(v.dict, value) != NULL;
    }
    if (any_case && tn_val_is_str(v)) {
        return tn_str_eq_nocase(tn_val_as_str(v), value);
    }
    return !tn_val_is_none(v) && same_text(v, value);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    match_fn fn; /* NULL: needs artifacts of an earlier run */
} methods[] = { { "fqn", match_fqn }, { "tag", match_tag }, { "group", match_group },
    { "access", match_access }, { "source", match_source }, { "path", match_path },
    { "file", match_file }, { "package", match_package }, { "config", match_config },
    { "test_name", match_test_name }, { "test_type", match_test_type },
    { "resource_type", match_type }, { "exposure", match_exposure }, { "metric", match_metric },
    { "version", match_version }, { "semantic_model", match_semantic },
    { "saved_query", match_saved }, { "unit_test", match_unit }, { "selector", NULL },
    { "state", NULL }, { "result", NULL }, { "source_status", NULL } };

static size_t method_at(tn_str name)
{
    size_t i = 0;
    while (i < TN_COUNTOF(methods) && !tn_str_is(name, methods[i].name)) {
        i++;
    }
    return i;
}

const char *tn_select_method_name(size_t i)
{
    return i < TN_COUNTOF(methods) ? methods[i].name : NULL;
}

bool tn_select_method_known(tn_str method)
{
    return method_at(method) < TN_COUNTOF(methods);
}

const char *tn_select_methods(void)
{
    return "fqn tag group access source path file package config.<key> test_name test_type "
           "resource_type exposure metric version "
           "semantic_model saved_query unit_test selector state result source_status";
}

tn_str tn_select_default_method(tn_str value)
{
    static const char *const endings[] = { ".sql", ".py", ".csv" };
    if (tn_str_find_char(value, '/', 0) != SIZE_MAX) {
        return TN_STR("path");
    }
    for (size_t i = 0; i < TN_COUNTOF(endings); i++) {
        if (value.n > 4 &&
            tn_str_eq_nocase(
                tn_str_sub(value, value.n - strlen(endings[i]), value.n), tn_str_of(endings[i]))) {
            return TN_STR("file");
        }
    }
    return TN_STR("fqn");
}

tn_rc tn_select_match(
    tn_project *p, const tn_node *n, tn_str method, tn_str value, bool *ret, tn_err *err)
{
    tn_str name, args;
    tn_str_cut(method, '.', &name, &args);
    size_t i = method_at(name);
    TN_CHECK(i < TN_COUNTOF(methods));
    if (methods[i].fn == NULL && n->kind != TN_NODE_OPERATION) {
        return tn_previous_match(p, n, name, value, ret, err);
    }
    *ret = n->kind != TN_NODE_OPERATION && methods[i].fn(p, n, args, value);
    return TN_OK;
}
