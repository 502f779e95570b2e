// layers: base os text store duck delta
/* Row ids are unique, stay with their rows through every operation, and tell which commit last changed a row. */
#include "delta_fixture.h"

#include "delta/action/delta_action.h"
#include "delta/delta_alter.h"
#include "delta/delta_dml.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "text/json.h"

/* k -> [id, version], as JSON; the test's own reader. */
static tn_val ids(fixture *f, tn_arena *arena, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) t = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, err));
    tn_str scan;
    tn_delta_scan_opts o = { .add_row_ids = true, .conn = f->conn };
    TN_ASSERT_OK(tn_delta_scan_sql(s, arena, &o, &scan, err));
    tn_val n;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena,
            "SELECT count(*) = count(DISTINCT _tarn_id) AND count(*) = count(_tarn_version) FROM "
            "(" TN_STR_FMT ")",
            TN_STR_ARG(scan)),
        &n, err));
    TN_ASSERT(n.i == 1);
    tn_val text;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena,
            "SELECT coalesce(json_group_object(k, [_tarn_id, _tarn_version])::VARCHAR, '{}') FROM "
            "(" TN_STR_FMT ")",
            TN_STR_ARG(scan)),
        &text, err));
    tn_val v;
    TN_ASSERT_OK(tn_json_parse(arena, tn_val_as_str(text), &v, err));
    return v;
}

static int64_t newest(fixture *f, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    return tn_delta_snapshot_version(s);
}

/* Every row that was there has its id, and its version unless k % changed_mod = 0: then it is the newest. */
static void same_rows(
    fixture *f, tn_val before, int64_t changed_mod, size_t rows, tn_arena *arena, tn_err *err)
{
    tn_val now = ids(f, arena, err);
    int64_t version = newest(f, err);
    TN_ASSERT_EQ_I(now.dict->live, rows);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(now.dict, &at)) != NULL) {
        const tn_val *old = tn_dict_find(before.dict, it->key);
        int64_t k = strtoll(tn_val_as_str(it->key).p, NULL, 10);
        bool changed = changed_mod > 0 && k % changed_mod == 0;
        if (old != NULL) {
            TN_ASSERT_EQ_I(it->value.list->v[0].i, old->list->v[0].i);
        }
        TN_ASSERT_EQ_I(
            it->value.list->v[1].i, old == NULL || changed ? version : old->list->v[1].i);
    }
}

static void make(
    fixture *f, bool tracked, bool vectors, const char *mapping, tn_arena *arena, tn_err *err)
{
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .properties = tn_val_dict(arena) };
    if (tracked) {
        tn_dict_putz(o.properties.dict, "delta.enableRowTracking", tn_val_z("true"));
    }
    tn_dict_putz(
        o.properties.dict, "delta.enableDeletionVectors", tn_val_z(vectors ? "true" : "false"));
    tn_dict_putz(o.properties.dict, "delta.columnMapping.mode", tn_val_z(mapping));
    tn_dict_putz(
        o.properties.dict, "delta.enableChangeDataFeed", tn_val_z(vectors ? "true" : "false"));
    tn_vec_push(&o.partition_by, arena, TN_STR("p"));
    tn_delta_write_result r;
    for (int i = 0; i < 3; i++) {
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
            tn_str_printf(arena,
                "SELECT range AS k, range %% 2 AS p, 'v' || range AS v FROM range(%d, %d)", i * 10,
                i * 10 + 10),
            &o, &r, err));
        o.properties = TN_VAL_UNDEF;
    }
}

static void change_all(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_delta_dml_result d;
    tn_val before = ids(f, arena, err);
    tn_delta_sets sets = { 0 };
    tn_delta_set set = { TN_STR("v"), TN_STR("v || '!'") };
    tn_vec_push(&sets, arena, set);
    TN_ASSERT_OK(tn_delta_update(f->table, f->conn, &sets, TN_STR("k % 5 = 0"), NULL, &d, err));
    same_rows(f, before, 5, 30, arena, err);

    before = ids(f, arena, err);
    TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, TN_STR("k % 10 = 3"), NULL, &d, err));
    same_rows(f, before, 0, 27, arena, err);

    before = ids(f, arena, err);
    tn_delta_optimize_opts o = { .zorder_by = { 0 } };
    tn_vec_push(&o.zorder_by, arena, TN_STR("k"));
    tn_delta_optimize_result done;
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &done, err));
    TN_ASSERT(done.changed);
    same_rows(f, before, 0, 27, arena, err);

    before = ids(f, arena, err);
    tn_delta_merge_spec m = { .source = TN_STR(
                                  "SELECT range * 7 AS k, range % 2 AS p, 'm' AS v FROM range(10)"),
        .on = TN_STR("source.k = target.k") };
    tn_merge_clause update = { .when = TN_MERGE_MATCHED, .what = TN_MERGE_UPDATE_ALL };
    tn_merge_clause insert = { .when = TN_MERGE_NOT_MATCHED, .what = TN_MERGE_INSERT_ALL };
    tn_vec_push(&m.clauses, arena, update);
    tn_vec_push(&m.clauses, arena, insert);
    TN_ASSERT_OK(tn_delta_merge(f->table, f->conn, &m, NULL, &d, err));
    TN_ASSERT(d.inserted > 0 && d.updated > 0);
    same_rows(f, before, 7, (size_t)(27 + d.inserted), arena, err);

    before = ids(f, arena, err);
    tn_delta_restore_opts back = { .version = newest(f, err) - 1 };
    tn_delta_restore_result rr;
    TN_ASSERT_OK(tn_delta_restore_to(f->table, f->conn, &back, &rr, err));
    TN_ASSERT_EQ_I(ids(f, arena, err).dict->live, 27);
    tn_delta_check_result c;
    TN_ASSERT_OK(tn_delta_check(
        f->table, f->conn, arena, &(tn_delta_check_opts){ .values = true }, &c, err));
    for (size_t i = 0; i < c.findings.n; i++) {
        TN_FAIL("%s: " TN_STR_FMT, c.findings.v[i].what, TN_STR_ARG(c.findings.v[i].detail));
    }
}

static tn_str last_tag(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_val h;
    TN_ASSERT_OK(tn_delta_history(f->table, arena, 1, &h, err));
    return tn_val_str_at(
        tn_val_at(h.list->v[0], "tags"), "delta.rowTracking.preserved", TN_STR("-"));
}

TN_TEST(ids_stay_when_files_are_written_anew)
{
    fixture *f = open_fixture(arena, err);
    make(f, true, false, "none", arena, err);
    change_all(f, arena, err);
    TN_ASSERT_EQ_S(last_tag(f, arena, err), "true");
}

TN_TEST(ids_stay_with_vectors_and_mapped_columns)
{
    fixture *f = open_fixture(arena, err);
    make(f, true, true, "name", arena, err);
    change_all(f, arena, err);
}

TN_TEST(by_id_they_are_said_to_be_lost)
{
    fixture *f = open_fixture(arena, err);
    make(f, true, false, "id", arena, err);
    TN_ASSERT_EQ_S(last_tag(f, arena, err), "true");
    tn_delta_dml_result d;
    TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, TN_STR("k = 3"), NULL, &d, err));
    TN_ASSERT_EQ_S(last_tag(f, arena, err), "false");
}

TN_TEST(a_live_table_begins_to_track)
{
    fixture *f = open_fixture(arena, err);
    int64_t version;
    make(f, false, true, "none", arena, err);
    TN_ASSERT_OK(tn_delta_row_tracking_enable(f->table, f->conn, &version, err));
    TN_ASSERT_EQ_I(version, 5); /* 0 to 2, protocol, backfill, property */
    TN_ASSERT_EQ_I(ids(f, arena, err).dict->live, 30);
    TN_ASSERT_OK(tn_delta_row_tracking_enable(f->table, f->conn, &version, err));
    TN_ASSERT_EQ_I(version, 5);
    change_all(f, arena, err);
}

/* A property that is refused beside it: nothing has been committed, neither the feature nor ids. */
TN_TEST(a_refused_statement_does_not_begin_to_track)
{
    fixture *f = open_fixture(arena, err);
    make(f, false, true, "none", arena, err);
    tn_delta_alter c = { .kind = TN_ALTER_SET_PROPERTIES, .properties = tn_val_dict(arena) };
    tn_dict_putz(c.properties.dict, "delta.enableRowTracking", tn_val_z("true"));
    tn_dict_putz(c.properties.dict, "delta.checkpointInterval", tn_val_z("often"));
    tn_delta_alter_result r;
    TN_ASSERT_RC(tn_delta_alter_run(f->table, f->conn, &c, &r, err), TN_E_VALUE);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    TN_ASSERT_EQ_I(s->version, 2);
    tn_dict_putz(c.properties.dict, "delta.checkpointInterval", tn_val_z("7"));
    TN_ASSERT_OK(tn_delta_alter_run(f->table, f->conn, &c, &r, err));
    TN_ASSERT_EQ_I(r.version, 6); /* protocol, backfill, property, the other property */
    TN_ASSERT_EQ_I(ids(f, arena, err).dict->live, 30);
    TN_ASSERT_OK(tn_delta_alter_run(f->table, f->conn, &c, &r, err));
    TN_ASSERT(!r.changed);
}

/* Two plans from one snapshot: the loser's ids begin above the winner's. */
TN_TEST(the_loser_of_a_race_gets_ids_above_the_winners)
{
    fixture *f = open_fixture(arena, err);
    make(f, true, false, "none", arena, err);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    int64_t high = tn_delta_rows_high_water(&s->domains);
    TN_ASSERT_EQ_I(high, 29);
    for (int i = 0; i < 2; i++) {
        int64_t version;
        tn_delta_txn_plan p = { .read_version = s->version,
            .base = s,
            .operation = TN_STR("WRITE"),
            .blind_append = true };
        tn_delta_file file = s->files.v[0];
        file.path = tn_str_printf(arena, "p=0/new-%d.parquet", i);
        file.stats = TN_STR("{\"numRecords\":7}");
        file.base_row_id = file.default_row_commit_version = TN_DELTA_ABSENT;
        tn_vec_push(&p.adds, arena, file);
        TN_ASSERT_OK(tn_delta_commit_write(f->table, &p, &version, err));
        TN_AUTOPTR(tn_delta_snapshot) now = NULL;
        TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &now, err));
        const tn_delta_file *last = &tn_vec_last(&now->files);
        TN_ASSERT_EQ_I(last->base_row_id, 30 + 7 * i);
        TN_ASSERT_EQ_I(last->default_row_commit_version, version);
        TN_ASSERT_EQ_I(tn_delta_rows_high_water(&now->domains), 36 + 7 * i);
    }
}
