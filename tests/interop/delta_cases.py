"""The tables that other engines judge, one entry a feature or an operation: a new feature is a new entry.

A case says how the table is made and what is then done to it, in statements that tarn and Spark both understand; where they differ, a step is a dict
{"tarn": .., "spark": ..}. In a text {t} is the table, {p} its folder, {s} another table beside it, {ts} and {ntz} the engine's names of the types timestamp and timestamp_ntz; a text
that begins with ! is a command of tarn; @app version SELECT.. appends rows as a write of that number by an application. A step Fails(..) must be refused by
whoever does it, a step Nothing(..) must leave the rows as they are. A step None is not done by that engine.

test_spark.py runs each case twice: tarn makes the table and the steps are done by Spark and tarn in turn; then the other way round. test_delta_engines.py lets
tarn do all of it. After each step all engines read, and all must see the same rows.
"""
from dataclasses import dataclass, field

import delta_seen as judged

DIALECT = {
    "tarn": {"{ts}": "TIMESTAMPTZ", "{ntz}": "TIMESTAMP", "{struct type}": "STRUCT(a INT, `b c` STRING)", "{struct(1, 'y')}": "{'a': 1, 'b c': 'y'}", "{struct(NULL, 'z')}": "{'a': NULL, 'b c': 'z'}"},
    "spark": {"{ts}": "TIMESTAMP", "{ntz}": "TIMESTAMP_NTZ", "{struct type}": "STRUCT<a: INT, `b c`: STRING>", "{struct(1, 'y')}": "named_struct('a', 1, 'b c', 'y')", "{struct(NULL, 'z')}": "named_struct('a', NULL, 'b c', 'z')"},
}


@dataclass
class Case:
    name: str  # the row of the manual's table
    make: object  # SQL or a list of it, or a dict of these by engine
    steps: list = field(default_factory=list)
    columns: object = "*"  # what is read; a dict by engine for types whose Arrow form differs
    probes: list = field(default_factory=list)  # conditions: rows that fulfil them are counted with and without data skipping
    cannot: dict = field(default_factory=dict)  # engine -> {"reads" or "writes": why it is known not to}
    stays: str = ""  # "key, value" for Spark: what stays as it was for rows that stay
    changes: bool = False  # the change data feed is read, too
    same_end: bool = True  # both ways end with the same rows
    travels: bool = True  # old versions can be read at the end
    appends: str = ""  # columns that the other engines append to the table in interop; all when empty
    waits: bool = False  # tarn cannot write such tables yet: Spark does all, tarn reads
    then: object = None  # a function of the Run of test_spark.py: what else is to be seen of this feature


@dataclass
class Fails:
    step: object


@dataclass
class Nothing:
    step: object


def text(step, engine):
    """One statement in an engine's words."""
    for k, v in DIALECT[engine].items():
        step = step.replace(k, v)
    return step.replace("`", '"') if engine == "tarn" else step


def texts(step, engine):
    """What this engine does in a step: a list of statements, or None."""
    step = step.step if isinstance(step, (Fails, Nothing)) else step
    step = step.get(engine) if isinstance(step, dict) else step
    return step and [text(s, engine) for s in ([step] if isinstance(step, str) else step)]


ROWS = """SELECT id, CAST(id % 4 AS INT) AS g, CASE WHEN id % 7 > 0 THEN CAST(id * 31 % 100 AS INT) END AS v,
 CASE WHEN id % 5 > 0 THEN concat('s', CAST(id AS STRING)) END AS s FROM range(60) AS r(id)"""
MORE = ROWS.replace("range(60)", "range(60, 80)")
PROBES = ["id = 7", "id > 55", "v IS NULL", "v < 10", "s = 's11'", "s IS NOT NULL", "g = 2 AND v > 50", "id > 1000"]
DV = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
DML = [
    "UPDATE {t} SET v = v + 1, s = 'up' WHERE id < 20",
    "DELETE FROM {t} WHERE id % 10 = 3",
    f"INSERT INTO {{t}} {MORE}",
    """MERGE INTO {t} AS t USING (SELECT id + 50 AS id, CAST(9 AS INT) AS g, CAST(id AS INT) AS v, 'merged' AS s FROM range(40) AS r(id)) AS s ON t.id = s.id
 WHEN MATCHED AND t.g = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *""",
    "DELETE FROM {t} WHERE v IS NULL",
    "UPDATE {t} SET g = 5 WHERE s LIKE 'm%'",
]

COLUMN_MAPPING = [
    "INSERT INTO {t} VALUES (1, 'x', {struct(1, 'y')}, 5, 'p'), (2, NULL, NULL, NULL, NULL)",
    "INSERT INTO {t} VALUES (3, 'y', {struct(NULL, 'z')}, 6, 'q/r')",
    "ALTER TABLE {t} RENAME COLUMN st.a TO aa",
    "ALTER TABLE {t} RENAME COLUMN `odd name, ;{}()=` TO `odd; new`",
    "UPDATE {t} SET `odd; new` = 'z' WHERE id = 1",
    "ALTER TABLE {t} DROP COLUMN gone",
    "INSERT INTO {t} SELECT id + 10, `odd; new`, st, g FROM {t}",
    "ALTER TABLE {t} ADD COLUMN gone STRING",
    "DELETE FROM {t} WHERE id = 12",
    "UPDATE {t} SET gone = 'back' WHERE st.aa = 1",
    "OPTIMIZE {t}",
]

# Spark's and DuckDB's words for a struct
def packed(**fields):
    return {"tarn": "{" + ", ".join(f"'{k}': {v}" for k, v in fields.items()) + "}", "spark": "named_struct(" + ", ".join(f"'{k}', {v}" for k, v in fields.items()) + ")"}


def with_struct(statement, **fields):
    return {engine: statement.replace("{struct}", words) for engine, words in packed(**fields).items()}


ALL_CLAUSES = """MERGE INTO {t} AS t USING (SELECT id + {from} AS id, CAST(id % 5 AS INT) AS g, CAST(id * 3 AS INT) AS v, concat('m', CAST(id AS STRING)) AS s FROM range(30) AS r(id)) AS s ON t.id = s.id
 WHEN MATCHED AND s.v % 4 = 0 THEN DELETE WHEN MATCHED AND s.v % 4 = 1 THEN UPDATE SET v = s.v, s = t.s || s.s WHEN MATCHED THEN UPDATE SET *
 WHEN NOT MATCHED AND s.v % 2 = 0 THEN INSERT (id, v) VALUES (s.id, -s.v) WHEN NOT MATCHED THEN INSERT *
 WHEN NOT MATCHED BY SOURCE AND t.id % 6 = 0 THEN DELETE WHEN NOT MATCHED BY SOURCE AND t.id % 6 = 1 THEN UPDATE SET s = 'alone'"""
EVOLVE = """MERGE WITH SCHEMA EVOLUTION INTO {t} AS t USING (SELECT id + {from} AS id, {columns} FROM range(20) AS r(id)) AS s ON t.id = s.id
 WHEN MATCHED AND t.id % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"""


def evolve(start, columns, **fields):
    return with_struct(EVOLVE.replace("{from}", str(start)).replace("{columns}", columns), **fields)


EVOLUTION = [
    evolve(50, "CAST(7 AS INT) AS v, CAST('e' AS STRING) AS extra"),
    evolve(60, "{struct} AS st, CAST('f' AS STRING) AS extra", a="CAST(id AS INT)", b="CAST('x' AS STRING)"),
    evolve(10, "{struct} AS st, CAST(id AS DOUBLE) AS x", b="CAST('y' AS STRING)", c="CAST(id AS BIGINT)"),
    evolve(70, "{struct} AS st, 's' AS s", a="CAST(id AS INT)", b="CAST('z' AS STRING)", c="CAST(NULL AS BIGINT)"),
    "DELETE FROM {t} WHERE st.c > 15",
    """MERGE WITH SCHEMA EVOLUTION INTO {t} AS t USING (SELECT id, CAST('last' AS STRING) AS s, DATE '2024-01-01' AS day FROM range(100, 103) AS r(id)) AS s ON t.id = s.id
 WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE AND t.id % 7 = 0 THEN UPDATE SET extra = 'old'""",
    f"INSERT INTO {{t}} (id, v) SELECT id, v FROM ({MORE.replace('range(60, 80)', 'range(200, 210)')}) AS m",
]
EVOLVED_PROBES = ["id = 7", "extra = 'e'", "extra IS NULL", "st.b = 'y'", "st.c > 5", "st IS NULL", "x IS NOT NULL", "x > 3", "day = DATE '2024-01-01'", "s = 'last'"]

VERIFIED = [f"SET spark.databricks.delta.incremental.commit.verify = {on}" for on in ("true", "false")]

CASES = [
    Case("plain tables", f"CREATE TABLE {{t}} USING delta AS {ROWS}", [f"INSERT INTO {{t}} {MORE}", f"INSERT INTO {{t}} {MORE}"], probes=PROBES),
    Case("UPDATE, DELETE, MERGE, rewriting", f"CREATE TABLE {{t}} USING delta AS {ROWS}", DML, probes=PROBES),
    Case("UPDATE, DELETE, MERGE, deletion vectors", f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}", DML + DML[1:2], probes=PROBES),
    Case("partitioned", f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) AS {ROWS}", DML, probes=PROBES + ["g IS NULL"]),
    Case("partitioned, deletion vectors", f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) {DV} AS {ROWS}", DML, probes=PROBES),
    Case(
        "partition values of all types",
        """CREATE TABLE {t} USING delta PARTITIONED BY (p, d, t, n, b, m) AS SELECT * FROM (VALUES
 (1, 'a b/c%d=é:?#', DATE '2024-02-29', CAST('2024-01-01 01:02:03.456789' AS {ts}), CAST('2024-01-01 01:02:03.456789' AS {ntz}), true, CAST(1.50 AS DECIMAL(10, 2))),
 (2, CAST(NULL AS STRING), CAST(NULL AS DATE), CAST(NULL AS {ts}), CAST(NULL AS {ntz}), CAST(NULL AS BOOLEAN), CAST(NULL AS DECIMAL(10, 2))),
 (3, '+%20&"''', DATE '1850-01-01', CAST('1969-12-31 23:59:59' AS {ts}), CAST('1969-12-31 23:59:59' AS {ntz}), false, CAST(-3 AS DECIMAL(10, 2)))) AS v(id, p, d, t, n, b, m)""",
        [
            "INSERT INTO {t} SELECT id + 10, p, d, t, n, b, m FROM {t}",
            "DELETE FROM {t} WHERE d = DATE '2024-02-29' AND id > 5",
            "UPDATE {t} SET p = concat(p, '/x'), id = id + 100 WHERE b",
            "UPDATE {t} SET p = NULL WHERE id = 13",
        ],
        probes=["p = 'a b/c%d=é:?#'", "p IS NULL", "d < DATE '1900-01-01'", "t IS NULL", "b", "m = 1.5", "n > CAST('2000-01-01' AS {ntz})"],
        cannot={"DuckDB": {"writes": "not with partitions by timestamp"}},
    ),
    Case(
        "all types",
        {
            "tarn": """CREATE TABLE {t} (id BIGINT, i1 TINYINT, i2 SMALLINT, i4 INT, f FLOAT, d DOUBLE, m DECIMAL(38, 10), n DECIMAL(5, 2), b BOOLEAN, y BLOB, s VARCHAR, dt DATE, t TIMESTAMPTZ,
 z TIMESTAMP, st STRUCT(a INT, b STRUCT(c VARCHAR)), l INT[], ls STRUCT(x INT)[], mp MAP(VARCHAR, INT))""",
            "spark": """CREATE TABLE {t} (id BIGINT, i1 TINYINT, i2 SMALLINT, i4 INT, f FLOAT, d DOUBLE, m DECIMAL(38, 10), n DECIMAL(5, 2), b BOOLEAN, y BINARY, s STRING, dt DATE, t TIMESTAMP,
 z TIMESTAMP_NTZ, st STRUCT<a: INT, b: STRUCT<c: STRING>>, l ARRAY<INT>, ls ARRAY<STRUCT<x: INT>>, mp MAP<STRING, INT>) USING delta""",
        },
        [
            {
                "tarn": """INSERT INTO {t} VALUES
 (1, 127, 32767, 2147483647, 1.5, 'nan'::DOUBLE, 1234567890123456789012345678.0123456789, 999.99, true, '\\x00\\xFF'::BLOB, 'é😀', '9999-12-31', '2024-06-01 12:00:00.123456+00', '2024-06-01 12:00:00.123456',
  {'a': 1, 'b': {'c': 'x'}}, [1, NULL, 3], [{'x': 1}, NULL], MAP {'k': 1, 'l': NULL}),
 (2, -128, -32768, -2147483648, 'inf'::FLOAT, '-inf'::DOUBLE, -1234567890123456789012345678.0123456789, -999.99, false, ''::BLOB, '', '0001-01-01', '1800-01-01 00:00:00+00', '1800-01-01 00:00:00',
  {'a': NULL, 'b': NULL}, [], [], MAP {}),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
                "spark": """INSERT INTO {t} VALUES
 (1, 127, 32767, 2147483647, 1.5, CAST('nan' AS DOUBLE), 1234567890123456789012345678.0123456789, 999.99, true, X'00FF', 'é😀', DATE '9999-12-31', TIMESTAMP '2024-06-01 12:00:00.123456', TIMESTAMP_NTZ '2024-06-01 12:00:00.123456',
  named_struct('a', 1, 'b', named_struct('c', 'x')), array(1, NULL, 3), array(named_struct('x', 1), NULL), map('k', 1, 'l', NULL)),
 (2, -128, -32768, -2147483648, CAST('inf' AS FLOAT), CAST('-inf' AS DOUBLE), -1234567890123456789012345678.0123456789, -999.99, false, X'', '', DATE '0001-01-01', TIMESTAMP '1800-01-01 00:00:00', TIMESTAMP_NTZ '1800-01-01 00:00:00',
  named_struct('a', NULL, 'b', NULL), array(), array(), map()),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
            },
            "INSERT INTO {t} SELECT * FROM {t}",
            "UPDATE {t} SET i4 = 5, s = 'x' WHERE id = 2",
            "DELETE FROM {t} WHERE id = 3",
        ],
        cannot={"DuckDB": {"writes": "not maps"}},
        probes=["i1 = 127", "d > 0", "f IS NULL", "m < 0", "n = -999.99", "dt < DATE '1900-01-01'", "dt = DATE '9999-12-31'", "t > CAST('2024-06-01 12:00:00.123' AS {ts})",
                "z < CAST('1900-01-01' AS {ntz})", "s = 'é😀'", "st.a = 1", "st.b.c = 'x'", "s = ''", "i2 = -32768", "l IS NULL"],
    ),
    Case(
        "long and odd texts (truncated statistics)",
        """CREATE TABLE {t} USING delta AS SELECT * FROM (VALUES (1, concat(repeat('a', 40), 'z')), (2, repeat('é', 50)), (3, repeat('😀', 40)), (4, concat(repeat('b', 31), '😀tail')), (5, ''), (6, NULL)) AS v(id, s)""",
        [f"INSERT INTO {{t}} VALUES (7, concat(repeat('~', 32), 'x'))", "INSERT INTO {t} SELECT id + 10, s || '!' FROM {t}"],
        probes=["s = repeat('😀', 40)", "s = concat(repeat('a', 40), 'z')", "s > repeat('é', 49)", "s = concat(repeat('b', 31), '😀tail')", "s = ''", "s >= concat(repeat('~', 32), 'x')", "s < 'b'"],
    ),
    Case(
        "constraints",
        {
            "tarn": "CREATE TABLE {t} TBLPROPERTIES ('delta.constraints.positive' = 'id > 0', 'delta.constraints.known' = 's IS NOT NULL OR v > 3') AS SELECT 1 AS id, 5 AS v, 'a' AS s",
            "spark": "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.constraints.positive' = 'id > 0', 'delta.constraints.known' = 's IS NOT NULL OR v > 3') AS SELECT 1 AS id, 5 AS v, 'a' AS s",
        },
        [
            "INSERT INTO {t} VALUES (2, 2, 'b')",
            Fails("INSERT INTO {t} VALUES (0, 2, 'b')"),
            Fails("INSERT INTO {t} VALUES (7, NULL, NULL)"),
            Fails("UPDATE {t} SET id = -id"),
            "UPDATE {t} SET s = NULL WHERE v > 3",
            Fails("INSERT INTO {t} VALUES (-1, 2, 'b')"),
        ],
        cannot={"DuckDB": {"writes": "refuses tables with constraints"}},
    ),
    Case(
        "NOT NULL",
        "CREATE TABLE {t} (id BIGINT NOT NULL, v INT) USING delta",
        ["INSERT INTO {t} VALUES (1, 1), (2, NULL)", Fails("INSERT INTO {t} VALUES (NULL, 1)"), Fails("UPDATE {t} SET id = NULL WHERE v = 1"), "INSERT INTO {t} VALUES (3, 1)",
         Fails("INSERT INTO {t} VALUES (NULL, 1)"), "UPDATE {t} SET v = NULL WHERE v = 1"],
    ),
    Case(
        "append-only",
        "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.appendOnly' = 'true') AS SELECT 1 AS id",
        ["INSERT INTO {t} VALUES (2)", "INSERT INTO {t} VALUES (3)", Fails("DELETE FROM {t} WHERE id = 1"), Fails("UPDATE {t} SET id = 9"), "OPTIMIZE {t}", Fails("DELETE FROM {t}")],
    ),
    Case(
        "in-commit timestamps",
        f"CREATE TABLE {{t}} USING delta TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true') AS {ROWS}",
        DML,
        cannot={"deltalake": {"writes": "refuses inCommitTimestamp"}},
        then=judged.same_versions_by_time,
    ),
    Case("OPTIMIZE", f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) AS {ROWS}",
         [f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t}", f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t} WHERE g = 1", "OPTIMIZE {t}"], probes=PROBES),
    Case("OPTIMIZE, deletion vectors", f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}", ["DELETE FROM {t} WHERE id < 30", "OPTIMIZE {t}", "DELETE FROM {t} WHERE v > 50", "OPTIMIZE {t}"], probes=PROBES),
    Case("OPTIMIZE ZORDER BY", f"CREATE TABLE {{t}} USING delta AS {ROWS}", [f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t} ZORDER BY (v, s)", f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t} ZORDER BY (id)"], probes=PROBES),
    Case(
        "VACUUM",
        f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}",
        ["DELETE FROM {t} WHERE id < 30", "OPTIMIZE {t}", {"tarn": "!table vacuum {p} --retain 0 --allow-short-retention", "spark": "VACUUM {t} RETAIN 0 HOURS"}, "DELETE FROM {t} WHERE id < 40",
         {"tarn": "!table vacuum {p} --retain 0 --allow-short-retention", "spark": "VACUUM {t} RETAIN 0 HOURS"}, "DELETE FROM {t} WHERE id < 45"],
        travels=False,
    ),
    Case("RESTORE", f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}",
         ["DELETE FROM {t} WHERE id < 30", "UPDATE {t} SET v = 0", "RESTORE TABLE {t} TO VERSION AS OF 1", "DELETE FROM {t} WHERE id < 40", "RESTORE TABLE {t} TO VERSION AS OF 2", "RESTORE TABLE {t} TO VERSION AS OF 0"]),
    Case("overwrite", f"CREATE TABLE {{t}} USING delta AS {ROWS}", [f"INSERT OVERWRITE {{t}} {MORE}", "INSERT OVERWRITE {t} SELECT * FROM {t} WHERE id < 70", f"INSERT INTO {{t}} {MORE}"], probes=PROBES),
    Case(
        "replaced tables",
        f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('delta.appendOnly' = 'false', 'user.key' = 'a') AS {ROWS}",
        ["CREATE OR REPLACE TABLE {t} USING delta AS SELECT id AS other, 'x' AS s FROM range(5) AS r(id)", "INSERT INTO {t} VALUES (9, 'y')",
         f"CREATE OR REPLACE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('user.key' = 'b', 'delta.enableDeletionVectors' = 'true') AS {ROWS}", "DELETE FROM {t} WHERE id = 5"],
    ),
    Case("checkpoints", f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('delta.checkpointInterval' = '3', 'delta.enableDeletionVectors' = 'true') AS {ROWS}", DML + DML, probes=PROBES),
    Case(
        "column mapping by name",
        """CREATE TABLE {t} (id BIGINT, `odd name, ;{}()=` STRING, st {struct type}, gone INT, g STRING) USING delta PARTITIONED BY (g)
 TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true')""",
        COLUMN_MAPPING,
        probes=["id = 2", "`odd; new` = 'y'", "g = 'p'", "g IS NULL", "st.aa = 1", "id > 100"],
        cannot={"DuckDB": {"reads": "a partition column comes as NULL", "writes": "fails inside"}},
    ),
    Case(
        "column mapping by id",
        """CREATE TABLE {t} (id BIGINT, `odd name, ;{}()=` STRING, st {struct type}, gone INT, g STRING) USING delta
 TBLPROPERTIES ('delta.columnMapping.mode' = 'id')""",
        COLUMN_MAPPING,
        probes=["id = 2", "`odd; new` = 'y'", "g = 'p'", "g IS NULL", "st.aa = 1", "id > 100"],
    ),
    Case(
        "column mapping switched on later",
        f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) AS {ROWS}",
        ["ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", "ALTER TABLE {t} RENAME COLUMN v TO w", "UPDATE {t} SET w = 1 WHERE id < 10", "ALTER TABLE {t} DROP COLUMN s", "INSERT INTO {t} SELECT id, g, w FROM {t} WHERE id > 50",
         "ALTER TABLE {t} ADD COLUMN s STRING", "UPDATE {t} SET s = 'new' WHERE id = 7"],
        probes=["w = 1", "s IS NULL", "g = 2"],
    ),
    Case(
        "ALTER TABLE",
        f"CREATE TABLE {{t}} USING delta AS {ROWS}",
        ["ALTER TABLE {t} ADD COLUMN c1 INT", "ALTER TABLE {t} ADD COLUMNS (c2 STRING, c3 DECIMAL(10, 2))", "INSERT INTO {t} VALUES (100, 1, 2, 'x', 3, 'y', 1.25)", "ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id >= 0)",
         Fails("INSERT INTO {t} VALUES (-1, 1, 2, 'x', 3, 'y', 1.25)"), "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'user.key' = 'x')", "DELETE FROM {t} WHERE id = 3",
         "ALTER TABLE {t} DROP CONSTRAINT positive", "INSERT INTO {t} VALUES (-1, 1, 2, 'x', 3, 'y', 1.25)", "ALTER TABLE {t} UNSET TBLPROPERTIES ('user.key')", Fails("ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id >= 0)"),
         "ALTER TABLE {t} ALTER COLUMN id COMMENT 'the key'"],
        probes=["c1 = 3", "c1 IS NULL", "c3 = 1.25", "id < 0"],
        cannot={"DuckDB": {"writes": "refuses tables that had constraints"}},
    ),
    Case(
        "generated columns",
        "CREATE TABLE {t} (id BIGINT, twice BIGINT GENERATED ALWAYS AS (id * 2), d DATE GENERATED ALWAYS AS (CAST(t AS DATE)), t {ts}) USING delta PARTITIONED BY (d)",
        ["INSERT INTO {t} (id, t) VALUES (1, CAST('2024-01-01 01:02:03' AS {ts})), (2, NULL)", "INSERT INTO {t} (id, t) VALUES (3, CAST('2024-02-01 23:59:59' AS {ts}))",
         "INSERT INTO {t} (id, twice, t) VALUES (4, 8, NULL)", Fails("INSERT INTO {t} (id, twice, t) VALUES (5, 11, NULL)"), "UPDATE {t} SET id = id + 10, t = CAST('2025-01-01 01:02:03' AS {ts}) WHERE id < 3",
         Fails("INSERT INTO {t} (id, twice, t) VALUES (5, 11, NULL)")],
        probes=["d = DATE '2024-02-01'", "twice = 22", "d IS NULL"],
        appends="id, twice, d, t",
        cannot={"DuckDB": {"writes": "fails inside"}},
    ),
    Case(
        "column defaults",
        "CREATE TABLE {t} (id BIGINT, v INT DEFAULT 7, s STRING DEFAULT 'a''b') USING delta TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')",
        ["INSERT INTO {t} (id) VALUES (1)", "INSERT INTO {t} (id) VALUES (2), (3)", "INSERT INTO {t} VALUES (4, DEFAULT, 'x')", "INSERT INTO {t} (id, s) VALUES (5, NULL)", "UPDATE {t} SET v = DEFAULT, s = 'y' WHERE id = 4",
         "ALTER TABLE {t} ALTER COLUMN v SET DEFAULT 8", "INSERT INTO {t} (id) VALUES (6)", "ALTER TABLE {t} ALTER COLUMN v DROP DEFAULT", "INSERT INTO {t} (id) VALUES (7)"],
        cannot={"deltalake": {"writes": "refuses allowColumnDefaults"}, "DuckDB": {"writes": "refuses allowColumnDefaults"}},
    ),
    Case(
        "identity columns",
        "CREATE TABLE {t} (a BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5), b BIGINT GENERATED BY DEFAULT AS IDENTITY, v INT) USING delta",
        ["INSERT INTO {t} (v) VALUES (1), (2), (3)", "INSERT INTO {t} (v) VALUES (4), (5)", "INSERT INTO {t} (b, v) VALUES (1000, 6)", Fails("INSERT INTO {t} (a, v) VALUES (7, 7)"), "INSERT INTO {t} (v) VALUES (8)",
         "UPDATE {t} SET v = 9 WHERE v = 4", "INSERT INTO {t} (v) VALUES (10)"],
        columns="v, a >= 10 AND a % 5 = 0 AS a_ok, b >= 1 AS b_ok, count(*) OVER (PARTITION BY a) AS same_a",
        cannot={"deltalake": {"writes": "refuses identityColumns"}, "DuckDB": {"writes": "refuses identityColumns"}},
    ),
    Case(
        "type widening",
        "CREATE TABLE {t} (id BIGINT, i TINYINT, f FLOAT, m DECIMAL(5, 2), d DATE) USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true')",
        ["INSERT INTO {t} VALUES (1, 1, 1.5, 1.25, DATE '2024-01-01'), (2, NULL, NULL, NULL, NULL)", "ALTER TABLE {t} ALTER COLUMN i TYPE INT", "ALTER TABLE {t} ALTER COLUMN i TYPE BIGINT", "INSERT INTO {t} VALUES (3, 10000000000, 2.5, 2.25, NULL)",
         "ALTER TABLE {t} ALTER COLUMN f TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN m TYPE DECIMAL(12, 4)", "INSERT INTO {t} VALUES (4, 5, 1e300, 12345678.1234, NULL)", "UPDATE {t} SET i = i + 1 WHERE id = 1", "DELETE FROM {t} WHERE id = 2",
         Fails("ALTER TABLE {t} ALTER COLUMN i TYPE INT")],
        probes=["i = 2", "i > 100", "f > 1e200", "m = 1.25", "m > 1000"],
        cannot={"deltalake": {"reads": "refuses typeWidening", "writes": "refuses typeWidening"}, "DuckDB": {"writes": "refuses typeWidening"}},
    ),
    Case(
        "variant",
        "CREATE TABLE {t} (id BIGINT, v VARIANT) USING delta",
        [{"spark": """INSERT INTO {t} SELECT 1, parse_json('{"a": [1, 2, "x"], "b": null}')"""}, {"spark": "INSERT INTO {t} SELECT 2, parse_json('17')"}, {"spark": "INSERT INTO {t} VALUES (3, NULL)"}, "DELETE FROM {t} WHERE id = 2",
         {"tarn": """INSERT INTO {t} SELECT 4, '{"a": {"b": [true, 1.5]}}'::JSON::VARIANT""", "spark": """INSERT INTO {t} SELECT 4, parse_json('{"a": {"b": [true, 1.5]}}')"""},
         {"tarn": "INSERT INTO {t} SELECT 5, '\"x\"'::JSON::VARIANT", "spark": "INSERT INTO {t} SELECT 5, parse_json('\"x\"')"}, "UPDATE {t} SET id = id + 10 WHERE id = 4", "OPTIMIZE {t}"],
        columns={"spark": "id, replace(to_json(v), ' ', '') AS v", "tarn": "id, CASE WHEN v IS NOT NULL THEN replace(v::JSON::VARCHAR, ' ', '') END AS v"},
        appends="id",
        cannot={"deltalake": {"reads": "its SQL has no functions for variants", "writes": "not tried"}, "DuckDB": {"writes": "not tried"}},
    ),
    Case("void columns", {"tarn": None, "spark": "CREATE TABLE {t} USING delta AS SELECT id, NULL AS nothing, 'x' AS s FROM range(5) AS r(id)"},
         [{"spark": "INSERT INTO {t} VALUES (9, NULL, 'y')"}, {"spark": "DELETE FROM {t} WHERE id = 2"}], columns={"spark": "id, CAST(nothing AS INT) AS nothing, s", "tarn": "id, CAST(nothing AS INT) AS nothing, s"}),
    Case(
        "change data feed",
        f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS {ROWS}",
        DML + ["OPTIMIZE {t}", "INSERT OVERWRITE {t} SELECT * FROM {t} WHERE id < 40"],
        probes=PROBES,
        changes=True,
    ),
    Case(
        "change data feed, deletion vectors",
        f"CREATE TABLE {{t}} USING delta TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'true') AS {ROWS}",
        DML + ["OPTIMIZE {t}", "DELETE FROM {t} WHERE id < 60"],
        probes=PROBES,
        changes=True,
    ),
    Case(
        "shallow clones",
        [f"CREATE TABLE {{s}} USING delta PARTITIONED BY (g) {DV} AS {ROWS}", "DELETE FROM {s} WHERE id < 7", "CREATE TABLE {t} SHALLOW CLONE {s}"],
        [{"tarn": "DELETE FROM {t} WHERE id % 9 = 2"}, f"INSERT INTO {{t}} {MORE}", {"tarn": "UPDATE {t} SET v = 0 WHERE g = 1"}, "DELETE FROM {s}", "OPTIMIZE {t}", "UPDATE {t} SET v = 1 WHERE g = 2"],
        probes=PROBES,
        # DuckDB's extension wants shared files named by path, Spark's DELETE and the like by URL.
        cannot={"Spark": {"writes": "INSERT and OPTIMIZE; DELETE, UPDATE and MERGE only once no shared file is left"}},
    ),
    Case(
        "deep clones",
        {"tarn": [f"CREATE TABLE {{s}} USING delta PARTITIONED BY (g) {DV} AS {ROWS}", "DELETE FROM {s} WHERE id < 7", "CREATE TABLE {t} DEEP CLONE {s}", "DELETE FROM {s}"]},
        DML,
        probes=PROBES,
    ),
    Case(
        "new columns by appending",
        "CREATE TABLE {t} USING delta AS SELECT CAST(1 AS BIGINT) AS id, 'a' AS s",
        [
            {"tarn": ["!sql -o {p}.parquet SELECT_2::BIGINT_AS_id,'b'_AS_s,1.5::DOUBLE_AS_x", "!land {p} {p}.parquet --schema-mode merge --no-source-columns"],
             "spark": ["SET spark.databricks.delta.schema.autoMerge.enabled = true", "INSERT INTO {t} BY NAME SELECT CAST(2 AS BIGINT) AS id, 'b' AS s, 1.5D AS x", "SET spark.databricks.delta.schema.autoMerge.enabled = false"]},
            "INSERT INTO {t} VALUES (3, 'c', 2.5)",
            {"tarn": ["!sql -o {p}.parquet SELECT_4::BIGINT_AS_id,7_AS_y", "!land {p} {p}.parquet --schema-mode merge --no-source-columns"],
             "spark": ["SET spark.databricks.delta.schema.autoMerge.enabled = true", "INSERT INTO {t} BY NAME SELECT CAST(4 AS BIGINT) AS id, 7 AS y", "SET spark.databricks.delta.schema.autoMerge.enabled = false"]},
            "UPDATE {t} SET y = 8, x = 0 WHERE id = 1",
        ],
        probes=["x IS NULL", "y = 8", "x > 2"],
    ),
    Case(
        "replaced parts of a table",
        f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) AS {ROWS}",
        [
            "INSERT INTO {t} REPLACE WHERE g = 2 SELECT id + 100 AS id, g, v, s FROM {t} WHERE g = 2 AND id < 30",
            "INSERT INTO {t} REPLACE WHERE id < 10 SELECT id, g, 0 AS v, s FROM {t} WHERE id < 10",
            Fails("INSERT INTO {t} REPLACE WHERE g = 2 SELECT 1000 AS id, 3 AS g, 0 AS v, 's' AS s"),
            {"tarn": "INSERT OVERWRITE {t} PARTITION (g) SELECT * FROM {t} WHERE g = 3 AND id > 20",
             "spark": ["SET spark.sql.sources.partitionOverwriteMode = dynamic", "INSERT OVERWRITE {t} SELECT * FROM {t} WHERE g = 3 AND id > 20", "SET spark.sql.sources.partitionOverwriteMode = static"]},
            Fails("INSERT INTO {t} REPLACE WHERE g = 2 SELECT 1000 AS id, 3 AS g, 0 AS v, 's' AS s"),
        ],
        probes=PROBES,
    ),
    Case(
        "replaced parts of a table, deletion vectors",
        f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}",
        [
            "INSERT INTO {t} REPLACE WHERE g = 2 SELECT id + 100 AS id, g, v, s FROM {t} WHERE g = 2 AND id < 30",
            "INSERT INTO {t} REPLACE WHERE id < 10 SELECT id, g, 0 AS v, s FROM {t} WHERE id < 10",
            "INSERT INTO {t} REPLACE WHERE g = 1 AND v > 50 SELECT id + 200 AS id, g, 51 AS v, s FROM {t} WHERE g = 1",
        ],
        probes=PROBES,
    ),
    Case("MERGE with schema evolution", f"CREATE TABLE {{t}} USING delta AS {ROWS}", EVOLUTION, probes=EVOLVED_PROBES),
    Case("MERGE with schema evolution, deletion vectors", f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) {DV} AS {ROWS}", EVOLUTION, probes=EVOLVED_PROBES),
    Case(
        "MERGE with schema evolution, column mapping",
        f"CREATE TABLE {{t}} USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS {ROWS}",
        EVOLUTION,
        probes=EVOLVED_PROBES,
    ),
    Case(
        "MERGE with all clauses",
        f"CREATE TABLE {{t}} USING delta TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS {ROWS}",
        [ALL_CLAUSES.replace("{from}", n) for n in ("40", "55", "0", "62")],
        probes=PROBES + ["s = 'alone'", "v < 0"],
        changes=True,
    ),
    Case(
        "MERGE with all clauses, deletion vectors",
        f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'true') AS {ROWS}",
        [ALL_CLAUSES.replace("{from}", n) for n in ("40", "55", "0", "62")],
        probes=PROBES + ["s = 'alone'", "v < 0", "g IS NULL"],
        changes=True,
    ),
    Case(
        "idempotent writes",
        "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.checkpointInterval' = '4') AS SELECT CAST(0 AS BIGINT) AS id",
        [
            "@loader 1 SELECT CAST(1 AS BIGINT) AS id",
            Nothing("@loader 1 SELECT CAST(1 AS BIGINT) AS id"),
            "@loader 2 SELECT CAST(2 AS BIGINT) AS id",
            Nothing("@loader 1 SELECT CAST(3 AS BIGINT) AS id"),
            "@other 1 SELECT CAST(4 AS BIGINT) AS id",
            "@loader 7 SELECT CAST(5 AS BIGINT) AS id",
            Nothing("@other 1 SELECT CAST(6 AS BIGINT) AS id"),
            Nothing("@loader 7 SELECT CAST(6 AS BIGINT) AS id"),
            "DELETE FROM {t} WHERE id = 0",
            "OPTIMIZE {t}",
            Nothing("@loader 6 SELECT CAST(8 AS BIGINT) AS id"),
            Nothing("@loader 7 SELECT CAST(8 AS BIGINT) AS id"),
            "@loader 8 SELECT CAST(9 AS BIGINT) AS id",
        ],
    ),
    Case(
        "log compaction",
        f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}",
        [*DML[:3], {"tarn": "!table compact-log {p}"}, *DML[3:], {"tarn": "!table compact-log {p}"}, "OPTIMIZE {t}", {"tarn": "!table compact-log {p}"}, {"spark": "DELETE FROM {t} WHERE id = 59"}],
        probes=PROBES,
        then=judged.compacted_log_is_used,
    ),
    Case(
        "statistics as structs",
        f"""CREATE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false',
 'delta.checkpointInterval' = '1', 'delta.enableDeletionVectors' = 'true') AS {ROWS}""",
        DML + [f"INSERT INTO {{t}} {MORE.replace('range(60, 80)', 'range(5000, 5010)')}"],
        probes=PROBES,
        then=judged.structs_prune,
    ),
    Case(
        "statistics as structs, all types",
        """CREATE TABLE {t} (id BIGINT, f FLOAT, d DOUBLE, m DECIMAL(38, 10), b BOOLEAN, s STRING, dt DATE, t {ts}, z {ntz}, st {struct type}) USING delta
 TBLPROPERTIES ('delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false', 'delta.checkpointInterval' = '1', 'delta.columnMapping.mode' = 'name')""",
        [
            """INSERT INTO {t} VALUES (1, CAST('nan' AS FLOAT), CAST('-inf' AS DOUBLE), 1234567890123456789012345678.0123456789, true, 'é😀', DATE '9999-12-31', CAST('2024-06-01 12:00:00.123456' AS {ts}),
 CAST('2024-06-01 12:00:00.123456' AS {ntz}), {struct(1, 'y')}), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
            """INSERT INTO {t} VALUES (3, 0.1, 1e300, -0.0000000001, false, concat(repeat('a', 40), 'z'), DATE '0001-01-01', CAST('1900-01-01 00:00:00.000001' AS {ts}), CAST('1900-01-01 00:00:00.000001' AS {ntz}),
 {struct(NULL, 'z')})""",
            "ALTER TABLE {t} RENAME COLUMN m TO money",
            "INSERT INTO {t} SELECT id + 10, f, d, money, b, s, dt, t, z, st FROM {t}",
            "DELETE FROM {t} WHERE id = 2",
            "ALTER TABLE {t} ADD COLUMN late INT",
            "UPDATE {t} SET late = 5 WHERE id = 13",
        ],
        probes=["id = 13", "f > 0", "d < 0", "d = 1e300", "money < 0", "money = 1234567890123456789012345678.0123456789", "s = concat(repeat('a', 40), 'z')", "s = 'é😀'", "dt = DATE '9999-12-31'", "dt < DATE '1900-01-01'",
                "t >= CAST('2024-06-01 12:00:00.123456' AS {ts})", "z >= CAST('2024-06-01 12:00:00.123456' AS {ntz})", "t < CAST('1900-01-01 00:00:00.000002' AS {ts})", "st.a = 1", "st.`b c` = 'z'", "late = 5", "late IS NULL"],
    ),
    Case(
        "statistics of chosen columns",
        f"CREATE TABLE {{t}} USING delta TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'v,s') AS {ROWS}",
        [*DML, "ALTER TABLE {t} UNSET TBLPROPERTIES ('delta.dataSkippingStatsColumns')", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '2')", f"INSERT INTO {{t}} {MORE}",
         f"INSERT INTO {{t}} {MORE}", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '0')", "UPDATE {t} SET v = 3 WHERE id > 70", "DELETE FROM {t} WHERE v = 3"],
        probes=PROBES,
    ),
    Case(
        "identity and generated columns in MERGE",
        """CREATE TABLE {t} (a BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 10), k BIGINT, v INT DEFAULT 4, twice BIGINT GENERATED ALWAYS AS (k * 2)) USING delta
 TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')""",
        ["INSERT INTO {t} (k, v) VALUES (1, 1), (2, 2), (3, 3)", "INSERT INTO {t} (k) VALUES (4), (5)",
         *["""MERGE INTO {t} AS t USING (SELECT id + {n} AS k, CAST(id AS INT) AS v FROM range(4) AS r(id)) AS s ON t.k = s.k WHEN MATCHED AND t.k % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET k = t.k + 100, v = s.v
 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)""".replace("{n}", n) for n in ("3", "5", "8")],
         Fails("INSERT INTO {t} (k, twice) VALUES (9, 1)"), "UPDATE {t} SET k = k + 1 WHERE v = 3", Fails("INSERT INTO {t} (k, twice) VALUES (9, 1)"), "OPTIMIZE {t}", "INSERT INTO {t} (k) VALUES (77)", "INSERT INTO {t} (k) VALUES (78)"],
        columns="k, v, twice, a >= 100 AND a % 10 = 0 AS a_ok, count(*) OVER (PARTITION BY a) AS same_a",
        cannot={"deltalake": {"writes": "refuses identityColumns"}, "DuckDB": {"writes": "refuses identityColumns"}},
    ),
    Case(
        "type widening, nested",
        {
            "tarn": "CREATE TABLE {t} (id BIGINT, st STRUCT(a TINYINT, b FLOAT), l SMALLINT[], mp MAP(VARCHAR, INT), p SMALLINT) PARTITIONED BY (p) TBLPROPERTIES ('delta.enableTypeWidening' = 'true')",
            "spark": "CREATE TABLE {t} (id BIGINT, st STRUCT<a: TINYINT, b: FLOAT>, l ARRAY<SMALLINT>, mp MAP<STRING, INT>, p SMALLINT) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.enableTypeWidening' = 'true')",
        },
        [
            {"tarn": "INSERT INTO {t} VALUES (1, {'a': 1, 'b': 1.5}, [1, NULL], MAP {'k': 1}, 1), (2, NULL, NULL, NULL, NULL)",
             "spark": "INSERT INTO {t} VALUES (1, named_struct('a', 1, 'b', 1.5), array(1, NULL), map('k', 1), 1), (2, NULL, NULL, NULL, NULL)"},
            "ALTER TABLE {t} ALTER COLUMN st.a TYPE INT", "ALTER TABLE {t} ALTER COLUMN l.element TYPE INT", "ALTER TABLE {t} ALTER COLUMN mp.value TYPE BIGINT", "ALTER TABLE {t} ALTER COLUMN p TYPE INT",
            {"tarn": "INSERT INTO {t} VALUES (3, {'a': 100000, 'b': 2.5}, [100000], MAP {'k': 10000000000}, 100000)",
             "spark": "INSERT INTO {t} VALUES (3, named_struct('a', 100000, 'b', 2.5), array(100000), map('k', 10000000000), 100000)"},
            "ALTER TABLE {t} ALTER COLUMN st.a TYPE BIGINT", "UPDATE {t} SET id = id + 10 WHERE p = 1", "DELETE FROM {t} WHERE id = 2", "ALTER TABLE {t} ALTER COLUMN st.b TYPE DOUBLE", "INSERT INTO {t} SELECT id + 100, st, l, mp, p FROM {t}", "OPTIMIZE {t}",
        ],
        probes=["p = 1", "p = 100000", "p IS NULL", "st.a = 1", "st.a > 1000", "st.b = 1.5"],
        appends="id, st, l, mp, p",
        cannot={"deltalake": {"reads": "refuses typeWidening", "writes": "refuses typeWidening"}, "DuckDB": {"writes": "refuses typeWidening"}},
    ),
    Case("REORG, purging", f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) {DV} AS {ROWS}",
         ["DELETE FROM {t} WHERE id = 5", "DELETE FROM {t} WHERE id % 10 = 3", "REORG TABLE {t} APPLY (PURGE)", "DELETE FROM {t} WHERE id = 6", "DELETE FROM {t} WHERE id = 7", "REORG TABLE {t} WHERE g = 2 APPLY (PURGE)",
          "UPDATE {t} SET v = 1 WHERE id = 8", "REORG TABLE {t} APPLY (PURGE)"], probes=PROBES),
    Case(
        "VACUUM LITE",
        f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}",
        ["DELETE FROM {t} WHERE id < 30", "OPTIMIZE {t}", {"tarn": "!table vacuum {p} --retain 0 --allow-short-retention", "spark": "VACUUM {t} RETAIN 0 HOURS"}, "DELETE FROM {t} WHERE id < 40", "UPDATE {t} SET v = 0 WHERE id = 50",
         {"tarn": "!table vacuum {p} --lite --retain 0 --allow-short-retention", "spark": "VACUUM {t} LITE RETAIN 0 HOURS"}, "OPTIMIZE {t}",
         {"tarn": "!table vacuum {p} --lite --retain 0 --allow-short-retention", "spark": "VACUUM {t} LITE RETAIN 0 HOURS"}, "DELETE FROM {t} WHERE id < 45"],
        travels=False,
    ),
    Case(
        "columns moved and made nullable",
        "CREATE TABLE {t} (id BIGINT NOT NULL, v INT, st {struct type}, s STRING) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
        ["INSERT INTO {t} VALUES (1, 1, {struct(1, 'y')}, 'a')", "ALTER TABLE {t} ALTER COLUMN s FIRST", "INSERT INTO {t} VALUES ('b', 2, 2, {struct(NULL, 'z')})", "ALTER TABLE {t} ALTER COLUMN v AFTER st", "ALTER TABLE {t} ADD COLUMN st.n INT",
         Fails("INSERT INTO {t} (s) VALUES ('c')"), "ALTER TABLE {t} ALTER COLUMN id DROP NOT NULL", "INSERT INTO {t} (s) VALUES ('c')", "UPDATE {t} SET v = 9 WHERE st.a = 1", "INSERT INTO {t} SELECT * FROM {t}", "ALTER TABLE {t} ADD COLUMN w INT",
         "DELETE FROM {t} WHERE id = 2"],
        probes=["id = 1", "st.n IS NULL", "s = 'b'", "v = 9", "w IS NULL"],
    ),
    Case(
        "in-commit timestamps switched on later",
        f"CREATE TABLE {{t}} USING delta AS {ROWS}",
        [DML[0], "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')", *DML[1:4]],
        cannot={"deltalake": {"writes": "refuses inCommitTimestamp"}},
        then=judged.same_versions_by_time,
    ),
    Case("streams", f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) AS {ROWS}", [f"INSERT INTO {{t}} {MORE}", f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t}", f"INSERT INTO {{t}} {MORE}"], then=judged.streams),
    Case("row tracking, rewriting", f"CREATE TABLE {{t}} USING delta TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.columnMapping.mode' = 'name') AS {ROWS}",
         DML + ["OPTIMIZE {t} ZORDER BY (v)", "OPTIMIZE {t}", "RESTORE TABLE {t} TO VERSION AS OF 5", "UPDATE {t} SET v = 77 WHERE id < 9"], probes=PROBES, stays="id, _metadata.row_id", cannot={"deltalake": {"writes": "refuses rowTracking"}}),
    Case(
        "row tracking switched on later",
        f"CREATE TABLE {{t}} USING delta {DV} AS {ROWS}",
        ["INSERT INTO {t} SELECT id + 1000, g, v, s FROM {t} WHERE id < 5", "DELETE FROM {t} WHERE id = 3", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')", *DML[:4], "OPTIMIZE {t}"],
        probes=PROBES,
        then=judged.rows_have_ids,
        cannot={"deltalake": {"writes": "refuses rowTracking"}},
    ),
    Case("row tracking", f"CREATE TABLE {{t}} USING delta TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.enableDeletionVectors' = 'true') AS {ROWS}", DML + ["OPTIMIZE {t}"], probes=PROBES, stays="id, _metadata.row_id",
         cannot={"deltalake": {"writes": "refuses rowTracking"}}),
    Case(
        "v2 checkpoints",
        f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '3', 'delta.enableDeletionVectors' = 'true') AS {ROWS}",
        DML + DML,
        probes=PROBES,
    ),
    Case(
        "checksum files",
        f"CREATE TABLE {{t}} USING delta PARTITIONED BY (g) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.enableInCommitTimestamps' = 'true') AS {ROWS}",
        # Spark rebuilds the state before and after each of its commits and holds it against the checksum files, tarn's among them.
        [{"tarn": DML[1], "spark": VERIFIED[:1] + [DML[1]]}, DML[0], DML[3], DML[2], DML[4], {"tarn": "OPTIMIZE {t}", "spark": ["OPTIMIZE {t}", *VERIFIED[1:]]}],
        cannot={"deltalake": {"writes": "refuses inCommitTimestamp"}},
    ),
    Case("liquid clustering", f"CREATE TABLE {{t}} USING delta CLUSTER BY (id, v) AS {ROWS}", [f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t}", f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t}", "DELETE FROM {t} WHERE id < 10", "ALTER TABLE {t} CLUSTER BY (s)",
         f"INSERT INTO {{t}} {MORE}", "OPTIMIZE {t} FULL", "ALTER TABLE {t} CLUSTER BY NONE"], probes=PROBES, then=judged.cubes, cannot={"deltalake": {"writes": "refuses clustering"}}),
]
