/* jinja_invoke.c: the calls that C code makes, and what is running. */
#include "jinja/state/jinja_run.h"

tn_rc tn_jinja_call_value(
    tn_jinja_ctx *ctx, tn_val fn, const tn_call *call, tn_val *ret, tn_err *err)
{
    if (fn.tag == TN_OBJ && fn.obj->type->call != NULL) {
        return fn.obj->type->call(fn.obj, call, ret, err);
    }
    if (fn.tag == TN_UNDEF) {
        return ctx->env->opts.undefined_chain ? (*ret = fn, TN_OK) : tn_jinja_undef_fail(fn, err);
    }
    return tn_fail(err, TN_E_TYPE, "'%s' object is not callable", tn_val_type_name(fn));
}

tn_rc tn_jinja_return(tn_jinja_ctx *ctx, tn_val v)
{
    TN_CHECK(ctx->state != NULL); /* called from a function that a template calls */
    ctx->state->returned = v;
    return TN_E_RETURN;
}

tn_rc tn_jinja_call(tn_jinja_ctx *ctx, tn_val fn, const tn_val *args, size_t argc,
    const tn_kwarg *kw, size_t kwc, tn_val *ret, tn_err *err)
{
    tn_call call = {
        .arena = ctx->arena, .interp = ctx, .args = args, .argc = argc, .kwargs = kw, .kwargc = kwc
    };
    TN_TRY(tn_jinja_enter(ctx, err));
    tn_rc rc = tn_jinja_call_value(ctx, fn, &call, ret, err);
    tn_jinja_leave(ctx);
    return rc;
}

/* ---- what is running ---- */

tn_str tn_jinja_macro_running(tn_jinja_ctx *ctx, size_t depth)
{
    for (const tn_jrun *r = ctx->state != NULL ? ctx->state->top : NULL; r != NULL; r = r->up) {
        if (r->macro != NULL && !r->macro->is_caller && depth-- == 0) {
            return r->macro->name;
        }
    }
    return TN_STR("");
}

int tn_jinja_line_running(tn_jinja_ctx *ctx)
{
    const tn_jrun *r = ctx->state != NULL ? ctx->state->top : NULL;
    return r != NULL ? tn_jinja_place(r->tmpl, r->pos).line : 0;
}
