/* cmd_compile.c: compile and show: SQL without building anything, and a look at its rows. */
#include "cli/dbt_options.h"

static const tn_opt look_options[] = { TN_DBT_SELECTION, TN_DBT_COMMON,
    { "--full-refresh -f", TN_OPT_FLAG, TN_DBT_AT(full_refresh), NULL,
        "compile incremental models as at their first run", "DBT_FULL_REFRESH" },
    { "--limit", TN_OPT_INT, TN_DBT_AT(limit), "N", "show: rows, -1 for all (default 5)", NULL },
    { "--inline", TN_OPT_STR, TN_DBT_AT(inline_sql), "SQL", "a query of its own, with Jinja",
        NULL },
    { "--empty", TN_OPT_FLAG, TN_DBT_AT(empty), NULL, "compile: inputs without rows", "DBT_EMPTY" },
    { "--inject-ephemeral-ctes", TN_OPT_FLAG, TN_DBT_AT(inject_ctes), NULL,
        "--no-inject-ephemeral-ctes: compile without the SQL of ephemeral parents", NULL },
    { "--inline-direct", TN_OPT_STR, TN_DBT_AT(inline_direct), "SQL", "show: a query without Jinja",
        NULL },
    { "--output", TN_OPT_STR, TN_DBT_AT(output), "FORM", "text (default) or json", NULL } };

static int look(const tn_cli *cli, int argc, char **argv, tn_verb verb, const char *summary,
    const char *examples)
{
    tn_dbt_options o = { .limit = 5 };
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
    if (done) {
        return status;
    }
    if (o.inline_direct.n > 0) {
        o.inline_sql = tn_str_printf(
            cli->arena, "{%% raw %%}" TN_STR_FMT "{%% endraw %%}", TN_STR_ARG(o.inline_direct));
    }
    if (verb == TN_VERB_SHOW && o.select.n + o.models.n + o.inline_sql.n == 0) {
        tn_err err = TN_ERR_INIT;
        (void)tn_fail(&err, TN_E_VALUE, "Either --select or --inline must be passed to show");
        return tn_dbt_error(cli, NULL, &err);
    }
    if (verb == TN_VERB_SHOW) { /* as run_results.json tells it */
        tn_dict_putz(given.dict, "limit", tn_val_int(o.limit));
        tn_dict_putz(
            given.dict, "output", o.output.n > 0 ? tn_val_str(o.output) : tn_val_z("text"));
    }
    tn_run_opts opts = { .verb = verb,
        .no_ctes = o.inject_ctes == TN_FLAG_OFF,
        .bare = tn_flag_is(cli->quiet, false),
        .as_json = tn_str_is(o.output, "json"),
        .show_limit = o.limit };
    return tn_dbt_execute(cli, argv[0], &o, given, opts);
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
