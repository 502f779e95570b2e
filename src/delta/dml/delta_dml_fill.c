/* delta_dml_fill.c: new rows of UPDATE and MERGE get the values that the table makes: defaults, generated columns, identity.
 *
 * Defaults stand in the statement already (d->missing). Then `hits` is made anew with the rest, so that data files and change data files show the
 * same values:
 *   identity    a new row without a value gets the next one; numbers are given out densely, and the mark moves in the same commit
 *   generated   computed from the new row where the statement does not say the value; where it says one, that must be the same
 */
#include "delta/action/delta_action.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/files/delta_columns.h"
#include "text/sqltext.h"

tn_str tn_dml_value(const tn_dml *d, size_t column, tn_str value)
{
    return tn_str_eq_nocase(tn_str_trim(value), TN_STR("default")) ? d->missing[column] : value;
}

const bool *tn_dml_given(const tn_dml *d, const tn_delta_sets *sets)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    bool *given = tn_arena_zalloc(d->a, fields->n + 1);
    for (size_t i = 0; i < fields->n; i++) {
        const tn_str *v = tn_dml_set_of(sets, fields->v[i].name);
        given[i] = v != NULL && !tn_str_eq_nocase(tn_str_trim(*v), TN_STR("default"));
    }
    return given;
}

tn_rc tn_dml_check_given(const tn_dml *d, const tn_dml_act *act, tn_err *err)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    for (size_t i = 0; act->given != NULL && i < fields->n; i++) {
        const tn_delta_field *f = &fields->v[i];
        if (!act->given[i] || !tn_delta_field_is_identity(f)) {
            continue;
        }
        if (act->what == TN_ACT_UPDATE || !tn_delta_field_takes_identity(f)) {
            tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
                "values of the identity column '" TN_STR_FMT "' cannot be %s", TN_STR_ARG(f->name),
                act->what == TN_ACT_UPDATE ? "changed" : "given: the table makes them");
            return tn_hint(err, rc, "name the columns to be set, without this one");
        }
    }
    return TN_OK;
}

/* "_tarn_k IN (..)": the acts that write rows, or only those that leave a column to the table. column SIZE_MAX: all of them. */
static void add_acts(const tn_dml *d, tn_buf *b, size_t column, bool given)
{
    tn_buf_addz(b, "_tarn_k IN (NULL");
    for (size_t i = 0; i < d->acts.n; i++) {
        const tn_dml_act *act = &d->acts.v[i];
        bool is_given = column != SIZE_MAX && act->given != NULL && act->given[column];
        if (act->what != TN_ACT_DELETE && (column == SIZE_MAX || is_given == given)) {
            tn_buf_addf(b, ", %zu", i + 1);
        }
    }
    tn_buf_addc(b, ')');
}

static tn_rc replace_hits(tn_dml *d, tn_buf *select, tn_err *err)
{
    tn_str sql;
    tn_str name = tn_dml_temp_name(d->a, "hits");
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b, "CREATE TEMP TABLE " TN_STR_FMT " AS ", TN_STR_ARG(name));
    tn_buf_add(&b, tn_buf_str(select));
    TN_TRY(tn_buf_finish(&b, "a statement", &sql, err));
    tn_rc rc = tn_conn_exec(d->conn, sql, err);
    if (rc == TN_E_SQL && err != NULL && strstr(err->msg, "is generated") != NULL) {
        err->rc = TN_E_DATA;
        rc = TN_E_DATA;
    }
    TN_TRY(rc);
    tn_dml_drop(d->conn, d->hits);
    d->hits = name;
    return TN_OK;
}

static tn_rc fill_identity(tn_dml *d, size_t column, tn_delta_meta *meta, tn_err *err)
{
    int64_t next;
    int64_t step;
    tn_val n;
    tn_buf acts = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    add_acts(d, &acts, SIZE_MAX, false);
    tn_buf_addf(&acts, " AND _tarn_v%zu IS NULL", column);
    tn_str wanted = tn_buf_str(&acts);
    TN_TRY(tn_conn_scalar(d->conn, d->a,
        tn_str_printf(d->a, "SELECT count(*) FROM " TN_STR_FMT " WHERE " TN_STR_FMT,
            TN_STR_ARG(d->hits), TN_STR_ARG(wanted)),
        &n, err));
    if (n.i == 0) {
        return TN_OK;
    }
    TN_TRY(tn_delta_identity_next(&meta->schema->fields.v[column], &next, &step, err));
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b,
        "SELECT * REPLACE (CASE WHEN " TN_STR_FMT " THEN %lld::BIGINT + %lld::BIGINT * "
        "(CAST(sum(CASE WHEN " TN_STR_FMT " THEN 1 ELSE 0 END) OVER (ROWS UNBOUNDED PRECEDING) AS "
        "BIGINT) - 1) ELSE _tarn_v%zu END AS _tarn_v%zu) FROM " TN_STR_FMT,
        TN_STR_ARG(wanted), (long long)next, (long long)step, TN_STR_ARG(wanted), column, column,
        TN_STR_ARG(d->hits));
    TN_TRY(replace_hits(d, &b, err));
    return tn_delta_identity_took(d->a, meta, column, n.i, err);
}

/* CASE WHEN left to the table THEN expression WHEN given THEN the same or error() ELSE as it is END */
static tn_rc add_generated(tn_dml *d, tn_buf *b, size_t column, tn_err *err)
{
    const tn_delta_field *f = &d->s->meta.schema->fields.v[column];
    tn_buf value = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    TN_TRY(tn_delta_generated_sql(&value, d->s->meta.schema, f, err));
    tn_str e = tn_buf_str(&value);
    tn_buf msg = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&msg, "a row violates the constraint '" TN_STR_FMT " is generated': " TN_STR_FMT,
        TN_STR_ARG(f->name), TN_STR_ARG(e));
    tn_buf_addz(b, "CASE WHEN ");
    add_acts(d, b, column, false);
    tn_buf_addf(b, " THEN " TN_STR_FMT " WHEN ", TN_STR_ARG(e));
    add_acts(d, b, column, true);
    tn_buf_addf(
        b, " AND _tarn_v%zu IS DISTINCT FROM " TN_STR_FMT " THEN error(", column, TN_STR_ARG(e));
    tn_sql_literal(b, tn_buf_str(&msg));
    tn_buf_addf(b, ") ELSE _tarn_v%zu END AS _tarn_v%zu", column, column);
    return TN_OK;
}

static tn_rc fill_generated(tn_dml *d, tn_err *err)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    tn_buf names = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf aliases = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf values = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = 0; i < fields->n; i++) {
        tn_buf_addz(&names, i > 0 ? ", " : "");
        tn_sql_ident(&names, fields->v[i].name);
        tn_buf_addf(&aliases, ", _tarn_v%zu AS ", i);
        tn_sql_ident(&aliases, fields->v[i].name);
        if (tn_delta_field_generation(&fields->v[i]).n > 0) {
            tn_buf_addz(&values, values.n > 0 ? ", " : "");
            TN_TRY(add_generated(d, &values, i, err));
        }
    }
    if (values.n == 0) {
        return TN_OK;
    }
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b,
        "SELECT * EXCLUDE (" TN_STR_FMT ") REPLACE (" TN_STR_FMT ") FROM (SELECT *" TN_STR_FMT
        " FROM " TN_STR_FMT ") AS filled",
        TN_STR_ARG(tn_buf_str(&names)), TN_STR_ARG(tn_buf_str(&values)),
        TN_STR_ARG(tn_buf_str(&aliases)), TN_STR_ARG(d->hits));
    return replace_hits(d, &b, err);
}

tn_rc tn_dml_fill(tn_dml *d, tn_err *err)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    if (!d->writes || !tn_delta_schema_computes(d->s->meta.schema)) {
        return TN_OK;
    }
    tn_delta_meta *meta = tn_new(d->a, tn_delta_meta);
    *meta = d->meta != NULL ? *d->meta : d->s->meta;
    const tn_delta_type *before = meta->schema;
    for (size_t i = 0; i < fields->n; i++) {
        if (tn_delta_field_is_identity(&fields->v[i])) {
            TN_TRY(fill_identity(d, i, meta, err));
        }
    }
    d->meta = meta->schema != before ? meta : d->meta;
    return fill_generated(d, err);
}
