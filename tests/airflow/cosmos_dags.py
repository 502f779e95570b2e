"""Airflow DAGs that astronomer-cosmos makes of dbt projects, with the program that DBT names as dbt: a task a model, and one task that builds while the others watch its log."""
import os
import pathlib

import pendulum
from cosmos import DbtDag, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode

BASE = pathlib.Path(os.environ["COSMOS_PROJECTS"])
AS_PROCESS = {"dbt_executable_path": os.environ["DBT"], "invocation_mode": InvocationMode.SUBPROCESS}


def made(mode):
    project = BASE / f"cosmos_{mode.value}"
    return DbtDag(dag_id=project.name, schedule=None, start_date=pendulum.datetime(2026, 1, 1), catchup=False,
                  project_config=ProjectConfig(dbt_project_path=project),
                  profile_config=ProfileConfig(profile_name="af", target_name="prod", profiles_yml_filepath=project / "profiles.yml"),
                  execution_config=ExecutionConfig(execution_mode=mode, **AS_PROCESS),
                  render_config=RenderConfig(load_method=LoadMode.DBT_LS, **AS_PROCESS),
                  operator_args={"install_deps": False}, default_args={"retries": 0})


cosmos_local = made(ExecutionMode.LOCAL)
cosmos_watcher = made(ExecutionMode.WATCHER)
