"""Checks that are query files: each row of an answer is a hit.

A file of ``queries/*/quality`` is a SELECT with a parameter ``version``. Its first column is what is
counted (``?entity``, ``?cell``); further IRIs belong to the example, and ``?message`` says in words
what is wrong. One with a parameter ``language`` is asked once per language of the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pyarrow as pa
from pyoxigraph import Literal, QuerySolutions

from mlmkg.catalog import Catalog, QueryFile
from mlmkg.errors import QueryError
from mlmkg.quality.finding import ERROR, SEVERITIES, Check, Example, Finding
from mlmkg.quality.tables import version_node
from mlmkg.recipe import Recipe
from mlmkg.results import read_table
from mlmkg.sparql import Term, bind
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM, QUALITY

KIND: Final = "quality"
_PLURALS: Final = {"entity": "entities", "summary": "summaries"}
#: The shipped checks' metrics, which the ontology defines.
METRICS: Final = {
    "cell-without-train": MLM.cellWithoutTrainMetric,
    "no-cell": MLM.noCellMetric,
    "no-image": MLM.noImageMetric,
    "no-summary": MLM.noSummaryMetric,
}


def query_findings(
    store: GraphStore, catalog: Catalog, recipe: Recipe, version: str, totals: Mapping[str, int],
    examples: int,
) -> Iterator[Finding]:  # fmt: skip
    """Ask every check of a query set.

    :param totals: plural -> how many there are in the version: ``entities``, ``cells``.
    :raises QueryError: if a file has no parameter ``version``, or a severity that is none.
    """
    for query in catalog.of_kind(KIND):
        if "version" not in query.parameters:
            raise QueryError(
                "no parameter `version`", where=query.path, action="Add it, as in quality/no-cell.rq"
            )
        severity = query.severity or ERROR
        if severity not in SEVERITIES:
            raise QueryError(
                f"severity {severity!r}", where=query.path,
                action=f"The severities are {', '.join(SEVERITIES)}",
            )  # fmt: skip
        for language in recipe.languages if "language" in query.parameters else ("",):
            found = _rows(store, query, version, language)
            yield _finding(query, version, severity, language, found, totals, examples)


def _rows(store: GraphStore, query: QueryFile, version: str, language: str) -> pa.Table:
    values: dict[str, list[Term]] = {"version": [version_node(version)]}
    if language:
        values["language"] = [Literal(language)]
    answer = store.query(bind(query.text, values, query.path))
    if not isinstance(answer, QuerySolutions):
        raise TypeError("a check is a SELECT")
    strings = {variable.value: pa.string() for variable in answer.variables}
    return read_table(answer, strings)


def _finding(
    query: QueryFile, version: str, severity: str, language: str, found: pa.Table,
    totals: Mapping[str, int], examples: int,
) -> Finding:  # fmt: skip
    columns = found.column_names
    unit = _PLURALS.get(columns[0], f"{columns[0]}s")
    title = query.title[:1].lower() + query.title[1:]
    check = Check(
        query.name, f"{title} ({language})" if language else title, severity, unit, unit,
        METRICS.get(query.name) or f"{QUALITY[f'{version}/{query.name}']}#metric", query.short_path,
    )  # fmt: skip
    about = [name for name in columns if name != "message"]
    shown = found.sort_by([(name, "ascending") for name in columns]).slice(0, examples).to_pylist()
    kept = tuple(
        Example(tuple(row[name] for name in about if row[name]), row.get("message") or "")
        for row in shown
    )
    number = found.num_rows
    return Finding(check, number, number, totals.get(unit, number), kept, language)
