"""Centroids and outlines of S2 cells, in degrees.

Cell ids enter, points and WKT polygons leave. A cell is a square on a face of a cube round the sphere.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from mlmkg.errors import RecipeError
from mlmkg.s2 import (
    MAX_LEVEL,
    SIDE,
    U_AXIS,
    U_SIGN,
    V_AXIS,
    V_SIGN,
    Floats,
    Ids,
    checked,
    decode,
    levels,
)

_Box: TypeAlias = tuple[float, float, float, float]  # u from, u to, v from, v to


def _uv(s: float) -> float:
    """Return the u or v of a place on an edge, 0 to 1: the inverse of the quadratic projection."""
    if s >= 0.5:
        return (1.0 / 3.0) * (4.0 * s * s - 1.0)
    return (1.0 / 3.0) * (1.0 - 4.0 * (1.0 - s) * (1.0 - s))


def _degrees(face: int, u: float, v: float) -> tuple[float, float]:
    """Return the latitude and longitude of a place on a face, by the C library alone.

    A graph has the same bytes on every machine, which the vector functions of numpy do not promise.
    """
    normal = 1.0 if face < 3 else -1.0
    xyz = [normal, normal, normal]
    xyz[U_AXIS[face]] = u * (U_SIGN[face] * normal)
    xyz[V_AXIS[face]] = v * (V_SIGN[face] * normal)
    x, y, z = xyz
    return math.degrees(math.atan2(z, math.sqrt(x * x + y * y))), math.degrees(math.atan2(y, x))


def _corners(ids: Ids) -> list[tuple[int, int, int, int]]:
    """Return each cell's face, i and j of its lowest corner, and side in leaf cells."""
    face, i, j = decode(ids)
    side = np.int64(1) << (MAX_LEVEL - levels(ids).astype(np.int64))
    return list(
        zip(face.tolist(), (i & -side).tolist(), (j & -side).tolist(), side.tolist(), strict=True)
    )


def centroids(ids: ArrayLike) -> Floats:
    """Return the centre of each cell, as S2 defines it: the middle of the square on the cube.

    :param ids: S2 cell ids, shape (C,).
    :return: latitude and longitude in degrees, shape (C, 2).
    :raises RecipeError: for a number that is not a cell.

    >>> from mlmkg.s2 import from_tokens
    >>> centroids(from_tokens(["1"])).tolist()
    [[0.0, 0.0]]
    """
    half = 0.5 / SIDE
    centres = [
        _degrees(face, _uv(half * (2 * i + side)), _uv(half * (2 * j + side)))
        for face, i, j, side in _corners(checked(ids))
    ]
    return np.array(centres, dtype=np.float64).reshape(-1, 2)


def polygons(ids: ArrayLike, points_per_edge: int | None = None) -> list[str]:
    """Return the outline of each cell in WKT, longitude first, counter-clockwise and closed.

    The edges of a cell are geodesics, which are bent on a map in degrees, so points are added along
    them. No outline crosses the antimeridian: the one cell that lies on both sides of it (face 3)
    is a MULTIPOLYGON of two halves, and the two faces round a pole, like the cells with a pole as
    a corner, go along the top or bottom edge of the map. Degrees have nine decimals, a tenth of a
    millimetre.

    :param ids: S2 cell ids, shape (C,).
    :param points_per_edge: points drawn on each of the four edges, one corner included. By default
        1, 2, 4 ... 128: as many as keep the outline within a kilometre and a hundredth of the
        cell's size of the true one.
    :raises RecipeError: for a number that is not a cell, or fewer than one point.

    >>> from mlmkg.s2 import from_tokens
    >>> polygons(from_tokens(["3"]), points_per_edge=1)[0][:52]  # the face of Bangladesh
    'POLYGON((45 -35.264389683,135 -35.264389683,135 35.2'
    """
    if points_per_edge is not None and points_per_edge < 1:
        raise RecipeError(
            f"points_per_edge is {points_per_edge}", action="Choose points_per_edge of 1 or more"
        )
    shapes = []
    for face, i, j, side in _corners(checked(ids)):
        box = (_uv(i / SIDE), _uv((i + side) / SIDE), _uv(j / SIDE), _uv((j + side) / SIDE))
        tolerance = min(0.01, 0.9 * side / SIDE)  # degrees; a face is 90 wide
        if side < SIDE or face in (0, 1, 4):
            shapes.append(f"POLYGON({_wkt(_outline(face, box, points_per_edge, tolerance))})")
        elif face == 3:
            halves = ((-1.0, 1.0, -1.0, 0.0), (-1.0, 1.0, 0.0, 1.0))
            rings = [_wkt(_outline(face, half, points_per_edge, tolerance)) for half in halves]
            shapes.append(f"MULTIPOLYGON(({rings[0]}),({rings[1]}))")
        else:
            shapes.append(f"POLYGON({_wkt(_round_the_pole(face, points_per_edge or 64))})")
    return shapes


_Ring: TypeAlias = list[tuple[float, float]]  # latitude, longitude


def _outline(face: int, box: _Box, points_per_edge: int | None, tolerance: float) -> _Ring:
    """Return the outline of a square on a face, with enough points to be within the tolerance."""
    count = points_per_edge or 1
    ring = _ring(face, box, count)
    while points_per_edge is None and count < 128:
        finer = _ring(face, box, 2 * count)
        if _bend(finer) <= tolerance:
            break
        ring, count = finer, 2 * count
    return _with_pole(ring)


def _walk(box: _Box, count: int) -> list[tuple[float, float]]:
    """Return the u and v of points round a square, counter-clockwise seen from outside."""
    u0, u1, v0, v1 = box
    along = [k / count for k in range(count)]
    return [
        *((u0 + (u1 - u0) * k, v0) for k in along),
        *((u1, v0 + (v1 - v0) * k) for k in along),
        *((u1 + (u0 - u1) * k, v1) for k in along),
        *((u0, v1 + (v0 - v1) * k) for k in along),
    ]


def _ring(face: int, box: _Box, count: int) -> _Ring:
    """Return points of the outline, with longitudes on the side of 180 that the square lies on."""
    _, middle = _degrees(face, (box[0] + box[1]) / 2, (box[2] + box[3]) / 2)
    ring = []
    for u, v in _walk(box, count):
        latitude, longitude = _degrees(face, u, v)
        if abs(longitude - middle) > 180.0:
            longitude -= math.copysign(360.0, longitude)
        ring.append((latitude, longitude))
    return ring


def _bend(ring: _Ring) -> float:
    """Return how far, in degrees, every second point is from the line through its neighbours."""
    bend = 0.0
    for k in range(1, len(ring), 2):
        (lat0, lon0), (lat, lon), (lat1, lon1) = ring[k - 1], ring[k], ring[(k + 1) % len(ring)]
        if 90.0 in (abs(lat0), abs(lat1)):
            continue  # a meridian, straight on the map, and a pole has no longitude
        shrink = math.cos(math.radians(lat))
        chord, offset = ((lon1 - lon0) * shrink, lat1 - lat0), ((lon - lon0) * shrink, lat - lat0)
        area = chord[0] * offset[1] - chord[1] * offset[0]
        bend = max(bend, abs(area) / math.hypot(*chord))
    return bend


def _with_pole(ring: _Ring) -> _Ring:
    """Return the outline with a corner at a pole drawn as the edge of the map that a pole is."""
    for k, (latitude, _) in enumerate(ring):
        if abs(latitude) == 90.0:
            before, after = ring[k - 1][1], ring[(k + 1) % len(ring)][1]
            return [*ring[:k], (latitude, before), (latitude, after), *ring[k + 1 :]]
    return ring


def _round_the_pole(face: int, count: int) -> _Ring:
    """Return the outline of the face with a pole in its middle, closed along the map's edge."""
    pole = 90.0 if face == 2 else -90.0
    outline = [_degrees(face, u, v) for u, v in _walk((-1.0, 1.0, -1.0, 1.0), count)]
    inner = sorted((p for p in outline if abs(p[1]) < 180.0), key=lambda p: p[1])
    # The antimeridian crosses the edge of the face at 45 degrees.
    closed = [(pole / 2, -180.0), *inner, (pole / 2, 180.0), (pole, 180.0), (pole, -180.0)]
    return closed if pole > 0 else closed[::-1]


def _wkt(ring: _Ring) -> str:
    pairs = [f"{_decimal(longitude)} {_decimal(latitude)}" for latitude, longitude in ring]
    return f"({','.join([*pairs, pairs[0]])})"


def _decimal(degrees: float) -> str:
    text = f"{degrees:.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
