"""``mlmkg evaluate``: a run's figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from mlmkg.cli.context import Context, pass_context

SIDES: Final = {"image": "from the image", "text": "from the text", "fused": "from both"}


@click.command("evaluate")
@click.argument("run")
@click.option(
    "--export",
    "export",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The export's folder; by default the one the run was trained on.",
)
@click.option(
    "--features",
    "features",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The features folder, for a run that was trained on one.",
)
@click.option("--field", is_flag=True,
              help="Also print what the field looks at: all images and languages of all test "
                   "entities, the worst groups, languages, intervals of 95 %.")  # fmt: skip
@click.option("--write", is_flag=True, help="Write the figures into the graph, as ML-Schema.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@pass_context
def command(
    context: Context, run: str, export: Path | None, features: Path | None, field: bool, write: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Evaluate a run on the test split, by the paper's protocol and as the field does.

    \b
    mlmkg evaluate irle-gr-mtl-0 --field
    mlmkg evaluate irle-gr-mtl-0 --write     # then: mlmkg sparql runs-compared
    """
    from mlmkg.ml import checkpoint
    from mlmkg.ml.evaluate import evaluate
    from mlmkg.ml.featurefolder import load_for_run
    from mlmkg.ml.predict import describe

    from mlmkg.catalog import read_catalog
    from mlmkg.progress import bar
    from mlmkg.writeback import write_run

    workspace = context.open_workspace()
    folder = checkpoint.run_folder(workspace, run)
    loaded = checkpoint.load(folder)
    dataset = load_for_run(loaded.about, workspace, export=export, features=features, progress=bar)
    checkpoint.check_fits(loaded, dataset, folder)
    result = evaluate(loaded.model, dataset, loaded.task, certainty=loaded.certainty)
    text = json.dumps(result, indent=2)
    if as_json:
        click.echo(text)
    else:
        print_result(text, folder.name)
        if field:
            print_field(result, folder.name)
    if write:
        description = describe(folder, loaded.about, result)
        written = write_run(workspace, read_catalog(context.queries).name, description)
        context.say(f"{written.triples:,} triples in the graph runs/{description.name}")


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
        sides = {SIDES[side]: figures for side, figures in result["location"].items()}
        sides["always the largest cell"] = result["chance"]["location"]
        print_table(
            [{"location": side, **_rounded(figures)} for side, figures in sides.items() if figures],
            title=f"{run}: geo cells of {result['entities']} test entities",
        )
    if result.get("certainty"):
        print_table(
            [{"certainty": SIDES[side], "error before": _round(found["ECE_before"]),
              "error": _round(found["ECE"]), "sets hold": _round(found["coverage"]),
              "cells in a set": _round(found["set_size"], 1)}
             for side, found in result["certainty"].items()],
            title=f"{run}: calibration error, and sets that should hold the cell 90 % of the time",
        )  # fmt: skip


def print_field(result: Mapping[str, Any], run: str) -> None:
    """Print what stands under ``field``: figures with intervals, languages, the worst groups."""
    from mlmkg.cli.tables import print_table

    field = result["field"]
    for task, better in (("retrieval", "MRR"), ("location", "F1")):
        found = {
            side: part for side, part in (field[task] or {}).items()
            if isinstance(part, Mapping) and "figures" in part
        }  # fmt: skip
        if not found:
            continue
        names = {side: SIDES.get(side, side.replace("_", " ")) for side in found}
        candidates = f"among {field[task]['candidates']:,}" if task == "retrieval" else "of the cell"
        print_table(
            [{task: names[side], **_with_intervals(part)} for side, part in found.items()],
            title=f"{run}: {task} {candidates}, all images and languages; 95 % intervals",
        )
        worst = [
            {task: names[side], "by": by.removeprefix("by_"),
             "worst": part[by]["worst"][better]["group"],
             better: _round(part[by]["worst"][better]["value"]),
             "mean of the groups": _round(part[by]["mean"][better])}
            for side, part in found.items() for by in ("by_continent", "by_class")
            if by in part and len(part[by]["groups"]) > 1
        ]  # fmt: skip
        if worst:
            print_table(worst, title=f"{run}: the worst group")
    languages = (field["retrieval"] or {}).get("by_language", {}).get("languages", {})
    if languages:
        print_table(
            [{"language": name, "entities": part["entities"],
              **{f"{figure} {way[0]}→{way.rpartition('_')[2][0]}": _round(part[way][figure], digits)
                 for way in ("image_to_text", "text_to_image")
                 for figure, digits in (("medR", 1), ("R@10", 3))}}
             for name, part in languages.items()],
            title=f"{run}: one language alone",
        )  # fmt: skip


def _with_intervals(part: Mapping[str, Any]) -> dict[str, str]:
    shown = {}
    for name, value in part["figures"].items():
        low, high = part["intervals"].get(name) or (None, None)
        digits = 1 if name in {"medR", "median_km"} else 3
        label = name.removeprefix("within_").replace("median_km", "median km")
        shown[label] = "" if value is None else f"{value:.{digits}f}"
        if value is not None and low is not None:
            shown[label] += f" ({low:.{digits}f}–{high:.{digits}f})"
    return {k: v for k, v in shown.items() if k not in {"P", "R", "1km", "2500km"}}


def _round(value: float | None, digits: int = 3) -> float | str:
    return "" if value is None else round(value, digits)


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | str]:
    return {
        name.removeprefix("within_").replace("median_km", "median km"):
        _round(value, 1 if name in {"medR", "median_km"} else 3)
        for name, value in figures.items()
    }  # fmt: skip
