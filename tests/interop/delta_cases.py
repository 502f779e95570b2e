"""The tables that other engines judge, one entry a feature or an operation: a new feature is a new entry.

A case says how the table is made and what is then done to it, in statements that tarn and Spark both understand; where they differ, a step is a dict
{"tarn": .., "spark": ..}. In a text {t} is the table, {p} its folder, {ts} and {ntz} the engine's names of the types timestamp and timestamp_ntz; a text
that begins with ! is a command of tarn. A step Fails(..) must be refused by whoever does it. A step None is not done by that engine.

test_spark.py runs each case twice: tarn makes the table and the steps are done by Spark and tarn in turn; then the other way round. test_delta_engines.py lets
tarn do all of it. After each step all engines read, and all must see the same rows.
"""
from dataclasses import dataclass, field

DIALECT = {
    "tarn": {"{ts}": "TIMESTAMPTZ", "{ntz}": "TIMESTAMP"},
    "spark": {"{ts}": "TIMESTAMP", "{ntz}": "TIMESTAMP_NTZ"},
}


@dataclass
class Case:
    name: str  # the row of the manual's table
    make: object  # SQL, or a dict of it by engine
    steps: list = field(default_factory=list)
    columns: object = "*"  # what is read; a dict by engine for types whose Arrow form differs
    probes: list = field(default_factory=list)  # conditions: rows that fulfil them are counted with and without data skipping
    cannot: dict = field(default_factory=dict)  # engine -> {"reads" or "writes": why it is known not to}
    same_end: bool = True  # both ways end with the same rows
    travels: bool = True  # old versions can be read at the end
    appends: str = ""  # columns that the other engines append to the table in interop; all when empty
    then: object = None  # a function of (results, tarn, spark, path): what else is to be seen of this feature


@dataclass
class Fails:
    step: object


def text(step, engine):
    """What this engine does in a step, or None."""
    step = step.step if isinstance(step, Fails) else step
    step = step.get(engine) if isinstance(step, dict) else step
    for k, v in DIALECT[engine].items():
        step = step and step.replace(k, v)
    return step


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
]
