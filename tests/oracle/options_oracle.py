"""Holds tarn's options against dbt's own: each option of each command of dbt-core is known, and what it, its environment variables and `flags:` of
dbt_project.yml say is what templates see in `flags`.

    python tests/oracle/options_oracle.py [--tarn PROGRAM]

The first part walks the click commands of dbt. The second prints flags.X in both programs, told in five ways.
"""
import json
import os
import subprocess
import sys
import tempfile

import click

from both_programs import DBT, arguments

FLAGS = ["CACHE_SELECTED_ONLY", "DEBUG", "DEFER", "FAIL_FAST", "FAVOR_STATE", "INDIRECT_SELECTION", "LOG_CACHE_EVENTS", "LOG_FORMAT", "LOG_FORMAT_FILE",
         "LOG_LEVEL", "LOG_LEVEL_FILE", "LOG_FILE_MAX_BYTES", "MAXIMUM_SEED_SIZE_MIB", "PARTIAL_PARSE", "POPULATE_CACHE", "PRINT", "PRINTER_WIDTH",
         "QUIET", "SINGLE_THREADED", "STATIC_PARSER", "USE_COLORS", "USE_COLORS_FILE", "USE_EXPERIMENTAL_PARSER", "VERSION_CHECK", "WARN_ERROR",
         "WRITE_JSON", "SHOW_ALL_DEPRECATIONS", "MACRO_DEBUGGING", "HINTS_ENABLED", "WHICH", "SEND_ANONYMOUS_USAGE_STATS",
         "REQUIRE_BATCHED_EXECUTION_FOR_CUSTOM_MICROBATCH_STRATEGY", "REQUIRE_EXPLICIT_PACKAGE_OVERRIDES_FOR_BUILTIN_MATERIALIZATIONS",
         "REQUIRE_RESOURCE_NAMES_WITHOUT_SPACES", "SOURCE_FRESHNESS_RUN_PROJECT_HOOKS", "SKIP_NODES_IF_ON_RUN_START_FAILS",
         "STATE_MODIFIED_COMPARE_MORE_UNRENDERED_VALUES", "STATE_MODIFIED_COMPARE_VARS", "REQUIRE_YAML_CONFIGURATION_FOR_MF_TIME_SPINES",
         "REQUIRE_NESTED_CUMULATIVE_TYPE_PARAMS", "VALIDATE_MACRO_ARGS", "REQUIRE_ALL_WARNINGS_HANDLED_BY_WARN_ERROR",
         "REQUIRE_GENERIC_TEST_ARGUMENTS_PROPERTY", "REQUIRE_UNIQUE_PROJECT_RESOURCE_NAMES", "REQUIRE_REF_SEARCHES_NODE_PACKAGE_BEFORE_ROOT",
         "REQUIRE_VALID_SCHEMA_FROM_GENERATE_SCHEMA_NAME", "ALLOW_JINJA_FILE_EXTENSIONS", "REQUIRE_SQL_HEADER_IN_TEST_CONFIGS",
         "SUPPORT_CUSTOM_REF_KWARGS", "REQUIRE_CORRECTED_ANALYSIS_FQNS", "REQUIRE_SOURCE_AND_SEMANTIC_MODEL_NAMES_WITHOUT_SPACES",
         "ENABLE_GROUPED_WARN_ERROR_PARSER_LOGS", "USE_CATALOGS_V2", "LATEST_VERSION_POINTER_ENABLED_BY_DEFAULT", "REQUIRE_EVENT_NAMES_IN_DEPRECATIONS"]
# What no run leaves: tarn sends nothing and has no hints, whatever is asked.
OWN = {"SEND_ANONYMOUS_USAGE_STATS", "HINTS_ENABLED"}
SETTINGS = {"cache_selected_only": True, "fail_fast": True, "indirect_selection": "cautious", "log_level_file": "error", "maximum_seed_size_mib": 3,
            "printer_width": 100, "static_parser": False, "use_colors_file": False, "version_check": False, "write_json": False, "populate_cache": False,
            "state_modified_compare_vars": True, "validate_macro_args": False, "skip_nodes_if_on_run_start_fails": False}
ENV = {"CACHE_SELECTED_ONLY": "1", "DEFER": "0", "FAIL_FAST": "true", "INDIRECT_SELECTION": "buildable", "LOG_CACHE_EVENTS": "1", "LOG_LEVEL_FILE": "warn",
       "LOG_FORMAT_FILE": "json", "LOG_FILE_MAX_BYTES": "1000", "PRINTER_WIDTH": "90", "POPULATE_CACHE": "0", "STATIC_PARSER": "0", "USE_COLORS_FILE": "no",
       "VERSION_CHECK": "False", "WRITE_JSON": "false", "SINGLE_THREADED": "1", "MACRO_DEBUGGING": "1", "USE_EXPERIMENTAL_PARSER": "1", "WARN_ERROR": "1"}
LINE = ["--cache-selected-only", "--fail-fast", "--indirect-selection", "empty", "--log-cache-events", "--log-level-file", "info", "--log-format-file", "text",
        "--log-file-max-bytes", "2000", "--printer-width", "70", "--no-populate-cache", "--no-static-parser", "--no-use-colors-file", "--no-version-check",
        "--no-write-json", "--single-threaded", "--macro-debugging", "--use-experimental-parser", "--warn-error", "--show-all-deprecations",
        "--maximum-seed-size-mib", "5", "--no-partial-parse", "--no-use-colors", "--favor-state"]


def commands(group, words=()):
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, words + (name,))
        else:
            yield words + (name,), command


def value_of(param):
    if param.is_flag:
        return []
    if isinstance(param.type, click.Choice):
        return [list(param.type.choices)[0]]
    if getattr(param.type, "exists", False):
        return ["."]
    return ["1"]


def words_of(param):
    for spelling in param.opts + param.secondary_opts:
        if spelling not in ("--version", "-V", "-v"):
            yield [spelling, *value_of(param)]


def known(tarn, words, param):
    bad = 0
    for given in words_of(param):
        line = [*words, *given, "--help"] if words else [*given, "run", "--help"]
        got = subprocess.run([tarn, *line], capture_output=True, text=True)
        if got.returncode != 0:
            bad += 1
            print("tarn %s does not know %s: %s" % (" ".join(words), given[0], got.stderr.strip().splitlines()[:1]))
    return bad


def all_known(tarn, words, params):
    """One call with every option of the command; one for each when that fails."""
    line = [word for param in params for given in words_of(param) for word in given]
    whole = [*words, *line, "--help"] if words else [*line, "run", "--help"]
    if subprocess.run([tarn, *whole], capture_output=True).returncode == 0:
        return 0
    return max(1, sum(known(tarn, words, param) > 0 for param in params))


def project(folder, settings):
    os.makedirs(os.path.join(folder, "macros"))
    with open(os.path.join(folder, "dbt_project.yml"), "w") as f:
        f.write("name: p\nprofile: p\nflags: %s\n" % json.dumps(settings))
    with open(os.path.join(folder, "profiles.yml"), "w") as f:
        f.write("p: {target: d, outputs: {d: {type: duckdb, path: ':memory:'}}}\n")
    with open(os.path.join(folder, "macros", "tell.sql"), "w") as f:
        f.write("{% macro tell() %}" + "".join("{%% do print('@%s=' ~ flags.%s) %%}" % (n, n) for n in FLAGS) + "{% endmacro %}")


def told(text):
    return dict(line.split("@", 1)[1].split("=", 1) for line in text.splitlines() if "@" in line and "=" in line)


def ways(dbt, tarn, work):
    bad = count = 0
    cases = [("nothing", {}, {}, []), ("flags:", SETTINGS, {}, []), ("DBT_ENGINE_ over flags:", SETTINGS, {"DBT_ENGINE_" + k: v for k, v in ENV.items()}, []),
             ("the line over all", SETTINGS, {"DBT_" + k: v for k, v in ENV.items()}, LINE)]
    for i, (name, settings, env, line) in enumerate(cases):
        folder = os.path.join(work, "p%d" % i)
        project(folder, settings)
        both = []
        for program in (dbt, tarn):
            got = subprocess.run([program, "run-operation", "tell", *line], cwd=folder, env={**os.environ, **env, "DBT_PROFILES_DIR": folder}, capture_output=True, text=True)
            both.append(told(got.stdout))
            if not both[-1]:
                print("%s: %s says nothing: %s" % (name, program, (got.stdout + got.stderr)[-500:]))
                bad += 1
        for flag in FLAGS:
            count += 1
            shown = both[0].get(flag)  # templates of dbt see some of the flags; others are undefined there
            if flag not in OWN and shown and shown != both[1].get(flag):
                bad += 1
                print("%s: flags.%s: dbt %s, tarn %s" % (name, flag, both[0].get(flag), both[1].get(flag)))
    return count, bad


def main():
    tarn = arguments().parse_args().tarn
    from dbt.cli.main import cli

    count = bad = 0
    for words, command in [((), cli), *commands(cli)]:
        params = [param for param in command.params if isinstance(param, click.Option)]
        count += len(params)
        bad += all_known(tarn, words, params)
    with tempfile.TemporaryDirectory() as work:
        n, m = ways(DBT, tarn, work)
    print("%d passed, %d failed" % (count + n - bad - m, bad + m))
    return 1 if bad + m else 0


sys.exit(main())
