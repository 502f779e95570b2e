"""The real code of astronomer-cosmos, dagster-dbt and Elementary's edr with the program under the name `dbt`, beside the same code with real dbt: they must see the same.

    python3 tests/orchestrators/test_orchestrators.py [cosmos|dagster|dagster_rows|edr]      or: make test-orchestrators
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
SECONDS_MAX = 1800
passed = failed = 0


def venv(name):
    return pathlib.Path(subprocess.run([ROOT / "tools/venv", name], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def events_project(folder):
    shutil.copytree(ROOT / "tests/projects/events", folder, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb*"))
    profiles = folder / "profiles.yml"  # Cosmos runs copies of the project, the database stays
    profiles.write_text(profiles.read_text().replace("path: events.duckdb", f"path: {folder / 'events.duckdb'}"))


def observed_project(folder):
    """A public project that Elementary observes, and the packages that edr's own project wants, which test-projects fetches, too."""
    sys.path.insert(0, str(ROOT / "tests/oracle"))
    import public_cases
    folder.mkdir()
    public_cases.with_elementary(folder).rename(folder / "project")
    (folder / "packages").mkdir()
    (folder / "packages/elementary").symlink_to(folder / "elementary")
    (folder / "packages/dbt_utils").symlink_to(public_cases.checkout("dbt_utils"))


def probe(what, python, folder, dbt):
    (observed_project if what == "edr" else events_project)(folder)
    home = folder.parent / (folder.name + "-home")
    home.mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    env.update(DBT_SEND_ANONYMOUS_USAGE_STATS="false", DBT_VERSION_CHECK="false", AIRFLOW_HOME=str(home), AIRFLOW__CORE__LOAD_EXAMPLES="False", AIRFLOW__COSMOS__ENABLE_TELEMETRY="False",
               AIRFLOW__COSMOS__ENABLE_CACHE="False", DO_NOT_TRACK="1", CORE_PACKAGES=str(next((venv("oracle") / "lib").glob("python3*/site-packages"))), PATH=f"{pathlib.Path(dbt).parent}:{os.environ['PATH']}")
    env.pop("DAGSTER_HOME", None)
    done = subprocess.run([str(python / "bin/python"), str(ROOT / f"tests/orchestrators/{what}_probe.py"), str(folder), dbt], env=env, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS_MAX)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    if done.returncode != 0 or not last.startswith("{"):
        print(f"{what} with {dbt} broke off:\n{done.stdout[-6000:]}")
        return None
    return json.loads(last)


def compare(where, a, b):
    """One count a leaf; what is different is printed."""
    global passed, failed
    if isinstance(a, dict) and isinstance(b, dict):
        for k in sorted(set(a) | set(b)):
            compare(f"{where}.{k}", a.get(k, "(absent)"), b.get(k, "(absent)"))
    elif a == b:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {where}\n  dbt:  {json.dumps(a)[:600]}\n  tarn: {json.dumps(b)[:600]}")


def main():
    global failed
    wanted = sys.argv[1:] or ["cosmos", "dagster", "dagster_rows", "edr"]
    real = str(venv("oracle") / "bin/dbt")
    with tempfile.TemporaryDirectory(prefix="orchestrators-") as base:
        base = pathlib.Path(base)
        named = base / "bin/dbt"  # the name is all that they ask for
        named.parent.mkdir()
        named.symlink_to(os.path.abspath(TARN))
        for what in wanted:
            python = venv({"cosmos": "airflow", "dagster_rows": "dagster"}.get(what, what))
            a = probe(what, python, base / f"{what}-dbt", real)
            b = probe(what, python, base / f"{what}-tarn", str(named))
            if a is None or b is None:
                failed += 1
            else:
                compare(what, a, b)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
