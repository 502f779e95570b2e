/* delta_files.c: rows to Parquet files by DuckDB's COPY, and what the log has to know of them.
 *
 * All files of one write carry one token in their names, so that whatever a failed COPY leaves behind can be found and removed.
 * Files are made durable (local disks) before anything names them.
 */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/files/delta_columns.h"
#include "delta/files/delta_target.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"
#include "text/sqltext.h"
#include "text/timetext.h"
#include "text/uri.h"

#define FILE_BYTES_DEFAULT ((int64_t)128 << 20)
enum { COPY_FILES_MAX = 10000000 };

/* ---- COPY ---- */

static const char *codec_of(const tn_delta_meta *m)
{
    static const char *const CODECS[] = { "snappy", "zstd", "gzip", "lz4_raw", "uncompressed" };
    tn_str want = tn_delta_property(m, "delta.parquet.compression.codec");
    for (size_t i = 0; i < TN_COUNTOF(CODECS); i++) {
        if (tn_str_eq_nocase(want, tn_str_of(CODECS[i]))) {
            return CODECS[i];
        }
    }
    return tn_str_eq_nocase(want, TN_STR("none")) ? "uncompressed" : "snappy";
}

/* delta.parquet.format.version, 1.0.0 or 2.x: with 2 integers and texts are stored as differences, which is smaller and faster, for readers that
 * know these encodings. */
static const char *version_of(const tn_delta_meta *m)
{
    tn_str want = tn_delta_property(m, "delta.parquet.format.version");
    return tn_str_starts(want, TN_STR("2")) ? ", PARQUET_VERSION v2" : "";
}

static tn_rc copy_sql(tn_delta_table *t, tn_arena *a, const tn_delta_target *to,
    int64_t target_bytes, tn_str token, tn_str *ret, tn_err *err)
{
    const tn_delta_meta *m = &to->meta;
    tn_delta_mapping mapping = tn_delta_mapping_of(&to->protocol, m);
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_str select;
    TN_TRY(tn_delta_physical_select(a, to, &select, err));
    tn_buf_addz(&b, "COPY (");
    tn_buf_add(&b, select);
    tn_buf_addz(&b, ") TO ");
    tn_sql_literal(&b, tn_store_locate(t->store, a, to->dir));
    tn_buf_addf(&b,
        " (FORMAT parquet, RETURN_STATS, APPEND true, COMPRESSION %s%s, FILENAME_PATTERN "
        "'" TN_STR_FMT "-{uuid}-" TN_STR_FMT "'",
        codec_of(m), version_of(m),
        TN_STR_ARG(to->file_name.n > 0 ? to->file_name : TN_STR("part")), TN_STR_ARG(token));
    tn_delta_field_ids(&b, m, mapping);
    if (m->partition_columns.n == 0 || to->partition_values.tag == TN_DICT) {
        int64_t bytes = target_bytes > 0 ? target_bytes : FILE_BYTES_DEFAULT;
        tn_buf_addf(&b, ", FILE_SIZE_BYTES %lld)", (long long)bytes);
        return tn_buf_finish(&b, "a COPY statement", ret, err);
    }
    /* The columns stay in the files too, so that other table formats can share the files. */
    tn_buf_addf(&b, ", WRITE_PARTITION_COLUMNS true%s, PARTITION_BY (",
        mapping != TN_MAPPING_NONE ? ", HIVE_FILE_PATTERN false" : "");
    for (size_t i = 0; i < m->partition_columns.n; i++) {
        const tn_delta_field *f = tn_delta_field_find(m->schema, m->partition_columns.v[i]);
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_sql_ident(&b, tn_delta_physical_name(f, mapping));
    }
    tn_buf_addz(&b, "))");
    return tn_buf_finish(&b, "a COPY statement", ret, err);
}

/* ---- results ---- */

static tn_rc file_path(tn_delta_table *t, tn_arena *a, tn_str filename, tn_str *ret, tn_err *err)
{
    tn_str root = tn_store_locate(t->store, a, TN_STR(""));
    while (root.n > 0 && root.p[root.n - 1] == '/') {
        root.n--;
    }
    if (!tn_str_starts(filename, root) || filename.n <= root.n + 1 || filename.p[root.n] != '/') {
        return tn_fail(
            err, TN_E_BUG, "COPY wrote '" TN_STR_FMT "' outside the table", TN_STR_ARG(filename));
    }
    tn_str rel = tn_str_sub(filename, root.n + 1, filename.n);
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_percent_encode(&b, rel, "/=!$&'()*+,;:@", true);
    return tn_buf_finish(&b, "a file's path", ret, err);
}

static tn_rc check_nulls(const tn_delta_target *to, tn_arena *a, tn_val stats, tn_err *err)
{
    const tn_delta_meta *m = &to->meta;
    tn_delta_mapping mapping = tn_delta_mapping_of(&to->protocol, m);
    for (size_t i = 0; i < m->schema->fields.n; i++) {
        const tn_delta_field *f = &m->schema->fields.v[i];
        if (f->nullable || stats.tag != TN_DICT) {
            continue;
        }
        tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
        tn_sql_ident(&b, tn_delta_physical_name(f, mapping));
        const tn_val *column = tn_dict_finds(stats.dict, tn_buf_str(&b));
        if (column != NULL && !tn_str_is(tn_val_str_at(*column, "null_count", TN_STR("0")), "0")) {
            return tn_fail(err, TN_E_DATA,
                "the column '" TN_STR_FMT "' may not be NULL, but a row has no value",
                TN_STR_ARG(f->name));
        }
    }
    return TN_OK;
}

/* The log holds dates and times as text, of which all readers know the years 1 to 9999; one value beyond them, or infinity, and others open no file of the table. */
static bool is_readable_date(const tn_delta_type *t, tn_str text)
{
    int64_t days;
    bool zone;
    int offset;
    if (tn_delta_type_is(t, "date")) {
        return tn_parse_date(text, &days);
    }
    return !(tn_delta_type_is(t, "timestamp") || tn_delta_type_is(t, "timestamp_ntz")) ||
           tn_parse_timestamp(text, &days, &zone, &offset);
}

static tn_rc partition_values(
    const tn_delta_target *to, tn_arena *a, tn_val keys, tn_val *ret, tn_err *err)
{
    const tn_delta_meta *m = &to->meta;
    tn_delta_mapping mapping = tn_delta_mapping_of(&to->protocol, m);
    tn_val out = tn_val_dict(a);
    for (size_t i = 0; i < m->partition_columns.n; i++) {
        const tn_delta_field *f = tn_delta_field_find(m->schema, m->partition_columns.v[i]);
        tn_str name = tn_delta_physical_name(f, mapping);
        const tn_val *v = keys.tag == TN_DICT ? tn_dict_finds(keys.dict, name) : NULL;
        tn_val text = v == NULL ? TN_VAL_NONE : tn_delta_partition_text(a, f->type, *v);
        if (text.tag != TN_NONE && !is_readable_date(f->type, tn_val_as_str(text))) {
            tn_rc rc = tn_fail(err, TN_E_DATA,
                "'" TN_STR_FMT "' cannot be a value of the partition column '" TN_STR_FMT
                "': dates and times there are of the years 1 to 9999",
                TN_STR_ARG(tn_val_as_str(text)), TN_STR_ARG(f->name));
            return tn_hint(err, rc, "NULL, or a day of those years, can stand for it");
        }
        tn_dict_puts(out.dict, name, text);
    }
    *ret = out;
    return TN_OK;
}

enum { COL_FILE, COL_COUNT, COL_SIZE, COL_FOOTER, COL_STATS, COL_KEYS, COLS };

static tn_rc take_file(tn_delta_table *t, tn_arena *a, const tn_delta_target *to,
    const tn_result *res, size_t row, tn_delta_files *files, int64_t *rows, tn_err *err)
{
    tn_str filename = tn_val_as_str(tn_result_cell(res, a, COL_FILE, row));
    int64_t count = tn_result_cell(res, a, COL_COUNT, row).i;
    tn_val stats = tn_result_cell(res, a, COL_STATS, row);
    tn_delta_file f = {
        .size = tn_result_cell(res, a, COL_SIZE, row).i,
        .mtime_ms = tn_clock_now_ms(),
        .data_change = true,
        .dv = { .offset = -1 },
        .base_row_id = TN_DELTA_ABSENT,
        .default_row_commit_version = TN_DELTA_ABSENT,
    };
    TN_TRY(file_path(t, a, filename, &f.path, err));
    if (count == 0) {
        tn_delta_files empty = { .v = &f, .n = 1 };
        tn_delta_files_discard(t, &empty);
        return TN_OK;
    }
    if (!to->unchecked) {
        TN_TRY(check_nulls(to, a, stats, err));
    }
    f.partition_values = to->partition_values;
    if (to->partition_values.tag != TN_DICT) {
        tn_val keys = tn_result_cell(res, a, COL_KEYS, row);
        TN_TRY(partition_values(to, a, keys, &f.partition_values, err));
    }
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_stats_print(
        &b, &to->meta, tn_delta_mapping_of(&to->protocol, &to->meta), &to->clustered, count, stats);
    TN_TRY(tn_buf_finish(&b, "a file's statistics", &f.stats, err));
    tn_vec_push(files, a, f);
    *rows += count;
    return TN_OK;
}

/* Local files and their folders up to the table's root. A bucket has answered for its objects already. */
static tn_rc make_durable(tn_delta_table *t, tn_arena *a, const tn_delta_files *files, tn_err *err)
{
    tn_str root = tn_store_locate(t->store, a, TN_STR(""));
    if (tn_uri_is_remote(root) || files->n == 0) {
        return TN_OK;
    }
    tn_map folders = tn_map_init(a);
    for (size_t i = 0; i < files->n; i++) {
        tn_str path;
        TN_TRY(tn_delta_locate(t->store, a, files->v[i].path, &path, err));
        TN_TRY(tn_file_fsync(path, err));
        tn_str dir = tn_path_dir(path);
        while (dir.n >= root.n && tn_map_find(&folders, dir) == NULL) {
            tn_map_put(&folders, dir, &folders);
            TN_TRY(tn_file_fsync(dir, err));
            dir = tn_path_dir(dir);
        }
    }
    return TN_OK;
}

/* Removes every file with the token in its name: after a failure nobody knows how far COPY came. */
static void sweep(tn_delta_table *t, tn_str token)
{
    TN_AUTO_ARENA a = tn_arena_new("delta sweep", NULL);
    tn_store_list_opts opts = { .flat = true };
    tn_store_items items = { 0 };
    tn_err why = TN_ERR_INIT;
    if (tn_store_list(t->store, a, &opts, &items, &why) != TN_OK) {
        tn_log(TN_LOG_WARN, "delta", "files of a failed write may be left: %s", why.msg);
        return;
    }
    for (size_t i = 0; i < items.n; i++) {
        if (tn_str_find(tn_path_base(items.v[i].key), token, 0) != SIZE_MAX &&
            tn_store_remove(t->store, items.v[i].key, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "delta", "'" TN_STR_FMT "' is left of a failed write: %s",
                TN_STR_ARG(items.v[i].key), why.msg);
        }
    }
}

static tn_rc run_copy(tn_delta_table *t, tn_conn *conn, tn_arena *a, const tn_delta_target *to,
    tn_str sql, tn_delta_files *files, int64_t *rows, tn_err *err)
{
    TN_AUTOPTR(tn_result) res = NULL;
    tn_rc rc = tn_conn_work(conn, sql, &res, err);
    if (rc == TN_E_SQL && err != NULL &&
        strstr(err->msg, "a row violates the constraint '") != NULL) {
        err->rc = TN_E_DATA;
        return TN_E_DATA;
    }
    TN_TRY(rc);
    if (tn_result_cols(res) < COLS) {
        return tn_fail(err, TN_E_BUG, "COPY returned no statistics");
    }
    size_t n = 0;
    do {
        TN_TRY(tn_result_next(res, &n, err));
        for (size_t i = 0; i < n; i++) {
            TN_TRY(take_file(t, a, to, res, i, files, rows, err));
        }
        if (files->n > COPY_FILES_MAX) {
            return tn_fail(err, TN_E_LIMIT, "one write may make at most %d files", COPY_FILES_MAX);
        }
    } while (n > 0);
    return make_durable(t, a, files, err);
}

tn_rc tn_delta_files_write(tn_delta_table *t, tn_conn *conn, tn_arena *a, tn_delta_target *target,
    int64_t target_bytes, tn_delta_files *ret, int64_t *ret_rows, tn_err *err)
{
    tn_str token = tn_str_sub(tn_uuid4(a), 0, 8);
    tn_str sql;
    TN_TRY(copy_sql(t, a, target, target_bytes, token, &sql, err));
    TN_TRY(tn_store_prepare(t->store, TN_STR("_delta_log/0"), err));
    if (target->dir.n > 0) {
        TN_TRY(tn_store_prepare(
            t->store, tn_str_printf(a, TN_STR_FMT "/0", TN_STR_ARG(target->dir)), err));
    }
    tn_delta_files files = { 0 };
    int64_t rows = 0;
    tn_rc rc = run_copy(t, conn, a, target, sql, &files, &rows, err);
    for (size_t i = 0; rc == TN_OK && rows > 0 && i < target->identities.n; i++) {
        rc = tn_delta_identity_took(a, &target->meta, target->identities.v[i], rows, err);
        target->meta_is_new = true;
    }
    if (rc != TN_OK) {
        sweep(t, token);
        return rc;
    }
    *ret = files;
    *ret_rows = rows;
    return TN_OK;
}

void tn_delta_files_discard(tn_delta_table *t, const tn_delta_files *files)
{
    TN_AUTO_ARENA a = tn_arena_new("delta discard", NULL);
    for (size_t i = 0; i < files->n; i++) {
        tn_str key;
        tn_err why = TN_ERR_INIT;
        if (tn_delta_path_decode(a, files->v[i].path, &key, &why) != TN_OK ||
            tn_store_remove(t->store, key, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "delta", "'" TN_STR_FMT "' could not be removed: %s",
                TN_STR_ARG(files->v[i].path), why.msg);
        }
    }
}
