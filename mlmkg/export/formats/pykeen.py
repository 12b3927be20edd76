"""PyKEEN: the version's graph as tab-separated triples, by the queries of ``links/``.

``TriplesFactory.from_path("triples.tsv")`` reads them. A relation is added by adding a query. The cell
of an entity is written if the export has it in its training split.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from mlmkg.export.formats import Form
from mlmkg.export.links import COLUMNS, links_among_others, links_of, without_answers_of


class PyKeen(Form):
    """Writes ``triples.tsv``."""

    def begin(self) -> None:
        """Open the file."""
        self._stream = self.open("triples.tsv")

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Write the links of a batch of entities."""
        entities = tables["entities"]
        held_out = entities.filter(pc.not_equal(entities["split"], "train"))["entity"]
        for links in links_of(self.reader, entities["entity"]):
            self._write(without_answers_of(links, held_out.combine_chunks()))

    def finish(self, whole: Mapping[str, pa.Table]) -> None:
        """Write the links among other things."""
        for links in links_among_others(self.reader):
            self._write(links)

    def _write(self, links: pa.Table) -> None:
        columns = (links[name].to_pylist() for name in COLUMNS)
        self._stream.write(
            "".join(f"{h}\t{r}\t{t}\n" for h, r, t in zip(*columns, strict=True)).encode()
        )
