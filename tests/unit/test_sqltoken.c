// layers: base os text store duck delta lake
/* SQL cut into tokens: what is a name, a string, a comment; and names of tables as people write them. */
#include "tn_test.h"

#include "lake/lake_sql.h"
#include "lake/log/lake_file.h"
#include "text/sqltoken.h"

static tn_tokens cut(tn_arena *arena, const char *sql)
{
    tn_tokens t;
    TN_ASSERT_OK(tn_sql_tokens(arena, tn_str_of(sql), &t, &tn_tests.err));
    return t;
}

/* "w:select s:'x' q:"a" n:1 ," */
static tn_str shown(tn_arena *arena, const char *sql)
{
    tn_tokens t = cut(arena, sql);
    tn_buf b = tn_buf_init(arena, 4096);
    for (size_t i = 0; i < t.n; i++) {
        tn_buf_addf(&b, "%s%c:" TN_STR_FMT, i > 0 ? " " : "", "wqsn-"[t.v[i].kind],
            TN_STR_ARG(t.v[i].text));
    }
    return tn_buf_str(&b);
}

TN_TEST(kinds_of_tokens)
{
    TN_ASSERT_EQ_S(shown(arena, "SELECT a1,'it''s' FROM \"q\"\"x\""),
        "w:SELECT w:a1 -:, s:'it''s' w:FROM q:\"q\"\"x\"");
    TN_ASSERT_EQ_S(shown(arena, "a -- b 'c\n d"), "w:a w:d");
    TN_ASSERT_EQ_S(shown(arena, "a /* b /* c */ ' */ d"), "w:a w:d");
    TN_ASSERT_EQ_S(shown(arena, "E'\\'' x"), "s:E'\\'' w:x");
    TN_ASSERT_EQ_S(shown(arena, "$$ a ' b $$ $1 $t$ $$ $t$"), "s:$$ a ' b $$ -:$ n:1 s:$t$ $$ $t$");
    TN_ASSERT_EQ_S(shown(arena, "1.5e-3+.5 0x1F 1_000"), "n:1.5e-3 -:+ -:. n:5 n:0x1F n:1_000");
    TN_ASSERT_EQ_S(shown(arena, "`a b`.`c``d`"), "q:`a b` -:. q:`c``d`");
    TN_ASSERT_EQ_S(shown(arena, "\xc3\xa4_1 \xe2\x82\xac"), "w:\xc3\xa4_1 w:\xe2\x82\xac");
    TN_ASSERT_EQ_S(shown(arena, ""), "");
    TN_ASSERT_EQ_S(shown(arena, "--"), "");
}

TN_TEST(what_is_left_open)
{
    static const char *const bad[] = { "'a", "\"a", "`a", "$$ a", "/* a", "E'a\\'" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        tn_tokens t;
        TN_ASSERT_RC(tn_sql_tokens(arena, tn_str_of(bad[i]), &t, err), TN_E_SYNTAX);
        tn_err_clear(err);
    }
}

TN_TEST(values_and_dotted_names)
{
    tn_tokens t = cut(arena, "x.\"y \"\"z\".`w` (a, (b), c) 'it''s'");
    size_t at = 0;
    tn_strs parts;
    TN_ASSERT(tn_token_dotted(arena, &t, &at, &parts));
    TN_ASSERT_EQ_I(parts.n, 3);
    TN_ASSERT_EQ_S(parts.v[1], "y \"z");
    TN_ASSERT_EQ_S(parts.v[2], "w");
    TN_ASSERT(tn_token_is(&t, at, "("));
    size_t close = tn_token_close(&t, at);
    TN_ASSERT(tn_token_is(&t, close, ")"));
    TN_ASSERT_EQ_S(tn_token_value(arena, &t.v[close + 1]), "it's");
    TN_ASSERT(tn_token_are(&t, 0, "X"));
    TN_ASSERT(!tn_token_are(&t, 0, "x y"));
    tn_tokens open = cut(arena, "(a");
    TN_ASSERT_EQ_I(tn_token_close(&open, 0), SIZE_MAX);
}

/* Whatever the bytes are: tokens lie in the text, in order, and never overlap. */
TN_TEST(random_text_is_cut_within_bounds)
{
    static const char alphabet[] = "ab1 .,'\"`$-*/\\\n\xc3\xa4"
                                   "eE(";
    uint32_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        TN_AUTO_ARENA a = tn_arena_new("round", NULL);
        char text[24];
        size_t n = (seed >> 8) % sizeof text;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = alphabet[(seed >> 10) % (sizeof alphabet - 1)];
        }
        seed = seed * 1664525u + 1013904223u;
        char *exact = n > 0 ? memcpy(tn_arena_alloc(a, n), text, n) : NULL;
        tn_tokens t;
        if (tn_sql_tokens(a, tn_str_n(exact, n), &t, NULL) == TN_OK) {
            const char *from = exact;
            for (size_t i = 0; i < t.n; i++) {
                TN_ASSERT(t.v[i].text.p >= from && t.v[i].text.n > 0 &&
                          t.v[i].text.p + t.v[i].text.n <= exact + n);
                from = t.v[i].text.p + t.v[i].text.n;
            }
        }
    }
}

TN_TEST(tables_as_people_name_them)
{
    tn_lake_place t;
    TN_ASSERT_OK(tn_lake_place_of(arena, NULL, TN_STR("silver.prices"), &t, err));
    TN_ASSERT_EQ_S(t.schema, "silver");
    TN_ASSERT_EQ_S(t.location, "silver/prices");
    TN_ASSERT_OK(tn_lake_place_of(arena, NULL, TN_STR("\"a b\".\"c.d\""), &t, err));
    TN_ASSERT_EQ_S(t.location, "a b/c.d");
    TN_ASSERT_OK(tn_lake_place_of(arena, NULL, TN_STR("/x/y"), &t, err));
    TN_ASSERT_EQ_I(t.schema.n, 0);
    TN_ASSERT_EQ_S(t.location, "/x/y");
    TN_ASSERT_OK(tn_lake_place_of(arena, NULL, TN_STR("delta.\"/x/y\""), &t, err));
    TN_ASSERT_EQ_S(t.location, "/x/y");
    TN_ASSERT_OK(tn_lake_place_of(arena, NULL, TN_STR("delta.`s3://b/t`"), &t, err));
    TN_ASSERT_EQ_S(t.location, "s3://b/t");
    static const char *const bad[] = { "prices", "a.", "_x.y", "catalog.x", "a._b", "\"a/b\".c",
        "\"..\".c", "\"a\"", "\"a\".b.c" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        TN_ASSERT_RC(tn_lake_place_of(arena, NULL, tn_str_of(bad[i]), &t, err), TN_E_USAGE);
        tn_err_clear(err);
    }
}

TN_TEST(a_schema_named_as_its_catalog)
{
    tn_pins pins = { 0 }, out;
    tn_pin table = { .schema = TN_STR("dev"),
        .name = TN_STR("t"),
        .kind = TN_PIN_DELTA,
        .location = TN_STR("dev/t") };
    tn_pin view = { .schema = TN_STR("gold"),
        .name = TN_STR("v"),
        .kind = TN_PIN_VIEW,
        .sql = TN_STR("SELECT \"dev\".\"t\".x, 'dev.t', dev.other FROM Dev.t AS dev") };
    tn_vec_push(&pins, arena, view);
    TN_ASSERT(!tn_lake_schema_clash(TN_STR("dev"), &pins));
    tn_vec_push(&pins, arena, table);
    TN_ASSERT(tn_lake_schema_clash(TN_STR("DEV"), &pins));
    TN_ASSERT_OK(tn_lake_catalog_pins(arena, TN_STR("dev"), &pins, &out, err));
    TN_ASSERT_EQ_I(out.n, 3);
    TN_ASSERT_EQ_S(out.v[0].sql,
        "SELECT \"_tarn_dev\".\"t\".x, 'dev.t', dev.other FROM \"_tarn_dev\".t AS dev");
    TN_ASSERT_EQ_S(out.v[1].schema, "_tarn_dev");
    TN_ASSERT_EQ_S(out.v[2].sql, "SELECT * FROM \"_tarn_dev\".\"t\"");
    TN_ASSERT_EQ_S(out.v[2].schema, "dev");
}
