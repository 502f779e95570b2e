#!/usr/bin/env python3
"""Processes that do everything to one table at the same time, some killed in the middle: append, merge, update, delete, optimize, vacuum, checkpoints.

Each worker owns a range of keys, so a model of its own says what its rows must be: after an acknowledged statement as after it, after a killed one
as before or after it. In the end the table is whole and its rows are the models'.

    test_delta_mixed_race.py [TARN [ROUNDS [SEED]]]     default $TARN_BUILD/tarn
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading

TARN = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARN_BUILD"] + "/tarn"
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
WORKERS, KEYS = 4, 1000
failures, passed = [], 0
lock = threading.Lock()


def check(name, ok, what=""):
    global passed
    with lock:
        passed += bool(ok)
        if not ok:
            failures.append(name)
            print(f"failed: {name}: {what}", flush=True)


class Worker(threading.Thread):
    def __init__(self, cwd, table, number, kills):
        super().__init__()
        self.cwd, self.table, self.number, self.kills = cwd, table, number, kills
        self.rnd = random.Random(SEED * 100 + number)
        self.rows = {}
        self.base = number * KEYS
        self.next = 0

    def tarn(self, *args, kill=None):
        p = subprocess.Popen([TARN, *args], cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = p.communicate(timeout=kill)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
        return p.returncode, out, err

    def seen(self):
        status, out, err = self.tarn("sql", "--format", "ndjson", f"SELECT k, v FROM {self.table} WHERE k >= {self.base} AND k < {self.base + KEYS}")
        if status != 0:
            raise RuntimeError(err)
        got = [json.loads(line) for line in out.splitlines()]
        rows = {r["k"]: r["v"] for r in got}
        check("no key is there twice", len(rows) == len(got), got)
        return rows

    def change(self):
        """(statement, rows after it)."""
        kind, after = self.rnd.choice(["append", "append", "merge", "merge", "update", "delete"]), dict(self.rows)
        mine = f"k >= {self.base} AND k < {self.base + KEYS}"
        if kind == "append":
            n = self.rnd.randint(1, 20)
            keys = range(self.base + self.next, self.base + self.next + n)
            self.next += n
            after.update({k: 0 for k in keys})
            return f"INSERT INTO {self.table} SELECT range, 0 FROM range({keys[0]}, {keys[-1] + 1})", after
        if kind == "merge":
            keys = sorted(self.rnd.sample(range(self.base, self.base + self.next + 10), 5))
            self.next += 10
            after.update({k: after[k] + 10 if k in after else 1 for k in keys})
            source = ", ".join(f"({k})" for k in keys)
            return (f"MERGE INTO {self.table} AS t USING (SELECT * FROM (VALUES {source}) AS s(k)) AS s ON t.k = s.k "
                    "WHEN MATCHED THEN UPDATE SET v = t.v + 10 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, 1)"), after
        m = self.rnd.randint(2, 6)
        if kind == "update":
            return f"UPDATE {self.table} SET v = v + 1 WHERE {mine} AND k % {m} = 0", {k: v + (k % m == 0) for k, v in after.items()}
        return f"DELETE FROM {self.table} WHERE {mine} AND k % {m} = 1", {k: v for k, v in after.items() if k % m != 1}

    def turn(self):
        if self.rnd.random() < 0.2:
            verb = self.rnd.choice(["optimize", "vacuum"])
            status, _, err = self.tarn("table", verb, self.cwd + "/t")
            check(f"{verb} is done or says who won", status == 0 or "another writer's" in err, err)
            return
        statement, after = self.change()
        kill = self.rnd.uniform(0.02, 0.4) if self.kills and self.rnd.random() < 0.4 else None
        status, _, err = self.tarn("sql", statement, kill=kill)
        if kill is not None and status != 0:
            now = self.seen()
            check("a killed statement is done or not", now in (self.rows, after), (statement, err))
            self.rows = now
        else:
            check("a statement is done", status == 0, (statement, err))
            self.rows = after if status == 0 else self.rows

    def run(self):
        try:
            for _ in range(ROUNDS):
                self.turn()
        except Exception as e:  # noqa: BLE001
            check("a worker comes to its end", False, repr(e))


def race(name, properties, kills):
    with tempfile.TemporaryDirectory() as cwd:
        table = f'delta."{cwd}/t"'
        made = subprocess.run([TARN, "sql", f"CREATE TABLE {table} TBLPROPERTIES ({properties}) AS SELECT -1 AS k, 0 AS v"], cwd=cwd, capture_output=True, text=True)
        check(f"{name}: made", made.returncode == 0, made.stderr)
        workers = [Worker(cwd, table, n, kills) for n in range(WORKERS)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        for w in workers:
            seen = w.seen()
            wrong = {k: (w.rows.get(k), seen.get(k)) for k in w.rows.keys() | seen.keys() if w.rows.get(k) != seen.get(k)}
            check(f"{name}: the rows of worker {w.number} are its model's", not wrong, wrong)
        done = subprocess.run([TARN, "table", "check", f"{cwd}/t", "--values"], cwd=cwd, capture_output=True, text=True)
        check(f"{name}: the table is whole", done.returncode == 0, done.stdout + done.stderr)
        log = pathlib.Path(cwd) / "t/_delta_log"
        left = [f.name for f in log.iterdir() if f.suffix not in (".json", ".crc", ".parquet") and f.name not in ("_last_checkpoint", "_sidecars")]
        check(f"{name}: no stray files in the log", kills or not left, left)


print(f"seed {SEED}")
race("vectors", "'delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '5', 'delta.checkpointPolicy' = 'v2'", False)
race("rewriting", "'delta.enableRowTracking' = 'true', 'delta.enableInCommitTimestamps' = 'true', 'delta.checkpointInterval' = '5'", False)
race("killed", "'delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '3'", True)
print(f"{passed} passed, {len(failures)} failed")
sys.exit(bool(failures))
