"""How pictures look: colours, type, and maps with coastlines.

Colours are Okabe and Ito's, which people with any colour vision tell apart. Nothing here depends on
the machine's own matplotlib settings or on the hour, so the same figures are the same bytes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"
SKY, PINK, INK, PALE = "#56B4E9", "#CC79A7", "#222222", "#e8e8e8"
SEA, LAND, LAKE, COAST, BORDER = "#dde8f0", "#fbf9f3", "#eef3f7", "#666666", "#aaaaaa"
STYLE: Final = {
    "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 11,
    "axes.titlelocation": "left", "figure.dpi": 120, "legend.frameon": False,
    "savefig.bbox": "tight",
}  # fmt: skip
#: Few to many, on land and sea: light orange, vermilion, nearly black.
DENSITY: Final = LinearSegmentedColormap.from_list(
    "density", ["#f5cf7e", ORANGE, RED, "#8a2f00", "#2b0d00"]
)
#: The same for areas, through which coastlines are seen.
FILL: Final = LinearSegmentedColormap.from_list("fill", ["#fae6b4", "#f5cf7e", ORANGE, RED, "#a63c00"])
#: The height of a map for a width of 1, at least and at most.
FLATTEST, TALLEST = 0.35, 1.5
#: South, north, west, east, in degrees.
Bounds = tuple[float, float, float, float]


@contextmanager
def settings() -> Iterator[None]:
    """Draw with this style alone, whatever a matplotlibrc says; labels are text, never TeX."""
    with mpl.rc_context(), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes, and stands on the page in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams.update({**STYLE, "text.parse_math": False, "figure.dpi": 150})
        yield


def save(figure: Figure, path: Path) -> tuple[int, int]:
    """Write a picture without the date and the software that made it; return its size in pixels."""
    figure.savefig(path, metadata={"Software": None}, facecolor="white")
    with Image.open(path) as picture:
        return picture.size


def bounds(places: np.ndarray) -> Bounds:
    """Return south, north, west, east around nearly all places, with a margin; remote islands may
    fall outside.

    :param places: latitude and longitude in degrees, shape (n, 2); one of them at least is a number.
    """
    places = places[np.isfinite(places).all(axis=1)]
    south, north = np.quantile(places[:, 0], [0.002, 0.998])
    west, east = np.quantile(places[:, 1], [0.002, 0.998])
    pad_lat, pad_lon = 0.06 * (north - south) + 1, 0.06 * (east - west) + 1
    south, north, west, east = south - pad_lat, north + pad_lat, west - pad_lon, east + pad_lon
    # A strip is shown with what lies beside it.
    wider = max(0.0, height((south, north, west, east)) / TALLEST - 1) * (east - west) / 2
    higher = max(0.0, FLATTEST / height((south, north, west, east)) - 1) * (north - south) / 2
    return (
        float(np.clip(south - higher, -89, 88)), float(np.clip(north + higher, -88, 89)),
        float(max(-180, west - wider)), float(min(180, east + wider)),
    )  # fmt: skip


def _stretch(around: Bounds) -> float:
    """Return how much longer a degree of latitude is drawn than one of longitude."""
    return 1 / math.cos(math.radians(min(70, abs(around[0] + around[1]) / 2)))


def height(around: Bounds) -> float:
    """Return a map's height for a width of 1."""
    return (around[1] - around[0]) * _stretch(around) / (around[3] - around[2])


@lru_cache(maxsize=2)
def _earth(around: Bounds) -> Any:
    from mpl_toolkits.basemap import Basemap

    extent = max(around[1] - around[0], around[3] - around[2])
    detail, least = ("c", None) if extent > 120 else ("l", None) if extent > 10 else ("i", 1)
    return Basemap(
        projection="cyl", resolution=detail, area_thresh=least, fix_aspect=False,
        llcrnrlat=around[0], urcrnrlat=around[1], llcrnrlon=around[2], urcrnrlon=around[3],
    )  # fmt: skip


def ground(axes: Axes, around: Bounds) -> None:
    """Draw land, sea, coastlines and borders under a map, and set its limits and its shape."""
    earth = _earth(around)
    earth.drawmapboundary(ax=axes, fill_color=SEA, color=SEA, linewidth=0, zorder=0)
    earth.fillcontinents(ax=axes, color=LAND, lake_color=LAKE, zorder=1)
    earth.drawcoastlines(ax=axes, linewidth=0.4, color=COAST, zorder=2)
    earth.drawcountries(ax=axes, linewidth=0.3, color=BORDER, zorder=2)
    axes.set_aspect(_stretch(around))
