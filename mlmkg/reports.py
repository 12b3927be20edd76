"""Figures of a store: the reports of the query set, and the counts that ``mlmkg info`` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pyoxigraph import QuerySolutions

from mlmkg.catalog import QueryFile
from mlmkg.results import read_table
from mlmkg.store import PROVENANCE, GraphStore
from mlmkg.vocab import VERSION


def run_report(store: GraphStore, report: QueryFile) -> list[dict[str, Any]]:
    """Return a report's rows, column -> value."""
    answer = store.query(report.text)
    if not isinstance(answer, QuerySolutions):
        raise TypeError("a report is a SELECT")
    rows: list[dict[str, Any]] = read_table(answer).to_pylist()
    return rows


@dataclass(frozen=True)
class Counts:
    """What is in a store (the paper's Table 2).

    :param entities: eligible entities.
    :param triples: in all graphs.
    :param images: distinct image statements of eligible entities.
    :param image_files: distinct files they are stored in.
    :param cells: geo cells.
    :param summaries: language -> summaries of eligible entities.
    :param classes: hop -> classes.
    :param graphs: graph -> triples.
    :param versions: version -> entities.
    """

    entities: int
    triples: int
    images: int
    image_files: int
    cells: int
    summaries: dict[str, int]
    classes: dict[str, int]
    graphs: dict[str, int]
    versions: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the counts under the keys that ``info --json`` promises."""
        return asdict(self)


def count(store: GraphStore) -> Counts:
    """Count what is in a store."""

    def number(pattern: str, what: str = "*") -> int:
        (row,) = store.rows(f"SELECT (COUNT({what}) AS ?n) WHERE {{ {pattern} }}")
        return int(row[0])

    def by(group: str, pattern: str) -> dict[str, int]:
        rows = store.rows(
            f"SELECT ?g (COUNT(*) AS ?n) WHERE {{ {pattern.replace('?by', '?g')} }} GROUP BY ?g"
        )
        return {row[0].removeprefix(group): int(row[1]) for row in sorted(rows)}

    # The size of a pipeline's graph stands in its record: counting them all would read every triple.
    recorded = {
        row[0]: int(row[1]) for row in store.rows("SELECT ?g ?n WHERE { ?g mlm:tripleCount ?n }")
    }
    iris = store.graphs()
    graphs = {
        name: recorded[iri] if iri in recorded else number(f"GRAPH <{iri}> {{ ?s ?p ?o }}")
        for name, iri in iris.items()
    }
    images = f"GRAPH <{iris['images']}> {{ ?e ?p ?i }}" if "images" in iris else "?e mlm:none ?i"
    return Counts(
        entities=number("?e a mlm:Entity"),
        triples=sum(graphs.values()),
        images=number(f"?e a mlm:Entity . {images}", "DISTINCT ?i"),
        image_files=number("?f a mlm:ImageFile"),
        cells=number("?c a mlm:GeoCell"),
        summaries=by(
            "", "?s a mlm:Summary ; schema:inLanguage ?by ; schema:about ?e . ?e a mlm:Entity"
        ),
        classes=by("", "?c mlm:hops ?by"),
        graphs={name: graphs[name] for name in sorted(graphs, key=lambda n: (n == PROVENANCE, n))},
        versions=by(str(VERSION), "?e mlm:inVersion ?by"),
    )
