"""Writes a version as a folder: Parquet tables, images, a manifest and a card.

A store enters, a folder leaves that needs nothing else. It is written beside its name and renamed
when it is complete.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlmkg import __version__
from mlmkg.catalog import Catalog
from mlmkg.errors import ExportError
from mlmkg.export import licensing
from mlmkg.export.card import card
from mlmkg.export.tables import read_tables, version_size
from mlmkg.progress import Progress, quiet
from mlmkg.recipe import Recipe
from mlmkg.s2 import cell_ids, parents, tokens
from mlmkg.splits import assign_regions
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM
from mlmkg.workspace import Workspace

#: The S2 level of the regions of ``--split spatial``: cells about 600 km across.
REGION_LEVEL: Final = 4
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Exported:
    """A version's folder.

    :param folder: where it is.
    :param manifest: what stands in its manifest.json.
    :param tables: its tables by name.
    """

    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pa.Table]


def export_version(
    store: GraphStore, workspace: Workspace, catalog: Catalog, recipe: Recipe, version: str,
    folder: Path, *, split: str = "hash", licences: Collection[str] = (), force: bool = False,
    progress: Progress = quiet,
) -> Exported:  # fmt: skip
    """Write a version.

    :param folder: where it goes; must not exist unless ``force``.
    :param split: ``hash`` for the splits of the graph, or ``spatial`` for whole regions.
    :param licences: families of licences; only works under them are written. None: all works.
    :param force: replace a folder that exists.
    :raises ExportError: if the folder exists, the version is empty, or an image is gone.
    :raises RecipeError: if the recipe has no such version.
    """
    title = recipe.version(version)
    licensing.check(licences)
    if folder.exists() and not force:
        raise ExportError(
            "exists already", where=folder, action="Add --force to replace it, or name another -o"
        )
    if folder.exists() and not _is_export(folder):
        raise ExportError(
            f"is no export: it has content but no {MANIFEST}, and would be lost", where=folder,
            action="Name another -o",
        )  # fmt: skip
    if not version_size(store, version):
        raise ExportError(
            f"the version {version!r} has no entities", where=workspace.store,
            action="Build more (without --limit, --country, --bbox, --offline), see `mlmkg info`",
        )  # fmt: skip
    tables = {name: table for name, _, table in read_tables(store, catalog, version)}
    if licences:
        tables = recounted(licensing.only(tables, licences))
        if not tables["entities"].num_rows:
            raise ExportError(
                f"no entity of {version!r} has both an image and a summary under these licences",
                where="--licences", action="Allow more of them",
            )  # fmt: skip
    if split == "spatial":
        tables = respread(tables, recipe)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        new = Path(name) / folder.name
        new.mkdir()
        written = {f"{name}.parquet": _write(new, name, table) for name, table in tables.items()}
        if "images" in tables:
            _bring_images(tables["images"], workspace.images, new, progress)
        manifest = {
            "version": version,
            "title": title,
            "key": _key(written),
            "created_by": f"mlmkg {__version__}",
            "split": split,
            "languages": list(recipe.languages),
            **({"licences": sorted(licences)} if licences else {}),
            "recipe": _recipe(recipe),
            "files": written,
            "graphs": graph_checksums(store),
        }
        (new / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", "utf-8")
        (new / licensing.ATTRIBUTION).write_text(licensing.attribution(tables), "utf-8")
        (new / "README.md").write_text(card(version, title, manifest, tables), "utf-8")
        if folder.exists():
            old = Path(name) / "replaced"
            folder.rename(old)
        new.rename(folder)
    return Exported(folder, manifest, tables)


def _is_export(folder: Path) -> bool:
    """Return whether a folder may be replaced: it is an export, or empty."""
    return folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir()))


def respread(tables: Mapping[str, pa.Table], recipe: Recipe) -> dict[str, pa.Table]:
    """Return the tables with splits that keep whole S2 regions (and shared images) apart."""
    entities = tables["entities"]
    latitudes = entities["latitude"].to_numpy()
    longitudes = entities["longitude"].to_numpy()
    regions = tokens(parents(cell_ids(latitudes, longitudes), REGION_LEVEL))
    names = entities["entity"].to_pylist()
    shared: list[tuple[str, str]] = []
    if "images" in tables:
        images = tables["images"]
        shared = list(zip(images["entity"].to_pylist(), images["sha256"].to_pylist(), strict=True))
    split = assign_regions(names, regions, shared, recipe.splits)
    parts = pa.array([split[name] for name in names])
    place = entities.column_names.index("split")
    entities = entities.set_column(place, "split", parts)
    return recounted({**tables, "entities": entities})


def recounted(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the tables with cells that count the entities there are."""
    if "cells" not in tables:
        return dict(tables)
    return {**tables, "cells": _recount(tables["cells"], tables["entities"])}


def _recount(cells: pa.Table, entities: pa.Table) -> pa.Table:
    counts = entities.group_by(["cell", "split"]).aggregate([("entity", "count")]).to_pylist()
    number = {(row["cell"], row["split"]): row["entity_count"] for row in counts}
    for name in ("train", "val", "test"):
        column = [number.get((cell, name), 0) for cell in cells["cell"].to_pylist()]
        cells = cells.set_column(
            cells.column_names.index(name), name, pa.array(column, type=pa.int64())
        )
    whole = pc.add(pc.add(cells["train"], cells["val"]), cells["test"])
    return cells.set_column(cells.column_names.index("entities"), "entities", whole)


def _write(folder: Path, name: str, table: pa.Table) -> dict[str, Any]:
    path = folder / f"{name}.parquet"
    pq.write_table(table, path, compression="zstd", store_schema=True)
    content = path.read_bytes()
    return {
        "sha256": sha256(content).hexdigest(), "bytes": len(content), "rows": table.num_rows,
    }  # fmt: skip


def _bring_images(images: pa.Table, source: Path, folder: Path, progress: Progress) -> None:
    """Put the image files beside the tables: hard links where the disk allows, else copies."""
    for path in progress(sorted(set(images["path"].to_pylist())), "images", unit="file"):
        target = folder / "images" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / path, target)
        except FileNotFoundError:
            raise ExportError(
                "the image file is gone", where=source / path,
                action="Run `mlmkg build --force` to make it again",
            ) from None  # fmt: skip
        except OSError:
            shutil.copyfile(source / path, target)


def _key(files: Mapping[str, Mapping[str, Any]]) -> str:
    sums = {name: entry["sha256"] for name, entry in files.items()}
    return sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return {
        "title": recipe.title,
        "languages": list(recipe.languages),
        "parameters": {
            name: [str(term) for term in terms] for name, terms in recipe.parameters.items()
        },
        "cells": asdict(recipe.cells),
        "splits": asdict(recipe.splits),
    }


def graph_checksums(store: GraphStore) -> dict[str, str]:
    """Return graph IRI -> sha256 of its triples, from the provenance graph."""
    rows = store.rows(f"SELECT ?graph ?sum WHERE {{ ?graph <{MLM.key}> ?key ; <{MLM.sha256}> ?sum }}")
    return dict(sorted((graph, checksum) for graph, checksum in rows))
