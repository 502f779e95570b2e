"""tools/check must see each kind of breach: plants them one by one in a small tree and expects the complaint."""
import pathlib, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
passed = failed = 0

LAW = "base:\nos: base\njinja: base\nrun: base os jinja\n"
GOOD = {
    "src/LAYERS": LAW,
    "src/base/base.h": "#ifndef B_H\n#define B_H\n#include <stddef.h>\nsize_t tn_b(void);\n#endif\n",
    "src/base/base.c": '#include "base/base.h"\n\nsize_t tn_b(void)\n{\n    return 1;\n}\n',
    "src/run/run.h": "#ifndef R_H\n#define R_H\nint tn_r(void);\n#endif\n",
    "src/run/plan.c": '#include "base/base.h"\n#include "run/run.h"\n#include "jinja/jinja.h"\n',
    "src/jinja/jinja.h": "int tn_j(void);\n",
}
HOST = "py" + "pi.org"
BREACHES = [
    ("upward include", {"src/jinja/bad.c": '#include "run/run.h"\n'}, "layer 'jinja' may not include 'run/run.h'"),
    ("sideways include", {"src/os/bad.c": '#include "jinja/jinja.h"\n'}, "layer 'os' may not include"),
    ("relative include", {"src/run/bad.c": '#include "../base/base.h"\n'}, "write the include from src/"),
    ("duckdb.h outside duck", {"src/run/bad.c": "#include <duckdb.h>\n"}, "only src/duck includes duckdb.h"),
    ("folder without a law", {"src/extra/new.c": "int x;\n"}, "'extra' is not in src/LAYERS"),
    ("unknown layer in the law", {"src/LAYERS": LAW + "duck: bse\n"}, "'bse', which is no layer"),
    ("the same file name twice", {"src/run/base.c": "int x;\n"}, "the name is taken"),
    ("vague file name", {"src/run/util.c": "int x;\n"}, "says nothing"),
    ("long header", {"src/run/long.h": "int x;\n" * 301}, "301 lines (at most 300)"),
    ("long function", {"src/run/long.c": "void f(void)\n{\n" + "    ;\n" * 71 + "}\n"}, "a function of 71 lines"),
    ("header that needs another", {"src/run/bad.h": "size_t tn_x(void);\n"}, "does not compile by itself"),
    ("registry host", {"notes.txt": f"from {HOST}\n"}, "names a registry"),
    ("path of a machine", {"notes.txt": "/ho" + "me/ann/x\n"}, "belongs to one machine"),
    ("data in the tree", {"big.bin": "x" * ((1 << 20) + 1)}, "is not committed"),
]
FINE = [
    ("the small tree itself", {}),
    ("long flat dispatch", {"src/run/flat.c": "/* flat: one case a token */\nvoid f(void);\nvoid f(void)\n{\n" + "    ;\n" * 90 + "}\n"}),
]


def check(extra):
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch)
        for name, text in {**GOOD, **extra}.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
        (tree / "tools").mkdir()
        shutil.copy(ROOT / "tools/check", tree / "tools/check")
        done = subprocess.run([sys.executable, str(tree / "tools/check"), "--no-link"], stdout=subprocess.PIPE, text=True)
        return done.returncode, done.stdout


def expect(name, good, output):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"{name}:\n{output}")


for name, extra, complaint in BREACHES:
    status, output = check(extra)
    expect(name, status == 1 and complaint in output, output)
for name, extra in FINE:
    status, output = check(extra)
    expect(name, status == 0, output)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
