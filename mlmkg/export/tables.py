"""The tables of a version, as Arrow: one per query of ``export/``, in a fixed order of rows.

The queries say what a table holds. Three things are done here because SPARQL says them badly:
points become latitude and longitude, IRIs of our own individuals become their names, rows are sorted
(ORDER BY on 266,000 rows added 21 s to a query, Arrow sorts them in a fraction of one).
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import Literal, NamedNode, QuerySolutions

from mlmkg.catalog import Catalog, QueryFile
from mlmkg.computed import coordinates
from mlmkg.errors import ExportError
from mlmkg.results import read_table as read_answer
from mlmkg.sparql import bind
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM, VERSION

#: Columns whose type does not depend on what the first rows hold.
TYPES = {
    "population": pa.int64(), "cell": pa.string(), "label": pa.string(), "hops": pa.int64(),
    "country": pa.string(), "country_label": pa.string(), "continent": pa.string(),
    "entities": pa.int64(), "train": pa.int64(), "val": pa.int64(), "test": pa.int64(),
    "text": pa.string(), "iri": pa.string(), "point": pa.string(), "polygon": pa.string(),
    "sha256": pa.string(), "path": pa.string(), "width": pa.int64(), "height": pa.int64(),
    "byte_size": pa.int64(), "generated": pa.bool_(),
}  # fmt: skip


def read_table(store: GraphStore, query: QueryFile, version: str) -> pa.Table:
    """Return one table of a version.

    :param query: a SELECT of ``export/`` with a parameter ``version``.
    :param version: the version's name.
    :raises ExportError: if the query does not select an ``entity`` or a ``cell``.
    """
    text = bind(query.text, {"version": [NamedNode(VERSION[version])]}, query.path)
    answer = store.query(text)
    if not isinstance(answer, QuerySolutions):
        raise TypeError("an export query is a SELECT")
    names = [variable.value for variable in answer.variables]
    if names[0] not in {"entity", "cell"}:
        raise ExportError(
            f"the first column is {names[0]!r}", where=query.path,
            action="Select ?entity first, or ?cell",
        )  # fmt: skip
    types = {name: kind for name, kind in TYPES.items() if name in names}
    found = read_answer(answer, types)
    return _sorted(_points_to_numbers(_names_of_ours(found)))


def read_tables(
    store: GraphStore, catalog: Catalog, version: str
) -> Iterator[tuple[str, QueryFile, pa.Table]]:
    """Yield (name, query, table) of every export query."""
    for query in catalog.of_kind("export"):
        yield query.name, query, read_table(store, query, version)


def _points_to_numbers(table: pa.Table) -> pa.Table:
    """Replace a column ``point`` (WKT) by ``latitude`` and ``longitude`` in degrees."""
    if "point" not in table.column_names:
        return table
    place = table.column_names.index("point")
    latitudes, longitudes = coordinates(table["point"])
    table = table.set_column(place, "latitude", pa.array(latitudes))
    return table.add_column(place + 1, "longitude", pa.array(longitudes))


def _names_of_ours(table: pa.Table) -> pa.Table:
    """Replace the IRIs of splits by their names."""
    if "split" in table.column_names:
        place = table.column_names.index("split")
        names = pc.replace_substring(table["split"], str(MLM), "")
        table = table.set_column(place, "split", names)
    return table


def _sorted(table: pa.Table) -> pa.Table:
    """Sort by every column of strings from the left, so that the order does not depend on the store."""
    keys = [
        (name, "ascending")
        for name, kind in zip(table.column_names, table.schema.types, strict=True)
        if pa.types.is_string(kind)
    ]
    return table.sort_by(keys) if table.num_rows else table


def version_size(store: GraphStore, version: str) -> int:
    """Return how many entities a version has."""
    (row,) = store.rows(
        f"SELECT (COUNT(?e) AS ?n) WHERE {{ ?e <{MLM.inVersion}> <{VERSION[version]}> }}"
    )
    return int(Literal(row[0]).value)
