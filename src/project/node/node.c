/* node.c: what is asked of one node, and a node as the dict that templates and the manifest see. */
#include "project/node.h"

#include "os/file.h"
#include "project/deprecation.h"
#include "project/node/project_priv.h"
#include "text/uri.h"

static const char *const kind_names[TN_NODE_KINDS] = {
    [TN_NODE_MODEL] = "model",
    [TN_NODE_SEED] = "seed",
    [TN_NODE_SNAPSHOT] = "snapshot",
    [TN_NODE_TEST] = "test",
    [TN_NODE_ANALYSIS] = "analysis",
    [TN_NODE_OPERATION] = "operation",
    [TN_NODE_SOURCE] = "source",
    [TN_NODE_EXPOSURE] = "exposure",
    [TN_NODE_METRIC] = "metric",
    [TN_NODE_SEMANTIC_MODEL] = "semantic_model",
    [TN_NODE_SAVED_QUERY] = "saved_query",
    [TN_NODE_UNIT_TEST] = "unit_test",
    [TN_NODE_FUNCTION] = "function",
};

const char *tn_node_kind_name(tn_node_kind k)
{
    TN_CHECK((int)k >= 0 && k < TN_NODE_KINDS);
    return kind_names[k];
}

const char *tn_node_type_name(const tn_node *n)
{
    return tn_str_starts(n->unique_id, TN_STR("sql_operation.")) ? "sql_operation"
                                                                 : tn_node_kind_name(n->kind);
}

bool tn_node_kind_find(tn_str name, tn_node_kind *ret)
{
    for (int k = 0; k < TN_NODE_KINDS; k++) {
        if (tn_str_is(name, kind_names[k])) {
            *ret = (tn_node_kind)k;
            return true;
        }
    }
    return false;
}

tn_val tn_node_config(const tn_node *n, const char *key)
{
    const tn_val *v = n->config != NULL ? tn_dict_finds(n->config, tn_str_of(key)) : NULL;
    return v != NULL ? *v : TN_VAL_UNDEF;
}

tn_str tn_node_config_str(const tn_node *n, const char *key, tn_str dflt)
{
    tn_val v = tn_node_config(n, key);
    return tn_val_is_str(v) ? tn_val_as_str(v) : dflt;
}

bool tn_node_has_tag(const tn_node *n, tn_str tag)
{
    return tn_strs_has(&n->tags, tag);
}

bool tn_node_is_ephemeral(const tn_node *n)
{
    return n->kind == TN_NODE_MODEL &&
           tn_str_is(tn_node_config_str(n, "materialized", TN_STR_NONE), "ephemeral");
}

bool tn_node_is_refable(const tn_node *n)
{
    return n->kind == TN_NODE_MODEL || n->kind == TN_NODE_SEED || n->kind == TN_NODE_SNAPSHOT;
}

/* ---- the dict ---- */

static tn_val text_or_none(tn_str s)
{
    return s.n > 0 ? tn_val_str(s) : TN_VAL_NONE;
}

static tn_val defined(tn_val v)
{
    return tn_val_is_undef(v) ? TN_VAL_NONE : v;
}

static tn_val dict_of(tn_arena *a, tn_dict *d)
{
    return d != NULL ? (tn_val){ .tag = TN_DICT, .dict = d } : tn_val_dict(a);
}

static tn_val refs_list(tn_arena *a, const tn_node *n)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < n->refs.n; i++) {
        tn_val r = tn_val_dict(a);
        tn_dict_putz(r.dict, "name", tn_val_str(n->refs.v[i].name));
        tn_dict_putz(r.dict, "package", text_or_none(n->refs.v[i].package));
        tn_dict_putz(r.dict, "version", defined(n->refs.v[i].version));
        tn_list_push(list.list, r);
    }
    return list;
}

static tn_val sources_list(tn_arena *a, const tn_node *n)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < n->sources.n; i++) {
        tn_val pair = tn_val_list(a);
        tn_list_push(pair.list, tn_val_str(n->sources.v[i].source));
        tn_list_push(pair.list, tn_val_str(n->sources.v[i].table));
        tn_list_push(list.list, pair);
    }
    return list;
}

/* [name] or [package, name] of each. */
static tn_val calls_list(tn_arena *a, const tn_refs *calls)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < calls->n; i++) {
        tn_val call = tn_val_list(a);
        if (calls->v[i].package.n > 0) {
            tn_list_push(call.list, tn_val_str(calls->v[i].package));
        }
        tn_list_push(call.list, tn_val_str(calls->v[i].name));
        tn_list_push(list.list, call);
    }
    return list;
}

/* A seed depends on no nodes: dbt has no list of them, and readers refuse one. */
static tn_val depends_dict(tn_arena *a, const tn_node *n)
{
    tn_val d = tn_val_dict(a), nodes = tn_val_list(a);
    for (size_t i = 0; i < n->parents.n; i++) {
        tn_list_push(nodes.list, tn_val_str(n->parents.v[i]->unique_id));
    }
    tn_dict_putz(d.dict, "macros", tn_strs_list(a, &n->macros));
    if (n->kind != TN_NODE_SEED) {
        tn_dict_putz(d.dict, "nodes", nodes);
    }
    return d;
}

static tn_val docs_dict(tn_arena *a, const tn_node *n)
{
    tn_val docs = tn_node_config(n, "docs");
    if (docs.tag == TN_DICT) {
        return docs;
    }
    docs = tn_val_dict(a);
    tn_dict_putz(docs.dict, "show", TN_VAL_TRUE);
    tn_dict_putz(docs.dict, "node_color", TN_VAL_NONE);
    return docs;
}

/* The folder of a seed's project, absolute: its file is read when it runs, from wherever that is. */
static tn_str root_of(tn_arena *a, const tn_node *n)
{
    size_t own = tn_min_size(n->file.n, n->original_file_path.n + 1);
    tn_str root = tn_str_sub(n->file, 0, n->file.n - own), whole;
    root = root.n > 0 ? root : TN_STR(".");
    return tn_file_absolute(a, root, &whole, NULL) == TN_OK ? tn_path_norm(a, whole) : root;
}

static bool is_semantic(const tn_node *n)
{
    return n->kind == TN_NODE_METRIC || n->kind == TN_NODE_SEMANTIC_MODEL ||
           n->kind == TN_NODE_SAVED_QUERY;
}

/* Entries that every kind has, in the manifest's order. */
static void put_common(tn_arena *a, tn_dict *d, const tn_node *n)
{
    if (n->kind != TN_NODE_EXPOSURE && n->kind != TN_NODE_UNIT_TEST && !is_semantic(n)) {
        tn_dict_putz(d, "database", text_or_none(n->database));
        tn_dict_putz(d, "schema", n->schema.p != NULL ? tn_val_str(n->schema) : TN_VAL_NONE);
    }
    tn_dict_putz(d, "name", tn_val_str(n->name));
    tn_dict_putz(d, "resource_type", tn_val_z(tn_node_type_name(n)));
    tn_dict_putz(d, "package_name", tn_val_str(n->package_name));
    tn_dict_putz(d, "path", tn_val_str(n->path));
    tn_dict_putz(d, "original_file_path", tn_val_str(n->original_file_path));
    tn_dict_putz(d, "unique_id", tn_val_str(n->unique_id));
    tn_dict_putz(d, "fqn", tn_strs_list(a, &n->fqn));
}

static void put_checksum(tn_arena *a, tn_dict *d, const tn_node *n)
{
    tn_val sum = tn_val_dict(a);
    tn_dict_putz(
        sum.dict, "name", tn_val_str(n->checksum_name.n > 0 ? n->checksum_name : TN_STR("none")));
    tn_dict_putz(sum.dict, "checksum", tn_val_str(n->checksum));
    tn_dict_putz(d, "checksum", sum);
}

static void put_compiled_kind(tn_arena *a, tn_dict *d, const tn_node *n)
{
    tn_dict_putz(d, "alias", tn_val_str(n->alias));
    put_checksum(a, d, n);
    tn_dict_putz(d, "config", dict_of(a, n->config));
    tn_dict_putz(d, "tags", tn_strs_list(a, &n->tags));
    tn_dict_putz(d, "description", tn_val_str(n->description));
    tn_dict_putz(d, "columns", tn_value_or_dict(a, n->columns));
    tn_dict_putz(d, "meta", tn_value_or_dict(a, n->meta));
    tn_dict_putz(d, "group", text_or_none(n->group));
    tn_dict_putz(d, "docs", docs_dict(a, n));
    tn_dict_putz(d, "patch_path", text_or_none(n->patch_path));
    tn_dict_putz(d, "build_path", TN_VAL_NONE);
    tn_dict_putz(d, "unrendered_config", dict_of(a, n->unrendered_config));
    tn_dict_putz(d, "created_at", tn_val_float((double)n->created_us / 1e6));
    tn_dict_putz(d, "relation_name", text_or_none(n->relation_name));
    tn_dict_putz(d, "raw_code", tn_val_str(n->raw_code));
    tn_dict_putz(d, "doc_blocks", tn_value_or_list(a, n->doc_blocks));
    if (n->kind == TN_NODE_OPERATION) {
        tn_dict_putz(d, "index", tn_val_int(n->hook_index));
    }
    if (n->kind == TN_NODE_SEED) {
        tn_dict_putz(d, "root_path", tn_val_str(root_of(a, n)));
        tn_dict_putz(d, "depends_on", depends_dict(a, n));
        return;
    }
    tn_dict_putz(d, "language", tn_val_str(n->language));
    tn_dict_putz(d, "refs", refs_list(a, n));
    tn_dict_putz(d, "sources", sources_list(a, n));
    tn_dict_putz(d, "metrics", calls_list(a, &n->metrics));
    tn_dict_putz(d, "functions", calls_list(a, &n->functions));
    tn_dict_putz(d, "depends_on", depends_dict(a, n));
    tn_dict_putz(d, "compiled_path", TN_VAL_NONE);
    tn_val contract = tn_val_dict(a), cc = tn_node_config(n, "contract");
    tn_dict_putz(contract.dict, "enforced", tn_val_bool(tn_val_bool_at(cc, "enforced", false)));
    tn_dict_putz(
        contract.dict, "alias_types", tn_val_bool(tn_val_bool_at(cc, "alias_types", true)));
    tn_dict_putz(contract.dict, "checksum", tn_contract_sum(a, n));
    tn_dict_putz(d, "contract", contract);
}

static void put_model(tn_arena *a, tn_dict *d, const tn_node *n)
{
    tn_dict_putz(d, "access", tn_val_str(n->access.n > 0 ? n->access : TN_STR("protected")));
    tn_dict_putz(d, "constraints", tn_value_or_list(a, n->constraints));
    tn_dict_putz(d, "version", defined(n->version));
    tn_dict_putz(d, "latest_version", defined(n->latest_version));
    tn_val date = TN_VAL_NONE;
    if (n->deprecation_date.tag == TN_DATETIME) {
        date = tn_val_str(tn_deprecation_date_text(a, n->deprecation_date));
    }
    tn_dict_putz(d, "deprecation_date", date);
    tn_dict_putz(d, "primary_key", tn_value_or_list(a, n->primary_key));
    tn_dict_putz(d, "time_spine", n->time_spine.tag == TN_DICT ? n->time_spine : TN_VAL_NONE);
}

static void put_test(tn_arena *a, tn_dict *d, const tn_node *n)
{
    const tn_test_info *t = n->test;
    if (t == NULL) {
        return;
    }
    tn_val meta = tn_val_dict(a);
    tn_dict_putz(meta.dict, "name", tn_val_str(t->name));
    tn_dict_putz(meta.dict, "kwargs", dict_of(a, t->kwargs));
    tn_dict_putz(meta.dict, "namespace", text_or_none(t->namespace));
    tn_dict_putz(d, "test_metadata", meta);
    tn_dict_putz(d, "column_name", text_or_none(t->column_name));
    tn_dict_putz(d, "file_key_name", text_or_none(t->file_key_name));
    tn_dict_putz(
        d, "attached_node", t->attached != NULL ? tn_val_str(t->attached->unique_id) : TN_VAL_NONE);
}

static void put_source(tn_arena *a, tn_dict *d, const tn_node *n)
{
    const tn_source_info *s = n->source;
    tn_dict_putz(d, "source_name", tn_val_str(s->source_name));
    tn_dict_putz(d, "source_description", tn_val_str(s->source_description));
    tn_dict_putz(d, "loader", tn_val_str(s->loader));
    tn_dict_putz(d, "identifier", tn_val_str(s->identifier));
    tn_dict_putz(d, "quoting", s->quoting);
    tn_dict_putz(d, "loaded_at_field", text_or_none(s->loaded_at_field));
    tn_dict_putz(d, "loaded_at_query", text_or_none(s->loaded_at_query));
    tn_dict_putz(d, "freshness", defined(s->freshness));
    tn_dict_putz(d, "external", defined(s->external));
    tn_dict_putz(d, "description", tn_val_str(n->description));
    tn_dict_putz(d, "columns", tn_value_or_dict(a, n->columns));
    tn_dict_putz(d, "meta", tn_value_or_dict(a, n->meta));
    tn_dict_putz(d, "source_meta", tn_value_or_dict(a, s->source_meta));
    tn_dict_putz(d, "tags", tn_strs_list(a, &n->tags));
    tn_dict_putz(d, "config", dict_of(a, n->config));
    tn_dict_putz(d, "patch_path", text_or_none(n->patch_path));
    tn_dict_putz(d, "unrendered_config", dict_of(a, n->unrendered_config));
    tn_dict_putz(d, "relation_name", text_or_none(n->relation_name));
    tn_dict_putz(d, "created_at", tn_val_float((double)n->created_us / 1e6));
    tn_dict_putz(d, "unrendered_database", defined(s->raw_database));
    tn_dict_putz(d, "unrendered_schema", defined(s->raw_schema));
    tn_dict_putz(d, "doc_blocks", tn_value_or_list(a, n->doc_blocks));
}

/* The keys that these classes of dbt's have and have not. */
static void settle_semantic(tn_dict *d, const tn_node *n)
{
    static const char *const absent[] = { "sources", "metrics", "meta", "tags" };
    tn_dict_putz(d, "group", text_or_none(n->group));
    if (n->kind == TN_NODE_METRIC) {
        return;
    }
    for (size_t i = 0; i < TN_COUNTOF(absent); i++) {
        if (n->kind != TN_NODE_SAVED_QUERY || strcmp(absent[i], "tags") != 0) {
            (void)tn_dict_remove(d, tn_val_z(absent[i]));
        }
    }
    bool told = n->description.n > 0 || tn_val_is_str(tn_val_at(n->extra, "description"));
    tn_dict_putz(d, "description", told ? tn_val_str(n->description) : TN_VAL_NONE);
}

/* An exposure's owner always has both ways to reach it. */
static void put_owner(tn_arena *a, tn_dict *d, const tn_node *n)
{
    static const char *const keys[] = { "email", "name" };
    const tn_val *given = tn_dict_finds(d, TN_STR("owner"));
    if (n->kind != TN_NODE_EXPOSURE || given == NULL || given->tag != TN_DICT) {
        return;
    }
    tn_val owner = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_dict_putz(owner.dict, keys[i], TN_VAL_NONE);
    }
    tn_value_put_all(owner.dict, *given);
    tn_dict_putz(d, "owner", owner);
}

/* Kinds that are only kept: what their YAML entry says, over what dbt computes. */
static void put_kept(tn_arena *a, tn_dict *d, const tn_node *n)
{
    if (n->extra.tag == TN_DICT) {
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(n->extra.dict, &at)) != NULL) {
            if (tn_dict_find(d, it->key) == NULL) {
                tn_dict_put(d, it->key, it->value);
            }
        }
    }
    static const char *const exposure_keys[] = { "label", "maturity", "url" };
    for (size_t i = 0; n->kind == TN_NODE_EXPOSURE && i < TN_COUNTOF(exposure_keys); i++) {
        if (tn_dict_finds(d, tn_str_of(exposure_keys[i])) == NULL) {
            tn_dict_putz(d, exposure_keys[i], TN_VAL_NONE);
        }
    }
    put_owner(a, d, n);
    tn_dict_putz(d, "description", tn_val_str(n->description));
    tn_dict_putz(d, "meta", tn_value_or_dict(a, n->meta));
    if (n->kind != TN_NODE_UNIT_TEST) {
        tn_dict_putz(d, "tags", tn_strs_list(a, &n->tags));
    }
    tn_dict_putz(d, "config", dict_of(a, n->config));
    tn_dict_putz(d, "unrendered_config", dict_of(a, n->unrendered_config));
    tn_dict_putz(d, "depends_on", depends_dict(a, n));
    tn_dict_putz(d, "refs", refs_list(a, n));
    tn_dict_putz(d, "sources", sources_list(a, n));
    tn_dict_putz(d, "metrics", calls_list(a, &n->metrics));
    tn_dict_putz(d, "created_at", tn_val_float((double)n->created_us / 1e6));
    if (is_semantic(n)) {
        settle_semantic(d, n);
    }
}

tn_val tn_node_dict(tn_arena *a, const tn_node *n)
{
    tn_val v = tn_val_dict(a);
    put_common(a, v.dict, n);
    switch (n->kind) {
    case TN_NODE_SOURCE:
        put_source(a, v.dict, n);
        break;
    case TN_NODE_EXPOSURE:
    case TN_NODE_METRIC:
    case TN_NODE_SEMANTIC_MODEL:
    case TN_NODE_SAVED_QUERY:
        put_kept(a, v.dict, n);
        break;
    case TN_NODE_UNIT_TEST:
        put_kept(a, v.dict, n);
        tn_unit_form(a, v.dict, n);
        break;
    default:
        put_compiled_kind(a, v.dict, n);
        if (n->kind == TN_NODE_MODEL) {
            put_model(a, v.dict, n);
        } else if (n->kind == TN_NODE_TEST) {
            put_test(a, v.dict, n);
        } else if (n->kind == TN_NODE_FUNCTION) {
            tn_dict_putz(v.dict, "returns", tn_val_at(n->extra, "returns"));
            tn_dict_putz(v.dict, "arguments", tn_val_at(n->extra, "arguments"));
            tn_dict_putz(v.dict, "overloads", tn_val_at(n->extra, "overloads"));
        }
    }
    return v;
}

static int id_cmp(const void *a, const void *b)
{
    return tn_str_cmp((*(tn_node *const *)a)->unique_id, (*(tn_node *const *)b)->unique_id);
}

void tn_nodes_sort(tn_node **v, size_t n)
{
    if (n > 1) {
        qsort(v, n, sizeof *v, id_cmp);
    }
}

int tn_model_version_cmp(tn_val x, tn_val y)
{
    TN_AUTO_ARENA a = tn_arena_new("version", NULL);
    tn_str s = tn_val_to_str(a, x), t = tn_val_to_str(a, y);
    double m, n;
    if (tn_str_to_f64(s, &m) && tn_str_to_f64(t, &n)) {
        return (m > n) - (m < n);
    }
    return tn_str_cmp(s, t);
}
