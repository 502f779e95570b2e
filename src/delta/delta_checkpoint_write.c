/* delta_checkpoint_write.c: a classic checkpoint of a snapshot, and _last_checkpoint ("Checkpoints", "Last Checkpoint File").
 *
 * The actions go as JSON lines into a local temp file, DuckDB turns them into Parquet with the columns of the protocol's checkpoint
 * schema, and the object is put whole. Live files, unexpired tombstones, txns, domains, protocol and metaData are in it. A
 * checkpoint repeats what the log says, so a failure here never fails a write.
 */
#include "base/log.h"
#include "delta/delta_impl.h"
#include "os/clock.h"
#include "os/file.h"
#include "text/json.h"
#include "text/sqltext.h"

#define WEEK_MS ((int64_t)7 * 24 * 3600 * 1000)
#define FLUSH_BYTES ((size_t)4 << 20)
enum { INTERVAL_DEFAULT = 10 };

#define MAP_TYPE "MAP(VARCHAR, VARCHAR)"
#define DV_TYPE                                                                                    \
    "STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, \"offset\" INTEGER, sizeInBytes "         \
    "INTEGER, cardinality BIGINT)"

static const struct {
    const char *name;
    const char *type;
} COLUMNS[] = {
    { "txn", "STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)" },
    { "add", "STRUCT(path VARCHAR, partitionValues " MAP_TYPE
             ", size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, "
             "tags " MAP_TYPE ", deletionVector " DV_TYPE
             ", baseRowId BIGINT, defaultRowCommitVersion BIGINT, clusteringProvider VARCHAR)" },
    { "remove",
        "STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata "
        "BOOLEAN, partitionValues " MAP_TYPE ", size BIGINT, deletionVector " DV_TYPE ")" },
    { "metaData", "STRUCT(id VARCHAR, \"name\" VARCHAR, description VARCHAR, format "
                  "STRUCT(provider VARCHAR, \"options\" " MAP_TYPE
                  "), schemaString VARCHAR, partitionColumns VARCHAR[], configuration " MAP_TYPE
                  ", createdTime BIGINT)" },
    { "protocol", "STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures "
                  "VARCHAR[], writerFeatures VARCHAR[])" },
    { "domainMetadata", "STRUCT(\"domain\" VARCHAR, configuration VARCHAR, removed BOOLEAN)" },
};

typedef struct lines {
    tn_buf b;
    tn_str path;
    int64_t actions;
} lines;

static tn_rc flush(lines *l, bool force, tn_err *err)
{
    if (l->b.n < FLUSH_BYTES && !force) {
        return TN_OK;
    }
    tn_str text;
    TN_TRY(tn_buf_finish(&l->b, "a checkpoint", &text, err));
    TN_TRY(tn_file_append(l->path, text, err));
    tn_buf_reset(&l->b);
    return TN_OK;
}

static tn_rc add_files(lines *l, const tn_delta_snapshot *s, tn_err *err)
{
    for (size_t i = 0; i < s->files.n; i++) {
        tn_delta_file f = s->files.v[i];
        f.data_change = false;
        tn_delta_print_add(&l->b, &f);
        l->actions++;
        TN_TRY(flush(l, false, err));
    }
    int64_t oldest = tn_clock_now_ms() -
                     tn_delta_interval_ms(&s->meta, "delta.deletedFileRetentionDuration", WEEK_MS);
    for (size_t i = 0; i < s->tombstones.n; i++) {
        tn_delta_remove r = s->tombstones.v[i];
        if (r.deleted_ms > oldest) {
            r.data_change = false;
            tn_delta_print_remove(&l->b, &r);
            l->actions++;
            TN_TRY(flush(l, false, err));
        }
    }
    return TN_OK;
}

static tn_rc write_lines(lines *l, const tn_delta_snapshot *s, tn_err *err)
{
    tn_delta_print_protocol(&l->b, &s->protocol);
    tn_delta_print_meta(&l->b, &s->meta);
    l->actions = 2;
    for (size_t i = 0; i < s->txns.n; i++) {
        tn_delta_print_txn(&l->b, s->txns.items[i].value);
        l->actions++;
    }
    for (size_t i = 0; i < s->domains.n; i++) {
        const tn_delta_domain *d = s->domains.items[i].value;
        if (!d->removed) {
            tn_delta_print_domain(&l->b, d);
            l->actions++;
        }
    }
    TN_TRY(add_files(l, s, err));
    return flush(l, true, err);
}

static tn_rc to_parquet(tn_conn *conn, tn_arena *a, tn_str from, tn_str to, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "COPY (SELECT * FROM read_json(");
    tn_delta_sql_location(&b, from);
    tn_buf_addz(&b, ", format='newline_delimited', maximum_object_size=1073741824, columns={");
    for (size_t i = 0; i < TN_COUNTOF(COLUMNS); i++) {
        tn_buf_addf(&b, "%s'%s': ", i > 0 ? ", " : "", COLUMNS[i].name);
        tn_sql_literal(&b, tn_str_of(COLUMNS[i].type));
    }
    tn_buf_addz(&b, "})) TO ");
    tn_sql_literal(&b, to);
    tn_buf_addz(&b, " (FORMAT parquet, COMPRESSION snappy)");
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the checkpoint's COPY", &sql, err));
    return tn_conn_exec(conn, sql, err);
}

static tn_rc put_hint(tn_delta_table *t, tn_arena *a, const tn_delta_snapshot *s, int64_t actions,
    size_t bytes, tn_err *err)
{
    tn_str text = tn_str_printf(a,
        "{\"version\":%lld,\"size\":%lld,\"sizeInBytes\":%zu,\"numOfAddFiles\":%zu}",
        (long long)s->version, (long long)actions, bytes, s->files.n);
    return tn_store_put(
        t->store, TN_STR("_delta_log/_last_checkpoint"), text, TN_PUT_OVERWRITE, err);
}

/* The hint must not go back: a slower writer may come with an older checkpoint. */
static bool hint_is_newer(tn_delta_table *t, tn_arena *a, int64_t version)
{
    tn_str text;
    tn_val v;
    tn_err ignored = TN_ERR_INIT;
    return tn_store_get(t->store, a, TN_STR("_delta_log/_last_checkpoint"), TN_DELTA_HINT_BYTES_MAX,
               &text, &ignored) == TN_OK &&
           tn_json_parse(a, text, &v, &ignored) == TN_OK &&
           tn_val_int_at(v, "version", -1) > version;
}

tn_rc tn_delta_checkpoint(tn_delta_table *t, tn_conn *conn, const tn_delta_snapshot *s, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta checkpoint", NULL);
    tn_str dir;
    TN_TRY(tn_file_temp_dir(a, "tarn-checkpoint", &dir, err));
    lines l = { .b = tn_buf_init(a, TN_DELTA_CHECKPOINT_BYTES_MAX),
        .path = tn_str_concat(a, dir, TN_STR("/actions.json")) };
    TN_TRY(write_lines(&l, s, err));
    tn_str parquet = tn_str_concat(a, dir, TN_STR("/checkpoint.parquet"));
    TN_TRY(to_parquet(conn, a, l.path, parquet, err));
    tn_str bytes;
    TN_TRY(tn_file_read(a, parquet, TN_DELTA_CHECKPOINT_BYTES_MAX, &bytes, err));
    tn_str key = tn_str_printf(a, "_delta_log/%020lld.checkpoint.parquet", (long long)s->version);
    TN_TRY(tn_store_put(t->store, key, bytes, TN_PUT_OVERWRITE, err));
    return hint_is_newer(t, a, s->version) ? TN_OK : put_hint(t, a, s, l.actions, bytes.n, err);
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
    tn_rc rc = tn_delta_snapshot_open(t, conn, version, &s, &why);
    rc = rc == TN_OK ? tn_delta_checkpoint(t, conn, s, &why) : rc;
    if (rc != TN_OK) {
        tn_log(
            TN_LOG_WARN, "delta", "no checkpoint of version %lld: %s", (long long)version, why.msg);
    }
}
