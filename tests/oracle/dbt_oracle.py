"""Runs real dbt (core 1.12, dbt-duckdb 1.11) and tarn on copies of the same projects and compares what comes out:
exit status, status and failures of every node, compiled SQL (white space aside), the relations of the database with their types and
rows, the lines of the console that people look for.

    python tests/oracle/dbt_oracle.py [PROJECT_DIR] [--command "build --full-refresh"]...

Without a project: the cases below. TARN names the program. JAFFLE, when set, is a checkout of the public jaffle_shop_duckdb, run unchanged.
"""
import argparse, collections, json, os, pathlib, re, shutil, subprocess, sys, tempfile

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
DBT = os.path.join(os.path.dirname(sys.executable), "dbt")
PROJECTS = ROOT / "tests/projects"

CASES = [
    ("forms", [["build"], ["build"], ["build", "--full-refresh"], ["test", "--select", "test_type:singular"], ["run", "--select", "+report", "--empty"],
               ["compile"], ["build", "--select", "nothing_here"]]),
    ("faults", [["build"], ["run", "--exclude", "broken"], ["test", "--store-failures"]]),
    ("shop", [["build"], ["build"]]),
    ("growth", [["build", "--vars", "{step: %d}" % step, "--event-time-start", "2024-01-01", "--event-time-end", "2024-01-05"] for step in (1, 2)]
     + [["run", "--select", "batched", "--vars", "{step: 3, bad: 1}", "--event-time-start", "2024-01-02", "--event-time-end", "2024-01-05"], ["retry"],
        ["run", "--vars", "{step: 3}", "--sample", "{start: 2024-01-02 00:00:00, end: 2024-01-04 00:00:00}", "--select", "arrivals", "merged"],
        ["run", "--select", "batched", "--event-time-start", "2024-01-02"]]),
    ("ages", [["run"], ["source", "freshness"], ["source", "freshness", "--select", "source:raw.fresh", "source:raw.old"]]),
]
# Differences that are meant. Views over Delta tables are pinned, so their text differs; rows do not.
TEXT_MAY_DIFFER = re.compile(r"delta_scan")
LINE = re.compile(r"^\d\d:\d\d:\d\d  ")
passed = failed = 0


def report(ok, what, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}\n{detail}", flush=True)


def run(program, folder, command):
    env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    env.update(DBT_SEND_ANONYMOUS_USAGE_STATS="false", DBT_PROFILES_DIR=str(folder), NO_COLOR="1", PROJECT_COPY=str(folder))
    done = subprocess.run([program, "--no-use-colors", *command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=600)
    return done.returncode, done.stdout


def results_of(folder):
    path = folder / "target/run_results.json"
    if not path.exists():
        return None
    found = {}
    for r in json.loads(path.read_text())["results"]:
        message = r["message"]
        if r["status"] in ("error", "skipped"):
            message = None  # texts of the database and line numbers may differ
        # what dbt-duckdb calls OK may say more here (a Delta version)
        found[r["unique_id"]] = (r["status"], r["failures"], message if message != "OK" else None)
    return found


def ages_of(folder):
    """sources.json without what depends on the moment; ages in whole hours."""
    path = folder / "target/sources.json"
    if not path.exists():
        return None
    found = {}
    for r in json.loads(path.read_text())["results"]:
        hours = round(r["max_loaded_at_time_ago_in_s"] / 3600)
        found[r["unique_id"]] = (r["status"], min(hours, 10**6), r["criteria"], r["adapter_response"], sorted(r))
    return found


def squeezed(sql):
    return re.sub(r"\s+", "", sql)


def compiled_of(folder):
    base = folder / "target/compiled"
    return {str(p.relative_to(base)): squeezed(p.read_text()) for p in sorted(base.rglob("*.sql"))
            if p.is_file() and "units.yml" not in p.parts} if base.exists() else {}


def database_of(folder):
    found = [p for p in sorted(folder.glob("*.duckdb")) if not p.name.endswith(".read.duckdb")]
    return found[0] if found else None


def order(rows):
    return sorted(rows, key=lambda r: [(v is None, str(v)) for v in r])


def tables_of(folder):
    path = database_of(folder)
    if path is None:
        return {}
    out = {}
    here = os.getcwd()
    os.chdir(folder)
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            listed = con.execute("select schema_name, table_name, 'table' from duckdb_tables() where not internal and not temporary union all "
                                 "select schema_name, view_name, 'view' from duckdb_views() where not internal order by 1, 2").fetchall()
            for schema, name, kind in listed:
                full = f'"{schema}"."{name}"'
                columns = [(c[0], c[1]) for c in con.execute(f"describe {full}").fetchall()]
                # times of the run itself cannot be equal
                shown = [c for c, t in columns if not (t.startswith("TIMESTAMP") and (c.startswith("dbt_") or c == "loaded_at"))
                         and c not in ("dbt_scd_id",)]
                rows = con.execute(f"select {', '.join(chr(34) + c + chr(34) for c in shown) or '1'} from {full}").fetchall()
                comment = con.execute("select comment from duckdb_tables() where schema_name = ? and table_name = ? union all "
                                      "select comment from duckdb_views() where schema_name = ? and view_name = ?",
                                      [schema, name, schema, name]).fetchone()
                out[f"{schema}.{name}"] = (kind, columns, order(rows), comment)
    finally:
        os.chdir(here)
    return out


LAKE_PROFILE = """{name}:
  target: dev
  outputs:
    dev: {{type: tarn, lake: "{lake}", schema: main, threads: 2, external_root: out}}
"""


def lake_of(folder):
    """Names and rows that the published catalog shows; types of numbers are Delta's, so values are compared as text."""
    path = folder / "lake/catalog/dev.duckdb"
    out, here = {}, os.getcwd()
    os.chdir(folder)
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            for schema, name in con.execute("select schema_name, view_name from duckdb_views() where not internal order by 1, 2").fetchall():
                out[f"{schema}.{name}"] = rows_of(con, schema, name)
    finally:
        os.chdir(here)
    return out


def rows_of(con, schema, name):
    shown = [c[0] for c in con.execute(f'describe "{schema}"."{name}"').fetchall()
             if not (c[1].startswith("TIMESTAMP") and (c[0].startswith("dbt_") or c[0] == "loaded_at")) and c[0] != "dbt_scd_id"]
    columns = ", ".join(f"""replace("{c}"::varchar, '"lake".', '"forms".')""" for c in sorted(shown)) or "1"
    return sorted(shown), order(con.execute(f'select {columns} from "{schema}"."{name}"').fetchall())


def plain_of(folder):
    out, here = {}, os.getcwd()
    os.chdir(folder)
    try:
        with duckdb.connect(str(database_of(folder)), read_only=True) as con:
            listed = con.execute("select schema_name, table_name from duckdb_tables() where not internal and not temporary union all "
                                 "select schema_name, view_name from duckdb_views() where not internal").fetchall()
            for schema, name in listed:
                if name != "audit" and schema != "dbt_test__audit":
                    out[f"{schema}.{name}"] = rows_of(con, schema, name)
    finally:
        os.chdir(here)
    return out


def compare_places(name, project, commands, lake=True):
    """The same project with Delta tables: with a profile of type tarn what is published, else what the views over external models
    show, holds the rows of dbt's tables."""
    with tempfile.TemporaryDirectory(prefix="dbt-oracle-") as scratch:
        folders = [pathlib.Path(scratch) / who / project.name for who in ("dbt", "tarn")]
        for folder in folders:
            shutil.copytree(project, folder, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal", "out"))
            (folder / "out").mkdir()
        if lake:
            (folders[1] / "profiles.yml").write_text(LAKE_PROFILE.format(name=name, lake=folders[1] / "lake"))
        for at, command in enumerate(commands):
            what = f"{name} as {'a lake' if lake else 'external tables'} #{at + 1} {' '.join(command)}"
            ours = [re.sub(r"^\{", "{kind: external, ", c) if not lake else c for c in command]
            (dbt_exit, dbt_out), (tarn_exit, out) = run(DBT, folders[0], command), run(TARN, folders[1], ours)
            same(f"{what}: exit status", dbt_exit, tarn_exit)
            if dbt_exit != tarn_exit:
                print(dbt_out[-3000:], out[-3000:], sep="\n----\n")
            strip = lambda results: {k: v[:2] for k, v in (results or {}).items()}
            same(f"{what}: nodes", strip(results_of(folders[0])), strip(results_of(folders[1])))
            same(f"{what}: rows", plain_of(folders[0]), lake_of(folders[1]) if lake else plain_of(folders[1]))


BATCHES = ["--event-time-start", "2024-01-01", "--event-time-end", "2024-01-05"]
GROWTH = [["build", "--vars", "{step: %d}" % step, *BATCHES] for step in (1, 2, 3, 4)] + [["build", "--full-refresh", "--vars", "{step: 3}", *BATCHES]]


def stats_line(text):
    """Lines that people grep for, in an order that threads cannot change, without times and numbers of turns."""
    found = collections.Counter()
    for line in text.splitlines():
        line = LINE.sub("", line)
        if re.match(r"\d+ of \d+ (OK|ERROR|PASS|FAIL|WARN|SKIP|START)", line):
            line = re.sub(r"^\d+ of", "N of", re.sub(r" in [\d.]+s\]$", "]", line))
            line = re.sub(r" *\.{2,} *", " .. ", re.sub(r" {2,}\[", " .. [", line))
            found[line] += 1
        elif line.startswith(("Done. ", "Concurrency: ", "Completed ")):
            found[line] += 1
        elif line.startswith("Finished running "):
            found[re.sub(r" in \d+ hours.*", "", line)] += 1
    return found


def difference(a, b):
    lines = []
    for key in sorted(set(a) | set(b), key=str):
        if a.get(key) != b.get(key):
            lines.append(f"  {key}\n    dbt:  {str(a.get(key))[:1500]}\n    tarn: {str(b.get(key))[:1500]}")
    return "\n".join(lines)


def same(what, a, b):
    report(a == b, what, difference(a, b) if isinstance(a, dict) else f"  dbt:  {a}\n  tarn: {b}")


def compare(name, project, commands, show):
    with tempfile.TemporaryDirectory(prefix="dbt-oracle-") as scratch:
        copies = []
        for who in ("dbt", "tarn"):
            folder = pathlib.Path(scratch) / who / project.name
            shutil.copytree(project, folder, ignore=shutil.ignore_patterns("target", "logs", "dbt_packages", "*.duckdb", "*.wal"))
            copies.append(folder)
        if (copies[0] / "packages.yml").exists():
            run(DBT, copies[0], ["deps"])
            shutil.copytree(copies[0] / "dbt_packages", copies[1] / "dbt_packages", symlinks=False)
        for at, command in enumerate(commands):
            what = f"{name} #{at + 1} {' '.join(command)}"
            hook = project / f"before_{at + 1}.py"
            for folder in copies:
                if hook.exists():
                    subprocess.run([sys.executable, str(hook)], cwd=folder, check=True)
            (dbt_exit, dbt_out), (tarn_exit, tarn_out) = run(DBT, copies[0], command), run(TARN, copies[1], command)
            if show:
                print(dbt_out, tarn_out, sep="\n----\n")
            same(f"{what}: exit status", dbt_exit, tarn_exit)
            if failed and dbt_exit != tarn_exit:
                print(tarn_out[-3000:])
                print(dbt_out[-1500:])
            same(f"{what}: nodes", results_of(copies[0]), results_of(copies[1]))
            same(f"{what}: ages", ages_of(copies[0]), ages_of(copies[1]))
            same(f"{what}: compiled", compiled_of(copies[0]), compiled_of(copies[1]))
            tables = [{k: v for k, v in tables_of(c).items()} for c in copies]
            same(f"{what}: relations", tables[0], tables[1])
            same(f"{what}: console", dict(stats_line(dbt_out)), dict(stats_line(tarn_out)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("project", nargs="?")
    parser.add_argument("--command", action="append", default=[])
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--lake", action="store_true", help="only the comparison of type duckdb with type tarn")
    parser.add_argument("--only", type=int, default=0, help="the first N commands")
    args = parser.parse_args()
    cases = [(name, PROJECTS / name, commands) for name, commands in CASES]
    if os.environ.get("JAFFLE"):
        cases.append(("jaffle_shop_duckdb", pathlib.Path(os.environ["JAFFLE"]), [["build"], ["build"]]))
    if args.project:
        folder = pathlib.Path(args.project).resolve()
        commands = [c.split() for c in args.command] or next((c for n, _, c in cases if n == folder.name), [["build"]])
        cases = [(folder.name, folder, commands)]
    if args.lake:
        cases = []
    for name, project, commands in cases:
        if project.exists():
            compare(name, project, commands[:args.only] if args.only else commands, args.show)
    if not args.project:
        last = args.only or None
        compare_places("growth", PROJECTS / "growth", GROWTH[:last])
        compare_places("growth", PROJECTS / "growth", GROWTH[:last], lake=False)
        compare_places("forms", PROJECTS / "forms", [["build"], ["build"], ["build", "--full-refresh"]][:last])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
