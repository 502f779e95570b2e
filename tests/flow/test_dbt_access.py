"""Who may read a model: access, groups, restrict-access of packages; and what foreign keys name in a run's manifest. The words are dbt's."""
import json, sys

from dbt_flow import case, equal, has, main

GROUPS = "groups: [{name: finance, owner: {name: f}}, {name: a, owner: {email: a@b.c}}]\n"


def refused(p, words, *command):
    has(p.run(*(command or ("parse",)), status=2), words)


@case
def a_private_model_is_for_its_group(p):
    p.file("models/g.yml", GROUPS)
    p.file("models/m.yml", "models: [{name: a, access: private, group: finance}, {name: b, group: finance}]\n")
    p.file("models/a.sql", "select 1 as a")
    p.file("models/b.sql", "select * from {{ ref('a') }}")
    p.file("tests/own.sql", "{{ config(group='finance') }} select * from {{ ref('a') }} where false")
    p.run("build")
    p.run("show", "--inline", "select * from {{ ref('a') }}")
    p.file("models/x.yml", "exposures: [{name: e, type: dashboard, owner: {name: x}, depends_on: [ref('a')]}]\n")
    refused(p, "Parsing Error\n  Node exposure.p.e attempted to reference node model.p.a, which is not allowed because the referenced node is private to the 'finance' group.")
    p.file("models/x.yml", "")
    p.file("models/m.yml", "models: [{name: a, access: private, group: finance}, {name: b, group: a}]\n")
    refused(p, "Node model.p.b attempted to reference node model.p.a")


@case
def values_that_are_none(p):
    p.file("models/a.sql", "select 1 as a")
    p.file("models/g.yml", GROUPS)
    p.file("models/m.yml", "models: [{name: a, access: secret}]\n")
    refused(p, "Parsing Error\n  Node model.p.a has an invalid value (secret) for the access field")
    p.file("models/m.yml", "models: [{name: a, access: public, config: {materialized: ephemeral}}]\n")
    refused(p, "Node model.p.a with 'ephemeral' materialization has an invalid value (public) for the access field")
    p.file("models/m.yml", "models: [{name: a, group: sales}]\n")
    refused(p, "Parsing Error in model a (models/a.sql)\n  Invalid group 'sales', expected one of ['a', 'finance']")


@case
def a_package_may_keep_its_models_to_itself(p):
    p.file("packages.yml", "packages: [{local: inner}]\n")
    p.file("inner/dbt_project.yml", "name: inner\nprofile: p\nrestrict-access: true\n")
    p.file("inner/models/g.yml", GROUPS)
    for name, access in (("kept", "protected"), ("own", "private"), ("open", "public")):
        p.file(f"inner/models/{name}.sql", "{{ config(access='%s'%s) }} select 1 as a" % (access, ", group='finance'" if access == "private" else ""))
    p.file("inner/models/uses.sql", "select * from {{ ref('kept') }}")
    p.file("models/m.sql", "select * from {{ ref('inner', 'open') }}")
    p.run("deps")
    p.run("build")
    p.file("models/m.sql", "select * from {{ ref('inner', 'kept') }}")
    refused(p, "Node model.p.m attempted to reference node model.inner.kept, which is not allowed because the referenced node is protected to the 'inner' package.")
    p.file("models/m.sql", "{{ config(group='finance') }} select * from {{ ref('inner', 'own') }}")
    refused(p, "the referenced node is private to the 'finance' group.")


KEYS = """models:
  - name: b
    config: {contract: {enforced: true}, materialized: table}
    constraints: [{type: foreign_key, columns: [id], to: "ref('a')", to_columns: [id]}]
    columns: [{name: id, data_type: integer}]
  - name: a
    config: {contract: {enforced: true}, materialized: table}
    columns: [{name: id, data_type: integer, constraints: [{type: primary_key}]}]
"""


@case
def foreign_keys_name_the_relation_once_compiled(p):
    p.file("models/m.yml", KEYS)
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "select 1 as id -- {{ ref('a') }}")
    p.file("macros/m.sql", "{% macro told() %}{% do log('to ' ~ model.constraints[0].to, info=true) if execute %}{% endmacro %}")
    p.file("dbt_project.yml", "name: p\nprofile: p\nmodels: {p: {b: {+post-hook: '{{ told() }}'}}}\n")
    to = lambda: json.loads((p.dir / "target/manifest.json").read_text())["nodes"]["model.p.b"]["constraints"][0]["to"]
    p.run("parse")
    equal(to(), "ref('a')")
    has(p.run("build"), 'to "p"."main"."a"')
    equal(to(), '"p"."main"."a"')


if __name__ == "__main__":
    sys.exit(main())
