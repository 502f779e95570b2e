"""What becomes of a project's files when it is loaded: keys of models, unit tests in all their forms, names that are given twice; dbt's words."""
import json

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


if __name__ == "__main__":
    main()
