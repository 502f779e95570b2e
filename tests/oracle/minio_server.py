"""A real MinIO on loopback for tests: private authority, certificates, a free port, buckets; ended with the test."""
import os, pathlib, random, shutil, socket, subprocess, sys, time
import urllib.request, ssl

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(wait=False):
    """The server's path, or None. wait: builds it when it is not there (minutes)."""
    done = subprocess.run([str(ROOT / "tools/minio"), *([] if wait else ["--cached"])], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() or None if done.returncode == 0 else None


def may_build():
    """Whether this machine can build the server at all."""
    return shutil.which("go") is not None


def openssl(*words, cwd):
    subprocess.run(["openssl", *words], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def authority(folder, name):
    """Makes folder/ca.crt and folder/ca.key."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}", "-keyout", "ca.key", "-out", "ca.crt",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", cwd=folder)
    return folder / "ca.crt"


def certificate(folder, out, names="DNS:localhost,IP:127.0.0.1", days="30", usage="serverAuth"):
    """A server's certificate, signed by the authority in folder: out/public.crt and out/private.key."""
    out.mkdir(parents=True, exist_ok=True)
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "private.key", "-out", "s.csr", cwd=out)
    (out / "s.ext").write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "s.csr", "-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"), "-CAcreateserial", "-days", days,
            "-extfile", "s.ext", "-out", "public.crt", cwd=out)


def free_port():
    """Where nobody listens. Not one of those that the system gives to outgoing connections: a server that was stopped finds its port free again."""
    try:
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        first = 32768
    for port in random.SystemRandom().sample(range(10000, max(first, 12000)), 500):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


class Minio:
    KEY, SECRET = "tarn-test-key", "tarn-test-secret-0123456789"

    def __init__(self, folder, tls=True, buckets=("lake",), address="127.0.0.1", within=(), domain=None):
        """within: words that run a command where the server is to live: ip netns exec NAME. domain: buckets are hosts below it, too."""
        self.domain = domain
        self.folder, self.tls, self.address, self.within = pathlib.Path(folder), tls, address, list(within)
        self.port = free_port()
        self.data = self.folder / "data"
        for b in buckets:
            (self.data / b).mkdir(parents=True, exist_ok=True)
        if tls:
            self.ca = authority(self.folder / "ca", "tarn test CA")
            certificate(self.folder / "ca", self.folder / "certs", names=f"DNS:localhost,IP:{address}" + (f",DNS:*.{domain}" if domain else ""))
        self.process = None
        self.served = False

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://{self.address}:{self.port}"

    def env(self):
        out = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": self.KEY, "AWS_SECRET_ACCESS_KEY": self.SECRET}
        if self.tls:
            out["TARN_CA_FILE"] = str(self.ca)
        else:
            out["AWS_ALLOW_HTTP"] = "true"
        return out

    START_SECONDS_MAX, STOP_SECONDS_MAX = 300, 60

    def start(self):
        """At its port again when it had been started before; else it may take another one than it was given, when somebody else has that."""
        for again in range(5):
            if self.launch() or self.served:
                break
            self.port = free_port()
        if self.process is None:
            raise RuntimeError("MinIO does not start:\n" + (self.folder / "minio.log").read_text(errors="replace"))
        self.served = True
        return self

    def launch(self):
        env = {**os.environ, "MINIO_ROOT_USER": self.KEY, "MINIO_ROOT_PASSWORD": self.SECRET, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
               "HOME": str(self.folder), **({"MINIO_DOMAIN": self.domain} if self.domain else {})}
        certs = self.folder / ("certs" if self.tls else "no-certs")
        self.log = open(self.folder / "minio.log", "ab")
        self.process = subprocess.Popen(
            [*self.within, program(), "server", "--quiet", "--certs-dir", str(certs), "--address", f"{self.address}:{self.port}", str(self.data)],
            env=env, stdout=self.log, stderr=subprocess.STDOUT)
        until = time.monotonic() + self.START_SECONDS_MAX
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                return False
            time.sleep(0.05)
        return True

    def is_ready(self):
        url = self.endpoint + "/minio/health/ready"
        if self.within:
            ask = "import ssl, sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=20, context=ssl._create_unverified_context())"
            return subprocess.run([*self.within, sys.executable, "-c", ask, url], stderr=subprocess.DEVNULL).returncode == 0
        try:
            context = ssl.create_default_context(cafile=str(self.ca)) if self.tls else None
            urllib.request.urlopen(url, timeout=20, context=context).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=self.STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.log.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
