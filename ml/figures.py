"""The figures of retrieval and of location, from ranks, cells and kilometres.

Shapes: n rows (queries, or entities), none of them unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

#: From a true to a guessed place (Weyand et al. 2016, PlaNet). These are distances to the entities' own
#: places; files as published have the mean place of each cell instead, and so no street or city.
RADII_KM: Final = {"street": 1, "city": 25, "region": 200, "country": 750, "continent": 2500}
LOWER_IS_BETTER: Final = frozenset({"medR", "median_km"})

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def retrieval_figures(rank_n: Floats) -> dict[str, float]:
    """Return ``medR``, ``MRR`` (mean of 1 / rank) and ``R@1``, ``R@5``, ``R@10`` (0 to 1) of ranks.

    :param rank_n: (n,) from 1, halves among them where candidates are equally good; one at least.

    >>> retrieval_figures(np.array([1.0, 2.0, 4.0, 20.0]))
    {'medR': 3.0, 'MRR': 0.45, 'R@1': 0.25, 'R@5': 0.75, 'R@10': 0.75}
    """
    return {"medR": float(np.median(rank_n)), "MRR": float((1 / rank_n).mean())} | {
        f"R@{k}": float((rank_n <= k).mean()) for k in (1, 5, 10)
    }


def chance_figures(candidates: int) -> dict[str, float]:
    """Return the figures of a random order of so many candidates."""
    return retrieval_figures(np.arange(1, candidates + 1, dtype=np.float64))


def location_figures(true_n: Integers, guess_n: Integers, km_n: Floats) -> dict[str, float]:
    """Return ``F1``, ``P``, ``R``, ``median_km`` and ``within_1km`` to ``within_2500km``.

    Precision, recall and F1 are those of each cell, weighted by how many rows truly lie in it, as
    scikit-learn's ``average="weighted", zero_division=0`` gives them; of 22,000 rows in 900 cells that
    took 62 ms where this takes 0.6, and an interval wants a thousand of them.

    :param true_n, guess_n: (n,) cells, from 0; one row at least.
    :param km_n: (n,) from the true place to the guessed one; NaN where it is unknown, which is left
        out; ``median_km`` and ``within`` are NaN where all are.
    """
    cells = int(max(true_n.max(), guess_n.max())) + 1
    true_C = np.bincount(true_n, minlength=cells)
    guess_C = np.bincount(guess_n, minlength=cells)
    right_C = np.bincount(true_n[true_n == guess_n], minlength=cells)
    share_C = true_C / len(true_n)
    precision, recall, f1 = (
        float((share_C * times * right_C / np.maximum(of_C, 1)).sum())
        for times, of_C in ((1, guess_C), (1, true_C), (2, guess_C + true_C))
    )
    km_n = km_n[np.isfinite(km_n)]
    some = len(km_n) > 0
    return {
        "F1": f1, "P": precision, "R": recall,
        "median_km": float(np.median(km_n)) if some else float("nan"),
    } | {
        f"within_{radius}km": float((km_n <= radius).mean()) if some else float("nan")
        for radius in RADII_KM.values()
    }  # fmt: skip


def plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Return figures as JSON has them: None where one is not known.

    >>> plain({"F1": 0.5, "median_km": float("nan")})
    {'F1': 0.5, 'median_km': None}
    """
    return {name: None if math.isnan(value) else value for name, value in figures.items()}
