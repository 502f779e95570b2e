"""The reference set-up, unchanged, on local paths: landing tables written by deltalake, bronze and silver as external models with an
external_location macro. Real dbt-duckdb runs beside it and must give the same rows; Python reads what tarn wrote; a reader that holds the
read copy open does not block the next build; a second holder of the database file does, with a clear message."""
import datetime, decimal, os, pathlib, shutil, subprocess, sys, tempfile

import duckdb, pyarrow as pa
from deltalake import DeltaTable, write_deltalake

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
DBT = os.path.join(os.path.dirname(sys.executable), "dbt")
passed = failed = 0


def check(what, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {what}\n{detail}")


def land(folder, close):
    day = datetime.date(2024, 1, 2)
    prices = pa.table({"symbol": ["AAA", "BBB", "CCC"], "day": [day] * 3, "close": [decimal.Decimal(close), decimal.Decimal("2.50"), None],
                       "at": pa.array([datetime.datetime(2024, 1, 2, 10)] * 3, pa.timestamp("us"))},
                      schema=pa.schema([("symbol", pa.string()), ("day", pa.date32()), ("close", pa.decimal128(10, 2)), ("at", pa.timestamp("us"))]))
    names = pa.table({"symbol": ["AAA", "BBB", "CCC"], "name": ["a", "b", "it's"], "shares": [10, 20, 30]})
    write_deltalake(str(folder / "table_1"), prices, mode="overwrite", schema_mode="overwrite")
    write_deltalake(str(folder / "table_2"), names, mode="overwrite", schema_mode="overwrite")


def run(program, copy, root, command, target="dev", make=False):
    env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    env.update(DBT_TARGET=target, PROJECT_ROOT=str(root), EXTERNAL_ROOT=f"{root}/lake/", LANDING=str(root / "landing"), DBT_PROFILES_DIR=str(copy),
               DBT_SEND_ANONYMOUS_USAGE_STATS="false", NO_COLOR="1")
    if make:  # dbt does not make folders
        for folder in ("bronze_dev", "silver_dev", "bronze", "silver"):
            (root / "lake/main" / folder).mkdir(parents=True, exist_ok=True)
    done = subprocess.run([program, "--no-use-colors", *command], cwd=copy, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def extensions():
    """The bundled folder, for real dbt's DuckDB: it may not fetch the delta extension."""
    for folder in (os.environ.get("TARN_EXTENSIONS"), ROOT / "build/deps/extensions"):
        if folder and pathlib.Path(folder).exists():
            return folder
    return "/nonexistent"


def rows(path, names, **options):
    with duckdb.connect(str(path), read_only=True) as con:
        return {n: (con.execute(f"describe {n}").fetchall(), sorted(con.execute(f"select * from {n}").fetchall(), key=str)) for n in names}


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        root, twin = scratch / "tarn", scratch / "dbt"
        for folder in (root, twin):
            shutil.copytree(ROOT / "tests/flow/reference", folder / "project")
            land(folder / "landing", "1.50")
        # dbt cannot install the built-in parquet extension without a network, and knows no format delta: the only edits, in its copy.
        profiles = twin / "project/profiles.yml"
        profiles.write_text(profiles.read_text().replace("      extensions:\n        - httpfs\n        - parquet\n", "").replace(
            profiles.read_text()[profiles.read_text().index("      secrets:"):profiles.read_text().index("      schema: dev")], ""))
        text = profiles.read_text()
        profiles.write_text(text.replace("      plugins:", f"      config_options: {{extension_directory: '{extensions()}'}}\n      plugins:"))
        (twin / "project/models/silver/s_delta.sql").unlink()

        status, out = run(TARN, root / "project", root, ["build"])
        check("tarn builds it unchanged", status == 0 and "Done. PASS=8 WARN=0 ERROR=0" in out, out)
        check("the macro's log lines", f"Writing the data files to {root}/lake/main/silver_dev/s1.parquet" in out, out)
        # one thread: two of dbt's can collide while registering the plugin's sources ("write-write conflict on create")
        status, out = run(DBT, twin / "project", twin, ["build", "--threads", "1"], make=True)
        check("dbt builds its copy", status == 0, out)
        names = ["dev_bronze.b1", "dev_bronze.b2", "dev_bronze.b_parts", "dev_silver.s1", "dev_silver.s_none"]
        mine, theirs = rows(root / "dbt.duckdb", names), rows(twin / "dbt.duckdb", names)
        for name in names:
            check(f"rows of {name}", mine[name] == theirs[name], f"{theirs[name]}\n{mine[name]}")
        check("an empty model is an empty file", duckdb.sql(f"select count(*) from '{root}/lake/main/silver_dev/s_none.parquet'").fetchone() == (0,))
        parts = sorted(p.name for p in (root / "lake/main/bronze_dev/b_parts").iterdir())
        check("partition folders", parts == ["symbol=AAA", "symbol=BBB", "symbol=CCC"], parts)

        table = DeltaTable(str(root / "lake/delta/s_delta"))
        check("Python reads the Delta table", sorted(r["name"] for r in table.to_pyarrow_table().to_pylist()) == ["a", "b", "it's"])
        check("its partitions", table.metadata().partition_columns == ["symbol"])

        copy = root / "dbt.read.duckdb"
        with duckdb.connect(str(copy), read_only=True) as reader:
            before = reader.execute("select close from dev_silver.s1 where symbol = 'AAA'").fetchone()
            land(root / "landing", "9.75")
            status, out = run(TARN, root / "project", root, ["build"])
            check("a reader of the copy does not block", status == 0, out)
            check("the reader still works", reader.execute("select count(*) from dev_silver.s1").fetchone() == (3,) and before[0] == decimal.Decimal("1.50"))
        with duckdb.connect(str(copy), read_only=True) as reader:
            check("a new open sees the new state", reader.execute("select close from dev_silver.s_delta where symbol = 'AAA'").fetchone()[0]
                  == decimal.Decimal("9.75"))
        check("two versions", DeltaTable(str(root / "lake/delta/s_delta")).version() == 1)

        with duckdb.connect(str(root / "dbt.duckdb"), read_only=True):
            status, out = run(TARN, root / "project", root, ["build"])
            check("a locked database is exit status 2", status == 2 and "lock" in out and "PID" in out and "Traceback" not in out, out)
        status, out = run(TARN, root / "project", root, ["build"], target="prod")
        check("prod goes elsewhere", status == 0 and (root / "lake/main/silver/s1.parquet").exists(), out)
        status, out = run(TARN, root / "project", root, ["run", "--select", "s1"])
        check("no secret in log or output", "<from env var>" not in out and "<from env var>" not in (root / "project/logs/dbt.log").read_text())
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
