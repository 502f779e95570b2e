#!/usr/bin/env python3
"""Requests and time on a bucket: tarn beside deltalake, for the same work, behind a proxy that counts and adds latency.

    tests/bench/buckets.py [--delay MS] [--markdown]

Table: 25 commits, a checkpoint, 3 commits after it. A round is a request that had to wait for one before it. The program runs as a whole process each time, on a lake of three
tables; the packages ("python" is tarn's, and deltalake) in one process, without their start, on tables that no lake knows. This machine has written to the bucket before: the
three requests by which it learns once that the store honours If-None-Match are not counted. Needs tools/minio, and `make capi` for the package.
"""
import argparse, json, os, pathlib, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/oracle"), str(ROOT / "tests/flow")]
from s3_flow import Bucket
from s3_proxy import Proxy, rounds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=20)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--log", action="store_true", help="each request")
    args = parser.parse_args()
    b = Bucket()
    proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca).start()
    rows = []
    try:
        run(b, proxy, args, rows)
    finally:
        proxy.stop()
        b.close()
    if args.markdown:
        print("| work | program | requests | rounds | s |\n|---|---|---|---|---|")
    for work, who, n, deep, seconds in rows:
        print(f"| {work} | {who} | {n} | {deep} | {seconds:.2f} |" if args.markdown else f"{work:28} {who:10} {n:3} requests {deep:3} rounds {seconds:6.2f} s")


def run(b, proxy, args, rows):
    import pyarrow
    from deltalake import DeltaTable, write_deltalake
    options = {**{k: v for k, v in b.minio.env().items() if k.startswith("AWS_")}, "AWS_REGION": "us-east-1", "allow_invalid_certificates": "true"}
    direct = dict(options)
    options["AWS_ENDPOINT_URL"] = f"https://127.0.0.1:{proxy.port}"
    part = lambda n, k=100: pyarrow.table({"id": pyarrow.array(range(n * k, n * k + k), pyarrow.int64()), "v": [float(n)] * k})
    for where in ("s3://lake/t/x", "s3://lake/u/x", "s3://lake/v/x"):
        for n in range(28):
            write_deltalake(where, part(n), mode="overwrite" if n < 25 else "append", storage_options=direct,
                            configuration={"delta.checkpointInterval": "1000"} if n == 0 else None)  # none of the writes below is a tenth one
            if n == 24:
                DeltaTable(where, storage_options=direct).create_checkpoint()
    b.run("s3://lake", "lake", "publish", "--newest")
    far = {"AWS_ENDPOINT_URL": options["AWS_ENDPOINT_URL"]}
    b.run("s3://lake", "sql", "create table w.w as select 1 as i", env=far)

    def measure(work, who, fn):
        proxy.take_log()
        proxy.delay_ms = args.delay
        began = time.monotonic()
        fn()
        took = time.monotonic() - began
        proxy.delay_ms = 0
        log = proxy.take_log()
        rows.append((work, who, len(log), rounds(log), took))
        if args.log:
            print(f"-- {work} {who}")
            for start, end, method, path, status in log:
                print(f"   {(start - began) * 1000:7.0f} ms {method:6} {status} {path[:130]}")

    def tarn(*words):
        return lambda: b.run("s3://lake", *words, env=far)
    import shutil
    own = package(b)
    own_options = {**direct, "AWS_ENDPOINT_URL": options["AWS_ENDPOINT_URL"], "ca_file": str(b.minio.ca)}
    def cold():  # what this machine remembers, but for what the store can do
        for folder in ("objects", "notes"):
            shutil.rmtree(b.work / ".cache/tarn" / folder, ignore_errors=True)
    os.environ["XDG_CACHE_HOME"] = str(b.work / ".cache")
    cold()
    measure("open, cold", "tarn", tarn("table", "show", "t.x"))
    measure("open, cold", "python", lambda: own.DeltaTable("s3://lake/v/x", storage_options=own_options).version())
    measure("open, cold", "deltalake", lambda: DeltaTable("s3://lake/u/x", storage_options=options))
    measure("open, again", "tarn", tarn("table", "show", "t.x"))
    measure("open, again", "python", lambda: own.DeltaTable("s3://lake/v/x", storage_options=own_options).version())
    measure("open, again", "deltalake", lambda: DeltaTable("s3://lake/u/x", storage_options=options))
    table, mine = DeltaTable("s3://lake/u/x", storage_options=options), own.DeltaTable("s3://lake/v/x", storage_options=own_options)
    mine.version()
    measure("look for news of an open table", "python", mine.update_incremental)
    measure("look for news of an open table", "deltalake", table.update_incremental)
    measure("append, to a path", "tarn", tarn("sql", 'insert into delta."s3://lake/v/x" values (1, 1.0)'))
    measure("append, to a path", "python", lambda: own.write_delta("s3://lake/v/x", part(1000, 1), mode="append", storage_options=own_options))
    measure("append, to a path", "deltalake", lambda: write_deltalake("s3://lake/u/x", part(1000, 1), mode="append", storage_options=options))
    table, mine = DeltaTable("s3://lake/u/x", storage_options=options), own.DeltaTable("s3://lake/v/x", storage_options=own_options)
    measure("append, to an open table", "python", lambda: own.write_delta(mine, part(1001, 1), mode="append"))
    measure("append, to an open table", "deltalake", lambda: write_deltalake(table, part(1001, 1), mode="append"))
    measure("append, first of this machine, and publish", "tarn", lambda: (cold(), tarn("sql", "insert into t.x values (1, 1.0)")()))
    measure("append and publish", "tarn", tarn("sql", "insert into t.x values (1, 1.0)"))
    source = part(0)
    measure("merge 100 rows", "deltalake", lambda: DeltaTable("s3://lake/u/x", storage_options=options).merge(
        source, "s.id = t.id", source_alias="s", target_alias="t").when_matched_update_all().when_not_matched_insert_all().execute())
    measure("merge 100 rows", "python", lambda: own.DeltaTable("s3://lake/v/x", storage_options=own_options).merge(
        source, "s.id = t.id", "s", "t").when_matched_update_all().when_not_matched_insert_all().execute())
    measure("merge 100 rows and publish", "tarn", tarn(
        "sql", "merge into t.x t using (select range::bigint as id, 2.0::double as v from range(100)) s on s.id = t.id "
        "when matched then update set v = s.v when not matched then insert (id, v) values (s.id, s.v)"))
    measure("land a file (append) and publish", "tarn", tarn("land", "t.x", b.file("add.csv", "id,v\n100000,1.0\n"), "--no-source-columns"))
    measure("select", "tarn", tarn("sql", "select sum(v) from t.x"))
    measure("select", "deltalake", lambda: DeltaTable("s3://lake/u/x", storage_options=options).to_pyarrow_table(columns=["v"]))
    measure("env create", "tarn", tarn("lake", "env", "create", "alice", "--from", "prod"))
    measure("first write in it", "tarn", tarn("sql", "--env", "alice", "insert into t.x values (1, 1.0)"))


def package(b):
    """tarn's own Python package on the library of the build."""
    os.environ["TARN_LIBRARY"] = str(pathlib.Path(os.environ.get("TARN_BUILD", ROOT / "build/release")) / "libtarn.so")
    sys.path.insert(0, str(ROOT / "python"))
    import tarn
    return tarn


if __name__ == "__main__":
    main()
