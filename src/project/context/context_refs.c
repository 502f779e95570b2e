/* context_refs.c: ref, source, metric, function, config and builtins: the members that say what a node depends on.
 *
 * At parse they are noted in the context's record and give a stand-in relation. At execution they find the node, check that the parse
 * had seen it, and hand it to the hooks, which make a relation of it.
 */
#include "project/context/context_priv.h"

/* Where names go: what the parse pass notes lives with the project; execution must not touch the project, which other threads read. */
static tn_arena *keep_arena(const tn_pctx *c)
{
    return c->execute ? c->arena : c->project->arena;
}

/* ---- ref ---- */

static tn_rc ref_args(const tn_call *call, tn_ref *ret, tn_err *err)
{
    tn_pctx *c = tn_pctx_of(call);
    if (call->argc < 1 || call->argc > 2) {
        return tn_fail(
            err, TN_E_COMPILE, "ref() takes one or two arguments (%zu given)", call->argc);
    }
    *ret = (tn_ref){ .version = TN_VAL_UNDEF };
    for (size_t i = 0; i < call->argc; i++) {
        if (!tn_val_is_str(call->args[i])) {
            return tn_fail(err, TN_E_COMPILE, "The name argument to ref() must be a string, got %s",
                tn_val_type_name(call->args[i]));
        }
    }
    ret->name = tn_str_dup(keep_arena(c), tn_val_as_str(call->args[call->argc - 1]));
    if (call->argc == 2) {
        ret->package = tn_str_dup(keep_arena(c), tn_val_as_str(call->args[0]));
    }
    for (size_t i = 0; i < call->kwargc; i++) {
        if (tn_str_is(call->kwargs[i].name, "version") || tn_str_is(call->kwargs[i].name, "v")) {
            tn_val v = call->kwargs[i].value;
            ret->version = tn_val_is_none(v) ? TN_VAL_UNDEF : tn_val_dup(keep_arena(c), v);
        } else {
            return tn_fail(err, TN_E_COMPILE,
                "ref() got an unexpected keyword argument '" TN_STR_FMT "'",
                TN_STR_ARG(call->kwargs[i].name));
        }
    }
    return TN_OK;
}

static bool is_parent(const tn_node *n, const tn_node *target)
{
    for (size_t i = 0; i < n->parents.n; i++) {
        if (n->parents.v[i] == target) {
            return true;
        }
    }
    return false;
}

static tn_rc unseen_ref(const tn_pctx *c, const char *what, tn_str call, tn_err *err)
{
    return tn_fail(err, TN_E_COMPILE,
        "dbt was unable to infer all dependencies for the model \"" TN_STR_FMT
        "\".\nThis typically happens when ref() is placed within a conditional block.\n\nTo fix "
        "this, add the following hint to the top of the "
        "model \"" TN_STR_FMT "\":\n\n-- depends_on: {{ %s(" TN_STR_FMT ") }}",
        TN_STR_ARG(c->node->name), TN_STR_ARG(c->node->name), what, TN_STR_ARG(call));
}

static tn_val place_holder(tn_pctx *c)
{
    if (c->node != NULL) {
        return tn_stub_relation(
            c->arena, c->project, c->node->database, c->node->schema, c->node->alias);
    }
    return tn_stub_relation(
        c->arena, c->project, c->project->profile.database, c->project->profile.schema, TN_STR(""));
}

static tn_rc run_ref(tn_pctx *c, const tn_ref *ref, tn_val *ret, tn_err *err)
{
    tn_node *off = NULL;
    tn_node *target =
        tn_project_find_ref(c->project, c->package, ref->package, ref->name, ref->version, &off);
    if (target == NULL) {
        if (c->node != NULL) {
            return tn_find_node_error(
                c->project, c->node, TN_STR("node"), ref->name, off != NULL, err);
        }
        return tn_fail(err, TN_E_COMPILE, "ref('" TN_STR_FMT "'): there is no such node",
            TN_STR_ARG(ref->name));
    }
    bool loose =
        c->node == NULL || c->node->kind == TN_NODE_OPERATION || c->node->index == UINT32_MAX;
    if (!loose && c->node != target && !is_parent(c->node, target)) {
        tn_str text = ref->package.n > 0
                          ? tn_str_printf(c->arena, "'" TN_STR_FMT "', '" TN_STR_FMT "'",
                                TN_STR_ARG(ref->package), TN_STR_ARG(ref->name))
                          : tn_str_printf(c->arena, "'" TN_STR_FMT "'", TN_STR_ARG(ref->name));
        return unseen_ref(c, "ref", text, err);
    }
    if (c->hooks != NULL && c->hooks->ref != NULL) {
        return c->hooks->ref(c, target, ret, err);
    }
    *ret = tn_stub_relation(c->arena, c->project, target->database, target->schema, target->alias);
    return TN_OK;
}

static tn_rc fn_ref(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_pctx *c = tn_pctx_of(call);
    tn_ref ref;
    TN_TRY(ref_args(call, &ref, err));
    if (c->execute) {
        return run_ref(c, &ref, ret, err);
    }
    if (c->record != NULL) {
        tn_vec_push(&c->record->refs, c->record->arena, ref); /* doubles stay, as in dbt */
    }
    *ret = place_holder(c);
    return TN_OK;
}

/* ---- source ---- */

static tn_rc run_source(tn_pctx *c, tn_str source, tn_str table, tn_val *ret, tn_err *err)
{
    tn_node *off = NULL;
    tn_node *target = tn_project_find_source(c->project, c->package, source, table, &off);
    if (target == NULL) {
        tn_str full = tn_str_printf(
            c->arena, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(source), TN_STR_ARG(table));
        if (c->node != NULL) {
            return tn_find_node_error(
                c->project, c->node, TN_STR("source"), full, off != NULL, err);
        }
        return tn_fail(err, TN_E_COMPILE, "there is no source '" TN_STR_FMT "'", TN_STR_ARG(full));
    }
    if (c->hooks != NULL && c->hooks->source != NULL) {
        return c->hooks->source(c, target, ret, err);
    }
    *ret = tn_stub_relation(c->arena, c->project, target->database, target->schema, target->alias);
    return TN_OK;
}

static tn_rc fn_source(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_pctx *c = tn_pctx_of(call);
    if (call->argc != 2) {
        return tn_fail(
            err, TN_E_COMPILE, "source() takes exactly two arguments (%zu given)", call->argc);
    }
    if (!tn_val_is_str(call->args[0]) || !tn_val_is_str(call->args[1])) {
        return tn_fail(err, TN_E_COMPILE,
            "The source name and table name arguments to source() must be strings");
    }
    tn_str source = tn_str_dup(keep_arena(c), tn_val_as_str(call->args[0]));
    tn_str table = tn_str_dup(keep_arena(c), tn_val_as_str(call->args[1]));
    if (c->execute) {
        return run_source(c, source, table, ret, err);
    }
    if (c->record != NULL) {
        tn_source_ref s = { source, table };
        tn_vec_push(&c->record->sources, c->record->arena, s);
    }
    *ret = place_holder(c);
    return TN_OK;
}

/* ---- metric ---- */

static tn_rc run_metric(tn_pctx *c, const tn_ref *r, tn_val *ret, tn_err *err)
{
    const tn_project *p = c->project;
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (n->kind == TN_NODE_METRIC && tn_str_eq(n->name, r->name) &&
            (r->package.n == 0 || tn_str_eq(n->package_name, r->package))) {
            *ret = tn_metric_node_ref(c->arena, n);
            return TN_OK;
        }
    }
    return c->node != NULL
               ? tn_find_node_error(p, c->node, TN_STR("metric"), r->name, false, err)
               : tn_fail(err, TN_E_COMPILE, "metric('" TN_STR_FMT "'): there is no such metric",
                     TN_STR_ARG(r->name));
}

/* The one or two names of metric() and function(). */
static tn_rc named_call(const tn_call *call, const char *what, tn_ref *ret, tn_err *err)
{
    tn_pctx *c = tn_pctx_of(call);
    *ret = (tn_ref){ .version = TN_VAL_UNDEF };
    if (call->argc < 1 || call->argc > 2) {
        return tn_fail(
            err, TN_E_COMPILE, "%s() takes at most two arguments (%zu given)", what, call->argc);
    }
    for (size_t i = 0; i < call->argc; i++) {
        if (!tn_val_is_str(call->args[i])) {
            return tn_fail(err, TN_E_COMPILE, "The name argument to %s() must be a string, got %s",
                what, tn_val_type_name(call->args[i]));
        }
    }
    ret->name = tn_str_dup(keep_arena(c), tn_val_as_str(call->args[call->argc - 1]));
    if (call->argc == 2) {
        ret->package = tn_str_dup(keep_arena(c), tn_val_as_str(call->args[0]));
    }
    return TN_OK;
}

static tn_rc fn_metric(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_pctx *c = tn_pctx_of(call);
    tn_ref m;
    TN_TRY(named_call(call, "metric", &m, err));
    if (c->execute) {
        return run_metric(c, &m, ret, err);
    }
    if (c->record != NULL) {
        tn_vec_push(&c->record->metrics, c->record->arena, m);
    }
    *ret = tn_metric_name_ref(c->arena, m.package, m.name);
    return TN_OK;
}

/* ---- function ---- */

static tn_rc run_function(tn_pctx *c, const tn_ref *f, tn_val *ret, tn_err *err)
{
    tn_node *off = NULL;
    tn_node *target = tn_project_find_function(c->project, c->package, f->package, f->name, &off);
    if (target == NULL) {
        if (c->node != NULL) {
            return tn_find_node_error(
                c->project, c->node, TN_STR("function"), f->name, off != NULL, err);
        }
        return tn_fail(err, TN_E_COMPILE, "function('" TN_STR_FMT "'): there is no such function",
            TN_STR_ARG(f->name));
    }
    if (c->hooks != NULL && c->hooks->function != NULL) {
        return c->hooks->function(c, target, ret, err);
    }
    *ret = tn_stub_relation(c->arena, c->project, target->database, target->schema, target->alias);
    return TN_OK;
}

static tn_rc fn_function(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_pctx *c = tn_pctx_of(call);
    tn_ref f;
    TN_TRY(named_call(call, "function", &f, err));
    if (c->execute) {
        return run_function(c, &f, ret, err);
    }
    if (c->record != NULL) {
        tn_vec_push(&c->record->functions, c->record->arena, f); /* doubles stay, as in dbt */
    }
    *ret = place_holder(c);
    return TN_OK;
}

/* ---- config ---- */

static tn_rc config_set_all(tn_pctx *c, const tn_call *call, tn_err *err)
{
    tn_val opts = tn_val_dict(c->project->arena);
    if (call->argc == 1 && call->kwargc == 0 && call->args[0].tag == TN_DICT) {
        opts = tn_val_dup(c->project->arena, call->args[0]);
    } else if (call->argc == 0 && call->kwargc > 0) {
        for (size_t i = 0; i < call->kwargc; i++) {
            tn_dict_puts(opts.dict, tn_str_dup(c->project->arena, call->kwargs[i].name),
                tn_val_dup(c->project->arena, call->kwargs[i].value));
        }
    } else {
        return tn_fail(err, TN_E_COMPILE, "Invalid inline model config");
    }
    TN_TRY(tn_config_call_check(opts.dict, err));
    if (c->record != NULL) {
        tn_config_call_merge(c->record->arena, c->record->config_call, opts.dict);
    }
    return TN_OK;
}

static tn_rc config_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_pctx *c = tn_pctx_of(call);
    if (!c->execute) {
        TN_TRY(config_set_all(c, call, err));
    }
    *ret = tn_val_z("");
    return TN_OK;
}

/* dbt's own columns of a snapshot's table: the names that its config gives, else theirs. */
static tn_val snapshot_columns(tn_arena *a, tn_val config)
{
    static const char *const names[] = { "dbt_valid_from", "dbt_valid_to", "dbt_scd_id",
        "dbt_updated_at", "dbt_is_deleted" };
    tn_val out = tn_val_dict(a), given = tn_val_at(config, "snapshot_meta_column_names");
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        tn_dict_putz(
            out.dict, names[i], tn_val_str(tn_val_str_at(given, names[i], tn_str_of(names[i]))));
    }
    return out;
}

/* The value as execution sees it: c->model's config when run has put one there, else the node's. */
static tn_val config_find(tn_pctx *c, tn_str key)
{
    tn_val config = tn_val_at(c->model, "config");
    const tn_dict *d = config.tag == TN_DICT ? config.dict
                       : c->node != NULL     ? c->node->config
                                             : NULL;
    const tn_val *v = d != NULL ? tn_dict_finds(d, key) : NULL;
    if (v == NULL && d != NULL && tn_str_is(key, "pre_hook")) {
        v = tn_dict_finds(d, TN_STR("pre-hook"));
    } else if (v == NULL && d != NULL && tn_str_is(key, "post_hook")) {
        v = tn_dict_finds(d, TN_STR("post-hook"));
    } else if (v == NULL && tn_str_is(key, "snapshot_table_column_names") && c->node != NULL &&
               c->node->kind == TN_NODE_SNAPSHOT) {
        return snapshot_columns(c->arena, config);
    }
    return v != NULL ? *v : TN_VAL_UNDEF;
}

/* get: a config that dbt knows for the kind is there with None, which is not the default; others give the default. */
static tn_rc config_get(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "name", "default", "validator", NULL };
    TN_TRY(tn_call_check(call, "config.get", 1, 3, names, err));
    tn_pctx *c = tn_pctx_of(call);
    if (!c->execute) {
        *ret = tn_val_z("");
        return TN_OK;
    }
    tn_str name = tn_val_as_str(tn_call_arg(call, 0, "name"));
    tn_val v = self != NULL ? tn_val_at(config_find(c, TN_STR("meta")), tn_str_z(c->arena, name))
                            : config_find(c, name);
    if (tn_val_is_undef(v)) {
        v = tn_call_arg(call, 1, "default");
    }
    *ret = tn_val_is_undef(v) ? TN_VAL_NONE : v;
    return TN_OK;
}

static tn_rc config_require(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "name", "validator", NULL };
    TN_TRY(tn_call_check(call, "config.require", 1, 2, names, err));
    tn_pctx *c = tn_pctx_of(call);
    if (!c->execute) {
        *ret = tn_val_z("");
        return TN_OK;
    }
    tn_str name = tn_val_as_str(tn_call_arg(call, 0, "name"));
    tn_val v = self != NULL ? tn_val_at(config_find(c, TN_STR("meta")), tn_str_z(c->arena, name))
                            : config_find(c, name);
    if (tn_val_is_undef(v)) {
        return tn_fail(err, TN_E_COMPILE,
            "Model '" TN_STR_FMT "' does not define a required config parameter '" TN_STR_FMT "'.",
            TN_STR_ARG(c->node != NULL ? c->node->unique_id : TN_STR("")), TN_STR_ARG(name));
    }
    *ret = v;
    return TN_OK;
}

static tn_rc config_set(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "name", "value", NULL };
    TN_TRY(tn_call_check(call, "config.set", 2, 2, names, err));
    tn_pctx *c = tn_pctx_of(call);
    if (!c->execute && c->record != NULL) {
        tn_val d = tn_val_dict(c->project->arena);
        tn_dict_puts(d.dict,
            tn_str_dup(c->project->arena, tn_val_as_str(tn_call_arg(call, 0, "name"))),
            tn_val_dup(c->project->arena, tn_call_arg(call, 1, "value")));
        tn_config_call_merge(c->record->arena, c->record->config_call, d.dict);
    }
    *ret = tn_val_z("");
    return TN_OK;
}

/* self: NULL for relation docs, else for column docs. */
static tn_rc config_persist(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_pctx *c = tn_pctx_of(call);
    if (!c->execute) {
        *ret = TN_VAL_FALSE;
        return TN_OK;
    }
    tn_val docs = config_find(c, TN_STR("persist_docs"));
    if (tn_val_is_given(docs) && docs.tag != TN_DICT) {
        return tn_fail(err, TN_E_COMPILE,
            "Invalid value provided for 'persist_docs'. Expected dict but received %s",
            tn_val_type_name(docs));
    }
    tn_val v = tn_val_at(docs, self != NULL ? "columns" : "relation");
    *ret = tn_val_is_undef(v) ? TN_VAL_FALSE : v;
    return TN_OK;
}

static char config_flag; /* its address says "the other variant" */

static tn_rc config_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    static const struct {
        const char *name;
        tn_call_fn fn;
        void *self;
    } methods[] = { { "get", config_get, NULL }, { "require", config_require, NULL },
        { "set", config_set, NULL }, { "meta_get", config_get, &config_flag },
        { "meta_require", config_require, &config_flag },
        { "persist_relation_docs", config_persist, NULL },
        { "persist_column_docs", config_persist, &config_flag } };
    for (size_t i = 0; i < TN_COUNTOF(methods); i++) {
        if (tn_str_is(name, methods[i].name)) {
            *ret = tn_val_fn(a, methods[i].name, methods[i].fn, methods[i].self);
            return TN_OK;
        }
    }
    *ret = tn_val_undef(name);
    return TN_OK;
}

static const tn_obj_type config_type = {
    .name = "RuntimeConfigObject", .call = config_call, .attr = config_attr
};

tn_val tn_context_config(tn_project *p)
{
    tn_obj *o = tn_new(p->arena, tn_obj);
    o->type = &config_type;
    return tn_val_obj(o);
}

/* ref, source, metric and function are objects in dbt, which packages ask for the configuration: ref.config.project_name. */
typedef struct resolver {
    tn_obj base;
    tn_project *project;
    const char *name;
    tn_call_fn fn;
} resolver;

static tn_rc resolver_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    return ((const resolver *)self)->fn(NULL, call, ret, err);
}

static tn_rc resolver_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const resolver *r = (const resolver *)self;
    if (tn_str_is(name, "config")) {
        *ret = tn_context_runtime_config(a, r->project);
    } else if (tn_str_is(name, "current_project")) {
        *ret = tn_val_str(r->project->name);
    } else {
        *ret = tn_str_is(name, "__name__") ? tn_val_z(r->name) : tn_val_undef(name);
    }
    return TN_OK;
}

static void resolver_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addf(b, "<function %s>", ((const resolver *)self)->name);
}

static const tn_obj_type resolver_type = {
    .name = "function", .attr = resolver_attr, .call = resolver_call, .str = resolver_str
};

static tn_val resolver_new(tn_project *p, const char *name, tn_call_fn fn)
{
    resolver *r = tn_new(p->arena, resolver);
    *r = (resolver){ { &resolver_type }, p, name, fn };
    return tn_val_obj(&r->base);
}

void tn_context_refs(tn_project *p)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
    } functions[] = { { "ref", fn_ref }, { "source", fn_source }, { "metric", fn_metric },
        { "function", fn_function } };
    tn_val builtins = tn_val_dict(p->arena);
    for (size_t i = 0; i < TN_COUNTOF(functions); i++) {
        tn_val *slot = tn_new(p->arena, tn_val);
        *slot = resolver_new(p, functions[i].name, functions[i].fn);
        tn_map_put(&p->state->members, tn_str_of(functions[i].name), slot);
        tn_dict_putz(builtins.dict, functions[i].name, *slot);
    }
    tn_dict_putz(builtins.dict, "config", tn_context_config(p));
    tn_val *slot = tn_new(p->arena, tn_val);
    *slot = builtins;
    tn_map_put(&p->state->members, TN_STR("builtins"), slot);
}
