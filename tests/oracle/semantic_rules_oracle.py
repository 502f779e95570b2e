"""Compares what tarn and real dbt say of semantic models, metrics and saved queries that break a rule.

    python tests/oracle/semantic_rules_oracle.py [--tarn PROGRAM] [CASE ...]

Every case changes texts of one small project; both programs parse it, and the lines that tell of the semantic layer and the exit status
must be the same. Sets of names that dbt prints in an order of its own are sorted first. Prints each difference; exit status 1 when there is one.
"""
import os
import re
import subprocess
import sys
import tempfile

from dbt.cli.main import cli

from both_programs import ROOT, arguments, write

FILES = {
    "dbt_project.yml": "name: p\nversion: '1.0'\nprofile: p\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "p: {target: t, outputs: {t: {type: duckdb, path: 'p.duckdb'}}}\n",
    "models/people.sql": "select 1 as id, cast('2024-01-01' as timestamp) as created_at",
    "models/visits.sql": "select 1 as id, 1 as person_id, cast('2024-01-01' as timestamp) as seen_at",
    "models/days.sql": "select cast('2024-01-01' as date) as day, 1 as sol",
    "models/all.yml": open(os.path.join(ROOT, "tests", "flow", "people_and_visits.yml")).read(),
}
HEADS, VIEWS = "agg: count, expr: id}\n      - {name: weight", "{name: views, agg: count, expr: id}"
WEIGHT, COUNTRY, PERSON = "agg: sum, expr: kilos}", "{name: country, type: categorical}", "{name: person, type: primary, expr: id}"
PAGE, VISIT, LAST = "{name: page, type: categorical}", "{name: visit, type: primary, expr: id}", "type_params: {measure: views}}\n"
CREATED = "{name: created_at, type: time, type_params: {time_granularity: day}}"


def more(text):
    return [(LAST, LAST + text + "\n")]


def metric(text):
    return more("  - {name: odd, label: Odd, " + text + "}")


def derived(text, expr="head_count * 2"):
    return metric("type: derived, type_params: {expr: '%s', metrics: [%s]}" % (expr, text))


def conversion(text, entity="person"):
    return metric("type: conversion, type_params: {conversion_type_params: {entity: %s, %s}}" % (entity, text))


def saved(text):
    return more("saved_queries:\n  - {name: asked, query_params: {%s}}" % text)


def filtered(text):
    return metric("type: simple, type_params: {measure: heads}, filter: \"%s\"" % text)


BOTH = "base_measure: heads, conversion_measure: views"
CASES = {
    "all is well": [],
    # measures
    "a percentile without": [(WEIGHT, "agg: percentile, expr: kilos}")],
    "a percentile of 1": [(WEIGHT, "agg: percentile, expr: kilos, agg_params: {percentile: 1}}")],
    "a percentile of 1.5": [(WEIGHT, "agg: percentile, expr: kilos, agg_params: {percentile: 1.5}}")],
    "a percentile of 0.0": [(WEIGHT, "agg: percentile, expr: kilos, agg_params: {percentile: 0.0}}")],
    "a percentile of no number": [(WEIGHT, "agg: percentile, expr: kilos, agg_params: {use_discrete_percentile: true}}")],
    "a median of a percentile": [(WEIGHT, "agg: median, expr: kilos, agg_params: {percentile: 0.4, use_discrete_percentile: true}}")],
    "a sum of a percentile": [(WEIGHT, "agg: sum, expr: kilos, agg_params: {percentile: 0.4, use_approximate_percentile: true}}")],
    "a count of nothing": [(VIEWS, "{name: views, agg: count}")],
    "a distinct count": [(VIEWS, "{name: views, agg: count, expr: DISTINCT id}")],
    "a measure twice": [(VIEWS, VIEWS + "\n      - " + VIEWS.replace("views", "heads"))],
    "no such time dimension": [(VIEWS, "{name: views, agg: count, expr: id, agg_time_dimension: gone}")],
    "no such default": [("agg_time_dimension: seen_at", "agg_time_dimension: page")],
    "non-additive: none": [(WEIGHT, "agg: sum, expr: kilos, non_additive_dimension: {name: gone, window_choice: max}}")],
    "non-additive: categorical": [(WEIGHT, "agg: sum, expr: kilos, non_additive_dimension: {name: country, window_choice: max}}")],
    "non-additive: grain": [(WEIGHT, "agg: sum, expr: kilos, non_additive_dimension: {name: moved_at, window_choice: max}}"),
                            (COUNTRY, "{name: moved_at, type: time, type_params: {time_granularity: month}}")],
    "non-additive: window": [(WEIGHT, "agg: sum, expr: kilos, non_additive_dimension: {name: created_at, window_choice: sum}}")],
    "non-additive: groupings": [(WEIGHT, "agg: sum, expr: kilos, non_additive_dimension: {name: created_at, window_choice: min, window_groupings: [gone, person]}}")],
    # semantic models
    "a name that is two things": [(PAGE, "{name: heads, type: categorical}")],
    "an entity elsewhere": [(PAGE, "{name: person_, type: categorical}"), (PERSON, PERSON.replace("person,", "page,")), ("person_,", "page,")],
    "a dimension of two types": [(PAGE, "{name: created_at, type: categorical}")],
    "a partition or not": [(PAGE, "{name: country, type: categorical, is_partition: true}")],
    "a pair twice": [(VISIT, VISIT.replace("visit,", "person,")), ("\n      - {name: person, type: foreign, expr: person_id}", ""), (PAGE, COUNTRY)],
    "validity of one": [(COUNTRY, "{name: from_at, type: time, type_params: {time_granularity: day, validity_params: {is_start: true, is_end: true}}}")],
    "validity of two starts": [(COUNTRY, "{name: from_at, type: time, type_params: {time_granularity: day, validity_params: {is_start: true}}}\n"
                                "      - {name: to_at, type: time, type_params: {time_granularity: day, validity_params: {is_start: true}}}")],
    "validity of three": [(COUNTRY, "{name: from_at, type: time, type_params: {time_granularity: day, validity_params: {is_start: true}}}\n"
                           "      - {name: to_at, type: time, type_params: {time_granularity: day, validity_params: {is_end: true}}}\n"
                           "      - {name: by_at, type: time, type_params: {time_granularity: day, validity_params: {is_end: true}}}")],
    "a natural entity": [(VISIT, VISIT.replace("primary", "natural"))],
    "two natural entities": [(VISIT, VISIT.replace("primary", "natural")), ("type: foreign", "type: natural")],
    "a reserved word": [(PAGE, "{name: from, type: categorical}"), (VISIT, VISIT.replace("visit,", "join,")), (VIEWS, VIEWS.replace("views", "null_")), ("null_", "is")],
    "labels of models": [("name: people\n    model", "name: people\n    label: One\n    model"), ("name: visits\n    model", "name: visits\n    label: One\n    model")],
    "labels within a model": [(CREATED, CREATED[:-1] + ", label: A}"), (COUNTRY, COUNTRY[:-1] + ", label: A}"), (HEADS, HEADS.replace("id}", "id, label: A}")), (WEIGHT, WEIGHT[:-1] + ", label: A}")],
    "labels of entities": [(VISIT, VISIT[:-1] + ", label: A}"), ("expr: person_id}", "expr: person_id, label: A}")],
    "labels of one entity": [(PERSON, PERSON[:-1] + ", label: A}"), ("expr: person_id}", "expr: person_id, label: B}")],
    "a grain that is not there": [("{time_granularity: day}}\n      - {name: page", "{}}\n      - {name: page")],
    "no granularity": [(PAGE, "{name: page, type: time}")],
    "no time dimension": [("    defaults: {agg_time_dimension: created_at}\n", ""), ("    defaults: {agg_time_dimension: seen_at}\n", ""), ("      - " + CREATED + "\n", ""), ("      - {name: seen_at, type: time, type_params: {time_granularity: day}}\n", "")],
    "grains of a finer kind": [("{time_granularity: day}}\n      - {name: page", "{time_granularity: hour}}\n      - {name: page")],
    "a granularity's name": [("[{name: sol}]", "[{name: country, column_name: sol}]")],
    "granularities twice": [("[{name: sol}]", "[{name: sol}, {name: sol}]")],
    # forms
    "a model's key": [("name: visits\n", "name: visits\n    foo: 1\n")],
    "a measure's key": [(VIEWS, VIEWS[:-1] + ", foo: 1}")],
    "a measure without agg": [(VIEWS, "{name: views, expr: id}")],
    "a dimension's partition": [(PAGE, PAGE[:-1] + ", is_partition: perhaps}")],
    "an entity of a number": [(VISIT, VISIT.replace("id}", "1}"))],
    "no list of entities": [("    entities:\n      - {name: visit, type: primary, expr: id}\n      - {name: person, type: foreign, expr: person_id}", "    entities: {name: visit}")],
    "a metric's params": metric("type: simple, type_params: {measure: heads, foo: 1}"),
    "a metric's tags": metric("type: simple, type_params: {measure: heads}, tags: x"),
    "a measure's filter": metric("type: simple, type_params: {measure: {name: heads, filter: 1}}"),
    "saved: a key": saved("metrics: [head_count], foo: 1"),
    "saved: an export": more("saved_queries:\n  - {name: asked, query_params: {metrics: [head_count]}, exports: [{config: {export_as: table}}]}"),
    # metrics
    "a label twice": metric("label: Heads, type: simple, type_params: {measure: heads}")[:0] + [("label: Views", "label: Heads")],
    "derived from nothing": derived(""),
    "derived without expr": metric("type: derived, type_params: {metrics: [head_count]}"),
    "derived, not used": derived("head_count, view_count"),
    "an alias of a name": derived("{name: head_count, alias: view_count}, view_count", "view_count * 2"),
    "an alias that is no name": derived("{name: head_count, alias: Heads}", "Heads * 2"),
    "an offset of no grain": derived("{name: head_count, offset_window: 7 moons}"),
    "an offset of the project's": derived("{name: head_count, offset_window: 7 sols}"),
    "an offset to no grain": derived("{name: head_count, offset_to_grain: sol}"),
    "both offsets": derived("{name: head_count, offset_to_grain: month, offset_window: 7 days}"),
    "a window of no grain": metric("type: cumulative, type_params: {measure: heads, cumulative_type_params: {window: 7 moons}}"),
    "a window of the project's": metric("type: cumulative, type_params: {measure: heads, cumulative_type_params: {window: 7 sols}}"),
    "a window and a grain": metric("type: cumulative, type_params: {measure: heads, cumulative_type_params: {window: 7 days, grain_to_date: month}}"),
    "to a date of no grain": metric("type: cumulative, type_params: {measure: heads, cumulative_type_params: {grain_to_date: sol}}"),
    "windows that differ": metric("type: cumulative, type_params: {measure: heads, window: 7 days, cumulative_type_params: {window: 8 days}}"),
    "the old window": metric("type: cumulative, type_params: {measure: heads, window: 7 days}"),
    "cumulative of both": metric("type: cumulative, type_params: {measure: heads, cumulative_type_params: {metric: head_count}}"),
    "cumulative of nothing": metric("type: cumulative, type_params: {cumulative_type_params: {window: 7 days}}"),
    "an alias of a measure": metric("type: simple, type_params: {measure: {name: heads, alias: views}}"),
    "an alias twice": metric("type: simple, type_params: {measure: {name: heads, alias: hh}}") + more("  - {name: odder, label: o, type: simple, type_params: {measure: {name: weight, alias: hh}}}"),
    "an expr of a measure": metric("type: simple, type_params: {measure: heads, expr: ids}"),
    "conversion": conversion(BOTH),
    "conversion of no entity": conversion(BOTH, "visit"),
    "conversion of a sum": conversion("base_measure: weight, conversion_measure: views"),
    "conversion with a filter": conversion("base_measure: heads, conversion_measure: {name: views, filter: \"{{ Dimension('visit__page') }} = 'a'\"}"),
    "conversion of a window": conversion(BOTH + ", window: 7 moons"),
    "conversion of constants": conversion(BOTH + ", constant_properties: [{base_property: country, conversion_property: gone}]"),
    "conversion of half": conversion("base_measure: heads"),
    # filters
    "a filter": filtered("{{ Dimension('person__country') }} = 'a' and {{ TimeDimension('person__created_at', 'month') }} > '2024' and {{ Entity('person') }} = 1"),
    "a filter of a metric": filtered("{{ Metric('view_count', group_by=['person']) }} > 1"),
    "a filter that ends early": filtered("{{ Dimension('person__country') "),
    "a filter of no call": filtered("{{ Dimensions('person__country') }} = 'a'"),
    "a filter of no entity": filtered("{{ Dimension('country') }} = 'a'"),
    "a filter of no grain": filtered("{{ TimeDimension('person__created_at', 'moon') }} > '2024'"),
    "a filter of a grain": filtered("{{ Dimension('person__created_at').grain('moon') }} > '2024'"),
    "a filter of many dunders": filtered("{{ Dimension('a__b__c__d') }} > '2024'"),
    "a filter of a measure": metric("type: simple, type_params: {measure: {name: heads, filter: \"{{ Dimensions('a__b') }} = 1\"}}"),
    # saved queries
    "a saved query": saved("metrics: [head_count], group_by: [\"Dimension('person__country')\", \"TimeDimension('metric_time', 'day')\"], order_by: [\"Metric('head_count').descending(True)\"]"),
    "saved: no such group": saved("metrics: [head_count], group_by: [\"Dimension('person__gone')\"]"),
    "saved: no call": saved("metrics: [head_count], group_by: [person__country]"),
    "saved: no dunder": saved("metrics: [head_count], group_by: [\"Dimension('country')\"]"),
    "saved: a bad filter": saved("metrics: [head_count], where: [\"{{ Dimensions('country') }} = 1\"]"),
    "saved: a filter's grain": saved("metrics: [head_count], where: [\"{{ TimeDimension('person__created_at', 'moon') }} = 1\"]"),
    "saved: no such order": saved("metrics: [head_count], order_by: [\"Metric('view_count')\"]"),
    "saved: order of no call": saved("metrics: [head_count], order_by: [head_count]"),
    "saved: a limit": saved("metrics: [head_count], limit: -1"),
}


def dbt(folder):
    """The exit status of dbt in this process' child: its modules are read once for all cases."""
    try:
        os.chdir(folder)
        cli(["--no-use-colors", "parse"])
    except SystemExit as e:
        return int(e.code or 0)
    return 0


def ran(run, folder):
    """What a function printed to stdout that runs in a child, and its status."""
    path = os.path.join(folder, "said")
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), 1)
            os.dup2(os.open(path + ".err", os.O_CREAT | os.O_WRONLY), 2)
            status = run(folder)
            sys.stdout.flush()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(path, encoding="utf-8") as f:
        return f.read().replace(folder, ""), status


def compared(said):
    """What of it must be the same."""
    text, status = said
    lines = [re.sub(r"^\d\d:\d\d:\d\d +", "", line) for line in text.splitlines()]
    told = [i for i, line in enumerate(lines) if "[WARNING]" in line or "Error" in line]
    lines = [line for line in lines[told[0] if told else len(lines):] if not line.startswith(("Performance info", "Tip: "))]
    text = "\n".join(lines)
    text = re.sub(r"FilePath\(searched_path='([^']*)', relative_path='([^']*)'[^)]*\)", r"\1/\2", text)
    text = re.sub(r"metric Metric\(name='(\w+)'.*\) should have", r"metric \1 should have", text)
    text = re.sub(r"\nTraceback:\n(    .*\n)*", "\n", text)  # tarn has none to show
    text = re.sub(r"\{('[^{}:]*')\}", lambda m: "{%s}" % ", ".join(sorted(m[1].split(", "))), text)
    return [line for line in text.splitlines() if line.strip()] + [status]


def both(changes, tarn):
    files = dict(FILES)
    for was, now in changes:
        assert was in files["models/all.yml"], was
        files["models/all.yml"] = files["models/all.yml"].replace(was, now, 1)
    found = []
    for run in (dbt, lambda folder: subprocess.run([tarn, "--no-use-colors", "parse"], cwd=folder).returncode):
        with tempfile.TemporaryDirectory() as work:
            write(work, files)
            os.environ["DBT_PROFILES_DIR"] = work
            found.append(compared(ran(run, work)))
    return found


def main():
    ap = arguments()
    ap.add_argument("case", nargs="*")
    args = ap.parse_args()
    differences = 0
    cases = {k: v for k, v in CASES.items() if not args.case or k in args.case}
    for name, changes in cases.items():
        dbt_said, tarn_said = both(changes, args.tarn)
        if dbt_said != tarn_said:
            differences += 1
            print("%s\n    dbt:  %s\n    tarn: %s" % (name, "\n          ".join(map(str, dbt_said)), "\n          ".join(map(str, tarn_said))))
    print("%d cases compared, %d differences" % (len(cases), differences))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
