"""Features: every distinct image and text of an export encoded once, kept as one array.

An export and an encoder enter; a memory-mapped (n, d) float16 array and the index of its rows leave.
The cache is named after the encoder and what was encoded. What another export has had encoded by the
same encoder is taken over by content, so a version that grew costs only what is new in it.

Under torchrun each process encodes its share, and the first one joins them: the folder must be one that
all of them see.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from mlmkg.ml.encoders import Encoder, Half
from mlmkg.ml.encoding import Journal, encoded, own_rows, shard

from mlmkg.errors import ModelError
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import held_alone, written_whole

#: Seconds without a new vector after which the other processes count as dead.
PATIENCE: Final = 600.0
#: Rows joined at a time.
_CHUNK: Final = 4096


@dataclass(frozen=True)
class Features:
    """Encoded items.

    :param vectors: (n, d) float16, memory-mapped.
    :param row: item's key -> its row.
    :param encoder: the encoder's name and revision, and ``bf16`` if that was its precision.
    """

    vectors: Half
    row: dict[str, int]
    encoder: str


@dataclass(frozen=True)
class _Part:
    """Vectors that are somewhere already: ``vectors[there]`` are those of the rows ``here``."""

    vectors: Half
    there: npt.NDArray[np.int64]
    here: npt.NDArray[np.int64]


def encode(
    encoder: Encoder, keys: Sequence[str], items: Sequence[Any], folder: Path,
    progress: Progress = quiet, *, alone: bool = False,
) -> Features:  # fmt: skip
    """Return the features of items, from the cache where they are in it.

    A run that was killed goes on where it stopped. Where nobody asked for a precision, vectors in
    bfloat16 count as well as those in float32.

    :param keys: (n,) names of the items by content, such as a file's sha256.
    :param items: (n,) what is encoded: paths or texts.
    :param folder: the workspace's ``features``.
    :param alone: take nothing over from other exports. What an item is encoded together with changes
        the last bits of its vector (1e-5), so only this gives the same bytes whatever came before.
    :raises ModelError: if a vector is not finite, the cache is damaged, memory is short, or the other
        processes of a job have stopped.
    :raises WorkspaceError: if another process is encoding the same.
    """
    wanted = dict(zip(keys, items, strict=True))
    order = sorted(wanted)
    full = f"{encoder.name} {encoder.revision}"
    names = [f"{full} bf16"] if encoder.precision == "bf16" else [full]
    if encoder.precision is None:
        names.append(f"{full} bf16")
    paths = [folder / f"{_stem(encoder, name, order, alone)}.npy" for name in names]
    found = next((i for i, path in enumerate(paths) if path.exists()), 0)
    name, path = names[found], paths[found]
    if not path.exists():
        lock = folder / f".{path.stem}.lock"  # of several processes on one job, the first asks
        first = shard()[0] == 0
        with held_alone(lock, "encoding the same items", where=path) if first else nullcontext():
            if not path.exists():  # made by whoever has just let go of the lock
                _make(encoder, name, order, [wanted[key] for key in order], path, progress, alone)
    return Features(_read(path, len(order)), {key: i for i, key in enumerate(order)}, name)


def _stem(encoder: Encoder, name: str, order: Sequence[str], alone: bool) -> str:
    digest = sha256("\n".join([name, *order]).encode()).hexdigest()[:16]
    return f"{_safe(encoder)}-{digest}{'-alone' if alone else ''}"


def _safe(encoder: Encoder) -> str:
    """Return an encoder's name as a file can have it; the digest tells apart what looks the same."""
    return re.sub(r"[^A-Za-z0-9._+]+", "-", encoder.name)[:120]


def _make(
    encoder: Encoder, name: str, order: Sequence[str], items: Sequence[Any], path: Path,
    progress: Progress, alone: bool,
) -> None:  # fmt: skip
    """Encode what nobody has encoded yet, and join it with what is there."""
    folder, number = path.parent, len(order)
    taken = [] if alone else _taken_over(order, encoder, name, folder)
    journal = Journal(folder, path.stem, encoder.dim)
    there = journal.done(number)
    for part in taken:
        there[part.here] = True
    turns = np.arange(number)
    if encoder.by_length:  # the longest first: what does not fit into memory is known at once
        turns = np.argsort([-len(item) for item in items], kind="stable")
    mine = own_rows(turns, encoder.batch)
    rows = mine[~there[mine]].tolist()
    rank, processes = shard()
    share = f", process {rank + 1} of {processes}" if processes > 1 else ""
    for _ in progress(
        encoded(encoder, order, items, rows, journal),
        f"{encoder.name} ({encoder.modality}{share})", total=len(rows), unit=encoder.modality,
    ):  # fmt: skip
        pass
    _join_or_wait(encoder, name, order, path, journal, taken)


def _join_or_wait(
    encoder: Encoder, name: str, order: Sequence[str], path: Path, journal: Journal,
    taken: Sequence[_Part],
) -> None:  # fmt: skip
    """Let the first process join the parts once all are there, and the others wait for the result."""
    first = shard()[0] == 0
    size, since = -1, time.monotonic()
    while not path.exists():
        if journal.size() != size:
            size, since = journal.size(), time.monotonic()
            done = journal.done(len(order))
            for part in taken:
                done[part.here] = True
            if first and done.all():
                ours = [_Part(them, np.arange(len(rows)), rows) for rows, them in journal.read()]
                _join([*taken, *ours], len(order), encoder.dim, path)
                about = {"encoder": name, "licence": encoder.licence, "rows": list(order)}
                with written_whole(path.with_suffix(".json"), "w") as stream:
                    json.dump(about, stream)
                journal.remove()
        elif time.monotonic() - since > PATIENCE:
            raise ModelError(
                f"some items are another process's, and no vector has come for {PATIENCE / 60:.0f} "
                "minutes", where=encoder.name, action="Start again: what is encoded is kept",
            )  # fmt: skip
        else:
            time.sleep(0.2)


def _join(parts: Sequence[_Part], number: int, dim: int, path: Path) -> None:
    """Write the rows of all parts into one file, never more than some thousand of them in memory."""
    source = np.zeros(number, dtype=np.int32)
    place = np.zeros(number, dtype=np.int64)
    for i, part in enumerate(parts):
        real = part.here >= 0
        source[part.here[real]], place[part.here[real]] = i, part.there[real]
    header = {"descr": "<f2", "fortran_order": False, "shape": (number, dim)}
    with written_whole(path) as stream:
        np.lib.format.write_array_header_1_0(stream, header)  # type: ignore[no-untyped-call]
        for start in range(0, number, _CHUNK):
            of, at = source[start : start + _CHUNK], place[start : start + _CHUNK]
            chunk = np.empty((len(of), dim), dtype=np.float16)
            for i in np.unique(of):
                chunk[of == i] = parts[i].vectors[at[of == i]]
            stream.write(chunk.tobytes())


def _read(path: Path, rows: int) -> Half:
    """Return a feature file, memory-mapped; torch wants the array writable, so copy-on-write."""
    try:
        vectors: Half = np.load(path, mmap_mode="c")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the features cannot be read ({error})", where=path,
            action="Delete the file; it is made again",
        ) from None  # fmt: skip
    if len(vectors) != rows or not all(
        np.isfinite(vectors[start : start + _CHUNK]).all() for start in range(0, rows, _CHUNK)
    ):
        raise ModelError(
            "the features are damaged: rows are missing or hold NaN", where=path,
            action="Delete the file; it is made again",
        )  # fmt: skip
    return vectors


def _taken_over(order: Sequence[str], encoder: Encoder, name: str, folder: Path) -> list[_Part]:
    """Return what this encoder has encoded for other exports."""
    left = {key: row for row, key in enumerate(order)}
    found = []
    for index in sorted(folder.glob(f"{_safe(encoder)}-*.json")):
        about = json.loads(index.read_text("utf-8"))
        shared = [(i, left[key]) for i, key in enumerate(about["rows"]) if key in left]
        if about["encoder"] != name or not shared or not index.with_suffix(".npy").exists():
            continue
        there, here = np.array(shared).T
        found.append(_Part(_read(index.with_suffix(".npy"), len(about["rows"])), there, here))
        for row in here.tolist():
            del left[order[row]]
    return found
