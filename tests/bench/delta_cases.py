"""Benchmark cases on Delta tables: TPC-H lineitem of scale 1 (6 001 215 rows, 16 columns), logs with many commits, many writers at once.

Rows come from DuckDB's own TPC-H generator. Each case is a function of a Bench that gives the sides to compare; each run begins with the table as it was made
(hard links: no program changes a data file in place).
"""
import glob, json, os, pathlib, shutil, subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = "t.l_orderkey = s.l_orderkey AND t.l_linenumber = s.l_linenumber"
PEER = "delta-rs 1.6"


def generator():
    """Python with DuckDB and the TPC-H extension, and the extension's file."""
    venv = pathlib.Path(subprocess.run([ROOT / "tools/venv", "bench"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
    [extension] = glob.glob(str(venv / "lib/python*/site-packages/duckdb_extension_tpch/extensions/*/tpch.duckdb_extension"))
    return venv / "bin/python", extension


class Bench:
    """The scratch folder of one run of the benchmarks, and what several cases share: made when first asked for."""

    def __init__(self, side, tarn, python, scratch):
        self.side, self.tarn, self.python, self.scratch = side, tarn, python, scratch

    def once(self, name, make):
        place = self.scratch / name
        if not place.exists():
            make(place)
        return place

    def py(self, code):
        subprocess.run([self.python, "-c", code], check=True)

    def sql(self, text):
        subprocess.run([self.tarn, "sql", text], cwd=self.scratch, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def rows(self):
        def make(place):
            python, extension = generator()
            code = ("import duckdb; c = duckdb.connect(config={'allow_unsigned_extensions': 'true'}); "
                    f"c.execute(\"LOAD '{extension}'\"); c.execute('CALL dbgen(sf=1)'); c.execute(\"COPY lineitem TO '{place}' (FORMAT parquet)\")")
            subprocess.run([python, "-c", code], check=True, stdout=subprocess.DEVNULL)

        return self.once("lineitem.parquet", make)

    def query(self, name, select):
        """A Parquet file of a query over the rows."""
        rows = self.rows()
        return self.once(name, lambda place: self.py(f"import duckdb; duckdb.sql(\"\"\"COPY ({select.format(rows=rows)}) TO '{place}' (FORMAT parquet)\"\"\")"))

    def table(self, name, properties="", times=1):
        """A Delta table of the rows written by tarn; times: that often, with other keys."""
        rows = self.rows()
        select = " UNION ALL ".join(f"SELECT * REPLACE (l_orderkey + {n * 10000000} AS l_orderkey) FROM '{rows}'" for n in range(times))
        return self.once(name, lambda place: self.sql(f'CREATE TABLE delta."{place}" {properties} AS {select}'))

    def vectors(self, times=1):
        return self.table(f"vectors{times}", "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", times)

    def plain(self, times=1):
        return self.table(f"plain{times}", "TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')", times)

    def on_copy(self, case, name, table, command):
        """A side whose command works on a copy of a table."""
        place = self.scratch / f"{case}-{name}"

        def fresh():
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(table, place, copy_function=os.link)

        return self.side(name, command(place), self.scratch, fresh)

    def peer(self, code):
        return lambda place: [self.python, "-c", f"import pyarrow.parquet as pq; from deltalake import DeltaTable, write_deltalake; " + code.replace("@", f"'{place}'")]


def overwrite(b):
    rows = b.rows()
    (b.scratch / "lake").mkdir(exist_ok=True)
    code = (f"import pyarrow.dataset as ds; from deltalake import write_deltalake; "
            f"write_deltalake('{b.scratch / 'peer'}', ds.dataset('{rows}').scanner().to_reader(), mode='overwrite')")
    return [b.side("tarn", [b.tarn, "land", "raw.rows", rows, "--mode", "overwrite", "--no-publish", "--no-source-columns", "--lake", b.scratch / "lake"]),
            b.side(PEER, [b.python, "-c", code])]


def append(b):
    more = b.query("more.parquet", "SELECT * FROM '{rows}' LIMIT 100000")
    table = b.plain()
    return [b.on_copy("append", "tarn", table, lambda place: [b.tarn, "sql", f"INSERT INTO delta.\"{place}\" FROM '{more}'"]),
            b.on_copy("append", PEER, table, b.peer(f"write_deltalake(@, pq.read_table('{more}'), mode='append')"))]


def dml(b, case, sql, peer, times=1):
    ours = lambda place: [b.tarn, "sql", sql.format(t=f'delta."{place}"')]
    sides = [b.on_copy(case, "tarn", b.vectors(times), ours)]
    if times == 1:
        sides.append(b.on_copy(case, "tarn (rewrite)", b.plain(), ours))
    return sides + [b.on_copy(case, PEER, b.plain(times), b.peer("t = DeltaTable(@); " + peer))]


def delete(b):
    return dml(b, "delete", "DELETE FROM {t} WHERE l_orderkey % 100 = 7", "t.delete('l_orderkey % 100 = 7')")


def update(b):
    return dml(b, "update", "UPDATE {t} SET l_tax = l_tax + 0.01 WHERE l_orderkey % 100 = 7",
               "t.update(updates={'l_tax': 'l_tax + 0.01'}, predicate='l_orderkey % 100 = 7')")


def merge(b, times=1):
    changes = b.query("changes.parquet", "SELECT * REPLACE ('changed' AS l_comment) FROM (SELECT * FROM '{rows}' WHERE l_orderkey % 100 = 7 LIMIT 30000) UNION ALL "
                      "SELECT * REPLACE (l_orderkey + 900000000 AS l_orderkey) FROM (SELECT * FROM '{rows}' WHERE l_orderkey % 100 = 8 LIMIT 30000)")
    return dml(b, f"merge{times}", f"MERGE INTO {{t}} AS t USING (FROM '{changes}') AS s ON {KEY} WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
               f"t.merge(pq.read_table('{changes}'), '{KEY}', source_alias='s', target_alias='t')"
               ".when_matched_update_all().when_not_matched_insert_all().execute()", times)


def compact(b):
    rows = b.rows()
    table = b.once("small", lambda place: b.py(
        "import duckdb; from deltalake import write_deltalake\n"
        f"for n in range(200):\n write_deltalake('{place}', duckdb.sql(f\"FROM '{rows}' LIMIT 2500 OFFSET {{n * 2500}}\").to_arrow_table(), mode='append')"))
    return [b.on_copy("compact", "tarn", table, lambda place: [b.tarn, "table", "optimize", place]),
            b.on_copy("compact", PEER, table, b.peer("DeltaTable(@).optimize.compact()"))]


def zorder(b):
    table = b.plain()
    return [b.on_copy("zorder", "tarn", table, lambda place: [b.tarn, "table", "optimize", place, "--zorder", "l_shipdate,l_partkey"]),
            b.on_copy("zorder", PEER, table, b.peer("DeltaTable(@).optimize.z_order(['l_shipdate', 'l_partkey'])"))]


def cluster(b):
    """A first OPTIMIZE of a clustered table; no peer clusters."""
    table = b.table("clustered", "CLUSTER BY (l_shipdate, l_partkey)")
    return [b.on_copy("cluster", "tarn", table, lambda place: [b.tarn, "table", "optimize", place])]


def long_log(b, checkpoint):
    """10 000 commits of 10 files each: a log only, nobody opens the files."""

    def make(place):
        log = place / "_delta_log"
        log.mkdir(parents=True)
        schema = json.dumps({"type": "struct", "fields": [{"name": c, "type": t, "nullable": True, "metadata": {}} for c, t in [("id", "long"), ("name", "string"), ("day", "date")]]})
        for version in range(10000):
            stamp = 1700000000000 + version * 1000
            actions = [{"commitInfo": {"timestamp": stamp, "operation": "WRITE", "operationParameters": {"mode": "Append"}, "isBlindAppend": True}}]
            if version == 0:
                actions += [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
                            {"metaData": {"id": "b0a0c9d2-0000-4000-8000-000000000001", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
                                          "partitionColumns": [], "configuration": {}, "createdTime": stamp}}]
            for n in range(10):
                low = (version * 10 + n) * 1000
                stats = {"numRecords": 1000, "minValues": {"id": low, "name": f"name {low:09}", "day": "2024-01-01"},
                         "maxValues": {"id": low + 999, "name": f"name {low + 999:09}", "day": "2024-12-31"}, "nullCount": {"id": 0, "name": 0, "day": 0}}
                actions.append({"add": {"path": f"part-{version:05}-{n}-5f0c63c1-b68b-4e5e-8e0b-1d0c0a0b0c0d.snappy.parquet", "partitionValues": {}, "size": 100000 + n,
                                        "modificationTime": stamp, "dataChange": True, "stats": json.dumps(stats)}})
            (log / f"{version:020}.json").write_text("".join(json.dumps(a, separators=(",", ":")) + "\n" for a in actions))

    def pointed(place):
        make(place)
        b.py(f"from deltalake import DeltaTable; DeltaTable('{place}').create_checkpoint()")

    return b.once("log-checkpoint", pointed) if checkpoint else b.once("log", make)


def open_(b, checkpoint):
    table = long_log(b, checkpoint)
    return [b.side("tarn", [b.tarn, "table", "show", table, "--output", "json"]),
            b.side(PEER, [b.python, "-c", f"from deltalake import DeltaTable; print(len(DeltaTable('{table}').file_uris()))"])]


WRITER = """
import pyarrow as pa, sys
from deltalake import write_deltalake
lost = 0
for n in range(20):
    try:
        write_deltalake(sys.argv[1], pa.table({"id": pa.array(range(10), pa.int64())}), mode="append")
    except Exception:
        lost += 1
print(20 - lost)
"""


def writers(b):
    """8 processes with 20 appends each to one table; how many of the 160 got in is printed beside the figures."""
    table = b.once("empty", lambda place: b.sql(f'CREATE TABLE delta."{place}" AS SELECT 0::BIGINT AS id'))
    script = b.scratch / "writer.py"
    script.write_text(WRITER)
    eight = lambda one: ["bash", "-c", f"for n in 1 2 3 4 5 6 7 8; do {one} & done; wait"]
    sql = lambda place: f"INSERT INTO delta.\\\"{place}\\\" SELECT range FROM range(10);" * 20
    sides = [b.on_copy("writers", "tarn", table, lambda place: eight(f'"{b.tarn}" sql "{sql(place)}"')),
             b.on_copy("writers", PEER, table, lambda place: eight(f'"{b.python}" "{script}" "{place}"'))]
    for side in sides:
        place = b.scratch / f"writers-{side.name}"
        side.note = lambda place=place: f"{len(list((place / '_delta_log').glob('0*.json'))) - 1} of 160 commits"
    return sides


CASES = {
    "overwrite": overwrite, "append": append, "delete": delete, "update": update, "merge": merge, "merge2": lambda b: merge(b, 2), "merge4": lambda b: merge(b, 4),
    "compact": compact, "zorder": zorder, "cluster": cluster, "open": lambda b: open_(b, False), "open-checkpoint": lambda b: open_(b, True), "writers": writers,
}
