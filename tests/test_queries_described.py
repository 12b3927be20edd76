"""Queries as SPARQL editors list them: each is found, said what it is for, and runs as it stands."""

from __future__ import annotations

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib import RDF, RDFS, SH
from rdflib.plugins.sparql import prepareQuery

from mlmkg.catalog import read_catalog, shipped
from mlmkg.metadata.queries import queries, standalone
from mlmkg.store import FUNCTIONS, GraphStore
from mlmkg.vocab import MLM, PREFIXES, PROV

CATALOG = read_catalog()
ENDPOINT = "https://data.example/sparql"
#: What the shapes of the SIB's sparql-examples ask of a query.
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix schema: <https://schema.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
[] a sh:NodeShape ; sh:targetClass sh:SPARQLExecutable ;
  sh:property [ sh:path [ sh:alternativePath ( sh:select sh:ask sh:describe sh:construct ) ] ;
                sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path rdfs:comment ; sh:minCount 1 ;
      sh:or ( [ sh:datatype rdf:langString ] [ sh:datatype rdf:HTML ] ) ] ,
    [ sh:path schema:target ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path schema:keyword ; sh:maxCount 0 ] , [ sh:path schema:keywords ; sh:minCount 1 ] ,
    [ sh:path sh:prefixes ; sh:minCount 1 ; sh:nodeKind sh:IRI ] .
"""
#: What the SIB's SPARQL editor asks an endpoint, word for word.
EXAMPLES = """PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT DISTINCT ?sq ?comment ?query
WHERE {
  ?sq a sh:SPARQLExecutable ;
    rdfs:comment ?comment ;
    sh:select|sh:ask|sh:construct|sh:describe ?query .
} ORDER BY ?sq"""
DECLARED = "SELECT DISTINCT ?prefix ?namespace { [] sh:namespace ?namespace ; sh:prefix ?prefix }"


@pytest.fixture(scope="module")
def described() -> rdflib.Graph:
    return rdflib.Graph().parse(data=queries(CATALOG, ENDPOINT), format="turtle")


def test_every_query_file_is_described_as_the_sib_asks(described):
    conforms, _, text = pyshacl.validate(described, shacl_graph=rdflib.Graph().parse(data=SHAPES))
    assert conforms, text
    found = {str(name) for name in described.objects(None, rdflib.URIRef(MLM.path))}
    assert found == {path.relative_to(shipped()).as_posix() for path in shipped().glob("*/*.rq")}


def test_an_editor_gets_every_query_and_every_prefix(described):
    store = ox.Store()
    store.load(described.serialize(format="nt").encode(), ox.RdfFormat.N_TRIPLES)
    rows = list(store.query(EXAMPLES))
    assert len(rows) == len(CATALOG.queries)
    told = {row[0].value: row[1].value for row in rows}
    assert any("?entity: the entity the summary is about" in comment for comment in told.values())
    prefixes = {row[0].value: row[1].value for row in store.query(DECLARED, prefixes={"sh": str(SH)})}
    assert prefixes == PREFIXES


@pytest.mark.parametrize("query", list(CATALOG), ids=[q.short_path for q in CATALOG])
def test_the_described_text_runs_as_it_stands_and_says_what_the_file_says(query, described, store):
    (node,) = described.subjects(rdflib.URIRef(MLM.path), rdflib.Literal(query.short_path))
    classes = {str(cls).rpartition("#")[2] for cls in described.objects(node, RDF.type)}
    text = str(described.value(node, SH.construct) or described.value(node, SH.select))
    prepareQuery(text)
    answer = store.raw.query(text, use_default_graph_as_union=True, custom_functions=FUNCTIONS)
    if "SPARQLConstructExecutable" in classes:
        assert {str(t) for t in answer} == {str(t) for t in store.query(query.text)}
    else:
        assert "SPARQLSelectExecutable" in classes
        assert sorted(map(str, answer)) == sorted(map(str, store.query(query.text)))
    assert described.value(node, RDFS.label) == rdflib.Literal(query.title, lang="en")


def test_a_graph_leads_to_the_query_that_made_it(described, store: GraphStore):
    """Provenance and description name a query alike."""
    plans = {
        row[0]
        for row in store.rows(
            f'SELECT ?p {{ ?p a <{PROV.Plan}> ; <{MLM.querySet}> "v1" ; <{MLM.path}> ?path '
            'FILTER(STRENDS(?path, ".rq")) }'
        )
    }
    assert len(plans) > 8
    assert plans <= {str(node) for node in described.subjects(RDF.type, SH.SPARQLExecutable)}


def test_without_an_endpoint_none_is_made_up():
    graph = rdflib.Graph().parse(data=queries(CATALOG), format="turtle")
    assert not list(graph.objects(None, rdflib.URIRef("https://schema.org/target")))


def test_prefixes_that_the_file_declares_are_not_declared_twice():
    text = "#+ title: x\nPREFIX mlm: <https://e.example/>\nSELECT * { ?s a mlm:X, wd:Q1 }"
    assert standalone(text) == (
        "PREFIX wd: <http://www.wikidata.org/entity/>\n"
        "PREFIX mlm: <https://e.example/>\nSELECT * { ?s a mlm:X, wd:Q1 }"
    )
