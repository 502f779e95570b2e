"""Stores without conditional puts, for which a proxy stands that takes If-None-Match away: refused for shared writing; with conditional_put: lease writers
take turns and lose nothing; with allow_unsafe_rename one writer works and is warned."""
import concurrent.futures, json, sys, time

from s3_flow import Bucket, Minio, equal, has, run_cases
from s3_proxy import Proxy

CASES = []


def case(fn):
    CASES.append(fn)
    return fn


class Careless:
    """The bucket as a store that ignores conditions; .env leads there. plan: as in s3_proxy."""

    def __init__(self, b, plan=None, **more):
        self.b, self.more = b, more
        self.proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca, careless=(Minio.KEY, Minio.SECRET), plan=plan)

    def __enter__(self):
        self.proxy.start()
        self.env = {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{self.proxy.port}", **self.more}
        return self

    def __exit__(self, *_):
        self.proxy.stop()

    def puts(self, part):
        return [r for r in self.proxy.log if r[2] == "PUT" and part in r[3]]


def keys(b, lake):
    return sorted(r[0].removeprefix(lake + "/") for r in b.duckdb().execute(f"SELECT file FROM glob('{lake}/**')").fetchall())


@case
def it_is_refused_by_default(b):
    lake = b.lake()
    with Careless(b) as store:
        for _ in range(2):
            b.run(lake, "sql", "create table a.t as select 1 as x", status=2, env=store.env)
            has(b.err, "ignores If-None-Match")
            has(b.err, "conditional_put: lease")
        b.run(lake, "sql", "create table a.t as select 1 as x", status=2, env={**store.env, "AWS_CONDITIONAL_PUT": "disabled"})
        has(b.err, "conditional_put: disabled")
        b.run(lake, "sql", "create table a.t as select 1 as x", status=2, env={**store.env, "AWS_CONDITIONAL_PUT": "perhaps"})
        has(b.err, "conditional_put is not 'perhaps'")
    equal([k for k in keys(b, lake) if "_delta_log" in k or "_tarn/" in k], [])


@case
def a_store_that_honours_conditions_needs_no_lease(b):
    lake = b.lake()
    env = {"AWS_CONDITIONAL_PUT": "lease", "AWS_S3_ALLOW_UNSAFE_RENAME": "true"}
    b.run(lake, "sql", "create table a.t as select 1 as x", env=env)
    assert "nobody else" not in b.err, b.err
    equal([k for k in keys(b, lake) if k.endswith(".lease")], [])


@case
def writers_take_turns_by_lease(b):
    """Each with a home of its own, as on different machines; two tables."""
    lake = b.lake()
    writers, each = 3, 2
    with Careless(b, AWS_CONDITIONAL_PUT="lease") as store:
        b.run(lake, "sql", "create table r.t0 as select -1 as w, -1 as n; create table r.t1 as select -1 as w, -1 as n", env=store.env)
        has(str(keys(b, lake)), "r/t0/_delta_log/00000000000000000000.json")

        def writer(w):
            for n in range(each):
                (b.work / f"lease-home{w}").mkdir(exist_ok=True)
                p = b.start(lake, "sql", f"insert into r.t{n % 2} values ({w}, {n})", env={**store.env, "HOME": str(b.work / f"lease-home{w}")})
                out, err = p.communicate(timeout=300)
                b.said += out + err
                assert p.returncode == 0, out + err
        with concurrent.futures.ThreadPoolExecutor(writers) as pool:
            list(pool.map(writer, range(writers)))
        rows = b.rows(lake, "select w, n, count(*) c from (from r.t0 union all from r.t1) group by all", env=store.env)
        equal(sorted((r["w"], r["n"], r["c"]) for r in rows if r["w"] >= 0), [(w, n, 1) for w in range(writers) for n in range(each)])
        written = [r[3] for r in store.puts("_delta_log/0") if r[3].endswith(".json")]
        equal(len(written), len(set(written)))  # no version was put twice
        assert store.puts(".lease"), "no lease was taken"
    equal([k for k in keys(b, lake) if k.endswith(".lease")], [])
    b.run(lake, "table", "check", "r.t0")


@case
def a_lease_of_the_dead_runs_out(b):
    """The release of a lease never arrives; the next writer waits it out."""
    lake = b.lake()
    with Careless(b, AWS_CONDITIONAL_PUT="lease") as store:
        b.run(lake, "sql", "create table d.t as select 1 as x", env=store.env)
        store.proxy.plan = lambda method, path, n: 403 if method == "DELETE" and "_delta_log.lease" in path else None
        b.run(lake, "sql", "insert into d.t values (2)", env=store.env)
        store.proxy.plan = None
        has(str(keys(b, lake)), "d/t/_delta_log.lease")
        equal(b.rows(lake, "select count(*) n from d.t", env=store.env), [{"n": 2}])
        began = time.time()
        b.run(lake, "sql", "insert into d.t values (3)", env=store.env)
        assert time.time() - began > 25, "it did not wait"
        equal(b.rows(lake, "select count(*) n from d.t", env=store.env), [{"n": 3}])
        b.run(lake, "table", "vacuum", "d.t", "--retain", "0", "--allow-short-retention", env=store.env)


@case
def a_single_writer_says_so(b):
    lake = b.lake()
    with Careless(b, AWS_S3_ALLOW_UNSAFE_RENAME="true") as store:
        b.run(lake, "sql", "create table s.t as select 1 as x", env=store.env)
        has(b.err, "nobody else may write there now")
        b.run(lake, "sql", "insert into s.t values (2)", env=store.env)
        equal(b.rows(lake, "select count(*) n from s.t", env=store.env), [{"n": 2}])
        equal(store.puts(".lease"), [])


@case
def the_doctor_says_which_way_is_used(b):
    with Careless(b) as store:
        def look(**env):
            b.run("s3://lake/doctor", "lake", "doctor", "--output", "json", status=None, env={**store.env, **env})
            return {c["check"]: c for c in json.loads(b.out)["checks"]}["put-if-absent"]
        found = look()
        equal(found["state"], "failed")
        has(found["remedy"], "conditional_put: lease")
        found = look(AWS_S3_ALLOW_UNSAFE_RENAME="true")
        equal(found["state"], "warning")
        has(found["says"], "one writer")
        found = look(AWS_CONDITIONAL_PUT="lease")
        equal(found["state"], "warning")
        has(found["says"], "lease")


@case
def keys_are_in_no_output(b):
    assert b.said and Minio.SECRET not in b.said


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else ""))
