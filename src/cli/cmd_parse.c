/* cmd_parse.c: parse: reads the project, writes target/manifest.json. */
#include "cli/dbt_options.h"

static const tn_opt parse_options[] = { TN_DBT_COMMON };

int tn_cmd_parse(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { 0 };
    tn_dbt_start start;
    tn_val given;
    bool done;
    int status;
    static const tn_cmd_spec spec = { .name = "parse",
        .summary = "reads the project and writes target/manifest.json",
        .usage = "[options]",
        .opts = parse_options,
        .opt_count = TN_COUNTOF(parse_options),
        .examples = "tarn parse\ntarn parse --vars '{day: 2024-01-31}'\n" };
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (done || !tn_dbt_begin(cli, "parse", &o, given, false, &start, &status)) {
        return status;
    }
    tn_err err = TN_ERR_INIT;
    if (o.write_json != TN_FLAG_OFF &&
        tn_run_write_manifest(start.project, start.events, &err) != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    return TN_EXIT_OK;
}
