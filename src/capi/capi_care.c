/* capi_care.c: optimize, vacuum, restore, checkpoint, clone, check: options in, one function of src/delta, JSON out. */
#include "capi/capi_impl.h"
#include "delta/delta_report.h"
#include "store/store.h"

/* ---- optimize ---- */

static tn_rc optimize(
    tarn_table *t, tn_arena *a, const tarn_optimize_options *o, char **ret_json, tn_err *err)
{
    tn_delta_optimize_opts opts = { .where = tn_str_of(o->where),
        .zorder_by = tn_capi_strs(a, o->zorder_by, o->zorder_by_n),
        .target_file_bytes = o->target_file_bytes,
        .min_file_bytes = o->min_file_bytes,
        .full = o->full != 0,
        .purge = o->purge != 0,
        .user_metadata = tn_capi_dict(a, o->metadata, o->metadata_n) };
    tn_delta_optimize_result r;
    TN_TRY(tn_delta_optimize(t->table, t->conn, a, &opts, &r, err));
    tn_capi_moved(t, r.version);
    tn_val d = tn_val_dict(a);
    tn_delta_report_optimize(d, &r);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_optimize(
    tarn_table *t, const tarn_optimize_options *options, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API optimize", NULL);
    tn_err e = TN_ERR_INIT;
    tarn_optimize_options o;
    tn_capi_options(&o, sizeof o, options);
    return tn_capi_told(optimize(t, a, &o, ret_json, &e), &e, err);
}

/* ---- vacuum ---- */

static tn_rc vacuum(
    tarn_table *t, tn_arena *a, const tarn_vacuum_options *o, char **ret_json, tn_err *err)
{
    tn_delta_vacuum_opts opts = { .retention_ms = o->retention_ms == 0 ? -1 : o->retention_ms,
        .dry_run = o->dry_run != 0,
        .allow_short = o->allow_short != 0,
        .lite = o->lite != 0 };
    tn_delta_vacuum_result r;
    if (o->retention_ms < 0) {
        return tn_fail(err, TN_E_USAGE, "a retention is not negative");
    }
    TN_TRY(tn_delta_vacuum(t->table, t->conn, a, &opts, &r, err));
    if (r.version != t->version) {
        tn_capi_moved(t, r.version);
    }
    tn_val d = tn_val_dict(a);
    tn_delta_report_vacuum(a, d, &opts, &r);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_vacuum(tarn_table *t, const tarn_vacuum_options *options, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API vacuum", NULL);
    tn_err e = TN_ERR_INIT;
    tarn_vacuum_options o;
    tn_capi_options(&o, sizeof o, options);
    return tn_capi_told(vacuum(t, a, &o, ret_json, &e), &e, err);
}

/* ---- restore ---- */

static tn_rc restore(
    tarn_table *t, tn_arena *a, const tarn_at *at, bool missing, char **ret_json, tn_err *err)
{
    if (at == NULL || (at->version < 0 && at->timestamp_ms == INT64_MIN)) {
        return tn_fail(err, TN_E_USAGE, "restore needs a version or an instant");
    }
    tn_delta_restore_opts o = {
        .version = at->version, .timestamp_ms = at->timestamp_ms, .allow_missing = missing
    };
    tn_delta_restore_result r;
    TN_TRY(tn_delta_restore_to(t->table, t->conn, &o, &r, err));
    tn_capi_moved(t, r.version);
    tn_val d = tn_val_dict(a);
    tn_delta_report_restore(d, &r);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_restore(
    tarn_table *t, const tarn_at *at, int allow_missing, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API restore", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(restore(t, a, at, allow_missing != 0, ret_json, &e), &e, err);
}

/* ---- the log ---- */

int tarn_checkpoint(tarn_table *t, tarn_error *err)
{
    tn_err e = TN_ERR_INIT;
    tn_delta_snapshot *s;
    tn_rc rc = tn_capi_snapshot(t, &s, &e);
    rc = rc == TN_OK ? tn_delta_checkpoint(t->table, t->conn, s, &e) : rc;
    return tn_capi_told(rc, &e, err);
}

int tarn_log_cleanup(tarn_table *t, int64_t *ret_removed, tarn_error *err)
{
    tn_err e = TN_ERR_INIT;
    int64_t removed;
    tn_rc rc = tn_delta_log_cleanup(t->table, t->conn, NULL, 0, &removed, &e);
    if (rc == TN_OK && ret_removed != NULL) {
        *ret_removed = removed;
    }
    return tn_capi_told(rc, &e, err);
}

static tn_rc compact(
    tarn_table *t, tn_arena *a, int64_t from, int64_t to, char **ret_json, tn_err *err)
{
    tn_delta_compact_result r;
    TN_TRY(tn_delta_log_compact(t->table, from, to, &r, err));
    tn_val d = tn_val_dict(a);
    tn_delta_report_compact(d, &r);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_log_compact(tarn_table *t, int64_t from, int64_t to, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API compact", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(compact(t, a, from, to, ret_json, &e), &e, err);
}

/* ---- clone, check ---- */

static tn_rc clone_to(
    tarn_table *t, tn_arena *a, const char *url, int how, char **ret_json, tn_err *err)
{
    TN_AUTOPTR(tn_store) store = NULL;
    TN_AUTOPTR(tn_delta_table) to = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    tn_delta_snapshot *s;
    tn_delta_clone_result r;
    tn_store_opts so = { .options = t->engine->storage, .create = true };
    TN_TRY(tn_capi_snapshot(t, &s, err));
    TN_TRY(tn_store_open(tn_str_of(url), &so, &store, err));
    TN_TRY(tn_delta_table_open(store, &to, err));
    TN_TRY(tn_capi_connect(t->engine, tn_str_of(url), &conn, err));
    tn_delta_clone_opts o = { .version = tn_delta_snapshot_version(s),
        .shallow = (how & TARN_CLONE_SHALLOW) != 0,
        .replace = (how & TARN_CLONE_REPLACE) != 0 };
    TN_TRY(tn_delta_clone(t->table, conn, &o, to, &r, err));
    tn_val d = tn_val_dict(a);
    tn_delta_report_clone(d, &o, &r);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_clone(tarn_table *t, const char *url, int how, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API clone", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(clone_to(t, a, url, how, ret_json, &e), &e, err);
}

static tn_rc check(tarn_table *t, tn_arena *a, bool values, char **ret_json, tn_err *err)
{
    tn_delta_check_opts o = { .values = values };
    tn_delta_check_result r;
    TN_TRY(tn_delta_check(t->table, t->conn, a, &o, &r, err));
    tn_val d = tn_val_dict(a);
    tn_delta_report_check(a, d, &r);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_check(tarn_table *t, int values, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API check", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(check(t, a, values != 0, ret_json, &e), &e, err);
}

/* ---- repair ---- */

static tn_rc repair(tarn_table *t, tn_arena *a, int flags, char **ret_json, tn_err *err)
{
    tn_delta_repair_opts o = { .dry_run = (flags & TARN_REPAIR_DRY_RUN) != 0,
        .allow_all = (flags & TARN_REPAIR_ALL) != 0 };
    tn_delta_repair_result r;
    TN_TRY(tn_delta_repair(t->table, t->conn, a, &o, &r, err));
    bool changed = r.version != r.read_version;
    if (changed) {
        tn_capi_moved(t, r.version);
    }
    tn_val d = tn_val_dict(a);
    tn_delta_report_repair(a, d, &o, &r);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_repair(tarn_table *t, int flags, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API repair", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(repair(t, a, flags, ret_json, &e), &e, err);
}
