"""What a user of dbt types and expects, in small projects made for each case: exit status, lines, what ran."""
import json, signal, subprocess, sys

from dbt_flow import TARN, Project, case, equal, has, lacks, main


@case
def missing_var_is_an_error_of_its_node(p):
    p.file("models/a.sql", "select '{{ var(\"x\") }}' as x")
    p.file("models/b.sql", "select 1 as b")
    has(p.run("ls"), "p.a")
    has(p.run("run", status=1), "Required var 'x' not found in config")
    equal(p.results(), {"a": "error", "b": "success"})


@case
def empty_model_is_listed_and_left_out(p):
    p.file("models/a.sql", "select 1 as a")
    p.file("models/none.sql", "  \n\n")
    has(p.run("ls"), "p.none")
    has(p.run("build"), "1 of 1 OK created sql view model main.a")


@case
def missing_generic_test_is_an_error_of_its_node(p):
    p.file("models/a.sql", "select 1 as a")
    p.file("models/s.yml", "models:\n  - name: a\n    columns: [{name: a, data_tests: [nonexist, unique]}]\n")
    out = p.run("build", status=1)
    has(out, "'test_nonexist' is undefined. This can happen when calling a macro that does not exist.")
    equal(p.results(), {"a": "success", "nonexist_a_a": "error", "unique_a_a": "pass"})


@case
def output_keys_in_one_word(p):
    p.file("models/a.sql", "select 1 as a")
    equal(json.loads(p.run("-q", "ls", "--output", "json", "--output-keys", "name resource_type")), {"name": "a", "resource_type": "model"})


@case
def wrong_usage(p):
    p.file("models/a.sql", "select 1 as a")
    p.run("run", "--threads", "0", status=2)
    p.run("run", "--log-format", "zz", status=2)
    p.run("run", "--log-level", "zz", status=2)
    p.run("run", "--vars", "", status=2)
    p.run("run", "--select", "a", "--models", "a", status=2)
    has(p.run("run", "--models", "a"), "PASS=1")


@case
def unknown_key_of_the_project_file(p):
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nmodles: {p: {+materialized: table}}\n")
    has(p.run("parse", status=2), "Additional properties are not allowed ('modles' was unexpected)")


@case
def print_is_silenced_by_no_print_only(p):
    p.file("models/a.sql", "{% do print('hello there') %}select 1 as a")
    lacks(p.run("run", "--no-print"), "hello there")
    has(p.run("run", "--quiet"), "hello there")
    lacks(p.run("run", "--log-level", "none"), "hello there")


@case
def private_macros_of_packages(p):
    """dbt_utils calls dbt_utils._is_relation and the like."""
    p.file("lib/dbt_project.yml", "name: lib\nversion: '1.0'\n")
    p.file("lib/macros/m.sql", "{% macro _secret() %}41 + 1{% endmacro %}{% macro open() %}{{ lib._secret() }}{% endmacro %}")
    p.file("packages.yml", "packages: [{local: lib}]\n")
    p.file("models/a.sql", "select {{ lib._secret() }} as a, {{ lib['_secret']() }} as b, {{ lib.open() }} as c")
    p.run("deps")
    equal(p.run("compile", "-q", "--select", "a").strip(), "select 41 + 1 as a, 41 + 1 as b, 41 + 1 as c")
    p.file("models/a.sql", "select {{ lib._nix() }} as a")
    has(p.run("run", status=1), "'MacroNamespace object' has no attribute '_nix'")


@case
def names_with_blanks_are_refused(p):
    p.file("models/sp ace.sql", "select 1 as a")
    has(p.run("parse", status=2), "Resource names cannot contain spaces")


@case
def warn_error(p):
    p.file("models/a.sql", "select 1 as a union all select 2")
    p.file("tests/some.sql", "{{ config(severity='warn') }} select * from {{ ref('a') }}")
    has(p.run("build"), "WARN 2 some")
    out = p.run("--warn-error", "build", status=1)
    has(out, "FAIL 2 some")
    has(out, "configured to fail if != 0")
    has(p.run("build", "--warn-error-options", "{error: all}", status=1), "FAIL 2 some")
    has(p.run("build", "--warn-error-options", "{error: [LogTestResult]}", status=1), "FAIL 2 some")
    has(p.run("build", "--warn-error-options", "{error: all, warn: [LogTestResult]}"), "WARN 2 some")
    p.run("run", "--warn-error", "--select", "nix", status=2)
    has(p.run("run", "--select", "nix"), "The selection criterion 'nix' does not match any enabled nodes")
    lacks(p.run("run", "--select", "nix", "--warn-error-options", "{silence: [NoNodesForSelectionCriteria]}"), "The selection criterion")
    p.file("models/b.sql", "{% if execute %}{% do exceptions.warn('beware') %}{% endif %}select 1 as b")
    has(p.run("run", "--warn-error", "--select", "b", status=1), "beware")
    p.run("run", "--warn-error-options", "{error: all, wran: [x]}", status=2)


@case
def quiet_shows_results_only(p):
    p.file("models/a.sql", "select 41 + 1 as a")
    equal(p.run("compile", "-q", "--select", "a").strip(), "select 41 + 1 as a")
    lacks(p.run("show", "-q", "--select", "a"), "Previewing")
    has(p.out, "42")


@case
def inline_sql(p):
    p.file("models/a.sql", "select 41 + 1 as a")
    p.run("run")
    has(p.run("show", "--inline", "select a + 1 as b from {{ ref('a') }}"), "43")
    rows = p.run("show", "-q", "--output", "json", "--inline", "select a + 1 as b from {{ ref('a') }}")
    equal(json.loads(rows)["show"], [{"b": 43}])
    has(p.run("compile", "--inline", "select * from {{ ref('a') }}"), '"p"."main"."a"')


@case
def context_can_be_searched(p):
    p.file("models/a.sql", "select {{ 1 if 'ref' in context else 0 }} as a, {{ 1 if 'nix' in context else 0 }} as b, '{{ render(7) }}' as c")
    p.run("run")
    has((p.dir / "target/compiled/p/models/a.sql").read_text(), "select 1 as a, 0 as b, '7' as c")


@case
def sql_errors_show_the_database_only(p):
    p.file("models/a.sql", "select nix from {{ this.schema }}.nowhere")
    out = p.run("run", status=1)
    has(out, "nowhere does not exist")
    lacks(out, "in macro statement")


@case
def words_of_the_last_line(p):
    p.file("models/a.sql", "select 1 as a")
    p.file("models/s.yml", "models:\n  - name: a\n    columns: [{name: a, data_tests: [unique]}]\n")
    has(p.run("build"), "Finished running 1 test, 1 view model")


@case
def place_of_stored_failures(p):
    p.file("models/a.sql", "select 1 as a")
    p.file("tests/some.sql", "select * from {{ ref('a') }}")
    out = p.run("build", "--store-failures", status=1)
    has(out, "  See test failures:\n")
    has(out, '  select * from "p"."main_dbt_test__audit"."some"')


@case
def unused_configuration_is_told(p):
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nmodels: {p: {zz: {+materialized: table}}}\n")
    p.file("models/a.sql", "select 1 as a")
    has(p.run("run"), "Configuration paths exist in your dbt_project.yml file which do not apply to any resources")
    has(p.out, "- models.p.zz")


@case
def ephemeral_only(p):
    p.file("models/a.sql", "{{ config(materialized='ephemeral') }} select 1 as a")
    lacks(p.run("run", "--select", "a"), "Nothing to do")


@case
def retry_of_what_failed(p):
    p.file("models/a.sql", "select 1 as a")
    p.file("models/b.sql", "select * from {{ ref('a') }} where {{ var('bad', 'nix') }} = 1")
    p.file("models/c.sql", "select * from {{ ref('b') }}")
    p.file("tests/t.sql", "select * from {{ ref('c') }} where a = 2")
    has(p.run("retry", status=2), "Could not find previous run")
    p.run("build", status=1)
    equal(p.results(), {"a": "success", "b": "error", "c": "skipped", "t": "skipped"})
    p.run("retry", status=1)
    equal(p.results(), {"b": "error", "c": "skipped", "t": "skipped"})
    p.file("models/b.sql", "select * from {{ ref('a') }} where a = 1")
    has(p.run("retry"), "PASS=3 WARN=0 ERROR=0 SKIP=0")
    equal(p.results(), {"b": "success", "c": "success", "t": "pass"})
    has(p.run("retry"), "Nothing to do")


@case
def retry_of_a_failed_unit_test(p):
    """As with dbt, a retried unit test comes after its model and holds nothing up; and the run has as many threads as the one before."""
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "select id + 1 as id from {{ ref('a') }}")
    p.file("models/s.yml", "unit_tests: [{name: t, model: b, given: [{input: ref('a'), rows: [{id: 1}]}], expect: {rows: [{id: 3}]}}]\n")
    p.run("build", "--threads", "3", status=1)
    equal(p.results(), {"a": "success", "b": "skipped"})
    has(p.run("retry", status=1), "Concurrency: 3 threads")
    equal(p.results()["b"], "fail")  # of the name b too: the unit test, which came last


@case
def state_selects_what_changed_since_a_run(p):
    p.file("models/a.sql", "select 1 as x")
    p.file("models/b.sql", "select * from {{ ref('a') }}")
    p.file("models/c.sql", "select {{ number() }} as x")
    p.file("models/a.yml", "models: [{name: a, columns: [{name: x, data_tests: [{accepted_values: {arguments: {values: [2]}}}]}]}]\n")
    p.file("macros/number.sql", "{% macro number() %}1{% endmacro %}")
    p.run("build", status=1)
    (p.dir / "target").rename(p.dir / "before")

    def ls(*spec):
        return sorted(line for line in p.run("--quiet", "ls", "--resource-type", "model", "--state", "before", "--select",
                                             *spec).split("\n") if line.startswith("p."))

    equal(ls("state:modified", "state:new"), [])
    equal(ls("state:unmodified"), ["p.a", "p.b", "p.c"])
    equal(ls("result:success"), ["p.a", "p.c"])
    equal(ls("result:skipped"), ["p.b"])
    p.file("models/b.sql", "select x + 1 as x from {{ ref('a') }}")
    p.file("models/d.sql", "select 1 as y")
    equal(ls("state:modified"), ["p.b", "p.d"])
    equal(ls("state:new"), ["p.d"])
    equal(ls("state:modified.body,state:old"), ["p.b"])
    p.file("macros/number.sql", "{% macro number() %}2{% endmacro %}")
    equal(ls("state:modified.macros"), ["p.c"])
    has(p.run("ls", "--select", "state:modified", status=2), "--state DIR")
    has(p.run("ls", "--select", "state:modified", "--state", "nowhere", status=2), "no comparison manifest")
    has(p.run("ls", "--select", "state:modifed", "--state", "before", status=2), "invalid selector")
    has(p.run("ls", "--select", "source_status:fresher", "--state", "before", status=2), "sources.json")
    equal(ls("result:fail+", "result:error+"), [])
    equal(p.run("--quiet", "ls", "--state", "before", "--select", "result:fail").split(), ["p.accepted_values_a_x__2"])


@case
def deferred_refs_are_read_where_the_state_has_them(p):
    p.file("profiles.yml", "p:\n  target: dev\n  outputs:\n    prod: {type: duckdb, path: p.duckdb, schema: prod}\n    dev: {type: duckdb, path: p.duckdb, schema: dev}\n")
    p.file("models/a.sql", "{{ config(materialized='table') }} select '{{ target.name }}' as made")
    p.file("models/b.sql", "{{ config(materialized='table') }} select made, '{{ this.schema }}' as here from {{ ref('a') }}")
    p.file("models/c.sql", "{{ config(materialized='ephemeral') }} select * from {{ ref('b') }}")
    p.file("models/d.sql", "select * from {{ ref('c') }}")
    p.run("run", "--target", "prod", "--target-path", "prod-run")
    has(p.run("run", "--select", "b", status=1), "Table with name a does not exist")
    p.run("run", "--select", "b", "--defer", "--state", "prod-run")
    has(p.run("--quiet", "show", "--inline", "select * from dev.b union all select * from prod.b order by here"), "| prod | dev  |\n| prod | prod |")
    p.run("run", "--select", "a b")
    has(p.run("--quiet", "compile", "--select", "b", "--defer", "--state", "prod-run"), '"dev"."a"')
    has(p.run("--quiet", "compile", "--select", "b", "--defer", "--favor-state", "--state", "prod-run"), '"prod"."a"')
    has(p.run("--quiet", "compile", "--select", "a b", "--defer", "--favor-state", "--state", "prod-run"), '"dev"."a"')
    p.run("run", "--select", "d", "--defer", "--favor-state", "--defer-state", "prod-run")
    has((p.dir / "target/compiled/p/models/d.sql").read_text(), '"prod"."b"')
    has(p.run("run", "--defer", status=2), "--state or --defer-state are required for deferral")
    has(p.run("run", "--defer", "--state", "nowhere", status=2), "Could not find manifest")
    p.file("models/a.sql", "{{ config(materialized='table') }} select no_such as made")
    p.run("run", "--select", "a", "--defer", "--state", "prod-run", status=1)
    p.file("models/a.sql", "select 'dev' as made")
    p.run("retry")


@case
def docs_generate_writes_a_catalog_of_what_is_built(p):
    p.file("seeds/s.csv", "id,Name\n1,a\n")
    p.file("models/a.sql", "{{ config(materialized='table', persist_docs={'relation': true, 'columns': true}) }} select 1 as x, 2.5 as y")
    p.file("models/a.yml", "models: [{name: a, description: words, columns: [{name: x, description: 'a number'}]}]\nsources: [{name: main, tables: [{name: a}, {name: none}]}]\n")
    p.file("models/b.sql", "select * from {{ ref('a') }}")
    p.file("models/unbuilt.sql", "select 1 as x")
    p.run("build", "--exclude", "unbuilt")
    has(p.run("docs", "generate"), "Catalog written to")
    catalog = json.loads((p.dir / "target/catalog.json").read_text())
    equal(sorted(catalog["nodes"]), ["model.p.a", "model.p.b", "seed.p.s"])
    equal(sorted(catalog["sources"]), ["source.p.main.a"])
    a, b = catalog["nodes"]["model.p.a"], catalog["nodes"]["model.p.b"]
    equal([a["metadata"]["type"], b["metadata"]["type"], a["metadata"]["comment"]], ["BASE TABLE", "VIEW", "words"])
    equal(a["columns"], {"x": {"type": "INTEGER", "index": 1, "name": "x", "comment": "a number"},
                         "y": {"type": "DECIMAL(2,1)", "index": 2, "name": "y", "comment": None}})
    has(json.loads((p.dir / "target/manifest.json").read_text())["nodes"]["model.p.b"]["compiled_code"], '"main"."a"')


@case
def ctrl_c_ends_what_runs_and_starts_nothing_more(p):
    """At whatever moment it comes: here while a statement without an end is about to begin."""
    for i in range(3):
        p.file(f"models/a{i}.sql", f"{{{{ config(materialized='table') }}}} select count(*) as n from range(1000000000) x(i), range(1000000) y(j) where (i * j) % 7 = {i}")
    for at in ("1 of 3 START", "2 of 3 START", "Concurrency: 2 threads"):
        run = subprocess.Popen([TARN, "run"], cwd=p.dir, env=p.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while at not in (line := run.stdout.readline()):
            assert line, "it has ended"
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=600)
        assert run.returncode != 0, out
        lacks(out, "OK created")
        has(out, "interrupted")


if __name__ == "__main__":
    sys.exit(main())
