// layers: base os text store duck delta
/* Every operation on a table, each of its requests failing in turn: before it is carried out, and carried out with the answer lost. A reader sees the
 * table before or after, never between; what was acknowledged is there; a failure leaves no file behind; the operation can be done again. */
#include "delta_fixture.h"

#include "delta/action/delta_schema.h"
#include "delta/delta_alter.h"
#include "delta/delta_changes.h"
#include "delta/delta_cluster.h"
#include "delta/delta_dml.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "text/uri.h"

typedef struct operation {
    const char *name;
    tn_rc (*run)(fixture *f, tn_arena *a, tn_err *err);
    enum { VECTORS, REWRITES, FEED, CLUSTERED, CLONES } kind; /* of the table that it begins with */
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

static tn_rc clone_of(fixture *f, bool shallow, tn_err *err)
{
    TN_AUTOPTR(tn_store) store = NULL;
    TN_AUTOPTR(tn_delta_table) from = NULL;
    tn_delta_clone_result r;
    TN_TRY(tn_store_open(f->model, NULL, &store, err));
    TN_TRY(tn_delta_table_open(store, &from, err));
    tn_delta_clone_opts o = { .version = TN_DELTA_LATEST, .shallow = shallow };
    return tn_delta_clone(from, f->conn, &o, f->table, &r, err);
}

static tn_rc do_clone(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    return clone_of(f, false, err);
}

static tn_rc do_clone_shallow(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    return clone_of(f, true, err);
}

static tn_rc alter(fixture *f, const tn_delta_alter *c, tn_err *err)
{
    tn_delta_alter_result r;
    return tn_delta_alter_run(f->table, f->conn, c, &r, err);
}

static tn_rc do_add_column(fixture *f, tn_arena *a, tn_err *err)
{
    static const tn_delta_type INT = { .kind = TN_DT_PRIMITIVE, .name = { "integer", 7 } };
    tn_delta_alter c = { .kind = TN_ALTER_ADD_COLUMNS, .if_exists = true };
    tn_delta_new_column n = { .field = { .name = TN_STR("more"), .nullable = true } };
    n.field.type = tn_delta_type_copy(a, &INT);
    tn_vec_push(&c.add, a, n);
    return alter(f, &c, err);
}

static tn_rc do_set_property(fixture *f, tn_arena *a, tn_err *err)
{
    tn_delta_alter c = { .kind = TN_ALTER_SET_PROPERTIES, .properties = tn_val_dict(a) };
    tn_dict_putz(c.properties.dict, "delta.enableChangeDataFeed", tn_val_z("true"));
    return alter(f, &c, err);
}

static tn_rc do_constrain(fixture *f, TN_UNUSED tn_arena *a, tn_err *err)
{
    tn_delta_alter c = {
        .kind = TN_ALTER_ADD_CONSTRAINT, .name = TN_STR("small"), .text = TN_STR("id < 1000")
    };
    return alter(f, &c, err);
}

static tn_rc do_cluster(fixture *f, tn_arena *a, tn_err *err)
{
    int64_t version;
    tn_strs by = { 0 };
    tn_vec_push(&by, a, TN_STR("id"));
    tn_vec_push(&by, a, TN_STR("s"));
    return tn_delta_cluster_by(f->table, f->conn, &by, &version, err);
}

/* ---- the table before ---- */

static void make_model(fixture *f, const operation *op, tn_arena *arena, tn_err *err)
{
    open_at(f, "t", err);
    f->model = f->dir;
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .properties = tn_val_dict(arena) };
    tn_dict_putz(o.properties.dict, "delta.enableDeletionVectors",
        tn_val_z(op->kind == REWRITES ? "false" : "true"));
    tn_dict_putz(o.properties.dict, "delta.enableChangeDataFeed",
        tn_val_z(op->kind == FEED ? "true" : "false"));
    if (op->kind == CLUSTERED) {
        tn_vec_push(&o.cluster_by, arena, TN_STR("id"));
    }
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
    if (op->kind == CLONES) {
        TN_ASSERT_OK(do_delete(f, arena, err)); /* vectors to be copied */
    }
}

/* A copy of the model; nothing yet for a clone. */
static void set_up(fixture *f, const operation *op, tn_arena *arena, tn_err *err)
{
    open_at(f, "t", err);
    TN_ASSERT(!tn_str_eq(f->dir, f->model));
    tn_file_infos all = { 0 };
    if (op->kind != CLONES) {
        TN_ASSERT_OK(tn_dir_list(arena, f->model, true, &all, err));
    }
    for (size_t i = 0; i < all.n; i++) {
        tn_str to = tn_str_printf(
            arena, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(f->dir), TN_STR_ARG(all.v[i].name));
        if (all.v[i].kind == TN_FILE_DIR) {
            TN_ASSERT_OK(tn_dir_make(to, err));
            continue;
        }
        TN_ASSERT_OK(tn_dir_make(tn_path_dir(to), err));
        TN_ASSERT_OK(tn_file_copy(tn_str_printf(arena, TN_STR_FMT "/" TN_STR_FMT,
                                      TN_STR_ARG(f->model), TN_STR_ARG(all.v[i].name)),
            to, err));
    }
}

/* ---- what a reader sees ---- */

/* Which changes the feed tells of since the model. */
static tn_str fed(fixture *f, tn_delta_table *t, tn_arena *arena, tn_err *err)
{
    tn_delta_changes_range r = TN_DELTA_CHANGES_RANGE_INIT;
    tn_str sql;
    tn_val v;
    r.from = 0;
    TN_ASSERT_OK(tn_delta_changes_sql(t, f->conn, arena, &r, &sql, err));
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena,
            "SELECT list((id, s, _change_type) ORDER BY id, s, _change_type)::VARCHAR FROM "
            "(" TN_STR_FMT ")",
            TN_STR_ARG(sql)),
        &v, err));
    return tn_val_as_str(v);
}

/* Properties, but for names that are made up, and clustering columns. */
static void add_properties(tn_buf *b, const tn_delta_snapshot *s, tn_arena *arena, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    tn_strs by;
    while ((it = tn_dict_next(s->meta.configuration.dict, &at)) != NULL) {
        if (!tn_str_starts(tn_val_as_str(it->key), TN_STR("delta.rowTracking.materialized"))) {
            tn_buf_addf(b, " " TN_STR_FMT "=" TN_STR_FMT, TN_STR_ARG(tn_val_as_str(it->key)),
                TN_STR_ARG(tn_val_as_str(it->value)));
        }
    }
    TN_ASSERT_OK(tn_delta_cluster_columns(s, arena, &by, err));
    for (size_t i = 0; i < by.n; i++) {
        tn_buf_addf(b, " by " TN_STR_FMT, TN_STR_ARG(by.v[i]));
    }
}

/* Rows, columns, properties and, where there is one, the feed; "" without a table. By someone who has nothing to do with the writer. */
static tn_str seen(fixture *f, const operation *op, tn_arena *arena, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) t = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    bool there = false;
    tn_str scan;
    tn_val v;
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    TN_ASSERT_OK(tn_delta_table_exists(t, &there, err));
    if (!there) {
        return TN_STR("");
    }
    TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, err));
    TN_ASSERT_OK(tn_delta_scan_sql(s, arena, NULL, &scan, err));
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena,
            "SELECT coalesce(list(t ORDER BY id, s)::VARCHAR, '') FROM (" TN_STR_FMT ") AS t",
            TN_STR_ARG(scan)),
        &v, err));
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    tn_buf_add(&b, tn_val_as_str(v));
    tn_buf_add(&b, s->meta.schema_json);
    add_properties(&b, s, arena, err);
    if (op->kind == FEED) {
        tn_buf_add(&b, fed(f, t, arena, err));
    }
    return tn_buf_str(&b);
}

/* Everything but the log. */
static size_t data_objects(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_file_infos all = { 0 };
    if (tn_file_is_dir(f->dir)) {
        TN_ASSERT_OK(tn_dir_list(arena, f->dir, true, &all, err));
    }
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        n += all.v[i].kind != TN_FILE_DIR && !tn_str_starts(all.v[i].name, TN_STR("_delta_log"));
    }
    return n;
}

typedef struct course {
    fixture *f;
    const operation *op;
    tn_str before, after; /* what a reader sees */
    size_t objects;       /* before */
} course;

static void one_fault(
    const course *c, tn_store_fault fault, bool *ret_faulted, tn_arena *arena, tn_err *err)
{
    fixture *f = c->f;
    const operation *op = c->op;
    tn_str before = c->before;
    tn_str after = c->after;
    set_up(f, op, arena, err);
    tn_store_faulty_set(f->faulty, fault);
    tn_err why = TN_ERR_INIT;
    tn_rc rc = op->run(f, arena, &why);
    *ret_faulted = tn_store_faulty_fired(f->faulty);
    tn_store_faulty_set(f->faulty, (tn_store_fault){ .k = 0 });
    tn_str now = seen(f, op, arena, err);
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
    if (rc != TN_OK && tn_str_eq(now, before) && data_objects(f, arena, err) > c->objects) {
        TN_FAIL(
            "%s, call %" PRId64 ": failed (%s), but files are left", op->name, fault.k, why.msg);
    }
    TN_ASSERT(*ret_faulted || rc == TN_OK);
    if (tn_str_eq(now, before)) { /* it can be done again */
        TN_ASSERT_OK(op->run(f, arena, err));
        TN_ASSERT_EQ_S(seen(f, op, arena, err), after);
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
        { .rc = TN_E_AMBIGUOUS, .after = true, .op = "change" } };
    make_model(f, op, arena, err);
    set_up(f, op, arena, err);
    course c = { .f = f, .op = op, .before = seen(f, op, arena, err) };
    c.objects = data_objects(f, arena, err);
    TN_ASSERT_OK(op->run(f, arena, err));
    c.after = seen(f, op, arena, err);
    for (size_t i = 0; i < TN_COUNTOF(KINDS); i++) {
        bool faulted = true;
        for (int64_t k = 1; faulted; k++) {
            TN_AUTO_ARENA scratch = tn_arena_new("fault", arena);
            tn_store_fault fault = KINDS[i];
            fault.k = k;
            one_fault(&c, fault, &faulted, scratch, err);
        }
    }
}

#define CASE(name, run, kind)                                                                      \
    TN_TEST(name)                                                                                  \
    {                                                                                              \
        static const operation op = { #name, run, kind };                                          \
        all_faults(&op, arena, err);                                                               \
    }
CASE(append, do_append, VECTORS)
CASE(overwrite, do_overwrite, VECTORS)
CASE(replace_by_vectors, do_replace, VECTORS)
CASE(delete_by_vectors, do_delete, VECTORS)
CASE(delete_by_rewriting, do_delete, REWRITES)
CASE(delete_with_feed, do_delete, FEED)
CASE(update_by_vectors, do_update, VECTORS)
CASE(update_by_rewriting, do_update, REWRITES)
CASE(update_with_feed, do_update, FEED)
CASE(merge_by_vectors, do_merge, VECTORS)
CASE(merge_by_rewriting, do_merge, REWRITES)
CASE(merge_with_feed, do_merge, FEED)
CASE(optimize, do_optimize, VECTORS)
CASE(optimize_clustered, do_optimize, CLUSTERED)
CASE(vacuum, do_vacuum, VECTORS)
CASE(restore, do_restore, VECTORS)
CASE(checkpoint, do_checkpoint, VECTORS)
CASE(compact_log, do_compact, VECTORS)
CASE(row_tracking, do_track, VECTORS)
CASE(clone_deep, do_clone, CLONES)
CASE(clone_shallow, do_clone_shallow, CLONES)
CASE(add_column, do_add_column, VECTORS)
CASE(set_property, do_set_property, VECTORS)
CASE(add_constraint, do_constrain, VECTORS)
CASE(cluster_by, do_cluster, VECTORS)
