/* jinja_registry.c: the filters, tests and globals of an environment by their names. */
#include "jinja/value/jinja_registry.h"

static void put(tn_jinja_env *e, tn_map *m, const char *name, tn_call_fn fn, void *self)
{
    tn_jbuiltin *b = tn_new(e->arena, tn_jbuiltin);
    *b = (tn_jbuiltin){ .name = tn_arena_strdup(e->arena, name), .fn = fn, .self = self };
    tn_map_put(m, tn_str_of(b->name), b);
}

void tn_jinja_env_filter(tn_jinja_env *e, const char *name, tn_call_fn fn, void *self)
{
    put(e, &e->filters, name, fn, self);
}

void tn_jinja_env_test(tn_jinja_env *e, const char *name, tn_call_fn fn, void *self)
{
    put(e, &e->tests, name, fn, self);
}

void tn_jinja_env_global(tn_jinja_env *e, const char *name, tn_val v)
{
    tn_dict_putz(e->globals, tn_arena_strdup(e->arena, name), v);
}

static bool find_builtin(const tn_map *m, tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    const tn_jbuiltin *b = tn_map_find(m, name);
    if (b != NULL) {
        *ret = tn_val_fn(ctx->arena, b->name, b->fn, b->self);
    }
    return b != NULL;
}

bool tn_jinja_find_filter(tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    return find_builtin(&ctx->env->filters, ctx, name, ret);
}

bool tn_jinja_find_test(tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    return find_builtin(&ctx->env->tests, ctx, name, ret);
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
