"""``mlmkg locate``: where a text or an image is from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from mlmkg.cli.context import Context, pass_context

if TYPE_CHECKING:
    from mlmkg.ml.locate import Located

SOURCES: Final = {"image": "the image", "text": "the text", "fused": "both"}


@click.command("locate")
@click.option("--text", default=None, help="What is said of the place, in any of the languages.")
@click.option(
    "--image",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="A picture of the place.",
)
@click.option("--run", "run", default=None, help="Which run; by default the newest that can locate.")
@click.option("--export", "export", type=click.Path(file_okay=False, path_type=Path), default=None,
              help="The export's folder; by default the one the run was trained on.")  # fmt: skip
@click.option("--top", type=click.IntRange(1, 50), default=5, show_default=True,
              help="How many cells.")  # fmt: skip
@click.option("--neighbours", type=click.IntRange(0, 100), default=5, show_default=True,
              help="How many entities.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@pass_context
def command(
    context: Context, text: str | None, image: Path | None, run: str | None,
    export: Path | None, top: int, neighbours: int, as_json: bool,
) -> None:  # fmt: skip
    """Say where a text or an image is from, how certain that is, and what is like it.

    \b
    mlmkg locate --text "A town in the south of Sweden."
    mlmkg locate --image photo.jpg --run irle-gr-mtl-0
    """
    from dataclasses import asdict

    from mlmkg.cli.tables import print_table
    from mlmkg.ml.locate import Locator

    from mlmkg.errors import ModelError
    from mlmkg.progress import bar

    if text is None and image is None:
        raise ModelError("there is nothing to locate", action="Give --text, --image, or both")
    workspace = context.open_workspace()
    locator = Locator(workspace, run, export=export, progress=bar)
    found = locator.locate(text, image, top=top, neighbours=neighbours)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return
    for line in said(found):
        context.say(line)
    print_table([asdict(cell) for cell in found.cells], title=f"Cells ({found.run})")
    if found.neighbours:
        print_table([asdict(near) for near in found.neighbours], title="Nearest entities")


def said(found: Located) -> list[str]:
    """Return an answer's place, how it was made, and how certain it is, as two sentences."""
    cell, mean = found.cells[0], found.mean
    middle = f"{cell.latitude:.2f}, {cell.longitude:.2f}"
    between = f"{mean.latitude:.2f}, {mean.longitude:.2f}"
    if found.estimate == "centroid":
        how = f"the mean of the cells, weighted by probability (the likeliest cell's centre: {middle})"
    elif mean.likely:
        how = f"the likeliest cell's centre (the mean of the cells, weighted by probability: {between})"
    else:
        how = f"the likeliest cell's centre (the cells' mean, {between}, lies in no likely cell)"
    likely = "the first one" if found.set_size == 1 else f"the first {found.set_size}"
    if found.set_size > len(found.cells):
        likely = f"{found.set_size}, more than are"
    return [
        f"{found.latitude:.2f}, {found.longitude:.2f} from {SOURCES[found.modality]}: {how}",
        f"In {100 * found.coverage:.0f} of 100 cases the true cell is among the likely ones, here "
        f"{likely} in this table",
    ]
