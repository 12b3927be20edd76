"""``--split spatial``: splits that keep whole regions apart, to measure generalisation."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from mlmkg.export.tables import BATCH, Reader
from mlmkg.recipe import SplitSettings
from mlmkg.s2 import cell_ids, parents, tokens
from mlmkg.splits import assign_regions

#: The S2 level of the regions: cells about 600 km across.
REGION_LEVEL: Final = 4


def spatial_splits(reader: Reader, entities: pa.Array, settings: SplitSettings) -> dict[str, str]:
    """Return entity -> split; what lies in one S2 region, or shares an image file, is in one split.

    :param entities: (N,) IRIs, sorted; all of them are looked at at once.
    """
    queries = {query.name: query for query in reader.batched()}
    names: list[str] = []
    regions: list[str] = []
    shared: list[tuple[str, str]] = []
    for start in range(0, len(entities), BATCH):
        part = entities.slice(start, BATCH)
        table = reader.read(queries["entities"], part)
        ids = cell_ids(table["latitude"].to_numpy(), table["longitude"].to_numpy())
        names += table["entity"].to_pylist()
        regions += tokens(parents(ids, REGION_LEVEL))
        if "images" in queries:
            images = reader.read(queries["images"], part)
            shared += zip(images["entity"].to_pylist(), images["sha256"].to_pylist(), strict=True)
    return assign_regions(names, regions, shared, settings)
