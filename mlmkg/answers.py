"""Answers to a person's query, in the format they ask for.

A query's text enters, bytes leave: CSV, TSV, JSON, XML as Oxigraph writes them, Parquet through
Arrow, Turtle, N-Triples and JSON-LD for triples, GeoJSON for places. Queries are read-only, and a
SERVICE clause is refused before anything runs: it would send parts of the query elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
from pyoxigraph import (
    Literal,
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Variable,
)

from mlmkg.errors import QueryError
from mlmkg.results import write_parquet
from mlmkg.sparql import bind, calls_service, form, parameters, syntax_error, term, variables
from mlmkg.store import FUNCTIONS, Answer, GraphStore
from mlmkg.vocab import GEO, PREFIXES

ROWS: Final = {
    "csv": QueryResultsFormat.CSV,
    "tsv": QueryResultsFormat.TSV,
    "json": QueryResultsFormat.JSON,
    "xml": QueryResultsFormat.XML,
}
TRIPLES: Final = {
    "ttl": RdfFormat.TURTLE,
    "nt": RdfFormat.N_TRIPLES,
    "jsonld": RdfFormat.JSON_LD,
}
FORMATS: Final = (*ROWS, "parquet", *TRIPLES, "geojson")


def prepare(text: str, values: Mapping[str, str], where: str | Path, *, service: bool = False) -> str:
    """Return a query that may be run, with a person's values bound.

    :param values: parameter -> what was written for it, see :func:`mlmkg.sparql.term`.
    :param where: the query's file, for messages.
    :param service: whether a SERVICE clause is allowed.
    :raises QueryError: for an update, a SERVICE clause, or a parameter that the query does not have.
    """
    if form(text) == "UPDATE":
        raise QueryError(
            "an update: the store is an index of the graph files and is only read", where=where,
            action="Write a CONSTRUCT into a query set and run `mlmkg build`",
        )  # fmt: skip
    if calls_service(text) and not service:
        raise QueryError(
            "a SERVICE clause sends part of the query to another server", where=where,
            action="Add --allow-service if that is what you want",
        )  # fmt: skip
    return bind(text, {name: [term(value)] for name, value in values.items()}, where)


def split_values(text: str, values: Mapping[str, str], where: str | Path) -> tuple[
    dict[str, str], dict[str, str]
]:  # fmt: skip
    """Return the values for the query's ``VALUES`` blocks, and those for its variables.

    :raises QueryError: for a name that is neither.
    """
    blocks = parameters(text)
    known = variables(text)
    for name in values:
        if name not in blocks and name not in known:
            raise QueryError(
                f"the query has no variable ?{name}", where=where,
                action=f"Its variables are {', '.join(f'?{v}' for v in sorted(known))}",
            )  # fmt: skip
    return (
        {name: value for name, value in values.items() if name in blocks},
        {name: value for name, value in values.items() if name not in blocks},
    )


def ask(
    store: GraphStore, text: str, where: str | Path, values: Mapping[str, str] | None = None,
    *, service: bool = False,
) -> Answer:  # fmt: skip
    """Evaluate a person's query.

    :param values: parameter or variable -> what was written for it.
    :raises QueryError: naming file, line and column of a syntax error, or what failed.
    """
    blocks, substituted = split_values(text, values or {}, where)
    ready = prepare(text, blocks, where, service=service)
    try:
        return store.raw.query(
            ready,
            prefixes=PREFIXES,
            use_default_graph_as_union=True,
            substitutions={Variable(name): term(value) for name, value in substituted.items()},
            custom_functions=FUNCTIONS,
        )
    except SyntaxError as error:
        raise syntax_error(ready, where, error) from None
    except RuntimeError as error:
        raise QueryError(str(error), where=where, action="Correct the query") from None


def write(answer: Answer, stream: IO[bytes], name: str, where: str | Path) -> None:
    """Write an answer in a format.

    :param name: one of :data:`FORMATS`.
    :raises QueryError: if the format does not fit the query's form.
    """
    if isinstance(answer, QueryBoolean):
        _boolean(answer, stream, name, where)
    elif isinstance(answer, QueryTriples):
        if name not in TRIPLES:
            raise _unfit("CONSTRUCT", name, where)
        answer.serialize(stream, TRIPLES[name])
    elif name in ROWS:
        answer.serialize(stream, ROWS[name])
    elif name == "parquet":
        _parquet(answer, stream, where)
    elif name == "geojson":
        stream.write(json.dumps(geojson(answer, where), ensure_ascii=False).encode() + b"\n")
    else:
        raise _unfit("SELECT", name, where)


def _parquet(answer: QuerySolutions, stream: IO[bytes], where: str | Path) -> None:
    try:
        write_parquet(answer, stream)
    except pa.ArrowInvalid as error:
        raise QueryError(
            f"a column begins with numbers and holds something else later ({error})", where=where,
            action="Select STR(?variable), so that the whole column is text",
        ) from None  # fmt: skip


def _boolean(answer: QueryBoolean, stream: IO[bytes], name: str, where: str | Path) -> None:
    if name not in ROWS:
        raise _unfit("ASK", name, where)
    if name in {"csv", "tsv"}:
        stream.write(b"true\n" if answer else b"false\n")
    else:
        answer.serialize(stream, ROWS[name])


def _unfit(query_form: str, name: str, where: str | Path) -> QueryError:
    fitting = {
        "CONSTRUCT": ", ".join(TRIPLES),
        "SELECT": ", ".join([*ROWS, "parquet", "geojson"]),
        "ASK": ", ".join(ROWS),
    }[query_form]
    return QueryError(
        f"a {query_form} cannot be written as {name}", where=where, action=f"Ask for {fitting}"
    )


def geojson(answer: QuerySolutions, where: str | Path) -> dict[str, Any]:
    """Return a FeatureCollection (RFC 7946): the first WKT column is the geometry.

    :raises QueryError: if no column holds a ``geo:wktLiteral``.
    """
    names = [variable.value for variable in answer.variables]
    features = []
    for solution in answer:
        terms = dict(zip(names, solution, strict=True))
        geometries = [name for name, value in terms.items() if _is_wkt(value)]
        if geometries:
            features.append({
                "type": "Feature",
                "geometry": wkt_to_geojson(terms[geometries[0]].value),
                "properties": {
                    name: _plain(value) for name, value in terms.items() if name != geometries[0]
                },
            })  # fmt: skip
    if not features:
        raise QueryError(
            "no geometry in the answer", where=where,
            action="Select a geo:wktLiteral: ?point of wdt:P625, or ?polygon of mlm:polygon",
        )  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def _is_wkt(term: object) -> bool:
    return isinstance(term, Literal) and term.datatype == NamedNode(GEO.wktLiteral)


def _plain(term: object) -> object:
    if not isinstance(term, Literal):
        return None if term is None else getattr(term, "value", str(term))
    kind = term.datatype.value.rpartition("#")[2]
    if kind in {"integer", "long", "int"}:
        return int(term.value)
    if kind in {"decimal", "double", "float"}:
        return float(term.value)
    return term.value == "true" if kind == "boolean" else term.value


def wkt_to_geojson(wkt: str) -> dict[str, Any] | None:
    """Return a geometry in WKT as GeoJSON; None if it is none on Earth, such as a place on the Moon.

    >>> wkt_to_geojson("Point(13.4 52.5)")
    {'type': 'Point', 'coordinates': [13.4, 52.5]}
    """
    import shapely

    shape = shapely.from_wkt(wkt, on_invalid="ignore")
    if shape is None:
        return None
    found: dict[str, Any] = json.loads(shapely.to_geojson(shapely.orient_polygons(shape)))
    return found
