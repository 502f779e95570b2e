/* adapter_delta.c: the methods of `adapter` that change and read Delta tables. A table is named by a relation (type tarn: what is written is a
 * candidate of the lake) or by a text (its place: what is written is seen at once). They are ours; dbt-duckdb has none of them.
 *
 *   adapter.delta_write(target, sql, mode=, schema_mode=, partition_by=, cluster_by=, properties=, location=, replace_where=, dynamic_partitions=)
 *   adapter.delta_merge(target, source, on, clauses, location=)
 *     clauses: dicts {when: matched | not_matched | not_matched_by_source, do: update | insert | delete | nothing, condition:, set: {column: sql}}
 *     In them the table is DBT_INTERNAL_DEST and the source DBT_INTERNAL_SOURCE; `alias` names the table otherwise.
 *   adapter.delta_settle(target, properties=, cluster_by=, location=): descriptions, constraints and properties that have changed
 *   adapter.delta_clone(target, source, location=): the table becomes a shallow clone of what the run reads as the relation `source`
 *   adapter.delta_optimize(target, where=, zorder_by=, location=)
 *   adapter.delta_exists(place)   adapter.delta_scan(place, version=)   adapter.delta_type(type)   adapter.lake_note(relation, kind, sql)
 */
#include "delta/delta_dml.h"
#include "delta/delta_maint.h"
#include "run/job/adapter_impl.h"
#include "run/session/lake_target.h"
#include "run/value/delta_shape.h"
#include "text/json.h"

static tn_rc names_arg(tn_arena *a, tn_val v, tn_strs *ret, tn_err *err)
{
    if (!tn_val_is_given(v)) {
        return TN_OK;
    }
    if (tn_val_is_str(v)) { /* "a, b" or "(a, b)" as COPY's option is written */
        tn_str text = tn_str_trim(tn_val_as_str(v)), head;
        if (tn_str_starts(text, TN_STR("(")) && tn_str_ends(text, TN_STR(")"))) {
            text = tn_str_sub(text, 1, text.n - 1);
        }
        while (text.n > 0) {
            (void)tn_str_cut(text, ',', &head, &text);
            head = tn_str_trim(head);
            if (head.n > 1 && head.p[0] == '"') {
                head = tn_str_sub(head, 1, head.n - 1);
            }
            tn_vec_push(ret, a, head);
        }
        return TN_OK;
    }
    if (!tn_val_is_seq(v)) {
        return tn_fail(err, TN_E_COMPILE, "partition_by must be a column or a list of columns");
    }
    for (size_t i = 0; i < v.list->n; i++) {
        tn_vec_push(ret, a, tn_val_to_str(a, v.list->v[i]));
    }
    return TN_OK;
}

/* commitInfo tells which run of which node made the version. */
static tn_val who_writes(const tn_call *call)
{
    tn_val user = tn_val_dict(call->arena);
    const tn_job *j = tn_job_of(call);
    tn_dict_putz(user.dict, "invocation_id", tn_val_str(j->session->project->invocation_id));
    if (j->node != NULL) {
        tn_dict_putz(user.dict, "node", tn_val_str(j->node->unique_id));
    }
    tn_buf b =
        tn_buf_init(call->arena, 1 << 16); /* as a text it stands in other engines' history */
    tn_json_print(&b, user, &(tn_json_style){ .py_separators = true });
    tn_dict_putz(user.dict, "userMetadata", tn_val_str(tn_buf_str(&b)));
    return user;
}

static tn_rc mode_of(const tn_call *call, tn_delta_mode *ret, tn_err *err)
{
    tn_str mode = tn_adapter_text_arg(call, SIZE_MAX, "mode");
    if (mode.n == 0 || tn_str_is(mode, "overwrite")) {
        *ret = TN_DELTA_OVERWRITE;
    } else if (tn_str_is(mode, "append")) {
        *ret = TN_DELTA_APPEND;
    } else if (tn_str_is(mode, "error") || tn_str_is(mode, "create")) {
        *ret = TN_DELTA_CREATE;
    } else {
        return tn_fail(err, TN_E_COMPILE,
            "mode must be overwrite, append or error, not '" TN_STR_FMT "'", TN_STR_ARG(mode));
    }
    return TN_OK;
}

/* mode, schema_mode, partition_by, properties of a call as options of a write. */
static tn_rc write_options(const tn_call *call, tn_delta_write_opts *ret, tn_err *err)
{
    tn_str schema = tn_adapter_text_arg(call, SIZE_MAX, "schema_mode");
    TN_TRY(mode_of(call, &ret->mode, err));
    if (schema.n == 0) {
        ret->schema_mode = ret->mode == TN_DELTA_OVERWRITE ? TN_SCHEMA_OVERWRITE : TN_SCHEMA_STRICT;
    } else if (tn_str_is(schema, "merge")) {
        ret->schema_mode = TN_SCHEMA_MERGE;
    } else if (tn_str_is(schema, "overwrite")) {
        ret->schema_mode = TN_SCHEMA_OVERWRITE;
    } else if (tn_str_is(schema, "strict")) {
        ret->schema_mode = TN_SCHEMA_STRICT;
    } else {
        return tn_fail(err, TN_E_COMPILE,
            "schema_mode must be merge, overwrite or strict, not '" TN_STR_FMT "'",
            TN_STR_ARG(schema));
    }
    ret->operation_parameters = TN_VAL_UNDEF;
    ret->user_metadata = who_writes(call);
    ret->replace_where = tn_adapter_text_arg(call, SIZE_MAX, "replace_where");
    ret->dynamic_partitions = tn_val_truthy(tn_call_arg(call, SIZE_MAX, "dynamic_partitions"));
    return names_arg(
        call->arena, tn_call_arg(call, SIZE_MAX, "partition_by"), &ret->partition_by, err);
}

/* ---- where the work goes ---- */

static tn_rc need_lake(const tn_job *j, const char *what, tn_err *err)
{
    if (j->session->lake == NULL) {
        return tn_hint(err,
            tn_fail(err, TN_E_COMPILE, "adapter.%s works with a profile of type tarn only", what),
            "with type duckdb, use materialized='external' and format='delta'");
    }
    return TN_OK;
}

static tn_rc change_table(
    const tn_call *call, const char *what, const tn_delta_work *work, tn_err *err)
{
    tn_job *j = tn_job_of(call);
    tn_relation *r = NULL;
    TN_TRY(tn_job_commit(
        j, err)); /* what fails here must not take the connection's transaction with it */
    if (!tn_val_is_relation(tn_call_arg(call, 0, "target"), &r)) {
        return tn_place_write(
            j->session, j->worker->conn, tn_adapter_text_arg(call, 0, "target"), work, err);
    }
    TN_TRY(need_lake(j, what, err));
    tn_lake_write w = { .schema = r->part[1],
        .name = r->part[2],
        .node = j->node != NULL ? j->node->unique_id : TN_STR_NONE,
        .location = tn_adapter_text_arg(call, SIZE_MAX, "location"),
        .comment = j->node != NULL ? j->node->description : TN_STR_NONE,
        .work = *work };
    TN_TRY(tn_lake_target_write(j->session->lake, j->worker->conn, call->arena, &w, err));
    tn_session_cache_add(j->session, r->part[0], r->part[1], r->part[2], TN_STR("table"));
    return TN_OK;
}

static tn_val response_of(tn_arena *a, int64_t rows, int64_t version, int64_t files, int64_t bytes)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "_message", tn_val_z("OK"));
    tn_dict_putz(d.dict, "code", TN_VAL_NONE);
    tn_dict_putz(d.dict, "rows_affected", tn_val_int(rows));
    tn_dict_putz(d.dict, "delta_version", tn_val_int(version));
    tn_dict_putz(d.dict, "files", tn_val_int(files));
    tn_dict_putz(d.dict, "bytes", tn_val_int(bytes));
    return d;
}

/* ---- writes ---- */

typedef struct write_work {
    tn_str sql;
    tn_delta_write_opts opts;
    tn_delta_write_result result;
} write_work;

static tn_rc run_write(
    void *self, tn_delta_table *table, tn_conn *c, int64_t *ret_version, tn_err *err)
{
    write_work *w = self;
    TN_TRY(tn_delta_write(table, c, w->sql, &w->opts, &w->result, err));
    *ret_version = w->result.version;
    return TN_OK;
}

static tn_rc shape_arg(const tn_call *call, tn_delta_shape *ret, tn_err *err)
{
    tn_delta_shape_of(
        tn_job_of(call)->node, tn_call_arg(call, SIZE_MAX, "properties"), call->arena, ret);
    return names_arg(call->arena, tn_call_arg(call, SIZE_MAX, "cluster_by"), &ret->cluster_by, err);
}

/* A table that is made anew gets all that the model says of it; one that is there keeps what it has, until delta_settle. */
static tn_rc shape_write(const tn_call *call, write_work *w, tn_err *err)
{
    tn_job *j = tn_job_of(call);
    tn_delta_shape shape;
    TN_TRY(shape_arg(call, &shape, err));
    bool anew = w->opts.mode == TN_DELTA_OVERWRITE && w->opts.schema_mode == TN_SCHEMA_OVERWRITE;
    w->opts.properties = TN_VAL_UNDEF;
    return anew ? tn_delta_shape_apply(&shape, j->worker->conn, call->arena, w->sql, &w->opts, err)
                : TN_OK;
}

static tn_rc delta_write(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    write_work w = { 0 };
    TN_TRY(write_options(call, &w.opts, err));
    TN_TRY(tn_job_read_sql(tn_job_of(call), tn_adapter_text_arg(call, 1, "sql"), &w.sql, err));
    TN_TRY(shape_write(call, &w, err));
    const tn_delta_work work = {
        .run = run_write,
        .self = &w,
        .builds_on = w.opts.mode == TN_DELTA_APPEND || w.opts.replace_where.n > 0 ||
                     w.opts.dynamic_partitions,
    };
    TN_TRY(change_table(call, "delta_write", &work, err));
    *ret =
        response_of(call->arena, w.result.rows, w.result.version, w.result.files, w.result.bytes);
    return TN_OK;
}

/* ---- merges ---- */

typedef struct merge_work {
    tn_delta_merge_spec spec;
    tn_delta_dml_opts opts;
    tn_delta_dml_result result;
} merge_work;

static tn_rc run_merge(
    void *self, tn_delta_table *table, tn_conn *c, int64_t *ret_version, tn_err *err)
{
    merge_work *m = self;
    TN_TRY(tn_delta_merge(table, c, &m->spec, &m->opts, &m->result, err));
    *ret_version = m->result.version;
    return TN_OK;
}

static tn_rc word_of(
    tn_val clause, const char *key, const char *const *words, int *ret, tn_err *err)
{
    tn_str word = tn_val_str_at(clause, key, TN_STR_NONE);
    for (int i = 0; words[i] != NULL; i++) {
        if (tn_str_is(word, words[i])) {
            *ret = i;
            return TN_OK;
        }
    }
    return tn_fail(err, TN_E_COMPILE, "a clause of a merge has no '%s' '" TN_STR_FMT "'", key,
        TN_STR_ARG(word));
}

static tn_rc clause_arg(tn_arena *a, tn_val v, tn_merge_clause *ret, tn_err *err)
{
    static const char *const whens[] = { [TN_MERGE_MATCHED] = "matched",
        [TN_MERGE_NOT_MATCHED] = "not_matched",
        [TN_MERGE_NOT_MATCHED_BY_SOURCE] = "not_matched_by_source",
        NULL };
    static const char *const dos[] = { "update", "insert", "delete", "nothing", NULL };
    static const tn_merge_do means[] = { TN_MERGE_UPDATE, TN_MERGE_INSERT, TN_MERGE_DELETE,
        TN_MERGE_NOTHING };
    int when = 0, what = 0;
    TN_TRY(word_of(v, "when", whens, &when, err));
    TN_TRY(word_of(v, "do", dos, &what, err));
    *ret = (tn_merge_clause){ .when = (tn_merge_when)when,
        .what = means[what],
        .condition = tn_val_str_at(v, "condition", TN_STR_NONE) };
    tn_val sets = tn_val_at(v, "set");
    const tn_dict_item *it;
    size_t at = 0;
    while (sets.tag == TN_DICT && (it = tn_dict_next(sets.dict, &at)) != NULL) {
        tn_delta_set set = { .column = tn_val_to_str(a, it->key),
            .value = tn_val_to_str(a, it->value) };
        tn_vec_push(&ret->sets, a, set);
    }
    return TN_OK;
}

static tn_rc delta_merge(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "target", "source", "on", "clauses", "location", "alias",
        NULL };
    TN_TRY(tn_call_check(call, "adapter.delta_merge", 4, 4, names, err));
    tn_val clauses = tn_call_arg(call, 3, "clauses");
    merge_work m = { .spec = { .source_alias = TN_STR("DBT_INTERNAL_SOURCE"),
                         .on = tn_adapter_text_arg(call, 2, "on") },
        .opts = { .alias = tn_adapter_text_arg(call, SIZE_MAX, "alias"),
            .user_metadata = who_writes(call) } };
    m.opts.alias = m.opts.alias.n > 0 ? m.opts.alias : TN_STR("DBT_INTERNAL_DEST");
    TN_TRY(tn_job_read_sql(
        tn_job_of(call), tn_adapter_text_arg(call, 1, "source"), &m.spec.source, err));
    for (size_t i = 0; tn_val_is_seq(clauses) && i < clauses.list->n; i++) {
        tn_merge_clause clause;
        TN_TRY(clause_arg(call->arena, clauses.list->v[i], &clause, err));
        tn_vec_push(&m.spec.clauses, call->arena, clause);
    }
    const tn_delta_work work = { .run = run_merge, .self = &m, .builds_on = true };
    TN_TRY(change_table(call, "delta_merge", &work, err));
    const tn_delta_dml_result *r = &m.result;
    *ret = response_of(call->arena, r->inserted + r->updated + r->deleted, r->version,
        r->files_added, r->bytes_added);
    tn_dict_putz(ret->dict, "rows_inserted", tn_val_int(r->inserted));
    tn_dict_putz(ret->dict, "rows_updated", tn_val_int(r->updated));
    tn_dict_putz(ret->dict, "rows_deleted", tn_val_int(r->deleted));
    return TN_OK;
}

/* ---- metadata ---- */

typedef struct settle_work {
    tn_delta_shape shape;
    tn_arena *arena;
    int64_t version;
} settle_work;

static tn_rc run_settle(
    void *self, tn_delta_table *table, tn_conn *c, int64_t *ret_version, tn_err *err)
{
    settle_work *w = self;
    TN_TRY(tn_delta_shape_settle(&w->shape, table, c, w->arena, &w->version, err));
    *ret_version = w->version;
    return TN_OK;
}

static tn_rc delta_settle(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    settle_work w = { .arena = call->arena, .version = -1 };
    TN_TRY(shape_arg(call, &w.shape, err));
    const tn_delta_work work = { .run = run_settle, .self = &w, .builds_on = true };
    if (w.shape.declared || w.shape.cluster_by.n > 0) {
        TN_TRY(change_table(call, "delta_settle", &work, err));
    }
    *ret = tn_val_int(w.version);
    return TN_OK;
}

/* ---- clones ---- */

typedef struct clone_work {
    tn_lake *lake;
    tn_str root; /* of the source's table */
    tn_delta_clone_opts opts;
    tn_delta_clone_result result;
} clone_work;

static tn_rc run_clone(
    void *self, tn_delta_table *table, tn_conn *c, int64_t *ret_version, tn_err *err)
{
    clone_work *w = self;
    TN_AUTOPTR(tn_delta_table) from = NULL;
    TN_TRY(tn_lake_table_open(w->lake, w->root, &from, err));
    TN_TRY(tn_delta_clone(from, c, &w->opts, table, &w->result, err));
    *ret_version = w->result.version;
    return TN_OK;
}

static tn_rc delta_clone(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    tn_relation *source = NULL;
    tn_narrow_found found = { 0 };
    TN_TRY(need_lake(j, "delta_clone", err));
    if (!tn_val_is_relation(tn_call_arg(call, 1, "source"), &source) ||
        !tn_lake_target_find(
            j->session->lake, j->worker->conn, source->part[1], source->part[2], &found) ||
        found.snap == NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "adapter.delta_clone needs the relation of a Delta table of the lake as its source");
    }
    clone_work w = { .lake = tn_lake_target_lake(j->session->lake),
        .root = tn_delta_snapshot_root(found.snap),
        .opts = {
            .version = tn_delta_snapshot_version(found.snap), .shallow = true, .replace = true } };
    const tn_delta_work work = { .run = run_clone, .self = &w };
    TN_TRY(change_table(call, "delta_clone", &work, err));
    *ret = response_of(
        call->arena, tn_delta_snapshot_rows(found.snap), w.result.version, w.result.files, 0);
    return TN_OK;
}

/* ---- packing ---- */

typedef struct pack_work {
    tn_arena *arena;
    tn_delta_optimize_opts opts;
    tn_delta_optimize_result result;
} pack_work;

static tn_rc run_pack(
    void *self, tn_delta_table *table, tn_conn *c, int64_t *ret_version, tn_err *err)
{
    pack_work *p = self;
    TN_TRY(tn_delta_optimize(table, c, p->arena, &p->opts, &p->result, err));
    *ret_version = p->result.version;
    return TN_OK;
}

static tn_rc delta_optimize(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    pack_work p = { .arena = call->arena, .opts = { .user_metadata = who_writes(call) } };
    p.opts.where = tn_adapter_text_arg(call, SIZE_MAX, "where");
    TN_TRY(
        names_arg(call->arena, tn_call_arg(call, SIZE_MAX, "zorder_by"), &p.opts.zorder_by, err));
    const tn_delta_work work = { .run = run_pack, .self = &p, .builds_on = true };
    TN_TRY(change_table(call, "delta_optimize", &work, err));
    *ret = response_of(
        call->arena, p.result.rows, p.result.version, p.result.files_added, p.result.bytes_added);
    return TN_OK;
}

/* ---- reading, and what else readers shall see ---- */

static tn_rc delta_exists(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    bool there;
    TN_TRY(tn_place_exists(
        tn_job_of(call)->session, tn_adapter_text_arg(call, 0, "location"), &there, err));
    *ret = tn_val_bool(there);
    return TN_OK;
}

static tn_rc delta_scan(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    tn_val version = tn_call_arg(call, 1, "version");
    tn_str sql;
    TN_TRY(tn_place_scan(j->session, j->worker->conn, call->arena,
        tn_adapter_text_arg(call, 0, "location"),
        version.tag == TN_INT ? version.i : TN_DELTA_LATEST, &sql, err));
    *ret = tn_val_str(sql);
    return TN_OK;
}

/* The type that a column of a Delta table has when it gets values of this one; what Delta does not have comes back as it is. */
static tn_rc delta_type(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_str type = tn_adapter_text_arg(call, 0, "type");
    tn_delta_type *found = NULL;
    tn_buf b = tn_buf_init(call->arena, 1 << 16);
    if (tn_delta_type_from_sql(call->arena, type, &found, NULL) == TN_OK) {
        tn_delta_type_to_sql(&b, found);
        type = tn_buf_str(&b);
    }
    *ret = tn_val_str(type);
    return TN_OK;
}

/* A view ('view') or files ('external') that readers shall see after the run. */
static tn_rc lake_note(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    tn_relation *r = NULL;
    TN_TRY(need_lake(j, "lake_note", err));
    if (!tn_val_is_relation(tn_call_arg(call, 0, "relation"), &r)) {
        return tn_fail(err, TN_E_COMPILE, "adapter.lake_note needs a relation");
    }
    bool view = tn_str_is(tn_adapter_text_arg(call, 1, "kind"), "view");
    tn_str sql;
    TN_TRY(tn_job_serve_delta(j, tn_adapter_text_arg(call, 2, "sql"), &sql, err));
    tn_lake_target_note(j->session->lake, view ? TN_PIN_VIEW : TN_PIN_EXTERNAL, r->part[1],
        r->part[2], j->node != NULL ? j->node->unique_id : TN_STR_NONE, sql,
        j->node != NULL ? j->node->description : TN_STR_NONE);
    tn_session_cache_add(j->session, r->part[0], r->part[1], r->part[2], TN_STR("view"));
    *ret = tn_val_z("");
    return TN_OK;
}

const tn_adapter_method tn_adapter_delta[] = {
    { "delta_write", delta_write },
    { "delta_merge", delta_merge },
    { "delta_settle", delta_settle },
    { "delta_clone", delta_clone },
    { "delta_optimize", delta_optimize },
    { "delta_exists", delta_exists },
    { "delta_scan", delta_scan },
    { "delta_type", delta_type },
    { "lake_note", lake_note },
    { NULL, NULL },
};
