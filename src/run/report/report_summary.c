/* report_summary.c: what a run says before and after its nodes: what was found, what was done, what went wrong and where to look. */
#include "os/clock.h"
#include "run/report/report_parts.h"
#include "run/value/sql_place.h"

static void add_count(tn_buf *b, size_t n, const char *what, bool plural_s)
{
    if (n > 0) {
        tn_buf_addf(b, "%s%zu %s%s", b->n > 0 ? ", " : "", n, what, n == 1 || !plural_s ? "" : "s");
    }
}

void tn_report_found(tn_runner *run)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    const tn_project *p = run->project;
    size_t counts[TN_NODE_KINDS] = { 0 };
    static const struct {
        tn_node_kind kind;
        const char *one, *many;
    } words[] = { { TN_NODE_MODEL, "model", "models" },
        { TN_NODE_ANALYSIS, "analysis", "analyses" }, { TN_NODE_SNAPSHOT, "snapshot", "snapshots" },
        { TN_NODE_TEST, "test", "data tests" }, { TN_NODE_SEED, "seed", "seeds" }, /* dbt's words */
        { TN_NODE_OPERATION, "operation", "operations" }, { TN_NODE_SOURCE, "source", "sources" },
        { TN_NODE_EXPOSURE, "exposure", "exposures" }, { TN_NODE_METRIC, "metric", "metrics" } };
    static const struct {
        tn_node_kind kind;
        const char *one, *many;
    } tail[] = { { TN_NODE_SAVED_QUERY, "saved query", "saved queries" },
        { TN_NODE_SEMANTIC_MODEL, "semantic model", "semantic models" },
        { TN_NODE_UNIT_TEST, "unit test", "unit tests" },
        { TN_NODE_FUNCTION, "function", "functions" } };
    for (size_t i = 0; i < p->nodes.n; i++) {
        counts[p->nodes.v[i]->kind] += p->nodes.v[i] != p->inline_query;
    }
    tn_buf b = tn_buf_init(a, 4096);
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        size_t n = counts[words[i].kind];
        add_count(&b, n, n == 1 ? words[i].one : words[i].many, false);
    }
    add_count(&b, p->macros.n, "macro", true);
    for (size_t i = 0; i < TN_COUNTOF(tail); i++) {
        size_t n = counts[tail[i].kind];
        add_count(&b, n, n == 1 ? tail[i].one : tail[i].many, false);
    }
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "stat_line", tn_val_str(tn_buf_str(&b)));
    tn_event(run->events, TN_EV_INFO, "FoundStats", "W006", data, "Found " TN_STR_FMT,
        TN_STR_ARG(tn_buf_str(&b)));
}

void tn_run_tell_found(tn_project *p, tn_events *events)
{
    tn_runner run = { .project = p, .events = events };
    tn_report_found(&run);
}

typedef struct finished {
    tn_str key;  /* dbt sorts by these: project hook, seed, table model, test, view model */
    tn_str what; /* and shows these */
    size_t n;
} finished;

static tn_str finished_key(tn_arena *a, const tn_node *n)
{
    if (n->kind == TN_NODE_MODEL) {
        return tn_str_printf(a, TN_STR_FMT " model", TN_STR_ARG(tn_report_materialized(n)));
    }
    return tn_str_of(tn_node_kind_name(n->kind));
}

static void count_kind(finished *list, size_t *n, tn_str key, tn_str what)
{
    size_t at = 0;
    while (at < *n && tn_str_cmp(list[at].key, key) < 0) {
        at++;
    }
    if (at == *n || !tn_str_eq(list[at].key, key)) {
        memmove(list + at + 1, list + at, (*n - at) * sizeof *list);
        list[at] = (finished){ .key = key, .what = what };
        ++*n;
    }
    list[at].n++;
}

/* "3 seeds, 2 table models, 20 data tests". */
static tn_str finished_counts(tn_runner *run, tn_arena *a)
{
    tn_buf b = tn_buf_init(a, 4096);
    finished *list = tn_new_array(a, finished, run->plan.n + 2);
    size_t n = 0;
    for (size_t i = 0; i < run->hooks.n; i++) {
        count_kind(list, &n, TN_STR("project hook"), TN_STR("project hook"));
    }
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node *node = run->plan.v[i];
        tn_str key = finished_key(a, node);
        count_kind(list, &n, key,
            node->kind == TN_NODE_TEST        ? TN_STR("test")
            : node->kind == TN_NODE_UNIT_TEST ? TN_STR("unit test")
                                              : key);
    }
    for (size_t i = 0; i < n; i++) { /* dbt's words: "1 test", "2 data tests" */
        bool tests = tn_str_is(list[i].what, "test") && list[i].n > 1;
        add_count(&b, list[i].n,
            tests ? "data test"
                  : tn_str_z(a, tn_str_replace(a, list[i].what, TN_STR("_"), TN_STR(" "))),
            true);
    }
    return tn_buf_str(&b);
}

static void count_one(tn_run_report *ret, tn_status s)
{
    ret->pass += s == TN_ST_SUCCESS || s == TN_ST_PASS;
    ret->warn += s == TN_ST_WARN;
    ret->error += s == TN_ST_ERROR || s == TN_ST_FAIL || s == TN_ST_PARTIAL;
    ret->partial += s == TN_ST_PARTIAL;
    ret->skip += s == TN_ST_SKIPPED || s == TN_ST_NONE;
    ret->no_op += s == TN_ST_NO_OP;
}

static void blank(tn_runner *run)
{
    tn_event(run->events, TN_EV_INFO, "Formatting", "Z017", TN_VAL_UNDEF, "%s", "");
}

/* Where the rows of a failed test are kept. */
static void report_stored(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    if (r->node->kind != TN_NODE_TEST || r->status == TN_ST_ERROR ||
        r->node->relation_name.n == 0 || !tn_runner_stores_failures(run, r->node)) {
        return;
    }
    tn_str query =
        tn_str_printf(a, "select * from " TN_STR_FMT, TN_STR_ARG(r->node->relation_name));
    tn_buf rule = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_add_repeat(&rule, '-', query.n);
    tn_val data = tn_report_data(a, r, NULL);
    tn_dict_putz(data.dict, "relation_name", tn_val_str(r->node->relation_name));
    blank(run);
    tn_event(run->events, TN_EV_INFO, "CheckNodeTestFailure", "Z027", data,
        "  See test failures:\n  " TN_STR_FMT "\n  " TN_STR_FMT "\n  " TN_STR_FMT,
        TN_STR_ARG(tn_buf_str(&rule)), TN_STR_ARG(query), TN_STR_ARG(tn_buf_str(&rule)));
}

static void report_message(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    bool warn = r->status == TN_ST_WARN,
         stale = r->node->kind == TN_NODE_SOURCE && r->status == TN_ST_FAIL;
    tn_val data = tn_report_data(a, r, NULL);
    tn_report_put_group(run, a, data, r->node);
    if (stale) {
        tn_dict_putz(data.dict, "status", tn_val_z("error"));
        tn_event(
            run->events, TN_EV_ERROR, "RunResultErrorNoMessage", "Z025", data, "  Status: error");
        return;
    }
    tn_dict_putz(data.dict, "msg", tn_val_str(r->message));
    tn_event(run->events, warn ? TN_EV_WARN : TN_EV_ERROR,
        warn ? "RunResultWarningMessage" : "RunResultError", warn ? "Z046" : "Z024", data,
        "%s" TN_STR_FMT, warn ? "[WARNING]: " : "  ", TN_STR_ARG(r->message));
}

static tn_str shown_path(const tn_runner *run, tn_arena *a, tn_str path)
{
    tn_str root = tn_str_printf(a, TN_STR_FMT "/", TN_STR_ARG(run->project->root));
    path = tn_str_starts(path, root) ? tn_str_sub(path, root.n, path.n) : path;
    return tn_str_starts(path, TN_STR("./")) ? tn_str_sub(path, 2, path.n) : path;
}

/* The line of the compiled code that the database's message is about, as editors and terminals open places. */
static void report_spot(tn_runner *run, tn_arena *a, const tn_node_result *r, tn_str path)
{
    tn_sql_spot spot;
    if (r->status != TN_ST_ERROR || !tn_sql_place(r->message, r->compiled_code, &spot)) {
        return;
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addf(&b, "  --> " TN_STR_FMT ":%zu:%zu\n%6zu | " TN_STR_FMT "\n       | ",
        TN_STR_ARG(path), spot.line, spot.col, spot.line, TN_STR_ARG(spot.text));
    for (size_t i = 0; i + 1 < spot.col && i < spot.text.n; i++) {
        tn_buf_addc(&b, spot.text.p[i] == '\t' ? '\t' : ' ');
    }
    tn_buf_add(&b, tn_events_paint(run->events, a, TN_EV_ERROR, false, TN_STR("^")));
    tn_event(run->events, TN_EV_INFO, "SQLPlace", "Z026", tn_report_data(a, r, NULL), TN_STR_FMT,
        TN_STR_ARG(tn_buf_str(&b)));
}

static void report_problem(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    bool warn = r->status == TN_ST_WARN;
    tn_val data = tn_report_data(a, r, NULL);
    tn_report_put_group(run, a, data, r->node);
    tn_dict_putz(data.dict, "node_name", tn_val_str(r->node->name));
    tn_dict_putz(data.dict, "path", tn_val_str(r->node->original_file_path));
    tn_dict_putz(data.dict, "resource_type", tn_val_z(tn_node_kind_name(r->node->kind)));
    blank(run);
    if (r->node->kind != TN_NODE_SOURCE || r->status != TN_ST_ERROR) {
        tn_event(run->events, warn ? TN_EV_WARN : TN_EV_ERROR,
            warn ? "RunResultWarning" : "RunResultFailure", warn ? "Z021" : "Z022", data,
            "[%s]: in " TN_STR_FMT, warn ? "WARNING" : "ERROR",
            TN_STR_ARG(tn_node_where(a, r->node)));
    }
    report_message(run, a, r);
    if (r->compiled_path.n > 0 && r->compiled_code.p != NULL) {
        tn_str path = shown_path(run, a, r->compiled_path);
        tn_val place = tn_report_data(a, r, NULL);
        tn_dict_putz(place.dict, "path", tn_val_str(path));
        blank(run);
        tn_event(run->events, TN_EV_INFO, "SQLCompiledPath", "Z026", place,
            "  compiled code at " TN_STR_FMT, TN_STR_ARG(path));
        report_spot(run, a, r, path);
    }
    report_stored(run, a, r);
}

static void report_finished(tn_runner *run, tn_arena *a)
{
    double total = (double)(tn_clock_now_us() - run->started_us) / 1e6;
    int hours = (int)(total / 3600), minutes = (int)(total / 60) % 60;
    tn_str counts = finished_counts(run, a);
    tn_str time = tn_str_printf(a, " in %d hours %d minutes and %.2f seconds", hours, minutes,
        total - hours * 3600 - minutes * 60);
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "stat_line", tn_val_str(counts));
    tn_dict_putz(data.dict, "execution", tn_val_str(time));
    tn_dict_putz(data.dict, "execution_time", tn_val_float(total));
    blank(run);
    tn_event(run->events, TN_EV_INFO, "FinishedRunningStats", "E047", data,
        "Finished running " TN_STR_FMT TN_STR_FMT " (%.2fs).", TN_STR_ARG(counts), TN_STR_ARG(time),
        total);
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static tn_str outcome(tn_runner *run, tn_arena *a, const tn_run_report *ret)
{
    int64_t errors = ret->error - ret->partial;
    tn_str partial = tn_str_printf(
        a, "%lld partial success%s", (long long)ret->partial, ret->partial == 1 ? "" : "es");
    if (errors > 0) {
        return tn_events_paint(run->events, a, TN_EV_ERROR, false,
            tn_str_printf(a, "Completed with %lld error%s, " TN_STR_FMT ", and %lld warning%s:",
                (long long)errors, plural(errors), TN_STR_ARG(partial), (long long)ret->warn,
                plural(ret->warn)));
    }
    if (ret->partial > 0) {
        return tn_events_paint(run->events, a, TN_EV_WARN, false,
            tn_str_printf(a, "Completed with " TN_STR_FMT " and %lld warning%s",
                TN_STR_ARG(partial), (long long)ret->warn, plural(ret->warn)));
    }
    if (ret->warn > 0) {
        return tn_events_paint(run->events, a, TN_EV_WARN, false,
            tn_str_printf(
                a, "Completed with %lld warning%s:", (long long)ret->warn, plural(ret->warn)));
    }
    return tn_events_paint(run->events, a, TN_EV_INFO, true,
        run->interrupted ? TN_STR("Exited because of keyboard interrupt")
                         : TN_STR("Completed successfully"));
}

/* "Completed successfully", or with what. */
static void report_outcome(tn_runner *run, tn_arena *a, const tn_run_report *ret)
{
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "num_errors", tn_val_int(ret->error - ret->partial));
    tn_dict_putz(data.dict, "num_warnings", tn_val_int(ret->warn));
    tn_dict_putz(data.dict, "num_partial_success", tn_val_int(ret->partial));
    tn_dict_putz(data.dict, "keyboard_interrupt", tn_val_bool(run->interrupted));
    tn_event(run->events, TN_EV_INFO, "EndOfRunSummary", "Z030", data, TN_STR_FMT,
        TN_STR_ARG(outcome(run, a, ret)));
}

void tn_report_summary(tn_runner *run, tn_run_report *ret)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    int64_t yielded = 0;
    for (size_t i = 0; i < run->plan.n; i++) {
        count_one(ret, run->results[i].status);
        yielded += run->results[i].yielded;
    }
    for (size_t i = 0; i < run->hooks.n; i++) {
        count_one(ret, run->hooks.v[i].status);
    }
    ret->failed = ret->error > 0 || ret->skip > yielded;
    if (tn_report_is_look(run)) {
        for (size_t i = 0; i < run->plan.n; i++) {
            if (run->results[i].status == TN_ST_ERROR) {
                report_problem(run, a, &run->results[i]);
            }
        }
        return;
    }
    if (run->opts->verb != TN_VERB_CLONE) {
        report_finished(run, a);
    }
    if (run->opts->verb == TN_VERB_FRESHNESS) {
        for (size_t i = 0; i < run->order_count; i++) {
            tn_status s = run->results[run->order[i]].status;
            if (s == TN_ST_ERROR || s == TN_ST_FAIL) {
                report_problem(run, a, &run->results[run->order[i]]);
            }
        }
        tn_event(
            run->events, TN_EV_INFO, "FreshnessCheckComplete", "Q003", tn_val_dict(a), "Done.");
        return;
    }
    blank(run);
    report_outcome(run, a, ret);
    for (int warnings = 0; warnings < 2; warnings++) { /* errors first */
        for (size_t i = 0; i < run->hooks.n + run->order_count; i++) {
            const tn_node_result *r =
                i < run->hooks.n ? &run->hooks.v[i] : &run->results[run->order[i - run->hooks.n]];
            bool bad = r->status == TN_ST_ERROR || r->status == TN_ST_FAIL;
            if (warnings ? r->status == TN_ST_WARN : bad) {
                report_problem(run, a, r);
            }
        }
    }
    tn_val data = tn_val_dict(a), stats = tn_val_dict(a);
    int64_t total = ret->pass + ret->warn + ret->error + ret->skip + ret->no_op;
    const struct {
        const char *name;
        int64_t n;
    } pairs[] = { { "error", ret->error }, { "noop", ret->no_op }, { "pass", ret->pass },
        { "reused", 0 }, { "skip", ret->skip }, { "total", total }, { "warn", ret->warn } };
    for (size_t i = 0; i < TN_COUNTOF(pairs); i++) {
        tn_dict_putz(stats.dict, pairs[i].name, tn_val_int(pairs[i].n));
    }
    tn_dict_putz(data.dict, "stats", stats);
    blank(run);
    tn_event(run->events, TN_EV_INFO, "StatsLine", "Z023", data,
        "Done. PASS=%lld WARN=%lld ERROR=%lld SKIP=%lld NO-OP=%lld REUSED=0 TOTAL=%lld",
        (long long)ret->pass, (long long)ret->warn, (long long)ret->error, (long long)ret->skip,
        (long long)ret->no_op, (long long)total);
}
