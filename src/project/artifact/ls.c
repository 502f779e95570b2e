/* ls.c: the lines of `ls`: selectors, names, paths, JSON. */
#include "project/manifest.h"
#include "project/node/project_priv.h"
#include "text/json.h"

bool tn_ls_form_find(tn_str name, tn_ls_form *ret)
{
    static const char *const names[] = { "selector", "name", "path", "json" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(name, names[i])) {
            *ret = (tn_ls_form)i;
            return true;
        }
    }
    return false;
}

/* What --select would take to mean this node. */
static void add_selector(tn_buf *b, tn_arena *a, const tn_node *n)
{
    const char *prefix = "";
    switch (n->kind) {
    case TN_NODE_SOURCE:
        tn_buf_addf(b, "source:" TN_STR_FMT "." TN_STR_FMT "." TN_STR_FMT,
            TN_STR_ARG(n->package_name), TN_STR_ARG(n->source->source_name), TN_STR_ARG(n->name));
        return;
    case TN_NODE_EXPOSURE:
        prefix = "exposure:";
        break;
    case TN_NODE_METRIC:
        prefix = "metric:";
        break;
    case TN_NODE_SEMANTIC_MODEL:
        prefix = "semantic_model:";
        break;
    case TN_NODE_SAVED_QUERY:
        prefix = "saved_query:";
        break;
    case TN_NODE_UNIT_TEST:
        tn_buf_addf(b, "unit_test:" TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(n->package_name),
            TN_STR_ARG(n->name));
        return;
    default:
        tn_buf_add(b, tn_strs_join(a, &n->fqn, "."));
        return;
    }
    tn_buf_addf(b, "%s" TN_STR_FMT "." TN_STR_FMT, prefix, TN_STR_ARG(n->package_name),
        TN_STR_ARG(n->name));
}

static void add_name(tn_buf *b, const tn_node *n)
{
    if (n->kind == TN_NODE_SOURCE) {
        tn_buf_addf(b, TN_STR_FMT ".", TN_STR_ARG(n->source->source_name));
    }
    tn_buf_add(b, n->name);
    if (!tn_val_is_none(n->version)) {
        tn_buf_addz(b, ".v");
        tn_val_str_to(b, n->version);
    }
}

/* The value at a path of names, config.materialized; undefined where there is none. */
static tn_val at_path(tn_arena *a, tn_val v, tn_str path)
{
    tn_str part;
    while (path.n > 0 && !tn_val_is_undef(v)) {
        (void)tn_str_cut(path, '.', &part, &path);
        v = tn_val_at(v, tn_str_z(a, part));
    }
    return v;
}

/* What was asked for comes in the order of asking, and what is not there is left out: of paths also what is None. */
static tn_val chosen(tn_arena *a, tn_val all, const tn_strs *keys)
{
    tn_val out = tn_val_dict(a);
    for (size_t i = 0; i < keys->n; i++) {
        bool path = tn_str_find_char(keys->v[i], '.', 0) != SIZE_MAX;
        tn_val v = path ? at_path(a, all, keys->v[i]) : tn_val_at(all, tn_str_z(a, keys->v[i]));
        if (!tn_val_is_undef(v) && !(path && tn_val_is_none(v))) {
            tn_dict_puts(out.dict, keys->v[i], v);
        }
    }
    return out;
}

static tn_val usual(tn_arena *a, tn_val all)
{
    static const char *const names[] = { "alias", "name", "package_name", "depends_on", "tags",
        "config", "direct_parents", "resource_type", "source_name", "original_file_path",
        "unique_id" };
    tn_val out = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(all.dict, &at)) != NULL) {
        for (size_t i = 0; i < TN_COUNTOF(names); i++) {
            if (tn_str_is(tn_val_as_str(it->key), names[i])) {
                tn_dict_put(out.dict, it->key, it->value);
            }
        }
    }
    return out;
}

static void add_json(tn_buf *b, tn_arena *a, const tn_node *n, const tn_strs *keys)
{
    tn_val all = tn_node_dict(a, n);
    if (n->kind == TN_NODE_MODEL) { /* of ls alone: the manifest has it not */
        tn_dict_putz(all.dict, "direct_parents", tn_val_at(tn_val_at(all, "depends_on"), "nodes"));
    }
    tn_json_style style = { .py_separators = true, .ascii = true };
    tn_json_print(b, keys != NULL && keys->n > 0 ? chosen(a, all, keys) : usual(a, all), &style);
}

tn_rc tn_ls_print(tn_project *p, const tn_nodes *nodes, tn_ls_form form, const tn_strs *keys,
    tn_buf *b, tn_err *err)
{
    (void)p, (void)err;
    TN_AUTO_ARENA scratch = tn_arena_new("ls", NULL);
    tn_node **sorted = tn_new_array(scratch, tn_node *, nodes->n + 1);
    if (nodes->n > 0) {
        memcpy(sorted, nodes->v, nodes->n * sizeof *sorted);
        tn_nodes_sort(sorted, nodes->n);
    }
    for (size_t i = 0; i < nodes->n; i++) {
        const tn_node *n = sorted[i];
        switch (form) {
        case TN_LS_NAME:
            add_name(b, n);
            break;
        case TN_LS_PATH:
            tn_buf_add(b, n->original_file_path);
            break;
        case TN_LS_JSON:
            add_json(b, scratch, n, keys);
            break;
        case TN_LS_SELECTOR:
            add_selector(b, scratch, n);
            break;
        }
        tn_buf_addc(b, '\n');
    }
    return TN_OK;
}
