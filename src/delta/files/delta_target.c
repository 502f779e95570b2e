/* delta_target.c: what the table is to be after a write, and the SELECT that gives its rows.
 *
 * Everything that can be refused is refused here, before a file is written: the mode, partitioning, types, features, constraints.
 * Columns are matched by name, ignoring case. A column that the SELECT lacks is NULL when the table allows it. Values
 * are cast to the table's types where no digit can be lost silently (an integer that does not fit fails the write).
 */
#include "delta/files/delta_target.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_cluster.h"
#include "delta/files/delta_cluster_impl.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"
#include "os/random.h"
#include "text/json.h"
#include "text/sqltext.h"

typedef struct maker {
    tn_arena *a;
    const tn_delta_snapshot *s; /* NULL: a new table */
    const tn_delta_write_opts *opts;
    tn_conn *conn;
    tn_str select_sql;
    tn_delta_type *source;
    tn_delta_target *to;
    bool reclustered; /* the write chooses the clustering columns */
} maker;

/* ---- types ---- */

static bool is_float(const tn_delta_type *t)
{
    return tn_delta_type_is(t, "float") || tn_delta_type_is(t, "double");
}

static bool is_timestamp(const tn_delta_type *t)
{
    return tn_delta_type_is(t, "timestamp") || tn_delta_type_is(t, "timestamp_ntz");
}

/* Whether CAST from one to the other keeps every digit or fails. */
static bool castable_primitive(const tn_delta_type *from, const tn_delta_type *to, bool top)
{
    int64_t p;
    int64_t s;
    int64_t q;
    int64_t r;
    if (tn_delta_type_int_rank(from) > 0) {
        return tn_delta_type_int_rank(to) > 0 || is_float(to) ||
               tn_delta_type_is_decimal(to, &p, &s);
    }
    if (tn_delta_type_is_decimal(from, &p, &s)) {
        return is_float(to) || (tn_delta_type_is_decimal(to, &q, &r) && r >= s) ||
               (s == 0 && tn_delta_type_int_rank(to) > 0);
    }
    if (is_float(from)) {
        return is_float(to);
    }
    if (tn_delta_type_is(from, "date")) {
        return is_timestamp(to);
    }
    return top && is_timestamp(from) && is_timestamp(to);
}

static bool castable(const tn_delta_type *from, const tn_delta_type *to, bool top)
{
    if (from->kind != to->kind) {
        return false;
    }
    if (from->kind == TN_DT_PRIMITIVE) {
        return tn_str_eq(from->name, to->name) || castable_primitive(from, to, top);
    }
    if (from->kind != TN_DT_STRUCT) {
        bool key = from->kind != TN_DT_MAP || castable(from->key, to->key, false);
        return key && castable(from->element, to->element, false);
    }
    for (size_t i = 0; i < from->fields.n; i++) {
        const tn_delta_field *f = tn_delta_field_find(to, from->fields.v[i].name);
        if (f == NULL || !castable(from->fields.v[i].type, f->type, false)) {
            return false;
        }
    }
    return true;
}

/* ---- the source ---- */

static tn_rc check_names(const tn_delta_type *t, tn_err *err)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        if (t->fields.v[i].name.n == 0) {
            return tn_fail(err, TN_E_VALUE, "column %zu has no name", i + 1);
        }
        if (tn_delta_field_find(t, t->fields.v[i].name) != &t->fields.v[i]) {
            tn_rc rc = tn_fail(err, TN_E_VALUE, "there are two columns '" TN_STR_FMT "'",
                TN_STR_ARG(t->fields.v[i].name));
            return tn_hint(err, rc,
                "names of a Delta table differ by more than upper and lower case; rename one with "
                "AS");
        }
    }
    return TN_OK;
}

static bool is_extra(const maker *m, tn_str name)
{
    for (size_t i = 0; i < m->to->extra.n; i++) {
        if (tn_str_eq_nocase(m->to->extra.v[i], name)) {
            return true;
        }
    }
    return false;
}

static tn_rc read_source(maker *m, tn_conn *conn, tn_str select_sql, tn_err *err)
{
    tn_val columns;
    TN_TRY(tn_conn_describe(conn, m->a, select_sql, &columns, err));
    m->source = tn_new(m->a, tn_delta_type);
    m->source->kind = TN_DT_STRUCT;
    for (size_t i = 0; i < columns.list->n; i++) {
        const tn_val *pair = columns.list->v[i].list->v;
        tn_delta_field f = {
            .name = tn_val_as_str(pair[0]), .nullable = true, .metadata = tn_val_dict(m->a)
        };
        if (is_extra(m, f.name)) {
            continue;
        }
        tn_rc rc = tn_delta_type_from_sql(m->a, tn_val_as_str(pair[1]), &f.type, err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "column '" TN_STR_FMT "'", TN_STR_ARG(f.name));
        }
        tn_vec_push(&m->source->fields, m->a, f);
    }
    return check_names(m->source, err);
}

/* ---- the schema after the write ---- */

static tn_rc type_conflict(
    tn_str name, const tn_delta_type *from, const tn_delta_type *to, tn_arena *a, tn_err *err)
{
    tn_buf f = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf t = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_type_to_sql(&f, from);
    tn_delta_type_to_sql(&t, to);
    tn_rc rc = tn_fail(err, TN_E_TYPE,
        "the column '" TN_STR_FMT "' is " TN_STR_FMT ", the table has " TN_STR_FMT,
        TN_STR_ARG(name), TN_STR_ARG(tn_buf_str(&f)), TN_STR_ARG(tn_buf_str(&t)));
    return tn_hint(err, rc, "cast it, or overwrite the table with schema mode overwrite");
}

/* DuckDB describes a bare NULL as INTEGER; but only a bare NULL goes together with a BLOB. It costs a look at the whole query: asked where the answer counts. */
static bool is_untyped_null(maker *m, tn_str name, const tn_delta_type *from)
{
    if (!tn_delta_type_is(from, "integer") || tn_delta_field_find(m->source, name) == NULL) {
        return false;
    }
    tn_buf b = tn_buf_init(m->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT coalesce(");
    tn_sql_ident(&b, name);
    tn_buf_addz(&b, ", NULL::BLOB) FROM (");
    tn_buf_add(&b, m->select_sql);
    tn_buf_addz(&b, "\n)");
    tn_val columns;
    tn_err ignored = TN_ERR_INIT;
    return tn_conn_describe(m->conn, m->a, tn_buf_str(&b), &columns, &ignored) == TN_OK;
}

/* How far the table's schema may follow the source's, and what it did. */
typedef struct grow {
    bool may_add; /* columns, and wider types where the table allows them */
    bool changed;
    tn_str
        path; /* from the column to the part in hand: "element", "value.key"; empty: the column itself */
} grow;

static tn_rc merge_fields(
    maker *m, tn_delta_type *into, const tn_delta_type *from, grow *g, bool top, tn_err *err);
static tn_rc merge_type(maker *m, tn_delta_field *column, tn_delta_type **into,
    const tn_delta_type *from, grow *g, tn_err *err);

/* An array's element, a map's key or value: they have no metadata of their own, so the column's says what became of them. */
static tn_rc merge_part(maker *m, tn_delta_field *column, const char *part, tn_delta_type **into,
    const tn_delta_type *from, grow *g, tn_err *err)
{
    tn_str outer = g->path;
    g->path = outer.n > 0 ? tn_str_printf(m->a, TN_STR_FMT ".%s", TN_STR_ARG(outer), part)
                          : tn_str_of(part);
    tn_rc rc = merge_type(m, column, into, from, g, err);
    g->path = outer;
    return rc;
}

static tn_rc merge_primitive(maker *m, tn_delta_field *column, tn_delta_type **into,
    const tn_delta_type *from, grow *g, tn_err *err)
{
    if (tn_delta_type_is_void(*into)) {
        if (tn_delta_type_is(from, "string") || is_untyped_null(m, column->name, from)) {
            return TN_OK; /* a value there fails its row */
        }
        if (g->may_add) { /* a column of no type takes the first that comes */
            *into = tn_delta_type_copy(m->a, from);
            g->changed = true;
            return TN_OK;
        }
    }
    bool widening = tn_delta_property_is(&m->to->meta, "delta.enableTypeWidening", "true");
    if (g->may_add && widening && tn_delta_widens(*into, from, true) &&
        !is_untyped_null(m, column->name, from)) {
        tn_delta_widen(m->a, column, g->path, into, from);
        g->changed = true;
        return TN_OK;
    }
    if (castable(from, *into, true) || is_untyped_null(m, column->name, from)) {
        return TN_OK;
    }
    return type_conflict(column->name, from, *into, m->a, err);
}

static tn_rc merge_type(maker *m, tn_delta_field *column, tn_delta_type **into,
    const tn_delta_type *from, grow *g, tn_err *err)
{
    tn_delta_type *t = *into;
    if (t->kind != from->kind || t->kind == TN_DT_PRIMITIVE) {
        return merge_primitive(m, column, into, from, g, err);
    }
    if (t->kind == TN_DT_STRUCT) {
        tn_str outer = g->path;
        g->path = TN_STR_NONE;
        tn_rc rc = merge_fields(m, t, from, g, false, err);
        g->path = outer;
        return rc;
    }
    if (t->kind == TN_DT_MAP) {
        TN_TRY(merge_part(m, column, "key", &t->key, from->key, g, err));
        return merge_part(m, column, "value", &t->element, from->element, g, err);
    }
    return merge_part(m, column, "element", &t->element, from->element, g, err);
}

static tn_rc merge_fields(
    maker *m, tn_delta_type *into, const tn_delta_type *from, grow *g, bool top, tn_err *err)
{
    for (size_t i = 0; i < from->fields.n; i++) {
        const tn_delta_field *f = &from->fields.v[i];
        tn_delta_field *known = tn_delta_field_find(into, f->name);
        if (known != NULL) {
            TN_TRY(merge_type(m, known, &known->type, f->type, g, err));
            continue;
        }
        if (!g->may_add) {
            tn_rc rc = tn_fail(err, TN_E_TYPE, "the table has no %s '" TN_STR_FMT "'",
                top ? "column" : "nested field", TN_STR_ARG(f->name));
            return tn_hint(err, rc, "schema mode merge adds new columns");
        }
        tn_vec_push(&into->fields, m->a, *f);
        g->changed = true;
    }
    return TN_OK;
}

static void print_schema(maker *m)
{
    tn_delta_meta_print_schema(m->a, &m->to->meta);
    m->to->meta_is_new = true;
}

static bool same_partitions(const tn_strs *x, const tn_strs *y)
{
    bool same = x->n == y->n;
    for (size_t i = 0; same && i < x->n; i++) {
        same = tn_str_eq_nocase(x->v[i], y->v[i]);
    }
    return same;
}

static tn_rc check_partitions(const maker *m, tn_err *err)
{
    const tn_delta_meta *meta = &m->to->meta;
    for (size_t i = 0; i < meta->partition_columns.n; i++) {
        tn_str name = meta->partition_columns.v[i];
        const tn_delta_field *f = tn_delta_field_find(meta->schema, name);
        if (f == NULL) {
            return tn_fail(err, TN_E_VALUE, "the partition column '" TN_STR_FMT "' is not a column",
                TN_STR_ARG(name));
        }
        if (f->type->kind != TN_DT_PRIMITIVE || tn_delta_type_is(f->type, "binary")) {
            return tn_fail(err, TN_E_UNSUPPORTED,
                "the column '" TN_STR_FMT "' cannot be a partition column: its type is not simple",
                TN_STR_ARG(name));
        }
    }
    if (meta->partition_columns.n > 0 && meta->partition_columns.n == meta->schema->fields.n) {
        return tn_fail(err, TN_E_VALUE, "every column is a partition column");
    }
    return TN_OK;
}

/* Names as the schema spells them. */
static void set_partitions(maker *m, const tn_strs *names)
{
    m->to->meta.partition_columns = (tn_strs){ 0 };
    for (size_t i = 0; i < names->n; i++) {
        const tn_delta_field *f = tn_delta_field_find(m->to->meta.schema, names->v[i]);
        tn_vec_push(
            &m->to->meta.partition_columns, m->a, f ? f->name : tn_str_dup(m->a, names->v[i]));
    }
}

static tn_rc set_properties(maker *m, tn_err *err)
{
    tn_delta_meta *meta = &m->to->meta;
    meta->configuration = tn_val_dict(m->a);
    if (m->opts->properties.tag == TN_DICT) {
        size_t at = 0;
        const tn_dict *d = m->opts->properties.dict;
        for (const tn_dict_item *it = tn_dict_next(d, &at); it != NULL; it = tn_dict_next(d, &at)) {
            tn_str value = tn_val_is_str(it->value)
                               ? tn_val_as_str(it->value)
                               : tn_str_lower(m->a, tn_val_to_str(m->a, it->value));
            tn_str key = tn_str_dup(m->a, tn_val_to_str(m->a, it->key));
            tn_dict_puts(meta->configuration.dict, key, tn_val_str_dup(m->a, value));
            TN_TRY(tn_delta_property_check(meta, key, value, err));
        }
    }
    return TN_OK;
}

static tn_rc new_table(maker *m, tn_err *err)
{
    tn_delta_meta *meta = &m->to->meta;
    *meta = (tn_delta_meta){ .id = tn_uuid4(m->a),
        .name = m->opts->name,
        .description = m->opts->description,
        .format_provider = TN_STR("parquet"),
        .schema = m->source,
        .configuration = tn_val_dict(m->a),
        .created_ms = tn_clock_now_ms() };
    TN_TRY(set_properties(m, err));
    if (m->source->fields.n == 0) {
        return tn_fail(err, TN_E_VALUE, "a table needs a column");
    }
    set_partitions(m, &m->opts->partition_by);
    print_schema(m);
    return TN_OK;
}

/* A column that stays as it is keeps its id and physical name, so that the feed of changes and older files go on to name it. */
static void keep_mapping(maker *m, const tn_delta_type *old)
{
    static const char *const KEYS[] = { "delta.columnMapping.id",
        "delta.columnMapping.physicalName" };
    for (size_t i = 0; i < m->source->fields.n; i++) {
        tn_delta_field *f = &m->source->fields.v[i];
        const tn_delta_field *g = tn_delta_field_find(old, f->name);
        if (g == NULL || !tn_delta_type_eq(f->type, g->type)) {
            continue;
        }
        f->type = tn_delta_type_copy(m->a, g->type);
        for (size_t k = 0; k < TN_COUNTOF(KEYS); k++) {
            tn_val v = tn_val_at(g->metadata, KEYS[k]);
            if (!tn_val_is_undef(v)) {
                tn_dict_putz(f->metadata.dict, KEYS[k], tn_val_dup(m->a, v));
            }
        }
    }
}

/* CREATE OR REPLACE: properties and comment anew; only the table's id stays, and with mapping the ids given out. */
static tn_rc replaced_properties(maker *m, tn_err *err)
{
    static const char *const MAX_ID = "delta.columnMapping.maxColumnId";
    tn_delta_meta *meta = &m->to->meta;
    tn_str max = tn_delta_property(&m->s->meta, MAX_ID);
    TN_TRY(set_properties(m, err));
    meta->name = m->opts->name.n > 0 ? m->opts->name : meta->name;
    meta->description = m->opts->description;
    if (max.n > 0) {
        tn_delta_meta_set(m->a, meta, tn_str_of(MAX_ID), &max);
    }
    return TN_OK;
}

static tn_rc overwritten_schema(maker *m, tn_err *err)
{
    tn_delta_meta *meta = &m->to->meta;
    if (m->opts->replace_table) {
        TN_TRY(replaced_properties(m, err));
        keep_mapping(m, meta->schema);
        meta->schema = m->source;
        set_partitions(m, &m->opts->partition_by);
        print_schema(m);
        return m->source->fields.n > 0 ? TN_OK : tn_fail(err, TN_E_VALUE, "a table needs a column");
    }
    bool same_schema = tn_delta_type_eq(meta->schema, m->source);
    const tn_strs *wanted = &m->opts->partition_by;
    bool keep = wanted->n == 0;
    for (size_t i = 0; keep && i < meta->partition_columns.n; i++) {
        keep = tn_delta_field_find(m->source, meta->partition_columns.v[i]) != NULL;
    }
    if (same_schema && (keep || same_partitions(wanted, &meta->partition_columns))) {
        return TN_OK;
    }
    if (m->source->fields.n == 0) {
        return tn_fail(err, TN_E_VALUE, "a table needs a column");
    }
    tn_strs old = meta->partition_columns;
    if (!same_schema) {
        keep_mapping(m, meta->schema);
        meta->schema = m->source;
    }
    set_partitions(m, keep ? &old : wanted);
    print_schema(m);
    return TN_OK;
}

static tn_rc existing_table(maker *m, tn_err *err)
{
    m->to->meta = m->s->meta;
    m->to->protocol = m->s->protocol;
    if (m->opts->schema_mode == TN_SCHEMA_OVERWRITE) {
        if (m->opts->mode != TN_DELTA_OVERWRITE) {
            return tn_fail(err, TN_E_USAGE, "schema mode overwrite goes with mode overwrite only");
        }
        return overwritten_schema(m, err);
    }
    if (m->opts->partition_by.n > 0 &&
        !same_partitions(&m->opts->partition_by, &m->s->meta.partition_columns)) {
        tn_rc rc = tn_fail(err, TN_E_VALUE, "the table is partitioned by other columns");
        return tn_hint(
            err, rc, "mode overwrite with schema mode overwrite changes the partitioning");
    }
    tn_delta_type *merged = tn_delta_type_copy(m->a, m->s->meta.schema);
    grow g = { .may_add = m->opts->schema_mode == TN_SCHEMA_MERGE };
    TN_TRY(merge_fields(m, merged, m->source, &g, true, err));
    if (g.changed) {
        m->to->meta.schema = merged;
        print_schema(m);
    }
    return TN_OK;
}

/* ---- protocol ---- */

/* What a write may ask of an existing table grows with its schema only; all else is asked for by those who change properties. */
static tn_rc make_protocol(maker *m, tn_err *err)
{
    tn_delta_target *to = m->to;
    if (to->meta_is_new) {
        (void)tn_delta_mapping_assign(m->a, &to->meta, false);
        TN_TRY(tn_delta_protocol_make(m->a, m->s != NULL ? &m->s->protocol : NULL, &to->meta,
            &to->protocol, &to->protocol_is_new, err));
    }
    return tn_delta_check_writable(&to->protocol, &to->meta, err);
}

/* ---- clustering ---- */

static bool same_names(const tn_strs *x, const tn_strs *y)
{
    bool same = x->n == y->n;
    for (size_t i = 0; same && i < x->n; i++) {
        same = tn_str_eq_nocase(x->v[i], y->v[i]);
    }
    return same;
}

/* A table that is made or replaced takes the write's columns; another one has its own, which a new schema must keep. */
static tn_rc take_clustering(maker *m, tn_err *err)
{
    static const tn_str supported = { "supported", 9 };
    tn_delta_target *to = m->to;
    bool anew = m->s == NULL || m->opts->schema_mode == TN_SCHEMA_OVERWRITE;
    if (m->s != NULL) {
        TN_TRY(tn_delta_cluster_columns(m->s, m->a, &to->clustered, err));
    }
    if (m->opts->cluster_by.n > 0 && !same_names(&m->opts->cluster_by, &to->clustered)) {
        if (!anew) {
            tn_rc rc = tn_fail(err, TN_E_VALUE, "the table is not clustered by these columns");
            return tn_hint(err, rc, "ALTER TABLE .. CLUSTER BY (..) changes them");
        }
        to->clustered = m->opts->cluster_by;
        to->meta_is_new = true;
        m->reclustered = true;
        tn_delta_meta_set(m->a, &to->meta, TN_STR("delta.feature.clustering"), &supported);
    }
    tn_cluster_columns ignored;
    tn_rc rc =
        tn_delta_cluster_resolve(m->a, &to->meta, TN_MAPPING_NONE, &to->clustered, &ignored, err);
    return rc == TN_OK || m->reclustered
               ? rc
               : tn_hint(
                     err, rc, "the table is clustered by it: ALTER TABLE .. CLUSTER BY NONE first");
}

/* When the protocol, and with it physical names, are known. */
static tn_rc note_clustering(maker *m, tn_err *err)
{
    tn_delta_target *to = m->to;
    tn_cluster_columns columns;
    if (!m->reclustered) {
        return TN_OK;
    }
    TN_TRY(tn_delta_cluster_resolve(m->a, &to->meta, tn_delta_mapping_of(&to->protocol, &to->meta),
        &to->clustered, &columns, err));
    tn_vec_push(&to->domains, m->a, tn_delta_cluster_domain(m->a, &columns));
    return TN_OK;
}

tn_rc tn_delta_target_make(tn_arena *a, const tn_delta_snapshot *s, tn_conn *conn,
    tn_str select_sql, const tn_delta_write_opts *opts, tn_delta_target *ret, tn_err *err)
{
    tn_delta_target to = { .extra = ret->extra,
        .unchecked = ret->unchecked,
        .filled = ret->filled,
        .file_name = ret->file_name };
    maker m = { .a = a, .s = s, .opts = opts, .conn = conn, .select_sql = select_sql, .to = &to };
    TN_TRY(read_source(&m, conn, select_sql, err));
    const tn_delta_type *given = m.source;
    if (opts->schema != NULL && (s == NULL || opts->replace_table)) {
        m.source = tn_delta_type_copy(a, opts->schema);
    }
    TN_TRY(s == NULL ? new_table(&m, err) : existing_table(&m, err));
    TN_TRY(check_partitions(&m, err));
    TN_TRY(take_clustering(&m, err));
    TN_TRY(make_protocol(&m, err));
    TN_TRY(note_clustering(&m, err));
    tn_delta_given rows = { .conn = conn, .select = select_sql, .source = given, .opts = opts };
    TN_TRY(tn_delta_select_make(a, &rows, &to, err));
    bool mapped = tn_delta_mapping_of(&to.protocol, &to.meta) != TN_MAPPING_NONE;
    if (mapped && to.meta.partition_columns.n > 0) {
        to.dir = tn_str_sub(tn_uuid4(a), 0, 2); /* as the reference: folders do not show names */
    }
    *ret = to;
    return TN_OK;
}
