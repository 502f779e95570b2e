/* delta_history.c: what happened to a table, and going back to an older version. */
#include "delta/delta_impl.h"
#include "os/clock.h"
#include "text/json.h"

/* One entry: the commitInfo as it is, with version and timestamp in front. */
static tn_rc entry(
    tn_delta_table *t, tn_arena *a, const tn_delta_log_file *f, tn_val *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta history", NULL);
    tn_delta_actions acts;
    TN_TRY(tn_delta_commit_read(t, scratch, f->version, &acts, err));
    tn_val d = tn_val_dict(a);
    tn_val info = TN_VAL_UNDEF;
    if (acts.has_info) {
        TN_TRY(tn_json_parse(a, tn_str_dup(a, acts.info), &info, err));
    }
    int64_t ms = tn_val_int_at(info, "timestamp", f->mtime_ms);
    tn_dict_putz(d.dict, "version", tn_val_int(f->version));
    tn_dict_putz(d.dict, "timestamp",
        tn_val_int(acts.in_commit_ms != TN_DELTA_ABSENT ? acts.in_commit_ms : ms));
    size_t at = 0;
    const tn_dict_item *it;
    while (info.tag == TN_DICT && (it = tn_dict_next(info.dict, &at)) != NULL) {
        if (tn_dict_find(d.dict, it->key) == NULL) {
            tn_dict_put(d.dict, it->key, it->value);
        }
    }
    *ret = d;
    return TN_OK;
}

tn_rc tn_delta_history(tn_delta_table *t, tn_arena *a, size_t limit, tn_val *ret_list, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta history", NULL);
    tn_delta_log_files commits;
    TN_TRY(tn_delta_commits_all(t, scratch, &commits, err));
    if (commits.n == 0) {
        return tn_fail(err, TN_E_NOTFOUND, "there is no Delta table at '" TN_STR_FMT "'",
            TN_STR_ARG(t->store->root));
    }
    tn_val out = tn_val_list(a);
    for (size_t i = commits.n; i-- > 0 && (limit == 0 || out.list->n < limit);) {
        tn_val d;
        TN_TRY(entry(t, a, &commits.v[i], &d, err));
        tn_list_push(out.list, d);
    }
    *ret_list = out;
    return TN_OK;
}

/* ---- restore ---- */

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
static tn_rc check_there(
    tn_delta_table *t, tn_arena *a, const tn_delta_file *f, int64_t version, tn_err *err)
{
    tn_str key;
    TN_TRY(tn_delta_path_decode(a, f->path, &key, err));
    tn_store_item item;
    if (tn_str_starts(key, TN_STR("/")) || tn_str_find(key, TN_STR("://"), 0) != SIZE_MAX) {
        return TN_OK;
    }
    tn_rc rc = tn_store_head(t->store, a, key, &item, err);
    if (rc == TN_E_NOTFOUND) {
        rc = tn_fail(err, TN_E_NOTFOUND,
            "version %lld cannot be restored: its file '" TN_STR_FMT "' is gone",
            (long long)version, TN_STR_ARG(key));
        return tn_hint(err, rc, "vacuum removes files of old versions");
    }
    return rc;
}

static tn_rc diff(tn_delta_table *t, tn_arena *a, const tn_delta_snapshot *now,
    const tn_delta_snapshot *then, tn_delta_txn_plan *p, tn_err *err)
{
    tn_map have;
    tn_map want;
    TN_TRY(key_set(a, now, &have, err));
    TN_TRY(key_set(a, then, &want, err));
    int64_t ms = tn_clock_now_ms();
    for (size_t i = 0; i < have.n; i++) {
        if (tn_map_find(&want, have.items[i].key) == NULL) {
            tn_vec_push(&p->removes, a, tn_delta_remove_of(have.items[i].value, ms));
        }
    }
    for (size_t i = 0; i < want.n; i++) {
        if (tn_map_find(&have, want.items[i].key) == NULL) {
            tn_delta_file f = *(const tn_delta_file *)want.items[i].value;
            TN_TRY(check_there(t, a, &f, then->version, err));
            f.data_change = true;
            tn_vec_push(&p->adds, a, f);
        }
    }
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

tn_rc tn_delta_restore(
    tn_delta_table *t, tn_conn *conn, int64_t version, int64_t *ret_version, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta restore", NULL);
    TN_AUTOPTR(tn_delta_snapshot) now = NULL;
    TN_AUTOPTR(tn_delta_snapshot) then = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &now, err));
    TN_TRY(tn_delta_snapshot_open(t, conn, version, &then, err));
    TN_TRY(tn_delta_check_writable(&now->protocol, &now->meta, err));
    if (tn_delta_property_is(&now->meta, "delta.appendOnly", "true")) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the table is append-only (delta.appendOnly): it cannot be restored");
    }
    tn_delta_txn_plan p = {
        .read_version = now->version, .reads_all = true, .operation = TN_STR("RESTORE")
    };
    TN_TRY(diff(t, a, now, then, &p, err));
    if (!same_meta(&now->meta, &then->meta)) {
        p.meta = &then->meta;
    }
    if (p.adds.n == 0 && p.removes.n == 0 && p.meta == NULL) {
        *ret_version = now->version;
        return TN_OK;
    }
    p.operation_parameters = tn_val_dict(a);
    tn_dict_putz(p.operation_parameters.dict, "version",
        tn_val_str(tn_str_printf(a, "%lld", (long long)version)));
    p.operation_metrics = tn_val_dict(a);
    tn_dict_putz(p.operation_metrics.dict, "numRestoredFiles",
        tn_val_str(tn_str_printf(a, "%zu", p.adds.n)));
    tn_dict_putz(p.operation_metrics.dict, "numRemovedFiles",
        tn_val_str(tn_str_printf(a, "%zu", p.removes.n)));
    bool ict = tn_delta_property_is(&now->meta, "delta.enableInCommitTimestamps", "true");
    TN_TRY(
        tn_delta_commit_write(t, &p, ict ? now->timestamp_ms : TN_DELTA_ABSENT, ret_version, err));
    tn_delta_after_commit(t, conn, *ret_version, &now->meta);
    return TN_OK;
}
