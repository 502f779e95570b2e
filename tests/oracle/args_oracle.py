"""run_results.json's `args` of tarn against dbt's, command by command.

    python tests/oracle/args_oracle.py [--tarn PROGRAM]
"""
import json
import os
import subprocess
import sys
import tempfile

from both_programs import arguments, write

COMMANDS = [["run", "--full-refresh", "--vars", "{a: 1}"], ["build", "--store-failures", "--target", "d"], ["test", "--fail-fast"], ["seed", "--show"],
            ["snapshot", "--threads", "2"], ["compile", "--no-introspect", "--exclude", "x"], ["docs", "generate", "--no-partial-parse"], ["show", "-s", "a", "--limit", "2"],
            ["run", "-s", "a", "--warn-error-options", "{error: [NoNodesForSelectionCriteria]}", "--sample", "3 days", "--printer-width", "70"]]
FILES = {"dbt_project.yml": "name: p\nprofile: p\nflags: {cache_selected_only: true}\n", "profiles.yml": "p: {target: d, outputs: {d: {type: duckdb, path: p.duckdb}}}\n",
         "models/a.sql": "select 1 as id", "seeds/s.csv": "a\n1\n", "snapshots/n.yml": "snapshots: [{name: n, relation: ref('s'), config: {strategy: check, check_cols: all, unique_key: a}}]\n"}


def of(folder):
    with open(os.path.join(folder, "run_results.json")) as f:
        return json.load(f)["args"]


def main():
    tarn = arguments().parse_args().tarn
    bad = 0
    with tempfile.TemporaryDirectory() as work:
        write(work, FILES)
        os.chdir(work)
        os.environ.update(DO_NOT_TRACK="1")
        from dbt.cli.main import dbtRunner

        for line in COMMANDS:
            words = [*line, "--quiet", "--target-path", "t"]
            out, sys.stdout = sys.stdout, open(os.devnull, "w")
            dbtRunner(callbacks=[]).invoke(words)
            sys.stdout = out
            theirs = of("t")
            subprocess.run([tarn, *words], stdout=subprocess.DEVNULL)
            ours = of("t")
            different = {k: (theirs.get(k), ours.get(k)) for k in {**theirs, **ours} if theirs.get(k) != ours.get(k) and k != "invocation_command"}
            if different:
                bad += 1
                print(" ".join(line) + ": dbt, tarn: " + json.dumps(different))
    print("%d passed, %d failed" % (len(COMMANDS) - bad, bad))
    return 1 if bad else 0


sys.exit(main())
