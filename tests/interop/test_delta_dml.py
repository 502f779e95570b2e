#!/usr/bin/env python3
"""Random DELETE, UPDATE and MERGE statements: the same ones run on a Delta table by tarn and on a plain DuckDB table. After each few of them the
Delta table is read by tarn, DuckDB's delta extension and deltalake, and all must agree with the plain table.

    test_delta_dml.py [TARN [STATEMENTS [SEED]]]     TARN: default $TARN_BUILD/tarn
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

HERE = pathlib.Path(__file__).resolve().parent
TARN = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARN_BUILD"] + "/tarn"
STATEMENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
EXTENSION = HERE.parent.parent / "build/deps/extensions/v1.5.5/linux_amd64/delta.duckdb_extension"
passed, failed = 0, 0
COLUMNS = ["id", "g", "v", "d", "s", "t"]
BASE = """SELECT range AS id, (range * 7 % 5)::INTEGER AS g, CASE WHEN range % 4 > 0 THEN (range * 31 % 100)::INTEGER END AS v,
 (range * 1.25)::DECIMAL(12, 2) AS d, CASE WHEN range % 6 > 0 THEN 's' || range % 50 END AS s,
 TIMESTAMPTZ '2024-01-01 00:00:00.123456+00' + to_hours(range) AS t FROM range({0}, {1})"""


def check(name, ok, what=""):
    global passed, failed
    passed += bool(ok)
    failed += not ok
    if not ok:
        print(f"failed: {name}: {str(what)[:2500]}")
    return ok


def tarn(cwd, script):
    r = subprocess.run([TARN, "sql", "-f", "-"], input=script, cwd=cwd, capture_output=True, text=True, timeout=300)
    if r.returncode != 0:
        raise RuntimeError(f"{script[-1500:]}\n{r.stderr.strip()}")
    return r.stdout + r.stderr


def normal(con, sql):
    return sorted(tuple(str(v) for v in r) for r in con.execute(f"SELECT {', '.join(COLUMNS)} FROM ({sql})").fetchall())


def condition(r, alias=""):
    a = alias
    n = r.randrange(0, 1500)
    return r.choice([f"{a}id < {n // 4}", f"{a}id BETWEEN {n} AND {n + 80}", f"{a}v > {n % 100}", f"{a}v % 7 = {n % 7} OR {a}s IS NULL", f"{a}g = {n % 6}",
                     f"{a}s LIKE 's1%' AND NOT {a}v < 50", f"{a}g IN ({n % 5}, NULL)", f"{a}v IS NULL AND {a}id % 3 = 0", f"{a}d > {n}.5", f"{a}id = {n}", "NULL", "false",
                     f"{a}t < TIMESTAMPTZ '2024-01-{1 + n % 28:02} 00:00:00+00'", f"({a}id % 11 = {n % 11} -- comment ) WHEN\n)",
                     f"CASE WHEN {a}id % 2 = 0 THEN {a}v > 10 ELSE {a}v < 10 END", f"{a}s = 'it''s; (' OR {a}id % 97 = {n % 97}"])


def assignment(r, alias=""):
    a = alias
    return r.choice([("v", f"{a}v + 1"), ("v", "NULL"), ("v", f"CASE WHEN {a}g > 2 THEN {a}g ELSE {a}v END"), ("s", f"coalesce({a}s, 'none') || ','"), ("d", f"{a}d / 2"),
                     ("g", f"({a}g + 1) % 6"), ("g", "3"), ("t", f"{a}t + INTERVAL 1 DAY"), ("id", f"{a}id + 2000"), ("s", "concat('(', ')', ',')")])


def assignments(r, alias="", values=None):
    chosen = dict(values() if values else assignment(r, alias) for _ in range(r.randint(1, 3)))
    return ", ".join(f"{k} = {v}" for k, v in chosen.items())


def source(r, key_unique_rows):
    lo, n, step = r.randrange(0, 2000), r.randint(0, key_unique_rows), r.choice([1, 1, 3, 10])
    return f"""SELECT id, (id % 5)::INTEGER AS g, CASE WHEN id % 3 > 0 THEN (id % 100)::INTEGER END AS v, (id * 2)::DECIMAL(12, 2) AS d, 'm' || id AS s,
 TIMESTAMPTZ '2025-01-01 00:00:00+00' AS t FROM (SELECT {lo} + range * {step} AS id FROM range({n})) WHERE random() < 2"""


def merge(r):
    """(for tarn, for DuckDB): UPDATE SET * and INSERT * are written out for DuckDB, which takes them by place."""
    ours, theirs = [], []

    def clause(head, action, plain=None):
        ours.append(f"{head} THEN {action}")
        theirs.append(f"{head} THEN {plain or action}")

    def when(kind, alias, last):
        """Only the last clause of a kind may be without condition, says DuckDB."""
        return f"WHEN {kind}" + (f" AND {condition(r, alias)}" if not last or r.random() < 0.6 else "")

    def from_source():
        return r.choice([("v", "s.v"), ("s", "t.s || s.s"), ("d", "s.d + t.d"), ("v", "coalesce(t.v, 0) + s.id"), ("g", "s.g")])

    matched, missing, orphan = r.randint(0, 2), r.randint(0, 2), r.choice([0, 0, 1])
    matched = max(matched, 0 if missing or orphan else 1)
    for i in range(matched):
        head = when("MATCHED", r.choice(["s.", "t."]), i + 1 == matched)
        kind = r.random()
        if kind < 0.3:
            clause(head, "DELETE")
        elif kind < 0.6:
            clause(head, "UPDATE SET *", "UPDATE SET " + ", ".join(f"{c} = s.{c}" for c in COLUMNS))
        else:
            clause(head, "UPDATE SET " + assignments(r, values=from_source))
    for i in range(missing):
        head = when("NOT MATCHED", "s.", i + 1 == missing)
        if r.random() < 0.5:
            clause(head, "INSERT *", f"INSERT ({', '.join(COLUMNS)}) VALUES ({', '.join('s.' + c for c in COLUMNS)})")
        else:
            clause(head, "INSERT (id, s, g) VALUES (s.id, s.s || '+', s.g)")
    for _ in range(orphan):
        head = when("NOT MATCHED BY SOURCE", "t.", True)
        clause(head, r.choice(["DELETE", "UPDATE SET " + assignments(r, "t.")]))
    on = r.choice(["t.id = s.id", "s.id = t.id AND t.g = s.g", "t.id = s.id AND t.g >= 1"])
    text = f"MERGE INTO {{t}} AS t USING ({source(r, 400)}) AS s ON {on}\n"
    return text + "\n".join(ours), text + "\n".join(theirs)


def statement(r):
    kind = r.random()
    if kind < 0.3:
        text = f"DELETE FROM {{t}} WHERE {condition(r)}"
    elif kind < 0.6:
        text = f"UPDATE {{t}} SET {assignments(r)}" + (f" WHERE {condition(r)}" if r.random() < 0.9 else "")
    elif kind < 0.65:
        text = f"INSERT INTO {{t}} {BASE.format(*sorted(r.sample(range(3000), 2)))}"
    elif kind < 0.72:
        return replacement(r)
    else:
        return merge(r)
    return text, text


def replacement(r):
    """A part of the table is overwritten, by predicate or by the partitions of the new rows."""
    lo = r.randrange(0, 2500)
    where = r.choice([f"id BETWEEN {lo} AND {lo + 60}", f"g = {lo % 6} AND id >= 0", f"g = {lo % 6}", f"id < {lo % 90} OR (g = 3 AND v > 50)"])
    rows = f"SELECT * FROM ({BASE.format(lo, lo + 50)}) WHERE {where}"
    return f"INSERT INTO {{t}} REPLACE WHERE {where} {rows}", f"CREATE OR REPLACE TEMP TABLE fresh AS {rows}; DELETE FROM {{t}} WHERE {where}; INSERT INTO {{t}} FROM fresh"


def compare(name, cwd, place, con):
    want = normal(con, "FROM plain")
    out = cwd / "out.parquet"
    out.unlink(missing_ok=True)
    subprocess.run([TARN, "sql", "-o", str(out), f"SELECT {', '.join(COLUMNS)} FROM delta.\"{place}\""], cwd=cwd, check=True, capture_output=True, timeout=300)
    ok = check(f"{name}: tarn", normal(con, f"FROM '{out}'") == want)
    if EXTENSION.exists():
        got = normal(con, f"FROM delta_scan('{place}')")
        ok &= check(f"{name}: DuckDB's delta extension", got == want, (len(got), len(want)))
    t = DeltaTable(str(place))
    con.register("got", pa.table(QueryBuilder().register("t", t).execute("select * from t").read_all()))
    ok &= check(f"{name}: deltalake", normal(con, "FROM got") == want)
    return ok


class Feed:
    """What the plain table was at each version, to lay the change data feed on."""

    def __init__(self, place, con, on):
        self.place, self.con, self.on, self.version = place, con, on, -1

    def note(self):
        version = DeltaTable(str(self.place)).version() if self.on else -1
        if self.on and version != self.version:
            self.con.execute(f"CREATE OR REPLACE TABLE plain_{version} AS FROM plain")
            self.version = version

    def judge(self, name, cwd):
        if not self.on:
            return
        out = cwd / "feed.parquet"
        subprocess.run([TARN, "sql", "-o", str(out), f"SELECT * FROM table_changes_by_path('{self.place}', 0)"], cwd=cwd, check=True, capture_output=True, timeout=300)
        named = ", ".join(COLUMNS)
        unfit = [-1]  # deltalake 1.6 takes the rows that the vector of a removed file marks for the removed ones
        for v in range(self.version + 1):
            log = (self.place / f"_delta_log/{v:020}.json").read_text()
            unfit += [v] if '"cdc"' not in log and any('"remove"' in line and "deletionVector" in line for line in log.splitlines()) else []
        fit = f"WHERE _commit_version NOT IN ({str(unfit)[1:-1]})"
        self.con.register("theirs", pa.table(DeltaTable(str(self.place)).load_cdf(0).read_all()))
        ours, theirs = (f"SELECT {named}, _change_type, _commit_version FROM {src} {fit}" for src in (f"'{out}'", "theirs"))
        apart = [self.con.execute(f"SELECT count(*) FROM ({a} EXCEPT ALL {b})").fetchone()[0] for a, b in ((ours, theirs), (theirs, ours))]
        check(f"{name}: feed by deltalake", apart == [0, 0], apart)
        for v in range(1, self.version + 1):
            part = f"SELECT {named} FROM '{out}' WHERE _commit_version = {v} AND _change_type"
            laid = f"(SELECT {named} FROM plain_{v - 1} UNION ALL {part} IN ('insert', 'update_postimage')) EXCEPT ALL {part} IN ('delete', 'update_preimage')"
            there = f"SELECT {named} FROM plain_{v}"
            wrong = [self.con.execute(f"SELECT count(*) FROM (({a}) EXCEPT ALL ({b}))").fetchone()[0] for a, b in ((laid, there), (there, laid))]
            check(f"{name}: feed of version {v}", wrong == [0, 0], wrong)


def run(name, clauses, seed, feed_on=False):
    r = random.Random(seed)
    with tempfile.TemporaryDirectory() as tmp:
        cwd = pathlib.Path(tmp)
        place = cwd / "table"
        con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        con.execute("SET TimeZone='UTC'")
        if EXTENSION.exists():
            con.execute(f"LOAD '{EXTENSION}'")
        target = f'delta."{place}"'
        con.execute("CREATE TABLE plain AS " + BASE.format(0, 800))
        tarn(cwd, f"CREATE TABLE {target} {clauses} AS {BASE.format(0, 800)}")
        feed = Feed(place, con, feed_on)
        feed.note()
        for lo in (800, 1100):
            con.execute("INSERT INTO plain " + BASE.format(lo, lo + 300))
            tarn(cwd, f"INSERT INTO {target} {BASE.format(lo, lo + 300)}")
            feed.note()
        done = []
        for i in range(STATEMENTS):
            ours, theirs = statement(r)
            done.append(ours)
            con.execute(theirs.format(t="plain"))
            try:
                tarn(cwd, "SET TimeZone='UTC';\n" + ours.format(t=target))
            except (RuntimeError, subprocess.TimeoutExpired) as e:
                check(f"{name}: seed {seed} statement {i}", False, e)
                return
            feed.note()
            if (i % 4 == 3 or i + 1 == STATEMENTS) and not compare(f"{name}: seed {seed} up to statement {i}", cwd, place, con):
                print("\n;\n".join(done[-4:]))
                return
        feed.judge(f"{name}: seed {seed}", cwd)
        vectors = pa.table(DeltaTable(str(place)).get_add_actions(flatten=True))
        print(f"{name}: {STATEMENTS} statements, version {DeltaTable(str(place)).version()}, {vectors.num_rows} files, {len(list(place.glob('deletion_vector_*')))} vector files")


def main():
    dv = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
    run("vectors", dv, SEED)
    run("rewriting", "", SEED + 1)
    run("vectors, partitioned", f"PARTITIONED BY (g) {dv}", SEED + 2)
    run("rewriting, partitioned", "PARTITIONED BY (g)", SEED + 3)
    on = "'delta.enableChangeDataFeed' = 'true'"
    run("vectors, feed", f"PARTITIONED BY (g) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', {on})", SEED + 4, True)
    run("rewriting, feed", f"TBLPROPERTIES ({on})", SEED + 5, True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
