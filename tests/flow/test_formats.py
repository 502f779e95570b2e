"""What docs/formats promises of a lake: every commit fits the schema, and thirty lines of Python without tarn read what the catalog shows."""
import json, os, pathlib, subprocess, sys
from lake_flow import case, equal, has, main

import duckdb, jsonschema

FORMATS = pathlib.Path(os.environ["TARN_ROOT"]) / "docs/formats"


def fill(lake):
    lake.run("sql", "CREATE TABLE s.t AS SELECT i FROM range(7) r(i)")
    lake.run("sql", "CREATE VIEW s.v AS SELECT count(*) AS n FROM s.t")
    lake.run("lake", "env", "create", "alice")
    lake.run("sql", "--env", "alice", "DELETE FROM s.t WHERE i < 2")
    lake.run("sql", "--env", "alice", "CREATE TABLE s.u AS SELECT 1 AS x")
    lake.run("lake", "env", "promote", "alice")
    lake.run("sql", "INSERT INTO s.t VALUES (100)")
    lake.run("lake", "catalog", "latest", "--env", "alice")
    lake.run("lake", "rollback")
    lake.run("sql", "DROP TABLE s.u", status=None)
    lake.run("lake", "env", "create", "bob")
    lake.run("lake", "env", "drop", "bob")


@case
def commits_fit_the_schema(lake):
    fill(lake)
    check = jsonschema.Draft202012Validator(json.loads((FORMATS / "lake-commit.schema.json").read_text()))
    log = sorted((lake.root / "_tarn/log").glob("*.json"))
    assert len(log) > 9, log
    for path in log:
        commit = json.loads(path.read_text())
        equal(list(check.iter_errors(commit)), [])
        equal(path.name, f"{commit['version']:020d}.json")
    pins = [p for path in log for p in json.loads(path.read_text())["pins"] if p["kind"] == "delta"]
    assert all("schemaHash" in p for p in pins), [p for p in pins if "schemaHash" not in p][:3]
    equal(len({p["schemaHash"] for p in pins if p["name"] == "t"}), 1)
    broken = json.loads(log[-1].read_text()) | {"format": 2}
    assert list(check.iter_errors(broken))


@case
def a_reader_without_tarn(lake):
    fill(lake)
    for env in ("prod", "alice"):
        lake.run("lake", "catalog", "pinned", "--env", env)
        done = subprocess.run([sys.executable, FORMATS / "read_lake.py", lake.root, env, "count"], capture_output=True, text=True)
        equal(done.returncode, 0)
        read = {line.split("\t")[0]: int(line.split("\t")[3]) for line in done.stdout.splitlines()}
        with duckdb.connect(str(lake.root / f"catalog/{env}.duckdb"), read_only=True) as con:
            names = con.execute("select schema_name || '.' || name from _tarn.pins where kind = 'delta'").fetchall()
            equal(read, {n: con.execute(f"select count(*) from {n}").fetchone()[0] for (n,) in names})
        assert read["s.t"] >= 5, read


main()
