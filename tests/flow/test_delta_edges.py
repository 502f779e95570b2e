#!/usr/bin/env python3
"""Delta tables at the edges, as a user meets them: places that are not there, clones of tables that track rows, very wide tables, odd instants as partitions."""
import json

from lake_flow import case, equal, has, main


def place(lake, name="t"):
    lake.root.mkdir(exist_ok=True)
    return f'delta."{lake.dir / name}"'


def log(lake, name="t"):
    return [json.loads(line) for f in sorted((lake.dir / name / "_delta_log").glob("*.json")) for line in f.read_text().splitlines()]


@case
def reading_makes_no_folder(lake):
    t = place(lake, "none")
    for words in (("sql", f"SELECT * FROM {t}"), ("sql", f"DELETE FROM {t}"), ("sql", f"DESCRIBE HISTORY {t}"), ("table", "check", lake.dir / "none"), ("table", "history", lake.dir / "none"),
                  ("table", "vacuum", lake.dir / "none"), ("table", "optimize", lake.dir / "none"), ("sql", f"RESTORE TABLE {t} TO VERSION AS OF 0")):
        lake.run(*words, status=None)
        has(lake.err, "there is no Delta table")
        assert "cannot make" not in lake.err and "table repair" not in lake.err, lake.err
    equal((lake.dir / "none").exists(), False)
    lake.run("sql", f"CREATE TABLE {t} AS SELECT 1 AS id")
    lake.run("sql", f"SELECT * FROM {t} VERSION AS OF 7", status=None)
    equal(lake.err.splitlines()[0], f"error: reading the table '{lake.dir / 'none'}': the table has no version 7")
    has(lake.err, "hint: versions 0 to 0 are in its log")


@case
def rows_of_a_clone_are_numbered_anew(lake):
    t = place(lake)
    lake.run("sql", f"CREATE TABLE {t} TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.enableDeletionVectors' = 'true') AS SELECT range AS id FROM range(10)")
    lake.run("sql", f"UPDATE {t} SET id = id + 100 WHERE id < 3")
    lake.run("sql", f"INSERT INTO {t} VALUES (50)")
    for how in ("SHALLOW", "DEEP"):
        c = place(lake, how)
        lake.run("sql", f"CREATE TABLE {c} {how} CLONE {t}")
        has(lake.run("table", "check", lake.dir / how, "--values"), ": ok")
        equal({a["add"]["defaultRowCommitVersion"] for a in log(lake, how) if "add" in a}, {0})
        names = [[a["metaData"]["configuration"]["delta.rowTracking.materializedRowIdColumnName"] for a in log(lake, n) if "metaData" in a] for n in ("t", how)]
        assert names[0] != names[1], names
        lake.run("sql", f"UPDATE {c} SET id = id + 1000 WHERE id > 100")
        has(lake.run("table", "check", lake.dir / how, "--values"), ": ok")
        equal(lake.rows(f"SELECT sum(id) AS n FROM {c}")[0]["n"], 45 + 300 + 50 + 2000)  # 101 and 102 are above 100


@case
def thousands_of_files(lake):
    """Files and their partition values go to DuckDB as one text each when they are many."""
    t = place(lake)
    lake.run("sql", f"CREATE TABLE {t} PARTITIONED BY (p, q) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS "
             "SELECT range AS id, CASE WHEN range % 50 > 0 THEN 'é''[' || range // 2 || '?*' END AS p, DATE '2024-01-01' + (range % 2)::INT AS q FROM range(2400)")
    assert sum("add" in a for a in log(lake)) > 2300
    equal(lake.rows(f"SELECT count(*) AS n, sum(id) AS s, count(p) AS p, count(DISTINCT p) AS d, max(q)::VARCHAR AS q FROM {t}"), [{"n": 2400, "s": 2878800, "p": 2352, "d": 1200, "q": "2024-01-02"}])
    equal(lake.rows(f"SELECT id, p FROM {t} WHERE p = 'é''[7?*' ORDER BY id"), [{"id": 14, "p": "é'[7?*"}, {"id": 15, "p": "é'[7?*"}])
    lake.run("sql", f"UPDATE {t} SET id = -1 WHERE id % 2 = 0")
    lake.run("sql", f"DELETE FROM {t} WHERE p IS NULL")
    equal(lake.rows(f"SELECT count(*) AS n, sum(id) AS s FROM {t}"), [{"n": 2352, "s": sum(i if i % 2 else -1 for i in range(2400) if i % 50)}])


@case
def two_thousand_columns(lake):
    """A statement looks at its query a few times, not once a column."""
    t = place(lake)
    lake.run("sql", "-f", "-", stdin=f"CREATE TABLE {t} AS SELECT " + ", ".join(f"{i} AS c{i}" for i in range(2000)))
    lake.run("sql", f"INSERT INTO {t} SELECT * FROM {t}")
    lake.run("sql", f"UPDATE {t} SET c1999 = 5 WHERE c0 = 0")
    equal(lake.rows(f"SELECT count(*) AS n, sum(c1999) AS s, sum(c1998) AS r FROM {t}"), [{"n": 2, "s": 10, "r": 3996}])


@case
def a_bare_null_widens_nothing(lake):
    t = place(lake)
    lake.run("sql", f"CREATE TABLE {t} (id SMALLINT, v SMALLINT) TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    lake.run("sql", f"MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 1::SMALLINT AS id, NULL AS v) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *")
    equal([json.loads(a["metaData"]["schemaString"])["fields"][1]["type"] for a in log(lake) if "metaData" in a][-1], "short")
    equal(lake.rows(f"FROM {t}"), [{"id": 1, "v": None}])


@case
def partitions_that_no_other_reads(lake):
    """Days beyond the year 9999, before the year 1 and infinity: DuckDB knows them, the log's text form has no room for them."""
    t = place(lake)
    lake.run("sql", f"CREATE TABLE {t} (id INT, d DATE, at TIMESTAMP, z TIMESTAMPTZ) PARTITIONED BY (d, at, z)")
    for kind, value in (("DATE", "12000-01-01"), ("DATE", "0044-03-15 (BC)"), ("DATE", "infinity"), ("TIMESTAMP", "12000-01-01 00:00:00"), ("TIMESTAMP", "-infinity"), ("TIMESTAMPTZ", "infinity")):
        column = {"DATE": "d", "TIMESTAMP": "at", "TIMESTAMPTZ": "z"}[kind]
        lake.run("sql", f"INSERT INTO {t} (id, {column}) VALUES (1, {kind} '{value}')", status=1)
        has(lake.err, f"cannot be a value of the partition column '{column}'")
        equal([f.name for f in (lake.dir / "t").rglob("*.parquet")], [])
    for zone in ("Asia/Kolkata", "America/New_York", "Africa/Monrovia"):
        lake.run("sql", "-f", "-", stdin=f"SET TimeZone = '{zone}'; INSERT INTO {t} VALUES (2, '0001-01-01', '9999-12-31 23:59:59.999999', TIMESTAMPTZ '1850-06-01 12:00:00.5+00'), (3, '9999-12-31', '0001-01-01', '2024-11-03 01:30:00-04')")
    values = {json.dumps(a["add"]["partitionValues"], sort_keys=True) for a in log(lake) if "add" in a}
    equal(values, {'{"at": "9999-12-31 23:59:59.999999", "d": "0001-01-01", "z": "1850-06-01T12:00:00.500000Z"}',
                   '{"at": "0001-01-01 00:00:00", "d": "9999-12-31", "z": "2024-11-03T05:30:00.000000Z"}'})
    equal(lake.rows(f"SELECT count(*) AS n FROM {t} WHERE z = TIMESTAMPTZ '2024-11-03 05:30:00+00' AND d = '9999-12-31'"), [{"n": 3}])


@case
def features_that_nobody_knows(lake):
    t = place(lake)
    lake.run("sql", f"CREATE TABLE {t} AS SELECT 1 AS id")
    (lake.dir / "t/_delta_log/00000000000000000001.json").write_text('{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["quantum"],"writerFeatures":["quantum"]}}\n')
    lake.run("sql", f"SELECT * FROM {t}", status=None)
    has(lake.err, "the table uses the feature 'quantum', which this program cannot read\nhint: read it with an engine that knows it")
    equal(lake.rows(f"SELECT * FROM {t} VERSION AS OF 0"), [{"id": 1}])


if __name__ == "__main__":
    main()
