"""From the HDF5 files of the published MLM to a features folder.

train.h5, val.h5 and test.h5 enter, a folder leaves that ``mlmkg train --features`` reads. Each file is
read once, in the order in which it lies on the disk; memory holds numbers and labels, never vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from mlmkg.ml.coordinates import Order, middles, of_cells, order_of
from mlmkg.ml.data import SPLITS
from mlmkg.ml.featurefolder import FeatureWriter, feature_folder
from mlmkg.ml.layout import SplitFile

from mlmkg import __version__
from mlmkg.errors import ExportError
from mlmkg.progress import Progress, quiet
from mlmkg.vocab import WD

#: The order in which the published files stack the summaries of an entity.
LANGUAGES: Final = ("en", "de", "fr")
_PIECE: Final = 1 << 24


@dataclass
class _Read:
    """What is known of the entities that have been read, by their number.

    :param width: kind -> the width of its vectors and where it was first seen; ``cells`` likewise.
    """

    ids: list[int]
    split: list[str]
    where: list[str]
    entity: list[str] = field(init=False)
    label: list[str] = field(init=False)
    continent: list[str] = field(init=False)
    cell: npt.NDArray[np.int64] = field(init=False)
    pairs: npt.NDArray[np.float64] = field(init=False)
    exact: bool = False
    width: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entity = [WD[f"Q{number}"] for number in self.ids]
        self.label = [f"Q{number}" for number in self.ids]
        self.continent = ["elsewhere"] * len(self.ids)
        self.cell = np.full(len(self.ids), -1, dtype=np.int64)
        self.pairs = np.full((len(self.ids), 2), np.nan)

    def as_wide(self, kind: str, width: int, where: str) -> None:
        """Hold a width against that of the others of its kind."""
        first, there = self.width.setdefault(kind, (width, where))
        if width != first:
            what = {"onehot": "cells"}.get(kind, "numbers")
            said = f"is {width} {what} wide, {there} is {first}"
            if 0 in {width, first} and kind == "onehot":
                kinds = ("a label", "a one-hot row")
                said = f"is {kinds[width > 0]}, {there} is {kinds[first > 0]}"
            raise ExportError(
                said, where=where,
                action="Put files of one dataset together: train.h5, val.h5 and test.h5",
            )  # fmt: skip


def import_published(
    source: Path, folder: Path, *, coordinates: str = "auto", force: bool = False,
    progress: Progress = quiet,
) -> dict[str, Any]:  # fmt: skip
    """Write a features folder from HDF5 files in the layout of the published MLM.

    :param source: the folder that holds train.h5, val.h5 and test.h5.
    :param folder: the folder to write; must not exist unless ``force``.
    :param coordinates: ``lat-lon``, ``lon-lat``, or ``auto`` to find out.
    :param force: replace a features folder that exists.
    :returns: the manifest.
    :raises ExportError: if a file is missing, damaged, or does not fit the others.
    """
    with feature_folder(folder, force=force) as writer, ExitStack() as stack:
        files = [stack.enter_context(closing(SplitFile(source / f"{s}.h5"))) for s in SPLITS]
        read = _Read(*_every_id(files))
        about = _one_about(files)
        if about is not None:
            read.as_wide("onehot", len(about["cells"]), f"the list of cells in {files[0].path.name}")
        sums = {}
        first = 0
        for file in files:
            sums[file.path.name] = _sum(file.path, progress)
            order = file.in_file_order()
            for place in progress(order, f"reading {file.path.name}", unit="entity"):
                _read_entity(file, first + place, read, writer, about)
            first += len(file.ids)
        return _finish(folder, read, writer, about, sums, coordinates)


def _every_id(files: list[SplitFile]) -> tuple[list[int], list[str], list[str]]:
    """Return the ids of all files, their splits, and what a message calls their coordinates."""
    seen: dict[int, SplitFile] = {}
    for file in files:
        for number in file.ids:
            if number in seen:
                twice = "twice in it" if seen[number] is file else f"in {seen[number].path.name}, too"
                raise ExportError(
                    f"the id {number} is {twice}", where=f"{file.path}: ids",
                    action="Put files of one dataset together, with every entity in one split",
                )  # fmt: skip
            seen[number] = file
    if not seen:
        raise ExportError(
            "the files hold no entities", where=files[0].path.parent, action="Name another folder"
        )
    splits = [file.path.stem for file in seen.values()]
    return list(seen), splits, [file.where(n, "coordinates") for n, file in seen.items()]


def _one_about(files: list[SplitFile]) -> dict[str, Any] | None:
    """Return what mlmkg wrote beside the layout, if it wrote these files."""
    for file in files[1:]:
        if file.about != files[0].about:
            raise ExportError(
                f"is of another export than {files[0].path.name}", where=file.path,
                action="Put files of one export together: train.h5, val.h5 and test.h5",
            )  # fmt: skip
    return files[0].about


def _sum(path: Path, progress: Progress) -> dict[str, Any]:
    size = path.stat().st_size
    digest = sha256()
    with path.open("rb") as stream:
        pieces: Iterator[bytes] = iter(lambda: stream.read(_PIECE), b"")
        for piece in progress(pieces, f"sha256 of {path.name}", total=-(-size // _PIECE), unit="piece"):
            digest.update(piece)
    return {"sha256": digest.hexdigest(), "bytes": size}


def _read_entity(
    file: SplitFile, i: int, read: _Read, writer: FeatureWriter, about: dict[str, Any] | None
) -> None:
    """Read the five datasets of the entity number i."""
    number = read.ids[i]
    for kind, rows in (
        ("images", writer.images), ("summaries", writer.texts), ("classes", writer.classes),
    ):  # fmt: skip
        vectors = file.vectors(number, kind)
        if vectors is None:
            continue
        read.as_wide(kind, vectors.shape[1], file.where(number, kind))
        rows.add(
            i, vectors, _languages(file, number, len(vectors), about) if rows is writer.texts else None
        )
    read.cell[i], width = file.cell(number)
    if width is not None or read.cell[i] >= 0:
        # Labels among one-hot rows would be of another width: 0.
        read.as_wide("onehot", width or 0, file.where(number, "onehot"))
    pair = file.coordinates(number)
    beside = file.said(number, "coordinates")
    pair = beside.get("degrees", pair)
    if pair is not None and len(pair):
        read.pairs[i] = pair
    if beside:
        read.exact = True
        read.entity[i], read.label[i] = str(beside["entity"]), str(beside["label"])
        read.continent[i] = str(beside["continent"])


def _languages(
    file: SplitFile, number: int, texts: int, about: dict[str, Any] | None
) -> list[int] | None:
    if about is None:
        return list(range(3)) if texts == len(LANGUAGES) else None
    named = str(file.said(number, "summaries").get("languages", "")).split(",")
    known = {language: n for n, language in enumerate(about["languages"])}
    return [known.get(name, -1) for name in named] if len(named) == texts else None


def _finish(
    folder: Path, read: _Read, writer: FeatureWriter, about: dict[str, Any] | None,
    sums: dict[str, Any], coordinates: str,
) -> dict[str, Any]:  # fmt: skip
    """Decide what only the whole can say, and write tables and manifest."""
    order = order_of(read.pairs, read.where, "lat-lon" if read.exact else coordinates)
    if read.exact:
        order = Order("lat-lon", "mlmkg wrote them")
    places = read.pairs[:, ::-1] if order.name == "lon-lat" else read.pairs
    key = sha256(
        json.dumps([sorted((n, s["sha256"]) for n, s in sums.items()), order.name]).encode()
    ).hexdigest()
    if about is None:
        names, centres = _cells(read, places, key)
    else:
        names, centres = about["cells"], np.array(about["centres"]).reshape(-1, 2)
    # An entity without coordinates of its own is evaluated as if it lay in the middle of its cell.
    bare = ~np.isfinite(places).all(axis=1) & (read.cell >= 0)
    of_cell = about is None and of_cells(places, read.cell)
    places = places.copy()
    places[bare] = centres[read.cell[bare]]
    entities = pa.table({
        "entity": read.entity, "id": pa.array(read.ids, pa.int64()), "label": read.label,
        "continent": read.continent, "latitude": places[:, 0], "longitude": places[:, 1],
        "own_place": ~bare & np.isfinite(places).all(axis=1) & (not of_cell),
        "cell": pa.array([names[n] if n >= 0 else None for n in read.cell.tolist()], pa.string()),
        "split": read.split,
    })  # fmt: skip
    counts = np.bincount(read.cell[read.cell >= 0], minlength=len(names))
    cells = pa.table({
        "cell": pa.array(names, pa.string()), "latitude": centres[:, 0], "longitude": centres[:, 1],
        "entities": pa.array(counts, pa.int64()),
    })  # fmt: skip
    return writer.finish(entities, cells, {
        "version": folder.name if about is None else about["version"],
        "title": "MLM as published" if about is None else f"{about['version']}, exported as HDF5",
        "key": key,
        "created_by": f"mlmkg {__version__}",
        "encoders": _encoders(read) if about is None else about["encoders"],
        "languages": list(LANGUAGES) if about is None else about["languages"],
        "made_by": {"recipe": {}, "split": "published"} if about is None else about["made_by"],
        "files": sums,
        "coordinates": {
            "order": order.name, "why": order.why, "of": "cells" if of_cell else "entities",
        },
        "by_mlmkg": about is not None,
        "splits": _counts(read, writer),
    })  # fmt: skip


def _counts(read: _Read, writer: FeatureWriter) -> dict[str, dict[str, int]]:
    """Return, per split, how many entities there are and how many have what."""
    split = np.array(read.split)
    has = {"images": writer.images, "texts": writer.texts, "classes": writer.classes}
    return {
        name: {
            "entities": int((split == name).sum()),
            **{f"with {what}": int((split[rows.owners()] == name).sum()) for what, rows in has.items()},
            "in a cell": int(((split == name) & (read.cell >= 0)).sum()),
        }
        for name in SPLITS
    }


def _encoders(read: _Read) -> list[str]:
    """Return names for encoders that the files do not name."""
    widths = [read.width.get(kind, (0, ""))[0] for kind in ("images", "summaries")]
    return [f"published-{what} {w}" for what, w in zip(("images", "texts"), widths, strict=True)]


def _cells(
    read: _Read, places: npt.NDArray[np.float64], key: str
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return names and middles of the cells that hold entities, and number the labels anew.

    The files number cells and do not name them, and other files number others: a name has digits of
    their checksums.
    """
    width = read.width.get("onehot", (0, ""))[0] or int(read.cell.max(initial=-1)) + 1
    inhabited = np.unique(read.cell[read.cell >= 0])
    centres = middles(places, read.cell, width)[inhabited]
    if len(nowhere := inhabited[~np.isfinite(centres).all(axis=1)]):
        i = int(np.flatnonzero(read.cell == nowhere[0])[0])
        raise ExportError(
            f"no entity of cell {nowhere[0]} has coordinates, so nobody knows where it is",
            where=read.where[i], action="Add coordinates, or remove the cell's one-hot rows",
        )  # fmt: skip
    anew = np.full(width + 1, -1, dtype=np.int64)  # the last one is that of -1
    anew[inhabited] = np.arange(len(inhabited))
    read.cell = anew[read.cell]
    digits = len(str(max(width - 1, 0)))
    return [f"published-{key[:8]}-{n:0{digits}}" for n in inhabited.tolist()], centres
