"""FAIR metadata: VoID, DCAT-AP, PROV-O and schema.org, from the store and the exports' manifests.

A store and its workspace enter, four files leave. One :class:`~mlmkg.metadata.inventory.Inventory` is
taken and one :class:`~mlmkg.metadata.dataset.Dataset` names its parts, so that the files agree with
each other and with the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.dcat import dcat
from mlmkg.metadata.description import Description
from mlmkg.metadata.inventory import Inventory, take
from mlmkg.metadata.prov import prov
from mlmkg.metadata.schemaorg import schemaorg
from mlmkg.metadata.settings import read_description
from mlmkg.metadata.void import void
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace, written_whole

__all__ = ["Dataset", "Description", "Inventory", "Written", "read_description", "write_metadata"]


@dataclass(frozen=True)
class Written:
    """What has been written.

    :param files: their paths.
    :param dataset: what they describe.
    :param hints: what would make them better.
    """

    files: tuple[Path, ...]
    dataset: Dataset
    hints: tuple[str, ...]


def write_metadata(
    store: ox.Store, workspace: Workspace, folder: Path, *, settings: Mapping[str, Any] | None = None,
    version: str | None = None, progress: Progress = quiet,
) -> Written:  # fmt: skip
    """Write ``void.ttl``, ``dcat.ttl``, ``prov.ttl`` and ``schemaorg.jsonld`` into a folder.

    :param store: the workspace's store.
    :param folder: where they go; created, and what stands there under these names is replaced.
    :param settings: the ``[dataset]`` table of ``mlmkg.toml``, see
        :class:`~mlmkg.metadata.description.Description`.
    :param version: describe this export alone; by default all that are in the workspace.
    :raises RecipeError: for a setting that is not understood.
    :raises WorkspaceError: if the store is empty.
    :raises ExportError: if there is no such export, or one has been damaged.
    """
    description = read_description(settings or {})
    inventory = take(store, workspace, version, progress=progress)
    dataset = Dataset(inventory, description)
    contents = {
        "void.ttl": void(dataset),
        "dcat.ttl": dcat(dataset),
        "prov.ttl": prov(store, inventory),
        "schemaorg.jsonld": schemaorg(dataset),
    }
    for name, content in contents.items():
        with written_whole(folder / name) as stream:
            stream.write(content)
    return Written(tuple(folder / name for name in contents), dataset, tuple(dataset.hints()))
