/* delta_check_values.c: are the log's statistics true of the rows ("Per-file Statistics")?
 *
 * One query reads many files: for each file and each leaf of the schema the number of values, and whether one is below the minimum or above the maximum. A
 * deletion vector hides rows that the statistics still count, so of NULLs this must hold: the rows seen have no more NULLs and no more values than the file
 * has. When the query fails, each half of the files is read by itself, down to the file that is damaged.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/care/delta_check.h"
#include "text/json.h"
#include "text/sqltext.h"

/* A field that has statistics of its own. */
typedef struct leaf {
    const tn_delta_field *field;
    tn_str name;  /* for messages: "st.a" */
    tn_str sql;   /* t."st"."a" */
    tn_strs path; /* physical names */
    bool bounds;
} leaf;
typedef tn_vec(leaf) leaves;

typedef struct values {
    tn_delta_checking *c;
    tn_arena *a;
    leaves leaves;
    tn_val *stats; /* of each file from `from` on, undefined: none */
    size_t from;
} values;

/* ---- leaves ---- */

static void add_leaves(values *v, const tn_delta_fields *fields, const leaf *above)
{
    const tn_delta_snapshot *s = v->c->s;
    for (size_t i = 0; i < fields->n; i++) {
        const tn_delta_field *f = &fields->v[i];
        leaf l = { .field = f, .name = f->name };
        tn_buf sql = tn_buf_init(v->a, TN_DELTA_SQL_BYTES_MAX);
        tn_buf_add(&sql, above != NULL ? above->sql : TN_STR("t"));
        tn_buf_addc(&sql, '.');
        tn_sql_ident(&sql, f->name);
        l.sql = tn_buf_str(&sql);
        for (size_t k = 0; above != NULL && k < above->path.n; k++) {
            tn_vec_push(&l.path, v->a, above->path.v[k]);
        }
        if (above != NULL) {
            l.name = tn_str_printf(
                v->a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(above->name), TN_STR_ARG(f->name));
        }
        tn_vec_push(
            &l.path, v->a, tn_delta_physical_name(f, tn_delta_mapping_of(&s->protocol, &s->meta)));
        if (f->type->kind == TN_DT_STRUCT) {
            add_leaves(v, &f->type->fields, &l);
            continue;
        }
        bool partition = above == NULL && tn_delta_partition_index(&s->meta, f->name) != SIZE_MAX;
        bool counts = !tn_delta_type_is_void(f->type) && !tn_delta_type_is(f->type, "variant");
        l.bounds = f->type->kind == TN_DT_PRIMITIVE && !tn_delta_type_is(f->type, "boolean") &&
                   !tn_delta_type_is(f->type, "binary");
        if (!partition && counts) {
            tn_vec_push(&v->leaves, v->a, l);
        }
    }
}

static bool is_told(tn_val v)
{
    return v.tag != TN_UNDEF && v.tag != TN_NONE && v.tag != TN_DICT;
}

static void read_statistics(values *v, size_t to)
{
    v->stats = tn_arena_alloc(v->a, (to - v->from + 1) * sizeof *v->stats);
    for (size_t i = v->from; i < to; i++) {
        const tn_delta_file *f = &v->c->s->files.v[i];
        tn_err why = TN_ERR_INIT;
        tn_val stats = TN_VAL_UNDEF;
        if (f->stats.n > 0 && tn_json_parse(v->a, f->stats, &stats, &why) != TN_OK) {
            tn_delta_tell(v->c, true, "statistics", f->path, "%s", why.msg);
            stats = TN_VAL_UNDEF;
        }
        v->stats[i - v->from] = stats;
    }
}

/* Leaves of which no file has statistics cost time only. */
static void drop_untold(values *v, size_t to)
{
    size_t n = 0;
    for (size_t k = 0; k < v->leaves.n; k++) {
        leaf l = v->leaves.v[k];
        bool told = false, bounds = false;
        for (size_t i = v->from; i < to; i++) {
            tn_val stats = v->stats[i - v->from];
            bounds =
                bounds || (l.bounds && (is_told(tn_delta_stat_at(stats, "minValues", &l.path)) ||
                                           is_told(tn_delta_stat_at(stats, "maxValues", &l.path))));
            told = told || bounds || is_told(tn_delta_stat_at(stats, "nullCount", &l.path));
        }
        if (told) {
            l.bounds = bounds;
            v->leaves.v[n++] = l;
        }
    }
    v->leaves.n = n;
}

/* ---- the query ---- */

static void add_bound(tn_buf *b, tn_val v, tn_arena *a)
{
    tn_buf_addz(b, ", ");
    if (is_told(v)) {
        tn_sql_literal(b, tn_val_to_str(a, v));
    } else {
        tn_buf_addz(b, "NULL::VARCHAR");
    }
}

/* (file, its place in the snapshot, min of leaf 0, max of leaf 0, ...) */
static tn_rc add_file(values *v, tn_buf *b, size_t i, tn_err *err)
{
    tn_str where;
    TN_TRY(tn_delta_locate(v->c->t->store, v->a, v->c->s->files.v[i].path, &where, err));
    tn_buf_addc(b, '(');
    tn_sql_literal(b, where);
    tn_buf_addf(b, ", %zu", i);
    for (size_t k = 0; k < v->leaves.n; k++) {
        const leaf *l = &v->leaves.v[k];
        if (l->bounds) {
            add_bound(b, tn_delta_stat_at(v->stats[i - v->from], "minValues", &l->path), v->a);
            add_bound(b, tn_delta_stat_at(v->stats[i - v->from], "maxValues", &l->path), v->a);
        }
    }
    tn_buf_addc(b, ')');
    return TN_OK;
}

/* Bounds went through a double (tn_json_parse): one of more digits than a double has is compared as such, with room for the rounding. So is one of a float,
 * whose text is shorter than the double that it becomes when the column is widened. */
static bool is_wide_decimal(const tn_delta_type *t)
{
    int64_t precision;
    int64_t scale;
    return tn_delta_type_is_decimal(t, &precision, &scale) && precision > 15;
}

/* Is a value beyond the bound? Bounds of instants are cut to milliseconds. */
static void add_test(tn_buf *b, const leaf *l, size_t k, bool max)
{
    const tn_delta_field *f = l->field;
    bool floating = tn_delta_type_is(f->type, "double") || tn_delta_type_is(f->type, "float");
    bool cut = tn_delta_type_is(f->type, "timestamp") || tn_delta_type_is(f->type, "timestamp_ntz");
    tn_buf_addf(b, ", %s(" TN_STR_FMT ")", max ? "max" : "min", TN_STR_ARG(l->sql));
    if (floating) {
        tn_buf_addf(b, " FILTER (NOT isnan(" TN_STR_FMT "))", TN_STR_ARG(l->sql));
    }
    char op = max ? '>' : '<', v = max ? 'x' : 'n';
    bool widened = floating && tn_val_at(f->metadata, "delta.typeChanges").tag != TN_UNDEF;
    if (is_wide_decimal(f->type) || widened || tn_delta_type_is(f->type, "float")) {
        tn_buf_addf(b,
            "::DOUBLE %c any_value(v.%c%zu)::DOUBLE %c %s * abs(any_value(v.%c%zu)::DOUBLE)", op, v,
            k, max ? '+' : '-', floating ? "1e-6" : "1e-14", v, k);
        return;
    }
    tn_buf_addf(b, " %c TRY_CAST(any_value(v.%c%zu) AS ", op, v, k);
    tn_delta_type_to_sql(b, f->type);
    tn_buf_addz(b, max && cut ? ") + INTERVAL 1 MILLISECOND" : ")");
}

static void add_columns(const values *v, tn_buf *b)
{
    for (size_t k = 0; k < v->leaves.n; k++) {
        const leaf *l = &v->leaves.v[k];
        tn_buf_addf(b, ", count(" TN_STR_FMT ")", TN_STR_ARG(l->sql));
        if (l->bounds) {
            add_test(b, l, k, false);
            add_test(b, l, k, true);
        }
    }
}

/* Files [from, to) that are readable; *ret_n of them. */
static tn_rc values_sql(values *v, size_t from, size_t to, tn_str *ret, size_t *ret_n, tn_err *err)
{
    tn_delta_snapshot part = *v->c->s;
    part.files = (tn_delta_files){ 0 };
    tn_buf list = tn_buf_init(v->a, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = from; i < to; i++) {
        if (v->c->readable[i]) {
            tn_buf_addz(&list, part.files.n > 0 ? ", " : "");
            tn_vec_push(&part.files, v->a, v->c->s->files.v[i]);
            TN_TRY(add_file(v, &list, i, err));
        }
    }
    *ret_n = part.files.n;
    if (part.files.n == 0) {
        return TN_OK;
    }
    tn_str scan;
    tn_delta_scan_opts so = { .add_file_columns = true, .conn = v->c->conn };
    TN_TRY(tn_delta_scan_sql(&part, v->a, &so, &scan, err));
    tn_buf b = tn_buf_init(v->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT v.i, count(*)");
    add_columns(v, &b);
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, scan);
    tn_buf_addz(&b, ") AS t JOIN (VALUES ");
    tn_buf_add(&b, tn_buf_str(&list));
    tn_buf_addz(&b, ") AS v(f, i");
    for (size_t k = 0; k < v->leaves.n; k++) {
        if (v->leaves.v[k].bounds) {
            tn_buf_addf(&b, ", n%zu, x%zu", k, k);
        }
    }
    tn_buf_addz(&b, ") ON v.f = t._tarn_file GROUP BY v.i ORDER BY v.i");
    return tn_buf_finish(&b, "the values' SELECT", ret, err);
}

/* ---- what it says ---- */

/* rows, filled: rows that are seen, and those of them that have a value. */
static void tell_nulls(
    values *v, const tn_delta_file *f, const leaf *l, tn_val stats, int64_t rows, int64_t filled)
{
    tn_val says = tn_delta_stat_at(stats, "nullCount", &l->path);
    int64_t all = tn_val_int_at(stats, "numRecords", -1);
    if (says.tag != TN_INT) {
        return;
    }
    if (rows - filled > says.i) {
        tn_delta_tell(v->c, true, "statistics", f->path,
            "'" TN_STR_FMT "' is NULL in %lld rows, in %lld by the log", TN_STR_ARG(l->name),
            (long long)(rows - filled), (long long)says.i);
    } else if (all >= rows && filled > all - says.i) {
        tn_delta_tell(v->c, true, "statistics", f->path,
            "'" TN_STR_FMT "' has a value in %lld rows, in %lld by the log", TN_STR_ARG(l->name),
            (long long)filled, (long long)(all - says.i));
    }
}

static void tell_file(values *v, const tn_val *row)
{
    size_t i = (size_t)row[0].i, at = 2;
    const tn_delta_file *f = &v->c->s->files.v[i];
    for (size_t k = 0; k < v->leaves.n; k++) {
        const leaf *l = &v->leaves.v[k];
        tell_nulls(v, f, l, v->stats[i - v->from], row[1].i, row[at++].i);
        for (int max = 0; l->bounds && max < 2; max++, at++) {
            if (row[at].tag == TN_BOOL && row[at].i != 0) {
                tn_delta_tell(v->c, true, "statistics", f->path,
                    "a value of '" TN_STR_FMT "' is %s", TN_STR_ARG(l->name),
                    max ? "above its maximum" : "below its minimum");
            }
        }
    }
}

static tn_rc check_some(values *v, size_t from, size_t to, tn_err *err)
{
    tn_str sql;
    tn_val rows;
    size_t n = 0;
    TN_TRY(values_sql(v, from, to, &sql, &n, err));
    if (n == 0) {
        return TN_OK;
    }
    TN_TRY(tn_conn_rows(v->c->conn, v->a, sql, n, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        tell_file(v, rows.list->v[i].list->v);
    }
    return TN_OK;
}

static void check_halves(values *v, size_t from, size_t to)
{
    tn_err why = TN_ERR_INIT;
    if (check_some(v, from, to, &why) == TN_OK) {
        return;
    }
    if (to - from > 1) {
        size_t mid = from + (to - from) / 2;
        check_halves(v, from, mid);
        check_halves(v, mid, to);
        return;
    }
    tn_delta_tell(v->c, true, "unreadable file", v->c->s->files.v[from].path, "%s", why.msg);
}

void tn_delta_check_values(tn_delta_checking *c, size_t from, size_t to)
{
    TN_AUTO_ARENA a = tn_arena_new("delta check", NULL);
    values v = { .c = c, .a = a, .from = from };
    add_leaves(&v, &c->s->meta.schema->fields, NULL);
    read_statistics(&v, to);
    drop_untold(&v, to);
    check_halves(&v, from, to);
}
