"""``mlmkg build``: run the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from mlmkg.cli.context import Context, pass_context

if TYPE_CHECKING:
    from mlmkg.pipeline import Pipeline


@click.command("build")
@click.option(
    "--source",
    type=click.Choice(["gazetteer"]),
    default="gazetteer",
    show_default=True,
    help="Where the facts come from.",
)
@click.option(
    "--min-population",
    type=click.IntRange(500),
    default=15_000,
    show_default=True,
    help="gazetteer: the least population of a city.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=None,
    help="gazetteer: only the so many most populous cities.",
)
@click.option(
    "--images/--no-images",
    default=True,
    show_default=True,
    help="Make image files, or only say which image shows what.",
)
@click.option("--dry-run", is_flag=True, help="Print what would run and why; change nothing.")
@click.option("--force", is_flag=True, help="Run every step again.")
@pass_context
def command(
    context: Context,
    source: str,
    min_population: int,
    limit: int | None,
    images: bool,
    dry_run: bool,
    force: bool,
) -> None:
    """Build the graph: run every step whose query, parameters or inputs have changed.

    \b
    mlmkg build                      # 34,000 cities, in a minute
    mlmkg build --limit 200          # a look
    mlmkg build --dry-run            # what would run, and why
    """
    from mlmkg.catalog import read_catalog
    from mlmkg.pipeline import build
    from mlmkg.progress import bar
    from mlmkg.recipe import read_recipe
    from mlmkg.sources.gazetteer import Gazetteer
    from mlmkg.steps import dataset

    catalog = read_catalog(context.queries)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    cities = Gazetteer(min_population=min_population, limit=limit, languages=recipe.languages)
    steps = dataset(catalog, recipe, cities, images=images)
    workspace = context.open_workspace()
    if dry_run:
        show(context, steps, force)
        return
    outcome = build(steps, workspace, force=force, progress=bar, say=context.detail)
    for name, notes in outcome.notes.items():
        for note in notes:
            context.say(f"{name}: {note}.")
    if not outcome.changed:
        click.echo(f"Nothing to do: all {len(outcome.kept)} graphs are there.")
        return
    triples = sum(written.triples for written in outcome.ran.values())
    click.echo(
        f"{len(outcome.ran)} graphs made ({triples:,} triples), {len(outcome.kept)} kept, "
        f"in {workspace.store}"
    )


def show(context: Context, steps: Pipeline, force: bool) -> None:
    """Print the pipeline with what would run and why."""
    from mlmkg.cli.tables import print_table

    rows = [
        {
            "graph": item.step.writes,
            "reads": ", ".join(item.step.reads) or "-",
            "plan": item.step.plan.path,
            "state": f"runs: {item.why}" if item.why else "is there",
        }
        for item in steps.plan(context.open_workspace(), force=force)
    ]
    print_table(rows, title=f"Pipeline of {steps.query_set}, in the order it runs")
