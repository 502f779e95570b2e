// layers: base text
#include "tn_test.h"

#include "text/csv.h"

/* Every record as [a|b], one after another. */
static tn_str all(tn_arena *arena, const char *text, char delimiter)
{
    tn_csv c = tn_csv_init(tn_str_of(text), delimiter);
    tn_buf b = tn_buf_init(arena, 1 << 16);
    for (;;) {
        tn_str *f = NULL;
        size_t n = 0;
        TN_ASSERT_OK(tn_csv_next(&c, arena, &f, &n, NULL));
        if (n == SIZE_MAX) {
            return tn_buf_str(&b);
        }
        tn_buf_addc(&b, '[');
        for (size_t i = 0; i < n; i++) {
            tn_buf_addz(&b, i > 0 ? "|" : "");
            tn_buf_add(&b, f[i]);
        }
        tn_buf_addc(&b, ']');
    }
}

TN_TEST(plain_records_with_any_line_end)
{
    TN_ASSERT_EQ_S(all(arena, "a,b\n1,2\r\n3,4\r5,6", ','), "[a|b][1|2][3|4][5|6]");
    TN_ASSERT_EQ_S(all(arena, "a,,\n,\n", ','), "[a||][|]");
    TN_ASSERT_EQ_S(all(arena, "", ','), "");
    TN_ASSERT_EQ_S(all(arena, "\n\na\n\n", ','), "[a]");
    TN_ASSERT_EQ_S(all(arena,
                       "\xEF\xBB\xBF"
                       "a;b",
                       ';'),
        "[a|b]");
}

TN_TEST(quotes)
{
    TN_ASSERT_EQ_S(all(arena, "\"a,b\",\"say \"\"x\"\"\",\"\"\n", ','), "[a,b|say \"x\"|]");
    TN_ASSERT_EQ_S(all(arena, "\"two\nlines\",x\n", ','), "[two\nlines|x]");
    TN_ASSERT_EQ_S(all(arena, "a\"b,c\n", ','), "[a\"b|c]");
}

TN_TEST(errors_name_the_line)
{
    tn_str *f = NULL;
    size_t n = 5;
    tn_csv c = tn_csv_init(TN_STR("a\n\"b\nc\n"), ',');
    TN_ASSERT_OK(tn_csv_next(&c, arena, &f, &n, err));
    TN_ASSERT_RC(tn_csv_next(&c, arena, &f, &n, err), TN_E_SYNTAX);
    TN_ASSERT_HAS(err->msg, "line 2");
    TN_ASSERT_EQ_I(n, 1);
    c = tn_csv_init(TN_STR("x\n\"b\"c\n"), ',');
    TN_ASSERT_OK(tn_csv_next(&c, arena, &f, &n, err));
    TN_ASSERT_RC(tn_csv_next(&c, arena, &f, &n, err), TN_E_SYNTAX);
    TN_ASSERT_HAS(err->msg, "line 2");
}

TN_TEST(line_numbers_count_lines_inside_of_quotes)
{
    tn_str *f = NULL;
    size_t n = 0;
    tn_csv c = tn_csv_init(TN_STR("\"a\r\nb\nc\"\nx\n"), ',');
    TN_ASSERT_EQ_I(c.line, 1);
    TN_ASSERT_OK(tn_csv_next(&c, arena, &f, &n, err));
    TN_ASSERT_EQ_I(c.line, 4);
}

TN_TEST(written_fields_read_back)
{
    static const char *const fields[] = { "plain", "with,comma", "with \"quote\"", "two\nlines", "",
        " blank " };
    tn_buf b = tn_buf_init(arena, 4096);
    for (size_t i = 0; i < TN_COUNTOF(fields); i++) {
        tn_buf_addz(&b, i > 0 ? "," : "");
        tn_csv_field(&b, tn_str_of(fields[i]), ',');
    }
    tn_csv c = tn_csv_init(tn_buf_str(&b), ',');
    tn_str *f = NULL;
    size_t n = 0;
    TN_ASSERT_OK(tn_csv_next(&c, arena, &f, &n, err));
    TN_ASSERT_EQ_I(n, TN_COUNTOF(fields));
    for (size_t i = 0; i < n; i++) {
        TN_ASSERT_EQ_S(f[i], fields[i]);
    }
}
