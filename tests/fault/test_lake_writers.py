"""Several processes build disjoint and overlapping models of one lake, some are killed at random, while readers look: no lost publish, no half state.

    test_lake_writers.py            a dozen seconds on a local disk (make test)
    TARN_SOAK_SECONDS=300 ...       longer; TARN_SOAK_STORE=s3: on a real MinIO over TLS, two of the builders in network namespaces of their own where the machine lets us

The trio a, b, c is built together: whoever reads must see all three of one build. Increments carry an id each: what a build acknowledged is there once, what was
killed is there once or not at all.
"""
import json, os, pathlib, random, signal, subprocess, sys, tempfile, threading, time

import duckdb

ROOT = pathlib.Path(os.environ["TARN_ROOT"])
TARN = os.environ["TARN"]
SECONDS = float(os.environ.get("TARN_SOAK_SECONDS", "12"))
S3 = os.environ.get("TARN_SOAK_STORE") == "s3"
HOSTS = os.environ.get("TARN_SOAK_HOSTS")  # the tag of the namespaces when we live in the server's
FAR = 2
sys.path[:0] = [str(ROOT / "tests/oracle"), str(ROOT / "tests/flow")]
from s3_hosts import Hosts

MODELS = {
    "a": "{{ config(materialized='table') }} select {{ var('n') }} as n, i from range(200) r(i)",
    "b": "{{ config(materialized='table') }} select n, count(*) as c from {{ ref('a') }} group by n",
    "c": "{{ config(materialized='table') }} select n, c as d from {{ ref('b') }}",
    "x": "{{ config(materialized='incremental', incremental_strategy='append') }} select '{{ var(\"id\") }}' as id",
    "y": "{{ config(materialized='incremental', incremental_strategy='append') }} select '{{ var(\"id\") }}' as id",
}
TESTS = """version: 2
models:
  - {name: b, columns: [{name: n, data_tests: [not_null, unique]}]}
  - {name: x, columns: [{name: id, data_tests: [unique]}]}
"""
QUERY = "select (select max(n) from main.a), (select max(n) from main.b), (select max(n) from main.c), (select count(*) from main.a), (select max(d) from main.c)"
JOBS = [("a+",), ("x",), ("x", "y"), ("a+",), ("y",)]


class Lake:
    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("TARN_LAKE", "DBT_", "AWS_"))}
        self.minio = None
        self.place = str(self.dir / "lake")
        if S3:
            from minio_server import Minio
            self.minio = Minio(self.dir / "minio", address=Hosts.address if HOSTS else "127.0.0.1").start()
            self.env.update(self.minio.env())
            self.place = "s3://lake/here"
        (self.dir / "models").mkdir()
        for name, sql in MODELS.items():
            (self.dir / f"models/{name}.sql").write_text(sql)
        (self.dir / "models/schema.yml").write_text(TESTS)
        (self.dir / "dbt_project.yml").write_text("name: soak\nversion: '1.0'\nprofile: soak\n")
        (self.dir / "profiles.yml").write_text(
            f"soak:\n  target: prod\n  outputs:\n    prod: {{type: tarn, lake: '{self.place}', schema: main, threads: 1, lease_seconds: 3}}\n")

    def build(self, number, *select, far=None):
        """A process of its own with its own target folder, as on another host; far: the number of the namespace it runs in."""
        there = [] if far is None else ["ip", "netns", "exec", f"{HOSTS}h{far}"]
        words = [*there, TARN, "build", *(["--select", *select] if select else []), "--vars", json.dumps({"n": number, "id": f"run-{number}"}), "--target-path", str(self.dir / f"target-{threading.get_ident()}"), "--log-path", str(self.dir / "logs")]
        return subprocess.Popen(words, cwd=self.dir, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def connect(self):
        if not S3:
            return duckdb.connect(self.place + "/catalog/prod.duckdb", read_only=True)
        con = duckdb.connect()
        con.execute(self.session())
        return con

    def session(self):
        """What a reader of the bucket says first; the JDBC driver runs what follows the marker for each connection."""
        extensions = os.environ.get("TARN_EXTENSION_DIR", ROOT / "build/deps/extensions")
        return f"""/* DUCKDB_CONNECTION_INIT_BELOW_MARKER */
SET extension_directory = '{extensions}'; LOAD httpfs; SET GLOBAL ca_cert_file = '{self.minio.ca}';
CREATE OR REPLACE SECRET lake (TYPE s3, KEY_ID '{self.minio.KEY}', SECRET '{self.minio.SECRET}', ENDPOINT '{self.minio.address}:{self.minio.port}', URL_STYLE 'path', USE_SSL true);
ATTACH IF NOT EXISTS '{self.place}/catalog/prod.duckdb' AS p (READ_ONLY); USE p;
"""

    def jdbc(self):
        """A process that reads over and over as a desktop client does, or None when the driver is not at hand."""
        driver = subprocess.run([ROOT / "tools/duckdb-jdbc", "--cached"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
        if not driver:
            return None
        url, session = f"jdbc:duckdb:{self.place}/catalog/prod.duckdb", []
        if S3:
            duckdb.connect(str(self.dir / "empty.duckdb")).close()
            (self.dir / "session.sql").write_text(self.session())
            url, session = f"jdbc:duckdb:{self.dir}/empty.duckdb", [str(self.dir / "session.sql")]
        return subprocess.Popen(["java", "-cp", driver, str(ROOT / "tests/flow/JdbcReader.java"), url, str(SECONDS), QUERY, *session],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Soak:
    def __init__(self, lake):
        self.lake, self.lock, self.number = lake, threading.Lock(), 0
        self.acknowledged, self.tried, self.wrong, self.running, self.killed, self.reads, self.jdbc_reads, self.again = set(), set(), [], [], 0, 0, 0, 0
        self.late = 0
        self.states = set()  # that JDBC saw
        self.end = time.monotonic() + SECONDS

    def next(self):
        with self.lock:
            self.number += 1
            return self.number

    @staticmethod
    def lost_its_turn(run, out):
        """Its lease of three seconds was not renewed in time, as on a machine that stands still: it has published nothing and says so."""
        return run.returncode > 0 and "and lost its turn" in out

    def builder(self, select, far=None):
        while time.monotonic() < self.end:
            number = self.next()
            run = self.lake.build(number, *select, far=far)
            with self.lock:
                self.running.append(run)
                self.tried |= {(s, number) for s in select if s in "xy"}
            out, _ = run.communicate()
            with self.lock:
                self.running.remove(run)
                if run.returncode == 0:
                    self.acknowledged |= {(s, number) for s in select if s in "xy"}
                elif self.lost_its_turn(run, out):
                    self.late += 1
                elif run.returncode != -signal.SIGKILL:
                    self.wrong.append((select, number, run.returncode, out[-1500:]))

    def killer(self):
        while time.monotonic() < self.end:
            time.sleep(random.uniform(0.3, 1.2))
            with self.lock:
                if self.running:
                    random.choice(self.running).kill()
                    self.killed += 1

    def reader(self):
        while time.monotonic() < self.end:
            state = None
            for attempt in range(6 if S3 else 1):  # DuckDB refuses an object that was replaced while it opened it: open again
                try:
                    with self.lake.connect() as con:
                        state = con.execute(QUERY).fetchone()
                    break
                except Exception as e:
                    why = e
                    self.again += 1
            if state is None:
                self.wrong.append(("reader", repr(why)[:300]))
                continue
            self.reads += 1
            self.check(state)

    def check(self, state):
        if not (state[0] == state[1] == state[2] and state[3] == state[4] == 200):
            self.wrong.append(("half a state", state))

    def jdbc_reader(self):
        client = self.lake.jdbc()
        if client is None:
            return
        failed = 0
        for line in client.stdout:
            if line.count(",") == 4:
                failed, self.jdbc_reads = 0, self.jdbc_reads + 1
                self.states.add(line)
                self.check(tuple(map(int, line.split(","))))
            else:
                failed, self.again = failed + 1, self.again + 1
                if failed > (5 if S3 else 0):
                    self.wrong.append(("JDBC", line[:300]))
        if client.wait() or (SECONDS >= 60 and len(self.states) < 2) or not self.jdbc_reads:
            self.wrong.append(("JDBC", f"{self.jdbc_reads} reads saw {len(self.states)} states"))

    def run(self):
        first = self.lake.build(0)
        out, _ = first.communicate()
        assert first.returncode == 0, out
        threads = [threading.Thread(target=self.builder, args=(j, i if HOSTS and i < FAR else None)) for i, j in enumerate(JOBS)] + [threading.Thread(target=self.killer)]
        threads += [threading.Thread(target=self.reader) for _ in range(2)] + [threading.Thread(target=self.jdbc_reader)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        while True:
            last = self.lake.build(self.next(), "a+")  # whatever was left behind, it goes on
            out, _ = last.communicate()
            if not self.lost_its_turn(last, out):
                break
        if last.returncode:
            self.wrong.append(("after all", out[-1500:]))
        with self.lake.connect() as con:
            for table in "xy":
                ids = [i for (i,) in con.execute(f"select id from main.{table}").fetchall()]
                there = {int(i.split("-")[1]) for i in ids}
                if len(ids) != len(there):
                    self.wrong.append((table, "rows are there twice"))
                for t, n in self.acknowledged:
                    if t == table and n not in there:
                        self.wrong.append((table, f"the acknowledged build {n} is lost"))
                for n in there - {n for t, n in self.tried if t == table} - {0}:
                    self.wrong.append((table, f"nobody built {n}"))


def main():
    random.seed(7)
    if S3 and not HOSTS and Hosts.possible():
        with Hosts(FAR) as hosts:  # server, readers and near builders live in the server's namespace, the others reach it over the bridge
            done = subprocess.run([*hosts.server, sys.executable, __file__], env={**os.environ, "TARN_SOAK_HOSTS": hosts.tag})
        sys.exit(done.returncode)
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        soak = Soak(lake)
        try:
            soak.run()
        finally:
            if lake.minio:
                lake.minio.stop()
    for w in soak.wrong[:5]:
        print("failed:", *(str(x)[:1500] for x in w))
    print(f"{FAR if HOSTS else 0} builders in network namespaces of their own")
    print(f"{soak.number} builds, {len(soak.acknowledged)} increments acknowledged, {soak.killed} killed, {soak.late} too late, {soak.reads} reads from Python, {soak.jdbc_reads} over JDBC ({len(soak.states)} states), {soak.again} opened again")
    checks = len(soak.acknowledged) + soak.reads + soak.jdbc_reads
    print(f"{checks} passed, {len(soak.wrong)} failed")
    sys.exit(1 if soak.wrong or not checks else 0)


main()
