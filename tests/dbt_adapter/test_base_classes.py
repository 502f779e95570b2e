"""Every class of dbt-tests-adapter that tests something and that dbt-duckdb's own suite does not use: each gets a subclass here as it is. Which of
them DuckDB can pass is not said here but by real dbt: control.txt names them."""
import importlib, inspect, os, pathlib, pkgutil, re

import dbt.tests.adapter as base

ELSEWHERE = re.compile(r"materialized_view|python_model|catalog_integrations")  # what DuckDB has not, and Python models


def used_by_dbt_duckdb():
    folder = pathlib.Path(os.environ["DBT_DUCKDB_TESTS"])
    text = "\n".join(p.read_text() for p in sorted(folder.rglob("*.py")))
    return set(re.findall(r"\b(?:Base|Test)\w+", text))


def tests_of(kind):
    return [name for name, f in inspect.getmembers(kind, inspect.isfunction) if name.startswith("test_")]


def add_all(into):
    used = used_by_dbt_duckdb()
    for info in pkgutil.walk_packages(base.__path__, base.__name__ + "."):
        if info.ispkg or ELSEWHERE.search(info.name):
            continue
        module = importlib.import_module(info.name)
        folder = info.name.split(".")[-2]
        for name, kind in sorted(vars(module).items()):
            if inspect.isclass(kind) and kind.__module__ == info.name and name not in used and tests_of(kind):
                made = f"Test_{folder}_{name}"
                into[made] = type(made, (kind,), {"__module__": __name__, "__test__": True})


add_all(globals())
