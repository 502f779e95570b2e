/* relation.c: relations as macros see them: parts, what of them is shown and quoted, and the methods of dbt's BaseRelation. */
#include "run/value/relation.h"

#include "project/context.h"
#include "run/value/relation.h"

typedef enum relation_method {
    M_INCLUDE,
    M_QUOTE,
    M_INCORPORATE,
    M_REPLACE_PATH,
    M_RENDER,
    M_WITHOUT_IDENTIFIER,
    M_INFORMATION_SCHEMA,
    M_MATCHES,
    M_GET,
    M_QUOTED,
    M_REPLACE,
    M_TO_DICT,
    M_ADD_EPHEMERAL_PREFIX,
    M_RENDER_LIMITED,
    M_INFORMATION_SCHEMA_ONLY,
    M_FUNCTION_CONFIG,
    M_FUNCTION_MACRO,
} relation_method;

static const struct {
    const char *name;
    relation_method method;
} methods[] = {
    { "include", M_INCLUDE },
    { "quote", M_QUOTE },
    { "incorporate", M_INCORPORATE },
    { "replace_path", M_REPLACE_PATH },
    { "render", M_RENDER },
    { "without_identifier", M_WITHOUT_IDENTIFIER },
    { "information_schema", M_INFORMATION_SCHEMA },
    { "information_schema_only", M_INFORMATION_SCHEMA_ONLY },
    { "matches", M_MATCHES },
    { "get", M_GET },
    { "quoted", M_QUOTED },
    { "replace", M_REPLACE },
    { "to_dict", M_TO_DICT },
    { "add_ephemeral_prefix", M_ADD_EPHEMERAL_PREFIX },
    { "render_limited", M_RENDER_LIMITED },
    { "get_function_config", M_FUNCTION_CONFIG },
    { "get_function_macro_name", M_FUNCTION_MACRO },
};

static const char *const part_names[] = { "database", "schema", "identifier" };

typedef struct bound_method {
    tn_relation *r;
    relation_method method;
} bound_method;

tn_relation *tn_relation_new(
    tn_arena *a, tn_str database, tn_str schema, tn_str identifier, const char *type)
{
    tn_relation *r = tn_new(a, tn_relation);
    *r = (tn_relation){ .base = { &tn_relation_type },
        .part = { database, schema, identifier },
        .include = TN_PART_ALL,
        .quote = TN_PART_ALL,
        .type = type != NULL ? tn_str_of(type) : TN_STR_NONE,
        .limit = -1 };
    return r;
}

bool tn_val_is_relation(tn_val v, tn_relation **ret)
{
    if (v.tag != TN_OBJ || v.obj->type != &tn_relation_type) {
        return false;
    }
    *ret = (tn_relation *)(void *)v.obj;
    return true;
}

static void quoted_to(tn_buf *b, tn_str s)
{
    tn_buf_addc(b, '"');
    tn_buf_add(b, s);
    tn_buf_addc(b, '"');
}

static void parts_to(tn_buf *b, const tn_relation *r)
{
    bool first = true;
    for (unsigned i = 0; i < 3; i++) {
        bool info_part = r->info && i == 2;
        if (r->part[i].p == NULL || (r->include & (1u << i)) == 0 || info_part) {
            continue;
        }
        tn_buf_addz(b, first ? "" : ".");
        first = false;
        if (r->quote & (1u << i) && !(r->info && i == 1)) {
            quoted_to(b, r->part[i]);
        } else {
            tn_buf_add(b, r->part[i]);
        }
    }
    if (r->info && r->info_view.p != NULL) {
        tn_buf_addc(b, '.');
        tn_buf_add(b, r->info_view);
    }
}

static void render_to(tn_obj *self, tn_buf *b)
{
    const tn_relation *r = (const tn_relation *)(void *)self;
    if (r->filter.n > 0) {
        tn_buf_addz(b, "(select * from ");
    }
    if (r->limit >= 0) {
        tn_buf_addz(b, "(select * from ");
    }
    if (r->external.p != NULL) {
        tn_buf_add(b, r->external);
    } else {
        parts_to(b, r);
    }
    if (r->limit == 0) {
        tn_buf_addz(b, " where false limit 0)");
    } else if (r->limit > 0) {
        tn_buf_addf(b, " limit %lld)", (long long)r->limit);
    }
    if (r->filter.n > 0) {
        tn_buf_addf(b, " where " TN_STR_FMT ")", TN_STR_ARG(r->filter));
    }
}

static void repr_to(tn_obj *self, tn_buf *b)
{
    tn_buf_addz(b, "<DuckDBRelation ");
    render_to(self, b);
    tn_buf_addc(b, '>');
}

tn_str tn_relation_key(tn_arena *a, tn_str database, tn_str schema, tn_str name)
{
    return tn_str_lower(a, tn_str_printf(a, TN_STR_FMT "\x1f" TN_STR_FMT "\x1f" TN_STR_FMT,
                               TN_STR_ARG(database), TN_STR_ARG(schema), TN_STR_ARG(name)));
}

tn_str tn_relation_render(tn_arena *a, const tn_relation *r)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_relation copy = *r;
    render_to(&copy.base, &b);
    return tn_str_dup(a, tn_buf_str(&b));
}

static tn_val part_val(const tn_relation *r, unsigned i)
{
    return r->part[i].p != NULL ? tn_val_str(r->part[i]) : TN_VAL_NONE;
}

static tn_val policy_val(tn_arena *a, unsigned bits)
{
    tn_val d = tn_val_dict(a);
    for (unsigned i = 0; i < 3; i++) {
        tn_dict_putz(d.dict, part_names[i], tn_val_bool((bits >> i & 1) != 0));
    }
    return d;
}

static tn_val path_val(tn_arena *a, const tn_relation *r)
{
    tn_val d = tn_val_dict(a);
    for (unsigned i = 0; i < 3; i++) {
        tn_dict_putz(d.dict, part_names[i], part_val(r, i));
    }
    return d;
}

static bool str_arg(tn_val v, tn_arena *a, tn_str *ret)
{
    if (tn_val_is_undef(v)) {
        return false;
    }
    *ret = tn_val_is_none(v)
               ? TN_STR_NONE
               : tn_str_dup(a, tn_val_is_str(v) ? tn_val_as_str(v) : tn_val_to_str(a, v));
    if (!tn_val_is_none(v) && ret->p == NULL) {
        *ret = TN_STR("");
    }
    return true;
}

static tn_relation *copy_of(tn_arena *a, const tn_relation *r)
{
    tn_relation *c = tn_new(a, tn_relation);
    *c = *r;
    return c;
}

static unsigned policy_of(unsigned bits, const tn_call *call)
{
    for (unsigned i = 0; i < 3; i++) {
        tn_val v = tn_call_arg(call, i, part_names[i]);
        if (tn_val_is_given(v)) {
            bits = tn_val_truthy(v) ? bits | (1u << i) : bits & ~(1u << i);
        }
    }
    return bits;
}

static unsigned policy_of_dict(unsigned bits, tn_val d)
{
    for (unsigned i = 0; i < 3; i++) {
        tn_val v = tn_val_at(d, part_names[i]);
        if (v.tag == TN_BOOL) {
            bits = v.i ? bits | (1u << i) : bits & ~(1u << i);
        }
    }
    return bits;
}

/* incorporate(path={...}, type=...) and replace(...). */
static tn_relation *incorporate(tn_arena *a, const tn_relation *r, const tn_call *call)
{
    tn_relation *c = copy_of(a, r);
    tn_val path = tn_call_arg(call, SIZE_MAX, "path"), type = tn_call_arg(call, SIZE_MAX, "type");
    for (unsigned i = 0; i < 3; i++) {
        (void)str_arg(tn_val_at(path, part_names[i]), a, &c->part[i]);
        if (c->part[i].p == NULL && path.tag == TN_DICT) {
            tn_val *given = tn_dict_finds(path.dict, tn_str_of(part_names[i]));
            c->part[i] = given != NULL && tn_val_is_none(*given) ? TN_STR_NONE : c->part[i];
        }
    }
    (void)str_arg(type, a, &c->type);
    (void)str_arg(tn_call_arg(call, SIZE_MAX, "external"), a, &c->external);
    c->quote = policy_of_dict(c->quote, tn_call_arg(call, SIZE_MAX, "quote_policy"));
    c->include = policy_of_dict(c->include, tn_call_arg(call, SIZE_MAX, "include_policy"));
    tn_val view = tn_call_arg(call, SIZE_MAX, "information_schema_view");
    if (tn_val_is_str(view)) {
        c->info_view = tn_val_as_str(view);
    }
    return c;
}

static bool matches(const tn_relation *r, const tn_call *call)
{
    for (unsigned i = 0; i < 3; i++) {
        tn_val v = tn_call_arg(call, i, part_names[i]);
        if (tn_val_is_given(v) && !tn_str_eq_nocase(tn_val_as_str(v), r->part[i])) {
            return false;
        }
    }
    return true;
}

tn_val tn_relation_info_schema(tn_arena *a, const tn_relation *r, tn_val view)
{
    tn_relation *c = copy_of(a, r);
    c->info = true;
    c->part[1] = TN_STR("INFORMATION_SCHEMA");
    c->info_view = tn_val_is_str(view) ? tn_val_as_str(view) : TN_STR_NONE;
    c->include = TN_PART_DATABASE | TN_PART_SCHEMA;
    c->external = TN_STR_NONE;
    return tn_relation_val(c);
}

static tn_val dict_of(tn_arena *a, const tn_relation *r)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "path", path_val(a, r));
    tn_dict_putz(d.dict, "type", r->type.p != NULL ? tn_val_str(r->type) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "include_policy", policy_val(a, r->include));
    tn_dict_putz(d.dict, "quote_policy", policy_val(a, r->quote));
    tn_dict_putz(d.dict, "quote_character", tn_val_z("\""));
    return d;
}

/* relation.get('name', default) */
static tn_rc get(tn_relation *r, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_val key = tn_call_arg(call, 0, "key"), dflt = tn_call_arg(call, 1, "default");
    tn_val found = TN_VAL_UNDEF;
    if (tn_val_is_str(key) &&
        tn_str_is(tn_val_as_str(key), "metadata")) { /* packages tell relations by it */
        *ret = tn_val_dict(call->arena);
        tn_dict_putz(ret->dict, "type", tn_val_z(tn_relation_type.name));
        return TN_OK;
    }
    if (tn_val_is_str(key)) {
        TN_TRY(tn_relation_type.attr(&r->base, call->arena, tn_val_as_str(key), &found, err));
    }
    *ret = !tn_val_is_undef(found) ? found : tn_val_is_undef(dflt) ? TN_VAL_NONE : dflt;
    return TN_OK;
}

/* render() is the bare name: neither --empty nor a batch's time cuts it; render_limited() keeps the former. */
static tn_val render_plain(tn_arena *a, const tn_relation *r, bool limited)
{
    tn_relation *c = copy_of(a, r);
    c->limit = limited ? c->limit : -1;
    c->filter = TN_STR_NONE;
    return tn_val_str(tn_relation_render(a, c));
}

/* get_function_config(model): what a function is, or None for another node; get_function_macro_name(config): the macro that makes its SQL. */
static tn_val function_config(tn_arena *a, tn_val model)
{
    static const char *const keys[] = { "type", "runtime_version", "entry_point" };
    tn_val out = tn_val_dict(a), config = tn_val_at(model, "config");
    if (!tn_str_is(tn_val_str_at(model, "resource_type", TN_STR_NONE), "function")) {
        return TN_VAL_NONE;
    }
    tn_dict_putz(out.dict, "language", tn_val_str(tn_val_str_at(model, "language", TN_STR(""))));
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_val_at(config, keys[i]);
        tn_dict_putz(out.dict, keys[i], tn_val_is_undef(v) ? TN_VAL_NONE : v);
    }
    return out;
}

static tn_val about_function(tn_arena *a, relation_method method, const tn_call *call)
{
    if (method == M_FUNCTION_CONFIG) {
        return function_config(a, tn_call_arg(call, 0, "model"));
    }
    tn_val config = tn_call_arg(call, 0, "config");
    return tn_val_str(tn_str_printf(a, TN_STR_FMT "_function_" TN_STR_FMT,
        TN_STR_ARG(tn_val_str_at(config, "type", TN_STR(""))),
        TN_STR_ARG(tn_val_str_at(config, "language", TN_STR("")))));
}

static tn_rc call_method(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const bound_method *m = self;
    tn_relation *r = m->r;
    tn_arena *a = call->arena;
    switch (m->method) {
    case M_INCLUDE: {
        tn_relation *c = copy_of(a, r);
        c->include = policy_of(r->include, call);
        *ret = tn_relation_val(c);
        return TN_OK;
    }
    case M_QUOTE: {
        tn_relation *c = copy_of(a, r);
        c->quote = policy_of(r->quote, call);
        *ret = tn_relation_val(c);
        return TN_OK;
    }
    case M_INCORPORATE:
    case M_REPLACE:
        *ret = tn_relation_val(incorporate(a, r, call));
        return TN_OK;
    case M_REPLACE_PATH: {
        tn_relation *c = copy_of(a, r);
        for (unsigned i = 0; i < 3; i++) {
            (void)str_arg(tn_call_arg(call, SIZE_MAX, part_names[i]), a, &c->part[i]);
        }
        *ret = tn_relation_val(c);
        return TN_OK;
    }
    case M_FUNCTION_CONFIG:
    case M_FUNCTION_MACRO:
        *ret = about_function(a, m->method, call);
        return TN_OK;
    case M_RENDER:
    case M_RENDER_LIMITED:
        *ret = render_plain(a, r, m->method == M_RENDER_LIMITED);
        return TN_OK;
    case M_WITHOUT_IDENTIFIER: {
        tn_relation *c = copy_of(a, r);
        c->include &= ~(unsigned)TN_PART_IDENTIFIER;
        c->part[2] = TN_STR_NONE;
        *ret = tn_relation_val(c);
        return TN_OK;
    }
    case M_INFORMATION_SCHEMA:
        *ret = tn_relation_info_schema(a, r, tn_call_arg(call, 0, "view_name"));
        return TN_OK;
    case M_INFORMATION_SCHEMA_ONLY:
        *ret = tn_relation_info_schema(a, r, TN_VAL_NONE);
        return TN_OK;
    case M_MATCHES:
        *ret = tn_val_bool(matches(r, call));
        return TN_OK;
    case M_QUOTED: {
        tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
        quoted_to(&b, tn_val_to_str(a, tn_call_arg(call, 0, "identifier")));
        *ret = tn_val_str(tn_buf_str(&b));
        return TN_OK;
    }
    case M_GET:
        return get(r, call, ret, err);
    case M_TO_DICT:
        *ret = dict_of(a, r);
        return TN_OK;
    case M_ADD_EPHEMERAL_PREFIX:
        *ret = tn_val_str(tn_str_printf(a, "__dbt__cte__" TN_STR_FMT,
            TN_STR_ARG(tn_val_to_str(a, tn_call_arg(call, 0, "name")))));
        return TN_OK;
    }
    return TN_OK;
}

static tn_val str_or_none(tn_str s)
{
    return s.p != NULL ? tn_val_str(s) : TN_VAL_NONE;
}

/* is_table and the like; what DuckDB has not is false. */
static bool question(const tn_relation *r, tn_str name, tn_val *ret)
{
    static const struct {
        const char *name, *type;
    } questions[] = { { "is_table", "table" }, { "is_view", "view" }, { "is_cte", "cte" },
        { "is_materialized_view", "materialized_view" }, { "is_pointer", "pointer_table" },
        { "is_function", "function" }, { "can_be_renamed", NULL }, { "can_be_replaced", NULL } };
    for (size_t i = 0; i < TN_COUNTOF(questions); i++) {
        if (tn_str_is(name, questions[i].name)) {
            *ret = tn_val_bool(questions[i].type != NULL && tn_str_is(r->type, questions[i].type));
            return true;
        }
    }
    return false;
}

static tn_val plain_attr(tn_relation *r, tn_arena *a, tn_str name)
{
    if (tn_str_is(name, "name") || tn_str_is(name, "table")) {
        return part_val(r, 2);
    }
    if (tn_str_is(name, "type")) {
        return str_or_none(r->type);
    }
    if (tn_str_is(name, "metadata")) { /* packages tell a relation by it */
        tn_val d = tn_val_dict(a);
        tn_dict_putz(d.dict, "type", tn_val_z("DuckDBRelation"));
        return d;
    }
    if (tn_str_is(name, "path")) {
        return path_val(a, r);
    }
    if (tn_str_is(name, "include_policy") || tn_str_is(name, "quote_policy")) {
        return policy_val(a, tn_str_is(name, "quote_policy") ? r->quote : r->include);
    }
    if (tn_str_is(name, "external") || tn_str_is(name, "location")) {
        return str_or_none(r->external);
    }
    if (tn_str_is(name, "information_schema_view")) {
        return str_or_none(r->info_view);
    }
    if (tn_str_is(name, "Table") || tn_str_is(name, "View") || tn_str_is(name, "CTE") ||
        tn_str_is(name, "External") || tn_str_is(name, "Function")) {
        return tn_val_str(tn_str_lower(a, name));
    }
    return TN_VAL_UNDEF;
}

static tn_rc relation_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_relation *r = (tn_relation *)(void *)self;
    for (size_t i = 0; i < TN_COUNTOF(methods); i++) {
        if (tn_str_is(name, methods[i].name)) {
            bound_method *m = tn_new(a, bound_method);
            *m = (bound_method){ r, methods[i].method };
            *ret = tn_val_fn(a, methods[i].name, call_method, m);
            return TN_OK;
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        if (tn_str_is(name, part_names[i])) {
            *ret = part_val(r, i);
            return TN_OK;
        }
    }
    if (!question(r, name, ret)) {
        *ret = plain_attr(r, a, name);
    }
    return TN_OK;
}

static bool relation_eq(tn_obj *self, tn_val other)
{
    const tn_relation *x = (const tn_relation *)(void *)self;
    tn_relation *y = NULL;
    if (!tn_val_is_relation(other, &y)) {
        return false;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (!tn_str_eq(x->part[i], y->part[i])) {
            return false;
        }
    }
    return tn_str_eq(x->type, y->type) && tn_str_eq(x->external, y->external) &&
           x->include == y->include && x->quote == y->quote;
}

static uint64_t relation_hash(tn_obj *self)
{
    const tn_relation *r = (const tn_relation *)(void *)self;
    return tn_str_hash(r->part[0]) ^ tn_str_hash(r->part[1]) * 3 ^ tn_str_hash(r->part[2]) * 7;
}

static bool relation_truthy(tn_obj *self)
{
    (void)self;
    return true;
}

static tn_val relation_dup(tn_obj *self, tn_arena *a)
{
    tn_relation *r = tn_new(a, tn_relation);
    *r = *(const tn_relation *)(void *)self;
    tn_str *const texts[] = { &r->part[0], &r->part[1], &r->part[2], &r->type, &r->external,
        &r->filter, &r->info_view };
    for (size_t i = 0; i < TN_COUNTOF(texts); i++) {
        if (texts[i]->p != NULL) {
            *texts[i] = tn_str_dup(a, *texts[i]);
        }
    }
    return tn_relation_val(r);
}

const tn_obj_type tn_relation_type = { .name = "DuckDBRelation",
    .is_mapping = true,
    .attr = relation_attr,
    .dup = relation_dup,
    .str = render_to,
    .repr = repr_to,
    .eq = relation_eq,
    .hash = relation_hash,
    .truthy = relation_truthy };

/* ---- api.Relation ---- */

static tn_rc relation_create(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_arena *a = call->arena;
    tn_relation *r = tn_relation_new(a, TN_STR_NONE, TN_STR_NONE, TN_STR_NONE, NULL);
    for (unsigned i = 0; i < 3; i++) {
        (void)str_arg(tn_call_arg(call, i, part_names[i]), a, &r->part[i]);
    }
    (void)str_arg(tn_call_arg(call, 3, "type"), a, &r->type);
    (void)str_arg(tn_call_arg(call, SIZE_MAX, "external"), a, &r->external);
    r->quote = policy_of_dict(r->quote, tn_pctx_of(call)->project->quoting);
    r->quote = policy_of_dict(r->quote, tn_call_arg(call, SIZE_MAX, "quote_policy"));
    r->include = policy_of_dict(r->include, tn_call_arg(call, SIZE_MAX, "include_policy"));
    *ret = tn_relation_val(r);
    return TN_OK;
}

/* The columns that a snapshot's row hash is made of: the key's, then the time. */
static tn_rc scd_args(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_val key = tn_call_arg(call, 0, "primary_key"),
           updated_at = tn_call_arg(call, 1, "updated_at");
    *ret = tn_val_list(call->arena);
    if (tn_val_is_seq(key)) {
        for (size_t i = 0; i < key.list->n; i++) {
            tn_list_push(ret->list, key.list->v[i]);
        }
    } else {
        tn_list_push(ret->list, key);
    }
    tn_list_push(ret->list, updated_at);
    return TN_OK;
}

static tn_rc ephemeral_prefix(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_str(tn_str_printf(call->arena, "__dbt__cte__" TN_STR_FMT,
        TN_STR_ARG(tn_val_to_str(call->arena, tn_call_arg(call, 0, "name")))));
    return TN_OK;
}

static tn_rc class_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    static const char *const types[] = { "Table", "View", "CTE", "MaterializedView", "External",
        "Function" };
    *ret = TN_VAL_UNDEF;
    if (tn_str_is(name, "create")) {
        *ret = tn_val_fn(a, "create", relation_create, NULL);
    } else if (tn_str_is(name, "scd_args")) {
        *ret = tn_val_fn(a, "scd_args", scd_args, NULL);
    } else if (tn_str_is(name, "add_ephemeral_prefix")) {
        *ret = tn_val_fn(a, "add_ephemeral_prefix", ephemeral_prefix, NULL);
    }
    for (size_t i = 0; i < TN_COUNTOF(types); i++) {
        if (tn_str_is(name, types[i])) {
            *ret = tn_val_str(tn_str_lower(a, name));
        }
    }
    return TN_OK;
}

static tn_rc class_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    return relation_create(self, call, ret, err);
}

static const tn_obj_type relation_class = {
    .name = "RelationProxy", .attr = class_attr, .call = class_call
};
tn_obj tn_relation_class_obj = { &relation_class };

extern tn_obj tn_column_class_obj;

tn_val tn_api_new(tn_arena *a)
{
    tn_val members = tn_val_dict(a);
    tn_dict_putz(members.dict, "Relation", tn_val_obj(&tn_relation_class_obj));
    tn_dict_putz(members.dict, "Column", tn_val_obj(&tn_column_class_obj));
    return tn_val_module(a, "api", members.dict);
}
