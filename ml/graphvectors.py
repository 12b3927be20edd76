"""Reads the vectors that stand for entities in the graph, as `mlmkg embed` writes them.

An array and its JSON file enter, with a list of entities; the rows of the entities leave, as those of
any other input of a model do. An entity that has no vector has no row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from mlmkg.ml.rows import Rows, grouped

from mlmkg.errors import ModelError

#: What the JSON file calls itself, and how the names of the files begin.
KIND: Final = "graph"


def about_graph(path: Path) -> dict[str, Any]:
    """Return what is known of vectors: method, settings, relations, ``leaking``, rows.

    :param path: the array.
    :raises ModelError: if there is none, or it is something else.
    """
    there = sorted(p.name for p in path.parent.glob(f"{KIND}-*.npy"))
    known = f", or choose among {', '.join(there)}" if there else ""
    try:
        about: dict[str, Any] = json.loads(path.with_suffix(".json").read_text("utf-8"))
        ours = about["kind"] == KIND
    except FileNotFoundError:
        raise ModelError(
            "there are no such vectors", where=path, action=f"Run `mlmkg embed`{known}"
        ) from None
    except (ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise ModelError(
            "are no vectors of `mlmkg embed`", where=path, action=f"Run `mlmkg embed`{known}"
        )
    return about


def record_of(path: Path) -> dict[str, Any]:
    """Return what a run notes of its input ``graph``: all but the rows, and above all ``leaking``."""
    long = {"kind", "rows", "columns", "losses"}
    return {
        "file": path.name, **{k: v for k, v in about_graph(path).items() if k not in long},
    }  # fmt: skip


def load_graph(path: Path, entities: list[str], split: str | None = None) -> Rows:
    """Read vectors; an entity without one has no row.

    :param path: the array that `mlmkg embed` made.
    :param entities: IRIs, in the order that they are numbered.
    :param split: of the data that they are for; those that know places must hold out the same.
    :raises ModelError: if they are damaged, or none of these entities has one, or they leak what the
        split holds out.
    """
    about = about_graph(path)
    again = "Delete the file and run `mlmkg embed` again"
    if about["leaking"] and split is not None and about["split"] != split:
        raise ModelError(
            f"know places of entities that the {split} split holds out", where=path,
            action=f"Run `mlmkg embed --with-places --split {split}`",
        )  # fmt: skip
    try:
        vectors: npt.NDArray[np.float16] = np.load(path, mmap_mode="c")
    except (OSError, ValueError) as error:
        raise ModelError(f"the vectors cannot be read ({error})", where=path, action=again) from None
    if vectors.shape != (len(about["rows"]), about["dim"]) or not np.isfinite(vectors).all():
        raise ModelError(
            "the vectors are damaged: rows are missing or not finite", where=path, action=again
        )
    row = {entity: i for i, entity in enumerate(about["rows"])}
    owners = [number for number, entity in enumerate(entities) if entity in row]
    if not owners:
        raise ModelError(
            "have no vector for any entity of these data", where=path,
            action="Run `mlmkg embed` for their version",
        )  # fmt: skip
    rows = [row[entities[number]] for number in owners]
    return grouped(torch.from_numpy(vectors), owners, rows, [-1] * len(rows), len(entities))
