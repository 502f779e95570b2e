#!/usr/bin/env python3
"""Keys that somebody lends for seconds, against a real MinIO: its token service makes them, a server of the test hands them out as a container's or an
instance's service does, and a proxy sees with which of them each request is signed. Long runs renew them in time, tarn's own requests and DuckDB's.
Processes, roles and profiles that lend, too.

What is asserted holds on a machine of any speed: a key may run out while a statement is at work, but no statement begins with one that has."""
import datetime, http.server, json, os, pty, select, subprocess, sys, threading, time, urllib.parse

from s3_flow import TARN, Minio, assume_role, equal, has, run_cases
from s3_proxy import Proxy

CASES = []
UTC = datetime.timezone.utc


def case(fn):
    CASES.append(fn)
    return fn


class Lender:
    """Lends keys that are said to be good for `seconds`; .env sends tarn to a proxy that notes their uses, and refuses those that were ended."""

    def __init__(self, b, seconds):
        self.b, self.seconds, self.until, self.ended, self.lent, self.refused = b, seconds, {}, set(), 0, 0
        self.uses = []  # (seconds, key, method, path)
        self.secrets, self.failing = [], False

    def document(self):
        key, secret, token = assume_role(self.b)
        self.until[key] = time.time() + self.seconds
        self.secrets += [secret, token]
        self.lent += 1
        expires = datetime.datetime.fromtimestamp(self.until[key], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "SessionToken": token, "Expiration": expires}

    def check(self, method, path, headers):
        key = headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]
        self.uses.append((time.time(), key, method, path))
        if key in self.ended or key not in self.until:
            self.refused += 1
            return 403, "ExpiredToken"

    def end_all(self):
        """Before their time, and nobody is told."""
        self.ended |= self.until.keys()

    def wait_until_all_have_run_out(self):
        while time.time() <= max(self.until.values()):
            time.sleep(0.1)

    def check_uses(self, uses, since):
        """Whoever began at that time has taken no key that had run out then."""
        assert uses, "nothing was asked for"
        for at, key, method, path in uses:
            assert self.until[key] > since, f"{method} {path} is signed with a key that had run out {since - self.until[key]:.1f} s before it was begun"

    def __enter__(self):
        lender = self

        class Service(http.server.BaseHTTPRequestHandler):
            def say(self, body):
                self.send_response(500 if lender.failing else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                whole = self.path == "/creds" or self.path.endswith("/a-role")
                self.say(json.dumps(lender.document()).encode() if whole else b"a-role")

            def do_PUT(self):
                self.say(b"a-token")

            def log_message(self, *_):
                pass
        self.service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=self.service.serve_forever, daemon=True).start()
        self.proxy = Proxy(self.b.minio.port, certs=self.b.minio.folder / "certs", ca=self.b.minio.ca, check=self.check).start()
        here = f"http://127.0.0.1:{self.service.server_port}"
        self.env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL": f"https://127.0.0.1:{self.proxy.port}"}
        self.container = {**self.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI": here + "/creds"}
        self.instance = {**self.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT": here}
        return self

    def __exit__(self, *_):
        self.proxy.stop()
        self.service.shutdown()
        for secret in self.secrets:
            assert secret not in self.b.said, "a lent secret is in the output"


class Shell:
    """`tarn sql` on a terminal: one process whose statements are far apart in time."""

    def __init__(self, b, lake, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(b.work)
            os.execve(TARN, ["tarn", "--lake", lake, "sql"], {**b.env, **env, "TERM": "dumb"})
        self.b, self.text = b, ""

    def ask(self, line, until, seconds=300):
        os.write(self.fd, line.encode() + b"\n")
        end, got = time.time() + seconds, ""
        while until not in got and time.time() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    got += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        self.b.said += got
        assert until in got, f"no {until!r} after {line!r} in\n{got}"

    def end(self):
        os.write(self.fd, b".quit\n")
        equal(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), 0)


@case
def a_long_run_renews_them(b):
    """Statements over a time in which every key runs out several times."""
    lake, seconds = b.lake(), 6
    with Lender(b, seconds) as lender:
        for env in (lender.container, lender.instance):
            before, began = lender.lent, time.time()
            shell = Shell(b, lake, env)
            name = "t" + str(before)
            shell.ask(f"create table r.{name} as select 1 as x;", f"created r.{name}")
            for i in range(3):
                lender.wait_until_all_have_run_out()
                for statement, answer in ((f"insert into r.{name} values ({i});", "inserted 1 row"),
                                          (f"select 'rows' || count(*) as n from r.{name};", f"rows{i + 2}"),
                                          (f"select 'files' || count(*) as n from glob('{lake}/r/{name}/*.parquet');", f"files{i + 2}")):
                    seen, now = len(lender.uses), time.time()
                    shell.ask(statement, answer)
                    lender.check_uses(lender.uses[seen:], now)
            shell.end()
            # One for each time that they had run out, and no new one before three quarters of a life, which is told in whole seconds.
            assert 4 <= lender.lent - before <= 1 + (time.time() - began) / (0.75 * (seconds - 1)), (lender.lent - before, time.time() - began)
        equal(lender.refused, 0)


@case
def one_command_asks_once(b):
    lake = b.lake()
    with Lender(b, 3600) as lender:
        b.run(lake, "sql", "create table o.t as select 1 as x; insert into o.t values (2); from o.t", env=lender.container)
        equal((lender.lent, lender.refused), (1, 0))


@case
def a_build_renews_the_secrets_of_its_profile(b):
    """A model that takes longer than a key lives, then one that reads what it wrote; type duckdb, provider credential_chain."""
    project = b.work / "lent"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: s\nversion: '1.0'\nprofile: s\n")
    (project / "models/a.sql").write_text("{{ config(materialized='external', location='s3://lake/lent/a.parquet') }}\nselect 7 as i")
    (project / "models/slow.sql").write_text("{{ config(materialized='table') }} select sleep_ms(6000) as n, (select max(i) from {{ ref('a') }}) as i")
    (project / "models/z.sql").write_text("{{ config(materialized='external', location='s3://lake/lent/z.parquet') }}\nselect s.i, s.n from {{ ref('a') }}, {{ ref('slow') }} s")
    with Lender(b, 4) as lender:  # slow takes six seconds
        (project / "profiles.yml").write_text(
            f"s:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: s.duckdb\n      extensions: [httpfs]\n      ca_file: {b.minio.ca}\n"
            f"      secrets:\n        - {{type: s3, provider: credential_chain, endpoint: '127.0.0.1:{lender.proxy.port}', url_style: path, region: us-east-1}}\n")
        env = {k: v for k, v in {**b.env, **lender.container}.items() if v and k != "AWS_ENDPOINT_URL"}
        done = subprocess.run([TARN, "build", "--threads", "1"], cwd=project, env=env, capture_output=True, text=True, timeout=600)
        b.said += done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr
        equal(lender.refused, 0)
        slow_began = min(at for at, _, method, path in lender.uses if method == "PUT" and "/lent/a.parquet" in path)  # or later
        lender.check_uses([u for u in lender.uses if "/lent/z.parquet" in u[3]], slow_began + 6)
    equal(b.duckdb().execute("select i from 's3://lake/lent/z.parquet'").fetchall(), [(7,)])


@case
def a_key_that_ends_early_is_replaced(b):
    """It was said to be good for an hour: the refusal tells."""
    lake = b.lake()
    with Lender(b, 3600) as lender:
        shell = Shell(b, lake, lender.container)
        shell.ask("create table e.t as select 1 as x;", "created e.t")
        lender.end_all()
        p = b.start(lake, "table", "history", "e.t", env=lender.container)
        p.communicate(timeout=600)
        shell.ask(".tables", "(1 row)")
        shell.end()
        assert lender.refused >= 1 and lender.lent >= 3, (lender.refused, lender.lent)  # the shell's two and the other process's


@case
def a_lender_that_is_away_is_told(b):
    with Lender(b, 3600) as lender:
        lender.failing = True
        b.run(b.lake(), "sql", "from a.b", status=2, env=lender.container)
        has(b.err, "asking the container's credentials service for a key")


def profile(b, text, name="default", keys=""):
    folder = b.work / f"aws{b.count}"
    b.count += 1
    folder.mkdir()
    (folder / "config").write_text(text)
    (folder / "credentials").write_text(keys)
    return {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"), "AWS_PROFILE": name}


@case
def a_process_lends(b):
    lake = b.lake()
    with Lender(b, 3600) as lender:
        script = b.work / "lend.py"
        script.write_text(f"import urllib.request\nprint(urllib.request.urlopen('{lender.container['AWS_CONTAINER_CREDENTIALS_FULL_URI']}').read().decode())")
        env = {**profile(b, f"[profile p]\nregion = us-east-1\ncredential_process = {sys.executable} {script}\n", "p"), "AWS_ENDPOINT_URL": lender.env["AWS_ENDPOINT_URL"]}
        b.run(lake, "sql", "create table p.t as select 1 as x", env=env)
        equal(lender.lent, 1)
        b.run(lake, "lake", "doctor", env=env)
        has(b.out, "key from credential_process")
    env["AWS_CONFIG_FILE"] = profile(b, "[profile p]\ncredential_process = exit 3\n", "p")["AWS_CONFIG_FILE"]
    b.run(lake, "sql", "from p.t", status=2, env=env)
    has(b.err, "credential_process")
    has(b.err, "status 3")


@case
def a_role_by_a_source_profile(b):
    """MinIO's token service, asked over TLS with the bucket's authority."""
    lake = b.lake()
    keys = f"[base]\naws_access_key_id = {Minio.KEY}\naws_secret_access_key = {Minio.SECRET}\n"
    env = {**profile(b, "[profile r]\nrole_arn = arn:minio:iam:::role/any\nsource_profile = base\n", "r", keys), "AWS_ENDPOINT_URL_STS": b.minio.endpoint}
    b.run(lake, "sql", "create table p.t as select 1 as x", env=env)
    b.run(lake, "lake", "doctor", env=env)
    has(b.out, "key from the role")
    env["AWS_SHARED_CREDENTIALS_FILE"] = profile(b, "", keys=keys.replace(Minio.SECRET, "not-the-secret"))["AWS_SHARED_CREDENTIALS_FILE"]
    b.run(lake, "sql", "from p.t", status=2, env=env)
    has(b.err, "taking on the role 'arn:minio:iam:::role/any'")
    assert "not-the-secret" not in b.err


@case
def the_token_service_is_reached_past_the_proxy(b):
    """As the bucket is: hosts in no_proxy straight."""
    keys = f"[base]\naws_access_key_id = {Minio.KEY}\naws_secret_access_key = {Minio.SECRET}\n"
    role = "[profile r]\nrole_arn = arn:minio:iam:::role/any\nsource_profile = base\nproxy_url = http://127.0.0.1:1\n"
    env = {**profile(b, role + "no_proxy = 127.0.0.1\n", "r", keys), "AWS_ENDPOINT_URL_STS": b.minio.endpoint}
    b.run(b.lake(), "sql", "create table p.t as select 1 as x", env=env)
    env["AWS_CONFIG_FILE"] = profile(b, role, "r")["AWS_CONFIG_FILE"]
    b.run(b.lake(), "sql", "from p.t", status=2, env=env)
    has(b.err, "no connection to the proxy '127.0.0.1:1'")


@case
def a_web_identity(b):
    """As Kubernetes has it: a token in a file, named by the environment."""
    asked = []

    class Sts(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())))
            key, secret, token = assume_role(b)
            body = (f'<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>'
                    f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>"
                    f"<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>").encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (b.work / "identity").write_text("the-identity-token\n")
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ROLE_ARN": "arn:aws:iam::1:role/web", "AWS_WEB_IDENTITY_TOKEN_FILE": str(b.work / "identity"),
           "AWS_ROLE_SESSION_NAME": "a session", "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{server.server_port}"}
    try:
        b.run(b.lake(), "sql", "create table p.t as select 1 as x; from p.t", env=env)
    finally:
        server.shutdown()
    equal(len(asked), 1)
    equal({k: asked[0][k] for k in ("Action", "RoleArn", "RoleSessionName", "WebIdentityToken")},
          {"Action": "AssumeRoleWithWebIdentity", "RoleArn": "arn:aws:iam::1:role/web", "RoleSessionName": "a session", "WebIdentityToken": "the-identity-token"})
    assert "the-identity-token" not in b.said


@case
def profiles_that_do_not_work_are_named(b):
    lake = b.lake()
    b.run(lake, "sql", "from a.b", status=2, env=profile(b, "[profile s]\nsso_session = corp\nsso_account_id = 1\n", "s"))
    has(b.err, "the profile 's' signs in by SSO")
    has(b.err, "export-credentials")
    b.run(lake, "sql", "from a.b", status=2, env=profile(b, "", "nowhere"))
    has(b.err, "there is no profile 'nowhere'")
    b.run(lake, "sql", "from a.b", status=2, env=profile(b, "[profile r]\nrole_arn = x\nsource_profile = gone\n", "r"))
    has(b.err, "there is no profile 'gone' (source_profile)")


@case
def region_and_endpoint_of_a_profile(b):
    keys = f"[p]\naws_access_key_id = {Minio.KEY}\naws_secret_access_key = {Minio.SECRET}\n"
    env = {**profile(b, f"[profile p]\nendpoint_url = {b.minio.endpoint}\nregion = us-east-1\ns3 =\n  addressing_style = path\n", "p", keys), "AWS_ENDPOINT_URL": ""}
    b.run(b.lake(), "sql", "create table p.t as select 1 as x", env=env)


@case
def keys_are_in_no_output(b):
    assert b.said and Minio.SECRET not in b.said


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else ""))
