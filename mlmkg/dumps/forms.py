"""The forms of a dump: N-Quads, TriG per graph, Jelly, all of them gzip without name and time.

Blocks of canonical N-Quads enter, files in a folder leave. The same blocks give the same bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, Protocol, cast
from urllib.parse import quote

import pyoxigraph as ox
from isal import isal_zlib

from mlmkg.errors import ExportError
from mlmkg.vocab import GRAPH, PREFIXES

N_QUADS_FILE: Final = "graph.nq.gz"
JELLY_FILE: Final = "graph.jelly.gz"
#: Form -> its file, if it has one for all graphs, and its name at http://www.w3.org/ns/formats/, or "".
WHOLE: Final = {"nquads": (N_QUADS_FILE, "N-Quads"), "jelly": (JELLY_FILE, "")}
#: 2 of 0 to 3: a quarter smaller than 0 at two thirds of its speed; 3 is slower for nothing.
_LEVEL: Final = 2
#: So that zlib writes gzip: https://zlib.net/manual.html, deflateInit2.
_GZIP: Final = 31


class Form(Protocol):
    """Writes the files of one form."""

    def add(self, block: bytes) -> None:
        """Take whole lines of canonical N-Quads."""

    def finish(self) -> None:
        """Complete the files."""


class Gzip:
    """A file packed by ISA-L, with nothing in its head that says where or when.

    :param path: what is written; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._packer = isal_zlib.compressobj(_LEVEL, wbits=_GZIP)

    def write(self, data: bytes) -> int:
        """Pack bytes."""
        self._file.write(self._packer.compress(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: to flush a packer costs space."""

    def close(self) -> None:
        """Complete the file."""
        if not self._file.closed:
            self._file.write(self._packer.flush())
            self._file.close()

    def as_file(self) -> IO[bytes]:
        """Return itself as a file that is written to."""
        return cast("IO[bytes]", self)


class NQuads:
    """``graph.nq.gz``: all graphs in one file."""

    def __init__(self, folder: Path, spill: Path) -> None:
        self._file = Gzip(folder / N_QUADS_FILE)
        self._digest = sha256()

    def add(self, block: bytes) -> None:
        """Take whole lines."""
        self._digest.update(block)
        self._file.write(block)

    def finish(self) -> None:
        """Complete the file."""
        self._file.close()

    @property
    def sha256(self) -> str:
        """The checksum of the lines, which stays the same whatever packs them."""
        return self._digest.hexdigest()


class TriG:
    """``graphs/SET/NAME.trig.gz``: one file per graph."""

    def __init__(self, folder: Path, spill: Path) -> None:
        self._folder = folder
        self._files = ExitStack()
        self._spill = Path(
            self._files.enter_context(tempfile.TemporaryDirectory(prefix="trig-", dir=spill))
        )
        self._graphs: dict[bytes, Path] = {}

    def add(self, block: bytes) -> None:
        """Take whole lines, apart by graph."""
        by_graph: dict[bytes, list[bytes]] = {}
        for line in block.splitlines(keepends=True):
            by_graph.setdefault(line[line.rindex(b" ", 0, -3) + 1 : -3], []).append(line)
        for graph, lines in by_graph.items():
            path = self._graphs.setdefault(graph, self._spill / f"{len(self._graphs)}.nq")
            with path.open("ab") as stream:
                stream.writelines(lines)

    def finish(self) -> None:
        """Write the files, graph by graph."""
        with self._files:
            for graph, path in sorted(self._graphs.items()):
                target = self._folder / trig_file(graph)
                target.parent.mkdir(parents=True, exist_ok=True)
                file = Gzip(target)
                quads = ox.parse(path=path, format=ox.RdfFormat.N_QUADS)
                ox.serialize(quads, file.as_file(), ox.RdfFormat.TRIG, prefixes=PREFIXES)
                file.close()


class Jelly:
    """``graph.jelly.gz``: all graphs in one file, binary."""

    def __init__(self, folder: Path, spill: Path) -> None:
        try:
            from mlmkg.dumps.jelly import Writer
        except ModuleNotFoundError:
            raise ExportError(
                "Jelly needs pyjelly", where="--format jelly",
                action="Install it with `pip install 'mlmkg[jelly]'`",
            ) from None  # fmt: skip
        self._file = Gzip(folder / JELLY_FILE)
        self._writer = Writer(self._file.as_file())

    def add(self, block: bytes) -> None:
        """Take whole lines."""
        try:
            self._writer.add(ox.parse(block, ox.RdfFormat.N_QUADS))
        except NotImplementedError:
            raise ExportError(
                "a triple term of RDF 1.2 cannot be written as Jelly", where="--format jelly",
                action="Take --format nquads",
            ) from None  # fmt: skip

    def finish(self) -> None:
        """Complete the file."""
        self._writer.finish()
        self._file.close()


FORMS: Final[dict[str, Callable[[Path, Path], Form]]] = {
    "nquads": NQuads, "trig": TriG, "jelly": Jelly,
}  # fmt: skip


def trig_file(graph: bytes) -> str:
    """Return the path of a graph's TriG file in the dump's folder.

    :param graph: its name as a term of N-Quads.

    >>> trig_file(b"<https://w3id.org/mlmkg/graph/v1/predictions/demo>")
    'graphs/v1/predictions/demo.trig.gz'
    >>> trig_file(b"<urn:x:../a b>")
    'graphs/urn%3Ax%3A../a%20b.trig.gz'
    """
    name = graph.decode().strip("<>").removeprefix(str(GRAPH))
    parts = [quote(part, safe="") for part in name.split("/")]
    if any(part in {"", ".", ".."} or len(part) > 200 for part in parts):
        parts = [sha256(graph).hexdigest()]
    return f"graphs/{'/'.join(parts)}.trig.gz"
