"""Summaries: the introductions of Wikipedia's articles, by the action API.

Articles enter; N-Triples that describe their introductions leave, with revision, time of retrieval,
licence and credit. What the journal holds is not asked for again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

import orjson

from mlmkg import provenance
from mlmkg.errors import SourceError
from mlmkg.harvest import api
from mlmkg.harvest.client import Client, Failed
from mlmkg.harvest.journal import Journal
from mlmkg.ntriples import boolean, integer, iri, line, text, typed
from mlmkg.progress import Progress
from mlmkg.vocab import DCT, MLM, RDF, SCHEMA, SUMMARY, WD, XSD

logger = logging.getLogger(__name__)

#: Articles a request: what TextExtracts gives at once.
TITLES: Final = 20
CC_BY_SA: Final = "https://creativecommons.org/licenses/by-sa/4.0/"
_PARAMETERS: Final = {
    "prop": "extracts|info|pageprops", "exintro": "1", "explaintext": "1", "exlimit": str(TITLES),
    "ppprop": "disambiguation|wikibase_item",
}  # fmt: skip


@dataclass(frozen=True)
class Article:
    """An article about an entity, as the graph has it.

    :param entity: the entity's IRI.
    :param iri: the article's IRI.
    :param site: its wiki, ``https://en.wikipedia.org/``.
    :param title: its title there.
    :param language: the code of its language.
    """

    entity: str
    iri: str
    site: str
    title: str
    language: str

    @property
    def key(self) -> str:
        """Its name in the journal."""
        return f"{self.site}|{self.title}"


def fetch(
    articles: Sequence[Article], client: Client | None, journal: Journal, *, progress: Progress,
    note: Callable[[str], None],
) -> Iterator[bytes]:  # fmt: skip
    """Yield the lines of the articles' summaries; ask for those that the journal lacks.

    :param client: None if nothing may be sent: the rest is left for later, and counted.
    :param note: told how many texts there are, and what became of the others.
    :raises SourceError: if a wiki stays down or refuses; what was fetched is kept.
    """
    if client is not None:
        for _ in progress(
            _ask(articles, client, journal), "summaries", total=_left(articles, journal),
            unit="article",
        ):  # fmt: skip
            pass
    outcomes: Counter[str] = Counter()
    for article in articles:
        content = journal.get(article.key)
        if content is None:
            outcomes["left for later"] += 1
            continue
        record = orjson.loads(content)
        outcomes[record["outcome"]] += 1
        if record["outcome"] == "text":
            yield from lines(article, record)
    note(said(outcomes))


def said(outcomes: Mapping[str, int]) -> str:
    """Return a count of outcomes as a clause.

    >>> said({"text": 2000, "missing": 1})
    '2,000 text, 1 missing'
    """
    return ", ".join(f"{number:,} {what}" for what, number in outcomes.items()) or "no articles"


def _left(articles: Sequence[Article], journal: Journal) -> int:
    return len({article.key for article in articles if article.key not in journal})


def _ask(articles: Sequence[Article], client: Client, journal: Journal) -> Iterator[None]:
    """Ask for what the journal lacks, wiki by wiki; yield once per title."""
    wanted: dict[str, dict[str, None]] = {}
    for article in articles:
        if article.key not in journal:
            wanted.setdefault(article.site, {})[article.title] = None
    for site, titles in wanted.items():
        question = partial(_batch, client, f"{site}w/api.php")
        asked = api.batches(list(titles), TITLES)
        try:
            for batch, records in api.side_by_side(question, asked, client.at_once):
                answers = {f"{site}|{title}": orjson.dumps(r) for title, r in records.items()}
                unanswered = [t for t, r in records.items() if r["outcome"] == "unanswered"]
                journal.add(answers, failed=[f"{site}|{title}" for title in unanswered])
                yield from (None for _ in batch)
        except Failed as failure:
            raise SourceError(
                f"no summaries: {failure.why}", where=client.mirrored(site),
                action="Build again when the wiki is well: what was fetched is kept",
            ) from None  # fmt: skip


def _batch(client: Client, url: str, titles: Sequence[str]) -> dict[str, dict[str, Any]]:
    pages = api.ask(client, url, titles, _PARAMETERS)
    now = provenance.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {title: {**outcome(page), "retrieved": now} for title, page in pages.items()}


def outcome(page: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page of the API comes to.

    It is ``text``, ``empty``, ``missing``, ``disambiguation``, ``invalid`` or ``unanswered``.
    """
    if page.get("unanswered"):
        return {"outcome": "unanswered"}
    if page.get("invalid") or page.get("special"):
        return {"outcome": "invalid"}
    if page.get("missing") or page.get("known") is False:
        return {"outcome": "missing"}
    if "disambiguation" in page.get("pageprops", {}):
        return {"outcome": "disambiguation"}
    extract = str(page.get("extract", "")).strip()
    if not extract:
        return {"outcome": "empty"}
    return {
        "outcome": "text", "text": extract, "title": page["title"],
        "revision": page.get("lastrevid"),
    }  # fmt: skip


def lines(article: Article, record: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the N-Triples lines of a summary.

    :param record: with ``text``, ``title``, ``revision`` (may be None) and ``retrieved``.
    """
    node = iri(SUMMARY[f"{_name(article.entity)}/{article.language}"])
    page = f"{article.site}wiki/{quote(record['title'].replace(' ', '_'), safe=':/()!*,;@~')}"
    revision = record.get("revision")
    source = f"{page}?oldid={revision}" if revision else page
    yield line(node, iri(RDF.type), iri(MLM.Summary))
    yield line(node, iri(SCHEMA.about), iri(article.entity))
    yield line(node, iri(SCHEMA.inLanguage), text(article.language))
    yield line(node, iri(SCHEMA.text), text(record["text"], article.language))
    yield line(node, iri(MLM.generated), boolean(False))
    yield line(node, iri(MLM.article), iri(article.iri))
    if revision:
        yield line(node, iri(MLM.revision), integer(int(revision)))
    yield line(node, iri(MLM.retrieved), typed(record["retrieved"], XSD.dateTime))
    yield line(node, iri(DCT.license), iri(CC_BY_SA))
    credit = f'"{record["title"]}", Wikipedia contributors, {source}'
    yield line(node, iri(MLM.attribution), text(credit))


def _name(entity: str) -> str:
    """Return what an entity is called in the IRIs of its summaries.

    >>> _name("http://www.wikidata.org/entity/Q64"), _name("https://sws.geonames.org/2950159/")
    ('Q64', '8125b3fa6c66c7a4')
    """
    if entity in WD:
        return entity.removeprefix(str(WD))
    return sha256(entity.encode()).hexdigest()[:16]
