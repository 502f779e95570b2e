/* delta_dml_feed.c: change data files: what a statement did to rows, for tables with delta.enableChangeDataFeed=true.
 *
 * A commit needs them when its adds and removes alone do not tell: rows that were updated, or gone from files of which others stay. Then all of
 * its changes go to them, because readers of a commit with cdc actions look at nothing else. Columns as in data files, plus _change_type.
 * Rows as they were are kept in `hits` (_tarn_o0, ..); rows as they are come from the same columns as the new data files.
 */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/files/delta_target.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "text/sqltext.h"

#define FOLDER TN_STR("_change_data")
#define CHANGE_TYPE TN_STR("_change_type")

bool tn_dml_feed_is_on(const tn_delta_meta *m)
{
    return tn_delta_property_is(m, "delta.enableChangeDataFeed", "true");
}

void tn_dml_add_old_row(const tn_dml *d, tn_buf *b, bool there)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    for (size_t i = 0; d->feed && i < fields->n; i++) {
        tn_buf_addz(b, ", ");
        if (there) {
            tn_sql_ident(b, d->alias);
            tn_buf_addc(b, '.');
            tn_sql_ident(b, fields->v[i].name);
        } else {
            tn_dml_add_value(b, fields->v[i].type, TN_STR("NULL"));
        }
        tn_buf_addf(b, " AS _tarn_o%zu", i);
    }
    if (tn_delta_rows_enabled(&d->s->protocol, &d->s->meta)) {
        tn_buf_addz(b, ", ");
        if (there) {
            tn_sql_ident(b, d->alias);
            tn_buf_addz(b, "._tarn_id AS _tarn_i");
        } else {
            tn_buf_addz(b, "CAST(NULL AS BIGINT) AS _tarn_i");
        }
    }
}

/* Rows of `hits` that acts of one kind made, as `type`. old: as they were. */
static void add_part(const tn_dml *d, tn_buf *b, int what, bool old, const char *type)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    tn_buf acts = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = 0; i < d->acts.n; i++) {
        if ((int)d->acts.v[i].what == what && d->acts.v[i].rows > 0) {
            tn_buf_addf(&acts, "%s%zu", acts.n > 0 ? ", " : "", i + 1);
        }
    }
    if (acts.n == 0) {
        return;
    }
    tn_buf_addz(b, b->n > 0 ? " UNION ALL SELECT " : "SELECT ");
    for (size_t i = 0; i < fields->n; i++) {
        tn_buf_addf(b, "_tarn_%c%zu AS ", old ? 'o' : 'v', i);
        tn_sql_ident(b, fields->v[i].name);
        tn_buf_addz(b, ", ");
    }
    tn_buf_addf(b, "'%s' AS ", type);
    tn_sql_ident(b, CHANGE_TYPE);
    tn_buf_addf(b, " FROM " TN_STR_FMT " WHERE _tarn_k IN (" TN_STR_FMT ")", TN_STR_ARG(d->hits),
        TN_STR_ARG(tn_buf_str(&acts)));
}

/* The rows of an overwrite, read back from their files: the SELECT is not run twice. */
static tn_rc add_fresh(tn_dml *d, tn_buf *b, tn_err *err)
{
    if (d->fresh == NULL || d->fresh->n == 0) {
        return TN_OK;
    }
    tn_str scan;
    tn_delta_snapshot with = *d->s;
    with.meta = d->meta != NULL ? *d->meta : d->s->meta;
    with.protocol = d->protocol != NULL ? *d->protocol : d->s->protocol;
    with.files = *d->fresh;
    TN_TRY(tn_delta_scan_sql(&with, d->a, &(tn_delta_scan_opts){ .conn = d->conn }, &scan, err));
    tn_buf_addz(
        b, b->n > 0 ? " UNION ALL BY NAME SELECT *, 'insert' AS " : "SELECT *, 'insert' AS ");
    tn_sql_ident(b, CHANGE_TYPE);
    tn_buf_addz(b, " FROM (");
    tn_buf_add(b, scan);
    tn_buf_addz(b, ")");
    return TN_OK;
}

tn_rc tn_dml_write_feed(tn_dml *d, bool partly, tn_err *err)
{
    if (!d->feed || (!partly && d->updated == 0)) {
        return TN_OK;
    }
    if (tn_delta_field_find(d->s->meta.schema, CHANGE_TYPE) != NULL) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the table has a column '_change_type', which the change data feed needs for itself");
    }
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    add_part(d, &b, TN_ACT_DELETE, true, "delete");
    add_part(d, &b, TN_ACT_UPDATE, true, "update_preimage");
    add_part(d, &b, TN_ACT_UPDATE, false, "update_postimage");
    add_part(d, &b, TN_ACT_INSERT, false, "insert");
    TN_TRY(add_fresh(d, &b, err));
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the change data", &sql, err));
    tn_delta_write_opts append = { .mode = TN_DELTA_APPEND,
        .schema_mode = d->meta != NULL ? TN_SCHEMA_MERGE : TN_SCHEMA_STRICT };
    tn_delta_target to = { .unchecked = true, .file_name = TN_STR("cdc") };
    tn_vec_push(&to.extra, d->a, CHANGE_TYPE);
    int64_t rows;
    TN_TRY(tn_delta_target_make(d->a, d->s, d->conn, sql, &append, &to, err));
    to.dir = FOLDER;
    return tn_delta_files_write(
        d->t, d->conn, d->a, &to, d->opts->target_file_bytes, &d->changes, &rows, err);
}
