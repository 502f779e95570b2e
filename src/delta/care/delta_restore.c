/* delta_restore.c: going back to an older version: a new version with the old one's state, no data is copied.
 *
 * Files that are live in the old version and not now are added again, those that are live only now are removed. The schema and properties of the old
 * version come back with it; the protocol stays, since it can only grow.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"

typedef struct restore {
    tn_delta_table *t;
    tn_arena *a;
    const tn_delta_restore_opts *opts;
    const tn_delta_snapshot *now, *then;
    tn_delta_txn_plan plan;
    tn_delta_restore_result out;
    int64_t kept_files, kept_bytes;
} restore;

static tn_rc key_set(tn_arena *a, const tn_delta_snapshot *s, tn_map *ret, tn_err *err)
{
    *ret = tn_map_init(a);
    for (size_t i = 0; i < s->files.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_file_key(a, s->files.v[i].path, &s->files.v[i].dv, &key, err));
        tn_map_put(ret, key, &s->files.v[i]);
    }
    return TN_OK;
}

/* A file that comes back must still be there: vacuum may have taken it. */
static tn_rc check_there(restore *r, const tn_delta_file *f, bool *ret_gone, tn_err *err)
{
    tn_str place;
    tn_store_item item;
    TN_TRY(tn_delta_path_decode(r->a, f->path, &place, err));
    tn_rc rc = tn_delta_object_head(r->t->store, r->a, place, &item, err);
    if (rc == TN_OK && f->dv.storage != 0 && f->dv.storage != 'i') {
        TN_TRY(tn_delta_dv_place(r->a, &f->dv, &place, err));
        rc = tn_delta_object_head(r->t->store, r->a, place, &item, err);
    }
    *ret_gone = rc == TN_E_NOTFOUND;
    if (rc != TN_E_NOTFOUND) {
        return rc;
    }
    if (r->opts->allow_missing) {
        tn_err_clear(err);
        r->out.files_missing++;
        return TN_OK;
    }
    rc = tn_fail(err, TN_E_NOTFOUND,
        "version %lld cannot be restored: its file '" TN_STR_FMT "' is gone",
        (long long)r->then->version, TN_STR_ARG(place));
    return tn_hint(err, rc,
        "vacuum removes files of old versions; the rest can be restored when missing files are "
        "allowed");
}

static tn_rc diff(restore *r, tn_err *err)
{
    tn_map have;
    tn_map want;
    TN_TRY(key_set(r->a, r->now, &have, err));
    TN_TRY(key_set(r->a, r->then, &want, err));
    int64_t ms = tn_clock_now_ms();
    for (size_t i = 0; i < have.n; i++) {
        const tn_delta_file *f = have.items[i].value;
        if (tn_map_find(&want, have.items[i].key) == NULL) {
            tn_vec_push(&r->plan.removes, r->a, tn_delta_remove_of(f, ms));
            r->out.bytes_removed += f->size;
        } else {
            r->kept_files++;
            r->kept_bytes += f->size;
        }
    }
    for (size_t i = 0; i < want.n; i++) {
        if (tn_map_find(&have, want.items[i].key) != NULL) {
            continue;
        }
        tn_delta_file f = *(const tn_delta_file *)want.items[i].value;
        bool gone = false;
        TN_TRY(check_there(r, &f, &gone, err));
        if (!gone) {
            f.data_change = true;
            tn_vec_push(&r->plan.adds, r->a, f);
            r->out.bytes_restored += f.size;
        }
    }
    r->out.files_restored = (int64_t)r->plan.adds.n;
    r->out.files_removed = (int64_t)r->plan.removes.n;
    return TN_OK;
}

static bool same_meta(const tn_delta_meta *x, const tn_delta_meta *y)
{
    bool same = tn_str_eq(x->schema_json, y->schema_json) &&
                x->partition_columns.n == y->partition_columns.n &&
                tn_val_eq(x->configuration, y->configuration);
    for (size_t i = 0; same && i < x->partition_columns.n; i++) {
        same = tn_str_eq(x->partition_columns.v[i], y->partition_columns.v[i]);
    }
    return same;
}

static void put_int(restore *r, tn_val dict, const char *key, int64_t n)
{
    tn_dict_putz(dict.dict, key, tn_val_str(tn_str_printf(r->a, "%lld", (long long)n)));
}

static void describe(restore *r)
{
    tn_val p = tn_val_dict(r->a);
    put_int(r, p, "version", r->then->version);
    if (r->opts->version < 0) {
        put_int(r, p, "timestamp", r->opts->timestamp_ms);
    }
    r->plan.operation_parameters = p;
    tn_val m = tn_val_dict(r->a);
    put_int(r, m, "numRestoredFiles", r->out.files_restored);
    put_int(r, m, "restoredFilesSize", r->out.bytes_restored);
    put_int(r, m, "numRemovedFiles", r->out.files_removed);
    put_int(r, m, "removedFilesSize", r->out.bytes_removed);
    put_int(r, m, "numOfFilesAfterRestore", r->kept_files + r->out.files_restored);
    put_int(r, m, "tableSizeAfterRestore", r->kept_bytes + r->out.bytes_restored);
    r->plan.operation_metrics = m;
}

static tn_rc run(restore *r, tn_conn *conn, tn_err *err)
{
    TN_TRY(tn_delta_check_writable(&r->now->protocol, &r->now->meta, err));
    if (tn_delta_property_is(&r->now->meta, "delta.appendOnly", "true")) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the table is append-only (delta.appendOnly): it cannot be restored");
    }
    r->plan = (tn_delta_txn_plan){ .read_version = r->now->version,
        .base = r->now,
        .reads_all = true,
        .operation = TN_STR("RESTORE") };
    r->out.restored_version = r->then->version;
    r->out.version = r->now->version;
    TN_TRY(diff(r, err));
    if (!same_meta(&r->now->meta, &r->then->meta)) {
        r->plan.meta = &r->then->meta;
    }
    if (r->plan.adds.n == 0 && r->plan.removes.n == 0 && r->plan.meta == NULL) {
        return TN_OK;
    }
    describe(r);
    TN_TRY(tn_delta_commit_write(r->t, &r->plan, &r->out.version, err));
    tn_delta_after_commit(r->t, conn, r->out.version, &r->then->meta);
    return TN_OK;
}

tn_rc tn_delta_restore_to(tn_delta_table *t, tn_conn *conn, const tn_delta_restore_opts *opts,
    tn_delta_restore_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta restore", NULL);
    TN_AUTOPTR(tn_delta_snapshot) now = NULL;
    TN_AUTOPTR(tn_delta_snapshot) then = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &now, err));
    if (opts->version >= 0) {
        TN_TRY(tn_delta_snapshot_open(t, conn, opts->version, &then, err));
    } else {
        TN_TRY(tn_delta_snapshot_at_time(t, conn, opts->timestamp_ms, &then, err));
    }
    restore r = { .t = t, .a = a, .opts = opts, .now = now, .then = then };
    TN_TRY(run(&r, conn, err));
    *ret = r.out;
    return TN_OK;
}

tn_rc tn_delta_restore(
    tn_delta_table *t, tn_conn *conn, int64_t version, int64_t *ret_version, tn_err *err)
{
    tn_delta_restore_opts opts = { .version = version };
    tn_delta_restore_result r;
    TN_TRY(tn_delta_restore_to(t, conn, &opts, &r, err));
    *ret_version = r.version;
    return TN_OK;
}
