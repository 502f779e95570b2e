/* delta_open.h: a DuckDB and a table in the test's folder, behind a store that can be made to fail. Private to the unit tests of src/delta. */
#ifndef TN_TESTS_DELTA_OPEN_H
#define TN_TESTS_DELTA_OPEN_H

#include "tn_test.h"

#include "delta/delta.h"

typedef struct fixture {
    tn_arena *arena;
    tn_duck *duck;
    tn_conn *conn;
    tn_store *plain, *faulty;
    tn_delta_table *table;
    tn_str dir;
    /* A test's own, none at first. */
    tn_str model;         /* the folder of a table that others are made from */
    tn_delta_snapshot *s; /* closed with the fixture */
    bool vectors;         /* tables get deletion vectors */
} fixture;

static void close_fixture(void *p)
{
    fixture *f = p;
    tn_delta_snapshot_unref(f->s);
    tn_delta_table_close(f->table);
    tn_store_unref(f->faulty);
    tn_store_unref(f->plain);
    tn_conn_close(f->conn);
    tn_duck_close(f->duck);
}

/* The table in the folder `name` of the test's, from now on. */
static TN_UNUSED void open_at(fixture *f, const char *name, tn_err *err)
{
    tn_delta_table_close(TN_TAKE(f->table));
    tn_store_unref(TN_TAKE(f->faulty));
    tn_store_unref(TN_TAKE(f->plain));
    f->dir = tn_str_of(tn_arena_printf(f->arena, "%s/%s", tn_test_dir(f->arena), name));
    TN_ASSERT_OK(tn_store_open(f->dir, NULL, &f->plain, err));
    TN_ASSERT_OK(tn_store_faulty(f->plain, &f->faulty, err));
    TN_ASSERT_OK(tn_delta_table_open(f->faulty, &f->table, err));
}

static TN_UNUSED fixture *open_fixture(tn_arena *arena, tn_err *err)
{
    fixture *f = tn_new(arena, fixture);
    f->arena = arena;
    tn_arena_defer(arena, close_fixture, f);
    tn_duck_opts opts = { .threads = 2 };
    TN_ASSERT_OK(tn_duck_open(&opts, &f->duck, err));
    TN_ASSERT_OK(tn_duck_connect(f->duck, &f->conn, err));
    open_at(f, "t", err);
    return f;
}

#endif
