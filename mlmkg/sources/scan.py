"""Finds the few lines of a dump that may be wanted, without looking at the others as lines.

Blocks of bytes enter, candidate lines leave. Nine in ten entities have neither a place nor a
superclass: a block is searched for these words with ``bytes.find`` (over 2 GB/s on one core; splitting
it into lines and looking at each took four times as long), and only around a hit are a line's ends
looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import orjson

from mlmkg.sources.wikibase import CLASS, PLACE, SUBCLASS, Report, Wanted, entity_lines

#: How Wikidata's JSON names a statement's property; long words are found faster than short ones.
_COMPACT: Final = b'"property":"%s"'
_SPACED: Final = b'"property": "%s"'


class Needles:
    """The words that a wanted line must have, as this file writes them."""

    def __init__(self, wanted: Wanted, sample: bytes) -> None:
        pattern = _SPACED if b'"property": "P' in sample else _COMPACT
        self.first = tuple(pattern % name.encode() for name in (PLACE, SUBCLASS))
        self.subclass = self.first[1]
        self.a_class = pattern % CLASS.encode()
        self.images = tuple(b'"%s"' % name.encode() for name in sorted(wanted.images))
        self.sites = tuple(b'"%s"' % name.encode() for name in wanted.databases)

    def allow(self, line: bytes) -> bool:
        """Return whether a line with one of the first words is worth parsing."""
        if self.subclass in line:
            return True
        return (
            self.a_class in line
            and any(word in line for word in self.images)
            and any(word in line for word in self.sites)
        )


def hits(block: bytes, words: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each line that holds one of the words, in their order.

    >>> list(hits(b"a1\\nb\\na2 a3\\n", [b"a"]))
    [(0, 2), (5, 10)]
    """
    places = [block.find(word) for word in words]
    while any(place >= 0 for place in places):
        place = min(place for place in places if place >= 0)
        start = block.rfind(b"\n", 0, place) + 1
        end = block.find(b"\n", place)
        end = len(block) if end < 0 else end
        yield start, end
        places = [
            block.find(word, end) if 0 <= at < end else at
            for word, at in zip(words, places, strict=True)
        ]  # fmt: skip


def trimmed(line: bytes) -> bytes:
    """Return a line of an array without what separates its entities.

    >>> trimmed(b'{"id":"Q1"},\\r\\n')
    b'{"id":"Q1"}'
    """
    return line.strip().removeprefix(b"[").removesuffix(b"]").rstrip().removesuffix(b",").strip()


def keep(line: bytes, wanted: Wanted, report: Report | None = None) -> list[bytes]:
    """Return the N-Triples lines of one line of a dump: what an engine does with each.

    :param line: an entity as JSON; brackets and commas of an array around it do not matter.
    :raises ValueError: if it is no JSON object.
    """
    needles = Needles(wanted, line)
    if not any(word in line for word in needles.first) or not needles.allow(line):
        return []
    return parsed(line, wanted, report or Report())


def parsed(line: bytes, wanted: Wanted, report: Report) -> list[bytes]:
    """Parse a line and return the N-Triples of its entity.

    :raises ValueError: if it is no JSON object.
    """
    entity = orjson.loads(trimmed(line))
    if not isinstance(entity, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of a file's content
    return entity_lines(entity, wanted, report)
