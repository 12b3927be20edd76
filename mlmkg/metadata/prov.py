"""PROV-O: the provenance graph, as Turtle for people and for other tools."""

from __future__ import annotations

from typing import Final

import pyoxigraph as ox

from mlmkg.metadata.inventory import Inventory
from mlmkg.metadata.terms import METADATA_PREFIXES
from mlmkg.store import PROVENANCE
from mlmkg.vocab import AGENT, GRAPH, PLAN

#: Short names for what only a provenance graph is full of.
_PREFIXES: Final = {**METADATA_PREFIXES, "graph": str(GRAPH), "agent": str(AGENT), "plan": str(PLAN)}


def prov(store: ox.Store, inventory: Inventory) -> bytes:
    """Return the provenance graph as Turtle, sorted: the same graph gives the same bytes."""
    graphs = [ox.NamedNode(graph.iri) for graph in inventory.graphs if graph.name == PROVENANCE]
    triples = {
        quad.triple for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph)
    }
    rows = sorted(triples, key=lambda t: (str(t.subject), str(t.predicate), str(t.object)))
    iris = {getattr(term, "value", "") for row in rows for term in row}
    iris |= {row.object.datatype.value for row in rows if isinstance(row.object, ox.Literal)}
    used = {
        prefix: namespace
        for prefix, namespace in sorted(_PREFIXES.items())
        if any(iri.startswith(namespace) for iri in iris)
    }
    return ox.serialize(rows, format=ox.RdfFormat.TURTLE, prefixes=used) or b""
