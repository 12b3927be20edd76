"""Metadata: what it says is what is there, and nothing is made up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib import DCTERMS, FOAF, PROV, RDF, RDFS, VOID

from mlmkg.errors import ExportError, WorkspaceError
from mlmkg.metadata import write_metadata
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.accepted import distributions, shacl
from tests.conftest import invoke
from tests.described import CC_BY, DCAT, ORCID, SCHEMA, SETTINGS, turtle, whole, written
from tests.shapes import DCAT_AP


@pytest.fixture(scope="module")
def workspace(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small dataset with an export of the version mlm."""
    folder = tmp_path_factory.mktemp("described") / "mlm"
    shutil.copytree(built, folder)
    result = invoke("-w", folder, "export", "--no-report", "--version", "mlm")
    assert result.exit_code == 0, result.output
    return Workspace(folder)


@pytest.fixture(scope="module")
def bare(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The metadata of somebody who has said nothing."""
    return written(workspace, tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def full(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The metadata of somebody who has filled in everything."""
    return written(workspace, tmp_path_factory.mktemp("full"), **SETTINGS)


@pytest.mark.parametrize("said", ["bare", "full"])
def test_dcat_has_what_the_profile_demands(said, request):
    described = turtle(request.getfixturevalue(said) / "dcat.ttl")
    assert len(list(described.subjects(RDF.type, DCAT.Distribution))) > 15
    assert shacl(described, DCAT_AP) == []


def test_dcat_lists_every_graph_file_and_table_with_its_size_and_checksum(workspace, full):
    dcat = turtle(full / "dcat.ttl")
    assert list(distributions(dcat, workspace.root, "https://data.example/mlm/")) == []
    seen = {str(address).rpartition("/")[2] for address in dcat.objects(None, DCAT.downloadURL)}
    tables = {path.name for path in (workspace.exports / "mlm").glob("*.parquet")}
    assert len(tables) == 5
    assert tables < seen
    assert {name.split("-")[0] for name in seen - tables} >= {"instances", "summaries", "cells"}


def test_the_languages_are_those_of_the_summaries_in_the_eu_table(bare):
    dcat = turtle(bare / "dcat.ttl")
    languages = {str(o).rpartition("/")[2] for o in dcat.objects(whole(dcat), DCTERMS.language)}
    assert languages == {"ENG", "DEU", "FRA"}


def test_the_box_holds_every_settlement(workspace, bare):
    dcat = turtle(bare / "dcat.ttl")
    box = str(dcat.value(dcat.value(whole(dcat), DCTERMS.spatial), DCAT.bbox))
    corners = [tuple(map(float, c.split())) for c in box.removeprefix("POLYGON((")[:-2].split(",")]
    (west, south), (east, north) = corners[0], corners[2]
    points = open_read_only(workspace).rows("SELECT (STR(?p) AS ?w) { ?e a mlm:Entity ; wdt:P625 ?p }")
    places = [tuple(map(float, row[0][6:-1].split())) for row in points]
    assert len(places) == 300
    assert (west, south) == (min(x for x, _ in places), min(y for _, y in places))
    assert (east, north) == (max(x for x, _ in places), max(y for _, y in places))


def test_nothing_is_made_up_for_what_nobody_has_said(workspace, bare, tmp_path):
    dcat = turtle(bare / "dcat.ttl")
    dataset = whole(dcat)
    for predicate in (DCTERMS.publisher, DCTERMS.creator, DCAT.contactPoint, DCAT.landingPage):
        assert dcat.value(dataset, predicate) is None
    catalogue = dcat.value(None, RDF.type, DCAT.Catalog)
    name = str(dcat.value(dcat.value(catalogue, DCTERMS.publisher), FOAF.name))
    assert "nobody has been named" in name
    assert str(dataset).startswith("urn:uuid:")
    text = "".join(path.read_text("utf-8") for path in bare.iterdir())
    assert "doi.org/" not in text
    hints = write_metadata(open_read_only(workspace).raw, workspace, tmp_path).hints
    assert {"publisher", "creators", "contact", "licence", "address", "landing_page"} == {
        hint.split()[3].rstrip(":") for hint in hints if hint.startswith("[dataset]")
    }
    left_out = {hint.split()[0] for hint in hints if "is left out" in hint}
    assert left_out == {"ro-crate", "datacite-json", "datacite-xml"}


def test_three_origins_with_three_licences_are_each_named_and_none_is_chosen(bare):
    dcat = turtle(bare / "dcat.ttl")
    (table,) = [s for s in dcat.subjects(RDF.type, DCAT.Distribution) if "entities.parquet" in str(s)]
    assert dcat.value(table, DCTERMS.license) is None
    rights = str(dcat.value(dcat.value(table, DCTERMS.rights), RDFS.label))
    assert "GeoNames" in rights
    assert "NASA" in rights
    (summaries,) = [s for s in dcat.subjects(RDF.type, DCAT.Distribution) if "/summaries-" in str(s)]
    assert str(dcat.value(summaries, DCTERMS.license)) == CC_BY


def test_what_people_say_stands_in_every_file(full):
    dcat, void = turtle(full / "dcat.ttl"), turtle(full / "void.ttl")
    assert str(dcat.value(whole(dcat), DCTERMS.title)) == "Cities"
    assert str(void.value(whole(void), DCTERMS.title)) == "Cities"
    assert str(whole(dcat)) == str(whole(void)) == "https://data.example/mlm/#dataset"
    assert str(void.value(whole(void), VOID.sparqlEndpoint)) == "https://data.example/sparql"
    jsonld = json.loads((full / "schemaorg.jsonld").read_text("utf-8"))
    assert (jsonld["name"], jsonld["license"], jsonld["version"]) == ("Cities", [CC_BY], "1.1")
    assert jsonld["creator"][0]["name"] == "Ada Example"
    assert jsonld["creator"][0]["@id"] == ORCID
    assert jsonld["url"] == "https://data.example/about"


def test_dcat_says_of_licences_people_and_endpoints_what_kind_they_are(full):
    dcat = turtle(full / "dcat.ttl")
    kinds = {str(kind).rpartition("/")[2] for kind in dcat.objects(rdflib.URIRef(CC_BY), DCTERMS.type)}
    assert kinds == {"Attribution"}
    (person,) = dcat.objects(rdflib.URIRef(ORCID), DCTERMS.type)
    assert str(person).endswith("/publishertype/PrivateIndividual(s)")
    catalogue = dcat.value(None, RDF.type, DCAT.Catalog)
    assert str(dcat.value(catalogue, DCTERMS.license)).endswith("/publicdomain/zero/1.0/")
    availability = rdflib.URIRef("http://data.europa.eu/r5r/availability")
    for node in dcat.subjects(RDF.type, DCAT.Distribution):
        assert str(dcat.value(node, availability)).endswith("/planned-availability/STABLE")
    service = dcat.value(None, RDF.type, DCAT.DataService)
    assert str(dcat.value(service, DCAT.endpointDescription)) == SETTINGS["endpoint"]


@pytest.mark.parametrize("said", ["bare", "full"])
def test_schema_org_is_json_ld_that_needs_nothing_from_the_network(said, request):
    path = request.getfixturevalue(said) / "schemaorg.jsonld"
    assert json.loads(path.read_text("utf-8"))["@context"] == {"@vocab": str(SCHEMA)}
    graph = rdflib.Graph().parse(path, format="json-ld")
    datasets = list(graph.subjects(RDF.type, SCHEMA.Dataset))
    assert len(datasets) == 2
    for dataset in datasets:
        assert isinstance(dataset, rdflib.URIRef)
        for term in ("name", "description", "url", "identifier", "version", "keywords"):
            assert graph.value(dataset, SCHEMA[term], any=True) is not None, term
        assert 50 <= len(graph.value(dataset, SCHEMA.description)) <= 5_000
        assert list(graph.objects(dataset, SCHEMA.distribution))


def test_prov_holds_the_provenance_graph_triple_by_triple(workspace, bare):
    store = open_read_only(workspace)
    graph = ox.NamedNode(store.graphs()["provenance"])
    there = {quad.triple for quad in store.raw.quads_for_pattern(None, None, None, graph)}
    read = {q.triple for q in ox.parse(path=bare / "prov.ttl", format=ox.RdfFormat.TURTLE)}
    assert read > there
    assert "@prefix prov:" in (bare / "prov.ttl").read_text("utf-8")
    assert turtle(bare / "prov.ttl").value(None, RDF.type, PROV.SoftwareAgent) is not None


def test_the_same_store_gives_the_same_bytes(workspace, full, tmp_path):
    again = written(workspace, tmp_path / "again", **SETTINGS)
    for path in full.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_one_export_can_be_described_alone_and_must_exist(workspace, tmp_path):
    store = open_read_only(workspace).raw
    found = write_metadata(store, workspace, tmp_path, version="mlm").dataset.inventory
    assert [export.name for export in found.exports] == ["mlm"]
    with pytest.raises(ExportError, match=r"no export 'irle'.*mlm.*mlmkg export --version irle"):
        write_metadata(store, workspace, tmp_path / "x", version="irle")
    assert not (tmp_path / "x").exists()


def test_an_export_that_lost_a_table_is_reported(workspace, tmp_path):
    folder = shutil.copytree(workspace.root, tmp_path / "mlm")
    (folder / "exports" / "mlm" / "cells.parquet").unlink()
    result = invoke("-w", folder, "metadata")
    assert isinstance(result.exception, ExportError)
    assert "cells.parquet" in str(result.exception)
    assert not (folder / "metadata").exists()


def test_an_empty_store_is_reported(tmp_path):
    with pytest.raises(WorkspaceError, match="store is empty"):
        write_metadata(ox.Store(), Workspace(tmp_path), tmp_path / "metadata")


def test_the_command_reads_the_settings_file_and_says_what_is_missing(workspace, tmp_path, monkeypatch):
    settings = tmp_path / "mlmkg.toml"
    settings.write_text('[dataset]\ntitle = "Cities"\nissued = 2026-11-24\n')
    monkeypatch.setenv("MLMKG_SETTINGS", str(settings))
    result = invoke("-w", workspace.root, "metadata", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "void.ttl", "dcat.ttl", "dcat.jsonld", "prov.ttl", "queries.ttl", "schemaorg.jsonld",
        "codemeta.json",
    }  # fmt: skip
    assert "[dataset] has no publisher" in result.stderr
    assert "datacite-json is left out: it needs creators, publisher: add them" in result.stderr
    assert "void.ttl" in result.stdout
    dcat = turtle(tmp_path / "out" / "dcat.ttl")
    assert str(dcat.value(whole(dcat), DCTERMS.title)) == "Cities"
