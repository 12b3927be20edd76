"""Geo cells: the adaptive partition of the Earth that location estimation predicts.

Coordinates enter, the partition of section 3.3.5 of the MLM paper (CIKM 2020) and each point's cell
leave. The ids below a cell are one contiguous range, so one sort of the points puts the inhabitants of
every cell of every level side by side: 250,000 places take hundredths of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mlmkg.errors import RecipeError
from mlmkg.s2 import (
    Bools,
    Ids,
    Integers,
    ancestors,
    cell_ids,
    check_level,
    coordinates,
    lowest_bit,
    valid,
)


@dataclass(frozen=True)
class Partition:
    """The cells of a partition and the cell of each point.

    :param ids: S2 cell ids of different levels, disjoint, ascending, shape (C,).
    :param counts: how many points each cell holds, shape (C,).
    :param assignment: place of each point's cell in ``ids``, -1 for a point in none, shape (N,).
    :param invalid: the points that were left out since they are no coordinate, shape (N,).
    """

    ids: Ids
    counts: Integers
    assignment: Integers
    invalid: Bools


def cells(
    latitudes: ArrayLike,
    longitudes: ArrayLike,
    *,
    start_level: int = 2,
    max_level: int = 10,
    t_max: int = 500,
    t_min: int = 20,
    strategy: str = "adaptive",
) -> Partition:
    """Return the adaptive partition of section 3.3.5 of the MLM paper.

    The points are put into the cells of the start level. A cell that holds more than ``t_max`` is
    replaced by those of its children that hold any, until no cell holds more or the maximum level
    is reached; a cell of the maximum level keeps what it holds. The strategies differ in what is
    removed:

    - ``"adaptive"``, the paper's text: at the end, cells with *fewer than* ``t_min`` points.
    - ``"reference"``, the paper's script: cells with *at most* ``t_min`` points, at the start level
      before any is split, and once more at the end.

    Cells with exactly ``t_min`` points are in the first and not in the second, and that is the
    whole difference: no descendant of a cell that the script removes early holds more points than
    it, so all of them would be removed at the end.

    :param latitudes: degrees, shape (N,).
    :param longitudes: degrees, shape (N,).
    :param start_level: level of the largest cells, 0 to 30.
    :param max_level: level of the smallest cells, ``start_level`` to 30.
    :param t_max: split a cell that holds more points than these, 1 or more.
    :param t_min: the least points a cell holds, 0 or more; see the strategies. A cell that holds
        no point is never part of the partition.
    :param strategy: ``"adaptive"`` or ``"reference"``.
    :raises RecipeError: for a parameter out of its range or arrays of different length.

    >>> from mlmkg.s2 import tokens
    >>> berlin = cells([52.5] * 30, [13.4] * 30, max_level=4)
    >>> tokens(berlin.ids), berlin.counts.tolist()
    (['47'], [30])
    """
    lat, lon = coordinates(latitudes, longitudes)
    _check_partition(start_level, max_level, t_max, t_min, strategy)
    on_earth = valid(lat, lon)
    leaves = cell_ids(lat, lon)
    order = np.argsort(leaves)
    order = order[np.count_nonzero(~on_earth) :]  # a point that is no coordinate has the id 0
    leaves = leaves[order]

    # The script's removal at the start level spared it work; here it would change nothing.
    least = t_min + 1 if strategy == "reference" else t_min
    found, found_counts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    crowded = leaves
    for level in range(start_level, max_level + 1):
        ids, counts = _runs(ancestors(crowded, level))
        split = (counts > t_max) & (level < max_level)
        kept = ~split & (counts >= least)
        found.append(ids[kept])
        found_counts.append(counts[kept])
        if not split.any():
            break
        crowded = crowded[np.repeat(split, counts)]

    ids, counts = np.concatenate(found), np.concatenate(found_counts)
    ascending = np.argsort(ids)
    ids, counts = ids[ascending], counts[ascending]
    assignment = np.full(lat.size, -1, dtype=np.int64)
    # The points of a cell lie side by side, from the first leaf below it on.
    first = np.searchsorted(leaves, ids - (lowest_bit(ids) - np.uint64(1)))
    offset = np.repeat(first - (np.cumsum(counts) - counts), counts)
    assignment[order[offset + np.arange(offset.size)]] = np.repeat(np.arange(ids.size), counts)
    return Partition(ids=ids, counts=counts, assignment=assignment, invalid=~on_earth)


def _runs(ascending: Ids) -> tuple[Ids, Integers]:
    """Return the different values of a sorted array and how often each stands there."""
    changes = np.flatnonzero(ascending[1:] != ascending[:-1]) + 1
    starts = np.concatenate((np.zeros(min(1, ascending.size), dtype=np.int64), changes))
    return ascending[starts], np.diff(starts, append=ascending.size).astype(np.int64)


def _check_partition(start_level: int, max_level: int, t_max: int, t_min: int, strategy: str) -> None:
    check_level(start_level, "start_level")
    check_level(max_level, "max_level")
    if start_level > max_level:
        raise RecipeError(
            f"start_level {start_level} lies below max_level {max_level}",
            action="Choose a start_level that is not greater than max_level",
        )
    if t_max < 1:
        raise RecipeError(f"t_max is {t_max}", action="Choose a t_max of 1 or more")
    if t_min < 0:
        raise RecipeError(f"t_min is {t_min}", action="Choose a t_min of 0 or more")
    if strategy not in ("adaptive", "reference"):
        raise RecipeError(f"there is no strategy {strategy!r}", action="Choose adaptive or reference")
