"""Writes a version as a folder: tables, images, a card, a report, a manifest and checksums.

A store enters, a folder leaves that needs nothing else. The version passes through in batches of
entities, each given to every form that was asked for, so memory does not grow with it. The folder is
written beside its name and renamed when it is complete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from mlmkg import __version__
from mlmkg.errors import ExportError
from mlmkg.export import licensing
from mlmkg.export.card import card
from mlmkg.export.checksums import write_sums
from mlmkg.export.formats import SHARD, Form, Setting, image_bytes
from mlmkg.export.formats.geojson import GeoJson
from mlmkg.export.formats.jsonl import JsonLines
from mlmkg.export.formats.parquet import Parquet
from mlmkg.export.formats.pykeen import PyKeen
from mlmkg.export.formats.webdataset import WebDataset
from mlmkg.export.manifest import (
    MANIFEST,
    about_tables,
    graph_checksums,
    recipe_entry,
    table_columns,
    write_manifest,
)
from mlmkg.export.members import Members
from mlmkg.export.spreading import spatial_splits
from mlmkg.export.tables import BATCH, Reader, with_counts, with_splits
from mlmkg.progress import Progress, quiet
from mlmkg.recipe import Recipe
from mlmkg.report.figures import Figures
from mlmkg.report.origin import Shown, read_steps, steps_to
from mlmkg.store import disk_full_said
from mlmkg.workspace import Workspace, folder_written_whole

FORMS: Final[Mapping[str, type[Form]]] = {
    "parquet": Parquet, "jsonl": JsonLines, "webdataset": WebDataset, "geojson": GeoJson,
    "pykeen": PyKeen,
}  # fmt: skip
PICTURES: Final = ("files", "bytes", "none")
Finish = Callable[[Path], object]


@dataclass(frozen=True)
class Options:
    """How a version is written.

    :param forms: of :data:`FORMS`.
    :param split: ``hash`` for the splits of the graph, or ``spatial`` for whole regions.
    :param licences: families of licences; only works under them are written. None: all works.
    :param pictures: image files beside the tables (``files``), inside them (``bytes``), or ``none``.
    :param shard: bytes after which a WebDataset shard ends.
    :param report: write a page with maps and figures.
    :param force: replace an export of the same version that exists.
    """

    forms: tuple[str, ...] = ("parquet",)
    split: str = "hash"
    licences: Collection[str] = ()
    pictures: str = "files"
    shard: int = SHARD
    report: bool = True
    force: bool = False


@dataclass(frozen=True)
class Exported:
    """A version's folder.

    :param folder: where it is.
    :param manifest: what stands in its manifest.json.
    :param figures: what was counted on the way.
    :param undescribed: how many entities have no row in the table of entities, and are left out.
    """

    folder: Path
    manifest: Mapping[str, Any]
    figures: Figures
    undescribed: int


def export_version(
    reader: Reader, workspace: Workspace, recipe: Recipe, members: Members, folder: Path,
    options: Options, *, finish: Collection[Finish] = (), progress: Progress = quiet,
) -> Exported:  # fmt: skip
    """Write a version.

    :param reader: of the store and the query set.
    :param members: who belongs to it.
    :param folder: where it goes; must not exist, or be empty, unless ``options.force``.
    :param finish: called with the unfinished folder, to put more files into it.
    :raises ExportError: if the folder exists, nothing is left of the version, or an image is gone.
    """
    _check(folder, members.name, options)
    with (
        folder_written_whole(folder, replace=options.force) as new,
        disk_full_said(folder),
    ):
        poured = _pour(reader, workspace, recipe, members, new, options, progress)
        figures, sums = poured.figures, poured.sums
        manifest: dict[str, Any] = {
            "version": members.name,
            "title": members.title,
            "created_by": f"mlmkg {__version__}",
            "forms": list(options.forms),
            "images": poured.pictures,
            "split": options.split,
            "languages": list(recipe.languages),
            "entities": figures.entities,
            **({"licences": sorted(options.licences)} if options.licences else {}),
            **({"where": members.query} if members.query else {}),
            "recipe": recipe_entry(recipe),
            "graphs": graph_checksums(reader.store),
        }
        write_manifest(new, manifest, sums)
        for more in finish:
            more(new)
        if options.report:
            from mlmkg.report.page import write_report  # and matplotlib

            steps, about = read_steps(reader.store, reader.catalog, recipe)
            write_report(
                new, figures, members.title, version=members.name,
                steps=steps_to(steps, members.name, figures.entities), about=about,
                alike=poured.shown.lookalike(reader.store), images=workspace.images,
            )  # fmt: skip
        write_manifest(new, manifest, sums)
        (new / "README.md").write_text(
            card(manifest, figures, table_columns(new), poured.features), "utf-8"
        )
        write_sums(new, sums)
    return Exported(folder, manifest, figures, poured.undescribed)


@dataclass(frozen=True)
class _Poured:
    """What was seen while the tables were written.

    :param pictures: where the image files are: ``files`` beside the tables, ``bytes`` inside them,
        ``shards`` (in WebDataset's), or ``none``.
    :param sums: checksums that are known.
    :param features: the fields of the form whose fields a hub cannot find out.
    """

    figures: Figures
    shown: Shown
    undescribed: int
    pictures: str
    sums: dict[str, str]
    features: list[dict[str, Any]]


def _check(folder: Path, version: str, options: Options) -> None:
    """Refuse options that make no sense, and a folder that would be lost."""
    licensing.check(options.licences)
    if not options.forms:
        raise ExportError("no form is named", where="--format", action=f"There are {', '.join(FORMS)}")
    for what, asked, known in (
        ("--format", options.forms, tuple(FORMS)), ("--images", (options.pictures,), PICTURES),
    ):  # fmt: skip
        if unknown := sorted(set(asked) - set(known)):
            raise ExportError(
                f"there is no {unknown[0]!r}", where=what, action=f"There are {', '.join(known)}"
            )
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not options.force:
        raise ExportError(
            "exists already", where=folder, action="Add --force to replace it, or name another -o"
        )
    if not (folder.is_dir() and (folder / MANIFEST).is_file()):
        raise ExportError(
            f"is no export: it has content but no {MANIFEST}, and would be lost", where=folder,
            action="Name another -o",
        )  # fmt: skip
    try:
        there = str(json.loads((folder / MANIFEST).read_text("utf-8"))["version"])
    except (ValueError, KeyError, TypeError):
        there = version  # a manifest that cannot be read is of no use to anybody
    if there != version:
        raise ExportError(
            f"holds the version {there!r}, not {version!r}", where=folder,
            action="Name another -o, or remove it yourself",
        )  # fmt: skip


def _pour(
    reader: Reader, workspace: Workspace, recipe: Recipe, members: Members, folder: Path,
    options: Options, progress: Progress,
) -> _Poured:  # fmt: skip
    """Write the tables batch by batch."""
    setting = Setting(
        folder, workspace.images, about_tables(reader, members.name), recipe.languages,
        options.pictures, options.shard,
    )  # fmt: skip
    figures, shown, undescribed, sums = Figures(), Shown(), len(members.entities), dict[str, str]()
    spread = None
    if options.split == "spatial":
        spread = spatial_splits(reader, members.entities, recipe.splits)
    with ExitStack() as stack:
        credits = stack.enter_context((folder / licensing.ATTRIBUTION).open("wb"))
        credits.write(licensing.HEAD)
        forms = [stack.enter_context(FORMS[name](setting, reader)) for name in sorted(options.forms)]
        pictures = _pictures(options.pictures, forms)
        count = -(-len(members.entities) // BATCH)
        batches = progress(reader.batches(members.entities), members.name, total=count, unit="batch")
        for found in batches:
            undescribed -= found["entities"].num_rows
            tables = licensing.only(found, options.licences) if options.licences else found
            if not tables["entities"].num_rows:
                continue
            tables = with_counts(with_splits(tables, spread) if spread is not None else tables)
            figures.add(tables)
            if options.report:
                shown.add(tables)
            credits.writelines(licensing.attribution(tables, files=pictures == "files"))
            if pictures == "files" and "images" in tables:
                sums |= _bring_images(tables["images"], workspace.images, folder)
            for form in forms:
                form.add(tables)
        if undescribed == len(members.entities):
            raise ExportError(
                f"no entity of {members.name!r} has a row in the table of entities",
                where=reader.catalog.folder, action="See export/entities.rq for what a row needs",
            )  # fmt: skip
        if not figures.entities:
            raise ExportError(
                f"no entity of {members.name!r} has both an image and a summary under these licences",
                where="--licences", action="Allow more of them",
            )  # fmt: skip
        whole = reader.whole()
        if "cells" in whole:
            whole["cells"] = counted_cells(whole["cells"], figures.cells)
        figures.add(whole)
        for form in forms:
            form.finish(whole)
    features = next((form.features for form in forms if form.features), [])
    return _Poured(figures, shown, undescribed, pictures, sums, features)


def _pictures(wanted: str, forms: Collection[Form]) -> str:
    """Return where the image files will be; see :class:`_Poured`."""
    if wanted == "bytes" and any(isinstance(form, Parquet) for form in forms):
        return "bytes"
    if wanted == "files" and any(form.needs_files for form in forms):
        return "files"
    return "shards" if wanted != "none" and any(form.holds_files for form in forms) else "none"


def counted_cells(cells: pa.Table, counts: Mapping[str, Mapping[str, int]]) -> pa.Table:
    """Return the cells that have entities, with their numbers, in all and by split.

    :param counts: token -> split -> entities.
    """
    cells = cells.filter(pa.array([token in counts for token in cells["cell"].to_pylist()], pa.bool_()))
    tokens = cells["cell"].to_pylist()
    whole = pa.array([sum(counts[token].values()) for token in tokens], pa.int64())
    cells = cells.append_column("entities", whole)
    for name in ("train", "val", "test"):
        column = pa.array([counts[token].get(name, 0) for token in tokens], pa.int64())
        cells = cells.append_column(name, column)
    return cells


def _bring_images(images: pa.Table, source: Path, folder: Path) -> dict[str, str]:
    """Put image files beside the tables, hard links where the disk allows; return their checksums."""
    sums = {}
    for path, checksum in zip(images["path"].to_pylist(), images["sha256"].to_pylist(), strict=True):
        target = folder / "images" / path
        sums[f"images/{path}"] = checksum
        if target.exists():
            continue
        content = image_bytes(source, path, checksum)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / path, target)
        except OSError:
            target.write_bytes(content)
    return sums
