/* delta_replace.c: an overwrite of a part of a table: of the rows of a predicate, or of the partitions that the new rows have.
 *
 *     new rows -> COPY (each checked against the predicate) -> what goes: whole files where partition values decide, else the rows
 *     found by the predicate, by deletion vector or by writing the rest of their files anew -> one commit
 * It is not run again by itself after a conflict: the SELECT may have read the table as it was.
 */
#include "delta/write/delta_replace.h"
#include "delta/action/delta_action.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/files/delta_target.h"
#include "delta/log/delta_log.h"
#include "text/json.h"

typedef struct replace {
    tn_str select;
    const tn_delta_write_opts *opts;
    tn_delta_target target;
    int64_t rows, files, bytes;
} replace;

static void describe(const replace *r, tn_dml *d)
{
    const tn_delta_write_opts *o = r->opts;
    d->operation = o->operation.n > 0 ? o->operation : TN_STR("WRITE");
    if (o->operation_parameters.tag == TN_DICT) {
        d->parameters = o->operation_parameters;
        return;
    }
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    const tn_strs *by = &d->s->meta.partition_columns;
    tn_buf_addc(&b, '[');
    for (size_t i = 0; i < by->n; i++) {
        tn_buf_addz(&b, i > 0 ? "," : "");
        tn_json_add_str(&b, by->v[i]);
    }
    tn_buf_addc(&b, ']');
    tn_dict *p = d->parameters.dict;
    tn_dict_putz(p, "mode", tn_val_z("Overwrite"));
    tn_dict_putz(p, "partitionBy", tn_val_str(tn_buf_str(&b)));
    if (o->replace_where.n > 0) {
        tn_dict_putz(p, "predicate", tn_val_str(tn_str_trim(o->replace_where)));
    }
}

static tn_rc write_new(replace *r, tn_dml *d, tn_delta_files *ret, tn_err *err)
{
    tn_delta_files files = { 0 };
    r->target = (tn_delta_target){ .protocol_is_new = false };
    TN_TRY(tn_delta_target_make(d->a, d->s, d->conn, r->select, r->opts, &r->target, err));
    TN_TRY(tn_delta_files_write(
        d->t, d->conn, d->a, &r->target, r->opts->target_file_bytes, &files, &r->rows, err));
    tn_dml_take_files(d, &files);
    d->new_files = (int64_t)files.n;
    d->new_bytes = d->bytes_added;
    d->protocol = r->target.protocol_is_new ? &r->target.protocol : NULL;
    d->meta = r->target.meta_is_new ? &r->target.meta : NULL;
    r->files = d->new_files;
    r->bytes = d->new_bytes;
    *ret = files;
    return r->opts->before_commit == NULL
               ? TN_OK
               : r->opts->before_commit(r->opts->before_commit_self, d->conn, r->rows, err);
}

static tn_rc run_replace(void *self, tn_dml *d, tn_err *err)
{
    replace *r = self;
    tn_delta_files fresh = { 0 };
    bool whole_files = true;
    d->overwrites = true;
    describe(r, d);
    TN_TRY(tn_dml_open(d, "an overwrite", err));
    TN_TRY(write_new(r, d, &fresh, err));
    d->fresh = &fresh;
    if (r->opts->dynamic_partitions) {
        TN_TRY(tn_dml_cover_partitions(d, &fresh, err));
    } else {
        d->where = tn_str_trim(r->opts->replace_where);
        TN_TRY(tn_dml_cover_where(d, d->where, &whole_files, err));
    }
    if (whole_files) {
        TN_TRY(tn_dml_apply_all(d, err));
    } else {
        tn_dml_act act = { .when = TN_MERGE_MATCHED, .what = TN_ACT_DELETE };
        tn_vec_push(&d->acts, d->a, act);
        TN_TRY(tn_dml_pick(d, err));
        TN_TRY(tn_dml_find_rows(d, d->where, NULL, err));
        TN_TRY(tn_dml_apply(d, err));
    }
    d->fresh = NULL;
    d->inserted = r->rows;
    return TN_OK;
}

tn_rc tn_delta_replace(tn_delta_table *t, tn_conn *conn, tn_str select_sql,
    const tn_delta_write_opts *opts, tn_delta_write_result *ret, tn_err *err)
{
    replace r = { .select = select_sql, .opts = opts };
    tn_delta_dml_opts o = { .conflict_tries = 1,
        .app_id = opts->app_id,
        .txn_version = opts->txn_version,
        .user_metadata = opts->user_metadata,
        .target_file_bytes = opts->target_file_bytes };
    tn_delta_dml_result done;
    TN_TRY(tn_dml_run(t, conn, &o, run_replace, &r, &done, err));
    *ret = (tn_delta_write_result){ .version = done.version,
        .rows = done.inserted,
        .files = r.files,
        .bytes = r.bytes,
        .deleted = done.deleted,
        .skipped = done.skipped };
    return TN_OK;
}
