"""Every class of dbt-tests-adapter that tests something and that dbt-duckdb's own suite does not use: each gets a subclass here as it is. Which of
them DuckDB can pass is not said here but by real dbt: control.txt names them."""
import importlib, inspect, os, pathlib, re

import dbt.tests.adapter as base

# What DuckDB has not (materialized views, grants, functions made by CREATE FUNCTION ... RETURNS), and Python models.
ELSEWHERE = re.compile(r"materialized_view|python_model|catalog_integrations|grants|functions/")


def used_by_dbt_duckdb():
    folder = pathlib.Path(os.environ["DBT_DUCKDB_TESTS"])
    text = "\n".join(p.read_text() for p in sorted(folder.rglob("*.py")))
    return set(re.findall(r"\b(?:Base|Test)\w+", text))


def has_tests(kind):
    return any(name.startswith("test_") for name, _ in inspect.getmembers(kind, inspect.isfunction))


def add_all(into):
    used = used_by_dbt_duckdb()
    top = pathlib.Path(list(base.__path__)[0])
    for path in sorted(top.rglob("test_*.py")):
        folder = path.parent.name
        if ELSEWHERE.search(str(path.relative_to(top))):
            continue
        found = {}
        module = importlib.import_module(".".join([base.__name__, *path.relative_to(top).with_suffix("").parts]))
        for name, kind in sorted(vars(module).items()):
            if inspect.isclass(kind) and kind.__module__ == module.__name__ and name not in used and has_tests(kind):
                found[name] = kind
        for name, kind in found.items():
            if not any(kind is not other and issubclass(other, kind) for other in found.values()):  # the most derived one says what it says
                made = f"Test_{folder}_{name}"
                into[made] = type(made, (kind,), {"__module__": __name__, "__test__": True})


add_all(globals())
