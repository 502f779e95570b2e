/* dbt_options.h: the options that dbt's verbs share, and what each of them does with them first: load the project, open the log. */
#ifndef TN_CLI_DBT_OPTIONS_H
#define TN_CLI_DBT_OPTIONS_H

#include "cli/cli.h"
#include "project/project.h"
#include "project/selector.h"
#include "run/events.h"
#include "run/run.h"

/* Of the process: filled once a verb has a log. */
typedef struct tn_dbt_running {
    tn_events *events; /* NULL: none yet */
    int64_t started_us;
} tn_dbt_running;
/* CommandCompleted, the last event of a verb. sub: the second word, shown of "docs" and "source". */
void tn_dbt_completed(const tn_cli *cli, const char *command, const char *sub, int status);

typedef struct tn_dbt_options {
    tn_strs select, models, exclude, resource_types, exclude_resource_types;
    tn_str selector, indirect, vars, state, defer_state, on_busy;
    tn_flag project_files_only, show, inject_ctes, static_site, empty_catalog,
        browser; /* of single commands */
    tn_flag defer, favor_state, compile, full_refresh, fail_fast, store_failures, empty, write_json,
        print, introspect, partial_parse, warn_error, version_check;
    tn_str warn_error_options, event_time_start, event_time_end, sample;
    /* compile, show */
    tn_str inline_sql, inline_direct, output;
    int64_t limit;
    tn_flag plan; /* build and the like */
    /* ls */
    tn_strs output_keys;
    /* run-operation */
    tn_str args, sql;
    /* docs serve */
    tn_str host;
    int64_t port;
} tn_dbt_options;

/* Option table entries; a command's table is a list of them. */
#define TN_DBT_AT(field) offsetof(tn_dbt_options, field)
#define TN_DBT_SELECTION                                                                           \
    { "--select -s", TN_OPT_WORDS, TN_DBT_AT(select), "SPEC...",                                   \
        "nodes: names, paths, tag:x, +up, down+, a,b", "DBT_SELECT" },                             \
        { "--models -m --model", TN_OPT_WORDS, TN_DBT_AT(models), "SPEC...", NULL, NULL },         \
        { "--exclude", TN_OPT_WORDS, TN_DBT_AT(exclude), "SPEC...", "nodes to leave out", NULL },  \
        { "--selector", TN_OPT_STR, TN_DBT_AT(selector), "NAME", "an entry of selectors.yml",      \
            NULL },                                                                                \
        { "--resource-type --resource-types", TN_OPT_WORDS, TN_DBT_AT(resource_types), "TYPE...",  \
            "only these kinds of nodes", "DBT_RESOURCE_TYPES" },                                   \
        { "--exclude-resource-type --exclude-resource-types", TN_OPT_WORDS,                        \
            TN_DBT_AT(exclude_resource_types), "TYPE...", "not these kinds of nodes",              \
            "DBT_EXCLUDE_RESOURCE_TYPES" }

/* Known to every command, as in dbt; without a help text: accepted, listed in the manual. Those of the kind SETTING are seen in `flags` only. */
#define TN_DBT_COMMON                                                                              \
    { "--vars", TN_OPT_STR, TN_DBT_AT(vars), "YAML", "variables: '{day: 2024-01-31}'",             \
        "DBT_VARS" },                                                                              \
        { "--state", TN_OPT_STR, TN_DBT_AT(state), "DIR",                                          \
            "artifacts that state:, result: and source_status: compare with", "DBT_STATE" },       \
        { "--defer", TN_OPT_FLAG, TN_DBT_AT(defer), NULL,                                          \
            "read what is not built here where --state has it", "DBT_DEFER" },                     \
        { "--favor-state", TN_OPT_FLAG, TN_DBT_AT(favor_state), NULL,                              \
            "with --defer: whatever is not selected", "DBT_FAVOR_STATE" },                         \
        { "--defer-state", TN_OPT_STR, TN_DBT_AT(defer_state), "DIR",                              \
            "another state for --defer than --state", "DBT_DEFER_STATE" },                         \
        { "--indirect-selection", TN_OPT_STR, TN_DBT_AT(indirect), "MODE",                         \
            "tests: eager, cautious, buildable or empty", "DBT_INDIRECT_SELECTION" },              \
        { "--fail-fast -x", TN_OPT_FLAG, TN_DBT_AT(fail_fast), NULL, "stop at the first failure",  \
            "DBT_FAIL_FAST" },                                                                     \
        { "--warn-error", TN_OPT_FLAG, TN_DBT_AT(warn_error), NULL, "warnings are errors",         \
            "DBT_WARN_ERROR" },                                                                    \
        { "--warn-error-options", TN_OPT_STR, TN_DBT_AT(warn_error_options), "YAML",               \
            "which: '{error: all, warn: [Deprecations], silence: [LogTestResult]}'",               \
            "DBT_WARN_ERROR_OPTIONS" },                                                            \
        { "--write-json", TN_OPT_FLAG, TN_DBT_AT(write_json), NULL, NULL, "DBT_WRITE_JSON" },      \
        { "--print", TN_OPT_FLAG, TN_DBT_AT(print), NULL, NULL, "DBT_PRINT" },                     \
        { "--partial-parse", TN_OPT_FLAG, TN_DBT_AT(partial_parse), NULL, NULL,                    \
            "DBT_PARTIAL_PARSE" },                                                                 \
        { "--version-check", TN_OPT_FLAG, TN_DBT_AT(version_check), NULL, NULL,                    \
            "DBT_VERSION_CHECK" },                                                                 \
        { "--introspect", TN_OPT_FLAG, TN_DBT_AT(introspect), NULL, NULL, "DBT_INTROSPECT" },      \
        { "--show-all-deprecations", TN_OPT_SETTING_FLAG, 0, NULL,                                 \
            "every deprecated use, not one and a summary", NULL },                                 \
        { "--printer-width", TN_OPT_SETTING_STR, 0, "N", "of the lines of nodes (80)", NULL },     \
        { "--log-level-file", TN_OPT_SETTING_STR, 0, "LEVEL", "of dbt.log: also none", NULL },     \
        { "--log-format-file", TN_OPT_SETTING_STR, 0, "FORMAT", "text, json or debug", NULL },     \
        { "--log-file-max-bytes", TN_OPT_SETTING_STR, 0, "N", "of dbt.log (10485760)", NULL },     \
        { "--use-colors-file", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                         \
        { "--maximum-seed-size-mib", TN_OPT_SETTING_STR, 0, "N", NULL, NULL },                     \
        { "--single-threaded", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                         \
        { "--populate-cache", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                          \
        { "--cache-selected-only", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                     \
        { "--static-parser", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                           \
        { "--log-cache-events", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                        \
        { "--macro-debugging", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                         \
        { "--hints-enabled", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                           \
        { "--partial-parse-file-path", TN_OPT_SETTING_STR, 0, "FILE", NULL, NULL },                \
        { "--partial-parse-file-diff", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                 \
        { "--use-experimental-parser", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                 \
        { "--use-v2-parser", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                           \
        { "--v2-parser", TN_OPT_SETTING_STR, 0, "COMMAND", NULL, NULL },                           \
        { "--use-fast-test-edges", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                     \
        { "--record-timing-info -r", TN_OPT_SETTING_STR, 0, "FILE", NULL, NULL },                  \
        { "--sqlparse", TN_OPT_SETTING_STR, 0, "YAML", NULL, NULL },                               \
        { "--send-anonymous-usage-stats", TN_OPT_IGNORE_FLAG, 0, NULL, NULL, NULL },               \
        { "--snowflake-projects-otel", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                 \
        { "--upload-to-artifacts-ingest-api", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },          \
        { "--show-resource-report", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                    \
        { "--deprecated-defer", TN_OPT_FLAG, TN_DBT_AT(defer), NULL, NULL, "DBT_DEFER_TO_STATE" }, \
        { "--deprecated-favor-state", TN_OPT_FLAG, TN_DBT_AT(favor_state), NULL, NULL,             \
            "DBT_FAVOR_STATE_MODE" },                                                              \
        { "--deprecated-print --deprecated-no-print", TN_OPT_IGNORE_FLAG, 0, NULL, NULL, NULL },   \
        { "--deprecated-state", TN_OPT_STR, TN_DBT_AT(state), "DIR", NULL,                         \
            "DBT_ARTIFACT_STATE_PATH" }
#define TN_DBT_RUNNING                                                                             \
    { "--full-refresh -f", TN_OPT_FLAG, TN_DBT_AT(full_refresh), NULL,                             \
        "rebuild incremental models and seeds", "DBT_FULL_REFRESH" },                              \
        { "--empty", TN_OPT_FLAG, TN_DBT_AT(empty), NULL, "build with no rows, to check the SQL",  \
            "DBT_EMPTY" },                                                                         \
        { "--event-time-start", TN_OPT_STR, TN_DBT_AT(event_time_start), "TIME",                   \
            "microbatch models: from here on", "DBT_EVENT_TIME_START" },                           \
        { "--event-time-end", TN_OPT_STR, TN_DBT_AT(event_time_end), "TIME",                       \
            "microbatch models: up to here", "DBT_EVENT_TIME_END" },                               \
        { "--sample", TN_OPT_STR, TN_DBT_AT(sample), "WINDOW",                                     \
            "inputs with an event_time: only '3 days', or '{start: .., end: ..}'", "DBT_SAMPLE" }, \
        { "--store-failures", TN_OPT_FLAG, TN_DBT_AT(store_failures), NULL,                        \
            "keep the rows of failed tests", "DBT_STORE_FAILURES" },                               \
        { "--show", TN_OPT_FLAG, TN_DBT_AT(show), NULL, "seeds: print some of the rows", NULL },   \
        { "--export-saved-queries", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                    \
        { "--include-saved-query", TN_OPT_SETTING_FLAG, 0, NULL, NULL, NULL },                     \
        { "--on-busy", TN_OPT_STR, TN_DBT_AT(on_busy), "wait|fail|skip",                           \
            "type tarn: a model that another run is building (default: wait)", "TARN_ON_BUSY" }

typedef struct tn_dbt_start {
    tn_project *project;
    tn_events *events;
    tn_select select;
} tn_dbt_start;

/* Loads the project as `which` and opens console and log. False: the error is printed and *ret_status says how to end. */
bool tn_dbt_begin(const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given,
    bool quiet_console, tn_dbt_start *ret, int *ret_status);
/* tn_dbt_begin and tn_run_execute: how the commands that run nodes end. `opts` is theirs where a verb differs (verb, only, batches, show_*,
 * output); selection, flags, artifacts and arguments are filled in here. Returns the exit status. */
int tn_dbt_execute(
    const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given, tn_run_opts opts);
/* The query of the command line cannot be parsed: what dbt says then. */
int tn_dbt_inline_error(const tn_cli *cli, const tn_err *err);
/* Its parts, for verbs that need less than a whole project. */
tn_project_opts tn_dbt_project_opts(
    const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given);
/* p NULL: by the command line alone, without a log file. */
tn_events *tn_dbt_events(const tn_cli *cli, const tn_project *p, bool quiet_console);
/* "Running with dbt=...", the first line of a command, and "Registered adapter: ...". tn_dbt_begin says them. */
void tn_dbt_tell_version(tn_events *events, tn_arena *a);
void tn_dbt_tell_adapter(tn_events *events, tn_arena *a);
/* The project's warnings from the given one on; fails when one of them is to be an error. tn_dbt_begin says those of loading. */
tn_rc tn_dbt_tell_notices(
    const tn_project *p, size_t from, tn_events *events, tn_err *err) TN_MUSTUSE;
/* The error as dbt prints it ("Encountered an error:"), in the run's log. */
int tn_dbt_error(const tn_cli *cli, tn_events *events, const tn_err *err);

#endif
