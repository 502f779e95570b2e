/* delta_optimize.c: the same rows in better files.
 *
 *     snapshot -> partitions (WHERE) -> bins of files -> one COPY a bin -> one commit with dataChange=false
 *
 * Packing: within a partition files that are small, or have many deleted rows, are sorted by size and put into bins of at most the target size;
 * a bin of one file is left alone unless the file has deleted rows to get rid of.
 * Z-order: all files of a partition are one bin, whose rows are sorted along the curve (delta_curve.c).
 * Clustering: the same with the table's own columns and the Hilbert curve, over the files that are in no full cube yet. A cube is what one bin made; its files carry
 *   tags ZCUBE_ID (a UUID) and ZCUBE_ZORDER_BY (JSON of the column names) and clusteringProvider "liquid", as the reference writes them.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/care/delta_curve.h"
#include "delta/delta_cluster.h"
#include "delta/delta_maint.h"
#include "delta/files/delta_cluster_impl.h"
#include "delta/files/delta_target.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "os/clock.h"
#include "os/random.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/uri.h"

#define TARGET_BYTES_DEFAULT ((int64_t)256 << 20)
#define DELETED_RATIO_MAX 0.05
#define PROVIDER "liquid"
enum { CUBE_FILES = 4 }; /* of the target size make a full cube */

typedef tn_vec(const tn_delta_file *) file_refs;

typedef struct bin {
    file_refs files;
    int64_t bytes;
} bin;
typedef tn_vec(bin) bins;

typedef struct partition {
    tn_val values; /* as the log has them */
    file_refs files;
} partition;
typedef tn_vec(partition *) partitions;

typedef struct optimize {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;
    const tn_delta_optimize_opts *opts;
    const tn_delta_snapshot *s;
    tn_delta_mapping mapping;
    int64_t target_bytes, min_bytes, cube_bytes;
    tn_strs cluster_names; /* of a clustered table; n 0: it is none */
    tn_val cluster_tag;    /* ZCUBE_ZORDER_BY */
    tn_curve curve;
    tn_curve_columns order; /* rows of a bin are sorted by it; n 0: as they come */
    bins bins;
    tn_delta_files added;
    tn_delta_optimize_result out;
} optimize;

/* ---- partitions ---- */

static tn_val value_of(const optimize *o, const tn_delta_file *f, size_t column)
{
    return tn_delta_partition_value(&o->s->meta, o->mapping, f, column);
}

static tn_str values_key(const optimize *o, const tn_delta_file *f)
{
    tn_buf b = tn_buf_init(o->a, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = 0; i < o->s->meta.partition_columns.n; i++) {
        tn_str v = tn_val_as_str(value_of(o, f, i));
        tn_buf_addf(&b, "%zu:", v.n);
        tn_buf_add(&b, v);
    }
    return tn_buf_str(&b);
}

static void split_partitions(const optimize *o, partitions *ret)
{
    tn_map by_key = tn_map_init(o->a);
    for (size_t i = 0; i < o->s->files.n; i++) {
        const tn_delta_file *f = &o->s->files.v[i];
        tn_str key = values_key(o, f);
        partition *p = tn_map_find(&by_key, key);
        if (p == NULL) {
            p = tn_new(o->a, partition);
            p->values = f->partition_values;
            tn_map_put(&by_key, key, p);
            tn_vec_push(ret, o->a, p);
        }
        tn_vec_push(&p->files, o->a, f);
    }
}

/* SELECT i FROM (VALUES (0, v, ...), ...) AS t(i, columns...) WHERE (where) */
static tn_rc where_sql(const optimize *o, const partitions *all, tn_str *ret, tn_err *err)
{
    const tn_delta_meta *m = &o->s->meta;
    tn_buf b = tn_buf_init(o->a, TN_DELTA_SQL_BYTES_MAX);
    tn_str number = TN_STR("_tarn_partition");
    tn_buf_addf(&b, "SELECT " TN_STR_FMT " FROM (VALUES ", TN_STR_ARG(number));
    for (size_t i = 0; i < all->n; i++) {
        tn_buf_addf(&b, "%s(%zu", i > 0 ? ", " : "", i);
        for (size_t k = 0; k < m->partition_columns.n; k++) {
            const tn_delta_field *f = tn_delta_field_find(m->schema, m->partition_columns.v[k]);
            tn_buf_addz(&b, ", ");
            tn_delta_partition_sql(&b, f->type, value_of(o, all->v[i]->files.v[0], k));
        }
        tn_buf_addc(&b, ')');
    }
    tn_buf_addf(&b, ") AS t(" TN_STR_FMT, TN_STR_ARG(number));
    for (size_t k = 0; k < m->partition_columns.n; k++) {
        tn_buf_addz(&b, ", ");
        tn_sql_ident(&b, m->partition_columns.v[k]);
    }
    tn_buf_addz(&b, ") WHERE (");
    tn_buf_add(&b, o->opts->where);
    tn_buf_addz(&b, "\n)");
    return tn_buf_finish(&b, "the WHERE of partitions", ret, err);
}

/* Keeps the partitions that the WHERE takes: DuckDB judges, over the partitions' values as a little table. */
static tn_rc filter_partitions(const optimize *o, partitions *all, tn_err *err)
{
    if (o->opts->where.n == 0 || all->n == 0) {
        return TN_OK;
    }
    if (o->s->meta.partition_columns.n == 0) {
        tn_rc rc =
            tn_fail(err, TN_E_USAGE, "the table has no partitions, so OPTIMIZE can have no WHERE");
        return tn_hint(err, rc, "leave the WHERE out");
    }
    tn_str sql;
    tn_val rows;
    TN_TRY(where_sql(o, all, &sql, err));
    tn_rc rc = tn_conn_rows(o->conn, o->a, sql, all->n, &rows, NULL, err);
    if (rc != TN_OK) {
        rc = tn_while(
            err, rc, "choosing partitions by '" TN_STR_FMT "'", TN_STR_ARG(o->opts->where));
        return tn_hint(err, rc, "the WHERE of OPTIMIZE names partition columns only");
    }
    partitions kept = { 0 };
    for (size_t i = 0; i < rows.list->n; i++) {
        tn_vec_push(&kept, o->a, all->v[(size_t)rows.list->v[i].list->v[0].i]);
    }
    *all = kept;
    return TN_OK;
}

/* ---- bins ---- */

static bool has_vector(const tn_delta_file *f)
{
    return f->dv.storage != 0 && f->dv.cardinality > 0;
}

static bool many_deleted(const tn_delta_file *f)
{
    if (!has_vector(f)) {
        return false;
    }
    int64_t rows = tn_delta_stats_rows(f);
    return rows <= 0 || (double)f->dv.cardinality / (double)rows > DELETED_RATIO_MAX;
}

static int by_size(const void *x, const void *y)
{
    const tn_delta_file *a = *(const tn_delta_file *const *)x;
    const tn_delta_file *b = *(const tn_delta_file *const *)y;
    int by_path = tn_str_cmp(a->path, b->path);
    return a->size < b->size ? -1 : a->size > b->size ? 1 : by_path;
}

static void close_bin(optimize *o, const bin *b)
{
    if (b->files.n > 1 || (b->files.n == 1 && has_vector(b->files.v[0]))) {
        tn_vec_push(&o->bins, o->a, *b);
    }
}

/* Small files and those with many deleted rows; a purge takes every file that has deleted rows, and no other. */
static void pack(optimize *o, const partition *p)
{
    file_refs small = { 0 };
    for (size_t i = 0; i < p->files.n; i++) {
        const tn_delta_file *f = p->files.v[i];
        if (o->opts->purge ? has_vector(f) : f->size < o->min_bytes || many_deleted(f)) {
            tn_vec_push(&small, o->a, p->files.v[i]);
        }
    }
    if (small.n > 1) {
        qsort(small.v, small.n, sizeof *small.v, by_size);
    }
    bin b = { .bytes = 0 };
    for (size_t i = 0; i < small.n; i++) {
        if (b.files.n > 0 && b.bytes + small.v[i]->size > o->target_bytes) {
            close_bin(o, &b);
            b = (bin){ .bytes = 0 };
        }
        tn_vec_push(&b.files, o->a, small.v[i]);
        b.bytes += small.v[i]->size;
    }
    close_bin(o, &b);
}

/* ---- cubes ---- */

static tn_str tag_of(const tn_delta_file *f, const char *name)
{
    return f->tags.tag == TN_DICT ? tn_val_str_at(f->tags, name, TN_STR_NONE) : TN_STR_NONE;
}

/* Unordered files first, then by cube. */
static int by_cube(const void *x, const void *y)
{
    const tn_delta_file *a = *(const tn_delta_file *const *)x;
    const tn_delta_file *b = *(const tn_delta_file *const *)y;
    int c = tn_str_cmp(tag_of(a, "ZCUBE_ID"), tag_of(b, "ZCUBE_ID"));
    return c != 0 ? c : tn_str_cmp(a->path, b->path);
}

/* Ordered by nobody, or by these columns. */
static bool may_order(const optimize *o, const tn_delta_file *f)
{
    tn_str by = tag_of(f, "ZCUBE_ZORDER_BY");
    return (f->clustering_provider.n == 0 || tn_str_is(f->clustering_provider, PROVIDER)) &&
           (by.n == 0 || tn_str_eq(by, tn_val_as_str(o->cluster_tag)));
}

static int64_t *cube_size(optimize *o, tn_map *cubes, const tn_delta_file *f)
{
    tn_str id = tag_of(f, "ZCUBE_ID");
    int64_t *bytes = tn_map_find(cubes, id);
    if (bytes == NULL) {
        bytes = tn_new(o->a, int64_t);
        tn_map_put(cubes, id, bytes);
    }
    return bytes;
}

/* Files that are to be ordered: not those of full cubes, and nothing when all are one cube already. */
static file_refs candidates(optimize *o, const partition *p)
{
    file_refs out = { 0 };
    tn_map cubes = tn_map_init(o->a);
    for (size_t i = 0; i < p->files.n; i++) {
        if (may_order(o, p->files.v[i])) {
            *cube_size(o, &cubes, p->files.v[i]) += p->files.v[i]->size;
        }
    }
    bool foreign = false;
    bool deleted = false;
    for (size_t i = 0; i < p->files.n; i++) {
        const tn_delta_file *f = p->files.v[i];
        bool own = may_order(o, f);
        bool in_cube = tag_of(f, "ZCUBE_ID").n > 0;
        foreign = foreign || !own;
        if (own ? !in_cube || *cube_size(o, &cubes, f) < o->cube_bytes || many_deleted(f)
                : o->opts->full) {
            deleted = deleted || many_deleted(f);
            tn_vec_push(&out, o->a, f);
        }
    }
    if (out.n > 1) {
        qsort(out.v, out.n, sizeof *out.v, by_cube);
    }
    bool one_cube = out.n > 0 && tag_of(out.v[0], "ZCUBE_ID").n > 0 &&
                    tn_str_eq(tag_of(out.v[0], "ZCUBE_ID"), tag_of(out.v[out.n - 1], "ZCUBE_ID"));
    if (one_cube && !deleted && !(foreign && o->opts->full)) {
        out.n = 0;
    }
    return out;
}

static void make_cubes(optimize *o, const partition *p)
{
    file_refs files = candidates(o, p);
    bin b = { .bytes = 0 };
    for (size_t i = 0; i < files.n; i++) {
        if (b.files.n > 0 && b.bytes + files.v[i]->size > o->cube_bytes + o->cube_bytes / 2) {
            tn_vec_push(&o->bins, o->a, b);
            b = (bin){ .bytes = 0 };
        }
        tn_vec_push(&b.files, o->a, files.v[i]);
        b.bytes += files.v[i]->size;
    }
    if (b.files.n > 0) {
        tn_vec_push(&o->bins, o->a, b);
    }
}

static void make_bins(optimize *o, const partitions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        size_t before = o->bins.n;
        if (o->cluster_names.n > 0) {
            make_cubes(o, all->v[i]);
        } else if (o->opts->zorder_by.n == 0) {
            pack(o, all->v[i]);
        } else {
            bin b = { .files = all->v[i]->files };
            tn_vec_push(&o->bins, o->a, b);
        }
        o->out.files_considered += (int64_t)all->v[i]->files.n;
        o->out.partitions += o->bins.n > before;
    }
    o->out.files_skipped = o->out.files_considered;
    for (size_t i = 0; i < o->bins.n; i++) {
        o->out.files_skipped -= (int64_t)o->bins.v[i].files.n;
    }
}

/* ---- Z-order ---- */

static tn_rc take_zorder(optimize *o, tn_err *err)
{
    if (o->opts->zorder_by.n > TN_CURVE_COLUMNS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "ZORDER BY takes at most %d columns", TN_CURVE_COLUMNS_MAX);
    }
    for (size_t i = 0; i < o->opts->zorder_by.n; i++) {
        tn_str name = o->opts->zorder_by.v[i];
        const tn_delta_field *f = tn_delta_field_find(o->s->meta.schema, name);
        if (f == NULL) {
            return tn_fail(err, TN_E_NOTFOUND, "there is no column '" TN_STR_FMT "' to order by",
                TN_STR_ARG(name));
        }
        if (tn_delta_partition_index(&o->s->meta, name) != SIZE_MAX) {
            tn_rc rc = tn_fail(err, TN_E_USAGE,
                "'" TN_STR_FMT "' is a partition column; ZORDER BY takes others", TN_STR_ARG(name));
            return tn_hint(err, rc, "files hold one value of it already");
        }
        if (f->type->kind != TN_DT_PRIMITIVE || tn_delta_type_is(f->type, "void") ||
            tn_delta_type_is(f->type, "variant")) {
            return tn_fail(
                err, TN_E_USAGE, "rows cannot be ordered by '" TN_STR_FMT "'", TN_STR_ARG(name));
        }
        tn_buf sql = tn_buf_init(o->a, TN_DELTA_SQL_BYTES_MAX);
        tn_buf type = tn_buf_init(o->a, TN_DELTA_SQL_BYTES_MAX);
        tn_sql_ident(&sql, f->name);
        tn_delta_type_to_sql(&type, f->type);
        tn_curve_column c = { tn_buf_str(&sql), tn_buf_str(&type) };
        tn_vec_push(&o->order, o->a, c);
    }
    return TN_OK;
}

static tn_val list_text(tn_arena *a, const tn_str *v, size_t n);

/* A clustered table is ordered by its own columns. */
static tn_rc take_clustering(optimize *o, tn_err *err)
{
    tn_cluster_columns columns;
    TN_TRY(tn_delta_cluster_columns(o->s, o->a, &o->cluster_names, err));
    if (o->cluster_names.n == 0) {
        return TN_OK;
    }
    if (o->opts->zorder_by.n > 0 || o->opts->where.n > 0) {
        tn_rc rc = tn_fail(err, TN_E_USAGE, "the table is clustered: OPTIMIZE takes no %s",
            o->opts->zorder_by.n > 0 ? "ZORDER BY" : "WHERE");
        return tn_hint(err, rc,
            "leave it out; ALTER TABLE .. CLUSTER BY (..) chooses other columns, CLUSTER BY NONE "
            "ends it");
    }
    TN_TRY(
        tn_delta_cluster_resolve(o->a, &o->s->meta, o->mapping, &o->cluster_names, &columns, err));
    for (size_t i = 0; i < columns.n; i++) {
        tn_curve_column c = { columns.v[i].sql, columns.v[i].type };
        tn_vec_push(&o->order, o->a, c);
    }
    o->curve = TN_CURVE_HILBERT;
    o->cluster_tag = list_text(o->a, o->cluster_names.v, o->cluster_names.n);
    return TN_OK;
}

/* ---- writing a bin ---- */

/* Where the bin's partition has its files: the folder of one that lies below the root. */
static tn_rc bin_dir(const optimize *o, const bin *b, tn_str *ret, tn_err *err)
{
    *ret = TN_STR("");
    for (size_t i = 0; o->s->meta.partition_columns.n > 0 && i < b->files.n; i++) {
        tn_str path;
        TN_TRY(tn_delta_path_decode(o->a, b->files.v[i]->path, &path, err));
        size_t slash = tn_str_rfind_char(path, '/');
        if (!tn_str_starts(path, TN_STR("/")) && !tn_uri_is_remote(path) && slash != SIZE_MAX) {
            *ret = tn_str_sub(path, 0, slash);
            return TN_OK;
        }
    }
    return TN_OK;
}

static tn_rc bin_select(const optimize *o, tn_arena *a, const bin *b, tn_str *ret, tn_err *err)
{
    tn_delta_snapshot part = *o->s; /* the same table with the bin's files only */
    part.files = (tn_delta_files){ 0 };
    for (size_t i = 0; i < b->files.n; i++) {
        tn_vec_push(&part.files, a, *b->files.v[i]);
    }
    tn_str scan;
    tn_delta_scan_opts so = { .conn = o->conn,
        .add_row_ids = tn_delta_rows_enabled(&o->s->protocol, &o->s->meta) };
    TN_TRY(tn_delta_scan_sql(&part, a, &so, &scan, err));
    tn_buf sql = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&sql, "SELECT ");
    bool any = false;
    for (size_t i = 0; i < o->s->meta.schema->fields.n; i++) {
        const tn_delta_field *f = &o->s->meta.schema->fields.v[i];
        if (tn_delta_type_is(f->type, "void")) {
            continue; /* is in no file */
        }
        tn_buf_addz(&sql, any ? ", " : "");
        tn_sql_ident(&sql, f->name);
        any = true;
    }
    tn_delta_rows_add_columns(&sql, o->s, "_tarn_id", "_tarn_version");
    tn_buf_addz(&sql, " FROM (");
    tn_buf_add(&sql, scan);
    tn_buf_addz(&sql, ") AS t");
    if (o->order.n > 0) {
        TN_TRY(tn_delta_curve_order(o->conn, a, o->curve, scan, &o->order, &sql, err));
    }
    return tn_buf_finish(&sql, "a bin's SELECT", ret, err);
}

/* One set for all files of a bin; undefined when the table is not clustered. */
static tn_val cube_tags(const optimize *o)
{
    if (o->cluster_names.n == 0) {
        return TN_VAL_UNDEF;
    }
    tn_val tags = tn_val_dict(o->a);
    tn_dict_putz(tags.dict, "ZCUBE_ID", tn_val_str(tn_uuid4(o->a)));
    tn_dict_putz(tags.dict, "ZCUBE_ZORDER_BY", o->cluster_tag);
    return tags;
}

static tn_rc write_bin(optimize *o, const bin *b, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta optimize", NULL);
    tn_delta_target to = {
        .protocol = o->s->protocol, .meta = o->s->meta, .clustered = o->cluster_names
    };
    if (o->s->meta.partition_columns.n > 0) {
        to.partition_values = b->files.v[0]->partition_values;
        TN_TRY(bin_dir(o, b, &to.dir, err));
    }
    TN_TRY(bin_select(o, scratch, b, &to.select, err));
    tn_delta_rows_extra(scratch, o->s, &to.extra);
    tn_delta_files written = { 0 };
    int64_t rows = 0;
    /* A bin is at most one file's worth; its rows may take a little more room written together. */
    int64_t cut = o->order.n > 0 ? o->target_bytes : 2 * o->target_bytes;
    TN_TRY(tn_delta_files_write(o->t, o->conn, o->a, &to, cut, &written, &rows, err));
    tn_val tags = cube_tags(o);
    for (size_t i = 0; i < written.n; i++) {
        written.v[i].data_change = false;
        if (tags.tag == TN_DICT) {
            written.v[i].tags = tags;
            written.v[i].clustering_provider = TN_STR(PROVIDER);
        }
        tn_vec_push(&o->added, o->a, written.v[i]);
    }
    o->out.rows += rows;
    return TN_OK;
}

static tn_rc write_bins(optimize *o, tn_err *err)
{
    for (size_t i = 0; i < o->bins.n; i++) {
        tn_rc rc = write_bin(o, &o->bins.v[i], err);
        if (rc != TN_OK) {
            tn_delta_files_discard(o->t, &o->added);
            return rc;
        }
    }
    return TN_OK;
}

/* ---- the commit ---- */

static int by_number(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x;
    int64_t b = *(const int64_t *)y;
    return a < b ? -1 : a > b;
}

static void put_int(optimize *o, const char *key, int64_t v)
{
    tn_dict_putz(o->out.metrics.dict, key, tn_val_str(tn_str_printf(o->a, "%lld", (long long)v)));
}

static void make_metrics(optimize *o)
{
    tn_delta_optimize_result *r = &o->out;
    size_t n = o->added.n;
    int64_t *sizes = tn_new_array(o->a, int64_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        sizes[i] = o->added.v[i].size;
        r->bytes_added += sizes[i];
    }
    qsort(sizes, n, sizeof *sizes, by_number);
    r->files_added = (int64_t)n;
    r->metrics = tn_val_dict(o->a);
    put_int(o, "numRemovedFiles", r->files_removed);
    put_int(o, "numRemovedBytes", r->bytes_removed);
    put_int(o, "numAddedFiles", r->files_added);
    put_int(o, "numAddedBytes", r->bytes_added);
    put_int(o, "numDeletionVectorsRemoved", r->vectors_removed);
    if (n > 0) {
        put_int(o, "minFileSize", sizes[0]);
        put_int(o, "p25FileSize", sizes[n / 4]);
        put_int(o, "p50FileSize", sizes[n / 2]);
        put_int(o, "p75FileSize", sizes[n * 3 / 4]);
        put_int(o, "maxFileSize", sizes[n - 1]);
    }
}

static tn_val list_text(tn_arena *a, const tn_str *v, size_t n)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addc(&b, '[');
    for (size_t i = 0; i < n; i++) {
        tn_buf_addz(&b, i > 0 ? "," : "");
        tn_json_add_str(&b, v[i]);
    }
    tn_buf_addc(&b, ']');
    return tn_val_str(tn_buf_str(&b));
}

static tn_val parameters(const optimize *o)
{
    tn_val d = tn_val_dict(o->a);
    tn_dict_putz(
        d.dict, "predicate", list_text(o->a, &o->opts->where, o->opts->where.n > 0 ? 1 : 0));
    if (o->opts->purge) {
        tn_dict_putz(d.dict, "applyPurge", tn_val_z("true"));
        return d;
    }
    tn_dict_putz(d.dict, "zOrderBy", list_text(o->a, o->opts->zorder_by.v, o->opts->zorder_by.n));
    tn_dict_putz(d.dict, "clusterBy", list_text(o->a, o->cluster_names.v, o->cluster_names.n));
    if (o->cluster_names.n > 0) {
        tn_dict_putz(d.dict, "isFull", tn_val_z(o->opts->full ? "true" : "false"));
    }
    tn_dict_putz(d.dict, "auto", tn_val_z("false"));
    return d;
}

static tn_rc commit(optimize *o, tn_err *err)
{
    tn_delta_txn_plan p = { .read_version = o->s->version,
        .base = o->s,
        .operation = o->opts->purge ? TN_STR("REORG") : TN_STR("OPTIMIZE"),
        .isolation = TN_STR("SnapshotIsolation"),
        .operation_parameters = parameters(o),
        .user_metadata = o->opts->user_metadata };
    int64_t now = tn_clock_now_ms();
    for (size_t i = 0; i < o->bins.n; i++) {
        for (size_t k = 0; k < o->bins.v[i].files.n; k++) {
            const tn_delta_file *f = o->bins.v[i].files.v[k];
            tn_delta_remove r = tn_delta_remove_of(f, now);
            r.data_change = false;
            tn_vec_push(&p.removes, o->a, r);
            o->out.bytes_removed += f->size;
            o->out.vectors_removed += has_vector(f);
        }
    }
    o->out.files_removed = (int64_t)p.removes.n;
    make_metrics(o);
    p.adds = o->added;
    p.operation_metrics = o->out.metrics;
    tn_rc rc = tn_delta_commit_write(o->t, &p, &o->out.version, err);
    if (rc != TN_OK && rc != TN_E_AMBIGUOUS) {
        tn_delta_files_discard(o->t, &o->added);
    }
    return rc;
}

bool tn_delta_bytes_parse(tn_str s, int64_t *ret)
{
    static const char UNITS[] = "kmgt";
    tn_str t = tn_str_trim(s);
    int shift = 0;
    if (t.n > 0 && (t.p[t.n - 1] | 32) == 'b') {
        t.n--;
    }
    const char *unit = t.n > 0 ? strchr(UNITS, t.p[t.n - 1] | 32) : NULL;
    if (unit != NULL && *unit != '\0') {
        shift = 10 * (int)(unit - UNITS + 1);
        t.n--;
    }
    int64_t n;
    if (!tn_str_to_i64(tn_str_trim(t), &n) || n <= 0 || n > INT64_MAX >> shift) {
        return false;
    }
    *ret = n << shift;
    return true;
}

static void set_sizes(optimize *o)
{
    int64_t target = o->opts->target_file_bytes;
    if (target <= 0 &&
        !tn_delta_bytes_parse(tn_delta_property(&o->s->meta, "delta.targetFileSize"), &target)) {
        target = TARGET_BYTES_DEFAULT;
    }
    o->target_bytes = target;
    o->min_bytes = o->opts->min_file_bytes > 0 ? o->opts->min_file_bytes : target - target / 4;
    o->cube_bytes = o->opts->cube_bytes > 0 ? o->opts->cube_bytes : CUBE_FILES * target;
}

static tn_rc run(optimize *o, tn_err *err)
{
    TN_TRY(tn_delta_check_writable(&o->s->protocol, &o->s->meta, err));
    if (!o->opts->purge) {
        TN_TRY(take_clustering(o, err));
    }
    TN_TRY(take_zorder(o, err));
    partitions all = { 0 };
    split_partitions(o, &all);
    TN_TRY(filter_partitions(o, &all, err));
    make_bins(o, &all);
    o->out.version = o->out.read_version = o->s->version;
    if (o->bins.n == 0) {
        return TN_OK;
    }
    TN_TRY(write_bins(o, err));
    TN_TRY(commit(o, err));
    o->out.changed = true;
    tn_delta_after_commit(o->t, o->conn, o->out.version, &o->s->meta);
    return TN_OK;
}

tn_rc tn_delta_optimize(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_optimize_opts *opts, tn_delta_optimize_result *ret, tn_err *err)
{
    TN_AUTO_ARENA work = tn_arena_new("delta optimize", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    optimize o = { .t = t,
        .conn = conn,
        .a = work,
        .opts = opts,
        .s = s,
        .mapping = tn_delta_mapping_of(&s->protocol, &s->meta) };
    set_sizes(&o);
    tn_rc rc = run(&o, err);
    if (rc != TN_OK) {
        tn_conn_err_cite(err, TN_STR(""));
        return tn_while(
            err, rc, "optimizing the table '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
    }
    o.out.metrics = tn_val_dup(a, o.out.metrics);
    *ret = o.out;
    return TN_OK;
}
