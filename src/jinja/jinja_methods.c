/* jinja_methods.c: from a value's type and a name to a bound method or an attribute. The methods are in jinja_methods_*.c. */
#include "base/buf.h"
#include "jinja/jinja_lib.h"

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

static bool number_attr(tn_val v, tn_str name, tn_val *ret)
{
    if (tn_str_is(name, "real")) {
        *ret = v;
    } else if (tn_str_is(name, "imag")) {
        *ret = v.tag == TN_FLOAT ? tn_val_float(0) : tn_val_int(0);
    } else if (v.tag != TN_FLOAT && v.tag != TN_DECIMAL && tn_str_is(name, "numerator")) {
        *ret = v;
    } else if (v.tag != TN_FLOAT && v.tag != TN_DECIMAL && tn_str_is(name, "denominator")) {
        *ret = tn_val_int(1);
    } else {
        return false;
    }
    return true;
}

tn_rc tn_jinja_method(tn_jinja_ctx *ctx, tn_val v, tn_str name, tn_val *ret, tn_err *err)
{
    const tn_jlib_method *table = NULL;
    switch (v.tag) {
    case TN_STR_V:
        table = tn_jlib_str_methods;
        break;
    case TN_BYTES:
        table = tn_jlib_bytes_methods;
        break;
    case TN_LIST:
        table = tn_jlib_list_methods;
        break;
    case TN_TUPLE:
        table = tn_jlib_tuple_methods;
        break;
    case TN_DICT:
        table = tn_jlib_dict_methods;
        break;
    case TN_SET:
        table = tn_jlib_set_methods;
        break;
    case TN_BOOL:
    case TN_INT:
    case TN_BIGINT:
        table = tn_jlib_int_methods;
        break;
    case TN_FLOAT:
        table = tn_jlib_float_methods;
        break;
    case TN_DECIMAL:
        table = tn_jlib_decimal_methods;
        break;
    case TN_DATE:
    case TN_DATETIME:
    case TN_TIME:
    case TN_DELTA:
        return tn_jlib_datetime_attr(ctx->arena, v, name, ret, err);
    default:
        break;
    }
    if (table != NULL && tn_jlib_bind_named(ctx->arena, table, name, v, ret)) {
        return TN_OK;
    }
    if (tn_jlib_is_number(v) && number_attr(v, name, ret)) {
        return TN_OK;
    }
    *ret = tn_val_undef(name);
    return TN_OK;
}
