// layers: base os text store duck delta
/* Checkpoints of every kind say what the commits before them say; _last_checkpoint's checksum is the protocol's. */
#include "delta_fixture.h"

#include "delta/delta_dml.h"
#include "delta/log/delta_checkpoint.h"
#include "text/json.h"

static void make(fixture *f, const char *const *properties, tn_arena *arena, tn_err *err)
{
    static const char SELECT[] =
        "SELECT range AS id, 'x' || range AS s, (range * 1.5)::DECIMAL(38, 10) + "
        "100000 AS d, DATE '2024-01-01' + range::INTEGER AS day, "
        "TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_seconds(range) AS t, TIMESTAMP '2024-02-01' AS "
        "n, {'a': range, 'b': range %% 2 = 0, 'c': [range]} AS st, range / 3.0::DOUBLE AS f, "
        "range %% 2 AS p, TIMESTAMPTZ '2020-01-01 01:02:03.5+00' AS q FROM range(%d, %d)";
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .properties = tn_val_dict(arena) };
    for (size_t i = 0; properties[i] != NULL; i += 2) {
        tn_dict_putz(o.properties.dict, properties[i], tn_val_z(properties[i + 1]));
    }
    tn_vec_push(&o.partition_by, arena, TN_STR("p"));
    tn_vec_push(&o.partition_by, arena, TN_STR("q"));
    tn_delta_write_result r;
    o.app_id = TN_STR("loader");
    for (int i = 0; i < 4; i++) {
        TN_ASSERT_OK(tn_delta_write(
            f->table, f->conn, tn_str_printf(arena, SELECT, i * 10, i * 10 + 10), &o, &r, err));
        o.properties = TN_VAL_UNDEF;
        o.txn_version++;
    }
    tn_delta_dml_result d;
    TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, TN_STR("id % 5 = 0"), NULL, &d, err));
}

static tn_val all_rows(fixture *f, tn_arena *arena, tn_err *err)
{
    return ask(f, "SELECT list(t ORDER BY id)::VARCHAR FROM t", arena, err);
}

/* Everything below the newest version is taken away: what is left rests on the checkpoint alone. */
static void forget_commits(fixture *f, tn_arena *arena, tn_err *err)
{
    for (int v = 0; v < 4; v++) {
        TN_ASSERT_OK(
            tn_store_remove(f->plain, tn_str_printf(arena, "_delta_log/%020d.json", v), err));
    }
}

static tn_val hint_of(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_str text;
    tn_val v;
    TN_ASSERT_OK(
        tn_store_get(f->plain, arena, TN_STR("_delta_log/_last_checkpoint"), 1 << 24, &text, err));
    TN_ASSERT_OK(tn_json_parse(arena, text, &v, err));
    TN_ASSERT_EQ_S(tn_val_str_at(v, "checksum", TN_STR("")), tn_delta_json_checksum(arena, v));
    return v;
}

/* Whatever form the checkpoint keeps them in: a file that is added again takes them along. */
static void same_statistics(
    const tn_delta_snapshot *x, const tn_delta_snapshot *y, tn_arena *arena, tn_err *err)
{
    for (size_t i = 0; i < x->files.n; i++) {
        tn_val was;
        TN_ASSERT_EQ_S(y->files.v[i].path, x->files.v[i].path);
        TN_ASSERT_OK(tn_json_parse(arena, x->files.v[i].stats, &was, err));
        tn_val is;
        TN_ASSERT_OK(tn_json_parse(arena, y->files.v[i].stats, &is, err));
        if (!tn_val_eq(was, is)) {
            TN_FAIL(TN_STR_FMT " became " TN_STR_FMT, TN_STR_ARG(x->files.v[i].stats),
                TN_STR_ARG(y->files.v[i].stats));
        }
    }
}

static void round_trip(const char *const *properties, bool v2, tn_arena *arena, tn_err *err)
{
    fixture *f = open_fixture(arena, err);
    make(f, properties, arena, err);
    tn_val before = all_rows(f, arena, err);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    TN_ASSERT_OK(tn_delta_checkpoint(f->table, f->conn, s, err));
    tn_val hint = hint_of(f, arena, err);
    TN_ASSERT_EQ_I(tn_val_int_at(hint, "version", -1), 4);
    TN_ASSERT_EQ_I(tn_val_int_at(hint, "numOfAddFiles", -1), (int64_t)s->files.n);
    TN_ASSERT_EQ_I(tn_val_at(hint, "v2Checkpoint").tag == TN_DICT, v2);
    forget_commits(f, arena, err);
    TN_AUTOPTR(tn_delta_table) t = NULL;
    TN_AUTOPTR(tn_delta_snapshot) again = NULL;
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &again, err));
    TN_ASSERT_EQ_I(again->checkpoint_version, 4);
    TN_ASSERT_EQ_I(again->files.n, s->files.n);
    TN_ASSERT_EQ_I(again->tombstones.n, s->tombstones.n);
    TN_ASSERT_EQ_I(tn_delta_snapshot_txn(again, TN_STR("loader")), 3);
    TN_ASSERT_EQ_I(tn_delta_snapshot_rows(again), 32);
    TN_ASSERT_EQ_S(tn_val_as_str(all_rows(f, arena, err)), tn_val_as_str(before));
    same_statistics(s, again, arena, err);
    /* statistics skip as before, and never what is asked for */
    static const char *const WHERE[] = { "id = 21", "d > 100050.5", "s = 'x7'",
        "day = DATE '2024-01-13'", "t < TIMESTAMPTZ '2024-01-01 00:00:05+00'", "st.a = 33",
        "p = 1 AND id < 5" };
    for (size_t i = 0; i < TN_COUNTOF(WHERE); i++) {
        tn_delta_scan_opts all = { .conn = NULL };
        tn_delta_scan_opts some = { .where = tn_str_of(WHERE[i]), .conn = f->conn };
        tn_str x;
        tn_str y;
        tn_val nx;
        tn_val ny;
        TN_ASSERT_OK(tn_delta_scan_sql(again, arena, &all, &x, err));
        TN_ASSERT_OK(tn_delta_scan_sql(again, arena, &some, &y, err));
        if (y.n >= x.n) {
            TN_FAIL("'%s' leaves no file out", WHERE[i]);
        }
        static const char COUNT[] = "SELECT count(*)::BIGINT FROM (" TN_STR_FMT ") WHERE %s";
        TN_ASSERT_OK(tn_conn_scalar(
            f->conn, arena, tn_str_printf(arena, COUNT, TN_STR_ARG(x), WHERE[i]), &nx, err));
        TN_ASSERT_OK(tn_conn_scalar(
            f->conn, arena, tn_str_printf(arena, COUNT, TN_STR_ARG(y), WHERE[i]), &ny, err));
        TN_ASSERT(nx.i > 0);
        TN_ASSERT_EQ_I(ny.i, nx.i);
    }
}

TN_TEST(classic)
{
    static const char *const p[] = { "delta.enableDeletionVectors", "true", NULL };
    round_trip(p, false, arena, err);
}

TN_TEST(classic_with_structs_only)
{
    static const char *const p[] = { "delta.checkpoint.writeStatsAsStruct", "true",
        "delta.checkpoint.writeStatsAsJson", "false", "delta.enableDeletionVectors", "true", NULL };
    round_trip(p, false, arena, err);
}

TN_TEST(v2_with_sidecars)
{
    static const char *const p[] = { "delta.checkpointPolicy", "v2", "delta.enableDeletionVectors",
        "true", NULL };
    round_trip(p, true, arena, err);
}

TN_TEST(v2_with_structs_and_mapped_columns)
{
    static const char *const p[] = { "delta.checkpointPolicy", "v2", "delta.columnMapping.mode",
        "name", "delta.enableDeletionVectors", "true", "delta.checkpoint.writeStatsAsStruct",
        "true", "delta.checkpoint.writeStatsAsJson", "false", NULL };
    round_trip(p, true, arena, err);
}

/* A profile's or a container's little memory is enough for a little checkpoint; one long line gets the room that it needs. */
TN_TEST(little_memory)
{
    static const char *const none[] = { NULL };
    fixture *f = open_fixture(arena, err);
    make(f, none, arena, err);
    TN_ASSERT_OK(tn_conn_set(f->conn, "memory_limit", tn_val_z("150MB"), true, err));
    for (int i = 0; i < 2; i++) {
        TN_AUTOPTR(tn_delta_snapshot) s = NULL;
        TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
        TN_ASSERT_OK(tn_delta_checkpoint(f->table, f->conn, s, err));
        tn_buf b = tn_buf_init(arena, 8 << 20);
        tn_buf_addz(&b, "{\"txn\":{\"appId\":\"");
        for (int k = 0; k < 6 << 20; k++) {
            tn_buf_addc(&b, 'x');
        }
        tn_buf_addz(&b, "\",\"version\":1}}\n");
        tn_str key = tn_str_printf(arena, "_delta_log/%020d.json", 5 + i);
        TN_ASSERT_OK(tn_store_put(f->plain, key, tn_buf_str(&b), TN_PUT_IF_ABSENT, err));
    }
    TN_ASSERT(tn_val_int_at(hint_of(f, arena, err), "version", -1) == 5);
}

TN_TEST(numbers_are_quoted_exactly)
{
    tn_buf b = tn_buf_init(arena, 4096);
    TN_ASSERT(
        tn_delta_quote_numbers(&b, TN_STR("{\"a\":{\"1\":-1.50,\"b\\\"2\":\"3 "
                                          "4\"},\"n\":[12345678901234567890.1,1e-3],\"t\":true}")));
    TN_ASSERT_EQ_S(tn_buf_str(&b), "{\"a\":{\"1\":\"-1.50\",\"b\\\"2\":\"3 4\"},\"n\":["
                                   "\"12345678901234567890.1\",\"1e-3\"],\"t\":true}");
    tn_buf_reset(&b);
    TN_ASSERT(!tn_delta_quote_numbers(&b, TN_STR("{\"a\":1")));
    TN_ASSERT(!tn_delta_quote_numbers(&b, TN_STR("[1]")));
}

TN_TEST(checksum_of_the_protocol)
{
    tn_val v;
    TN_ASSERT_OK(tn_json_parse(arena,
        TN_STR("{\"k0\":\"'v 0'\",\"checksum\":\"adsaskfljadfkjadfkj\",\"k1\":{\"k2\":2,\"k3\":["
               "\"v3\",[1,2],{\"k4\":\"v4\",\"k5\":[\"v5\",\"v6\",\"v7\"]}]}}"),
        &v, err));
    TN_ASSERT_EQ_S(tn_delta_json_checksum(arena, v), "6a92d155a59bf2eecbd4b4ec7fd1f875");
}
