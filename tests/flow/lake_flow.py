"""Shared by the flow tests of the lake's commands: runs the program in a folder of its own, counts cases."""
import json, os, pathlib, subprocess, sys, tempfile, traceback

TARN = os.environ["TARN"]
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


class Lake:
    """An empty lake with a work folder beside it; commands run in that folder."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="lake-"))
        self.root = self.dir / "lake"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("TARN_LAKE", "TARN_ENV", "DBT_"))}
        self.env.update(TARN_LAKE=str(self.root), HOME=str(self.dir), NO_COLOR="1")

    def run(self, *words, stdin=b"", status=0, env=None):
        done = subprocess.run([TARN, *map(str, words)], cwd=self.dir, env={**self.env, **(env or {})}, timeout=120, capture_output=True,
                              input=stdin if isinstance(stdin, bytes) else stdin.encode())
        self.out, self.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        assert status is None or done.returncode == status, f"{words}: status {done.returncode}, not {status}\n{self.out}{self.err}"
        return self.out

    def file(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def rows(self, sql, **kw):
        return json.loads(self.run("sql", "--format", "json", sql, **kw))

    def land(self, *words, **kw):
        return json.loads(self.run("land", *words, "--output", "json", **kw))

    def parquet_files(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*.parquet"))

    def delta(self, table):
        from deltalake import DeltaTable
        return DeltaTable(str(self.root / table.replace(".", "/")))


def equal(got, want):
    assert got == want, f"\n   got: {got!r}\n  want: {want!r}"


def has(text, part):
    assert part in text, f"no {part!r} in\n{text}"


def main(skipped=()):
    """skipped: a list that cases append reasons to."""
    passed = failed = 0
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for fn in CASES:
        if only not in fn.__name__:
            continue
        try:
            fn(Lake())
            passed += 1
        except Exception:
            failed += 1
            print(f"FAIL {fn.__name__}")
            traceback.print_exc(limit=-2, file=sys.stdout)
    for reason in skipped:
        print(f"SKIPPED {reason}")
    print(f"{passed} passed, {failed} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    sys.exit(1 if failed or not passed else 0)
