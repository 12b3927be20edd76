"""The smallest things that metadata speak of: a file, a box on the globe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file that can be handed out.

    :param path: relative to the workspace, with slashes.
    :param bytes: its size.
    :param sha256: of its bytes as they are on disk, hexadecimal.
    """

    path: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """The name without the folder."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Box:
    """A bounding box in degrees.

    >>> Box(-9.1, 36.0, 28.2, 60.2).wkt
    'POLYGON((-9.1 36.0,28.2 36.0,28.2 60.2,-9.1 60.2,-9.1 36.0))'
    """

    west: float
    south: float
    east: float
    north: float

    @property
    def wkt(self) -> str:
        """The box as WKT, longitude first."""
        w, s, e, n = self.west, self.south, self.east, self.north
        return f"POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"

    @property
    def centre(self) -> str:
        """The middle of the box as WKT, longitude first."""
        return f"POINT({(self.west + self.east) / 2:.5f} {(self.south + self.north) / 2:.5f})"
