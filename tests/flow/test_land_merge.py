#!/usr/bin/env python3
"""tarn land --mode merge --key: new rows are added, changed rows updated, unchanged ones left; keys that are not unique are told.

    test_land_merge.py [TARN]     default $TARN_BUILD/tarn
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TARN = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARN_BUILD"] + "/tarn"
passed, failed = 0, 0


def check(name, ok, what=""):
    global passed, failed
    passed += bool(ok)
    failed += not ok
    if not ok:
        print(f"failed: {name}: {what}")


def main():
    with tempfile.TemporaryDirectory() as tmp:
        lake = pathlib.Path(tmp)

        def tarn(*args, status=0):
            r = subprocess.run([TARN, *args, "--lake", str(lake)], cwd=lake, capture_output=True, text=True, timeout=600)
            check(f"{args}: exit status {r.returncode}", r.returncode == status, r.stderr)
            return r.stdout + r.stderr

        def rows():
            return json.loads(tarn("sql", "--format", "json", "SELECT day, isin, price, _source_file AS f FROM raw.prices ORDER BY ALL"))

        def land(name, text, *more, status=0):
            (lake / name).write_text(text)
            return tarn("land", "raw.prices", name, "--mode", "merge", "--key", "day,isin", *more, status=status)

        out = land("a.csv", "day,isin,price\n2024-01-01,A,1.5\n2024-01-01,B,2.5\n2024-01-02,A,\n", "--property", "delta.enableDeletionVectors=true")
        check("the first load makes the table", "landed 3 rows" in out, out)
        out = land("b.csv", "day,isin,price\n2024-01-01,A,1.5\n2024-01-01,B,9.0\n2024-01-02,A,3.0\n2024-01-02,C,4.0\n")
        check("one new, two changed", "added 1 row, updated 2" in out and "version 1" in out, out)
        want = [("2024-01-01", "A", 1.5, "a.csv"), ("2024-01-01", "B", 9.0, "b.csv"), ("2024-01-02", "A", 3.0, "b.csv"), ("2024-01-02", "C", 4.0, "b.csv")]
        check("rows", [tuple(r.values()) for r in rows()] == want, rows())
        out = land("b.csv", (lake / "b.csv").read_text())
        check("the same file again changes nothing", "added 0 rows, updated 0" in out and "version 1" in out, out)
        out = land("c.csv", "day,isin,price\n2024-01-05,A,1\n2024-01-05,A,2\n2024-01-06,B,2\n", status=1)
        check("a key that is there twice is told", "2024-01-05, A" in out and "nothing was loaded" in out, out)
        out = land("d.csv", "day,isin,price\n2024-01-05,,1\n2024-01-06,B,2\n", status=1)
        check("a row without key is told", "no value in the key" in out, out)
        out = land("e.csv", "day,isin,price\n2024-01-05,A,x\n2024-01-06,B,2\n", status=1)
        check("a row that cannot be read is told", "nothing was loaded" in out and "e.csv" in out, out)
        out = land("f.csv", "day,isin,price,more\n2024-01-05,A,1,2\n", status=2)
        check("a column that the table lacks is told", "no column 'more'" in out, out)
        out = land("g.csv", "day,isin\n2024-01-01,A\n2024-01-09,A\n", "--once")
        check("columns that the file lacks stay", "added 1 row, updated 0" in out, out)
        out = land("g.csv", "day,isin\n2024-01-10,A\n", "--once")
        check("a file that was loaded is skipped", "nothing landed" in out, out)
        check("nothing else was changed", [tuple(r.values()) for r in rows()] == want + [("2024-01-09", "A", None, "g.csv")], rows())
        tarn("land", "raw.prices", "a.csv", "--mode", "merge", status=2)
        tarn("land", "raw.prices", "a.csv", "--key", "day", status=2)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
