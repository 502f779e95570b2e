/* jinja_bind.c: a method of a value as a value that can be called, and finding one in a table. */
#include "base/buf.h"
#include "jinja/value/jinja_lib.h"

typedef struct bound_method {
    tn_obj base;
    const tn_jlib_method *method;
    tn_val self;
} bound_method;

static tn_rc call_bound(tn_obj *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    const bound_method *m = (const bound_method *)self;
    if (m->method->max != SIZE_MAX) { /* SIZE_MAX: the method takes whatever comes */
        TN_TRY(tn_call_check(
            c, m->method->name, m->method->min, m->method->max, m->method->names, err));
    }
    tn_val r = TN_VAL_NONE;
    TN_TRY(m->method->fn(m->self, c, &r, err));
    if (m->self.tag == TN_STR_V && r.tag == TN_STR_V && (m->self.flags & TN_VF_SAFE)) {
        r.flags |= TN_VF_SAFE; /* methods of Markup give Markup */
    }
    *ret = r;
    return TN_OK;
}

static void bound_str(tn_obj *self, tn_buf *b)
{
    const bound_method *m = (const bound_method *)self;
    tn_buf_addf(b, "<built-in method %s of %s object at %p>", m->method->name,
        tn_val_type_name(m->self), (void *)self);
}

static const tn_obj_type BOUND = {
    .name = "builtin_function_or_method", .call = call_bound, .str = bound_str
};

tn_val tn_jlib_bind(tn_arena *a, const tn_jlib_method *method, tn_val self)
{
    bound_method *m = tn_new(a, bound_method);
    m->base.type = &BOUND;
    m->method = method;
    m->self = self;
    return tn_val_obj(&m->base);
}

bool tn_jlib_bind_named(
    tn_arena *a, const tn_jlib_method *table, tn_str name, tn_val self, tn_val *ret)
{
    for (const tn_jlib_method *m = table; m->name != NULL; m++) {
        if (m->name[0] == (name.n > 0 ? name.p[0] : 0) && tn_str_is(name, m->name)) {
            *ret = tn_jlib_bind(a, m, self);
            return true;
        }
    }
    return false;
}
