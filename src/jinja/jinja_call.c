/* jinja_call.c: evaluating arguments and calling: functions, filters, tests; and the calls that C code makes. */
#include "jinja/jinja_run.h"

_Static_assert(
    sizeof(tn_kwarg) == 2 * sizeof(tn_val), "keyword arguments are taken from the value stack");

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

/* ---- arguments ---- */

/* The values of v, after the first `given` ones, and the elements of *star. */
static tn_rc eval_places(
    tn_jrun *r, const tn_jargs *args, const tn_val *first, size_t given, tn_call *call, tn_err *err)
{
    size_t n = given + args->n;
    tn_val *v = tn_jstack_take(r->st, n);
    for (size_t i = 0; i < n; i++) {
        v[i] = i < given ? first[i] : TN_VAL_NONE;
    }
    for (size_t i = 0; i < args->n; i++) {
        TN_TRY(tn_jinja_x(r, args->v[i], &v[given + i], err));
    }
    if (args->star != NULL) {
        tn_val star = TN_VAL_NONE, l = TN_VAL_NONE;
        TN_TRY(tn_jinja_x(r, args->star, &star, err));
        tn_rc rc = tn_jinja_iterate(r->ctx, star, &l, err);
        if (rc == TN_E_TYPE) {
            return tn_fail(
                err, rc, "argument after * must be an iterable, not %s", tn_val_type_name(star));
        }
        TN_TRY(rc);
        tn_val *all = tn_jstack_take(r->st, n + l.list->n);
        for (size_t i = 0; i < n + l.list->n; i++) {
            all[i] = i < n ? v[i] : l.list->v[i - n];
        }
        v = all;
        n += l.list->n;
    }
    call->args = v;
    call->argc = n;
    return TN_OK;
}

static tn_rc add_kwarg(tn_kwarg *kw, size_t *n, tn_str name, tn_val v, tn_err *err)
{
    for (size_t i = 0; i < *n; i++) {
        if (tn_str_eq(kw[i].name, name)) {
            return tn_fail(err, TN_E_TYPE,
                "got multiple values for keyword argument '" TN_STR_FMT "'", TN_STR_ARG(name));
        }
    }
    kw[(*n)++] = (tn_kwarg){ .name = name, .value = v };
    return TN_OK;
}

static tn_rc eval_keywords(
    tn_jrun *r, const tn_jargs *args, const tn_val *caller, tn_call *call, tn_err *err)
{
    tn_val more = TN_VAL_NONE;
    if (args->star2 != NULL) {
        TN_TRY(tn_jinja_x(r, args->star2, &more, err));
        if (more.tag == TN_UNDEF) {
            return tn_jinja_undef_fail(more, err);
        }
        if (more.tag != TN_DICT) {
            return tn_fail(err, TN_E_TYPE, "argument after ** must be a mapping, not %s",
                tn_val_type_name(more));
        }
    }
    size_t max = args->kwn + (caller != NULL) + (more.tag == TN_DICT ? more.dict->live : 0), n = 0;
    if (max == 0) {
        return TN_OK;
    }
    tn_kwarg *kw = (tn_kwarg *)(void *)tn_jstack_take(r->st, 2 * max);
    for (size_t i = 0; i < args->kwn; i++) {
        tn_val v = TN_VAL_NONE;
        TN_TRY(tn_jinja_x(r, args->kw[i].value, &v, err));
        TN_TRY(add_kwarg(kw, &n, args->kw[i].name, v, err));
    }
    if (caller != NULL) {
        TN_TRY(add_kwarg(kw, &n, TN_STR("caller"), *caller, err));
    }
    size_t at = 0;
    for (const tn_dict_item *it;
        more.tag == TN_DICT && n < max && (it = tn_dict_next(more.dict, &at)) != NULL;) {
        if (!tn_val_is_str(it->key)) {
            return tn_fail(err, TN_E_TYPE, "keywords must be strings");
        }
        TN_TRY(add_kwarg(kw, &n, tn_val_as_str(it->key), it->value, err));
    }
    call->kwargs = kw;
    call->kwargc = n;
    return TN_OK;
}

tn_rc tn_jinja_x_call(tn_jrun *r, const tn_jx *x, const tn_val *caller, tn_val *ret, tn_err *err)
{
    tn_jmark mark = tn_jstack_mark(r->st);
    tn_call call = { .arena = r->ctx->arena, .interp = r->ctx };
    tn_val of = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, x->call.of, &of, err));
    TN_TRY(eval_places(r, x->call.args, &of, x->kind == TN_JX_CALL ? 0 : 1, &call, err));
    TN_TRY(eval_keywords(r, x->call.args, caller, &call, err));
    r->pos = x->pos;
    TN_TRY(tn_jinja_step(r, err));
    if (x->kind == TN_JX_CALL) {
        TN_TRY(tn_jinja_call_value(r->ctx, of, &call, ret, err));
    } else if (x->call.fn != NULL) {
        TN_TRY(x->call.fn->fn(x->call.fn->self, &call, ret, err));
    } else {
        return tn_fail(err, TN_E_NAME, "No %s named '" TN_STR_FMT "' found.",
            x->kind == TN_JX_FILTER ? "filter" : "test", TN_STR_ARG(x->call.name));
    }
    tn_jstack_release(r->st, mark);
    return TN_OK;
}

/* ---- calls from C ---- */

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

static tn_rc call_builtin(tn_jinja_ctx *ctx, const tn_map *m, const char *what, tn_str name,
    const tn_val *args, size_t argc, tn_val *ret, tn_err *err)
{
    const tn_jbuiltin *b = tn_map_find(m, name);
    if (b == NULL) {
        return tn_fail(err, TN_E_NAME, "No %s named '" TN_STR_FMT "'.", what, TN_STR_ARG(name));
    }
    tn_call call = { .arena = ctx->arena, .interp = ctx, .args = args, .argc = argc };
    return b->fn(b->self, &call, ret, err);
}

tn_rc tn_jinja_call_filter(
    tn_jinja_ctx *ctx, tn_str filter, const tn_val *args, size_t argc, tn_val *ret, tn_err *err)
{
    return call_builtin(ctx, &ctx->env->filters, "filter", filter, args, argc, ret, err);
}

tn_rc tn_jinja_call_test(
    tn_jinja_ctx *ctx, tn_str test, const tn_val *args, size_t argc, bool *ret, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    TN_TRY(call_builtin(ctx, &ctx->env->tests, "test", test, args, argc, &v, err));
    *ret = tn_val_truthy(v);
    return TN_OK;
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
