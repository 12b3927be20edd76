"""``mlmkg export``: a version as tables, images, a card and a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context

from mlmkg.errors import QueryError

#: Written by the model's storey, from the tables and the encoders.
HDF5 = "hdf5"


def words(text: str) -> tuple[str, ...]:
    """Return the names in ``one,two``, in lower case, each once."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    return tuple(dict.fromkeys(names))


@click.command("export")
@click.option("--version", "version", default="irle-gr", show_default=True, help="Which version.")
@click.option(
    "--where",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="A SELECT ?entity in a file: a version of one's own, called after the file.",
)
@click.option(
    "--format",
    "formats",
    metavar="NAME,…",
    default="parquet",
    show_default=True,
    help="parquet (and GeoParquet), jsonl, webdataset, geojson, pykeen, hdf5 (as the published MLM).",
)
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
    "--images",
    "pictures",
    type=click.Choice(["files", "bytes", "none"]),
    default="files",
    show_default=True,
    help="Beside the tables, inside images.parquet, or not at all.",
)
@click.option(
    "--licences",
    metavar="FAMILY,…",
    default="",
    help="Only works under these: cc0, pd, cc-by, cc-by-sa, gfdl, fal, other, unknown.",
)
@click.option("--shard-size", type=click.IntRange(1), default=256, show_default=True, metavar="MB",
              help="Size of a WebDataset shard.")  # fmt: skip
@click.option("--encoders", default="lite0,use", show_default=True, metavar="IMAGE,TEXT",
              help="The encoders of hdf5's vectors.")  # fmt: skip
@click.option("--report/--no-report", default=True, show_default=True,
              help="Write a page with maps and figures.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an export of this version that exists.")
@pass_context
def command(
    context: Context,
    version: str,
    where: Path | None,
    formats: str,
    output: Path | None,
    split: str,
    pictures: str,
    licences: str,
    shard_size: int,
    encoders: str,
    report: bool,
    force: bool,
) -> None:
    """Write a version as tables, with its images beside them, a card, a report and checksums.

    \b
    mlmkg export --version irle-gr
    mlmkg export --version irle --split spatial -o spatial/
    mlmkg export --version mlm --licences cc0,pd,cc-by,cc-by-sa
    mlmkg export --where capitals.rq --format parquet,geojson
    mlmkg export --version irle-gr --format webdataset --shard-size 1000
    """
    import pyarrow as pa
    from mlmkg.cli.tables import print_table

    from mlmkg.catalog import read_catalog
    from mlmkg.export.folder import Options, export_version
    from mlmkg.export.members import of_query, of_version
    from mlmkg.export.tables import Reader
    from mlmkg.progress import bar
    from mlmkg.recipe import read_recipe
    from mlmkg.reports import run_report
    from mlmkg.store import open_read_only

    # Arrow's own pool gives pages back after every batch and takes them anew for the next one: that was
    # a fifth of the CPU beyond the queries'. The system's pool keeps them.
    pa.set_memory_pool(pa.system_memory_pool())
    given = click.get_current_context().get_parameter_source("version")
    if where is not None and given is click.core.ParameterSource.COMMANDLINE:
        raise QueryError("are two versions", where="--where and --version", action="Name one of them")
    workspace = context.open_workspace()
    store = open_read_only(workspace)
    catalog = read_catalog(context.queries)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    members = (
        of_query(store, catalog, recipe, where)
        if where
        else of_version(store, catalog, recipe, version)
    )
    if members.left_out:
        context.say(f"{members.left_out:,} that {where} selects are no eligible entities: left out")
    names = words(formats)
    # The vectors of hdf5 are those of the tables' images and texts.
    forms = tuple(name for name in names if name != HDF5) + (
        ("parquet",) if HDF5 in names and "parquet" not in names else ()
    )
    options = Options(forms, split, words(licences), pictures, shard_size << 20, report, force)
    ending = "" if "parquet" in names else f"-{'-'.join(names)}"
    folder = output or workspace.exports / f"{members.name}{ending}"
    finish: list[Callable[[Path], object]] = []
    if HDF5 in names:
        from mlmkg.cli.train import pair
        from mlmkg.ml.published import publish

        both = pair(encoders)
        finish.append(
            lambda new: publish(
                new, workspace.features, new, both, progress=bar, images=workspace.images
            )
        )
    exported = export_version(
        Reader(store, catalog), workspace, recipe, members, folder, options, finish=finish, progress=bar
    )
    if exported.undescribed:
        context.say(
            f"{exported.undescribed:,} entities have no place or no split, and are left out; "
            "`mlmkg validate` says more"
        )
    of_it = next((q for q in catalog.of_kind("reports") if q.name == members.name), None)
    if of_it is not None:
        print_table(run_report(store, of_it), title=of_it.title)
    rows = [
        {"file": name, "rows": entry.get("rows"), "bytes": entry["bytes"]}
        for name, entry in sorted(exported.manifest["files"].items())
        if not name.startswith("report/")
    ]
    print_table(rows, title=f"{exported.folder} ({split} split)")
    from mlmkg.export.card import without_train

    if bare := without_train(exported.figures):
        have = "1 geo cell has" if len(bare) == 1 else f"{len(bare):,} geo cells have"
        context.say(f"{have} no entity in train: {', '.join(bare[:10])}")
