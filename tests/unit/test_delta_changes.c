// layers: base os text store duck delta
/* The change data feed: each statement's changes, laid on the version before it, give its version; with deletion vectors and without. */
#include "delta/delta_changes.h"
#include "delta_dml_test.h"

static const char *const PARTS =
    "SELECT range AS id, (range // 250)::INTEGER AS p, 'n' || range AS name FROM range(1000)";

static tn_val feed_on(fixture *f)
{
    tn_val properties = tn_val_dict(f->arena);
    tn_dict_putz(properties.dict, "delta.enableChangeDataFeed", tn_val_z("true"));
    return properties;
}

static tn_rc changes_of(fixture *f, int64_t from, int64_t to, tn_str *ret, tn_err *err)
{
    tn_delta_changes_range r = TN_DELTA_CHANGES_RANGE_INIT;
    r.from = from;
    r.to = to;
    return tn_delta_changes_sql(f->table, f->conn, f->arena, &r, ret, err);
}

static tn_str state_of(fixture *f, int64_t version, tn_err *err)
{
    tn_delta_snapshot *s;
    tn_str text;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, version, &s, err));
    tn_rc rc = tn_delta_scan_sql(s, f->arena, NULL, &text, err);
    tn_delta_snapshot_unref(s);
    TN_ASSERT_OK(rc);
    return text;
}

/* version - 1 and its changes are version. */
static void check_version(fixture *f, int64_t version, tn_err *err)
{
    tn_str feed;
    tn_val wrong;
    TN_ASSERT_OK(changes_of(f, version, version, &feed, err));
    const char *before = version > 0 ? tn_str_z(f->arena, state_of(f, version - 1, err))
                                     : "SELECT * FROM oracle WHERE false";
    const char *after = tn_str_z(f->arena, state_of(f, version, err));
    const char *want = tn_arena_printf(f->arena,
        "(SELECT * FROM (%s) UNION ALL SELECT * EXCLUDE (_change_type, _commit_version, "
        "_commit_timestamp) FROM feed WHERE _change_type IN ('insert', "
        "'update_postimage')) EXCEPT ALL SELECT * EXCLUDE (_change_type, _commit_version, "
        "_commit_timestamp) FROM feed WHERE _change_type IN ('delete', "
        "'update_preimage')",
        before);
    sql(f,
        tn_arena_printf(
            f->arena, "CREATE OR REPLACE TEMP TABLE feed AS %s", tn_str_z(f->arena, feed)),
        err);
    TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
        tn_str_printf(f->arena,
            "SELECT (SELECT count(*) FROM ((%s) EXCEPT ALL (%s))) + (SELECT count(*) FROM ((%s) "
            "EXCEPT ALL (%s)))",
            want, after, after, want),
        &wrong, err));
    TN_ASSERT_EQ_I(wrong.i, 0);
    TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
        TN_STR("SELECT count(*) FROM feed WHERE _commit_version IS NULL OR _commit_timestamp IS "
               "NULL OR _change_type IS NULL"),
        &wrong, err));
    TN_ASSERT_EQ_I(wrong.i, 0);
}

static int64_t count(fixture *f, const char *change, tn_err *err)
{
    tn_val n;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
        tn_str_printf(f->arena, "SELECT count(*) FROM feed WHERE _change_type = '%s'", change), &n,
        err));
    return n.i;
}

static void changes(fixture *f, tn_err *err)
{
    put(f, PARTS, "p", feed_on(f), err);
    check_version(f, 0, err);
    TN_ASSERT_EQ_I(count(f, "insert", err), 1000);
    delete_rows(f, "id % 10 = 3", err);
    check_version(f, 1, err);
    TN_ASSERT_EQ_I(count(f, "delete", err), 100);
    TN_ASSERT_EQ_I(files_with(f, "cdc-", err), 4);
    TN_ASSERT_EQ_S(metric(f, "numAddedChangeFiles", err), TN_STR("4"));
    update_rows(f, "p", "p + 1", "id BETWEEN 200 AND 260", err);
    check_version(f, 2, err);
    TN_ASSERT_EQ_I(count(f, "update_preimage", err), count(f, "update_postimage", err));
    size_t before = files_with(f, "cdc-", err);
    delete_rows(f, "p = 3", err); /* whole files */
    put(f, "SELECT 5000 AS id, 9 AS p, 'late' AS name", NULL, TN_VAL_UNDEF, err);
    check_version(f, 3, err);
    check_version(f, 4, err);
    TN_ASSERT_EQ_I(files_with(f, "cdc-", err), before);
}

static void merges(fixture *f, tn_err *err)
{
    static const char *const STATE =
        "SELECT id, p, name FROM (VALUES (3::BIGINT, 0, 'three'), (5, 0, 'five'), (7000, 7, "
        "'new'), (7001, 7, 'no')) AS s (id, p, name)";
    put(f, PARTS, "p", feed_on(f), err);
    tn_delta_merge_spec m = { .source = tn_str_of(STATE), .on = TN_STR("target.id = source.id") };
    tn_merge_clause c[] = {
        { .when = TN_MERGE_MATCHED, .what = TN_MERGE_DELETE, .condition = TN_STR("source.id = 3") },
        { .when = TN_MERGE_MATCHED, .what = TN_MERGE_UPDATE_ALL },
        { .when = TN_MERGE_NOT_MATCHED,
            .what = TN_MERGE_INSERT_ALL,
            .condition = TN_STR("source.name <> 'no'") },
        { .when = TN_MERGE_NOT_MATCHED_BY_SOURCE,
            .what = TN_MERGE_DELETE,
            .condition = TN_STR("target.id >= 990") }
    };
    for (size_t i = 0; i < TN_COUNTOF(c); i++) {
        tn_vec_push(&m.clauses, f->arena, c[i]);
    }
    tn_delta_dml_result r;
    TN_ASSERT_OK(tn_delta_merge(f->table, f->conn, &m, NULL, &r, err));
    check_version(f, r.version, err);
    TN_ASSERT_EQ_I(count(f, "delete", err), 11);
    TN_ASSERT_EQ_I(count(f, "update_postimage", err), 1);
    TN_ASSERT_EQ_I(count(f, "insert", err), 1);
    m.clauses.n = 0; /* only new rows: no change data files */
    tn_vec_push(&m.clauses, f->arena, c[2]);
    m.source = TN_STR("SELECT 8000::BIGINT AS id, 8 AS p, 'x' AS name");
    size_t before = files_with(f, "cdc-", err);
    TN_ASSERT_OK(tn_delta_merge(f->table, f->conn, &m, NULL, &r, err));
    check_version(f, r.version, err);
    TN_ASSERT_EQ_I(files_with(f, "cdc-", err), before);
}

static void replaces(fixture *f, tn_err *err)
{
    put(f, PARTS, "p", feed_on(f), err);
    tn_delta_write_result r;
    tn_delta_write_opts o = { .mode = TN_DELTA_OVERWRITE, .replace_where = TN_STR("id < 100") };
    TN_ASSERT_OK(tn_delta_write(
        f->table, f->conn, TN_STR("SELECT 50 AS id, 0 AS p, 'fifty' AS name"), &o, &r, err));
    check_version(f, r.version, err);
    TN_ASSERT_EQ_I(count(f, "delete", err), 100);
    TN_ASSERT_EQ_I(count(f, "insert", err), 1);
    size_t before = files_with(f, "cdc-", err);
    o = (tn_delta_write_opts){ .mode = TN_DELTA_OVERWRITE, .dynamic_partitions = true };
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
        TN_STR("SELECT 51 AS id, 0 AS p, 'x' AS name UNION ALL SELECT 52, 17, 'y'"), &o, &r, err));
    check_version(f, r.version, err);
    o = (tn_delta_write_opts){ .mode = TN_DELTA_OVERWRITE };
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(PARTS), &o, &r, err));
    check_version(f, r.version, err);
    TN_ASSERT_EQ_I(files_with(f, "cdc-", err), before);
    o = (tn_delta_write_opts){ .mode = TN_DELTA_OVERWRITE,
        .replace_where = TN_STR("id = 5"),
        .schema_mode = TN_SCHEMA_MERGE };
    TN_ASSERT_OK(tn_delta_write(
        f->table, f->conn, TN_STR("SELECT 5 AS id, 0 AS p, 'x' AS name, 2 AS more"), &o, &r, err));
    tn_str feed;
    TN_ASSERT_OK(changes_of(f, 0, TN_DELTA_LATEST, &feed, err)); /* an added column is fine */
    sql(f,
        tn_arena_printf(
            f->arena, "CREATE OR REPLACE TEMP TABLE feed AS %s", tn_str_z(f->arena, feed)),
        err);
    tn_val n;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, f->arena,
        TN_STR("SELECT count(*) FROM feed WHERE more = 2 AND _change_type = 'insert'"), &n, err));
    TN_ASSERT_EQ_I(n.i, 1);
}

TN_TEST(statements_tell_their_changes)
{
    both(arena, changes, err);
    both(arena, merges, err);
    both(arena, replaces, err);
}

/* Files of commits without change data tell by their vectors. */
TN_TEST(vectors_tell_changes)
{
    fixture *f = open_changed(arena, true, err);
    put(f, ROWS, NULL, feed_on(f), err);
    delete_rows(f, "id % 2 = 0", err);
    delete_rows(f, "id % 3 = 0", err);
    int64_t v;
    TN_ASSERT_OK(tn_delta_restore(f->table, f->conn, 1, &v, err));
    check_version(f, v, err);
    TN_ASSERT_EQ_I(count(f, "insert", err), 167);
}

TN_TEST(ranges_are_checked)
{
    fixture *f = open_changed(arena, false, err);
    tn_str feed;
    put(f, ROWS, NULL, TN_VAL_UNDEF, err);
    TN_ASSERT_RC(changes_of(f, 0, TN_DELTA_LATEST, &feed, err), TN_E_DATA);
    TN_ASSERT_HAS(tn_str_of(err->msg), "is off in version 0");
    tn_err_clear(err);
    fixture *g = open_changed(arena, false, err);
    open_at(g, "g", err);
    put(g, ROWS, NULL, feed_on(g), err);
    delete_rows(g, "id = 1", err);
    TN_ASSERT_RC(changes_of(g, 2, TN_DELTA_LATEST, &feed, err), TN_E_NOTFOUND);
    tn_err_clear(err);
    TN_ASSERT_RC(changes_of(g, 1, 0, &feed, err), TN_E_USAGE);
    tn_err_clear(err);
    TN_ASSERT_OK(changes_of(g, 0, 99, &feed, err));
    tn_delta_changes_range r = TN_DELTA_CHANGES_RANGE_INIT;
    r.from_ms = 0;
    TN_ASSERT_OK(tn_delta_changes_sql(g->table, g->conn, arena, &r, &feed, err));
    r.from_ms = INT64_C(99999999999999);
    TN_ASSERT_RC(tn_delta_changes_sql(g->table, g->conn, arena, &r, &feed, err), TN_E_NOTFOUND);
    tn_err_clear(err);
    tn_delta_write_result w;
    tn_delta_write_opts o = { .mode = TN_DELTA_OVERWRITE, .schema_mode = TN_SCHEMA_OVERWRITE };
    TN_ASSERT_OK(tn_delta_write(g->table, g->conn, TN_STR("SELECT 1 AS id"), &o, &w, err));
    TN_ASSERT_RC(changes_of(g, 0, TN_DELTA_LATEST, &feed, err), TN_E_UNSUPPORTED);
    tn_err_clear(err);
    TN_ASSERT_OK(changes_of(g, 2, TN_DELTA_LATEST, &feed, err));
    TN_ASSERT_OK(tn_store_remove(g->plain, TN_STR("_delta_log/00000000000000000001.json"), err));
    TN_ASSERT(changes_of(g, 0, 1, &feed, err) != TN_OK);
}
