"""A pytest plugin for tests that call dbt inside of Python (dbt-tests-adapter and what is built on it): every call becomes a process of another
program, which DBT_BIN names; "control" is real dbt. What the call would have returned is rebuilt from what the program leaves (rebuild.py).

    DBT_BIN=build/tarn python -m pytest -p outside ...

Before a call the DuckDB handle of this process is closed: a database file has one owner. For the same reason databases in memory become files.
"""
import datetime, json, os, pathlib, re, subprocess, sys, tempfile, types

import duckdb
import pytest
import yaml

import dbt.adapters.duckdb.environments
import dbt.cli.main
import dbt.tests.fixtures.project as fixtures
import dbt_common.events.functions as log_functions
import rebuild
from control import Control
from dbt.cli.main import dbtRunnerResult

BIN = os.environ.get("DBT_BIN", "")
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
SECONDS_MAX = 900
STAMP = re.compile(r"^(?:\x1b\[\d+m)?\d\d:\d\d:\d\d(?:\.\d+)?\s")
control = None


# The database of this process.

opened = []


class Recording:
    """The duckdb module as dbt-duckdb's environments see it: their connections are known, also those that a failed set-up left behind."""

    def __getattr__(self, name):
        return getattr(duckdb, name)

    def connect(self, *args, **kwargs):
        opened.append(duckdb.connect(*args, **kwargs))
        return opened[-1]


def let_go():
    """Closes the handles that this process holds on database files."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager as Manager
    from dbt.adapters.factory import FACTORY

    for adapter in list(FACTORY.adapters.values()):
        try:
            adapter.cleanup_connections()
        except Exception:
            pass
    env = Manager._ENV
    Manager._ENV = None
    if env is not None:
        try:
            env.close()
        except Exception:
            pass
    while opened:
        opened.pop().close()


def as_files(text, folder):
    """A profiles.yml whose DuckDB databases are files, with the names that they have in memory, and whose Postgres targets are DuckDB."""
    profiles = yaml.safe_load(text)
    for profile in profiles.values():
        outputs = profile.get("outputs") if isinstance(profile, dict) else None
        for name, output in list((outputs or {}).items()):
            if not isinstance(output, dict):
                continue
            if output.get("type") == "postgres":
                kept = {k: v for k, v in output.items() if k in ("threads", "schema", "retries")}
                outputs[name] = {"type": "duckdb", "path": str(pathlib.Path(folder) / f"{output.get('dbname', 'dbt')}.duckdb"), **kept}
            elif output.get("type") == "duckdb" and output.get("path") in (None, ":memory:") and not output.get("remote"):
                output["path"] = str(pathlib.Path(folder) / "memory.duckdb")
    return yaml.safe_dump(profiles)


def write_file(contents, *paths, real=fixtures.write_file):
    if paths and paths[-1] == "profiles.yml":
        contents = as_files(contents, paths[0])
    real(contents, *paths)


# The moment at which a test pretends to be.

def moment():
    """The time of a frozen clock or of a patched end of microbatches, as text, or None."""
    from dbt.materializations.incremental.microbatch import MicrobatchBuilder

    patched = getattr(MicrobatchBuilder.build_end_time, "return_value", None)
    if isinstance(patched, datetime.datetime):
        return patched.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    if datetime.datetime.__name__ == "FakeDatetime":
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    return None


# One call.

class Call:
    def __init__(self, args, cwd, env):
        self.args, self.cwd, self.env = [str(a) for a in args], cwd, env
        self.status, self.output = None, ""

    def run(self):
        now = moment()
        with tempfile.NamedTemporaryFile(prefix="dbt-outside-", suffix=".out") as file:
            if control is not None:
                self.status = control.run(self.args, self.env, self.cwd, file.name, SECONDS_MAX, now)
            else:
                env = {**self.env, **({"LD_PRELOAD": FAKETIME, "FAKETIME": f"@{now}", "TZ": "UTC"} if now else {})}
                with open(file.name, "ab") as output:
                    self.status = subprocess.run([BIN, *self.args], cwd=self.cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                                 timeout=SECONDS_MAX).returncode
            self.output = pathlib.Path(file.name).read_text(errors="replace")
        return self

    def again(self, *more):
        """The same command once more, for what its result was and did not show."""
        return Call([*self.args, *more], self.cwd, {k: v for k, v in self.env.items() if not k.startswith("DBT_LOG_FORMAT")}).run()


COMMANDS = {"run", "test", "build", "seed", "snapshot", "compile", "show", "clone", "retry", "run-operation", "ls", "list", "docs", "source", "parse", "deps", "clean",
            "debug", "init"}
SECOND = {"docs": ("generate", "serve"), "source": ("freshness", "snapshot-freshness")}


def command_of(args):
    for at, word in enumerate(args):
        if word in COMMANDS:
            rest = [w for w in args[at + 1:] if w in SECOND.get(word, ())]
            return f"{word} {rest[0]}" if rest else word
    return ""


def failure_of(output):
    """The text of the error that ended a program."""
    texts = []
    for line in output.splitlines():
        if line.startswith("{"):
            try:
                event = json.loads(line)
                if event["info"]["name"] == "MainEncounteredError":
                    return event["data"]["exc"]
            except (ValueError, KeyError, TypeError):
                pass
    parts = re.split(r"Encountered an error:\s*\n?", re.sub(r"\x1b\[\d+m", "", output))
    if len(parts) > 1:
        for line in parts[-1].split("\n"):
            if STAMP.match(line) and texts:
                break
            texts.append(STAMP.sub("", line))
        return "\n".join(texts).strip("\n")
    return None


def exception_of(output):
    text = failure_of(output)
    if text is not None:
        return rebuild.exception(text)
    usage = re.search(r"^(?:Usage: .*|[Ee]rror: .*)$[\s\S]*", output, re.M)
    if usage:
        error = re.search(r"^[Ee]rror: ([\s\S]*)", usage[0], re.M)
        return rebuild.usage((error[1] if error else usage[0]).strip())
    return rebuild.exception(output.strip())


def listing(call):
    lines = call.output.splitlines()
    if any(STAMP.match(line) or line.startswith('{"data"') for line in lines):
        lines = call.again("--quiet").output.splitlines()
    return [line for line in lines if line and not line.startswith("warning: ")]  # what tarn says on standard error


def rows_of(call):
    """The rows of `show` as an agate table: the command again, as JSON."""
    import agate

    args = [w for at, w in enumerate(call.args) if w != "--output" and (at == 0 or call.args[at - 1] != "--output")]
    text = Call([*args, "--output", "json", "--quiet"], call.cwd, call.env).run().output
    try:
        shown = json.loads(text[text.index("{"):])["show"]
    except (ValueError, KeyError):
        return None
    return agate.Table.from_object(shown)


def result_of(call, command, artifacts):
    if command in ("ls", "list"):
        return listing(call)
    if command == "docs generate":
        return rebuild.catalog(artifacts) if artifacts.written("catalog") else None
    if command.startswith("source"):
        return rebuild.freshness(artifacts) if artifacts.written("sources") else None
    if command == "parse":
        return rebuild.manifest(artifacts)
    if command == "debug":
        return call.status == 0
    if command in rebuild.RUNS:
        rows = rows_of(call) if command == "show" and call.status == 0 else None
        if artifacts.written("run_results"):
            return rebuild.run_results(artifacts, rows)
        if rows is not None:
            return rebuild.shown(rows)
        return rebuild.RunExecutionResult(results=[], elapsed_time=0.0)
    return None


# Events.

class Event(types.SimpleNamespace):
    def __getattr__(self, name):
        return ""


def as_event(value):
    if isinstance(value, dict):
        return Event(**{k: as_event(v) for k, v in value.items()})
    return [as_event(v) for v in value] if isinstance(value, list) else value


def message_of(line):
    """The EventMsg of a JSON log line; a plain object when dbt's own class does not take it."""
    import dbt.adapters.events.types as adapter_types
    import dbt.events.types as core_types
    import dbt_common.events.types as common_types
    from dbt_common.events.base_types import EventLevel, msg_from_base_event
    from google.protobuf.json_format import ParseDict

    event = json.loads(line)
    name = event["info"]["name"]
    for module in (core_types, adapter_types, common_types):
        kind = getattr(module, name, None)
        if kind is not None:
            try:
                made = msg_from_base_event(kind(), level=EventLevel(event["info"]["level"]))
                ParseDict(event, made, ignore_unknown_fields=True)
                return made
            except Exception:
                break
    return as_event(event)


def log_of(args, env, cwd):
    project = pathlib.Path(cwd, rebuild.option(args, "--project-dir") or env.get("DBT_PROJECT_DIR") or ".")
    return project / (rebuild.option(args, "--log-path") or env.get("DBT_LOG_PATH") or "logs") / "dbt.log"


def new_events(log, size):
    try:
        with open(log, "rb") as file:
            file.seek(size)
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    return [message_of(line) for line in lines if line.startswith("{") and '"info"' in line]


# dbtRunner.invoke

def words_of(kwargs):
    """Keyword arguments of invoke() as options."""
    words = []
    for name, value in kwargs.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(flag if value else "--no-" + flag[2:])
        elif isinstance(value, (list, tuple)):
            words += [flag, *map(str, value)]
        elif value is not None:
            words += [flag, json.dumps(value) if isinstance(value, dict) else str(value)]
    return words


def invoke(self, args, **kwargs):
    args = [*map(str, args), *words_of(kwargs)]
    cwd, env = os.getcwd(), dict(os.environ)
    env.pop("PYTEST_CURRENT_TEST", None)
    env.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    log, size = log_of(args, env, cwd), 0
    if self.callbacks:
        env.update(DBT_LOG_FORMAT_FILE="json", DBT_LOG_LEVEL_FILE="debug")
        size = log.stat().st_size if log.exists() else 0
    artifacts = rebuild.Artifacts(rebuild.target_of(args, env, cwd))
    let_go()
    call = Call(args, cwd, env).run()
    sys.stdout.write(call.output)
    if log_functions.CAPTURE_STREAM is not None:
        log_functions.CAPTURE_STREAM.write(call.output)
    for event in new_events(log, size) if self.callbacks else ():
        for callback in self.callbacks:
            callback(event)
    if call.status not in (0, 1):
        return dbtRunnerResult(success=False, exception=exception_of(call.output))
    command = command_of(args)
    if call.status == 1 and command in rebuild.RUNS and not artifacts.written("run_results") and failure_of(call.output):
        return dbtRunnerResult(success=False, exception=exception_of(call.output))
    return dbtRunnerResult(success=call.status == 0, result=result_of(call, command, artifacts))


def pytest_configure(config):
    global control
    if not BIN:
        raise pytest.UsageError("DBT_BIN names the program under test; 'control' is real dbt")
    dbt.cli.main.dbtRunner.invoke = invoke
    fixtures.write_file = write_file
    dbt.adapters.duckdb.environments.duckdb = Recording()
    if os.environ.get("DBT_REPORT"):
        config.pluginmanager.register(Report(os.environ["DBT_REPORT"]), "outside_report")
    if BIN == "control":
        config.outside_folder = tempfile.TemporaryDirectory(prefix="dbt-control-")
        control = Control(config.outside_folder.name)


class Report:
    """One line a test in the file that DBT_REPORT names: what came out (its own outcome, or an error around it), and its name."""

    def __init__(self, path):
        self.file, self.seen = open(path, "w"), {}

    def pytest_runtest_logreport(self, report):
        said = report.outcome if report.when == "call" or report.outcome == "skipped" else "error" if report.outcome == "failed" else None
        if hasattr(report, "wasxfail"):
            said = "skipped"
        if said is not None and self.seen.get(report.nodeid) not in ("failed", "error"):
            self.seen[report.nodeid] = said
        if report.when == "teardown":
            print(self.seen.get(report.nodeid, "error"), report.nodeid, file=self.file, flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            print("error", report.nodeid, file=self.file, flush=True)


def pytest_unconfigure(config):
    if control is not None:
        control.stop()


@pytest.fixture(autouse=True)
def outside_let_go():
    yield
    let_go()
