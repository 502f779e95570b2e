#!/usr/bin/env python3
"""Requests and time on a bucket: tarn beside deltalake, for the same work, behind a proxy that counts and adds latency.

    tests/bench/buckets.py [--delay MS] [--markdown]

Table: 25 commits, a checkpoint, 3 commits after it. A round is a request that had to wait for one before it. tarn runs as a whole process each time; deltalake in one
process, without its start. Needs tools/minio.
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
    for where in ("s3://lake/t/x", "s3://lake/u/x"):
        for n in range(28):
            write_deltalake(where, part(n), mode="overwrite" if n < 25 else "append", storage_options=direct)
            if n == 24:
                DeltaTable(where, storage_options=direct).create_checkpoint()
    b.run("s3://lake", "lake", "publish", "--newest")
    far = {"AWS_ENDPOINT_URL": options["AWS_ENDPOINT_URL"]}
    b.file("add.csv", "id,v\n100000,1.0\n")
    b.run("s3://lake", "sql", "select 1", env=far)

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
    cache = b.work / ".cache/tarn/log"
    shutil.rmtree(cache, ignore_errors=True)
    measure("open cold", "tarn", tarn("table", "show", "t.x"))
    measure("open cold", "deltalake", lambda: DeltaTable("s3://lake/u/x", storage_options=options))
    measure("open again", "tarn", tarn("table", "show", "t.x"))
    table = DeltaTable("s3://lake/u/x", storage_options=options)
    measure("open again (same process)", "deltalake", table.update_incremental)
    measure("append to a path", "deltalake", lambda: write_deltalake("s3://lake/u/x", part(1000, 1), mode="append", storage_options=options))
    measure("append and publish", "tarn", tarn("sql", "insert into t.x values (1, 1.0)"))
    source = part(0)
    measure("merge 100 rows", "deltalake", lambda: DeltaTable("s3://lake/u/x", storage_options=options).merge(
        source, "s.id = t.id", source_alias="s", target_alias="t").when_matched_update_all().when_not_matched_insert_all().execute())
    measure("merge 100 rows and publish", "tarn", tarn(
        "sql", "merge into t.x t using (select range::bigint as id, 2.0::double as v from range(100)) s on s.id = t.id "
        "when matched then update set v = s.v when not matched then insert (id, v) values (s.id, s.v)"))
    measure("env create", "tarn", tarn("lake", "env", "create", "alice", "--from", "prod"))


if __name__ == "__main__":
    main()
