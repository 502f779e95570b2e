"""Shared by the tests that hold tarn's tables against other engines: rows of any engine in one form, the program, and the list of results.

Rows are compared as multisets of tuples of plain values (value() says how each type looks); the names of the columns are compared too. The engines'
own conversions are not trusted with types: what is compared comes as Arrow from all of them.
"""
import collections
import datetime
import decimal
import json
import math
import os
import pathlib
import subprocess
import sys

import pyarrow as pa

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))


class Refused(Exception):
    """An engine said no."""


def value(v, t):
    """One value in a form that is equal for equal values of all engines."""
    if v is None:
        return None
    if pa.types.is_struct(t):
        return tuple((f.name, value(v[f.name], f.type)) for f in t)
    if pa.types.is_map(t):
        return ("map", *sorted((value(k, t.key_type), value(x, t.item_type)) for k, x in v))
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_list_view(t):
        return tuple(value(x, t.value_type) for x in v)
    if isinstance(v, float):
        return "nan" if math.isnan(v) else v + 0.0
    if isinstance(v, datetime.datetime):
        return v.astimezone(datetime.timezone.utc).isoformat() if v.tzinfo else v.isoformat()
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, decimal.Decimal):
        return f"{v.normalize():f}" if v else "0"
    if isinstance(v, (bytes, bytearray, memoryview)):
        return "x'" + bytes(v).hex() + "'"
    return v


class Rows:
    """The rows of a table; equal when names and multisets of rows are."""

    def __init__(self, table):
        self.names = list(table.column_names)
        columns = [[value(v, f.type) for v in table.column(i).to_pylist()] for i, f in enumerate(table.schema)]
        self.count = table.num_rows
        self.bag = collections.Counter(zip(*columns)) if columns else collections.Counter()

    def __eq__(self, other):
        return self.names == other.names and self.bag == other.bag

    def difference(self, other):
        if self.names != other.names:
            return f"columns {self.names} and {other.names}"
        here, there = list((self.bag - other.bag).elements()), list((other.bag - self.bag).elements())
        return f"{self.count} and {other.count} rows; only here {len(here)}: {here[:2]}; only there {len(there)}: {there[:2]}"


def filled(text, path):
    """{t} and {s} are the table and the one beside it, {p} is the table's folder."""
    return text.replace("{t}", f"delta.`{path}`").replace("{s}", f"delta.`{path}-source`").replace("{p}", str(path))


class Tarn:
    """The program, as a user calls it; out: a folder for results."""

    name = "tarn"

    def __init__(self, out):
        self.out = pathlib.Path(out)
        self.env = {**os.environ, "TZ": "UTC"}

    def __call__(self, *args, stdin=None):
        r = subprocess.run([TARN, *map(str, args)], input=stdin, capture_output=True, text=True, timeout=300, cwd=self.out, env=self.env)
        if r.returncode != 0:
            raise Refused(r.stderr.strip() or r.stdout.strip())
        return r.stdout

    def append_once(self, text, path):
        """@app version SELECT..: through the Python package."""
        app, version, select = text[1:].split(" ", 2)
        program = ("import sys, tarn; _, path, app, version, rows = sys.argv\n"
                   "tarn.write_delta(path, rows, mode='append', commit_properties=tarn.CommitProperties(app_transactions=[tarn.Transaction(app, int(version))]))")
        r = subprocess.run([sys.executable, "-c", program, str(path), app, version, select], capture_output=True, text=True, timeout=300, env={**self.env, "PYTHONPATH": str(ROOT / "python")})
        if r.returncode != 0:
            raise Refused(r.stderr.strip())
        return r.stdout

    def statement(self, text, path):
        """SQL, or a command after '!' whose words may have spaces written as _, or a numbered write after '@'."""
        if text.startswith("@"):
            return self.append_once(text, path)
        if text.startswith("!"):
            return self(*(filled(word.replace("_", " ") if word.startswith("SELECT_") else word, path) for word in text[1:].split()))
        return self("sql", "-f", "-", stdin="SET TimeZone='UTC';\n" + filled(text, path))

    def query(self, text, path):
        target = self.out / "result.arrow"
        self("sql", "-o", target, filled(text, path))
        with pa.ipc.open_stream(str(target)) as r:
            return r.read_all()

    def rows(self, path, columns="*", at=None):
        return Rows(self.query(f"SELECT {columns} FROM {{t}}" + ("" if at is None else f" VERSION AS OF {at}"), path))

    def check(self, path):
        """What `tarn table check` finds wrong, or nothing."""
        try:
            self("table", "check", path, "--values")
        except Refused as e:
            return str(e)


def log_of(path):
    """(version, action) of all commits of a table in a folder, as they are."""
    for p in sorted((pathlib.Path(path) / "_delta_log").glob("*.json")):
        if p.stem.isdigit():
            for line in p.read_text().splitlines():
                if line.strip():
                    yield int(p.stem), json.loads(line)


def version_of(path):
    return max(int(p.stem) for p in (pathlib.Path(path) / "_delta_log").glob("*.json") if p.stem.isdigit())


class Results:
    """Counts cases and keeps, for each row of the manual's table and each engine, whether all of it worked and what was expected not to."""

    def __init__(self, report=None):
        self.passed = self.failed = 0
        self.cells = {}
        self.report = report

    def check(self, name, ok, what=""):
        self.passed += bool(ok)
        self.failed += not ok
        if not ok:
            print(f"failed: {name}: {str(what)[:1800]}", flush=True)
        return ok

    def cell(self, row, engine, what, note=""):
        """what: 'reads' or 'writes'; note: why not, empty when it does. The first note of a cell stays."""
        old = self.cells.setdefault(row, {}).setdefault(engine, {})
        old[what] = old.get(what) or note
        if self.report:
            pathlib.Path(self.report).write_text(json.dumps(self.cells, indent=1, ensure_ascii=False) + "\n")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
