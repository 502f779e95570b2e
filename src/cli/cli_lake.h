/* cli_lake.h: what the commands over a lake share: which lake, which environment, a DuckDB session, one line of people's numbers. */
#ifndef TN_CLI_CLI_LAKE_H
#define TN_CLI_CLI_LAKE_H

#include "cli/cli.h"
#include "lake/lake.h"
#include "lake/lake_remote.h"
#include "lake/lake_sql.h"

typedef struct tn_cli_place {
    tn_str lake;     /* path or URL; empty: none is known */
    tn_str env;      /* never empty */
    tn_str database; /* inside a project of type duckdb: its file or read copy; empty: none */
    tn_str schema;   /* of that profile */
    tn_val storage;  /* the profile's storage options for a bucket, or undefined */
} tn_cli_place;

/* The lake: --lake or TARN_LAKE, else the profile of the project here (type tarn). The environment: env when given (--env, TARN_ENV), else the
 * profile's, else "prod". */
tn_rc tn_cli_find_place(const tn_cli *cli, tn_str env, tn_cli_place *ret, tn_err *err) TN_MUSTUSE;
/* Fails with a hint when no lake is known. */
tn_rc tn_cli_need_lake(const tn_cli_place *p, tn_err *err) TN_MUSTUSE;
/* create: make the root when it is absent. */
tn_rc tn_cli_open_lake(const tn_cli *cli, tn_str url, tn_val storage, bool create, tn_lake **ret,
    tn_err *err) TN_MUSTUSE;
/* An in-memory session with --threads, --memory-limit and --ca-file; times are shown in UTC. */
tn_rc tn_cli_open_duck(
    const tn_cli *cli, tn_duck **ret_duck, tn_conn **ret_conn, tn_err *err) TN_MUSTUSE;

tn_str tn_cli_count(tn_arena *a, int64_t n);    /* 46,294 */
tn_str tn_cli_bytes(tn_arena *a, int64_t n);    /* 1.2 MB */
tn_str tn_cli_instant(tn_arena *a, int64_t ms); /* 2024-01-31 12:00:00, UTC */
/* Prints a value as indented JSON with a line feed on stdout. */
void tn_cli_print_json(const tn_cli *cli, tn_val v);
/* --output text|json; usage error printed and false otherwise. */
bool tn_cli_output_json(const tn_cli *cli, const char *command, tn_str output, bool *ret_json);

/* A thread that watches a connection: shows its progress on a terminal and passes Ctrl-C on to it. */
typedef struct tn_cli_watch tn_cli_watch;
/* show: false only passes Ctrl-C on. */
tn_rc tn_cli_watch_start(const tn_cli *cli, tn_conn *conn, const char *title, bool show,
    tn_cli_watch **ret, tn_err *err) TN_MUSTUSE;
void tn_cli_watch_stage(tn_cli_watch *w, const char *stage); /* a literal */
void tn_cli_watch_stop(tn_cli_watch *w); /* NULL is fine; ends the thread and clears the line */
TN_DEFINE_AUTOPTR(tn_cli_watch, tn_cli_watch_stop)

#endif
