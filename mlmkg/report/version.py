"""The report of a version of the store, in a folder of its own.

A store and its query set enter, a folder leaves: written beside its name, and renamed when it is
complete.
"""

from __future__ import annotations

from pathlib import Path

from mlmkg.errors import ExportError
from mlmkg.export.members import Members
from mlmkg.export.tables import BATCH, Reader
from mlmkg.progress import Progress, quiet
from mlmkg.recipe import Recipe
from mlmkg.report.figures import Figures
from mlmkg.report.origin import Shown, read_steps, steps_to
from mlmkg.report.page import NUMBERS, PAGE, PICTURES, write_report
from mlmkg.workspace import Workspace, folder_written_whole


def report_version(
    reader: Reader, workspace: Workspace, recipe: Recipe, members: Members, folder: Path, *,
    force: bool = False, progress: Progress = quiet,
) -> Figures:  # fmt: skip
    """Write the report of a version; return its figures.

    :param reader: of the store and the query set.
    :param members: who belongs to it.
    :param folder: where it goes; must not exist unless ``force``.
    :param force: replace a report that is there.
    :raises ExportError: if the folder exists, or holds something else.
    """
    if folder.exists() and not force:
        raise ExportError(
            "exists already", where=folder, action="Add --force to replace it, or name another -o"
        )
    if folder.exists() and not _is_report(folder):
        raise ExportError(
            "is no report: it has other content, which would be lost", where=folder,
            action="Name another -o",
        )  # fmt: skip
    figures, shown = Figures(), Shown()
    count = -(-len(members.entities) // BATCH)
    for tables in progress(reader.batches(members.entities), members.name, total=count, unit="batch"):
        figures.add(tables)
        shown.add(tables)
    figures.add(reader.whole())
    steps, about = read_steps(reader.store, reader.catalog, recipe)
    with folder_written_whole(folder, replace=force) as new:
        write_report(
            new, figures, members.title, version=members.name,
            steps=steps_to(steps, members.name, figures.entities), about=about,
            alike=shown.lookalike(reader.store), images=workspace.images,
        )  # fmt: skip
    return figures


def _is_report(folder: Path) -> bool:
    """Return whether a folder may be replaced: it is a report and nothing else, or empty."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    return not names or names == {PAGE, NUMBERS, PICTURES}
