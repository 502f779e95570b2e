"""Ways to a bucket other than straight: by a proxy (https_proxy, no_proxy, the options), by a host name for each bucket, and with a server that says slow
down."""
import asyncio, socket, subprocess, sys, threading

from s3_flow import TARN, Bucket, Minio, equal, has, run_cases
from s3_proxy import Proxy

CASES = []


def case(fn):
    CASES.append(fn)
    return fn


class Tunnel:
    """A web proxy that opens tunnels (CONNECT) to loopback, whatever the name, and passes plain requests on; .asked has what was asked for."""

    def __enter__(self):
        self.asked, self.ready = [], threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.main()), daemon=True).start()
        assert self.ready.wait(20)
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stopping.set)

    async def main(self):
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.stopping.wait()
        server.close()

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.decode("latin-1").split(" ", 2)
            self.asked.append((method, target))
            place = target if method == "CONNECT" else target.split("/")[2]
            up, down = await asyncio.open_connection("127.0.0.1", int(place.rpartition(":")[2]))
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                down.write(head)
            await asyncio.gather(self.copy(reader, down), self.copy(up, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def copy(reader, writer):
        try:
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        finally:
            writer.close()


def works(b, lake, **env):
    b.run(lake, "sql", "create table p.t as select 7 as x", env=env)
    equal(b.rows(lake, "from p.t", env=env), [{"x": 7}])


@case
def by_the_proxy_of_the_environment(b):
    with Tunnel() as tunnel:
        for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            tunnel.asked.clear()
            works(b, b.lake(), **{name: tunnel.url})
            assert ("CONNECT", f"127.0.0.1:{b.minio.port}") in tunnel.asked, (name, tunnel.asked)
        tunnel.asked.clear()
        works(b, b.lake(), https_proxy=tunnel.url, no_proxy="localhost,127.0.0.1")
        equal(tunnel.asked, [])


@case
def by_the_proxy_of_the_options(b):
    """tarn's requests and DuckDB's; hosts in no_proxy straight."""
    project = b.work / "proxied"
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: p\nversion: '1.0'\nprofile: p\n")
    with Tunnel() as tunnel:
        for more, proxied in (("", True), (", no_proxy: '127.0.0.1'", False), (", proxy_excludes: '10.0.0.1'", True)):
            (project / "profiles.yml").write_text(
                f"p: {{target: dev, outputs: {{dev: {{type: tarn, schema: main, lake: '{b.lake()}', storage: {{endpoint: '{b.minio.endpoint}', "
                f"key_id: {Minio.KEY}, secret: {Minio.SECRET}, ca_file: {b.minio.ca}, proxy: '{tunnel.url}'{more}}}}}}}}}\n")
            tunnel.asked.clear()
            env = {k: v for k, v in b.env.items() if k not in b.minio.env()}
            done = subprocess.run([TARN, "lake", "doctor"], cwd=project, env=env, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, done.stdout + done.stderr
            equal(bool(tunnel.asked), proxied)
            if not more:
                asked = len(tunnel.asked)
                con = subprocess.run([TARN, "sql", "create table a.b as select 1 as x; from a.b"], cwd=project, env=env, capture_output=True, text=True, timeout=600)
                assert con.returncode == 0, con.stdout + con.stderr
                assert len(tunnel.asked) > asked + 1, tunnel.asked  # of two programs' connections


@case
def a_host_name_for_each_bucket(b):
    """Virtual-host style: MinIO serves lake.<domain>; a name below localhost leads here without a name service."""
    other = Bucket(domain="s3.localhost")
    try:
        env = {"AWS_ENDPOINT_URL": f"https://s3.localhost:{other.minio.port}", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true"}
        other.run("s3://lake/vhost", "lake", "doctor", env=env, status=None)
        has(other.out, "vhost style")
        has(other.out, "of 8 writers of one name exactly one won")
        bad = [l for l in other.out.splitlines() if l.strip().startswith("failed")]
        try:
            socket.getaddrinfo("lake.s3.localhost", 80)
            equal(bad, [])
            works(other, "s3://lake/vhost", **env)
        except socket.gaierror:  # DuckDB asks the name service, which does not know it here
            assert all("duckdb" in l for l in bad), other.out
    finally:
        other.close()


@case
def a_server_that_says_slow_down(b):
    """Every third request gets 503 SlowDown, the same one not twice in a row: it takes longer and works."""
    lake, slowed = b.lake(), set()

    def plan(method, path, n):
        if (method, path) in slowed:
            slowed.remove((method, path))
        elif n % 3 == 1:
            slowed.add((method, path))
            return 503
    proxy = Proxy(b.minio.port, certs=b.minio.folder / "certs", ca=b.minio.ca, plan=plan).start()
    try:
        works(b, lake, AWS_ENDPOINT_URL=f"https://127.0.0.1:{proxy.port}")
        refused = [r for r in proxy.log if r[4] == 503]
    finally:
        proxy.stop()
    assert len(refused) > 5, proxy.log


@case
def a_proxy_that_is_not_there(b):
    b.run(b.lake(), "sql", "from a.b", status=2, env={"https_proxy": "http://127.0.0.1:1"})
    has(b.err, "no connection to the proxy '127.0.0.1:1'")


@case
def settings_that_are_nearly_right(b):
    """What pasting leaves around a key is not of it; what is no endpoint or no file is said before anything is asked."""
    key = f" {b.env['AWS_ACCESS_KEY_ID']}\t"
    works(b, b.lake(), AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=b.env["AWS_SECRET_ACCESS_KEY"] + "\n")
    for wrong in ("https://127.0.0.1:abc", "https://127.0.0.1:0", "https://127.0.0.1:", "https://127.0.0.1/minio", "ftp://127.0.0.1:9", "https://:9000", "a host:9000"):
        b.run(b.lake(), "sql", "from a.b", status=2, env={"AWS_ENDPOINT_URL": wrong})
        has(b.err, "is no endpoint\nhint: an endpoint is https://host[:port]")
    b.run(b.lake(), "sql", "from a.b", status=2, env={"TARN_CA_FILE": "/no/ca.crt"})
    has(b.err, "'/no/ca.crt': No such file or directory\nhint: it is the option ca_file, --ca-file, TARN_CA_FILE or AWS_CA_BUNDLE that names it")
    b.run("s3://nobucket/l", "sql", "create table delta.\"s3://nobucket/t\" as select 1 as x", status=2)
    has(b.err, "hint: make the bucket first")


@case
def keys_are_in_no_output(b):
    assert b.said and Minio.SECRET not in b.said


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1] if len(sys.argv) > 1 else ""))
