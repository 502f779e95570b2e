// layers: base os text store duck delta
/* Pruning leaves out files only on proof: each predicate gives the same rows with and without it, and the easy ones do prune. */
#include "tn_test.h"

#include "delta/delta_impl.h"
#include "text/hash.h"

typedef struct fixture {
    tn_duck *duck;
    tn_conn *conn;
    tn_store *store;
    tn_delta_table *table;
    tn_delta_snapshot *s;
} fixture;

static void close_fixture(void *p)
{
    fixture *f = p;
    tn_delta_snapshot_unref(f->s);
    tn_delta_table_close(f->table);
    tn_store_unref(f->store);
    tn_conn_close(f->conn);
    tn_duck_close(f->duck);
}

static fixture *open_fixture(tn_arena *arena, tn_err *err)
{
    fixture *f = tn_new(arena, fixture);
    tn_str dir = tn_str_of(tn_arena_printf(arena, "%s/t", tn_test_dir(arena)));
    tn_arena_defer(arena, close_fixture, f);
    tn_duck_opts opts = { .threads = 1 };
    TN_ASSERT_OK(tn_duck_open(&opts, &f->duck, err));
    TN_ASSERT_OK(tn_duck_connect(f->duck, &f->conn, err));
    TN_ASSERT_OK(tn_store_open(dir, NULL, &f->store, err));
    TN_ASSERT_OK(tn_delta_table_open(f->store, &f->table, err));
    return f;
}

static tn_str scan(fixture *f, tn_arena *arena, tn_str where, tn_err *err)
{
    tn_delta_scan_opts o = { .where = where, .conn = f->conn };
    tn_str sql;
    TN_ASSERT_OK(tn_delta_scan_sql(f->s, arena, &o, &sql, err));
    return sql;
}

static int64_t count_where(fixture *f, tn_arena *arena, tn_str sql, tn_str where, tn_err *err)
{
    tn_val v;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena, "SELECT count(*) FROM (" TN_STR_FMT ") AS t WHERE " TN_STR_FMT,
            TN_STR_ARG(sql), TN_STR_ARG(where)),
        &v, err));
    return v.i;
}

static int files_named(tn_str sql)
{
    int n = 0;
    for (size_t at = 0; (at = tn_str_find(sql, TN_STR(".parquet'"), at)) != SIZE_MAX; at++) {
        n++;
    }
    return n;
}

TN_TEST(pruning_keeps_every_row)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    tn_vec_push(&o.partition_by, arena, TN_STR("p"));
    for (int i = 0; i < 6; i++) {
        tn_delta_write_result r;
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
            tn_str_printf(arena,
                "SELECT range + %d AS id, CASE WHEN %d <> 2 THEN 's' || (range + %d) END AS s, "
                "CASE WHEN range = 7 THEN 'nan'::DOUBLE ELSE (range + %d) / 10 END AS x, "
                "DATE '2024-01-01' + (range + %d)::INTEGER AS d, TIMESTAMPTZ '2024-01-01 "
                "00:00:00.0005+00' + to_hours(range + %d) AS z, "
                "TIMESTAMP '2024-01-01' + to_hours(range + %d) AS t, ((range + %d) / "
                "4)::DECIMAL(9,2) AS m, {'a': range + %d} AS st, "
                "nullif('p%d', 'p3') AS p FROM range(100)",
                i * 100, i, i * 100, i * 100, i * 100, i * 100, i * 100, i * 100, i * 100, i),
            &o, &r, err));
    }
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &f->s, err));
    static const struct {
        const char *where;
        int files; /* that remain; -1: whatever */
    } CASES[] = {
        { "id = 250", 1 },
        { "250 = id", 1 },
        { "id < 100", 1 },
        { "id <= 100", 2 },
        { "id > 499", 1 },
        { "id >= 600", 0 },
        { "id > 98.5 AND id < 99.5", 1 },
        { "id BETWEEN 150 AND 250", 2 },
        { "id IN (1, 599)", 2 },
        { "id = 5 OR id = 205", 2 },
        { "NOT id = 5", 6 },
        { "id <> 5", 6 },
        { "s IS NULL", 1 },
        { "s IS NOT NULL", 5 },
        { "s = 's5'", -1 },
        { "s < 's1'", -1 },
        { "upper(s) = 'S5'", 6 },
        { "p = 'p1'", 1 },
        { "p IS NULL", 1 },
        { "p IN ('p4', 'p5')", 2 },
        { "p > 'p3'", 2 },
        { "p = 'p1' AND id > 300", 0 },
        { "t.p = 'p1'", 1 },
        { "x < 5", 6 },
        { "x > 55", 6 },
        { "x = 12.3", -1 },
        { "x >= 1000000", 6 },
        { "d = DATE '2024-01-05'", 1 },
        { "d = '2024-01-05'", 1 },
        { "d >= '2025-07-01'", -1 },
        { "d > TIMESTAMP '2024-01-05 12:00:00'", -1 },
        { "z = TIMESTAMPTZ '2024-01-01 00:00:00.0005+00'", 1 },
        { "z < TIMESTAMPTZ '2024-01-01 00:00:00.0006+00'", 1 },
        { "z < '2024-01-05'", -1 },
        { "t = TIMESTAMP '2024-01-02'", 1 },
        { "t = '2024-01-02 00:00:00'", 1 },
        { "t >= DATE '2024-01-25'", 1 },
        { "m = 24.75", 1 },
        { "m > 24.75 AND m < 24.999", -1 },
        { "st.a = 150", 1 },
        { "st.a > 1e3", 0 },
        { "id = 5 AND (s = 'no' OR true)", 1 },
        { "true", 6 },
        { "id::VARCHAR = '5'", 6 },
        { "id = id", 6 },
        { "id = NULL", 6 },
        { "p || 'x' = 'p1x'", 6 },
    };
    for (size_t i = 0; i < TN_COUNTOF(CASES); i++) {
        tn_str where = tn_str_of(CASES[i].where);
        tn_str pruned = scan(f, arena, where, err);
        int64_t want = count_where(f, arena, scan(f, arena, TN_STR_NONE, err), where, err);
        int64_t got = count_where(f, arena, pruned, where, err);
        int n = files_named(pruned);
        if (got != want || (CASES[i].files >= 0 && n != CASES[i].files)) {
            TN_FAIL("%s: %" PRId64 " rows of %" PRId64 ", %d files", CASES[i].where, got, want, n);
        }
    }
    /* A predicate that DuckDB does not take prunes nothing and is no error here. */
    TN_ASSERT_EQ_I(files_named(scan(f, arena, TN_STR("id === ("), err)), 6);
}

/* The protocol's example: rows 3, 4, 7, 11, 18, 29 as an inline vector. */
TN_TEST(inline_deletion_vector_of_the_protocol)
{
    tn_delta_dv dv = { .storage = 'i',
        .path_or_inline = TN_STR("wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"),
        .offset = -1,
        .size_bytes = 40,
        .cardinality = 6 };
    uint64_t *rows;
    size_t n;
    TN_ASSERT_OK(tn_delta_dv_read(NULL, arena, &dv, &rows, &n, err));
    static const uint64_t WANT[] = { 3, 4, 7, 11, 18, 29 };
    TN_ASSERT_EQ_I(n, 6);
    for (size_t i = 0; i < n; i++) {
        TN_ASSERT_EQ_I(rows[i], WANT[i]);
    }
    /* The same rows in the portable form that is written today. */
    dv.path_or_inline = TN_STR("^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L");
    dv.size_bytes = 44;
    TN_ASSERT_OK(tn_delta_dv_read(NULL, arena, &dv, &rows, &n, err));
    TN_ASSERT_EQ_I(n, 6);
    TN_ASSERT_EQ_I(rows[5], 29);
    dv.cardinality = 5;
    TN_ASSERT_RC(tn_delta_dv_read(NULL, arena, &dv, &rows, &n, err), TN_E_CORRUPT);
    /* Every cut and every flipped byte is refused or read, never a crash. */
    tn_str raw;
    TN_ASSERT(tn_z85_decode(arena, dv.path_or_inline, &raw));
    for (size_t i = 0; i < raw.n * 8; i++) {
        char bad[64];
        memcpy(bad, raw.p, raw.n);
        bad[i / 8] = (char)(bad[i / 8] ^ (1 << (i % 8)));
        tn_buf b = tn_buf_init(arena, 1000);
        tn_z85_encode(&b, (const uint8_t *)bad, raw.n);
        dv = (tn_delta_dv){ .storage = 'i',
            .path_or_inline = tn_buf_str(&b),
            .offset = -1,
            .size_bytes = (int64_t)(raw.n - i % 5),
            .cardinality = 6 };
        (void)!tn_delta_dv_read(NULL, arena, &dv, &rows, &n, err);
    }
}

TN_TEST(features_by_name)
{
    tn_delta_protocol p = { .reader = 3, .writer = 7 };
    tn_vec_push(&p.reader_features, arena, TN_STR("catalogManaged"));
    TN_ASSERT_RC(tn_delta_check_readable(&p, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "'catalogManaged'");
    p = (tn_delta_protocol){ .reader = 4, .writer = 7 };
    TN_ASSERT_RC(tn_delta_check_readable(&p, err), TN_E_UNSUPPORTED);
    tn_delta_meta m = { .configuration = tn_val_dict(arena),
        .schema = tn_new(arena, tn_delta_type) };
    p = (tn_delta_protocol){ .reader = 1, .writer = 7 };
    tn_vec_push(&p.writer_features, arena, TN_STR("clustering"));
    TN_ASSERT_OK(tn_delta_check_readable(&p, err));
    TN_ASSERT_RC(tn_delta_check_writable(&p, &m, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "'clustering'");
    p = (tn_delta_protocol){ .reader = 1, .writer = 6 };
    TN_ASSERT_OK(tn_delta_check_writable(&p, &m, err));
    tn_dict_putz(m.configuration.dict, "delta.columnMapping.mode", tn_val_z("name"));
    p.reader = 2;
    TN_ASSERT_RC(tn_delta_check_writable(&p, &m, err), TN_E_UNSUPPORTED);
    tn_dict_putz(m.configuration.dict, "x", tn_val_z("interval 2 weeks"));
    TN_ASSERT_EQ_I(tn_delta_interval_ms(&m, "x", 5), 1209600000);
    TN_ASSERT_EQ_I(tn_delta_interval_ms(&m, "y", 5), 5);
}
