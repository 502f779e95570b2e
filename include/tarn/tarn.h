/* tarn.h: a lake from C: open it, run SQL over it, land Arrow data in it. Link with -ltarn.
 *
 *     tarn_lake *lake;
 *     tarn_error err;
 *     if (tarn_open("/mnt/lake", "prod", &lake, &err) != 0) { fprintf(stderr, "%s\n", err.message); ... }
 *     struct ArrowArrayStream rows;
 *     tarn_query(lake, "SELECT * FROM silver.prices", &rows, &err);
 *     ...
 *     tarn_close(lake);
 *
 * Every call returns 0 or the number of a result code (docs/manual/errors.md); on failure *err says what happened and what to do, and nothing else
 * is changed. err may be NULL. Strings are UTF-8 and NUL-terminated; those given are borrowed for the call. A lake handle belongs to one thread at a
 * time; several handles of one lake, in one process or many, work at the same time. Changes are Delta commits that are pinned in the environment and
 * published, exactly as `tarn sql` and `tarn land` do it.
 *
 * Data crosses as Arrow C streams (https://arrow.apache.org/docs/format/CStreamInterface.html). A stream that a call fills is released by its
 * receiver, before tarn_close; a stream that a call is given is released by the call, also when it fails.
 */
#ifndef TARN_TARN_H
#define TARN_TARN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TARN_API __attribute__((visibility("default")))
#else
#define TARN_API
#endif

typedef struct tarn_lake tarn_lake;
struct ArrowArrayStream;

typedef struct tarn_error {
    int code; /* 0: no failure */
    char message[4096];
    char hint[512];
} tarn_error;

TARN_API const char *tarn_version(void); /* "0.1.0" */

/* url: a folder or s3://bucket/prefix; made when it is absent. environment: which pins are read and changed; NULL: "prod". */
TARN_API int tarn_open(
    const char *url, const char *environment, tarn_lake **ret_lake, tarn_error *err);
TARN_API void tarn_close(tarn_lake *lake); /* NULL is fine */

/* One statement whose rows are wanted. Rows come chunk by chunk; they end with the next statement on this lake. */
TARN_API int tarn_query(
    tarn_lake *lake, const char *sql, struct ArrowArrayStream *ret_stream, tarn_error *err);
/* One or more statements, separated by semicolons: INSERT, UPDATE, DELETE, MERGE, CREATE TABLE AS, OPTIMIZE, ... Rows are dropped. */
TARN_API int tarn_execute(tarn_lake *lake, const char *sql, tarn_error *err);

/* Writes the rows of an Arrow stream into table "schema.name". mode: "append", "overwrite" (the table's schema becomes the stream's) or "create" (fails
 * when the table is there). ret_rows may be NULL. */
TARN_API int tarn_land(tarn_lake *lake, const char *table, const char *mode,
    struct ArrowArrayStream *stream, int64_t *ret_rows, tarn_error *err);

#ifdef __cplusplus
}
#endif

#endif
