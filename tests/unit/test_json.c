// layers: base text
/* test_json.c: reading, printing and streaming of JSON. */
#include "text/json.h"
#include "tn_test.h"

static tn_str round_trip(tn_arena *a, const char *text, const tn_json_style *style)
{
    tn_val v;
    tn_err err = TN_ERR_INIT;
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (tn_json_parse(a, tn_str_of(text), &v, &err) != TN_OK) {
        return tn_str_printf(a, "error: %s", err.msg);
    }
    tn_json_print(&b, v, style);
    return tn_buf_str(&b);
}

TN_TEST(keeps_values)
{
    static const char *const same[] = { "null", "true", "[]", "{}", "[1,-2,0]",
        "{\"a\":{\"b\":[1,2]},\"c\":\"x\"}", "1.5", "-0.25", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "-123456789012345678901234567890", "\"\\\"\\\\\\n\\t\\u0001\"",
        "\"\xc3\xa9\"" };
    for (size_t i = 0; i < TN_COUNTOF(same); i++) {
        TN_ASSERT_EQ_S(round_trip(arena, same[i], NULL), same[i]);
    }
    TN_ASSERT_EQ_S(round_trip(arena, " { \"a\" : 1e2 } ", NULL), "{\"a\":100.0}");
    TN_ASSERT_EQ_S(round_trip(arena, "{\"a\":1,\"b\":2,\"a\":3}", NULL), "{\"a\":3,\"b\":2}");
}

TN_TEST(large_integers_are_exact)
{
    tn_val v;
    TN_ASSERT_OK(tn_json_parse(arena, TN_STR("9223372036854775808"), &v, err));
    TN_ASSERT_EQ_I(v.tag, TN_BIGINT);
    TN_ASSERT_OK(tn_json_parse(arena, TN_STR("9223372036854775807"), &v, err));
    TN_ASSERT_EQ_I(v.tag, TN_INT);
    TN_ASSERT_OK(tn_json_parse(arena, TN_STR("1e400"), &v, err));
    TN_ASSERT_EQ_I(v.tag, TN_FLOAT);
}

TN_TEST(refuses_what_is_not_json)
{
    static const char *const bad[] = { "", " ", "{", "[1,]", "{\"a\":}", "{'a':1}", "nul", "01",
        "1 2", "\"\\x\"", "\"a", "NaN", "[1] x", "\"\xff\"" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        tn_val v = TN_VAL_TRUE;
        TN_ASSERT_RC(tn_json_parse(arena, tn_str_of(bad[i]), &v, err), TN_E_SYNTAX);
        TN_ASSERT_EQ_I(v.tag, TN_BOOL); /* untouched */
    }
    tn_val v;
    TN_ASSERT_RC(tn_json_parse(arena, TN_STR("{\"a\": 1,\n \"b\": x}"), &v, err), TN_E_SYNTAX);
    TN_ASSERT_HAS(err->msg, "line 2, column 7");
}

TN_TEST(limits_nesting)
{
    tn_buf b = tn_buf_init(arena, 1 << 16);
    tn_buf_add_repeat(&b, '[', TN_JSON_DEPTH_MAX + 1);
    tn_buf_add_repeat(&b, ']', TN_JSON_DEPTH_MAX + 1);
    tn_val v;
    TN_ASSERT_RC(tn_json_parse(arena, tn_buf_str(&b), &v, err), TN_E_LIMIT);
    TN_ASSERT_OK(tn_json_parse(arena, tn_str_sub(tn_buf_str(&b), 1, b.n - 1), &v, err));
}

TN_TEST(prints_as_json_dumps)
{
    tn_json_style py = { .py_separators = true, .ascii = true, .allow_nan = true };
    TN_ASSERT_EQ_S(round_trip(arena, "{\"a\":[1,2.0],\"b\":\"\xc3\xa9\xf0\x9f\x98\x80\"}", &py),
        "{\"a\": [1, 2.0], \"b\": \"\\u00e9\\ud83d\\ude00\"}");
    tn_json_style pretty = { .indent = 2, .sort_keys = true };
    TN_ASSERT_EQ_S(round_trip(arena, "{\"b\":[],\"a\":[1,{}]}", &pretty),
        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
    tn_val d = tn_val_dict(arena);
    tn_dict_put(d.dict, TN_VAL_TRUE, tn_val_int(1));
    tn_dict_put(d.dict, TN_VAL_NONE, tn_val_float(__builtin_nan("")));
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    tn_json_print(&b, d, &py);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "{\"true\": 1, \"null\": NaN}");
}

typedef struct collected {
    tn_arena *arena;
    tn_buf raws;
} collected;

static tn_rc collect(void *self, tn_val v, tn_str raw, tn_err *err)
{
    (void)err;
    collected *c = self;
    tn_buf_add(&c->raws, raw);
    tn_buf_addc(&c->raws, '=');
    tn_val_repr_to(&c->raws, v);
    tn_buf_addc(&c->raws, ';');
    return TN_OK;
}

TN_TEST(reads_lines_and_values_over_several_lines)
{
    collected c = { arena, tn_buf_init(arena, TN_BUF_NO_LIMIT) };
    TN_ASSERT_OK(tn_json_parse_lines(
        arena, TN_STR("{\"a\":1}\n\n[1,\n2] 3\r\n\"x\\n\"\n"), collect, &c, err));
    TN_ASSERT_EQ_S(tn_buf_str(&c.raws), "{\"a\":1}={'a': 1};[1,\n2]=[1, 2];3=3;\"x\\n\"='x\\n';");
    TN_ASSERT_RC(tn_json_parse_lines(arena, TN_STR("1\n{\"a\"\n"), collect, &c, err), TN_E_SYNTAX);
    TN_ASSERT_EQ_I(err->line, 3);
}

TN_TEST(writer_keeps_commas)
{
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "a");
    tn_jw_arr(&w);
    tn_jw_int(&w, 1);
    tn_jw_null(&w);
    tn_jw_obj(&w);
    tn_jw_obj_end(&w);
    tn_jw_arr_end(&w);
    tn_jw_key(&w, "b");
    tn_jw_bool(&w, true);
    tn_jw_key(&w, "c");
    tn_jw_float(&w, 2);
    tn_jw_key(&w, "d");
    tn_jw_val(&w, tn_val_z("x\"y"));
    tn_jw_obj_end(&w);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "{\"a\":[1,null,{}],\"b\":true,\"c\":2.0,\"d\":\"x\\\"y\"}");
}

TN_TEST(writer_indents_nested_values)
{
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    tn_json_writer w = tn_json_writer_init(&b, 2);
    tn_val list = tn_val_list(arena);
    tn_list_push(list.list, tn_val_int(1));
    tn_jw_obj(&w);
    tn_jw_key(&w, "a");
    tn_jw_val(&w, list);
    tn_jw_key(&w, "e");
    tn_jw_arr(&w);
    tn_jw_arr_end(&w);
    tn_jw_obj_end(&w);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "{\n  \"a\": [\n    1\n  ],\n  \"e\": []\n}");
}
