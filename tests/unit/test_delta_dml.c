// layers: base os text store duck delta
/* DELETE, UPDATE and MERGE: each case runs on a table with deletion vectors and on one that is rewritten, and a plain DuckDB table that got
 * the same statements says what must be there. */
#include "delta_dml_test.h"

/* ---- DELETE ---- */

static void deletes(fixture *f, tn_err *err)
{
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    put(f, "SELECT range + 1000 AS id, range AS v, 'm' AS name FROM range(100)", NULL, TN_VAL_UNDEF,
        err);
    tn_delta_dml_result r = delete_rows(f, "v = 3", err); /* NULL stays */
    TN_ASSERT(r.changed && r.version == 2);
    TN_ASSERT_EQ_I(r.vectors_added, f->vectors ? 2 : 0);
    TN_ASSERT_EQ_I(r.copied == 0, f->vectors);
    TN_ASSERT_EQ_I(files_with(f, "deletion_vector_", err), f->vectors ? 1 : 0);
    TN_ASSERT_EQ_S(
        metric(f, "numDeletedRows", err), tn_str_printf(f->arena, "%lld", (long long)r.deleted));
    TN_ASSERT_EQ_S(tn_val_str_at(info(f, err), "operation", TN_STR_NONE), TN_STR("DELETE"));
    r = delete_rows(f, "v IS NULL AND id < 500", err); /* one file, its vector grows */
    TN_ASSERT_EQ_I(r.vectors_added, f->vectors ? 1 : 0);
    TN_ASSERT_EQ_S(
        metric(f, "numDeletionVectorsUpdated", err), f->vectors ? TN_STR("1") : TN_STR("0"));
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

/* ---- MERGE ---- */

static void set_clause(
    fixture *f, tn_delta_merge_spec *m, tn_merge_when when, tn_merge_do what, const char *condition)
{
    tn_merge_clause c = { .when = when, .what = what, .condition = tn_str_of(condition) };
    tn_vec_push(&m->clauses, f->arena, c);
}

static void set_column(fixture *f, tn_delta_merge_spec *m, const char *column, const char *value)
{
    tn_delta_set s = { .column = tn_str_of(column), .value = tn_str_of(value) };
    tn_vec_push(&m->clauses.v[m->clauses.n - 1].sets, f->arena, s);
}

static tn_delta_dml_result merge_rows(
    fixture *f, tn_delta_merge_spec *m, const char *oracle, tn_err *err)
{
    tn_delta_dml_result r;
    TN_ASSERT_OK(tn_delta_merge(f->table, f->conn, m, NULL, &r, err));
    if (oracle != NULL) {
        sql(f,
            tn_arena_printf(f->arena,
                "MERGE INTO oracle AS target USING (" TN_STR_FMT ") AS source ON (" TN_STR_FMT
                ") %s",
                TN_STR_ARG(m->source), TN_STR_ARG(m->on), oracle),
            err);
    }
    same(f, err);
    return r;
}

static void merges(fixture *f, tn_err *err)
{
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    put(f, "SELECT range + 5000 AS id, range AS v, 'm' AS name FROM range(100)", NULL, TN_VAL_UNDEF,
        err);
    tn_delta_merge_spec m = { .source = TN_STR(
                                  "SELECT range * 2 AS id, CASE WHEN range % 4 > 0 THEN range END "
                                  "AS v, 's' || range AS name FROM range(400, 600)"),
        .on = TN_STR("target.id = source.id") };
    set_clause(f, &m, TN_MERGE_MATCHED, TN_MERGE_DELETE, "source.v > 450 AND source.v % 5 = 0");
    set_clause(f, &m, TN_MERGE_MATCHED, TN_MERGE_UPDATE, "target.v IS NOT NULL");
    set_column(f, &m, "V", "target.v + source.v");
    set_clause(f, &m, TN_MERGE_NOT_MATCHED, TN_MERGE_INSERT, "v < 590");
    set_column(f, &m, "id", "id"); /* only the source is in sight: no doubt whose column it is */
    set_column(f, &m, "name", "name || '!'");
    tn_delta_dml_result r = merge_rows(f, &m,
        "WHEN MATCHED AND source.v > 450 AND source.v % 5 = 0 THEN DELETE WHEN MATCHED AND "
        "target.v IS NOT NULL THEN UPDATE SET v = target.v + source.v "
        "WHEN NOT MATCHED AND source.v < 590 THEN INSERT (id, name) VALUES (source.id, source.name "
        "|| '!')",
        err);
    TN_ASSERT(r.deleted > 0 && r.updated > 0 && r.inserted > 0);
    TN_ASSERT_EQ_S(tn_val_str_at(info(f, err), "operation", TN_STR_NONE), TN_STR("MERGE"));
    TN_ASSERT_EQ_S(metric(f, "numSourceRows", err), TN_STR("200"));
    TN_ASSERT_EQ_S(metric(f, "numTargetRowsInserted", err),
        tn_str_printf(f->arena, "%lld", (long long)r.inserted));
    TN_ASSERT_EQ_S(metric(f, "numTargetRowsMatchedDeleted", err),
        tn_str_printf(f->arena, "%lld", (long long)r.deleted));
    TN_ASSERT_EQ_S(
        metric(f, f->vectors ? "numTargetDeletionVectorsAdded" : "numTargetFilesRemoved", err),
        TN_STR("1")); /* the other file is pruned */

    tn_delta_merge_spec all = {
        .source = TN_STR(
            "SELECT 'x' || id AS name, id, 7 AS v FROM (SELECT range + 990 AS id FROM range(30))"),
        .on = TN_STR("source.id = target.id")
    };
    set_clause(f, &all, TN_MERGE_MATCHED, TN_MERGE_UPDATE_ALL, "");
    set_clause(f, &all, TN_MERGE_NOT_MATCHED, TN_MERGE_INSERT_ALL, "");
    set_clause(f, &all, TN_MERGE_NOT_MATCHED_BY_SOURCE, TN_MERGE_DELETE, "id > 5050");
    set_clause(f, &all, TN_MERGE_NOT_MATCHED_BY_SOURCE, TN_MERGE_UPDATE, "v = 1");
    set_column(f, &all, "name", "upper(name)");
    r = merge_rows(f, &all,
        "WHEN MATCHED THEN UPDATE SET id = source.id, v = source.v, name = source.name WHEN NOT "
        "MATCHED THEN INSERT (id, v, name) VALUES (source.id, source.v, "
        "source.name) WHEN NOT MATCHED BY SOURCE AND target.id > 5050 THEN DELETE WHEN NOT MATCHED "
        "BY SOURCE AND target.v = 1 THEN UPDATE SET name = "
        "upper(target.name)",
        err);
    TN_ASSERT(r.deleted == 49 && r.updated > 10 && r.inserted > 0);

    all.source = TN_STR("SELECT 1 AS id, 2 AS v, '' AS name WHERE false"); /* nothing matches */
    all.clauses.n = 2;
    r = merge_rows(f, &all, NULL, err);
    TN_ASSERT(!r.changed);
}

TN_TEST(merges_rows)
{
    both(arena, merges, err);
}

static void merge_matches_often(fixture *f, tn_err *err)
{
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    tn_delta_merge_spec m = { .source = TN_STR("SELECT range % 3 AS id, range AS v FROM range(9)"),
        .on = TN_STR("target.id = source.id") };
    set_clause(f, &m, TN_MERGE_MATCHED, TN_MERGE_UPDATE, "");
    set_column(f, &m, "v", "source.v");
    size_t before = files_with(f, "", err);
    tn_delta_dml_result r;
    TN_ASSERT_RC(tn_delta_merge(f->table, f->conn, &m, NULL, &r, err), TN_E_DATA);
    TN_ASSERT_HAS(tn_str_of(err->msg), "several rows of the source match");
    TN_ASSERT_EQ_I(files_with(f, "", err), before);
    tn_err_clear(err);
    m.clauses.v[0].condition = TN_STR("source.v < 3"); /* the others do nothing */
    r = merge_rows(f, &m, "WHEN MATCHED AND source.v < 3 THEN UPDATE SET v = source.v", err);
    TN_ASSERT_EQ_I(r.updated, 3);
    tn_delta_merge_spec del = { .source = m.source, .on = m.on };
    set_clause(f, &del, TN_MERGE_MATCHED, TN_MERGE_DELETE, "");
    r = merge_rows(f, &del, "WHEN MATCHED THEN DELETE", err);
    TN_ASSERT_EQ_I(r.deleted, 3);
    tn_val left; /* nothing of ours stays in the session */
    TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
        TN_STR("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '\\_tarn%' ESCAPE '\\'"),
        &left, err));
    TN_ASSERT_EQ_I(left.i, 0);
}

TN_TEST(a_row_matched_often_is_an_error)
{
    both(arena, merge_matches_often, err);
}

/* ---- partitions, constraints, refusals ---- */

static void partitioned(fixture *f, tn_err *err)
{
    put(f,
        "SELECT range AS id, CASE WHEN range % 4 > 0 THEN 'p ' || range % 4 END AS p, range * 1.5 "
        "AS x FROM range(400)",
        "p", TN_VAL_UNDEF, err);
    delete_rows(f, "p = 'p 1' AND id % 3 = 0", err);
    delete_rows(f, "p IS NULL", err);
    TN_ASSERT_EQ_S(metric(f, "numRemovedFiles", err), TN_STR("1"));
    update_rows(f, "p", "CASE WHEN id % 5 > 0 THEN 'new%/' || id % 2 END", "p = 'p 2'", err);
    tn_delta_merge_spec m = { .source = TN_STR(
                                  "SELECT 'p 3' AS p, range AS id, 0.5 AS x FROM range(380, 420)"),
        .on = TN_STR("target.p = source.p AND target.id = source.id") };
    set_clause(f, &m, TN_MERGE_MATCHED, TN_MERGE_UPDATE_ALL, "");
    set_clause(f, &m, TN_MERGE_NOT_MATCHED, TN_MERGE_INSERT_ALL, "");
    merge_rows(f, &m,
        "WHEN MATCHED THEN UPDATE SET x = source.x WHEN NOT MATCHED THEN INSERT (p, id, x) VALUES "
        "(source.p, source.id, source.x)",
        err);
}

TN_TEST(changes_partitioned_tables)
{
    both(arena, partitioned, err);
}

static void constraints(fixture *f, tn_err *err)
{
    tn_val properties = tn_val_dict(f->arena);
    tn_dict_putz(properties.dict, "delta.constraints.positive", tn_val_z("id >= 0"));
    put(f, ROWS, NULL, properties, err);
    size_t before = files_with(f, "", err);
    tn_delta_dml_result r;
    tn_delta_sets sets = { 0 };
    tn_delta_set one = { .column = TN_STR("id"), .value = TN_STR("id - 500") };
    tn_vec_push(&sets, f->arena, one);
    TN_ASSERT_RC(tn_delta_update(f->table, f->conn, &sets, TN_STR(""), NULL, &r, err), TN_E_DATA);
    TN_ASSERT_HAS(tn_str_of(err->msg), "positive");
    tn_err_clear(err);
    TN_ASSERT_RC(
        tn_delta_update(f->table, f->conn, &sets, TN_STR("nowhere = 1"), NULL, &r, err), TN_E_SQL);
    tn_err_clear(err);
    sets.v[0].column = TN_STR("nowhere");
    TN_ASSERT_RC(tn_delta_update(f->table, f->conn, &sets, TN_STR(""), NULL, &r, err), TN_E_NAME);
    tn_err_clear(err);
    TN_ASSERT_EQ_I(files_with(f, "", err), before);
    same(f, err);
}

TN_TEST(rows_that_violate_a_constraint_change_nothing)
{
    both(arena, constraints, err);
}

TN_TEST(refuses_by_name)
{
    static const char *const CASES[][2] = { { "delta.appendOnly", "append-only" } };
    for (size_t i = 0; i < TN_COUNTOF(CASES); i++) {
        fixture *f = open_changed(arena, true, err);
        tn_val properties = tn_val_dict(arena);
        tn_dict_putz(properties.dict, CASES[i][0], tn_val_z("true"));
        put(f, ROWS, NULL, properties, err);
        tn_delta_dml_result r;
        TN_ASSERT_RC(
            tn_delta_delete(f->table, f->conn, TN_STR("id = 1"), NULL, &r, err), TN_E_UNSUPPORTED);
        TN_ASSERT_HAS(tn_str_of(err->msg), CASES[i][1]);
        tn_err_clear(err);
        same(f, err);
    }
}

/* ---- idempotence, conflicts ---- */

TN_TEST(a_batch_is_written_once)
{
    fixture *f = open_changed(arena, true, err);
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    tn_delta_dml_opts o = {
        .app_id = TN_STR("job"), .txn_version = 4, .user_metadata = TN_VAL_UNDEF
    };
    tn_delta_dml_result r;
    TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, TN_STR("id < 10"), &o, &r, err));
    TN_ASSERT(r.changed && r.deleted == 10);
    TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, TN_STR("id < 20"), &o, &r, err));
    TN_ASSERT(r.skipped && !r.changed);
}

/* A store call fails, k = 1, 2, ..: the table is before or after, and a failed statement leaves no file. */
static void faults(fixture *f, tn_store *faulty, tn_rc rc_of_fault, bool carried_out, tn_err *err)
{
    bool faulted = true;
    for (int64_t k = 1; faulted; k++) {
        tn_delta_table_close(TN_TAKE(f->table));
        TN_ASSERT_OK(tn_delta_table_open(faulty, &f->table, err));
        tn_val sum;
        tn_str count = TN_STR("SELECT coalesce(sum(id), 0)::BIGINT FROM (");
        TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
            tn_str_concat(f->arena, tn_str_concat(f->arena, count, scan(f, err)), TN_STR(")")),
            &sum, err));
        int64_t before = sum.i, calls = tn_store_faulty_calls(faulty);
        size_t files = files_with(f, "part-", err) + files_with(f, "deletion_", err);
        tn_delta_sets sets = { 0 };
        tn_delta_set one = { .column = TN_STR("id"), .value = TN_STR("id + 1") };
        tn_vec_push(&sets, f->arena, one);
        tn_store_faulty_set(
            faulty, (tn_store_fault){ .k = k, .rc = rc_of_fault, .after = carried_out });
        tn_delta_dml_result r;
        tn_err why = TN_ERR_INIT;
        tn_rc rc = tn_delta_update(f->table, f->conn, &sets, TN_STR("id % 10 = 3"), NULL, &r, &why);
        faulted = tn_store_faulty_calls(faulty) - calls >= k;
        tn_store_faulty_set(faulty, (tn_store_fault){ .k = 0 });
        TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
            tn_str_concat(f->arena, tn_str_concat(f->arena, count, scan(f, err)), TN_STR(")")),
            &sum, err));
        if (rc == TN_OK ? sum.i <= before : rc != TN_E_AMBIGUOUS && sum.i != before) {
            TN_FAIL("call %" PRId64 ": %s, sum %" PRId64 " after %" PRId64, k,
                rc == TN_OK ? "done" : why.msg, sum.i, before);
        }
        if (rc != TN_OK && rc != TN_E_AMBIGUOUS &&
            files_with(f, "part-", err) + files_with(f, "deletion_", err) > files) {
            TN_FAIL("call %" PRId64 ": failed (%s) and left files", k, why.msg);
        }
        if (rc == TN_OK) { /* the same rows again next time */
            TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(ROWS),
                &(tn_delta_write_opts){ .mode = TN_DELTA_OVERWRITE }, &(tn_delta_write_result){ 0 },
                err));
        }
    }
}

static void with_faults(fixture *f, tn_err *err)
{
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    tn_store *faulty;
    TN_ASSERT_OK(tn_store_faulty(f->plain, &faulty, err));
    faults(f, faulty, TN_E_IO, false, err);
    faults(f, faulty, TN_E_AMBIGUOUS, false, err);
    faults(f, faulty, TN_E_AMBIGUOUS, true, err);
    tn_delta_table_close(TN_TAKE(f->table));
    tn_store_unref(faulty);
}

TN_TEST(a_failed_call_leaves_the_table_before_or_after)
{
    both(arena, with_faults, err);
}

/* Files that a condition on the target alone rules out are not opened: they may even be gone. */
static void own_conditions(fixture *f, tn_err *err)
{
    put(f, "SELECT range AS id, (range % 3)::INTEGER AS p, 'n' AS name FROM range(30)", "p",
        TN_VAL_UNDEF, err);
    tn_file_infos all = { 0 };
    TN_ASSERT_OK(tn_dir_list(f->arena, f->dir, true, &all, err));
    for (size_t i = 0; i < all.n; i++) {
        if (tn_str_starts(all.v[i].name, TN_STR("p=0/"))) {
            TN_ASSERT_OK(tn_store_remove(f->plain, all.v[i].name, err));
        }
    }
    tn_delta_merge_spec m = { .source = TN_STR("SELECT 4 AS id, 0 AS p UNION ALL SELECT 5, 0"),
        .on = TN_STR(
            "target.p + 0 > -1 AND target.p = 1 AND source.p = 0 AND target.id = source.id") };
    tn_merge_clause c = { .when = TN_MERGE_MATCHED, .what = TN_MERGE_DELETE };
    tn_vec_push(&m.clauses, f->arena, c);
    tn_delta_dml_result r;
    TN_ASSERT_OK(tn_delta_merge(f->table, f->conn, &m, NULL, &r, err));
    TN_ASSERT_EQ_I(r.deleted, 1);
    m.on = TN_STR(
        "source.p = 0 AND target.name = 'n' AND target.id = source.id"); /* the target's p may be any */
    TN_ASSERT(tn_delta_merge(f->table, f->conn, &m, NULL, &r, err) != TN_OK);
    tn_err_clear(err);
}

TN_TEST(merges_prune_by_conditions_on_the_target)
{
    both(arena, own_conditions, err);
}
