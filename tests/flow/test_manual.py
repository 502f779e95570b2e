#!/usr/bin/env python3
"""The examples of the manual run as printed. In a ```console block of these pages: '$ command', then what it prints (both streams); '...' stands for
anything in a line, and at the end for any further lines; '? N' right after a command is its exit status."""
import os, pathlib, re, subprocess, tempfile

PAGES = ["land.md", "sql.md", "lake.md"]
manual = pathlib.Path(os.environ["TARN_ROOT"]) / "docs/manual"
passed = failed = 0


def examples(page):
    for block in re.findall(r"^```console\n(.*?)^```", (manual / page).read_text(), re.S | re.M):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            status = int(lines.pop(0)[2:]) if lines and lines[0].startswith("? ") else 0
            yield command, status, lines


def matches(line, got):
    return re.fullmatch(".*".join(re.escape(p) for p in line.split("...")), got) is not None


for page in PAGES:
    folder = tempfile.mkdtemp(prefix="manual-")
    os.makedirs(f"{folder}/bin")
    os.symlink(os.environ["TARN"], f"{folder}/bin/tarn")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TARN_LAKE", "TARN_ENV", "DBT_"))}
    env.update(PATH=f"{folder}/bin:{env['PATH']}", TARN_LAKE=f"{folder}/lake", HOME=folder)
    for command, status, want in examples(page):
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        got = done.stdout.decode().rstrip("\n").split("\n") if done.stdout else []
        if want and want[-1].endswith("..."):
            got = got[: len(want)]
        if done.returncode == status and len(got) == len(want) and all(map(matches, want, got)):
            passed += 1
        else:
            failed += 1
            print(f"FAIL {page}: $ {command}\n  want ({status}): " + "\n    ".join(want) + f"\n  got ({done.returncode}): " + "\n    ".join(got))
print(f"{passed} passed, {failed} failed")
raise SystemExit(1 if failed or not passed else 0)
