"""Dumps of the graph in the workspace: files that someone can download instead of asking the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from mlmkg.dumps.forms import WHOLE
from mlmkg.metadata.inventory import Inventory
from mlmkg.metadata.parts import File


@dataclass(frozen=True)
class Dump:
    """A dump.

    :param folder: its name in the workspace.
    :param files: what is in it, with sizes and checksums.
    :param current: whether its files are there, with as many triples of each graph as there are now.
    """

    folder: str
    files: tuple[File, ...]
    current: bool

    @property
    def whole(self) -> dict[File, str]:
        """Files that hold all graphs -> the name of their form at W3C, or "" for one without."""
        names = dict(WHOLE.values())
        return {file: names[file.name] for file in self.files if file.name in names}


def dumps(inventory: Inventory) -> Iterator[Dump]:
    """Yield the dumps in a workspace, by name."""
    from mlmkg.dumps.writing import MANIFEST, is_dump

    counts = {iri: found.triples for iri, found in inventory.statistics.graphs.items()}
    for folder in sorted(path.parent for path in inventory.root.glob(f"*/{MANIFEST}")):
        if not is_dump(folder):
            continue
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        files = tuple(
            File(f"{folder.name}/{name}", said["bytes"], said["sha256"])
            for name, said in sorted(manifest["files"].items())
        )
        there = all((inventory.root / file.path).is_file() for file in files)
        yield Dump(folder.name, files, there and manifest["graphs"] == counts)
