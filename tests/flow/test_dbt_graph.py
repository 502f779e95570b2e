"""State that packages keep in `graph` over a run, and what they ask of ref.config and of results: what a user of such a package sees."""
import json, sys

from dbt_flow import case, equal, has, main

KEEP = """{% macro begin() %}
  {% do graph.setdefault("kept", {"seen": [], "relations": {}, "rows": []}) %}
{% endmacro %}
{% macro note(what) %}
  {% if execute %}{% do graph["kept"]["seen"].append(what) %}{% do graph.kept.relations.update({what: this}) %}
    {% do graph.kept.rows.append(run_query("select '" ~ what ~ "' as a, 2.50 as b").rows[0]) %}{% endif %}
{% endmacro %}
{% macro end() %}
  {% if execute %}
    {% do log("seen " ~ graph.kept.seen | sort | join(","), info=true) %}
    {% for name, relation in graph.kept.relations.items() | sort %}{% do log(name ~ " is " ~ relation ~ " " ~ relation.identifier, info=true) %}{% endfor %}
    {% for row in graph.kept.rows | sort(attribute="a") %}{% do log("row " ~ row.a ~ " " ~ row["b"], info=true) %}{% endfor %}
  {% endif %}
{% endmacro %}
"""
HOOKS = "name: p\nversion: '1.5'\nprofile: p\nvars: {x: 1}\non-run-start: '{{ begin() }}'\non-run-end: '{{ end() }}'\n"


@case
def what_nodes_put_into_graph_is_seen_at_the_end(p):
    p.file("dbt_project.yml", HOOKS)
    p.file("macros/m.sql", KEEP)
    names = [f"m{i}" for i in range(40)]
    for n in names:
        p.file(f"models/{n}.sql", "{{ note('%s') }}select 1 as a" % n)
    out = p.run("run", "--threads", "8")
    has(out, "seen " + ",".join(sorted(names)))
    has(out, 'm7 is "p"."main"."m7" m7')
    has(out, "row m39 2.50")


@case
def a_node_sees_what_its_parent_put(p):
    p.file("models/a.sql", "{% if execute %}{% do graph.update({'of_a': [1, {'deep': 'yes'}]}) %}{% endif %}select 1 as a")
    p.file("models/b.sql", "-- depends_on: {{ ref('a') }}\nselect '{{ graph.of_a[1].deep if execute }}' as b")
    p.run("run")
    has((p.dir / "target/compiled/p/models/b.sql").read_text(), "'yes'")


@case
def what_came_from_graph_is_put_back_as_itself(p):
    p.file("models/a.sql", "{% if execute %}{% do graph.update({'x': [[1], []]}) %}{% do graph.x[1].append(graph.x[0]) %}"
           "{% do graph.x[0].append(2) %}{% endif %}select '{{ graph.x }}' as a")
    p.run("run")
    has((p.dir / "target/compiled/p/models/a.sql").read_text(), "[[1, 2], [[1, 2]]]")


@case
def a_macro_cannot_outlive_its_node(p):
    p.file("macros/m.sql", "{% macro f() %}1{% endmacro %}")
    p.file("models/a.sql", "{% if execute %}{% do graph.update({'f': f}) %}{% endif %}select 1 as a")
    has(p.run("run", status=1), "cannot be kept for other nodes")


@case
def configuration_through_ref(p):
    p.file("dbt_project.yml", "name: p\nversion: '1.5'\nprofile: p\nvars: {x: 1}\n")
    p.file("models/a.sql", "{% set c = builtins.ref.config %}select '{{ c.project_name }} {{ c.version }} {{ c.dependencies['p'].version }} {{ c.vars.to_dict() | tojson }} "
           "{{ c.cli_vars | tojson }} {{ source.config.target_name }} {{ ref.config.model_paths[0] }}' as a")
    p.run("run", "--vars", "{y: 2}")
    has((p.dir / "target/compiled/p/models/a.sql").read_text(), "p 1.5 1.5 {\"x\": 1} {\"y\": 2} dev models")


@case
def results_are_objects(p):
    p.file("dbt_project.yml", "name: p\nversion: '1.5'\nprofile: p\non-run-end: '{{ end(results) }}'\n")
    p.file("macros/m.sql", "{% macro end(results) %}{% for r in results if execute %}{% do log(r.node.to_dict().name ~ ' ' ~ r.status ~ ' ' ~ r.to_dict()['node']['name'] ~ ' '"
           " ~ r.timing[0].to_dict().name ~ ' ' ~ r.node.compiled_code ~ ' ' ~ r.thread_id, info=true) %}{% endfor %}{% endmacro %}")
    p.file("models/a.sql", "select '{{ thread_id if execute }}' as a")
    has(p.run("run", "--threads", "1"), "a success a compile select 'Thread-1 (worker)' as a Thread-1 (worker)")


@case
def decimals_as_tuples(p):
    p.file("models/a.sql", "{% if execute %}{% set d = run_query('select -12.50::decimal(5,2) as d').rows[0][0] %}{% do log(d.as_tuple() ~ d.normalize().as_tuple()[2], info=true) %}"
           "{% endif %}select 1 as a")
    has(p.run("run"), "(1, (1, 2, 5, 0), -2)-1")


@case
def macros_that_nodes_call(p):
    p.file("macros/m.sql", """{% macro by_name() %}{{ adapter.dispatch(macro_namespace = 'p', macro_name = 'far')() }}{% endmacro %}
{% macro default__far() %}1{% endmacro %}
{% macro late() %}{{ default__far() }}{% endmacro %}
{% materialization own, default %}{{ late() }}{% call statement('main') %}select 1{% endcall %}{{ return({'relations': []}) }}{% endmaterialization %}""")
    p.file("models/a.sql", "{{ config(materialized='own') }}select {% if execute %}{{ late() }}{% endif %} as x")
    p.file("models/b.sql", "select 1 as x")
    p.file("models/b.yml", "models: [{name: b, columns: [{name: x, data_tests: [not_null]}]}]\n")

    def called(section, end):
        made = json.loads((p.dir / "target/manifest.json").read_text())
        return [m.split(".", 1)[1] for k, v in made[section].items() if k.startswith(end) for m in v["depends_on"]["macros"]]

    p.run("parse")
    equal(called("macros", "macro.p.by_name"), ["p.default__far"])
    equal(called("macros", "macro.p.materialization_own_default"), ["p.late", "dbt.statement"])
    equal(called("nodes", "model.p.a"), [])
    p.run("build")  # what runs is noted when it runs, the materialization of a test counting as its text
    equal(called("nodes", "model.p.a"), ["p.late"])
    equal(sorted(called("nodes", "test.p.not_null_b_x")),
          ["dbt.get_limit_subquery_sql", "dbt.get_where_subquery", "dbt.should_store_failures", "dbt.statement", "dbt.test_not_null"])


if __name__ == "__main__":
    sys.exit(main())
