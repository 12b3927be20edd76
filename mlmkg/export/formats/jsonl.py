"""JSON Lines: one nested record an entity, one file a split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, ClassVar

import orjson
import pyarrow as pa

from mlmkg.export.formats import Form, records


class JsonLines(Form):
    """Writes ``train.jsonl``, ``val.jsonl`` and ``test.jsonl``."""

    needs_files: ClassVar[bool] = True

    def begin(self) -> None:
        """Open a file per split; an empty split is an empty file."""
        self._streams: dict[str, IO[bytes]] = {
            split: self.open(f"{split}.jsonl") for split in ("train", "val", "test")
        }

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Write a batch."""
        for record in records(tables, self.setting.languages):
            self._streams[record["split"]].write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
