/* cmd_build.c: the verbs that run nodes: build, run, test, seed, snapshot. */
#include "cli/dbt_options.h"

static const tn_opt running_options[] = { TN_DBT_SELECTION, TN_DBT_RUNNING, TN_DBT_COMMON };

static int run_verb(const tn_cli *cli, int argc, char **argv, tn_verb verb, const char *summary,
    const char *examples)
{
    tn_dbt_options o = { .limit = -1 };
    tn_dbt_start start;
    tn_val given;
    bool done;
    int status;
    const tn_cmd_spec spec = { .name = argv[0],
        .summary = summary,
        .usage = "[options]",
        .opts = running_options,
        .opt_count = TN_COUNTOF(running_options),
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
        .fail_fast = tn_val_bool_at(flags, "FAIL_FAST", o.fail_fast == TN_FLAG_ON),
        .write_json = tn_val_bool_at(flags, "WRITE_JSON", true),
        .introspect = true,
        .show_limit = -1,
        .memory_limit = cli->memory_limit,
        .on_busy = o.on_busy,
        .args = given.dict };
    if (tn_run_execute(start.project, cli->arena, &opts, start.events, &report, &err) != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    return report.failed || report.interrupted ? TN_EXIT_FAILED : TN_EXIT_OK;
}

int tn_cmd_build(const tn_cli *cli, int argc, char **argv)
{
    return run_verb(cli, argc, argv, TN_VERB_BUILD,
        "runs seeds, models, snapshots and tests in the order of the graph",
        "tarn build                              all of the project\n"
        "tarn build --select +orders             orders and all that it reads\n"
        "tarn build -s tag:daily --exclude stg_*  by tag, without some\n"
        "tarn build --full-refresh               incremental models and seeds from scratch\n");
}

int tn_cmd_run(const tn_cli *cli, int argc, char **argv)
{
    return run_verb(cli, argc, argv, TN_VERB_RUN, "runs models",
        "tarn run                      all models\n"
        "tarn run -s staging           the models of a folder\n"
        "tarn run -s orders+ -t prod   orders and what reads it, with another target\n");
}

int tn_cmd_test(const tn_cli *cli, int argc, char **argv)
{
    return run_verb(cli, argc, argv, TN_VERB_TEST, "runs tests",
        "tarn test                        all tests\n"
        "tarn test -s orders              the tests of one model\n"
        "tarn test -s test_type:singular --store-failures\n");
}

int tn_cmd_seed(const tn_cli *cli, int argc, char **argv)
{
    return run_verb(cli, argc, argv, TN_VERB_SEED, "loads the csv files of the project",
        "tarn seed                   all seeds\n"
        "tarn seed -s countries -f   one of them, with its columns made anew\n");
}

int tn_cmd_snapshot(const tn_cli *cli, int argc, char **argv)
{
    return run_verb(cli, argc, argv, TN_VERB_SNAPSHOT,
        "runs snapshots: the history of a query's rows",
        "tarn snapshot                 all snapshots\n"
        "tarn snapshot -s orders_history\n");
}
