/* jinja_undef.c: undefined values: how one is made, and what is said where one is used. */
#include "jinja/value/jinja_op.h"

tn_val tn_jinja_undef_hint(tn_str message)
{
    tn_val v = tn_val_undef(message);
    v.flags = TN_UNDEF_HINT;
    return v;
}

tn_rc tn_jinja_undef_fail(tn_val v, tn_err *err)
{
    tn_str s = tn_val_as_str(v);
    if ((v.flags & TN_UNDEF_HINT) != 0) {
        return tn_fail(err, TN_E_NAME, TN_STR_FMT, TN_STR_ARG(s));
    }
    if (v.aux == 0) {
        return tn_fail(err, TN_E_NAME, "'" TN_STR_FMT "' is undefined", TN_STR_ARG(s));
    }
    tn_val of = { .tag = (uint8_t)(v.aux - 1) };
    bool none = of.tag == TN_NONE, elem = (v.flags & TN_UNDEF_ELEM) != 0;
    const char *type = none ? "None" : tn_val_type_name(of), *object = none ? "" : " object";
    return elem ? tn_fail(err, TN_E_NAME, "%s%s has no element " TN_STR_FMT, type, object,
                      TN_STR_ARG(s))
                : tn_fail(err, TN_E_NAME, "'%s%s' has no attribute '" TN_STR_FMT "'", type, object,
                      TN_STR_ARG(s));
}

tn_val tn_jinja_undef_attr(tn_jinja_ctx *ctx, tn_val of, tn_str name)
{
    if (of.tag == TN_OBJ) { /* its type's name is not in the tag */
        return tn_jinja_undef_hint(
            tn_str_printf(ctx->arena, "'%s object' has no attribute '" TN_STR_FMT "'",
                tn_val_type_name(of), TN_STR_ARG(name)));
    }
    tn_val v = tn_val_undef(name);
    v.aux = (uint16_t)(of.tag + 1);
    return v;
}

tn_val tn_jinja_undef_item(tn_jinja_ctx *ctx, tn_val of, tn_val key)
{
    if (tn_val_is_str(key)) {
        return tn_jinja_undef_attr(ctx, of, tn_val_as_str(key));
    }
    tn_str repr = tn_val_to_repr(ctx->arena, key);
    if (of.tag == TN_OBJ) {
        return tn_jinja_undef_hint(tn_str_printf(ctx->arena, "%s object has no element " TN_STR_FMT,
            tn_val_type_name(of), TN_STR_ARG(repr)));
    }
    tn_val v = tn_val_undef(repr);
    v.aux = (uint16_t)(of.tag + 1);
    v.flags = TN_UNDEF_ELEM;
    return v;
}
