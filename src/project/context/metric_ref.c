/* metric_ref.c: what metric() gives. While a project is read a name only; when a template runs, the metric with what the manifest says of it
 * and what it is made from. The text of both is the name.
 */
#include "project/context/context_priv.h"

typedef struct metric_ref {
    tn_obj base;
    tn_arena *arena;
    tn_str name, package;
    const tn_node *node; /* NULL while the project is read */
    tn_val dict; /* the node's, made when an attribute is first asked for; before that undefined */
} metric_ref;

/* ---- what it is made from ---- */

static bool is_derived(const tn_node *n)
{
    tn_str type = tn_val_str_at(n->extra, "type", TN_STR_NONE);
    return tn_str_is(type, "derived") || tn_str_is(type, "ratio");
}

/* The metric, then those behind it, depth first. */
static void collect_metrics(tn_arena *a, const tn_node *n, tn_map *into)
{
    if (tn_map_find(into, n->name) != NULL) {
        return;
    }
    tn_map_put(into, n->name, (void *)(uintptr_t)n);
    for (size_t i = 0; i < n->parents.n; i++) {
        if (n->parents.v[i]->kind == TN_NODE_METRIC) {
            collect_metrics(a, n->parents.v[i], into);
        }
    }
}

typedef enum which { EVERY, BASE, DERIVED } which;

static tn_rc names_of(const tn_call *call, const metric_ref *m, which w, tn_val *ret, tn_err *err)
{
    TN_TRY(tn_call_check(call, "metric", 0, 0, NULL, err));
    TN_AUTO_ARENA scratch = tn_arena_new("metrics", NULL);
    tn_map all = tn_map_init(scratch);
    collect_metrics(scratch, m->node, &all);
    *ret = tn_val_list(call->arena);
    for (size_t i = 0; i < all.n; i++) {
        const tn_node *n = all.items[i].value;
        if (w == EVERY || (w == DERIVED) == is_derived(n)) {
            tn_list_push(ret->list, tn_val_str(n->name));
        }
    }
    return TN_OK;
}

static tn_rc every_name(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    return names_of(call, self, EVERY, ret, err);
}

static tn_rc base_names(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    return names_of(call, self, BASE, ret, err);
}

static tn_rc derived_names(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    return names_of(call, self, DERIVED, ret, err);
}

static void add_depths(tn_arena *a, const tn_node *n, int64_t depth, tn_list *into)
{
    if (!is_derived(n)) {
        return;
    }
    tn_val one = tn_val_dict(a);
    tn_dict_put(one.dict, tn_val_str(n->name), tn_val_int(depth));
    tn_list_push(into, one);
    for (size_t i = 0; i < n->parents.n; i++) {
        if (n->parents.v[i]->kind == TN_NODE_METRIC) {
            add_depths(a, n->parents.v[i], depth + 1, into);
        }
    }
}

/* [{name: how many steps away, 1 for itself}], of derived metrics. */
static tn_rc derived_depths(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    TN_TRY(tn_call_check(call, "metric", 0, 0, NULL, err));
    *ret = tn_val_list(call->arena);
    add_depths(call->arena, ((const metric_ref *)self)->node, 1, ret->list);
    return TN_OK;
}

/* ---- the object ---- */

static bool take_method(metric_ref *m, tn_arena *a, tn_str name, tn_val *ret)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
    } methods[] = { { "full_metric_dependency", every_name },
        { "base_metric_dependency", base_names }, { "derived_metric_dependency", derived_names },
        { "derived_metric_dependency_depth", derived_depths } };
    for (size_t i = 0; i < TN_COUNTOF(methods); i++) {
        if (tn_str_is(name, methods[i].name)) {
            *ret = tn_val_fn(a, methods[i].name, methods[i].fn, m);
            return true;
        }
    }
    return false;
}

static tn_rc metric_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    metric_ref *m = (metric_ref *)self;
    if (tn_str_is(name, "metric_name")) {
        *ret = tn_val_str(m->name);
        return TN_OK;
    }
    if (m->node == NULL) {
        bool package = tn_str_is(name, "package_name");
        *ret = !package           ? tn_val_undef(name)
               : m->package.n > 0 ? tn_val_str(m->package)
                                  : TN_VAL_NONE;
        return TN_OK;
    }
    if (take_method(m, a, name, ret)) {
        return TN_OK;
    }
    if (tn_val_is_undef(m->dict)) {
        m->dict = tn_node_dict(m->arena, m->node);
    }
    const tn_val *v = tn_dict_finds(m->dict.dict, name);
    *ret = v != NULL ? *v : tn_val_undef(name);
    return TN_OK;
}

static void metric_str(tn_obj *self, tn_buf *b)
{
    tn_buf_add(b, ((const metric_ref *)self)->name);
}

static const tn_obj_type metric_type;

static tn_val make(tn_arena *a, const metric_ref *like)
{
    metric_ref *m = tn_new(a, metric_ref);
    *m = *like;
    m->base.type = &metric_type;
    m->arena = a;
    m->dict = TN_VAL_UNDEF;
    m->name = tn_str_dup(a, like->name);
    m->package = tn_str_dup(a, like->package);
    return tn_val_obj(&m->base);
}

static tn_val metric_dup(tn_obj *self, tn_arena *a)
{
    return make(a, (const metric_ref *)self);
}

static const tn_obj_type metric_type = {
    .name = "ResolvedMetricReference", .attr = metric_attr, .str = metric_str, .dup = metric_dup
};

tn_val tn_metric_name_ref(tn_arena *a, tn_str package, tn_str name)
{
    metric_ref m = { .name = name, .package = package };
    return make(a, &m);
}

tn_val tn_metric_node_ref(tn_arena *a, const tn_node *n)
{
    metric_ref m = { .name = n->name, .package = n->package_name, .node = n };
    return make(a, &m);
}
