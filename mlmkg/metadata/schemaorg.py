"""schema.org: what a search engine for datasets reads from a page.

A dataset enters, JSON-LD leaves. Its context stands in the file, so that nothing has to be fetched to
read it; the terms are ``http://schema.org/…``, the form that Google's and Science-on-Schema.org's
shapes know (https://github.com/ESIPFed/science-on-schema.org, guides/Dataset.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.description import Agent, Grant
from mlmkg.metadata.exports import Export
from mlmkg.metadata.parts import Box, File
from mlmkg.metadata.terms import file_form
from mlmkg.vocab import SCHEMA


def schemaorg(dataset: Dataset) -> bytes:
    """Return the description as JSON-LD."""
    return (json.dumps(document(dataset), indent=2, ensure_ascii=False) + "\n").encode()


def document(dataset: Dataset) -> dict[str, Any]:
    """Return the description as a JSON-LD document, for a file or a page."""
    found, given = dataset.inventory, dataset.description
    graphs = [(graph.file, f"Graph {graph.name}") for graph in found.graphs if graph.file]
    whole = _dataset(
        dataset, dataset.iri, dataset.title, dataset.text, found.summaries, found.box, graphs,
        dataset.version,
    )  # fmt: skip
    whole["isBasedOn"] = [
        {
            "@id": origin.iri, "@type": "CreativeWork", "name": origin.title,
            "version": origin.version, "license": origin.licence, "creditText": origin.attribution,
        }
        for origin in found.origins
    ]  # fmt: skip
    whole["hasPart"] = [_export(dataset, export) for export in found.exports]
    whole["sameAs"] = given.identifier or given.address
    if given.identifier:
        whole["identifier"] = [dataset.iri, _identifier(dataset)]
    if given.previous:
        whole["isBasedOn"].append({
            "@id": given.previous.iri, "@type": "CreativeWork", "version": given.previous.version,
            "name": f"{dataset.title}, version {given.previous.version}",
        })  # fmt: skip
    return {"@context": {"@vocab": str(SCHEMA)}, **said(whole)}


def _identifier(dataset: Dataset) -> Any:
    given = dataset.description
    if given.doi is None:
        return given.identifier
    return {
        "@id": given.identifier, "@type": "PropertyValue", "value": f"doi:{given.doi}",
        "propertyID": "https://registry.identifiers.org/registry/doi",
        "url": f"https://doi.org/{given.doi}",
    }  # fmt: skip


def _export(dataset: Dataset, export: Export) -> dict[str, Any]:
    files = [(file, f"Table {file.name}") for file in export.files]
    part = _dataset(
        dataset, dataset.export(export), export.title, dataset.export_text(export),
        export.languages, export.box, files, export.key[:16],
    )  # fmt: skip
    part["sameAs"] = dataset.folder(export)
    part["isPartOf"] = {"@id": dataset.iri}
    columns = {one.name: one for table in export.tables for one in table.fields if one.meaning}
    part["variableMeasured"] = [
        said({
            "@type": "PropertyValue", "name": one.name, "description": one.meaning,
            "unitText": one.unit,
        })
        for one in columns.values()
    ]  # fmt: skip
    return part


def _dataset(
    dataset: Dataset, iri: str, name: str, text: str, languages: Iterable[str], box: Box | None,
    files: Iterable[tuple[File, str]], version: str,
) -> dict[str, Any]:  # fmt: skip
    found, given = dataset.inventory, dataset.description
    place = box and {
        "@type": "Place",
        "geo": {"@type": "GeoShape", "box": f"{box.south} {box.west} {box.north} {box.east}"},
    }
    return said({
        "@id": iri,
        "@type": "Dataset",
        "name": name,
        "description": text,
        "url": dataset.page,
        "identifier": iri,
        "version": version,
        "keywords": list(dataset.keywords),
        "license": list(dataset.licences),
        "isAccessibleForFree": given.free,
        "creditText": dataset.credit,
        "creator": [agent(creator) for creator in given.creators],
        "publisher": given.publisher and agent(given.publisher, "Organization"),
        "provider": given.publisher and {"@id": given.publisher.iri},
        "funding": grants(given.funding),
        "datePublished": given.issued and given.issued.isoformat(),
        "dateModified": found.modified,
        "inLanguage": list(languages),
        "spatialCoverage": place,
        "temporalCoverage": given.temporal and "/".join(d.isoformat() for d in given.temporal),
        "distribution": [_file(dataset, file, title) for file, title in files],
    })  # fmt: skip


def _file(dataset: Dataset, file: File, name: str) -> dict[str, Any]:
    form = file_form(file.path)
    return {
        "@type": "DataDownload",
        "name": name,
        "contentUrl": dataset.address(file),
        "encodingFormat": form.media if form else "application/octet-stream",
        "contentSize": f"{file.bytes} B",
        "sha256": file.sha256,
    }


def agent(who: Agent, kind: str = "Person") -> dict[str, Any]:
    """Return a person or an organisation.

    :param kind: what it is taken for where its identifiers do not tell.
    """
    if who.person is not None:
        kind = "Person" if who.person else "Organization"
    return said({
        "@type": kind, "@id": who.iri, "name": who.name, "url": who.url or who.iri,
        "email": who.email,
        "affiliation": who.affiliation and agent(who.affiliation, "Organization"),
    })  # fmt: skip


def grants(funding: Iterable[Grant]) -> list[dict[str, Any]]:
    """Return the grants that paid for a dataset."""
    return [
        said({
            "@type": "MonetaryGrant", "@id": grant.url, "identifier": grant.award,
            "name": grant.title, "url": grant.url, "funder": agent(grant.funder, "Organization"),
        })
        for grant in funding
    ]  # fmt: skip


def said(values: dict[str, Any]) -> dict[str, Any]:
    """Return what there is something to say about."""
    return {
        key: value for key, value in values.items()
        if value not in (None, "", [], {}, {"@id": None})
    }  # fmt: skip
