"""``mlmkg encode``: features of a version."""

from __future__ import annotations

import click
from mlmkg.cli.context import Context, pass_context


@click.command("encode")
@click.option("--version", "version", default="irle-gr", show_default=True, help="Which export.")
@click.option("--encoders", default="lite0,use", show_default=True, metavar="IMAGE,TEXT",
              help="The encoders' names.")  # fmt: skip
@pass_context
def command(context: Context, version: str, encoders: str) -> None:
    """Encode the images and texts of an exported version; `train` does it by itself."""
    from mlmkg.cli.train import pair
    from mlmkg.ml.data import load_dataset

    from mlmkg.progress import bar

    workspace = context.open_workspace()
    dataset = load_dataset(
        workspace.exports / version, workspace.features, pair(encoders), progress=bar,
        images=workspace.images,
    )  # fmt: skip
    for name, rows in zip(dataset.encoders, (dataset.images, dataset.texts), strict=True):
        number, width = rows.vectors.shape
        click.echo(f"{name}: {number:,} vectors of {width} numbers")
