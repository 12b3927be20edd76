"""The tables of an export, as Arrow: one per query of ``export/``, some thousand entities at a time.

The queries say what a table holds. Asked for a batch of entities each, in the order of their IRIs,
they need the memory of a batch however many entities there are, and their rows come sorted. (One
query for all took the same time on 34,000 entities.) Done here because SPARQL says it badly: points
become latitude and longitude, IRIs of our own individuals become their names, rows are sorted
(ORDER BY on 266,000 rows added 21 s to a query, Arrow sorts them in a fraction of one).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import NamedNode, QuerySolutions

from mlmkg.catalog import Catalog, QueryFile
from mlmkg.computed import coordinates
from mlmkg.errors import ExportError
from mlmkg.export import columns
from mlmkg.pipeline import IMPORTED
from mlmkg.results import read_table as read_answer
from mlmkg.sparql import bind
from mlmkg.store import GraphStore, graph_iri
from mlmkg.vocab import MLM

#: Entities asked for at a time. (1,000 cost a tenth more, 30,000 gained nothing.)
BATCH: Final = 10_000
#: The parameter that a batch is bound to.
ENTITY: Final = "entity"
#: Table -> the column of ``entities`` that counts its rows; a modality that is missing has 0 there.
COUNTED: Final = {"images": "image_count", "summaries": "summary_count", "classes": "class_count"}


@dataclass(frozen=True)
class Reader:
    """Reads the tables of a query set.

    :param store: what they are read from.
    :param catalog: the queries.
    """

    store: GraphStore
    catalog: Catalog
    _types: dict[str, dict[str, pa.DataType]] = field(default_factory=dict)

    @cached_property
    def _has_strangers(self) -> bool:
        """Whether the store holds what no step of this query set has made of the source."""
        graphs = self.store.graphs()
        ours = graph_iri(self.catalog.name, "")
        return IMPORTED in graphs or not all(iri.startswith(ours) for iri in graphs.values())

    def batched(self, kind: str = "export") -> list[QueryFile]:
        """Return the queries that are asked for batches of entities."""
        return [query for query in self.catalog.of_kind(kind) if ENTITY in query.parameters]

    def batches(self, entities: pa.Array) -> Iterator[dict[str, pa.Table]]:
        """Yield the tables of one batch after the other.

        Who has no row in the table of entities (no place, no split) has none in the others.

        :param entities: (N,) IRIs, sorted.
        :raises ExportError: if a query does not select ``?entity`` first, or a column changes its type.
        """
        for start in range(0, len(entities), BATCH):
            part = entities.slice(start, BATCH)
            tables = {query.name: self.read(query, part) for query in self.batched()}
            whole = "entities" not in tables or tables["entities"].num_rows == len(part)
            yield tables if whole else _of_described(tables)

    def whole(self) -> dict[str, pa.Table]:
        """Return the tables that are not about entities, such as the cells of the store."""
        return {
            query.name: self.read(query)
            for query in self.catalog.of_kind("export") if ENTITY not in query.parameters
        }  # fmt: skip

    def answer(self, query: QueryFile, entities: pa.Array | None = None) -> QuerySolutions:
        """Evaluate a query.

        Beside an import, or the graphs of another set, which may say the same again, it sees the graphs
        that it declares alone; else the union of all, which took 78 s where those took 107.
        """
        text = query.text
        if entities is not None:
            nodes = [NamedNode(iri) for iri in entities.to_pylist()]
            text = bind(text, {ENTITY: nodes}, query.path)
        graphs = None
        if self._has_strangers and query.reads:
            graphs = [graph_iri(self.catalog.name, name) for name in query.reads]
        answer = self.store.query(text, graphs=graphs)
        if not isinstance(answer, QuerySolutions):
            raise TypeError("an export query is a SELECT")
        return answer

    def read(self, query: QueryFile, entities: pa.Array | None = None) -> pa.Table:
        """Return one table, of some entities or of the whole store.

        :raises ExportError: as :meth:`batches`.
        """
        answer = self.answer(query, entities)
        names = [variable.value for variable in answer.variables]
        if query.kind == "export" and (names[0] == ENTITY) != (ENTITY in query.parameters):
            raise ExportError(
                f"the first column is {names[0]!r}, and the parameters are "
                f"{', '.join(query.parameters) or 'none'}", where=query.path,
                action="A table of entities selects ?entity first and has a parameter `entity` (see "
                "export/classes.rq); a table of other things has neither",
            )  # fmt: skip
        known = {**self._types.get(query.short_path, {}), **columns.types(names)}
        try:
            found = read_answer(answer, known)
        except pa.ArrowInvalid as error:
            raise ExportError(
                f"a column changes its type: {error}", where=query.path,
                action="Select STR(?variable), so that all of it is text",
            ) from None  # fmt: skip
        if found.num_rows:
            kinds = zip(found.column_names, found.schema.types, strict=True)
            self._types.setdefault(query.short_path, dict(kinds))
        return _sorted(_points_to_numbers(_names_of_ours(found)))


def _of_described(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return a batch without the rows of entities that the table of entities leaves out."""
    there = tables["entities"]["entity"].combine_chunks()
    return {
        name: table if name == "entities" else table.filter(pc.is_in(table["entity"], there))
        for name, table in tables.items()
    }


def with_counts(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return a batch whose entities say how many images, summaries and classes they have."""
    if "entities" not in tables:
        return dict(tables)
    entities = tables["entities"]
    for name, column in COUNTED.items():
        if name in tables:
            places = pc.index_in(tables[name]["entity"], entities["entity"].combine_chunks())
            counts = np.bincount(places.drop_null().to_numpy(), minlength=entities.num_rows)
            entities = entities.append_column(column, pa.array(counts.astype(np.int64)))
    return {**tables, "entities": entities}


def with_splits(tables: Mapping[str, pa.Table], splits: Mapping[str, str]) -> dict[str, pa.Table]:
    """Return a batch whose entities are in other splits.

    :param splits: entity -> split.
    """
    entities = tables["entities"]
    parts = pa.array([splits[name] for name in entities["entity"].to_pylist()], pa.string())
    place = entities.column_names.index("split")
    return {**tables, "entities": entities.set_column(place, "split", parts)}


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
    return table.sort_by(keys) if table.num_rows and keys else table
