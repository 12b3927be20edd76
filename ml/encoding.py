"""Items through an encoder, batch by batch, so that a killed run goes on where it stopped.

An encoder and items enter; a journal leaves: files of records, each a row's number and its vector,
which grow by whole batches and are on disk within a second. Several processes may work on one job, each
at its own rows with a journal of its own, if they see the same folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from mlmkg.ml.encoders.base import Encoder, Half, TwoStep

from mlmkg.errors import ModelError

#: Seconds of work that a power cut may cost.
SYNC: Final = 1.0
#: Batches that are decoded before they are needed.
AHEAD: Final = 2
_NO_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc")


def shard() -> tuple[int, int]:
    """Return this process's number and how many there are, as torchrun tells them."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


class Journal:
    """The records of one job on disk.

    :param folder: where they lie.
    :param job: the job's name; files are called ``.{job}.*.part``.
    :param dim: numbers of a vector.
    """

    def __init__(self, folder: Path, job: str, dim: int) -> None:
        self._folder, self._job = folder, job
        # Rows count from one: what a power cut left unwritten reads as zeros.
        self._record = np.dtype([("row", "<i8"), ("vector", "<f2", (dim,))])
        self._mine: Any = None
        self._waiting: list[bytes] = []
        self._synced = time.monotonic()

    def add(self, rows: Sequence[int], vectors: Half) -> None:
        """Add a batch; it is on disk within a second, or at :meth:`close`."""
        records = np.empty(len(rows), self._record)
        records["row"], records["vector"] = np.asarray(rows) + 1, vectors
        self._waiting.append(records.tobytes())
        if time.monotonic() - self._synced > SYNC:
            self._sync()

    def close(self) -> None:
        """Put on disk what is not there yet."""
        self._sync()
        if self._mine is not None:
            self._mine.close()
            self._mine = None

    def _sync(self) -> None:
        if self._waiting:
            if self._mine is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                name = f".{self._job}.{shard()[0]:05}-{secrets.token_hex(4)}.part"
                self._mine = (self._folder / name).open("wb", buffering=0)
            self._mine.write(b"".join(self._waiting))
            os.fsync(self._mine.fileno())
            self._waiting.clear()
        self._synced = time.monotonic()

    def read(self) -> list[tuple[npt.NDArray[np.int64], Half]]:
        """Return (k,) rows and (k, dim) vectors, memory-mapped, of every file of the job."""
        found = []
        for path in self._files():
            with contextlib.suppress(OSError):  # another process has just finished the job
                whole = path.stat().st_size // self._record.itemsize  # the last may be cut off
                if whole:
                    part = np.memmap(path, self._record, "r", shape=(whole,))
                    found.append((part["row"] - 1, part["vector"]))
        return found

    def done(self, rows: int) -> npt.NDArray[np.bool_]:
        """Return (rows,) which of them have a vector."""
        done = np.zeros(rows + 1, dtype=bool)
        for found, _ in self.read():
            done[found] = True  # -1, a hole, falls on the last
        return done[:rows]

    def size(self) -> int:
        """Return how many bytes the files have."""
        with contextlib.suppress(OSError):
            return sum(path.stat().st_size for path in self._files())
        return 0

    def remove(self) -> None:
        """Delete the files: the job is done."""
        for path in self._files():
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f".{self._job}.*.part")) if self._folder.is_dir() else []


def own_rows(order: npt.NDArray[np.int64], batch: int) -> npt.NDArray[np.int64]:
    """Return those of the rows that are this process's: of every so many batches one.

    Whose a row is depends on nothing that changes while processes work.
    """
    rank, processes = shard()
    own: npt.NDArray[np.int64] = order[np.arange(len(order)) // batch % processes == rank]
    return own


def encoded(
    encoder: Encoder, keys: Sequence[str], items: Sequence[Any], rows: Sequence[int], journal: Journal
) -> Iterator[int]:
    """Encode rows into a journal; yield each one when it is done.

    :param keys: names of all items, for messages.
    :param items: all items.
    :param rows: numbers of those to encode, in this order.
    :raises ModelError: if a vector is not finite, an item cannot be read, or memory is short.
    """
    parts = [rows[start : start + encoder.batch] for start in range(0, len(rows), encoder.batch)]
    run = encoder.encoded if isinstance(encoder, TwoStep) else encoder.encode
    short = False
    source = _prepared(encoder, [[items[row] for row in part] for part in parts], parts)
    try:
        for part, ready in source:
            try:
                vectors = run(ready)
            except (MemoryError, RuntimeError) as error:
                if not memory_is_short(error):
                    raise
                short = True
            if short:  # only here nothing holds the memory that the batch took any more
                del ready
                source.close()
                raise _too_large(encoder, [items[row] for row in part])
            finite = np.isfinite(vectors).all(axis=1)
            if not finite.all():
                raise ModelError(
                    f"{encoder.name} {encoder.revision} gave a vector that is not finite for "
                    f"{keys[part[int(np.flatnonzero(~finite)[0])]]}",
                    action="Take that item out of the export, or use another encoder",
                )
            journal.add(part, vectors)
            yield from part
    finally:
        source.close()
        journal.close()


def _prepared(
    encoder: Encoder, batches: Sequence[Sequence[Any]], parts: Sequence[Sequence[int]]
) -> Generator[tuple[Sequence[int], Any], None, None]:
    """Yield batches as the encoder takes them; the next ones are decoded in another thread."""
    if not isinstance(encoder, TwoStep):
        yield from zip(parts, batches, strict=True)
        return
    threads = ThreadPoolExecutor(1, "preparing")
    try:
        ahead: deque[tuple[Sequence[int], Future[Any]]] = deque()
        for part, batch in zip(parts, batches, strict=True):
            ahead.append((part, threads.submit(encoder.prepare, batch)))
            if len(ahead) > AHEAD:
                first, future = ahead.popleft()
                yield first, future.result()
        while ahead:
            first, future = ahead.popleft()
            yield first, future.result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


def memory_is_short(error: BaseException) -> bool:
    """Return whether an error says that the memory of a GPU or of the machine has run out."""
    import torch

    said = str(error).lower()
    short = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return short or any(words in said for words in _NO_MEMORY)


def _too_large(encoder: Encoder, batch: Sequence[Any]) -> ModelError:
    """Return the error that says which batch fits: the largest half, quarter ... that runs."""
    import torch

    size = len(batch) // 2
    while size:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            encoder.encode(batch[:size])
        except (MemoryError, RuntimeError) as again:
            if not memory_is_short(again):
                raise
            size //= 2
        else:
            break
    where = "of the GPU" if torch.cuda.is_available() else "of this machine"
    return ModelError(
        f"a batch of {len(batch)} does not fit into the memory {where}",
        where=encoder.name,
        action=(
            f"Use `mlmkg encode --batch {size}`, which fits; what is encoded is kept" if size
            else "Not even one item fits: use a smaller encoder"
        ),
    )  # fmt: skip
