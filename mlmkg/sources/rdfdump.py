"""Wikidata's RDF dumps: the same statements as from its JSON, taken line by line.

N-Triples and Turtle enter. Wikibase writes an entity's statements together, so they are held until the
next entity begins and then kept or dropped: an entity needs a class, a place and an image. Whether it
has an article is left to the queries, since articles may stand before or after it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from mlmkg.sources.streams import Pieces
from mlmkg.sources.wikibase import CLASS, COUNTRY, END, PLACE, SUBCLASS, Report, Wanted
from mlmkg.vocab import RDF, RDFS, SCHEMA, WD, WDT

logger = logging.getLogger(__name__)

_PROP: Final = "http://www.wikidata.org/prop/"
_LINE: Final = re.compile(rb"<([^>]*)> <([^>]*)> (.+?)\s*\.\s*$", re.DOTALL)
_ENTITY: Final = str(WD).encode()
_STATEMENT: Final = _ENTITY + b"statement/"
_TAG: Final = re.compile(rb'"@([A-Za-z0-9-]+)$')
_LABEL, _A = str(RDFS.label).encode(), str(RDF.type).encode()
_SUBCLASS: Final = str(WDT[SUBCLASS]).encode()
_ARTICLE: Final = f"<{SCHEMA.Article}>".encode()
_OF_ARTICLES: Final = {
    str(SCHEMA[name]).encode() for name in ("about", "inLanguage", "isPartOf", "name")
}
#: What tells whether a country is the present one.
_RANKED: Final = f"{_PROP}{COUNTRY}".encode()
_OF_STATEMENTS: Final = {
    f"{_PROP}statement/{COUNTRY}".encode(), f"{_PROP}qualifier/{END}".encode(),
}  # fmt: skip
#: Lines whose syntax is looked at in one go.
_BATCH: Final = 2_000
#: Lines that cannot be read and are named; the others are only counted.
NAMED: Final = 20


def lines(blocks: Iterable[bytes], path: str, wanted: Wanted, report: Report) -> Iterator[bytes]:
    """Yield the N-Triples lines of what is wanted.

    :param blocks: the file, unpacked, whole lines.
    :param path: its name: ``….ttl…`` is Turtle.
    :param report: told how many lines could not be read.
    """
    turtle = ".ttl" in path
    kept = grouped(turtle_lines(blocks, path, report) if turtle else split(blocks), wanted)
    yield from kept if turtle else readable(kept, path, report)


def split(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of blocks, without their ends."""
    for block in blocks:
        yield from block.split(b"\n")


def turtle_lines(blocks: Iterable[bytes], path: str, report: Report) -> Iterator[bytes]:
    """Yield a Turtle file's triples as lines; tags that strict parsers refuse are taken as they are."""
    quads = iter(ox.parse(Pieces(iter(blocks)), ox.RdfFormat.TURTLE, lenient=True))  # type: ignore[arg-type]
    while True:
        try:
            quad = next(quads, None)
        except SyntaxError as error:
            skipped(path, str(error), report)
            continue
        if quad is None:
            return
        yield f"{quad.triple} .".encode()


def skipped(path: str, what: str, report: Report) -> None:
    """Count and name a line that cannot be read."""
    report.counts["lines that cannot be read"] += 1
    if report.counts["lines that cannot be read"] <= NAMED:
        logger.warning("%s: skipped: %s", path, what)


def readable(kept: Iterable[bytes], path: str, report: Report) -> Iterator[bytes]:
    """Yield the lines that Oxigraph can read."""
    batch: list[bytes] = []

    def checked() -> Iterator[bytes]:
        try:
            for _ in ox.parse(b"".join(batch), ox.RdfFormat.N_TRIPLES, lenient=True):
                pass
        except SyntaxError:
            for line in batch:
                try:
                    list(ox.parse(line, ox.RdfFormat.N_TRIPLES, lenient=True))
                except SyntaxError as error:
                    skipped(path, f"{error}: {line[:80]!r}", report)
                else:
                    yield line
        else:
            yield from batch

    for line in kept:
        batch.append(line)
        if len(batch) == _BATCH:
            yield from checked()
            batch = []
    yield from checked()


class _Filter:
    """What is wanted, as bytes."""

    def __init__(self, wanted: Wanted) -> None:
        self.direct = {
            str(WDT[name]).encode() for name in wanted.properties | wanted.images | {SUBCLASS}
        }
        self.images = {str(WDT[name]).encode() for name in wanted.images}
        self.needed = {str(WDT[name]).encode() for name in (CLASS, PLACE)}
        self.languages = {code.encode().lower() for code in wanted.languages}
        self.sites = tuple(f"{site}wiki/".encode() for site in wanted.sites)

    def of_entity(self, predicate: bytes, value: bytes) -> bool:
        """Return whether a statement with an entity as its subject may be wanted."""
        if predicate == _LABEL:
            tag = _TAG.search(value)
            return tag is not None and tag[1].lower() in self.languages
        return predicate in self.direct or predicate == _RANKED

    def apart(self, subject: bytes, predicate: bytes, value: bytes) -> bool:
        """Return whether a line about something else than an entity is wanted: articles, ended P17."""
        if subject.startswith(_STATEMENT):
            return predicate in _OF_STATEMENTS
        return subject.startswith(self.sites) and (
            predicate in _OF_ARTICLES or (predicate == _A and value == _ARTICLE)
        )

    def chosen(self, group: list[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Yield what is wanted of the statements of one entity."""
        said = {predicate for predicate, _ in group}
        if self.needed <= said and self.images & said:
            yield from (line for _, line in group)
        elif _SUBCLASS in said:
            yield from (line for predicate, line in group if predicate in {_SUBCLASS, _LABEL})


def grouped(source: Iterable[bytes], wanted: Wanted) -> Iterator[bytes]:
    """Yield the wanted lines, each with its end, entity by entity."""
    wants = _Filter(wanted)
    present, group = b"", list[tuple[bytes, bytes]]()
    for raw in source:
        match = _LINE.match(raw)
        if match is None:
            continue
        subject, predicate, value = match.groups()
        if subject.startswith(_ENTITY) and not subject.startswith(_STATEMENT):
            if not wants.of_entity(predicate, value):
                continue
            if subject != present:
                yield from wants.chosen(group)
                present, group = subject, []
            group.append((predicate, raw.rstrip() + b"\n"))
        elif wants.apart(subject, predicate, value):
            yield raw.rstrip() + b"\n"
    yield from wants.chosen(group)
