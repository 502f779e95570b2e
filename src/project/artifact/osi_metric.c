/* osi_metric.c: metrics as SQL expressions. First the metrics are brought to the newer spelling, in which a simple metric aggregates its semantic
 * model itself: a simple one takes over its measure, and what else was made of a measure is made of a simple metric like it, of a new and
 * private one when there is none. Then each is one aggregate, with its filter in a CASE, or an expression over those of other metrics.
 */
#include "project/artifact/osi.h"

/* ---- measures ---- */

static tn_val copied(tn_arena *a, tn_val v)
{
    tn_val out = tn_val_dict(a);
    tn_value_put_all(out.dict, v);
    return out;
}

static bool is(tn_val v, const char *key, const char *word)
{
    return tn_str_is(tn_val_str_at(v, key, TN_STR_NONE), word);
}

/* How something is aggregated: of a measure, or of a metric with its expression. */
typedef struct aggregate {
    tn_val holder;  /* has "agg" and "agg_params" */
    tn_val expr_of; /* has "expr" */
    tn_str name;
} aggregate;

static tn_rc settle_aggregate(tn_arena *a, const aggregate *g, tn_err *err)
{
    tn_val expr = tn_val_at(g->expr_of, "expr");
    tn_str text = tn_val_is_str(expr) ? tn_val_as_str(expr) : TN_STR("");
    if (is(g->holder, "agg", "sum_boolean")) {
        tn_str of = text.n > 0 ? text : g->name;
        tn_dict_putz(g->expr_of.dict, "expr",
            tn_val_str(
                tn_str_printf(a, "CASE WHEN " TN_STR_FMT " THEN 1 ELSE 0 END", TN_STR_ARG(of))));
        tn_dict_putz(g->holder.dict, "agg", tn_val_z("sum"));
    } else if (is(g->holder, "agg", "count")) {
        if (!tn_val_is_str(expr)) {
            return tn_fail(err, TN_E_VALUE,
                "Metric '" TN_STR_FMT
                "' uses a COUNT aggregation, which requires an expr to be provided. Provide "
                "'expr: 1' if a count of all rows is desired.",
                TN_STR_ARG(g->name));
        }
        if (!tn_str_is(text, "1")) {
            tn_dict_putz(g->expr_of.dict, "expr",
                tn_val_str(tn_str_printf(a,
                    "CASE WHEN " TN_STR_FMT " IS NOT NULL THEN 1 ELSE 0 END", TN_STR_ARG(text))));
        }
        tn_dict_putz(g->holder.dict, "agg", tn_val_z("sum"));
    } else if (is(g->holder, "agg", "median")) {
        tn_val params = copied(a, tn_val_at(g->holder, "agg_params"));
        tn_dict_putz(params.dict, "percentile", tn_val_float(0.5));
        tn_dict_putz(g->holder.dict, "agg_params", params);
        tn_dict_putz(g->holder.dict, "agg", tn_val_z("percentile"));
    }
    return TN_OK;
}

static void lower_name(tn_arena *a, tn_val v)
{
    tn_dict_putz(v.dict, "name", tn_val_str(tn_str_lower(a, tn_val_str_at(v, "name", TN_STR("")))));
}

tn_val tn_osi_model(tn_arena *a, const tn_node *n)
{
    static const char *const lists[] = { "entities", "dimensions", "measures" };
    tn_val out = copied(a, n->extra);
    tn_dict_putz(out.dict, "name", tn_val_str(tn_str_lower(a, n->name)));
    tn_dict_putz(out.dict, "description",
        n->description.n > 0 || tn_val_is_str(tn_val_at(n->extra, "description"))
            ? tn_val_str(n->description)
            : TN_VAL_NONE);
    for (size_t k = 0; k < TN_COUNTOF(lists); k++) {
        tn_val from = tn_val_at(n->extra, lists[k]), to = tn_val_list(a);
        for (size_t i = 0; i < from.list->n; i++) {
            tn_val e = copied(a, from.list->v[i]);
            lower_name(a, e);
            tn_list_push(to.list, e);
        }
        tn_dict_putz(out.dict, lists[k], to);
    }
    return out;
}

static tn_rc add_measures(tn_osi_metrics *m, tn_val model, tn_err *err)
{
    tn_val list = tn_val_at(model, "measures");
    for (size_t i = 0; i < list.list->n; i++) {
        tn_osi_measure *one = tn_new(m->arena, tn_osi_measure);
        *one = (tn_osi_measure){ list.list->v[i], tn_val_str_at(model, "name", TN_STR("")) };
        aggregate g = { one->of, one->of, tn_val_str_at(one->of, "name", TN_STR("")) };
        TN_TRY(settle_aggregate(m->arena, &g, err));
        tn_map_put(&m->measures, g.name, one);
    }
    return TN_OK;
}

/* ---- metrics without measures ---- */

static void add_metric(tn_osi_metrics *m, tn_val metric)
{
    tn_val *slot = tn_new(m->arena, tn_val);
    *slot = metric;
    tn_list_push(m->list.list, metric);
    tn_map_put(&m->by_name, tn_val_str_at(metric, "name", TN_STR("")), slot);
}

static const tn_osi_measure *measure_of(const tn_osi_metrics *m, tn_val input)
{
    tn_str name = tn_val_str_at(input, "name", TN_STR_NONE);
    return name.n > 0 ? tn_map_find(&m->measures, name) : NULL;
}

static tn_val measure_expr(const tn_osi_measure *e)
{
    tn_val expr = tn_val_at(e->of, "expr");
    return tn_val_truthy(expr) ? expr : tn_val_at(e->of, "name");
}

/* metric_aggregation_params of a metric that is a measure. */
static tn_val aggregation_of(tn_arena *a, const tn_osi_measure *e)
{
    static const char *const same[] = { "agg", "agg_params", "agg_time_dimension",
        "non_additive_dimension" };
    tn_val out = tn_val_dict(a);
    tn_dict_putz(out.dict, "semantic_model", tn_val_str(e->model));
    for (size_t i = 0; i < TN_COUNTOF(same); i++) {
        tn_dict_putz(out.dict, same[i], tn_val_at(e->of, same[i]));
    }
    return out;
}

/* The filters of a metric's measure, then its own. */
static tn_val both_filters(tn_arena *a, tn_val x, tn_val y)
{
    const tn_val from[] = { tn_val_at(x, "where_filters"), tn_val_at(y, "where_filters") };
    tn_val all = tn_val_list(a), out = tn_val_dict(a);
    for (size_t k = 0; k < TN_COUNTOF(from); k++) {
        for (size_t i = 0; from[k].tag == TN_LIST && i < from[k].list->n; i++) {
            tn_list_push(all.list, from[k].list->v[i]);
        }
    }
    tn_dict_putz(out.dict, "where_filters", all);
    return all.list->n > 0 ? out : TN_VAL_NONE;
}

/* A simple metric takes over its measure's aggregate and the filter that it put on it. */
static void take_measure(tn_osi_metrics *m, tn_val metric)
{
    tn_arena *a = m->arena;
    tn_val params = tn_val_at(metric, "type_params"), input = tn_val_at(params, "measure");
    const tn_osi_measure *e = measure_of(m, input);
    if (!is(metric, "type", "simple") || e == NULL ||
        tn_val_is_given(tn_val_at(params, "metric_aggregation_params"))) {
        return;
    }
    if (tn_val_is_given(tn_val_at(input, "fill_nulls_with"))) {
        tn_dict_putz(params.dict, "fill_nulls_with", tn_val_at(input, "fill_nulls_with"));
    }
    if (tn_val_truthy(tn_val_at(input, "join_to_timespine"))) {
        tn_dict_putz(params.dict, "join_to_timespine", TN_VAL_TRUE);
    }
    tn_dict_putz(params.dict, "metric_aggregation_params", aggregation_of(a, e));
    if (!tn_val_is_given(tn_val_at(params, "expr"))) {
        tn_dict_putz(params.dict, "expr", measure_expr(e));
    }
    tn_dict_putz(metric.dict, "filter",
        both_filters(a, tn_val_at(input, "filter"), tn_val_at(metric, "filter")));
}

static tn_val null_if_not_given(tn_val v)
{
    return tn_val_is_given(v) ? v : TN_VAL_NONE;
}

/* The metric is the measure and nothing besides. */
static bool is_like(const tn_osi_metrics *m, tn_val metric, const tn_osi_measure *e, tn_val input)
{
    static const char *const none[] = { "window", "grain_to_date" };
    static const char *const same[] = { "fill_nulls_with", "join_to_timespine" };
    tn_val params = tn_val_at(metric, "type_params"), own = tn_val_at(params, "measure");
    for (size_t i = 0; i < TN_COUNTOF(none); i++) {
        if (tn_val_is_given(tn_val_at(params, none[i])) ||
            !tn_val_eq(null_if_not_given(tn_val_at(params, same[i])),
                null_if_not_given(tn_val_at(input, same[i])))) {
            return false;
        }
    }
    return is(metric, "type", "simple") && !tn_val_is_given(tn_val_at(metric, "filter")) &&
           !tn_val_is_given(tn_val_at(metric, "time_granularity")) &&
           tn_val_eq(tn_val_at(params, "expr"), measure_expr(e)) &&
           tn_val_eq(tn_val_at(params, "metric_aggregation_params"), aggregation_of(m->arena, e)) &&
           (!tn_val_is_given(own) || tn_val_eq(tn_val_at(own, "name"), tn_val_at(e->of, "name")));
}

static tn_str new_name(const tn_osi_metrics *m, const tn_osi_measure *e, tn_val input)
{
    tn_val fill = tn_val_at(input, "fill_nulls_with");
    tn_buf b = tn_buf_init(m->arena, TN_BUF_NO_LIMIT);
    tn_val_str_to(&b, tn_val_at(e->of, "name"));
    if (fill.tag == TN_INT) {
        tn_buf_addf(&b, "_fill_nulls_with_%s%lld", fill.i < 0 ? "neg_" : "",
            (long long)(fill.i < 0 ? -fill.i : fill.i));
    }
    if (tn_val_truthy(tn_val_at(input, "join_to_timespine"))) {
        tn_buf_addz(&b, "_join_to_timespine");
    }
    tn_str base = tn_buf_str(&b), name = base;
    for (int i = 1; tn_map_find(&m->by_name, name) != NULL; i++) {
        name = tn_str_printf(m->arena, TN_STR_FMT "_%d", TN_STR_ARG(base), i);
    }
    return name;
}

static tn_str metric_for(tn_osi_metrics *m, const tn_osi_measure *e, tn_val input)
{
    tn_arena *a = m->arena;
    for (size_t i = 0; i < m->list.list->n; i++) {
        if (is_like(m, m->list.list->v[i], e, input)) {
            return tn_val_str_at(m->list.list->v[i], "name", TN_STR(""));
        }
    }
    tn_val made = tn_val_dict(a), params = tn_val_dict(a);
    tn_str name = new_name(m, e, input);
    tn_dict_putz(params.dict, "is_private", TN_VAL_TRUE);
    tn_dict_putz(params.dict, "measure", tn_val_dict(a));
    tn_dict_putz(tn_val_at(params, "measure").dict, "name", tn_val_at(e->of, "name"));
    tn_dict_putz(params.dict, "fill_nulls_with", tn_val_at(input, "fill_nulls_with"));
    tn_dict_putz(params.dict, "join_to_timespine",
        tn_val_bool(tn_val_truthy(tn_val_at(input, "join_to_timespine"))));
    tn_dict_putz(params.dict, "metric_aggregation_params", aggregation_of(a, e));
    tn_dict_putz(params.dict, "expr", measure_expr(e));
    tn_dict_putz(made.dict, "name", tn_val_str(name));
    tn_dict_putz(made.dict, "type", tn_val_z("simple"));
    tn_dict_putz(made.dict, "type_params", params);
    add_metric(m, made);
    return name;
}

/* holder[measure_key] -> holder[metric_key], when that is not said. */
static void replace_input(
    tn_osi_metrics *m, tn_val from, const char *measure_key, tn_val holder, const char *metric_key)
{
    tn_val input = tn_val_at(from, measure_key);
    const tn_osi_measure *e = measure_of(m, input);
    if (e == NULL || holder.tag != TN_DICT || tn_val_is_given(tn_val_at(holder, metric_key))) {
        return;
    }
    tn_val made = tn_val_dict(m->arena);
    tn_dict_putz(made.dict, "name", tn_val_str(metric_for(m, e, input)));
    tn_dict_putz(made.dict, "filter", tn_val_at(input, "filter"));
    tn_dict_putz(holder.dict, metric_key, made);
}

static void replace_measures(tn_osi_metrics *m, tn_val metric)
{
    static const char *const nested[] = { "cumulative_type_params", "conversion_type_params" };
    tn_val params = tn_val_at(metric, "type_params");
    for (size_t i = 0; i < TN_COUNTOF(nested); i++) {
        tn_val v = tn_val_at(params, nested[i]);
        tn_dict_putz(params.dict, nested[i], v.tag == TN_DICT ? copied(m->arena, v) : TN_VAL_NONE);
    }
    if (is(metric, "type", "cumulative")) {
        replace_input(m, params, "measure", tn_val_at(params, nested[0]), "metric");
    } else if (is(metric, "type", "conversion")) {
        tn_val c = tn_val_at(params, nested[1]);
        replace_input(m, c, "base_measure", c, "base_metric");
        replace_input(m, c, "conversion_measure", c, "conversion_metric");
    }
}

/* A measure's expression stands over what its metric says; then aggregates that are written otherwise. */
static tn_rc settle_metric(tn_osi_metrics *m, tn_val metric, tn_err *err)
{
    tn_val params = tn_val_at(metric, "type_params"),
           by = tn_val_at(params, "metric_aggregation_params");
    if (!is(metric, "type", "simple")) {
        return TN_OK;
    }
    const tn_osi_measure *e = measure_of(m, tn_val_at(params, "measure"));
    if (e != NULL) {
        tn_dict_putz(params.dict, "expr", measure_expr(e));
    }
    if (by.tag != TN_DICT) {
        return TN_OK;
    }
    by = copied(m->arena, by);
    tn_dict_putz(params.dict, "metric_aggregation_params", by);
    aggregate g = { by, params, tn_val_str_at(metric, "name", TN_STR("")) };
    return settle_aggregate(m->arena, &g, err);
}

tn_rc tn_osi_metrics_init(
    tn_osi_metrics *m, tn_arena *a, const tn_project *p, tn_val models, tn_err *err)
{
    *m = (tn_osi_metrics){ a, tn_osi_filters_new(a), tn_map_init(a), tn_map_init(a),
        tn_val_list(a) };
    for (size_t i = 0; i < models.list->n; i++) {
        TN_TRY(add_measures(m, models.list->v[i], err));
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (n->kind == TN_NODE_METRIC) {
            tn_val metric = copied(a, n->extra);
            tn_dict_putz(metric.dict, "name", tn_val_str(n->name));
            tn_dict_putz(metric.dict, "description", tn_val_str(n->description));
            tn_dict_putz(metric.dict, "type_params", copied(a, tn_val_at(n->extra, "type_params")));
            add_metric(m, metric);
        }
    }
    size_t own = m->list.list->n;
    for (size_t i = 0; i < own; i++) {
        take_measure(m, m->list.list->v[i]);
    }
    for (size_t i = 0; i < own; i++) {
        replace_measures(m, m->list.list->v[i]);
    }
    for (size_t i = 0; i < m->list.list->n; i++) {
        TN_TRY(settle_metric(m, m->list.list->v[i], err));
    }
    return TN_OK;
}

/* ---- expressions ---- */

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool plain_column(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!word_char(s.p[i]) || (unsigned char)s.p[i] >= 0x80) {
            return false;
        }
    }
    return s.n > 0 && !(s.p[0] >= '0' && s.p[0] <= '9');
}

/* A column gets its semantic model's name, also in the CASE that a count became. */
static tn_str qualified(tn_arena *a, tn_str col, tn_str model)
{
    tn_str before = TN_STR("CASE WHEN "), after = TN_STR(" IS NOT NULL THEN 1 ELSE 0 END");
    if (plain_column(col)) {
        return tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(model), TN_STR_ARG(col));
    }
    if (tn_str_starts(col, before) && tn_str_ends(col, after) && col.n > before.n + after.n) {
        tn_str of = tn_str_sub(col, before.n, col.n - after.n);
        if (plain_column(of)) {
            return tn_str_printf(a, TN_STR_FMT TN_STR_FMT "." TN_STR_FMT TN_STR_FMT,
                TN_STR_ARG(before), TN_STR_ARG(model), TN_STR_ARG(of), TN_STR_ARG(after));
        }
    }
    return col;
}

static tn_str aggregated(tn_arena *a, tn_val by, tn_str col, tn_str filter)
{
    static const char *const forms[][2] = { { "sum", "SUM(%s" }, { "min", "MIN(%s" },
        { "max", "MAX(%s" }, { "count_distinct", "COUNT(DISTINCT %s" }, { "average", "AVG(%s" } };
    tn_str of = filter.n == 0 ? col
                              : tn_str_printf(a, "CASE WHEN " TN_STR_FMT " THEN " TN_STR_FMT " END",
                                    TN_STR_ARG(filter), TN_STR_ARG(col));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < TN_COUNTOF(forms); i++) {
        if (is(by, "agg", forms[i][0])) {
            tn_str open = tn_str_of(forms[i][1]);
            tn_buf_addf(&b, TN_STR_FMT TN_STR_FMT ")", TN_STR_ARG(tn_str_sub(open, 0, open.n - 2)),
                TN_STR_ARG(of));
            return tn_buf_str(&b);
        }
    }
    tn_val params = tn_val_at(by, "agg_params"), at = tn_val_at(params, "percentile");
    bool discrete = tn_val_truthy(tn_val_at(params, "use_discrete_percentile"));
    tn_buf_addz(&b, discrete ? "PERCENTILE_DISC(" : "PERCENTILE_CONT(");
    tn_val_str_to(&b, at.tag == TN_INT      ? tn_val_float((double)at.i)
                      : tn_val_is_given(at) ? at
                                            : tn_val_float(0.5));
    tn_buf_addf(&b, ") WITHIN GROUP (ORDER BY " TN_STR_FMT ")", TN_STR_ARG(of));
    return tn_buf_str(&b);
}

static tn_rc resolve(
    tn_osi_metrics *m, tn_val metric, tn_str parent_filter, tn_str *ret, tn_err *err);

/* The expression of an input metric, under the filters of both. */
static tn_rc resolve_input(
    tn_osi_metrics *m, tn_val input, tn_str filter, tn_val *ret_metric, tn_str *ret, tn_err *err)
{
    tn_str own, name = tn_val_is_str(input) ? tn_val_as_str(input)
                                            : tn_val_str_at(input, "name", TN_STR(""));
    const tn_val *metric = tn_map_find(&m->by_name, name);
    if (metric == NULL) {
        return tn_fail(
            err, TN_E_VALUE, "Unknown metric referenced: '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    *ret_metric = *metric;
    TN_TRY(tn_osi_filter_sql(m->filters, tn_val_at(input, "filter"), &own, err));
    return resolve(m, *metric, tn_osi_filter_both(m->arena, filter, own), ret, err);
}

static tn_rc resolve_ratio(
    tn_osi_metrics *m, tn_val params, tn_str filter, tn_str *ret, tn_err *err)
{
    tn_val unused;
    tn_str over, under;
    TN_TRY(resolve_input(m, tn_val_at(params, "numerator"), filter, &unused, &over, err));
    TN_TRY(resolve_input(m, tn_val_at(params, "denominator"), filter, &unused, &under, err));
    *ret = tn_str_printf(
        m->arena, "(" TN_STR_FMT ") / (" TN_STR_FMT ")", TN_STR_ARG(over), TN_STR_ARG(under));
    return TN_OK;
}

/* The word, wherever it stands as one, gives way to text. */
static tn_str replace_word(tn_arena *a, tn_str in, tn_str word, tn_str text)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < in.n;) {
        bool here = word.n > 0 && tn_str_starts(tn_str_sub(in, i, in.n), word) &&
                    (i == 0 || !word_char(in.p[i - 1]) || !word_char(word.p[0])) &&
                    (i + word.n == in.n || !word_char(in.p[i + word.n]));
        tn_buf_add(&b, here ? text : tn_str_sub(in, i, i + 1));
        i += here ? word.n : 1;
    }
    return tn_buf_str(&b);
}

static tn_rc resolve_derived(
    tn_osi_metrics *m, tn_val params, tn_str filter, tn_str *ret, tn_err *err)
{
    tn_val inputs = tn_val_at(params, "metrics");
    *ret = tn_val_str_at(params, "expr", TN_STR(""));
    for (size_t i = 0; inputs.tag == TN_LIST && i < inputs.list->n; i++) {
        tn_val input = inputs.list->v[i], metric, alias = tn_val_at(input, "alias");
        tn_str sql;
        TN_TRY(resolve_input(m, input, filter, &metric, &sql, err));
        if (is(metric, "type", "derived") || is(metric, "type", "ratio")) {
            sql = tn_str_printf(m->arena, "(" TN_STR_FMT ")", TN_STR_ARG(sql));
        }
        *ret = replace_word(m->arena, *ret,
            tn_val_truthy(alias) ? tn_val_as_str(alias) : tn_val_str_at(input, "name", TN_STR("")),
            sql);
    }
    return TN_OK;
}

static tn_rc resolve(
    tn_osi_metrics *m, tn_val metric, tn_str parent_filter, tn_str *ret, tn_err *err)
{
    tn_val params = tn_val_at(metric, "type_params"),
           by = tn_val_at(params, "metric_aggregation_params"), unused;
    tn_str name = tn_val_str_at(metric, "name", TN_STR("")), filter;
    TN_TRY(tn_osi_filter_sql(m->filters, tn_val_at(metric, "filter"), &filter, err));
    filter = tn_osi_filter_both(m->arena, parent_filter, filter);
    if (is(metric, "type", "ratio")) {
        return resolve_ratio(m, params, filter, ret, err);
    }
    if (is(metric, "type", "derived")) {
        return resolve_derived(m, params, filter, ret, err);
    }
    if (is(metric, "type", "cumulative")) {
        return resolve_input(m, tn_val_at(tn_val_at(params, "cumulative_type_params"), "metric"),
            filter, &unused, ret, err);
    }
    if (by.tag != TN_DICT) {
        return tn_fail(
            err, TN_E_VALUE, "metric '" TN_STR_FMT "' aggregates nothing", TN_STR_ARG(name));
    }
    tn_str col = qualified(m->arena, tn_val_str_at(params, "expr", name),
        tn_val_str_at(by, "semantic_model", TN_STR("")));
    *ret = aggregated(m->arena, by, col, filter);
    return TN_OK;
}

tn_rc tn_osi_metric_sql(tn_osi_metrics *m, tn_val metric, tn_str *ret, tn_err *err)
{
    return resolve(m, metric, TN_STR(""), ret, err);
}
