// layers: duck os text base
/* The matrix: for each expression the cell's text must equal CAST(x AS VARCHAR), its type must equal typeof(x), in a materialised
 * result, in a stream, and inside of lists, structs and maps. */
#include "tn_test.h"

#include "duck/duck.h"
#include "text/sqltext.h"

static tn_conn *open_conn(tn_arena *a, tn_err *err)
{
    tn_duck *d = NULL;
    tn_conn *c = NULL;
    TN_ASSERT_OK(tn_duck_open(&(tn_duck_opts){ .threads = 2 }, &d, err));
    tn_arena_defer(a, (tn_defer_fn)(void (*)(void))tn_duck_close, d);
    TN_ASSERT_OK(tn_duck_connect(d, &c, err));
    tn_arena_defer(a, (tn_defer_fn)(void (*)(void))tn_conn_close, c);
    return c;
}

static const char *const matrix[] = {
    "true",
    "(-128)::TINYINT",
    "255::UTINYINT",
    "(-32768)::SMALLINT",
    "65535::USMALLINT",
    "(-2147483648)::INTEGER",
    "4294967295::UINTEGER",
    "(-9223372036854775808)::BIGINT",
    "18446744073709551615::UBIGINT",
    "0::HUGEINT",
    "170141183460469231731687303715884105727::HUGEINT",
    "(-170141183460469231731687303715884105728)::HUGEINT",
    "340282366920938463463374607431768211455::UHUGEINT",
    "12345678901234567890123456789012345678901234567890::BIGNUM",
    "(-5)::BIGNUM",
    "0::DECIMAL(4,1)",
    "(-0.05)::DECIMAL(4,2)",
    "123.456::DECIMAL(9,3)",
    "(-99999999999999.9999)::DECIMAL(18,4)",
    "12345678901234567890123456789012345.678::DECIMAL(38,3)",
    "(-0.00000000000000000000000000000000000001)::DECIMAL(38,38)",
    "7::DECIMAL(3,0)",
    "0.05::DECIMAL(2,2)",
    "(-0.5)::DECIMAL(1,1)",
    "0::DECIMAL(4,4)",
    "0.1::FLOAT",
    "1e20::FLOAT",
    "16777216::FLOAT",
    "'nan'::FLOAT",
    "'-inf'::FLOAT",
    "0.1::DOUBLE",
    "100::DOUBLE",
    "1e15::DOUBLE",
    "1e16::DOUBLE",
    "123456789012345680::DOUBLE",
    "1e-4::DOUBLE",
    "1e-5::DOUBLE",
    "5e-324::DOUBLE",
    "1.7976931348623157e308::DOUBLE",
    "(-0.0)::DOUBLE",
    "'nan'::DOUBLE",
    "'inf'::DOUBLE",
    "''",
    "'plain'",
    "'it''s \"quoted\", [a] {b} (c) \\ back'",
    "'\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa6 a string longer than twelve bytes'",
    "'a' || chr(0) || 'b'",
    "'\\x00\\x01abc\\xFF''\"'::BLOB",
    "''::BLOB",
    "DATE '2024-02-29'",
    "DATE '0001-01-01'",
    "DATE '9999-12-31'",
    "DATE '10000-01-01'",
    "DATE '0044-03-15 (BC)'",
    "'infinity'::DATE",
    "'-infinity'::DATE",
    "TIME '00:00:00'",
    "TIME '23:59:59.999999'",
    "TIME '12:34:56.5'",
    "TIME '24:00:00'",
    "'12:34:56.5+05:30'::TIMETZ",
    "'12:34:56-15:59:59'::TIMETZ",
    "'12:34:56.123456789'::TIME_NS",
    "TIMESTAMP '2024-01-02 03:04:05'",
    "TIMESTAMP '2024-01-02 03:04:05.100'",
    "TIMESTAMP '1969-12-31 23:59:59.999999'",
    "TIMESTAMP '0001-01-01 00:00:00.000001'",
    "TIMESTAMP '0044-03-15 (BC) 10:00:00'",
    "TIMESTAMP '290000-01-01 00:00:00'",
    "'infinity'::TIMESTAMP",
    "'-infinity'::TIMESTAMP",
    "'2024-01-02 03:04:05'::TIMESTAMP_S",
    "'1960-01-02 03:04:05'::TIMESTAMP_S",
    "'infinity'::TIMESTAMP_S",
    "'2024-01-02 03:04:05.123'::TIMESTAMP_MS",
    "'1960-01-02 03:04:05.123'::TIMESTAMP_MS",
    "'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS",
    "'1960-01-02 03:04:05.000000001'::TIMESTAMP_NS",
    "TIMESTAMPTZ '2024-01-02 03:04:05.5+02'",
    "TIMESTAMPTZ '2024-07-02 03:04:05+00'",
    "TIMESTAMPTZ '1850-07-02 03:04:05+00'",
    "'infinity'::TIMESTAMPTZ",
    "INTERVAL 1 YEAR",
    "INTERVAL '-14 months 3 days -04:05:06.000007'",
    "INTERVAL 0 DAY",
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID",
    "'00000000-0000-0000-0000-000000000000'::UUID",
    "'0101'::BIT",
    "'101010101010101010101'::BIT",
    "'b''c'::ENUM('a', 'b''c', 'd')",
    "'{\"a\": [1, null]}'::JSON",
    "[]",
    "[1, NULL, 3]",
    "[['a, b', NULL], [], NULL, ['it''s', '']]",
    "[DATE '2024-01-01', NULL]",
    "[1.5::DECIMAL(5,2), -0.25]",
    "['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID]",
    "[TIMESTAMPTZ '2024-07-02 03:04:05+00']",
    "[1, 2, 3]::INTEGER[3]",
    "[[1, 2], [3, NULL]]::INTEGER[2][2]",
    "{'a': 1, 'b': 'x'}",
    "{'key': 1, 'we ird': NULL, 'A': {'deep': [INTERVAL 1 DAY]}, 'select': 2}",
    "row(1, 'a', [2])",
    "MAP {'a': 1, 'b': NULL}",
    "MAP {}",
    "MAP {[1, 2]: {'x': 1}}",
    "MAP {'a': MAP {1: '0101'::BIT}}",
    "union_value(num := 5)",
    "union_value(str := 'a')::UNION(num INTEGER, str VARCHAR, l INTEGER[])",
    "{'u': union_value(a := 1), 'e': 'x'::ENUM('x', 'y')}",
    "NULL",
    "NULL::INTEGER[]",
    "[NULL]",
    "{'v': 42}::VARIANT",
    "'POINT (1 2)'::GEOMETRY",
};

static tn_str sql_for(tn_arena *a, const char *x, const char *shape)
{
    return tn_str_printf(a,
        "SELECT %s AS x, CAST(x AS VARCHAR) AS t, typeof(x) AS y FROM (SELECT %s AS v FROM "
        "range(3))",
        shape, x);
}

static bool check_one(tn_conn *c, tn_arena *a, tn_str sql, bool stream, tn_err *err)
{
    tn_result *r = NULL;
    tn_rc rc = stream ? tn_conn_stream(c, sql, &r, err) : tn_conn_query(c, sql, &r, err);
    if (rc != TN_OK) {
        printf("  %.*s: %s\n", TN_STR_ARG(sql), err->msg);
        return false;
    }
    TN_AUTOPTR(tn_result) owned = r;
    size_t n, rows = 0;
    bool ok = true;
    for (;;) {
        TN_ASSERT_OK(tn_result_next(r, &n, err));
        if (n == 0) {
            break;
        }
        for (size_t i = 0; i < n; i++, rows++) {
            tn_str got = TN_STR("<null>"), want = TN_STR("<null>"), type = TN_STR_NONE;
            tn_result_text(r, a, 0, i, &got);
            tn_result_text(r, a, 1, i, &want);
            tn_result_text(r, a, 2, i, &type);
            type = tn_str_replace(
                a, type, TN_STR("\"NULL\""), TN_STR("INTEGER")); /* DuckDB types results so */
            tn_val cell = tn_result_cell(r, a, 0, i);
            if (tn_val_is_none(cell) != tn_str_is(want, "<null>")) {
                printf("  %.*s: a null differs\n", TN_STR_ARG(sql));
                ok = false;
            }
            if (!tn_str_eq(got, want) || !tn_str_eq(tn_result_type(r, 0), type)) {
                printf("  %.*s:\n    text [%.*s] not [%.*s]\n    type [%.*s] not [%.*s]\n",
                    TN_STR_ARG(sql), TN_STR_ARG(got), TN_STR_ARG(want),
                    TN_STR_ARG(tn_result_type(r, 0)), TN_STR_ARG(type));
                ok = false;
            }
        }
    }
    TN_ASSERT_EQ_I(rows, 3);
    return ok;
}

TN_TEST(texts_and_types_equal_what_duckdb_prints)
{
    tn_conn *c = open_conn(arena, err);
    static const char *const shapes[] = { "v", "[v, NULL, v]", "{'f': v}", "MAP {'k': v}",
        "[{'f': [v]}]" };
    static const char *const zones[] = { "UTC", "Europe/Amsterdam", "Asia/Kolkata" };
    int failed = 0;
    for (size_t z = 0; z < TN_COUNTOF(zones); z++) {
        TN_ASSERT_OK(tn_conn_set(c, "TimeZone", tn_val_z(zones[z]), false, err));
        for (size_t i = 0; i < TN_COUNTOF(matrix); i++) {
            for (size_t s = 0; s < (z == 0 ? TN_COUNTOF(shapes) : 1); s++) {
                TN_AUTO_ARENA a = tn_arena_new("case", NULL);
                failed += !check_one(c, a, sql_for(a, matrix[i], shapes[s]), false, err);
                failed += !check_one(c, a, sql_for(a, matrix[i], shapes[s]), true, err);
            }
        }
    }
    TN_ASSERT_EQ_I(failed, 0);
}

TN_TEST(type_text_is_accepted_by_cast)
{
    tn_conn *c = open_conn(arena, err);
    for (size_t i = 0; i < TN_COUNTOF(matrix); i++) {
        tn_val columns = TN_VAL_UNDEF, again = TN_VAL_UNDEF;
        if (tn_str_starts(tn_str_of(matrix[i]), TN_STR("row("))) {
            continue; /* SQL has no words for its type */
        }
        TN_ASSERT_OK(tn_conn_describe(
            c, arena, tn_str_printf(arena, "SELECT %s AS x", matrix[i]), &columns, err));
        tn_str type = tn_val_as_str(columns.list->v[0].list->v[1]);
        TN_ASSERT_OK(tn_conn_describe(c, arena,
            tn_str_printf(arena, "SELECT CAST(NULL AS " TN_STR_FMT ") AS x", TN_STR_ARG(type)),
            &again, err));
        TN_ASSERT(tn_val_eq(columns, again));
    }
}

typedef struct value_case {
    const char *sql;
    const char *type;
    const char *repr;
} value_case;

static const value_case values[] = {
    { "true", "bool", "True" },
    { "7::UTINYINT", "int", "7" },
    { "18446744073709551615::UBIGINT", "int", "18446744073709551615" },
    { "(-9223372036854775808)::HUGEINT", "int", "-9223372036854775808" },
    { "(-170141183460469231731687303715884105728)::HUGEINT", "int",
        "-170141183460469231731687303715884105728" },
    { "9223372036854775807::UHUGEINT", "int", "9223372036854775807" },
    { "(-5)::BIGNUM", "int", "-5" },
    { "99999999999999999999999::BIGNUM", "int", "99999999999999999999999" },
    { "148.5::DECIMAL(12,2)", "Decimal", "Decimal('148.50')" },
    { "0.5::FLOAT", "float", "0.5" },
    { "2::DOUBLE", "float", "2.0" },
    { "'a''b'", "str", "\"a'b\"" },
    { "'\\x01a'::BLOB", "bytes", "b'\\x01a'" },
    { "DATE '2024-02-29'", "date", "datetime.date(2024, 2, 29)" },
    { "'infinity'::DATE", "str", "'infinity'" },
    { "TIME '01:02:03'", "time", "datetime.time(1, 2, 3)" },
    { "TIMESTAMP '2024-01-02 03:04:05'", "datetime", "datetime.datetime(2024, 1, 2, 3, 4, 5)" },
    { "'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS", "datetime",
        "datetime.datetime(2024, 1, 2, 3, 4, 5, 123456)" },
    { "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID", "str",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'" },
    { "INTERVAL 1 DAY", "str", "'1 day'" },
    { "[1, NULL]", "list", "[1, None]" },
    { "[1, 2]::INTEGER[2]", "list", "[1, 2]" },
    { "{'a': 1, 'b': ['x']}", "dict", "{'a': 1, 'b': ['x']}" },
    { "MAP {'k': {'min': '1'}}", "dict", "{'k': {'min': '1'}}" },
    { "row(1, 'a')", "tuple", "(1, 'a')" },
    { "row(INTERVAL 1 DAY, 'a')", "tuple", "('1 day', 'a')" },
    { "MAP {[1]: 2}", "dict", "{'[1]': 2}" },
    { "[INTERVAL 1 DAY]", "list", "['1 day']" },
    { "{'e': 'x'::ENUM('x', 'y'), 'u': union_value(a := 1)}", "dict", "{'e': 'x', 'u': '1'}" },
    { "NULL", "NoneType", "None" },
};

TN_TEST(cells_are_the_values_that_python_would_see)
{
    tn_conn *c = open_conn(arena, err);
    for (size_t i = 0; i < TN_COUNTOF(values); i++) {
        tn_val v = TN_VAL_UNDEF;
        TN_ASSERT_OK(
            tn_conn_scalar(c, arena, tn_str_printf(arena, "SELECT %s", values[i].sql), &v, err));
        TN_ASSERT_EQ_S(tn_val_to_repr(arena, v), values[i].repr);
        TN_ASSERT_EQ_S(tn_val_type_name(v), values[i].type);
    }
}

TN_TEST(parameters_come_back_as_they_went)
{
    tn_conn *c = open_conn(arena, err);
    for (size_t i = 0; i < TN_COUNTOF(values); i++) {
        tn_val v = TN_VAL_UNDEF;
        if (values[i].repr[0] == '(') {
            continue; /* a tuple goes in as a list */
        }
        TN_ASSERT_OK(
            tn_conn_scalar(c, arena, tn_str_printf(arena, "SELECT %s", values[i].sql), &v, err));
        TN_AUTOPTR(tn_result) r = NULL;
        TN_ASSERT_OK(tn_conn_query_params(c, TN_STR("SELECT $1"), &v, 1, &r, err));
        size_t n;
        TN_ASSERT_OK(tn_result_next(r, &n, err));
        TN_ASSERT_EQ_I(n, 1);
        TN_ASSERT_EQ_S(tn_val_to_repr(arena, tn_result_cell(r, arena, 0, 0)), values[i].repr);
    }
}

TN_TEST(sql_values_mean_the_same_as_parameters)
{
    tn_conn *c = open_conn(arena, err);
    for (size_t i = 0; i < TN_COUNTOF(values); i++) {
        tn_val v = TN_VAL_UNDEF, again = TN_VAL_UNDEF;
        if (values[i].repr[0] == '(') {
            continue;
        }
        TN_ASSERT_OK(
            tn_conn_scalar(c, arena, tn_str_printf(arena, "SELECT %s", values[i].sql), &v, err));
        tn_buf b = tn_buf_init(arena, 1 << 20);
        tn_buf_addz(&b, "SELECT ");
        tn_sql_value(&b, v);
        TN_ASSERT_OK(tn_conn_scalar(c, arena, tn_buf_str(&b), &again, err));
        TN_ASSERT_EQ_S(tn_val_to_repr(arena, again), values[i].repr);
    }
}

TN_TEST(wide_chunks_of_nested_values_are_cast_row_for_row)
{
    tn_conn *c = open_conn(arena, err);
    static const char sql[] =
        "SELECT {'i': i, 'l': [uuid, uuid]} AS x, CAST(x AS VARCHAR) AS t, i FROM "
        "(SELECT i, gen_random_uuid() AS uuid FROM range(10000) r(i))";
    for (int stream = 0; stream < 2; stream++) {
        TN_AUTOPTR(tn_result) r = NULL;
        TN_ASSERT_OK((stream ? tn_conn_stream : tn_conn_query)(c, TN_STR(sql), &r, err));
        size_t n, rows = 0;
        for (;;) {
            TN_ASSERT_OK(tn_result_next(r, &n, err));
            for (size_t i = 0; i < n; i++) {
                TN_AUTO_ARENA a = tn_arena_new("row", NULL);
                tn_str got, want;
                TN_ASSERT(tn_result_text(r, a, 0, i, &got) && tn_result_text(r, a, 1, i, &want));
                TN_ASSERT_EQ_S(got, want);
                tn_val cell = tn_result_cell(r, a, 0, i);
                TN_ASSERT(tn_val_eq(tn_val_at(cell, "i"), tn_result_cell(r, a, 2, i)));
                TN_ASSERT_EQ_I(tn_val_at(cell, "l").list->n, 2);
            }
            rows += n;
            if (n == 0) {
                break;
            }
        }
        TN_ASSERT_EQ_I(rows, 10000);
    }
}

TN_TEST(keywords_are_those_of_the_linked_library)
{
    tn_conn *c = open_conn(arena, err);
    tn_val rows = TN_VAL_UNDEF;
    TN_ASSERT_OK(tn_conn_rows(
        c, arena, TN_STR("SELECT keyword_name FROM duckdb_keywords()"), 2000, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        tn_str word = tn_val_as_str(rows.list->v[i].list->v[0]);
        tn_val v = TN_VAL_UNDEF;
        tn_str sql = tn_str_printf(
            arena, "SELECT {'" TN_STR_FMT "': 1, '%.3sq_x': 2}", TN_STR_ARG(word), word.p);
        TN_AUTOPTR(tn_result) r = NULL;
        TN_ASSERT_OK(tn_conn_query(c, sql, &r, err));
        TN_ASSERT_OK(tn_conn_scalar(c, arena,
            tn_str_printf(arena, "SELECT typeof(v) FROM (" TN_STR_FMT ") t(v)", TN_STR_ARG(sql)),
            &v, err));
        TN_ASSERT_EQ_S(tn_result_type(r, 0), tn_val_as_str(v));
    }
}

TN_TEST(the_function_behind_casts_cannot_be_called_by_users)
{
    tn_conn *c = open_conn(arena, err);
    tn_val v = TN_VAL_UNDEF;
    TN_ASSERT_OK(
        tn_conn_scalar(c, arena, TN_STR("SELECT [INTERVAL 1 DAY]"), &v, err)); /* registers it */
    TN_ASSERT_RC(tn_conn_exec(c, TN_STR("FROM tn_column(12345::UBIGINT)"), err), TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "cannot be called");
}
