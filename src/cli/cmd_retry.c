/* cmd_retry.c: retry: the command of target/run_results.json once more, for the nodes that failed or were skipped. */
#include "cli/dbt_options.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/json.h"
#include "text/timetext.h"
#include "text/uri.h"
#include "text/yaml.h"

enum { RESULTS_BYTES_MAX = 1 << 30 };

static const tn_opt retry_options[] = { { "--state", TN_OPT_STR, TN_DBT_AT(state), "DIR",
                                            "folder of the run_results.json (default: the target "
                                            "folder)",
                                            "DBT_STATE" },
    TN_DBT_COMMON, TN_DBT_RUNNING };

static const tn_cmd_spec spec = { .name = "retry",
    .summary = "runs again what failed or was skipped in the last run",
    .usage = "[options]",
    .opts = retry_options,
    .opt_count = TN_COUNTOF(retry_options),
    .examples = "tarn retry                    after a failed build: the failed nodes and those "
                "after them\n"
                "tarn retry --vars '{day: 2024-01-31}'\n" };

static const struct {
    const char *name;
    tn_verb verb;
} verbs[] = { { "build", TN_VERB_BUILD }, { "run", TN_VERB_RUN }, { "test", TN_VERB_TEST },
    { "seed", TN_VERB_SEED }, { "snapshot", TN_VERB_SNAPSHOT }, { "compile", TN_VERB_COMPILE },
    { "clone", TN_VERB_CLONE } };

static tn_str root_of(const tn_cli *cli)
{
    return cli->project_dir.n > 0 ? cli->project_dir : TN_STR(".");
}

static tn_rc read_results(const tn_cli *cli, tn_str folder, tn_val *ret, tn_err *err)
{
    tn_str text, path = tn_uri_join(cli->arena, tn_uri_join(cli->arena, root_of(cli), folder),
                     TN_STR("run_results.json"));
    if (!tn_file_exists(path)) {
        return tn_fail(err, TN_E_NOTFOUND,
            "Could not find previous run in '" TN_STR_FMT "' target directory", TN_STR_ARG(folder));
    }
    TN_TRY(tn_file_read(cli->arena, path, RESULTS_BYTES_MAX, &text, err));
    return tn_json_parse(cli->arena, text, ret, err);
}

static bool was_bad(tn_str status, bool warned)
{
    static const char *const bad[] = { "error", "fail", "skipped", "runtime error",
        "partial success" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        if (tn_str_is(status, bad[i])) {
            return true;
        }
    }
    return warned && tn_str_is(status, "warn");
}

/* What failed, and with --warn-error what warned; hooks run anyway. */
static tn_strs bad_ids(const tn_cli *cli, tn_val doc, bool warned)
{
    tn_strs out = { 0 };
    tn_val results = tn_val_at(doc, "results");
    for (size_t i = 0; tn_val_is_seq(results) && i < results.list->n; i++) {
        tn_val r = results.list->v[i];
        tn_str id = tn_val_str_at(r, "unique_id", TN_STR_NONE);
        if (was_bad(tn_val_str_at(r, "status", TN_STR_NONE), warned) &&
            !tn_str_starts(id, TN_STR("operation."))) {
            tn_vec_push(&out, cli->arena, id);
        }
    }
    return out;
}

static bool has_some(tn_val list)
{
    return tn_val_is_seq(list) && list.list->n > 0;
}

/* unique id -> {successful, failed} of the batches (key "batch_results") or overloads of which some failed. Of a model none of whose batches is
 * built all are built again; the function itself is there though all its overloads failed. */
static tn_val parts_of(const tn_cli *cli, tn_val doc, const char *key, bool some_built)
{
    tn_val out = tn_val_dict(cli->arena), results = tn_val_at(doc, "results");
    for (size_t i = 0; tn_val_is_seq(results) && i < results.list->n; i++) {
        tn_val r = results.list->v[i], parts = tn_val_at(r, key);
        if (has_some(tn_val_at(parts, "failed")) &&
            (!some_built || has_some(tn_val_at(parts, "successful")))) {
            tn_dict_puts(out.dict, tn_val_str_at(r, "unique_id", TN_STR_NONE), parts);
        }
    }
    return out;
}

/* When that run began: the newest batch is the same again. */
static int64_t began_at(tn_val doc)
{
    tn_val meta = tn_val_at(doc, "metadata");
    int64_t us = 0;
    bool zone;
    int offset;
    tn_str at = tn_val_str_at(meta, "invocation_started_at", TN_STR_NONE);
    at = at.n > 0 ? at : tn_val_str_at(meta, "generated_at", TN_STR_NONE);
    return tn_parse_timestamp(at, &us, &zone, &offset) ? us : 0;
}

/* A dict, or text as older runs have it. */
static tn_str text_of_vars(tn_arena *a, tn_val vars)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (vars.tag == TN_DICT) {
        tn_json_print(&b, vars, NULL);
    }
    return tn_val_is_str(vars) ? tn_val_as_str(vars) : tn_buf_str(&b);
}

/* Options of the run before that change what nodes do; what is given now wins. */
static void take_previous(tn_arena *a, tn_dbt_options *o, tn_val args, tn_val given)
{
    if (o->vars.n == 0) {
        o->vars = text_of_vars(a, tn_val_at(args, "vars"));
    }
    const struct {
        tn_str *field;
        const char *key;
    } texts[] = { { &o->event_time_start, "event_time_start" },
        { &o->event_time_end, "event_time_end" }, { &o->sample, "sample" } };
    for (size_t i = 0; i < TN_COUNTOF(texts); i++) {
        if (texts[i].field->n == 0) {
            *texts[i].field = tn_val_str_at(args, texts[i].key, TN_STR_NONE);
        }
        if (texts[i].field->n > 0) { /* a retry of the retry knows them too */
            tn_dict_putz(given.dict, texts[i].key, tn_val_str(*texts[i].field));
        }
    }
    if (o->defer_state.n == 0) { /* --state is the place of the results here */
        o->defer_state =
            tn_val_str_at(args, "defer_state", tn_val_str_at(args, "state", TN_STR_NONE));
    }
    const struct {
        tn_flag *field;
        const char *key;
    } flags[] = { { &o->full_refresh, "full_refresh" }, { &o->fail_fast, "fail_fast" },
        { &o->empty, "empty" }, { &o->store_failures, "store_failures" }, { &o->defer, "defer" },
        { &o->favor_state, "favor_state" } };
    for (size_t i = 0; i < TN_COUNTOF(flags); i++) {
        if (*flags[i].field == TN_FLAG_UNSET && tn_val_bool_at(args, flags[i].key, false)) {
            *flags[i].field = TN_FLAG_ON;
        }
    }
}

/* Which nodes the run before was told to take: results go on saying so, though it is its failures that are taken now. */
static void keep_selection(tn_val args, tn_val given)
{
    static const char *const lists[] = { "select", "exclude", "resource_types",
        "exclude_resource_types" };
    static const char *const texts[] = { "selector", "state" };
    for (size_t i = 0; i < TN_COUNTOF(lists); i++) {
        tn_val was = tn_val_at(args, lists[i]);
        if (tn_val_is_seq(was) && was.list->n > 0) {
            tn_dict_putz(given.dict, lists[i], was);
        }
    }
    (void)tn_dict_remove(given.dict, tn_val_z("state")); /* here it is the place of the results */
    for (size_t i = 0; i < TN_COUNTOF(texts); i++) {
        if (tn_val_is_str(tn_val_at(args, texts[i]))) {
            tn_dict_putz(given.dict, texts[i], tn_val_at(args, texts[i]));
        }
    }
}

/* As many threads as the run before was told to take, unless told now. */
static tn_cli with_threads(const tn_cli *cli, tn_val args, tn_val given)
{
    tn_cli again = *cli;
    tn_val threads = tn_val_at(args, "threads");
    if (again.threads <= 0 && threads.tag == TN_INT && threads.i > 0) {
        again.threads = threads.i;
        tn_dict_putz(given.dict, "threads", threads);
    }
    return again;
}

/* What target-path of the project's file says. */
static tn_str own_target_path(const tn_cli *cli, tn_str root)
{
    tn_str text, path = tn_uri_join(cli->arena, root, TN_STR("dbt_project.yml"));
    tn_val doc;
    bool read = tn_file_read(cli->arena, path, RESULTS_BYTES_MAX, &text, NULL) == TN_OK &&
                tn_yaml_parse(cli->arena, text, NULL, &doc, NULL) == TN_OK;
    return read ? tn_val_str_at(doc, "target-path", TN_STR("target")) : TN_STR("target");
}

/* As dbt names it: below the project. */
static tn_str results_folder(const tn_cli *cli, const tn_dbt_options *o)
{
    return o->state.n > 0           ? o->state
           : cli->target_path.n > 0 ? cli->target_path
                                    : own_target_path(cli, root_of(cli));
}

int tn_cmd_retry(const tn_cli *cli, int argc, char **argv)
{
    tn_dbt_options o = { .limit = -1 };
    tn_val given, before;
    tn_err err = TN_ERR_INIT;
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, NULL, &given, &done, &status);
    if (done) {
        return status;
    }
    if (read_results(cli, results_folder(cli, &o), &before, &err) != TN_OK) {
        return tn_dbt_error(cli, NULL, &err);
    }
    tn_val args = tn_val_at(before, "args");
    tn_str which = tn_val_str_at(args, "which", TN_STR_NONE);
    size_t k = 0;
    while (k < TN_COUNTOF(verbs) && !tn_str_is(which, verbs[k].name)) {
        k++;
    }
    if (k == TN_COUNTOF(verbs)) {
        (void)tn_fail(&err, TN_E_USAGE, "the last run was '" TN_STR_FMT "': it cannot be retried",
            TN_STR_ARG(which));
        return tn_dbt_error(cli, NULL, &err);
    }
    take_previous(cli->arena, &o, args, given);
    keep_selection(args, given);
    if (verbs[k].verb == TN_VERB_CLONE) {
        o.defer = TN_FLAG_ON;
    }
    tn_cli again = with_threads(cli, args, given);
    tn_strs ids = bad_ids(cli, before, o.warn_error == TN_FLAG_ON);
    tn_val batches = parts_of(cli, before, "batch_results", true),
           overloads = parts_of(cli, before, "overload_results", false);
    if (o.vars.n > 0) {
        tn_dict_putz(given.dict, "vars", tn_val_str(o.vars));
    }
    tn_run_opts opts = { .verb = verbs[k].verb,
        .only = &ids,
        .batches = batches.dict,
        .overloads = overloads.dict,
        .began_us = began_at(before),
        .on_busy = o.on_busy,
        .show_limit = -1 };
    return tn_dbt_execute(&again, verbs[k].name, &o, given, opts);
}
