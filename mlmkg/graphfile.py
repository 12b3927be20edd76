"""Graph files: the truth that the store is an index of.

Lines of N-Triples enter in any order, a sorted file without duplicates leaves, so the same triples
give the same bytes: it can be compared with last month's, shipped and cached. A graph is written
when its provenance record stands beside it; the record is written last, so a killed step leaves
nothing that looks finished.
"""

from __future__ import annotations

import heapq
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Final, cast

import zstandard

from mlmkg.errors import WorkspaceError
from mlmkg.workspace import written_whole

#: Lines sorted in memory at a time; more are sorted in runs on disk and merged. About 150 MB.
LINES_IN_MEMORY: Final = 500_000
#: Compression level: 3 packs these files twelvefold at the speed they are sorted; 10 takes five
#: times longer for a tenth less.
LEVEL: Final = 3
_CHUNK: Final = 20_000
_NAME: Final = re.compile(r"(?P<name>.+)-(?P<key>[0-9a-f]{16})\.nt\.zst")


@dataclass(frozen=True)
class GraphFile:
    """A named graph's file, whether it has been written or not.

    :param folder: the workspace's ``graphs`` folder.
    :param name: the graph's name, ``hops`` or ``predictions/{run}``.
    :param key: 16 hexadecimal digits that stand for all that the graph depends on.
    """

    folder: Path
    name: str
    key: str

    @property
    def path(self) -> Path:
        """The sorted N-Triples, zstd-compressed."""
        return self.folder / f"{self.name}-{self.key}.nt.zst"

    @property
    def record(self) -> Path:
        """The provenance record, N-Triples; the graph counts as written once this exists."""
        return self.folder / f"{self.name}-{self.key}.prov.nt"

    @property
    def written(self) -> bool:
        """Whether the graph and its record are complete."""
        return self.record.is_file() and self.path.is_file()


@dataclass(frozen=True)
class Written:
    """What a graph file holds.

    :param triples: how many distinct triples.
    :param sha256: of the uncompressed sorted N-Triples, hexadecimal.
    """

    triples: int
    sha256: str


def written_graphs(folder: Path, name: str = "") -> list[GraphFile]:
    """Return the complete graph files of a folder, the newest last.

    :param name: only files of this graph; a name that ends in ``/`` stands for a family of graphs.
    """
    found = []
    for path in folder.rglob("*.nt.zst"):
        match = _NAME.fullmatch(path.relative_to(folder).as_posix())
        if match is None:
            continue
        graph = GraphFile(folder, match["name"], match["key"])
        family = name.endswith("/") and graph.name.startswith(name)
        if (name in {"", graph.name} or family) and graph.written:
            found.append(graph)
    return sorted(found, key=lambda graph: (graph.record.stat().st_mtime_ns, graph.name))


class SortingWriter:
    """Takes N-Triples bytes cut anywhere, or whole lines; gives them back sorted, each once."""

    def __init__(self, spill: Path) -> None:
        """Start empty; sorted runs go to anonymous files in ``spill`` when memory is full."""
        self._spill = spill
        self._lines: list[bytes] = []
        self._rest = b""
        self._runs: list[IO[bytes]] = []

    def write(self, data: bytes) -> int:
        """Take bytes that may end within a line."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        self._lines += lines
        self._spill_when_full()
        return len(data)

    def flush(self) -> None:
        """Do nothing: lines are written when all of them are sorted."""

    def as_file(self) -> IO[bytes]:
        """Return itself as the file that Oxigraph writes to; it calls ``write`` and ``flush``."""
        return cast("IO[bytes]", self)

    def add(self, lines: Iterable[bytes]) -> int:
        """Take whole lines, each with its line end; return how many."""
        lines, number = iter(lines), 0
        while batch := [line[:-1] for line in islice(lines, _CHUNK)]:
            number += len(batch)
            self._lines += batch
            self._spill_when_full()
        return number

    def _spill_when_full(self) -> None:
        if len(self._lines) >= LINES_IN_MEMORY:
            run = tempfile.TemporaryFile(dir=self._spill)  # noqa: SIM115 - closed in `sorted`
            for chunk in _chunks(self._sorted_lines()):
                run.write(chunk)
            run.seek(0)
            self._runs.append(run)
            self._lines = []

    def _sorted_lines(self) -> list[bytes]:
        lines = self._lines
        lines.sort()
        return lines

    def sorted(self) -> Iterator[bytes]:
        """Yield the lines without line end, sorted bytewise, each once."""
        if self._rest:
            raise ValueError("the last line is not complete")
        runs: list[Iterable[bytes]] = [self._sorted_lines()]
        runs += [(line[:-1] for line in run) for run in self._runs]
        merged = heapq.merge(*runs) if self._runs else runs[0]
        previous = b""
        for line in merged:
            if line != previous:
                yield line
            previous = line
        for run in self._runs:
            run.close()
        self._lines, self._runs = [], []


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    lines = iter(lines)
    while batch := list(islice(lines, _CHUNK)):
        yield b"\n".join(batch) + b"\n"


def write(path: Path, lines: SortingWriter) -> Written:
    """Write a graph file whole, or not at all.

    :param path: where it goes, ``….nt.zst``.
    :param lines: its triples.
    """
    digest = sha256()
    triples = 0
    with written_whole(path) as raw, zstandard.ZstdCompressor(LEVEL).stream_writer(
        raw, closefd=False
    ) as stream:  # fmt: skip
        for chunk in _chunks(lines.sorted()):
            digest.update(chunk)
            triples += chunk.count(b"\n")
            stream.write(chunk)
    return Written(triples, digest.hexdigest())


def open_lines(path: Path) -> IO[bytes]:
    """Open a graph file for reading its N-Triples.

    :raises WorkspaceError: if there is no such file.
    """
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise WorkspaceError(
            "the graph file is missing", where=path, action="Run `mlmkg build`"
        ) from None
    stream: IO[bytes] = zstandard.ZstdDecompressor().stream_reader(raw, closefd=True)
    return stream
