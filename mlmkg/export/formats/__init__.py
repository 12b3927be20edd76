"""The forms a version is written in: one module each, all fed with the same batches of tables.

A form is told where it writes and what the version is, gets the tables batch by batch, and ends with
those that are not about entities. Nothing that it writes depends on the time, the machine or the
order in which a store answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Self

import pyarrow as pa

from mlmkg.errors import ExportError
from mlmkg.export.columns import About
from mlmkg.export.tables import Reader

#: Bytes of a WebDataset shard, unless said otherwise.
SHARD = 256 << 20


@dataclass(frozen=True)
class Setting:
    """What every form is told.

    :param folder: where it writes.
    :param images: where the image files are, by the paths of the images' table.
    :param about: table -> what it says of itself.
    :param languages: of the summaries.
    :param pictures: ``files`` beside the tables, ``bytes`` inside them, or ``none``.
    :param shard: bytes after which a shard ends.
    """

    folder: Path
    images: Path
    about: Mapping[str, About]
    languages: tuple[str, ...]
    pictures: str = "files"
    shard: int = SHARD


class Form:
    """A form that a version is written in; closes what it has open, whatever happens.

    :param setting: where and what.
    :param reader: for what the batches do not hold.
    """

    #: Whether it points to image files that lie beside it.
    needs_files: ClassVar[bool] = False
    #: Whether it holds the image files itself, unless there shall be none.
    holds_files: ClassVar[bool] = False

    def __init__(self, setting: Setting, reader: Reader) -> None:
        self.setting, self.reader = setting, reader
        #: What a dataset hub cannot find out by itself: its fields, as a dataset card names them.
        self.features: list[dict[str, Any]] = []
        self.files = ExitStack()
        self.begin()

    def begin(self) -> None:
        """Open what is written to from the start."""

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Write a batch: the tables of some entities, sorted by entity."""
        raise NotImplementedError

    def finish(self, whole: Mapping[str, pa.Table]) -> None:
        """Write the tables that are not about entities, and complete the files."""

    def open(self, name: str) -> IO[bytes]:
        """Open a file of the folder for writing."""
        path = self.setting.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return self.files.enter_context(path.open("wb"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.files.close()


def image_bytes(images: Path, path: str, checksum: str) -> bytes:
    """Return an image file that is what the graph says it is.

    :param checksum: its sha256, hexadecimal.
    :raises ExportError: if it is gone, or another.
    """
    again = "Run `mlmkg build --force` to make it again"
    try:
        content = (images / path).read_bytes()
    except FileNotFoundError:
        raise ExportError("the image file is gone", where=images / path, action=again) from None
    if sha256(content).hexdigest() != checksum:
        raise ExportError(
            "the image file is damaged: its checksum is another", where=images / path,
            action=f"Remove it. {again}",
        )  # fmt: skip
    return content


def records(tables: Mapping[str, pa.Table], languages: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield one nested record an entity: its row, lists of the rows of the other tables, and a mask.

    A modality that an entity lacks is an empty list, and false in the mask.
    """
    others = {name: table for name, table in tables.items() if name != "entities"}
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, table in others.items():
        of_entity = rows[name] = {}
        for row in table.to_pylist():
            of_entity.setdefault(row.pop("entity"), []).append(row)
    for record in tables["entities"].to_pylist():
        lists = {name: rows[name].get(record["entity"], []) for name in others}
        said = {row["language"] for row in lists.get("summaries", [])}
        mask = {"image": bool(lists.get("images")), "class": bool(lists.get("classes"))}
        yield {**record, **lists, "mask": mask | {name: name in said for name in languages}}
