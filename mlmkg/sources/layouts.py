"""How files of entities are laid out: one a line as in Wikidata's dumps, or anyhow.

Unpacked bytes enter, and it is known how they are to be read; what has not one entity a line is read as
JSON of any shape: an array, an answer of the API, one entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import IO, Any, Final, cast

import ijson
import orjson

from mlmkg.errors import SourceError
from mlmkg.sources.scan import trimmed
from mlmkg.sources.streams import Dump as Stream
from mlmkg.sources.streams import Pieces
from mlmkg.sources.wikibase import MALFORMED, Report, Wanted, entity_lines

_API: Final = re.compile(rb'^\s*\{(?:\s*"\w+"\s*:\s*(?:\d+|true|"[^"]*")\s*,)*\s*"entities"\s*:\s*\{')


def complete(blocks: Iterable[bytes], stream: Stream) -> Iterator[bytes]:
    """Yield the blocks of an array; say at the end if it breaks off in the middle of an entity."""
    last = b""
    for last in blocks:
        yield last
    if not last.endswith(b"\n") and not last.rstrip().endswith(b"]"):
        try:
            orjson.loads(trimmed(last[last.rfind(b"\n") + 1 :]))
        except orjson.JSONDecodeError:
            raise SourceError(
                f"cut off after {stream.place:,} bytes (unpacked), in the middle of an entity",
                where=stream.path, action="Get the file again, and compare its size or checksum",
            ) from None  # fmt: skip


def line_by_line(head: bytes) -> bool:
    """Return whether a file has one entity a line, from the lines at its beginning.

    >>> line_by_line(b'[\\n{"id":"Q1"},\\n'), line_by_line(b'[{"id":"Q1"},{"id":"Q2"}]')
    (True, False)
    """
    for line in head.split(b"\n", 100)[:100]:
        try:
            entity = orjson.loads(trimmed(line) or b"null")
        except orjson.JSONDecodeError:
            continue
        if isinstance(entity, dict) and not entity.keys().isdisjoint({"id", "redirect"}):
            return True
    return False


def json_values(
    blocks: Iterable[bytes], head: bytes, stream: Stream, wanted: Wanted, report: Report
) -> Iterator[tuple[list[bytes], int]]:
    """Yield the N-Triples of an array, an API answer or one entity, wherever their lines end."""
    file, path, seen = cast("IO[bytes]", Pieces(iter(blocks))), stream.path, 0
    read = partial(ijson.items, file, use_float=True, multiple_values=True)
    if head.lstrip().startswith(b"["):
        found = read("item")
    elif _API.match(head):
        pairs = ijson.kvitems(file, "entities", use_float=True, multiple_values=True)
        found = (entity for _, entity in pairs)
    else:
        found = chain.from_iterable(map(_within, read("")))
    try:
        for entity in found:
            try:
                seen += not entity.keys().isdisjoint({"id", "redirect", "missing"})
                lines = entity_lines(entity, wanted, report)
            except MALFORMED as error:
                report.skipped("malformed entities", f"{path}: malformed entity: {error}")
            else:
                yield lines, stream.place
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise SourceError(
            f"no JSON that can be read, near byte {stream.place:,} (unpacked): {error}", where=path,
            action="Get the file again; a dump is an array or has one entity a line",
        ) from None  # fmt: skip
    if not seen:
        raise SourceError("holds no entities", where=path, action="Name a dump of Wikidata")


def _within(value: Any) -> Iterable[Any]:
    """Return an answer's entities, or the entity itself."""
    held = value.get("entities") if isinstance(value, dict) else None
    return held.values() if isinstance(held, dict) else [value]
