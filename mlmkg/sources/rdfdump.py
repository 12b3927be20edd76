"""Wikidata's RDF dumps: the same statements as from its JSON, taken line by line.

N-Triples and Turtle enter. Wikibase writes an entity's statements and articles together, so they are
held until the next entity begins and then kept or dropped: an entity needs a class, a place and an
image, and is counted if it has but the first two. Whether it has an article is left to the queries,
since articles that stand elsewhere are kept; one that is counted has those that stand beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from mlmkg.sources.leftout import left_out
from mlmkg.sources.streams import Pieces
from mlmkg.sources.wikibase import CLASS, COUNTRY, END, PLACE, SUBCLASS, Report, Wanted
from mlmkg.vocab import RDF, RDFS, SCHEMA, WD, WDT

#: The name of a file in Turtle.
TURTLE: Final = re.compile(r"\.ttl(\.gz|\.bz2|\.zst)?$")
_PROP: Final = "http://www.wikidata.org/prop/"
_ENTITY: Final = str(WD).encode()
_STATEMENT: Final = _ENTITY + b"statement/"
_ABOUT: Final = str(SCHEMA.about).encode()
#: A value that is not known, as a blank node or as Wikidata names one.
_UNKNOWN: Final = (b"_:", b"<http://www.wikidata.org/.well-known/genid/")
_TAG: Final = re.compile(rb'"@([A-Za-z0-9-]+)$')
_LABEL, _A = str(RDFS.label).encode(), str(RDF.type).encode()
_SUBCLASS: Final = str(WDT[SUBCLASS]).encode()
_CLASS, _PLACE = str(WDT[CLASS]).encode(), str(WDT[PLACE]).encode()
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


def lines(blocks: Iterable[bytes], path: str, wanted: Wanted, report: Report) -> Iterator[bytes]:
    """Yield the N-Triples lines of what is wanted.

    :param blocks: the file, unpacked, whole lines.
    :param path: its name: ``….ttl``, ``….ttl.gz`` is Turtle.
    :param report: told how many lines could not be read.
    """
    turtle = TURTLE.search(path) is not None
    source = turtle_lines(blocks, path, report) if turtle else split(blocks)
    kept = grouped(source, path, wanted, report)
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
    report.skipped("lines that cannot be read", f"{path}: skipped: {what}")


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
        self.languages = {code.encode().lower() for code in wanted.languages}
        self.sites = tuple(f"{site}wiki/".encode() for site in wanted.sites)

    def of_entity(self, predicate: bytes, value: bytes) -> bool:
        """Return whether a statement with an entity as its subject may be wanted."""
        if predicate == _LABEL:
            tag = _TAG.search(value)
            return tag is not None and tag[1].lower() in self.languages
        return predicate == _RANKED or (predicate in self.direct and not value.startswith(_UNKNOWN))

    def of_article(self, predicate: bytes, value: bytes) -> bool:
        """Return whether a statement with an article as its subject is wanted."""
        return predicate in _OF_ARTICLES or (predicate == _A and value == _ARTICLE)

    def chosen(self, group: list[tuple[bytes, bytes]], path: str, report: Report) -> Iterator[bytes]:
        """Yield what is wanted of the statements of one entity, or count it."""
        said = {predicate for predicate, _ in group}
        located = _CLASS in said and _PLACE in said
        if located and self.images & said:
            yield from (line for _, line in group)
            return
        if located:
            count(group, path, report)
        if _SUBCLASS in said:
            yield from (line for predicate, line in group if predicate in {_SUBCLASS, _LABEL})


def count(group: list[tuple[bytes, bytes]], path: str, report: Report) -> None:
    """Count an entity without an image.

    :param group: predicate, line; that of an article's lines is ``schema:about``.
    """
    said: dict[bytes, list[str]] = {_CLASS: [], _PLACE: []}
    counted = [line for predicate, line in group if predicate in said]
    for line in readable(counted, path, report):
        _, predicate, value = line.split(None, 2)
        said[predicate[1:-1]].append(value.rpartition(b".")[0].rstrip().decode())
    classes, places = said[_CLASS], said[_PLACE]
    if classes and places:
        article = any(predicate == _ABOUT for predicate, _ in group)
        report.left_out[left_out(classes, places, image=False, article=article)] += 1


class _Article:
    """The lines of one article, held until it is known whether it stands beside its entity."""

    def __init__(self) -> None:
        self.name = b""
        self._lines = list[bytes]()
        self._beside = False

    def add(self, name: bytes, line: bytes | None, *, beside: bool) -> None:
        """Take a line, and whether it says that the article is about the present entity."""
        if name != self.name:
            self.name, self._beside = name, False
        self._beside = self._beside or beside
        if line is not None:
            self._lines.append(line)

    def released(self, group: list[tuple[bytes, bytes]]) -> list[bytes]:
        """Add the lines to their entity's, or return them if it is not the present one."""
        lines, self._lines = self._lines, []
        self.name = b""
        if not self._beside:
            return lines
        group += ((_ABOUT, line) for line in lines)
        return []


def statements(
    source: Iterable[bytes], path: str, report: Report
) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Yield subject, predicate, value as written, and the line with its end."""
    for raw in source:
        line = raw.strip()
        parts = line.split(None, 2)
        if len(parts) == 3 and line.endswith(b"."):
            yield parts[0][1:-1], parts[1][1:-1], parts[2][:-1].rstrip(), line + b"\n"
        elif line and not line.startswith(b"#"):
            skipped(path, f"no statement: {line[:80]!r}", report)


def grouped(source: Iterable[bytes], path: str, wanted: Wanted, report: Report) -> Iterator[bytes]:
    """Yield the wanted lines, each with its end, entity by entity.

    What is said of an article or of a statement (whether a country is the present one) goes with its
    entity where it stands beside it, and is kept where it does not.
    """
    wants, article = _Filter(wanted), _Article()
    present, group = b"", list[tuple[bytes, bytes]]()
    for subject, predicate, value, line in statements(source, path, report):
        if article.name and subject != article.name:
            yield from article.released(group)
        if subject.startswith(wants.sites):
            beside = predicate == _ABOUT and value[1:-1] == present
            taken = line if wants.of_article(predicate, value) else None
            article.add(subject, taken, beside=beside)
        elif subject.startswith(_STATEMENT):
            if predicate not in _OF_STATEMENTS:
                continue
            if _ENTITY + subject[len(_STATEMENT) :].partition(b"-")[0].upper() == present:
                group.append((b"", line))
            else:
                yield line
        elif subject.startswith(_ENTITY):
            if subject != present:
                yield from wants.chosen(group, path, report)
                present, group = subject, []
            if wants.of_entity(predicate, value):
                group.append((predicate, line))
    yield from article.released(group)
    yield from wants.chosen(group, path, report)
