/* delta_physical.c: rows as files hold them: physical names, no void columns, variants as their two parts. */
#include "delta/action/delta_schema.h"
#include "delta/files/delta_columns.h"
#include "text/sqltext.h"

/* Whether a value differs from what files hold: names inside, variants, void fields. */
static bool differs(const tn_delta_type *t, tn_delta_mapping mapping)
{
    if (tn_delta_type_is(t, "variant")) {
        return true;
    }
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (!tn_str_eq(f->name, tn_delta_physical_name(f, mapping)) || differs(f->type, mapping) ||
            tn_delta_type_is_void(f->type)) {
            return true;
        }
    }
    return (t->element != NULL && differs(t->element, mapping)) ||
           (t->key != NULL && differs(t->key, mapping));
}

static void add_physical(
    tn_buf *b, tn_str expr, const tn_delta_type *t, tn_delta_mapping mapping, int depth);

static void add_struct(
    tn_buf *b, tn_str expr, const tn_delta_type *t, tn_delta_mapping mapping, int depth)
{
    bool any = false;
    tn_buf_addf(b, "CASE WHEN " TN_STR_FMT " IS NULL THEN NULL ELSE {", TN_STR_ARG(expr));
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (tn_delta_type_is_void(f->type)) {
            continue;
        }
        tn_buf_addz(b, any ? ", " : "");
        any = true;
        tn_sql_literal(b, tn_delta_physical_name(f, mapping));
        tn_buf_addz(b, ": ");
        tn_buf inner = tn_buf_init(b->arena, TN_DELTA_SQL_BYTES_MAX);
        tn_buf_addf(&inner, TN_STR_FMT ".", TN_STR_ARG(expr));
        tn_sql_ident(&inner, f->name);
        add_physical(b, tn_buf_str(&inner), f->type, mapping, depth + 1);
    }
    tn_buf_addz(b, "} END");
}

static void add_physical(
    tn_buf *b, tn_str expr, const tn_delta_type *t, tn_delta_mapping mapping, int depth)
{
    if (!differs(t, mapping)) {
        tn_buf_add(b, expr);
        return;
    }
    tn_str var = tn_str_printf(b->arena, "x%d", depth);
    if (t->kind == TN_DT_PRIMITIVE) {
        /* DuckDB would write a NULL as a value, the variant's null; it cannot tell the two apart. */
        tn_buf_addf(b,
            "CASE WHEN " TN_STR_FMT " IS NOT NULL THEN variant_to_parquet_variant(" TN_STR_FMT
            ") END",
            TN_STR_ARG(expr), TN_STR_ARG(expr));
    } else if (t->kind == TN_DT_STRUCT) {
        add_struct(b, expr, t, mapping, depth);
    } else if (t->kind == TN_DT_ARRAY) {
        tn_buf_addf(b, "list_transform(" TN_STR_FMT ", lambda " TN_STR_FMT ": ", TN_STR_ARG(expr),
            TN_STR_ARG(var));
        add_physical(b, var, t->element, mapping, depth + 1);
        tn_buf_addc(b, ')');
    } else {
        tn_buf_addf(b,
            "map_from_entries(list_transform(map_entries(" TN_STR_FMT "), lambda " TN_STR_FMT
            ": {'key': ",
            TN_STR_ARG(expr), TN_STR_ARG(var));
        add_physical(b, tn_str_concat(b->arena, var, TN_STR(".key")), t->key, mapping, depth + 1);
        tn_buf_addz(b, ", 'value': ");
        add_physical(
            b, tn_str_concat(b->arena, var, TN_STR(".value")), t->element, mapping, depth + 1);
        tn_buf_addz(b, "}))");
    }
}

tn_rc tn_delta_physical_select(tn_arena *a, const tn_delta_target *to, tn_str *ret, tn_err *err)
{
    const tn_delta_fields *fields = &to->meta.schema->fields;
    tn_delta_mapping mapping = tn_delta_mapping_of(&to->protocol, &to->meta);
    if (!differs(to->meta.schema, mapping)) {
        *ret = to->select;
        return TN_OK;
    }
    bool any = false;
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT ");
    for (size_t i = 0; i < fields->n; i++) {
        const tn_delta_field *f = &fields->v[i];
        if (tn_delta_type_is_void(f->type)) {
            continue;
        }
        tn_buf column = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
        tn_sql_ident(&column, f->name);
        tn_buf_addz(&b, any ? ", " : "");
        any = true;
        add_physical(&b, tn_buf_str(&column), f->type, mapping, 0);
        tn_buf_addz(&b, " AS ");
        tn_sql_ident(&b, tn_delta_physical_name(f, mapping));
    }
    for (size_t i = 0; i < to->extra.n; i++) {
        tn_buf_addz(&b, any ? ", " : "");
        tn_sql_ident(&b, to->extra.v[i]);
        any = true;
    }
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, to->select);
    tn_buf_addz(&b, "\n) AS logical");
    return tn_buf_finish(&b, "the rows to write", ret, err);
}
