/* delta_checkpoint_read.c: checkpoints of all kinds ("Checkpoints", "V2 Spec", "Sidecar Files") into a replay.
 *
 * Statistics that a checkpoint has as structs alone are read as text, leaf by leaf, and printed as a commit has them: a file that is added again
 * takes them along into the log.
 *
 * Parquet is read by DuckDB. read_parquet's `schema` names exactly the fields that are wanted: those that a file does
 * not have come as NULL and those that nobody asked for are not decoded, so one query serves every writer's
 * layout. Rows of files are streamed cell by cell; the few other actions come as JSON and go through the parser of commits.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/log/delta_checkpoint.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_replay.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/uri.h"

#define DV_TYPE                                                                                    \
    "STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, \"offset\" INTEGER, sizeInBytes "         \
    "INTEGER, cardinality BIGINT)"
#define STRING_MAP "MAP(VARCHAR, VARCHAR)"

static const struct {
    const char *name;
    const char *type;
} SMALL[] = {
    { "protocol", "STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures "
                  "VARCHAR[], writerFeatures VARCHAR[])" },
    { "metaData", "STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider "
                  "VARCHAR), schemaString VARCHAR, "
                  "partitionColumns VARCHAR[], configuration " STRING_MAP ", createdTime BIGINT)" },
    { "txn", "STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)" },
    { "domainMetadata", "STRUCT(domain VARCHAR, configuration VARCHAR, removed BOOLEAN)" },
    { "sidecar", "STRUCT(path VARCHAR)" },
};

#define ADD_TYPE                                                                                   \
    "STRUCT(path VARCHAR, partitionValues " STRING_MAP                                             \
    ", size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, "                                 \
    "stats VARCHAR, tags " STRING_MAP ", deletionVector " DV_TYPE                                  \
    ", baseRowId BIGINT, defaultRowCommitVersion BIGINT, "                                         \
    "clusteringProvider VARCHAR)"
#define REMOVE_TYPE                                                                                \
    "STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata "     \
    "BOOLEAN, "                                                                                    \
    "partitionValues " STRING_MAP ", size BIGINT, deletionVector " DV_TYPE ")"

/* read_parquet([files], schema=MAP{'name': {name: 'name', type: '...', default_value: NULL}, ...}) */
static void add_scan(
    tn_buf *b, const tn_strs *files, const char *const *names, const char *const *types, size_t n)
{
    tn_buf_addz(b, "read_parquet([");
    for (size_t i = 0; i < files->n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_delta_sql_location(b, files->v[i]);
    }
    tn_buf_addz(b, "], schema=MAP{");
    for (size_t i = 0; i < n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_sql_literal(b, tn_str_of(names[i]));
        tn_buf_addz(b, ": {name: ");
        tn_sql_literal(b, tn_str_of(names[i]));
        tn_buf_addz(b, ", type: ");
        tn_sql_literal(b, tn_str_of(types[i]));
        tn_buf_addz(b, ", default_value: NULL}");
    }
    tn_buf_addz(b, "})");
}

/* ---- small actions ---- */

static tn_rc read_small(
    tn_conn *conn, const tn_strs *files, tn_delta_replay *r, tn_delta_actions *acts, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta checkpoint", NULL);
    const char *names[TN_COUNTOF(SMALL)];
    const char *types[TN_COUNTOF(SMALL)];
    tn_buf b = tn_buf_init(scratch, TN_DELTA_SQL_BYTES_MAX);
    tn_buf where = tn_buf_init(scratch, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT to_json({");
    for (size_t i = 0; i < TN_COUNTOF(SMALL); i++) {
        names[i] = SMALL[i].name;
        types[i] = SMALL[i].type;
        tn_buf_addf(&b, "%s'%s': \"%s\"", i > 0 ? ", " : "", names[i], names[i]);
        tn_buf_addf(&where, "%s\"%s\" IS NOT NULL", i > 0 ? " OR " : "", names[i]);
    }
    tn_buf_addz(&b, "})::VARCHAR FROM ");
    add_scan(&b, files, names, types, TN_COUNTOF(SMALL));
    tn_buf_addz(&b, " WHERE ");
    tn_buf_add(&b, tn_buf_str(&where));
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the checkpoint's query", &sql, err));
    TN_AUTOPTR(tn_result) res = NULL;
    TN_TRY(tn_conn_stream(conn, sql, &res, err));
    size_t n = 0;
    do {
        TN_TRY(tn_result_next(res, &n, err));
        for (size_t i = 0; i < n; i++) {
            tn_str line;
            if (tn_result_text(res, scratch, 0, i, &line)) {
                TN_TRY(tn_delta_actions_parse(r->arena, line, "checkpoint", acts, err));
            }
        }
    } while (n > 0);
    return TN_OK;
}

/* ---- rows of files ---- */

typedef struct rows {
    tn_result *res;
    tn_arena *arena; /* the snapshot's */
    size_t row;
    tn_val no_partitions;
    const tn_delta_meta *meta; /* of the checkpoint */
    tn_delta_mapping mapping;
} rows;

static tn_str cell_str(const rows *s, size_t col)
{
    return tn_val_as_str(tn_result_cell(s->res, s->arena, col, s->row));
}

static int64_t cell_int(const rows *s, size_t col, int64_t dflt)
{
    tn_val v = tn_result_cell(s->res, s->arena, col, s->row);
    return v.tag == TN_INT ? v.i : dflt;
}

static bool cell_bool(const rows *s, size_t col, bool dflt)
{
    tn_val v = tn_result_cell(s->res, s->arena, col, s->row);
    return v.tag == TN_BOOL ? v.i != 0 : dflt;
}

static tn_val cell_dict(const rows *s, size_t col, tn_val dflt)
{
    tn_val v = tn_result_cell(s->res, s->arena, col, s->row);
    return v.tag == TN_DICT && v.dict->live > 0 ? v : dflt;
}

/* Five columns from `col` on. */
static tn_rc cell_dv(const rows *s, size_t col, tn_delta_dv *ret, tn_err *err)
{
    tn_str storage = cell_str(s, col);
    if (storage.n == 0) {
        *ret = (tn_delta_dv){ .offset = -1 };
        return TN_OK;
    }
    if (storage.n != 1 || strchr("uip", storage.p[0]) == NULL) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "a deletion vector has the storage type '" TN_STR_FMT "'", TN_STR_ARG(storage));
    }
    *ret = (tn_delta_dv){ .storage = storage.p[0],
        .path_or_inline = cell_str(s, col + 1),
        .offset = (int32_t)cell_int(s, col + 2, -1),
        .size_bytes = cell_int(s, col + 3, 0),
        .cardinality = cell_int(s, col + 4, -1) };
    return TN_OK;
}

#define DV_COLUMNS                                                                                 \
    "f.deletionVector.storageType, f.deletionVector.pathOrInlineDv, f.deletionVector.\"offset\", " \
    "f.deletionVector.sizeInBytes, f.deletionVector.cardinality"

enum { ADD_PARSED = 15 };

/* The struct form of the statistics, where the query has it. */
static tn_str parsed_stats(const rows *s)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta stats", NULL);
    tn_val texts;
    tn_err ignored = TN_ERR_INIT;
    tn_str json = tn_val_as_str(tn_result_cell(s->res, scratch, ADD_PARSED, s->row));
    if (json.n == 0 || tn_json_parse(scratch, json, &texts, &ignored) != TN_OK) {
        return TN_STR_NONE; /* statistics are a hint */
    }
    return tn_delta_stats_of_texts(s->arena, s->meta, s->mapping, texts);
}

static tn_rc take_add(const rows *s, tn_delta_replay *r, tn_err *err)
{
    tn_delta_file f = {
        .path = cell_str(s, 0),
        .partition_values = cell_dict(s, 1, s->no_partitions),
        .size = cell_int(s, 2, 0),
        .mtime_ms = cell_int(s, 3, 0),
        .data_change = cell_bool(s, 4, false),
        .stats = cell_str(s, 5),
        .tags = cell_dict(s, 6, TN_VAL_UNDEF),
        .base_row_id = cell_int(s, 7, TN_DELTA_ABSENT),
        .default_row_commit_version = cell_int(s, 8, TN_DELTA_ABSENT),
        .clustering_provider = cell_str(s, 9),
    };
    TN_TRY(cell_dv(s, 10, &f.dv, err));
    f.stats = f.stats.n > 0 ? f.stats : parsed_stats(s);
    return tn_delta_replay_add(r, &f, err);
}

static tn_rc take_remove(const rows *s, tn_delta_replay *r, tn_err *err)
{
    tn_delta_remove f = {
        .path = cell_str(s, 0),
        .deleted_ms = cell_int(s, 1, 0),
        .data_change = cell_bool(s, 2, false),
        .extended = cell_bool(s, 3, false),
        .partition_values = cell_dict(s, 4, TN_VAL_UNDEF),
        .size = cell_int(s, 5, -1),
    };
    TN_TRY(cell_dv(s, 6, &f.dv, err));
    return tn_delta_replay_remove(r, &f, err);
}

typedef tn_rc (*take_fn)(const rows *s, tn_delta_replay *r, tn_err *err);

static tn_rc stream_rows(tn_conn *conn, tn_str sql, tn_delta_replay *r, take_fn take, tn_err *err)
{
    TN_AUTOPTR(tn_result) res = NULL;
    TN_TRY(tn_conn_stream(conn, sql, &res, err));
    rows s = { .res = res,
        .arena = r->arena,
        .no_partitions = tn_val_dict(r->arena),
        .meta = &r->meta,
        .mapping = tn_delta_mapping_of(&r->protocol, &r->meta) };
    size_t n = 0;
    do {
        TN_TRY(tn_result_next(res, &n, err));
        for (s.row = 0; s.row < n; s.row++) {
            TN_TRY(take(&s, r, err));
        }
    } while (n > 0);
    return TN_OK;
}

/* The struct form of the statistics ("stats_parsed") is wanted only where a file has no JSON ones. */
static bool has_parsed_stats(tn_conn *conn, tn_arena *a, tn_str file)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT \"add\".stats_parsed AS s FROM read_parquet([");
    tn_delta_sql_location(&b, file);
    tn_buf_addz(&b, "])");
    tn_val columns;
    tn_err ignored = TN_ERR_INIT; /* no such field */
    return tn_conn_describe(conn, a, tn_buf_str(&b), &columns, &ignored) == TN_OK &&
           columns.list->n == 1;
}

static tn_rc any_without_stats(
    tn_conn *conn, tn_arena *a, const tn_strs *files, bool *ret, tn_err *err)
{
    static const char *const names[] = { "add" };
    static const char *const types[] = { "STRUCT(path VARCHAR, stats VARCHAR)" };
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT 1 FROM (SELECT \"add\" AS f FROM ");
    add_scan(&b, files, names, types, 1);
    tn_buf_addz(&b, ") WHERE f.path IS NOT NULL AND f.stats IS NULL LIMIT 1");
    tn_val v;
    TN_TRY(tn_conn_scalar(conn, a, tn_buf_str(&b), &v, err));
    *ret = v.tag == TN_INT;
    return TN_OK;
}

static tn_rc read_adds(tn_conn *conn, const tn_strs *files, tn_delta_replay *r, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta checkpoint adds", NULL);
    bool missing = false;
    if (r->meta.schema != NULL && has_parsed_stats(conn, a, files->v[0])) {
        TN_TRY(any_without_stats(conn, a, files, &missing, err));
    }
    tn_buf type = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&type, ADD_TYPE);
    if (missing) {
        tn_buf_truncate(&type, type.n - 1);
        tn_buf_addz(&type, ", stats_parsed ");
        tn_delta_checkpoint_stats_type(
            &type, &r->meta, tn_delta_mapping_of(&r->protocol, &r->meta));
        tn_buf_addc(&type, ')');
    }
    const char *names[] = { "add" };
    const char *types[] = { tn_str_z(a, tn_buf_str(&type)) };
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b,
        "SELECT f.path, f.partitionValues, f.size, f.modificationTime, f.dataChange, f.stats, "
        "f.tags, "
        "f.baseRowId, "
        "f.defaultRowCommitVersion, f.clusteringProvider, " DV_COLUMNS
        ", %s FROM (SELECT \"add\" AS f FROM ",
        missing ? "CASE WHEN f.stats IS NULL THEN to_json(f.stats_parsed)::VARCHAR END" : "NULL");
    add_scan(&b, files, names, types, 1);
    tn_buf_addz(&b, ") WHERE f.path IS NOT NULL");
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the checkpoint's query", &sql, err));
    return stream_rows(conn, sql, r, take_add, err);
}

static tn_rc read_removes(tn_conn *conn, const tn_strs *files, tn_delta_replay *r, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta checkpoint removes", NULL);
    static const char *const names[] = { "remove" };
    static const char *const types[] = { REMOVE_TYPE };
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT f.path, f.deletionTimestamp, f.dataChange, f.extendedFileMetadata, "
                    "f.partitionValues, f.size, " DV_COLUMNS " FROM (SELECT \"remove\" AS f FROM ");
    add_scan(&b, files, names, types, 1);
    tn_buf_addz(&b, ") WHERE f.path IS NOT NULL");
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the checkpoint's query", &sql, err));
    return stream_rows(conn, sql, r, take_remove, err);
}

/* ---- the whole ---- */

static tn_rc read_files(tn_conn *conn, const tn_strs *files, tn_delta_replay *r, tn_err *err)
{
    TN_TRY(read_adds(conn, files, r, err));
    return read_removes(conn, files, r, err);
}

/* A sidecar is named by a file name in _delta_log/_sidecars or by an absolute URL. */
static tn_rc locate_sidecars(
    tn_delta_table *t, tn_arena *a, const tn_strs *sidecars, tn_strs *ret, tn_err *err)
{
    for (size_t i = 0; i < sidecars->n; i++) {
        tn_str decoded;
        TN_TRY(tn_delta_path_decode(a, sidecars->v[i], &decoded, err));
        bool absolute = tn_delta_path_is_absolute(decoded);
        tn_str key = tn_str_concat(a, TN_STR("_delta_log/_sidecars/"), decoded);
        tn_vec_push(ret, a, absolute ? decoded : tn_store_locate(t->store, a, key));
    }
    return TN_OK;
}

tn_rc tn_delta_checkpoint_read(
    tn_delta_table *t, tn_conn *conn, const tn_delta_segment *seg, tn_delta_replay *r, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta checkpoint", NULL);
    tn_delta_actions acts = tn_delta_actions_empty();
    tn_strs files = { 0 };
    if (seg->checkpoint_is_json) {
        tn_str text;
        TN_TRY(tn_store_get_kept(
            t->store, a, &seg->checkpoint.v[0], TN_DELTA_CHECKPOINT_BYTES_MAX, &text, err));
        TN_TRY(tn_delta_actions_parse(
            r->arena, text, tn_str_z(a, seg->checkpoint.v[0].key), &acts, err));
    } else {
        for (size_t i = 0; i < seg->checkpoint.n; i++) {
            tn_str at;
            TN_TRY(tn_store_keep(t->store, a, &seg->checkpoint.v[i], &at, err));
            tn_vec_push(&files, a, at);
        }
        TN_TRY(read_small(conn, &files, r, &acts, err));
    }
    TN_TRY(tn_delta_replay_apply(r, &acts, err)); /* files are read by the schema */
    if (files.n > 0) {
        TN_TRY(read_files(conn, &files, r, err));
    }
    if (acts.sidecars.n == 0) {
        return TN_OK;
    }
    tn_strs sidecars = { 0 };
    TN_TRY(locate_sidecars(t, a, &acts.sidecars, &sidecars, err));
    return read_files(conn, &sidecars, r, err);
}

tn_rc tn_delta_checkpoint_sidecars(
    tn_delta_table *t, tn_conn *conn, tn_str key, tn_map *named, tn_err *err)
{
    tn_arena *a = named->arena;
    tn_delta_actions acts = tn_delta_actions_empty();
    tn_delta_replay r = tn_delta_replay_init(a);
    tn_str text;
    if (tn_str_ends(key, TN_STR(".json"))) {
        TN_TRY(tn_store_get(t->store, a, key, TN_DELTA_CHECKPOINT_BYTES_MAX, &text, err));
        TN_TRY(tn_delta_actions_parse(a, text, tn_str_z(a, key), &acts, err));
    } else {
        tn_strs files = { 0 };
        tn_vec_push(&files, a, tn_store_locate(t->store, a, key));
        TN_TRY(read_small(conn, &files, &r, &acts, err));
    }
    for (size_t i = 0; i < acts.sidecars.n; i++) {
        TN_TRY(tn_delta_path_decode(a, acts.sidecars.v[i], &text, err));
        tn_map_put(named, tn_path_base(text), named);
    }
    return TN_OK;
}
