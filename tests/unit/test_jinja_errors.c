// layers: base text jinja
/* Where errors say they are, what they show of the macro stack, and the limits. */
#include "jinja_test.h"

TN_TEST(an_error_shows_its_place)
{
    JT_FAILS("select 1,\n\t {{ order.id }}\nfrom x", "{}", TN_E_NAME,
        "'order' is undefined\n  at models/t.sql:2:11\n    \t {{ order.id }}\n    \t         ^");
    TN_ASSERT_EQ_I(err->line, 2);
    TN_ASSERT_EQ_I(err->col, 11);
    TN_ASSERT_EQ_S((const char *)err->file, "models/t.sql");
}

TN_TEST(a_syntax_error_shows_its_place)
{
    JT_FAILS("a\n{% if x %}\nb", "{}", TN_E_SYNTAX, "Unexpected end of template.");
    TN_ASSERT_EQ_I(err->line, 3);
    JT_FAILS("é {{ 1 + }}", "{}", TN_E_SYNTAX,
        "unexpected 'end of print statement'\n  at models/t.sql:1:10");
    JT_FAILS("x\n\n{{ 'a' | nosuch }}", "{}", TN_E_SYNTAX,
        "No filter named 'nosuch'.\n  at models/t.sql:3:10");
}

TN_TEST(a_long_line_is_shown_in_part)
{
    tn_buf b = tn_buf_init(arena, 10000);
    tn_buf_add_repeat(&b, 'x', 3000);
    tn_buf_addz(&b, "{{ a.b }}");
    tn_buf_addc(&b, '\0');
    JT_FAILS(b.p, "{}", TN_E_NAME, "models/t.sql:1:3005\n");
    TN_ASSERT(strlen(err->msg) < 500);
    TN_ASSERT_HAS((const char *)err->msg, "{{ a.b }}\n");
}

TN_TEST(the_macro_stack_is_shown)
{
    JT_FAILS("{% macro inner(v) %}\n{{ v.x.y }}{% endmacro %}{% macro outer() %}{{ inner(1) }}{% "
             "endmacro %}\n{{ outer() }}",
        "{}", TN_E_NAME,
        "\n> in macro inner (models/t.sql)\n> called by macro outer (models/t.sql)");
    TN_ASSERT_EQ_I(err->line, 2);
    TN_ASSERT_HAS((const char *)err->msg, "'int object' has no attribute 'x'");
}

TN_TEST(a_wrong_call_is_shown_where_it_is_made)
{
    JT_FAILS("{% macro m(a) %}\n\n{{ a }}{% endmacro %}\n\n{{ m(1, 2) }}", "{}", TN_E_TYPE,
        "macro 'dbt_macro__m' takes not more than 1 argument(s)\n  at models/t.sql:5:5");
}

TN_TEST(the_file_may_start_at_any_line)
{
    tn_jinja_tmpl *t = NULL;
    TN_ASSERT_RC(tn_jinja_parse(jt_env(arena), arena, TN_STR("a\n{{ }}"),
                     (tn_jinja_src){ .file = "f", .line = 40 }, &t, err),
        TN_E_SYNTAX);
    TN_ASSERT_EQ_I(err->line, 41);
}

TN_TEST(err_may_be_null)
{
    tn_str got = TN_STR_NONE;
    TN_ASSERT_RC(jt_try(arena, jt_env(arena), "{% macro m() %}{{ x.y }}{% endmacro %}{{ m() }}",
                     "{}", &got, NULL),
        TN_E_NAME);
    TN_ASSERT_RC(jt_try(arena, jt_env(arena), "{{ x", "{}", &got, NULL), TN_E_SYNTAX);
}

/* ---- limits ---- */

static tn_rc try_limited(tn_arena *arena, tn_jinja_limits limits, const char *text, tn_err *err)
{
    tn_str got = TN_STR_NONE;
    tn_jinja_env *env = tn_jinja_env_new(arena, &(tn_jinja_env_opts){ .limits = limits });
    return jt_try(arena, env, text, "{}", &got, err);
}

TN_TEST(limits_end_a_render)
{
    tn_jinja_limits small = { .output_bytes_max = 1000, .depth_max = 20, .steps_max = 1000 };
    TN_ASSERT_RC(
        try_limited(arena, small, "{% for i in range(2000) %}{% endfor %}", err), TN_E_LIMIT);
    TN_ASSERT_RC(try_limited(arena, small, "{% for i in range(200) %}1234567890{% endfor %}", err),
        TN_E_LIMIT);
    TN_ASSERT_RC(try_limited(arena, small, "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", err),
        TN_E_LIMIT);
    TN_ASSERT_HAS((const char *)err->msg, "macros are nested more than 20 deep");
    TN_ASSERT_RC(try_limited(arena, small,
                     "{% set x = [] %}{% do x.append(x) %}{% for i in x recursive %}{{ loop(i) "
                     "}}{% endfor %}",
                     err),
        TN_E_LIMIT);
    TN_ASSERT_RC(try_limited(arena, small,
                     "{% set l = [1] %}{% for i in l %}{% do l.append(i) %}{% endfor %}", err),
        TN_E_LIMIT);
    TN_ASSERT_RC(
        try_limited(arena, small,
            "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(15) }}", err),
        TN_OK);
}

TN_TEST(endless_recursion_ends_with_the_default_limits)
{
    JT_FAILS("{% macro m() %}{% if true %}{% for i in [1] %}{{ [m()] }}{% endfor %}{% endif %}{% "
             "endmacro %}{{ m() }}",
        "{}", TN_E_LIMIT, "deep");
}

static const char *repeat(
    tn_arena *a, const char *before, const char *part, size_t n, const char *after)
{
    tn_buf b = tn_buf_init(a, (size_t)64 << 20);
    tn_buf_addz(&b, before);
    for (size_t i = 0; i < n; i++) {
        tn_buf_addz(&b, part);
    }
    tn_buf_addz(&b, after);
    tn_buf_addc(&b, '\0');
    return b.p;
}

TN_TEST(deep_sources_are_refused_not_crashed)
{
    JT_FAILS(repeat(arena, "{{ ", "(", 100000, ""), "{}", TN_E_LIMIT, "nested more than");
    JT_FAILS(repeat(arena, "{{ ", "not ", 100000, "x }}"), "{}", TN_E_LIMIT, "nested more than");
    JT_FAILS(repeat(arena, "{{ ", "-", 100000, "x }}"), "{}", TN_E_LIMIT, "nested more than");
    JT_FAILS(repeat(arena, "", "{% if x %}", 100000, ""), "{}", TN_E_LIMIT, "nested more than");
    JT_FAILS(repeat(arena, "{{ 1", " + 1", 1000000, " }}"), "{}", TN_E_LIMIT, "too long");
    JT_FAILS(repeat(arena, "{{ x", ".x", 1000000, " }}"), "{}", TN_E_LIMIT, "too long");
    JT_RENDERS(repeat(arena, "{{ 1", " + 1", 2000, " }}"), "{}", "2001");
    JT_RENDERS(
        repeat(arena, "{{ 1", " ~ 1", 20000, " }}") + 0, "{}", repeat(arena, "1", "1", 20000, ""));
}
