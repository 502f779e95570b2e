/* cmd_sql.c: tarn sql: statements from the command line, a file, standard input or the shell; results in the wanted format. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli_sql.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/random.h"
#include "text/sqltext.h"
#include "text/timetext.h"
#include "text/uri.h"

enum { SCRIPT_BYTES_MAX = 256 << 20, ROWS_SHOWN = 1000, COPY_CHUNK = 1 << 20 };

typedef struct sql_options {
    tn_str format, out, file, at, env;
    int64_t rows;
    tn_flag header, publish;
} sql_options;

#define F(field) offsetof(sql_options, field)
static const tn_opt options[] = {
    { "--format", TN_OPT_STR, F(format), "FORMAT",
        "table (default), csv, json, ndjson, parquet or arrow", NULL },
    { "--out -o", TN_OPT_STR, F(out), "FILE",
        "write the result there; the format follows its ending", NULL },
    { "--file -f", TN_OPT_STR, F(file), "FILE", "a script of statements", NULL },
    { "--at", TN_OPT_STR, F(at), "COMMIT|TAG|TIME",
        "the lake as it was, all tables together: a lake commit, tag or time (UTC); of a table "
        "that is "
        "named by its place, its version or a time",
        NULL },
    { "--env", TN_OPT_STR, F(env), "NAME", "environment (default: the profile's, else prod)",
        "TARN_ENV" },
    { "--rows", TN_OPT_INT, F(rows), "N", "table: rows shown, 0 for all (default: 1000)", NULL },
    { "--header", TN_OPT_FLAG, F(header), NULL, "--no-header: csv without the line of names",
        NULL },
    { "--publish", TN_OPT_FLAG, F(publish), NULL,
        "--no-publish: write tables, but pin them nowhere", NULL },
};
#undef F

static const tn_cmd_spec spec = {
    .name = "sql",
    .summary = "query and change the tables of a lake with SQL",
    .usage = "[SQL | -f FILE] [options]",
    .opts = options,
    .opt_count = TN_COUNTOF(options),
    .examples = "tarn sql 'SELECT * FROM silver.prices LIMIT 5'\n"
                "tarn sql --format csv -o prices.csv 'FROM silver.prices'\n"
                "tarn sql 'SELECT count(*) FROM delta.\"/data/some/table\" VERSION AS OF 3'\n"
                "tarn sql \"CREATE OR REPLACE TABLE gold.t PARTITIONED BY (day) AS SELECT ...\"\n"
                "tarn sql \"INSERT INTO gold.t SELECT ...\"\n"
                "tarn sql -f report.sql                   a script; - is standard input\n"
                "tarn sql                                 the shell\n"
                "\nExit status: 0 ok, 1 a statement failed, 2 wrong usage or environment.",
    .words_max = 1,
};

/* ---- one statement ---- */

static tn_rc copy_to(FILE *out, tn_str path, tn_err *err)
{
    tn_fd in = { -1 };
    TN_TRY(tn_fd_open(path, &in, err));
    FILE *from = fdopen(in.fd, "rb");
    if (from == NULL) {
        tn_fd_close(&in);
        return tn_fail(err, TN_E_IO, "the result cannot be read back");
    }
    TN_AUTO_ARENA a = tn_arena_new("copy", NULL);
    char *chunk = tn_arena_alloc(a, COPY_CHUNK);
    bool ok = true;
    for (size_t n; ok && (n = fread(chunk, 1, COPY_CHUNK, from)) > 0;) {
        ok = fwrite(chunk, 1, n, out) == n;
    }
    ok = ferror(from) == 0 && fflush(out) == 0 && ok;
    (void)fclose(from);
    return ok ? TN_OK
              : tn_fail(err, TN_E_IO, "the result cannot be written: the output is full or closed");
}

/* DESCRIBE and the like give rows but stand in no COPY by themselves. */
static bool may_be_wrapped(tn_str sql)
{
    static const char *const words[] = { "describe", "desc", "show", "summarize" };
    sql = tn_sql_skip_blank(sql);
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        if (sql.n > strlen(words[i]) &&
            tn_str_eq_nocase(tn_str_sub(sql, 0, strlen(words[i])), tn_str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

static tn_rc write_parquet(
    tn_sql_session *s, tn_arena *a, tn_str statement, bool *ret_done, tn_err *err)
{
    tn_str sql, dir, path;
    bool query;
    TN_TRY(tn_lake_sql_prepare(s->sql, a, statement, &sql, &query, err));
    bool wrapped = !query && may_be_wrapped(sql);
    *ret_done = query || wrapped;
    if (!*ret_done) {
        return TN_OK;
    }
    if (s->out_path.n == 0 && tn_is_terminal(1)) {
        tn_rc rc = tn_fail(err, TN_E_USAGE, "parquet is not for a terminal");
        return tn_hint(err, rc, "use -o FILE or a pipe");
    }
    TN_TRY(tn_file_temp_dir(a, "tarn-sql", &dir, err));
    path = tn_str_concat(a, dir, TN_STR("/result.parquet"));
    tn_buf b = tn_buf_init(a, SCRIPT_BYTES_MAX);
    tn_buf_addz(&b, wrapped ? "COPY (FROM (" : "COPY (");
    tn_buf_add(&b, sql);
    tn_buf_addz(&b, wrapped ? "\n)) TO " : "\n) TO ");
    tn_sql_literal(&b, path);
    tn_buf_addz(&b, " (FORMAT parquet)");
    TN_TRY(tn_conn_exec(s->conn, tn_buf_str(&b), err));
    return copy_to(s->out, path, err);
}

static bool is_explain(const tn_rows *rows)
{
    return rows->result != NULL && tn_result_cols(rows->result) == 2 &&
           tn_str_is(tn_result_name(rows->result, 0), "explain_key");
}

static tn_rc print_plan(tn_rows *rows, FILE *out, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("plan", NULL);
    for (size_t n;;) {
        TN_TRY(tn_result_next(rows->result, &n, err));
        for (size_t i = 0; i < n; i++) {
            tn_str text;
            if (tn_result_text(rows->result, a, 1, i, &text)) {
                fprintf(out, TN_STR_FMT "\n", TN_STR_ARG(text));
            }
        }
        if (n == 0) {
            return TN_OK;
        }
    }
}

static inline void memory_cleanup(char **p)
{
    free(*p);
}

/* The table is made in memory, so that the progress line is gone before its first line is seen. */
static tn_rc print_table(
    tn_sql_session *s, tn_rows *rows, tn_cli_watch **watch, int64_t began, tn_err *err)
{
    __attribute__((cleanup(memory_cleanup))) char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    TN_CHECK(memory != NULL);
    tn_rows_style style = s->style;
    tn_rc rc = is_explain(rows) ? print_plan(rows, memory, err)
                                : tn_rows_print(rows, &style, memory, NULL, err);
    (void)fclose(memory);
    tn_cli_watch_stop(*watch);
    *watch = NULL;
    if (rc != TN_OK) {
        return rc;
    }
    bool ok = fwrite(text, 1, n, s->out) == n;
    if (s->timer) {
        (void)fprintf(s->out, "%.3f s\n", (double)(tn_clock_mono_us() - began) / 1e6);
    }
    return ok && fflush(s->out) == 0
               ? TN_OK
               : tn_fail(
                     err, TN_E_IO, "the result cannot be written: the output is full or closed");
}

static tn_rc print_rows(
    tn_sql_session *s, tn_lake_sql_result *res, tn_cli_watch **watch, int64_t began, tn_err *err)
{
    tn_rows rows = { .result = res->rows, .names = res->names, .list = res->list };
    if (s->style.format == TN_ROWS_TABLE) {
        return print_table(s, &rows, watch, began, err);
    }
    if (s->style.format != TN_ROWS_ARROW) {
        return tn_rows_print(&rows, &s->style, s->out, NULL, err);
    }
    if (res->is_list || (s->out_path.n == 0 && tn_is_terminal(1))) {
        return tn_fail(err, TN_E_USAGE,
            res->is_list ? "this statement has no Arrow form: use csv or json"
                         : "an Arrow stream is not for a terminal: use -o FILE");
    }
    int64_t n;
    return tn_result_arrow_ipc_out(res->rows, fileno(s->out), &n, err);
}

static tn_rc one_result_only(tn_sql_session *s, tn_err *err)
{
    bool single = s->style.format == TN_ROWS_PARQUET || s->style.format == TN_ROWS_ARROW;
    if (s->results++ > 0 && single) {
        return tn_fail(err, TN_E_USAGE, "a %s output holds one result, this script gives more",
            s->style.format == TN_ROWS_ARROW ? "arrow" : "parquet");
    }
    return TN_OK;
}

static tn_rc run_statement(tn_sql_session *s, tn_str statement, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("statement", NULL);
    TN_AUTOPTR(tn_cli_watch) watch = NULL;
    int64_t began = tn_clock_mono_us();
    bool to_terminal = s->out_path.n == 0 && tn_is_terminal(1);
    TN_TRY(tn_cli_watch_start(
        s->cli, s->conn, "sql", s->style.format == TN_ROWS_TABLE || !to_terminal, &watch, err));
    if (s->style.format == TN_ROWS_PARQUET) {
        bool done = false;
        TN_TRY(write_parquet(s, a, statement, &done, err));
        if (done) {
            return one_result_only(s, err);
        }
    }
    tn_lake_sql_result res = { 0 };
    TN_TRY(tn_lake_sql_run(s->sql, a, statement, true, &res, err));
    TN_AUTOPTR(tn_result) rows = res.rows;
    if (res.is_list || (rows != NULL && tn_result_is_rows(rows))) {
        TN_TRY(one_result_only(s, err));
        if (s->style.format == TN_ROWS_PARQUET) {
            return tn_fail(err, TN_E_USAGE, "this statement has no Parquet form: use csv or json");
        }
        TN_TRY(print_rows(s, &res, &watch, began, err));
    }
    tn_cli_watch_stop(TN_TAKE(watch));
    if (res.note.n > 0) {
        tn_cli_note(s->cli, TN_STR_FMT, TN_STR_ARG(res.note));
    } else if (rows != NULL && tn_result_changed(rows) > 0) {
        int64_t n = tn_result_changed(rows);
        tn_cli_note(s->cli, TN_STR_FMT " row%s", TN_STR_ARG(tn_cli_count(a, n)), n == 1 ? "" : "s");
    }
    return TN_OK;
}

/* ---- scripts ---- */

static int lines_between(const char *from, const char *to)
{
    int n = 0;
    for (; from < to; from++) {
        n += *from == '\n';
    }
    return n;
}

/* DuckDB says "LINE n:" of the statement; the user's place is that line of the script. */
static void place_error(
    const tn_sql_script *script, tn_str statement, size_t number, size_t count, tn_err *err)
{
    int line = 1 + lines_between(script->text.p, statement.p);
    tn_str msg = tn_str_of(err->msg);
    size_t at = tn_str_find(msg, TN_STR("LINE "), 0);
    int inside = 0;
    for (size_t i = at == SIZE_MAX ? msg.n : at + 5;
        i < msg.n && msg.p[i] >= '0' && msg.p[i] <= '9'; i++) {
        inside = inside < 10000000 ? inside * 10 + (msg.p[i] - '0') : inside;
    }
    if (inside > 0) { /* counted from where the piece starts */
        line = lines_between(script->text.p, statement.p) + inside;
    }
    if (script->file.n > 0) {
        TN_AUTO_ARENA a = tn_arena_new("place", NULL);
        tn_err_place(err, tn_str_z(a, script->file), line, 0);
    } else if (count > 1) {
        (void)tn_while(err, err->rc, "statement %zu, line %d", number, line);
    }
}

tn_rc tn_sql_run_script(tn_sql_session *s, const tn_sql_script *script, tn_err *err)
{
    tn_strs list = { 0 };
    TN_AUTO_ARENA a = tn_arena_new("script", NULL);
    tn_rc rc = tn_lake_sql_split(a, script->text, &list, err);
    if (rc != TN_OK) {
        if (script->file.n > 0 && err != NULL) {
            tn_err_place(err, tn_str_z(a, script->file), 0, 0);
        }
        return rc;
    }
    for (size_t i = 0; i < list.n; i++) {
        rc = run_statement(s, list.v[i], err);
        if (rc != TN_OK) {
            place_error(script, list.v[i], i + 1, list.n, err);
            return rc;
        }
    }
    return TN_OK;
}

static tn_rc read_stdin(const tn_cli *cli, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(cli->arena, SCRIPT_BYTES_MAX);
    for (;;) {
        char *room = tn_buf_reserve(&b, 65536);
        size_t n = room != NULL ? fread(room, 1, 65536, stdin) : 0;
        b.n += n;
        if (n == 0) {
            return tn_buf_finish(&b, "the script", ret, err);
        }
    }
}

tn_rc tn_sql_read_file(const tn_cli *cli, tn_str path, tn_str *ret, tn_err *err)
{
    return tn_str_is(path, "-") ? read_stdin(cli, ret, err)
                                : tn_file_read(cli->arena, path, SCRIPT_BYTES_MAX, ret, err);
}

/* ---- the session ---- */

/* places_only: there is no lake whose commits could be meant; a number is a version of the table that is named. */
static tn_rc parse_at(tn_str at, tn_lake_sql_opts *o, tn_err *err)
{
    int64_t number;
    int64_t micros;
    bool zone;
    int offset;
    bool is_number = tn_str_to_i64(at, &number) && number >= 0;
    if (tn_parse_timestamp(at, &micros, &zone, &offset)) {
        o->at_ms = micros / 1000;
    } else if (o->places_only && is_number) {
        o->at_version = number;
    } else if (o->places_only && at.n > 0) {
        tn_rc rc = tn_fail(
            err, TN_E_USAGE, "--at is a version or a time, not '" TN_STR_FMT "'", TN_STR_ARG(at));
        return tn_hint(err, rc,
            "for example --at 3, --at '2024-01-31 12:00:00' (UTC); lake commits and tags need a "
            "lake "
            "(--lake)");
    }
    o->at = o->places_only ? TN_STR_NONE : at;
    return TN_OK;
}

/* The project's own database, under the name that its SQL uses. */
static tn_rc attach_database(tn_sql_session *s, tn_err *err)
{
    tn_str path = s->place.database;
    if (path.n == 0) {
        return TN_OK;
    }
    if (!tn_file_exists(path)) {
        tn_cli_warn(s->cli,
            "the project's database '" TN_STR_FMT "' is not there yet: 'tarn build' makes it",
            TN_STR_ARG(path));
        return TN_OK;
    }
    tn_str name = tn_path_stem(tn_path_base(path));
    if (tn_str_ends(name, TN_STR(".read"))) {
        name = tn_path_stem(name);
    }
    tn_buf b = tn_buf_init(s->cli->arena, SCRIPT_BYTES_MAX);
    tn_buf_addz(&b, "ATTACH ");
    tn_sql_literal(&b, path);
    tn_buf_addz(&b, " AS ");
    tn_sql_ident(&b, name);
    tn_buf_addz(&b, " (READ_ONLY); USE ");
    tn_sql_ident(&b, name);
    TN_TRY(tn_conn_exec(s->conn, tn_buf_str(&b), err));
    if (s->place.schema.n > 0) { /* names without a schema mean the profile's, when it is there */
        tn_buf use = tn_buf_init(s->cli->arena, SCRIPT_BYTES_MAX);
        tn_buf_addz(&use, "USE ");
        tn_sql_ident(&use, name);
        tn_buf_addc(&use, '.');
        tn_sql_ident(&use, s->place.schema);
        (void)!tn_conn_exec(s->conn, tn_buf_str(&use), NULL);
    }
    return TN_OK;
}

static tn_rc open_out(tn_sql_session *s, tn_err *err)
{
    s->out = stdout;
    if (s->out_path.n == 0) {
        return TN_OK;
    }
    if (tn_uri_is_remote(s->out_path)) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "-o writes local files only, not '" TN_STR_FMT "'", TN_STR_ARG(s->out_path));
        return tn_hint(err, rc, "use COPY (..) TO 's3://..'");
    }
    s->out_temp = tn_str_printf(s->cli->arena, TN_STR_FMT ".tmp-%016llx", TN_STR_ARG(s->out_path),
        (unsigned long long)tn_random_u64());
    s->out = fopen(tn_str_z(s->cli->arena, s->out_temp), "wb");
    return s->out != NULL
               ? TN_OK
               : tn_fail(err, TN_E_IO, "'" TN_STR_FMT "' cannot be made", TN_STR_ARG(s->out_path));
}

static tn_rc close_out(tn_sql_session *s, tn_rc rc, tn_err *err)
{
    if (s->out_temp.n == 0 || s->out == NULL) {
        return rc;
    }
    bool ok = fclose(s->out) == 0;
    if (rc == TN_OK && !ok) {
        rc = tn_fail(err, TN_E_IO, "'" TN_STR_FMT "' cannot be written", TN_STR_ARG(s->out_path));
    }
    if (rc == TN_OK) {
        rc = tn_file_rename(s->out_temp, s->out_path, err);
    }
    if (rc != TN_OK) {
        (void)!tn_file_remove(s->out_temp, NULL);
    }
    return rc;
}

static tn_rc take_style(const tn_cli *cli, const sql_options *o, tn_sql_session *s, tn_err *err)
{
    bool terminal = o->out.n == 0 && tn_is_terminal(1);
    s->style = (tn_rows_style){ .rows_max = o->rows,
        .header = tn_flag_is(o->header, true),
        .width = terminal ? tn_terminal_width(1) : 0,
        .color = cli->color && o->out.n == 0 };
    tn_str ext = tn_path_ext(o->out);
    tn_str word = o->format.n > 0                           ? o->format
                  : tn_str_eq_nocase(ext, TN_STR("arrows")) ? TN_STR("arrow")
                                                            : ext;
    if (!tn_rows_format_of(word, &s->style.format) && o->format.n > 0) {
        return tn_fail(err, TN_E_USAGE,
            "--format is table, csv, json, ndjson, parquet or arrow, not '" TN_STR_FMT "'",
            TN_STR_ARG(o->format));
    }
    return TN_OK;
}

static tn_rc run_words(tn_sql_session *s, const sql_options *o, const tn_strs *words, bool shell,
    int *ret_status, tn_err *err)
{
    if (shell) {
        *ret_status = tn_sql_shell(s);
        return TN_OK;
    }
    tn_sql_script script = { 0 };
    if (words->n > 0 && !tn_str_is(words->v[0], "-")) {
        script.text = words->v[0];
    } else {
        tn_str path = words->n > 0 || o->file.n == 0 ? TN_STR("-") : o->file;
        TN_TRY(tn_sql_read_file(s->cli, path, &script.text, err));
        script.file = tn_str_is(path, "-") ? TN_STR_NONE : path;
    }
    TN_TRY(open_out(s, err));
    tn_rc rc = tn_sql_run_script(s, &script, err);
    return close_out(s, rc, err);
}

static tn_rc run(
    const tn_cli *cli, const sql_options *o, const tn_strs *words, int *ret_status, tn_err *err)
{
    tn_sql_session s = { .cli = cli, .out = stdout, .out_path = o->out };
    tn_lake_sql_opts lo = TN_LAKE_SQL_OPTS_INIT;
    bool shell = words->n == 0 && o->file.n == 0 && tn_is_terminal(0);
    TN_TRY(take_style(cli, o, &s, err));
    TN_TRY(tn_cli_find_place(cli, o->env, &s.place, err));
    lo.env = s.place.env;
    lo.places_only = s.place.lake.n == 0;
    TN_TRY(parse_at(o->at, &lo, err));
    lo.no_publish = !tn_flag_is(o->publish, true);
    lo.follow = shell;
    TN_AUTOPTR(tn_lake) lake = NULL;
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_AUTOPTR(tn_lake_sql) sql = NULL;
    TN_TRY(tn_cli_open_lake(cli, lo.places_only ? TN_STR(".") : s.place.lake, s.place.storage,
        !lo.places_only, &lake, err));
    TN_TRY(tn_cli_open_duck(cli, &duck, &conn, err));
    TN_TRY(tn_lake_connect(lake, conn, err));
    TN_TRY(tn_lake_sql_open(lake, conn, &lo, &sql, err));
    s.conn = conn;
    s.sql = sql;
    TN_TRY(attach_database(&s, err));
    return run_words(&s, o, words, shell, ret_status, err);
}

int tn_cmd_sql(const tn_cli *cli, int argc, char **argv)
{
    sql_options o = { .rows = ROWS_SHOWN };
    tn_strs words = { 0 };
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, NULL, &done, &status);
    if (done) {
        return status;
    }
    if (words.n > 0 && o.file.n > 0) {
        return tn_cli_usage_error(cli, spec.name, "give SQL or -f FILE, not both");
    }
    tn_err err = TN_ERR_INIT;
    status = TN_EXIT_OK;
    return run(cli, &o, &words, &status, &err) == TN_OK ? status : tn_cli_error(cli, &err);
}
