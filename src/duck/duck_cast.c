/* duck_cast.c: lets DuckDB cast one column of a result's current chunk, to VARCHAR or to a plain type.
 *
 * A second connection of the same database runs `SELECT CAST(v AS type) FROM tn_column(id)`. tn_column is a table function of ours
 * that hands out the column's vector without a copy; id finds the column in a table of running casts, so a user
 * who calls it with a made-up number gets an error and nothing else. The statement is prepared once a column and
 * runs once a chunk. The time zone of the result's connection is taken over, since texts depend on it.
 *
 *   result chunk --vector--> tn_column(id) --> CAST --> one chunk of texts, row for row
 */
#include "duck/duck_impl.h"
#include "os/random.h"

#define DUCK_COLUMN_FN "tn_column"

struct duck_cast {
    tn_arena *arena;
    uint64_t id;
    duckdb_logical_type source; /* borrowed from the column */
    duckdb_vector vector;       /* of the current chunk, set for the time of one run */
    uint64_t rows;
    duckdb_prepared_statement statement;
    int64_t chunk_no; /* chunk that out belongs to */
    duckdb_data_chunk out;
    duckdb_logical_type out_type;
    duck_cast *next;
};

/* All casts of the process by id: the function sees nothing but the number. */
static struct {
    tn_mutex lock;
    duck_cast *first;
} running = { .lock = TN_MUTEX_INIT };

static duck_cast *find_cast(uint64_t id)
{
    TN_LOCKED(&running.lock);
    duck_cast *c = running.first;
    while (c != NULL && c->id != id) {
        c = c->next;
    }
    return c;
}

static void link_cast(duck_cast *c)
{
    TN_LOCKED(&running.lock);
    c->next = running.first;
    running.first = c;
}

static void unlink_cast(const duck_cast *c)
{
    TN_LOCKED(&running.lock);
    duck_cast **at = &running.first;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
}

/* ---- the table function ---- */

typedef struct column_scan {
    duck_cast *cast;
    bool done;
} column_scan;

static void column_bind(duckdb_bind_info info)
{
    TN_AUTO(duckdb_value) arg = duckdb_bind_get_parameter(info, 0);
    duck_cast *c = find_cast(duckdb_get_uint64(arg));
    if (c == NULL) {
        duckdb_bind_set_error(info, DUCK_COLUMN_FN " belongs to the program and cannot be called");
        return;
    }
    duckdb_bind_add_result_column(info, "v", c->source);
    duckdb_bind_set_bind_data(info, c, NULL);
}

static void column_init(duckdb_init_info info)
{
    column_scan *scan = duckdb_malloc(sizeof *scan);
    *scan = (column_scan){ .cast = duckdb_init_get_bind_data(info) };
    duckdb_init_set_max_threads(info, 1);
    duckdb_init_set_init_data(info, scan, duckdb_free);
}

static void column_read(duckdb_function_info info, duckdb_data_chunk out)
{
    column_scan *scan = duckdb_function_get_init_data(info);
    duck_cast *c = scan->cast;
    if (scan->done || c->vector == NULL) {
        duckdb_data_chunk_set_size(out, 0);
        return;
    }
    scan->done = true;
    duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(out, 0), c->vector);
    duckdb_data_chunk_set_size(out, c->rows);
}

static tn_rc register_function(duckdb_connection con, tn_err *err)
{
    duckdb_table_function fn = duckdb_create_table_function();
    duckdb_logical_type id_type = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    duckdb_table_function_set_name(fn, DUCK_COLUMN_FN);
    duckdb_table_function_add_parameter(fn, id_type);
    duckdb_table_function_set_bind(fn, column_bind);
    duckdb_table_function_set_init(fn, column_init);
    duckdb_table_function_set_function(fn, column_read);
    duckdb_state state = duckdb_register_table_function(con, fn);
    duckdb_destroy_logical_type(&id_type);
    duckdb_destroy_table_function(&fn);
    return state == DuckDBSuccess
               ? TN_OK
               : tn_fail(err, TN_E_BUG, "DuckDB refuses the function " DUCK_COLUMN_FN);
}

/* ---- the helper connection ---- */

static tn_rc run_quietly(duckdb_connection con, const char *sql, tn_err *err)
{
    duckdb_result res = { 0 };
    tn_rc rc = TN_OK;
    if (duckdb_query(con, sql, &res) != DuckDBSuccess) {
        rc = duck_fail(err, duckdb_result_error_type(&res), duckdb_result_error(&res));
    }
    duckdb_destroy_result(&res);
    return rc;
}

static tn_rc take_time_zone(tn_conn *c, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck zone", NULL);
    duckdb_client_context context = NULL;
    duckdb_connection_get_client_context(c->con, &context);
    TN_AUTO(duckdb_value) zone = duckdb_client_context_get_config_option(context, "TimeZone", NULL);
    duckdb_destroy_client_context(&context);
    char *text = zone ? duckdb_value_to_string(zone) : NULL; /* a SQL literal */
    if (text == NULL) {
        return TN_OK;
    }
    const char *sql = tn_arena_printf(a, "SET TimeZone = %s", text);
    duckdb_free(text);
    return run_quietly(c->helper, sql, err);
}

static tn_rc ensure_helper(tn_conn *c, tn_err *err)
{
    if (c->helper == NULL) {
        duckdb_connection con = NULL;
        if (duckdb_connect(c->duck->db, &con) != DuckDBSuccess) {
            return tn_fail(err, TN_E_SQL, "DuckDB opens no second connection");
        }
        c->helper = con;
        TN_LOCKED(&c->duck->lock);
        if (!c->duck->has_column_fn) {
            TN_TRY(register_function(con, err));
            c->duck->has_column_fn = true;
        }
    }
    return take_time_zone(c, err);
}

/* ---- casts ---- */

static tn_rc make_cast(tn_result *r, size_t col, duck_form form, duck_cast **ret, tn_err *err)
{
    TN_TRY(ensure_helper(r->conn, err));
    tn_arena *a = tn_arena_new("duck cast", NULL);
    duck_cast *c = tn_new(a, duck_cast);
    c->arena = a;
    c->source = r->cols[col].type;
    c->chunk_no = -1;
    c->id = tn_random_u64();
    bool changed;
    tn_str type =
        form == DUCK_AS_TEXT ? TN_STR("VARCHAR") : duck_plain_type_text(a, c->source, &changed);
    const char *sql = tn_arena_printf(a,
        "SELECT CAST(v AS " TN_STR_FMT ") FROM " DUCK_COLUMN_FN "(%llu::UBIGINT)", TN_STR_ARG(type),
        (unsigned long long)c->id);
    link_cast(c);
    if (duckdb_prepare(r->conn->helper, sql, &c->statement) != DuckDBSuccess) {
        tn_rc rc = duck_fail(err, DUCKDB_ERROR_INVALID, duckdb_prepare_error(c->statement));
        duck_cast_free(c);
        return rc;
    }
    *ret = c;
    return TN_OK;
}

static void drop_out(duck_cast *c)
{
    if (c->out != NULL) {
        duckdb_destroy_data_chunk(&c->out);
        duckdb_destroy_logical_type(&c->out_type);
    }
}

void duck_cast_free(duck_cast *c)
{
    if (c != NULL) {
        unlink_cast(c);
        drop_out(c);
        duckdb_destroy_prepare(&c->statement);
        tn_arena_free(c->arena);
    }
}

static tn_rc run_cast(duck_cast *c, tn_err *err)
{
    TN_AUTO(duckdb_result) res = { 0 };
    if (duckdb_execute_prepared(c->statement, &res) != DuckDBSuccess) {
        return duck_fail(err, duckdb_result_error_type(&res), duckdb_result_error(&res));
    }
    drop_out(c);
    c->out = duckdb_fetch_chunk(res);
    if (c->out == NULL || duckdb_data_chunk_get_size(c->out) != c->rows) {
        return tn_fail(
            err, TN_E_BUG, "a cast of %llu rows gave another number", (unsigned long long)c->rows);
    }
    c->out_type = duckdb_column_logical_type(&res, 0);
    return TN_OK;
}

tn_rc duck_cast_column(tn_result *r, size_t col, duck_form form, duckdb_vector *ret,
    duckdb_logical_type *ret_type, tn_err *err)
{
    duck_cast **slot = &r->cols[col].casts[form];
    if (*slot == NULL) {
        TN_TRY(make_cast(r, col, form, slot, err));
    }
    duck_cast *c = *slot;
    if (c->chunk_no != r->chunk_no) {
        c->vector = r->cols[col].vector;
        c->rows = r->chunk_rows;
        tn_rc rc = run_cast(c, err);
        c->vector = NULL;
        if (rc != TN_OK) {
            return rc;
        }
        c->chunk_no = r->chunk_no;
    }
    *ret = duckdb_data_chunk_get_vector(c->out, 0);
    *ret_type = c->out_type;
    return TN_OK;
}
