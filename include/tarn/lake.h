/* lake.h: a lake: many tables under one root, seen together. Open it, run SQL over it, land Arrow data in it.
 *
 *     tarn_lake *lake;
 *     if (tarn_open("/mnt/lake", "prod", &lake, &err) != 0) { fprintf(stderr, "%s\n", err.message); ... }
 *     struct ArrowArrayStream rows;
 *     tarn_query(lake, "SELECT * FROM silver.prices", &rows, &err);
 *     ...
 *     tarn_close(lake);
 *
 * A lake handle belongs to one thread at a time (tarn_interrupt excepted); several handles of one lake, in one process or many, work at the same
 * time. Changes are Delta commits that are pinned in the environment and published, exactly as `tarn sql` and `tarn land` do it. A single table is reached by
 * its place too: SELECT .. FROM delta."/data/prices", MERGE INTO delta."s3://..". Streams
 * may be released after tarn_close, which then takes effect.
 */
#ifndef TARN_LAKE_H
#define TARN_LAKE_H

#include <tarn/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tarn_lake tarn_lake;

/* url: a folder or s3://bucket/prefix; made when it is absent. NULL: no lake, SQL over places only. environment: which pins are read and changed; NULL: "prod". */
TARN_API int tarn_open(
    const char *url, const char *environment, tarn_lake **ret_lake, tarn_error *err);
/* The same with storage options, memory and threads. A lake has a DuckDB of its own. */
TARN_API int tarn_open_with(const char *url, const char *environment,
    const tarn_engine_options *options, tarn_lake **ret_lake, tarn_error *err);
TARN_API void tarn_close(tarn_lake *lake); /* NULL is fine */
/* From any thread, as tarn_table_interrupt. */
TARN_API void tarn_interrupt(tarn_lake *lake);

/* One statement whose rows are wanted. Rows come chunk by chunk; they end with the next statement on this lake. */
TARN_API int tarn_query(
    tarn_lake *lake, const char *sql, struct ArrowArrayStream *ret_stream, tarn_error *err);
/* One or more statements, separated by semicolons: INSERT, UPDATE, DELETE, MERGE, CREATE TABLE AS, OPTIMIZE, ... Rows are dropped. */
TARN_API int tarn_execute(tarn_lake *lake, const char *sql, tarn_error *err);
/* One statement, whichever it is: *ret_stream gets its rows (release NULL: it has none), *ret_note the line that people are told
 * ("created silver.x: 10 rows, version 0"; NULL: none). ret_note may be NULL. Unlike tarn_query's the rows are kept: later statements do not end them. */
TARN_API int tarn_run(tarn_lake *lake, const char *sql, struct ArrowArrayStream *ret_stream,
    char **ret_note, tarn_error *err);

/* Writes the rows of an Arrow stream into table "schema.name". mode: "append", "overwrite" (the table's schema becomes the stream's) or "create" (fails
 * when the table is there). ret_rows may be NULL. */
TARN_API int tarn_land(tarn_lake *lake, const char *table, const char *mode,
    struct ArrowArrayStream *stream, int64_t *ret_rows, tarn_error *err);
/* The rows of an Arrow stream as a temporary table of this handle, for MERGE and INSERT; one of that name is replaced. stream NULL: it is dropped. */
TARN_API int tarn_bind(
    tarn_lake *lake, const char *name, struct ArrowArrayStream *stream, tarn_error *err);

#ifdef __cplusplus
}
#endif

#endif
