/* config_merge.c: how the config of a node comes about.
 *
 *   defaults of the kind < dbt_project.yml of the node's package, from the root folder down to its own < properties file < config() in the
 *   file < dbt_project.yml of the root project (for nodes of installed packages)
 *
 * Each level replaces the one below key by key, except: tags, packages and hooks are added; meta, docs, quoting, column_types, contract
 * and latest_version_pointer are updated; grants replace per grant, or extend with '+grant'.
 */
#include "project/context/context_priv.h"
#include "text/json.h"

/* ---- defaults, as dbt's config classes have them ---- */

#define NODE_DEFAULTS                                                                              \
    "\"incremental_strategy\":null,\"batch_size\":null,\"lookback\":1,\"begin\":null,\"persist_"   \
    "docs\":{},\"post-hook\":[],"                                                                  \
    "\"pre-hook\":[],\"quoting\":{},\"column_types\":{},\"full_refresh\":null,\"unique_key\":"     \
    "null,"                                                                                        \
    "\"on_schema_change\":\"ignore\",\"on_configuration_change\":\"apply\",\"grants\":{},"         \
    "\"packages\":[],"                                                                             \
    "\"docs\":{\"show\":true,\"node_color\":null},\"contract\":{\"enforced\":false,\"alias_"       \
    "types\":true},"                                                                               \
    "\"event_time\":null,\"concurrent_batches\":null"
#define HEAD_DEFAULTS(schema)                                                                      \
    "{\"enabled\":true,\"alias\":null,\"schema\":" schema                                          \
    ",\"database\":null,\"tags\":[],\"meta\":{},\"group\":null,"                                   \
    "\"static_analysis\":null,\"materialized\":"

static const char *const defaults_json[TN_NODE_KINDS] = {
    [TN_NODE_MODEL] =
        HEAD_DEFAULTS("null") "\"view\"," NODE_DEFAULTS
                              ",\"access\":\"protected\",\"freshness\":null,\"on_error\":null,"
                              "\"latest_version_pointer\":{\"enabled\":null,\"alias\":null}}",
    [TN_NODE_SEED] = HEAD_DEFAULTS("null") "\"seed\"," NODE_DEFAULTS
                                           ",\"delimiter\":\",\",\"quote_columns\":null}",
    [TN_NODE_SNAPSHOT] = HEAD_DEFAULTS(
        "null") "\"snapshot\"," NODE_DEFAULTS
                ",\"strategy\":null,\"target_schema\":null,\"target_database\":null,\"updated_at\":"
                "null,\"check_cols\":null,"
                "\"snapshot_meta_column_names\":{\"dbt_valid_to\":null,\"dbt_valid_from\":null,"
                "\"dbt_scd_id\":null,"
                "\"dbt_updated_at\":null,\"dbt_is_deleted\":null},\"dbt_valid_to_current\":null}",
    [TN_NODE_TEST] = HEAD_DEFAULTS(
        "\"dbt_test__audit\"") "\"test\",\"severity\":\"ERROR\",\"store_failures\":null,"
                               "\"store_failures_as\":null,\"sql_header\":null,\"where\":null,"
                               "\"limit\":null,\"fail_calc\":\"count(*)\","
                               "\"warn_if\":\"!= 0\",\"error_if\":\"!= 0\"}",
    [TN_NODE_ANALYSIS] = HEAD_DEFAULTS("null") "\"view\"," NODE_DEFAULTS "}",
    [TN_NODE_OPERATION] = HEAD_DEFAULTS("null") "\"view\"," NODE_DEFAULTS "}",
    [TN_NODE_SOURCE] = "{\"enabled\":true,\"event_time\":null,\"freshness\":{\"warn_after\":{"
                       "\"count\":null,\"period\":null},"
                       "\"error_after\":{\"count\":null,\"period\":null},\"filter\":null},\"loaded_"
                       "at_field\":null,\"loaded_at_query\":null,"
                       "\"meta\":{},\"tags\":[],\"static_analysis\":null}",
    [TN_NODE_EXPOSURE] = "{\"enabled\":true,\"tags\":[],\"meta\":{}}",
    [TN_NODE_METRIC] = "{\"enabled\":true,\"group\":null,\"meta\":{}}",
    [TN_NODE_SEMANTIC_MODEL] = "{\"enabled\":true,\"group\":null,\"meta\":{}}",
    [TN_NODE_SAVED_QUERY] = "{\"enabled\":true,\"group\":null,\"meta\":{},\"export_as\":null,"
                            "\"schema\":null,\"cache\":{\"enabled\":false}}",
    [TN_NODE_UNIT_TEST] = "{\"tags\":[],\"meta\":{},\"enabled\":true,\"static_analysis\":null}",
    [TN_NODE_FUNCTION] =
        HEAD_DEFAULTS("null") "\"function\"," NODE_DEFAULTS
                              ",\"type\":\"scalar\",\"volatility\":null,\"runtime_version\":null,"
                              "\"entry_point\":null,\"snowflake\":{\"quote_args\":true}}",
};

tn_dict *tn_config_defaults(tn_arena *a, tn_node_kind kind)
{
    tn_val v;
    TN_CHECK(tn_json_parse(a, tn_str_of(defaults_json[kind]), &v, NULL) == TN_OK);
    return v.dict;
}

/* The section of dbt_project.yml that configures a kind; NULL when there is none. */
static const char *section_of(const tn_project *p, tn_node_kind kind)
{
    static const char *const sections[TN_NODE_KINDS] = {
        [TN_NODE_MODEL] = "models",
        [TN_NODE_SEED] = "seeds",
        [TN_NODE_SNAPSHOT] = "snapshots",
        [TN_NODE_TEST] = "data_tests",
        [TN_NODE_ANALYSIS] = "models",
        [TN_NODE_OPERATION] = "models",
        [TN_NODE_SOURCE] = "sources",
        [TN_NODE_EXPOSURE] = "exposures",
        [TN_NODE_METRIC] = "metrics",
        [TN_NODE_SEMANTIC_MODEL] = "semantic-models",
        [TN_NODE_SAVED_QUERY] = "saved-queries",
        [TN_NODE_UNIT_TEST] = "unit_tests",
        [TN_NODE_FUNCTION] = "functions",
    };
    bool own = kind == TN_NODE_ANALYSIS && tn_project_flag(p, TN_FLAG_ANALYSES, false);
    return own ? "analyses" : sections[kind];
}

/* ---- merging ---- */

typedef enum merge_rule { MERGE_REPLACE, MERGE_APPEND, MERGE_UPDATE, MERGE_GRANTS } merge_rule;

static merge_rule rule_of(tn_str key)
{
    static const struct {
        const char *key;
        merge_rule rule;
    } rules[] = { { "tags", MERGE_APPEND }, { "packages", MERGE_APPEND },
        { "pre-hook", MERGE_APPEND }, { "post-hook", MERGE_APPEND }, { "meta", MERGE_UPDATE },
        { "docs", MERGE_UPDATE }, { "quoting", MERGE_UPDATE }, { "column_types", MERGE_UPDATE },
        { "contract", MERGE_UPDATE }, { "latest_version_pointer", MERGE_UPDATE },
        { "snapshot_meta_column_names", MERGE_UPDATE }, { "grants", MERGE_GRANTS } };
    for (size_t i = 0; i < TN_COUNTOF(rules); i++) {
        if (tn_str_is(key, rules[i].key)) {
            return rules[i].rule;
        }
    }
    return MERGE_REPLACE;
}

static tn_str hook_key(tn_str key)
{
    if (tn_str_is(key, "pre_hook")) {
        return TN_STR("pre-hook");
    }
    return tn_str_is(key, "post_hook") ? TN_STR("post-hook") : key;
}

static tn_val merge_append(tn_arena *a, tn_val below, tn_val above)
{
    tn_val list = tn_value_listify(a, below), more = tn_value_listify(a, above);
    for (size_t i = 0; i < more.list->n; i++) {
        tn_list_push(list.list, more.list->v[i]);
    }
    return list;
}

static tn_val merge_update(tn_arena *a, tn_val below, tn_val above)
{
    tn_val d = tn_val_dict(a);
    tn_value_put_all(d.dict, below);
    tn_value_put_all(d.dict, above);
    return d;
}

static tn_val merge_grants(tn_arena *a, tn_val below, tn_val above)
{
    tn_val d = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while (below.tag == TN_DICT && (it = tn_dict_next(below.dict, &at)) != NULL) {
        tn_dict_put(d.dict, it->key, tn_value_listify(a, it->value));
    }
    at = 0;
    while (above.tag == TN_DICT && (it = tn_dict_next(above.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        bool extend = key.n > 0 && key.p[0] == '+';
        key = extend ? tn_str_sub(key, 1, key.n) : key;
        const tn_val *old = tn_dict_finds(d.dict, key);
        tn_dict_puts(d.dict, key,
            extend && old != NULL ? merge_append(a, *old, it->value)
                                  : tn_value_listify(a, it->value));
    }
    return d;
}

static tn_rc merge_one(tn_arena *a, tn_dict *into, tn_str key, tn_val value, tn_err *err)
{
    const tn_val *old = tn_dict_finds(into, key);
    merge_rule rule = rule_of(key);
    if (rule == MERGE_REPLACE || (old == NULL && rule != MERGE_APPEND)) {
        tn_dict_puts(into, key, value);
        return TN_OK;
    }
    if (rule == MERGE_APPEND) {
        tn_dict_puts(into, key, merge_append(a, old != NULL ? *old : TN_VAL_NONE, value));
        return TN_OK;
    }
    if (tn_str_is(key, "latest_version_pointer") && value.tag == TN_BOOL) {
        tn_val d = tn_val_dict(a);
        tn_dict_putz(d.dict, "enabled", value);
        value = d;
    }
    if (value.tag != TN_DICT && !tn_val_is_undef(value)) {
        TN_AUTO_ARENA scratch = tn_arena_new("merge", NULL);
        return tn_fail(err, TN_E_COMPILE, "Internal Error\n  expected dict, got " TN_STR_FMT,
            TN_STR_ARG(tn_val_to_str(scratch, value)));
    }
    tn_dict_puts(into, key,
        rule == MERGE_GRANTS ? merge_grants(a, *old, value) : merge_update(a, *old, value));
    return TN_OK;
}

tn_rc tn_config_update(tn_arena *a, tn_dict *into, const tn_dict *level, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (level != NULL && (it = tn_dict_next(level, &at)) != NULL) {
        tn_str key = hook_key(tn_str_trim(tn_val_as_str(it->key)));
        TN_TRY(merge_one(a, into, key, it->value, err));
    }
    return TN_OK;
}

tn_rc tn_config_call_check(const tn_dict *call, tn_err *err)
{
    static const char *const pairs[][2] = { { "pre_hook", "pre-hook" },
        { "post_hook", "post-hook" } };
    for (size_t i = 0; i < TN_COUNTOF(pairs); i++) {
        if (tn_dict_finds(call, tn_str_of(pairs[i][0])) != NULL &&
            tn_dict_finds(call, tn_str_of(pairs[i][1])) != NULL) {
            return tn_fail(err, TN_E_COMPILE,
                "Invalid config, has conflicting keys \"%s\" and \"%s\"", pairs[i][0], pairs[i][1]);
        }
    }
    return TN_OK;
}

/* Grants of several config() calls: '+grant' goes on with the list of the call before, and stays an extension. */
static tn_val merge_called_grants(tn_arena *a, tn_val below, tn_val above)
{
    tn_val d = merge_update(a, below, TN_VAL_NONE);
    size_t at = 0;
    const tn_dict_item *it;
    while (above.tag == TN_DICT && (it = tn_dict_next(above.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        const tn_val *old = tn_dict_find(d.dict, it->key);
        bool extend = key.n > 0 && key.p[0] == '+' && old != NULL;
        tn_dict_put(d.dict, it->key,
            extend ? merge_append(a, *old, it->value) : tn_value_listify(a, it->value));
    }
    return d;
}

/* Several config() calls of one file; the first one stays as it is. */
void tn_config_call_merge(tn_arena *a, tn_dict *into, const tn_dict *call)
{
    size_t at = 0;
    bool first = into->live == 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(call, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        const tn_val *old = tn_dict_finds(into, key);
        if (first) {
            tn_dict_puts(into, hook_key(key), it->value);
        } else if (rule_of(key) == MERGE_GRANTS && old != NULL && it->value.tag == TN_DICT) {
            tn_dict_puts(into, key, merge_called_grants(a, *old, it->value));
        } else if (merge_one(a, into, hook_key(key), it->value, NULL) != TN_OK) {
            tn_dict_puts(into, key, it->value); /* reported when the config is resolved */
        }
    }
}

/* One folder level of dbt_project.yml: entries with '+', and plain ones that are no folders. */
static tn_dict *level_of(tn_arena *a, const tn_dict *folder)
{
    tn_val level = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(folder, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (key.n > 0 && key.p[0] == '+') {
            tn_dict_puts(level.dict, tn_str_trim(tn_str_sub(key, 1, key.n)), it->value);
        } else if (it->value.tag != TN_DICT) {
            tn_dict_puts(level.dict, key, it->value);
        }
    }
    return level.dict;
}

typedef tn_rc (*level_fn)(tn_arena *a, tn_dict *into, const tn_dict *level, tn_err *err);

static tn_rc plain_update(tn_arena *a, tn_dict *into, const tn_dict *level, tn_err *err)
{
    (void)a, (void)err;
    size_t at = 0;
    const tn_dict_item *it;
    while (level != NULL && (it = tn_dict_next(level, &at)) != NULL) {
        tn_dict_put(into, it->key, it->value);
    }
    return TN_OK;
}

static tn_rc apply_project(const tn_project *p, const tn_dict *config, const tn_node *n,
    tn_dict *into, level_fn update, tn_err *err)
{
    tn_arena *a = p->arena;
    const char *section = section_of(p, n->kind);
    if (n->kind == TN_NODE_FUNCTION && update == plain_update) {
        section = "models"; /* where dbt looks for what was written of them */
    }
    if (section == NULL || config == NULL) {
        return TN_OK;
    }
    const tn_val *v = tn_dict_finds(config, tn_str_of(section));
    for (size_t i = 0; v != NULL && v->tag == TN_DICT; i++) {
        TN_TRY(update(a, into, level_of(a, v->dict), err));
        if (i == n->fqn.n) {
            break;
        }
        v = tn_dict_finds(v->dict, n->fqn.v[i]);
    }
    return TN_OK;
}

static tn_rc apply_all(tn_project *p, tn_node *n, const tn_dict *patch, bool raw, tn_dict *into,
    level_fn update, tn_err *err)
{
    tn_arena *a = p->arena;
    const tn_package *pkg = tn_project_package(p, n->package_name);
    TN_CHECK(pkg != NULL);
    TN_TRY(apply_project(p, raw ? pkg->raw : pkg->config, n, into, update, err));
    TN_TRY(update(a, into, patch, err));
    TN_TRY(update(a, into, raw ? tn_config_written(p, n, patch) : n->config_call, err));
    if (pkg != p->package) {
        TN_TRY(apply_project(p, raw ? p->package->raw : p->package->config, n, into, update, err));
    }
    return TN_OK;
}

/* ---- hooks ---- */

/* Of groups only meta adds up, and hooks are left out. */
static tn_rc group_update(tn_arena *a, tn_dict *into, const tn_dict *level, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (level != NULL && (it = tn_dict_next(level, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (tn_str_is(key, "meta")) {
            TN_TRY(merge_one(a, into, key, it->value, err));
        } else if (!tn_str_is(key, "pre-hook") && !tn_str_is(key, "post-hook")) {
            tn_dict_puts(into, key, it->value);
        }
    }
    return TN_OK;
}

tn_rc tn_config_of_group(tn_project *p, const tn_package *package, const tn_strs *fqn,
    const tn_dict *patch, tn_dict *into, tn_err *err)
{
    tn_node n = { .kind = TN_NODE_MODEL, .package_name = package->name, .fqn = *fqn };
    tn_dict_putz(into, "meta", tn_val_dict(p->arena));
    return apply_all(p, &n, patch, false, into, group_update, err);
}

static tn_val hook_dict(tn_arena *a, tn_val h)
{
    tn_val d = tn_val_dict(a), given = h;
    if (tn_val_is_str(h)) {
        tn_str s = tn_str_trim(tn_val_as_str(h));
        if (s.n == 0 || s.p[0] != '{' || tn_json_parse(a, s, &given, NULL) != TN_OK ||
            given.tag != TN_DICT) {
            given = tn_val_dict(a);
            tn_dict_putz(given.dict, "sql", h);
        }
    }
    tn_val sql = tn_val_at(given, "sql");
    tn_dict_putz(d.dict, "sql", tn_val_is_undef(sql) ? tn_val_z("") : sql);
    tn_dict_putz(d.dict, "transaction", tn_val_bool(tn_val_bool_at(given, "transaction", true)));
    tn_val index = tn_val_at(given, "index");
    tn_dict_putz(d.dict, "index", tn_val_is_undef(index) ? TN_VAL_NONE : index);
    return d;
}

tn_val tn_config_hooks(tn_arena *a, tn_val v)
{
    tn_val list = tn_value_listify(a, v), out = tn_val_list(a);
    for (size_t i = 0; i < list.list->n; i++) {
        tn_list_push(out.list, hook_dict(a, list.list->v[i]));
    }
    return out;
}

/* ---- the result ---- */

static void finish_hooks(tn_arena *a, tn_dict *config)
{
    static const char *const keys[] = { "pre-hook", "post-hook" };
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        const tn_val *v = tn_dict_finds(config, tn_str_of(keys[i]));
        if (v != NULL && v->tag == TN_LIST && v->list->n > 0) {
            tn_dict_putz(config, keys[i], tn_config_hooks(a, *v));
        }
    }
}

static tn_val known_or_none(tn_val d, const char *key)
{
    tn_val v = tn_val_at(d, key);
    return tn_val_is_undef(v) ? TN_VAL_NONE : v;
}

/* These are classes in dbt, which take no other keys. */
static void finish_classes(tn_arena *a, tn_dict *config)
{
    static const char *const keys[][3] = { { "contract", "enforced", "alias_types" },
        { "docs", "show", "node_color" } };
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        const tn_val *v = tn_dict_finds(config, tn_str_of(keys[i][0]));
        if (v == NULL || v->tag != TN_DICT || v->dict->live <= 2) {
            continue;
        }
        tn_val known = tn_val_dict(a);
        for (size_t k = 1; k < 3; k++) {
            tn_dict_putz(known.dict, keys[i][k], known_or_none(*v, keys[i][k]));
        }
        tn_dict_putz(config, keys[i][0], known);
    }
}

/* store_failures_as decides store_failures, or follows from it. */
static void finish_test(tn_dict *config)
{
    const tn_val *as = tn_dict_finds(config, TN_STR("store_failures_as"));
    const tn_val *store = tn_dict_finds(config, TN_STR("store_failures"));
    if (as != NULL && tn_val_is_str(*as)) {
        tn_dict_putz(
            config, "store_failures", tn_val_bool(!tn_str_is(tn_val_as_str(*as), "ephemeral")));
    } else if (store != NULL && store->tag == TN_BOOL) {
        tn_dict_putz(config, "store_failures_as", tn_val_z(store->i != 0 ? "table" : "ephemeral"));
    }
}

/* A wrong one is told by dbt's class of configs, or by what reads properties files. */
static tn_rc take_access(tn_arena *a, tn_node *n, const tn_dict *patch, tn_err *err)
{
    tn_val given = tn_node_config(n, "access");
    n->access = TN_STR_NONE;
    if (n->kind != TN_NODE_MODEL) {
        return TN_OK;
    }
    n->access = tn_val_is_given(given) ? tn_val_to_str(a, given) : TN_STR("protected");
    if (tn_str_is(n->access, "protected") || tn_str_is(n->access, "public") ||
        tn_str_is(n->access, "private")) {
        return TN_OK;
    }
    if (patch == NULL || tn_dict_finds(patch, TN_STR("access")) == NULL) {
        return tn_config_refuse("ModelConfig", "access", "AccessType", given, err);
    }
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  Node " TN_STR_FMT " has an invalid value (" TN_STR_FMT
        ") for the access field",
        TN_STR_ARG(n->unique_id), TN_STR_ARG(n->access));
}

/* Those of the properties file come last, as in dbt, which adds them when it comes to that file. */
static tn_rc add_tags(tn_project *p, tn_node *n, const tn_dict *patch, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_strs tags = tn_value_strs(a, tn_node_config(n, "tags"));
    if (tags.n > 1 && patch != NULL && tn_dict_finds(patch, TN_STR("tags")) != NULL) {
        tn_dict *own = tn_val_dict(a).dict;
        TN_TRY(apply_all(p, n, NULL, false, own, tn_config_update, err));
        tn_strs first =
            tn_value_strs(a, tn_val_at((tn_val){ .tag = TN_DICT, .dict = own }, "tags"));
        for (size_t i = 0; i < first.n; i++) {
            tn_strs_add_new(&n->tags, a, first.v[i]);
        }
    }
    for (size_t i = 0; i < tags.n; i++) {
        tn_strs_add_new(&n->tags, a, tags.v[i]);
    }
    return TN_OK;
}

tn_rc tn_config_resolve(
    tn_project *p, tn_node *n, const tn_dict *patch, const tn_dict *written, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_dict **dflt = &p->state->defaults[n->kind];
    if (*dflt == NULL) {
        *dflt = tn_config_defaults(a, n->kind);
    }
    n->config = tn_val_dict(a).dict;
    TN_TRY(plain_update(a, n->config, *dflt,
        err)); /* nested defaults are shared: no merge changes a value in place */
    bool replaces = n->kind == TN_NODE_EXPOSURE; /* nothing of it adds up */
    TN_TRY(
        apply_all(p, n, patch, false, n->config, replaces ? plain_update : tn_config_update, err));
    n->unrendered_config = tn_val_dict(a).dict;
    const tn_dict *raw = written != NULL && tn_config_compares_written(p) ? written : patch;
    TN_TRY(apply_all(p, n, raw, true, n->unrendered_config, plain_update, err));
    TN_TRY(tn_config_fit(a, n, err));
    finish_hooks(a, n->config);
    finish_classes(a, n->config);
    if (n->kind == TN_NODE_TEST) {
        finish_test(n->config);
    }
    TN_TRY(tn_config_check(n, err));
    tn_val enabled = tn_node_config(n, "enabled");
    n->enabled = tn_val_is_undef(enabled) || tn_val_truthy(enabled);
    TN_TRY(add_tags(p, n, patch, err));
    tn_val meta = tn_node_config(n, "meta");
    n->meta = tn_value_or_dict(a, meta);
    n->group = tn_node_config_str(n, "group", n->group);
    return take_access(a, n, patch, err);
}

/* ---- folder configs that nothing uses ---- */

static bool prefix_of_fqn(
    const tn_strs *path, const tn_nodes *nodes, tn_node_kind kind, bool any_kind)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const tn_node *n = nodes->v[i];
        if ((!any_kind && n->kind != kind) || path->n > n->fqn.n) {
            continue;
        }
        size_t k = 0;
        while (k < path->n && tn_str_eq(path->v[k], n->fqn.v[k])) {
            k++;
        }
        if (k == path->n) {
            return true;
        }
    }
    return false;
}

static void find_unused(
    tn_project *p, tn_node_kind kind, const tn_dict *folder, tn_strs *path, tn_buf *b)
{
    size_t at = 0;
    const tn_dict_item *it;
    bool set_here = false;
    while ((it = tn_dict_next(folder, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (it->value.tag == TN_DICT && (key.n == 0 || key.p[0] != '+')) {
            tn_vec_push(path, p->arena, key);
            find_unused(p, kind, it->value.dict, path, b);
            (void)tn_vec_pop(path);
        } else {
            set_here = true;
        }
    }
    if (set_here && !prefix_of_fqn(path, &p->nodes, kind, false) &&
        !prefix_of_fqn(path, &p->disabled, kind, true)) {
        tn_buf_addf(b, "\n- %s%s" TN_STR_FMT, section_of(p, kind), path->n > 0 ? "." : "",
            TN_STR_ARG(tn_strs_join(p->arena, path, ".")));
    }
}

void tn_config_note_unused(tn_project *p)
{
    static const tn_node_kind kinds[] = { TN_NODE_MODEL, TN_NODE_SEED, TN_NODE_SNAPSHOT,
        TN_NODE_SOURCE, TN_NODE_TEST, TN_NODE_UNIT_TEST, TN_NODE_METRIC, TN_NODE_SEMANTIC_MODEL,
        TN_NODE_SAVED_QUERY, TN_NODE_EXPOSURE, TN_NODE_FUNCTION };
    tn_buf b = tn_buf_init(p->arena, TN_BUF_NO_LIMIT);
    size_t lines = 0;
    for (size_t i = 0; i < TN_COUNTOF(kinds); i++) {
        const tn_val *v = tn_dict_finds(p->package->config, tn_str_of(section_of(p, kinds[i])));
        if (v != NULL && v->tag == TN_DICT) {
            tn_strs path = { 0 };
            find_unused(p, kinds[i], v->dict, &path, &b);
        }
    }
    for (size_t i = 0; i < b.n; i++) {
        lines += b.p[i] == '\n';
    }
    if (lines > 0) {
        tn_project_note(p, "UnusedResourceConfigPath", TN_STR("dbt_project.yml"), 0,
            "Configuration paths exist in your dbt_project.yml file which do not apply to any "
            "resources.\n"
            "There are %zu unused configuration paths:" TN_STR_FMT,
            lines, TN_STR_ARG(tn_buf_str(&b)));
    }
}
