/* duck_impl.h: what the files of this folder share. Nobody else includes it: it brings in duckdb.h. */
#ifndef TN_DUCK_DUCK_IMPL_H
#define TN_DUCK_DUCK_IMPL_H

#include <duckdb.h>

#include "base/map.h"
#include "duck/duck.h"
#include "os/thread.h"

struct tn_duck {
    tn_arena *arena;
    duckdb_database db;
    tn_mutex lock;
    bool has_column_fn; /* duck_cast.c has registered its table function */
    tn_map functions;   /* duck_function.c: name -> its C function */
    tn_mutex renew_lock;
    tn_vec(tn_duck_renewal) renewals; /* under the lock; each in its own arena */
    int64_t due_us;                   /* of the first of them, 0: none; atomic */
};

struct tn_conn {
    tn_arena *arena;
    tn_duck *duck;
    duckdb_connection con;
    duckdb_connection
        helper; /* runs casts for texts while con may be in the middle of a stream; made on first need */
    bool renews; /* its statements make others' ready */
};

/* ---- duck_renew.c ---- */
void duck_renew_due(tn_conn *c); /* before each statement */
void duck_renewals_free(tn_duck *d);

/* How a column of the current chunk is read: as it is, or as a cast of it that DuckDB has made. */
typedef enum duck_form { DUCK_AS_TEXT, DUCK_AS_PLAIN, DUCK_FORMS } duck_form;

typedef struct duck_cast duck_cast; /* duck_cast.c */

typedef struct duck_col {
    tn_str name;
    tn_str type_text;
    duckdb_logical_type type;
    duckdb_type id;
    duckdb_vector vector; /* of the current chunk */
    bool plain;           /* duck_cell_read can read it without a cast */
    duck_cast *casts[DUCK_FORMS];
} duck_col;

struct tn_result {
    tn_arena *arena;
    tn_conn *conn;
    duckdb_result res;
    bool streaming;
    size_t n_cols;
    duck_col *cols;
    duckdb_data_chunk chunk;
    size_t chunk_rows;
    int64_t chunk_no;
    int64_t changed;
};

/* Handles of DuckDB that go away with their scope. */
static inline void duckdb_result_cleanup(duckdb_result *r)
{
    duckdb_destroy_result(r);
}

static inline void duckdb_logical_type_cleanup(duckdb_logical_type *t)
{
    duckdb_destroy_logical_type(t);
}

static inline void duckdb_prepared_statement_cleanup(duckdb_prepared_statement *p)
{
    duckdb_destroy_prepare(p);
}

static inline void duckdb_data_chunk_cleanup(duckdb_data_chunk *c)
{
    duckdb_destroy_data_chunk(c);
}

static inline void duckdb_value_cleanup(duckdb_value *v)
{
    duckdb_destroy_value(v);
}

/* Turns DuckDB's message into ours: code by kind of error, secrets scrubbed, hints added. */
tn_rc duck_fail(tn_err *err, duckdb_error_type type, const char *msg);
tn_rc duck_fail_data(tn_err *err, duckdb_error_data *data); /* destroys data */
tn_rc duck_sql_z(tn_arena *a, tn_str sql, char **ret,
    tn_err *err) TN_MUSTUSE; /* NUL-terminated, no zero byte inside */

/* Takes res over, also on failure. */
tn_rc duck_result_new(
    tn_conn *c, duckdb_result *res, bool streaming, tn_result **ret, tn_err *err) TN_MUSTUSE;

/* ---- types ---- */
enum { DUCK_NO_NAME = 1 }; /* first byte of a field name that stands for none */
tn_str duck_type_text(tn_arena *a, duckdb_logical_type type);
/* The type that a value of `type` is read as: odd leaves replaced by VARCHAR. *ret_changed when it differs from type. */
tn_str duck_plain_type_text(tn_arena *a, duckdb_logical_type type, bool *ret_changed);
bool duck_type_is_nested(duckdb_type id);
bool duck_is_keyword(tn_str name); /* lower case */

/* ---- cells: of vectors whose type is plain ---- */
tn_val duck_cell_read(tn_arena *a, duckdb_vector v, duckdb_logical_type type, uint64_t row);
bool duck_cell_valid(duckdb_vector v, uint64_t row);
/* The text of a scalar that needs no help of DuckDB; false when it does. */
bool duck_cell_text(tn_arena *a, duckdb_vector v, duckdb_type id, duckdb_logical_type type,
    uint64_t row, tn_str *ret);
tn_str duck_string_of(duckdb_vector v, uint64_t row); /* borrowed from the vector */

/* ---- casts by DuckDB ---- */
/* The current chunk's column col cast to form; *ret lives until the next chunk. */
tn_rc duck_cast_column(tn_result *r, size_t col, duck_form form, duckdb_vector *ret,
    duckdb_logical_type *ret_type, tn_err *err) TN_MUSTUSE;
void duck_cast_free(duck_cast *c);

/* ---- parameters ---- */
/* NULL with err set for what cannot be bound. */
duckdb_value duck_value_of(tn_arena *a, tn_val v, tn_err *err);

/* ---- extensions ---- */
bool duck_sql_may_install(tn_str sql); /* the words INSTALL, LOAD or EXTENSIONS appear in it */

#endif
