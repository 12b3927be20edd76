"""Metadata as other people's packages read them; which faults they find is in test_metadata_broken."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import mlcroissant as mlc
import pyarrow.parquet as pq
import pytest
import rocrate.rocrate
from lxml import etree
from mlcroissant._src.core.rdf import make_context
from rdflib import Graph
from rdflib.compare import isomorphic

from mlmkg import __version__
from mlmkg.export.checksums import verify
from mlmkg.metadata import Dataset, read_description, write_metadata
from mlmkg.metadata.croissant import CONTEXT
from mlmkg.metadata.inventory import take
from mlmkg.metadata.rocrate import rocrate as rocrate_of
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.described import CC_BY, ORCID, SETTINGS, turtle, written


@pytest.fixture(scope="module")
def workspace(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small dataset with an export of the version mlm and all its metadata."""
    folder = tmp_path_factory.mktemp("judged") / "mlm"
    shutil.copytree(built, folder)
    result = invoke("-w", folder, "export", "--no-report", "--version", "mlm")
    assert result.exit_code == 0, result.output
    written(Workspace(folder), folder / "metadata", **SETTINGS)
    return Workspace(folder)


@pytest.fixture
def export(workspace: Workspace) -> Path:
    """The export's folder; tests only read it."""
    return workspace.exports / "mlm"


def test_descriptions_of_an_export_stand_in_it_and_in_its_checksums(export):
    listed = (export / "SHA256SUMS").read_text("utf-8")
    for name in ("croissant.json", "ro-crate-metadata.json"):
        assert f"{sha256((export / name).read_bytes()).hexdigest()}  {name}\n" in listed
    assert verify(export).intact
    assert listed.splitlines() == sorted(listed.splitlines(), key=lambda line: line[66:])


def test_describing_an_export_twice_changes_nothing(workspace, export):
    before = {path: path.read_bytes() for path in export.iterdir() if path.is_file()}
    written(workspace, workspace.root / "metadata", **SETTINGS)
    assert {path: path.read_bytes() for path in export.iterdir() if path.is_file()} == before


def test_where_an_export_cannot_be_written_to_nothing_is_written_elsewhere(workspace, tmp_path):
    copy = Workspace(shutil.copytree(workspace.root, tmp_path / "mlm"))
    there = copy.exports / "mlm" / "croissant.json"
    there.unlink()
    (there / "in the way").mkdir(parents=True)  # stops root, too, as a mode does not
    with pytest.raises(OSError, match="croissant"):
        written(copy, tmp_path / "elsewhere", **SETTINGS)
    assert not (tmp_path / "elsewhere").exists()


def test_croissant_has_the_context_that_mlcroissant_writes(export):
    document = json.loads((export / "croissant.json").read_text("utf-8"))
    written_by_it = mlc.Dataset(export / "croissant.json").metadata.to_json()
    assert document["@context"] == CONTEXT == written_by_it["@context"]
    assert written_by_it["conformsTo"] == document["conformsTo"]
    assert make_context(mlc.Dataset(export / "croissant.json").metadata.ctx) == CONTEXT


def test_mlcroissant_loads_the_rows_of_every_table(export):
    loaded = mlc.Dataset(export / "croissant.json")
    assert not loaded.metadata.ctx.issues.errors
    assert not loaded.metadata.ctx.issues.warnings
    sets = {record_set.id for record_set in loaded.metadata.record_sets}
    tables = {path.stem for path in export.glob("*.parquet")}
    assert sets == tables | {"image-files-content", "splits", "languages"}
    for name in sorted(tables):
        rows = pq.read_table(export / f"{name}.parquet").to_pylist()
        read = list(loaded.records(name))
        assert len(read) == len(rows), name
        for row, record in zip(rows, read, strict=True):
            assert {f"{name}/{key}" for key in row} == set(record)
            for key, value in row.items():
                found = record[f"{name}/{key}"]
                found = found.decode() if isinstance(found, bytes) and isinstance(value, str) else found
                assert found == value, (name, key)


def test_mlcroissant_loads_splits_languages_and_every_image(export):
    loaded = mlc.Dataset(export / "croissant.json")
    assert {row["splits/name"] for row in loaded.records("splits")} == {"train", "val", "test"}
    assert {row["languages/code"] for row in loaded.records("languages")} == {"en", "de", "fr"}
    table = pq.read_table(export / "images.parquet").to_pylist()
    read = {
        row["image-files-content/path"].decode(): row for row in loaded.records("image-files-content")
    }
    assert set(read) == {row["path"] for row in table}
    for row in table[:20]:
        image = read[row["path"]]
        assert image["image-files-content/sha256"].decode() == row["sha256"]
        assert image["image-files-content/content"].size == (row["width"], row["height"])


def test_croissant_says_what_the_export_is_biased_to(export):
    said = json.loads((export / "croissant.json").read_text("utf-8"))
    entities = pq.read_table(export / "entities.parquet").to_pylist()
    (place,) = [text for text in said["rai:dataBiases"] if text.startswith("Place:")]
    for continent in {row["continent"] for row in entities}:
        share = sum(row["continent"] == continent for row in entities) / len(entities)
        assert f"{continent or 'of no known continent'} {100 * share:.1f} %" in place
    (origin,) = [text for text in said["rai:dataBiases"] if text.startswith("Origin")]
    assert origin.startswith("Origin of texts: 100.0 % of 900 summaries")
    assert "GeoNames" in said["rai:dataCollection"]


def test_croissant_of_images_in_the_tables(workspace, tmp_path):
    copy = shutil.copytree(workspace.root, tmp_path / "mlm")
    words = ["export", "--no-report", "--version", "mlm", "--images", "bytes", "--force"]
    done = invoke("-w", copy, *words)
    assert done.exit_code == 0, done.output
    store, there = open_read_only(Workspace(copy)).raw, Workspace(copy)
    write_metadata(store, there, tmp_path, formats=["croissant"])
    loaded = mlc.Dataset(copy / "exports" / "mlm" / "croissant.json")
    first = next(iter(loaded.records("images")))
    assert first["images/picture"].size == (first["images/width"], first["images/height"])
    assert "image-files-content" not in {one.id for one in loaded.metadata.record_sets}


def test_the_package_rocrate_reads_the_crate(export):
    crate = rocrate.rocrate.ROCrate(export)
    assert crate.root_dataset["license"]["@id"] == CC_BY
    files = {entity.id for entity in crate.data_entities}
    assert files >= {path.name for path in export.iterdir() if path.is_file()} - {
        "ro-crate-metadata.json"
    }
    table = crate.get("entities.parquet")
    assert int(table["contentSize"]) == (export / "entities.parquet").stat().st_size
    assert table["url"] == "https://data.example/mlm/exports/mlm/entities.parquet"
    assert table["sha256"] == sha256((export / "entities.parquet").read_bytes()).hexdigest()
    assert int(crate.get("SHA256SUMS")["contentSize"]) == (export / "SHA256SUMS").stat().st_size
    assert crate.get(ORCID)["affiliation"]["name"] == "Example University"


def test_an_organisation_that_is_two_things_stands_in_a_crate_once_and_can_be_written_to(workspace):
    university = {"name": "Example University", "ror": "https://ror.org/03vek6s52"}
    said = read_description({**SETTINGS, "publisher": university})
    dataset = Dataset(take(open_read_only(workspace).raw, workspace), said)
    (export,) = dataset.inventory.exports
    text = rocrate_of(dataset, export, workspace.exports / "mlm")
    entities = {entity["@id"]: entity for entity in json.loads(text)["@graph"]}
    assert len(entities) == len(json.loads(text)["@graph"])
    assert entities[university["ror"]]["contactPoint"] == {"@id": "mailto:help@archive.example"}
    assert entities[ORCID]["affiliation"] == {"@id": university["ror"]}


def test_datacite_xml_says_what_the_json_says(workspace):
    folder = workspace.root / "metadata"
    record = json.loads((folder / "datacite.json").read_text("utf-8"))
    tree = etree.parse(folder / "datacite.xml").getroot()
    where = {"d": "http://datacite.org/schema/kernel-4"}
    assert tree.xpath("string(d:identifier)", namespaces=where) == record["doi"] == "10.5072/example"
    assert tree.xpath("string(//d:nameIdentifier)", namespaces=where) == ORCID
    assert tree.xpath("string(d:publicationYear)", namespaces=where) == record["publicationYear"]
    assert tree.xpath("string(//d:funderName)", namespaces=where) == "Example Fund"
    assert "kernel-4.7/metadata.xsd" in etree.tostring(tree).decode()


def test_dcat_says_the_same_in_turtle_and_in_json_ld(workspace):
    folder = workspace.root / "metadata"
    assert isomorphic(turtle(folder / "dcat.ttl"), Graph().parse(folder / "dcat.jsonld"))


def test_codemeta_is_of_this_package(workspace):
    said = json.loads((workspace.root / "metadata" / "codemeta.json").read_text("utf-8"))
    assert (said["name"], said["version"]) == ("mlmkg", __version__)
    assert said["license"] == "https://spdx.org/licenses/Apache-2.0"
    assert {"pyarrow", "rdflib"} <= {need["name"] for need in said["softwareRequirements"]}
    assert "torch" not in {need["name"] for need in said["softwareRequirements"]}


def test_the_citation_file_names_this_release():
    import yaml

    cited = yaml.safe_load((Path(__file__).parents[1] / "CITATION.cff").read_text("utf-8"))
    assert (cited["version"], cited["license"]) == (__version__, "Apache-2.0")
