"""Finds the few lines of a dump that may be wanted, without looking at the others as lines.

Blocks of bytes enter, the N-Triples of what is wanted leave. Nine in ten entities have neither a place
nor a superclass: a block is searched for both names at once (6 GB/s on one core; ``bytes.find`` for
each took five times as long, splitting into lines and looking at each twenty times), and only around a
hit are a line's ends looked for. Of what has a place but lacks an image or an article, the statements
that it is counted by are cut out and parsed: a third of what parsing all of it takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import ahocorasick_rs
import orjson

from mlmkg.sources.wikibase import CLASS, PLACE, SUBCLASS, Report, Wanted, count, entity_lines

#: How Wikidata's dumps begin an item, the claims of a property, and what follows all claims. There are
#: no spaces, and a quote in a text has a backslash before it: nothing else can read so. A qualifier or
#: a reference begins with another word.
_ITEM: Final = b'{"type":"item","id":"Q'
_CLAIMS: Final = b':[{"mainsnak":'
_LINKS: Final = b',"sitelinks":'
_QUOTE: Final = ord('"')


class Needles:
    """The words that a wanted line must have."""

    def __init__(self, wanted: Wanted) -> None:
        # Without the quote before it: a search for what begins with a rare byte is seven times faster.
        self.first = (f'{PLACE}"'.encode(), f'{SUBCLASS}"'.encode())
        self._search = ahocorasick_rs.BytesAhoCorasick(self.first)
        self._names = [SUBCLASS, CLASS, PLACE, *sorted(wanted.images)]
        self._others = ahocorasick_rs.BytesAhoCorasick([f'{n}"'.encode() for n in self._names])
        self._sites = tuple(f'"{name}"'.encode() for name in wanted.databases)
        self._wanted = wanted

    def taken(self, line: bytes, report: Report) -> list[bytes]:
        """Return the N-Triples of a line with one of the first words.

        :param report: counts the entity if it has a class and a place and is left out.
        :raises ValueError: if a line that is parsed is no JSON object.
        """
        matches = self._others.find_matches_as_indexes(line)
        found = {self._names[word] for word, _, _ in matches}
        if SUBCLASS not in found and CLASS not in found:
            return []
        images = not found.isdisjoint(self._wanted.images)
        if SUBCLASS in found or (images and any(word in line for word in self._sites)):
            return parsed(line, self._wanted, report)
        claims, links = self._cut(line, matches)
        if claims.keys() != found:  # a qualifier, malformed, or not as Wikidata writes it
            return parsed(line, self._wanted, report)
        article = any(links.get(name) is not None for name in self._wanted.databases)
        count(claims, self._wanted, report, article=article)
        return []

    def _cut(
        self, line: bytes, matches: list[tuple[int, int, int]]
    ) -> tuple[dict[str, list[Any]], dict[str, Any]]:
        """Return the claims of the words that were found and the links of an item; none if in doubt.

        :param matches: word, start and end of what was found in the line.
        """
        claims: dict[str, list[Any]] = {}
        last = line.rfind(_LINKS)
        if last < 0 or not line.startswith((_ITEM, b"[" + _ITEM)):
            return {}, {}
        try:
            for word, start, end in matches:
                if line.startswith(_CLAIMS, end) and line[start - 1] == _QUOTE:
                    after = line.find(b'"' + _CLAIMS, end + 1, last)
                    stop = line.rfind(b',"P', end, after) if after >= 0 else last - 1
                    if self._names[word] in claims:
                        return {}, {}
                    claims[self._names[word]] = orjson.loads(line[end + 1 : stop])
            return claims, orjson.loads(b"{" + trimmed(line[last + 1 :]))["sitelinks"] or {}
        except orjson.JSONDecodeError:
            return {}, {}

    def hits(self, block: bytes) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each line that holds one of the first words, in their order."""
        end = 0
        for _, place, _ in self._search.find_matches_as_indexes(block):
            if place < end:
                continue
            start = block.rfind(b"\n", end, place) + 1 or end
            end = block.find(b"\n", place)
            end = len(block) if end < 0 else end
            yield start, end


def trimmed(line: bytes) -> bytes:
    """Return a line of an array without what separates its entities.

    >>> trimmed(b'{"id":"Q1"},\\r\\n')
    b'{"id":"Q1"}'
    """
    return line.strip().removeprefix(b"[").removesuffix(b"]").rstrip().removesuffix(b",").strip()


@lru_cache(maxsize=4)
def _needles(wanted: Wanted) -> Needles:
    return Needles(wanted)


def keep(line: bytes, wanted: Wanted, report: Report | None = None) -> list[bytes]:
    """Return the N-Triples lines of one line of a dump: what an engine does with each.

    :param line: an entity as JSON; brackets and commas of an array around it do not matter.
    :raises ValueError: if it is no JSON object.
    """
    needles = _needles(wanted)
    if not any(word in line for word in needles.first):
        return []
    return needles.taken(line, report or Report())


def parsed(line: bytes, wanted: Wanted, report: Report) -> list[bytes]:
    """Parse a line and return the N-Triples of its entity.

    :raises ValueError: if it is no JSON object.
    """
    entity = orjson.loads(trimmed(line))
    if not isinstance(entity, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of a file's content
    return entity_lines(entity, wanted, report)
