"""``mlmkg init``: a query set, a recipe and settings of one's own."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--class", "base", metavar="QID", default="Q486972", show_default=True,
    help="The class whose instances are wanted; subclasses to three hops count.",
)  # fmt: skip
@click.option(
    "--languages", default="en,de,fr", show_default=True,
    help="Wikipedia codes, comma-separated, the preferred one first.",
)  # fmt: skip
@click.option("--title", default="", help="What is built, one line.")
@pass_context
def command(context: Context, folder: Path, base: str, languages: str, title: str) -> None:
    """Write a query set, a recipe and settings into a new folder.

    \b
    mlmkg init museums --class Q33506 --languages en,it,es
    cd museums && mlmkg build --source endpoint --country Q38
    """
    from mlmkg.starting import start

    codes = tuple(code.strip() for code in languages.split(",") if code.strip())
    settings = start(folder, base, codes, title, contact=context.contact)
    click.echo(f"Written: {settings}, and the query set beside it. Next: cd {folder} && mlmkg build …")
