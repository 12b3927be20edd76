"""The landing page: a person reads it, a program finds its way, and what it says is in the store."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import pytest
import rdflib
from PIL import Image
from signposting import find_signposting_html

from mlmkg.metadata import write_metadata
from mlmkg.metadata.landing import landing
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace

from .accepted import link_set, signposted
from .conftest import invoke
from .test_report import HOSTILE, Page

SETTINGS = {
    "title": "Cities",
    "description": "Three hundred cities of the world, with pictures and texts about each of them.",
    "keywords": ["cities", "knowledge graph"],
    "creators": [
        {"name": "Ada Example", "orcid": "0000-0002-1825-0097"}, {"name": "Bob O'Neill {x}"},
    ],
    "publisher": {"name": "City archive", "url": "https://archive.example/"},
    "licence": "https://creativecommons.org/licenses/by/4.0/",
    "issued": "2026-11-24", "version": "1.0", "free": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def workspace(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small dataset with an export of the version mlm, and a dump."""
    folder = tmp_path_factory.mktemp("landing") / "mlm"
    shutil.copytree(built, folder)
    for words in (("export", "--no-report", "--version", "mlm"), ("dump", "-o", folder / "dump")):
        result = invoke("-w", folder, *words)
        assert result.exit_code == 0, result.output
    return Workspace(folder)


class Served(SimpleHTTPRequestHandler):
    """A plain web server for files, as anyone has one."""

    extensions_map = {  # noqa: RUF012
        **SimpleHTTPRequestHandler.extensions_map, ".ttl": "text/turtle",
        ".jsonld": "application/ld+json",
    }  # fmt: skip

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(workspace: Workspace) -> Iterator[str]:
    """Where the workspace is published."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Served, directory=workspace.root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def page_of(workspace: Workspace, folder: Path, **settings: object) -> dict[str, bytes]:
    """Write the metadata and the page into a folder; return the page's files."""
    store = open_read_only(workspace).raw
    written = write_metadata(store, workspace, folder, settings=settings)
    made = landing(store, written.dataset, folder, written.files)
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return dict(made)


@pytest.fixture(scope="module")
def published(workspace: Workspace, address: str) -> str:
    """The address of the page of somebody who has said everything but an identifier."""
    page_of(workspace, workspace.metadata, **SETTINGS, address=address)
    return f"{address}metadata/index.html"


@pytest.fixture(scope="module")
def bare(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the page of somebody who has said nothing, outside the workspace."""
    folder = tmp_path_factory.mktemp("bare")
    page_of(workspace, folder)
    return folder


def text_of(folder: Path) -> str:
    return (folder / "index.html").read_text("utf-8")


# For programs


def test_the_page_is_signposted(published: str, address: str):
    found = find_signposting_html(published)
    assert found.citeAs.target == published
    assert found.license.target == SETTINGS["licence"]
    assert {a.target for a in found.authors} == {"https://orcid.org/0000-0002-1825-0097"}
    assert {t.target for t in found.types} == {
        "https://schema.org/AboutPage", "https://schema.org/Dataset",
    }  # fmt: skip
    assert {s.type for s in found.describedBy} >= {"text/turtle", "application/ld+json"}
    assert list(signposted(published)) == []
    for sign in (*found.describedBy, *found.linksets):
        with urlopen(sign.target) as answer:
            if sign.type == "text/turtle":
                assert rdflib.Graph().parse(data=answer.read(), format="turtle"), sign
            elif "json" in str(sign.type):
                assert json.loads(answer.read()), sign
    names = {urlsplit(sign.target).path.rpartition("/")[2] for sign in found.describedBy}
    assert names >= {"void.ttl", "dcat.ttl", "prov.ttl", "schemaorg.jsonld", "croissant.json"}
    paths = {str(sign.target).removeprefix(address) for sign in found.items}
    assert paths >= {"exports/mlm/entities.parquet", "dump/graph.nq.gz"}


def test_the_link_set_says_what_the_page_says_and_leads_back_to_it(published: str):
    assert list(link_set(published)) == []
    (sign,) = find_signposting_html(published).linksets
    assert sign.type == "application/linkset+json"
    document = json.loads(urlopen(sign.target).read())
    assert [c for c in document["linkset"] if "describes" in c]


def test_the_embedded_description_is_that_of_the_file(bare: Path):
    page = text_of(bare)
    start = page.index('<script type="application/ld+json">') + 35
    inside = page[start : page.index("</script>", start)]
    assert json.loads(inside) == json.loads((bare / "schemaorg.jsonld").read_text("utf-8"))


def test_an_identifier_is_what_the_dataset_is_cited_as(workspace: Workspace, tmp_path: Path):
    doi = "https://doi.org/10.5281/zenodo.1"
    page_of(workspace, tmp_path, identifier=doi, landing_page="https://data.example/about/")
    page = Page(text_of(tmp_path))
    assert [a["href"] for a in page.all("link") if a["rel"] == "cite-as"] == [doi]
    assert "no registered identifier" not in page.text
    (whole, *_) = json.loads((tmp_path / "linkset.json").read_text("utf-8"))["linkset"]
    assert whole["anchor"] == "https://data.example/about/"
    assert {t["href"] for t in whole["describedby"]} >= {"https://data.example/about/void.ttl"}


def test_nothing_is_made_up_where_nothing_was_said(bare: Path):
    page = Page(text_of(bare))
    relations = {a["rel"] for a in page.all("link")}
    assert not relations & {"cite-as", "author", "license"}
    assert "no registered identifier" in page.text
    assert "Nobody is named as its creator" in page.text
    assert "nothing says that they are published" in page.text


#: What F-UJI's metrics (https://doi.org/10.5281/zenodo.6461229) ask of a page and of what it leads to.
FAIR = {
    "F1-01 a unique identifier": lambda s, p: s["@id"].startswith("http"),
    "F2-01 core metadata": lambda s, p: all(
        s[name] for name in ("creator", "name", "identifier", "publisher", "datePublished",
                             "description", "keywords", "@type", "version")
    ),
    "F3-01 the identifier of the data": lambda s, p: all(
        d["contentUrl"].startswith("http") for d in s["distribution"]
    ),
    "F4-01 found by search engines": lambda s, p: bool(p.describedBy),
    "A1-01 access": lambda s, p: s["isAccessibleForFree"] is True,
    "I1-01 formal representation": lambda s, p: {"text/turtle", "application/ld+json"} <= {
        str(sign.type) for sign in p.describedBy
    },
    "I3-01 links to related things": lambda s, p: s["isBasedOn"] and s["hasPart"],
    "R1-01 content": lambda s, p: all(
        d["encodingFormat"] and d["contentSize"] and d["sha256"] for d in s["distribution"]
    ),
    "R1.1-01 licence": lambda s, p: p.license.target in s["license"],
    "R1.2-01 provenance": lambda s, p: [
        sign for sign in p.describedBy if str(sign.target).endswith("prov.ttl")
    ],
    "R1.3-01 standards of a community": lambda s, p: {
        "http://data.europa.eu/r5r/", "http://mlcommons.org/croissant/1.1",
    } <= {str(profile) for sign in p.describedBy for profile in sign.profiles},
    "R1.3-02 open file formats": lambda s, p: {str(sign.type) for sign in p.items} <= {
        "application/vnd.apache.parquet", "application/n-triples", "application/n-quads", "text/turtle",
    },
}  # fmt: skip


@pytest.mark.parametrize("metric", FAIR)
def test_an_assessment_has_nothing_to_ask_for_but_a_registered_identifier(metric: str, published: str):
    page = find_signposting_html(published)
    (jsonld,) = [s.target for s in page.describedBy if s.target.endswith("schemaorg.jsonld")]
    with urlopen(jsonld) as answer:
        assert FAIR[metric](json.loads(answer.read()), page)


def test_the_sizes_and_checksums_of_downloads_are_those_of_the_files(published: str, bare: Path):
    with urlopen(published) as answer:
        page = answer.read().decode()
    whole = json.loads((bare / "schemaorg.jsonld").read_text("utf-8"))
    sizes = {
        d["sha256"]: d["contentSize"]
        for part in (whole, *whole["hasPart"])
        for d in part["distribution"]
    }
    items = find_signposting_html(published).items
    assert len(items) > 15
    for item in items:
        with urlopen(item.target) as answer:
            content = answer.read()
        digest = sha256(content).hexdigest()
        assert f"<code>{digest}</code>" in page, item
        assert "/dump/" in item.target or sizes[digest] == f"{len(content)} B", item


# For people


def test_the_numbers_are_those_of_the_store(bare: Path, store):
    page = Page(text_of(bare))
    ((triples,),) = store.rows("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    ((asia,),) = store.rows(
        'SELECT (COUNT(*) AS ?n) { ?e a mlm:Entity ; wdt:P17/wdt:P30/rdfs:label "Asia"@en }'
    )
    ((china,),) = store.rows("SELECT (COUNT(*) AS ?n) { ?e a mlm:Entity ; wdt:P17 wd:Q148 }")
    for number in (300, int(triples), int(asia), int(china)):
        assert f"{number:,}" in page.text
    assert f"{100 * int(asia) / 300:.0f} % of the entities are in Asia" in page.text
    assert "All summaries are sentences made from facts by program" in page.text
    for graph in store.graphs():
        assert graph == "provenance" or f">{graph.replace('_', ' ')}<" in text_of(bare), graph


def test_the_map_is_a_picture_with_words_for_those_who_do_not_see_it(bare: Path):
    (picture,) = Page(text_of(bare)).all("img")
    with Image.open(BytesIO((bare / str(picture["src"])).read_bytes())) as image:
        assert image.width > 1000
        assert abs(image.width / image.height - int(picture["width"]) / int(picture["height"])) < 0.01
    assert "Asia 197" in picture["alt"]


def test_every_link_leads_to_a_file_that_is_there_and_the_page_asks_nobody_for_anything(bare: Path):
    page = Page(text_of(bare))
    links = [a["href"] for tag in ("a", "link") for a in page.all(tag)]
    local = [link for link in links if ":" not in link and not link.startswith("#")]
    assert len(local) > 30
    for link in local:
        assert (bare / unquote(link)).is_file(), link
    anchors = {a["id"] for _, a in page.tags if "id" in a}
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    assert {a.get("type") for a in page.all("script")} == {"application/ld+json"}
    assert not {tag for tag, _ in page.tags} & {"iframe", "object", "embed", "base", "form"}
    assert not [a for a in page.all("link") if a["rel"] in {"stylesheet", "preload", "icon"}]
    assert "url(" not in text_of(bare)
    assert "@import" not in text_of(bare)


def test_what_a_setting_holds_is_text_whatever_it_looks_like(workspace: Workspace, tmp_path: Path):
    hostile = {**SETTINGS, "title": f"</script>{HOSTILE}", "publisher": {"name": HOSTILE}}
    page_of(workspace, tmp_path, **hostile)
    page = Page(text_of(tmp_path))
    assert list(page.all("script")) == [{"type": "application/ld+json"}]
    assert HOSTILE.splitlines()[0] in page.text
    assert page.text.count("{{ 7 * 7 }}") > 3  # a template would have made 49 of it


def test_the_citation_names_who_made_it_and_where_it_is(published: str):
    with urlopen(published) as answer:
        page = Page(answer.read().decode())
    cited = "Ada Example; Bob O'Neill {x} (2026). Cities (version 1.0) [data set]. City archive."
    assert f"{cited} {published}" in page.text
    assert "author = {{Ada Example} and" in page.text
    assert "CC BY 4.0" in page.text
    assert "free of charge, at http://127.0.0.1" in page.text


def test_the_same_store_gives_the_same_page(workspace: Workspace, bare: Path):
    before = {path.name: path.read_bytes() for path in bare.iterdir()}
    again = page_of(workspace, bare)
    assert {name: before[name] for name in again} == again


def test_the_command_writes_the_page_beside_what_it_links_to(workspace: Workspace, tmp_path: Path):
    result = invoke("-w", workspace.root, "metadata", "--html", "--format", "void,prov", "-o", tmp_path)
    assert result.exit_code == 0, result.output
    names = {"index.html", "linkset.json", "map.png", "void.ttl", "prov.ttl"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(f"{tmp_path}/{name}" in result.stdout for name in names)
