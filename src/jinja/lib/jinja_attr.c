/* jinja_attr.c: x.name, x[key] and iteration, in Jinja2's order:
 *
 *   x.name    the attribute or method, then the item        x['name']  the item, then the attribute
 *
 * What has neither is undefined, with a message that says of what; only using it is an error.
 */
#include "jinja/lib/jinja_builtin.h"
#include "jinja/value/jinja_registry.h"

/* ---- x.name ---- */

/* The attribute or method, or undefined. */
static tn_rc attr_of(tn_jinja_ctx *ctx, tn_val v, tn_str name, tn_val *ret, tn_err *err)
{
    *ret = TN_VAL_UNDEF;
    bool keys = v.tag == TN_OBJ && v.obj->type->is_mapping;
    if (name.n > 0 && name.p[0] == '_' && !keys) { /* the sandbox: private names are not there */
        return TN_OK;
    }
    if (v.tag != TN_OBJ) {
        return tn_jinja_method(ctx, v, name, ret, err);
    }
    return v.obj->type->attr != NULL ? v.obj->type->attr(v.obj, ctx->arena, name, ret, err) : TN_OK;
}

static bool index_of(tn_val key, size_t n, size_t *ret)
{
    if (key.tag != TN_INT && key.tag != TN_BOOL) {
        return false;
    }
    int64_t i = key.i < 0 ? key.i + (int64_t)n : key.i;
    *ret = (size_t)i;
    return i >= 0 && i < (int64_t)n;
}

/* The item, or undefined. */
static tn_rc item_of(tn_jinja_ctx *ctx, tn_val v, tn_val key, tn_val *ret, tn_err *err)
{
    *ret = TN_VAL_UNDEF;
    size_t i = 0;
    if (v.tag == TN_DICT) {
        const tn_val *found = tn_val_hashable(key) ? tn_dict_find(v.dict, key) : NULL;
        if (found != NULL) {
            *ret = *found;
        }
    } else if (tn_val_is_seq(v)) {
        if (index_of(key, v.list->n, &i)) {
            *ret = v.list->v[i];
        }
    } else if (tn_val_is_str(v)) {
        tn_str s = tn_val_as_str(v);
        if (index_of(key, tn_utf8_len(s), &i)) {
            size_t from = tn_utf8_offset(s, i);
            *ret =
                tn_val_str(tn_str_sub(s, from, tn_utf8_offset(tn_str_sub(s, from, s.n), 1) + from));
        }
    } else if (v.tag == TN_OBJ && v.obj->type->item != NULL) {
        return v.obj->type->item(v.obj, ctx->arena, key, ret, err);
    }
    return TN_OK;
}

/* Undefined values have no attributes; in chain mode (dbt's parsing) they are undefined again. */
static tn_rc undef_attr(tn_jinja_ctx *ctx, tn_val v, tn_val key, tn_val *ret, tn_err *err)
{
    if (!ctx->env->opts.undefined_chain) {
        return tn_jinja_undef_fail(v, err);
    }
    *ret = tn_val_is_str(key) ? tn_val_undef(tn_val_as_str(key)) : v;
    if (tn_str_is(tn_val_as_str(key), "name") && (v.flags & TN_UNDEF_HINT) == 0) {
        *ret = tn_val_str(tn_val_as_str(v)); /* an attribute that dbt's own undefined values have */
    }
    return TN_OK;
}

tn_rc tn_jinja_get_attr(tn_jinja_ctx *ctx, tn_val v, tn_str name, tn_val *ret, tn_err *err)
{
    tn_val got = TN_VAL_UNDEF;
    if (v.tag == TN_UNDEF) {
        return undef_attr(ctx, v, tn_val_str(name), ret, err);
    }
    TN_TRY(attr_of(ctx, v, name, &got, err));
    if (got.tag == TN_UNDEF && got.flags == 0 && (v.tag == TN_DICT || v.tag == TN_OBJ)) {
        TN_TRY(item_of(ctx, v, tn_val_str(name), &got, err));
    }
    *ret = got.tag == TN_UNDEF && got.flags == 0 ? tn_jinja_undef_attr(ctx, v, name) : got;
    return TN_OK;
}

tn_rc tn_jinja_get_item(tn_jinja_ctx *ctx, tn_val v, tn_val key, tn_val *ret, tn_err *err)
{
    tn_val got = TN_VAL_UNDEF;
    if (v.tag == TN_UNDEF) {
        return ctx->env->opts.undefined_chain ? (*ret = v, TN_OK) : tn_jinja_undef_fail(v, err);
    }
    if (key.tag == TN_UNDEF &&
        v.tag != TN_DICT) { /* no index, but no error either: like any key that is not there */
        *ret = tn_jinja_undef_item(ctx, v, key);
        return TN_OK;
    }
    TN_TRY(item_of(ctx, v, key, &got, err));
    if (got.tag == TN_UNDEF && got.flags == 0 && tn_val_is_str(key)) {
        TN_TRY(attr_of(ctx, v, tn_val_as_str(key), &got, err));
    }
    *ret = got.tag == TN_UNDEF && got.flags == 0 ? tn_jinja_undef_item(ctx, v, key) : got;
    return TN_OK;
}

/* ---- iteration ---- */

/* A list of the elements; for a list or tuple, itself. */
tn_rc tn_jinja_iterate(tn_jinja_ctx *ctx, tn_val v, tn_val *ret, tn_err *err)
{
    return tn_jlib_list_of(ctx->arena, v, ret, err);
}
