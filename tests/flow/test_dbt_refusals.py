"""Configs without which a project is not run, and how a failed hook and a broken contract are told: exit statuses and words are dbt's."""
import os, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
passed = failed = 0

SNAPSHOT = "{%% snapshot s %%}{{ config(%s) }} select 1 as id {%% endsnapshot %%}"
BATCHED = "{{ config(materialized='incremental', incremental_strategy='microbatch', %s) }} select 1 as id"
REFUSED = [
    ("snapshots/s.sql", SNAPSHOT % "unique_key='id'", "Snapshots must be configured with a 'strategy' and 'unique_key'."),
    ("snapshots/s.sql", SNAPSHOT % "strategy='check', unique_key='id'", "must specify a check_cols configuration."),
    ("snapshots/s.sql", SNAPSHOT % "strategy='check', unique_key='id', check_cols='some'", "Invalid value for 'check_cols': some."),
    ("snapshots/s.sql", SNAPSHOT % "strategy='timestamp', unique_key='id'", "must specify an updated_at configuration."),
    ("models/m.sql", BATCHED % "event_time='t', batch_size='week', begin='2024-01-01'",
     "must provide a 'batch_size' config that is one of ['hour', 'day', 'month', 'year'], but got: week."),
    ("models/m.sql", BATCHED % "event_time='t', batch_size='day'", "Microbatch model 'm' must provide a 'begin' (datetime) config"),
    ("models/m.sql", BATCHED % "event_time='t', batch_size='day', begin='soon'", "'begin' config of valid datetime (ISO format), but got: soon."),
    ("models/m.sql", BATCHED % "batch_size='day', begin='2024-01-01'", "must provide an 'event_time' (string) config"),
]


def check(what, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {what}\n{detail}")


def run(files, *command):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        files = {"dbt_project.yml": "name: r\nprofile: r\n", "profiles.yml": "r: {outputs: {default: {type: duckdb, path: r.duckdb}}}\n", **files}
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
        done = subprocess.run([TARN, *command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout


def main():
    for name, text, words in REFUSED:
        status, out = run({name: text}, "build")
        check(f"refused: {words}", status == 2 and words in out, out)
    status, out = run({"models/m.sql": "select 1 as id", "dbt_project.yml": "name: r\nprofile: r\non-run-end: ['select * from nowhere']\n"}, "run")
    check("a hook that fails", status == 1 and "r.on-run-end.0 failed, error:\n Catalog Error: Table with name nowhere" in out, out)
    contract = "models: [{name: m, config: {contract: {enforced: true}}, columns: [{name: id, data_type: varchar}, {name: gone, data_type: int}]}]\n"
    status, out = run({"models/m.sql": "{{ config(materialized='table') }} select 1 as id, 2.5 as more", "models/m.yml": contract}, "run")
    check("a broken contract", status == 1 and "| id          | INTEGER         | VARCHAR       | data type mismatch    |" in out
          and "missing in contract" in out and "missing in definition" in out, out)
    status, out = run({"models/m.sql": "select 1 as id"}, "run", "--event-time-start", "2024-01-01")
    check("one event time", status == 2 and "`--event-time-end` was not" in out, out)
    status, out = run({"models/m.sql": "select 1 as id"}, "run", "--event-time-start", "2024-01-02", "--event-time-end", "2024-01-01")
    check("event times in the wrong order", status == 2 and "must be less than `--event-time-end`" in out, out)
    status, out = run({"models/m.sql": "select 1 as id"}, "run", "--sample", "3 weeks")
    check("a sample of weeks", status == 2 and "Invalid grain size 'weeks'" in out, out)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
