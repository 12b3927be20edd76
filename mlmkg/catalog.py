"""Finds query files and reads their headers.

A folder of query files enters, a :class:`Catalog` of checked :class:`QueryFile` leaves. A query file
is valid SPARQL whose first lines are comments ``#+ key: value`` (YAML, the grlc habit), so that it
runs unchanged in any SPARQL editor. The folder it lies in says what it is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from mlmkg.errors import QueryError
from mlmkg.sparql import form, parameters

#: Folder -> what its files are. The first three write graphs and make up the pipeline.
KINDS: Final = {
    "extract": "from the source's statements",
    "derive": "from other graphs",
    "versions": "who belongs to a version",
    "export": "one table of an export each",
    "links": "edges for knowledge-graph embedding",
    "checks": "an empty answer passes",
    "quality": "each row is a hit in a version",
    "reports": "figures of a store",
    "examples": "questions people ask",
}
WRITING: Final = {"extract", "derive", "versions"}
_KEYS: Final = {"title", "description", "kind", "reads", "writes", "batch", "parameters", "severity"}


@dataclass(frozen=True)
class Batch:
    """How an extract query is sent in pieces.

    :param variable: the ``VALUES`` variable that a piece is bound to.
    :param source: the graph whose distinct subjects are the values.
    :param size: how many values a request to an endpoint carries at most.
    """

    variable: str
    source: str
    size: int


@dataclass(frozen=True)
class QueryFile:
    """A query with its header.

    :param path: the file.
    :param kind: the folder it lies in, one of :data:`KINDS`.
    :param name: the file's name without ``.rq``.
    :param title: one line.
    :param description: what it asks and why it is written the way it is.
    :param text: the whole file, valid SPARQL.
    :param reads: the graphs it needs.
    :param writes: the graph it makes, or None.
    :param batch: how it is sent in pieces, or None.
    :param parameters: ``VALUES`` variable -> what it means.
    :param severity: of a hit of a check of quality: ``leak``, ``error``, ``note``; or "".
    """

    path: Path
    kind: str
    name: str
    title: str
    description: str
    text: str
    reads: tuple[str, ...] = ()
    writes: str | None = None
    batch: Batch | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    severity: str = ""

    @property
    def short_path(self) -> str:
        """The path within the set, ``derive/hops.rq``."""
        return f"{self.kind}/{self.path.name}"

    @cached_property
    def sha256(self) -> str:
        """The checksum of the file as it is on disk, hexadecimal."""
        return sha256(self.text.encode()).hexdigest()


def read_query(path: Path, kind: str | None = None) -> QueryFile:
    """Read one query file and check its header.

    :param kind: what it is for; by default the name of the folder it lies in.
    :raises QueryError: if the header is missing or wrong; the SPARQL is not parsed here.
    """
    kind = kind or path.parent.name
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise QueryError("there is no such file", where=path, action="Correct the name") from None
    except UnicodeDecodeError as error:
        raise QueryError(f"not UTF-8 ({error})", where=path, action="Save it as UTF-8") from None
    header = _header(path, text)
    _check_header(path, kind, header, text)
    batch = header.get("batch")
    return QueryFile(
        path=path,
        kind=kind,
        name=path.stem,
        title=str(header["title"]),
        description=str(header.get("description", "")),
        text=text,
        reads=tuple(header.get("reads", [])),
        writes=header.get("writes"),
        batch=Batch(batch["variable"], batch["from"], int(batch["size"])) if batch else None,
        parameters=dict(header.get("parameters", {})),
        severity=str(header.get("severity", "")),
    )


def _header(path: Path, text: str) -> dict[str, Any]:
    lines = [
        (number, line[2:])
        for number, line in enumerate(text.splitlines(), start=1)
        if line.startswith("#+")
    ]
    try:
        header = yaml.safe_load("\n".join(line.removeprefix(" ") for _, line in lines)) or {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        number, line = lines[min(mark.line if mark else 0, len(lines) - 1)]
        raise QueryError(
            f"bad header line ({error.problem}): #+{line}", where=f"{path}:{number}",
            action="A header line is `#+ key: value` in YAML; put a value with a colon in quotes",
        ) from None  # fmt: skip
    if not isinstance(header, dict) or not lines:
        raise QueryError("no header", where=f"{path}:1", action="Begin the file with `#+ title: …`")
    return header


def _check_header(path: Path, kind: str, header: dict[str, Any], text: str) -> None:
    def bad(what: str, action: str) -> QueryError:
        return QueryError(f"bad header: {what}", where=path, action=action)

    if unknown := sorted(set(header) - _KEYS):
        raise bad(f"unknown key {unknown[0]!r}", f"The keys are {', '.join(sorted(_KEYS))}")
    if not header.get("title"):
        raise bad("no title", "Add `#+ title: …`")
    if header.get("kind", kind) != kind:
        raise bad(
            f"kind {header['kind']!r} in the folder {kind!r}", "Move the file or correct its kind"
        )
    reads = header.get("reads", [])
    if not isinstance(reads, list) or not all(isinstance(name, str) for name in reads):
        raise bad(f"reads is {reads!r}", "Write a list: `#+ reads: [hops, instances]`")
    needed = "CONSTRUCT" if kind in WRITING else "SELECT"
    if form(text) != needed and kind != "examples":
        raise bad(f"a {form(text) or 'text without a query form'} in {kind}/", f"Write a {needed}")
    if (kind in WRITING) != ("writes" in header):
        raise bad(
            "writes is missing" if kind in WRITING else f"writes in {kind}/",
            "A CONSTRUCT of extract, derive and versions names the graph it writes; others do not",
        )
    places = parameters(text)
    named = header.get("parameters", {})
    if not isinstance(named, dict):
        raise bad(f"parameters is {named!r}", "Write `#+ parameters: {name: what it means}`")
    batch = header.get("batch")
    if batch is not None:
        if not isinstance(batch, dict) or set(batch) != {"variable", "from", "size"}:
            raise bad(f"batch is {batch!r}", "Write `{variable: class, from: classes, size: 50}`")
        if batch["from"] not in reads:
            raise bad(f"batch from {batch['from']!r}, which it does not read", "Add it to reads")
        named = {**named, batch["variable"]: ""}
    for name in named:
        if name not in places:
            raise bad(f"no block `VALUES ?{name} {{ … }}`", "Add it, with the default in it")


@dataclass(frozen=True)
class Catalog:
    """All query files of a set.

    :param folder: the set's folder; its name is the set's name, ``v1``.
    :param queries: its files, by kind and name.
    """

    folder: Path
    queries: tuple[QueryFile, ...]

    @property
    def name(self) -> str:
        """The set's name, part of its graphs' IRIs."""
        return self.folder.name

    def of_kind(self, kind: str) -> list[QueryFile]:
        """Return the files of one kind, by name."""
        return [query for query in self.queries if query.kind == kind]

    def find(self, name: str) -> QueryFile:
        """Return the query called ``hops`` or ``derive/hops``.

        :raises QueryError: if there is none, or more than one.
        """
        found = [q for q in self.queries if name in {q.name, f"{q.kind}/{q.name}", q.short_path}]
        if len(found) == 1:
            return found[0]
        if found:
            raise QueryError(
                f"{name!r} is the name of several queries", where=self.folder,
                action=f"Say which: {', '.join(f'{q.kind}/{q.name}' for q in found)}",
            )  # fmt: skip
        raise QueryError(
            f"there is no query {name!r}", where=self.folder, action="See `mlmkg queries list`"
        )

    def __iter__(self) -> Iterator[QueryFile]:
        """Iterate over the files."""
        return iter(self.queries)


def shipped() -> Path:
    """Return the folder of the query set that comes with mlmkg."""
    return Path(str(files("mlmkg.queries").joinpath("v1")))


def read_catalog(folder: Path | None = None) -> Catalog:
    """Read a query set.

    :param folder: the set's folder; the shipped one if None.
    :raises QueryError: if it is no query set, or one of its files has a bad header.
    """
    folder = folder or shipped()
    if not (folder / "recipe.toml").is_file():
        raise QueryError(
            "no query set: it has no recipe.toml", where=folder,
            action="Name a folder with recipe.toml and folders such as derive/ and versions/",
        )  # fmt: skip
    paths = sorted(path for kind in KINDS for path in (folder / kind).glob("*.rq"))
    return Catalog(folder.resolve(), tuple(read_query(path) for path in paths))
