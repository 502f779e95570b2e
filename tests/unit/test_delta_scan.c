// layers: base os text store duck delta
/* Pruning leaves out files only on proof: each predicate gives the same rows with and without it, and the easy ones do prune. */
#include "delta_open.h"

#include <roaring/roaring.h>

#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_log.h"
#include "text/hash.h"

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

/* files: that remain; -1: whatever */
static void same_rows(fixture *f, const char *text, int files, tn_arena *arena, tn_err *err)
{
    tn_str where = tn_str_of(text);
    tn_str pruned = scan(f, arena, where, err);
    int64_t want = count_where(f, arena, scan(f, arena, TN_STR_NONE, err), where, err);
    int64_t got = count_where(f, arena, pruned, where, err);
    int n = files_named(pruned);
    if (got != want || (files >= 0 && n != files)) {
        TN_FAIL("%s: %" PRId64 " rows of %" PRId64 ", %d files", text, got, want, n);
    }
}

/* Four files: -2e21.., -1e21.., 0.., 1e21.. */
TN_TEST(pruning_by_decimals_of_many_digits)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    for (int i = -2; i < 2; i++) {
        tn_delta_write_result r;
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
            tn_str_printf(arena,
                "SELECT (%d000000000000000000000::DECIMAL(38, 2) + range * 10)::DECIMAL(38, 2) AS "
                "d, %d * 10 + range AS i FROM range(10)",
                i, i),
            &o, &r, err));
    }
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &f->s, err));
    same_rows(f, "d = 1000000000000000000050.00", 1, arena, err);
    same_rows(f, "d > 100000000000000000000.55", 1, arena, err);
    same_rows(f, "d < -1100000000000000000000.55", 1, arena, err);
    same_rows(f, "d >= -999999999999999999990", 3, arena, err);
    same_rows(f, "i > 4.000000000000000000", 2, arena, err); /* a wide type, a small value */
    same_rows(f, "i < -4.000000000000000000", 2, arena, err);
    same_rows(f, "d = -1000000000000000000000", 1, arena, err);
    same_rows(f, "d > 999999999999999999999999999999", 0, arena, err);
    same_rows(f, "i >= -170141183460469231731687303715884105728", 4, arena, err);
    same_rows(f, "i < 100000000000000000000", 4, arena, err);
    same_rows(f, "i > 100000000000000000000", 0, arena, err);
    /* a text becomes a number of the column's type, rounded */
    same_rows(f, "i = '9.4'", -1, arena, err);
    same_rows(f, "i = '-11.4'", -1, arena, err);
    same_rows(f, "d = '90.004'", -1, arena, err);
    same_rows(f, "d = '1000000000000000000050'", 1, arena, err);
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
        { "s IS DISTINCT FROM 's5'", 6 }, /* of a file where s is NULL throughout, too */
        { "p IS DISTINCT FROM 'p1'", 6 },
        { "s IS NOT DISTINCT FROM NULL", -1 },
        { "p IS NOT DISTINCT FROM NULL", -1 },
        { "id IS NOT DISTINCT FROM 250", 1 },
        { "p IS NOT DISTINCT FROM 'p1'", 1 },
        { "p || 'x' = 'p1x'", 6 },
    };
    for (size_t i = 0; i < TN_COUNTOF(CASES); i++) {
        same_rows(f, CASES[i].where, CASES[i].files, arena, err);
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
    tn_vec_push(&p.writer_features, arena, TN_STR("icebergCompatV3"));
    TN_ASSERT_OK(tn_delta_check_readable(&p, err));
    TN_ASSERT_RC(tn_delta_check_writable(&p, &m, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "'icebergCompatV3'");
    p = (tn_delta_protocol){ .reader = 1, .writer = 6 };
    TN_ASSERT_OK(tn_delta_check_writable(&p, &m, err));
    tn_dict_putz(m.configuration.dict, "delta.columnMapping.mode", tn_val_z("name"));
    p.reader = 2;
    TN_ASSERT_OK(tn_delta_check_writable(&p, &m, err));
    p = (tn_delta_protocol){ .reader = 2, .writer = 7 };
    tn_vec_push(&p.writer_features, arena, TN_STR("icebergCompatV2"));
    TN_ASSERT_OK(tn_delta_check_writable(&p, &m, err));
    tn_dict_putz(m.configuration.dict, "delta.enableIcebergCompatV2", tn_val_z("true"));
    TN_ASSERT_RC(tn_delta_check_writable(&p, &m, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "'icebergCompatV2'");
    tn_dict_putz(m.configuration.dict, "x", tn_val_z("interval 2 weeks"));
    TN_ASSERT_EQ_I(tn_delta_interval_ms(&m, "x", 5), 1209600000);
    TN_ASSERT_EQ_I(tn_delta_interval_ms(&m, "y", 5), 5);
}

/* A vector of the portable form as the inline text of an action. */
static tn_str inline_vector(tn_arena *arena, roaring_bitmap_t *bitmap, size_t *ret_bytes)
{
    (void)roaring_bitmap_run_optimize(bitmap);
    size_t n = roaring_bitmap_portable_size_in_bytes(bitmap);
    uint8_t *p = tn_arena_zalloc(arena, n + 32);
    static const uint8_t HEAD[] = { 0xd1, 0xd3, 0x39, 0x64, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    memcpy(p, HEAD, sizeof HEAD);
    (void)roaring_bitmap_portable_serialize(bitmap, (char *)p + sizeof HEAD);
    roaring_bitmap_free(bitmap);
    *ret_bytes = n + sizeof HEAD;
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    tn_z85_encode(&b, p, *ret_bytes);
    return tn_buf_str(&b);
}

/* Puts a vector on the table's only file by hand, as another engine would. */
static void delete_rows(fixture *f, tn_arena *arena, roaring_bitmap_t *bitmap, tn_err *err)
{
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    tn_delta_file add = *tn_delta_snapshot_file(s, 0);
    tn_delta_remove remove = tn_delta_remove_of(&add, 1);
    size_t bytes;
    add.dv = (tn_delta_dv){
        .storage = 'i', .offset = -1, .cardinality = (int64_t)roaring_bitmap_get_cardinality(bitmap)
    };
    add.dv.path_or_inline = inline_vector(arena, bitmap, &bytes);
    add.dv.size_bytes = (int64_t)bytes;
    tn_delta_txn_plan p = { .read_version = tn_delta_snapshot_version(s),
        .operation = TN_STR("DELETE"),
        .reads_all = true };
    tn_vec_push(&p.adds, arena, add);
    tn_vec_push(&p.removes, arena, remove);
    int64_t version;
    TN_ASSERT_OK(tn_delta_commit_write(f->table, &p, &version, err));
    tn_delta_snapshot_unref(s);
}

TN_TEST(deleted_rows_in_runs_and_alone)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE };
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(
        f->table, f->conn, TN_STR("SELECT range AS id FROM range(300000);"), &o, &r, err));
    roaring_bitmap_t *runs = roaring_bitmap_create();
    roaring_bitmap_add_range(runs, 10, 100010);
    roaring_bitmap_add_range(runs, 200000, 200005);
    delete_rows(f, arena, runs, err);
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &f->s, err));
    TN_ASSERT_EQ_I(tn_delta_snapshot_rows(f->s), 300000 - 100005);
    tn_str sql = scan(f, arena, TN_STR_NONE, err);
    TN_ASSERT(sql.n < 1000);
    TN_ASSERT_EQ_I(count_where(f, arena, sql, TN_STR("true"), err), 300000 - 100005);
    TN_ASSERT_EQ_I(
        count_where(f, arena, sql,
            TN_STR("id IN (9, 10, 100009, 100010, 199999, 200000, 200004, 200005)"), err),
        4);
    tn_delta_snapshot_unref(TN_TAKE(f->s));
    roaring_bitmap_t *alone = roaring_bitmap_create();
    for (uint32_t i = 0; i < 300000; i += 3) {
        roaring_bitmap_add(alone, i);
    }
    delete_rows(f, arena, alone, err);
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &f->s, err));
    TN_ASSERT_EQ_I(tn_delta_snapshot_file_count(f->s), 1);
    sql = scan(f, arena, TN_STR_NONE, err);
    TN_ASSERT_EQ_I(count_where(f, arena, sql, TN_STR("true"), err), 200000);
    TN_ASSERT_EQ_I(count_where(f, arena, sql, TN_STR("id % 3 = 0"), err), 0);
}

/* Through the whole commit path: a plan made at an old version meets what was committed since. */
TN_TEST(old_plans_pass_or_collide)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    tn_delta_write_result r;
    for (int i = 0; i < 3; i++) {
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS id"), &o, &r, err));
    }
    tn_delta_txn_plan p = { .read_version = 0, .operation = TN_STR("TEST"), .reads_all = true };
    int64_t version;
    TN_ASSERT_OK(tn_delta_commit_write(f->table, &p, &version, err)); /* past two blind appends */
    TN_ASSERT_EQ_I(version, 3);
    o.mode = TN_DELTA_OVERWRITE;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 2 AS id"), &o, &r, err));
    TN_ASSERT_RC(tn_delta_commit_write(f->table, &p, &version, err), TN_E_CONFLICT);
    TN_ASSERT_HAS(err->msg, "version 4 WRITE");
    p = (tn_delta_txn_plan){ .read_version = 0, .operation = TN_STR("TEST"), .blind_append = true };
    TN_ASSERT_OK(tn_delta_commit_write(f->table, &p, &version, err));
    TN_ASSERT_EQ_I(version, 5);
}
