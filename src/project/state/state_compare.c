/* state_compare.c: what makes a node modified, kind by kind, as dbt-core 1.12 compares: on the forms that both have in a manifest. */
#include "project/state/state_compare.h"

#include "text/json.h"

static tn_val or_none(tn_val v)
{
    return tn_val_is_undef(v) ? TN_VAL_NONE : v;
}

static bool same_value(tn_val a, tn_val b);

static bool within(tn_val a, tn_val b)
{
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(a.dict, &at)) != NULL) {
        const tn_val *other = tn_dict_find(b.dict, it->key);
        if (!same_value(it->value, other != NULL ? *other : TN_VAL_NONE)) {
            return false;
        }
    }
    return true;
}

/* A key that is not there is one without a value: what another version of dbt does not write. */
static bool same_value(tn_val a, tn_val b)
{
    if (a.tag == TN_DICT && b.tag == TN_DICT) {
        return within(a, b) && within(b, a);
    }
    if (a.tag == TN_LIST && b.tag == TN_LIST && a.list->n == b.list->n) {
        for (size_t i = 0; i < a.list->n; i++) {
            if (!same_value(a.list->v[i], b.list->v[i])) {
                return false;
            }
        }
        return true;
    }
    return tn_val_eq(a, b);
}

static bool same_key(tn_val now, tn_val old, const char *key)
{
    return same_value(or_none(tn_val_at(now, key)), or_none(tn_val_at(old, key)));
}

static bool same_keys(tn_val now, tn_val old, const char *const *keys)
{
    for (size_t i = 0; keys[i] != NULL; i++) {
        if (!same_key(now, old, keys[i])) {
            return false;
        }
    }
    return true;
}

static bool in_list(tn_str s, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (tn_str_is(s, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_parsed(tn_node_kind k)
{
    return k <= TN_NODE_OPERATION || k == TN_NODE_FUNCTION;
}

/* ---- configs, as written ---- */

/* dbt keeps what config() was given as its text: 'True' is True there. A list of one hook is that hook. */
static bool same_setting(tn_val a, tn_val b)
{
    TN_AUTO_ARENA scratch = tn_arena_new("a setting", NULL);
    if (tn_val_eq(a, b)) {
        return true;
    }
    if (a.tag == TN_LIST && a.list->n == 1 && tn_val_is_str(b)) {
        return same_setting(a.list->v[0], b);
    }
    if (b.tag == TN_LIST && b.list->n == 1 && tn_val_is_str(a)) {
        return same_setting(a, b.list->v[0]);
    }
    return tn_val_is_str(a) != tn_val_is_str(b) &&
           tn_str_eq(tn_val_to_str(scratch, a), tn_val_to_str(scratch, b));
}

/* Hooks have two spellings. */
static const tn_val *setting(tn_val config, tn_str key)
{
    static const char *const pairs[][2] = { { "pre_hook", "pre-hook" },
        { "post_hook", "post-hook" } };
    const tn_val *v = config.tag == TN_DICT ? tn_dict_finds(config.dict, key) : NULL;
    for (size_t i = 0; v == NULL && config.tag == TN_DICT && i < TN_COUNTOF(pairs); i++) {
        for (int k = 0; k < 2; k++) {
            if (tn_str_is(key, pairs[i][k])) {
                v = tn_dict_finds(config.dict, tn_str_of(pairs[i][1 - k]));
            }
        }
    }
    return v;
}

/* Every key of a but the excluded ones is the same in b. */
static bool config_within(tn_val a, tn_val b, const char *const *except)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (a.tag == TN_DICT && (it = tn_dict_next(a.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        const tn_val *other = setting(b, key);
        if (!in_list(key, except) && (other == NULL || !same_setting(it->value, *other))) {
            return false;
        }
    }
    return true;
}

/* Of a test only what changes its verdict or its query counts. */
static bool same_test_config(tn_val a, tn_val b)
{
    static const char *const keys[] = { "severity", "where", "limit", "fail_calc", "warn_if",
        "error_if", "store_failures", "store_failures_as", "sql_header", NULL };
    for (size_t i = 0; keys[i] != NULL; i++) {
        const tn_val *x = setting(a, tn_str_of(keys[i])), *y = setting(b, tn_str_of(keys[i]));
        if ((x == NULL) != (y == NULL) || (x != NULL && !same_setting(*x, *y))) {
            return false;
        }
    }
    return true;
}

static bool same_config(tn_node_kind kind, tn_val now, tn_val old)
{
    /* where the relation is counts as the relation; tags and groups change nothing that runs */
    static const char *const places[] = { "alias", "schema", "database", "tags", "group", NULL };
    static const char *const group[] = { "group", NULL }, *const none[] = { NULL };
    if (kind == TN_NODE_SEMANTIC_MODEL || kind == TN_NODE_SAVED_QUERY) {
        return same_key(now, old, "config");
    }
    tn_val a = tn_val_at(now, "unrendered_config"), b = tn_val_at(old, "unrendered_config");
    if (kind == TN_NODE_TEST) {
        return same_test_config(a, b);
    }
    const char *const *except = is_parsed(kind) ? places : kind == TN_NODE_METRIC ? group : none;
    return config_within(a, b, except) && config_within(b, a, except);
}

/* ---- the other aspects ---- */

static bool same_body(tn_node_kind kind, tn_val now, tn_val old)
{
    return same_key(now, old, kind == TN_NODE_SEED ? "checksum" : "raw_code");
}

static bool same_relation(tn_val now, tn_val old)
{
    static const char *const node[] = { "database", "schema", "alias", NULL };
    return same_keys(
        tn_val_at(now, "unrendered_config"), tn_val_at(old, "unrendered_config"), node);
}

/* written: a source's place as its file has it, so that another target or variable is no change. */
static bool same_source_place(tn_val now, tn_val old, bool written)
{
    static const char *const given[] = { "unrendered_database", "unrendered_schema", "identifier",
        NULL };
    static const char *const rendered[] = { "database", "schema", "identifier", NULL };
    return same_keys(now, old, written ? given : rendered);
}

static bool same_column_descriptions(tn_val now, tn_val old)
{
    size_t at = 0;
    const tn_dict_item *it;
    tn_val a = tn_val_at(now, "columns"), b = tn_val_at(old, "columns");
    if (a.tag != TN_DICT || b.tag != TN_DICT || a.dict->live != b.dict->live) {
        return a.tag != TN_DICT && b.tag != TN_DICT;
    }
    while ((it = tn_dict_next(a.dict, &at)) != NULL) {
        const tn_val *other = tn_dict_finds(b.dict, tn_val_as_str(it->key));
        if (other == NULL || !same_key(it->value, *other, "description")) {
            return false;
        }
    }
    return true;
}

static bool same_descriptions(tn_val now, tn_val old)
{
    tn_val persist = tn_val_at(tn_val_at(now, "config"), "persist_docs");
    if (tn_val_bool_at(persist, "relation", false) && !same_key(now, old, "description")) {
        return false;
    }
    return !tn_val_bool_at(persist, "columns", false) || same_column_descriptions(now, old);
}

/* Names, types and constraints of the columns, in any order; for tables those of the model too, and the materialization. */
static bool same_contract(tn_node_kind kind, tn_val now, tn_val old)
{
    static const char *const column[] = { "data_type", "constraints", NULL };
    bool is = tn_val_bool_at(tn_val_at(now, "contract"), "enforced", false);
    bool was = tn_val_bool_at(tn_val_at(old, "contract"), "enforced", false);
    if (kind != TN_NODE_MODEL || (!is && !was)) {
        return true;
    }
    tn_val a = tn_val_at(now, "columns"), b = tn_val_at(old, "columns");
    if (is != was || a.tag != TN_DICT || b.tag != TN_DICT || a.dict->live != b.dict->live) {
        return false;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(a.dict, &at)) != NULL) {
        const tn_val *other = tn_dict_finds(b.dict, tn_val_as_str(it->key));
        if (other == NULL || !same_keys(it->value, *other, column)) {
            return false;
        }
    }
    tn_val config = tn_val_at(now, "config");
    static const char *const enforcing[] = { "table", "incremental", NULL };
    tn_str how = tn_val_str_at(config, "materialized", TN_STR_NONE);
    return !in_list(how, enforcing) ||
           (same_key(config, tn_val_at(old, "config"), "materialized") &&
               same_key(now, old, "constraints"));
}

/* ---- contents, by kind ---- */

/* Inputs and rows of a unit test; `format: dict` and no fixture go without saying. */
static bool same_fixture(tn_val now, tn_val old)
{
    static const char *const keys[] = { "input", "rows", "fixture", NULL };
    tn_str a = tn_val_str_at(now, "format", TN_STR("dict"));
    return tn_str_eq(a, tn_val_str_at(old, "format", TN_STR("dict"))) && same_keys(now, old, keys);
}

static bool same_unit_test(tn_val now, tn_val old)
{
    static const char *const keys[] = { "model", "versions", "overrides", NULL };
    tn_val a = tn_val_at(now, "given"), b = tn_val_at(old, "given");
    size_t n = tn_val_is_seq(a) ? a.list->n : 0, m = tn_val_is_seq(b) ? b.list->n : 0;
    bool same = n == m && same_keys(now, old, keys) &&
                same_fixture(tn_val_at(now, "expect"), tn_val_at(old, "expect"));
    for (size_t i = 0; same && i < n; i++) {
        same = same_fixture(a.list->v[i], b.list->v[i]);
    }
    return same;
}

/* As sets. */
static bool same_parents(tn_val now, tn_val old)
{
    tn_val a = tn_val_at(tn_val_at(now, "depends_on"), "nodes");
    tn_val b = tn_val_at(tn_val_at(old, "depends_on"), "nodes");
    size_t found = 0;
    if (tn_val_is_undef(a) && tn_val_is_undef(b)) {
        return true; /* seeds have no such list */
    }
    if (!tn_val_is_seq(a) || !tn_val_is_seq(b) || a.list->n != b.list->n) {
        return false;
    }
    for (size_t i = 0; i < a.list->n; i++) {
        for (size_t k = 0; k < b.list->n; k++) {
            if (tn_val_eq(a.list->v[i], b.list->v[k])) {
                found++;
                break;
            }
        }
    }
    return found == a.list->n;
}

/* Signatures and bodies; descriptions are not SQL. */
static bool same_overloads(tn_val now, tn_val old)
{
    static const char *const keys[] = { "defined_in", "arguments", "returns", "raw_body", NULL };
    tn_val a = tn_val_at(now, "overloads"), b = tn_val_at(old, "overloads");
    size_t na = a.tag == TN_LIST ? a.list->n : 0, nb = b.tag == TN_LIST ? b.list->n : 0;
    for (size_t i = 0; i < na && na == nb; i++) {
        if (!same_keys(a.list->v[i], b.list->v[i], keys)) {
            return false;
        }
    }
    return na == nb;
}

static bool same_parsed(tn_node_kind kind, tn_val now, tn_val old)
{
    static const char *const of_refs[] = { "latest_version", "access", "deprecation_date", NULL };
    static const char *const of_function[] = { "arguments", "returns", NULL };
    return same_body(kind, now, old) && same_config(kind, now, old) &&
           same_descriptions(now, old) && same_key(now, old, "fqn") && same_relation(now, old) &&
           same_contract(kind, now, old) &&
           (kind != TN_NODE_MODEL || same_keys(now, old, of_refs)) &&
           (kind != TN_NODE_FUNCTION ||
               (same_keys(now, old, of_function) && same_overloads(now, old)));
}

/* In their order: names, and where they go, as written. */
static bool same_exports(tn_val now, tn_val old)
{
    static const char *const keys[] = { "export_as", "schema", "alias", NULL };
    tn_val a = tn_val_at(now, "exports"), b = tn_val_at(old, "exports");
    size_t n = tn_val_is_seq(a) ? a.list->n : 0, m = tn_val_is_seq(b) ? b.list->n : 0;
    for (size_t i = 0; i < n && n == m; i++) {
        tn_val x = a.list->v[i], y = b.list->v[i];
        if (!same_key(x, y, "name") || !same_keys(tn_val_at(x, "unrendered_config"),
                                           tn_val_at(y, "unrendered_config"), keys)) {
            return false;
        }
    }
    return n == m;
}

static bool same_saved_query(tn_val now, tn_val old)
{
    static const char *const keys[] = { "description", "label", "group", "tags", NULL };
    static const char *const params[] = { "metrics", "group_by", "where", NULL };
    return same_keys(now, old, keys) && same_config(TN_NODE_SAVED_QUERY, now, old) &&
           same_exports(now, old) &&
           same_keys(tn_val_at(now, "query_params"), tn_val_at(old, "query_params"), params);
}

/* Keys of an owner that have no value may be left out. */
static bool owner_within(tn_val a, tn_val b)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (a.tag == TN_DICT && (it = tn_dict_next(a.dict, &at)) != NULL) {
        const tn_val *other = b.tag == TN_DICT ? tn_dict_find(b.dict, it->key) : NULL;
        if (!tn_val_eq(it->value, other != NULL ? *other : TN_VAL_NONE)) {
            return false;
        }
    }
    return true;
}

static bool same_owner(tn_val now, tn_val old)
{
    tn_val a = tn_val_at(now, "owner"), b = tn_val_at(old, "owner");
    return owner_within(a, b) && owner_within(b, a);
}

static bool same_contents(const tn_node *n, tn_val now, tn_val old, bool written)
{
    static const char *const source[] = { "fqn", "quoting", "freshness", "loaded_at_field",
        "external", NULL };
    static const char *const exposure[] = { "fqn", "type", "maturity", "url", "description",
        "label", NULL };
    static const char *const metric[] = { "type", "description", "label", NULL };
    static const char *const semantic[] = { "model", "description", "defaults", "entities",
        "dimensions", "measures", "config", "primary_entity", "group", NULL };
    switch (n->kind) {
    case TN_NODE_SOURCE:
        return same_keys(now, old, source) && same_source_place(now, old, written) &&
               same_config(n->kind, now, old);
    case TN_NODE_EXPOSURE:
        return same_keys(now, old, exposure) && same_owner(now, old) && same_parents(now, old) &&
               same_config(n->kind, now, old);
    case TN_NODE_METRIC:
        return same_keys(now, old, metric) && same_config(n->kind, now, old);
    case TN_NODE_SEMANTIC_MODEL:
        return same_keys(now, old, semantic);
    case TN_NODE_SAVED_QUERY:
        return same_saved_query(now, old);
    case TN_NODE_UNIT_TEST:
        return same_unit_test(now, old);
    case TN_NODE_TEST:
        if (n->test != NULL) {
            return same_config(n->kind, now, old) && same_key(now, old, "fqn");
        }
        return same_parsed(n->kind, now, old);
    default:
        return same_parsed(n->kind, now, old);
    }
}

/* Whether nodes of this kind have the aspect at all; what has it not is never modified in it. */
static bool has_aspect(tn_node_kind kind, tn_state_aspect aspect)
{
    switch (aspect) {
    case TN_STATE_CONFIGS:
        return kind != TN_NODE_UNIT_TEST;
    case TN_STATE_RELATION:
        return is_parsed(kind) || kind == TN_NODE_SOURCE;
    case TN_STATE_CONTENTS:
        return true;
    default:
        return is_parsed(kind);
    }
}

/* A source, exposure, metric, ... that was not there is new, but not modified: dbt asks for state:new there. */
static bool new_is_modified(tn_node_kind kind)
{
    return is_parsed(kind) || kind == TN_NODE_UNIT_TEST;
}

static bool same_in(const tn_node *n, tn_val now, tn_val old, tn_state_aspect aspect, bool written)
{
    switch (aspect) {
    case TN_STATE_BODY:
        return same_body(n->kind, now, old);
    case TN_STATE_CONFIGS:
        return same_config(n->kind, now, old);
    case TN_STATE_DESCRIPTIONS:
        return same_descriptions(now, old);
    case TN_STATE_RELATION:
        return n->kind == TN_NODE_SOURCE ? same_source_place(now, old, written)
                                         : same_relation(now, old);
    case TN_STATE_CONTRACT:
        return same_contract(n->kind, now, old);
    default:
        return same_contents(n, now, old, written);
    }
}

tn_rc tn_state_modified(
    const tn_node *n, tn_val old, tn_state_aspect aspect, bool written, bool *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("a node's state", NULL);
    if (!has_aspect(n->kind, aspect) || tn_val_is_undef(old)) {
        *ret = has_aspect(n->kind, aspect) &&
               (aspect != TN_STATE_CONTENTS || new_is_modified(n->kind));
        return TN_OK;
    }
    /* Through JSON, as the other side came: dates are texts there, and keys texts too. */
    tn_buf b = tn_buf_init(scratch, TN_BUF_NO_LIMIT);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_val now;
    tn_jw_val(&w, tn_node_dict(scratch, n));
    TN_TRY(tn_json_parse(scratch, tn_buf_str(&b), &now, err));
    *ret = !same_in(n, now, old, aspect, written);
    return TN_OK;
}

bool tn_state_aspect_find(tn_str name, tn_state_aspect *ret)
{
    static const struct {
        const char *name;
        tn_state_aspect aspect;
    } all[] = { { "body", TN_STATE_BODY }, { "configs", TN_STATE_CONFIGS },
        { "persisted_descriptions", TN_STATE_DESCRIPTIONS }, { "relation", TN_STATE_RELATION },
        { "contract", TN_STATE_CONTRACT } };
    for (size_t i = 0; i < TN_COUNTOF(all); i++) {
        if (tn_str_is(name, all[i].name)) {
            *ret = all[i].aspect;
            return true;
        }
    }
    return false;
}
