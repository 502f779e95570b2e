"""Shared by the flow tests of dbt's commands: a small project made for each case, the program run in it."""
import json, os, pathlib, subprocess, sys, tempfile, traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


class Project:
    def __init__(self, scratch):
        self.dir = pathlib.Path(scratch)
        self.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\n")
        self.file("profiles.yml", "p:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: p.duckdb, threads: 2}\n")

    def file(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *command, status=0, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
        done = subprocess.run([TARN, *command], cwd=self.dir, env={**clean, **(env or {})}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)
        self.out = done.stdout
        assert done.returncode == status, f"{command}: status {done.returncode}, not {status}\n{self.out}"
        return self.out

    def results(self, name="run_results.json"):
        found = json.loads((self.dir / "target" / name).read_text())["results"]
        return {r["unique_id"].split(".")[2]: r["status"] for r in found}


def has(text, part):
    assert part in text, f"no {part!r} in\n{str(text)[:3000]}"


def lacks(text, part):
    assert part not in text, f"{part!r} in\n{str(text)[:3000]}"


def equal(got, want):
    assert got == want, f"\n   got: {got!r}\n  want: {want!r}"


def main():
    passed = failed = 0
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for fn in CASES:
        if only not in fn.__name__:
            continue
        with tempfile.TemporaryDirectory(prefix="dbt-use-") as scratch:
            try:
                fn(Project(scratch))
                passed += 1
            except Exception:
                failed += 1
                print(f"FAILED {fn.__name__}")
                traceback.print_exc(limit=-2, file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
