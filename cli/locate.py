"""``mlmkg locate``: where a text or an image is from."""

from __future__ import annotations

import json
from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("locate")
@click.option("--text", default=None, help="What is said of the place, in any of the languages.")
@click.option(
    "--image",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="A picture of the place.",
)
@click.option("--run", "run", default=None, help="Which run; by default the newest that can locate.")
@click.option("--top", type=click.IntRange(1, 50), default=5, show_default=True,
              help="How many cells.")  # fmt: skip
@click.option("--neighbours", type=click.IntRange(0, 100), default=5, show_default=True,
              help="How many entities.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@pass_context
def command(
    context: Context, text: str | None, image: Path | None, run: str | None, top: int,
    neighbours: int, as_json: bool,
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
    found = Locator(workspace, run, progress=bar).locate(text, image, top=top, neighbours=neighbours)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return
    sources = {"image": "the image", "text": "the text", "fused": "both"}
    cells = "1 cell" if found.set_size == 1 else f"{found.set_size} cells"
    context.say(
        f"{found.latitude:.2f}, {found.longitude:.2f} from {sources[found.modality]}; "
        f"{found.coverage:.0%} of the time it lies in one of so many cells: {cells} here"
    )
    print_table([asdict(cell) for cell in found.cells], title=f"Cells ({found.run})")
    if found.neighbours:
        print_table([asdict(near) for near in found.neighbours], title="Nearest entities")
