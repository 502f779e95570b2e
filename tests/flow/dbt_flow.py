"""Shared by the flow tests of dbt's commands: a small project made for each case, the program run in it."""
import errno, json, os, subprocess, time

from flow_case import TARN, case, equal, has, lacks, run_cases, write


class Project:
    profile = "{type: duckdb, path: p.duckdb, threads: 2}"
    terminal_of = {}  # what the program is told of its terminal; None: not told

    def __init__(self, folder):
        self.dir = folder
        self.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\n")
        self.file("profiles.yml", f"p:\n  target: dev\n  outputs:\n    dev: {self.profile}\n")

    def file(self, name, text):
        write(self.dir / name, text)

    def env(self, more=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DBT_") and k not in self.terminal_of}
        return {**clean, **{k: v for k, v in self.terminal_of.items() if v is not None}, **(more or {})}

    def call(self, *command, status=0, env=None, stderr=subprocess.STDOUT):
        done = subprocess.run([TARN, *command], cwd=self.dir, env=self.env(env), stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=600)
        assert done.returncode == status, f"{command}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr or ''}"
        return done

    def run(self, *command, status=0, env=None):
        self.out = self.call(*command, status=status, env=env).stdout
        return self.out

    def results(self, name="run_results.json"):
        found = json.loads((self.dir / "target" / name).read_text())["results"]
        return {r["unique_id"].split(".")[2]: r["status"] for r in found}


class Asked(Project):
    """Commands that print an answer: it alone on success, with what was said beside it otherwise."""

    terminal_of = {"NO_COLOR": "1"}

    def run(self, *command, status=0, env=None):
        done = self.call(*command, status=status, env=env, stderr=subprocess.PIPE)
        return done.stdout if status == 0 else done.stdout + done.stderr


class Gate:
    """A relation of one row (n = 1) for models to select from, which is there once the test opens the gate: until then the statement waits."""

    def __init__(self, p, name):
        self.path = p.dir / name
        os.mkfifo(self.path)
        self.sql = f"read_csv('{name}', header = true, auto_detect = false, columns = {{'n': 'INTEGER'}})"

        self.fd = None

    def wait(self):
        """Until the statement is at work. The limit is for a program that hangs."""
        end = time.monotonic() + 300
        while self.fd is None:
            try:
                self.fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as e:
                if e.errno != errno.ENXIO or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def open(self):
        """Waits until the statement is at work, and lets it go on."""
        self.wait()
        os.write(self.fd, b"n\n1\n")
        os.close(self.fd)
        self.fd = None


def main(subject=Project):
    return run_cases(subject, "dbt-use-")
