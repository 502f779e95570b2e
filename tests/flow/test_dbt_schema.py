"""What a properties file may say, and how a mistake in one is told: exit statuses and words are dbt's."""
import os, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))
passed = failed = 0

FROM = "'original_file_path': 'models/s.yml', 'yaml_key': 'models', 'package_name': 'r'"
COLUMN = "models:\n- name: a\n  columns:\n  - name: id\n    "
TESTS = COLUMN + "data_tests:\n    - "
SHOWN = "UnparsedModelUpdate(original_file_path='mode...ne)"
REFUSED = [
    ("hello\n", "Error reading r: s.yml - Runtime Error\n    Contents of file 'models/s.yml' are not valid. Dictionary expected."),
    ("- name: a\n", "Contents of file 'models/s.yml' are not valid. Dictionary expected."),
    ("sources:\n", "The schema file at models/s.yml is invalid because the value of 'sources' is not a list"),
    ("groups: {name: g}\n", "groups must be a list, got <class 'dict'> instead: ({'name': 'g'})"),
    ("models: [a]\n", "a list element for 'models' is not a dictionary"),
    ("models: [{description: x}]\n", "a list element for 'models' does not have a name attribute."),
    ("models: [{name: a, 5: x}]\n", "config given in models/s.yml @ models: [{'name': 'a', 5: 'x'}] - expected a dict with string keys"),
    ("models: [{name: 5}]\n", "Invalid models config given in models/s.yml @ models: {'name': 5, " + FROM + "} - at path ['name']: 5 is not of type 'string'"),
    ("models:\n- name: a\n  columns:\n", "at path ['columns']: None is not of type 'array'"),
    ("models:\n- name: a\n  columns: [id]\n", "at path ['columns'][0]: 'id' is not of type 'object'"),
    ("models:\n- name: a\n  columns: [{description: x}]\n", "at path ['columns'][0]: 'name' is a required property"),
    (COLUMN + "quote: 'yes'\n", "at path ['columns'][0]['quote']: 'yes' is not valid under any of the given schemas"),
    (COLUMN + "tags: x\n", "at path ['columns'][0]['tags']: 'x' is not of type 'array'"),
    (COLUMN + "data_tests: not_null\n", "at path ['columns'][0]['data_tests']: 'not_null' is not of type 'array'"),
    (COLUMN + "data_tests: [5]\n", "at path ['columns'][0]['data_tests'][0]: 5 is not valid under any of the given schemas"),
    ("sources: [{name: s, tabels: [], more: 1}]\n", "at path []: Additional properties are not allowed ('more', 'tabels' were unexpected)"),
    (TESTS + "accepted_values: [1]\n", "test arguments must be a dict, got <class 'list'> (value [1])\n  \t@: " + SHOWN),
    (TESTS + "not_null:\n", "test arguments must be a dict, got <class 'NoneType'> (value None)"),
    (TESTS + "accepted_values:\n      values: [1]\n",
     "test definition dictionary must have exactly one key, got [('accepted_values', None), ('values', [1])] instead (2 keys)"),
    (TESTS + "1x\n", "Invalid generic test configuration given in models/s.yml: \n  Test name string did not match expected pattern: 1x"),
    (TESTS + "not_null: {config: {tags: [5]}}\n", "Compilation Error\n  got 5 (<class 'int'>) for tag, expected a str"),
    (TESTS + "not_null: {config: {where: \"x = '{{ ref('a') }}'\"}}\n",
     "The a.id column's \"not_null\" test references an undefined macro in its where configuration argument. The macro 'ref' is undefined.\n"),
    (TESTS + "not_null: {config: {where: x}}\n    - not_null\n",
     "dbt found two data_tests with the name \"not_null_a_id\" defined on column \"id\" in \"models.a\"."),
    ("sources: [{name: s, tables: [{name: t, loaded_at_field: ''}]}]\n", "at path []: loaded_at_field cannot be an empty string."),
    ("exposures: [{name: e, type: page, owner: {name: x}}]\n",
     "at path ['type']: 'page' is not one of ['dashboard', 'notebook', 'analysis', 'ml', 'application']"),
]
# What is wrong in configs: of a model's `config:`, and in config() of its file.
CONFIGS = [
    ("enabled: 'no'", "Parsing Error\n  at path ['enabled']: 'no' is not of type 'boolean'\n"),
    ("docs: {show: 'no'}", "Parsing Error\n  at path ['docs']['show']: 'no' is not of type 'boolean'\n"),
    ("contract: {enforced: x}", "at path ['contract']['enforced']: 'x' is not of type 'boolean'\n"),
    ("full_refresh: 'yes'", "at path ['full_refresh']: 'yes' is not valid under any of the given schemas\n"),
    ("meta: x", "Internal Error\n  expected dict, got x\n"),
    ("meta: ", "Internal Error\n  expected dict, got None\n"),
    ("contract: true", "Internal Error\n  expected dict, got True\n"),
    ("persist_docs: x", "Parsing Error\n  Field \"persist_docs\" of type Dict[str, Any] in ModelConfig has invalid value 'x'\n"),
    ("pre_hook: {sq: select 1}", "Field \"pre_hook\" of type List[Hook] in ModelConfig has invalid value [{'sq': 'select 1'}]\n"),
    ("on_configuration_change: x", "Field \"on_configuration_change\" of type OnConfigurationChangeOption in ModelConfig has invalid value 'x'\n"),
    ("freshness: {build_after: {count: 1, period: week}}",
     "Field \"build_after\" of type ModelBuildAfter in ModelFreshness has invalid value {'count': 1, 'period': 'week'}\n"),
    ("docs: {node_color: nocolor}", "an error:\nInvalid color name for docs.node_color: nocolor."),
    ("access: bad", "Parsing Error\n  Node model.r.a has an invalid value (bad) for the access field\n"),
]
CALLS = [
    ("enabled='no'", "Parsing Error\n  at path ['enabled']: 'no' is not of type 'boolean'\n"),
    ("meta=['x']", "Internal Error\n  expected dict, got ['x']\n"),
    ("access='bad'", "Parsing Error\n  Field \"access\" of type AccessType in ModelConfig has invalid value 'bad'\n"),
    ("pre_hook=5", "an error:\nthe JSON object must be str, bytes or bytearray, not int\n"),
]
TEST_CONFIGS = [
    ("limit: many", "Parsing Error\n  Field \"limit\" of type Optional[int] in TestConfig has invalid value 'many'\n"),
    ("severity: 5", "Parsing Error\n  at path []: Severity must be either 'warn' or 'error'. Got '5'\n"),
    ("store_failures: x", "at path ['store_failures']: 'x' is not valid under any of the given schemas\n"),
]
PROJECTS = [
    ("models: table\n", "Runtime Error\n  at path ['models']: 'table' is not of type 'object'\n"),
    ("model-paths: models\n", "at path ['model-paths']: 'models' is not valid under any of the given schemas\n"),
    ("vars: [a]\n", "at path ['vars']: ['a'] is not valid under any of the given schemas\n"),
    ("quoting: {database: x}\n", "at path ['quoting']: {'database': 'x'} is not valid under any of the given schemas\n"),
    ("on-run-start: 5\n", "at path ['on-run-start']: 5 is not valid under any of the given schemas\n"),
    ("dispatch: {macro_namespace: x}\n", "at path ['dispatch']: {'macro_namespace': 'x'} is not of type 'array'\n"),
    ("dispatch: [{macro_namespace: x}]\n", "at path []: Invalid project dispatch config: {'macro_namespace': 'x'}\n"),
    ("query-comment: {foo: 1}\n", "at path ['query-comment']: {'foo': 1} is not valid under any of the given schemas\n"),
    ("config-version: 3\n", "Internal Error\n  Got an unexpected project version=3, expected 2\n"),
]
WRITES = "write_integrations: [{name: w, catalog_type: x}]"
CATALOGS = [
    ("", "Parsing Error\n  Error reading r: catalogs.yml - Runtime Error\n    The file at "),
    ("catalogs: [{name: c, %s}]\n" % WRITES, "Runtime Error\n  Catalog type is not supported.\n  Received: x\n  Expected one of: \nhint: remove catalogs.yml"),
    ("catalogs: [{name: c}]\n", "Catalog 'c' must specify an 'active_write_integration' when multiple 'write_integrations' are provided.\n"),
    ("catalogs: [{name: c, active_write_integration: z, %s}]\n" % WRITES, "from its set of defined 'write_integrations': ['w']. Got: 'z'.\n"),
    ("catalogs: [{name: c, write_integrations: [{name: w, catalog_type: x}, {name: w, catalog_type: x}]}]\n",
     "Catalog 'c' cannot have multiple 'write_integrations' with the same name: 'w'.\n"),
    ("catalogs: [{name: c, write_integrations: [{name: w}]}]\n", "an error:\n'catalog_type' is a required property\n"),
    ("catalogs: [{name: \"{{ var('x') }}\"}]\n", "Could not render {{ var('x') }}: Required var 'x' not found in config:\n"),
]
V2 = "{name: c, type: t, table_format: iceberg, config: {duckdb: {x: 1}}}"
CATALOGS_V2 = [
    ("- a\n", "catalogs.yml must be a mapping at the top level, got list\n"),
    ("iceberg_catalogs: []\n", "v2 catalogs.yml uses 'catalogs', not 'iceberg_catalogs'\n"),
    ("catalogs: []\nfoo: 1\n", "Unknown top-level keys in catalogs.yml: ['foo']. Only 'catalogs' is allowed\n"),
    ("catalogs: x\n", "'catalogs' in catalogs.yml must be a list, got str\n"),
    ("catalogs: [x]\n", "Each entry in catalogs.yml 'catalogs' must be a mapping, got str\n"),
    ("catalogs: [{name: c, foo: 1}]\n", "Unknown keys in catalog entry: ['foo']. Allowed keys: ['config', 'name', 'table_format', 'type']\n"),
    ("catalogs: [{name: c}]\n", "Missing required keys in catalog entry: ['type', 'table_format', 'config']\n"),
    ("catalogs: [%s]\n" % V2.replace("name: c", "name: ''"), "catalogs[].name must be a non-empty string\n"),
    ("catalogs: [%s]\n" % V2.replace("iceberg", "x"), "Invalid table_format 'x'. Must be one of ['default', 'iceberg']\n"),
    ("catalogs: [%s]\n" % V2.replace("{x: 1}", "x"), "Catalog 'c' config.duckdb must be a mapping\n"),
    ("catalogs: [%s, %s]\n" % (V2, V2), "Duplicate catalog name 'c' in catalogs.yml\n"),
    ("catalogs: [%s]\n" % V2, "Adapter 'duckdb' does not support catalogs.yml v2 yet. "),
]
TEST_SQL = """{%% macro get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %%}
select {{ fail_calc }} as failures, case when {{ fail_calc }} {{ warn_if }} then '%s' else '%s' end as should_warn, false as should_error
from ({{ main_sql }}) x {%% endmacro %%}"""


def check(what, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {what}\n{detail}")


def run(files, *commands):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        files = {"dbt_project.yml": "name: r\nprofile: r\n", "profiles.yml": "r: {outputs: {default: {type: duckdb, path: r.duckdb}}}\n",
                 "models/a.sql": "select 1 as id", **files}
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
        for command in commands:
            done = subprocess.run([TARN, *command.split()], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout


def check_configs():
    for config, words in CONFIGS:
        status, out = run({"models/s.yml": "models:\n- name: a\n  config:\n    " + config + "\n"}, "parse")
        check(f"config {config}", status == 2 and words in out, out)
    for call, words in CALLS:
        status, out = run({"models/a.sql": "{{ config(" + call + ") }} select 1 as id"}, "parse")
        check(f"config({call})", status == 2 and words in out, out)
    for config, words in TEST_CONFIGS:
        status, out = run({"models/s.yml": TESTS + "not_null: {config: {" + config + "}}\n"}, "parse")
        check(f"a test's {config}", status == 2 and words in out, out)
    status, out = run({"models/a.sql": "{{ config(schema=5, alias=7, tags=[8], unique_key=9, freshness='x') }} select 1 as id",
                       "models/s.yml": TESTS + "not_null: {config: {where: 1, limit: '3'}}\n"}, "ls -s a+ --output json --output-keys config tags")
    texts = ('"schema": "5"', '"alias": "7"', '"tags": ["8"]', '"unique_key": "9"', '"freshness": null', '"where": "1"', '"limit": 3')
    check("scalars become texts", status == 0 and all(t in out for t in texts), out)


def check_projects():
    head = "name: r\nprofile: r\n"
    for text, words in PROJECTS:
        status, out = run({"dbt_project.yml": head + text}, "parse")
        check(f"dbt_project.yml {text}", status == 2 and words in out, out)
    empty = "models:\nvars:\nquoting:\non-run-start: select 1\non-run-end: [select 2]\nquery-comment: ''\nconfig-version: 2\nversion: 1.0\n"
    status, out = run({"dbt_project.yml": head + empty}, "run")
    check("keys of dbt_project.yml that are null", status == 0 and "PASS=3" in out, out)


def check_catalogs():
    for text, words in CATALOGS:
        status, out = run({"catalogs.yml": text}, "parse")
        check(f"catalogs.yml {text}", status == 2 and words in out, out)
    flags = "name: r\nprofile: r\nflags: {use_catalogs_v2: true}\n"
    for text, words in CATALOGS_V2:
        status, out = run({"catalogs.yml": text, "dbt_project.yml": flags}, "parse")
        check(f"catalogs.yml v2 {text}", status == 2 and words in out, out)
    status, out = run({"catalogs.yml": "catalogs: []\n"}, "run")
    check("no catalogs", status == 0 and "PASS=1" in out, out)


def main():
    for text, words in REFUSED:
        status, out = run({"models/s.yml": text}, "parse")
        check(f"refused: {words}", status == 2 and words in out, out)
    long = "models:\n- name: a\n  columns:\n" + "".join(f"  - {{name: c{i}, description: something to be said of it}}\n" for i in range(400))
    status, out = run({"models/s.yml": long + "  - {name: 7}\n"}, "parse")
    check("the reason stands behind a long entry", status == 2 and "... - at path ['columns'][400]['name']: 7 is not of type 'string'" in out, out)
    header = TESTS + "not_null: {config: {sql_header: '-- seen'}}\n"
    status, out = run({"models/s.yml": header}, "parse")
    check("a header of SQL is deprecated", status == 0 and "Custom key `sql_header` found in `config` at path `models.config`" in out, out)
    flags = "name: r\nprofile: r\nflags: {require_sql_header_in_test_configs: true}\n"
    status, out = run({"models/s.yml": header, "dbt_project.yml": flags}, "parse")
    check("and is not with its flag", status == 0 and "Custom key" not in out, out)
    status, out = run({"models/s.yml": "data_tests: [{name: 5}]\n"}, "parse")
    check("data tests are passed over", status == 0 and "Unable to parse 'data_tests' section of file 'models/s.yml'" in out, out)
    test = COLUMN + "data_tests: [not_null]\n"
    status, out = run({"models/s.yml": test, "macros/t.sql": TEST_SQL % ("u", "x")}, "build")
    check("a test that gives no truth", status == 1 and "Macro 'get_test_sql' returns 'x'.  It is not type 'bool'" in out, out)
    status, out = run({"models/s.yml": test, "macros/t.sql": TEST_SQL % ("Yes", "OFF")}, "build")
    check("words for truth", status == 0 and "PASS=2" in out, out)
    status, out = run({"models/B.SQL": "select 1 as id", "models/s.yml": test.replace("name: a", "name: B")}, "build")
    check("the ending of a file in any case", status == 0 and "PASS=3" in out, out)
    status, out = run({
        "models/s.yml": COLUMN + "data_tests: [dep.told]\n", "packages.yml": "packages: [{local: dep}]\n", "dep/dbt_project.yml": "name: dep\n",
        "dep/macros/t.sql": "{% test told(model, column_name) %}{{ adapter.dispatch('test_told')(model) }}{% endtest %}"
                            "{% macro default__test_told(model) %}select * from {{ model }} where false{% endmacro %}"}, "deps", "build")
    check("a test's macro dispatches to its package without naming it", status == 0 and "PASS=2" in out, out)
    status, out = run({"models/s.yml": "data_tests: [{name: gone}]\n"}, "parse")
    check("a singular test that is not there", "patch with name 'gone' in the 'data_tests' section of file 'models/s.yml'" in out, out)
    status, out = run({"models/s.yml": "\n\nmodels: []\nmodels: []\n"}, "parse")
    check("the line of a double key", "Duplicate key 'models' in \"<unicode string>\", line 2, column 1" in out, out)
    status, out = run({"models/a.sql": "{{ m(x=1) }}", "macros/m.sql": "{% macro m() %}{% endmacro %}"}, "parse")
    check("a macro's own name", status == 2 and "macro 'dbt_macro__m' takes no keyword argument 'x'" in out, out)
    quoting = "name: r\nprofile: r\nquoting: {database: false, schema: false, identifier: false}\n"
    source = "sources: [{name: s, database: d, schema: h, tables: [{name: t}, {name: u, quoting: {schema: false}}]}]\n"
    status, out = run({"models/a.sql": "select * from {{ source('s', 't') }}, {{ source('s', 'u') }}, {{ this }}", "models/s.yml": source,
                       "dbt_project.yml": quoting}, "compile -s a")
    check("the project's quoting is not for sources", status == 0 and 'from "d"."h"."t", "d".h."u", r.main.a' in out, out)
    none = "{% macro generate_schema_name(custom_schema_name, node) %}{{ return(none) }}{% endmacro %}"
    flags = "name: r\nprofile: r\nflags: {require_valid_schema_from_generate_schema_name: true}\n"
    status, out = run({"macros/g.sql": none, "dbt_project.yml": flags}, "parse")
    check("a schema of None", status == 2 and "Parsing Error\n  Node 'model.r.a' has a schema set to None" in out, out)
    old = "{% macro collect_freshness(source, loaded_at_field, filter) %}{% call statement('f', fetch_result=True) %}" \
          "select max({{ loaded_at_field }}), now() from {{ source }}{% endcall %}{{ return(load_result('f').table) }}{% endmacro %}"
    fresh = "sources: [{name: s, schema: main, loaded_at_field: t, freshness: {error_after: {count: 1, period: day}}, tables: [{name: a}]}]\n"
    status, out = run({"macros/f.sql": old, "models/a.sql": "select now() as t", "models/s.yml": fresh}, "run", "source freshness")
    check("a macro of freshness that gives a table", status == 0 and "PASS freshness of s.a" in out
          and "The 'collect_freshness' macro signature has changed to return the full query\n" in out, out)
    both = "models: [{name: a, columns: [{name: id, data_tests: [not_null, {unique: {config: {severity: warn}}}]}]}]\n"
    status, out = run({"models/s.yml": both}, "ls -s config.severity:Warn")
    check("severity is selected in any case", status == 0 and "unique_a_id" in out and "not_null" not in out, out)
    check_configs()
    check_catalogs()
    check_projects()
    told = "models: [{name: a, columns: [{name: id, data_tests: [{not_null: {description: \"{{ doc('d') }}\"}}]}]}]\n"
    status, out = run({"models/s.yml": told, "models/d.md": "{% docs d %}told{% enddocs %}"},
                      "ls -s not_null_a_id --output json --output-keys description")
    check("the description of a test", '"description": "told"' in out, out)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
