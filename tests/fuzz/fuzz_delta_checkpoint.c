// layers: base os text store duck delta
/* fuzz_delta_checkpoint.c: damaged checkpoints of each kind, in tables that can do without them and in one that cannot.
 *
 * A small log is written once, its checkpoint of version 4 is made in every shape that there is, and each input damages it and opens the table:
 *
 *     byte 0   which file is damaged: classic, first part of two, sidecar, v2 as Parquet, v2 as JSON, or (lines) a classic one is made of JSON
 *     byte 1   what else the log has: all commits; a good checkpoint of version 2; nothing
 *     rest     4 bytes a change: kind, place (2 bytes), value; for `lines` the JSON itself: DuckDB gives the columns their types, seldom the right ones
 *
 * A table whose log is whole without the checkpoint must open; when the checkpoint was passed over it must hold what it held. A table that needs it may
 * be refused, with a reason. */
#include "fuzz.h"

#include "delta/action/delta_stats.h"
#include "delta/log/delta_checkpoint.h"
#include "delta/log/delta_replay.h"
#include "os/file.h"

enum { CLASSIC, PARTS, SIDECAR, V2_PARQUET, V2_JSON, SHAPES, LINES = SHAPES, KINDS };
enum { WHOLE, OLDER, ALONE, LOGS };
enum { BYTES_MAX = 1 << 20 };

typedef struct table {
    tn_str dir, victim; /* the file that is damaged */
    tn_str bytes;       /* as it was */
} table;

static struct {
    tn_arena *arena;
    tn_str dir;
    tn_duck *duck;
    tn_conn *conn;
    table tables[KINDS][LOGS];
} world;

static const char PROTOCOL[] =
    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":["
    "\"deletionVectors\",\"v2Checkpoint\",\"timestampNtz\"],\"writerFeatures\":["
    "\"deletionVectors\","
    "\"v2Checkpoint\",\"timestampNtz\",\"domainMetadata\",\"rowTracking\",\"appendOnly\","
    "\"invariants\"]}}\n"
    "{\"metaData\":{\"id\":\"5f7a6c2e-1b1a-4a0e-9d53-2b1d5c0f6e11\",\"format\":{\"provider\":"
    "\"parquet\",\"options\":{}},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{"
    "\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},{"
    "\\\"name\\\":\\\"s\\\",\\\"type\\\":{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{"
    "\\\"name\\\":"
    "\\\"t\\\",\\\"type\\\":\\\"timestamp\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]},"
    "\\\"nullable\\\":true,\\\"metadata\\\":{}},{\\\"name\\\":\\\"p\\\",\\\"type\\\":"
    "\\\"string\\\","
    "\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\",\"partitionColumns\":[\"p\"],\"configuration\":"
    "{"
    "\"delta.checkpointPolicy\":\"%s\",\"delta.checkpoint.writeStatsAsStruct\":\"true\","
    "\"delta.checkpoint.writeStatsAsJson\":\"%s\"},\"createdTime\":1700000000000}}\n";

static void put(tn_str dir, const char *name, tn_str text)
{
    tn_err err = TN_ERR_INIT;
    must(tn_file_write(
             tn_str_printf(world.arena, TN_STR_FMT "/%s", TN_STR_ARG(dir), name), text, &err),
        &err);
}

/* Version n: two files come, with all that an add can have; one goes; a transaction and a domain. */
static tn_str commit(int n)
{
    return tn_str_printf(world.arena,
        "{\"commitInfo\":{\"timestamp\":%d,\"operation\":\"WRITE\"}}\n"
        "{\"add\":{\"path\":\"p=%%25%d/"
        "a%d.parquet\",\"partitionValues\":{\"p\":\"%%%d\"},\"size\":%d,"
        "\"modificationTime\":%d,\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":%d,"
        "\\\"minValues\\\":{\\\"a\\\":%d,\\\"s\\\":{\\\"t\\\":\\\"2024-01-01T00:00:00.123Z\\\"}},"
        "\\\"maxValues\\\":{\\\"a\\\":9007199254740993},\\\"nullCount\\\":{\\\"a\\\":0}}\","
        "\"tags\":{"
        "\"k\":\"v\"},\"baseRowId\":%d,\"defaultRowCommitVersion\":%d,\"clusteringProvider\":"
        "\"liquid\"}}\n"
        "{\"add\":{\"path\":\"b%d.parquet\",\"partitionValues\":{\"p\":null},\"size\":7,"
        "\"modificationTime\":5,\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":3}\","
        "\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"ab^-aqEH.-t@S}K{vb[*k^\","
        "\"offset\":4,\"sizeInBytes\":40,\"cardinality\":1}}}\n"
        "{\"remove\":{\"path\":\"gone%d.parquet\",\"deletionTimestamp\":4102444800000,"
        "\"dataChange\":"
        "true,\"extendedFileMetadata\":true,\"partitionValues\":{\"p\":\"x\"},\"size\":9}}\n"
        "{\"txn\":{\"appId\":\"app%d\",\"version\":%d,\"lastUpdated\":1700000000000}}\n"
        "{\"domainMetadata\":{\"domain\":\"d%d\",\"configuration\":\"{}\",\"removed\":false}}\n",
        n, n, n, n, 100 + n, n, n, -n, n * 10, n, n, n, n % 2, n, n);
}

/* A table of version 4 with a checkpoint of version 2 or none, and one of version 4. */
static void make_log(tn_str dir, bool v2, bool json_stats)
{
    tn_err err = TN_ERR_INIT;
    tn_str log = tn_str_concat(world.arena, dir, TN_STR("/_delta_log"));
    must(tn_dir_make(log, &err), &err);
    put(log, "00000000000000000000.json",
        tn_str_printf(world.arena, PROTOCOL, v2 ? "v2" : "classic", json_stats ? "true" : "false"));
    for (int i = 1; i <= 4; i++) {
        put(log, tn_arena_printf(world.arena, "%020d.json", i), commit(i));
    }
}

static void open_at(
    tn_str dir, int64_t version, tn_delta_table **ret_table, tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTOPTR(tn_store) store = NULL;
    must(tn_store_open(dir, NULL, &store, err), err);
    must(tn_delta_table_open(store, ret_table, err), err);
    must(tn_delta_snapshot_open(*ret_table, world.conn, version, ret, err), err);
}

static void make_checkpoint(tn_str dir, int64_t version)
{
    TN_AUTOPTR(tn_delta_table) t = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_err err = TN_ERR_INIT;
    open_at(dir, version, &t, &s, &err);
    must(tn_delta_checkpoint(t, world.conn, s, &err), &err);
}

static tn_str only(tn_str pattern)
{
    tn_err err = TN_ERR_INIT;
    tn_strs found = { 0 };
    must(tn_file_glob(world.arena, pattern, &found, &err), &err);
    TN_CHECK(found.n == 1);
    return found.v[0];
}

static tn_str at_log(tn_str dir, const char *name)
{
    return tn_str_printf(world.arena, TN_STR_FMT "/_delta_log/%s", TN_STR_ARG(dir), name);
}

/* COPY (select) TO a Parquet file */
static void copy(tn_str select, tn_str to)
{
    tn_err err = TN_ERR_INIT;
    must(
        tn_conn_exec(world.conn,
            tn_str_printf(world.arena, "COPY (" TN_STR_FMT ") TO '" TN_STR_FMT "' (FORMAT parquet)",
                TN_STR_ARG(select), TN_STR_ARG(to)),
            &err),
        &err);
}

static void copy_rows(tn_str from, const char *where, tn_str to)
{
    copy(tn_str_printf(
             world.arena, "SELECT * FROM '" TN_STR_FMT "' WHERE %s", TN_STR_ARG(from), where),
        to);
}

/* The top file of a v2 checkpoint, from JSON to Parquet. */
static void copy_top(tn_str from, tn_str to)
{
    copy(tn_str_printf(world.arena,
             "SELECT * FROM read_json('" TN_STR_FMT "', format='newline_delimited', columns={"
             "checkpointMetadata: 'STRUCT(version BIGINT)', protocol: 'STRUCT(minReaderVersion "
             "INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures "
             "VARCHAR[])', metaData: 'STRUCT(id VARCHAR, format STRUCT(provider VARCHAR), "
             "schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, "
             "VARCHAR), createdTime BIGINT)', txn: 'STRUCT(appId VARCHAR, version BIGINT, "
             "lastUpdated BIGINT)', domainMetadata: 'STRUCT(domain VARCHAR, configuration VARCHAR, "
             "removed BOOLEAN)', sidecar: 'STRUCT(path VARCHAR, sizeInBytes BIGINT, "
             "modificationTime BIGINT)'})",
             TN_STR_ARG(from)),
        to);
}

/* Puts the checkpoint into its shape and returns the file that is to be damaged. */
static tn_str shape(tn_str dir, int kind)
{
    tn_err err = TN_ERR_INIT;
    tn_str classic = at_log(dir, "00000000000000000004.checkpoint.parquet");
    if (kind == CLASSIC || kind == LINES) {
        return classic;
    }
    if (kind == PARTS) {
        tn_str part = at_log(dir, "00000000000000000004.checkpoint.0000000001.0000000002.parquet");
        copy_rows(classic, "\"add\" IS NULL", part);
        copy_rows(classic, "\"add\" IS NOT NULL",
            at_log(dir, "00000000000000000004.checkpoint.0000000002.0000000002.parquet"));
        must(tn_file_remove(classic, &err), &err);
        return part;
    }
    tn_str top = only(at_log(dir, "00000000000000000004.checkpoint.*.json"));
    if (kind == V2_PARQUET) {
        tn_str parquet = tn_str_concat(
            world.arena, tn_str_sub(top, 0, top.n - sizeof "json" + 1), TN_STR("parquet"));
        copy_top(top, parquet);
        must(tn_file_remove(top, &err), &err);
        return parquet;
    }
    return kind == SIDECAR ? only(at_log(dir, "_sidecars/00000000000000000004.*.parquet")) : top;
}

static table make(int kind, int log)
{
    bool v2 = kind == SIDECAR || kind == V2_PARQUET || kind == V2_JSON;
    tn_err err = TN_ERR_INIT;
    table t = { .dir = tn_str_printf(
                    world.arena, TN_STR_FMT "/%d-%d", TN_STR_ARG(world.dir), kind, log) };
    make_log(t.dir, v2, log != OLDER);
    if (log == OLDER) {
        make_checkpoint(t.dir, 2);
    }
    make_checkpoint(t.dir, 4);
    t.victim = shape(t.dir, kind);
    for (int i = 0; i <= (log == WHOLE ? -1 : log == OLDER ? 1 : 3); i++) {
        must(tn_file_remove(at_log(t.dir, tn_arena_printf(world.arena, "%020d.json", i)), &err),
            &err);
    }
    must(tn_file_read(world.arena, t.victim, BYTES_MAX, &t.bytes, &err), &err);
    return t;
}

static void end(void)
{
    tn_err err = TN_ERR_INIT;
    tn_conn_close(world.conn);
    tn_duck_close(world.duck);
    (void)!tn_file_remove_tree(world.dir, &err);
    tn_arena_free(world.arena);
}

static void connect_again(void)
{
    tn_err err = TN_ERR_INIT;
    tn_conn_close(world.conn);
    tn_duck_close(world.duck);
    world.conn = NULL;
    world.duck = NULL;
    tn_duck_opts opts = { .threads = 1, .memory_limit = TN_STR("512MB") };
    must(tn_duck_open(&opts, &world.duck, &err), &err);
    must(tn_duck_connect(world.duck, &world.conn, &err), &err);
    /* The same name again and again, within one tick of the file system's clock. */
    must(tn_conn_exec(world.conn, TN_STR("SET enable_external_file_cache = false"), &err), &err);
}

static void begin(void)
{
    tn_err err = TN_ERR_INIT;
    world.arena = tn_arena_new("fuzz world", NULL);
    must(tn_file_temp_dir(world.arena, "fuzz", &world.dir, &err), &err);
    connect_again();
    for (int kind = 0; kind < KINDS; kind++) {
        for (int log = 0; log < LOGS; log++) {
            world.tables[kind][log] = make(kind, log);
        }
    }
    atexit(end);
}

/* ---- damage ---- */

/* Places count from the front, from the end, or from where Parquet's footer begins. */
static size_t place(const tn_buf *b, unsigned kind, size_t at)
{
    if (kind % 4 == 0 || b->n < 8) {
        return at * 16 % b->n + at / 4096 % 16 % (b->n < 16 ? 1 : 16);
    }
    const uint8_t *p = (const uint8_t *)b->p + b->n - 8;
    size_t footer = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
    size_t from = footer + 8 <= b->n ? b->n - 8 - footer : 0;
    return kind % 4 == 1 ? b->n - 1 - at % b->n : from + at % (b->n - from);
}

static void change(tn_buf *b, const uint8_t *c)
{
    size_t at = tn_min_size(place(b, c[0], (size_t)c[1] | (size_t)c[2] << 8), b->n - 1);
    switch (c[0] / 4 % 8) {
    case 0:
    case 1:
        b->p[at] = (char)c[3];
        break;
    case 2:
    case 3:
        b->p[at] = (char)(b->p[at] ^ (1 << c[3] % 8));
        break;
    case 4:
        b->p[at] = (char)(b->p[at] + (int8_t)c[3]);
        break;
    case 5:
        memset(b->p + at, c[3] % 2 == 0 ? 0 : 0xff, tn_min_size(1 + c[3] / 8, b->n - at));
        break;
    case 6: { /* a stretch from elsewhere */
        size_t from = (size_t)c[3] * 131 % b->n;
        memmove(b->p + at, b->p + from, tn_min_size(1 + c[1] % 32, b->n - tn_max_size(at, from)));
        break;
    }
    default:
        tn_buf_truncate(b, c[3] % 4 == 0 ? at + 1 : b->n);
        break;
    }
}

/* false: DuckDB does not take it for JSON. */
static bool from_lines(tn_arena *a, const table *t, tn_str lines)
{
    tn_err err = TN_ERR_INIT;
    tn_str path = tn_str_concat(a, world.dir, TN_STR("/lines.json"));
    must(tn_file_write(path, lines, &err), &err);
    return tn_conn_exec(world.conn,
               tn_str_printf(a,
                   "COPY (SELECT * FROM read_json('" TN_STR_FMT
                   "', format='newline_delimited', maximum_depth=6)) TO '" TN_STR_FMT
                   "' (FORMAT parquet)",
                   TN_STR_ARG(path), TN_STR_ARG(t->victim)),
               &err) == TN_OK;
}

static void damage(tn_arena *a, const table *t, const uint8_t *data, size_t size)
{
    tn_err err = TN_ERR_INIT;
    tn_buf b = tn_buf_init(a, BYTES_MAX);
    tn_buf_add(&b, t->bytes);
    for (size_t i = 0; i + 4 <= size && i < 256 && b.n > 0; i += 4) {
        change(&b, data + i);
    }
    must(tn_file_write(t->victim, tn_buf_str(&b), &err), &err);
}

/* ---- what must hold ---- */

static void failed(const table *t, const char *what, const char *why)
{
    fprintf(stderr, "'" TN_STR_FMT "': %s: %s\n", TN_STR_ARG(t->victim), what, why);
    abort();
}

/* The state that the commits give. */
static void check_state(const table *t, const tn_delta_snapshot *s)
{
    size_t txns = s->txns.live;
    if (s->files.n != 8 || s->tombstones.n != 4 || txns != 2 || s->domains.live != 4 ||
        s->bytes != 4 * 100 + 1 + 2 + 3 + 4 + 4 * 7) {
        failed(t, "the checkpoint was passed over", "the table is another one");
    }
}

static void use(tn_arena *a, const tn_delta_snapshot *s)
{
    tn_str text;
    tn_err err = TN_ERR_INIT;
    tn_delta_scan_opts opts = { .where = TN_STR("a > 5 AND p = 'x'") };
    (void)!tn_delta_scan_sql(s, a, &opts, &text, &err);
    opts.conn = world.conn;
    (void)!tn_delta_scan_sql(s, a, &opts, &text, &err);
    tn_buf b = tn_buf_init(a, (size_t)1 << 24);
    for (size_t i = 0; i < s->files.n; i++) {
        tn_delta_print_add(&b, &s->files.v[i]);
        (void)tn_delta_stats_rows(&s->files.v[i]);
    }
}

static void check(tn_arena *a, const table *t, int log)
{
    TN_AUTOPTR(tn_store) store = NULL;
    TN_AUTOPTR(tn_delta_table) delta = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_err err = TN_ERR_INIT;
    must(tn_store_open(t->dir, NULL, &store, &err), &err);
    must(tn_delta_table_open(store, &delta, &err), &err);
    tn_rc rc = tn_delta_snapshot_open(delta, world.conn, TN_DELTA_LATEST, &s, &err);
    if (rc == TN_OK) {
        if (s->checkpoint_version != 4) {
            check_state(t, s);
        }
        use(a, s);
        return;
    }
    if (err.msg[0] == '\0' || rc == TN_E_BUG) {
        failed(t, "no reason", tn_rc_name(rc));
    }
    if (log != ALONE && rc != TN_E_UNSUPPORTED) {
        failed(t, "the log is whole without the checkpoint", err.msg);
    }
    tn_map named = tn_map_init(a);
    tn_str key = tn_str_sub(t->victim, t->dir.n + 1, t->victim.n);
    (void)!tn_delta_checkpoint_sidecars(delta, world.conn, key, &named, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (world.arena == NULL) {
        begin();
    }
    if (size < 2 || size > 1 << 16) {
        return 0;
    }
    int kind = data[0] % KINDS, log = data[1] % LOGS;
    const table *t = &world.tables[kind][log];
    TN_AUTO_ARENA a = tn_arena_new("fuzz", NULL);
    if (kind == LINES) {
        if (!from_lines(a, t, tn_str_n((const char *)data + 2, size - 2))) {
            return 0;
        }
    } else {
        damage(a, t, data + 2, size - 2);
    }
    check(a, t, log);
    tn_err err = TN_ERR_INIT;
    tn_val one;
    if (tn_conn_scalar(world.conn, a, TN_STR("SELECT 1"), &one, &err) != TN_OK) {
        fprintf(stderr, "DuckDB gave up: %s\n", err.msg);
        connect_again();
    }
    return 0;
}
