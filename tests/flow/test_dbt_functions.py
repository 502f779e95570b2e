"""Functions of the database: files, YAML, order, artifacts, and what calling them gives; words and places in artifacts are dbt's."""
import json, sys

from dbt_flow import case, equal, has, lacks, main

YAML = """functions:
  - name: double_it
    description: Doubles a number
    arguments:
      - {name: value, data_type: float, description: A number}
    returns: {data_type: float}
"""
MODEL = "select {{ function('double_it') }}(2) as a"


def manifest(p):
    return json.loads((p.dir / "target/manifest.json").read_text())


def shown(p, sql):
    out = p.run("show", "--inline", sql, "--output", "json", "-q")
    return json.loads(out[out.index("{"):])["show"]


def project(p):
    p.file("functions/double_it.sql", "SELECT value * 2;")
    p.file("functions/f.yml", YAML)
    p.file("models/m.sql", MODEL)


@case
def a_function_is_made_before_the_model_that_calls_it(p):
    project(p)
    out = p.run("build")
    has(out, "Found 1 model, ")
    has(out, ", 1 function\n")
    has(out, "1 of 2 START function main.double_it ")
    has(out, "1 of 2 OK created function main.double_it ")
    has(out, "[SUCCESS in ")
    has(out, "Finished running 1 function, 1 view model in ")
    equal(shown(p, "select * from {{ ref('m') }}"), [{"a": 4.0}])
    equal(shown(p, "select typeof({{ function('p', 'double_it') }}(3)) as t"), [{"t": "FLOAT"}])


@case
def the_manifest_has_it_as_dbt_writes_it(p):
    project(p)
    p.run("compile")
    made = manifest(p)
    f = made["functions"]["function.p.double_it"]
    equal(f["arguments"], [{"name": "value", "data_type": "float", "description": "A number", "default_value": None}])
    equal(f["returns"], {"data_type": "float", "description": None})
    equal([f["language"], f["overloads"], f["relation_name"], f["config"]["type"], f["config"]["volatility"], f["compiled_code"]],
          ["sql", [], '"p"."main"."double_it"', "scalar", None, "SELECT value * 2;"])
    m = made["nodes"]["model.p.m"]
    equal([m["functions"], m["depends_on"]["nodes"]], [[["double_it"]], ["function.p.double_it"]])
    equal(made["child_map"]["function.p.double_it"], ["model.p.m"])


@case
def run_leaves_functions_to_build_and_types_are_chosen(p):
    project(p)
    equal(p.run("ls", "-q").split(), ["p.double_it", "p.m"])
    equal(p.run("ls", "-q", "--resource-type", "function").split(), ["p.double_it"])
    equal(p.run("ls", "-q", "--select", "double_it+").split(), ["p.double_it", "p.m"])
    has(p.run("build", "--resource-type", "function"), "PASS=1 ")
    has(p.run("build", "--exclude-resource-type", "function"), "PASS=1 ")
    lacks(p.run("run"), "double_it")


@case
def refs_inside_of_a_function_and_its_own_schema(p):
    p.file("models/numbers.sql", "select 1 as n union all select 2")
    p.file("functions/total.sql", "select sum(n) from {{ ref('numbers') }}")
    p.file("functions/f.yml", "functions: [{name: total, returns: {data_type: integer}}]\n")
    p.file("dbt_project.yml", "name: p\nprofile: p\nfunctions: {+schema: udfs}\non-run-end: \"{% do log('in ' ~ schemas | sort | join(','), info=true) %}\"\n")
    has(p.run("build"), "in main,main_udfs")
    equal(shown(p, "select {{ function('total') }}() as t"), [{"t": 3}])


@case
def defaults_and_aggregates(p):
    p.file("functions/plus.sql", "select a + b")
    p.file("functions/twice.sql", "select sum(x) * 2")
    p.file("functions/f.yml", """functions:
  - name: plus
    arguments: [{name: a, data_type: integer}, {name: b, data_type: integer, default_value: 10}]
    returns: {data_type: integer}
  - name: twice
    config: {type: aggregate}
    arguments: [{name: x, data_type: integer}]
    returns: {data_type: integer}
""")
    p.run("build")
    equal(shown(p, "select {{ function('plus') }}(1) as a, {{ function('plus') }}(1, b := 2) as b, {{ function('twice') }}(x) as c from (values (1), (2)) t(x)"),
          [{"a": 11, "b": 3, "c": 6}])


OVERLOADS = YAML + """    overloads:
      - defined_in: twice_text
        arguments: [{name: value, data_type: varchar}, {name: gap, data_type: varchar}]
        returns: {data_type: varchar}
"""


@case
def overloads_are_one_node_and_all_can_be_called(p):
    project(p)
    p.file("functions/helper.sql", "select x || x")
    p.file("functions/h.yml", "functions: [{name: helper, arguments: [{name: x, data_type: varchar}], returns: {data_type: varchar}}]\n")
    p.file("functions/twice_text.sql", "select {{ function('helper') }}(value) || gap")
    p.file("functions/f.yml", OVERLOADS)
    out = p.run("build")
    has(out, "Overload 1 of 1 OK created function double_it overload twice_text ")
    made = manifest(p)["functions"]
    equal(sorted(made), ["function.p.double_it", "function.p.helper"])
    f = made["function.p.double_it"]
    equal(f["depends_on"]["nodes"], ["function.p.helper"])
    equal(f["overloads"][0]["raw_body"], "select {{ function('helper') }}(value) || gap")
    equal(f["overloads"][0]["compiled_body"], 'select "p"."main"."helper"(value) || gap')
    equal(shown(p, "select {{ function('double_it') }}(2) as a, {{ function('double_it') }}('x', '-') as b"), [{"a": 4.0, "b": "xx-"}])


@case
def an_overload_that_fails_is_tried_again_by_retry(p):
    project(p)
    p.file("functions/f.yml", OVERLOADS)
    p.file("functions/twice_text.sql", "select value || not_there")
    out = p.run("build", status=1)
    has(out, "ERROR creating function double_it overload twice_text: ")
    has(out, "OK created function main.double_it ")
    has(out, "[PARTIAL SUCCESS in ")
    has(out, "1 partial success")
    found = json.loads((p.dir / "target/run_results.json").read_text())["results"][0]
    equal([found["status"], found["overload_results"]], ["partial success", {"successful": [], "failed": ["twice_text"]}])
    p.file("functions/twice_text.sql", "select value || gap")
    p.run("retry")
    equal(shown(p, "select {{ function('double_it') }}('x', '-') as b"), [{"b": "x-"}])


@case
def state_sees_the_body_of_an_overload(p):
    project(p)
    p.file("functions/f.yml", OVERLOADS)
    p.file("functions/twice_text.sql", "select value || gap")
    p.run("parse", "--target-path", "before")
    lacks(p.run("ls", "-q", "--select", "state:modified", "--state", "before"), "double_it")
    p.file("functions/twice_text.sql", "select gap || value")
    equal(p.run("ls", "-q", "--select", "state:modified", "--state", "before").split(), ["p.double_it"])


@case
def python_is_parsed_and_needs_a_macro_to_run(p):
    p.file("functions/py.py", "def entry(x):\n    return {{ 1 + 1 }} * x\n")
    p.file("functions/f.yml", "functions: [{name: py, config: {runtime_version: '3.11', entry_point: entry, packages: [a]}, returns: {data_type: float}}]\n")
    p.run("compile")
    f = manifest(p)["functions"]["function.p.py"]
    equal([f["language"], f["config"]["packages"], f["compiled_code"]], ["python", ["a"], "def entry(x):\n    return 2 * x"])
    has(p.run("build", status=1), "No macro named 'scalar_function_python' found within namespace: 'dbt'")


REFUSED = [
    ({"functions/f.yml": YAML.replace("    returns: {data_type: float}\n", "")}, "Invalid functions config given in functions/f.yml"),
    ({"functions/f.yml": YAML.replace("A number}", "A number, default_value: 1}\n      - {name: b, data_type: float}")},
     "Non-defaulted argument 'b' of function 'double_it' comes after a defaulted argument."),
    ({"functions/f.yml": OVERLOADS}, "Function overload 'twice_text' (defined_in) not found. Expected a SQL file at functions/twice_text.sql"),
    ({"functions/f.yml": OVERLOADS.replace("twice_text", "double_it")}, "Function 'double_it' cannot list itself in overloads"),
    ({"functions/js.js": "return 1;"}, "Function 'js' uses JavaScript, which is not supported on 'duckdb'."),
    ({"models/m.sql": "select {{ function('gone') }}(1)"}, "Model 'model.p.m' (models/m.sql) depends on a function named 'gone' which was not found"),
]


@case
def what_is_refused(p):
    for files, words in REFUSED:
        project(p)
        for name, text in files.items():
            p.file(name, text)
        has(p.run("parse", status=2), words)
        for name in files:
            (p.dir / name).unlink()


if __name__ == "__main__":
    sys.exit(main())
