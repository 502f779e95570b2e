// layers: base os text store duck delta
/* Compacted logs: readers take them where they fit, say the same as the commits, and are passed over when they are damaged. */
#include "delta_fixture.h"

#include "delta/delta_dml.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"

static void fill(fixture *f, const char *properties, tn_arena *arena, tn_err *err)
{
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .properties = tn_val_dict(arena) };
    tn_dict_putz(o.properties.dict, "delta.enableDeletionVectors", tn_val_z("true"));
    tn_dict_putz(o.properties.dict, "delta.enableInCommitTimestamps", tn_val_z("true"));
    if (properties != NULL) {
        tn_dict_putz(o.properties.dict, properties, tn_val_z("v2"));
    }
    tn_delta_write_result r;
    tn_delta_dml_result d;
    tn_delta_optimize_opts oo = { .target_file_bytes = 0 };
    tn_delta_optimize_result done;
    for (int i = 0; i < 4; i++) {
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
            tn_str_printf(arena, "SELECT range AS id FROM range(%d, %d)", i * 10, i * 10 + 10), &o,
            &r, err));
        o.properties = TN_VAL_UNDEF;
        TN_ASSERT_OK(tn_delta_delete(
            f->table, f->conn, tn_str_printf(arena, "id %% 7 = %d", i), NULL, &d, err));
    }
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &oo, &done, err)); /* version 8 */
    put(f, "SELECT 1000 AS id", arena, err);
}

static tn_val seen(fixture *f, tn_arena *arena, tn_err *err)
{
    return ask(f, "SELECT list(id ORDER BY id)::VARCHAR FROM t", arena, err);
}

static bool there(fixture *f, const char *name, tn_arena *arena)
{
    tn_str text;
    tn_err ignored = TN_ERR_INIT;
    return tn_store_get(f->plain, arena, tn_str_printf(arena, "_delta_log/%s", name), 1 << 24,
               &text, &ignored) == TN_OK;
}

#define NAME(from, to) "0000000000000000000" #from ".0000000000000000000" #to ".compacted.json"

static void at_all_versions(fixture *f, tn_arena *arena, tn_err *err)
{
    for (int v = 0; v <= 9; v++) { /* with compacted files and from the commits alone */
        tn_val rows[2];
        int64_t times[2];
        for (int plain = 0; plain < 2; plain++) {
            TN_AUTOPTR(tn_delta_snapshot) s = NULL;
            TN_AUTOPTR(tn_delta_table) t = NULL;
            TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
            if (plain == 1) {
                TN_ASSERT_OK(tn_store_remove(f->plain, TN_STR("_delta_log/" NAME(0, 8)), err));
                TN_ASSERT_OK(tn_store_remove(f->plain, TN_STR("_delta_log/" NAME(2, 5)), err));
            }
            TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, v, &s, err));
            tn_str scan;
            TN_ASSERT_OK(tn_delta_scan_sql(s, arena, NULL, &scan, err));
            times[plain] = s->timestamp_ms;
            TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
                tn_str_printf(arena, "SELECT list(id ORDER BY id)::VARCHAR FROM (" TN_STR_FMT ")",
                    TN_STR_ARG(scan)),
                &rows[plain], err));
        }
        TN_ASSERT_EQ_S(tn_val_as_str(rows[0]), tn_val_as_str(rows[1]));
        TN_ASSERT_EQ_I(times[0], times[1]);
        tn_delta_compact_result r;
        TN_ASSERT_OK(tn_delta_log_compact(f->table, 0, 8, &r, err));
        TN_ASSERT_OK(tn_delta_log_compact(f->table, 2, 5, &r, err));
    }
}

TN_TEST(compacted_commits_say_the_same)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_compact_result r;
    fill(f, NULL, arena, err);
    tn_val before = seen(f, arena, err);
    TN_ASSERT_OK(tn_delta_log_compact(f->table, 0, 8, &r, err));
    TN_ASSERT(r.written && there(f, NAME(0, 8), arena));
    TN_ASSERT_OK(tn_delta_log_compact(f->table, 0, 8, &r, err));
    TN_ASSERT(!r.written);
    TN_ASSERT_OK(tn_delta_log_compact(f->table, 2, 5, &r, err));
    at_all_versions(f, arena, err);
    /* it is really read: a commit inside of it is not needed */
    TN_ASSERT_OK(tn_store_put(f->plain, TN_STR("_delta_log/00000000000000000004.json"),
        TN_STR("no json"), TN_PUT_OVERWRITE, err));
    TN_ASSERT_EQ_S(tn_val_as_str(seen(f, arena, err)), tn_val_as_str(before));
}

/* A compacted file that still has adds beside the removes that cancel them, in any order: other writers make such. */
TN_TEST(one_that_is_not_reconciled_says_the_same)
{
    fixture *f = open_fixture(arena, err);
    fill(f, NULL, arena, err);
    tn_val before = seen(f, arena, err);
    tn_buf b = tn_buf_init(arena, 1 << 20);
    for (int64_t v = 8; v >= 0; v--) {
        tn_str text;
        TN_ASSERT_OK(tn_store_get(
            f->plain, arena, tn_delta_commit_key(arena, v), (size_t)1 << 20, &text, err));
        while (text.n > 0) {
            tn_str line;
            tn_str rest;
            text = tn_str_cut(text, '\n', &line, &rest) ? rest : TN_STR_NONE;
            if (tn_str_starts(line, TN_STR("{\"add\"")) ||
                tn_str_starts(line, TN_STR("{\"remove\"")) ||
                (v == 0 && !tn_str_starts(line, TN_STR("{\"commitInfo\"")))) {
                tn_buf_add(&b, line);
                tn_buf_addc(&b, '\n');
            }
        }
    }
    TN_ASSERT_OK(tn_store_put(
        f->plain, TN_STR("_delta_log/" NAME(0, 8)), tn_buf_str(&b), TN_PUT_OVERWRITE, err));
    TN_ASSERT_OK(tn_store_put(f->plain, TN_STR("_delta_log/00000000000000000004.json"),
        TN_STR("no json"), TN_PUT_OVERWRITE, err));
    TN_ASSERT_EQ_S(tn_val_as_str(seen(f, arena, err)), tn_val_as_str(before));
}

TN_TEST(a_damaged_one_is_passed_over)
{
    fixture *f = open_fixture(arena, err);
    fill(f, NULL, arena, err);
    tn_val before = seen(f, arena, err);
    TN_ASSERT_OK(tn_store_put(
        f->plain, TN_STR("_delta_log/" NAME(0, 8)), TN_STR("{\"add\":"), TN_PUT_OVERWRITE, err));
    TN_ASSERT_EQ_S(tn_val_as_str(seen(f, arena, err)), tn_val_as_str(before));
    tn_delta_compact_result r;
    TN_ASSERT_RC(tn_delta_log_compact(f->table, 5, 99, &r, err), TN_E_NOTFOUND);
}

TN_TEST(cleaning_takes_compacted_files_and_sidecars)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_compact_result r;
    int64_t removed;
    fill(f, "delta.checkpointPolicy", arena, err);
    for (int i = 0; i < 12; i++) { /* to version 21: checkpoints of 10 and 20 */
        put(f, "SELECT 5 AS id", arena, err);
    }
    TN_ASSERT_OK(tn_delta_log_compact(f->table, 2, 8, &r, err));
    TN_ASSERT_OK(tn_delta_log_compact(f->table, -1, -1, &r, err));
    TN_ASSERT_EQ_I(r.written, false); /* one commit after the checkpoint */
    tn_val before = seen(f, arena, err);
    tn_clock_fix(tn_clock_now_us() + (int64_t)40 * 24 * 3600 * 1000000);
    TN_ASSERT_OK(tn_delta_log_cleanup(f->table, f->conn, NULL, 0, &removed, err));
    tn_clock_fix(0);
    TN_ASSERT(!there(f, NAME(2, 8), arena));
    tn_file_infos all = { 0 };
    TN_ASSERT_OK(tn_dir_list(arena, f->dir, true, &all, err));
    size_t sidecars = 0;
    size_t tops = 0;
    for (size_t i = 0; i < all.n; i++) {
        bool side = tn_str_find(all.v[i].name, TN_STR("_sidecars/0"), 0) != SIZE_MAX;
        sidecars += side;
        tops += !side && tn_str_find(all.v[i].name, TN_STR(".checkpoint."), 0) != SIZE_MAX;
    }
    TN_ASSERT_EQ_I(sidecars, 1);
    TN_ASSERT_EQ_I(tops, 1);
    TN_ASSERT_EQ_S(tn_val_as_str(seen(f, arena, err)), tn_val_as_str(before));
}
