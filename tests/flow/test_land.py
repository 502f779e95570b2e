#!/usr/bin/env python3
"""tarn land as users meet it: every format, odd files, bad rows, modes, idempotence; nothing stays behind when it fails."""
import gzip, io, json, os, random, struct, subprocess, zipfile
from concurrent.futures import ThreadPoolExecutor

from lake_flow import case, equal, has, main


def refused(lake, *words, status=1, says=(), version=None, stdin=b""):
    """The call fails, says why, adds no version and leaves no file."""
    before = lake.parquet_files() if lake.root.exists() else []
    lake.run("land", *words, status=status, stdin=stdin)
    for part in says:
        has(lake.err, part)
    equal(lake.parquet_files() if lake.root.exists() else [], before)


@case
def csv_and_what_is_added(lake):
    lake.file("a.csv", "id,name,day\n1,x,2024-01-01\n2,,2024-01-02\n")
    r = lake.land("landing.t", "a.csv")
    equal((r["rows"], r["version"], r["inputs"], r["created"], r["environment"], r["lake_commit"]), (2, 0, 1, True, "prod", 0))
    equal(lake.rows("SELECT id, name, day, _source_file FROM landing.t ORDER BY id"),
          [{"id": 1, "name": "x", "day": "2024-01-01", "_source_file": "a.csv"}, {"id": 2, "name": None, "day": "2024-01-02", "_source_file": "a.csv"}])
    t = lake.delta("landing.t").to_pyarrow_table()
    equal(str(t.schema.field("_loaded_at").type), "timestamp[us, tz=UTC]")
    equal(len(set(t["_loaded_at"].to_pylist())), 1)
    lake.run("land", "landing.t", "a.csv", "--no-source-columns", "--mode", "overwrite", "--schema-mode", "overwrite")
    has(lake.out, "landed 2 rows from 1 file in landing.t, version 1")
    equal(lake.delta("landing.t").to_pyarrow_table().schema.names, ["id", "name", "day"])


@case
def modes(lake):
    lake.file("a.csv", "a\n1\n")
    for mode, rows in (("append", 1), ("append", 2), ("overwrite", 1), ("ignore", 1)):
        lake.run("land", "s.t", "a.csv", "--mode", mode)
        if mode == "ignore":
            has(lake.out, "nothing landed")
        equal(lake.rows("SELECT count(*) AS n FROM s.t")[0]["n"], rows)
    refused(lake, "s.t", "a.csv", "--mode", "error", says=["there already"])
    lake.run("land", "s.new", "a.csv", "--mode", "error")
    refused(lake, "s.t", "a.csv", "--mode", "nonsense", status=2, says=["--mode cannot be 'nonsense'"])


@case
def schema_modes(lake):
    lake.file("a.csv", "a,b\n1,x\n")
    lake.file("b.csv", "a,c\n2,y\n")
    lake.run("land", "s.t", "a.csv")
    refused(lake, "s.t", "b.csv", status=None, says=["'c'"])
    lake.run("land", "s.t", "b.csv", "--schema-mode", "merge")
    equal(lake.rows("SELECT a, b, c FROM s.t ORDER BY a"), [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": None, "c": "y"}])
    lake.run("land", "s.t", "b.csv", "--mode", "overwrite", "--schema-mode", "overwrite")
    equal(lake.rows("SELECT * EXCLUDE (_source_file, _loaded_at) FROM s.t"), [{"a": 2, "c": "y"}])


@case
def partitions_and_types(lake):
    lake.file("a.csv", "day,price,n\n2024-01-01,1.10,007\n2024-01-02,2.255,8\n")
    lake.run("land", "s.t", "a.csv", "--partition-by", "day", "--types", "price=DECIMAL(10,2),n=VARCHAR", "--property", "delta.appendOnly=true")
    equal(lake.rows("SELECT price::VARCHAR AS p, n FROM s.t ORDER BY day"), [{"p": "1.10", "n": "007"}, {"p": "2.26", "n": "8"}])
    d = lake.delta("s.t")
    equal((d.metadata().partition_columns, d.metadata().configuration), (["day"], {"delta.appendOnly": "true"}))
    refused(lake, "s.t", "a.csv", "--types", "nope=INT", status=2, says=["--types names the column 'nope'"])
    lake.run("land", "s.u", "a.csv", "--types", "*=VARCHAR", "--types", "n=BIGINT")
    equal({f.name: str(f.type.type) for f in lake.delta("s.u").schema().fields}["price"], "string")
    equal({f.name: str(f.type.type) for f in lake.delta("s.u").schema().fields}["n"], "long")


@case
def bad_rows_are_told(lake):
    lake.file("count.csv", "a,b\n1,2\n3\n4,5,6\n")
    refused(lake, "s.t", "count.csv", "--delimiter", ",", says=["count.csv:3", "count.csv:4", "2 rows cannot be read", "--on-bad-row aside"])
    lake.file("cast.csv", "a\n1\nx\n")
    refused(lake, "s.t", "cast.csv", "--types", "a=INTEGER", says=["cast.csv:3: column 'a'", '"x"'])
    lake.file("quote.csv", 'a,b\n1,"x\n2,y\n')
    refused(lake, "s.t", "quote.csv", says=["quote"])
    lake.file("utf8.csv", b"a,b\n1,x\n2,\xff\xfe\n")
    refused(lake, "s.t", "utf8.csv", "--delimiter", ",", says=["utf8.csv:3", "utf-8"])
    lake.file("ok.csv", "a\n1\n")
    lake.run("land", "s.t", "ok.csv")
    refused(lake, "s.t", "cast.csv", says=["cast.csv:3"])  # the table's type decides
    equal(lake.delta("s.t").version(), 0)


@case
def bad_rows_aside(lake):
    lake.file("a.csv", "a,b\n1,2\nx,3\n4\n5,6\n")
    r = lake.land("s.t", "a.csv", "--types", "a=BIGINT,b=BIGINT", "--on-bad-row", "aside")
    equal((r["rows"], r["rejected"]), (2, 2))
    equal(lake.rows("SELECT line, raw, _source_file FROM s.t__rejected ORDER BY line"),
          [{"line": 3, "raw": "x,3", "_source_file": "a.csv"}, {"line": 4, "raw": "4", "_source_file": "a.csv"}])
    lake.run("land", "s.t", "a.csv", "--on-bad-row", "aside")
    has(lake.err, "2 rows could not be read and are in s.t__rejected")
    equal(lake.rows("SELECT count(*) AS n FROM s.t__rejected"), [{"n": 4}])


@case
def a_wrong_guess_is_no_bad_row(lake):
    lake.file("a.csv", "a\n" + "".join(f"{i}\n" for i in range(50000)) + "x\n")
    equal(lake.land("s.t", "a.csv")["rows"], 50001)
    equal(lake.rows("SELECT typeof(a) AS t FROM s.t LIMIT 1"), [{"t": "VARCHAR"}])
    lake.file("b1.csv", "v\n1\n")
    lake.file("b2.csv", "v\n1.5\n")
    lake.run("land", "s.u", "b1.csv", "b2.csv")
    equal(lake.rows("SELECT sum(v) AS v FROM s.u"), [{"v": 2.5}])


@case
def different_headers_and_line_endings(lake):
    lake.file("a.csv", "Date,Open\r\n2024-01-01,1\r\n2024-01-02,2\r\n")
    lake.file("b.csv", "DATE,OPEN\n2024-01-03,3\n")
    lake.file("c.csv", "open,date,extra\n4,2024-01-04,z\n")
    lake.file("d.csv", "Date,Open\n2024-01-05,5")
    for options in (["--types", "*=VARCHAR"], [], ["--normalize-names"], ["--types", "*=VARCHAR", "--delimiter", ","]):
        r = lake.land("s.t", "a.csv", "b.csv", "c.csv", "d.csv", "--mode", "overwrite", "--schema-mode", "overwrite", *options)
        equal(r["rows"], 5)
        equal(lake.rows("SELECT string_agg(\"open\"::VARCHAR, ',' ORDER BY \"date\") AS o, count(extra) AS e FROM s.t"), [{"o": "1,2,3,4,5", "e": 1}])


@case
def later_columns_are_not_lost(lake):
    lake.file("1.csv", "a,b\n1,2\n")
    lake.file("2.csv", "b,a,c\n3,4,5\n")
    lake.run("land", "s.t", "1.csv", "2.csv")
    equal(lake.rows("SELECT a, b, c FROM s.t ORDER BY a"), [{"a": 1, "b": 2, "c": None}, {"a": 4, "b": 3, "c": 5}])


@case
def dialects(lake):
    lake.file("a.csv", "# made by hand\nx;y\n'a;b';1,5\n-;31.12.2024\n")
    lake.run("land", "s.t", "a.csv", "--delimiter", ";", "--quote", "'", "--skip", "1", "--null", "-", "--types", "*=VARCHAR")
    equal(lake.rows("SELECT x, y FROM s.t"), [{"x": "a;b", "y": "1,5"}, {"x": None, "y": "31.12.2024"}])
    lake.file("b.csv", "31.12.2024\t1\n01.01.2025\t2\n")
    lake.run("land", "s.d", "b.csv", "--columns", "day,n", "--delimiter", "tab", "--date-format", "%d.%m.%Y", "--types", "day=DATE,n=INT")
    equal(lake.rows("SELECT day, n FROM s.d ORDER BY n"), [{"day": "2024-12-31", "n": 1}, {"day": "2025-01-01", "n": 2}])
    lake.file("c.csv", "1,2\n3,4\n")
    lake.run("land", "s.c", "c.csv", "--no-header")
    equal(lake.rows("SELECT count(*) AS n FROM s.c"), [{"n": 2}])
    lake.file("d.csv", "a,b\n1,2\n")
    lake.run("land", "s.e", "d.csv", "--csv-option", "decimal_separator=,", "--delimiter", ",", status=None)
    refused(lake, "s.c", "c.csv", "--csv-option", "x;drop=1", status=2, says=["no setting of read_csv"])


@case
def names(lake):
    lake.file("a.csv", 'Adj Close,#expiry,1m,,select,a.b,Größe\n1,2,3,4,5,6,7\n')
    lake.run("land", "s.t", "a.csv", "--normalize-names", "--types", "*=VARCHAR")
    equal(list(lake.rows("SELECT * EXCLUDE (_source_file, _loaded_at) FROM s.t")[0]), ["adj_close", "expiry", "_1m", "column3", "select", "a_b", "gr_e"])
    lake.file("b.csv", 'select,größe,"q""x",a.b\n1,2,3,4\n')
    lake.run("land", "s.v", "b.csv")
    equal(lake.rows('SELECT "select", größe, "q""x", "a.b" FROM s.v'), [{"select": 1, "größe": 2, 'q"x': 3, "a.b": 4}])
    lake.file("c.csv", "a,A,a\n1,2,3\n")
    lake.run("land", "s.w", "c.csv")
    equal(len(lake.rows("SELECT * EXCLUDE (_source_file, _loaded_at) FROM s.w")[0]), 3)
    lake.file("d.csv", "a,_source_file\n1,x\n")
    refused(lake, "s.x", "d.csv", status=None, says=["_source_file"])
    lake.run("land", "s.x", "d.csv", "--no-source-columns")


@case
def json_kinds(lake):
    lake.file("a.json", '[{"a":1,"b":{"c":[1,2]}},{"a":2}]')
    lake.file("b.ndjson", '{"a":1,"t":"2024-01-01T10:00:00"}\n\n{"a":2,"z":true}\n')
    lake.run("land", "s.j", "a.json")
    equal(lake.rows("SELECT a, b.c AS c FROM s.j ORDER BY a"), [{"a": 1, "c": [1, 2]}, {"a": 2, "c": None}])
    lake.run("land", "s.n", "b.ndjson")
    equal(lake.rows("SELECT a, z FROM s.n ORDER BY a"), [{"a": 1, "z": None}, {"a": 2, "z": True}])
    lake.file("bad.ndjson", '{"a":1}\n{"a":\nnonsense\n{"a":4}\n')
    refused(lake, "s.b", "bad.ndjson", says=["bad.ndjson:2: ", "bad.ndjson:3: ", "2 rows cannot be read"])
    r = lake.land("s.b", "bad.ndjson", "--on-bad-row", "aside")
    equal((r["rows"], r["rejected"]), (2, 2))
    equal(lake.rows("SELECT line, raw, _source_file FROM s.b__rejected ORDER BY line"),
          [{"line": 2, "raw": '{"a":', "_source_file": "bad.ndjson"}, {"line": 3, "raw": "nonsense", "_source_file": "bad.ndjson"}])
    equal(lake.rows("SELECT DISTINCT _source_file AS f FROM s.b"), [{"f": "bad.ndjson"}])
    lake.file("good.ndjson", '{"a":1}\n{"a":null}\n{}\n')
    lake.run("land", "s.k", "good.ndjson", "--types", "a=BIGINT")
    lake.file("cast.ndjson", '{"a":3}\n\n{"a":"x"}\n{"b":1,"a":"4"}\n')
    refused(lake, "s.k", "cast.ndjson", "--schema-mode", "merge", says=["cast.ndjson:3: column 'a': the value cannot be read as BIGINT", "1 row cannot"])
    equal(lake.land("s.k", "cast.ndjson", "--schema-mode", "merge", "--on-bad-row", "aside")["rejected"], 1)
    equal(lake.rows("SELECT sum(a) AS s, count(*) AS n FROM s.k"), [{"s": 8, "n": 5}])
    lake.file("broken.json", '[{"a":1},')
    refused(lake, "s.b", "broken.json", says=["broken.json"])


@case
def parquet_and_arrow(lake):
    import pyarrow as pa, pyarrow.parquet as pq
    table = pa.table({"i": [1, 2, None], "s": ["a", None, "c"], "d": pa.array([1, 2, 3], pa.decimal128(10, 2))})
    pq.write_table(table, lake.dir / "a.parquet")
    lake.run("land", "s.p", "a.parquet")
    equal(lake.delta("s.p").to_pyarrow_table(columns=["i", "s", "d"]).to_pylist(), table.to_pylist())
    data = (lake.dir / "a.parquet").read_bytes()
    lake.file("cut.parquet", data[:-20])
    refused(lake, "s.p", "cut.parquet", says=["cut.parquet"])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    lake.run("land", "s.a", "-", "--format", "arrow", stdin=sink.getvalue())
    equal(lake.delta("s.a").to_pyarrow_table(columns=["i", "s", "d"]).to_pylist(), table.to_pylist())
    refused(lake, "s.a", "-", "--format", "arrow", stdin=sink.getvalue()[:100], status=None)
    lake.run("land", "s.c", "-", "--format", "csv", stdin=b"a,b\n1,2\n")
    equal(lake.rows("SELECT a, _source_file FROM s.c"), [{"a": 1, "_source_file": "-"}])


@case
def files_that_are_not_there_or_empty(lake):
    lake.file("a.csv", "a\n1\n")
    refused(lake, "s.t", "nope.csv", status=2, says=["no file matches 'nope.csv'"])
    refused(lake, "s.t", "x/*.csv", status=2, says=["no file matches"])
    refused(lake, "s.t", "a.dat", status=2)
    lake.file("a.dat", "x")
    refused(lake, "s.t", "a.dat", status=2, says=["--format csv"])
    lake.file("b.json", "[]")
    refused(lake, "s.t", "a.csv", "b.json", status=2, says=["different formats"])
    lake.file("empty.csv", "")
    refused(lake, "s.t", "empty.csv", says=["empty", "--columns"])
    equal(lake.land("s.t", "a.csv", "empty.csv")["rows"], 1)
    lake.file("header.csv", "a,b\n")
    equal(lake.land("s.h", "header.csv")["rows"], 0)
    equal(lake.rows("SELECT count(*) AS n FROM s.h"), [{"n": 0}])
    equal(lake.land("s.t", "a.csv", "header.csv", "--schema-mode", "merge")["rows"], 1)
    lake.file("NYSE:LMT_data.csv", "a\n5\n")
    lake.run("land", "s.t", "NYSE:LMT_data.csv")
    lake.file("d[1]*.csv", "a\n6\n")
    lake.run("land", "s.t", "d[1]*.csv")
    equal(lake.rows("SELECT max(a) AS a FROM s.t"), [{"a": 6}])


@case
def compressed(lake):
    text = "a,b\n" + "".join(f"{i},{random.random()}\n" for i in range(20000))
    whole = gzip.compress(text.encode())
    lake.file("a.csv.gz", whole)
    equal(lake.land("s.t", "a.csv.gz")["rows"], 20000)
    lake.file("cut.csv.gz", whole[: len(whole) // 2])
    refused(lake, "s.t", "cut.csv.gz", says=["cut.csv.gz", "cut short"])
    lake.file("tail.csv.gz", whole[:-3])
    refused(lake, "s.t", "tail.csv.gz", says=["cut short"])
    lake.file("no.csv.gz", b"plain,text\n")
    refused(lake, "s.t", "no.csv.gz", says=["no.csv.gz"])
    lake.file("x.csv.bz2", b"BZh")
    refused(lake, "s.t", "x.csv.bz2", status=2, says=["unpack it first"])


@case
def zip_members(lake):
    path = lake.dir / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(4532):
            z.writestr(f"d/{i:05}.csv", f"20140606 00:00,{i}")  # no line feed at the end
        z.writestr("notes.md", "x")
        z.mkdir("empty")
    r = lake.land("s.t", "a.zip", "--zip-glob", "*.csv", "--columns", "time,v", "--types", "*=VARCHAR", "--delimiter", ",")
    equal((r["rows"], r["inputs"], r["version"]), (4532, 4532, 0))
    equal(lake.rows("SELECT count(DISTINCT _source_file) AS f, sum(v::INT) AS s, min(_source_file) AS m FROM s.t"),
          [{"f": 4532, "s": sum(range(4532)), "m": "a.zip::d/00000.csv"}])
    equal(lake.land("s.u", "a.zip::*00001.csv", "--columns", "time,v")["rows"], 1)
    refused(lake, "s.u", "a.zip::*.parquet", status=2, says=["no member of 'a.zip' matches '*.parquet'"])


@case
def zip_kinds(lake):
    def made(name, data, **kw):
        with zipfile.ZipFile(lake.dir / name, "w", **kw) as z:
            for member, text in data.items():
                z.writestr(member, text)
        return (lake.dir / name).read_bytes()
    made("stored.zip", {"a.csv": "a\n1\n", "x/y/b.csv": "a\n2\n"})
    equal(lake.land("s.t", "stored.zip")["rows"], 2)
    with zipfile.ZipFile(lake.dir / "big.zip", "w", zipfile.ZIP_DEFLATED) as z:  # zip64 fields though small
        with z.open(zipfile.ZipInfo("a.csv"), "w", force_zip64=True) as f:
            f.write(b"a\n3\n")
    equal(lake.land("s.t", "big.zip")["rows"], 1)
    with zipfile.ZipFile(lake.dir / "many.zip", "w") as z:  # more members than 16 bits count: zip64 end record
        for i in range(65600):
            z.writestr(f"{i}.txt", "")
        z.writestr("a.csv", "a\n4\n")
    equal(lake.land("s.t", "many.zip::a.csv")["rows"], 1)
    with zipfile.ZipFile(lake.dir / "lzma.zip", "w", zipfile.ZIP_LZMA) as z:
        z.writestr("a.csv", "a\n5\n")
    refused(lake, "s.t", "lzma.zip", status=2, says=["other than deflate"])
    with zipfile.ZipFile(lake.dir / "evil.zip", "w") as z:
        z.writestr("../../../evil.csv", "a\n6\n")
    equal(lake.land("s.t", "evil.zip")["rows"], 1)
    assert not list(lake.dir.parent.glob("evil.csv"))
    good = made("good.zip", {"a.csv": "a,b\n" + "1,2\n" * 50}, compression=zipfile.ZIP_DEFLATED)
    lake.file("cut.zip", good[:-30])
    refused(lake, "s.t", "cut.zip", says=["not a readable zip archive"])
    flipped = bytearray(good)
    flipped[45] ^= 0xFF
    lake.file("flip.zip", bytes(flipped))
    refused(lake, "s.t", "flip.zip", says=["not a readable zip archive"])


@case
def folders_and_globs(lake):
    for day in ("2024-01-01", "2024-01-02"):
        lake.file(f"in/day={day}/a.csv", f"v\n{day[-1]}\n")
    equal(lake.land("s.t", "in/*/a.csv")["inputs"], 2)
    equal(sorted(lake.rows("FROM s.t")[0]), ["_loaded_at", "_source_file", "v"])
    equal(lake.land("s.u", "in/**/*.csv")["rows"], 2)
    equal(lake.land("s.v", "in/day=2024-01-01")["rows"], 1)


@case
def once(lake):
    lake.file("a.csv", "a\n1\n")
    lake.file("b.csv", "a\n2\n")
    equal(lake.land("s.t", "a.csv", "--once")["rows"], 1)
    r = lake.land("s.t", "a.csv", "b.csv", "--once")
    equal((r["rows"], r["inputs_skipped"]), (1, 1))
    r = lake.land("s.t", "a.csv", "b.csv", "--once")
    equal((r["rows"], r["skipped"], r["version"]), (0, True, 1))
    lake.run("land", "s.t", "a.csv", "--once")
    has(lake.out, "all files are loaded already")
    refused(lake, "s.t", "a.csv", "--once", "--no-source-columns", status=2)
    for i in range(20):
        lake.file(f"many/{i}.csv", f"a\n{i}\n")
    with ThreadPoolExecutor(4) as pool:  # the same files by several at once: loaded once
        list(pool.map(lambda _: subprocess.run([os.environ["TARN"], "land", "s.race", "many/*.csv", "--once"], cwd=lake.dir, env=lake.env, timeout=600,
                                               capture_output=True), range(4)))
    equal(lake.rows("SELECT count(*) AS n FROM s.race"), [{"n": 20}])


@case
def many_at_once(lake):
    lake.file("a.csv", "a\n1\n")
    lake.run("land", "s.t", "a.csv")
    def one(i):
        return subprocess.run([os.environ["TARN"], "land", "s.t" if i % 2 else f"s.u{i}", "a.csv"], cwd=lake.dir, env=lake.env, timeout=600, capture_output=True)
    with ThreadPoolExecutor(6) as pool:
        for done in pool.map(one, range(12)):
            equal((done.returncode, done.stderr), (0, b""))
    equal(lake.rows("SELECT count(*) AS n FROM s.t"), [{"n": 7}])
    status = json.loads(lake.run("lake", "status", "--output", "json"))
    equal(status["environments"][0]["relations"], 7)
    import duckdb
    con = duckdb.connect(str(lake.root / "catalog/prod.duckdb"), read_only=True)
    equal(con.execute("SELECT count(*) FROM s.t").fetchone(), (7,))
    equal(con.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone(), (7,))


@case
def places_and_environments(lake):
    lake.file("a.csv", "a\n1\n")
    lake.run("land", "./there/t", "a.csv", env={"TARN_LAKE": ""})
    equal(lake.rows("SELECT a FROM delta.\"./there/t\"", env={"TARN_LAKE": ""}), [{"a": 1}])
    lake.run("land", f"delta.\"{lake.dir}/there/t\"", "a.csv")
    equal(lake.rows(f"SELECT count(*) AS n FROM delta.`{lake.dir}/there/t`"), [{"n": 2}])
    lake.run("land", "s.t", "a.csv", env={"TARN_LAKE": ""}, status=2)
    has(lake.err, "no lake is given")
    lake.run("land", "nonsense", "a.csv", status=2)
    has(lake.err, "schema.table")
    lake.run("land", "s.t", "a.csv", "--env", "dev")
    lake.run("land", "s.u", "a.csv", "--no-publish")
    equal(json.loads(lake.run("lake", "env", "ls", "--output", "json")), {"dev": 0})
    for table, versions in (("s.t", 0), ("s.u", 0)):
        equal(lake.delta(table).version(), versions)


@case
def killed_at_any_time(lake):
    lake.file("a.csv", "a\n" + "".join(f"{i}\n" for i in range(300000)))
    lake.run("land", "s.t", "a.csv")
    for i in range(12):
        p = subprocess.Popen([os.environ["TARN"], "land", "s.t", "a.csv"], cwd=lake.dir, env=lake.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            p.wait(timeout=0.02 * i)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        n = lake.rows("SELECT count(*) AS n, count(DISTINCT _loaded_at) AS loads FROM s.t")[0]
        equal(n["n"], 300000 * n["loads"])


main()
