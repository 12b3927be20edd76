"""The losses: contrast between the two modalities, the cell, and how the tasks are weighed.

Shapes: B entities in a batch, D dimensions of the shared space, C cells.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EARTH_RADIUS_KM = 6371.0088


def contrastive(image_BD: Tensor, text_BD: Tensor, scale: Tensor, same_BB: Tensor) -> Tensor:
    """Return the symmetric InfoNCE loss over a batch (CLIP, Radford et al. 2021).

    :param image_BD: (B, D) vectors of length 1.
    :param text_BD: (B, D) vectors of length 1, of the same entities.
    :param scale: the inverse temperature.
    :param same_BB: (B, B) true where two entities share an image: no negatives of each other.
    :returns: 0 where no entity of the batch has both modalities.
    """
    if not len(image_BD):
        return (image_BD.sum() + text_BD.sum()) * 0
    logits_BB = scale * image_BD @ text_BD.T
    off = same_BB & ~torch.eye(len(same_BB), dtype=torch.bool, device=same_BB.device)
    logits_BB = logits_BB.masked_fill(off, float("-inf"))
    target_B = torch.arange(len(logits_BB), device=logits_BB.device)
    return (F.cross_entropy(logits_BB, target_B) + F.cross_entropy(logits_BB.T, target_B)) / 2


def cell_loss(logits_BC: Tensor, target_BC: Tensor, known_B: Tensor) -> Tensor:
    """Return the cross-entropy to soft targets, over the entities that have a cell.

    :param logits_BC: (B, C).
    :param target_BC: (B, C) rows that sum to 1, see :func:`soft_targets`.
    :param known_B: (B,) true where the entity has a cell and the modality.
    """
    loss_B = -(target_BC * F.log_softmax(logits_BC, dim=1)).sum(dim=1)
    return (loss_B * known_B).sum() / known_B.sum().clamp(min=1)


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


def weighed(losses: dict[str, Tensor], log_variances: dict[str, Tensor]) -> Tensor:
    """Return the sum of the tasks' losses, each weighed by what the model learns of its noise.

    Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty to Weigh Losses (2018), in the
    form exp(-s) L + s / 2 with s the log-variance.
    """
    total = torch.zeros(())
    for name, loss in losses.items():
        s = log_variances[name]
        total = total + torch.exp(-s) * loss + s / 2
    return total
