"""A run for every combination of settings: what they reached on validation, the best last.

# grid.toml
rate = [1e-3, 3e-4]
dropout = [0.1, 0.3]
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlmkg.ml import checkpoint
from mlmkg.ml.data import Dataset
from mlmkg.ml.record import METRICS
from mlmkg.ml.settings import TrainConfig, settings_of
from mlmkg.ml.train import train
from sklearn.model_selection import ParameterGrid

from mlmkg.errors import ModelError
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace


def swept(
    dataset: Dataset, config: TrainConfig, grid: Path, workspace: Workspace, *,
    name: str | None = None, force: bool = False, progress: Progress = quiet,
) -> list[dict[str, Any]]:  # fmt: skip
    """Train every combination; return a row for each, by what it reached on validation.

    A run that is there already with these settings is not made again, unless ``force``.

    :param config: what all have in common.
    :param grid: a TOML file: setting -> list of values.
    :param name: how the runs' names begin.
    :raises ModelError: for a file that is none, or a setting that there is not.
    """
    try:
        values = tomllib.loads(grid.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"no TOML: {error}", where=grid, action="Write rate = [1e-3, 3e-4]") from None
    lists = {key: value if isinstance(value, list) else [value] for key, value in values.items()}
    if not lists or not all(lists.values()):
        raise ModelError("nothing to try", where=grid, action="Write rate = [1e-3, 3e-4]")
    usual = {k: v for k, v in asdict(config).items() if k != "model"}
    rows = []
    for number, chosen in enumerate(ParameterGrid(lists), start=1):
        one = settings_of(**{"model": config.model, **usual, **chosen})
        run = f"{name or f'{dataset.version}-sweep'}-{number}"
        folder = workspace.runs / run
        if force or not _same(folder, one, dataset.key):
            train(dataset, one, workspace, name=run, force=force, pictures=False,
                  progress=progress)  # fmt: skip
        lines = (folder / METRICS).read_text("utf-8").splitlines()
        kept = [entry for entry in map(json.loads, lines) if entry.get("best")][-1]
        reached = {k.removeprefix("val_"): v for k, v in kept.items() if k.startswith("val_")}
        mean = sum(reached.values()) / max(1, len(reached))
        rows.append({"run": run, **chosen, **_rounded(reached), "mean": round(mean, 3)})
    return sorted(rows, key=lambda row: float(row["mean"]))


def _same(folder: Path, config: TrainConfig, data: str) -> bool:
    try:
        about = json.loads((folder / checkpoint.ABOUT).read_text("utf-8"))
        there = about["settings"]
    except (OSError, ValueError, KeyError):
        return False
    if about.get("export_key") != data:
        return False
    # The batch of a small dataset is the dataset.
    return bool({**there, "batch": 0} == {**asdict(config), "batch": 0})


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}
