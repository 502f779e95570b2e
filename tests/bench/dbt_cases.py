"""Cases of tests/bench/run with dbt projects: tarn beside dbt-core 1.12 and dbt-core 2.0.0a4 (tools/dbt2-requirements.txt).

jaffle-*: the public jaffle_shop_duckdb, cloned at run time into the user's cache (or --project, a checkout of it). s1000-*, s5000-*: synthetic.py. "cold" removes
database and target folder before each run, "warm" keeps both from the run before.

dbt 2 refuses jaffle_shop_duckdb as it is. Its copy gets the edits of EDITS; the synthetic projects need none. It has no DuckDB of its own without a network: its
sides need --libduckdb, a folder with libduckdb.so, and are left out without it.
"""
import os, pathlib, re, shutil, subprocess

import synthetic

JAFFLE = "https://github.com/dbt-labs/jaffle_shop_duckdb"
IGNORED = shutil.ignore_patterns("target", "logs", "*.duckdb*", ".git")
EDITS = ["dbt_project.yml: no require-dbt-version (it says < 2.0.0)",
         "dbt_project.yml: materialized: becomes +materialized:",
         "schema.yml: the arguments of relationships and accepted_values go below arguments:"]


def under_arguments(match):
    """A generic test's arguments one level deeper."""
    first = re.match(r" *", match[3])[0]
    return f"{match[1]}- {match[2]}:\n{first}arguments:\n" + "".join("  " + line for line in match[3].splitlines(True))


def edit_for_v2(folder):
    def edit(path, pattern, new):
        text, n = re.subn(pattern, new, path.read_text())
        assert n > 0, f"{path} has nothing to edit any more"
        path.write_text(text)

    edit(folder / "dbt_project.yml", r"(?m)^require-dbt-version:.*\n", "")
    edit(folder / "dbt_project.yml", r"(?m)^( +)materialized:", r"\1+materialized:")
    for name in ("models/schema.yml", "models/staging/schema.yml"):
        edit(folder / name, r"(?m)^( +)- (relationships|accepted_values):\n((?:\1 {3,}.*\n)+)", under_arguments)


def jaffle(given):
    if given is not None:
        return given
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tarn/projects/jaffle_shop_duckdb"
    if not cache.exists():
        subprocess.run(["git", "clone", "-q", "--depth", "1", JAFFLE, cache], check=True)
    return cache


class Bench:
    def __init__(self, side, tarn, v1, v2, libduckdb, project, scratch, peers):
        self.side, self.tarn, self.v1, self.v2, self.libduckdb = side, tarn, v1, v2, libduckdb
        self.project, self.scratch, self.peers = project, scratch, peers

    def folder(self, source, case, who):
        folder = self.scratch / f"{case}-{who}"
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(source, int):
            synthetic.write(folder, source)
        else:
            shutil.copytree(source, folder, ignore=IGNORED)
            if who == "dbt2":
                edit_for_v2(folder)
        return folder

    def one(self, source, case, verb, who, cold):
        program, name = {"tarn": (self.tarn, "tarn"), "dbt1": (self.v1, "dbt-core 1.12"), "dbt2": (self.v2, "dbt-core 2.0.0a4")}[who]
        folder = self.folder(source, case, who)
        env = {"DBT_PROFILES_DIR": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        if who == "dbt2":
            env["LD_LIBRARY_PATH"] = str(self.libduckdb)

        def fresh():
            for left in [*folder.glob("*.duckdb*"), *folder.glob("target")]:
                shutil.rmtree(left) if left.is_dir() else left.unlink()

        command = [program, verb, *(["--profiles-dir", folder] if who == "dbt2" else [])]
        return self.side(name, command, folder, fresh if cold else None, env)

    def case(self, source, case, verb, cold):
        source = jaffle(self.project) if source == "jaffle" else source
        peers = [p for p in self.peers if p != "dbt2" or self.libduckdb is not None]
        sides = [self.one(source, case, verb, who, cold) for who in peers]
        if verb == "run" and not isinstance(source, int):  # its models read what seeds load
            for s in sides:
                subprocess.run([s.command[0], "seed", *s.command[2:]], cwd=s.cwd, env=s.env, check=True, stdout=subprocess.DEVNULL)
        return sides


CASES = {f"{name}-{case}": (source, verb, cold)
         for name, source in (("jaffle", "jaffle"), ("s1000", 1000), ("s5000", 5000))
         for case, verb, cold in (("parse", "parse", True), ("parse-warm", "parse", False), ("run", "run", False), ("build", "build", True), ("build-warm", "build", False))}
