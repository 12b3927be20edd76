"""PyKEEN: the version's graph as tab-separated triples, by the queries of ``links/``.

``TriplesFactory.from_path("triples.tsv")`` reads them. A relation is added by adding a query.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from mlmkg.errors import ExportError
from mlmkg.export.formats import Form

_COLUMNS = ["head", "relation", "tail"]


class PyKeen(Form):
    """Writes ``triples.tsv``."""

    def begin(self) -> None:
        """Open the file."""
        self._stream = self.open("triples.tsv")

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Write the links of a batch of entities."""
        for query in self.reader.batched("links"):
            self._write(self.reader.read(query, tables["entities"]["entity"]), str(query.path))

    def finish(self, whole: Mapping[str, pa.Table]) -> None:
        """Write the links among other things."""
        batched = {query.name for query in self.reader.batched("links")}
        for query in self.reader.catalog.of_kind("links"):
            if query.name not in batched:
                self._write(self.reader.read(query), str(query.path))

    def _write(self, links: pa.Table, where: str) -> None:
        if links.column_names != _COLUMNS:
            raise ExportError(
                f"selects {', '.join(links.column_names)}", where=where,
                action="Select ?head ?relation ?tail",
            )  # fmt: skip
        columns = (links[name].to_pylist() for name in _COLUMNS)
        self._stream.write(
            "".join(f"{h}\t{r}\t{t}\n" for h, r, t in zip(*columns, strict=True)).encode()
        )
