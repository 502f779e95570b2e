#!/usr/bin/env python3
"""What a process of dbt's commands answers: words on its output, artifacts, exit status, in the cases that scripts around dbt look at."""
import json, sys

from dbt_flow import case, equal, has, lacks, main


def result_of(p):
    found = json.loads((p.dir / "target/run_results.json").read_text())["results"]
    equal(len(found), 1)
    return found[0]


@case
def operations_leave_results(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("run")
    out = p.run("run-operation", "--sql", "select '{{ target.schema }}' from {{ ref('a') }}")
    has(out, "1 of 1 START executing inline_query")
    has(out, "1 of 1 OK executed inline_query")
    r = result_of(p)
    equal((r["status"], r["unique_id"], r["adapter_response"], r["failures"]), ("success", "sql_operation.p.inline_query", {"_message": "OK"}, 0))
    equal([t["name"] for t in r["timing"]], ["compile", "execute"])
    out = p.run("run-operation", "--sql", "select nope from nowhere", status=1)
    caught = "Encountered an error while running operation: Runtime Error\n  Catalog Error: Table with name nowhere does not exist!"
    has(out, caught)
    assert out.index(caught) < out.index("1 of 1 ERROR executing inline_query"), out
    r = result_of(p)
    equal((r["status"], r["adapter_response"], r["failures"]), ("error", {}, 1))
    has(r["message"], "Runtime Error\n  Catalog Error")


@case
def operations_without_sense_are_refused_in_dbts_words(p):
    has(p.run("run-operation", status=2), "Encountered an error:\nRuntime Error\n  Either a macro name or --sql must be passed to run-operation")


@case
def an_operation_is_found_in_any_package(p):
    p.file("packages.yml", "packages: [{local: other}]\n")
    p.file("other/dbt_project.yml", "name: other\nversion: '1.0'\n")
    p.file("other/macros/m.sql", "{% macro theirs() %}{{ log('called', info=true) }}{% endmacro %}")
    p.run("deps")
    has(p.run("run-operation", "theirs"), "called")
    has(p.run("run-operation", "other.theirs"), "called")
    has(p.run("run-operation", "p.theirs", status=2), "dbt could not find a macro with the name")


@case
def a_query_that_cannot_be_parsed_is_named_as_such(p):
    for command in ("compile", "show"):
        out = p.run(command, "--inline", "select * from {{ ref('x') }}", status=2)
        has(out, "Error while parsing node: inline_query\nSql_Operation 'sql_operation.p.inline_query' (from remote system.sql) depends on a node named 'x'")
        has(out, "Encountered an error:\nError parsing inline query")
    p.file("models/a.sql", "select * from {{ ref('x') }}")
    lacks(p.run("compile", "--inline", "select 1", status=2), "inline query")


@case
def compile_answers_as_json(p):
    p.file("models/a.sql", "select 1 as id")
    equal(json.loads(p.run("compile", "-q", "-s", "a", "--output", "json")), {"node": "a", "compiled": "select 1 as id"})
    equal(json.loads(p.run("compile", "-q", "--inline", "select * from {{ ref('a') }}", "--output", "json")), {"compiled": 'select * from "p"."main"."a"'})
    equal(result_of(p)["unique_id"], "sql_operation.p.inline_query")
    manifest = (p.dir / "target/manifest.json").read_text()
    lacks(manifest, "sql_operation")  # it was of one command


@case
def show_wants_to_know_what(p):
    p.file("models/a.sql", "select 1 as id")
    has(p.run("show", status=2), "Runtime Error\n  Either --select or --inline must be passed to show")


@case
def show_names_versions(p):
    p.file("models/a_v1.sql", "select 1 as id")
    p.file("models/a_v2.sql", "select 2 as id")
    p.file("models/s.yml", "models: [{name: a, latest_version: 2, versions: [{v: 1}, {v: 2}]}]")
    p.run("run")
    out = p.run("show", "-s", "a")
    has(out, "Previewing node 'a.v1'")
    has(out, "Previewing node 'a.v2'")


@case
def queries_of_the_command_line_may_see_private_models(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/s.yml", "groups: [{name: g, owner: {name: o}}]\nmodels: [{name: a, config: {access: private, group: g}}]")
    p.run("run")
    has(p.run("show", "--inline", "select * from {{ ref('a') }}"), "| id |")


@case
def without_introspection_templates_cannot_ask(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("compile", "--no-introspect")
    p.file("models/b.sql", "{{ config(materialized='view') }}{% do run_query('select 1') %} select 1 as id")
    p.run("compile")
    has(p.run("compile", "--no-introspect", status=2), "connection never acquired for thread")


@case
def compile_and_show_build_nothing(p):
    p.file("models/a.sql", "{{ config(schema='elsewhere') }} select 1 as id")
    p.run("compile")
    p.run("show", "-s", "a")
    lacks(p.run("show", "--inline", "select schema_name from information_schema.schemata", "--limit", "-1"), "main_elsewhere")


@case
def ephemeral_models_go_by_their_alias(p):
    p.file("models/e.sql", "{{ config(materialized='ephemeral', alias='f') }} select 1 as id")
    p.file("models/a.sql", "select * from {{ ref('e') }}")
    has(p.run("compile", "-s", "a"), "with __dbt__cte__f as (\n select 1 as id\n) select * from __dbt__cte__f")
    p.run("run")


@case
def clean_keeps_what_is_not_its(p):
    project = "name: p\nprofile: p\nclean-targets: [%s]\n"
    p.file("models/a.sql", "select 1 as id")
    p.file("dbt_project.yml", project % "target, models")
    has(p.run("clean", status=2), f"Runtime Error\n  dbt will not clean the following source paths: ['{p.dir.resolve()}/models']")
    p.file("dbt_project.yml", project % "target, ../else")
    has(p.run("clean", status=2), "Runtime Error\n  dbt will not clean the following directories outside the project: [")
    p.file("dbt_project.yml", project % "..")
    has(p.run("clean", status=2), "Runtime Error\n  dbt will not clean the following directories outside the project: [")
    has(p.run("clean", "--no-clean-project-files-only", status=2), "dbt will not clean the following source paths")
    assert (p.dir / "models/a.sql").exists()


@case
def ls_gives_the_keys_in_the_order_of_asking(p):
    p.file("models/a.sql", "select 1 as id")
    out = p.run("-q", "ls", "-s", "a", "--output", "json", "--output-keys", "config.materialized", "name", "config.nonexistent", "nothing")
    equal(out.strip(), '{"config.materialized": "view", "name": "a"}')
    p.file("tests/t.sql", "select 1 as id where false")
    equal(sorted(p.run("-q", "ls", "--resource-types", "model test").split()), ["p.a", "p.t"])
    p.file("analyses/n.sql", "select 2 as id")
    equal(p.run("-q", "ls", "--resource-type", "all", "--exclude-resource-type", "model", "test").split(), ["p.analysis.n"])
    for kinds in (["--resource-type", "default"], ["--exclude-resource-type", "seed"]):  # analyses are listed when they are asked for
        equal(sorted(p.run("-q", "ls", *kinds).split()), ["p.a", "p.t"])


@case
def ls_of_models_lists_models_alone(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/a.yml", "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]")
    equal(p.run("-q", "ls", "--models", "a").split(), ["p.a"])
    equal(p.run("-q", "ls", "--select", "a").split(), ["p.a", "p.unique_a_id"])
    has(p.run("ls", "--models", "a", "--select", "a", status=2), '"models" and "select" are mutually exclusive arguments')
    has(p.run("ls", "--models", "a", "--resource-type", "model", status=2), '"models" and "resource_type" are mutually exclusive arguments')


@case
def versions_without_numbers_come_after_numbers(p):
    for v in ("1", "2", "10", "next"):
        p.file(f"models/m_v{v}.sql", "select 1 as id")
    p.file("models/m.yml", "models: [{name: m, latest_version: 2, versions: [{v: 1}, {v: 2}, {v: 10}, {v: next}]}]")
    equal(p.run("-q", "ls", "--select", "version:prerelease").split(), ["p.m.v10", "p.m.vnext"])
    equal(p.run("-q", "ls", "--select", "version:old").split(), ["p.m.v1"])


@case
def threads_are_counted_as_given(p):
    has(p.run("build", "--threads", "4294967297", status=2), "--threads: 4294967297 is too many")


@case
def names_with_spaces_of_sources_and_semantic_models_are_deprecated(p):
    p.file("models/s.yml", "sources: [{name: raw data, tables: [{name: t}, {name: u}]}, {name: more data, tables: [{name: t}]}]")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {show_all_deprecations: true}\n")
    out = p.run("parse")
    equal(out.count("[SpacesInResourceNameDeprecation]"), 1)
    has(out, "`source.p.raw data`")
    has(p.run("parse", "--debug"), "`source.p.more data`")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {require_source_and_semantic_model_names_without_spaces: true}\n")
    has(p.run("parse", status=2), "Resource names cannot contain spaces:\n    * 'source.p.raw data' (models/s.yml)\n    * 'source.p.more data'")


@case
def events_tell_the_group_of_their_node(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/s.yml", "groups: [{name: g, owner: {name: me, email: [x@y, z@y]}}]\n"
           "models: [{name: a, config: {group: g}}]")
    lines = [json.loads(line) for line in p.run("run", "--log-format", "json", "--log-level", "debug").splitlines()]
    made = [e for e in lines if e["info"]["name"] == "LogModelResult"]
    equal(made[0]["data"]["group"], {"name": "g", "owner": {"name": "me", "email": "['x@y', 'z@y']"}, "package_name": "p"})
    queries = [e["data"] for e in lines if e["info"]["name"] == "SQLQuery" and e["data"]["conn_name"] == "model.p.a"]
    assert queries and all(q["node_info"]["unique_id"] == "model.p.a" for q in queries), queries


@case
def the_latest_version_goes_by_the_models_name_when_asked(p):
    p.file("models/a_v1.sql", "select 1 as id")
    p.file("models/a_v2.sql", "select 2 as id")
    p.file("models/b_v1.sql", "select 3 as id")
    p.file("models/s.yml", "models:\n"
           "- {name: a, latest_version: 2, config: {materialized: table, latest_version_pointer: {enabled: true}}, versions: [{v: 1}, {v: 2}]}\n"
           "- {name: b, latest_version: 1, versions: [{v: 1}]}\n")
    p.run("run")
    p.run("run")
    has(p.run("show", "--inline", "select id, table_type from a, information_schema.tables where table_name = 'a'"), "|  2 | VIEW")
    p.run("show", "--inline", "select * from b", status=2)
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {latest_version_pointer_enabled_by_default: true}\n")
    p.run("run", "-s", "b")
    has(p.run("show", "--inline", "select * from b"), "|  3 |")
    p.file("models/s.yml", "models:\n- {name: b, latest_version: 1, config: {latest_version_pointer: {alias: b_v1}}, versions: [{v: 1}]}\n"
           "- {name: a, latest_version: 2, versions: [{v: 1}, {v: 2}]}\n")
    has(p.run("run", "-s", "b", status=1), "Cannot create latest version pointer: the latest version of 'b' is already aliased to 'b_v1'")


@case
def the_results_tell_how_the_run_was_called(p):
    p.file("models/a.sql", "select {{ var('n') }} as n, '{{ invocation_args_dict.invocation_command }}' as c, {{ var('DBT_ENV_SECRET_word') | length }} as l")
    p.file("models/b.sql", "select {{ var('n') }} / nothing as n")
    p.run("run", "--vars", "{n: 7, DBT_ENV_SECRET_word: hush}", status=1)
    args = json.loads((p.dir / "target/run_results.json").read_text())["args"]
    equal(args["vars"], {"n": 7, "DBT_ENV_SECRET_word": "*****"})
    equal(args["invocation_command"], "dbt run --vars {n: 7, DBT_ENV_SECRET_word: *****}")
    assert "hush" not in (p.dir / "logs/dbt.log").read_text()
    p.file("models/b.sql", "select {{ var('n') }} as n")
    p.run("retry")  # the vars of the run before, which are a dict there
    has((p.dir / "target/compiled/p/models/b.sql").read_text(), "select 7 as n")


@case
def hooks_behind_a_failed_one_are_skipped(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {skip_nodes_if_on_run_start_fails: true}\non-run-start: [select 1, select nope, select 2]\n")
    out = p.run("run", status=1)
    has(out, "3 of 3 SKIP hook: p.on-run-start.2")
    wanted = {"p-on-run-start-0": "success", "p-on-run-start-1": "error", "p-on-run-start-2": "skipped", "a": "skipped"}
    equal(p.results(), wanted)
    p.run("retry", status=1)
    equal(p.results(), wanted)


@case
def retry_knows_where_the_results_are_and_what_is_gone(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\ntarget-path: out\n")
    has(p.run("retry", status=2), "Could not find previous run in 'out' target directory")
    p.file("models/a.sql", "select nope")
    p.run("run", status=1)
    p.run("retry", status=1)
    (p.dir / "models/a.sql").unlink()
    p.file("models/b.sql", "select 1 as id")
    has(p.run("retry", status=2), "Compilation Error\n  Couldn't find model 'model.p.a' -- does it exist or is it disabled?")


@case
def retry_forgets_and_minds_warn_error(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("tests/t.sql", "{{ config(severity='warn') }} select 1 as id")
    p.run("build")
    p.run("--warn-error", "build", status=1)
    p.run("retry")
    p.run("--warn-error", "retry", status=1)


@case
def args_of_retry_and_clone_are_those_of_dbt(p):
    """Retry says what the first run was told to take, and where its state is, however often it is repeated; clone does not say that it defers."""
    def args():
        return json.loads((p.dir / "target/run_results.json").read_text())["args"]

    p.file("models/a.sql", "select 1 as id")
    p.run("run")
    (p.dir / "target").rename(p.dir / "st")
    p.run("clone", "--state", "st")
    p.file("models/b.sql", "select nope from {{ ref('a') }}")
    equal([args()["defer"], args()["state"]], [False, "st"])
    p.run("build", "-s", "b", "a", "--exclude", "c", "--resource-type", "model", "--defer", "--state", "st", status=1)
    first = args()
    equal([first["select"], first["exclude"], first["resource_types"], "resource_type" in first], [["b", "a"], ["c"], ["model"], False])
    for more in ([], ["--state", "target"]):
        p.run("retry", *more, status=1)
        equal({k: v for k, v in args().items() if k != "invocation_command"}, {k: v for k, v in first.items() if k != "invocation_command"})


TABLE = """{% materialization NAME, default %}
  {% call statement('main') %} create or replace view {{ this }} as select 'HERE' as made_by {% endcall %}
  {{ return({'relations': [this]}) }}
{% endmaterialization %}
"""


def with_package(p, flags):
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {show_all_deprecations: true%s}\n" % flags)
    p.file("packages.yml", "packages: [{local: other}]\n")
    p.file("other/dbt_project.yml", "name: other\nversion: '1.0'\n")
    p.file("other/macros/m.sql", TABLE.replace("NAME", "view").replace("HERE", "package").replace("default", "adapter='duckdb'") + TABLE.replace("NAME", "own").replace("HERE", "package"))
    p.file("models/a.sql", "select 'builtin' as made_by")
    p.file("models/b.sql", "{{ config(materialized='own') }} select 'builtin' as made_by")
    p.run("deps")


@case
def packages_replace_no_builtin_materialization_unasked(p):
    with_package(p, "")
    lacks(p.run("run"), "PackageMaterializationOverride")
    has(p.run("show", "--inline", "select a.made_by || '/' || b.made_by as x from a, b"), "builtin/package")


@case
def packages_replace_builtin_materializations_by_the_flag(p):
    with_package(p, ", require_explicit_package_overrides_for_builtin_materializations: false")
    has(p.run("run"), "Installed package 'other' is overriding the built-in materialization 'view'")
    has(p.run("show", "--inline", "select made_by from a"), "package")


@case
def materializations_say_what_they_take_and_give(p):
    p.file("macros/m.sql", TABLE.replace("NAME, default", "py, default, supported_languages=['python']").replace("HERE", "py")
           + "{% materialization mute, default %}{% call statement('main') %} select 1 {% endcall %}{% endmaterialization %}")
    p.file("models/a.sql", "{{ config(materialized='py') }} select 1 as id")
    p.file("models/b.sql", "{{ config(materialized='mute') }} select 1 as id")
    p.file("models/c.py", "def model(dbt, session):\n    return None\n")
    p.file("models/s.yml", "models: [{name: c, config: {materialized: mute}}]\n")
    out = p.run("run", status=1)
    has(out, "Materialization \"materialization_py_default\" only supports languages ['python']; got \"sql\"")
    has(out, 'The materialization ("mute") did not explicitly return a list of relations to add to the cache.')
    has(out, "Materialization \"materialization_mute_default\" only supports languages ['sql']; got \"python\"")


@case
def results_of_show_are_text(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("run")
    for _ in range(3):
        p.run("show", "-s", "a", "--limit", "3")
        has(result_of(p)["compiled_code"], "limit 3")


@case
def packages_without_a_value_are_named(p):
    for entry, kind in (("{package: '', version: 1.0.0}", "hub"), ("{git: '', revision: main}", "git"), ("{local: ''}", "local")):
        p.file("packages.yml", f"packages: [{entry}]\n")
        has(p.run("deps", status=2), f"A {kind} package is missing the value. It is a required property.")


@case
def versions_of_projects_have_a_form(p):
    for version in ("invalid", "'1'", "1.0.", "1.0.0rc1", "01.0.0", "1.0.0-"):
        p.file("dbt_project.yml", f"name: p\nprofile: p\nversion: {version}\n")
        has(p.run("parse", status=2), "at path ['version']: '%s' is not valid under any of the given schemas" % version.strip("'"))
    for version in ("1.0", "'1.0'", "1.0.0", "1.0.0-rc.1+b7", "1"):
        p.file("dbt_project.yml", f"name: p\nprofile: p\nversion: {version}\n")
        p.run("parse")
    p.file("dbt_project.yml", "name: p\nprofile: p\ndbt-cloud: Some string\n")
    has(p.run("parse", status=2), "at path ['dbt-cloud']: 'Some string' is not valid under any of the given schemas")


@case
def variables_under_their_old_names_count_and_are_deprecated(p):
    p.file("models/a.sql", "{{ print('printed') }} select 1 as id")
    out = p.run("run", env={"DBT_NO_PRINT": "1"})
    has(out, "The environment variable `DBT_NO_PRINT` has been renamed as `DBT_ENGINE_PRINT`.")
    lacks(out, "\nprinted")
    has(p.run("run", env={"DBT_NO_PRINT": "0"}), "printed")
    has(p.run("run", env={"DBT_DEFER_TO_STATE": "0"}), "`DBT_DEFER_TO_STATE` has been renamed as `DBT_ENGINE_DEFER`")
    lacks(p.run("run", env={"DBT_PRINT": "1", "DBT_ENGINE_PRINT": "0"}), "\nprinted")


if __name__ == "__main__":
    sys.exit(main())
