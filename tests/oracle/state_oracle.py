"""Compares what `state:` means to tarn and to real dbt: one change after the other in a project, each against the manifest from before.

    python tests/oracle/state_oracle.py [--tarn PROGRAM] [--project DIR]

Every selector goes to `ls` of dbt with dbt's manifest as the state, and to tarn twice: with dbt's manifest and with its own.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from both_programs import ROOT, SHOP, arguments, enter, selected, selected_by

SELECTORS = ["state:modified", "state:new", "state:old", "state:unmodified", "state:modified.body", "state:modified.configs", "state:modified.relation",
             "state:modified.persisted_descriptions", "state:modified.macros", "state:modified.contract", "state:modified+", "state:modified,tag:gold"]


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


def replace(path, old, new):
    with open(path) as f:
        text = f.read()
    assert old in text, (path, old)
    with open(path, "w") as f:
        f.write(text.replace(old, new, 1))


CHANGES = [
    ("nothing", lambda: None),
    ("body of a model", lambda: append("models/staging/stg_orders.sql", "\n-- more\n")),
    ("a new model with tests", lambda: (append("models/fresh.sql", "select 1 as id"),
                                        append("models/fresh.yml", "models: [{name: fresh, columns: [{name: id, data_tests: [unique]}]}]\n"))),
    ("rows of a seed", lambda: append("seeds/raw_orders.csv", "\n")),
    ("a config", lambda: append("models/staging/stg_customers.sql", "\n{{ config(materialized='table') }}\n")),
    ("only a tag", lambda: append("models/staging/stg_events.sql", "\n{{ config(tags=['more']) }}\n")),
    ("an alias", lambda: append("models/marts/report.sql", "\n{{ config(alias='other') }}\n")),
    ("a macro that a model uses", lambda: (append("macros/used.sql", "{% macro used() %}1{% endmacro %}"), append("models/uses.sql", "select {{ used() }} as x"))),
    ("a description that is not persisted", lambda: append("models/described.yml", "models: [{name: uses, description: words}]\n")),
    ("a description that is persisted", lambda: (append("models/kept.sql", "{{ config(persist_docs={'relation': true, 'columns': true}) }} select 1 as id"),
                                                 append("models/kept.yml", "models: [{name: kept, description: one, columns: [{name: id, description: a}]}]\n"))),
    ("a contract", lambda: (append("models/firm.sql", "select 1 as id"), append("models/firm.yml", "models: [{name: firm, config: {contract: {enforced: true}}, columns: [{name: id, data_type: int}]}]\n"))),
    ("a source and an exposure", lambda: append("models/more.yml", "sources: [{name: files, tables: [{name: t}]}]\nexposures: [{name: page, type: dashboard, owner: {email: a@b.c}, depends_on: [ref('uses')]}]\n")),
]
# Changes of what the ones above made.
SECOND = [
    ("the macro's text", lambda: replace("macros/used.sql", "1{%", "2{%")),
    ("the persisted description", lambda: replace("models/kept.yml", "description: one", "description: two")),
    ("a persisted column's description", lambda: replace("models/kept.yml", "description: a", "description: b")),
    ("the contract grows", lambda: (replace("models/firm.yml", "data_type: int}", "data_type: int}, {name: n, data_type: text}"), replace("models/firm.sql", "as id", "as id, 'a' as n"))),
    ("a test's severity", lambda: replace("models/fresh.yml", "[unique]", "[{unique: {config: {severity: warn}}}]")),
    ("the source's schema", lambda: replace("models/more.yml", "name: files,", "name: files, schema: elsewhere,")),
    ("the source's description", lambda: replace("models/more.yml", "{name: t}", "{name: t, description: rows}")),
    ("the exposure's owner", lambda: replace("models/more.yml", "a@b.c", "d@e.f")),
    ("the exposure leans on more", lambda: replace("models/more.yml", "[ref('uses')]", "[ref('uses'), ref('fresh')]")),
    ("a model goes", lambda: (os.remove("models/fresh.sql"), os.remove("models/fresh.yml"), replace("models/more.yml", ", ref('fresh')]", "]"))),
]


def main():
    ap = arguments()
    ap.add_argument("--project", default=SHOP)
    opts = ap.parse_args()
    work = tempfile.mkdtemp(prefix="state-oracle-")
    runner, out = enter(opts.project, work)
    from dbt.cli.main import dbtRunner

    count = bad = 0
    for what, change in CHANGES + SECOND:
        before = runner.invoke(["--quiet", "parse", "--no-partial-parse", "--target-path", os.path.join(work, "dbt")])
        subprocess.run([opts.tarn, "--quiet", "parse", "--target-path", os.path.join(work, "tarn")], check=True)
        assert before.success, before.exception
        change()
        now = runner.invoke(["--quiet", "parse", "--no-partial-parse"])
        assert now.success, (what, now.exception)
        for selector in SELECTORS:
            res = dbtRunner(manifest=now.result, callbacks=[]).invoke(["--quiet", "ls", "--select", selector, "--state", os.path.join(work, "dbt")])
            want = selected(res)
            for state in ("dbt", "tarn"):
                count += 1
                got = selected_by(opts.tarn, ["--select", selector, "--state", os.path.join(work, state)])
                if got != want:
                    bad += 1
                    print("%s: %s against %s's manifest\n    dbt only:  %s\n    tarn only: %s" % (what, selector, state, sorted(want - got), sorted(got - want)), file=out)
        # The other way round: what dbt thinks of contracts when the state is tarn's.
        res = dbtRunner(manifest=now.result, callbacks=[]).invoke(["--quiet", "ls", "--select", "state:modified.contract", "--state", os.path.join(work, "dbt")])
        own = dbtRunner(manifest=now.result, callbacks=[]).invoke(["--quiet", "ls", "--select", "state:modified.contract", "--state", os.path.join(work, "tarn")])
        count += 1
        if (res.success, set(res.result or [])) != (own.success, set(own.result or [])):
            bad += 1
            print("%s: dbt finds contracts modified by its own manifest %s, by tarn's %s" % (what, res.result, own.result), file=out)
    sys.stdout = out
    os.chdir(ROOT)
    shutil.rmtree(work, ignore_errors=True)
    print("%d selections compared, %d differences" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
