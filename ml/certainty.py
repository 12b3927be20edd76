"""How certain a model is of its cells, fitted on validation and kept with the checkpoint.

Per modality: a temperature, the probability from which on a cell belongs to the set of those it may be,
whether the likeliest cell's centre or the mean place is nearer, and how far off its certainty was.

Shapes: N entities, C cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from mlmkg.ml.calibration import Reliability, calibrate, reliability
from mlmkg.ml.conformal import COVERAGE, Coverage, conformal_sets, conformal_threshold, coverage_of
from mlmkg.ml.sphere import ESTIMATES, choose_estimate, placed
from torch import Tensor

from mlmkg.errors import ModelError


@dataclass(frozen=True)
class Fitted:
    """What was fitted for a modality.

    :param temperature: what logits are divided by.
    :param threshold: cells of at least that probability make the set; 0 puts all of them in.
    :param estimate: ``argmax`` or ``centroid``.
    :param error_before, error_after: expected calibration error on the entities it was fitted on,
        without the temperature and with it, 0 to 1; None where there were none.
    :param entities: how many those were. Where they are few, all of this says little.
    """

    temperature: float = 1.0
    threshold: float = 0.0
    estimate: str = "argmax"
    error_before: float | None = None
    error_after: float | None = None
    entities: int = 0


@dataclass(frozen=True)
class Certainty:
    """What was fitted for each modality of a model.

    :param coverage: how often the sets are to hold the true cell, 0 to 1.
    :param fitted: modality (``image``, ``text``, ``fused``) -> what was fitted.
    """

    coverage: float
    fitted: dict[str, Fitted]

    def probabilities(self, modality: str, logits_NC: Tensor) -> Tensor:
        """Return (N, C) calibrated probabilities."""
        return torch.softmax(logits_NC.float() / self._of(modality).temperature, dim=1)

    def sets(self, modality: str, probabilities_NC: Tensor) -> Tensor:
        """Return (N, C) true where a cell is in an entity's set."""
        return conformal_sets(probabilities_NC, self._of(modality).threshold)

    def places(self, modality: str, probabilities_NC: Tensor, centres_C2: Tensor) -> Tensor:
        """Return (N, 2) latitude and longitude, degrees."""
        return placed(probabilities_NC, centres_C2, self._of(modality).estimate)

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads: only dictionaries, numbers, strings and None."""
        return asdict(self)

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> Certainty:
        """Read what :meth:`to_json` returned.

        :raises ModelError: if something is missing or out of its range.
        """
        try:
            fitted = {name: Fitted(**values) for name, values in content["fitted"].items()}
            found = Certainty(float(content["coverage"]), fitted)
            sound = 0 < found.coverage < 1 and all(
                f.temperature > 0 and 0 <= f.threshold <= 1 and f.estimate in ESTIMATES
                for f in fitted.values()
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            sound = False
        if not sound:
            raise ModelError(
                "the certainty of the cells cannot be read", action="Train again with --force"
            )
        return found

    def _of(self, modality: str) -> Fitted:
        if modality not in self.fitted:
            raise ModelError(
                f"no certainty was fitted for {modality!r}",
                action=f"Choose among {', '.join(self.fitted) or 'none'}",
            )
        return self.fitted[modality]


@dataclass(frozen=True)
class Measured:
    """How a modality's certainty does on entities that it was not fitted on.

    :param before, after: the numbers of a reliability plot without the temperature and with it.
    :param coverage: how often the sets hold the true cell, and how large they are; None for none.
    """

    before: Reliability
    after: Reliability
    coverage: Coverage | None

    def figures(self) -> dict[str, float | None]:
        """Return the expected calibration errors, the sets' coverage and their mean size."""
        return {
            "ECE_before": self.before.error,
            "ECE": self.after.error,
            "coverage": self.coverage.share if self.coverage else None,
            "set_size": self.coverage.mean_size if self.coverage else None,
        }


def fit_certainty(
    logits: Mapping[str, Tensor], label_N: Tensor, centres_C2: Tensor, places_N2: Tensor,
    coverage: float = COVERAGE, known: Mapping[str, Tensor] | None = None,
) -> Certainty:  # fmt: skip
    """Fit the certainty of a model's cells on what it says of the validation split.

    :param logits: modality -> (N, C); those without cells, such as of a model of the task ``ir``, give
        nothing.
    :param label_N: (N,) true cells, -1 where unknown.
    :param centres_C2: (C, 2) the cells' centroids, degrees.
    :param places_N2: (N, 2) true places, degrees; NaN where unknown.
    :param coverage: how often a set is to hold the true cell, between 0 and 1.
    :param known: modality -> (N,) true where there is anything of it to look at; all by default.
    :raises ModelError: if a logit is not a number.
    """
    fitted = {}
    for name, logits_NC in logits.items():
        label_n = _where(known, name, label_N)
        temperature = calibrate(logits_NC, label_n)
        before_NC = torch.softmax(logits_NC.float(), dim=1)
        after_NC = torch.softmax(logits_NC.float() / temperature, dim=1)
        seen_N = known[name] if known else torch.ones_like(label_N, dtype=torch.bool)
        fitted[name] = Fitted(
            temperature=temperature,
            threshold=conformal_threshold(after_NC, label_n, coverage),
            estimate=choose_estimate(after_NC[seen_N], centres_C2, places_N2[seen_N]),
            error_before=reliability(before_NC, label_n).error,
            error_after=reliability(after_NC, label_n).error,
            entities=int((label_n >= 0).sum()),
        )
    return Certainty(coverage, fitted)


def measure_certainty(
    certainty: Certainty, logits: Mapping[str, Tensor], label_N: Tensor,
    known: Mapping[str, Tensor] | None = None,
) -> dict[str, Measured]:  # fmt: skip
    """Return, per modality, how the certainty does on other entities: those of the test split.

    The parameters are those of :func:`fit_certainty`.
    """
    found = {}
    for name, logits_NC in logits.items():
        label_n = _where(known, name, label_N)
        after_NC = certainty.probabilities(name, logits_NC)
        found[name] = Measured(
            reliability(torch.softmax(logits_NC.float(), dim=1), label_n),
            reliability(after_NC, label_n),
            coverage_of(certainty.sets(name, after_NC), label_n),
        )
    return found


def _where(known: Mapping[str, Tensor] | None, modality: str, label_N: Tensor) -> Tensor:
    """Return the labels, unknown where there is nothing of the modality."""
    return label_N.masked_fill(~known[modality], -1) if known else label_N
