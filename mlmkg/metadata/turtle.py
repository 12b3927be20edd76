"""Builds a small RDF graph in rdflib; writes Turtle and JSON-LD that are the same each time.

rdflib orders what it writes by the names of nodes, so blank nodes are numbered instead of getting the
random names that rdflib gives them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlmkg.metadata.terms import METADATA_PREFIXES
from mlmkg.vocab import RDF, XSD

if TYPE_CHECKING:
    from rdflib import BNode, Literal, URIRef

    Subject = URIRef | BNode
    Object = URIRef | BNode | Literal


class Out:
    """A graph to be written; its terms are made by the methods."""

    def __init__(self) -> None:
        """Start empty, with the project's prefixes."""
        from rdflib import Graph

        self.graph = Graph()
        self._blanks = 0
        for prefix, namespace in METADATA_PREFIXES.items():
            self.graph.bind(prefix, namespace, replace=True)

    def say(self, subject: Subject, predicate: str, value: Object) -> None:
        """Add a triple."""
        self.graph.add((subject, self.iri(predicate), value))

    def iri(self, iri: str) -> URIRef:
        """Return an IRI as a term."""
        from rdflib import URIRef

        return URIRef(iri)

    def node(self, iri: str, cls: str) -> URIRef:
        """Return an IRI that is said to be of a class."""
        node = self.iri(iri)
        self.say(node, RDF.type, self.iri(cls))
        return node

    def blank(self, cls: str | None = None) -> BNode:
        """Return a new blank node; those made first are written first."""
        from rdflib import BNode

        self._blanks += 1
        node = BNode(f"b{self._blanks:07}")
        if cls is not None:
            self.say(node, RDF.type, self.iri(cls))
        return node

    def english(self, text: str) -> Literal:
        """Return an English text as a term."""
        from rdflib import Literal

        return Literal(text, lang="en")

    def plain(self, text: str) -> Literal:
        """Return a text in no language as a term."""
        from rdflib import Literal

        return Literal(text)

    def typed(self, text: str, datatype: str) -> Literal:
        """Return a literal with its text as it is."""
        from rdflib import Literal

        return Literal(text, datatype=self.iri(datatype), normalize=False)

    def number(self, number: int) -> Literal:
        """Return an xsd:integer as a term."""
        return self.typed(str(number), XSD.integer)

    def moment(self, moment: str) -> Literal:
        """Return an xsd:dateTime as a term."""
        return self.typed(moment, XSD.dateTime)

    def turtle(self) -> bytes:
        """Return the graph as Turtle."""
        return self.graph.serialize(format="turtle", encoding="utf-8")

    def jsonld(self) -> bytes:
        """Return the graph as JSON-LD whose context stands in it."""
        context = dict(METADATA_PREFIXES)
        text = self.graph.serialize(format="json-ld", context=context, encoding="utf-8")
        document = {"@context": context, "@graph": _sorted(json.loads(text)["@graph"])}
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _sorted(value: Any) -> Any:
    """Return JSON-LD without RDF lists in an order that does not depend on the run."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=json.dumps)
    return value
