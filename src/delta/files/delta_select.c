/* delta_select.c: the SELECT that gives the rows of a write in the table's columns and types, with values filled in and every promise checked.
 *
 *     SELECT * FROM (                                              -- constraints, invariants, NOT NULL inside columns: error() for a row
 *       SELECT * REPLACE (CAST((expression) AS type) AS g) FROM (  -- generated columns that were not given
 *         SELECT CAST(c AS type) AS c, .., default, next identity value FROM (the caller's select)))
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/files/delta_columns.h"
#include "delta/files/delta_target.h"
#include "text/json.h"
#include "text/sqltext.h"

typedef struct maker {
    tn_arena *a;
    const tn_delta_write_opts *opts;
    const tn_delta_type *source;
    tn_delta_target *to;
} maker;

static bool is_timestamp(const tn_delta_type *t)
{
    return tn_delta_type_is(t, "timestamp") || tn_delta_type_is(t, "timestamp_ntz");
}

static bool fills(const maker *m)
{
    return !m->to->filled && !m->to->unchecked;
}

/* first + step * (number of the row - 1) */
static tn_rc add_identity(
    maker *m, tn_buf *b, size_t column, const tn_delta_field *src, tn_err *err)
{
    const tn_delta_field *f = &m->to->meta.schema->fields.v[column];
    int64_t next;
    int64_t step;
    if (src != NULL && !tn_delta_field_takes_identity(f)) {
        tn_rc rc = tn_fail(err, TN_E_DATA,
            "values of the identity column '" TN_STR_FMT "' are always made by the table",
            TN_STR_ARG(f->name));
        return tn_hint(err, rc, "leave the column out");
    }
    TN_TRY(tn_delta_identity_next(f, &next, &step, err));
    tn_buf_addz(b, src != NULL ? "coalesce(CAST(" : "");
    if (src != NULL) {
        tn_sql_ident(b, src->name);
        tn_buf_addz(b, " AS BIGINT), ");
    }
    tn_buf_addf(b, "%lld::BIGINT + %lld::BIGINT * (row_number() OVER () - 1)%s AS ",
        (long long)next, (long long)step, src != NULL ? ")" : "");
    tn_sql_ident(b, f->name);
    tn_vec_push(&m->to->identities, m->a, column);
    return TN_OK;
}

static void add_given(maker *m, tn_buf *b, const tn_delta_field *f, const tn_delta_field *src)
{
    tn_buf type = tn_buf_init(m->a, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_type_to_sql(&type, f->type);
    bool blank_is_null = tn_delta_type_is(f->type, "string") &&
                         tn_delta_partition_index(&m->to->meta, f->name) != SIZE_MAX;
    tn_buf_addz(b, blank_is_null ? "nullif(CAST(" : "CAST(");
    if (is_timestamp(f->type) && is_timestamp(src->type) &&
        !tn_str_eq(f->type->name, src->type->name)) {
        tn_sql_ident(
            b, src->name); /* a time without zone is taken as UTC, whatever the session's zone is */
        tn_buf_addz(b, " AT TIME ZONE 'UTC'");
    } else {
        tn_sql_ident(b, src->name);
    }
    tn_buf_addf(b, " AS " TN_STR_FMT ")%s AS ", TN_STR_ARG(tn_buf_str(&type)),
        blank_is_null ? ", '')" : "");
    tn_sql_ident(b, f->name);
}

/* shown: the condition as its author wrote it. */
static void add_shown_check(tn_buf *b, tn_str name, tn_str expr, tn_str shown)
{
    tn_buf msg = tn_buf_init(b->arena, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&msg, "a row violates the constraint '" TN_STR_FMT "': " TN_STR_FMT,
        TN_STR_ARG(name), TN_STR_ARG(shown));
    tn_buf_addz(b, " AND CASE WHEN (");
    tn_buf_add(b, expr);
    tn_buf_addz(b, "\n) THEN true ELSE error(");
    tn_sql_literal(b, tn_buf_str(&msg));
    tn_buf_addz(b, ") END");
}

static void add_check(tn_buf *b, tn_str name, tn_str expr)
{
    add_shown_check(b, name, expr, expr);
}

/* A constraint as the metadata holds it. */
static tn_rc add_stored_check(maker *m, tn_buf *b, tn_str name, tn_str expr, tn_err *err)
{
    tn_str sql;
    TN_TRY(tn_delta_expr_sql(m->a, expr, m->to->meta.schema, false, &sql, err));
    add_shown_check(b, name, sql, expr);
    return TN_OK;
}

/* A value that is given for a generated column must be what the expression gives. */
static tn_rc add_generated_checks(maker *m, tn_buf *b, tn_err *err)
{
    const tn_delta_type *schema = m->to->meta.schema;
    for (size_t i = 0; fills(m) && i < schema->fields.n; i++) {
        const tn_delta_field *f = &schema->fields.v[i];
        if (tn_delta_field_generation(f).n == 0 ||
            tn_delta_field_find(m->source, f->name) == NULL) {
            continue;
        }
        tn_buf e = tn_buf_init(m->a, TN_DELTA_SQL_BYTES_MAX);
        tn_sql_ident(&e, f->name);
        tn_buf_addz(&e, " IS NOT DISTINCT FROM ");
        TN_TRY(tn_delta_generated_sql(&e, schema, f, err));
        add_check(b, tn_str_printf(m->a, TN_STR_FMT " is generated", TN_STR_ARG(f->name)),
            tn_buf_str(&e));
    }
    return TN_OK;
}

/* " AND ..." for everything inside a value that may not be NULL; nothing when all may. */
static void add_inner_nulls(tn_buf *b, tn_str expr, const tn_delta_type *t, int depth)
{
    tn_arena *a = b->arena;
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        tn_buf e = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
        tn_buf_addf(&e, TN_STR_FMT ".", TN_STR_ARG(expr));
        tn_sql_ident(&e, f->name);
        tn_buf inner = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
        add_inner_nulls(&inner, tn_buf_str(&e), f->type, depth + 1);
        if (!f->nullable || tn_delta_type_is_void(f->type)) {
            tn_buf_addf(b, " AND " TN_STR_FMT " IS %sNULL", TN_STR_ARG(tn_buf_str(&e)),
                f->nullable ? "" : "NOT ");
        }
        if (inner.n > 0) {
            tn_buf_addf(b, " AND (" TN_STR_FMT " IS NULL OR (true" TN_STR_FMT "))",
                TN_STR_ARG(tn_buf_str(&e)), TN_STR_ARG(tn_buf_str(&inner)));
        }
    }
    if (t->element == NULL) {
        return;
    }
    tn_str var = tn_str_printf(a, "e%d", depth);
    tn_buf inner = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    if (!t->contains_null) {
        tn_buf_addf(&inner, " AND " TN_STR_FMT " IS NOT NULL", TN_STR_ARG(var));
    }
    add_inner_nulls(&inner, var, t->element, depth + 1);
    if (inner.n > 0) {
        tn_buf_addf(b,
            " AND len(list_filter(%s" TN_STR_FMT "%s, lambda " TN_STR_FMT ": NOT (true" TN_STR_FMT
            "))) = 0",
            t->key ? "map_values(" : "", TN_STR_ARG(expr), t->key ? ")" : "", TN_STR_ARG(var),
            TN_STR_ARG(tn_buf_str(&inner)));
    }
}

/* NOT NULL of a column with parts, and inside it. Of plain columns COPY's own count of NULLs tells for free. */
static void add_null_checks(maker *m, tn_buf *b)
{
    const tn_delta_fields *fields = &m->to->meta.schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        const tn_delta_field *f = &fields->v[i];
        tn_buf e = tn_buf_init(m->a, TN_DELTA_SQL_BYTES_MAX);
        tn_sql_ident(&e, f->name);
        tn_buf inner = tn_buf_init(m->a, TN_DELTA_SQL_BYTES_MAX);
        add_inner_nulls(&inner, tn_buf_str(&e), f->type, 0);
        if (tn_delta_type_is_void(f->type)) {
            add_check(b, TN_STR("void"),
                tn_str_printf(m->a, TN_STR_FMT " IS NULL", TN_STR_ARG(tn_buf_str(&e))));
            continue;
        }
        bool must = f->type->kind != TN_DT_PRIMITIVE && !f->nullable;
        if (inner.n > 0 || must) {
            add_check(b, TN_STR("NOT NULL"),
                tn_str_printf(m->a, TN_STR_FMT " %s (true" TN_STR_FMT ")",
                    TN_STR_ARG(tn_buf_str(&e)), must ? "IS NOT NULL AND" : "IS NULL OR",
                    TN_STR_ARG(tn_buf_str(&inner))));
        }
    }
}

/* delta.constraints.NAME of the table, delta.invariants of columns, NOT NULL inside columns. */
static tn_rc add_checks(maker *m, tn_buf *b, tn_err *err)
{
    const tn_delta_meta *meta = &m->to->meta;
    size_t at = 0;
    const tn_dict_item *it;
    while (meta->configuration.tag == TN_DICT &&
           (it = tn_dict_next(meta->configuration.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (tn_str_starts(key, TN_STR("delta.constraints."))) {
            TN_TRY(
                add_stored_check(m, b, tn_str_sub(key, 18, key.n), tn_val_as_str(it->value), err));
        }
    }
    for (size_t i = 0; i < meta->schema->fields.n; i++) {
        const tn_delta_field *f = &meta->schema->fields.v[i];
        tn_str text = tn_val_str_at(f->metadata, "delta.invariants", TN_STR_NONE);
        tn_val v;
        if (text.n == 0) {
            continue;
        }
        TN_TRY(tn_json_parse(m->a, text, &v, err));
        TN_TRY(add_stored_check(m, b, f->name,
            tn_val_str_at(tn_val_at(v, "expression"), "expression", TN_STR("NULL")), err));
    }
    TN_TRY(add_generated_checks(m, b, err));
    add_null_checks(m, b);
    if (m->opts->replace_where.n > 0 && !m->opts->replace_unchecked) {
        add_check(b, TN_STR("replace where"), m->opts->replace_where);
    }
    return TN_OK;
}

/* ---- the SELECT ---- */

static tn_rc add_column(maker *m, tn_buf *b, size_t column, tn_err *err)
{
    const tn_delta_field *f = &m->to->meta.schema->fields.v[column];
    const tn_delta_field *src = tn_delta_field_find(m->source, f->name);
    if (tn_delta_field_is_identity(f) && fills(m)) {
        return add_identity(m, b, column, src, err);
    }
    if (src != NULL) {
        add_given(m, b, f, src);
        return TN_OK;
    }
    if (!f->nullable && !tn_delta_field_fills_itself(f)) {
        return tn_fail(err, TN_E_DATA,
            "the column '" TN_STR_FMT "' may not be NULL and is not given", TN_STR_ARG(f->name));
    }
    TN_TRY(tn_delta_missing_sql(b, f, err));
    tn_buf_addz(b, " AS ");
    tn_sql_ident(b, f->name);
    return TN_OK;
}

static tn_rc add_columns(maker *m, tn_buf *b, tn_str select_sql, tn_err *err)
{
    tn_buf_addz(b, "SELECT ");
    for (size_t i = 0; i < m->to->meta.schema->fields.n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        TN_TRY(add_column(m, b, i, err));
    }
    for (size_t i = 0; i < m->to->extra.n; i++) {
        tn_buf_addz(b, ", ");
        tn_sql_ident(b, m->to->extra.v[i]);
    }
    tn_buf_addz(b, " FROM (");
    tn_buf_add(b, select_sql);
    tn_buf_addz(b, "\n) AS source");
    return TN_OK;
}

/* Generated columns that were not given, over the others. */
static tn_rc add_generated(maker *m, tn_buf *b, tn_err *err)
{
    const tn_delta_type *schema = m->to->meta.schema;
    tn_buf outer = tn_buf_init(m->a, TN_DELTA_SQL_BYTES_MAX);
    bool any = false;
    for (size_t i = 0; fills(m) && i < schema->fields.n; i++) {
        const tn_delta_field *f = &schema->fields.v[i];
        if (tn_delta_field_generation(f).n == 0 ||
            tn_delta_field_find(m->source, f->name) != NULL) {
            continue;
        }
        tn_buf_addz(&outer, any ? ", " : "SELECT * REPLACE (");
        any = true;
        TN_TRY(tn_delta_generated_sql(&outer, schema, f, err));
        tn_buf_addz(&outer, " AS ");
        tn_sql_ident(&outer, f->name);
    }
    if (any) {
        tn_buf_addz(&outer, ") FROM (");
        tn_buf_add(&outer, tn_buf_str(b));
        tn_buf_addz(&outer, ") AS filled");
        *b = outer;
    }
    return TN_OK;
}

/* What DuckDB does not understand is said before anything is written. */
static tn_rc try_out(const maker *m, tn_conn *conn, tn_err *err)
{
    tn_val columns;
    tn_err why = TN_ERR_INIT;
    if (tn_conn_describe(conn, m->a, m->to->select, &columns, &why) == TN_OK) {
        return TN_OK;
    }
    if (m->opts->replace_where.n > 0) {
        return tn_fail(err, TN_E_SQL,
            "the predicate of the rows to replace, or a constraint, is not understood: %s",
            why.msg);
    }
    return tn_fail(err, TN_E_UNSUPPORTED,
        "a constraint or a generated column of the table cannot be computed here: %s", why.msg);
}

tn_rc tn_delta_select_make(
    tn_arena *a, const tn_delta_given *rows, tn_delta_target *to, tn_err *err)
{
    maker m = { .a = a, .opts = rows->opts, .source = rows->source, .to = to };
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf checks = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    TN_TRY(add_columns(&m, &b, rows->select, err));
    TN_TRY(add_generated(&m, &b, err));
    if (!to->unchecked) {
        TN_TRY(add_checks(&m, &checks, err));
    }
    if (checks.n > 0) {
        tn_buf whole = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
        tn_buf_addz(&whole, "SELECT * FROM (");
        tn_buf_add(&whole, tn_buf_str(&b));
        tn_buf_addz(&whole, ") AS checked WHERE true");
        tn_buf_add(&whole, tn_buf_str(&checks));
        b = whole;
    }
    TN_TRY(tn_buf_finish(&b, "the write's SELECT", &to->select, err));
    bool own = checks.n > 0 || tn_delta_schema_computes(to->meta.schema);
    return own ? try_out(&m, rows->conn, err) : TN_OK;
}
