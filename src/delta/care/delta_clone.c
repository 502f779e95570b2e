/* delta_clone.c: a new table with the state of another's version.
 *
 * Shallow: the new log names the old table's files by absolute paths or URLs, and its deletion vectors likewise. Deep: files are copied under the same keys
 * (files that the source names by an absolute path get a new name below the root). The new table has an id of its own, keeps properties,
 * application transactions and foreign metadata domains, and begins at version 0.
 */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "os/file.h"
#include "os/random.h"
#include "text/uri.h"

#define COPY_BYTES_MAX ((size_t)8 << 30)

typedef struct cloning {
    tn_delta_table *from, *to;
    tn_arena *a;
    const tn_delta_snapshot *s;
    bool shallow;
    tn_delta_files adds;
    tn_map copied; /* keys of what was copied, or begun to be */
    int64_t bytes;
} cloning;

static bool is_absolute(tn_str place)
{
    return tn_str_starts(place, TN_STR("/")) || tn_uri_is_remote(place);
}

/* A place as it goes to a log: an absolute path (DuckDB's delta extension takes no file:// for data files, and wants it for vectors) or a
 * URL. */
static tn_rc url_of(
    const cloning *c, tn_str place, const char *local_scheme, tn_str *ret, tn_err *err)
{
    tn_str where = is_absolute(place) ? place : tn_store_locate(c->from->store, c->a, place);
    tn_buf b = tn_buf_init(c->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, tn_uri_is_remote(where) ? "" : local_scheme);
    tn_percent_encode(&b, where, "/=!$&'()*+,;:@", true);
    return tn_buf_finish(&b, "a file's URL", ret, err);
}

/* ---- copying ---- */

static tn_rc copy_object(const cloning *c, tn_str place, tn_str key, tn_err *err)
{
    tn_str source = is_absolute(place) ? place : tn_store_locate(c->from->store, c->a, place);
    tn_str target = tn_store_locate(c->to->store, c->a, key);
    if (!tn_uri_is_remote(source) && !tn_uri_is_remote(target)) {
        TN_TRY(tn_store_prepare(c->to->store, key, err));
        return tn_file_copy(source, target, err);
    }
    TN_AUTO_ARENA scratch = tn_arena_new("delta copy", NULL);
    TN_AUTOPTR(tn_store) other = NULL;
    tn_str data;
    if (is_absolute(place)) {
        TN_TRY(tn_store_open_beside(c->from->store, tn_path_dir(place), &other, err));
        TN_TRY(tn_store_get(other, scratch, tn_path_base(place), COPY_BYTES_MAX, &data, err));
    } else {
        TN_TRY(tn_store_get(c->from->store, scratch, place, COPY_BYTES_MAX, &data, err));
    }
    return tn_store_put(c->to->store, key, data, TN_PUT_OVERWRITE, err);
}

/* Many files may share one file of vectors: it is copied once. */
static tn_rc copy_vector(cloning *c, tn_delta_dv *dv, tn_err *err)
{
    tn_str place;
    if (dv->storage != 'u') {
        return TN_OK; /* in the log itself; an absolute one stays where it is */
    }
    TN_TRY(tn_delta_dv_place(c->a, dv, &place, err));
    if (tn_map_find(&c->copied, place) == NULL) {
        tn_map_put(&c->copied, place, c);
        TN_TRY(copy_object(c, place, place, err));
    }
    return TN_OK;
}

static tn_rc copy_file(cloning *c, tn_delta_file *f, tn_err *err)
{
    tn_str place;
    TN_TRY(tn_delta_path_decode(c->a, f->path, &place, err));
    tn_str key = place;
    if (is_absolute(place)) {
        key = tn_str_printf(c->a, "part-" TN_STR_FMT ".parquet", TN_STR_ARG(tn_uuid4(c->a)));
        f->path = key;
    }
    tn_map_put(&c->copied, key, c);
    TN_TRY(copy_object(c, place, key, err));
    return copy_vector(c, &f->dv, err);
}

static tn_rc refer_file(const cloning *c, tn_delta_file *f, tn_err *err)
{
    tn_str place;
    TN_TRY(tn_delta_path_decode(c->a, f->path, &place, err));
    TN_TRY(url_of(c, place, "", &f->path, err));
    if (f->dv.storage == 'u') {
        TN_TRY(tn_delta_dv_place(c->a, &f->dv, &place, err));
        TN_TRY(url_of(c, place, "file://", &f->dv.path_or_inline, err));
        f->dv.storage = 'p';
    }
    return TN_OK;
}

static tn_rc take_files(cloning *c, tn_err *err)
{
    for (size_t i = 0; i < c->s->files.n; i++) {
        tn_delta_file f = c->s->files.v[i];
        f.data_change = true;
        c->bytes += f.size;
        TN_TRY(c->shallow ? refer_file(c, &f, err) : copy_file(c, &f, err));
        tn_vec_push(&c->adds, c->a, f);
    }
    return TN_OK;
}

static void discard(const cloning *c)
{
    for (size_t i = 0; i < c->copied.n; i++) {
        tn_err why = TN_ERR_INIT;
        tn_rc rc = tn_store_remove(c->to->store, c->copied.items[i].key, &why);
        if (rc != TN_OK && rc != TN_E_NOTFOUND) { /* the last one may not have come to be */
            tn_log(TN_LOG_WARN, "delta", "'" TN_STR_FMT "' could not be removed: %s",
                TN_STR_ARG(c->copied.items[i].key), why.msg);
        }
    }
}

/* ---- the first version ---- */

static tn_delta_meta new_meta(const cloning *c)
{
    tn_delta_meta m = c->s->meta;
    m.id = tn_uuid4(c->a);
    tn_val conf = tn_val_dict(c->a);
    size_t at = 0;
    const tn_dict_item *it;
    while (
        m.configuration.tag == TN_DICT && (it = tn_dict_next(m.configuration.dict, &at)) != NULL) {
        /* When the old table began with inCommitTimestamps means nothing to the new one, which has them from version 0 on. */
        if (!tn_str_starts(tn_val_as_str(it->key), TN_STR("delta.inCommitTimestampEnablement"))) {
            tn_dict_put(conf.dict, it->key, it->value);
        }
    }
    m.configuration = conf;
    return m;
}

static void put_int(const cloning *c, tn_val dict, const char *key, int64_t n)
{
    tn_dict_putz(dict.dict, key, tn_val_str(tn_str_printf(c->a, "%lld", (long long)n)));
}

static void describe(const cloning *c, tn_delta_txn_plan *p)
{
    p->operation_parameters = tn_val_dict(c->a);
    tn_dict_putz(p->operation_parameters.dict, "source", tn_val_str(c->from->store->root));
    put_int(c, p->operation_parameters, "sourceVersion", c->s->version);
    tn_dict_putz(
        p->operation_parameters.dict, "isShallow", tn_val_z(c->shallow ? "true" : "false"));
    p->operation_metrics = tn_val_dict(c->a);
    put_int(c, p->operation_metrics, "sourceTableSize", c->bytes);
    put_int(c, p->operation_metrics, "sourceNumOfFiles", (int64_t)c->adds.n);
    put_int(c, p->operation_metrics, "numCopiedFiles", c->shallow ? 0 : (int64_t)c->adds.n);
    put_int(c, p->operation_metrics, "copiedFilesSize", c->shallow ? 0 : c->bytes);
    put_int(c, p->operation_metrics, "numRemovedFiles", 0);
    put_int(c, p->operation_metrics, "removedFilesSize", 0);
}

static tn_rc commit(cloning *c, int64_t *ret_version, tn_err *err)
{
    tn_delta_meta meta = new_meta(c);
    tn_delta_txn_plan p = { .read_version = -1,
        .operation = TN_STR("CLONE"),
        .protocol = &c->s->protocol,
        .meta = &meta,
        .adds = c->adds };
    for (size_t i = 0; i < c->s->txns.n; i++) {
        if (c->s->txns.items[i].value != NULL) {
            tn_vec_push(&p.txns, c->a, *(const tn_delta_txn *)c->s->txns.items[i].value);
        }
    }
    for (size_t i = 0; i < c->s->domains.n; i++) {
        const tn_delta_domain *d = c->s->domains.items[i].value;
        if (d != NULL && !d->removed) {
            tn_vec_push(&p.domains, c->a, *d);
        }
    }
    describe(c, &p);
    return tn_delta_commit_write(c->to, &p, ret_version, err);
}

tn_rc tn_delta_clone(tn_delta_table *from, tn_conn *conn, int64_t version, bool shallow,
    tn_delta_table *to, tn_delta_clone_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta clone", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    bool there = false;
    TN_TRY(tn_delta_table_exists(to, &there, err));
    if (there) {
        return tn_fail(err, TN_E_EXISTS, "there is a table at '" TN_STR_FMT "' already",
            TN_STR_ARG(to->store->root));
    }
    TN_TRY(tn_delta_snapshot_open(from, conn, version, &s, err));
    TN_TRY(tn_delta_check_writable(&s->protocol, &s->meta, err));
    cloning c = { .from = from, .to = to, .a = a, .s = s, .shallow = shallow };
    c.copied = tn_map_init(a);
    int64_t made = 0;
    tn_rc rc = take_files(&c, err);
    bool unsure = false; /* the commit may be there: only then files must stay */
    if (rc == TN_OK) {
        rc = commit(&c, &made, err);
        unsure = rc == TN_E_AMBIGUOUS;
    }
    if (rc != TN_OK) {
        if (!unsure) {
            discard(&c);
        }
        return tn_while(
            err, rc, "cloning the table '" TN_STR_FMT "'", TN_STR_ARG(from->store->root));
    }
    *ret = (tn_delta_clone_result){
        .version = made, .source_version = s->version, .files = (int64_t)c.adds.n, .bytes = c.bytes
    };
    return TN_OK;
}
