#!/usr/bin/env python3
"""What single columns ask of a writer (column mapping, ALTER TABLE, generated columns, defaults, identity, widening, void, variant): written
by tarn, judged by deltalake's QueryBuilder and DuckDB's delta extension.

In mapped tables the partition columns come first: behind others the extension reads them as NULL, whoever wrote the table (behind()).
"""
import concurrent.futures
import json
import os
import pathlib
import sys
import tarfile
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from delta_judges import ROOT, Refused, Results, Rows, Tarn, log_of  # noqa: E402

EXTENSION = pathlib.Path(os.environ.get("TARN_EXTENSION_DIR", ROOT / "build/deps/extensions")) / "v1.5.5/linux_amd64/delta.duckdb_extension"
SHARED = pathlib.Path(os.environ.get("TARN_SHARED", ROOT.parent / "shared"))
NAME = "TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"


def deltalake_rows(path, columns="*"):
    t = DeltaTable(str(path))
    return Rows(pa.table(QueryBuilder().register("t", t).execute(f"select {columns} from t").read_all()))


def extension_rows(path, columns="*"):
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute("SET TimeZone='UTC'")
    con.execute(f"LOAD '{EXTENSION}'")
    return Rows(con.execute(f"SELECT {columns} FROM delta_scan('{path}')").to_arrow_table())


JUDGES = {"deltalake": deltalake_rows, "extension": extension_rows}


class Bench:
    def __init__(self, tmp):
        self.tmp = pathlib.Path(tmp)
        self.tarn = Tarn(tmp)
        self.r = Results()

    def sql(self, path, *texts):
        for text in texts:
            self.tarn.statement(text, path)

    def judge(self, name, path, want=None, columns="*", but=()):
        """All readers see the same rows; want: their tuples, in any order."""
        ours = self.tarn.rows(path, columns)
        if want is not None:
            self.r.check(f"{name}: rows", sorted(map(str, ours.bag.elements())) == sorted(map(str, want)), sorted(ours.bag.elements(), key=str)[:9])
        for judge, rows in JUDGES.items():
            if judge in but or (judge == "extension" and not EXTENSION.exists()):
                continue
            try:
                theirs = rows(path, columns)
                self.r.check(f"{name}: {judge}", ours == theirs, ours.difference(theirs))
            except Exception as e:  # noqa: BLE001
                self.r.check(f"{name}: {judge}", False, e)
        wrong = self.tarn.check(path)
        self.r.check(f"{name}: table check", not wrong, wrong)

    def refuses(self, name, path, text, part):
        try:
            self.sql(path, text)
            self.r.check(f"{name}: refused", False, "it was done")
        except Refused as e:
            self.r.check(f"{name}: refused", part in str(e), e)

    def last(self, path, kind):
        """The newest action of a kind in the log."""
        found = [a[kind] for _, a in log_of(path) if kind in a]
        return found[-1] if found else None


def fields(meta):
    return {f["name"]: f for f in json.loads(meta["schemaString"])["fields"]}


def mapping(b):
    p = b.tmp / "mapped"
    b.sql(p, f"CREATE TABLE {{t}} PARTITIONED BY (p) {NAME} AS SELECT 'x' || i % 2 AS p, i AS id, {{'a': i, 'b': [{{'c': i}}]}} AS s, "
             "MAP {'k': {'z': i}} AS m FROM range(6) AS r(i)")
    protocol = b.last(p, "protocol")
    b.r.check("mapping: protocol", (protocol["minReaderVersion"], protocol["minWriterVersion"]) == (2, 7) and "readerFeatures" not in protocol
              and set(protocol["writerFeatures"]) == {"appendOnly", "invariants", "columnMapping"}, protocol)
    meta = b.last(p, "metaData")
    b.r.check("mapping: ids", meta["configuration"]["delta.columnMapping.maxColumnId"] == "8", meta["configuration"])
    physical = fields(meta)["p"]["metadata"]["delta.columnMapping.physicalName"]
    add = b.last(p, "add")
    b.r.check("mapping: physical names", physical.startswith("col-") and list(add["partitionValues"]) == [physical] and "col-" in add["stats"]
              and "/" in add["path"] and "=" not in add["path"], add)
    b.sql(p, "INSERT INTO {t} VALUES ('y', 10, {'a': 10, 'b': [{'c': 10}]}, MAP {'k': {'z': 10}}), (NULL, 11, NULL, NULL)",
          "UPDATE {t} SET id = 100, s = {'a': 5, 'b': NULL} WHERE id = 1", "DELETE FROM {t} WHERE id = 2", "OPTIMIZE {t}",
          "MERGE INTO {t} AS t USING (SELECT 3::BIGINT AS id, 'z' AS p UNION ALL SELECT 77, 'z') AS s ON t.id = s.id "
          "WHEN MATCHED THEN UPDATE SET p = s.p WHEN NOT MATCHED THEN INSERT (id, p) VALUES (s.id, s.p)")
    b.judge("mapping", p)
    b.sql(p, "RESTORE {t} TO VERSION AS OF 0")
    b.judge("mapping restored", p)
    i = b.tmp / "by_id"
    b.sql(i, "CREATE TABLE {t} TBLPROPERTIES ('delta.columnMapping.mode' = 'id', 'delta.enableDeletionVectors' = 'true') AS SELECT i AS id, "
             "{'a': i} AS s, [i] AS l FROM range(5) AS r(i)", "INSERT INTO {t} VALUES (9, {'a': 9}, [9])", "DELETE FROM {t} WHERE id = 2",
          "UPDATE {t} SET l = [7, 8] WHERE id = 3")
    protocol = b.last(i, "protocol")
    b.r.check("mapping by id: protocol", protocol["minReaderVersion"] == 3 and set(protocol["readerFeatures"]) == {"columnMapping", "deletionVectors"}, protocol)
    b.judge("mapping by id", i)
    b.sql(i, f"CREATE TABLE delta.`{b.tmp}/clone` DEEP CLONE {{t}}", f"INSERT INTO delta.`{b.tmp}/clone` VALUES (20, {{'a': 1}}, NULL)")
    b.judge("mapping cloned", b.tmp / "clone")


def enabled(b):
    """A table that has files gets column mapping, then loses and renames columns."""
    p = b.tmp / "enabled"
    b.sql(p, "CREATE TABLE {t} PARTITIONED BY (p) AS SELECT 'x' || i % 2 AS p, i AS id, i * 2 AS v, {'a': i, 'b': i} AS s FROM range(4) AS r(i)")
    b.refuses("mapping off: drop", p, "ALTER TABLE {t} DROP COLUMN v", "column mapping")
    b.refuses("mapping by id", p, "ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'id')", "none to name")
    b.sql(p, "ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    f = fields(b.last(p, "metaData"))
    b.r.check("enabled: names stay", f["v"]["metadata"] == {"delta.columnMapping.id": 3, "delta.columnMapping.physicalName": "v"}, f)
    b.sql(p, "ALTER TABLE {t} RENAME COLUMN v TO w", "ALTER TABLE {t} RENAME COLUMN s.b TO c", "ALTER TABLE {t} RENAME COLUMN p TO part",
          "INSERT INTO {t} VALUES ('y', 9, 18, {'a': 9, 'c': 9})", "ALTER TABLE {t} DROP COLUMN id")
    b.judge("enabled: renamed", p, [("y", 18, (("a", 9), ("c", 9)))] + [(f"x{i % 2}", i * 2, (("a", i), ("c", i))) for i in range(4)])
    b.sql(p, "ALTER TABLE {t} ADD COLUMN id DOUBLE", "ALTER TABLE {t} ADD COLUMN s.d STRING FIRST", "UPDATE {t} SET id = 1.5, s = {'d': 'q', 'a': 1, 'c': 1} WHERE w = 18")
    meta = b.last(p, "metaData")
    b.r.check("enabled: ids are not used twice", fields(meta)["id"]["metadata"]["delta.columnMapping.id"] == 7
              and meta["configuration"]["delta.columnMapping.maxColumnId"] == "8", meta)
    b.judge("enabled: added again", p)
    b.refuses("drop of a partition column", p, "ALTER TABLE {t} DROP COLUMN part", "partitioning needs it")
    b.refuses("mapping off again", p, "ALTER TABLE {t} UNSET TBLPROPERTIES ('delta.columnMapping.mode')", "cannot change")
    operations = [a["commitInfo"]["operation"] for _, a in log_of(p) if "commitInfo" in a]
    b.r.check("operations", operations[1:5] == ["SET TBLPROPERTIES", "RENAME COLUMN", "RENAME COLUMN", "RENAME COLUMN"] and "DROP COLUMNS" in operations
              and "ADD COLUMNS" in operations, operations)


def altered(b):
    """Changes of a table without mapping."""
    p = b.tmp / "altered"
    b.sql(p, "CREATE TABLE {t} AS SELECT i::INTEGER AS id, CASE WHEN i > 0 THEN 'n' || i END AS name FROM range(4) AS r(i)")
    b.refuses("constraint: rows", p, "ALTER TABLE {t} ADD CONSTRAINT big CHECK (id > 2)", "3 rows of the table violate")
    b.refuses("not null: rows", p, "ALTER TABLE {t} ALTER COLUMN name SET NOT NULL", "1 row of the table violates NOT NULL")
    b.sql(p, 'ALTER TABLE {t} ADD CONSTRAINT Small CHECK ("id" < 100)', "UPDATE {t} SET name = 'zero' WHERE id = 0", "ALTER TABLE {t} ALTER COLUMN name SET NOT NULL",
          "ALTER TABLE {t} ADD COLUMN v INT COMMENT 'value' FIRST", "ALTER TABLE {t} ALTER COLUMN v SET DEFAULT 40 + 2", "INSERT INTO {t} (id, name) VALUES (5, 'five')")
    b.r.check("constraint: Spark's spelling", b.last(p, "metaData")["configuration"]["delta.constraints.small"] == "`id` < 100", b.last(p, "metaData"))
    b.refuses("constraint: insert", p, "INSERT INTO {t} (id, name) VALUES (500, 'x')", "violates the constraint 'small': `id` < 100")
    b.refuses("constraint: taken", p, "ALTER TABLE {t} ADD CONSTRAINT small CHECK (id < 9)", "already")
    b.refuses("not null: insert", p, "INSERT INTO {t} (id) VALUES (6)", "may not be NULL")
    b.judge("altered", p, [(None, 0, "zero"), (None, 1, "n1"), (None, 2, "n2"), (None, 3, "n3"), (42, 5, "five")])
    b.refuses("feature in use", p, "ALTER TABLE {t} DROP FEATURE checkConstraints", "DROP CONSTRAINT first")
    b.sql(p, "ALTER TABLE {t} DROP CONSTRAINT small", "ALTER TABLE {t} DROP FEATURE checkConstraints", "ALTER TABLE {t} ALTER COLUMN name DROP NOT NULL",
          "ALTER TABLE {t} ALTER COLUMN v AFTER name", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.enableInCommitTimestamps' = 'true')",
          "DELETE FROM {t} WHERE id = 1")
    b.r.check("feature gone", "checkConstraints" not in b.last(p, "protocol")["writerFeatures"], b.last(p, "protocol"))
    conf, commits = b.last(p, "metaData")["configuration"], {v: a["commitInfo"] for v, a in log_of(p) if "commitInfo" in a}
    since = int(conf["delta.inCommitTimestampEnablementVersion"])
    b.r.check("in-commit timestamps: since when", str(commits[since]["inCommitTimestamp"]) == conf["delta.inCommitTimestampEnablementTimestamp"]
              and commits[since]["operation"] == "SET TBLPROPERTIES" and "inCommitTimestamp" not in commits[since - 1], conf)
    b.judge("altered: vectors", p, [(0, "zero", None), (2, "n2", None), (3, "n3", None), (5, "five", 42)])
    b.refuses("wrong value", p, "ALTER TABLE {t} SET TBLPROPERTIES ('delta.appendOnly' = 'maybe')", "true or false")
    b.sql(p, "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')", "INSERT INTO {t} (id, name) VALUES (8, 'tracked')")
    b.r.check("row tracking", b.last(p, "add")["baseRowId"] > 0, b.last(p, "add"))


def filled(b):
    """Generated columns, defaults, identity on every way of writing."""
    p = b.tmp / "filled"
    b.sql(p, """CREATE TABLE {t} (id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY -3), ts TIMESTAMP, d DATE GENERATED ALWAYS AS (CAST(ts AS DATE)),
 m STRING GENERATED ALWAYS AS (date_format(ts, 'yyyy-MM')), name STRING DEFAULT 'none', q INT GENERATED ALWAYS AS (CAST(x / 3 AS INT)), x DOUBLE) PARTITIONED BY (d)
 TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')""",
          "INSERT INTO {t} (ts, x) VALUES ('2024-01-31 10:00:00', 5), (NULL, -5)",
          "INSERT INTO {t} (ts, d, name) VALUES ('2024-02-01 10:00:00', '2024-02-01', DEFAULT), ('2024-02-02 10:00:00', '2024-02-02', 'b')",
          "UPDATE {t} SET ts = '2025-05-05 00:00:00', name = DEFAULT, x = 9 WHERE id = 7",
          """MERGE INTO {t} AS t USING (SELECT 'b' AS name, TIMESTAMP '2026-06-06 06:00:00' AS ts UNION ALL SELECT 'new', '2027-07-07 07:00:00') AS s ON t.name = s.name
 WHEN MATCHED THEN UPDATE SET ts = s.ts WHEN NOT MATCHED THEN INSERT (name, ts) VALUES (s.name, s.ts)""")
    want = [(10, "2024-01-31T10:00:00", "2024-01-31", "2024-01", "none", 1, 5.0), (7, "2025-05-05T00:00:00", "2025-05-05", "2025-05", "none", 3, 9.0),
            (4, "2024-02-01T10:00:00", "2024-02-01", "2024-02", "none", None, None), (1, "2026-06-06T06:00:00", "2026-06-06", "2026-06", "b", None, None),
            (-2, "2027-07-07T07:00:00", "2027-07-07", "2027-07", "new", None, None)]
    b.judge("filled", p, want)
    b.sql(p, "OPTIMIZE {t}", "DELETE FROM {t} WHERE name = 'b'")
    b.judge("filled and packed", p, [w for w in want if w[4] != "b"])
    b.r.check("identity: mark", fields(b.last(p, "metaData"))["id"]["metadata"]["delta.identity.highWaterMark"] == -2)
    b.refuses("generated: wrong value", p, "INSERT INTO {t} (ts, d) VALUES ('2024-02-01 10:00:00', '2024-02-02')", "d is generated")
    b.refuses("generated: wrong update", p, "UPDATE {t} SET d = '2020-01-01'", "d is generated")
    b.refuses("identity: given", p, "INSERT INTO {t} (id) VALUES (1)", "always made by the table")
    b.refuses("identity: updated", p, "UPDATE {t} SET id = 1", "cannot be changed")
    b.refuses("unknown function", b.tmp / "no", "CREATE TABLE {t} (a INT, b INT GENERATED ALWAYS AS (hash(a)))", "hash")
    c = b.tmp / "contended"
    b.sql(c, "CREATE TABLE {t} (id BIGINT GENERATED ALWAYS AS IDENTITY, v INT)")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(b.sql, c, f"INSERT INTO {{t}} (v) VALUES ({i}), ({i})") for i in range(8)]:
            done.result()
    ids = [i for i, _ in b.tarn.rows(c).bag.elements()]
    b.r.check("identity: writers at the same time", len(ids) == 16 == len(set(ids)), sorted(ids))
    e = b.tmp / "explicit"
    b.sql(e, "CREATE TABLE {t} (id BIGINT GENERATED BY DEFAULT AS IDENTITY, v INT)", "INSERT INTO {t} VALUES (50, 1), (DEFAULT, 2)", "INSERT INTO {t} (v) VALUES (3)")
    b.judge("identity by default", e, [(50, 1), (2, 2), (3, 3)])
    b.sql(e, "CREATE OR REPLACE TABLE {t} (id BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH 9223372036854775806), v INT) COMMENT 'again'", "INSERT INTO {t} (v) VALUES (1)")
    b.refuses("identity: used up", e, "INSERT INTO {t} (v) VALUES (1), (2), (3)", "")
    b.judge("identity near the end", e, [(9223372036854775806, 1)])


def widened(b):
    p = b.tmp / "widened"
    b.sql(p, """CREATE TABLE {t} TBLPROPERTIES ('delta.enableTypeWidening' = 'true') AS SELECT 1::TINYINT AS a, 2::SMALLINT AS b, 1.5::FLOAT AS f, 3.25::DECIMAL(4, 2) AS d,
 [1::SMALLINT] AS l, {'x': 7::INTEGER} AS s, DATE '2024-02-29' AS day""")
    for column, to in (("a", "BIGINT"), ("b", "DOUBLE"), ("f", "DOUBLE"), ("d", "DECIMAL(10, 4)"), ("l.element", "INT"), ("s.x", "LONG"), ("day", "TIMESTAMP")):
        b.sql(p, f"ALTER TABLE {{t}} ALTER COLUMN {column} TYPE {to}")
    b.refuses("narrower", p, "ALTER TABLE {t} ALTER COLUMN a TYPE INT", "cannot change from BIGINT to INTEGER")
    b.sql(p, "INSERT INTO {t} VALUES (5000000000, 2.5, 1e300, 123456.7891, [70000], {'x': 5000000000}, '2024-03-01 12:00:00')", "UPDATE {t} SET b = b + 1 WHERE a = 1")
    f = fields(b.last(p, "metaData"))
    b.r.check("type changes", f["a"]["metadata"]["delta.typeChanges"] == [{"fromType": "byte", "toType": "long"}]
              and f["l"]["metadata"]["delta.typeChanges"] == [{"fromType": "short", "toType": "integer", "fieldPath": "element"}], f)
    b.judge("widened", p, [(1, 3.0, 1.5, "3.25", (1,), (("x", 7),), "2024-02-29T00:00:00"),
                           (5000000000, 2.5, 1e300, "123456.7891", (70000,), (("x", 5000000000),), "2024-03-01T12:00:00")], but=("deltalake", "extension"))


def nothing(b):
    """Columns of type void are in no file."""
    p = b.tmp / "void"
    b.sql(p, "CREATE TABLE {t} (id INT, v VOID, s STRUCT<a: INT, b: VOID>)", "INSERT INTO {t} (id, s) VALUES (1, {'a': 1, 'b': NULL}), (2, NULL)", "INSERT INTO {t} VALUES (3, NULL, NULL)",
          "UPDATE {t} SET id = 20 WHERE id = 2", "DELETE FROM {t} WHERE id = 3", "OPTIMIZE {t}")
    b.judge("void", p, [(1, None, (("a", 1), ("b", None))), (20, None, None)], but=("extension", "deltalake"))
    b.refuses("void: a value", p, "INSERT INTO {t} VALUES (3, 5, NULL)", "violates the constraint 'void'")


def variants(b):
    p = b.tmp / "variant"
    b.sql(p, "CREATE TABLE {t} (id INT, v VARIANT)", "INSERT INTO {t} SELECT 1, {'a': 1, 'b': ['1', 'x']}::VARIANT UNION ALL SELECT 2, NULL UNION ALL SELECT 3, 'text'::VARIANT",
          "UPDATE {t} SET v = 5::VARIANT WHERE id = 2", "DELETE FROM {t} WHERE id = 3")
    protocol = b.last(p, "protocol")
    b.r.check("variant: protocol", protocol["readerFeatures"] == ["variantType"] and protocol["minReaderVersion"] == 3, protocol)
    b.judge("variant", p, [(1, '{"a":1,"b":["1","x"]}'), (2, "5")], columns="id, CAST(v AS JSON)::VARCHAR AS v", but=("deltalake",))
    b.sql(p, "INSERT INTO {t} SELECT 9, NULL", "OPTIMIZE {t}")
    held = [r["v"] for f in p.glob("*.parquet") for r in pq.ParquetFile(f).read(columns=["id", "v"]).to_pylist() if r["id"] == 9]
    b.r.check("variants: NULL is NULL in files, before and after rewriting", held == [None, None], held)


def swapped(path):
    """The last column becomes the first, in the log alone."""
    commit = path / "_delta_log/00000000000000000000.json"
    lines = [json.loads(line) for line in commit.read_text().splitlines()]
    for m in (line["metaData"] for line in lines if "metaData" in line):
        schema = json.loads(m["schemaString"])
        schema["fields"].insert(0, schema["fields"].pop())
        m["schemaString"] = json.dumps(schema)
    commit.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for f in (path / "_delta_log").glob("*.crc"):
        f.unlink()


def behind(b):
    """A partition column behind another one in a mapped table: NULL for the extension, whether the column is in the files too (ours) or not (Databricks'),
    and right again when it comes first. When this fails the extension has learned it: the manual's page on engines says otherwise."""
    tables = {"ours": b.tmp / "behind"}
    b.sql(tables["ours"], f"CREATE TABLE {{t}} PARTITIONED BY (p) {NAME} AS SELECT 'p' || range AS p, range AS id FROM range(4)")
    source = SHARED / "conformance/delta/delta-rs.tar.gz"
    if source.exists():
        with tarfile.open(source) as t:
            t.extractall(b.tmp, [m for m in t.getmembers() if "/table_with_column_mapping/" in m.name], filter="data")
        tables["Databricks'"] = b.tmp / "delta-rs/table_with_column_mapping/delta"
    for name, p in tables.items():
        partition = b.last(p, "metaData")["partitionColumns"][0]
        b.judge(f"mapped, partition first: {name}", p)
        swapped(p)
        b.judge(f"mapped, partition behind: {name}", p, but=("extension",))
        if EXTENSION.exists():
            seen = extension_rows(p, f'"{partition}"').bag
            b.r.check(f"mapped, partition behind: {name}: the extension", set(seen) == {(None,)}, seen)


def spark_tables(b):
    """Tables that Spark made: tarn writes into them, the others read."""
    source = SHARED / "conformance/delta/spark.tar.gz"
    if not source.exists():
        print("SKIPPED: tables of Spark")
        return
    with tarfile.open(source) as t:
        t.extractall(b.tmp, filter="data")
    for name in ("cm_id", "defaults", "generated", "typewiden", "check", "void", "variant", "nested", "ntz", "dv"):
        p = b.tmp / "spark" / name / "delta"
        shown = "id, CAST(CAST(v AS JSON) AS VARCHAR) AS v" if name == "variant" else "*"
        count = b.tarn.rows(p, shown).count
        columns = [c for c, f in fields(b.last(p, "metaData")).items() if f["type"] != "void" and "delta.generationExpression" not in f["metadata"]]
        listed = ", ".join(f'"{c}"' for c in columns)
        b.sql(p, f"INSERT INTO {{t}} ({listed}) SELECT {listed} FROM {{t}} LIMIT 2", "OPTIMIZE {t}")
        but = {"void": ("extension", "deltalake"), "typewiden": ("deltalake",), "variant": ("deltalake", "extension")}.get(name, ())
        b.judge(f"Spark's {name}", p, columns=shown, but=but)
        b.r.check(f"Spark's {name}: rows", b.tarn.rows(p, shown).count == count + min(2, count))


def main():
    with tempfile.TemporaryDirectory() as tmp:
        b = Bench(tmp)
        for part in (mapping, enabled, altered, filled, widened, nothing, variants, behind, spark_tables):
            try:
                part(b)
            except Refused as e:
                b.r.check(part.__name__, False, e)
        b.r.end()


if __name__ == "__main__":
    main()
