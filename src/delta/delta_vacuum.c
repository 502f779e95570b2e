/* delta_vacuum.c: removing files that no version within the retention needs, and the part of the log that is older than its own.
 *
 * The order matters: first the folder is listed, then the newest version is read. A file that was committed in between is in that
 * version; one that is not committed yet is younger than the retention and stays. What is removed is
 *
 *     listed  -  live files and vectors of the newest and the protected versions
 *             -  files and vectors of tombstones younger than the retention
 *             -  files younger than the retention  -  hidden names
 * Names in the log are compared decoded. A path that is absolute may be spelled another way than the root is: a listed file with the
 * same base name stays.
 */
#include "base/log.h"
#include "delta/delta_maint.h"
#include "delta/delta_replay.h"
#include "os/clock.h"
#include "text/uri.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define LOG_DIR "_delta_log/"

typedef struct vacuum {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;
    const tn_delta_vacuum_opts *opts;
    const tn_delta_snapshot *s;
    int64_t retention_ms, cut_ms;
    tn_map needed;      /* keys below the root */
    tn_map needed_base; /* base names of absolute paths */
    tn_store_items doomed;
    tn_delta_vacuum_result out;
} vacuum;

/* ---- what is needed ---- */

/* "a//b/./c" and "a/b/c" are one file. */
static tn_str plain_key(tn_arena *a, tn_str key)
{
    if (tn_str_find(key, TN_STR("//"), 0) == SIZE_MAX &&
        tn_str_find(key, TN_STR("./"), 0) == SIZE_MAX) {
        return key;
    }
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_str rest = key;
    while (rest.n > 0) {
        tn_str part;
        tn_str tail;
        bool more = tn_str_cut(rest, '/', &part, &tail);
        rest = more ? tail : TN_STR("");
        if (part.n > 0 && !tn_str_is(part, ".")) {
            tn_buf_addz(&b, b.n > 0 ? "/" : "");
            tn_buf_add(&b, part);
        }
    }
    return tn_buf_str(&b);
}

/* A protected version's texts die with its snapshot, so keys are copied. */
static void need_place(vacuum *v, tn_str borrowed)
{
    if (borrowed.n == 0) {
        return;
    }
    tn_str place = tn_str_dup(v->a, borrowed);
    if (tn_str_starts(place, TN_STR("/")) || tn_uri_is_remote(place) ||
        tn_str_find(place, TN_STR(".."), 0) != SIZE_MAX) {
        tn_map_put(&v->needed_base, tn_path_base(place), v);
        return;
    }
    tn_map_put(&v->needed, plain_key(v->a, place), v);
}

static tn_rc need(vacuum *v, tn_str path, const tn_delta_dv *dv, tn_err *err)
{
    tn_str place;
    TN_TRY(tn_delta_path_decode(v->a, path, &place, err));
    need_place(v, place);
    if (dv->storage != 0) {
        TN_TRY(tn_delta_dv_place(v->a, dv, &place, err));
        need_place(v, place);
    }
    return TN_OK;
}

static tn_rc need_live(vacuum *v, const tn_delta_snapshot *s, tn_err *err)
{
    for (size_t i = 0; i < s->files.n; i++) {
        TN_TRY(need(v, s->files.v[i].path, &s->files.v[i].dv, err));
    }
    return TN_OK;
}

static tn_rc need_protected(vacuum *v, tn_err *err)
{
    for (size_t i = 0; i < v->opts->protect_n; i++) {
        TN_AUTOPTR(tn_delta_snapshot) s = NULL;
        tn_rc rc = tn_delta_snapshot_open(v->t, v->conn, v->opts->protect[i], &s, err);
        rc = rc == TN_OK ? need_live(v, s, err) : rc;
        if (rc != TN_OK) {
            return tn_while(err, rc, "keeping the files of version %lld, which is still in use",
                (long long)v->opts->protect[i]);
        }
    }
    return TN_OK;
}

static void add_outside(tn_arena *a, tn_str place, tn_strs *ret)
{
    if (tn_str_starts(place, TN_STR("/")) || tn_uri_is_remote(place)) {
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

static tn_rc need_all(vacuum *v, tn_err *err)
{
    for (size_t i = 0; i < v->opts->protect_places.n; i++) {
        need_place(v, v->opts->protect_places.v[i]);
    }
    TN_TRY(need_live(v, v->s, err));
    for (size_t i = 0; i < v->s->tombstones.n; i++) {
        const tn_delta_remove *r = &v->s->tombstones.v[i];
        if (r->deleted_ms >= v->cut_ms) {
            TN_TRY(need(v, r->path, &r->dv, err));
        }
    }
    return need_protected(v, err);
}

/* ---- what is there ---- */

/* Hidden: a part begins with '_' or '.', but is neither _change_data nor the folder of a partition column. */
static bool is_hidden(const tn_delta_meta *m, tn_str key)
{
    tn_str rest = key;
    while (rest.n > 0) {
        tn_str part;
        tn_str tail;
        tn_str column;
        tn_str value;
        bool folder = tn_str_cut(rest, '/', &part, &tail);
        rest = folder ? tail : TN_STR("");
        bool odd = part.n > 0 && (part.p[0] == '_' || part.p[0] == '.');
        bool partition = folder && tn_str_cut(part, '=', &column, &value) &&
                         tn_delta_partition_index(m, column) != SIZE_MAX;
        if (odd && !partition && !(folder && tn_str_is(part, "_change_data"))) {
            return true;
        }
    }
    return false;
}

/* Folders below the root that are tables themselves: "sub/" of "sub/_delta_log/..". */
static void find_tables(tn_arena *a, const tn_store_items *items, tn_strs *ret)
{
    for (size_t i = 0; i < items->n; i++) {
        size_t at = tn_str_find(items->v[i].key, TN_STR("/" LOG_DIR), 0);
        if (at == SIZE_MAX) {
            continue;
        }
        tn_str folder = tn_str_sub(items->v[i].key, 0, at + 1);
        if (ret->n == 0 || !tn_str_eq(tn_vec_last(ret), folder)) {
            tn_vec_push(ret, a, folder);
        }
    }
}

static bool in_table(const tn_strs *tables, tn_str key)
{
    for (size_t i = 0; i < tables->n; i++) {
        if (tn_str_starts(key, tables->v[i])) {
            return true;
        }
    }
    return false;
}

static void find_doomed(vacuum *v, const tn_store_items *items)
{
    tn_strs tables = { 0 };
    find_tables(v->a, items, &tables);
    for (size_t i = 0; i < items->n; i++) {
        const tn_store_item *item = &items->v[i];
        if (item->is_prefix || item->mtime_us / 1000 >= v->cut_ms ||
            is_hidden(&v->s->meta, item->key) || tn_map_find(&v->needed, item->key) != NULL ||
            tn_map_find(&v->needed_base, tn_path_base(item->key)) != NULL ||
            in_table(&tables, item->key)) {
            continue;
        }
        tn_vec_push(&v->doomed, v->a, *item);
        v->out.files++;
        v->out.bytes += item->size;
    }
}

/* ---- entries in the log ---- */

static void put_int(tn_arena *a, tn_val dict, const char *key, int64_t n)
{
    tn_dict_putz(dict.dict, key, tn_val_str(tn_str_printf(a, "%lld", (long long)n)));
}

static tn_rc log_entry(vacuum *v, tn_delta_txn_plan *p, tn_err *err)
{
    p->read_version = v->s->version;
    p->base = v->s;
    p->blind_append = true;
    p->isolation = TN_STR("SnapshotIsolation");
    return tn_delta_commit_write(v->t, p, &v->out.version, err);
}

static tn_rc log_start(vacuum *v, int64_t dflt_ms, tn_err *err)
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

static tn_rc log_end(vacuum *v, tn_err *err)
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

static bool remove_at_once(vacuum *v)
{
    tn_strs keys = { 0 };
    for (size_t i = 0; i < v->doomed.n; i++) {
        tn_vec_push(&keys, v->a, v->doomed.v[i].key);
    }
    tn_err why = TN_ERR_INIT;
    if (tn_store_remove_many(v->t->store, keys.v, keys.n, &why) == TN_OK) {
        return true;
    }
    tn_log(TN_LOG_DEBUG, "delta", "removing one by one: %s", why.msg);
    return false;
}

static void remove_doomed(vacuum *v)
{
    if (remove_at_once(v)) {
        return;
    }
    for (size_t i = 0; i < v->doomed.n; i++) {
        tn_err why = TN_ERR_INIT;
        if (tn_store_remove(v->t->store, v->doomed.v[i].key, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "delta", "'" TN_STR_FMT "' could not be removed: %s",
                TN_STR_ARG(v->doomed.v[i].key), why.msg);
            v->out.failed++;
            v->out.files--;
            v->out.bytes -= v->doomed.v[i].size;
        }
    }
}

int64_t tn_delta_retention_ms(const tn_delta_snapshot *s)
{
    return tn_delta_interval_ms(&s->meta, "delta.deletedFileRetentionDuration", 7 * DAY_MS);
}

static tn_rc set_retention(vacuum *v, int64_t *ret_dflt, tn_err *err)
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

static tn_rc run(vacuum *v, const tn_store_items *items, tn_err *err)
{
    int64_t dflt = 0;
    TN_TRY(tn_delta_check_writable(&v->s->protocol, &v->s->meta, err));
    TN_TRY(set_retention(v, &dflt, err));
    TN_TRY(need_all(v, err));
    find_doomed(v, items);
    if (v->opts->dry_run) {
        return TN_OK;
    }
    if (v->doomed.n > 0) {
        TN_TRY(log_start(v, dflt, err));
        remove_doomed(v);
        TN_TRY(log_end(v, err));
        tn_delta_after_commit(v->t, v->conn, v->out.version, &v->s->meta);
    }
    return tn_delta_log_cleanup(
        v->t, v->conn, v->opts->protect, v->opts->protect_n, &v->out.log_files, err);
}

tn_rc tn_delta_vacuum(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_vacuum_opts *opts, tn_delta_vacuum_result *ret, tn_err *err)
{
    TN_AUTO_ARENA work = tn_arena_new("delta vacuum", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_store_list_opts all = { .flat = true };
    tn_store_items items = { 0 };
    TN_TRY(tn_store_list(t->store, work, &all, &items, err)); /* before the version is read */
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    vacuum v = { .t = t,
        .conn = conn,
        .a = work,
        .opts = opts,
        .s = s,
        .needed = tn_map_init(work),
        .needed_base = tn_map_init(work),
        .out = { .version = s->version, .read_version = s->version } };
    tn_rc rc = run(&v, &items, err);
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

/* ---- the log ---- */

/* "<20 digits>" at the start of a name in the log, or -1. */
static int64_t version_of(tn_str name)
{
    int64_t version;
    if (name.n <= 20 || name.p[20] != '.' || !tn_str_to_i64(tn_str_sub(name, 0, 20), &version)) {
        return -1;
    }
    return version;
}

/* The newest version whose commit is not younger than the cut, and not above a protected one. */
static int64_t newest_expired(
    const tn_store_items *items, int64_t cut_ms, const int64_t *protect, size_t protect_n)
{
    int64_t limit = -1;
    for (size_t i = 0; i < items->n; i++) {
        tn_str name = tn_path_base(items->v[i].key);
        int64_t version = version_of(name);
        if (version < 0 || name.n != 25 || !tn_str_ends(name, TN_STR(".json"))) {
            continue;
        }
        if (items->v[i].mtime_us / 1000 > cut_ms) {
            break; /* keys are in the order of versions */
        }
        limit = version;
    }
    for (size_t i = 0; i < protect_n; i++) {
        limit = protect[i] < limit ? protect[i] : limit;
    }
    return limit;
}

/* The newest checkpoint up to `limit` that can really be read; -1: none. */
static int64_t checkpoint_below(
    tn_delta_table *t, tn_conn *conn, const tn_store_items *items, int64_t limit)
{
    int64_t last = -1;
    for (size_t i = items->n; i-- > 0;) {
        tn_str name = tn_path_base(items->v[i].key);
        int64_t version = version_of(name);
        if (version < 0 || version > limit || version == last ||
            tn_str_find(name, TN_STR(".checkpoint."), 0) == SIZE_MAX) {
            continue;
        }
        last = version;
        TN_AUTOPTR(tn_delta_snapshot) s = NULL;
        tn_err ignored = TN_ERR_INIT;
        if (tn_delta_snapshot_open(t, conn, version, &s, &ignored) == TN_OK &&
            s->checkpoint_version == version) {
            return version;
        }
    }
    return -1;
}

static bool goes(tn_str name, int64_t keep)
{
    int64_t version = version_of(name);
    if (version < 0) {
        return false;
    }
    if (tn_str_ends(name,
            TN_STR(".compacted.json"))) { /* of no use to readers that begin at the checkpoint */
        return version <= keep;
    }
    if (version >= keep) {
        return false;
    }
    return tn_str_ends(name, TN_STR(".json")) || tn_str_ends(name, TN_STR(".crc")) ||
           tn_str_ends(name, TN_STR(".parquet"));
}

/* Removes sidecars older than a day that no checkpoint from `keep` on names. One that cannot be read may name any: then all stay. */
static tn_rc clean_sidecars(tn_delta_table *t, tn_conn *conn, const tn_store_items *log,
    int64_t keep, int64_t *removed, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta sidecars", NULL);
    tn_store_list_opts opts = { .prefix = TN_STR(LOG_DIR "_sidecars/") };
    tn_store_items sidecars = { 0 };
    tn_map named = tn_map_init(a);
    tn_rc rc = tn_store_list(t->store, a, &opts, &sidecars, err);
    if (rc == TN_E_NOTFOUND || (rc == TN_OK && sidecars.n == 0)) {
        tn_err_clear(err);
        return TN_OK;
    }
    TN_TRY(rc);
    for (size_t i = 0; i < log->n; i++) {
        tn_str name = tn_path_base(log->v[i].key);
        tn_err why = TN_ERR_INIT;
        if (log->v[i].is_prefix || version_of(name) < (keep > 0 ? keep : 0) ||
            tn_str_find(name, TN_STR(".checkpoint."), 0) == SIZE_MAX) {
            continue;
        }
        if (tn_delta_checkpoint_sidecars(t, conn, log->v[i].key, &named, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "delta", "sidecars stay: %s", why.msg);
            return TN_OK;
        }
    }
    int64_t cut_us = tn_clock_now_us() - DAY_MS * 1000;
    for (size_t i = 0; i < sidecars.n; i++) {
        const tn_store_item *item = &sidecars.v[i];
        if (!item->is_prefix && item->mtime_us < cut_us &&
            tn_map_find(&named, tn_path_base(item->key)) == NULL) {
            TN_TRY(tn_store_remove(t->store, item->key, err));
            (*removed)++;
        }
    }
    return TN_OK;
}

tn_rc tn_delta_log_cleanup(tn_delta_table *t, tn_conn *conn, const int64_t *protect,
    size_t protect_n, int64_t *ret_removed, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta log cleanup", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    *ret_removed = 0;
    if (tn_delta_has_feature(&s->protocol, "checkpointProtection") ||
        tn_delta_property_is(&s->meta, "delta.enableExpiredLogCleanup", "false")) {
        return TN_OK;
    }
    int64_t keep_ms = tn_delta_interval_ms(&s->meta, "delta.logRetentionDuration", 30 * DAY_MS);
    int64_t cut_ms = tn_clock_now_ms() - keep_ms;
    cut_ms -= keep_ms >= DAY_MS ? cut_ms % DAY_MS : 0; /* midnight UTC, as the reference has it */
    tn_store_items items = { 0 };
    tn_store_list_opts opts = { .prefix = TN_STR(LOG_DIR) };
    TN_TRY(tn_store_list(t->store, a, &opts, &items, err));
    int64_t limit = newest_expired(&items, cut_ms, protect, protect_n);
    int64_t keep = checkpoint_below(t, conn, &items, limit);
    for (size_t i = 0; keep > 0 && i < items.n; i++) {
        if (!items.v[i].is_prefix && goes(tn_path_base(items.v[i].key), keep)) {
            TN_TRY(tn_store_remove(t->store, items.v[i].key, err));
            (*ret_removed)++;
        }
    }
    return clean_sidecars(t, conn, &items, keep, ret_removed, err);
}
