/* capi_impl.h: private to src/capi: the handles, and how the outside (NUL-terminated strings, structs that grow, Arrow streams) meets arenas and tn_err.
 *
 * Handles are counted: a stream that is still read keeps what it stands on alive, so that they may be closed in any order.
 */
#ifndef TN_CAPI_CAPI_IMPL_H
#define TN_CAPI_CAPI_IMPL_H

#include "delta/delta.h"
#include "duck/arrow_abi.h"
#include "os/thread.h"
#include "tarn/tarn.h"

enum { CAPI_SQL_BYTES_MAX = 64 << 20, CAPI_JSON_BYTES_MAX = 1 << 30 };

struct tarn_engine {
    tn_arena *arena;
    int refs; /* atomic */
    tn_duck *duck;
    tn_val storage; /* frozen dict, or undefined */
    tn_mutex lock;  /* while DuckDB is told of a bucket */
};

struct tarn_table {
    tn_arena *arena;
    tarn_engine *engine;
    tn_conn *conn;
    tn_str url;
    tn_delta_table *table;
    tn_delta_snapshot *snapshot; /* NULL: not read yet, or no table */
    int64_t version;             /* -1: no table */
};

/* The error to the outside; rc as int. */
int tn_capi_told(tn_rc rc, const tn_err *e, tarn_error *err);
/* A copy for the caller, who frees it with tarn_text_free. */
char *tn_capi_text(tn_str s);
tn_rc tn_capi_json(tn_arena *a, tn_val v, char **ret, tn_err *err) TN_MUSTUSE;
/* A struct of options of a program that may be older or newer: what it has, the rest zero. opts NULL: all zero. */
void tn_capi_options(void *into, size_t size, const void *opts);
tn_strs tn_capi_strs(tn_arena *a, const char *const *v, size_t n);
/* A dict of strings, undefined when n is 0. */
tn_val tn_capi_dict(tn_arena *a, const tarn_pair *v, size_t n);
void tn_capi_release(struct ArrowArrayStream *stream); /* NULL and released are fine */

/* A stream for the receiver that holds `held` until it is released: then drop(held) is called after the inner stream's release. */
typedef void (*tn_capi_drop)(void *held);
tn_rc tn_capi_stream(tn_result *rows, tn_capi_drop drop, void *held, struct ArrowArrayStream *ret,
    tn_err *err) TN_MUSTUSE;

tn_rc tn_capi_engine_open(const tarn_engine_options *o, tarn_engine **ret, tn_err *err) TN_MUSTUSE;
void tn_capi_engine_unref(tarn_engine *e);
/* A new connection that may read and write at url. */
tn_rc tn_capi_connect(tarn_engine *e, tn_str url, tn_conn **ret, tn_err *err) TN_MUSTUSE;

/* The handle's state, read when it was not yet; NOTFOUND when there is no table. */
tn_rc tn_capi_snapshot(tarn_table *t, tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
/* The handle is at this version now. */
void tn_capi_moved(tarn_table *t, int64_t version);
/* The rows of a stream as a temporary table of the connection, dropped by tn_capi_rows_end; the stream is released. */
#define TN_CAPI_ROWS "\"__tarn_rows\""
tn_rc tn_capi_rows(
    tn_conn *conn, struct ArrowArrayStream *stream, int64_t *ret_rows, tn_err *err) TN_MUSTUSE;
void tn_capi_rows_end(tn_conn *conn);

#endif
