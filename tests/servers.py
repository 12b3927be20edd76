"""The wiki of the harvest's tests: that of tests.wikis, with more of what real wikis do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from tests import wikis


class Server(wikis.Wiki):
    """Leaves titles out, answers with errors of the API, keeps older versions of files.

    :param silent: says of a title that the answer leaves it out.
    :param error: an error object to answer with, or None.
    :param older: names of files that have a version before this one.
    :param stuck: whether an answer goes on at the same place for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = Handler
        self.forget()

    def forget(self) -> None:
        super().forget()
        self.silent: Callable[[str], bool] = lambda title: False
        self.error: dict[str, str] | None = None
        self.older: set[str] = set()
        self.stuck = False
        self.methods: set[str] = set()


class Handler(wikis.Handler):
    server: Server
    # Head and body are two packets: without this each answer takes 40 ms.
    disable_nagle_algorithm = True

    def handle_request(self, query: str) -> None:
        self.server.methods.add(self.command)
        super().handle_request(query)

    def api(self, asked: dict[str, str]) -> dict[str, Any]:
        answer = super().api(asked)
        if self.server.error is not None:
            return {"error": self.server.error}
        pages = answer["query"]["pages"]
        for page in pages:
            if page["title"] == "Round":  # a redirect to itself has no page
                answer["query"]["redirects"].append({"from": "Round", "to": "Round"})
            if page["title"] == "Special:Random":
                page.pop("missing")
                page["special"] = True
        answer["query"]["pages"] = [
            page for page in pages
            if page["title"] != "Round" and not self.server.silent(page["title"])
        ]  # fmt: skip
        # MediaWiki offers the older versions of a file only to a question for one file.
        if len(pages) == 1 and pages[0]["title"].removeprefix("File:") in self.server.older:
            if "iistart" in asked:
                old = pages[0]["imageinfo"][0]
                old["thumburl"] = f"{self.server.url}thumb/{quote('the older one.png')}"
            else:
                answer["continue"] = {"iistart": "2020-01-01T00:00:00Z", "continue": "||"}
        if self.server.stuck:
            answer["continue"] = {"excontinue": 1, "continue": "||"}
        return answer


@contextmanager
def wiki() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
