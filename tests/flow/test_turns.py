"""Several runs at one lake: disjoint models publish side by side, the same model is built by one at a time, a dead run blocks nobody."""
import json, os, pathlib, subprocess, sys, threading, time
from lake_flow import TARN, case, equal, has, main

import duckdb

# A lease of hours: none runs out because the machine is slow. Who is to be dead has a ticket of days ago.
LEASE_SECONDS, LONG_AGO = 7200, 200000.0
PROFILE = f"turns:\n  target: prod\n  outputs:\n    prod: {{type: tarn, lake: lake, schema: main, threads: 2, lease_seconds: {LEASE_SECONDS}}}\n"


def project(lake, **models):
    lake.file("dbt_project.yml", "name: turns\nversion: '1.0'\nprofile: turns\n")
    lake.file("profiles.yml", PROFILE)
    for name, sql in models.items():
        lake.file(f"models/{name}.sql", sql)
    lake.env.pop("TARN_LAKE")


def ticket(lake, number, resources, age=0.0, ttl_ms=LEASE_SECONDS * 1000):
    path = lake.root / "_tarn/leases" / f"{number:020d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"format": 1, "ticket": number, "what": "build", "run": "x", "host": "elsewhere", "pid": 7, "ttl_ms": ttl_ms, "renewals": 0,
                                "released": False, "resources": resources}))
    os.utime(path, (time.time() - age,) * 2)
    return path


def start(lake, *words):
    return subprocess.Popen([TARN, *words], cwd=lake.dir, env=lake.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def rows(lake, table):
    with duckdb.connect(str(lake.root / "catalog/prod.duckdb"), read_only=True) as con:
        return con.execute(f"select * from main.{table} order by all").fetchall()


def line_with(run, part):
    """Reads what the program says up to the line with that part."""
    said = ""
    while part not in said:
        line = run.stdout.readline()
        assert line, f"it ended without {part!r}:\n{said}"
        said += line


def leases(lake):
    return [json.loads(p.read_text()) for p in sorted((lake.root / "_tarn/leases").glob("*.json"))]


@case
def fail_and_skip(lake):
    project(lake, a="select 1 as x", b="select x from {{ ref('a') }}", c="select 3 as x")
    ticket(lake, 0, ["relation:prod/main.a"])
    lake.run("build", "--on-busy", "fail", status=1)
    has(lake.out, "is being worked on by build on host 'elsewhere', process 7")
    has(lake.out, "PASS=1 WARN=0 ERROR=1 SKIP=1")
    equal(rows(lake, "c"), [(3,)])
    lake.run("build", "--on-busy", "skip")
    has(lake.out, "PASS=1 WARN=0 ERROR=0 SKIP=2")
    lake.run("build", "--on-busy", "perhaps", status=2)
    has(lake.out + lake.err, "wait, fail or skip")


@case
def waiting_ends_when_the_other_is_done(lake):
    project(lake, a="select 1 as x")
    path = ticket(lake, 0, ["relation:prod/main.a"])
    run = start(lake, "build")
    line_with(run, "Waiting for main.a")
    time.sleep(0.5)  # for one that does not wait to end
    assert run.poll() is None, run.stdout.read()
    path.unlink()
    run.communicate(timeout=600)
    equal(run.returncode, 0)
    equal(rows(lake, "a"), [(1,)])


@case
def a_dead_run_blocks_nobody(lake):
    project(lake, a="select 1 as x")
    path = ticket(lake, 4, ["relation:prod/main.a"], age=LONG_AGO)
    lake.run("build", "--on-busy", "fail")
    assert not path.exists()
    lake.run("build", "--on-busy", "fail")
    equal([(t["ticket"], t["released"]) for t in leases(lake)], [(6, True)])


@case
def one_increment_after_the_other(lake):
    project(lake, grown="{{ config(materialized='incremental', incremental_strategy='append') }} select {{ var('i') }} as i")
    lake.run("build", "--vars", "{i: 0}")
    runs = [start(lake, "build", "--vars", json.dumps({"i": i})) for i in range(1, 7)]
    outs = [r.communicate(timeout=600)[0] for r in runs]
    equal([r.returncode for r in runs], [0] * 6)
    equal(rows(lake, "grown"), [(i,) for i in range(7)])
    equal(len([t for t in leases(lake) if not t["released"]]), 0)


@case
def disjoint_models_publish_side_by_side(lake):
    names = [f"m{i}" for i in range(4)]
    project(lake, **{n: f"select '{n}' as name, {{{{ var('i', 0) }}}} as i" for n in names})
    for i in range(2):
        runs = [start(lake, "build", "--on-busy", "fail", "--select", n, "--vars", json.dumps({"i": i})) for n in names]
        outs = [r.communicate(timeout=600)[0] for r in runs]
        equal([r.returncode for r in runs], [0] * 4)
        equal([rows(lake, n) for n in names], [[(n, i)] for n in names])


@case
def a_killed_run_is_passed_over(lake):
    project(lake, a="{{ config(materialized='table') }} select sleep_ms(600000) as x", b="select 1 as x")
    run = start(lake, "build", "--select", "a")
    line_with(run, "1 of 1 START")  # it has its ticket
    run.kill()
    run.communicate()
    left = leases(lake)
    equal([t["released"] for t in left], [False])
    lake.run("build", "--select", "b", "--on-busy", "fail")
    lake.file("models/a.sql", "select 5 as x")
    lake.run("build", "--select", "a", "--on-busy", "fail", status=1)
    path = lake.root / "_tarn/leases" / f"{left[0]['ticket']:020d}.json"
    os.utime(path, (time.time() - LONG_AGO,) * 2)
    lake.run("build", "--select", "a", "--on-busy", "fail")
    equal(rows(lake, "a"), [(5,)])


main()
