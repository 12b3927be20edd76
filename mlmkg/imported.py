"""What an import of the published MLM says, as triples: its entities, their cells and splits.

A features folder of ``mlmkg import-mlm`` enters, the named graph ``imported`` with its provenance
leaves. The HDF5 files hold vectors and numbers: no labels, classes or texts, and cells without a name.
So an imported entity is marked as derived from its file (``prov:wasDerivedFrom``), and is in a version
of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from mlmkg import graphfile, pipeline
from mlmkg.ntriples import integer, iri, line, point, text
from mlmkg.provenance import Made, Plan, now
from mlmkg.sources import Origin
from mlmkg.store import graph_iri, renewed
from mlmkg.vocab import CELL, DCAT, DCT, MLM, PROV, RDF, RDFS, SOURCE, VERSION, WDT
from mlmkg.workspace import Workspace

GRAPH: Final = pipeline.IMPORTED
#: The record at Zenodo that the files come from, unless they say otherwise.
PUBLISHED: Final = Origin(
    iri="https://doi.org/10.5281/zenodo.3885753",
    title="MLM: A Benchmark Dataset for Multitask Learning with Multiple Languages and Modalities",
    version="1.0.0",
    licence="https://creativecommons.org/licenses/by/4.0/",
    attribution="Jason Armitage, Golsa Tahmasebzadeh, Endri Kacupaj, Swati: MLM, 2020, "
    "doi:10.5281/zenodo.3885753, CC BY 4.0",
)


def triples(folder: Path, manifest: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the N-Triples lines of a features folder.

    :param folder: holds entities.parquet and cells.parquet.
    :param manifest: its manifest.
    """
    a, derived, version = iri(RDF.type), iri(PROV.wasDerivedFrom), iri(VERSION[manifest["version"]])
    yield line(version, a, iri(MLM.Version))
    yield line(version, iri(RDFS.label), text(manifest["title"], "en"))
    files = {Path(name).stem: iri(SOURCE[about["sha256"]]) for name, about in manifest["files"].items()}
    for name, about in manifest["files"].items():
        file = files[Path(name).stem]
        yield line(version, derived, file)
        yield line(file, a, iri(PROV.Entity))
        yield line(file, iri(DCT.title), text(name))
        yield line(file, iri(MLM.sha256), text(about["sha256"]))
        yield line(file, iri(DCAT.byteSize), integer(about["bytes"]))
        if not manifest["by_mlmkg"]:
            yield line(file, iri(DCT.isPartOf), iri(PUBLISHED.iri))
    for row in pq.read_table(folder / "cells.parquet").to_pylist():
        cell = iri(CELL[row["cell"]])
        yield line(cell, a, iri(MLM.GeoCell))
        yield line(
            cell, iri(MLM.centroid), point(*(round(row[k], 7) for k in ("latitude", "longitude")))
        )
        yield line(cell, iri(MLM.entityCount), integer(row["entities"]))
        yield from (line(cell, derived, file) for file in files.values())
    kind, member, split, lies = iri(MLM.Entity), iri(MLM.inVersion), iri(MLM.split), iri(MLM.cell)
    for row in pq.read_table(folder / "entities.parquet").to_pylist():
        entity = iri(row["entity"])
        yield line(entity, a, kind)
        yield line(entity, member, version)
        yield line(entity, split, iri(MLM[row["split"]]))
        yield line(entity, derived, files[row["split"]])
        if row["cell"] is not None:
            yield line(entity, lies, iri(CELL[row["cell"]]))
        if row["own_place"] and math.isfinite(row["latitude"]):
            yield line(entity, iri(WDT.P625), point(row["latitude"], row["longitude"]))


def write_imported(
    workspace: Workspace, query_set: str, folder: Path, manifest: Mapping[str, Any]
) -> graphfile.Written:
    """Write the graph ``imported`` in the place of an earlier one, and index it.

    :param query_set: the set whose graphs it stands beside.
    :param folder: the features folder.
    :param manifest: its manifest.
    """
    started = now()
    if not workspace.store.exists():
        with renewed(workspace, {}):
            pass  # an import needs no build: the store begins with it
    code = sha256(Path(__file__).read_bytes()).hexdigest()
    parameters = {name: manifest[name] for name in ("files", "coordinates", "version")}
    key = sha256(json.dumps([code, parameters], sort_keys=True).encode()).hexdigest()[:16]
    plan = Plan("Import of HDF5 files of MLM", "mlmkg/imported.py", "python", code)
    order = manifest["coordinates"]
    notes = [f"coordinates are {order['of']}' and were read as {order['order']}: {order['why']}"]

    def made(content: graphfile.Written) -> Made:
        return Made(
            graph=graph_iri(query_set, GRAPH), key=key, content=content, plan=plan,
            parameters=parameters,
            used=tuple(SOURCE[about["sha256"]] for about in manifest["files"].values()),
            origins=() if manifest["by_mlmkg"] else (PUBLISHED,),
            started=started, ended=now(), notes=tuple(notes),
        )  # fmt: skip

    return pipeline.add(workspace, query_set, made, GRAPH, key, triples(folder, manifest))
