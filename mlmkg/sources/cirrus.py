"""Summaries from a CirrusSearch content dump: all of a Wikipedia's, without a request.

A dump has two lines per page, an index line and the document; ``opening_text`` is the introduction and
``wikibase_item`` the entity. The day that the dump is of counts as the time of retrieval.
Source: https://dumps.wikimedia.org/other/cirrussearch/.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from mlmkg import provenance
from mlmkg.harvest.summaries import Article, lines, said
from mlmkg.progress import Progress
from mlmkg.sources.streams import open_dump
from mlmkg.vocab import WD

logger = logging.getLogger(__name__)
_ITEM: Final = b'"wikibase_item":"'
_DAY: Final = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)")


def read(
    paths: Sequence[str], articles: Sequence[Article], progress: Progress,
    note: Callable[[str], None],
) -> Iterator[bytes]:  # fmt: skip
    """Yield the lines of the articles' summaries.

    A page belongs to an article by its entity and its wiki; one that knows no entity, by its title.

    :param paths: files such as ``enwiki-20261101-cirrussearch-content.json.gz``.
    :param note: told how many texts there are, and what became of the others.
    :raises SourceError: if a file cannot be read to its end.
    """
    wanted = {
        (article.entity.removeprefix(str(WD)), _wiki(article.site)): article for article in articles
    }
    items = {item.encode() for item, _ in wanted}
    titles = {(article.title, wiki): (item, wiki) for (item, wiki), article in wanted.items()}
    outcomes: Counter[str] = Counter()
    for path in paths:
        retrieved = _day(path)
        with open_dump(path) as dump:
            for line in progress(dump.lines(), f"summaries in {Path(path).name}", unit="line"):
                start = line.find(_ITEM)
                if start >= 0:
                    start += len(_ITEM)
                    if line[start : line.find(b'"', start)] not in items:
                        continue
                elif line.startswith(b'{"index"'):
                    continue
                try:
                    page: dict[str, Any] = orjson.loads(line)
                    wiki, title = str(page.get("wiki", "")), str(page["title"])
                except (ValueError, KeyError, AttributeError, TypeError):
                    outcomes["malformed lines"] += 1
                    logger.warning("%s: a line that is no page: %.80r", path, line)
                    continue
                item = page.get("wikibase_item")
                key = (item, wiki) if item else titles.get((title, wiki))
                article = wanted.pop(key, None) if key else None
                if article is None:
                    continue
                if not (opening := str(page.get("opening_text") or "").strip()):
                    outcomes["empty"] += 1
                    continue
                outcomes["text"] += 1
                yield from lines(article, {
                    "text": opening, "title": title, "revision": page.get("version"),
                    "retrieved": retrieved,
                })  # fmt: skip
    outcomes["not in the dumps"] += len(wanted)
    note(said(+outcomes))


def _day(path: str) -> str:
    """Return the day that a dump is of, by its name; else when its file was written; else now.

    >>> _day("enwiki-20261101-cirrussearch-content.json.gz")
    '2026-11-01T00:00:00Z'
    """
    if found := _DAY.search(Path(path).name):
        return "-".join(found.groups()) + "T00:00:00Z"
    file = Path(path)
    moment = datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.is_file() else provenance.now()
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _wiki(site: str) -> str:
    """Return the database name of a wiki.

    >>> _wiki("https://zh-yue.wikipedia.org/")
    'zh_yuewiki'
    """
    return site.partition("//")[2].partition(".")[0].replace("-", "_") + "wiki"
