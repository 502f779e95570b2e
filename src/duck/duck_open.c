/* duck_open.c: databases and connections, and how DuckDB's errors become ours.
 *
 * Everything that DuckDB wants to know at open goes into its configuration here: threads, memory, the folder of
 * the bundled extensions, and that it may never install anything by itself.
 */
#include "base/log.h"
#include "duck/duck_impl.h"
#include "text/json.h"
#include "text/sqltext.h"

const char *tn_duck_version(void)
{
    return duckdb_library_version();
}

/* ---- errors ---- */

/* 'Could not set lock on file "x.duckdb": Conflicting lock is held in /usr/bin/python3 (PID 7) by user u. See also ...' */
static tn_rc fail_locked(tn_err *err, tn_str msg)
{
    size_t holder = tn_str_find(msg, TN_STR("Conflicting lock is held in "), 0);
    tn_fail(err, TN_E_BUSY, TN_STR_FMT, TN_STR_ARG(msg));
    if (holder == SIZE_MAX) {
        return tn_hint(err, TN_E_BUSY,
            "another process has the database file open; close it there, or read a copy");
    }
    tn_str rest = tn_str_sub(msg, holder + sizeof "Conflicting lock is held in " - 1, msg.n);
    size_t end = tn_str_find_char(rest, ')', 0);
    tn_str who = tn_str_sub(rest, 0, end == SIZE_MAX ? rest.n : end + 1);
    return tn_hint(err, TN_E_BUSY,
        "close the database in " TN_STR_FMT ", or let that program read a copy of the file",
        TN_STR_ARG(who));
}

/* Some calls give the exception as a JSON object; statements give "Binder Error: ...". */
static tn_str readable(tn_arena *a, tn_str msg)
{
    tn_val v;
    if (!tn_str_starts(msg, TN_STR("{\"exception_type\"")) ||
        tn_json_parse(a, msg, &v, NULL) != TN_OK) {
        return msg;
    }
    return tn_str_printf(a, TN_STR_FMT " Error: " TN_STR_FMT,
        TN_STR_ARG(tn_val_str_at(v, "exception_type", TN_STR("DuckDB"))),
        TN_STR_ARG(tn_val_str_at(v, "exception_message", msg)));
}

tn_rc duck_fail(tn_err *err, duckdb_error_type type, const char *msg)
{
    TN_AUTO_ARENA a = tn_arena_new("duck error", NULL);
    tn_str text =
        tn_log_scrub(a, readable(a, tn_str_trim(tn_str_of(msg ? msg : "DuckDB gave no reason"))));
    if (type == DUCKDB_ERROR_INTERRUPT || tn_str_starts(text, TN_STR("INTERRUPT Error"))) {
        return tn_fail(err, TN_E_CANCELLED, "the statement was interrupted");
    }
    if (tn_str_find(text, TN_STR("Could not set lock on file"), 0) != SIZE_MAX) {
        return fail_locked(err, text);
    }
    tn_rc rc = tn_fail(err, TN_E_SQL, TN_STR_FMT, TN_STR_ARG(text));
    if (type == DUCKDB_ERROR_IO && tn_str_ends(text, TN_STR(": No space left on device"))) {
        return tn_hint(err, rc, "free space on the disk or raise the quota");
    }
    if (type == DUCKDB_ERROR_IO && tn_str_ends(text, TN_STR(": Permission denied"))) {
        return tn_hint(err, rc, "check the owner and mode of the file and of its folder");
    }
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY) {
        return tn_hint(err, rc,
            "raise the memory limit, use fewer threads, or give a temp directory with room");
    }
    if (type == DUCKDB_ERROR_FATAL) {
        return tn_hint(err, rc, "the database must be opened again");
    }
    return rc;
}

/* DuckDB names columns that are spelled alike; those that the program has put in ("_tarn_file") are not for users. */
static void hide_own_columns(tn_err *err)
{
    static const char HEAD[] = "\nCandidate bindings: ";
    tn_str msg = tn_str_of(err->msg);
    size_t at = tn_str_find(msg, TN_STR(HEAD), 0);
    if (at == SIZE_MAX || tn_str_find(msg, TN_STR("\"_tarn_"), at) == SIZE_MAX) {
        return;
    }
    TN_AUTO_ARENA a = tn_arena_new("error", NULL);
    size_t from = at + sizeof HEAD - 1;
    size_t end = tn_str_find_char(msg, '\n', from);
    end = end == SIZE_MAX ? msg.n : end;
    tn_str rest = tn_str_sub(msg, from, end);
    tn_str tail = tn_str_dup(a, tn_str_sub(msg, end, msg.n));
    tn_str name;
    tn_buf left = tn_buf_init(a, sizeof err->msg);
    while (rest.n > 0) {
        (void)tn_str_cut(rest, ',', &name, &rest);
        if (tn_str_find(name, TN_STR("\"_tarn_"), 0) == SIZE_MAX) {
            tn_buf_addz(&left, left.n > 0 ? ", " : HEAD);
            tn_buf_add(&left, tn_str_trim(name));
        }
    }
    tn_str text = tn_str_concat(a, tn_buf_str(&left), tail);
    memcpy(err->msg + at, text.p, text.n); /* it has only become shorter */
    err->msg[at + text.n] = '\0';
}

void tn_conn_err_cite(tn_err *err, tn_str written)
{
    if (err != NULL) {
        hide_own_columns(err);
    }
    tn_str msg = tn_str_of(err != NULL ? err->msg : "");
    size_t at = tn_str_find(msg, TN_STR("\n\nLINE "), 0);
    size_t colon = at == SIZE_MAX ? SIZE_MAX : tn_str_find(msg, TN_STR(": "), at);
    size_t end = colon == SIZE_MAX ? SIZE_MAX : tn_str_find_char(msg, '\n', colon);
    if (end == SIZE_MAX) {
        return;
    }
    tn_str cited = tn_str_sub(msg, colon + 2, end);
    cited = tn_str_starts(cited, TN_STR("...")) ? tn_str_sub(cited, 3, cited.n) : cited;
    cited = tn_str_ends(cited, TN_STR("...")) ? tn_str_sub(cited, 0, cited.n - 3) : cited;
    if (written.n == 0 || tn_str_find(written, tn_str_trim(cited), 0) == SIZE_MAX) {
        err->msg[at] = '\0';
    }
}

bool tn_conn_err_lost_file(const tn_err *err)
{
    static const char *const WORDS[] = { "No files found that match the pattern", "(HTTP 404",
        "404 (Not Found)", "No such file or directory" };
    tn_str msg = tn_str_of(err != NULL ? err->msg : "");
    bool lost = false;
    for (size_t i = 0; i < TN_COUNTOF(WORDS); i++) {
        lost = lost || tn_str_find(msg, tn_str_of(WORDS[i]), 0) != SIZE_MAX;
    }
    return lost && tn_str_find(msg, TN_STR(".parquet"), 0) != SIZE_MAX;
}

tn_rc duck_fail_data(tn_err *err, duckdb_error_data *data)
{
    tn_rc rc =
        duck_fail(err, duckdb_error_data_error_type(*data), duckdb_error_data_message(*data));
    duckdb_destroy_error_data(data);
    return rc;
}

tn_rc duck_sql_z(tn_arena *a, tn_str sql, char **ret, tn_err *err)
{
    if (sql.n > 0 && memchr(sql.p, '\0', sql.n) != NULL) {
        return tn_fail(err, TN_E_SYNTAX, "the SQL text contains a zero byte");
    }
    *ret = tn_str_z(a, sql);
    return TN_OK;
}

/* ---- configuration ---- */

typedef struct config_builder {
    duckdb_config config;
    tn_arena *arena;
    tn_err *err;
} config_builder;

static void duckdb_config_cleanup(duckdb_config *c)
{
    duckdb_destroy_config(c);
}

static tn_rc config_set(config_builder *b, tn_str name, tn_str value)
{
    char *zname = NULL, *zvalue = NULL;
    TN_TRY(duck_sql_z(b->arena, name, &zname, b->err));
    TN_TRY(duck_sql_z(b->arena, value, &zvalue, b->err));
    if (duckdb_set_config(b->config, zname, zvalue) == DuckDBSuccess) {
        return TN_OK;
    }
    return tn_hint(b->err,
        tn_fail(b->err, TN_E_VALUE,
            "DuckDB knows no setting '" TN_STR_FMT "' at open, or not this value for it",
            TN_STR_ARG(name)),
        "settings of a connection are set with SET after opening");
}

static tn_str config_text(tn_arena *a, tn_val v)
{
    if (v.tag == TN_BOOL) {
        return v.i ? TN_STR("true") : TN_STR("false"); /* Python's True is none of DuckDB's words */
    }
    return tn_val_to_str(a, v);
}

static tn_rc config_fill(config_builder *b, const tn_duck_opts *o)
{
    tn_str dir;
    bool bundled = tn_duck_extension_dir(b->arena, &dir, NULL) == TN_OK;
    TN_TRY(config_set(b, TN_STR("autoinstall_known_extensions"), TN_STR("false")));
    TN_TRY(config_set(
        b, TN_STR("autoload_known_extensions"), bundled ? TN_STR("true") : TN_STR("false")));
    if (bundled) {
        TN_TRY(config_set(b, TN_STR("extension_directory"), dir));
    }
    if (o->read_only) {
        TN_TRY(config_set(b, TN_STR("access_mode"), TN_STR("READ_ONLY")));
    }
    if (o->threads > 0) {
        TN_TRY(config_set(b, TN_STR("threads"), tn_str_printf(b->arena, "%d", o->threads)));
    }
    if (o->memory_limit.n > 0) {
        TN_TRY(config_set(b, TN_STR("memory_limit"), o->memory_limit));
    }
    if (o->temp_directory.n > 0) {
        TN_TRY(config_set(b, TN_STR("temp_directory"), o->temp_directory));
    }
    if (o->config.tag != TN_DICT) {
        return TN_OK;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(o->config.dict, &at)) != NULL) {
        TN_TRY(config_set(b, tn_val_to_str(b->arena, it->key), config_text(b->arena, it->value)));
    }
    return TN_OK;
}

/* ---- databases ---- */

tn_rc tn_duck_open(const tn_duck_opts *opts, tn_duck **ret, tn_err *err)
{
    static const tn_duck_opts none;
    opts = opts ? opts : &none;
    TN_AUTO_ARENA scratch = tn_arena_new("duck open", NULL);
    TN_AUTO(duckdb_config) config = NULL;
    if (duckdb_create_config(&config) != DuckDBSuccess) {
        return tn_fail(err, TN_E_BUG, "DuckDB makes no configuration");
    }
    config_builder b = { .config = config, .arena = scratch, .err = err };
    TN_TRY(config_fill(&b, opts));
    char *path = NULL;
    if (opts->path.n > 0) {
        TN_TRY(duck_sql_z(scratch, opts->path, &path, err));
    }
    duckdb_database db = NULL;
    char *why = NULL;
    if (duckdb_open_ext(path, &db, config, &why) != DuckDBSuccess) {
        tn_rc rc = duck_fail(err, DUCKDB_ERROR_INVALID, why);
        duckdb_free(why);
        return tn_while(err, rc, "opening the database '%s'", path ? path : ":memory:");
    }
    tn_arena *a = tn_arena_new("duck", NULL);
    tn_duck *d = tn_new(a, tn_duck);
    d->arena = a;
    d->db = db;
    d->lock = (tn_mutex)TN_MUTEX_INIT;
    d->renew_lock = (tn_mutex)TN_MUTEX_INIT;
    d->functions = tn_map_init(a);
    *ret = d;
    return TN_OK;
}

void tn_duck_close(tn_duck *d)
{
    if (d != NULL) {
        duckdb_close(&d->db);
        duck_renewals_free(d);
        tn_arena_free(d->arena);
    }
}

/* ---- connections ---- */

tn_rc tn_duck_connect(tn_duck *d, tn_conn **ret, tn_err *err)
{
    duckdb_connection con = NULL;
    if (duckdb_connect(d->db, &con) != DuckDBSuccess) {
        return tn_fail(err, TN_E_SQL, "DuckDB opens no connection");
    }
    tn_arena *a = tn_arena_new("duck connection", NULL);
    tn_conn *c = tn_new(a, tn_conn);
    c->arena = a;
    c->duck = d;
    c->con = con;
    *ret = c;
    return TN_OK;
}

void tn_conn_close(tn_conn *c)
{
    if (c != NULL) {
        if (c->helper != NULL) {
            duckdb_disconnect(&c->helper);
        }
        duckdb_disconnect(&c->con);
        tn_arena_free(c->arena);
    }
}

void tn_conn_interrupt(tn_conn *c)
{
    duckdb_interrupt(c->con);
}

tn_rc tn_conn_progress_on(tn_conn *c, tn_err *err)
{
    /* progress_bar_time is how long DuckDB waits, in ms, before it counts at all. */
    return tn_conn_exec(c,
        TN_STR("SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET "
               "progress_bar_time = 0"),
        err);
}

double tn_conn_progress(tn_conn *c)
{
    double percent = duckdb_query_progress(c->con).percentage;
    return percent >= 0 && percent <= 100 ? percent : -1;
}

tn_rc tn_conn_set(tn_conn *c, const char *name, tn_val value, bool global, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck set", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, global ? "SET GLOBAL " : "SET ");
    tn_sql_ident(&b, tn_str_of(name));
    tn_buf_addz(&b, " = ");
    tn_sql_value(&b, value);
    return tn_conn_exec(c, tn_buf_str(&b), err);
}

static void duckdb_config_option_cleanup(duckdb_config_option *o)
{
    duckdb_destroy_config_option(o);
}

tn_rc tn_conn_set_ahead(tn_conn *c, const char *name, tn_str value, tn_err *err)
{
    TN_AUTO(duckdb_config_option) option = duckdb_create_config_option();
    TN_AUTO(duckdb_logical_type) text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    TN_AUTO(duckdb_value) none = duckdb_create_varchar("");
    duckdb_config_option_set_name(option, name);
    duckdb_config_option_set_type(option, text);
    duckdb_config_option_set_default_value(option, none);
    duckdb_config_option_set_default_scope(option, DUCKDB_CONFIG_OPTION_SCOPE_GLOBAL);
    duckdb_config_option_set_description(option, "(set before its extension was loaded)");
    /* Refused when the setting is there, which is as good. */
    (void)duckdb_register_config_option(c->con, option);
    return tn_conn_set(c, name, tn_val_str(value), true, err);
}

tn_rc tn_conn_set_threads(tn_conn *c, int threads, tn_err *err)
{
    return tn_conn_set(c, "threads", tn_val_int(threads), true, err);
}
