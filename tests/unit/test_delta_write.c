// layers: base os text store duck delta
/* End to end on a local folder: DuckDB writes and reads the files, the log is ours. */
#include "delta_open.h"

#include "delta/log/delta_log.h"
#include "os/clock.h"
#include "os/file.h"
#include "text/json.h"

static tn_delta_write_result put(fixture *f, tn_delta_mode mode, const char *sql, tn_err *err)
{
    tn_delta_write_opts o = { .mode = mode };
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(sql), &o, &r, err));
    return r;
}

static tn_str scan(fixture *f, tn_arena *arena, int64_t version, tn_err *err)
{
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, version, &s, err));
    tn_str sql;
    tn_rc rc = tn_delta_scan_sql(s, arena, NULL, &sql, err);
    tn_delta_snapshot_unref(s);
    TN_ASSERT_OK(rc);
    return sql;
}

/* One value of a query over the table, as text; %s in the query stands for the table. */
static tn_str ask_at(fixture *f, tn_arena *arena, int64_t version, const char *query, tn_err *err)
{
    tn_str sql = tn_str_replace(arena, tn_str_of(query), TN_STR("%s"),
        tn_str_printf(arena, "(" TN_STR_FMT ")", TN_STR_ARG(scan(f, arena, version, err))));
    tn_val v;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena, sql, &v, err));
    return tn_val_to_str(arena, v);
}

static tn_str ask(fixture *f, tn_arena *arena, const char *query, tn_err *err)
{
    return ask_at(f, arena, TN_DELTA_LATEST, query, err);
}

TN_TEST(creates_appends_overwrites)
{
    fixture *f = open_fixture(arena, err);
    bool there = true;
    TN_ASSERT_OK(tn_delta_table_exists(f->table, &there, err));
    TN_ASSERT(!there);
    tn_delta_write_result r =
        put(f, TN_DELTA_CREATE, "SELECT range AS id, 'x' || range AS s FROM range(10)", err);
    TN_ASSERT_EQ_I(r.version, 0);
    TN_ASSERT(r.created);
    TN_ASSERT_EQ_I(r.rows, 10);
    TN_ASSERT_EQ_I(r.files, 1);
    TN_ASSERT_OK(tn_delta_table_exists(f->table, &there, err));
    TN_ASSERT(there);
    r = put(f, TN_DELTA_APPEND, "SELECT 99 AS id, NULL AS s", err);
    TN_ASSERT_EQ_I(r.version, 1);
    TN_ASSERT_EQ_S(
        ask(f, arena, "SELECT count(*) || ' ' || sum(id) || ' ' || count(s) FROM %s", err),
        "11 144 10");
    r = put(f, TN_DELTA_OVERWRITE, "SELECT 7::BIGINT AS id, 'seven' AS s", err);
    TN_ASSERT_EQ_I(r.version, 2);
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT string_agg(id || s) FROM %s", err), "7seven");
    TN_ASSERT_EQ_S(ask_at(f, arena, 0, "SELECT count(*) FROM %s", err), "10");
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE };
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS id"), &o, &r, err), TN_E_EXISTS);
}

TN_TEST(an_empty_table_keeps_its_types)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_result r =
        put(f, TN_DELTA_CREATE, "SELECT 1::DECIMAL(9,2) AS d, [1] AS l WHERE false", err);
    TN_ASSERT_EQ_I(r.files, 0);
    TN_ASSERT_EQ_S(ask(f, arena,
                       "SELECT count(*) || (SELECT typeof(d) || typeof(l) FROM (SELECT d, l FROM "
                       "%s UNION ALL SELECT NULL, NULL)) FROM %s",
                       err),
        "0DECIMAL(9,2)INTEGER[]");
    r = put(f, TN_DELTA_APPEND, "SELECT 1::DECIMAL(9,2) AS d, [1] AS l WHERE false", err);
    TN_ASSERT_EQ_I(r.version, 0);
}

TN_TEST(partitions_with_odd_values)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    tn_vec_push(&o.partition_by, arena, TN_STR("p"));
    tn_vec_push(&o.partition_by, arena, TN_STR("d x"));
    tn_delta_write_result r;
    const char *rows = "SELECT unnest(['a b/c', 'NULL', NULL, '', '\xc3\xa9%:?#', 'x[1]*', "
                       "'q''uo']) AS p, DATE '2024-02-29' AS \"d x\", 1 AS v";
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(rows), &o, &r, err));
    TN_ASSERT_EQ_I(r.rows, 7);
    TN_ASSERT_EQ_S(
        ask(f, arena,
            "SELECT string_agg(coalesce(p, '<null>'), '|' ORDER BY p NULLS FIRST) FROM %s", err),
        "<null>|<null>|NULL|a b/c|q'uo|x[1]*|\xc3\xa9%:?#");
    TN_ASSERT_EQ_S(
        ask(f, arena,
            "SELECT any_value(\"d x\") || ' ' || sum(v) || typeof(any_value(\"d x\")) FROM %s",
            err),
        "2024-02-29 7DATE");
    /* Many values: the joined form of the scan. */
    o.partition_by.n = 0;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
        TN_STR("SELECT 'p' || (range % 50) AS p, DATE '2024-03-01' AS \"d x\", range::INTEGER AS v "
               "FROM range(100)"),
        &o, &r, err));
    TN_ASSERT_EQ_S(ask(f, arena,
                       "SELECT count(*) || ' ' || count(DISTINCT p) || ' ' || sum(v) FILTER (WHERE "
                       "p = 'p7') FROM %s",
                       err),
        "107 55 64");
}

TN_TEST(schema_modes)
{
    fixture *f = open_fixture(arena, err);
    put(f, TN_DELTA_CREATE, "SELECT 1::BIGINT AS id, {'a': 1, 'b': 'x'} AS st", err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    tn_delta_write_result r;
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, TN_STR("SELECT 2 AS id, 'n' AS name"), &o, &r, err),
        TN_E_TYPE);
    TN_ASSERT_HAS(err->msg, "no column 'name'");
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, TN_STR("SELECT 'two' AS id"), &o, &r, err), TN_E_TYPE);
    o.schema_mode = TN_SCHEMA_MERGE;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
        TN_STR("SELECT 2 AS ID, 'n' AS name, {'b': 'y', 'c': 2.5::DOUBLE} AS st"), &o, &r, err));
    TN_ASSERT_EQ_S(ask(f, arena,
                       "SELECT string_agg(id || ':' || coalesce(name, '-') || ':' || st::VARCHAR, "
                       "' ' ORDER BY id) FROM %s",
                       err),
        "1:-:{'a': 1, 'b': x, 'c': NULL} 2:n:{'a': NULL, 'b': y, 'c': 2.5}");
    o.mode = TN_DELTA_OVERWRITE;
    o.schema_mode = TN_SCHEMA_OVERWRITE;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 'z' AS other"), &o, &r, err));
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT string_agg(other) FROM %s", err), "z");
    TN_ASSERT_EQ_S(ask_at(f, arena, 1, "SELECT count(name) FROM %s", err), "1");
}

TN_TEST(sums_of_integers_are_exact_or_refused)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
        TN_STR("SELECT sum(i) AS total, 18446744073709551615::UBIGINT AS u, 5::BIGINT AS small "
               "FROM (VALUES (9223372036854775807), (9223372036854775807)) t(i)"),
        &o, &r, err));
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT total FROM %s", err), "18446744073709551614");
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT typeof(total) || typeof(u) FROM %s", err),
        "DECIMAL(38,0)DECIMAL(20,0)");
    /* into a column that is narrower: the value decides */
    TN_ASSERT_OK(tn_delta_write(
        f->table, f->conn, TN_STR("SELECT 1 AS total, 2 AS u, sum(7) AS small"), &o, &r, err));
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT sum(small) FROM %s", err), "12");
    TN_ASSERT(tn_delta_write(f->table, f->conn,
                  TN_STR("SELECT 1 AS total, 2 AS u, 9223372036854775808::HUGEINT AS small"), &o,
                  &r, err) != TN_OK);
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT sum(small) FROM %s", err), "12");
}

TN_TEST(refuses_types_that_delta_lacks)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    tn_delta_write_result r;
    TN_ASSERT_RC(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1::UHUGEINT AS h"), &o, &r, err),
        TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "'h'");
    TN_ASSERT_HAS(err->hint, "DECIMAL(38,0)");
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS a, 2 AS \"A\""), &o, &r, err),
        TN_E_VALUE);
    tn_file_infos left = { 0 };
    TN_ASSERT_RC(tn_dir_list(arena, f->dir, true, &left, err), TN_E_NOTFOUND);
}

TN_TEST(idempotent_writes)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .app_id = TN_STR("load"), .txn_version = 5 };
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS id"), &o, &r, err));
    TN_ASSERT(!r.skipped);
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS id"), &o, &r, err));
    TN_ASSERT(r.skipped);
    TN_ASSERT_EQ_I(r.version, 0);
    o.txn_version = 6;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 2 AS id"), &o, &r, err));
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT sum(id) FROM %s", err), "3");
}

TN_TEST(constraints_hold)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE, .properties = tn_val_dict(arena) };
    tn_dict_putz(o.properties.dict, "delta.constraints.positive", tn_val_z("id > 0"));
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS id"), &o, &r, err));
    o.mode = TN_DELTA_APPEND;
    o.properties = TN_VAL_UNDEF;
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, TN_STR("SELECT -1 AS id"), &o, &r, err), TN_E_DATA);
    TN_ASSERT_HAS(err->msg, "'positive'");
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT count(*) FROM %s", err), "1");
    /* The file of the refused write is gone. */
    tn_file_infos left = { 0 };
    TN_ASSERT_OK(tn_dir_list(arena, f->dir, false, &left, err));
    TN_ASSERT_EQ_I(left.n, 2);
}

TN_TEST(checkpoints_carry_the_state)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .app_id = TN_STR("app") };
    tn_delta_write_result r;
    tn_vec_push(&o.partition_by, arena, TN_STR("p"));
    for (int i = 0; i < 23; i++) {
        o.txn_version = i + 1;
        o.mode = i == 4 ? TN_DELTA_OVERWRITE : TN_DELTA_APPEND;
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
            tn_str_printf(arena, "SELECT %d AS id, '%c' AS p", i, 'a' + i % 3), &o, &r, err));
    }
    /* Without the commits before the checkpoint a new reader must see the same. */
    for (int i = 0; i < 20; i++) {
        tn_str path =
            tn_str_printf(arena, TN_STR_FMT "/_delta_log/%020d.json", TN_STR_ARG(f->dir), i);
        TN_ASSERT_OK(tn_file_remove(path, err));
    }
    tn_delta_table *t;
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    tn_delta_table_close(f->table);
    f->table = t;
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT count(*) || ' ' || sum(id) FROM %s", err), "19 247");
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, err));
    int64_t txn = tn_delta_snapshot_txn(s, TN_STR("app"));
    int64_t rows = tn_delta_snapshot_rows(s);
    size_t tombs = tn_delta_snapshot_tombstones(s)->n;
    tn_delta_snapshot_unref(s);
    TN_ASSERT_EQ_I(txn, 23);
    TN_ASSERT_EQ_I(rows, 19);
    TN_ASSERT_EQ_I(tombs, 4);
    TN_ASSERT_RC(tn_delta_snapshot_open(t, f->conn, 7, &s, err), TN_E_NOTFOUND);
    /* A checkpoint that is damaged is passed over when the log can do without it. */
    tn_str bad = tn_str_printf(
        arena, TN_STR_FMT "/_delta_log/%020d.checkpoint.parquet", TN_STR_ARG(f->dir), 20);
    TN_ASSERT_OK(tn_file_write(bad, TN_STR("PAR1 nonsense"), err));
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    tn_delta_table_close(f->table);
    f->table = t;
    tn_rc rc = tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, err);
    TN_ASSERT(rc != TN_OK); /* here the commits are gone, so it must not open with rows missing */
}

TN_TEST(history_and_restore)
{
    fixture *f = open_fixture(arena, err);
    put(f, TN_DELTA_CREATE, "SELECT 1 AS id", err);
    put(f, TN_DELTA_APPEND, "SELECT 2 AS id", err);
    put(f, TN_DELTA_OVERWRITE, "SELECT 3 AS id", err);
    int64_t version;
    TN_ASSERT_OK(tn_delta_restore(f->table, f->conn, 1, &version, err));
    TN_ASSERT_EQ_I(version, 3);
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT sum(id) FROM %s", err), "3");
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT count(*) FROM %s", err), "2");
    tn_val list;
    TN_ASSERT_OK(tn_delta_history(f->table, arena, 2, &list, err));
    TN_ASSERT_EQ_I(list.list->n, 2);
    TN_ASSERT_EQ_S(tn_val_str_at(list.list->v[0], "operation", TN_STR_NONE), "RESTORE");
    TN_ASSERT_EQ_I(tn_val_int_at(list.list->v[1], "version", -1), 2);
}

TN_TEST(properties_shape_the_protocol)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE, .properties = tn_val_dict(arena) };
    tn_dict_putz(o.properties.dict, "delta.enableDeletionVectors", TN_VAL_TRUE);
    tn_dict_putz(o.properties.dict, "delta.appendOnly", tn_val_z("true"));
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
        TN_STR("SELECT TIMESTAMP '2024-01-01 00:00:00.123456' AS t"), &o, &r, err));
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    const tn_delta_protocol *p = tn_delta_snapshot_protocol(s);
    TN_ASSERT_EQ_I(p->reader, 3);
    TN_ASSERT_EQ_I(p->writer, 7);
    TN_ASSERT_EQ_I(p->reader_features.n, 2);
    TN_ASSERT_EQ_I(p->writer_features.n, 4);
    TN_ASSERT_EQ_S(tn_delta_snapshot_file(s, 0)->stats,
        "{\"numRecords\":1,\"minValues\":{\"t\":\"2024-01-01T00:00:00.123\"},\"maxValues\":{\"t\":"
        "\"2024-01-01T00:00:00.124\"},"
        "\"nullCount\":{\"t\":0}}");
    tn_delta_snapshot_unref(s);
    o = (tn_delta_write_opts){ .mode = TN_DELTA_OVERWRITE };
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, TN_STR("SELECT now()::TIMESTAMP AS t"), &o, &r, err),
        TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "append-only");
}

static void put_log(
    fixture *f, tn_arena *arena, const char *schema, const char *configuration, tn_err *err)
{
    tn_buf b = tn_buf_init(arena, 100000);
    tn_buf_addz(&b, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n{\"metaData\":"
                    "{\"id\":\"x\",\"format\":{\"provider\":\"parquet\"},\"schemaString\":");
    tn_json_add_str(&b, tn_str_of(schema));
    tn_buf_addf(&b, ",\"partitionColumns\":[],\"configuration\":{%s}}}\n", configuration);
    TN_ASSERT_OK(tn_store_prepare(f->plain, TN_STR("_delta_log/0"), err));
    TN_ASSERT_OK(tn_store_put(f->plain, TN_STR("_delta_log/00000000000000000000.json"),
        tn_buf_str(&b), TN_PUT_IF_ABSENT, err));
}

/* Every place where a schema may say "not null" refuses a NULL, and takes what is whole. */
TN_TEST(not_null_at_every_depth)
{
    static const struct {
        const char *sql;
        bool fits;
    } CASES[] = {
        { "SELECT 1 AS id, {'a': 1, 'b': 2} AS st, [1] AS li, MAP {'k': {'x': 1}} AS mp", true },
        { "SELECT 1 AS id, {'a': 1, 'b': NULL} AS st, NULL::INTEGER[] AS li, NULL::MAP(VARCHAR, "
          "STRUCT(x INTEGER)) AS mp",
            true },
        { "SELECT NULL::INTEGER AS id, {'a': 1, 'b': 2} AS st, [1] AS li, MAP {'k': {'x': 1}} AS "
          "mp",
            false },
        { "SELECT 1 AS id, NULL::STRUCT(a INTEGER, b INTEGER) AS st, [1] AS li, MAP {'k': {'x': "
          "1}} AS mp",
            false },
        { "SELECT 1 AS id, {'a': NULL::INTEGER, 'b': 2} AS st, [1] AS li, MAP {'k': {'x': 1}} AS "
          "mp",
            false },
        { "SELECT 1 AS id, {'a': 1, 'b': 2} AS st, [1, NULL] AS li, MAP {'k': {'x': 1}} AS mp",
            false },
        { "SELECT 1 AS id, {'a': 1, 'b': 2} AS st, [1] AS li, MAP {'k': {'x': NULL::INTEGER}} AS "
          "mp",
            false },
        { "SELECT {'a': 1, 'b': 2} AS st", false },
    };
    fixture *f = open_fixture(arena, err);
    put_log(f, arena,
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"integer\",\"nullable\":false}"
        ","
        "{\"name\":\"st\",\"nullable\":false,\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":"
        "\"a\",\"type\":\"integer\",\"nullable\":false},{\"name\":\"b\",\"type\":\"integer\"}]}},"
        "{\"name\":\"li\",\"type\":{\"type\":\"array\",\"elementType\":\"integer\","
        "\"containsNull\":false}},"
        "{\"name\":\"mp\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",\"valueContainsNull\":"
        "true,\"valueType\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"integer\","
        "\"nullable\":false}]}}}]}",
        "", err);
    int fitting = 0;
    for (size_t i = 0; i < TN_COUNTOF(CASES); i++) {
        tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
        tn_delta_write_result r;
        tn_err why = TN_ERR_INIT;
        tn_rc rc = tn_delta_write(f->table, f->conn, tn_str_of(CASES[i].sql), &o, &r, &why);
        if (rc != (CASES[i].fits ? TN_OK : TN_E_DATA)) {
            TN_FAIL("%s: %s %s", CASES[i].sql, tn_rc_name(rc), why.msg);
        }
        fitting += CASES[i].fits;
    }
    TN_ASSERT_EQ_S(ask(f, arena, "SELECT count(*) FROM %s", err), "2");
    TN_ASSERT_EQ_I(fitting, 2);
}

/* In-commit timestamps only grow, whatever the clock says. */
TN_TEST(a_log_that_was_removed_does_not_come_back)
{
    fixture *f = open_fixture(arena, err);
    put(f, TN_DELTA_APPEND, "SELECT 1 AS id", err);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    tn_str log = tn_store_locate(f->plain, arena, TN_STR("_delta_log"));
    TN_ASSERT_OK(tn_file_remove_tree(log, err));
    tn_delta_txn_plan p = { .read_version = 0, .base = s, .operation = TN_STR("WRITE") };
    int64_t version;
    TN_ASSERT_RC(tn_delta_commit_write(f->table, &p, &version, err), TN_E_NOTFOUND);
    TN_ASSERT_HAS(err->msg, "the table's log was removed while version 1 was made");
    TN_ASSERT(!tn_file_exists(log));
}

TN_TEST(in_commit_timestamps_grow)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE, .properties = tn_val_dict(arena) };
    tn_dict_putz(o.properties.dict, "delta.enableInCommitTimestamps", tn_val_z("true"));
    tn_delta_write_result r;
    tn_clock_fix(INT64_C(1700000000000000));
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS id"), &o, &r, err));
    tn_clock_fix(INT64_C(1600000000000000)); /* the clock went back */
    put(f, TN_DELTA_APPEND, "SELECT 2 AS id", err);
    tn_clock_fix(0);
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    int64_t ms = tn_delta_snapshot_timestamp_ms(s);
    tn_delta_snapshot_unref(s);
    TN_ASSERT_EQ_I(ms, INT64_C(1700000000001));
    TN_ASSERT_OK(tn_delta_snapshot_at_time(f->table, f->conn, INT64_C(1700000000000), &s, err));
    int64_t version = tn_delta_snapshot_version(s);
    tn_delta_snapshot_unref(s);
    TN_ASSERT_EQ_I(version, 0);
    TN_ASSERT_RC(tn_delta_snapshot_at_time(f->table, f->conn, 5, &s, err), TN_E_NOTFOUND);
}
