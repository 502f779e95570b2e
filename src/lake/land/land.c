/* land.c: one landing from inputs to commit.
 *
 *   inputs -> files -> (once: those not loaded yet) -> SELECT -> data files -> rejected rows looked at -> commit
 *
 * The look at rejected rows happens in the write's before_commit, so a call that fails because of them has added no version. A type that DuckDB guessed
 * from a sample and that a later row contradicts is no bad row: the landing starts again, this time with every row looked at for types.
 */
#include "lake/land.h"
#include "lake/lake_remote.h"
#include "lake/land/land_read.h"
#include "lake/log/lake_file.h"

#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"
#include "text/hash.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { SQL_BYTES_MAX = 512 << 20, KNOWN_FILES_MAX = 10000000 };

typedef struct landing {
    tn_lake *lake;
    tn_conn *conn;
    tn_str location;
    const tn_land_opts *opts;
    tn_arena *a;
    tn_str temp_dir;
    tn_delta_table *table;
    tn_delta_snapshot *snap; /* NULL: the table is absent */
    tn_land_read read;
    tn_val inferred;
    tn_land_rejects rejects;
    bool again;              /* types were guessed wrong: look at every row */
    tn_err refusal;          /* of before_commit, as it was said: rc is TN_OK when there was none */
    int64_t rejected_before; /* NDJSON lines put aside before reading */
    tn_land_result result;
} landing;

static inline void landing_cleanup(landing *x)
{
    tn_delta_snapshot_unref(x->snap);
    tn_delta_table_close(x->table);
}

static void show(const landing *x, const char *stage)
{
    if (x->opts->progress != NULL) {
        x->opts->progress(x->opts->progress_self, stage, -1);
    }
}

/* ---- inputs ---- */

static tn_rc settle_format(landing *x, tn_err *err)
{
    x->read.format = x->opts->format;
    for (size_t i = 0; x->opts->format == TN_LAND_AUTO && i < x->read.files.n; i++) {
        tn_land_format f = tn_land_format_of(x->read.files.v[i].shown);
        if (f == TN_LAND_AUTO) {
            tn_rc rc = tn_fail(err, TN_E_USAGE,
                "the format of '" TN_STR_FMT "' cannot be told from its name",
                TN_STR_ARG(x->read.files.v[i].shown));
            return tn_hint(err, rc, "say --format csv, json, ndjson, parquet or arrow");
        }
        if (i > 0 && f != x->read.format) {
            tn_rc rc = tn_fail(err, TN_E_USAGE,
                "'" TN_STR_FMT "' and '" TN_STR_FMT "' have different formats",
                TN_STR_ARG(x->read.files.v[0].shown), TN_STR_ARG(x->read.files.v[i].shown));
            return tn_hint(err, rc, "land one format at a time");
        }
        x->read.format = f;
    }
    return TN_OK;
}

/* Names of files and what to show of them, for the SELECT. */
static tn_rc register_files(landing *x, tn_err *err)
{
    TN_TRY(tn_conn_exec(x->conn,
        TN_STR("CREATE OR REPLACE TEMP TABLE " TN_LAND_FILES_TABLE
               "(__tarn_path VARCHAR, __tarn_shown VARCHAR)"),
        err));
    tn_buf b = tn_buf_init(x->a, SQL_BYTES_MAX);
    size_t n = 0;
    for (size_t i = 0; i < x->read.files.n; i++) {
        const tn_land_file *f = &x->read.files.v[i];
        if (!tn_str_eq(f->path, f->shown)) {
            tn_buf_addz(&b, n++ == 0 ? "INSERT INTO " TN_LAND_FILES_TABLE " VALUES (" : ", (");
            tn_sql_literal(&b, f->path);
            tn_buf_addz(&b, ", ");
            tn_sql_literal(&b, f->shown);
            tn_buf_addc(&b, ')');
        }
    }
    x->read.renamed = n > 0;
    return n == 0 ? TN_OK : tn_conn_exec(x->conn, tn_buf_str(&b), err);
}

static bool table_has(const landing *x, const char *column)
{
    const tn_delta_type *schema = tn_delta_snapshot_meta(x->snap)->schema;
    for (size_t i = 0; i < schema->fields.n; i++) {
        if (tn_str_is(schema->fields.v[i].name, column)) {
            return true;
        }
    }
    return false;
}

/* Takes out the files whose names the table has. */
static tn_rc drop_loaded(landing *x, tn_err *err)
{
    if (x->snap == NULL || !table_has(x, "_source_file")) {
        return TN_OK;
    }
    tn_delta_scan_opts so = { .conn = x->conn };
    tn_str scan;
    TN_TRY(tn_delta_scan_sql(x->snap, x->a, &so, &scan, err));
    tn_str sql = tn_str_printf(x->a,
        "SELECT DISTINCT _source_file FROM (" TN_STR_FMT ") WHERE _source_file IS NOT NULL",
        TN_STR_ARG(scan));
    tn_val rows;
    TN_TRY(tn_conn_rows(x->conn, x->a, sql, KNOWN_FILES_MAX, &rows, NULL, err));
    tn_map known = tn_map_init(x->a);
    for (size_t i = 0; i < rows.list->n; i++) {
        tn_map_put(&known, tn_val_as_str(rows.list->v[i].list->v[0]), x);
    }
    size_t w = 0;
    for (size_t i = 0; i < x->read.files.n; i++) {
        if (tn_map_find(&known, x->read.files.v[i].shown) == NULL) {
            x->read.files.v[w++] = x->read.files.v[i];
        }
    }
    x->result.inputs_skipped = (int64_t)(x->read.files.n - w);
    x->read.files.n = w;
    return TN_OK;
}

/* ---- writing ---- */

static tn_rc put_aside(landing *x, tn_err *err)
{
    if (x->rejects.rows > TN_LAND_BAD_MAX) {
        return tn_fail(err, TN_E_LIMIT,
            "%lld rows cannot be read, more than the %d that are put aside",
            (long long)x->rejects.rows, TN_LAND_BAD_MAX);
    }
    TN_AUTOPTR(tn_delta_table) aside = NULL;
    tn_str where = tn_str_concat(x->a, x->location, TN_STR("__rejected"));
    TN_TRY(tn_lake_table_open(x->lake, where, &aside, err));
    tn_delta_write_opts wo = { .mode = TN_DELTA_APPEND,
        .schema_mode = TN_SCHEMA_MERGE,
        .operation_parameters = TN_VAL_UNDEF,
        .user_metadata = TN_VAL_UNDEF,
        .properties = TN_VAL_UNDEF };
    tn_delta_write_result wr;
    tn_rc rc = tn_delta_write(aside, x->conn, tn_land_rejects_sql(&x->read, x->a), &wo, &wr, err);
    return rc == TN_OK
               ? rc
               : tn_while(err, rc, "putting %lld rejected rows aside", (long long)x->rejects.rows);
}

static tn_rc refuse(const landing *x, const tn_land_rejects *bad, tn_err *err)
{
    tn_rc rc =
        tn_fail(err, TN_E_DATA, "%lld row%s cannot be read; nothing was loaded:" TN_STR_FMT "%s",
            (long long)bad->rows, bad->rows == 1 ? "" : "s", TN_STR_ARG(bad->told),
            bad->rows > TN_LAND_BAD_SHOWN ? "\n  ..." : "");
    const char *types =
        x->read.format == TN_LAND_CSV ? "give the column another type with --types, " : "";
    return tn_hint(err, rc, "repair the file, %sor keep such rows with --on-bad-row aside", types);
}

static tn_rc look_at_rejects(landing *x, tn_conn *conn, tn_err *err)
{
    TN_TRY(tn_land_rejects_read(&x->read, conn, x->a, x->inferred, &x->rejects, err));
    if (x->rejects.rows == 0) {
        return TN_OK;
    }
    if (x->rejects.guessed_type && !x->read.sample_all) {
        x->again = true;
        return tn_fail(err, TN_E_DATA, "types were guessed from too few rows");
    }
    if (x->opts->bad_rows == TN_BAD_ASIDE) {
        return put_aside(x, err);
    }
    return refuse(x, &x->rejects, err);
}

/* DuckDB refused the input as a whole: which lines are to blame? When none can be named, its own words stay. */
static tn_rc tell_bad_lines(landing *x, tn_rc rc, tn_err *err)
{
    tn_land_rejects bad = { 0 };
    int64_t n = 0;
    bool csv = x->read.format == TN_LAND_CSV, ndjson = x->read.format == TN_LAND_NDJSON;
    if (rc != TN_E_SQL || (!csv && !ndjson) || (ndjson && x->opts->bad_rows != TN_BAD_REJECT)) {
        return rc;
    }
    tn_land_read read = x->read;
    read.files = (tn_land_files){ 0 };
    for (size_t i = 0; i < x->read.files.n; i++) {
        tn_vec_push(&read.files, x->a, x->read.files.v[i]);
    }
    read.rejects = TN_STR("__tarn_bad_lines");
    read.scans = TN_STR("__tarn_bad_files");
    tn_rc looked = ndjson ? tn_land_ndjson_aside(&read, x->conn, x->a, x->temp_dir, &n, NULL)
                          : tn_land_csv_blame(&read, x->conn, x->a, NULL);
    looked = looked == TN_OK
                 ? tn_land_rejects_read(&read, x->conn, x->a, tn_val_set(x->a), &bad, NULL)
                 : looked;
    return looked == TN_OK && bad.rows > 0 ? refuse(x, &bad, err) : rc;
}

static tn_rc before_commit(void *self, tn_conn *conn, int64_t rows, tn_err *err)
{
    landing *x = self;
    (void)rows;
    x->refusal = TN_ERR_INIT;
    tn_rc rc = look_at_rejects(x, conn, &x->refusal);
    if (rc != TN_OK && err != NULL) {
        *err = x->refusal;
    }
    return rc;
}

static tn_str once_app_id(landing *x)
{
    tn_buf b = tn_buf_init(x->a, SQL_BYTES_MAX);
    for (size_t i = 0; i < x->read.files.n; i++) {
        tn_buf_add(&b, x->read.files.v[i].shown);
        tn_buf_addc(&b, '\n');
    }
    return tn_str_concat(x->a, TN_STR("tarn-land:"), tn_sha256_hex(x->a, tn_buf_str(&b)));
}

static tn_val operation_parameters(landing *x)
{
    static const char *const modes[] = { "Append", "Overwrite", "ErrorIfExists", "Ignore",
        "Merge" };
    tn_val d = tn_val_dict(x->a);
    tn_dict_putz(d.dict, "mode", tn_val_z(modes[x->opts->mode]));
    tn_buf by =
        tn_buf_init(x->a, SQL_BYTES_MAX); /* values are texts of JSON, as Spark writes them */
    tn_buf_addc(&by, '[');
    for (size_t i = 0; i < x->opts->partition_by.n; i++) {
        tn_buf_addz(&by, i > 0 ? "," : "");
        tn_json_add_str(&by, x->opts->partition_by.v[i]);
    }
    tn_buf_addc(&by, ']');
    tn_dict_putz(d.dict, "partitionBy", tn_val_str(tn_buf_str(&by)));
    tn_dict_putz(d.dict, "inputs", tn_val_str(tn_str_printf(x->a, "%zu", x->read.files.n)));
    return d;
}

/* Everything is read before anything is written: only then is it known whether each key is there once. */
static tn_rc merge_by_key(landing *x, tn_str sql, tn_err *err)
{
    tn_str rows = TN_STR("temp.__tarn_land_rows");
    show(x, "reading");
    tn_str make = tn_str_printf(x->a,
        "CREATE OR REPLACE TEMP TABLE __tarn_land_rows AS SELECT * FROM (" TN_STR_FMT
        "\n) AS source",
        TN_STR_ARG(sql));
    tn_rc rc = tn_conn_exec(x->conn, make, err);
    TN_TRY(rc == TN_OK ? rc : tell_bad_lines(x, rc, err));
    TN_TRY(look_at_rejects(x, x->conn, err));
    show(x, "merging");
    tn_str app_id = x->opts->once ? once_app_id(x) : TN_STR_NONE;
    TN_TRY(tn_land_merge(x->table, x->snap, x->conn, x->a, rows, x->opts, app_id, &x->result, err));
    x->result.rejected = x->rejects.rows;
    return tn_conn_exec(x->conn, TN_STR("DROP TABLE temp.__tarn_land_rows"), err);
}

static tn_rc write_rows(landing *x, tn_err *err)
{
    unsigned long long tag = (unsigned long long)tn_random_u64();
    x->again = false;
    if (x->read.format != TN_LAND_NDJSON || x->opts->bad_rows != TN_BAD_ASIDE) {
        x->read.rejects = tn_str_printf(x->a, "__tarn_rejects_%016llx", tag);
        x->read.scans = tn_str_printf(x->a, "__tarn_scans_%016llx", tag);
    }
    tn_str sql;
    show(x, "looking at the files");
    tn_rc looked = tn_land_read_sql(&x->read, x->conn, x->a, &sql, &x->inferred, err);
    if (looked != TN_OK) {
        return tell_bad_lines(x, looked, err);
    }
    if (x->opts->mode == TN_LAND_MERGE) {
        return merge_by_key(x, sql, err);
    }
    tn_delta_write_opts wo = {
        .mode = x->opts->mode == TN_LAND_OVERWRITE ? TN_DELTA_OVERWRITE
                : x->opts->mode == TN_LAND_APPEND  ? TN_DELTA_APPEND
                                                   : TN_DELTA_CREATE,
        .schema_mode = x->opts->schema_mode,
        .partition_by = x->opts->partition_by,
        .cluster_by = x->opts->cluster_by,
        .properties = x->opts->properties,
        .operation_parameters = operation_parameters(x),
        .user_metadata = TN_VAL_UNDEF,
        .replace_where = x->opts->where,
        .dynamic_partitions = x->opts->partitions,
        .looked = true,
        .before_commit = before_commit,
        .before_commit_self = x,
    };
    if (x->opts->once && x->opts->mode == TN_LAND_APPEND) {
        wo.app_id = once_app_id(x);
        wo.txn_version = 1;
    }
    show(x, "writing");
    tn_delta_write_result wr;
    tn_rc rc = tn_delta_write(x->table, x->conn, sql, &wo, &wr, err);
    rc = tell_bad_lines(x, rc, err);
    if (rc != TN_OK && x->refusal.rc == rc && err != NULL) {
        *err = x->refusal; /* the rows' own words are context enough */
    }
    TN_TRY(rc);
    x->result.version = wr.version;
    x->result.rows = wr.rows;
    x->result.files_written = wr.files;
    x->result.bytes = wr.bytes;
    x->result.created = wr.created;
    x->result.skipped = wr.skipped;
    x->result.rejected = x->rejects.rows;
    return TN_OK;
}

static tn_rc open_table(landing *x, tn_err *err)
{
    TN_TRY(tn_lake_table_open(x->lake, x->location, &x->table, err));
    TN_TRY(tn_delta_snapshot_recent(x->table, x->conn, &x->snap, NULL, err));
    if (x->snap != NULL && x->opts->mode == TN_LAND_ERROR) {
        tn_rc rc = tn_fail(
            err, TN_E_EXISTS, "table '" TN_STR_FMT "' is there already", TN_STR_ARG(x->location));
        return tn_hint(err, rc, "use --mode append, overwrite or ignore");
    }
    return TN_OK;
}

static tn_rc decode_arrow(landing *x, tn_err *err)
{
    if (x->read.files.n != 1) {
        tn_rc rc = tn_fail(err, TN_E_USAGE, "an Arrow stream is landed one at a time (%zu given)",
            x->read.files.n);
        return tn_hint(err, rc, "run one command for each, or convert to Parquet");
    }
    x->read.stdin_table = TN_STR("__tarn_arrow_in");
    show(x, "decoding the Arrow stream");
    TN_TRY(tn_conn_exec(x->conn, TN_STR("DROP TABLE IF EXISTS __tarn_arrow_in"), err));
    TN_AUTO(tn_fd) in = { -1 };
    TN_TRY(tn_fd_open(x->read.files.v[0].path, &in, err));
    int64_t rows;
    return tn_conn_arrow_ipc_in(x->conn, TN_STR("__tarn_arrow_in"), in.fd, &rows, err);
}

/* A file that a transfer has cut short must not pass for a short one. */
static tn_rc check_whole(landing *x, tn_err *err)
{
    show(x, "checking the files");
    for (size_t i = 0; i < x->read.files.n; i++) {
        const tn_land_file *f = &x->read.files.v[i];
        tn_str ext = tn_path_ext(f->path);
        if (tn_uri_is_remote(f->path)) {
            continue;
        }
        if (tn_str_eq_nocase(ext, TN_STR("gz"))) {
            TN_TRY(tn_land_check_gzip(f->path, f->shown, err));
        } else if (x->read.format == TN_LAND_JSON && !tn_str_eq_nocase(ext, TN_STR("zst"))) {
            TN_TRY(tn_land_check_json(f->path, f->shown, err));
        }
    }
    return TN_OK;
}

static tn_rc prepare(landing *x, bool *ret_nothing, tn_err *err)
{
    TN_TRY(open_table(x, err));
    if (x->snap != NULL && x->opts->mode == TN_LAND_IGNORE) {
        x->result.skipped = true;
        x->result.version = tn_delta_snapshot_version(x->snap);
        *ret_nothing = true;
        return TN_OK;
    }
    show(x, "finding the files");
    TN_TRY(tn_lake_remote_prepare(x->conn, x->location, x->lake->storage, err));
    for (size_t i = 0; i < x->opts->inputs.n; i++) {
        TN_TRY(tn_lake_remote_prepare(x->conn, x->opts->inputs.v[i], x->lake->storage, err));
    }
    TN_TRY(tn_land_inputs(x->a, x->opts, x->lake->storage, x->temp_dir, &x->read.files, err));
    TN_TRY(settle_format(x, err));
    x->result.inputs = (int64_t)x->read.files.n;
    if (x->opts->once) {
        TN_TRY(drop_loaded(x, err));
    }
    if (x->read.files.n == 0) {
        x->result.skipped = true;
        x->result.version = x->snap != NULL ? tn_delta_snapshot_version(x->snap) : -1;
        *ret_nothing = true;
        return TN_OK;
    }
    *ret_nothing = false;
    TN_TRY(check_whole(x, err));
    TN_TRY(register_files(x, err));
    x->read.table = x->snap != NULL ? tn_delta_snapshot_meta(x->snap)->schema : NULL;
    return x->read.format == TN_LAND_ARROW ? decode_arrow(x, err) : TN_OK;
}

tn_rc tn_land(tn_lake *l, tn_conn *conn, tn_str location, const tn_land_opts *opts,
    tn_land_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("land", NULL);
    TN_AUTO(landing)
    x = { .lake = l,
        .conn = conn,
        .location = location,
        .opts = opts,
        .a = a,
        .inferred = tn_val_set(a) };
    x.read.opts = opts;
    x.read.loaded_at = (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_UTC, .i = tn_clock_now_us() };
    x.result.version = -1;
    TN_TRY(tn_file_temp_dir(a, "tarn-land", &x.temp_dir, err));
    bool nothing = false;
    tn_rc rc = prepare(&x, &nothing, err);
    if (rc == TN_OK && !nothing) {
        if (x.read.format == TN_LAND_NDJSON && opts->bad_rows == TN_BAD_ASIDE) {
            x.read.rejects = TN_STR("__tarn_rejects_json");
            x.read.scans = TN_STR("__tarn_scans_json");
            rc = tn_land_ndjson_aside(&x.read, conn, a, x.temp_dir, &x.rejected_before, err);
            rc = rc == TN_OK ? register_files(&x, err) : rc;
        }
        rc = rc == TN_OK ? write_rows(&x, err) : rc;
        if (rc == TN_E_DATA && x.again) {
            x.read.sample_all = true;
            rc = write_rows(&x, err);
        }
    }
    if (rc != TN_OK) {
        return tn_while(err, rc, "landing in '" TN_STR_FMT "'", TN_STR_ARG(location));
    }
    *ret = x.result;
    return TN_OK;
}
