/* duck.h: DuckDB behind plain calls; src/duck is the only folder that includes duckdb.h.
 *
 * tn_duck is one database instance (in memory or a file), shared by threads. tn_conn is one connection: one thread at a time,
 * except tn_conn_interrupt and tn_conn_progress. A failed statement is TN_E_SQL with DuckDB's own message (its "Error:" prefix and
 * its "LINE 1: ..." part with the caret kept: "Catalog Error: ..."), TN_E_BUSY for a file that another process has locked,
 * TN_E_CANCELLED after an interrupt. Messages are scrubbed of registered secrets.
 *
 * Order of death: results and Arrow streams, then their connection, then the database. An open streaming result holds its connection:
 * the next statement on it ends the stream. Nothing here goes to the network for an extension: INSTALL and LOAD inside
 * any SQL text mean the bundled ones (tn_duck_load), and DuckDB autoloads from the bundled folder only.
 */
#ifndef TN_DUCK_DUCK_H
#define TN_DUCK_DUCK_H

#include "base/val.h"
#include "base/vec.h"

typedef struct tn_duck tn_duck;
typedef struct tn_conn tn_conn;
typedef struct tn_result tn_result;

typedef struct tn_duck_opts {
    tn_str path; /* empty: in memory */
    bool read_only;
    int threads;           /* 0: DuckDB's default */
    tn_str memory_limit;   /* "4GB"; empty: default */
    tn_str temp_directory; /* spill; empty: default */
    tn_val
        config; /* dict of settings that are needed at open (config_options of a profile), or undefined */
} tn_duck_opts;

tn_rc tn_duck_open(const tn_duck_opts *opts, tn_duck **ret, tn_err *err) TN_MUSTUSE;
void tn_duck_close(tn_duck *d); /* NULL is fine; connections must be closed before */
TN_DEFINE_AUTOPTR(tn_duck, tn_duck_close)
const char *tn_duck_version(void); /* "v1.5.5" of the linked library */
tn_rc tn_duck_connect(tn_duck *d, tn_conn **ret, tn_err *err) TN_MUSTUSE;
void tn_conn_close(tn_conn *c);
TN_DEFINE_AUTOPTR(tn_conn, tn_conn_close)
/* Loads a bundled extension by name ("httpfs", "delta"): found next to the program, never through the network. Built-in ones
 * (json, parquet, icu, core_functions, autocomplete) are a no-op. Unknown: TN_E_NOTFOUND with the folders looked in. Costs about 0.1 s
 * of CPU for httpfs and 0.35 s for delta (DuckDB checks the signature) once a database. */
tn_rc tn_duck_load(tn_conn *c, tn_str extension, tn_err *err) TN_MUSTUSE;
/* True when sql is one INSTALL, FORCE INSTALL, LOAD or UPDATE EXTENSIONS statement and was handled: INSTALL checks that the extension
 * is there, LOAD loads it. LOAD of a path is left to DuckDB. tn_conn_exec, _query and _stream do this for each statement themselves. */
tn_rc tn_duck_intercept(tn_conn *c, tn_str sql, bool *ret_handled, tn_err *err) TN_MUSTUSE;
/* The bundled folder, the first that exists of: TARN_EXTENSION_DIR, and seen from the program's folder ../lib/tarn/extensions,
 * deps/extensions, ../deps/extensions; seen from the folder of libtarn.so extensions, tarn/extensions, ../tarn/extensions, ../deps/extensions. Inside it: v1.5.5/linux_amd64/NAME.duckdb_extension. */
tn_rc tn_duck_extension_dir(tn_arena *a, tn_str *ret, tn_err *err) TN_MUSTUSE;

/* Lets SQL call a function of ours by name (a literal): any number of UINTEGER arguments, a UBIGINT comes back; NULL when one is NULL. Once a
 * database; a second call with the same name does nothing. It is run by several threads at once. */
typedef uint64_t (*tn_duck_number_fn)(const uint32_t *args, size_t n);
tn_rc tn_conn_add_function(
    tn_conn *c, const char *name, tn_duck_number_fn fn, tn_err *err) TN_MUSTUSE;

/* Something of the database that runs out in time (a secret made of lent keys): before a statement of any connection fn is called on a connection of
 * its own once the wall clock has passed at_us; *ret_next_us says when the next time is (0: never again). A failure is logged and tried again soon: the
 * statement begins all the same. A second one of a name takes the place of the first. arena holds self; the database frees it. */
typedef tn_rc (*tn_duck_renew_fn)(void *self, tn_conn *conn, int64_t *ret_next_us, tn_err *err);
typedef struct tn_duck_renewal {
    tn_str name;
    int64_t at_us;
    tn_duck_renew_fn fn;
    void *self;
    tn_arena *arena;
} tn_duck_renewal;
void tn_duck_renew(tn_conn *c, const tn_duck_renewal *r);

/* Each runs one or more statements, one after the other to the first failure; *ret is the result of the last (ret is not NULL). */
tn_rc tn_conn_exec(tn_conn *c, tn_str sql, tn_err *err) TN_MUSTUSE;
tn_rc tn_conn_query(
    tn_conn *c, tn_str sql, tn_result **ret, tn_err *err) TN_MUSTUSE; /* materialised */
tn_rc tn_conn_stream(tn_conn *c, tn_str sql, tn_result **ret,
    tn_err *err) TN_MUSTUSE; /* chunk by chunk, bounded memory */
/* One long statement of this program's own (a COPY, a CREATE TABLE AS): while other threads have all its work the caller's sleeps instead of
 * asking for more. No INSTALL or LOAD, and nothing that writes to an attached database. */
tn_rc tn_conn_work(tn_conn *c, tn_str sql, tn_result **ret, tn_err *err) TN_MUSTUSE;
/* One statement with $1, $2 or ? parameters: every kind of value but sets and objects; dicts bind as structs. */
tn_rc tn_conn_query_params(tn_conn *c, tn_str sql, const tn_val *params, size_t n, tn_result **ret,
    tn_err *err) TN_MUSTUSE;
tn_rc tn_conn_begin(tn_conn *c, tn_err *err) TN_MUSTUSE;
tn_rc tn_conn_commit(tn_conn *c, tn_err *err) TN_MUSTUSE;
tn_rc tn_conn_rollback(tn_conn *c, tn_err *err) TN_MUSTUSE; /* ok when no transaction is open */
tn_rc tn_conn_set_threads(
    tn_conn *c, int threads, tn_err *err) TN_MUSTUSE; /* of the whole database */
/* SET name = value for this connection ("TimeZone"), or for all of the database when global ("ca_cert_file"). */
tn_rc tn_conn_set(tn_conn *c, const char *name, tn_val value, bool global, tn_err *err) TN_MUSTUSE;
/* The same, globally, of a text setting that an extension brings: what is set before the extension is there counts from the moment it is loaded, by
 * whomever. Extensions that are loaded already, and settings that were set so before: as tn_conn_set. */
tn_rc tn_conn_set_ahead(tn_conn *c, const char *name, tn_str value, tn_err *err) TN_MUSTUSE;
void tn_conn_interrupt(
    tn_conn *c); /* from any thread: the running statement ends with TN_E_CANCELLED */
/* Progress is only counted after tn_conn_progress_on (0.4 ms), which the connection's own thread calls before the statement. */
tn_rc tn_conn_progress_on(tn_conn *c, tn_err *err) TN_MUSTUSE;
double tn_conn_progress(tn_conn *c); /* from any thread: percent, -1 when unknown */
/* First row, first column; undefined when there is no row. Value lives in a. */
tn_rc tn_conn_scalar(tn_conn *c, tn_arena *a, tn_str sql, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* All rows as a list of tuples; columns' names as list of strings when ret_names is not NULL. Fails past rows_max (TN_E_LIMIT). */
tn_rc tn_conn_rows(tn_conn *c, tn_arena *a, tn_str sql, size_t rows_max, tn_val *ret_rows,
    tn_val *ret_names, tn_err *err) TN_MUSTUSE;
/* Names and types that a SELECT would give, without running it: list of (name, type text) tuples. */
tn_rc tn_conn_describe(tn_conn *c, tn_arena *a, tn_str sql, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* DuckDB's parse of SELECT statements (json_serialize_sql): {"error": .., "statements": [{"node": ..}, ..]}, without statements when it
 * does not take the text. by_bytes: undefined where the session's default collation makes texts equal that are not so byte by byte. */
tn_val tn_conn_tree(tn_conn *c, tn_arena *a, tn_str sql, bool by_bytes);
tn_val tn_tree_node(tn_val tree); /* of the only statement; undefined: there are others */
/* The text of such a tree; empty when DuckDB gives none. */
tn_str tn_conn_tree_text(tn_conn *c, tn_arena *a, tn_val tree);
/* DuckDB cites the place of an error in the statement. Where the program made the statement around what the user wrote, a citation of the
 * program's own words is taken out, and so are its own columns among those that DuckDB proposes. NULL is fine. */
void tn_conn_err_cite(tn_err *err, tn_str written);
bool tn_conn_err_lost_file(
    const tn_err *err); /* DuckDB has not found a Parquet file; NULL is fine */

/* ---- results ---- */
void tn_result_free(tn_result *r); /* NULL is fine */
TN_DEFINE_AUTOPTR(tn_result, tn_result_free)
size_t tn_result_cols(const tn_result *r);
tn_str tn_result_name(const tn_result *r, size_t col);
tn_str tn_result_type(
    const tn_result *r, size_t col); /* SQL text: "DECIMAL(12,2)", "STRUCT(a INTEGER)[]" */
int64_t tn_result_changed(
    const tn_result *r); /* rows changed by DML or made by CREATE TABLE AS, else 0 */
bool tn_result_is_rows(const tn_result *r); /* a query result rather than DDL/DML count */
tn_str tn_result_verb(
    const tn_result *r); /* "SELECT", "INSERT", "CREATE", ... for adapter responses */
/* Next chunk of at most 2048 rows: *ret_n = 0 at the end. */
tn_rc tn_result_next(tn_result *r, size_t *ret_n, tn_err *err) TN_MUSTUSE;
/* A cell of the current chunk, in a. Integers -> INT/BIGINT, DECIMAL -> DECIMAL, FLOAT and DOUBLE -> FLOAT, DATE -> DATE, TIME -> TIME,
 * timestamps -> DATETIME (WITH TIME ZONE: in UTC; nanoseconds are cut), LIST and ARRAY -> list, STRUCT and MAP -> dict (a map key
 * that cannot be a key becomes its text; a struct without field names is a tuple), BLOB -> bytes, NULL -> none; infinite dates and everything else (UUID, ENUM, INTERVAL, UNION,
 * BIT, TIMETZ, GEOMETRY, VARIANT ...) -> the text that CAST(x AS VARCHAR) gives. The rows of COPY .. (RETURN_STATS) are such cells. */
tn_val tn_result_cell(const tn_result *r, tn_arena *a, size_t col, size_t row);
/* The cell as DuckDB's own text (CAST AS VARCHAR, in the connection's time zone); false for NULL. */
bool tn_result_text(const tn_result *r, tn_arena *a, size_t col, size_t row, tn_str *ret);

/* ---- Arrow C data interface (struct ArrowArrayStream is declared in duck/arrow_abi.h) ---- */
struct ArrowArrayStream;
/* Reads the stream into a new table (CREATE TABLE name; a temporary one when the name begins with "temp."): every column, whole stream; releases the stream. */
tn_rc tn_conn_arrow_in(tn_conn *c, tn_str table_sql_name, struct ArrowArrayStream *stream,
    int64_t *ret_rows, tn_err *err) TN_MUSTUSE;
/* Wraps a result as a stream; the stream owns the result from then on. */
tn_rc tn_result_arrow_out(tn_result *r, struct ArrowArrayStream *ret, tn_err *err) TN_MUSTUSE;
/* Arrow IPC stream (file descriptor 0 = stdin) decoded into a new table: schema, record batches, dictionaries, lz4/zstd refused clearly
 * when not built in. */
tn_rc tn_conn_arrow_ipc_in(
    tn_conn *c, tn_str table_sql_name, int fd, int64_t *ret_rows, tn_err *err) TN_MUSTUSE;
/* Writes all rows of the result as an Arrow IPC stream; the result stays the caller's but is used up. */
tn_rc tn_result_arrow_ipc_out(tn_result *r, int fd, int64_t *ret_rows, tn_err *err) TN_MUSTUSE;

#endif
