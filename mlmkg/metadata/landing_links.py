"""Typed links of the landing page: what a program finds its way by (https://signposting.org/FAIR/).

A dataset and the files beside the page enter; the page's links (level 1) and a link set (level 2, RFC
9264) leave. A link that nobody can follow is left out: without an identifier and without a published
address there is nothing to cite the dataset as.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urljoin

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.dumped import dumps
from mlmkg.metadata.exports import Export
from mlmkg.metadata.parts import File
from mlmkg.metadata.terms import file_form

PAGE: Final = "index.html"
LINKSET: Final = "linkset.json"
#: Files in the page's own links; all of them stand in the link set.
MOST: Final = 200
_TYPES: Final = ("https://schema.org/AboutPage", "https://schema.org/Dataset")


@dataclass(frozen=True)
class Described:
    """A file that describes the dataset.

    :param path: where it is.
    :param title: what it is, a few words.
    :param media: its media type.
    :param profile: the IRI of what it conforms to, or "".
    """

    path: Path
    title: str
    media: str
    profile: str = ""


#: File name -> title, media type, profile.
_KNOWN: Final = {
    "schemaorg.jsonld": ("schema.org", "application/ld+json", "https://schema.org/"),
    "dcat.ttl": ("DCAT-AP 3", "text/turtle", "http://data.europa.eu/r5r/"),
    "dcat.jsonld": ("DCAT-AP 3", "application/ld+json", "http://data.europa.eu/r5r/"),
    "void.ttl": ("VoID: counts for query planners", "text/turtle", "http://rdfs.org/ns/void#"),
    "prov.ttl": ("PROV-O: how every graph was made", "text/turtle", "http://www.w3.org/ns/prov#"),
    "queries.ttl": (
        "the queries, as SPARQL editors list them", "text/turtle", "http://www.w3.org/ns/shacl#",
    ),
    "datacite.json": (
        "DataCite", "application/vnd.datacite.datacite+json", "http://datacite.org/schema/kernel-4",
    ),
    "datacite.xml": (
        "DataCite", "application/vnd.datacite.datacite+xml", "http://datacite.org/schema/kernel-4",
    ),
    "croissant.json": ("Croissant", "application/ld+json", "http://mlcommons.org/croissant/1.1"),
    "ro-crate-metadata.json": (
        "RO-Crate", "application/ld+json", "https://w3id.org/ro/crate/1.2",
    ),
}  # fmt: skip


def described(files: Sequence[Path]) -> list[Described]:
    """Return those of the files that describe the dataset, in the order of importance."""
    order = list(_KNOWN)
    known = [path for path in files if path.name in _KNOWN]
    known.sort(key=lambda path: (order.index(path.name), str(path)))
    return [Described(path, *_KNOWN[path.name]) for path in known]


@dataclass(frozen=True)
class Places:
    """Where the page and the files are, as the page and the link set name them.

    :param dataset: what the page is about.
    :param folder: the folder of the page on this machine.
    """

    dataset: Dataset
    folder: Path

    @property
    def page(self) -> str | None:
        """The page's address, if it is published."""
        given = self.dataset.description
        if given.landing_page:
            return given.landing_page
        root, folder = self.dataset.inventory.root, self.folder.resolve()
        if given.address and folder.is_relative_to(root):
            return urljoin(given.address, quote((folder / PAGE).relative_to(root).as_posix()))
        return None

    def file(self, file: File) -> str:
        """Return where a file of the workspace is: published, or beside the page."""
        if self.dataset.description.address:
            return urljoin(self.dataset.description.address, quote(file.path))
        return self.beside(self.dataset.inventory.root / file.path)

    def beside(self, path: Path) -> str:
        """Return where a file is that was written with the page."""
        root, address = self.dataset.inventory.root, self.dataset.description.address
        path = path.resolve()
        if path.parent == self.folder.resolve():
            return quote(path.name)
        if address and path.is_relative_to(root):
            return urljoin(address, quote(path.relative_to(root).as_posix()))
        return quote(relpath(path, self.folder.resolve()))

    @property
    def cited(self) -> str | None:
        """What the dataset is cited as: its identifier, else the page's published address."""
        return self.dataset.description.identifier or self.page


@dataclass(frozen=True)
class Group:
    """Files that are downloaded together.

    :param title: what they are, a few words.
    :param files: with their sizes and checksums.
    :param export: the export that they are, if they are one.
    :param dump: the dump that they are, ``dump/``, if they are one.
    """

    title: str
    files: tuple[File, ...]
    export: Export | None = None
    dump: str = ""


def groups(dataset: Dataset) -> Iterator[Group]:
    """Yield what can be downloaded: each export, each dump of the graph as it is, the graph files."""
    found = dataset.inventory
    for export in found.exports:
        yield Group(f"Export {export.name}", export.files, export)
    for dump in dumps(found):
        if dump.current:
            yield Group("The whole graph as a dump", dump.files, dump=f"{dump.folder}/")
    if graphs := tuple(graph.file for graph in found.graphs if graph.file):
        yield Group("The whole graph, one N-Triples file a named graph", graphs)


def links(places: Places, files: Sequence[Described]) -> dict[str, list[dict[str, str]]]:
    """Return relation -> targets of the page: ``href`` and, where known, ``type`` and ``profile``."""
    dataset = places.dataset
    given = dataset.description
    authors = [agent.iri for agent in given.creators if agent.iri]
    found: dict[str, list[dict[str, str]]] = {
        "cite-as": [{"href": places.cited}] if places.cited else [],
        "author": [{"href": iri} for iri in authors],
        "type": [{"href": iri} for iri in _TYPES],
        "license": [{"href": dataset.licence}] if dataset.licence else [],
        "describedby": [_target(places.beside(file.path), file.media, file.profile) for file in files],
        "item": [
            _target(places.file(file), form.media if (form := file_form(file.path)) else "")
            for group in groups(dataset)
            for file in group.files
        ],
    }
    return {relation: targets for relation, targets in found.items() if targets}


def linkset(places: Places, files: Sequence[Described]) -> bytes:
    """Return the link set: of the page, of every file, and of everything that describes them."""
    page = places.page or PAGE
    base = places.page or ""
    whole = links(places, files)
    contexts: list[dict[str, Any]] = [{"anchor": page, **whole}]
    for target in whole.get("item", ()):
        back = {"href": page, "type": "text/html"}
        contexts.append({"anchor": target["href"], "collection": [back]})
    for target in whole.get("describedby", ()):
        contexts.append({
            "anchor": target["href"], "describes": [{"href": page, "type": "text/html"}],
        })  # fmt: skip
    if base:  # beside a page that has an address, so has what lies beside it
        contexts = [_absolute(base, context) for context in contexts]
    text = json.dumps({"linkset": contexts}, indent=1, ensure_ascii=False)
    return f"{text}\n".encode()


def _absolute(base: str, context: dict[str, Any]) -> dict[str, Any]:
    return {
        relation: urljoin(base, targets) if relation == "anchor"
        else [{**target, "href": urljoin(base, target["href"])} for target in targets]
        for relation, targets in context.items()
    }  # fmt: skip


def _target(href: str, media: str = "", profile: str = "") -> dict[str, str]:
    said = {"href": href, "type": media, "profile": profile}
    return {key: value for key, value in said.items() if value}
