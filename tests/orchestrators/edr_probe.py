"""What Elementary's command `edr report` tells of a project that the program `dbt` has built, as JSON on the last line: the data of its page. edr runs a dbt project
of its own (deps, then a dozen operations whose JSON log it reads) over the tables of Elementary's package.
edr_probe.py BASE DBT   (BASE/project and BASE/packages/*, in the environment of tools/venv edr)"""
import json, os, pathlib, re, shutil, subprocess, sys

import elementary

BASE, DBT = pathlib.Path(sys.argv[1]), sys.argv[2]
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?")
MADE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|(?<=__tmp_)\d+")
# How long things took; and what an anomaly test of rows with equal times calls its first metric, an order that its query leaves open.
LEFT_OUT = {"execution_time", "median_exec_time", "last_exec_time", "exec_time_change_rate", "id", "invocation_id", "duration", "test_sub_type"}


def settled(v):
    """Without moments and what is made of them; lists are rows of queries without an order."""
    if isinstance(v, dict):
        return {k: settled(x) for k, x in v.items() if k not in LEFT_OUT}
    if isinstance(v, list):
        return sorted((settled(x) for x in v), key=lambda x: json.dumps(x, sort_keys=True))
    return MADE.sub("<id>", MOMENT.sub("<time>", v)).replace(str(BASE), "<base>") if isinstance(v, str) else v


def run(words, **more):
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    assert done.returncode == 0, f"{words}: {done.stdout[-4000:]}"
    return done.stdout


def counted(v):
    """{path: leaf}"""
    out = {}

    def walk(where, x):
        items = x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, list) else None
        for k, y in items or ():
            walk(f"{where}.{k}", y)
        if items is None:
            out[where] = x

    walk("", v)
    return out


def main():
    project, own = BASE / "project", BASE / "lib"
    shutil.copytree(pathlib.Path(elementary.__file__).parent, own / "elementary")  # edr keeps packages beside its code
    inner = own / "elementary/monitor/dbt_project"
    (inner / "package-lock.yml").unlink()
    (inner / "packages.yml").write_text("packages:\n" + "".join(f"  - local: {p.resolve()}\n" for p in sorted((BASE / "packages").iterdir())))
    output = f"{{type: duckdb, path: '{project}/shop.duckdb', schema: %s, threads: 1}}\n"
    (project / "profiles.yml").write_text("jaffle_shop:\n  target: dev\n  outputs:\n    dev: " + output % "main" + "elementary:\n  target: dev\n  outputs:\n    dev: " + output % "main_elementary")
    env = {**os.environ, "PYTHONPATH": str(own), "HOME": str(BASE)}
    for words in (["deps"], ["build"], ["build"]):
        run([DBT, *words, "--profiles-dir", project], cwd=project, env=env)
    common = ["--profiles-dir", project, "--project-dir", project, "-c", BASE / "settings", "--target-path", BASE / "edr"]
    said = run([pathlib.Path(sys.executable).parent / "edr", "report", "--open-browser", "False", "--file-path", BASE / "report.html", *common], cwd=BASE, env=env)
    data = BASE / "edr/elementary_output.json"
    page = (BASE / "report.html").stat().st_size > data.stat().st_size  # it holds the data
    errors = [line for line in said.splitlines() if "ERROR" in line]
    print(json.dumps({"page": page, "errors": errors, "data": counted(settled(json.loads(data.read_text())))}))


main()
