#!/usr/bin/env python3
"""All features in one table: random statements on tables that map columns, mark rows, feed changes, track rows, cluster or partition, generate, number,
widen and write v2 checkpoints at once, held against a plain DuckDB table that goes the same way.

    test_delta_together.py [--seed N] [--steps N] [--only NAME]

After each statement tarn's rows are the model's; now and then deltalake's query engine and DuckDB's extension read them, too, and the table is checked with all
its values. At the end every version that ever was is read again, and what the feed tells of each is what changed between the model's states.
"""
import argparse
import collections
import pathlib
import random
import shutil
import tempfile

import duckdb

from delta_judges import Refused, Results, Rows, Tarn, version_of
from test_delta_engines import Deltalake, DuckDB

COMMON = """'delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true', 'delta.enableRowTracking' = 'true',
 'delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '4', 'delta.enableInCommitTimestamps' = 'true', 'delta.constraints.small' = 'k < 1000000'"""
WIDE = COMMON + ", 'delta.enableTypeWidening' = 'true'"

SHAPES = {  # name: (columns before the rest, clause behind, properties, who else can read it)
    "clustered": ("", "CLUSTER BY (g, k)", COMMON, ("deltalake", "DuckDB")),
    "partitioned": ('"p é/%:=" VARCHAR, ', 'PARTITIONED BY ("p é/%:=")', COMMON, ("deltalake", "DuckDB")),
    "clustered, wider types": ("", "CLUSTER BY (g)", WIDE, ("DuckDB",)),
    "partitioned, wider types": ('"p é/%:=" VARCHAR, ', 'PARTITIONED BY ("p é/%:=")', WIDE, ("DuckDB",)),
}
PLACES = ["NULL", "'a/b'", "'%2F é'", "'x=y:z?#'", "' '"]
TEXTS = ["NULL", "''", "'é😀'", "'it''s'", "repeat('ab', 40)"]


class Together:
    def __init__(self, results, name, seed, folder):
        self.r, self.name, self.rng = results, name, random.Random(f"{name} {seed}")
        self.first, self.behind, self.properties, self.judges = SHAPES[name]
        self.path = folder / "t"
        self.tarn = Tarn(folder)
        self.model = duckdb.connect()
        self.states, self.count, self.next, self.said = {}, 0, 0, []
        self.extra = []  # columns that came: [name, type]
        self.width = "SMALLINT"

    # ---- statements ----

    def do(self, text, model=None):
        """A statement of tarn's, and of the model unless it keeps its rows."""
        self.said.append(text)
        self.tarn.statement(text, self.path)
        if model != "":
            self.model.execute((model or text).replace("{t}", "m"))
            self.model.execute("UPDATE m SET twice = g * 2")

    def row(self):
        r, g = self.rng, self.rng.randint(-50, 50)
        self.next += 1
        struct = r.choice(["NULL", f"{{'x': {g}, 'y': ['a', NULL]}}", "{'x': NULL, 'y': []}"])
        values = ([r.choice(PLACES)] if self.first else []) + [str(self.next), str(g), f"'m{self.next}'", r.choice(TEXTS), struct, str(r.randint(-100, 100))]
        return "(" + ", ".join(values) + ")"

    def names(self):
        return (['"p é/%:="'] if self.first else []) + ["k", "g", '"m é"', "s", "st", "w"]

    def source(self, rows, names=None):
        return f"(SELECT * FROM (VALUES {', '.join(rows)}) AS v({', '.join(names or self.names())}))"

    def insert(self):
        rows = [self.row() for _ in range(self.rng.randint(1, 12))]
        self.do(f"INSERT INTO {{t}} ({', '.join(self.names())}) SELECT * FROM {self.typed(rows)}")

    def typed(self, rows):
        casts = {"k": "BIGINT", "g": "INT", "st": "STRUCT(x INT, y VARCHAR[])", "w": self.width}
        columns = ", ".join(f"CAST({n} AS {casts.get(n, 'VARCHAR')}) AS {n}" for n in self.names())
        return f"(SELECT {columns} FROM (VALUES {', '.join(rows)}) AS v({', '.join(self.names())}))"

    def condition(self):
        return self.rng.choice(["k % 3 = 0", "g > 10", "s IS NULL", "st.x < 0", "w BETWEEN -20 AND 20", "k % 7 = 1 AND g < 0", "s = 'é😀'"] + (["\"p é/%:=\" = 'a/b'", '"p é/%:=" IS NULL'] if self.first else []))

    def update(self):
        what = self.rng.choice(["g = g + 1", "s = 'up'", "w = -w", "st = {'x': g, 'y': [s]}", "g = w, w = g % 100"] + (["\"p é/%:=\" = 'moved/%'"] if self.first else []))
        self.do(f"UPDATE {{t}} SET {what} WHERE {self.condition()}")

    def delete(self):
        self.do(f"DELETE FROM {{t}} WHERE {self.condition()} AND k % 2 = {self.rng.randint(0, 1)}")

    def keys(self, n):
        return [self.row().replace(f"{self.next},", f"{self.rng.randint(1, max(self.next - 1, 1))},", 1) for _ in range(n)]

    def merge(self):
        own = ", ".join(f"{n} = s.{n}" for n in self.names())
        columns, values = ", ".join(self.names()), ", ".join("s." + n for n in self.names())
        source = f"(SELECT DISTINCT ON (k) * FROM {self.typed([self.row() for _ in range(6)] + self.keys(6))} ORDER BY k, g, w, s, \"m é\")"
        self.do(f"""MERGE INTO {{t}} AS t USING {source} AS s ON t.k = s.k
 WHEN MATCHED AND s.g < -30 THEN DELETE WHEN MATCHED THEN UPDATE SET {own} WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})
 WHEN NOT MATCHED BY SOURCE AND t.g > 45 THEN DELETE WHEN NOT MATCHED BY SOURCE AND t.g = 0 THEN UPDATE SET s = 'alone'""")

    def merge_with_new_column(self):
        name = f"c{len(self.said)}"
        columns = self.names()
        source = f"(SELECT *, 7 AS {name} FROM (SELECT DISTINCT ON (k) * FROM {self.typed([self.row() for _ in range(3)] + self.keys(3))} ORDER BY k, g, w, s, \"m é\"))"
        self.said.append(f"schema evolution: {name}")
        self.tarn.statement(f"MERGE WITH SCHEMA EVOLUTION INTO {{t}} AS t USING {source} AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *", self.path)
        self.model.execute(f"ALTER TABLE m ADD COLUMN {name} INT")
        own = ", ".join(f"{n} = s.{n}" for n in columns + [name])
        self.model.execute(f"MERGE INTO m AS t USING {source} AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET {own} WHEN NOT MATCHED THEN INSERT ({', '.join(columns + [name])}) VALUES ({', '.join('s.' + n for n in columns + [name])})")
        self.model.execute("UPDATE m SET twice = g * 2")
        self.extra.append([name, "INT"])

    def add_column(self):
        name = f'"n {len(self.said)}"'
        self.do(f"ALTER TABLE {{t}} ADD COLUMN {name} VARCHAR")
        self.extra.append([name, "VARCHAR"])

    def drop_column(self):
        if self.extra:
            name, _ = self.extra.pop(self.rng.randrange(len(self.extra)))
            self.do(f"ALTER TABLE {{t}} DROP COLUMN {name}")

    def rename_column(self):
        if self.extra:
            column = self.rng.choice(self.extra)
            new = f'"r;{len(self.said)}"'
            self.do(f"ALTER TABLE {{t}} RENAME COLUMN {column[0]} TO {new}")
            column[0] = new

    def widen(self):
        wider = {"SMALLINT": "INT", "INT": "BIGINT"}.get(self.width)
        if wider and self.properties == WIDE:
            self.do(f"ALTER TABLE {{t}} ALTER COLUMN w TYPE {wider}")
            self.width = wider

    def keep(self):
        what = self.rng.choice(["OPTIMIZE {t}", "REORG TABLE {t} APPLY (PURGE)", "!table checkpoint {p}", "!table compact-log {p}", "VACUUM {t}"] + (["OPTIMIZE {t} FULL"] if "clustered" in self.name else ["OPTIMIZE {t} ZORDER BY (k)"]))
        self.do(what, model="")

    def restore(self):
        version = self.rng.choice(list(self.states))
        self.do(f"RESTORE TABLE {{t}} TO VERSION AS OF {version}", model="")
        kept, extra, width = self.states[version][1:4]
        self.model.register("kept", kept)
        self.model.execute("CREATE OR REPLACE TABLE m AS FROM kept")
        self.model.unregister("kept")
        self.extra, self.width = [list(e) for e in extra], width

    # ---- what is seen ----

    def columns(self):
        return self.names() + [e[0] for e in self.extra] + ["twice"]

    def seen(self):
        return Rows(self.model.execute(f"SELECT {', '.join(self.columns())} FROM m").to_arrow_table())

    def version(self):
        return version_of(self.path)

    def fail(self, what, detail):
        self.r.check(f"{self.name}: {what}", False, f"{detail}\n   after " + "\n   ".join(self.said[-6:]))

    def look(self, closely):
        want = self.seen()
        got = self.tarn.rows(self.path, ", ".join(self.columns()))
        if want != got:
            return self.fail("tarn", want.difference(got))
        kept = self.model.execute("SELECT * FROM m").to_arrow_table()
        self.states[self.version()] = (want, kept, [list(e) for e in self.extra], self.width, self.columns())
        if closely:
            for engine in (Deltalake(), DuckDB()):
                if engine.name in self.judges:
                    got = engine.rows(self.path, ", ".join(self.columns()))
                    self.r.check(f"{self.name}: {engine.name}", want == got, want.difference(got))
            found = self.tarn.check(self.path)
            self.r.check(f"{self.name}: table check", not found, found)

    def make(self):
        body = f"{self.first}k BIGINT, g INT, \"m é\" VARCHAR DEFAULT 'd', s VARCHAR, st STRUCT(x INT, y VARCHAR[]), w SMALLINT"
        self.tarn.statement(f"CREATE TABLE {{t}} ({body}, twice BIGINT GENERATED ALWAYS AS (g * 2), id BIGINT GENERATED BY DEFAULT AS IDENTITY) {self.behind} TBLPROPERTIES ({self.properties})", self.path)
        self.model.execute(f"CREATE TABLE m ({body}, twice BIGINT)")
        self.look(True)
        self.insert()
        self.look(True)

    def run(self, steps):
        self.make()
        weights = {self.insert: 4, self.update: 5, self.delete: 2, self.merge: 5, self.merge_with_new_column: 2, self.add_column: 1, self.drop_column: 1, self.rename_column: 1,
                   self.widen: 2, self.keep: 4, self.restore: 2}
        for i in range(steps):
            step, = self.rng.choices(list(weights), list(weights.values()))
            try:
                step()
            except Refused as e:
                return self.fail("refused", e)
            failed = self.r.failed
            self.look(i % 8 == 7 or i == steps - 1)
            if self.r.failed > failed:
                return None
        self.r.check(f"{self.name}: all statements", True)
        ids = self.tarn.query("SELECT count(*) = count(DISTINCT id) AS ok FROM {t}", self.path).to_pylist()
        self.r.check(f"{self.name}: numbers are unique", ids == [{"ok": True}], ids)
        return self.travel()

    def travel(self):
        """All versions as they were, also in a clone's source and after checkpoints; and what the feed says of each."""
        states = sorted(self.states.items())
        for version, (want, _, _, _, columns) in states:
            got = self.tarn.rows(self.path, ", ".join(columns), at=version)
            self.r.check(f"{self.name}: version {version}", want == got, want.difference(got))
        for (v0, s0), (v1, s1) in zip(states, states[1:]):
            if s0[4] == s1[4] and s0[3] == s1[3]:
                self.changes(v0, s0, v1, s1)
        for how in ("SHALLOW", "DEEP"):
            clone = self.path.with_name(how)
            version, (want, _, _, _, columns) = self.rng.choice(states)
            self.tarn.statement(f"CREATE TABLE delta.`{clone}` {how} CLONE {{t}} VERSION AS OF {version}".replace("`", '"'), self.path)
            got = self.tarn.rows(clone, ", ".join(columns))
            self.r.check(f"{self.name}: {how} clone of version {version}", want == got, want.difference(got))
            found = self.tarn.check(clone)
            self.r.check(f"{self.name}: check of the {how} clone", not found, found)

    def changes(self, v0, s0, v1, s1):
        columns = ", ".join(s0[4])
        table = self.tarn.query(f"SELECT {columns}, _change_type FROM table_changes_by_path('{self.path}', {v0 + 1}, {v1})", self.path)
        bag = collections.Counter()
        for row, n in Rows(table).bag.items():
            bag[row[:-1]] += n if row[-1] in ("insert", "update_postimage") else -n
        want = collections.Counter(s1[0].bag)
        want.subtract(s0[0].bag)
        bag, want = {k: n for k, n in bag.items() if n}, {k: n for k, n in want.items() if n}
        self.r.check(f"{self.name}: changes {v0} to {v1}", bag == want, (list(bag.items())[:3], list(want.items())[:3]))


def main():
    o = argparse.ArgumentParser()
    o.add_argument("--seed", default="1")
    o.add_argument("--steps", type=int, default=24)
    o.add_argument("--only", default="")
    o = o.parse_args()
    results = Results()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="together-"))
    try:
        for name in SHAPES:
            if o.only == name or not o.only:
                (folder / name).mkdir()
                Together(results, name, o.seed, folder / name).run(o.steps)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    results.end()


if __name__ == "__main__":
    main()
