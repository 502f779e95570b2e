/* manifest_upgrade.c: see manifest_upgrade.h. What a manifest lacks, by version of its schema:
 *
 *   4 .. 6   raw_code is raw_sql
 *   4 .. 8   refs are lists of one or two names; models have no access
 *   4 .. 9   metrics are of another kind: left out
 *   any, of another dbt than 1.12.6: unrendered_config has values (or Jinja2's repr) where it now has the text of config()'s arguments
 */
#include "project/state/manifest_upgrade.h"

#include "project/node/project_priv.h"

enum { NEWEST = 12, OLD_METRICS = 9, NO_VERSION = -1 };

/* NO_VERSION: it says nothing of one; 0: none that we know. */
static int version_of(tn_val doc, const char *name)
{
    TN_AUTO_ARENA scratch = tn_arena_new("a schema", NULL);
    tn_str given = tn_val_str_at(tn_val_at(doc, "metadata"), "dbt_schema_version", TN_STR_NONE);
    for (int v = 1; given.n > 0 && v <= NEWEST; v++) {
        if (tn_str_eq(given,
                tn_str_printf(scratch, "https://schemas.getdbt.com/dbt/%s/v%d.json", name, v))) {
            return v;
        }
    }
    return given.n > 0 ? 0 : NO_VERSION;
}

tn_rc tn_artifact_check(
    tn_val doc, const char *name, int oldest, int newest, tn_str path, tn_err *err)
{
    int v = version_of(doc, name);
    if (v == NO_VERSION || (v >= oldest && v <= newest)) {
        return TN_OK;
    }
    tn_str found = tn_val_str_at(tn_val_at(doc, "metadata"), "dbt_schema_version", TN_STR_NONE);
    return tn_fail(err, TN_E_VALUE,
        "Expected a schema version of \"https://schemas.getdbt.com/dbt/%s/v%d.json\" in " TN_STR_FMT
        ", but found \"" TN_STR_FMT "\". Are you running with a different version of dbt?",
        name, newest, TN_STR_ARG(path), TN_STR_ARG(found));
}

static void rename_key(tn_dict *d, const char *from, const char *to)
{
    const tn_val *v = tn_dict_finds(d, tn_str_of(from));
    if (v != NULL) {
        tn_dict_putz(d, to, *v);
        (void)tn_dict_remove(d, tn_val_z(from));
    }
}

static tn_val new_ref(tn_arena *a, tn_val old)
{
    tn_val d = tn_val_dict(a);
    size_t n = old.list->n;
    tn_dict_putz(d.dict, "package", n > 1 ? old.list->v[0] : TN_VAL_NONE);
    tn_dict_putz(d.dict, "name", n > 0 ? old.list->v[n - 1] : TN_VAL_NONE);
    tn_dict_putz(d.dict, "version", TN_VAL_NONE);
    return d;
}

static void upgrade_node(tn_arena *a, tn_dict *node)
{
    tn_val n = { .tag = TN_DICT, .dict = node }, refs = tn_val_at(n, "refs");
    rename_key(node, "raw_sql", "raw_code");
    rename_key(node, "compiled_sql", "compiled_code");
    for (size_t i = 0; refs.tag == TN_LIST && i < refs.list->n; i++) {
        if (tn_val_is_seq(refs.list->v[i])) {
            refs.list->v[i] = new_ref(a, refs.list->v[i]);
        }
    }
    if (tn_str_is(tn_val_str_at(n, "resource_type", TN_STR_NONE), "model") &&
        tn_val_is_undef(tn_val_at(n, "access"))) {
        tn_dict_putz(node, "access", tn_val_z("protected"));
    }
}

static void upgrade_schema(tn_project *p, tn_val manifest, int version)
{
    tn_val nodes = tn_val_at(manifest, "nodes");
    size_t at = 0;
    const tn_dict_item *it;
    while (nodes.tag == TN_DICT && (it = tn_dict_next(nodes.dict, &at)) != NULL) {
        if (it->value.tag == TN_DICT) {
            upgrade_node(p->arena, it->value.dict);
        }
    }
    if (version <= OLD_METRICS) {
        tn_dict_putz(manifest.dict, "metrics", tn_val_dict(p->arena));
    }
}

/* Tests of dbt itself whose config was never rendered. */
static bool is_simple_test(tn_val node)
{
    static const char *const ids[] = { "macro.dbt.test_not_null", "macro.dbt.test_unique" };
    tn_val macros = tn_val_at(tn_val_at(node, "depends_on"), "macros");
    if (!tn_str_is(tn_val_str_at(node, "resource_type", TN_STR_NONE), "test") ||
        macros.tag != TN_LIST || macros.list->n != 1) {
        return false;
    }
    tn_str one = tn_val_as_str(macros.list->v[0]);
    return tn_str_is(one, ids[0]) || tn_str_is(one, ids[1]);
}

static void upgrade_config(tn_project *p, tn_val node)
{
    tn_str code = tn_val_str_at(node, "raw_code", TN_STR_NONE);
    tn_val config = tn_val_at(node, "unrendered_config");
    if (config.tag != TN_DICT || config.dict->live == 0 || is_simple_test(node) ||
        tn_str_find(code, TN_STR("config("), 0) == SIZE_MAX) {
        return;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("an old config", NULL);
    tn_jinja_tmpl *t;
    tn_jinja_static_calls calls = { 0 };
    tn_strs names = { 0 };
    tn_jinja_src src = { "manifest.json", 1 };
    if (tn_jinja_parse(tn_project_parse_env(p), scratch, code, src, &t, NULL) != TN_OK ||
        tn_jinja_scan(scratch, t, &calls, &names, NULL) != TN_OK) {
        return; /* what cannot be read stays as it is, and compares as another */
    }
    for (size_t i = 0; i < calls.n; i++) {
        if (tn_str_is(calls.v[i].name, "config")) {
            tn_value_put_all(config.dict, tn_jinja_call_written(p->arena, &calls.v[i]));
            return;
        }
    }
}

void tn_manifest_upgrade(tn_project *p, tn_val manifest)
{
    int version = version_of(manifest, "manifest");
    tn_str writer = tn_val_str_at(tn_val_at(manifest, "metadata"), "dbt_version", TN_STR_NONE);
    if (manifest.tag != TN_DICT) {
        return;
    }
    if (version > 0 && version < NEWEST) {
        upgrade_schema(p, manifest, version);
    }
    if (writer.n == 0 || tn_str_is(writer, TN_PROJECT_DBT_VERSION) ||
        !tn_project_flag(p, "STATE_MODIFIED_COMPARE_MORE_UNRENDERED_VALUES", true)) {
        return;
    }
    tn_val nodes = tn_val_at(manifest, "nodes");
    size_t at = 0;
    const tn_dict_item *it;
    while (nodes.tag == TN_DICT && (it = tn_dict_next(nodes.dict, &at)) != NULL) {
        upgrade_config(p, it->value);
    }
}
