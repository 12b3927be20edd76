"""Who belongs to a version: one of the recipe, or one that a query of one's own selects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import QuerySolutions

from mlmkg.catalog import Catalog
from mlmkg.errors import ExportError, QueryError
from mlmkg.recipe import Recipe
from mlmkg.results import read_table
from mlmkg.sparql import calls_service, form, syntax_error
from mlmkg.store import GraphStore
from mlmkg.vocab import GRAPH, MLM, VERSION


@dataclass(frozen=True)
class Members:
    """The entities of a version.

    :param name: the version's name.
    :param title: one line.
    :param entities: (N,) IRIs, sorted, each once; all of them eligible.
    :param left_out: how many a query selected that are not eligible.
    :param query: name, text and sha256 of a query of one's own, or nothing.
    """

    name: str
    title: str
    entities: pa.Array
    left_out: int = 0
    query: dict[str, str] | None = None


def of_version(store: GraphStore, catalog: Catalog, recipe: Recipe, version: str) -> Members:
    """Return the entities of a version that the recipe names.

    :raises RecipeError: if it names no such version.
    :raises ExportError: if the version is empty, or the store was built by other queries.
    """
    title = recipe.version(version)
    check_set(store, catalog, version)
    entities = _distinct(
        store, f"SELECT ?entity WHERE {{ ?entity <{MLM.inVersion}> <{VERSION[version]}> }}"
    )
    if not len(entities):
        raise ExportError(
            f"the version {version!r} has no entities", where=f"graph {version}",
            action="`mlmkg sparql constraints` says what each constraint left; build more "
            "(without --limit, --country, --bbox, --offline)",
        )  # fmt: skip
    return Members(version, title, entities)


def of_query(store: GraphStore, catalog: Catalog, recipe: Recipe, path: Path) -> Members:
    """Return the eligible entities that a query selects.

    :param path: a SELECT with a variable ``?entity``; the file's name is the version's.
    :raises QueryError: if it is something else.
    :raises ExportError: if it selects nothing eligible, or the store was built by other queries.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot be read: {error}", where=path, action="Correct the name") from None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", path.stem):
        raise QueryError(
            f"{path.stem!r} is no name for a version: it becomes a folder and part of an IRI",
            where=path, action="Use letters, digits, hyphens, underscores and full stops",
        )  # fmt: skip
    if path.stem in recipe.versions:
        raise QueryError(
            f"{path.stem!r} is the name of a version of the recipe", where=path,
            action="Give the file another name, or export that version with --version",
        )  # fmt: skip
    shape = "Write SELECT ?entity WHERE { ?entity a mlm:Entity ; … }"
    if form(text) != "SELECT":
        raise QueryError(
            f"is no SELECT but {form(text) or 'text without a query form'}", where=path, action=shape
        )
    if calls_service(text):
        raise QueryError(
            "calls another server (SERVICE), and could not be repeated", where=path,
            action="Bring what it asks for into the graph by a query of extract/",
        )  # fmt: skip
    check_set(store, catalog)
    found = _distinct(store, text, path)
    eligible = _distinct(store, f"SELECT ?entity WHERE {{ ?entity a <{MLM.Entity}> }}")
    entities = found.filter(pc.is_in(found, eligible))
    if not len(entities):
        what = f"selects {len(found):,} things, none of them an eligible entity"
        raise ExportError(
            what if len(found) else "selects nothing", where=path,
            action="Try it with `mlmkg sparql`; entities are of the class mlm:Entity",
        )  # fmt: skip
    said = {"name": path.name, "text": text, "sha256": sha256(text.encode()).hexdigest()}
    start = "#+ title:"
    titles = (line.removeprefix(start) for line in text.splitlines() if line.startswith(start))
    title = next(titles, "").strip().strip('"') or f"Entities selected by {path.name}"
    return Members(path.stem, title, entities, len(found) - len(entities), said)


def _distinct(store: GraphStore, text: str, where: Path | None = None) -> pa.Array:
    """Return the values of ``?entity``, sorted, each once."""
    try:
        answer = store.query(text)
    except SyntaxError as error:
        raise syntax_error(text, where or "", error) from None
    if not isinstance(answer, QuerySolutions):
        raise TypeError("a SELECT")
    names = [variable.value for variable in answer.variables]
    if "entity" not in names:
        raise QueryError(
            f"selects {', '.join(names)}, not ?entity", where=where, action="Select ?entity"
        )
    column = read_table(answer, dict.fromkeys(names, pa.string()))["entity"]
    values = pc.unique(column).drop_null()
    return values.take(pc.sort_indices(values))


def check_set(store: GraphStore, catalog: Catalog, version: str | None = None) -> None:
    """Refuse a store that was built by other queries than those of the catalogue.

    :raises ExportError: if its graphs belong to another query set, or the version's query is another.
    """
    sets = {
        iri.removeprefix(str(GRAPH)).partition("/")[0]
        for iri in store.graphs().values()
        if iri in GRAPH
    }
    if sets and catalog.name not in sets:
        raise ExportError(
            f"the store was built by the query set {', '.join(sorted(sets))}, not by {catalog.name}",
            where=catalog.folder,
            action="Name that set's folder with `mlmkg --queries`, or build with this one",
        )
    query = next((q for q in catalog.of_kind("versions") if q.writes == version), None)
    if query is None:
        return
    graph = GRAPH[f"{catalog.name}/{version}"]
    plan = "prov:wasGeneratedBy/prov:qualifiedAssociation/prov:hadPlan/mlm:sha256"
    made_by = [row[0] for row in store.rows(f"SELECT ?sum WHERE {{ <{graph}> {plan} ?sum }}")]
    if made_by and query.sha256 not in made_by:
        raise ExportError(
            f"the graph {version} was built by another text of this query", where=query.path,
            action="Run `mlmkg build`: only what has changed is made anew",
        )  # fmt: skip
