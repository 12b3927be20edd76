"""The small nodes of a DCAT-AP description: places, people, licences, concepts, languages.

Each has its class in the same file, as the profile's range shapes ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.description import Agent
from mlmkg.metadata.parts import Box
from mlmkg.metadata.terms import ADMS, VCARD, language, licence_types
from mlmkg.metadata.turtle import Out
from mlmkg.vocab import DCAT, DCT, FOAF, GEO, RDFS, SKOS

if TYPE_CHECKING:
    from rdflib import URIRef


class Nodes(Out):
    """A graph about a dataset, and the nodes that it is put together from."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__()
        self.dataset = dataset

    def place(self, node: URIRef, box: Box | None) -> None:
        """Say where a thing's entities lie."""
        if box:
            place = self.blank(DCT.Location)
            self.say(place, DCAT.bbox, self.typed(box.wkt, GEO.wktLiteral))
            self.say(place, DCAT.centroid, self.typed(box.centre, GEO.wktLiteral))
            self.say(node, DCT.spatial, place)

    def provenance(self) -> URIRef:
        """Return how the dataset was made, in words."""
        node = self.node(self.dataset.part("provenance"), DCT.ProvenanceStatement)
        source = f" from {self.dataset.origins}" if self.dataset.origins else ""
        text = (
            f"Built{source} by {self.dataset.inventory.software[1]}: one query file or module a named "
            "graph. The graph of provenance has the checksum of each, what it used, and when it ran."
        )
        self.say(node, RDFS.label, self.english(text))
        return node

    def publisher(self) -> URIRef:
        """Return the publisher; a catalogue must have one, so if need be the software that wrote it."""
        publisher = self.dataset.description.publisher
        if publisher:
            return self.agent(publisher, "publisher")
        iri, name = self.dataset.inventory.software
        node = self.node(iri, FOAF.Agent)
        label = f"{name} (the software; nobody has been named as the publisher)"
        self.say(node, FOAF.name, self.english(label))
        return node

    def agent(self, agent: Agent, name: str) -> URIRef:
        """Return a person or an organisation."""
        node = self.node(agent.iri or self.dataset.part(name), FOAF.Agent)
        self.say(node, FOAF.name, self.plain(agent.name))
        if agent.person:
            kind = self.concept(ADMS["publishertype/PrivateIndividual(s)"], "Private individual(s)")
            self.say(node, DCT.type, kind)
        if agent.url and agent.url != agent.iri:
            self.say(node, FOAF.homepage, self.node(agent.url, FOAF.Document))
        return node

    def licence(self, iri: str) -> URIRef:
        """Return a licence, with its kind as far as it is known."""
        node = self.node(iri, DCT.LicenseDocument)
        for kind in licence_types(iri):
            name = kind.rpartition("/")[2]
            self.say(node, DCT.type, self.concept(kind, name))
        return node

    def concept(self, iri: str, label: str) -> URIRef:
        """Return a concept of one of the EU's tables."""
        node = self.node(iri, SKOS.Concept)
        self.say(node, SKOS.prefLabel, self.english(label))
        return node

    def contact(self, agent: Agent) -> URIRef:
        """Return whom to ask."""
        node = self.node(self.dataset.part("contact"), VCARD.Kind)
        self.say(node, VCARD.fn, self.plain(agent.name))
        if agent.email:
            self.say(node, VCARD.hasEmail, self.iri(f"mailto:{agent.email}"))
        if agent.url:
            self.say(node, VCARD.hasURL, self.iri(agent.url))
        return node

    def languages(self, node: URIRef, codes: Iterable[str]) -> None:
        """Say in which languages a thing is; those that are not in the EU's table are left out."""
        for code in codes:
            if iri := language(code):
                self.say(node, DCT.language, self.node(iri, DCT.LinguisticSystem))
