"""The vocabulary: what the graph says, the ontology defines."""

from __future__ import annotations

import html
import json
import re
import runpy
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib import DC, DCTERMS, OWL, RDF, RDFS, SKOS, VANN, namespace

from mlmkg.store import GraphStore
from mlmkg.validate import _rdflib

from .test_validate import CANDIDATE, CHANGE, HEAD, LEFT_OUT, PREDICTION

ROOT = Path(__file__).parents[1]
ONTOLOGY = ROOT / "ontology"
MLM = "https://w3id.org/mlmkg/ontology#"
MLMF = "https://w3id.org/mlmkg/function#"
FOREIGN = ("http://www.w3.org/ns/mls#", "http://www.w3.org/ns/prov#", "http://www.opengis.net/")


@pytest.fixture(scope="module")
def ontology() -> rdflib.Graph:
    return rdflib.Graph().parse(ONTOLOGY / "mlm.ttl")


def terms(ontology: rdflib.Graph) -> set[str]:
    return {str(s) for s in ontology.subjects() if str(s).startswith((MLM, MLMF))}


def used_terms() -> dict[str, str]:
    """Term -> a file that uses it: queries, countries, shapes, and the code's own vocabulary."""
    found: dict[str, str] = {}
    prefixed = [*ROOT.glob("queries/**/*.rq"), ONTOLOGY / "countries.ttl", ONTOLOGY / "shapes.ttl"]
    for path in prefixed:
        for prefix, name in re.findall(r"\b(mlmf?):(\w+)", path.read_text("utf-8")):
            found[(MLM if prefix == "mlm" else MLMF) + name] = path.name
    for path in [p for folder in ("mlmkg", "ml", "cli") for p in ROOT.glob(f"{folder}/**/*.py")]:
        for prefix, name in re.findall(r"\b(MLMF?)\.(\w+)", path.read_text("utf-8")):
            found[(MLM if prefix == "MLM" else MLMF) + name] = path.name
    return found


def test_every_term_in_use_is_defined(ontology):
    known = terms(ontology)
    assert len(used_terms()) > 30
    undefined = {term: file for term, file in used_terms().items() if term not in known}
    assert not undefined


def test_everything_defined_is_named_and_explained_once_in_english_german_and_french(ontology):
    described = set(map(rdflib.URIRef, terms(ontology))) | set(ontology.subjects(RDFS.comment))
    assert len(described) > 75
    for term in described:
        for predicate in (RDFS.label, RDFS.comment):
            told = list(ontology.objects(term, predicate))
            assert sorted(str(text.language) for text in told) == ["de", "en", "fr"], (term, predicate)
        assert len(set(ontology.objects(term, RDFS.comment))) == 3
        assert all(len(c) > 11 and c.endswith(".") for c in ontology.objects(term, RDFS.comment)), term


def test_every_property_has_a_domain_and_a_range_and_links_what_its_kind_allows(ontology):
    objects = set(ontology.subjects(RDF.type, OWL.ObjectProperty))
    literals = set(ontology.subjects(RDF.type, OWL.DatatypeProperty))
    assert len(objects | literals) > 30
    assert not objects & literals
    for term in objects | literals:
        assert ontology.value(term, RDFS.domain) is not None, term
        kind = str(ontology.value(term, RDFS.range))
        datatype = "XMLSchema#" in kind or kind.endswith("wktLiteral")
        assert datatype == (term in literals), term


def test_every_class_is_a_subclass_of_something_the_world_knows(ontology):
    for term in ontology.subjects(RDF.type, OWL.Class):
        supers = list(ontology.objects(term, RDFS.subClassOf))
        assert supers, term
        assert not any(str(s).startswith(MLM) for s in supers), term


def test_terms_of_others_are_reused_not_redefined(ontology):
    assert not [s for s in ontology.subjects() if str(s).startswith(FOREIGN)]


def test_the_header_names_version_licence_creator_and_namespace(ontology):
    header = rdflib.URIRef("https://w3id.org/mlmkg/ontology")
    assert (header, RDF.type, OWL.Ontology) in ontology
    for predicate in (DCTERMS.license, DC.creator, DCTERMS.created, DCTERMS.modified):
        assert ontology.value(header, predicate, any=True) is not None, predicate
    for predicate in (DCTERMS.title, DCTERMS.description):
        assert {t.language for t in ontology.objects(header, predicate)} == {"en", "de", "fr"}
    version = ontology.value(header, OWL.versionInfo)
    assert ontology.value(header, OWL.versionIRI) == header + "/" + version
    assert str(ontology.value(header, VANN.preferredNamespaceUri)) == MLM
    assert str(ontology.value(header, VANN.preferredNamespacePrefix)) == "mlm"


def test_terms_are_aligned_with_those_that_others_know_and_that_exist(ontology):
    links = [RDFS.subClassOf, RDFS.subPropertyOf, SKOS.closeMatch, SKOS.relatedMatch, SKOS.broadMatch]
    targets = {str(o) for link in links for o in ontology.objects(None, link)}
    for family in (
        "http://schema.org/", "http://www.opengis.net/ont/geosparql#", "http://www.w3.org/ns/prov#",
        "http://www.w3.org/2004/02/skos/core#", "http://www.w3.org/ns/mls#", "http://www.w3.org/ns/dcat#",
    ):  # fmt: skip
        assert [t for t in targets if t.startswith(family)], family
    assert (None, RDF.type, rdflib.URIRef("http://www.w3.org/ns/dqv#Metric")) in ontology
    known = {
        str(namespace.__dict__[name]): namespace.__dict__[name]
        for name in ("DCAT", "DCTERMS", "FOAF", "PROV", "SKOS", "VOID")
    }
    known |= {"http://schema.org/": namespace.SDO}
    checked = 0
    for target in targets:
        space = target[: max(target.rfind("#"), target.rfind("/")) + 1]
        if space in known:
            checked += 1
            assert rdflib.URIRef(str(known[space]) + target.removeprefix(space)) in known[space], target
    assert checked > 25


def test_oxigraph_reads_the_same_triples_and_there_is_no_blank_node(ontology):
    quads = list(ox.parse(path=ONTOLOGY / "mlm.ttl", format=ox.RdfFormat.TURTLE))
    assert len(quads) == len(ontology)
    assert not [q for q in quads for t in q if isinstance(t, ox.BlankNode)]


def test_vocabulary_and_countries_share_no_triple(ontology):
    countries = rdflib.Graph().parse(ONTOLOGY / "countries.ttl")
    assert not set(ontology) & set(countries)


def test_the_json_ld_context_reads_every_property_as_the_ontology_ranges_it(ontology):
    context = json.loads((ONTOLOGY / "context.jsonld").read_text("utf-8"))
    examples = {"boolean": "true", "dateTime": "2026-11-24T00:00:00Z", "integer": "1", "double": "1"}
    values = {
        str(term).removeprefix(MLM): examples.get(
            str(ontology.value(term, RDFS.range)).rpartition("#")[2], "urn:y"
        )
        for kind in (OWL.ObjectProperty, OWL.DatatypeProperty)
        for term in ontology.subjects(RDF.type, kind)
    }
    document = {**context, "id": "urn:x", **values}
    read = rdflib.Graph().parse(data=json.dumps(document), format="json-ld")
    assert {str(p) for p in read.predicates()} == {MLM + name for name in values}
    for _, predicate, value in read:
        kind = ontology.value(predicate, RDFS.range)
        if isinstance(value, rdflib.Literal):
            assert (value.datatype or rdflib.XSD.string) == kind, predicate
        else:
            assert (predicate, RDF.type, OWL.ObjectProperty) in ontology


def sample(store: GraphStore) -> set[ox.Triple]:
    """What is said of five nodes of each class: of a real store, and of what a small one lacks."""
    kind = ox.NamedNode(str(RDF.type))
    nodes: dict[ox.NamedNode, set[ox.NamedNode]] = {}
    for quad in store.raw.quads_for_pattern(None, kind, None):
        nodes.setdefault(quad.object, set()).add(quad.subject)
    told = {q.triple for q in ox.parse((HEAD + CANDIDATE + CHANGE + LEFT_OUT + PREDICTION).encode(),
                                       format=ox.RdfFormat.TURTLE)}  # fmt: skip
    for found in nodes.values():
        for node in sorted(found, key=str)[:5]:
            told |= {quad.triple for quad in store.raw.quads_for_pattern(node, None, None)}
    return told


def test_the_json_ld_context_takes_a_sample_of_the_graph_there_and_back(store, ontology):
    triples = sample(store)
    classes = {t.object.value for t in triples if t.predicate.value == str(RDF.type)}
    assert {str(c) for c in ontology.subjects(RDF.type, OWL.Class)} <= classes
    graph = rdflib.Graph()
    for triple in triples:
        graph.add(tuple(map(_rdflib, triple)))
    context = json.loads((ONTOLOGY / "context.jsonld").read_text("utf-8"))["@context"]
    text = graph.serialize(format="json-ld", context=context, auto_compact=False)
    assert {q.triple for q in ox.parse(text.encode(), format=ox.RdfFormat.JSON_LD)} == triples
    # What the project says reads as words, without prefixes.
    keys = {key for node in json.loads(text)["@graph"] for key in node}
    assert {"cell", "label", "tripleClass", "wasGeneratedBy", "countryCode"} <= keys
    assert not [key for key in keys if key.startswith("mlm:") or "w3id.org" in key]


def test_every_class_has_a_shape_and_every_shape_property_a_message(ontology):
    shapes = rdflib.Graph().parse(ONTOLOGY / "shapes.ttl")
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    silent = [p for p in shapes.objects(None, sh.property) if shapes.value(p, sh.message) is None]
    assert not silent
    targets = {str(c) for c in shapes.objects(None, sh.targetClass)}
    assert targets == {str(c) for c in ontology.subjects(RDF.type, OWL.Class)}


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_page_in_each_language_explains_every_term_where_its_iri_points(ontology, language):
    page = runpy.run_path(str(ROOT / "docs" / "ontology_pages.py"))["page"](language)
    assert f'<html lang="{language}">' in page
    text = html.unescape(page)
    for term in map(rdflib.URIRef, terms(ontology)):
        assert f'id="{term.fragment}"' in page, term
        here = {c.language for c in ontology.objects(term, RDFS.comment) if str(c) in text}
        assert here == {language}, term
