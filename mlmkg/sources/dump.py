"""The source ``dump``: Wikidata's own dumps, read once from end to end.

Files enter, as JSON or RDF, packed or not; the statements that a recipe wants leave as N-Triples. A
line that cannot be read is counted and named, never fatal; a file that breaks off is. What was read of
a file on disk is journaled every so often, so that a killed build goes on where it was.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import orjson

from mlmkg.errors import SourceError
from mlmkg.harvest.journal import Journal
from mlmkg.licences import CC0
from mlmkg.progress import Progress
from mlmkg.sources import Origin, layouts, leftout, rdfdump, scan, streams, terms, wikibase
from mlmkg.sources.layouts import complete, json_values, line_by_line
from mlmkg.sources.scan import Needles
from mlmkg.sources.streams import Dump as Stream
from mlmkg.sources.streams import fingerprint, is_address, open_dump
from mlmkg.sources.wikibase import MALFORMED, Report, Wanted

logger = logging.getLogger(__name__)

#: Unpacked bytes after which what was read is journaled.
CHECKPOINT: Final = 1 << 30
#: Lines that are held until then; more are journaled earlier.
HELD: Final = 100_000
#: What the journal's counts are called, each beside the lines of the same part of a file.
COUNTS: Final = "left out:"
_NTRIPLES: Final = re.compile(r"\.nt(\.gz|\.bz2|\.zst)?$")
_SUBJECT: Final = b"\n<http://www.wikidata.org/entity/Q"


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
            "files": [self._file(path) for path in self.paths],
            "wanted": self._wanted(),
        }

    def _file(self, path: str) -> Mapping[str, str | int]:
        if self.engine == "spark" and not Path(path).is_file():
            return {"name": path}  # a wildcard, or somewhere that only Spark reads
        return fingerprint(path, self.contact)

    def _wanted(self) -> dict[str, list[str]]:
        w = self.wanted
        return {
            "properties": sorted(w.properties), "images": sorted(w.images),
            "languages": list(w.languages), "sites": list(w.sites),
        }  # fmt: skip

    def modules(self) -> tuple[ModuleType, ...]:
        """Return the modules that its output is computed by."""
        return sys.modules[__name__], layouts, leftout, rdfdump, scan, streams, terms, wikibase

    def origins(self, graph: str) -> list[Origin]:
        """Return Wikidata's dumps."""
        names = ", ".join(Path(path).name for path in self.paths)
        return [
            Origin("https://www.wikidata.org/", "Wikidata", names, CC0, "Wikidata contributors (CC0)")
        ]

    def statements(self, progress: Progress) -> Iterator[bytes]:
        """Yield the N-Triples lines of what is wanted, and at the end how many entities are left out.

        An entity that is left out of two files is counted twice; a file that is named twice is not.

        :raises SourceError: if a file is not there, is empty or breaks off.
        """
        report, paths = Report(), tuple(dict.fromkeys(self.paths))
        if self.engine == "spark":
            from mlmkg.sources import spark

            yield from spark.statements(paths, self.wanted, progress, report)
        else:
            for path in paths:
                yield from self._read(path, progress, report)
        yield from leftout.lines(report.left_out)
        for what, number in report.counts.most_common():
            logger.warning("%s: %d", what, number)

    def _read(self, path: str, progress: Progress, report: Report) -> Iterator[bytes]:
        if is_address(path):
            with open_dump(path, self.contact) as stream:
                for lines, _ in pieces(stream, 0, self.wanted, progress, report):
                    yield from lines
            return
        told = fingerprint(path)
        asked = orjson.dumps({"counts": COUNTS, **self._wanted()}, option=orjson.OPT_SORT_KEYS)
        what = sha256(asked).hexdigest()
        prefix = f"{told['size']}-{told['sha256 of its ends']}:{what[:16]}:"
        with Journal(self.journal / "dump.sqlite") as journal, open_dump(path) as stream:
            done = list(journal.keys(prefix))
            if done and not done[-1].endswith("end") and not resumable(path, stream.head()):
                journal.forget(prefix)
                journal.forget(COUNTS + prefix)
                done = []
            for key in done:
                report.left_out += leftout.unpacked(journal.get(COUNTS + key) or b"[]")
                yield from (journal.get(key) or b"").splitlines(keepends=True)
            if done and done[-1].endswith("end"):
                return
            start = int(done[-1].rpartition(":")[2]) if done else 0
            held, part = list[bytes](), Report(report.counts)

            def remember(where: str) -> None:
                """Journal what was read since the last time, and count it."""
                counts = leftout.packed(part.left_out)
                journal.add({prefix + where: b"".join(held), COUNTS + prefix + where: counts})
                report.left_out += part.left_out
                part.left_out.clear()
                held.clear()

            for lines, place in pieces(stream, start, self.wanted, progress, part):
                held += lines
                yield from lines
                if place - start >= CHECKPOINT or len(held) >= HELD:
                    remember(f"{place:020d}")
                    start = place
            remember("end")


def resumable(path: str, head: bytes) -> bool:
    """Return whether reading can begin in the middle of a file: one statement or entity a line."""
    return bool(_NTRIPLES.search(path)) or not (rdfdump.TURTLE.search(path) or not line_by_line(head))


def pieces(
    stream: Stream, start: int, wanted: Wanted, progress: Progress, report: Report
) -> Iterator[tuple[list[bytes], int]]:
    """Yield N-Triples lines, with the unpacked bytes of the dump that they and those before came from.

    :param start: unpacked bytes to leave out; such a place as was yielded before.
    :raises SourceError: if the file is empty, holds no entities or breaks off.
    """
    head, path = stream.head(), stream.path
    if not head:
        raise SourceError("an empty file", where=path, action="Get the file again")
    if not resumable(path, head):
        blocks = with_progress(stream.pieces(), stream, progress)
        if rdfdump.TURTLE.search(path):
            for line in rdfdump.lines(blocks, path, wanted, report):
                yield [line], stream.place
        else:
            yield from json_values(blocks, head, stream, wanted, report)
        return
    blocks = after(with_progress(stream.blocks(), stream, progress), start, path)
    if _NTRIPLES.search(path):
        for block in whole_entities(blocks):
            start += len(block)
            yield list(rdfdump.lines([block], Path(path).name, wanted, report)), start
    else:
        if head.lstrip().startswith(b"["):
            blocks = complete(blocks, stream)
        yield from json_lines(blocks, start, path, wanted, report)


def after(blocks: Iterable[bytes], start: int, path: str) -> Iterator[bytes]:
    """Yield blocks from a place on; what is before it is unpacked, which is several times faster."""
    place = 0
    for block in blocks:
        place += len(block)
        if place > start:
            yield block[max(0, start - (place - len(block))) :]
    if place < start:
        raise SourceError(
            "is shorter than when it was read before", where=path,
            action="Remove journal/dump.sqlite and build again",
        )  # fmt: skip


def whole_entities(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of N-Triples again in blocks that end where an entity's statements end."""
    rest = b""
    for block in blocks:
        data = rest + block
        first = end = data.rfind(_SUBJECT)
        name = data[end : data.find(b">", end) + 1]
        while end >= 0 and data.startswith(name, end):
            first, end = end, data.rfind(_SUBJECT, 0, end)
        if end < 0:
            rest = data
            continue
        yield data[: first + 1]
        rest = data[first + 1 :]
    if rest:
        yield rest


def with_progress(blocks: Iterable[bytes], stream: Stream, progress: Progress) -> Iterator[bytes]:
    """Yield the blocks, and tell a bar in megabytes of the file how far they are.

    The bar is moved on its own, not by the blocks: a megabyte packed may be many blocks, or none.
    """
    name, total = f"reading {Path(stream.path).name}", stream.size >> 20
    steps = iter(progress(_steps(), name, total=total or None, unit="MB"))
    told = 0
    for block in blocks:
        for _ in range(told, now := stream.consumed >> 20):
            next(steps)
        told = now
        yield block
    if isinstance(steps, Generator):
        steps.close()


def _steps() -> Generator[None, None, None]:
    """Go on for as long as one asks."""
    while True:
        yield None


def json_lines(
    blocks: Iterable[bytes], place: int, path: str, wanted: Wanted, report: Report
) -> Iterator[tuple[list[bytes], int]]:
    """Yield the N-Triples of one block after the other, with the place in the file after it.

    :param place: unpacked bytes before the first block.
    """
    needles = Needles(wanted)
    for block in blocks:
        lines: list[bytes] = []
        for start, end in needles.hits(block):
            line = block[start:end]
            try:
                lines += needles.taken(line, report)
            except MALFORMED as error:
                where = f"malformed line at byte {place + start} (unpacked)"
                report.skipped("malformed lines", f"{path}: {where}: {error}: {line[:60]!r}")
        place += len(block)
        yield lines, place
