#!/usr/bin/env python3
"""Maintained tables, judged by deltalake and DuckDB's delta extension; and maintenance of tables that deltalake wrote.

    test_delta_maint.py     the program is $TARN, extensions are those of build/deps
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
EXTENSION = ROOT / "build/deps/extensions/v1.5.5/linux_amd64/delta.duckdb_extension"
passed, failed = 0, 0


def check(name, ok, what=""):
    global passed, failed
    passed += ok
    failed += not ok
    if not ok:
        print(f"failed: {name}: {str(what)[:1500]}")


def tarn(*args, status=0):
    r = subprocess.run([TARN, *map(str, args)], capture_output=True, text=True, timeout=600, cwd=tempfile.gettempdir())
    if r.returncode != status:
        raise RuntimeError(f"{args}: {r.returncode}: {r.stderr.strip()} {r.stdout.strip()}")
    return r.stdout.strip()


def sql(text):
    return tarn("sql", text)


def session():
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute("SET TimeZone='UTC'")
    if EXTENSION.exists():
        con.execute(f"LOAD '{EXTENSION}'")
    return con


def rows(con, query):
    return sorted(tuple(str(v) for v in r) for r in con.execute(query).fetchall())


def by_deltalake(path):
    t = DeltaTable(str(path))
    return pa.table(QueryBuilder().register("t", t).execute("select * from t").read_all())


def judge(name, path, expected, kernel=True, rs=True):
    con = session()
    if rs:
        got = by_deltalake(path)
        con.register("got", got)
        check(f"{name}: deltalake", rows(con, "FROM got") == expected, rows(con, "FROM got")[:3])
    if kernel and EXTENSION.exists():
        seen = rows(con, f"FROM delta_scan('{path}')")
        check(f"{name}: DuckDB's delta extension", seen == expected, seen[:3])
    check(f"{name}: tarn's check", tarn("table", "check", path, "--values").endswith(": ok"))


def main():
    con = session()
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)

        # tarn writes and packs; partitions with odd names
        t = tmp / "packed"
        select = "SELECT range AS id, ['a b', 'c/d', NULL][1 + range % 3] AS p, 'x' || range AS s, TIMESTAMPTZ '2024-01-01 00:00:00.123456Z' + to_hours(range) AS ts FROM range({})"
        sql(f'CREATE TABLE delta."{t}" PARTITIONED BY (p) AS ' + select.format(30))
        for i in range(4):
            sql(f'INSERT INTO delta."{t}" ' + select.format(10 + i))
        before = rows(con, f"FROM delta_scan('{t}')") if EXTENSION.exists() else None
        tarn("table", "optimize", t)
        check("one file a partition", len(DeltaTable(str(t)).file_uris()) == 3)
        judge("packed", t, before)
        tarn("table", "optimize", t, "--zorder", "ts,s")
        judge("Z-ordered", t, before)
        h = DeltaTable(str(t)).history(1)[0]
        check("history", h["operation"] == "OPTIMIZE" and h["operationParameters"]["zOrderBy"] == '["ts","s"]', h)
        tarn("table", "vacuum", t, "--retain", "0", "--allow-short-retention")
        judge("vacuumed", t, before)
        check("only live files are left", len(list(t.glob("p=*/*.parquet"))) == 3)

        # deltalake writes, tarn packs, deltalake goes on
        t = tmp / "theirs"
        for i in range(8):
            write_deltalake(str(t), pa.table({"id": list(range(i * 10, i * 10 + 10)), "g": [i % 2] * 10}), partition_by=["g"], mode="append")
        DeltaTable(str(t)).delete("id = 5")
        expected = rows(con, f"FROM delta_scan('{t}')")
        sql(f'OPTIMIZE delta."{t}" WHERE g = 1')
        check("one partition packed", len(DeltaTable(str(t)).file_uris()) == 5, DeltaTable(str(t)).file_uris())
        judge("theirs packed", t, expected)
        DeltaTable(str(t)).optimize.compact()
        judge("and theirs again", t, expected)
        write_deltalake(str(t), pa.table({"id": [1000], "g": [1]}), mode="append")
        sql(f'RESTORE TABLE delta."{t}" TO VERSION AS OF 0')
        judge("restored", t, rows(con, "SELECT range, 0 FROM range(10)"))
        version = DeltaTable(str(t)).version()
        DeltaTable(str(t)).restore(version - 1)
        judge("restored back by deltalake", t, rows(con, f"SELECT * FROM (VALUES {','.join(str(tuple(map(int, r))) for r in expected)}) UNION ALL SELECT 1000, 1"))

        # a deletion vector goes with the file that has it
        t = tmp / "vectors"
        sql(f'CREATE TABLE delta."{t}" TBLPROPERTIES (\'delta.enableDeletionVectors\' = \'true\') AS SELECT range AS id FROM range(1000)')
        sql(f'DELETE FROM delta."{t}" WHERE id % 3 = 0')
        expected = rows(con, "SELECT range FROM range(1000) WHERE range % 3 <> 0")
        judge("with a vector", t, expected)
        out = tarn("table", "optimize", t, "--output", "json")
        check("the vector is gone", '"deletion_vectors_removed": 1' in out, out)
        judge("vector materialised", t, expected)

        # clones
        tarn("table", "clone", tmp / "packed", tmp / "deep copy")
        judge("deep clone", tmp / "deep copy", before)
        tarn("table", "clone", tmp / "packed", tmp / "shallow", "--shallow")
        judge("shallow clone", tmp / "shallow", before)

        # old log
        t = tmp / "log"
        sql(f'CREATE TABLE delta."{t}" TBLPROPERTIES (\'delta.logRetentionDuration\' = \'interval 0 days\') AS SELECT 0 AS id')
        for i in range(1, 13):
            write_deltalake(str(t), pa.table({"id": pa.array([i], pa.int32())}), mode="append")
        DeltaTable(str(t)).create_checkpoint()
        tarn("table", "vacuum", t)
        left = sorted(p.name for p in (t / "_delta_log").glob("*.json"))
        check("the old log is gone", left == [f"{12:020}.json"], left)
        judge("with a short log", t, rows(con, "SELECT range FROM range(13)"))

        # mixed operations of both programs against a model
        t, model, rng = tmp / "mixed", [], random.Random(7)
        sql(f'CREATE TABLE delta."{t}" AS SELECT 0::BIGINT AS id')
        model = [0]
        for i in range(25):
            what = rng.choice(["append", "append", "rs", "pack", "zorder", "vacuum", "overwrite", "rs-pack"])
            if what == "append":
                sql(f'INSERT INTO delta."{t}" SELECT {i}')
                model.append(i)
            elif what == "rs":
                write_deltalake(str(t), pa.table({"id": [i]}), mode="append")
                model.append(i)
            elif what == "pack":
                tarn("table", "optimize", t)
            elif what == "zorder":
                tarn("table", "optimize", t, "--zorder", "id")
            elif what == "vacuum":
                tarn("table", "vacuum", t, "--retain", "0", "--allow-short-retention")
            elif what == "rs-pack":
                DeltaTable(str(t)).optimize.compact()
            else:
                sql(f'INSERT OVERWRITE delta."{t}" SELECT {i}')
                model = [i]
        judge("mixed operations", t, sorted((str(v),) for v in model))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
