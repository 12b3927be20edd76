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

    A title that leads nowhere has ``{"missing": True}`` or ``{"invalid": True}``; one that the API
    passes over however often it is asked, while it answers others, has ``{"unanswered": True}``.

    :param url: the API's address, ``https://en.wikipedia.org/w/api.php``.
    :param parameters: of ``action=query``, such as ``prop``.
    :raises Failed: if there was no whole answer.
    :raises SourceError: if the API says that the question is wrong.
    """
    askable = [title for title in titles if title and SEPARATOR not in title]
    pages: dict[str, dict[str, Any]] = {title: {"invalid": True} for title in titles}
    if askable:
        pages |= _ask(client, url, askable, parameters)
    return pages


def _ask(
    client: Client, url: str, titles: Sequence[str], parameters: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    # The first separator says that the others are what separates.
    joined = SEPARATOR + SEPARATOR.join(titles)
    words = {
        "action": "query", "format": "json", "formatversion": "2", "redirects": "1",
        "maxlag": str(MAXLAG), **parameters, "titles": joined,
    }  # fmt: skip
    post = len(joined.encode()) * 3 > LONGEST_URL
    found = _Found()
    more: dict[str, str] = {}

    def take(answer: Answer) -> dict[str, str]:
        content = read(answer)
        found.gather(content.get("query") or {})
        following = _following(content)
        if following and following == more:
            raise Failed("the API goes on at the same place", again=False)
        if not following and (passed_over := [title for title in titles if found.page(title) is None]):
            raise _PassedOver(
                f"no word of {len(passed_over)} of {len(titles)} titles, such as {passed_over[0]!r}"
            )
        return following

    while True:
        try:
            more = client.ask(url, take, parameters={**words, **more}, post=post)
        except _PassedOver:
            if all(found.page(title) is None for title in titles):
                raise
            more = {}
        if not more:
            return {title: found.page(title) or {"unanswered": True} for title in titles}


class _PassedOver(Failed):
    """A whole answer that does not say what became of some titles."""


class _Found:
    """Pages, and what leads to them, gathered over the answers to one question."""

    def __init__(self) -> None:
        self._pages: dict[str, dict[str, Any]] = {}
        self._leads: dict[str, str] = {}

    def gather(self, query: Mapping[str, Any]) -> None:
        """Take up what an answer says, next to what earlier ones said."""
        for kind in ("normalized", "converted", "redirects"):
            for entry in query.get(kind, []):
                source = unquote(entry["from"]) if entry.get("fromencoded") else entry["from"]
                self._leads[source] = entry["to"]
        for page in query.get("pages", []):
            known = self._pages.setdefault(page["title"], {})
            for name, value in page.items():
                if isinstance(value, dict):
                    known[name] = {**known.get(name, {}), **value}
                else:
                    known.setdefault(name, value)
        for entry in query.get("interwiki", []):
            self._pages[entry["title"]] = {"invalid": True, "title": entry["title"]}

    def page(self, title: str) -> dict[str, Any] | None:
        """Return the page that a title leads to, or None if no answer told of it."""
        seen = set()
        while title in self._leads:
            if title in seen:  # redirects that go round have no page
                return {"missing": True}
            seen.add(title)
            title = self._leads[title]
        return self._pages.get(title)


def _following(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that an answer wants to be continued with, none at the end.

    A question for one image is offered the image's older versions (``iistart``): these nobody wants.
    """
    following = {name: str(value) for name, value in content.get("continue", {}).items()}
    return {} if following.keys() <= {"continue", "iistart"} else following


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
    if not isinstance(error, dict):
        raise Failed(f"an error without a code: {str(error)[:80]}")
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
                # First what came is remembered, then the next is asked for: a kill loses the fewest.
                yield item, result
                if failure is None:
                    for following in islice(items, 1):
                        running[pool.submit(function, following)] = following
    if failure is not None:
        raise failure


def batches(titles: Sequence[A], size: int) -> list[Sequence[A]]:
    """Return pieces of at most ``size``.

    >>> batches("abc", 2)
    ['ab', 'c']
    """
    return [titles[at : at + size] for at in range(0, len(titles), size)]
