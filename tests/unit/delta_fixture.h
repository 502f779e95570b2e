/* delta_fixture.h: rows into the table of delta_open.h, and a reader that has nothing to do with the writer. Private to the unit tests of src/delta. */
#ifndef TN_TESTS_DELTA_FIXTURE_H
#define TN_TESTS_DELTA_FIXTURE_H

#include "delta_open.h"

#include "os/file.h"

static TN_UNUSED void put_by(fixture *f, tn_delta_mode mode, const char *sql, const char *partition,
    tn_arena *arena, tn_err *err)
{
    tn_delta_write_opts o = { .mode = mode };
    if (partition != NULL) {
        tn_vec_push(&o.partition_by, arena, tn_str_of(partition));
    }
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(sql), &o, &r, err));
}

static TN_UNUSED void put(fixture *f, const char *sql, tn_arena *arena, tn_err *err)
{
    put_by(f, TN_DELTA_APPEND, sql, NULL, arena, err);
}

/* One value of a query over the table `t`, read by someone who has nothing to do with the writer. */
static TN_UNUSED tn_val ask(fixture *f, const char *select, tn_arena *arena, tn_err *err)
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

static TN_UNUSED size_t live_files(fixture *f, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    return tn_delta_snapshot_file_count(s);
}

static TN_UNUSED size_t files_on_disk(fixture *f, tn_arena *arena, tn_err *err)
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

#endif
