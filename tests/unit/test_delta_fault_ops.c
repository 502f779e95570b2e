// layers: base os text store duck delta
/* Every operation on a table, each of its requests failing in turn: before it is carried out, and carried out with the answer lost. A reader sees the
 * table before or after, never between; what was acknowledged is there; a failure leaves no file behind; the operation can be done again. */
#include "delta_fixture.h"

#include "delta/delta_dml.h"
#include "delta/delta_maint.h"
#include "os/clock.h"

typedef struct operation {
    const char *name;
    tn_rc (*run)(fixture *f, tn_arena *a, tn_err *err);
    bool rewrites;    /* the table has no deletion vectors */
    bool keeps_files; /* may leave the set of data files smaller: VACUUM */
} operation;

static tn_rc write_mode(fixture *f, tn_delta_mode mode, const char *where, tn_err *err)
{
    tn_delta_write_opts o = { .mode = mode };
    tn_delta_write_result r;
    if (where != NULL) {
        o.replace_where = tn_str_of(where);
    }
    return tn_delta_write(
        f->table, f->conn, TN_STR("SELECT 3 + range AS id, 'n' AS s FROM range(5)"), &o, &r, err);
}

static tn_rc do_append(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    return write_mode(f, TN_DELTA_APPEND, NULL, err);
}

static tn_rc do_overwrite(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    return write_mode(f, TN_DELTA_OVERWRITE, NULL, err);
}

static tn_rc do_replace(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    return write_mode(f, TN_DELTA_OVERWRITE, "id BETWEEN 3 AND 7", err);
}

static tn_rc do_delete(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    tn_delta_dml_result r;
    return tn_delta_delete(f->table, f->conn, TN_STR("id % 3 = 0"), NULL, &r, err);
}

static tn_rc do_update(fixture *f, tn_arena *a, tn_err *err)
{
    tn_delta_dml_result r;
    tn_delta_sets sets = { 0 };
    tn_delta_set set = { TN_STR("id"), TN_STR("id + 1000") };
    tn_vec_push(&sets, a, set);
    return tn_delta_update(f->table, f->conn, &sets, TN_STR("id = 5"), NULL, &r, err);
}

static tn_rc do_merge(fixture *f, tn_arena *a, tn_err *err)
{
    tn_delta_dml_result r;
    tn_delta_merge_spec m = { .source = TN_STR("SELECT range * 4 AS id, 'm' AS s FROM range(9)"),
        .on = TN_STR("source.id = target.id") };
    tn_merge_clause update = { .when = TN_MERGE_MATCHED, .what = TN_MERGE_UPDATE_ALL };
    tn_merge_clause insert = { .when = TN_MERGE_NOT_MATCHED, .what = TN_MERGE_INSERT_ALL };
    tn_vec_push(&m.clauses, a, update);
    tn_vec_push(&m.clauses, a, insert);
    return tn_delta_merge(f->table, f->conn, &m, NULL, &r, err);
}

static tn_rc do_optimize(fixture *f, tn_arena *a, tn_err *err)
{
    tn_delta_optimize_opts o = { .target_file_bytes = 0 };
    tn_delta_optimize_result r;
    return tn_delta_optimize(f->table, f->conn, a, &o, &r, err);
}

static tn_rc do_vacuum(fixture *f, tn_arena *a, tn_err *err)
{
    tn_delta_vacuum_opts o = { .retention_ms = 0, .allow_short = true };
    tn_delta_vacuum_result r;
    return tn_delta_vacuum(f->table, f->conn, a, &o, &r, err);
}

static tn_rc do_restore(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    tn_delta_restore_opts o = { .version = 0 };
    tn_delta_restore_result r;
    return tn_delta_restore_to(f->table, f->conn, &o, &r, err);
}

static tn_rc do_checkpoint(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    return tn_delta_checkpoint(f->table, f->conn, s, err);
}

static tn_rc do_compact(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    tn_delta_compact_result r;
    return tn_delta_log_compact(f->table, 0, 1, &r, err);
}

static tn_rc do_track(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    int64_t version;
    return tn_delta_row_tracking_enable(f->table, f->conn, &version, err);
}

static void set_up(fixture *f, const operation *op, tn_arena *arena, tn_err *err)
{
    fresh_table(f, arena, err);
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .properties = tn_val_dict(arena) };
    tn_dict_putz(o.properties.dict, "delta.enableDeletionVectors",
        tn_val_z(op->rewrites ? "false" : "true"));
    tn_dict_putz(o.properties.dict, "delta.checkpointInterval",
        tn_val_z("2")); /* the operation's own version has one */
    tn_dict_putz(o.properties.dict, "delta.checkpointPolicy", tn_val_z("v2"));
    tn_delta_write_result r;
    for (int i = 0; i < 2; i++) {
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
            tn_str_printf(arena, "SELECT %d + range AS id, 'x' AS s FROM range(10)", i * 10), &o,
            &r, err));
        o.properties = TN_VAL_UNDEF;
    }
}

static tn_str seen(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_val v = ask(f, "SELECT coalesce(list(t ORDER BY id, s)::VARCHAR, '') FROM t", arena, err);
    return tn_val_as_str(v);
}

/* Everything but the log. */
static size_t data_objects(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_file_infos all = { 0 };
    TN_ASSERT_OK(tn_dir_list(arena, f->dir, true, &all, err));
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        n += !tn_str_starts(all.v[i].name, TN_STR("_delta_log"));
    }
    return n;
}

static void one_fault(fixture *f, const operation *op, tn_store_fault fault, tn_str after,
    bool *ret_faulted, tn_arena *arena, tn_err *err)
{
    set_up(f, op, arena, err);
    tn_str before = seen(f, arena, err);
    size_t objects = data_objects(f, arena, err);
    int64_t calls = tn_store_faulty_calls(f->faulty);
    tn_store_faulty_set(f->faulty, fault);
    tn_err why = TN_ERR_INIT;
    tn_rc rc = op->run(f, arena, &why);
    *ret_faulted = tn_store_faulty_calls(f->faulty) - calls >= fault.k;
    tn_store_faulty_set(f->faulty, (tn_store_fault){ .k = 0 });
    tn_str now = seen(f, arena, err);
    if (!tn_str_eq(now, before) && !tn_str_eq(now, after)) {
        TN_FAIL("%s, call %" PRId64 ": the table is neither before nor after: %s", op->name,
            fault.k, why.msg);
    }
    if (rc == TN_OK && !tn_str_eq(now, after)) {
        TN_FAIL("%s, call %" PRId64 ": acknowledged, but not there", op->name, fault.k);
    }
    if (rc != TN_OK && rc != TN_E_AMBIGUOUS && rc != fault.rc) {
        TN_FAIL("%s, call %" PRId64 ": the error is of another kind: %d %s", op->name, fault.k,
            (int)rc, why.msg);
    }
    if (rc != TN_OK && rc != TN_E_AMBIGUOUS && data_objects(f, arena, err) > objects) {
        TN_FAIL(
            "%s, call %" PRId64 ": failed (%s), but files are left", op->name, fault.k, why.msg);
    }
    TN_ASSERT(*ret_faulted || rc == TN_OK);
    if (tn_str_eq(now, before)) { /* it can be done again */
        TN_ASSERT_OK(op->run(f, arena, err));
        TN_ASSERT_EQ_S(seen(f, arena, err), after);
    }
    tn_delta_check_result checked;
    TN_ASSERT_OK(tn_delta_check(
        f->table, f->conn, arena, &(tn_delta_check_opts){ .values = false }, &checked, err));
    for (size_t i = 0; i < checked.findings.n; i++) {
        TN_FAIL("%s, call %" PRId64 ": %s: " TN_STR_FMT, op->name, fault.k,
            checked.findings.v[i].what, TN_STR_ARG(checked.findings.v[i].detail));
    }
}

static void all_faults(const operation *op, tn_arena *arena, tn_err *err)
{
    fixture *f = open_fixture(arena, err);
    static const tn_store_fault KINDS[] = { { .rc = TN_E_IO },
        { .rc = TN_E_AMBIGUOUS, .after = true } };
    set_up(f, op, arena, err);
    TN_ASSERT_OK(op->run(f, arena, err));
    tn_str after = seen(f, arena, err);
    for (size_t i = 0; i < TN_COUNTOF(KINDS); i++) {
        bool faulted = true;
        for (int64_t k = 1; faulted; k++) {
            TN_AUTO_ARENA scratch = tn_arena_new("fault", arena);
            tn_store_fault fault = KINDS[i];
            fault.k = k;
            one_fault(f, op, fault, after, &faulted, scratch, err);
        }
    }
}

#define CASE(name, run, rewrites)                                                                  \
    TN_TEST(name)                                                                                  \
    {                                                                                              \
        static const operation op = { #name, run, rewrites, false };                               \
        all_faults(&op, arena, err);                                                               \
    }
CASE(append, do_append, false)
CASE(overwrite, do_overwrite, false)
CASE(replace_by_vectors, do_replace, false)
CASE(delete_by_vectors, do_delete, false)
CASE(delete_by_rewriting, do_delete, true)
CASE(update_by_vectors, do_update, false)
CASE(update_by_rewriting, do_update, true)
CASE(merge_by_vectors, do_merge, false)
CASE(merge_by_rewriting, do_merge, true)
CASE(optimize, do_optimize, false)
CASE(vacuum, do_vacuum, false)
CASE(restore, do_restore, false)
CASE(checkpoint, do_checkpoint, false)
CASE(compact_log, do_compact, false)
CASE(row_tracking, do_track, false)
