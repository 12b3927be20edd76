"""The links of a version: the triples of its graph that embeddings are trained on, by ``links/``.

A version's entities enter, tables of ``head``, ``relation``, ``tail`` leave: those of the entities
batch by batch, then those among other things. Which relations say where something lies, and whose
links of that kind must not be seen, is decided here, for the exports and for what is trained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mlmkg.errors import ExportError
from mlmkg.export.tables import BATCH, Reader
from mlmkg.store import graph_iri
from mlmkg.vocab import DCT, MLM, PROV, WDT

COLUMNS: Final = ("head", "relation", "tail")
#: Relations that are known not to state a place: instance of, subclass of. Whatever else a query of
#: ``links/`` yields counts as one that may.
PLACELESS: Final = frozenset({WDT.P31, WDT.P279})
#: What a model is asked for itself.
ASKED: Final = frozenset({MLM.cell})
_SCHEMA: Final = pa.schema([(name, pa.string()) for name in COLUMNS])


def links_of(reader: Reader, entities: pa.Array) -> Iterator[pa.Table]:
    """Yield the links of some thousand entities, a table a query.

    :param entities: (n,) IRIs, sorted.
    :raises ExportError: if a query selects something else.
    """
    for query in reader.batched("links"):
        yield _checked(reader.read(query, entities), str(query.path))


def links_among_others(reader: Reader) -> Iterator[pa.Table]:
    """Yield the links that are not of entities, a table a query."""
    batched = {query.name for query in reader.batched("links")}
    for query in reader.catalog.of_kind("links"):
        if query.name not in batched:
            yield _checked(reader.read(query), str(query.path))


def all_links(reader: Reader, entities: pa.Array) -> pa.Table:
    """Return all links of a version, each once, sorted.

    :param entities: (N,) IRIs, sorted.
    """
    parts = [
        table
        for start in range(0, len(entities), BATCH)
        for table in links_of(reader, entities.slice(start, BATCH))
    ]
    whole = pa.concat_tables([_SCHEMA.empty_table(), *parts, *links_among_others(reader)])
    each = whole.group_by(list(COLUMNS)).aggregate([]).select(list(COLUMNS))
    return each.sort_by([(name, "ascending") for name in COLUMNS])


def placeless(links: pa.Table) -> pa.Table:
    """Return the links that do not say where something lies."""
    return links.filter(pc.is_in(links["relation"], pa.array(sorted(PLACELESS))))


def without_places_of(
    links: pa.Table, held_out: Collection[str] | pa.Array, kept: Collection[str] = PLACELESS
) -> pa.Table:
    """Return the links without those that say where one of ``held_out`` lies, from either end.

    :param held_out: IRIs of the entities of validation and test. A link that *leads to* one counts: a
        village in a town puts the town where the village's cell is.
    :param kept: relations that stay whoever they link.
    """
    hidden = pa.array(held_out, pa.string())
    ends = pc.or_(pc.is_in(links["head"], hidden), pc.is_in(links["tail"], hidden))
    states = pc.invert(pc.is_in(links["relation"], pa.array(sorted(kept), pa.string())))
    return links.filter(pc.invert(pc.and_(ends, states)))


def without_answers_of(links: pa.Table, held_out: pa.Array) -> pa.Table:
    """Return the links without the answers to what a model is asked for of ``held_out``."""
    states = pc.is_in(links["relation"], pa.array(sorted(ASKED)))
    return links.filter(pc.invert(pc.and_(pc.is_in(links["head"], held_out), states)))


def licences(reader: Reader) -> list[str]:
    """Return the licences of the origins that the graphs of the links were read from."""
    read = {name for query in reader.catalog.of_kind("links") for name in query.reads}
    graphs = " ".join(f"<{graph_iri(reader.catalog.name, name)}>" for name in sorted(read))
    rows = reader.store.rows(
        f"SELECT DISTINCT ?licence WHERE {{ VALUES ?graph {{ {graphs} }} "
        f"?graph <{PROV.wasGeneratedBy}>/<{PROV.used}> ?origin . ?origin <{DCT.license}> ?licence }}"
    )
    return sorted(row[0] for row in rows)


def _checked(links: pa.Table, where: str) -> pa.Table:
    if links.column_names != list(COLUMNS):
        raise ExportError(
            f"selects {', '.join(links.column_names)}", where=where,
            action="Select ?head ?relation ?tail",
        )  # fmt: skip
    return links.cast(_SCHEMA)
