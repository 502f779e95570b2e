/* cmd_ls.c: ls (list): one line a node, as names, selectors, paths or JSON. */
#include <stdio.h>

#include "cli/dbt_options.h"
#include "project/manifest.h"

static const tn_opt ls_options[] = { TN_DBT_SELECTION,
    { "--output", TN_OPT_STR, TN_DBT_AT(output), "FORM", "selector (default), name, path or json",
        NULL },
    { "--output-keys", TN_OPT_WORDS, TN_DBT_AT(output_keys), "KEY...", "json: only these keys",
        NULL },
    TN_DBT_COMMON };

/* One line a node; with JSON logs one event a line, so that every line of the output is an event. */
static void print_list(tn_events *events, tn_str lines)
{
    tn_str line;
    while (lines.n > 0) {
        (void)tn_str_cut(lines, '\n', &line, &lines);
        tn_event_print(events, line);
    }
}

static int write_artifacts(const tn_cli *cli, const tn_dbt_options *o, const tn_dbt_start *start)
{
    tn_err err = TN_ERR_INIT;
    if (o->write_json != TN_FLAG_OFF &&
        (tn_run_write_manifest(start->project, start->events, &err) != TN_OK ||
            tn_run_write_graph(start->project, false, &err) != TN_OK)) {
        return tn_dbt_error(cli, start->events, &err);
    }
    return TN_EXIT_OK;
}

static tn_rc tell_none(const tn_dbt_start *start, tn_err *err)
{
    static const char event[] = "NoNodesSelected", text[] = "No nodes selected!";
    tn_warn_fate fate = tn_project_warn_fate(start->project, event);
    if (fate == TN_WARN_ERROR) {
        return tn_fail(err, TN_E_COMPILE, "%s", text);
    }
    if (fate == TN_WARN_SHOWN) {
        tn_event(start->events, TN_EV_WARN, event, "Q038", TN_VAL_UNDEF, "[WARNING]: %s", text);
    }
    return TN_OK;
}

static int list(const tn_cli *cli, const tn_dbt_options *o, const tn_dbt_start *start)
{
    tn_err err = TN_ERR_INIT;
    tn_run_tell_found(start->project, start->events);
    tn_ls_form form = TN_LS_SELECTOR;
    if (o->output.n > 0 && !tn_ls_form_find(o->output, &form)) {
        return tn_cli_usage_error(cli, "ls",
            "'" TN_STR_FMT "' is no form of --output: selector, name, path or json",
            TN_STR_ARG(o->output));
    }
    tn_nodes nodes = { 0 };
    tn_strs unmatched = { 0 };
    tn_select select = start->select;
    if (tn_select_run(start->project, cli->arena, &select, &nodes, NULL, &unmatched, &err) !=
        TN_OK) {
        return tn_dbt_error(cli, start->events, &err);
    }
    if (tn_run_warn_unmatched(start->project, start->events, &unmatched, &err) != TN_OK) {
        return tn_dbt_error(cli, start->events, &err);
    }
    if (nodes.n == 0) {
        if (tell_none(start, &err) != TN_OK) {
            return tn_dbt_error(cli, start->events, &err);
        }
        return write_artifacts(cli, o, start);
    }
    tn_buf b = tn_buf_init(cli->arena, TN_BUF_NO_LIMIT);
    tn_strs keys = { 0 };
    for (size_t i = 0; i < o->output_keys.n; i++) { /* one word may hold several names */
        tn_str rest = o->output_keys.v[i], key;
        while (rest.n > 0) {
            (void)tn_str_cut(rest, ' ', &key, &rest);
            if (key.n > 0) {
                tn_vec_push(&keys, cli->arena, key);
            }
        }
    }
    if (tn_ls_print(start->project, &nodes, form, &keys, &b, &err) != TN_OK) {
        return tn_dbt_error(cli, start->events, &err);
    }
    print_list(start->events, tn_buf_str(&b));
    return write_artifacts(cli, o, start);
}

/* With dbt `ls --models X` lists models alone, `ls --select X` all that is selected; kinds are left out of the default ones, which analyses are not. */
static bool settle_kinds(const tn_cli *cli, tn_dbt_options *o, tn_err *err)
{
    if (o->models.n > 0 && o->select.n + o->resource_types.n > 0) {
        (void)tn_fail(err, TN_E_USAGE, "\"models\" and \"%s\" are mutually exclusive arguments",
            o->select.n > 0 ? "select" : "resource_type");
        return false;
    }
    if (o->models.n > 0) {
        tn_vec_push(&o->resource_types, cli->arena, TN_STR("model"));
    }
    if (o->resource_types.n == 0 && o->exclude_resource_types.n > 0) {
        tn_vec_push(&o->resource_types, cli->arena, TN_STR("default"));
    }
    return true;
}

int tn_cmd_ls(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { 0 };
    tn_dbt_start start;
    tn_val given;
    bool done;
    int status;
    static const tn_cmd_spec spec = { .name = "ls",
        .summary = "lists the nodes of the project",
        .usage = "[options]",
        .opts = ls_options,
        .opt_count = TN_COUNTOF(ls_options),
        .examples =
            "tarn ls\n"
            "tarn ls -s +orders --resource-type model --output name\n"
            "tarn ls --output json --output-keys unique_id depends_on config.materialized\n" };
    tn_err err = TN_ERR_INIT;
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (!done && !settle_kinds(cli, &o, &err)) {
        return tn_dbt_error(cli, NULL, &err);
    }
    if (done || !tn_dbt_begin(cli, "list", &o, given, false, &start, &status)) {
        return status;
    }
    return list(cli, &o, &start);
}

int tn_cmd_ls2(const tn_cli *cli, int argc, char **argv)
{
    return tn_cmd_ls(cli, argc, argv);
}
