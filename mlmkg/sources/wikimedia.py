"""Summaries from Wikipedia and image files from Wikimedia Commons, for the entities worth fetching for.

The graphs ``candidates``, ``articles`` and ``images`` enter; what was fetched leaves as N-Triples. What
the journals hold already is not fetched again, in this build or a later one.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pyarrow as pa

from mlmkg import licences, perceptual
from mlmkg.errors import SourceError
from mlmkg.harvest import api, images, pictures, summaries
from mlmkg.harvest.client import Client
from mlmkg.harvest.journal import Journal
from mlmkg.harvest.summaries import CC_BY_SA, Article
from mlmkg.sources import Inputs, Origin, cirrus
from mlmkg.sources.streams import fingerprint, is_address

COMMONS: Final = "https://commons.wikimedia.org/"
_ARTICLES: Final = """
SELECT ?entity ?article ?site ?title ?language WHERE {
  ?entity a mlm:Candidate . ?article schema:about ?entity ; schema:isPartOf ?site ;
  schema:name ?title ; schema:inLanguage ?language }
"""
_IMAGES: Final = """
SELECT DISTINCT ?image WHERE {
  ?entity a mlm:Candidate ; ?property ?image . FILTER(?property != rdf:type) }
"""


@dataclass(frozen=True)
class Wikimedia:
    """The media of Wikidata's sources.

    :param client: sends the requests; None if nothing may be sent.
    :param journals: the folder of the journals, one folder per moment.
    :param as_of: the moment that what was fetched is of: at another all is asked for again, and files
        whose originals are as they were are kept.
    :param width: of thumbnails, in pixels.
    :param dumps: CirrusSearch dumps to take summaries from instead of asking for them.
    """

    client: Client | None
    journals: Path
    as_of: str
    width: int = 330
    dumps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images.check_width(self.width)
        for dump in self.dumps:
            if not is_address(dump) and not Path(dump).is_file():
                raise SourceError("there is no such file", where=dump, action="Correct --cirrus")

    def reads(self, graph: str) -> tuple[str, ...]:
        """Return the graphs that say what is fetched."""
        return ("candidates", "articles" if graph == "summaries" else "images")

    def identity(self) -> Mapping[str, Any]:
        """Return the options that what is fetched depends on."""
        return {
            "media": "wikimedia", "as_of": self.as_of, "width": self.width,
            "dumps": [fingerprint(dump) for dump in self.dumps],
        }  # fmt: skip

    def provisional(self, graph: str) -> Mapping[str, Any] | None:
        """Return how much is there, if no more can be fetched now."""
        if self.client is not None or (graph == "summaries" and self.dumps):
            return None
        if not (path := self._path(graph)).is_file():
            return {"offline": True, "answers": 0}
        with Journal(path) as journal:
            return {"offline": True, "answers": len(journal)}

    def modules(self) -> tuple[ModuleType, ...]:
        """Return the modules that what is fetched becomes triples by."""
        return sys.modules[__name__], api, summaries, cirrus, images, pictures, perceptual, licences

    def origins(self, graph: str) -> list[Origin]:
        """Return the Wikipedias, or Commons."""
        if graph == "summaries":
            return [
                Origin("https://www.wikipedia.org/", "Wikipedia", self.as_of, CC_BY_SA,
                       "Wikipedia contributors (CC BY-SA 4.0), article and revision with each text"),
            ]  # fmt: skip
        return [
            Origin(COMMONS, "Wikimedia Commons", self.as_of, f"{COMMONS}wiki/Commons:Licensing",
                   "Wikimedia Commons contributors, author and licence with each image"),
        ]  # fmt: skip

    def summaries(self, inputs: Inputs) -> Iterator[bytes]:
        """Yield the lines of every summary."""
        order = [("site", "ascending"), ("title", "ascending"), ("entity", "ascending")]
        found: pa.Table = inputs.table(_ARTICLES).sort_by(order)
        articles = [
            Article(row["entity"], row["article"], row["site"], row["title"], row["language"])
            for row in found.to_pylist()
        ]
        if self.dumps:
            yield from cirrus.read(self.dumps, articles, inputs.progress, inputs.note)
            return
        with Journal(self._path("summaries")) as journal:
            yield from summaries.fetch(
                articles, self.client, journal, progress=inputs.progress, note=inputs.note
            )

    def image_files(self, inputs: Inputs) -> Iterator[bytes]:
        """Fetch the files, and yield the lines of images and files."""
        wanted = sorted(inputs.table(_IMAGES)["image"].to_pylist())
        with ExitStack() as stack:
            journal = stack.enter_context(Journal(self._path("image_files")))
            paths = [folder / "image_files.sqlite" for folder in self._earlier()]
            earlier = [stack.enter_context(Journal(path)) for path in paths if path.is_file()]
            yield from images.fetch(
                wanted, inputs.workspace.images, self.client, journal, width=self.width,
                earlier=earlier, progress=inputs.progress, note=inputs.note,
            )  # fmt: skip

    def forget_failures(self) -> frozenset[str]:
        """Let what failed be asked for again; return the graphs that this concerns."""
        graphs = set()
        for graph in ("summaries", "image_files"):
            if (path := self._path(graph)).is_file():
                with Journal(path) as journal:
                    if journal.forget_failures():
                        graphs.add(graph)
        return frozenset(graphs)

    def _path(self, graph: str) -> Path:
        return self._folder / f"{graph}.sqlite"

    @property
    def _folder(self) -> Path:
        return self.journals / re.sub(r"[^0-9TZ+]", "", self.as_of)

    def _earlier(self) -> list[Path]:
        """The folders of other moments, the newest first."""
        folders = [p for p in self.journals.glob("[0-9]*") if p.is_dir() and p != self._folder]
        return sorted(folders, reverse=True)

    def forget_earlier(self) -> None:
        """Remove the journals of other moments: the graphs that they became are there."""
        for folder in self._earlier():
            shutil.rmtree(folder)
