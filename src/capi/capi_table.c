/* capi_table.c: a table's handle: opening, moving between states, describing. */
#include "capi/capi_impl.h"
#include "text/json.h"

/* ---- the handle ---- */

void tn_capi_moved(tarn_table *t, int64_t version)
{
    tn_delta_snapshot_unref(t->snapshot);
    t->snapshot = NULL;
    t->version = version;
}

tn_rc tn_capi_snapshot(tarn_table *t, tn_delta_snapshot **ret, tn_err *err)
{
    if (t->snapshot == NULL) {
        TN_TRY(tn_delta_snapshot_open(
            t->table, t->conn, t->version < 0 ? TN_DELTA_LATEST : t->version, &t->snapshot, err));
        t->version = tn_delta_snapshot_version(t->snapshot);
    }
    *ret = t->snapshot;
    return TN_OK;
}

static tn_rc load(tarn_table *t, const tarn_at *at, tn_err *err)
{
    tn_delta_snapshot *s = NULL;
    if (at != NULL && at->version >= 0 && at->timestamp_ms != INT64_MIN) {
        return tn_fail(err, TN_E_USAGE, "a state is a version or an instant, not both");
    }
    if (at != NULL && at->timestamp_ms != INT64_MIN) {
        TN_TRY(tn_delta_snapshot_at_time(t->table, t->conn, at->timestamp_ms, &s, err));
    } else {
        int64_t version = at != NULL && at->version >= 0 ? at->version : TN_DELTA_LATEST;
        TN_TRY(tn_delta_snapshot_open(t->table, t->conn, version, &s, err));
    }
    tn_capi_moved(t, tn_delta_snapshot_version(s));
    t->snapshot = s;
    return TN_OK;
}

static tn_rc open_table(tarn_table *t, const tarn_at *at, int flags, tn_err *err)
{
    TN_AUTOPTR(tn_store) store = NULL;
    tn_store_opts so = { .options = t->engine->storage, .create = (flags & TARN_OPEN_ABSENT) != 0 };
    TN_TRY(tn_store_open(t->url, &so, &store, err));
    TN_TRY(tn_delta_table_open(store, &t->table, err));
    TN_TRY(tn_capi_connect(t->engine, t->url, &t->conn, err));
    tn_err why = TN_ERR_INIT;
    tn_rc rc = load(t, at, &why);
    if (rc == TN_E_NOTFOUND && (flags & TARN_OPEN_ABSENT) != 0) {
        bool there;
        TN_TRY(tn_delta_table_exists(t->table, &there, err));
        rc = there ? rc : TN_OK;
    }
    return rc == TN_OK ? rc : tn_err_pass(err, rc, &why);
}

int tarn_table_open(tarn_engine *engine, const char *url, const tarn_at *at, int flags,
    tarn_table **ret_table, tarn_error *err)
{
    tn_arena *a = tn_arena_new("C API table", NULL);
    tarn_table *t = tn_new(a, tarn_table);
    *t = (tarn_table){
        .arena = a, .engine = engine, .url = tn_str_dup(a, tn_str_of(url)), .version = -1
    };
    __atomic_add_fetch(&engine->refs, 1, __ATOMIC_RELAXED);
    tn_err e = TN_ERR_INIT;
    tn_rc rc = open_table(t, at, flags, &e);
    if (rc != TN_OK) {
        tarn_table_close(t);
        return tn_capi_told(rc, &e, err);
    }
    *ret_table = t;
    return 0;
}

void tarn_table_close(tarn_table *t)
{
    if (t != NULL) {
        tn_delta_snapshot_unref(t->snapshot);
        tn_delta_table_close(t->table);
        tn_conn_close(t->conn);
        tn_capi_engine_unref(t->engine);
        tn_arena_free(t->arena);
    }
}

void tarn_table_interrupt(tarn_table *t)
{
    tn_conn_interrupt(t->conn);
}

int tarn_table_load(tarn_table *t, const tarn_at *at, tarn_error *err)
{
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(load(t, at, &e), &e, err);
}

int64_t tarn_table_version(const tarn_table *t)
{
    return t->version;
}

/* ---- describing ---- */

static tn_val int_or_none(int64_t v, int64_t absent)
{
    return v == absent ? TN_VAL_NONE : tn_val_int(v);
}

static tn_val text_or_none(tn_str s)
{
    return s.n == 0 ? TN_VAL_NONE : tn_val_str(s);
}

static tn_val list_of(tn_arena *a, const tn_strs *v)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < v->n; i++) {
        tn_list_push(list.list, tn_val_str(v->v[i]));
    }
    return list;
}

static tn_val protocol_dict(tn_arena *a, const tn_delta_protocol *p)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "minReaderVersion", tn_val_int(p->reader));
    tn_dict_putz(d.dict, "minWriterVersion", tn_val_int(p->writer));
    tn_dict_putz(
        d.dict, "readerFeatures", p->reader >= 3 ? list_of(a, &p->reader_features) : TN_VAL_NONE);
    tn_dict_putz(
        d.dict, "writerFeatures", p->writer >= 7 ? list_of(a, &p->writer_features) : TN_VAL_NONE);
    return d;
}

static tn_rc describe(tarn_table *t, tn_arena *a, char **ret, tn_err *err)
{
    tn_delta_snapshot *s;
    tn_val schema;
    TN_TRY(tn_capi_snapshot(t, &s, err));
    const tn_delta_meta *m = tn_delta_snapshot_meta(s);
    TN_TRY(tn_json_parse(a, m->schema_json, &schema, err));
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "location", tn_val_str(t->url));
    tn_dict_putz(d.dict, "version", tn_val_int(tn_delta_snapshot_version(s)));
    tn_dict_putz(d.dict, "timestamp", int_or_none(tn_delta_snapshot_timestamp_ms(s), INT64_MIN));
    tn_dict_putz(d.dict, "id", tn_val_str(m->id));
    tn_dict_putz(d.dict, "name", text_or_none(m->name));
    tn_dict_putz(d.dict, "description", text_or_none(m->description));
    tn_dict_putz(d.dict, "created", int_or_none(m->created_ms, INT64_MIN));
    tn_dict_putz(d.dict, "partition_columns", list_of(a, &m->partition_columns));
    tn_dict_putz(d.dict, "configuration",
        m->configuration.tag == TN_DICT ? m->configuration : tn_val_dict(a));
    tn_dict_putz(d.dict, "schema", schema);
    tn_dict_putz(d.dict, "protocol", protocol_dict(a, tn_delta_snapshot_protocol(s)));
    tn_dict_putz(d.dict, "files", tn_val_int((int64_t)tn_delta_snapshot_file_count(s)));
    tn_dict_putz(d.dict, "bytes", tn_val_int(tn_delta_snapshot_bytes(s)));
    tn_dict_putz(d.dict, "rows", int_or_none(tn_delta_snapshot_rows(s), -1));
    return tn_capi_json(a, d, ret, err);
}

int tarn_table_describe(tarn_table *t, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API describe", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(describe(t, a, ret_json, &e), &e, err);
}

/* ---- files ---- */

static tn_val vector_dict(tn_arena *a, const tn_delta_dv *dv)
{
    if (dv->storage == 0) {
        return TN_VAL_NONE;
    }
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "storageType", tn_val_str(tn_str_printf(a, "%c", dv->storage)));
    tn_dict_putz(d.dict, "pathOrInlineDv", tn_val_str(dv->path_or_inline));
    tn_dict_putz(d.dict, "offset", int_or_none(dv->offset, -1));
    tn_dict_putz(d.dict, "sizeInBytes", tn_val_int(dv->size_bytes));
    tn_dict_putz(d.dict, "cardinality", tn_val_int(dv->cardinality));
    return d;
}

static tn_rc file_dict(
    tn_arena *a, const tn_delta_snapshot *s, const tn_delta_file *f, tn_val *ret, tn_err *err)
{
    tn_val d = tn_val_dict(a), stats = TN_VAL_NONE;
    tn_str location;
    TN_TRY(tn_delta_file_location(s, a, f, &location, err));
    if (f->stats.n > 0) {
        TN_TRY(tn_json_parse(a, f->stats, &stats, err));
    }
    tn_dict_putz(d.dict, "path", tn_val_str(f->path));
    tn_dict_putz(d.dict, "location", tn_val_str(location));
    tn_dict_putz(d.dict, "size", tn_val_int(f->size));
    tn_dict_putz(d.dict, "modified", tn_val_int(f->mtime_ms));
    tn_dict_putz(d.dict, "partition_values",
        f->partition_values.tag == TN_DICT ? f->partition_values : tn_val_dict(a));
    tn_dict_putz(d.dict, "stats", stats);
    tn_dict_putz(d.dict, "deletion_vector", vector_dict(a, &f->dv));
    *ret = d;
    return TN_OK;
}

static tn_rc files(tarn_table *t, tn_arena *a, char **ret, tn_err *err)
{
    tn_delta_snapshot *s;
    TN_TRY(tn_capi_snapshot(t, &s, err));
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < tn_delta_snapshot_file_count(s); i++) {
        tn_val d;
        TN_TRY(file_dict(a, s, tn_delta_snapshot_file(s, i), &d, err));
        tn_list_push(list.list, d);
    }
    return tn_capi_json(a, list, ret, err);
}

int tarn_table_files(tarn_table *t, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API files", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(files(t, a, ret_json, &e), &e, err);
}

/* ---- the log ---- */

static tn_rc history(tarn_table *t, tn_arena *a, size_t limit, char **ret, tn_err *err)
{
    tn_val list;
    TN_TRY(tn_delta_history(t->table, a, limit, &list, err));
    return tn_capi_json(a, list, ret, err);
}

int tarn_table_history(tarn_table *t, size_t limit, char **ret_json, tarn_error *err)
{
    TN_AUTO_ARENA a = tn_arena_new("C API history", NULL);
    tn_err e = TN_ERR_INIT;
    return tn_capi_told(history(t, a, limit, ret_json, &e), &e, err);
}

int tarn_table_app_version(tarn_table *t, const char *app_id, int64_t *ret_version, tarn_error *err)
{
    tn_err e = TN_ERR_INIT;
    tn_delta_snapshot *s;
    tn_rc rc = tn_capi_snapshot(t, &s, &e);
    if (rc == TN_OK) {
        *ret_version = tn_delta_snapshot_txn(s, tn_str_of(app_id));
    }
    return tn_capi_told(rc, &e, err);
}
