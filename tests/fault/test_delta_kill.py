#!/usr/bin/env python3
"""kill -9 at random moments of a write: the table is before or after, and what was acknowledged is there.

    test_delta_kill.py [DRIVER [ROUNDS [SEED]]]     DRIVER: default $TARN_BUILD/delta_driver
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import duckdb

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARN_BUILD"] + "/delta_driver"
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)


def total(path):
    r = subprocess.run([PROGRAM, "sql", path], capture_output=True, text=True, timeout=600)
    assert r.returncode == 0, f"the table cannot be read: {r.stderr}"
    return duckdb.sql(f"SELECT count(*), coalesce(sum(id), 0)::BIGINT FROM ({r.stdout})").fetchone()


def main():
    rnd = random.Random(SEED)
    killed = finished = 0
    with tempfile.TemporaryDirectory() as tmp:
        path = str(pathlib.Path(tmp) / "t")
        subprocess.run([PROGRAM, "write", path, "create", "SELECT range AS id FROM range(10)"], check=True, capture_output=True)
        state = total(path)
        longest = 0.0
        for i in range(ROUNDS):
            overwrite = rnd.random() < 0.3
            n = rnd.choice([1, 1000, 300000])
            sql = f"SELECT range + {i} AS id FROM range({n})"
            added = (n, n * (n - 1) // 2 + n * i)
            after = added if overwrite else (state[0] + added[0], state[1] + added[1])
            p = subprocess.Popen([PROGRAM, "write", path, "overwrite" if overwrite else "append", sql], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            begin = time.monotonic()
            try:
                p.wait(timeout=rnd.uniform(0, max(longest, 0.05)))
            except subprocess.TimeoutExpired:
                p.kill()
            code = p.wait()
            said = p.stdout.read()
            p.stdout.close()
            longest = max(longest, time.monotonic() - begin) if code == 0 else longest + 0.01
            seen = total(path)
            assert seen in (state, after), f"seed {SEED} round {i}: {seen} is neither {state} nor {after}"
            assert not said or seen == after, f"seed {SEED} round {i}: acknowledged ({said}) and not there"
            killed += code != 0
            finished += code == 0
            state = seen
    print(f"seed {SEED}: {killed} killed, {finished} finished, never between")
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
