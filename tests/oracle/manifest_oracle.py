"""Compares tarn's manifest of a project with the one that real dbt makes of it.

    python tests/oracle/manifest_oracle.py PROJECT_DIR [--tarn PROGRAM | --manifest FILE]

dbt parses a copy of the project in a temporary folder. Compared are, node by node: unique_id, name, fqn, path, database, schema, alias,
relation_name, tags, meta, description, columns, raw_code, checksum, config key by key, refs, sources, depends_on, test metadata; also sources,
exposures, disabled nodes, groups, the project's own macros, and the graph. Prints each difference; exit status 1 when there is one.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

from both_programs import DBT, copied, write

# Differences that are meant: dbt computes these from things that tarn has no use for.
SKIP_NODE = {"created_at", "build_path", "compiled_path", "root_path", "extra_ctes",
             "extra_ctes_injected", "compiled", "compiled_code", "defer_relation",
             "config_call_dict"}
SKIP_CONFIG = {"static_analysis", "on_error", "latest_version_pointer"}


# What the project gets besides: contracts (their checksums are made of all that a contract can say) and macros with arguments.
MORE = {
    "models/oracle_docs.md": "{% docs grain %}One row an `id`.{% enddocs %}\n{% docs money %}In cents.{% enddocs %}\n",
    "models/oracle_told.sql": "select 1 as id, 2 as amount",
    "macros/oracle_told.sql": "{% macro oracle_told(a) %}{{ a }}{% endmacro %}",
    "models/oracle_told.yml": r"""
models:
  - name: oracle_told
    description: "{{ doc('grain') }} {{ doc('shop', 'money') }}"
    columns:
      - {name: id, description: "{{ doc('grain') }}"}
      - {name: amount, description: plain}
sources:
  - name: oracle_told
    description: "{{ doc('money') }}"
    tables:
      - name: t
        description: "{{ doc('grain') }}"
        columns:
          - {name: amount, description: "{{ doc('money') }} or not"}
macros:
  - name: oracle_told
    description: "{{ doc('money') }}"
    arguments: [{name: a, type: string, description: "{{ doc('grain') }}"}]
""",
    # unrendered_config: values of what dbt's static parser reads, else the text of the arguments, else again values
    "models/oracle_written/plain.sql": "{{ config(materialized='table', tags='a', meta={'k': ['v']}, enabled=True) }} select 1 as id",
    "models/oracle_written/patched.sql": "{{ config(materialized='table', tags='a') }} select 1 as id",
    "models/oracle_written/hooked.sql": "{{ config(pre_hook='select 1', tags='q') }} {{ config(tags=['r'], meta={'a': 'b'}) }} select 1 as id",
    "models/oracle_written/given.sql": "{{ config({'materialized': 'table', 'pre_hook': 'select 1'}) }} select 1 as id",
    "models/oracle_written/put.sql": "{{ config.set('materialized', 'table') }} select 1 as id",
    "models/oracle_written/called.sql": "{{ oracle_config() }} select 1 as id",
    "models/oracle_written/lower.sql": "{{- config(enabled=true, x=none, y=-1, z=1.5) -}} select 1 as id",
    "models/oracle_written/many.sql": "{{ config(materialized=env_var('NOT_SET', 'view'), alias='b' ~ '1', meta={'a': not false, 2: (1,)}, "
                                      "x=1 + 2, y=var('q', none) | default('z', true), u=1 if target.name == 'dev' else 2, t=target['name'], "
                                      "r=var('a', none) is none, aa=[1, 2, 3][1:2], cc=1 < 2 and 3 not in [1] or false, f=fromyaml('a: 1', default=none), "
                                      "quoted=\"it's\", neg=+1, chained='a' | upper | lower) }} select 1 as id",
    "models/oracle_written/versioned_v1.sql": "{{ config(materialized='view', post_hook='select 1', tags='q') }} select 1 as id",
    "models/oracle_written/versioned_v2.sql": "{{ config(tags='q') }} select 1 as id",
    "macros/oracle_config.sql": "{% macro oracle_config() %}{{ config(materialized='view', meta={'a': 1}) }}{% endmacro %}"
                                "{% test oracle_own(model, column_name) %}{{ config(severity='warn', limit=10) }} select 1 from {{ model }} where 1 = 0{% endtest %}",
    "models/oracle_written/written.yml": r"""
models:
  - name: patched
    config: {tags: [z], materialized: "{{ var('oracle_how', 'view') }}"}
    columns:
      - name: id
        data_tests:
          - unique: {config: {severity: warn, limit: 3, where: "id > {{ var('w', 0) }}"}}
          - not_null
          - accepted_values: {arguments: {values: [1]}, config: {severity: "{{ var('s', 'warn') }}", meta: {a: 1}, store_failures: true}}
          - oracle_own
          - oracle_own: {name: own2, config: {severity: error, limit: 5, tags: [q]}}
          - relationships: {arguments: {to: ref('plain'), field: id}, config: {enabled: "{{ var('e', true) }}"}}
  - {name: hooked, config: {tags: [z], schema: "{{ var('oracle_how', 'place') }}"}}
  - name: versioned
    latest_version: 1
    config: {materialized: "{{ var('oracle_how', 'table') }}"}
    versions: [{v: 1, config: {schema: "{{ var('oracle_how', 'table') }}"}}, {v: 2}]
exposures:
  - {name: oracle_seen, type: dashboard, owner: {name: x}, depends_on: [ref('plain')], config: {tags: ["{{ var('t', 't') }}"], meta: {q: 1}}}
""",
    "models/oracle_firm.sql": "{{ config(materialized='table') }} select 1 as id, 'a' as b, 2.5 as amount",
    "models/oracle_firm_view.sql": "select 1 as id",
    "models/oracle_firm_versioned.sql": "{{ config(materialized='incremental', on_schema_change='fail') }} select 1 as id",
    "models/oracle_loose.sql": "select 1 as id",
    "models/oracle_contracts.yml": r"""
models:
  - name: oracle_firm
    config: {contract: {enforced: true}}
    constraints:
      - {type: primary_key, columns: [id, b], name: "the 'key'"}
      - {type: foreign_key, columns: [id], to: ref('oracle_firm_view'), to_columns: [id], warn_unsupported: false}
      - {type: check, expression: "b <> \"it's\" and b <> 'é' and b <> '\\\\'", warn_unenforced: false}
    columns:
      - {name: id, data_type: int, constraints: [{type: not_null}, {type: check, expression: "id > 0\n"}]}
      - {name: b, data_type: varchar}
      - {name: amount, data_type: "decimal(10, 2)", constraints: [{type: custom, expression: x}]}
  - name: oracle_firm_view
    config: {contract: {enforced: true, alias_types: false}}
    constraints: [{type: check, expression: "id > 0"}]
    columns: [{name: id, data_type: int}]
  - name: oracle_firm_versioned
    latest_version: 1
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: int, constraints: [{type: unique}]}]
    versions: [{v: 1, defined_in: oracle_firm_versioned}]
  - name: oracle_loose
    columns: [{name: id, data_type: int}]
""",
    "macros/oracle_macros.sql": "{% macro oracle_two(a, b='x') %}{{ a }}{{ b }}{% endmacro %} {% macro oracle_none() %}{% endmacro %} "
                                "{% macro oracle_said(rows) %}{% endmacro %} {% test oracle_check(model, column_name, most=3) %}select 1{% endtest %} "
                                "{% materialization oracle_way, default %}{% endmaterialization %}",
    "macros/oracle_macros.yml": "macros: [{name: oracle_said, arguments: [{name: rows, type: int, description: how many}]}]\n",
}


def with_more(project, into):
    copy = os.path.join(into, "project")
    write(copied(project, copy), MORE)
    return copy


def dbt_manifest(project):
    work = tempfile.mkdtemp(prefix="manifest-oracle-")
    try:
        copy = copied(project, os.path.join(work, "p"))
        env = dict(os.environ, DBT_PROFILES_DIR=copy, DBT_SEND_ANONYMOUS_USAGE_STATS="false")
        if os.path.exists(os.path.join(copy, "packages.yml")):
            subprocess.run([DBT, "deps"], cwd=copy, env=env, check=True, stdout=subprocess.DEVNULL)
        run = subprocess.run([DBT, "parse", "--no-partial-parse"], cwd=copy, env=env, capture_output=True, text=True)
        if run.returncode != 0:
            print(run.stdout, run.stderr)
            sys.exit("dbt could not parse the project")
        with open(os.path.join(copy, "target", "manifest.json")) as f:
            return json.load(f)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def tarn_manifest(project, program):
    with tempfile.TemporaryDirectory() as target:
        subprocess.run([program, "parse", "--project-dir", project, "--profiles-dir", project, "--target-path", target], check=True,
                       stdout=subprocess.DEVNULL)
        with open(os.path.join(target, "manifest.json")) as f:
            return json.load(f)


class Report:
    def __init__(self):
        self.count = 0

    def differ(self, where, dbt, tarn):
        self.count += 1
        print("%s\n    dbt:  %s\n    tarn: %s" % (where, json.dumps(dbt)[:400], json.dumps(tarn)[:400]))

    def same(self, where, dbt, tarn):
        if dbt != tarn:
            self.differ(where, dbt, tarn)


def unordered(key, v):
    if key == "tags" and isinstance(v, list):
        return sorted(set(v))
    if key == "depends_on":
        return {"nodes": v.get("nodes", []), "macros": sorted(m for m in v.get("macros", []))}
    return v


def compare_columns(r, where, dbt, tarn):
    r.same(where + ".columns", sorted(dbt), sorted(tarn))
    for name in set(dbt) & set(tarn):
        for k in ("name", "description", "data_type", "meta", "quote", "tags"):
            r.same("%s.columns.%s.%s" % (where, name, k), unordered(k, dbt[name].get(k)), unordered(k, tarn[name].get(k)))


def compare_node(r, where, dbt, tarn):
    for key in dbt:
        if key in SKIP_NODE:
            continue
        if key == "config":
            for k in set(dbt["config"]) | set(tarn["config"]):
                if k not in SKIP_CONFIG:
                    r.same("%s.config.%s" % (where, k), unordered(k, dbt["config"].get(k, "(absent)")),
                           unordered(k, tarn["config"].get(k, "(absent)")))
        elif key == "columns":
            compare_columns(r, where, dbt["columns"], tarn.get("columns", {}))
        elif key not in tarn:
            r.differ("%s.%s" % (where, key), dbt[key], "(absent)")
        else:
            r.same("%s.%s" % (where, key), unordered(key, dbt[key]), unordered(key, tarn[key]))


def compare_section(r, section, dbt, tarn):
    r.same(section + ": unique_ids only dbt has", sorted(set(dbt) - set(tarn)), [])
    r.same(section + ": unique_ids only tarn has", [], sorted(set(tarn) - set(dbt)))
    for uid in sorted(set(dbt) & set(tarn)):
        a, b = dbt[uid], tarn[uid]
        if isinstance(a, list):
            r.same(uid + " (disabled) count", len(a), len(b))
            a, b = a[0], b[0]
        compare_node(r, uid, a, b)


def own(section, names):
    return {k: v for k, v in section.items() if v["package_name"] in names}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("project")
    ap.add_argument("--tarn", default=os.path.join(os.path.dirname(__file__), "..", "..", "build", "tarn"))
    ap.add_argument("--manifest")
    args = ap.parse_args()
    if args.manifest:
        with open(args.manifest) as f:
            tarn = json.load(f)
        dbt = dbt_manifest(args.project)
    else:
        with tempfile.TemporaryDirectory() as work:
            project = with_more(args.project, work)
            tarn = tarn_manifest(project, args.tarn)
            dbt = dbt_manifest(project)
    r = Report()
    for section in ("nodes", "sources", "disabled", "exposures"):
        compare_section(r, section, dbt[section], tarn[section])
    for section in ("groups", "unit_tests", "metrics", "semantic_models", "saved_queries"):
        r.same(section, sorted(dbt[section]), sorted(tarn[section]))
    names = {v["package_name"] for v in dbt["nodes"].values()}
    a, b = own(dbt["macros"], names), own(tarn["macros"], names)
    r.same("macros", sorted(a), sorted(b))
    for uid in set(a) & set(b):
        for k in ("macro_sql", "original_file_path", "description", "arguments"):
            r.same("%s.%s" % (uid, k), a[uid][k], b[uid][k])
        r.same(uid + ".depends_on", sorted(a[uid]["depends_on"]["macros"]), sorted(b[uid]["depends_on"]["macros"]))
    for m in ("parent_map", "child_map"):
        r.same(m + " keys", sorted(dbt[m]), sorted(tarn[m]))
        for uid in set(dbt[m]) & set(tarn[m]):
            r.same("%s[%s]" % (m, uid), sorted(dbt[m][uid]), sorted(tarn[m][uid]))
    r.same("built-in macros that dbt has and tarn lacks", [],
           sorted(k for k in dbt["macros"] if dbt["macros"][k]["package_name"] == "dbt" and k not in tarn["macros"]
                  and not k.replace("macro.dbt.", "macro.dbt_duckdb.") in tarn["macros"])) if os.environ.get("ORACLE_BUILTINS") else None
    total = len(dbt["nodes"]) + len(dbt["sources"]) + len(dbt["exposures"])
    print("%d resources compared, %d differences" % (total, r.count))
    return 1 if r.count else 0


if __name__ == "__main__":
    sys.exit(main())
