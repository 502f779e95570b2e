"""Looking after a lake: what status shows, what maintain does, also several at once and beside writers; records of runs."""
import json, os, pathlib, subprocess, threading, time
from lake_flow import TARN, case, equal, has, main


def care(lake, *more):
    return {t["relation"]: t for t in json.loads(lake.run("lake", "status", "--tables", "--output", "json", *more))}


def maintain(lake, *more):
    return json.loads(lake.run("lake", "maintain", "--output", "json", *more))


def small_files(lake, n=10):
    lake.run("sql", "CREATE TABLE s.t AS SELECT 0 AS i")
    for i in range(1, n):
        lake.run("sql", f"INSERT INTO s.t VALUES ({i})")


@case
def status_tells_what_is_due(lake):
    small_files(lake)
    lake.run("sql", "CREATE TABLE s.big AS SELECT i FROM range(1000) r(i)")
    lake.run("sql", "DELETE FROM s.big WHERE i < 300")
    lake.run("sql", "--no-publish", "INSERT INTO s.big VALUES (1)", status=None)
    t = care(lake)
    equal((t["s.t"]["files"], t["s.t"]["small_files"], t["s.t"]["rows"], t["s.t"]["due"]), (10, 10, 10, ["optimize"]))
    assert t["s.big"]["rows"] in (700, 701), t["s.big"]
    equal(t["s.big"]["own"], True)
    text = lake.run("lake", "status", "--tables")
    has(text, "optimize")


@case
def maintain_does_what_is_due_and_then_nothing(lake):
    small_files(lake)
    would = maintain(lake, "--dry-run")
    equal([(d["relation"], d["what"]) for d in would], [("s.t", "optimize")])
    equal(care(lake)["s.t"]["files"], 10)
    did = maintain(lake)
    equal([(d["relation"], d["what"], d["failed"]) for d in did], [("s.t", "optimize", False)])
    t = care(lake)["s.t"]
    equal((t["files"], t["rows"], t["version"], t["due"]), (1, 10, t["newest_version"], []))
    equal(maintain(lake), [])
    equal(lake.rows("SELECT sum(i) AS s FROM s.t"), [{"s": 45}])
    has(lake.run("lake", "maintain"), "nothing is due")


@case
def a_branch_looks_after_its_own_tables_only(lake):
    small_files(lake)
    lake.run("lake", "env", "create", "alice")
    equal(care(lake, "--env", "alice")["s.t"]["own"], False)
    equal(maintain(lake, "--env", "alice"), [])


@case
def several_at_once_beside_writers(lake):
    lake.run("sql", "CREATE TABLE s.a AS SELECT 0 AS i")
    lake.run("sql", "CREATE TABLE s.b AS SELECT 0 AS i")
    wrong = []

    def write(table, k):
        for i in range(8):
            done = subprocess.run([TARN, "sql", f"INSERT INTO s.{table} VALUES ({k * 100 + i})"], cwd=lake.dir, env=lake.env, capture_output=True, text=True)
            if done.returncode:
                wrong.append(done.stderr)

    def tend():
        for i in range(4):
            done = subprocess.run([TARN, "lake", "maintain", "--all", "--output", "json"], cwd=lake.dir, env=lake.env, capture_output=True, text=True)
            if done.returncode not in (0, 1):
                wrong.append(done.stderr)

    threads = [threading.Thread(target=write, args=(t, k)) for t in "ab" for k in (1, 2)] + [threading.Thread(target=tend) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(wrong, [])
    lake.run("lake", "publish", "--newest")
    for t in "ab":
        equal(lake.rows(f"SELECT count(*) AS n, count(DISTINCT i) AS d FROM s.{t}"), [{"n": 17, "d": 17}])
    maintain(lake, "--all")
    equal(care(lake)["s.a"]["files"], 1)


@case
def a_checkpoint_when_it_is_asked_for(lake):
    small_files(lake, 3)
    log = lake.root / "s/t/_delta_log"
    equal(list(log.glob("*.checkpoint.parquet")), [])
    equal(json.loads(lake.run("table", "checkpoint", "s.t", "--output", "json"))["version"], 2)
    equal([p.name for p in log.glob("*.checkpoint.parquet")], [f"{2:020d}.checkpoint.parquet"])
    for v in range(2):
        (log / f"{v:020d}.json").unlink()
    equal(lake.rows("SELECT sum(i) AS s FROM s.t"), [{"s": 3}])
    lake.run("table", "checkpoint", "s.nothing", status=2)


PROFILE = "care:\n  target: prod\n  outputs:\n    prod: {type: tarn, lake: lake, schema: main, threads: 1}\n"


@case
def runs_are_recorded(lake):
    lake.file("dbt_project.yml", "name: care\nversion: '1.0'\nprofile: care\n")
    lake.file("profiles.yml", PROFILE)
    lake.file("models/good.sql", "select 1 as x")
    lake.file("models/bad.sql", "select '{{ var(\"v\", \"\") }}' || nothing_there as x")
    lake.run("build", status=1)
    lake.run("build", "--select", "good")
    runs = json.loads(lake.run("lake", "runs", "--output", "json"))
    equal([(r["command"], r["outcome"], r["env"], r["counts"]["pass"], r["counts"]["error"]) for r in runs],
          [("build", "passed", "prod", 1, 0), ("build", "failed", "prod", 1, 1)])
    bad = [n for n in runs[1]["nodes"] if n["status"] == "error"]
    equal([n["node"] for n in bad], ["model.care.bad"])
    has(bad[0]["message"], "nothing_there")
    assert runs[0]["lake_commit"] is None or runs[0]["lake_commit"] >= 0
    equal([r["run_id"] for r in json.loads(lake.run("lake", "runs", "--limit", "1", "--output", "json"))], [runs[0]["run_id"]])
    has(lake.run("lake", "runs"), "passed")
    entry = json.loads(lake.run("lake", "log", "--output", "json"))[-1]
    equal(entry["info"]["run_id"], runs[1]["run_id"])
    equal(sorted(entry["info"]["lineage"]), ["model.care.bad", "model.care.good"])
    assert len(entry["info"]["code"]["model.care.good"]) == 64


main()
