"""Every published file is accepted as it is, and refused once something in it is not so."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib import DCTERMS, PROV, RDFS, VOID, Literal, URIRef

from mlmkg.metadata import FORMATS, write_metadata
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests import accepted
from tests.conftest import invoke
from tests.described import DCAT, SETTINGS, SPDX, turtle
from tests.faults import Change, both, broken, fact, instead, member, typed, without
from tests.shapes import DCAT_AP
from tests.test_landing import Served
from tests.test_metadata_prov import violations
from tests.test_queries_described import SHAPES

MLM = rdflib.Namespace("https://w3id.org/mlmkg/ontology#")
WDT = rdflib.Namespace("http://www.wikidata.org/prop/direct/")
ENDPOINT = URIRef(str(SETTINGS["endpoint"]))


@dataclass
class Published:
    """A workspace on a web server.

    :param root: its folder, with ``metadata/``, ``exports/mlm/`` and ``dump/``.
    :param address: where it is published.
    """

    root: Path
    address: str

    @cached_property
    def store(self) -> ox.Store:
        return open_read_only(Workspace(self.root)).raw

    @cached_property
    def counted(self) -> dict[str, accepted.Counts]:
        return accepted.recount(self.store)

    @property
    def page(self) -> str:
        return f"{self.address}metadata/index.html"


@pytest.fixture(scope="module")
def published(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The small dataset with an export, a dump, all metadata and the page, all settings filled in."""
    folder = tmp_path_factory.mktemp("published") / "mlm"
    shutil.copytree(built, folder)
    for words in (("export", "--no-report", "--version", "mlm"), ("dump", "-o", folder / "dump")):
        result = invoke("-w", folder, *words)
        assert result.exit_code == 0, result.output
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Served, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    whole = Published(folder, address)
    settings = {**SETTINGS, "address": address, "landing_page": whole.page}
    write_metadata(whole.store, Workspace(folder), folder / "metadata", settings=settings, html=True)
    yield whole
    server.shutdown()
    server.server_close()


def dcat(there: Published, path: Path, form: str) -> Iterator[str]:
    said = rdflib.Graph().parse(path, format=form)
    yield from accepted.shacl(said, DCAT_AP)
    yield from accepted.distributions(said, there.root, there.address)


def void(there: Published, path: Path) -> Iterator[str]:
    return accepted.void(turtle(path), there.counted, there.store)


#: Published file -> who judges it.
JUDGES: dict[str, Callable[[Published, Path], Iterator[str] | list[str]]] = {
    "metadata/void.ttl": void,
    "metadata/dcat.ttl": partial(dcat, form="turtle"),
    "metadata/dcat.jsonld": partial(dcat, form="json-ld"),
    "metadata/prov.ttl": lambda there, path: violations(turtle(path)),
    "metadata/queries.ttl": lambda there, path: accepted.shacl(turtle(path), SHAPES),
    "metadata/schemaorg.jsonld": lambda there, path: [
        *accepted.science_on_schema_org(path), *accepted.google(path),
    ],
    "metadata/datacite.json": lambda there, path: accepted.datacite_json(path),
    "metadata/datacite.xml": lambda there, path: accepted.datacite_xml(path),
    "metadata/codemeta.json": lambda there, path: accepted.codemeta(path),
    "metadata/index.html": lambda there, path: accepted.signposted(there.page),
    "metadata/linkset.json": lambda there, path: accepted.link_set(there.page),
    "metadata/map.png": lambda there, path: accepted.picture(path),
    "exports/mlm/croissant.json": lambda there, path: accepted.croissant(path, ("cells", "entities")),
    "exports/mlm/SHA256SUMS": lambda there, path: accepted.checksums(path.parent),
    "dump/void.ttl": void,
    "dump/SHA256SUMS": lambda there, path: accepted.checksums(path.parent),
}  # fmt: skip


ZEROS = "0" * 64
VOID_FAULTS: list[tuple[str, Change, str]] = [
    ("a wrong count of triples", fact(VOID.triples, 1, sparqlEndpoint=ENDPOINT), "triples"),
    ("a wrong count of a property", fact(VOID.triples, 1, property=MLM.cell), "property"),
    ("a wrong count of subjects", fact(VOID.distinctSubjects, 1, property=MLM.cell), "subjects of"),
    ("a wrong count of a graph", fact(VOID.classes, 1, dataDump=None), "classes of http"),
    ("a wrong count of a class", fact(VOID.entities, 1, **{"class": MLM.Entity}), "class"),
    ("a wrong count of links", fact(VOID.triples, 1, linkPredicate=WDT.P31), "links"),
    ("links to another dataset", fact(VOID.objectsTarget, WDT.P31, linkPredicate=WDT.P31), "links"),
    ("no links", fact(VOID.uriRegexPattern, None), "links"),
    ("a graph less", without(r"void:subset <[^>]*?/cells>,|<[^>]*?/cells>,"), "graph"),
]  # fmt: skip
FAULTS: dict[str, list[tuple[str, Change, str]]] = {
    "metadata/void.ttl": VOID_FAULTS,
    "dump/void.ttl": VOID_FAULTS[1:2],
    "metadata/dcat.ttl": [
        ("no licence", both(fact(DCTERMS.license, None), fact(DCTERMS.rights, None)), "license"),
        ("a bad date", fact(DCTERMS.issued, Literal("yesterday")), "issued"),
        ("a wrong size", fact(DCAT.byteSize, typed("7", "nonNegativeInteger")), "size"),
        ("another checksum", fact(SPDX.checksumValue, typed(ZEROS, "hexBinary")), "checksum"),
        ("no publisher", fact(DCTERMS.publisher, None), "publisher"),
    ],
    "metadata/dcat.jsonld": [
        ("a bad date", instead(r'"dct:issued": {[^}]*}', '"dct:issued": "yesterday"'), "issued"),
        ("another checksum", instead(r'"@value": "[0-9a-f]{64}"', f'"@value": "{ZEROS}"'), "checksum"),
    ],
    "metadata/prov.ttl": [
        ("a bad date", fact(PROV.endedAtTime, typed("1999-01-01T00:00:00Z", "dateTime")), "order"),
        ("an agent that is none", fact(PROV.wasAssociatedWith, URIRef("http://x.example/")), "typing"),
    ],
    "metadata/queries.ttl": [
        ("no endpoint", fact(URIRef("https://schema.org/target"), None), "target"),
        ("no explanation", fact(RDFS.comment, None), "comment"),
    ],
    "metadata/schemaorg.jsonld": [
        ("no licence", member("license"), "license"),
        ("a bad date", member("datePublished", value="yesterday"), "datePublished"),
        ("a checksum that is none", member("distribution", 0, "sha256", value="0"), "sha256"),
        ("no version", member("version"), "version"),
        ("a name that is no name", member("name"), "Name is required"),
    ],
    "metadata/datacite.json": [
        ("no publisher", member("publisher"), "publisher"),
        ("a bad kind of date", member("dates", 0, "dateType", value="Yesterday"), "Yesterday"),
        ("a bad year", member("publicationYear", value="last year"), "last year"),
        ("nobody", member("creators", value=[]), "creators"),
        ("no DOI", member("doi", value="example"), "example"),
    ],
    "metadata/datacite.xml": [
        ("no licence", without(r' rightsURI="[^"]*"'), "rights"),
        ("a bad date", instead(r'dateType="Issued">[^<]*', 'dateType="Issued">yesterday'), "date"),
        ("no DOI", instead(r'Type="DOI">[^<]*', 'Type="DOI">example'), "identifier"),
        ("no publisher", without(r"<publisher.*?</publisher>"), "publisher"),
    ],
    "metadata/codemeta.json": [
        ("no licence", member("license"), "license"),
        ("a version that is none", member("version", value="new"), "version"),
    ],
    "metadata/index.html": [
        ("no licence", without(r'<link rel="license"[^>]*>'), "license"),
        ("nothing to cite", without(r'<link rel="cite-as"[^>]*>'), "citeAs"),
        ("a file that is not there", instead(r'(rel="item" href="[^"]*)\.parquet', r"\1.csv"), "404"),
        ("another checksum", instead("<code>[0-9a-f]{64}</code>", f"<code>{ZEROS}</code>"), "checksum"),
    ],
    "metadata/linkset.json": [
        ("no licence", member("linkset", 0, "license"), "license"),
        ("a file less", member("linkset", 0, "item", 0), "items"),
        ("no way back", member("linkset", 1, "collection", 0, "href", value="http://x.example/"),
         "collection"),
    ],
    "metadata/map.png": [("half a picture", lambda content: content[: len(content) // 2], "truncated")],
    "exports/mlm/croissant.json": [
        ("no licence", member("license"), "license"),
        ("a bad date", member("datePublished", value="yesterday"), "yesterday"),
        ("another checksum", member("distribution", 0, "sha256", value=ZEROS), "Hash"),
        ("no media type", member("distribution", 0, "encodingFormat"), "encodingFormat"),
        ("a file that is not there",
         instead('"fileObject": {.*?"@id": "cells', '"fileObject": {"@id": "no'), "no.parquet"),
        ("a column that is not there", instead('"column": "cell"', '"column": "nothing"'), "nothing"),
    ],
    "exports/mlm/SHA256SUMS": [
        ("another checksum", instead("^[0-9a-f]{64}", ZEROS), "ATTRIBUTION.tsv"),
        ("a file less", without(r"[0-9a-f]{64}  cells.parquet\n"), "cells.parquet"),
    ],
    "dump/SHA256SUMS": [("another checksum", instead("^[0-9a-f]{64}", ZEROS), "graph.nq.gz")],
}  # fmt: skip


def test_every_file_that_is_written_has_a_judge_and_is_broken_once(published: Published) -> None:
    written = {f"metadata/{path.name}" for path in (published.root / "metadata").iterdir()}
    assert len(written) == len(FORMATS) - 2 + 3, "all formats but two of exports, and a page of three"
    assert written | {"exports/mlm/croissant.json", "dump/void.ttl"} < set(JUDGES)
    assert set(JUDGES) == set(FAULTS)


@pytest.mark.parametrize("name", JUDGES)
def test_a_published_file_is_accepted(name: str, published: Published) -> None:
    assert list(JUDGES[name](published, published.root / name)) == []


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        pytest.param(name, change, complaint, id=f"{name.rpartition('/')[2]} with {fault}")
        for name, faults in FAULTS.items()
        for fault, change, complaint in faults
    ],
)
def test_a_broken_one_is_refused(
    name: str, change: Change, complaint: str, published: Published
) -> None:
    path = published.root / name
    with broken(path, change):
        found = list(JUDGES[name](published, path))
    assert any(complaint in one for one in found), found


@pytest.mark.slow
def test_roc_validator_accepts_a_crate_and_refuses_one_without_licence_date_or_file(
    published: Published, tmp_path: Path
) -> None:
    def change(content: bytes) -> bytes:
        document = json.loads(content)
        (root,) = [entity for entity in document["@graph"] if entity["@id"] == "./"]
        del root["license"]
        root["datePublished"] = "yesterday"
        return json.dumps(document).encode()

    path = published.root / "exports/mlm/ro-crate-metadata.json"
    crate = accepted.crate_validator(tmp_path / "crates")
    assert crate(path.parent) == []
    table = path.with_name("cells.parquet").rename(tmp_path / "cells.parquet")
    with broken(path, change):
        found = "\n".join(crate(path.parent))
    table.rename(path.with_name("cells.parquet"))
    for fault in ("`license`", "`datePublished`", "cells.parquet"):
        assert fault in found


@pytest.mark.parametrize("name", ["exports/mlm/cells.parquet", "dump/graph.nq.gz"])
def test_a_changed_file_is_found_by_its_checksum(name: str, published: Published) -> None:
    path = published.root / name
    with broken(path, lambda content: content[:-9] + b"!" + content[-8:]):
        assert accepted.checksums(path.parent) == [path.name]
