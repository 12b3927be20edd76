"""VoID: what the graph is made of, in counts a query planner or a curious person can use.

A dataset enters, Turtle leaves (https://www.w3.org/TR/void/). The dataset is the union of the graphs;
each named graph is a subset under its own IRI, and the links to another dataset by one property are
one, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.dumped import dumps as find_dumps
from mlmkg.metadata.linksets import TARGETS
from mlmkg.metadata.parts import File
from mlmkg.metadata.statistics import PropertyCount, Statistics
from mlmkg.metadata.terms import FORMATS
from mlmkg.metadata.turtle import Out
from mlmkg.vocab import DCT, FOAF, PREFIXES, PROV, RDF, VOID

if TYPE_CHECKING:
    from rdflib import URIRef

_NAMESPACE: Final = re.compile(r".*[#/]")


def void(dataset: Dataset, *, dumps: Mapping[str, str] | None = None) -> bytes:
    """Return the VoID description as Turtle.

    :param dumps: addresses of files with all graphs -> the name of their form at W3C, or "" for one
        that has none there; by default those of the dumps in the workspace.
    """
    found = dataset.inventory
    if dumps is None:
        dumps = {dataset.address(file): form for file, form in _in_the_workspace(dataset)}
    out = Out()
    _head(out, dataset)
    subject = out.iri(dataset.iri)
    for address in dumps:
        out.say(subject, VOID.dataDump, out.iri(address))
    graph_files = {"N-Triples"} if any(named.file for named in found.graphs) else set()
    for form in sorted({*dumps.values(), *graph_files} - {""}):
        out.say(subject, VOID.feature, out.iri(FORMATS[form]))
    _numbers(out, subject, found.statistics.union, found.statistics.properties)
    _links(out, subject, found.statistics.links)
    for named in found.graphs:
        subset = out.iri(named.iri)
        out.say(out.iri(dataset.iri), VOID.subset, subset)
        out.say(subset, RDF.type, out.iri(VOID.Dataset))
        out.say(subset, DCT.title, out.english(named.title))
        if licence := dataset.graph_licence(named):
            out.say(subset, DCT.license, out.iri(licence))
        if named.written:
            out.say(subset, PROV.generatedAtTime, out.moment(named.written))
        if named.file:
            out.say(subset, VOID.dataDump, out.iri(dataset.address(named.file)))
        _numbers(out, subset, found.statistics.graphs[named.iri])
    return out.turtle()


def _in_the_workspace(dataset: Dataset) -> Iterator[tuple[File, str]]:
    for dump in find_dumps(dataset.inventory):
        if dump.current:
            yield from dump.whole.items()


def _head(out: Out, dataset: Dataset) -> None:
    found, given = dataset.inventory, dataset.description
    subject = out.iri(dataset.iri)
    out.say(subject, RDF.type, out.iri(VOID.Dataset))
    out.say(subject, DCT.title, out.english(dataset.title))
    out.say(subject, DCT.description, out.english(dataset.text))
    if found.modified:
        out.say(subject, DCT.modified, out.moment(found.modified))
    links = [
        (DCT.license, dataset.licence),
        (FOAF.homepage, given.landing_page),
        (VOID.sparqlEndpoint, given.endpoint),
        (VOID.exampleResource, found.example),
        *((DCT.source, origin.iri) for origin in found.origins),
        *((VOID.vocabulary, namespace) for namespace in vocabularies(found.statistics.union)),
    ]
    for predicate, target in links:
        if target:
            out.say(subject, predicate, out.iri(target))


def _numbers(
    out: Out, subject: URIRef, counts: Statistics,
    properties: Mapping[str, PropertyCount] | None = None,
) -> None:  # fmt: skip
    numbers = {
        VOID.triples: counts.triples, VOID.entities: counts.entities,
        VOID.distinctSubjects: counts.subjects, VOID.distinctObjects: counts.objects,
        VOID.properties: len(counts.properties), VOID.classes: len(counts.classes),
    }  # fmt: skip
    for predicate, number in numbers.items():
        out.say(subject, predicate, out.number(number))
    for iri, triples in sorted(counts.properties.items()):
        part = out.blank()
        out.say(subject, VOID.propertyPartition, part)
        out.say(part, VOID.property, out.iri(iri))
        out.say(part, VOID.triples, out.number(triples))
        if properties is not None:
            out.say(part, VOID.distinctSubjects, out.number(properties[iri].subjects))
            out.say(part, VOID.distinctObjects, out.number(properties[iri].objects))
    for iri, entities in sorted(counts.classes.items()):
        part = out.blank()
        out.say(subject, VOID.classPartition, part)
        out.say(part, VOID["class"], out.iri(iri))
        out.say(part, VOID.entities, out.number(entities))


def _links(out: Out, subject: URIRef, links: Mapping[tuple[str, str], int]) -> None:
    """Say which datasets are linked to: a set of links for every property and dataset."""
    for target in TARGETS:
        counts = {name: triples for (name, linked), triples in links.items() if linked == target.iri}
        if not counts:
            continue
        there = out.node(target.iri, VOID.Dataset)
        out.say(there, DCT.title, out.english(target.title))
        out.say(there, VOID.uriRegexPattern, out.plain(target.pattern))
        for name, triples in counts.items():
            linkset = out.blank(VOID.Linkset)
            out.say(subject, VOID.subset, linkset)
            out.say(linkset, VOID.subjectsTarget, subject)
            out.say(linkset, VOID.objectsTarget, there)
            out.say(linkset, VOID.linkPredicate, out.iri(name))
            out.say(linkset, VOID.triples, out.number(triples))


def vocabularies(counts: Statistics) -> list[str]:
    """Return the namespaces of the properties and classes in use.

    >>> from collections import Counter
    >>> vocabularies(Statistics(properties=Counter({"http://schema.org/text": 1})))
    ['http://schema.org/']
    """
    used = {*counts.properties, *counts.classes}
    known = set(PREFIXES.values())
    found = set()
    for iri in used:
        match = _NAMESPACE.match(iri)
        longest = max((ns for ns in known if iri.startswith(ns)), key=len, default=None)
        namespace = longest or (match.group() if match else None)
        if namespace:
            found.add(namespace)
    return sorted(found)
