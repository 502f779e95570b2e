/* lake_doctor.c: see lake_doctor.h. */
#include "lake/lake_doctor.h"
#include "lake/lake_remote.h"

#include "os/clock.h"
#include "os/random.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { SQL_BYTES_MAX = 64 << 10 };

static tn_rc copy_and_read(tn_conn *conn, tn_arena *a, tn_str location, tn_err *err)
{
    tn_buf copy = tn_buf_init(a, SQL_BYTES_MAX), read = tn_buf_init(a, SQL_BYTES_MAX);
    tn_str sql;
    tn_val n;
    tn_buf_addz(&copy, "COPY (SELECT 42 AS x) TO ");
    tn_sql_literal(&copy, location);
    tn_buf_addz(&copy, " (FORMAT parquet)");
    TN_TRY(tn_buf_finish(&copy, "a statement", &sql, err));
    TN_TRY(tn_conn_exec(conn, sql, err));
    tn_buf_addz(&read, "SELECT x FROM read_parquet(");
    tn_sql_literal(&read, location);
    tn_buf_addc(&read, ')');
    TN_TRY(tn_buf_finish(&read, "a statement", &sql, err));
    TN_TRY(tn_conn_scalar(conn, a, sql, &n, err));
    return n.tag == TN_INT && n.i == 42
               ? TN_OK
               : tn_fail(err, TN_E_CORRUPT, "DuckDB read something else than it had written");
}

static void check_duckdb(
    tn_conn *conn, tn_arena *a, tn_str url, tn_val storage, tn_store *store, tn_probes *out)
{
    tn_err why = TN_ERR_INIT, ignored = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us();
    tn_str key =
        tn_str_printf(a, "_tarn_doctor-%016llx.parquet", (unsigned long long)tn_random_u64());
    tn_rc rc = tn_lake_remote_prepare(conn, url, storage, &why);
    rc = rc == TN_OK ? copy_and_read(conn, a, tn_store_locate(store, a, key), &why) : rc;
    (void)!tn_store_remove(store, key, &ignored);
    int64_t us = tn_clock_mono_us() - began;
    if (rc == TN_OK) {
        tn_probe p = {
            .name = "duckdb", .us = us, .says = TN_STR("wrote a Parquet file there and read it")
        };
        tn_probe_add(out, a, p);
        return;
    }
    if (why.hint[0] == '\0' && tn_uri_is_remote(url)) {
        (void)tn_hint(&why, rc,
            "tarn's own requests work: DuckDB knows no proxy and no client certificate of tarn's");
    }
    tn_probe_fail(out, a, "duckdb", us, &why);
}

tn_rc tn_lake_doctor(
    tn_conn *conn, tn_arena *a, tn_str url, tn_val storage, tn_probes *ret, tn_err *err)
{
    tn_store_opts opts = { .options = storage };
    tn_probes out = { 0 };
    TN_TRY(tn_store_doctor(a, url, &opts, &out, err));
    bool fine = true;
    for (size_t i = 0; i < out.n; i++) {
        /* A store without conditional puts still serves DuckDB. */
        fine = fine &&
               (out.v[i].state != TN_PROBE_FAILED || strcmp(out.v[i].name, "put-if-absent") == 0);
    }
    TN_AUTOPTR(tn_store) store = NULL;
    if (fine) {
        TN_TRY(tn_store_open(url, &opts, &store, err));
        check_duckdb(conn, a, url, storage, store, &out);
    } else {
        tn_probe_add(&out, a,
            (tn_probe){ .name = "duckdb",
                .state = TN_PROBE_SKIPPED,
                .says = TN_STR("not looked at: the checks before failed"),
                .us = -1 });
    }
    *ret = out;
    return TN_OK;
}
