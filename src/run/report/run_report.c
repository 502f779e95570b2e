/* run_report.c: what is said of one node, hook or batch: dbt 1.12's lines, and its events with their data. */
#include "os/clock.h"
#include "run/report/report_parts.h"
#include "text/timetext.h"

enum { LINE_WIDTH = 80, PRINTER_WIDTH_MAX = 10000 };

void tn_report_put_group(const tn_runner *run, tn_arena *a, tn_val data, const tn_node *n)
{
    const tn_list *groups = run->project->groups.list;
    for (size_t i = 0; n->group.n > 0 && i < groups->n; i++) {
        tn_val g = groups->v[i], owner = tn_val_at(g, "owner");
        if (!tn_str_eq(tn_val_str_at(g, "name", TN_STR_NONE), n->group)) {
            continue;
        }
        tn_val told = tn_val_dict(a), who = tn_val_dict(a);
        size_t at = 0;
        const tn_dict_item *it;
        while (owner.tag == TN_DICT && (it = tn_dict_next(owner.dict, &at)) != NULL) {
            if (!tn_val_is_none(it->value)) {
                tn_dict_put(who.dict, it->key, tn_val_str(tn_val_to_str(a, it->value)));
            }
        }
        tn_dict_putz(told.dict, "name", tn_val_str(n->group));
        tn_dict_putz(told.dict, "owner", who);
        tn_dict_putz(told.dict, "package_name", tn_val_at(g, "package_name"));
        tn_dict_putz(data.dict, "group", told);
        return;
    }
}

static size_t printer_width(const tn_runner *run)
{
    tn_val v = tn_val_at(tn_project_flags(run->project), "PRINTER_WIDTH");
    return v.tag == TN_INT && v.i >= 0 && v.i <= PRINTER_WIDTH_MAX ? (size_t)v.i : LINE_WIDTH;
}

tn_str tn_report_line(
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
    case TN_NODE_FUNCTION:
        return tn_str_printf(
            a, "function " TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(schema), TN_STR_ARG(alias));
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
            TN_STR_ARG(tn_node_is_microbatch(n) ? TN_STR("microbatch") : tn_report_materialized(n)),
            TN_STR_ARG(schema), TN_STR_ARG(alias));
    default:
        return tn_str_printf(a, "%s " TN_STR_FMT, tn_node_kind_name(n->kind), TN_STR_ARG(n->name));
    }
}

bool tn_report_is_look(const tn_runner *run)
{
    return run->opts->verb == TN_VERB_COMPILE || run->opts->verb == TN_VERB_SHOW;
}

/* A clone has no line of its own: what there is to say, its macro says. */
static bool untold(const tn_runner *run)
{
    return tn_report_is_look(run) || run->opts->verb == TN_VERB_CLONE;
}

void tn_report_start(tn_runner *run, const tn_node_result *r)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_node_result starting = *r;
    starting.started_us = tn_clock_now_us();
    starting.finished_us = 0;
    tn_val data = tn_report_data(a, &starting, "started");
    tn_event(run->events, TN_EV_DEBUG, "NodeStart", "Q024", data, "Began running node " TN_STR_FMT,
        TN_STR_ARG(r->node->unique_id));
    if (untold(run) || r->node->kind == TN_NODE_EXPOSURE || r->index == 0 ||
        r->node->kind == TN_NODE_SAVED_QUERY || r->status == TN_ST_SKIPPED) {
        return;
    }
    tn_str text = description(a, r->node);
    tn_dict_putz(data.dict, "description", tn_val_str(text));
    tn_dict_putz(data.dict, "index", tn_val_int((int64_t)r->index));
    tn_dict_putz(data.dict, "total", tn_val_int((int64_t)run->plan.n));
    tn_str line = tn_report_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, "START " TN_STR_FMT, TN_STR_ARG(text)), TN_STR("RUN"));
    tn_event(run->events, TN_EV_INFO, "LogStartLine", "Q011", data, TN_STR_FMT, TN_STR_ARG(line));
}

void tn_report_stage(tn_runner *run, const tn_node_result *r, bool executing)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_report_data(a, r, executing ? "executing" : "compiling");
    tn_event(run->events, TN_EV_DEBUG, executing ? "NodeExecuting" : "NodeCompiling",
        executing ? "Q031" : "Q030", data, "Began %s node " TN_STR_FMT,
        executing ? "executing" : "compiling", TN_STR_ARG(r->node->unique_id));
}

/* What LogModelResult and its like have besides their own. */
static void put_place(tn_runner *run, tn_val data, const tn_node_result *r)
{
    tn_dict_putz(data.dict, "index", tn_val_int((int64_t)r->index));
    tn_dict_putz(data.dict, "execution_time", tn_val_float(tn_report_seconds(r)));
    tn_dict_putz(data.dict, "total", tn_val_int((int64_t)run->plan.n));
}

static void report_skip(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    const tn_node *n = r->node;
    bool relation = tn_node_is_refable(n);
    tn_str text = relation ? tn_str_printf(a, "SKIP relation " TN_STR_FMT "." TN_STR_FMT,
                                 TN_STR_ARG(n->schema), TN_STR_ARG(n->alias))
                           : tn_str_printf(a, "SKIP %s " TN_STR_FMT, tn_node_kind_name(n->kind),
                                 TN_STR_ARG(n->name));
    tn_val data = tn_report_data(a, r, "skipped");
    put_place(run, data, r);
    (void)tn_dict_remove(data.dict, tn_val_z("execution_time"));
    tn_dict_putz(data.dict, "node_name", tn_val_str(relation ? n->alias : n->name));
    tn_dict_putz(data.dict, "resource_type", tn_val_z(tn_node_kind_name(n->kind)));
    tn_dict_putz(
        data.dict, "schema", tn_val_str(n->kind == TN_NODE_EXPOSURE ? TN_STR("") : n->schema));
    tn_str line = tn_report_line(run, a, r->index, run->plan.n, text,
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

static tn_ev_level color_of(tn_status s)
{
    return s == TN_ST_SKIPPED ? TN_EV_WARN : level_of(s);
}

/* "PASS in 0.03s" */
static tn_str timed(
    tn_runner *run, tn_arena *a, const tn_node_result *r, tn_ev_level level, tn_str word)
{
    return tn_str_printf(a, TN_STR_FMT " in %.2fs",
        TN_STR_ARG(tn_events_paint(run->events, a, level, true, word)), tn_report_seconds(r));
}

static void report_test(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    const tn_node *n = r->node, *attached = n->test != NULL ? n->test->attached : NULL;
    bool built = n->kind == TN_NODE_UNIT_TEST && r->status != TN_ST_ERROR;
    tn_str word = test_word(a, r), status = timed(run, a, r, level_of(r->status), word);
    tn_val data = tn_report_data(a, r, built ? NULL : tn_report_status(r));
    put_place(run, data, r);
    (void)tn_dict_remove(data.dict, tn_val_z("total"));
    tn_report_put_group(run, a, data, n);
    tn_dict_putz(data.dict, "status", tn_val_z(tn_report_status(r)));
    tn_dict_putz(data.dict, "attached_node",
        attached != NULL ? tn_val_str(attached->unique_id) : tn_val_z(""));
    tn_dict_putz(data.dict, "name", tn_val_str(test_name(a, n)));
    tn_dict_putz(data.dict, "num_failures", tn_val_int(r->failures < 0 ? 0 : r->failures));
    tn_dict_putz(data.dict, "num_models", tn_val_int((int64_t)run->plan.n));
    tn_str line = tn_report_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, TN_STR_FMT " " TN_STR_FMT, TN_STR_ARG(word), TN_STR_ARG(test_name(a, n))),
        status);
    tn_event(run->events, level_of(r->status), "LogTestResult", "Q007", data, TN_STR_FMT,
        TN_STR_ARG(line));
}

static void report_freshness(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    const char *word = r->status == TN_ST_PASS   ? "PASS"
                       : r->status == TN_ST_WARN ? "WARN"
                       : r->status == TN_ST_FAIL ? "ERROR STALE"
                                                 : "ERROR";
    tn_val data = tn_report_data(a, r, tn_report_status(r));
    put_place(run, data, r);
    tn_dict_putz(data.dict, "status", tn_val_z(tn_report_status(r)));
    tn_dict_putz(data.dict, "source_name", tn_val_str(r->node->source->source_name));
    tn_dict_putz(data.dict, "table_name", tn_val_str(r->node->name));
    tn_str line = tn_report_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, "%s " TN_STR_FMT, word, TN_STR_ARG(description(a, r->node))),
        timed(run, a, r, level_of(r->status), tn_str_of(word)));
    tn_event(run->events, level_of(r->status), "LogFreshnessResult", "Q018", data, TN_STR_FMT,
        TN_STR_ARG(line));
}

static tn_val without_none(tn_arena *a, tn_val v)
{
    if (v.tag != TN_DICT) {
        return v;
    }
    tn_val d = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(v.dict, &at)) != NULL) {
        if (!tn_val_is_none(it->value)) {
            tn_dict_put(d.dict, it->key, without_none(a, it->value));
        }
    }
    return d;
}

/* The config of a snapshot, each value as Python prints it. */
static tn_val snapshot_config(tn_arena *a, const tn_node *n)
{
    tn_val d = tn_val_dict(a), config = without_none(a, tn_val_at(tn_node_dict(a, n), "config"));
    size_t at = 0;
    const tn_dict_item *it;
    while (config.tag == TN_DICT && (it = tn_dict_next(config.dict, &at)) != NULL) {
        tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
        tn_val_str_to(&b, it->value);
        tn_dict_put(d.dict, it->key, tn_val_str(tn_buf_str(&b)));
    }
    return d;
}

/* Which event tells of a node that was made, and what it has besides the place. */
static const char *put_made(
    tn_arena *a, tn_val data, const tn_node_result *r, tn_str text, const char **ret_code)
{
    const tn_node *n = r->node;
    tn_val message = tn_val_str(r->message.p != NULL ? r->message : TN_STR(""));
    tn_dict_putz(data.dict, "status", tn_val_z(tn_report_status(r)));
    if (n->kind == TN_NODE_SEED) {
        tn_dict_putz(data.dict, "result_message", message);
        tn_dict_putz(data.dict, "schema", tn_val_str(n->schema));
        tn_dict_putz(data.dict, "relation", tn_val_str(n->alias));
        *ret_code = "Q016";
        return "LogSeedResult";
    }
    tn_dict_putz(data.dict, "description", tn_val_str(text));
    if (n->kind == TN_NODE_FUNCTION) {
        *ret_code = "Q047";
        return "LogFunctionResult";
    }
    if (n->kind == TN_NODE_SNAPSHOT) {
        tn_dict_putz(data.dict, "result_message", message);
        tn_dict_putz(data.dict, "cfg", snapshot_config(a, n));
        *ret_code = "Q015";
        return "LogSnapshotResult";
    }
    if (r->status != TN_ST_ERROR) {
        tn_dict_putz(data.dict, "status", message);
    }
    *ret_code = "Q012";
    return "LogModelResult";
}

static void report_made(tn_runner *run, tn_arena *a, const tn_node_result *r)
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
    tn_val data = tn_report_data(a, r, tn_report_status(r));
    put_place(run, data, r);
    tn_report_put_group(run, a, data, n);
    const char *code, *event = put_made(a, data, r, text, &code);
    bool function = n->kind == TN_NODE_FUNCTION;
    const char *outcome = ok || (partial && function) ? "OK" : partial ? "PARTIALLY" : "ERROR";
    tn_str said = function && ok        ? TN_STR("SUCCESS")
                  : function && partial ? TN_STR("PARTIAL SUCCESS")
                  : ok || partial       ? r->message
                                        : TN_STR("ERROR");
    tn_str line = tn_report_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, "%s %s " TN_STR_FMT, outcome, verb, TN_STR_ARG(text)),
        timed(run, a, r, level_of(r->status), said));
    tn_event(run->events, level_of(r->status), event, code, data, TN_STR_FMT, TN_STR_ARG(line));
}

static void report_no_op(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    tn_val data = tn_report_data(a, r, "no-op");
    tn_str text = description(a, r->node);
    put_place(run, data, r);
    tn_dict_putz(data.dict, "description", tn_val_str(text));
    tn_dict_putz(data.dict, "status", tn_val_z(""));
    tn_str line = tn_report_line(run, a, r->index, run->plan.n,
        tn_str_printf(a, "NO-OP " TN_STR_FMT, TN_STR_ARG(text)),
        timed(run, a, r, TN_EV_WARN, TN_STR("NO-OP")));
    tn_event(
        run->events, TN_EV_INFO, "LogNodeNoOpResult", "Q019", data, TN_STR_FMT, TN_STR_ARG(line));
}

static void report_result(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    if (r->status == TN_ST_SKIPPED) {
        report_skip(run, a, r);
    } else if (r->status == TN_ST_NO_OP) {
        report_no_op(run, a, r);
    } else if (r->node->kind == TN_NODE_TEST || r->node->kind == TN_NODE_UNIT_TEST) {
        report_test(run, a, r);
    } else if (r->node->kind == TN_NODE_SOURCE) {
        report_freshness(run, a, r);
    } else {
        report_made(run, a, r);
    }
}

static void report_finished(tn_runner *run, const tn_node_result *r)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_report_data(a, r, tn_report_status(r));
    tn_dict_putz(data.dict, "run_result", tn_report_run_result(run, a, r));
    tn_event(run->events, TN_EV_DEBUG, "NodeFinished", "Q025", data,
        "Finished running node " TN_STR_FMT, TN_STR_ARG(r->node->unique_id));
}

/* The whole text at once, where lines of results only count. */
static void report_caught(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    tn_val data = tn_report_data(a, r, tn_report_status(r));
    tn_dict_putz(data.dict, "exc", tn_val_str(r->message));
    tn_dict_putz(data.dict, "exc_info", tn_val_z(""));
    tn_event(run->events, TN_EV_DEBUG, "CatchableExceptionOnRun", "W002", data, TN_STR_FMT,
        TN_STR_ARG(r->message));
}

void tn_report_end(tn_runner *run, const tn_node_result *r)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    if (r->status == TN_ST_ERROR && r->message.n > 0) {
        report_caught(run, a, r);
    }
    if (!untold(run)) {
        report_result(run, a, r);
    }
    report_finished(run, r);
}

void tn_report_inlined(tn_runner *run)
{
    for (size_t i = 0; i < run->inlined.n; i++) {
        tn_node_result r = { .node = run->inlined.v[i],
            .arena = run->arena,
            .status = TN_ST_SUCCESS,
            .failures = -1,
            .started_us = tn_clock_now_us(),
            .thread = TN_STR("main") };
        tn_report_start(run, &r);
        tn_report_stage(run, &r, false);
        r.finished_us = r.compile_end_us = tn_clock_now_us();
        report_finished(run, &r);
    }
}

/* A batch of a model, an overload of a function: what tells of one, by whether it is over. */
typedef struct part {
    const char *what, *index_key, *total_key, *events[2], *codes[2];
    tn_str name;
    size_t total;
    tn_str status, shown; /* in the data and on the line of one that is over */
} part;

static void report_part(tn_runner *run, const tn_node_result *r, const part *p, bool end)
{
    TN_AUTO_ARENA a = tn_arena_new("line", NULL);
    tn_val data = tn_report_data(a, r, end ? tn_report_status(r) : "started");
    const char *word = !end                         ? "START"
                       : r->status == TN_ST_ERROR   ? "ERROR creating"
                       : r->status == TN_ST_SKIPPED ? "SKIP"
                                                    : "OK created";
    tn_dict_putz(data.dict, "description", tn_val_str(p->name));
    tn_dict_putz(data.dict, p->index_key, tn_val_int((int64_t)r->index));
    tn_dict_putz(data.dict, p->total_key, tn_val_int((int64_t)p->total));
    if (end) {
        tn_dict_putz(data.dict, "status", tn_val_str(p->status));
        tn_dict_putz(data.dict, "execution_time", tn_val_float(tn_report_seconds(r)));
    }
    tn_str line = tn_report_line(run, a, r->index, p->total,
        tn_str_printf(a, "%s " TN_STR_FMT, word, TN_STR_ARG(p->name)),
        end ? timed(run, a, r, color_of(r->status), p->shown) : TN_STR("RUN"));
    tn_event(run->events, end ? level_of(r->status) : TN_EV_INFO, p->events[end], p->codes[end],
        data, "%s " TN_STR_FMT, p->what, TN_STR_ARG(line));
}

void tn_report_batch(tn_runner *run, const tn_node_result *r, tn_str name, size_t total, bool end)
{
    tn_str status = r->status == TN_ST_ERROR     ? TN_STR("ERROR")
                    : r->status == TN_ST_SKIPPED ? TN_STR("SKIPPED")
                                                 : r->message;
    const part p = { "Batch", "batch_index", "total_batches", { "LogStartBatch", "LogBatchResult" },
        { "Q045", "Q046" }, name, total, status, status };
    report_part(run, r, &p, end);
}

void tn_report_overload(
    tn_runner *run, const tn_node_result *r, tn_str name, size_t total, bool end)
{
    TN_AUTO_ARENA a = tn_arena_new("status", NULL);
    tn_str status = tn_str_of(tn_report_status(r));
    const part p = { "Overload", "overload_index", "total_overloads",
        { "LogStartOverload", "LogOverloadResult" }, { "Q048", "Q049" }, name, total, status,
        tn_str_upper(a, status) };
    report_part(run, r, &p, end);
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
    tn_val data = tn_report_data(a, r, end ? tn_report_status(r) : "started");
    tn_str name = tn_hook_name(a, r->node);
    const char *outcome = r->status == TN_ST_SUCCESS   ? "OK"
                          : r->status == TN_ST_SKIPPED ? "SKIP"
                                                       : "ERROR";
    tn_dict_putz(data.dict, "index", tn_val_int((int64_t)index));
    tn_dict_putz(data.dict, "total", tn_val_int((int64_t)total));
    tn_dict_putz(data.dict, "statement", tn_val_str(name));
    if (end) {
        tn_dict_putz(data.dict, "status", tn_val_z(tn_report_status(r)));
        tn_dict_putz(data.dict, "execution_time", tn_val_float(tn_report_seconds(r)));
    }
    tn_str line = tn_report_line(run, a, index, total,
        tn_str_printf(a, "%s hook: " TN_STR_FMT, end ? outcome : "START", TN_STR_ARG(name)),
        end ? timed(run, a, r, color_of(r->status), tn_str_of(outcome)) : TN_STR("RUN"));
    tn_event(run->events, end ? level_of(r->status) : TN_EV_INFO,
        end ? "LogHookEndLine" : "LogHookStartLine", end ? "Q033" : "Q032", data, TN_STR_FMT,
        TN_STR_ARG(line));
}
