"""Real dbt as a program of its own, without the seconds that its imports take: a server process has dbt loaded and forks for every call.
The child gets the arguments, environment, folder and output files of the caller and leaves with dbt's exit status."""
import json, os, pathlib, socket, subprocess, sys, time


def serve(path):
    """Answers calls one after the other until the pipe to the caller closes."""
    import dbt.adapters.duckdb, dbt.cli.main  # noqa: F401,E401
    import dbt.task.build, dbt.task.clone, dbt.task.debug, dbt.task.deps, dbt.task.docs.generate, dbt.task.freshness, dbt.task.list  # noqa: F401,E401
    import dbt.task.retry, dbt.task.run_operation, dbt.task.show, dbt.task.snapshot, dbt.parser.manifest, duckdb, agate  # noqa: F401,E401

    warm_up()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)
    print("ready", flush=True)
    while True:
        call, _ = listener.accept()
        with call, call.makefile("r") as lines:
            line = lines.readline()
            if not line:
                return
            request = json.loads(line)
            pid = os.fork()
            if pid == 0:
                listener.close()
                child(request)
            until, status = time.monotonic() + request["seconds_max"], None
            while status is None:
                done, how = os.waitpid(pid, os.WNOHANG)
                if done:
                    status = os.waitstatus_to_exitcode(how)
                elif time.monotonic() > until:
                    os.kill(pid, 9)
                    os.waitpid(pid, 0)
                    status = 124
                else:
                    time.sleep(0.005)
            call.sendall(f"{status}\n".encode())


def warm_up():
    """Parses an empty project, so that children find the parsed text of dbt's own macros in a cache that dbt has for its tests."""
    import contextlib, io, tempfile

    from dbt.cli.main import dbtRunner
    from dbt_common.tests import enable_test_caching

    enable_test_caching()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        pathlib.Path(folder, "dbt_project.yml").write_text("{name: warm, profile: warm}\n")
        pathlib.Path(folder, "profiles.yml").write_text("warm: {target: a, outputs: {a: {type: duckdb}}}\n")
        words = ["parse", "--project-dir", folder, "--profiles-dir", folder, "--log-path", folder, "--no-send-anonymous-usage-stats"]
        if not dbtRunner().invoke(words).success:
            raise RuntimeError("real dbt does not parse an empty project")


def child(request):
    status = 70
    try:
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        for name, number in (("output", 1), ("output", 2)):
            file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(file, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["dbt", *request["args"]]
        status = invoke(request["now"])
    except BaseException:  # a child never goes back into the server
        import traceback

        traceback.print_exc()
    finally:
        import atexit

        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def invoke(now):
    from dbt.cli.main import cli
    from dbt_common.events.functions import reset_metadata_vars

    reset_metadata_vars()  # of the warming up: they are the caller's variables
    if now:
        import freezegun

        freezegun.freeze_time(now, tick=True).start()
    try:
        cli()
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else (0 if e.code is None else 1)
    return 0


class Control:
    """The caller's side."""

    def __init__(self, folder):
        self.path = str(pathlib.Path(folder) / "control.sock")
        self.server = subprocess.Popen([sys.executable, __file__, self.path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd="/")
        if self.server.stdout.readline() != "ready\n":
            raise RuntimeError("real dbt does not start")

    def run(self, args, env, cwd, output, seconds_max, now):
        with socket.socket(socket.AF_UNIX) as call:
            call.connect(self.path)
            request = {"args": args, "env": env, "cwd": cwd, "output": output, "seconds_max": seconds_max, "now": now}
            call.sendall(json.dumps(request).encode() + b"\n")
            with call.makefile("r") as lines:
                return int(lines.readline())

    def stop(self):
        with socket.socket(socket.AF_UNIX) as call:
            call.connect(self.path)
        self.server.wait(300)


if __name__ == "__main__":
    serve(sys.argv[1])
