#!/usr/bin/env python3
"""The Python package and buckets: a real MinIO, storage options by deltalake's names, tables shared with deltalake, several keys in one process."""
import os, pathlib, subprocess, sys, threading

from s3_flow import Bucket, Minio, equal, run_cases

ROOT, BUILD = pathlib.Path(os.environ["TARN_ROOT"]), pathlib.Path(os.environ["TARN_BUILD"])
subprocess.run(["cmake", "--build", str(BUILD), "--target", "capi"], check=True, capture_output=True)
os.environ["TARN_LIBRARY"] = str(BUILD / "libtarn.so")
if "TARN_EXTENSION_DIR" not in os.environ and "TARN_DEPS_DIR" in os.environ:
    os.environ["TARN_EXTENSION_DIR"] = os.environ["TARN_DEPS_DIR"] + "/extensions"
sys.path.insert(0, str(ROOT / "python"))

import deltalake, pyarrow
import tarn

CASES = []


def case(fn):
    CASES.append(fn)
    return fn


def options(b, **more):
    return {"AWS_ENDPOINT_URL": b.minio.endpoint, "AWS_ACCESS_KEY_ID": Minio.KEY, "AWS_SECRET_ACCESS_KEY": Minio.SECRET, "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true", **more}


def judged(place, opts):
    engine = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(place, storage_options=opts))
    return sorted(pyarrow.table(engine.execute("SELECT id, v FROM t").read_all()).to_pydict()["id"])


@case
def a_table_shared_with_deltalake(b):
    place, opts = b.lake() + "/t", options(b)
    tarn.write_delta(place, [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], storage_options=opts)
    deltalake.write_deltalake(place, pyarrow.table({"id": [3], "v": ["c"]}), mode="append", storage_options=opts)
    table = tarn.DeltaTable(place, storage_options=opts)
    done = table.merge([{"id": 3, "v": "C"}, {"id": 4, "v": "d"}], "s.id = t.id", "s", "t").when_matched_update_all() \
        .when_not_matched_insert_all().execute()
    equal((done["num_target_rows_updated"], done["num_target_rows_inserted"], table.version()), (1, 1, 2))
    equal(sorted(table.scan().fetchall()), [(1, "a"), (2, "b"), (3, "C"), (4, "d")])
    equal(judged(place, opts), [1, 2, 3, 4])
    equal(table.optimize.compact()["numFilesAdded"], 1)
    equal([u.startswith(place + "/") for u in table.file_uris()], [True])
    table.alter.add_columns(tarn.Field("w", "long"))
    table.alter.set_table_description("in a bucket")
    equal((table.schema().names, table.metadata().description), (["id", "v", "w"], "in a bucket"))
    with tarn.connect(b.lake(), storage_options=opts) as lake:
        lake.sql("CREATE TABLE raw.t AS SELECT * FROM rows", rows=table)
        equal(lake.sql("SELECT count(*) FROM raw.t").fetchall(), [(4,)])


@case
def the_environment_counts_too(b):
    saved = dict(os.environ)
    try:
        os.environ.update({"AWS_ENDPOINT_URL": b.minio.endpoint, "AWS_ACCESS_KEY_ID": Minio.KEY, "AWS_SECRET_ACCESS_KEY": Minio.SECRET,
                           "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"})
        place = b.lake() + "/t"
        tarn.write_delta(place, {"id": [1]})
        equal(tarn.DeltaTable(place).count(), 1)
    finally:
        os.environ.clear()
        os.environ.update(saved)


@case
def wrong_keys_beside_right_ones(b):
    place, opts = b.lake() + "/t", options(b)
    tarn.write_delta(place, {"id": [1, 2]}, storage_options=opts)
    try:
        tarn.DeltaTable(place, storage_options=options(b, AWS_SECRET_ACCESS_KEY="not-the-secret"))
        raise AssertionError("a wrong key opened the table")
    except tarn.AccessError as error:
        assert "not-the-secret" not in str(error), error
    equal(tarn.DeltaTable(place, storage_options=opts).scan().fetchall(), [(1,), (2,)])
    try:
        tarn.DeltaTable("s3://lake/none", storage_options=opts)
        raise AssertionError("an absent table was opened")
    except tarn.TableNotFoundError:
        pass


@case
def writers_in_threads(b):
    place, opts, errors = b.lake() + "/t", options(b), []
    tarn.write_delta(place, {"id": [-1]}, storage_options=opts)

    def work(who):
        try:
            for n in range(4):
                tarn.write_delta(place, {"id": [who * 10 + n]}, mode="append", storage_options=opts)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    equal(errors, [])
    equal(sorted(i for i, in tarn.DeltaTable(place, storage_options=opts).scan().fetchall() if i >= 0), sorted(w * 10 + n for w in range(4) for n in range(4)))


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else "", lambda: Bucket(tls=False)))
