"""What dbt's validation finds in semantic models, metrics and saved queries; the words are dbt's (tests/oracle/semantic_rules_oracle.py holds both programs together)."""
import pathlib, sys

from dbt_flow import case, equal, has, main

ALL = (pathlib.Path(__file__).parent / "people_and_visits.yml").read_text()
SUM, COUNTRY, PAGE, VISIT = "agg: sum, expr: kilos}", "{name: country, type: categorical}", "{name: page, type: categorical}", "{name: visit, type: primary, expr: id}"
VIEWS, CREATED, FOREIGN = "{name: views, agg: count, expr: id}", "{name: created_at, type: time, type_params: {time_granularity: day}}", "type: foreign, expr: person_id}"


def parse(p, text, status):
    p.file("models/people.sql", "select 1 as id, 2 as kilos, 'x' as country, cast('2024-01-01' as timestamp) as created_at")
    p.file("models/visits.sql", "select 1 as id, 1 as person_id, 'x' as page, cast('2024-01-01' as timestamp) as seen_at")
    p.file("models/days.sql", "select cast('2024-01-01' as date) as day, 1 as sol")
    p.file("models/all.yml", text)
    return p.run("parse", status=status)


def refused(p, words, *changes, more=""):
    text = ALL + more
    for was, now in changes:
        assert was in text, was
        text = text.replace(was, now, 1)
    said = parse(p, text, 2)
    has(said, "[WARNING]: " + words)
    has(said, "Parsing Error\n  Semantic Manifest validation failed.")


def warned(p, words, more):
    has(parse(p, ALL + more, 0), "[WARNING]: " + words)


def metric(text):
    return "  - {name: odd, label: Odd, %s}\n" % text


@case
def measures(p):
    parse(p, ALL, 0)
    refused(p, "Measure 'weight' uses a PERCENTILE aggregation, which requires agg_params.percentile to be provided.", (SUM, "agg: percentile, expr: kilos}"))
    refused(p, "Percentile aggregation parameter for measure 'weight' is '1.0', but must be between 0 and 1 (non-inclusive).",
            (SUM, "agg: percentile, expr: kilos, agg_params: {percentile: 1}}"))
    refused(p, "Measure 'weight' uses a MEDIAN aggregation, while percentile is set to '0.4', a conflicting value.", (SUM, "agg: median, expr: kilos, agg_params: {percentile: 0.4}}"))
    refused(p, "Measure 'weight' with aggregation 'sum' uses agg_params (percentile) only relevant to Percentile measures.",
            (SUM, "agg: sum, expr: kilos, agg_params: {percentile: 0.4}}"))
    refused(p, "Measure 'views' uses a COUNT aggregation, which requires an expr to be provided.", (VIEWS, "{name: views, agg: count}"))
    refused(p, "Measure 'views' uses a 'count' aggregation with a DISTINCT expr: 'DISTINCT id'.", (VIEWS, "{name: views, agg: count, expr: DISTINCT id}"))
    refused(p, "Found measure with name heads in multiple semantic models with names (['people'])", (VIEWS, VIEWS + "\n      - {name: heads, agg: sum, expr: id}"))
    for by, words in [("{name: gone, window_choice: max}", "a non_additive_dimension with name 'gone' that is not defined as a dimension in semantic model 'people'."),
                      ("{name: country, window_choice: max}", "a non_additive_dimension with name'country' that is defined as a categorical dimension which is not supported."),
                      ("{name: created_at, window_choice: sum}", "a non_additive_dimension with an invalid 'window_choice' of 'sum'."),
                      ("{name: created_at, window_choice: min, window_groupings: [gone, person]}", "a non_additive_dimension with an invalid 'window_groupings'. These entities {'gone'} do not")]:
        refused(p, "Measure 'weight' has " + words, (SUM, "agg: sum, expr: kilos, non_additive_dimension: %s}" % by))


@case
def times(p):
    refused(p, "An error occurred while checking aggregation time dimension for a semantic model - AssertionError: Aggregation time dimension for measure views is not set!",
            ("    defaults: {agg_time_dimension: seen_at}\n", ""))
    refused(p, "In semantic model 'visits', measure 'views' has the aggregation time dimension set to 'page', which is not a valid time dimension in the semantic model",
            ("{agg_time_dimension: seen_at}", "{agg_time_dimension: page}"))
    has(parse(p, ALL.replace(CREATED, CREATED.replace("day", "hour")), 0),
        "Smallest time dimension granularity: HOUR; Smallest time spine granularity: TimeGranularity.DAY")
    has(parse(p, ALL.replace(PAGE, "{name: page, type: time}"), 0), "[WARNING][TimeDimensionsRequireGranularityDeprecation]: Deprecated functionality")


@case
def semantic_models(p):
    refused(p, "In semantic models {'visits'}, element `heads` is of type SemanticModelElementType.DIMENSION, but it is used as types "
               "[<SemanticModelElementType.DIMENSION: 'dimension'>, <SemanticModelElementType.MEASURE: 'measure'>] across the model.", (PAGE, "{name: heads, type: categorical}"))
    refused(p, "In semantic model `visits`, type conflict for dimension `created_at` - already in model as type `DimensionType.TIME` but got `DimensionType.CATEGORICAL`",
            (PAGE, "{name: created_at, type: categorical}"))
    refused(p, "Duplicate dimension + primary entity pairing detected", (VISIT, VISIT.replace("visit,", "person,")), ("\n      - {name: person, " + FOREIGN, ""), (PAGE, COUNTRY))
    refused(p, "Semantic model people has a single validity param dimension that defines its window: `from_at`.",
            (COUNTRY, "{name: from_at, type: time, type_params: {time_granularity: day, validity_params: {is_start: true, is_end: true}}}"))
    refused(p, "The use of `natural` entities is currently supported only in conjunction with a validity window", (VISIT, VISIT.replace("primary", "natural")))
    refused(p, "'from' is an SQL reserved keyword, and thus cannot be used as a dimension 'name'.", (PAGE, "{name: from, type: categorical}"))
    refused(p, "Can't use name `country` for a custom granularity when it was already used for a dimension.", ("[{name: sol}]", "[{name: country, column_name: sol}]"))


@case
def labels(p):
    refused(p, "Can't use label `Heads` for  metric `view_count` as it's already used for metric `head_count`", ("label: Views", "label: Heads"))
    refused(p, "Can't use label `One` for  semantic model `visits`", ("name: people\n", "name: people\n    label: One\n"), ("name: visits\n", "name: visits\n    label: One\n"))
    refused(p, "Dimension labels must be unique within a semantic model. The label `A` was used for 2 dimensions on semantic model `people",
            (CREATED, CREATED[:-1] + ", label: A}"), (COUNTRY, COUNTRY[:-1] + ", label: A}"))
    refused(p, "Entities with the same name must have the same label or the label must be `None`.",
            ("type: primary, expr: id}", "type: primary, expr: id, label: A}"), (FOREIGN, FOREIGN[:-1] + ", label: B}"))


@case
def metrics(p):
    derived = "type: derived, type_params: {expr: head_count * 2, metrics: [%s]}"
    for text, words in [
        (derived % "", "No input metrics found for derived metric 'odd'."),
        (derived % "{name: head_count, alias: view_count}, view_count", "Alias 'view_count' for input metric: 'head_count' is already being used."),
        (derived % "{name: head_count, offset_window: 7 moons}", "Invalid time granularity 'moons' in window: '7 moons'"),
        (derived % "{name: head_count, offset_to_grain: month, offset_window: 7 days}", "Both offset_window and offset_to_grain set for derived metric 'odd' on input metric 'head_count'."),
        ("type: cumulative, type_params: {measure: heads, cumulative_type_params: {window: 7 days, grain_to_date: month}}", "Both window and grain_to_date set for cumulative metric."),
        ("type: cumulative, type_params: {measure: heads, cumulative_type_params: {window: 7 sols}}",
         "Invalid time granularity 'sol' in window: '7 sols' Custom granularities are not supported for this field yet."),
        ("type: cumulative, type_params: {measure: heads, window: 7 days}", "Cumulative fields `type_params.window` and `type_params.grain_to_date` should be nested under"),
        ("type: simple, type_params: {measure: {name: heads, alias: views}}", "Alias `views` for measure `heads` conflicts with measure names defined elsewhere in the model!"),
        ("type: conversion, type_params: {conversion_type_params: {entity: visit, base_measure: heads, conversion_measure: views}}", "Entity: visit not found in base semantic model: people."),
        ("type: conversion, type_params: {conversion_type_params: {entity: person, base_measure: weight, conversion_measure: views}}",
         "For conversion metrics, the input measure must be COUNT/SUM(1)/COUNT_DISTINCT. Measure 'weight' is agg type: AggregationType.SUM"),
    ]:
        refused(p, words, more=metric(text))
    warned(p, "No `expr` set for derived metric odd.", metric("type: derived, type_params: {metrics: [head_count]}"))
    warned(p, "Input metric 'view_count' is not used in `expr`: 'head_count * 2' for derived metric 'odd'.", metric(derived % "head_count, view_count"))


@case
def filters(p):
    def on(text):
        return metric('type: simple, type_params: {measure: heads}, filter: "%s"' % text)
    at = "An error occurred while trying to parse filter of metric `odd` - metricflow_semantic_interfaces.call_parameter_sets.ParseJinjaObjectException: Encountered error(s) while parsing:\n\nFilter:\n    "
    parse(p, ALL + on("{{ Dimension('person__country') }} = 'a' and {{ TimeDimension('metric_time', 'day') }} > '1' and {{ Metric('view_count', group_by=['person']) }} > 1"), 0)
    for text, words in [("{{ Dimension('person__country') ", "Error while parsing Jinja template:\n    {{ Dimension('person__country') "),
                        ("{{ Dimensions('person__country') }}", "Error while parsing Jinja template:\n    {{ Dimensions('person__country') }}"),
                        ("{{ Dimension('country') }}", "Name is in an incorrect format: 'country'. It should be of the form: <primary entity name>__<dimension_name>"),
                        ("{{ Metric('view_count') }}", "`group_by` parameter is required for Metric in where filter.")]:
        refused(p, at + text + "\nError Message:\n    " + words, more=on(text))
    warned(p, "Filter for SemanticManifestNodeType.METRIC `odd` is not valid. `moon` is not a valid granularity name.", on("{{ TimeDimension('person__created_at', 'moon') }} > '2'"))


@case
def saved_queries(p):
    def query(text):
        return "saved_queries: [{name: asked, query_params: {metrics: [head_count], %s}}]\n" % text
    parse(p, ALL + query("group_by: [\"Dimension('person__country')\", \"TimeDimension('metric_time', 'day')\"]"), 0)
    refused(p, "`Dimension('person__gone')` is not a valid group-by name.", more=query("group_by: [\"Dimension('person__gone')\"]"))
    refused(p, "An error occurred while trying to parse a group-by in saved query `asked` - ", more=query("group_by: [person__country]"))
    refused(p, "An error occurred while trying to parse a filter in saved query `asked` - ", more=query("where: [\"{{ Dimensions('a__b') }} = 1\"]"))
    refused(p, "Invalid limit value: -1 (should be >= 0)", more=query("limit: -1"))
    parse(p, ALL + query("group_by: [\"Dimension('person__country')\"], order_by: [\"Metric('head_count').descending(True)\", \"Dimension('person__country')\"]"), 0)
    refused(p, "Metric('view_count') does not match any of the listed metrics or group-by items. ", more=query("order_by: [\"Metric('view_count')\"]"))
    refused(p, "An error occurred while parsing a field in 'asked'. Note that metrics need to be specified using the object-builder syntax", more=query("order_by: [head_count]"))


@case
def forms_of_entries(p):
    for was, now, words in [
        ("name: visits\n", "name: visits\n    foo: 1\n", "at path []: Additional properties are not allowed ('foo' was unexpected)"),
        (VIEWS, "{name: views, expr: id}", "at path ['measures'][0]: 'agg' is a required property"),
        (VISIT, VISIT.replace("id}", "1}"), "at path ['entities'][0]['expr']: 1 is not valid under any of the given schemas"),
        (PAGE, PAGE[:-1] + ", is_partition: perhaps}", "at path ['dimensions'][1]['is_partition']: 'perhaps' is not of type 'boolean'"),
        ("{measure: views}", "{measure: views, foo: 1}", "at path ['type_params']: Additional properties are not allowed ('foo' was unexpected)"),
        ("{measure: views}", "{conversion_type_params: {entity: person}}", "at path ['type_params']['conversion_type_params']: {'entity': 'person'} is not valid under any of the given schemas"),
    ]:
        has(parse(p, ALL.replace(was, now), 2), words)
    has(parse(p, ALL + "saved_queries: [{name: asked, query_params: {foo: 1}}]\n", 2), "at path ['query_params']: Additional properties are not allowed ('foo' was unexpected)")
    has(parse(p, ALL + metric("type: cumulative, type_params: {cumulative_type_params: {window: 7 days}}"), 2),
        "Cumulative metric odd should have a measure or input_metric defined, but it does not.")


@case
def findings_come_in_dbts_order(p):
    said = parse(p, ALL.replace(PAGE, "{name: from, type: categorical}").replace("label: Views", "label: Heads").replace(VIEWS, "{name: views, agg: count}"), 2)
    places = [said.index(words) for words in ("requires an expr", "is an SQL reserved keyword", "Can't use label")]
    equal(places, sorted(places))


if __name__ == "__main__":
    sys.exit(main())
