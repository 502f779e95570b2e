/* properties.c: YAML files of resources: reading, rendering, and an index of their entries by kind and name.
 *
 * Entries are rendered (native Jinja, no macros) except for what dbt renders later: tests, descriptions, hooks. A versioned model gives one
 * patch for each version, indexed by the file that defines it.
 */
#include "project/deprecation.h"
#include "project/parse/parse_priv.h"

static const char *const list_keys[] = { "models", "seeds", "snapshots", "analyses", "data_tests",
    "tests", "macros", "sources", "exposures", "groups", "metrics", "semantic_models",
    "saved_queries", "unit_tests", "functions" };

/* ---- what is not rendered now ---- */

static bool key_is(const tn_val *path, size_t depth, size_t at, const char *name)
{
    return at < depth && tn_str_is(tn_val_as_str(path[at]), name);
}

static bool late_key(const tn_val *path, size_t depth, size_t at)
{
    return key_is(path, depth, at, "tests") || key_is(path, depth, at, "data_tests") ||
           key_is(path, depth, at, "description") || key_is(path, depth, at, "loaded_at_query");
}

static bool late_hook(const tn_val *path, size_t depth)
{
    return key_is(path, depth, 0, "config") &&
           (key_is(path, depth, 1, "pre_hook") || key_is(path, depth, 1, "post_hook") ||
               key_is(path, depth, 1, "pre-hook") || key_is(path, depth, 1, "post-hook") ||
               key_is(path, depth, 1, "loaded_at_query"));
}

/* Lists whose entries have descriptions, and tests, of their own. */
static bool has_elements(const tn_val *path, size_t depth)
{
    static const char *const lists[] = { "columns", "dimensions", "measures", "entities",
        "metrics" };
    for (size_t i = 0; i < TN_COUNTOF(lists); i++) {
        if (key_is(path, depth, 0, lists[i])) {
            return true;
        }
    }
    return key_is(path, depth, 0, "derived_semantics") &&
           (key_is(path, depth, 1, "dimensions") || key_is(path, depth, 1, "entities"));
}

static bool rendered_later(const char *key, const tn_val *path, size_t depth)
{
    if (strcmp(key, "sources") == 0 && key_is(path, depth, 0, "tables")) {
        if (depth > 2) { /* tables, place, ... : the same rules below */
            return rendered_later("models", path + 2, depth - 2);
        }
        return false;
    }
    if (strcmp(key, "macros") == 0 && key_is(path, depth, 0, "arguments")) {
        return late_key(path, depth, 2);
    }
    bool of_metric = strcmp(key, "metrics") == 0 || key_is(path, depth, 0, "metrics");
    if (of_metric && (key_is(path, depth, depth - 1, "filter") ||
                         (depth > 1 && key_is(path, depth, depth - 2, "filter")))) {
        return true;
    }
    if (strcmp(key, "saved_queries") == 0 && key_is(path, depth, 0, "query_params") &&
        key_is(path, depth, 1, "where")) {
        return true;
    }
    if (late_key(path, depth, 0) || late_hook(path, depth)) {
        return true;
    }
    if (key_is(path, depth, 0, "versions")) {
        return late_key(path, depth, 2) ||
               (key_is(path, depth, 2, "columns") && late_key(path, depth, 4));
    }
    if (strcmp(key, "unit_tests") == 0 &&
        (key_is(path, depth, 0, "given") || key_is(path, depth, 0, "expect"))) {
        return true;
    }
    return has_elements(path, depth) &&
           late_key(path, depth, key_is(path, depth, 0, "derived_semantics") ? 3 : 2);
}

typedef struct entry_render {
    tn_pctx *ctx;
    const char *key;
    const char *file;
    tn_str text;
} entry_render;

static tn_rc render_entry(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err)
{
    entry_render *r = self;
    if (!tn_text_has_jinja(text) || rendered_later(r->key, path, depth)) {
        *ret = tn_val_str(text);
        return TN_OK;
    }
    int line = tn_text_line(r->text, text);
    return tn_pctx_render_native(r->ctx, text, (tn_jinja_src){ r->file, line }, ret, err);
}

/* ---- entries ---- */

static tn_str index_key(tn_project *p, const char *key, tn_str name)
{
    return tn_str_printf(p->arena, "%s." TN_STR_FMT, key, TN_STR_ARG(name));
}

static void index_patch(tn_project *p, tn_patch *patch, tn_str name)
{
    tn_str key = index_key(p, patch->key, name);
    tn_patches *list = tn_map_find(&p->state->patch_index, key);
    if (list == NULL) {
        list = tn_new(p->arena, tn_patches);
        tn_map_put(&p->state->patch_index, key, list);
    }
    tn_vec_push(list, p->arena, patch);
}

static tn_val version_of(tn_val v)
{
    return tn_val_at(v, "v");
}

static tn_str version_text(tn_project *p, tn_val v)
{
    return tn_val_to_str(p->arena, v);
}

/* max() of versions, as dbt has it. */
static tn_val latest_of(tn_val versions)
{
    tn_val best = TN_VAL_NONE;
    for (size_t i = 0; i < versions.list->n; i++) {
        tn_val v = version_of(versions.list->v[i]);
        if (tn_val_is_none(best) || tn_model_version_cmp(v, best) > 0) {
            best = v;
        }
    }
    return best;
}

static void add_versions(tn_project *p, tn_patch *patch, tn_val versions)
{
    tn_val latest = tn_val_at((tn_val){ .tag = TN_DICT, .dict = patch->entry }, "latest_version");
    if (tn_val_is_undef(latest) || tn_val_is_none(latest)) {
        latest = latest_of(versions);
        tn_dict_putz(patch->entry, "latest_version", latest);
    }
    for (size_t i = 0; i < versions.list->n; i++) {
        tn_val e = versions.list->v[i];
        tn_patch *one = tn_new(p->arena, tn_patch);
        *one = *patch;
        one->version = version_of(e);
        tn_str defined = tn_val_str_at(e, "defined_in", TN_STR_NONE);
        if (defined.n == 0) {
            defined = tn_str_printf(p->arena, TN_STR_FMT "_v" TN_STR_FMT, TN_STR_ARG(patch->name),
                TN_STR_ARG(version_text(p, one->version)));
        }
        index_patch(p, one, defined);
        if (tn_val_eq(one->version, latest)) {
            index_patch(p, one, patch->name); /* the latest may live in a file without a suffix */
        }
        tn_vec_push(&p->state->patches, p->arena, one);
    }
}

static tn_rc fail_entry(
    tn_project *p, const tn_source_file *f, int line, tn_err *err, const char *what)
{
    tn_rc rc = tn_fail(err, TN_E_PARSE, "The schema file at " TN_STR_FMT " is invalid because %s",
        TN_STR_ARG(f->original), what);
    tn_err_place(err, tn_str_z(p->arena, f->open), line, 1);
    return rc;
}

/* An earlier entry of this package for the same model, seed, snapshot or macro. */
static const tn_patch *described_twice(tn_project *p, const tn_patch *patch)
{
    static const char *const keys[] = { "models", "seeds", "snapshots", "analyses", "macros" };
    tn_patches *list = tn_map_find(&p->state->patch_index, index_key(p, patch->key, patch->name));
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            if (list->v[i]->package == patch->package && tn_val_is_undef(list->v[i]->version) &&
                strcmp(patch->key, keys[k]) == 0) {
                return list->v[i];
            }
        }
    }
    return NULL;
}

/* The old name of data tests beside the new one: at the entry, its columns, its tables and theirs. */
static bool has_both_tests(tn_val entry)
{
    static const char *const parts[] = { "columns", "tables" };
    bool both = tn_val_truthy(tn_val_at(entry, "tests")) &&
                !tn_val_is_undef(tn_val_at(entry, "data_tests"));
    for (size_t k = 0; k < TN_COUNTOF(parts); k++) {
        tn_val list = tn_val_at(entry, parts[k]);
        for (size_t i = 0; list.tag == TN_LIST && i < list.list->n && !both; i++) {
            both = has_both_tests(list.list->v[i]);
        }
    }
    return both;
}

/* The text of a message that shows a value: 'x', trimmed as dbt does. */
static tn_str trimmed(tn_arena *a, tn_str s)
{
    enum { MAX = 50, HEAD = 44, TAIL = 3 };
    return s.n < MAX
               ? s
               : tn_str_printf(a, TN_STR_FMT "..." TN_STR_FMT, TN_STR_ARG(tn_str_sub(s, 0, HEAD)),
                     TN_STR_ARG(tn_str_sub(s, s.n - TAIL, s.n)));
}

/* Lists that dbt looks at before it reads any entry; of the others it says less. */
static bool checked_early(const char *key)
{
    return strcmp(key, "data_tests") != 0 && strcmp(key, "tests") != 0 &&
           strcmp(key, "groups") != 0 && strcmp(key, "unit_tests") != 0;
}

/* An entry as it may be written at all: a mapping with a name. */
static tn_rc check_written(
    tn_project *p, const tn_source_file *f, const char *key, tn_val list, tn_val raw, tn_err *err)
{
    bool early = checked_early(key);
    bool named = !tn_val_is_undef(tn_val_at(raw, "name"));
    size_t at = 0;
    const tn_dict_item *it;
    if (early && (raw.tag != TN_DICT || !named)) {
        tn_str what = tn_str_printf(p->arena, "a list element for '%s' %s", key,
            raw.tag != TN_DICT ? "is not a dictionary" : "does not have a name attribute.");
        return fail_entry(p, f, 1, err, what.p);
    }
    bool texts = raw.tag == TN_DICT;
    while (texts && (it = tn_dict_next(raw.dict, &at)) != NULL) {
        texts = tn_val_is_str(it->key);
    }
    if (!texts) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Invalid %s config given in " TN_STR_FMT " @ %s: " TN_STR_FMT
            " - expected a dict with string keys",
            key, TN_STR_ARG(f->original), key, TN_STR_ARG(tn_val_to_repr(p->arena, list)));
    }
    if (!named && tn_val_is_undef(tn_val_at(raw, "model"))) {
        return tn_fail(err, TN_E_COMPILE, "Parsing Error\n  Entry did not contain a name");
    }
    return TN_OK;
}

/* A source or a table of it with loaded_at_field: "" */
static bool has_empty_field(tn_val entry)
{
    tn_val field = tn_val_at(entry, "loaded_at_field"), tables = tn_val_at(entry, "tables");
    bool empty = tn_val_is_str(field) && tn_val_as_str(field).n == 0;
    for (size_t i = 0; tables.tag == TN_LIST && i < tables.list->n && !empty; i++) {
        empty = has_empty_field(tables.list->v[i]);
    }
    return empty;
}

/* Entries that are checked by more than a form. */
static tn_rc check_kept(const tn_project *p, const tn_patch *patch, tn_err *err)
{
    static const struct {
        const char *key;
        tn_node_kind kind;
    } kinds[] = { { "exposures", TN_NODE_EXPOSURE }, { "metrics", TN_NODE_METRIC },
        { "semantic_models", TN_NODE_SEMANTIC_MODEL }, { "saved_queries", TN_NODE_SAVED_QUERY } };
    for (size_t i = 0; i < TN_COUNTOF(kinds); i++) {
        tn_rc rc = strcmp(patch->key, kinds[i].key) == 0 ? tn_entry_check(patch, kinds[i].kind, err)
                                                         : TN_OK;
        if (rc != TN_OK) {
            tn_err_place(err, tn_str_z(p->arena, patch->open), patch->line, 1);
            return rc;
        }
    }
    return TN_OK;
}

/* What a rendered entry must be, by its kind. */
static tn_rc check_read(const tn_patch *patch, tn_err *err)
{
    static const char *const kinds[] = { "models", "seeds", "snapshots", "analyses", "macros",
        "sources", "exposures", "groups", "functions", "data_tests" };
    tn_val e = { .tag = TN_DICT, .dict = patch->entry };
    const char *form = NULL;
    for (size_t i = 0; i < TN_COUNTOF(kinds) && form == NULL; i++) {
        form = strcmp(patch->key, kinds[i]) == 0 ? kinds[i] : NULL;
    }
    bool source = strcmp(patch->key, "sources") == 0;
    if (source && !tn_val_is_undef(tn_val_at(e, "overrides"))) {
        form = "SourcePatch";
    }
    if (form != NULL) {
        TN_TRY(tn_entry_form_check(patch, form, err));
    } else if (!tn_val_is_str(tn_val_at(e, "name"))) {
        return tn_entry_lacks(patch, "", "name", err);
    }
    if (source && has_empty_field(e)) {
        return tn_entry_refuse(
            patch, "", TN_STR("loaded_at_field cannot be an empty string."), err);
    }
    return has_both_tests(e)
               ? tn_entry_refuse(patch, "",
                     TN_STR("Invalid test config: cannot have both 'tests' and 'data_tests' "
                            "defined"),
                     err)
               : TN_OK;
}

static tn_rc render_patch(
    tn_project *p, const tn_source_file *f, tn_patch *patch, tn_pctx *c, tn_err *err)
{
    tn_val raw = { .tag = TN_DICT, .dict = patch->raw }, entry, tables = tn_val_at(raw, "tables");
    entry_render r = { c, patch->key, tn_str_z(p->arena, f->open), f->text };
    if (strcmp(patch->key, "sources") == 0 && !tn_val_is_given(tables)) {
        tn_dict_putz(raw.dict, "tables", tn_val_list(p->arena));
    }
    tn_rc rc = tn_value_render(p->arena, raw, render_entry, &r, &entry, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "rendering the entry '" TN_STR_FMT "' of " TN_STR_FMT,
            TN_STR_ARG(tn_val_to_str(p->arena, tn_val_at(raw, "name"))), TN_STR_ARG(f->original));
    }
    patch->entry = entry.dict;
    patch->name = tn_val_to_str(p->arena, tn_val_at(entry, "name"));
    return TN_OK;
}

static tn_rc add_patch(tn_project *p, tn_patch *patch, tn_err *err)
{
    tn_val versions = tn_val_at((tn_val){ .tag = TN_DICT, .dict = patch->entry }, "versions");
    if (strcmp(patch->key, "models") == 0 && versions.tag == TN_LIST && versions.list->n > 0) {
        add_versions(p, patch, versions);
        return TN_OK;
    }
    const tn_patch *twice = described_twice(p, patch);
    if (twice != NULL) {
        tn_rc rc = tn_fail(err, TN_E_COMPILE,
            "dbt found two schema.yml entries for the same resource named " TN_STR_FMT
            ". Resources and their associated columns may only be "
            "described a single time. To fix this, remove one of the resource entries "
            "for " TN_STR_FMT " in this file:\n - " TN_STR_FMT,
            TN_STR_ARG(patch->name), TN_STR_ARG(patch->name), TN_STR_ARG(twice->file));
        tn_err_place(err, tn_str_z(p->arena, patch->open), patch->line, 1);
        return rc;
    }
    index_patch(p, patch, patch->name);
    tn_vec_push(&p->state->patches, p->arena, patch);
    return TN_OK;
}

/* What the entries of one file have in common. */
typedef struct entries_of {
    tn_project *p;
    const tn_source_file *f;
    const tn_yaml_places *places;
    tn_pctx c;
} entries_of;

static tn_rc add_entries(entries_of *o, const char *key, tn_val list, tn_err *err)
{
    tn_project *p = o->p;
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val raw = list.list->v[i];
        TN_TRY(check_written(p, o->f, key, list, raw, err));
        tn_patch *patch = tn_new(p->arena, tn_patch);
        *patch = (tn_patch){ .package = o->f->package,
            .key = strcmp(key, "tests") == 0 ? "data_tests" : key,
            .raw = raw.dict,
            .file = o->f->original,
            .rel = o->f->rel,
            .open = o->f->open,
            .places = o->places,
            .line = tn_place_line(o->places, raw.dict, "name"),
            .version = TN_VAL_UNDEF };
        TN_TRY(render_patch(p, o->f, patch, &o->c, err));
        TN_TRY(check_read(patch, err));
        TN_TRY(check_kept(p, patch, err));
        TN_TRY(add_patch(p, patch, err));
    }
    return TN_OK;
}

/* One list of a file. dbt goes on without entries of data tests that it cannot read. */
static tn_rc load_list(entries_of *o, tn_val doc, const char *key, tn_err *err)
{
    tn_project *p = o->p;
    tn_val list = tn_val_at(doc, key);
    if (list.tag == TN_LIST) {
        tn_err own = TN_ERR_INIT;
        tn_rc rc = add_entries(o, key, list, &own);
        if (rc != TN_OK && strcmp(key, "data_tests") == 0) {
            tn_project_note(p, "Note", o->f->original, 0,
                "Unable to parse 'data_tests' section of file '" TN_STR_FMT "'\n%s",
                TN_STR_ARG(o->f->original), own.msg);
            rc = TN_OK;
        }
        return rc == TN_OK ? TN_OK : tn_err_pass(err, rc, &own);
    }
    if (checked_early(key)) {
        return fail_entry(p, o->f, tn_place_line(o->places, doc.dict, key), err,
            tn_str_printf(p->arena, "the value of '%s' is not a list", key).p);
    }
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  %s must be a list, got <class '%s'> instead: (" TN_STR_FMT ")", key,
        tn_val_type_name(list), TN_STR_ARG(trimmed(p->arena, tn_val_to_str(p->arena, list))));
}

static tn_rc load_file(tn_project *p, const tn_source_file *f, tn_err *err)
{
    tn_yaml_places *places = NULL;
    tn_val warnings = TN_VAL_UNDEF, doc;
    tn_yaml_opts yo = {
        .file = tn_str_z(p->arena, f->open), .ret_places = &places, .ret_warnings = &warnings
    };
    tn_rc rc = tn_yaml_parse(p->arena, f->text, &yo, &doc, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "Parsing Error at path " TN_STR_FMT, TN_STR_ARG(f->original));
    }
    for (size_t i = 0; warnings.tag == TN_LIST && i < warnings.list->n; i++) {
        tn_deprecate(p, "DuplicateYAMLKeysDeprecation", f->original,
            TN_STR_FMT " in file `" TN_STR_FMT "`", TN_STR_ARG(tn_val_as_str(warnings.list->v[i])),
            TN_STR_ARG(f->original));
    }
    if (tn_val_is_none(doc)) {
        return TN_OK;
    }
    if (doc.tag != TN_DICT) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Error reading " TN_STR_FMT ": " TN_STR_FMT
            " - Runtime Error\n    Contents of file '" TN_STR_FMT
            "' are not valid. Dictionary expected.",
            TN_STR_ARG(f->package->name), TN_STR_ARG(f->rel), TN_STR_ARG(f->original));
    }
    entries_of o = { .p = p, .f = f, .places = places };
    TN_TRY(tn_yaml_context(&o.c, p, f->package, false, p->arena, err));
    for (size_t k = 0; k < TN_COUNTOF(list_keys); k++) {
        if (!tn_val_is_undef(tn_val_at(doc, list_keys[k]))) {
            TN_TRY(load_list(&o, doc, list_keys[k], err));
        }
    }
    return TN_OK;
}

/* ---- macros' descriptions ---- */

/* The meta of an entry and that of its config, which stands above it. */
static tn_val both_metas(tn_arena *a, tn_val meta, tn_val entry)
{
    tn_val own = tn_val_at(tn_val_at(entry, "config"), "meta");
    if (own.tag != TN_DICT || meta.tag != TN_DICT) {
        return own.tag == TN_DICT ? own : meta;
    }
    tn_val both = tn_val_dict(a);
    const tn_dict *layers[] = { meta.dict, own.dict };
    for (size_t i = 0; i < TN_COUNTOF(layers); i++) {
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(layers[i], &at)) != NULL) {
            tn_dict_put(both.dict, it->key, it->value);
        }
    }
    return both;
}

static tn_rc patch_macros(tn_project *p, tn_err *err)
{
    for (size_t i = 0; i < p->state->patches.n; i++) {
        tn_patch *patch = p->state->patches.v[i];
        if (strcmp(patch->key, "macros") != 0) {
            continue;
        }
        tn_macro *m = tn_map_find(&patch->package->macros, patch->name);
        if (m == NULL) {
            tn_project_note(p, "MacroNotFoundForPatch", patch->file, patch->line,
                "Found patch for macro \"" TN_STR_FMT "\" which was not found",
                TN_STR_ARG(patch->name));
            continue;
        }
        tn_val e = { .tag = TN_DICT, .dict = patch->entry };
        TN_TRY(tn_render_desc(p, patch, e, &m->description, NULL, err));
        TN_TRY(tn_render_descs(p, patch, tn_val_at(e, "arguments"), err));
        m->meta = both_metas(p->arena, tn_val_at(e, "meta"), e);
        tn_val docs = tn_val_at(tn_val_at(e, "config"), "docs");
        m->docs = tn_val_truthy(docs) ? docs : tn_val_at(e, "docs");
        m->arguments = tn_val_at(e, "arguments");
        tn_check_macro_arguments(p, m);
        m->patch_path = tn_str_printf(p->arena, TN_STR_FMT "://" TN_STR_FMT,
            TN_STR_ARG(patch->package->name), TN_STR_ARG(patch->file));
    }
    return TN_OK;
}

tn_rc tn_load_properties(tn_project *p, tn_err *err)
{
    for (size_t i = 0; i < p->state->yamls.n; i++) {
        TN_TRY(load_file(p, &p->state->yamls.v[i], err));
    }
    return patch_macros(p, err);
}
