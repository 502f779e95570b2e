/* table.h: one Delta table, anywhere: open it, look at it, read it. Changing it: tarn/change.h; looking after it: tarn/care.h.
 *
 *     tarn_engine *engine;
 *     tarn_table *table;
 *     if (tarn_engine_open(NULL, &engine, &err) != 0) { ... }
 *     if (tarn_table_open(engine, "/data/prices", NULL, 0, &table, &err) != 0) { ... err.message, err.hint ... }
 *     struct ArrowArrayStream rows;
 *     tarn_scan_options scan = TARN_SCAN_INIT;
 *     scan.where = "day >= DATE '2024-01-01'";
 *     tarn_table_scan(table, &scan, &rows, &err);
 *
 * An engine is one DuckDB with its threads and memory, and the storage options of the buckets that are reached through it. Threads may share it: each
 * opens tables of its own. A table handle belongs to one thread at a time (tarn_table_interrupt excepted), and holds one state of the table: the one that it was
 * opened or loaded at, or that its own last change made. Handles may be closed in any order; streams stay good after
 * their table and engine are closed, each on a connection of its own, and may be read in another thread.
 * After fork() a child may not use what its parent has opened.
 */
#ifndef TARN_TABLE_H
#define TARN_TABLE_H

#include <tarn/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tarn_engine tarn_engine;
typedef struct tarn_table tarn_table;

typedef struct tarn_engine_options {
    size_t size;
    /* Of buckets: the names of deltalake's storage options, AWS_* and tarn's own (docs/manual/buckets.md), in any case. What is not given comes
     * from the environment and the shared AWS files. Ignored for local paths. */
    const tarn_pair *storage;
    size_t storage_n;
    const char *memory_limit; /* "4GB" */
    const char *
        temp_directory; /* where what does not fit is spilled; NULL: a folder of its own in TMPDIR */
    int threads;
} tarn_engine_options;
#define TARN_ENGINE_INIT TARN_INIT(tarn_engine_options)

/* options may be NULL. */
TARN_API int tarn_engine_open(
    const tarn_engine_options *options, tarn_engine **ret_engine, tarn_error *err);
TARN_API void tarn_engine_close(tarn_engine *engine); /* NULL is fine */

#define TARN_OPEN_ABSENT 1 /* the table may be absent: a write makes it */

/* url: a path, file:// or s3://bucket/prefix. at: NULL for the newest version. flags: 0 or TARN_OPEN_ABSENT. */
TARN_API int tarn_table_open(tarn_engine *engine, const char *url, const tarn_at *at, int flags,
    tarn_table **ret_table, tarn_error *err);
TARN_API void tarn_table_close(tarn_table *table); /* NULL is fine */
/* From any thread: the statement that runs on this handle ends with TARN_CANCELLED. A call is several statements: repeat this until the call
 * has returned. What was not committed is not there. */
TARN_API void tarn_table_interrupt(tarn_table *table);

/* Moves the handle to another state; NULL: the newest. */
TARN_API int tarn_table_load(tarn_table *table, const tarn_at *at, tarn_error *err);
/* Of the handle's state; -1: there is no table. */
TARN_API int64_t tarn_table_version(const tarn_table *table);

/* A JSON object: location, version, timestamp (ms), id, name, description, created (ms), partition_columns, configuration, schema (as in the Delta log),
 * protocol {minReaderVersion, minWriterVersion, readerFeatures, writerFeatures}, files, bytes, rows (null: not known without reading). */
TARN_API int tarn_table_describe(tarn_table *table, char **ret_json, tarn_error *err);
/* A JSON array of the data files: path (as in the log), location (as it is opened), size, modified (ms), partition_values {physical name: text or null},
 * stats (object or null), deletion_vector (object or null). */
TARN_API int tarn_table_files(tarn_table *table, char **ret_json, tarn_error *err);
/* A JSON array of commits, newest first: version, timestamp (ms), operation, operationParameters, operationMetrics, ...; limit 0: all. */
TARN_API int tarn_table_history(tarn_table *table, size_t limit, char **ret_json, tarn_error *err);
/* The version of the newest write under an application's name (options app_id, app_version of a change); -1: none. */
TARN_API int tarn_table_app_version(
    tarn_table *table, const char *app_id, int64_t *ret_version, tarn_error *err);

typedef struct tarn_scan_options {
    size_t size;
    const char *const *columns; /* NULL: all */
    size_t columns_n;
    const char *where; /* an SQL predicate; files that it rules out are not opened */
    int64_t limit;     /* rows; 0: all */
} tarn_scan_options;
#define TARN_SCAN_INIT TARN_INIT(tarn_scan_options)

/* options may be NULL. Rows come in no promised order. */
TARN_API int tarn_table_scan(tarn_table *table, const tarn_scan_options *options,
    struct ArrowArrayStream *ret_stream, tarn_error *err);
/* One SELECT in DuckDB's SQL that sees the handle's state of the table under the name `name`. */
TARN_API int tarn_table_query(tarn_table *table, const char *name, const char *sql,
    struct ArrowArrayStream *ret_stream, tarn_error *err);

/* The change data feed from one state to another, both included: the rows with _change_type, _commit_version and _commit_timestamp.
 * from NULL: version 0; to NULL: the newest. */
TARN_API int tarn_table_changes(tarn_table *table, const tarn_at *from, const tarn_at *to,
    struct ArrowArrayStream *ret_stream, tarn_error *err);

#ifdef __cplusplus
}
#endif

#endif
