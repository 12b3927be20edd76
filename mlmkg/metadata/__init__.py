"""FAIR metadata in the formats that catalogues, funders, search engines and ML hubs read.

A store and its workspace enter, files leave. One :class:`~mlmkg.metadata.inventory.Inventory` is taken
and one :class:`~mlmkg.metadata.dataset.Dataset` names its parts, so that the files agree with each
other, with the store, and with the exports' manifests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from mlmkg.catalog import Catalog
from mlmkg.errors import RecipeError
from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.description import Description
from mlmkg.metadata.formats import FORMATS, Described
from mlmkg.metadata.inventory import Inventory, take
from mlmkg.metadata.settings import read_description
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace, written_whole

__all__ = ["FORMATS", "Dataset", "Description", "Inventory", "Written", "read_description",
           "write_metadata"]  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What has been written.

    :param files: their paths.
    :param dataset: what they describe.
    :param hints: what would make them better, and which formats were left out.
    """

    files: tuple[Path, ...]
    dataset: Dataset
    hints: tuple[str, ...]


def write_metadata(
    store: ox.Store, workspace: Workspace, folder: Path, *, settings: Mapping[str, Any] | None = None,
    version: str | None = None, formats: Collection[str] = (), catalog: Catalog | None = None,
    html: bool = False, progress: Progress = quiet,
) -> Written:  # fmt: skip
    """Write metadata into a folder, and those of exports into theirs.

    :param store: the workspace's store.
    :param folder: where they go; created, and what stands there under these names is replaced.
    :param settings: the ``[dataset]`` table of ``mlmkg.toml``, see
        :class:`~mlmkg.metadata.description.Description`.
    :param version: describe this export alone; by default all that are in the workspace.
    :param formats: of :data:`FORMATS`; by default all that can be written.
    :param catalog: the query set that is described; by default the shipped one.
    :param html: write a landing page, too: ``index.html`` with its map and its link set.
    :raises RecipeError: for a setting that is not understood, an unknown format, or a format asked for
        that cannot be written without a setting that is missing.
    :raises WorkspaceError: if the store is empty.
    :raises ExportError: if there is no such export, or one has been damaged.
    """
    description = read_description(settings or {})
    if unknown := sorted(set(formats) - set(FORMATS)):
        raise RecipeError(
            f"there is no format {unknown[0]!r}", where="--format",
            action=f"There are {', '.join(FORMATS)}",
        )  # fmt: skip
    dataset = Dataset(take(store, workspace, version, progress=progress), description)
    asked = {name: FORMATS[name] for name in FORMATS if not formats or name in formats}
    # Into the exports first: where that fails, nothing has been written elsewhere.
    asked = dict(sorted(asked.items(), key=lambda item: not item[1].of_exports))
    hints = dataset.hints()
    for name, form in list(asked.items()):
        if lacks := form.lacks(dataset):
            if formats:
                raise RecipeError(f"{name} {lacks[0]}", where="--format", action="Or leave it out")
            hints += [f"{name} is left out: it {why}" for why in lacks]
            del asked[name]
        elif wants := [word for word in form.wants if getattr(description, word) in (None, ())]:
            hints.append(f"{name} would say more with {', '.join(wants)} in [dataset]")
    what = Described(store, dataset, folder, catalog)
    files = tuple(
        path
        for form in progress(asked.values(), "metadata", unit="format")
        for path in form.write(what)
    )
    if html:
        from mlmkg.metadata.landing import landing

        for name, content in landing(store, dataset, folder, files).items():
            with written_whole(folder / name) as stream:
                stream.write(content)
            files += (folder / name,)
    return Written(files, dataset, tuple(hints))
