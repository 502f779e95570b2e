"""The public dbt projects of public_projects.py: where they are, and how each is made to run without the network.

They are fetched by git into the user's cache once (set url.*.insteadOf of git for a mirror) and never committed. What is changed in a copy: the profile (a
DuckDB file beside the project), and packages of the hub, which become checkouts of the same packages.
"""
import os, pathlib, shutil, subprocess

import yaml

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tarn/projects"
REPOSITORIES = {"jaffle_shop_duckdb": ("dbt-labs/jaffle_shop_duckdb", "9b13827"), "jaffle-shop": ("dbt-labs/jaffle-shop", "7be2c58"), "dbt_utils": ("dbt-labs/dbt-utils", "700764c"),
                "dbt_date": ("godatadriven/dbt-date", "e706de9"), "dbt_expectations": ("metaplane/dbt-expectations", "77d3856"),
                "elementary": ("elementary-data/dbt-data-reliability", "ccb0de3"), "nba-monte-carlo": ("matsonj/nba-monte-carlo", "6363a85"),
                "audit_helper": ("dbt-labs/dbt-audit-helper", "3bd0ca4"), "codegen": ("dbt-labs/dbt-codegen", "526cb1f"),
                "project_evaluator": ("dbt-labs/dbt-project-evaluator", "927abbd"), "profiler": ("data-mie/dbt-profiler", "1cc8792"),
                "dbt_artifacts": ("brooklyn-data/dbt_artifacts", "6d37fa0"), "unit_testing": ("EqualExperts/dbt-unit-testing", "fbfd896"),
                "dq_tools": ("infinitelambda/dq-tools", "f3a01ec"), "fivetran_utils": ("fivetran/dbt_fivetran_utils", "f756729"),
                "datavault-medallion": ("Saurabh-DS/datavault-dbt-duckdb-medallion", "73415d6"), "analytics-kit": ("rafarngt/dbt-duckdb-analytics-kit", "b1ff18e"),
                "duckdb-starter": ("qsorel/dbt-duckdb-starter", "be9d6ec"),
                "trading-calendar": ("oluies/dbt-duckdb-trading-calendar", "b775a4d"), "classicmodels": ("yurizza/classicmodels-dbt-duckdb", "9e9efdb"),
                "olist": ("SimonNC/olist-dbt-duckdb", "74c20c6"), "football": ("mathwoznika/football-dbt-duckdb", "d451dd0")}
# What projects call the packages of the hub, and the checkouts that take their place: a test needs no hub.
HUB = {"dbt-labs/dbt_utils": "dbt_utils", "fishtown-analytics/dbt_utils": "dbt_utils", "calogica/dbt_date": "dbt_date", "godatadriven/dbt_date": "dbt_date",
       "calogica/dbt_expectations": "dbt_expectations", "metaplane/dbt_expectations": "dbt_expectations", "elementary-data/elementary": "elementary"}
PROFILE = "{name}:\n  target: duckdb\n  outputs:\n    duckdb: {{type: duckdb, path: '{database}.duckdb', schema: main, threads: 1}}\n"


def checkout(name):
    repository, commit = REPOSITORIES[name]
    folder = CACHE / f"{name}-{commit}"
    if not (folder / ".git").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", f"https://github.com/{repository}", str(folder)], check=True)
        subprocess.run(["git", "-C", str(folder), "checkout", "-q", commit], check=True)
    return folder


def profile(folder, name, database="public"):
    (folder / "profiles.yml").write_text(PROFILE.format(name=name, database=database))


def packages(folder, *names):
    for old in ("package-lock.yml", "dependencies.yml"):
        (folder / old).unlink(missing_ok=True)
    (folder / "packages.yml").write_text("packages:\n" + "".join(f"  - local: {checkout(n)}\n" for n in names))


def copied(name, base):
    shutil.copytree(checkout(name), base / name, ignore=shutil.ignore_patterns(".git", "target", "logs", "dbt_packages"))
    return base / name


def plain(name, profile_name):
    def make(base):
        folder = copied(name, base)
        profile(folder, profile_name)
        return folder
    return make


def integration(name, *others):
    """A package's own integration tests: the package beside them, as they name it."""
    def make(base):
        folder = copied(name, base) / "integration_tests"
        profile(folder, "integration_tests")
        if others:
            packages(folder.parent, *others)
        return folder
    return make


def jaffle_shop(base):
    folder = copied("jaffle-shop", base)
    profile(folder, "default")
    packages(folder, "dbt_utils", "dbt_date")
    seeds = folder / "seeds/jaffle-data"
    customers, stores, products = ([line.split(",")[0] for line in (seeds / f"raw_{n}.csv").read_text().splitlines()[1:]] for n in ("customers", "stores", "products"))
    orders = ["id,customer,ordered_at,store_id,subtotal,tax_paid,order_total"]
    items = ["id,order_id,sku"]
    if (seeds / "raw_orders.csv").exists():
        return folder
    for i in range(400):  # a mirror may leave large files out
        orders.append(f"o{i},{customers[i % len(customers)]},2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}T10:00:00,{stores[i % len(stores)]},{700 + i},{i % 90},{700 + i + i % 90}")
        items += [f"i{i}-{k},o{i},{products[(i + k) % len(products)]}" for k in range(i % 3 + 1)]
    (seeds / "raw_orders.csv").write_text("\n".join(orders) + "\n")
    (seeds / "raw_items.csv").write_text("\n".join(items) + "\n")
    return folder


OBSERVED = """version: 2
models:
  - name: observed_orders
    config: {elementary: {timestamp_column: seen_at}}
    data_tests:
      - elementary.volume_anomalies: {arguments: {time_bucket: {period: day, count: 1}, days_back: 20}}
      - elementary.column_anomalies: {arguments: {column_name: status, column_anomalies: [null_count], days_back: 20}}
      - elementary.dimension_anomalies: {arguments: {dimensions: [status], days_back: 20}}
  - name: observed_customers
    data_tests:
      - elementary.schema_changes
      - elementary.all_columns_anomalies: {arguments: {column_anomalies: [null_count, min_length]}}
  - name: observed_payments
    columns:
      - name: payment_method
        data_tests:
          - accepted_values: {arguments: {values: [bank_transfer]}, config: {severity: warn}}
"""


def with_elementary(base):
    """jaffle_shop_duckdb with the package that observes it: its models, and its hooks at the end of each run."""
    folder = copied("jaffle_shop_duckdb", base)
    profile(folder, "jaffle_shop", "jaffle_shop")
    packages(copied("elementary", base), "dbt_utils")
    (folder / "packages.yml").write_text(f"packages:\n  - local: {base / 'elementary'}\n  - local: {checkout('dbt_utils')}\n")
    (folder / "models/observed.yml").write_text(OBSERVED)
    for name in ("orders", "customers", "payments"):
        (folder / f"models/observed_{name}.sql").write_text("select *, (current_date - (row_number() over () %% 19 + 1)::int)::timestamp as seen_at from {{ ref('stg_%s') }}\n" % name)
    with open(folder / "dbt_project.yml", "a") as f:
        f.write("  elementary: {+schema: elementary}\nflags: {require_explicit_package_overrides_for_builtin_materializations: false}\n")
    return folder


def fixed_chance(folder):
    """Models that draw lots draw the same ones."""
    path = folder / "dbt_project.yml"
    path.write_text(path.read_text().replace("\nmodels:\n", "\nmodels:\n  +pre-hook: select setseed(0.5)\n"))


def target_here(folder):
    path = folder / "dbt_project.yml"
    path.write_text(path.read_text().replace("target-path: ../docs", "target-path: target"))


# Columns that tell when and how long something ran, of projects that keep a record of their runs; there, ids are sums of such.
PRIVATE = {"elementary": ("execution_time", "compile_execution_time", "metadata_hash", "compiled_code_hash", "thread_id", "job_id", "dbt_version", "invocation_args", "dbt_user")}


def localized(folder, base):
    """The packages of a project from checkouts beside it: copies, since a package may need packages of its own."""
    for name in ("packages.yml", "dependencies.yml"):
        path = folder / name
        if not path.exists():
            continue
        listed = []
        for entry in (yaml.safe_load(path.read_text()) or {}).get("packages") or []:
            if "local" in entry:
                listed.append(entry)
                continue
            other = HUB[entry["package"]]
            if not (base / other).exists():
                localized(copied(other, base), base)
            listed.append({"local": str(base / other)})
        path.write_text(yaml.safe_dump({"packages": listed}))
    (folder / "package-lock.yml").unlink(missing_ok=True)


def adapted(name, under=".", more="", touch=None):
    """A project as it is cloned, with a profile of its own and local packages. more: lines of dbt_project.yml. touch(folder): what else it needs."""
    def make(base):
        top = copied(name, base)
        folder = (top / under).resolve()
        localized(top, base)
        if folder != top.resolve():
            localized(folder, base)
        if more:
            with open(folder / "dbt_project.yml", "a") as f:
                f.write(more)
        profile(folder, yaml.safe_load((folder / "dbt_project.yml").read_text())["profile"])
        if touch:
            touch(folder)
        return folder
    return make


def loaded(schema, pattern, rename=lambda stem: stem):
    """Fills the database beside the project from its CSV files, which its sources are."""
    def touch(folder):
        import duckdb
        with duckdb.connect(str(folder / "public.duckdb")) as con:
            con.execute(f"create schema if not exists {schema}")
            for path in sorted(folder.glob(pattern)):
                con.execute(f"create table {schema}.{rename(path.stem)} as select * from read_csv('{path}')")
    return touch


CASES = {"jaffle_shop_duckdb": (plain("jaffle_shop_duckdb", "jaffle_shop"), [["build"], ["build"]]),
         "jaffle-shop": (jaffle_shop, [["seed", "--vars", "{load_source_data: true}"], ["build", "--vars", "{load_source_data: true}"]]),
         "dbt_utils": (integration("dbt_utils"), [["seed"], ["build"]]),
         "dbt_date": (integration("dbt_date"), [["build"]]),
         "dbt_expectations": (adapted("dbt_expectations", "integration_tests", touch=fixed_chance), [["build"]]),
         "elementary": (with_elementary, [["run", "--select", "elementary"], ["build"]]),
         "nba-monte-carlo": (adapted("nba-monte-carlo", "transform", touch=target_here), [["build", "--exclude", "resource_type:unit_test"]]),
         "audit_helper": (adapted("audit_helper", "integration_tests"), [["seed"], ["build"]]),
         "codegen": (adapted("codegen", "integration_tests"), [["build"]]),
         "project_evaluator": (adapted("project_evaluator", "integration_tests"), [["build"]]),
         "project_evaluator_2": (adapted("project_evaluator", "integration_tests_2"), [["build"]]),
         "profiler": (adapted("profiler", "integration_tests"), [["build"]]),
         "dbt_artifacts": (adapted("dbt_artifacts", "integration_test_project"), [["build"]]),
         "unit_testing": (adapted("unit_testing", "integration-tests"), [["build"]]),
         "dq_tools": (adapted("dq_tools", "integration_tests"), [["build"]]),
         "fivetran_utils": (adapted("fivetran_utils", "integration_tests"), [["build"]]),
         "datavault-medallion": (adapted("datavault-medallion"), [["build"]]),
         "analytics-kit": (adapted("analytics-kit"), [["build"]]),
         "duckdb-starter": (adapted("duckdb-starter", "dbt"), [["build"]]),
         "trading-calendar": (adapted("trading-calendar"), [["build"]]),
         "classicmodels": (adapted("classicmodels", touch=loaded("main", "dataset/*.csv")), [["build"]]),
         "olist": (adapted("olist"), [["build"]]),
         "football": (adapted("football", "transform"), [["build"]])}
