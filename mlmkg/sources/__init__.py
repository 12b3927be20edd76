"""Where triples come from.

A *source* hands out statements in the Wikidata vocabulary: either all of them, as lines that the
extract queries are evaluated on here (:class:`LocalSource`), or by evaluating those queries where it
is (:class:`RemoteSource`). *Media* hand out what SPARQL cannot ask for: summaries and image files.
The gazetteer is both a source and its media; Wikidata's sources share Wikimedia's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mlmkg.progress import Progress
from mlmkg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa
    from pyoxigraph import NamedNode

    from mlmkg.catalog import QueryFile


@dataclass(frozen=True)
class Origin:
    """Where a source's facts come from, for the provenance graph.

    :param iri: names the origin, for instance ``https://www.geonames.org/``.
    :param title: what a person calls it.
    :param version: the release or retrieval date that was read.
    :param licence: the IRI of its licence.
    :param attribution: the credit its licence asks for, one line.
    """

    iri: str
    title: str
    version: str
    licence: str
    attribution: str


class Inputs(Protocol):
    """What a running step lends to a source."""

    @property
    def workspace(self) -> Workspace:
        """Return where the dataset lives."""
        ...

    @property
    def progress(self) -> Progress:
        """Return what is told how far the work is."""
        ...

    @property
    def note(self) -> Callable[[str], None]:
        """Return what takes a remark for the provenance."""
        ...

    def table(self, text: str) -> pa.Table:
        """Return the solutions of a SELECT over the graphs that the step reads, all strings."""
        ...


class Source(Protocol):
    """What every source says of itself."""

    @property
    def name(self) -> str:
        """Return the name it has on the command line."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """Return all that its output depends on (versions, options): it enters the steps' keys."""
        ...

    def modules(self) -> tuple[ModuleType, ...]:
        """Return the modules that its output is computed by: another text of them is another key."""
        ...

    def origins(self, graph: str) -> list[Origin]:
        """Return where the facts of a graph come from.

        :param graph: ``source``, ``summaries`` or ``image_files``.
        """
        ...


@runtime_checkable
class LocalSource(Source, Protocol):
    """A source whose statements all come here."""

    def statements(self, progress: Progress) -> Iterator[bytes]:
        """Yield N-Triples lines in the Wikidata vocabulary, in any order."""
        ...


class RemoteSource(Source, Protocol):
    """A source that evaluates the extract queries itself."""

    def construct(
        self, query: QueryFile, text: str, values: Sequence[NamedNode] | None, limit: int | None,
        inputs: Inputs,
    ) -> Iterator[bytes]:  # fmt: skip
        """Yield the N-Triples lines of a CONSTRUCT.

        :param text: the query with the recipe's terms in it.
        :param values: the terms that it is evaluated for, in batches; None if it has no batch.
        :param limit: how many subjects are wanted at least; the rest may be left unasked.
        """
        ...


class Media(Protocol):
    """Where summaries and image files come from."""

    def reads(self, graph: str) -> tuple[str, ...]:
        """Return the graphs that one of ``summaries``, ``image_files`` is made from."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """Return all that the output depends on: it enters the steps' keys."""
        ...

    def provisional(self, graph: str) -> Mapping[str, Any] | None:
        """Return what else the output depends on if it cannot be complete now, else None."""
        ...

    def modules(self) -> tuple[ModuleType, ...]:
        """Return the modules that the output is computed by."""
        ...

    def origins(self, graph: str) -> list[Origin]:
        """Return where a graph's facts come from."""
        ...

    def summaries(self, inputs: Inputs) -> Iterator[bytes]:
        """Yield the N-Triples lines that describe the summaries (``mlm:Summary``)."""
        ...

    def image_files(self, inputs: Inputs) -> Iterator[bytes]:
        """Write image files into the workspace by sha256, yield the lines that describe them.

        Files go to ``images/ab/abcd….jpg``; those already there are not written again.
        """
        ...
