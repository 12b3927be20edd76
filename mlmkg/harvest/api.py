"""The MediaWiki action API: titles in, pages out, each under the title that was asked for.

Many titles go in one request; ``continue`` is followed to its end; normalised titles and redirects
lead back to who asked. Source: https://www.mediawiki.org/wiki/API:Query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import orjson

from mlmkg.errors import SourceError
from mlmkg.harvest.client import Answer, Client, Failed

A = TypeVar("A")
B = TypeVar("B")
#: Seconds of replication lag at which the servers want to be left alone.
MAXLAG: Final = 5
#: Between values that may hold a ``|``, which otherwise separates them.
SEPARATOR: Final = "\x1f"
#: A URL longer than this is sent as a form.
LONGEST_URL: Final = 6_000
#: Errors that pass by themselves.
_PASSING: Final = ("maxlag", "ratelimited", "readonly", "internal_api_error", "timeout")


def ask(
    client: Client, url: str, titles: Sequence[str], parameters: Mapping[str, str]
) -> dict[str, Any]:
    """Return the page of each title, as the API describes it.

    A title that leads nowhere has ``{"missing": True}`` or ``{"invalid": True}``.

    :param url: the API's address, ``https://en.wikipedia.org/w/api.php``.
    :param parameters: of ``action=query``, such as ``prop``.
    :raises Failed: if there was no whole answer.
    :raises SourceError: if the API says that the question is wrong.
    """
    # The first separator says that the others are what separates.
    joined = SEPARATOR + SEPARATOR.join(titles)
    words = {
        "action": "query", "format": "json", "formatversion": "2", "redirects": "1",
        "maxlag": str(MAXLAG), **parameters, "titles": joined,
    }  # fmt: skip
    post = len(joined.encode()) * 3 > LONGEST_URL
    pages: dict[str, dict[str, Any]] = {}
    leads: dict[str, str] = {}
    more: dict[str, str] = {}
    while True:
        answer = client.ask(url, read, parameters={**words, **more}, post=post)
        query = answer.get("query", {})
        for kind in ("normalized", "converted", "redirects"):
            for entry in query.get(kind, []):
                source = unquote(entry["from"]) if entry.get("fromencoded") else entry["from"]
                leads[source] = entry["to"]
        for page in query.get("pages", []):
            pages.setdefault(page["title"], {}).update(page)
        for entry in query.get("interwiki", []):
            pages[entry["title"]] = {"invalid": True, "title": entry["title"]}
        if "continue" not in answer:
            return {title: pages.get(_end(title, leads), {"missing": True}) for title in titles}
        more = {name: str(value) for name, value in answer["continue"].items()}


def _end(title: str, leads: Mapping[str, str]) -> str:
    """Follow a title to the page it leads to, as far as it does not go round."""
    seen = set()
    while title in leads and title not in seen:
        seen.add(title)
        title = leads[title]
    return title


def read(answer: Answer) -> dict[str, Any]:
    """Return the JSON of an answer.

    :raises Failed: for what is no JSON, or an error that passes.
    :raises SourceError: for another error.
    """
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        start = " ".join(answer.body[:80].decode("utf-8", "replace").split())
        raise Failed(f"no JSON: {start}") from None
    if not isinstance(content, dict):
        raise Failed("no JSON object")
    error = content.get("error")
    if error is None:
        return content
    code, said = str(error.get("code", "")), str(error.get("info", ""))[:200]
    if code.startswith(_PASSING):
        lag = MAXLAG if code == "maxlag" else None
        raise Failed(f"{code}: {said}", wait=lag if answer.wait is None else answer.wait)
    raise SourceError(
        f"the API answers {code}: {said}", where=answer.url.partition("?")[0],
        action="Report it with this line: the question was mlmkg's",
    )  # fmt: skip


def side_by_side(function: Callable[[A], B], items: Iterable[A], workers: int) -> Iterator[tuple[A, B]]:
    """Yield (item, result) as they come, some at a time.

    When one fails, those in the air are still waited for and yielded, then the failure is raised.
    """
    items = iter(items)
    failure: BaseException | None = None
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[B], A] = {pool.submit(function, x): x for x in islice(items, workers)}
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                item = running.pop(future)
                try:
                    result = future.result()
                except (Failed, SourceError) as error:
                    failure = failure or error
                    continue
                if failure is None:
                    for following in islice(items, 1):
                        running[pool.submit(function, following)] = following
                yield item, result
    if failure is not None:
        raise failure


def batches(titles: Sequence[A], size: int) -> list[Sequence[A]]:
    """Return pieces of at most ``size``.

    >>> batches("abc", 2)
    ['ab', 'c']
    """
    return [titles[at : at + size] for at in range(0, len(titles), size)]
