"""Compares what --select and --exclude mean to tarn and to real dbt, on a project.

    python tests/oracle/select_oracle.py [--tarn PROGRAM] [--project DIR]

The specs are those of tests/unit/test_project_select.c and the ones below; each is given to `ls` of both programs, and the printed lines are
compared as sets.
"""
import os
import re
import shutil
import sys
import tempfile

from both_programs import ROOT, SHOP, arguments, enter, selected, selected_by

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


def options(select, exclude, indirect):
    args = ["--select", select] if select else []
    args += ["--exclude", exclude] if exclude else []
    return args + (["--indirect-selection", indirect] if indirect else [])


def main():
    ap = arguments()
    ap.add_argument("--project", default=SHOP)
    opts = ap.parse_args()
    work = tempfile.mkdtemp(prefix="select-oracle-")
    runner, out = enter(opts.project, work)
    count = bad = 0
    for case in cases():
        count += 1
        want = selected(runner.invoke(["--quiet", "ls"] + options(*case)))
        got = selected_by(opts.tarn, options(*case))
        if got != want:
            bad += 1
            print("%s\n    dbt only:  %s\n    tarn only: %s" % (options(*case), sorted(want - got), sorted(got - want)), file=out)
    sys.stdout = out
    os.chdir(ROOT)
    shutil.rmtree(work, ignore_errors=True)
    print("%d selections compared, %d differences" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
