"""What the checks read of a version, as Arrow tables; texts some thousand entities at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
from pyoxigraph import NamedNode, QuerySolutions

from mlmkg.results import read_table
from mlmkg.sparql import Term, bind
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM, VERSION

#: Entities whose texts are read at a time.
BATCH: Final = 5_000
_ENTITIES: Final = """
SELECT ?entity (MIN(STR(?split)) AS ?part) (MIN(STR(?wkt)) AS ?point)
WHERE {
  VALUES ?version { version:mlm }
  ?entity mlm:inVersion ?version .
  OPTIONAL { ?entity mlm:split ?split }
  OPTIONAL { ?entity wdt:P625 ?wkt }
}
GROUP BY ?entity
"""
_PICTURES: Final = """
SELECT DISTINCT ?entity ?path ?hash
WHERE {
  VALUES ?version { version:mlm }
  ?entity mlm:inVersion ?version ;
          ?property ?image .
  ?image mlm:file ?file .
  ?file mlm:path ?path .
  OPTIONAL { ?file mlm:perceptualHash ?hash }
}
"""
_TEXTS: Final = """
SELECT DISTINCT ?entity ?language ?text
WHERE {
  VALUES ?entity { wd:Q64 }
  ?summary schema:about ?entity ;
           schema:inLanguage ?language ;
           schema:text ?text .
}
"""
_NAMES: Final = """
SELECT ?entity (MIN(COALESCE(?english, ?other)) AS ?name)
WHERE {
  VALUES ?entity { wd:Q64 }
  OPTIONAL { ?entity rdfs:label ?english FILTER(LANG(?english) = "en") }
  OPTIONAL { ?entity rdfs:label ?other }
}
GROUP BY ?entity
"""


def _table(store: GraphStore, text: str, name: str, values: list[Term]) -> pa.Table:
    answer = store.query(bind(text, {name: values}, __name__))
    if not isinstance(answer, QuerySolutions):
        raise TypeError("a table is read by a SELECT")
    strings = {variable.value: pa.string() for variable in answer.variables}
    return read_table(answer, strings)


def _nodes(iris: Iterable[str]) -> list[Term]:
    return [NamedNode(iri) for iri in iris]


def version_node(version: str) -> NamedNode:
    """Return a version's IRI as a term."""
    return NamedNode(VERSION[version])


def read_entities(store: GraphStore, version: str) -> pa.Table:
    """Return ``entity``, ``split`` (train, val, test or null) and ``point`` (WKT or null), sorted."""
    found = _table(store, _ENTITIES, "version", [version_node(version)]).sort_by("entity")
    splits = [part and part.removeprefix(str(MLM)) for part in found["part"].to_pylist()]
    return pa.table({
        "entity": found["entity"], "split": pa.array(splits, pa.string()), "point": found["point"],
    })  # fmt: skip


def read_pictures(store: GraphStore, version: str) -> pa.Table:
    """Return ``entity``, ``path`` and ``hash`` (hexadecimal or null) of every image file, sorted."""
    order = [("path", "ascending"), ("entity", "ascending")]
    return _table(store, _PICTURES, "version", [version_node(version)]).sort_by(order)


def read_texts(store: GraphStore, entities: list[str]) -> Iterator[pa.Table]:
    """Yield ``entity``, ``language`` and ``text`` of the summaries, :data:`BATCH` entities at a time.

    :param entities: (N,) IRIs.
    """
    order = [("entity", "ascending"), ("language", "ascending")]
    for start in range(0, len(entities), BATCH):
        nodes = _nodes(entities[start : start + BATCH])
        yield _table(store, _TEXTS, "entity", nodes).sort_by(order)


def read_boilerplate(store: GraphStore) -> list[str]:
    """Return the texts that the build marked as shared by too many entities, in any version."""
    rows = store.rows(
        "SELECT DISTINCT ?text WHERE { ?summary mlm:boilerplate true ; schema:text ?text }"
    )
    return [text for (text,) in rows]


def read_names(store: GraphStore, entities: Iterable[str]) -> dict[str, str]:
    """Return entity -> its English label, another one, or the end of its IRI."""
    wanted = sorted(set(entities))
    rows = _table(store, _NAMES, "entity", _nodes(wanted)).to_pylist()
    names = {row["entity"]: row["name"] for row in rows if row["name"]}
    return {iri: names.get(iri) or iri.rstrip("/").rpartition("/")[2] for iri in wanted}
