/* freshness.c: `source freshness`: how old the newest row of a source is, against warn_after and error_after; target/sources.json (v3). */
#include "os/clock.h"
#include "os/file.h"
#include "project/manifest.h"
#include "run/event/artifact.h"
#include "run/report/runner.h"
#include "text/json.h"
#include "text/timetext.h"

enum { SECONDS_OF_ZONE_UTC = TN_ZONE_UTC };
#define MICROS_PER_S 1000000LL
#define NO_ROWS_US (-62135596800LL * MICROS_PER_S) /* 0001-01-01: infinitely long ago */

bool tn_freshness_wanted(const tn_node *n)
{
    return n->kind == TN_NODE_SOURCE && n->source != NULL && n->source->freshness.tag == TN_DICT &&
           (tn_val_at(tn_val_at(n->source->freshness, "warn_after"), "count").tag == TN_INT ||
               tn_val_at(tn_val_at(n->source->freshness, "error_after"), "count").tag == TN_INT);
}

/* A time of the database in microseconds UTC; text is refused, as dbt does. */
static tn_rc instant_of(tn_val v, const char *what, int64_t *ret, tn_err *err)
{
    if (v.tag == TN_DATE) {
        *ret = v.i * 86400 * MICROS_PER_S;
    } else if (v.tag == TN_DATETIME) {
        int64_t east = v.n == TN_ZONE_NAIVE ? 0 : (int64_t)v.n - SECONDS_OF_ZONE_UTC;
        *ret = v.i - east * MICROS_PER_S;
    } else {
        return tn_fail(err, TN_E_TYPE,
            "Expected a timestamp value when querying field '%s' but received value of type '%s' "
            "instead",
            what, tn_val_type_name(v));
    }
    return TN_OK;
}

static bool exceeded(tn_val after, double age)
{
    tn_val count = tn_val_at(after, "count");
    tn_str period = tn_val_str_at(after, "period", TN_STR("day"));
    double unit = tn_str_starts(period, TN_STR("minute")) ? 60
                  : tn_str_starts(period, TN_STR("hour")) ? 3600
                                                          : 86400;
    return count.tag == TN_INT && age > (double)count.i * unit;
}

static const char old_signature[] =
    "Deprecated functionality\n\n"
    "The 'collect_freshness' macro signature has changed to return the full query\n"
    "result, rather than just a table of values. See the v1.5 migration guide for\n"
    "details on how to update your custom macro:\n"
    "https://docs.getdbt.com/guides/migration/versions/upgrading-to-v1.5";

static tn_rc ask(tn_job *j, tn_val *ret_row, tn_err *err)
{
    const tn_source_info *s = j->node->source;
    tn_val args[3], result;
    TN_TRY(j->pctx.hooks->source(&j->pctx, j->node, &args[0], err));
    if (s->loaded_at_query.n > 0) {
        tn_str sql;
        tn_jinja_src src = { tn_str_z(j->arena, j->node->original_file_path), 0 };
        TN_TRY(tn_pctx_render(&j->pctx, s->loaded_at_query, src, &sql, err));
        args[1] = tn_val_str(sql);
        TN_TRY(tn_pctx_call(
            &j->pctx, TN_STR("collect_freshness_custom_sql"), args, 2, NULL, 0, &result, err));
    } else if (s->loaded_at_field.n > 0) {
        tn_val filter = tn_val_at(s->freshness, "filter");
        args[1] = tn_val_str(s->loaded_at_field);
        args[2] = tn_val_is_undef(filter) ? TN_VAL_NONE : filter;
        TN_TRY(tn_pctx_call(&j->pctx, TN_STR("collect_freshness"), args, 3, NULL, 0, &result, err));
    } else {
        return tn_fail(err, TN_E_COMPILE,
            "Could not compute freshness for source " TN_STR_FMT
            ": no 'loaded_at_field' provided and duckdb adapter does not support metadata-based "
            "freshness checks.",
            TN_STR_ARG(j->node->name));
    }
    tn_table *table;
    tn_val data = tn_val_at(result, "data");
    if (tn_val_is_table(result, &table)) { /* what macros gave before dbt 1.5 */
        j->pctx.hooks->warn(
            &j->pctx, "CollectFreshnessReturnSignature", "D012", tn_str_of(old_signature));
        data = table->rows;
    }
    if (!tn_val_is_seq(data) || data.list->n != 1 || data.list->v[0].list->n != 2) {
        return tn_fail(err, TN_E_COMPILE,
            "Got an invalid result from \"collect_freshness\" macro: one row of two columns is "
            "needed");
    }
    *ret_row = data.list->v[0];
    return TN_OK;
}

tn_rc tn_freshness_run(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err)
{
    tn_val row = TN_VAL_UNDEF;
    int64_t newest = NO_ROWS_US, now;
    const tn_source_info *s = j->node->source;
    r->compile_end_us = r->execute_start_us = tn_clock_now_us();
    TN_TRY(ask(j, &row, err));
    if (!tn_val_is_none(row.list->v[0])) {
        const char *field = tn_str_z(
            j->arena, s->loaded_at_field.n > 0 ? s->loaded_at_field : TN_STR("loaded_at_query"));
        TN_TRY(instant_of(row.list->v[0], field, &newest, err));
    }
    TN_TRY(instant_of(row.list->v[1], "snapshotted_at", &now, err));
    double age = (double)(now - newest) / (double)MICROS_PER_S;
    r->max_loaded_us = newest;
    r->snapshotted_us = now;
    r->status = exceeded(tn_val_at(s->freshness, "error_after"), age)  ? TN_ST_FAIL
                : exceeded(tn_val_at(s->freshness, "warn_after"), age) ? TN_ST_WARN
                                                                       : TN_ST_PASS;
    TN_LOCKED(&run->lock);
    r->adapter_response = tn_val_dict(run->arena);
    tn_dict_putz(r->adapter_response.dict, "_message", tn_val_z("OK"));
    return TN_OK;
}

/* ---- sources.json ---- */

static tn_val instant(tn_arena *a, int64_t us)
{
    tn_buf b = tn_buf_init(a, 64);
    tn_iso_micros(&b, us, us % MICROS_PER_S == 0 ? 0 : 6, 'T', "+00:00");
    return tn_val_str(tn_buf_str(&b));
}

static tn_val criteria(tn_arena *a, tn_val freshness)
{
    static const char *const names[] = { "warn_after", "error_after" };
    tn_val d = tn_val_dict(a), filter = tn_val_at(freshness, "filter");
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        tn_val given = tn_val_at(freshness, names[i]), out = tn_val_dict(a);
        static const char *const keys[] = { "count", "period" };
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            tn_val v = tn_val_at(given, keys[k]);
            tn_dict_putz(out.dict, keys[k], tn_val_is_undef(v) ? TN_VAL_NONE : v);
        }
        tn_dict_putz(d.dict, names[i], tn_val_is_none(given) ? TN_VAL_NONE : out);
    }
    tn_dict_putz(d.dict, "filter", tn_val_is_undef(filter) ? TN_VAL_NONE : filter);
    return d;
}

static tn_val result_val(tn_runner *run, tn_arena *a, const tn_node_result *r)
{
    tn_val d = tn_val_dict(a), all = tn_node_result_val(run, a, r);
    tn_dict_putz(d.dict, "unique_id", tn_val_str(r->node->unique_id));
    tn_dict_putz(d.dict, "max_loaded_at", instant(a, r->max_loaded_us));
    tn_dict_putz(d.dict, "snapshotted_at", instant(a, r->snapshotted_us));
    tn_dict_putz(d.dict, "max_loaded_at_time_ago_in_s",
        tn_val_float((double)(r->snapshotted_us - r->max_loaded_us) / (double)MICROS_PER_S));
    tn_dict_putz(
        d.dict, "status", tn_val_z(r->status == TN_ST_FAIL ? "error" : tn_status_name(r->status)));
    tn_dict_putz(d.dict, "criteria", criteria(a, r->node->source->freshness));
    static const char *const same[] = { "adapter_response", "timing", "thread_id",
        "execution_time" };
    for (size_t i = 0; i < TN_COUNTOF(same); i++) {
        tn_dict_putz(d.dict, same[i], tn_val_at(all, same[i]));
    }
    return d;
}

/* As dbt 1.12: sources that could not be asked are not in it. */
tn_rc tn_freshness_write(tn_runner *run, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("sources", NULL);
    tn_val doc = tn_val_dict(a), results = tn_val_list(a);
    for (size_t i = 0; i < run->order_count; i++) {
        const tn_node_result *r = &run->results[run->order[i]];
        if (r->status == TN_ST_PASS || r->status == TN_ST_WARN || r->status == TN_ST_FAIL) {
            tn_list_push(results.list, result_val(run, a, r));
        }
    }
    tn_dict_putz(doc.dict, "metadata", tn_manifest_metadata(run->project, a, "sources/v3"));
    tn_dict_putz(doc.dict, "results", results);
    tn_dict_putz(doc.dict, "elapsed_time",
        tn_val_float((double)(tn_clock_now_us() - run->started_us) / 1e6));
    static const tn_json_style style = { .py_separators = true };
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_json_print(&b, doc, &style);
    tn_str path = run->opts->output.n > 0 ? run->opts->output
                                          : tn_str_printf(a, TN_STR_FMT "/sources.json",
                                                TN_STR_ARG(run->project->target_path));
    TN_TRY(tn_run_write_manifest(run->project, run->events, err));
    TN_TRY(tn_run_write_graph(run->project, false, err));
    return tn_artifact_write_at(run->events, path, "FreshnessResult", tn_buf_str(&b), err);
}
