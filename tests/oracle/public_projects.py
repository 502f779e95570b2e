"""Public dbt projects through dbt and tarn: statuses of nodes, compiled SQL, relations with their types and rows, and the manifest, each as N of M.

    tools/projects [--only NAME] [--report FILE] [--show]      or: make test-projects

public_cases.py says which ones, and how they are made to run. Both programs run on copies.
"""
import argparse, contextlib, datetime, io, json, pathlib, re, sys, tempfile, time

import dbt_oracle as oracle
import manifest_oracle as manifest

from public_cases import CASES, PRIVATE


MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?|\d{4}-\d\d-\d\d\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:?\d\d)?")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SUM = re.compile(r"\b[0-9a-f]{32}\b|(?<=__tmp_)\w+|\d{16,}")
STARTED = datetime.datetime.now()


def masked(v, sums):
    """A value without what no two runs have in common: moments, ids of invocations; sums that are made of them, where a project makes such."""
    if isinstance(v, datetime.datetime):
        return "<now>" if abs((v.replace(tzinfo=None) - STARTED).total_seconds()) < 3600 * 13 and (v.hour, v.minute, v.second) != (0, 0, 0) else v
    if isinstance(v, str):
        v = UUID.sub("<uuid>", MOMENT.sub("<time>", v))
        return SUM.sub("<sum>", v) if sums else v
    return v


def settled(tables, private, sums):
    """Tables with their values masked; columns that only tell how the run went are left out."""
    out = {}
    for name, (kind, columns, rows, comment) in tables.items():
        keep = [i for i, c in enumerate(c for c, _ in shown(columns)) if c not in private]
        out[name] = (kind, columns, oracle.order([tuple(masked(r[i], sums) for i in keep) for r in rows]), comment)
    return out


def shown(columns):
    """The columns whose values oracle.tables_of reads."""
    return [(c, t) for c, t in columns if not (t.startswith("TIMESTAMP") and (c.startswith("dbt_") or c == "loaded_at")) and c != "dbt_scd_id"]


def count(a, b):
    """How many entries of dbt's are the same with tarn, of how many there are at either."""
    a, b = a or {}, b or {}
    every = set(a) | set(b)
    return sum(1 for k in every if k in a and k in b and a[k] == b[k]), len(every), oracle.difference(a, b)


def manifests(folders):
    """Entries that are the same, of all; by the comparison of manifest_oracle."""
    if not all((f / "target/manifest.json").exists() for f in folders):
        return 0, 1, "no manifest.json"
    dbt, tarn = (json.loads((f / "target/manifest.json").read_text()) for f in folders)
    names = {n["package_name"] for n in dbt["nodes"].values()} - {"dbt", "dbt_duckdb"}
    good = total = 0
    out = io.StringIO()
    for section in ("nodes", "sources", "exposures", "macros", "metrics", "semantic_models", "unit_tests", "saved_queries", "groups"):
        a, b = (manifest.own(m.get(section, {}), names) for m in (dbt, tarn))
        for uid in sorted(set(a) | set(b)):
            total += 1
            r = manifest.Report()
            with contextlib.redirect_stdout(out):
                if uid not in a or uid not in b:
                    r.differ(uid, uid in a, uid in b)
                else:
                    manifest.compare_node(r, uid, a[uid], b[uid])
            good += r.count == 0
    for section in ("parent_map", "child_map"):
        g, t, d = count({k: sorted(v) for k, v in dbt[section].items()}, {k: sorted(v) for k, v in tarn[section].items()})
        good, total = good + g, total + t
        out.write(d + "\n")
    return good, total, out.getvalue()


def run(name, make, commands, show):
    """{what: (good, total, difference)} after the last of the commands; exit statuses after each."""
    with tempfile.TemporaryDirectory(prefix="public-") as base:
        folders = []
        for who in ("dbt", "tarn"):
            (pathlib.Path(base) / who).mkdir()
            folders.append(make(pathlib.Path(base) / who))
        if (folders[0] / "packages.yml").exists():
            for program, folder in zip((oracle.DBT, oracle.TARN), folders):
                status, text = oracle.run(program, folder, ["deps"])
                if status:
                    print(f"{name}: {program} deps: {text[-1500:]}")
        exits, seconds, texts = {}, [0, 0], []
        for program, folder in zip((oracle.DBT, oracle.TARN), folders):  # later manifests have what only running adds
            oracle.run(program, folder, ["parse"])
        parsed = manifests(folders)
        for command in commands:
            texts = []
            for i, program in enumerate((oracle.DBT, oracle.TARN)):
                start = time.monotonic()
                status, text = oracle.run(program, folders[i], command)
                seconds[i] += time.monotonic() - start
                texts.append(text)
                exits.setdefault(" ".join(command), []).append(status)
        if show:
            print(texts[0][-3000:], texts[1][-6000:], sep="\n----\n")
        found = {"exit": count({k: v[0] for k, v in exits.items()}, {k: v[1] for k, v in exits.items()})}
        if exits and all(s < 2 for v in exits.values() for s in v):
            statuses = [{k: v[:2] for k, v in (oracle.results_of(f) or {}).items()} for f in folders]
            found["statuses"] = count(*statuses)
            sums = name in PRIVATE
            found["compiled"] = count(*({k: masked(v, sums) for k, v in oracle.compiled_of(f).items()} for f in folders))
            found["relations"] = count(*(settled(oracle.tables_of(f), PRIVATE.get(name, ()), sums) for f in folders))
            found["manifest"] = parsed
            tally = {}
            for s, _ in statuses[0].values():
                tally[s] = tally.get(s, 0) + 1
            found["tally"] = tally
        else:
            print(texts[0][-1500:], texts[1][-2500:], sep="\n----\n")
        found["seconds"] = seconds
        return found


HEAD = "| project | nodes (dbt: of these) | statuses | compiled SQL | relations | manifest | dbt s | tarn s |\n|---|---|---|---|---|---|---|---|\n"


def row(name, found):
    cells = [f"{found[k][0]} of {found[k][1]}" if k in found else "-" for k in ("statuses", "compiled", "relations", "manifest")]
    tally = ", ".join(f"{n} {s}" for s, n in sorted(found.get("tally", {}).items(), key=lambda x: -x[1]))
    return f"| {name} | {tally} | {' | '.join(cells)} | {found['seconds'][0]:.1f} | {found['seconds'][1]:.1f} |\n"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--report", type=pathlib.Path)
    p.add_argument("--show", action="store_true")
    args = p.parse_args()
    table, good, bad = HEAD, 0, 0
    for name, (make, commands) in CASES.items():
        if args.only and name != args.only:
            continue
        found = run(name, make, commands, args.show)
        for what in ("exit", "statuses", "compiled", "relations", "manifest"):
            if what in found:
                good, bad = good + found[what][0], bad + found[what][1] - found[what][0]
                if found[what][2].strip():
                    print(f"FAILED {name}: {what}\n{found[what][2][:6000]}")
        table += row(name, found)
        print(row(name, found), end="", flush=True)
    if args.report:
        args.report.write_text(table)
    print(f"{good} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
