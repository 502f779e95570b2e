"""The example DAG in a real Airflow: its tasks build models of one lake at the same time, each publishes by itself.   make test-airflow (opt-in: Airflow is large)"""
import json, os, pathlib, signal, socket, subprocess, sys, tempfile, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
MODELS = {n: f"select '{n}' as name, count(*) as n from range(1000) r(i)" for n in "abcd"}
MODELS["total"] = " union all ".join(f"select * from {{{{ ref('{n}') }}}}" for n in "abcd")
SECONDS_MAX = 600


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
                    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": self.url + "/execution/", "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "docs/examples"),
                    "TARN": TARN, "TARN_PROJECT": str(folder / "project"), "TARN_TARGETS": str(folder / "targets")}
        self.services = []

    def run(self, *words):
        done = subprocess.run([str(self.bin / "airflow"), *words], env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=SECONDS_MAX)
        assert done.returncode == 0, f"airflow {words}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return done.stdout

    def start(self):
        self.run("db", "migrate")
        self.run("dags", "reserialize")
        for name in ("api-server", "scheduler", "dag-processor"):
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

    def states(self, run_id):
        return {t["task_id"]: t for t in json.loads(self.run("tasks", "states-for-dag-run", "tarn_project", run_id, "-o", "json"))}

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


def wait_for_run(airflow, run_id):
    until = time.monotonic() + SECONDS_MAX
    while True:
        states = airflow.states(run_id)
        if len(states) == len(MODELS) and all(t["state"] in ("success", "failed", "upstream_failed") for t in states.values()):
            return states
        assert time.monotonic() < until, states
        time.sleep(3)


def main():
    venv = subprocess.run([ROOT / "tools/venv", "airflow"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        project(folder / "project")
        airflow = Airflow(folder, venv)
        try:
            airflow.start()
            airflow.run("dags", "unpause", "tarn_project")
            airflow.run("dags", "trigger", "tarn_project", "--run-id", "once")
            states = wait_for_run(airflow, "once")
        finally:
            airflow.stop()
        failures += [f"task {n} is {t['state']}" for n, t in states.items() if t["state"] != "success"]
        spans = [(t["start_date"], t["end_date"]) for n, t in states.items() if n != "total"]
        if not any(a[0] < b[1] and b[0] < a[1] for i, a in enumerate(spans) for b in spans[:i]):
            failures.append("no two tasks ran at the same time")
        lake = str(folder / "project/lake")
        rows = json.loads(subprocess.run([TARN, "sql", "--lake", lake, "--format", "json", "SELECT count(*) AS n, sum(n) AS s FROM main.total"], capture_output=True, text=True, check=True).stdout)
        if rows != [{"n": 4, "s": 4000}]:
            failures.append(f"the total is {rows}")
        log = json.loads(subprocess.run([TARN, "lake", "log", "--lake", lake, "--output", "json"], capture_output=True, text=True, check=True).stdout)
        if sorted(sum((e["changed"] for e in log), [])) != sorted(f"main.{m}" for m in MODELS):
            failures.append(f"lake commits: {[e['changed'] for e in log]}")
    for f in failures:
        print("failed:", f)
    print(f"{4 - min(4, len(failures))} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
