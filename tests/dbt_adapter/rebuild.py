"""What a call inside of Python would have returned, rebuilt from what a program leaves: artifacts, output, exit status.

A status of 0 or 1 with artifacts gives result objects whose `node`s are dbt's own classes, read from manifest.json. A status of 2 gives an
exception: its text is the program's, and its class is what can be seen of it from outside. That is the kind in the first line of the text
("Compilation Error"): the exception is an instance of every class of dbt that prints this kind, since the name of the class is nowhere shown.
"""
import importlib, json, os, pathlib, re, types

import yaml

import dbt.contracts.graph.nodes as nodes
import dbt.exceptions
import dbt_common.exceptions
from dbt.cli.exceptions import DbtUsageException
from dbt.artifacts.schemas.catalog import CatalogArtifact
from dbt.artifacts.schemas.freshness import FreshnessMetadata, FreshnessResult, SourceFreshnessResult
from dbt.artifacts.schemas.manifest import WritableManifest
from dbt.artifacts.schemas.results import FreshnessStatus, RunStatus, TestStatus, TimingInfo
from dbt.artifacts.schemas.run import RunExecutionResult, RunResult, RunResultsArtifact
from dbt.contracts.graph.manifest import Manifest
from dbt_common.dataclass_schema import ValidationError

RUNS = {"run", "test", "build", "seed", "snapshot", "compile", "show", "clone", "retry", "run-operation"}
CLASSES = {"model": nodes.ModelNode, "seed": nodes.SeedNode, "snapshot": nodes.SnapshotNode, "analysis": nodes.AnalysisNode, "operation": nodes.HookNode,
           "sql_operation": nodes.SqlNode, "source": nodes.SourceDefinition, "unit_test": nodes.UnitTestDefinition, "exposure": nodes.Exposure,
           "saved_query": nodes.SavedQuery, "function": nodes.FunctionNode}
TESTED = {"test", "unit_test"}


class Artifacts:
    """The files of one target folder, and which of them a call wrote."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.before = {name: self.stamp(name) for name in ("run_results", "sources", "catalog", "manifest")}

    def stamp(self, name):
        try:
            s = os.stat(self.folder / f"{name}.json")
            return s.st_mtime_ns, s.st_ino
        except OSError:
            return None

    def written(self, name):
        now = self.stamp(name)
        return now is not None and now != self.before[name]

    def read(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())


def option(args, *names):
    """The last value of an option in a command line, or None."""
    found = None
    for at, word in enumerate(args):
        if word in names and at + 1 < len(args):
            found = args[at + 1]
        for name in names:
            if name.startswith("--") and word.startswith(name + "="):
                found = word[len(name) + 1:]
    return found


def target_of(args, env, cwd):
    """The folder of the artifacts, found as dbt finds it: option, variable, dbt_project.yml, "target"."""
    project = pathlib.Path(cwd, option(args, "--project-dir") or env.get("DBT_PROJECT_DIR") or ".")
    named = option(args, "--target-path") or env.get("DBT_TARGET_PATH")
    if not named:
        try:
            named = (yaml.safe_load((project / "dbt_project.yml").read_text()) or {}).get("target-path")
        except (OSError, yaml.YAMLError, AttributeError):
            named = None
    return project / (named or "target")


def node_of(manifest, unique_id, result):
    for part in ("nodes", "sources", "unit_tests", "exposures", "saved_queries", "functions", "metrics", "semantic_models"):
        found = manifest.get(part, {}).get(unique_id)
        if found is not None:
            break
    else:
        return types.SimpleNamespace(unique_id=unique_id, name=unique_id.split(".")[-1], resource_type=unique_id.split(".")[0], **compiled_of(result))
    kind = found["resource_type"]
    if kind == "test":
        node = (nodes.GenericTestNode if found.get("test_metadata") else nodes.SingularTestNode).from_dict(found)
    else:
        node = CLASSES[kind].from_dict(found)
    for name, value in compiled_of(result).items():
        if value is not None and hasattr(node, name):
            setattr(node, name, value)
    return node


def compiled_of(result):
    return {name: result.get(name) for name in ("compiled", "compiled_code", "relation_name")}


def status_of(kind, value):
    for statuses in ((TestStatus, RunStatus) if kind in TESTED else (RunStatus, TestStatus)):
        if value in statuses.__members__.values():
            return statuses(value)
    return value


def timing_of(result):
    return [TimingInfo.from_dict(t) for t in result.get("timing", [])]



def run_results(artifacts, rows=None):
    document = artifacts.read("run_results")
    RunResultsArtifact.from_dict(document)  # what dbt itself cannot read is no artifact
    manifest = artifacts.read("manifest") if artifacts.stamp("manifest") else {}
    results = []
    for r in document["results"]:
        node = node_of(manifest, r["unique_id"], r)
        result = RunResult(status=status_of(r["unique_id"].split(".")[0], r["status"]), timing=timing_of(r), thread_id=r["thread_id"],
                           execution_time=r["execution_time"], adapter_response=r["adapter_response"], message=r["message"], failures=r["failures"],
                           node=node, batch_results=RunResultsArtifact.from_dict(document).results[len(results)].batch_results)
        if rows is not None:
            result.agate_table = rows
        results.append(result)
    return RunExecutionResult(results=results, elapsed_time=document["elapsed_time"], args=document.get("args", {}))


def shown(rows):
    """The result of `show --inline`, which leaves no artifact: its rows."""
    node = types.SimpleNamespace(unique_id="", name="inline_query", resource_type="sql_operation", compiled_code=None)
    result = RunResult(status=RunStatus.Success, timing=[], thread_id="", execution_time=0, adapter_response={}, message=None, failures=None, node=node)
    result.agate_table = rows
    return RunExecutionResult(results=[result], elapsed_time=0.0)


def freshness(artifacts):
    document, manifest = artifacts.read("sources"), artifacts.read("manifest")
    results = []
    for r in document["results"]:
        node = node_of(manifest, r["unique_id"], {})
        if r["status"] == "runtime error":
            results.append(RunResult(status=FreshnessStatus.RuntimeErr, timing=[], thread_id="", execution_time=0, adapter_response={}, message=r.get("error"),
                                     failures=None, node=node))
        else:
            results.append(SourceFreshnessResult(status=FreshnessStatus(r["status"]), timing=timing_of(r), thread_id=r["thread_id"], message=None, failures=None,
                                                 execution_time=r["execution_time"], adapter_response=r["adapter_response"], node=node,
                                                 max_loaded_at=r["max_loaded_at"], snapshotted_at=r["snapshotted_at"], age=r["max_loaded_at_time_ago_in_s"]))
    return FreshnessResult(metadata=FreshnessMetadata.from_dict(document["metadata"]), results=results, elapsed_time=document["elapsed_time"])


def catalog(artifacts):
    found = CatalogArtifact.from_dict(artifacts.read("catalog"))
    if artifacts.written("run_results"):
        found._compile_results = run_results(artifacts)
    return found


def manifest(artifacts):
    return Manifest.from_writable_manifest(WritableManifest.read_and_check_versions(str(artifacts.folder / "manifest.json")))


# Exceptions.

MODULES = ("dbt.exceptions", "dbt_common.exceptions", "dbt_common.exceptions.base", "dbt.adapters.exceptions", "dbt.contracts.project", "dbt.config.selectors",
           "dbt.parser.common", "dbt.clients.yaml_helper", "dbt.cli.exceptions")


def all_under(base):
    for kind in base.__subclasses__():
        yield kind
        yield from all_under(kind)


def kinds():
    """The text before " Error" -> dbt's exception classes that print it, and those that print none."""
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    found = {}
    for kind in dict.fromkeys(all_under(dbt_common.exceptions.DbtBaseException)):
        shown = getattr(kind, "type", None)
        text = None
        if isinstance(shown, property):
            try:
                text = shown.fget(None)
            except Exception:
                text = None
        found.setdefault(text, []).append(kind)
    return found


def one_of_all(name, classes):
    """A class that is a subclass of as many of these as Python lets one be, the most derived ones first."""
    bases = []
    for kind in sorted(classes, key=lambda k: -len(k.__mro__)):
        if any(issubclass(b, kind) for b in bases):
            continue
        try:
            type(name, (*bases, kind), {})
            bases.append(kind)
        except TypeError:
            pass
    return type(name, tuple(bases), {"__init__": outside_init, "__str__": lambda self: self.text, "__repr__": lambda self: f"{name}({self.text!r})",
                                     "message": property(lambda self: self.msg)})


def outside_init(self, text, msg):
    Exception.__init__(self, text)
    self.text, self.msg, self.node, self.stack, self.path, self.result_type = text, msg, None, [], None, None


BASES = {}


def exception(text):
    """The exception that printed this text."""
    if not BASES:
        BASES.update(kinds())
    first, _, rest = text.partition("\n")
    match = re.match(r"^([A-Z][a-z]+(?: [a-z]+)*) Error\b", first)
    if match and match[1] in BASES:
        body = "\n".join(line[2:] if line.startswith("  ") else line for line in rest.split("\n"))
        made = one_of_all(f"{match[1]}ErrorOutside", BASES[match[1]])
        return made(text, body)
    plain = [k for k in BASES.get(None, []) if not issubclass(k, RuntimeError)]
    return one_of_all("ErrorOutside", [ValidationError, *plain])(text, text)


def usage(text):
    return DbtUsageException(text)
