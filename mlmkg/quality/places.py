"""Entities that lie close together in different splits.

Points become vectors on the unit sphere, so that a distance is a chord: right at the poles and across
the antimeridian. A k-d tree finds the pairs, without comparing all with all.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from mlmkg.quality.finding import NOTE, Check, Example, Finding
from mlmkg.vocab import MLM

#: Kilometres within which two entities count as one place.
NEAR_KM: Final = 1.0
_EARTH_RADIUS_KM: Final = 6371.0088
Float = npt.NDArray[np.float64]

NEAR_PLACES: Final = Check(
    "near-places", "within 1 km in two splits", NOTE, "pairs", "entities",
    MLM.nearPlacesMetric,
)  # fmt: skip


def within(latitudes: Float, longitudes: Float, km: float) -> tuple[npt.NDArray[np.int64], Float]:
    """Return all pairs of points at most so far apart.

    :param latitudes, longitudes: (N,) degrees; points with NaN are in no pair.
    :param km: a great-circle distance, kilometres.
    :returns: (M, 2) indices, the smaller first, and (M,) kilometres; the nearest first.

    >>> within(np.array([0.0, 0.0]), np.array([179.999, -179.999]), 1)[1].round(3)
    array([0.222])
    """
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(latitudes) & np.isfinite(longitudes))
    latitude, longitude = np.radians(latitudes[known]), np.radians(longitudes[known])
    vectors = np.stack([
        np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude),
    ], axis=1)  # fmt: skip
    if len(known) < 2:
        return np.empty((0, 2), np.int64), np.empty(0, np.float64)
    chord = 2 * np.sin(km / (2 * _EARTH_RADIUS_KM))
    pairs = np.sort(cKDTree(vectors).query_pairs(chord, output_type="ndarray"), axis=1)
    apart = np.linalg.norm(vectors[pairs[:, 0]] - vectors[pairs[:, 1]], axis=1)
    distances = 2 * _EARTH_RADIUS_KM * np.arcsin(apart / 2)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], distances))
    return known[pairs[order]], distances[order]


def near_places(
    entities: list[str], splits: list[str | None], latitudes: Float, longitudes: Float,
    examples: int,
) -> Finding:  # fmt: skip
    """Find entities within :data:`NEAR_KM` of one in another split.

    :param entities: (N,) IRIs.
    :param splits: (N,) names; one without a split is in no pair.
    :param latitudes, longitudes: (N,) degrees, NaN where there is none.
    """
    pairs, distances = within(latitudes, longitudes, NEAR_KM)
    part = np.array([split or "" for split in splits])
    left, right = part[pairs[:, 0]], part[pairs[:, 1]]
    across = (left != right) & (left != "") & (right != "")
    pairs, distances = pairs[across], distances[across]
    shown = tuple(
        Example(
            (entities[a], entities[b]),
            f"{splits[a]} and {splits[b]}, {1000 * km:,.0f} m apart",
        )
        for (a, b), km in zip(pairs[:examples].tolist(), distances.tolist(), strict=False)
    )
    return Finding(NEAR_PLACES, len(pairs), len(np.unique(pairs)), len(entities), shown)
