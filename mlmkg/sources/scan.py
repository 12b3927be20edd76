"""Finds the few lines of a dump that may be wanted, without looking at the others as lines.

Blocks of bytes enter, the N-Triples of what is wanted leave. Nine in ten entities have neither a place
nor a superclass: a block is searched for both names at once (6 GB/s on one core; ``bytes.find`` for
each took five times as long, splitting into lines and looking at each twenty times), and only around a
hit are a line's ends looked for. Of what has a place but lacks an image or an article, the statements
that it is counted by are parsed and the rest is stepped over, three times as fast as parsing all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypedDict

import ahocorasick_rs
import msgspec
import orjson

from mlmkg.sources.wikibase import CLASS, PLACE, SUBCLASS, Report, Wanted, entity_lines


class Needles:
    """The words that a wanted line must have."""

    def __init__(self, wanted: Wanted) -> None:
        # Without the quote before it: a search for what begins with a rare byte is seven times faster.
        self.first = (f'{PLACE}"'.encode(), f'{SUBCLASS}"'.encode())
        self._search = ahocorasick_rs.BytesAhoCorasick(self.first)
        names = [SUBCLASS, CLASS, *sorted(wanted.images)]
        self._others = ahocorasick_rs.BytesAhoCorasick([f'{name}"'.encode() for name in names])
        self._sites = tuple(f'"{name}"'.encode() for name in wanted.databases)
        self._wanted = wanted
        self._counted = _counted(wanted)

    def taken(self, line: bytes, report: Report) -> list[bytes]:
        """Return the N-Triples of a line with one of the first words.

        :param report: counts the entity if it has a class and a place and is left out.
        :raises ValueError: if a line that is parsed is no JSON object.
        """
        found = {word for word, _, _ in self._others.find_matches_as_indexes(line)}
        if 0 in found or (1 in found and len(found) > 1 and any(word in line for word in self._sites)):
            return parsed(line, self._wanted, report)
        if 1 in found:
            try:
                entity = self._counted.decode(trimmed(line))
            except ValueError:  # not as Wikidata writes it, or malformed: which of them is told there
                return parsed(line, self._wanted, report)
            return entity_lines(entity, self._wanted, report)
        return []

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


def _counted(wanted: Wanted) -> msgspec.json.Decoder[dict[str, Any]]:
    """Return what reads of an entity only what it is counted by."""
    claims = dict.fromkeys([SUBCLASS, CLASS, PLACE, *sorted(wanted.images)], Any)
    links = dict.fromkeys(wanted.databases, Any)
    parts = {
        "id": Any, "type": Any,
        # PHP writes an empty mapping as a list.
        "claims": TypedDict("Claims", claims, total=False) | list[Any],  # type: ignore[operator]
        "sitelinks": TypedDict("Links", links, total=False) | list[Any],  # type: ignore[operator]
    }  # fmt: skip
    return msgspec.json.Decoder(TypedDict("Entity", parts, total=False))  # type: ignore[operator]


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
