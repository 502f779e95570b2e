/* delta_dml_evolve.c: MERGE WITH SCHEMA EVOLUTION: columns and nested fields that the source has and the table has not become the table's, in the
 * same commit. The statement then runs on the snapshot as if it had them, which reads them as NULL.
 *
 * Types of plain columns stay: values are cast. What the source lacks stays as it is in an UPDATE SET *, and is NULL in a new row.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/files/delta_target.h"
#include "delta/log/delta_log.h"
#include "text/sqltext.h"

static bool has(const tn_strs *names, tn_str name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (tn_str_eq_nocase(names->v[i], name)) {
            return true;
        }
    }
    return false;
}

/* The given columns of the source, and every other one of the table, so that none is missed. */
static tn_rc select_of(tn_dml *d, tn_str source, const tn_strs *columns, tn_str *ret, tn_err *err)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT ");
    for (size_t i = 0; i < columns->n; i++) {
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_sql_ident(&b, columns->v[i]);
    }
    for (size_t i = 0; i < fields->n; i++) {
        if (!has(columns, fields->v[i].name)) {
            tn_buf_addz(&b, ", ");
            tn_dml_add_value(&b, fields->v[i].type, TN_STR("NULL"));
            tn_buf_addz(&b, " AS ");
            tn_sql_ident(&b, fields->v[i].name);
        }
    }
    tn_buf_addf(&b, " FROM " TN_STR_FMT, TN_STR_ARG(source));
    return tn_buf_finish(&b, "the source's columns", ret, err);
}

tn_rc tn_dml_evolve(tn_dml *d, tn_str source, const tn_strs *columns, tn_err *err)
{
    tn_strs asked = { 0 };
    for (size_t i = 0; i < columns->n; i++) {
        const tn_delta_field *f = tn_delta_field_find(d->s->meta.schema, columns->v[i]);
        if (f == NULL || f->type->kind != TN_DT_PRIMITIVE) {
            tn_vec_push(&asked, d->a, columns->v[i]);
        }
    }
    if (asked.n == 0) {
        return TN_OK;
    }
    tn_str select;
    tn_delta_target to = { .unchecked = true };
    tn_delta_write_opts merge = { .mode = TN_DELTA_APPEND, .schema_mode = TN_SCHEMA_MERGE };
    TN_TRY(select_of(d, source, &asked, &select, err));
    TN_TRY(tn_delta_target_make(d->a, d->s, d->conn, select, &merge, &to, err));
    if (!to.meta_is_new) {
        return TN_OK;
    }
    tn_delta_snapshot *wider = tn_new(d->a, tn_delta_snapshot);
    *wider = *d->s;
    wider->meta = to.meta;
    wider->protocol = to.protocol;
    d->s = wider;
    d->meta = &wider->meta;
    d->protocol = to.protocol_is_new ? &wider->protocol : NULL;
    return TN_OK;
}

static tn_str part_of(tn_arena *a, tn_str expr, tn_str field)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b, "(" TN_STR_FMT ").", TN_STR_ARG(expr));
    tn_sql_ident(&b, field);
    return tn_buf_str(&b);
}

void tn_dml_add_wider(
    tn_buf *b, const tn_delta_type *to, const tn_delta_type *from, tn_str expr, tn_str old)
{
    if (from == NULL || to->kind != TN_DT_STRUCT || from->kind != TN_DT_STRUCT) {
        tn_buf_add(b, expr);
        return;
    }
    tn_buf_addf(b, "CASE WHEN " TN_STR_FMT " IS NOT NULL THEN {", TN_STR_ARG(expr));
    for (size_t i = 0; i < to->fields.n; i++) {
        const tn_delta_field *f = &to->fields.v[i];
        const tn_delta_field *g = tn_delta_field_find(from, f->name);
        tn_str kept = old.n > 0 ? part_of(b->arena, old, f->name) : TN_STR_NONE;
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_sql_literal(b, f->name);
        tn_buf_addz(b, ": ");
        if (g != NULL) {
            tn_dml_add_wider(b, f->type, g->type, part_of(b->arena, expr, g->name), kept);
        } else if (kept.n > 0) {
            tn_buf_add(b, kept);
        } else {
            tn_dml_add_value(b, f->type, TN_STR("NULL"));
        }
    }
    tn_buf_addz(b, "} END");
}
