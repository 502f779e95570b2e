/* delta_clone.c: a new table with the state of another's version.
 *
 * Shallow: the new log names the old table's files by absolute paths or URLs, and its deletion vectors likewise. Deep: files are copied under the same keys
 * (files that the source names by an absolute path get a new name below the root). The new table has an id of its own, keeps properties,
 * application transactions and foreign metadata domains, and begins at version 0. Its rows get ids and versions of its own, as the protocol means both within one
 * table: the columns in which files keep the source's are named anew, so that nobody reads them.
 *
 * A table that is replaced (delta_clone_over.c) gets one more version instead; what it shares with the source already, from an earlier clone, stays as it is.
 */
#include "delta/care/delta_clone.h"

#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "os/parallel.h"
#include "os/random.h"
#include "text/uri.h"

enum { COPIES_AT_ONCE = 8 };

/* A place as it goes to a log: an absolute path (DuckDB's delta extension takes no file:// for data files, and wants it for vectors) or a
 * URL. */
static tn_rc url_of(
    const tn_delta_cloning *c, tn_str place, const char *local_scheme, tn_str *ret, tn_err *err)
{
    tn_str where =
        tn_delta_path_is_absolute(place) ? place : tn_store_locate(c->from->store, c->a, place);
    tn_buf b = tn_buf_init(c->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, tn_uri_is_remote(where) ? "" : local_scheme);
    tn_percent_encode(&b, where, "/=!$&'()*+,;:@", true);
    return tn_buf_finish(&b, "a file's URL", ret, err);
}

/* ---- copying ---- */

/* Noted now; all of them are made at once when the table's files are known. */
static void plan_copy(tn_delta_cloning *c, tn_str place, tn_str key)
{
    tn_map_put(&c->copied, key, c);
    tn_vec_push(&c->copies, c->a, ((tn_delta_clone_copy){ .place = place, .key = key }));
}

static tn_rc make_copy(void *self, size_t i, tn_err *err)
{
    const tn_delta_cloning *c = self;
    const tn_delta_clone_copy *copy = &c->copies.v[i];
    if (!tn_delta_path_is_absolute(copy->place)) {
        return tn_store_copy(c->to->store, copy->key, c->from->store, copy->place, err);
    }
    TN_AUTOPTR(tn_store) other = NULL;
    TN_TRY(tn_store_open_beside(c->from->store, tn_path_dir(copy->place), &other, err));
    return tn_store_copy(c->to->store, copy->key, other, tn_path_base(copy->place), err);
}

static tn_rc is_there(tn_store *s, tn_arena *a, tn_str key, bool *ret, tn_err *err)
{
    tn_store_item item;
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_store_head(s, a, key, &item, &why);
    *ret = rc == TN_OK;
    return rc == TN_OK || rc == TN_E_NOTFOUND ? TN_OK : tn_err_pass(err, rc, &why);
}

/* Many files may share one file of vectors: it is copied once. */
static tn_rc copy_vector(tn_delta_cloning *c, tn_delta_dv *dv, tn_err *err)
{
    tn_str place;
    if (dv->storage != 'u') {
        return TN_OK; /* in the log itself; an absolute one stays where it is */
    }
    TN_TRY(tn_delta_dv_place(c->a, dv, &place, err));
    bool there = tn_map_find(&c->copied, place) != NULL;
    if (!there && c->over != NULL) { /* its name is a UUID: what is called so came from there */
        TN_TRY(is_there(c->to->store, c->a, place, &there, err));
    }
    if (!there) {
        plan_copy(c, place, place);
    }
    return TN_OK;
}

/* The key of a copy: that of the source unless another object of the table has it. */
static tn_rc key_for(tn_delta_cloning *c, tn_str place, tn_str *ret, tn_err *err)
{
    bool taken = tn_delta_path_is_absolute(place);
    if (!taken && c->over != NULL) {
        TN_TRY(is_there(c->to->store, c->a, place, &taken, err));
    }
    *ret = taken ? tn_str_printf(c->a, "part-" TN_STR_FMT ".parquet", TN_STR_ARG(tn_uuid4(c->a)))
                 : place;
    return TN_OK;
}

static tn_rc copy_file(tn_delta_cloning *c, tn_delta_file *f, tn_err *err)
{
    tn_str place;
    TN_TRY(tn_delta_path_decode(c->a, f->path, &place, err));
    tn_str key;
    if (tn_delta_clone_has_data(c, place, f)) {
        return copy_vector(c, &f->dv, err);
    }
    TN_TRY(key_for(c, place, &key, err));
    f->path = tn_str_eq(key, place) ? f->path : key;
    plan_copy(c, place, key);
    return copy_vector(c, &f->dv, err);
}

static tn_rc refer_file(const tn_delta_cloning *c, tn_delta_file *f, tn_err *err)
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

static tn_rc take_files(tn_delta_cloning *c, tn_err *err)
{
    for (size_t i = 0; i < c->s->files.n; i++) {
        tn_delta_file f = c->s->files.v[i];
        f.data_change = true;
        c->bytes += f.size;
        if (c->shallow) {
            TN_TRY(refer_file(c, &f, err));
        }
        if (tn_delta_clone_shares(c, &f)) {
            continue;
        }
        if (!c->shallow) {
            TN_TRY(copy_file(c, &f, err));
        }
        tn_vec_push(&c->adds, c->a, f);
    }
    return tn_parallel(c->copies.n, COPIES_AT_ONCE, make_copy, c, err);
}

static void discard(const tn_delta_cloning *c)
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

tn_delta_file tn_delta_clone_unnumbered(tn_delta_file f)
{
    f.base_row_id = f.default_row_commit_version = TN_DELTA_ABSENT;
    return f;
}

static tn_delta_meta new_meta(const tn_delta_cloning *c)
{
    tn_delta_meta m = c->s->meta;
    m.id = tn_uuid4(c->a);
    tn_val conf = tn_val_dict(c->a);
    size_t at = 0;
    const tn_dict_item *it;
    while (
        m.configuration.tag == TN_DICT && (it = tn_dict_next(m.configuration.dict, &at)) != NULL) {
        /* When the old table began with inCommitTimestamps means nothing to the new one, which has them from version 0 on. */
        tn_str key = tn_val_as_str(it->key);
        if (!tn_str_starts(key, TN_STR("delta.inCommitTimestampEnablement")) &&
            !tn_str_is(key, TN_ROWS_ID_PROPERTY) && !tn_str_is(key, TN_ROWS_VERSION_PROPERTY)) {
            tn_dict_put(conf.dict, it->key, it->value);
        }
    }
    m.configuration = conf;
    tn_delta_rows_name_columns(c->a, &m);
    return m;
}

static void put_int(const tn_delta_cloning *c, tn_val dict, const char *key, int64_t n)
{
    tn_dict_putz(dict.dict, key, tn_val_str(tn_str_printf(c->a, "%lld", (long long)n)));
}

static int64_t added_bytes(const tn_delta_cloning *c)
{
    int64_t sum = 0;
    for (size_t i = 0; i < c->adds.n; i++) {
        sum += c->adds.v[i].size;
    }
    return sum;
}

static void describe(const tn_delta_cloning *c, tn_delta_txn_plan *p)
{
    p->operation_parameters = tn_val_dict(c->a);
    tn_dict_putz(p->operation_parameters.dict, "source", tn_val_str(c->from->store->root));
    put_int(c, p->operation_parameters, "sourceVersion", c->s->version);
    tn_dict_putz(
        p->operation_parameters.dict, "isShallow", tn_val_z(c->shallow ? "true" : "false"));
    p->operation_metrics = tn_val_dict(c->a);
    put_int(c, p->operation_metrics, "sourceTableSize", c->bytes);
    put_int(c, p->operation_metrics, "sourceNumOfFiles", (int64_t)c->s->files.n);
    put_int(c, p->operation_metrics, "numCopiedFiles", c->shallow ? 0 : (int64_t)c->adds.n);
    put_int(c, p->operation_metrics, "copiedFilesSize", c->shallow ? 0 : added_bytes(c));
    int64_t removed = 0;
    for (size_t i = 0; i < p->removes.n; i++) {
        removed += p->removes.v[i].size > 0 ? p->removes.v[i].size : 0;
    }
    put_int(c, p->operation_metrics, "numRemovedFiles", (int64_t)p->removes.n);
    put_int(c, p->operation_metrics, "removedFilesSize", removed);
}

static void plan_new(tn_delta_cloning *c, tn_delta_meta *meta, tn_delta_txn_plan *p)
{
    *meta = new_meta(c);
    p->read_version = -1;
    p->protocol = &c->s->protocol;
    p->meta = meta;
    for (size_t i = 0; i < c->adds.n; i++) {
        tn_vec_push(&p->adds, c->a, tn_delta_clone_unnumbered(c->adds.v[i]));
    }
    for (size_t i = 0; i < c->s->txns.n; i++) {
        if (c->s->txns.items[i].value != NULL) {
            tn_vec_push(&p->txns, c->a, *(const tn_delta_txn *)c->s->txns.items[i].value);
        }
    }
    for (size_t i = 0; i < c->s->domains.n; i++) {
        const tn_delta_domain *d = c->s->domains.items[i].value;
        if (d != NULL && !d->removed && !tn_str_is(d->domain, TN_ROWS_DOMAIN)) {
            tn_vec_push(&p->domains, c->a, *d);
        }
    }
}

static tn_rc commit(tn_delta_cloning *c, tn_delta_clone_result *ret, tn_err *err)
{
    tn_delta_meta meta;
    tn_delta_protocol protocol;
    tn_delta_txn_plan p = { .operation = TN_STR("CLONE") };
    if (c->over == NULL) {
        plan_new(c, &meta, &p);
    } else {
        TN_TRY(tn_delta_clone_plan_over(c, &meta, &protocol, &p, err));
    }
    describe(c, &p);
    ret->source_version = c->s->version;
    ret->files = (int64_t)c->s->files.n;
    ret->bytes = c->bytes;
    ret->files_added = (int64_t)c->adds.n;
    ret->files_removed = (int64_t)p.removes.n;
    return tn_delta_commit_write(c->to, &p, &ret->version, err);
}

static tn_rc open_both(tn_delta_cloning *c, tn_conn *conn, const tn_delta_clone_opts *o,
    tn_delta_snapshot **ret_source, tn_delta_snapshot **ret_target, tn_err *err)
{
    bool there = false;
    TN_TRY(tn_delta_table_exists(c->to, &there, err));
    if (there && !o->replace) {
        return tn_fail(err, TN_E_EXISTS, "there is a table at '" TN_STR_FMT "' already",
            TN_STR_ARG(c->to->store->root));
    }
    TN_TRY(o->by_time ? tn_delta_snapshot_at_time(c->from, conn, o->timestamp_ms, ret_source, err)
                      : tn_delta_snapshot_open(c->from, conn, o->version, ret_source, err));
    c->s = *ret_source;
    TN_TRY(tn_delta_check_writable(&c->s->protocol, &c->s->meta, err));
    if (there) {
        TN_TRY(tn_delta_snapshot_open(c->to, conn, TN_DELTA_LATEST, ret_target, err));
        c->over = *ret_target;
        TN_TRY(tn_delta_clone_may_replace(c, err));
    }
    return TN_OK;
}

tn_rc tn_delta_clone(tn_delta_table *from, tn_conn *conn, const tn_delta_clone_opts *opts,
    tn_delta_table *to, tn_delta_clone_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta clone", NULL);
    TN_AUTOPTR(tn_delta_snapshot) source = NULL;
    TN_AUTOPTR(tn_delta_snapshot) target = NULL;
    tn_delta_clone_result made = { 0 };
    tn_delta_cloning c = { .from = from, .to = to, .a = a, .shallow = opts->shallow };
    TN_TRY(open_both(&c, conn, opts, &source, &target, err));
    c.copied = tn_map_init(a);
    c.shared = tn_map_init(a);
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
    if (c.over != NULL) {
        tn_delta_after_commit(to, conn, made.version, &c.s->meta);
    }
    *ret = made;
    return TN_OK;
}
