"""``mlmkg evaluate``: a run's figures."""

from __future__ import annotations

import json
from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("evaluate")
@click.argument("run")
@click.option(
    "--export",
    "export",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The export's folder; by default that of the run's version.",
)
@click.option(
    "--features",
    "features",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The features folder, for a run that was trained on one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@pass_context
def command(
    context: Context, run: str, export: Path | None, features: Path | None, as_json: bool
) -> None:
    """Evaluate a run on the test split, by the paper's protocol."""
    from mlmkg.ml import checkpoint
    from mlmkg.ml.evaluate import evaluate
    from mlmkg.ml.featurefolder import load_for_run

    from mlmkg.progress import bar

    workspace = context.open_workspace()
    folder = checkpoint.run_folder(workspace, run)
    loaded = checkpoint.load(folder)
    dataset = load_for_run(loaded.about, workspace, export=export, features=features, progress=bar)
    checkpoint.check_fits(loaded, dataset, folder)
    text = json.dumps(evaluate(loaded.model, dataset, loaded.task), indent=2)
    if as_json:
        click.echo(text)
    else:
        print_result(text, folder.name)


def print_result(text: str, run: str) -> None:
    """Print an evaluation as two tables with what chance reaches.

    :param text: the evaluation as JSON.
    """
    from mlmkg.cli.tables import print_table

    result = json.loads(text)
    if result["retrieval"]:
        scored = "by cosine, " if result.get("retrieval_by_dot_product") else ""
        chance = result["chance"]["retrieval"]
        ways = {"image to text": result["retrieval"]["image_to_text"],
                "text to image": result["retrieval"]["text_to_image"], "chance": chance}  # fmt: skip
        note = "" if result["pairs"] > result["gallery"] else ", the whole test split"
        print_table(
            [{"retrieval": way, **_rounded(figures)} for way, figures in ways.items()],
            title=f"{run}: {scored}{result['draws']} draws of {result['gallery']} of "
            f"{result['pairs']} test entities{note}",
        )
    if released := result.get("retrieval_by_dot_product"):
        print_table(
            [{"retrieval": way.replace("_", " "), **_rounded(figures)}
             for way, figures in released.items()],
            title=f"{run}: the same by dot product, as the released code compares",
        )  # fmt: skip
    if result["location"]:
        names = {"image": "from the image", "text": "from the text", "fused": "from both"}
        sides = {names[side]: figures for side, figures in result["location"].items()}
        sides["always the largest cell"] = result["chance"]["location"]
        print_table(
            [{"location": side, **_rounded(figures)} for side, figures in sides.items() if figures],
            title=f"{run}: geo cells of {result['entities']} test entities",
        )


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {
        name.removeprefix("within_").replace("median_km", "median km"):
        round(value, 1 if name in {"medR", "median_km"} else 3)
        for name, value in figures.items()
    }  # fmt: skip
