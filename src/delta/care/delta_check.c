/* delta_check.c: does the newest version rest on what its log says?
 *
 * In the order of cost: the log's files (gaps, unreadable commits, one file added twice), N.crc, the checkpoint against the commits before it, the data files (there, of the right size), deletion vectors
 * (checksum, number of rows, within the file), Parquet footers (number of rows), and on request the values against the statistics (delta_check_values.c).
 * A file that is damaged yields findings; the check goes on with the next.
 */
#include "delta/care/delta_check.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/log/delta_head.h"
#include "delta/log/delta_log.h"
#include "text/json.h"

enum { FINDINGS_MAX = 10000, BATCH_FILES = 500, CRC_BYTES_MAX = 64 << 20 };

void tn_delta_tell(
    tn_delta_checking *c, bool error, const char *what, tn_str path, const char *fmt, ...)
{
    if (c->out.findings.n >= FINDINGS_MAX) {
        return;
    }
    tn_buf b = tn_buf_init(c->a, 1 << 16);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    tn_delta_finding f = {
        .error = error, .what = what, .path = tn_str_dup(c->a, path), .detail = tn_buf_str(&b)
    };
    tn_vec_push(&c->out.findings, c->a, f);
}

/* ---- the log ---- */

static void check_commit(tn_delta_checking *c, tn_arena *a, const tn_delta_log_file *file)
{
    tn_delta_actions acts;
    tn_err why = TN_ERR_INIT;
    if (tn_delta_commit_read(c->t, a, file->version, &acts, &why) != TN_OK) {
        tn_delta_tell(c, true, "unreadable commit", file->key, "%s", why.msg);
        return;
    }
    tn_map seen = tn_map_init(a);
    for (size_t i = 0; i < acts.adds.n; i++) {
        tn_str key;
        if (tn_delta_file_key(a, acts.adds.v[i].path, &acts.adds.v[i].dv, &key, &why) != TN_OK) {
            tn_delta_tell(c, true, "bad path", acts.adds.v[i].path, "%s", why.msg);
        } else if (tn_map_find(&seen, key) != NULL) {
            tn_delta_tell(c, true, "added twice", acts.adds.v[i].path,
                "version %lld adds the file twice", (long long)file->version);
        } else {
            tn_map_put(&seen, key, &acts.adds.v[i]);
        }
    }
}

static tn_rc check_log(tn_delta_checking *c, tn_err *err)
{
    tn_delta_log_files commits;
    TN_TRY(tn_delta_commits_all(c->t, c->tmp, &commits, err));
    c->out.commits = (int64_t)commits.n;
    for (size_t i = 0; i < commits.n; i++) {
        TN_AUTO_ARENA a = tn_arena_new("delta check", NULL);
        int64_t expected = i == 0 ? commits.v[0].version : commits.v[i - 1].version + 1;
        if (commits.v[i].version != expected) {
            tn_delta_tell(c, true, "gap in the log", commits.v[i].key,
                "versions %lld to %lld have no commit", (long long)expected,
                (long long)commits.v[i].version - 1);
        }
        check_commit(c, a, &commits.v[i]);
    }
    return TN_OK;
}

static void check_sum(tn_delta_checking *c, tn_str key, const char *name, int64_t says, int64_t is)
{
    if (says != is) {
        tn_delta_tell(c, true, "checksum file", key, "%s is %lld there, %lld by the log", name,
            (long long)says, (long long)is);
    }
}

/* Live entries, a removed domain is none. */
static int64_t live_domains(const tn_map *m)
{
    int64_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        const tn_delta_domain *d = m->items[i].value;
        n += d != NULL && !d->removed;
    }
    return n;
}

static bool same_names(const tn_strs *x, const tn_strs *y)
{
    bool all = x->n == y->n;
    for (size_t i = 0; all && i < x->n; i++) {
        bool here = false, there = false;
        for (size_t k = 0; k < x->n; k++) {
            here = here || tn_str_eq(y->v[i], x->v[k]);
            there = there || tn_str_eq(x->v[i], y->v[k]);
        }
        all = here && there;
    }
    return all;
}

/* The lists are sets: the reference writes them in any order. */
static bool same_protocol(const tn_delta_protocol *x, const tn_delta_protocol *y)
{
    return x->reader == y->reader && x->writer == y->writer &&
           same_names(&x->reader_features, &y->reader_features) &&
           same_names(&x->writer_features, &y->writer_features);
}

static void check_crc_head(tn_delta_checking *c, tn_str key, const tn_delta_head *says,
    bool complete, const tn_delta_head *is)
{
    check_sum(c, key, "numFiles", says->sums.files, is->sums.files);
    check_sum(c, key, "tableSizeBytes", says->sums.bytes, is->sums.bytes);
    if (says->counted) {
        check_sum(c, key, "numDeletionVectorsOpt", says->sums.vectors, is->sums.vectors);
        check_sum(c, key, "numDeletedRecordsOpt", says->sums.deleted, is->sums.deleted);
        if (memcmp(says->sums.size_counts, is->sums.size_counts, sizeof is->sums.size_counts) !=
                0 ||
            memcmp(says->sums.size_bytes, is->sums.size_bytes, sizeof is->sums.size_bytes) != 0) {
            tn_delta_tell(
                c, true, "checksum file", key, "its histogram of sizes is not that of the files");
        }
    }
    if (complete) {
        check_sum(
            c, key, "the number of transactions", (int64_t)says->txns.live, (int64_t)is->txns.live);
        check_sum(c, key, "the number of domains", live_domains(&says->domains),
            live_domains(&is->domains));
    }
    if (!same_protocol(&says->protocol, &is->protocol)) {
        tn_delta_tell(c, true, "checksum file", key, "its protocol is not that of the log");
    }
    if (!tn_str_eq(says->meta.id, is->meta.id)) {
        tn_delta_tell(c, true, "checksum file", key, "it is of another table, '" TN_STR_FMT "'",
            TN_STR_ARG(says->meta.id));
    } else if (!tn_str_eq(says->meta.schema_json, is->meta.schema_json) ||
               !tn_val_eq(says->meta.configuration, is->meta.configuration)) {
        tn_delta_tell(c, true, "checksum file", key, "its metadata is not that of the log");
    }
}

static void check_crc(tn_delta_checking *c)
{
    tn_str key = tn_delta_crc_key(c->tmp, c->s->version);
    tn_str text;
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_store_get(c->t->store, c->tmp, key, CRC_BYTES_MAX, &text, &why);
    if (rc == TN_E_NOTFOUND) {
        return;
    }
    tn_delta_head says;
    tn_delta_head is = tn_delta_head_of(c->tmp, c->s);
    bool complete = false;
    rc = rc == TN_OK ? tn_delta_crc_parse(c->tmp, text, &says, &complete, &why) : rc;
    if (rc != TN_OK) {
        tn_delta_tell(c, false, "checksum file", key, "%s", why.msg);
        return;
    }
    check_crc_head(c, key, &says, complete, &is);
}

/* ---- the checkpoint ---- */

enum { DIFFERENCES_MAX = 10 };

/* Files of x that y does not have, or has with another size or other statistics' row counts. */
static tn_rc differ(tn_delta_checking *c, const tn_delta_snapshot *x, const tn_delta_snapshot *y,
    tn_str key, const char *says, tn_err *err)
{
    tn_map there = tn_map_init(c->tmp);
    tn_str place;
    size_t n = 0;
    for (size_t i = 0; i < y->files.n; i++) {
        const tn_delta_file *f = &y->files.v[i];
        TN_TRY(tn_delta_file_key(c->tmp, f->path, &f->dv, &place, err));
        tn_map_put(&there, place, &y->files.v[i]);
    }
    for (size_t i = 0; i < x->files.n && n < DIFFERENCES_MAX; i++) {
        const tn_delta_file *f = &x->files.v[i];
        TN_TRY(tn_delta_file_key(c->tmp, f->path, &f->dv, &place, err));
        const tn_delta_file *other = tn_map_find(&there, place);
        if (other == NULL) {
            n++;
            tn_delta_tell(
                c, true, "checkpoint", key, "%s '" TN_STR_FMT "'", says, TN_STR_ARG(f->path));
        } else if (other->size != f->size || tn_delta_stats_rows(other) != tn_delta_stats_rows(f)) {
            n++;
            tn_delta_tell(c, true, "checkpoint", key,
                "size or rows of '" TN_STR_FMT "' are not those of the commits",
                TN_STR_ARG(f->path));
        }
    }
    return TN_OK;
}

/* In any order; none is the same as an empty one. */
static bool same_settings(tn_val x, tn_val y)
{
    size_t at = 0;
    size_t n = x.tag == TN_DICT ? x.dict->live : 0;
    const tn_dict_item *it;
    if (n != (y.tag == TN_DICT ? y.dict->live : 0)) {
        return false;
    }
    while (n > 0 && (it = tn_dict_next(x.dict, &at)) != NULL) {
        const tn_val *other = tn_dict_finds(y.dict, tn_val_as_str(it->key));
        if (other == NULL || !tn_val_eq(*other, it->value)) {
            return false;
        }
    }
    return true;
}

/* Writers print a schema with blanks or without. */
static bool same_meta(tn_delta_checking *c, const tn_delta_meta *x, const tn_delta_meta *y)
{
    tn_buf a = tn_buf_init(c->tmp, CRC_BYTES_MAX);
    tn_buf b = tn_buf_init(c->tmp, CRC_BYTES_MAX);
    tn_delta_schema_print(&a, x->schema);
    tn_delta_schema_print(&b, y->schema);
    return tn_str_eq(x->id, y->id) && tn_str_eq(tn_buf_str(&a), tn_buf_str(&b)) &&
           same_settings(x->configuration, y->configuration);
}

/* The newest version, as it came by the checkpoint, and once more from the commits before the checkpoint. They may have been cleaned away: then there is nothing
 * to compare with. */
static tn_rc check_checkpoint(tn_delta_checking *c, tn_err *err)
{
    tn_delta_segment seg;
    TN_AUTOPTR(tn_delta_snapshot) replayed = NULL;
    TN_AUTOPTR(tn_delta_snapshot) again = NULL;
    TN_TRY(tn_delta_segment_find(c->t, c->tmp, c->s->version, INT64_MAX, &seg, err));
    if (seg.checkpoint_version < 0) {
        return TN_OK;
    }
    tn_str key = seg.checkpoint.v[0].key;
    tn_err why = TN_ERR_INIT;
    if (c->s->checkpoint_version != seg.checkpoint_version &&
        tn_delta_snapshot_before(c->t, c->conn, c->s->version, INT64_MAX, &again, &why) != TN_OK) {
        tn_delta_tell(c, false, "checkpoint", key, "it is passed over: %s", why.msg);
        return TN_OK;
    }
    const tn_delta_snapshot *short_way = again != NULL ? again : c->s;
    if (tn_delta_snapshot_before(
            c->t, c->conn, c->s->version, seg.checkpoint_version, &replayed, &why) != TN_OK) {
        return TN_OK;
    }
    TN_TRY(differ(c, short_way, replayed, key, "the commits do not have", err));
    TN_TRY(differ(c, replayed, short_way, key, "it lacks", err));
    if (!same_meta(c, &replayed->meta, &short_way->meta)) {
        tn_delta_tell(c, true, "checkpoint", key, "its metadata is not that of the commits");
    }
    if (replayed->txns.live != short_way->txns.live ||
        live_domains(&replayed->domains) != live_domains(&short_way->domains)) {
        tn_delta_tell(
            c, true, "checkpoint", key, "its transactions or domains are not those of the commits");
    }
    return TN_OK;
}

/* ---- the live files ---- */

static tn_rc check_twice(tn_delta_checking *c, tn_err *err)
{
    tn_map seen = tn_map_init(c->tmp);
    for (size_t i = 0; i < c->s->files.n; i++) {
        tn_str place;
        TN_TRY(tn_delta_path_decode(c->tmp, c->s->files.v[i].path, &place, err));
        if (tn_map_find(&seen, place) != NULL) {
            tn_delta_tell(c, true, "live twice", place, "with two different deletion vectors");
        }
        tn_map_put(&seen, place, c);
    }
    return TN_OK;
}

static void check_partition(tn_delta_checking *c, const tn_delta_file *f, tn_str place)
{
    tn_delta_mapping mapping = tn_delta_mapping_of(&c->s->protocol, &c->s->meta);
    for (size_t i = 0; i < c->s->meta.partition_columns.n; i++) {
        if (tn_val_is_undef(tn_delta_partition_value(&c->s->meta, mapping, f, i))) {
            tn_delta_tell(c, true, "partition value", place, "there is none for '" TN_STR_FMT "'",
                TN_STR_ARG(c->s->meta.partition_columns.v[i]));
        }
    }
}

static tn_rc check_objects(tn_delta_checking *c, tn_err *err)
{
    tn_store_items items = { 0 };
    tn_store_list_opts all = { .flat = true };
    TN_TRY(tn_store_list(c->t->store, c->tmp, &all, &items, err));
    tn_map sizes = tn_map_init(c->tmp);
    for (size_t i = 0; i < items.n; i++) {
        tn_map_put(&sizes, items.v[i].key, &items.v[i]);
    }
    for (size_t i = 0; i < c->s->files.n; i++) {
        const tn_delta_file *f = &c->s->files.v[i];
        tn_str place;
        tn_store_item other;
        tn_err why = TN_ERR_INIT;
        TN_TRY(tn_delta_path_decode(c->tmp, f->path, &place, err));
        const tn_store_item *item = tn_map_find(&sizes, place);
        tn_rc rc = TN_OK;
        if (item == NULL) { /* elsewhere, or spelled in another way */
            rc = tn_delta_object_head(c->t->store, c->tmp, place, &other, &why);
            item = &other;
        }
        if (rc == TN_E_NOTFOUND) {
            tn_delta_tell(
                c, true, "missing file", place, "%lld bytes of the table", (long long)f->size);
        } else if (rc != TN_OK) {
            tn_delta_tell(c, true, "missing file", place, "it cannot be looked at: %s", why.msg);
        } else if (item->size != f->size) {
            tn_delta_tell(c, true, "size", place, "%lld bytes are there, %lld by the log",
                (long long)item->size, (long long)f->size);
        }
        c->there[i] = c->readable[i] = rc == TN_OK;
        check_partition(c, f, place);
    }
    return TN_OK;
}

static void check_vectors(tn_delta_checking *c)
{
    for (size_t i = 0; i < c->s->files.n; i++) {
        const tn_delta_file *f = &c->s->files.v[i];
        TN_AUTO_ARENA a = tn_arena_new("delta check", NULL);
        uint64_t *rows = NULL;
        size_t n = 0;
        tn_err why = TN_ERR_INIT;
        if (f->dv.storage == 0) {
            continue;
        }
        if (tn_delta_dv_read(c->t->store, a, &f->dv, &rows, &n, &why) != TN_OK) {
            tn_delta_tell(c, true, "deletion vector", f->path, "%s", why.msg);
            c->readable[i] = false;
            continue;
        }
        int64_t in_file = tn_delta_stats_rows(f);
        if ((int64_t)n != f->dv.cardinality) {
            tn_delta_tell(c, true, "deletion vector", f->path,
                "%zu rows are marked, %lld by the log", n, (long long)f->dv.cardinality);
        }
        if (n > 0 && in_file >= 0 && rows[n - 1] >= (uint64_t)in_file) {
            tn_delta_tell(c, true, "deletion vector", f->path,
                "row %llu is marked in a file of %lld rows", (unsigned long long)rows[n - 1],
                (long long)in_file);
        }
    }
}

/* ---- footers ---- */

static tn_rc footers(const tn_delta_checking *c, tn_arena *a, size_t from, size_t to, tn_val *ret,
    bool *ret_any, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    *ret_any = false;
    tn_buf_addz(&b, "SELECT file_name, num_rows FROM parquet_file_metadata([");
    for (size_t i = from; i < to; i++) {
        tn_str where;
        if (c->there[i]) {
            TN_TRY(tn_delta_locate(c->t->store, a, c->s->files.v[i].path, &where, err));
            tn_buf_addz(&b, *ret_any ? ", " : "");
            tn_delta_sql_location(&b, where);
            *ret_any = true;
        }
    }
    tn_buf_addz(&b, "])");
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the footers' SELECT", &sql, err));
    return *ret_any ? tn_conn_rows(c->conn, a, sql, to - from, ret, NULL, err) : TN_OK;
}

static void hold_against(tn_delta_checking *c, tn_arena *a, size_t i, const tn_map *rows)
{
    const tn_delta_file *f = &c->s->files.v[i];
    tn_str where;
    tn_err why = TN_ERR_INIT;
    if (tn_delta_locate(c->t->store, a, f->path, &where, &why) != TN_OK) {
        return;
    }
    const tn_val *n = tn_map_find(rows, where);
    if (n == NULL) {
        return;
    }
    int64_t says = tn_delta_stats_rows(f);
    c->out.rows += n->i - (f->dv.storage != 0 ? f->dv.cardinality : 0);
    if (says < 0) {
        tn_delta_tell(c, false, "no statistics", f->path, "the log does not know its %lld rows",
            (long long)n->i);
    } else if (says != n->i) {
        tn_delta_tell(c, true, "row count", f->path, "%lld rows are in the file, %lld by the log",
            (long long)n->i, (long long)says);
    }
}

/* Files [from, to): all footers in one query; when that fails, each half by itself, down to the file that is damaged. */
static void check_footers(tn_delta_checking *c, size_t from, size_t to)
{
    TN_AUTO_ARENA a = tn_arena_new("delta check", NULL);
    tn_err why = TN_ERR_INIT;
    tn_val list = TN_VAL_UNDEF;
    bool any = false;
    tn_rc rc = footers(c, a, from, to, &list, &any, &why);
    if (rc != TN_OK && to - from > 1) {
        size_t mid = from + (to - from) / 2;
        check_footers(c, from, mid);
        check_footers(c, mid, to);
        return;
    }
    if (rc != TN_OK) {
        tn_delta_tell(c, true, "unreadable file", c->s->files.v[from].path, "%s", why.msg);
        c->there[from] = c->readable[from] = false;
        return;
    }
    tn_map rows = tn_map_init(a);
    for (size_t i = 0; any && i < list.list->n; i++) {
        tn_val *row = list.list->v[i].list->v;
        tn_map_put(&rows, tn_val_as_str(row[0]), &row[1]);
    }
    for (size_t i = from; i < to; i++) {
        hold_against(c, a, i, &rows);
    }
}

/* ---- all of it ---- */

static tn_rc check_data(tn_delta_checking *c, tn_err *err)
{
    c->there = tn_new_array(c->tmp, bool, c->s->files.n + 1);
    c->readable = tn_new_array(c->tmp, bool, c->s->files.n + 1);
    TN_TRY(check_objects(c, err));
    check_vectors(c);
    for (size_t i = 0; i < c->s->files.n; i += BATCH_FILES) {
        size_t to = tn_min_size(i + BATCH_FILES, c->s->files.n);
        check_footers(c, i, to);
        if (c->opts->values) {
            tn_delta_check_values(c, i, to);
        }
    }
    return TN_OK;
}

tn_rc tn_delta_check(tn_delta_table *t, tn_conn *conn, tn_arena *a, const tn_delta_check_opts *opts,
    tn_delta_check_result *ret, tn_err *err)
{
    TN_AUTO_ARENA tmp = tn_arena_new("delta check", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_delta_checking c = { .t = t, .conn = conn, .a = a, .tmp = tmp, .opts = opts };
    tn_err why = TN_ERR_INIT;
    TN_TRY(check_log(&c, err));
    tn_rc rc = tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, &why);
    bool damaged = rc == TN_E_CORRUPT || (rc == TN_E_NOTFOUND && c.out.commits > 0);
    if (rc != TN_OK && !damaged) {
        return tn_err_pass(err, rc, &why);
    }
    c.out.version = -1;
    if (damaged) {
        tn_delta_tell(&c, true, "unreadable table", TN_STR("_delta_log"), "%s", why.msg);
        *ret = c.out;
        return TN_OK;
    }
    c.s = s;
    c.out.version = s->version;
    c.out.files = (int64_t)s->files.n;
    check_crc(&c);
    TN_TRY(check_checkpoint(&c, err));
    TN_TRY(check_twice(&c, err));
    tn_delta_check_row_ids(&c);
    if (!opts->skip_data) {
        TN_TRY(check_data(&c, err));
    }
    *ret = c.out;
    return TN_OK;
}
