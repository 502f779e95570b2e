// layers: base os text store duck delta
/* Maintenance of a table: no row is lost or doubled, no live file is removed, every fault leaves the table before or after. */
#include "delta_fixture.h"

#include "delta/delta_dml.h"
#include "delta/delta_maint.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"
#include "os/thread.h"

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
    const char *sql =
        "SELECT range AS id, CASE range % 3 WHEN 0 THEN 'a b' WHEN 1 THEN 'c/d' END AS "
        "p, DATE '2024-01-01' + (range % 2)::INTEGER AS d FROM range(30)";
    for (int i = 0; i < 4; i++) {
        put_by(f, TN_DELTA_APPEND, sql, "p", arena, err);
    }
    tn_val before = ask(f, SUM, arena, err);
    const char *by = "SELECT string_agg(x, ';' ORDER BY x) FROM (SELECT p || ':' || sum(id) AS x "
                     "FROM t GROUP BY p)";
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
    put(f,
        "SELECT range AS id, (hash(range) % 1000)::INTEGER AS x, 'k' || (hash(range + 1) % 1000) "
        "AS y, "
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

static void vacuum_with(
    fixture *f, tn_delta_vacuum_opts o, tn_delta_vacuum_result *r, tn_arena *arena, tn_err *err)
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
    put_by(
        f, TN_DELTA_APPEND, "SELECT range AS id, range % 2 AS _p FROM range(10)", "_p", arena, err);
    static const char *const goes[] = { "a.parquet", "_p=0/b.parquet",
        "_change_data/_p=0/c.parquet", "deletion_vector_00000000-0000-0000-0000-000000000000.bin",
        "other/d.txt" };
    static const char *const stays[] = { "_tmp/e.parquet", ".f.parquet", "_g.parquet",
        "other/.h/i.parquet", "_p=0/_j", "nested/_delta_log/00000000000000000000.json",
        "nested/k.parquet" };
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

static void make_vectors(fixture *f, const char *sql, tn_arena *arena, tn_err *err)
{
    tn_val p = tn_val_dict(arena);
    tn_dict_putz(p.dict, "delta.enableDeletionVectors", tn_val_z("true"));
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE, .properties = p };
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(sql), &o, &r, err));
}

TN_TEST(lite_vacuum_follows_the_log)
{
    fixture *f = open_fixture(arena, err);
    make_vectors(f, "SELECT range AS id FROM range(1000)", arena, err);
    for (int i = 0; i < 3; i++) { /* three vectors, of which the last is in use */
        tn_delta_dml_opts d = { 0 };
        tn_delta_dml_result done;
        tn_str where = tn_str_printf(arena, "id = %d", i);
        TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, where, &d, &done, err));
    }
    touch(f, "nobody.parquet", err);
    later(8 * DAY_MS);
    tn_delta_vacuum_result r;
    tn_delta_vacuum_opts lite = { .retention_ms = -1, .lite = true, .dry_run = true };
    vacuum_with(f, lite, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 2);
    lite.dry_run = false;
    vacuum_with(f, lite, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 2);
    TN_ASSERT(r.bytes > 0);
    TN_ASSERT_EQ_I(ask(f, "SELECT count(*) FROM t", arena, err).i, 997);
    vacuum_with(f, lite, &r, arena, err); /* begins where the last one ended */
    TN_ASSERT_EQ_I(r.files, 0);
    tn_store_item item;
    TN_ASSERT_OK(tn_store_head(f->plain, arena, TN_STR("nobody.parquet"), &item, err));
    tn_str note;
    TN_ASSERT_OK(
        tn_store_get(f->plain, arena, TN_STR("_delta_log/_last_vacuum_info"), 1000, &note, err));
    TN_ASSERT_EQ_S(note, "{\"latestCommitVersionOutsideOfRetentionWindow\":5}");
    vacuum_with(f, (tn_delta_vacuum_opts){ .retention_ms = -1 }, &r, arena, err);
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(r.files, 1);
}

TN_TEST(lite_vacuum_waits_for_what_is_protected)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT range AS id FROM range(10)", arena, err);
    put_by(f, TN_DELTA_OVERWRITE, "SELECT range AS id FROM range(5)", NULL, arena, err);
    later(8 * DAY_MS);
    int64_t zero = 0;
    tn_delta_vacuum_result r;
    tn_delta_vacuum_opts lite = {
        .retention_ms = -1, .lite = true, .protect = &zero, .protect_n = 1
    };
    vacuum_with(f, lite, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 0);
    lite.protect_n =
        0; /* nobody needs it any more: it is found although the vacuum before has seen the commit */
    vacuum_with(f, lite, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 1);
    tn_clock_fix(0);
}

TN_TEST(lite_vacuum_says_when_the_log_is_too_short)
{
    fixture *f = open_fixture(arena, err);
    for (int i = 0; i < 12; i++) {
        put_by(f, i == 0 ? TN_DELTA_APPEND : TN_DELTA_OVERWRITE, "SELECT 1::BIGINT AS id", NULL,
            arena, err);
    }
    TN_ASSERT_OK(tn_store_remove(f->plain, TN_STR("_delta_log/00000000000000000000.json"), err));
    tn_delta_vacuum_result r;
    tn_delta_vacuum_opts lite = { .retention_ms = -1, .lite = true };
    later(8 * DAY_MS);
    TN_ASSERT_RC(tn_delta_vacuum(f->table, f->conn, arena, &lite, &r, err), TN_E_USAGE);
    TN_ASSERT_HAS(err->msg, "the log begins at version 1");
    TN_ASSERT_HAS(err->hint, "full vacuum");
    vacuum_with(f, (tn_delta_vacuum_opts){ .retention_ms = -1 }, &r, arena, err);
    TN_ASSERT_EQ_I(r.files, 11);
    vacuum_with(f, lite, &r, arena, err);
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(r.files, 0);
}

/* Many folders, many threads: the same files go as by hand. */
TN_TEST(vacuum_lists_partitions_side_by_side)
{
    fixture *f = open_fixture(arena, err);
    put_by(
        f, TN_DELTA_APPEND, "SELECT range AS id, range % 40 AS p FROM range(400)", "p", arena, err);
    put_by(f, TN_DELTA_OVERWRITE, "SELECT range AS id, range % 30 AS p FROM range(300)", "p", arena,
        err);
    later(8 * DAY_MS);
    tn_delta_vacuum_result r;
    vacuum_with(f, (tn_delta_vacuum_opts){ .retention_ms = -1 }, &r, arena, err);
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(r.files, 40);
    for (size_t i = 1; i < r.paths.n; i++) {
        TN_ASSERT(tn_str_cmp(r.paths.v[i - 1], r.paths.v[i]) < 0);
    }
    TN_ASSERT_EQ_I(ask(f, "SELECT count(*) FROM t", arena, err).i, 300);
}

TN_TEST(sidecars_go_when_no_checkpoint_names_them)
{
    fixture *f = open_fixture(arena, err);
    tn_val p = tn_val_dict(arena);
    tn_dict_putz(p.dict, "delta.checkpointPolicy", tn_val_z("v2"));
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE, .properties = p };
    tn_delta_write_result w;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1::BIGINT AS id"), &o, &w, err));
    for (int i = 0; i < 10; i++) {
        put(f, "SELECT 1::BIGINT AS id", arena, err);
    }
    touch(f, "_delta_log/_sidecars/left.parquet", err);
    tn_store_items before = { 0 };
    tn_store_list_opts in_sidecars = { .prefix = TN_STR("_delta_log/_sidecars/") };
    TN_ASSERT_OK(tn_store_list(f->plain, arena, &in_sidecars, &before, err));
    TN_ASSERT(before.n >= 2);
    int64_t removed = 0;
    TN_ASSERT_OK(tn_delta_log_cleanup(f->table, f->conn, NULL, 0, &removed, err));
    TN_ASSERT_EQ_I(removed, 0); /* they are young */
    later(2 * DAY_MS);
    TN_ASSERT_OK(tn_delta_log_cleanup(f->table, f->conn, NULL, 0, &removed, err));
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(removed, 1);
    tn_store_items after = { 0 };
    TN_ASSERT_OK(tn_store_list(f->plain, arena, &in_sidecars, &after, err));
    TN_ASSERT_EQ_I(after.n, before.n - 1);
}

/* A store that does not answer is no proof that a file is gone. */
TN_TEST(repair_believes_only_a_clear_answer)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT range AS id FROM range(10)", arena, err);
    put(f, "SELECT 100 + range AS id FROM range(10)", arena, err);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    TN_ASSERT_OK(tn_store_remove(f->plain, tn_delta_snapshot_file(s, 0)->path, err));
    tn_delta_repair_opts o = { .dry_run = false };
    tn_delta_repair_result r;
    tn_store_faulty_set(f->faulty, (tn_store_fault){ .k = 1, .rc = TN_E_NET, .op = "head" });
    TN_ASSERT_RC(tn_delta_repair(f->table, f->conn, arena, &o, &r, err), TN_E_NET);
    tn_store_faulty_set(f->faulty, (tn_store_fault){ .k = 0 });
    TN_ASSERT_OK(tn_delta_repair(f->table, f->conn, arena, &o, &r, err));
    TN_ASSERT_EQ_I(r.lost.n, 1);
    TN_ASSERT_EQ_I(r.version, 2);
    TN_ASSERT_EQ_I(ask(f, "SELECT count(*) FROM t", arena, err).i, 10);
    TN_ASSERT_OK(tn_delta_repair(f->table, f->conn, arena, &o, &r, err));
    TN_ASSERT_EQ_I(r.lost.n, 0);
    TN_ASSERT_EQ_I(r.version, 2);
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
            put_by(f, TN_DELTA_OVERWRITE, tn_arena_printf(arena, "SELECT %d::BIGINT AS id", i),
                NULL, arena, err);
            expect = i;
            count = 1;
        } else if (dice < 8) {
            tn_delta_optimize_opts o = { .target_file_bytes = 0 };
            tn_delta_optimize_result done;
            TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &done, err));
        } else {
            tn_delta_vacuum_opts o = {
                .retention_ms = 0, .allow_short = true, .dry_run = dice == 8
            };
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
    TN_ASSERT_EQ_I(removed, 20); /* commits and their checksum files */
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, 15, &s, err));
    TN_ASSERT_EQ_I(tn_delta_snapshot_file_count(s), 16);
    TN_ASSERT_OK(tn_delta_log_cleanup(f->table, f->conn, NULL, 0, &removed, err));
    tn_clock_fix(0);
    TN_ASSERT_EQ_I(removed, 21); /* 10..19 and the checkpoint of 10 */
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, 25 * 1001);
    put(f, "SELECT 1::BIGINT AS id", arena, err);
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, 26 * 1001);
}

/* ---- RESTORE, CLONE ---- */

TN_TEST(restore_says_which_file_is_gone)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT range AS id FROM range(10)", arena, err);
    put(f, "SELECT 100 AS id", arena, err);
    put_by(f, TN_DELTA_OVERWRITE, "SELECT 1 AS id", NULL, arena, err);
    tn_delta_restore_opts o = { .version = 1 };
    tn_delta_restore_result r;
    TN_ASSERT_OK(tn_delta_restore_to(f->table, f->conn, &o, &r, err));
    TN_ASSERT_EQ_I(r.version, 3);
    TN_ASSERT_EQ_I(r.files_restored, 2);
    TN_ASSERT_EQ_I(r.files_removed, 1);
    TN_ASSERT_EQ_I(ask(f, "SELECT sum(id)::BIGINT FROM t", arena, err).i, 145);
    o.version = 2;
    TN_ASSERT_OK(tn_delta_restore_to(f->table, f->conn, &o, &r, err));
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, 0, &s, err));
    TN_ASSERT_OK(tn_store_remove(f->plain, tn_delta_snapshot_file(s, 0)->path, err));
    o.version = 1;
    TN_ASSERT_RC(tn_delta_restore_to(f->table, f->conn, &o, &r, err), TN_E_NOTFOUND);
    tn_err_clear(err);
    o.allow_missing = true;
    TN_ASSERT_OK(tn_delta_restore_to(f->table, f->conn, &o, &r, err));
    TN_ASSERT_EQ_I(r.files_missing, 1);
    TN_ASSERT_EQ_I(ask(f, "SELECT sum(id)::BIGINT FROM t", arena, err).i, 100);
}

static int64_t sum_of(fixture *f, tn_delta_table *t, tn_arena *arena, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, err));
    tn_str sql;
    TN_ASSERT_OK(tn_delta_scan_sql(s, arena, NULL, &sql, err));
    tn_val v;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena, "SELECT sum(id)::BIGINT FROM (" TN_STR_FMT ")", TN_STR_ARG(sql)), &v,
        err));
    return v.i;
}

TN_TEST(clones_stand_alone)
{
    fixture *f = open_fixture(arena, err);
    put_by(f, TN_DELTA_APPEND, "SELECT range AS id, 'a b%' || range % 2 AS p FROM range(10)", "p",
        arena, err);
    for (int shallow = 0; shallow < 2; shallow++) {
        TN_AUTOPTR(tn_store) store = NULL;
        TN_AUTOPTR(tn_delta_table) to = NULL;
        tn_delta_clone_result r;
        TN_ASSERT_OK(tn_store_open(
            tn_str_of(tn_arena_printf(arena, "%s/c d", tn_test_dir(arena))), NULL, &store, err));
        TN_ASSERT_OK(tn_delta_table_open(store, &to, err));
        tn_delta_clone_opts how = { .version = TN_DELTA_LATEST, .shallow = shallow };
        TN_ASSERT_OK(tn_delta_clone(f->table, f->conn, &how, to, &r, err));
        TN_ASSERT_EQ_I(r.files, 2);
        TN_ASSERT_EQ_I(sum_of(f, to, arena, err), 45);
        how.version = 0;
        TN_ASSERT_RC(tn_delta_clone(f->table, f->conn, &how, to, &r, err), TN_E_EXISTS);
        tn_err_clear(err);
        /* the clone's own writes and packing leave the source alone */
        tn_delta_optimize_opts o = { .zorder_by = { 0 } };
        tn_vec_push(&o.zorder_by, arena, TN_STR("id"));
        tn_delta_optimize_result done;
        TN_ASSERT_OK(tn_delta_optimize(to, f->conn, arena, &o, &done, err));
        TN_ASSERT_EQ_I(done.files_added, 2);
        tn_delta_vacuum_result v;
        tn_delta_vacuum_opts vo = { .retention_ms = 0, .allow_short = true };
        tn_clock_sleep_us(5000);
        TN_ASSERT_OK(tn_delta_vacuum(to, f->conn, arena, &vo, &v, err));
        TN_ASSERT_EQ_I(v.files, shallow ? 0 : 2);
        TN_ASSERT_EQ_I(sum_of(f, to, arena, err), 45);
        TN_ASSERT_EQ_I(ask(f, "SELECT sum(id)::BIGINT FROM t", arena, err).i, 45);
    }
}

/* ---- checking ---- */

static tn_delta_check_result check_it(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_delta_check_opts o = { .values = true };
    tn_delta_check_result r;
    TN_ASSERT_OK(tn_delta_check(f->table, f->conn, arena, &o, &r, err));
    return r;
}

static void expect_finding(const tn_delta_check_result *r, const char *what)
{
    for (size_t i = 0; i < r->findings.n; i++) {
        if (strcmp(r->findings.v[i].what, what) == 0 && r->findings.v[i].error) {
            return;
        }
    }
    TN_FAIL("no finding '%s' among %zu", what, r->findings.n);
}

static void damage_log(fixture *f, const char *from, const char *to, tn_arena *arena, tn_err *err)
{
    tn_str key = TN_STR("_delta_log/00000000000000000000.json"), text;
    TN_ASSERT_OK(tn_store_get(f->plain, arena, key, 1 << 20, &text, err));
    TN_ASSERT_HAS(text, from);
    text = tn_str_replace(arena, text, tn_str_of(from), tn_str_of(to));
    TN_ASSERT_OK(tn_store_put(f->plain, key, text, TN_PUT_OVERWRITE, err));
    tn_delta_table_close(TN_TAKE(f->table)); /* what it remembers */
    TN_ASSERT_OK(tn_delta_table_open(f->faulty, &f->table, err));
}

/* Their bounds have more digits than a double, through which the check reads them. */
TN_TEST(check_knows_wide_decimals)
{
    fixture *f = open_fixture(arena, err);
    put(f,
        "SELECT 1::BIGINT AS id, 1234567890123456789012345678.0123456789::DECIMAL(38, 10) AS m "
        "UNION ALL"
        " SELECT 2, -1234567890123456789012345678.0123456789",
        arena, err);
    TN_ASSERT_EQ_I(check_it(f, arena, err).findings.n, 0);
}

static void damage_crc(fixture *f, const char *from, const char *to, tn_arena *arena, tn_err *err)
{
    tn_str key = TN_STR("_delta_log/00000000000000000000.crc"), text;
    TN_ASSERT_OK(tn_store_get(f->plain, arena, key, 1 << 20, &text, err));
    TN_ASSERT_HAS(text, from);
    text = tn_str_replace(arena, text, tn_str_of(from), tn_str_of(to));
    TN_ASSERT_OK(tn_store_put(f->plain, key, text, TN_PUT_OVERWRITE, err));
}

/* Spark writes the features of a checksum file in an order of its own. */
TN_TEST(check_takes_features_as_a_set)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT TIMESTAMP '2024-01-01' AS t", arena, err);
    const char *was = "\"appendOnly\",\"invariants\"";
    damage_crc(f, was, "\"invariants\",\"appendOnly\"", arena, err);
    TN_ASSERT_EQ_I(check_it(f, arena, err).findings.n, 0);
    damage_crc(f, "\"invariants\",\"appendOnly\"", "\"appendOnly\",\"appendOnly\"", arena, err);
    tn_delta_check_result r = check_it(f, arena, err);
    expect_finding(&r, "checksum file");
}

TN_TEST(check_holds_the_checkpoint_against_the_commits)
{
    fixture *f = open_fixture(arena, err);
    for (int i = 0; i < 12; i++) {
        put(f, "SELECT range AS id FROM range(10)", arena, err);
    }
    TN_ASSERT_EQ_I(check_it(f, arena, err).findings.n, 0);
    damage_log(f, "\"size\":", "\"size\":1", arena, err);
    tn_delta_check_result r = check_it(f, arena, err);
    expect_finding(&r, "checkpoint");
    damage_log(f, "part-", "other-", arena, err);
    r = check_it(f, arena, err);
    TN_ASSERT_EQ_I(r.findings.n, 2); /* one that the commits do not have, one that it lacks */
    TN_ASSERT_OK(
        tn_store_put(f->plain, TN_STR("_delta_log/00000000000000000010.checkpoint.parquet"),
            TN_STR("x"), TN_PUT_OVERWRITE, err));
    tn_delta_table_close(TN_TAKE(f->table));
    TN_ASSERT_OK(tn_delta_table_open(f->faulty, &f->table, err));
    r = check_it(f, arena, err);
    bool told = false;
    for (size_t i = 0; i < r.findings.n; i++) {
        told = told || strcmp(r.findings.v[i].what, "checkpoint") == 0;
    }
    TN_ASSERT(told);
}

TN_TEST(check_finds_damage)
{
    fixture *f = open_fixture(arena, err);
    put(f,
        "SELECT 41000 + range AS id, 'x' || range AS s, TIMESTAMPTZ '2024-01-01 00:00:00.123456Z' "
        "AS ts, 1.5::DECIMAL(9,2) AS d, "
        "'nan'::DOUBLE AS n, DATE '2024-02-29' AS day FROM range(100)",
        arena, err);
    tn_delta_check_result r = check_it(f, arena, err);
    if (r.findings.n > 0) {
        TN_FAIL("%s: %.*s", r.findings.v[0].what, TN_STR_ARG(r.findings.v[0].detail));
    }
    TN_ASSERT_EQ_I(r.rows, 100);
    damage_log(f, "\\\"id\\\":41000", "\\\"id\\\":41001", arena, err);
    r = check_it(f, arena, err);
    TN_ASSERT_EQ_I(r.findings.n, 1);
    expect_finding(&r, "statistics");
    damage_log(f, "\\\"numRecords\\\":100", "\\\"numRecords\\\":101", arena, err);
    r = check_it(f, arena, err);
    expect_finding(&r, "row count");
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, 0, &s, err));
    tn_str path = tn_delta_snapshot_file(s, 0)->path;
    TN_ASSERT_OK(tn_store_put(f->plain, path, TN_STR("garbage"), TN_PUT_OVERWRITE, err));
    r = check_it(f, arena, err);
    expect_finding(&r, "size");
    expect_finding(&r, "unreadable file");
    TN_ASSERT_OK(tn_store_remove(f->plain, path, err));
    r = check_it(f, arena, err);
    expect_finding(&r, "missing file");
    put(f, "SELECT 1 AS id", arena, err);
    put(f, "SELECT 1 AS id", arena, err);
    TN_ASSERT_OK(tn_store_remove(f->plain, TN_STR("_delta_log/00000000000000000001.json"), err));
    r = check_it(f, arena, err);
    expect_finding(&r, "gap in the log");
}

/* ---- faults and races ---- */

enum { MAINT_OPTIMIZE, MAINT_VACUUM, MAINT_RESTORE, MAINT_KINDS };

static tn_rc maintain(fixture *f, int kind, tn_arena *arena, tn_err *err)
{
    tn_delta_optimize_opts oo = { .target_file_bytes = 0 };
    tn_delta_optimize_result od;
    tn_delta_vacuum_opts vo = { .retention_ms = 0, .allow_short = true };
    tn_delta_vacuum_result vd;
    int64_t version;
    switch (kind) {
    case MAINT_OPTIMIZE:
        return tn_delta_optimize(f->table, f->conn, arena, &oo, &od, err);
    case MAINT_VACUUM:
        return tn_delta_vacuum(f->table, f->conn, arena, &vo, &vd, err);
    default:
        return tn_delta_restore(f->table, f->conn, 1, &version, err);
    }
}

static void fail_each_call(int kind, tn_rc rc, bool after, tn_arena *arena, tn_err *err)
{
    fixture *f = open_fixture(arena, err);
    bool faulted = true;
    for (int64_t k = 1; faulted; k++) {
        open_at(f, "t", err);
        put(f, "SELECT 5::BIGINT AS id", arena, err);
        put_by(f, TN_DELTA_OVERWRITE, "SELECT 1::BIGINT AS id", NULL, arena, err); /* version 1 */
        for (int i = 0; i < 3; i++) {
            put(f, "SELECT 1::BIGINT AS id", arena, err);
        }
        int64_t calls = tn_store_faulty_calls(f->faulty);
        tn_store_faulty_set(f->faulty, (tn_store_fault){ .k = k, .rc = rc, .after = after });
        tn_err why = TN_ERR_INIT;
        tn_rc got = maintain(f, kind, arena, &why);
        faulted = tn_store_faulty_calls(f->faulty) - calls >= k;
        tn_store_faulty_set(f->faulty, (tn_store_fault){ .k = 0 });
        int64_t seen = ask(f, SUM, arena, err).i, before = 4 * 1001,
                after_it = kind == MAINT_RESTORE ? 1001 : before;
        if (seen != after_it && (seen != before || got == TN_OK)) {
            TN_FAIL("call %" PRId64 " (%s): %" PRId64, k, why.msg, seen);
        }
        if (kind == MAINT_OPTIMIZE && got != TN_OK && got != TN_E_AMBIGUOUS &&
            files_on_disk(f, arena, err) != 5) {
            TN_FAIL("call %" PRId64 ": failed (%s), but files are left", k, why.msg);
        }
        TN_ASSERT(faulted || got == TN_OK);
        put(f, "SELECT 1::BIGINT AS id", arena, err);
        TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, seen + 1001);
    }
}

TN_TEST(every_fault_leaves_before_or_after)
{
    for (int kind = 0; kind < MAINT_KINDS; kind++) {
        fail_each_call(kind, TN_E_IO, false, arena, err);
        fail_each_call(kind, TN_E_AMBIGUOUS, true, arena, err);
    }
}

typedef struct racer {
    tn_duck *duck;
    tn_str dir;
    bool stop;
    int done, conflicts;
    char why[500];
} racer;

static tn_rc open_racer(racer *r, tn_conn **conn, tn_store **store, tn_delta_table **t, tn_err *err)
{
    TN_TRY(tn_duck_connect(r->duck, conn, err));
    TN_TRY(tn_store_open(r->dir, NULL, store, err));
    return tn_delta_table_open(*store, t, err);
}

static void append_on(void *p)
{
    racer *r = p;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_AUTOPTR(tn_store) store = NULL;
    TN_AUTOPTR(tn_delta_table) t = NULL;
    tn_err err = TN_ERR_INIT;
    tn_rc rc = open_racer(r, &conn, &store, &t, &err);
    for (int i = 0; rc == TN_OK && i < 25; i++) {
        tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
        tn_delta_write_result got;
        rc = tn_delta_write(t, conn, TN_STR("SELECT 1::BIGINT AS id"), &o, &got, &err);
        r->done += rc == TN_OK;
    }
    snprintf(r->why, sizeof r->why, "%.499s", err.msg);
}

static void optimize_on(void *p)
{
    racer *r = p;
    TN_AUTO_ARENA a = tn_arena_new("race", NULL);
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_AUTOPTR(tn_store) store = NULL;
    TN_AUTOPTR(tn_delta_table) t = NULL;
    tn_err err = TN_ERR_INIT;
    tn_rc rc = open_racer(r, &conn, &store, &t, &err);
    while (rc == TN_OK && !__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
        tn_delta_optimize_opts o = { .target_file_bytes = 0 };
        tn_delta_optimize_result got;
        rc = tn_delta_optimize(t, conn, a, &o, &got, &err);
        r->done += rc == TN_OK && got.changed;
        if (rc == TN_E_CONFLICT) { /* the other packer was first */
            tn_err_clear(&err);
            r->conflicts++;
            rc = TN_OK;
        }
    }
    snprintf(r->why, sizeof r->why, "%.499s", err.msg);
}

TN_TEST(packing_does_not_disturb_appends)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT 1::BIGINT AS id", arena, err);
    racer r[4];
    tn_thread *threads[4];
    memset(r, 0, sizeof r);
    for (int i = 0; i < 4; i++) {
        r[i].duck = f->duck;
        r[i].dir = f->dir;
        TN_ASSERT_OK(
            tn_thread_start(i < 2 ? append_on : optimize_on, &r[i], "race", &threads[i], err));
    }
    for (int i = 0; i < 4; i++) {
        if (i == 2) {
            __atomic_store_n(&r[2].stop, true, __ATOMIC_RELEASE);
            __atomic_store_n(&r[3].stop, true, __ATOMIC_RELEASE);
        }
        tn_thread_join(threads[i]);
    }
    for (int i = 0; i < 4; i++) {
        if (r[i].why[0] != '\0' || (i < 2 && r[i].done != 25)) {
            TN_FAIL("writer %d: %d done: %s", i, r[i].done, r[i].why);
        }
    }
    TN_ASSERT(r[2].done + r[3].done > 0);
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, 51 * 1001);
    TN_ASSERT_EQ_I(check_it(f, arena, err).findings.n, 0);
}

/* A store that lets another writer in just before the first commit is put. */
typedef struct gate {
    tn_store base;
    fixture *f;
    const char *sql; /* NULL: has happened */
    tn_delta_mode mode;
    tn_rc rc;
} gate;

static tn_store *behind(tn_store *s)
{
    return ((gate *)s)->f->plain;
}

static tn_rc gate_get(tn_store *s, tn_arena *a, tn_str key, size_t max, tn_str *ret, tn_err *err)
{
    return tn_store_get(behind(s), a, key, max, ret, err);
}

static tn_rc gate_range(
    tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    return tn_store_get_range(behind(s), a, key, from, n, ret, err);
}

static tn_rc gate_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err)
{
    gate *g = (gate *)s;
    if (g->sql != NULL && mode == TN_PUT_IF_ABSENT) {
        tn_delta_write_opts o = { .mode = g->mode };
        tn_delta_write_result r;
        g->rc = tn_delta_write(g->f->table, g->f->conn, tn_str_of(TN_TAKE(g->sql)), &o, &r, err);
    }
    return tn_store_put(behind(s), key, data, mode, err);
}

static tn_rc gate_list(
    tn_store *s, tn_arena *a, const tn_store_list_opts *o, tn_store_items *ret, tn_err *err)
{
    return tn_store_list(behind(s), a, o, ret, err);
}

static tn_rc gate_head(tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err)
{
    return tn_store_head(behind(s), a, key, ret, err);
}

static tn_rc gate_remove(tn_store *s, tn_str key, tn_err *err)
{
    return tn_store_remove(behind(s), key, err);
}

static tn_str gate_locate(tn_store *s, tn_arena *a, tn_str key)
{
    return tn_store_locate(behind(s), a, key);
}

static tn_rc gate_prepare(tn_store *s, tn_str key, tn_err *err)
{
    return tn_store_prepare(behind(s), key, err);
}

static void gate_close(tn_store *s)
{
    (void)s;
}

static const tn_store_ops GATE_OPS = { .name = "gate",
    .get = gate_get,
    .get_range = gate_range,
    .put = gate_put,
    .list = gate_list,
    .head = gate_head,
    .remove = gate_remove,
    .locate = gate_locate,
    .prepare = gate_prepare,
    .close = gate_close };

static tn_rc pack_while(fixture *f, tn_delta_mode mode, const char *sql,
    tn_delta_optimize_result *ret, tn_arena *arena, tn_err *err)
{
    gate g = { .base = { .ops = &GATE_OPS, .refs = 1, .root = f->plain->root },
        .f = f,
        .sql = sql,
        .mode = mode };
    TN_AUTOPTR(tn_delta_table) t = NULL;
    TN_ASSERT_OK(tn_delta_table_open(&g.base, &t, err));
    tn_delta_optimize_opts o = { .target_file_bytes = 0 };
    tn_rc rc = tn_delta_optimize(t, f->conn, arena, &o, ret, err);
    TN_ASSERT(g.sql == NULL);
    TN_ASSERT_OK(g.rc);
    return rc;
}

TN_TEST(packing_passes_an_append_and_loses_to_a_removal)
{
    fixture *f = open_fixture(arena, err);
    put(f, "SELECT 1::BIGINT AS id", arena, err);
    put(f, "SELECT 2::BIGINT AS id", arena, err);
    tn_delta_optimize_result done;
    TN_ASSERT_OK(pack_while(f, TN_DELTA_APPEND, "SELECT 4::BIGINT AS id", &done, arena, err));
    TN_ASSERT_EQ_I(done.version, 3);
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, 7003);
    TN_ASSERT_EQ_I(live_files(f, err), 2);
    size_t files = files_on_disk(f, arena, err);
    TN_ASSERT_RC(pack_while(f, TN_DELTA_OVERWRITE, "SELECT 9::BIGINT AS id", &done, arena, err),
        TN_E_CONFLICT);
    TN_ASSERT_HAS(err->msg, "version 4");
    TN_ASSERT_EQ_I(ask(f, SUM, arena, err).i, 9001);
    TN_ASSERT_EQ_I(files_on_disk(f, arena, err), files + 1);
}
