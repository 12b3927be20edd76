"""Features: every distinct image and text of an export encoded once, kept as one array.

An export and an encoder enter; a memory-mapped (n, d) float16 array and the index of its rows leave.
The cache is named after the encoder and what was encoded, so a changed export is encoded again and
an unchanged one never.
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
    progress: Progress = quiet,
) -> Features:  # fmt: skip
    """Return the features of items, from the cache where they are in it.

    :param keys: (n,) names of the items by content, such as a file's sha256.
    :param items: (n,) what is encoded: paths or texts.
    :param folder: the workspace's ``features``.
    :raises ModelError: if a vector is not finite.
    """
    wanted = dict(zip(keys, items, strict=True))
    order = sorted(wanted)
    name = f"{encoder.name} {encoder.revision}"
    digest = sha256("\n".join([name, *order]).encode()).hexdigest()[:16]
    path = folder / f"{encoder.name}-{digest}.npy"
    if not path.exists():
        vectors = np.empty((len(order), encoder.dim), dtype=np.float16)
        starts = range(0, len(order), BATCH)
        for start in progress(starts, f"{encoder.name} ({encoder.modality})", unit=f"x {BATCH}"):
            part = order[start : start + BATCH]
            vectors[start : start + len(part)] = encoder.encode([wanted[key] for key in part])
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
    return Features(np.load(path, mmap_mode="r"), {key: i for i, key in enumerate(order)}, name)
