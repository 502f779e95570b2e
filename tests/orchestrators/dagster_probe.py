"""What dagster-dbt sees of a project through the program `dbt`, as JSON on the last line: assets, and the events that a build streams.
dagster_probe.py PROJECT DBT   (in the environment of tools/venv dagster)"""
import json, pathlib, sys

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

PROJECT, DBT = pathlib.Path(sys.argv[1]), sys.argv[2]


def main():
    project = DbtProject(project_dir=PROJECT, profiles_dir=PROJECT)
    resource = DbtCliResource(project_dir=project, profiles_dir=str(PROJECT), dbt_executable=DBT)
    parsed = resource.cli(["parse"], target_path=PROJECT / "target").wait()
    manifest = PROJECT / "target/manifest.json"

    @dbt_assets(manifest=manifest)
    def assets(context: dg.AssetExecutionContext, dbt: DbtCliResource):
        command = dbt.cli(["build"], context=context, raise_on_error=False)
        yield from command.stream()
        results = command.get_artifact("run_results.json")["results"]
        context.log.info("statuses " + json.dumps({r["unique_id"]: r["status"] for r in results}, sort_keys=True))

    done = dg.materialize([assets], resources={"dbt": resource}, raise_on_error=False)
    checks = [[e.check_name, str(e.asset_key), e.passed, str(e.severity), {k: v.value for k, v in e.metadata.items() if "Duration" not in k and k != "invocation_id"}]
              for e in done.get_asset_check_evaluations()]
    made = [[str(e.asset_key), {k: v.value for k, v in e.materialization.metadata.items() if k in ("unique_id", "status")}] for e in done.get_asset_materialization_events()]
    operation = resource.cli(["run-operation", "speak", "--args", json.dumps({"word": "hello"})], raise_on_error=False)
    said = [(e.raw_event["info"]["name"], e.raw_event["info"]["msg"]) for e in operation.stream_raw_events() if e.raw_event["info"]["level"] == "info"]
    found = {"parse": parsed.process.returncode, "success": done.success, "keys": sorted(str(k) for k in assets.keys), "checks": sorted(checks, key=str), "made": sorted(made, key=str),
             "checks_known": sorted(str(c) for c in assets.check_keys), "operation": [s for s in said if s[0] in ("JinjaLogInfo", "PrintEvent")], "version": str(resource._cli_version)}
    print(json.dumps(found, sort_keys=True, default=str))


main()
