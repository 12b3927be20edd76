"""VoID: every count is what others count, and links lead to the datasets that they are said to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib import DCTERMS, RDF, VOID

from mlmkg.metadata import write_metadata
from mlmkg.metadata.linksets import TARGETS
from mlmkg.metadata.statistics import count
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests import accepted
from tests.conftest import invoke
from tests.described import turtle, whole

PREFIXES = """
@prefix wd: <http://www.wikidata.org/entity/> . @prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix schema: <http://schema.org/> . @prefix mlm: <https://w3id.org/mlmkg/ontology#> .
"""
LINKED = """
wd:Q64 wdt:P31 wd:Q515, wd:Q200250, <http://www.wikidata.org/wiki/Q5119> ; wdt:P17 wd:Q183 ;
  wdt:P18 <http://commons.wikimedia.org/wiki/Special:FilePath/Berlin.jpg> ;
  schema:name "<http://www.wikidata.org/entity/Q64>", "wd:Q64"@de ; a <https://wikipedia.example/> .
<http://commons.wikimedia.org/wiki/Special:FilePath/Berlin.jpg>
  mlm:page <https://commons.wikimedia.org/wiki/File:Berlin.jpg> .
<https://zh-yue.wikipedia.org/wiki/x> schema:about wd:Q64 ; schema:isPartOf
  <https://zh-yue.wikipedia.org/> .
<urn:summary> mlm:article <https://de.wikipedia.org/wiki/A>, <https://en.wikipedia.org/wiki/B> ;
  schema:about <https://sws.geonames.org/2950159/> .
"""


def void_of(store: ox.Store, folder: Path, **settings: object) -> rdflib.Graph:
    """Return what is written for a store and the workspace in a folder."""
    workspace = Workspace(folder / "mlm")
    write_metadata(store, workspace, folder / "out", settings=settings, formats=["void"])
    return turtle(folder / "out" / "void.ttl")


@pytest.fixture(scope="module")
def bare(built: Path, tmp_path_factory: pytest.TempPathFactory) -> rdflib.Graph:
    folder = tmp_path_factory.mktemp("void")
    write_metadata(open_read_only(Workspace(built)).raw, Workspace(built), folder, formats=["void"])
    return turtle(folder / "void.ttl")


def test_void_counts_what_rdflib_and_sparql_count(bare, store):
    assert list(accepted.void(bare, accepted.recount(store.raw), store.raw)) == []


def test_void_has_a_subset_per_named_graph_and_they_add_up(bare, store):
    linksets = set(bare.subjects(RDF.type, VOID.Linkset))
    subsets = {
        str(s): int(bare.value(s, VOID.triples))
        for s in bare.objects(whole(bare), VOID.subset)
        if s not in linksets
    }
    assert set(subsets) == set(store.graphs().values())
    assert sum(subsets.values()) == int(bare.value(whole(bare), VOID.triples))


def test_blank_nodes_are_subjects_but_not_entities():
    store = ox.Store()
    content = b"<urn:a> <urn:p> [ <urn:q> 1 ] . <urn:b> <urn:p> 1 ."
    store.load(content, ox.RdfFormat.TURTLE, to_graph=ox.NamedNode("urn:g1"))
    store.load(b"<urn:a> <urn:q> 2 .", ox.RdfFormat.TURTLE, to_graph=ox.NamedNode("urn:g2"))
    counts = count(store)
    assert (counts.union.triples, counts.union.subjects, counts.union.entities) == (4, 3, 2)
    assert counts.union.objects == 3
    assert counts.graphs["urn:g2"].subjects == 1


def test_links_lead_to_wikidata_wikipedia_commons_and_geonames_and_nothing_else_is_one(tmp_path):
    store = ox.Store()
    first, second = LINKED.split("<urn:summary>")
    for graph, text in (("urn:g1", first), ("urn:g2", f"<urn:summary>{second}")):
        content = (PREFIXES + text).encode()
        store.load(content, ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(graph))
    said = void_of(store, tmp_path)
    found = {}
    for linkset in said.subjects(RDF.type, VOID.Linkset):
        assert said.value(linkset, VOID.subjectsTarget) == whole(said)
        target = said.value(linkset, VOID.objectsTarget)
        assert (target, RDF.type, VOID.Dataset) in said
        title, predicate = said.value(target, DCTERMS.title), said.value(linkset, VOID.linkPredicate)
        name = predicate.replace("#", "/").rpartition("/")[2]
        found[str(title), name] = int(said.value(linkset, VOID.triples))
    assert found == {
        ("Wikidata", "P31"): 2, ("Wikidata", "P17"): 1, ("Wikidata", "about"): 1,
        ("Wikimedia Commons", "P18"): 1, ("Wikimedia Commons", "page"): 1,
        ("Wikipedia", "isPartOf"): 1, ("Wikipedia", "article"): 2, ("GeoNames", "about"): 1,
    }  # fmt: skip
    assert list(accepted.void(said, accepted.recount(store), store)) == []


def test_a_dataset_that_is_an_origin_is_named_as_provenance_names_it(bare):
    sources = {str(source) for source in bare.objects(whole(bare), DCTERMS.source)}
    assert "https://www.geonames.org/" in sources & {target.iri for target in TARGETS}


def test_a_dump_in_the_workspace_is_named_as_long_as_it_holds_the_graph(built: Path, tmp_path: Path):
    folder = shutil.copytree(built, tmp_path / "mlm")
    assert invoke("-w", folder, "dump", "-o", folder / "dump").exit_code == 0
    store = open_read_only(Workspace(folder)).raw
    address = "https://data.example/mlm/"
    said = void_of(store, tmp_path, address=address)
    (dump,) = said.objects(whole(said), VOID.dataDump)
    assert str(dump) == f"{address}dump/graph.nq.gz"
    assert (folder / str(dump).removeprefix(address)).is_file()
    forms = {str(form).rpartition("/")[2] for form in said.objects(whole(said), VOID.feature)}
    assert forms == {"N-Quads", "N-Triples"}
    here = void_of(store, tmp_path)
    assert str(here.value(whole(here), VOID.dataDump)) == (folder / "dump/graph.nq.gz").as_uri()
    later = ox.Store()
    for quad in store:
        later.add(quad)
    graph = ox.NamedNode("https://w3id.org/mlmkg/graph/v1/cells")
    later.add(ox.Quad(ox.NamedNode("urn:a"), ox.NamedNode("urn:b"), ox.Literal("new"), graph))
    written = write_metadata(later, Workspace(folder), tmp_path / "later", formats=["void"])
    stale = turtle(tmp_path / "later" / "void.ttl")
    assert stale.value(whole(stale), VOID.dataDump) is None
    assert any("dump/ is a dump of another state" in hint for hint in written.hints)
