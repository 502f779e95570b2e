"""What dbt warns of: deprecations and their summary, --warn-error-options in all spellings, broken contracts, keys of profiles that are Python's."""
import json, os, shutil, subprocess, sys, time

from dbt_flow import TARN, Project, case, equal, has, lacks, main

MISSING = """[WARNING][MissingArgumentsPropertyInGenericTestDeprecation]: Deprecated
functionality
Found top-level arguments to test `accepted_values` defined on 'a' in package
'p' (models/s.yml). Arguments to generic tests should be nested under the
`arguments` property.
"""


def deprecated(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/s.yml", "models: [{name: a, columns: [{name: id, tests: [{accepted_values: {values: [1]}}, {accepted_values: {values: [1, 2], name: more}}, not_null, {unique: {config: {severity: warn}}}]}]}]")


@case
def the_first_use_is_told_and_the_summary_counts(p):
    deprecated(p)
    out = p.run("run")
    has(out, MISSING)
    equal(out.count("Found top-level arguments"), 1)
    summary = "[WARNING][DeprecationsSummary]: Deprecated functionality\nSummary of encountered deprecations:\n- MissingArgumentsPropertyInGenericTestDeprecation: 2 occurrences\n"
    has(out, summary + "To see all deprecation instances instead of just the first occurrence of each,\nrun command again")
    assert out.index("Done. PASS=1") < out.index("DeprecationsSummary"), out
    out = p.run("run", "--show-all-deprecations")
    equal(out.count("Found top-level arguments"), 2)
    assert out.endswith(summary.split("\n", 1)[1]), out


@case
def arguments_where_dbt_wants_them_are_not_told(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/s.yml", "models: [{name: a, columns: [{name: id, data_tests: [{accepted_values: {arguments: {values: [1]}, config: {severity: warn}}}]}]}]")
    lacks(p.run("build"), "Deprecat")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {require_generic_test_arguments_property: false}\n")
    has(p.run("parse"), "[ArgumentsPropertyInGenericTestDeprecation]")


@case
def models_instead_of_select_is_deprecated(p):
    p.file("models/a.sql", "select 1 as id")
    has(p.run("run", "-m", "a"), "Usage of `--models`, `--model`, and `-m` is deprecated in favor of `--select` or\n`-s`.")
    lacks(p.run("run", "-s", "a"), "deprecated")


@case
def the_text_is_as_wide_as_asked(p):
    deprecated(p)
    has(p.run("parse", "--printer-width", "200"), "[WARNING][MissingArgumentsPropertyInGenericTestDeprecation]: Deprecated functionality\nFound top-level")


@case
def warnings_become_errors_or_silent_by_group_and_name(p):
    deprecated(p)
    name = "MissingArgumentsPropertyInGenericTestDeprecation"
    for options in ["{error: all}", "{include: all, exclude: [WEOIncludeExcludeDeprecation]}", "{error: [Deprecations]}", "{error: [%s]}" % name, "{error: '*'}"]:
        has(p.run("parse", "--warn-error-options", options, status=2), name)
    for options in ["{error: all, warn: [Deprecations]}", "{error: all, warn: [%s]}" % name, "{warn: [Deprecations]}"]:
        has(p.run("parse", "--warn-error-options", options), name)
    for options in ["{silence: [Deprecations, DeprecationsSummary]}", "{error: all, silence: [Deprecations]}"]:
        lacks(p.run("parse", "--warn-error-options", options), "Found top-level")
    has(p.run("parse", "--warn-error", status=2), name)
    has(p.run("parse", "--warn-error-options", "{include: []}"), "Please use `error`\ninstead of `include`.")
    has(p.run("parse", "--warn-error-options", "{include: [DeprecatedModel], error: [DeprecatedModel]}", status=2), "warn_error_options")
    has(p.run("parse", "--warn-error-options", "{errors: all}", status=2), "'errors' is no key of warn_error_options")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {warn_error_options: {error: [Deprecations]}}\n")
    has(p.run("parse", status=2), name)
    p.run("parse", env={"DBT_WARN_ERROR_OPTIONS": "{silence: [Deprecations]}"})


def contracts(p, materialized, columns, versioned):
    p.file("models/m.yml", f"""models:
  - name: plain
    config: {{contract: {{enforced: true}}, materialized: {materialized}}}
    columns: [{columns}]
  - name: ver
    latest_version: 1
    config: {{contract: {{enforced: true}}}}
    columns: [{versioned}]
    versions: [{{v: 1}}]
""")


@case
def a_broken_contract_warns_and_of_a_version_fails(p):
    p.file("models/plain.sql", "select 1 as id, 'a' as gone, 'b' as t")
    p.file("models/ver_v1.sql", "select 1 as id")
    contracts(p, "table", "{name: id, data_type: int, constraints: [{type: not_null}]}, {name: gone, data_type: text}, {name: t, data_type: 'varchar(3)'}", "{name: id, data_type: int}")
    p.run("parse")
    shutil.copytree(p.dir / "target", p.dir / "state")
    contracts(p, "table", "{name: id, data_type: int, constraints: [{type: not_null}]}, {name: gone, data_type: text}, {name: t, data_type: 'varchar(30)'}, {name: more, data_type: int}", "{name: id, data_type: int}")
    lacks(p.run("compile", "-s", "state:modified", "--state", "state"), "Breaking")
    contracts(p, "view", "{name: id, data_type: text}, {name: t, data_type: text}", "{name: id, data_type: int}")
    out = p.run("compile", "-s", "state:modified", "--state", "state")
    has(out, """[WARNING]: Breaking change to contracted, unversioned model plain (models/plain.sql)
While comparing to previous project state, dbt detected a breaking change to an unversioned model.
  - Columns were removed: 
    - gone
  - Columns with data_type changes: 
    - id (int -> text)
    - t (varchar(3) -> text)
  - Enforced column level constraints were removed: 
    - 'not_null' constraint on column id
  - Materialization changed with enforced constraints: 
    - table -> view
""")
    lacks(p.run("compile", "-s", "state:new", "--state", "state"), "Breaking")
    has(p.run("compile", "-s", "state:modified", "--state", "state", "--warn-error-options", "{error: [UnversionedBreakingChange]}", status=2), "Columns were removed")
    contracts(p, "table", "{name: id, data_type: int}", "{name: x, data_type: int}")
    out = p.run("compile", "-s", "state:modified.contract", "--state", "state", status=2)
    has(out, "Breaking change to contract Error in model ver (models/ver_v1.sql)")
    has(out, "Otherwise, create a new model version")


@case
def names_with_spaces_are_refused_or_deprecated(p):
    p.file("models/my model.sql", "select 1 as id")
    out = p.run("parse", status=2)
    has(out, "Resource names cannot contain spaces:")
    has(out, "  * 'model.p.my model' (models/my model.sql)")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {require_resource_names_without_spaces: false}\n")
    has(p.run("parse"), "- ResourceNamesWithSpacesDeprecation: 1 occurrence")


@case
def concurrent_batches_are_told_to_run_one_by_one(p):
    p.file("models/a.sql", "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='t', begin='2024-01-01', batch_size='year', concurrent_batches=true) }} select 1 as id, timestamp '2024-02-02' as t")
    has(p.run("parse"), "Found 1 microbatch model with the `concurrent_batches` config set to true, but the duckdb adapter")


@case
def the_results_tell_every_flag(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("run", "--select", "a", "--full-refresh")
    args = json.loads((p.dir / "target/run_results.json").read_text())["args"]
    equal({k: args[k] for k in ("which", "select", "exclude", "full_refresh", "printer_width", "log_level", "require_generic_test_arguments_property")},
          {"which": "run", "select": ["a"], "exclude": [], "full_refresh": True, "printer_width": 80, "log_level": "info", "require_generic_test_arguments_property": True})


def profile(p, **keys):
    p.file("profiles.yml", json.dumps({"p": {"target": "dev", "outputs": {"dev": {"type": "duckdb", "path": "p.duckdb", **keys}}}}))


@case
def keys_of_python_are_named(p):
    p.file("models/a.sql", "select 1 as id")
    profile(p, filesystems=[{"fs": "s3"}], module_paths=["x"], use_credential_provider="aws", keep_open=False)
    out = p.run("run")
    for key in ("filesystems", "module_paths", "use_credential_provider"):
        has(out, f"[WARNING]: '{key}' of the profile has no effect")
    profile(p, remote={"host": "h", "port": 1, "user": "u"})
    has(p.run("run", status=2), "'remote' of the profile names a Buena Vista server")
    profile(p, path="md:x")
    has(p.run("run", status=2), "MotherDuck")
    profile(p, plugins=[{"module": "gsheet"}])
    has(p.run("run"), "plugin 'gsheet' of the profile is Python code that does not run here")


@case
def attached_databases_are_read_and_written(p):
    profile(p, attach=[{"path": "other.duckdb", "alias": "oth"}])
    p.file("models/a.sql", "{{ config(materialized='table', database='oth') }} select 7 as id")
    p.file("models/b.sql", "select * from {{ ref('a') }}")
    p.run("run")
    p.run("run")
    profile(p, path="third.duckdb", attach=[{"path": "other.duckdb", "alias": "oth", "read_only": True}])
    equal(json.loads(p.run("show", "--quiet", "--output", "json", "--inline", "select * from oth.main.a"))["show"], [{"id": 7}])
    has(p.run("run", status=1), "read-only")
    profile(p, attach=[{"path": "nowhere/x.duckdb", "read_only": True}])
    has(p.run("run", status=2), "attaching 'nowhere/x.duckdb' of the profile")


@case
def settings_and_config_options_reach_duckdb(p):
    profile(p, settings={"TimeZone": "Asia/Tokyo"}, config_options={"default_order": "DESC"})
    equal(json.loads(p.run("show", "--quiet", "--output", "json", "--inline", "select current_setting('TimeZone') as z, lower(current_setting('default_order')) as o"))["show"], [{"z": "Asia/Tokyo", "o": "desc"}])
    profile(p, settings={"no_such_setting": 1})
    has(p.run("debug", status=1), "no_such_setting")


@case
def a_file_that_is_held_is_tried_again(p):
    p.file("models/a.sql", "select 1 as id")
    profile(p, retries={"connect_attempts": 10})
    holder = subprocess.Popen([sys.executable, "-c", "import duckdb, sys; c = duckdb.connect('p.duckdb'); print('held', flush=True); sys.stdin.readline()"], cwd=p.dir, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        holder.stdout.readline()
        run = subprocess.Popen([TARN, "run"], cwd=p.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        log = p.dir / "logs/dbt.log"
        while not (log.exists() and "Concurrency: " in log.read_text()):  # what comes then is the file
            assert run.poll() is None, run.communicate()
            time.sleep(0.05)
        time.sleep(1)
        assert run.poll() is None, run.communicate()
        holder.communicate("go\n")
        out = run.communicate(timeout=600)[0]
        equal((run.returncode, "PASS=1" in out), (0, True))
    finally:
        holder.kill()


@case
def nodes_run_though_the_start_hook_failed_when_told(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\non-run-start: [select * from nowhere]\n")
    p.file("models/a.sql", "select 1 as id")
    has(p.run("run", status=1), "SKIP=1")
    p.file("dbt_project.yml", "name: p\nprofile: p\non-run-start: [select * from nowhere]\nflags: {skip_nodes_if_on_run_start_fails: false}\n")
    has(p.run("run", status=1), "PASS=1 WARN=0 ERROR=1 SKIP=0")


@case
def ls_tells_warnings_beside_its_list(p):
    """As dbt does, on standard output; --quiet leaves the list."""
    p.file("dbt_project.yml", "name: p\nprofile: p\nmodels: {q: {+tags: x}}\n")
    p.file("models/a.sql", "select 1 as id")
    p.file("models/a.yml", "models: [{name: a, columns: [{name: id, tests: [accepted_values: {values: [1]}]}]}]\n")
    for more, listed in ([], "p.a\n"), (["--output", "json"], '{"name": "a", '), (["--output", "name"], "\na\n"):
        out = p.run("ls", *more)
        for said in "Running with dbt", "[WARNING][MissingArgumentsPropertyInGenericTestDeprecation]", "which do not apply to any resources.", "Found 1 model", listed, "Summary of encountered":
            has(out, said)
    equal(p.run("-q", "ls"), "p.a\np.accepted_values_a_id__1\n")
    out = p.run("--log-level", "warn", "ls", "-s", "a", "nothing")
    has(out, "[WARNING]: The selection criterion 'nothing' does not match any enabled nodes")
    lacks(out, "Running with")
    has(p.run("ls", "-s", "nothing"), "[WARNING]: No nodes selected!\n")
    has(p.run("--warn-error-options", "{error: [NoNodesSelected]}", "ls", "-s", "nothing", status=2), "No nodes selected!")


if __name__ == "__main__":
    sys.exit(main())
