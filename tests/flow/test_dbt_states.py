"""--state as a project goes on: contracted models that go, artifacts of other versions of dbt, seeds that cannot be compared, configs as written."""
import json, shutil, sys

from dbt_flow import case, equal, has, lacks, main

CONTRACT = "models: [{name: firm, config: {contract: {enforced: true}}, columns: [{name: id, data_type: int}]}]"
BROKEN = "Breaking change to contracted, unversioned model firm (models/firm.sql)"


def keep(p):
    """What the target folder has becomes the state."""
    p.run("parse")
    shutil.copytree(p.dir / "target", p.dir / "state", dirs_exist_ok=True)


def manifest(p, folder="target"):
    return json.loads((p.dir / folder / "manifest.json").read_text())


def listed(p, *selection, env=None):
    return sorted(p.run("-q", "ls", "--output", "name", "--state", "state", "-s", *selection, env=env).split())


@case
def a_contracted_model_that_goes_is_a_breaking_change(p):
    p.file("models/firm.sql", "{{ config(materialized='table') }} select 1 as id")
    p.file("models/firm.yml", CONTRACT)
    p.file("models/other.sql", "select 1 as id")
    keep(p)
    for removed in (lambda: p.file("models/firm.yml", CONTRACT.replace("config: {", "config: {enabled: false, ")),
                    lambda: [(p.dir / f"models/firm.{end}").unlink() for end in ("sql", "yml")]):
        removed()
        what = "disabled" if (p.dir / "models/firm.sql").exists() else "deleted or renamed"
        for selector in ("state:modified", "state:modified.contract", "state:unmodified"):
            out = p.run("compile", "-s", selector, "--state", "state")
            has(out, BROKEN)
            has(out, f"  - Contracted model 'model.p.firm' was {what}.")
        lacks(p.run("compile", "-s", "state:modified.body", "--state", "state"), "Contracted model")
        has(p.run("compile", "-s", "state:modified", "--state", "state", "--warn-error", status=2), what)


@case
def a_version_that_goes_fails_and_one_past_its_date_does_not(p):
    versions = "models: [{name: firm, latest_version: 1, config: {contract: {enforced: true}}, columns: [{name: id, data_type: int}], versions: [{v: 1%s}]}]"
    p.file("models/firm_v1.sql", "select 1 as id")
    p.file("models/firm.yml", versions % "")
    p.file("models/other.sql", "select 1 as id")
    keep(p)
    shutil.move(p.dir / "models", p.dir / "kept")
    p.file("models/other.sql", "select 1 as id")
    out = p.run("compile", "-s", "state:modified", "--state", "state", status=2)
    has(out, "Encountered an error:\nBreaking change to contract Error in model firm (models/firm_v1.sql)\n"
             "  While comparing to previous project state, dbt detected a breaking change to an enforced contract.\n"
             "    - Contracted model 'model.p.firm.v1' was deleted or renamed.\n  Consider making an additive")
    p.file("kept/firm.yml", versions % ", deprecation_date: 2020-01-01")
    shutil.rmtree(p.dir / "models")
    shutil.move(p.dir / "kept", p.dir / "models")
    keep(p)
    (p.dir / "models/firm_v1.sql").unlink()
    (p.dir / "models/firm.yml").unlink()
    lacks(p.run("compile", "-s", "state:modified", "--state", "state"), "Breaking change")


@case
def configs_are_compared_as_written(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\nmodels: {+schema: \"{{ env_var('PLACE', 'x') }}\"}\n")
    p.file("models/a.sql", "{{ config(materialized=env_var('HOW', 'view'), tags=['t']) }} select 1 as id")
    p.file("models/b.sql", "select 1 as id")
    p.file("models/b.yml", "models: [{name: b, config: {materialized: \"{{ env_var('HOW', 'view') }}\"}}]")
    keep(p)
    equal(manifest(p)["nodes"]["model.p.a"]["unrendered_config"], {"schema": "{{ env_var('PLACE', 'x') }}", "materialized": "env_var('HOW', 'view')", "tags": "['t']"})
    other = {"HOW": "table", "PLACE": "y"}
    equal(listed(p, "state:modified", env=other), [])
    equal(manifest(p)["nodes"]["model.p.a"]["config"]["materialized"], "table")  # an empty selection writes the manifest, too
    p.file("models/a.sql", "{{ config(materialized=env_var('HOW', 'table'), tags=['t']) }} select 1 as id")
    equal(listed(p, "state:modified.configs"), ["a"])


@case
def without_the_flag_the_values_are_compared(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {state_modified_compare_more_unrendered_values: false}\n")
    p.file("models/a.sql", "{{ config(materialized=env_var('HOW', 'view')) }} select 1 as id")
    p.file("models/b.sql", "select 1 as id")
    p.file("models/b.yml", "models: [{name: b, config: {materialized: \"{{ env_var('HOW', 'view') }}\"}}]")
    keep(p)
    equal(manifest(p)["nodes"]["model.p.a"]["unrendered_config"], {"materialized": "view"})
    equal(listed(p, "state:modified.configs", env={"HOW": "table"}), ["a", "b"])


def as_version(p, version):
    """The state as that version of the schema had it."""
    m = manifest(p)
    m["metadata"].update(dbt_schema_version=f"https://schemas.getdbt.com/dbt/manifest/v{version}.json", dbt_version="1.0.8")
    for node in m["nodes"].values():
        if version < 7:
            node["raw_sql"] = node.pop("raw_code")
        if version < 9:
            node["refs"] = [[r["name"]] for r in node.get("refs", [])]
            node.pop("access", None)
        node["unrendered_config"] = {k: f"Keyword(key='{k}', value=Const(value={v!r}))" for k, v in node["unrendered_config"].items()}
    p.file("state/manifest.json", json.dumps(m))


@case
def manifests_of_older_versions_are_read(p):
    p.file("models/a.sql", "{{ config(alias='x') }} {% set y = 1 %} select 1 as id")
    p.file("models/b.sql", "select * from {{ ref('a') }}")
    p.file("seeds/s.csv", "id\n1\n")
    keep(p)
    for version in (4, 6, 8, 9, 11, 12):
        as_version(p, version)
        equal((version, listed(p, "state:modified")), (version, []))
    p.file("models/b.sql", "select 2 as n from {{ ref('a') }}")
    for version in (4, 9, 12):
        as_version(p, version)
        keep_old = manifest(p, "state")
        equal(listed(p, "state:modified"), [] if keep_old["nodes"]["model.p.b"].get("raw_sql", keep_old["nodes"]["model.p.b"].get("raw_code")).startswith("select 2") else ["b"])
    as_version(p, 3)
    has(p.run("ls", "-s", "state:modified", "--state", "state", status=2), 'but found "https://schemas.getdbt.com/dbt/manifest/v3.json". Are you running with a different version of dbt?')
    p.file("state/run_results.json", json.dumps({"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v1.json"}, "results": []}))
    as_version(p, 12)
    has(p.run("ls", "-s", "state:modified", "--state", "state", status=2), 'Expected a schema version of "https://schemas.getdbt.com/dbt/run-results/v6.json"')


@case
def a_seed_too_large_to_compare_is_told(p):
    p.file("seeds/s.csv", "id\n1\n")
    keep(p)
    p.file("seeds/s.csv", "id\n" + "1234567\n" * 140000)
    out = p.run("compile", "-s", "state:modified", "--state", "state")
    has(out, "Found a seed (p.s) >1MiB in size. The previous file was <=1MiB, so it has changed")
    has(p.run("--warn-error", "compile", "-s", "state:modified", "--state", "state", status=2), "The previous file was <=1MiB")
    keep(p)
    has(p.run("compile", "-s", "state:modified", "--state", "state"), "in size at the same path, dbt cannot tell if it has changed: assuming they are the same")


@case
def a_generic_test_that_is_gone_is_a_fault_of_who_uses_it(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/a.yml", "models: [{name: a, data_tests: [gone]}]")
    p.file("tests/generic/gone.sql", "{% test gone(model) %} select 1 where false {% endtest %}")
    keep(p)
    (p.dir / "tests/generic/gone.sql").unlink()
    has(p.run("run", "-s", "state:modified", "--state", "state", status=2), "Node 'gone_a_' (in models/a.yml) depends on a macro or test that does not exist.")


@case
def exports_of_a_saved_query_count(p):
    p.file("models/time_spine.sql", "select current_date as day")
    p.file("models/orders.sql", "select 1 as id, current_date as at")
    text = """
models:
  - {name: time_spine, time_spine: {standard_granularity_column: day}, columns: [{name: day, granularity: day}]}
semantic_models:
  - {name: orders, model: ref('orders'), defaults: {agg_time_dimension: at}, entities: [{name: id, type: primary}],
     dimensions: [{name: at, type: time, type_params: {time_granularity: day}}], measures: [{name: rows_n, agg: count, expr: id}]}
metrics: [{name: how_many, label: n, type: simple, type_params: {measure: rows_n}}]
saved_queries: [{name: saved, query_params: {metrics: [how_many], group_by: ["TimeDimension('metric_time', 'day')"]}, exports: [{name: out, config: {alias: first, export_as: table}}]}]
"""
    p.file("models/s.yml", text)
    keep(p)
    equal(listed(p, "state:modified"), [])
    p.file("models/s.yml", text.replace("alias: first", "alias: second"))
    equal(listed(p, "state:modified"), ["saved"])


@case
def no_state_is_told_in_dbts_words(p):
    p.file("models/a.sql", "select 1 as id")
    has(p.run("run", "-s", "state:modified", status=2), "Runtime Error\n  Got a state selector method, but no comparison manifest")


@case
def clean_needs_no_project_that_loads(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("run")
    p.file("models/s.yml", "models: [{name: a, config: {group: nowhere}}]")
    p.run("parse", status=2)
    has(p.run("clean"), "Finished cleaning all paths.")
    assert not (p.dir / "target/manifest.json").exists()


@case
def empty_leaves_snapshots_and_tests_without_rows(p):
    p.file("models/a.sql", "select 1 as id, '2020-01-01 00:00:00'::timestamptz as seen")
    p.file("models/s.yml", "snapshots: [{name: s, relation: ref('a'), config: {unique_key: id, strategy: timestamp, updated_at: seen}}]\nmodels: [{name: a, data_tests: [{accepted_values: {arguments: {values: [2], column_name: id}}}]}]")
    out = p.run("build", "--empty")
    has(out, "[WARNING]: Data type of snapshot table timestamp columns (TIMESTAMP) doesn't match derived column 'updated_at' (TIMESTAMP WITH TIME ZONE). Please update snapshot config 'updated_at'.")
    has(out, "PASS=3 ")
    has((p.dir / "target/compiled/p/models/s.yml/s.sql").read_text(), "where false limit 0)")
    lacks(p.run("build", "--warn-error-options", "{silence: [SnapshotTimestampWarning]}", "--exclude", "test_type:data"), "Data type of snapshot")


@case
def unit_tests_override_what_is_no_macro(p):
    p.file("models/a.sql", "select '{{ invocation_id }}' as run, {{ dbt.string_literal(type_int()) }} as kind")
    p.file("models/s.yml", "unit_tests: [{name: u, model: a, given: [], overrides: {macros: {invocation_id: 123, type_int: mine}}, expect: {rows: [{run: '123', kind: mine}]}}]")
    has(p.run("build"), "PASS=2 ")


@case
def analyses_have_their_own_section_when_asked(p):
    p.file("analyses/sub/an.sql", "select 1")
    p.file("analyses/two.sql", "select 2")
    p.file("dbt_project.yml", "name: p\nprofile: p\nanalyses: {p: {sub: {+enabled: false}}}\n")
    p.run("parse")
    equal(manifest(p)["nodes"]["analysis.p.an"]["fqn"], ["p", "analysis", "sub", "an"])
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {require_corrected_analysis_fqns: true}\nanalyses: {p: {sub: {+enabled: false}}}\n")
    p.run("parse")
    assert "analysis.p.an" not in manifest(p)["nodes"]
    equal(manifest(p)["nodes"]["analysis.p.two"]["fqn"], ["p", "two"])


@case
def an_exposure_takes_tags_and_meta_from_three_places(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("dbt_project.yml", "name: p\nprofile: p\nexposures: {tags: [top], meta: {top: 1, both: 1}, p: {+tags: [deep]}}\n")
    p.file("models/s.yml", "exposures:\n  - {name: e, type: dashboard, owner: {name: x}, tags: [side], meta: {both: 2}, config: {tags: [own]}}\n  - {name: f, type: dashboard, owner: {email: x}}\n")
    p.run("parse")
    e, f = (manifest(p)["exposures"][f"exposure.p.{n}"] for n in "ef")
    equal((e["tags"], e["meta"], e["config"]["meta"], e["owner"]), (["own", "side", "top"], {"top": 1, "both": 2}, {"top": 1, "both": 2}, {"email": None, "name": "x"}))
    equal(f["tags"], ["deep", "top"])
    p.file("dbt_project.yml", "name: p\nprofile: p\nexposures: {tags: null}\n")
    p.file("models/s.yml", "exposures: [{name: f, type: dashboard, owner: {email: x}}]")
    has(p.run("parse", status=2), 'Field "tags" of type List[str] in ExposureConfig has invalid value None')


@case
def a_selector_in_a_selector_keeps_what_it_excludes(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/s.yml", "models: [{name: a, columns: [{name: id, data_tests: [not_null, unique]}]}]")
    p.file("selectors.yml", """
selectors:
  - {name: few, definition: {union: [{method: fqn, value: '*'}, {exclude: [{method: test_name, value: not_null}]}]}}
  - {name: same, definition: {intersection: [{method: selector, value: few}]}}
""")
    for name in ("few", "same"):
        equal(sorted(p.run("-q", "ls", "--selector", name).split()), ["p.a", "p.unique_a_id"])
    equal(sorted(p.run("-q", "ls", "-s", "selector:few").split()), ["p.a", "p.unique_a_id"])


@case
def warnings_of_the_parser_can_be_one_error(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/s.yml", "models: [{name: one}, {name: two}]\n")
    p.file("tests/s.yml", "data_tests: [{name: three}]\n")
    lacks(p.run("--warn-error", "parse", status=2), "'two'")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {enable_grouped_warn_error_parser_logs: true}\n")
    out = p.run("--warn-error", "parse", status=2)
    for name in ("one", "two"):
        has(out, f"Did not find matching node for patch with name '{name}' in the 'models' section of file 'models/s.yml'")
    has(out, "Did not find matching node for patch with name 'three' in the 'data_tests' section of file 'tests/s.yml'")


@case
def a_result_is_loaded_once_and_a_wrong_call_names_the_macro_as_jinja_does(p):
    p.file("models/a.sql", "{% call statement('s', fetch_result=True) %}select 1 as n{% endcall %}{% if execute %}{% set x = load_result('s') %}{% set y = load_result('s') %}{% endif %}select 1 as id")
    has(p.run("run", status=1), "The 'statement' result named 's' has already been loaded into a variable")
    p.file("macros/m.sql", "{% macro m(a) %}{{ a }}{% endmacro %}")
    p.file("models/a.sql", "select {{ m(b=1) }} as id")
    has(p.run("run", status=2), "macro 'dbt_macro__m' takes no keyword argument 'b'")


@case
def generic_tests_have_rendered_descriptions(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/d.md", "{% docs why %}Because.{% enddocs %}")
    p.file("models/s.yml", "models: [{name: a, config: {contract: {enforced: false, other: 1}}, columns: [{name: id, data_tests: [{unique: {description: \"{{ doc('why') }}\"}}]}]}]")
    p.run("parse")
    nodes = manifest(p)["nodes"]
    test = next(n for n in nodes.values() if n["resource_type"] == "test")
    equal((test["description"], test["doc_blocks"]), ("Because.", ["doc.p.why"]))
    equal(nodes["model.p.a"]["config"]["contract"], {"enforced": False, "alias_types": True})


if __name__ == "__main__":
    sys.exit(main())
