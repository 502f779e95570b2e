/* semantic_form.c: see semantic_form.h. */
#include "project/node/semantic_form.h"

/* ---- forms of the manifest ---- */

static const tn_form_field measure_input_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "filter", TN_FORM_FILTER, NULL, NULL }, { "alias", TN_FORM_ANY, NULL, NULL },
    { "join_to_timespine", TN_FORM_FALSE, NULL, NULL },
    { "fill_nulls_with", TN_FORM_ANY, NULL, NULL } };
const tn_form tn_form_measure_input = TN_FORM(measure_input_fields);

static const tn_form_field metric_input_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "filter", TN_FORM_FILTER, NULL, NULL }, { "alias", TN_FORM_ANY, NULL, NULL },
    { "offset_window", TN_FORM_WINDOW, NULL, NULL },
    { "offset_to_grain", TN_FORM_ANY, NULL, NULL } };
const tn_form tn_form_metric_input = TN_FORM(metric_input_fields);

static const tn_form_field property_fields[] = { { "base_property", TN_FORM_ANY, NULL, NULL },
    { "conversion_property", TN_FORM_ANY, NULL, NULL } };
static const tn_form property_form = TN_FORM(property_fields);

static const tn_form_field conversion_fields[] = { { "base_measure", TN_FORM_ONE,
                                                       &tn_form_measure_input, NULL },
    { "base_metric", TN_FORM_ONE, &tn_form_metric_input, NULL },
    { "conversion_measure", TN_FORM_ONE, &tn_form_measure_input, NULL },
    { "conversion_metric", TN_FORM_ONE, &tn_form_metric_input, NULL },
    { "entity", TN_FORM_ANY, NULL, NULL }, { "calculation", TN_FORM_WORD, NULL, "conversion_rate" },
    { "window", TN_FORM_WINDOW, NULL, NULL },
    { "constant_properties", TN_FORM_EACH_OR_NULL, &property_form, NULL } };
static const tn_form conversion_form = TN_FORM(conversion_fields);

static const tn_form_field cumulative_fields[] = { { "window", TN_FORM_WINDOW, NULL, NULL },
    { "grain_to_date", TN_FORM_ANY, NULL, NULL }, { "period_agg", TN_FORM_WORD, NULL, "first" },
    { "metric", TN_FORM_ONE, &tn_form_metric_input, NULL } };
static const tn_form cumulative_form = TN_FORM(cumulative_fields);

static const tn_form_field agg_params_fields[] = { { "percentile", TN_FORM_ANY, NULL, NULL },
    { "use_discrete_percentile", TN_FORM_FALSE, NULL, NULL },
    { "use_approximate_percentile", TN_FORM_FALSE, NULL, NULL } };
static const tn_form agg_params_form = TN_FORM(agg_params_fields);

static const tn_form_field non_additive_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "window_choice", TN_FORM_WORD, NULL, "min" },
    { "window_groupings", TN_FORM_LIST, NULL, NULL } };
static const tn_form non_additive_form = TN_FORM(non_additive_fields);

static const tn_form_field aggregation_fields[] = { { "semantic_model", TN_FORM_ANY, NULL, NULL },
    { "agg", TN_FORM_WORD, NULL, NULL }, { "agg_params", TN_FORM_ONE, &agg_params_form, NULL },
    { "agg_time_dimension", TN_FORM_ANY, NULL, NULL },
    { "non_additive_dimension", TN_FORM_ONE, &non_additive_form, NULL } };
static const tn_form aggregation_form = TN_FORM(aggregation_fields);

static const tn_form_field type_params_fields[] = { { "measure", TN_FORM_ONE,
                                                        &tn_form_measure_input, NULL },
    { "numerator", TN_FORM_ONE, &tn_form_metric_input, NULL },
    { "denominator", TN_FORM_ONE, &tn_form_metric_input, NULL },
    { "expr", TN_FORM_TEXT, NULL, NULL }, { "window", TN_FORM_WINDOW, NULL, NULL },
    { "grain_to_date", TN_FORM_ANY, NULL, NULL },
    { "metrics", TN_FORM_EACH_OR_NULL, &tn_form_metric_input, NULL },
    { "conversion_type_params", TN_FORM_ONE, &conversion_form, NULL },
    { "cumulative_type_params", TN_FORM_ONE, &cumulative_form, NULL },
    { "input_measures", TN_FORM_EACH, &tn_form_measure_input, NULL },
    { "metric_aggregation_params", TN_FORM_ONE, &aggregation_form, NULL },
    { "join_to_timespine", TN_FORM_FALSE, NULL, NULL },
    { "fill_nulls_with", TN_FORM_ANY, NULL, NULL }, { "is_private", TN_FORM_ANY, NULL, NULL } };
const tn_form tn_form_type_params = TN_FORM(type_params_fields);

static const tn_form_field metric_fields[] = { { "label", TN_FORM_ANY, NULL, NULL },
    { "type", TN_FORM_WORD, NULL, "simple" },
    { "type_params", TN_FORM_ONE, &tn_form_type_params, NULL },
    { "filter", TN_FORM_FILTER, NULL, NULL }, { "metadata", TN_FORM_ANY, NULL, NULL },
    { "time_granularity", TN_FORM_ANY, NULL, NULL } };
static const tn_form metric_form = TN_FORM(metric_fields);

static const tn_form_field defaults_fields[] = { { "agg_time_dimension", TN_FORM_ANY, NULL,
    NULL } };
static const tn_form defaults_form = TN_FORM(defaults_fields);

static const tn_form_field entity_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "type", TN_FORM_WORD, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "role", TN_FORM_ANY, NULL, NULL },
    { "expr", TN_FORM_ANY, NULL, NULL }, { "config", TN_FORM_META, NULL, NULL } };
static const tn_form entity_form = TN_FORM(entity_fields);

/* The metric that `create_metric` asks for is an entry of its own: dbt forgets the wish. */
static const tn_form_field measure_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "agg", TN_FORM_WORD, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "create_metric", TN_FORM_NO, NULL, NULL },
    { "expr", TN_FORM_TEXT, NULL, NULL }, { "agg_params", TN_FORM_ONE, &agg_params_form, NULL },
    { "non_additive_dimension", TN_FORM_ONE, &non_additive_form, NULL },
    { "agg_time_dimension", TN_FORM_ANY, NULL, NULL }, { "config", TN_FORM_META, NULL, NULL } };
static const tn_form measure_form = TN_FORM(measure_fields);

static const tn_form_field validity_fields[] = { { "is_start", TN_FORM_FALSE, NULL, NULL },
    { "is_end", TN_FORM_FALSE, NULL, NULL } };
static const tn_form validity_form = TN_FORM(validity_fields);

static const tn_form_field dimension_params_fields[] = { { "time_granularity", TN_FORM_WORD, NULL,
                                                             NULL },
    { "validity_params", TN_FORM_ONE, &validity_form, NULL } };
static const tn_form dimension_params_form = TN_FORM(dimension_params_fields);

static const tn_form_field dimension_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "type", TN_FORM_WORD, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "is_partition", TN_FORM_FALSE, NULL, NULL },
    { "type_params", TN_FORM_ONE, &dimension_params_form, NULL },
    { "expr", TN_FORM_ANY, NULL, NULL }, { "metadata", TN_FORM_ANY, NULL, NULL },
    { "config", TN_FORM_META, NULL, NULL }, { "datatype", TN_FORM_ANY, NULL, NULL } };
static const tn_form dimension_form = TN_FORM(dimension_fields);

static const tn_form_field semantic_model_fields[] = { { "model", TN_FORM_ANY, NULL, NULL },
    { "node_relation", TN_FORM_ANY, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "defaults", TN_FORM_ONE, &defaults_form, NULL },
    { "entities", TN_FORM_EACH, &entity_form, NULL },
    { "measures", TN_FORM_EACH, &measure_form, NULL },
    { "dimensions", TN_FORM_EACH, &dimension_form, NULL }, { "metadata", TN_FORM_ANY, NULL, NULL },
    { "primary_entity", TN_FORM_ANY, NULL, NULL } };
static const tn_form semantic_model_form = TN_FORM(semantic_model_fields);

static const tn_form_field query_fields[] = { { "metrics", TN_FORM_LIST, NULL, NULL },
    { "group_by", TN_FORM_LIST, NULL, NULL }, { "where", TN_FORM_FILTER, NULL, NULL },
    { "order_by", TN_FORM_LIST, NULL, NULL }, { "limit", TN_FORM_ANY, NULL, NULL } };
static const tn_form query_form = TN_FORM(query_fields);

static const tn_form_field export_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "config", TN_FORM_ANY, NULL, NULL } };
static const tn_form export_form = TN_FORM(export_fields);

static const tn_form_field saved_query_fields[] = { { "query_params", TN_FORM_ONE, &query_form,
                                                        NULL },
    { "exports", TN_FORM_EACH, &export_form, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "metadata", TN_FORM_ANY, NULL, NULL } };
static const tn_form saved_query_form = TN_FORM(saved_query_fields);

static const tn_form_field column_dimension_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "type", TN_FORM_WORD, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "is_partition", TN_FORM_FALSE, NULL, NULL },
    { "config", TN_FORM_DICT, NULL, NULL },
    { "validity_params", TN_FORM_ONE, &validity_form, NULL } };
static const tn_form column_dimension_form = TN_FORM(column_dimension_fields);

static const tn_form_field column_entity_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "type", TN_FORM_WORD, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "config", TN_FORM_DICT, NULL, NULL } };
static const tn_form column_entity_form = TN_FORM(column_entity_fields);

static const tn_form_field grain_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "column_name", TN_FORM_ANY, NULL, NULL } };
static const tn_form grain_form = TN_FORM(grain_fields);

static const tn_form_field time_spine_fields[] = { { "standard_granularity_column", TN_FORM_ANY,
                                                       NULL, NULL },
    { "custom_granularities", TN_FORM_EACH, &grain_form, NULL } };
static const tn_form time_spine_form = TN_FORM(time_spine_fields);

/* ---- filling ---- */

static tn_val as_text(tn_arena *a, tn_val v)
{
    if (tn_val_is_str(v)) {
        return v;
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_val_str_to(&b, v);
    return tn_val_str(tn_buf_str(&b));
}

static tn_val filter_of(tn_arena *a, tn_val v)
{
    if (!tn_val_is_given(v) || v.tag == TN_DICT) {
        return tn_val_is_given(v) ? v : TN_VAL_NONE;
    }
    tn_val out = tn_val_dict(a), list = tn_val_list(a), texts = tn_value_listify(a, v);
    for (size_t i = 0; i < texts.list->n; i++) {
        tn_val one = tn_val_dict(a);
        tn_dict_putz(one.dict, "where_sql_template", as_text(a, texts.list->v[i]));
        tn_list_push(list.list, one);
    }
    tn_dict_putz(out.dict, "where_filters", list);
    return out;
}

/* The plural of dbt's own grains is the grain; a grain of the project's keeps its name. */
static tn_str grain_of(tn_arena *a, tn_str word)
{
    static const char *const grains[] = { "nanosecond", "microsecond", "millisecond", "second",
        "minute", "hour", "day", "week", "month", "quarter", "year" };
    word = tn_str_lower(a, word);
    for (size_t i = 0; i < TN_COUNTOF(grains); i++) {
        if (word.n == strlen(grains[i]) + 1 && word.p[word.n - 1] == 's' &&
            tn_str_is(tn_str_sub(word, 0, word.n - 1), grains[i])) {
            return tn_str_of(grains[i]);
        }
    }
    return word;
}

/* Text of another form than "COUNT GRAIN" stays as it is: tn_semantic_spell_out has refused it. */
static tn_val window_of(tn_arena *a, tn_val v)
{
    tn_str count, grain;
    int64_t n;
    if (!tn_val_is_str(v) || !tn_str_cut(tn_val_as_str(v), ' ', &count, &grain) ||
        !tn_str_to_i64(count, &n)) {
        return tn_val_is_given(v) ? v : TN_VAL_NONE;
    }
    tn_val out = tn_val_dict(a);
    tn_dict_putz(out.dict, "count", tn_val_int(n));
    tn_dict_putz(out.dict, "granularity", tn_val_str(grain_of(a, grain)));
    return out;
}

static tn_val each_of(tn_arena *a, const tn_form *of, tn_val v)
{
    tn_val out = tn_val_list(a);
    for (size_t i = 0; tn_val_is_seq(v) && i < v.list->n; i++) {
        tn_list_push(out.list, tn_form_fill(a, of, v.list->v[i]));
    }
    return out;
}

static tn_val meta_of(tn_arena *a, tn_val v)
{
    tn_val out = tn_val_dict(a), meta = tn_val_at(v, "meta");
    tn_dict_putz(out.dict, "meta", tn_value_or_dict(a, meta));
    return out;
}

static tn_val field_of(tn_arena *a, const tn_form_field *f, tn_val v)
{
    switch (f->kind) {
    case TN_FORM_ANY:
        return tn_val_is_given(v) ? v : TN_VAL_NONE;
    case TN_FORM_TEXT:
        return tn_val_is_given(v) ? as_text(a, v) : TN_VAL_NONE;
    case TN_FORM_OR:
        return tn_val_is_given(v) ? v : tn_val_z(f->dflt);
    case TN_FORM_WORD:
        return tn_val_is_str(v)  ? tn_val_str(tn_str_lower(a, tn_val_as_str(v)))
               : f->dflt != NULL ? tn_val_z(f->dflt)
                                 : TN_VAL_NONE;
    case TN_FORM_FALSE:
        return tn_val_is_given(v) ? v : TN_VAL_FALSE;
    case TN_FORM_NO:
        return TN_VAL_FALSE;
    case TN_FORM_LIST:
        return tn_val_is_seq(v) ? v : tn_val_list(a);
    case TN_FORM_ONE:
        return tn_val_is_given(v) ? tn_form_fill(a, f->of, v) : TN_VAL_NONE;
    case TN_FORM_EACH:
        return each_of(a, f->of, v);
    case TN_FORM_EACH_OR_NULL:
        return tn_val_is_seq(v) ? each_of(a, f->of, v) : TN_VAL_NONE;
    case TN_FORM_FILTER:
        return filter_of(a, v);
    case TN_FORM_WINDOW:
        return window_of(a, v);
    case TN_FORM_META:
        return tn_val_is_none(v) ? v : meta_of(a, v);
    case TN_FORM_DICT:
        return tn_value_or_dict(a, v);
    }
    return TN_VAL_NONE;
}

tn_val tn_form_fill(tn_arena *a, const tn_form *f, tn_val from)
{
    tn_val out = tn_val_dict(a);
    for (size_t i = 0; i < f->count; i++) {
        tn_val v = tn_val_at(from, f->fields[i].name);
        if (tn_val_is_str(from)) { /* `measure: revenue` is `measure: {name: revenue}` */
            v = strcmp(f->fields[i].name, "name") == 0 ? from : TN_VAL_UNDEF;
        }
        tn_dict_putz(out.dict, f->fields[i].name, field_of(a, &f->fields[i], v));
    }
    return out;
}

tn_val tn_time_spine_of(tn_arena *a, tn_val v)
{
    return v.tag == TN_DICT ? tn_form_fill(a, &time_spine_form, v) : TN_VAL_NONE;
}

/* What is not said of a column's element is the column's. */
static tn_val column_element(tn_arena *a, const tn_form *f, tn_val column, tn_val said)
{
    if (said.tag != TN_DICT) {
        return tn_val_is_str(said) ? tn_val_str(tn_str_lower(a, tn_val_as_str(said))) : TN_VAL_NONE;
    }
    tn_val out = tn_form_fill(a, f, said);
    if (!tn_val_truthy(tn_val_at(out, "name"))) {
        tn_dict_putz(out.dict, "name", tn_val_at(column, "name"));
    }
    if (!tn_val_truthy(tn_val_at(out, "description"))) {
        tn_dict_putz(
            out.dict, "description", tn_val_str(tn_val_str_at(column, "description", TN_STR(""))));
    }
    return out;
}

tn_val tn_column_dimension_of(tn_arena *a, tn_val column)
{
    return column_element(a, &column_dimension_form, column, tn_val_at(column, "dimension"));
}

tn_val tn_column_entity_of(tn_arena *a, tn_val column)
{
    return column_element(a, &column_entity_form, column, tn_val_at(column, "entity"));
}

/* ---- metrics ---- */

static tn_rc check_window(const tn_node *n, tn_val v, tn_err *err)
{
    tn_str count, grain;
    int64_t number;
    if (!tn_val_is_str(v)) {
        return TN_OK;
    }
    if (!tn_str_cut(tn_val_as_str(v), ' ', &count, &grain) ||
        tn_str_find_char(grain, ' ', 0) != SIZE_MAX) {
        return tn_fail(err, TN_E_VALUE,
            "metric '" TN_STR_FMT "': Invalid window (" TN_STR_FMT
            ") in cumulative/conversion metric. Should be of the form `<count> <granularity>`, "
            "e.g., `28 days`",
            TN_STR_ARG(n->name), TN_STR_ARG(tn_val_as_str(v)));
    }
    if (!tn_str_to_i64(count, &number)) {
        return tn_fail(err, TN_E_VALUE,
            "metric '" TN_STR_FMT "': Invalid count (" TN_STR_FMT
            ") in cumulative/conversion metric window string: (" TN_STR_FMT ")",
            TN_STR_ARG(n->name), TN_STR_ARG(count), TN_STR_ARG(tn_val_as_str(v)));
    }
    return TN_OK;
}

static tn_rc check_windows(const tn_node *n, tn_val params, tn_err *err)
{
    tn_val inputs = tn_val_at(params, "metrics");
    TN_TRY(check_window(n, tn_val_at(params, "window"), err));
    TN_TRY(check_window(n, tn_val_at(tn_val_at(params, "conversion_type_params"), "window"), err));
    TN_TRY(check_window(n, tn_val_at(tn_val_at(params, "cumulative_type_params"), "window"), err));
    for (size_t i = 0; inputs.tag == TN_LIST && i < inputs.list->n; i++) {
        TN_TRY(check_window(n, tn_val_at(inputs.list->v[i], "offset_window"), err));
    }
    return TN_OK;
}

/* How a simple metric aggregates its semantic model, in the newer spelling; a metric that does not aggregate itself: undefined. */
static tn_val aggregation_of(tn_arena *a, tn_val e)
{
    if (!tn_val_is_given(tn_val_at(e, "agg"))) {
        return TN_VAL_UNDEF;
    }
    tn_val out = tn_val_dict(a), params = tn_val_dict(a), besides = TN_VAL_NONE;
    tn_val non_additive = tn_val_at(e, "non_additive_dimension");
    tn_str way = tn_val_str_at(e, "percentile_type", TN_STR_NONE);
    tn_dict_putz(params.dict, "percentile", tn_val_at(e, "percentile"));
    tn_dict_putz(params.dict, "use_discrete_percentile",
        tn_val_bool(tn_str_eq_nocase(way, TN_STR("discrete"))));
    tn_dict_putz(params.dict, "use_approximate_percentile",
        tn_val_bool(tn_str_eq_nocase(way, TN_STR("continuous"))));
    if (non_additive.tag == TN_DICT) {
        besides = tn_val_dict(a);
        tn_dict_putz(besides.dict, "name", tn_val_at(non_additive, "name"));
        tn_dict_putz(besides.dict, "window_choice", tn_val_at(non_additive, "window_agg"));
        tn_dict_putz(besides.dict, "window_groupings", tn_val_at(non_additive, "group_by"));
    }
    tn_dict_putz(out.dict, "semantic_model", tn_val_at(e, "semantic_model"));
    tn_dict_putz(out.dict, "agg", tn_val_at(e, "agg"));
    tn_dict_putz(out.dict, "agg_params", params);
    tn_dict_putz(out.dict, "agg_time_dimension", tn_val_at(e, "agg_time_dimension"));
    tn_dict_putz(out.dict, "non_additive_dimension", besides);
    return out;
}

/* A metric without type_params says at its top what type_params would. */
static tn_val params_of(tn_arena *a, tn_val e)
{
    static const char *const same[] = { "numerator", "denominator", "expr", "join_to_timespine" };
    tn_val params = tn_val_at(e, "type_params"), cumulative = tn_val_dict(a);
    if (params.tag == TN_DICT) {
        return params;
    }
    params = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(same); i++) {
        tn_dict_putz(params.dict, same[i], tn_val_at(e, same[i]));
    }
    tn_val hidden = tn_val_at(e, "hidden");
    tn_dict_putz(params.dict, "is_private", tn_val_is_given(hidden) ? hidden : TN_VAL_FALSE);
    tn_dict_putz(params.dict, "metrics", tn_val_at(e, "input_metrics"));
    tn_dict_putz(params.dict, "metric_aggregation_params", aggregation_of(a, e));
    if (tn_str_is(tn_val_str_at(e, "type", TN_STR_NONE), "conversion")) {
        tn_dict_putz(params.dict, "conversion_type_params", e);
    }
    static const char *const over_time[] = { "window", "grain_to_date", "period_agg" };
    for (size_t i = 0; i < TN_COUNTOF(over_time); i++) {
        tn_dict_putz(cumulative.dict, over_time[i], tn_val_at(e, over_time[i]));
    }
    tn_dict_putz(cumulative.dict, "metric", tn_val_at(e, "input_metric"));
    tn_dict_putz(params.dict, "cumulative_type_params", cumulative);
    return params;
}

/* What an older spelling says beside cumulative_type_params is theirs too; only a cumulative metric has them. */
static void settle_cumulative(tn_arena *a, tn_val metric)
{
    tn_val params = tn_val_at(metric, "type_params");
    if (params.tag != TN_DICT) {
        return;
    }
    if (!tn_str_is(tn_val_str_at(metric, "type", TN_STR_NONE), "cumulative")) {
        tn_dict_putz(params.dict, "cumulative_type_params", TN_VAL_NONE);
        return;
    }
    tn_val c = tn_val_at(params, "cumulative_type_params");
    c = c.tag == TN_DICT ? c : tn_form_fill(a, &cumulative_form, TN_VAL_UNDEF);
    static const char *const moved[] = { "window", "grain_to_date" };
    for (size_t i = 0; i < TN_COUNTOF(moved); i++) {
        if (!tn_val_is_given(tn_val_at(c, moved[i]))) {
            tn_dict_putz(c.dict, moved[i], tn_val_at(params, moved[i]));
        }
    }
    tn_dict_putz(params.dict, "cumulative_type_params", c);
}

/* Only what is no YAML leaves them null. */
static void settle_inputs(tn_arena *a, tn_val metric)
{
    tn_val params = tn_val_at(metric, "type_params");
    tn_dict_putz(params.dict, "metrics", tn_value_or_list(a, tn_val_at(params, "metrics")));
}

/* ---- semantic models ---- */

/* The semantic model's meta under each element's own. */
static void hand_down_meta(tn_arena *a, tn_node *n)
{
    static const char *const lists[] = { "entities", "measures", "dimensions" };
    tn_val above = tn_node_config(n, "meta");
    for (size_t i = 0; i < TN_COUNTOF(lists); i++) {
        tn_val list = tn_val_at(n->extra, lists[i]);
        for (size_t k = 0; k < list.list->n; k++) {
            tn_val config = tn_val_at(list.list->v[k], "config"), meta = tn_val_dict(a);
            if (config.tag != TN_DICT) {
                continue;
            }
            tn_value_put_all(meta.dict, above);
            tn_value_put_all(meta.dict, tn_val_at(config, "meta"));
            tn_dict_putz(config.dict, "meta", meta);
        }
    }
}

tn_val tn_semantic_relation(tn_arena *a, const tn_node *n)
{
    tn_val r = tn_val_dict(a);
    tn_dict_putz(r.dict, "alias", tn_val_str(n->alias));
    tn_dict_putz(r.dict, "schema_name", tn_val_str(n->schema));
    tn_dict_putz(r.dict, "database", tn_val_str(n->database));
    tn_dict_putz(r.dict, "relation_name", tn_val_str(n->relation_name));
    return r;
}

void tn_semantic_place(tn_project *p, tn_node *n)
{
    if (n->parents.n > 0 && n->extra.tag == TN_DICT) {
        tn_dict_putz(
            n->extra.dict, "node_relation", tn_semantic_relation(p->arena, n->parents.v[0]));
    }
}

/* ---- saved queries ---- */

/* Where an export would go: what it says, else what the saved query says, else the target's places. */
static void place_exports(tn_project *p, tn_node *n)
{
    tn_arena *a = p->arena;
    tn_val list = tn_val_at(n->extra, "exports");
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val e = list.list->v[i], own = tn_val_at(e, "config"), c = tn_val_dict(a);
        tn_val as = tn_val_at(own, "export_as"), schema = tn_val_at(own, "schema_name");
        schema = tn_val_is_given(schema) ? schema : tn_val_at(own, "schema");
        schema = tn_val_is_given(schema) ? schema : tn_node_config(n, "schema");
        tn_val alias = tn_val_at(own, "alias"), database = tn_val_at(own, "database");
        tn_dict_putz(
            c.dict, "export_as", tn_val_is_given(as) ? as : tn_node_config(n, "export_as"));
        tn_dict_putz(c.dict, "schema_name",
            tn_val_is_given(schema) ? schema : tn_val_str(p->profile.schema));
        tn_dict_putz(c.dict, "alias", tn_val_is_given(alias) ? alias : tn_val_at(e, "name"));
        tn_dict_putz(c.dict, "database",
            tn_val_is_given(database) ? database : tn_val_str(p->profile.database));
        tn_dict_putz(e.dict, "unrendered_config", tn_value_or_dict(a, own));
        tn_dict_putz(e.dict, "config", c);
    }
}

tn_rc tn_semantic_spell_out(tn_project *p, tn_node *n, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val e = n->extra;
    switch (n->kind) {
    case TN_NODE_METRIC:
        TN_TRY(check_windows(n, params_of(a, e), err));
        n->extra = tn_form_fill(a, &metric_form, e);
        tn_dict_putz(
            n->extra.dict, "type_params", tn_form_fill(a, &tn_form_type_params, params_of(a, e)));
        if (!tn_val_is_given(tn_val_at(n->extra, "label"))) {
            tn_dict_putz(n->extra.dict, "label", tn_val_str(n->name));
        }
        settle_cumulative(a, n->extra);
        settle_inputs(a, n->extra);
        break;
    case TN_NODE_SEMANTIC_MODEL:
        n->extra = tn_form_fill(a, &semantic_model_form, e);
        hand_down_meta(a, n);
        break;
    case TN_NODE_SAVED_QUERY:
        n->extra = tn_form_fill(a, &saved_query_form, e);
        place_exports(p, n);
        break;
    default:
        break;
    }
    return TN_OK;
}
