"""The formats: what each is called, what it cannot do without, and how it is written.

A :class:`Described` enters, files leave. A format of exports is written into each export's folder, and
into its SHA256SUMS, so that relative paths hold and ``mlmkg verify`` stays content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from mlmkg.catalog import Catalog, read_catalog
from mlmkg.export.checksums import SUMS, digest
from mlmkg.metadata import croissant, rocrate
from mlmkg.metadata.codemeta import codemeta
from mlmkg.metadata.datacite import datacite_json, datacite_xml
from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.dcat import dcat, dcat_jsonld
from mlmkg.metadata.exports import Export
from mlmkg.metadata.prov import prov
from mlmkg.metadata.queries import queries
from mlmkg.metadata.schemaorg import schemaorg
from mlmkg.metadata.void import void
from mlmkg.workspace import written_whole

#: What a setting is called that is looked at in another form.
_SAID: Final = {"doi": "identifier (a DOI)"}


@dataclass(frozen=True)
class Described:
    """What is described, and from where.

    :param store: the workspace's store.
    :param dataset: the names of its parts.
    :param folder: where files about the whole go.
    :param catalog: the query set; None: the shipped one.
    """

    store: ox.Store
    dataset: Dataset
    folder: Path
    catalog: Catalog | None = None


Write = Callable[[Described], Iterator[Path]]


@dataclass(frozen=True)
class Format:
    """A format.

    :param title: what it is, a few words.
    :param write: writes it and yields the paths.
    :param needs: settings of ``[dataset]`` without which it is not valid.
    :param wants: settings that its readers ask for, but can do without.
    :param of_exports: whether there is one file an export; then there must be an export.
    """

    title: str
    write: Write
    needs: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    of_exports: bool = False

    def lacks(self, dataset: Dataset) -> list[str]:
        """Return why it cannot be written, or nothing."""
        given = dataset.description
        missing = [_SAID.get(name, name) for name in self.needs if not getattr(given, name)]
        reasons = []
        if missing:
            what = "them" if missing[1:] else "it"
            reasons = [f"needs {', '.join(missing)}: add {what} to [dataset] of mlmkg.toml"]
        if self.of_exports and not any(export.tables for export in dataset.inventory.exports):
            reasons.append("describes an export with Parquet tables: run `mlmkg export`")
        return reasons


def _whole(name: str, content: Callable[[Described], bytes]) -> Write:
    """Return what writes one file about the whole."""

    def write(what: Described) -> Iterator[Path]:
        said = content(what)
        with written_whole(what.folder / name) as stream:
            stream.write(said)
        yield what.folder / name

    return write


def _each(name: str, content: Callable[[Dataset, Export, Path], bytes]) -> Write:
    """Return what writes one file into every export that has tables."""

    def write(what: Described) -> Iterator[Path]:
        for export in what.dataset.inventory.exports:
            if not export.tables:
                continue
            folder = what.dataset.inventory.root / export.path
            said = content(what.dataset, export, folder)  # before there is half a file in the folder
            with written_whole(folder / name) as stream:
                stream.write(said)
            add_sum(folder, name)
            yield folder / name

    return write


def add_sum(folder: Path, name: str) -> None:
    """Write a file's checksum into the SHA256SUMS of an export's folder, if that has one."""
    path = folder / SUMS
    if not path.is_file():
        return
    lines = {line.partition("  ")[2]: line for line in path.read_text("utf-8").splitlines()}
    lines[name] = f"{digest(folder / name)}  {name}"
    with written_whole(path) as stream:
        stream.write("".join(f"{lines[key]}\n" for key in sorted(lines)).encode())


_CITED: Final = ("creators", "publisher", "issued")
FORMATS: Final[Mapping[str, Format]] = {
    "void": Format("VoID: counts for query planners", _whole("void.ttl", lambda w: void(w.dataset))),
    "dcat": Format(
        "DCAT-AP 3 (Turtle)", _whole("dcat.ttl", lambda w: dcat(w.dataset)),
        wants=("availability", "metadata_licence"),
    ),
    "dcat-jsonld": Format(
        "DCAT-AP 3 (JSON-LD)", _whole("dcat.jsonld", lambda w: dcat_jsonld(w.dataset))
    ),
    "prov": Format("PROV-O", _whole("prov.ttl", lambda w: prov(w.store, w.dataset))),
    "queries": Format(
        "SPARQL queries in SHACL",
        _whole("queries.ttl", lambda w: queries(
            w.catalog or read_catalog(), w.dataset.description.endpoint
        )),
        wants=("endpoint",),
    ),
    "schemaorg": Format(
        "schema.org", _whole("schemaorg.jsonld", lambda w: schemaorg(w.dataset)), wants=("free",)
    ),
    "croissant": Format(
        "Croissant 1.1",
        _each(croissant.NAME, lambda dataset, export, folder: croissant.croissant(dataset, export)),
        wants=("creators", "issued", "version"), of_exports=True,
    ),
    "ro-crate": Format(
        "RO-Crate 1.2", _each(rocrate.NAME, rocrate.rocrate), needs=("publisher", "issued"),
        wants=("creators",), of_exports=True,
    ),
    "datacite-json": Format(
        "DataCite 4.5 (JSON)", _whole("datacite.json", lambda w: datacite_json(w.dataset)), _CITED,
        wants=("identifier",),
    ),
    "datacite-xml": Format(
        "DataCite 4.7 (XML)", _whole("datacite.xml", lambda w: datacite_xml(w.dataset)),
        (*_CITED, "doi"),
    ),
    "codemeta": Format("CodeMeta 3: the software", _whole("codemeta.json", lambda w: codemeta())),
}  # fmt: skip
