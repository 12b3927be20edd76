"""Summaries from a CirrusSearch content dump: all of a Wikipedia's, without a request.

A dump has two lines per page, an index line and the document; ``opening_text`` is the introduction and
``wikibase_item`` the entity. Source: https://dumps.wikimedia.org/other/cirrussearch/.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from mlmkg.harvest.summaries import Article, lines, said
from mlmkg.progress import Progress
from mlmkg.sources.streams import open_dump
from mlmkg.vocab import WD

logger = logging.getLogger(__name__)
_ITEM: Final = b'"wikibase_item":"'


def read(
    paths: Sequence[str], articles: Sequence[Article], progress: Progress,
    note: Callable[[str], None],
) -> Iterator[bytes]:  # fmt: skip
    """Yield the lines of the articles' summaries.

    A page belongs to an article by its entity and its wiki.

    :param paths: files such as ``enwiki-20261101-cirrussearch-content.json.gz``.
    :param note: told how many texts there are, and what became of the others.
    :raises SourceError: if a file cannot be read to its end.
    """
    wanted = {
        (article.entity.removeprefix(str(WD)), _wiki(article.site)): article for article in articles
    }
    items = {item.encode() for item, _ in wanted}
    outcomes: Counter[str] = Counter()
    for path in paths:
        with open_dump(path) as dump:
            for line in progress(dump.lines(), f"summaries in {Path(path).name}", unit="line"):
                start = line.find(_ITEM)
                if start < 0:
                    continue
                start += len(_ITEM)
                if line[start : line.find(b'"', start)] not in items:
                    continue
                try:
                    page: dict[str, Any] = orjson.loads(line)
                except orjson.JSONDecodeError:
                    outcomes["malformed lines"] += 1
                    logger.warning("%s: a line that is no JSON: %.80r", path, line)
                    continue
                article = wanted.pop((page["wikibase_item"], page.get("wiki", "")), None)
                if article is None:
                    continue
                if not (opening := str(page.get("opening_text") or "").strip()):
                    outcomes["empty"] += 1
                    continue
                outcomes["text"] += 1
                yield from lines(article, {
                    "text": opening, "title": page["title"], "revision": page.get("version"),
                    "retrieved": page.get("timestamp") or "1970-01-01T00:00:00Z",
                })  # fmt: skip
    outcomes["not in the dumps"] += len(wanted)
    note(said(+outcomes))


def _wiki(site: str) -> str:
    """Return the database name of a wiki.

    >>> _wiki("https://zh-yue.wikipedia.org/")
    'zh_yuewiki'
    """
    return site.partition("//")[2].partition(".")[0].replace("-", "_") + "wiki"
