"""What astronomer-cosmos sees of a project through the program `dbt`, as JSON on the last line: the graph by `dbt ls` and by manifest.json, what its
operators did in subprocesses, and what its watcher reads from the JSON log.    cosmos_probe.py PROJECT DBT   (in the environment of tools/venv airflow)"""
import json, os, pathlib, subprocess, sys

from cosmos import ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode
from cosmos.dbt.graph import DbtGraph
from cosmos.operators._watcher.base import store_dbt_resource_status_from_log
from cosmos.operators.local import (DbtBuildLocalOperator, DbtRunLocalOperator, DbtRunOperationLocalOperator, DbtSeedLocalOperator, DbtSnapshotLocalOperator,
                                    DbtSourceLocalOperator, DbtTestLocalOperator)

PROJECT, DBT = pathlib.Path(sys.argv[1]), sys.argv[2]
PROFILE = ProfileConfig(profile_name="events", target_name="dev", profiles_yml_filepath=PROJECT / "profiles.yml")
FIELDS = ("resource_type", "depends_on", "tags", "config", "fqn", "has_test", "has_freshness", "has_non_detached_test", "virtual_root_test", "package_name")
OPERATORS = [("seed", DbtSeedLocalOperator, {}), ("run", DbtRunLocalOperator, {"select": "seen kept"}), ("run_full", DbtRunLocalOperator, {"models": "+grown", "full_refresh": True}),
             ("run_fails", DbtRunLocalOperator, {"select": "broken"}), ("snapshot", DbtSnapshotLocalOperator, {}), ("test", DbtTestLocalOperator, {"select": "not_null_seen_id"}),
             ("test_fails", DbtTestLocalOperator, {"select": "seen"}), ("operation", DbtRunOperationLocalOperator, {"macro_name": "speak", "args": {"word": "hello"}}),
             ("source", DbtSourceLocalOperator, {"select": "source:raw.lasting"}), ("build", DbtBuildLocalOperator, {"select": "people seen", "exclude": "names_are_known test_type:unit", "vars": {"a": 1}})]


def graph(mode, **select):
    both = {"dbt_project_path": PROJECT, "dbt_executable_path": DBT, "invocation_mode": InvocationMode.SUBPROCESS}
    manifest = PROJECT / "target/manifest.json" if mode == LoadMode.DBT_MANIFEST else None
    g = DbtGraph(project=ProjectConfig(dbt_project_path=PROJECT, manifest_path=manifest), profile_config=PROFILE, execution_config=ExecutionConfig(**both),
                 render_config=RenderConfig(load_method=mode, **both, **select))
    g.load(method=mode, execution_mode=ExecutionMode.LOCAL)
    return g


def plain(node):
    found = {f: getattr(node, f) for f in FIELDS if hasattr(node, f)}
    found["resource_type"] = str(node.resource_type)
    found["file"] = os.path.basename(str(node.file_path))
    found["config"] = {k: v for k, v in (node.config or {}).items() if v not in (None, {}, [])}
    return found


def nodes(g, which="nodes"):
    return {k: plain(n) for k, n in getattr(g, which).items()}


def operate(name, kind, arguments):
    op = kind(task_id=name, project_dir=str(PROJECT), profile_config=PROFILE, dbt_executable_path=DBT, invocation_mode=InvocationMode.SUBPROCESS, install_deps=False,
              emit_datasets=False, **arguments)
    try:
        op.build_and_run_cmd(context={"run_id": "once", "ti": None}, cmd_flags=op.add_cmd_flags() if hasattr(op, "add_cmd_flags") else None)
        return "done"
    except Exception as e:  # the class is what Airflow goes by
        return type(e).__name__


class Instance:
    """What the watcher pushes, by key."""
    def __init__(self):
        self.pushed = {}

    task_id, dag_id, run_id, map_index, try_number = "producer", "dag", "once", -1, 1

    def xcom_push(self, key, value, **_):
        self.pushed[key] = value

    def xcom_pull(self, key=None, **_):
        return self.pushed.get(key)


def watch():
    instance = Instance()
    done = subprocess.run([DBT, "build", "--log-format", "json", "--select", "people", "seen", "broken", "after_broken", "history", "--profiles-dir", str(PROJECT)], cwd=PROJECT,
                          stdout=subprocess.PIPE, text=True)
    skipped, tests = set(), {}
    for line in done.stdout.splitlines():
        store_dbt_resource_status_from_log(line, {"context": {"ti": instance}, "project_dir": str(PROJECT)}, tests_per_model={"model.events.seen": ["test.events.not_null_seen_id.6756f0d120"]},
                                           test_results_per_model=tests, upstream_failure_skipped_ids=skipped, should_generate_model_uris=False)
    states = {k: v for k, v in instance.pushed.items() if k.endswith("_status")}
    return {"status": done.returncode, "pushed": sorted(instance.pushed), "states": states, "tests": tests, "skipped": sorted(skipped)}


def main():
    os.environ.setdefault("DO_NOT_TRACK", "1")
    by_ls = graph(LoadMode.DBT_LS)
    subprocess.run([DBT, "parse", "--profiles-dir", str(PROJECT)], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    found = {"ls": nodes(by_ls), "manifest": nodes(graph(LoadMode.DBT_MANIFEST)),
             "selected": {s: sorted(graph(LoadMode.DBT_LS, select=[s]).filtered_nodes) for s in ("tag:t", "+kept", "path:models")},
             "excluded": sorted(graph(LoadMode.DBT_LS, exclude=["seen+"]).filtered_nodes),
             "operators": {name: operate(name, kind, a) for name, kind, a in OPERATORS}, "watcher": watch()}
    print(json.dumps(found, sort_keys=True, default=str))


main()
