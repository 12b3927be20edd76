"""``mlmkg metadata``: FAIR metadata of a workspace."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("metadata")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The folder to write; by default metadata/ in the workspace.",
)
@click.option(
    "--format",
    "formats",
    metavar="NAME,…",
    default="",
    help="void, dcat, dcat-jsonld, prov, queries, schemaorg, croissant, ro-crate, datacite-json, "
    "datacite-xml, codemeta; by default all that can be written.",
)
@click.option(
    "--version",
    "version",
    default=None,
    metavar="NAME",
    help="Describe this export alone; by default all that are in the workspace.",
)
@click.option(
    "--html", is_flag=True, help="Write a landing page, too: index.html, map.png, linkset.json."
)
@pass_context
def command(
    context: Context, output: Path | None, formats: str, version: str | None, html: bool
) -> None:
    """Describe the graph and its exports for catalogues, search engines and ML hubs.

    What people say of the dataset (title, creators, publisher, licence, address, …) comes from the
    table [dataset] of mlmkg.toml; what is not there is not made up. Croissant and RO-Crate stand in
    the folder of each export, and in its SHA256SUMS.

    \b
    mlmkg metadata
    mlmkg metadata --version irle-gr -o metadata/
    mlmkg metadata --format croissant,datacite-json
    mlmkg metadata --html
    """
    from mlmkg.cli.export import words
    from mlmkg.cli.main import settings
    from mlmkg.cli.tables import print_table

    from mlmkg.catalog import read_catalog
    from mlmkg.errors import RecipeError
    from mlmkg.metadata import write_metadata
    from mlmkg.progress import bar
    from mlmkg.store import open_read_only

    table = settings().get("dataset", {})
    if not isinstance(table, dict):
        raise RecipeError("not a table", where="dataset in mlmkg.toml", action="Write [dataset]")
    workspace = context.open_workspace()
    written = write_metadata(
        open_read_only(workspace).raw, workspace, output or workspace.metadata,
        settings=table, version=version, formats=words(formats), html=html,
        catalog=read_catalog(context.queries), progress=bar,
    )  # fmt: skip
    print_table([{"file": str(path), "bytes": path.stat().st_size} for path in written.files])
    for hint in written.hints:
        context.say(hint)
