"""A run's folder: the weights as safetensors, and everything needed to read them as JSON.

No pickle: a checkpoint can be opened by anyone without running code from it.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from mlmkg.ml.certainty import Certainty
from mlmkg.ml.data import Dataset
from mlmkg.ml.models import Model, made
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mlmkg import __version__
from mlmkg.errors import ModelError
from mlmkg.workspace import Workspace

WEIGHTS: Final = "checkpoint.safetensors"
ABOUT: Final = "checkpoint.json"


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and what it was trained on.

    :param model: the model, in evaluation mode.
    :param about: what stands in checkpoint.json: run, task, seed, export key, label order, ...
    """

    model: Model
    about: dict[str, Any]

    @property
    def task(self) -> str:
        """``mtl``, ``ir`` or ``le``."""
        return str(self.about["task"])

    @property
    def certainty(self) -> Certainty | None:
        """How certain it is of cells, as fitted on validation; None where it knows none."""
        content = self.about.get("certainty")
        return None if content is None else Certainty.from_json(content)


def save(folder: Path, model: Model, dataset: Dataset, about: dict[str, Any]) -> None:
    """Write a checkpoint into a folder.

    :param about: the run's name, task, seed and settings.
    """
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors lets only the owner read it
    content = {
        **about,
        "model": model.settings(),
        "version": dataset.version,
        "export_key": dataset.key,
        "encoders": list(dataset.encoders),
        "languages": dataset.languages,
        **dataset.recipe,
        "entities": {
            name: [dataset.entities[i] for i in rows.tolist()] for name, rows in dataset.split.items()
        },
        "cells": dataset.cells,
        "centres": dataset.centres.tolist(),
    }
    (folder / ABOUT).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def software() -> dict[str, str]:
    """Return what a run was made with: versions, and the revision where this is a checkout."""
    found = {"mlmkg": __version__, "torch": torch.__version__}
    here = Path(__file__).resolve().parent
    if (here.parent / ".git").exists():
        asked = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"]
        with suppress(OSError, subprocess.SubprocessError):
            said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10)
            found["revision"] = said.stdout.strip()
    return found


def unfinished_folder(run: Path) -> Path:
    """Return where a run lies while it is trained.

    >>> unfinished_folder(Path("runs/toy")).as_posix()
    'runs/.toy.unfinished'
    """
    return run.with_name(f".{run.name}.unfinished")


def run_folder(workspace: Workspace, run: str) -> Path:
    """Return the folder of a run.

    :param run: its name, or its folder.
    :raises ModelError: if there is none, or it is unfinished.
    """
    named = workspace.runs / run
    folder = named if named.is_dir() else Path(run)
    if not (folder / ABOUT).is_file():
        if named.name and unfinished_folder(named).is_dir():
            raise ModelError(
                "the run has not been finished", where=named,
                action="Give the `mlmkg train` that began it once more, word for word: it goes on",
            )  # fmt: skip
        known = sorted(path.parent.name for path in workspace.runs.glob(f"*/{ABOUT}"))
        raise ModelError(
            "no run", where=named,
            action=f"The runs are {', '.join(known)}" if known else "Run `mlmkg train` first",
        )  # fmt: skip
    return folder


def newest(workspace: Workspace) -> str:
    """Return the newest run that learnt to locate.

    :raises ModelError: if there is none.
    """
    runs = sorted(
        workspace.runs.glob(f"*/{ABOUT}"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in runs:
        if json.loads(path.read_text("utf-8")).get("task") != "ir":
            return path.parent.name
    raise ModelError(
        "no run has learnt to locate", where=workspace.runs, action="Run `mlmkg train` first"
    )


def load(folder: Path) -> Checkpoint:
    """Read a checkpoint.

    :raises ModelError: if a file is damaged or does not fit the other.
    """
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        model = made(about["model"])
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (SafetensorError, FileNotFoundError) as error:
        raise ModelError(
            f"the weights cannot be read ({error})", where=folder / WEIGHTS,
            action="Train again with --force",
        ) from None  # fmt: skip
    except (json.JSONDecodeError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"the checkpoint does not fit together ({_one_line(error)})", where=folder / ABOUT,
            action="Train again with --force",
        ) from None  # fmt: skip
    return Checkpoint(model.eval(), about)


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split())  # torch lists every tensor on a line of its own
    return words if len(words) <= 160 else f"{words[:160]}…"


def check_fits(checkpoint: Checkpoint, dataset: Dataset, folder: Path) -> None:
    """Refuse a checkpoint that was trained on another dataset, or on features of other encoders.

    :raises ModelError: naming both.
    """
    trained, given = checkpoint.about["export_key"], dataset.key
    if trained != given:
        raise ModelError(
            f"was trained on another dataset: export key {trained[:12]}…, not {given[:12]}…",
            where=folder,
            action="Name the export it was trained on with --export, or train on this one",
        )
    for name, width in checkpoint.model.config.widths.items():
        there = dataset.rows(name).vectors.shape[1]
        if there != width:
            raise ModelError(
                f"was trained on {name} features {width} wide, not {there}", where=folder,
                action="Name the data that it was trained on, or train again",
            )  # fmt: skip
    learnt, given_encoders = checkpoint.about["encoders"], list(dataset.encoders)
    if learnt != given_encoders:
        raise ModelError(
            f"was trained on features of {', '.join(learnt)}, not of {', '.join(given_encoders)}",
            where=folder, action="Install those versions of the encoders, or train again",
        )  # fmt: skip
