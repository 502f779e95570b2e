/* cli_shell.c: the interactive part of `tarn sql`.
 *
 * Statements end with ';' and may span lines; lines that begin with '.' are the shell's own commands. Line editing and history come from libedit when
 * the machine has it (found at run time: nothing is linked), else lines are read as they are.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli_sql.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/sqltext.h"

enum { LINE_BYTES_MAX = 16 << 20 };

typedef struct editor {
    char *(*readline)(const char *prompt);
    int (*add_history)(const char *line);
    int (*read_history)(const char *path);
    int (*write_history)(const char *path);
    char *path; /* of the history; NULL: none */
} editor;

/* A pointer to a function out of one to data, as POSIX promises for dlsym. */
static bool find_function(void *library, const char *name, void *ret, size_t n)
{
    void *p = dlsym(library, name);
    memcpy(ret, &p, n);
    return p != NULL;
}

static editor open_editor(tn_arena *a)
{
    editor e = { 0 };
    void *library = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
    bool whole = library != NULL &&
                 find_function(library, "readline", &e.readline, sizeof e.readline) &&
                 find_function(library, "add_history", &e.add_history, sizeof e.add_history) &&
                 find_function(library, "read_history", &e.read_history, sizeof e.read_history) &&
                 find_function(library, "write_history", &e.write_history, sizeof e.write_history);
    if (!whole) {
        return (editor){ 0 };
    }
    tn_str home = tn_env_get("HOME"), state = tn_env_get("XDG_STATE_HOME");
    tn_str folder = state.n > 0 ? tn_str_concat(a, state, TN_STR("/tarn"))
                                : tn_str_concat(a, home, TN_STR("/.local/state/tarn"));
    if (home.n + state.n > 0 && tn_dir_make(folder, NULL) == TN_OK) {
        e.path = tn_str_z(a, tn_str_concat(a, folder, TN_STR("/history")));
        (void)e.read_history(e.path);
    }
    return e;
}

/* One line without its line feed, malloc'ed; NULL at the end. */
static char *read_line(const editor *e, const char *prompt)
{
    if (e->readline != NULL) {
        return e->readline(prompt);
    }
    char *line = NULL;
    size_t room = 0;
    printf("%s", prompt);
    fflush(stdout);
    ssize_t n = getline(&line, &room, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\n') {
        line[n - 1] = '\0';
    }
    return line;
}

static void remember(const editor *e, tn_arena *a, tn_str text)
{
    tn_str line = tn_str_replace(a, tn_str_trim(text), TN_STR("\n"), TN_STR(" "));
    if (e->add_history != NULL && line.n > 0) {
        (void)e->add_history(tn_str_z(a, line));
        if (e->path != NULL) {
            (void)e->write_history(e->path);
        }
    }
}

/* ---- the shell's own commands ---- */

static const char help[] =
    ".tables [PATTERN]   tables of the lake or the database   .schema NAME   columns of a table\n"
    ".mode FORMAT        table, csv, json or ndjson           .rows N        rows shown, 0 for "
    "all\n"
    ".timer on|off       tell how long a statement takes      .read FILE     run a script\n"
    ".help               this text                            .quit          leave (also Ctrl-D)\n"
    "Everything else is SQL and ends with ';'.\n";

static tn_rc run_text(tn_sql_session *s, tn_str text, tn_err *err)
{
    tn_sql_script script = { .text = text };
    return tn_sql_run_script(s, &script, err);
}

static tn_rc list_tables(tn_sql_session *s, tn_arena *a, tn_str pattern, tn_err *err)
{
    tn_buf b = tn_buf_init(a, LINE_BYTES_MAX);
    tn_buf_addz(&b, "SELECT table_schema AS \"schema\", table_name AS name FROM "
                    "information_schema.tables WHERE table_schema || '.' || table_name LIKE ");
    tn_sql_literal(&b,
        pattern.n > 0 ? tn_str_printf(a, "%%" TN_STR_FMT "%%", TN_STR_ARG(pattern)) : TN_STR("%"));
    tn_buf_addz(&b, " ORDER BY ALL");
    return run_text(s, tn_buf_str(&b), err);
}

static tn_rc set_mode(tn_sql_session *s, tn_str word, tn_err *err)
{
    tn_rows_format f;
    if (!tn_rows_format_of(word, &f) || f == TN_ROWS_PARQUET || f == TN_ROWS_ARROW) {
        return tn_fail(err, TN_E_USAGE, ".mode is table, csv, json or ndjson");
    }
    s->style.format = f;
    return TN_OK;
}

static tn_rc read_script(tn_sql_session *s, tn_str path, tn_err *err)
{
    tn_sql_script script = { .file = path };
    TN_TRY(tn_sql_read_file(s->cli, path, &script.text, err));
    return tn_sql_run_script(s, &script, err);
}

static tn_rc run_dot(tn_sql_session *s, tn_arena *a, tn_str line, bool *ret_quit, tn_err *err)
{
    tn_str word, rest;
    (void)tn_str_cut(tn_str_trim(line), ' ', &word, &rest);
    rest = tn_str_trim(rest);
    int64_t n;
    if (tn_str_is(word, ".quit") || tn_str_is(word, ".exit") || tn_str_is(word, ".q")) {
        *ret_quit = true;
        return TN_OK;
    }
    if (tn_str_is(word, ".help")) {
        printf("%s", help);
        return TN_OK;
    }
    if (tn_str_is(word, ".tables")) {
        return list_tables(s, a, rest, err);
    }
    if (tn_str_is(word, ".schema") && rest.n > 0) {
        return run_text(s, tn_str_concat(a, TN_STR("DESCRIBE "), rest), err);
    }
    if (tn_str_is(word, ".mode")) {
        return set_mode(s, rest, err);
    }
    if (tn_str_is(word, ".rows") && tn_str_to_i64(rest, &n) && n >= 0) {
        s->style.rows_max = n;
        return TN_OK;
    }
    if (tn_str_is(word, ".timer")) {
        s->timer = tn_str_is(rest, "on");
        return TN_OK;
    }
    if (tn_str_is(word, ".read") && rest.n > 0) {
        return read_script(s, rest, err);
    }
    tn_rc rc = tn_fail(err, TN_E_USAGE, "'" TN_STR_FMT "' is no command of the shell",
        TN_STR_ARG(tn_str_trim(line)));
    return tn_hint(err, rc, ".help lists them");
}

/* ---- the loop ---- */

static bool is_complete(tn_arena *a, tn_str text)
{
    tn_strs list;
    tn_str end = tn_str_trim(text);
    return end.n > 0 && end.p[end.n - 1] == ';' && tn_lake_sql_split(a, text, &list, NULL) == TN_OK;
}

/* Lines up to a ';' or a command; false at the end of the input. */
static bool read_statement(const editor *e, tn_arena *a, tn_str *ret)
{
    tn_buf b = tn_buf_init(a, LINE_BYTES_MAX);
    do {
        char *line = read_line(e, b.n == 0 ? "tarn> " : " ...> ");
        if (line == NULL) {
            return false;
        }
        tn_buf_addz(&b, line);
        tn_buf_addc(&b, '\n');
        free(line);
        tn_str so_far = tn_str_trim(tn_buf_str(&b));
        if (so_far.n == 0) {
            tn_buf_reset(&b);
        } else if (so_far.p[0] == '.') {
            break;
        }
    } while (b.n == 0 || !is_complete(a, tn_buf_str(&b)));
    *ret = tn_buf_str(&b);
    return true;
}

int tn_sql_shell(tn_sql_session *s)
{
    TN_AUTO_ARENA a = tn_arena_new("shell", NULL);
    editor e = open_editor(a);
    if (s->place.lake.n > 0) {
        printf("tarn %s, lake " TN_STR_FMT ", environment " TN_STR_FMT ". .help for help\n",
            TN_VERSION, TN_STR_ARG(s->place.lake), TN_STR_ARG(s->place.env));
    } else {
        printf("tarn %s, %s" TN_STR_FMT ". .help for help\n", TN_VERSION,
            s->place.database.n > 0 ? "database " : "no lake", TN_STR_ARG(s->place.database));
    }
    s->timer = true;
    for (bool quit = false; !quit;) {
        TN_AUTO_ARENA turn = tn_arena_new("turn", NULL);
        tn_str text = TN_STR_NONE;
        if (!read_statement(&e, turn, &text)) {
            printf("\n");
            break;
        }
        remember(&e, turn, text);
        tn_err err = TN_ERR_INIT;
        tn_rc rc = tn_str_trim(text).p[0] == '.' ? run_dot(s, turn, text, &quit, &err)
                                                 : run_text(s, text, &err);
        if (rc != TN_OK) {
            (void)tn_cli_error(s->cli, &err);
        }
        tn_interrupt_clear();
    }
    return TN_EXIT_OK;
}
