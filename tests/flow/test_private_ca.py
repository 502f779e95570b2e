"""A private authority (AWS_CA_BUNDLE, TARN_CA_FILE, ca_file) and URLs in people's SQL: it counts when DuckDB loads httpfs by itself, and runs that meet no URL do not load it."""
import functools, http.server, os, pathlib, shutil, ssl, subprocess, sys, tempfile, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
import minio_server

TARN = os.environ.get("TARN", str(pathlib.Path(__file__).resolve().parents[2] / "build/tarn"))
LOADED = "select count(*) as n from duckdb_extensions() where loaded and extension_name = 'httpfs'"
passed = failed = 0


def check(what, good, why=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED", what, str(why)[-2500:])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder, authority):
    """An HTTPS server of the folder; its port."""
    minio_server.certificate(authority, folder.parent / "server")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder.parent / "server/public.crt", folder.parent / "server/private.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Project:
    def __init__(self, folder, program=TARN):
        self.dir, self.program = folder, program
        (folder / "models").mkdir(parents=True)
        (folder / "dbt_project.yml").write_text("name: p\nversion: '1.0'\nprofile: p\n")
        self.profile()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TARN_CA", "SSL_CERT", "DBT_"))}
        self.env.update(HOME=str(folder.parent), DBT_PROFILES_DIR=str(folder))

    def profile(self, more=""):
        (self.dir / "profiles.yml").write_text(f"p:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: p.duckdb{more}}}\n")

    def model(self, name, sql):
        (self.dir / f"models/{name}.sql").write_text(sql)

    def run(self, *words, **env):
        done = subprocess.run([self.program, *words], cwd=self.dir, env={**self.env, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        return done.returncode, done.stdout


def urls(base, port, ours, other):
    p = Project(base / "urls")
    p.model("far", f"{{{{ config(materialized='view') }}}}\nselect sum(a) as n from 'https://127.0.0.1:{port}/t.csv'")
    p.model("near", "{{ config(materialized='table') }}\nselect n from {{ ref('far') }}")
    for name in ("AWS_CA_BUNDLE", "TARN_CA_FILE"):
        status, out = p.run("build", **{name: str(ours)})
        check(f"{name}: a URL in a model", status == 0 and "PASS=2" in out, out)
        status, out = p.run("run", "--select", "near", **{name: str(ours)})
        check(f"{name}: a URL in a view that the database holds", status == 0, out)
        status, out = p.run("show", "--inline", f"select * from read_csv('https://127.0.0.1:{port}/' || 't.csv')", **{name: str(other)})
        check(f"{name}: another authority, a URL that is put together", status != 0 and "certificate" in out.lower(), out)
        status, out = p.run("run", "--select", "near", **{name: str(other)})
        check(f"{name}: another authority, a view", status != 0 and "certificate" in out.lower(), out)
    p.profile(f", ca_file: '{ours}'")
    status, out = p.run("build")
    check("ca_file of the profile", status == 0, out)
    p.profile(f", ca_file: '{ours}', extensions: [httpfs]")
    status, out = p.run("build")
    check("ca_file of the profile, httpfs loaded before it", status == 0, out)
    p.profile(f", settings: {{ca_cert_file: '{ours}'}}, extensions: [httpfs]")
    status, out = p.run("build", AWS_CA_BUNDLE=str(other))
    check("the user's own setting wins", status == 0, out)


def without(base, ours):
    """No URL: httpfs is neither loaded nor wanted."""
    p = Project(base / "without")
    p.model("seen", LOADED)
    status, out = p.run("show", "--select", "seen", "--output", "json", AWS_CA_BUNDLE=str(ours))
    check("httpfs is not loaded", status == 0 and '"n": 0' in out, out)
    alone = base / "alone"
    alone.mkdir()
    shutil.copy(os.path.realpath(TARN), alone / "dbt")
    q = Project(base / "copied", str(alone / "dbt"))
    q.env.pop("TARN_EXTENSION_DIR", None)
    q.model("one", "select 1 as one")
    for name in ("AWS_CA_BUNDLE", "TARN_CA_FILE"):
        status, out = q.run("build", **{name: str(ours)})
        check(f"a program without its extensions, {name}", status == 0 and "PASS=1" in out, out)


def main():
    with tempfile.TemporaryDirectory(prefix="ca-") as base:
        base = pathlib.Path(base)
        ours, other = minio_server.authority(base / "ours", "ours"), minio_server.authority(base / "other", "other")
        (base / "files").mkdir()
        (base / "files/t.csv").write_text("a\n1\n2\n39\n")
        port = serve(base / "files", base / "ours")
        urls(base, port, ours, other)
        without(base, ours)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
