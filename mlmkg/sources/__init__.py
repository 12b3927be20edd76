"""Where triples come from: every source answers the same four questions.

A source hands out statements in the Wikidata vocabulary, which the extract queries read, and, per
entity, what cannot be had by SPARQL: summaries and image files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

from mlmkg.progress import Progress


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


class Source(Protocol):
    """What a source does."""

    @property
    def name(self) -> str:
        """Return the name it has on the command line."""
        ...

    def identity(self) -> Mapping[str, str | int | None]:
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

    def statements(self, progress: Progress) -> Iterator[bytes]:
        """Yield N-Triples lines in the Wikidata vocabulary, in any order."""
        ...

    def summaries(self, progress: Progress) -> Iterator[bytes]:
        """Yield the N-Triples lines that describe the summaries (``mlm:Summary``)."""
        ...

    def image_files(self, folder: Path, progress: Progress) -> Iterator[bytes]:
        """Write image files into ``folder`` by sha256, yield the lines that describe them.

        :param folder: where ``ab/abcd….jpg`` files go; files already there are not written again.
        """
        ...
