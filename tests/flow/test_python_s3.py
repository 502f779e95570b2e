#!/usr/bin/env python3
"""The Python package and buckets: a real MinIO, storage options by deltalake's names, tables shared with deltalake, several keys in one process."""
import os, pathlib, subprocess, sys, threading

from s3_flow import Bucket, Minio, assume_role, equal, run_cases

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


def both(place, opts):
    """deltalake makes a table, tarn appends, deltalake appends, each reads the other's; one dict of options for all."""
    deltalake.write_deltalake(place, pyarrow.table({"id": [1], "v": ["a"]}), storage_options=opts)
    tarn.write_delta(place, [{"id": 2, "v": "b"}], mode="append", storage_options=opts)
    deltalake.write_deltalake(place, pyarrow.table({"id": [3], "v": ["c"]}), mode="append", storage_options=opts)
    equal(sorted(tarn.DeltaTable(place, storage_options=opts).scan().fetchall()), [(1, "a"), (2, "b"), (3, "c")])
    equal(judged(place, opts), [1, 2, 3])


def spellings(b):
    """The names that deltalake and object_store take for the same five settings."""
    key, secret, url = Minio.KEY, Minio.SECRET, b.minio.endpoint
    yield "AWS_*", {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
    yield "aws_*", {"aws_endpoint_url": url, "aws_access_key_id": key, "aws_secret_access_key": secret, "aws_region": "us-east-1", "aws_allow_http": "true"}
    yield "bare", {"endpoint_url": url, "access_key_id": key, "secret_access_key": secret, "region": "us-east-1", "allow_http": "true"}
    yield "short", {"endpoint": url, "access_key_id": key, "secret_access_key": secret, "default_region": "us-east-1", "allow_http": "1"}
    yield "older", {"AWS_ENDPOINT": url, "aws_access_key_id": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ALLOW_HTTP": "TRUE"}
    yield "capitals", {"Aws_Endpoint_Url": url, "ACCESS_KEY_ID": key, "SECRET_ACCESS_KEY": secret, "REGION": "us-east-1", "Allow_Http": "on"}


@case
def every_spelling_of_the_options_works_for_both(b):
    for name, opts in spellings(b):
        try:
            both(f"{b.lake()}/t", opts)
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}")


TUNING = {"AWS_S3_ALLOW_UNSAFE_RENAME": "true", "conditional_put": "etag", "timeout": "60s", "connect_timeout": "5s", "max_retries": "4",
          "retry_timeout": "30s", "backoff_config.init_backoff": "100ms", "backoff_config.max_backoff": "2s", "backoff_config.base": "2",
          "http1_only": "true", "pool_idle_timeout": "15s", "pool_max_idle_per_host": "4", "user_agent": "a test", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
          "aws_unsigned_payload": "true", "aws_skip_signature": "false", "aws_disable_tagging": "true", "aws_imdsv1_fallback": "false",
          "AWS_EC2_METADATA_DISABLED": "true", "AWS_S3_POOL_IDLE_TIMEOUT_SECONDS": "15", "AWS_S3_GET_INTERNAL_SERVER_ERROR_RETRIES": "10",
          "concurrency_limit": "8", "bucket": "lake", "nobody_knows_this": "x"}


@case
def other_options_of_deltalake_are_taken(b):
    """One at a time and all of them: they do what they say, or nothing; deltalake passes over what it does not know, and so does the library."""
    base = options(b)
    both(f"{b.lake()}/t", {**base, **TUNING})
    place = b.lake() + "/t"
    tarn.write_delta(place, {"id": [1], "v": ["a"]}, storage_options=base)
    for name, value in TUNING.items():
        try:
            equal(tarn.DeltaTable(place, storage_options={**base, name: value}).scan().fetchall(), [(1, "a")])
            equal(judged(place, {**base, name: value}), [1])
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}")


@case
def a_session_token_by_its_names(b):
    base = {k: v for k, v in options(b).items() if "KEY" not in k}
    place = b.lake() + "/t"
    tarn.write_delta(place, {"id": [1], "v": ["a"]}, storage_options=options(b))
    key, secret, token = assume_role(b)
    for name in ("AWS_SESSION_TOKEN", "aws_token", "session_token", "token"):
        opts = {**base, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, name: token}
        equal(judged(place, opts), [1])
        equal(tarn.DeltaTable(place, storage_options=opts).scan().fetchall(), [(1, "a")])


@case
def what_cannot_be_done_is_refused_by_name(b):
    for name, value, words in (("aws_server_side_encryption", "aws:kms", "'aws_server_side_encryption' is not supported"),
                               ("aws_request_payer", "true", "'aws_request_payer' is not supported"),
                               ("conditional_put", "perhaps", "conditional_put is not 'perhaps'"),
                               ("timeout", "soon", "'timeout' is a time"), ("max_retries", "many", "max_retries is a number"),
                               ("allow_http", "maybe", "'allow_http' is true or false"), ("url_style", "upside-down", "url_style is path or vhost")):
        try:
            tarn.DeltaTable(b.lake() + "/t", storage_options={**options(b), name: value})
            raise AssertionError(f"{name}={value} was taken")
        except tarn.TableNotFoundError:
            raise AssertionError(f"{name}={value} was taken")
        except tarn.TarnError as error:
            assert words in str(error), (name, error)


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else "", lambda: Bucket(tls=False)))
