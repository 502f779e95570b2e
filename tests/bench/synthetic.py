#!/usr/bin/env python3
"""A dbt project of any size: N models in layers of a tenth, each reading one of the layer below (chains of ten views), with two
generic tests a model.

    tests/bench/synthetic.py DIR --models N [--tests-per-model 2]

The models are views with literal refs and a config() call, as most models of real projects are; their tests are unique and not_null. dbt-core 1.12, dbt-core 2 and
tarn read it as it is.
"""
import argparse, pathlib

LAYERS = 10


def model(layer, i):
    head = "{{ config(materialized='view', tags=['layer_%d']) }}\n\n" % layer
    if layer == 0:
        return head + f"select {i} as id, {i} * 2 as amount, 'name {i}' as name\n"
    return head + ("with source as (\n    select * from {{ ref('%s') }}\n), renamed as (\n    select id, amount + %d as amount, name from source\n)\n"
                   "select id, amount, name from renamed where id is not null\n" % (f"m_{layer - 1}_{i}", i % 7))


def properties(layer, width, tests):
    lines = ["models:"]
    for i in range(width):
        lines += [f"  - name: m_{layer}_{i}", f"    description: Model {i} of layer {layer}", "    columns:", "      - name: id", "        description: The key"]
        lines += ["        data_tests:"] + [f"          - {t}" for t in ("unique", "not_null")[:tests]] if tests else []
    return "\n".join(lines) + "\n"


def write(root, models, tests=2):
    root = pathlib.Path(root)
    width = max(1, models // LAYERS)
    (root / "models").mkdir(parents=True, exist_ok=True)
    (root / "dbt_project.yml").write_text("name: synthetic\nversion: '1.0'\nconfig-version: 2\nprofile: synthetic\nmodel-paths: [models]\n")
    (root / "profiles.yml").write_text("synthetic:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: synthetic.duckdb, threads: 2}\n")
    for layer in range(LAYERS):
        folder = root / "models" / f"layer_{layer}"
        folder.mkdir(exist_ok=True)
        for i in range(width):
            (folder / f"m_{layer}_{i}.sql").write_text(model(layer, i))
        (folder / "schema.yml").write_text(properties(layer, width, tests))
    return root


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("dir")
    ap.add_argument("--models", type=int, default=1000)
    ap.add_argument("--tests-per-model", type=int, default=2, choices=(0, 1, 2))
    o = ap.parse_args()
    print(write(o.dir, o.models, o.tests_per_model))
