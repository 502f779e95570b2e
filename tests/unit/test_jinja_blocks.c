// layers: base text jinja
/* Blocks of a file, and what a template can be asked without rendering it. */
#include "jinja_test.h"

static tn_jinja_blocks blocks_of(tn_arena *arena, const char *text, unsigned kinds, tn_err *err)
{
    tn_jinja_blocks b = { 0 };
    tn_jinja_src src = { .file = "macros/m.sql" };
    TN_ASSERT_OK(kinds == 0 ? tn_jinja_extract_blocks(arena, tn_str_of(text), src, &b, err)
                            : tn_jinja_extract_kinds(arena, tn_str_of(text), src, kinds, &b, err));
    return b;
}

TN_TEST(finds_blocks_of_all_kinds)
{
    tn_jinja_blocks b = blocks_of(arena,
        "text\n{% macro a(x) %}A{% endmacro %}\n {%- test t(model) %}T{% endtest %}{% docs d "
        "%}it's{% enddocs %}"
        "{% snapshot s %}S{% endsnapshot %}\n{% materialization m, adapter = \"x\" %}M{% "
        "endmaterialization %}",
        0, err);
    static const char *const names[] = { "a", "test_t", "d", "s", "materialization_m_x" };
    TN_ASSERT_EQ_I(b.n, 5);
    for (size_t i = 0; i < 5; i++) {
        TN_ASSERT_EQ_S(b.v[i].name, names[i]);
    }
    TN_ASSERT_EQ_S(b.v[0].full, "{% macro a(x) %}A{% endmacro %}");
    TN_ASSERT_EQ_S(b.v[0].args, "(x)");
    TN_ASSERT_EQ_I(b.v[0].line, 2);
    TN_ASSERT_EQ_S(b.v[1].full, "\n {%- test t(model) %}T{% endtest %}");
    TN_ASSERT_EQ_I(b.v[1].line, 3);
    TN_ASSERT_EQ_S(b.v[2].contents, "it's");
    TN_ASSERT_EQ_S(b.v[4].args, ", adapter = \"x\"");
    TN_ASSERT_EQ_I(b.v[4].line, 4);
}

TN_TEST(other_kinds_are_nothing_special)
{
    tn_jinja_blocks b = blocks_of(
        arena, "{% docs d %}write {% macro x() %} to{% enddocs %}", 1u << TN_BLOCK_DOCS, err);
    TN_ASSERT_EQ_I(b.n, 1);
    TN_ASSERT_EQ_S(b.v[0].contents, "write {% macro x() %} to");
}

TN_TEST(text_between_blocks_comes_when_asked)
{
    tn_jinja_blocks b = blocks_of(
        arena, "a{% docs d %}x{% enddocs %}b", 1u << TN_BLOCK_DOCS | 1u << TN_BLOCK_DATA, err);
    TN_ASSERT_EQ_I(b.n, 3);
    TN_ASSERT_EQ_S(b.v[0].contents, "a");
    TN_ASSERT_EQ_S(b.v[2].contents, "b");
}

TN_TEST(comments_raw_and_strings_hide_tags)
{
    tn_jinja_blocks b = blocks_of(arena,
        "{# {% macro no() %} #}{% raw %}{% macro no() %}{% endraw %}{{ '{% macro no() %}' }}"
        "{% macro m(x='%}') %}{{ \"{% endmacro %}\" }}{% endmacro %}",
        0, err);
    TN_ASSERT_EQ_I(b.n, 1);
    TN_ASSERT_EQ_S(b.v[0].name, "m");
    TN_ASSERT_EQ_S(b.v[0].contents, "{{ \"{% endmacro %}\" }}");
}

#define REFUSES(text, part)                                                                        \
    do {                                                                                           \
        tn_jinja_blocks refused_ = { 0 };                                                          \
        TN_ASSERT_RC(tn_jinja_extract_blocks(                                                      \
                         arena, tn_str_of(text), (tn_jinja_src){ .file = "f" }, &refused_, err),   \
            TN_E_SYNTAX);                                                                          \
        TN_ASSERT_HAS((const char *)err->msg, (part));                                             \
        TN_ASSERT_EQ_I(refused_.n, 0);                                                             \
    } while (0)

TN_TEST(broken_files_are_refused)
{
    REFUSES("{% macro a() %}", "Reached EOF without finding a close tag for macro");
    REFUSES("\n{% if x %}{% macro a() %}{% endmacro %}{% endif %}", "inside control flow");
    TN_ASSERT_EQ_I(err->line, 2);
    REFUSES(
        "{% macro a() %}{% macro b() %}{% endmacro %}", "Got nested tags: macro (started at 1)");
    REFUSES("{% endif %}", "never saw a preceding if");
    REFUSES("{% for a in b %}{% endif %}", "got endif but expected endfor next");
    REFUSES("{{ x", "expected '}}'");
    REFUSES("{# x", "expected '#}'");
    REFUSES("{% macro x(", "tag close");
    REFUSES("{% raw %}", "endraw");
    REFUSES("{{ 'a", "string is not closed");
}

/* ---- static look ---- */

static tn_jinja_static_calls scan(tn_arena *arena, const char *text, tn_strs *names, tn_err *err)
{
    tn_jinja_tmpl *t = NULL;
    tn_jinja_static_calls calls = { 0 };
    TN_ASSERT_OK(
        tn_jinja_parse(jt_env(arena), arena, tn_str_of(text), (tn_jinja_src){ 0 }, &t, err));
    TN_ASSERT_OK(tn_jinja_scan(arena, t, &calls, names, err));
    return calls;
}

TN_TEST(literal_calls_are_seen)
{
    tn_strs names = { 0 };
    tn_jinja_static_calls c = scan(arena,
        "{{ config(materialized='view', tags=['a', 1], meta={'k': -1}) }}\nselect * from {{ "
        "ref('a') }}\n"
        "join {{ source('s', t) }}{% if x %}{{ ref('b') }}{% endif %}{{ ref('c') if y else "
        "ref('d') }}",
        &names, err);
    TN_ASSERT_EQ_I(c.n, 6);
    TN_ASSERT_EQ_S(c.v[0].name, "config");
    TN_ASSERT(c.v[0].literal);
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, c.v[0].kwargs),
        "{'materialized': 'view', 'tags': ['a', 1], 'meta': {'k': -1}}");
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, c.v[1].args), "['a']");
    TN_ASSERT_EQ_I(c.v[1].line, 2);
    TN_ASSERT(!c.v[2].literal);
    TN_ASSERT_EQ_I(c.v[2].line, 3);
    TN_ASSERT(!c.v[3].literal);
    TN_ASSERT(!c.v[4].literal && !c.v[5].literal);
}

TN_TEST(free_names_are_seen_once)
{
    tn_strs names = { 0 };
    scan(arena,
        "{% set a = b %}{{ a }}{{ b }}{% for i in xs %}{{ i }}{{ loop.index }}{{ c }}{% endfor %}"
        "{% macro m(p) %}{{ p }}{{ q }}{{ m() }}{{ varargs }}{% endmacro %}",
        &names, err);
    static const char *const want[] = { "b", "c", "q", "xs" };
    TN_ASSERT_EQ_I(names.n, 4);
    for (size_t i = 0; i < 4; i++) {
        bool found = false;
        for (size_t k = 0; k < names.n; k++) {
            found |= tn_str_is(names.v[k], want[i]);
        }
        TN_ASSERT(found);
    }
}
