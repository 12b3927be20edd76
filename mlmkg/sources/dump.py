"""The source ``dump``: Wikidata's own dumps, read once from end to end.

Files enter, as JSON or RDF, packed or not; the statements that a recipe wants leave as N-Triples. A
line that cannot be read is counted and named, never fatal; a file that breaks off is. What was read of
a file on disk is journaled every so often, so that a killed build goes on where it was.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Final, cast

import httpx2
import ijson
import orjson

from mlmkg import __version__
from mlmkg.errors import SourceError
from mlmkg.harvest.journal import Journal
from mlmkg.progress import Progress
from mlmkg.sources import Origin, rdfdump, scan, streams, wikibase
from mlmkg.sources.scan import Needles, parsed, trimmed
from mlmkg.sources.streams import Dump as Stream
from mlmkg.sources.streams import open_dump
from mlmkg.sources.wikibase import Report, Wanted, entity_lines

logger = logging.getLogger(__name__)

CC0: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
#: Unpacked bytes after which what was read is journaled.
CHECKPOINT: Final = 1 << 30
#: Malformed lines that are named; the others are only counted.
NAMED: Final = 20
_RDF: Final = re.compile(r"\.(nt|ttl)(\.gz|\.bz2|\.zst)?$")
_API: Final = re.compile(rb'^\s*\{(?:\s*"\w+"\s*:\s*(?:\d+|true|"[^"]*")\s*,)*\s*"entities"\s*:\s*\{')


@dataclass(frozen=True)
class Dump:
    """The source ``dump``.

    :param paths: files or addresses.
    :param wanted: what is taken from them.
    :param journal: the folder of the journal.
    :param engine: ``local``, or ``spark`` for a cluster.
    :param contact: told to servers that dumps are read from.
    """

    paths: tuple[str, ...]
    wanted: Wanted
    journal: Path
    engine: str = "local"
    contact: str = ""

    @property
    def name(self) -> str:
        """The name it has on the command line."""
        return "dump"

    def identity(self) -> Mapping[str, Any]:
        """Return the files and what is taken from them; the engine makes no difference."""
        return {
            "source": self.name,
            "files": {Path(path).name: fingerprint(path, self.contact) for path in self.paths},
            "wanted": self._wanted(),
        }

    def _wanted(self) -> dict[str, list[str]]:
        w = self.wanted
        return {
            "properties": sorted(w.properties), "images": sorted(w.images),
            "languages": list(w.languages), "sites": list(w.sites),
        }  # fmt: skip

    def modules(self) -> tuple[ModuleType, ...]:
        """Return the modules that its output is computed by."""
        return sys.modules[__name__], scan, rdfdump, streams, wikibase

    def origins(self, graph: str) -> list[Origin]:
        """Return Wikidata's dumps."""
        names = ", ".join(Path(path).name for path in self.paths)
        return [
            Origin("https://www.wikidata.org/", "Wikidata", names, CC0, "Wikidata contributors (CC0)")
        ]

    def statements(self, progress: Progress) -> Iterator[bytes]:
        """Yield the N-Triples lines of what is wanted.

        :raises SourceError: if a file is not there, is empty or breaks off.
        """
        report = Report()
        if self.engine == "spark":
            from mlmkg.sources import spark

            yield from spark.statements(self.paths, self.wanted, report)
        else:
            for path in self.paths:
                yield from self._read(path, progress, report)
        for what, number in report.counts.most_common():
            logger.warning("%s: %d", what, number)

    def _read(self, path: str, progress: Progress, report: Report) -> Iterator[bytes]:
        if path.startswith(("http://", "https://")):
            with open_dump(path, self.contact) as stream:
                for lines, _ in self._pieces(stream, progress, report):
                    yield from lines
            return
        what = orjson.dumps(self._wanted(), option=orjson.OPT_SORT_KEYS)
        prefix = f"{fingerprint(path)}:{sha256(what).hexdigest()[:16]}:"
        with Journal(self.journal / "dump.sqlite") as journal, open_dump(path) as stream:
            done = list(journal.keys(prefix))
            for key in done:
                yield from (journal.get(key) or b"").splitlines(keepends=True)
            if done and done[-1].endswith("end"):
                return
            start = int(done[-1].rpartition(":")[2]) if done else 0
            skip(stream, start)
            held: list[bytes] = []
            for lines, place in self._pieces(stream, progress, report):
                held += lines
                yield from lines
                if place is not None and place - start >= CHECKPOINT:
                    journal.add({f"{prefix}{place:020d}": b"".join(held)})
                    held, start = [], place
            journal.add({f"{prefix}end": b"".join(held)})

    def _pieces(
        self, stream: Stream, progress: Progress, report: Report
    ) -> Iterator[tuple[list[bytes], int | None]]:
        """Yield lines with the place after them, None where reading cannot begin again."""
        begin = stream.place
        blocks = stream.blocks()
        first = next(blocks, b"")
        if not first and not begin:
            raise SourceError("an empty file", where=stream.path, action="Get the file again")
        whole = with_progress(chain([first], blocks), stream, progress)
        if _RDF.search(stream.path):
            for line in rdfdump.lines(whole, stream.path, self.wanted, report):
                yield [line], None
        elif begin or line_by_line(first):
            yield from json_lines(whole, begin, stream.path, self.wanted, report)
        else:
            for entity in entities(whole, first, stream.path):
                yield entity_lines(entity, self.wanted, report), None


def with_progress(blocks: Iterable[bytes], stream: Stream, progress: Progress) -> Iterator[bytes]:
    """Yield the blocks, and tell a bar in megabytes of the file how far they are."""
    waiting: list[bytes] = []

    def megabytes() -> Iterator[None]:
        told = 0
        for block in blocks:
            waiting.append(block)
            now = stream.consumed >> 20
            yield from (None for _ in range(now - told))
            told = now

    for _ in progress(
        megabytes(), f"reading {Path(stream.path).name}", total=(stream.size >> 20) or None, unit="MB"
    ):
        yield from waiting
        waiting.clear()
    yield from waiting


def skip(stream: Stream, size: int) -> None:
    """Read over what is journaled already: unpacking alone, which is several times faster."""
    left = size
    while left:
        block = stream.read(min(left, streams.BLOCK))
        if not block:
            raise SourceError(
                "is shorter than when it was read before", where=stream.path,
                action="Remove journal/dump.sqlite and build again",
            )  # fmt: skip
        left -= len(block)


def json_lines(
    blocks: Iterable[bytes], place: int, path: str, wanted: Wanted, report: Report
) -> Iterator[tuple[list[bytes], int]]:
    """Yield the N-Triples of one block after the other, with the place in the file after it.

    :param place: where the first block begins, in unpacked bytes.
    """
    needles = Needles(wanted)
    named = 0
    for block in blocks:
        lines: list[bytes] = []
        for start, end in needles.hits(block):
            line = block[start:end]
            if not needles.allow(line):
                continue
            try:
                lines += parsed(line, wanted, report)
            except (ValueError, AttributeError, TypeError, KeyError) as error:
                report.counts["malformed lines"] += 1
                named += 1
                if named <= NAMED:
                    logger.warning(
                        "%s: malformed line at byte %d (unpacked): %s: %.60r", path,
                        place + start, error, line,
                    )  # fmt: skip
        place += len(block)
        yield lines, place


def line_by_line(head: bytes) -> bool:
    """Return whether a file has one entity a line, from the whole lines at its beginning."""
    for line in head.split(b"\n", 6)[:6]:
        try:
            entity = orjson.loads(trimmed(line) or b"null")
        except orjson.JSONDecodeError:
            continue
        if isinstance(entity, dict) and "id" in entity:
            return True
    return False


def entities(blocks: Iterable[bytes], head: bytes, path: str) -> Iterator[dict[str, Any]]:
    """Yield the entities of a file that has not one a line: an array, an API answer, one entity."""
    file = cast("IO[bytes]", streams.Pieces(iter(blocks)))
    try:
        if head.lstrip().startswith(b"["):
            found = ijson.items(file, "item", use_float=True)
        elif _API.match(head):
            found = (entity for _, entity in ijson.kvitems(file, "entities", use_float=True))
        else:
            found = ijson.items(file, "", use_float=True, multiple_values=True)
        for entity in found:
            if isinstance(entity, dict):
                yield entity
    except ijson.JSONError as error:
        raise SourceError(
            f"no JSON that can be read: {error}", where=path,
            action="Get the file again; a dump is an array or has one entity a line",
        ) from None  # fmt: skip


def fingerprint(path: str, contact: str = "") -> str:
    """Return what tells a file from another: its size, its beginning and its end.

    Of an address: what its server says of size, date and version.

    :raises SourceError: if there is no such file.
    """
    if path.startswith(("http://", "https://")):
        agent = f"mlmkg/{__version__} (https://w3id.org/mlmkg; {contact})"
        try:
            said = httpx2.head(path, headers={"User-Agent": agent}, follow_redirects=True, timeout=60)
        except httpx2.HTTPError as error:
            raise SourceError(f"{error}", where=path, action="Correct the address") from None
        names = ("content-length", "etag", "last-modified")
        text = "|".join(said.headers.get(name, "") for name in names)
        return sha256(f"{path}|{text}".encode()).hexdigest()[:24]
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            content = file.read(1 << 20)
            file.seek(max(0, size - (1 << 20)))
            content += file.read(1 << 20)
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror}", where=path, action="Correct the name"
        ) from None
    return sha256(b"%d|" % size + content).hexdigest()[:24]
