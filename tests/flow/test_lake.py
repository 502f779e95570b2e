#!/usr/bin/env python3
"""tarn lake, tarn table and what readers open: the catalog under open readers, environments, rollback; json forms."""
import json, os, subprocess, sys

from lake_flow import case, equal, has, main


def filled(lake):
    lake.run("sql", "CREATE TABLE silver.t AS SELECT i FROM range(3) r(i); CREATE VIEW gold.v AS SELECT sum(i) AS s FROM silver.t")
    return lake


def reader(lake, env="prod"):
    import duckdb
    return duckdb.connect(str(lake.root / f"catalog/{env}.duckdb"), read_only=True)


@case
def an_open_reader_keeps_its_state(lake):
    filled(lake)
    # a process of its own: inside one process DuckDB would share the open file
    code = ("import duckdb, sys\nc = duckdb.connect(sys.argv[1], read_only=True)\nprint(c.execute('FROM gold.v').fetchone()[0], flush=True)\n"
            "for line in sys.stdin:\n    print(c.execute('FROM gold.v').fetchone()[0], flush=True)\n")
    p = subprocess.Popen([sys.executable, "-c", code, str(lake.root / "catalog/prod.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    equal(p.stdout.readline(), "3\n")
    for n in range(5):  # the writer is not blocked, the reader not disturbed
        lake.run("sql", f"INSERT INTO silver.t VALUES ({10 + n})")
        p.stdin.write("again\n")
        p.stdin.flush()
        equal(p.stdout.readline(), "3\n")
        equal(reader(lake).execute("FROM gold.v").fetchone(), (3 + sum(range(10, 11 + n)),))
    p.stdin.close()
    p.wait(timeout=600)


@case
def views_work_under_any_name(lake):
    filled(lake)
    import duckdb
    path = lake.root / "catalog/prod.duckdb"
    for alias in ("prod", "zz", "Other name"):
        con = duckdb.connect()
        con.execute(f"ATTACH '{path}' AS \"{alias}\" (READ_ONLY)")
        equal(con.execute(f'FROM "{alias}".gold.v').fetchone(), (3,))
        con.execute("CREATE SCHEMA silver; CREATE TABLE silver.t AS SELECT 100 AS i")  # the client's own does not shadow
        equal(con.execute(f'FROM "{alias}".gold.v').fetchone(), (3,))
    init = (lake.root / "catalog/prod.init.sql").read_text()
    con = duckdb.connect()
    con.execute(init)
    equal(con.execute("FROM prod.gold.v").fetchone(), (3,))
    equal(con.execute("SELECT environment, lake_commit FROM prod._tarn.catalog").fetchone(), ("prod", 1))
    equal(con.execute("SELECT schema_name || '.' || name, kind, version FROM prod._tarn.pins ORDER BY ALL").fetchall(),
          [("gold.v", "view", None), ("silver.t", "delta", 0)])


@case
def a_schema_with_the_name_of_its_catalog(lake):
    lake.run("sql", "--env", "dev", "CREATE TABLE dev.t AS SELECT 1 AS a; CREATE VIEW dev.v AS SELECT t.a + 1 AS b FROM dev.t; CREATE VIEW g.w AS FROM dev.v")
    con = reader(lake, "dev")
    equal([con.execute(f"FROM dev.{r}").fetchone()[0] for r in ("dev.t", "dev.v", "g.w")], [1, 2, 2])
    import duckdb
    con = duckdb.connect()
    con.execute((lake.root / "catalog/dev.init.sql").read_text())
    equal(con.execute("FROM dev_lake.dev.v").fetchone(), (2,))
    equal(lake.rows("SELECT b FROM dev.v", env={"TARN_ENV": "dev"}), [{"b": 2}])


@case
def time_zones_do_not_matter(lake):
    lake.run("sql", "CREATE TABLE s.t PARTITIONED BY (p) AS SELECT TIMESTAMPTZ '2024-01-01 12:00:00+00' AS z, TIMESTAMPTZ '2024-06-01 00:30:00+00' AS p")
    for zone in ("UTC", "Asia/Tokyo", "America/Lima"):
        con = reader(lake)
        con.execute(f"SET TimeZone = '{zone}'")
        equal(con.execute("SELECT epoch(z), epoch(p) FROM s.t").fetchone(), (1704110400.0, 1717201800.0))


@case
def commands(lake):
    filled(lake)
    s = json.loads(lake.run("lake", "status", "--output", "json"))
    equal(s["environments"], [{"environment": "prod", "lake_commit": 1, "relations": 2, "delta": 1, "views": 1, "external": 0,
                               "catalog": f"{lake.root}/catalog/prod.duckdb"}])
    lake.run("lake", "env", "create", "alice")
    has(lake.out, "created environment 'alice', lake commit 2")
    lake.run("lake", "env", "create", "alice", status=1)
    lake.run("lake", "env", "create", "bob", "--from", "nobody", status=2)
    lake.run("lake", "env", "create", "a/b", status=2)
    lake.run("sql", "INSERT INTO silver.t VALUES (7)", "--env", "alice")
    equal(lake.rows("FROM gold.v"), [{"s": 3}])
    equal(lake.rows("FROM gold.v", env={"TARN_ENV": "alice"}), [{"s": 10}])
    d = json.loads(lake.run("lake", "diff", "prod", "alice", "--output", "json"))
    equal([(x["name"], x["change"], x["from"], x["to"]) for x in d], [("t", "changed", "version 0 of silver/t", "version 1 of _tarn/tables/alice/silver/t")])
    has(lake.run("lake", "diff", "0", "1"), "gold.v")
    lake.run("lake", "diff", "prod", "nobody", status=2)
    equal([e["commit"] for e in json.loads(lake.run("lake", "log", "--output", "json", "--all"))], [3, 2, 1, 0])
    equal(len(json.loads(lake.run("lake", "log", "--output", "json", "--env", "alice", "--limit", "1"))), 1)
    has(lake.run("lake", "log"), "sql: create silver.t")
    has(lake.run("lake", "env", "ls"), "alice")
    equal(sorted(json.loads(lake.run("lake", "env", "ls", "--output", "json"))), ["alice", "prod"])


@case
def rollback(lake):
    filled(lake)
    lake.run("sql", "INSERT INTO silver.t VALUES (100)")
    equal(reader(lake).execute("FROM gold.v").fetchone(), (103,))
    r = json.loads(lake.run("lake", "rollback", "--output", "json"))
    equal((r["environment"], r["lake_commit"]), ("prod", 3))
    equal(reader(lake).execute("FROM gold.v").fetchone(), (3,))
    equal(lake.rows("FROM gold.v"), [{"s": 3}])
    lake.run("lake", "rollback", "--to", "2")
    equal(lake.rows("FROM gold.v"), [{"s": 103}])
    lake.run("lake", "rollback", "--to", "77", status=2)


@case
def publish_makes_the_catalog_anew(lake):
    filled(lake)
    path = lake.root / "catalog/prod.duckdb"
    path.write_bytes(b"damaged")
    lake.run("lake", "publish")
    equal(reader(lake).execute("FROM gold.v").fetchone(), (3,))
    lake.run("lake", "publish", "--env", "nobody", status=2)
    has(lake.err, "no lake commit")
    lake.run("sql", "CREATE TABLE x.a AS SELECT 1 AS i; INSERT INTO silver.t VALUES (50)", "--no-publish")
    equal(reader(lake).execute("FROM gold.v").fetchone(), (3,))
    lake.run("lake", "publish", "--newest")
    equal(reader(lake).execute("SELECT s, i FROM gold.v, x.a").fetchone(), (53, 1))
    # a table that is gone is told, and the others are published
    lake.run("sql", "CREATE TABLE s.gone AS SELECT 1 AS a")
    import shutil
    shutil.rmtree(lake.root / "s")
    lake.run("lake", "publish")
    has(lake.err, "warning: not in the catalog: reading 's.gone'")
    equal(reader(lake).execute("FROM gold.v").fetchone(), (53,))
    equal(sorted(p.name for p in (lake.root / "catalog").iterdir() if not p.name.startswith(".")), ["prod.duckdb", "prod.init.sql"])


@case
def tables(lake):
    filled(lake)
    lake.run("sql", "CREATE TABLE s.u AS SELECT 1 AS a", "--no-publish")
    r = json.loads(lake.run("table", "ls", "--output", "json"))["relations"]
    equal([(x["schema"], x["name"], x["kind"], x["pinned"], x["version"], x["rows"]) for x in r],
          [("silver", "t", "delta", True, 0, 3), ("gold", "v", "view", True, None, None), ("s", "u", "delta", False, 0, 1)])
    has(lake.run("table", "ls"), "not pinned")
    s = json.loads(lake.run("table", "show", "silver.t", "--output", "json"))
    equal((s["rows"], s["files"], s["pinned_version"], s["columns"][0]["name"], s["columns"][0]["type"]), (3, 1, 0, "i", "BIGINT"))
    has(lake.run("table", "show", "silver.t"), "protocol")
    has(lake.run("table", "show", "gold.v"), "SELECT sum(i) AS s FROM silver.t")
    equal(json.loads(lake.run("table", "show", str(lake.root / "s" / "u"), "--output", "json", env={"TARN_LAKE": ""}))["rows"], 1)
    equal([e["version"] for e in json.loads(lake.run("table", "history", "silver.t", "--output", "json"))], [0])
    has(lake.run("table", "history", "silver.t"), "CREATE TABLE AS SELECT")
    lake.run("table", "show", "no.such", status=2)
    lake.run("table", "show", "silver.t", "--version", "9", status=2)
    for words in (["table"], ["table", "nonsense"], ["table", "show"], ["table", "ls", "x"], ["lake"], ["lake", "env"], ["lake", "diff", "a"], ["table", "ls", "--output", "xml"]):
        lake.run(*words, status=2)
    lake.run("table", "ls", env={"TARN_LAKE": str(lake.dir / "nowhere")}, status=None)
    for command in ("land", "sql", "table", "lake"):
        has(lake.run(command, "--help"), "Exit status")


main()
