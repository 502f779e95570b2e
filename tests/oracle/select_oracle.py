"""Compares what --select and --exclude mean to tarn and to real dbt, on a project.

    python tests/oracle/select_oracle.py [--tarn PROGRAM] [--project DIR]

The specs are those of tests/unit/test_project_select.c and the ones below; each is given to `ls` of both programs, and the printed lines are
compared as sets.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
MORE = [
    ("stg_orders", None, "cautious"), ("stg_orders stg_customers", None, "buildable"), ("stg_orders stg_customers", None, "cautious"),
    ("stg_orders", None, "empty"), ("1+report", None, None), ("2+report", None, None), ("stg_orders", "no_returns", None),
    ("orders", None, "buildable"), ("tag:from_package+1", None, None), ("test_type:generic", None, None), ("test_type:data", None, None),
    ("source:*", None, None), ("models/marts", "tag:gold config.materialized:incremental", None), ("shop.staging", None, None),
    ("resource_type:test,tag:key", None, None), ("one_customer", None, None), ("raw_*+", None, None), ("@stg_events", None, None),
    ("file:raw_orders.csv", None, None), ("snap", None, None), ("path:models/schema.yml", None, None), ("path:tests", None, None),
    ("shop.*.orders", None, None), ("+snap_orders+", None, None), ("source:landing+,config.materialized:table", None, "cautious"),
    (None, "resource_type:test", None), ("*", "test_type:generic", None), ("config.meta.pii:false", None, None), ("unit_test:one_customer", None, None),
]


def cases():
    with open(os.path.join(ROOT, "tests", "unit", "test_project_select.c")) as f:
        text = f.read()
    for a, b in re.findall(r'\{\s*(NULL|"[^"]*"),\s*(NULL|"[^"]*"),\s*[^,{}"]+,\s*"[^"]*"\s*\}', text):
        yield (None if a == "NULL" else a.strip('"')), (None if b == "NULL" else b.strip('"')), None
    yield from MORE


def arguments(select, exclude, indirect):
    args = ["--select", select] if select else []
    args += ["--exclude", exclude] if exclude else []
    return args + (["--indirect-selection", indirect] if indirect else [])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--tarn", default=os.path.join(ROOT, "build", "tarn"))
    ap.add_argument("--project", default=os.path.join(ROOT, "tests", "projects", "shop"))
    opts = ap.parse_args()
    tarn = os.path.abspath(opts.tarn)
    work = tempfile.mkdtemp(prefix="select-oracle-")
    copy = os.path.join(work, "p")
    shutil.copytree(opts.project, copy, ignore=shutil.ignore_patterns("target", "logs", "dbt_packages"))
    os.chdir(copy)
    os.environ["DBT_PROFILES_DIR"] = copy
    from dbt.cli.main import dbtRunner

    runner = dbtRunner(callbacks=[])
    quiet = open(os.devnull, "w")
    out, sys.stdout = sys.stdout, quiet
    runner.invoke(["--quiet", "deps"])
    count = bad = 0
    for case in cases():
        count += 1
        res = runner.invoke(["--quiet", "ls"] + arguments(*case))
        want = set(res.result or []) if res.success else {"error"}
        run = subprocess.run([tarn, "--quiet", "ls"] + arguments(*case), capture_output=True, text=True)
        got = set(run.stdout.splitlines()) if run.returncode == 0 else {"error"}
        if got != want:
            bad += 1
            print("%s\n    dbt only:  %s\n    tarn only: %s" % (arguments(*case), sorted(want - got), sorted(got - want)), file=out)
    sys.stdout = out
    os.chdir(ROOT)
    shutil.rmtree(work, ignore_errors=True)
    print("%d selections compared, %d differences" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
