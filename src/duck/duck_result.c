/* duck_result.c: results, chunk by chunk, and the way of a cell to a value or a text.
 *
 * A cell of a common scalar type is read straight from the chunk's vector. For all others DuckDB itself casts the whole
 * column of the current chunk, once and only when somebody asks (duck_cast.c), so that a text can never differ from what
 * CAST(x AS VARCHAR) gives, whatever the type and however deep it is nested.
 */
#include "base/log.h"
#include "duck/duck_impl.h"

static const char *const verbs[] = {
    [DUCKDB_STATEMENT_TYPE_SELECT] = "SELECT",
    [DUCKDB_STATEMENT_TYPE_INSERT] = "INSERT",
    [DUCKDB_STATEMENT_TYPE_UPDATE] = "UPDATE",
    [DUCKDB_STATEMENT_TYPE_EXPLAIN] = "EXPLAIN",
    [DUCKDB_STATEMENT_TYPE_DELETE] = "DELETE",
    [DUCKDB_STATEMENT_TYPE_PREPARE] = "PREPARE",
    [DUCKDB_STATEMENT_TYPE_CREATE] = "CREATE",
    [DUCKDB_STATEMENT_TYPE_EXECUTE] = "EXECUTE",
    [DUCKDB_STATEMENT_TYPE_ALTER] = "ALTER",
    [DUCKDB_STATEMENT_TYPE_TRANSACTION] = "TRANSACTION",
    [DUCKDB_STATEMENT_TYPE_COPY] = "COPY",
    [DUCKDB_STATEMENT_TYPE_ANALYZE] = "ANALYZE",
    [DUCKDB_STATEMENT_TYPE_VARIABLE_SET] = "SET",
    [DUCKDB_STATEMENT_TYPE_CREATE_FUNC] = "CREATE",
    [DUCKDB_STATEMENT_TYPE_DROP] = "DROP",
    [DUCKDB_STATEMENT_TYPE_EXPORT] = "EXPORT",
    [DUCKDB_STATEMENT_TYPE_PRAGMA] = "PRAGMA",
    [DUCKDB_STATEMENT_TYPE_VACUUM] = "VACUUM",
    [DUCKDB_STATEMENT_TYPE_CALL] = "CALL",
    [DUCKDB_STATEMENT_TYPE_SET] = "SET",
    [DUCKDB_STATEMENT_TYPE_LOAD] = "LOAD",
    [DUCKDB_STATEMENT_TYPE_ATTACH] = "ATTACH",
    [DUCKDB_STATEMENT_TYPE_DETACH] = "DETACH",
    [DUCKDB_STATEMENT_TYPE_COPY_DATABASE] = "COPY",
    [DUCKDB_STATEMENT_TYPE_UPDATE_EXTENSIONS] = "UPDATE",
    [DUCKDB_STATEMENT_TYPE_MERGE_INTO] = "MERGE",
};

/* CREATE TABLE AS counts its rows in a one-cell result that duckdb_rows_changed does not look at. */
static int64_t changed_rows(duckdb_result *res)
{
    bool counted = duckdb_result_return_type(*res) == DUCKDB_RESULT_TYPE_NOTHING &&
                   duckdb_result_statement_type(*res) == DUCKDB_STATEMENT_TYPE_CREATE &&
                   duckdb_column_count(res) == 1 &&
                   duckdb_column_type(res, 0) == DUCKDB_TYPE_BIGINT;
    if (!counted) {
        return (int64_t)duckdb_rows_changed(res);
    }
    TN_AUTO(duckdb_data_chunk) chunk = duckdb_fetch_chunk(*res);
    if (chunk == NULL || duckdb_data_chunk_get_size(chunk) == 0) {
        return 0;
    }
    return *(const int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
}

tn_rc duck_result_new(tn_conn *c, duckdb_result *res, bool streaming, tn_result **ret, tn_err *err)
{
    (void)err;
    tn_arena *a = tn_arena_new("duck result", NULL);
    tn_result *r = tn_new(a, tn_result);
    r->arena = a;
    r->conn = c;
    r->res = *res;
    r->streaming = streaming;
    r->changed = streaming ? 0 : changed_rows(&r->res);
    r->n_cols = duckdb_column_count(&r->res);
    r->cols = tn_new_array(a, duck_col, r->n_cols);
    for (size_t i = 0; i < r->n_cols; i++) {
        duck_col *col = &r->cols[i];
        col->name = tn_str_dup(a, tn_str_of(duckdb_column_name(&r->res, i)));
        col->type = duckdb_column_logical_type(&r->res, i);
        col->id = duckdb_get_type_id(col->type);
        bool changed;
        duck_plain_type_text(a, col->type, &changed);
        /* A chunk of a stream may hold nested vectors in forms that only DuckDB reads. */
        col->plain = !changed && !(streaming && duck_type_is_nested(col->id));
    }
    *ret = r;
    return TN_OK;
}

static void drop_chunk(tn_result *r)
{
    if (r->chunk != NULL) {
        duckdb_destroy_data_chunk(&r->chunk);
    }
    r->chunk_rows = 0;
}

void tn_result_free(tn_result *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->n_cols; i++) {
        for (int form = 0; form < DUCK_FORMS; form++) {
            duck_cast_free(r->cols[i].casts[form]);
        }
        duckdb_destroy_logical_type(&r->cols[i].type);
    }
    drop_chunk(r);
    duckdb_destroy_result(&r->res);
    tn_arena_free(r->arena);
}

size_t tn_result_cols(const tn_result *r)
{
    return r->n_cols;
}

tn_str tn_result_name(const tn_result *r, size_t col)
{
    TN_CHECK(col < r->n_cols);
    return r->cols[col].name;
}

tn_str tn_result_type(const tn_result *r, size_t col)
{
    TN_CHECK(col < r->n_cols);
    duck_col *c = &r->cols[col];
    if (c->type_text.n == 0) {
        c->type_text = duck_type_text(r->arena, c->type);
    }
    return c->type_text;
}

int64_t tn_result_changed(const tn_result *r)
{
    return r->changed;
}

bool tn_result_is_rows(const tn_result *r)
{
    return r->n_cols > 0 && duckdb_result_return_type(r->res) == DUCKDB_RESULT_TYPE_QUERY_RESULT;
}

tn_str tn_result_verb(const tn_result *r)
{
    duckdb_statement_type type = duckdb_result_statement_type(r->res);
    bool known = (size_t)type < TN_COUNTOF(verbs) && verbs[type] != NULL;
    return known ? tn_str_of(verbs[type]) : TN_STR("OK");
}

tn_rc tn_result_next(tn_result *r, size_t *ret_n, tn_err *err)
{
    drop_chunk(r);
    do {
        drop_chunk(r);
        r->chunk = duckdb_fetch_chunk(r->res);
        r->chunk_rows = r->chunk ? duckdb_data_chunk_get_size(r->chunk) : 0;
    } while (r->chunk != NULL && r->chunk_rows == 0);
    r->chunk_no++;
    if (r->chunk == NULL) {
        const char *why = duckdb_result_error(&r->res);
        if (why != NULL && why[0] != '\0') {
            return duck_fail(err, duckdb_result_error_type(&r->res), why);
        }
    }
    for (size_t i = 0; r->chunk != NULL && i < r->n_cols; i++) {
        r->cols[i].vector = duckdb_data_chunk_get_vector(r->chunk, i);
    }
    *ret_n = r->chunk_rows;
    return TN_OK;
}

/* ---- cells ---- */

/* Reading cells cannot fail by signature. A cast that DuckDB refuses (out of memory, an interrupt) shows as text. */
static tn_str cast_failed(tn_arena *a, const tn_err *err)
{
    tn_log(TN_LOG_WARN, "duck", "reading a value: %s", err->msg);
    return tn_str_printf(a, "<%s>", err->msg);
}

tn_val tn_result_cell(const tn_result *r, tn_arena *a, size_t col, size_t row)
{
    TN_CHECK(col < r->n_cols && row < r->chunk_rows);
    const duck_col *c = &r->cols[col];
    if (!duck_cell_valid(c->vector, row)) {
        return TN_VAL_NONE;
    }
    if (c->plain) {
        return duck_cell_read(a, c->vector, c->type, row);
    }
    tn_err err = TN_ERR_INIT;
    duckdb_vector v;
    duckdb_logical_type type;
    if (duck_cast_column((tn_result *)(uintptr_t)r, col, DUCK_AS_PLAIN, &v, &type, &err) != TN_OK) {
        return tn_val_str(cast_failed(a, &err));
    }
    tn_val value = duck_cell_read(a, v, type, row);
    if (c->id == DUCKDB_TYPE_BIGNUM && value.tag == TN_STR_V) {
        value.tag = TN_BIGINT;
        int64_t small;
        return tn_str_to_i64(tn_val_as_str(value), &small) ? tn_val_int(small) : value;
    }
    return value;
}

bool tn_result_text(const tn_result *r, tn_arena *a, size_t col, size_t row, tn_str *ret)
{
    TN_CHECK(col < r->n_cols && row < r->chunk_rows);
    const duck_col *c = &r->cols[col];
    if (!duck_cell_valid(c->vector, row)) {
        return false;
    }
    if (duck_cell_text(a, c->vector, c->id, c->type, row, ret)) {
        return true;
    }
    tn_err err = TN_ERR_INIT;
    duckdb_vector v;
    duckdb_logical_type type;
    if (duck_cast_column((tn_result *)(uintptr_t)r, col, DUCK_AS_TEXT, &v, &type, &err) != TN_OK) {
        *ret = cast_failed(a, &err);
        return true;
    }
    *ret = tn_str_dup(a, duck_string_of(v, row));
    return true;
}
