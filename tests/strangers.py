"""HDF5 files as the authors of MLM wrote and read them, small and made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CELLS, PER_CELL, WIDTH = 40, 5, 64
SPLITS = ("train", "val", "test")
PACKED = {"compression": "gzip", "compression_opts": 9}


@dataclass(frozen=True)
class Habit:
    """How somebody writes these files.

    :param ids: makes the dataset ``ids`` of the numbers.
    :param begin: how the name of a dataset begins.
    :param change: takes (number, kind, content) and returns what is written instead; None: nothing.
    :param packed: keywords of every dataset.
    """

    ids: Callable[[list[int]], Any] = np.array
    begin: str = "{}"
    change: Callable[[int, str, Any], Any] = lambda number, kind, content: content
    packed: bool = True

    def but(self, **changes: Any) -> Habit:
        return replace(self, **changes)


def facts(number: int) -> dict[str, Any]:
    """Return what is known of an entity: its vectors tell its cell."""
    cell = number % CELLS
    chance = np.random.default_rng(number)
    middle = np.random.default_rng(10_000 + cell)
    image, text, kind = (middle.normal(0, 1, WIDTH) for _ in range(3))

    def rows(count: int, around: np.ndarray, spread: float) -> np.ndarray:
        return (around + chance.normal(0, spread, (count, WIDTH))).astype(np.float32)

    place = (middle.uniform(-60, 70), middle.uniform(-175, 175))
    return {
        "images": rows(1 + number % 3, image, 0.3), "summaries": rows(3, text, 0.3),
        "classes": rows(2, kind, 0), "onehot": np.eye(CELLS, dtype=np.float32)[cell],
        # As published: the mean place of the cell, not that of the entity.
        "coordinates": np.array(place, dtype=np.float32),
    }  # fmt: skip


def numbers_of() -> dict[str, list[int]]:
    """Return the ids of each split, shuffled: 3, 1 and 1 of every cell."""
    all_numbers = np.random.default_rng(0).permutation(CELLS * PER_CELL) + 64
    turn = {int(number): (number - 64) // CELLS % PER_CELL for number in all_numbers}
    part = {name: [n for n, t in turn.items() if t in of] for name, of in
            zip(SPLITS, ({0, 1, 2}, {3}, {4}), strict=True)}  # fmt: skip
    return part


def write(folder: Path, habit: Habit | None = None) -> Path:
    """Write train.h5, val.h5 and test.h5."""
    habit = habit or Habit()
    folder.mkdir(parents=True, exist_ok=True)
    for split, numbers in numbers_of().items():
        with h5py.File(folder / f"{split}.h5", "w") as file:
            for number in numbers:
                for kind, plain in facts(number).items():
                    content = habit.change(number, kind, plain)
                    if content is None:
                        continue
                    packed = PACKED if habit.packed and np.ndim(content) else {}
                    name = f"{habit.begin.format(number)}_{kind}"
                    file.create_dataset(name, data=content, **packed)
            file.create_dataset("ids", data=habit.ids(numbers))
    return folder


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what a loader written for the published files hands to a model."""
    with h5py.File(path, "r") as h5f:
        ids = h5f["ids"]
        for index in range(len(ids)):
            instance = ids[index]
            yield {
                "id": int(instance),
                "images": h5f[f"{instance}_images"][()],
                "summaries": h5f[f"{instance}_summaries"][()],
                "classes": h5f[f"{instance}_classes"][()],
                "onehot": h5f[f"{instance}_onehot"][()],
                "cell": np.argmax(h5f[f"{instance}_onehot"][()]),
                "coordinates": h5f[f"{instance}_coordinates"][()],
            }
