#!/usr/bin/env python3
"""tarn table check and repair against tables damaged by hand: one case a kind of damage, each on a copy of one good table."""
import json, pathlib, shutil, tempfile

from lake_flow import case, equal, has, main

MADE = tempfile.TemporaryDirectory(prefix="good-")  # the table that each case damages a copy of


def good(lake):
    """A folder with a table of version 3: two files in two partitions, one with a deletion vector, statistics of nested fields, row ids, checksum files."""
    to, place = lake.dir / "t", pathlib.Path(MADE.name) / "t"
    if not place.exists():
        t = f'delta."{place}"'
        lake.run("sql", f"""CREATE TABLE {t} PARTITIONED BY (p) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.enableRowTracking' = 'true') AS
            SELECT range AS id, CASE WHEN range > 4 THEN range END AS v, {{'a': range, 'b': 'x' || range}} AS st, 1 AS p FROM range(40);
            INSERT INTO {t} SELECT 100 + range, NULL, {{'a': range, 'b': 'y'}}, 2 FROM range(30); DELETE FROM {t} WHERE id = 7; DELETE FROM {t} WHERE id = 9""")
    shutil.copytree(place, to)
    return to


def log_file(folder, version):
    return folder / f"_delta_log/{version:020d}.json"


def change(folder, version, edit):
    """edit: of each action of a commit, {name: body}; a list of actions takes its place."""
    path, lines = log_file(folder, version), []
    for line in path.read_text().splitlines():
        action = json.loads(line)
        lines += [json.dumps(a) for a in edit(action) or [action]]
    path.write_text("\n".join(lines) + "\n")


def statistics(version, edit):
    """edit: of the statistics of the files that a version adds."""
    def of(action):
        if "add" in action:
            s = json.loads(action["add"]["stats"])
            action["add"]["stats"] = json.dumps(edit(s) or s)
    return lambda folder: change(folder, version, of)


def added(version, edit):
    return lambda folder: change(folder, version, lambda action: edit(action["add"]) if "add" in action else None)


def data_file(folder, p):
    [path] = (folder / f"p={p}").glob("*.parquet")
    return path


def vector_file(folder):
    return max(folder.glob("*.bin"), key=lambda p: p.stat().st_mtime)


def overwrite(path, at, new):
    """Bytes at a place (from the end when below 0); the size stays."""
    data = bytearray(path.read_bytes())
    at = at % len(data)
    data[at:at + len(new)] = new
    path.write_bytes(data)


def findings(lake, folder, *words):
    report = json.loads(lake.run("table", "check", folder, *words, "--output", "json", status=None))
    return sorted({(f["severity"], f["what"]) for f in report["findings"]}), report["findings"]


def tells(lake, damage, *expected, words=("--values",)):
    """expected: "what" of errors, "~what" of warnings: these, and no others."""
    folder = good(lake)
    equal(findings(lake, folder, "--values")[0], [])
    damage(folder)
    want = sorted(("warning", e[1:]) if e[0] == "~" else ("error", e) for e in expected)
    got, all_of_them = findings(lake, folder, *words)
    assert got == want, f"\n   got: {all_of_them}\n  want: {want}"
    lake.run("table", "check", folder, *words, status=1 if any(s == "error" for s, _ in want) else 0)
    return all_of_them


DAMAGE = {
    "a file is missing": (lambda f: data_file(f, 2).unlink(), "missing file"),
    "a file is cut": (lambda f: data_file(f, 2).write_bytes(data_file(f, 2).read_bytes()[:-20]), "size", "unreadable file"),
    "a file's footer is damaged": (lambda f: overwrite(data_file(f, 2), -30, b"\xff" * 20), "unreadable file"),
    "a file's page is damaged": (lambda f: overwrite(data_file(f, 2), 4, b"\xff" * 60), "unreadable file"),
    "a vector is missing": (lambda f: vector_file(f).unlink(), "deletion vector"),
    "a vector is cut": (lambda f: vector_file(f).write_bytes(vector_file(f).read_bytes()[:-6]), "deletion vector"),
    "a vector's checksum is wrong": (lambda f: overwrite(vector_file(f), -1, b"\x01\x02"[:1] if vector_file(f).read_bytes()[-1] != 1 else b"\x02"), "deletion vector"),
    "a vector's rows are others": (lambda f: overwrite(vector_file(f), -6, b"\x20"), "deletion vector"),
    "a vector marks more rows": (added(3, lambda a: a["deletionVector"].update(cardinality=3)), "deletion vector", "checksum file"),
    "fewer rows by the log": (statistics(1, lambda s: s.update(numRecords=29)), "row count"),
    "no row count": (statistics(1, lambda s: s.pop("numRecords") and None), "~no statistics"),
    "statistics that are no JSON": (added(1, lambda a: a.update(stats="{")), "statistics", "~no statistics"),
    "a minimum too high": (statistics(1, lambda s: s["minValues"].update(id=101)), "statistics"),
    "a maximum too low": (statistics(1, lambda s: s["maxValues"].update(id=128)), "statistics"),
    "a nested maximum too low": (statistics(1, lambda s: s["maxValues"]["st"].update(a=28)), "statistics"),
    "a nested minimum too high": (statistics(1, lambda s: s["minValues"]["st"].update(b="z")), "statistics"),
    "NULLs denied": (statistics(1, lambda s: s["nullCount"].update(v=0)), "statistics"),
    "NULLs everywhere": (statistics(1, lambda s: s["nullCount"].update(id=30)), "statistics"),
    "nested NULLs everywhere": (statistics(1, lambda s: s["nullCount"]["st"].update(a=30)), "statistics"),
    "no partition value": (added(1, lambda a: a["partitionValues"].clear()), "partition value"),
    "a size that is another": (added(1, lambda a: a.update(size=a["size"] + 1)), "size", "checksum file"),
    "a file added twice": (lambda f: change(f, 1, lambda a: [a, a] if "add" in a else None), "added twice"),
    "a path that is another": (added(1, lambda a: a.update(path="p=2/%zz.parquet")), "missing file"),
    "a path that no file can have": (added(1, lambda a: a.update(path="p=2/%00.parquet")), "missing file"),
    "an add without a path": (added(1, lambda a: a.pop("path") and None), "unreadable table", "unreadable commit"),
    "row ids that overlap": (added(1, lambda a: a.update(baseRowId=20)), "row ids"),
    "row ids above the mark": (added(1, lambda a: a.update(baseRowId=1000)), "row ids"),
    "a file without row ids": (added(1, lambda a: a.pop("baseRowId") and None), "row ids"),
    "a commit that is no JSON": (lambda f: log_file(f, 1).write_text('{"add":'), "unreadable commit", "unreadable table"),
    "a commit is missing": (lambda f: log_file(f, 1).unlink(), "gap in the log", "unreadable table"),
    "a checksum file with other sums": (lambda f: crc(f, lambda c: c.update(numFiles=3, tableSizeBytes=1)), "checksum file"),
    "a checksum file with another histogram": (lambda f: crc(f, lambda c: c["fileSizeHistogram"]["fileCounts"].reverse()), "checksum file"),
    "a checksum file of another table": (lambda f: crc(f, lambda c: c["metadata"].update(id="other")), "checksum file"),
    "a checksum file with another schema": (lambda f: crc(f, lambda c: c["metadata"].update(schemaString='{"type":"struct","fields":[]}')), "checksum file"),
    "a checksum file with another protocol": (lambda f: crc(f, lambda c: c["protocol"]["writerFeatures"].pop()), "checksum file"),
    "a checksum file that is no JSON": (lambda f: (f / f"_delta_log/{3:020d}.crc").write_text("x"), "~checksum file"),
}


def crc(folder, edit):
    path = folder / f"_delta_log/{3:020d}.crc"
    says = json.loads(path.read_text())
    edit(says)
    path.write_text(json.dumps(says))


def each_kind(lake, part, parts):
    for i, (name, (damage, *expected)) in enumerate(DAMAGE.items()):
        if i % parts == part:
            shutil.rmtree(lake.dir / "t", ignore_errors=True)
            try:
                tells(lake, damage, *expected)
            except Exception as e:
                raise AssertionError(f"{name}: {e}") from None


for part in range(6):
    def one(lake, part=part):
        each_kind(lake, part, 6)
    one.__name__ = f"each_kind_of_damage_{part}"
    case(one)


@case
def nothing_is_opened_with_log_only(lake):
    tells(lake, lambda f: data_file(f, 2).unlink(), words=("--log-only",))


@case
def a_checkpoint_that_says_something_else(lake):
    folder = good(lake)
    lake.run("table", "checkpoint", folder)
    equal(findings(lake, folder, "--values")[0], [])
    change(folder, 1, lambda a: a["add"].update(size=a["add"]["size"] + 1) if "add" in a else None)
    equal(findings(lake, folder)[0], [("error", "checkpoint")])
    [checkpoint] = (folder / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
    got, all_of_them = findings(lake, folder)
    equal(got, [("error", "checksum file"), ("error", "size"), ("warning", "checkpoint")])
    has(" ".join(f["detail"] for f in all_of_them), "passed over")


@case
def repair_leaves_what_is_damaged_and_takes_out_what_is_gone(lake):
    folder = good(lake)
    overwrite(data_file(folder, 1), -30, b"\xff" * 20)
    has(lake.run("table", "repair", folder), "no file is missing")
    data_file(folder, 2).unlink()
    has(lake.run("table", "repair", folder, "--dry-run"), data_file_name(folder))
    has(lake.run("table", "repair", folder), "1 file taken out")
    equal(findings(lake, folder)[0], [("error", "unreadable file")])


def data_file_name(folder):
    return next(json.loads(line)["add"]["path"] for line in log_file(folder, 1).read_text().splitlines() if "add" in json.loads(line))


@case
def a_vector_over_the_end_of_its_file(lake):
    """The marks of another file's vector: rows that a file of two rows does not have."""
    folder = good(lake)
    t = f'delta."{folder}"'
    lake.run("sql", f"INSERT INTO {t} SELECT 200, 1, NULL, 3; DELETE FROM {t} WHERE id = 11")
    vector = None
    for line in log_file(folder, 5).read_text().splitlines():
        vector = json.loads(line).get("add", {}).get("deletionVector", vector)
    change(folder, 4, lambda a: a["add"].update(deletionVector=vector) if "add" in a else None)
    got, all_of_them = findings(lake, folder)
    assert ("error", "deletion vector") in got, all_of_them
    has(" ".join(f["detail"] for f in all_of_them), "is marked in a file of 1 rows")


@case
def a_model_over_a_table_that_cannot_be_read(lake):
    """The database has no such relation; the model's error says why it has not."""
    lake.run("sql", "CREATE TABLE raw.t AS SELECT 1 AS id; CREATE VIEW raw.v AS FROM raw.t")
    lake.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\n")
    lake.file("profiles.yml", "p:\n  target: prod\n  outputs:\n    prod: {type: tarn, lake: lake, schema: main}\n")
    lake.file("models/m.sql", "select * from raw.t")
    lake.file("models/over_a_view.sql", "select * from raw.v")
    lake.file("models/none.sql", "select * from raw.nothing")
    lake.run("build", "--exclude", "none")
    log_file(lake.root / "raw/t", 0).unlink()
    out = lake.run("build", status=1)
    for name, hints in (("t", 1), ("v", 1), ("nothing", 0)):
        part = out.split("Completed with", 1)[1].split(f"Table with name {name} does not exist", 1)[1].split("[ERROR]", 1)[0]
        equal((name, part.count("hint: the lake has it, but it could not be read")), (name, hints))
    has(out, "could not be read: reading 'raw.t': ")


if __name__ == "__main__":
    main()
