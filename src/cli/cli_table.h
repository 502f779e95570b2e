/* cli_table.h: private to `tarn table`: its options, and the subcommands that look after a table (cmd_table_maint.c). */
#ifndef TN_CLI_CLI_TABLE_H
#define TN_CLI_CLI_TABLE_H

#include "cli/cli_lake.h"

typedef struct tn_table_options {
    tn_str env, output;
    int64_t version, limit;
    tn_str where, target_size, min_size, retain, time, from, to, format;
    tn_strs zorder;
    tn_flag dry_run, short_retention, missing, shallow, replace, values, log_only, lite, full,
        purge;
} tn_table_options;

typedef struct tn_table_call {
    const tn_cli *cli;
    const tn_table_options *o;
    tn_cli_place place;
    tn_lake *lake;
    tn_conn *conn;
    bool json;
} tn_table_call;

tn_rc tn_table_changes(tn_table_call *x, tn_str location, tn_err *err) TN_MUSTUSE;
/* How many tables the subcommand wants; 0: it is none of optimize, vacuum, restore, check, clone. */
size_t tn_table_maint_words(tn_str verb);
/* *ret_status: 1 when a check has found errors. */
tn_rc tn_table_maint(
    tn_table_call *x, const tn_strs *words, int *ret_status, tn_err *err) TN_MUSTUSE;

#endif
