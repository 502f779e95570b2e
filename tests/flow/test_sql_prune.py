#!/usr/bin/env python3
"""Queries open only the files that their WHERE may be true for, and give the rows that they give over all files."""
import json, random, re

from lake_flow import case, equal, has, main

FILES = 12
WHOLE = "(FROM gold.t LIMIT 1000000)"  # no condition passes a LIMIT: all files are read


def table(lake):
    """Files of 50 rows each, apart in n, day, seen, name and s.v; f has NaN, m has NULL in places; two partitions."""
    lake.root.mkdir(exist_ok=True)
    select = ("SELECT {k} * 50 + i AS n, CASE WHEN i = 7 AND {k} % 3 = 0 THEN 'NaN'::DOUBLE ELSE {k} + i / 100.0 END AS f, DATE '2024-01-01' + ({k} * 50 + i)::INT AS day, "
              "TIMESTAMP '2024-01-01 00:00:00.1234' + INTERVAL ({k} * 50 + i) HOUR AS seen, chr(97 + {k}) || repeat('x', i % 60) || i AS name, "
              "{{'v': {k} * 50 + i}} AS s, CASE WHEN {k} = 4 THEN NULL WHEN i % 5 > 0 THEN {k} END AS m, {k} = 2 AS b, {k} % 2 AS p FROM range(50) t(i)")
    lake.run("sql", f"CREATE TABLE gold.t PARTITIONED BY (p) AS {select.format(k=0)}")
    lake.run("sql", ";".join(f"INSERT INTO gold.t {select.format(k=k)}" for k in range(1, FILES)))


def files_read(lake, query):
    plan = lake.rows("EXPLAIN (ANALYZE, FORMAT json) " + query)[0]["explain_value"]
    return sum(map(int, re.findall(r'"Total Files Read":\s*"(\d+)"', plan)))


@case
def filters_open_few_files(lake):
    table(lake)
    for where, files in [("n = 130", 1), ("n BETWEEN 95 AND 104", 2), ("day IN ('2024-01-10', '2024-07-20')", 2), ("name LIKE 'c%'", 1), ("starts_with(name, 'd')", 1),
                         ("s.v > 585", 1), ("p = 1 AND n < 100", 1), ("m IS NULL AND n >= 200 AND n < 250", 1), ("n = 3 OR n = 590", 2), ("seen > TIMESTAMP '2024-01-25 18:00:00'", 1),
                         ("m = 4", 0), ("NOT (n <= 549)", 1), ("n > 100", FILES - 2), ("length(name) > 0", FILES)]:
        query = f"SELECT count(*) FROM gold.t WHERE {where}"
        equal((where, files_read(lake, query)), (where, files))
    equal(files_read(lake, "SELECT count(*) FROM gold.t x JOIN gold.t y ON x.n = y.n WHERE x.n = 3 AND y.day = '2024-01-04'"), 2)
    equal(files_read(lake, f"SELECT count(*) FROM delta.\"{lake.root}/gold/t\" WHERE n = 130"), 1)
    equal(files_read(lake, "SELECT count(*) FROM gold.t VERSION AS OF 5 WHERE n < 60"), 2)


@case
def a_collation_sees_texts_as_the_same(lake):
    """Bounds are compared byte by byte: with a default collation they say nothing of texts."""
    lake.root.mkdir(exist_ok=True)
    lake.run("sql", "CREATE TABLE gold.t AS SELECT 'abc' AS s, 1 AS n; INSERT INTO gold.t VALUES ('ABC', 2); INSERT INTO gold.t VALUES ('x', 3)")
    nocase = "SET default_collation = 'NOCASE'; "
    equal(lake.rows(nocase + "SELECT n FROM gold.t WHERE s = 'ABC' ORDER BY n"), [{"n": 1}, {"n": 2}])
    equal(lake.rows(nocase + "SELECT count(*) AS n FROM gold.t AS a JOIN gold.t AS b ON a.s = b.s WHERE a.s = 'abc'"), [{"n": 4}])
    lake.run("sql", nocase + "MERGE INTO gold.t AS t USING (SELECT 'Abc' AS s) AS u ON t.s = u.s WHEN MATCHED THEN UPDATE SET n = t.n + 10")
    equal(lake.rows("SELECT n FROM gold.t ORDER BY n"), [{"n": 3}, {"n": 11}, {"n": 12}])
    lake.run("sql", nocase + "DELETE FROM gold.t WHERE s = 'ABC'")
    equal(lake.rows("SELECT n FROM gold.t"), [{"n": 3}])


@case
def rows_are_the_same(lake):
    table(lake)
    random.seed(7)
    atoms = ["n = {a}", "n <> {a}", "n < {a}", "{a} <= n", "n BETWEEN {a} AND {b}", "n IN ({a}, {b})", "f > {c}", "f < {c}", "f = {c}", "f <> {c}", "isnan(f)", "day > '2024-03-01'::DATE + {a}",
             "day = '2024-05-{d:02}'", "day <> '2024-05-{d:02}'", "seen >= '2024-01-{d:02} 05:00:00.1235'", "seen = TIMESTAMP '2024-01-{d:02} 05:00:00.1234'", "name LIKE '{l}%'", "name LIKE '{l}xxx_x%'",
             "name NOT LIKE '{l}%'", "name >= '{l}x'", "name = '{l}0'", "starts_with(name, '{l}x')", "s.v = {a}", "t.s.v < {a}", "m IS NULL", "m IS NOT NULL", "m = {k}", "m <> {k}", "p = {k} % 2",
             "p <> 1", "b", "NOT b", "b = true", "n + 1 = {a}", "t.n < {a}", "m IS NOT DISTINCT FROM NULL"]

    def predicate(depth):
        if depth == 0 or random.random() < 0.3:
            a = random.randrange(-10, 620)
            return random.choice(atoms).format(a=a, b=a + random.randrange(100), c=random.randrange(13) + random.choice([0, 0.25]), d=random.randrange(1, 29), l=random.choice("abcdefghijklm"),
                                               k=random.randrange(FILES))
        if random.random() < 0.15:
            return f"NOT ({predicate(depth - 1)})"
        return f"({predicate(depth - 1)} {random.choice(['AND', 'OR'])} {predicate(depth - 1)})"

    for _ in range(8):
        wheres = [predicate(3) for _ in range(25)]
        pruned = lake.rows(" UNION ALL ".join(f"(SELECT {i} AS i, count(*) AS c, sum(n) AS s FROM gold.t AS t WHERE {w})" for i, w in enumerate(wheres)) + " ORDER BY i")
        whole = lake.rows(" UNION ALL ".join(f"(SELECT {i} AS i, count(*) AS c, sum(n) AS s FROM {WHOLE} AS t WHERE {w})" for i, w in enumerate(wheres)) + " ORDER BY i")
        for w, x, y in zip(wheres, pruned, whole):
            equal((w, x), (w, y))


SHAPES = [  # query, files that it may open
    ("WITH a AS (SELECT * FROM gold.t), b AS (SELECT n AS k, day AS d, p FROM a WHERE p = 1) SELECT count(*) FROM b WHERE k < 60", 1),
    ("SELECT count(*) FROM (SELECT n + 0 AS n, n AS m FROM gold.t) WHERE m = 130", 1),
    ("WITH a AS (FROM gold.t) SELECT (SELECT count(*) FROM a WHERE n = 130) + (SELECT count(*) FROM a WHERE n = 590) AS c", 2),  # read once: what either wants
    ("WITH a AS MATERIALIZED (FROM gold.t) SELECT count(*) FROM a x JOIN a y ON x.n = y.n - 100 WHERE x.n = 130 AND y.n > 549", 2),
    ("SELECT count(*) FROM gold.t x LEFT JOIN gold.t y ON x.p = y.p AND y.n < 50 WHERE x.n = 130", 2),
    ("SELECT count(y.m) FROM gold.t x LEFT JOIN gold.t y ON x.n = y.n AND x.m < 5", FILES),  # DuckDB reads once what two need
    ("SELECT count(*) FROM gold.t x RIGHT JOIN gold.t y ON x.n = y.n WHERE y.n = 130", FILES + 1),
    ("SELECT count(*) FROM gold.t x FULL JOIN gold.t y ON x.n = y.n AND x.n = 130 AND y.n < 200", FILES),
    ("SELECT count(*) FROM gold.t x SEMI JOIN (SELECT n AS k FROM gold.t WHERE n < 100) y ON x.n = y.k AND x.n > 549", 3),
    ("SELECT count(*) FROM gold.t x ANTI JOIN gold.t y ON x.n = y.n AND y.n < 100", FILES + 2),
    ("SELECT count(*) FROM gold.t x JOIN gold.t y USING (n) WHERE n = 130", 2),
    ("SELECT count(*) FROM (SELECT * FROM gold.t JOIN (SELECT 130 AS n, 5 AS extra) o USING (n)) WHERE n = 130", 1),
    ("SELECT count(*) FROM (SELECT day, max(n) AS top, count(*) AS c FROM gold.t GROUP BY day) WHERE day = '2024-01-10' AND top > 0", 1),
    ("SELECT count(*) FROM (SELECT day, max(n) AS top FROM gold.t GROUP BY ALL) WHERE top = 130", FILES),
    ("SELECT count(*) FROM (SELECT day, sum(n) AS s FROM gold.t GROUP BY ROLLUP (day)) WHERE day = '2024-01-10'", FILES),
    ("SELECT count(*) FROM (SELECT n, p, row_number() OVER (PARTITION BY n, p ORDER BY f) AS r FROM gold.t) WHERE n = 130 AND r = 1", 1),
    ("SELECT count(*) FROM (SELECT n, p, row_number() OVER (PARTITION BY p ORDER BY n) AS r FROM gold.t) WHERE n = 130", FILES),
    ("SELECT count(*) FROM (SELECT * FROM gold.t QUALIFY row_number() OVER (PARTITION BY n ORDER BY f) = 1) WHERE n = 130", 1),
    ("SELECT count(*) FROM (SELECT * FROM gold.t QUALIFY row_number() OVER (ORDER BY n) = 1) WHERE n = 130", FILES),
    ("SELECT count(*) FROM (SELECT n FROM gold.t ORDER BY f LIMIT 5) WHERE n = 130", FILES),
    ("SELECT count(*) FROM (SELECT DISTINCT p, n FROM gold.t) WHERE n = 130", 1),
    ("SELECT count(*) FROM (SELECT DISTINCT ON (p) p, n FROM gold.t ORDER BY n) WHERE n = 130", FILES),
    ("SELECT count(*) FROM (SELECT n, name FROM gold.t UNION ALL SELECT n AS k, name FROM gold.t WHERE p = 1) WHERE n = 70", 2),
    ("SELECT count(*) FROM (SELECT n::VARCHAR AS v FROM gold.t UNION ALL SELECT name FROM gold.t) WHERE v > '5'", 2 * FILES),
    ("SELECT count(*) FROM (SELECT name, n, p FROM gold.t UNION ALL BY NAME SELECT n, name FROM gold.t) WHERE n = 70", FILES),
    ("SELECT count(*) FROM (SELECT n FROM gold.t EXCEPT SELECT n FROM gold.t WHERE n > 160) WHERE n = 59", 1),
    ("SELECT count(*) FROM (SELECT * EXCLUDE (n) REPLACE (m + 1 AS m), n FROM gold.t) WHERE n = 130", 1),
    ("SELECT count(*) FROM (SELECT n AS m, m AS n FROM gold.t) WHERE m = 130", 1),
    ("SELECT count(*) FROM gold.w WHERE k = 130", 1),
    ("SELECT count(*) FROM gold.w AS w(a, b) JOIN gold.v ON a = v.n WHERE v.n = 130 AND w.a = 130", 2),
    ("SELECT count(f) FROM gold.t WHERE n > (SELECT max(n) - 60 FROM gold.t WHERE p = 0 AND n < 200)", FILES - 1 + 2),  # a value: 89; it reads two files
    ("SELECT count(f) FROM gold.t WHERE seen >= (SELECT max(seen) FROM gold.t WHERE n < 560) AND n < 590", FILES + 1),
    ("SELECT count(f) FROM gold.t WHERE n > (SELECT n FROM gold.t ORDER BY n LIMIT 1)", 2 * FILES),
    ("SELECT count(f) FROM gold.t o WHERE n > (SELECT max(n) FROM gold.t i WHERE i.p = o.p AND i.n < 100)", FILES + 2),
    ("SELECT count(*) FROM gold.t WHERE n IN (SELECT k FROM gold.w WHERE k < 50)", FILES + 1),
    ("SELECT count(*) FROM (VALUES (130)) o(k), LATERAL (SELECT * FROM gold.t WHERE n = 130 AND n = k) l", 1),
    ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT count(*) FROM r JOIN gold.t USING (n) WHERE n = 2", 1),
]


def views(lake):
    lake.run("sql", "CREATE VIEW gold.v AS SELECT * FROM gold.t WHERE p = 0; CREATE VIEW gold.w AS SELECT n AS k, sum(p) AS s FROM gold.v GROUP BY n; "
             f"CREATE VIEW gold.all_t AS FROM gold.t LIMIT 1000000; CREATE VIEW gold.all_w AS SELECT n AS k, sum(p) AS s FROM gold.all_t WHERE p = 0 GROUP BY n")


@case
def conditions_pass_through_queries(lake):
    table(lake)
    views(lake)
    wrong = []
    for query, files in SHAPES:
        whole = list(lake.rows(re.sub(r"gold\.t\b", "gold.all_t", query))[0].values())
        if list(lake.rows(query)[0].values()) != whole or files_read(lake, query) != files:
            wrong.append((query, files, files_read(lake, query), lake.rows(query), whole))
    equal(wrong, [])


def spoil_all_but(lake, wanted):
    """Files of gold.t without a row that is wanted are spoilt: who opens one fails."""
    for file in (lake.root / "gold/t").glob("p=*/*.parquet"):
        low = int(lake.rows(f"SELECT min(n) AS n FROM read_parquet('{file}')")[0]["n"])
        if not any(low <= n < low + 50 for n in wanted):
            file.write_bytes(b"no Parquet file")


@case
def statements_that_write_open_few_files(lake):
    table(lake)
    views(lake)
    lake.run("sql", "CREATE TABLE gold.u AS SELECT n, name FROM gold.t WHERE n BETWEEN 120 AND 140 OR n = 7")
    spoil_all_but(lake, [130])
    lake.run("sql", "SELECT count(*) FROM gold.t", status=1)
    lake.run("sql", "CREATE TABLE gold.c1 AS WITH x AS (SELECT * FROM gold.t) SELECT n, name FROM x WHERE n BETWEEN 120 AND 140")
    lake.run("sql", "CREATE OR REPLACE TABLE gold.c2 (k, l) PARTITIONED BY (k) AS SELECT k, s FROM gold.w WHERE k = 130")
    lake.run("sql", "INSERT INTO gold.c1 (name, n) SELECT 'new', t.n FROM gold.t JOIN gold.u USING (n) WHERE t.n = 130")
    lake.run("sql", "INSERT OVERWRITE gold.c2 SELECT k, s FROM gold.w WHERE k > 128 AND k < 133")
    equal(lake.rows("SELECT (SELECT count(*) FROM gold.c1) AS a, (SELECT count(*) FROM gold.c2) AS b"), [{"a": 22, "b": 4}])
    lake.run("sql", "MERGE INTO gold.u USING (SELECT n, p FROM gold.t WHERE n BETWEEN 130 AND 149) s ON u.n = s.n WHEN MATCHED THEN UPDATE SET name = 'merged' WHEN NOT MATCHED THEN INSERT (n, name) VALUES (s.n, 'put')")
    has(lake.err + lake.out, "9 inserted, 11 updated")
    lake.run("sql", "MERGE INTO gold.u USING gold.t src ON u.n = src.n AND src.n IN (121, 130) AND src.p = 0 WHEN MATCHED THEN DELETE")
    has(lake.err + lake.out, "2 deleted")
    lake.run("sql", "UPDATE gold.u SET name = src.name FROM gold.t AS src WHERE u.n = src.n AND src.day BETWEEN '2024-05-10' AND '2024-05-11'")
    lake.run("sql", "DELETE FROM gold.u USING gold.t AS src WHERE u.n = src.n AND src.n = 122")
    has(lake.err + lake.out, "deleted 1 row")
    lake.run("sql", "MERGE INTO gold.u USING gold.t src ON u.n = src.n AND src.n = 130 WHEN NOT MATCHED THEN INSERT (n) VALUES (src.n)", status=1)  # all rows count


@case
def what_must_not_be_narrowed(lake):
    table(lake)
    q = lambda sql: list(lake.rows(sql)[0].values())[0]
    equal(q("SELECT count(*) FROM gold.t a LEFT JOIN gold.t b ON a.n = b.n AND b.n = 3 WHERE b.n IS NULL"), 50 * FILES - 1)
    equal(q("SELECT count(*) FROM gold.t a FULL JOIN gold.t b ON a.n = b.n WHERE b.n IS NULL"), 0)
    equal(q("SELECT count(*) FROM (VALUES (3, 4)) v(n, x) JOIN gold.t ON x = gold.t.n WHERE v.n = 3"), 1)
    equal(q("SELECT count(*) FROM gold.t WHERE gold.t.n = 3"), 1)
    equal(q("SELECT count(*) FROM gold.t AS n WHERE n.n = 3"), 1)
    equal(q("SELECT count(*) FROM (SELECT 5 AS p, 700 AS n) o WHERE EXISTS (FROM gold.t t WHERE t.n = o.p AND o.n = 700)"), 1)
    equal(q("WITH t AS (SELECT 1000 AS n) SELECT count(*) FROM t WHERE n = 1000"), 1)
    lake.run("sql", "SELECT nope FROM gold.t WHERE n = 3", status=None)
    has(lake.err, "nope")
    assert "read_parquet" not in lake.err, lake.err


@case
def shapes_at_random(lake):
    """Queries put together from parts, over a table that is skipped in and over the same table behind a LIMIT."""
    table(lake)
    views(lake)
    random.seed(11)
    number = iter(range(10 ** 9))

    def where(alias=""):
        column = alias + random.choice(["n", "n", "n", "m", "p"])
        a = random.randrange(0, 600)
        return random.choice([f"{column} = {a}", f"{column} < {a}", f"{column} > {a}", f"{column} IN ({a}, {a // 50})", f"{column} IS NULL", f"{column} IS NOT NULL AND {column} <> {a}",
                              f"({column} < {a} OR {column} > {a + 200})", f"{column} BETWEEN {a} AND {a + 30}", f"NOT ({column} >= {a})", f"coalesce({column}, 3) > {a}",
                              f"{column} >= (SELECT max(n) - {a // 2} FROM gold.t WHERE n < {a})", f"(SELECT min(n) FROM gold.t WHERE n > {a}) > {column}"])

    def relation(depth):
        """A query with the columns n, m and p."""
        if depth == 0:
            return random.choice(["SELECT n, m, p FROM gold.t", "SELECT * EXCLUDE (f, day, seen, name, s, b) FROM gold.t", "SELECT k AS n, NULL::INT AS m, s AS p FROM gold.w", "SELECT p, n, m FROM gold.t"])
        one, two = relation(depth - 1), relation(random.randrange(depth))
        c = f"c{next(number)}"
        return random.choice([
            lambda: f"SELECT n, m, p FROM ({one}) WHERE {where()}",
            lambda: f"SELECT n AS m, m AS n, p FROM ({one}) x WHERE {where('x.')}",
            lambda: f"WITH {c} AS ({one}) SELECT * FROM {c} WHERE {where()}",
            lambda: f"WITH {c} AS ({one}) SELECT n, m, p FROM {c} WHERE {where()} UNION ALL SELECT n, m, p FROM {c} WHERE {where()}",
            lambda: f"WITH {c}(p, n, m) AS (SELECT p, n, m FROM ({one})) SELECT n, m, p FROM {c}",
            lambda: f"SELECT x.n, y.m, x.p FROM ({one}) x {random.choice(['', 'LEFT', 'RIGHT', 'FULL'])} JOIN ({two}) y ON x.n = y.n AND {where(random.choice(['x.', 'y.']))} WHERE {where(random.choice(['x.', 'y.']))}",
            lambda: f"SELECT * FROM ({one}) x {random.choice(['SEMI', 'ANTI'])} JOIN ({two}) y ON x.n = y.n AND {where(random.choice(['x.', 'y.']))}",
            lambda: f"SELECT n, x.m, x.p FROM ({one}) x {random.choice(['', 'LEFT'])} JOIN ({two}) y USING (n) WHERE {where('x.')}",
            lambda: f"SELECT n, max(m) AS m, p FROM ({one}) GROUP BY n, p",
            lambda: f"SELECT n, sum(m)::INT AS m, p FROM ({one}) GROUP BY {random.choice(['ALL', 'ROLLUP (n, p)', 'GROUPING SETS ((n, p), (n))'])}",
            lambda: f"SELECT n, m, (row_number() OVER (PARTITION BY {random.choice(['n', 'p', 'n, p'])} ORDER BY n, m, p))::INT AS p FROM ({one})",
            lambda: f"SELECT n, m, p FROM ({one}) QUALIFY count(*) OVER (PARTITION BY {random.choice(['n', 'p', 'm'])}) < 40",
            lambda: f"SELECT n, m, p FROM ({one}) UNION ALL SELECT {random.choice(['n, m, p', 'm, n, p'])} FROM ({two})",
            lambda: f"SELECT n, m, p FROM ({one}) {random.choice(['EXCEPT', 'INTERSECT', 'UNION'])} SELECT n, m, p FROM ({two})",
            lambda: f"(SELECT n, m, p FROM ({one})) UNION ALL BY NAME (SELECT p, n, m FROM ({two}))",
            lambda: f"SELECT n, m, p FROM ({one}) WHERE n IN (SELECT n FROM ({two}) WHERE {where()})",
            lambda: f"SELECT n, m, (SELECT count(*)::INT FROM ({two}) i WHERE i.n = o.n AND {where('i.')}) AS p FROM ({one}) o",
            lambda: f"SELECT DISTINCT n, m, p FROM ({one})",
            lambda: f"SELECT n, m, p FROM (SELECT n, m, p FROM ({one}) ORDER BY n, m, p LIMIT 70)",
        ])()

    for _ in range(8):
        queries = [f"SELECT count(*) AS c, sum(n) AS n, sum(m) AS m, sum(p) AS p FROM ({relation(random.randrange(1, 5))}) WHERE {where()}" for _ in range(10)]
        pruned = lake.rows(" UNION ALL ".join(f"(SELECT {i} AS i, * FROM ({q}))" for i, q in enumerate(queries)) + " ORDER BY i")
        whole = lake.rows(" UNION ALL ".join(f"(SELECT {i} AS i, * FROM ({q.replace('gold.t', 'gold.all_t').replace('gold.w', 'gold.all_w')}))" for i, q in enumerate(queries)) + " ORDER BY i")
        for q, x, y in zip(queries, pruned, whole):
            equal((q, x), (q, y))


FORMS = {  # table: the columns that it is partitioned by
    "day": "d DATE GENERATED ALWAYS AS (CAST(ts AS DATE))",
    "parts": "y INT GENERATED ALWAYS AS (YEAR(ts)), m INT GENERATED ALWAYS AS (MONTH(ts)), dd INT GENERATED ALWAYS AS (DAY(ts)), hh INT GENERATED ALWAYS AS (HOUR(ts))",
    "month": "f STRING GENERATED ALWAYS AS (DATE_FORMAT(ts, 'yyyy-MM'))",
    "hours": "f STRING GENERATED ALWAYS AS (DATE_FORMAT(ts, 'yyyy-MM-dd-HH'))",
    "trunc": "q TIMESTAMP GENERATED ALWAYS AS (DATE_TRUNC('week', ts))",
    "prefix": "a STRING GENERATED ALWAYS AS (SUBSTRING(code, 1, 2))",
    "self": "k INT GENERATED ALWAYS AS (n)",
}


def generated(lake, form, kind="TIMESTAMP"):
    """Rows of 40 days, no statistics: only partition values can tell; NULLs and empty texts too."""
    lake.root.mkdir(exist_ok=True)
    columns = FORMS[form]
    names = ", ".join(c.split()[0] for c in re.split(r", (?=\w+ \w+ GENERATED)", columns))
    lake.run("sql", f"CREATE TABLE gold.{form} (n INT, ts {kind}, code STRING, {columns}) PARTITIONED BY ({names}) TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '0')")
    lake.run("sql", f"SET TimeZone = '{'Asia/Tokyo' if form == 'day' else 'America/Anchorage'}'; INSERT INTO gold.{form} (n, ts, code) SELECT i % 20, CASE WHEN i % 50 = 9 THEN NULL ELSE TIMESTAMP '2023-12-20 00:00:00' + INTERVAL (i * 7) HOUR - INTERVAL (i % 3) SECOND END, "
                    "CASE WHEN i % 11 = 0 THEN NULL WHEN i % 11 = 1 THEN '' WHEN i % 11 = 2 THEN 'é' ELSE chr(97 + (i % 9)::INT) || repeat('z', (i % 4)::INT) || i END FROM range(140) t(i)")


@case
def generated_partitions_tell(lake):
    """A condition on the column that a partition column comes from leaves partitions out."""
    opened = {}
    for form, where in [("day", "ts >= '2024-01-20'"), ("day", "ts::DATE = '2024-01-20'"), ("day", "ts BETWEEN '2024-01-19 22:00:00' AND '2024-01-20 03:00:00'"), ("parts", "ts > '2024-01-29 20:00:00'"),
                        ("parts", "year(ts) = 2023 AND ts < '2023-12-20 07:00:00'"), ("month", "ts < '2024-01-01'"), ("hours", "ts = '2024-01-01 06:00:00'"), ("trunc", "date_trunc('week', ts) = '2024-01-08'"),
                        ("prefix", "code LIKE 'cz%'"), ("prefix", "code = 'd'"), ("self", "n IN (3, 4)"), ("self", "n > 18")]:
        if form not in opened:
            generated(lake, form)
            opened[form] = files_read(lake, f"SELECT count(code || n) FROM gold.{form}")
        query = f"SELECT count(code || n) AS n FROM gold.{form} WHERE {where}"
        few = files_read(lake, query)
        assert 0 < few <= max(2, opened[form] * 0.6), (form, where, few, opened[form])
        equal(lake.rows(query), lake.rows(query.replace(f"gold.{form}", f"(FROM gold.{form} LIMIT 1000000)")))


@case
def generated_partitions_never_tell_wrong(lake):
    random.seed(5)
    for form in FORMS:
        for kind in ["TIMESTAMP", "TIMESTAMPTZ"] if form not in ("prefix", "self") else ["TIMESTAMP"]:
            if kind == "TIMESTAMPTZ":
                lake.run("sql", f"DROP TABLE gold.{form}")
                __import__("shutil").rmtree(lake.root / "gold" / form)
                FORMS[form] = FORMS[form].replace("q TIMESTAMP ", "q TIMESTAMPTZ ")
            generated(lake, form, kind)
            wheres = []
            for _ in range(40):
                moment = f"'{random.choice(['2023-12-', '2024-01-'])}{random.randrange(1, 32):02}{random.choice(['', ' 00:00:00', ' 06:59:59', f' {random.randrange(24):02}:00:00'])}'"
                op = random.choice(["=", "<", "<=", ">", ">=", "<>"])
                atom = random.choice([f"ts {op} TIMESTAMP {moment}", f"ts {op} {moment}", f"ts::DATE {op} DATE {moment[:11]}'", f"date_trunc('{random.choice(['day', 'week', 'month', 'hour'])}', ts) {op} {moment}",
                                      f"year(ts) {op} {random.choice([2023, 2024])}", f"code {op} '{random.choice(['', 'a', 'b', 'cz', 'czz', 'd4', 'é', 'éa', 'zz'])}'", f"n {op} {random.randrange(-1, 21)}", "ts IS NULL", "code IS NULL",
                                      f"code LIKE '{random.choice(['a', 'bz', 'é', 'czz'])}%'", f"ts IN ({moment}, '2024-01-01')"])
                wheres.append(atom if random.random() < 0.6 else f"NOT ({atom})")
            for zone in ["UTC", "America/Los_Angeles", "Asia/Kolkata"] if kind == "TIMESTAMPTZ" and form != "month" else ["UTC"]:
                ask = lambda relation: json.loads(lake.run("sql", "--format", "json", f"SET TimeZone = '{zone}'; " + " UNION ALL ".join(f"(SELECT {i} AS i, count(*) AS c, sum(n) AS s FROM {relation} WHERE {w})" for i, w in enumerate(wheres)) + " ORDER BY i"))
                for w, x, y in zip(wheres, ask(f"gold.{form}"), ask(f"(FROM gold.{form} LIMIT 1000000)")):
                    equal((form, zone, w, x), (form, zone, w, y))


main()
