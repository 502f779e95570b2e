/* jinja_methods.c: from a value's type and a name to a bound method or an attribute. The methods are in jinja_methods_*.c. */
#include "base/buf.h"
#include "jinja/lib/jinja_builtin.h"
#include "jinja/time/jinja_datetime.h"

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
