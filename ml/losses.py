"""The losses: the two sides of retrieval, the cell, and how they are weighed.

Shapes: B entities in a batch, D dimensions of the shared space, C cells.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EARTH_RADIUS_KM = 6371.0088


def contrastive(
    image_BD: Tensor, text_BD: Tensor, scale: Tensor, known_B: Tensor, same_BB: Tensor
) -> Tensor:
    """Return the symmetric InfoNCE loss over a batch (CLIP, Radford et al. 2021).

    :param image_BD: (B, D) vectors of length 1.
    :param text_BD: (B, D) vectors of length 1, of the same entities.
    :param scale: the inverse temperature.
    :param known_B: (B,) true where the entity has both; the others are nobody's negatives.
    :param same_BB: (B, B) true where two entities show the same: no negatives of each other.
    :returns: 0 where no entity of the batch has both modalities.
    """
    own_BB = torch.eye(len(same_BB), dtype=torch.bool, device=same_BB.device)
    off_BB = (same_BB | ~known_B[None] | ~known_B[:, None]) & ~own_BB
    logits_BB = (scale * image_BD @ text_BD.T).masked_fill(off_BB, float("-inf"))
    target_B = torch.arange(len(logits_BB), device=logits_BB.device)
    loss_B = F.cross_entropy(logits_BB, target_B, reduction="none")
    loss_B = (loss_B + F.cross_entropy(logits_BB.T, target_B, reduction="none")) / 2
    return mean_of(loss_B, known_B)


def cosine_pairs(
    image_BD: Tensor, text_BD: Tensor, match_B: Tensor, known_B: Tensor, margin: float
) -> Tensor:
    """Return the mean cosine embedding loss of pairs, as published.

    :param match_B: (B,) true where the image is the text's.
    :param known_B: (B,) true where both are there.
    :param margin: a wrong pair costs what its cosine is above that.
    """
    target_B = torch.where(match_B, 1.0, -1.0)
    loss_B = F.cosine_embedding_loss(image_BD, text_BD, target_B, margin=margin, reduction="none")
    return mean_of(loss_B, known_B)


def cosine_batch(
    image_BD: Tensor, text_BD: Tensor, known_B: Tensor, same_BB: Tensor, margin: float
) -> Tensor:
    """Return the cosine embedding loss with every other entity of the batch as a negative.

    Right pairs and wrong ones count for half each, as where half of the pairs are wrong.
    """
    cosine_BB = F.normalize(image_BD, dim=1) @ F.normalize(text_BD, dim=1).T
    right = mean_of(1 - cosine_BB.diagonal(), known_B)
    wrong_BB = known_B[None] & known_B[:, None] & ~same_BB
    wrong_BB = wrong_BB & ~torch.eye(len(same_BB), dtype=torch.bool, device=same_BB.device)
    return (right + mean_of((cosine_BB - margin).clamp(min=0), wrong_BB)) / 2


def cell_loss(logits_BC: Tensor, target_BC: Tensor, known_B: Tensor) -> Tensor:
    """Return the cross-entropy to soft targets, over the entities that have a cell.

    :param logits_BC: (B, C).
    :param target_BC: (B, C) rows that sum to 1, see :func:`soft_targets`.
    :param known_B: (B,) true where the entity has a cell and the modality.
    """
    return mean_of(-(target_BC * F.log_softmax(logits_BC, dim=1)).sum(dim=1), known_B)


def mean_of(values: Tensor, known: Tensor) -> Tensor:
    """Return the mean over what is known; 0 where nothing is."""
    return torch.where(known, values, torch.zeros_like(values)).sum() / known.sum().clamp(min=1)


def soft_targets(centres_C2: Tensor, scale_km: float) -> Tensor:
    """Return (C, C): the row of a cell spreads over the cells near it by great-circle distance.

    :param centres_C2: (C, 2) latitude and longitude, degrees.
    :param scale_km: a cell that far away gets 1/e of what the true one gets; 0 gives one-hot rows.
    """
    if scale_km <= 0:
        return torch.eye(len(centres_C2))
    distance_CC = great_circle(centres_C2[:, None], centres_C2[None])
    return torch.softmax(-distance_CC / scale_km, dim=1).float()


def great_circle(a: Tensor, b: Tensor) -> Tensor:
    """Return kilometres between points of latitude and longitude in degrees (last dimension 2)."""
    a, b = torch.deg2rad(a.double()), torch.deg2rad(b.double())
    half = (
        torch.sin((a[..., 0] - b[..., 0]) / 2) ** 2
        + torch.cos(a[..., 0]) * torch.cos(b[..., 0]) * torch.sin((a[..., 1] - b[..., 1]) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * torch.asin(half.clamp(0, 1).sqrt())
