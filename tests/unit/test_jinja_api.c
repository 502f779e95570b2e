// layers: base os text jinja
/* The interpreter as C code uses it: bound macros, calls, contexts, values, many threads on one template. */
#include <stdatomic.h>

#include "jinja_test.h"
#include "os/thread.h"

typedef struct package {
    tn_jinja_tmpl *t;
    tn_arena *a;
    int asked;
} package;

/* A package's own macros come first. */
static bool package_lookup(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    package *p = self;
    p->asked++;
    for (size_t i = 0; i < tn_jinja_macro_count(p->t); i++) {
        const tn_jinja_macro_def *m = tn_jinja_macro_at(p->t, i);
        if (tn_str_eq(tn_jinja_macro_name(m), name)) {
            *ret = tn_jinja_macro_bind(p->a, m, ctx, package_lookup, p);
            return true;
        }
    }
    return false;
}

static tn_val bound(tn_arena *arena, package *p, tn_jinja_ctx *ctx, const char *text, tn_err *err)
{
    *p = (package){ .a = arena };
    TN_ASSERT_OK(tn_jinja_parse(
        ctx->env, arena, tn_str_of(text), (tn_jinja_src){ .file = "macros/p.sql" }, &p->t, err));
    return tn_jinja_macro_bind(arena, tn_jinja_macro_at(p->t, 0), ctx, package_lookup, p);
}

TN_TEST(a_bound_macro_sees_package_then_context)
{
    tn_jinja_ctx ctx = tn_jinja_ctx_init(
        jt_env(arena), arena, jt_lookup, jt_context(arena, "{\"x\":\"ctx\",\"helper\":\"no\"}"));
    package p;
    tn_val f = bound(arena, &p, &ctx,
        "{% macro main(a, b=1) %}{{ a }}{{ b }}{{ x }}{{ helper() }}{% endmacro %}{% macro "
        "helper() %}H{{ top }}{% endmacro %}"
        "{% set top = 5 %}",
        err);
    tn_val got = TN_VAL_NONE, args[] = { tn_val_int(7) };
    tn_kwarg kw = { TN_STR("b"), tn_val_int(8) };
    TN_ASSERT_OK(tn_jinja_call(&ctx, f, args, 1, &kw, 1, &got, err));
    TN_ASSERT_EQ_S(
        tn_val_as_str(got), "78ctxH"); /* the file itself was not run: top is undefined */
}

TN_TEST(names_are_asked_for_when_they_are_read)
{
    tn_jinja_ctx ctx = tn_jinja_ctx_init(jt_env(arena), arena, NULL, NULL);
    package p;
    tn_val f = bound(arena, &p, &ctx,
        "{% macro m() %}{% if false %}{{ a }}{{ b }}{% endif %}{{ c }}{{ c }}{% endmacro %}", err);
    tn_val got = TN_VAL_NONE;
    TN_ASSERT_OK(tn_jinja_call(&ctx, f, NULL, 0, NULL, 0, &got, err));
    TN_ASSERT_EQ_I(p.asked, 1);
}

TN_TEST(a_macro_returns_values_to_c)
{
    tn_jinja_ctx ctx = tn_jinja_ctx_init(jt_env(arena), arena, jt_lookup, jt_context(arena, "{}"));
    package p;
    tn_val f =
        bound(arena, &p, &ctx, "{% macro m() %}x{{ return({'k': [1]}) }}{% endmacro %}", err);
    tn_val got = TN_VAL_NONE;
    TN_ASSERT_OK(tn_jinja_call(&ctx, f, NULL, 0, NULL, 0, &got, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, got), "{'k': [1]}");
}

TN_TEST(errors_of_bound_macros_show_their_file)
{
    tn_jinja_ctx ctx = tn_jinja_ctx_init(jt_env(arena), arena, jt_lookup, jt_context(arena, "{}"));
    package p;
    tn_val f = bound(arena, &p, &ctx,
        "{% macro m() %}\n{{ n() }}{% endmacro %}{% macro n() %}{{ 1 + 'a' }}{% endmacro %}", err);
    tn_val got = TN_VAL_NONE;
    TN_ASSERT_RC(tn_jinja_call(&ctx, f, NULL, 0, NULL, 0, &got, err), TN_E_TYPE);
    TN_ASSERT_HAS(
        (const char *)err->msg, "> in macro n (macros/p.sql)\n> called by macro m (macros/p.sql)");
    TN_ASSERT_EQ_I(err->line, 2);
}

static tn_rc where(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_str in = tn_jinja_macro_running(call->interp, 0),
           by = tn_jinja_macro_running(call->interp, 1);
    *ret = tn_val_str(tn_str_printf(call->arena, TN_STR_FMT "<" TN_STR_FMT ":%d", TN_STR_ARG(in),
        TN_STR_ARG(by), tn_jinja_line_running(call->interp)));
    return TN_OK;
}

TN_TEST(functions_know_where_they_are_called)
{
    tn_jinja_env *env = jt_env(arena);
    tn_jinja_env_global(env, "where", tn_val_fn(arena, "where", where, NULL));
    tn_str got = TN_STR_NONE;
    TN_ASSERT_OK(jt_try(arena, env,
        "{{ where() }}|{% macro a() %}\n{{ where() }}{% endmacro %}{% macro b() %}{% for i in [1] "
        "recursive %}{{ a() }}{% endfor %}"
        "{% endmacro %}{{ b() }}",
        "{}", &got, err));
    TN_ASSERT_EQ_S(got, "<:1|\na<b:2");
}

static tn_rc render_inside(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_str text = TN_STR_NONE;
    TN_TRY(tn_jinja_render(self, call->interp, &text, err));
    *ret = tn_val_str(text);
    return TN_OK;
}

TN_TEST(a_function_may_render_another_template)
{
    tn_jinja_env *env = jt_env(arena);
    tn_jinja_tmpl *t = NULL;
    TN_ASSERT_OK(tn_jinja_parse(
        env, arena, TN_STR("<{{ x }}>"), (tn_jinja_src){ .file = "inner" }, &t, err));
    tn_jinja_env_global(env, "inner", tn_val_fn(arena, "inner", render_inside, t));
    tn_str got = TN_STR_NONE;
    TN_ASSERT_OK(jt_try(arena, env, "a{{ inner() }}b{% set q %}{{ inner() }}{% endset %}{{ q }}",
        "{\"x\":1}", &got, err));
    TN_ASSERT_EQ_S(got, "a<1>b<1>");
}

TN_TEST(undefined_chains_when_asked)
{
    tn_jinja_env *env = tn_jinja_env_new(arena, &(tn_jinja_env_opts){ .undefined_chain = true });
    tn_str got = TN_STR_NONE;
    TN_ASSERT_OK(jt_try(arena, env, "[{{ a.b.c['d'](1).e }}]", "{}", &got, err));
    TN_ASSERT_EQ_S(got, "[]");
    TN_ASSERT_RC(jt_try(arena, env, "{{ a.b + 1 }}", "{}", &got, err), TN_E_NAME);
}

TN_TEST(expressions_have_values)
{
    tn_jinja_env *env = jt_env(arena);
    tn_jinja_tmpl *t = NULL;
    tn_jinja_ctx ctx =
        tn_jinja_ctx_init(env, arena, jt_lookup, jt_context(arena, "{\"a\":{\"b\":\"5\"}}"));
    tn_val v = TN_VAL_NONE;
    TN_ASSERT_OK(
        tn_jinja_parse_expr(env, arena, TN_STR("a.b | int + 1"), (tn_jinja_src){ 0 }, &t, err));
    TN_ASSERT_OK(tn_jinja_eval(t, &ctx, &v, err));
    TN_ASSERT_EQ_I(v.i, 6);
}

TN_TEST(attributes_and_items_from_c)
{
    tn_jinja_ctx ctx = tn_jinja_ctx_init(jt_env(arena), arena, NULL, NULL);
    tn_val d = { .tag = TN_DICT, .dict = jt_context(arena, "{\"items\":1,\"k\":2}") },
           v = TN_VAL_NONE;
    TN_ASSERT_OK(tn_jinja_get_item(&ctx, d, tn_val_z("items"), &v, err));
    TN_ASSERT_EQ_I(v.tag, TN_INT);
    TN_ASSERT_OK(tn_jinja_get_attr(&ctx, d, TN_STR("items"), &v, err));
    TN_ASSERT_EQ_I(v.tag, TN_OBJ);
    TN_ASSERT_OK(tn_jinja_get_attr(&ctx, d, TN_STR("zz"), &v, err));
    TN_ASSERT(tn_val_is_undef(v));
    TN_ASSERT_OK(tn_jinja_iterate(&ctx, tn_val_z("héy"), &v, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, v), "['h', 'é', 'y']");
    TN_ASSERT_RC(tn_jinja_iterate(&ctx, tn_val_int(5), &v, err), TN_E_TYPE);
}

/* ---- threads ---- */

enum { THREADS = 4, RENDERS = 300 };
static const tn_jinja_tmpl *shared;
static tn_jinja_env *shared_env;
static atomic_int wrong;

static void render_often(void *p)
{
    (void)p;
    for (int i = 0; i < RENDERS; i++) {
        TN_AUTO_ARENA a = tn_arena_new("render", NULL);
        tn_dict *d = tn_val_dict(a).dict;
        tn_dict_putz(d, "n", tn_val_int(i));
        tn_jinja_ctx ctx = tn_jinja_ctx_init(shared_env, a, jt_lookup, d);
        tn_str got = TN_STR_NONE;
        tn_str want = tn_str_printf(a, "[%d][%d]%d", i, i + 1, i);
        if (tn_jinja_render(shared, &ctx, &got, NULL) != TN_OK || !tn_str_eq(got, want)) {
            wrong++;
        }
    }
}

TN_TEST(threads_share_a_template)
{
    tn_jinja_tmpl *t = NULL;
    shared_env = jt_env(arena);
    TN_ASSERT_OK(tn_jinja_parse(shared_env, arena,
        TN_STR("{% macro m(x) %}[{{ x }}]{% endmacro %}{% for i in [0, 1] %}{{ m(n + i) }}{% "
               "endfor %}{{ n | string }}"),
        (tn_jinja_src){ 0 }, &t, err));
    shared = t;
    tn_thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        TN_ASSERT_OK(tn_thread_start(render_often, NULL, "render", &threads[i], err));
    }
    for (int i = 0; i < THREADS; i++) {
        tn_thread_join(threads[i]);
    }
    TN_ASSERT_EQ_I(wrong, 0);
}
