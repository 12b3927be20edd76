"""What ``build`` and ``update`` share: the options that say what is built from where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click
from mlmkg.cli.context import Context

if TYPE_CHECKING:
    from mlmkg.catalog import Catalog
    from mlmkg.harvest.client import Client
    from mlmkg.pipeline import Outcome, Pipeline
    from mlmkg.recipe import Recipe
    from mlmkg.sources import LocalSource, Media, RemoteSource
    from mlmkg.sources.slices import Slice
    from mlmkg.sources.wikimedia import Wikimedia

F = TypeVar("F", bound=Callable[..., Any])
#: Requests in the air per host (docs: Wikimedia's robot policy).
API_AT_ONCE = 3
MEDIA_AT_ONCE = 2
MEDIA_HOST = "upload.wikimedia.org"


def _box(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    try:
        west, south, east, north = (float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(
            "give west,south,east,north, for instance 14.1,35.7,14.6,36.1"
        ) from None
    return west, south, east, north


def _pairs(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = [item.partition("=") for item in value]
    if any(not equals for _, equals, _ in pairs):
        raise click.BadParameter("give FROM=TO, two beginnings of addresses")
    return {old: new for old, _, new in pairs}


_OPTIONS = [
    click.option(
        "--source", type=click.Choice(["gazetteer", "endpoint", "dump"]), default="gazetteer",
        show_default=True, help="Where the facts come from.",
    ),
    click.option(
        "--endpoint", metavar="URL", default="wikidata", show_default=True,
        help="endpoint: its address, or one of wikidata, qlever.",
    ),
    click.option(
        "--at-once", type=click.IntRange(1, 32), default=1, show_default=True,
        help="endpoint: queries in the air at a time.",
    ),
    click.option(
        "--dump", "dumps", metavar="PATH", multiple=True,
        help="dump: a file or URL, JSON or RDF, plain, .gz, .bz2 or .zst; repeat it for more.",
    ),
    click.option(
        "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
        help="dump: what reads it; spark needs mlmkg[spark].",
    ),
    click.option("--country", metavar="QID", help="Only entities of a country, such as Q233."),
    click.option(
        "--bbox", metavar="W,S,E,N", callback=_box,
        help="Only entities in a box, in degrees: west,south,east,north.",
    ),
    click.option(
        "--limit", type=click.IntRange(1),
        help="At most so many entities; gazetteer: the most populous.",
    ),
    click.option(
        "--min-population", type=click.IntRange(500), default=15_000, show_default=True,
        help="gazetteer: the least population of a city.",
    ),
    click.option(
        "--images/--no-images", default=True, show_default=True,
        help="Make image files, or only say which image shows what.",
    ),
    click.option(
        "--width", type=int, default=330, show_default=True,
        help="Width in pixels of the images fetched from Commons.",
    ),
    click.option(
        "--cirrus", metavar="PATH", multiple=True,
        help="Take summaries from a CirrusSearch content dump instead of asking; repeat it for more.",
    ),
    click.option(
        "--mirror", "mirrors", metavar="FROM=TO", multiple=True, callback=_pairs,
        help="Ask another server: addresses that begin with FROM begin with TO instead.",
    ),
    click.option("--retry", is_flag=True, help="Ask again for what could not be fetched before."),
    click.option("--offline", is_flag=True, help="Send no request; count what is left for later."),
]  # fmt: skip


def source_options(function: F) -> F:
    """Add the options to a command; it takes them as one ``options`` mapping."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True)
class Plan:
    """A pipeline and what it is made of.

    :param wikimedia: the media that fetch, or None for the gazetteer's own.
    """

    catalog: Catalog
    recipe: Recipe
    steps: Pipeline
    source: LocalSource | RemoteSource
    wikimedia: Wikimedia | None
    part: Slice


def planned(context: Context, options: dict[str, Any], as_of: str) -> Plan:
    """Return the pipeline that the options ask for.

    :param as_of: the moment that distant servers' answers are of.
    """
    from mlmkg.catalog import read_catalog
    from mlmkg.recipe import read_recipe
    from mlmkg.sources.slices import Slice
    from mlmkg.steps import dataset

    catalog = read_catalog(context.queries)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    limit = options["limit"]
    part = Slice(options["country"], options["bbox"], limit)
    client: Client | None = None
    wikimedia: Wikimedia | None = None
    source: LocalSource | RemoteSource
    media: Media
    if options["source"] == "gazetteer":
        from mlmkg.sources.gazetteer import Gazetteer

        source = media = Gazetteer(options["min_population"], limit, recipe.languages)
        part = Slice(options["country"], options["bbox"])
    else:
        client = None if options["offline"] else _client(context, options)
        media = wikimedia = _wikimedia(context, options, as_of, client)
        source = _wikidata(context, options, as_of, client, catalog, recipe)
    steps = dataset(catalog, recipe, source, media, part=part, images=options["images"])
    return Plan(catalog, recipe, steps, source, wikimedia, part)


def _client(context: Context, options: dict[str, Any]) -> Client:
    from urllib.parse import urlsplit

    from mlmkg.harvest.client import Client

    media = {urlsplit(new).netloc for old, new in options["mirrors"].items() if MEDIA_HOST in old}
    return Client(
        context.contact, options["mirrors"], at_once=API_AT_ONCE,
        limits=dict.fromkeys({MEDIA_HOST, *media}, MEDIA_AT_ONCE),
    )  # fmt: skip


def _wikimedia(
    context: Context, options: dict[str, Any], as_of: str, client: Client | None
) -> Wikimedia:
    from mlmkg.sources.wikimedia import Wikimedia

    return Wikimedia(
        client, context.open_workspace().journal, as_of, options["width"], options["cirrus"]
    )


def _wikidata(
    context: Context, options: dict[str, Any], as_of: str, client: Client | None, catalog: Catalog,
    recipe: Recipe,
) -> LocalSource | RemoteSource:  # fmt: skip
    from mlmkg.errors import SourceError

    if options["source"] == "endpoint":
        from mlmkg.sources.endpoint import Endpoint

        return Endpoint(options["endpoint"], client, as_of, options["at_once"])
    if not all(options["dumps"]) or not options["dumps"]:
        raise SourceError("no dump is named", where="--source dump", action="Add --dump PATH")
    from mlmkg.sources.dump import Dump
    from mlmkg.sources.wikibase import wanted

    return Dump(
        options["dumps"], wanted(catalog, recipe), context.open_workspace().journal,
        engine=options["engine"], contact=context.contact,
    )  # fmt: skip


def run(context: Context, plan: Plan, options: dict[str, Any], *, force: bool = False) -> Outcome:
    """Run a pipeline and say what it did."""
    from mlmkg.pipeline import build
    from mlmkg.progress import bar

    workspace = context.open_workspace()
    again = plan.wikimedia.forget_failures() if plan.wikimedia and options["retry"] else frozenset()
    outcome = build(plan.steps, workspace, force=force, again=again, progress=bar, say=context.detail)
    for name, notes in outcome.notes.items():
        for note in notes:
            context.say(f"{name}: {note}.")
    # What queries and dumps gave stands in graphs now; only what was fetched per entity is kept.
    if plan.wikimedia is not None:
        plan.wikimedia.forget_earlier()
    for name in ("endpoint", "dump"):
        for path in workspace.journal.glob(f"{name}.sqlite*"):
            path.unlink()
    if not outcome.changed:
        click.echo(f"Nothing to do: all {len(outcome.kept)} graphs are there.")
    else:
        triples = sum(written.triples for written in outcome.ran.values())
        click.echo(
            f"{len(outcome.ran)} graphs made ({triples:,} triples), {len(outcome.kept)} kept, "
            f"in {workspace.store}"
        )
    return outcome
