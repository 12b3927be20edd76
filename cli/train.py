"""``mlmkg train``: one model, two tasks."""

from __future__ import annotations

import os
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
    "--model",
    type=click.Choice(["mlm-clip", "ir-le"]),
    default="mlm-clip",
    show_default=True,
    help="Ours, or the paper's baseline with its own settings.",
)
@click.option("--as-released", is_flag=True,
              help="With ir-le: train as the authors' released code does.")  # fmt: skip
@click.option(
    "--task",
    type=click.Choice(["mtl", "ir", "le"]),
    default="mtl",
    show_default=True,
    help="Both tasks, retrieval alone, or location alone.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="One seed gives one result.")
@click.option("--epochs", type=click.IntRange(1), default=None, help="By default 30, ir-le: 100.")
@click.option("--batch", type=click.IntRange(2), default=None, help="By default 256, ir-le: 128.")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE",
              help="Any other setting of mlmkg.ml.settings.TrainConfig; may be repeated.")  # fmt: skip
@click.option(
    "--sweep",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A TOML file of settings with lists of values: a run for every combination, the best last.",
)
@click.option("--name", default=None, help="The run's name; by default VERSION-[MODEL-]TASK-SEED.")
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
@click.option("--graph", "graph", default=None, metavar="NAME",
              help="Vectors of `mlmkg embed` as one more input: their name in features/.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a run of that name; begin an unfinished one anew.")
@pass_context
def command(
    context: Context,
    version: str,
    model: str,
    as_released: bool,
    task: str,
    seed: int,
    epochs: int | None,
    batch: int | None,
    pairs: tuple[str, ...],
    sweep: Path | None,
    name: str | None,
    export: Path | None,
    features: Path | None,
    encoders: str,
    graph: str | None,
    force: bool,
) -> None:
    """Train a model on an exported version and evaluate it.

    A run that was stopped goes on where it was when the same command is given again. On several GPUs:
    torchrun --nproc-per-node N -m mlmkg train ...

    \b
    mlmkg train                              # both tasks on irle-gr
    mlmkg train --model ir-le --as-released  # the paper's baseline
    mlmkg train --task le --seed 1 --set smoothing_km=0
    mlmkg train --sweep grid.toml            # rate = [1e-3, 3e-4]; dropout = [0.1, 0.3]
    mlmkg train --features published         # on the published MLM, imported
    """
    from mlmkg.cli.evaluate import print_result
    from mlmkg.cli.tables import print_table
    from mlmkg.ml.data import load_dataset
    from mlmkg.ml.featurefolder import load_features, named
    from mlmkg.ml.settings import parsed, settings_of
    from mlmkg.ml.train import EVALUATION, train

    from mlmkg.progress import bar

    workspace = context.open_workspace()
    if features is not None and export is not None:
        raise ModelError(
            "are two data sets", where="--export and --features", action="Name one of them"
        )
    asked = click.get_current_context().get_parameter_source("version")
    if asked is click.core.ParameterSource.COMMANDLINE and (features or export):
        other = "--export" if export else "--features"
        raise ModelError(
            "are two data sets", where=f"--version and {other}",
            action=f"Name one of them: --version is an export of the workspace, {other} a folder",
        )  # fmt: skip
    given = {"task": task, "seed": seed, "epochs": epochs, "batch": batch}
    config = settings_of(
        model, as_released=as_released,
        **{k: v for k, v in given.items() if v is not None} | parsed(pairs),
    )  # fmt: skip
    if features is not None and graph is not None:
        raise ModelError(
            "are of an export's entities", where="--graph", action="Leave out --features"
        )  # fmt: skip
    vectors = None if graph is None else workspace.features / Path(graph).name
    if features is not None:
        dataset = load_features(named(features, workspace))
    else:
        dataset = load_dataset(
            export or workspace.exports / version, workspace.features, pair(encoders), progress=bar,
            images=workspace.images, graph=vectors,
        )  # fmt: skip
    if dataset.recipe.get("graph", {}).get("leaking"):
        context.say("The graph's vectors LEAK: they know places. Compare with nothing without them.")
    if sweep is not None:
        from mlmkg.ml.sweep import swept

        print_table(swept(dataset, config, sweep, workspace, name=name, force=force, progress=bar))
        return
    folder = train(dataset, config, workspace, name=name, force=force, progress=bar)
    if os.environ.get("RANK", "0") == "0":
        print_result((folder / EVALUATION).read_text("utf-8"), folder.name)
        context.say(f"The run with its plots is in {folder}")
