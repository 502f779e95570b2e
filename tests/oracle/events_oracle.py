"""Compares the events that real dbt and tarn write with --log-format json, one by one: name, code, level, message and data.

    python tests/oracle/events_oracle.py [--only TEXT] [--keep DIR] [--all]

Events are matched by name and what they are about (a node, an index, a message). Times, ids of runs, processes and threads are left out, and
so are the events of which dbt's own machinery is the subject (connections of Python, partial parsing); NOT_COMPARED lists them with the reason.
"""
import argparse, collections, json, os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
DBT = os.path.join(os.path.dirname(sys.executable), "dbt")
CASES = [
    ("build", ["build"]),
    ("again", ["build", "--exclude", "broken", "refused"]),
    ("threads", ["run", "--threads", "4", "--full-refresh"]),
    ("test", ["test", "--select", "seen", "kept"]),
    ("seed", ["seed"]),
    ("snapshot", ["snapshot"]),
    ("compile", ["compile", "--select", "kept"]),
    ("show", ["show", "--select", "through", "--limit", "2"]),
    ("show-json", ["show", "--select", "through", "--output", "json"]),
    ("freshness", ["source", "freshness"]),
    ("operation", ["run-operation", "speak", "--args", "{word: hello, times: 2}"]),
    ("operation-fails", ["run-operation", "fails"]),
    ("operation-asks", ["run-operation", "asks"]),
    ("operation-unknown", ["run-operation", "no_such_macro"]),
    ("ls", ["ls", "--select", "seen+"]),
    ("parse", ["parse"]),
    ("docs", ["docs", "generate", "--no-compile"]),
    ("nothing", ["run", "--select", "no_such_model"]),
    ("clean", ["clean"]),
]
# dbt's own machinery: connections of its adapter, its parse cache, its process.
NOT_COMPARED = {"NewConnection", "NewConnectionOpening", "ConnectionUsed", "ConnectionClosed", "ConnectionReused", "ConnectionClosedInCleanup",
                "ConnectionLeftOpen", "ConnectionLeftOpenInCleanup", "Rollback", "SQLCommit", "SQLQuery", "SQLQueryStatus", "SchemaCreation", "AdapterEventDebug", "CatchableExceptionOnRun",
                "StateCheckVarsHash", "UnableToPartialParse", "PartialParsingNotEnabled", "PartialParsingEnabled", "PartialParsingFile", "FlushEvents", "ResourceReport", "MainReportArgs",
                "CacheAction", "CacheDumpGraph", "CacheMiss", "ListRelations", "ColTypeChange", "SchemaDrop", "JinjaLogDebug", "ParsePerfInfoPath", "InternalDeprecation",
                "PartialParsingSkipParsing", "Note", "SQLPlace", "WritingInjectedSQLForNode", "MarkSkippedChildren", "EndRunResult", "LogDebugStackTrace", "RetryExternalCall"}
# Data that depends on the moment.
MOMENT = {"execution_time", "node_started_at", "node_finished_at", "started_at", "completed_at", "elapsed", "ts", "execution", "generated_at", "elapsed_time", "command_wall_clock_time",
          "query_id", "thread", "timing_info"}
NOT_WRITTEN = {"DIR/target/osi_document.json"}
NUMBERED_AT_WILL = {"build", "again", "test", "threads"}
passed = failed = 0


def settle(text):
    text = re.sub(r"\b\d+\.\d+ ?s(econds)?\b", "N.NNs", text)
    text = re.sub(r"LINE \d+:[^\n]*\n[^\n]*\^", "LINE N", text)  # SQL is laid out in other lines
    text = re.sub(r"(\n    at [^\n]*\n[^\n]*\n *\^)+", "", text)  # the place of an error, which only tarn tells
    text = re.sub(r"\n *hint: .*", "", text)
    text = re.sub(r"(LINE N)(\n  > .*)+", r"\1", text)
    text = re.sub(r"(in any package)\. This can happen when .*", r"\1", text).replace('"no_such_macro"', "'no_such_macro'")
    text = re.sub(r"\(N\.NNs\)", "(N)", text)
    text = re.sub(r"\d+ macros", "N macros", text)
    text = re.sub(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "TIME", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d(\.\d+)?", "TIME", text)
    text = re.sub(r"\d+ hours \d+ minutes", "N hours N minutes", text)
    text = re.sub(r"[^\s'\"]*/(dbt|tarn)/(target|logs|models|dbt_project|events)", r"DIR/\2", text)
    text = re.sub(r"(?s)actual differs from expected:.*", "actual differs from expected", text)
    text = re.sub(r"(?s)(\w+ Error) in macro .*", r"\1 of a macro", re.sub(r"(?s)(Compilation Error)\n.*?> in macro .*", r"\1 of a macro", text))
    return re.sub(r"\.{3,}", "...", text)


def plain(v, key=""):
    if key in MOMENT:
        return "(moment)"
    if isinstance(v, dict):
        return {k: plain(x, k) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x, key) for x in v]
    return settle(v) if isinstance(v, str) else v


def about(data):
    info = data.get("node_info") or {}
    return info.get("unique_id") or data.get("unique_id") or data.get("conn_name") or settle(str(data.get("msg", data.get("artifact_path", ""))))[:60]


def events_of(program, folder, command, out):
    """(exit status, {(name, about): events}, other lines). What dbt said in an earlier run into the same --keep folder is read again."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    env.update(DBT_SEND_ANONYMOUS_USAGE_STATS="false", DBT_PROFILES_DIR=str(folder), DBT_LOG_FORMAT="json", DBT_LOG_LEVEL="debug", DBT_USE_COLORS="false", DBT_VERSION_CHECK="false")
    events, other = collections.OrderedDict(), []
    if out and out.exists() and program == DBT:
        status, text = out.read_text().split("\n", 1)
    else:
        done = subprocess.run([program, *command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)
        status, text = done.returncode, done.stdout
        if out:
            out.write_text(f"{status}\n{text}")
    for line in text.splitlines():
        try:
            e = json.loads(line)
            info = e["info"]
        except (ValueError, KeyError, TypeError):
            other.append(line)
            continue
        events.setdefault((info["name"], about(e["data"])), []).append(e)
    return int(status), events, other


def differences(case, a, b):
    """a: dbt's, b: tarn's; one line a difference."""
    found = []
    if case in NUMBERED_AT_WILL:  # unit tests get their number when a worker comes to their model
        for e in (a, b):
            e["data"].pop("index", None)
            e["info"]["msg"] = re.sub(r"^\d+ of", "N of", e["info"]["msg"])
    for field in ("code", "level", "msg", "category", "extra"):
        x, y = plain(a["info"].get(field), field), plain(b["info"].get(field), field)
        if x != y:
            found.append((f"info.{field}", x, y))
    x, y = plain(a["data"]), plain(b["data"])

    def walk(where, x, y):
        if isinstance(x, dict) and isinstance(y, dict):
            for k in sorted(set(x) | set(y)):
                if k not in x or k not in y:
                    found.append((f"{where}.{k}", x.get(k, "(absent)"), y.get(k, "(absent)")))
                else:
                    walk(f"{where}.{k}", x[k], y[k])
        elif x != y:
            found.append((where, x, y))
    walk("data", x, y)
    if set(a["info"]) != set(b["info"]):
        found.append(("info", sorted(a["info"]), sorted(b["info"])))
    return found


def compare(name, dbt, tarn, show):
    global passed, failed
    seen = {}
    if dbt[0] != tarn[0]:
        seen["exit status"] = [("", dbt[0], tarn[0])]
    for key in sorted(set(dbt[1]) | set(tarn[1])):
        extra = key[0] == "ArtifactWritten" and (key not in dbt[1] or key[1] in NOT_WRITTEN)
        if key[0] in NOT_COMPARED or extra:
            continue
        a, b = dbt[1].get(key, []), tarn[1].get(key, [])
        if key[0] == "ArtifactWritten" and a and b:  # dbt writes some of them more than once
            a, b = a[:1], b[:1]
        if len(a) != len(b):
            seen[f"{key}"] = [("count", len(a), len(b))]
        ds = [d for x, y in zip(a, b) for d in differences(name, x, y)]
        if ds:
            seen.setdefault(f"{key}", []).extend(ds)
        if not ds and len(a) == len(b):
            passed += 1
    if dbt[2] != tarn[2]:
        seen["lines that are no events"] = [("", dbt[2][:5], tarn[2][:5])]
    failed += len(seen)
    for k, ds in seen.items():
        print(f"FAILED {name}: {k}")
        for where, x, y in ds if show else ds[:6]:
            print(f"    {where}\n      dbt:  {json.dumps(x)[:300]}\n      tarn: {json.dumps(y)[:300]}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--keep", type=pathlib.Path)
    p.add_argument("--all", action="store_true", help="every difference of an event, not six")
    args = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="events-oracle-") as base:
        base = args.keep or pathlib.Path(base)
        for who in ("dbt", "tarn"):
            if who == "tarn":
                shutil.rmtree(base / who, ignore_errors=True)
            if not (base / who).exists():
                shutil.copytree(ROOT / "tests/projects/events", base / who, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb*"))
        first = [events_of(program, base / who, ["parse"], args.keep and base / f"first.{who}.json") for program, who in ((DBT, "dbt"), (TARN, "tarn"))]
        compare("first", *first, args.all)  # templates speak while they are parsed for the first time
        for name, command in CASES:
            if args.only and args.only not in name.split() and name != "build":
                continue
            keep = lambda who: base / f"{name}.{who}.json" if args.keep else None
            compare(name, events_of(DBT, base / "dbt", command, keep("dbt")), events_of(TARN, base / "tarn", command, keep("tarn")), args.all)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
