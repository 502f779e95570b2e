/* cli_sql.h: private to `tarn sql`: one open session and how its results are shown; used by cmd_sql.c (scripts) and cli_shell.c (people). */
#ifndef TN_CLI_CLI_SQL_H
#define TN_CLI_CLI_SQL_H

#include "cli/cli_lake.h"
#include "cli/cli_rows.h"

typedef struct tn_sql_session {
    const tn_cli *cli;
    tn_conn *conn;
    tn_lake_sql *sql;
    tn_rows_style style;
    tn_cli_place place;
    FILE *out;
    tn_str out_path; /* -o; empty: standard output */
    tn_str out_temp; /* written here until it is whole */
    int64_t results; /* that gave rows */
    bool timer;      /* tell how long a statement took */
} tn_sql_session;

/* Where a script comes from, for the places of errors. */
typedef struct tn_sql_script {
    tn_str text;
    tn_str file; /* empty: the command line or standard input */
} tn_sql_script;

/* Each statement in turn, to the first failure. */
tn_rc tn_sql_run_script(tn_sql_session *s, const tn_sql_script *script, tn_err *err) TN_MUSTUSE;
tn_rc tn_sql_read_file(const tn_cli *cli, tn_str path, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Reads statements from the terminal until .quit or the end. Returns the exit status. */
int tn_sql_shell(tn_sql_session *s);

#endif
