"""Builds the wheel of this package: Python files, libtarn.so, and the DuckDB extension that reads buckets. A PEP 517 backend that needs nothing
but Python, so that `pip install ./python` works without a network.

The library is the one that `make` has built (../build/release/libtarn.so), or TARN_LIBRARY's. The extension comes from TARN_EXTENSION_DIR, from
TARN_DEPS_DIR/extensions (also of the build) or from ../build/deps/extensions; without it the package works on local paths only, and says so when a bucket is opened.
"""
import base64, hashlib, os, pathlib, re, shutil, subprocess, sys, sysconfig, tempfile, zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def _version():
    cmake = ROOT / "CMakeLists.txt"
    text = cmake.read_text() if cmake.is_file() else ""
    found = re.search(r"project\(tarn VERSION ([0-9.]+)", text)
    return found.group(1) if found else "0"


def _library():
    given = os.environ.get("TARN_LIBRARY")
    places = [pathlib.Path(given)] if given else [ROOT / "build/release/libtarn.so", ROOT / "build/libtarn.so"]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise SystemExit(f"there is no libtarn.so at {' or '.join(map(str, places))}: run `make` in {ROOT} first, or set TARN_LIBRARY")


def _extensions():
    """Pairs (file, its place below extensions/): those of the version of DuckDB that is linked."""
    cache = ROOT / "build/release/CMakeCache.txt"  # what `make` was told
    built = re.search(r"^TARN_DEPS_DIR:PATH=(.+)$", cache.read_text(), re.M) if cache.is_file() else None
    roots = [os.environ.get("TARN_EXTENSION_DIR"), os.environ.get("TARN_DEPS_DIR", "") + "/extensions", built and built.group(1) + "/extensions",
             str(ROOT / "build/deps/extensions")]
    for root in roots:
        found = sorted(pathlib.Path(root).glob("*/*/httpfs.duckdb_extension")) if root else []
        if found:
            return [(f, f.relative_to(root)) for f in found]
    print("tarn: no httpfs extension was found: this wheel reaches local paths, no buckets", file=sys.stderr)
    return []


def _metadata():
    lines = ["Metadata-Version: 2.1", "Name: tarn", f"Version: {_version()}", "Requires-Python: >=3.9",
             "Summary: Delta tables and lakes: write, merge, read, maintain. DuckDB inside, no mandatory dependency"]
    for extra, needs in (("pyarrow", ["pyarrow>=14"]), ("pandas", ["pandas>=2.2", "pyarrow>=14"]), ("polars", ["polars>=1.0"])):
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {need} ; extra == '{extra}'" for need in needs]
    lines += ["Description-Content-Type: text/markdown", "", (HERE / "README.md").read_text()]
    return "\n".join(lines)


def _tag():
    return "py3-none-" + re.sub(r"[^A-Za-z0-9]", "_", sysconfig.get_platform())


class _Wheel:
    def __init__(self, folder):
        self.dist = f"tarn-{_version()}.dist-info"
        self.name = f"tarn-{_version()}-{_tag()}.whl"
        self.zip = zipfile.ZipFile(pathlib.Path(folder) / self.name, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.record = []

    def add(self, name, data):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(data)}")
        info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
        info.external_attr = 0o644 << 16
        self.zip.writestr(info, data, zipfile.ZIP_DEFLATED)

    def close(self):
        self.add(f"{self.dist}/METADATA", _metadata().encode())
        self.add(f"{self.dist}/WHEEL", f"Wheel-Version: 1.0\nGenerator: tarn\nRoot-Is-Purelib: false\nTag: {_tag()}\n".encode())
        self.zip.writestr(f"{self.dist}/RECORD", "\n".join(self.record + [f"{self.dist}/RECORD,,", ""]))
        self.zip.close()
        return self.name


def _stripped(library):
    """The library without symbols that only a debugger reads; as it is when there is no strip."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "libtarn.so"
        shutil.copyfile(library, copy)
        try:
            subprocess.run(["strip", "--strip-unneeded", str(copy)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return library.read_bytes()
        return copy.read_bytes()


def get_requires_for_build_wheel(config_settings=None):
    return []


def get_requires_for_build_editable(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    wheel = _Wheel(wheel_directory)
    for file in sorted((HERE / "tarn").rglob("*")):
        if file.suffix == ".py" or file.name == "py.typed":
            wheel.add(str(file.relative_to(HERE)), file.read_bytes())
    wheel.add("tarn/libtarn.so", _stripped(_library()))
    for file, place in _extensions():
        wheel.add(f"tarn/extensions/{place}", file.read_bytes())
    return wheel.close()


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """The package as it lies here; it finds ../build/release/libtarn.so itself."""
    wheel = _Wheel(wheel_directory)
    wheel.add("tarn.pth", f"{HERE}\n".encode())
    return wheel.close()
