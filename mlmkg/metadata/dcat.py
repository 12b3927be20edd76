"""DCAT-AP 3: a catalogue entry that European data portals can harvest.

A dataset enters, Turtle or JSON-LD leaves (https://semiceu.github.io/DCAT-AP/releases/3.0.1/). The
catalogue holds the graph, whose distributions are the graph files, and each export, whose distributions
are its tables. Every object has its class in the same file, as the profile's range shapes ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.dcat_nodes import Nodes
from mlmkg.metadata.description import Release
from mlmkg.metadata.exports import Export
from mlmkg.metadata.inventory import Graph as NamedGraph
from mlmkg.metadata.parts import Box, File
from mlmkg.metadata.terms import DCATAP, EU, MEDIA_TYPE, file_form
from mlmkg.vocab import DCAT, DCT, FOAF, PROV, RDF, RDFS, SKOS, SPDX, VOID, XSD

if TYPE_CHECKING:
    from rdflib import URIRef


def dcat(dataset: Dataset) -> bytes:
    """Return the DCAT-AP description as Turtle."""
    return _written(dataset).turtle()


def dcat_jsonld(dataset: Dataset) -> bytes:
    """Return the DCAT-AP description as JSON-LD."""
    return _written(dataset).jsonld()


def _written(dataset: Dataset) -> _Writer:
    writer = _Writer(dataset)
    writer.describe()
    return writer


class _Writer(Nodes):
    """A graph that describes a catalogue, its datasets and their distributions."""

    def describe(self) -> None:
        """Describe everything."""
        given, found = self.dataset.description, self.dataset.inventory
        catalogue = self.node(self.dataset.catalogue, DCAT.Catalog)
        self.say(catalogue, DCT.title, self.english(f"Catalogue of: {self.dataset.title}"))
        text = f"The knowledge graph and its exported versions: {len(found.exports) + 1} datasets."
        self.say(catalogue, DCT.description, self.english(text))
        self.say(catalogue, DCT.publisher, self.publisher())
        self.place(catalogue, found.box)
        if found.modified:
            self.say(catalogue, DCT.modified, self.moment(found.modified))
        if given.issued:
            self.say(catalogue, DCT.issued, self.typed(given.issued.isoformat(), XSD.date))
        if given.landing_page:
            self.say(catalogue, FOAF.homepage, self.node(given.landing_page, FOAF.Document))
        if given.metadata_licence:
            self.say(catalogue, DCT.license, self.licence(given.metadata_licence))
        self.languages(catalogue, ["en"])
        themes = self.node(EU["data-theme"], SKOS.ConceptScheme)
        self.say(themes, DCT.title, self.english("Data theme"))
        self.say(catalogue, DCAT.themeTaxonomy, themes)
        if given.endpoint:
            self.say(catalogue, DCAT.service, self._service(given.endpoint))
        whole = self._whole()
        self.say(catalogue, DCAT.dataset, whole)
        for export in found.exports:
            part = self._export(export)
            self.say(catalogue, DCAT.dataset, part)
            self.say(part, DCT.isPartOf, whole)
            self.say(part, PROV.wasDerivedFrom, whole)
            self.say(whole, DCT.hasPart, part)
        self.say(self.iri(self.dataset.iri), RDF.type, self.iri(VOID.Dataset))

    def _service(self, endpoint: str) -> URIRef:
        node = self.node(self.dataset.part("endpoint"), DCAT.DataService)
        self.say(node, DCT.title, self.english(f"SPARQL endpoint of: {self.dataset.title}"))
        address = self.node(endpoint, RDFS.Resource)
        self.say(node, DCAT.endpointURL, address)
        # Asked nothing, it describes itself: https://www.w3.org/TR/sparql11-service-description/#accessing
        self.say(node, DCAT.endpointDescription, address)
        self.say(node, DCAT.servesDataset, self.iri(self.dataset.iri))
        protocol = self.node("https://www.w3.org/TR/sparql11-protocol/", DCT.Standard)
        self.say(node, DCT.conformsTo, protocol)
        self._findable(node)
        return node

    def _whole(self) -> URIRef:
        found, given = self.dataset.inventory, self.dataset.description
        node = self._described(
            self.dataset.iri, self.dataset.title, self.dataset.text, found.summaries, found.box
        )
        if given.identifier:
            self.say(node, DCT.identifier, self.typed(given.identifier, XSD.anyURI))
        if given.series:
            self._series(node, given.series, given.previous)
        for origin in found.origins:
            source = self.node(origin.iri, PROV.Entity)
            self.say(source, DCT.title, self.english(origin.title))
            self.say(source, DCT.license, self.licence(origin.licence))
            self.say(node, PROV.wasDerivedFrom, source)
        for named in found.graphs:
            if named.file:
                self.say(node, DCAT.distribution, self._graph_file(named, named.file))
        return node

    def _series(self, release: URIRef, iri: str, previous: Release | None) -> None:
        """Say which releases came before: one of them, or none that is known."""
        series = self.node(iri, DCAT.DatasetSeries)
        self.say(series, DCT.title, self.english(f"Releases of: {self.dataset.title}"))
        text = "All releases of the dataset, each complete in itself."
        self.say(series, DCT.description, self.english(text))
        self.say(series, DCAT.last, release)
        self.say(release, DCAT.inSeries, series)
        self.say(self.iri(self.dataset.catalogue), DCAT.resource, series)
        if self.dataset.description.publisher:
            self.say(series, DCT.publisher, self.publisher())
        if self.dataset.description.contact:
            contact = self.contact(self.dataset.description.contact)
            self.say(series, DCAT.contactPoint, contact)
        if previous:
            earlier = self.node(previous.iri, DCAT.Dataset)
            title = f"{self.dataset.title}, version {previous.version}"
            self.say(earlier, DCT.title, self.english(title))
            self.say(earlier, DCT.description, self.english(f"The release before this one. {text}"))
            self.say(earlier, DCAT.version, self.plain(previous.version))
            self.say(earlier, DCAT.inSeries, series)
            self.say(release, DCAT.prev, earlier)
            self.say(release, DCAT.previousVersion, earlier)

    def _export(self, export: Export) -> URIRef:
        node = self._described(
            self.dataset.export(export), export.title, self.dataset.export_text(export),
            export.languages, export.box,
        )  # fmt: skip
        self.say(node, DCAT.version, self.plain(export.key[:16]))
        tables = {table.file.path: table for table in export.tables}
        for file in export.files:
            table = tables.get(file.path)
            title = f"Table {table.name}" if table else file.name
            made = self._distribution(file, f"{title} of {export.name}", self.dataset.licence)
            if table:
                text = f"{table.title or table.name} ({table.rows:,} rows)."
                self.say(made, DCT.description, self.english(text))
            self.say(node, DCAT.distribution, made)
        return node

    def _described(
        self, iri: str, title: str, text: str, languages: Iterable[str], box: Box | None
    ) -> URIRef:
        """Return a dataset with all that the whole and its versions have in common."""
        given, found = self.dataset.description, self.dataset.inventory
        node = self.node(iri, DCAT.Dataset)
        self.say(node, DCT.title, self.english(title))
        self.say(node, DCT.description, self.english(text))
        self.say(node, DCT.identifier, self.typed(iri, XSD.anyURI))
        if iri == self.dataset.iri:
            self.say(node, DCAT.version, self.plain(self.dataset.version))
        self._findable(node)
        for number, creator in enumerate(given.creators):
            self.say(node, DCT.creator, self.agent(creator, f"creator-{number + 1}"))
        if given.landing_page:
            self.say(node, DCAT.landingPage, self.node(given.landing_page, FOAF.Document))
        if given.issued:
            self.say(node, DCT.issued, self.typed(given.issued.isoformat(), XSD.date))
        if found.modified:
            self.say(node, DCT.modified, self.moment(found.modified))
        self.languages(node, languages)
        self.say(node, DCT.provenance, self.provenance())
        self.place(node, box)
        if given.temporal:
            period = self.blank(DCT.PeriodOfTime)
            first, last = (day.isoformat() for day in given.temporal)
            self.say(period, DCAT.startDate, self.typed(first, XSD.date))
            self.say(period, DCAT.endDate, self.typed(last, XSD.date))
            self.say(node, DCT.temporal, period)
        return node

    def _findable(self, node: URIRef) -> None:
        """Say what a dataset and its service have in common: words, theme, and whom to ask."""
        given = self.dataset.description
        for keyword in self.dataset.keywords:
            self.say(node, DCAT.keyword, self.english(keyword))
        self.say(node, DCAT.theme, self.concept(EU["data-theme/REGI"], "Regions and cities"))
        if given.publisher:
            self.say(node, DCT.publisher, self.publisher())
        if given.contact:
            self.say(node, DCAT.contactPoint, self.contact(given.contact))

    def _graph_file(self, named: NamedGraph, file: File) -> URIRef:
        title = f"Graph {named.name}: {named.title}"
        node = self._distribution(file, title, self.dataset.graph_licence(named))
        text = f"{self.dataset.inventory.statistics.graphs[named.iri].triples:,} triples."
        self.say(node, DCT.description, self.english(f"{named.title}: {text}"))
        if named.written:
            self.say(node, DCT.modified, self.moment(named.written))
        return node

    def _distribution(self, file: File, title: str, licence: str | None) -> URIRef:
        node = self.node(self.dataset.part(f"file-{file.path}"), DCAT.Distribution)
        self.say(node, DCT.title, self.english(title))
        address = self.node(self.dataset.address(file), RDFS.Resource)
        self.say(node, DCAT.accessURL, address)
        self.say(node, DCAT.downloadURL, address)
        self.say(node, DCAT.byteSize, self.typed(str(file.bytes), XSD.nonNegativeInteger))
        checksum = self.blank(SPDX.Checksum)
        algorithm = self.node(SPDX.checksumAlgorithm_sha256, SPDX.ChecksumAlgorithm)
        self.say(checksum, SPDX.algorithm, algorithm)
        self.say(checksum, SPDX.checksumValue, self.typed(file.sha256, XSD.hexBinary))
        self.say(node, SPDX.checksum, checksum)
        if form := file_form(file.path):
            if form.eu:
                kind = self.node(EU[f"file-type/{form.eu}"], DCT.MediaTypeOrExtent)
                self.say(node, DCT.format, kind)
            self.say(node, DCAT.mediaType, self.node(MEDIA_TYPE[form.media], DCT.MediaType))
            if form.compression:
                packed = self.node(MEDIA_TYPE[form.compression], DCT.MediaType)
                self.say(node, DCAT.compressFormat, packed)
        if licence:
            self.say(node, DCT.license, self.licence(licence))
        if availability := self.dataset.description.availability:
            there = self.concept(EU[f"planned-availability/{availability.upper()}"], availability)
            self.say(node, DCATAP.availability, there)
        if self.dataset.rights:
            rights = self.node(self.dataset.part("rights"), DCT.RightsStatement)
            self.say(rights, RDFS.label, self.english(self.dataset.rights))
            self.say(node, DCT.rights, rights)
        return node
