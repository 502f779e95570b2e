"""How much a bucket is asked: requests of the main operations are counted by a proxy and held against what they need. And what a machine remembers is right
when others write, when it is lost, and when a table is made anew."""
import concurrent.futures, shutil, sys

from s3_flow import Bucket, equal, has, run_cases
from s3_proxy import Proxy, rounds

CASES = []


def case(fn):
    CASES.append(fn)
    return fn


class Counted(Bucket):
    """A bucket behind a proxy that counts."""

    def __init__(self, **where):
        super().__init__(**where)
        self.proxy = Proxy(self.minio.port, certs=self.minio.folder / "certs", ca=self.minio.ca).start()
        self.env["AWS_ENDPOINT_URL"] = f"https://127.0.0.1:{self.proxy.port}"

    def asked(self, lake, *words, **kw):
        """(all requests, listings) of a command."""
        self.proxy.take_log()
        self.run(lake, *words, **kw)
        log = self.proxy.take_log()
        self.took = max((ended for _, ended, *_ in log), default=0) - min((began for began, *_ in log), default=0)
        self.log = [(method, path.split("?")[0], "list-type" in path) for _, _, method, path, _ in log]
        return len(self.log), sum(1 for r in self.log if r[2])

    def forget(self):
        for folder in ("objects", "notes"):
            shutil.rmtree(self.work / ".cache/tarn" / folder, ignore_errors=True)

    def close(self):
        self.proxy.stop()
        super().close()


LOOKS_HOLD_SECONDS = 3  # what a command has seen of a log is good for so long; one that a slow machine stretches looks again


def at_most(b, got, requests, listings):
    again = int(b.took // LOOKS_HOLD_SECONDS)
    assert got[0] <= requests + 4 * again and got[1] <= listings + 2 * again, (got, b.took, *b.log)


MERGE = ("merge into t.x t using (select range::bigint id, 2 v from range(3)) s on s.id = t.id when matched then update set v = s.v "
         "when not matched then insert (id, v) values (s.id, s.v)")


@case
def writes_ask_for_what_they_need(b):
    lake = b.lake()
    b.run(lake, "sql", "create table t.x as select 1::bigint id, 1 v; create table t.y as select 1 i; create table u.z as select 1 i")
    b.forget()
    b.asked(lake, "sql", "insert into t.x values (2, 1)")
    at_most(b, b.asked(lake, "sql", "insert into t.x values (2, 1)"), 8, 3)
    equal([r[0] for r in b.log].count("PUT"), 5)  # data, commit, checksums, lake commit, catalog
    b.file("a.csv", "id,v\n9,9\n")
    at_most(b, b.asked(lake, "land", "t.x", "a.csv", "--no-source-columns"), 8, 3)
    at_most(b, b.asked(lake, "sql", MERGE), 8 + 2 * 4, 3)  # HEAD and GET of each file
    at_most(b, b.asked(lake, "table", "show", "t.x"), 1, 1)
    at_most(b, b.asked(lake, "sql", "select count(*) from t.y, u.z"), 99, 1)
    at_most(b, b.asked(lake, "lake", "env", "create", "alice"), 6, 3)
    at_most(b, b.asked(lake, "lake", "env", "drop", "alice"), 5, 1)
    equal(b.rows(lake, "select count(*) n, sum(v) s from t.x"), [{"n": 5, "s": 17}])


@case
def a_lake_of_many_tables_costs_a_write_no_more(b):
    lake = b.lake()
    b.run(lake, "sql", ";".join(f"create table s.t{i} as select {i} i" for i in range(8)))
    at_most(b, b.asked(lake, "sql", "insert into s.t0 values (1)"), 8, 3)
    b.forget()
    b.asked(lake, "sql", "insert into s.t0 values (1)")  # opens all of them, several at once
    at_most(b, b.asked(lake, "sql", "insert into s.t0 values (1)"), 8, 3)
    con = b.duckdb()
    con.execute(f"ATTACH '{lake}/catalog/prod.duckdb' AS c (READ_ONLY)")
    equal(con.execute("select (select sum(i) from c.s.t0), (select sum(i) from c.s.t7)").fetchone(), (3, 7))


@case
def a_deep_clone_is_copied_by_the_server(b):
    lake = b.lake()
    b.run(lake, "sql", "create table t.x as select range i, hash(range) h from range(100000); insert into t.x select range, 0 from range(1000)")
    b.asked(lake, "table", "clone", "t.x", "t.copy")
    data = [(method, path) for method, path, _ in b.log if path.endswith(".parquet")]
    equal(sorted(m for m, _ in data), ["PUT", "PUT"])
    equal(b.rows(lake, "select count(*) n, count(distinct h) d from t.copy"), b.rows(lake, "select count(*) n, count(distinct h) d from t.x"))


@case
def a_cleaning_opens_many_tables_at_once(b):
    lake = b.lake()
    b.run(lake, "sql", ";".join(f"create table s.t{i} as select {i} i; insert into s.t{i} values (1)" for i in range(10)))
    b.run(lake, "lake", "env", "create", "alice")
    b.run(lake, "sql", "--env", "alice", "insert into s.t3 values (7)")
    b.run(lake, "lake", "env", "drop", "alice")
    b.forget()
    b.proxy.take_log()
    b.proxy.delay_ms = 50  # so that those that are sent at once are seen at once
    has(b.run(lake, "lake", "gc", "--retention", "0d"), "removed")
    b.proxy.delay_ms = 0
    log = b.proxy.take_log()
    taken = rounds(log)
    assert taken <= 40, (len(log), taken)
    equal(b.rows(lake, "select sum(i) n from s.t3 union all select sum(i) from s.t9"), [{"n": 4}, {"n": 10}])


@case
def a_table_made_anew_in_the_same_place_is_not_taken_for_the_old_one(b):
    lake = b.lake()
    b.run(lake, "sql", "create table t.x as select 1 i; insert into t.x values (2)")
    equal(b.rows(lake, "select sum(i) s from t.x"), [{"s": 3}])
    import deltalake, pyarrow
    options = {k: v for k, v in b.minio.env().items() if k.startswith("AWS_")} | {"AWS_REGION": "us-east-1", "allow_invalid_certificates": "true"}
    shutil.rmtree(b.minio.data / lake.removeprefix("s3://") / "t")
    for n in (100, 200):
        deltalake.write_deltalake(f"{lake}/t/x", pyarrow.table({"i": [n]}), mode="append", storage_options=options)
    b.run(lake, "lake", "publish", "--newest")
    for _ in range(2):
        equal(b.rows(lake, "select sum(i) s from t.x"), [{"s": 300}])
    b.run(lake, "sql", "insert into t.x values (300)")
    equal(b.rows(lake, "select sum(i) s from t.x"), [{"s": 600}])


@case
def others_write_between(b):
    """Machines with memories of their own (two homes) take turns and race."""
    lake = b.lake()
    homes = []
    for name in ("one", "two", "three"):
        (b.work / name).mkdir()
        homes.append({"HOME": str(b.work / name)})
    b.run(lake, "sql", "create table t.x as select 0::bigint i; create table t.y as select 0::bigint i")
    for n in range(6):
        b.run(lake, "sql", f"insert into t.{'xy'[n % 2]} values ({n + 1})", env=homes[n % 3])
        equal(b.rows(lake, "select (select count(*) from t.x) + (select count(*) from t.y) n", env=homes[(n + 1) % 3]), [{"n": n + 3}])
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        runs = [b.start(lake, "sql", f"insert into t.{'xy'[n % 2]} values (100)", env=homes[n % 3]) for n in range(6)]
        for p, (out, err) in zip(runs, pool.map(lambda p: p.communicate(timeout=600), runs)):
            assert p.returncode == 0, err
    for home in homes:
        equal(b.rows(lake, "select (select count(*) from t.x) x, (select count(*) from t.y) y", env=home), [{"x": 7, "y": 7}])
    con = b.duckdb()
    con.execute(f"ATTACH '{lake}/catalog/prod.duckdb' AS c (READ_ONLY)")
    equal(con.execute("select (select count(*) from c.t.x), (select count(*) from c.t.y)").fetchone(), (7, 7))


@case
def init_sql_comes_back(b):
    lake = b.lake()
    path = f"/{lake.removeprefix('s3://')}/catalog/prod.init.sql"
    b.run(lake, "sql", "create table t.x as select 1 i")
    b.asked(lake, "sql", "insert into t.x values (2)")
    assert ("PUT", path, False) not in b.log, b.log
    b.asked(lake, "lake", "publish")
    assert ("PUT", path, False) in b.log, b.log
    b.run(lake, "lake", "env", "create", "alice")
    b.run(lake, "lake", "env", "drop", "alice")
    b.asked(lake, "lake", "env", "create", "alice")
    assert ("PUT", path.replace("prod", "alice"), False) in b.log, b.log


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else "", bucket_of=Counted))
