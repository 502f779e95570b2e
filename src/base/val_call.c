/* val_call.c: function and module objects, and reading a call's arguments. */
#include "base/val.h"

typedef struct fn_obj {
    tn_obj base;
    const char *name;
    tn_call_fn fn;
    void *self;
} fn_obj;

static tn_rc fn_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    fn_obj *f = (fn_obj *)self;
    return f->fn(f->self, call, ret, err);
}

static void fn_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addf(b, "<function %s>", ((fn_obj *)self)->name);
}

static tn_rc fn_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a;
    (void)err;
    *ret = tn_str_is(name, "__name__") ? tn_val_z(((fn_obj *)self)->name) : tn_val_undef(name);
    return TN_OK;
}

static const tn_obj_type fn_type = {
    .name = "function", .call = fn_call, .str = fn_str, .attr = fn_attr
};

tn_val tn_val_fn(tn_arena *a, const char *name, tn_call_fn fn, void *self)
{
    fn_obj *f = tn_new(a, fn_obj);
    *f = (fn_obj){ .base = { &fn_type }, .name = name, .fn = fn, .self = self };
    return tn_val_obj(&f->base);
}

typedef struct module_obj {
    tn_obj base;
    const char *name;
    tn_dict *members;
} module_obj;

static tn_rc module_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a;
    (void)err;
    const tn_val *v = tn_dict_finds(((module_obj *)self)->members, name);
    *ret = v != NULL ? *v : tn_val_undef(name);
    return TN_OK;
}

static void module_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addf(b, "<module '%s'>", ((module_obj *)self)->name);
}

static const tn_obj_type module_type = { .name = "module", .attr = module_attr, .str = module_str };

tn_val tn_val_module(tn_arena *a, const char *name, tn_dict *members)
{
    module_obj *m = tn_new(a, module_obj);
    *m = (module_obj){ .base = { &module_type }, .name = name, .members = members };
    return tn_val_obj(&m->base);
}

static const tn_val *find_arg(const tn_call *c, size_t place, const char *name)
{
    if (place < c->argc) {
        return &c->args[place];
    }
    for (size_t i = 0; name != NULL && i < c->kwargc; i++) {
        if (tn_str_is(c->kwargs[i].name, name)) {
            return &c->kwargs[i].value;
        }
    }
    return NULL;
}

tn_val tn_call_arg(const tn_call *c, size_t place, const char *name)
{
    const tn_val *v = find_arg(c, place, name);
    return v != NULL ? *v : TN_VAL_UNDEF;
}

bool tn_call_has(const tn_call *c, size_t place, const char *name)
{
    return find_arg(c, place, name) != NULL;
}

tn_rc tn_call_check(
    const tn_call *c, const char *fn, size_t min, size_t max, const char *const *names, tn_err *err)
{
    if (c->argc > max) {
        return tn_fail(err, TN_E_TYPE,
            "%s() takes at most %zu positional arguments but %zu were given", fn, max, c->argc);
    }
    for (size_t i = 0; i < c->kwargc; i++) {
        size_t k = 0;
        while (names != NULL && names[k] != NULL && !tn_str_is(c->kwargs[i].name, names[k])) {
            k++;
        }
        if (names == NULL || names[k] == NULL) {
            return tn_fail(err, TN_E_TYPE,
                "%s() got an unexpected keyword argument '" TN_STR_FMT "'", fn,
                TN_STR_ARG(c->kwargs[i].name));
        }
        if (k < c->argc) {
            return tn_fail(
                err, TN_E_TYPE, "%s() got multiple values for argument '%s'", fn, names[k]);
        }
    }
    for (size_t k = 0; k < min; k++) {
        if (find_arg(c, k, names != NULL ? names[k] : NULL) == NULL) {
            return tn_fail(err, TN_E_TYPE, "%s() missing required argument '%s'", fn,
                names != NULL ? names[k] : "value");
        }
    }
    return TN_OK;
}
