#!/usr/bin/env python3
"""tarn sql: queries over pins, unpinned tables and places; statements that change the lake; every output format; scripts and errors."""
import csv, io, json, os, pty, select, subprocess

from lake_flow import case, equal, has, main


def filled(lake):
    lake.run("sql", "CREATE TABLE s.t AS SELECT i AS id, 'n' || i AS name, i * 1.5 AS v FROM range(5) r(i)")
    return lake


@case
def without_a_lake(lake):
    none = {"TARN_LAKE": ""}
    equal(lake.rows("SELECT 1 AS a", env=none), [{"a": 1}])
    equal(lake.rows("CREATE TABLE x AS SELECT 2 AS b; FROM x", env=none), [{"b": 2}])
    equal(lake.rows("INSTALL httpfs; LOAD parquet; SELECT 3 AS c", env=none), [{"c": 3}])


@case
def create_insert_and_read(lake):
    filled(lake)
    has(lake.err, "created s.t: 5 rows, version 0")
    lake.run("sql", "INSERT INTO s.t VALUES (10, DEFAULT, 2), (11, 'x', DEFAULT)")
    has(lake.err, "inserted 2 rows into s.t, version 1")
    lake.run("sql", "INSERT INTO s.t (v, id) SELECT 9.5, 12")
    lake.run("sql", "INSERT INTO s.t BY NAME SELECT 'z' AS name, 13 AS id")
    equal(lake.rows("SELECT id, name, v FROM s.t WHERE id > 5 ORDER BY id"),
          [{"id": 10, "name": None, "v": 2.0}, {"id": 11, "name": "x", "v": None}, {"id": 12, "name": None, "v": 9.5}, {"id": 13, "name": "z", "v": None}])
    lake.run("sql", "INSERT OVERWRITE s.t SELECT id, name, v FROM s.t WHERE id < 3")
    equal(lake.rows("SELECT count(*) AS n FROM s.t"), [{"n": 3}])
    equal([lake.rows(f"SELECT count(*) AS n FROM s.t VERSION AS OF {v}")[0]["n"] for v in range(5)], [5, 7, 8, 9, 3])
    equal(lake.rows("SELECT count(*) AS n FROM s.t AT (VERSION => 1)"), [{"n": 7}])
    equal(lake.rows("SELECT t.id FROM s.t VERSION AS OF 0 WHERE t.id = 4"), [{"id": 4}])
    equal(lake.rows("SELECT count(*) AS n FROM s.t", env={}) , [{"n": 3}])
    equal(json.loads(lake.run("sql", "--at", "2", "--format", "json", "SELECT count(*) AS n FROM s.t")), [{"n": 8}])
    lake.run("sql", "--at", "99", "SELECT * FROM s.t", status=2)
    has(lake.err, "99")
    lake.run("sql", "--at", "2", "DELETE FROM s.t", status=2)
    has(lake.err, "DELETE cannot change it")
    lake.run("sql", "--at", "2", "CREATE TEMP TABLE x AS SELECT * FROM s.t")
    place = lake.root / "s" / "t"
    equal(json.loads(lake.run("sql", "--at", "1999-01-01", "--format", "json", "SELECT 1 AS n", status=2) or "[]"), [])
    equal(lake.rows(f'SELECT count(*) AS n FROM delta."{place}"'), [{"n": 3}])
    lake.run("sql", "SELECT * FROM s.t TIMESTAMP AS OF '1990-01-01'", status=None)
    assert lake.err
    from deltalake import DeltaTable
    equal(DeltaTable(str(lake.root / "s/t")).to_pyarrow_table().num_rows, 3)


@case
def clauses(lake):
    lake.run("sql", f"""CREATE TABLE IF NOT EXISTS s.t USING DELTA PARTITIONED BY (k) COMMENT 'it''s' LOCATION '{lake.dir}/place'
        TBLPROPERTIES ('delta.appendOnly' = 'true', my.own = 5) AS SELECT i % 2 AS k, i FROM range(4) r(i)""")
    from deltalake import DeltaTable
    d = DeltaTable(str(lake.dir / "place"))
    equal((d.metadata().partition_columns, d.metadata().description, d.metadata().configuration), (["k"], "it's", {"delta.appendOnly": "true", "my.own": "5"}))
    equal(lake.rows("SELECT sum(i) AS s FROM s.t"), [{"s": 6}])
    for wrong in ("'delta.checkpointInterval' = '-3'", "'delta.enableDeletionVectors' = 'maybe'", "'delta.logRetentionDuration' = 'soon'"):
        lake.run("sql", f"CREATE TABLE s.wrong TBLPROPERTIES ({wrong}) AS SELECT 1 AS x", status=None)
        has(lake.err, wrong.split("'")[1])
        assert not (lake.root / "s/wrong").exists()
    lake.run("sql", "CREATE TABLE IF NOT EXISTS s.t AS SELECT 1 AS x")
    has(lake.err, "there already")
    lake.run("sql", "CREATE TABLE s.t AS SELECT 1 AS x", status=1)
    has(lake.err, "CREATE OR REPLACE")
    lake.run("sql", "CREATE TABLE s.e (a INTEGER, b DECIMAL(10,2)[], c STRUCT(x DATE))")
    equal(lake.rows("SELECT column_name AS c, column_type AS t FROM (DESCRIBE s.e)"),
          [{"c": "a", "t": "INTEGER"}, {"c": "b", "t": "DECIMAL(10,2)[]"}, {"c": "c", "t": "STRUCT(x DATE)"}])
    lake.run("sql", "CREATE TABLE s.n (a INTEGER NOT NULL)")
    lake.run("sql", "INSERT INTO s.n VALUES (NULL)", status=None)
    has(lake.err, "may not be NULL")
    lake.run("sql", "CREATE TABLE s.k (a INTEGER PRIMARY KEY)", status=2)
    has(lake.err, "has no PRIMARY")
    lake.run("sql", "CREATE OR REPLACE TABLE s.e AS SELECT 1 AS z; CREATE OR REPLACE TABLE s.e AS SELECT z + 1 AS z FROM s.e")
    equal(lake.rows("FROM s.e"), [{"z": 2}])
    lake.run("sql", "CREATE TABLE s.f AS WITH q AS (SELECT 1 AS \"AS\") SELECT * FROM q -- comment; here\n")
    equal(lake.rows("FROM s.f"), [{"AS": 1}])


@case
def wrong_inserts(lake):
    filled(lake)
    for sql, says in (("INSERT INTO s.t VALUES (1)", "3 columns are wanted, the query gives 1"), ("INSERT INTO s.t (id, nope) VALUES (1, 2)", "no column 'nope'"),
                      ("INSERT INTO s.t (id, ID) VALUES (1, 2)", "named twice"), ("INSERT INTO s.no VALUES (1)", "there is no table 's.no'"),
                      ("INSERT INTO s.t VALUES ('x', 'y', 1)", "onversion"), ("INSERT INTO s.t", "must follow")):
        lake.run("sql", sql, status=None)
        has(lake.err, says)
    equal(lake.delta("s.t").version(), 0)


@case
def changed_rows(lake):
    filled(lake)
    before = lake.rows("SELECT count(*) AS n FROM s.t")[0]["n"]
    lake.run("sql", "UPDATE s.t SET v = -1 WHERE id = 1; DELETE FROM s.t AS x WHERE x.id = 2")
    has(lake.err, "updated 1 row of s.t, version 1")
    has(lake.err, "deleted 1 row from s.t, version 2")
    equal(lake.rows("SELECT count(*) AS n, count(*) FILTER (v = -1) AS u FROM s.t"), [{"n": before - 1, "u": 1}])
    lake.run("sql", "MERGE INTO s.t USING (SELECT 1 AS id UNION ALL SELECT 77) AS q ON t.id = q.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (q.id)")
    has(lake.err, "merged into s.t: 1 inserted, 0 updated, 1 deleted, version 3")
    for sql, says in (("UPDATE s.t SET nope = 1", "no column 'nope'"), ("UPDATE s.t SET v = 1, V = 2", "set twice"), ("UPDATE s.t SET t.x.y = 1", "only whole columns"),
                      ("DELETE FROM s.t WHERE", "is expected"), ("UPDATE s.t SET v = 1 FROM s.u, s.w", "join them"), ("DELETE FROM s.t USING s.u JOIN s.w", "join them"),
                      ("MERGE INTO s.t USING s.t AS u ON t.id = u.id WHEN MATCHED THEN INSERT *", "WHEN NOT MATCHED inserts"), ("DELETE FROM s.no", "no Delta table")):
        lake.run("sql", sql, status=None)
        has(lake.err, says)
    equal(lake.delta("s.t").version(), 3)
    lake.run("sql", "TRUNCATE TABLE s.t")
    equal(lake.rows("SELECT count(*) AS n FROM s.t"), [{"n": 0}])


@case
def not_yet(lake):
    filled(lake)
    lake.run("sql", "ALTER TABLE s.t RENAME TO u", status=2)
    has(lake.err, "cannot be renamed")
    has(lake.err, "hint:")
    equal(lake.rows("CREATE TEMP TABLE m AS SELECT 1 AS a; UPDATE m SET a = 2; DELETE FROM m WHERE a = 1; FROM m"), [{"a": 2}])


@case
def columns(lake):
    """CREATE TABLE with columns, ALTER TABLE, DEFAULT: what the table is made of is published like its rows."""
    lake.run("sql", """CREATE TABLE s.c (id BIGINT GENERATED BY DEFAULT AS IDENTITY, name STRING NOT NULL DEFAULT 'x' COMMENT 'who', d DATE,
        y INT GENERATED ALWAYS AS (year(d)), CONSTRAINT late CHECK (d > '2000-01-01')) PARTITIONED BY (y) COMMENT 'c'""")
    lake.run("sql", "INSERT INTO s.c (d) VALUES (DATE '2024-02-03'); INSERT INTO s.c VALUES (DEFAULT, 'n', DATE '2025-01-01', DEFAULT)")
    equal(lake.rows("SELECT id, name, y FROM s.c ORDER BY id"), [{"id": 1, "name": "x", "y": 2024}, {"id": 2, "name": "n", "y": 2025}])
    lake.run("sql", "INSERT INTO s.c (d) VALUES (DATE '1999-01-01')", status=None)
    has(lake.err, "violates the constraint 'late': d > '2000-01-01'")
    lake.run("sql", "ALTER TABLE s.c DROP COLUMN name", status=2)
    has(lake.err, "delta.columnMapping.mode")
    lake.run("sql", "ALTER TABLE s.c SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name'); ALTER TABLE s.c RENAME COLUMN name TO who")
    has(lake.err, "altered s.c, version 4")
    lake.run("sql", "ALTER TABLE s.c ADD COLUMNS (a INT AFTER id, b STRUCT<x: INT>); ALTER TABLE s.c ADD COLUMN b.y DOUBLE")
    equal(lake.rows("SELECT column_name AS c FROM (DESCRIBE s.c)"), [{"c": c} for c in ("id", "a", "who", "d", "y", "b")])
    lake.run("sql", "ALTER TABLE s.c DROP COLUMN d", status=2)
    has(lake.err, "'late' needs it")
    lake.run("sql", "ALTER TABLE s.c DROP CONSTRAINT late; ALTER TABLE s.c DROP COLUMNS (a, b.x)")
    lake.run("sql", "UPDATE s.c SET who = DEFAULT, d = DATE '2030-01-01' WHERE id = 2")
    equal(lake.rows("SELECT id, who, y FROM s.c ORDER BY id"), [{"id": 1, "who": "x", "y": 2024}, {"id": 2, "who": "x", "y": 2030}])
    lake.run("sql", "COMMENT ON TABLE s.c IS 'all'; COMMENT ON COLUMN s.c.who IS NULL; ALTER TABLE IF EXISTS s.none ADD COLUMN x INT")
    equal(lake.delta("s.c").metadata().description, "all")
    lake.run("sql", "ALTER TABLE s.c ADD COLUMN who INT", status=None)
    has(lake.err, "already")


@case
def views_and_drops(lake):
    filled(lake)
    lake.run("sql", "CREATE VIEW g.v AS SELECT id, v * 2 AS w FROM s.t WHERE name LIKE 'n%'; CREATE VIEW g.w AS SELECT sum(w) AS s FROM g.v")
    equal(lake.rows("FROM g.w"), [{"s": 30.0}])
    lake.run("sql", "CREATE VIEW g.v AS SELECT 1 AS x", status=1)
    lake.run("sql", "CREATE VIEW g.x AS SELECT nope FROM s.t", status=1)
    lake.run("sql", f"CREATE VIEW g.x AS SELECT * FROM delta.\"{lake.root}/s/t\"", status=2)
    lake.run("sql", "DROP TABLE g.v", status=1)
    has(lake.err, "DROP VIEW")
    lake.run("sql", "DROP VIEW g.w; DROP VIEW IF EXISTS g.w; DROP TABLE s.t")
    has(lake.err, "its data is kept in 's/t'")
    equal(lake.delta("s.t").to_pyarrow_table().num_rows, 5)
    lake.run("sql", "DROP TABLE s.t", status=2)


@case
def places_and_unpinned(lake):
    import pyarrow as pa
    from deltalake import write_deltalake
    write_deltalake(str(lake.root / "raw" / "w"), pa.table({"a": [1, 2]}))
    write_deltalake(str(lake.dir / "a place" / "it's"), pa.table({"b": [3]}))
    write_deltalake(str(lake.dir / "a place" / "it's"), pa.table({"b": [4]}), mode="append")
    equal(lake.rows("SELECT sum(a) AS s FROM raw.w"), [{"s": 3}])
    p = f"{lake.dir}/a place/it's"
    equal(lake.rows(f'SELECT sum(b) AS s FROM delta."{p}" JOIN raw.w ON true'), [{"s": 14}])
    equal(lake.rows(f"SELECT sum(b) AS s FROM delta.`{p}` VERSION AS OF 0"), [{"s": 3}])
    equal(lake.rows('SELECT b FROM delta."./a place/it\'s" AS q WHERE q.b > 3'), [{"b": 4}])
    lake.run("sql", f'INSERT INTO delta."{p}" VALUES (5)')
    equal(lake.rows(f'SELECT max(b) AS m FROM delta."{p}"'), [{"m": 5}])
    lake.run("sql", f'CREATE TABLE delta."{lake.dir}/new" AS SELECT 1 AS x')
    equal(lake.rows(f'FROM delta."{lake.dir}/new"'), [{"x": 1}])
    lake.run("sql", 'FROM delta."/nowhere/at/all"', status=2)
    has(lake.err, "/nowhere/at/all")
    equal(lake.rows("SELECT 'delta.\"/no/place\"' AS t, 'raw.w' AS u"), [{"t": 'delta."/no/place"', "u": "raw.w"}])
    has(lake.run("sql", "SHOW ALL TABLES"), "raw")
    equal(lake.rows("SELECT table_schema AS s, table_name AS n FROM information_schema.tables"), [{"s": "raw", "n": "w"}])
    equal(lake.rows("USE raw; SELECT count(*) AS n FROM w"), [{"n": 2}])
    equal(lake.rows("SELECT * FROM query('SELECT count(*) AS n FROM raw.w')"), [{"n": 2}])


@case
def history_and_restore(lake):
    filled(lake)
    lake.run("sql", "INSERT INTO s.t VALUES (7, 'q', 1); RESTORE TABLE s.t TO VERSION AS OF 0")
    has(lake.err, "restored s.t to version 0 as version 2")
    h = lake.rows("DESCRIBE HISTORY s.t")
    equal([e["version"] for e in h], [2, 1, 0])
    equal(len(lake.rows("DESCRIBE HISTORY s.t LIMIT 1")), 1)
    d = lake.rows("DESCRIBE DETAIL s.t")[0]
    equal((d["format"], d["num_rows"], d["version"]), ("delta", 5, 2))
    has(lake.run("sql", "SUMMARIZE s.t"), "approx_unique")


@case
def formats(lake):
    sql = "SELECT i AS n, CASE WHEN i = 1 THEN NULL WHEN i = 2 THEN '' ELSE 'a,\"b\"' || chr(10) END AS t, i::DECIMAL(10,2) AS d, [i] AS l, {'x': i} AS s, DATE '2024-01-01' AS day FROM range(3) r(i)"
    out = lake.run("sql", "--format", "csv", sql)
    rows = list(csv.reader(io.StringIO(out)))
    equal(rows[0], ["n", "t", "d", "l", "s", "day"])
    equal(rows[1], ["0", 'a,"b"\n', "0.00", "[0]", "{'x': 0}", "2024-01-01"])
    has(out, "\n1,,1.00")
    has(out, '\n2,"",2.00')
    equal(lake.run("sql", "--format", "csv", "--no-header", "SELECT 1"), "1\n")
    equal(json.loads(lake.run("sql", "--format", "json", sql))[1], {"n": 1, "t": None, "d": 1.0, "l": [1], "s": {"x": 1}, "day": "2024-01-01"})
    equal(len([json.loads(line) for line in lake.run("sql", "--format", "ndjson", sql).splitlines()]), 3)
    equal(json.loads(lake.run("sql", "--format", "json", "SELECT 1 WHERE false")), [])
    equal(json.loads(lake.run("sql", "--format", "json", "SELECT 'nan'::DOUBLE AS x")), [{"x": None}])
    import pyarrow as pa, pyarrow.parquet as pq
    lake.run("sql", "-o", "out.parquet", sql)
    equal(pq.read_table(lake.dir / "out.parquet").column("n").to_pylist(), [0, 1, 2])
    lake.run("sql", "-o", "out.arrows", sql)
    equal(pa.ipc.open_stream((lake.dir / "out.arrows").read_bytes()).read_all().column("n").to_pylist(), [0, 1, 2])
    lake.run("sql", "-o", "out.csv", "SELECT 1 AS a")
    equal((lake.dir / "out.csv").read_text(), "a\n1\n")
    lake.run("sql", "-o", "out.csv", "SELECT 1 AS a; SELECT nonsense", status=1)
    equal((lake.dir / "out.csv").read_text(), "a\n1\n")  # the old file stays whole
    equal([p.name for p in lake.dir.glob("*.tmp-*")], [])
    lake.run("sql", "-o", "d.parquet", "DESCRIBE SELECT 1 AS a")
    equal(pq.read_table(lake.dir / "d.parquet").column("column_name").to_pylist(), ["a"])
    lake.run("sql", "-o", "two.parquet", "SELECT 1; SELECT 2", status=2)
    lake.run("sql", "--format", "nonsense", "SELECT 1", status=2)
    lake.run("sql", "--format", "csv", "-o", "no/such/folder/x", "SELECT 1", status=2)


@case
def the_table(lake):
    out = lake.run("sql", "SELECT 1 AS n, NULL AS x, 'ä漢' AS t, 'a\nb' AS u, 1234.5::DECIMAL(10,2) AS d")
    equal(out, "┌─────────┬─────────┬─────────┬─────────┬───────────────┐\n"
               "│       n │       x │ t       │ u       │             d │\n"
               "│ integer │ integer │ varchar │ varchar │ decimal(10,2) │\n"
               "├─────────┼─────────┼─────────┼─────────┼───────────────┤\n"
               "│       1 │    NULL │ ä漢     │ a\\nb    │       1234.50 │\n"
               "└─────────┴─────────┴─────────┴─────────┴───────────────┘\n"
               "(1 row)\n")
    has(lake.run("sql", "--rows", "2", "FROM range(12345)"), "(12,345 rows, 2 shown)")
    has(lake.run("sql", "SELECT 1 WHERE false"), "(0 rows)")
    has(lake.run("sql", "EXPLAIN SELECT 1"), "│")


@case
def scripts_and_errors(lake):
    lake.file("s.sql", "-- first\nSELECT 1 AS a;\n\n/* second */ SELECT 2 AS b\n;\n")
    equal(lake.run("sql", "-f", "s.sql", "--format", "csv"), "a\n1\nb\n2\n")
    equal(lake.run("sql", "--format", "csv", stdin="SELECT 5 AS x; SELECT ';' AS y"), "x\n5\ny\n;\n")
    equal(lake.run("sql", "-", "--format", "csv", stdin="SELECT 5 AS x"), "x\n5\n")
    equal(lake.run("sql", "--format", "csv", stdin=""), "")
    lake.file("bad.sql", "SELECT 1;\n\nSELECT 2,\n  nonsense\nFROM range(3);\n")
    lake.run("sql", "-f", "bad.sql", status=1)
    has(lake.err, "bad.sql:4")
    lake.run("sql", "SELECT 1;\nSELECT nonsense", status=1)
    has(lake.err, "statement 2, line 2")
    lake.run("sql", "SELECT 'open", status=2)
    lake.run("sql", "-f", "nope.sql", status=2)
    lake.run("sql", "SELECT 1", "-f", "s.sql", status=2)
    lake.run("sql", "--at", "yesterday", "SELECT 1", status=2)
    lake.run("sql", "SELECT * FROM no.such", status=1)
    has(lake.err, "no.such")
    has(lake.run("sql", "--help"), "Examples:")


@case
def memory_is_bounded(lake):
    done = subprocess.run(["/usr/bin/env", "bash", "-c", 'ulimit -v 3000000; "$TARN" sql --memory-limit 300MB --threads 2 --format csv "SELECT i, i * 2 AS j, \'some text to make it longer \' || i AS t FROM range(5000000) r(i)" | tail -n 1'],
                          cwd=lake.dir, env={**lake.env, "TARN": os.environ["TARN"]}, capture_output=True, timeout=600)
    equal(done.stdout, b"4999999,9999998,some text to make it longer 4999999\n")


@case
def a_closed_pipe_is_no_crash(lake):
    done = subprocess.run(["bash", "-c", '"$TARN" sql --format csv "FROM range(10000000)" | head -n 1; echo "${PIPESTATUS[0]}"'], cwd=lake.dir,
                          env={**lake.env, "TARN": os.environ["TARN"]}, capture_output=True, timeout=600)
    assert done.stdout.startswith(b"range\n") and done.stdout.strip()[-1:] in b"012", done


@case
def the_shell(lake):
    filled(lake)
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(lake.dir)
        os.execve(os.environ["TARN"], ["tarn", "sql"], {**lake.env, "TERM": "dumb"})
    seen = b""

    def read_until(*ends):
        nonlocal seen
        while not seen.endswith(ends):
            assert select.select([fd], [], [], 300)[0], seen
            try:
                part = os.read(fd, 65536)
            except OSError:  # the end of a terminal
                part = b""
            if not part:
                return
            seen += part
    for line in (b"SELECT count(*) AS n\n", b"FROM s.t;\n", b".tables\n", b".schema s.t\n", b".nonsense\n", b"SELECT nonsense;\n", b"SELECT 'a;b' AS q;\n", b".quit\n"):
        read_until(b"tarn> ", b" ...> ")
        os.write(fd, line)
        seen += b"|"  # the prompt is none of the next answer
    read_until(b"never")
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    text = seen.decode(errors="replace")
    for part in ("tarn>", " ...>", "│      5 │", "varchar", "is no command of the shell", "nonsense", "a;b"):
        has(text, part)


@case
def errors_in_the_users_words(lake):
    """What the program wrote around a statement is not cited; what the user wrote is."""
    filled(lake)
    for bad, part, cited in (("UPDATE s.t SET id = 'x'", "Could not convert string 'x'", False), ("DELETE FROM s.t WHERE nope = 1", '"nope" not found', False),
                             ("INSERT INTO s.t SELECT 'x', 'y', 1", "Could not convert string 'x'", False), ("INSERT INTO s.t SELECT 1, nope, 1", "nope", True),
                             ("MERGE INTO s.t t USING (SELECT 1 AS id) s ON t.id = s.nope WHEN MATCHED THEN DELETE", '"nope"', False)):
        lake.run("sql", bad, status=1)
        has(lake.err, part)
        equal((bad, "LINE" in lake.err), (bad, cited))
        assert "_tarn_" not in lake.err, lake.err
    lake.run("sql", "CREATE TABLE s.u CLONE s.nope", status=None)
    has(lake.err, "there is no Delta table 's.nope'")


@case
def own_columns_are_not_proposed(lake):
    filled(lake)
    lake.run("sql", "CREATE TABLE s.two AS SELECT 1 AS id, 'x' AS w")
    for statement in ["UPDATE s.t SET id = nope", "DELETE FROM s.t WHERE nope = 1", "MERGE INTO s.t USING s.two o ON t.id = o.id WHEN MATCHED AND wx > 3 THEN DELETE",
                      "MERGE INTO s.t USING s.two o ON t.id = o.id WHEN NOT MATCHED BY SOURCE AND nope THEN DELETE", "ALTER TABLE s.t ADD CONSTRAINT c CHECK (nope > 1)"]:
        lake.run("sql", statement, status=1)
        has(lake.err, "not found in FROM clause")
        assert "_tarn" not in lake.err and "LINE" not in lake.err, lake.err
    lake.run("sql", "MERGE INTO s.t USING s.two o ON t.id = o.id WHEN MATCHED AND wx > 3 THEN DELETE", status=1)
    has(lake.err, 'Candidate bindings: "w"')


@case
def null_without_a_type(lake):
    """As in DuckDB, INTEGER; the user is told."""
    filled(lake)
    lake.run("sql", "CREATE TABLE s.n AS SELECT 1 AS id, NULL AS a, NULL::VARCHAR AS b, NULL AS c")
    has(lake.err, "INTEGER was taken for: a, c")
    equal([(r["column_name"], r["column_type"]) for r in lake.rows("DESCRIBE s.n")], [("id", "INTEGER"), ("a", "INTEGER"), ("b", "VARCHAR"), ("c", "INTEGER")])
    lake.run("sql", "CREATE TABLE s.v (id INTEGER, a VOID)")
    assert "was taken for" not in lake.err


@case
def words_of_other_engines(lake):
    filled(lake)
    equal(lake.rows("SHOW TABLES"), [{"schema": "s", "name": "t", "kind": "table"}])
    equal(lake.rows("SHOW TABLES IN s LIKE 'x*'"), [])
    equal(lake.rows("SHOW TABLES 't%'"), [{"schema": "s", "name": "t", "kind": "table"}])
    lake.run("sql", "SHOW TABLES s", status=None)
    has(lake.err, "write SHOW TABLES")
    lake.run("sql", "MSCK REPAIR TABLE s.t", status=1)
    has(lake.err, "hint: in place of msck repair: FSCK")
    lake.run("sql", "CREATE TABLE s.u CLONE s.t")
    equal(lake.rows("SELECT count(*) AS n FROM s.u"), [{"n": 5}])


main()
