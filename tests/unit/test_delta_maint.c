// layers: base os text store duck delta
/* Maintenance of a table: no row is lost or doubled, no live file is removed, every fault leaves the table before or after. */
#include "tn_test.h"

#include "delta/delta.h"
#include "delta/delta_maint.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"
#include "os/thread.h"

typedef struct fixture {
    tn_duck *duck;
    tn_conn *conn;
    tn_store *plain, *faulty;
    tn_delta_table *table;
    tn_str dir;
} fixture;

static void close_fixture(void *p)
{
    fixture *f = p;
    tn_delta_table_close(f->table);
    tn_store_unref(f->faulty);
    tn_store_unref(f->plain);
    tn_conn_close(f->conn);
    tn_duck_close(f->duck);
}

static void fresh_table(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_delta_table_close(TN_TAKE(f->table));
    tn_store_unref(TN_TAKE(f->faulty));
    tn_store_unref(TN_TAKE(f->plain));
    f->dir = tn_str_of(tn_arena_printf(arena, "%s/t", tn_test_dir(arena)));
    TN_ASSERT_OK(tn_store_open(f->dir, NULL, &f->plain, err));
    TN_ASSERT_OK(tn_store_faulty(f->plain, &f->faulty, err));
    TN_ASSERT_OK(tn_delta_table_open(f->faulty, &f->table, err));
}

static fixture *open_fixture(tn_arena *arena, tn_err *err)
{
    fixture *f = tn_new(arena, fixture);
    tn_arena_defer(arena, close_fixture, f);
    tn_duck_opts opts = { .threads = 2 };
    TN_ASSERT_OK(tn_duck_open(&opts, &f->duck, err));
    TN_ASSERT_OK(tn_duck_connect(f->duck, &f->conn, err));
    fresh_table(f, arena, err);
    return f;
}

static void put_by(fixture *f, tn_delta_mode mode, const char *sql, const char *partition,
    tn_arena *arena, tn_err *err)
{
    tn_delta_write_opts o = { .mode = mode };
    if (partition != NULL) {
        tn_vec_push(&o.partition_by, arena, tn_str_of(partition));
    }
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(sql), &o, &r, err));
}

static void put(fixture *f, const char *sql, tn_arena *arena, tn_err *err)
{
    put_by(f, TN_DELTA_APPEND, sql, NULL, arena, err);
}

/* One value of a query over the table `t`, read by someone who has nothing to do with the writer. */
static tn_val ask(fixture *f, const char *select, tn_arena *arena, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) t = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, err));
    tn_str scan;
    TN_ASSERT_OK(tn_delta_scan_sql(s, arena, NULL, &scan, err));
    tn_val v;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena, "WITH t AS (" TN_STR_FMT ") %s", TN_STR_ARG(scan), select), &v, err));
    return v;
}

static size_t live_files(fixture *f, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    return tn_delta_snapshot_file_count(s);
}

static size_t files_on_disk(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_file_infos all = { 0 };
    TN_ASSERT_OK(tn_dir_list(arena, f->dir, true, &all, err));
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        n += tn_str_ends(all.v[i].name, TN_STR(".parquet")) &&
             !tn_str_starts(all.v[i].name, TN_STR("_delta_log/"));
    }
    return n;
}

static const char SUM[] = "SELECT (sum(id) * 1000 + count(*))::BIGINT FROM t";

/* ---- OPTIMIZE ---- */

TN_TEST(small_files_become_one)
{
    fixture *f = open_fixture(arena, err);
    for (int i = 0; i < 12; i++) {
        put(f, "SELECT range AS id, 'x' || range AS s FROM range(10)", arena, err);
    }
    tn_val before = ask(f, SUM, arena, err);
    tn_delta_optimize_opts o = { .target_file_bytes = 0 };
    tn_delta_optimize_result r;
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err));
    TN_ASSERT(r.changed);
    TN_ASSERT_EQ_I(r.version, 12);
    TN_ASSERT_EQ_I(r.files_added, 1);
    TN_ASSERT_EQ_I(r.files_removed, 12);
    TN_ASSERT_EQ_S(tn_val_str_at(r.metrics, "numRemovedFiles", TN_STR("")), "12");
    TN_ASSERT_EQ_I(live_files(f, err), 1);
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, before.i);
    tn_val history;
    TN_ASSERT_OK(tn_delta_history(f->table, arena, 1, &history, err));
    tn_val e = history.list->v[0];
    TN_ASSERT_EQ_S(tn_val_str_at(e, "operation", TN_STR("")), "OPTIMIZE");
    TN_ASSERT_EQ_S(tn_val_str_at(e, "isolationLevel", TN_STR("")), "SnapshotIsolation");
    /* a second one has nothing to do */
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err));
    TN_ASSERT(!r.changed);
    TN_ASSERT_EQ_I(r.version, 12);
    TN_ASSERT_EQ_I(r.files_skipped, 1);
}

TN_TEST(bins_end_at_the_target)
{
    fixture *f = open_fixture(arena, err);
    for (int i = 0; i < 10; i++) {
        put(f, "SELECT range AS id, md5(range::VARCHAR) AS s FROM range(1000)", arena, err);
    }
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    int64_t one = tn_delta_snapshot_file(s, 0)->size;
    tn_delta_optimize_opts o = { .target_file_bytes = one * 7 / 2 };
    tn_delta_optimize_result r;
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err));
    TN_ASSERT_EQ_I(r.files_removed, 9); /* 3 bins of 3; the last file stays alone */
    TN_ASSERT_EQ_I(r.files_added, 3);
    TN_ASSERT_EQ_I(live_files(f, err), 4);
    TN_ASSERT_EQ_I(ask(f, "SELECT count(*) FROM t", arena, err).i, 10000);
}

TN_TEST(partitions_stay_apart)
{
    fixture *f = open_fixture(arena, err);
    const char *sql = "SELECT range AS id, CASE range % 3 WHEN 0 THEN 'a b' WHEN 1 THEN 'c/d' END AS "
                      "p, DATE '2024-01-01' + (range % 2)::INTEGER AS d FROM range(30)";
    for (int i = 0; i < 4; i++) {
        put_by(f, TN_DELTA_APPEND, sql, "p", arena, err);
    }
    tn_val before = ask(f, SUM, arena, err);
    const char *by = "SELECT string_agg(x, ';' ORDER BY x) FROM (SELECT p || ':' || sum(id) AS x FROM t GROUP BY p)";
    tn_str groups = tn_str_dup(arena, tn_val_as_str(ask(f, by, arena, err)));
    tn_delta_optimize_opts o = { .where = TN_STR("p = 'a b' OR p IS NULL") };
    tn_delta_optimize_result r;
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err));
    TN_ASSERT_EQ_I(r.partitions, 2);
    TN_ASSERT_EQ_I(r.files_added, 2);
    TN_ASSERT_EQ_I(r.files_removed, 8);
    TN_ASSERT_EQ_I(live_files(f, err), 6);
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, before.i);
    TN_ASSERT_EQ_S(tn_val_as_str(ask(f, by, arena, err)), groups);
    o.where = TN_STR("id = 3");
    TN_ASSERT_RC(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err), TN_E_SQL);
    TN_ASSERT_HAS(err->hint, "partition columns only");
}

TN_TEST(zorder_lets_files_be_skipped)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT range AS id, (hash(range) % 1000)::INTEGER AS x, 'k' || (hash(range + 1) % 1000) AS y, "
           "CASE WHEN range % 100 > 0 THEN md5(range::VARCHAR) END AS pad FROM range(1000000)",
        arena, err);
    tn_val before = ask(f, SUM, arena, err);
    tn_delta_optimize_opts o = { .target_file_bytes = 1 << 20 };
    tn_vec_push(&o.zorder_by, arena, TN_STR("x"));
    tn_vec_push(&o.zorder_by, arena, TN_STR("Y"));
    tn_delta_optimize_result r;
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err));
    TN_ASSERT(r.files_added >= 6);
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, before.i);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    static const char *const wheres[] = { "x = 10", "y = 'k10'" };
    for (size_t i = 0; i < 2; i++) {
        tn_delta_scan_opts so = { .where = tn_str_of(wheres[i]), .conn = f->conn };
        tn_str sql;
        TN_ASSERT_OK(tn_delta_scan_sql(s, arena, &so, &sql, err));
        size_t kept = 0, at = 0;
        while ((at = tn_str_find(sql, TN_STR(".parquet"), at)) != SIZE_MAX) {
            kept++;
            at++;
        }
        if (kept * 4 > (size_t)r.files_added * 3) {
            TN_FAIL("%s: %zu of %" PRId64 " files are read", wheres[i], kept, r.files_added);
        }
    }
    o.zorder_by.v[1] = TN_STR("nope");
    TN_ASSERT_RC(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err), TN_E_NOTFOUND);
}

/* ---- VACUUM ---- */

static const int64_t DAY_MS = 24 * 3600 * 1000;

static void vacuum_with(fixture *f, tn_delta_vacuum_opts o, tn_delta_vacuum_result *r,
    tn_arena *arena, tn_err *err)
{
    TN_ASSERT_OK(tn_delta_vacuum(f->table, f->conn, arena, &o, r, err));
}

/* Files are written at the machine's time; the clock is set forward, as if days had gone by. */
static void later(int64_t ms)
{
    tn_clock_fix(0);
    tn_clock_fix(tn_clock_now_us() + ms * 1000);
}

TN_TEST(vacuum_keeps_what_is_young)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT range AS id FROM range(10)", arena, err);
    put_by(f, TN_DELTA_OVERWRITE, "SELECT range AS id FROM range(5)", NULL, arena, err);
    tn_delta_vacuum_result r;
    vacuum_with(f, (tn_delta_vacuum_opts){ .retention_ms = -1 }, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 0);
    TN_ASSERT_EQ_I(r.version, 1);
    tn_delta_vacuum_opts shorter = { .retention_ms = 0 };
    TN_ASSERT_RC(tn_delta_vacuum(f->table, f->conn, arena, &shorter, &r, err), TN_E_USAGE);
    TN_ASSERT_HAS(err->msg, "shorter than the table's 168.0 hours");
    later(8 * DAY_MS);
    vacuum_with(f, (tn_delta_vacuum_opts){ .retention_ms = -1, .dry_run = true }, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 1);
    TN_ASSERT_EQ_I(r.paths.n, 1);
    TN_ASSERT_EQ_I(files_on_disk(f, arena, err), 2);
    int64_t zero = 0;
    tn_delta_vacuum_opts keep = { .retention_ms = -1, .protect = &zero, .protect_n = 1 };
    vacuum_with(f, keep, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 0);
    vacuum_with(f, (tn_delta_vacuum_opts){ .retention_ms = -1 }, &r, arena, err);
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(r.files, 1);
    TN_ASSERT(r.bytes > 0);
    TN_ASSERT_EQ_I(r.version, 3); /* START and END */
    TN_ASSERT_EQ_I(files_on_disk(f, arena, err), 1);
    TN_ASSERT_EQ_I(ask(f, "SELECT count(*) FROM t", arena, err).i, 5);
    tn_val h;
    TN_ASSERT_OK(tn_delta_history(f->table, arena, 2, &h, err));
    TN_ASSERT_EQ_S(tn_val_str_at(h.list->v[0], "operation", TN_STR("")), "VACUUM END");
    TN_ASSERT_EQ_S(tn_val_str_at(h.list->v[1], "operation", TN_STR("")), "VACUUM START");
}

static void touch(fixture *f, const char *key, tn_err *err)
{
    TN_ASSERT_OK(tn_store_put(f->plain, tn_str_of(key), TN_STR("x"), TN_PUT_OVERWRITE, err));
}

TN_TEST(vacuum_knows_names)
{
    fixture *f = open_fixture(arena, err);
    put_by(f, TN_DELTA_APPEND, "SELECT range AS id, range % 2 AS _p FROM range(10)", "_p", arena, err);
    static const char *const goes[] = { "a.parquet", "_p=0/b.parquet", "_change_data/_p=0/c.parquet",
        "deletion_vector_00000000-0000-0000-0000-000000000000.bin", "other/d.txt" };
    static const char *const stays[] = { "_tmp/e.parquet", ".f.parquet", "_g.parquet", "other/.h/i.parquet",
        "_p=0/_j", "nested/_delta_log/00000000000000000000.json", "nested/k.parquet" };
    for (size_t i = 0; i < TN_COUNTOF(goes); i++) {
        touch(f, goes[i], err);
    }
    for (size_t i = 0; i < TN_COUNTOF(stays); i++) {
        touch(f, stays[i], err);
    }
    later(8 * DAY_MS);
    tn_delta_vacuum_result r;
    vacuum_with(f, (tn_delta_vacuum_opts){ .retention_ms = -1 }, &r, arena, err);
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(r.files, TN_COUNTOF(goes));
    tn_store_item item;
    for (size_t i = 0; i < TN_COUNTOF(stays); i++) {
        TN_ASSERT_OK(tn_store_head(f->plain, arena, tn_str_of(stays[i]), &item, err));
    }
    for (size_t i = 0; i < TN_COUNTOF(goes); i++) {
        TN_ASSERT_RC(tn_store_head(f->plain, arena, tn_str_of(goes[i]), &item, err), TN_E_NOTFOUND);
        tn_err_clear(err);
    }
    TN_ASSERT_EQ_I(ask(f, "SELECT count(*) FROM t", arena, err).i, 10);
}

/* Random writes, overwrites, packings and vacuums at a running clock: the newest version stays readable, and so do versions
 * whose files went out of use less than the retention ago. */
TN_TEST(vacuum_never_takes_a_live_file)
{
    fixture *f = open_fixture(arena, err);
    tn_random_seed(42);
    int64_t expect = 0, count = 0;
    put(f, "SELECT 0::BIGINT AS id", arena, err);
    count = 1;
    for (int i = 0; i < 60; i++) {
        uint64_t dice = tn_random_u64() % 10;
        tn_delta_vacuum_result r;
        if (dice < 5) {
            put(f, tn_arena_printf(arena, "SELECT %d::BIGINT AS id", i), arena, err);
            expect += i;
            count++;
        } else if (dice == 5) {
            put_by(f, TN_DELTA_OVERWRITE, tn_arena_printf(arena, "SELECT %d::BIGINT AS id", i), NULL, arena, err);
            expect = i;
            count = 1;
        } else if (dice < 8) {
            tn_delta_optimize_opts o = { .target_file_bytes = 0 };
            tn_delta_optimize_result done;
            TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &done, err));
        } else {
            tn_delta_vacuum_opts o = { .retention_ms = 0, .allow_short = true, .dry_run = dice == 8 };
            vacuum_with(f, o, &r, arena, err);
            if (!o.dry_run) {
                TN_ASSERT_EQ_I(files_on_disk(f, arena, err), live_files(f, err));
            }
        }
        TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, expect * 1000 + count);
    }
    tn_random_seed(0);
}

TN_TEST(old_log_goes_when_a_checkpoint_stands_in)
{
    fixture *f = open_fixture(arena, err);
    for (int i = 0; i < 25; i++) { /* versions 0..24, checkpoints at 10 and 20 */
        put(f, "SELECT 1::BIGINT AS id", arena, err);
    }
    int64_t removed = 0;
    TN_ASSERT_OK(tn_delta_log_cleanup(f->table, f->conn, NULL, 0, &removed, err));
    TN_ASSERT_EQ_I(removed, 0);
    later(32 * DAY_MS);
    int64_t pinned = 15;
    TN_ASSERT_OK(tn_delta_log_cleanup(f->table, f->conn, &pinned, 1, &removed, err));
    TN_ASSERT_EQ_I(removed, 10);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, 15, &s, err));
    TN_ASSERT_EQ_I(tn_delta_snapshot_file_count(s), 16);
    TN_ASSERT_OK(tn_delta_log_cleanup(f->table, f->conn, NULL, 0, &removed, err));
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(removed, 11); /* 10..19 and the checkpoint of 10 */
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, 25 * 1001);
    put(f, "SELECT 1::BIGINT AS id", arena, err);
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, 26 * 1001);
}
