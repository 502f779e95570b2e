/* cmd_build.c: the verbs that run nodes: build, run, test, seed, snapshot. */
#include <stdio.h>

#include "cli/dbt_options.h"

static const tn_opt running_options[] = { TN_DBT_SELECTION, TN_DBT_RUNNING,
    { "--plan", TN_OPT_FLAG, TN_DBT_AT(plan), NULL, "show what would run and why; run nothing",
        NULL },
    { "--output", TN_OPT_STR, TN_DBT_AT(output), "FORM", "of --plan: text (default) or json",
        NULL },
    TN_DBT_COMMON };

static int show_plan(
    const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given, tn_run_opts opts)
{
    tn_dbt_start start;
    tn_err err = TN_ERR_INIT;
    int status;
    bool json = tn_str_is(o->output, "json");
    if (!json && o->output.n > 0 && !tn_str_is(o->output, "text")) {
        return tn_cli_usage_error(cli, which,
            "'" TN_STR_FMT "' is no form of --output: text or json", TN_STR_ARG(o->output));
    }
    if (!tn_dbt_begin(cli, which, o, given, true, &start, &status)) {
        return status;
    }
    opts.select = start.select;
    opts.memory_limit = cli->memory_limit;
    tn_buf b = tn_buf_init(cli->arena, TN_BUF_NO_LIMIT);
    if (tn_run_plan(start.project, &opts, start.events, json, &b, &err) != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    (void)fwrite(b.p, 1, b.n, stdout);
    return TN_EXIT_OK;
}

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
    if (done) {
        return status;
    }
    return o.plan == TN_FLAG_ON ? show_plan(cli, argv[0], &o, given, opts)
                                : tn_dbt_execute(cli, argv[0], &o, given, opts);
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
        "production\n"
        "tarn build -s orders+ --plan            what that would do, and why\n");
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
