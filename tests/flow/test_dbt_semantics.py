"""Metrics, semantic models, saved queries and exposures: what is refused, and what metric() gives; the words are dbt's."""
import json, sys

from dbt_flow import case, equal, has, lacks, main

MODEL = "select 1 as id, cast('2024-01-01' as timestamp) as created_at"
SPINE = """models:
  - name: days
    time_spine: {standard_granularity_column: day}
    columns: [{name: day, granularity: day}]
"""
SEMANTIC = """semantic_models:
  - name: people
    model: ref('people')
    dimensions: [{name: created_at, type: TIME, type_params: {time_granularity: day}}]
    measures: [{name: heads, agg: count, expr: id, agg_time_dimension: created_at}]
    entities: [{name: person, type: PRIMARY, expr: id}]
"""
METRIC = """metrics:
  - name: head_count
    label: Heads
    type: simple
    type_params: {measure: heads}
"""


def project(p, **files):
    p.file("models/people.sql", MODEL)
    p.file("models/days.sql", "select cast('2024-01-01' as date) as day")
    for name, text in {"spine": SPINE, "semantic": SEMANTIC, "metric": METRIC, **files}.items():
        p.file(f"models/{name}.yml", text)


def refused(p, words, **files):
    project(p, **files)
    has(p.run("parse", status=2), words)


@case
def entries_that_are_none(p):
    at = "Parsing Error\n  Invalid metrics config given in models/metric.yml @ metrics: {'name': "
    refused(p, at, metric=METRIC.replace("    type: simple", "    type: simple\n    foo: 1"))
    for change, words in [
        (("type: simple\n", "type: simple\n    foo: 1\n"), "at path []: Additional properties are not allowed ('foo' was unexpected)"),
        (("head_count", "1 head-count"), "The metric name '1 head-count' is invalid.  It cannot contain spaces, must begin with a letter, must contain only letters, numbers and underscores"),
        (("head_count", "h" * 251), "cannot contain more than 250 characters"),
        (("    label: Heads\n", ""), "'label' is a required property"),
        (("    type_params: {measure: heads}\n", ""), "Simple metrics must have an agg param."),
        (("type: simple\n", "type: simple\n    config: {enabled: maybe}\n"), "'maybe' is not of type 'boolean'"),
    ]:
        refused(p, words, metric=METRIC.replace(*change))
    refused(p, "at path ['tags'][0]: None is not of type 'string'", metric=METRIC, x="exposures: [{name: e, type: ml, tags: [null], owner: {name: x}}]\n")
    refused(p, "Exposure owner must have at least one of 'name' or 'email'.", x="exposures: [{name: e, type: ml, owner: {slack: x}}]\n")
    refused(p, "'query_params' is a required property", x="saved_queries: [{name: q_q}]\n")


@case
def names_that_lead_nowhere(p):
    refused(p, "Parsing Error in metric head_count (models/metric.yml)\n  A semantic model having a measure `legs` does not exist but was referenced.",
            metric=METRIC.replace("heads", "legs"))
    refused(p, "The measure `heads` is referenced on disabled semantic model `people`.", semantic=SEMANTIC + "    config: {enabled: false}\n")
    refused(p, "Semantic_Model 'semantic_model.p.people' (models/semantic.yml) depends on a node named 'persons' which was not found",
            semantic=SEMANTIC.replace("ref('people')", "ref('persons')"))
    refused(p, "Saved_Query 'saved_query.p.q_q' (models/x.yml) depends on a metric named 'gone' which was not found",
            x="saved_queries: [{name: q_q, query_params: {metrics: [gone]}}]\n")
    derived = "  - {name: twice, label: t, type: derived, type_params: {expr: head_count * 2, metrics: [head_count]}}\n"
    refused(p, "Parsing Error in metric twice (models/metric.yml)\n  The metric `head_count` is disabled and thus cannot be referenced.", x="",
            metric=METRIC + "    config: {enabled: false}\n" + derived)
    refused(p, "The metric `gone` does not exist but was referenced by metric `twice`.", metric=METRIC + derived.replace("[head_count]", "[gone]"))
    refused(p, "The metric `gone` does not exist but was referenced.\n", metric=METRIC + "  - {name: sum_up, type: cumulative, input_metric: gone}\n")


@case
def rules_over_all_of_them(p):
    has_failed = "Parsing Error\n  Semantic Manifest validation failed."
    for change, words in [
        (("name: heads", "name: created_at"), "In semantic model `people`, can't use name `created_at` for a dimension when it was already used for a measure"),
        (("name: person,", "name: Person,"), "Invalid name `Person` - names may only contain lower case letters"),
        (("name: person,", "name: month,"), "names cannot match reserved time granularity keywords"),
        (("type: PRIMARY", "type: foreign"), "contains dimensions, but it does not define a primary entity."),
        (("agg_time_dimension: created_at", "agg_time_dimension: born"), "which is not a valid time dimension in the semantic model"),
    ]:
        metric = METRIC.replace("heads", "created_at") if "name: heads" in change else METRIC
        refused(p, "[WARNING]: ", semantic=SEMANTIC.replace(*change), metric=metric)
        refused(p, words, semantic=SEMANTIC.replace(*change), metric=metric)
        has((p.dir / "logs/dbt.log").read_text(), words)
        refused(p, has_failed, semantic=SEMANTIC.replace(*change), metric=metric)


@case
def time_spines(p):
    refused(p, "The semantic layer requires a time spine model with granularity DAY or smaller in the project, but none was found.", spine="")
    refused(p, "Got invalid column name 'night' for model 'days'. Valid names: ['day'].", spine=SPINE.replace("column: day", "column: night"))
    refused(p, "must have a granularity defined. Please add one for column 'day' in model 'days'.", spine=SPINE.replace(", granularity: day", ""))
    refused(p, "Columns not found: ['sol']; Available columns: ['day']", spine=SPINE.replace("column: day}", "column: day, custom_granularities: [{name: sol}]}"))


@case
def a_template_may_name_a_metric(p):
    project(p, x="exposures: [{name: e, type: ml, owner: {name: x}, tags: [b, a], depends_on: [metric('head_count')]}]\n")
    p.file("models/uses.sql", "select 1 as a -- {{ metric('head_count') }} {{ metric('head_count').label }}")
    p.run("compile")
    has((p.dir / "target/compiled/p/models/uses.sql").read_text(), "-- head_count Heads")
    made = json.loads((p.dir / "target/manifest.json").read_text())
    uses, e = made["nodes"]["model.p.uses"], made["exposures"]["exposure.p.e"]
    equal([uses["metrics"], uses["depends_on"]["nodes"]], [[["head_count"], ["head_count"]], ["metric.p.head_count"]])
    equal([e["metrics"], e["depends_on"]["nodes"], e["tags"]], [[["head_count"]], ["metric.p.head_count"], ["a", "b"]])


@case
def what_a_metric_says_of_itself(p):
    derived = """  - {name: twice, label: t, type: derived, type_params: {expr: head_count * 2, metrics: [head_count]}}
  - {name: share, label: s, type: ratio, type_params: {numerator: twice, denominator: head_count}}
"""
    project(p, metric=METRIC + derived)
    p.file("models/uses.sql", "{% set m = metric('p', 'share') %}{% if not execute %}{{ config(said=[m.metric_name, m.package_name, metric('share').package_name]) }}"
                              "{% else %}{{ m.metric_name }} {{ m.type_params.denominator.name }} {{ m.full_metric_dependency() | sort }} "
                              "{{ m.base_metric_dependency() }} {{ m.derived_metric_dependency() | sort }} {{ m.derived_metric_dependency_depth() }} {{ m.gone }}{% endif %}")
    p.run("compile")
    has((p.dir / "target/compiled/p/models/uses.sql").read_text(),
        "share head_count ['head_count', 'share', 'twice'] ['head_count'] ['share', 'twice'] [{'share': 1}, {'twice': 2}] ")
    equal(json.loads((p.dir / "target/manifest.json").read_text())["nodes"]["model.p.uses"]["config"]["said"], ["share", "p", None])


@case
def semantics_of_a_model_itself(p):
    own = """models:
  - name: people
    semantic_model: {name: folk, config: {meta: {a: 1}}}
    agg_time_dimension: born
    columns:
      - {name: id, entity: {name: person, type: primary}}
      - {name: created_at, granularity: day, description: when, dimension: {name: born, type: time}}
    derived_semantics: {dimensions: [{name: odd, type: categorical, expr: id % 2 = 1}]}
    metrics:
      - {name: head_count, agg: count, expr: id, filter: "{{ Dimension('person__odd') }}"}
      - {name: so_far, type: cumulative, input_metric: head_count, window: 7 days}
"""
    project(p, semantic=own, metric="")
    p.run("parse")
    made = json.loads((p.dir / "target/manifest.json").read_text())
    folk, heads, so_far = made["semantic_models"]["semantic_model.p.folk"], made["metrics"]["metric.p.head_count"], made["metrics"]["metric.p.so_far"]
    equal([(e["name"], e["expr"], e["config"]["meta"]) for e in folk["entities"]], [("person", "id", {"a": 1})])
    equal([(d["name"], d["expr"], d["description"]) for d in folk["dimensions"]], [("born", "created_at", "when"), ("odd", "id % 2 = 1", None)])
    equal([folk["depends_on"]["nodes"], heads["depends_on"]["nodes"], so_far["depends_on"]["nodes"]],
          [["model.p.people"], ["semantic_model.p.folk"], ["metric.p.head_count"]])
    by = heads["type_params"]["metric_aggregation_params"]
    equal([by["semantic_model"], by["agg"], by["agg_time_dimension"]], ["folk", "count", "born"])
    equal(heads["filter"]["where_filters"], [{"where_sql_template": "{{ Dimension('person__odd') }}"}])
    for change, words in [
        (("agg: count, ", ""), "Simple metric head_count should have a measure or agg type defined, but it does not."),
        (("agg: count", "agg: counted"), "Encountered an error:\nInvalid enum value: `counted` in enum AggregationType"),
        (("type: cumulative", "type: cumulated"), "Encountered an error:\nInvalid enum value: `cumulated` in enum MetricType"),
        (("input_metric: head_count, ", ""), "Encountered an error:\ninput_metric is required for cumulative metrics."),
        (("type: cumulative, input_metric: head_count, window: 7 days", "type: ratio, numerator: head_count"), "Both a numerator and denominator must be specified"),
        (("type: cumulative", "type: conversion"), "Encountered an error:\nbase_metric is required for conversion metrics."),
    ]:
        refused(p, words, semantic=own.replace(*change), metric="")
    refused(p, "simple metrics in v2 YAML must be attached to semantic_model", semantic=own, metric="metrics: [{name: loose_one, agg: sum, expr: id}]\n")
    for off in ("false", "{enabled: false}"):
        project(p, semantic=own.replace("{name: folk, config: {meta: {a: 1}}}", off), metric="")
        p.run("parse")
        made = json.loads((p.dir / "target/manifest.json").read_text())
        equal([made["semantic_models"], made["metrics"]], [{}, {}])


def document(source="p.main.people", **more):
    return json.dumps({"semantic_model": [{"name": "s", "datasets": [{"name": "folk", "source": source, **more}]}]})


@case
def documents_of_the_interchange_format(p):
    def refused_document(words, text, name="osi/folk.json"):
        project(p)
        p.file(name, text)
        has(p.run("parse", status=2), words)

    at = f"Parsing Error\n  OSI file '{p.dir}/osi/folk.json' "
    refused_document(at + "contains dataset 'folk' (p.main.persons) that does not match any dbt model in this project.", document("p.main.persons"))
    refused_document(at + "uses unsupported version '9'. Supported versions: ['0.1.0', '0.1.1']", json.dumps({"version": "9", "semantic_model": []}))
    refused_document("1 validation error for OSIDocument\n  semantic_model -> 0 -> datasets\n    field required", '{"semantic_model": [{"name": "s"}]}')
    refused_document("Failed to parse OSI file", "{")
    p.file("osi/folk.json", document())
    refused_document("z.json' defines semantic model 'folk' which conflicts with an existing semantic model in this project.", document(), "osi/z.json")
    (p.dir / "osi/z.json").unlink()
    p.file("osi/folk.json", document(primary_key=["id"], fields=[{"name": "id", "expression": {"dialects": [{"dialect": "ANSI_SQL", "expression": "id"}]}}]))
    p.run("parse")
    made = json.loads((p.dir / "target/manifest.json").read_text())["semantic_models"]["semantic_model.p.folk"]
    equal([made["model"], made["depends_on"]["nodes"], [e["type"] for e in made["entities"]], made["path"]],
          ["ref('people')", ["model.p.people"], ["primary"], "osi/folk.json"])
    written = json.loads((p.dir / "target/osi_document.json").read_text())["semantic_model"][0]
    equal([d["name"] for d in written["datasets"]], ["people", "folk"])
    equal(written["metrics"][0]["expression"]["dialects"][0]["expression"], "SUM(CASE WHEN people.id IS NOT NULL THEN 1 ELSE 0 END)")


@case
def meta_beside_the_config_of_a_metric_is_its_own(p):
    project(p, metric=METRIC + "    meta: {own: 1}\n")
    p.run("parse")
    metric = json.loads((p.dir / "target/manifest.json").read_text())["metrics"]["metric.p.head_count"]
    equal([metric["meta"], metric["config"]["meta"]], [{"own": 1}, {}])


@case
def older_forms_are_refused_unless_flags_allow_them(p):
    """A window beside cumulative_type_params, and a time spine that its name alone makes one."""
    old = "metrics:\n- {name: so_far, label: S, type: cumulative, type_params: {measure: heads, window: 7 days}}\n"
    p.file("models/metricflow_time_spine.sql", "select cast('2024-01-01' as date) as date_day")
    refused(p, "Invalid metrics: so_far. See documentation on behavior changes", metric=old, spine="models: []\n")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {require_nested_cumulative_type_params: false, require_yaml_configuration_for_mf_time_spines: false}\n")
    out = p.run("parse")
    has(out, "[WARNING]: Cumulative fields `type_params.window` and\n`type_params.grain_to_date` have been moved and will soon be deprecated.")
    has(out, "[WARNING]: Time spines without YAML configuration are in the process of\ndeprecation.")
    has(out, "- MFCumulativeTypeParamsDeprecation: 1 occurrence\n- MFTimespineWithoutYamlConfigurationDeprecation: 1 occurrence\n")
    p.file("models/metric.yml", "metrics:\n- {name: so_far, label: S, type: cumulative, type_params: {measure: heads, cumulative_type_params: {window: 7 days}}}\n")
    p.file("models/spine.yml", SPINE)
    lacks(p.run("parse"), "deprecat")


if __name__ == "__main__":
    sys.exit(main())
