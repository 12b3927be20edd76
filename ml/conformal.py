"""Sets of cells that hold the true one as often as was asked for.

Probabilities and labels of the validation split enter, a threshold leaves: the cells that are at least
that probable make the set of an entity. These are the least ambiguous sets (Sadinle, Lei and Wasserman
2019, Least Ambiguous Set-Valued Classifiers with Bounded Error Levels): of all with the same coverage,
they have the fewest cells on average. The coverage holds over entities drawn as those of the
validation split were, and over all of them together: not for each region, and not on a spatial split.

Shapes: N entities, C cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from mlmkg.errors import ModelError

COVERAGE: Final = 0.9


@dataclass(frozen=True)
class Coverage:
    """What sets turned out to be.

    :param share: share of the entities whose true cell is in their set, 0 to 1.
    :param mean_size: cells in a set, on average.
    :param entities: how many entities were looked at.
    """

    share: float
    mean_size: float
    entities: int


def conformal_threshold(probabilities_NC: Tensor, label_N: Tensor, coverage: float = COVERAGE) -> float:
    """Return the probability from which on a cell belongs to a set.

    With n entities whose cell is known it is the k-th largest probability of a true cell, k being the
    next whole number from (n + 1) * coverage up; so a new entity's true cell is in its set with a
    probability of at least ``coverage`` and, without ties, of less than ``coverage`` + 1 / (n + 1).
    Strictly that asks for a model that has not seen these entities: that the temperature and the epoch
    were chosen by them costs little where they are hundreds, which is why coverage is measured on test.

    :param probabilities_NC: (N, C), rows sum to 1.
    :param label_N: (N,) true cells, -1 where unknown.
    :param coverage: above 0, below 1.
    :returns: 0 to 1; 0, which puts every cell into every set, where n is too small for the coverage:
        below 9 for 0.9.
    :raises ModelError: for another coverage.
    """
    if not 0 < coverage < 1:
        raise ModelError(f"a coverage of {coverage:g}", action="Choose one between 0 and 1")
    label_N = label_N.cpu()
    probabilities_nC, label_n = probabilities_NC.detach().cpu()[label_N >= 0], label_N[label_N >= 0]
    # 0.9 * 10 is a little above 9 for some factors: such a hair is no reason for one more.
    rank = math.ceil((len(label_n) + 1) * coverage - 1e-9)
    if rank > len(label_n):
        return 0.0
    true_n = probabilities_nC.gather(1, label_n[:, None])[:, 0]
    return float(true_n.sort(descending=True).values[rank - 1])


def conformal_sets(probabilities_NC: Tensor, threshold: float) -> Tensor:
    """Return (N, C) true where a cell is in an entity's set.

    The most probable cell always is: a set of no cell, which is what a row without any probable cell
    would get, tells nobody anything. That makes sets a little larger and coverage no smaller.

    :param probabilities_NC: (N, C), rows sum to 1.
    :param threshold: what :func:`conformal_threshold` returned.

    >>> import torch
    >>> conformal_sets(torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]), 0.3).tolist()
    [[True, True, False], [False, False, True]]
    """
    chosen_NC = probabilities_NC >= threshold
    return chosen_NC.scatter(1, probabilities_NC.argmax(dim=1, keepdim=True), value=True)


def coverage_of(sets_NC: Tensor, label_N: Tensor) -> Coverage | None:
    """Return how often sets hold the true cell, and how large they are; None if no cell is known.

    :param sets_NC: (N, C) of :func:`conformal_sets`.
    :param label_N: (N,) true cells, -1 where unknown. A cell that training never saw counts: it is in
        no set unless by chance.
    """
    known_N = label_N >= 0
    if not int(known_N.sum()):
        return None
    sets_nC, label_n = sets_NC[known_N], label_N[known_N]
    share = sets_nC.gather(1, label_n[:, None]).double().mean()
    return Coverage(float(share), float(sets_nC.sum(dim=1).double().mean()), len(label_n))
