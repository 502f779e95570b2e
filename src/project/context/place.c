/* place.c: where a node's relation lives: database, schema and alias by the generate_*_name macros, and the relation's printed name. */
#include "project/context/context_priv.h"
#include "project/deprecation.h"

/* The macro that names a component for this node: the node's own package's, else the root's, else the built-in one. */
static tn_macro *name_macro(const tn_project *p, const tn_node *n, const char *macro)
{
    return tn_project_find_macro(p, n->package_name, tn_str_of(macro));
}

static bool is_builtin(const tn_project *p, const tn_macro *m)
{
    return m == NULL || tn_project_package(p, m->package_name)->builtin;
}

/* generate_x_name(custom, node) of the user. *ret_none: the macro gave None. */
static tn_rc call_macro(
    tn_project *p, tn_node *n, tn_macro *m, tn_val custom, tn_str *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("generate name", NULL);
    tn_pctx c;
    TN_TRY(tn_pctx_init(&c, p, n, false, NULL, NULL, scratch, err));
    c.package = m->package_name;
    c.state->needs_vars = true;
    tn_val args[2] = { custom, tn_node_dict(scratch, n) }, out;
    tn_rc rc = tn_pctx_call_macro(&c, m, args, 2, NULL, 0, &out, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "naming '" TN_STR_FMT "'", TN_STR_ARG(n->unique_id));
    }
    if (!tn_val_is_given(out)) {
        *ret = TN_STR_NONE;
        return TN_OK;
    }
    *ret = tn_str_dup(p->arena, tn_str_trim(tn_val_to_str(scratch, out)));
    return TN_OK;
}

static tn_val custom_of(const tn_node *n, const char *key)
{
    tn_val v = tn_node_config(n, key);
    return tn_val_is_undef(v) ? TN_VAL_NONE : v;
}

static tn_rc place_database(tn_project *p, tn_node *n, tn_err *err)
{
    tn_macro *m = name_macro(p, n, "generate_database_name");
    tn_val custom = custom_of(n, "database");
    if (!is_builtin(p, m)) {
        return call_macro(p, n, m, custom, &n->database, err);
    }
    n->database = tn_val_is_none(custom) ? p->profile.database : tn_str_trim(tn_val_as_str(custom));
    return TN_OK;
}

static tn_rc place_schema(tn_project *p, tn_node *n, tn_err *err)
{
    tn_macro *m = name_macro(p, n, "generate_schema_name");
    tn_val custom = custom_of(n, "schema");
    if (!is_builtin(p, m)) {
        TN_TRY(call_macro(p, n, m, custom, &n->schema, err));
        if (n->schema.p == NULL) {
            if (tn_project_flag(p, "REQUIRE_VALID_SCHEMA_FROM_GENERATE_SCHEMA_NAME", false)) {
                return tn_fail(err, TN_E_COMPILE,
                    "Parsing Error\n  Node '" TN_STR_FMT
                    "' has a schema set to None as a result of a generate_schema_name call.\n  "
                    "Please set a valid schema name, or preserve the legacy behavior by setting "
                    "the behavior flag 'require_valid_schema_from_generate_schema_name' to True.",
                    TN_STR_ARG(n->unique_id));
            }
            tn_deprecate(p, "GenerateSchemaNameNullValueDeprecation", n->original_file_path,
                "Node '" TN_STR_FMT
                "' has a schema set to None as a result of a generate_schema_name call. Please set "
                "a valid schema name.",
                TN_STR_ARG(n->unique_id));
        }
        return TN_OK;
    }
    n->schema = p->profile.schema;
    if (!tn_val_is_none(custom)) {
        n->schema = tn_str_printf(p->arena, TN_STR_FMT "_" TN_STR_FMT,
            TN_STR_ARG(p->profile.schema), TN_STR_ARG(tn_str_trim(tn_val_as_str(custom))));
    }
    return TN_OK;
}

static tn_rc place_alias(tn_project *p, tn_node *n, tn_err *err)
{
    tn_macro *m = name_macro(p, n, "generate_alias_name");
    tn_val custom = custom_of(n, "alias");
    if (!is_builtin(p, m)) {
        return call_macro(p, n, m, custom, &n->alias, err);
    }
    if (tn_val_is_str(custom) && tn_val_as_str(custom).n > 0) {
        n->alias = tn_str_trim(tn_val_as_str(custom));
    } else if (!tn_val_is_none(n->version)) {
        tn_str v =
            tn_str_replace(p->arena, tn_val_to_str(p->arena, n->version), TN_STR("."), TN_STR("_"));
        n->alias =
            tn_str_printf(p->arena, TN_STR_FMT "_v" TN_STR_FMT, TN_STR_ARG(n->name), TN_STR_ARG(v));
    } else {
        n->alias = n->name;
    }
    return TN_OK;
}

static void quote_part(tn_buf *b, tn_str part, bool quote)
{
    if (!quote) {
        tn_buf_add(b, part);
        return;
    }
    tn_buf_addf(b, "\"" TN_STR_FMT "\"", TN_STR_ARG(part));
}

tn_str tn_project_relation_name(tn_arena *a, const tn_project *p, tn_val quoting, tn_str database,
    tn_str schema, tn_str identifier)
{
    static const char *const keys[] = { "database", "schema", "identifier" };
    const tn_str parts[] = { database, schema, identifier };
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        if (parts[i].n == 0) {
            continue;
        }
        tn_val own = tn_val_at(quoting, keys[i]);
        bool quote = own.tag == TN_BOOL ? own.i != 0 : tn_val_bool_at(p->quoting, keys[i], true);
        if (b.n > 0) {
            tn_buf_addc(&b, '.');
        }
        quote_part(&b, parts[i], quote);
    }
    return tn_buf_str(&b);
}

tn_val tn_source_quoting(tn_arena *a, const tn_node *n)
{
    static const char *const keys[] = { "database", "schema", "identifier" };
    tn_val out = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_dict_putz(
            out.dict, keys[i], tn_val_bool(tn_val_bool_at(n->source->quoting, keys[i], true)));
    }
    return out;
}

static bool has_relation(const tn_project *p, const tn_node *n)
{
    switch (n->kind) {
    case TN_NODE_MODEL:
        return !tn_node_is_ephemeral(n);
    case TN_NODE_SEED:
    case TN_NODE_SNAPSHOT:
    case TN_NODE_FUNCTION:
        return true;
    case TN_NODE_TEST: {
        tn_val store = tn_node_config(n, "store_failures");
        const tn_val *flag = tn_dict_finds(p->flags, TN_STR("STORE_FAILURES"));
        return store.tag == TN_BOOL ? store.i != 0 : flag != NULL && tn_val_truthy(*flag);
    }
    default:
        return false;
    }
}

tn_rc tn_project_place(tn_project *p, tn_node *n, tn_err *err)
{
    TN_TRY(place_database(p, n, err));
    TN_TRY(place_schema(p, n, err));
    TN_TRY(place_alias(p, n, err));
    if (n->kind == TN_NODE_SNAPSHOT) {
        n->database = tn_node_config_str(n, "target_database", n->database);
        n->schema = tn_node_config_str(n, "target_schema", n->schema);
    }
    n->relation_name = TN_STR_NONE;
    if (has_relation(p, n)) {
        n->relation_name = tn_project_relation_name(
            p->arena, p, tn_node_config(n, "quoting"), n->database, n->schema, n->alias);
    }
    return TN_OK;
}

/* ---- sources that are files ---- */

static tn_val location_value(const tn_node *n, tn_str key)
{
    if (tn_str_is(key, "name")) {
        return tn_val_str(n->name);
    }
    if (tn_str_is(key, "identifier")) {
        return tn_val_str(n->source->identifier);
    }
    if (tn_str_is(key, "schema")) {
        return tn_val_str(n->schema);
    }
    if (tn_str_is(key, "database")) {
        return tn_val_str(n->database);
    }
    const tn_val *v = n->meta.tag == TN_DICT ? tn_dict_finds(n->meta.dict, key) : NULL;
    v = v == NULL ? tn_dict_finds(n->config, key) : v;
    return v != NULL ? *v : TN_VAL_UNDEF;
}

/* str.format with names only: {name}, {{ and }}. */
static tn_rc format_location(tn_arena *a, const tn_node *n, tn_str t, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        if ((c == '{' || c == '}') && i + 1 < t.n && t.p[i + 1] == c) {
            tn_buf_addc(&b, c);
            i++;
        } else if (c == '{') {
            size_t end = tn_str_find_char(t, '}', i);
            tn_str key = tn_str_sub(t, i + 1, tn_min_size(end, t.n));
            tn_val v = end == SIZE_MAX ? TN_VAL_UNDEF : location_value(n, key);
            if (tn_val_is_undef(v)) {
                return tn_fail(err, TN_E_VALUE,
                    "external_location of source '" TN_STR_FMT "': '{" TN_STR_FMT "}' is not known",
                    TN_STR_ARG(n->unique_id), TN_STR_ARG(key));
            }
            tn_val_str_to(&b, v);
            i = end;
        } else {
            tn_buf_addc(&b, c);
        }
    }
    *ret = tn_buf_str(&b);
    return TN_OK;
}

tn_rc tn_source_location(tn_arena *a, const tn_node *n, tn_str *ret, tn_err *err)
{
    tn_val t = n->meta.tag == TN_DICT ? tn_val_at(n->meta, "external_location") : TN_VAL_UNDEF;
    if (!tn_val_is_str(t)) {
        t = tn_node_config(n, "external_location");
    }
    *ret = TN_STR_NONE;
    if (!tn_val_is_str(t) || !tn_val_is_undef(tn_val_at(n->meta, "plugin"))) {
        return TN_OK;
    }
    tn_str s;
    TN_TRY(format_location(a, n, tn_val_as_str(t), &s, err));
    bool bare = tn_str_find_char(s, '(', 0) == SIZE_MAX && !tn_str_starts(s, TN_STR("'"));
    *ret = bare ? tn_str_printf(a, "'" TN_STR_FMT "'", TN_STR_ARG(s)) : s;
    return TN_OK;
}
