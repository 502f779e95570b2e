/* manifest.c: manifest.json, schema v12, as dbt 1.12 writes it: streamed, without a tree of the whole in memory. */
#include "project/manifest.h"

#include "os/clock.h"
#include "os/proc.h"
#include "project/node/project_priv.h"
#include "text/json.h"
#include "text/timetext.h"

/* ---- metadata ---- */

tn_val tn_manifest_metadata(tn_project *p, tn_arena *a, const char *schema)
{
    tn_val m = tn_val_dict(a);
    tn_buf now = tn_buf_init(a, 64), started = tn_buf_init(a, 64);
    tn_iso_micros(&now, tn_clock_now_us(), 6, 'T', "Z");
    tn_iso_micros(&started, p->started_us, 6, 'T', "+00:00");
    tn_dict_putz(m.dict, "dbt_schema_version",
        tn_val_str(tn_str_printf(a, "https://schemas.getdbt.com/dbt/%s.json", schema)));
    tn_dict_putz(m.dict, "dbt_version", tn_val_z(TN_PROJECT_DBT_VERSION));
    tn_dict_putz(m.dict, "generated_at", tn_val_str(tn_buf_str(&now)));
    tn_dict_putz(m.dict, "invocation_id", tn_val_str(p->invocation_id));
    tn_dict_putz(m.dict, "invocation_started_at", tn_val_str(tn_buf_str(&started)));
    tn_dict_putz(m.dict, "env", tn_custom_env(a));
    if (strncmp(schema, "manifest/", 9) == 0) {
        tn_dict_putz(m.dict, "project_name", tn_val_str(p->name));
        tn_dict_putz(m.dict, "project_id", tn_val_str(p->project_id));
        tn_dict_putz(m.dict, "user_id", TN_VAL_NONE);
        tn_dict_putz(m.dict, "send_anonymous_usage_stats", TN_VAL_FALSE);
        tn_dict_putz(m.dict, "adapter_type", tn_val_str(p->profile.type));
        tn_dict_putz(m.dict, "quoting", p->quoting);
        tn_dict_putz(m.dict, "run_started_at", tn_val_str(tn_buf_str(&started)));
    }
    return m;
}

/* ---- nodes ---- */

typedef struct writer {
    tn_project *p;
    tn_json_writer w;
    tn_manifest_compiled_fn compiled;
    void *self;
} writer;

static void put_compiled(writer *m, const tn_node *n, tn_dict *d)
{
    tn_manifest_compiled c = {
        .extra_ctes = TN_VAL_UNDEF, .overloads = TN_VAL_UNDEF, .keyed = TN_VAL_UNDEF
    };
    if (n->kind == TN_NODE_UNIT_TEST || m->compiled == NULL || !m->compiled(m->self, n, &c) ||
        !c.compiled) {
        return; /* what is compiled of a unit test is a node that only its run has */
    }
    for (size_t i = 0; c.called != NULL && i < c.called->n; i++) {
        if (!tn_strs_has(&n->macros, c.called->v[i])) {
            tn_val depends = tn_val_at((tn_val){ .tag = TN_DICT, .dict = d }, "depends_on");
            tn_list_push(tn_val_at(depends, "macros").list, tn_val_str(c.called->v[i]));
        }
    }
    tn_dict_putz(d, "compiled", TN_VAL_TRUE);
    tn_dict_putz(d, "compiled_code", tn_val_str(c.compiled_code));
    tn_dict_putz(
        d, "compiled_path", c.compiled_path.n > 0 ? tn_val_str(c.compiled_path) : TN_VAL_NONE);
    tn_dict_putz(d, "extra_ctes_injected", TN_VAL_TRUE);
    tn_dict_putz(
        d, "extra_ctes", tn_val_is_undef(c.extra_ctes) ? tn_val_list(d->arena) : c.extra_ctes);
    if (c.keyed.tag == TN_DICT) {
        tn_dict_putz(d, "constraints", tn_val_at(c.keyed, "constraints"));
        tn_dict_putz(d, "columns", tn_val_at(c.keyed, "columns"));
    }
    if (c.overloads.tag == TN_LIST) {
        tn_dict_putz(d, "overloads", c.overloads);
    }
}

static void write_node(writer *m, const tn_node *n)
{
    TN_AUTO_ARENA scratch = tn_arena_new("manifest node", NULL);
    tn_val d = tn_node_dict(scratch, n);
    put_compiled(m, n, d.dict);
    tn_jw_val(&m->w, d);
}

static bool in_section(tn_node_kind k, const char *section)
{
    switch (k) {
    case TN_NODE_SOURCE:
        return strcmp(section, "sources") == 0;
    case TN_NODE_EXPOSURE:
        return strcmp(section, "exposures") == 0;
    case TN_NODE_METRIC:
        return strcmp(section, "metrics") == 0;
    case TN_NODE_SEMANTIC_MODEL:
        return strcmp(section, "semantic_models") == 0;
    case TN_NODE_SAVED_QUERY:
        return strcmp(section, "saved_queries") == 0;
    case TN_NODE_UNIT_TEST:
        return strcmp(section, "unit_tests") == 0;
    case TN_NODE_FUNCTION:
        return strcmp(section, "functions") == 0;
    default:
        return strcmp(section, "nodes") == 0;
    }
}

static void write_section(writer *m, const char *section)
{
    tn_jw_key(&m->w, section);
    tn_jw_obj(&m->w);
    for (size_t i = 0; i < m->p->nodes.n; i++) {
        const tn_node *n = m->p->nodes.v[i];
        if (in_section(n->kind, section) && n != m->p->inline_query) {
            tn_jw_key_s(&m->w, n->unique_id);
            write_node(m, n);
        }
    }
    tn_jw_obj_end(&m->w);
}

/* ---- macros, docs ---- */

static tn_val value_or(tn_val v, tn_val dflt)
{
    return tn_val_is_given(v) ? v : dflt;
}

static void add_argument(tn_arena *a, tn_val list, tn_val name, tn_val type, tn_val description)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "name", name);
    tn_dict_putz(d.dict, "type", value_or(type, TN_VAL_NONE));
    tn_dict_putz(d.dict, "description", value_or(description, tn_val_z("")));
    tn_list_push(list.list, d);
}

/* dbt reads the files of tests/generic with another parser, which leaves arguments alone. */
static bool of_test_folder(const tn_project *p, const tn_macro *macro)
{
    const tn_package *pkg = tn_project_package(p, macro->package_name);
    for (size_t i = 0; pkg != NULL && i < pkg->test_paths.n; i++) {
        tn_str dir = pkg->test_paths.v[i];
        if (tn_str_starts(macro->path, dir) &&
            tn_str_starts(tn_str_sub(macro->path, dir.n, macro->path.n), TN_STR("/generic/"))) {
            return true;
        }
    }
    return false;
}

/* What a property file says of them; else, with the behaviour flag validate_macro_args (on unless set), the names in the signature. */
static tn_val macro_arguments(tn_arena *a, const tn_project *p, const tn_macro *macro)
{
    const tn_val said = macro->arguments;
    tn_val list = tn_val_list(a);
    for (size_t i = 0; said.tag == TN_LIST && i < said.list->n; i++) {
        tn_val e = said.list->v[i];
        add_argument(
            a, list, tn_val_at(e, "name"), tn_val_at(e, "type"), tn_val_at(e, "description"));
    }
    if (list.list->n > 0 || !tn_project_flag(p, "VALIDATE_MACRO_ARGS", true) ||
        of_test_folder(p, macro)) {
        return list;
    }
    if (macro->code->kind == TN_BLOCK_MATERIALIZATION) { /* dbt's parser makes one of it */
        add_argument(a, list, tn_val_z("supported_languages"), TN_VAL_NONE, TN_VAL_NONE);
        return list;
    }
    tn_strs names = tn_macro_args(p, macro, a);
    for (size_t i = 0; i < names.n; i++) {
        add_argument(a, list, tn_val_str(names.v[i]), TN_VAL_NONE, TN_VAL_NONE);
    }
    return list;
}

static tn_rc write_macro(writer *m, tn_macro *macro, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("manifest macro", NULL);
    tn_strs calls = { 0 };
    TN_TRY(tn_macro_depends(m->p, macro, &calls, err));
    tn_val d = tn_val_dict(scratch), deps = tn_val_dict(scratch), docs = tn_val_dict(scratch),
           config = tn_val_dict(scratch);
    tn_dict_putz(d.dict, "name", tn_val_str(macro->name));
    tn_dict_putz(d.dict, "resource_type", tn_val_z("macro"));
    tn_dict_putz(d.dict, "package_name", tn_val_str(macro->package_name));
    tn_dict_putz(d.dict, "path", tn_val_str(macro->path));
    tn_dict_putz(d.dict, "original_file_path", tn_val_str(macro->path));
    tn_dict_putz(d.dict, "unique_id", tn_val_str(macro->unique_id));
    tn_dict_putz(d.dict, "macro_sql", tn_val_str(macro->text));
    tn_dict_putz(deps.dict, "macros", tn_strs_list(scratch, &calls));
    tn_dict_putz(d.dict, "depends_on", deps);
    tn_dict_putz(d.dict, "description", tn_val_str(macro->description));
    tn_val meta = value_or(macro->meta, tn_val_dict(scratch));
    tn_dict_putz(d.dict, "meta", meta);
    tn_dict_putz(docs.dict, "show", value_or(tn_val_at(macro->docs, "show"), TN_VAL_TRUE));
    tn_dict_putz(
        docs.dict, "node_color", value_or(tn_val_at(macro->docs, "node_color"), TN_VAL_NONE));
    tn_dict_putz(d.dict, "docs", docs);
    tn_dict_putz(config.dict, "meta", meta);
    tn_dict_putz(config.dict, "docs", docs);
    tn_dict_putz(d.dict, "config", config);
    tn_dict_putz(d.dict, "patch_path",
        macro->patch_path.n > 0 ? tn_val_str(macro->patch_path) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "arguments", macro_arguments(scratch, m->p, macro));
    tn_dict_putz(d.dict, "created_at", tn_val_float((double)m->p->started_us / 1e6));
    tn_dict_putz(d.dict, "supported_languages",
        macro->code->kind == TN_BLOCK_MATERIALIZATION ? tn_val_list(scratch) : TN_VAL_NONE);
    if (macro->code->kind == TN_BLOCK_MATERIALIZATION) {
        tn_list_push(tn_val_at(d, "supported_languages").list, tn_val_z("sql"));
    }
    tn_jw_key_s(&m->w, macro->unique_id);
    tn_jw_val(&m->w, d);
    return TN_OK;
}

static tn_rc write_macros(writer *m, tn_err *err)
{
    tn_jw_key(&m->w, "macros");
    tn_jw_obj(&m->w);
    for (size_t i = 0; i < m->p->macros.n; i++) {
        TN_TRY(write_macro(m, m->p->macros.v[i], err));
    }
    tn_jw_obj_end(&m->w);
    return TN_OK;
}

static void write_docs(writer *m)
{
    tn_json_writer *w = &m->w;
    tn_jw_key(w, "docs");
    tn_jw_obj(w);
    for (size_t i = 0; i < m->p->docs.n; i++) {
        const tn_doc *d = m->p->docs.items[i].value;
        tn_jw_key_s(w, d->unique_id);
        tn_jw_obj(w);
        tn_jw_key(w, "name");
        tn_jw_str(w, d->name);
        tn_jw_key(w, "resource_type");
        tn_jw_str(w, TN_STR("doc"));
        tn_jw_key(w, "package_name");
        tn_jw_str(w, d->package_name);
        tn_jw_key(w, "path");
        tn_jw_str(w, d->path);
        tn_jw_key(w, "original_file_path");
        tn_jw_str(w, d->original_file_path);
        tn_jw_key(w, "unique_id");
        tn_jw_str(w, d->unique_id);
        tn_jw_key(w, "block_contents");
        tn_jw_str(w, d->contents);
        tn_jw_obj_end(w);
    }
    tn_jw_obj_end(w);
}

/* ---- groups, disabled, maps ---- */

static void write_groups(writer *m)
{
    tn_jw_key(&m->w, "groups");
    tn_jw_obj(&m->w);
    for (size_t i = 0; i < m->p->groups.list->n; i++) {
        tn_val g = m->p->groups.list->v[i];
        tn_jw_key_s(&m->w, tn_val_str_at(g, "unique_id", TN_STR_NONE));
        tn_jw_val(&m->w, g);
    }
    tn_jw_obj_end(&m->w);
}

/* Disabled nodes: unique_id -> list, since several may share one. */
static void write_disabled(writer *m)
{
    tn_project *p = m->p;
    TN_AUTO_ARENA scratch = tn_arena_new("disabled", NULL);
    tn_map done = tn_map_init(scratch);
    tn_jw_key(&m->w, "disabled");
    tn_jw_obj(&m->w);
    for (size_t i = 0; i < p->disabled.n; i++) {
        tn_str id = p->disabled.v[i]->unique_id;
        if (tn_map_find(&done, id) != NULL) {
            continue;
        }
        tn_map_put(&done, id, p->disabled.v[i]);
        tn_jw_key_s(&m->w, id);
        tn_jw_arr(&m->w);
        for (size_t k = i; k < p->disabled.n; k++) {
            if (tn_str_eq(p->disabled.v[k]->unique_id, id)) {
                write_node(m, p->disabled.v[k]);
            }
        }
        tn_jw_arr_end(&m->w);
    }
    tn_jw_obj_end(&m->w);
}

static void write_map(writer *m, const char *key, bool parents)
{
    TN_AUTO_ARENA scratch = tn_arena_new("map", NULL);
    tn_jw_key(&m->w, key);
    tn_jw_obj(&m->w);
    for (size_t i = 0; i < m->p->nodes.n; i++) {
        const tn_node *n = m->p->nodes.v[i];
        const tn_nodes *edges = parents ? &n->parents : &n->children;
        if (n == m->p->inline_query) { /* it was here for one command */
            continue;
        }
        tn_node **sorted = tn_new_array(scratch, tn_node *, edges->n + 1);
        if (edges->n > 0) {
            memcpy(sorted, edges->v, edges->n * sizeof *sorted);
            tn_nodes_sort(sorted, edges->n);
        }
        tn_jw_key_s(&m->w, n->unique_id);
        tn_jw_arr(&m->w);
        for (size_t k = 0; k < edges->n; k++) {
            if (sorted[k] != m->p->inline_query) {
                tn_jw_str(&m->w, sorted[k]->unique_id);
            }
        }
        tn_jw_arr_end(&m->w);
    }
    tn_jw_obj_end(&m->w);
}

static void write_group_map(writer *m)
{
    tn_jw_key(&m->w, "group_map");
    tn_jw_obj(&m->w);
    for (size_t i = 0; i < m->p->groups.list->n; i++) {
        tn_str name = tn_val_str_at(m->p->groups.list->v[i], "name", TN_STR_NONE);
        tn_jw_key_s(&m->w, name);
        tn_jw_arr(&m->w);
        for (size_t k = 0; k < m->p->nodes.n; k++) {
            const tn_node *n = m->p->nodes.v[k];
            if (tn_str_eq(n->group, name)) {
                tn_jw_str(&m->w, n->unique_id);
            }
        }
        tn_jw_arr_end(&m->w);
    }
    tn_jw_obj_end(&m->w);
}

tn_rc tn_manifest_write(
    tn_project *p, tn_manifest_compiled_fn fn, void *self, tn_buf *b, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("manifest", NULL);
    writer m = { .p = p, .w = tn_json_writer_init(b, 0), .compiled = fn, .self = self };
    static const char *const rest[] = { "saved_queries", "semantic_models", "unit_tests",
        "functions" };
    tn_jw_obj(&m.w);
    tn_jw_key(&m.w, "metadata");
    tn_jw_val(&m.w, tn_manifest_metadata(p, scratch, "manifest/v12"));
    write_section(&m, "nodes");
    write_section(&m, "sources");
    TN_TRY(write_macros(&m, err));
    write_docs(&m);
    write_section(&m, "exposures");
    write_section(&m, "metrics");
    write_groups(&m);
    tn_jw_key(&m.w, "selectors");
    tn_jw_val(&m.w, p->selectors);
    write_disabled(&m);
    write_map(&m, "parent_map", true);
    write_map(&m, "child_map", false);
    write_group_map(&m);
    for (size_t i = 0; i < TN_COUNTOF(rest); i++) {
        write_section(&m, rest[i]);
    }
    tn_jw_obj_end(&m.w);
    return TN_OK;
}
