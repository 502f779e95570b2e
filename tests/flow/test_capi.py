#!/usr/bin/env python3
"""The public C API as a foreign program uses it: libtarn.so through ctypes, Arrow streams from and to pyarrow, with Python's own DuckDB in the same process."""
import ctypes, json, os, pathlib, re, subprocess, sys, tempfile

import duckdb
import pyarrow as pa

BUILD, ROOT = pathlib.Path(os.environ["TARN_BUILD"]), pathlib.Path(os.environ["TARN_ROOT"])
passed = failed = 0


class Stream(ctypes.Structure):  # struct ArrowArrayStream
    _fields_ = [(n, ctypes.c_void_p) for n in ("get_schema", "get_next", "get_last_error", "release", "private_data")]


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char * 4096), ("hint", ctypes.c_char * 512)]


def check(what, good, detail=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}\n{detail}")


class Lake:
    def __init__(self, lib, url, env=None):
        self.lib, self.handle, self.err = lib, ctypes.c_void_p(), Error()
        self.code = lib.tarn_open(url.encode(), env and env.encode(), ctypes.byref(self.handle), ctypes.byref(self.err))

    def query(self, sql):
        stream = Stream()
        at = ctypes.addressof(stream)
        code = self.lib.tarn_query(self.handle, sql.encode(), ctypes.c_void_p(at), ctypes.byref(self.err))
        return pa.RecordBatchReader._import_from_c(at).read_all() if code == 0 else code

    def execute(self, sql):
        return self.lib.tarn_execute(self.handle, sql.encode(), ctypes.byref(self.err))

    def land(self, table, mode, data):
        stream = Stream()
        at = ctypes.addressof(stream)
        data.to_reader()._export_to_c(at)
        rows = ctypes.c_int64(-1)
        code = self.lib.tarn_land(self.handle, table.encode(), mode.encode(), ctypes.c_void_p(at), ctypes.byref(rows), ctypes.byref(self.err))
        return code, rows.value, not stream.release

    def close(self):
        self.lib.tarn_close(self.handle)


def main():
    built = subprocess.run(["cmake", "--build", str(BUILD), "--target", "capi"], capture_output=True, text=True)
    check("libtarn.so is built", built.returncode == 0, built.stdout[-3000:])
    if built.returncode == 0:
        lib = ctypes.CDLL(str(BUILD / "libtarn.so"))
        lib.tarn_version.restype = ctypes.c_char_p
        lib.tarn_close.restype = None
        with tempfile.TemporaryDirectory() as folder:
            use(lib, folder)
    names = subprocess.run(["nm", "-D", "--defined-only", str(BUILD / "libtarn.so")], capture_output=True, text=True).stdout.split("\n")
    shown = {n.split()[-1] for n in names if n.strip()}
    headers = "".join(h.read_text() for h in (ROOT / "include/tarn").glob("*.h"))
    declared = set(re.findall(r"^TARN_API [^;(]*?\b(tarn_\w+)\(", headers, re.M))
    check("what is shown is what the headers declare, and nothing else", shown == declared and len(shown) > 30, sorted(shown ^ declared))
    example_of_the_manual()
    installed()
    for header in sorted((ROOT / "include/tarn").glob("*.h")):
        for language, standard in (("c", "c11"), ("c++", "c++11")):
            head = subprocess.run([os.environ.get("CC", "cc"), "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Werror",
                                   "-fsyntax-only", "-I", str(ROOT / "include"), "-"],
                                  input=f"#include <tarn/{header.name}>\nint main(void) {{ return 0; }}\n", text=True, capture_output=True)
            if "cc1plus" not in head.stderr:
                check(f"{header.name} alone is good {language}", head.returncode == 0, head.stderr)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


def example_of_the_manual():
    """The program in docs/manual/capi.md, compiled against the headers and run."""
    text = (ROOT / "docs/manual/capi.md").read_text()
    program = re.search(r"```c\n(.*?)```", text, re.S).group(1)
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "prices.c").write_text(program)
        built = subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", str(ROOT / "include"), "prices.c", "-L",
                                str(BUILD), "-ltarn", f"-Wl,-rpath,{BUILD}", "-o", "prices"], cwd=folder, capture_output=True, text=True)
        check("the manual's program is good C", built.returncode == 0, built.stderr)
        ran = subprocess.run(["./prices", folder + "/table"], cwd=folder, capture_output=True, text=True)
        lines = ran.stdout.split("\n")
        check("the manual's program does what it says", ran.returncode == 0 and lines[:2] == ["version 0: 10 rows", "version 1: 1 updated, 1 inserted"] and
              json.loads(lines[2])[0]["operation"] == "DELETE", ran.stdout + ran.stderr)
        again = subprocess.run(["./prices", "/proc/none"], cwd=folder, capture_output=True, text=True)
        check("and tells errors", again.returncode == 1 and again.stderr, again.stderr)


def installed():
    """`make install`: the manual's program through pkg-config, with no path of the build."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cmake", "--install", str(BUILD), "--prefix", folder + "/usr"], check=True, capture_output=True)
        (pathlib.Path(folder) / "prices.c").write_text(re.search(r"```c\n(.*?)```", (ROOT / "docs/manual/capi.md").read_text(), re.S).group(1))
        pc = next(pathlib.Path(folder).rglob("tarn.pc"), None)
        check("tarn.pc is installed", pc is not None)
        env = {k: v for k, v in os.environ.items() if not k.startswith("TARN")}
        try:
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", "tarn"], env={**env, "PKG_CONFIG_PATH": str(pc.parent)}, capture_output=True,
                                   text=True).stdout.split()
        except FileNotFoundError:
            flags = []
        if flags:
            built = subprocess.run([os.environ.get("CC", "cc"), "prices.c", *flags, "-o", "prices"], cwd=folder, capture_output=True, text=True)
            check("an installed library is linked", built.returncode == 0, built.stderr)
            ran = subprocess.run(["./prices", folder + "/table"], cwd=folder, env={**env, "LD_LIBRARY_PATH": str(pc.parent.parent)}, capture_output=True,
                                 text=True)
            check("and works", ran.returncode == 0 and "version 1" in ran.stdout, ran.stdout + ran.stderr)
        found = subprocess.run([sys.executable, "-c", "import tarn; print(tarn.connect().sql('LOAD httpfs').note)"], cwd=folder, capture_output=True,
                               text=True, env={**env, "PYTHONPATH": str(ROOT / "python"), "TARN_LIBRARY": str(pc.parent.parent / "libtarn.so")})
        check("extensions are found from the installed library", found.returncode == 0, found.stderr)


def use(lib, folder):
    lake = Lake(lib, folder + "/lake")
    check("opens a new lake", lake.code == 0, lake.err.message)
    rows = pa.table({"id": [1, 2, 3], "name": ["a", None, "ü"], "seen": pa.array([0, 1, None], pa.timestamp("us", "UTC"))})
    check("append makes an absent table", lake.land("raw.items", "append", rows) == (0, 3, True), lake.err.message)
    check("append again", lake.land("raw.items", "append", rows)[:2] == (0, 3), lake.err.message)
    code, _, released = lake.land("raw.items", "create", rows)
    check("create refuses an existing table and releases the stream", code != 0 and released and b"raw" in lake.err.message, lake.err.message)
    check("a bad mode is told", lake.land("raw.items", "sideways", rows)[0] == 1 and b"sideways" in lake.err.message, lake.err.message)
    got = lake.query("SELECT id, name, seen FROM raw.items ORDER BY id, name")
    check("rows come back", isinstance(got, pa.Table) and got.num_rows == 6 and got.column("id").to_pylist() == [1, 1, 2, 2, 3, 3], got)
    code = lake.execute("DELETE FROM raw.items WHERE id = 1; UPDATE raw.items SET name = 'x; y' WHERE id = 2")
    check("statements change the table", code == 0, lake.err.message)
    got = lake.query("SELECT count(*) AS n, count(*) FILTER (name = 'x; y') AS x FROM raw.items")
    check("and are seen", got.to_pylist() == [{"n": 4, "x": 2}] if isinstance(got, pa.Table) else False, got)
    history = lake.query("DESCRIBE HISTORY raw.items")
    check("history is rows", isinstance(history, pa.Table) and history.num_rows == 4, (history, lake.err.message))
    check("an error has code and text", lake.query("SELECT nothing FROM raw.items") == 8 and b"nothing" in lake.err.message, lake.err.message)
    check("two statements are no query", lake.query("SELECT 1; SELECT 2") == 1, lake.err.message)
    other = Lake(lib, folder + "/lake")
    check("a second handle sees the same", other.query("SELECT count(*) AS n FROM raw.items").to_pylist() == [{"n": 4}])
    check("overwrite changes the schema", other.land("raw.items", "overwrite", pa.table({"k": [7]}))[:2] == (0, 1), other.err.message)
    check("the first handle follows", lake.query("FROM raw.items").to_pylist() == [{"k": 7}])
    other.close()
    lake.close()
    with duckdb.connect(folder + "/lake/catalog/prod.duckdb", read_only=True) as con:
        check("Python's DuckDB reads the catalog", con.execute("FROM raw.items").fetchall() == [(7,)])
    check("a place that cannot be a lake is told", Lake(lib, "/proc/nothing/here").code != 0)


sys.exit(main())
