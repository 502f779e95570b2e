"""A real Airflow: the example DAG, whose tasks build models of one lake at the same time, each publishing by itself; and astronomer-cosmos' DAGs of such projects with
tarn as their dbt (cosmos_dags.py).   make test-airflow (opt-in: Airflow is large)"""
import json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
MODELS = {n: f"select '{n}' as name, count(*) as n from range(1000) r(i)" for n in "abcd"}
MODELS["total"] = " union all ".join(f"select * from {{{{ ref('{n}') }}}}" for n in "abcd")
SECONDS_MAX = 600
ENDED = ("success", "failed", "upstream_failed", "skipped", "removed")
# What each DAG is to have run, and what its lake commits hold.
TESTED = {"total.run", "total.test"}
DAGS = {"tarn_project": set(MODELS), "cosmos_local": {f"{m}_run" for m in "abcd"} | TESTED,
        "cosmos_watcher": {f"{m}_run" for m in "abcd"} | TESTED | {"dbt_producer_watcher"}}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Airflow:
    def __init__(self, folder, venv):
        self.dir, self.bin, port = folder, pathlib.Path(venv) / "bin", free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "AIRFLOW_HOME": str(folder / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AIRFLOW__CORE__PARALLELISM": "4", "AIRFLOW__API__PORT": str(port), "AIRFLOW__API__HOST": "127.0.0.1",
                    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": self.url + "/execution/", "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"), "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(SECONDS_MAX),
                    "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False", "AIRFLOW__COSMOS__ENABLE_CACHE": "False", "DO_NOT_TRACK": "1", "COSMOS_PROJECTS": str(folder), "DBT": str(folder / "bin/dbt"),
                    "TARN": TARN, "TARN_PROJECT": str(folder / "project"), "TARN_TARGETS": str(folder / "targets")}
        self.services = []

    def run(self, *words):
        done = subprocess.run([str(self.bin / "airflow"), *words], env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=SECONDS_MAX)
        assert done.returncode == 0, f"airflow {words}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return done.stdout

    def start(self):
        self.run("db", "migrate")
        self.run("dags", "reserialize")
        for name in ("api-server", "scheduler", "dag-processor", "triggerer"):
            log = open(self.dir / f"{name}.log", "wb")
            self.services.append(subprocess.Popen([str(self.bin / "airflow"), name], env=self.env, cwd=self.dir, stdout=log, stderr=log, start_new_session=True))
        until = time.monotonic() + SECONDS_MAX
        while True:
            try:
                urllib.request.urlopen(self.url + "/api/v2/monitor/health", timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < until, (self.dir / "api-server.log").read_text()[-2000:]
                time.sleep(1)

    def states(self, dag):
        return {t["task_id"]: t for t in json.loads(self.run("tasks", "states-for-dag-run", dag, "once", "-o", "json"))}

    def run_dag(self, dag):
        """Runs it once; {task: its state}."""
        self.run("dags", "unpause", dag)
        self.run("dags", "trigger", dag, "--run-id", "once")
        until = time.monotonic() + SECONDS_MAX
        while True:
            states = self.states(dag)
            if len(states) >= len(DAGS[dag]) and all(t["state"] in ENDED for t in states.values()):
                return states
            assert time.monotonic() < until, states
            time.sleep(3)

    def stop(self):
        for s in self.services:
            os.killpg(s.pid, signal.SIGTERM)
        for s in self.services:
            try:
                s.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(s.pid, signal.SIGKILL)


def project(folder):
    (folder / "models").mkdir(parents=True)
    for name, sql in MODELS.items():
        (folder / f"models/{name}.sql").write_text(sql)
    (folder / "models/schema.yml").write_text("version: 2\nmodels: [{name: total, columns: [{name: name, data_tests: [unique]}]}]\n")
    (folder / "dbt_project.yml").write_text("name: af\nversion: '1.0'\nprofile: af\nmodels:\n  +materialized: table\n")
    (folder / "profiles.yml").write_text(f"af:\n  target: prod\n  outputs:\n    prod: {{type: tarn, lake: '{folder / 'lake'}', schema: main, threads: 1}}\n")


def told(failures, lake, *words):
    done = subprocess.run([TARN, *words, "--lake", str(lake)], capture_output=True, text=True)
    if done.returncode:
        failures.append(f"{words}: {done.stderr[-500:]}")
    return json.loads(done.stdout or "[]")


def check(dag, lake, states):
    """What the tasks did, and what they left in the lake."""
    failures = [f"{dag}: task {n} is {t['state']}" for n, t in states.items() if t["state"] != "success"]
    if set(states) != DAGS[dag]:
        failures.append(f"{dag}: its tasks are {sorted(states)}")
    spans = [(t["start_date"], t["end_date"]) for n, t in states.items() if not n.startswith("total")]
    if not any(a[0] < b[1] and b[0] < a[1] for i, a in enumerate(spans) for b in spans[:i]):
        failures.append(f"{dag}: no two tasks ran at the same time")
    rows = told(failures, lake, "sql", "--format", "json", "SELECT count(*) AS n, sum(n) AS s FROM main.total")
    if rows != [{"n": 4, "s": 4000}]:
        failures.append(f"{dag}: the total is {rows}")
    changed = sum((e["changed"] for e in told(failures, lake, "lake", "log", "--output", "json")), [])
    if sorted(changed) != sorted(f"main.{m}" for m in MODELS):
        failures.append(f"{dag}: lake commits: {changed}")
    return failures


def main():
    venv = subprocess.run([ROOT / "tools/venv", "airflow"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for dag in DAGS:
            project(folder / ("project" if dag == "tarn_project" else dag))
        for place in ("bin", "dags"):
            (folder / place).mkdir()
        (folder / "bin/dbt").symlink_to(os.path.abspath(TARN))
        for source in ("docs/examples/airflow_dag.py", "tests/airflow/cosmos_dags.py"):
            shutil.copy(ROOT / source, folder / "dags")
        airflow = Airflow(folder, venv)
        try:
            airflow.start()
            for dag in DAGS:
                failures += check(dag, folder / ("project" if dag == "tarn_project" else dag) / "lake", airflow.run_dag(dag))
        finally:
            airflow.stop()
    for f in failures:
        print("failed:", f)
    every = 4 * len(DAGS)
    print(f"{every - min(every, len(failures))} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
