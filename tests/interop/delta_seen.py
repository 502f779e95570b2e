"""What is to be seen of a feature beyond equal rows: functions of the Run of test_spark.py, called when a case of delta_cases.py is through."""
import datetime
import json
import re
import shutil

from delta_judges import Rows, filled, log_of, version_of


def compacted_log_is_used(run):
    """Spark, seeing the table for the first time, opens a compacted file in place of commits."""
    jvm = run.spark.session._jvm
    log = jvm.org.apache.spark.sql.delta.DeltaLog
    log.clearCache()
    segment = log.forTable(run.spark.session._jsparkSession, str(run.path)).unsafeVolatileSnapshot().logSegment()
    run.check("Spark opens compacted files", ".compacted.json" in segment.deltas().toString(), segment.deltas().toString()[:500])


def structs_prune(run):
    """The newest version has a checkpoint whose statistics are structs only. Spark answers with no other files there than those that it needs; tarn opens as many."""
    version = version_of(run.path)
    run.check("the newest version has a checkpoint", list((run.path / "_delta_log").glob(f"{version:020d}.checkpoint*")))
    where = "WHERE id >= 5000"
    count = f"SELECT count(*) AS n FROM (SELECT * FROM {{t}} {where}) AS s WHERE s.v IS NULL OR s.v < 1000"
    needed = {r[0] for r in run.spark.statement(f"SELECT DISTINCT _metadata.file_name FROM {{t}} {where}", run.path)}
    plan = run.tarn("sql", filled("EXPLAIN ANALYZE " + count, run.path))
    opened = re.findall(r"Total Files Read: (\d+)", plan)
    run.check("tarn opens only the files that it needs", sum(map(int, opened)) == len(needed), (len(needed), opened, plan[-3000:]))
    bare = run.path.with_name(run.path.name + " bare")
    shutil.copytree(run.path, bare)
    gone = [p for p in bare.rglob("*.parquet") if "_delta_log" not in p.parts and p.name not in needed]
    for p in gone:
        p.unlink()
    n = run.spark.query(count, bare).to_pylist()[0]["n"]
    run.check("Spark opens only the files that it needs", n == 10 and gone, (n, gone))


def same_versions_by_time(run):
    """At the time that Spark's history gives a version, both see it; a moment earlier both see the one before."""
    for version, time in ((r["version"], r["timestamp"]) for r in run.spark.statement("DESCRIBE HISTORY {t}", run.path)):
        for at in (time, time - datetime.timedelta(milliseconds=1)):
            if at == time or version > 0:
                query = f"SELECT * FROM {{t}} TIMESTAMP AS OF '{at:%Y-%m-%d %H:%M:%S.%f}'"
                seen = [Rows(e.query(query, run.path)) for e in run.engines]
                run.check(f"the version of {at}", seen[0] == seen[1], seen[0].difference(seen[1]))


def rows_have_ids(run):
    """All rows have an id of their own, by Spark."""
    (n, ids, versions), = run.spark.statement("SELECT count(*), count(DISTINCT _metadata.row_id), count(_metadata.row_commit_version) FROM {t}", run.path)
    run.check("every row has an id and a version", n == ids == versions and n > 0, (n, ids, versions))


def cubes(run):
    """Who clusters tells of ordered files in this way, tarn as Spark."""
    clusters, seen = False, 0
    for _, action in log_of(run.path):
        if "commitInfo" in action:
            clusters = action["commitInfo"]["operation"] == "OPTIMIZE"
        elif clusters and "add" in action:
            seen += 1
            tags = dict(action["add"].get("tags") or {})
            tags.pop("ZCUBE_ZORDER_CURVE", None)
            run.check("the provider of the order", action["add"].get("clusteringProvider") == "liquid", action)
            run.check("a cube's tags", sorted(tags) == ["ZCUBE_ID", "ZCUBE_ZORDER_BY"] and len(tags["ZCUBE_ID"]) == 36, tags)
            run.check("columns are paths", json.loads(tags["ZCUBE_ZORDER_BY"]) in (["id", "v"], ["s"]), tags)
    run.check("files were ordered", seen)


def streams(run):
    """A stream of Spark copies the table, new rows included, and writes each batch once; tarn reads the copy."""
    copy, state = run.path.with_name(run.path.name + " copy"), run.path.with_name(run.path.name + " state")
    for more in ("range(300, 305)", None):
        source = run.spark.session.readStream.format("delta").load(str(run.path))
        source.writeStream.format("delta").option("checkpointLocation", str(state)).partitionBy("g").trigger(availableNow=True).start(str(copy)).awaitTermination()
        want, got = run.tarn.rows(run.path), run.tarn.rows(copy)
        run.check("the stream's table has the rows", want == got, want.difference(got))
        if more:
            run.tarn.statement(f"INSERT INTO {{t}} SELECT id, CAST(1 AS INT), CAST(2 AS INT), 'new' FROM {more} AS r(id)", run.path)
    problem = run.tarn.check(copy)
    run.check("tarn table check of the stream's table", not problem, problem)
