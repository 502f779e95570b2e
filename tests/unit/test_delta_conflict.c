// layers: base os text store duck delta
/* One test a rule of conflict, and the actions' text both ways. */
#include "tn_test.h"

#include "delta/action/delta_stats.h"
#include "delta/log/delta_commit.h"

static tn_delta_actions parse(tn_arena *arena, const char *text, tn_err *err)
{
    tn_delta_actions acts = tn_delta_actions_empty();
    acts.version = 5;
    TN_ASSERT_OK(tn_delta_actions_parse(arena, tn_str_of(text), "test", &acts, err));
    return acts;
}

static const char ADD[] = "{\"add\":{\"path\":\"a%20b.parquet\",\"partitionValues\":{},\"size\":1,"
                          "\"modificationTime\":2,\"dataChange\":true}}\n";
static const char REMOVE[] =
    "{\"remove\":{\"path\":\"a%20b.parquet\",\"deletionTimestamp\":3,\"dataChange\":true}}\n";
static const char BLIND[] = "{\"commitInfo\":{\"operation\":\"WRITE\",\"isBlindAppend\":true}}\n"
                            "{\"add\":{\"path\":\"c.parquet\",\"partitionValues\":{},\"size\":1,"
                            "\"modificationTime\":2,\"dataChange\":true}}\n";

static tn_delta_txn_plan append_plan(void)
{
    return (tn_delta_txn_plan){ .read_version = 4, .blind_append = true };
}

static tn_delta_txn_plan overwrite_plan(void)
{
    return (tn_delta_txn_plan){ .read_version = 4, .reads_all = true };
}

TN_TEST(appends_pass_appends_and_removes)
{
    tn_delta_txn_plan p = append_plan();
    tn_delta_actions w = parse(arena, ADD, err);
    TN_ASSERT_OK(tn_delta_conflict_check(&p, &w, arena, err));
    w = parse(arena, REMOVE, err);
    TN_ASSERT_OK(tn_delta_conflict_check(&p, &w, arena, err));
}

TN_TEST(overwrite_passes_blind_appends_only)
{
    tn_delta_txn_plan p = overwrite_plan();
    tn_delta_actions w = parse(arena, BLIND, err);
    TN_ASSERT_OK(tn_delta_conflict_check(&p, &w, arena, err));
    tn_delta_meta meta = { .id = TN_STR("x") };
    p.meta = &meta;
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
    p.meta = NULL;
    w = parse(arena, ADD, err);
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
    TN_ASSERT_HAS(err->msg, "version 5");
    w = parse(arena, REMOVE, err);
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
}

TN_TEST(the_same_file_removed_twice)
{
    tn_delta_txn_plan p = { .read_version = 4 };
    tn_delta_actions w = parse(arena, REMOVE, err);
    TN_ASSERT_OK(tn_delta_conflict_check(&p, &w, arena, err));
    tn_delta_remove r = { .path = TN_STR("a b.parquet") }; /* another spelling of the same file */
    tn_vec_push(&p.removes, arena, r);
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
}

TN_TEST(metadata_protocol_domains_txns)
{
    tn_delta_txn_plan p = append_plan();
    tn_delta_actions w = parse(arena,
        "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\","
        "\\\"fields\\\":[]}\"}}",
        err);
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
    w = parse(arena, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":3}}", err);
    TN_ASSERT_OK(tn_delta_conflict_check(&p, &w, arena, err));
    tn_delta_protocol protocol = { .reader = 3, .writer = 7 };
    p.protocol = &protocol;
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
    p.protocol = NULL;
    w = parse(arena,
        "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":["
        "\"newThing\"],\"writerFeatures\":[\"newThing\"]}}",
        err);
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "newThing");
    w = parse(arena,
        "{\"txn\":{\"appId\":\"a\",\"version\":3}}\n{\"domainMetadata\":{\"domain\":\"d\","
        "\"configuration\":\"\",\"removed\":false}}",
        err);
    TN_ASSERT_OK(tn_delta_conflict_check(&p, &w, arena, err));
    tn_delta_txn t = { .app_id = TN_STR("a"), .version = 9 };
    tn_vec_push(&p.txns, arena, t);
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
    p.txns.n = 0;
    tn_delta_domain d = { .domain = TN_STR("d") };
    tn_vec_push(&p.domains, arena, d);
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
    p = append_plan();
    p.read_version = -1;
    TN_ASSERT_RC(tn_delta_conflict_check(&p, &w, arena, err), TN_E_CONFLICT);
}

TN_TEST(actions_print_as_they_were_read)
{
    const char *text =
        "{\"add\":{\"path\":\"p=1/"
        "x.parquet\",\"partitionValues\":{\"p\":\"1\",\"q\":null},\"size\":10,\"modificationTime\":"
        "20,\"dataChange\":true,"
        "\"stats\":\"{\\\"numRecords\\\":3}\",\"tags\":{\"k\":\"v\"},\"deletionVector\":{"
        "\"storageType\":\"u\",\"pathOrInlineDv\":\"ab^-aqEH.-t@S}K{vb[*k^\","
        "\"offset\":4,\"sizeInBytes\":40,\"cardinality\":6},\"baseRowId\":7,"
        "\"defaultRowCommitVersion\":8,\"clusteringProvider\":\"liquid\"}}\n";
    tn_delta_actions acts = parse(arena, text, err);
    tn_buf b = tn_buf_init(arena, 10000);
    tn_delta_print_add(&b, &acts.adds.v[0]);
    TN_ASSERT_EQ_S(tn_buf_str(&b), text);
    tn_str key;
    TN_ASSERT_OK(tn_delta_file_key(arena, acts.adds.v[0].path, &acts.adds.v[0].dv, &key, err));
    TN_ASSERT_EQ_S(key, "p=1/x.parquet\nuab^-aqEH.-t@S}K{vb[*k^@4");
}

TN_TEST(damaged_lines_are_named)
{
    tn_delta_actions acts = tn_delta_actions_empty();
    TN_ASSERT_RC(tn_delta_actions_parse(
                     arena, TN_STR("{\"add\":{\"path\":\"x\"}}\n{\"add\":"), "c.json", &acts, err),
        TN_E_CORRUPT);
    TN_ASSERT_HAS(err->msg, "'c.json' line 2");
    TN_ASSERT_RC(
        tn_delta_actions_parse(arena, TN_STR("{\"add\":{}}"), "c.json", &acts, err), TN_E_CORRUPT);
    TN_ASSERT_RC(tn_delta_actions_parse(
                     arena, TN_STR("{\"protocol\":{\"minReaderVersion\":0}}"), "c", &acts, err),
        TN_E_CORRUPT);
    /* Unknown actions and fields are nothing. */
    TN_ASSERT_OK(tn_delta_actions_parse(arena,
        TN_STR("{\"newAction\":{\"x\":1}}\n\n{\"cdc\":{\"path\":\"y\"}}\n"), "c", &acts, err));
}

TN_TEST(paths_in_one_spelling)
{
    tn_str s;
    TN_ASSERT_OK(tn_delta_path_decode(arena, TN_STR("file:///a/b%20c"), &s, err));
    TN_ASSERT_EQ_S(s, "/a/b c");
    TN_ASSERT_OK(tn_delta_path_decode(arena, TN_STR("file:/a/b"), &s, err));
    TN_ASSERT_EQ_S(s, "/a/b");
    TN_ASSERT_OK(tn_delta_path_decode(arena, TN_STR("s3a://bucket/k%2525"), &s, err));
    TN_ASSERT_EQ_S(s, "s3://bucket/k%25");
}

TN_TEST(types_both_ways)
{
    static const struct {
        const char *sql, *delta, *back;
    } CASES[] = {
        { "BIGINT", "\"long\"", "BIGINT" },
        { "UINTEGER", "\"long\"", "BIGINT" },
        { "DECIMAL(12,2)", "\"decimal(12,2)\"", "DECIMAL(12,2)" },
        { "TIMESTAMP WITH TIME ZONE", "\"timestamp\"", "TIMESTAMP WITH TIME ZONE" },
        { "TIMESTAMP_NS", "\"timestamp_ntz\"", "TIMESTAMP" },
        { "ENUM('a', 'b)')", "\"string\"", "VARCHAR" },
        { "STRUCT(a INTEGER, \"b \"\"c\" VARCHAR[])[]",
            "{\"type\":\"array\",\"elementType\":{\"type\":\"struct\",\"fields\":[{\"name\":\"a\","
            "\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},"
            "{\"name\":\"b "
            "\\\"c\",\"type\":{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true}"
            ",\"nullable\":true,\"metadata\":{}}]},"
            "\"containsNull\":true}",
            "STRUCT(\"a\" INTEGER, \"b \"\"c\" VARCHAR[])[]" },
        { "MAP(VARCHAR, STRUCT(x DATE))",
            "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":{\"type\":\"struct\","
            "\"fields\":[{\"name\":\"x\",\"type\":\"date\",\"nullable\":true,"
            "\"metadata\":{}}]},\"valueContainsNull\":true}",
            "MAP(VARCHAR, STRUCT(\"x\" DATE))" },
        { "FLOAT[3]", "{\"type\":\"array\",\"elementType\":\"float\",\"containsNull\":true}",
            "FLOAT[]" },
    };
    for (size_t i = 0; i < TN_COUNTOF(CASES); i++) {
        tn_delta_type *t;
        TN_ASSERT_OK(tn_delta_type_from_sql(arena, tn_str_of(CASES[i].sql), &t, err));
        tn_buf b = tn_buf_init(arena, 10000);
        tn_delta_schema_print(&b, t);
        TN_ASSERT_EQ_S(tn_buf_str(&b), CASES[i].delta);
        tn_buf_reset(&b);
        tn_delta_type_to_sql(&b, t);
        TN_ASSERT_EQ_S(tn_buf_str(&b), CASES[i].back);
    }
    tn_delta_type *t;
    TN_ASSERT_RC(
        tn_delta_type_from_sql(arena, TN_STR("STRUCT(a TIME)"), &t, err), TN_E_UNSUPPORTED);
    TN_ASSERT_RC(
        tn_delta_type_from_sql(arena, TN_STR("STRUCT(a INTEGER"), &t, err), TN_E_UNSUPPORTED);
    TN_ASSERT_RC(tn_delta_type_from_sql(arena, TN_STR("INTEGER)"), &t, err), TN_E_UNSUPPORTED);
}

TN_TEST(statistics_round_outward)
{
    tn_delta_type *schema;
    TN_ASSERT_OK(tn_delta_schema_parse(arena,
        TN_STR("{\"type\":\"struct\",\"fields\":[{\"name\":\"s\",\"type\":\"string\"},{\"name\":"
               "\"t\",\"type\":\"timestamp\"},"
               "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"b\",\"type\":\"boolean\"},{"
               "\"name\":\"p\",\"type\":\"string\"},"
               "{\"name\":\"n\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":"
               "\"decimal(5,2)\"}]}}]}"),
        &schema, err));
    tn_delta_meta meta = { .schema = schema, .configuration = tn_val_dict(arena) };
    tn_vec_push(&meta.partition_columns, arena, TN_STR("p"));
    tn_val columns = tn_val_dict(arena);
    static const char *const ROWS[][4] = {
        { "\"s\"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaMORE",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\xc3\xa9\xc3\xa9", "0" },
        { "\"t\"", "1969-12-31 23:59:59.999999+00", "2024-01-01 00:00:00.000001+00", "1" },
        { "\"d\"", "-inf", "1e+300", "0" },
        { "\"b\"", "0", "1", "2" },
        { "\"p\"", "a", "b", "0" },
        { "\"n\".\"x\"", "-1.50", "2.00", "3" },
    };
    for (size_t i = 0; i < TN_COUNTOF(ROWS); i++) {
        tn_val c = tn_val_dict(arena);
        tn_dict_putz(c.dict, "min", tn_val_z(ROWS[i][1]));
        tn_dict_putz(c.dict, "max", tn_val_z(ROWS[i][2]));
        tn_dict_putz(c.dict, "null_count", tn_val_z(ROWS[i][3]));
        tn_dict_putz(columns.dict, ROWS[i][0], c);
    }
    tn_buf b = tn_buf_init(arena, 10000);
    meta.schema = schema;
    tn_delta_stats_print(&b, &meta, TN_MAPPING_NONE, NULL, 7, columns);
    TN_ASSERT_EQ_S(tn_buf_str(&b),
        "{\"numRecords\":7,\"minValues\":{\"s\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"t\":\"1969-"
        "12-31T23:59:59.999Z\",\"n\":{\"x\":-1.50}},"
        "\"maxValues\":{\"s\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\xf4\x8f\xbf\xbf\",\"t\":\"2024-01-"
        "01T00:00:00.001Z\",\"d\":1e+300,\"n\":{\"x\":2.00}},"
        "\"nullCount\":{\"s\":0,\"t\":1,\"d\":0,\"b\":2,\"n\":{\"x\":3}}}");
}
