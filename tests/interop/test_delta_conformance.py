#!/usr/bin/env python3
"""Reads tables that other engines wrote and compares their rows with the published ones, as multisets.

    test_delta_conformance.py [DRIVER [SET[/NAME] ...]]     DRIVER: the built delta_driver, default $TARN_BUILD/delta_driver

The archives lie in $TARN_SHARED/conformance/delta (default: ../shared next to the checkout); when they are not there, the
test says so and ends well. Prints `SET: N of M` for each set and a reason for each miss; known misses count as skipped.
"""
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from delta_feeds import FEEDS

HERE = pathlib.Path(__file__).resolve().parent
# Misses that are not ours to mend, each with its evidence.
KNOWN = {
    "golden/data-reader-partition-values": "the log has the partition timestamp '2021-09-08 11:11:11' with no zone; the expected "
    "instant is that time in the writer's zone (America/Los_Angeles), which the table does not record. We read it as UTC.",
}
SHARED = pathlib.Path(os.environ.get("TARN_SHARED", HERE.parent.parent.parent / "shared"))


def driver(program, *args, zone="UTC"):
    env = dict(os.environ, TARN_SQL_BEFORE=f"SET TimeZone='{zone}'", TZ="UTC")
    r = subprocess.run([program, *map(str, args)], env=env, capture_output=True, text=True, timeout=300)
    return r.returncode, r.stdout.strip(), r.stderr.strip()


def ident(name):
    return '"' + name.replace('"', '""') + '"'


def normal(expr, kind, other):
    """Both sides in one spelling: instants as microseconds, variants as JSON text, the rest as text of the wider type."""
    k, o = kind.upper(), other.upper()
    if "VARIANT" in k or "VARIANT" in o:  # the expected file holds Spark's to_json, which leaves fields without value out
        return f"replace({expr}::JSON::VARCHAR, '\"v\":null', '')"
    if k.startswith("TIMESTAMP"):
        return f"epoch_us({expr})"
    if "TIMESTAMP" in k:  # nested: INT96 reads without a zone, int64 with one
        return f"replace({expr}::VARCHAR, '+00', '')"
    if {k, o} & {"DOUBLE", "FLOAT"}:
        return f"{expr}::DOUBLE::VARCHAR"
    return f"{expr}::VARCHAR"


def columns(con, src):
    return {r[0]: r[1] for r in con.execute(f"DESCRIBE SELECT * FROM {src}").fetchall()}


def compare(sql, want):
    """The scan's SQL is run here, by a DuckDB that knows nothing of tarn."""
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'")
    con.execute(f"CREATE TEMP TABLE got AS {sql}")
    w = f"read_parquet({want!r}, union_by_name=true)"
    gc, wc = columns(con, "got"), columns(con, w)
    lower = {c.lower(): c for c in gc}
    missing = [c for c in wc if c.lower() not in lower]
    extra = [c for c in gc if c.lower() not in {x.lower() for x in wc}]
    if missing or extra:
        return f"columns differ: missing {missing}, extra {extra}"
    gs = ", ".join(normal(ident(lower[c.lower()]), gc[lower[c.lower()]], wc[c]) for c in wc)
    ws = ", ".join(normal(ident(c), wc[c], gc[lower[c.lower()]]) for c in wc)
    n, m = (con.execute(f"SELECT count(*) FROM {x}").fetchone()[0] for x in ("got", w))
    a = con.execute(f"SELECT * FROM (SELECT {gs} FROM got EXCEPT ALL SELECT {ws} FROM {w}) LIMIT 2").fetchall()
    b = con.execute(f"SELECT * FROM (SELECT {ws} FROM {w} EXCEPT ALL SELECT {gs} FROM got) LIMIT 2").fetchall()
    if n != m or a or b:
        return f"{n} rows, expected {m}; only here {str(a)[:500]}; only there {str(b)[:500]}"
    return None


def instants(sql, zone):
    """All instants of the table, as microseconds, read by a session of that zone."""
    con = duckdb.connect()
    con.execute(f"SET TimeZone='{zone}'")
    names = [r[0] for r in con.execute(f"DESCRIBE {sql}").fetchall() if r[1] == "TIMESTAMP WITH TIME ZONE"]
    picked = ", ".join(f"epoch_us({ident(n)})" for n in names)
    return con.execute(f"SELECT {picked} FROM ({sql}) ORDER BY ALL").fetchall() if names else []


def zones_agree(program, table, sql):
    """INT96 and int64 instants must not depend on the zone of the session that reads them."""
    there = "America/New_York"
    rc, other, err = driver(program, "sql", table / "delta", zone=there)
    if rc != 0:
        return f"read in another zone failed: {err[:300]}"
    return None if instants(sql, "UTC") == instants(other, there) else "instants differ in another time zone"


def judge(program, table):
    spec = json.loads((table / "expected.json").read_text())
    if spec.get("log_only"):
        rc, _, err = driver(program, "state", table / "delta")
        return None if rc == 0 else f"replay failed: {err[:300]}"
    rc, said, err = driver(program, "state", table / "delta")
    sql = ""
    if rc == 0:
        rc, sql, err = driver(program, "sql", table / "delta")
    if spec.get("must_fail"):
        if rc == 0:
            return f"it was read ({said}), but must be refused"
        return None if rc == 1 and ":" in err else f"refused without a reason: {err[:200]}"
    if rc != 0:
        return f"read failed ({rc}): {err[:400]}"
    if "latest_version" in spec and not said.startswith(f"version {spec['latest_version']} "):
        return f"{said}, expected version {spec['latest_version']}"
    want = table / spec["expected"]
    want = sorted(str(p) for p in want.rglob("*.parquet")) if want.is_dir() else str(want)
    return compare(sql, want) or zones_agree(program, table, sql)


def feed_rows(con, src):
    names = [r[0] for r in con.execute(f"DESCRIBE {src}").fetchall() if r[0] not in ("_change_type", "_commit_version", "_commit_timestamp")]
    picked = ", ".join(ident(n) for n in sorted(names))
    rows = con.execute(f"SELECT _change_type, _commit_version, {picked} FROM ({src})").fetchall()
    return names, sorted(tuple("" if v is None else str(v) for v in r) for r in rows)


def judge_feed(program, table, first, last, want):
    """The change data feed of a table against published rows, or what deltalake makes of it."""
    rc, sql, err = driver(program, "changes", table / "delta", first, *([] if last is None else [last]))
    if isinstance(want, str):
        return None if rc == 1 and want in err else f"must be refused ({want}): {rc} {err[:300]}"
    if rc != 0:
        return f"changes failed: {err[:300]}"
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'")
    names, got = feed_rows(con, sql)
    if want is None:
        con.register("theirs", pa.table(DeltaTable(str(table / "delta")).load_cdf(first).read_all()))
        _, there = feed_rows(con, "FROM theirs")
    else:
        order = sorted(range(len(names)), key=lambda i: names[i])
        listed = [(change, version, r if isinstance(r, tuple) else (r,)) for (change, version), rows in want.items() for r in rows]
        there = sorted((change, str(version), *(str(r[i]) for i in order)) for change, version, r in listed)
    return None if got == there else f"changes differ: {len(got)} here, {len(there)} there: {[r for r in got if r not in there][:3]} {[r for r in there if r not in got][:3]}"


def judge_replay(program, table, first):
    """Each version's changes, laid on the version before it, give that version."""
    con = duckdb.connect()
    latest = int(driver(program, "state", table / "delta")[1].split()[1])
    for v in range(first, latest + 1):
        (rc, feed, err), (_, before, _), (_, after, _) = (driver(program, *a) for a in (("changes", table / "delta", v, v), ("sql", table / "delta", v - 1), ("sql", table / "delta", v)))
        if rc != 0:
            return f"changes of {v} failed: {err[:300]}"
        rows = f"SELECT * EXCLUDE (_change_type, _commit_version, _commit_timestamp) FROM ({feed}) WHERE _change_type"
        laid = f"(SELECT * FROM ({before}) UNION ALL {rows} IN ('insert', 'update_postimage')) EXCEPT ALL {rows} IN ('delete', 'update_preimage')"
        if con.execute(f"({laid}) EXCEPT ALL ({after})").fetchall() or con.execute(f"({after}) EXCEPT ALL ({laid})").fetchall():
            return f"the changes of version {v} do not give it"
    return None


def judge_feeds(program, tmp, name):
    """(good, misses) of a set's change data feeds."""
    good = missed = 0
    for place, first, last, want in FEEDS:
        if not place.startswith(name + "/"):
            continue
        try:
            judged = pathlib.Path(tmp, place)
            why = judge_replay(program, judged, first) if want is ... else judge_feed(program, judged, first, last, want)
        except Exception as e:
            why = f"{type(e).__name__}: {str(e)[:300]}"
        good += why is None
        missed += why is not None
        if why is not None:
            print(f"miss changes of {place} {first}..{last}: {why}")
    if good + missed > 0:
        print(f"{name}: {good} of {good + missed} change data feeds")
    return good, missed


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARN_BUILD"] + "/delta_driver"
    wanted = sys.argv[2:]
    archives = sorted((SHARED / "conformance" / "delta").glob("*.tar.gz"))
    if not archives:
        print(f"no conformance tables in {SHARED}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    passed = missed = skipped = 0
    with tempfile.TemporaryDirectory() as tmp:
        for archive in archives:
            name = archive.name.removesuffix(".tar.gz")
            if wanted and not any(w.split("/")[0] == name for w in wanted):
                continue
            with tarfile.open(archive) as tar:
                tar.extractall(tmp)
            tables = sorted(p for p in pathlib.Path(tmp, name).iterdir() if p.is_dir())
            if wanted and name not in wanted:
                tables = [t for t in tables if f"{name}/{t.name}" in wanted]
            good = 0
            for table in tables:
                try:
                    why = judge(program, table)
                except Exception as e:  # a broken comparison is a miss too, with its reason
                    why = f"{type(e).__name__}: {str(e)[:300]}"
                good += why is None
                known = KNOWN.get(f"{name}/{table.name}")
                missed += why is not None and known is None
                skipped += why is not None and known is not None
                if why is not None:
                    print(f"miss {name}/{table.name}: {known or why}")
            if not wanted or name in wanted:
                told, wrong = judge_feeds(program, tmp, name)
                passed += told
                missed += wrong
            passed += good
            print(f"{name}: {good} of {len(tables)}")
    print(f"{passed} passed, {missed} failed, {skipped} skipped")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
