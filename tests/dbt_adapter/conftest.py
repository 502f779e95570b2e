import pytest

pytest_plugins = ["dbt.tests.fixtures.project"]


@pytest.fixture(scope="class")
def dbt_profile_target(tmp_path_factory):
    return {"type": "duckdb", "threads": 4, "path": str(tmp_path_factory.mktemp("dbs") / "tmp.db")}
