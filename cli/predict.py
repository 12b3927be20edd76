"""``mlmkg predict``: what a model says, back in the graph."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("predict")
@click.argument("run")
@click.option("--top", type=click.IntRange(1, 50), default=5, show_default=True,
              help="How many cells per entity and modality.")  # fmt: skip
@click.option(
    "--export",
    "export",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The export to predict for; by default the one the run was trained on.",
)
@click.option(
    "--features",
    "features",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The features folder, for a run that was trained on one.",
)
@click.option("--dry-run", is_flag=True, help="Print the triples as Turtle; change nothing.")
@pass_context
def command(
    context: Context, run: str, top: int, export: Path | None, features: Path | None, dry_run: bool
) -> None:
    """Write the predictions of a run for its test entities into the graph."""
    from mlmkg.ml.predict import predict

    from mlmkg.catalog import read_catalog
    from mlmkg.progress import bar
    from mlmkg.writeback import turtle, write_back

    workspace = context.open_workspace()
    description, predictions = predict(
        workspace, run, export=export, features=features, top=top, progress=bar
    )
    if dry_run:
        click.echo(turtle(description, predictions).decode(), nl=False)
        return
    written = write_back(workspace, read_catalog(context.queries).name, description, predictions)
    click.echo(f"{written.triples:,} triples in the graph predictions/{description.name}")
