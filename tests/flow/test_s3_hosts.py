"""Several hosts and one bucket: mixed commits on shared and separate tables from network namespaces, while the server stops and starts, and
behind a proxy that drops, delays, truncates, duplicates and refuses. What was acknowledged is there, once."""
import concurrent.futures, random, sys, threading, time

from s3_flow import Bucket, equal, has, minio_server, run_cases
from s3_hosts import Hosts
from s3_proxy import Proxy

HOSTS = 4
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


class Writers:
    """HOSTS writers with nothing in common but the bucket; each has a home of its own. Notes what was acknowledged."""

    def __init__(self, b, lake, each, within=lambda host: (), env=None, seconds=600):
        self.b, self.lake, self.each, self.within, self.env, self.seconds = b, lake, each, within, env or {}, seconds
        self.lock = threading.Lock()
        self.acknowledged, self.refused = set(), []  # of (host, n)
        schema = "w INTEGER, n INTEGER, via VARCHAR"
        b.run(lake, "sql", f"create table r.shared ({schema}); " + "; ".join(f"create table r.own{h} ({schema})" for h in range(HOSTS)))
        for h in range(HOSTS):
            (b.work / f"home{h}").mkdir(exist_ok=True)
            for n in range(each):
                b.file(f"{h}-{n}.csv", f"w,n,via\n{h},{n},land\n")

    def words(self, h, n):
        """One commit: of five kinds in turn."""
        row = f"({h}, {n}, 'sql')"
        return [("land", "r.shared", f"{h}-{n}.csv", "--no-source-columns"),
                ("sql", f"insert into r.shared values {row}"),
                ("sql", f"insert into r.own{h} values {row}; insert into r.shared values {row}"),
                ("sql", f"insert into r.shared values ({h}, {n}, 'old'); update r.shared set via = 'new' where w = {h} and n = {n}"),
                ("sql", f"delete from r.own{h} where n < {n}; insert into r.shared values {row}")][n % 5]

    def host(self, h):
        for n in range(self.each):
            home = {"HOME": str(self.b.work / f"home{h}"), **self.env}
            p = self.b.start(self.lake, *self.words(h, n), env=home, within=self.within(h))
            out, err = p.communicate(timeout=self.seconds)
            with self.lock:
                self.b.said += out + err
                self.acknowledged.add((h, n)) if p.returncode == 0 else self.refused.append((h, n, err.strip()))

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(HOSTS) as pool:
            list(pool.map(self.host, range(HOSTS)))

    def check(self, within=(), all_of_them=False):
        p = self.b.start(self.lake, "sql", "--format", "json", "select w, n, count(*) c, max(via) via from r.shared group by all", within=within)
        out, err = p.communicate(timeout=600)
        equal((p.returncode, err), (0, ""))
        import json
        rows = {(r["w"], r["n"]): r for r in json.loads(out)}
        lost = self.acknowledged - rows.keys()
        assert not lost, f"acknowledged and lost: {sorted(lost)}"
        twice = [k for k, r in rows.items() if r["c"] != 1]
        assert not twice, f"there more than once: {twice}"
        equal([k for k in self.acknowledged if k[1] % 5 == 3 and rows[k]["via"] != "new"], [])
        if all_of_them:
            equal(self.refused, [])
            equal(len(rows), HOSTS * self.each)
        return rows


@case
def hosts_with_mixed_commits(b):
    if not Hosts.possible():
        print("(no network namespaces here: processes stand for hosts)")
        writers = Writers(b, b.lake(), 25)
        writers.run()
        writers.check(all_of_them=True)
        return
    with Hosts(HOSTS) as hosts:
        far = FarBucket(hosts)
        try:
            writers = Writers(far, "s3://lake/hosts", 25, hosts.host)
            writers.run()
            writers.check(hosts.host(0), all_of_them=True)
            b.said += far.said
        finally:
            far.close()


class FarBucket(Bucket):
    """A bucket that only the hosts reach; commands without a host run on the first."""

    def __init__(self, hosts):
        self.hosts = hosts
        super().__init__(address=hosts.address, within=hosts.server)

    def start(self, lake, *words, env=None, within=()):
        return super().start(lake, *words, env=env, within=within or self.hosts.host(0))


@case
def the_server_stops_and_starts(b):
    """Each time that some more commits were acknowledged, however long that takes."""
    writers = Writers(b, b.lake(), 6)
    done, wrong, blinks = threading.Event(), [], 0

    def blink():
        nonlocal blinks
        try:
            while not done.wait(0.1):
                if len(writers.acknowledged) > 3 * blinks:
                    blinks += 1
                    b.minio.stop()
                    time.sleep(0.7)
                    b.minio.start()
        except Exception as e:  # noqa: BLE001
            wrong.append(repr(e))
    thread = threading.Thread(target=blink)
    thread.start()
    try:
        writers.run()
    finally:
        done.set()
        thread.join()
    equal(wrong, [])
    assert blinks > 1 and len(writers.acknowledged) > HOSTS, (blinks, writers.refused)
    writers.check()


@case
def behind_a_faulty_network(b):
    chance = random.Random(7)
    actions = ["drop", "lose", "truncate", "duplicate", "late", 500, 503]
    lost = []

    def plan(method, path, n):
        commit = method == "PUT" and ("_delta_log/0" in path or "_tarn/log" in path)
        if chance.random() > (0.25 if commit else 0.04):
            return None
        action = chance.choice([*actions, "lose", 412] if commit else actions)
        action = action if lost or not commit else "lose"  # there is one whatever the order of requests
        lost.append(path) if commit and action == "lose" else None
        return action
    lake = b.lake()
    proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca).start()
    try:
        writers = Writers(b, lake, 6, env={"AWS_ENDPOINT_URL": f"https://127.0.0.1:{proxy.port}"})
        proxy.plan = plan
        writers.run()
        proxy.plan = None
        hurt = [r for r in proxy.log if not isinstance(r[4], int) or r[4] >= 500]
    finally:
        proxy.stop()
    assert len(hurt) > 20 and lost, (len(hurt), lost)
    assert len(writers.acknowledged) > HOSTS, writers.refused
    writers.check()


@case
def an_answer_lost_after_a_commit_is_recognised(b):
    lake = b.lake()
    b.run(lake, "sql", "create table r.t as select 0 as x")
    proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca).start()
    env = {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{proxy.port}"}
    try:
        for x, part in enumerate(("r/t/_delta_log/0", "_tarn/"), 1):
            left = [1]

            def plan(method, path, n):
                if method == "PUT" and part in path and "probe" not in path and left:
                    left.pop()
                    return "lose"
            proxy.plan = plan
            b.run(lake, "sql", f"insert into r.t values ({x})", env=env)
            equal(left, [])
            equal(b.rows(lake, "select x from r.t order by x"), [{"x": i} for i in range(x + 1)])
    finally:
        proxy.stop()
    has(b.run(lake, "lake", "log"), "3")


@case
def keys_are_in_no_output(b):
    assert b.said and minio_server.Minio.SECRET not in b.said


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else ""))
