"""Compares where deferred refs go with tarn and with real dbt: a project built as `prod`, then compiled and run as `dev` with and without deferral.

    python tests/oracle/defer_oracle.py [--tarn PROGRAM]

Each program makes its own state and its own database; compiled SQL and what lies in both schemas at the end are compared.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from both_programs import DBT, arguments, write

FILES = {
    "dbt_project.yml": "name: p\nprofile: p\n",
    "profiles.yml": "p:\n  target: dev\n  outputs:\n    prod: {type: duckdb, path: p.duckdb, schema: prod}\n    dev: {type: duckdb, path: p.duckdb, schema: dev}\n",
    "seeds/s.csv": "id,name\n1,a\n",
    "models/a.sql": "{{ config(materialized='table') }} select id, '{{ target.name }}' as made from {{ ref('s') }}",
    "models/b.sql": "{{ config(materialized='table') }} select made, '{{ this.schema }}' as here from {{ ref('a') }}",
    "models/c.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('b') }}",
    "models/d.sql": "select * from {{ ref('c') }}",
    "models/i.sql": "{{ config(materialized='incremental') }} select 1 as n from {{ ref('a') }} {% if is_incremental() %} where 1 = 0 {% endif %}",
    "models/t.yml": "models: [{name: d, columns: [{name: made, data_tests: [not_null]}]}]\n",
}
DEFER = ["--defer", "--state", "prod-run"]
STEPS = [
    ["build", "--target", "prod", "--target-path", "prod-run"],
    ["compile", "--select", "b", *DEFER],
    ["compile", "--select", "a b d", *DEFER],
    ["run", "--select", "b", *DEFER],
    ["run", "--select", "i", *DEFER],
    ["compile", "--select", "d", *DEFER],
    ["compile", "--select", "d", *DEFER, "--favor-state"],
    ["compile", "--select", "b d", *DEFER, "--favor-state"],
    ["build", "--select", "d", *DEFER, "--favor-state"],
    ["test", "--select", "d", "--defer", "--defer-state", "prod-run"],
    ["seed", *DEFER],
    ["compile", "--select", "a", *DEFER],
    ["compile", "--select", "a", "--defer"],
    ["compile", "--select", "a", "--defer", "--state", "nowhere"],
    ["run", "--select", "state:modified", "--state", "prod-run"],
    ["run"],
    ["compile"],
]


def tree(folder):
    found = {}
    for at, _, names in os.walk(os.path.join(folder, "target", "compiled")):
        for name in names:
            with open(os.path.join(at, name)) as f:
                found[os.path.relpath(os.path.join(at, name), folder)] = " ".join(f.read().split())  # blanks differ
    return found


def relations(path):
    import duckdb

    with duckdb.connect(path, read_only=True) as con:
        names = con.execute("select table_schema, table_name from information_schema.tables where table_schema in ('dev', 'prod') order by all").fetchall()
        return {n: con.execute('select * from "%s"."%s" order by all' % n).fetchall() for n in names}


def main():
    tarn = arguments().parse_args().tarn
    work = tempfile.mkdtemp(prefix="defer-oracle-")
    folders = {}
    for name in ("dbt", "tarn"):
        folders[name] = os.path.join(work, name)
        write(folders[name], FILES)
    bad = 0
    for step in STEPS:
        got = {}
        for name, program in (("dbt", DBT), ("tarn", tarn)):
            shutil.rmtree(os.path.join(folders[name], "target"), ignore_errors=True)
            run = subprocess.run([program, "--quiet", *step], cwd=folders[name], capture_output=True, text=True)
            got[name] = (run.returncode, tree(folders[name]) if run.returncode == 0 else None, relations(os.path.join(folders[name], "p.duckdb")))
        for what, a, b in zip(("status", "compiled SQL", "relations"), got["dbt"], got["tarn"]):
            if a != b:
                bad += 1
                print("%s: %s\n    dbt:  %s\n    tarn: %s" % (" ".join(step), what, a, b))
    shutil.rmtree(work, ignore_errors=True)
    print("%d commands compared, %d differences" % (len(STEPS), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
