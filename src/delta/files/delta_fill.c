/* delta_fill.c: values that the writer finds for a row: defaults, generated columns, identity.
 *
 * In the metadata of a column: CURRENT_DEFAULT = SQL; delta.generationExpression = SQL over the other columns; delta.identity.start, .step,
 * .highWaterMark (the last value given out, absent at first) and .allowExplicitInsert. Identity values are start + k * step, each beyond the
 * high-water mark, which moves in the commit that used them: of two writers at the same time one finds the metadata changed and takes new values.
 */
#include "delta/action/delta_schema.h"
#include "delta/files/delta_columns.h"

#define START "delta.identity.start"
#define STEP "delta.identity.step"
#define HIGH "delta.identity.highWaterMark"

tn_str tn_delta_field_generation(const tn_delta_field *f)
{
    return tn_val_str_at(f->metadata, "delta.generationExpression", TN_STR_NONE);
}

tn_str tn_delta_field_default(const tn_delta_field *f)
{
    return tn_val_str_at(f->metadata, "CURRENT_DEFAULT", TN_STR_NONE);
}

bool tn_delta_field_is_identity(const tn_delta_field *f)
{
    return tn_val_at(f->metadata, START).tag == TN_INT;
}

bool tn_delta_field_takes_identity(const tn_delta_field *f)
{
    return tn_val_bool_at(f->metadata, "delta.identity.allowExplicitInsert", false);
}

bool tn_delta_field_fills_itself(const tn_delta_field *f)
{
    return tn_delta_field_generation(f).n > 0 || tn_delta_field_is_identity(f) ||
           tn_delta_field_default(f).n > 0;
}

bool tn_delta_schema_computes(const tn_delta_type *schema)
{
    for (size_t i = 0; i < schema->fields.n; i++) {
        const tn_delta_field *f = &schema->fields.v[i];
        if (tn_delta_field_generation(f).n > 0 || tn_delta_field_is_identity(f)) {
            return true;
        }
    }
    return false;
}

/* ---- SQL ---- */

static void add_cast(tn_buf *b, tn_str expr, const tn_delta_type *type)
{
    tn_buf_addf(b, "CAST((" TN_STR_FMT ") AS ", TN_STR_ARG(expr));
    tn_delta_type_to_sql(b, type);
    tn_buf_addc(b, ')');
}

tn_rc tn_delta_missing_sql(tn_buf *b, const tn_delta_field *f, tn_err *err)
{
    tn_str sql = TN_STR("NULL");
    tn_str text = tn_delta_field_default(f);
    if (text.n > 0) {
        tn_rc rc = tn_delta_expr_sql(b->arena, text, NULL, true, &sql, err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "the default of column '" TN_STR_FMT "'", TN_STR_ARG(f->name));
        }
    }
    add_cast(b, sql, f->type);
    return TN_OK;
}

tn_rc tn_delta_generated_sql(
    tn_buf *b, const tn_delta_type *schema, const tn_delta_field *f, tn_err *err)
{
    tn_str sql;
    tn_rc rc = tn_delta_expr_sql(b->arena, tn_delta_field_generation(f), schema, true, &sql, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "the generated column '" TN_STR_FMT "'", TN_STR_ARG(f->name));
    }
    add_cast(b, sql, f->type);
    return TN_OK;
}

/* ---- identity ---- */

static tn_rc used_up(const tn_delta_field *f, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_LIMIT,
        "the identity column '" TN_STR_FMT "' has no values left in 64 bits", TN_STR_ARG(f->name));
    return tn_hint(err, rc, "nothing was written");
}

tn_rc tn_delta_identity_next(
    const tn_delta_field *f, int64_t *ret_next, int64_t *ret_step, tn_err *err)
{
    int64_t start = tn_val_int_at(f->metadata, START, 1);
    int64_t step = tn_val_int_at(f->metadata, STEP, 1);
    tn_val high = tn_val_at(f->metadata, HIGH);
    if (step == 0) {
        return tn_fail(err, TN_E_CORRUPT, "the identity column '" TN_STR_FMT "' has the step 0",
            TN_STR_ARG(f->name));
    }
    int64_t next = start;
    int64_t span;
    bool beyond = high.tag == TN_INT && (step > 0 ? high.i >= start : high.i <= start);
    if (beyond) { /* the first start + k * step past the mark, which may lie between two */
        if (__builtin_sub_overflow(high.i, start, &span) ||
            __builtin_mul_overflow(span / step + 1, step, &span) ||
            __builtin_add_overflow(start, span, &next)) {
            return used_up(f, err);
        }
    }
    *ret_next = next;
    *ret_step = step;
    return TN_OK;
}

tn_rc tn_delta_identity_took(
    tn_arena *a, tn_delta_meta *m, size_t column, int64_t count, tn_err *err)
{
    int64_t next;
    int64_t step;
    int64_t last;
    const tn_delta_field *f = &m->schema->fields.v[column];
    if (count <= 0) {
        return TN_OK;
    }
    TN_TRY(tn_delta_identity_next(f, &next, &step, err));
    if (__builtin_mul_overflow(count - 1, step, &last) ||
        __builtin_add_overflow(next, last, &last)) {
        return used_up(f, err);
    }
    m->schema = tn_delta_type_copy(a, m->schema);
    tn_dict_putz(m->schema->fields.v[column].metadata.dict, HIGH, tn_val_int(last));
    tn_delta_meta_print_schema(a, m);
    return TN_OK;
}
