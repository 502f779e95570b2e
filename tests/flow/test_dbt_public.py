"""What public packages and projects ask of dbt and a small project of one's own does not: each case is the smallest form of what one of them does."""
import hashlib, json, sys

from dbt_flow import case, equal, has, main


def compiled(p, name):
    return (p.dir / "target/compiled/p" / name).read_text().strip()


def manifest(p):
    p.run("parse")
    return json.loads((p.dir / "target/manifest.json").read_text())


@case
def variables_are_templates(p):
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nvars: {size: \"{{ 5 if target.type in ['snowflake'] else 20 }}\", twice: \"{{ var('size') }}0\", "
           "loop: \"{{ var('loop') }}\"}\n")
    p.file("macros/m.sql", "{% macro batches(n=var('size') | int) %}{{ 100 / n }}{% endmacro %}")
    p.file("models/m.sql", "{{ config(post_hook='select {{ batches() }}') }} select {{ var('size') | int + 1 }} as a, {{ batches() }} as b, {{ var('twice') }} as c")
    p.run("build")
    has(compiled(p, "models/m.sql"), "select 21 as a, 5.0 as b, 200 as c")
    p.file("models/m.sql", "select '{{ var(\"loop\") }}' as a")
    out = p.run("build", status=2)
    has(out, "templates are nested too deep")
    has(out, "<var loop>")


@case
def macros_keep_values_in_the_context(p):
    p.file("macros/m.sql", """{% macro put(k, v) %}{% set kept = context.get('__KEPT__', {}) %}{% do kept.update({k: v}) %}{% do context.update({'__KEPT__': kept}) %}{% endmacro %}
{% macro take(k) %}{% do return(context.get('__KEPT__', {}).get(k, 'none')) %}{% endmacro %}""")
    p.file("models/m.sql", "{% do put('a', 7) %}{% do put('b', 8) %}{% do context.update(word='said') %}select {{ take('a') }} as a, {{ take('b') }} as b, "
           "'{{ take('c') }}' as c, '{{ context['word'] }}' as d, '{{ context.setdefault('word', 'x') ~ context.setdefault('other', 'y') ~ context.other }}' as e")
    p.file("models/n.sql", "select '{{ take('a') }}' as a")
    p.run("build")
    equal(compiled(p, "models/m.sql"), "select 7 as a, 8 as b, 'none' as c, 'said' as d, 'saidyy' as e")
    equal(compiled(p, "models/n.sql"), "select 'none' as a")  # of one node only


UNIT = """unit_tests:
  - {name: t_one, model: m, given: [], overrides: {macros: {p.secret: 5}}, expect: {rows: [{a: 5}]}}
  - {name: t_dbt, model: d, given: [], overrides: {macros: {dbt.current_timestamp: 6}}, expect: {rows: [{a: 6, b: 6}]}}
  - {name: t_bare, model: d, given: [], overrides: {macros: {current_timestamp: 7}}, expect: {rows: [{a: 7, b: 7}]}}
"""


@case
def unit_tests_override_macros_of_packages(p):
    p.file("macros/m.sql", "{% macro secret() %}{% if execute %}{{ exceptions.raise_compiler_error('called') }}{% endif %}{% endmacro %}{% macro through() %}{{ p.secret() }}{% endmacro %}")
    p.file("models/m.sql", "select {{ through() }} as a")
    p.file("models/d.sql", "select {{ dbt.current_timestamp() }} as a, {{ current_timestamp() }} as b")
    p.file("models/u.yml", UNIT)
    p.run("test")
    equal(p.results(), {"m": "pass", "d": "pass"})


@case
def after_a_failed_unit_test_the_others_of_its_model_are_skipped_in_a_build(p):
    p.file("models/m.sql", "select 1 as a")
    p.file("models/n.sql", "select 1 as a")
    p.file("models/u.yml", "unit_tests:\n" + "".join(f"  - {{name: {m}{i}, model: {m}, given: [], expect: {{rows: [{{a: 2}}]}}}}\n" for m in "mn" for i in range(4)))
    out = p.run("build", "--threads", "4", status=1)
    has(out, "PASS=0 WARN=0 ERROR=2 SKIP=8 NO-OP=0")
    has(p.run("test", "--threads", "4", status=1), "PASS=0 WARN=0 ERROR=8 SKIP=0")


@case
def macros_depend_on_what_they_dispatch_to_and_on_methods_called_like_macros(p):
    p.file("macros/m.sql", """{% macro a(x) %}{{ return(adapter.dispatch('b', macro_namespace='p')(x)) }}{% endmacro %}
{% macro b(x) %}{{ adapter.dispatch('b')(x) }}{% endmacro %}{% macro default__b(x) %}{# {{ a() }} #}{{ x.replace('a', 'b') }}{{ x.upper().split() }}{% endmacro %}
{% macro again(n=a(1)) %}{{ again() if n else adapter.dispatch('default__b', 'p')(n) }}{% endmacro %}""")
    macros = manifest(p)["macros"]
    depends = {m: sorted(macros["macro.p." + m]["depends_on"]["macros"]) for m in ("a", "b", "default__b", "again")}
    equal(depends, {"a": ["macro.p.b", "macro.p.default__b"], "b": ["macro.p.default__b"], "default__b": ["macro.dbt.replace"],
                    "again": ["macro.p.a", "macro.p.default__b"]})


@case
def a_package_describes_what_takes_the_place_of_its_own(p):
    p.file("packages.yml", "packages:\n  - {local: other}\n")
    p.file("other/dbt_project.yml", "name: other\nversion: '1.0'\n")
    p.file("other/seeds/exceptions.csv", "id\n1\n")
    p.file("other/seeds/s.yml", "seeds:\n  - name: exceptions\n    description: what is not told\n    config: {column_types: {id: varchar}}\n")
    p.file("seeds/exceptions.csv", "id\n2\n3\n")
    p.file("models/m.sql", "select typeof(id) as t from {{ ref('exceptions') }}")
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nseeds: {other: {+enabled: false}}\n")
    p.run("deps")
    seed = manifest(p)["nodes"]["seed.p.exceptions"]
    equal([seed["description"], seed["patch_path"], seed["config"]["column_types"]], ["what is not told", "other://seeds/s.yml", {"id": "varchar"}])
    p.file("seeds/own.yml", "seeds:\n  - {name: exceptions, description: mine}\n")
    out = p.run("parse", status=2)
    has(out, "dbt found two schema.yml entries for the same resource named exceptions")
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\n")  # now the package has its own
    p.file("other/dbt_project.yml", "name: other\nversion: '1.0'\nseeds: {+schema: other}\n")
    seeds = manifest(p)["nodes"]
    equal([seeds["seed.p.exceptions"]["description"], seeds["seed.other.exceptions"]["description"]], ["mine", "what is not told"])


@case
def unit_tests_and_seeds_have_the_keys_of_their_classes_in_the_manifest(p):
    p.file("seeds/s.csv", "id\n1\n")
    p.file("models/a.sql", "select 1 as id, 'x' as b")
    p.file("models/m.sql", "select * from {{ ref('a') }}")
    p.file("models/g.yml", "groups:\n  - {name: g, owner: {email: x@y}}\n")
    p.file("tests/fixtures/f.csv", "id,b\n2,y\n")
    p.file("models/u.yml", """unit_tests:
  - name: t
    model: m
    given: [{input: ref('a'), format: csv, fixture: f}]
    expect: {rows: [{id: 2, b: 'y'}]}
    overrides: {vars: {k: null}}
""")
    p.run("build")
    found = json.loads((p.dir / "target/manifest.json").read_text())
    test = found["unit_tests"]["unit_test.p.m.t"]
    equal(set(test), {"model", "given", "expect", "name", "resource_type", "package_name", "path", "original_file_path", "unique_id", "fqn", "description", "overrides",
                      "depends_on", "config", "checksum", "schema", "created_at", "versions", "version"})
    equal([test["overrides"], test["schema"], test["version"], test["versions"]], [{"macros": {}, "vars": {"k": None}, "env_vars": {}}, "main", None, None])
    rows = "[{'id': '2', 'b': 'y'}]"
    text = ("m-None-[UnitTestInputFixture(input=\"ref('a')\", rows=%s, format=<UnitTestFormat.CSV: 'csv'>, fixture='f')]-"
            "UnitTestOutputFixture(rows=[{'id': 2, 'b': 'y'}], format=<UnitTestFormat.Dict: 'dict'>, fixture=None)-"
            "UnitTestOverrides(macros={}, vars={'k': None}, env_vars={})-%s" % (rows, rows))
    equal(test["checksum"], hashlib.sha256(text.encode()).hexdigest())
    equal(found["nodes"]["seed.p.s"]["depends_on"], {"macros": []})
    equal([found["groups"]["group.p.g"][k] for k in ("owner", "config")], [{"email": "x@y", "name": None}, {"meta": {}}])
    (p.dir / "target/manifest.json").rename(p.dir / "old.json")
    (p.dir / "old").mkdir()
    (p.dir / "old.json").rename(p.dir / "old/manifest.json")
    has(p.run("ls", "--select", "state:modified", "--state", "old"), "No nodes selected!")


@case
def ephemeral_models_that_nothing_reads_and_hooks_are_compiled(p):
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\non-run-end: ['select {{ results | length }} as n', '{{ target.name if false }}']\n")
    p.file("models/a.sql", "{{ config(materialized='ephemeral') }} select 1 as id")
    p.file("models/b.sql", "{{ config(materialized='ephemeral') }} select * from {{ ref('a') }}")
    p.file("models/c.sql", "{{ config(materialized='ephemeral') }} {% if execute %}{{ run_query('select nope') }}{% endif %}")
    p.run("build")
    equal(compiled(p, "models/a.sql"), "select 1 as id")
    has(compiled(p, "models/b.sql"), "__dbt__cte__a as (")
    equal(compiled(p, "dbt_project.yml/hooks/p-on-run-end-0.sql"), "select 0 as n")
    equal((p.dir / "target/compiled/p/models/c.sql").exists(), False)


@case
def constraints_are_spelled_out(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/a.yml", "models:\n  - name: a\n    constraints: [{type: check, expression: id > 0}]\n    columns: [{name: id, data_type: int, constraints: [{type: not_null}]}]\n")
    node = manifest(p)["nodes"]["model.p.a"]
    rest = {"name": None, "warn_unenforced": True, "warn_unsupported": True, "to": None, "to_columns": []}
    equal(node["constraints"], [{"type": "check", "expression": "id > 0", "columns": [], **rest}])
    equal(node["columns"]["id"]["constraints"], [{"type": "not_null", "expression": None, **rest}])


@case
def a_model_has_no_sql_while_it_is_compiled(p):
    p.file("models/a.sql", "select '{{ sql }} {{ compiled_code is none }} {{ sql is defined }}' as a, {% set sql = 1 %}{{ sql }} as b")
    p.run("build")
    equal(compiled(p, "models/a.sql"), "select 'None True True' as a, 1 as b")


if __name__ == "__main__":
    sys.exit(main())
