"""``mlmkg export``: a version as tables, images and a card."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("export")
@click.option("--version", "version", default="irle-gr", show_default=True, help="Which version.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The folder to write; by default exports/VERSION in the workspace.",
)
@click.option(
    "--split",
    type=click.Choice(["hash", "spatial"]),
    default="hash",
    show_default=True,
    help="hash: interpolation between neighbours; spatial: whole regions apart.",
)
@click.option(
    "--licences",
    metavar="FAMILY,…",
    default="",
    help="Only works under these: cc0, pd, cc-by, cc-by-sa, gfdl, fal, other, unknown.",
)
@click.option("--force", is_flag=True, help="Replace a folder that exists.")
@pass_context
def command(
    context: Context, version: str, output: Path | None, split: str, licences: str, force: bool
) -> None:
    """Write a version as Parquet tables, with its images beside them and a card.

    \b
    mlmkg export --version irle-gr
    mlmkg export --version irle --split spatial -o spatial/
    mlmkg export --version mlm --licences cc0,pd,cc-by,cc-by-sa
    """
    from mlmkg.cli.tables import print_table

    from mlmkg.catalog import read_catalog
    from mlmkg.export.folder import export_version
    from mlmkg.progress import bar
    from mlmkg.recipe import read_recipe
    from mlmkg.reports import run_report
    from mlmkg.store import open_read_only

    workspace = context.open_workspace()
    store = open_read_only(workspace)
    catalog = read_catalog(context.queries)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    folder = output or workspace.exports / version
    exported = export_version(
        store, workspace, catalog, recipe, version, folder, split=split, force=force, progress=bar,
        licences=[name.strip().lower() for name in licences.split(",") if name.strip()],
    )  # fmt: skip
    report = next((q for q in catalog.of_kind("reports") if q.name == version), None)
    if report is not None:
        print_table(run_report(store, report), title=report.title)
    rows = [
        {"table": name, "rows": entry["rows"], "bytes": entry["bytes"]}
        for name, entry in sorted(exported.manifest["files"].items())
    ]
    print_table(rows, title=f"{exported.folder} ({split} split)")
    bare = [row["cell"] for row in exported.tables["cells"].to_pylist() if not row["train"]]
    if bare:
        context.say(f"{len(bare)} geo cells have no entity in train: {', '.join(bare[:10])}")
