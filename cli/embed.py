"""``mlmkg embed``: vectors of a version's entities from its graph."""

from __future__ import annotations

import click
from mlmkg.cli.context import Context, pass_context


@click.command("embed")
@click.option("--version", "version", default="irle-gr", show_default=True, help="Which version.")
@click.option("--method", metavar="NAME", default="TransE", show_default=True,
              help="A model of PyKEEN (TransE, RotatE, ComplEx, …), or class-similarity.")  # fmt: skip
@click.option("--dim", type=click.IntRange(1), default=128, show_default=True,
              help="Numbers in a vector; complex ones become two.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), default=100, show_default=True,
              help="Passes over the links.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="One seed gives one result.")  # fmt: skip
@click.option("--with-places", "places", is_flag=True,
              help="Take training entities' countries and cells, too: the result leaks.")  # fmt: skip
@click.option("--split", type=click.Choice(["hash", "spatial"]), default="hash", show_default=True,
              help="Whose splits say what is held out: see export --split.")  # fmt: skip
@pass_context
def command(
    context: Context,
    version: str,
    method: str,
    dim: int,
    epochs: int,
    seed: int,
    places: bool,
    split: str,
) -> None:
    """Make a vector for each entity from the version's graph, for `train --graph`.

    By default from links that state no place: classes and their superclasses.

    \b
    mlmkg embed --version irle-gr --method DistMult
    mlmkg embed --method class-similarity    # trains nothing, needs no PyKEEN
    """
    from mlmkg.ml.kge import Settings, embed

    from mlmkg.catalog import read_catalog
    from mlmkg.export.members import of_version
    from mlmkg.export.tables import Reader
    from mlmkg.progress import bar
    from mlmkg.recipe import read_recipe
    from mlmkg.store import open_read_only

    workspace = context.open_workspace()
    store = open_read_only(workspace)
    catalog = read_catalog(context.queries)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    members = of_version(store, catalog, recipe, version)
    made = embed(
        Reader(store, catalog), recipe, members, workspace.features,
        Settings(method, dim, epochs, seed, places), split, bar,
    )  # fmt: skip
    about = made.about
    kinds = ", ".join(
        f"{name.rpartition('/')[2]} {count:,}" for name, count in about["relations"].items()
    )
    context.say(
        f"{about['method']}: {len(about['rows']):,} of {len(members.entities):,} entities, "
        f"{about['dim']} numbers each, from {about['links']:,} links ({kinds})"
        + ("; it was there already" if made.cached else "")
    )
    if about["leaking"]:
        context.say(
            "It LEAKS: countries, continents or cells of training entities are in it. Compare what is "
            "trained on it with nothing that does without them."
        )
    click.echo(made.path.relative_to(workspace.root).as_posix())
