/* cmd_source.c: source freshness. */
#include "cli/dbt_options.h"

static const tn_opt freshness_options[] = { TN_DBT_SELECTION, TN_DBT_COMMON,
    { "--output -o", TN_OPT_STR, TN_DBT_AT(output), "FILE",
        "where the result goes (default: sources.json in the target folder)", NULL } };

static const tn_cmd_spec spec = { .name = "source",
    .summary = "checks how old the newest rows of sources are",
    .usage = "freshness [options]",
    .opts = freshness_options,
    .opt_count = TN_COUNTOF(freshness_options),
    .words_min = 1,
    .words_max = 1,
    .examples = "tarn source freshness                        all sources with a freshness block\n"
                "tarn source freshness --select source:raw    of one source\n" };

int tn_cmd_source(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { 0 };
    tn_val given;
    tn_strs words = { 0 };
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, &given, &done, &status);
    if (done) {
        return status;
    }
    if (!tn_str_is(words.v[0], "freshness") && !tn_str_is(words.v[0], "snapshot-freshness")) {
        return tn_cli_usage_error(
            cli, "source", "no such command: 'source " TN_STR_FMT "'", TN_STR_ARG(words.v[0]));
    }
    tn_run_opts opts = { .verb = TN_VERB_FRESHNESS, .show_limit = -1, .output = o.output };
    return tn_dbt_execute(cli, "freshness", &o, given, opts);
}
