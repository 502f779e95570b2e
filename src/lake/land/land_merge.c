/* land_merge.c: landing by key (--mode merge): rows with a new key are added, rows whose values differ are updated, the rest stays.
 *
 * The files are read once, into a temporary table. Each key may be in them once and has no NULL: otherwise it is not clear which row is meant, and
 * nothing is loaded. _source_file and _loaded_at do not count as a difference; a row that is updated gets the new ones.
 */
#include "delta/delta_dml.h"
#include "lake/land/land_read.h"
#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 512 << 20, KEYS_SHOWN = 3 };

typedef struct merging {
    tn_conn *conn;
    tn_arena *a;
    const tn_land_opts *opts;
    tn_str rows; /* quoted name of the temporary table */
    tn_strs columns;
} merging;

static bool is_key(const merging *m, tn_str column)
{
    for (size_t i = 0; i < m->opts->key.n; i++) {
        if (tn_str_eq_nocase(m->opts->key.v[i], column)) {
            return true;
        }
    }
    return false;
}

static bool has_column(const merging *m, tn_str column)
{
    for (size_t i = 0; i < m->columns.n; i++) {
        if (tn_str_eq_nocase(m->columns.v[i], column)) {
            return true;
        }
    }
    return false;
}

static void add_qualified(tn_buf *b, const char *alias, tn_str column)
{
    tn_buf_addf(b, "%s.", alias);
    tn_sql_ident(b, column);
}

/* ---- the keys ---- */

static void add_keys(const merging *m, tn_buf *b, const char *between, const char *after)
{
    for (size_t i = 0; i < m->opts->key.n; i++) {
        tn_buf_addz(b, i > 0 ? between : "");
        tn_sql_ident(b, m->opts->key.v[i]);
        tn_buf_addz(b, after);
    }
}

static tn_rc check_columns(merging *m, const tn_delta_type *table, tn_err *err)
{
    tn_val list;
    TN_TRY(
        tn_conn_describe(m->conn, m->a, tn_str_concat(m->a, TN_STR("FROM "), m->rows), &list, err));
    for (size_t i = 0; i < list.list->n; i++) {
        tn_vec_push(&m->columns, m->a, tn_val_as_str(list.list->v[i].list->v[0]));
    }
    for (size_t i = 0; i < m->opts->key.n; i++) {
        if (!has_column(m, m->opts->key.v[i])) {
            return tn_fail(err, TN_E_NAME, "the files have no column '" TN_STR_FMT "' for the key",
                TN_STR_ARG(m->opts->key.v[i]));
        }
    }
    for (size_t i = 0; table != NULL && i < m->columns.n; i++) {
        bool found = false;
        for (size_t k = 0; k < table->fields.n; k++) {
            found = found || tn_str_eq_nocase(table->fields.v[k].name, m->columns.v[i]);
        }
        if (!found) {
            tn_rc rc = tn_fail(err, TN_E_TYPE, "the table has no column '" TN_STR_FMT "'",
                TN_STR_ARG(m->columns.v[i]));
            return tn_hint(err, rc, "add it by an append with --schema-mode merge first");
        }
    }
    return TN_OK;
}

static tn_rc check_keys(const merging *m, tn_err *err)
{
    tn_val rows;
    tn_buf b = tn_buf_init(m->a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT count(*) FROM ");
    tn_buf_add(&b, m->rows);
    tn_buf_addz(&b, " WHERE ");
    add_keys(m, &b, " OR ", " IS NULL");
    TN_TRY(tn_conn_scalar(m->conn, m->a, tn_buf_str(&b), &rows, err));
    if (rows.i > 0) {
        return tn_fail(err, TN_E_DATA,
            "%lld row%s of the files %s no value in the key; nothing was loaded", (long long)rows.i,
            rows.i == 1 ? "" : "s", rows.i == 1 ? "has" : "have");
    }
    b = tn_buf_init(m->a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT concat_ws(', ', ");
    add_keys(m, &b, ", ", "");
    tn_buf_addz(&b, "), count(*) FROM ");
    tn_buf_add(&b, m->rows);
    tn_buf_addz(&b, " GROUP BY ");
    add_keys(m, &b, ", ", "");
    tn_buf_addf(&b, " HAVING count(*) > 1 ORDER BY 2 DESC, 1 LIMIT %d", KEYS_SHOWN);
    TN_TRY(tn_conn_rows(m->conn, m->a, tn_buf_str(&b), KEYS_SHOWN, &rows, NULL, err));
    if (rows.list->n == 0) {
        return TN_OK;
    }
    tn_buf shown = tn_buf_init(m->a, SQL_BYTES_MAX);
    for (size_t i = 0; i < rows.list->n; i++) {
        const tn_val *v = rows.list->v[i].list->v;
        tn_buf_addf(&shown, "%s'" TN_STR_FMT "' (%lld times)", i > 0 ? ", " : "",
            TN_STR_ARG(tn_val_as_str(v[0])), (long long)v[1].i);
    }
    tn_rc rc = tn_fail(err, TN_E_DATA,
        "keys are in the files more than once; nothing was loaded: " TN_STR_FMT,
        TN_STR_ARG(tn_buf_str(&shown)));
    return tn_hint(err, rc, "name all columns that make a row unique with --key a,b");
}

/* ---- the merge ---- */

static void fill_spec(const merging *m, tn_delta_merge_spec *spec)
{
    tn_buf on = tn_buf_init(m->a, SQL_BYTES_MAX);
    tn_buf differ = tn_buf_init(m->a, SQL_BYTES_MAX);
    tn_merge_clause update = { .when = TN_MERGE_MATCHED, .what = TN_MERGE_UPDATE };
    tn_merge_clause insert = { .when = TN_MERGE_NOT_MATCHED, .what = TN_MERGE_INSERT };
    for (size_t i = 0; i < m->columns.n; i++) {
        tn_str c = m->columns.v[i];
        tn_buf value = tn_buf_init(m->a, SQL_BYTES_MAX);
        add_qualified(&value, "source", c);
        tn_delta_set set = { .column = c, .value = tn_buf_str(&value) };
        tn_vec_push(&insert.sets, m->a, set);
        tn_buf *b = is_key(m, c) ? &on : &differ;
        if (!is_key(m, c)) {
            tn_vec_push(&update.sets, m->a, set);
        }
        if (tn_str_is(c, "_source_file") || tn_str_is(c, "_loaded_at")) {
            continue;
        }
        tn_buf_addz(b, b->n == 0 ? "" : is_key(m, c) ? " AND " : " OR ");
        add_qualified(b, "target", c);
        tn_buf_addz(b, is_key(m, c) ? " = " : " IS DISTINCT FROM ");
        add_qualified(b, "source", c);
    }
    spec->source = tn_str_concat(m->a, TN_STR("FROM "), m->rows);
    spec->on = tn_buf_str(&on);
    update.condition = tn_buf_str(&differ);
    if (differ.n > 0) {
        tn_vec_push(&spec->clauses, m->a, update);
    }
    tn_vec_push(&spec->clauses, m->a, insert);
}

static tn_rc create(const merging *m, tn_delta_table *table, tn_land_result *ret, tn_err *err)
{
    tn_delta_write_opts wo = { .mode = TN_DELTA_CREATE,
        .looked = true,
        .partition_by = m->opts->partition_by,
        .cluster_by = m->opts->cluster_by,
        .properties = m->opts->properties,
        .operation_parameters = TN_VAL_UNDEF,
        .user_metadata = TN_VAL_UNDEF };
    tn_delta_write_result wr;
    tn_str select = tn_str_concat(m->a, TN_STR("FROM "), m->rows);
    TN_TRY(tn_delta_write(table, m->conn, select, &wo, &wr, err));
    ret->version = wr.version;
    ret->rows = wr.rows;
    ret->files_written = wr.files;
    ret->bytes = wr.bytes;
    ret->created = true;
    return TN_OK;
}

static tn_rc merge_rows(
    const merging *m, tn_delta_table *table, tn_str app_id, tn_land_result *ret, tn_err *err)
{
    tn_delta_merge_spec spec = { .source = TN_STR_NONE };
    tn_delta_dml_opts o = { .app_id = app_id, .txn_version = 1, .user_metadata = TN_VAL_UNDEF };
    tn_delta_dml_result r;
    fill_spec(m, &spec);
    TN_TRY(tn_delta_merge(table, m->conn, &spec, &o, &r, err));
    ret->version = r.version;
    ret->rows = r.inserted + r.updated;
    ret->updated = r.updated;
    ret->files_written = r.files_added;
    ret->bytes = r.bytes_added;
    ret->skipped = r.skipped;
    return TN_OK;
}

tn_rc tn_land_merge(tn_delta_table *table, const tn_delta_snapshot *snap, tn_conn *conn,
    tn_arena *a, tn_str rows, const tn_land_opts *opts, tn_str app_id, tn_land_result *ret,
    tn_err *err)
{
    merging m = { .conn = conn, .a = a, .opts = opts, .rows = rows };
    TN_TRY(check_columns(&m, snap != NULL ? tn_delta_snapshot_meta(snap)->schema : NULL, err));
    TN_TRY(check_keys(&m, err));
    return snap == NULL ? create(&m, table, ret, err) : merge_rows(&m, table, app_id, ret, err);
}
