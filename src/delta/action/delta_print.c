/* delta_print.c: actions to lines of a commit.
 *
 * Fields that are absent stay absent, so that an action read from the log and written again says the same.
 */
#include "delta/action/delta_action.h"
#include "text/json.h"

static tn_json_writer open_action(tn_buf *b, const char *kind)
{
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, kind);
    tn_jw_obj(&w);
    return w;
}

static void close_action(tn_json_writer *w)
{
    tn_jw_obj_end(w);
    tn_jw_obj_end(w);
    tn_buf_addc(w->b, '\n');
}

static void put_str(tn_json_writer *w, const char *key, tn_str s)
{
    tn_jw_key(w, key);
    tn_jw_str(w, s);
}

static void put_int(tn_json_writer *w, const char *key, int64_t v)
{
    tn_jw_key(w, key);
    tn_jw_int(w, v);
}

static void put_strs(tn_json_writer *w, const char *key, const tn_strs *v)
{
    tn_jw_key(w, key);
    tn_jw_arr(w);
    for (size_t i = 0; i < v->n; i++) {
        tn_jw_str(w, v->v[i]);
    }
    tn_jw_arr_end(w);
}

static void put_dict(tn_json_writer *w, const char *key, tn_val dict)
{
    tn_jw_key(w, key);
    if (dict.tag == TN_DICT) {
        tn_jw_val(w, dict);
    } else {
        tn_jw_obj(w);
        tn_jw_obj_end(w);
    }
}

void tn_delta_print_protocol(tn_buf *b, const tn_delta_protocol *p)
{
    tn_json_writer w = open_action(b, "protocol");
    put_int(&w, "minReaderVersion", p->reader);
    put_int(&w, "minWriterVersion", p->writer);
    if (p->reader >= 3) {
        put_strs(&w, "readerFeatures", &p->reader_features);
    }
    if (p->writer >= 7) {
        put_strs(&w, "writerFeatures", &p->writer_features);
    }
    close_action(&w);
}

void tn_delta_print_meta(tn_buf *b, const tn_delta_meta *m)
{
    tn_json_writer w = open_action(b, "metaData");
    put_str(&w, "id", m->id);
    if (m->name.p != NULL) {
        put_str(&w, "name", m->name);
    }
    if (m->description.p != NULL) {
        put_str(&w, "description", m->description);
    }
    tn_jw_key(&w, "format");
    tn_jw_obj(&w);
    put_str(&w, "provider", m->format_provider.n > 0 ? m->format_provider : TN_STR("parquet"));
    tn_jw_key(&w, "options");
    tn_jw_obj(&w);
    tn_jw_obj_end(&w);
    tn_jw_obj_end(&w);
    put_str(&w, "schemaString", m->schema_json);
    put_strs(&w, "partitionColumns", &m->partition_columns);
    put_dict(&w, "configuration", m->configuration);
    if (m->created_ms != TN_DELTA_ABSENT) {
        put_int(&w, "createdTime", m->created_ms);
    }
    close_action(&w);
}

static void put_dv(tn_json_writer *w, const tn_delta_dv *dv)
{
    if (dv->storage == 0) {
        return;
    }
    tn_jw_key(w, "deletionVector");
    tn_jw_obj(w);
    put_str(w, "storageType", tn_str_n(&dv->storage, 1));
    put_str(w, "pathOrInlineDv", dv->path_or_inline);
    if (dv->offset >= 0) {
        put_int(w, "offset", dv->offset);
    }
    put_int(w, "sizeInBytes", dv->size_bytes);
    put_int(w, "cardinality", dv->cardinality);
    tn_jw_obj_end(w);
}

static void put_bool(tn_json_writer *w, const char *key, bool v)
{
    tn_jw_key(w, key);
    tn_jw_bool(w, v);
}

void tn_delta_print_add(tn_buf *b, const tn_delta_file *f)
{
    tn_json_writer w = open_action(b, "add");
    put_str(&w, "path", f->path);
    put_dict(&w, "partitionValues", f->partition_values);
    put_int(&w, "size", f->size);
    put_int(&w, "modificationTime", f->mtime_ms);
    put_bool(&w, "dataChange", f->data_change);
    if (f->stats.n > 0) {
        put_str(&w, "stats", f->stats);
    }
    if (f->tags.tag == TN_DICT) {
        put_dict(&w, "tags", f->tags);
    }
    put_dv(&w, &f->dv);
    if (f->base_row_id != TN_DELTA_ABSENT) {
        put_int(&w, "baseRowId", f->base_row_id);
    }
    if (f->default_row_commit_version != TN_DELTA_ABSENT) {
        put_int(&w, "defaultRowCommitVersion", f->default_row_commit_version);
    }
    if (f->clustering_provider.n > 0) {
        put_str(&w, "clusteringProvider", f->clustering_provider);
    }
    close_action(&w);
}

void tn_delta_print_cdc(tn_buf *b, const tn_delta_file *f)
{
    tn_json_writer w = open_action(b, "cdc");
    put_str(&w, "path", f->path);
    put_dict(&w, "partitionValues", f->partition_values);
    put_int(&w, "size", f->size);
    put_bool(&w, "dataChange", false);
    close_action(&w);
}

void tn_delta_print_remove(tn_buf *b, const tn_delta_remove *r)
{
    tn_json_writer w = open_action(b, "remove");
    put_str(&w, "path", r->path);
    put_int(&w, "deletionTimestamp", r->deleted_ms);
    put_bool(&w, "dataChange", r->data_change);
    if (r->extended) {
        put_bool(&w, "extendedFileMetadata", true);
        put_dict(&w, "partitionValues", r->partition_values);
    }
    if (r->size >= 0) {
        put_int(&w, "size", r->size);
    }
    put_dv(&w, &r->dv);
    close_action(&w);
}

void tn_delta_print_txn(tn_buf *b, const tn_delta_txn *t)
{
    tn_json_writer w = open_action(b, "txn");
    put_str(&w, "appId", t->app_id);
    put_int(&w, "version", t->version);
    if (t->last_updated != TN_DELTA_ABSENT) {
        put_int(&w, "lastUpdated", t->last_updated);
    }
    close_action(&w);
}

void tn_delta_print_domain(tn_buf *b, const tn_delta_domain *d)
{
    tn_json_writer w = open_action(b, "domainMetadata");
    put_str(&w, "domain", d->domain);
    put_str(&w, "configuration", d->configuration);
    put_bool(&w, "removed", d->removed);
    close_action(&w);
}

tn_delta_remove tn_delta_remove_of(const tn_delta_file *f, int64_t now_ms)
{
    return (tn_delta_remove){ .path = f->path,
        .deleted_ms = now_ms,
        .data_change = true,
        .extended = true,
        .partition_values = f->partition_values,
        .size = f->size,
        .dv = f->dv };
}
