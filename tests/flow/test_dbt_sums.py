"""What manifest.json says for another dbt that takes it as a state: checksums of contracts and seeds, arguments of macros."""
import hashlib, json, sys

from dbt_flow import case, equal, main


def manifest(p, *options):
    p.run("parse", *options)
    return json.loads((p.dir / "target/manifest.json").read_text())


@case
def contracts_have_a_checksum(p):
    p.file("models/a.sql", "{{ config(materialized='table') }} select 1 as id, 'x' as b")
    p.file("models/loose.sql", "select 1 as id")
    entry = ("models:\n  - {name: loose, columns: [{name: id, data_type: int}]}\n  - name: a\n    config: {contract: {enforced: true}}\n"
             "    constraints: [{type: primary_key, columns: [id]}]\n    columns:\n      - {name: id, data_type: int%s}\n      - {name: b, data_type: varchar}\n")
    p.file("models/a.yml", entry % ", constraints: [{type: not_null}]")
    nodes = manifest(p)["nodes"]
    equal(nodes["model.p.loose"]["contract"], {"enforced": False, "alias_types": True, "checksum": None})
    rest = "name=None, expression=None, warn_unenforced=True, warn_unsupported=True, to=None, to_columns=[]"
    text = ("|bvarchar[]|idint[ColumnLevelConstraint(type=<ConstraintType.not_null: 'not_null'>, %s)]table"
            "[ModelLevelConstraint(type=<ConstraintType.primary_key: 'primary_key'>, %s, columns=['id'])]" % (rest, rest))
    equal(nodes["model.p.a"]["contract"]["checksum"], hashlib.sha256(text.encode()).hexdigest())
    p.file("models/a.yml", entry % "")
    text = text.replace("[ColumnLevelConstraint(type=<ConstraintType.not_null: 'not_null'>, %s)]" % rest, "[]")
    equal(manifest(p)["nodes"]["model.p.a"]["contract"]["checksum"], hashlib.sha256(text.encode()).hexdigest())


@case
def large_seeds_are_told_by_their_path_unless_allowed(p):
    text = "x\n" + "1234567\n" * (1 << 17)
    p.file("seeds/s.csv", text)
    whole = {"name": "sha256", "checksum": hashlib.sha256(text.strip().encode()).hexdigest()}
    seed = lambda *o: manifest(p, *o)["nodes"]["seed.p.s"]["checksum"]
    equal(seed(), {"name": "path", "checksum": "seeds/s.csv"})
    equal(seed("--maximum-seed-size-mib", "2"), whole)
    equal(seed("--maximum-seed-size-mib", "0"), whole)
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nflags: {maximum_seed_size_mib: 3}\n")
    equal(seed(), whole)
    equal(seed("--maximum-seed-size-mib", "1"), {"name": "path", "checksum": "seeds/s.csv"})


@case
def macros_have_the_arguments_of_their_signature(p):
    p.file("macros/m.sql", "{% macro two(a, b='x') %}{% endmacro %}{% macro none() %}{% endmacro %}{% macro said(n) %}{% endmacro %}")
    p.file("macros/m.yml", "macros: [{name: said, arguments: [{name: n, type: int}]}]\n")
    named = lambda *names: [{"name": n, "type": None, "description": ""} for n in names]
    macros = manifest(p)["macros"]
    equal(macros["macro.p.two"]["arguments"], named("a", "b"))
    equal(macros["macro.p.none"]["arguments"], [])
    equal(macros["macro.p.said"]["arguments"], [{"name": "n", "type": "int", "description": ""}])
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nflags: {validate_macro_args: false}\n")
    macros = manifest(p)["macros"]
    equal([macros["macro.p." + m]["arguments"] for m in ("two", "said")], [[], [{"name": "n", "type": "int", "description": ""}]])


if __name__ == "__main__":
    sys.exit(main())
