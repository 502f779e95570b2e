/* delta_vacuum.c: removing files that no version within the retention needs.
 *
 * The order matters: first the candidates are found (delta_vacuum_find.c), then the newest version is read again. A file that was committed in
 * between is in that version; one that is not committed yet is younger than the retention and stays. What is removed is
 *
 *     found  -  live files and vectors of the newest and the protected versions
 *             -  files and vectors of tombstones younger than the retention
 *             -  files younger than the retention  -  hidden names
 * Names in the log are compared decoded. A path that is absolute may be spelled another way than the root is: a listed file with the
 * same base name stays.
 */
#include "delta/care/delta_vacuum.h"
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"
#include "os/parallel.h"
#include "text/uri.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* ---- what is needed ---- */

static void mark(tn_map *m, tn_str key, void *why)
{
    if (tn_map_find(m, key) == NULL) {
        tn_map_put(m, key, why);
    }
}

/* `why` is &v->withheld for a place that only protected versions need. Absolute paths may be spelled another way than the root is: they count by their base name. Keys are copied, since a protected version's texts die with
 * its snapshot. */
static void need_place(tn_delta_vacuum_run *v, tn_str borrowed, void *why)
{
    if (borrowed.n == 0) {
        return;
    }
    tn_str place = tn_str_dup(v->a, borrowed);
    if (tn_delta_vacuum_is_outside(place)) {
        mark(&v->needed_base, tn_path_base(place), why);
        return;
    }
    mark(&v->needed, tn_delta_vacuum_key(v->a, place), why);
}

static tn_rc need(
    tn_delta_vacuum_run *v, tn_str path, const tn_delta_dv *dv, void *why, tn_err *err)
{
    tn_str place;
    TN_TRY(tn_delta_path_decode(v->a, path, &place, err));
    need_place(v, place, why);
    if (dv->storage != 0) {
        TN_TRY(tn_delta_dv_place(v->a, dv, &place, err));
        need_place(v, place, why);
    }
    return TN_OK;
}

static tn_rc need_live(tn_delta_vacuum_run *v, const tn_delta_snapshot *s, void *why, tn_err *err)
{
    for (size_t i = 0; i < s->files.n; i++) {
        TN_TRY(need(v, s->files.v[i].path, &s->files.v[i].dv, why, err));
    }
    return TN_OK;
}

static tn_rc need_protected(tn_delta_vacuum_run *v, tn_err *err)
{
    for (size_t i = 0; i < v->opts->protect_n; i++) {
        TN_AUTOPTR(tn_delta_snapshot) s = NULL;
        tn_rc rc = tn_delta_snapshot_open(v->t, v->conn, v->opts->protect[i], &s, err);
        rc = rc == TN_OK ? need_live(v, s, &v->withheld, err) : rc;
        if (rc != TN_OK) {
            return tn_while(err, rc, "keeping the files of version %lld, which is still in use",
                (long long)v->opts->protect[i]);
        }
    }
    for (size_t i = 0; i < v->opts->protect_places.n; i++) {
        need_place(v, v->opts->protect_places.v[i], &v->withheld);
    }
    return TN_OK;
}

static void add_outside(tn_arena *a, tn_str place, tn_strs *ret)
{
    if (tn_delta_path_is_absolute(place)) {
        tn_vec_push(ret, a, tn_str_dup(a, place));
    }
}

tn_rc tn_delta_outside_places(const tn_delta_snapshot *s, tn_arena *a, tn_strs *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta places", NULL);
    for (size_t i = 0; i < s->files.n; i++) {
        tn_str place;
        TN_TRY(tn_delta_path_decode(scratch, s->files.v[i].path, &place, err));
        add_outside(a, place, ret);
        if (s->files.v[i].dv.storage != 0) {
            TN_TRY(tn_delta_dv_place(scratch, &s->files.v[i].dv, &place, err));
            add_outside(a, place, ret);
        }
    }
    return TN_OK;
}

/* The newest version and the tombstones within the retention. */
static tn_rc need_version(tn_delta_vacuum_run *v, const tn_delta_snapshot *s, tn_err *err)
{
    TN_TRY(need_live(v, s, v, err));
    for (size_t i = 0; i < s->tombstones.n; i++) {
        const tn_delta_remove *r = &s->tombstones.v[i];
        if (r->deleted_ms >= v->cut_ms) {
            TN_TRY(need(v, r->path, &r->dv, v, err));
        }
    }
    return TN_OK;
}

bool tn_delta_vacuum_needs(tn_delta_vacuum_run *v, tn_str key)
{
    void *why = tn_map_find(&v->needed, key);
    why = why != NULL ? why : tn_map_find(&v->needed_base, tn_path_base(key));
    v->withheld = v->withheld || why == &v->withheld;
    return why != NULL;
}

/* What has been committed since the candidates were looked for is needed too. */
static void doom(tn_delta_vacuum_run *v)
{
    for (size_t i = 0; i < v->found.n; i++) {
        if (!tn_delta_vacuum_needs(v, v->found.v[i].key)) {
            tn_vec_push(&v->doomed, v->a, v->found.v[i]);
            v->out.files++;
            v->out.bytes += v->found.v[i].size;
        }
    }
}

/* ---- entries in the log ---- */

static void put_int(tn_arena *a, tn_val dict, const char *key, int64_t n)
{
    tn_dict_putz(dict.dict, key, tn_val_str(tn_str_printf(a, "%lld", (long long)n)));
}

static tn_rc log_entry(tn_delta_vacuum_run *v, tn_delta_txn_plan *p, tn_err *err)
{
    p->read_version = v->s->version;
    p->base = v->s;
    p->blind_append = true;
    p->isolation = TN_STR("SnapshotIsolation");
    return tn_delta_commit_write(v->t, p, &v->out.version, err);
}

static tn_rc log_start(tn_delta_vacuum_run *v, int64_t dflt_ms, tn_err *err)
{
    tn_delta_txn_plan p = { .operation = TN_STR("VACUUM START") };
    p.operation_parameters = tn_val_dict(v->a);
    tn_dict_putz(p.operation_parameters.dict, "retentionCheckEnabled",
        tn_val_z(v->opts->allow_short ? "false" : "true"));
    if (v->opts->retention_ms >= 0) {
        put_int(v->a, p.operation_parameters, "specifiedRetentionMillis", v->opts->retention_ms);
    }
    put_int(v->a, p.operation_parameters, "defaultRetentionMillis", dflt_ms);
    p.operation_metrics = tn_val_dict(v->a);
    put_int(v->a, p.operation_metrics, "numFilesToDelete", v->out.files);
    put_int(v->a, p.operation_metrics, "sizeOfDataToDelete", v->out.bytes);
    return log_entry(v, &p, err);
}

static tn_rc log_end(tn_delta_vacuum_run *v, tn_err *err)
{
    tn_delta_txn_plan p = { .operation = TN_STR("VACUUM END") };
    p.operation_parameters = tn_val_dict(v->a);
    tn_dict_putz(p.operation_parameters.dict, "status",
        tn_val_z(v->out.failed > 0 ? "FAILED" : "COMPLETED"));
    p.operation_metrics = tn_val_dict(v->a);
    put_int(v->a, p.operation_metrics, "numDeletedFiles", v->out.files);
    put_int(v->a, p.operation_metrics, "numVacuumedDirectories", 0);
    return log_entry(v, &p, err);
}

/* ---- running ---- */

enum { BATCH = 500 }; /* files of one request, where the store can */

static void remove_one(tn_delta_vacuum_run *v, const tn_store_item *item)
{
    tn_err why = TN_ERR_INIT;
    if (tn_store_remove(v->t->store, item->key, &why) != TN_OK) {
        tn_log(TN_LOG_WARN, "delta", "'" TN_STR_FMT "' could not be removed: %s",
            TN_STR_ARG(item->key), why.msg);
        TN_LOCKED(&v->mutex);
        v->out.failed++;
        v->out.files--;
        v->out.bytes -= item->size;
    }
}

/* What cannot be removed is counted; the others go all the same. */
static tn_rc remove_batch(void *self, size_t batch, tn_err *err)
{
    tn_delta_vacuum_run *v = self;
    TN_AUTO_ARENA a = tn_arena_new("delta vacuum batch", NULL);
    tn_strs keys = { 0 };
    size_t from = batch * BATCH;
    size_t to = from + BATCH < v->doomed.n ? from + BATCH : v->doomed.n;
    (void)err;
    for (size_t i = from; i < to; i++) {
        tn_vec_push(&keys, a, v->doomed.v[i].key);
    }
    tn_err why = TN_ERR_INIT;
    if (tn_store_remove_many(v->t->store, keys.v, keys.n, &why) == TN_OK) {
        return TN_OK;
    }
    tn_log(TN_LOG_DEBUG, "delta", "removing one by one: %s", why.msg);
    for (size_t i = from; i < to; i++) {
        remove_one(v, &v->doomed.v[i]);
    }
    return TN_OK;
}

int64_t tn_delta_retention_ms(const tn_delta_snapshot *s)
{
    return tn_delta_interval_ms(&s->meta, "delta.deletedFileRetentionDuration", 7 * DAY_MS);
}

static tn_rc set_retention(tn_delta_vacuum_run *v, int64_t *ret_dflt, tn_err *err)
{
    int64_t dflt = tn_delta_retention_ms(v->s);
    v->retention_ms = v->opts->retention_ms >= 0 ? v->opts->retention_ms : dflt;
    if (v->retention_ms < dflt && !v->opts->allow_short) {
        tn_rc rc = tn_fail(err, TN_E_USAGE,
            "a retention of %.1f hours is shorter than the table's %.1f hours",
            (double)v->retention_ms / 3600000, (double)dflt / 3600000);
        return tn_hint(err, rc,
            "a running writer or reader may still need such files; when none runs, allow a short "
            "retention explicitly");
    }
    v->cut_ms = tn_clock_now_ms() - v->retention_ms;
    *ret_dflt = dflt;
    return TN_OK;
}

static tn_rc find(tn_delta_vacuum_run *v, tn_err *err)
{
    TN_TRY(need_version(v, v->s, err));
    TN_TRY(need_protected(v, err));
    TN_TRY(v->opts->lite ? tn_delta_vacuum_find_in_log(v, err) : tn_delta_vacuum_list(v, err));
    TN_AUTOPTR(tn_delta_snapshot) now = NULL;
    TN_TRY(tn_delta_snapshot_open(v->t, v->conn, TN_DELTA_LATEST, &now, err));
    if (now->version != v->s->version) {
        TN_TRY(need_version(v, now, err));
    }
    doom(v);
    return TN_OK;
}

static tn_rc run(tn_delta_vacuum_run *v, tn_err *err)
{
    int64_t dflt = 0;
    TN_TRY(tn_delta_check_writable(&v->s->protocol, &v->s->meta, err));
    TN_TRY(set_retention(v, &dflt, err));
    TN_TRY(find(v, err));
    if (v->opts->dry_run) {
        return TN_OK;
    }
    if (v->doomed.n > 0) {
        TN_TRY(log_start(v, dflt, err));
        TN_TRY(tn_parallel(
            (v->doomed.n + BATCH - 1) / BATCH, TN_DELTA_VACUUM_THREADS, remove_batch, v, err));
        TN_TRY(log_end(v, err));
        tn_delta_after_commit(v->t, v->conn, v->out.version, &v->s->meta);
    }
    if (!v->withheld && v->out.failed == 0) {
        TN_TRY(tn_delta_vacuum_note(v, err));
    }
    return tn_delta_log_cleanup(
        v->t, v->conn, v->opts->protect, v->opts->protect_n, &v->out.log_files, err);
}

tn_rc tn_delta_vacuum(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_vacuum_opts *opts, tn_delta_vacuum_result *ret, tn_err *err)
{
    TN_AUTO_ARENA work = tn_arena_new("delta vacuum", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    tn_delta_vacuum_run v = { .t = t,
        .conn = conn,
        .a = work,
        .opts = opts,
        .s = s,
        .mutex = TN_MUTEX_INIT,
        .needed = tn_map_init(work),
        .needed_base = tn_map_init(work),
        .out = { .version = s->version, .read_version = s->version } };
    tn_rc rc = run(&v, err);
    if (rc != TN_OK) {
        return tn_while(
            err, rc, "vacuuming the table '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
    }
    for (size_t i = 0; i < v.doomed.n; i++) {
        tn_vec_push(&v.out.paths, a, tn_str_dup(a, v.doomed.v[i].key));
    }
    *ret = v.out;
    return TN_OK;
}
