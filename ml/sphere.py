"""Where on Earth probabilities of cells put an entity: in the likeliest cell, or between them.

Shapes: N entities, C cells; places are latitude and longitude in degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from mlmkg.ml.losses import great_circle
from torch import Tensor

from mlmkg.errors import RecipeError
from mlmkg.s2 import cell_ids, from_tokens, lowest_bit

ESTIMATES: Final = ("argmax", "centroid")
#: Where the mean of the unit vectors is shorter, its direction is that of rounding errors.
SHORTEST: Final = 1e-6


def sphere_centroid(probabilities_NC: Tensor, centres_C2: Tensor) -> Tensor:
    """Return the mean place of the cells, weighted by their probabilities.

    The mean of unit vectors, so that 179 and -179 degrees meet at 180, and longitudes mean nothing at
    a pole. Where they cancel each other out, as on two sides of the Earth, it is the centre of the
    likeliest cell.

    :param probabilities_NC: (N, C), none of them negative.
    :param centres_C2: (C, 2) the cells' centroids.
    :returns: (N, 2) float64.

    >>> halves = torch.tensor([[0.5, 0.5]])
    >>> sphere_centroid(halves, torch.tensor([[0.0, 179.0], [0.0, -177.0]])).round(decimals=6).tolist()
    [[0.0, -179.0]]
    """
    centres_C2 = centres_C2.double()
    latitude_C, longitude_C = torch.deg2rad(centres_C2).unbind(dim=1)
    unit_C3 = torch.stack([
        latitude_C.cos() * longitude_C.cos(), latitude_C.cos() * longitude_C.sin(), latitude_C.sin()
    ], dim=1)  # fmt: skip
    mean_N3 = probabilities_NC.to(unit_C3) @ unit_C3
    x_N, y_N, z_N = mean_N3.unbind(dim=1)
    found_N2 = torch.rad2deg(
        torch.stack([torch.atan2(z_N, torch.hypot(x_N, y_N)), torch.atan2(y_N, x_N)], dim=1)
    )
    cancelled_N = mean_N3.norm(dim=1) <= SHORTEST * probabilities_NC.sum(dim=1)
    likeliest_N2 = centres_C2[probabilities_NC.argmax(dim=1)]
    return torch.where(cancelled_N[:, None], likeliest_N2, found_N2)


def placed(probabilities_NC: Tensor, centres_C2: Tensor, estimate: str) -> Tensor:
    """Return (N, 2) where an estimate puts each entity.

    :param estimate: ``argmax``, the centre of the likeliest cell, or ``centroid``.
    """
    if estimate == "centroid":
        return sphere_centroid(probabilities_NC, centres_C2)
    return centres_C2.double()[probabilities_NC.argmax(dim=1)]


def lies_in(place_2: Tensor, chosen_C: Tensor, tokens: Sequence[str], centres_C2: Tensor) -> bool:
    """Return whether a place lies in one of the chosen cells.

    :param place_2: (2,) latitude and longitude, degrees.
    :param chosen_C: (C,) true for those cells.
    :param tokens: the C cells' S2 tokens. Of cells that are none, as those of imported files, a place
        lies in the one whose centre is nearest.

    >>> north = torch.tensor([85.8, -104.0])
    >>> lies_in(north, torch.tensor([True, True]), ["47a85", "0d423"], torch.zeros(2, 2))
    False
    """
    try:
        cells = from_tokens(tokens)[chosen_C.numpy()]  # all: some numbers are tokens by chance
    except RecipeError:
        near_C = great_circle(place_2.expand(len(centres_C2), 2), centres_C2)
        return bool(chosen_C[near_C.argmin()])
    leaf = cell_ids(*place_2[:, None].tolist())
    lowest = lowest_bit(cells)
    return bool((((leaf & (~lowest + np.uint64(1))) | lowest) == cells).any())


def choose_estimate(probabilities_NC: Tensor, centres_C2: Tensor, places_N2: Tensor) -> str:
    """Return the estimate whose median error is lower; ``argmax`` where they are equal.

    :param places_N2: (N, 2) true places; those that are no numbers are left out.
    :returns: ``argmax`` or ``centroid``; ``argmax`` where no place is known.
    """
    known_N = torch.isfinite(places_N2).all(dim=1)
    if not int(known_N.sum()):
        return "argmax"
    probabilities_nC, places_n2 = probabilities_NC[known_N], places_N2[known_N]
    error = {
        name: float(great_circle(placed(probabilities_nC, centres_C2, name), places_n2).quantile(0.5))
        for name in ESTIMATES
    }
    return min(ESTIMATES, key=error.__getitem__)
