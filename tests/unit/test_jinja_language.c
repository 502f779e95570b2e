// layers: base text jinja
/* The language itself: what the oracle cannot see (dbt's tags, types in signatures, return) and the main rules of scoping and white
 * space, so that they are checked without Python too. */
#include "jinja_test.h"

TN_TEST(white_space_control)
{
    JT_RENDERS("a  {%- if true -%}  b  {%- endif -%}  c", "{}", "abc");
    JT_RENDERS("a {%- raw -%}  {{ x }}  {%- endraw -%} b", "{}", "a{{ x }}b");
    JT_RENDERS("a {#- c -#} b\n", "{}", "ab");
    JT_RENDERS("a\n\n", "{}", "a\n");
    JT_RENDERS("a\r\nb\rc", "{}", "a\nb\nc");
}

TN_TEST(keeps_the_trailing_newline_when_asked)
{
    tn_jinja_env *env =
        tn_jinja_env_new(arena, &(tn_jinja_env_opts){ .keep_trailing_newline = true });
    tn_str got = TN_STR_NONE;
    TN_ASSERT_OK(jt_try(arena, env, "a\n", "{}", &got, err));
    TN_ASSERT_EQ_S(got, "a\n");
}

TN_TEST(scopes)
{
    JT_RENDERS(
        "{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}", "{}", "21");
    JT_RENDERS("{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{\"x\":1}", "2");
    JT_RENDERS(
        "{% macro m() %}{{ y }}{% endmacro %}{{ m() }}{% set y = 6 %}{{ m() }}", "{\"y\":1}", "6");
    JT_RENDERS("{% set ns = namespace(n=0) %}{% for i in [1,2] %}{% set ns.n = ns.n + i %}{% "
               "endfor %}{{ ns.n }}",
        "{}", "3");
}

TN_TEST(macros_with_types_in_the_signature)
{
    JT_RENDERS("{% macro m(a: str, b: Dict[str, List[int]] = {}) %}{{ a }}{{ b }}{% endmacro %}{{ "
               "m('x') }}",
        "{}", "x{}");
}

TN_TEST(return_gives_any_value)
{
    JT_RENDERS("{% macro m() %}text{{ return([1, 2]) }}more{% endmacro %}{{ m()[1] }}", "{}", "2");
    JT_RENDERS("{% macro m() %}{% for i in [1,2,3] %}{% if i == 2 %}{% do return(i) %}{% endif "
               "%}{% endfor %}{% endmacro %}"
               "{{ m() + 1 }}",
        "{}", "3");
    JT_RENDERS("{% macro m() %}a{{ caller() }}b{% endmacro %}{% call m() %}{{ return('from "
               "caller') }}{% endcall %}",
        "{}", "from caller");
    JT_RENDERS("{% macro m() %}{% set q %}{{ return(1) }}{% endset %}{% endmacro %}[{{ m() }}]",
        "{}", "[1]");
    JT_FAILS("{{ return(1) }}", "{}", TN_E_COMPILE, "return() is called outside of a macro");
}

static const tn_jinja_macro_def *only_macro(tn_arena *arena, const char *text, tn_err *err)
{
    tn_jinja_tmpl *t = NULL;
    TN_ASSERT_OK(tn_jinja_parse(
        jt_env(arena), arena, tn_str_of(text), (tn_jinja_src){ .file = "m.sql" }, &t, err));
    TN_ASSERT_EQ_I(tn_jinja_macro_count(t), 1);
    return tn_jinja_macro_at(t, 0);
}

TN_TEST(dbt_tags_are_macros)
{
    const tn_jinja_macro_def *m =
        only_macro(arena, "{% test unique(model, c=1) %}x{% endtest %}", err);
    bool dflt = false;
    TN_ASSERT_EQ_S(tn_jinja_macro_name(m), "test_unique");
    TN_ASSERT_EQ_I(tn_jinja_macro_argc(m), 2);
    TN_ASSERT_EQ_S(tn_jinja_macro_arg(m, 1, &dflt), "c");
    TN_ASSERT(dflt);
    m = only_macro(arena, "{% data_test t(model) %}x{% enddata_test %}", err);
    TN_ASSERT_EQ_S(tn_jinja_macro_name(m), "test_t");
    m = only_macro(arena, "{% materialization v, default %}x{% endmaterialization %}", err);
    TN_ASSERT_EQ_S(tn_jinja_macro_name(m), "materialization_v_default");
    m = only_macro(arena,
        "{% materialization v, adapter='duckdb', supported_languages=['sql'] %}x{% "
        "endmaterialization %}",
        err);
    TN_ASSERT_EQ_S(tn_jinja_macro_name(m), "materialization_v_duckdb");
    TN_ASSERT_EQ_S(tn_jinja_macro_arg(m, 0, NULL), "supported_languages");
    m = only_macro(arena, "{% docs d %}{{ x }}{% enddocs %}", err);
    TN_ASSERT_EQ_S(tn_jinja_macro_name(m), "d");
    JT_FAILS("{% materialization v, adaptor='x' %}{% endmaterialization %}", "{}", TN_E_SYNTAX,
        "materialization 'v' received unknown argument 'adaptor'.");
}

TN_TEST(dbt_tags_are_off_by_default)
{
    tn_str got = TN_STR_NONE;
    tn_jinja_env *env = tn_jinja_env_new(arena, NULL);
    TN_ASSERT_RC(jt_try(arena, env, "{% docs d %}{% enddocs %}", "{}", &got, err), TN_E_SYNTAX);
}

TN_TEST(marks_of_native_rendering)
{
    tn_jinja_env *env = jt_env(arena);
    tn_jinja_tmpl *t = NULL;
    tn_jinja_ctx ctx =
        tn_jinja_ctx_init(env, arena, jt_lookup, jt_context(arena, "{\"n\":\"42\"}"));
    tn_val v = TN_VAL_NONE;
    TN_ASSERT_OK(
        tn_jinja_parse(env, arena, TN_STR("{{ n | as_number }}"), (tn_jinja_src){ 0 }, &t, err));
    TN_ASSERT_OK(tn_jinja_render_quoted(t, &ctx, &v, err));
    TN_ASSERT_EQ_I(v.tag, TN_INT);
    TN_ASSERT_EQ_I(v.i, 42);
    TN_ASSERT_OK(tn_jinja_parse(env, arena, TN_STR("{{ n }}"), (tn_jinja_src){ 0 }, &t, err));
    TN_ASSERT_OK(tn_jinja_render_quoted(t, &ctx, &v, err));
    TN_ASSERT(tn_val_is_str(v));
    TN_ASSERT_OK(tn_jinja_render_native(t, &ctx, &v, err));
    TN_ASSERT_EQ_I(v.tag, TN_INT);
    TN_ASSERT_OK(
        tn_jinja_parse(env, arena, TN_STR("{{ n | as_bool }}"), (tn_jinja_src){ 0 }, &t, err));
    TN_ASSERT_RC(tn_jinja_render_quoted(t, &ctx, &v, err), TN_E_VALUE);
    TN_ASSERT_HAS((const char *)err->msg, "Could not convert value '42' into type 'bool'");
}
