/* delta_optimize.c: the same rows in better files.
 *
 *     snapshot -> partitions (WHERE) -> bins of files -> one COPY a bin -> one commit with dataChange=false
 *
 * Packing: within a partition files that are small, or have many deleted rows, are sorted by size and put into bins of at most the target size;
 * a bin of one file is left alone unless the file has deleted rows to get rid of.
 * Z-order: all files of a partition are one bin. Each column's values are cut into ranges of about equal numbers of rows by the quantiles of a
 * sample; a row's range numbers are interleaved bit by bit, and the rows sorted by that. The range of a value is found by a tree of
 * CASEs whose leaves hold the bits already spread (256 ranges: 0.2 us a row and column measured; 1024 cost four times that
 * and no pruning would be sharper, since a file holds many cells).
 */
#include "delta/delta_impl.h"
#include "delta/delta_maint.h"
#include "os/clock.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/uri.h"

#define TARGET_BYTES_DEFAULT ((int64_t)256 << 20)
enum {
    ZORDER_BITS = 8,
    ZORDER_RANGES = 1 << ZORDER_BITS,
    ZORDER_COLUMNS_MAX = 8, /* 8 columns of 8 bits fill a BIGINT's 64 */
    ZORDER_SAMPLE_ROWS = 65536
};
#define DELETED_RATIO_MAX 0.05

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
    int64_t target_bytes, min_bytes;
    bins bins;
    tn_delta_files added;
    tn_delta_optimize_result out;
} optimize;

/* ---- partitions ---- */

static tn_val value_of(const optimize *o, const tn_delta_file *f, size_t column)
{
    const tn_delta_field *field =
        tn_delta_field_find(o->s->meta.schema, o->s->meta.partition_columns.v[column]);
    const tn_val *v =
        f->partition_values.tag == TN_DICT
            ? tn_dict_finds(f->partition_values.dict, tn_delta_physical_name(field, o->mapping))
            : NULL;
    return v == NULL ? TN_VAL_NONE : *v;
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

static void pack(optimize *o, const partition *p)
{
    file_refs small = { 0 };
    for (size_t i = 0; i < p->files.n; i++) {
        if (p->files.v[i]->size < o->min_bytes || many_deleted(p->files.v[i])) {
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

static void make_bins(optimize *o, const partitions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        size_t before = o->bins.n;
        if (o->opts->zorder_by.n == 0) {
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

static tn_rc check_zorder(const optimize *o, tn_err *err)
{
    if (o->opts->zorder_by.n > ZORDER_COLUMNS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "ZORDER BY takes at most %d columns", ZORDER_COLUMNS_MAX);
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
    }
    return TN_OK;
}

/* A sample's quantiles of each column: a list of lists of texts, ascending and different. */
static tn_rc zorder_bounds(const optimize *o, tn_arena *a, tn_str scan, tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT ");
    for (size_t i = 0; i < o->opts->zorder_by.n; i++) {
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_buf_addf(&b,
            "list_transform(list_sort(list_distinct(quantile_disc(c%zu, "
            "list_transform(range(1, %d), lambda x: x / %d)))), lambda x: x::VARCHAR)",
            i, ZORDER_RANGES, ZORDER_RANGES);
    }
    tn_buf_addz(&b, " FROM (SELECT ");
    for (size_t i = 0; i < o->opts->zorder_by.n; i++) {
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_sql_ident(&b, o->opts->zorder_by.v[i]);
        tn_buf_addf(&b, " AS c%zu", i);
    }
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, scan);
    tn_buf_addf(&b, ")) USING SAMPLE reservoir(%d ROWS)", ZORDER_SAMPLE_ROWS);
    tn_str sql;
    tn_val rows;
    TN_TRY(tn_buf_finish(&b, "the quantiles' SELECT", &sql, err));
    TN_TRY(tn_conn_rows(o->conn, a, sql, 1, &rows, NULL, err));
    *ret = rows.list->v[0];
    return TN_OK;
}

/* Range `id` of `ids`, stretched to all bits, each bit at its place among n columns' bits. */
static uint64_t spread(size_t id, size_t ids, size_t column, size_t n)
{
    uint64_t scaled = ids > 1 ? (uint64_t)id * (ZORDER_RANGES - 1) / (ids - 1) : 0;
    uint64_t out = 0;
    for (size_t bit = 0; bit < ZORDER_BITS; bit++) {
        out |= (scaled >> bit & 1) << (bit * n + (n - 1 - column));
    }
    return out;
}

typedef struct tree {
    tn_buf *b;
    const tn_list *bounds;
    tn_str name, type;
    size_t column, columns;
} tree;

/* Ranges [lo, hi]: id k holds the values from bound k-1 up to bound k. NULL fails each comparison and so comes first. */
static void add_tree(const tree *t, size_t lo, size_t hi)
{
    if (lo == hi) {
        tn_buf_addf(t->b, "%llu::UBIGINT",
            (unsigned long long)spread(lo, t->bounds->n + 1, t->column, t->columns));
        return;
    }
    size_t mid = (lo + hi + 1) / 2;
    tn_buf_addz(t->b, "CASE WHEN ");
    tn_sql_ident(t->b, t->name);
    tn_buf_addz(t->b, " >= CAST(");
    tn_sql_literal(t->b, tn_val_as_str(t->bounds->v[mid - 1]));
    tn_buf_addf(t->b, " AS " TN_STR_FMT ") THEN ", TN_STR_ARG(t->type));
    add_tree(t, mid, hi);
    tn_buf_addz(t->b, " ELSE ");
    add_tree(t, lo, mid - 1);
    tn_buf_addz(t->b, " END");
}

static tn_rc add_zorder(const optimize *o, tn_arena *a, tn_buf *b, tn_str scan, tn_err *err)
{
    tn_val bounds;
    TN_TRY(zorder_bounds(o, a, scan, &bounds, err));
    tn_buf_addz(b, " ORDER BY ");
    for (size_t i = 0; i < o->opts->zorder_by.n; i++) {
        static const tn_list none = { .n = 0 };
        const tn_delta_field *f = tn_delta_field_find(o->s->meta.schema, o->opts->zorder_by.v[i]);
        tn_val column = bounds.list->v[i]; /* NULL when the column has no value */
        tn_buf type = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
        tn_delta_type_to_sql(&type, f->type);
        tree t = { .b = b,
            .bounds = tn_val_is_seq(column) ? column.list : &none,
            .name = f->name,
            .type = tn_buf_str(&type),
            .column = i,
            .columns = o->opts->zorder_by.n };
        tn_buf_addz(b, i > 0 ? " + " : "");
        add_tree(&t, 0, t.bounds->n);
    }
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
    tn_delta_scan_opts so = { .conn = o->conn };
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
    tn_buf_addz(&sql, " FROM (");
    tn_buf_add(&sql, scan);
    tn_buf_addz(&sql, ") AS t");
    if (o->opts->zorder_by.n > 0) {
        TN_TRY(add_zorder(o, a, &sql, scan, err));
    }
    return tn_buf_finish(&sql, "a bin's SELECT", ret, err);
}

static tn_rc write_bin(optimize *o, const bin *b, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta optimize", NULL);
    tn_delta_target to = { .protocol = o->s->protocol, .meta = o->s->meta };
    if (o->s->meta.partition_columns.n > 0) {
        to.partition_values = b->files.v[0]->partition_values;
        TN_TRY(bin_dir(o, b, &to.dir, err));
    }
    TN_TRY(bin_select(o, scratch, b, &to.select, err));
    tn_delta_files written = { 0 };
    int64_t rows = 0;
    /* A bin is at most one file's worth; its rows may take a little more room written together. */
    int64_t cut = o->opts->zorder_by.n > 0 ? o->target_bytes : 2 * o->target_bytes;
    TN_TRY(tn_delta_files_write(o->t, o->conn, o->a, &to, cut, &written, &rows, err));
    for (size_t i = 0; i < written.n; i++) {
        written.v[i].data_change = false;
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
    tn_dict_putz(d.dict, "zOrderBy", list_text(o->a, o->opts->zorder_by.v, o->opts->zorder_by.n));
    tn_dict_putz(d.dict, "clusterBy", tn_val_z("[]"));
    tn_dict_putz(d.dict, "auto", tn_val_z("false"));
    return d;
}

static tn_rc commit(optimize *o, tn_err *err)
{
    tn_delta_txn_plan p = { .read_version = o->s->version,
        .base = o->s,
        .operation = TN_STR("OPTIMIZE"),
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
}

static tn_rc run(optimize *o, tn_err *err)
{
    TN_TRY(tn_delta_check_writable(&o->s->protocol, &o->s->meta, err));
    TN_TRY(check_zorder(o, err));
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
