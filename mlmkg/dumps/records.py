"""Takes the provenance graph apart again: which of it is the record of which graph.

A graph's record is what :func:`mlmkg.provenance.record` said of it: the graph, the activity that made
it, with whom and by which plan, and the origins that it used; not what is said of other graphs.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from mlmkg.vocab import MLM

_KEY = f"<{MLM.key}>".encode()


def lines(store: ox.Store, provenance: Iterable[str]) -> list[bytes]:
    """Return the N-Triples lines of provenance graphs.

    :param provenance: their IRIs.
    """
    found: list[bytes] = []
    for iri in provenance:
        text = store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.NamedNode(iri)) or b""
        found += text.splitlines(keepends=True)
    return found


def records(provenance: Iterable[bytes]) -> dict[str, list[bytes]]:
    r"""Return graph IRI -> its record as sorted N-Triples lines.

    >>> key = "<https://w3id.org/mlmkg/ontology#key>"
    >>> found = records(f"<{g}> {key} \"0\" .\n".encode() for g in ("urn:a", "urn:b"))
    >>> found["urn:b"]
    [b'<urn:b> <https://w3id.org/mlmkg/ontology#key> "0" .\n']
    """
    said: dict[bytes, list[tuple[bytes, bytes]]] = {}
    graphs = set()
    for line in provenance:
        subject, predicate, rest = line.split(b" ", 2)
        said.setdefault(subject, []).append((rest[:-3], line))
        if predicate == _KEY:
            graphs.add(subject)
    found = {}
    for graph in sorted(graphs):
        seen, ahead = {graph}, [graph]
        while ahead:
            for term, _ in said[ahead.pop()]:
                if term in said and term not in seen and term not in graphs:
                    seen.add(term)
                    ahead.append(term)
        found[graph[1:-1].decode()] = sorted(line for subject in seen for _, line in said[subject])
    return found
