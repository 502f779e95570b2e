/* lake_maint.c: maintenance of a table and what it means for the pins of the lake. */
#include "lake/lake_maint.h"
#include "delta/delta_cluster.h"
#include "lake/lake_gc.h"
#include "lake/log/lake_file.h"

static tn_rc open_table(
    const tn_lake_job *j, const tn_lake_place *at, tn_str shown, tn_delta_table **ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    bool there = false;
    if (at->pin != NULL && at->pin->kind != TN_PIN_DELTA) {
        return tn_fail(err, TN_E_USAGE, "'" TN_STR_FMT "' is no Delta table", TN_STR_ARG(shown));
    }
    TN_TRY(tn_lake_table_open(j->lake, at->location, &table, err));
    TN_TRY(tn_delta_table_exists(table, &there, err));
    if (!there) {
        tn_rc rc = tn_fail(
            err, TN_E_NOTFOUND, "there is no Delta table '" TN_STR_FMT "'", TN_STR_ARG(shown));
        return tn_hint(err, rc, "'tarn table ls' lists what is there");
    }
    *ret = TN_TAKE(table);
    return TN_OK;
}

static tn_rc publish(const tn_lake_job *j, int64_t version, const char *did, tn_err *err)
{
    if (j->at.schema.n == 0 || j->no_publish || j->head == NULL) {
        return TN_OK;
    }
    TN_AUTO_ARENA a = tn_arena_new("maintenance", NULL);
    tn_pin pin = { .schema = j->at.schema,
        .name = j->at.name,
        .kind = TN_PIN_DELTA,
        .location = j->at.location,
        .version = version };
    if (j->at.pin != NULL) {
        pin.comment = j->at.pin->comment;
        pin.node = j->at.pin->node;
    }
    tn_str message = tn_str_printf(a, "%s " TN_STR_FMT, did, TN_STR_ARG(j->shown));
    return tn_lake_pin_tables(j->lake, j->env, j->head, &pin, 1, message, NULL, err);
}

/* Where this environment may write the relation: its place, or one of its own when the place belongs to another. */
static tn_rc own_location(const tn_lake_job *j, tn_arena *a, tn_str *ret, tn_err *err)
{
    tn_str location = j->at.location;
    if (j->at.schema.n > 0 && j->head != NULL) {
        tn_lake_own own = { j->env, j->at.pin, j->at.schema, j->at.name, false };
        TN_TRY(tn_lake_own_place(j->lake, a, j->conn, &own, &location, err));
    }
    *ret = location;
    return TN_OK;
}

static tn_rc refuse_foreign(const tn_lake_job *j, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("maintenance", NULL);
    tn_str own;
    TN_TRY(own_location(j, a, &own, err));
    if (tn_str_eq(own, j->at.location)) {
        return TN_OK;
    }
    tn_str owner =
        j->at.pin != NULL && j->at.pin->owner.n > 0 ? j->at.pin->owner : TN_STR("another");
    tn_rc rc = tn_fail(err, TN_E_ACCESS,
        "the files of '" TN_STR_FMT "' belong to environment '" TN_STR_FMT "'",
        TN_STR_ARG(j->shown), TN_STR_ARG(owner));
    return tn_hint(err, rc, "look after them there (--env)");
}

/* The new version shows the rows that the pin shows already: nobody wrote between them. */
static bool moves_pin(const tn_lake_job *j, int64_t read_version, int64_t version, int64_t steps)
{
    return j->at.pin != NULL && !j->no_publish && j->at.pin->version == read_version &&
           version == read_version + steps;
}

tn_rc tn_lake_optimize(const tn_lake_job *j, tn_arena *a, const tn_delta_optimize_opts *opts,
    tn_delta_optimize_result *ret, bool *ret_pinned, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_optimize_result r;
    TN_TRY(refuse_foreign(j, err));
    TN_TRY(open_table(j, &j->at, j->shown, &table, err));
    TN_TRY(tn_delta_optimize(table, j->conn, a, opts, &r, err));
    bool moves = r.changed && moves_pin(j, r.read_version, r.version, 1);
    if (moves) {
        TN_TRY(publish(j, r.version, "optimize", err));
    }
    *ret_pinned = moves;
    *ret = r;
    return TN_OK;
}

tn_rc tn_lake_cluster(
    const tn_lake_job *j, const tn_strs *columns, int64_t *ret_version, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    int64_t version;
    TN_TRY(refuse_foreign(j, err));
    TN_TRY(open_table(j, &j->at, j->shown, &table, err));
    TN_TRY(tn_delta_cluster_by(table, j->conn, columns, &version, err));
    if (moves_pin(j, version - 1, version, 1)) {
        TN_TRY(publish(j, version, "cluster", err));
    }
    *ret_version = version;
    return TN_OK;
}

/* ---- VACUUM ---- */

typedef struct needs { /* what lake commits need of a table */
    tn_vec(int64_t) versions;
    tn_strs places; /* files that shallow clones share */
} needs;

static tn_rc need_version(
    const tn_lake_job *j, tn_arena *a, tn_str here, const tn_pin *p, needs *n, tn_err *err)
{
    bool same = tn_str_eq(tn_lake_absolute(a, j->lake, p->location), here);
    TN_AUTOPTR(tn_delta_table) other = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_err why = TN_ERR_INIT;
    TN_TRY(tn_lake_table_open(j->lake, p->location, &other, err));
    tn_rc rc = tn_delta_snapshot_open(other, j->conn, p->version, &s, &why);
    if (rc == TN_E_NOTFOUND || rc == TN_E_UNSUPPORTED) {
        return TN_OK; /* cleaned up before it was asked for: nobody reads it any more */
    }
    if (rc == TN_OK && same) {
        tn_vec_push(&n->versions, a, p->version);
        return TN_OK;
    }
    if (rc != TN_OK) {
        return tn_fail(err, rc, "looking whether '" TN_STR_FMT "." TN_STR_FMT "' shares files: %s",
            TN_STR_ARG(p->schema), TN_STR_ARG(p->name), why.msg);
    }
    return tn_delta_outside_places(s, a, &n->places, err);
}

/* Versions that the newest commits, tags, and commits within the retention pin. */
static tn_rc find_needs(
    const tn_lake_job *j, tn_arena *a, int64_t retention_ms, needs *n, tn_err *err)
{
    tn_pins all;
    if (j->head == NULL) {
        return TN_OK;
    }
    tn_str here = tn_lake_absolute(a, j->lake, j->at.location);
    TN_TRY(tn_lake_needs_read(
        j->lake, a, retention_ms >= 0 ? retention_ms : TN_LAKE_RETENTION_MS, &all, err));
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].version >= 0) {
            TN_TRY(need_version(j, a, here, &all.v[i], n, err));
        }
    }
    return TN_OK;
}

tn_rc tn_lake_vacuum(const tn_lake_job *j, tn_arena *a, const tn_delta_vacuum_opts *opts,
    tn_delta_vacuum_result *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_AUTO_ARENA work = tn_arena_new("vacuum", NULL);
    tn_delta_vacuum_opts o = *opts;
    tn_delta_vacuum_result r;
    needs n = { 0 };
    TN_TRY(refuse_foreign(j, err));
    TN_TRY(open_table(j, &j->at, j->shown, &table, err));
    TN_TRY(find_needs(j, work, opts->retention_ms, &n, err));
    o.protect = n.versions.v;
    o.protect_n = n.versions.n;
    o.protect_places = n.places;
    TN_TRY(tn_delta_vacuum(table, j->conn, a, &o, &r, err));
    if (moves_pin(j, r.read_version, r.version, 2)) {
        TN_TRY(publish(j, r.version, "vacuum", err));
    }
    *ret = r;
    return TN_OK;
}

/* ---- the others ---- */

/* The old version lies in another environment's place: it begins as a clone in our own. */
static tn_rc restore_apart(const tn_lake_job *j, tn_delta_table *table, tn_str own,
    const tn_delta_restore_opts *opts, tn_delta_restore_result *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) then = NULL;
    TN_AUTOPTR(tn_delta_snapshot) made = NULL;
    TN_AUTOPTR(tn_delta_table) to = NULL;
    if (opts->version >= 0) {
        TN_TRY(tn_delta_snapshot_open(table, j->conn, opts->version, &then, err));
    } else {
        TN_TRY(tn_delta_snapshot_at_time(table, j->conn, opts->timestamp_ms, &then, err));
    }
    tn_pin old = *j->at.pin;
    old.version = tn_delta_snapshot_version(then);
    TN_TRY(tn_lake_bring(j->lake, j->conn, &old, own, err));
    TN_TRY(tn_lake_table_open(j->lake, own, &to, err));
    TN_TRY(tn_delta_snapshot_open(to, j->conn, TN_DELTA_LATEST, &made, err));
    *ret = (tn_delta_restore_result){ .version = tn_delta_snapshot_version(made),
        .restored_version = old.version,
        .files_restored = (int64_t)tn_delta_snapshot_file_count(made) };
    return TN_OK;
}

tn_rc tn_lake_restore(const tn_lake_job *j, const tn_delta_restore_opts *opts,
    tn_delta_restore_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("restore", NULL);
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_restore_result r;
    tn_lake_job own = *j;
    TN_TRY(open_table(j, &j->at, j->shown, &table, err));
    TN_TRY(own_location(j, a, &own.at.location, err));
    if (tn_str_eq(own.at.location, j->at.location) || j->at.pin == NULL) {
        TN_TRY(tn_delta_restore_to(table, j->conn, opts, &r, err));
    } else {
        TN_TRY(restore_apart(j, table, own.at.location, opts, &r, err));
    }
    TN_TRY(publish(&own, r.version, "restore", err));
    *ret = r;
    return TN_OK;
}

tn_rc tn_lake_repair(const tn_lake_job *j, tn_arena *a, const tn_delta_repair_opts *opts,
    tn_delta_repair_result *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_repair_result r;
    TN_TRY(refuse_foreign(j, err));
    TN_TRY(open_table(j, &j->at, j->shown, &table, err));
    TN_TRY(tn_delta_repair(table, j->conn, a, opts, &r, err));
    if (moves_pin(j, r.read_version, r.version, 1)) {
        TN_TRY(publish(j, r.version, "repair", err));
    }
    *ret = r;
    return TN_OK;
}

tn_rc tn_lake_check(const tn_lake_job *j, tn_arena *a, const tn_delta_check_opts *opts,
    tn_delta_check_result *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(tn_lake_table_open(j->lake, j->at.location, &table, err));
    return tn_delta_check(table, j->conn, a, opts, ret, err);
}

tn_rc tn_lake_checkpoint(const tn_lake_job *j, int64_t *ret_version, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(open_table(j, &j->at, j->shown, &table, err));
    TN_TRY(tn_delta_snapshot_open(table, j->conn, TN_DELTA_LATEST, &s, err));
    TN_TRY(tn_delta_checkpoint(table, j->conn, s, err));
    *ret_version = tn_delta_snapshot_version(s);
    return TN_OK;
}

tn_rc tn_lake_compact(const tn_lake_job *j, tn_delta_compact_result *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(tn_lake_table_open(j->lake, j->at.location, &table, err));
    return tn_delta_log_compact(table, -1, -1, ret, err);
}

tn_rc tn_lake_clone(const tn_lake_job *j, const tn_lake_place *source,
    const tn_delta_clone_opts *opts, tn_delta_clone_result *ret, tn_err *err)
{
    tn_delta_clone_opts o = *opts;
    TN_AUTO_ARENA a = tn_arena_new("clone", NULL);
    TN_AUTOPTR(tn_delta_table) from = NULL;
    TN_AUTOPTR(tn_delta_table) to = NULL;
    tn_delta_clone_result r;
    tn_lake_job own = *j;
    if (j->at.pin != NULL && (!opts->replace || j->at.pin->kind != TN_PIN_DELTA)) {
        return tn_fail(err, TN_E_EXISTS, "'" TN_STR_FMT "' is there already%s",
            TN_STR_ARG(j->shown), opts->replace ? ", and no Delta table" : "");
    }
    tn_str shown = source->name.n == 0 ? source->location
                                       : tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT,
                                             TN_STR_ARG(source->schema), TN_STR_ARG(source->name));
    TN_TRY(open_table(j, source, shown, &from, err));
    TN_TRY(own_location(j, a, &own.at.location, err));
    TN_TRY(tn_lake_table_open(j->lake, own.at.location, &to, err));
    if (o.version < 0 && !o.by_time && source->pin != NULL) {
        o.version = source->pin->version;
    }
    o.version = o.version < 0 ? TN_DELTA_LATEST : o.version;
    TN_TRY(tn_delta_clone(from, j->conn, &o, to, &r, err));
    TN_TRY(publish(&own, r.version, "clone", err));
    *ret = r;
    return TN_OK;
}
