"""A proxy of the tests before an S3 server: counts requests, adds latency, and hurts chosen ones.

    p = Proxy(upstream_port, certs=folder, ca=file, plan=fn, delay_ms=20).start();  p.port;  p.log;  p.stop()

Requests are forwarded with their Host, which the signature covers. plan(method, path, n) is asked for each request (n counts from 0) and
answers None or one of
    "drop"       the connection is cut before the request is forwarded
    "lose"       it is forwarded and carried out, the answer is lost
    "truncate"   half of the answer, then the connection is cut
    "duplicate"  it is forwarded twice; the first answer counts
    "late"       it is forwarded after a second
    500, 503...  that status in place of the server's answer, nothing is forwarded
A body with Content-Length is understood, and so are chunks.

Proxy(..., careless=(key, secret)) stands for a store that takes If-None-Match and ignores it, as some do: the header is taken out and the request signed anew.
"""
import asyncio, hashlib, hmac, ssl, threading, time

BODY_MAX = 1 << 30


async def read_message(reader):
    """(first line, headers, raw bytes) of one message, None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        return None
    lines = head.decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, v in (l.split(":", 1) for l in lines[1:] if ":" in l)}
    return lines[0], headers, head


async def read_body(reader, first, headers, method=""):
    if method == "HEAD" or first.split(" ")[1:2] in (["204"], ["304"]):
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        out = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            n = int(line.split(b";")[0], 16)
            out += line + await reader.readexactly(n + 2)
            if n == 0:
                return out
    n = int(headers.get("content-length", 0))
    assert n <= BODY_MAX
    return await reader.readexactly(n) if n else b""


def without_condition(first, headers, head, key):
    """The request's head without If-None-Match, signed anew with key = (id, secret)."""
    method, target = first.split(" ")[:2]
    path, _, query = target.partition("?")
    kind, words = headers["authorization"].split(" ", 1)
    auth = dict(w.strip().split("=", 1) for w in words.split(","))
    _, day, region, service, end = auth["Credential"].split("/")
    signed = [h for h in auth["SignedHeaders"].split(";") if h != "if-none-match"]
    canonical = "\n".join([method, path, query, *(f"{h}:{headers[h]}" for h in signed), "", ";".join(signed), headers["x-amz-content-sha256"]])
    scope = "/".join([day, region, service, end])
    text = "\n".join([kind, headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    step = ("AWS4" + key[1]).encode()
    for word in (day, region, service, end):
        step = hmac.new(step, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(step, text.encode(), hashlib.sha256).hexdigest()
    auth_line = f"authorization: {kind} Credential={key[0]}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    lines = [l for l in head.decode("latin-1").split("\r\n")[:-2] if not l.lower().startswith(("if-none-match:", "authorization:"))]
    return "\r\n".join([*lines, auth_line, "", ""]).encode("latin-1")


class Proxy:
    def __init__(self, upstream_port, certs=None, ca=None, plan=None, delay_ms=0, host="127.0.0.1", client_ca=None, careless=None, rate=0, check=None):
        self.careless, self.rate = careless, rate  # rate: bytes a second of each answer; 0: as fast as it goes
        self.check = check  # check(method, path, headers) -> (status, code) that refuses, or None
        self.upstream_port, self.certs, self.ca, self.plan, self.delay_ms, self.host, self.client_ca = upstream_port, certs, ca, plan, delay_ms, host, client_ca
        self.log = []  # (seconds at start, seconds at end, method, path with query, status or action)
        self.count = 0
        self.ready = threading.Event()

    def start(self):
        self.thread = threading.Thread(target=lambda: asyncio.run(self.main()), daemon=True)
        self.thread.start()
        assert self.ready.wait(20)
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(20)

    async def main(self):
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        context = None
        if self.certs:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{self.certs}/public.crt", f"{self.certs}/private.key")
            if self.client_ca:  # who connects must have a certificate of that authority
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.client_ca)
        server = await asyncio.start_server(self.serve, self.host, 0, ssl=context, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.stopping.wait()
        server.close()

    async def forward(self, raw, method):
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
        reader, writer = await asyncio.open_connection(self.host, self.upstream_port, ssl=context, limit=1 << 20)
        try:
            writer.write(raw)
            await writer.drain()
            first, headers, head = await read_message(reader)
            while first.split(" ")[1] == "100":  # the answer to Expect, which the client has had from here
                first, headers, head = await read_message(reader)
            return first, head, await read_body(reader, first, headers, method)
        finally:
            writer.close()

    async def serve(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TypeError, OSError, asyncio.CancelledError):
            pass  # a side went away: what a client sees as a cut connection
        finally:
            writer.transport.abort()

    async def one(self, reader, writer):
        message = await read_message(reader)
        if message is None:
            return False
        first, headers, head = message
        method, path = first.split(" ")[:2]
        if self.careless and "if-none-match" in headers and method != "GET":
            head = without_condition(first, headers, head, self.careless)
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw = head + await read_body(reader, first, headers)
        began, n = time.monotonic(), self.count
        self.count += 1
        action = self.plan(method, path, n) if self.plan else None
        if self.delay_ms or action == "late":
            await asyncio.sleep(self.delay_ms / 1000 + (1 if action == "late" else 0))
        refused = self.check(method, path, headers) if self.check else None
        if action == "drop":
            self.log.append((began, time.monotonic(), method, path, action))
            return False
        if refused:
            body = f"<Error><Code>{refused[1]}</Code><Message>a refusal of the test</Message></Error>".encode()
            answer, status = b"HTTP/1.1 %d Refused\r\nContent-Length: %d\r\n\r\n" % (refused[0], len(body)) + (b"" if method == "HEAD" else body), refused[0]
        elif isinstance(action, int):
            body = b"<Error><Code>SlowDown</Code><Message>a fault of the test</Message></Error>"
            answer, status = b"HTTP/1.1 %d Fault\r\nContent-Length: %d\r\n\r\n" % (action, len(body)) + (b"" if method == "HEAD" else body), action
        else:
            status, head, body = await self.forward(raw, method)
            if action == "duplicate":
                await self.forward(raw, method)
            answer, status = head + body, int(status.split(" ")[1])
            if action == "truncate":
                answer = answer[:len(head) + len(body) // 2] if body else answer[:len(head) // 2]
        self.log.append((began, time.monotonic(), method, path, action or status))
        if action == "lose":
            return False
        for at in range(0, len(answer), self.rate // 10 or len(answer)) if self.rate else [0]:
            writer.write(answer[at:at + self.rate // 10] if self.rate else answer)
            await writer.drain()
            await asyncio.sleep(0.1 if self.rate and len(answer) > self.rate // 10 else 0)
        return action != "truncate"

    def take_log(self):
        """The requests since the last call."""
        out, self.log = self.log, []
        return out


def rounds(log):
    """How many round trips one after another a log of requests takes: a request that began before the others ended shares their round."""
    n, until = 0, float("-inf")
    for began, ended, *_ in sorted(log):
        if began >= until:
            n, until = n + 1, ended
        else:
            until = min(until, ended)
    return n
