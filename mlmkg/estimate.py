"""How many requests a build from an endpoint will send, from two questions asked of it beforehand."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence
from typing import Final

from pyoxigraph import NamedNode

from mlmkg.catalog import Catalog, QueryFile
from mlmkg.errors import SourceError
from mlmkg.harvest import images, summaries
from mlmkg.harvest.client import Answer, Client, Failed
from mlmkg.recipe import Recipe
from mlmkg.sources.endpoint import TIMEOUT, Endpoint
from mlmkg.sources.slices import EVERYWHERE, WHOLE, Slice
from mlmkg.sparql import bind, tokens, with_prefixes
from mlmkg.steps import bound

#: Seconds that a request to the APIs takes, about, with those in the air at a time.
API_SECONDS: Final = 0.2
MEDIA_SECONDS: Final = 0.1


def as_select(text: str, what: str) -> str:
    """Return a CONSTRUCT as a SELECT of something else.

    :param what: what stands after SELECT.

    >>> as_select("CONSTRUCT { ?a ?b { } } WHERE { ?a ?b 1 }", "(COUNT(*) AS ?n)")
    'SELECT (COUNT(*) AS ?n)  WHERE { ?a ?b 1 }'
    """
    stream = list(tokens(text))
    first = next(i for i, token in enumerate(stream) if token.text.upper() == "CONSTRUCT")
    depth = 0
    for token in stream[first + 1 :]:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth == 0:
            return f"{text[: stream[first].start]}SELECT {what} {text[token.end :]}"
    raise ValueError("no template")


def subject(text: str) -> str:
    """Return the variable that a CONSTRUCT's template begins with.

    >>> subject("CONSTRUCT { ?class a ?b } WHERE { }")
    '?class'
    """
    stream = list(tokens(text))
    start = next(i for i, token in enumerate(stream) if token.text.upper() == "CONSTRUCT")
    return next(token.text for token in stream[start:] if token.kind == "variable")


def estimate(
    catalog: Catalog, recipe: Recipe, endpoint: Endpoint, part: Slice, stale: set[str]
) -> list[dict[str, object]]:
    """Return a row per kind of request: how many, and roughly how many seconds they take.

    Sends two requests, for the list of classes and the number of their instances.

    :param stale: the graphs that would be made; the others need no request.
    :raises SourceError: if the endpoint does not answer, or takes too long to count.
    """
    if endpoint.client is None:
        raise SourceError(
            "counts are asked of the endpoint", where="--offline", action="Leave one of them out"
        )
    extract = catalog.of_kind("extract")
    chooser = next((query for query in extract if EVERYWHERE in query.parameters), None)
    if chooser is None or chooser.batch is None:
        raise SourceError(
            f"no query chooses the entities: none has a parameter {EVERYWHERE!r} and a batch",
            where=catalog.folder / "extract", action="Write one as extract/instances.rq of v1 is",
        )  # fmt: skip
    tree = next(query for query in extract if query.writes == chooser.batch.source)
    text, _ = bound(tree, recipe)
    started = time.monotonic()
    classes = _ask(endpoint.client, endpoint.address, as_select(text, f"DISTINCT {subject(text)}"))
    seconds = time.monotonic() - started
    text, _ = bound(chooser, recipe, part.parameters)
    text = bind(text, {chooser.batch.variable: [NamedNode(c) for c in classes]}, chooser.path)
    (number,) = _ask(
        endpoint.client, endpoint.address, as_select(text, f"(COUNT(DISTINCT {subject(text)}) AS ?n)")
    )
    entities = min(int(number), part.limit or int(number))
    return list(_rows(extract, chooser, stale, len(classes), entities, seconds, recipe))


def _rows(
    extract: Sequence[QueryFile], chooser: QueryFile, stale: set[str], classes: int, entities: int,
    seconds: float, recipe: Recipe,
) -> Iterator[dict[str, object]]:  # fmt: skip
    for query in extract:
        if query.writes in stale and WHOLE not in query.parameters:
            source = query.batch.source if query.batch else None
            values = {None: 1, chooser.writes: entities}.get(source, classes)
            requests = -(-values // query.batch.size) if query.batch else 1
            yield _row(query.short_path, values, requests, requests * max(seconds, 0.5))
    articles = entities * len(recipe.languages)
    if "summaries" in stale:
        requests = -(-articles // summaries.TITLES)
        yield _row("summaries, at most", articles, requests, requests * API_SECONDS)
    if "image_files" in stale:
        requests = -(-entities // images.TITLES)
        yield _row("image data, one image each", entities, requests, requests * API_SECONDS)
        yield _row("image files, one image each", entities, entities, entities * MEDIA_SECONDS)


def _row(what: str, values: int, requests: int, seconds: float) -> dict[str, object]:
    return {"requests for": what, "values": values, "requests": requests, "seconds": round(seconds)}


def _ask(client: Client, url: str, text: str) -> list[str]:
    """Return the first column of a SELECT."""

    def read(answer: Answer) -> list[str]:
        if answer.media_type != "text/csv":
            raise Failed(f"{answer.media_type or 'no media type'} instead of CSV")
        rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8"))))
        return [row[0] for row in rows[1:] if row]

    try:
        return client.ask(
            url, read, parameters={"query": with_prefixes(text)}, post=True, timeout=TIMEOUT,
            headers={"Accept": "text/csv"},
        )  # fmt: skip
    except Failed as failure:
        raise SourceError(
            f"no counts: {failure.why}", where=url,
            action="Take a slice (--country, --bbox), or build without --dry-run",
        ) from None  # fmt: skip
