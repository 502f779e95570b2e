"""--plan: what a run would do and why, before it does it; target/builds.json behind it."""
import json, sys

from dbt_flow import Asked, case, equal, has, main


class Project(Asked):
    def __init__(self, folder):
        super().__init__(folder)
        self.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nvars: {start: 1}\n")
        self.file("profiles.yml", "p:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: p.duckdb, threads: 2}\n    other: {type: duckdb, path: other.duckdb}\n")
        self.file("seeds/s.csv", "id\n1\n2\n")
        self.file("macros/m.sql", "{% macro inner() %}1{% endmacro %}{% macro outer() %}{{ inner() }}{% endmacro %}")
        self.file("models/a.sql", "select id from {{ ref('s') }}")
        self.file("models/e.sql", "{{ config(materialized='ephemeral') }} select id from {{ ref('a') }}")
        self.file("models/b.sql", "{{ config(materialized='table') }} select id + {{ outer() }} as id from {{ ref('e') }}")
        self.file("models/c.sql", "{{ config(materialized='incremental') }} select {{ var('start') }} as id, '{{ env_var('WHO', 'me') }}' as who")
        self.file("models/schema.yml", "models:\n  - name: b\n    columns: [{name: id, data_tests: [not_null]}]\n")

    def plan(self, *words, verb="build", env=None):
        doc = json.loads(self.run(verb, "--plan", "--output", "json", *words, env=env))
        self.doc = doc
        return {n["unique_id"].split(".")[2]: n for n in doc["nodes"]}

    def reasons(self, *words, **kw):
        return {name: n["reasons"] for name, n in self.plan(*words, **kw).items()}


SAME = {"s": ["unchanged"], "a": ["unchanged"], "b": ["unchanged"], "c": ["unchanged"], "not_null_b_id": ["unchanged"]}


@case
def before_anything_was_built(p):
    plan = p.plan()
    equal({n: (x["action"], x["exists"]) for n, x in plan.items()},
          {"s": ("create and load", False), "a": ("create view", False), "b": ("create table", False), "c": ("create table", False), "not_null_b_id": ("test", None)})
    equal(plan["a"]["reasons"], ["never_built", "upstream_changed", "missing_relation"])
    equal(plan["b"]["upstream_changed"], ["model.p.a"])
    equal((p.doc["seconds"], p.doc["never_run"], p.doc["threads"]), (None, 5, 2))
    equal(sorted(x.name for x in p.dir.iterdir() if x.is_file()), ["dbt_project.yml", "profiles.yml"])  # no database was made
    assert not (p.dir / "target").exists()


@case
def nothing_changed(p):
    p.run("build")
    equal(p.reasons(), SAME)
    equal({n: x["action"] for n, x in p.plan().items()}, {"s": "load rows", "a": "replace view", "b": "replace table", "c": "add to table", "not_null_b_id": "test"})
    assert p.doc["seconds"] > 0 and all(x["last_seconds"] is not None and x["last_built_at"] for x in p.doc["nodes"])
    order = {x["unique_id"].split(".")[2]: x["starts_after"] for x in p.doc["nodes"]}
    assert order["s"] == 0 and order["s"] < order["a"] < order["b"] < order["not_null_b_id"], order
    has(p.run("build", "--plan"), "5 nodes, 0 of them new or changed, 2 threads; about ")


@case
def order_is_the_runs(p):
    """What became ready first starts first, in the plan as in the run: not what is first in the graph's order."""
    for name, body in {"k": "select 1 as id", "z": "select 1 as id", "a1": "select id from {{ ref('k') }}", "a2": "select id from {{ ref('a1') }}",
                       "y1": "select id from {{ ref('z') }}"}.items():
        p.file("models/%s.sql" % name, body)
    p.run("build", "--threads", "1")
    ran = [r["unique_id"] for r in json.loads((p.dir / "target/run_results.json").read_text())["results"]]
    p.plan("--threads", "1")
    equal([x["unique_id"] for x in sorted(p.doc["nodes"], key=lambda x: x["starts_after"])], ran)


@case
def each_kind_of_change(p):
    p.run("build")

    def changed(name, text, want, *words, env=None):
        path = p.dir / name
        before = path.read_text()
        path.write_text(text)
        equal(p.reasons(*words, env=env), {**SAME, **want})
        path.write_text(before)
        equal(p.reasons(), SAME)

    up = ["upstream_changed"]
    changed("seeds/s.csv", "id\n7\n", {"s": ["body"], "a": up, "b": up, "not_null_b_id": up})
    changed("models/a.sql", "select id + 0 as id from {{ ref('s') }}", {"a": ["body"], "b": up, "not_null_b_id": up})
    changed("macros/m.sql", "{% macro inner() %}2{% endmacro %}{% macro outer() %}{{ inner() }}{% endmacro %}", {"b": ["macros"], "not_null_b_id": up})
    changed("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nvars: {start: 2}\n", {"c": ["inputs"]})
    changed("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nvars: {start: 1}\nmodels: {p: {c: {+tags: [x]}}}\n", {"c": ["config"]})
    changed("models/schema.yml", "models:\n  - name: b\n    columns: [{name: id, data_tests: [{not_null: {where: 'true'}}]}]\n", {"not_null_b_id": ["body", "config"]})
    equal(p.reasons("--vars", "{start: 3}")["c"], ["inputs"])
    equal(p.reasons(env={"WHO": "you"})["c"], ["inputs"])
    equal(p.reasons("--full-refresh"), {**SAME, "s": ["full_refresh"], "c": ["full_refresh"]})
    equal(p.plan("--full-refresh")["c"]["action"], "replace table")


@case
def built_apart(p):
    p.run("build")
    p.run("run", "-s", "a")
    equal(p.reasons(), {**SAME, "b": ["upstream_changed"], "not_null_b_id": ["upstream_changed"]})
    p.run("build", "-s", "b+")
    equal(p.reasons(), SAME)
    p.file("models/b.sql", "{{ config(materialized='table') }} select null::int as id, 1/'x' as z")
    p.run("build", status=1)
    equal(p.reasons()["b"], ["body", "last_failed"])
    equal(p.reasons()["not_null_b_id"], ["upstream_changed", "last_failed"])


@case
def selection_is_named(p):
    plan = p.plan("-s", "+b", "tag:none", "c", "--exclude", "s")
    equal({n: x["selected_by"] for n, x in plan.items()}, {"a": ["+b"], "b": ["+b"], "c": ["c"], "not_null_b_id": ["+b"]})
    equal(set(p.plan(verb="test")), {"not_null_b_id"})
    equal(set(p.plan(verb="seed")), {"s"})
    equal(set(p.plan(verb="run")), {"a", "b", "c"})
    equal(p.plan("-s", "nix"), {})
    p.file("selectors.yml", "selectors: [{name: mine, definition: {method: fqn, value: c}}]\n")
    equal(p.plan("--selector", "mine")["c"]["selected_by"], ["selector:mine"])
    has(p.run("build", "--plan", "-s", "c"), "[by c]")


@case
def against_a_state(p):
    p.run("build", "--target-path", "before")
    p.file("models/a.sql", "select id * 1 as id from {{ ref('s') }}")
    p.file("models/new.sql", "select 1 as x")
    got = p.reasons("--state", "before", "-s", "state:modified+")
    equal(got, {"a": ["body"], "b": ["upstream_changed"], "new": ["new", "missing_relation"], "not_null_b_id": ["upstream_changed"]})


@case
def other_targets_and_damage(p):
    p.run("build")
    equal(p.reasons("-t", "other")["c"], ["never_built", "missing_relation"])
    p.run("build", "-t", "other")
    equal(p.reasons(), SAME)
    equal(p.reasons("-t", "other"), SAME)
    for text in ("", "{", "[]", '{"tarn_builds": 9}', '{"tarn_builds": 1, "targets": {"dev": 3}}'):
        p.file("target/builds.json", text)
        equal(p.reasons()["c"], ["never_built"])
    p.run("build")
    equal(p.reasons(), SAME)
    has(p.run("build", "--plan", "--output", "svg", status=2), "text or json")


@case
def a_lake(p):
    p.file("profiles.yml", "p:\n  target: dev\n  outputs:\n    dev: {type: tarn, lake: lake, schema: main, threads: 2}\n")
    equal(p.plan()["b"]["action"], "create table")
    p.run("build")
    equal(p.reasons(), SAME)
    equal(p.plan()["b"]["action"], "replace table")


if __name__ == "__main__":
    sys.exit(main(Project))
