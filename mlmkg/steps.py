"""From a catalogue, a recipe and a source to the steps of a pipeline.

Query files of ``extract``, ``derive`` and ``versions`` become one step each. What SPARQL cannot
express comes from here: the ontology's files, the source's own statements, what it has per entity
(summaries, image files), and the computed graphs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Final

import pyoxigraph as ox

from mlmkg import cells, computed, outlines, s2
from mlmkg import splits as keyed
from mlmkg.catalog import Catalog, QueryFile
from mlmkg.graphfile import open_lines
from mlmkg.pipeline import SCRATCH, Pipeline, Step, Work, pipeline
from mlmkg.provenance import Plan
from mlmkg.recipe import Recipe
from mlmkg.sources import Source
from mlmkg.sparql import Term, bind, syntax_error
from mlmkg.store import FUNCTIONS, SOURCE
from mlmkg.vocab import PREFIXES

#: Values that a local extract query carries at a time; an endpoint takes its header's ``size``.
LOCAL_BATCH: Final = 20_000
IMAGE_FILES: Final = "image_files"


def dataset(catalog: Catalog, recipe: Recipe, source: Source, *, images: bool = True) -> Pipeline:
    """Return the pipeline that makes a dataset.

    :param images: whether image files are made; without them the graph still says who has which.
    :raises PipelineError: if the steps do not fit together.
    """
    statements = LocalStatements()
    steps = [_vocabulary("ontology", "mlm.ttl"), _vocabulary("countries", "countries.ttl")]
    steps += _source_steps(source, images)
    for query in catalog:
        if query.kind == "extract":
            steps.append(_extract(query, catalog, recipe, source, statements))
        elif query.writes is not None:
            steps.append(_construct(query, catalog, recipe))
    steps += _computed_steps(recipe, images)
    return pipeline(catalog.name, steps)


def bound(query: QueryFile, recipe: Recipe) -> tuple[str, dict[str, list[str]]]:
    """Return a query with the recipe's terms in its parameters, and those terms.

    A parameter that the recipe does not name keeps the default that stands in the file.
    """
    values = {name: recipe.parameters[name] for name in query.parameters if name in recipe.parameters}
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


def _source_steps(source: Source, images: bool) -> list[Step]:
    path = f"mlmkg/sources/{source.name}.py"

    def step(name: str, title: str, run: Callable[[Work], None]) -> Step:
        plan = module_plan(title, f"{path}#{name}", *source.modules())
        return Step(name, (), plan, run, dict(source.identity()), tuple(source.origins(name)))

    def image_files(work: Work) -> None:
        work.writer.add(source.image_files(work.workspace.images, work.progress))

    steps = [
        step(
            SOURCE, "The source's statements in the Wikidata vocabulary",
            lambda work: work.writer.add(source.statements(work.progress)),
        ),
        step(
            "summaries", "A summary per entity and language",
            lambda work: work.writer.add(source.summaries(work.progress)),
        ),
    ]  # fmt: skip
    if images:
        steps.append(step(IMAGE_FILES, "Image files, by checksum", image_files))
    return steps


def _computed_steps(recipe: Recipe, images: bool) -> list[Step]:
    files_too = (IMAGE_FILES,) if images else ()
    return [
        Step(
            "cells", ("eligible", "settlements"),
            module_plan("Adaptive S2 cells", "mlmkg/computed.py#cells", computed, cells, s2, outlines),
            lambda work: computed.cells(work, recipe.cells), asdict(recipe.cells),
        ),
        Step(
            "draw", ("irle", "settlements"),
            module_plan("The draw within a country", "mlmkg/computed.py#draw", computed, keyed),
            lambda work: computed.draw(work, recipe.splits), {"key": recipe.splits.key},
        ),
        Step(
            "splits", ("eligible", "images", *files_too),
            module_plan("Train, val and test", "mlmkg/computed.py#splits", computed, keyed),
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
    query: QueryFile, catalog: Catalog, recipe: Recipe, source: Source, statements: LocalStatements
) -> Step:
    text, parameters = bound(query, recipe)
    reads = tuple(dict.fromkeys((*query.reads, SOURCE)))

    def run(work: Work) -> None:
        try:
            statements.construct(work, query, text)
        except SyntaxError as error:
            raise syntax_error(text, query.path, error) from None

    plan = query_plan(query, catalog.name)
    return Step(str(query.writes), reads, plan, run, parameters, tuple(source.origins(SOURCE)))


class LocalStatements:
    """The source's statements in a scratch store, for the extract queries of one build.

    They stay out of the dataset's store: queries there see the union of all graphs, and Oxigraph
    would answer twice what is said in two of them.
    """

    def __init__(self) -> None:
        self._store: ox.Store | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def _open(self, work: Work) -> ox.Store:
        if self._store is None:
            self._folder = tempfile.TemporaryDirectory(prefix=SCRATCH, dir=work.workspace.root)
            self._store = ox.Store(self._folder.name)
            with open_lines(work.files[SOURCE].path) as lines:
                self._store.bulk_load(lines, ox.RdfFormat.N_TRIPLES, lenient=True)
        return self._store

    def construct(self, work: Work, query: QueryFile, text: str) -> None:
        """Evaluate an extract query, in batches where its header says so."""
        store = self._open(work)
        for values in self._batches(work, query):
            answer = store.query(
                bind(text, values, query.path), prefixes=PREFIXES, custom_functions=FUNCTIONS
            )
            if isinstance(answer, ox.QueryTriples):
                answer.serialize(work.writer.as_file(), ox.RdfFormat.N_TRIPLES)

    def _batches(self, work: Work, query: QueryFile) -> list[Mapping[str, Sequence[Term]]]:
        if query.batch is None:
            return [{}]
        iri = work.graphs[query.reads.index(query.batch.source)]
        rows = work.store.rows(f"SELECT DISTINCT ?s WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}")
        terms = [ox.NamedNode(row[0]) for row in rows]
        terms.sort(key=lambda term: term.value)
        return [
            {query.batch.variable: terms[start : start + LOCAL_BATCH]}
            for start in range(0, len(terms), LOCAL_BATCH)
        ]
