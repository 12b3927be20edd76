"""``mlmkg queries``: the files that the graph is made by."""

from __future__ import annotations

import click
from mlmkg.cli.context import Context, pass_context


@click.group("queries", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, show and check the query files of the set."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_queries)


@command.command("list")
@click.option("--kind", default=None, help="Only one kind: extract, derive, checks, …")
@pass_context
def list_queries(context: Context, kind: str | None) -> None:
    """List the query files with what they read and write."""
    from mlmkg.cli.tables import print_table

    from mlmkg.catalog import read_catalog

    rows = [
        {
            "query": f"{query.kind}/{query.name}",
            "title": query.title,
            "reads": ", ".join(query.reads),
            "writes": query.writes or "",
            "parameters": ", ".join(query.parameters),
        }
        for query in read_catalog(context.queries)
        if kind in {None, query.kind}
    ]
    print_table(rows)


@command.command("show")
@click.argument("name")
@pass_context
def show_query(context: Context, name: str) -> None:
    """Print a query file."""
    from mlmkg.catalog import read_catalog

    click.echo(read_catalog(context.queries).find(name).text, nl=False)


@command.command("check")
@pass_context
def check_queries(context: Context) -> None:
    """Read every header, parse every query, and put the steps in order."""
    from mlmkg.catalog import read_catalog
    from mlmkg.recipe import read_recipe
    from mlmkg.sources.gazetteer import Gazetteer
    from mlmkg.sparql import check
    from mlmkg.steps import dataset

    catalog = read_catalog(context.queries)
    for query in catalog:
        check(query.text, query.path)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    cities = Gazetteer(languages=recipe.languages)
    steps = dataset(catalog, recipe, cities, cities)
    click.echo(f"{len(catalog.queries)} queries and {len(steps.steps)} steps are in order.")
