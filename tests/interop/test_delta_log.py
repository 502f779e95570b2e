#!/usr/bin/env python3
"""The log that tarn writes (checkpoints of every kind, checksum files, compacted commits, row ids), judged by deltalake's QueryBuilder and
DuckDB's delta extension: they must find the rows with nothing but the checkpoint and what came after it."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from delta_judges import log_of  # noqa: E402
from test_delta_columns import Bench  # noqa: E402

STRUCT = "'delta.checkpoint.writeStatsAsStruct' = 'true'"
KINDS = {
    "classic": "",
    "classic-structs": STRUCT + ", 'delta.checkpoint.writeStatsAsJson' = 'false'",
    "v2": "'delta.checkpointPolicy' = 'v2'",
    "v2-structs": "'delta.checkpointPolicy' = 'v2', " + STRUCT,
    "v2-vectors": "'delta.checkpointPolicy' = 'v2', 'delta.enableDeletionVectors' = 'true'",
    "v2-mapped": "'delta.checkpointPolicy' = 'v2', 'delta.columnMapping.mode' = 'name', " + STRUCT,
    "rows": "'delta.enableRowTracking' = 'true'",
    "times": "'delta.enableInCommitTimestamps' = 'true'",
}


def make(b, name, properties):
    path = b.tmp / name
    every = "'delta.checkpointInterval' = '4'"
    front = "(range % 2)::VARCHAR AS p, range AS id" if "columnMapping" in properties else "range AS id, (range % 2)::VARCHAR AS p"  # see test_delta_columns.py
    b.sql(
        path,
        f"CREATE TABLE {{t}} PARTITIONED BY (p) TBLPROPERTIES ({every}{', ' + properties if properties else ''}) AS SELECT {front}, "
        "'s' || range AS s, range * 1.25::DECIMAL(9, 2) AS d, DATE '2024-01-01' + range::INTEGER AS day, TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_hours(range) AS t FROM range(20)",
    )
    for i in range(4):
        b.sql(path, f"INSERT INTO {{t}} SELECT * REPLACE (id + 100 * {i + 1} AS id) FROM {{t}} WHERE id < 5")
    b.sql(path, "DELETE FROM {t} WHERE id % 7 = 3")
    return path


def only_the_checkpoint(b, name, path):
    log = path / "_delta_log"
    found = list(log.glob("*4.checkpoint.*"))
    b.r.check(f"{name}: one checkpoint of version 4", len(found) == 1, [f.name for f in log.iterdir()])
    for version in range(4):
        (log / f"{version:020}.json").unlink()
        (log / f"{version:020}.crc").unlink()
    b.judge(f"{name}, older commits gone", path)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        b = Bench(tmp)
        for name, properties in KINDS.items():
            path = make(b, name, properties)
            b.judge(name, path)
            only_the_checkpoint(b, name, path)
            side = list((path / "_delta_log/_sidecars").glob("*.parquet"))
            b.r.check(f"{name}: sidecars", bool(side) == name.startswith("v2"), side)
        path = b.tmp / "began-to-track"
        b.sql(path, "CREATE TABLE {t} AS SELECT range AS id FROM range(9)", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')",
              "UPDATE {t} SET id = id + 100 WHERE id = 4", "OPTIMIZE {t} ZORDER BY (id)")
        adds = [a["add"] for _, a in log_of(path) if "add" in a]
        b.r.check("began to track: ids from the backfill on", all("baseRowId" in a for a in adds[1:]) and "baseRowId" not in adds[0], adds)
        b.judge("began to track", path, [(i if i != 4 else 104,) for i in range(9)])
        b.r.end()


if __name__ == "__main__":
    main()
