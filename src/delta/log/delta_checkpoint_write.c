/* delta_checkpoint_write.c: checkpoints of a snapshot, classic and v2 ("Checkpoints", "V2 Spec", "Sidecar Files").
 *
 *     classic   N.checkpoint.parquet                    all actions
 *     v2        N.checkpoint.UUID.json                  checkpointMetadata, sidecar, protocol, metaData, txn, domainMetadata
 *               _sidecars/N.checkpoint.K.K.UUID.parquet add and remove, at most SIDECAR_ACTIONS each
 * Which one: delta.checkpointPolicy = v2 with the feature v2Checkpoint. Live files, unexpired tombstones, txns, domains, protocol and metaData are in
 * it. Sidecars are put before the file that names them, that one before the hint. A checkpoint repeats what the log says, so a
 * failure here never fails a write; what a failed one has put is removed.
 */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_checkpoint.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"
#include "text/json.h"

#define WEEK_MS ((int64_t)7 * 24 * 3600 * 1000)
#define FLUSH_BYTES ((size_t)4 << 20)
enum { INTERVAL_DEFAULT = 10, SIDECAR_ACTIONS = 250000 };

typedef struct writing {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;
    const tn_delta_snapshot *s;
    bool v2;
    tn_str dir;   /* local, for temporary files */
    tn_buf small; /* lines of what is no file */
    int64_t small_actions;
    tn_buf lines; /* of files, not in the local file yet */
    tn_checkpoint_lines file;
    int64_t lines_actions; /* since the last sidecar */
    tn_delta_hint hint;
    tn_strs keys; /* put so far */
} writing;

/* ---- lines ---- */

static size_t longest_line(tn_str text)
{
    size_t longest = 0;
    for (size_t from = 0; from < text.n;) {
        const char *end = memchr(text.p + from, '\n', text.n - from);
        size_t to = end != NULL ? (size_t)(end - text.p) + 1 : text.n;
        longest = tn_max_size(longest, to - from);
        from = to;
    }
    return longest;
}

static tn_rc flush(writing *w, bool force, tn_err *err)
{
    if (w->lines.n < FLUSH_BYTES && !force) {
        return TN_OK;
    }
    tn_str text;
    TN_TRY(tn_buf_finish(&w->lines, "a checkpoint", &text, err));
    TN_TRY(tn_file_append(w->file.path, text, err));
    w->file.longest = tn_max_size(w->file.longest, longest_line(text));
    tn_buf_reset(&w->lines);
    return TN_OK;
}

static tn_rc put_object(writing *w, tn_str key, tn_str bytes, tn_err *err)
{
    tn_vec_push(&w->keys, w->a, key);
    TN_TRY(tn_store_put(w->t->store, key, bytes, TN_PUT_OVERWRITE, err));
    w->hint.bytes += (int64_t)bytes.n;
    return TN_OK;
}

/* The lines so far become one Parquet object. */
static tn_rc put_parquet(
    writing *w, tn_checkpoint_part part, tn_str key, int64_t *ret_bytes, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta checkpoint", NULL);
    tn_str parquet = tn_str_concat(a, w->dir, TN_STR("/checkpoint.parquet"));
    tn_str sql;
    tn_str bytes;
    TN_TRY(flush(w, true, err));
    TN_TRY(tn_delta_checkpoint_copy(a, w->s, part, &w->file, parquet, &sql, err));
    TN_TRY(tn_conn_exec(w->conn, sql, err));
    TN_TRY(tn_file_read(a, parquet, TN_DELTA_CHECKPOINT_BYTES_MAX, &bytes, err));
    TN_TRY(put_object(w, key, bytes, err));
    *ret_bytes = (int64_t)bytes.n;
    w->file.longest = 0;
    return tn_file_remove(w->file.path, err);
}

static tn_rc end_sidecar(writing *w, tn_err *err)
{
    if (w->lines_actions == 0) {
        return TN_OK;
    }
    tn_delta_sidecar one = { .mtime_ms = tn_clock_now_ms() };
    int place = (int)w->hint.sidecars.n + 1;
    one.name = tn_str_printf(w->a, "%020lld.checkpoint.%010d.%010d." TN_STR_FMT ".parquet",
        (long long)w->s->version, place, place, TN_STR_ARG(tn_uuid4(w->a)));
    tn_str key = tn_str_concat(w->a, TN_STR("_delta_log/_sidecars/"), one.name);
    TN_TRY(put_parquet(w, TN_CHECKPOINT_FILES, key, &one.bytes, err));
    tn_vec_push(&w->hint.sidecars, w->a, one);
    w->lines_actions = 0;
    return TN_OK;
}

static tn_rc line_done(writing *w, tn_err *err)
{
    w->hint.actions++;
    w->lines_actions++;
    if (w->v2 && w->lines_actions >= SIDECAR_ACTIONS) {
        return end_sidecar(w, err);
    }
    return flush(w, false, err);
}

/* The add with its statistics a second time, as struct with quoted numbers: {"add":{..,"stats_parsed":{..}}} */
static void add_line(writing *w, const tn_delta_file *f, bool json, bool parsed)
{
    tn_delta_file add = *f;
    add.data_change = false;
    add.stats = json ? f->stats : TN_STR("");
    tn_delta_print_add(&w->lines, &add);
    if (!parsed || f->stats.n == 0) {
        return;
    }
    size_t end = w->lines.n;
    TN_CHECK(end > 3);
    tn_buf_truncate(&w->lines, end - 3); /* "}}\n" */
    size_t open = w->lines.n;
    tn_buf_addz(&w->lines, ",\"stats_parsed\":");
    if (!tn_delta_quote_numbers(&w->lines, f->stats)) {
        tn_buf_truncate(&w->lines, open);
    }
    tn_buf_addz(&w->lines, "}}\n");
}

static tn_rc add_files(writing *w, tn_err *err)
{
    bool json = tn_delta_checkpoint_stats_json(&w->s->meta);
    bool parsed = tn_delta_checkpoint_stats_struct(&w->s->meta);
    for (size_t i = 0; i < w->s->files.n; i++) {
        add_line(w, &w->s->files.v[i], json, parsed);
        TN_TRY(line_done(w, err));
    }
    int64_t keep_ms =
        tn_delta_interval_ms(&w->s->meta, "delta.deletedFileRetentionDuration", WEEK_MS);
    int64_t oldest = tn_clock_now_ms() - keep_ms;
    for (size_t i = 0; i < w->s->tombstones.n; i++) {
        tn_delta_remove r = w->s->tombstones.v[i];
        if (r.deleted_ms > oldest) {
            r.data_change = false;
            tn_delta_print_remove(&w->lines, &r);
            TN_TRY(line_done(w, err));
        }
    }
    return TN_OK;
}

static void add_small(writing *w)
{
    const tn_delta_snapshot *s = w->s;
    tn_delta_print_protocol(&w->small, &s->protocol);
    tn_delta_print_meta(&w->small, &s->meta);
    w->small_actions = 2;
    for (size_t i = 0; i < s->txns.n; i++) {
        if (s->txns.items[i].value != NULL) {
            tn_delta_print_txn(&w->small, s->txns.items[i].value);
            w->small_actions++;
        }
    }
    for (size_t i = 0; i < s->domains.n; i++) {
        const tn_delta_domain *d = s->domains.items[i].value;
        if (d != NULL && !d->removed) {
            tn_delta_print_domain(&w->small, d);
            w->small_actions++;
        }
    }
}

/* ---- the two kinds ---- */

static tn_rc write_classic(writing *w, tn_err *err)
{
    int64_t bytes;
    tn_buf_add(&w->lines, tn_buf_str(&w->small));
    TN_TRY(add_files(w, err));
    w->hint.actions += w->small_actions;
    tn_str key =
        tn_str_printf(w->a, "_delta_log/%020lld.checkpoint.parquet", (long long)w->s->version);
    return put_parquet(w, TN_CHECKPOINT_ALL, key, &bytes, err);
}

static tn_rc write_v2(writing *w, tn_err *err)
{
    TN_TRY(add_files(w, err));
    TN_TRY(end_sidecar(w, err));
    int64_t files = w->hint.actions;
    int64_t file_bytes = w->hint.bytes;
    tn_buf b = tn_buf_init(w->a, TN_DELTA_CHECKPOINT_BYTES_MAX);
    tn_buf_addf(&b,
        "{\"checkpointMetadata\":{\"version\":%lld,\"tags\":{\"sidecarNumActions\":\"%lld\","
        "\"sidecarSizeInBytes\":\"%lld\",\"numOfAddFiles\":\"%zu\"}}}\n",
        (long long)w->s->version, (long long)files, (long long)file_bytes, w->s->files.n);
    tn_str metadata = tn_str_dup(w->a, tn_buf_str(&b));
    for (size_t i = 0; i < w->hint.sidecars.n; i++) {
        const tn_delta_sidecar *one = &w->hint.sidecars.v[i];
        tn_buf_addz(&b, "{\"sidecar\":{\"path\":");
        tn_json_add_str(&b, one->name);
        tn_buf_addf(&b, ",\"sizeInBytes\":%lld,\"modificationTime\":%lld}}\n",
            (long long)one->bytes, (long long)one->mtime_ms);
    }
    tn_buf_add(&b, tn_buf_str(&w->small));
    tn_str text;
    TN_TRY(tn_buf_finish(&b, "a checkpoint", &text, err));
    tn_delta_hint *h = &w->hint;
    h->actions += 1 + (int64_t)h->sidecars.n + w->small_actions;
    h->v2_name = tn_str_printf(w->a, "%020lld.checkpoint." TN_STR_FMT ".json",
        (long long)w->s->version, TN_STR_ARG(tn_uuid4(w->a)));
    h->v2_bytes = (int64_t)text.n;
    h->v2_mtime_ms = tn_clock_now_ms();
    h->v2_actions = tn_str_concat(w->a, tn_buf_str(&w->small), metadata);
    return put_object(w, tn_str_concat(w->a, TN_STR("_delta_log/"), h->v2_name), text, err);
}

static void take_back(const writing *w)
{
    for (size_t i = w->keys.n; i-- > 0;) { /* the file that names the others first */
        tn_err why = TN_ERR_INIT;
        if (tn_store_remove(w->t->store, w->keys.v[i], &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "delta", "'" TN_STR_FMT "' is left of a failed checkpoint: %s",
                TN_STR_ARG(w->keys.v[i]), why.msg);
        }
    }
}

tn_rc tn_delta_checkpoint(tn_delta_table *t, tn_conn *conn, const tn_delta_snapshot *s, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta checkpoint", NULL);
    writing w = { .t = t, .conn = conn, .a = a, .s = s };
    TN_TRY(tn_file_temp_dir(a, "tarn-checkpoint", &w.dir, err));
    w.v2 = tn_delta_has_feature(&s->protocol, "v2Checkpoint") &&
           tn_delta_property_is(&s->meta, "delta.checkpointPolicy", "v2");
    w.small = tn_buf_init(a, TN_DELTA_COMMIT_BYTES_MAX);
    w.lines = tn_buf_init(a, TN_DELTA_CHECKPOINT_BYTES_MAX);
    w.file.path = tn_str_concat(a, w.dir, TN_STR("/actions.json"));
    w.hint.version = s->version;
    w.hint.adds = (int64_t)s->files.n;
    add_small(&w);
    tn_rc rc = w.v2 ? write_v2(&w, err) : write_classic(&w, err);
    if (rc != TN_OK) {
        if (w.v2) { /* a classic one's name may be that of another writer's good one */
            take_back(&w);
        }
        return rc;
    }
    return tn_delta_hint_put(t, &w.hint, err);
}

void tn_delta_after_commit(
    tn_delta_table *t, tn_conn *conn, int64_t version, const tn_delta_meta *meta)
{
    int64_t interval = INTERVAL_DEFAULT;
    if (!tn_str_to_i64(tn_delta_property(meta, "delta.checkpointInterval"), &interval) ||
        interval < 1) {
        interval = INTERVAL_DEFAULT;
    }
    if (version == 0 || version % interval != 0) {
        return;
    }
    tn_err why = TN_ERR_INIT;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    s = tn_delta_recent_version(t, version);
    tn_rc rc = s != NULL ? TN_OK : tn_delta_snapshot_open(t, conn, version, &s, &why);
    rc = rc == TN_OK ? tn_delta_checkpoint(t, conn, s, &why) : rc;
    if (rc != TN_OK) {
        tn_log(
            TN_LOG_WARN, "delta", "no checkpoint of version %lld: %s", (long long)version, why.msg);
    }
}
