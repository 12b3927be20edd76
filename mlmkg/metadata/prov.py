"""PROV-O: how everything came about, as Turtle for people and for other tools.

The store's provenance graph enters whole; added is what stands elsewhere: training runs and their
predictions, the versions they used, the exports, and who answers for the dataset. The same store gives
the same bytes. Terms: https://www.w3.org/TR/prov-o/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyoxigraph as ox

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.terms import METADATA_PREFIXES
from mlmkg.store import PROVENANCE
from mlmkg.vocab import (
    AGENT,
    DCT,
    FOAF,
    GRAPH,
    MLM,
    MLS,
    PLAN,
    PREDICTION,
    PROV,
    RDF,
    RDFS,
    RUN,
    VERSION,
)

#: Short names for what only a provenance graph is full of.
_PREFIXES: Final = {
    **METADATA_PREFIXES, "graph": str(GRAPH), "agent": str(AGENT), "plan": str(PLAN),
    "run": str(RUN), "prediction": str(PREDICTION), "version": str(VERSION),
}  # fmt: skip
_A: Final = ox.NamedNode(RDF.type)
_ENTITY: Final = ox.NamedNode(PROV.Entity)
_DERIVED: Final = ox.NamedNode(PROV.wasDerivedFrom)
_GENERATED: Final = ox.NamedNode(PROV.wasGeneratedBy)
_USED: Final = ox.NamedNode(PROV.used)
_ASSOCIATED: Final = ox.NamedNode(PROV.wasAssociatedWith)


def prov(store: ox.Store, dataset: Dataset) -> bytes:
    """Return the provenance of everything as Turtle, sorted."""
    triples = {
        *_recorded(store, dataset), *_runs(store), *_exports(dataset), *_responsible(dataset),
    }  # fmt: skip
    rows = sorted(triples, key=lambda t: (str(t.subject), str(t.predicate), str(t.object)))
    iris = {getattr(term, "value", "") for row in rows for term in row}
    iris |= {row.object.datatype.value for row in rows if isinstance(row.object, ox.Literal)}
    used = {
        prefix: namespace
        for prefix, namespace in sorted(_PREFIXES.items())
        if any(iri.startswith(namespace) for iri in iris)
    }
    return ox.serialize(rows, format=ox.RdfFormat.TURTLE, prefixes=used) or b""


def _recorded(store: ox.Store, dataset: Dataset) -> Iterator[ox.Triple]:
    for graph in dataset.inventory.graphs:
        if graph.name == PROVENANCE:
            for quad in store.quads_for_pattern(None, None, None, ox.NamedNode(graph.iri)):
                yield quad.triple


def _runs(store: ox.Store) -> Iterator[ox.Triple]:
    """Yield the training runs, the versions they used and the predictions they made."""
    for found in store.quads_for_pattern(None, _A, ox.NamedNode(MLS.Run), None):
        run = found.subject
        for quad in store.quads_for_pattern(run, None, None, found.graph_name):
            if quad.predicate.value in PROV or quad.predicate in (_A, ox.NamedNode(RDFS.label)):
                yield quad.triple
            if isinstance(quad.object, ox.NamedNode) and quad.predicate == _USED:
                yield from _version(store, quad.object, quad.graph_name)
            if isinstance(quad.object, ox.NamedNode) and quad.predicate == _ASSOCIATED:
                yield ox.Triple(quad.object, _A, ox.NamedNode(PROV.SoftwareAgent))
        for quad in store.quads_for_pattern(None, _GENERATED, run, None):
            yield quad.triple
            yield ox.Triple(quad.subject, _A, _ENTITY)
            for kind in store.quads_for_pattern(quad.subject, _A, None, quad.graph_name):
                yield kind.triple


def _version(store: ox.Store, version: ox.NamedNode, graph: object) -> Iterator[ox.Triple]:
    """Yield a version that a run used: what the graph of its name says."""
    yield ox.Triple(version, _A, _ENTITY)
    if isinstance(graph, ox.NamedNode) and version.value in VERSION:
        query_set = graph.value.removeprefix(str(GRAPH)).partition("/")[0]
        members = ox.NamedNode(GRAPH[f"{query_set}/{version.value.removeprefix(str(VERSION))}"])
        if store.contains_named_graph(members):
            yield ox.Triple(version, _DERIVED, members)


def _exports(dataset: Dataset) -> Iterator[ox.Triple]:
    """Yield the exports, derived from those graphs that are what they were then."""
    current = {graph.iri: graph.checksum for graph in dataset.inventory.graphs}
    for export in dataset.inventory.exports:
        node = ox.NamedNode(dataset.export(export))
        yield ox.Triple(node, _A, _ENTITY)
        yield ox.Triple(node, ox.NamedNode(DCT.title), ox.Literal(export.title, language="en"))
        yield ox.Triple(node, ox.NamedNode(MLM.sha256), ox.Literal(export.key))
        for iri, checksum in export.graphs.items():
            if current.get(iri) == checksum:
                yield ox.Triple(node, _DERIVED, ox.NamedNode(iri))


def _responsible(dataset: Dataset) -> Iterator[ox.Triple]:
    """Yield the dataset, its graphs and origins, and the people it is attributed to."""
    node = ox.NamedNode(dataset.iri)
    yield ox.Triple(node, _A, _ENTITY)
    yield ox.Triple(node, ox.NamedNode(DCT.title), ox.Literal(dataset.title, language="en"))
    for graph in dataset.inventory.graphs:
        if graph.name != PROVENANCE:
            yield ox.Triple(node, ox.NamedNode(PROV.hadMember), ox.NamedNode(graph.iri))
    yield ox.Triple(node, _A, ox.NamedNode(PROV.Collection))
    given = dataset.description
    if given.previous:
        earlier = ox.NamedNode(given.previous.iri)
        yield ox.Triple(earlier, _A, _ENTITY)
        yield ox.Triple(node, ox.NamedNode(PROV.wasRevisionOf), earlier)
    for number, who in enumerate(given.creators, start=1):
        agent = ox.NamedNode(who.iri or dataset.part(f"creator-{number}"))
        kind = {True: PROV.Person, False: PROV.Organization, None: PROV.Agent}[who.person]
        yield ox.Triple(agent, _A, ox.NamedNode(kind))
        yield ox.Triple(agent, ox.NamedNode(FOAF.name), ox.Literal(who.name))
        yield ox.Triple(node, ox.NamedNode(PROV.wasAttributedTo), agent)
