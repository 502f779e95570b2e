/* lake_default.c: DEFAULT among the values of an INSERT: found by its tokens, since DuckDB knows the word only in its own tables. */
#include "lake/sql/lake_default.h"
#include "delta/delta_alter.h"
#include "text/sqltoken.h"

enum { SQL_BYTES_MAX = 256 << 20 };

tn_rc tn_sql_take_defaults(tn_arena *a, tn_str query, tn_sql_defaults *ret, tn_err *err)
{
    tn_tokens t;
    *ret = (tn_sql_defaults){ .query = query };
    TN_TRY(tn_sql_tokens(a, query, &t, err));
    if (!tn_token_is(&t, 0, "values")) {
        return TN_OK;
    }
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    const char *copied = query.p;
    size_t column = 0;
    int depth = 0;
    for (size_t i = 1; i < t.n; i++) {
        bool open = tn_token_is(&t, i, "(") || tn_token_is(&t, i, "[") || tn_token_is(&t, i, "{");
        bool close = tn_token_is(&t, i, ")") || tn_token_is(&t, i, "]") || tn_token_is(&t, i, "}");
        ret->rows += open && depth == 0;
        column = open && depth == 0 ? 0 : column + (depth == 1 && tn_token_is(&t, i, ","));
        depth += open - close;
        bool alone = (tn_token_is(&t, i - 1, "(") || tn_token_is(&t, i - 1, ",")) &&
                     (tn_token_is(&t, i + 1, ")") || tn_token_is(&t, i + 1, ","));
        if (depth == 1 && alone && tn_token_is(&t, i, "default")) {
            tn_buf_add(&b, tn_str_n(copied, (size_t)(t.v[i].text.p - copied)));
            tn_sql_default d = { .column = column, .at = b.n };
            tn_vec_push(&ret->v, a, d);
            tn_buf_addz(&b, "NULL");
            copied = t.v[i].text.p + t.v[i].text.n;
        }
    }
    tn_buf_add(&b, tn_str_n(copied, (size_t)(query.p + query.n - copied)));
    return tn_buf_finish(&b, "a statement", &ret->query, err);
}

bool tn_sql_all_default(const tn_sql_defaults *d, size_t column)
{
    size_t n = 0;
    for (size_t i = 0; i < d->v.n; i++) {
        n += d->v.v[i].column == column;
    }
    return n > 0 && n == d->rows;
}

/* What stands for DEFAULT of a column. */
static tn_rc value_of(tn_arena *a, const tn_sql_defaults *d, size_t column, tn_str name,
    const tn_delta_type *schema, tn_str *ret, tn_err *err)
{
    bool computed = false;
    TN_TRY(tn_delta_column_default(a, schema, name, ret, &computed, err));
    if (computed && !tn_sql_all_default(d, column)) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the generated column '" TN_STR_FMT "' is DEFAULT in some rows only", TN_STR_ARG(name));
    }
    return TN_OK;
}

tn_rc tn_sql_put_defaults(tn_arena *a, tn_sql_defaults *d, const tn_strs *columns,
    const tn_delta_type *schema, tn_err *err)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    size_t copied = 0;
    for (size_t i = 0; i < d->v.n; i++) {
        tn_str value;
        size_t column = d->v.v[i].column;
        if (column >= columns->n) {
            return TN_OK; /* rows of different lengths: DuckDB says so */
        }
        TN_TRY(value_of(a, d, column, columns->v[column], schema, &value, err));
        tn_buf_add(&b, tn_str_sub(d->query, copied, d->v.v[i].at));
        tn_buf_add(&b, value);
        copied = d->v.v[i].at + 4; /* NULL */
    }
    tn_buf_add(&b, tn_str_sub(d->query, copied, d->query.n));
    return tn_buf_finish(&b, "a statement", &d->query, err);
}
