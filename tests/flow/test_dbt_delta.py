"""Incremental models, snapshots and batches on Delta tables: a rejected version never leaks into the next increment, whatever the strategy; an
increment leaves files alone that it does not touch; schema and type changes; insert_overwrite; batches that fail and are retried; other
readers read what was written, and one that polls never sees a missing or half table."""
import json, os, pathlib, subprocess, sys, tempfile, threading, time

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
EXTENSION = pathlib.Path(os.environ.get("TARN_DEPS_DIR", ROOT / "build/deps")) / "extensions/v1.5.5/linux_amd64/delta.duckdb_extension"
passed = failed = 0

PROFILES = """d:
  target: lake
  outputs:
    lake: {type: tarn, lake: lake, schema: main, threads: 2, environment: dev}
    duck: {type: duckdb, path: d.duckdb, schema: main, threads: 2, external_root: out}
"""
DVS = "delta_properties={'delta.enableDeletionVectors': 'true'}"


def check(what, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {what}\n{detail}", flush=True)


def project(folder, files):
    files = {"dbt_project.yml": "name: d\nprofile: d\n", "profiles.yml": PROFILES, **files}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run(folder, *command):
    env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    done = subprocess.run([TARN, *command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def lake(folder, sql):
    with duckdb.connect(str(folder / "lake/catalog/dev.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def judge(path, sql="select * from t order by 1"):
    table = QueryBuilder().register("t", DeltaTable(str(path))).execute(sql).read_all()
    return [tuple(row.values()) for row in pa.table(table).to_pylist()]


STRATEGIES = {
    "append": "incremental_strategy='append'",
    "replaced": "incremental_strategy='delete+insert', unique_key='id'",
    "merged": "incremental_strategy='merge', unique_key='id'",
    "merged_dv": f"incremental_strategy='merge', unique_key='id', {DVS}",
    "parts": "incremental_strategy='insert_overwrite', partition_by=['p']",
    "batched": "incremental_strategy='microbatch', event_time='at_time', batch_size='day', begin='2024-01-01'",
}


def rejected_versions_do_not_leak(folder):
    """Step 2 brings a bad row, which a test finds; step 3 a good one. After it the tables hold what 1 and 3 make."""
    rows = ("select {{ var('step') }} * 10 as id, 'p' || {{ var('step') }} as p, {{ var('step') != 2 }} as good,\n"
            "  timestamp '2024-01-01' + interval ({{ var('step') - 1 }}) day as at_time\n"
            "{% if var('step') == 3 %} union all select 10, 'p1', true, timestamp '2024-01-01' {% endif %}\n")
    files = {f"models/{name}.sql": f"{{{{ config(materialized='incremental', {config}) }}}}\n{rows}" for name, config in STRATEGIES.items()}
    files["snapshots/snap.yml"] = ("snapshots:\n  - name: snap\n    relation: ref('now')\n"
                                   "    config: {unique_key: id, strategy: check, check_cols: all, hard_deletes: invalidate}\n")
    files["models/now.sql"] = "select 1 as id, {{ var('step') }} as step, {{ var('step') != 2 }} as good"
    names = [*STRATEGIES, "snap"]
    for n in names:
        files[f"tests/good_{n}.sql"] = f"select id from {{{{ ref('{n}') }}}} where not good"
    project(folder, files)
    seen = {}
    for step in (1, 2, 3):
        status, out = run(folder, "build", "--vars", f"{{step: {step}}}", "--event-time-start", "2024-01-01", "--event-time-end", "2024-01-04")
        check(f"step {step}: exit status", status == (1 if step == 2 else 0), out)
        if step == 2:
            check("each bad row is found", all(f"FAIL 1 good_{n}" in out for n in names), out)
        seen[step] = {n: lake(folder, f"select * exclude (at_time) from main.{n} order by id") for n in STRATEGIES}
        seen[step]["snap"] = lake(folder, "select id, step, dbt_valid_to is null from main.snap order by step")
    first, third = (10, "p1", True), (30, "p3", True)
    for n in STRATEGIES:
        both = [first, first, third] if n == "append" else [first, third]
        check(f"{n}: rejected rows are not seen", seen[2][n] == [first], seen[2][n])
        check(f"{n}: nor in the next increment", seen[3][n] == both, seen[3][n])
        check(f"{n}: the rejected version is in the history", DeltaTable(str(folder / f"lake/main/{n}")).version() >= 3)
        check(f"{n}: another reader", judge(folder / f"lake/main/{n}", "select id, p, good from t order by id") == both)
    check("snapshot: rejected rows are not seen", seen[2]["snap"] == [(1, 1, True)], seen[2])
    check("snapshot: nor in the next one", seen[3]["snap"] == [(1, 1, False), (1, 3, True)], seen[3])
    log = sorted((folder / "lake/main/merged_dv/_delta_log").glob("*.json"))
    check("deletion vectors were written", any("deletionVector" in p.read_text() for p in log))
    text = "".join(p.read_text() for p in log)
    check("the history names the model and the run", "model.d.merged_dv" in text and "invocation_id" in text, text[-2000:])


def untouched_files_stay(folder):
    rows = ("{% if is_incremental() %} select 7::bigint as id, 'new' as v, 'p0' as p, timestamp '2024-01-01' as at_time\n"
            "{% else %} select i as id, 'old' as v, 'p' || (i // 1000) as p, timestamp '2024-01-01' + interval (i // 1000) day as at_time from range(10000) t(i) {% endif %}")
    files = {f"models/{name}.sql": f"{{{{ config(materialized='incremental', {config}{'' if 'partition_by' in config else ', partition_by=[' + chr(39) + 'p' + chr(39) + ']'}) }}}}\n{rows}"
             for name, config in STRATEGIES.items()}
    project(folder, files)
    for _ in range(2):
        status, out = run(folder, "run", "--event-time-start", "2024-01-01", "--event-time-end", "2024-01-02")
        check("files: run", status == 0, out)
    for name in STRATEGIES:
        log = sorted((folder / f"lake/main/{name}/_delta_log").glob("*.json"))
        actions = [json.loads(line) for line in log[-1].read_text().splitlines()]
        adds = [a["add"]["path"] for a in actions if "add" in a]
        removes = [a["remove"]["path"] for a in actions if "remove" in a]
        check(f"{name}: only the touched partition is written", len(adds) <= 2 and len(removes) <= 1, log[-1].read_text())
        want = 10001 if name == "append" else 10000 if "unique_key" in STRATEGIES[name] else 9001
        check(f"{name}: rows", judge(folder / f"lake/main/{name}", "select count(*) as n from t") == [(want,)],
              judge(folder / f"lake/main/{name}", "select count(*) as n from t"))


def schemas_change(folder):
    model = ("{{ config(materialized=var('kind'), format='delta', incremental_strategy='STRATEGY', unique_key='id', on_schema_change='sync_all_columns') }}\n"
             "select 1::bigint as id {% if var('step') == 1 %}, 1 as kind, 'x' as gone{% else %}, 1.5::double as kind, 'y' as come{% endif %}\n"
             "{% if var('step') == 2 %} union all select 2, 2.5, 'z' {% endif %}")
    project(folder, {f"models/{n}.sql": model.replace('STRATEGY', s) for n, s in (("merged", "merge"), ("replaced", "delete+insert"))})
    for target, kind, place in (("lake", "incremental", "lake/main"), ("duck", "external", "out")):
        for step in (1, 2):
            status, out = run(folder, "run", "-t", target, "--vars", f"{{step: {step}, kind: {kind}}}")
            check(f"{target}: schema change, step {step}", status == 0, out)
        for name in ("merged", "replaced"):
            rows = judge(folder / place / name, "select id, kind, come from t order by id")
            check(f"{target}: {name} has the new columns and types", rows == [(1, 1.5, "y"), (2, 2.5, "z")], rows)
            fields = [f.name for f in DeltaTable(str(folder / place / name)).schema().fields]
            check(f"{target}: {name} has not the old ones", fields == ["id", "kind", "come"], fields)


def batches_are_retried(folder):
    model = ("{{ config(materialized=var('kind', 'incremental'), format='delta', incremental_strategy='microbatch', event_time='at_time', batch_size='day', begin='2024-01-01') }}\n"
             "select *, case when at_time = timestamp '2024-01-02' and {{ env_var('BAD', '0') }} = 1 then error('bad batch')::int else 1 end as ok from {{ ref('src') }}")
    source = "{{ config(materialized='table', event_time='at_time') }} select i as id, timestamp '2024-01-01' + interval (i) day as at_time from range(4) t(i)"
    project(folder, {"models/m.sql": model, "models/src.sql": source})
    for target, kind in (("lake", "incremental"), ("duck", "external")):
        times = ["--event-time-start", "2024-01-01", "--event-time-end", "2024-01-05"]
        os.environ["BAD"] = "1"
        status, out = run(folder, "run", "-t", target, "--vars", f"{{kind: {kind}}}", *times)
        check(f"{target}: a batch fails", status == 1 and "PARTIAL SUCCESS (3/4)" in out and "ERROR creating batch 2024-01-02" in out, out)
        os.environ["BAD"] = "0"
        status, out = run(folder, "retry", "-t", target)
        check(f"{target}: retry", status == 0 and ("Batch 1 of 1" in out or target == "lake"), out)
        place = folder / ("lake/main/m" if target == "lake" else "out/m")
        rows = judge(place, "select id from t order by id")
        check(f"{target}: every batch is there once", [r[0] for r in rows] == [0, 1, 2, 3], rows)
    check("the lake shows them", lake(folder, "select count(*) from main.m") == [(4,)])


def pollers_see_whole_tables(folder):
    """A reader opens the place over and over while runs merge, overwrite and change its schema: always 1000 rows of one run."""
    model = ("{{ config(materialized='external', format='delta', incremental_strategy='STRATEGY', unique_key='id', on_schema_change='append_new_columns') }}\n"
             "select i as id, {{ var('step') }} as step {% if var('step') > 2 %}, 1 as more{% endif %} from range(1000) t(i)")
    project(folder, {f"models/{n}.sql": model.replace('STRATEGY', s) for n, s in (("m", "merge"), ("d", "delete+insert"), ("o", "insert_overwrite"))})
    status, out = run(folder, "run", "-t", "duck", "--vars", "{step: 0}")
    check("first run", status == 0, out)
    bad, done, reads = [], threading.Event(), [0]

    def poll():
        while not done.is_set():
            for name in ("m", "d", "o"):
                got = judge(folder / "out" / name, "select count(*) as n, min(step) as a, max(step) as b from t")
                reads[0] += 1
                if got[0][0] != 1000 or got[0][1] != got[0][2]:
                    bad.append((name, got))

    poller = threading.Thread(target=poll)
    poller.start()
    for step in range(1, 6):
        status, out = run(folder, "run", "-t", "duck", "--vars", f"{{step: {step}}}", *(["--full-refresh"] if step == 4 else []))
        check(f"run {step}", status == 0, out)
        before = reads[0]
        while reads[0] < before + 3 and poller.is_alive():  # each state is read, however slow the machine
            time.sleep(0.05)
    done.set()
    poller.join()
    check("a polling reader saw only whole tables", not bad and reads[0] > 5, bad[:3])
    if EXTENSION.exists():
        with duckdb.connect(config={"allow_unsigned_extensions": "true"}) as con:
            con.execute(f"load '{EXTENSION}'")
            rows = con.execute(f"select count(*), min(step), sum(more) from delta_scan('{folder / 'out/m'}')").fetchall()
            check("DuckDB's own reader", rows == [(1000, 5, 1000)], rows)


def models_shape_their_tables(folder):
    """Descriptions, constraints of a contract, properties and clustering are the table's, in the version that makes it; changed ones follow."""
    schema = ("models:\n  - name: g\n    description: Grows.\n    config: {contract: {enforced: true}, persist_docs: {relation: true, columns: true}}\n"
              "    constraints: [{type: check, expression: id > 0, name: positive}]\n    columns:\n"
              "      - {name: id, data_type: int, description: the key, constraints: [{type: not_null}]}\n      - {name: v, data_type: varchar}\n")
    model = ("{{ config(materialized=var('kind'), format='delta', location='%s/' ~ target.name ~ '/g', incremental_strategy='merge', unique_key='id', on_schema_change='fail',\n"
             "    cluster_by=['id'], tblproperties={'delta.logRetentionDuration': 'interval 5 days'}) }}\nselect {{ var('id') }}::int as id, 'x' as v")
    project(folder, {"models/g.sql": model % folder, "models/g.yml": schema})
    for target, kind in (("lake", "incremental"), ("duck", "external")):
        place, vars_ = folder / target / "g", "{kind: %s, id: %s}"
        status, out = run(folder, "run", "-t", target, "--vars", vars_ % (kind, 1))
        check(f"{target}: made", status == 0, out)
        table = DeltaTable(str(place))
        meta, fields = table.metadata(), table.schema().fields
        check(f"{target}: description, property, constraint in one version", table.version() == 0 and meta.description == "Grows."
              and meta.configuration["delta.logRetentionDuration"] == "interval 5 days" and meta.configuration["delta.constraints.positive"] == "id > 0", meta)
        check(f"{target}: columns", fields[0].metadata.get("comment") == "the key" and not fields[0].nullable and fields[1].nullable, fields)
        log = "".join(p.read_text() for p in (place / "_delta_log").glob("*.json"))
        check(f"{target}: clustering", "delta.clustering" in log, log)
        for bad in ("-1", "'null'"):
            status, out = run(folder, "run", "-t", target, "--vars", vars_ % (kind, bad))
            check(f"{target}: id {bad} is refused", status == 1 and ("positive" in out or "NULL" in out), out)
        check(f"{target}: and nothing was written", DeltaTable(str(place)).version() == 0)
        (folder / "models/g.yml").write_text(schema.replace("the key", "the new key").replace("id > 0", "id > -5").replace("Grows.", "Has grown."))
        for _ in range(2):
            status, out = run(folder, "run", "-t", target, "--vars", vars_ % (kind, 2))
            check(f"{target}: changed", status == 0, out)
        table = DeltaTable(str(place))
        check(f"{target}: the changes are there", table.metadata().description == "Has grown." and table.schema().fields[0].metadata["comment"] == "the new key"
              and table.metadata().configuration["delta.constraints.positive"] == "id > -5", table.metadata())
        history = [h["operation"] for h in table.history()]
        check(f"{target}: and were written once", history.count("MERGE") == 2 and history.count("ADD CONSTRAINT") == 1, history)
        (folder / "models/g.yml").write_text(schema)


def main():
    for case in (rejected_versions_do_not_leak, untouched_files_stay, schemas_change, batches_are_retried, pollers_see_whole_tables, models_shape_their_tables):
        with tempfile.TemporaryDirectory() as scratch:
            case(pathlib.Path(scratch))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
