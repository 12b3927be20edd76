"""A folder of features, ready to train on without images or texts: what `mlmkg import-mlm` writes.

::

    manifest.json      version, key, encoders, languages, where it comes from, shapes of the arrays
    entities.parquet   entity, id, label, continent, latitude, longitude, cell, split
    cells.parquet      cell, latitude, longitude, entities
    images.npy         (n, d) float16, each distinct vector once; texts.npy and classes.npy likewise
    images-rows.npy    (m,) rows of images.npy, those of one entity after those of the one before
    images-start.npy   (E + 1,) where each entity's rows begin
    images-language.npy  (m,) number of the language, -1 for none

Vectors are appended as they come, whatever their number, and are memory-mapped when read: neither
takes memory for them.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from mlmkg.ml.data import MANIFEST, SPLITS, Dataset, load_dataset
from mlmkg.ml.rows import Rows, grouped
from torch import Tensor

from mlmkg.errors import ExportError, ModelError
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace, folder_written_whole

MODALITIES: Final = ("images", "texts", "classes")
#: What the manifest of such a folder calls itself.
KIND: Final = "features"


class RowsWriter:
    """Appends vectors to a .npy file, each distinct one once.

    :param path: the file, ``images.npy``; those of the index are written beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = path.open("wb")
        self._row: dict[bytes, int] = {}
        self._owners, self._rows, self._languages = array("q"), array("q"), array("q")
        self.width: int | None = None

    def add(
        self, owner: int, vectors: npt.NDArray[np.float16], languages: Sequence[int] | None = None
    ) -> None:
        """Append the vectors of one entity; entities may come in any order.

        :param owner: the entity's number.
        :param vectors: (n, d) finite float16; n may be 0.
        :param languages: (n,) numbers of their languages.
        """
        if self.width is None:
            self.width = vectors.shape[1]
            self._header(0)
        elif vectors.shape[1] != self.width:
            raise ValueError(f"vectors {vectors.shape[1]} wide among those {self.width} wide")
        for vector in np.ascontiguousarray(vectors):
            content = vector.tobytes()
            # Half a SHA-256: processors have instructions for it, 4 microseconds for 8 KB.
            digest = sha256(content).digest()[:16]
            row = self._row.get(digest)
            if row is None:
                row = self._row[digest] = len(self._row)
                self._stream.write(content)
            self._rows.append(row)
            self._owners.append(owner)
        self._languages.extend([-1] * len(vectors) if languages is None else languages)

    def owners(self) -> npt.NDArray[np.int64]:
        """Return the numbers of the entities that have a vector."""
        return np.unique(np.frombuffer(self._owners, dtype=np.int64))

    def _header(self, rows: int) -> None:
        """Write the header; numpy pads it so that another number of rows does not move what follows."""
        about = {"descr": "<f2", "fortran_order": False, "shape": (rows, self.width or 0)}
        np.lib.format.write_array_header_1_0(self._stream, about)  # type: ignore[no-untyped-call]

    def finish(self, entities: int) -> dict[str, int]:
        """Complete the files; return the numbers of distinct vectors and of rows, and the width.

        :param entities: E, how many entities there are.
        """
        rows = len(self._row)
        self._row.clear()
        self._stream.seek(0)
        self._header(rows)
        _close(self._stream)
        index = grouped(torch.empty(0), self._owners, self._rows, self._languages, entities)
        parts = {"rows": index.index, "start": index.start, "language": index.language}
        for name, part in parts.items():
            with _beside(self._path, name).open("wb") as stream:
                np.save(stream, part.numpy())
                _close(stream)
        return {"vectors": rows, "rows": len(self._rows), "width": self.width or 0}


class FeatureWriter:
    """Writes the arrays and tables of a features folder.

    :param folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images, self.texts, self.classes = (
            RowsWriter(folder / f"{name}.npy") for name in MODALITIES
        )

    def finish(self, entities: pa.Table, cells: pa.Table, about: Mapping[str, Any]) -> dict[str, Any]:
        """Complete the folder; return its manifest.

        :param entities: as the module says, numbered as the vectors' owners are.
        :param cells: as the module says, in the order of the labels.
        :param about: ``version``, ``key``, ``encoders``, ``languages`` and what else is worth knowing.
        """
        arrays = {
            name: getattr(self, name).finish(entities.num_rows) for name in MODALITIES
        }  # fmt: skip
        for name, table in (("entities", entities), ("cells", cells)):
            pq.write_table(table, self.folder / f"{name}.parquet", compression="zstd")
        manifest = {"kind": KIND, **about, "arrays": arrays}
        with (self.folder / MANIFEST).open("w", encoding="utf-8") as stream:
            stream.write(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        return manifest


@contextmanager
def feature_folder(folder: Path, *, force: bool = False) -> Iterator[FeatureWriter]:
    """Lend a writer; the folder appears under its name when the body has ended without error.

    :param folder: must not exist unless ``force``.
    :raises ExportError: if it exists; with ``force``, if it is something else than such a folder.
    """
    if folder.exists() and not force:
        raise ExportError(
            "exists already", where=folder, action="Add --force to replace it, or name another -o"
        )
    if folder.exists() and not (folder.is_dir() and (_is_one(folder) or not any(folder.iterdir()))):
        raise ExportError(
            "is no features folder, and would be lost", where=folder, action="Name another -o"
        )
    with folder_written_whole(folder, replace=force) as new:
        yield FeatureWriter(new)


def load_features(folder: Path) -> Dataset:
    """Read a features folder; vectors stay on disk until they are used.

    :raises ExportError: if it is none, or a part of it is damaged.
    """
    if not _is_one(folder):
        raise ExportError(
            "is no features folder" if folder.is_dir() else "there is no such features folder",
            where=folder,
            action="Run `mlmkg import-mlm` to make one; a folder of `mlmkg export` is for --export",
        )
    try:
        about = json.loads((folder / MANIFEST).read_text("utf-8"))
        # Columns stay Arrow's where no strings are needed: as Python's objects they took 180 MB.
        entities, cells = (pq.read_table(folder / f"{name}.parquet") for name in ("entities", "cells"))
        images, texts, classes = (_read(folder, name, about["arrays"]) for name in MODALITIES)
        label = pc.index_in(entities["cell"], value_set=cells["cell"].combine_chunks(), skip_nulls=True)
        return Dataset(
            key=about["key"],
            version=about["version"],
            entities=entities["entity"].to_pylist(),
            images=images,
            texts=texts,
            cell=torch.from_numpy(label.fill_null(-1).to_numpy().astype(np.int64)),
            cells=cells["cell"].to_pylist(),
            centres=_degrees(cells),
            places=_degrees(entities),
            split={
                name: torch.from_numpy(
                    np.flatnonzero(pc.equal(entities["split"], name).fill_null(False).to_numpy())
                )
                for name in SPLITS
            },
            encoders=(about["encoders"][0], about["encoders"][1]),
            languages=about["languages"],
            recipe={**about["made_by"], "features": str(folder.resolve())},
            labels=entities["label"].to_pylist(),
            continents=_shared(entities["continent"]),
            classes=classes,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, IndexError, pa.ArrowException) as error:
        raise ExportError(
            f"the features folder is damaged ({error})", where=folder,
            action="Run `mlmkg import-mlm --force` to make it again",
        ) from None  # fmt: skip


def load_for_run(
    about: Mapping[str, Any], workspace: Workspace, *, export: Path | None = None,
    features: Path | None = None, progress: Progress = quiet,
) -> Dataset:  # fmt: skip
    """Read what a run was trained on.

    :param about: what stands in its checkpoint.json.
    :param export, features: the folder, if it is another than the checkpoint names.
    :raises ModelError: if both are given.
    :raises ExportError: if the folder is no longer there.
    """
    if features is not None and export is not None:
        raise ModelError(
            "are two data sets", where="--export and --features", action="Name one of them"
        )
    if features is not None:
        return load_features(named(features, workspace))
    if export is None and "features" in about:
        trained = Path(about["features"])
        moved = workspace.features / trained.name
        return load_features(moved if _is_one(moved) and not _is_one(trained) else trained)
    names = about.get("encoded_by") or [name.rpartition(" ")[0] for name in about["encoders"]]
    graph = about.get("graph")
    trained = Path(about.get("export") or workspace.exports / about["version"])
    moved = workspace.exports / trained.name
    if export is None and not trained.is_dir() and not moved.is_dir():
        raise ExportError(
            f"the export that {about['run']} was trained on is not there", where=trained,
            action="Name its folder with --export if it has been moved, or export it again",
        )  # fmt: skip
    return load_dataset(
        export or (trained if trained.is_dir() else moved),
        workspace.features,
        (names[0], names[1]),
        progress,
        images=workspace.images,
        graph=None if graph is None else workspace.features / graph["file"],
    )


def named(features: Path, workspace: Workspace) -> Path:
    """Return a features folder by its path, or by its name in the workspace."""
    return features if features.is_dir() else workspace.features / features


def _is_one(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / MANIFEST).read_text("utf-8"))["kind"] == KIND)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}-{name}.npy")


def _close(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())
    stream.close()


def _read(folder: Path, name: str, shapes: Mapping[str, Mapping[str, int]]) -> Rows:
    path, shape = folder / f"{name}.npy", shapes[name]
    # torch wants arrays that can be written to: what is written stays in memory (copy-on-write). An
    # array without rows cannot be mapped.
    mode: Any = "c" if shape["vectors"] and shape["width"] else None
    vectors = torch.from_numpy(np.load(path, mmap_mode=mode))
    if tuple(vectors.shape) != (shape["vectors"], shape["width"]):
        raise ValueError(f"{path.name} holds {tuple(vectors.shape)}")
    index, start, language = (
        torch.from_numpy(np.load(_beside(path, part))) for part in ("rows", "start", "language")
    )
    if len(index) != shape["rows"] or int(start[-1]) != len(index):
        raise ValueError(f"{name}-rows.npy holds {len(index)} rows")
    return Rows(vectors, index, start, language)


def _degrees(table: pa.Table) -> Tensor:
    """Return (n, 2) latitudes and longitudes; NaN where they are not known."""
    pairs = [table[name].to_numpy().astype(np.float64) for name in ("latitude", "longitude")]
    return torch.from_numpy(np.stack(pairs, axis=1))


def _shared(column: pa.ChunkedArray) -> list[str]:
    """Return strings, of which equal ones are one object."""
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    names = [name or "elsewhere" for name in coded.dictionary.to_pylist()]
    return [names[i] for i in coded.indices.to_pylist()]
