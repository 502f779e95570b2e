/* result_object.c: an entry of `results` in the hooks at the end: dbt's RunResult, whose node and timings are objects too. Each has its parts as
 * attributes and to_dict(), which packages call to keep them.
 */
#include "run/report/runner.h"

typedef struct result_object {
    tn_obj base;
    tn_val parts; /* dict */
} result_object;

static const tn_obj_type result_type;

static tn_val object_of(tn_arena *a, tn_val parts)
{
    result_object *o = tn_new(a, result_object);
    *o = (result_object){ { &result_type }, parts };
    return tn_val_obj(&o->base);
}

static tn_rc to_dict(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "omit_none", "validate", NULL };
    TN_TRY(tn_call_check(call, "to_dict", 0, 2, names, err));
    bool omit = tn_val_truthy(tn_call_arg(call, 0, "omit_none"));
    tn_val all = tn_val_dup(call->arena, ((const result_object *)self)->parts);
    *ret = omit ? tn_val_dict(call->arena) : all;
    size_t at = 0;
    const tn_dict_item *it;
    while (omit && (it = tn_dict_next(all.dict, &at)) != NULL) {
        if (!tn_val_is_none(it->value)) {
            tn_dict_put(ret->dict, it->key, it->value);
        }
    }
    return TN_OK;
}

static tn_rc attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const tn_val *v = tn_dict_finds(((const result_object *)self)->parts.dict, name);
    if (v == NULL) {
        *ret = tn_str_is(name, "to_dict") ? tn_val_fn(a, "to_dict", to_dict, self)
                                          : tn_val_undef(name);
    } else if (tn_str_is(name, "node") && v->tag == TN_DICT) {
        *ret = object_of(a, *v);
    } else if (tn_str_is(name, "timing") && v->tag == TN_LIST) {
        *ret = tn_val_list(a);
        for (size_t i = 0; i < v->list->n; i++) {
            tn_list_push(ret->list, object_of(a, v->list->v[i]));
        }
    } else {
        *ret = *v;
    }
    return TN_OK;
}

static void repr(tn_obj *self, tn_buf *b)
{
    tn_val_repr_to(b, ((const result_object *)self)->parts);
}

static tn_val dup(tn_obj *self, tn_arena *a)
{
    return object_of(a, tn_val_dup(a, ((const result_object *)self)->parts));
}

static const tn_obj_type result_type = {
    .name = "RunResult", .attr = attr, .str = repr, .repr = repr, .dup = dup
};

tn_val tn_result_object(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    tn_val parts = tn_node_result_val(run, a, r), node = tn_node_dict(a, r->node);
    if (r->compiled_code.p != NULL && r->node->kind != TN_NODE_SEED) {
        tn_dict_putz(node.dict, "compiled", TN_VAL_TRUE);
        tn_dict_putz(node.dict, "compiled_code", tn_val_str(r->compiled_code));
    }
    tn_dict_putz(parts.dict, "node", node);
    return object_of(a, parts);
}
