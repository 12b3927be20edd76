"""Whether a dataset can be trained on: enough of everything, and numbers that are numbers."""

from __future__ import annotations

import torch
from mlmkg.ml.data import Dataset
from mlmkg.ml.models import TEXT_INPUTS
from mlmkg.ml.rows import Rows

from mlmkg.errors import ModelError


def check_usable(dataset: Dataset, task: str) -> None:
    """Refuse a dataset that nothing can be learnt from.

    :param task: ``mtl``, ``ir`` or ``le``.
    :raises ModelError: naming what there is too little of, or the entity whose vector is not finite.
    """
    train_E = dataset.split["train"]
    texts = [dataset.rows(name) for name in dataset.inputs() if name in TEXT_INPUTS]
    usable = {
        "training entities": len(train_E),
        "training images": int((dataset.images.counts(train_E) > 0).sum()) if len(train_E) else 0,
        "training texts": int(sum((t.counts(train_E) > 0).sum() for t in texts)) if len(train_E) else 0,
    }
    if task != "ir" and not (len(train_E) and int((dataset.cell[train_E] >= 0).sum())):
        raise ModelError(
            "no training entity has a geo cell", where=dataset.version,
            action="Export a version with cells, or train with --task ir",
        )  # fmt: skip
    for what, number in usable.items():
        if number < 2:
            raise ModelError(
                f"the export has {number} {what}", action="Export a larger version to train on"
            )
    for name in dataset.inputs():
        rows = dataset.rows(name)
        bad = first_not_finite(rows)
        if bad is not None:
            place = int((rows.index == bad).nonzero()[0]) if bool((rows.index == bad).any()) else 0
            owner = int(torch.searchsorted(rows.start, place, right=True)) - 1
            raise ModelError(
                f"row {bad} of the {name} features is not finite: a vector of "
                f"{dataset.entities[owner]}",
                where=dataset.version, action="Encode it again, or take the entity out of the export",
            )  # fmt: skip


def first_not_finite(rows: Rows) -> int | None:
    """Return the first row of features that holds a number that is not finite.

    Looks at the exponent's bits, some thousand rows at a time: nothing is widened.
    """
    vectors = rows.vectors
    for start in range(0, len(vectors), 4096):
        part = vectors[start : start + 4096]
        if part.dtype == torch.float16:
            bad = ((part.view(torch.int16) & 0x7C00) == 0x7C00).any(dim=1)
        else:
            bad = ~torch.isfinite(part).all(dim=1)
        if bool(bad.any()):
            return start + int(bad.nonzero()[0])
    return None
