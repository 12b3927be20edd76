"""From a catalogue, a recipe and a source to the steps of a pipeline.

Query files of ``extract``, ``derive`` and ``versions`` become one step each. What SPARQL cannot
express comes from here: the ontology's files, a source's own statements, what its media have per
entity (summaries, image files), and the computed graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

import pyoxigraph as ox

from mlmkg import cells, computed, outlines, s2, texts
from mlmkg import splits as keyed
from mlmkg.catalog import Catalog, QueryFile
from mlmkg.extracting import LocalStatements, first_subjects, values_of
from mlmkg.pipeline import Pipeline, Step, Work, pipeline
from mlmkg.provenance import Plan
from mlmkg.recipe import Recipe
from mlmkg.sources import Inputs, LocalSource, Media, RemoteSource
from mlmkg.sources.slices import EVERYWHERE, WHOLE, Slice
from mlmkg.sparql import Term, bind, syntax_error
from mlmkg.store import SOURCE

SUMMARIES: Final = "summaries"
EVERYTHING: Final = Slice()
IMAGE_FILES: Final = "image_files"


def dataset(
    catalog: Catalog, recipe: Recipe, source: LocalSource | RemoteSource, media: Media, *,
    part: Slice = EVERYTHING, images: bool = True,
) -> Pipeline:  # fmt: skip
    """Return the pipeline that makes a dataset.

    :param part: which entities; all by default.
    :param images: whether image files are made; without them the graph still says who has which.
    :raises PipelineError: if the steps do not fit together.
    """
    remote = None if isinstance(source, LocalSource) else source
    steps = [_vocabulary("ontology", "mlm.ttl"), _vocabulary("countries", "countries.ttl")]
    if isinstance(source, LocalSource):
        steps.append(_statements(source))
    steps += _media_steps(media, images)
    local = LocalStatements()
    for query in catalog:
        if query.kind == "extract":
            steps.append(_extract(query, catalog, recipe, source, remote, local, part))
        elif query.writes is not None:
            steps.append(_construct(query, catalog, recipe))
    steps += _computed_steps(recipe, images)
    return pipeline(catalog.name, steps)


def bound(
    query: QueryFile, recipe: Recipe, more: Mapping[str, Sequence[Term]] = MappingProxyType({})
) -> tuple[str, dict[str, list[str]]]:
    """Return a query with the recipe's terms in its parameters, and those terms.

    A parameter that neither the recipe nor ``more`` names keeps the default that stands in the file.
    """
    known = {**recipe.parameters, **more}
    values = {name: known[name] for name in query.parameters if name in known}
    text = bind(query.text, values, query.path)
    return text, {name: [str(term) for term in terms] for name, terms in values.items()}


def query_plan(query: QueryFile, query_set: str) -> Plan:
    """Return the plan that a query file is."""
    return Plan(query.title, query.short_path, query_set, query.sha256)


def module_plan(title: str, path: str, *modules: ModuleType) -> Plan:
    """Return the plan that code is: its checksum is that of the modules it stands in."""
    digest = sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in modules))
    return Plan(title, path, "python", digest.hexdigest())


def _vocabulary(name: str, file: str) -> Step:
    path = Path(str(files("mlmkg.ontology").joinpath(file)))
    plan = Plan(f"The terms of {file}", file, "ontology", sha256(path.read_bytes()).hexdigest())

    def run(work: Work) -> None:
        triples = (quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE))
        ox.serialize(triples, work.writer.as_file(), ox.RdfFormat.N_TRIPLES)

    return Step(name, (), plan, run)


def _statements(source: LocalSource) -> Step:
    plan = module_plan(
        "The source's statements in the Wikidata vocabulary",
        f"mlmkg/sources/{source.name}.py#{SOURCE}", *source.modules(),
    )  # fmt: skip

    def run(work: Work) -> None:
        work.writer.add(source.statements(work.progress))

    return Step(SOURCE, (), plan, run, dict(source.identity()), tuple(source.origins(SOURCE)))


def _media_steps(media: Media, images: bool) -> list[Step]:
    made: dict[str, tuple[str, Callable[[Inputs], Iterator[bytes]]]] = {
        SUMMARIES: ("A summary per entity and language", media.summaries)
    }
    if images:
        made[IMAGE_FILES] = ("Image files, by checksum", media.image_files)

    def step(name: str, title: str, lines: Callable[[Inputs], Iterator[bytes]]) -> Step:
        def run(work: Work) -> None:
            work.writer.add(lines(work))

        path = str(media.modules()[0].__name__).replace(".", "/")
        plan = module_plan(title, f"{path}.py#{name}", *media.modules())
        return Step(
            name, media.reads(name), plan, run, dict(media.identity()), tuple(media.origins(name)),
            provisional=media.provisional(name),
        )  # fmt: skip

    return [step(name, title, lines) for name, (title, lines) in made.items()]


def _computed_steps(recipe: Recipe, images: bool) -> list[Step]:
    files_too = (IMAGE_FILES,) if images else ()
    return [
        Step(
            "cells", ("eligible", "instances"),
            module_plan("Adaptive S2 cells", "mlmkg/computed.py#cells", computed, cells, s2, outlines),
            lambda work: computed.cells(work, recipe.cells), asdict(recipe.cells),
        ),
        Step(
            "draw", ("irle", "instances"),
            module_plan("The draw within a country", "mlmkg/computed.py#draw", computed, keyed),
            lambda work: computed.draw(work, recipe.splits), {"key": recipe.splits.key},
        ),
        Step(
            "splits", ("eligible", "images", SUMMARIES, *files_too),
            module_plan("Train, val and test", "mlmkg/computed.py#splits", computed, keyed, texts),
            lambda work: computed.splits(work, recipe.splits), asdict(recipe.splits),
        ),
    ]  # fmt: skip


def _construct(query: QueryFile, catalog: Catalog, recipe: Recipe) -> Step:
    text, parameters = bound(query, recipe)

    def run(work: Work) -> None:
        try:
            work.construct(text)
        except SyntaxError as error:
            raise syntax_error(text, query.path, error) from None

    return Step(
        str(query.writes), query.reads, query_plan(query, catalog.name), run, parameters
    )  # fmt: skip


def _extract(
    query: QueryFile, catalog: Catalog, recipe: Recipe, source: LocalSource | RemoteSource,
    remote: RemoteSource | None, local: LocalStatements, part: Slice,
) -> Step:  # fmt: skip
    chooses = EVERYWHERE in query.parameters
    # What is counted in all of a source is of no use for a part of it, and an endpoint counts nothing.
    counted = WHOLE not in query.parameters or (remote is None and part == EVERYTHING)
    given = {} if counted else {WHOLE: ()}
    text, parameters = bound(query, recipe, part.parameters if chooses else given)
    limit = part.limit if chooses else None
    more: dict[str, Any] = {**parameters, **({"limit": limit} if limit else {})}
    reads = query.reads
    if remote is None:
        reads = tuple(dict.fromkeys((*reads, SOURCE)))
    else:
        more |= remote.identity()

    def run(work: Work) -> None:
        if not counted:
            return
        values = values_of(work, query)
        try:
            if remote is not None:
                lines = remote.construct(query, text, values, limit, work)
            else:
                lines = local.construct(work, query, text, values)
            if limit is not None:
                lines = first_subjects(lines, values or [], limit)
            found = work.writer.add(lines)
            if chooses and not found:
                work.note(
                    "no entity was found: does the source hold the class tree (P279) of the base"
                    " class, and does the slice hold anything"
                )
        except SyntaxError as error:
            raise syntax_error(text, query.path, error) from None

    plan = query_plan(query, catalog.name)
    return Step(str(query.writes), reads, plan, run, more, tuple(source.origins(SOURCE)))
