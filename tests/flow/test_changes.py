#!/usr/bin/env python3
"""Overwrites of a part of a table, the change data feed, and what reads it, as a user runs them."""
import json

from lake_flow import case, equal, has, main


def parted(lake):
    lake.run("sql", "CREATE TABLE s.p PARTITIONED BY (day) AS SELECT i AS id, '2024-01-0' || (1 + i // 10) AS day, i * 2 AS v FROM range(30) r(i)")
    return lake


def days(lake):
    return [(r["day"], r["n"]) for r in lake.rows("SELECT day, count(*) AS n FROM s.p GROUP BY day ORDER BY day")]


@case
def parts_are_overwritten(lake):
    parted(lake)
    lake.run("sql", "INSERT INTO s.p REPLACE WHERE day = '2024-01-02' AND id < 15 SELECT 12 AS id, '2024-01-02' AS day, 5 AS v")
    has(lake.err, "wrote 1 row over 5 of s.p, version 1")
    equal(days(lake), [("2024-01-01", 10), ("2024-01-02", 6), ("2024-01-03", 10)])
    lake.run("sql", "INSERT INTO s.p BY NAME REPLACE WHERE day >= '2024-01-03' FROM (SELECT 9 AS v, '2024-01-04' AS day, 99 AS id)")
    equal(days(lake), [("2024-01-01", 10), ("2024-01-02", 6), ("2024-01-04", 1)])
    lake.run("sql", "INSERT INTO s.p REPLACE WHERE day = '2024-01-01' SELECT 1, '2024-01-09', 1", status=1)
    has(lake.err, "replace where")
    lake.run("sql", "INSERT OVERWRITE s.p PARTITION (day = '2024-01-01') SELECT 1, 2 UNION ALL SELECT 3, 4")
    equal(days(lake), [("2024-01-01", 2), ("2024-01-02", 6), ("2024-01-04", 1)])
    lake.run("sql", "INSERT OVERWRITE s.p PARTITION (day) VALUES (1, '2024-01-02', 2), (2, '2024-01-07', 2)")
    equal(days(lake), [("2024-01-01", 2), ("2024-01-02", 1), ("2024-01-04", 1), ("2024-01-07", 1)])
    lake.run("sql", "INSERT INTO s.p PARTITION (day = '2024-01-07') (v, id) VALUES (7, 70)")
    equal(lake.rows("SELECT id, v FROM s.p WHERE day = '2024-01-07' ORDER BY id"), [{"id": 2, "v": 2}, {"id": 70, "v": 7}])
    for wrong, why in (("PARTITION (day = ) SELECT 1", "value"), ("PARTITION () SELECT 1", "column"), ("PARTITION (day,) SELECT 1", "column"),
                       ("PARTITION (no = 1) SELECT 1, 2, 3", "no column 'no'"), ("REPLACE WHERE SELECT 1", "predicate"), ("REPLACE WHERE v = 1", "query"),
                       ("PARTITION (day) REPLACE WHERE v = 1 SELECT 1", "both say")):
        lake.run("sql", f"INSERT INTO s.p {wrong}", status=None)
        assert why in lake.err, (wrong, lake.err)
    lake.run("sql", "INSERT OVERWRITE s.p SELECT 1, 'x', 1")
    equal(days(lake), [("x", 1)])


@case
def parts_are_landed(lake):
    parted(lake)
    (lake.dir / "new.csv").write_text("id,day,v\n100,2024-01-02,1\n101,2024-01-05,1\n")
    land = ("land", "s.p", "new.csv", "--no-source-columns", "--types", "day=VARCHAR")
    lake.run(*land, "--mode", "overwrite", "--partitions")
    equal(days(lake), [("2024-01-01", 10), ("2024-01-02", 1), ("2024-01-03", 10), ("2024-01-05", 1)])
    lake.run(*land, "--mode", "overwrite", "--where", "day IN ('2024-01-02', '2024-01-05') OR v > 50")
    equal(days(lake), [("2024-01-01", 10), ("2024-01-02", 1), ("2024-01-03", 6), ("2024-01-05", 1)])
    lake.run(*land, "--mode", "overwrite", "--where", "day = '2024-01-02'", status=1)
    has(lake.err, "replace where")
    lake.run(*land, "--where", "day = '2024-01-02'", status=2)
    has(lake.err, "go with --mode overwrite")


@case
def the_feed(lake):
    lake.run("sql", "CREATE TABLE s.f TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS SELECT i AS id, 'n' || i AS name FROM range(5) r(i)")
    lake.run("sql", "UPDATE s.f SET name = 'x' WHERE id = 1; DELETE FROM s.f WHERE id = 2")
    want = [{"id": 1, "name": "n1", "_change_type": "update_preimage", "_commit_version": 1}, {"id": 1, "name": "x", "_change_type": "update_postimage", "_commit_version": 1},
            {"id": 2, "name": "n2", "_change_type": "delete", "_commit_version": 2}]
    place = lake.root / "s" / "f"
    for call in ("table_changes('s.f', 1)", "table_changes(s.f, 1, 2)", f"table_changes_by_path('{place}', 1)", f"table_changes(delta.\"{place}\", 1, 99)",
                 f"table_changes('delta.\"{place}\"', 1, 2)", f"table_changes(delta.`{place}`, 1)"):
        equal(lake.rows(f"SELECT * EXCLUDE (_commit_timestamp) FROM {call} AS c ORDER BY _commit_version, _change_type DESC"), want)
    equal(lake.rows("SELECT count(*) AS n FROM table_changes('s.f', '2020-01-01') c JOIN s.f USING (id)"), [{"n": 6}])
    equal(lake.rows("SELECT count(*) AS n FROM table_changes('s.f', 0, 0) WHERE _commit_timestamp > now() - INTERVAL 1 HOUR"), [{"n": 5}])
    lake.run("sql", "CREATE TABLE s.copy AS SELECT * FROM table_changes('s.f', 2)")
    equal(lake.rows("SELECT id, _change_type FROM s.copy"), [{"id": 2, "_change_type": "delete"}])
    out = lake.run("table", "changes", "s.f", "--from", "1", "--format", "csv")
    has(out, "id,name,_change_type,_commit_version,_commit_timestamp")
    has(out, "2,n2,delete,2,")
    equal(len(json.loads(lake.run("table", "changes", str(place), "--from", "2020-01-01", "--to", "1", "--output", "json"))), 7)
    for wrong, why, status in ((("--from", "9"), "newest version", 2), (("--from", "x"), "an instant", 2), ((), "--from", 2), (("--from", "1", "--format", "parquet"), "--format", 2)):
        lake.run("table", "changes", "s.f", *wrong, status=status)
        has(lake.err, why)
    for wrong, why in (("table_changes('s.f')", "expected"), ("table_changes('s.f', 1, 2, 3)", "takes"), ("table_changes('s.none', 1)", "s/none"), ("table_changes('s.f', 'x')", "neither"),
                       ("table_changes('f', 1)", "no Delta table")):
        lake.run("sql", f"FROM {wrong}", status=None)
        assert why in lake.err, (wrong, lake.err)
    lake.run("sql", "CREATE TABLE s.off AS SELECT 1 AS id")
    lake.run("sql", "FROM table_changes('s.off', 0)", status=None)
    has(lake.err, "is off in version 0")


@case
def schemas_evolve(lake):
    lake.run("sql", "CREATE TABLE s.e AS SELECT i AS id, 'n' || i AS name, {'x': i, 'y': i * 2} AS st FROM range(3) r(i)")
    source = "(SELECT 1 AS id, {'x': 10, 'z': 'new'} AS st, 5 AS more UNION ALL SELECT 7, {'x': 70, 'z': 'seven'}, 6) AS s ON t.id = s.id"
    lake.run("sql", f"MERGE INTO s.e AS t USING {source} WHEN MATCHED THEN UPDATE SET *", status=None)
    has(lake.err, "no 'name'")
    has(lake.err, "WITH SCHEMA EVOLUTION")
    lake.run("sql", f"MERGE WITH SCHEMA EVOLUTION INTO s.e AS t USING {source} WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    has(lake.err, "1 inserted, 1 updated")
    rows = lake.rows("SELECT id, name, st.x AS x, st.y AS y, st.z AS z, more FROM s.e ORDER BY id")
    equal(rows, [{"id": 0, "name": "n0", "x": 0, "y": 0, "z": None, "more": None}, {"id": 1, "name": "n1", "x": 10, "y": 2, "z": "new", "more": 5},
                 {"id": 2, "name": "n2", "x": 2, "y": 4, "z": None, "more": None}, {"id": 7, "name": None, "x": 70, "y": None, "z": "seven", "more": 6}])
    lake.run("sql", "MERGE WITH SCHEMA EVOLUTION INTO s.e t USING (SELECT 2 AS id, 'w' AS word, 1 AS unused) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET word = s.word || '!'")
    equal(lake.rows("SELECT word FROM s.e WHERE word IS NOT NULL"), [{"word": "w!"}])
    assert "unused" not in lake.run("sql", "--format", "csv", "DESCRIBE s.e")
    from deltalake import DeltaTable, QueryBuilder
    d = DeltaTable(str(lake.root / "s/e"))
    equal([f.name for f in d.schema().fields], ["id", "name", "st", "more", "word"])


@case
def other_tables_say_which_rows(lake):
    lake.run("sql", "CREATE TABLE s.t AS SELECT i AS id, i * 2 AS v FROM range(6) r(i); CREATE TABLE s.o AS SELECT i AS id, i * 100 AS w FROM range(2, 5) r(i)")
    lake.run("sql", "UPDATE s.t SET v = o.w + t.v FROM s.o AS o WHERE t.id = o.id AND o.w > 200")
    has(lake.err, "updated 2 rows of s.t")
    equal(lake.rows("SELECT v FROM s.t ORDER BY id"), [{"v": v} for v in (0, 2, 4, 306, 408, 10)])
    lake.run("sql", "DELETE FROM s.t AS x USING (VALUES (0), (0), (5)) AS gone (id) WHERE x.id = gone.id")
    has(lake.err, "deleted 2 rows from s.t")
    equal(lake.rows("SELECT count(*) AS n FROM s.t"), [{"n": 4}])
    lake.run("sql", "UPDATE s.t SET v = d.w FROM (VALUES (1, 1), (1, 2)) AS d (id, w) WHERE t.id = d.id", status=None)
    has(lake.err, "several rows of the source")
    lake.run("sql", "UPDATE s.t SET v = 1 FROM s.o JOIN s.o AS p USING (id) WHERE t.id = o.id", status=None)
    has(lake.err, "join them in one")
    lake.run("sql", "DELETE FROM s.t WHERE id IN (WITH w AS (SELECT max(id) AS m FROM s.o) SELECT m FROM w) OR EXISTS (SELECT 1 FROM s.o WHERE o.w = t.v - 106)")
    equal(lake.rows("SELECT id FROM s.t ORDER BY id"), [{"id": 1}, {"id": 2}])


if __name__ == "__main__":
    main()
