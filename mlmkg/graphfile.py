"""Graph files: the truth that the store is an index of.

Lines of N-Triples enter in any order, a sorted file without duplicates leaves, so the same triples
give the same bytes: it can be compared with last month's, shipped and cached. A graph is written
when its provenance record stands beside it; the record is written last, so a killed step leaves
nothing that looks finished.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

import zstandard

from mlmkg.errors import WorkspaceError
from mlmkg.sorting import SortingWriter
from mlmkg.workspace import written_whole

#: Compression level: 3 packs these files twelvefold at the speed they are sorted; 10 takes five
#: times longer for a tenth less.
LEVEL: Final = 3
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
        for block in lines.blocks():
            content = b"".join(block)
            digest.update(content)
            triples += len(block)
            stream.write(content)
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
