/* context.c: the names that a template sees, and rendering with them.
 *
 * Most members are stateless functions that find their tn_pctx through call->interp; they are made once per project (state->members).
 * What depends on the node or the context (model, config, this, macros, package namespaces) is made on first use and kept in the context.
 */
#include "project/context.h"

#include "project/context/context_priv.h"

static bool lookup(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret);

tn_rc tn_pctx_init(tn_pctx *c, tn_project *p, tn_node *node, bool execute,
    const tn_pctx_hooks *hooks, void *self, tn_arena *a, tn_err *err)
{
    (void)err;
    *c = (tn_pctx){
        .project = p, .arena = a, .node = node, .execute = execute, .hooks = hooks, .self = self
    };
    c->package = node != NULL ? node->package_name : p->name;
    c->jinja = tn_jinja_ctx_init(execute ? p->state->env : p->state->parse_env, a, lookup, c);
    c->state = tn_new(a, struct tn_pctx_state);
    c->state->bound = tn_map_init(a);
    return TN_OK;
}

tn_rc tn_yaml_context(
    tn_pctx *c, tn_project *p, tn_package *pkg, bool secrets, tn_arena *a, tn_err *err)
{
    TN_TRY(tn_pctx_init(c, p, NULL, false, NULL, NULL, a, err));
    c->package = pkg != NULL ? pkg->name : p->name;
    c->jinja.env = p->state->env; /* YAML has no second pass: what is undefined is an error now */
    c->state->no_macros = true;
    c->state->secrets = secrets;
    c->state->vars = pkg != NULL && pkg->vars != NULL ? pkg->vars : p->cli_vars;
    return TN_OK;
}

/* ---- macros as callables ---- */

/* A macro of this context. At parse it notes itself in depends_on.macros when it is called from the top of a template. */
typedef struct macro_obj {
    tn_obj base;
    tn_pctx *ctx;
    tn_macro *macro;
    tn_val bound; /* undefined until the first call */
    bool quiet;   /* reached as package.macro in a generic test: dbt does not note those */
} macro_obj;

/* Called from the top of a template, or by the materialization of a test, which dbt counts as such. */
static bool called_by_node(const tn_pctx *c)
{
    tn_jinja_ctx *ctx = (tn_jinja_ctx *)(uintptr_t)&c->jinja;
    tn_str caller = tn_jinja_macro_running(ctx, 0);
    return caller.n == 0 || (c->node != NULL && c->node->kind == TN_NODE_TEST &&
                                tn_str_starts(caller, TN_STR("materialization_test_")) &&
                                tn_jinja_macro_running(ctx, 1).n == 0);
}

static tn_rc macro_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    macro_obj *m = (macro_obj *)self;
    tn_pctx *c = m->ctx;
    if (tn_val_is_undef(m->bound)) {
        const tn_jinja_macro_def *def;
        TN_TRY(tn_macro_def(c->project, m->macro, &def, err));
        m->bound = tn_jinja_macro_bind(c->arena, def, &c->jinja, NULL, NULL);
    }
    if (c->record != NULL && !m->quiet && tn_jinja_macro_running(&c->jinja, 0).n == 0) {
        tn_strs_add_new(&c->record->macros, c->record->arena, m->macro->unique_id);
    } else if (c->called != NULL && !m->quiet && called_by_node(c) &&
               !tn_str_starts(m->macro->name, TN_STR("materialization_"))) {
        tn_strs_add_new(c->called, c->arena, m->macro->unique_id);
    }
    return tn_jinja_call(
        &c->jinja, m->bound, call->args, call->argc, call->kwargs, call->kwargc, ret, err);
}

static void macro_str(tn_obj *self, tn_buf *b)
{
    const macro_obj *m = (const macro_obj *)self;
    tn_buf_addf(b, "<macro " TN_STR_FMT ">", TN_STR_ARG(m->macro->unique_id));
}

static const tn_obj_type macro_type = {
    .name = "MacroGenerator", .call = macro_call, .str = macro_str
};

tn_rc tn_pctx_bind(tn_pctx *c, tn_macro *m, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_val *known = tn_map_find(&c->state->bound, m->unique_id);
    if (known == NULL) {
        macro_obj *o = tn_new(c->arena, macro_obj);
        *o = (macro_obj){ .base = { &macro_type }, .ctx = c, .macro = m, .bound = TN_VAL_UNDEF };
        known = tn_new(c->arena, tn_val);
        *known = tn_val_obj(&o->base);
        tn_map_put(&c->state->bound, m->unique_id, known);
    }
    *ret = *known;
    return TN_OK;
}

/* A package as a name: dbt_utils.star(...). "dbt" stands for all built-in packages. */
typedef struct namespace_obj {
    tn_obj base;
    tn_pctx *ctx;
    tn_str package;
} namespace_obj;

static tn_rc namespace_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    namespace_obj *o = (namespace_obj *)self;
    const tn_val *other =
        o->ctx->overrides == NULL
            ? NULL
            : tn_dict_finds(o->ctx->overrides, tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT,
                                                   TN_STR_ARG(o->package), TN_STR_ARG(name)));
    if (other != NULL) {
        *ret = *other;
        return TN_OK;
    }
    tn_macro *m = tn_project_find_macro_in(o->ctx->project, o->package, name);
    if (m == NULL) {
        *ret = tn_val_undef(name);
        return TN_OK;
    }
    if (o->ctx->record != NULL && o->ctx->node != NULL && o->ctx->node->test != NULL) {
        macro_obj *quiet = tn_new(o->ctx->arena, macro_obj);
        *quiet = (macro_obj){
            .base = { &macro_type }, .ctx = o->ctx, .macro = m, .bound = TN_VAL_UNDEF, .quiet = true
        };
        *ret = tn_val_obj(&quiet->base);
        return TN_OK;
    }
    return tn_pctx_bind(o->ctx, m, ret, err);
}

/* A mapping for Jinja: so macros with private names, dbt_utils._is_relation, are there although attributes of that kind are not. */
static tn_rc namespace_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    *ret = TN_VAL_UNDEF;
    return tn_val_is_str(key) ? namespace_attr(self, a, tn_val_as_str(key), ret, err) : TN_OK;
}

static const tn_obj_type namespace_type = {
    .name = "MacroNamespace", .is_mapping = true, .attr = namespace_attr, .item = namespace_item
};

static tn_val make_namespace(tn_pctx *c, tn_str package)
{
    namespace_obj *o = tn_new(c->arena, namespace_obj);
    *o = (namespace_obj){ .base = { &namespace_type }, .ctx = c, .package = package };
    return tn_val_obj(&o->base);
}

static bool lookup_macro(tn_pctx *c, tn_str name, tn_val *ret)
{
    tn_project *p = c->project;
    if (c->state->no_macros) {
        return false;
    }
    tn_macro *m = tn_project_find_macro(p, c->package, name);
    const tn_package *pkg = tn_project_package(p, name);
    bool builtin = m != NULL && tn_project_package(p, m->package_name)->builtin;
    if (m != NULL && !(builtin && pkg != NULL && !pkg->builtin)) {
        return tn_pctx_bind(c, m, ret, NULL) == TN_OK;
    }
    if ((pkg != NULL && !pkg->builtin) || tn_str_is(name, "dbt")) {
        *ret = make_namespace(c, name);
        return true;
    }
    return false;
}

/* ---- members of one context ---- */

static tn_val make_model(tn_pctx *c)
{
    if (tn_val_is_undef(c->model) && c->node != NULL) {
        c->model = tn_node_dict(c->arena, c->node);
    }
    return c->model;
}

static tn_val hooks_of(tn_pctx *c, const char *key)
{
    tn_val v = c->node != NULL ? tn_node_config(c->node, key) : TN_VAL_UNDEF;
    return v.tag == TN_LIST ? v : tn_val_list(c->arena);
}

/* `context`: the context itself, to look names up by text: context['my_macro'](...), context.get('x'). */
typedef struct context_obj {
    tn_obj base;
    tn_pctx *ctx;
} context_obj;

static tn_rc context_get(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "key", "default", NULL };
    TN_TRY(tn_call_check(call, "get", 1, 2, names, err));
    tn_val v = tn_pctx_get(self, tn_val_as_str(tn_call_arg(call, 0, "key")));
    if (tn_val_is_undef(v)) {
        v = tn_call_has(call, 1, "default") ? tn_call_arg(call, 1, "default") : TN_VAL_NONE;
    }
    *ret = v;
    return TN_OK;
}

static tn_dict *own_names(tn_pctx *c)
{
    if (c->overrides == NULL) {
        c->overrides = tn_val_dict(c->arena).dict;
    }
    return c->overrides;
}

/* context.update({...}): what macros of packages keep for others of the same node. */
static tn_rc context_update(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_pctx *c = self;
    *ret = TN_VAL_NONE;
    if (call->argc > 1 || (call->argc == 1 && call->args[0].tag != TN_DICT)) {
        return tn_fail(err, TN_E_VALUE, "context.update() takes one dict, and names");
    }
    if (call->argc == 1) {
        tn_value_put_all(own_names(c), call->args[0]);
    }
    for (size_t i = 0; i < call->kwargc; i++) {
        tn_dict_puts(own_names(c), call->kwargs[i].name, call->kwargs[i].value);
    }
    return TN_OK;
}

static tn_rc context_setdefault(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "key", "default", NULL };
    TN_TRY(tn_call_check(call, "setdefault", 1, 2, names, err));
    tn_val key = tn_call_arg(call, 0, "key");
    *ret = tn_pctx_get(self, tn_val_as_str(key));
    if (tn_val_is_undef(*ret)) {
        *ret = tn_call_has(call, 1, "default") ? tn_call_arg(call, 1, "default") : TN_VAL_NONE;
        tn_dict_put(own_names(self), key, *ret);
    }
    return TN_OK;
}

static tn_rc context_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_pctx *c = ((context_obj *)self)->ctx;
    static const struct {
        const char *name;
        tn_rc (*call)(void *, const tn_call *, tn_val *, tn_err *);
    } methods[] = { { "get", context_get }, { "update", context_update },
        { "setdefault", context_setdefault } };
    *ret = tn_pctx_get(c, name);
    for (size_t i = 0; tn_val_is_undef(*ret) && i < TN_COUNTOF(methods); i++) {
        if (tn_str_is(name, methods[i].name)) {
            *ret = tn_val_fn(a, methods[i].name, methods[i].call, c);
        }
    }
    return TN_OK;
}

static void add_names(tn_pctx *c, const char *const *names, size_t n, tn_val list)
{
    for (size_t i = 0; i < n; i++) {
        if (!tn_val_is_undef(tn_pctx_get(c, tn_str_of(names[i])))) {
            tn_list_push(list.list, tn_val_z(names[i]));
        }
    }
}

/* Its names, for `'x' in context` and loops: macros, members, and what only nodes that run have. */
static tn_rc context_iter(tn_obj *self, tn_arena *a, tn_val *ret_list, tn_err *err)
{
    (void)err;
    tn_pctx *c = ((context_obj *)self)->ctx;
    static const char *const own[] = { "model", "node", "execute", "schema", "database",
        "pre_hooks", "post_hooks", "selected_resources", "context", "graph", "this", "adapter",
        "api", "sql", "compiled_code", "load_result", "store_result", "store_raw_result",
        "load_agate_table", "results", "schemas", "database_schemas", "defer_relation" };
    *ret_list = tn_val_list(a);
    add_names(c, own, TN_COUNTOF(own), *ret_list);
    for (size_t i = 0; i < c->project->macros.n; i++) {
        tn_list_push(ret_list->list, tn_val_str(c->project->macros.v[i]->name));
    }
    for (size_t i = 0; i < c->project->packages.n; i++) {
        tn_list_push(ret_list->list, tn_val_str(c->project->packages.v[i]->name));
    }
    const tn_map *members = &c->project->state->members;
    for (size_t i = 0; i < members->n; i++) {
        if (members->items[i].value != NULL) {
            tn_list_push(ret_list->list, tn_val_str(members->items[i].key));
        }
    }
    return TN_OK;
}

static const tn_obj_type context_type = {
    .name = "Context", .attr = context_attr, .iter = context_iter
};

static bool lookup_own(tn_pctx *c, tn_str name, tn_val *ret)
{
    if (tn_str_is(name, "model") || tn_str_is(name, "node")) {
        *ret = make_model(c);
        return !tn_val_is_undef(*ret);
    }
    if (tn_str_is(name, "execute")) {
        *ret = tn_val_bool(c->execute);
        return true;
    }
    if (tn_str_is(name, "schema")) {
        *ret = tn_val_str(c->node != NULL && c->node->schema.n > 0 ? c->node->schema
                                                                   : c->project->profile.schema);
        return true;
    }
    if (tn_str_is(name, "database")) {
        *ret =
            tn_val_str(c->node != NULL && c->node->database.n > 0 ? c->node->database
                                                                  : c->project->profile.database);
        return true;
    }
    if (tn_str_is(name, "pre_hooks") || tn_str_is(name, "post_hooks")) {
        *ret = hooks_of(c, name.p[1] == 'r' ? "pre-hook" : "post-hook");
        return true;
    }
    if (tn_str_is(name, "selected_resources")) {
        *ret =
            tn_val_is_undef(c->selected_resources) ? tn_val_list(c->arena) : c->selected_resources;
        return true;
    }
    if (tn_str_is(name, "context")) {
        context_obj *o = tn_new(c->arena, context_obj);
        *o = (context_obj){ .base = { &context_type }, .ctx = c };
        *ret = tn_val_obj(&o->base);
        return true;
    }
    if (c->node != NULL && (tn_str_is(name, "sql") || tn_str_is(name, "compiled_code"))) {
        *ret = TN_VAL_NONE; /* until it is compiled, as in dbt */
        return true;
    }
    if (tn_str_is(name, "graph")) {
        *ret = c->execute ? tn_pctx_graph(c) : tn_val_dict(c->arena);
        return true;
    }
    if (tn_str_is(name, "this") && !c->execute && c->node != NULL) {
        *ret = tn_stub_relation(
            c->arena, c->project, c->node->database, c->node->schema, c->node->alias);
        return true;
    }
    return false;
}

static bool lookup_member(tn_pctx *c, tn_str name, tn_val *ret)
{
    const tn_val *v = tn_map_find(&c->project->state->members, name);
    if (v == NULL && !c->execute) {
        char key[80];
        int n = snprintf(key, sizeof key, "parse:" TN_STR_FMT, TN_STR_ARG(name));
        v = n < (int)sizeof key ? tn_map_find(&c->project->state->members, tn_str_n(key, (size_t)n))
                                : NULL;
    }
    if (v == NULL) {
        return false;
    }
    *ret = *v;
    return true;
}

/* What only templates of nodes have, and YAML has not. */
static bool of_nodes(tn_str name)
{
    static const char *const names[] = { "ref", "source", "metric", "function", "config", "this",
        "model", "adapter", "api", "graph" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool lookup_all(tn_pctx *c, tn_str name, tn_val *ret)
{
    if (tn_str_is(name, "_dbt_generic_test_kwargs") && c->node != NULL && c->node->test != NULL) {
        return tn_test_kwargs(c, ret, NULL) == TN_OK;
    }
    if (tn_str_is(name, "target") && !tn_val_is_undef(c->state->target)) {
        *ret = c->state->target;
        return true;
    }
    if (c->state->no_macros && of_nodes(name)) {
        return false;
    }
    return lookup_macro(c, name, ret) || lookup_own(c, name, ret) || lookup_member(c, name, ret);
}

static bool lookup(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    (void)ctx;
    tn_pctx *c = self;
    const tn_val *v = c->overrides != NULL ? tn_dict_finds(c->overrides, name) : NULL;
    if (v != NULL) {
        *ret = *v;
        return true;
    }
    if (c->hooks != NULL && c->hooks->lookup != NULL && c->hooks->lookup(c, name, ret)) {
        return true;
    }
    return lookup_all(c, name, ret);
}

tn_val tn_pctx_get(tn_pctx *c, tn_str name)
{
    tn_val v;
    return lookup(c, &c->jinja, name, &v) ? v : tn_val_undef(name);
}

/* ---- rendering ---- */

tn_rc tn_pctx_render(tn_pctx *c, tn_str text, tn_jinja_src src, tn_str *ret, tn_err *err)
{
    if (c->node != NULL && c->node->test != NULL && !c->state->test_kwargs_made) {
        tn_val unused; /* a look-up could not report a broken argument */
        TN_TRY(tn_test_kwargs(c, &unused, err));
    }
    if (!tn_text_has_jinja(text)) {
        /* Jinja drops one newline at the end of a template. */
        size_t n = text.n;
        if (n > 0 && text.p[n - 1] == '\n') {
            n -= n > 1 && text.p[n - 2] == '\r' ? 2 : 1;
        }
        *ret = tn_str_sub(text, 0, n);
        return TN_OK;
    }
    tn_jinja_tmpl *t;
    TN_TRY(tn_jinja_parse(c->jinja.env, c->arena, text, src, &t, err));
    bool was = c->state->native;
    c->state->native = false;
    tn_pctx_enter(c);
    tn_rc rc = tn_jinja_render(t, &c->jinja, ret, err);
    tn_pctx_leave(c, NULL);
    c->state->native = was;
    return rc;
}

/* "{{ expr }}" and nothing else: the expression. Quotes are skipped, so that '}}' inside of a text does not end it. */
static bool single_expr(tn_str s, tn_str *ret)
{
    if (s.n < 4 || s.p[0] != '{' || s.p[1] != '{' || s.p[s.n - 1] != '}' || s.p[s.n - 2] != '}') {
        return false;
    }
    tn_str in = tn_str_sub(s, 2, s.n - 2);
    char quote = 0;
    for (size_t i = 0; i < in.n; i++) {
        char ch = in.p[i];
        if (quote != 0) {
            i += ch == '\\';
            quote = ch == quote ? 0 : quote;
        } else if (ch == '\'' || ch == '"') {
            quote = ch;
        } else if (i + 1 < in.n &&
                   ((ch == '}' && in.p[i + 1] == '}') || (ch == '{' && in.p[i + 1] == '%'))) {
            return false;
        }
    }
    if (in.n > 0 && (in.p[0] == '-' || in.p[0] == '+')) {
        in = tn_str_sub(in, 1, in.n);
    }
    if (in.n > 0 && (in.p[in.n - 1] == '-' || in.p[in.n - 1] == '+')) {
        in = tn_str_sub(in, 0, in.n - 1);
    }
    *ret = tn_str_trim(in);
    return quote == 0 && ret->n > 0;
}

/* dbt's own native rule, which is not Jinja2's: one expression keeps its value, everything else is a text; no literal_eval, except by
 * the filters as_bool, as_number and as_native. */
tn_rc tn_pctx_render_native(tn_pctx *c, tn_str text, tn_jinja_src src, tn_val *ret, tn_err *err)
{
    tn_str expr;
    if (!tn_text_has_jinja(text)) {
        *ret = tn_val_str(text);
        return TN_OK;
    }
    if (!single_expr(text, &expr)) {
        tn_str s;
        TN_TRY(tn_pctx_render(c, text, src, &s, err));
        *ret = tn_val_str(s);
        return TN_OK;
    }
    tn_jinja_tmpl *t;
    TN_TRY(tn_jinja_parse_expr(c->jinja.env, c->arena, expr, src, &t, err));
    bool was = c->state->native;
    c->state->native = true;
    c->state->unconverted = TN_VAL_UNDEF;
    tn_pctx_enter(c);
    tn_val got;
    tn_rc rc = tn_jinja_eval(t, &c->jinja, &got, err);
    tn_pctx_leave(c, rc == TN_OK ? &got : NULL);
    c->state->native = was;
    if (rc == TN_OK && !tn_val_is_undef(c->state->unconverted) &&
        tn_val_eq(got, c->state->unconverted)) {
        return tn_fail(err, TN_E_VALUE,
            "Could not render " TN_STR_FMT ": Could not convert value '" TN_STR_FMT
            "' into type '%s'",
            TN_STR_ARG(text), TN_STR_ARG(tn_val_to_str(c->arena, got)), c->state->unconverted_to);
    }
    *ret = rc == TN_OK ? got : *ret;
    return rc;
}

/* ---- calling ---- */

static tn_rc call_value(tn_pctx *c, tn_val fn, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_pctx_enter(c);
    tn_rc rc =
        tn_jinja_call(&c->jinja, fn, call->args, call->argc, call->kwargs, call->kwargc, ret, err);
    tn_pctx_leave(c, rc == TN_OK ? ret : NULL);
    return rc;
}

tn_rc tn_pctx_call(tn_pctx *c, tn_str name, const tn_val *args, size_t argc, const tn_kwarg *kw,
    size_t kwc, tn_val *ret, tn_err *err)
{
    tn_val fn = tn_pctx_get(c, name);
    tn_call call = { .args = args, .argc = argc, .kwargs = kw, .kwargc = kwc };
    if (tn_val_is_undef(fn)) {
        return tn_fail(
            err, TN_E_NAME, "there is no macro named '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    return call_value(c, fn, &call, ret, err);
}

tn_rc tn_pctx_call_macro(tn_pctx *c, tn_macro *m, const tn_val *args, size_t argc,
    const tn_kwarg *kw, size_t kwc, tn_val *ret, tn_err *err)
{
    tn_val fn;
    tn_call call = { .args = args, .argc = argc, .kwargs = kw, .kwargc = kwc };
    TN_TRY(tn_pctx_bind(c, m, &fn, err));
    return call_value(c, fn, &call, ret, err);
}

tn_rc tn_pctx_dispatch(tn_pctx *c, tn_str name, tn_str namespace, tn_val *ret, tn_err *err)
{
    tn_macro *m;
    bool test = c->node != NULL && c->node->test != NULL; /* its macro may be any package's */
    TN_TRY(
        tn_project_dispatch(c->project, test ? TN_STR_NONE : c->package, name, namespace, &m, err));
    return tn_pctx_bind(c, m, ret, err);
}

/* ---- arguments of a generic test ---- */

typedef struct kwargs_ctx {
    tn_pctx *c;
    tn_jinja_src src;
} kwargs_ctx;

/* env_var( | ref( | var( | source( | doc( ... ) as the whole text: an expression without braces. */
static bool looks_like_call(tn_str s)
{
    static const char *const names[] = { "env_var", "ref", "var", "source", "doc" };
    tn_str t = tn_str_trim(s);
    if (t.n == 0 || t.p[t.n - 1] != ')') {
        return false;
    }
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        tn_str n = tn_str_of(names[i]);
        if (tn_str_starts(t, n)) {
            tn_str rest = tn_str_trim(tn_str_sub(t, n.n, t.n));
            if (rest.n > 2 && rest.p[0] == '(') {
                return true;
            }
        }
    }
    return false;
}

static tn_rc render_kwarg(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err)
{
    kwargs_ctx *k = self;
    if (depth == 1 && tn_str_is(tn_val_as_str(path[0]), "column_name")) {
        *ret = tn_val_str(text);
        return TN_OK;
    }
    if (looks_like_call(text)) {
        text = tn_str_printf(k->c->arena, "{{ " TN_STR_FMT " }}", TN_STR_ARG(text));
    }
    return tn_pctx_render_native(k->c, text, k->src, ret, err);
}

tn_rc tn_test_kwargs(tn_pctx *c, tn_val *ret, tn_err *err)
{
    if (!c->state->test_kwargs_made) {
        c->state->test_kwargs_made = true; /* before: rendering them asks again */
        kwargs_ctx k = { c, { tn_str_z(c->arena, c->node->original_file_path), 0 } };
        tn_val kwargs = { .tag = TN_DICT, .dict = c->node->test->kwargs };
        tn_rc rc = tn_value_render(c->arena, kwargs, render_kwarg, &k, &c->state->test_kwargs, err);
        c->state->test_kwargs_made = rc == TN_OK;
        TN_TRY(rc);
    }
    *ret = c->state->test_kwargs;
    return TN_OK;
}
