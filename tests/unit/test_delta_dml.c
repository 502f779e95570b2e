// layers: base os text store duck delta
/* DELETE, UPDATE and MERGE: each case runs on a table with deletion vectors and on one that is rewritten, and a plain DuckDB table that got
 * the same statements says what must be there. */
#include "tn_test.h"

#include "delta/delta_dml.h"
#include "os/file.h"
#include "text/json.h"

typedef struct fixture {
    tn_arena *arena;
    tn_duck *duck;
    tn_conn *conn;
    tn_store *store;
    tn_delta_table *table;
    tn_str dir;
    bool vectors;
} fixture;

static void close_table(fixture *f)
{
    tn_delta_table_close(TN_TAKE(f->table));
    tn_store_unref(TN_TAKE(f->store));
}

static void close_fixture(void *p)
{
    fixture *f = p;
    close_table(f);
    tn_conn_close(f->conn);
    tn_duck_close(f->duck);
}

static fixture *open_fixture(tn_arena *arena, bool vectors, tn_err *err)
{
    fixture *f = tn_new(arena, fixture);
    f->arena = arena;
    f->vectors = vectors;
    f->dir = tn_str_of(tn_arena_printf(arena, "%s/t", tn_test_dir(arena)));
    tn_arena_defer(arena, close_fixture, f);
    tn_duck_opts opts = { .threads = 2 };
    TN_ASSERT_OK(tn_duck_open(&opts, &f->duck, err));
    TN_ASSERT_OK(tn_duck_connect(f->duck, &f->conn, err));
    TN_ASSERT_OK(tn_store_open(f->dir, NULL, &f->store, err));
    TN_ASSERT_OK(tn_delta_table_open(f->store, &f->table, err));
    return f;
}

static void sql(fixture *f, const char *text, tn_err *err)
{
    TN_ASSERT_OK(tn_conn_exec(f->conn, tn_str_of(text), err));
}

/* Writes the SELECT's rows as files of the table, and the same rows to the table `oracle`. */
static void put(fixture *f, const char *select, const char *partition, tn_val properties, tn_err *err)
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
    sql(f, tn_arena_printf(f->arena, there ? "INSERT INTO oracle BY NAME %s" : "CREATE OR REPLACE TABLE oracle AS %s", select), err);
}

static tn_str scan(fixture *f, tn_err *err)
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
static void same(fixture *f, tn_err *err)
{
    tn_val v;
    tn_str t = scan(f, err);
    TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
        tn_str_printf(f->arena,
            "SELECT (SELECT count(*) FROM (SELECT * FROM (" TN_STR_FMT ") EXCEPT ALL FROM oracle)) + (SELECT count(*) FROM (FROM oracle EXCEPT ALL SELECT * FROM ("
            TN_STR_FMT ")))", TN_STR_ARG(t), TN_STR_ARG(t)), &v, err));
    TN_ASSERT_EQ_I(v.i, 0);
}

static tn_delta_dml_result delete_rows(fixture *f, const char *where, tn_err *err)
{
    tn_delta_dml_result r;
    TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, tn_str_of(where), NULL, &r, err));
    sql(f, tn_arena_printf(f->arena, "DELETE FROM oracle WHERE %s", *where ? where : "true"), err);
    same(f, err);
    return r;
}

static tn_delta_dml_result update_rows(fixture *f, const char *column, const char *value, const char *where, tn_err *err)
{
    tn_delta_dml_result r;
    tn_delta_sets sets = { 0 };
    tn_delta_set one = { .column = tn_str_of(column), .value = tn_str_of(value) };
    tn_vec_push(&sets, f->arena, one);
    TN_ASSERT_OK(tn_delta_update(f->table, f->conn, &sets, tn_str_of(where), NULL, &r, err));
    sql(f, tn_arena_printf(f->arena, "UPDATE oracle SET %s = %s WHERE %s", column, value, *where ? where : "true"), err);
    same(f, err);
    return r;
}

static tn_val info(fixture *f, tn_err *err)
{
    tn_val list;
    TN_ASSERT_OK(tn_delta_history(f->table, f->arena, 1, &list, err));
    return list.list->v[0];
}

static tn_str metric(fixture *f, const char *name, tn_err *err)
{
    return tn_val_str_at(tn_val_at(info(f, err), "operationMetrics"), name, TN_STR("absent"));
}

static size_t files_with(fixture *f, const char *prefix, tn_err *err)
{
    tn_file_infos all = { 0 };
    TN_ASSERT_OK(tn_dir_list(f->arena, f->dir, true, &all, err));
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        n += tn_str_starts(all.v[i].name, tn_str_of(prefix)) ? 1 : 0;
    }
    return n;
}

static const char *const ROWS = "SELECT range AS id, CASE WHEN range % 3 > 0 THEN range % 7 END AS v, 'n' || range AS name FROM range(1000)";

static void both(tn_arena *arena, void (*body)(fixture *f, tn_err *err), tn_err *err)
{
    for (int i = 0; i < 2; i++) {
        body(open_fixture(arena, i == 1, err), err);
    }
}

/* ---- DELETE ---- */

static void deletes(fixture *f, tn_err *err)
{
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    put(f, "SELECT range + 1000 AS id, range AS v, 'm' AS name FROM range(100)", NULL, TN_VAL_UNDEF, err);
    tn_delta_dml_result r = delete_rows(f, "v = 3", err); /* NULL stays */
    TN_ASSERT(r.changed && r.version == 2);
    TN_ASSERT_EQ_I(r.vectors_added, f->vectors ? 2 : 0);
    TN_ASSERT_EQ_I(r.copied == 0, f->vectors);
    TN_ASSERT_EQ_I(files_with(f, "deletion_vector_", err), f->vectors ? 1 : 0);
    TN_ASSERT_EQ_S(metric(f, "numDeletedRows", err), tn_str_printf(f->arena, "%lld", (long long)r.deleted));
    TN_ASSERT_EQ_S(tn_val_str_at(info(f, err), "operation", TN_STR_NONE), TN_STR("DELETE"));
    r = delete_rows(f, "v IS NULL AND id < 500", err); /* one file, its vector grows */
    TN_ASSERT_EQ_I(r.vectors_added, f->vectors ? 1 : 0);
    TN_ASSERT_EQ_S(metric(f, "numDeletionVectorsUpdated", err), f->vectors ? TN_STR("1") : TN_STR("0"));
    r = delete_rows(f, "id >= 1000", err); /* all of a file */
    TN_ASSERT_EQ_I(r.files_removed, 1);
    TN_ASSERT_EQ_I(r.files_added, f->vectors ? 0 : 1); /* rewriting has put both into one */
    r = delete_rows(f, "id = 12345678", err);
    TN_ASSERT(!r.changed && r.version == 4);
    r = delete_rows(f, "", err);
    TN_ASSERT(r.changed && r.deleted > 0);
    r = delete_rows(f, "true", err); /* of an empty table */
    TN_ASSERT(!r.changed);
}

TN_TEST(deletes_rows)
{
    both(arena, deletes, err);
}

static void updates(fixture *f, tn_err *err)
{
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    tn_delta_dml_result r = update_rows(f, "v", "v + 100", "v > 4", err);
    TN_ASSERT_EQ_I(r.files_added, 1);
    TN_ASSERT_EQ_I(r.copied > 0, !f->vectors);
    r = update_rows(f, "name", "NULL", "NULL", err); /* no row */
    TN_ASSERT(!r.changed);
    r = update_rows(f, "name", "name || '-' || v", "id BETWEEN 10 AND 20", err);
    TN_ASSERT_EQ_I(r.updated, 11);
    r = update_rows(f, "v", "(SELECT max(range) FROM range(5)) + id", "", err);
    TN_ASSERT_EQ_I(r.updated, 1000);
    delete_rows(f, "id % 2 = 0", err);
    delete_rows(f, "id % 3 = 0", err);
    update_rows(f, "id", "-id", "id % 5 = 0", err);
}

TN_TEST(updates_rows)
{
    both(arena, updates, err);
}
