/* cli.h: what every command of the program shares: global options, an option table, error printing, exit codes.
 *
 * A command is `int tn_cmd_NAME(const tn_cli *cli, int argc, char **argv)`: argv[0] is the command's name, global options have
 * been taken out of argv by main and stand in *cli. It returns the exit status: 0 ok, 1 a node or row failed, 2 usage or
 * environment. To add one: write cmd_NAME.c with the function and one line in cmd_table.def (name, function, group, summary).
 *
 * Ownership: everything made here lives in cli->arena, which dies with the process. Only this layer and serve print.
 */
#ifndef TN_CLI_CLI_H
#define TN_CLI_CLI_H

#include "base/err.h"
#include "base/val.h"
#include "base/vec.h"

#define TN_VERSION "0.1.0"
#define TN_DBT_VERSION "1.12.6" /* the dbt-core whose behaviour, lines and artifacts we give */
#define TN_DBT_DUCKDB_VERSION "1.11.1" /* and the dbt-duckdb */

enum { TN_EXIT_OK = 0, TN_EXIT_FAILED = 1, TN_EXIT_USAGE = 2 };

/* A flag that knows whether it was given: zero is "not given", so that project settings can decide. */
typedef signed char tn_flag;
enum { TN_FLAG_UNSET = 0, TN_FLAG_ON = 1, TN_FLAG_OFF = -1 };

static inline bool tn_flag_is(tn_flag f, bool dflt)
{
    return f == TN_FLAG_UNSET ? dflt : f == TN_FLAG_ON;
}

typedef struct tn_cli {
    tn_arena *arena;
    const char *program; /* "tarn", or "dbt" when invoked under that name */
    bool as_dbt;
    bool color;     /* of stdout; NO_COLOR, --no-use-colors and non-terminals turn it off */
    bool color_err; /* of stderr */
    tn_flag use_colors;
    tn_flag quiet;
    tn_flag debug;
    tn_str log_format; /* "text" (also default, debug) or "json"; empty: not given */
    tn_str log_level;  /* debug info warn error none; empty: not given */
    tn_str log_path;
    tn_str lake; /* --lake or TARN_LAKE; empty: the profile decides */
    tn_str ca_file;
    tn_str memory_limit;
    tn_str config_file;
    int64_t threads;                                                /* 0: the profile decides */
    tn_str project_dir, profiles_dir, profile, target, target_path; /* empty: dbt's defaults */
    struct tn_dbt_running *running; /* what main tells the log when a verb of dbt is over */
    tn_val invocation; /* dict of the global options that were given, by long name with '_' */
} tn_cli;

/* ---- the option table of a command ---- */
typedef enum tn_opt_kind {
    TN_OPT_FLAG, /* tn_flag: --x and --no-x */
    TN_OPT_STR,  /* tn_str: --x VALUE, --x=VALUE; the last wins */
    TN_OPT_INT,  /* int64_t */
    TN_OPT_MANY, /* tn_strs: repeatable, one value each */
    TN_OPT_WORDS, /* tn_strs: repeatable, takes every word up to the next option (dbt's --select a b c) */
    TN_OPT_SETTING_FLAG, /* no field: only in what was given */
    TN_OPT_SETTING_STR,
    TN_OPT_IGNORE_FLAG, /* accepted for dbt's sake, nothing stored */
    TN_OPT_IGNORE_STR,
} tn_opt_kind;

typedef struct tn_opt {
    const char *names; /* "--select -s -m --models"; the first is the documented one */
    tn_opt_kind kind;
    size_t offset;    /* of the field in the command's struct */
    const char *arg;  /* "SELECTOR..." in the help; NULL for flags */
    const char *help; /* NULL: not listed */
    const char *env;  /* "DBT_FULL_REFRESH", used when the option is absent; NULL: none */
} tn_opt;

typedef struct tn_cmd_spec {
    const char *name;    /* "build" */
    const char *summary; /* one line */
    const char *usage;   /* "[options]" or "TABLE FILE... [options]" */
    const tn_opt *opts;  /* count entries */
    size_t opt_count;
    const char *examples; /* lines "tarn build --select x   what it does", shown under --help */
    size_t words_min, words_max; /* positional words; max SIZE_MAX: any */
} tn_cmd_spec;

/* Fills *fields by the table. *ret_done = true when the command must end with *ret_status now: --help was printed, or the usage was
 * wrong and the error is printed. ret_given, when not NULL, becomes a dict of what was given (long name with '_' -> value). */
void tn_cli_parse(const tn_cli *cli, const tn_cmd_spec *spec, int argc, char **argv, void *fields,
    tn_strs *ret_words, tn_val *ret_given, bool *ret_done, int *ret_status);
void tn_cli_help(const tn_cli *cli, const tn_cmd_spec *spec);
/* The words of a text, parted by blanks: what a variable of the environment, or one quoted word, gives to TN_OPT_WORDS. */
void tn_cli_words(tn_arena *a, tn_str text, tn_strs *into);

/* ---- telling the user ---- */
/* Prints "error: message", the place with its source line and a caret, and the hint, to stderr (or one JSON line with --log-format json);
 * returns the exit status of the code. Secrets are scrubbed. */
int tn_cli_error(const tn_cli *cli, const tn_err *err);
/* Only the rest, on standard error: the place with its line and a caret, the hint; nothing with --log-format json. */
void tn_cli_error_details(const tn_cli *cli, const tn_err *err);
int tn_cli_usage_error(const tn_cli *cli, const char *command, const char *fmt, ...)
    TN_PRINTF(3, 4);
void tn_cli_warn(const tn_cli *cli, const char *fmt, ...) TN_PRINTF(2, 3);
/* A line for people on stderr; nothing with --quiet. */
void tn_cli_note(const tn_cli *cli, const char *fmt, ...) TN_PRINTF(2, 3);
bool tn_cli_json(const tn_cli *cli); /* --log-format json */

/* A line that is rewritten in place on a terminal's stderr; silent elsewhere, with --quiet and with --log-format json. */
typedef struct tn_progress {
    bool on;
    int64_t shown_us;
    size_t width;
    bool is_transfer; /* while one is shown, other lines wait */
} tn_progress;
tn_progress tn_progress_start(const tn_cli *cli);
void tn_progress_show(tn_progress *p, const char *fmt, ...)
    TN_PRINTF(2, 3); /* at most 10 times a second */
void tn_progress_end(tn_progress *p);
/* From now on long uploads and downloads are shown by such a line. */
void tn_cli_transfers(const tn_cli *cli);

/* ---- commands ---- */
typedef int (*tn_cmd_fn)(const tn_cli *cli, int argc, char **argv);
#define TN_CMD(name, fn, group, summary) int fn(const tn_cli *cli, int argc, char **argv);
#include "cli/cmd_table.def"
#undef TN_CMD

#endif
