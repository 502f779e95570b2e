"""Shared by the flow tests: cases are functions that get a subject of their own in a folder of its own; they are run one after the other and counted."""
import os, pathlib, sys, tempfile, traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


def equal(got, want):
    assert got == want, f"\n   got: {got!r}\n  want: {want!r}"


def has(text, part):
    assert part in text, f"no {part!r} in\n{str(text)[:3000]}"


def lacks(text, part):
    assert part not in text, f"{part!r} in\n{str(text)[:3000]}"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def run_cases(subject, prefix, skipped=()):
    """subject(folder): what a case is given. The first argument is a part of the names of the cases to run. skipped: a list that cases append
    reasons to. Returns the exit status."""
    passed = failed = 0
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for fn in CASES:
        if only not in fn.__name__:
            continue
        with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as scratch:
            try:
                fn(subject(pathlib.Path(scratch)))
                passed += 1
            except Exception:
                failed += 1
                print(f"FAIL {fn.__name__}")
                traceback.print_exc(limit=-2, file=sys.stdout)
    for reason in skipped:
        print(f"SKIPPED {reason}")
    print(f"{passed} passed, {failed} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failed or not passed else 0
