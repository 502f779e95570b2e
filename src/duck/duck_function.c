/* duck_function.c: functions of ours that SQL may call: whole numbers in, one out. They belong to the running database and are never stored in it. */
#include "duck/duck_impl.h"

enum { FUNCTIONS_MAX = 8, FUNCTION_ARGS_MAX = 16 };

/* A chunk's arguments are unsigned 32-bit, without NULLs (DuckDB answers those itself). */
static void call(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    const tn_duck_number_fn *fn = duckdb_scalar_function_get_extra_info(info);
    const uint32_t *columns[FUNCTION_ARGS_MAX];
    uint32_t args[FUNCTION_ARGS_MAX];
    size_t n = duckdb_data_chunk_get_column_count(in);
    uint64_t rows = duckdb_data_chunk_get_size(in);
    uint64_t *to = duckdb_vector_get_data(out);
    if (n > FUNCTION_ARGS_MAX) {
        duckdb_scalar_function_set_error(info, "too many arguments");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        columns[i] = duckdb_vector_get_data(duckdb_data_chunk_get_vector(in, i));
    }
    for (uint64_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < n; i++) {
            args[i] = columns[i][row];
        }
        to[row] = (*fn)(args, n);
    }
}

static tn_rc register_function(
    duckdb_connection con, const char *name, tn_duck_number_fn *fn, tn_err *err)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    TN_AUTO(duckdb_logical_type) in = duckdb_create_logical_type(DUCKDB_TYPE_UINTEGER);
    TN_AUTO(duckdb_logical_type) out = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    duckdb_scalar_function_set_name(f, name);
    duckdb_scalar_function_set_varargs(f, in);
    duckdb_scalar_function_set_return_type(f, out);
    duckdb_scalar_function_set_extra_info(f, fn, NULL);
    duckdb_scalar_function_set_function(f, call);
    duckdb_state state = duckdb_register_scalar_function(con, f);
    duckdb_destroy_scalar_function(&f);
    return state == DuckDBSuccess ? TN_OK
                                  : tn_fail(err, TN_E_BUG, "DuckDB refuses the function %s", name);
}

tn_rc tn_conn_add_function(tn_conn *c, const char *name, tn_duck_number_fn fn, tn_err *err)
{
    tn_duck *d = c->duck;
    TN_LOCKED(&d->lock);
    if (tn_map_find(&d->functions, tn_str_of(name)) != NULL) {
        return TN_OK;
    }
    if (d->functions.n == FUNCTIONS_MAX) {
        return tn_fail(err, TN_E_BUG, "more than %d functions of ours", FUNCTIONS_MAX);
    }
    tn_duck_number_fn *kept = tn_new(d->arena, tn_duck_number_fn);
    *kept = fn;
    TN_TRY(register_function(c->con, name, kept, err));
    tn_map_put(&d->functions, tn_str_of(name), kept);
    return TN_OK;
}
