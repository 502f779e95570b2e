"""Arrow IPC streams by pyarrow go through tarn and come back: DuckDB's Python client must see the same rows in both.

    $(tools/oracle-venv)/bin/python tests/oracle/arrow_ipc_oracle.py build/NAME/test_duck_ipc
"""
import datetime
import decimal
import os
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa

N = 5000


def column(make, type_):
    return pa.array([None if i % 7 == 3 else make(i) for i in range(N)], type_)


def tables():
    day = datetime.date(2024, 1, 1)
    moment = datetime.datetime(2024, 1, 1, 1, 2, 3)
    scalars = {
        "bool": column(lambda i: i % 2 == 0, pa.bool_()),
        "f32": column(lambda i: i / 3, pa.float32()),
        "f64": column(lambda i: i / 3, pa.float64()),
        "str": column(lambda i: "row ä€ %d" % i * (i % 3), pa.string()),
        "lstr": column(lambda i: "row %d" % i, pa.large_string()),
        "vstr": column(lambda i: "short" if i % 2 else "longer than twelve bytes %d" % i, pa.string_view()),
        "vbin": column(lambda i: b"\0\1\2" * (i % 9), pa.binary_view()),
        "bin": column(lambda i: b"\xff" * (i % 5), pa.binary()),
        "lbin": column(lambda i: b"x" * (i % 5), pa.large_binary()),
        "fbin": column(lambda i: b"%04d" % (i % 10000), pa.binary(4)),
        "d32": column(lambda i: day + datetime.timedelta(i), pa.date32()),
        "d64": column(lambda i: day + datetime.timedelta(i), pa.date64()),
        "dec": column(lambda i: decimal.Decimal(i) / 100, pa.decimal128(12, 2)),
        "dec38": column(lambda i: decimal.Decimal(-i) * 10**25, pa.decimal128(38, 3)),
        "t32": column(lambda i: datetime.time(i % 24, i % 60), pa.time32("s")),
        "t64": column(lambda i: datetime.time(i % 24, i % 60, 1, i), pa.time64("us")),
        "dur": column(lambda i: datetime.timedelta(seconds=i), pa.duration("us")),
        "iv": column(lambda i: pa.MonthDayNano([i % 12, i, i * 1000]), pa.month_day_nano_interval()),
        "null": pa.nulls(N),
    }
    for bits in (8, 16, 32, 64):
        scalars["i%d" % bits] = column(lambda i: i % 127 - 60, getattr(pa, "int%d" % bits)())
        scalars["u%d" % bits] = column(lambda i: i % 200, getattr(pa, "uint%d" % bits)())
    for unit in ("s", "ms", "us", "ns"):
        scalars["ts_" + unit] = column(lambda i: moment + datetime.timedelta(hours=i), pa.timestamp(unit))
        scalars["tz_" + unit] = column(lambda i: moment + datetime.timedelta(hours=i), pa.timestamp(unit, "Europe/Paris"))
    yield "scalars", pa.table(scalars)
    inner = pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))])
    nested = pa.table({
        "list": column(lambda i: [None if k == 1 else k for k in range(i % 5)], pa.list_(pa.int16())),
        "llist": column(lambda i: ["x%d" % i] * (i % 4), pa.large_list(pa.string())),
        "fixed": column(lambda i: [i, None, i], pa.list_(pa.int32(), 3)),
        "struct": column(lambda i: {"a": i, "b": ["y"] * (i % 3)}, inner),
        "map": column(lambda i: [("k%d" % k, k) for k in range(i % 4)], pa.map_(pa.string(), pa.int64())),
        "deep": column(lambda i: [[{"a": i, "b": None}], []], pa.list_(pa.list_(inner))),
    })
    yield "nested", nested
    words = column(lambda i: "word %d" % (i % 11), pa.string())
    yield "dictionaries", pa.table({
        "d8": words.dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
        "d32": words.dictionary_encode(),
        "dview": column(lambda i: "w" * (i % 20), pa.string()).dictionary_encode().cast(pa.dictionary(pa.uint16(), pa.string())),
        "dbool": pa.DictionaryArray.from_arrays(column(lambda i: i % 2, pa.int8()), pa.array([True, None])),
        "dlist": pa.ListArray.from_arrays(list(range(N + 1)), words.dictionary_encode()),
        "dstruct": pa.StructArray.from_arrays([words.dictionary_encode()], names=["w"]),
        "dint": column(lambda i: i % 13, pa.int64()).dictionary_encode(),
    })
    yield "sliced", nested.slice(3, 4001)
    yield "sliced_scalars", pa.table(scalars).slice(5, 777)
    yield "empty", pa.table(scalars).slice(0, 0)
    yield "names", pa.table([pa.array([1]), pa.array([2])], names=["a b\"c", "select"])


def variants(table):
    options = pa.ipc.IpcWriteOptions
    for name, opts in (("plain", options()), ("lz4", options(compression="lz4"))):
        for kind, new in (("stream", pa.ipc.new_stream), ("file", pa.ipc.new_file)):
            for rows in (None, 100):
                sink = pa.BufferOutputStream()
                with new(sink, table.schema, options=opts) as writer:
                    writer.write_table(table, max_chunksize=rows)
                yield "%s %s of %s rows" % (name, kind, rows or "all"), sink.getvalue().to_pybytes()


def rows_of(connection, arrow):
    return connection.sql("SELECT COLUMNS(*)::VARCHAR FROM arrow").fetchall()


def main(driver):
    connection = duckdb.connect()
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        path, back = os.path.join(folder, "in"), os.path.join(folder, "out")
        for name, table in tables():
            want = rows_of(connection, table)
            for variant, data in variants(table):
                with open(path, "wb") as f:
                    f.write(data)
                run = subprocess.run([driver, "oracle_driver"], env={**os.environ, "TN_ARROW_IN": path, "TN_ARROW_OUT": back},
                                     capture_output=True, text=True, timeout=600)
                got, why = None, run.stdout + run.stderr
                if run.returncode == 0:
                    with pa.OSFile(back, "rb") as f:
                        result = pa.ipc.open_stream(f).read_all()
                    result.validate(full=True)
                    got = rows_of(connection, result)
                    if got == want and result.schema.names != table.schema.names:
                        got, why = None, "names %s" % result.schema.names
                    elif got != want:
                        bad = [(n, w, g) for w, g in zip(want, got) for n, w, g in zip(table.schema.names, w, g) if w != g]
                        why = "rows differ: %s" % bad[:3]
                if got == want:
                    passed += 1
                else:
                    failed += 1
                    print("%s, %s: %s" % (name, variant, why))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.environ["TARN_BUILD"], "test_duck_ipc")))
