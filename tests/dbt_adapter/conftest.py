import os

import pytest

pytest_plugins = ["dbt.tests.fixtures.project"]


@pytest.fixture(scope="class")
def dbt_profile_target(tmp_path_factory):
    return {"type": "duckdb", "threads": 4, "path": str(tmp_path_factory.mktemp("dbs") / "tmp.db")}


@pytest.fixture(scope="class")
def logs_dir(tmp_path_factory):
    """Not beside this file, where dbt's own fixture puts them."""
    os.environ["DBT_LOG_PATH"] = str(tmp_path_factory.mktemp("logs"))
    yield os.environ["DBT_LOG_PATH"]
    del os.environ["DBT_LOG_PATH"]
