/* cmd_compile.c: compile and show: SQL without building anything, and a look at its rows. */
#include "cli/dbt_options.h"

static const tn_opt look_options[] = { TN_DBT_SELECTION, TN_DBT_COMMON,
    { "--full-refresh -f", TN_OPT_FLAG, TN_DBT_AT(full_refresh), NULL,
        "compile incremental models as at their first run", "DBT_FULL_REFRESH" },
    { "--limit", TN_OPT_INT, TN_DBT_AT(limit), "N", "show: rows, -1 for all (default 5)", NULL },
    { "--inline", TN_OPT_STR, TN_DBT_AT(inline_sql), "SQL", "a query of its own, with Jinja",
        NULL },
    { "--output", TN_OPT_STR, TN_DBT_AT(output), "FORM", "show: text (default) or json", NULL } };

static int look(const tn_cli *cli, int argc, char **argv, tn_verb verb, const char *summary,
    const char *examples)
{
    tn_dbt_options o = { .limit = 5 };
    tn_dbt_start start;
    tn_val given;
    bool done;
    int status;
    const tn_cmd_spec spec = { .name = argv[0],
        .summary = summary,
        .usage = "[options]",
        .opts = look_options,
        .opt_count = TN_COUNTOF(look_options),
        .examples = examples };
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (done || !tn_dbt_begin(cli, argv[0], &o, given, false, &start, &status)) {
        return status;
    }
    tn_err err = TN_ERR_INIT;
    tn_run_report report;
    tn_val flags = { .tag = TN_DICT, .dict = start.project->flags };
    tn_dict_putz(given.dict, "which", tn_val_z(argv[0]));
    tn_run_opts opts = { .verb = verb,
        .select = start.select,
        .write_json = o.inline_sql.n == 0 && tn_val_bool_at(flags, "WRITE_JSON", true),
        .bare = tn_flag_is(cli->quiet, false),
        .rows_as_json = tn_str_is(o.output, "json"),
        .introspect = o.introspect != TN_FLAG_OFF,
        .show_limit = o.limit,
        .memory_limit = cli->memory_limit,
        .args = given.dict };
    if (tn_run_execute(start.project, cli->arena, &opts, start.events, &report, &err) != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    return report.failed || report.interrupted ? TN_EXIT_FAILED : TN_EXIT_OK;
}

int tn_cmd_compile(const tn_cli *cli, int argc, char **argv)
{
    return look(cli, argc, argv, TN_VERB_COMPILE,
        "renders sql to target/compiled without running it",
        "tarn compile                 all nodes, to target/compiled\n"
        "tarn compile -s orders       and print the SQL of one\n");
}

int tn_cmd_show(const tn_cli *cli, int argc, char **argv)
{
    return look(cli, argc, argv, TN_VERB_SHOW, "shows rows of a node's query",
        "tarn show -s orders              five rows\n"
        "tarn show -s orders --limit 20\n"
        "tarn show --inline \"select count(*) from {{ ref('orders') }}\" --output json\n");
}
