/* cmd_build.c: the verbs that run nodes: build, run, test, seed, snapshot. */
#include "cli/dbt_options.h"

static const tn_opt running_options[] = { TN_DBT_SELECTION, TN_DBT_RUNNING, TN_DBT_COMMON };

static int run_verb(const tn_cli *cli, int argc, char **argv, tn_verb verb, const char *summary,
    const char *examples)
{
    tn_dbt_options o = { .limit = -1 };
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
    tn_run_opts opts = { .verb = verb, .show_limit = -1, .on_busy = o.on_busy };
    return done ? status : tn_dbt_execute(cli, argv[0], &o, given, opts);
}

int tn_cmd_build(const tn_cli *cli, int argc, char **argv)
{
    return run_verb(cli, argc, argv, TN_VERB_BUILD,
        "runs seeds, models, snapshots and tests in the order of the graph",
        "tarn build                              all of the project\n"
        "tarn build --select +orders             orders and all that it reads\n"
        "tarn build -s tag:daily --exclude stg_*  by tag, without some\n"
        "tarn build --full-refresh               incremental models and seeds from scratch\n"
        "tarn build -s state:modified+ --defer --state prod-run\n"
        "                                        what changed, on top of the tables of "
        "production\n");
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

int tn_cmd_clone(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { .limit = -1 };
    tn_val given;
    bool done;
    int status;
    const tn_cmd_spec spec = { .name = "clone",
        .summary = "points nodes at the tables of another run: views on them, without their rows",
        .usage = "--state DIR [options]",
        .opts = running_options,
        .opt_count = TN_COUNTOF(running_options),
        .examples = "tarn clone --state prod-run                  all models, seeds and snapshots\n"
                    "tarn clone --state prod-run -s state:modified+ --full-refresh\n" };
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    o.defer = TN_FLAG_ON; /* clone is made of it */
    tn_run_opts opts = { .verb = TN_VERB_CLONE, .show_limit = -1, .on_busy = o.on_busy };
    return done ? status : tn_dbt_execute(cli, "clone", &o, given, opts);
}

int tn_cmd_snapshot(const tn_cli *cli, int argc, char **argv)
{
    return run_verb(cli, argc, argv, TN_VERB_SNAPSHOT,
        "runs snapshots: the history of a query's rows",
        "tarn snapshot                 all snapshots\n"
        "tarn snapshot -s orders_history\n");
}
