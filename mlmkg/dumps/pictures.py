"""The image files that a graph speaks of, from one folder into another."""

from __future__ import annotations

import os
from pathlib import Path

import pyoxigraph as ox

from mlmkg.export.formats import image_bytes
from mlmkg.progress import Progress, quiet
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM


def paths(store: ox.Store) -> dict[str, str]:
    """Return path -> sha256 of every image file that the graph speaks of."""
    return {
        path: checksum
        for path, checksum in GraphStore(store).rows(
            f"SELECT DISTINCT ?path ?sum WHERE {{ ?f a <{MLM.ImageFile}> ; <{MLM.path}> ?path ; "
            f"<{MLM.sha256}> ?sum }} ORDER BY ?path"
        )
        if not Path(path).is_absolute() and ".." not in Path(path).parts
    }


def bring_images(
    store: ox.Store, source: Path, target: Path, progress: Progress = quiet
) -> dict[str, str]:
    """Put the image files into a folder, hard links where the disk allows; return their checksums.

    :raises ExportError: if one is gone, or is not what the graph says it is.
    """
    found = paths(store)
    for path, checksum in progress(found.items(), "image files", unit="image"):
        content = image_bytes(source, path, checksum)
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / path, target / path)
        except OSError:
            (target / path).write_bytes(content)
    return found
