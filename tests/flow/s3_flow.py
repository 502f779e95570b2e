"""What the flows over a bucket share: a real MinIO with a work folder in which commands run, and checks."""
import datetime, hashlib, hmac, json, os, pathlib, ssl, subprocess, sys, tempfile, urllib.request
import xml.etree.ElementTree as xml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
import minio_server
from minio_server import Minio

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARN = os.environ.get("TARN", str(ROOT / "build/tarn"))


class Bucket:
    """A MinIO with the bucket `lake`, and a work folder in which commands run."""

    def __init__(self, tls=True, **where):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="s3-"))
        self.work = self.dir / "work"
        self.work.mkdir()
        self.minio = Minio(self.dir / "minio", tls=tls, buckets=("lake", "inbox"), **where).start()
        drop = ("TARN_", "AWS_", "DBT_", "SSL_CERT", "CURL_CA")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
        if "TARN_EXTENSION_DIR" in os.environ:
            self.env["TARN_EXTENSION_DIR"] = os.environ["TARN_EXTENSION_DIR"]
        self.env.update(HOME=str(self.work), NO_COLOR="1", **self.minio.env())
        self.said = ""
        self.count = 0

    def lake(self):
        self.count += 1
        return f"s3://lake/l{self.count}"

    def start(self, lake, *words, env=None, within=()):
        return subprocess.Popen([*within, TARN, "--lake", lake, *words], cwd=self.work, env={**self.env, **(env or {})}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, lake, *words, status=0, env=None):
        p = self.start(lake, *words, env=env)
        self.out, self.err = p.communicate(timeout=600)  # for what hangs
        self.said += self.out + self.err
        assert status is None or p.returncode == status, f"{words}: status {p.returncode}, not {status}\n{self.out}{self.err}"
        return self.out

    def rows(self, lake, sql, **kw):
        return json.loads(self.run(lake, "sql", "--format", "json", sql, **kw))

    def file(self, name, text):
        (self.work / name).write_text(text)
        return name

    def duckdb(self):
        import duckdb
        con = duckdb.connect()
        folder = self.env.get("TARN_EXTENSION_DIR", str(ROOT / "build/deps/extensions"))
        con.execute(f"LOAD '{folder}/v1.5.5/linux_amd64/httpfs.duckdb_extension'")
        if self.minio.tls:
            con.execute(f"SET GLOBAL ca_cert_file = '{self.minio.ca}'")
        con.execute(f"CREATE SECRET m (TYPE s3, KEY_ID '{Minio.KEY}', SECRET '{Minio.SECRET}', REGION 'us-east-1', URL_STYLE 'path', "
                    f"ENDPOINT '127.0.0.1:{self.minio.port}', USE_SSL {str(self.minio.tls).lower()})")
        return con

    def close(self):
        self.minio.close()


def assume_role(b):
    """A key of MinIO's token service: (id, secret, token), good for a quarter of an hour at least, whatever the test says about it."""
    body = b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=900"
    now = datetime.datetime.now(datetime.timezone.utc)
    date, day, host = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d"), f"127.0.0.1:{b.minio.port}"
    kind = "application/x-www-form-urlencoded"
    canonical = f"POST\n/\n\ncontent-type:{kind}\nhost:{host}\nx-amz-date:{date}\n\ncontent-type;host;x-amz-date\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/us-east-1/sts/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    step = ("AWS4" + Minio.SECRET).encode()
    for word in scope.split("/"):
        step = hmac.new(step, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(step, text.encode(), hashlib.sha256).hexdigest()
    auth = f"AWS4-HMAC-SHA256 Credential={Minio.KEY}/{scope}, SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
    ask = urllib.request.Request(f"{'https' if b.minio.tls else 'http'}://{host}/", body, {"Content-Type": kind, "X-Amz-Date": date, "Authorization": auth})
    with urllib.request.urlopen(ask, context=ssl.create_default_context(cafile=str(b.minio.ca)) if b.minio.tls else None) as answer:
        found = {e.tag.rsplit("}", 1)[-1]: e.text for e in xml.fromstring(answer.read()).iter()}
    return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


def equal(got, want):
    assert got == want, f"\n   got: {got!r}\n  want: {want!r}"


def has(text, part):
    assert part in text, f"no {part!r} in\n{text}"


def run_on(bucket, cases, name=""):
    """(passed, failed) of cases over one bucket, which is closed; prints what failed."""
    failed = 0
    try:
        for fn in cases:
            try:
                fn(bucket)
            except Exception as e:
                failed += 1
                print(f"FAIL {fn.__name__}{name}\n{type(e).__name__}: {e}")
    finally:
        bucket.close()
    return len(cases) - failed, failed


def run_cases(cases, only, bucket_of=None, plain=()):
    """Runs cases over one bucket, and those of plain over one more, which speaks plain http; prints what failed and the closing line; the exit status."""
    chosen, again = [c for c in cases if only in c.__name__], [c for c in plain if only in c.__name__]
    if minio_server.program(wait=minio_server.may_build()) is None:
        print(f"SKIPPED: no MinIO server, and no Go tool to build one with\n0 passed, 0 failed, {len(chosen) + len(again)} skipped")
        return 0
    passed, failed = run_on((bucket_of or Bucket)(), chosen)
    if again:
        more = run_on(Bucket(tls=False), again, " (plain http)")
        passed, failed = passed + more[0], failed + more[1]
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
