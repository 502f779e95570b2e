#!/usr/bin/env python3
"""The Python package as its users have it: writing, merging, reading and looking after tables from pandas, polars, pyarrow, DuckDB and plain Python, the
same operations by deltalake held against it, threads, Ctrl-C, and `pip install`."""
import datetime, decimal, doctest, importlib, json, os, pathlib, pkgutil, random, signal, subprocess, sys, tempfile, threading, time, traceback

ROOT, BUILD = pathlib.Path(os.environ["TARN_ROOT"]), pathlib.Path(os.environ["TARN_BUILD"])
built = subprocess.run(["cmake", "--build", str(BUILD), "--target", "capi"], capture_output=True, text=True)
if built.returncode != 0:
    sys.exit(built.stdout[-3000:])
os.environ["TARN_LIBRARY"] = str(BUILD / "libtarn.so")
sys.path.insert(0, str(ROOT / "python"))

import deltalake, duckdb, pandas, pyarrow, pyarrow.dataset
import tarn

try:
    import polars
except ImportError:
    polars = None

UTC = datetime.timezone.utc
passed = failed = skipped = 0
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


def rows(table):
    """Rows of a table in an order of their own, by tarn."""
    return ordered(tarn.DeltaTable(str(table)).scan().to_pylist())


def judged(place):
    """The same by deltalake's query engine."""
    engine = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(str(place)))
    return ordered(pyarrow.table(engine.execute("SELECT * FROM t").read_all()).to_pylist())


def ordered(values):
    return sorted(values, key=lambda r: [(v is not None, str(v)) for _, v in sorted(r.items())])


def same(a, b, what=""):
    assert a == b, f"{what}\n  {a!r}\n  {b!r}"


def refused(kind, fn, *words):
    try:
        fn()
    except kind as error:
        for word in words:
            assert word in str(error), f"'{word}' is not in: {error}"
        return error
    raise AssertionError(f"{kind.__name__} was expected")


EVERY_TYPE = [
    {"id": 1, "x": 1.5, "s": "a", "yes": True, "day": datetime.date(2024, 1, 2), "at": datetime.datetime(2024, 1, 2, 3, 4, 5, 6, UTC),
     "wall": datetime.datetime(1969, 1, 2), "price": decimal.Decimal("1.25"), "list": [1, None, 3], "struct": {"a": 1, "b": "x"}, "raw": b"\x00\xff"},
    {"id": -2**63, "x": None, "s": "ü\0'", "yes": None, "day": None, "at": None, "wall": None, "price": decimal.Decimal("-3"), "list": [], "struct": None,
     "raw": b""},
]


@case
def every_type_there_and_back(folder):
    tarn.write_delta(folder / "t", EVERY_TYPE)
    got = rows(folder / "t")
    same(got, ordered([{**r, "price": r["price"].quantize(decimal.Decimal("0.01"))} for r in EVERY_TYPE]))
    same(tarn.DeltaTable(folder / "t").to_pyarrow_table().num_rows, 2)
    types = {f.name: f.type for f in tarn.DeltaTable(folder / "t").schema().fields}
    same((types["id"], types["at"], types["wall"], types["price"]), ("long", "timestamp", "timestamp_ntz", "decimal(38,2)"))
    plain = folder / "plain"  # what deltalake reads too
    tarn.write_delta(plain, [{k: v for k, v in r.items() if k != "wall"} for r in EVERY_TYPE])
    same(judged(plain), rows(plain))


@case
def data_of_every_kind(folder):
    base = pyarrow.table({"id": [1, 2, 3], "name": ["a", None, "c"]})
    kinds = {"table": base, "reader": base.to_reader(), "batch": base.to_batches()[0], "dataset": pyarrow.dataset.dataset(base),
             "scanner": pyarrow.dataset.dataset(base).scanner(), "batches": base.to_batches(), "pandas": base.to_pandas(),
             "duckdb": duckdb.sql("SELECT * FROM base ORDER BY id"), "dicts": base.to_pylist(), "columns": base.to_pydict(),
             "generator": (r for r in base.to_pylist()), "dictionary": base.set_column(1, "name", base["name"].dictionary_encode()),
             "sql": "SELECT * FROM (VALUES (1, 'a'), (2, NULL), (3, 'c')) AS t(id, name)"}
    if polars is not None:
        kinds |= {"polars": polars.DataFrame(base), "lazy": polars.DataFrame(base).lazy()}
    for name, data in kinds.items():
        tarn.write_delta(folder / name, data)
        same(rows(folder / name), base.to_pylist(), name)
    tarn.write_delta(folder / "copy", tarn.DeltaTable(folder / "table"))
    same(rows(folder / "copy"), base.to_pylist())
    tarn.write_delta(folder / "rows", tarn.DeltaTable(folder / "table").scan(predicate="id > 1"))
    same(len(rows(folder / "rows")), 2)
    for bad in ([], {}, [1], 7, [{"a": 1}, {"a": "x"}], {"a": [1], "b": []}, [{"a": object()}], [{"a": 2**64}]):
        refused(tarn.UsageError, lambda: tarn.write_delta(folder / "bad", bad))
    assert not tarn.DeltaTable.is_deltatable(folder / "bad")


@case
def rows_of_every_kind(folder):
    tarn.write_delta(folder / "t", [{"id": i, "name": f"n{i}"} for i in range(5000)])
    table = names = tarn.DeltaTable(folder / "t")
    for name, n in {"to_arrow": table.to_arrow().read_all().num_rows, "table": pyarrow.table(table).num_rows, "pandas": len(table.to_pandas()),
                    "duckdb": duckdb.sql("SELECT count(*) FROM names").fetchall()[0][0], "dataset": table.to_pyarrow_dataset().count_rows(),
                    "tuples": len(table.scan().fetchall()), "count": table.count()}.items():
        same(n, 5000, name)
    if polars is not None:
        same(table.to_polars().height, 5000)
    same(table.to_pyarrow_table(columns=["id"], filters=[("id", "<", 3)]).to_pydict(), {"id": [0, 1, 2]})
    same(table.to_pyarrow_table(filters=pyarrow.dataset.field("id") == 7)["name"].to_pylist(), ["n7"])
    same(table.schema().to_arrow().names, ["id", "name"])
    used = table.scan()
    used.fetchall()
    refused(tarn.UsageError, used.fetchall, "read")
    refused(tarn.SqlError, lambda: table.scan(predicate="nothing = 1"), "nothing")
    table.scan().__arrow_c_stream__()  # a capsule that nobody takes


@case
def arrow_that_duckdb_gives(folder):
    session = tarn.connect()
    got = session.sql("""SELECT 1::TINYINT a, 2::UBIGINT b, 3::HUGEINT c, 1.5::FLOAT d, TIME '01:02:03.5' e, [[1], NULL, []] f, MAP {'k': 1} g,
        'x'::ENUM('x', 'y') h, TIMESTAMP_NS '2024-01-02 03:04:05.123456789' i, {'a': [1]} j, NULL k, [1, 2]::INT[2] l, 12.30::DECIMAL(9,2) m,
        unnest([1, 2, 3]) AS n""").fetchall()
    same(got[1], (1, 2, 3, 1.5, datetime.time(1, 2, 3, 500000), [[1], None, []], {"k": 1}, "x", datetime.datetime(2024, 1, 2, 3, 4, 5, 123456),
                  {"a": [1]}, None, [1, 2], decimal.Decimal("12.30"), 2))
    same(session.sql("SELECT CASE WHEN range % 3 = 0 THEN NULL ELSE range END AS n FROM range(5000)").fetchall(),
         [(None if i % 3 == 0 else i,) for i in range(5000)])


def random_type(r, depth=0):
    plain = [pyarrow.int8(), pyarrow.int64(), pyarrow.uint32(), pyarrow.float64(), pyarrow.string(), pyarrow.large_string(), pyarrow.binary(), pyarrow.bool_(),
             pyarrow.date32(), pyarrow.timestamp("us"), pyarrow.timestamp("us", "UTC"), pyarrow.decimal128(12, 3), pyarrow.time64("us"), pyarrow.string_view(),
             pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), pyarrow.null()]
    if depth > 2 or r.random() < 0.6:
        return r.choice(plain if depth == 0 else plain[:-1])
    return r.choice([lambda: pyarrow.list_(random_type(r, depth + 1)), lambda: pyarrow.list_(random_type(r, depth + 1), 2),
                     lambda: pyarrow.large_list(random_type(r, depth + 1)),
                     lambda: pyarrow.struct([("a", random_type(r, depth + 1)), ("b", random_type(r, depth + 1))]),
                     lambda: pyarrow.map_(pyarrow.string(), random_type(r, depth + 1))])()


def random_value(r, t):
    if r.random() < 0.2 or pyarrow.types.is_null(t):
        return None
    if pyarrow.types.is_fixed_size_list(t):
        return [random_value(r, t.value_type) for _ in range(2)]
    if pyarrow.types.is_dictionary(t):
        return r.choice(["a", "b", "long enough for no view"])
    if pyarrow.types.is_list(t) or pyarrow.types.is_large_list(t):
        return [random_value(r, t.value_type) for _ in range(r.randint(0, 3))]
    if pyarrow.types.is_struct(t):
        return {f.name: random_value(r, f.type) for f in t}
    if pyarrow.types.is_map(t):
        return [(f"k{i}", random_value(r, t.item_type)) for i in range(r.randint(0, 3))]
    if pyarrow.types.is_integer(t):
        return r.randint(0, 100)
    if pyarrow.types.is_timestamp(t):
        return datetime.datetime(2024, 1, 1, tzinfo=UTC if t.tz else None) + datetime.timedelta(microseconds=r.randint(-6 * 10**16, 10**15))
    return {"double": lambda: r.choice([0.0, -1.5, float("inf"), 1e300]), "bool": lambda: r.random() < 0.5, "string": lambda: r.choice(["", "a", "ü" * 20]),
            "string_view": lambda: r.choice(["", "short", "long enough for a buffer"]), "large_string": lambda: r.choice(["", "b" * 9]), "binary": lambda: r.choice([b"", b"\x00\xff"]), "date32[day]": lambda: datetime.date(1900, 1, 1) +
            datetime.timedelta(r.randint(0, 90000)), "time64[us]": lambda: datetime.time(r.randint(0, 23), 1, 2, r.randint(0, 999999)),
            "decimal128(12, 3)": lambda: decimal.Decimal(r.randint(-10**12, 10**12 - 1)).scaleb(-3)}[str(t)]()


def shown(v, t):
    """pyarrow's value with maps as dicts."""
    if v is None:
        return None
    if pyarrow.types.is_map(t):
        return {k: shown(x, t.item_type) for k, x in v}
    if pyarrow.types.is_struct(t):
        return {f.name: shown(v[f.name], f.type) for f in t}
    return [shown(x, t.value_type) for x in v] if pyarrow.types.is_nested(t) else v


@case
def random_arrow_there_and_back(folder):
    """Any Arrow data through DuckDB and our own reader is what pyarrow says it is, sliced batches too; and what our own writer makes of the values."""
    seed = int.from_bytes(os.urandom(4), "little")
    session = tarn.connect()
    for i in range(40):
        r = random.Random(seed + i)
        types = [random_type(r) for _ in range(r.randint(1, 4))]
        n = r.choice([1, 7, 8, 9, 100, 2049, 5000]) if i % 10 == 0 else r.randint(1, 70)
        columns = {f"c{k}": pyarrow.array([random_value(r, t) for _ in range(n)], t) for k, t in enumerate(types)}
        table = pyarrow.table(columns).slice(r.randint(0, n - 1))
        want = [tuple(shown(v, t) for v, t in zip(row.values(), types)) for row in table.to_pylist()]
        same(session.sql("SELECT * FROM x", x=table).fetchall(), want, f"seed {seed + i}: {types}")
        if any("map" in str(t) or "fixed_size" in str(t) or "struct" in str(t) or "uint" in str(t) or "time64" in str(t) for t in types):
            continue  # dicts are structs, and Python's integers have no width
        again = session.sql("SELECT * FROM x", x={k: [row[j] for row in want] for j, k in enumerate(columns)}).fetchall()
        same([[str(v) if isinstance(v, decimal.Decimal) else v for v in row] for row in again],
             [[str(v) if isinstance(v, decimal.Decimal) else v for v in row] for row in want], f"by our writer, seed {seed + i}: {types}")


@case
def random_tables_are_judged(folder):
    """Nested columns of any shape, written from Arrow: deltalake reads what pyarrow had."""
    seed = int.from_bytes(os.urandom(4), "little")
    for i in range(12):
        r, types = random.Random(seed + i), []
        while len(types) < 3:
            t = random_type(r)
            if not any(word in str(t) for word in ("time64", "null", "uint", "timestamp")) or str(t) == "timestamp[us, tz=UTC]":
                types.append(t)
        n = r.choice([5, 50, 3000])
        data = pyarrow.table({"id": range(n), **{f"c{k}": pyarrow.array([random_value(r, t) for _ in range(n)], t) for k, t in enumerate(types)}})
        want = [{"id": row["id"], **{f"c{k}": shown(row[f"c{k}"], t) for k, t in enumerate(types)}} for row in data.to_pylist()]
        place = str(folder / f"t{i}")
        tarn.write_delta(place, data)
        read = pyarrow.table(deltalake.QueryBuilder().register("t", deltalake.DeltaTable(place)).execute("SELECT * FROM t ORDER BY id").read_all())
        theirs = [{f.name: shown(row[f.name], f.type) for f in read.schema} for row in read.to_pylist()]
        same(tarn.DeltaTable(place).query("SELECT * FROM this ORDER BY id").to_pylist(), want, f"tarn, seed {seed + i}: {types}")
        same(theirs, want, f"deltalake, seed {seed + i}: {types}")


SPILL = """
import sys, tarn
kept = tarn.DeltaTable(sys.argv[1])
tarn.write_delta(kept, "SELECT range AS id, md5(range::VARCHAR) AS h FROM range(3000000) ORDER BY h", mode="overwrite", schema_mode="overwrite")
print(kept.count())
"""


@case
def memory_is_bounded_and_spills_go(folder):
    tarn.write_delta(folder / "t", [{"id": 1}])
    (folder / "tmp").mkdir()
    ran = subprocess.run([sys.executable, "-c", SPILL, str(folder / "t")], capture_output=True, text=True, cwd=folder,
                         env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "TMPDIR": str(folder / "tmp"), "TARN_MEMORY_LIMIT": "100MB"})
    same((ran.stdout.split(), ran.stderr), (["3000000"], ""))
    same((list((folder / "tmp").iterdir()), sorted(p.name for p in folder.iterdir())), ([], ["t", "tmp"]))


FORK = """
import os, sys, tarn
table, lake = tarn.DeltaTable(sys.argv[1]), tarn.connect(sys.argv[1] + "-lake")
rows = table.scan()
child = os.fork()
if child == 0:
    try:
        table.scan()
    except tarn.UsageError:
        print(tarn.DeltaTable(sys.argv[1]).scan().fetchall(), flush=True)
    sys.exit(0)
os.waitpid(child, 0)
print(rows.fetchall())
"""


@case
def fork_and_exit(folder):
    tarn.write_delta(folder / "t", [{"id": 1}])
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK, str(folder / "t")], capture_output=True, text=True, timeout=600,
                         env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
    same((ran.returncode, ran.stdout.split(), ran.stderr), (0, ["[(1,)]", "[(1,)]"], ""))


@case
def programs_of_older_headers(folder):
    """Options are cut off where an older program's struct ends."""
    from tarn import _lib
    tarn.write_delta(folder / "t", [{"id": 1}, {"id": 2}])
    table = tarn.DeltaTable(folder / "t")
    options = _lib.ScanOptions(where=b"id = 2", limit=1)
    options.size = _lib.ScanOptions.limit.offset
    same(table._handle.rows("tarn_table_scan", _lib.byref(options)).fetchall(), [(2,)])
    options.size = _lib.ScanOptions.where.offset  # then it has no predicate either
    same(len(table._handle.rows("tarn_table_scan", _lib.byref(options)).fetchall()), 2)


def both(folder, name, work):
    """Runs the same calls by both packages on a table each; gives the two places."""
    places = []
    for package in (tarn, deltalake):
        place = str(folder / f"{name}-{package.__name__}")
        work(package, place)
        places.append(place)
    same(rows(places[0]), judged(places[1]), f"{name}: tarn's table and deltalake's")
    same(judged(places[0]), rows(places[1]), f"{name}: each read by the other")
    return places


@case
def the_same_as_deltalake(folder):
    first = pyarrow.table({"id": [1, 2, 3], "day": ["mon", "tue", "tue"], "price": [1.0, 2.0, None]})
    more = pyarrow.table({"id": [3, 4], "day": ["wed", "mon"], "price": [9.5, 4.0]})

    def writing(p, place):
        p.write_deltalake(place, first, partition_by=["day"], name="prices", description="of a day", configuration={"delta.appendOnly": "false"})
        p.write_deltalake(place, more, mode="append")
        p.write_deltalake(place, more, mode="ignore")
        p.write_deltalake(place, pyarrow.table({"id": [8], "day": ["tue"], "price": [8.0]}), mode="overwrite", predicate="day = 'tue'")
        p.write_deltalake(place, pyarrow.table({"id": [9], "day": ["tue"], "price": [8.0], "extra": ["x"]}), mode="append", schema_mode="merge")

    a, b = both(folder, "writing", writing)
    x, y = tarn.DeltaTable(a), deltalake.DeltaTable(b)
    same(x.version(), y.version())
    same((x.metadata().name, x.metadata().description, x.metadata().partition_columns), (y.metadata().name, y.metadata().description,
                                                                                      y.metadata().partition_columns))
    same(sorted((f.name, f.type) for f in x.schema().fields), sorted((f.name, f.type.type) for f in y.schema().fields))
    same(sorted(map(str, x.partitions())), sorted(map(str, y.partitions())))
    same(len(x.file_uris([("day", "=", "tue")])), len(y.file_uris([("day", "=", "tue")])))
    same(ordered(x.to_pandas(partitions=[("day", "=", "tue")]).astype(object).to_dict("records")),
         ordered(y.to_pandas(partitions=[("day", "=", "tue")]).astype(object).to_dict("records")))
    both(folder, "overwriting", lambda p, place: (p.write_deltalake(place, first), p.write_deltalake(place, more.select(["id"]), mode="overwrite",
                                                                                                   schema_mode="overwrite")))
    counts = {}

    def changing(p, place):
        p.write_deltalake(place, first)
        t = p.DeltaTable(place)
        done = [t.update({"price": "coalesce(price, 0) + 1"}, predicate="id >= 2"), t.update(new_values={"day": "sun"}, predicate="id = 1"),
                t.merge(more, "s.id = t.id", source_alias="s", target_alias="t").when_matched_update({"price": "s.price"})
                .when_not_matched_insert({"id": "s.id", "day": "s.day", "price": "s.price"}).execute(),
                t.merge(more, "s.id = t.id", "s", "t").when_matched_update_all(except_cols=["day"]).when_not_matched_by_source_update(
                    {"price": "t.price * 2"}, predicate="t.id = 1").when_not_matched_by_source_delete("t.id = 2").execute(),
                t.delete("price > 9")]
        names = {"num_updated_rows", "num_deleted_rows", "num_source_rows", "num_target_rows_inserted", "num_target_rows_updated",
                 "num_target_rows_deleted"}
        counts[p.__name__] = [{k: v for k, v in d.items() if k in names} for d in done]
        same(t.version(), 5)

    both(folder, "changing", changing)
    same(counts["tarn"], counts["deltalake"])

    def care(p, place):
        for i in range(4):
            p.write_deltalake(place, pyarrow.table({"id": [i], "k": [i % 2]}), mode="append")
        t = p.DeltaTable(place)
        done = t.optimize.compact()
        same((done["numFilesAdded"], done["numFilesRemoved"]), (1, 4))
        same(t.optimize.z_order(["k", "id"])["numFilesAdded"], 1)
        t.delete("id = 1")
        done = t.restore(3)
        assert done["numRestoredFile"] == 4, done
        t.create_checkpoint()
        same(sorted(p.DeltaTable(place).vacuum(0, dry_run=False, enforce_retention_duration=False))[-1].endswith(".parquet"), True)
        t.load_as_version(1)
        same(t.version(), 1)

    both(folder, "care", care)


@case
def random_changes_like_deltalake(folder):
    seed = int.from_bytes(os.urandom(4), "little")
    try:
        for i in range(6):
            both(folder, f"random{i}", lambda p, place: random_work(p, place, random.Random(seed + i)))
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def random_work(p, place, r):
    def batch():
        ids = r.sample(range(40), r.randint(1, 12))
        return pyarrow.table({"id": ids, "v": [r.choice([None, r.randint(0, 9)]) for _ in ids]}, schema=pyarrow.schema({"id": "int64", "v": "int64"}))

    p.write_deltalake(place, batch())
    t = p.DeltaTable(place)
    for _ in range(8):
        what, k = r.choice(["append", "delete", "update", "merge", "part", "compact"]), r.randint(0, 40)
        if what == "append":
            p.write_deltalake(t, batch().slice(0, 1), mode="append")
        elif what == "delete":
            t.delete(f"id % 5 = {k % 5} AND v > 4")
        elif what == "update":
            t.update({"v": f"v + {k}"}, predicate=f"id < {k}")
        elif what == "part":
            rows_now = batch().filter(pyarrow.compute.field("id") < 20)
            p.write_deltalake(t, rows_now, mode="overwrite", predicate="id < 20")
        elif what == "compact":
            t.optimize.compact()
        else:
            source = batch()
            m = t.merge(source, "s.id = t.id", "s", "t").when_matched_update_all(f"t.id % 2 = {k % 2}")
            m = m.when_matched_delete() if r.random() < 0.3 else m
            m = m.when_not_matched_by_source_delete(f"t.id % 7 = {k % 7}") if r.random() < 0.3 else m
            m.when_not_matched_insert_all().execute()


@case
def commits_carry_what_is_given(folder):
    place = folder / "t"
    commit = tarn.CommitProperties(custom_metadata={"who": "me"}, app_transactions=[tarn.Transaction("loader", 5)])
    tarn.write_delta(place, [{"a": 1}], commit_properties=commit)
    tarn.write_delta(place, [{"a": 1}], mode="append", commit_properties=commit)  # the same again: skipped
    table = tarn.DeltaTable(place)
    same((table.version(), table.history()[0]["who"], table.transaction_version("loader"), table.transaction_version("x")), (0, "me", 5, None))
    same(deltalake.DeltaTable(str(place)).transaction_version("loader"), 5)
    tarn.write_deltalake(table, [{"a": 2}], mode="append", commit_properties=deltalake.CommitProperties(custom_metadata={"who": "you"}))
    same((table.version(), table.history(1)[0]["who"]), (1, "you"))
    table.delete("a = 2", custom_metadata={"why": "test"})
    same(table.history(1)[0]["why"], "test")
    tarn.write_delta(folder / "p", [{"k": 1, "v": 1}, {"k": 2, "v": 2}], partition_by="k", custom_metadata={"x": 1})
    tarn.write_delta(folder / "p", [{"k": 2, "v": 9}], mode="overwrite", dynamic_partitions=True)
    same(rows(folder / "p"), [{"k": 1, "v": 1}, {"k": 2, "v": 9}])
    tarn.write_delta(folder / "small", "SELECT range AS id, md5(range::VARCHAR) AS h FROM range(600000)", target_file_size=1 << 20)
    assert len(tarn.DeltaTable(folder / "small").files()) > 2


@case
def tables_made_and_altered(folder):
    fields = pyarrow.schema([pyarrow.field("id", pyarrow.int64(), nullable=False), pyarrow.field("at", pyarrow.timestamp("us", "UTC")),
                             pyarrow.field("tags", pyarrow.list_(pyarrow.string())), pyarrow.field("price", pyarrow.decimal128(9, 2)),
                             pyarrow.field("who", pyarrow.struct([("name", pyarrow.string())])), pyarrow.field("m", pyarrow.map_("string", "int32"))])
    a, b = str(folder / "a"), str(folder / "b")
    options = dict(name="made", description="by a test", configuration={"delta.enableChangeDataFeed": "true"})
    ours, theirs = tarn.DeltaTable.create(a, fields, **options), deltalake.DeltaTable.create(b, fields, **options)
    same([(f.name, f.nullable, f.type) for f in ours.schema().fields], [(f.name, f.nullable, f.type) for f in tarn.DeltaTable(b).schema().fields])
    same((ours.metadata().name, ours.metadata().description, ours.metadata().configuration), ("made", "by a test", {"delta.enableChangeDataFeed": "true"}))
    refused(tarn.TableExistsError, lambda: tarn.DeltaTable.create(a, fields))
    same(tarn.DeltaTable.create(a, fields, mode="ignore").version(), 0)
    refused(tarn.DataError, lambda: tarn.write_delta(a, [{"id": None}], mode="append"), "id")
    same(tarn.DeltaTable.create(folder / "c", theirs.schema()).schema().names, fields.names)
    same(tarn.DeltaTable.create(a, [tarn.Field("k", "long")], mode="overwrite").schema().names, ["k"])
    place = str(folder / "t")
    tarn.write_delta(place, [{"id": 1, "v": 2}, {"id": 2, "v": 3}])
    table = tarn.DeltaTable(place)
    table.alter.add_columns(deltalake.schema.Field("note", "string"))
    table.alter.add_columns([tarn.Field("list", {"type": "array", "elementType": "long", "containsNull": True}, metadata={"comment": "it's"})])
    table.alter.add_constraint({"small": "v < 10"})
    refused(tarn.DataError, lambda: table.alter.add_constraint({"tiny": "v < 3"}), "v < 3")
    refused(tarn.DataError, lambda: table.update({"v": "11"}), "small")
    table.alter.drop_constraint("small")
    table.alter.drop_constraint("small", raise_if_not_exists=False)
    refused(tarn.TarnError, lambda: table.alter.drop_constraint("small"))
    table.alter.set_table_properties({"delta.columnMapping.mode": "name", "my.own": "it's"})
    table.alter.rename_column("v", "value")
    table.alter.drop_columns("note")
    table.alter.set_column_metadata("value", {"comment": "what"})
    table.alter.set_table_description("of a test")
    table.alter.add_feature("deletionVectors")
    same((table.schema().names, table.metadata().description, table.metadata().configuration["my.own"]), (["id", "value", "list"], "of a test", "it's"))
    assert "deletionVectors" in table.protocol().reader_features
    same(judged(place), ordered([{"id": 1, "value": 2, "list": None}, {"id": 2, "value": 3, "list": None}]))
    table.merge([{"id": 2, "value": 5, "more": "x"}], "s.id = t.id", "s", "t", merge_schema=True).when_matched_update_all().execute()
    same((table.schema().names, table.query("SELECT more FROM this WHERE id = 2").fetchall()), (["id", "value", "list", "more"], [("x",)]))
    refused(tarn.UsageError, lambda: table.alter.sql("DROP COLUMN a; DROP COLUMN b"))
    tarn.write_delta(folder / "clustered", "SELECT range AS id, range % 100 AS k FROM range(1000)", cluster_by="k")
    clustered = tarn.DeltaTable(folder / "clustered")
    same(clustered.optimize.compact()["numFilesAdded"], 1)
    clustered.alter.cluster_by(["id"])
    same(clustered.optimize.compact(full=True)["numFilesAdded"], 1)
    for i in range(3):
        table.update({"value": "value + 1"})
    same(table.compact_logs(), True)
    same(table.compact_logs(), False)


@case
def damage_is_found_and_repaired(folder):
    place = folder / "t"
    tarn.write_delta(place, [{"id": 1}, {"id": 2}], configuration={"delta.enableDeletionVectors": "true"})
    tarn.write_delta(place, [{"id": 3}], mode="append")
    table = tarn.DeltaTable(place)
    same(table.delete("id = 1")["num_deletion_vectors_added"], 1)
    same(table.optimize.purge()["numFilesAdded"], 1)
    same([f["deletion_vector"] for f in table.get_add_actions()], [None, None])
    same(table.check(values=True)["findings"], [])
    gone = [f["location"] for f in table.get_add_actions() if f["stats"]["minValues"]["id"] == 3]
    os.unlink(gone[0])
    found = table.check()
    told = json.loads(subprocess.run([os.environ["TARN"], "table", "check", str(place), "--output", "json"], capture_output=True).stdout)
    same((found["ok"], [f["severity"] for f in found["findings"]], found), (False, ["error"], {k: v for k, v in told.items() if k not in ("table", "location")}))
    refused(tarn.TarnError, lambda: table.scan().fetchall())
    same((len(table.repair(dry_run=True)["files_removed"]), table.version()), (1, 3))
    same((len(table.repair()["files_removed"]), table.version(), rows(place)), (1, 4, [{"id": 2}]))
    same(table.check()["findings"], [])


@case
def errors_have_class_code_and_hint(folder):
    place = folder / "t"
    tarn.write_delta(place, [{"a": 1}], configuration={"delta.constraints.small": "a < 10"})
    refused(FileNotFoundError, lambda: tarn.DeltaTable(folder / "none"))
    refused(tarn.TableNotFoundError, lambda: tarn.DeltaTable(place, version=7), "7")
    error = refused(FileExistsError, lambda: tarn.write_delta(place, [{"a": 1}]), "already", "append")
    same((error.code, error.name, error.retryable), (21, "EXISTS", False))
    refused(tarn.DataError, lambda: tarn.write_delta(place, [{"a": 11}], mode="append"), "small")
    refused(tarn.TarnError, lambda: tarn.write_delta(place, [{"b": 1}], mode="append"), "b")
    refused(tarn.UsageError, lambda: tarn.write_delta(place, [{"a": 1}], mode="sideways"))
    refused(tarn.UsageError, lambda: tarn.DeltaTable(place).update())
    refused(tarn.UsageError, lambda: tarn.DeltaTable(place).merge([{"a": 1}], "s.a = t.a", "s", "t").execute())
    error = refused(tarn.DataError, lambda: tarn.DeltaTable(place).merge([{"a": 1}, {"a": 1}], "s.a = t.a", "s", "t").when_matched_update_all().execute())
    refused(tarn.TarnError, lambda: tarn.DeltaTable(place).vacuum(0, dry_run=False), "retention")
    refused(tarn.UsageError, lambda: tarn.DeltaTable(place, version="not a time"))
    refused(tarn.TarnError, lambda: tarn.connect("/proc/nothing/here"))
    same(tarn.DeltaTable(place).version(), 0)


@case
def time_travel_and_changes(folder):
    place = folder / "t"
    tarn.write_delta(place, [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], configuration={"delta.enableChangeDataFeed": "true"})
    time.sleep(0.05)
    between = datetime.datetime.now(UTC)
    time.sleep(0.05)
    table = tarn.DeltaTable(place)
    table.update({"v": "'c'"}, predicate="id = 2")
    table.delete("id = 1")
    same(table.version(), 2)
    same(tarn.DeltaTable(place, version=0).count(), 2)
    same((tarn.DeltaTable(place, version=between).version(), tarn.DeltaTable(place, version=between.isoformat()).version()), (0, 0))
    table.load_as_version(between)
    same((table.version(), table.count()), (0, 2))
    table.update_incremental()
    same(table.version(), 2)
    ours = table.load_cdf(1).to_pyarrow_table().select(["id", "v", "_change_type", "_commit_version"]).to_pylist()
    theirs = pyarrow.table(deltalake.DeltaTable(str(place)).load_cdf(1).read_all()).select(["id", "v", "_change_type", "_commit_version"]).to_pylist()
    same(ordered(ours), ordered(theirs))
    same(table.load_cdf(1, columns=["id"], predicate="_change_type = 'delete'").fetchall(), [(1,)])
    refused(tarn.TarnError, lambda: table.load_cdf(9))


@case
def threads_run_at_the_same_time(folder):
    done, turns = threading.Event(), 0
    session = tarn.connect()

    def work():
        session.sql("SELECT count(*) FROM range(300000000) AS a(i) WHERE hash(i) % 7 = 3").fetchall()
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():  # Python goes on while C works
        turns += 1
    thread.join()
    assert turns > 1000, turns
    place, errors = folder / "t", []
    tarn.write_delta(place, [{"who": -1, "n": -1}])
    shared = tarn.DeltaTable(place)

    def append(who):
        try:
            for n in range(5):
                tarn.write_delta(shared if n % 2 else place, [{"who": who, "n": n}], mode="append")
                tarn.DeltaTable(place).scan().fetchall()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=append, args=(who,)) for who in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(errors, [])
    same(sorted((r["who"], r["n"]) for r in rows(place) if r["n"] >= 0), [(who, n) for who in range(6) for n in range(5)])


@case
def streams_outlive_their_table(folder):
    place = folder / "t"
    tarn.write_delta(place, "SELECT range AS id FROM range(100000)")
    table = tarn.DeltaTable(place)
    first, second = table.to_arrow(), table.to_arrow()
    n = first.read_next_batch().num_rows
    table.delete("id < 50000")
    del table
    same(n + sum(b.num_rows for b in first), 100000)
    out = []
    thread = threading.Thread(target=lambda: out.append(second.read_all().num_rows))
    thread.start()
    thread.join()
    same(out, [100000])
    lake = tarn.connect(folder / "lake")
    kept = lake.sql("SELECT 1 AS a")
    lake.sql("SELECT 2").fetchall()
    lake.close()
    same(kept.fetchall(), [(1,)])
    refused(tarn.UsageError, lambda: lake.sql("SELECT 1"), "closed")


@case
def a_lake_from_python(folder):
    with tarn.connect(folder / "lake") as lake:
        data = pandas.DataFrame({"id": [1, 2], "v": ["a", "b"]})
        note = lake.sql("CREATE TABLE raw.items AS SELECT * FROM df", df=data).note
        assert "raw.items" in note, note
        lake.sql("MERGE INTO raw.items AS t USING new AS s ON s.id = t.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
                 new=[{"id": 2, "v": "B"}, {"id": 3, "v": "c"}])
        same(lake.sql("SELECT * FROM raw.items ORDER BY id").to_pylist(), [{"id": 1, "v": "a"}, {"id": 2, "v": "B"}, {"id": 3, "v": "c"}])
        same(len(lake.sql("DESCRIBE HISTORY raw.items").fetchall()), 2)
        same(sum(b.num_rows for b in lake.stream("SELECT * FROM range(10000)").to_arrow()), 10000)
        refused(tarn.UsageError, lake.sql("CREATE TABLE raw.other AS SELECT 1 AS a").fetchall, "created")
        refused(tarn.SqlError, lambda: lake.sql("SELECT * FROM new"), "new")
        place = str(folder / "lake/raw/items")
        same(tarn.connect().sql(f'SELECT count(*) AS n FROM delta."{place}"').to_pylist(), [{"n": 3}])
    same(duckdb.connect(str(folder / "lake/catalog/prod.duckdb"), read_only=True).sql("SELECT count(*) FROM raw.items").fetchall(), [(3,)])


LONG = """
import sys, threading, tarn
table = tarn.DeltaTable(sys.argv[1])
print("ready", flush=True)
try:
    tarn.write_delta(table, "SELECT hash(a.range)::DOUBLE AS id FROM range(100000) a, range(1000000) b", mode="overwrite", schema_mode="overwrite")
except KeyboardInterrupt:
    print("interrupted", table.version(), table.count(), flush=True)
"""


@case
def control_c_ends_a_call(folder):
    tarn.write_delta(folder / "t", [{"id": 1}])
    child = subprocess.Popen([sys.executable, "-c", LONG, str(folder / "t")], stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
    child.stdout.readline()
    while len([f for f in (folder / "t").rglob("*") if f.is_file() and "_delta_log" not in f.parts]) < 2:  # it is writing
        assert child.poll() is None, "it has ended"
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=600)
    same(out.split(), ["interrupted", "0", "1"])
    same(len(list((folder / "t").glob("*.parquet"))), 1, "no file is left")


@case
def beside_other_libraries(folder):
    """duckdb, pyarrow and tarn in one process, each with a DuckDB or Arrow of its own."""
    con = duckdb.connect(str(folder / "own.duckdb"))
    con.execute("CREATE TABLE x AS SELECT range AS id, 'n' || range AS name FROM range(1000)")
    tarn.write_delta(folder / "t", con.sql("SELECT * FROM x WHERE id % 2 = 0"))
    table = even = tarn.DeltaTable(folder / "t")
    same(con.sql("SELECT count(*) FROM x JOIN even USING (id)").fetchall(), [(500,)])
    table.merge(con.sql("SELECT id, 'new' AS name FROM x WHERE id < 10"), "s.id = t.id", "s", "t").when_matched_update_all() \
        .when_not_matched_insert_all().execute()
    same(table.query("SELECT count(*) FROM this WHERE name = 'new'").fetchall(), [(10,)])


@case
def examples_in_the_docs(folder):
    def getfixture(name):
        at = tempfile.mkdtemp(dir=folder)
        if name == "prices":
            tarn.write_delta(at + "/prices", [{"id": 1, "price": 9.5}, {"id": 2, "price": 7.0}])
            return at + "/prices"
        return at

    tested = 0
    names = {"getfixture": getfixture, "tarn": tarn}
    for module in [tarn] + [importlib.import_module(f"tarn.{m.name}") for m in pkgutil.iter_modules(tarn.__path__)]:
        done = doctest.testmod(module, extraglobs=names)
        same(done.failed, 0, module.__name__)
        tested += done.attempted
    assert tested > 20, tested
    for page in ("python/README.md", "docs/manual/python.md"):
        here = os.getcwd()
        os.chdir(tempfile.mkdtemp(dir=folder))
        try:
            done = doctest.testfile(str(ROOT / page), module_relative=False, globs={}, optionflags=doctest.ELLIPSIS)
        finally:
            os.chdir(here)
        same(done.failed, 0, page)
        assert done.attempted > 5, page


ALONE = """
import sys
for name in ("pyarrow", "pandas", "polars", "duckdb", "numpy"):
    sys.modules[name] = None
import tarn
tarn.write_delta(sys.argv[1], [{"id": 1, "name": "a"}])
tarn.DeltaTable(sys.argv[1]).update({"name": "upper(name)"})
tarn.connect().sql("LOAD httpfs")
print(tarn.__file__, tarn.DeltaTable(sys.argv[1]).scan().to_pylist())
"""


@case
def pip_install(folder):
    target = folder / "site"
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(target), str(ROOT / "python")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    env = {k: v for k, v in os.environ.items() if not k.startswith("TARN") and k != "PYTHONPATH"}
    ran = subprocess.run([sys.executable, "-c", ALONE, str(folder / "t")], env={**env, "PYTHONPATH": str(target)}, capture_output=True, text=True,
                         cwd=folder)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(str(target)) and "[{'id': 1, 'name': 'A'}]" in ran.stdout, ran.stdout


def main():
    global passed, failed, skipped
    only = sys.argv[1:]
    for fn in CASES:
        if only and fn.__name__ not in only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                fn(pathlib.Path(folder))
                passed += 1
            except Exception:
                failed += 1
                print(f"FAILED {fn.__name__}\n{traceback.format_exc()}")
    if polars is None:
        print("SKIPPED polars: it is not installed")
        skipped += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
