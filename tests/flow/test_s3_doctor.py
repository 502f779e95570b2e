"""tarn lake doctor: what it finds on a good bucket, and the words for each thing that can be wrong on the way to one."""
import http.server, json, re, shutil, subprocess, sys, threading, urllib.parse

from s3_hosts import Door
from s3_flow import TARN, Bucket, Minio, equal, has, minio_server, run_cases
from minio_server import free_port

CASES = []
SLOW_US = 200_000  # from where on the doctor calls a small read slow


def case(fn):
    CASES.append(fn)
    return fn


def doctor(b, url=None, status=None, **env):
    """{check: {state, says, remedy}} and, for people, the same as text in b.out."""
    p = b.start(url or "s3://lake/doctor", "lake", "doctor", env=env)
    b.out, err = p.communicate(timeout=600)
    b.said += b.out + err
    if status is not None:
        equal((p.returncode, err if p.returncode > 1 else ""), (status, ""))
    p = b.start(url or "s3://lake/doctor", "lake", "doctor", "--output", "json", env=env)
    out, err = p.communicate(timeout=600)
    b.said += out + err
    d = json.loads(out)
    equal(d["ok"], p.returncode == 0)
    found = {c["check"]: c for c in d["checks"]}
    slow = found.get("latency", {"us": None})["us"]
    if slow is not None and slow > SLOW_US:  # a machine at its limits; that it is told so is right
        equal(found["latency"]["state"], "warning")
        found["latency"]["state"] = "ok"
    return found


def states(found):
    return {k: v["state"] for k, v in found.items()}


@case
def a_good_bucket(b):
    found = doctor(b, status=0)
    equal(list(found), ["settings", "name", "connection", "tls", "credentials", "clock", "list", "put", "get", "put-if-absent", "parts", "latency",
                        "delete", "duckdb"])
    equal(set(states(found).values()), {"ok"})
    has(found["tls"]["says"], "signed by 'tarn test CA'")
    has(found["put-if-absent"]["says"], "exactly one won")
    has(b.out, "everything that a lake needs works here")
    left = b.duckdb().execute("SELECT file FROM glob('s3://lake/doctor/**')").fetchall()
    equal(left, [])


@case
def a_folder(b):
    (b.work / "folder").mkdir()
    equal(set(states(doctor(b, str(b.work / "folder"), status=0)).values()), {"ok"})
    equal(list((b.work / "folder").iterdir()), [])


@case
def a_wrong_authority(b):
    other = minio_server.authority(b.dir / "other", "another CA")
    with Door(b.minio.port) as door:
        found = doctor(b, status=1, TARN_CA_FILE=str(other), AWS_ENDPOINT_URL=f"https://127.0.0.1:{door.port}")
    equal(states(found)["connection"], "ok")
    has(found["tls"]["says"], "is signed by 'tarn test CA', which is not in ca_file")
    has(found["tls"]["remedy"], "--ca-file")
    assert door.opened <= 2 * 2, door.opened  # two runs: a connection, and one for TLS; none is tried again
    equal({v for k, v in states(found).items() if k not in ("settings", "name", "connection", "tls")}, {"skipped"})
    equal(states(doctor(b, status=1, TARN_CA_FILE=str(b.dir / "not-there.crt")))["tls"], "failed")


@case
def a_certificate_of_another_name_and_an_expired_one(b):
    found = doctor(b, status=1, AWS_ENDPOINT_URL=b.minio.endpoint.replace("127.0.0.1", "127.0.0.2"))
    has(found["tls"]["says"] + found["connection"]["says"], "127.0.0.2")  # refused by name, or nobody listens there
    with ServerOf(b, "expired", days="-1") as port:
        found = doctor(b, status=1, AWS_ENDPOINT_URL=f"https://127.0.0.1:{port}")
        has(found["tls"]["says"], "has expired on")
        has(found["tls"]["remedy"], "renew it")
    with ServerOf(b, "named", names="DNS:minio.example") as port:
        found = doctor(b, status=1, AWS_ENDPOINT_URL=f"https://127.0.0.1:{port}")
        has(found["tls"]["says"], "is for 'minio.example', not for that name")
        has(found["tls"]["remedy"], "subjectAltName")


class ServerOf:
    """A TLS server with a certificate of the test's authority and nothing behind it."""

    def __init__(self, b, name, **certificate):
        from s3_proxy import Proxy
        minio_server.certificate(b.minio.folder / "ca", b.dir / name, **certificate)
        self.proxy = Proxy(b.minio.port, certs=b.dir / name, ca=b.minio.ca)

    def __enter__(self):
        return self.proxy.start().port

    def __exit__(self, *_):
        self.proxy.stop()


@case
def names_ports_and_schemes(b):
    found = doctor(b, status=1, AWS_ENDPOINT_URL="https://nowhere.invalid")
    equal(states(found)["name"], "failed")
    found = doctor(b, status=1, AWS_ENDPOINT_URL=f"https://127.0.0.1:{free_port()}")
    equal(states(found)["connection"], "failed")
    has(found["connection"]["remedy"], "is the server running")
    plain = b.minio.endpoint.replace("https", "http")
    found = doctor(b, status=1, AWS_ENDPOINT_URL=plain)
    has(found["settings"]["remedy"], "allow_http")
    found = doctor(b, status=1, AWS_ENDPOINT_URL=plain, AWS_ALLOW_HTTP="true")
    has(found["credentials"]["says"], "sent an HTTP request to an HTTPS server")
    has(found["credentials"]["remedy"], "https")
    found = doctor(b, status=1, HTTPS_PROXY=f"http://127.0.0.1:{free_port()}")
    has(found["connection"]["says"], "no connection to the proxy")
    has(found["connection"]["remedy"], "no_proxy")


class Console(http.server.BaseHTTPRequestHandler):
    """What else may answer at a port: a web server with its pages."""

    def do_GET(self):
        body = b"<!doctype html><html><head><title>Console</title></head></html>"
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@case
def a_port_that_is_no_store(b):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Console)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for server.status in (200, 403, 404):
            env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ALLOW_HTTP": "true"}
            found = doctor(b, status=1, **env)
            has(found["credentials"]["says"], "is no S3 store")
            has(found["credentials"]["remedy"], "console")
            b.run("s3://lake/none", "sql", "from a.b", status=2, env=env)
            has(b.err, "is no S3 store")
    finally:
        server.shutdown()


@case
def rights_that_a_key_lacks(b):
    """Each right of its own, refused by a proxy as a policy would."""
    from s3_proxy import Proxy
    denied = {"credentials": lambda method, path: method == "GET" and "list-type" in path, "put": lambda method, path: method in ("PUT", "POST"),
              "get": lambda method, path: method == "GET" and "_tarn_doctor" in path and "list-type" not in path,
              "delete": lambda method, path: method == "DELETE" or "delete=" in path}
    rights = {"credentials": "s3:ListBucket", "put": "s3:PutObject", "get": "s3:GetObject", "delete": "s3:DeleteObject"}
    for check, rule in denied.items():
        proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca,
                      check=lambda method, path, headers: (403, "AccessDenied") if rule(method, path) else None).start()
        try:
            found = doctor(b, status=1, AWS_ENDPOINT_URL=f"https://127.0.0.1:{proxy.port}")
        finally:
            proxy.stop()
        equal((check, states(found)[check]), (check, "failed"))
        has(found[check]["remedy"], rights[check])
    for path in (b.minio.data / "lake").glob("doctor/_tarn_doctor*"):
        shutil.rmtree(path)


@case
def keys_and_buckets(b):
    found = doctor(b, status=1, AWS_SECRET_ACCESS_KEY="not-the-secret")
    has(found["credentials"]["remedy"], "the secret (from the environment) does not belong to the key id")
    equal(states(found)["clock"], "ok")
    found = doctor(b, status=1, AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="not-the-secret")
    has(found["credentials"]["remedy"], "does not know the key id (from the environment)")
    found = doctor(b, status=1, AWS_SESSION_TOKEN="of-another")
    has(found["credentials"]["remedy"], "session token")
    found = doctor(b, status=1, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    has(found["credentials"]["remedy"], "no access key was found")
    found = doctor(b, "s3://no-such-bucket/x", status=1)
    has(found["credentials"]["says"], "does not exist")
    assert "not-the-secret" not in b.said


@case
def a_wrong_clock(b):
    found = doctor(b, TARN_FIXED_TIME="1700000000000000")
    equal(states(found)["clock"], "warning")
    has(found["clock"]["says"], "days behind the server")
    has(found["clock"]["remedy"], "set the clock")
    equal(states(found)["put-if-absent"], "ok")  # tarn signs with the server's time


@case
def a_server_that_wants_a_client_certificate(b):
    from s3_proxy import Proxy
    minio_server.authority(b.dir / "clients", "client CA")
    minio_server.certificate(b.dir / "clients", b.dir / "me", usage="clientAuth")
    project = b.work / "client"
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: c\nversion: '1.0'\nprofile: c\n")
    proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca, client_ca=b.dir / "clients/ca.crt").start()
    try:
        def look(more):
            (project / "profiles.yml").write_text(
                f"c: {{target: dev, outputs: {{dev: {{type: tarn, schema: main, lake: 's3://lake/client', storage: {{endpoint: 'https://127.0.0.1:{proxy.port}', "
                f"key_id: {Minio.KEY}, secret: {Minio.SECRET}, ca_file: {b.minio.ca}{more}}}}}}}}}\n")
            env = {k: v for k, v in b.env.items() if k not in b.minio.env()}
            done = subprocess.run([TARN, "lake", "doctor", "--output", "json"], cwd=project, env=env, capture_output=True, text=True, timeout=600)
            return {c["check"]: c for c in json.loads(done.stdout)["checks"]}
        found = look(f", client_cert: {b.dir}/me/public.crt, client_key: {b.dir}/me/private.key")
        equal({k: v for k, v in states(found).items() if v != "ok"}, {"duckdb": "failed"})
        has(found["duckdb"]["remedy"], "no client certificate")
        found = look("")
        bad = [c for c in found.values() if c["state"] == "failed"]
        has(str(bad), "client_cert")
    finally:
        proxy.stop()


class Careless(http.server.BaseHTTPRequestHandler):
    """A store that takes If-None-Match and ignores it, as some emulators do."""
    protocol_version = "HTTP/1.1"
    objects = {}

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"one"')
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        self.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if "list-type" in query:
            prefix = urllib.parse.parse_qs(query).get("prefix", [""])[0]
            names = [urllib.parse.unquote(k).split("/", 2)[2] for k in sorted(self.objects)]
            body = "".join(f"<Contents><Key>{n}</Key><Size>1</Size></Contents>" for n in names if n.startswith(prefix))
            self.answer(200, f"<ListBucketResult>{body}<IsTruncated>false</IsTruncated></ListBucketResult>".encode())
        elif path not in self.objects:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif "Range" in self.headers:
            first, last = map(int, re.match(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
            self.answer(206, self.objects[path][first:last + 1])
        else:
            self.answer(200, self.objects[path])

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        path, _, query = self.path.partition("?")
        if "uploads" in query:
            self.answer(200, b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        elif "uploadId" in query:
            parts = sorted(k for k in self.objects if k.startswith(path + "?"))
            self.objects[path] = b"".join(self.objects.pop(k) for k in parts)
            self.answer(200, b"<CompleteMultipartUploadResult><ETag>one</ETag></CompleteMultipartUploadResult>")
        else:
            self.answer(501, b"<Error><Code>NotImplemented</Code></Error>")

    def do_DELETE(self):
        self.objects.pop(self.path, None)
        self.answer(204)

    def log_message(self, *_):
        pass


@case
def a_store_that_ignores_conditions_is_refused(b):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ALLOW_HTTP": "true"}
    try:
        found = doctor(b, status=1, **env)
        equal(states(found)["put-if-absent"], "failed")
        has(found["put-if-absent"]["says"], "ignores If-None-Match")
        b.run("s3://lake/careless", "sql", "create table a.b as select 1 as x", status=None, env=env)
        has(b.err, "ignores If-None-Match")
        equal([k for k in Careless.objects if "_delta_log" in k or "_tarn/log" in k], [])
    finally:
        server.shutdown()


@case
def no_key_is_printed(b):
    assert Minio.SECRET not in b.said, "the secret is in the output"


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else ""))
