/* capi_care.c: optimize, vacuum, restore, checkpoint, clone, check: options in, one function of src/delta, JSON out. */
#include "capi/capi_impl.h"
#include "delta/delta_maint.h"
#include "store/store.h"

static void put(tn_val d, const char *key, int64_t n)
{
    tn_dict_putz(d.dict, key, tn_val_int(n));
}

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
    put(d, "version", r.version);
    tn_dict_putz(d.dict, "changed", tn_val_bool(r.changed));
    put(d, "files_added", r.files_added);
    put(d, "files_removed", r.files_removed);
    put(d, "bytes_added", r.bytes_added);
    put(d, "bytes_removed", r.bytes_removed);
    put(d, "files_considered", r.files_considered);
    put(d, "files_skipped", r.files_skipped);
    put(d, "partitions", r.partitions);
    put(d, "vectors_removed", r.vectors_removed);
    put(d, "rows", r.rows);
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
    tn_val d = tn_val_dict(a), paths = tn_val_list(a);
    put(d, "version", r.version);
    put(d, "files", r.files);
    put(d, "bytes", r.bytes);
    put(d, "failed", r.failed);
    put(d, "log_files", r.log_files);
    for (size_t i = 0; i < r.paths.n; i++) {
        tn_list_push(paths.list, tn_val_str(r.paths.v[i]));
    }
    tn_dict_putz(d.dict, "paths", paths);
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
    put(d, "version", r.version);
    put(d, "restored_version", r.restored_version);
    put(d, "files_restored", r.files_restored);
    put(d, "files_removed", r.files_removed);
    put(d, "files_missing", r.files_missing);
    put(d, "bytes_restored", r.bytes_restored);
    put(d, "bytes_removed", r.bytes_removed);
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
    put(d, "from", r.from);
    put(d, "to", r.to);
    put(d, "bytes", r.bytes);
    tn_dict_putz(d.dict, "written", tn_val_bool(r.written));
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
    put(d, "version", r.version);
    put(d, "source_version", r.source_version);
    put(d, "files", r.files);
    put(d, "files_added", r.files_added);
    put(d, "files_removed", r.files_removed);
    put(d, "bytes", r.bytes);
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
    tn_val d = tn_val_dict(a), list = tn_val_list(a);
    put(d, "version", r.version);
    put(d, "files", r.files);
    put(d, "rows", r.rows);
    put(d, "commits", r.commits);
    for (size_t i = 0; i < r.findings.n; i++) {
        const tn_delta_finding *f = &r.findings.v[i];
        tn_val one = tn_val_dict(a);
        tn_dict_putz(one.dict, "error", tn_val_bool(f->error));
        tn_dict_putz(one.dict, "what", tn_val_z(f->what));
        tn_dict_putz(one.dict, "path", tn_val_str(f->path));
        tn_dict_putz(one.dict, "detail", tn_val_str(f->detail));
        tn_list_push(list.list, one);
    }
    tn_dict_putz(d.dict, "findings", list);
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
    tn_val d = tn_val_dict(a), list = tn_val_list(a);
    put(d, "version", r.version);
    tn_dict_putz(d.dict, "changed", tn_val_bool(changed));
    put(d, "bytes", r.bytes);
    for (size_t i = 0; i < r.lost.n; i++) {
        const tn_delta_lost *l = &r.lost.v[i];
        tn_val one = tn_val_dict(a);
        tn_dict_putz(one.dict, "path", tn_val_str(l->path));
        tn_dict_putz(one.dict, "vector", l->vector.n > 0 ? tn_val_str(l->vector) : TN_VAL_NONE);
        tn_dict_putz(one.dict, "path_missing", tn_val_bool(l->path_missing));
        tn_dict_putz(one.dict, "vector_missing", tn_val_bool(l->vector_missing));
        tn_list_push(list.list, one);
    }
    tn_dict_putz(d.dict, "lost", list);
    return tn_capi_json(a, d, ret_json, err);
}

int tarn_repair(tarn_table *t, int flags, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API repair", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(repair(t, a, flags, ret_json, &e), &e, err);
}
