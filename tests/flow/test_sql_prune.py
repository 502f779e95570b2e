#!/usr/bin/env python3
"""Queries open only the files that their WHERE may be true for, and give the rows that they give over all files."""
import random, re

from lake_flow import case, equal, has, main

FILES = 12


def table(lake):
    """Files of 50 rows each, apart in n, day, seen, name and s.v; f has NaN, m has NULL in places; two partitions."""
    lake.root.mkdir(exist_ok=True)
    select = ("SELECT {k} * 50 + i AS n, CASE WHEN i = 7 AND {k} % 3 = 0 THEN 'NaN'::DOUBLE ELSE {k} + i / 100.0 END AS f, DATE '2024-01-01' + ({k} * 50 + i)::INT AS day, "
              "TIMESTAMP '2024-01-01 00:00:00.1234' + INTERVAL ({k} * 50 + i) HOUR AS seen, chr(97 + {k}) || repeat('x', i % 60) || i AS name, "
              "{{'v': {k} * 50 + i}} AS s, CASE WHEN {k} = 4 THEN NULL WHEN i % 5 > 0 THEN {k} END AS m, {k} = 2 AS b, {k} % 2 AS p FROM range(50) t(i)")
    lake.run("sql", f"CREATE TABLE gold.t PARTITIONED BY (p) AS {select.format(k=0)}")
    lake.run("sql", ";".join(f"INSERT INTO gold.t {select.format(k=k)}" for k in range(1, FILES)))


def files_read(lake, query):
    plan = lake.run("sql", "EXPLAIN ANALYZE " + query, "--format", "csv")
    return sum(map(int, re.findall(r"Total Files Read:\s*(\d+)", plan)))


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
        whole = lake.rows(" UNION ALL ".join(f"(SELECT {i} AS i, count(*) AS c, sum(n) AS s FROM (FROM gold.t) AS t WHERE {w})" for i, w in enumerate(wheres)) + " ORDER BY i")
        for w, x, y in zip(wheres, pruned, whole):
            equal((w, x), (w, y))


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


main()
