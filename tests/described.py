"""What the tests of metadata share: settings that say everything, and how files are read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import rdflib
from rdflib import RDF, VOID

from mlmkg.metadata import write_metadata
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from mlmkg.writeback import Prediction, RunDescription, write_back

DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")
SCHEMA = rdflib.Namespace("http://schema.org/")
CC_BY = "https://creativecommons.org/licenses/by/4.0/"
ORCID = "https://orcid.org/0000-0002-1825-0097"

SETTINGS = {
    "title": "Cities",
    "description": "Three hundred cities of the world, with pictures and texts about each of them.",
    "keywords": ["cities"],
    "creators": [
        {"name": "Ada Example", "url": "https://ada.example/", "orcid": "0000-0002-1825-0097",
         "affiliation": {"name": "Example University", "ror": "https://ror.org/03vek6s52"}},
    ],
    "publisher": {"name": "City archive", "url": "https://archive.example/"},
    "contact": {"name": "Help desk", "email": "help@archive.example"},
    "funding": [{"funder": {"name": "Example Fund"}, "award": "12345", "title": "Places"}],
    "licence": CC_BY,
    "metadata_licence": "https://creativecommons.org/publicdomain/zero/1.0/",
    "availability": "stable",
    "address": "https://data.example/mlm",
    "landing_page": "https://data.example/about",
    "identifier": "https://doi.org/10.5072/example",
    "endpoint": "https://data.example/sparql",
    "version": "1.1",
    "issued": "2026-11-24",
    "temporal": ["2019-01-01", "2026-11-24"],
    "free": True,
    "series": "https://data.example/series",
    "previous": {"iri": "https://data.example/mlm-1.0/#dataset", "version": "1.0"},
}  # fmt: skip


def written(workspace: Workspace, folder: Path, **settings: object) -> Path:
    """Write all metadata that these settings allow, and return the folder."""
    write_metadata(open_read_only(workspace).raw, workspace, folder, settings=settings)
    return folder


def turtle(path: Path) -> rdflib.Graph:
    """Read Turtle."""
    return rdflib.Graph().parse(path, format="turtle")


def whole(graph: rdflib.Graph) -> rdflib.term.Node:
    """Return the node of the dataset."""
    (found,) = [s for s in graph.subjects(RDF.type, VOID.Dataset) if str(s).endswith("#dataset")]
    return found


def predicted(workspace: Workspace) -> None:
    """Write two predictions of a training run into the workspace's store."""
    rows = open_read_only(workspace).rows("SELECT ?e ?c { ?e mlm:cell ?c } ORDER BY ?e LIMIT 1")
    ((entity, cell),) = list(rows)
    run = RunDescription(
        name="first", version="mlm", export_key="0" * 64, task="loc", settings={"seed": 0},
        encoders=("crops",), started=datetime.now(UTC), ended=datetime.now(UTC), evaluation={},
    )  # fmt: skip
    guesses = [
        Prediction(entity, modality, 1, cell.rpartition("/")[2], 0.5, 10.0, 20.0)
        for modality in ("image", "text")
    ]
    write_back(workspace, "v1", run, guesses)
