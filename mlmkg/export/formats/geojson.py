"""GeoJSON (RFC 7946): the entities as points and the geo cells as polygons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

import numpy as np
import orjson
import pyarrow as pa
import shapely

from mlmkg.export.formats import Form

_HEAD: Final = b'{"type":"FeatureCollection","features":[\n'
_PLACES: Final = ("latitude", "longitude", "polygon")


class GeoJson(Form):
    """Writes ``entities.geojson`` and ``cells.geojson``, one feature a line."""

    def begin(self) -> None:
        """Begin the entities' file."""
        self._entities = _Collection(self.open("entities.geojson"))

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Write a batch."""
        entities = tables["entities"]
        points = shapely.points(entities["longitude"].to_numpy(), entities["latitude"].to_numpy())
        self._entities.add(points, entities)

    def finish(self, whole: Mapping[str, pa.Table]) -> None:
        """Write the cells."""
        if "cells" in whole:
            cells = _Collection(self.open("cells.geojson"))
            # The outer ring against the clock, as the RFC wants it.
            outlines = shapely.from_wkt(whole["cells"]["polygon"].to_pylist())
            cells.add(shapely.orient_polygons(outlines), whole["cells"])
            cells.close()
        self._entities.close()


class _Collection:
    """A FeatureCollection that grows."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._between = stream, b""
        stream.write(_HEAD)

    def add(self, shapes: np.ndarray, table: pa.Table) -> None:
        for feature in _features(shapes, table):
            self._stream.write(self._between + orjson.dumps(feature))
            self._between = b",\n"

    def close(self) -> None:
        self._stream.write(b"\n]}\n")


def _features(shapes: np.ndarray, table: pa.Table) -> Iterator[dict[str, Any]]:
    properties = table.drop_columns([name for name in _PLACES if name in table.column_names])
    for shape, row in zip(shapes, properties.to_pylist(), strict=True):
        name = row.get("entity") or row.get("iri")
        place = None if shape.is_empty else orjson.Fragment(shapely.to_geojson(shape))
        yield {"type": "Feature", "id": name, "geometry": place, "properties": row}
