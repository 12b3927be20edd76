"""``mlmkg dump``: the whole graph in a folder."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("dump")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write; it must not exist, or be empty.",
)
@click.option(
    "--format",
    "-f",
    "forms",
    metavar="NAME,…",
    default="nquads",
    show_default=True,
    help="nquads, trig (a file per graph), jelly (needs mlmkg[jelly]).",
)
@click.option(
    "--sort/--no-sort",
    default=True,
    show_default=True,
    help="Sort the lines: the same graph gives the same bytes. Without, it takes less time.",
)
@click.option(
    "--images/--no-images",
    default=False,
    show_default=True,
    help="Bring the image files, too.",
)
@click.option("--force", is_flag=True, help="Replace a dump that is there.")
@pass_context
def command(context: Context, output: Path, forms: str, sort: bool, images: bool, force: bool) -> None:
    """Write the whole graph, provenance included: canonical N-Quads, sorted, gzip.

    VoID, a manifest and checksums lie beside it. `mlmkg verify` proves the folder, `mlmkg
    load` makes a workspace of it.

    \b
    mlmkg dump -o dump
    mlmkg dump -o dump --format nquads,trig --images
    zcat dump/graph.nq.gz | head
    """
    from mlmkg.cli.export import words
    from mlmkg.cli.main import settings
    from mlmkg.cli.tables import print_table

    from mlmkg.dumps.writing import dump
    from mlmkg.errors import RecipeError
    from mlmkg.progress import bar
    from mlmkg.store import open_read_only

    table = settings().get("dataset", {})
    if not isinstance(table, dict):
        raise RecipeError("not a table", where="dataset in mlmkg.toml", action="Write [dataset]")
    workspace = context.open_workspace()
    dumped = dump(
        open_read_only(workspace).raw, workspace, output, forms=words(forms), ordered=sort,
        images=images, force=force, settings=table, progress=bar,
    )  # fmt: skip
    rows = dumped.files.items()
    print_table(
        [{"file": f"{output / name}", "bytes": n} for name, n in rows if not name.startswith("images/")]
    )
    context.say(f"{dumped.quads:,} quads of {len(dumped.graphs)} graphs in {output}")
