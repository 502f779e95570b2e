"""Lakes in a bucket of a real MinIO over TLS with a private authority: the main job, racing writers, what readers attach, what a wrong
authority is told, plain http, and that keys appear nowhere. Without MinIO everything is skipped and says so."""
import concurrent.futures, os, pathlib, pty, random, re, subprocess, sys, zipfile

from s3_hosts import Door
from s3_flow import Bucket, Minio, minio_server, TARN, equal, has, run_cases

CASES = []


def case(fn):
    CASES.append(fn)
    return fn


@case
def land_append_overwrite_and_read(b):
    lake = b.lake()
    b.file("a.csv", "id,name\n1,a\n2,b\n")
    b.run(lake, "land", "raw.things", "a.csv")
    b.run(lake, "land", "raw.things", "a.csv")
    equal(b.rows(lake, "select count(*) n, sum(id) s from raw.things"), [{"n": 4, "s": 6}])
    b.run(lake, "land", "raw.things", "a.csv", "--mode", "overwrite")
    equal(b.rows(lake, "select id, name from raw.things order by id"), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])


@case
def partitions_with_odd_values(b):
    lake = b.lake()
    b.file("p.csv", "p,v\na b/c,1\n\u00e9+%,2\n,3\n")
    b.run(lake, "land", "raw.parts", "p.csv", "--partition-by", "p")
    equal(b.rows(lake, "select p, v from raw.parts order by v"), [{"p": "a b/c", "v": 1}, {"p": "\u00e9+%", "v": 2}, {"p": None, "v": 3}])


@case
def changes_by_sql_and_history(b):
    lake = b.lake()
    b.run(lake, "sql", "create table t.x as select range as i from range(10); delete from t.x where i < 3; "
                       "update t.x set i = -i where i = 9; insert into t.x values (100)")
    equal(b.rows(lake, "select count(*) n, sum(i) s from t.x"), [{"n": 8, "s": sum(range(3, 9)) - 9 + 100}])
    has(b.run(lake, "table", "history", "t.x"), "UPDATE")


@case
def inputs_from_buckets(b):
    lake = b.lake()
    con = b.duckdb()
    for i in range(3):
        con.execute(f"COPY (SELECT {i} AS i) TO 's3://inbox/day={i}/part.csv' (HEADER)")
    con.execute("COPY (SELECT 99 AS i) TO 's3://inbox/other.csv' (HEADER)")
    b.run(lake, "land", "raw.days", "s3://inbox/day=*/*.csv")
    equal(b.rows(lake, "select i, _source_file f from raw.days order by i")[2], {"i": 2, "f": "s3://inbox/day=2/part.csv"})
    con.execute("COPY (SELECT 3 AS i) TO 's3://inbox/day=3/part.csv' (HEADER)")
    b.run(lake, "land", "raw.days", "s3://inbox/day=*/*.csv", "--once")
    equal(b.rows(lake, "select count(*) n from raw.days"), [{"n": 4}])
    b.run(lake, "land", "raw.none", "s3://inbox/none-*.csv", status=None)
    has(b.err, "no object matches")


@case
def catalog_is_attached_from_the_bucket(b):
    lake = b.lake()
    b.file("a.csv", "id,name\n1,a\n")
    b.run(lake, "land", "raw.things", "a.csv")
    b.run(lake, "sql", "create view raw.seen as select id * 2 as twice from raw.things")
    b.run(lake, "lake", "publish")
    con = b.duckdb()
    con.execute(f"ATTACH '{lake}/catalog/prod.duckdb' AS prod (READ_ONLY)")
    equal(con.execute("SELECT id, name FROM prod.raw.things").fetchall(), [(1, "a")])
    init = "\n".join(r[0] for r in con.execute(f"SELECT content FROM read_text('{lake}/catalog/prod.init.sql')").fetchall())
    has(init, f"ATTACH '{lake}/catalog/prod.duckdb'")
    has(init, "SET GLOBAL ca_cert_file")
    assert Minio.SECRET not in init and Minio.KEY not in init, init
    b.run(lake, "land", "raw.things", "a.csv")  # a landing publishes anew
    con = b.duckdb()
    con.execute(f"ATTACH '{lake}/catalog/prod.duckdb' AS prod (READ_ONLY)")
    equal(con.execute("SELECT count(*) FROM prod.raw.things").fetchall(), [(2,)])


@case
def racing_writers_lose_nothing(b):
    lake = b.lake()
    b.run(lake, "sql", "create table r.t as select -1 as w, -1 as n")
    writers, each = 4, 5
    for i in range(writers * each):
        b.file(f"w{i}.csv", f"w,n\n{i % writers},{i // writers}\n")

    def writer(w):
        for n in range(each):
            p = b.start(lake, "land", "r.t", f"w{n * writers + w}.csv", "--no-source-columns")
            out, err = p.communicate(timeout=600)
            assert p.returncode == 0, out + err
    with concurrent.futures.ThreadPoolExecutor(writers) as pool:
        list(pool.map(writer, range(writers)))
    equal(b.rows(lake, "select count(*) n, count(distinct (w, n)) d from r.t"), [{"n": writers * each + 1, "d": writers * each + 1}])
    con = b.duckdb()
    names = sorted(r[0].rsplit("/", 1)[1] for r in con.execute(f"SELECT file FROM glob('{lake}/r/t/_delta_log/*.json')").fetchall())
    equal(names, [f"{i:020d}.json" for i in range(writers * each + 1)])
    con.execute(f"ATTACH '{lake}/catalog/prod.duckdb' AS prod (READ_ONLY)")  # whoever published last has published all
    equal(con.execute("SELECT count(*) FROM prod.r.t").fetchall(), [(writers * each + 1,)])


@case
def deltalake_reads_and_appends(b):
    import pyarrow
    from deltalake import DeltaTable, write_deltalake
    lake = b.lake()
    b.run(lake, "sql", "create table i.t as select 1::bigint as a")
    options = {**{k: v for k, v in b.minio.env().items() if k.startswith("AWS_")}, "AWS_REGION": "us-east-1", "allow_invalid_certificates": "true"}
    equal(DeltaTable(f"{lake}/i/t", storage_options=options).to_pyarrow_table().to_pylist(), [{"a": 1}])
    write_deltalake(f"{lake}/i/t", pyarrow.table({"a": pyarrow.array([2], pyarrow.int64())}), mode="append", storage_options=options)
    b.run(lake, "lake", "publish", "--newest")
    equal(b.rows(lake, "select a from i.t order by a"), [{"a": 1}, {"a": 2}])


@case
def a_project_is_built_in_the_bucket(b):
    lake = b.lake()
    project = b.work / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: p\nversion: '1.0'\nprofile: p\n")
    (project / "profiles.yml").write_text(
        f"p:\n  target: dev\n  outputs:\n    dev:\n      type: tarn\n      lake: {lake}\n      schema: main\n      threads: 2\n      storage:\n"
        f"        endpoint: {b.minio.endpoint}\n        key_id: {Minio.KEY}\n        secret: {Minio.SECRET}\n"
        f"        ca_file: {b.minio.ca}\n        use_ssl: true\n        url_style: path\n")
    (project / "models/a.sql").write_text("{{ config(materialized='table') }} select 1 as id union all select 2")
    (project / "models/b.sql").write_text("{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }} select id from {{ ref('a') }}")
    (project / "models/c.sql").write_text("{{ config(materialized='view') }} select count(*) as n from {{ ref('b') }}")
    env = {k: "" for k in b.minio.env()}  # the profile alone must do
    for _ in range(2):
        done = subprocess.run([TARN, "build"], cwd=project, env={k: v for k, v in {**b.env, **env}.items() if v}, capture_output=True, text=True,
                              timeout=600)
        b.said += done.stdout + done.stderr
        equal(done.returncode, 0) if done.returncode == 0 else equal(done.stdout + done.stderr, "")
    con = b.duckdb()
    con.execute(f"ATTACH '{lake}/catalog/dev.duckdb' AS dev (READ_ONLY)")
    equal(con.execute("SELECT n FROM dev.main.c").fetchall(), [(2,)])
    for path in project.rglob("*"):
        if path.is_file() and path.name != "profiles.yml":
            assert Minio.SECRET not in path.read_bytes().decode(errors="replace"), path


@case
def a_wrong_authority_is_told_at_once(b):
    other = minio_server.authority(b.dir / "other", "another CA")
    for ca in ({"TARN_CA_FILE": str(other)}, {"TARN_CA_FILE": ""}):
        with Door(b.minio.port) as door:
            b.run(b.lake(), "sql", "from raw.things", status=None, env={**ca, "AWS_ENDPOINT_URL": f"https://127.0.0.1:{door.port}"})
        has(b.err, "is signed by 'tarn test CA'")
        has(b.err, "ca_file")
        assert door.opened <= 2, door.opened  # the two first requests, sent at once; none is tried again
    b.run(b.lake(), "--ca-file", str(b.minio.ca), "sql", "select 1", env={"TARN_CA_FILE": ""})
    folder = b.dir / "folder"
    folder.mkdir()
    (folder / "a.pem").write_text(other.read_text())
    (folder / "b.pem").write_text(b.minio.ca.read_text())
    lake = b.lake()
    b.run(lake, "sql", "create table x.y as select 1 as one", env={"TARN_CA_FILE": str(folder)})
    equal(b.rows(lake, "from x.y", env={"TARN_CA_FILE": str(folder)}), [{"one": 1}])


@case
def what_goes_wrong_is_named(b):
    lake = b.lake()
    b.run(lake, "sql", "from a.b", status=None, env={"AWS_SECRET_ACCESS_KEY": "not-the-secret"})
    has(b.err, "the secret (from the environment) does not belong to the key id")
    b.run("s3://no-such-bucket/l", "sql", "from a.b", status=None)
    has(b.err, "the bucket 'no-such-bucket' does not exist")
    b.run(lake, "sql", "from a.b", status=None, env={"AWS_ENDPOINT_URL": b.minio.endpoint.replace("https", "http")})
    has(b.err, "allow_http")
    b.run(lake, "sql", "from a.b", status=None, env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
    has(b.err, "no access key was found")


@case
def keys_from_the_shared_file_and_a_wrong_clock(b):
    (b.work / ".aws").mkdir(exist_ok=True)
    (b.work / ".aws/credentials").write_text(
        f"[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n\n[minio]\naws_access_key_id={Minio.KEY}\n"
        f"aws_secret_access_key = {Minio.SECRET}\n")
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "minio"}
    lake = b.lake()
    b.run(lake, "sql", "create table x.y as select 1 as one", env=env)
    b.run(lake, "table", "history", "x.y", env={**env, "TARN_FIXED_TIME": "1700000000000000"})
    has(b.out, "CREATE TABLE")


@case
def an_unverified_server_is_warned_about(b):
    project = b.work / "trusting"
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: t\nversion: '1.0'\nprofile: t\n")
    (project / "profiles.yml").write_text(
        f"t:\n  target: dev\n  outputs:\n    dev: {{type: tarn, lake: '{b.lake()}', schema: main, storage: {{endpoint: '{b.minio.endpoint}', "
        f"key_id: {Minio.KEY}, secret: {Minio.SECRET}, verify_tls: false}}}}\n")
    env = {k: v for k, v in b.env.items() if k not in b.minio.env()}
    for _ in range(2):  # every run says it
        done = subprocess.run([TARN, "sql", "create or replace table x.y as select 1 as one; from x.y"], cwd=project, env=env, capture_output=True,
                              text=True, timeout=600)
        b.said += done.stdout + done.stderr
        equal(done.returncode, 0)
        has(done.stderr, "NOT checked (verify_tls: false)")


@case
def large_objects_and_long_lists(b):
    driver = pathlib.Path(os.environ.get("TARN_BUILD", pathlib.Path(TARN).parent)) / "s3_driver"
    done = subprocess.run([driver, "s3://lake/driver/place"], env=b.env, capture_output=True, text=True, timeout=600)
    equal(done.stdout + done.stderr, "ok\n")


@case
def a_long_download_is_shown_on_a_terminal(b):
    """And nowhere else."""
    import pyarrow.fs
    from s3_proxy import Proxy
    archive = b.work / "big.zip"
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("a.csv", "v\n" + "\n".join(random.Random(1).randbytes(50).hex() for _ in range(130000)))
    s3 = pyarrow.fs.S3FileSystem(access_key=Minio.KEY, secret_key=Minio.SECRET, endpoint_override=f"127.0.0.1:{b.minio.port}", scheme="https",
                                 region="us-east-1", tls_ca_file_path=str(b.minio.ca))
    with s3.open_output_stream("inbox/long/big.zip", compression=None) as out:
        out.write(archive.read_bytes())
    proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca, rate=6 << 20).start()
    lake, env = b.lake(), {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{proxy.port}"}
    try:
        b.run(lake, "land", "raw.quiet", "s3://inbox/long/big.zip", env=env)
        assert "downloading" not in b.err, b.err
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(b.work)
            os.execve(TARN, ["tarn", "--lake", lake, "land", "raw.shown", "s3://inbox/long/big.zip"], {**b.env, **env})
        seen = b""
        try:
            while part := os.read(fd, 65536):
                seen += part
        except OSError:
            pass  # the end of a terminal
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    finally:
        proxy.stop()
    assert re.search(rb"downloading \S*big.zip: \d+\.\d of \d+\.\d MiB, \d+\.\d MiB/s, \d+:\d\d left", seen), seen
    has(seen.decode(), "landed 130,000 rows")


@case
def keys_are_in_no_output(b):
    assert b.said and Minio.SECRET not in b.said and "not-the-secret" not in b.said


@case
def plain_http(_):
    b = Bucket(tls=False)
    try:
        lake = b.lake()
        b.run(lake, "sql", "create table h.t as select 7 as x")
        equal(b.rows(lake, "from h.t"), [{"x": 7}])
        b.run(lake, "sql", "from h.t", status=None, env={"AWS_ALLOW_HTTP": "false"})
        has(b.err, "plain http")
    finally:
        b.close()


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else ""))
