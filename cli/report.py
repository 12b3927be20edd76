"""``mlmkg report``: statistics and pictures of a version, as one page."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("report")
@click.option("--version", "version", default="irle-gr", show_default=True, help="Which version.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write.",
)
@click.option("--force", is_flag=True, help="Replace a report that exists.")
@pass_context
def command(context: Context, version: str, output: Path, force: bool) -> None:
    """Write statistics and pictures of a version: one HTML page, its numbers, PNGs.

    \b
    mlmkg report -o report/
    mlmkg report --version mlm -o report-mlm/
    """
    from mlmkg.cli.tables import print_table

    from mlmkg.catalog import read_catalog
    from mlmkg.export.members import of_version
    from mlmkg.export.tables import Reader
    from mlmkg.progress import bar
    from mlmkg.recipe import read_recipe
    from mlmkg.report.page import PAGE, table_2
    from mlmkg.report.version import report_version
    from mlmkg.store import open_read_only

    workspace = context.open_workspace()
    catalog = read_catalog(context.queries)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    store = open_read_only(workspace)
    members = of_version(store, catalog, recipe, version)
    figures = report_version(
        Reader(store, catalog), workspace, recipe, members, output, force=force, progress=bar
    )
    rows = [{"what": what, "number": number} for what, number in table_2(figures)]
    print_table(rows, title=f"{output / PAGE}: {members.title}")
