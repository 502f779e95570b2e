// layers: base os text store duck delta
/* delta_driver.c: the Delta library as a program, for the tests in this folder.
 *
 *     delta_driver read  TABLE OUT.parquet [VERSION]       rows as Parquet; prints version, files, rows
 *     delta_driver sql   TABLE [VERSION]                   the scan's SQL
 *     delta_driver changes TABLE FROM [TO]                 SQL of the changes between versions
 *     delta_driver state TABLE                             replay only: files, tombstones, schema
 *     delta_driver write TABLE MODE SELECT [key=value...]  MODE: create append overwrite merge replace
 *                                                          keys: partition_by=a,b  prop.NAME=VALUE  app=ID  txn=N  bytes=N
 *     delta_driver appends TABLE COUNT ROWS                COUNT appends of ROWS rows each
 *     delta_driver restore TABLE VERSION
 *     delta_driver checkpoint TABLE
 * Exit status 1 and the message on stderr when something fails. TARN_SQL_BEFORE is run first on the connection.
 */
#include <inttypes.h>
#include <stdio.h>

#include "delta/delta.h"
#include "delta/delta_changes.h"
#include "os/clock.h"
#include "os/proc.h"
#include "text/json.h"
#include "text/sqltext.h"

typedef struct driver {
    tn_arena *arena;
    tn_duck *duck;
    tn_conn *conn;
    tn_store *store;
    tn_delta_table *table;
    int argc;
    char **argv;
} driver;

static tn_str arg(const driver *d, int i)
{
    return i < d->argc ? tn_str_of(d->argv[i]) : TN_STR_NONE;
}

static int64_t version_arg(const driver *d, int i)
{
    int64_t v;
    return tn_str_to_i64(arg(d, i), &v) ? v : TN_DELTA_LATEST;
}

static tn_rc scan(
    driver *d, int64_t version, tn_delta_snapshot **ret_s, tn_str *ret_sql, tn_err *err)
{
    TN_TRY(tn_delta_snapshot_open(d->table, d->conn, version, ret_s, err));
    tn_delta_scan_opts o = { .conn = d->conn,
        .where = tn_env_get("TARN_WHERE"),
        .portable = tn_env_get("TARN_PORTABLE").n > 0 };
    return tn_delta_scan_sql(*ret_s, d->arena, &o, ret_sql, err);
}

static tn_rc do_read(driver *d, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_str sql;
    TN_TRY(scan(d, version_arg(d, 4), &s, &sql, err));
    tn_buf b = tn_buf_init(d->arena, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "COPY (");
    tn_buf_add(&b, sql);
    tn_buf_addz(&b, ") TO ");
    tn_sql_literal(&b, arg(d, 3));
    tn_buf_addz(&b, " (FORMAT parquet)");
    TN_TRY(tn_conn_exec(d->conn, tn_buf_str(&b), err));
    printf("version %" PRId64 " files %zu rows %" PRId64 "\n", tn_delta_snapshot_version(s),
        tn_delta_snapshot_file_count(s), tn_delta_snapshot_rows(s));
    return TN_OK;
}

static tn_rc do_sql(driver *d, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_str sql;
    TN_TRY(scan(d, version_arg(d, 3), &s, &sql, err));
    printf("%.*s\n", TN_STR_ARG(sql));
    return TN_OK;
}

static tn_rc do_changes(driver *d, tn_err *err)
{
    tn_delta_changes_range r = TN_DELTA_CHANGES_RANGE_INIT;
    tn_str sql;
    r.from = version_arg(d, 3);
    r.to = version_arg(d, 4);
    TN_TRY(tn_delta_changes_sql(d->table, d->conn, d->arena, &r, &sql, err));
    printf("%.*s\n", TN_STR_ARG(sql));
    return TN_OK;
}

static tn_rc do_state(driver *d, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(d->table, d->conn, TN_DELTA_LATEST, &s, err));
    printf("version %" PRId64 " files %zu tombstones %zu rows %" PRId64 " bytes %" PRId64 "\n",
        tn_delta_snapshot_version(s), tn_delta_snapshot_file_count(s),
        tn_delta_snapshot_tombstones(s)->n, tn_delta_snapshot_rows(s), tn_delta_snapshot_bytes(s));
    for (size_t i = 0; i < tn_delta_snapshot_file_count(s) && i < 20; i++) {
        printf("%.*s\n", TN_STR_ARG(tn_delta_snapshot_file(s, i)->path));
    }
    return TN_OK;
}

static tn_rc read_option(driver *d, tn_delta_write_opts *o, tn_str option, tn_err *err)
{
    tn_str key;
    tn_str value;
    (void)tn_str_cut(option, '=', &key, &value);
    if (tn_str_is(key, "partition_by")) {
        while (value.n > 0) {
            tn_str one;
            tn_str rest;
            (void)tn_str_cut(value, ',', &one, &rest);
            tn_vec_push(&o->partition_by, d->arena, one);
            value = rest;
        }
    } else if (tn_str_starts(key, TN_STR("prop."))) {
        if (o->properties.tag != TN_DICT) {
            o->properties = tn_val_dict(d->arena);
        }
        tn_dict_puts(o->properties.dict, tn_str_sub(key, 5, key.n), tn_val_str(value));
    } else if (tn_str_is(key, "app")) {
        o->app_id = value;
    } else if (tn_str_is(key, "txn") && tn_str_to_i64(value, &o->txn_version)) {
        return TN_OK;
    } else if (tn_str_is(key, "bytes") && tn_str_to_i64(value, &o->target_file_bytes)) {
        return TN_OK;
    } else {
        return tn_fail(err, TN_E_USAGE, "unknown option '" TN_STR_FMT "'", TN_STR_ARG(option));
    }
    return TN_OK;
}

static tn_rc do_write(driver *d, tn_err *err)
{
    static const struct {
        const char *name;
        tn_delta_mode mode;
        tn_delta_schema_mode schema;
    } MODES[] = { { "create", TN_DELTA_CREATE, TN_SCHEMA_STRICT },
        { "append", TN_DELTA_APPEND, TN_SCHEMA_STRICT },
        { "overwrite", TN_DELTA_OVERWRITE, TN_SCHEMA_STRICT },
        { "merge", TN_DELTA_APPEND, TN_SCHEMA_MERGE },
        { "replace", TN_DELTA_OVERWRITE, TN_SCHEMA_OVERWRITE } };
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
    bool known = false;
    for (size_t i = 0; i < TN_COUNTOF(MODES); i++) {
        if (tn_str_is(arg(d, 3), MODES[i].name)) {
            o.mode = MODES[i].mode;
            o.schema_mode = MODES[i].schema;
            known = true;
        }
    }
    if (!known) {
        return tn_fail(err, TN_E_USAGE, "unknown mode");
    }
    for (int i = 5; i < d->argc; i++) {
        TN_TRY(read_option(d, &o, arg(d, i), err));
    }
    tn_delta_write_result r;
    TN_TRY(tn_delta_write(d->table, d->conn, arg(d, 4), &o, &r, err));
    printf("version %" PRId64 " rows %" PRId64 " files %" PRId64 " bytes %" PRId64 "%s\n",
        r.version, r.rows, r.files, r.bytes, r.skipped ? " skipped" : "");
    return TN_OK;
}

static tn_rc do_appends(driver *d, tn_err *err)
{
    int64_t n = version_arg(d, 3);
    tn_str sql =
        tn_str_printf(d->arena, "SELECT range AS id, 'w%" PRId64 "' AS who FROM range(%.*s)",
            tn_pid(), TN_STR_ARG(arg(d, 4)));
    for (int64_t i = 0; i < n; i++) {
        tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
        tn_delta_write_result r;
        TN_TRY(tn_delta_write(d->table, d->conn, sql, &o, &r, err));
    }
    printf("%" PRId64 " appends\n", n);
    return TN_OK;
}

static tn_rc do_restore(driver *d, tn_err *err)
{
    int64_t version;
    TN_TRY(tn_delta_restore(d->table, d->conn, version_arg(d, 3), &version, err));
    printf("version %" PRId64 "\n", version);
    return TN_OK;
}

static tn_rc do_checkpoint(driver *d, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(d->table, d->conn, TN_DELTA_LATEST, &s, err));
    return tn_delta_checkpoint(d->table, d->conn, s, err);
}

static const struct {
    const char *verb;
    tn_rc (*run)(driver *d, tn_err *err);
} VERBS[] = { { "read", do_read }, { "sql", do_sql }, { "changes", do_changes },
    { "state", do_state }, { "write", do_write }, { "appends", do_appends },
    { "restore", do_restore }, { "checkpoint", do_checkpoint } };

static tn_rc run(driver *d, tn_err *err)
{
    tn_duck_opts duck = { .threads = 2 };
    TN_TRY(tn_duck_open(&duck, &d->duck, err));
    TN_TRY(tn_duck_connect(d->duck, &d->conn, err));
    tn_str before = tn_env_get("TARN_SQL_BEFORE");
    if (before.n > 0) {
        TN_TRY(tn_conn_exec(d->conn, before, err));
    }
    TN_TRY(tn_store_open(arg(d, 2), NULL, &d->store, err));
    TN_TRY(tn_delta_table_open(d->store, &d->table, err));
    for (size_t i = 0; i < TN_COUNTOF(VERBS); i++) {
        if (tn_str_is(arg(d, 1), VERBS[i].verb)) {
            return VERBS[i].run(d, err);
        }
    }
    return tn_fail(err, TN_E_USAGE, "unknown verb '" TN_STR_FMT "'", TN_STR_ARG(arg(d, 1)));
}

int main(int argc, char **argv)
{
    static tn_err err;
    driver d = { .arena = tn_arena_new("driver", NULL), .argc = argc, .argv = argv };
    int64_t begin = tn_clock_cpu_us();
    tn_rc rc = argc < 3 ? tn_fail(&err, TN_E_USAGE, "delta_driver VERB TABLE ...") : run(&d, &err);
    if (tn_env_get("TARN_TIMES").n > 0) {
        fprintf(stderr, "cpu %.3f s, peak %" PRId64 " MiB\n",
            (double)(tn_clock_cpu_us() - begin) / 1e6, tn_rss_peak_bytes() >> 20);
    }
    if (rc != TN_OK) {
        fprintf(stderr, "%s: %s%s%s\n", tn_rc_name(rc), err.msg, err.hint[0] ? "; " : "", err.hint);
    }
    tn_delta_table_close(d.table);
    tn_store_unref(d.store);
    tn_conn_close(d.conn);
    tn_duck_close(d.duck);
    tn_arena_free(d.arena);
    return rc == TN_OK ? 0 : 1;
}
