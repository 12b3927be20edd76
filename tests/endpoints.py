"""A real SPARQL endpoint (the `oxigraph` command) behind a server that counts, and fails on demand."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

OXIGRAPH = Path(sys.executable).parent / "oxigraph"
#: What may go wrong; the faults of public endpoints.
FAULTS = ("429", "503", "short", "error in 200", "html", "drop", "timeout")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Front(ThreadingHTTPServer):
    """Passes queries on; `fault` says for each what goes wrong, or "" for nothing."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = behind
        self.fault: Callable[[str], str] = lambda query: ""
        self.queries: list[str] = []
        self.agents: set[str] = set()
        self.now = self.most = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/sparql"

    def fail_at_random(self, part: float, seed: int) -> None:
        chance = random.Random(seed)
        self.fault = lambda query: chance.choice(FAULTS) if chance.random() < part else ""


class Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        query = parse_qs(body.decode())["query"][0]
        with self.server.lock:
            self.server.queries.append(query)
            self.server.agents.add(self.headers["User-Agent"])
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
            fault = self.server.fault(query)
        try:
            self.answer(body, fault)
        finally:
            with self.server.lock:
                self.server.now -= 1

    def answer(self, body: bytes, fault: str) -> None:
        if fault == "429":
            self.say(429, b"slow down\n", {"Retry-After": "0"})
        elif fault == "503":
            self.say(503, b"Service Unavailable")
        elif fault == "timeout":
            self.say(500, b"java.util.concurrent.TimeoutException\n\tat java.util.concurrent")
        elif fault == "html":
            self.say(
                200, b"<html>Our servers are under maintenance</html>", {"Content-Type": "text/html"}
            )
        elif fault == "403":
            self.say(403, b"You have been banned until 2030-01-01T00:00:00Z")
        elif fault == "drop":
            self.close_connection = True
            self.connection.close()
        elif fault == "endless":
            self.send_response(200)
            self.send_header("Content-Type", "application/n-triples")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.flush()
            time.sleep(5)
        else:
            self.pass_on(body, fault)

    def pass_on(self, body: bytes, fault: str) -> None:
        headers = {"Content-Type": self.headers["Content-Type"], "Accept": self.headers["Accept"]}
        with urllib.request.urlopen(
            urllib.request.Request(self.server.behind, body, headers)
        ) as response:
            content, kind = response.read(), response.headers["Content-Type"]
        if fault == "short":
            half = content[: len(content) // 2]
            self.say(200, half, {"Content-Type": kind, "Content-Length": str(len(content) + 1)})
            self.close_connection = True
        elif fault == "error in 200":
            end = b"<http://www.wikidata.org/entity/Q1> java.util.concurrent.TimeoutException\n"
            self.say(200, content[: len(content) // 2] + end, {"Content-Type": kind})
        else:
            self.say(200, content, {"Content-Type": kind})

    def say(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        said = {"Content-Type": "text/plain", "Content-Length": str(len(content)), **(headers or {})}
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def endpoint(data: Path, folder: Path) -> Iterator[Front]:
    """Serve a Turtle file."""
    store, port = folder / "store", free_port()
    subprocess.run(
        [OXIGRAPH, "load", "-l", store, "-f", data], check=True, capture_output=True, timeout=60
    )
    process = subprocess.Popen(
        [OXIGRAPH, "serve-read-only", "-l", store, "-b", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        front = Front(f"http://127.0.0.1:{port}/query")
        threading.Thread(
            target=front.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        yield front
        front.shutdown()
        front.server_close()
    finally:
        process.terminate()
        process.wait(timeout=20)
