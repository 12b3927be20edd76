"""The HDF5 layout of the published MLM, written: train.h5, val.h5, test.h5 (10.5281/zenodo.3885753).

::

    publish(export, features, folder, encoders=("lite0", "use"), *, force=False, progress=quiet)
    write_published(dataset, folder, *, force=False, progress=quiet)

both return the three paths. A dataset enters; files leave that code written for the published MLM
reads unchanged: ``ids``, and per id ``{id}_images`` (n, d), ``{id}_summaries`` (k, t), ``{id}_classes``
(m, t), ``{id}_onehot`` (C,), ``{id}_coordinates`` (2,), latitude first, all float32.

What that layout has no place for (IRIs, languages, cell tokens, double precision) stands in HDF5
attributes: code that goes through the names in a file meets none that it does not know.
:mod:`mlmkg.ml.importing` reads both.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from mlmkg.ml.data import SPLITS, Dataset, load_dataset
from mlmkg.ml.rows import Rows
from torch import Tensor

from mlmkg import __version__
from mlmkg.errors import ExportError
from mlmkg.progress import Progress, quiet

#: The attribute of a file that says what the layout has no place for, as JSON.
ABOUT: Final = "mlmkg"
#: Files of HDF5 1.10 keep a dataset of one chunk without an index: a third of the size of the oldest
#: format (8 KB of indices an entity), and read twice as fast. Fixed, as the bytes depend on it.
LIBVER: Final = ("v110", "v110")
#: Shuffled, the bytes of numbers that were float16 pack to half; level 9 gains 1 % for twice the time.
PACKED: Final = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
#: The last digits of the last part of an IRI; ids are signed 64-bit numbers.
_NUMBER: Final = re.compile(r"(?<![0-9])([0-9]{1,18})[^0-9/#]*/?$")


def publish(
    export: Path, features: Path, folder: Path, encoders: tuple[str, str] = ("lite0", "use"), *,
    force: bool = False, progress: Progress = quiet, images: Path | None = None,
) -> list[Path]:  # fmt: skip
    """Encode an export and write it in the layout of the published MLM.

    :param export: the export's folder.
    :param features: the workspace's ``features`` folder.
    :param folder: where the three files go.
    :param encoders: names of the image and the text encoder; the latter also encodes classes' labels.
    :param force: replace files that exist.
    :param images: see :func:`mlmkg.ml.data.load_dataset`.
    :raises ExportError: as :func:`write_published`.
    """
    dataset = load_dataset(
        export, features, encoders, progress, classes=True, images=images, alone=True
    )
    return write_published(dataset, folder, force=force, progress=progress)


def write_published(
    dataset: Dataset, folder: Path, *, force: bool = False, progress: Progress = quiet
) -> list[Path]:
    """Write train.h5, val.h5 and test.h5, all of them or none; the same dataset gives the same bytes.

    An entity without a modality has an empty (0, d) dataset of it, one without a cell a row of zeros.

    :param folder: where they go; created, other files in it are left alone.
    :param force: replace files that exist.
    :returns: the paths, in that order.
    :raises ExportError: if a file exists, an IRI has no number, or two IRIs have the same.
    """
    paths = [folder / f"{name}.h5" for name in SPLITS]
    if (there := [path for path in paths if path.exists()]) and not force:
        raise ExportError(
            "exists already", where=there[0],
            action="Add --force to replace it, or name another folder",
        )  # fmt: skip
    numbers = numeric_ids(dataset.entities)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".hdf5-", dir=folder) as name:
        for path in paths:
            _write(Path(name) / path.name, dataset, numbers, dataset.split[path.stem], progress)
        for path in paths:
            (Path(name) / path.name).replace(path)
    return paths


def numeric_ids(entities: list[str]) -> list[int]:
    """Return the number that the layout knows each entity by: the digits at the end of its IRI.

    :raises ExportError: if there are none, or two entities have the same.

    >>> numeric_ids(["http://www.wikidata.org/entity/Q64", "https://sws.geonames.org/2950159/"])
    [64, 2950159]
    """
    owner: dict[int, str] = {}
    for entity in entities:
        found = _NUMBER.search(entity)
        if found is None:
            raise ExportError(
                "its IRI does not end in a number, and the HDF5 layout knows entities by numbers alone",
                where=entity, action="Leave it out of the version, or export to another format",
            )  # fmt: skip
        number = int(found[1])
        if number in owner:
            raise ExportError(
                f"{owner[number]} and {entity} would both be {number}, and the HDF5 layout knows "
                "entities by numbers alone",
                action="Leave one of them out of the version, or export to another format",
            )
        owner[number] = entity
    return list(owner)


def _write(
    path: Path, dataset: Dataset, numbers: list[int], entities_E: Tensor, progress: Progress
) -> None:
    import h5py

    chosen = entities_E.tolist()
    with h5py.File(path, "w", libver=LIBVER) as file:
        file.attrs[ABOUT] = json.dumps(_about(dataset), sort_keys=True)
        ids = np.array([numbers[i] for i in chosen], dtype=np.int64)
        file.create_dataset("ids", data=ids, track_times=False)
        for i in progress(chosen, f"writing {path.name}", unit="entity"):
            _write_entity(file, numbers[i], dataset, i)


def _write_entity(file: Any, number: int, dataset: Dataset, i: int) -> None:
    """Write the five datasets of one entity."""

    def write(kind: str, content: npt.NDArray[np.float32]) -> Any:
        packed = PACKED if content.size > 16 else {}
        return file.create_dataset(f"{number}_{kind}", data=content, track_times=False, **packed)

    write("images", _vectors(dataset.images, i))
    summaries = write("summaries", _vectors(dataset.texts, i))
    begin, end = dataset.texts.start[i : i + 2].tolist()
    said = dataset.texts.language[begin:end].tolist()
    summaries.attrs["languages"] = ",".join(dataset.languages[n] if n >= 0 else "" for n in said)
    write("classes", _vectors(dataset.classes or _none_like(dataset.texts), i))
    cells = np.zeros(len(dataset.cells), dtype=np.float32)
    if (label := int(dataset.cell[i])) >= 0:
        cells[label] = 1
    write("onehot", cells)
    place = dataset.places[i].numpy()
    known = place if np.isfinite(place).all() else place[:0]
    coordinates = write("coordinates", known.astype(np.float32))
    coordinates.attrs["entity"] = dataset.entities[i]
    coordinates.attrs["label"] = dataset.labels[i]
    coordinates.attrs["continent"] = dataset.continents[i]
    coordinates.attrs["degrees"] = known


def _vectors(rows: Rows, i: int) -> npt.NDArray[np.float32]:
    """Return an entity's (n, d) vectors."""
    begin, end = rows.start[i : i + 2].tolist()
    vectors: npt.NDArray[np.float32] = rows.vectors[rows.index[begin:end]].float().numpy()
    return vectors


def _none_like(rows: Rows) -> Rows:
    """Return rows of the same width that no entity has."""
    return Rows(rows.vectors[:0], rows.index[:0], rows.start * 0, rows.language[:0])


def _about(dataset: Dataset) -> dict[str, Any]:
    """Return what a file says of the whole dataset."""
    return {
        "created_by": f"mlmkg {__version__}",
        "layout": "https://doi.org/10.5281/zenodo.3885753",
        "version": dataset.version,
        "key": dataset.key,
        "encoders": list(dataset.encoders),
        "languages": dataset.languages,
        "cells": dataset.cells,
        "centres": dataset.centres.tolist(),
        "made_by": {name: dataset.recipe[name] for name in ("recipe", "split")},
    }
