"""Lines of N-Triples or N-Quads in bulk: cut into blocks as they come, or given back sorted.

Bytes cut anywhere enter, whole lines leave. Sorting takes the memory it is allowed and no more,
whatever there is to sort: sorted runs go to disk and are merged. (5 million lines of 200 bytes: 11
CPU seconds and 210 MB, of which merging is 2.)
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Final, Self, cast

#: Bytes of lines, with what Python needs for each, that are sorted in memory at a time.
BYTES_IN_MEMORY: Final = 128 << 20
#: What a line takes beside its bytes: an object's head, its place in a list, and while sorting.
_PER_LINE: Final = 60
#: Runs that are merged at a time, each of them an open file.
_RUNS: Final = 64
_CHUNK: Final = 20_000


class LineBlocks:
    """A file to write to that hands on blocks of whole lines.

    :param take: is given the blocks; each ends with a line's end.
    :param size: about how many bytes a block has.

    >>> taken = []
    >>> with LineBlocks(taken.append) as lines:
    ...     _ = [lines.write(part) for part in (b"a b", b" .\\nc", b" .\\n")]
    >>> taken
    [b'a b .\\nc .\\n']
    """

    def __init__(self, take: Callable[[bytes], object], size: int = 512 << 10) -> None:
        self._give = take
        self._block = size
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> int:
        """Take bytes that may end within a line."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= self._block:
            whole = b"".join(self._parts)
            end = whole.rfind(b"\n") + 1
            self._parts, self._size = [whole[end:]], 0
            if end:
                self._give(whole[:end])
        return len(data)

    def flush(self) -> None:
        """Do nothing: a block is handed on when it is full, the last one by :meth:`finish`."""

    def finish(self) -> None:
        """Hand on what is left.

        :raises ValueError: if it does not end with a line's end.
        """
        rest, self._parts, self._size = b"".join(self._parts), [], 0
        if not rest.endswith(b"\n") and rest:
            raise ValueError("the last line is not complete")
        if rest:
            self._give(rest)

    def as_file(self) -> IO[bytes]:
        """Return itself as the file that Oxigraph writes to; it calls ``write`` and ``flush``."""
        return cast("IO[bytes]", self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.finish()


class SortingWriter(LineBlocks):
    """Takes N-Triples bytes cut anywhere, or whole lines; gives them back sorted, each once.

    :param spill: the folder where sorted runs go, as anonymous files, when memory is full.
    :param memory: how many bytes of lines are held, about; by default :data:`BYTES_IN_MEMORY`.
    """

    def __init__(self, spill: Path, memory: int | None = None) -> None:
        self._memory = BYTES_IN_MEMORY if memory is None else memory
        # No other line end stands in N-Triples: they are escaped.
        super().__init__(
            lambda block: self._take(block.splitlines(keepends=True)), min(1 << 18, self._memory)
        )
        self._spill = spill
        self._lines: list[bytes] = []
        self._held = 0
        self._runs: list[IO[bytes]] = []

    def add(self, lines: Iterable[bytes]) -> int:
        """Take whole lines, each with its line end; return how many."""
        lines, number = iter(lines), 0
        while batch := list(islice(lines, _CHUNK)):
            number += len(batch)
            self._take(batch)
        return number

    def _take(self, lines: list[bytes]) -> None:
        self._lines += lines
        self._held += sum(map(len, lines)) + _PER_LINE * len(lines)
        if self._held >= self._memory:
            if len(self._runs) >= _RUNS:
                self._runs = [self._run(_merged(self._runs))]
            self._runs.append(self._run(self._sorted_lines()))

    def _sorted_lines(self) -> Iterator[bytes]:
        lines, self._lines, self._held = self._lines, [], 0
        lines.sort()
        return (line for line, _ in groupby(lines))

    def _run(self, lines: Iterable[bytes]) -> IO[bytes]:
        """Write a sorted run."""
        run = tempfile.TemporaryFile(dir=self._spill)  # noqa: SIM115 - closed when merged
        run.writelines(lines)
        run.seek(0)
        return run

    def blocks(self) -> Iterator[list[bytes]]:
        """Yield lists of lines with their line ends, sorted bytewise, each line once."""
        self.finish()
        lines = self._sorted_lines()
        runs, self._runs = self._runs, []
        merged = _merged([*runs, lines]) if runs else lines
        while block := list(islice(merged, _CHUNK)):
            yield block
        for run in runs:
            run.close()

    def sorted(self) -> Iterator[bytes]:
        """Yield the lines without line end, sorted bytewise, each once."""
        for block in self.blocks():
            yield from (line[:-1] for line in block)


def _merged(runs: Sequence[Iterable[bytes]]) -> Iterator[bytes]:
    """Merge sorted runs without repetitions."""
    return (line for line, _ in groupby(heapq.merge(*runs)))
