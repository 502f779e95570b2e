/* metric_graph.c: what metrics and saved queries are made from: the semantic models that define their measures, and other metrics.
 *
 * tarn computes no metrics; the edges are there so that selection and lineage see through them.
 */
#include "project/graph/graph_priv.h"
#include "project/node/semantic_form.h"

/* A name that is given as a text or as {name: ...}. */
static tn_str name_of(tn_val v)
{
    return tn_val_is_str(v) ? tn_val_as_str(v) : tn_val_str_at(v, "name", TN_STR_NONE);
}

typedef struct measures {
    tn_map by_name; /* measure -> semantic model */
    tn_map metrics; /* metric -> node */
    tn_map models;  /* semantic model -> node */
    tn_map done;    /* metrics whose input measures are known, or being found */
} measures;

static measures collect(tn_project *p, tn_arena *a)
{
    measures m = { tn_map_init(a), tn_map_init(a), tn_map_init(a), tn_map_init(a) };
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_node *n = p->nodes.v[i];
        if (n->kind == TN_NODE_METRIC) {
            tn_map_put(&m.metrics, n->name, n);
        } else if (n->kind == TN_NODE_SEMANTIC_MODEL) {
            tn_map_put(&m.models, n->name, n);
        }
        tn_val list =
            n->kind == TN_NODE_SEMANTIC_MODEL ? tn_val_at(n->extra, "measures") : TN_VAL_UNDEF;
        for (size_t k = 0; list.tag == TN_LIST && k < list.list->n; k++) {
            tn_str name = name_of(list.list->v[k]);
            if (name.n > 0) {
                tn_map_put(&m.by_name, name, n);
            }
        }
    }
    return m;
}

/* A measure that no semantic model has, or one that is disabled: dbt's words. */
static tn_rc no_measure(const tn_project *p, const tn_node *n, tn_str name, tn_err *err)
{
    const tn_node *off = NULL;
    for (size_t i = 0; i < p->disabled.n && off == NULL; i++) {
        const tn_node *d = p->disabled.v[i];
        tn_val list =
            d->kind == TN_NODE_SEMANTIC_MODEL ? tn_val_at(d->extra, "measures") : TN_VAL_UNDEF;
        for (size_t k = 0; list.tag == TN_LIST && k < list.list->n; k++) {
            off = tn_str_eq(name_of(list.list->v[k]), name) ? d : off;
        }
    }
    if (off != NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error in metric " TN_STR_FMT " (" TN_STR_FMT ")\n  The measure `" TN_STR_FMT
            "` is referenced on disabled semantic model `" TN_STR_FMT "`.",
            TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path), TN_STR_ARG(name),
            TN_STR_ARG(off->name));
    }
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error in metric " TN_STR_FMT " (" TN_STR_FMT
        ")\n  A semantic model having a measure `" TN_STR_FMT
        "` does not exist but was referenced.",
        TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path), TN_STR_ARG(name));
}

static tn_rc link_measure(tn_project *p, const measures *m, tn_node *n, tn_val v, tn_err *err)
{
    tn_str name = name_of(v);
    tn_node *target = name.n > 0 ? tn_map_find(&m->by_name, name) : NULL;
    if (name.n > 0 && target == NULL) {
        return no_measure(p, n, name, err);
    }
    if (target != NULL) {
        tn_graph_edge(p, n, target);
    }
    return TN_OK;
}

/* What a metric says that there is not, or that is switched off, in dbt's words. */
static tn_rc no_metric(const tn_node *n, tn_str name, bool disabled, bool again, tn_err *err)
{
    const char *why = disabled ? "is disabled and thus cannot be referenced"
                               : "does not exist but was referenced";
    if (disabled || !again) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error in metric " TN_STR_FMT " (" TN_STR_FMT ")\n  The metric `" TN_STR_FMT
            "` %s.",
            TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path), TN_STR_ARG(name), why);
    }
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error in metric " TN_STR_FMT " (" TN_STR_FMT ")\n  The metric `" TN_STR_FMT
        "` %s by metric `" TN_STR_FMT "`.",
        TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path), TN_STR_ARG(name), why,
        TN_STR_ARG(n->name));
}

/* dbt names the asking metric again when it is a ratio or derived. */
static bool named_again(const tn_node *n)
{
    tn_str type = tn_val_str_at(n->extra, "type", TN_STR_NONE);
    return tn_str_is(type, "ratio") || tn_str_is(type, "derived");
}

static tn_rc link_to_metric(tn_project *p, const measures *m, tn_node *n, tn_val v, tn_err *err)
{
    tn_str name = name_of(v);
    tn_node *target = name.n > 0 ? tn_map_find(&m->metrics, name) : NULL;
    bool disabled = false;
    if (name.n > 0 && target == NULL) {
        for (size_t i = 0; i < p->disabled.n; i++) {
            const tn_node *d = p->disabled.v[i];
            disabled = disabled || (d->kind == TN_NODE_METRIC && tn_str_eq(d->name, name));
        }
        return n->kind == TN_NODE_METRIC
                   ? no_metric(n, name, disabled, named_again(n), err)
                   : tn_find_node_error(p, n, TN_STR("metric"), name, disabled, err);
    }
    if (target != NULL && target != n) {
        tn_graph_edge(p, n, target);
    }
    return TN_OK;
}

/* A simple metric of the newer spelling aggregates its semantic model itself. */
static void link_aggregated(tn_project *p, const measures *m, tn_node *n, tn_val params)
{
    tn_str name = tn_val_str_at(
        tn_val_at(params, "metric_aggregation_params"), "semantic_model", TN_STR_NONE);
    tn_node *target = name.n > 0 ? tn_map_find(&m->models, name) : NULL;
    if (target != NULL) {
        tn_graph_edge(p, n, target);
    }
}

/* What a metric of its kind cannot do without. */
static tn_rc check_inputs(const tn_node *n, tn_val params, tn_err *err)
{
    tn_str type = tn_val_str_at(n->extra, "type", TN_STR_NONE);
    bool halves = tn_val_is_given(tn_val_at(params, "numerator")) &&
                  tn_val_is_given(tn_val_at(params, "denominator"));
    if (tn_str_is(type, "ratio") && !halves) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error in metric " TN_STR_FMT " (" TN_STR_FMT
            ")\n  Invalid ratio metric. Both a numerator and denominator must be specified",
            TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path));
    }
    if (tn_str_is(type, "simple") && !tn_val_is_given(tn_val_at(params, "measure")) &&
        !tn_val_is_given(tn_val_at(params, "metric_aggregation_params"))) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error in metric " TN_STR_FMT " (" TN_STR_FMT ")\n  Simple metric " TN_STR_FMT
            " should have a measure or agg type defined, but it does not.",
            TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path), TN_STR_ARG(n->name));
    }
    tn_val own = tn_val_at(params, "cumulative_type_params");
    if (tn_str_is(type, "cumulative") && !tn_val_is_given(tn_val_at(params, "measure")) &&
        !tn_val_is_given(tn_val_at(own, "metric"))) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error in metric " TN_STR_FMT " (" TN_STR_FMT
            ")\n  Cumulative metric " TN_STR_FMT
            " should have a measure or input_metric defined, but it does not.",
            TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path), TN_STR_ARG(n->name));
    }
    return TN_OK;
}

static tn_rc link_metric(tn_project *p, const measures *m, tn_node *n, tn_err *err)
{
    static const char *const measure_keys[] = { "measure", "base_measure", "conversion_measure" };
    static const char *const metric_keys[] = { "numerator", "denominator", "metric", "base_metric",
        "conversion_metric" };
    tn_val params = tn_val_at(n->extra, "type_params");
    TN_TRY(check_inputs(n, params, err));
    link_aggregated(p, m, n, params);
    const tn_val scopes[] = { params, tn_val_at(params, "conversion_type_params"),
        tn_val_at(params, "cumulative_type_params"), n->extra };
    for (size_t s = 0; s < TN_COUNTOF(scopes); s++) {
        for (size_t i = 0; i < TN_COUNTOF(measure_keys); i++) {
            TN_TRY(link_measure(p, m, n, tn_val_at(scopes[s], measure_keys[i]), err));
        }
        for (size_t i = 0; i < TN_COUNTOF(metric_keys); i++) {
            TN_TRY(link_to_metric(p, m, n, tn_val_at(scopes[s], metric_keys[i]), err));
        }
    }
    tn_val inputs = tn_val_at(params, "metrics");
    for (size_t i = 0; inputs.tag == TN_LIST && i < inputs.list->n; i++) {
        TN_TRY(link_to_metric(p, m, n, inputs.list->v[i], err));
    }
    return TN_OK;
}

/* ---- input measures: those of a metric and of the metrics that it is made from ---- */

static void add_input(tn_val params, tn_val measure)
{
    tn_val list = tn_val_at(params, "input_measures");
    for (size_t i = 0; i < list.list->n; i++) {
        if (tn_val_eq(list.list->v[i], measure)) {
            return;
        }
    }
    if (measure.tag == TN_DICT) {
        tn_list_push(list.list, measure);
    }
}

static void find_inputs(measures *m, tn_node *n);

static void add_inputs_of(measures *m, tn_val params, tn_val metric)
{
    tn_node *n = name_of(metric).n > 0 ? tn_map_find(&m->metrics, name_of(metric)) : NULL;
    if (n == NULL) {
        return;
    }
    find_inputs(m, n);
    tn_val theirs = tn_val_at(tn_val_at(n->extra, "type_params"), "input_measures");
    for (size_t i = 0; theirs.tag == TN_LIST && i < theirs.list->n; i++) {
        add_input(params, theirs.list->v[i]);
    }
}

static void find_inputs(measures *m, tn_node *n)
{
    tn_val params = tn_val_at(n->extra, "type_params");
    tn_val conversion = tn_val_at(params, "conversion_type_params");
    if (tn_map_find(&m->done, n->unique_id) != NULL) {
        return;
    }
    tn_map_put(&m->done, n->unique_id, n);
    tn_str type = tn_val_str_at(n->extra, "type", TN_STR_NONE);
    if (tn_str_is(type, "ratio")) {
        add_inputs_of(m, params, tn_val_at(params, "numerator"));
        add_inputs_of(m, params, tn_val_at(params, "denominator"));
    } else if (tn_str_is(type, "derived")) {
        tn_val inputs = tn_val_at(params, "metrics");
        for (size_t i = 0; inputs.tag == TN_LIST && i < inputs.list->n; i++) {
            add_inputs_of(m, params, inputs.list->v[i]);
        }
    } else {
        add_input(params, tn_val_at(params, "measure"));
        add_input(params, tn_val_at(conversion, "base_measure"));
        add_input(params, tn_val_at(conversion, "conversion_measure"));
    }
}

/* metric() in a template, or in depends_on of an exposure. */
static tn_rc link_calls(tn_project *p, const measures *m, tn_node *n, tn_err *err)
{
    for (size_t i = 0; i < n->metrics.n; i++) {
        TN_TRY(link_to_metric(p, m, n, tn_val_str(n->metrics.v[i].name), err));
    }
    return TN_OK;
}

tn_rc tn_link_metrics(tn_project *p, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("metrics", NULL);
    measures m = collect(p, scratch);
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_node *n = p->nodes.v[i];
        TN_TRY(link_calls(p, &m, n, err));
        if (n->kind == TN_NODE_METRIC) {
            TN_TRY(link_metric(p, &m, n, err));
            find_inputs(&m, n);
        } else if (n->kind == TN_NODE_SEMANTIC_MODEL) {
            tn_semantic_place(p, n);
        } else if (n->kind == TN_NODE_SAVED_QUERY) {
            tn_val list = tn_val_at(tn_val_at(n->extra, "query_params"), "metrics");
            for (size_t k = 0; list.tag == TN_LIST && k < list.list->n; k++) {
                TN_TRY(link_to_metric(p, &m, n, list.list->v[k], err));
            }
        }
    }
    return TN_OK;
}
