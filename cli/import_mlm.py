"""``mlmkg import-mlm``: the published MLM becomes features to train on, and a small graph."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("import-mlm")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The features folder to write; by default features/published in the workspace.",
)
@click.option(
    "--coordinates",
    type=click.Choice(["auto", "lat-lon", "lon-lat"]),
    default="auto",
    show_default=True,
    help="Which of two coordinates comes first; auto finds out.",
)
@click.option("--force", is_flag=True, help="Replace a features folder that exists.")
@pass_context
def command(context: Context, folder: Path, output: Path | None, coordinates: str, force: bool) -> None:
    """Read train.h5, val.h5 and test.h5 of the published MLM, or of an export as HDF5.

    \b
    mlmkg -w mlm-2020 import-mlm downloads/
    mlmkg -w mlm-2020 train --features published

    FOLDER holds the files of https://doi.org/10.5281/zenodo.3885753. Their vectors become a
    folder of arrays, their entities, cells and splits the graph `imported`.
    """
    from mlmkg.cli.tables import print_table
    from mlmkg.ml.importing import import_published

    from mlmkg.catalog import read_catalog
    from mlmkg.imported import write_imported
    from mlmkg.progress import bar
    from mlmkg.store import open_read_only

    workspace = context.open_workspace()
    target = output or workspace.features / "published"
    manifest = import_published(folder, target, coordinates=coordinates, force=force, progress=bar)
    written = write_imported(workspace, read_catalog(context.queries).name, target, manifest)
    rows = [{"split": split, **counts} for split, counts in manifest["splits"].items()]
    print_table(rows, title=str(target))
    for name, shape in manifest["arrays"].items():
        click.echo(f"{name}: {shape['vectors']:,} distinct vectors of {shape['width']:,} numbers")
    click.echo(f"{written.triples:,} triples in the graph imported")
    order = manifest["coordinates"]
    context.say(f"Coordinates are {order['of']}', {order['order']}: {order['why']}")
    if "splits" in open_read_only(workspace).graphs():
        context.say(
            "This workspace holds a build, too: an entity of both is in two splits. "
            "Give imports a workspace of their own (-w)"
        )
