"""What the oracles share that hold tarn against real dbt: both programs, and projects for them.

dbt imports modules of the path whose names begin with dbt_ as plugins, so this one is called otherwise.
"""
import argparse
import os
import shutil
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DBT = os.path.join(os.path.dirname(sys.executable), "dbt")
SHOP = os.path.join(ROOT, "tests", "projects", "shop")


def arguments():
    """A parser that knows --tarn."""
    ap = argparse.ArgumentParser()
    ap.add_argument("--tarn", type=os.path.abspath, default=os.path.abspath(os.environ.get("TARN", os.path.join(ROOT, "build", "tarn"))))
    return ap


def write(folder, files):
    """{path below the folder: text}"""
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def copied(project, into, *without):
    """A copy of the project's own files, without what runs leave. Returns `into`."""
    return shutil.copytree(project, into, ignore=shutil.ignore_patterns("target", "logs", "dbt_packages", *without))


def enter(project, work):
    """Goes into a copy of the project, silences Python's output, since dbt prints, and installs packages.

    Returns dbt's runner and where the oracle itself prints."""
    copy = copied(project, os.path.join(work, "p"))
    os.chdir(copy)
    os.environ["DBT_PROFILES_DIR"] = copy
    from dbt.cli.main import dbtRunner

    out, sys.stdout = sys.stdout, open(os.devnull, "w")
    runner = dbtRunner(callbacks=[])
    runner.invoke(["--quiet", "deps"])
    return runner, out


def selected(result):
    """What `ls` of dbt gave, as a set."""
    return set(result.result or []) if result.success else {"error"}


def selected_by(tarn, words):
    """The same of tarn."""
    run = subprocess.run([tarn, "--quiet", "ls", *words], capture_output=True, text=True)
    return set(run.stdout.splitlines()) if run.returncode == 0 else {"error"}
