/* delta_fixture.h: a DuckDB, a table in the test's folder behind a store that can be made to fail, and a reader that has nothing to do with
 * the writer. Private to the unit tests of src/delta. */
#ifndef TN_TESTS_DELTA_FIXTURE_H
#define TN_TESTS_DELTA_FIXTURE_H

#include "tn_test.h"

#include "delta/delta.h"
#include "os/file.h"

typedef struct fixture {
    tn_duck *duck;
    tn_conn *conn;
    tn_store *plain, *faulty;
    tn_delta_table *table;
    tn_str dir;
    tn_str model; /* a test's own: the folder of a table that others are made from */
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

static TN_UNUSED void fresh_table(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_delta_table_close(TN_TAKE(f->table));
    tn_store_unref(TN_TAKE(f->faulty));
    tn_store_unref(TN_TAKE(f->plain));
    f->dir = tn_str_of(tn_arena_printf(arena, "%s/t", tn_test_dir(arena)));
    TN_ASSERT_OK(tn_store_open(f->dir, NULL, &f->plain, err));
    TN_ASSERT_OK(tn_store_faulty(f->plain, &f->faulty, err));
    TN_ASSERT_OK(tn_delta_table_open(f->faulty, &f->table, err));
}

static TN_UNUSED fixture *open_fixture(tn_arena *arena, tn_err *err)
{
    fixture *f = tn_new(arena, fixture);
    tn_arena_defer(arena, close_fixture, f);
    tn_duck_opts opts = { .threads = 2 };
    TN_ASSERT_OK(tn_duck_open(&opts, &f->duck, err));
    TN_ASSERT_OK(tn_duck_connect(f->duck, &f->conn, err));
    fresh_table(f, arena, err);
    return f;
}

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
