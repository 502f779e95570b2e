"""What dbt calls deprecated: told once with its text, counted in the summary, an error where warnings are to be errors."""
import json, sys

from dbt_flow import case, equal, has, lacks, main

DATES = """models:
  - name: old
    deprecation_date: 1999-01-01
  - name: going
    deprecation_date: "2999-01-01 10:00:00+02:00"
"""


def events(p, *command, env=None):
    lines = p.call(*command, "--log-format", "json", env=env).stdout.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


@case
def models_with_a_date(p):
    p.file("models/old.sql", "select 1 as id")
    p.file("models/going.sql", "select * from {{ ref('old') }}")
    p.file("models/reader.sql", "select * from {{ ref('going') }}")
    p.file("models/s.yml", DATES)
    found = {e["info"]["name"]: e for e in events(p, "parse") if e["info"]["name"] in ("DeprecatedModel", "DeprecatedReference", "UpcomingReferenceDeprecation")}
    equal(found["DeprecatedModel"]["info"]["msg"], "[WARNING]: Model old has passed its deprecation date of 1999-01-01T00:00:00+00:00. This model should be disabled or removed.")
    equal((found["DeprecatedModel"]["info"]["code"], found["DeprecatedModel"]["data"]["model_name"]), ("I065", "old"))
    has(found["DeprecatedReference"]["info"]["msg"], "While compiling 'going': Found a reference to old, which was deprecated on '1999-01-01T00:00:00+00:00'.")
    has(found["UpcomingReferenceDeprecation"]["info"]["msg"], "'reader': Found a reference to going, which is slated for deprecation on '2999-01-01T10:00:00+02:00'.")
    nodes = json.loads((p.dir / "target/manifest.json").read_text())["nodes"]
    equal([nodes[f"model.p.{n}"]["deprecation_date"] for n in ("old", "going", "reader")], ["1999-01-01T00:00:00+00:00", "2999-01-01T10:00:00+02:00", None])
    has(p.run("--warn-error", "parse", status=2), "Compilation Error\n  [WARNING]: ")
    has(p.run("--warn-error-options", "{error: [DeprecatedModel]}", "parse", status=2), "Model old has passed its deprecation date")
    lacks(p.run("--warn-error-options", "{silence: [DeprecatedModel]}", "parse"), "Model old has passed")


@case
def versions_name_the_newer_one(p):
    p.file("models/m_v1.sql", "select 1 as id")
    p.file("models/m_v2.sql", "select 1 as id")
    p.file("models/reader.sql", "select * from {{ ref('m', v=1) }}")
    p.file("models/s.yml", "models:\n  - name: m\n    versions:\n      - v: 1\n        deprecation_date: 2001-02-03\n      - v: 2\n")
    has(p.run("parse"), "Found a reference to m.v1, which was deprecated on '2001-02-03T00:00:00+00:00'. A new version of 'm' is available. Migrate now: {{ ref('p', 'm', v='2') }}.")


@case
def old_keys_of_the_project(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\ndata-paths: [data]\nlog-path: mylogs\ntarget-path: mine\n")
    p.file("data/s.csv", "id\n1\n")
    out = " ".join(p.run("build").split())
    has(out, "The `data-paths` config has been renamed to `seed-paths`.")
    has(out, "If you wish to write dbt logs to a custom directory, please use the --log-path CLI flag or DBT_LOG_PATH env var instead.")
    has(out, "If you wish to write dbt artifacts to a custom directory, please use the --target-path CLI flag or DBT_TARGET_PATH")
    has(out, "- ConfigDataPathDeprecation: 1 occurrence")
    has(p.run("--warn-error", "debug", status=2), "The `data-paths` config has been renamed")
    p.file("dbt_project.yml", "name: p\nprofile: p\ndata-paths: [data]\nseed-paths: [data]\n")
    has(p.run("parse", status=2), "data-paths and seed-paths cannot both be defined")
    p.file("dbt_project.yml", "name: p\nprofile: p\nlog-path: logs\ntarget-path: target\nclean-targets: [dbt_modules]\n")
    lacks(p.run("parse"), "Deprecat")
    has(" ".join(p.run("clean").split()), "The default package install path has changed from `dbt_modules` to `dbt_packages`.")
    has(p.run("--warn-error", "clean", status=2), "`dbt_modules`")


@case
def settings_in_two_names(p):
    p.file("models/m.sql", "select 1 as id")
    p.file("dbt_project.yml", "name: p\nprofile: p\ntests: {+enabled: true}\ndata_tests: {+tags: x}\n")
    has(p.run("parse", status=2), "Invalid project config: cannot have both 'tests' and 'data_tests' defined")
    p.file("dbt_project.yml", "name: p\nprofile: p\n")
    p.file("models/s.yml", "models:\n  - name: m\n    columns:\n      - {name: id, data_tests: [not_null], tests: [unique]}\n")
    out = p.run("parse", status=2)
    has(out, "Parsing Error\n  Invalid models config given in models/s.yml @ models: {'name': 'm'")
    has(out, "Invalid test config: cannot have both 'tests' and 'data_tests' defined")


@case
def config_of_the_profiles_file(p):
    p.file("models/m.sql", "select 1 as id")
    p.file("profiles.yml", f"config: {{printer_width: 60}}\np: {{target: dev, outputs: {{dev: {p.profile}}}}}\n")
    out = p.run("parse")
    has(" ".join(out.split()), "User config should be moved from the 'config' key in profiles.yml to the 'flags' key in dbt_project.yml.")
    has(p.run("--warn-error-options", "{'error': ['ProjectFlagsMovedDeprecation']}", "parse", status=2), "User config should")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {printer_width: 70}\n")
    has(p.run("parse", status=2), "Do not specify both 'config' in profiles.yml and 'flags' in dbt_project.yml.")


@case
def uses_in_templates_and_properties(p):
    p.file("models/m.sql", "{% for i in modules.itertools.product([1], ['x']) %}select {{ i[0] }} as id{% endfor %}")
    p.file("models/s.yml", "models:\n  - name: m\n    description: one\n    columns:\n      - name: id\n        data_tests:\n"
           "          - not_null: {where: 'id > 0'}\n          - unique: {where: 'id > 0'}\n    description: two\n")
    names = [e["info"]["name"] for e in events(p, "run", "--show-all-deprecations")]
    equal([names.count(n + "Deprecation") for n in ("ModulesItertoolsUsage", "PropertyMovedToConfig", "DuplicateYAMLKeys")], [1, 2, 1])
    out = " ".join(p.run("run").split())
    has(out, "Usage of itertools modules is deprecated. Please use the built-in functions instead.")
    has(out, "Found `where` as a top-level property of `data_tests.not_null.where` in file `models/s.yml`.")
    lacks(out, "data_tests.unique.where")
    has(out, "- PropertyMovedToConfigDeprecation: 2 occurrences")
    has(out, "Duplicate key 'description' in \"<unicode string>\", line 9, column 5 in file `models/s.yml`")


@case
def variables_that_look_like_dbts(p):
    p.file("models/m.sql", "select 1 as id")
    found = [e["data"] for e in events(p, "parse", env={"DBT_ENGINE_PARTIAL_PARSE": "False", "DBT_ENGINE_MINE": "1"}) if e["info"]["name"] == "EnvironmentVariableNamespaceDeprecation"]
    equal([(d["env_var"], d["reserved_prefix"]) for d in found], [("DBT_ENGINE_MINE", "DBT_ENGINE_")])



@case
def tags_that_belong_to_nothing(p):
    p.file("macros/m.sql", "{% set x = 1 %}\n{% macro m() %}{% if true %}1{% endif %}{% endmacro %}{% endmacro %}\n{# {% if %} #}{{ 'x' }}")
    p.file("models/a.sql", "{% set x = 1 %}select {{ x }} as id")
    (told,) = [e for e in events(p, "parse") if e["info"]["name"] == "UnexpectedJinjaBlockDeprecation"]
    equal((told["info"]["code"], told["data"]), ("D023", {"msg": "Found unexpected 'set' block tag.", "file": "macros/m.sql"}))
    has(told["info"]["msg"], "Found unexpected 'set' block tag. in file `macros/m.sql`")
    all_told = [e["data"]["msg"] for e in events(p, "parse", "--show-all-deprecations") if e["info"]["name"] == "UnexpectedJinjaBlockDeprecation"]
    equal(all_told, ["Found unexpected 'set' block tag.", "Found unexpected 'endmacro' block tag."])


@case
def behaviours_of_the_adapter(p):
    p.file("macros/m.sql", """{% macro m() %}{% for i in [1, 2] %}{% set f = adapter.behavior.enable_truthy_nulls_equals_macro %}
{% do print(f.no_warn ~ ('on' if f else 'off')) %}{% endfor %}{% do print(equals('a', 'b') | trim) %}{% endmacro %}
{% macro n() %}{{ adapter.behavior.other }}{% endmacro %}""")
    found = events(p, "run-operation", "m")
    (told,) = [e["info"] for e in found if e["info"]["name"] == "BehaviorChangeEvent"]
    has(told["msg"], "[WARNING]: The behavior controlled by `enable_truthy_nulls_equals_macro` is currently turned off.")
    equal([e["info"]["msg"] for e in found if e["info"]["name"] == "PrintEvent"], ["Falseoff", "Falseoff", "(a = b)"])
    has(p.run("run-operation", "n", status=1), "The flag other has not been registered.")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {enable_truthy_nulls_equals_macro: true}\n")
    out = p.run("run-operation", "m")
    has(out, "Trueon\nTrueon\ncase when ((a = b) or (a is null and b is null))")
    lacks(out, "WARNING")


@case
def a_microbatch_macro_of_the_users_outside_of_batches(p):
    p.file("models/a.sql", "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='t', batch_size='year', begin='2020-01-01') }} select 1 as id, timestamp '2020-02-02' as t")
    p.file("macros/m.sql", "{% macro get_incremental_microbatch_sql(arg_dict) %}{{ print('batch ' ~ (model.batch is defined and model.batch is not none)) }}{{ return(default__get_incremental_append_sql(arg_dict)) }}{% endmacro %}")
    p.run("run", "--event-time-start", "2020-01-01", "--event-time-end", "2021-01-01")
    has(p.run("run", "--event-time-start", "2020-01-01", "--event-time-end", "2021-01-01"), "batch True")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {require_batched_execution_for_custom_microbatch_strategy: false}\n")
    out = p.run("run")
    has(out.replace("\n", " "), "The use of a custom microbatch macro outside of batched execution is deprecated.")
    has(out, "batch False")


if __name__ == "__main__":
    sys.exit(main())
