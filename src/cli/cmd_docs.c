/* cmd_docs.c: docs generate: manifest.json with compiled SQL, catalog.json and the site that shows them; docs serve: the site in a browser. */
#include <stdio.h>

#include "cli/dbt_options.h"
#include "os/file.h"
#include "os/proc.h"
#include "serve/serve_folder.h"
#include "text/uri.h"

enum { SERVE_PORT = 8080 };

static const tn_opt docs_options[] = { { "--compile", TN_OPT_FLAG, TN_DBT_AT(compile), NULL,
                                           "--no-compile: no manifest.json with compiled SQL",
                                           NULL },
    { "--static", TN_OPT_FLAG, TN_DBT_AT(static_site), NULL,
        "also static_index.html, the whole site in one file", NULL },
    { "--empty-catalog", TN_OPT_FLAG, TN_DBT_AT(empty_catalog), NULL,
        "do not ask the database for columns", NULL },
    TN_DBT_SELECTION,
    { "--host", TN_OPT_STR, TN_DBT_AT(host), "NAME", "serve: 127.0.0.1", "DBT_HOST" },
    { "--port", TN_OPT_INT, TN_DBT_AT(port), "N", "serve: 8080; 0 takes a free one", NULL },
    { "--browser --open-browser", TN_OPT_FLAG, TN_DBT_AT(browser), NULL,
        "serve: --no-browser does not open one", NULL },
    TN_DBT_COMMON };

static const tn_cmd_spec spec = { .name = "docs",
    .summary = "the documentation site of the project: what it is made of, and a look at it",
    .usage = "generate|serve [options]",
    .opts = docs_options,
    .opt_count = TN_COUNTOF(docs_options),
    .words_min = 1,
    .words_max = 1,
    .examples = "tarn docs generate                 after a build: columns as they are in the "
                "database\n"
                "tarn docs generate --static        target/static_index.html is the whole site\n"
                "tarn docs serve --port 8001        the site at http://localhost:8001, until "
                "Ctrl-C\n" };

static bool selects(const tn_dbt_options *o)
{
    return o->select.n > 0 || o->models.n > 0 || o->exclude.n > 0 || o->selector.n > 0;
}

static tn_rc compile(const tn_cli *cli, const tn_dbt_options *o, const tn_dbt_start *start,
    tn_val given, bool *ret_failed, tn_err *err)
{
    tn_run_report report = { 0 };
    tn_run_opts opts = { .verb = TN_VERB_COMPILE,
        .select = start->select,
        .write_json = true,
        .unprinted = true,
        .introspect = o->introspect != TN_FLAG_OFF,
        .memory_limit = cli->memory_limit,
        .args = given.dict,
        .show_limit = -1 };
    TN_TRY(tn_run_execute(start->project, cli->arena, &opts, start->events, &report, err));
    *ret_failed = report.failed || report.interrupted;
    return TN_OK;
}

static void tell_catalog(const tn_cli *cli, tn_events *events, const tn_catalog_report *report)
{
    tn_str whole = report->path;
    tn_val data = tn_val_dict(cli->arena), failures = tn_val_dict(cli->arena);
    if (report->errors > 0) {
        tn_dict_putz(failures.dict, "num_exceptions", tn_val_int((int64_t)report->errors));
        tn_event(events, TN_EV_ERROR, "WriteCatalogFailure", "E041", failures,
            "dbt encountered %zu failure%s while writing the catalog", report->errors,
            report->errors == 1 ? "" : "s");
    }
    (void)!tn_file_absolute(cli->arena, report->path, &whole, NULL);
    tn_str path = tn_path_norm(cli->arena, whole);
    tn_dict_putz(data.dict, "path", tn_val_str(path));
    tn_event(events, TN_EV_INFO, "CatalogWritten", "E042", data, "Catalog written to " TN_STR_FMT,
        TN_STR_ARG(path));
}

static tn_rc generate(const tn_cli *cli, const tn_dbt_options *o, const tn_dbt_start *start,
    tn_val given, bool *ret_failed, tn_err *err)
{
    tn_project *p = start->project;
    tn_nodes chosen = { 0 };
    tn_strs unmatched = { 0 };
    if (o->compile != TN_FLAG_OFF) {
        TN_TRY(compile(cli, o, start, given, ret_failed, err));
    } else if (o->static_site == TN_FLAG_ON) { /* it has a manifest inside; dbt writes none here */
        TN_TRY(tn_run_write_manifest(p, start->events, err));
    }
    if (*ret_failed) {
        tn_event(start->events, TN_EV_INFO, "CannotGenerateDocs", "Z041", TN_VAL_UNDEF,
            "compile failed, cannot generate docs");
        return TN_OK;
    }
    TN_TRY(tn_docs_write_site(p, err));
    bool narrowed = selects(o) || o->empty_catalog == TN_FLAG_ON;
    if (selects(o)) {
        TN_TRY(tn_select_run(p, cli->arena, &start->select, &chosen, NULL, &unmatched, err));
    }
    if (o->empty_catalog != TN_FLAG_ON) {
        tn_event(start->events, TN_EV_INFO, "BuildingCatalog", "E044", tn_val_dict(cli->arena),
            "Building catalog");
    }
    tn_catalog_opts opts = { narrowed ? &chosen : NULL, o->compile != TN_FLAG_OFF };
    tn_catalog_report report = { 0 };
    TN_TRY(tn_run_write_catalog(p, cli->arena, start->events, &opts, &report, err));
    *ret_failed = report.errors > 0;
    tell_catalog(cli, start->events, &report);
    return o->static_site == TN_FLAG_ON ? tn_docs_write_static(p, err) : TN_OK;
}

/* What opens an address, in the order in which desktops have it. Best effort: the address is printed. */
static void open_browser(const tn_cli *cli, const char *url)
{
    static const char *const programs[] = { "xdg-open", "open", "wslview" };
    int status = 1;
    tn_str out;
    for (size_t i = 0; i < TN_COUNTOF(programs) && status != 0; i++) {
        const char *argv[] = { programs[i], url, NULL };
        if (tn_proc_run(cli->arena, argv, TN_STR(""), 1 << 16, &status, &out, NULL) != TN_OK) {
            status = 1;
        }
    }
}

static tn_rc serve(const tn_cli *cli, const tn_dbt_options *o, const tn_project *p, tn_err *err)
{
    TN_AUTO(tn_listener) l = { .fd = -1 };
    tn_str host = o->host.n > 0 ? o->host : TN_STR("127.0.0.1");
    TN_TRY(tn_docs_write_site(p, err));
    TN_TRY(tn_listen_open(host, o->port, &l, err));
    bool local = tn_str_is(host, "127.0.0.1");
    tn_str url = tn_str_printf(cli->arena, "http://" TN_STR_FMT ":%d",
        TN_STR_ARG(local ? TN_STR("localhost") : host), l.port);
    printf("Serving docs at %d\nTo access from your browser, navigate to: " TN_STR_FMT "\n\n\n\n"
           "Press Ctrl+C to exit.\n",
        l.port, TN_STR_ARG(url));
    fflush(stdout);
    if (o->browser != TN_FLAG_OFF && tn_is_terminal(1)) {
        open_browser(cli, tn_str_z(cli->arena, url));
    }
    return tn_serve_folder(&l, p->target_path, err);
}

int tn_cmd_docs(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { .limit = -1, .port = SERVE_PORT };
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
    bool serving = tn_str_is(words.v[0], "serve");
    if (!serving && !tn_str_is(words.v[0], "generate")) {
        return tn_cli_usage_error(cli, "docs",
            "no such command: 'docs " TN_STR_FMT "'; there are 'generate' and 'serve'",
            TN_STR_ARG(words.v[0]));
    }
    if (!tn_dbt_begin(cli, serving ? "serve" : "generate", &o, given, false, &start, &status)) {
        return status;
    }
    tn_rc rc = serving ? serve(cli, &o, start.project, &err)
                       : generate(cli, &o, &start, given, &failed, &err);
    if (rc != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    return failed ? TN_EXIT_FAILED : TN_EXIT_OK;
}
