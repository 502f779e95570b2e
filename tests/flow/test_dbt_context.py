#!/usr/bin/env python3
"""What templates see of the call, variables that are secret, and members of the context that are there for a message alone."""
import json, shutil, subprocess, sys

from dbt_flow import case, equal, has, lacks, main

SECRET = "{DBT_ENV_SECRET_a: xy, plain: 1}"


def args(p):
    return json.loads((p.dir / "target/run_results.json").read_text())["args"]


def events(p, *command, **kw):
    lines = p.run("--debug", "--log-format", "json", *command, **kw).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def named(all_events, name):
    return [e for e in all_events if e["info"]["name"] == name]


@case
def results_tell_how_the_program_was_called(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("run", "--full-refresh", "--select", "a", "--warn-error-options", "{error: [NoNodesForSelectionCriteria]}")
    told = args(p)
    equal((told["which"], told["select"], told["exclude"], told["full_refresh"]), ("run", ["a"], [], True))
    equal(told["warn_error_options"], {"error": ["NoNodesForSelectionCriteria"], "warn": [], "silence": []})
    folder = str(p.dir.resolve())
    equal((told["project_dir"], told["profiles_dir"], told["log_path"]), (folder, folder, folder + "/logs"))
    for off in ("debug", "fail_fast", "single_threaded", "store_failures", "warn_error", "log_cache_events", "use_experimental_parser"):
        assert off not in told, off
    p.run("--fail-fast", "run", "--log-path", "elsewhere", "--project-dir", ".")
    told = args(p)
    equal((told["fail_fast"], told["log_path"], told["project_dir"]), (True, "elsewhere", "."))


@case
def templates_see_the_same(p):
    p.file("macros/m.sql", "{% macro m(x) %}{% do log(tojson(invocation_args_dict), info=true) %}{% endmacro %}")
    (told,) = named(events(p, "run-operation", "m", "--args", "{x: 1}"), "JinjaLogInfo")
    told = json.loads(told["info"]["msg"])
    equal((told["which"], told["macro"], told["args"], told["use_colors"], told["print"]), ("run-operation", "m", {"x": 1}, True, True))
    assert "warn_error" not in told and "select" not in told, told


@case
def secret_variables_are_hidden_where_variables_are_told(p):
    p.file("models/a.sql", "select '{{ var('plain') }}' as ab, 'xy' as c")
    found = events(p, "run", "--vars", SECRET)
    (state,) = named(found, "StateCheckVarsHash")
    equal((state["data"]["vars"], state["data"]["target"], state["info"]["level"]), ("{'DBT_ENV_SECRET_a': '*****', 'plain': 1}", "dev", "debug"))
    equal(args(p)["vars"], {"DBT_ENV_SECRET_a": "*****", "plain": 1})
    lacks(args(p)["invocation_command"], "xy")
    p.file("models/a.sql", "select '{{ var('none') }}' as ab")
    (why,) = named(events(p, "run", "--vars", SECRET, status=1), "CatchableExceptionOnRun")
    has(why["info"]["msg"], '"DBT_ENV_SECRET_a": "*****"')


@case
def a_secret_of_the_environment_is_hidden_however_short(p):
    p.file("macros/m.sql", "{% macro m() %}{% do log('it is Q7, said aloud', info=true) %}{% endmacro %}")
    has(p.run("run-operation", "m", env={"DBT_ENV_SECRET_B": "Q7"}), "it is *****, said aloud")
    has(p.run("run-operation", "m", env={"DBT_ENV_SECRET_B": " "}), "it is Q7, said aloud")


@case
def a_parse_from_nothing_is_told(p):
    p.file("models/a.sql", "select 1 as id")
    equal(named(events(p, "parse"), "PartialParsingNotEnabled"), [])
    equal(len(named(events(p, "parse", env={"DBT_ENGINE_PARTIAL_PARSE": "False"}), "PartialParsingNotEnabled")), 1)


@case
def variables_of_dbt_have_two_names(p):
    p.file("models/a.sql", "{{ log(env_var('DBT_ENGINE_STORE_FAILURES', '-') ~ env_var('DBT_STORE_FAILURES', '-') ~ flags.STORE_FAILURES, info=true) }} select 1 as id")
    for env, told in (({}, "--False"), ({"DBT_STORE_FAILURES": "1"}, "11True"), ({"DBT_ENGINE_STORE_FAILURES": "1"}, "11True"),
                      ({"DBT_ENGINE_STORE_FAILURES": "1", "DBT_STORE_FAILURES": "0"}, "11True"), ({"DBT_ENGINE_STORE_FAILURES": "0", "DBT_STORE_FAILURES": "1"}, "00False")):
        has(p.run("parse", "--no-partial-parse", env=env), "  " + told + "\n")


@case
def git_says_why_a_package_cannot_be_had_and_no_secret(p):
    p.file("packages.yml", "packages: [{git: \"file:///nowhere-{{ env_var('DBT_ENV_SECRET_TOKEN') }}/x.git\", revision: v1}]\n")
    out = p.run("deps", status=2, env={"DBT_ENV_SECRET_TOKEN": "abc"})
    has(out, "Internal Error\n  Error checking out spec='None' for repo file:///nowhere-*****/x.git\n")
    has(out, "nowhere-*****")
    lacks(out, "abc")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(p.dir / "own")]
    p.file("own/dbt_project.yml", "name: own\nversion: '1.0'\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run(git + words, check=True)
    p.file("packages.yml", f"packages: [{{git: 'file://{p.dir}/own', revision: v1}}]\n")
    has(p.run("deps", status=2), "Error checking out spec='v1' for repo file://")


@case
def git_brings_one_commit_of_a_package(p):
    """Of a tag before a branch of the same name, a branch, a commit by its forty digits; what dbt does not take fails as there."""
    def git(*words):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(p.dir / "own"), *words], check=True, capture_output=True, text=True).stdout.strip()

    commits = []
    p.file("own/README", "")
    git("init", "-q", "-b", "main")
    for n in ("one", "two", "three"):
        p.file("own/sub/dbt_project.yml", f"name: {n}\n")
        p.file("own/dbt_project.yml", f"name: {n}\n")
        git("add", ".")
        git("commit", "-q", "-m", n)
        commits.append(git("rev-parse", "HEAD"))
    git("tag", "same", commits[0])
    git("branch", "same", commits[1])
    git("branch", "side", commits[1])
    where = f"git: 'file://{p.dir}/own'"
    for more, name in (("", "three"), (", revision: same", "one"), (", revision: side", "two"), (f", revision: {commits[0]}", "one"),
                       (", revision: side, subdirectory: sub", "two"), (f", revision: {commits[1]}, subdirectory: sub", "two")):
        p.file("packages.yml", f"packages: [{{{where}{more}}}]\n")
        for left in ("package-lock.yml", "dbt_packages"):
            shutil.rmtree(p.dir / left, ignore_errors=True)
            (p.dir / left).unlink(missing_ok=True)
        p.run("deps")
        equal((p.dir / "dbt_packages" / name / "dbt_project.yml").read_text(), f"name: {name}\n")
        equal((p.dir / "dbt_packages" / name / "sub").exists(), "sub" not in more)
    p.file("packages.yml", f"packages: [{{{where}, revision: {commits[0][:9]}}}]\n")
    (p.dir / "package-lock.yml").unlink()
    has(p.run("deps", status=2), f"Error checking out spec='{commits[0][:9]}' for repo")


@case
def members_that_are_gone_say_so(p):
    p.file("macros/m.sql", "{% macro m() %}{{ adapter_macro('other.m') }}{% endmacro %}")
    has(p.run("run-operation", "m", status=1), 'The "adapter_macro" macro has been deprecated.')


@case
def what_is_no_yaml_gives_the_default(p):
    p.file("macros/m.sql", "{% macro m() %}{% do print(toyaml({'a': adapter}, 'failed') ~ toyaml({'a': [1, none]}) ~ toyaml(nothing, 'none')) %}{% endmacro %}")
    has(p.run("run-operation", "m"), "faileda:\n- 1\n- null\nnone")


@case
def names_of_nodes_need_their_variables(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("macros/n.sql", "{% macro generate_schema_name(custom, node) %}{% do var('place') %}{{ target.schema }}{% endmacro %}")
    has(p.run("compile", status=2), "Required var 'place' not found in config")
    p.run("compile", "--vars", "place: 1")


@case
def meta_and_docs_of_macros_may_stand_in_their_config(p):
    p.file("macros/m.sql", "{% macro m() %}{% endmacro %}{% macro n() %}{% endmacro %}")
    p.file("macros/m.yml", """macros:
  - {name: m, meta: {a: 1, b: 1}, docs: {show: true}, config: {meta: {b: 2}, docs: {show: false, node_color: '#BBBBBB'}}}
  - {name: n, meta: {a: 1}, docs: {node_color: red}}
""")
    p.run("parse")
    macros = json.loads((p.dir / "target/manifest.json").read_text())["macros"]
    m, n = macros["macro.p.m"], macros["macro.p.n"]
    equal((m["meta"], m["docs"], m["config"]), ({"a": 1, "b": 2}, {"show": False, "node_color": "#BBBBBB"}, {"meta": m["meta"], "docs": m["docs"]}))
    equal((n["meta"], n["docs"]), ({"a": 1}, {"show": True, "node_color": "red"}))


@case
def connections_are_named_by_what_has_them(p):
    p.file("models/a.sql", "select 1 as id")
    found = events(p, "run")
    (new,) = named(found, "NewConnection")
    (again,) = named(found, "ConnectionReused")
    equal((new["data"]["conn_name"], again["data"]["orig_conn_name"], again["data"]["conn_name"]), ("list_p", "list_p", "model.p.a"))


sys.exit(main())
