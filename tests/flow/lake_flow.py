"""Shared by the flow tests of the lake's commands: runs the program in a folder of its own, counts cases."""
import json, os, subprocess, sys

from flow_case import TARN, case, equal, has, run_cases, write


class Lake:
    """An empty lake with a work folder beside it; commands run in that folder."""

    def __init__(self, folder):
        self.dir = folder
        self.root = self.dir / "lake"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("TARN_LAKE", "TARN_ENV", "DBT_"))}
        self.env.update(TARN_LAKE=str(self.root), HOME=str(self.dir), NO_COLOR="1")

    def run(self, *words, stdin=b"", status=0, env=None):
        done = subprocess.run([TARN, *map(str, words)], cwd=self.dir, env={**self.env, **(env or {})}, timeout=600, capture_output=True,
                              input=stdin if isinstance(stdin, bytes) else stdin.encode())
        self.out, self.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        assert status is None or done.returncode == status, f"{words}: status {done.returncode}, not {status}\n{self.out}{self.err}"
        return self.out

    def file(self, name, content):
        write(self.dir / name, content)
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


def main(skipped=()):
    sys.exit(run_cases(Lake, "lake-", skipped))
