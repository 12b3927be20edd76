"""The vocabulary: what the graph says, the ontology defines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib import DC, DCTERMS, OWL, RDF, RDFS

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


def test_every_term_says_what_it_means_in_english_and_is_named_in_german_and_french(ontology):
    for term in map(rdflib.URIRef, terms(ontology)):
        languages = {label.language for label in ontology.objects(term, RDFS.label)}
        assert languages == {"en", "de", "fr"}, term
        comments = [c for c in ontology.objects(term, RDFS.comment) if c.language == "en"]
        assert len(comments) == 1, term
        assert len(comments[0]) > 20, term


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


def test_the_header_names_version_licence_and_creator(ontology):
    header = rdflib.URIRef("https://w3id.org/mlmkg/ontology")
    assert (header, RDF.type, OWL.Ontology) in ontology
    for predicate in (OWL.versionInfo, DCTERMS.license, DC.creator, DCTERMS.title):
        assert ontology.value(header, predicate, any=True) is not None, predicate


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


def test_every_shape_property_has_a_message(ontology):
    shapes = rdflib.Graph().parse(ONTOLOGY / "shapes.ttl")
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    silent = [p for p in shapes.objects(None, sh.property) if shapes.value(p, sh.message) is None]
    assert not silent
    targets = {str(c) for c in shapes.objects(None, sh.targetClass)}
    assert targets <= terms(ontology)
