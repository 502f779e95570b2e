/* semantic_metric_rules.c: what metrics that are made from others need: windows and offsets of known granularities, names for inputs that are
 * used once, and for conversions an entity of both models and measures that count.
 */
#include "project/deprecation.h"
#include "project/graph/semantic_rules.h"

#define NOT_YET "Custom granularities are not supported for this field yet."

static bool is_project_grain(const tn_semantics *s, tn_str name)
{
    for (size_t i = 0; i < s->grains.n; i++) {
        if (tn_str_eq(s->grains.v[i], name)) {
            return true;
        }
    }
    return false;
}

/* "7 moons", as it is written in the file. */
static tn_str window_text(tn_semantics *s, tn_val window)
{
    return tn_str_printf(s->arena, "%lld " TN_STR_FMT, (long long)tn_val_int_at(window, "count", 0),
        TN_STR_ARG(tn_val_str_at(window, "granularity", TN_STR(""))));
}

/* The same as dbt shows its object. */
static tn_str window_repr(tn_semantics *s, tn_val window)
{
    return tn_str_printf(s->arena, "count=%lld granularity='" TN_STR_FMT "'",
        (long long)tn_val_int_at(window, "count", 0),
        TN_STR_ARG(tn_val_str_at(window, "granularity", TN_STR(""))));
}

static void check_window(tn_semantics *s, tn_val window, bool may_be_custom)
{
    tn_str grain = tn_val_str_at(window, "granularity", TN_STR(""));
    tn_str one = tn_str_ends(grain, TN_STR("s")) ? tn_str_sub(grain, 0, grain.n - 1) : grain;
    if (tn_semantic_grain(one) || is_project_grain(s, one)) {
        grain = one;
    }
    bool known = tn_semantic_grain(grain), custom = is_project_grain(s, grain);
    if (!known && (!custom || !may_be_custom)) {
        tn_semantic_error(s,
            "Invalid time granularity '" TN_STR_FMT "' in window: '" TN_STR_FMT "'%s",
            TN_STR_ARG(grain), TN_STR_ARG(window_text(s, window)), custom ? " " NOT_YET : "");
    }
}

static void check_grain(tn_semantics *s, const char *key, tn_str grain)
{
    if (grain.n > 0 && !tn_semantic_grain(grain)) {
        tn_semantic_error(s, "Invalid time granularity found in `%s`: '" TN_STR_FMT "'. " NOT_YET,
            key, TN_STR_ARG(grain));
    }
}

/* ---- derived ---- */

static void check_aliases(tn_semantics *s, tn_val params)
{
    for (size_t i = 0; i < tn_semantic_count(params, "metrics"); i++) {
        tn_val input = tn_semantic_nth(params, "metrics", i);
        tn_str alias = tn_val_str_at(input, "alias", TN_STR_NONE);
        if (alias.n > 0) {
            tn_semantic_check_name(s, alias);
        }
        if (alias.n > 0 && tn_semantic_has(params, "metrics", alias)) {
            tn_semantic_error(s,
                "Alias '" TN_STR_FMT "' for input metric: '" TN_STR_FMT
                "' is already being used. Please choose another alias.",
                TN_STR_ARG(alias), TN_STR_ARG(tn_semantic_name(input)));
        }
    }
}

static void check_offsets(tn_semantics *s, const tn_node *n, tn_val params)
{
    for (size_t i = 0; i < tn_semantic_count(params, "metrics"); i++) {
        tn_val input = tn_semantic_nth(params, "metrics", i);
        tn_val window = tn_val_at(input, "offset_window");
        tn_str grain = tn_val_str_at(input, "offset_to_grain", TN_STR_NONE);
        if (tn_val_is_given(window)) {
            check_window(s, window, true);
        }
        check_grain(s, "offset_to_grain", grain);
        if (tn_val_is_given(window) && grain.n > 0) {
            tn_semantic_error(s,
                "Both offset_window and offset_to_grain set for derived metric '" TN_STR_FMT
                "' on input metric '" TN_STR_FMT "'. Please set one or the other.",
                TN_STR_ARG(n->name), TN_STR_ARG(tn_semantic_name(input)));
        }
    }
}

/* An expression that leaves an input out is only warned of. */
static void check_expr(tn_semantics *s, const tn_node *n, tn_val params)
{
    tn_str expr = tn_val_str_at(params, "expr", TN_STR_NONE);
    if (expr.n == 0) {
        tn_semantic_warning(s,
            "No `expr` set for derived metric " TN_STR_FMT
            ". Please add an `expr` that references all input metrics.",
            TN_STR_ARG(n->name));
    }
    for (size_t i = 0; expr.n > 0 && i < tn_semantic_count(params, "metrics"); i++) {
        tn_val input = tn_semantic_nth(params, "metrics", i);
        tn_str name = tn_val_str_at(input, "alias", TN_STR_NONE);
        name = name.n > 0 ? name : tn_semantic_name(input);
        if (tn_str_find(expr, name, 0) == SIZE_MAX) {
            tn_semantic_warning(s,
                "Input metric '" TN_STR_FMT "' is not used in `expr`: '" TN_STR_FMT
                "' for derived metric '" TN_STR_FMT
                "'. Please update the `expr` or remove the input metric.",
                TN_STR_ARG(name), TN_STR_ARG(expr), TN_STR_ARG(n->name));
        }
    }
}

void tn_rule_derived(tn_semantics *s)
{
    for (size_t i = 0; i < s->metrics.n; i++) {
        const tn_node *n = s->metrics.v[i];
        if (tn_semantic_is(n->extra, "type", "derived") &&
            tn_semantic_count(tn_val_at(n->extra, "type_params"), "metrics") == 0) {
            tn_semantic_error(s,
                "No input metrics found for derived metric '" TN_STR_FMT
                "'. Please add metrics to type_params.metrics.",
                TN_STR_ARG(n->name));
        }
    }
    for (size_t i = 0; i < s->metrics.n; i++) {
        tn_val params = tn_val_at(s->metrics.v[i]->extra, "type_params");
        if (tn_semantic_is(s->metrics.v[i]->extra, "type", "derived")) {
            check_aliases(s, params);
        }
        check_offsets(s, s->metrics.v[i], params);
        if (tn_semantic_is(s->metrics.v[i]->extra, "type", "derived")) {
            check_expr(s, s->metrics.v[i], params);
        }
    }
}

/* ---- aliases of measures ---- */

static bool is_measure(const tn_semantics *s, tn_str name)
{
    for (size_t i = 0; i < s->models.n; i++) {
        if (tn_semantic_has(s->models.v[i]->extra, "measures", name)) {
            return true;
        }
    }
    return false;
}

/* An input as dbt shows its object. */
static tn_str input_repr(tn_semantics *s, tn_val input)
{
    static const char *const keys[] = { "name", "filter", "alias", "join_to_timespine",
        "fill_nulls_with" };
    tn_buf b = tn_buf_init(s->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_val_at(input, keys[i]);
        tn_buf_addf(&b, "%s%s=", i > 0 ? " " : "", keys[i]);
        if (v.tag != TN_DICT) {
            tn_val_repr_to(&b, v);
            continue;
        }
        tn_buf_addz(&b, "PydanticWhereFilterIntersection(where_filters=[");
        for (size_t k = 0; k < tn_semantic_count(v, "where_filters"); k++) {
            tn_val filter = tn_semantic_nth(v, "where_filters", k);
            tn_buf_addf(&b, "%sPydanticWhereFilter(where_sql_template=", k > 0 ? ", " : "");
            tn_val_repr_to(&b, tn_val_at(filter, "where_sql_template"));
            tn_buf_addc(&b, ')');
        }
        tn_buf_addz(&b, "])");
    }
    return tn_buf_str(&b);
}

/* `uses`: alias -> the metrics that use it. */
static void check_alias(tn_semantics *s, const tn_node *n, tn_val input, tn_str alias, tn_map *uses)
{
    tn_semantic_check_name(s, alias);
    if (is_measure(s, alias)) {
        tn_semantic_error(s,
            "Alias `" TN_STR_FMT "` for measure `" TN_STR_FMT
            "` conflicts with measure names defined elsewhere in the model! This can cause "
            "ambiguity for certain types of query. Please choose another alias.",
            TN_STR_ARG(alias), TN_STR_ARG(tn_semantic_name(input)));
    }
    tn_list *metrics = tn_map_find(uses, alias);
    if (metrics == NULL) {
        metrics = tn_val_list(s->arena).list;
        tn_map_put(uses, alias, metrics);
    } else {
        tn_val list = { .tag = TN_LIST, .list = metrics };
        tn_semantic_error(s,
            "Measure alias " TN_STR_FMT
            " conflicts with a measure alias used elsewhere in the model! This can cause ambiguity "
            "for certain types of query. Please choose another alias, or, if the measures are "
            "constrained in the same way, consider centralizing that definition in a new semantic "
            "model. Measure specification: " TN_STR_FMT
            ". Existing metrics with that measure alias used: " TN_STR_FMT,
            TN_STR_ARG(alias), TN_STR_ARG(input_repr(s, input)),
            TN_STR_ARG(tn_val_to_repr(s->arena, list)));
    }
    tn_list_push(metrics, tn_val_str(n->name));
}

/* The measures that a metric names itself. */
void tn_rule_aliases(tn_semantics *s)
{
    static const char *const keys[][2] = { { NULL, "measure" },
        { "conversion_type_params", "base_measure" },
        { "conversion_type_params", "conversion_measure" } };
    tn_map uses = tn_map_init(s->arena);
    for (size_t i = 0; i < s->metrics.n; i++) {
        tn_val params = tn_val_at(s->metrics.v[i]->extra, "type_params");
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            tn_val scope = keys[k][0] != NULL ? tn_val_at(params, keys[k][0]) : params;
            tn_val input = tn_val_at(scope, keys[k][1]);
            tn_str alias = tn_val_str_at(input, "alias", TN_STR_NONE);
            if (alias.n > 0) {
                check_alias(s, s->metrics.v[i], input, alias, &uses);
            }
        }
    }
}

/* ---- cumulative ---- */

static void check_sources(tn_semantics *s, const tn_node *n, tn_val params, tn_val own)
{
    bool measure = tn_val_is_given(tn_val_at(params, "measure"));
    bool metric = tn_val_is_given(tn_val_at(own, "metric"));
    if (measure && metric) {
        tn_semantic_warning(s,
            "Cumulative metric '" TN_STR_FMT
            "' should not have both a measure and a metric as inputs. The measure will be ignored; "
            "please remove it to avoid confusion.",
            TN_STR_ARG(n->name));
    } else if (!measure && !metric) {
        tn_semantic_warning(s,
            "Cumulative metric '" TN_STR_FMT
            "' must have either a measure or a metric as inputs. Please add one of them.",
            TN_STR_ARG(n->name));
    }
}

void tn_rule_cumulative(tn_semantics *s)
{
    for (size_t i = 0; i < s->metrics.n; i++) {
        const tn_node *n = s->metrics.v[i];
        if (!tn_semantic_is(n->extra, "type", "cumulative")) {
            continue;
        }
        tn_val params = tn_val_at(n->extra, "type_params");
        tn_val own = tn_val_at(params, "cumulative_type_params");
        check_sources(s, n, params, own);
        tn_val old = tn_val_at(params, "window"), window = tn_val_at(own, "window");
        tn_str grain = tn_val_str_at(
            own, "grain_to_date", tn_val_str_at(params, "grain_to_date", TN_STR_NONE));
        if (tn_val_is_given(old) && tn_val_is_given(window) && !tn_val_eq(old, window)) {
            tn_semantic_error(s,
                "Got differing values for `window` on cumulative metric '" TN_STR_FMT
                "'. In `type_params.window`, got '" TN_STR_FMT
                "'. In `type_params.cumulative_type_params.window`, got '" TN_STR_FMT
                "'. Please remove the value from `type_params.window`.",
                TN_STR_ARG(n->name), TN_STR_ARG(window_repr(s, old)),
                TN_STR_ARG(window_repr(s, window)));
        }
        window = tn_val_is_given(window) ? window : old;
        check_grain(s, "grain_to_date", grain);
        if (tn_val_is_given(window) && grain.n > 0) {
            tn_semantic_error(s, "Both window and grain_to_date set for cumulative metric. Please "
                                 "set one or the other.");
        }
        if (tn_val_is_given(window)) {
            check_window(s, window, false);
        }
    }
}

/* Where windows were before they had a place of their own: refused, or with a flag a deprecation. */
void tn_rule_nested_windows(tn_semantics *s)
{
    tn_buf names = tn_buf_init(s->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < s->metrics.n; i++) {
        tn_val params = tn_val_at(s->metrics.v[i]->extra, "type_params");
        if (tn_val_truthy(tn_val_at(params, "window")) ||
            tn_val_truthy(tn_val_at(params, "grain_to_date"))) {
            tn_buf_addf(&names, "%s" TN_STR_FMT, names.n > 0 ? ", " : "",
                TN_STR_ARG(s->metrics.v[i]->name));
        }
    }
    if (names.n > 0 && !tn_project_flag(s->p, "REQUIRE_NESTED_CUMULATIVE_TYPE_PARAMS", true)) {
        tn_deprecate(s->p, "MFCumulativeTypeParamsDeprecation", TN_STR_NONE,
            "Cumulative fields `type_params.window` and `type_params.grain_to_date` have been "
            "moved and will soon be deprecated. Please nest those values under "
            "`type_params.cumulative_type_params.window` and "
            "`type_params.cumulative_type_params.grain_to_date`. See documentation on behavior "
            "changes: https://docs.getdbt.com/reference/global-configs/behavior-changes.");
    } else if (names.n > 0) {
        tn_semantic_error(s,
            "Cumulative fields `type_params.window` and `type_params.grain_to_date` should be "
            "nested under `type_params.cumulative_type_params.window` and "
            "`type_params.cumulative_type_params.grain_to_date`. Invalid metrics: " TN_STR_FMT
            ". See documentation on behavior changes: "
            "https://docs.getdbt.com/reference/global-configs/behavior-changes.",
            TN_STR_ARG(tn_buf_str(&names)));
    }
}

/* ---- conversions ---- */

static const tn_node *model_of_measure(const tn_semantics *s, tn_str name, tn_val *ret_measure)
{
    for (size_t i = 0; i < s->models.n; i++) {
        tn_val model = s->models.v[i]->extra;
        for (size_t k = 0; k < tn_semantic_count(model, "measures"); k++) {
            tn_val m = tn_semantic_nth(model, "measures", k);
            if (tn_str_eq(tn_semantic_name(m), name)) {
                *ret_measure = m;
                return s->models.v[i];
            }
        }
    }
    return NULL;
}

static void check_counts(tn_semantics *s, tn_val m)
{
    bool ones = tn_semantic_is(m, "agg", "sum") && tn_semantic_is(m, "expr", "1");
    if (!ones && !tn_semantic_is(m, "agg", "count") &&
        !tn_semantic_is(m, "agg", "count_distinct")) {
        tn_str agg = tn_str_upper(s->arena, tn_val_str_at(m, "agg", TN_STR("")));
        tn_semantic_error(s,
            "For conversion metrics, the input measure must be COUNT/SUM(1)/COUNT_DISTINCT. "
            "Measure "
            "'" TN_STR_FMT "' is agg type: AggregationType." TN_STR_FMT,
            TN_STR_ARG(tn_semantic_name(m)), TN_STR_ARG(agg));
    }
}

static void check_constants(tn_semantics *s, const tn_node *model, tn_val params, const char *key)
{
    for (size_t i = 0; i < tn_semantic_count(params, "constant_properties"); i++) {
        tn_val property = tn_semantic_nth(params, "constant_properties", i);
        tn_str name = tn_val_str_at(property, key, TN_STR(""));
        if (!tn_semantic_has(model->extra, "entities", name) &&
            !tn_semantic_has(model->extra, "dimensions", name)) {
            tn_semantic_error(s,
                "The provided constant property: " TN_STR_FMT
                ", cannot be found in semantic model " TN_STR_FMT,
                TN_STR_ARG(name), TN_STR_ARG(model->name));
        }
    }
}

static void check_conversion(tn_semantics *s, tn_val params)
{
    tn_val base = TN_VAL_UNDEF, conversion = TN_VAL_UNDEF;
    const tn_node *from =
        model_of_measure(s, tn_semantic_name(tn_val_at(params, "base_measure")), &base);
    const tn_node *to =
        model_of_measure(s, tn_semantic_name(tn_val_at(params, "conversion_measure")), &conversion);
    tn_str entity = tn_val_str_at(params, "entity", TN_STR(""));
    if (from == NULL || to == NULL) {
        return;
    }
    if (!tn_semantic_has(from->extra, "entities", entity)) {
        tn_semantic_error(s,
            "Entity: " TN_STR_FMT " not found in base semantic model: " TN_STR_FMT ".",
            TN_STR_ARG(entity), TN_STR_ARG(from->name));
    }
    if (!tn_semantic_has(to->extra, "entities", entity)) {
        tn_semantic_error(s,
            "Entity: " TN_STR_FMT " not found in conversion semantic model: " TN_STR_FMT ".",
            TN_STR_ARG(entity), TN_STR_ARG(to->name));
    }
    check_counts(s, base);
    check_counts(s, conversion);
    if (tn_val_is_given(tn_val_at(tn_val_at(params, "conversion_measure"), "filter"))) {
        tn_semantic_warning(s,
            "Measure input '" TN_STR_FMT
            "' has a filter. For conversion metrics, filtering on the conversion input is not "
            "fully supported yet. ",
            TN_STR_ARG(tn_semantic_name(conversion)));
    }
    if (tn_val_is_given(tn_val_at(params, "window"))) {
        check_window(s, tn_val_at(params, "window"), false);
    }
    check_constants(s, from, params, "base_property");
    check_constants(s, to, params, "conversion_property");
}

void tn_rule_conversion(tn_semantics *s)
{
    for (size_t i = 0; i < s->metrics.n; i++) {
        const tn_node *n = s->metrics.v[i];
        if (tn_semantic_is(n->extra, "type", "conversion")) {
            check_conversion(
                s, tn_val_at(tn_val_at(n->extra, "type_params"), "conversion_type_params"));
        }
    }
}

/* A measure's own expression counts. */
void tn_rule_simple_exprs(tn_semantics *s)
{
    for (size_t i = 0; i < s->metrics.n; i++) {
        const tn_node *n = s->metrics.v[i];
        tn_val params = tn_val_at(n->extra, "type_params"), measure = TN_VAL_UNDEF;
        tn_str name = tn_semantic_name(tn_val_at(params, "measure"));
        tn_str expr = tn_val_str_at(params, "expr", TN_STR_NONE);
        if (tn_semantic_is(n->extra, "type", "simple") && expr.n > 0 &&
            model_of_measure(s, name, &measure) != NULL && !tn_str_eq(expr, name) &&
            !tn_str_eq(expr, tn_val_str_at(measure, "expr", TN_STR_NONE))) {
            tn_semantic_warning(s,
                "Metric '" TN_STR_FMT "' should not have an expr set if it's proxy from measures",
                TN_STR_ARG(n->name));
        }
    }
}
