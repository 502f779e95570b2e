#!/usr/bin/env python3
"""Processes that change one table at the same time: nothing acknowledged is lost or done twice, whoever loses runs again or says that it lost.

    test_delta_dml_race.py [TARN]     default $TARN_BUILD/tarn
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TARN = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARN_BUILD"] + "/tarn"
PROCESSES, ROUNDS, ROWS = 4, 5, 4000
failures, passed = [], 0


def sql(cwd, text):
    return subprocess.Popen([TARN, "sql", "--format", "ndjson", "-f", "-"], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), text


def finish(started):
    out = []
    for child, text in started:
        child.stdin.write(text)
        child.stdin.close()
    for child, text in started:
        stdout, stderr = child.stdout.read(), child.stderr.read()
        out.append((child.wait(timeout=600), stdout, stderr))
    return out


def check(name, ok, what=""):
    global passed
    passed += bool(ok)
    if not ok:
        failures.append(name)
        print(f"failed: {name}: {what}")


def one(cwd, text):
    (status, stdout, stderr), = finish([sql(cwd, text)])
    if status != 0:
        raise RuntimeError(stderr)
    return [json.loads(line) for line in stdout.splitlines()]


def run(vectors):
    with tempfile.TemporaryDirectory() as tmp:
        cwd = pathlib.Path(tmp)
        name = "vectors" if vectors else "rewriting"
        t = f'delta."{cwd}/t"'
        props = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')" if vectors else ""
        one(cwd, f"CREATE TABLE {t} {props} AS SELECT range AS id, 0 AS hits FROM range({ROWS})")
        # Different rows of the same file: each process deletes its own part and counts the others' rows up.
        done = [0] * PROCESSES
        for turn in range(ROUNDS):
            results = finish([sql(cwd, f"DELETE FROM {t} WHERE id % {PROCESSES} = {p} AND id // {PROCESSES} % 10 = {turn};\n"
                                       f"UPDATE {t} SET hits = hits + 1 WHERE id % 100 = 99") for p in range(PROCESSES)])
            for p, (status, _, stderr) in enumerate(results):
                lost = "CONFLICT" in stderr or "another writer" in stderr
                check(f"{name}: turn {turn} process {p} is done or says who won", status == 0 or lost, stderr)
                done[p] += stderr.count("updated ")
                if "deleted " not in stderr:
                    one(cwd, f"DELETE FROM {t} WHERE id % {PROCESSES} = {p} AND id // {PROCESSES} % 10 = {turn}")
        row = one(cwd, f"SELECT count(*) AS n, count(*) FILTER (id // {PROCESSES} % 10 < {ROUNDS}) AS wrong, count(DISTINCT id) AS ids, max(hits) AS hits, "
                       f"min(hits) FILTER (id % 100 = 99) AS least FROM {t}")[0]
        check(f"{name}: every acknowledged delete is there, and no row is twice", row["n"] == ROWS - ROWS // 10 * ROUNDS == row["ids"] and row["wrong"] == 0, row)
        check(f"{name}: every acknowledged update counts once", row["hits"] == sum(done) == row["least"], (row, done))
        # The same rows: one process deletes them, the others find none.
        results = finish([sql(cwd, f"DELETE FROM {t} WHERE id < 2000 AND id % 2 = 1") for _ in range(PROCESSES)])
        winners = sum("deleted " in stderr for status, _, stderr in results)
        check(f"{name}: one of those who delete the same rows has deleted them", winners == 1 and all(r[0] == 0 or "another writer" in r[2] for r in results), results)
        # Upserts of the same new keys: one inserts, the others update.
        merge = (f"MERGE INTO {t} AS t USING (SELECT range + 100000 AS id, 1 AS hits FROM range(50)) AS s ON t.id = s.id "
                 "WHEN MATCHED THEN UPDATE SET hits = t.hits + 1 WHEN NOT MATCHED THEN INSERT *")
        results = finish([sql(cwd, merge) for _ in range(PROCESSES)])
        merged = sum("merged " in stderr for _, _, stderr in results)
        row = one(cwd, f"SELECT count(*) AS n, min(hits) AS least, max(hits) AS hits FROM {t} WHERE id >= 100000")[0]
        check(f"{name}: upserts of the same keys", row["n"] == 50 and row["least"] == row["hits"] == merged, (row, merged, results))


for vectors in (True, False):
    run(vectors)
print(f"{passed} passed, {len(failures)} failed")
sys.exit(bool(failures))
