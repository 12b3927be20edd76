"""Predictions of a run for the test entities of an export: what is written back into the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from mlmkg.ml import checkpoint
from mlmkg.ml.evaluate import predict_cells
from mlmkg.ml.featurefolder import load_for_run
from mlmkg.ml.train import EVALUATION, TIMES

from mlmkg.errors import ModelError
from mlmkg.pipeline import IMPORTED
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace
from mlmkg.writeback import Prediction, RunDescription


def predict(
    workspace: Workspace, run: str, *, export: Path | None = None, features: Path | None = None,
    top: int = 5, progress: Progress = quiet,
) -> tuple[RunDescription, list[Prediction]]:  # fmt: skip
    """Return a run's description and its most probable cells per test entity and modality.

    :param run: the run's name, or its folder.
    :param export, features: the folder of the export, or of the features; by default the one that the
        run was trained on.
    :param top: how many cells each.
    :raises ModelError: if the run was trained on another dataset, or never learnt to locate.
    """
    folder = checkpoint.run_folder(workspace, run)
    loaded = checkpoint.load(folder)
    about = loaded.about
    dataset = load_for_run(about, workspace, export=export, features=features, progress=progress)
    checkpoint.check_fits(loaded, dataset, folder)
    predictions = []
    if loaded.task != "ir":
        for modality in loaded.model.modalities:
            found_E, probabilities_EC = predict_cells(
                loaded.model, dataset, dataset.split["test"], modality
            )
            best = torch.topk(probabilities_EC, min(top, len(dataset.cells)), dim=1)
            for entity, values, labels in zip(
                found_E.tolist(), best.values.tolist(), best.indices.tolist(), strict=True
            ):
                for rank, (value, label) in enumerate(zip(values, labels, strict=True), start=1):
                    latitude, longitude = dataset.centres[label].tolist()
                    predictions.append(
                        Prediction(
                            entity=dataset.entities[entity], modality=modality, rank=rank,
                            cell=dataset.cells[label], probability=float(value),
                            latitude=latitude, longitude=longitude,
                        )
                    )  # fmt: skip
    return describe(folder, about), predictions


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
