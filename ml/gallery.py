"""Retrieval among all entities, each with all of its images and languages, or with one language.

Vectors enter, ranks leave. Scores are looked at a block of rows at a time: those of 220,000 queries
among 220,000 candidates would fill 194 GB.

Shapes: N entities, M rows (an entity's images, or its texts), D dimensions, C cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from mlmkg.ml.figures import Floats, chance_figures, retrieval_figures
from mlmkg.ml.groups import LEAST
from torch import Tensor

#: Scores held at once: 128 MB of float32.
SCORES: Final = 1 << 25
#: Scores that near to each other are equal: a product of matrices gives the same two vectors scores
#: that differ in the last places, by where in the matrix they stand.
NEAR: Final = 1e-6


def gallery_ranks(queries_ND: Tensor, gallery_KD: Tensor, own_N: Tensor | None = None) -> Floats:
    """Return the rank of each query's own candidate among all, by dot product.

    Equal scores get their average rank, so a model that says the same of all is at chance.

    :param queries_ND: (N, D); of length 1 where cosines are to be compared.
    :param gallery_KD: (K, D) candidates, on the same device.
    :param own_N: (N,) place of each query's own candidate in the gallery; by default query i's is i.
    :returns: (N,) from 1 to K.

    >>> gallery_ranks(torch.eye(3)[:2], torch.eye(3)).tolist()
    [1.0, 1.0]
    >>> gallery_ranks(torch.ones(2, 3), torch.ones(5, 3)).tolist()
    [3.0, 3.0]
    """
    if own_N is None:
        own_N = torch.arange(len(queries_ND))
    own_N = own_N.to(queries_ND.device)
    step = max(1, SCORES // max(1, len(gallery_KD)))
    gallery_KD = gallery_KD.float()
    found: list[Tensor] = [torch.empty(0, dtype=torch.float64)]
    for start in range(0, len(queries_ND), step):
        rows = slice(start, start + step)
        scores_nK = queries_ND[rows].float() @ gallery_KD.T
        own_n1 = scores_nK.gather(1, own_N[rows, None])
        near_n1 = NEAR * own_n1.abs().clamp(min=1)
        better_n = _above(scores_nK, own_n1 + near_n1)
        not_worse_n = _above(scores_nK, own_n1 - near_n1)
        found.append((better_n + (not_worse_n - better_n + 1) / 2).double().cpu())
    ranks: Floats = torch.cat(found).numpy()
    return ranks


def _above(scores_nK: Tensor, bound_n1: Tensor) -> Tensor:
    """Return (n,) how many scores of each row are above a bound."""
    if scores_nK.device.type == "cpu":
        # By numpy: torch took ten times as long, 0.6 s for 33 million scores.
        above_nK = scores_nK.numpy() > bound_n1.numpy()
        return torch.from_numpy(np.count_nonzero(above_nK, axis=1))
    return (scores_nK > bound_n1).sum(dim=1)


def ranks_both_ways(image_ND: Tensor, text_ND: Tensor) -> dict[str, Floats]:
    """Return ``image_to_text`` and ``text_to_image``: (N,) ranks among all entities.

    :param image_ND, text_ND: (N, D) of the entities that have both, row by row.
    """
    return {
        "image_to_text": gallery_ranks(image_ND, text_ND),
        "text_to_image": gallery_ranks(text_ND, image_ND),
    }


def fused(vectors_MD: Tensor, owner_M: Tensor, entities: int) -> tuple[Tensor, Tensor]:
    """Return one vector of length 1 per entity: the mean direction of all of its rows.

    :param vectors_MD: (M, D) retrieval vectors of images, or of texts in all languages.
    :param owner_M: (M,) whose they are, 0 to ``entities`` - 1.
    :returns: (N, D), zeros where there is none; and (N,) true where there is one.
    """
    mean_ND, known_N = mean_by_owner(F.normalize(vectors_MD.float(), dim=1), owner_M, entities)
    return F.normalize(mean_ND, dim=1), known_N


def mean_by_owner(values_MC: Tensor, owner_M: Tensor, entities: int) -> tuple[Tensor, Tensor]:
    """Return the mean of each entity's rows, such as the probabilities that its images give cells.

    :param values_MC: (M, C).
    :param owner_M: (M,) whose they are, 0 to ``entities`` - 1.
    :returns: (N, C), zeros where there is none; and (N,) true where there is one.

    >>> mean, known = mean_by_owner(torch.tensor([[1.0], [3.0]]), torch.tensor([1, 1]), 2)
    >>> mean.tolist(), known.tolist()
    ([[0.0], [2.0]], [False, True])
    """
    owner_M = owner_M.to(values_MC.device)
    count_N = torch.bincount(owner_M, minlength=entities)
    total_NC = values_MC.new_zeros((entities, values_MC.shape[1])).index_add(0, owner_M, values_MC)
    return total_NC / count_N.clamp(min=1)[:, None], count_N > 0


def by_language(
    image_ND: Tensor, text_MD: Tensor, owner_M: Tensor, language_M: Tensor, names: Sequence[str],
    least: int = LEAST,
) -> dict[str, Any]:  # fmt: skip
    """Return the figures of retrieval with the summaries of one language at a time.

    From text to image, the candidates are the images of all entities, whatever the language, so that
    languages can be compared. From image to text they are the texts of that language, whose number
    differs: compare with chance, not with each other.

    :param image_ND: (N, D) of length 1, one per entity; every one of them has one.
    :param text_MD: (M, D), one per summary.
    :param owner_M, language_M: (M,) numbers of its entity and of its language in ``names``.
    :param least: languages of fewer entities are left out.
    :returns: ``languages``: name -> ``entities``, ``image_to_text``, ``text_to_image`` and
        ``chance`` of both; ``left_out``: name -> how many entities.
    """
    found: dict[str, Any] = {}
    left_out: dict[str, int] = {}
    for number, name in enumerate(names):
        of_it_M = language_M == number
        text_ND, known_N = fused(text_MD[of_it_M], owner_M[of_it_M], len(image_ND))
        has_n = known_N.nonzero()[:, 0]
        if len(has_n) < least:
            left_out[name] = len(has_n)
            continue
        found[name] = {
            "entities": len(has_n),
            "image_to_text": retrieval_figures(gallery_ranks(image_ND[has_n], text_ND[has_n])),
            "text_to_image": retrieval_figures(gallery_ranks(text_ND[has_n], image_ND, has_n)),
            "chance": {
                "image_to_text": chance_figures(len(has_n)),
                "text_to_image": chance_figures(len(image_ND)),
            },
        }
    return {"languages": found, "left_out": left_out}
