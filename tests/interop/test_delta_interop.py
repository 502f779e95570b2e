#!/usr/bin/env python3
"""What tarn writes, judged by deltalake and DuckDB's delta extension; what deltalake writes, read by tarn.

    test_delta_interop.py [DRIVER [EXTENSIONS]]     DRIVER: default $TARN_BUILD/delta_driver; EXTENSIONS: build/deps/extensions/v1.5.5/linux_amd64
"""
import datetime
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARN_BUILD"] + "/delta_driver"
EXTENSIONS = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else HERE.parent.parent / "build/deps/extensions/v1.5.5/linux_amd64")
ENV = dict(os.environ, TARN_SQL_BEFORE="SET TimeZone='UTC'")
passed, failed = 0, 0


def tarn(*args):
    r = subprocess.run([PROGRAM, *map(str, args)], env=ENV, capture_output=True, text=True, timeout=600)
    if r.returncode != 0:
        raise RuntimeError(f"{args}: {r.stderr.strip()}")
    return r.stdout.strip()


def rows(con, sql):
    return sorted((tuple(str(v) for v in r) for r in con.execute(sql).fetchall()))


def session():
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute("SET TimeZone='UTC'")
    ext = EXTENSIONS / "delta.duckdb_extension"
    if ext.exists():
        con.execute(f"LOAD '{ext}'")
        return con, True
    return con, False


def check(name, ok, what=""):
    global passed, failed
    passed += ok
    failed += not ok
    if not ok:
        print(f"failed: {name}: {str(what)[:1500]}")


def judge(name, path, columns="*"):
    """All three readers give the same rows."""
    con, has_delta = session()
    ours = rows(con, f"SELECT {columns} FROM ({tarn('sql', path)})")
    if has_delta:
        kernel = rows(con, f"SELECT {columns} FROM delta_scan('{path}')")
        check(f"{name}: DuckDB's delta extension", ours == kernel, (ours[:3], kernel[:3]))
    t = DeltaTable(str(path))
    got = pa.table(QueryBuilder().register("t", t).execute("select * from t").read_all())
    con.register("got", got)
    rs = rows(con, f"SELECT {columns} FROM got")
    check(f"{name}: deltalake", ours == rs, (ours[:3], rs[:3]))
    return ours


TYPES = """SELECT range::TINYINT AS b, range::SMALLINT AS s, range::INTEGER AS i, range AS l, range::UTINYINT AS ub, range::UINTEGER AS ui,
 range / 3 AS d, (range / 3)::FLOAT AS f, (range * 1.25)::DECIMAL(9, 2) AS dec9, (range * 1.25)::DECIMAL(38, 10) AS dec38,
 range % 2 = 0 AS bo, 'x' || range AS st, ('y' || range)::BLOB AS bl, DATE '2024-02-28' + range::INTEGER AS dt,
 TIMESTAMPTZ '2024-01-01 00:00:00.123456+00' + to_hours(range) AS tz, [range, NULL] AS li, {'a': range, 'b': {'c': 'z' || range}} AS sr,
 MAP {'k': range} AS mp, CASE WHEN range > 2 THEN range END AS nu, 'A' AS en, uuid() AS uu, 'nan'::DOUBLE AS na FROM range(5)"""


def main():
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        tarn("write", tmp / "types", "create", TYPES)
        judge("types", tmp / "types", "* EXCLUDE (bl, uu)")
        tarn("write", tmp / "ntz", "create", "SELECT TIMESTAMP '1969-12-31 23:59:59.999999' AS t, 1 AS x, NULL::TIMESTAMP AS u")
        judge("timestamp_ntz", tmp / "ntz")

        odd = "SELECT unnest(['a b/c', 'NULL', NULL, 'é%:?#', 'x[1]*', 'q''uo', 'a=b', '~!@$&()+,;']) AS p, DATE '2024-02-29' AS d, 1.5::DOUBLE AS r, 7 AS v"
        tarn("write", tmp / "parts", "create", odd, "partition_by=p,d,r")
        judge("odd partition values", tmp / "parts")
        tarn("write", tmp / "partstz", "create", "SELECT TIMESTAMPTZ '2024-01-01 01:02:03.4+00' + to_days(range::INTEGER) AS p, TRUE AS q, range AS v FROM range(3)",
             "partition_by=p,q")
        judge("timestamp partitions", tmp / "partstz")

        names = """SELECT 1 AS "a b", 2 AS "q""uo", {'x.y': 3, 'é': [4]} AS "st.z", 5 AS filename, 6 AS file_row_number, 7 AS "Öl", 8 AS "p=1", 9 AS "select" """
        tarn("write", tmp / "names", "create", names, "partition_by=p=1")
        tarn("write", tmp / "names", "append", names)
        judge("odd column names", tmp / "names")

        tarn("write", tmp / "evolve", "create", "SELECT 1 AS id, {'a': 1} AS st")
        tarn("write", tmp / "evolve", "merge", "SELECT 2 AS id, 'n' AS name, {'a': 2, 'b': 'y'} AS st")
        judge("merged schema", tmp / "evolve")
        for i in range(12):
            tarn("write", tmp / "many", "append", f"SELECT {i} AS id, 'v{i}' AS v, 'p{i % 3}' AS p", "partition_by=p", "app=loader", f"txn={i + 1}")
        check("checkpoint written", (tmp / "many/_delta_log/00000000000000000010.checkpoint.parquet").exists())
        for i in range(10):
            (tmp / f"many/_delta_log/{i:020}.json").unlink()
        n = len(judge("after a checkpoint", tmp / "many"))
        check("rows after a checkpoint", n == 12, n)
        check("txn in the checkpoint", DeltaTable(str(tmp / "many")).transaction_version("loader") == 12)
        tarn("write", tmp / "many", "overwrite", "SELECT 1 AS id, 'x' AS v, 'p9' AS p")
        judge("overwritten", tmp / "many")
        tarn("restore", tmp / "many", 11)
        check("restored", len(judge("restored", tmp / "many")) == 12)

        # deltalake writes, tarn reads; then tarn appends and deltalake reads that
        now = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=datetime.timezone.utc)
        data = pa.table({"id": [1, 2], "ts": pa.array([now, None], pa.timestamp("us", "UTC")), "p": ["a b", None], "l": [[1], None]})
        path = str(tmp / "rs")
        write_deltalake(path + "p", data, partition_by=["p"])
        judge("deltalake partitions", path + "p")
        write_deltalake(path, data)
        write_deltalake(path, pa.table({"id": [3], "other": ["z"]}), mode="overwrite", schema_mode="overwrite")
        judge("deltalake schema overwrite", path)
        check("rows of deltalake's overwrite", rows(session()[0], f"FROM ({tarn('sql', path)})") == [("3", "z")])
        tarn("write", path, "append", "SELECT 4::BIGINT AS id, 'w' AS other")
        check("appended to deltalake's table", len(judge("append to deltalake's table", path)) == 2)
        check("stats are seen", DeltaTable(path).count() == 2)
        for i in range(3):
            write_deltalake(path, pa.table({"id": [10 + i], "other": ["c"]}), mode="append")
        DeltaTable(path).create_checkpoint()
        check("deltalake's checkpoint", len(judge("deltalake's checkpoint", path)) == 5)
        DeltaTable(path).delete("id = 4")
        judge("deltalake's delete", path)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
