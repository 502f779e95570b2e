"""Corners of commands and templates, each as dbt answers them: what is refused before the first node, and what is written of a look."""
import json, subprocess, sys, time

from dbt_flow import TARN, case, equal, has, main


@case
def relation_is_a_class_of_the_adapter(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/m.sql", "-- depends_on: {{ ref('a') }}\n{% set r = adapter.Relation.create(database='d', schema='s', identifier='i', type='table') %}\n"
           "select '{{ r }}' as r, '{{ r.type }}' as t, '{{ adapter.Relation.create(schema='x', identifier='y') == api.Relation.create(schema='x', identifier='y') }}' as same")
    p.run("run")
    shown = json.loads(p.call("show", "-s", "m", "--output", "json", "--quiet").stdout)
    equal(shown["show"][0], {"r": '"d"."s"."i"', "t": "table", "same": "True"})


@case
def clone_of_a_place_onto_itself_makes_no_relation(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "{{ config(materialized='table') }} select 2 as id")
    p.run("run", "-s", "a")
    out = p.run("clone", "--state", "target", status=1)
    has(out, "The state and target directories are the same: 'target'")
    has(out, 'Relation "p"."main"."a" already exists')
    has(out, "Table with name b does not exist")


@case
def looks_are_written_with_what_was_asked(p):
    p.file("models/a.sql", "select range as id from range(9)")
    p.run("run")
    p.run("show", "--inline", "select id from {{ ref('a') }}")
    written = json.loads((p.dir / "target/run_results.json").read_text())
    equal([r["unique_id"] for r in written["results"]], ["sql_operation.p.inline_query"])
    has(written["results"][0]["compiled_code"], "limit 5")
    equal(written["args"]["limit"], 5)
    p.run("show", "-s", "a", "--limit", "3")
    written = json.loads((p.dir / "target/run_results.json").read_text())
    has(written["results"][0]["compiled_code"], "limit 3")
    equal(list(json.loads((p.dir / "target/manifest.json").read_text())["nodes"]), ["model.p.a"])
    for i in range(40):
        p.file(f"models/m{i}.sql", f"{{{{ config(sql_header='set variable v = {i};') }}}}\nselect getvariable('v') as v, '{'x' * i * 40}' as x")
    p.run("show", "-s", "m*", "--threads", "4")
    for r in json.loads((p.dir / "target/run_results.json").read_text())["results"]:
        has(r["compiled_code"], "limit 5")


@case
def hooks_in_two_spellings_are_refused(p):
    for call in ("config({'pre_hook': 'select 1', 'pre-hook': 'select 2'})", "config(**{'post_hook': 'select 1', 'post-hook': 'select 2'})"):
        p.file("models/a.sql", "{{ " + call + " }} select 1 as id")
        word = "pre" if "pre" in call else "post"
        has(p.run("parse", status=2), f'Invalid config, has conflicting keys "{word}_hook" and "{word}-hook"')


@case
def seeds_depend_on_nothing(p):
    p.file("seeds/s.csv", "id\n1\n")
    p.file("models/m.sql", "select 1 as id")
    p.file("dbt_project.yml", "name: p\nprofile: p\nseeds:\n  p:\n    +post-hook: \"select * from {{ ref('m') }}\"\n")
    out = p.run("parse", status=2)
    has(out, "Parsing Error\n  Seeds cannot depend on other nodes. dbt detected a seed with a pre- or post-hook")
    has(out, "Error raised for 'seed.p.s'")
    has(out, "- post_hook: \"select * from {{ ref('m') }}\"")


@case
def query_comment_is_looked_at_before_the_first_node(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("dbt_project.yml", "name: p\nprofile: p\nquery-comment: 'ends */ here'\n")
    out = p.run("run", status=2)
    has(out, 'query comment contains illegal value "*/": ends */ here')
    equal("START" in out, False)


@case
def debug_blames_the_file_that_is_wrong(p):
    p.file("dbt_project.yml", "invalid-key: 1\n")
    has(p.run("debug", "--connection", "--profile", "NONE", status=1), "Could not find profile named 'NONE'")
    out = p.run("debug", "--profiles-dir", "NONE", status=1)
    has(out, "Using profiles dir at NONE")
    has(out, "dbt looked for a profiles.yml file in NONE/profiles.yml")


@case
def project_folder_that_is_not_there(p):
    for command in ("debug", "run"):
        has(p.run(command, "--project-dir", "nowhere", status=2), "Invalid value for '--project-dir': Path 'nowhere' does not exist.")


@case
def what_templates_say_while_they_are_parsed(p):
    p.file("macros/say.sql", "{% macro say(x) %}{{ log('log ' ~ x ~ ' ' ~ execute, info=True) }}{{ print('print ' ~ x ~ ' ' ~ execute) }}{{ log('debug ' ~ x) }}{% endmacro %}")
    p.file("models/a.sql", "{% do say('a') %}select 1 as id")
    first = p.run("run")
    has(first, "  log a False\nprint a False\n")
    has(first, "  log a True\nprint a True\n")
    again = p.run("run")
    equal("a False" in again, False)
    has(again, "print a True")
    has(p.run("parse", "--no-partial-parse"), "print a False")
    equal("debug a" in first + again, False)


@case
def grants_are_told_once_to_have_no_effect(p):
    p.file("models/a.sql", "{{ config(grants={'select': ['someone']}) }}select 1 as id")
    p.file("models/b.sql", "{{ config(grants={'select': ['someone']}) }}select 1 as id")
    out = p.run("run")
    has(out, "DuckDB adapter: Grants for relations are not supported by DuckDB")
    equal(out.count("Grants for relations"), 1)


@case
def statements_are_asked_again(p):
    def with_retries(text):
        p.file("profiles.yml", f"p:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: p.duckdb, retries: {text}}}\n")

    p.file("models/m.sql", "select * from read_csv('late.csv')")
    for text in ("{connect_attempts: 2}", "{query_attempts: 3, retryable_exceptions: [CatalogException]}", "{query_attempts: 1}"):
        with_retries(text)
        has(p.run("run", status=1), "IO Error: No files found that match the pattern")
    with_retries("{query_attempts: 10}")
    run = subprocess.Popen([TARN, "run"], cwd=p.dir, env=p.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while "1 of 1 START" not in (line := run.stdout.readline()):
        assert line, "it has ended"
    time.sleep(0.5)  # for the first try; the file comes while it waits for the next
    p.file("late.part", "id\n1\n")
    (p.dir / "late.part").rename(p.dir / "late.csv")
    out, _ = run.communicate(timeout=600)
    equal((run.returncode, "PASS=1" in out), (0, True))


if __name__ == "__main__":
    sys.exit(main())
