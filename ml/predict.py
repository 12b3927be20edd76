"""Predictions of a run for the test entities of an export: what is written back into the graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import torch
from mlmkg.ml import checkpoint
from mlmkg.ml.checkpoint import Checkpoint
from mlmkg.ml.data import Dataset
from mlmkg.ml.evaluate import said
from mlmkg.ml.featurefolder import load_for_run
from mlmkg.ml.train import EVALUATION, TIMES

from mlmkg.errors import ModelError
from mlmkg.pipeline import IMPORTED
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace
from mlmkg.writeback import Prediction, RunDescription

#: Entities that are predicted for at a time. A multiple of three, as the published evaluation takes the
#: language by an entity's place in the list.
BLOCK: Final = 12_288


def predict(
    workspace: Workspace, run: str, *, export: Path | None = None, features: Path | None = None,
    top: int = 5, progress: Progress = quiet,
) -> tuple[RunDescription, Iterator[Prediction]]:  # fmt: skip
    """Return a run's description and its most probable cells per test entity and modality.

    Predictions are made as they are taken, a block of entities at a time.

    :param run: the run's name, or its folder.
    :param export, features: the folder of the export, or of the features; by default the one that the
        run was trained on.
    :param top: how many cells each.
    :raises ModelError: if the run was trained on another dataset.
    """
    folder = checkpoint.run_folder(workspace, run)
    loaded = checkpoint.load(folder)
    dataset = load_for_run(loaded.about, workspace, export=export, features=features, progress=progress)
    checkpoint.check_fits(loaded, dataset, folder)
    weights = sha256((folder / checkpoint.WEIGHTS).read_bytes()).hexdigest()
    description = replace(describe(folder, loaded.about), content=f"{weights} {dataset.key} {top}")
    return description, _predictions(loaded, dataset, top)


def _predictions(loaded: Checkpoint, dataset: Dataset, top: int) -> Iterator[Prediction]:
    """Yield the predictions; none of a run that never learnt to locate."""
    if loaded.task == "ir":
        return
    centres, count = dataset.centres.tolist(), min(top, len(dataset.cells))
    for entities_n in torch.split(dataset.split["test"], BLOCK):
        answers = said(loaded.model, dataset, entities_n)
        for modality, logits_nC in answers.logits.items():
            there_n = answers.known[modality]
            best = torch.topk(torch.softmax(logits_nC[there_n], dim=1), count, dim=1)
            for entity, values, labels in zip(
                entities_n[there_n].tolist(), best.values.tolist(), best.indices.tolist(), strict=True
            ):
                for rank, (value, label) in enumerate(zip(values, labels, strict=True), start=1):
                    yield Prediction(
                        entity=dataset.entities[entity], modality=modality, rank=rank,
                        cell=dataset.cells[label], probability=float(value),
                        latitude=centres[label][0], longitude=centres[label][1],
                    )  # fmt: skip


def describe(
    folder: Path, about: dict[str, Any], evaluation: Mapping[str, Any] | None = None
) -> RunDescription:
    """Return what the graph says of a run.

    :param folder: the run's.
    :param about: what stands in its checkpoint.json.
    :param evaluation: its figures; by default those taken when it was trained.
    :raises ModelError: if its record cannot be read.
    """
    try:
        times = json.loads((folder / TIMES).read_text("utf-8"))
        if evaluation is None:
            evaluation = json.loads((folder / EVALUATION).read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ModelError(
            f"the run's record cannot be read ({error})", where=folder,
            action="Train again with --force",
        ) from None  # fmt: skip
    return RunDescription(
        name=about["run"],
        version=about["version"],
        export_key=about["export_key"],
        task=about["task"],
        settings={k: v for k, v in about["settings"].items() if v is not None},
        encoders=tuple(about["encoders"]),
        started=datetime.fromtimestamp(times["started"], UTC),
        ended=datetime.fromtimestamp(times["ended"], UTC),
        evaluation=evaluation or {},
        graph=IMPORTED if "features" in about else "",
        model=about["model"]["kind"],
    )
