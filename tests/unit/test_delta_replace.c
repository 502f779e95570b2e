// layers: base os text store duck delta
/* Overwrites of a part of a table: by predicate and by the partitions of the new rows, with deletion vectors and by rewriting. */
#include "delta_dml_test.h"

static const char *const PARTS =
    "SELECT range AS id, (range // 250)::INTEGER AS p, 'n' || range AS name FROM range(1000)";

static tn_rc replace(
    fixture *f, const char *select, const char *where, tn_delta_write_result *r, tn_err *err)
{
    tn_delta_write_opts o = { .mode = TN_DELTA_OVERWRITE,
        .replace_where = where != NULL ? tn_str_of(where) : TN_STR_NONE,
        .dynamic_partitions = where == NULL };
    return tn_delta_write(f->table, f->conn, tn_str_of(select), &o, r, err);
}

static void oracle(fixture *f, const char *select, const char *where, tn_err *err)
{
    sql(f, tn_arena_printf(f->arena, "DELETE FROM oracle WHERE %s", where), err);
    sql(f, tn_arena_printf(f->arena, "INSERT INTO oracle BY NAME %s", select), err);
    same(f, err);
}

static void by_rows(fixture *f, tn_err *err)
{
    tn_delta_write_result r;
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    const char *fresh = "SELECT range AS id, 5 AS v, 'new' AS name FROM range(3)";
    TN_ASSERT_OK(replace(f, fresh, "v = 5", &r, err));
    TN_ASSERT_EQ_I(r.rows, 3);
    TN_ASSERT(r.deleted > 0 && r.version == 1);
    TN_ASSERT_EQ_I(files_with(f, "deletion_vector_", err), f->vectors ? 1 : 0);
    TN_ASSERT_EQ_S(metric(f, "numOutputRows", err), TN_STR("3"));
    TN_ASSERT_EQ_S(
        tn_val_str_at(tn_val_at(info(f, err), "operationParameters"), "predicate", TN_STR_NONE),
        TN_STR("v = 5"));
    oracle(f, fresh, "v = 5", err);
    TN_ASSERT_OK(replace(f, "SELECT * FROM oracle WHERE false", "id < 100 -- all", &r, err));
    oracle(f, "SELECT * FROM oracle WHERE false", "id < 100", err);
    size_t before = files_with(f, "part-", err);
    TN_ASSERT_RC(replace(f, fresh, "v = 6", &r, err), TN_E_DATA);
    TN_ASSERT_HAS(err->msg, "replace where");
    tn_err_clear(err);
    TN_ASSERT_RC(replace(f, fresh, "no_such > 6", &r, err), TN_E_SQL);
    tn_err_clear(err);
    TN_ASSERT_EQ_I(files_with(f, "part-", err), before);
    tn_delta_write_opts o = {
        .mode = TN_DELTA_OVERWRITE, .replace_where = TN_STR("v = 6"), .replace_unchecked = true
    };
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(fresh), &o, &r, err));
    oracle(f, fresh, "v = 6", err);
}

TN_TEST(rows_of_a_predicate_are_replaced)
{
    both(arena, by_rows, err);
}

static void by_partition(fixture *f, tn_err *err)
{
    tn_delta_write_result r;
    put(f, PARTS, "p", TN_VAL_UNDEF, err);
    put(f, "SELECT -1 AS id, NULL::INTEGER AS p, 'none' AS name", "p", TN_VAL_UNDEF, err);
    const char *one = "SELECT 7 AS id, 2 AS p, 'seven' AS name";
    TN_ASSERT_OK(replace(f, one, "p >= 2 AND p < 3", &r, err));
    TN_ASSERT_EQ_I(r.deleted, 250);
    TN_ASSERT_EQ_S(metric(f, "numRemovedFiles", err), TN_STR("1"));
    TN_ASSERT_EQ_I(files_with(f, "deletion_vector_", err), 0);
    oracle(f, one, "p = 2", err);
    const char *two = "SELECT 8 AS id, 3 AS p, 'eight' AS name UNION ALL SELECT 9, NULL, 'nine'";
    TN_ASSERT_OK(replace(f, two, NULL, &r, err));
    TN_ASSERT_EQ_I(r.deleted, 251);
    oracle(f, two, "p = 3 OR p IS NULL", err);
    TN_ASSERT_OK(replace(f, "SELECT * FROM oracle WHERE false", NULL, &r, err));
    TN_ASSERT_EQ_I(r.version, 3);
    same(f, err);
    tn_delta_dml_result d = delete_rows(f, "p = 1", err); /* no file is opened for it */
    TN_ASSERT_EQ_I(d.files_removed, 1);
    TN_ASSERT_EQ_I(d.deleted, 250);
    d = delete_rows(f, "p = 0 AND id % 2 = 1", err);
    TN_ASSERT_EQ_I(d.deleted, 125);
    TN_ASSERT_OK(
        tn_delta_delete(f->table, f->conn, TN_STR("p = 0 AND random() < 2"), NULL, &d, err));
    TN_ASSERT_EQ_I(d.deleted, 125);
}

TN_TEST(partitions_are_replaced)
{
    both(arena, by_partition, err);
}

static void refusals(fixture *f, tn_err *err)
{
    tn_delta_write_result r;
    put(f, PARTS, "p", TN_VAL_UNDEF, err);
    tn_delta_write_opts append = { .mode = TN_DELTA_APPEND, .dynamic_partitions = true };
    TN_ASSERT_RC(tn_delta_write(f->table, f->conn, tn_str_of(PARTS), &append, &r, err), TN_E_USAGE);
    tn_err_clear(err);
    tn_delta_write_opts both_ways = {
        .mode = TN_DELTA_OVERWRITE, .dynamic_partitions = true, .replace_where = TN_STR("p = 1")
    };
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, tn_str_of(PARTS), &both_ways, &r, err), TN_E_USAGE);
    tn_err_clear(err);
    tn_delta_write_opts schema = { .mode = TN_DELTA_OVERWRITE,
        .schema_mode = TN_SCHEMA_OVERWRITE,
        .replace_where = TN_STR("p = 1") };
    TN_ASSERT_RC(tn_delta_write(f->table, f->conn, tn_str_of(PARTS), &schema, &r, err), TN_E_USAGE);
    tn_err_clear(err);
    tn_delta_write_opts merge = {
        .mode = TN_DELTA_OVERWRITE, .schema_mode = TN_SCHEMA_MERGE, .replace_where = TN_STR("p = 1")
    };
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
        TN_STR("SELECT 1 AS id, 1 AS p, 'x' AS name, 5 AS more"), &merge, &r, err));
    sql(f, "ALTER TABLE oracle ADD COLUMN more INTEGER", err);
    oracle(f, "SELECT 1 AS id, 1 AS p, 'x' AS name, 5 AS more", "p = 1", err);
}

TN_TEST(a_part_is_replaced_by_overwrites_only_and_may_add_columns)
{
    both(arena, refusals, err);
}

/* Two tables over one log: the second writes while the first one's rows are being checked. */
typedef struct rival {
    fixture *f;
    const char *select, *where;
} rival;

static tn_rc intrude(void *self, tn_conn *conn, int64_t rows, tn_err *err)
{
    const rival *v = self;
    (void)rows;
    TN_AUTOPTR(tn_delta_table) other = NULL;
    TN_TRY(tn_delta_table_open(v->f->plain, &other, err));
    tn_delta_write_opts o = { .mode = TN_DELTA_OVERWRITE, .replace_where = tn_str_of(v->where) };
    tn_delta_write_result r;
    return tn_delta_write(other, conn, tn_str_of(v->select), &o, &r, err);
}

static void races(fixture *f, tn_err *err)
{
    tn_delta_write_result r;
    put(f, PARTS, "p", TN_VAL_UNDEF, err);
    const char *one = "SELECT 7 AS id, 1 AS p, 'seven' AS name";
    const char *two = "SELECT 8 AS id, 2 AS p, 'eight' AS name";
    rival v = { .f = f, .select = two, .where = "p = 2" };
    tn_delta_write_opts o = { .mode = TN_DELTA_OVERWRITE,
        .replace_where = TN_STR("p = 1"),
        .before_commit = intrude,
        .before_commit_self = &v };
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(one), &o, &r, err));
    TN_ASSERT_EQ_I(r.version, 2);
    sql(f, "DELETE FROM oracle WHERE p = 1", err);
    sql(f, tn_arena_printf(f->arena, "INSERT INTO oracle %s", one), err);
    oracle(f, two, "p = 2", err);
    o.replace_where = TN_STR_NONE;
    o.dynamic_partitions = true;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(one), &o, &r, err));
    TN_ASSERT_EQ_I(r.version, 4);
    same(f, err);
    v.where = "p IN (1, 2)"; /* removes what the overwrite has removed */
    TN_ASSERT_RC(tn_delta_write(f->table, f->conn, tn_str_of(one), &o, &r, err), TN_E_CONFLICT);
}

TN_TEST(only_the_same_partitions_conflict)
{
    both(arena, races, err);
}
