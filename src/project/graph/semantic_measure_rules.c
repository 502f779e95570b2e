/* semantic_measure_rules.c: what a measure's aggregation needs, and that its name is used once. */
#include "project/graph/semantic_rules.h"

/* ---- percentiles ---- */

static double number(tn_val v)
{
    return v.tag == TN_FLOAT ? v.f : (double)v.i;
}

/* A number as Python prints a float. */
static tn_str float_text(tn_semantics *s, tn_val v)
{
    return tn_val_to_str(s->arena, tn_val_float(number(v)));
}

static void check_percentile(tn_semantics *s, tn_val m, tn_val given)
{
    tn_str name = tn_semantic_name(m);
    if (!tn_val_is_given(given)) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT
            "' uses a PERCENTILE aggregation, which requires agg_params.percentile to be provided.",
            TN_STR_ARG(name));
    } else if (number(given) <= 0 || number(given) >= 1) {
        tn_semantic_error(s,
            "Percentile aggregation parameter for measure '" TN_STR_FMT "' is '" TN_STR_FMT
            "', but must be between 0 and 1 (non-inclusive). For example, to indicate the 65th "
            "percentile value, set 'percentile: 0.65'. For percentile values of 0, please use MIN, "
            "for percentile values of 1, please use MAX.",
            TN_STR_ARG(name), TN_STR_ARG(float_text(s, given)));
    }
}

static void check_median(tn_semantics *s, tn_val m, tn_val params, tn_val given)
{
    tn_str name = tn_semantic_name(m);
    if (tn_val_is_given(given) && number(given) != 0.5) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT
            "' uses a MEDIAN aggregation, while percentile is set to '" TN_STR_FMT
            "', a conflicting value. Please remove the parameter or set to '0.5'.",
            TN_STR_ARG(name), TN_STR_ARG(float_text(s, given)));
    }
    if (tn_val_bool_at(params, "use_discrete_percentile", false)) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT
            "' uses a MEDIAN aggregation, while use_discrete_percentile is set to true. Please "
            "remove the parameter or set to False.",
            TN_STR_ARG(name));
    }
}

static void check_no_percentile(tn_semantics *s, tn_val m, tn_val params)
{
    static const char *const keys[] = { "percentile", "use_discrete_percentile",
        "use_approximate_percentile" };
    tn_buf wrong = tn_buf_init(s->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        if (tn_val_truthy(tn_val_at(params, keys[i]))) {
            tn_buf_addf(&wrong, "%s%s", wrong.n > 0 ? ", " : "", keys[i]);
        }
    }
    if (wrong.n > 0) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT "' with aggregation '" TN_STR_FMT
            "' uses agg_params (" TN_STR_FMT ") only relevant to Percentile measures.",
            TN_STR_ARG(tn_semantic_name(m)),
            TN_STR_ARG(tn_str_lower(s->arena, tn_val_str_at(m, "agg", TN_STR("None")))),
            TN_STR_ARG(tn_buf_str(&wrong)));
    }
}

void tn_rule_percentiles(tn_semantics *s)
{
    for (size_t i = 0; i < s->models.n; i++) {
        tn_val model = s->models.v[i]->extra;
        for (size_t k = 0; k < tn_semantic_count(model, "measures"); k++) {
            tn_val m = tn_semantic_nth(model, "measures", k), params = tn_val_at(m, "agg_params");
            tn_val given = tn_val_at(params, "percentile");
            if (tn_semantic_is(m, "agg", "percentile")) {
                check_percentile(s, m, given);
            } else if (tn_semantic_is(m, "agg", "median")) {
                check_median(s, m, params, given);
            } else {
                check_no_percentile(s, m, params);
            }
        }
    }
}

/* ---- counts ---- */

static void check_count(tn_semantics *s, tn_val m)
{
    tn_str expr = tn_val_str_at(m, "expr", TN_STR_NONE), name = tn_semantic_name(m);
    if (!tn_val_is_given(tn_val_at(m, "expr"))) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT
            "' uses a COUNT aggregation, which requires an expr to be provided. Provide 'expr: 1' "
            "if a count of all rows is desired.",
            TN_STR_ARG(name));
    }
    if (tn_str_starts(tn_str_lower(s->arena, expr), TN_STR("distinct "))) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT "' uses a 'count' aggregation with a DISTINCT expr: '" TN_STR_FMT
            "'. This is not supported as it effectively converts an additive measure into a "
            "non-additive one, and this could cause certain queries to return incorrect results. "
            "Please use the count_distinct aggregation type.",
            TN_STR_ARG(name), TN_STR_ARG(expr));
    }
}

void tn_rule_counts(tn_semantics *s)
{
    for (size_t i = 0; i < s->models.n; i++) {
        tn_val model = s->models.v[i]->extra;
        for (size_t k = 0; k < tn_semantic_count(model, "measures"); k++) {
            if (tn_semantic_is(tn_semantic_nth(model, "measures", k), "agg", "count")) {
                check_count(s, tn_semantic_nth(model, "measures", k));
            }
        }
    }
}

/* ---- names ---- */

void tn_rule_measures_once(tn_semantics *s)
{
    tn_map seen = tn_map_init(s->arena);
    for (size_t i = 0; i < s->models.n; i++) {
        const tn_node *n = s->models.v[i];
        for (size_t k = 0; k < tn_semantic_count(n->extra, "measures"); k++) {
            tn_str name = tn_semantic_name(tn_semantic_nth(n->extra, "measures", k));
            tn_list *models = tn_map_find(&seen, name);
            if (models != NULL) {
                tn_val list = { .tag = TN_LIST, .list = models };
                tn_semantic_error(s,
                    "Found measure with name " TN_STR_FMT
                    " in multiple semantic models with names (" TN_STR_FMT ")",
                    TN_STR_ARG(name), TN_STR_ARG(tn_val_to_repr(s->arena, list)));
            } else {
                models = tn_val_list(s->arena).list;
                tn_map_put(&seen, name, models);
            }
            tn_list_push(models, tn_val_str(n->name));
        }
    }
}

/* ---- dimensions that a measure is not summed over ---- */

static tn_val find_dimension(const tn_node *n, tn_str name)
{
    for (size_t i = 0; i < tn_semantic_count(n->extra, "dimensions"); i++) {
        tn_val d = tn_semantic_nth(n->extra, "dimensions", i);
        if (tn_str_eq(tn_semantic_name(d), name)) {
            return d;
        }
    }
    return TN_VAL_UNDEF;
}

static tn_str grain_of(tn_semantics *s, tn_val dimension)
{
    tn_val params = tn_val_at(dimension, "type_params");
    return tn_str_upper(s->arena, tn_val_str_at(params, "time_granularity", TN_STR_NONE));
}

static void check_other_dimension(tn_semantics *s, tn_val m, tn_val other, tn_val time)
{
    tn_str name = tn_semantic_name(m), by = tn_semantic_name(other);
    if (!tn_semantic_is(other, "type", "time")) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT "' has a non_additive_dimension with name'" TN_STR_FMT
            "' that is defined as a categorical dimension which is not supported.",
            TN_STR_ARG(name), TN_STR_ARG(by));
    }
    tn_str grain = grain_of(s, other), base = grain_of(s, time);
    if (grain.n > 0 && base.n > 0 && !tn_str_eq(grain, base)) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT "' has a non_additive_dimension with name '" TN_STR_FMT
            "' that has a base time granularity (" TN_STR_FMT
            ") that is not equal to the measure's agg_time_dimension " TN_STR_FMT
            " with a base granularity of (" TN_STR_FMT ").",
            TN_STR_ARG(name), TN_STR_ARG(by), TN_STR_ARG(grain), TN_STR_ARG(tn_semantic_name(time)),
            TN_STR_ARG(base));
    }
}

/* Those of the groupings that are no entities, as Python prints a set. */
static void check_groupings(tn_semantics *s, const tn_node *n, tn_val m, tn_val by)
{
    tn_val unknown = tn_val_list(s->arena);
    for (size_t i = 0; i < tn_semantic_count(by, "window_groupings"); i++) {
        tn_val name = tn_semantic_nth(by, "window_groupings", i);
        if (!tn_semantic_has(n->extra, "entities", tn_val_as_str(name))) {
            tn_list_push(unknown.list, name);
        }
    }
    if (unknown.list->n > 0) {
        tn_str names = tn_val_to_repr(s->arena, unknown);
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT
            "' has a non_additive_dimension with an invalid 'window_groupings'. These entities "
            "{" TN_STR_FMT "} do not exist in the semantic model.",
            TN_STR_ARG(tn_semantic_name(m)), TN_STR_ARG(tn_str_sub(names, 1, names.n - 1)));
    }
}

static void check_non_additive(tn_semantics *s, const tn_node *n, tn_val m, tn_val by)
{
    tn_str dflt = tn_val_str_at(tn_val_at(n->extra, "defaults"), "agg_time_dimension", TN_STR_NONE);
    tn_str time = tn_val_str_at(m, "agg_time_dimension", dflt), name = tn_semantic_name(m);
    tn_val agg = find_dimension(n, time.n > 0 ? time : dflt);
    if (!tn_val_is_given(agg)) {
        return; /* told by the rule on such dimensions */
    }
    tn_val other = find_dimension(n, tn_semantic_name(by));
    if (tn_val_is_given(other)) {
        check_other_dimension(s, m, other, agg);
    } else {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT "' has a non_additive_dimension with name '" TN_STR_FMT
            "' that is not defined as a dimension in semantic model '" TN_STR_FMT "'.",
            TN_STR_ARG(name), TN_STR_ARG(tn_semantic_name(by)), TN_STR_ARG(n->name));
    }
    if (!tn_semantic_is(by, "window_choice", "min") &&
        !tn_semantic_is(by, "window_choice", "max")) {
        tn_semantic_error(s,
            "Measure '" TN_STR_FMT
            "' has a non_additive_dimension with an invalid 'window_choice' of '" TN_STR_FMT
            "'. Only choices supported are 'min' or 'max'.",
            TN_STR_ARG(name),
            TN_STR_ARG(tn_str_lower(s->arena, tn_val_str_at(by, "window_choice", TN_STR_NONE))));
    }
    check_groupings(s, n, m, by);
}

void tn_rule_non_additive(tn_semantics *s)
{
    for (size_t i = 0; i < s->models.n; i++) {
        const tn_node *n = s->models.v[i];
        for (size_t k = 0; k < tn_semantic_count(n->extra, "measures"); k++) {
            tn_val m = tn_semantic_nth(n->extra, "measures", k);
            tn_val by = tn_val_at(m, "non_additive_dimension");
            if (tn_val_is_given(by)) {
                check_non_additive(s, n, m, by);
            }
        }
    }
}
