"""What becomes of a project's files when it is loaded: keys of models, unit tests in all their forms, names that are given twice; dbt's words."""
import json, os

from dbt_flow import case, equal, has, lacks, main


def manifest(p):
    return json.loads((p.dir / "target/manifest.json").read_text())


@case
def the_key_of_a_model_follows_from_constraints_and_tests(p):
    p.file("models/a.sql", "select 1 as id, 2 as n")
    p.file("models/b.sql", "select 1 as id, 2 as n")
    p.file("models/c.sql", "select 1 as id")
    p.file("models/d.sql", "select 1 as id")
    p.file("models/s.yml", """models:
  - {name: a, columns: [{name: n, data_tests: [unique]}, {name: id, data_tests: [unique, not_null]}]}
  - {name: b, columns: [{name: n, data_tests: [unique]}, {name: id, constraints: [{type: primary_key}]}], deprecation_date: 2099-01-01}
  - {name: c, columns: [{name: id, data_tests: [{unique: {config: {enabled: false}}}]}]}
""")
    p.run("parse")
    equal({k.split(".")[2]: n["primary_key"] for k, n in manifest(p)["nodes"].items() if k.startswith("model.")},
          {"a": ["id"], "b": ["id"], "c": ["id"], "d": []})


UNIT = "unit_tests: [{name: u, model: m, given: [{input: \"ref('a')\", %s}], expect: {rows: [{id: 1}]}%s}]"


def tested(p, given, more="", model="select id from {{ ref('a') }}"):
    p.file("models/a.sql", "select 2 as id")
    p.file("models/m.sql", model)
    p.file("models/u.yml", UNIT % (given, more))


@case
def rows_of_unit_tests_are_dicts_csv_sql_or_fixture_files(p):
    for given in ["rows: [{id: 1}]", "format: csv, rows: \"id\\n1\"", "format: sql, rows: 'select 1 as id'", "format: csv, fixture: f", "format: sql, fixture: g"]:
        p.file("tests/fixtures/deep/f.csv", "id\n1\n")
        p.file("tests/fixtures/g.sql", "select 1 as id\n")
        tested(p, given)
        has(p.run("build"), "PASS=3")
    p.file("tests/fixtures/f.csv", "id\n1\n")
    has(p.run("parse", status=2), 'dbt found two fixtures with the name "f".')


@case
def the_row_without_a_null_comes_first_and_the_manifest_has_the_rows(p):
    tested(p, "format: csv, rows: \"id,b\\n,x\\n1,y\"")
    p.run("parse")
    equal(manifest(p)["unit_tests"]["unit_test.p.m.u"]["given"][0]["rows"], [{"id": "1", "b": "y"}, {"id": None, "b": "x"}])


@case
def an_input_without_rows_is_a_seed(p):
    p.file("seeds/s.csv", "id\n1\n")
    p.file("models/m.sql", "select id from {{ ref('s') }}")
    p.file("models/u.yml", "unit_tests: [{name: u, model: m, given: [{input: ref('s')}], expect: {rows: [{id: 1}]}}]")
    has(p.run("build"), "PASS=3")
    p.file("models/u.yml", "unit_tests: [{name: u, model: m, given: [{input: ref('t')}], expect: {rows: [{id: 1}]}}]")
    has(p.run("parse", status=2), "Parsing Error\n  Unable to find seed 'p.t' for unit tests in directories: ['seeds']")


@case
def what_is_no_unit_test_is_told(p):
    for given, more, model, words in [
            ("format: xxxx, rows: []", "", "", "Invalid unit_tests config given in models/u.yml"),
            ("format: csv, rows: []", "", "", "Unit test u has input rows or fixtures which do not match format csv.  Expected string."),
            ("rows: 'id'", "", "", "Unit test u has input rows which do not match format dict"),
            ("format: csv, fixture: none", "", "", "File not found for fixture 'none' in unit tests in models/u.yml"),
            ("rows: []", ", versions: {include: [1]}", "", "should not have a versions include or exclude when referencing non-versioned model 'm'"),
            ("rows: []", ", versions: {include: [1], exclude: [2]}", "", "Unit tests can not both include and exclude versions."),
            ("rows: []", "", "select id from {{ ref('a') }} {% if is_incremental() %} where id > 1 {% endif %}",
             "Boolean override for 'is_incremental' must be provided for unit test 'u' in model 'm'"),
            ("rows: []", ", overrides: {macros: {is_incremental: true}}", "select id from {{ ref('a') }} {% if is_incremental() %} where id > 1 {% endif %}",
             "Unit test 'u' for incremental model 'm' must have a 'this' input")]:
        tested(p, given, more, model or "select id from {{ ref('a') }}")
        has(p.run("parse", status=2), words)
    p.file("models/u.yml", "unit_tests: [{name: u, model: gone, given: [], expect: {rows: []}}]")
    has(p.run("parse", status=2), "Unable to find model 'p.gone' for unit test 'u' in models/u.yml")
    p.file("models/m.sql", "select id from {{ ref('a') }}")
    p.file("models/u.yml", "unit_tests: [{name: u, model: m, given: [{input: ref('gone'), rows: []}], expect: {rows: []}}]")
    has(p.run("test", status=1), "Unit test 'u' had an input (ref('gone')) which was not found in the manifest.")
    p.file("models/u.yml", "unit_tests: [{name: u, model: m, given: [{input: \"ref('a', revision=1)\", rows: []}], expect: {rows: []}}]")
    has(p.run("test", status=1), "Unit test given inputs must be either a 'ref', 'source' or 'this' call.")


@case
def a_versioned_model_has_a_unit_test_for_each_version(p):
    for v in "12":
        p.file(f"models/m_v{v}.sql", "select 1 as id")
    p.file("models/s.yml", "models: [{name: m, versions: [{v: 1}, {v: 2}]}]")
    entry = "unit_tests: [{name: u, model: m, given: [], expect: {rows: [{id: 1}]}%s}]"
    for more, ids in [("", ["unit_test.p.m.u_v1", "unit_test.p.m.u_v2"]), (", versions: {include: [2]}", ["unit_test.p.m.u_v2"]),
                      (", versions: {exclude: [2]}", ["unit_test.p.m.u_v1"])]:
        p.file("models/u.yml", entry % more)
        p.run("build")
        equal(sorted(manifest(p)["unit_tests"]), ids)
    p.file("models/u.yml", entry % ", versions: {include: [3]}")
    has(p.run("parse", status=2), "Unit test 'u' referenced a version of 'm' which was not found.")


@case
def a_changed_fixture_file_is_a_modified_unit_test(p):
    p.file("tests/fixtures/f.csv", "id\n1\n")
    tested(p, "format: csv, fixture: f")
    p.run("build")
    (p.dir / "target").rename(p.dir / "state")
    equal(p.run("ls", "--quiet", "-s", "state:modified", "--state", "state"), "")
    p.file("tests/fixtures/f.csv", "id\n2\n")
    has(p.run("ls", "--quiet", "-s", "state:modified", "--state", "state"), "unit_test:p.u")


SNAP = "{% snapshot s %}{{ config(strategy='check', unique_key='a', check_cols='all') }} select 1 as a {% endsnapshot %}"
MODEL = ("models/m.sql", "select 1 as id, 2 as c")


@case
def configs_that_cannot_be_are_refused_in_dbts_words(p):
    head = "name: p\nprofile: p\n"
    for files, words in [
            ([("dbt_project.yml", head + "seeds: {materialized: table}\n"), ("seeds/s.csv", "a\n1\n")], "A seed must have a materialized value of 'seed'"),
            ([("dbt_project.yml", head + "snapshots: {materialized: table}\n"), ("snapshots/s.sql", SNAP)], "A snapshot must have a materialized value of 'snapshot'"),
            ([("dbt_project.yml", head + "data_tests: {materialized: table}\n"), ("tests/t.sql", "select 1")], "A test must have a materialized value of 'test'"),
            ([("models/m.sql", "{{ config(docs={'node_color': '#xxx111'}) }} select 1 as id")], "Invalid color name for docs.node_color: #xxx111. It is neither"),
            ([MODEL, ("models/s.yml", "models: [{name: m, config: {enabled: 'True and False'}}]")], "at path ['enabled']: 'True and False' is not of type 'boolean'"),
            ([MODEL, ("models/s.yml", "models: [{name: m, config: {freshness: {build_after: {count: 1}}}}]")], "must have a value for `period` if a `count` is provided"),
            ([MODEL, ("models/s.yml", "models: [{name: m, config: {contract: {enforced: true}}}]")], "Constraints must be defined in a `yml` schema configuration file"),
            ([("models/m.sql", "{{ config(materialized='incremental') }} select 1 as id"), ("models/s.yml", "models: [{name: m, config: {contract: {enforced: true}}, columns: [{name: id, data_type: int}]}]")],
             "Invalid value for on_schema_change: ignore. Models materialized as incremental"),
            ([("models/a/m.sql", "{{ config(enabled=false) }} select 1 as id"), ("models/b/m.sql", "{{ config(enabled=false) }} select 1 as id"), ("models/s.yml", "models: [{name: m, config: {enabled: true}}]")],
             "Found 2 matching disabled nodes for model 'm'."),
            ([MODEL, ("models/s.yml", "models: {name: m}")], "Parsing Error\n  The schema file at models/s.yml is invalid because the value of 'models' is not a list"),
            ([MODEL, ("models/s.yml", "models: [{name: m, data_tests: [{unique: {severity: warn, config: {severity: error}}}]}]")],
             "Compilation Error\n  Invalid generic test configuration given in models/s.yml: \n  Test cannot have the same key at the top-level and in config"),
            ([MODEL, ("models/s.yml", "sources: [{name: s, config: {loaded_at_field: x, loaded_at_query: y}, tables: [{name: a}]}]")],
             "Cannot specify both loaded_at_field and loaded_at_query at source level.")]:
        with_files = type(p)(p.dir / str(abs(hash(words))))
        for name, text in files:
            with_files.file(name, text)
        has(with_files.run("parse", status=2), words)
    p.file(*MODEL)
    p.file("models/s.yml", "models: [{name: m, config: {contract: {enforced: true}}, columns: [{name: id, data_type: int}, {name: c}]}]")
    has(p.run("run", status=1), "data_type are defined within the YAML configuration for the ['c'] column(s).")


@case
def old_models_and_who_refers_to_them_are_told(p):
    p.file("models/m.sql", "select 1 as id")
    p.file("models/n.sql", "select * from {{ ref('m') }}")
    p.file("models/s.yml", "models: [{name: m, deprecation_date: 2020-01-01}]")
    out = p.run("run")
    has(out, "[WARNING]: Model m has passed its deprecation date of 2020-01-01T00:00:00+00:00. This model should be disabled or removed.")
    has(out, "While compiling 'n': Found a reference to m, which was deprecated on '2020-01-01T00:00:00+00:00'.")
    equal(manifest(p)["nodes"]["model.p.m"]["deprecation_date"], "2020-01-01T00:00:00+00:00")
    has(p.run("run", "--warn-error-options", "{error: [DeprecatedModel]}", status=2), "Model m has passed")
    lacks(p.run("run", "--warn-error-options", "{silence: [DeprecatedModel]}"), "has passed")
    p.file("models/s.yml", "models: [{name: m, deprecation_date: 2999-01-01}]")
    has(p.run("run"), "Found a reference to m, which is slated for deprecation on")


@case
def freshness_without_a_column_and_constraints_of_views_are_warned_of(p):
    p.file("models/m.sql", "select 1 as id")
    p.file("models/s.yml", "sources: [{name: s, freshness: {warn_after: {count: 1, period: day}}, tables: [{name: a}]}]\n"
           "models: [{name: m, config: {contract: {enforced: true}}, columns: [{name: id, data_type: int, constraints: [{type: not_null}]}]}]")
    out = p.run("run")
    has(out, "A loaded_at_field must be specified for source 's.a'.")
    has(out, "Constraint types are not supported for view materializations")


@case
def what_a_table_says_of_loaded_at_takes_the_sources_query_away(p):
    p.file("models/s.yml", "sources: [{name: s, config: {loaded_at_query: select 1}, tables: [{name: a, config: {loaded_at_field: t}}, {name: b}, {name: c, loaded_at_field: null}]}]")
    p.run("parse")
    found = {k.split(".")[3]: (n["loaded_at_field"], n["loaded_at_query"]) for k, n in manifest(p)["sources"].items()}
    equal(found, {"a": ("t", None), "b": (None, "select 1"), "c": (None, None)})


@case
def grants_of_several_calls_and_files_add_up(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\nmodels: {p: {+grants: {my_select: [a]}}}\n")
    p.file("models/s.yml", "models: [{name: m, config: {grants: {+my_select: [b]}}}]")
    p.file("models/m.sql", "{{ config(grants={'+my_select': ['c']}) }}{{ config(grants={'+my_select': 'd'}) }} select 1 as id")
    p.run("parse")
    equal(manifest(p)["nodes"]["model.p.m"]["config"]["grants"], {"my_select": ["a", "b", "c", "d"]})


@case
def vars_yml_is_seen_in_the_project_file_and_what_was_written_is_kept(p):
    p.file("vars.yml", "vars: {v: told}\n")
    p.file("dbt_project.yml", "name: p\nprofile: p\nmodels: {+meta: {x: \"{{ var('v') }}\", y: \"{{ target.name == 'other' | as_bool }}\"}}\n")
    p.file("models/m.sql", "select 1 as id")
    p.file("models/s.yml", "models: [{name: m, config: {alias: \"{{ var('v') }}\"}}]")
    p.run("parse")
    node = manifest(p)["nodes"]["model.p.m"]
    equal((node["config"]["meta"], node["alias"], node["unrendered_config"]["alias"]), ({"x": "told", "y": False}, "told", "{{ var('v') }}"))


@case
def selectors_are_found_by_wildcards_and_put_the_other_options_aside(p):
    for name in "abc":
        p.file(f"models/{name}.sql", "select 1 as id")
    p.file("selectors.yml", "selectors:\n" + "".join(f"  - {{name: {n}_one, definition: '{n}'}}\n" for n in "ab") + "  - {name: both, definition: {method: selector, value: '?_one'}}\n")
    equal(p.run("ls", "--quiet", "-s", "selector:[ab]_one"), "p.a\np.b\n")
    equal(p.run("ls", "--quiet", "--selector", "both"), "p.a\np.b\n")
    has(p.run("ls", "-s", "selector:x*", status=2), "Could not find selector named x*")
    has(p.run("run", "--selector", "a_one", "-s", "c"), "The --select and --exclude arguments are being ignored for node selection because --selector is provided")


@case
def what_is_given_twice_is_told(p):
    p.file("macros/m.sql", "{% macro m() %}{% endmacro %}")
    p.file("macros/n.sql", "{% macro m() %}{% endmacro %}")
    has(p.run("parse", status=2), 'dbt found multiple macros named "m" in the project "p"')
    p.file("macros/n.sql", "")
    for name in "ab":
        p.file(f"models/{name}.yml", "sources: [{name: s, overrides: q, tables: [{name: t}]}]")
    has(p.run("parse", status=2), "dbt found two schema.yml entries for the same source named s in package q.")


@case
def a_group_takes_the_config_of_models_of_its_folder(p):
    """As with dbt: meta adds up, other keys of the nearest folder win, hooks are left out."""
    p.file("dbt_project.yml", """name: p
profile: p
models:
  +meta: {top: 1, both: project}
  p:
    +tags: [x]
    sub: {+meta: {sub: 1}, +tags: [y], +pre-hook: select 1, g2: {+schema: q}}
""")
    p.file("models/g.yml", "groups: [{name: g0, owner: {name: me}}]\n")
    p.file("models/sub/g.yml", "groups:\n- {name: g1, owner: {name: me}, config: {meta: {both: group}, other: 3}}\n- {name: g2, owner: {name: me}}\n")
    p.run("parse")
    groups = manifest(p)["groups"]
    equal({k.split(".")[-1]: v["config"] for k, v in groups.items()}, {
        "g0": {"meta": {"top": 1, "both": "project"}, "tags": ["x"]},
        "g1": {"meta": {"top": 1, "both": "group", "sub": 1}, "tags": ["y"], "other": 3},
        "g2": {"meta": {"top": 1, "both": "project", "sub": 1}, "tags": ["y"], "schema": "q"}})


@case
def a_seed_tells_the_whole_path_of_its_project(p):
    p.file("seeds/s.csv", "id\n1\n")
    p.run("parse")
    equal(manifest(p)["nodes"]["seed.p.s"]["root_path"], os.path.realpath(p.dir))


if __name__ == "__main__":
    main()
