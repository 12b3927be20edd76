"""WebDataset: shards of tar files, to be read in a stream from a disk or an object store.

A sample is an entity: ``000000041-Q64.json`` with its record, ``.0.jpg``, ``.1.png`` … with its images
in the order of the record, ``.en.txt``, ``.de.txt`` … with its summaries. The numbers keep names apart
that two sources give alike.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson
import pyarrow as pa

from mlmkg.export.columns import hub_type
from mlmkg.export.formats import Form, Setting, image_bytes, records

SPLITS: Final = ("train", "val", "test")


class WebDataset(Form):
    """Writes ``webdataset/train-000000.tar`` and so on."""

    holds_files: ClassVar[bool] = True

    def begin(self) -> None:
        """Begin with no shards."""
        self._shards = {split: _Shards(self, split) for split in SPLITS}
        self._number = 0
        self.endings: set[str] = set()

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Write a batch."""
        self.features = _record_features(tables, self.setting.languages)
        for record in records(tables, self.setting.languages):
            name = re.sub(r"[^\w-]+", "_", record["entity"].rstrip("/#").rpartition("/")[2])[:60]
            self._shards[record["split"]].write(f"{self._number:09}-{name}", record)
            self._number += 1

    def finish(self, whole: Mapping[str, pa.Table]) -> None:
        """Complete the last shards."""
        for shards in self._shards.values():
            shards.close()
        self.features += [{"name": e, "dtype": _dtype(e)} for e in sorted(self.endings - {"json"})]


def _dtype(ending: str) -> str:
    """Return what ``datasets`` takes a file of a sample for."""
    last = ending.rpartition(".")[2]
    return {"txt": "string", "svg": "binary"}.get(last, "image")


def _record_features(
    tables: Mapping[str, pa.Table], languages: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return the fields of a sample but for its files, as a dataset card describes them.

    ``datasets`` cannot find them out where one sample has three images and the next has none.
    """

    def fields(schema: pa.Schema) -> list[dict[str, Any]]:
        return [{"name": one.name, "dtype": hub_type(one.type)} for one in schema]

    others = [
        {"name": name, "list": [one for one in fields(table.schema) if one["name"] != "entity"]}
        for name, table in tables.items() if name != "entities"
    ]  # fmt: skip
    mask = [{"name": name, "dtype": "bool"} for name in ("image", "class", *languages)]
    record = [*fields(tables["entities"].schema), *others, {"name": "mask", "struct": mask}]
    keys = [{"name": name, "dtype": "string"} for name in ("__key__", "__url__")]
    return [*keys, {"name": "json", "struct": record}]


class _Shards:
    """The shards of one split."""

    def __init__(self, form: WebDataset, split: str) -> None:
        self._form, self._split = form, split
        self._tar: tarfile.TarFile | None = None
        self._bytes = self._count = 0

    def write(self, key: str, record: Mapping[str, Any]) -> None:
        setting: Setting = self._form.setting
        files = {"json": orjson.dumps(record)}
        for summary in record.get("summaries", ()):
            files[f"{summary['language']}.txt"] = summary["text"].encode()
        if setting.pictures != "none":
            for place, image in enumerate(record.get("images", ())):
                ending = image["path"].rpartition(".")[2]
                files[f"{place}.{ending}"] = image_bytes(setting.images, image["path"], image["sha256"])
        if self._tar is None or self._bytes >= setting.shard:
            self._next()
        assert self._tar is not None
        self._form.endings.update(files)
        for ending, content in files.items():
            member = tarfile.TarInfo(f"{key}.{ending}")  # no time, no owner
            member.size, member.mode = len(content), 0o644
            self._tar.addfile(member, io.BytesIO(content))
            self._bytes += len(content)

    def _next(self) -> None:
        self.close()
        stream = self._form.open(f"webdataset/{self._split}-{self._count:06}.tar")
        self._tar = self._form.files.enter_context(
            tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        )
        self._bytes, self._count = 0, self._count + 1

    def close(self) -> None:
        if self._tar is not None:
            self._tar.close()
            self._tar.fileobj.close()
            self._tar = None
