"""What readers see of a lake: DuckDB from Python, its command line, and its JDBC driver (DataGrip, Metabase), also while builds publish."""
import json, os, pathlib, shutil, subprocess, sys, time
from lake_flow import TARN, case, equal, has, main

import duckdb, pyarrow
from deltalake import write_deltalake

ROOT = pathlib.Path(os.environ["TARN_ROOT"])
SKIPPED = []


def seen(lake, sql, env="prod"):
    with duckdb.connect(str(lake.root / f"catalog/{env}.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def jdbc():
    done = subprocess.run([ROOT / "tools/duckdb-jdbc"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout.strip() if done.returncode == 0 else None


@case
def pinned_or_following(lake):
    lake.run("sql", "CREATE TABLE s.t AS SELECT 1 AS i")
    write_deltalake(str(lake.root / "s/t"), pyarrow.table({"i": pyarrow.array([2], pyarrow.int32())}), mode="append")
    equal(seen(lake, "select count(*) from s.t"), [(1,)])
    lake.run("lake", "catalog", "latest")
    extensions = lake.root / "catalog/extensions"
    with duckdb.connect(str(lake.root / "catalog/prod.duckdb"), read_only=True, config={"extension_directory": str(extensions)}) as con:
        con.execute("load delta")
        equal(con.execute("select count(*) from s.t").fetchall(), [(2,)])
        write_deltalake(str(lake.root / "s/t"), pyarrow.table({"i": pyarrow.array([3], pyarrow.int32())}), mode="append")
        equal(con.execute("select count(*) from s.t").fetchall(), [(3,)])
    init = (lake.root / "catalog/prod.init.sql").read_text()
    has(init, "LOAD delta")
    con = duckdb.connect()
    con.execute(init)
    equal(con.execute("select count(*) from prod.s.t").fetchall(), [(3,)])
    lake.run("sql", "INSERT INTO s.t VALUES (4)")  # the mode stays with the environment
    has((lake.root / "catalog/prod.init.sql").read_text(), "LOAD delta")
    lake.run("lake", "catalog", "pinned")
    equal(seen(lake, "select count(*) from s.t"), [(4,)])
    lake.run("lake", "catalog", "latest", "--env", "nobody", status=None)


@case
def the_command_line_client(lake):
    lake.run("sql", "CREATE TABLE s.t AS SELECT i FROM range(5) r(i)")
    client = str(pathlib.Path(sys.executable).parent / "duckdb")
    run = lambda *words: subprocess.run([client, *words], capture_output=True, text=True, cwd=lake.dir, stdin=subprocess.DEVNULL)
    done = run("-readonly", "-csv", "-noheader", str(lake.root / "catalog/prod.duckdb"), "select sum(i) from s.t")
    equal((done.stdout.strip(), done.returncode), ("10", 0))
    done = run("-init", str(lake.root / "catalog/prod.init.sql"), "-csv", "-noheader", "-c", "select sum(i) from prod.s.t")
    equal((done.stdout.strip().splitlines()[-1], done.returncode), ("10", 0))


@case
def a_copy_for_readers_elsewhere(lake):
    lake.run("sql", "CREATE TABLE s.t AS SELECT i FROM range(5) r(i)")
    out = json.loads(lake.run("lake", "catalog", "out", "--output", "json"))
    equal(sorted(p.name for p in (lake.dir / "out").iterdir()), ["prod.duckdb", "prod.init.sql"])
    with duckdb.connect(out["catalog"], read_only=True) as con:
        equal(con.execute("select sum(i) from s.t").fetchall(), [(10,)])
    lake.run("lake", "catalog", "latest")
    lake.run("lake", "catalog", "out2")
    assert (lake.dir / "out2/extensions/v1.5.5/linux_amd64/delta.duckdb_extension").exists()
    con = duckdb.connect()
    con.execute((lake.dir / "out2/prod.init.sql").read_text())
    equal(con.execute("select sum(i) from prod.s.t").fetchall(), [(10,)])


PROFILE = "r:\n  target: prod\n  outputs:\n    prod: {type: tarn, lake: lake, schema: main, threads: 2}\n"
SCHEMA = """version: 2
models:
  - name: a
    description: "All of it, and 'more'"
    data_tests: [{dbt_two: {arguments: {least: 1}}}]
    columns:
      - {name: i, description: the number, data_tests: [not_null, unique]}
      - {name: j}
  - name: v
    description: a view
    config: {materialized: view}
    columns: [{name: i, description: seen}]
"""
TEST = "{% test dbt_two(model, least) %} select 1 where (select count(*) from {{ model }}) < {{ least }} {% endtest %}"


@case
def comments(lake):
    lake.file("dbt_project.yml", "name: r\nversion: '1.0'\nprofile: r\nmodels:\n  +materialized: table\n")
    lake.file("profiles.yml", PROFILE)
    lake.file("models/a.sql", "select 1 as i, 2 as j")
    lake.file("models/v.sql", "select i from {{ ref('a') }}")
    lake.file("models/schema.yml", SCHEMA)
    lake.file("tests/generic/two.sql", TEST)
    lake.env.pop("TARN_LAKE")
    lake.run("build")
    equal(seen(lake, "select view_name, comment from duckdb_views() where schema_name = 'main' and not internal order by 1"),
          [("a", "All of it, and 'more'\nTests: dbt_two"), ("v", "a view")])
    equal(seen(lake, "select table_name, column_name, comment from duckdb_columns() where schema_name = 'main' and not internal order by 1, 2"),
          [("a", "i", "the number\nTests: not_null, unique"), ("a", "j", None), ("v", "i", "seen")])


@case
def readers_while_builds_publish(lake):
    """Three tables that a build changes together: whoever reads sees all of one state."""
    lake.file("dbt_project.yml", "name: r\nversion: '1.0'\nprofile: r\nmodels:\n  +materialized: table\n")
    lake.file("profiles.yml", PROFILE)
    lake.file("models/a.sql", "select {{ var('n') }} as n, i from range(1000) r(i)")
    lake.file("models/b.sql", "select n, count(*) as c from {{ ref('a') }} group by n")
    lake.file("models/c.sql", "{{ config(materialized='incremental') }} select n, c from {{ ref('b') }}")
    lake.env.pop("TARN_LAKE")
    lake.run("build", "--vars", "{n: 0}")
    query = "select (select max(n) from main.a) as x, (select n from main.b) as y, (select max(n) from main.c) as z, (select count(*) from main.c) as k"
    catalog = lake.root / "catalog/prod.duckdb"
    driver = jdbc()
    reader = None
    if driver is None:
        SKIPPED.append("JDBC: no Java or Maven here")
    else:
        reader = subprocess.Popen(["java", "-cp", driver, str(ROOT / "tests/flow/JdbcReader.java"), f"jdbc:duckdb:{catalog}", "0", query],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    states, n, end = set(), 0, time.monotonic() + 8
    while n < 5 or time.monotonic() < end:  # five at least, however long they take
        n += 1
        build = subprocess.Popen([TARN, "build", "--vars", json.dumps({"n": n})], cwd=lake.dir, env=lake.env, stdout=subprocess.DEVNULL)
        while build.poll() is None:
            states.update(seen(lake, query))
        equal(build.returncode, 0)
        states.update(seen(lake, query))
    if reader is not None:
        lines = reader.communicate(timeout=600)[0].splitlines()  # its input ends, so it does
        assert not [l for l in lines if l.startswith("error") or l.count(",") != 3], [l for l in lines if l.count(",") != 3][:5]
        states.update(tuple(map(int, l.split(","))) for l in lines)
        assert lines, "it has read nothing"
    assert len(states) > n, (n, states)  # that of the first build, too
    equal([s for s in states if not (s[0] == s[1] == s[2] and s[3] == s[0] + 1)], [])


main(SKIPPED)
