/* capi_engine.c: an engine is one DuckDB and the storage options of the buckets reached through it; counted, shared by threads. */
#include "capi/capi_impl.h"
#include "lake/lake_remote.h"
#include "os/proc.h"
#include "os/random.h"
#include "store/store_s3.h"
#include "text/uri.h"

/* DuckDB's own choice is a folder in the current one, which a library must not make. It appears when something is spilled, and goes with the database. */
static tn_str spill_folder(tn_arena *a)
{
    tn_str tmp = tn_env_get("TMPDIR");
    uint64_t salt = 0;
    tn_random_bytes(&salt, sizeof salt);
    return tn_str_printf(a, TN_STR_FMT "/tarn-%lld-%016llx",
        TN_STR_ARG(tmp.n > 0 ? tmp : TN_STR("/tmp")), (long long)tn_pid(),
        (unsigned long long)salt);
}

static tn_rc fill(tarn_engine *e, const tarn_engine_options *o, tn_err *err)
{
    tn_duck_opts d = { .config = TN_VAL_UNDEF,
        .threads = o->threads,
        .memory_limit = tn_str_of(o->memory_limit),
        .temp_directory =
            o->temp_directory != NULL ? tn_str_of(o->temp_directory) : spill_folder(e->arena) };
    if (o->threads < 0) {
        return tn_fail(err, TN_E_USAGE, "an engine cannot have %d threads", o->threads);
    }
    e->storage = tn_capi_dict(e->arena, o->storage, o->storage_n);
    if (!tn_val_is_undef(e->storage)) {
        tn_val_freeze(e->storage);
    }
    TN_TRY(tn_duck_open(&d, &e->duck, err));
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_duck_connect(e->duck, &conn, err));
    return tn_conn_set(conn, "TimeZone", tn_val_z("UTC"), true, err);
}

tn_rc tn_capi_engine_open(const tarn_engine_options *o, tarn_engine **ret, tn_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, tn_store_s3_register);
    tarn_engine_options options;
    tn_capi_options(&options, sizeof options, o);
    tn_arena *a = tn_arena_new("C API engine", NULL);
    tarn_engine *e = tn_new(a, tarn_engine);
    *e = (tarn_engine){ .arena = a, .refs = 1, .storage = TN_VAL_UNDEF, .lock = TN_MUTEX_INIT };
    tn_rc rc = fill(e, &options, err);
    if (rc != TN_OK) {
        tn_capi_engine_unref(e);
        return rc;
    }
    *ret = e;
    return TN_OK;
}

void tn_capi_engine_unref(tarn_engine *e)
{
    if (e != NULL && __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        tn_duck_close(e->duck);
        tn_arena_free(e->arena);
    }
}

tn_rc tn_capi_connect(tarn_engine *e, tn_str url, tn_conn **ret, tn_err *err)
{
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_duck_connect(e->duck, &conn, err));
    if (tn_uri_is_remote(url)) {
        TN_LOCKED(&e->lock);
        TN_TRY(tn_lake_remote_prepare(conn, url, e->storage, err));
    }
    *ret = TN_TAKE(conn);
    return TN_OK;
}

int tarn_engine_open(const tarn_engine_options *options, tarn_engine **ret_engine, tarn_error *err)
{
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(tn_capi_engine_open(options, ret_engine, &e), &e, err);
}

void tarn_engine_close(tarn_engine *engine)
{
    tn_capi_engine_unref(engine);
}
