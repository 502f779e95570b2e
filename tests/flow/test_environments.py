"""Two environments of one lake: each sees only what it wrote itself or what it began with, whatever the other does meanwhile."""
import json, pathlib, shutil
from lake_flow import case, equal, has, main

import duckdb
from deltalake import DeltaTable

PROFILE = """env:
  target: dev
  outputs:
    dev: {type: tarn, lake: lake, schema: main, threads: 2}
    prod: {type: tarn, lake: lake, schema: main, threads: 2}
"""
GROWN = ("{{ config(materialized='incremental', incremental_strategy='append', partition_by=['p']) }}\n"
         "select {{ var('id') }} as id, '{{ target.name }}' as who, {{ var('id') }} % 2 as p\n")
WHOLE = "{{ config(materialized='table') }} select '{{ target.name }}' as who, count(*) as n from {{ ref('grown') }}\n"


def project(lake):
    lake.file("dbt_project.yml", "name: env\nversion: '1.0'\nprofile: env\n")
    lake.file("profiles.yml", PROFILE)
    lake.file("models/grown.sql", GROWN)
    lake.file("models/whole.sql", WHOLE)
    lake.env.pop("TARN_LAKE")


def build(lake, target, number, *more, status=0):
    return lake.run("build", "--target", target, "--vars", json.dumps({"id": number}), *more, status=status)


def seen(lake, env, sql):
    with duckdb.connect(str(lake.root / f"catalog/{env}.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def places(lake, env):
    return dict(seen(lake, env, "select name, location from _tarn.pins"))


@case
def two_that_began_apart(lake):
    project(lake)
    build(lake, "prod", 1)
    build(lake, "dev", 11)
    build(lake, "prod", 2)
    build(lake, "dev", 12)
    build(lake, "dev", 13)
    build(lake, "prod", 3)
    rows = "select id, who from main.grown order by id"
    equal(seen(lake, "prod", rows), [(1, "prod"), (2, "prod"), (3, "prod")])
    equal(seen(lake, "dev", rows), [(11, "dev"), (12, "dev"), (13, "dev")])
    equal(seen(lake, "prod", "select * from main.whole"), [("prod", 3)])
    equal(seen(lake, "dev", "select * from main.whole"), [("dev", 3)])
    equal(places(lake, "prod"), {"grown": "main/grown", "whole": "main/whole"})
    equal(places(lake, "dev"), {"grown": "_tarn/tables/dev/main/grown", "whole": "_tarn/tables/dev/main/whole"})
    # readers of the newest version of prod's table see prod only
    newest = DeltaTable(str(lake.root / "main/grown")).file_uris()
    equal(duckdb.sql(f"select distinct who from read_parquet({newest})").fetchall(), [("prod",)])
    equal(DeltaTable(str(lake.root / "main/whole")).version(), 2)


@case
def one_that_was_branched(lake):
    project(lake)
    build(lake, "prod", 1)
    build(lake, "prod", 2)
    before = lake.parquet_files()
    lake.run("lake", "env", "create", "dev", "--from", "prod", "--lake", "lake")
    equal(lake.parquet_files(), before)
    equal(places(lake, "dev"), {"grown": "main/grown", "whole": "main/whole"})
    build(lake, "dev", 11)
    rows = "select id, who from main.grown order by id"
    equal(seen(lake, "dev", rows), [(1, "prod"), (2, "prod"), (11, "dev")])
    equal(DeltaTable(str(lake.root / "_tarn/tables/dev/main/grown")).metadata().partition_columns, ["p"])
    build(lake, "prod", 3)
    equal(seen(lake, "prod", rows), [(1, "prod"), (2, "prod"), (3, "prod")])
    equal(seen(lake, "dev", rows), [(1, "prod"), (2, "prod"), (11, "dev")])
    build(lake, "dev", 12)
    equal(seen(lake, "dev", rows), [(1, "prod"), (2, "prod"), (11, "dev"), (12, "dev")])
    build(lake, "dev", 13, "--full-refresh")
    equal(seen(lake, "dev", rows), [(13, "dev")])
    equal(seen(lake, "prod", rows), [(1, "prod"), (2, "prod"), (3, "prod")])


@case
def a_rejected_first_build_of_a_branch(lake):
    project(lake)
    lake.file("models/s.yml", "models:\n  - name: grown\n    columns: [{name: id, data_tests: [unique]}]\n")
    build(lake, "prod", 1)
    lake.run("lake", "env", "create", "dev", "--from", "prod", "--lake", "lake")
    build(lake, "dev", 1, status=1)
    rows = "select id, who from main.grown order by id"
    equal(seen(lake, "dev", rows), [(1, "prod")])
    build(lake, "dev", 2)
    equal(seen(lake, "dev", rows), [(1, "prod"), (2, "dev")])
    equal(seen(lake, "prod", rows), [(1, "prod")])


@case
def landing_and_sql_leave_tables_of_others_alone(lake):
    lake.file("a.csv", "id\n1\n")
    lake.run("land", "raw.a", "a.csv", "--env", "prod")
    lake.run("lake", "env", "create", "dev", "--from", "prod")
    data = len(lake.parquet_files())
    lake.run("sql", "--env", "dev", "insert into raw.a values (2, 'x', now()::timestamp)")
    equal(len(lake.parquet_files()), data + 1)  # the clone has copied nothing
    lake.run("land", "raw.a", "a.csv", "--env", "prod")
    lake.run("land", "raw.a", "a.csv", "--env", "dev")
    lake.run("sql", "--env", "dev", "delete from raw.a where id = 2")
    lake.run("land", "raw.b", "a.csv", "--env", "prod")
    lake.run("land", "raw.b", "a.csv", "--env", "dev")
    equal(DeltaTable(str(lake.root / "raw/a")).version(), 1)
    equal(DeltaTable(str(lake.root / "raw/b")).version(), 0)
    for env, n in (("prod", 2), ("dev", 2)):
        equal(lake.rows("select count(*) as n from raw.a", env={"TARN_ENV": env}), [{"n": n}])
        equal(lake.rows("select count(*) as n from raw.b", env={"TARN_ENV": env}), [{"n": 1}])
    equal(seen(lake, "dev", "select location, version from _tarn.pins order by 1"),
          [("_tarn/tables/dev/raw/a", 3), ("_tarn/tables/dev/raw/b", 0)])


if __name__ == "__main__":
    main()
