#!/usr/bin/env python3
"""The tables of delta_cases.py, made and changed by tarn, read by deltalake's query engine and DuckDB's delta extension after each step; then both append.

    test_delta_engines.py [--only TEXT] [--report FILE]     the program is $TARN, the extension that of build/deps
"""
import argparse
import os
import pathlib
import shutil
import tempfile
import time

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from delta_cases import CASES, Fails, Nothing, texts
from delta_judges import ROOT, Refused, Results, Rows, Tarn, version_of

FOLDER = os.environ.get("TARN_EXTENSION_DIR", str(ROOT / "build/deps/extensions"))
EXTENSION = pathlib.Path(FOLDER) / "v1.5.5/linux_amd64/delta.duckdb_extension"


class Deltalake:
    """Never its to_pyarrow_table(): that is another, less complete reader."""

    name = "deltalake"

    def rows(self, path, columns):
        t = DeltaTable(str(path))
        return Rows(pa.table(QueryBuilder().register("t", t).execute(f"SELECT {columns} FROM t").read_all()))

    def changes(self, path, names):
        return Rows(pa.table(DeltaTable(str(path)).load_cdf(0).read_all()).select(names))

    def append(self, path, table):
        write_deltalake(str(path), table, mode="append")


class DuckDB:
    name = "DuckDB"

    def connect(self):
        con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        con.execute("SET TimeZone='UTC'")
        con.execute(f"LOAD '{EXTENSION}'")
        return con

    def rows(self, path, columns):
        with self.connect() as con:
            return Rows(con.execute(f"SELECT {columns} FROM delta_scan('{path}')").to_arrow_table())

    def append(self, path, table):
        with self.connect() as con:
            con.register("added", table)
            con.execute(f"ATTACH '{path}' AS d (TYPE delta)")
            con.execute("INSERT INTO d SELECT * FROM added")


def reason(e):
    return " ".join(str(e).split())[:300]


class Run:
    def __init__(self, results, case, judges, tarn, path):
        self.results, self.case, self.judges, self.tarn, self.path = results, case, judges, tarn, path
        self.ok = True
        self.misread = set()

    def check(self, name, ok, what=""):
        self.ok = self.results.check(f"{self.case.name}: {name}", ok, what) and self.ok

    def columns(self, engine):
        c = self.case.columns
        return c if isinstance(c, str) else c.get(engine.name.lower(), c["tarn"])

    def known(self, engine, what):
        return self.case.cannot.get(engine.name, {}).get(what, "")

    def all_read(self, after, judges):
        want = self.tarn.rows(self.path, self.columns(self.tarn))
        for engine in judges:
            note = self.known(engine, "reads")
            try:
                got = engine.rows(self.path, self.columns(engine))
            except Exception as e:
                self.misread.add(engine.name)
                self.check(f"{engine.name} reads {after}", note, reason(e))
            else:
                if got != want:
                    self.misread.add(engine.name)
                self.check(f"{engine.name} reads {after} the same", got == want or note, got.difference(want))

    def steps(self):
        for statement in texts(self.case.make, "tarn"):
            self.tarn.statement(statement, self.path)
        self.all_read("what was made", self.judges)
        for n, step in enumerate(self.case.steps, 1):
            statements = texts(step, "tarn")
            if statements is None:
                continue
            before = self.tarn.rows(self.path, self.columns(self.tarn)) if isinstance(step, Nothing) else None
            try:
                for statement in statements:
                    self.tarn.statement(statement, self.path)
            except Refused as e:
                self.check(f"step {n}: {statement[:200]}", isinstance(step, Fails), e)
                continue
            if before is not None:
                self.check(f"step {n} changes nothing: {statement[:200]}", before == self.tarn.rows(self.path, self.columns(self.tarn)))
            self.check(f"step {n} is refused: {statement[:200]}", not isinstance(step, Fails))
            self.all_read(f"step {n} ({statement[:60]})", self.judges)

    def appends(self):
        """Rows that the table has are added once more by each of the others."""
        some = self.tarn.query(f"SELECT {self.case.appends or '*'} FROM {{t}} LIMIT 3", self.path)
        for engine in self.judges:
            note, before = self.known(engine, "writes"), version_of(self.path)
            try:
                engine.append(self.path, some)
            except Exception as e:
                self.check(f"{engine.name} appends", note, reason(e))
            else:
                self.check(f"{engine.name} appends, which was known not to work: {note}", not note)
                self.check(f"{engine.name}'s append is a version", version_of(self.path) > before)
                self.all_read(f"after {engine.name}'s append", self.judges)
        if self.case.changes:
            names = self.tarn.rows(self.path).names + ["_change_type", "_commit_version"]
            want = Rows(self.tarn.query(f"SELECT {', '.join(names)} FROM table_changes_by_path('{{p}}', 0)", self.path))
            got = self.judges[0].changes(self.path, names)
            self.check("deltalake sees the same changes", got == want, got.difference(want))
        problem = self.tarn.check(self.path)
        self.check("tarn table check", not problem, problem)

    def run(self):
        try:
            self.steps()
            self.appends()
        except Refused as e:
            self.check("tarn", False, e)
        for engine in self.judges:
            note = self.known(engine, "reads")
            self.check(f"{engine.name} reads all of it, which was known not to work: {note}", engine.name in self.misread or not note)
            for what in ("reads", "writes"):
                self.results.cell(self.case.name, engine.name, what, self.known(engine, what) or ("" if self.ok else "see the failed checks"))


def main():
    p = argparse.ArgumentParser(description="holds tarn's Delta tables against deltalake and DuckDB")
    p.add_argument("--only", default="", help="only cases whose name contains this")
    p.add_argument("--report", help="write what was seen there, as JSON")
    p.add_argument("--times", action="store_true")
    args = p.parse_args()
    results, judges = Results(args.report), [Deltalake()]
    if EXTENSION.exists():
        judges.append(DuckDB())
    else:
        print(f"SKIPPED: DuckDB's delta extension is not in {EXTENSION}")
    with tempfile.TemporaryDirectory() as folder:
        tarn = Tarn(folder)
        for n, case in enumerate(CASES):
            if args.only in case.name and not case.waits and texts(case.make, "tarn"):
                began = time.monotonic()
                Run(results, case, judges, tarn, pathlib.Path(folder) / f"table {n}").run()
                shutil.rmtree(pathlib.Path(folder) / f"table {n}", ignore_errors=True)
                if args.times:
                    print(f"{case.name}: {time.monotonic() - began:.1f} s")
    results.end()


if __name__ == "__main__":
    main()
