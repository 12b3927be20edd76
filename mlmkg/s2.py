"""S2 cells as arrays of ids: the same ids as every S2 library, at numpy's speed.

Coordinates in degrees enter; S2 cell ids (64-bit integers) and their parents, levels and tokens leave
(https://s2geometry.io/devguide/s2cell_hierarchy); :mod:`mlmkg.outlines` draws them. A build needs no S2
library.

An id is three bits of cube face, then two bits for each level of the Hilbert curve on that face,
then a one, then zeros. So the ids below a cell are one contiguous range, and one sort of the places
puts the inhabitants of every cell of every level side by side.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlmkg.errors import RecipeError

Ids: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Integers: TypeAlias = NDArray[np.int64]

MAX_LEVEL: Final = 30
SIDE: Final = 1 << MAX_LEVEL  # leaf cells along an edge of a face
_RADIANS: Final = math.pi / 180.0
#: Points worked on at once: the dozen arrays of a block stay in the processor's cache, and memory
#: does not grow with the number of points (8k to 64k are alike, 256k takes 1.3 times as long).
_BLOCK: Final = 1 << 15
#: A point this near to an edge of its leaf cell, in leaf cells, is projected again with the sines
#: of the C library. Some builds of numpy have vector sines that differ in the last place, which
#: moves a point by some 1e-6 leaf cells (ten nanometres), and so over an edge it lies on.
_NEAR_EDGE: Final = 1e-5
_TOKEN: Final = re.compile(r"[0-9a-fA-F]{1,16}")


# --- the Hilbert curve of a face -------------------------------------------------------------

_STEP: Final = 5  # levels a table look-up goes down: 4,096 entries of 16 bits lie in the L1 cache
_MASK: Final = (1 << _STEP) - 1
_SWAPPED: Final = 1  # orientation bits: the axes are exchanged,
_INVERTED: Final = 2  # both axes run backwards
_TURN: Final = np.array([_SWAPPED, 0, 0, _SWAPPED | _INVERTED], dtype=np.uint16)


def _hilbert_tables() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return the curve through 32 x 32 cells, for each of the four orientations it can enter in.

    The first table leads from ``i << 7 | j << 2 | orientation`` to ``position << 2 | orientation``,
    the second back.
    """
    position, entry = np.divmod(np.arange(4 << (2 * _STEP), dtype=np.uint16), np.uint16(4))
    i, j, orientation = np.zeros_like(position), np.zeros_like(position), entry.copy()
    for step in range(_STEP - 1, -1, -1):
        quarter = (position >> np.uint16(2 * step)) & np.uint16(3)
        across, up = quarter >> 1, (quarter ^ (quarter >> 1)) & 1  # (0,0) (0,1) (1,1) (1,0)
        swapped, inverted = (orientation & _SWAPPED).astype(bool), orientation >> 1
        i = i << 1 | np.where(swapped, up, across) ^ inverted
        j = j << 1 | np.where(swapped, across, up) ^ inverted
        orientation ^= _TURN[quarter]
    backward = (i << (_STEP + 2) | j << 2 | orientation).astype(np.uint16)
    forward = np.empty_like(backward)
    forward[i << (_STEP + 2) | j << 2 | entry] = position << 2 | orientation
    return forward, backward


_POSITION, _IJ = _hilbert_tables()
_POSITION_LIST: Final[list[int]] = _POSITION.tolist()


def _encode(face: Integers, i: Integers, j: Integers) -> Ids:
    """Return the leaf cell (i, j) of each face."""
    ids = face.copy()
    orientation = face & _SWAPPED
    i_digit, j_digit = np.empty_like(i), np.empty_like(j)
    for shift in range(MAX_LEVEL - _STEP, -1, -_STEP):
        np.right_shift(i, shift, out=i_digit)
        i_digit &= _MASK
        i_digit <<= _STEP
        np.right_shift(j, shift, out=j_digit)
        j_digit &= _MASK
        i_digit |= j_digit
        i_digit <<= 2
        i_digit |= orientation
        found = _POSITION.take(i_digit, mode="clip")  # never out of range; "raise" copies
        np.bitwise_and(found, 3, out=orientation)
        found >>= 2
        ids <<= 2 * _STEP
        ids |= found
    ids <<= 1
    ids |= 1
    return ids.view(np.uint64)


def decode(ids: Ids) -> tuple[Integers, Integers, Integers]:
    """Return the face of each id and the (i, j) of some leaf cell in it."""
    bits = (ids >> np.uint64(1)).astype(np.int64)
    face = bits >> (2 * MAX_LEVEL)
    i, j, orientation = np.zeros_like(bits), np.zeros_like(bits), face & _SWAPPED
    for shift in range(MAX_LEVEL - _STEP, -1, -_STEP):
        digits = (bits >> (2 * shift)) & ((1 << (2 * _STEP)) - 1)
        found = _IJ[digits << 2 | orientation].astype(np.int64)
        i = i << _STEP | found >> (_STEP + 2)
        j = j << _STEP | found >> 2 & _MASK
        orientation = found & 3
    return face, i, j


# --- the sphere and the cube -----------------------------------------------------------------

# A face has one axis of the sphere as its normal; u and v are the two others, some negated.
#             face  0        1         2         3         4         5
# normal          x        y         z        -x        -y        -z
# u               y/x     -x/y      -x/z       z/x       z/y      -y/z
# v               z/x      z/y      -y/z       y/x      -x/y      -x/z
U_AXIS: Final = (1, 0, 0, 2, 2, 1)
V_AXIS: Final = (2, 2, 1, 1, 0, 0)
U_SIGN: Final = (1.0, -1.0, -1.0, 1.0, 1.0, -1.0)
V_SIGN: Final = (1.0, 1.0, -1.0, 1.0, -1.0, -1.0)

_Function: TypeAlias = Callable[[Floats], Floats]


def _libm(function: Callable[[float], float]) -> _Function:
    """Return a function of the C library over an array."""
    return lambda values: np.fromiter(map(function, values.tolist()), np.float64, values.size)


_LIBM_SIN, _LIBM_COS = _libm(math.sin), _libm(math.cos)


def _square(u: Floats) -> Floats:
    """Return the quadratic projection of u or v in -1..1 to 0..2^30, the leaf cells of an edge.

    Scaling by a power of two is exact, so this is floor's argument in S2's own order of operations.
    """
    root = np.abs(u)
    root *= 3.0
    root += 1.0
    np.sqrt(root, out=root)
    root *= 0.5
    np.subtract(1.0, root, out=root, where=u < 0)
    root *= SIDE
    return root


def _project(
    latitudes: Floats, longitudes: Floats, sin: _Function, cos: _Function
) -> tuple[Integers, Floats, Floats]:
    """Return the face and the place on it, in leaf cells from its corner, of points in degrees."""
    phi, theta = latitudes * _RADIANS, longitudes * _RADIANS
    xyz = np.empty((3, phi.size))
    x, y, z = xyz
    cos_phi = cos(phi)
    np.multiply(cos(theta), cos_phi, out=x)
    np.multiply(sin(theta), cos_phi, out=y)
    z[:] = sin(phi)
    # The largest component is the face's normal; of equal ones the later axis wins.
    size = np.abs(xyz)
    axis = np.where(size[0] > size[1], 0, 1)
    axis[size[2] >= np.maximum(size[0], size[1])] = 2
    columns = np.arange(phi.size)
    flat = xyz.ravel()
    axis *= phi.size
    axis += columns
    normal = flat.take(axis, mode="clip")
    axis //= phi.size
    face = axis
    face[normal < 0] += 3
    u = flat.take(np.array(U_AXIS)[face] * phi.size + columns, mode="clip")
    u *= np.array(U_SIGN)[face]
    u /= normal
    v = flat.take(np.array(V_AXIS)[face] * phi.size + columns, mode="clip")
    v *= np.array(V_SIGN)[face]
    v /= normal
    return face, _square(u), _square(v)


def _leaves(
    latitudes: Floats, longitudes: Floats, sin: _Function = np.sin, cos: _Function = np.cos
) -> Ids:
    """Return the leaf cells of a block of valid points."""
    face, s, t = _project(latitudes, longitudes, sin, cos)
    off_edge = np.minimum(np.abs(s - np.rint(s)), np.abs(t - np.rint(t)))
    again = np.flatnonzero(off_edge < _NEAR_EDGE)
    if again.size:
        face[again], s[again], t[again] = _project(
            latitudes[again], longitudes[again], _LIBM_SIN, _LIBM_COS
        )
    i, j = s.astype(np.int64), t.astype(np.int64)
    np.clip(i, 0, SIDE - 1, out=i)
    np.clip(j, 0, SIDE - 1, out=j)
    return _encode(face, i, j)


# --- points to ids ---------------------------------------------------------------------------


def coordinates(latitudes: ArrayLike, longitudes: ArrayLike) -> tuple[Floats, Floats]:
    """Return degrees as two arrays of one length, shape (N,).

    :raises RecipeError: for arrays that are not numbers or not of one length.
    """
    try:
        lat = np.asarray(latitudes, dtype=np.float64)
        lon = np.asarray(longitudes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"coordinates are not numbers ({error})", action="Pass degrees, NaN where unknown"
        ) from error
    if lat.ndim != 1 or lat.shape != lon.shape:
        raise RecipeError(
            f"latitudes have the shape {lat.shape} and longitudes {lon.shape}",
            action="Pass two one-dimensional arrays of the same length",
        )
    return lat, lon


def check_level(level: int, name: str = "level") -> None:
    """Refuse a level that S2 does not have.

    :raises RecipeError: if it is not a whole number from 0 to 30.
    """
    if not 0 <= level <= MAX_LEVEL or level != int(level):
        raise RecipeError(
            f"{name} is {level}, and S2 has the levels 0 to {MAX_LEVEL}",
            action=f"Choose {name} from 0 to {MAX_LEVEL}",
        )


def valid(latitudes: ArrayLike, longitudes: ArrayLike) -> Bools:
    """Tell which pairs are coordinates on Earth.

    :param latitudes: degrees, shape (N,).
    :param longitudes: degrees, shape (N,).
    :return: shape (N,), true where both are finite, the latitude within -90 to 90 and the longitude
        within -180 to 180.
    :raises RecipeError: for arrays that are not numbers or not of one length.

    >>> valid([52.5, 91.0, float("nan")], [13.4, 0.0, 0.0]).tolist()
    [True, False, False]
    """
    lat, lon = coordinates(latitudes, longitudes)
    on_earth: Bools = (np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0)  # NaN is not <= anything
    return on_earth


def cell_ids(latitudes: ArrayLike, longitudes: ArrayLike, level: int = MAX_LEVEL) -> Ids:
    """Return the S2 cell that each point lies in.

    :param latitudes: degrees, shape (N,).
    :param longitudes: degrees, shape (N,).
    :param level: 0 (a face of the cube) to 30 (a leaf, about a centimetre).
    :return: shape (N,); 0, which is no cell, where :func:`valid` is false.
    :raises RecipeError: for a level that S2 does not have, or arrays of different length.

    >>> [hex(i) for i in cell_ids([52.52437, -90.0], [13.41053, 0.0], level=10).tolist()]
    ['0x47a84f0000000000', '0xb000010000000000']
    """
    lat, lon = coordinates(latitudes, longitudes)
    check_level(level)
    ids = np.empty(lat.size, dtype=np.uint64)
    for start in range(0, lat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        on_earth = valid(lat[block], lon[block])
        if on_earth.all():
            ids[block] = _leaves(lat[block], lon[block])
        else:
            ids[block] = 0
            ids[block][on_earth] = _leaves(lat[block][on_earth], lon[block][on_earth])
        if level < MAX_LEVEL:
            ids[block] = np.where(on_earth, ancestors(ids[block], level), np.uint64(0))
    return ids


def s2cell(latitude: float, longitude: float, level: int) -> str:
    """Return the token of the S2 cell that one point lies in: the SPARQL function mlmf:s2cell.

    :param latitude: degrees, -90 to 90.
    :param longitude: degrees, -180 to 180.
    :param level: 0 to 30.
    :raises ValueError: for what is not a number, a coordinate or a level; in SPARQL the value is
        then unbound.

    >>> s2cell(52.52437, 13.41053, 10)
    '47a84f'
    """
    # In plain floats: 4 us a point, where arrays of one take 100.
    try:
        phi, theta = float(latitude) * _RADIANS, float(longitude) * _RADIANS
        on_earth = abs(float(latitude)) <= 90.0 and abs(float(longitude)) <= 180.0
        has_level = 0 <= level <= MAX_LEVEL and level == int(level)
    except TypeError as error:
        raise ValueError(f"not numbers: {latitude!r}, {longitude!r}, {level!r}") from error
    if not on_earth:
        raise ValueError(f"not a coordinate: latitude {latitude!r}, longitude {longitude!r}")
    if not has_level:
        raise ValueError(f"not an S2 level, 0 to {MAX_LEVEL}: {level!r}")
    cos_phi = math.cos(phi)
    xyz = (math.cos(theta) * cos_phi, math.sin(theta) * cos_phi, math.sin(phi))
    x, y, z = abs(xyz[0]), abs(xyz[1]), abs(xyz[2])
    axis = 2 if z >= x and z >= y else 0 if x > y else 1
    normal = xyz[axis]
    face = axis if normal > 0 else axis + 3
    i = _leaf_index(U_SIGN[face] * xyz[U_AXIS[face]] / normal)
    j = _leaf_index(V_SIGN[face] * xyz[V_AXIS[face]] / normal)
    cell, orientation = face, face & _SWAPPED
    for shift in range(MAX_LEVEL - _STEP, -1, -_STEP):
        digits = (i >> shift & _MASK) << _STEP | (j >> shift & _MASK)
        found = _POSITION_LIST[digits << 2 | orientation]
        cell, orientation = cell << (2 * _STEP) | found >> 2, found & 3
    below = 2 * (MAX_LEVEL - int(level))
    return f"{(cell >> below << 1 | 1) << below:016x}".rstrip("0")


def _leaf_index(u: float) -> int:
    s = 0.5 * math.sqrt(1.0 + 3.0 * u) if u >= 0 else 1.0 - 0.5 * math.sqrt(1.0 - 3.0 * u)
    return max(0, min(SIDE - 1, int(s * SIDE)))


# --- ids to levels and tokens ----------------------------------------------------------------


def lowest_bit(ids: Ids) -> Ids:
    """Return the lowest set bit of each id: half the width of the range of leaves below it."""
    return ids & (~ids + np.uint64(1))


def checked(ids: ArrayLike) -> Ids:
    """Return the ids as an array, all of them cells."""
    given = np.asarray(ids, dtype=np.uint64).ravel()
    lowest = lowest_bit(given)
    # The one behind the position stands at an even place, and there are six faces.
    cells_ = (lowest & np.uint64(0x1555555555555555) != 0) & (given >> np.uint64(61) < 6)
    if not cells_.all():
        place = int(np.argmin(cells_))
        raise RecipeError(
            f"{int(given[place]):#018x}, number {place}, is not an S2 cell id",
            action="Pass ids that cell_ids, parents or from_tokens returned, without 0",
        )
    return given


def ancestors(ids: Ids, level: int) -> Ids:
    """Return the cells of a level above ids that are known to be as deep or deeper; unchecked."""
    lowest = np.uint64(1 << (2 * (MAX_LEVEL - level)))
    return (ids & (~lowest + np.uint64(1))) | lowest


def levels(ids: ArrayLike) -> NDArray[np.uint8]:
    """Return the level of each cell.

    :param ids: S2 cell ids, shape (C,).
    :return: 0 to 30, shape (C,).
    :raises RecipeError: for a number that is not a cell.

    >>> levels(from_tokens(["3", "47a84f"])).tolist()
    [0, 10]
    """
    _, exponent = np.frexp(lowest_bit(checked(ids)).astype(np.float64))  # exact: a power of two
    return (MAX_LEVEL - (exponent - 1) // 2).astype(np.uint8)


def parents(ids: ArrayLike, level: int) -> Ids:
    """Return the cell of a level that each cell lies in.

    :param ids: S2 cell ids, shape (C,), none of them coarser than ``level``.
    :param level: 0 to 30.
    :raises RecipeError: for a number that is not a cell, a level that S2 does not have, or a cell
        that is larger than those of the level.

    >>> tokens(parents(from_tokens(["47a84f"]), 2))
    ['47']
    """
    given = checked(ids)
    check_level(level)
    if given.size and int(levels(given).min()) < level:
        raise RecipeError(
            f"a cell of level {levels(given).min()} has no parent of level {level}",
            action="Choose a level that no cell is coarser than",
        )
    return ancestors(given, level)


def tokens(ids: ArrayLike) -> list[str]:
    """Return the S2 token of each cell: its id in hexadecimal without the zeros at the end.

    :param ids: S2 cell ids, shape (C,).
    :raises RecipeError: for a number that is not a cell.
    """
    digits = checked(ids).astype(">u8").tobytes().hex()
    return [digits[k : k + 16].rstrip("0") for k in range(0, len(digits), 16)]


def from_tokens(tokens: Sequence[str]) -> Ids:
    """Return the cells that S2 tokens name; the inverse of :func:`tokens`.

    :param tokens: 1 to 16 hexadecimal digits each.
    :raises RecipeError: for a string that is not the token of a cell.
    """
    ids = []
    for token in tokens:
        if not _TOKEN.fullmatch(token):
            raise RecipeError(f"{token!r} is not an S2 token", action="Pass 1 to 16 hexadecimal digits")
        ids.append(int(token.ljust(16, "0"), 16))
    return checked(np.array(ids, dtype=np.uint64))
