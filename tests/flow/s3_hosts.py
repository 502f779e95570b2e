"""Hosts of a test: network namespaces joined by veth pairs to a bridge in the server's namespace. Nothing of it touches the machine's own network. And a
door before a server that counts who comes."""
import os, socket, subprocess, threading


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Hosts:
    """with Hosts(4) as h: h.server and h.host(i) are the words that run a command there; h.address is the server's."""
    address = "10.213.0.1"

    def __init__(self, n):
        self.n, self.tag = n, f"tt{os.getpid() % 100000}"
        self.made = []

    @staticmethod
    def possible():
        """Whether this machine lets us make them: one of each kind is made and taken away."""
        try:
            if os.geteuid() != 0:
                return False
            with Hosts(1) as h:
                return subprocess.run([*h.host(0), "true"], stderr=subprocess.DEVNULL).returncode == 0
        except (FileNotFoundError, subprocess.CalledProcessError):
            return False

    def words(self, name):
        return ["ip", "netns", "exec", f"{self.tag}{name}"]

    @property
    def server(self):
        return self.words("s")

    def host(self, i):
        return self.words(f"h{i}")

    def add(self, name):
        ip("netns", "add", self.tag + name)
        self.made.append(self.tag + name)
        ip("-n", self.tag + name, "link", "set", "lo", "up")

    def __enter__(self):
        server = self.tag + "s"
        try:
            self.add("s")
            ip("-n", server, "link", "add", "br0", "type", "bridge")
            ip("-n", server, "addr", "add", self.address + "/24", "dev", "br0")
            ip("-n", server, "link", "set", "br0", "up")
            for i in range(self.n):
                self.add(f"h{i}")
                host = f"{self.tag}h{i}"
                ip("-n", server, "link", "add", f"v{i}", "type", "veth", "peer", "name", "eth0", "netns", host)
                ip("-n", server, "link", "set", f"v{i}", "master", "br0", "up")
                ip("-n", host, "addr", "add", f"10.213.0.{10 + i}/24", "dev", "eth0")
                ip("-n", host, "link", "set", "eth0", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.made:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


class Door:
    """with Door(port) as d: connections to d.port go on to that port as they are; d.opened counts them."""

    def __init__(self, port):
        self.upstream, self.opened = port, 0

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.opened += 1
            server = socket.create_connection(("127.0.0.1", self.upstream))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=pair, daemon=True).start()

    @staticmethod
    def copy(source, sink):
        try:
            while part := source.recv(65536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
