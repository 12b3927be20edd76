"""RO-Crate 1.2: an export's folder as a package of research data.

A dataset and one of its exports enter, the folder's ``ro-crate-metadata.json`` leaves
(https://www.researchobject.org/ro-crate/specification/1.2/). Tables, texts and the folder of images are
data entities; people, licences and origins are described once and referred to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from mlmkg.export.checksums import SUMS, files
from mlmkg.licences import family
from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.description import Agent
from mlmkg.metadata.exports import Export
from mlmkg.metadata.schemaorg import said
from mlmkg.metadata.terms import file_form
from mlmkg.provenance import SOFTWARE

NAME: Final = "ro-crate-metadata.json"
_VERSION: Final = "https://w3id.org/ro/crate/1.2"
_MEDIA: Final = {
    ".json": "application/json", ".md": "text/markdown", ".html": "text/html", ".png": "image/png",
    ".tsv": "text/tab-separated-values", SUMS: "text/plain",
}  # fmt: skip
_TEXTS: Final = {
    "README.md": "What the version holds, in words and counts",
    "ATTRIBUTION.tsv": "The credits that the licences of texts and images ask for",
    "manifest.json": "What the version was made from, and its files with their checksums",
    "croissant.json": "The tables as record sets (Croissant)",
    "report.html": "Maps and figures of the version",
    SUMS: "Checksums of all files but this one",
}


def rocrate(dataset: Dataset, export: Export, folder: Path) -> bytes:
    """Return the description of an export's folder.

    :param folder: where it is; files that are not in the manifest are looked up there.
    """
    crate = _Crate(dataset, export)
    crate.describe(folder)
    document = {"@context": f"{_VERSION}/context", "@graph": crate.entities}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


class _Crate:
    """The entities of a crate, each once."""

    def __init__(self, dataset: Dataset, export: Export) -> None:
        self.dataset, self.export = dataset, export
        self.entities: list[dict[str, Any]] = []

    def add(self, iri: str, kind: str | list[str], **values: Any) -> dict[str, str]:
        """Add an entity, or to the one of this name what it does not say yet; return a reference."""
        new = _short({"@id": iri, "@type": kind, **values})
        there = next((entity for entity in self.entities if entity["@id"] == iri), None)
        if there is None:
            self.entities.append(new)
        else:
            there.update({key: value for key, value in new.items() if key not in there})
        return {"@id": iri}

    def describe(self, folder: Path) -> None:
        dataset, export, given = self.dataset, self.export, self.dataset.description
        self.add(NAME, "CreativeWork", about={"@id": "./"}, conformsTo={"@id": _VERSION},
                 name="Description of this folder",
                 license=given.metadata_licence and self._licence(given.metadata_licence))  # fmt: skip
        root: dict[str, Any] = {"@id": "./", "@type": "Dataset"}
        self.entities.append(root)
        parts = [*self._files(folder), *self._images()]
        creators = [self._agent(creator, "Person") for creator in given.creators]
        root |= _short({
            "name": export.title,
            "description": dataset.export_text(export),
            "identifier": self.add(
                "#identifier", "PropertyValue", name="What the dataset's other metadata call it",
                propertyID="https://www.w3.org/TR/vocab-dcat-3/#Property:resource_identifier",
                value=dataset.export(export),
            ),
            "url": dataset.folder(export),
            "version": export.key[:16],
            "keywords": list(dataset.keywords),
            "datePublished": given.issued and given.issued.isoformat(),
            "dateModified": dataset.inventory.modified,
            "license": [self._licence(iri) for iri in dataset.licences],
            "creditText": dataset.credit,
            "usageInfo": dataset.rights,
            "author": creators,
            "creator": creators,
            "publisher": given.publisher
            and self._agent(given.publisher, "Organization", given.contact),
            "funding": [
                self.add(
                    grant.url or f"#grant-{number}", "Grant", name=grant.title or grant.award,
                    identifier=grant.award, funder=self._agent(grant.funder, "Organization"),
                )
                for number, grant in enumerate(given.funding, start=1)
            ],
            "funder": [self._agent(grant.funder, "Organization") for grant in given.funding],
            "inLanguage": list(export.languages),
            "spatialCoverage": self._place(),
            "temporalCoverage": given.temporal and "/".join(d.isoformat() for d in given.temporal),
            "isBasedOn": [
                self.add(origin.iri, "CreativeWork", name=origin.title, version=origin.version,
                         license=self._licence(origin.licence), creditText=origin.attribution,
                         url=origin.iri)
                for origin in dataset.inventory.origins
            ],
            "hasPart": parts,
            "mentions": self._export(),
        })  # fmt: skip
        if given.doi:
            root["cite-as"] = f"https://doi.org/{given.doi}"

    def _files(self, folder: Path) -> Iterable[dict[str, str]]:
        listed = {file.path.removeprefix(f"{self.export.path}/"): file for file in self.export.files}
        tables = {table.file.name: table for table in self.export.tables}
        place = self.dataset.folder(self.export)
        for name in [*files(folder), SUMS]:
            if name.startswith("images/") or name == NAME or not (folder / name).is_file():
                continue
            form = file_form(name)
            media = form.media if form else _MEDIA.get(name) or _MEDIA.get(Path(name).suffix)
            table = tables.get(name)
            text = f"{table.title} ({table.rows:,} rows)" if table else _TEXTS.get(name)
            size = (folder / name).stat().st_size
            if name == SUMS and f"  {NAME}\n" not in (folder / name).read_text("utf-8"):
                size += len(f"{'0' * 64}  {NAME}\n")  # the line that this file will get there
            yield self.add(
                name, "File", name=name, description=text, encodingFormat=media, contentSize=str(size),
                sha256=listed[name].sha256 if name in listed else None,
                url=place and place + quote(name),
            )  # fmt: skip

    def _images(self) -> Iterable[dict[str, str]]:
        if self.export.images == "files":
            yield self.add(
                "images/", "Dataset", name="Image files",
                description=f"{self.export.counts.image_files:,} image files, each named by its "
                "sha256; the table of images has their entities, licences and credits.",
            )  # fmt: skip

    def _agent(self, who: Agent, kind: str, contact: Agent | None = None) -> dict[str, str]:
        if who.person is not None:
            kind = "Person" if who.person else "Organization"
        if contact is None and who.email and kind == "Organization":
            contact = who
        return self.add(
            who.iri or f"#{'-'.join(who.name.split())}", kind, name=who.name, url=who.url or who.iri,
            email=who.email, contactPoint=contact and self._contact(contact),
            affiliation=who.affiliation and self._agent(who.affiliation, "Organization"),
        )  # fmt: skip

    def _contact(self, contact: Agent) -> dict[str, str]:
        iri = f"mailto:{contact.email}" if contact.email else contact.url or "#contact"
        return self.add(
            iri, "ContactPoint", name=contact.name, email=contact.email, url=contact.url,
            contactType="data",
        )  # fmt: skip

    def _licence(self, iri: str) -> dict[str, str]:
        name = family(iri).upper().replace("CC0", "CC0 1.0")
        return self.add(
            iri, "CreativeWork", name=f"Licence {name}" if name not in {"OTHER", "UNKNOWN"} else iri,
            url=iri, description=f"The licence that {iri} states.",
        )  # fmt: skip

    def _place(self) -> dict[str, str] | None:
        box = self.export.box
        if box is None:
            return None
        shape = self.add(
            "#shape",
            ["GeoShape", "Geometry"],
            name="Box around all entities",
            box=f"{box.south},{box.west} {box.north},{box.east}",
            asWKT=box.wkt,
        )
        return self.add("#place", "Place", name="Where the entities are", geo=shape)

    def _export(self) -> dict[str, str]:
        name, _, version = self.dataset.inventory.software[1].partition(" ")
        software = self.add(
            SOFTWARE, "SoftwareApplication", name=name, version=version or "unknown", url=SOFTWARE
        )
        return self.add(
            "#export", "CreateAction", name=f"Export of {self.export.name}", instrument=software,
            object=[
                self.add(iri, "CreativeWork", name=f"Named graph {iri.rpartition('/')[2]}",
                         identifier=f"sha256:{checksum}", url=iri)
                for iri, checksum in self.export.graphs.items()
            ],
            result={"@id": "./"},
        )  # fmt: skip


def _short(values: dict[str, Any]) -> dict[str, Any]:
    """Return what there is something to say about, a single value without its list."""
    return {
        key: value[0] if isinstance(value, list) and len(value) == 1 else value
        for key, value in said(values).items()
    }
