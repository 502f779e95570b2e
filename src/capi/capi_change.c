/* capi_change.c: write, delete, update, merge: options and rows in, one function of src/delta, an outcome out. */
#include "capi/capi_impl.h"
#include "delta/delta_dml.h"

/* ---- rows from outside ---- */

tn_rc tn_capi_rows(tn_conn *conn, struct ArrowArrayStream *stream, int64_t *ret_rows, tn_err *err)
{
    if (stream == NULL || stream->release == NULL) {
        return tn_fail(err, TN_E_USAGE, "the Arrow stream was released already: it is read once");
    }
    return tn_conn_arrow_in(conn, TN_STR("temp.main." TN_CAPI_ROWS), stream, ret_rows, err);
}

void tn_capi_rows_end(tn_conn *conn)
{
    (void)!tn_conn_exec(conn, TN_STR("DROP TABLE IF EXISTS temp.main." TN_CAPI_ROWS), NULL);
}

/* Where a change has its rows from: a stream, or a SELECT of the caller's. */
typedef struct rows_in {
    struct ArrowArrayStream *stream;
    const char *select; /* NULL: the stream */
    int64_t rows;       /* of the stream; -1: not counted */
} rows_in;

static tn_rc take_rows(tarn_table *t, rows_in *in, tn_str *ret_select, tn_err *err)
{
    if (in->select == NULL) {
        TN_TRY(tn_capi_rows(t->conn, in->stream, &in->rows, err));
    }
    *ret_select = in->select != NULL ? tn_str_of(in->select)
                                     : TN_STR("SELECT * FROM temp.main." TN_CAPI_ROWS);
    return TN_OK;
}

static tarn_commit_options commit_of(const tarn_commit_options *given)
{
    tarn_commit_options c;
    tn_capi_options(&c, sizeof c, given);
    return c;
}

/* ---- write ---- */

static tn_rc write_options(
    tn_arena *a, const tarn_write_options *o, tn_delta_write_opts *ret, tn_err *err)
{
    static const tn_delta_mode modes[] = { TN_DELTA_CREATE, TN_DELTA_APPEND, TN_DELTA_OVERWRITE,
        TN_DELTA_CREATE };
    if (o->mode < 0 || o->mode >= (int)TN_COUNTOF(modes) || o->schema_mode < 0 ||
        o->schema_mode > TARN_SCHEMA_OVERWRITE) {
        return tn_fail(err, TN_E_USAGE, "no such mode of writing, or of the schema");
    }
    tarn_commit_options c = commit_of(o->commit);
    *ret = (tn_delta_write_opts){
        .mode = modes[o->mode],
        .schema_mode = (tn_delta_schema_mode)o->schema_mode,
        .partition_by = tn_capi_strs(a, o->partition_by, o->partition_by_n),
        .cluster_by = tn_capi_strs(a, o->cluster_by, o->cluster_by_n),
        .properties = tn_capi_dict(a, o->properties, o->properties_n),
        .name = tn_str_of(o->name),
        .description = tn_str_of(o->description),
        .app_id = tn_str_of(c.app_id),
        .txn_version = c.app_version,
        .operation_parameters = TN_VAL_UNDEF,
        .user_metadata = tn_capi_dict(a, c.metadata, c.metadata_n),
        .target_file_bytes = c.target_file_bytes,
        .replace_where = tn_str_of(o->predicate),
        .dynamic_partitions = o->dynamic_partitions != 0,
        .replace_table = o->mode == TARN_OVERWRITE && o->schema_json != NULL,
    };
    if (o->schema_json != NULL) {
        tn_delta_type *schema;
        TN_TRY(tn_delta_schema_parse(a, tn_str_of(o->schema_json), &schema, err));
        ret->schema = schema;
    }
    return TN_OK;
}

static tn_rc write_rows(tarn_table *t, tn_arena *a, rows_in *in, const tarn_write_options *o,
    tarn_outcome *ret, tn_err *err)
{
    tn_delta_write_opts w;
    tn_delta_write_result r;
    tn_str rows;
    bool there = false;
    TN_TRY(write_options(a, o, &w, err));
    if (w.mode == TN_DELTA_CREATE) {
        TN_TRY(tn_delta_table_exists(t->table, &there, err));
    }
    if (there && o->mode == TARN_IGNORE) {
        *ret = (tarn_outcome){ .version = t->version, .skipped = 1 };
        return TN_OK;
    }
    if (there) {
        return tn_hint(err,
            tn_fail(err, TN_E_EXISTS, "there is a table at '" TN_STR_FMT "' already",
                TN_STR_ARG(t->url)),
            "append to it, overwrite it, or ignore the write");
    }
    TN_TRY(take_rows(t, in, &rows, err));
    tn_rc rc = tn_delta_write(t->table, t->conn, rows, &w, &r, err);
    tn_capi_rows_end(t->conn);
    if (rc == TN_E_EXISTS && o->mode == TARN_IGNORE) { /* another writer was first */
        tn_err_clear(err);
        *ret = (tarn_outcome){ .version = t->version, .skipped = 1 };
        return TN_OK;
    }
    TN_TRY(rc);
    *ret = (tarn_outcome){ .version = r.version,
        .changed = !r.skipped && r.version != t->version,
        .created = r.created,
        .skipped = r.skipped,
        .inserted = r.rows,
        .deleted = r.deleted,
        .files_added = r.files,
        .bytes_added = r.bytes,
        .source_rows = in->rows };
    tn_capi_moved(t, r.version);
    return TN_OK;
}

static int told_write(tarn_table *t, struct ArrowArrayStream *stream, const char *select,
    const tarn_write_options *options, tarn_outcome *ret, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API write", NULL);
    tn_err e = TN_ERR_INIT;
    tarn_write_options o;
    tarn_outcome out;
    tn_capi_options(&o, sizeof o, options);
    rows_in in = { .stream = stream, .select = select, .rows = -1 };
    tn_rc rc = write_rows(t, a, &in, &o, &out, &e);
    tn_capi_release(stream);
    if (rc == TN_OK && ret != NULL) {
        *ret = out;
    }
    return tn_capi_told(rc, &e, err);
}

int tarn_write(tarn_table *t, struct ArrowArrayStream *stream, const tarn_write_options *options,
    tarn_outcome *ret, tarn_error *err)
{
    return told_write(t, stream, NULL, options, ret, err);
}

int tarn_write_select(tarn_table *t, const char *select, const tarn_write_options *options,
    tarn_outcome *ret, tarn_error *err)
{
    return told_write(t, NULL, select, options, ret, err);
}

static tn_rc no_rows_of(tn_arena *a, const tarn_write_options *o, const char **ret, tn_err *err)
{
    tn_delta_type *schema;
    if (o->schema_json == NULL) {
        return tn_fail(err, TN_E_USAGE, "a table is made of a schema: give schema_json");
    }
    TN_TRY(tn_delta_schema_parse(a, tn_str_of(o->schema_json), &schema, err));
    *ret = tn_str_z(a, tn_delta_no_rows_sql(a, schema));
    return TN_OK;
}

int tarn_create(
    tarn_table *t, const tarn_write_options *options, tarn_outcome *ret, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API create", NULL);
    tn_err e = TN_ERR_INIT;
    tarn_write_options o;
    const char *select = NULL;
    tn_capi_options(&o, sizeof o, options);
    tn_rc rc = no_rows_of(a, &o, &select, &e);
    if (rc != TN_OK) {
        return tn_capi_told(rc, &e, err);
    }
    o.mode = o.mode == TARN_APPEND ? TARN_IGNORE : o.mode;
    o.schema_mode = o.mode == TARN_OVERWRITE ? TARN_SCHEMA_OVERWRITE : TARN_SCHEMA_STRICT;
    return told_write(t, NULL, select, &o, ret, err);
}

/* ---- delete, update, merge ---- */

static tn_delta_dml_opts dml_options(tn_arena *a, const char *alias, const tarn_commit_options *c)
{
    return (tn_delta_dml_opts){ .alias = tn_str_of(alias),
        .conflict_tries = c->tries,
        .app_id = tn_str_of(c->app_id),
        .txn_version = c->app_version,
        .user_metadata = tn_capi_dict(a, c->metadata, c->metadata_n),
        .target_file_bytes = c->target_file_bytes };
}

static int told_dml(tarn_table *t, tn_rc rc, const tn_delta_dml_result *r, tarn_outcome *ret,
    const tn_err *e, tarn_error *err)
{
    if (rc != TN_OK) {
        return tn_capi_told(rc, e, err);
    }
    if (ret != NULL) {
        *ret = (tarn_outcome){ .version = r->version,
            .changed = r->changed,
            .skipped = r->skipped,
            .inserted = r->inserted,
            .updated = r->updated,
            .deleted = r->deleted,
            .copied = r->copied,
            .files_added = r->files_added,
            .files_removed = r->files_removed,
            .bytes_added = r->bytes_added,
            .vectors_added = r->vectors_added,
            .source_rows = -1 };
    }
    tn_capi_moved(t, r->version);
    return 0;
}

int tarn_delete(tarn_table *t, const char *where, const tarn_commit_options *commit,
    tarn_outcome *ret, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API delete", NULL);
    tn_err e = TN_ERR_INIT;
    tn_delta_dml_result r = { 0 };
    tarn_commit_options c = commit_of(commit);
    tn_delta_dml_opts o = dml_options(a, NULL, &c);
    tn_rc rc = tn_delta_delete(t->table, t->conn, tn_str_of(where), &o, &r, &e);
    return told_dml(t, rc, &r, ret, &e, err);
}

static tn_delta_sets sets_of(tn_arena *a, const tarn_pair *v, size_t n)
{
    tn_delta_sets out = { 0 };
    for (size_t i = 0; v != NULL && i < n; i++) {
        tn_delta_set s = { .column = tn_str_of(v[i].key), .value = tn_str_of(v[i].value) };
        tn_vec_push(&out, a, s);
    }
    return out;
}

int tarn_update(tarn_table *t, const tarn_pair *sets, size_t sets_n, const char *where,
    const tarn_commit_options *commit, tarn_outcome *ret, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API update", NULL);
    tn_err e = TN_ERR_INIT;
    tn_delta_dml_result r = { 0 };
    tarn_commit_options c = commit_of(commit);
    tn_delta_dml_opts o = dml_options(a, NULL, &c);
    tn_delta_sets s = sets_of(a, sets, sets_n);
    tn_rc rc = tn_delta_update(t->table, t->conn, &s, tn_str_of(where), &o, &r, &e);
    return told_dml(t, rc, &r, ret, &e, err);
}

static tn_rc clauses_of(
    tn_arena *a, const tarn_merge_options *m, tn_merge_clauses *ret, tn_err *err)
{
    for (size_t i = 0; i < m->clauses_n; i++) {
        const tarn_merge_clause *c = &m->clauses[i];
        if (c->when < TARN_WHEN_MATCHED || c->when > TARN_WHEN_NOT_MATCHED_BY_SOURCE ||
            c->what < TARN_DO_UPDATE || c->what > TARN_DO_NOTHING) {
            return tn_fail(err, TN_E_USAGE, "clause %zu of the merge is none", i + 1);
        }
        tn_merge_clause to = { .when = (tn_merge_when)c->when,
            .what = (tn_merge_do)c->what,
            .condition = tn_str_of(c->condition),
            .sets = sets_of(a, c->sets, c->sets_n) };
        tn_vec_push(ret, a, to);
    }
    return TN_OK;
}

static tn_rc merge(tarn_table *t, tn_arena *a, rows_in *in, const tarn_merge_options *m,
    tn_delta_dml_result *ret, tn_err *err)
{
    tarn_commit_options c = commit_of(m->commit);
    tn_delta_dml_opts o = dml_options(a, m->target_alias, &c);
    o.schema_evolution = m->schema_evolution != 0;
    tn_delta_merge_spec spec = { .source_alias = tn_str_of(m->source_alias),
        .on = tn_str_of(m->on) };
    TN_TRY(clauses_of(a, m, &spec.clauses, err));
    TN_TRY(take_rows(t, in, &spec.source, err));
    tn_rc rc = tn_delta_merge(t->table, t->conn, &spec, &o, ret, err);
    tn_capi_rows_end(t->conn);
    return rc;
}

static int told_merge(tarn_table *t, struct ArrowArrayStream *source, const char *select,
    const tarn_merge_options *options, tarn_outcome *ret, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API merge", NULL);
    tn_err e = TN_ERR_INIT;
    tn_delta_dml_result r = { 0 };
    tarn_merge_options m;
    tn_capi_options(&m, sizeof m, options);
    rows_in in = { .stream = source, .select = select, .rows = -1 };
    tn_rc rc = merge(t, a, &in, &m, &r, &e);
    tn_capi_release(source);
    if (told_dml(t, rc, &r, ret, &e, err) == 0 && ret != NULL) {
        ret->source_rows = in.rows;
    }
    return (int)rc;
}

int tarn_merge(tarn_table *t, struct ArrowArrayStream *source, const tarn_merge_options *options,
    tarn_outcome *ret, tarn_error *err)
{
    return told_merge(t, source, NULL, options, ret, err);
}

int tarn_merge_select(tarn_table *t, const char *select, const tarn_merge_options *options,
    tarn_outcome *ret, tarn_error *err)
{
    return told_merge(t, NULL, select, options, ret, err);
}
