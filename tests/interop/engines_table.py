#!/usr/bin/env python3
"""Prints the table of docs/manual/engines.md from what the judges saw, or puts it there.

    test_delta_engines.py --report engines.json;  make test-spark REPORT=spark.json;  engines_table.py [--write] engines.json spark.json

A case that no report has (its engine was not run) is shown as it stands in the page.
"""
import json
import pathlib
import sys

from delta_cases import CASES

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/manual/engines.md"
ENGINES = ["Spark", "deltalake", "DuckDB"]
HEAD = "| table or operation | " + " | ".join(ENGINES) + " |\n|---|" + "---|" * len(ENGINES) + "\n"


def cell(seen):
    """seen: {"reads": note, "writes": note}"""
    if seen.get("reads"):
        return "no: " + seen["reads"]
    return "reads; writes: " + seen["writes"] if seen.get("writes") else "reads, writes"


def old_rows():
    """The rows of the page as it is."""
    rows = {}
    for line in PAGE.read_text().splitlines():
        parts = [p.strip() for p in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(parts) == 1 + len(ENGINES):
            rows[parts[0]] = dict(zip(ENGINES, parts[1:]))
    return rows


def main():
    files = [a for a in sys.argv[1:] if a != "--write"]
    seen, old = {}, old_rows()
    for f in files:
        for row, cells in json.loads(pathlib.Path(f).read_text()).items():
            seen.setdefault(row, {}).update({engine: cell(what) for engine, what in cells.items()})
    table = HEAD
    for case in CASES:
        now = {**old.get(case.name, {}), **seen.get(case.name, {})}
        if now:
            table += f"| {case.name} | " + " | ".join(now.get(e, "-") for e in ENGINES) + " |\n"
    if "--write" not in sys.argv:
        print(table, end="")
        return
    text = PAGE.read_text()
    head = text.index(HEAD)
    end = text.index("\n\n", head) + 1
    PAGE.write_text(text[:head] + table + text[end:])


if __name__ == "__main__":
    main()
