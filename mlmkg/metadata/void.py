"""VoID: what the graph is made of, in counts a query planner or a curious person can use.

A dataset enters, Turtle leaves (https://www.w3.org/TR/void/). The dataset is the union of the graphs;
each named graph is a subset under its own IRI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from mlmkg.metadata.dataset import Dataset
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
        that has none there; by default the graph files of the workspace are named, as N-Triples.
    """
    found = dataset.inventory
    out = Out()
    _head(out, dataset)
    subject = out.iri(dataset.iri)
    for address in dumps or ():
        out.say(subject, VOID.dataDump, out.iri(address))
    for form in sorted({"N-Triples"} if dumps is None else {*dumps.values()} - {""}):
        out.say(subject, VOID.feature, out.iri(FORMATS[form]))
    _numbers(out, out.iri(dataset.iri), found.statistics.union, found.statistics.properties)
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
