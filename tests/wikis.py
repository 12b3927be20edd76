"""A wiki and its media on one local server: the action API for a handful of pages, with faults."""

from __future__ import annotations

import io
import json
import random
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from PIL import Image

FAULTS = ("429", "503", "maxlag", "short", "cut", "html", "drop")
REDIRECTS = {"Lodz": "Łódź", "Twice": "Lodz"}


def picture(
    colour: int, form: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (40, 30)
) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, colour if mode != "CMYK" else (colour, 0, 0, 0)).save(stream, form)
    return stream.getvalue()


def animated() -> bytes:
    stream = io.BytesIO()
    frames = [Image.new("P", (20, 20), n) for n in range(3)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()


def vast() -> bytes:
    """A PNG of 20,000 x 20,000 pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(2501) * 20_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Wiki(ThreadingHTTPServer):
    """Pages, files, and what goes wrong: `fault` says it for each request, or "" for nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = {f"Town {n}": f"Town {n} is a town." for n in range(45)}
        self.pages |= {"Łódź": "Łódź is a city.", "A|B": "A pipe.", "Bare": "", "Either": "May be:"}
        self.files = {f"{n}.png": picture(n) for n in range(60)}
        self.fault: Callable[[str], str] = lambda path: ""
        #: Extracts an answer: real wikis give twenty.
        self.extracts = 10
        self.requests: list[str] = []
        self.titles: list[int] = []
        self.agents: set[str] = set()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    @property
    def mirrors(self) -> dict[str, str]:
        return {
            "https://en.wikipedia.org/": self.url, "https://commons.wikimedia.org/": self.url,
        }  # fmt: skip

    def forget(self) -> None:
        self.requests.clear()
        self.titles.clear()
        self.most.clear()
        self.fault = lambda path: ""

    def fail_at_random(self, part: float, seed: int) -> None:
        chance = random.Random(seed)
        self.fault = lambda path: chance.choice(FAULTS) if chance.random() < part else ""


class Handler(BaseHTTPRequestHandler):
    server: Wiki
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.handle_request(self.rfile.read(length).decode())

    def do_GET(self) -> None:
        self.handle_request(urlsplit(self.path).query)

    def handle_request(self, query: str) -> None:
        kind = "api" if "/w/api.php" in self.path else "media"
        with self.server.lock:
            self.server.requests.append(unquote(self.path))
            self.server.agents.add(self.headers["User-Agent"])
            self.server.now[kind] += 1
            self.server.most[kind] = max(self.server.most[kind], self.server.now[kind])
            fault = self.server.fault(self.path)
        time.sleep(0.002)
        with self.server.lock:  # before the answer: after it the client may ask again at once
            self.server.now[kind] -= 1
        if fault:
            self.fail(fault)
        elif kind == "api":
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            self.say(json.dumps(self.api(asked)).encode())
        else:
            content = self.server.files.get(unquote(self.path.rpartition("/")[2]))
            self.say(content or b"", "image/png", 404 if content is None else 200)

    def fail(self, fault: str) -> None:
        if fault in {"429", "503", "403", "404"}:
            self.say(b"later", "text/plain", int(fault), {"Retry-After": "0"})
        elif fault == "maxlag":
            self.say(b'{"error":{"code":"maxlag","info":"5 seconds"}}', headers={"Retry-After": "0"})
        elif fault == "html":
            self.say(b"<html>maintenance</html>", "text/html")
        elif fault == "cut":
            self.say(b'{"query":{"pages":[{"title":"To')
        elif fault == "short":
            self.say(b"\x89PNG{", headers={"Content-Length": "5000"})
            self.close_connection = True
        elif fault == "drop":
            self.close_connection = True
            self.connection.close()
        elif fault == "trickle":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.02)
            self.close_connection = True

    def say(
        self, content: bytes, kind: str = "application/json", status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.send_response(status)
        said = {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def api(self, asked: dict[str, str]) -> dict[str, Any]:
        assert asked["maxlag"] == "5"
        titles = asked["titles"].strip("\x1f").split("\x1f")
        with self.server.lock:
            self.server.titles.append(len(titles))
        query: dict[str, Any] = {"normalized": [], "redirects": [], "pages": []}
        for title in titles:
            end = title.replace("_", " ")
            if end != title:
                query["normalized"].append({"fromencoded": False, "from": title, "to": end})
            while end in REDIRECTS:
                query["redirects"].append({"from": end, "to": REDIRECTS[end]})
                end = REDIRECTS[end]
            query["pages"].append({"title": end, **self.page(end, asked)})
        answer: dict[str, Any] = {"query": query}
        some = self.server.extracts
        if "extracts" in asked["prop"] and len(titles) > some and "excontinue" not in asked:
            for page in query["pages"][some:]:
                page.pop("extract", None)
            answer["continue"] = {"excontinue": some, "continue": "||"}
        elif "excontinue" in asked:
            for page in query["pages"][:some]:
                page.pop("extract", None)
        return answer

    def page(self, title: str, asked: dict[str, str]) -> dict[str, Any]:
        if title.startswith("File:"):
            name = title.removeprefix("File:")
            if name not in self.server.files:
                return {"missing": True}
            address = f"{self.server.url}thumb/{quote(name)}"
            said = {"Artist": '<a href="x">Jane&nbsp;Doe</a>', "LicenseShortName": "CC BY-SA 4.0"}
            meta = {key: {"value": value} for key, value in said.items()}
            mime = "image/svg+xml" if name.endswith(".svg") else "image/png"
            page = f"https://commons.wikimedia.org/wiki/File:{quote(name)}"
            return {"imageinfo": [{
                "thumburl": address, "mime": mime, "sha1": sha1(self.server.files[name]).hexdigest(),
                 "descriptionurl": page, "extmetadata": meta,
            }]}  # fmt: skip
        if title == "":
            return {"invalid": True}
        if title not in self.server.pages:
            return {"missing": True}
        props = {"disambiguation": ""} if title == "Either" else {}
        return {"extract": self.server.pages[title], "lastrevid": 7, "pageprops": props}


@contextmanager
def wiki() -> Iterator[Wiki]:
    server = Wiki()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
