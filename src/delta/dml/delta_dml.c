/* delta_dml.c: DELETE and UPDATE, and what every change of rows does around its own work: open, refuse, pick files, commit, try again. */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_commit.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "delta/read/delta_prune.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/random.h"
#include "text/json.h"
#include "text/sqltext.h"

/* ---- opening ---- */

tn_rc tn_dml_find_missing(tn_dml *d, tn_err *err)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    tn_str *missing = tn_new_array(d->a, tn_str, fields->n + 1);
    for (size_t i = 0; i < fields->n; i++) {
        tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
        TN_TRY(tn_delta_missing_sql(&b, &fields->v[i], err));
        missing[i] = tn_buf_str(&b);
    }
    d->missing = missing;
    return TN_OK;
}

tn_rc tn_dml_open(tn_dml *d, const char *what, tn_err *err)
{
    const tn_delta_meta *m = &d->s->meta;
    TN_TRY(tn_delta_check_writable(&d->s->protocol, m, err));
    if (tn_delta_property_is(m, "delta.appendOnly", "true")) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "the table is append-only (delta.appendOnly): %s is not allowed", what);
        return tn_hint(err, rc, "set the property to false first");
    }
    d->feed = tn_dml_feed_is_on(m);
    return TN_OK;
}

tn_rc tn_dml_pick(tn_dml *d, tn_err *err)
{
    size_t n = d->s->files.n;
    d->keep = tn_arena_alloc(d->a, n + 1);
    memset(d->keep, 1, n + 1);
    TN_TRY(tn_delta_prune(d->s, d->conn, d->a, d->where, d->keep, err));
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "ENUM(");
    for (size_t i = 0; i < n; i++) {
        if (!d->keep[i]) {
            continue;
        }
        tn_str location;
        TN_TRY(tn_delta_locate(d->s->store, d->a, d->s->files.v[i].path, &location, err));
        tn_buf_addz(&b, d->files.n > 0 ? ", " : "");
        tn_sql_literal(&b, location);
        tn_vec_push(&d->files, d->a, i);
    }
    tn_buf_addc(&b, ')');
    return tn_buf_finish(&b, "a list of files", &d->enum_type, err);
}

tn_rc tn_dml_scan(tn_dml *d, const bool *only, tn_str *ret, tn_err *err)
{
    tn_delta_scan_opts o = { .add_file_columns = true,
        .add_row_ids = tn_delta_rows_enabled(&d->s->protocol, &d->s->meta),
        .conn = d->conn,
        .only = only != NULL ? only : d->keep };
    return tn_delta_scan_sql(d->s, d->a, &o, ret, err);
}

/* ---- text ---- */

void tn_dml_add_file(const tn_dml *d, tn_buf *b, tn_str alias)
{
    if (d->files.n == 0) {
        tn_buf_addz(b, "CAST(NULL AS INTEGER)");
        return;
    }
    tn_buf_addz(b, "CAST(enum_code(CAST(");
    tn_sql_ident(b, alias);
    tn_buf_addf(b, "._tarn_file AS " TN_STR_FMT ")) AS INTEGER)", TN_STR_ARG(d->enum_type));
}

void tn_dml_add_value(tn_buf *b, const tn_delta_type *type, tn_str value)
{
    tn_buf_addz(b, "CAST((");
    tn_buf_add(b, value);
    tn_buf_addz(b, "\n) AS ");
    tn_delta_type_to_sql(b, type);
    tn_buf_addc(b, ')');
}

const tn_str *tn_dml_set_of(const tn_delta_sets *sets, tn_str column)
{
    for (size_t i = 0; i < sets->n; i++) {
        if (tn_str_eq_nocase(sets->v[i].column, column)) {
            return &sets->v[i].value;
        }
    }
    return NULL;
}

tn_rc tn_dml_check_sets(const tn_dml *d, const tn_delta_sets *sets, tn_err *err)
{
    for (size_t i = 0; i < sets->n; i++) {
        tn_str name = sets->v[i].column;
        if (tn_delta_field_find(d->s->meta.schema, name) == NULL) {
            return tn_fail(
                err, TN_E_NAME, "the table has no column '" TN_STR_FMT "'", TN_STR_ARG(name));
        }
        if (tn_dml_set_of(sets, name) != &sets->v[i].value) {
            return tn_fail(
                err, TN_E_NAME, "the column '" TN_STR_FMT "' is set twice", TN_STR_ARG(name));
        }
    }
    return TN_OK;
}

tn_str tn_dml_temp_name(tn_arena *a, const char *kind)
{
    return tn_str_printf(a, "temp.\"_tarn_%s_%.8s\"", kind, tn_uuid4(a).p);
}

void tn_dml_drop(tn_conn *conn, tn_str name)
{
    if (name.n > 0) {
        TN_AUTO_ARENA a = tn_arena_new("drop", NULL);
        tn_str sql = tn_str_printf(a, "DROP TABLE IF EXISTS " TN_STR_FMT, TN_STR_ARG(name));
        tn_err why = TN_ERR_INIT;
        if (tn_conn_exec(conn, sql, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "delta", "a temporary table is left: %s", why.msg);
        }
    }
}

/* ---- committing ---- */

/* Whether a file that another writer added holds rows that this statement may have wanted. */
static bool would_read(void *self, const tn_delta_file *f)
{
    const tn_dml *d = self;
    TN_AUTO_ARENA a = tn_arena_new("delta dml", NULL);
    if (d->cover.n > 0) {
        bool covered = true;
        tn_err unclear = TN_ERR_INIT;
        return tn_dml_covered(d, f, &covered, &unclear) != TN_OK || covered;
    }
    tn_delta_snapshot one = *d->s;
    one.files = (tn_delta_files){ 0 };
    tn_vec_push(&one.files, a, *f);
    bool keep = true;
    tn_err ignored = TN_ERR_INIT;
    return tn_delta_prune(&one, d->conn, a, d->where, &keep, &ignored) != TN_OK || keep;
}

static tn_rc commit(tn_dml *d, int64_t *ret_version, tn_err *err)
{
    tn_map read = tn_map_init(d->a);
    for (size_t i = 0; i < d->files.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(d->a, d->s->files.v[d->files.v[i]].path, &key, err));
        tn_map_put(&read, key, d);
    }
    tn_delta_txn_plan plan = {
        .read_version = d->s->version,
        .base = d->base,
        .operation = d->operation,
        .operation_parameters = d->parameters,
        .operation_metrics = tn_dml_metrics(d),
        .user_metadata = d->opts->user_metadata,
        .reads_all = d->reads_all,
        .reads_files = &read,
        .reads_add = would_read,
        .reads_self = d,
        .protocol = d->protocol,
        .meta = d->meta,
        .adds = d->adds,
        .removes = d->removes,
        .cdcs = d->changes,
    };
    if (d->opts->app_id.n > 0) {
        tn_delta_txn txn = { .app_id = d->opts->app_id,
            .version = d->opts->txn_version,
            .last_updated = tn_clock_now_ms() };
        tn_vec_push(&plan.txns, d->a, txn);
    }
    return tn_delta_commit_write(d->t, &plan, ret_version, err);
}

static tn_delta_dml_result result_of(const tn_dml *d, int64_t version, bool changed)
{
    return (tn_delta_dml_result){ .version = version,
        .changed = changed,
        .inserted = d->inserted,
        .updated = d->updated,
        .deleted = d->deleted,
        .copied = d->copied,
        .files_added = (int64_t)d->data.n,
        .bytes_added = d->bytes_added,
        .files_removed = (int64_t)(d->removes.n) - d->dv_added - d->dv_updated,
        .vectors_added = d->dv_added + d->dv_updated };
}

static tn_rc apply_and_commit(
    tn_dml *d, tn_dml_body body, void *self, tn_delta_dml_result *ret, tn_err *err)
{
    int64_t version = d->s->version;
    tn_rc rc = body(self, d, err);
    bool changed = rc == TN_OK && (!tn_dml_is_empty(d) || d->opts->app_id.n > 0);
    bool unsure = false; /* the commit may be there: only then files must stay */
    if (changed) {
        rc = commit(d, &version, err);
        unsure = rc == TN_E_AMBIGUOUS;
    }
    if (rc != TN_OK && !unsure) {
        tn_dml_discard(d);
    }
    tn_dml_drop(d->conn, d->hits);
    TN_TRY(rc);
    *ret = result_of(d, version, changed);
    if (changed) {
        tn_delta_after_commit(d->t, d->conn, version, d->meta != NULL ? d->meta : &d->s->meta);
    }
    return TN_OK;
}

static tn_rc attempt(tn_delta_table *t, tn_conn *conn, const tn_delta_dml_opts *opts,
    tn_dml_body body, void *self, tn_delta_dml_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta dml", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    if (opts->app_id.n > 0 && tn_delta_snapshot_txn(s, opts->app_id) >= opts->txn_version) {
        *ret = (tn_delta_dml_result){ .version = s->version, .skipped = true };
        return TN_OK;
    }
    tn_dml d = { .t = t,
        .conn = conn,
        .a = a,
        .opts = opts,
        .s = s,
        .base = s,
        .alias = opts->alias.n > 0 ? opts->alias : TN_STR("target"),
        .parameters = tn_val_dict(a),
        .started_us = tn_clock_mono_us() };
    return apply_and_commit(&d, body, self, ret, err);
}

tn_rc tn_dml_run(tn_delta_table *t, tn_conn *conn, const tn_delta_dml_opts *opts, tn_dml_body body,
    void *self, tn_delta_dml_result *ret, tn_err *err)
{
    static const tn_delta_dml_opts none = { .user_metadata = { .tag = TN_UNDEF, .s = "" } };
    opts = opts != NULL ? opts : &none;
    tn_err why = TN_ERR_INIT;
    tn_rc rc = attempt(t, conn, opts, body, self, ret, &why);
    for (int round = 1; rc == TN_E_CONFLICT && round != opts->conflict_tries && !tn_interrupted();
        round++) {
        tn_delta_wait_turn(round);
        tn_err_clear(&why);
        rc = attempt(t, conn, opts, body, self, ret, &why);
    }
    if (rc == TN_OK) {
        return TN_OK;
    }
    (void)tn_err_pass(err, rc, &why);
    tn_conn_err_cite(err, TN_STR(""));
    return tn_while(err, rc, "changing the table '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
}

/* ---- DELETE and UPDATE ---- */

typedef struct change {
    tn_str where;
    const tn_delta_sets *sets; /* NULL: DELETE */
} change;

static tn_val predicate_text(tn_arena *a, tn_str where)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addc(&b, '[');
    if (where.n > 0) {
        tn_json_add_str(&b, tn_str_printf(a, "(" TN_STR_FMT ")", TN_STR_ARG(where)));
    }
    tn_buf_addc(&b, ']');
    return tn_val_str(tn_buf_str(&b));
}

static void add_new_row(const tn_dml *d, tn_buf *b, const tn_delta_sets *sets)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        const tn_str *value = tn_dml_set_of(sets, fields->v[i].name);
        tn_buf_addz(b, ", ");
        if (value != NULL) {
            tn_dml_add_value(b, fields->v[i].type, tn_dml_value(d, i, *value));
        } else {
            tn_sql_ident(b, d->alias);
            tn_buf_addc(b, '.');
            tn_sql_ident(b, fields->v[i].name);
        }
        tn_buf_addf(b, " AS _tarn_v%zu", i);
    }
}

tn_rc tn_dml_work(tn_conn *conn, tn_str sql, tn_err *err)
{
    TN_AUTOPTR(tn_result) none = NULL;
    return tn_conn_work(conn, sql, &none, err);
}

tn_rc tn_dml_find_rows(tn_dml *d, tn_str where, const tn_delta_sets *sets, tn_err *err)
{
    tn_str scan;
    tn_str sql;
    TN_TRY(tn_dml_scan(d, NULL, &scan, err));
    d->hits = tn_dml_temp_name(d->a, "hits");
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b, "CREATE TEMP TABLE " TN_STR_FMT " AS SELECT ", TN_STR_ARG(d->hits));
    tn_dml_add_file(d, &b, d->alias);
    tn_buf_addz(&b, " AS _tarn_f, ");
    tn_sql_ident(&b, d->alias);
    tn_buf_addz(&b, "._tarn_row AS _tarn_r, 1 AS _tarn_k");
    if (sets != NULL) {
        add_new_row(d, &b, sets);
    }
    tn_dml_add_old_row(d, &b, true);
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, scan);
    tn_buf_addz(&b, ") AS ");
    tn_sql_ident(&b, d->alias);
    if (where.n > 0) {
        tn_buf_addf(&b, " WHERE (" TN_STR_FMT "\n)", TN_STR_ARG(where));
    }
    TN_TRY(tn_buf_finish(&b, "a statement", &sql, err));
    return tn_dml_work(d->conn, sql, err);
}

static tn_rc run_change(void *self, tn_dml *d, tn_err *err)
{
    const change *c = self;
    d->operation = c->sets != NULL ? TN_STR("UPDATE") : TN_STR("DELETE");
    tn_dict_putz(d->parameters.dict, "predicate", predicate_text(d->a, c->where));
    TN_TRY(tn_dml_open(d, c->sets != NULL ? "UPDATE" : "DELETE", err));
    d->where = c->where;
    d->reads_all = c->where.n == 0;
    d->writes = c->sets != NULL;
    bool whole_files = false;
    if (c->sets == NULL && c->where.n > 0) {
        TN_TRY(tn_dml_cover_where(d, c->where, &whole_files, err));
    }
    if (!whole_files) {
        TN_TRY(tn_dml_pick(d, err));
    }
    tn_dml_act act = { .when = TN_MERGE_MATCHED,
        .what = c->sets != NULL ? TN_ACT_UPDATE : TN_ACT_DELETE };
    tn_vec_push(&d->acts, d->a, act);
    if (c->sets == NULL && (c->where.n == 0 || whole_files)) {
        return tn_dml_apply_all(d, err);
    }
    if (c->sets != NULL) {
        TN_TRY(tn_dml_check_sets(d, c->sets, err));
        TN_TRY(tn_dml_find_missing(d, err));
        d->acts.v[0].given = tn_dml_given(d, c->sets);
        TN_TRY(tn_dml_check_given(d, &d->acts.v[0], err));
    }
    TN_TRY(tn_dml_find_rows(d, c->where, c->sets, err));
    return tn_dml_apply(d, err);
}

tn_rc tn_delta_delete(tn_delta_table *t, tn_conn *conn, tn_str where, const tn_delta_dml_opts *opts,
    tn_delta_dml_result *ret, tn_err *err)
{
    change c = { .where = tn_str_trim(where) };
    return tn_dml_run(t, conn, opts, run_change, &c, ret, err);
}

tn_rc tn_delta_update(tn_delta_table *t, tn_conn *conn, const tn_delta_sets *sets, tn_str where,
    const tn_delta_dml_opts *opts, tn_delta_dml_result *ret, tn_err *err)
{
    if (sets->n == 0) {
        return tn_fail(err, TN_E_USAGE, "an update sets at least one column");
    }
    change c = { .where = tn_str_trim(where), .sets = sets };
    return tn_dml_run(t, conn, opts, run_change, &c, ret, err);
}
