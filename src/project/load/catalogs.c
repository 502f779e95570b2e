/* catalogs.yml: catalogs to which dbt's adapters write tables (Snowflake's, Databricks'). It is read and checked as dbt does it, in the form that the
 * flag use_catalogs_v2 chooses:
 *
 *   v1   catalogs: [{name, active_write_integration, write_integrations: [{name, catalog_type, ...}]}]
 *   v2   catalogs: [{name, type, table_format: default | iceberg, config: {platform: {...}}}]
 *
 * The duckdb adapter knows no kind of catalog: each one that is right is refused in the end, with dbt's words.
 */
#include "os/file.h"
#include "project/load/load_priv.h"
#include "text/uri.h"

#define REMEDY                                                                                     \
    "remove catalogs.yml, and name the catalog in profiles.yml: `attach:` takes what DuckDB can "  \
    "attach, such as ducklake and postgres"

/* The message of err below a head: its further lines are one level deeper. */
static tn_str below(tn_arena *a, const tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (const char *s = err != NULL ? err->msg : ""; *s != '\0'; s++) {
        tn_buf_add(&b, (tn_str){ s, 1 });
        tn_buf_addz(&b, *s == '\n' ? "  " : "");
    }
    return tn_buf_str(&b);
}

static tn_rc render_text(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err)
{
    (void)path, (void)depth;
    tn_err why = { 0 };
    if (tn_pctx_render_native(self, text, (tn_jinja_src){ "catalogs.yml", 0 }, ret, &why) ==
        TN_OK) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("render", NULL);
    return tn_fail(err, TN_E_VALUE,
        "Compilation Error\n  Could not render " TN_STR_FMT ": " TN_STR_FMT, TN_STR_ARG(text),
        TN_STR_ARG(below(scratch, &why)));
}

static tn_rc must_be(const char *what, const char *type, tn_val v, tn_err *err)
{
    return tn_fail(err, TN_E_VALUE, "%s must be a %s, got %s", what, type, tn_val_type_name(v));
}

static tn_rc check_form(tn_arena *a, tn_val catalog, tn_err *err)
{
    tn_str at, why;
    if (catalog.tag != TN_DICT) {
        return tn_fail(err, TN_E_INVALID, TN_STR_FMT " is not of type 'object'",
            TN_STR_ARG(tn_val_to_repr(a, catalog)));
    }
    return tn_form_fits(a, "Catalog", catalog.dict, &at, &why)
               ? TN_OK
               : tn_hint(err, tn_fail(err, TN_E_INVALID, TN_STR_FMT, TN_STR_ARG(why)),
                     "a catalog of catalogs.yml, at path [" TN_STR_FMT "]", TN_STR_ARG(at));
}

/* The names of the write integrations; each is there once. */
static tn_rc integration_names(
    tn_arena *a, tn_str catalog, tn_val list, tn_val *ret_names, tn_err *err)
{
    *ret_names = tn_val_list(a);
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_str name = tn_val_str_at(list.list->v[i], "name", TN_STR_NONE);
        for (size_t k = 0; k < i; k++) {
            if (tn_str_eq(tn_val_as_str(ret_names->list->v[k]), name)) {
                return tn_fail(err, TN_E_VALUE,
                    "Catalog '" TN_STR_FMT
                    "' cannot have multiple 'write_integrations' with the same name: '" TN_STR_FMT
                    "'.",
                    TN_STR_ARG(catalog), TN_STR_ARG(name));
            }
        }
        tn_list_push(ret_names->list, tn_val_str(name));
    }
    return TN_OK;
}

/* The type of the integration that is written to. */
static tn_rc active_type(tn_arena *a, tn_val catalog, tn_str *ret, tn_err *err)
{
    TN_TRY(check_form(a, catalog, err));
    tn_str name = tn_val_str_at(catalog, "name", TN_STR_NONE);
    tn_str active = tn_val_str_at(catalog, "active_write_integration", TN_STR_NONE);
    tn_val list = tn_val_at(catalog, "write_integrations"), names;
    TN_TRY(integration_names(a, name, list, &names, err));
    if (active.n == 0 && names.list->n != 1) {
        return tn_fail(err, TN_E_VALUE,
            "Catalog '" TN_STR_FMT "' must specify an 'active_write_integration' when multiple "
            "'write_integrations' are provided.",
            TN_STR_ARG(name));
    }
    for (size_t i = 0; i < names.list->n; i++) {
        if (active.n == 0 || tn_str_eq(tn_val_as_str(names.list->v[i]), active)) {
            *ret = tn_val_str_at(list.list->v[i], "catalog_type", TN_STR_NONE);
            return TN_OK;
        }
    }
    return tn_fail(err, TN_E_VALUE,
        "Catalog '" TN_STR_FMT "' must specify an 'active_write_integration' from its set of "
        "defined 'write_integrations': " TN_STR_FMT ". Got: '" TN_STR_FMT "'.",
        TN_STR_ARG(name), TN_STR_ARG(tn_val_to_repr(a, names)), TN_STR_ARG(active));
}

static tn_rc check_v1(tn_arena *a, tn_val catalogs, tn_pctx *c, tn_err *err)
{
    tn_str first = TN_STR_NONE;
    for (size_t i = 0; i < catalogs.list->n; i++) {
        tn_val catalog;
        tn_str type;
        TN_TRY(tn_value_render(a, catalogs.list->v[i], render_text, c, &catalog, err));
        TN_TRY(active_type(a, catalog, &type, err));
        first = i == 0 ? type : first;
    }
    return catalogs.list->n == 0 ? TN_OK
                                 : tn_hint(err,
                                       tn_fail(err, TN_E_VALUE,
                                           "Catalog type is not supported.\nReceived: " TN_STR_FMT
                                           "\nExpected one of: ",
                                           TN_STR_ARG(first)),
                                       REMEDY);
}

/* ---- the second form ---- */

/* The keys of a catalog: these, all of them, and no others. */
static tn_rc check_keys(tn_arena *a, tn_val catalog, tn_err *err)
{
    static const char *const keys[] = { "name", "type", "table_format", "config" };
    tn_val missing = tn_val_list(a), unknown = tn_val_list(a);
    size_t known = 0;
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        bool has = tn_dict_finds(catalog.dict, tn_str_of(keys[i])) != NULL;
        known += has;
        if (!has) {
            tn_list_push(missing.list, tn_val_z(keys[i]));
        }
    }
    tn_strs others = { 0 };
    size_t at = 0;
    const tn_dict_item *it;
    while (known < catalog.dict->live && (it = tn_dict_next(catalog.dict, &at)) != NULL) {
        tn_str key = tn_val_to_str(a, it->key);
        if (!tn_str_is(key, keys[0]) && !tn_str_is(key, keys[1]) && !tn_str_is(key, keys[2]) &&
            !tn_str_is(key, keys[3])) {
            tn_vec_push(&others, a, key);
        }
    }
    tn_strs_sort(&others);
    unknown = tn_strs_list(a, &others);
    if (others.n > 0) {
        return tn_fail(err, TN_E_VALUE,
            "Unknown keys in catalog entry: " TN_STR_FMT
            ". Allowed keys: ['config', 'name', 'table_format', 'type']",
            TN_STR_ARG(tn_val_to_repr(a, unknown)));
    }
    return missing.list->n == 0
               ? TN_OK
               : tn_fail(err, TN_E_VALUE, "Missing required keys in catalog entry: " TN_STR_FMT,
                     TN_STR_ARG(tn_val_to_repr(a, missing)));
}

static tn_rc check_platforms(tn_arena *a, tn_str name, tn_val config, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    if (config.tag != TN_DICT) {
        return tn_fail(err, TN_E_VALUE, "Catalog '" TN_STR_FMT "' config must be a mapping, got %s",
            TN_STR_ARG(name), tn_val_type_name(config));
    }
    while ((it = tn_dict_next(config.dict, &at)) != NULL) {
        if (it->value.tag != TN_DICT && !tn_val_is_none(it->value)) {
            return tn_fail(err, TN_E_VALUE,
                "Catalog '" TN_STR_FMT "' config." TN_STR_FMT " must be a mapping",
                TN_STR_ARG(name), TN_STR_ARG(tn_val_to_str(a, it->key)));
        }
    }
    return TN_OK;
}

static tn_rc check_one(tn_arena *a, tn_val catalog, tn_str *ret_name, tn_err *err)
{
    TN_TRY(check_keys(a, catalog, err));
    tn_val name = tn_val_at(catalog, "name"), format = tn_val_at(catalog, "table_format");
    if (!tn_val_is_str(name) || tn_str_trim(tn_val_as_str(name)).n == 0) {
        return tn_fail(err, TN_E_VALUE, "catalogs[].name must be a non-empty string");
    }
    tn_str word = tn_str_lower(a, tn_val_to_str(a, format));
    if (!tn_str_is(word, "default") && !tn_str_is(word, "iceberg")) {
        return tn_fail(err, TN_E_VALUE,
            "Invalid table_format '" TN_STR_FMT "'. Must be one of ['default', 'iceberg']",
            TN_STR_ARG(tn_val_to_str(a, format)));
    }
    *ret_name = tn_str_trim(tn_val_as_str(name));
    return check_platforms(a, tn_val_as_str(name), tn_val_at(catalog, "config"), err);
}

static tn_rc check_v2(tn_arena *a, tn_val catalogs, tn_pctx *c, tn_err *err)
{
    tn_map seen = tn_map_init(a);
    for (size_t i = 0; i < catalogs.list->n; i++) {
        tn_val given = catalogs.list->v[i], catalog;
        tn_str name;
        if (given.tag != TN_DICT) {
            return must_be("Each entry in catalogs.yml 'catalogs'", "mapping", given, err);
        }
        TN_TRY(tn_value_render(a, given, render_text, c, &catalog, err));
        TN_TRY(check_one(a, catalog, &name, err));
        if (tn_map_find(&seen, name) != NULL) {
            return tn_fail(err, TN_E_VALUE,
                "Duplicate catalog name '" TN_STR_FMT "' in catalogs.yml", TN_STR_ARG(name));
        }
        tn_map_put(&seen, name, a);
    }
    return catalogs.list->n == 0
               ? TN_OK
               : tn_hint(err,
                     tn_fail(err, TN_E_VALUE,
                         "Adapter 'duckdb' does not support catalogs.yml v2 yet. Use catalogs.yml "
                         "v1 or upgrade to a supported adapter version."),
                     REMEDY);
}

static tn_rc check_file_keys(tn_arena *a, tn_val doc, tn_err *err)
{
    tn_strs others = { 0 };
    size_t at = 0;
    const tn_dict_item *it;
    if (tn_dict_finds(doc.dict, TN_STR("iceberg_catalogs")) != NULL) {
        return tn_fail(err, TN_E_VALUE, "v2 catalogs.yml uses 'catalogs', not 'iceberg_catalogs'");
    }
    while ((it = tn_dict_next(doc.dict, &at)) != NULL) {
        tn_str key = tn_val_to_str(a, it->key);
        if (!tn_str_is(key, "catalogs")) {
            tn_vec_push(&others, a, key);
        }
    }
    tn_strs_sort(&others);
    return others.n == 0 ? TN_OK
                         : tn_fail(err, TN_E_VALUE,
                               "Unknown top-level keys in catalogs.yml: " TN_STR_FMT
                               ". Only 'catalogs' is allowed",
                               TN_STR_ARG(tn_val_to_repr(a, tn_strs_list(a, &others))));
}

/* ---- the file ---- */

static tn_rc read_catalogs(tn_project *p, tn_str file, tn_val *ret, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_str text;
    tn_yaml_opts yo = { .file = tn_str_z(a, file) };
    TN_TRY(tn_file_read(a, file, TN_PROJECT_FILE_BYTES_MAX, &text, err));
    tn_rc rc = tn_yaml_parse(a, text, &yo, ret, err);
    if (rc == TN_OK && !tn_val_truthy(*ret)) {
        rc = tn_fail(err, TN_E_VALUE, "The file at " TN_STR_FMT " is empty", TN_STR_ARG(file));
    }
    if (rc == TN_OK) {
        return TN_OK;
    }
    tn_str why = below(a, err);
    return tn_fail(err, TN_E_PARSE,
        "Error reading " TN_STR_FMT ": catalogs.yml - Runtime Error\n  " TN_STR_FMT,
        TN_STR_ARG(p->package->name), TN_STR_ARG(why));
}

tn_rc tn_load_catalogs(tn_project *p, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_str file = tn_uri_join(a, p->root, TN_STR("catalogs.yml"));
    bool v2 = tn_project_flag(p, "USE_CATALOGS_V2", false);
    if (!tn_file_exists(file)) {
        return TN_OK;
    }
    tn_val doc;
    tn_pctx c;
    TN_TRY(read_catalogs(p, file, &doc, err));
    if (doc.tag != TN_DICT) {
        return must_be("catalogs.yml", "mapping at the top level", doc, err);
    }
    if (v2) {
        TN_TRY(check_file_keys(a, doc, err));
    }
    tn_val catalogs = tn_val_at(doc, "catalogs");
    if (tn_val_is_undef(catalogs)) {
        return TN_OK;
    }
    if (catalogs.tag != TN_LIST) {
        return must_be("'catalogs' in catalogs.yml", "list", catalogs, err);
    }
    TN_TRY(tn_yaml_context(&c, p, NULL, false, a, err));
    c.state->target = p->profile.target;
    return v2 ? check_v2(a, catalogs, &c, err) : check_v1(a, catalogs, &c, err);
}
