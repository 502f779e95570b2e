/* jinja_call.c: the calls of a template: evaluating arguments, calling functions, filters and tests. */
#include "jinja/state/jinja_run.h"

_Static_assert(
    sizeof(tn_kwarg) == 2 * sizeof(tn_val), "keyword arguments are taken from the value stack");

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
