/* types.h: what all of tarn's C API shares: result codes, errors, texts, key-value pairs. Include tarn/tarn.h, which has everything.
 *
 * Every call that can fail returns 0 or the number of a result code (enum tarn_code; docs/manual/errors.md). On failure *err says what happened
 * and what to do, and nothing else that the call would give is touched; err may be NULL. On success *err is untouched.
 * Strings are UTF-8 and end with a zero byte; those given are borrowed for the call. A text that a call gives (char **ret_json) is the caller's: tarn_text_free.
 * Structs of options begin with their size, so that a program and a newer library fit: fill them with TARN_..._INIT, then set fields. Zero and NULL
 * mean the default everywhere.
 *
 * Data crosses as Arrow C streams (https://arrow.apache.org/docs/format/CStreamInterface.html). A stream that a call fills is released by its
 * receiver. A stream that a call is given is released by the call, also when it fails.
 */
#ifndef TARN_TYPES_H
#define TARN_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TARN_API __attribute__((visibility("default")))
#else
#define TARN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct ArrowArrayStream;

#ifdef __cplusplus
#define TARN_INIT(type) { sizeof(type) }
#else
#define TARN_INIT(type) { .size = sizeof(type) }
#endif

typedef enum tarn_code {
    TARN_OK = 0,
    TARN_USAGE = 1,     /* arguments that do not go together */
    TARN_SYNTAX = 2,    /* of SQL that tarn itself reads */
    TARN_TYPE = 3,      /* of a value or column */
    TARN_NAME = 4,      /* no such column, ... */
    TARN_VALUE = 5,     /* out of its range */
    TARN_SQL = 8,       /* DuckDB's message */
    TARN_DATA = 9,      /* rows that violate a constraint, or do not fit */
    TARN_NOTFOUND = 20, /* no table, no such version */
    TARN_EXISTS = 21,   /* a table is there already */
    TARN_IO = 22,
    TARN_ACCESS = 23, /* permission denied */
    TARN_BUSY = 24,
    TARN_NET = 25,
    TARN_TLS = 26,
    TARN_AUTH = 27, /* credentials refused */
    TARN_TIMEOUT = 28,
    TARN_AMBIGUOUS = 29,   /* an answer was lost: look whether the commit is there */
    TARN_CONFLICT = 40,    /* another commit won and collides */
    TARN_UNSUPPORTED = 41, /* a table feature, named */
    TARN_CORRUPT = 42,
    TARN_LIMIT = 60,
    TARN_CANCELLED = 61, /* after an interrupt */
    TARN_BUG = 80
} tarn_code;

typedef struct tarn_error {
    int code; /* 0: no failure */
    char message[4096];
    char hint[512]; /* what to do; may be empty */
} tarn_error;

typedef struct tarn_pair {
    const char *key, *value;
} tarn_pair;

/* A state of a table: a version, or the newest one at an instant; neither: the newest. */
typedef struct tarn_at {
    int64_t version;      /* -1: not given */
    int64_t timestamp_ms; /* since 1970-01-01 UTC; INT64_MIN: not given */
} tarn_at;
#ifdef __cplusplus
#define TARN_AT_NEWEST (tarn_at{ -1, INT64_MIN })
#else
#define TARN_AT_NEWEST ((tarn_at){ -1, INT64_MIN })
#endif

TARN_API const char *tarn_version(void);       /* "0.1.0" */
TARN_API const char *tarn_code_name(int code); /* "NOTFOUND"; "?" for a number that is none */
TARN_API int tarn_code_retryable(int code);    /* 1: the same call may succeed later */
TARN_API void tarn_text_free(char *text);      /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
