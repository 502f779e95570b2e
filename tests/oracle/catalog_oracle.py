"""Compares the catalog.json of `docs generate` of tarn and of real dbt over one database that tarn has built.

    python tests/oracle/catalog_oracle.py [--tarn PROGRAM]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from both_programs import DBT, arguments, write

FILES = {
    "dbt_project.yml": "name: p\nprofile: p\nmodels: {p: {+persist_docs: {relation: true, columns: true}}}\n",
    "profiles.yml": "p:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: p.duckdb}\n",
    "seeds/s.csv": "id,Name\n1,a\n",
    "models/a.sql": "{{ config(materialized='table') }} select 1 as x, 2.5 as \"Y y\", {'k': [1]} as s, date '2024-01-01' as d",
    "models/b.sql": "{{ config(schema='Other') }} select * from {{ ref('a') }}",
    "models/c.sql": "{{ config(materialized='ephemeral') }} select 1 as n",
    "models/d.sql": "{{ config(materialized='incremental', alias='dd') }} select * from {{ ref('c') }}",
    "models/e.yml": "models: [{name: a, description: words, columns: [{name: x, description: a number}]}]\n"
                    "sources: [{name: main, tables: [{name: a, data_tests: [{unique: {column_name: x, config: {store_failures: true}}}]}, {name: none}]}]\n",
    "snapshots/h.sql": "{% snapshot h %}{{ config(unique_key='x', strategy='check', check_cols='all') }} select 1 as x{% endsnapshot %}",
}


def main():
    tarn = arguments().parse_args().tarn
    work = tempfile.mkdtemp(prefix="catalog-oracle-")
    write(work, FILES)
    subprocess.run([tarn, "--quiet", "build"], cwd=work, check=True)
    got = {}
    for name, program in (("dbt", DBT), ("tarn", tarn)):
        subprocess.run([program, "--quiet", "docs", "generate"], cwd=work, check=True)
        with open(os.path.join(work, "target", "catalog.json")) as f:
            got[name] = json.load(f)
    shutil.rmtree(work, ignore_errors=True)
    count = bad = 0
    for section in ("nodes", "sources", "errors"):
        a, b = got["dbt"][section] or {}, got["tarn"][section] or {}
        for key in sorted(set(a) | set(b)):
            count += 1
            if a.get(key) != b.get(key):
                bad += 1
                print("%s\n    dbt:  %s\n    tarn: %s" % (key, a.get(key), b.get(key)))
    bad += set(got["dbt"]) != set(got["tarn"]) or set(got["dbt"]["metadata"]) != set(got["tarn"]["metadata"])
    print("%d relations compared, %d differences" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
