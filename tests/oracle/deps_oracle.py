"""`deps` of tarn against dbt's on the same projects: package-lock.yml, packages.yml after --add-package, what is installed, messages of failures.

    python tests/oracle/deps_oracle.py [--tarn PROGRAM]

A hub with archives is served from this process; git repositories are made in a folder.
"""
import argparse
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading

# dbt imports every module of the path whose name starts with dbt_, as a plugin; those beside this one are tests.
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != os.path.dirname(os.path.abspath(__file__))]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")


def archive(name, version, more=()):
    """`name-version/` with a project of that name in it."""
    out = io.BytesIO()
    top = "%s-%s" % (name, version)
    files = {"dbt_project.yml": "name: %s\nversion: '%s'\n" % (name, version), "macros/m.sql": "{%% macro %s_version() %%}%s{%% endmacro %%}\n" % (name, version),
             "models/" + "long_" * 30 + "name/" + "x" * 40 + ".sql": "select 1", **dict(more)}
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(top + "/" + path)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


class Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        base = "http://127.0.0.1:%d" % self.server.server_port
        packages = {"acme/alpha": {"0.9.0": [], "1.0.0": [], "1.1.0": [{"package": "acme/beta", "version": ">=0.2.0"}], "1.2.0-rc1": [], "2.0.0": []},
                    "acme/beta": {"0.1.0": [], "0.2.0": [], "0.3.0": [], "0.4.0": []}}
        need = {("acme/beta", "0.4.0"): [">=9.0.0"], ("acme/alpha", "2.0.0"): [">=1.0.0", "<3.0.0"]}
        body, status = b"", 200
        if self.path == "/api/v1/index.json":
            body = json.dumps(sorted(packages)).encode()
        elif self.path.startswith("/api/v1/") and self.path[8:-5] in packages:
            name = self.path[8:-5]
            body = json.dumps({"name": name.split("/")[1], "namespace": "acme", "versions": {
                v: {"name": name.split("/")[1], "version": v, "packages": inner, "downloads": {"tarball": "%s/moved/%s/%s.tar.gz" % (base, name, v)},
                    "require_dbt_version": need.get((name, v), [])} for v, inner in packages[name].items()}}).encode()
        elif self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", "/tar/" + self.path[7:])
            self.end_headers()
            return
        elif self.path.startswith("/tar/"):
            _, _, _, name, file = self.path.split("/")
            body = archive(name, file[:-7])
        elif self.path.startswith("/evil"):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w:gz") as tar:
                info = tarfile.TarInfo("../evil.txt")
                tar.addfile(info, io.BytesIO(b""))
            body = out.getvalue()
        else:
            status = 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def git(folder, *words):
    subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main", *words], check=True, capture_output=True)


def repository(folder):
    os.makedirs(os.path.join(folder, "sub"))
    with open(os.path.join(folder, "dbt_project.yml"), "w") as f:
        f.write("name: gitty\n")
    with open(os.path.join(folder, "sub", "dbt_project.yml"), "w") as f:
        f.write("name: deeper\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "v1")
    with open(os.path.join(folder, "more.txt"), "w") as f:
        f.write("two")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "two")


def tree(folder):
    out = {}
    base = os.path.join(folder, "dbt_packages")
    for at, dirs, files in os.walk(base, followlinks=True):
        if ".git" in dirs:
            dirs.remove(".git")
        for name in files:
            path = os.path.join(at, name)
            with open(path, "rb") as f:
                out[os.path.relpath(path, base)] = f.read()
    return out


def text_of(path):
    return open(path).read() if os.path.exists(path) else None


def lines(text):
    keep = ["Installing", "Installed", "Updated version", "Up to date", "Updates available", "and subdirectory", "No packages", "Added new", "Found duplicate", "not pinned", "pinned to"]
    out = [line.split("  ", 1)[-1].split(": ", 1)[-1] if "WARNING" in line else line.split("  ", 1)[-1].strip() for line in text.splitlines() if any(k in line for k in keep)]
    out = ["".join(sorted(line)) if "removing" in line else line for line in out]  # a dict, in any order
    return [line for i, line in enumerate(out) if line not in out[:i]]  # dbt says some things twice


def cases(repo, base):
    local = {"mine/dbt_project.yml": "name: mine\n", "mine/packages.yml": "packages:\n  - package: acme/beta\n    version: 0.2.0\n", "mine/macros/a.sql": "{% macro a() %}1{% endmacro %}"}
    yield "a version", {"packages.yml": "packages:\n  - package: acme/alpha\n    version: 1.0.0\n"}, [[]]
    yield "bounds, and a package of the package", {"packages.yml": "packages:\n  - package: acme/alpha\n    version: ['>=1.0.0', '<2.0.0']\n"}, [[]]
    yield "a prerelease", {"packages.yml": "packages:\n  - package: acme/alpha\n    version: ['>=1.1.0', '<2.0.0']\n    install_prerelease: true\n"}, [[]]
    yield "for another dbt", {"packages.yml": "packages:\n  - package: acme/beta\n    version: '>=0.1.0'\n"}, [[], ["--no-version-check", "--upgrade"]]
    yield "bounds from two sides", {"packages.yml": "packages:\n  - package: acme/beta\n    version: ['>=0.1.0', '<0.4.0']\n  - local: mine\n", **local}, [[]]
    yield "no such version", {"packages.yml": "packages:\n  - package: acme/beta\n    version: 7.0.0\n"}, [[]]
    yield "no such package", {"packages.yml": "packages:\n  - package: acme/gamma\n    version: 7.0.0\n"}, [[]]
    yield "git by tag and below", {"packages.yml": "packages:\n  - git: %s\n    revision: v1\n  - git: %s\n    revision: v1\n    subdirectory: sub\n" % (repo, repo)}, [[]]
    yield "git unpinned", {"packages.yml": "packages:\n  - git: %s\n" % repo}, [[]]
    yield "git, no warning", {"packages.yml": "packages:\n  - git: %s\n    revision: main\n    warn-unpinned: false\n" % repo}, [[]]
    yield "git by the environment", {"packages.yml": "packages:\n  - git: \"{{ env_var('THE_REPO') }}\"\n    revision: v1\n"}, [[]]
    yield "git twice", {"packages.yml": "packages:\n  - git: %s\n    revision: v1\n  - git: %s\n    revision: main\n" % (repo, repo)}, [[]]
    yield "an archive", {"packages.yml": "packages:\n  - tarball: %s/tar/acme/alpha/1.0.0.tar.gz\n    name: renamed\n" % base}, [[]]
    yield "dependencies.yml", {"dependencies.yml": "packages:\n  - package: acme/beta\n    version: 0.3.0\n"}, [[]]
    yield "both files", {"dependencies.yml": "packages: []\n", "packages.yml": "packages:\n  - package: acme/beta\n    version: 0.3.0\n"}, [[]]
    yield "none", {"packages.yml": "packages: []\n"}, [[]]
    yield "no file", {}, [[]]
    yield "the lock only", {"packages.yml": "packages:\n  - package: acme/beta\n    version: 0.3.0\n"}, [["--lock"], []]
    yield "the lock is kept, then upgraded", {"packages.yml": "packages:\n  - package: acme/beta\n    version: ['>=0.1.0', '<0.3.0']\n"}, [[], "packages:\n  - package: acme/beta\n    version: ['>=0.1.0', '<0.4.0']\n", [], ["--upgrade"]]
    yield "add a package", {"packages.yml": "packages:\n  - package: acme/alpha\n    version: 0.9.0\n  - local: mine\n", **local}, [["--add-package", "acme/alpha@1.0.0", "--lock"], ["--add-package", "acme/beta@>=0.1.0,<0.4.0"]]
    yield "add to nothing", {}, [["--add-package", "acme/beta@0.1.0"]]
    yield "add a git package", {}, [["--add-package", repo + "@v1", "--source", "git"]]
    yield "the same name twice", {"packages.yml": "packages:\n  - local: mine\n  - local: other\n", **local, "other/dbt_project.yml": "name: mine\n"}, [[]]
    yield "the root's name", {"packages.yml": "packages:\n  - local: other\n", "other/dbt_project.yml": "name: root\n"}, [[]]
    yield "malformed", {"packages.yml": "packages:\n  - nothing: here\n"}, [[]]
    yield "leads out", {"packages.yml": "packages:\n  - tarball: %s/evil.tar.gz\n    name: evil\n" % base}, [[]]


def run(program, files, steps, folder):
    os.makedirs(folder)
    for name, text in {"dbt_project.yml": "name: root\nprofile: root\n", **files}.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
    seen = []
    for step in steps:
        if isinstance(step, str):
            with open(os.path.join(folder, "packages.yml"), "w") as f:
                f.write(step)
            continue
        status, out = program(folder, step)
        seen.append({"status": min(status, 1), "lock": text_of(os.path.join(folder, "package-lock.yml")), "packages": text_of(os.path.join(folder, "packages.yml")),
                     "tree": tree(folder) if status == 0 else None, "lines": lines(out) if status == 0 else None, "out": out})
    return seen


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--tarn", default=os.environ.get("TARN", os.path.join(ROOT, "build", "tarn")))
    ap.add_argument("--only", default="")
    opts = ap.parse_args()
    tarn = os.path.abspath(opts.tarn)
    work = tempfile.mkdtemp(prefix="deps-oracle-")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = "http://127.0.0.1:%d" % server.server_port
    repo = os.path.join(work, "repo")
    repository(repo)
    os.environ.update(DBT_PACKAGE_HUB_URL=base + "/", THE_REPO=repo, NO_COLOR="1", DBT_SEND_ANONYMOUS_USAGE_STATS="0", DBT_PROFILES_DIR=work, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="core.hooksPath", GIT_CONFIG_VALUE_0="/dev/null")
    from dbt.cli.main import dbtRunner
    from dbt_common.utils import connection

    connection.time.sleep = lambda _: None  # dbt waits between its five tries

    def with_dbt(folder, step):
        out, here = [], os.getcwd()
        os.chdir(folder)
        shown, sys.stdout = sys.stdout, open(os.devnull, "w")
        try:
            got = dbtRunner(callbacks=[lambda e: out.append(e.info.msg) if e.info.level in ("info", "warn", "error") else None]).invoke(["--quiet", "deps", *step])
            return 0 if got.success else 2, "\n".join("  " + line for m in out for line in m.splitlines()) + str(got.exception or "")
        finally:
            sys.stdout = shown
            os.chdir(here)

    def with_tarn(folder, step):
        got = subprocess.run([tarn, "deps", *step], cwd=folder, capture_output=True, text=True)
        return got.returncode, got.stdout + got.stderr

    count = bad = 0
    for i, (name, files, steps) in enumerate(cases(repo, base)):
        if opts.only not in name:
            continue
        both = [run(program, files, steps, os.path.join(work, "%s%d" % (who, i), "p")) for who, program in (("dbt", with_dbt), ("tarn", with_tarn))]
        for k, (want, got) in enumerate(zip(*both)):
            for side in (want, got):  # after --add-package dbt's own hash is not that of its next run
                side["lock"] = (side["lock"] or "").split("sha1_hash")[0] if name.startswith("add") else side["lock"]
                side["lines"] = [line.replace("/%s%d/" % ("dbt" if side is want else "tarn", i), "/") for line in side["lines"]] if side["lines"] else side["lines"]
            count += 1
            different = [key for key in ("status", "lock", "packages", "tree", "lines") if want[key] != got[key] and not (key in ("lock", "packages") and want["status"])]
            bad += bool(different)
            for key in different:
                if key == "tree":
                    want[key], got[key] = sorted(want[key] or {}), sorted(got[key] or {})
                print("%s, step %d: %s\n  dbt:  %r\n  tarn: %r\n  (%s)" % (name, k, key, want[key], got[key], got["out"].strip()[-300:]))
    shutil.rmtree(work, ignore_errors=True)
    print("%d passed, %d failed" % (count - bad, bad))
    return 1 if bad else 0


sys.exit(main())
