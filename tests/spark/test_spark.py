#!/usr/bin/env python3
"""tarn and Spark with Delta Lake on the same tables, each doing what the other began (see ../interop/delta_cases.py).

    tools/spark --run tests/spark/test_spark.py [--only TEXT] [--report FILE] [--keep]     (make test-spark ONLY=TEXT)
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "interop")]

from delta_cases import CASES, Fails, Nothing, text, texts  # noqa: E402
from delta_judges import Refused, Results, Rows, Tarn, version_of  # noqa: E402
from spark_engine import Spark  # noqa: E402


class Failed(Exception):
    """A check said no and what follows makes no sense."""


class Run:
    """One case, one way: the first engine makes the table, then the second and the first do a step each in turn."""

    def __init__(self, results, case, engines, path, label):
        self.results, self.case, self.engines, self.path, self.label = results, case, engines, path, label
        self.tarn, self.spark = engines

    def check(self, name, ok, what=""):
        if not self.results.check(f"{self.label}: {name}", ok, what):
            raise Failed

    def columns(self, engine):
        return self.case.columns if isinstance(self.case.columns, str) else self.case.columns[engine]

    def both_read(self, after, at=None):
        t = self.tarn.rows(self.path, self.columns("tarn"), at)
        s = self.spark.rows(self.path, self.columns("spark"), at)
        self.check(f"{after}: tarn reads what Spark reads", t == s, t.difference(s))
        return t

    def do(self, engine, step, n):
        for statement in texts(step, engine.name.lower()):
            try:
                engine.statement(statement, self.path)
            except Refused as e:
                self.check(f"step {n} by {engine.name}: {statement[:200]}", isinstance(step, Fails), e)
                return
        self.check(f"step {n} by {engine.name} is refused: {statement[:200]}", not isinstance(step, Fails))

    def kept(self):
        """Of each row by its key: what has to stay."""
        t = self.spark.query(f"SELECT {self.case.stays} FROM {{t}}", self.path)
        keys, values = t.column(0).to_pylist(), t.column(1).to_pylist()
        self.check("such values are there and differ", None not in values and len(set(values)) == len(values), values[:5])
        return dict(zip(keys, values))

    def run(self, first):
        """first: who makes the table. Returns the rows at the end."""
        self.do(first, self.case.make, 0)
        rows = self.both_read("made")
        kept = self.kept() if self.case.stays else {}
        turn = 1 - self.engines.index(first)
        for n, step in enumerate(self.case.steps, 1):
            engine = self.spark if self.case.waits else self.engines[turn]
            if texts(step, engine.name.lower()) is None:
                engine = self.engines[1 - turn]
            self.do(engine, step, n)
            what = f"step {n} by {engine.name} ({texts(step, engine.name.lower())[0][:60]})"
            old, rows = rows, self.both_read("after " + what)
            self.check(f"{what} changes nothing", not isinstance(step, Nothing) or old == rows, old.difference(rows))
            if self.case.stays:
                before, kept = kept, self.kept()
                moved = [(k, v, kept[k]) for k, v in before.items() if kept.get(k, v) != v]
                self.check(f"{self.case.stays} stays in {what}", not moved, moved[:5])
            turn = 1 - turn
        self.look()
        return rows

    def look(self):
        """What engines say about the table at its end."""
        problem = self.tarn.check(self.path)
        self.check("tarn table check", not problem, problem)
        history = self.spark.statement("DESCRIBE HISTORY {t}", self.path)
        self.check("Spark's history is whole", len(history) == version_of(self.path) + 1, len(history))
        self.spark.statement("DESCRIBE DETAIL {t}", self.path)
        if self.case.travels:
            for at in sorted({0, version_of(self.path) // 2, max(version_of(self.path) - 1, 0)}):
                self.both_read(f"version {at}", at)
        if self.case.probes:
            self.probe()
        if self.case.changes:
            self.changes()
        if self.case.then:
            self.case.then(self)

    def changes(self):
        """The change data feed of all versions, but for the time of the commits."""
        names = ", ".join(self.tarn.rows(self.path).names) + ", _change_type, _commit_version"
        query = f"SELECT {names} FROM table_changes_by_path('{{p}}', 0)"
        s = Rows(self.spark.query(query, self.path))
        if not self.case.waits:
            t = Rows(self.tarn.query(query, self.path))
            self.check("tarn sees the changes that Spark sees", t == s, t.difference(s))

    def probe(self):
        """Counts with conditions that statistics can rule files out by, and without: a statistic that is wrong loses rows."""
        filters = " UNION ALL ".join(f"SELECT {i} AS i, count(*) AS n FROM {{t}} WHERE {p}" for i, p in enumerate(self.case.probes))
        counted = ", ".join(f"CAST(count_if({p}) AS BIGINT) AS n{i}" for i, p in enumerate(self.case.probes))
        whole = Rows(self.spark.query(text(f"SELECT {counted} FROM {{t}}", "spark"), self.path))
        for engine in self.engines:
            got = engine.query(text(filters, engine.name.lower()), self.path).to_pylist()
            got = [r["n"] for r in sorted(got, key=lambda r: r["i"])]
            self.check(f"{engine.name} counts the same with and without data skipping", whole.bag == {tuple(got): 1}, (whole.bag, got))
        total = self.tarn.rows(self.path, "count(*) AS n")
        self.check("Spark's count from statistics", self.spark.rows(self.path, "count(*) AS n") == total)


def run_case(results, case, engines, folder):
    began = time.monotonic()
    ends = []
    ok = True
    for first, second in ((engines[0], engines[1]), (engines[1], engines[0])):
        if texts(case.make, first.name.lower()) is None or (case.waits and first.name == "tarn"):
            continue
        label = f"{case.name}, made by {first.name}"
        run = Run(results, case, engines, folder / f"{first.name.lower()} {len(os.listdir(folder))}", label)
        try:
            ends.append(run.run(first))
        except Failed:
            ok = False
        except Exception:
            ok = results.check(label, False, traceback.format_exc(limit=-3))
    if len(ends) == 2 and case.same_end:
        ok = results.check(f"{case.name}: both ways end with the same rows", ends[0] == ends[1], ends[0].difference(ends[1])) and ok
    for what in ("reads", "writes"):
        results.cell(case.name, "Spark", what, case.cannot.get("Spark", {}).get(what, "") if ok else "see the failed checks")
    print(f"{'ok  ' if ok else 'FAIL'} {case.name} in {time.monotonic() - began:.1f} s", flush=True)


def main():
    p = argparse.ArgumentParser(description="holds tarn's Delta tables against Spark")
    p.add_argument("--only", default="", help="only cases whose name contains this; or several such texts with | between them")
    p.add_argument("--report", help="write what was seen there, as JSON")
    p.add_argument("--keep", action="store_true", help="leave the tables and tell where they are")
    args = p.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tarn-spark-"))
    out = folder / "out"
    out.mkdir()
    began = time.monotonic()
    spark = Spark(out)
    print(f"{spark.versions}, started in {time.monotonic() - began:.1f} s", flush=True)
    results = Results(args.report)
    try:
        for case in CASES:
            if any(part in case.name for part in args.only.split("|")):
                tables = folder / f"{len(os.listdir(folder))}"
                tables.mkdir()
                run_case(results, case, (Tarn(out), spark), tables)
                if not args.keep:
                    shutil.rmtree(tables)
    finally:
        spark.stop()
        if args.keep:
            print(f"the tables are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    results.end()


if __name__ == "__main__":
    main()
