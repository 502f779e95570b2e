#!/usr/bin/env python3
"""tarn table optimize, vacuum, restore, check, clone and their SQL: pins, environments, messages."""
import json, os, shutil, time

from lake_flow import case, equal, has, main


def count(lake, table="gold.t", env="prod"):
    return lake.rows(f"SELECT count(*) AS n FROM {table}", env={"TARN_ENV": env})[0]["n"]


def pinned(lake, env="prod"):
    listed = json.loads(lake.run("table", "ls", "--output", "json", "--env", env))
    return {f"{r['schema']}.{r['name']}": (r["location"], r["version"]) for r in listed["relations"]}


def table(lake, times=3):
    lake.root.mkdir(exist_ok=True)
    lake.run("sql", "CREATE TABLE gold.t PARTITIONED BY (p) AS SELECT range AS id, range % 2 AS p FROM range(10)")
    for _ in range(times - 1):
        lake.run("sql", "INSERT INTO gold.t SELECT range, range % 2 FROM range(10)")


@case
def packing_moves_the_pin(lake):
    table(lake)
    report = json.loads(lake.run("table", "optimize", "gold.t", "--where", "p = 1", "--output", "json"))
    equal((report["files_removed"], report["files_added"], report["pinned"]), (3, 1, True))
    equal(pinned(lake)["gold.t"], ("gold/t", 3))
    lake.run("sql", "OPTIMIZE gold.t ZORDER BY (id)")
    equal((pinned(lake)["gold.t"], count(lake)), (("gold/t", 4), 30))
    has(lake.run("table", "optimize", "gold.t"), "nothing to do")
    lake.run("sql", "OPTIMIZE gold.t WHERE id = 1", status=None)
    has(lake.err, "partition columns only")


@case
def packing_publishes_nothing_of_others(lake):
    table(lake)
    lake.run("sql", "--no-publish", "INSERT INTO gold.t SELECT 100, 1")
    lake.run("table", "optimize", "gold.t")
    has(lake.err, "stays at version 2")
    equal((pinned(lake)["gold.t"], count(lake)), (("gold/t", 2), 30))


@case
def vacuum_keeps_pins_and_shallow_clones(lake):
    table(lake)
    lake.run("sql", "CREATE TABLE gold.c SHALLOW CLONE gold.t")
    lake.run("lake", "env", "create", "dev", "--from", "prod")
    lake.run("sql", "INSERT OVERWRITE gold.t SELECT 1, 1")
    lake.run("sql", "INSERT OVERWRITE gold.t SELECT 2, 1")
    lake.run("table", "vacuum", "gold.t", "--retain", "0", status=2)
    has(lake.err, "--allow-short-retention")
    short = ["--retain", "0", "--allow-short-retention"]
    has(lake.run("table", "vacuum", "gold.t", *short), "removed 1 file")
    equal((count(lake), count(lake, "gold.c"), count(lake, env="dev")), (1, 30, 30))
    has(lake.run("table", "check", "gold.c"), ": ok")
    lake.run("sql", "DROP TABLE gold.c")
    lake.run("table", "vacuum", "gold.t", "--env", "dev", *short, status=2)
    has(lake.err, "belong to environment 'prod'")
    has(lake.run("table", "vacuum", "gold.t", *short), "removed 0 files")
    equal(count(lake, env="dev"), 30)


@case
def lite_vacuum_finds_files_in_the_log(lake):
    table(lake)
    lake.run("sql", "INSERT OVERWRITE gold.t SELECT 1, 1")
    lake.run("sql", "INSERT OVERWRITE gold.t SELECT 2, 1")
    (lake.root / "gold/t/nobody.parquet").write_bytes(b"x")
    has(lake.run("table", "vacuum", "gold.t", "--lite", "--dry-run", "--retain", "0", "--allow-short-retention"), "would remove")
    lake.run("sql", "VACUUM gold.t LITE")
    has(lake.err, "removed 0 files")  # they are young
    lake.run("sql", "VACUUM gold.t FULL RETAIN 1000 HOURS")
    equal(count(lake), 1)
    equal((lake.root / "gold/t/nobody.parquet").exists(), True)


@case
def repair_takes_out_what_is_gone(lake):
    lake.root.mkdir(exist_ok=True)
    lake.run("sql", "CREATE TABLE gold.t TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS SELECT range AS id, 1 AS p FROM range(10)")
    for n in (1, 2):
        lake.run("sql", f"INSERT INTO gold.t SELECT {n} * 100 + range, 2 FROM range(10)")
    has(lake.run("table", "repair", "gold.t"), "no file is missing")
    lake.run("sql", "DELETE FROM gold.t WHERE id = 105")
    folder = lake.root / "gold/t"
    first = lake.run("sql", "SELECT DISTINCT filename FROM read_parquet('%s/*.parquet', filename = true) WHERE id = 3" % folder, "--format", "csv").split()[-1]
    os.remove(first)
    lake.run("sql", "SELECT sum(id) FROM gold.t", status=1)
    has(lake.err, "'gold.t': IO Error: No files found")
    has(lake.err, "hint: 'tarn table check' tells all that is missing")
    assert "LINE 1" not in lake.err, lake.err
    [vector] = folder.glob("*.bin")
    vector.unlink()
    lake.run("sql", "SELECT sum(id) FROM gold.t", status=2)
    has(lake.err, "reading 'gold.t': deletion vector")
    has(lake.err, "hint: 'tarn table check' tells all that is missing")
    has(lake.run("table", "check", "gold.t", status=1), "missing file")
    lost = lake.run("sql", "FSCK REPAIR TABLE gold.t DRY RUN", "--format", "csv").split()
    equal(lost[0], "dataFilePath,dataFileMissing,deletionVectorPath,deletionVectorFileMissing")
    equal(sorted(line.split(",")[1] + line.split(",")[3] for line in lost[1:]), ["falsetrue", "truefalse"])
    equal(pinned(lake)["gold.t"], ("gold/t", 3))
    has(lake.run("table", "repair", "gold.t"), "2 files taken out of the log, version 4")
    equal((pinned(lake)["gold.t"], count(lake)), (("gold/t", 4), 10))
    has(lake.run("table", "history", "gold.t", "--limit", "1"), "FSCK")
    has(lake.run("table", "check", "gold.t"), ": ok")
    equal(lake.delta("gold.t").version(), 4)
    equal(sorted(r["id"] for r in lake.rows("FROM gold.t")), list(range(200, 210)))
    for file in folder.glob("*.parquet"):
        file.unlink()
    lake.run("table", "repair", "gold.t", status=2)
    has(lake.err, "is the storage mounted")
    has(lake.run("table", "repair", "gold.t", "--allow-missing"), "1 file taken out")
    equal(count(lake), 0)


@case
def purge_rewrites_files_with_vectors_only(lake):
    lake.root.mkdir(exist_ok=True)
    lake.run("sql", "CREATE TABLE gold.t TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS SELECT range AS id, 1 AS p FROM range(1000)")
    lake.run("sql", "INSERT INTO gold.t SELECT 5000 + range, 2 FROM range(1000)")
    lake.run("sql", "DELETE FROM gold.t WHERE id = 7")
    before = set(lake.parquet_files())
    lake.run("sql", "REORG TABLE gold.t APPLY (PURGE)")
    equal((count(lake), len(set(lake.parquet_files()) - before)), (1999, 1))
    has(lake.run("table", "history", "gold.t", "--limit", "1"), "REORG")
    has(lake.run("table", "optimize", "gold.t", "--purge"), "nothing to do")
    lake.run("table", "optimize", "gold.t", "--purge", "--zorder", "id", status=2)
    has(lake.run("table", "check", "gold.t", "--values"), ": ok")


@case
def restore_in_a_branch_stays_there(lake):
    table(lake)
    lake.run("lake", "env", "create", "dev", "--from", "prod")
    lake.run("table", "restore", "gold.t", "--version", "0", "--env", "dev")
    equal((count(lake), count(lake, env="dev")), (30, 10))
    equal(pinned(lake, "dev")["gold.t"], ("_tarn/tables/dev/gold/t", 0))
    lake.run("sql", "RESTORE TABLE gold.t TO VERSION AS OF 1")
    equal((count(lake), count(lake, env="dev")), (20, 10))
    lake.run("sql", "RESTORE TABLE gold.t TO TIMESTAMP AS OF '1999-01-01'", status=None)
    has(lake.err, "no version as old")


@case
def check_tells_damage(lake):
    table(lake)
    has(lake.run("table", "check", "gold.t", "--values"), "version 2, 6 files, 3 commits: ok")
    sorted((lake.root / "gold/t").rglob("*.parquet"))[0].unlink()
    report = json.loads(lake.run("table", "check", "gold.t", "--output", "json", status=1))
    equal([f["what"] for f in report["findings"]], ["missing file"])
    equal(lake.run("table", "check", "gold.t", "--log-only").count("ok"), 1)


@case
def clones(lake):
    table(lake)
    lake.run("table", "clone", "gold.t", "test.t", "--version", "0")
    lake.run("sql", "CREATE TABLE IF NOT EXISTS test.t DEEP CLONE gold.t")
    has(lake.err, "is there already")
    equal(count(lake, "test.t"), 10)
    lake.run("table", "clone", "gold.t", "test.t", status=1)
    lake.run("table", "clone", "gold.t", lake.dir / "elsewhere", "--shallow")
    equal(lake.rows(f"SELECT count(*) AS n FROM delta.\"{lake.dir}/elsewhere\"")[0]["n"], 30)


def judged(lake, table):
    """Rows as deltalake reads them, sorted."""
    import pyarrow as pa
    from deltalake import QueryBuilder
    rows = pa.table(QueryBuilder().register("t", lake.delta(table)).execute("select * from t").read_all()).to_pylist()
    return sorted(tuple(r.values()) for r in rows)


def actions(lake, table, version):
    lines = (lake.root / table.replace(".", "/") / f"_delta_log/{version:020d}.json").read_text().splitlines()
    return [json.loads(line) for line in lines]


@case
def clones_that_replace(lake):
    """The table's next version is the source's state: history, id and comment stay; what both have already is neither copied nor removed."""
    lake.root.mkdir(exist_ok=True)
    for how in ["SHALLOW", "DEEP"]:
        s, t = f"raw.s_{how}".lower(), f"gold.t_{how}".lower()
        lake.run("sql", f"CREATE TABLE {s} PARTITIONED BY (p) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'owner' = 'them') AS SELECT i AS id, i % 2 AS p FROM range(20) t(i)")
        lake.run("sql", f"CREATE TABLE {t} (x VARCHAR) COMMENT 'mine'; INSERT INTO {t} VALUES ('old')")
        first = lake.delta(t).metadata().id
        lake.run("sql", f"CREATE TABLE {t} {how} CLONE {s}", status=1)
        has(lake.err, "is there already")
        lake.run("sql", f"CREATE OR REPLACE TABLE {t} {how} CLONE {s}")
        equal(judged(lake, t), sorted((i, i % 2) for i in range(20)))
        equal(lake.rows(f"SELECT x FROM {t} VERSION AS OF 1"), [{"x": "old"}])
        now = lake.delta(t)
        equal((now.metadata().id, now.metadata().description, now.version(), now.metadata().partition_columns, now.metadata().configuration["owner"]), (first, "mine", 2, ["p"], "them"))
        lake.run("sql", f"DELETE FROM {s} WHERE id < 3; INSERT INTO {s} VALUES (100, 0)")
        lake.run("sql", f"CREATE OR REPLACE TABLE {t} {how} CLONE {s}")
        has(lake.err + lake.out, "3 files " + ("shared" if how == "SHALLOW" else "copied"))  # two with vectors, one new; removed are the two without
        equal(len(list((lake.root / t.replace(".", "/")).glob("p=*/*.parquet"))), 0 if how == "SHALLOW" else 3)
        equal(len([a for a in actions(lake, t, 3) if "remove" in a]), 2)
        lake.run("sql", f"CREATE OR REPLACE TABLE {t} {how} CLONE {s}")
        has(lake.err + lake.out, "0 files")
        rows = [(i, i % 2) for i in range(3, 20)] + [(100, 0)]
        equal([tuple(r.values()) for r in lake.rows(f"SELECT * FROM {t} ORDER BY id")], rows)
        lake.run("sql", f"CREATE OR REPLACE TABLE {t} {how} CLONE {s} VERSION AS OF 0")
        equal(judged(lake, t), sorted((i, i % 2) for i in range(20)))
        lake.run("sql", f"UPDATE {t} SET id = -1 WHERE id = 19; OPTIMIZE {t}; CREATE OR REPLACE TABLE {t} {how} CLONE {s}")
        equal([tuple(r.values()) for r in lake.rows(f"SELECT * FROM {t} ORDER BY id")], rows)
        lake.run("table", "check", t, "--values")
        lake.run("sql", f"CREATE OR REPLACE TABLE {t} {how} CLONE {s} TIMESTAMP AS OF '2999-01-01'")
        lake.run("sql", f"CREATE OR REPLACE TABLE {s} {how} CLONE {s} VERSION AS OF 0", status=2)
        has(lake.err, "a clone of itself")
    lake.run("table", "clone", "raw.s_deep", "gold.t_deep", "--version", "0", "--replace")
    equal(count(lake, "gold.t_deep"), 20)


@case
def clones_that_replace_keep_what_is_the_tables_own(lake):
    lake.root.mkdir(exist_ok=True)
    lake.run("sql", "CREATE TABLE raw.s TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.enableDeletionVectors' = 'true') AS SELECT i AS id FROM range(10) t(i); UPDATE raw.s SET id = 50 WHERE id = 5; OPTIMIZE raw.s")
    lake.run("sql", "CREATE TABLE gold.t TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.enableInCommitTimestamps' = 'true') CLUSTER BY (id) AS SELECT i AS id FROM range(10) t(i); UPDATE gold.t SET id = 1 WHERE id = 2; OPTIMIZE gold.t")
    old = [a["metaData"]["configuration"] for v in range(2) for a in actions(lake, "gold.t", v) if "metaData" in a][0]
    lake.run("sql", "CREATE OR REPLACE TABLE gold.t DEEP CLONE raw.s")
    last = lake.delta("gold.t").version()
    done = actions(lake, "gold.t", last)
    conf = [a["metaData"]["configuration"] for a in done if "metaData" in a][0]
    name = "delta.rowTracking.materializedRowIdColumnName"
    equal((conf["delta.enableRowTracking"], conf["delta.enableInCommitTimestamps"]), ("true", "true"))
    assert name in conf and conf[name] != old.get(name), conf
    assert min(a["add"]["baseRowId"] for a in done if "add" in a) >= 10, done
    assert any(a.get("domainMetadata", {}).get("domain") == "delta.clustering" and a["domainMetadata"]["removed"] for a in done), done
    equal(sum(i["n"] for i in lake.rows("SELECT count(*) AS n FROM gold.t WHERE id = 50")), 1)
    lake.run("table", "check", "gold.t", "--values")
    lake.run("sql", "CREATE TABLE gold.mapped TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS SELECT 1 AS id")
    lake.run("sql", "CREATE OR REPLACE TABLE gold.mapped SHALLOW CLONE raw.s", status=2)
    has(lake.err, "column mapping")
    lake.run("sql", "CREATE TABLE gold.kept TBLPROPERTIES ('delta.appendOnly' = 'true') AS SELECT 1 AS id")
    lake.run("sql", "CREATE OR REPLACE TABLE gold.kept SHALLOW CLONE raw.s", status=2)
    has(lake.err, "append-only")


@case
def features_of_readers_are_dropped(lake):
    """Behind a checkpoint of the version that drops them; what still uses them is named. The log before goes all at once or not at all."""
    lake.root.mkdir(exist_ok=True)
    lake.run("sql", "CREATE TABLE gold.t TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.checkpointPolicy' = 'v2') AS SELECT i AS id FROM range(10) t(i)")
    lake.run("sql", "DELETE FROM gold.t WHERE id = 3")
    lake.run("table", "checkpoint", "gold.t")  # version 1
    refused = lambda feature, why: (lake.run("sql", f"ALTER TABLE gold.t DROP FEATURE {feature}", status=None), has(lake.err, why))
    refused("deletionVectors", "delta.enableDeletionVectors is true")
    lake.run("sql", "ALTER TABLE gold.t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false', 'delta.checkpointPolicy' = 'classic')")
    refused("deletionVectors", "APPLY (PURGE) first")
    lake.run("sql", "REORG TABLE gold.t APPLY (PURGE)")
    refused("deletionVectors TRUNCATE HISTORY", "TRUNCATE HISTORY is not supported")
    lake.run("sql", "ALTER TABLE gold.t DROP FEATURE deletionVectors; ALTER TABLE gold.t DROP FEATURE v2Checkpoint")  # versions 4, 5
    protocol = lake.delta("gold.t").protocol()
    equal((protocol.min_reader_version, protocol.min_writer_version, protocol.reader_features), (1, 7, None))
    assert "checkpointProtection" in protocol.writer_features and not {"deletionVectors", "v2Checkpoint"} & set(protocol.writer_features), protocol
    equal(lake.delta("gold.t").metadata().configuration["delta.requireCheckpointProtectionBeforeVersion"], "5")
    equal([r[0] for r in judged(lake, "gold.t")], [0, 1, 2, 4, 5, 6, 7, 8, 9])
    equal(count(lake, "gold.t VERSION AS OF 0"), 10)
    log = lake.root / "gold/t/_delta_log"
    assert (log / f"{5:020d}.checkpoint.parquet").exists()
    lake.run("sql", "INSERT INTO gold.t VALUES (20); ALTER TABLE gold.t SET TBLPROPERTIES ('delta.logRetentionDuration' = 'interval 30 days')")
    place = lake.dir / "elsewhere"  # no environment pins its versions
    shutil.copytree(lake.root / "gold/t", place)
    log = place / "_delta_log"
    old = time.time() - 90 * 86400
    age = lambda version: [os.utime(p, (old, old)) for p in log.glob(f"{version:020d}*")]
    for version in range(4):
        age(version)
    equal(json.loads(lake.run("table", "vacuum", place, "--output", "json"))["log_files"], 0)  # the checkpoint of version 1 is old, but not all before 5 can go
    for version in range(4, 7):
        age(version)
    assert json.loads(lake.run("table", "vacuum", place, "--output", "json"))["log_files"] > 0
    assert not (log / f"{0:020d}.json").exists() and not (log / f"{4:020d}.json").exists()
    equal(lake.rows(f"SELECT count(*) AS n FROM delta.\"{place}\""), [{"n": 10}])


if __name__ == "__main__":
    main()
