"""Compares what tarn and real dbt write of metrics, semantic models and saved queries, of the graph, and of the macros that nodes call.

    python tests/oracle/semantic_oracle.py PROJECT_DIR [--tarn PROGRAM]

Both build a copy of the project in a temporary folder. Compared are the entries of manifest.json key by key, semantic_manifest.json and
osi_document.json whole, and graph_summary.json: its edges as they are; those with the tests by what can be reached, since dbt writes more edges than it takes to say the same.
Prints each difference; exit status 1 when there is one.
"""
import json
import os
import subprocess
import sys
import tempfile

from both_programs import DBT, arguments, copied

SECTIONS = ("metrics", "semantic_models", "saved_queries")


def artifacts(program, project):
    with tempfile.TemporaryDirectory() as work:
        copy = copied(project, os.path.join(work, "p"), "*.duckdb")
        env = dict(os.environ, DBT_PROFILES_DIR=copy, DBT_SEND_ANONYMOUS_USAGE_STATS="false")
        if os.path.exists(os.path.join(copy, "packages.yml")):
            subprocess.run([program, "deps"], cwd=copy, env=env, check=True, stdout=subprocess.DEVNULL)
        run = subprocess.run([program, "build"], cwd=copy, env=env, capture_output=True, text=True)
        found = {}
        for name in ("manifest", "semantic_manifest", "osi_document", "graph_summary"):
            try:
                with open(os.path.join(copy, "target", name + ".json")) as f:
                    found[name] = json.load(f)
            except OSError:
                sys.exit("%s wrote no %s.json\n%s%s" % (program, name, run.stdout, run.stderr))
        return found


def edges(graph):
    names = {n: v["name"] for n, v in graph.items()}
    return {v["name"]: {names[str(s)] for s in v.get("succ", [])} for v in graph.values()}


def closure(direct):
    reach = {}

    def of(n):
        if n not in reach:
            reach[n] = set()
            for s in direct[n]:
                reach[n] |= {s} | of(s)
        return reach[n]
    for n in direct:
        of(n)
    return {n: sorted(v) for n, v in reach.items()}


class Report:
    def __init__(self):
        self.differences = self.compared = 0

    def same(self, where, dbt, tarn):
        if isinstance(dbt, dict) and isinstance(tarn, dict):
            for k in list(dbt) + [k for k in tarn if k not in dbt]:
                self.same("%s.%s" % (where, k), dbt.get(k, "(absent)"), tarn.get(k, "(absent)"))
        elif isinstance(dbt, list) and isinstance(tarn, list) and len(dbt) == len(tarn):
            for i, (a, b) in enumerate(zip(dbt, tarn)):
                self.same("%s[%d]" % (where, i), a, b)
        else:
            self.compared += 1
            if dbt != tarn:
                self.differences += 1
                print("%s\n    dbt:  %s\n    tarn: %s" % (where, json.dumps(dbt)[:400], json.dumps(tarn)[:400]))


def by_name(entries):
    return {e["name"]: e for e in entries}


def main():
    ap = arguments()
    ap.add_argument("project")
    args = ap.parse_args()
    dbt = artifacts(DBT, args.project)
    tarn = artifacts(args.tarn, args.project)
    r = Report()
    for section in SECTIONS:
        for side in (dbt, tarn):
            for e in side["manifest"][section].values():
                e.pop("created_at")
                e["depends_on"]["nodes"].sort()
        r.same(section, dbt["manifest"][section], tarn["manifest"][section])
    called = [{k: sorted(v["depends_on"]["macros"]) for k, v in s["manifest"]["nodes"].items()} for s in (dbt, tarn)]
    r.same("macros", *called)
    spines = [{k: v["time_spine"] for k, v in s["manifest"]["nodes"].items() if v.get("time_spine")} for s in (dbt, tarn)]
    r.same("time_spine", *spines)
    for side in (dbt, tarn):
        for section in SECTIONS:  # their order follows that of files
            side["semantic_manifest"][section] = by_name(side["semantic_manifest"][section])
    r.same("semantic_manifest", dbt["semantic_manifest"], tarn["semantic_manifest"])
    for side in (dbt, tarn):
        for part in ("datasets", "relationships", "metrics"):
            whole = side["osi_document"]["semantic_model"][0]
            if part in whole:
                whole[part] = by_name(whole[part])
    r.same("osi_document", dbt["osi_document"], tarn["osi_document"])
    a, b = dbt["graph_summary"], tarn["graph_summary"]
    r.same("graph keys", sorted(a), sorted(b))
    r.same("graph types", *[{v["name"]: v["type"] for v in g["linked"].values()} for g in (a, b)])
    r.same("graph", *[{k: sorted(v) for k, v in edges(g["linked"]).items()} for g in (a, b)])
    r.same("graph with tests", *[closure(edges(g["with_test_edges"])) for g in (a, b)])
    print("%d values compared, %d differences" % (r.compared, r.differences))
    return 1 if r.differences else 0


if __name__ == "__main__":
    sys.exit(main())
