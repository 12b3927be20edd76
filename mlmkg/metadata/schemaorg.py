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
from mlmkg.metadata.description import Agent
from mlmkg.metadata.exports import Export
from mlmkg.metadata.parts import Box, File
from mlmkg.metadata.terms import file_form
from mlmkg.vocab import SCHEMA


def schemaorg(dataset: Dataset) -> bytes:
    """Return the description as JSON-LD."""
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
    if given.identifier:
        whole["identifier"] = [dataset.iri, given.identifier]
    document = {"@context": {"@vocab": str(SCHEMA)}, **_said(whole)}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _export(dataset: Dataset, export: Export) -> dict[str, Any]:
    files = [(file, f"Table {file.path.rpartition('/')[2]}") for file in export.files]
    return _dataset(
        dataset, dataset.export(export), export.title, dataset.export_text(export),
        export.languages, export.box, files, export.key[:16],
    )  # fmt: skip


def _dataset(
    dataset: Dataset, iri: str, name: str, text: str, languages: Iterable[str], box: Box | None,
    files: Iterable[tuple[File, str]], version: str,
) -> dict[str, Any]:  # fmt: skip
    found, given = dataset.inventory, dataset.description
    place = box and {
        "@type": "Place",
        "geo": {"@type": "GeoShape", "box": f"{box.south} {box.west} {box.north} {box.east}"},
    }
    return _said({
        "@id": iri,
        "@type": "Dataset",
        "name": name,
        "description": text,
        "url": dataset.page,
        "identifier": iri,
        "version": version,
        "keywords": list(dataset.keywords),
        "license": dataset.licence,
        "creditText": dataset.credit,
        "creator": [_agent(creator) for creator in given.creators],
        "publisher": given.publisher and _agent(given.publisher, "Organization"),
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


def _agent(agent: Agent, kind: str = "Person") -> dict[str, Any]:
    said = {"@type": kind, "@id": agent.url, "name": agent.name, "url": agent.url}
    return _said({**said, "email": agent.email})


def _said(values: dict[str, Any]) -> dict[str, Any]:
    """Return what there is something to say about."""
    return {key: value for key, value in values.items() if value not in (None, "", [])}
