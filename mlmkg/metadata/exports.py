"""What the exports of a workspace hold: from their manifests and their Parquet tables.

A workspace enters, a description of each export leaves: files, columns, and counts by split,
continent and language. Only the columns that are counted are read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlmkg.errors import ExportError
from mlmkg.metadata.parts import Box, File
from mlmkg.workspace import Workspace


@dataclass(frozen=True)
class Field:
    """A column of a table.

    :param name: its name.
    :param type: its Arrow type, ``string`` or ``double``.
    :param meaning: what its values are, one clause; "" where the export does not say.
    :param unit: of its numbers, or "".
    """

    name: str
    type: str
    meaning: str
    unit: str


@dataclass(frozen=True)
class Table:
    """A Parquet table.

    :param name: without its suffix, ``entities``.
    :param file: where it is.
    :param title: one line, or "".
    :param rows: how many it has.
    :param fields: its columns, in order.
    """

    name: str
    file: File
    title: str
    rows: int
    fields: tuple[Field, ...]

    def has(self, *names: str) -> bool:
        """Return whether there are columns of these names."""
        return {one.name for one in self.fields}.issuperset(names)


@dataclass(frozen=True)
class Counts:
    """How an export is spread.

    :param splits: split -> entities.
    :param continents: continent -> entities; "" where none is known.
    :param countries: country's name -> entities.
    :param languages: language -> summaries.
    :param generated: how many summaries a program has written.
    :param image_files: distinct image files.
    :param without: modality (``images``, ``summaries``) -> entities that have none of it.
    """

    splits: Counter[str] = field(default_factory=Counter)
    continents: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    generated: int = 0
    image_files: int = 0
    without: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Export:
    """An exported version, from its manifest.

    :param name: the version, ``irle-gr``.
    :param title: what it is.
    :param key: the checksum over its tables.
    :param split: ``hash`` or ``spatial``.
    :param languages: ISO 639-1.
    :param files: the tables.
    :param entities: rows of the table of entities.
    :param box: what its entities span.
    :param images: ``files``, ``bytes`` (in the tables) or ``none``.
    :param tables: those of ``files`` that are Parquet.
    :param counts: how it is spread.
    :param graphs: graph IRI -> checksum of what it was written from.
    """

    name: str
    title: str
    key: str
    split: str
    languages: tuple[str, ...]
    files: tuple[File, ...]
    entities: int
    box: Box | None
    images: str = "none"
    tables: tuple[Table, ...] = ()
    counts: Counts = field(default_factory=Counts)
    graphs: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The folder, relative to the workspace."""
        return f"exports/{self.name}"

    def table(self, name: str) -> Table | None:
        """Return the table of a name, if there is one."""
        return next((table for table in self.tables if table.name == name), None)


def read_exports(workspace: Workspace, version: str | None = None) -> Iterator[Export]:
    """Yield the exports of a workspace by name.

    :param version: this one alone; by default all that are there.
    :raises ExportError: if there is no such export, or one is not what its manifest says.
    """
    manifests = sorted(workspace.exports.glob("*/manifest.json"))
    if version is not None:
        known = ", ".join(path.parent.name for path in manifests) or "none"
        manifests = [path for path in manifests if path.parent.name == version]
        if not manifests:
            raise ExportError(
                f"there is no export {version!r}; there are: {known}", where=workspace.exports,
                action=f"Run `mlmkg export --version {version}`",
            )  # fmt: skip
    for path in manifests:
        yield _export(workspace, path)


def _export(workspace: Workspace, path: Path) -> Export:
    again = "Run `mlmkg export --force` for this version"
    try:
        manifest = json.loads(path.read_text("utf-8"))
        files = tuple(
            _listed(workspace, path.parent, name, manifest) for name in manifest["files"]
            if not name.startswith("report")  # a page about the data is none of them
        )  # fmt: skip
        tables = tuple(_table(path.parent, file) for file in files if file.path.endswith(".parquet"))
        return Export(
            name=path.parent.name,
            title=manifest.get("title") or f"Version {manifest['version']}",
            key=manifest["key"],
            split=manifest["split"],
            languages=tuple(manifest["languages"]),
            files=files,
            entities=int(manifest["entities"]),
            box=_table_box(path.parent / "entities.parquet"),
            images=manifest.get("images", "none"),
            tables=tables,
            counts=_counts(path.parent, {table.name: table for table in tables}),
            graphs=manifest.get("graphs", {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"not a manifest ({error!r})", where=path, action=again) from None


def _listed(workspace: Workspace, folder: Path, name: str, manifest: Mapping[str, Any]) -> File:
    entry, path = manifest["files"][name], folder / name
    if not path.is_file() or path.stat().st_size != entry["bytes"]:
        raise ExportError(
            "not the file that the manifest lists", where=path,
            action="Run `mlmkg export --force` for this version",
        )  # fmt: skip
    return File(path.relative_to(workspace.root).as_posix(), entry["bytes"], entry["sha256"])


def _table(folder: Path, file: File) -> Table:
    import pyarrow.parquet as pq

    said = pq.ParquetFile(folder / file.name)
    schema = said.schema_arrow
    return Table(
        file.name.removesuffix(".parquet"), file, _word(schema.metadata, b"title"),
        said.metadata.num_rows,
        tuple(
            Field(one.name, str(one.type), _word(one.metadata, b"description"),
                  _word(one.metadata, b"unit"))
            for one in schema
        ),
    )  # fmt: skip


def _word(metadata: Mapping[bytes, bytes] | None, name: bytes) -> str:
    return (metadata or {}).get(name, b"").decode()


def _counts(folder: Path, tables: Mapping[str, Table]) -> Counts:
    """Count what the tables say; what a table does not have is not counted."""

    def values(table: str, column: str) -> Counter[str]:
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        if table not in tables or not tables[table].has(column):
            return Counter()
        read = pq.read_table(folder / f"{table}.parquet", columns=[column])[column]
        pairs = pc.value_counts(read).to_pylist()
        found = {"" if pair["values"] is None else pair["values"]: pair["counts"] for pair in pairs}
        return Counter(dict(sorted(found.items(), key=lambda item: (-item[1], str(item[0])))))

    without = {
        name: values("entities", column)[0]  # type: ignore[index]
        for name, column in (("images", "image_count"), ("summaries", "summary_count"))
        if "entities" in tables and tables["entities"].has(column)
    }
    return Counts(
        values("entities", "split"), values("entities", "continent"),
        values("entities", "country_label"), values("summaries", "language"),
        values("summaries", "generated")[True],  # type: ignore[index]
        len(values("images", "sha256")), without,
    )  # fmt: skip


def _table_box(path: Path) -> Box | None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not path.is_file():
        return None  # an export in other forms
    table = pq.read_table(path, columns=["longitude", "latitude"])
    if not table.num_rows:
        return None
    across, along = pc.min_max(table["longitude"]).as_py(), pc.min_max(table["latitude"]).as_py()
    return Box(across["min"], along["min"], across["max"], along["max"])
