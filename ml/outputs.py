"""What a model says of entities: which of their rows it is shown, and its answers.

Shapes: n entities, D + C what retrieval compares, C cells.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mlmkg.ml.data import Dataset
from mlmkg.ml.models import TEXT_INPUTS, Inputs, Model, Outputs
from mlmkg.ml.rows import gathered
from torch import Tensor

#: Entities put through a model at a time.
BATCH = 4096


def published_rows(dataset: Dataset, entities_n: Tensor, inputs: tuple[str, ...]) -> dict[str, Tensor]:
    """Return the rows that the published evaluation shows: input -> (n,), -1 for none.

    The first image, the first class, and of the summaries number i mod 3 of the i-th entity, or the
    first where there are not as many.
    """
    rows = {name: dataset.rows(name).first(entities_n) for name in inputs}
    turn = torch.arange(len(entities_n)) % 3
    rows["summary"] = dataset.rows("summary").nth(entities_n, turn)
    return rows


def only(rows: Mapping[str, Tensor], modality: str) -> dict[str, Tensor]:
    """Return the rows with those of the other side hidden.

    :param modality: ``image``, ``text`` or ``fused`` (all).
    """
    hidden = {"image": TEXT_INPUTS, "text": ("image",), "fused": ()}[modality]
    return {k: torch.full_like(v, -1) if k in hidden else v for k, v in rows.items()}


def outputs(model: Model, dataset: Dataset, rows: Mapping[str, Tensor]) -> Outputs:
    """Return what a model says of rows of features, on the CPU, float32.

    :param rows: input -> (n,) rows, -1 for none; every input of the model.
    """
    number = len(rows["image"])
    found: list[Outputs] = []
    with torch.inference_mode():
        for start in range(0, number, BATCH) or (0,):
            features, known = {}, {}
            for name in model.inputs:
                row = rows[name][start : start + BATCH]
                vectors = dataset.rows(name).vectors
                known[name] = (row >= 0).to(model.device)
                some = gathered(vectors, row.clamp(min=0)) if len(vectors) else (
                    torch.zeros(len(row), vectors.shape[1])
                )  # fmt: skip
                features[name] = some.to(model.device)
            said = model(Inputs(features, known))
            found.append(
                Outputs(said.image_BD.cpu(), said.text_BD.cpu(),
                        {name: logits.cpu() for name, logits in said.logits.items()})
            )  # fmt: skip
    return Outputs(
        torch.cat([f.image_BD for f in found]), torch.cat([f.text_BD for f in found]),
        {name: torch.cat([f.logits[name] for f in found]) for name in found[0].logits},
    )  # fmt: skip


def known(rows: Mapping[str, Tensor], modality: str) -> Tensor:
    """Return (n,) true where anything of a modality is shown."""
    texts = torch.stack([row >= 0 for name, row in rows.items() if name in TEXT_INPUTS]).any(dim=0)
    image = rows["image"] >= 0
    return {"image": image, "text": texts, "fused": image | texts}[modality]
