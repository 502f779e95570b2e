"""The artifacts of our projects through dbt-artifacts-parser, whose classes are made of the published schemas and refuse keys that these do not have:
manifest v12, run-results v6, catalog v1, sources v3. Readers of artifacts (lineage tools, catalogs) use it.
"""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile

from dbt_artifacts_parser import parser

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
COMMANDS = {"forms": [["build"]], "shop": [["build"]], "growth": [["build", "--event-time-start", "2024-01-01", "--event-time-end", "2024-01-03"]], "measures": [["build"]],
            "faults": [["build"], ["test", "--store-failures"]], "events": [["build"]], "ages": [["run"], ["source", "freshness"]]}
READERS = {"manifest": (parser.parse_manifest, "ManifestV12"), "run_results": (parser.parse_run_results, "RunResultsV6"), "catalog": (parser.parse_catalog, "CatalogV1"),
           "sources": (parser.parse_sources, "SourcesV3")}
# dbt 1.12.6 writes it, the published schema of the manifest does not have it yet.
NEWER_THAN_THE_SCHEMA = re.compile(r"semantic_models\.[\w.]+\.dimensions\.\d+\.datatype")


def complaints(name, path):
    read, wanted = READERS[name]
    try:
        found = read(json.loads(path.read_text()))
    except Exception as e:
        if not hasattr(e, "errors"):
            return [repr(e)]
        said = [(".".join(map(str, x["loc"])), x["type"]) for x in e.errors()]
        return [f"{where}: {what}" for where, what in said if not (what == "extra_forbidden" and NEWER_THAN_THE_SCHEMA.fullmatch(where))]
    return [] if type(found).__name__ == wanted else [f"read as {type(found).__name__}"]


def main():
    good = bad = 0
    for project, commands in COMMANDS.items():
        with tempfile.TemporaryDirectory(prefix="artifacts-oracle-") as work:
            folder = pathlib.Path(work) / project
            shutil.copytree(ROOT / "tests/projects" / project, folder, ignore=shutil.ignore_patterns("target", "logs"))
            env = {**os.environ, "PROJECT_COPY": str(folder), "DBT_PROFILES_DIR": str(folder)}
            for command in [*commands, ["docs", "generate"]]:
                done = subprocess.run([TARN, *command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
                written = [n for n in READERS if (folder / f"target/{n}.json").exists()]
                if not written:
                    bad += 1
                    print(f"FAILED {project} {command}: no artifact\n{done.stdout[-1500:]}")
                for name in written:
                    said = complaints(name, folder / f"target/{name}.json")
                    good, bad = good + (not said), bad + bool(said)
                    if said:
                        print(f"FAILED {project} {command}: {name}.json: {len(said)} complaints", *said[:12], sep="\n  ")
    print(f"{good} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
