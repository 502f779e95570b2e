/* delta_dml_apply.c: from the rows that a statement found to the actions of its commit.
 *
 * For each file that loses rows: all of them gone -> a plain remove; deletion vectors allowed -> remove and add of the same path, the
 * new vector being the old one and the found rows together; else the file is removed and its other rows are written anew.
 * The new rows of all acts and the rows written anew go through one COPY, with the checks of an append.
 */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/files/delta_target.h"
#include "delta/log/delta_rows.h"
#include "os/clock.h"
#include "text/sqltext.h"

enum { ROWS_A_CELL_BITS = 16 };

/* One file of d->files that loses rows. */
typedef struct touched {
    tn_delta_rowset *rows; /* found now; NULL: the file is not touched */
    int64_t physical;      /* rows in the file; -1: not known yet */
    bool rewrite;
} touched;

static const tn_delta_file *file_at(const tn_dml *d, size_t i)
{
    return &d->s->files.v[d->files.v[i]];
}

static int64_t vector_rows(const tn_delta_file *f)
{
    return f->dv.storage != 0 ? f->dv.cardinality : 0;
}

/* ---- what was found ---- */

static tn_rc take_rows(tn_dml *d, tn_val file, tn_val rows, touched *files, tn_err *err)
{
    TN_CHECK(file.tag == TN_INT && file.i >= 0 && (size_t)file.i < d->files.n);
    touched *t = &files[file.i];
    if (t->rows == NULL) {
        t->rows = tn_delta_rowset_new(d->a);
    }
    for (size_t i = 0; i < rows.list->n; i++) {
        TN_TRY(tn_delta_rowset_add(t->rows, (uint64_t)rows.list->v[i].i, err));
    }
    return TN_OK;
}

/* Lists of at most 2^ROWS_A_CELL_BITS rows, so that one cell is never large. */
static tn_rc read_rows(tn_dml *d, touched *files, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta dml rows", NULL);
    TN_AUTOPTR(tn_result) res = NULL;
    tn_str sql = tn_str_printf(d->a,
        "SELECT _tarn_f, list(_tarn_r) FROM " TN_STR_FMT
        " WHERE _tarn_f IS NOT NULL GROUP BY _tarn_f, _tarn_r >> %d",
        TN_STR_ARG(d->hits), ROWS_A_CELL_BITS);
    TN_TRY(tn_conn_stream(d->conn, sql, &res, err));
    size_t n = 0;
    do {
        TN_TRY(tn_result_next(res, &n, err));
        for (size_t i = 0; i < n; i++) {
            tn_arena_reset(scratch);
            tn_val file = tn_result_cell(res, scratch, 0, i);
            TN_TRY(take_rows(d, file, tn_result_cell(res, scratch, 1, i), files, err));
        }
    } while (n > 0);
    return TN_OK;
}

static tn_rc count_acts(tn_dml *d, tn_err *err)
{
    tn_val rows;
    tn_str sql = tn_str_printf(d->a,
        "SELECT _tarn_k, count(*) FROM " TN_STR_FMT " WHERE _tarn_k > 0 GROUP BY _tarn_k",
        TN_STR_ARG(d->hits));
    TN_TRY(tn_conn_rows(d->conn, d->a, sql, d->acts.n, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        const tn_val *pair = rows.list->v[i].list->v;
        TN_CHECK(pair[0].i >= 1 && (size_t)pair[0].i <= d->acts.n);
        tn_dml_act *act = &d->acts.v[pair[0].i - 1];
        act->rows = pair[1].i;
        d->deleted += act->what == TN_ACT_DELETE ? act->rows : 0;
        d->updated += act->what == TN_ACT_UPDATE ? act->rows : 0;
        d->inserted += act->what == TN_ACT_INSERT ? act->rows : 0;
    }
    return TN_OK;
}

/* Statistics say how many rows a file has; where they do not, its footer does. */
static tn_rc count_physical(tn_dml *d, touched *files, tn_err *err)
{
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_map unknown = tn_map_init(d->a);
    tn_buf_addz(&b, "SELECT file_name, num_rows FROM parquet_file_metadata([");
    for (size_t i = 0; i < d->files.n; i++) {
        if (files[i].rows == NULL) {
            continue;
        }
        tn_str location;
        files[i].physical = tn_delta_stats_rows(file_at(d, i));
        if (files[i].physical >= 0) {
            continue;
        }
        TN_TRY(tn_delta_locate(d->s->store, d->a, file_at(d, i)->path, &location, err));
        tn_buf_addz(&b, unknown.n > 0 ? ", " : "");
        tn_delta_sql_location(&b, location);
        tn_map_put(&unknown, location, &files[i]);
    }
    tn_buf_addz(&b, "])");
    if (unknown.n == 0) {
        return TN_OK;
    }
    tn_val rows;
    TN_TRY(tn_conn_rows(d->conn, d->a, tn_buf_str(&b), unknown.n, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        touched *t = tn_map_find(&unknown, tn_val_as_str(rows.list->v[i].list->v[0]));
        if (t != NULL) {
            t->physical = rows.list->v[i].list->v[1].i;
        }
    }
    return TN_OK;
}

/* ---- what comes of a file ---- */

static void remove_file(tn_dml *d, const tn_delta_file *f)
{
    tn_vec_push(&d->removes, d->a, tn_delta_remove_of(f, tn_clock_now_ms()));
    d->bytes_removed += f->size;
}

static tn_rc mark_rows(tn_dml *d, const tn_delta_file *f, touched *t, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta dv", NULL);
    int64_t found = tn_delta_rowset_count(t->rows);
    if (f->dv.storage != 0) {
        uint64_t *old;
        size_t n;
        TN_TRY(tn_delta_dv_read(d->s->store, scratch, &f->dv, &old, &n, err));
        for (size_t i = 0; i < n; i++) {
            TN_TRY(tn_delta_rowset_add(t->rows, old[i], err));
        }
    }
    TN_CHECK(tn_delta_rowset_count(t->rows) == found + vector_rows(f));
    if (d->dvs.arena == NULL) {
        d->dvs = tn_delta_dv_file_init(d->a);
    }
    tn_delta_file add = *f;
    add.data_change = true;
    TN_TRY(tn_delta_stats_loosen(d->a, f, t->physical, &add.stats, err));
    TN_TRY(tn_delta_dv_append(&d->dvs, t->rows, &add.dv, err));
    tn_vec_push(&d->removes, d->a, tn_delta_remove_of(f, tn_clock_now_ms()));
    tn_vec_push(&d->adds, d->a, add);
    d->dv_added += f->dv.storage == 0 ? 1 : 0;
    d->dv_updated += f->dv.storage != 0 ? 1 : 0;
    return TN_OK;
}

/* *ret_partly: a file keeps some of its rows. */
static tn_rc decide(tn_dml *d, touched *files, bool *ret_rewrite, bool *ret_partly, tn_err *err)
{
    bool vectors = tn_delta_has_feature(&d->s->protocol, "deletionVectors") &&
                   tn_delta_property_is(&d->s->meta, "delta.enableDeletionVectors", "true");
    for (size_t i = 0; i < d->files.n; i++) {
        touched *t = &files[i];
        if (t->rows == NULL) {
            continue;
        }
        const tn_delta_file *f = file_at(d, i);
        int64_t gone = tn_delta_rowset_count(t->rows) + vector_rows(f);
        if (t->physical < 0 || gone > t->physical) {
            return tn_fail(err, TN_E_CORRUPT,
                "the statistics of the file '" TN_STR_FMT
                "' say %lld rows, but it has %lld or more",
                TN_STR_ARG(f->path), (long long)t->physical, (long long)gone);
        }
        /* A file that goes with its vector would tell too, but readers are about that take the vector's rows for those that go. */
        *ret_partly = *ret_partly || gone < t->physical || f->dv.storage != 0;
        if (gone < t->physical && vectors) {
            TN_TRY(mark_rows(d, f, t, err));
            continue;
        }
        t->rewrite = gone < t->physical;
        *ret_rewrite = *ret_rewrite || t->rewrite;
        d->dv_removed += f->dv.storage != 0 ? 1 : 0;
        remove_file(d, f);
    }
    return TN_OK;
}

/* ---- new files ---- */

static void add_columns(const tn_dml *d, tn_buf *b, bool from_hits)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        if (from_hits) {
            tn_buf_addf(b, "_tarn_v%zu AS ", i);
        }
        tn_sql_ident(b, fields->v[i].name);
    }
    /* A row that is updated keeps its id and gets the version of the commit, which is what NULL says. */
    tn_delta_rows_add_columns(
        b, d->s, from_hits ? "_tarn_i" : "_tarn_id", from_hits ? "NULL" : "_tarn_version");
}

static void add_kept_rows(tn_dml *d, tn_buf *b, tn_str scan)
{
    tn_buf_addz(b, "SELECT ");
    add_columns(d, b, false);
    tn_buf_addz(b, " FROM (");
    tn_buf_add(b, scan);
    tn_buf_addf(b,
        ") AS kept ANTI JOIN " TN_STR_FMT
        " AS hits ON hits._tarn_r = kept._tarn_row AND hits._tarn_f = ",
        TN_STR_ARG(d->hits));
    tn_dml_add_file(d, b, TN_STR("kept"));
}

static void add_new_rows(tn_dml *d, tn_buf *b)
{
    tn_buf_addz(b, "SELECT ");
    add_columns(d, b, true);
    tn_buf_addf(b, " FROM " TN_STR_FMT " WHERE _tarn_k IN (NULL", TN_STR_ARG(d->hits));
    for (size_t i = 0; i < d->acts.n; i++) {
        if (d->acts.v[i].what != TN_ACT_DELETE) {
            tn_buf_addf(b, ", %zu", i + 1);
        }
    }
    tn_buf_addc(b, ')');
}

static tn_rc write_files(tn_dml *d, const touched *files, bool rewrite, tn_err *err)
{
    bool fresh = d->writes && d->updated + d->inserted > 0;
    if (!rewrite && !fresh) {
        return TN_OK;
    }
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_str sql;
    if (rewrite) {
        bool *only = tn_arena_zalloc(d->a, d->s->files.n + 1);
        for (size_t i = 0; i < d->files.n; i++) {
            only[d->files.v[i]] = files[i].rewrite;
        }
        TN_TRY(tn_dml_scan(d, only, &sql, err));
        add_kept_rows(d, &b, sql);
    }
    if (fresh) {
        tn_buf_addz(&b, rewrite ? " UNION ALL " : "");
        add_new_rows(d, &b);
    }
    TN_TRY(tn_buf_finish(&b, "a statement", &sql, err));
    static const tn_delta_write_opts append = { .mode = TN_DELTA_APPEND };
    tn_delta_target target = { .filled = true };
    tn_delta_files files_written = { 0 };
    int64_t rows = 0;
    tn_delta_rows_extra(d->a, d->s, &target.extra);
    TN_TRY(tn_delta_target_make(d->a, d->s, d->conn, sql, &append, &target, err));
    TN_TRY(tn_delta_files_write(
        d->t, d->conn, d->a, &target, d->opts->target_file_bytes, &files_written, &rows, err));
    d->copied = rows - d->updated - d->inserted;
    tn_dml_take_files(d, &files_written);
    return TN_OK;
}

void tn_dml_take_files(tn_dml *d, const tn_delta_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        d->bytes_added += files->v[i].size;
        tn_vec_push(&d->data, d->a, files->v[i]);
        tn_vec_push(&d->adds, d->a, files->v[i]);
    }
}

tn_rc tn_dml_apply(tn_dml *d, tn_err *err)
{
    d->scanned_us = tn_clock_mono_us();
    touched *files = tn_new_array(d->a, touched, d->files.n + 1);
    bool rewrite = false, partly = false;
    TN_TRY(tn_dml_fill(d, err));
    TN_TRY(read_rows(d, files, err));
    TN_TRY(count_acts(d, err));
    TN_TRY(count_physical(d, files, err));
    TN_TRY(decide(d, files, &rewrite, &partly, err));
    TN_TRY(write_files(d, files, rewrite, err));
    TN_TRY(tn_dml_write_feed(d, partly, err));
    if (d->dvs.arena != NULL) {
        d->dvs_there = true;
        TN_TRY(tn_delta_dv_put(&d->dvs, d->t->store, err));
    }
    return TN_OK;
}

tn_rc tn_dml_apply_all(tn_dml *d, tn_err *err)
{
    d->scanned_us = tn_clock_mono_us();
    touched *files = tn_new_array(d->a, touched, d->files.n + 1);
    for (size_t i = 0; i < d->files.n; i++) {
        files[i].rows = tn_delta_rowset_new(d->a);
    }
    TN_TRY(count_physical(d, files, err));
    for (size_t i = 0; i < d->files.n; i++) {
        d->deleted += files[i].physical - vector_rows(file_at(d, i));
        d->dv_removed += file_at(d, i)->dv.storage != 0 ? 1 : 0;
        remove_file(d, file_at(d, i));
    }
    return TN_OK;
}

void tn_dml_discard(tn_dml *d)
{
    tn_delta_files_discard(d->t, &d->data);
    tn_delta_files_discard(d->t, &d->changes);
    tn_err why = TN_ERR_INIT;
    if (d->dvs_there && tn_store_remove(d->t->store, d->dvs.key, &why) != TN_OK) {
        tn_log(TN_LOG_WARN, "delta", "'" TN_STR_FMT "' could not be removed: %s",
            TN_STR_ARG(d->dvs.key), why.msg);
    }
}

bool tn_dml_is_empty(const tn_dml *d)
{
    return d->adds.n == 0 && d->removes.n == 0;
}

/* ---- operationMetrics, by the reference's names; values are texts ---- */

static void put(const tn_dml *d, tn_val m, const char *name, int64_t v)
{
    tn_dict_putz(m.dict, name, tn_val_str(tn_str_printf(d->a, "%lld", (long long)v)));
}

static int64_t rows_of(const tn_dml *d, tn_merge_when when, int what)
{
    int64_t n = 0;
    for (size_t i = 0; i < d->acts.n; i++) {
        n += d->acts.v[i].when == when && (int)d->acts.v[i].what == what ? d->acts.v[i].rows : 0;
    }
    return n;
}

static void put_merge(const tn_dml *d, tn_val m)
{
    put(d, m, "numSourceRows", d->source_rows);
    put(d, m, "numTargetRowsInserted", d->inserted);
    put(d, m, "numTargetRowsUpdated", d->updated);
    put(d, m, "numTargetRowsDeleted", d->deleted);
    put(d, m, "numTargetRowsMatchedUpdated", rows_of(d, TN_MERGE_MATCHED, TN_ACT_UPDATE));
    put(d, m, "numTargetRowsMatchedDeleted", rows_of(d, TN_MERGE_MATCHED, TN_ACT_DELETE));
    put(d, m, "numTargetRowsNotMatchedBySourceUpdated",
        rows_of(d, TN_MERGE_NOT_MATCHED_BY_SOURCE, TN_ACT_UPDATE));
    put(d, m, "numTargetRowsNotMatchedBySourceDeleted",
        rows_of(d, TN_MERGE_NOT_MATCHED_BY_SOURCE, TN_ACT_DELETE));
    put(d, m, "numTargetRowsCopied", d->copied);
    put(d, m, "numOutputRows", d->copied + d->inserted + d->updated);
}

static void put_overwrite(const tn_dml *d, tn_val m)
{
    put(d, m, "numFiles", d->new_files);
    put(d, m, "numOutputRows", d->inserted);
    put(d, m, "numOutputBytes", d->new_bytes);
}

tn_val tn_dml_metrics(const tn_dml *d)
{
    tn_val m = tn_val_dict(d->a);
    bool merge = tn_str_is(d->operation, "MERGE");
    int64_t now = tn_clock_mono_us();
    int64_t whole_removed = (int64_t)d->removes.n - d->dv_added - d->dv_updated;
    if (merge) {
        put_merge(d, m);
    } else {
        if (d->overwrites) {
            put_overwrite(d, m);
        }
        bool update = tn_str_is(d->operation, "UPDATE");
        put(d, m, update ? "numUpdatedRows" : "numDeletedRows", update ? d->updated : d->deleted);
        put(d, m, "numCopiedRows", d->copied);
    }
    put(d, m, merge ? "numTargetChangeFilesAdded" : "numAddedChangeFiles", (int64_t)d->changes.n);
    put(d, m, merge ? "numTargetFilesAdded" : "numAddedFiles", (int64_t)d->data.n);
    put(d, m, merge ? "numTargetFilesRemoved" : "numRemovedFiles", whole_removed);
    put(d, m, merge ? "numTargetBytesAdded" : "numAddedBytes", d->bytes_added);
    put(d, m, merge ? "numTargetBytesRemoved" : "numRemovedBytes", d->bytes_removed);
    put(d, m, merge ? "numTargetDeletionVectorsAdded" : "numDeletionVectorsAdded",
        d->dv_added + d->dv_updated);
    put(d, m, merge ? "numTargetDeletionVectorsRemoved" : "numDeletionVectorsRemoved",
        d->dv_removed + d->dv_updated);
    put(d, m, merge ? "numTargetDeletionVectorsUpdated" : "numDeletionVectorsUpdated",
        d->dv_updated);
    put(d, m, "executionTimeMs", (now - d->started_us) / 1000);
    put(d, m, "scanTimeMs", (d->scanned_us - d->started_us) / 1000);
    put(d, m, "rewriteTimeMs", (now - d->scanned_us) / 1000);
    return m;
}
