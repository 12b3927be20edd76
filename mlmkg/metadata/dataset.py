"""One answer to what all metadata files ask: names, addresses, titles, texts.

An inventory and a description enter. What the description leaves out is filled in with what the
inventory shows to be so, or left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mlmkg.metadata.description import Description
from mlmkg.metadata.dumped import dumps
from mlmkg.metadata.exports import Export
from mlmkg.metadata.inventory import Graph, Inventory
from mlmkg.metadata.parts import File
from mlmkg.store import PROVENANCE

_UNNAMED: Final = re.compile(r"[^A-Za-z0-9._-]+")
_SEMANTIC: Final = re.compile(r"(\d+)(\.\d+)?(\.\d+(?:[-+][0-9A-Za-z.+-]+)?)?")


@dataclass(frozen=True)
class Dataset:
    """What is described, with names for its parts.

    :param inventory: what there is.
    :param description: what people say of it.
    """

    inventory: Inventory
    description: Description

    @property
    def _root(self) -> str:
        return self.description.address or self.inventory.urn

    @property
    def iri(self) -> str:
        """The dataset: the union of the graphs."""
        return f"{self._root}#dataset"

    @property
    def catalogue(self) -> str:
        """The catalogue that lists the dataset and the exports."""
        return f"{self._root}#catalogue"

    def part(self, name: str) -> str:
        """Return the IRI of something that belongs to the dataset."""
        return f"{self._root}#{name}"

    def export(self, export: Export) -> str:
        """Return the IRI of an exported version."""
        return self.part(f"version-{export.name}")

    def address(self, file: File) -> str:
        """Return where a file is: below the published address, or on this machine."""
        base = self.description.address or f"{self.inventory.root.as_uri()}/"
        return base + file.path

    @property
    def page(self) -> str:
        """Where someone goes who wants to see the dataset."""
        given = self.description
        return given.landing_page or given.address or f"{self.inventory.root.as_uri()}/"

    @property
    def origins(self) -> str:
        """The names of the origins, as in a sentence."""
        return in_words([origin.title for origin in self.inventory.origins])

    @property
    def title(self) -> str:
        """The dataset's title."""
        source = f" from {self.origins}" if self.origins else ""
        return self.description.title or f"mlmkg: instances of {self.inventory.kind}{source}"

    @property
    def text(self) -> str:
        """The dataset's description."""
        if self.description.description:
            return self.description.description
        found = self.inventory
        what = [f"{found.entities:,} instances of {found.kind}"]
        if found.summaries:
            languages = ", ".join(found.summaries)
            what.append(f"{sum(found.summaries.values()):,} summaries ({languages})")
        if found.images:
            what.append(f"{found.images:,} image files")
        source = f" Made from {self.origins}." if self.origins else ""
        return (
            f"A knowledge graph of {in_words(what)}, with coordinates, classes, geo cells, splits "
            f"for training and the provenance of every graph: {found.statistics.union.triples:,} "
            f"triples in {len(found.graphs)} named graphs.{source} Built by {found.software[1]}."
        )

    def export_text(self, export: Export) -> str:
        """Return an exported version's description."""
        how = {
            "hash": "drawn at random, what shares an image or a text together",
            "spatial": "whole regions apart",
        }
        return (
            f"{export.title}. {export.entities:,} entities as Parquet tables of entities, images, "
            f"summaries, classes and geo cells; train, validation and test are "
            f"{how.get(export.split, export.split)}."
        )

    @property
    def keywords(self) -> tuple[str, ...]:
        """The dataset's keywords."""
        return self.description.keywords or (
            self.inventory.kind, "knowledge graph", "multimodal", "multilingual", "RDF",
            "geolocation", "cross-modal retrieval",
        )  # fmt: skip

    @property
    def version(self) -> str:
        """The version: given, or eight digits that stand for the content."""
        return self.description.version or self.inventory.urn.rpartition(":")[2][:8]

    @property
    def credit(self) -> str:
        """The credits that the origins' licences ask for, in one line."""
        return "; ".join(dict.fromkeys(origin.attribution for origin in self.inventory.origins))

    @property
    def rights(self) -> str:
        """Which licence each origin has and whom it wants credited."""
        return " ".join(
            f"{origin.title} ({origin.version}): {origin.licence}, "
            f"credit: {origin.attribution.rstrip('.')}."
            for origin in self.inventory.origins
        )

    @property
    def licence(self) -> str | None:
        """The licence of the whole: given, or the one that all origins share."""
        shared = self.inventory.licences
        return self.description.licence or (shared[0] if len(shared) == 1 else None)

    @property
    def licences(self) -> tuple[str, ...]:
        """The licence of the whole, or where none is given those of the origins."""
        return (self.licence,) if self.licence else self.inventory.licences

    @property
    def name(self) -> str:
        """A name without spaces: the last part of the published address, or of the workspace."""
        place = self.description.address or self.inventory.root.name
        return _UNNAMED.sub("-", place.rstrip("/").rpartition("/")[2]).strip("-") or "mlmkg"

    @property
    def semantic_version(self) -> str | None:
        """The version that was given as MAJOR.MINOR.PATCH, or None if it is not of that kind."""
        match = _SEMANTIC.fullmatch(self.description.version or "")
        return f"{match[1]}{match[2] or '.0'}{match[3] or '.0'}" if match else None

    @property
    def bibtex(self) -> str | None:
        """How to cite it, or None as long as nobody is named."""
        given = self.description
        if not given.creators:
            return None
        fields = {
            "author": " and ".join(f"{{{creator.name}}}" for creator in given.creators),
            "title": f"{{{self.title}}}",
            "year": given.issued and str(given.issued.year),
            "publisher": given.publisher and given.publisher.name,
            "version": given.version,
            "doi": given.doi,
            "url": given.landing_page or given.address,
        }
        said = ", ".join(f"{key} = {{{value}}}" for key, value in fields.items() if value)
        return f"@misc{{{self.name}, {said}}}"

    def folder(self, export: Export) -> str | None:
        """Return the address that an export's folder is published at."""
        address = self.description.address
        return f"{address}{export.path}/" if address else None

    def graph_licence(self, graph: Graph) -> str | None:
        """Return the licence of a graph file."""
        return graph.licence or self.licence

    def hints(self) -> list[str]:
        """Return what would make the metadata better."""
        shared = len(self.inventory.licences) == 1
        hints = [h for h in self.description.hints() if not (shared and "no licence" in h)]
        unfiled = [g.name for g in self.inventory.graphs if not g.file and g.name != PROVENANCE]
        if unfiled:
            hints.append(f"no graph file, and so no distribution, of: {', '.join(unfiled)}")
        hints += [
            f"{dump.folder}/ is a dump of another state of the graph, and is not named: run "
            f"`mlmkg dump -o {self.inventory.root / dump.folder} --force`"
            for dump in dumps(self.inventory) if not dump.current
        ]  # fmt: skip
        if not self.inventory.exports:
            hints.append("there are no exports: run `mlmkg export` to have them described, too")
        return hints


def in_words(words: Sequence[str]) -> str:
    """Return words as in a sentence.

    >>> in_words(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last
