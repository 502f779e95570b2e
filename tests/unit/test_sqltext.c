// layers: text base
/* Quoting must hold for every byte, and cutting must never happen inside a quote or comment. */
#include "tn_test.h"

#include "text/sqltext.h"

static tn_str value_text(tn_arena *a, tn_val v)
{
    tn_buf b = tn_buf_init(a, 1 << 20);
    tn_sql_value(&b, v);
    return tn_buf_str(&b);
}

static tn_str ident_text(tn_arena *a, const char *name)
{
    tn_buf b = tn_buf_init(a, 1 << 20);
    tn_sql_ident(&b, tn_str_of(name));
    return tn_buf_str(&b);
}

TN_TEST(names_are_always_quoted)
{
    TN_ASSERT_EQ_S(ident_text(arena, "plain"), "\"plain\"");
    TN_ASSERT_EQ_S(ident_text(arena, "na\"me; drop"), "\"na\"\"me; drop\"");
    TN_ASSERT_EQ_S(ident_text(arena, ""), "\"\"");
}

TN_TEST(strings_double_their_quotes)
{
    TN_ASSERT_EQ_S(value_text(arena, tn_val_z("it's")), "'it''s'");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_z("'")), "''''");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_z("''x''")), "'''''x'''''");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_z("")), "''");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_z("back\\slash")), "'back\\slash'");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_str(TN_STR("a\0'b"))), "('a' || chr(0) || '''b')");
}

TN_TEST(scalars_keep_their_type)
{
    TN_ASSERT_EQ_S(value_text(arena, TN_VAL_NONE), "NULL");
    TN_ASSERT_EQ_S(value_text(arena, TN_VAL_TRUE), "true");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_int(-7)), "-7");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_float(1.5)), "1.5e0");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_float(1e300)), "1e+300");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_float(-INFINITY)), "'-inf'::DOUBLE");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_decimal(TN_STR("12.50"))), "12.50");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_decimal(TN_STR("NaN"))), "'NaN'::DOUBLE");
    TN_ASSERT_EQ_S(
        value_text(arena, (tn_val){ .tag = TN_BYTES, .n = 2, .s = "\x01'" }), "from_hex('0127')");
    TN_ASSERT_EQ_S(value_text(arena, (tn_val){ .tag = TN_DATE, .i = 19723 }), "DATE '2024-01-01'");
    TN_ASSERT_EQ_S(
        value_text(arena, (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_NAIVE, .i = 1500000 }),
        "TIMESTAMP '1970-01-01 00:00:01.500000'");
}

TN_TEST(nested_values)
{
    tn_val d = tn_val_dict(arena);
    tn_dict_putz(d.dict, "k'1", tn_val_int(1));
    tn_val l = tn_val_list(arena);
    tn_list_push(l.list, tn_val_z("x"));
    tn_list_push(l.list, d);
    TN_ASSERT_EQ_S(value_text(arena, l), "['x', {'k''1': 1}]");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_list(arena)), "[]");
    TN_ASSERT_EQ_S(value_text(arena, tn_val_dict(arena)), "MAP {}");
    tn_buf b = tn_buf_init(arena, 100);
    tn_sql_path_list(&b, (tn_str[]){ TN_STR("a"), TN_STR("b'c") }, 2);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "['a', 'b''c']");
}

static void check_split(
    tn_arena *a, tn_err *err, const char *script, size_t n, const char *const *want)
{
    tn_val list = TN_VAL_UNDEF;
    if (tn_sql_split(a, tn_str_of(script), &list, err) != TN_OK) {
        TN_FAIL("'%s' does not split: %s", script, err->msg);
    }
    TN_ASSERT_EQ_I(list.list->n, n);
    for (size_t i = 0; i < n; i++) {
        TN_ASSERT_EQ_S(tn_val_as_str(list.list->v[i]), want[i]);
    }
}

#define SPLITS(script, ...)                                                                        \
    check_split(arena, err, script, TN_COUNTOF(((const char *[]){ __VA_ARGS__ })),                 \
        (const char *const[]){ __VA_ARGS__ })

TN_TEST(splits_at_top_level_only)
{
    SPLITS("select 1; select 2", "select 1", "select 2");
    SPLITS("select ';'';' ; b", "select ';'';'", "b");
    SPLITS("select \"a;\"\"b\"; c;;; ", "select \"a;\"\"b\"", "c");
    SPLITS("select E'it\\';' ; x", "select E'it\\';'", "x");
    SPLITS("select 'no escape\\' ; x", "select 'no escape\\'", "x");
    SPLITS("select $$a;b$$; $t$ ; $$ ; $t$", "select $$a;b$$", "$t$ ; $$ ; $t$");
    SPLITS("select $1; select a$b$ ; c$b$", "select $1", "select a$b$", "c$b$");
    SPLITS("a -- x;y\n; b", "a -- x;y", "b");
    SPLITS("a /* ; /* ; */ ; */ ; b", "a /* ; /* ; */ ; */", "b");
    SPLITS("type'x;y'; b", "type'x;y'", "b");
}

TN_TEST(drops_empty_pieces)
{
    check_split(arena, err, " ; -- only this\n ; /* and this */ ;", 0, NULL);
    check_split(arena, err, "", 0, NULL);
}

TN_TEST(names_what_was_left_open)
{
    tn_val list = TN_VAL_UNDEF;
    TN_ASSERT_RC(tn_sql_split(arena, TN_STR("select 1;\nselect 'abc"), &list, err), TN_E_SYNTAX);
    TN_ASSERT_HAS(err->msg, "line 2, column 8");
    TN_ASSERT_RC(tn_sql_split(arena, TN_STR("/* a /* b */"), &list, err), TN_E_SYNTAX);
    TN_ASSERT_HAS(err->msg, "comment");
    TN_ASSERT_RC(tn_sql_split(arena, TN_STR("$x$ a $y$"), &list, err), TN_E_SYNTAX);
    TN_ASSERT_RC(tn_sql_split(arena, TN_STR("E'\\"), &list, err), TN_E_SYNTAX);
    TN_ASSERT(tn_val_is_undef(list));
}

TN_TEST(skips_to_the_first_keyword)
{
    TN_ASSERT_EQ_S(tn_sql_skip_blank(TN_STR(" \n-- x\n/* y /* z */ */ select 1")), "select 1");
    TN_ASSERT_EQ_S(tn_sql_skip_blank(TN_STR("-- only")), "");
    TN_ASSERT_EQ_S(tn_sql_skip_blank(TN_STR("- 1")), "- 1");
    TN_ASSERT_EQ_S(tn_sql_skip_blank(TN_STR("/* open")), "/* open");
}
