"""Features: every distinct image and text of an export encoded once, kept as one array.

An export and an encoder enter; a memory-mapped (n, d) float16 array and the index of its rows leave.
The cache is named after the encoder and what was encoded. What another export has had encoded by the
same encoder is taken over by content, so a version that grew costs only what is new in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from mlmkg.ml.encoders import Encoder

from mlmkg.errors import ModelError
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import written_whole

#: Items encoded at a time.
BATCH: Final = 128


@dataclass(frozen=True)
class Features:
    """Encoded items.

    :param vectors: (n, d) float16, memory-mapped.
    :param row: item's key -> its row.
    :param encoder: the encoder's name and revision.
    """

    vectors: npt.NDArray[np.float16]
    row: dict[str, int]
    encoder: str


def encode(
    encoder: Encoder, keys: Sequence[str], items: Sequence[Any], folder: Path,
    progress: Progress = quiet, *, alone: bool = False,
) -> Features:  # fmt: skip
    """Return the features of items, from the cache where they are in it.

    :param keys: (n,) names of the items by content, such as a file's sha256.
    :param items: (n,) what is encoded: paths or texts.
    :param folder: the workspace's ``features``.
    :param alone: take nothing over from other exports. What an item is encoded together with changes
        the last bits of its vector (1e-5), so only this gives the same bytes whatever came before.
    :raises ModelError: if a vector is not finite, or the cache is damaged.
    """
    wanted = dict(zip(keys, items, strict=True))
    order = sorted(wanted)
    name = f"{encoder.name} {encoder.revision}"
    digest = sha256("\n".join([name, *order]).encode()).hexdigest()[:16]
    path = folder / f"{encoder.name}-{digest}{'-alone' if alone else ''}.npy"
    if not path.exists():
        vectors = np.empty((len(order), encoder.dim), dtype=np.float16)
        missing = list(range(len(order)))
        if not alone:
            missing = _taken_over(vectors, order, encoder.name, name, folder)
        starts = range(0, len(missing), BATCH)
        for start in progress(starts, f"{encoder.name} ({encoder.modality})", unit="batch"):
            part = missing[start : start + BATCH]
            vectors[part] = encoder.encode([wanted[order[row]] for row in part])
        if not np.isfinite(vectors).all():
            bad = order[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
            raise ModelError(
                f"{name} gave a vector that is not finite for {bad}",
                action="Take that item out of the export, or use another encoder",
            )
        with written_whole(path) as stream:
            np.save(stream, vectors)
        with written_whole(path.with_suffix(".json"), "w") as stream:
            json.dump({"encoder": name, "licence": encoder.licence, "rows": order}, stream)
    return Features(_read(path, len(order)), {key: i for i, key in enumerate(order)}, name)


def _read(path: Path, rows: int) -> npt.NDArray[np.float16]:
    """Return a feature file, memory-mapped; torch wants the array writable, so copy-on-write."""
    try:
        vectors: npt.NDArray[np.float16] = np.load(path, mmap_mode="c")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the features cannot be read ({error})", where=path,
            action="Delete the file; it is made again",
        ) from None  # fmt: skip
    if len(vectors) != rows or not np.isfinite(vectors).all():
        raise ModelError(
            "the features are damaged: rows are missing or hold NaN", where=path,
            action="Delete the file; it is made again",
        )  # fmt: skip
    return vectors


def _taken_over(
    vectors: npt.NDArray[np.float16], order: Sequence[str], encoder: str, name: str, folder: Path
) -> list[int]:
    """Fill in what this encoder has encoded for other exports; return the rows that are left."""
    left = {key: row for row, key in enumerate(order)}
    for index in sorted(folder.glob(f"{encoder}-*.json")):
        about = json.loads(index.read_text("utf-8"))
        shared = [(i, left[key]) for i, key in enumerate(about["rows"]) if key in left]
        if about["encoder"] != name or not shared or not index.with_suffix(".npy").exists():
            continue
        there, here = (list(rows) for rows in zip(*shared, strict=True))
        vectors[here] = _read(index.with_suffix(".npy"), len(about["rows"]))[there]
        for row in here:
            del left[order[row]]
    return sorted(left.values())
