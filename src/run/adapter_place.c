/* adapter_place.c: the methods of `adapter` that write to places outside of the database file: folders of external models, Delta tables,
 * relations of a lake. They are ours; dbt-duckdb has none of them. */
#include "os/file.h"
#include "run/adapter_impl.h"
#include "run/lake_target.h"
#include "text/uri.h"

static tn_rc is_remote_location(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_bool(tn_uri_is_remote(tn_adapter_text_arg(call, 0, "location")));
    return TN_OK;
}

/* Makes the folder that a file (or the partitions) will lie in. */
static tn_rc prepare_location(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str location = tn_adapter_text_arg(call, 0, "location");
    bool folder = tn_val_truthy(tn_call_arg(call, 1, "folder"));
    *ret = tn_val_z("");
    tn_str dir = folder ? location : tn_path_dir(location);
    if (dir.n == 0 || tn_uri_is_remote(location)) {
        return TN_OK;
    }
    return tn_dir_make(dir, err);
}

/* What a catalog keeps must not hang on the folder that the run was started in. */
static tn_rc absolute_location(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str location = tn_adapter_text_arg(call, 0, "location");
    if (!tn_uri_is_remote(location)) {
        TN_TRY(tn_file_absolute(call->arena, location, &location, err));
    }
    *ret = tn_val_str(location);
    return TN_OK;
}

static tn_rc names_arg(tn_arena *a, tn_val v, tn_strs *ret, tn_err *err)
{
    if (tn_val_is_undef(v) || tn_val_is_none(v)) {
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

/* mode, schema_mode, partition_by, properties of a call as options of a write. */
static tn_rc write_options(const tn_call *call, tn_delta_write_opts *ret, tn_err *err)
{
    tn_str mode = tn_adapter_text_arg(call, SIZE_MAX, "mode"),
           schema = tn_adapter_text_arg(call, SIZE_MAX, "schema_mode");
    tn_val properties = tn_call_arg(call, SIZE_MAX, "properties");
    if (mode.n == 0 || tn_str_is(mode, "overwrite")) {
        ret->mode = TN_DELTA_OVERWRITE;
    } else if (tn_str_is(mode, "append")) {
        ret->mode = TN_DELTA_APPEND;
    } else if (tn_str_is(mode, "error") || tn_str_is(mode, "create")) {
        ret->mode = TN_DELTA_CREATE;
    } else {
        return tn_fail(err, TN_E_COMPILE,
            "mode must be overwrite, append or error, not '" TN_STR_FMT "'", TN_STR_ARG(mode));
    }
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
    ret->properties = properties.tag == TN_DICT ? properties : TN_VAL_UNDEF;
    ret->operation_parameters = TN_VAL_UNDEF;
    tn_val user = tn_val_dict(call->arena);
    tn_job *j = tn_job_of(call);
    tn_dict_putz(user.dict, "invocation_id", tn_val_str(j->session->project->invocation_id));
    if (j->node != NULL) {
        tn_dict_putz(user.dict, "node", tn_val_str(j->node->unique_id));
    }
    ret->user_metadata = user;
    return names_arg(
        call->arena, tn_call_arg(call, SIZE_MAX, "partition_by"), &ret->partition_by, err);
}

static tn_val result_dict(tn_arena *a, const tn_delta_write_result *r)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "_message", tn_val_z("OK"));
    tn_dict_putz(d.dict, "code", TN_VAL_NONE);
    tn_dict_putz(d.dict, "rows_affected", tn_val_int(r->rows));
    tn_dict_putz(d.dict, "delta_version", tn_val_int(r->version));
    tn_dict_putz(d.dict, "files", tn_val_int(r->files));
    tn_dict_putz(d.dict, "bytes", tn_val_int(r->bytes));
    return d;
}

/* adapter.delta_write(location, sql, mode=..., schema_mode=..., partition_by=..., properties=...) */
static tn_rc delta_write(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    tn_delta_write_opts opts = { 0 };
    tn_delta_write_result result;
    tn_str sql;
    TN_TRY(write_options(call, &opts, err));
    TN_TRY(tn_job_serve_delta(j, tn_adapter_text_arg(call, 1, "sql"), &sql, err));
    TN_TRY(tn_place_write(j->session, j->worker->conn, tn_adapter_text_arg(call, 0, "location"),
        sql, &opts, &result, err));
    *ret = result_dict(call->arena, &result);
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

static tn_rc need_lake(const tn_job *j, const char *what, tn_err *err)
{
    if (j->session->lake == NULL) {
        return tn_hint(err,
            tn_fail(err, TN_E_COMPILE, "adapter.%s works with a profile of type tarn only", what),
            "with type duckdb, use materialized='external' and format='delta'");
    }
    return TN_OK;
}

/* adapter.lake_write(relation, sql, location=none, mode=..., ...): a candidate version; the session's view moves to it. */
static tn_rc lake_write(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    tn_relation *r = NULL;
    TN_TRY(need_lake(j, "lake_write", err));
    if (!tn_val_is_relation(tn_call_arg(call, 0, "relation"), &r)) {
        return tn_fail(err, TN_E_COMPILE, "adapter.lake_write needs a relation");
    }
    tn_lake_write w = { .schema = r->part[1],
        .name = r->part[2],
        .node = j->node != NULL ? j->node->unique_id : TN_STR_NONE,
        .location = tn_adapter_text_arg(call, SIZE_MAX, "location"),
        .comment = j->node != NULL ? j->node->description : TN_STR_NONE };
    tn_delta_write_result result;
    TN_TRY(write_options(call, &w.opts, err));
    TN_TRY(tn_job_serve_delta(j, tn_adapter_text_arg(call, 1, "sql"), &w.sql, err));
    TN_TRY(tn_lake_target_write(j->session->lake, j->worker->conn, call->arena, &w, &result, err));
    tn_session_cache_add(j->session, r->part[0], r->part[1], r->part[2], TN_STR("table"));
    *ret = result_dict(call->arena, &result);
    return TN_OK;
}

/* adapter.lake_note(relation, kind, sql): a view ('view') or files ('external') that readers shall see after the run. */
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

static tn_rc store_relation(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret;
    return tn_hint(err,
        tn_fail(err, TN_E_UNSUPPORTED,
            "plugin '" TN_STR_FMT "' is Python code that does not run here",
            TN_STR_ARG(tn_adapter_text_arg(call, 0, "plugin_name"))),
        "remove `plugin` (or glue_register) from the model's config");
}

const tn_adapter_method tn_adapter_place[] = {
    { "is_remote_location", is_remote_location },
    { "prepare_location", prepare_location },
    { "absolute_location", absolute_location },
    { "delta_write", delta_write },
    { "delta_scan", delta_scan },
    { "lake_write", lake_write },
    { "lake_note", lake_note },
    { "store_relation", store_relation },
    { NULL, NULL },
};
