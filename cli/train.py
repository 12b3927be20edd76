"""``mlmkg train``: one model, two tasks."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context

from mlmkg.errors import ModelError


def pair(encoders: str) -> tuple[str, str]:
    """Return the image and the text encoder's names from ``lite0,use``."""
    names = [name.strip() for name in encoders.split(",")]
    if len(names) != 2:
        raise ModelError(
            f"{encoders!r} are not two encoders", where="--encoders", action="Write lite0,use"
        )
    return names[0], names[1]


@click.command("train")
@click.option("--version", "version", default="irle-gr", show_default=True, help="Which export.")
@click.option(
    "--task",
    type=click.Choice(["mtl", "ir", "le"]),
    default="mtl",
    show_default=True,
    help="Both tasks, retrieval alone, or location alone.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="One seed gives one result.")
@click.option("--epochs", type=click.IntRange(1), default=30, show_default=True)
@click.option("--batch", type=click.IntRange(2), default=256, show_default=True)
@click.option("--name", default=None, help="The run's name; by default VERSION-TASK-SEED.")
@click.option(
    "--export",
    "export",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The export's folder, if it is not in the workspace.",
)
@click.option(
    "--features",
    "features",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Train on a folder of `mlmkg import-mlm` instead: its path, or its name in features/.",
)
@click.option("--encoders", default="lite0,use", show_default=True, metavar="IMAGE,TEXT",
              help="The encoders' names.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a run of that name.")
@pass_context
def command(
    context: Context,
    version: str,
    task: str,
    seed: int,
    epochs: int,
    batch: int,
    name: str | None,
    export: Path | None,
    features: Path | None,
    encoders: str,
    force: bool,
) -> None:
    """Train a model on an exported version and evaluate it.

    \b
    mlmkg train                              # both tasks on irle-gr
    mlmkg train --task le --seed 1
    mlmkg train --features published         # on the published MLM, imported
    """
    from mlmkg.cli.evaluate import print_result
    from mlmkg.ml.data import load_dataset
    from mlmkg.ml.featurefolder import load_features, named
    from mlmkg.ml.train import EVALUATION, TrainConfig, train

    from mlmkg.progress import bar

    workspace = context.open_workspace()
    if features is not None and export is not None:
        raise ModelError(
            "are two data sets", where="--export and --features", action="Name one of them"
        )
    if features is not None:
        dataset = load_features(named(features, workspace))
    else:
        dataset = load_dataset(
            export or workspace.exports / version, workspace.features, pair(encoders), progress=bar,
            images=workspace.images,
        )  # fmt: skip
    config = TrainConfig(task=task, seed=seed, epochs=epochs, batch=batch)
    folder = train(dataset, config, workspace, name=name, force=force, progress=bar)
    print_result((folder / EVALUATION).read_text("utf-8"), folder.name)
    context.say(f"The run with its plots is in {folder}")
