"""The main jobs on a bucket over TLS: the reference set-up with its external models at s3://, the demo, the write operations, and keys that
appear nowhere: not in output, logs, artifacts, catalog files or command lines. The first three over plain http, too."""
import datetime, decimal, os, pathlib, shutil, subprocess, sys, threading, time

from s3_flow import ROOT, TARN, Bucket, Minio, equal, has, run_cases

CASES = []


def case(fn):
    CASES.append(fn)
    return fn


def options(b):
    return {**{k: v for k, v in b.minio.env().items() if k.startswith("AWS_")}, "AWS_REGION": "us-east-1", "allow_invalid_certificates": "true"}


def build(b, project, env, *words):
    done = subprocess.run([TARN, "--no-use-colors", *words], cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    b.said += done.stdout
    return done.returncode, done.stdout


@case
def the_reference_setup(b):
    """As it is but for endpoint and keys, and with use_ssl true over TLS: sources and external models lie in the bucket."""
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake
    day = datetime.date(2024, 1, 2)
    prices = pa.table({"symbol": ["AAA", "BBB", "CCC"], "day": [day] * 3, "close": [decimal.Decimal("1.50"), decimal.Decimal("2.50"), None],
                       "at": [datetime.datetime(2024, 1, 2, 10)] * 3},
                      schema=pa.schema([("symbol", pa.string()), ("day", pa.date32()), ("close", pa.decimal128(10, 2)), ("at", pa.timestamp("us"))]))
    names = pa.table({"symbol": ["AAA", "BBB", "CCC"], "name": ["a", "b", "it's"], "shares": [10, 20, 30]})
    for name, table in (("table_1", prices), ("table_2", names)):
        write_deltalake(f"s3://inbox/landing/{name}", table, storage_options=options(b))
    project = b.work / "reference"
    shutil.copytree(ROOT / "tests/flow/reference", project)
    profile = project / "profiles.yml"
    text = profile.read_text().replace("key_id: '<from env var>'", f"key_id: '{Minio.KEY}'").replace("secret: '<from env var>'", f"secret: '{Minio.SECRET}'")
    text = text.replace("xxx.xxx.xxx.xxx:port", f"127.0.0.1:{b.minio.port}")
    text = text.replace("use_ssl: 'false'", "use_ssl: 'true'") if b.minio.tls else text
    profile.write_text(text)
    env = {k: v for k, v in b.env.items() if not k.startswith("AWS_")}
    env.update(DBT_TARGET="dev", PROJECT_ROOT=str(project), EXTERNAL_ROOT="s3://lake/ref/", LANDING="s3://inbox/landing", DBT_PROFILES_DIR=str(project))
    for turn in range(2):
        status, out = build(b, project, env, "build")
        assert status == 0 and "Done. PASS=8 WARN=0 ERROR=0" in out, out
    con = b.duckdb()
    equal(con.execute("select count(*), sum(close) from 's3://lake/ref/main/bronze_dev/b1.parquet'").fetchall()[0][0], 3)
    equal(len(con.execute("select * from glob('s3://lake/ref/main/bronze_dev/b_parts/symbol=*/*')").fetchall()), 3)
    table = DeltaTable("s3://lake/ref/delta/s_delta", storage_options=options(b))
    equal(sorted(r["name"] for r in table.to_pyarrow_table().to_pylist()), ["a", "b", "it's"])
    equal(table.version(), 1)
    for path in project.rglob("*"):
        if path.is_file() and path != profile:
            assert Minio.SECRET.encode() not in path.read_bytes(), path


@case
def write_operations(b):
    lake = b.lake()
    rows = 200
    b.run(lake, "sql", f"create table w.t as select range as id, range % 4 as p, 'v' || range as v from range({rows})")
    for i in range(5):
        b.run(lake, "sql", f"insert into w.t select range + {rows + i * 10}, 0, 'n' from range(10)")
    b.run(lake, "sql", "update w.t set v = 'u' where id < 10; delete from w.t where id between 10 and 19")
    b.run(lake, "sql", "merge into w.t t using (select range + 240 as id, 9 as p, 'm' as v from range(20)) s on t.id = s.id "
                       "when matched then update set v = s.v when not matched then insert (id, p, v) values (s.id, s.p, s.v)")
    b.run(lake, "table", "optimize", "w.t")
    b.run(lake, "table", "optimize", "w.t", "--zorder", "id,p")
    b.run(lake, "sql", "alter table w.t add column extra integer")
    b.run(lake, "sql", "insert into w.t values (1000, 1, 'x', 7)")
    want = [{"n": rows + 50 - 10 + 10 + 1, "u": 10, "m": 20, "e": 7}]
    counts = "select count(*) n, count(*) filter (v = 'u') u, count(*) filter (v = 'm') m, sum(extra)::int e from w.t"
    equal(b.rows(lake, counts), want)
    has(b.run(lake, "table", "vacuum", "w.t", "--retain", "0", "--allow-short-retention"), "removed")
    equal(b.rows(lake, counts), want)
    b.run(lake, "table", "check", "w.t", "--values")
    b.run(lake, "table", "clone", "w.t", "w.copy")
    b.run(lake, "table", "restore", "w.copy", "--version", "0")
    equal(b.rows(lake, "select count(*) n from w.copy"), [{"n": want[0]["n"]}])
    b.run(lake, "lake", "tag", "create", "t1")
    b.run(lake, "lake", "env", "create", "alice", "--from", "prod")
    b.run(lake, "sql", "--env", "alice", "delete from w.t where id = 1000")
    equal(b.rows(lake, "select count(*) n from w.t"), [{"n": want[0]["n"]}])
    b.run(lake, "lake", "env", "promote", "alice", "--to", "prod")
    equal(b.rows(lake, "select count(*) n from w.t"), [{"n": want[0]["n"] - 1}])
    equal(b.rows(lake, "select count(*) n from w.t", env={"HOME": str(b.dir / "another")}), [{"n": want[0]["n"] - 1}])  # nothing is cached there
    b.run(lake, "lake", "gc", "--retention", "0d")
    b.run(lake, "lake", "maintain", "--all")
    b.run(lake, "lake", "catalog", str(b.work / "copy"))
    equal(b.rows(lake, "select count(*) n from w.t"), [{"n": want[0]["n"] - 1}])


@case
def files_that_another_program_took_away(b):
    from deltalake import DeltaTable, write_deltalake
    import pyarrow
    lake = b.lake()
    b.run(lake, "sql", "create table e.t as select range::bigint as a from range(10)")
    write_deltalake(f"{lake}/e/t", pyarrow.table({"a": [1]}), mode="overwrite", storage_options=options(b))
    DeltaTable(f"{lake}/e/t", storage_options=options(b)).vacuum(0, dry_run=False, enforce_retention_duration=False)
    b.run(lake, "sql", "select sum(a) from e.t", status=1)  # the pin is of the version before
    has(b.err, "404")
    has(b.err, "hint: 'tarn table check' tells all that is missing")
    b.run(lake, "lake", "publish", "--newest")
    equal(b.rows(lake, "select sum(a) s from e.t"), [{"s": 1}])


@case
def several_secrets_of_a_duckdb_profile(b):
    """Scoped ones, one whose key is looked for where Amazon's programs look; ca_file stands in the profile alone."""
    b.duckdb().execute("COPY (SELECT range AS i FROM range(5)) TO 's3://inbox/several/in.csv' (HEADER)")
    project = b.work / "several"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: s\nversion: '1.0'\nprofile: s\n")
    (project / "keys").write_text(f"[lake]\naws_access_key_id = {Minio.KEY}\naws_secret_access_key = {Minio.SECRET}\n")
    common = f"endpoint: '127.0.0.1:{b.minio.port}', url_style: path, region: us-east-1"
    (project / "profiles.yml").write_text(
        f"s:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: s.duckdb\n      extensions: [httpfs]\n      ca_file: {b.minio.ca}\n"
        f"      secrets:\n        - {{type: s3, name: lake, scope: 's3://lake', provider: credential_chain, profile: lake, {common}}}\n"
        f"        - {{type: s3, name: inbox, scope: ['s3://inbox', 's3://other'], key_id: {Minio.KEY}, secret: {Minio.SECRET}, use_ssl: 'true', {common}}}\n")
    (project / "models/a.sql").write_text("{{ config(materialized='external', location='s3://lake/several/a.parquet') }}\nselect i * 2 as i from 's3://inbox/several/in.csv'")
    (project / "models/d.sql").write_text("{{ config(materialized='external', format='delta', location='s3://lake/several/d') }}\nselect sum(i) as n from {{ ref('a') }}")
    env = {k: v for k, v in b.env.items() if not k.startswith(("AWS_", "TARN_CA"))}
    env["AWS_SHARED_CREDENTIALS_FILE"] = str(project / "keys")
    status, out = build(b, project, env, "build")
    assert status == 0, out
    equal(b.duckdb().execute("select sum(i) from 's3://lake/several/a.parquet'").fetchall(), [(20,)])
    equal(b.rows("s3://lake/several", "from delta_scan('s3://lake/several/d')"), [{"n": 20}])
    (project / "keys").unlink()
    (project / "profiles.yml").write_text((project / "profiles.yml").read_text().replace(Minio.SECRET, "gone"))


@case
def one_authority_for_three_tls_stacks(b):
    """tarn's own requests, DuckDB's httpfs, and the delta extension in people's SQL."""
    lake = b.lake()
    b.run(lake, "sql", "create table d.t as select 7 as x")
    equal(b.rows(lake, f"select x from delta_scan('{lake}/d/t')"), [{"x": 7}])
    b.run(lake, "--ca-file", str(b.minio.ca), "sql", f"select x from delta_scan('{lake}/d/t')", env={"TARN_CA_FILE": ""})


@case
def a_table_made_anew_is_not_taken_for_the_old_one(b):
    """The kept log files of a table that was deleted by other means say nothing about its successor."""
    lake = b.lake()
    b.run(lake, "sql", "create table n.t as select 1 as x")
    for i in range(12):
        b.run(lake, "sql", f"insert into n.t values ({i})")
    equal(b.rows(lake, "select count(*) n from n.t"), [{"n": 13}])
    place = lake.removeprefix("s3://")
    shutil.rmtree(b.minio.data / place)
    b.run(lake, "sql", "create table n.t as select 'new' as x")
    equal(b.rows(lake, "select x from n.t"), [{"x": "new"}])
    b.run(lake, "sql", "insert into n.t values ('more')")
    equal(b.rows(lake, "select count(*) n from n.t"), [{"n": 2}])


@case
def the_demo(b):
    """All of it, with the lake in the bucket: its steps check themselves."""
    work = b.work / "demo"
    env = {**b.env, "TARN": TARN, "TARN_DEMO_LAKE": b.lake(), "TARN_DEMO_DIR": str(work), "NO_COLOR": "1"}
    for name in ("XDG_CACHE_HOME", "PIP_INDEX_URL", "PIP_CONFIG_FILE"):
        if name in os.environ:
            env[name] = os.environ[name]
    env["HOME"] = os.environ.get("HOME", str(b.work))  # its packages are kept there
    done = subprocess.run([ROOT / "demo/run"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    b.said += done.stdout
    assert done.returncode == 0, done.stdout
    has(done.stdout, env["TARN_DEMO_LAKE"] + "/catalog/prod.duckdb")
    con = b.duckdb()
    con.execute(f"ATTACH '{env['TARN_DEMO_LAKE']}/catalog/prod.duckdb' AS prod (READ_ONLY)")
    assert con.execute("SELECT count(*) FROM prod.gold.gold_iv_rank").fetchone()[0] > 100


@case
def keys_are_in_no_file_and_on_no_command_line(b):
    """Greps what the cases before have left, and the command lines of everything that runs while tarn works."""
    lake = b.lake()
    seen, stop = set(), threading.Event()

    def watch():
        while not stop.is_set():
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    pass
            time.sleep(0.005)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        b.run(lake, "--log-level", "debug", "sql", "create table k.t as select 1 as x; from k.t")
        b.run(lake, "lake", "publish")
        b.run(lake, "lake", "doctor", "--output", "json")
        b.run(lake, "sql", "from k.nothing", status=None)
    finally:
        stop.set()
        thread.join()
    assert any(b"k.t" in line for line in seen), "the watcher saw nothing"
    assert not [line for line in seen if Minio.SECRET.encode() in line]
    assert Minio.SECRET not in b.said
    for top in (b.work, b.minio.data / "lake", b.minio.data / "inbox"):
        for path in top.rglob("*"):
            if path.is_file() and path.name != "profiles.yml":
                assert Minio.SECRET.encode() not in path.read_bytes(), path


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else "", plain=(the_reference_setup, write_operations, the_demo)))
