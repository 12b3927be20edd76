"""Evaluates extract queries on a source's statements, in batches where their headers say so."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pyoxigraph as ox

from mlmkg.catalog import QueryFile
from mlmkg.graphfile import open_lines
from mlmkg.pipeline import SCRATCH, Work
from mlmkg.sparql import bind
from mlmkg.store import FUNCTIONS, SOURCE
from mlmkg.vocab import PREFIXES

#: Values that a local extract query carries at a time; an endpoint takes its header's ``size``.
LOCAL_BATCH: Final = 20_000


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

    def construct(
        self, work: Work, query: QueryFile, text: str, values: Sequence[ox.NamedNode] | None
    ) -> Iterator[bytes]:
        """Yield the N-Triples lines of an extract query."""
        store = self._open(work)
        batches: list[Sequence[ox.NamedNode] | None] = [None]
        if values is not None:
            starts = range(0, len(values), LOCAL_BATCH)
            batches = [values[start : start + LOCAL_BATCH] for start in starts]
        for batch in batches:
            bound = text
            if batch is not None and query.batch is not None:
                bound = bind(text, {query.batch.variable: batch}, query.path)
            answer = store.query(bound, prefixes=PREFIXES, custom_functions=FUNCTIONS)
            if isinstance(answer, ox.QueryTriples):
                lines = io.BytesIO()
                answer.serialize(lines, ox.RdfFormat.N_TRIPLES)
                lines.seek(0)
                yield from lines


def values_of(work: Work, query: QueryFile) -> list[ox.NamedNode] | None:
    """Return the values that a query is asked for in batches, sorted; None if it has no batch."""
    if query.batch is None:
        return None
    iri = work.graphs[query.reads.index(query.batch.source)]
    rows = work.store.rows(f"SELECT DISTINCT ?s WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}")
    return [ox.NamedNode(value) for value in sorted((row[0] for row in rows), key=natural)]


def natural(iri: str) -> tuple[str, int, str]:
    """Return a key that sorts Q9 before Q10.

    >>> sorted(["wd:Q10", "wd:Q9"], key=natural)
    ['wd:Q9', 'wd:Q10']
    """
    match = re.search(r"(\d+)/?$", iri)
    return (iri[: match.start()], int(match[1]), iri) if match else (iri, -1, iri)


def first_subjects(
    lines: Iterable[bytes], values: Sequence[ox.NamedNode], limit: int
) -> Iterator[bytes]:
    """Yield the lines of the first subjects: in the order of the values that they name, then by IRI.

    What was asked in which batch makes no difference to it.
    """
    place = {f"<{value.value}>".encode(): number for number, value in enumerate(values)}
    found: dict[bytes, tuple[int, list[bytes]]] = {}
    for line in lines:
        subject, _, rest = line.partition(b" ")
        term = rest.partition(b" ")[2].rpartition(b" ")[0]
        rank, of_it = found.get(subject, (len(place), []))
        found[subject] = (min(rank, place.get(term, len(place))), [*of_it, line])
    order = sorted(found, key=lambda s: (found[s][0], natural(s.decode()[1:-1])))
    for subject in order[:limit]:
        yield from found[subject][1]
