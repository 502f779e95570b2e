"""What dagster-dbt attaches to the assets that the program `dbt` has built, with dbt-core beside it in Dagster's own environment: row counts, columns and their lineage,
which it asks of the database by dbt-core's adapter, as JSON on the last line.
dagster_rows_probe.py PROJECT DBT   (in the environment of tools/venv dagster; CORE_PACKAGES: where dbt-core is)"""
import json, os, pathlib, sys

sys.path.append(os.environ["CORE_PACKAGES"])  # behind Dagster's own
import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

PROJECT, DBT = pathlib.Path(sys.argv[1]), sys.argv[2]


def main():
    project = DbtProject(project_dir=PROJECT, profiles_dir=PROJECT)
    resource = DbtCliResource(project_dir=project, profiles_dir=str(PROJECT), dbt_executable=DBT)
    resource.cli(["parse"], target_path=PROJECT / "target").wait()

    @dbt_assets(manifest=PROJECT / "target/manifest.json", exclude="expects_too_much broken refused")
    def assets(context: dg.AssetExecutionContext, dbt: DbtCliResource):
        yield from dbt.cli(["build"], context=context, raise_on_error=False).stream().fetch_row_counts().fetch_column_metadata()

    done = dg.materialize([assets], resources={"dbt": resource}, raise_on_error=False)
    made = {}
    for e in done.get_asset_materialization_events():
        found = {k: v.value for k, v in e.materialization.metadata.items()}
        columns = found.get("dagster/column_schema")
        lineage = found.get("dagster/column_lineage")
        made[str(e.asset_key)] = {"rows": found.get("dagster/row_count"), "columns": columns and [[c.name, c.type, c.description] for c in columns.columns],
                                  "lineage": lineage and {c: sorted(f"{d.asset_key.to_user_string()}.{d.column_name}" for d in deps) for c, deps in lineage.deps_by_column.items()}}
    print(json.dumps({"made": made, "counted": sum(m["rows"] is not None for m in made.values()) > 1, "success": done.success}, sort_keys=True, default=str))


main()
