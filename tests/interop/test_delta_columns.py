#!/usr/bin/env python3
"""What single columns ask of a writer (column mapping, ALTER TABLE, generated columns, defaults, identity, widening, void, variant): written
by tarn, judged by deltalake's QueryBuilder and DuckDB's delta extension.

Not asked of the extension: partition columns of mapped tables that are no strings, which it reads as NULL from Spark's tables too.
"""
import json
import os
import pathlib
import sys
import tempfile

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from delta_judges import ROOT, Refused, Results, Rows, Tarn, log_of  # noqa: E402

EXTENSION = pathlib.Path(os.environ.get("TARN_EXTENSION_DIR", ROOT / "build/deps/extensions")) / "v1.5.5/linux_amd64/delta.duckdb_extension"
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
    b.sql(p, f"CREATE TABLE {{t}} PARTITIONED BY (p) {NAME} AS SELECT i AS id, {{'a': i, 'b': [{{'c': i}}]}} AS s, MAP {{'k': {{'z': i}}}} AS m, "
             "'x' || i % 2 AS p FROM range(6) AS r(i)")
    protocol = b.last(p, "protocol")
    b.r.check("mapping: protocol", (protocol["minReaderVersion"], protocol["minWriterVersion"]) == (2, 7) and "readerFeatures" not in protocol
              and set(protocol["writerFeatures"]) == {"appendOnly", "invariants", "columnMapping"}, protocol)
    meta = b.last(p, "metaData")
    b.r.check("mapping: ids", meta["configuration"]["delta.columnMapping.maxColumnId"] == "8", meta["configuration"])
    physical = fields(meta)["p"]["metadata"]["delta.columnMapping.physicalName"]
    add = b.last(p, "add")
    b.r.check("mapping: physical names", physical.startswith("col-") and list(add["partitionValues"]) == [physical] and "col-" in add["stats"]
              and "/" in add["path"] and "=" not in add["path"], add)
    b.sql(p, "INSERT INTO {t} VALUES (10, {'a': 10, 'b': [{'c': 10}]}, MAP {'k': {'z': 10}}, 'y'), (11, NULL, NULL, NULL)",
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


def main():
    with tempfile.TemporaryDirectory() as tmp:
        b = Bench(tmp)
        mapping(b)
        b.r.end()


if __name__ == "__main__":
    main()
