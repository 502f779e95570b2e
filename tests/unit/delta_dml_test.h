/* delta_dml_test.h: what the tests of changed rows share: a table, with deletion vectors or without, and a plain DuckDB table `oracle`. */
#ifndef TN_DELTA_DML_TEST_H
#define TN_DELTA_DML_TEST_H

#include "delta_open.h"

#include "delta/delta_dml.h"
#include "os/file.h"
#include "text/json.h"
#include "text/uri.h"

static TN_UNUSED fixture *open_changed(tn_arena *arena, bool vectors, tn_err *err)
{
    fixture *f = open_fixture(arena, err);
    f->vectors = vectors;
    return f;
}

static TN_UNUSED void sql(fixture *f, const char *text, tn_err *err)
{
    TN_ASSERT_OK(tn_conn_exec(f->conn, tn_str_of(text), err));
}

/* Writes the SELECT's rows as files of the table, and the same rows to the table `oracle`. */
static TN_UNUSED void put(
    fixture *f, const char *select, const char *partition, tn_val properties, tn_err *err)
{
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .properties = properties };
    bool there;
    TN_ASSERT_OK(tn_delta_table_exists(f->table, &there, err));
    if (!there && f->vectors) {
        o.properties = properties.tag == TN_DICT ? properties : tn_val_dict(f->arena);
        tn_dict_putz(o.properties.dict, "delta.enableDeletionVectors", tn_val_z("true"));
    }
    if (!there && partition != NULL) {
        tn_vec_push(&o.partition_by, f->arena, tn_str_of(partition));
    }
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(select), &o, &r, err));
    sql(f,
        tn_arena_printf(f->arena,
            there ? "INSERT INTO oracle BY NAME %s" : "CREATE OR REPLACE TABLE oracle AS %s",
            select),
        err);
}

static TN_UNUSED tn_str scan(fixture *f, tn_err *err)
{
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    tn_str text;
    tn_rc rc = tn_delta_scan_sql(s, f->arena, NULL, &text, err);
    tn_delta_snapshot_unref(s);
    TN_ASSERT_OK(rc);
    return text;
}

/* The table and `oracle` hold the same rows, counted. */
static TN_UNUSED void same(fixture *f, tn_err *err)
{
    tn_val v;
    tn_str t = scan(f, err);
    TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
        tn_str_printf(f->arena,
            "SELECT (SELECT count(*) FROM (SELECT * FROM (" TN_STR_FMT
            ") EXCEPT ALL FROM oracle)) + (SELECT count(*) FROM (FROM oracle EXCEPT ALL SELECT * "
            "FROM (" TN_STR_FMT ")))",
            TN_STR_ARG(t), TN_STR_ARG(t)),
        &v, err));
    TN_ASSERT_EQ_I(v.i, 0);
}

static TN_UNUSED tn_delta_dml_result delete_rows(fixture *f, const char *where, tn_err *err)
{
    tn_delta_dml_result r;
    TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, tn_str_of(where), NULL, &r, err));
    sql(f, tn_arena_printf(f->arena, "DELETE FROM oracle WHERE %s", *where ? where : "true"), err);
    same(f, err);
    return r;
}

static TN_UNUSED tn_delta_dml_result update_rows(
    fixture *f, const char *column, const char *value, const char *where, tn_err *err)
{
    tn_delta_dml_result r;
    tn_delta_sets sets = { 0 };
    tn_delta_set one = { .column = tn_str_of(column), .value = tn_str_of(value) };
    tn_vec_push(&sets, f->arena, one);
    TN_ASSERT_OK(tn_delta_update(f->table, f->conn, &sets, tn_str_of(where), NULL, &r, err));
    sql(f,
        tn_arena_printf(
            f->arena, "UPDATE oracle SET %s = %s WHERE %s", column, value, *where ? where : "true"),
        err);
    same(f, err);
    return r;
}

static TN_UNUSED tn_val info(fixture *f, tn_err *err)
{
    tn_val list;
    TN_ASSERT_OK(tn_delta_history(f->table, f->arena, 1, &list, err));
    return list.list->v[0];
}

static TN_UNUSED tn_str metric(fixture *f, const char *name, tn_err *err)
{
    return tn_val_str_at(tn_val_at(info(f, err), "operationMetrics"), name, TN_STR("absent"));
}

static TN_UNUSED size_t files_with(fixture *f, const char *prefix, tn_err *err)
{
    tn_file_infos all = { 0 };
    TN_ASSERT_OK(tn_dir_list(f->arena, f->dir, true, &all, err));
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        n += tn_str_starts(tn_path_base(all.v[i].name), tn_str_of(prefix)) ? 1 : 0;
    }
    return n;
}

static TN_UNUSED const char *const ROWS =
    "SELECT range AS id, CASE WHEN range % 3 > 0 THEN range % 7 END AS "
    "v, 'n' || range AS name FROM range(1000)";

static TN_UNUSED void both(tn_arena *arena, void (*body)(fixture *f, tn_err *err), tn_err *err)
{
    for (int i = 0; i < 2; i++) {
        body(open_changed(arena, i == 1, err), err);
    }
}

#endif
