"""Whether a model's probabilities can be believed: a temperature, and how far off they are.

Logits and labels of the validation split enter; a temperature leaves by which logits are divided (Guo
et al. 2017, On Calibration of Modern Neural Networks), and the numbers of a reliability plot. Entities
whose cell is unknown have the label -1 and are left out.

Shapes: N entities, C cells, B bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

from mlmkg.errors import ModelError

#: Bins of equal width over confidences of 0 to 1, as by Guo et al.
BINS: Final = 15
#: A temperature is at least and at most that: where a model is right about all of a few entities, the
#: likelihood alone would make it as sure as it can be.
COLDEST, HOTTEST = 0.05, 20.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """The numbers of a reliability plot: what a model was sure of, and how often it was right.

    :param count_B: (B,) how many entities have their highest probability in each bin; a bin is open
        below and closed above, the first one closed on both sides.
    :param confidence_B: (B,) mean highest probability there, NaN in an empty bin.
    :param accuracy_B: (B,) share of them whose most probable cell is the true one, NaN likewise.
    """

    count_B: npt.NDArray[np.int64]
    confidence_B: Floats
    accuracy_B: Floats

    @property
    def error(self) -> float | None:
        """The expected calibration error, 0 to 1: the mean gap, weighted by count; None for none."""
        if not self.count_B.sum():
            return None
        gap_B = np.abs(np.nan_to_num(self.confidence_B) - np.nan_to_num(self.accuracy_B))
        return float((gap_B * self.count_B).sum() / self.count_B.sum())


def calibrate(logits_NC: Tensor, label_N: Tensor) -> float:
    """Return the temperature under which the true cells are most likely.

    It changes no ranking of cells, only how sure a model is: above 1 where it was too sure.

    :param logits_NC: (N, C).
    :param label_N: (N,) true cells, -1 where unknown.
    :returns: :data:`COLDEST` to :data:`HOTTEST`; 1 where no cell is known or there is only one.
    :raises ModelError: if a logit is not a number.
    """
    logits_nC, label_n = _known(logits_NC, label_N)
    if not len(label_n) or logits_nC.shape[1] < 2:
        return 1.0

    def loss(log_temperature: float) -> float:
        return float(F.cross_entropy(logits_nC / math.exp(log_temperature), label_n))

    # The likelihood has one peak over 1/T, so over log T, too.
    bounds = (math.log(COLDEST), math.log(HOTTEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return float(math.exp(found.x))


def reliability(probabilities_NC: Tensor, label_N: Tensor, bins: int = BINS) -> Reliability:
    """Return the numbers of a reliability plot, over bins of equal width.

    :param probabilities_NC: (N, C), rows sum to 1.
    :param label_N: (N,) true cells, -1 where unknown.

    >>> import torch
    >>> plot = reliability(torch.tensor([[0.5, 0.5], [0.9, 0.1]]), torch.tensor([0, 1]), bins=2)
    >>> plot.count_B.tolist(), plot.accuracy_B.tolist(), round(plot.error, 2)
    ([1, 1], [1.0, 0.0], 0.7)
    """
    probabilities_nC, label_n = _known(probabilities_NC, label_N)
    if not len(label_n):
        nothing = np.full(bins, np.nan)
        return Reliability(np.zeros(bins, np.int64), nothing, nothing)
    best = probabilities_nC.max(dim=1)
    confidence_n = best.values.double().numpy()
    right_n = (best.indices == label_n).double().numpy()
    # scikit-learn's calibration_curve does the same and leaves out empty bins and the counts.
    bin_n = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence_n)
    count_B = np.bincount(bin_n, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence_B, accuracy_B = (
            np.bincount(bin_n, weights=values, minlength=bins) / count_B
            for values in (confidence_n, right_n)
        )
    return Reliability(count_B, confidence_B, accuracy_B)


def _known(values_NC: Tensor, label_N: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows whose label is known, on the CPU in float32, and their labels."""
    label_N = label_N.cpu()
    values_nC = values_NC.detach().cpu()[label_N >= 0].float()
    if not values_nC.isfinite().all():
        raise ModelError(
            "the model's answers are not all numbers",
            action="Look for NaN among the features, or train again with a smaller learning rate",
        )
    return values_nC, label_N[label_N >= 0]
