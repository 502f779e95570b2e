"""Public dbt projects through dbt and tarn: statuses of nodes, compiled SQL, relations with their types and rows, and the manifest, each as N of M.

    tools/projects [--only NAME] [--report FILE] [--show]      or: make test-projects

They are fetched by git into the user's cache once (set url.*.insteadOf of git for a mirror) and never committed. Both programs run on copies.
"""
import argparse, contextlib, io, json, os, pathlib, shutil, subprocess, sys, tempfile, time

import dbt_oracle as oracle
import manifest_oracle as manifest

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tarn/projects"
REPOSITORIES = {"jaffle_shop_duckdb": ("dbt-labs/jaffle_shop_duckdb", "9b13827"), "jaffle-shop": ("dbt-labs/jaffle-shop", "7be2c58"), "dbt_utils": ("dbt-labs/dbt-utils", "700764c"),
                "dbt_date": ("godatadriven/dbt-date", "e706de9"), "dbt_expectations": ("metaplane/dbt-expectations", "77d3856"),
                "elementary": ("elementary-data/dbt-data-reliability", "ccb0de3"), "nba-monte-carlo": ("matsonj/nba-monte-carlo", "6363a85")}
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


def nba(base):
    folder = copied("nba-monte-carlo", base) / "transform"
    return folder


CASES = {"jaffle_shop_duckdb": (plain("jaffle_shop_duckdb", "jaffle_shop"), [["build"], ["build"]]),
         "jaffle-shop": (jaffle_shop, [["seed", "--vars", "{load_source_data: true}"], ["build", "--vars", "{load_source_data: true}"]]),
         "dbt_utils": (integration("dbt_utils"), [["seed"], ["build"]]),
         "dbt_date": (integration("dbt_date"), [["build"]]),
         "dbt_expectations": (integration("dbt_expectations", "dbt_date"), [["build"]]),
         "elementary": (with_elementary, [["run", "--select", "elementary"], ["build"]]),
         "nba-monte-carlo": (nba, [["build", "--exclude", "resource_type:unit_test"]])}


def count(a, b):
    """How many entries of dbt's are the same with tarn, of how many there are at either."""
    a, b = a or {}, b or {}
    every = set(a) | set(b)
    return sum(1 for k in every if k in a and k in b and a[k] == b[k]), len(every), oracle.difference(a, b)


def manifests(folders):
    """Entries that are the same, of all; by the comparison of manifest_oracle."""
    if not all((f / "target/manifest.json").exists() for f in folders):
        return 0, 1, "no manifest.json"
    dbt, tarn = (json.loads((f / "target/manifest.json").read_text()) for f in folders)
    names = {n["package_name"] for n in dbt["nodes"].values()} - {"dbt", "dbt_duckdb"}
    good = total = 0
    out = io.StringIO()
    for section in ("nodes", "sources", "exposures", "macros", "metrics", "semantic_models", "unit_tests", "saved_queries", "groups"):
        a, b = (manifest.own(m.get(section, {}), names) for m in (dbt, tarn))
        for uid in sorted(set(a) | set(b)):
            total += 1
            r = manifest.Report()
            with contextlib.redirect_stdout(out):
                if uid not in a or uid not in b:
                    r.differ(uid, uid in a, uid in b)
                else:
                    manifest.compare_node(r, uid, a[uid], b[uid])
            good += r.count == 0
    for section in ("parent_map", "child_map"):
        g, t, d = count({k: sorted(v) for k, v in dbt[section].items()}, {k: sorted(v) for k, v in tarn[section].items()})
        good, total = good + g, total + t
        out.write(d + "\n")
    return good, total, out.getvalue()


def run(name, make, commands, show):
    """{what: (good, total, difference)} after the last of the commands; exit statuses after each."""
    with tempfile.TemporaryDirectory(prefix="public-") as base:
        folders = []
        for who in ("dbt", "tarn"):
            (pathlib.Path(base) / who).mkdir()
            folders.append(make(pathlib.Path(base) / who))
        if (folders[0] / "packages.yml").exists():
            for program, folder in zip((oracle.DBT, oracle.TARN), folders):
                status, text = oracle.run(program, folder, ["deps"])
                if status:
                    print(f"{name}: {program} deps: {text[-1500:]}")
        exits, seconds, texts = {}, [0, 0], []
        for program, folder in zip((oracle.DBT, oracle.TARN), folders):  # later manifests have what only running adds
            oracle.run(program, folder, ["parse"])
        parsed = manifests(folders)
        for command in commands:
            texts = []
            for i, program in enumerate((oracle.DBT, oracle.TARN)):
                start = time.monotonic()
                status, text = oracle.run(program, folders[i], command)
                seconds[i] += time.monotonic() - start
                texts.append(text)
                exits.setdefault(" ".join(command), []).append(status)
        if show:
            print(texts[0][-3000:], texts[1][-6000:], sep="\n----\n")
        found = {"exit": count({k: v[0] for k, v in exits.items()}, {k: v[1] for k, v in exits.items()})}
        if exits and all(s < 2 for v in exits.values() for s in v):
            statuses = [{k: v[:2] for k, v in (oracle.results_of(f) or {}).items()} for f in folders]
            found["statuses"] = count(*statuses)
            found["compiled"] = count(*(oracle.compiled_of(f) for f in folders))
            found["relations"] = count(*(oracle.tables_of(f) for f in folders))
            found["manifest"] = parsed
            tally = {}
            for s, _ in statuses[0].values():
                tally[s] = tally.get(s, 0) + 1
            found["tally"] = tally
        else:
            print(texts[0][-1500:], texts[1][-2500:], sep="\n----\n")
        found["seconds"] = seconds
        return found


HEAD = "| project | nodes (dbt: of these) | statuses | compiled SQL | relations | manifest | dbt s | tarn s |\n|---|---|---|---|---|---|---|---|\n"


def row(name, found):
    cells = [f"{found[k][0]} of {found[k][1]}" if k in found else "-" for k in ("statuses", "compiled", "relations", "manifest")]
    tally = ", ".join(f"{n} {s}" for s, n in sorted(found.get("tally", {}).items(), key=lambda x: -x[1]))
    return f"| {name} | {tally} | {' | '.join(cells)} | {found['seconds'][0]:.1f} | {found['seconds'][1]:.1f} |\n"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--report", type=pathlib.Path)
    p.add_argument("--show", action="store_true")
    args = p.parse_args()
    table, good, bad = HEAD, 0, 0
    for name, (make, commands) in CASES.items():
        if args.only and name != args.only:
            continue
        found = run(name, make, commands, args.show)
        for what in ("exit", "statuses", "compiled", "relations", "manifest"):
            if what in found:
                good, bad = good + found[what][0], bad + found[what][1] - found[what][0]
                if found[what][2].strip():
                    print(f"FAILED {name}: {what}\n{found[what][2][:6000]}")
        table += row(name, found)
        print(row(name, found), end="", flush=True)
    if args.report:
        args.report.write_text(table)
    print(f"{good} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
