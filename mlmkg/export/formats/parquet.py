"""Parquet: one file a table, for everything that reads columns.

``entities.parquet`` and ``cells.parquet`` are GeoParquet 1.1 too: map people open them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlmkg.export.columns import About, described, hub_features
from mlmkg.export.formats import Form, image_bytes
from mlmkg.results import repeating

#: Bytes gathered for a row group: readers are slow with small ones.
ROW_GROUP: Final = 16 << 20
#: Images put into a table at a time.
_IMAGES: Final = 256


class Parquet(Form):
    """Writes the tables as Parquet."""

    needs_files: ClassVar[bool] = True

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Write a batch."""
        for name, table in tables.items():
            if name == "images" and self.setting.pictures == "bytes":
                for part in self._with_pictures(table):
                    self._table(name).add(part)
            else:
                self._table(name).add(with_geometry(table))

    def finish(self, whole: Mapping[str, pa.Table]) -> None:
        """Write the other tables, and the ends of all files."""
        for name, table in whole.items():
            self._table(name).add(with_geometry(table))
        for table in self._tables.values():
            table.close()

    def _table(self, name: str) -> _Table:
        if name not in self._tables:
            path = str(self.setting.folder / f"{name}.parquet")
            about = self.setting.about.get(name, About(name, "", ""))
            self._tables[name] = self.files.enter_context(_Table(path, about))
        return self._tables[name]

    def begin(self) -> None:
        """Begin with no tables."""
        self._tables: dict[str, _Table] = {}

    def _with_pictures(self, images: pa.Table) -> Iterator[pa.Table]:
        """Yield the rows with the image files in them, as ``datasets`` reads them."""
        for start in range(0, max(images.num_rows, 1), _IMAGES):
            part = images.slice(start, _IMAGES)
            named = zip(part["path"].to_pylist(), part["sha256"].to_pylist(), strict=True)
            pictures = [
                {"bytes": image_bytes(self.setting.images, path, checksum), "path": path}
                for path, checksum in named
            ]
            kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            part = part.append_column("picture", pa.array(pictures, kind))
            yield part.replace_schema_metadata(hub_features(part.schema))


class _Table:
    """A Parquet file that grows."""

    def __init__(self, path: str, about: About) -> None:
        self._path, self._about = path, about
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.Table] = []
        self._bytes = 0

    def add(self, table: pa.Table) -> None:
        """Take rows; write them when they make a row group."""
        self._held.append(table)
        self._bytes += table.nbytes
        if self._bytes >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the file's end."""
        if self._held:
            self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _flush(self) -> None:
        table = pa.concat_tables(self._held)
        self._held, self._bytes = [], 0
        schema = described(table.schema, self._about)
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path, schema, compression="zstd", use_dictionary=repeating(table),
                store_schema=True,
            )  # fmt: skip
        table = table.cast(self._writer.schema)
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)

    def __enter__(self) -> _Table:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:  # what failed is thrown away
            self._writer.close()


def with_geometry(table: pa.Table) -> pa.Table:
    """Return a table of places with a column ``geometry``, and the metadata of GeoParquet.

    Its outlines (WKT in ``polygon``) or its points (``latitude``, ``longitude``) as WKB.
    """
    import shapely

    names = set(table.column_names)
    if "polygon" in names:
        shapes, kinds = shapely.from_wkt(table["polygon"].to_pylist()), ["Polygon", "MultiPolygon"]
    elif {"latitude", "longitude"} <= names:
        longitudes, latitudes = (table[n].to_numpy() for n in ("longitude", "latitude"))
        shapes, kinds = shapely.points(longitudes, latitudes), ["Point"]
        shapes[~(np.isfinite(longitudes) & np.isfinite(latitudes))] = None
    else:
        return table
    geometry = pa.array(shapely.to_wkb(shapes, byte_order=1).tolist(), pa.binary())
    geo = {
        "version": "1.1.0", "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": kinds}},
    }  # fmt: skip
    table = table.append_column("geometry", geometry)
    return table.replace_schema_metadata({b"geo": json.dumps(geo).encode()})
