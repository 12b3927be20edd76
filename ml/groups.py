"""Figures per group with the worst one beside the whole, and how far chance could move a figure.

Representation bias is the theme of the paper's section 5: a mean over all entities hides who is served
badly. A group is a language, a continent, a class.

Shapes: n rows, which are what a figure is computed from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from mlmkg.ml.figures import LOWER_IS_BETTER, Integers, plain
from scipy.stats import bootstrap

#: Groups of fewer rows are left out: their figures are chance.
LEAST: Final = 20
RESAMPLES: Final = 1000
LEVEL: Final = 0.95
SEED: Final = 1234
#: From row numbers to figures by name; the same names whatever the rows.
Compute = Callable[[Integers], Mapping[str, float]]


def members(names_n: Sequence[str | Collection[str] | None]) -> dict[str, Integers]:
    """Return the rows of each group, the groups in alphabetical order.

    :param names_n: (n,) the group of each row, or its groups, or None.

    >>> {name: rows.tolist() for name, rows in members(["b", "a", None, ("a", "b")]).items()}
    {'a': [1, 3], 'b': [0, 3]}
    """
    found: dict[str, list[int]] = {}
    for row, names in enumerate(names_n):
        for name in [names] if isinstance(names, str) else dict.fromkeys(names or ()):
            found.setdefault(name, []).append(row)
    return {name: np.array(found[name], dtype=np.int64) for name in sorted(found)}


def by_group(compute: Compute, groups: Mapping[str, Integers], least: int = LEAST) -> dict[str, Any]:
    """Return the figures of each group, and the worst ones.

    :param compute: from row numbers to figures.
    :param groups: name -> the rows of that group, as :func:`members` gives them.
    :param least: groups of fewer rows are left out.
    :returns: ``groups``: name -> ``rows`` and the figures, None where one is not known; ``worst``:
        figure -> ``group`` and ``value`` (the highest of ``medR`` and ``median_km``, the lowest of all
        others); ``mean``: figure -> the mean of the groups, each counting as one; ``left_out``:
        ``groups`` and ``rows``, how many were too small.
    """
    large = {name: rows for name, rows in groups.items() if len(rows) >= least}
    found = {name: plain(compute(rows)) for name, rows in large.items()}
    worst: dict[str, dict[str, Any]] = {}
    mean: dict[str, float] = {}
    for key in next(iter(found.values()), {}):
        values = {name: v for name, figures in found.items() if (v := figures[key]) is not None}
        if not values:
            continue
        choose = max if key in LOWER_IS_BETTER else min
        name = choose(values, key=values.__getitem__)
        worst[key] = {"group": name, "value": values[name]}
        mean[key] = float(np.mean(list(values.values())))
    small = [rows for name, rows in groups.items() if name not in large]
    return {
        "groups": {name: {"rows": len(large[name])} | figures for name, figures in found.items()},
        "worst": worst, "mean": mean,
        "left_out": {"groups": len(small), "rows": sum(map(len, small))},
    }  # fmt: skip


def intervals(
    compute: Compute, rows: int, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = SEED
) -> dict[str, list[float] | None]:
    """Return a bootstrap interval of each figure (Efron's percentiles).

    It says how the figure would move with other test entities, and not with another training run: for
    that there are seeds. The rows have to be independent: entities, and not the texts of entities.

    :param compute: from row numbers, which may come more than once, to figures.
    :param rows: how many there are.
    :returns: figure -> lower and upper end; None where there are fewer than two rows, or where the
        figure is not known.
    """
    if not rows:
        return {}
    names = list(compute(np.arange(rows)))
    if rows < 2:
        return dict.fromkeys(names)
    found = bootstrap(
        (np.arange(rows),), lambda drawn: np.array(list(compute(drawn).values())),
        n_resamples=resamples, confidence_level=level, method="percentile", vectorized=False,
        # Resamples of which the row numbers are held at once.
        batch=max(1, (1 << 22) // rows), rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    both = zip(names, found.low.tolist(), found.high.tolist(), strict=True)
    return {
        name: None if math.isnan(low) or math.isnan(high) else [low, high] for name, low, high in both
    }
