"""``mlmkg load``: a workspace of a dump."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("load")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--workspace",
    "-w",
    "place",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The workspace to make; by default that of mlmkg itself.",
)
@click.option("--force", is_flag=True, help="Replace a store and graph files that are there.")
@pass_context
def command(context: Context, folder: Path, place: Path | None, force: bool) -> None:
    """Make a workspace of the dump in FOLDER: graph files, provenance and store.

    The dump is proven by its checksums first. `mlmkg info`, `sparql` and `export` find what they
    found where the dump was made; image files are there if the dump brought them.

    \b
    mlmkg load dump --workspace again
    mlmkg -w again info
    """
    from mlmkg.dumps.loading import load
    from mlmkg.progress import bar
    from mlmkg.workspace import Workspace

    workspace = Workspace(place) if place is not None else context.open_workspace()
    loaded = load(folder, workspace, force=force, progress=bar)
    for iri in loaded.bare:
        context.say(f"{iri} has no provenance record, and so no graph file: a build drops it")
    if loaded.without:
        context.say(
            f"{loaded.without:,} image files are not in the dump: `mlmkg dump --images` brings them, "
            "`mlmkg export --images none` does without"
        )
    click.echo(
        f"{loaded.quads:,} quads of {loaded.graphs} graphs, {loaded.files} graph files, "
        f"{loaded.images:,} image files, in {workspace.store}"
    )
