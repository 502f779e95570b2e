/* delta_rows_enable.c: switching row tracking on for a table that has files: three commits, as the reference makes them.
 *
 *     UPGRADE PROTOCOL         the feature, so that every writer from now on assigns ids
 *     ROW TRACKING BACKFILL    all files that have no ids yet are added again, with ids and dataChange=false
 *     SET TBLPROPERTIES        delta.enableRowTracking and the names of the columns: from here on ids are there for every row
 * A crash in between leaves a table that is right, only not tracked yet; it can be run again.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_maint.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_commit.h"
#include "delta/log/delta_log.h"
#include "os/proc.h"

#define ENABLE TN_STR("delta.enableRowTracking")

/* The metadata as it is to be, and the protocol that it needs. */
static tn_rc aim(tn_arena *a, const tn_delta_snapshot *s, tn_delta_meta *meta,
    tn_delta_protocol *protocol, bool *ret_upgrade, tn_err *err)
{
    tn_str yes = TN_STR("true");
    *meta = s->meta;
    tn_delta_meta_set(a, meta, ENABLE, &yes);
    return tn_delta_protocol_make(a, &s->protocol, meta, protocol, ret_upgrade, err);
}

static tn_rc upgrade(tn_delta_table *t, tn_arena *a, const tn_delta_snapshot *s,
    const tn_delta_protocol *protocol, tn_err *err)
{
    int64_t version;
    tn_delta_txn_plan p = { .read_version = s->version,
        .base = s,
        .operation = TN_STR("UPGRADE PROTOCOL"),
        .protocol = protocol };
    p.operation_parameters = tn_val_dict(a);
    return tn_delta_commit_write(t, &p, &version, err);
}

static tn_rc backfill(tn_delta_table *t, tn_arena *a, const tn_delta_snapshot *s, tn_err *err)
{
    int64_t version;
    tn_delta_txn_plan p = { .read_version = s->version,
        .base = s,
        .operation = TN_STR("ROW TRACKING BACKFILL"),
        .isolation = TN_STR("SnapshotIsolation"),
        .backfill = true };
    for (size_t i = 0; i < s->files.n; i++) {
        tn_delta_file f = s->files.v[i];
        if (f.base_row_id == TN_DELTA_ABSENT || f.default_row_commit_version == TN_DELTA_ABSENT) {
            f.data_change = false;
            tn_vec_push(&p.adds, a, f);
        }
    }
    p.operation_parameters = tn_val_dict(a);
    tn_dict_putz(p.operation_parameters.dict, "batchId", tn_val_z("0"));
    return p.adds.n > 0 ? tn_delta_commit_write(t, &p, &version, err) : TN_OK;
}

static tn_rc switch_on(tn_delta_table *t, tn_arena *a, const tn_delta_snapshot *s,
    const tn_delta_meta *meta, int64_t *ret_version, tn_err *err)
{
    tn_delta_txn_plan p = { .read_version = s->version,
        .base = s,
        .operation = TN_STR("SET TBLPROPERTIES"),
        .meta = meta };
    p.operation_parameters = tn_val_dict(a);
    tn_dict_putz(p.operation_parameters.dict, "properties",
        tn_val_z("{\"delta.enableRowTracking\":\"true\"}"));
    return tn_delta_commit_write(t, &p, ret_version, err);
}

static bool all_have_ids(const tn_delta_snapshot *s)
{
    for (size_t i = 0; i < s->files.n; i++) {
        if (s->files.v[i].base_row_id == TN_DELTA_ABSENT) {
            return false;
        }
    }
    return true;
}

/* One step further; *ret_done: nothing is left to do. */
static tn_rc step(
    tn_delta_table *t, tn_conn *conn, bool *ret_done, int64_t *ret_version, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta row tracking", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    TN_TRY(tn_delta_check_writable(&s->protocol, &s->meta, err));
    tn_delta_meta meta;
    tn_delta_protocol protocol;
    bool must_upgrade = false;
    *ret_version = s->version;
    *ret_done = tn_delta_property_is(&s->meta, "delta.enableRowTracking", "true");
    if (*ret_done) {
        return TN_OK;
    }
    if (tn_delta_property_is(&s->meta, "delta.rowTrackingSuspended", "true")) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED, "row tracking is suspended for the table");
        return tn_hint(err, rc, "take the property delta.rowTrackingSuspended away first");
    }
    TN_TRY(aim(a, s, &meta, &protocol, &must_upgrade, err));
    if (must_upgrade) {
        return upgrade(t, a, s, &protocol, err);
    }
    if (!all_have_ids(s)) {
        return backfill(t, a, s, err);
    }
    *ret_done = true;
    return switch_on(t, a, s, &meta, ret_version, err);
}

tn_rc tn_delta_row_tracking_enable(
    tn_delta_table *t, tn_conn *conn, int64_t *ret_version, tn_err *err)
{
    bool done = false;
    int round = 0;
    while (!done) {
        tn_err why = TN_ERR_INIT;
        tn_rc rc = step(t, conn, &done, ret_version, &why);
        if (rc == TN_E_CONFLICT && !tn_interrupted()) {
            done = false;
            tn_delta_wait_turn(++round);
        } else if (rc != TN_OK) {
            (void)tn_err_pass(err, rc, &why);
            return tn_while(err, rc, "switching on row tracking for the table '" TN_STR_FMT "'",
                TN_STR_ARG(t->store->root));
        }
    }
    return TN_OK;
}
