"""logs/dbt.log: its forms, its levels, and the files that it becomes when it grows."""
import json, re, subprocess, sys

from dbt_flow import TARN, Gate, case, equal, has, lacks, main


def log(p, name="dbt.log"):
    path = p.dir / "logs" / name
    return path.read_text() if path.exists() else None


def fresh(p):
    p.file("models/a.sql", "{{ print('printed by a') }}select 1 as id")
    for f in (p.dir / "logs").glob("*"):
        f.unlink()


def told(p, *options, env=None):
    fresh(p)
    p.run("run", *options, env=env)
    return log(p)


@case
def a_statement_is_in_the_file_while_it_is_at_work(p):
    gate = Gate(p, "gate.csv")
    p.file("models/a.sql", "{{ config(materialized='table') }}select n as waited from " + gate.sql)
    run = subprocess.Popen([TARN, "run"], cwd=p.dir, env=p.env(), stdout=subprocess.DEVNULL)
    gate.wait()
    text = log(p)
    gate.open()
    equal(run.wait(), 0)
    has(text, "select n as waited")


@case
def each_invocation_begins_with_a_ruler(p):
    fresh(p)
    p.run("run")
    p.run("compile")
    text = log(p)
    rulers = re.findall(r"\n\n={30} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}) \| ([0-9a-f-]{36}) ={30}\n\1 \[info \] \[MainThread\]: Running with dbt=1\.12", text)
    equal(len(rulers), 2)
    equal(len({r[1] for r in rulers}), 2)
    equal(json.loads((p.dir / "target/run_results.json").read_text())["metadata"]["invocation_id"], rulers[1][1])
    has(text, "[debug]")
    assert re.search(r"\[info \] \[Thread-\d.*\]: printed by a\n", text), text


@case
def what_the_environment_gives_is_in_events_artifacts_and_templates(p):
    p.file("models/b.sql", "select '{{ dbt_metadata_envs.JOB }}' as job")
    lines = told(p, "--log-format-file", "json", env={"DBT_ENV_CUSTOM_ENV_JOB": "nightly"}).splitlines()
    equal(json.loads(lines[0])["info"]["extra"], {"JOB": "nightly"})
    has((p.dir / "target/compiled/p/models/b.sql").read_text(), "'nightly'")
    equal(json.loads((p.dir / "target/run_results.json").read_text())["metadata"]["env"], {"JOB": "nightly"})
    p.file("models/b.sql", "select '{{ env_var('DBT_ENV_SECRET_X') }}'")
    has(p.run("parse", status=2, env={"DBT_ENV_SECRET_X": "x"}), "\nParsing Error\n  Secret env vars are allowed only in profiles.yml or packages.yml. Found 'DBT_ENV_SECRET_X'")
    has(log(p), "Secret env vars are allowed only")


@case
def the_file_has_a_form_of_its_own(p):
    lines = [json.loads(line) for line in told(p, "--log-format-file", "json").splitlines()]
    equal(lines[0]["info"]["name"], "MainReportVersion")
    assert {"LogModelResult", "PrintEvent"} <= {line["info"]["name"] for line in lines}
    has(p.out, "  Running with dbt=")
    text = told(p, "--log-format-file", "text")
    assert re.match(r"\d\d:\d\d:\d\d  Running with dbt=", text), text
    lacks(text, "[info")
    has(text, "\nprinted by a\n")
    lacks(text, "=====")
    for how in ("debug", "default"):
        has(told(p, "--log-format-file", how), "=" * 30)
    # Without an own form it has the console's; the environment and the project say it too.
    json.loads(told(p, "--log-format", "json").splitlines()[0])
    json.loads(told(p, env={"DBT_LOG_FORMAT_FILE": "json"}).splitlines()[0])
    has(p.run("run", "--log-format-file", "yaml", status=2), "'yaml' is no value of --log-format-file")


@case
def the_file_has_a_level_of_its_own(p):
    lacks(told(p, "--log-level-file", "info"), "[debug]")
    told(p, "--log-level-file", "error")
    lacks(log(p), "Running with")
    has(p.out, "Running with")
    equal(told(p, "--log-level-file", "none"), None)
    has(told(p, "--log-level-file", "warn", "--debug"), "[debug]")
    has(p.run("run", "--log-level-file", "loud", status=2), "'loud' is no value of --log-level-file")


@case
def a_full_file_makes_room(p):
    fresh(p)
    for _ in range(12):
        p.run("run", "--log-file-max-bytes", "2000")
    names = sorted(f.name for f in (p.dir / "logs").iterdir())
    equal(names, ["dbt.log"] + ["dbt.log.%d" % k for k in range(1, 6)])
    for name in names:
        assert 0 < len(log(p, name).encode()) < 2000, (name, len(log(p, name)))
    # Nothing is lost between two files: the newest run is there, in the order of its lines.
    text = "".join(log(p, name) for name in reversed(names))
    last = json.loads((p.dir / "target/run_results.json").read_text())["metadata"]["invocation_id"]
    assert text.index(last) < text.rindex("Done. PASS=1"), text
    fresh(p)
    for _ in range(3):
        p.run("run", "--log-file-max-bytes", "0")
    equal([f.name for f in (p.dir / "logs").iterdir()], ["dbt.log"])


if __name__ == "__main__":
    sys.exit(main())
