/* cmd_docs.c: docs generate: manifest.json with compiled SQL and catalog.json, what documentation sites and catalogs read. */
#include "cli/dbt_options.h"

static const tn_opt docs_options[] = { { "--compile", TN_OPT_FLAG, TN_DBT_AT(compile), NULL,
                                           "--no-compile: leave manifest.json without compiled SQL",
                                           NULL },
    TN_DBT_COMMON };

static const tn_cmd_spec spec = { .name = "docs",
    .summary = "writes manifest.json and catalog.json for documentation sites",
    .usage = "generate [options]",
    .opts = docs_options,
    .opt_count = TN_COUNTOF(docs_options),
    .words_min = 1,
    .words_max = 1,
    .examples = "tarn docs generate                 after a build: columns as they are in the "
                "database\n"
                "tarn docs generate --no-compile    without the SQL of the nodes\n" };

static tn_rc generate(const tn_cli *cli, const tn_dbt_options *o, const tn_dbt_start *start,
    tn_val given, bool *ret_failed, tn_err *err)
{
    tn_run_report report = { 0 };
    tn_str path;
    tn_dict_putz(given.dict, "which", tn_val_z("generate"));
    tn_run_opts opts = { .verb = TN_VERB_COMPILE,
        .select = start->select,
        .write_json = true,
        .introspect = o->introspect != TN_FLAG_OFF,
        .memory_limit = cli->memory_limit,
        .args = given.dict,
        .show_limit = -1 };
    if (o->compile == TN_FLAG_OFF) {
        TN_TRY(tn_run_write_manifest(start->project, err));
    } else {
        TN_TRY(tn_run_execute(start->project, cli->arena, &opts, start->events, &report, err));
    }
    *ret_failed = report.failed || report.interrupted;
    if (*ret_failed) {
        return TN_OK;
    }
    tn_event(
        start->events, TN_EV_INFO, "BuildingCatalog", "E044", TN_VAL_UNDEF, "Building catalog");
    TN_TRY(tn_run_write_catalog(start->project, cli->arena, start->events, &path, err));
    tn_event(start->events, TN_EV_INFO, "CatalogWritten", "E043", TN_VAL_UNDEF,
        "Catalog written to " TN_STR_FMT, TN_STR_ARG(path));
    return TN_OK;
}

int tn_cmd_docs(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { .limit = -1 };
    tn_dbt_start start;
    tn_val given;
    tn_strs words = { 0 };
    tn_err err = TN_ERR_INIT;
    bool done, failed = false;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, &given, &done, &status);
    if (done) {
        return status;
    }
    if (!tn_str_is(words.v[0], "generate")) {
        return tn_cli_usage_error(cli, "docs",
            "no such command: 'docs " TN_STR_FMT "'; there is 'docs generate'",
            TN_STR_ARG(words.v[0]));
    }
    if (!tn_dbt_begin(cli, "generate", &o, given, false, &start, &status)) {
        return status;
    }
    if (generate(cli, &o, &start, given, &failed, &err) != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    return failed ? TN_EXIT_FAILED : TN_EXIT_OK;
}
