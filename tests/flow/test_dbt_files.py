#!/usr/bin/env python3
"""Which files and packages make a project, and the commands that work on one that does not load: deps, clean, debug."""
import json, sys

from dbt_flow import case, equal, has, lacks, main


def manifest(p):
    return json.loads((p.dir / "target/manifest.json").read_text())


@case
def endings_of_jinja_are_endings_when_the_flag_says_so(p):
    p.file("models/m_v1.sql.j2", "select 1 as id")
    p.file("models/m_v2.sql.jinja", "select {{ two() }} as id")
    p.file("models/m.yml", "models: [{name: m, description: \"{{ doc('d') }}\", versions: [{v: 1}, {v: 2}]}]\n")
    p.file("models/d.md.jinja2", "{% docs d %}told{% enddocs %}")
    p.file("models/other.sql", "select * from {{ ref('m') }}")
    p.file("macros/two.sql.jinja2", "{% macro two() %}2{% endmacro %}")
    p.file("tests/t.sql.j2", "select * from {{ ref('m', v=2) }} where id <> 2")
    has(p.run("parse", status=2), "depends on a node named 'm' which was not found")
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {allow_jinja_file_extensions: true}\n")
    p.run("build")
    equal(p.results(), {"m": "success", "other": "success", "t": "pass"})
    m = manifest(p)
    equal(m["nodes"]["model.p.m.v2"]["description"], "told")
    equal(m["nodes"]["model.p.m.v1"]["path"], "m_v1.sql.j2")


@case
def deps_need_no_variables_that_only_models_use(p):
    p.file("own/dbt_project.yml", "name: own\nversion: '1.0'\n")
    p.file("dbt_project.yml", "name: p\nprofile: p\nmodels: {+materialized: \"{{ var('how') }}\"}\n")
    p.file("packages.yml", "packages: [{local: own}]\n")
    has(p.run("deps"), "Installed from <local @ own>")
    p.file("packages.yml", "packages: [{local: \"{{ var('where') }}\"}]\n")
    has(p.run("deps", status=2), "Required var 'where' not found")
    p.run("deps", "--vars", "where: own")
    for command in ("parse", "debug", "clean"):
        out = p.run(command, status=2)
        has(out, "Encountered an error:\nCompilation Error\n  Could not render {{ var('how') }}: Required var 'how' not found in config:")
        lacks(out, "Connection test")


@case
def packages_have_names_of_their_own(p):
    p.file("dbt_packages/one/dbt_project.yml", "name: p\nversion: '1.0'\n")
    has(p.run("parse", status=2), 'dbt found more than one package with the name "p" included in this project.')
    p.file("dbt_project.yml", "name: p\nprofile: p\nclean-targets: [dbt_packages]\n")
    p.run("clean")
    assert not (p.dir / "dbt_packages").exists()
    p.run("parse")


@case
def a_ref_out_of_a_package_into_the_root_is_told(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("own/dbt_project.yml", "name: own\nversion: '1.0'\n")
    p.file("own/models/a.sql", "select 2 as id")
    p.file("own/models/b.sql", "select * from {{ ref('a') }}")
    p.file("models/a.yml", "models: [{name: a, config: {schema: s}}]\n")
    p.file("packages.yml", "packages: [{local: own}]\n")
    lines = [json.loads(line) for line in p.run("--log-format", "json", "parse").splitlines()]
    (told,) = [e["data"] for e in lines if e["info"]["name"] == "PackageNodeDependsOnRootProjectNode"]
    equal((told["node_name"], told["package_name"], told["root_project_unique_id"]), ("b", "own", "model.p.a"))


@case
def doc_blocks_are_what_the_text_names(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/d.md", "{% docs one %}1{% enddocs %}{% docs two %}2{% enddocs %}")
    p.file("models/a.yml", """models:
  - name: a
    description: |-
      {{ doc('one') }} and {{- doc( 'p', "two" ) -}}, {{ doc('one') | upper }} {{ doc('o' ~ 'ne') }} {{ 'doc(1)' }}
    columns: [{name: id, description: "{{ doc('two').format(x=1) }}"}]
""")
    p.run("parse")
    node = manifest(p)["nodes"]["model.p.a"]
    equal((node["description"], node["doc_blocks"]), ("1 and2, 1 1 doc(1)", ["doc.p.one", "doc.p.two"]))
    equal((node["columns"]["id"]["description"], node["columns"]["id"]["doc_blocks"]), ("2", []))


@case
def docs_without_compiling_leave_the_manifest_as_it_is(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("run")
    before = manifest(p)
    p.run("docs", "generate", "--no-compile")
    equal(manifest(p), before)
    (p.dir / "target/manifest.json").unlink()
    p.run("docs", "generate", "--no-compile")
    assert not (p.dir / "target/manifest.json").exists()
    p.run("docs", "generate", "--no-compile", "--static")  # the page has one inside
    node = manifest(p)["nodes"]["model.p.a"]
    assert not node.get("compiled") and not node.get("compiled_code"), node


@case
def an_ephemeral_model_that_is_asked_for_has_a_result(p):
    p.file("models/e.sql", "{{ config(materialized='ephemeral') }}select 1 as id")
    p.file("models/f.sql", "{{ config(materialized='ephemeral') }}select * from {{ ref('e') }}")
    p.run("compile", "--select", "f", "--no-inject-ephemeral-ctes")
    (r,) = json.loads((p.dir / "target/run_results.json").read_text())["results"]
    equal((r["unique_id"], r["compiled_code"]), ("model.p.f", "select * from __dbt__cte__e"))
    p.run("compile")
    equal(p.results(), {})


sys.exit(main())
