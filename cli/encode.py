"""``mlmkg encode``: features of a version."""

from __future__ import annotations

import click
from mlmkg.cli.context import Context, pass_context


@click.command("encode")
@click.option("--version", "version", default="irle-gr", show_default=True, help="Which export.")
@click.option("--encoders", default="lite0,use", show_default=True, metavar="IMAGE,TEXT",
              help="The encoders' names.")  # fmt: skip
@click.option("--batch", type=click.IntRange(1), default=None,
              help="Items at a time; by default what each encoder takes.")  # fmt: skip
@click.option("--precision", type=click.Choice(["float32", "bf16"]), default=None,
              help="How the networks compute; bf16 is for GPUs. By default float32, and what is there "
              "already in bf16 counts.")  # fmt: skip
@pass_context
def command(
    context: Context, version: str, encoders: str, batch: int | None, precision: str | None
) -> None:
    """Encode the images and texts of an exported version; `train` does it by itself.

    A run that was stopped goes on where it was. Several GPUs share the work under torchrun.

    \b
    mlmkg encode                                    # lite0 and use: no download
    mlmkg encode --encoders torchvision:resnet152,hf:sentence-transformers/LaBSE
    torchrun --nproc-per-node 8 -m mlmkg encode --precision bf16 --batch 256
    """
    from mlmkg.cli.train import pair
    from mlmkg.ml.data import load_dataset
    from mlmkg.ml.encoders import load_encoder

    from mlmkg.progress import bar

    workspace = context.open_workspace()
    image, text = (
        load_encoder(name, modality, precision=precision, batch=batch)
        for name, modality in zip(pair(encoders), ("image", "text"), strict=True)
    )
    dataset = load_dataset(
        workspace.exports / version, workspace.features, (image, text), progress=bar,
        images=workspace.images,
    )  # fmt: skip
    for name, rows in zip(dataset.encoders, (dataset.images, dataset.texts), strict=True):
        number, width = rows.vectors.shape
        click.echo(f"{name}: {number:,} vectors of {width} numbers")
