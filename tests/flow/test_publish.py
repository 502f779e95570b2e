"""Write, audit, publish with a profile of type tarn: readers see only what passed its tests; a rejected version does not leak into the next
increment; a database file gets its read copy; external formats make their folders."""
import os, pathlib, subprocess, sys, tempfile

import duckdb
from deltalake import DeltaTable

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
passed = failed = 0

FILES = {
    "dbt_project.yml": "name: wap\nversion: '1.0'\nprofile: wap\nvars: {batch: 1, twice: false}\n",
    "profiles.yml": "wap:\n  target: dev\n  outputs:\n    dev: {type: tarn, lake: lake, schema: main, threads: 2}\n",
    "models/grown.sql": "{{ config(materialized='incremental', incremental_strategy='append') }}\n"
                        "select {{ var('batch') }} as id, {{ is_incremental() }} as later\n"
                        "{% if var('twice') %} union all select {{ var('batch') }}, true {% endif %}\n",
    "models/child.sql": "{{ config(materialized='table') }} select count(*) as n from {{ ref('grown') }}\n",
    "models/other.sql": "{{ config(materialized='table', partition_by=['p']) }} select {{ var('batch') }} as batch, 'x' as p\n",
    "models/look.sql": "{{ config(materialized='view') }} select * from {{ ref('other') }} where batch > 0\n",
    "models/schema.yml": "version: 2\nmodels:\n  - name: grown\n    columns: [{name: id, data_tests: [unique]}]\n",
}


def check(what, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {what}\n{detail}")


def run(folder, *command):
    env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    done = subprocess.run([TARN, *command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def seen(folder, sql):
    with duckdb.connect(str(folder / "lake/catalog/dev.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def each_node(folder):
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("threads: 2", "threads: 4, publish: each_node"))
    (folder / "models/zz_late.sql").write_text("{{ config(materialized='table') }} -- {{ ref('child') }}\nselect error('late')\n")
    status, out = run(folder, "build")
    check("each node is published by itself", status == 1 and out.count("Published lake commit") >= 3, out)
    check("before the run ends", out.index("Published lake commit") < out.index("Finished running"), out)
    check("what it made is there", seen(folder, "select n from main.child") == [(1,)])
    status, out = run(folder, "build", "--vars", "{batch: 2, twice: true}")
    check("not before its tests", status == 1 and seen(folder, "select * from main.grown") == [(1, False)], out)
    check("others are", seen(folder, "select batch from main.look") == [(2,)], out)
    (folder / "profiles.yml").write_text(FILES["profiles.yml"].replace("threads: 2", "publish: sometimes"))
    status, out = run(folder, "build")
    check("another word is refused", status == 2 and "must be on_success, each_node or manual" in out, out)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        status, out = run(folder, "build")
        check("first build", status == 0 and "Published lake commit 0" in out, out)
        check("published", seen(folder, "select * from main.grown") == [(1, False)], out)

        status, out = run(folder, "build", "--vars", "{batch: 2, twice: true}")
        check("a failed test is exit status 1", status == 1 and "FAIL 1 unique_grown_id" in out, out)
        check("the child is skipped", "SKIP relation main.child" in out, out)
        check("readers still see the old rows", seen(folder, "select * from main.grown") == [(1, False)])
        check("what passed is published", seen(folder, "select batch from main.other") == [(2,)])
        check("and the view over it", seen(folder, "select batch from main.look") == [(2,)])
        check("the rejected version is in the table's history", DeltaTable(str(folder / "lake/main/grown")).version() == 1)

        status, out = run(folder, "build", "--vars", "{batch: 3}")
        check("third build", status == 0, out)
        check("the increment started from the pin", seen(folder, "select id, later from main.grown order by 1") == [(1, False), (3, True)],
              seen(folder, "select * from main.grown"))
        check("the child too", seen(folder, "select n from main.child") == [(2,)])

        status, out = run(folder, "build", "--full-refresh", "--vars", "{batch: 4}")
        check("full refresh", status == 0 and seen(folder, "select * from main.grown") == [(4, False)], out)
        with duckdb.connect(str(folder / "lake/catalog/dev.duckdb"), read_only=True) as reader:
            check("a reader holds the catalog", reader.execute("select count(*) from main.grown").fetchone() == (1,))
            status, out = run(folder, "build")
            check("and the next build succeeds", status == 0 and reader.execute("select count(*) from main.grown").fetchone() == (1,), out)
        check("a new open sees it", seen(folder, "select count(*) from main.grown") == [(2,)])
        (folder / "models/outside.sql").write_text("{{ config(materialized='external', format='csv', location='out/outside.csv') }} select 1 as a")
        status, out = run(folder, "build", "--select", "outside")
        check("a reader elsewhere finds an external model with a relative location", status == 0 and seen(folder, "from main.outside") == [(1,)], out)
        check("partition columns", DeltaTable(str(folder / "lake/main/other")).metadata().partition_columns == ["p"])
        status, out = run(folder, "run", "--select", "nothing")
        check("nothing selected is fine", status == 0 and "does not match any enabled nodes" in out, out)
        status, out = run(folder, "run", "--no-such-option")
        check("wrong usage is exit status 2", status == 2 and "no such option" in out and "--help" in out, out)
    with tempfile.TemporaryDirectory() as scratch:
        each_node(pathlib.Path(scratch))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
