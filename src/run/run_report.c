/* run_report.c: what a run says: dbt 1.12's lines and events, and run_results.json. */
#include "os/clock.h"
#include "os/file.h"
#include "project/manifest.h"
#include "run/runner.h"
#include "text/json.h"
#include "text/timetext.h"

enum { LINE_WIDTH = 80, PRINTER_WIDTH_MAX = 10000 };

const char *tn_status_name(tn_status s)
{
    static const char *const names[] = { "none", "success", "pass", "warn", "fail", "error",
        "skipped", "no-op", "partial success" };
    return names[s];
}

tn_str tn_node_where(tn_arena *a, const tn_node *n)
{
    return tn_str_printf(a, "%s " TN_STR_FMT " (" TN_STR_FMT ")", tn_node_kind_name(n->kind),
        TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path));
}

static tn_str iso(tn_arena *a, int64_t us, const char *suffix)
{
    tn_buf b = tn_buf_init(a, 64);
    if (us > 0) {
        tn_iso_micros(&b, us, 6, 'T', suffix);
    }
    return tn_buf_str(&b);
}

static tn_str materialized_of(const tn_node *n)
{
    return tn_node_config_str(
        n, "materialized", n->kind == TN_NODE_OPERATION ? TN_STR("table") : TN_STR("view"));
}

static tn_val node_info(tn_arena *a, const tn_node_result *r)
{
    const tn_node *n = r->node;
    tn_val d = tn_val_dict(a), rel = tn_val_dict(a), meta = tn_node_config(n, "meta");
    bool started = r->status == TN_ST_NONE;
    tn_dict_putz(d.dict, "materialized", tn_val_str(materialized_of(n)));
    tn_dict_putz(d.dict, "meta", meta.tag == TN_DICT ? meta : tn_val_dict(a));
    tn_dict_putz(d.dict, "node_checksum", tn_val_str(n->checksum));
    tn_dict_putz(d.dict, "node_finished_at", tn_val_str(iso(a, r->finished_us, "")));
    tn_dict_putz(d.dict, "node_name", tn_val_str(n->name));
    tn_dict_putz(d.dict, "node_path", tn_val_str(n->path));
    tn_dict_putz(rel.dict, "alias", tn_val_str(n->alias));
    tn_dict_putz(rel.dict, "database", tn_val_str(n->database));
    tn_dict_putz(rel.dict, "relation_name", tn_val_str(n->relation_name));
    tn_dict_putz(rel.dict, "schema", tn_val_str(n->schema));
    tn_dict_putz(d.dict, "node_relation", rel);
    tn_dict_putz(d.dict, "node_started_at", tn_val_str(iso(a, r->started_us, "")));
    tn_dict_putz(d.dict, "node_status", tn_val_z(started ? "started" : tn_status_name(r->status)));
    tn_dict_putz(d.dict, "resource_type", tn_val_z(tn_node_kind_name(n->kind)));
    tn_dict_putz(d.dict, "unique_id", tn_val_str(n->unique_id));
    return d;
}

static size_t printer_width(const tn_runner *run)
{
    tn_val flags = { .tag = TN_DICT, .dict = run->project->flags },
           v = tn_val_at(flags, "PRINTER_WIDTH");
    return v.tag == TN_INT && v.i >= 0 && v.i <= PRINTER_WIDTH_MAX ? (size_t)v.i : LINE_WIDTH;
}

/* "1 of 28 OK created ... ........ [OK in 0.03s]" */
static tn_str fancy_line(
    const tn_runner *run, tn_arena *a, size_t index, size_t total, tn_str text, tn_str status)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addf(&b, "%zu of %zu " TN_STR_FMT " ", index, total, TN_STR_ARG(text));
    size_t width = tn_utf8_len(tn_buf_str(&b)), full = printer_width(run);
    tn_buf_add_repeat(&b, '.', width < full ? full - width : 0);
    tn_buf_addf(&b, " [" TN_STR_FMT "]", TN_STR_ARG(status));
    return tn_buf_str(&b);
}

/* A unit test is shown with its model: "orders::adds_up". */
static tn_str test_name(tn_arena *a, const tn_node *n)
{
    if (n->kind != TN_NODE_UNIT_TEST || n->parents.n == 0) {
        return n->name;
    }
    return tn_str_printf(
        a, TN_STR_FMT "::" TN_STR_FMT, TN_STR_ARG(n->parents.v[0]->name), TN_STR_ARG(n->name));
}

/* "sql table model main.orders", "seed file main.x", "test unique_a_id" */
static tn_str description(tn_arena *a, const tn_node *n)
{
    tn_str schema = n->schema, alias = n->alias;
    switch (n->kind) {
    case TN_NODE_SEED:
        return tn_str_printf(
            a, "seed file " TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(schema), TN_STR_ARG(alias));
    case TN_NODE_SNAPSHOT:
        return tn_str_printf(
            a, "snapshot " TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(schema), TN_STR_ARG(alias));
    case TN_NODE_TEST:
        return tn_str_printf(a, "test " TN_STR_FMT, TN_STR_ARG(n->name));
    case TN_NODE_SOURCE:
        return tn_str_printf(a, "freshness of " TN_STR_FMT "." TN_STR_FMT,
            TN_STR_ARG(n->source->source_name), TN_STR_ARG(n->name));
    case TN_NODE_UNIT_TEST:
        return tn_str_printf(a, "unit_test " TN_STR_FMT, TN_STR_ARG(test_name(a, n)));
    case TN_NODE_MODEL:
        return tn_str_printf(a, TN_STR_FMT " " TN_STR_FMT " model " TN_STR_FMT "." TN_STR_FMT,
            TN_STR_ARG(n->language.n > 0 ? n->language : TN_STR("sql")),
            TN_STR_ARG(tn_node_is_microbatch(n) ? TN_STR("microbatch") : materialized_of(n)),
            TN_STR_ARG(schema), TN_STR_ARG(alias));
    default:
        return tn_str_printf(a, "%s " TN_STR_FMT, tn_node_kind_name(n->kind), TN_STR_ARG(n->name));
    }
}

static bool quiet_verb(const tn_runner *run)
{
    return run->opts->verb == TN_VERB_COMPILE || run->opts->verb == TN_VERB_SHOW;
}

/* A clone has no line of its own: what there is to say, its macro says. */
static bool untold(const tn_runner *run)
{
    return quiet_verb(run) || run->opts->verb == TN_VERB_CLONE;
}

void tn_report_start(tn_runner *run, const tn_node_result *r)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_val_dict(a);
    tn_node_result starting = *r;
    starting.started_us = tn_clock_now_us();
    tn_dict_putz(data.dict, "node_info", node_info(a, &starting));
    tn_event(run->events, TN_EV_DEBUG, "NodeStart", "Q024", data, "Began running node " TN_STR_FMT,
        TN_STR_ARG(r->node->unique_id));
    if (untold(run) || r->node->kind == TN_NODE_EXPOSURE || r->node->kind == TN_NODE_SAVED_QUERY) {
        return;
    }
    tn_str text = description(a, r->node);
    tn_dict_putz(data.dict, "description", tn_val_str(text));
    tn_dict_putz(data.dict, "index", tn_val_int((int64_t)r->index));
    tn_dict_putz(data.dict, "total", tn_val_int((int64_t)run->plan.n));
    tn_str line = fancy_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, "START " TN_STR_FMT, TN_STR_ARG(text)), TN_STR("RUN"));
    tn_event(run->events, TN_EV_INFO, "LogStartLine", "Q011", data, TN_STR_FMT, TN_STR_ARG(line));
}

void tn_report_stage(tn_runner *run, const tn_node_result *r, bool executing)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_val_dict(a), info = node_info(a, r);
    tn_dict_putz(info.dict, "node_status", tn_val_z(executing ? "executing" : "compiling"));
    tn_dict_putz(data.dict, "node_info", info);
    tn_event(run->events, TN_EV_DEBUG, executing ? "NodeExecuting" : "NodeCompiling",
        executing ? "Q031" : "Q030", data, "Began %s node " TN_STR_FMT,
        executing ? "executing" : "compiling", TN_STR_ARG(r->node->unique_id));
}

static double seconds(const tn_node_result *r)
{
    return (double)(r->finished_us - r->started_us) / 1e6;
}

static void report_skip(tn_runner *run, tn_arena *a, const tn_node_result *r, tn_val data)
{
    const tn_node *n = r->node;
    tn_str text = tn_node_is_refable(n)
                      ? tn_str_printf(a, "SKIP relation " TN_STR_FMT "." TN_STR_FMT,
                            TN_STR_ARG(n->schema), TN_STR_ARG(n->alias))
                      : tn_str_printf(a, "SKIP %s " TN_STR_FMT, tn_node_kind_name(n->kind),
                            TN_STR_ARG(n->name));
    tn_dict_putz(data.dict, "node_name", tn_val_str(n->name));
    tn_dict_putz(data.dict, "resource_type", tn_val_z(tn_node_kind_name(n->kind)));
    tn_dict_putz(data.dict, "schema", tn_val_str(n->schema));
    tn_str line = fancy_line(run, a, r->index, run->plan.n, text,
        tn_events_paint(run->events, a, TN_EV_WARN, false, TN_STR("SKIP")));
    tn_event(
        run->events, TN_EV_INFO, "SkippingDetails", "Q034", data, TN_STR_FMT, TN_STR_ARG(line));
}

static tn_str test_word(tn_arena *a, const tn_node_result *r)
{
    switch (r->status) {
    case TN_ST_PASS:
        return TN_STR("PASS");
    case TN_ST_WARN:
        return tn_str_printf(a, "WARN %lld", (long long)r->failures);
    case TN_ST_FAIL:
        return tn_str_printf(a, "FAIL %lld", (long long)r->failures);
    default:
        return TN_STR("ERROR");
    }
}

static tn_ev_level level_of(tn_status s)
{
    return s == TN_ST_ERROR || s == TN_ST_FAIL     ? TN_EV_ERROR
           : s == TN_ST_WARN || s == TN_ST_PARTIAL ? TN_EV_WARN
                                                   : TN_EV_INFO;
}

static void report_test(tn_runner *run, tn_arena *a, const tn_node_result *r, tn_val data)
{
    tn_str word = test_word(a, r);
    tn_str status = tn_str_printf(a, TN_STR_FMT " in %.2fs",
        TN_STR_ARG(tn_events_paint(run->events, a, level_of(r->status), true, word)), seconds(r));
    const tn_node *attached = r->node->test != NULL ? r->node->test->attached : NULL;
    tn_dict_putz(data.dict, "attached_node",
        attached != NULL ? tn_val_str(attached->unique_id) : tn_val_z(""));
    tn_dict_putz(data.dict, "name", tn_val_str(r->node->name));
    tn_dict_putz(data.dict, "num_failures", tn_val_int(r->failures < 0 ? 0 : r->failures));
    tn_dict_putz(data.dict, "num_models", tn_val_int((int64_t)run->plan.n));
    tn_str line = fancy_line(run, a, r->index, run->plan.n,
        tn_str_printf(
            a, TN_STR_FMT " " TN_STR_FMT, TN_STR_ARG(word), TN_STR_ARG(test_name(a, r->node))),
        status);
    tn_event(run->events, level_of(r->status), "LogTestResult", "Q007", data, TN_STR_FMT,
        TN_STR_ARG(line));
}

static void report_freshness(tn_runner *run, tn_arena *a, const tn_node_result *r, tn_val data)
{
    const char *word = r->status == TN_ST_PASS   ? "PASS"
                       : r->status == TN_ST_WARN ? "WARN"
                       : r->status == TN_ST_FAIL ? "ERROR STALE"
                                                 : "ERROR";
    tn_str status = tn_str_printf(a, TN_STR_FMT " in %.2fs",
        TN_STR_ARG(tn_events_paint(run->events, a, level_of(r->status), true, tn_str_of(word))),
        seconds(r));
    tn_dict_putz(data.dict, "source_name", tn_val_str(r->node->source->source_name));
    tn_dict_putz(data.dict, "table_name", tn_val_str(r->node->name));
    tn_dict_putz(data.dict, "total", tn_val_int((int64_t)run->plan.n));
    tn_str line = fancy_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, "%s " TN_STR_FMT, word, TN_STR_ARG(description(a, r->node))), status);
    tn_event(run->events, level_of(r->status), "LogFreshnessResult", "Q018", data, TN_STR_FMT,
        TN_STR_ARG(line));
}

static void report_made(tn_runner *run, tn_arena *a, const tn_node_result *r, tn_val data)
{
    const tn_node *n = r->node;
    bool ok = r->status == TN_ST_SUCCESS, partial = r->status == TN_ST_PARTIAL;
    const char *verb = partial                       ? "created"
                       : n->kind == TN_NODE_SEED     ? (ok ? "loaded" : "loading")
                       : n->kind == TN_NODE_SNAPSHOT ? (ok ? "snapshotted" : "snapshotting")
                       : ok                          ? "created"
                                                     : "creating";
    tn_str text = description(a, n);
    if (n->kind == TN_NODE_SNAPSHOT) {
        text = tn_str_sub(text, sizeof "snapshot " - 1, text.n);
    }
    tn_str word = ok || partial ? r->message : TN_STR("ERROR");
    tn_str status = tn_str_printf(a, TN_STR_FMT " in %.2fs",
        TN_STR_ARG(tn_events_paint(run->events, a, level_of(r->status), true, word)), seconds(r));
    tn_dict_putz(data.dict, "description", tn_val_str(text));
    tn_dict_putz(data.dict, "total", tn_val_int((int64_t)run->plan.n));
    const char *event = n->kind == TN_NODE_SEED       ? "LogSeedResult"
                        : n->kind == TN_NODE_SNAPSHOT ? "LogSnapshotResult"
                                                      : "LogModelResult";
    const char *code = n->kind == TN_NODE_SEED       ? "Q016"
                       : n->kind == TN_NODE_SNAPSHOT ? "Q015"
                                                     : "Q012";
    tn_str line = fancy_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, "%s %s " TN_STR_FMT,
            ok        ? "OK"
            : partial ? "PARTIALLY"
                      : "ERROR",
            verb, TN_STR_ARG(text)),
        status);
    tn_event(run->events, level_of(r->status), event, code, data, TN_STR_FMT, TN_STR_ARG(line));
}

void tn_report_end(tn_runner *run, const tn_node_result *r)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "node_info", node_info(a, r));
    if (!untold(run)) {
        tn_dict_putz(data.dict, "index", tn_val_int((int64_t)r->index));
        tn_dict_putz(data.dict, "execution_time", tn_val_float(seconds(r)));
        tn_dict_putz(data.dict, "status", tn_val_z(tn_status_name(r->status)));
        if (r->status == TN_ST_SKIPPED) {
            report_skip(run, a, r, data);
        } else if (r->status == TN_ST_NO_OP) {
            tn_str line = fancy_line(run, a, r->index, run->plan.n,
                tn_str_printf(a, "NO-OP " TN_STR_FMT, TN_STR_ARG(description(a, r->node))),
                tn_str_printf(a, TN_STR_FMT " in %.2fs",
                    TN_STR_ARG(tn_events_paint(run->events, a, TN_EV_WARN, false, TN_STR("NO-OP"))),
                    seconds(r)));
            tn_event(run->events, TN_EV_INFO, "LogNodeNoOpResult", "Q019", data, TN_STR_FMT,
                TN_STR_ARG(line));
        } else if (r->node->kind == TN_NODE_TEST || r->node->kind == TN_NODE_UNIT_TEST) {
            report_test(run, a, r, data);
        } else if (r->node->kind == TN_NODE_SOURCE) {
            report_freshness(run, a, r, data);
        } else {
            report_made(run, a, r, data);
        }
    }
    tn_dict_putz(data.dict, "run_result", tn_node_result_val(run, a, r));
    tn_event(run->events, TN_EV_DEBUG, "NodeFinished", "Q025", data,
        "Finished running node " TN_STR_FMT, TN_STR_ARG(r->node->unique_id));
}

void tn_report_batch(tn_runner *run, const tn_node_result *r, tn_str name, size_t total, bool end)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_val_dict(a);
    const char *word = !end                         ? "START"
                       : r->status == TN_ST_ERROR   ? "ERROR creating"
                       : r->status == TN_ST_SKIPPED ? "SKIP"
                                                    : "OK created";
    tn_str status = r->status == TN_ST_ERROR     ? TN_STR("ERROR")
                    : r->status == TN_ST_SKIPPED ? TN_STR("SKIPPED")
                                                 : r->message;
    tn_dict_putz(data.dict, "node_info", node_info(a, r));
    tn_dict_putz(data.dict, "description", tn_val_str(name));
    tn_dict_putz(data.dict, "batch_index", tn_val_int((int64_t)r->index));
    tn_dict_putz(data.dict, "total_batches", tn_val_int((int64_t)total));
    if (end) {
        tn_dict_putz(data.dict, "status", tn_val_str(status));
        tn_dict_putz(data.dict, "execution_time", tn_val_float(seconds(r)));
        status = tn_str_printf(a, TN_STR_FMT " in %.2fs",
            TN_STR_ARG(tn_events_paint(run->events, a,
                r->status == TN_ST_SKIPPED ? TN_EV_WARN : level_of(r->status),
                r->status != TN_ST_SKIPPED, status)),
            seconds(r));
    }
    tn_str line = fancy_line(run, a, r->index, total,
        tn_str_printf(a, "%s " TN_STR_FMT, word, TN_STR_ARG(name)), end ? status : TN_STR("RUN"));
    tn_event(run->events, end ? level_of(r->status) : TN_EV_INFO,
        end ? "LogBatchResult" : "LogStartBatch", end ? "Q046" : "Q045", data, "Batch " TN_STR_FMT,
        TN_STR_ARG(line));
}

/* p-on-run-end-0 is shown as p.on-run-end.0. */
tn_str tn_hook_name(tn_arena *a, const tn_node *n)
{
    tn_str name = tn_str_replace(a, n->name, TN_STR("-on-run-"), TN_STR(".on-run-"));
    size_t dash = tn_str_rfind_char(name, '-');
    return dash == SIZE_MAX
               ? name
               : tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(tn_str_sub(name, 0, dash)),
                     TN_STR_ARG(tn_str_sub(name, dash + 1, name.n)));
}

void tn_report_hook(tn_runner *run, const tn_node_result *r, size_t index, size_t total, bool end)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_val_dict(a);
    tn_str name = tn_hook_name(a, r->node);
    bool ok = r->status == TN_ST_SUCCESS;
    tn_dict_putz(data.dict, "node_info", node_info(a, r));
    tn_dict_putz(data.dict, "index", tn_val_int((int64_t)index));
    tn_dict_putz(data.dict, "total", tn_val_int((int64_t)total));
    tn_dict_putz(data.dict, "statement", tn_val_str(name));
    tn_str status = !end ? TN_STR("RUN")
                         : tn_str_printf(a, TN_STR_FMT " in %.2fs",
                               TN_STR_ARG(tn_events_paint(run->events, a, level_of(r->status), true,
                                   ok ? TN_STR("OK") : TN_STR("ERROR"))),
                               seconds(r));
    tn_str line = fancy_line(run, a, index, total,
        tn_str_printf(a, "%s hook: " TN_STR_FMT,
            !end ? "START"
            : ok ? "OK"
                 : "ERROR",
            TN_STR_ARG(name)),
        status);
    tn_event(run->events, end ? level_of(r->status) : TN_EV_INFO,
        end ? "LogHookEndLine" : "LogHookStartLine", end ? "Q033" : "Q032", data, TN_STR_FMT,
        TN_STR_ARG(line));
}

/* ---- counting ---- */

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
        { TN_NODE_TEST, "data test", "data tests" }, { TN_NODE_SEED, "seed", "seeds" },
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

typedef struct finished {
    tn_str key;  /* dbt sorts by these: project hook, seed, table model, test, view model */
    tn_str what; /* and shows these */
    size_t n;
} finished;

static tn_str finished_key(tn_arena *a, const tn_node *n)
{
    if (n->kind == TN_NODE_MODEL) {
        return tn_str_printf(a, TN_STR_FMT " model", TN_STR_ARG(materialized_of(n)));
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

static void line(tn_runner *run, tn_ev_level level, const char *name, const char *code, tn_str text)
{
    tn_event(run->events, level, name, code, TN_VAL_UNDEF, TN_STR_FMT, TN_STR_ARG(text));
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
    line(run, TN_EV_INFO, "Formatting", "Z017", TN_STR(""));
    line(run, TN_EV_INFO, "CheckNodeTestFailure", "Z027",
        tn_str_printf(a, "  See test failures:\n  " TN_STR_FMT "\n  " TN_STR_FMT "\n  " TN_STR_FMT,
            TN_STR_ARG(tn_buf_str(&rule)), TN_STR_ARG(query), TN_STR_ARG(tn_buf_str(&rule))));
}

static void report_problem(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    bool warn = r->status == TN_ST_WARN;
    tn_ev_level level = warn ? TN_EV_WARN : TN_EV_ERROR;
    line(run, TN_EV_INFO, "Formatting", "Z017", TN_STR(""));
    line(run, level, warn ? "RunResultWarning" : "RunResultFailure", "Z021",
        tn_str_printf(a, "[%s]: in " TN_STR_FMT, warn ? "WARNING" : "ERROR",
            TN_STR_ARG(tn_node_where(a, r->node))));
    line(run, level, warn ? "RunResultWarningMessage" : "RunResultError", "Z024",
        warn ? tn_str_printf(a, "[WARNING]: " TN_STR_FMT, TN_STR_ARG(r->message))
             : tn_str_printf(a, "  " TN_STR_FMT, TN_STR_ARG(r->message)));
    if (r->compiled_path.n > 0 && r->compiled_code.p != NULL) {
        tn_str path = r->compiled_path,
               root = tn_str_printf(a, TN_STR_FMT "/", TN_STR_ARG(run->project->root));
        path = tn_str_starts(path, root) ? tn_str_sub(path, root.n, path.n) : path;
        path = tn_str_starts(path, TN_STR("./")) ? tn_str_sub(path, 2, path.n) : path;
        line(run, TN_EV_INFO, "Formatting", "Z017", TN_STR(""));
        line(run, TN_EV_INFO, "SQLCompiledPath", "Z026",
            tn_str_printf(a, "  compiled code at " TN_STR_FMT, TN_STR_ARG(path)));
    }
    report_stored(run, a, r);
}

static void report_finished(tn_runner *run, tn_arena *a)
{
    double total = (double)(tn_clock_now_us() - run->started_us) / 1e6;
    int hours = (int)(total / 3600), minutes = (int)(total / 60) % 60;
    tn_str counts = finished_counts(run, a);
    line(run, TN_EV_INFO, "Formatting", "Z017", TN_STR(""));
    line(run, TN_EV_INFO, "FinishedRunningStats", "E047",
        tn_str_printf(a,
            "Finished running " TN_STR_FMT " in %d hours %d minutes and %.2f seconds (%.2fs).",
            TN_STR_ARG(counts), hours, minutes, total - hours * 3600 - minutes * 60, total));
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* "Completed successfully", or with what. */
static void report_outcome(tn_runner *run, tn_arena *a, const tn_run_report *ret)
{
    int64_t errors = ret->error - ret->partial;
    tn_str partial = tn_str_printf(
        a, "%lld partial success%s", (long long)ret->partial, ret->partial == 1 ? "" : "es");
    if (errors > 0) {
        line(run, TN_EV_INFO, "EndOfRunSummary", "Z030",
            tn_events_paint(run->events, a, TN_EV_ERROR, false,
                tn_str_printf(a, "Completed with %lld error%s, " TN_STR_FMT ", and %lld warning%s:",
                    (long long)errors, plural(errors), TN_STR_ARG(partial), (long long)ret->warn,
                    plural(ret->warn))));
    } else if (ret->partial > 0) {
        line(run, TN_EV_INFO, "EndOfRunSummary", "Z030",
            tn_events_paint(run->events, a, TN_EV_WARN, false,
                tn_str_printf(a, "Completed with " TN_STR_FMT " and %lld warning%s",
                    TN_STR_ARG(partial), (long long)ret->warn, plural(ret->warn))));
    } else if (ret->warn > 0) {
        line(run, TN_EV_INFO, "EndOfRunSummary", "Z030",
            tn_events_paint(run->events, a, TN_EV_WARN, false,
                tn_str_printf(
                    a, "Completed with %lld warning%s:", (long long)ret->warn, plural(ret->warn))));
    } else {
        line(run, TN_EV_INFO, "EndOfRunSummary", "Z030",
            tn_events_paint(run->events, a, TN_EV_INFO, true,
                run->interrupted ? TN_STR("Exited because of keyboard interrupt")
                                 : TN_STR("Completed successfully")));
    }
}

void tn_report_summary(tn_runner *run, tn_run_report *ret)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    for (size_t i = 0; i < run->plan.n; i++) {
        count_one(ret, run->results[i].status);
    }
    for (size_t i = 0; i < run->hooks.n; i++) {
        count_one(ret, run->hooks.v[i].status);
    }
    ret->failed = ret->error > 0 || ret->skip > 0;
    if (quiet_verb(run)) {
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
        line(run, TN_EV_INFO, "FreshnessCheckComplete", "Q036", TN_STR("Done."));
        return;
    }
    line(run, TN_EV_INFO, "Formatting", "Z017", TN_STR(""));
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
    line(run, TN_EV_INFO, "Formatting", "Z017", TN_STR(""));
    tn_event(run->events, TN_EV_INFO, "StatsLine", "Z023", data,
        "Done. PASS=%lld WARN=%lld ERROR=%lld SKIP=%lld NO-OP=%lld REUSED=0 TOTAL=%lld",
        (long long)ret->pass, (long long)ret->warn, (long long)ret->error, (long long)ret->skip,
        (long long)ret->no_op, (long long)total);
}

/* ---- run_results.json ---- */

static tn_val timing(tn_arena *a, const char *name, int64_t from, int64_t to)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "name", tn_val_z(name));
    tn_dict_putz(d.dict, "started_at", tn_val_str(iso(a, from, "Z")));
    tn_dict_putz(d.dict, "completed_at", tn_val_str(iso(a, to, "Z")));
    return d;
}

static tn_val str_or_none(tn_str s)
{
    return s.p != NULL && s.n > 0 ? tn_val_str(s) : TN_VAL_NONE;
}

tn_val tn_node_result_val(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    tn_val d = tn_val_dict(a), times = tn_val_list(a);
    bool compiled = r->compiled_code.p != NULL;
    tn_str message = r->message;
    if (r->node->kind == TN_NODE_OPERATION && r->status == TN_ST_SUCCESS && !quiet_verb(run)) {
        message = tn_str_printf(a, TN_STR_FMT " passed", TN_STR_ARG(tn_hook_name(a, r->node)));
    }
    if (r->started_us > 0 && r->status != TN_ST_SKIPPED && r->status != TN_ST_NONE) {
        tn_list_push(times.list, timing(a, "compile", r->started_us, r->compile_end_us));
        if (r->execute_start_us > 0) {
            tn_list_push(times.list, timing(a, "execute", r->execute_start_us, r->finished_us));
        }
    }
    tn_dict_putz(d.dict, "status",
        tn_val_z(r->status == TN_ST_NONE ? "skipped" : tn_status_name(r->status)));
    tn_dict_putz(d.dict, "timing", times);
    tn_dict_putz(d.dict, "thread_id", tn_val_str(r->thread.n > 0 ? r->thread : TN_STR("main")));
    tn_dict_putz(d.dict, "execution_time", tn_val_float(seconds(r)));
    tn_dict_putz(d.dict, "adapter_response",
        r->adapter_response.tag == TN_DICT ? r->adapter_response : tn_val_dict(a));
    tn_dict_putz(d.dict, "message", str_or_none(message));
    tn_dict_putz(d.dict, "failures", r->failures >= 0 ? tn_val_int(r->failures) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "unique_id", tn_val_str(r->node->unique_id));
    bool no_sql = r->node->kind == TN_NODE_SEED || r->node->kind == TN_NODE_EXPOSURE ||
                  r->node->kind == TN_NODE_SAVED_QUERY;
    tn_dict_putz(d.dict, "compiled", no_sql ? TN_VAL_NONE : tn_val_bool(compiled));
    tn_dict_putz(d.dict, "compiled_code",
        r->node->kind == TN_NODE_SEED || !compiled ? TN_VAL_NONE : tn_val_str(r->compiled_code));
    tn_dict_putz(d.dict, "relation_name", str_or_none(r->node->relation_name));
    tn_dict_putz(
        d.dict, "batch_results", r->batch_results.tag == TN_DICT ? r->batch_results : TN_VAL_NONE);
    tn_dict_putz(d.dict, "overload_results", TN_VAL_NONE);
    /* For templates only: dbt's result objects have the node too. run_results.json leaves it out. */
    tn_dict_putz(d.dict, "node", tn_node_dict(a, r->node));
    return d;
}

static bool compiled_of(void *self, const tn_node *n, tn_manifest_compiled *ret)
{
    const tn_runner *run = self;
    uint32_t at = n->index < run->project->nodes.n ? run->place[n->index] : UINT32_MAX;
    if (at == UINT32_MAX || run->results[at].compiled_code.p == NULL) {
        return false;
    }
    const tn_node_result *r = &run->results[at];
    *ret = (tn_manifest_compiled){ .compiled = true,
        .compiled_code = r->compiled_code,
        .compiled_path = r->compiled_path,
        .extra_ctes = r->extra_ctes };
    return true;
}

static void add_result(tn_runner *run, tn_arena *a, tn_val list, const tn_node_result *r)
{
    if (tn_node_is_ephemeral(r->node)) { /* compiled, but no result of its own */
        return;
    }
    tn_val d = tn_node_result_val(run, a, r);
    (void)tn_dict_remove(d.dict, tn_val_z("node"));
    tn_list_push(list.list, d);
}

static tn_rc write_results(tn_runner *run, tn_arena *a, tn_err *err)
{
    tn_val doc = tn_val_dict(a), results = tn_val_list(a);
    for (int end = 0; end < 2;
        end++) { /* start hooks, nodes in the order of finishing, end hooks */
        for (size_t i = 0; i < run->hooks.n; i++) {
            bool at_end =
                tn_str_find(run->hooks.v[i].node->name, TN_STR("on-run-end"), 0) != SIZE_MAX;
            if (at_end == (end == 1)) {
                add_result(run, a, results, &run->hooks.v[i]);
            }
        }
        for (size_t i = 0; end == 0 && i < run->order_count; i++) {
            add_result(run, a, results, &run->results[run->order[i]]);
        }
    }
    tn_dict_putz(doc.dict, "metadata", tn_manifest_metadata(run->project, a, "run-results/v6"));
    tn_dict_putz(doc.dict, "results", results);
    tn_dict_putz(doc.dict, "elapsed_time",
        tn_val_float((double)(tn_clock_now_us() - run->started_us) / 1e6));
    tn_dict_putz(doc.dict, "args",
        run->opts->args != NULL ? (tn_val){ .tag = TN_DICT, .dict = run->opts->args }
                                : tn_val_dict(a));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    static const tn_json_style style = { .py_separators = true };
    tn_json_print(&b, doc, &style);
    tn_str path =
        tn_str_printf(a, TN_STR_FMT "/run_results.json", TN_STR_ARG(run->project->target_path));
    TN_TRY(tn_dir_make(run->project->target_path, err));
    return tn_file_write_atomic(path, tn_buf_str(&b), err);
}

tn_rc tn_report_write(tn_runner *run, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("artifacts", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    TN_TRY(tn_manifest_write(run->project, compiled_of, run, &b, err));
    TN_TRY(tn_dir_make(run->project->target_path, err));
    TN_TRY(tn_file_write_atomic(
        tn_str_printf(a, TN_STR_FMT "/manifest.json", TN_STR_ARG(run->project->target_path)),
        tn_buf_str(&b), err));
    return write_results(run, a, err);
}
