/* cmd_lake.h: private to the files of `tarn lake`: its options and what its verbs share. */
#ifndef TN_CLI_CMD_LAKE_H
#define TN_CLI_CMD_LAKE_H

#include "cli/cli_lake.h"

typedef struct tn_lake_options {
    tn_str env, output, from, to, retention, message;
    int64_t limit;
    tn_strs key;
    tn_flag all, newest, dry_run, ours, theirs, rows, tables, force;
} tn_lake_options;

typedef struct tn_lake_call {
    const tn_cli *cli;
    const tn_lake_options *o;
    tn_str env;
    tn_lake *lake;
    bool json;
    const tn_strs *words; /* verb and its arguments */
} tn_lake_call;

/* A table of tuples for people. */
tn_rc tn_lake_print_list(
    tn_lake_call *x, const char *const *names, size_t n, tn_val list, tn_err *err) TN_MUSTUSE;
/* Makes the environment's catalog from its newest commit and says what was done. */
tn_rc tn_lake_publish_and_tell(
    tn_lake_call *x, tn_str env, const char *did, tn_err *err) TN_MUSTUSE;

/* cmd_lake_env.c */
tn_rc tn_lake_run_env_ls(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_env_create(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_env_promote(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_env_rebase(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_env_drop(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_tag_ls(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_tag_create(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_tag_rm(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_show(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_catalog(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_gc(tn_lake_call *x, tn_err *err) TN_MUSTUSE;

/* cmd_lake_doctor.c: needs no lake. *ret_ok: no check failed. */
tn_rc tn_lake_run_doctor(
    tn_lake_call *x, tn_str url, tn_val storage, bool *ret_ok, tn_err *err) TN_MUSTUSE;

/* cmd_lake_care.c */
tn_rc tn_lake_run_status_tables(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_maintain(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_run_runs(tn_lake_call *x, tn_err *err) TN_MUSTUSE;
/* "7d", "12h", "30m"; empty: a week. */
tn_rc tn_lake_retention_of(tn_str text, int64_t *ret_ms, tn_err *err) TN_MUSTUSE;

#endif
